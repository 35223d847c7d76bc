//! Media keys and the desktop: `playerctl` and a desktop of the test's own on a session bus of the test's own. Run by `.ci/run`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(
    clippy::used_underscore_binding,
    clippy::unused_self,
    clippy::needless_pass_by_value,
    reason = "the macro of the bus wants methods with owned arguments, and reads those that nobody wants"
)]

#[path = "common/media.rs"]
#[allow(dead_code, reason = "every test file uses its part")]
mod media;
mod program;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use lofty::tag::ItemKey;
use program::session::{Session, until};
use program::{Home, Process, Terminal};
use serde_json::Value;
use zbus::zvariant::{ObjectPath, OwnedValue};

const SIZE: (u16, u16) = (100, 30);
const PLAYER: &str = "org.mpris.MediaPlayer2.Player";

fn ctl(home: &Home, args: &[&str]) -> (bool, String) {
    let all: Vec<&str> = std::iter::once("ctl").chain(args.iter().copied()).collect();
    let output = home.command(&all).output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text.trim().to_owned())
}

fn told(home: &Home, what: &str, test: impl Fn(&Value) -> bool) -> Value {
    until(what, || {
        let answer: Value = serde_json::from_str(&ctl(home, &["status", "--json"]).1).ok()?;
        Some(answer["status"].clone()).filter(|status| test(status))
    })
}

/// Plays what these words find, once the library has it.
fn play(home: &Home, words: &str) {
    let words: Vec<&str> = words.split(' ').collect();
    let line: Vec<&str> = std::iter::once("play").chain(words).collect();
    until("music to play", || ctl(home, &line).0.then_some(()));
}

/// A player without a screen that logs to its home.
fn background(home: &Home, session: &Session, more: &[&str], extra: &[(&str, &str)]) -> Process {
    let mut args = vec!["--output", "silent", "play", "--resume", "--detached"];
    args.extend_from_slice(more);
    let mut command = home.command(&args);
    command.env(session.variable().0, session.variable().1).envs(extra.iter().copied());
    let player = Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    until("a player", || ctl(home, &["status"]).0.then_some(()));
    player
}

/// A folder with one long track whose tags want to do harm.
fn hostile(home: &Home) -> String {
    let folder = home.path().join("music");
    let file = folder.join("evil.flac");
    media::put(&file, &media::flac(44_100 * 40, 3));
    let title = "Evil \u{1b}[31m\u{7}\u{202e}<b>&\"%n \u{1f480}";
    let fields = [
        (ItemKey::TrackTitle, title),
        (ItemKey::TrackArtist, "<img src='x'> & Co"),
        (ItemKey::AlbumTitle, "Album \u{0}\u{85}</b>"),
    ];
    media::tag(&file, &fields, None);
    folder.display().to_string()
}

#[test]
fn a_player_is_driven_from_outside() {
    let home = Home::new();
    let Some(session) = Session::start(&home) else { return };
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[session.variable()], SIZE);
    terminal.wait_for("4 tracks");
    session.says(&["status"], "nothing to play", |said| said == "Stopped");
    play(&home, "before dawn");
    session.says(&["status"], "sound", |said| said == "Playing");

    let form = "{{title}}|{{artist}}|{{album}}|{{xesam:trackNumber}}|{{mpris:length}}|{{mpris:artUrl}}|{{xesam:url}}";
    let about = ["metadata", "--format", form];
    let line = session.says(&about, "a cover", |said| said.contains("file://"));
    let parts: Vec<&str> = line.split('|').collect();
    assert_eq!((parts[0], parts[3]), ("Before Dawn", "1"), "{line}");
    assert!(!parts[1].is_empty() && !parts[2].is_empty(), "{line}");
    assert!(parts[4].parse::<u64>().unwrap() > 1_000_000, "microseconds: {line}");
    let cover = parts[5].strip_prefix("file://").unwrap();
    assert!(image::load_from_memory(&std::fs::read(cover).unwrap()).is_ok(), "{cover}");
    let address = parts[6].to_owned();
    assert!(address.starts_with("segue:track:"), "{line}");

    // Play and pause.
    assert!(session.ask(&["play-pause"]).0);
    session.says(&["status"], "a pause", |said| said == "Paused");
    assert_eq!(told(&home, "a pause", |s| s["state"] == "paused")["track"]["title"], "Before Dawn");
    assert!(session.ask(&["play"]).0);
    session.says(&["status"], "sound", |said| said == "Playing");
    assert!(session.ask(&["pause"]).0);
    session.says(&["status"], "a pause", |said| said == "Paused");

    // Places, there and from there.
    assert!(session.ask(&["position", "20"]).0);
    session.says(&["position"], "20 s", |said| said.starts_with("20.0"));
    assert!(session.ask(&["position", "5+"]).0);
    session.says(&["position"], "25 s", |said| said.starts_with("25.0"));
    assert!(session.ask(&["position", "10-"]).0);
    session.says(&["position"], "15 s", |said| said.starts_with("15.0"));
    assert_eq!(told(&home, "15 s", |s| s["positionMs"] == 15_000)["state"], "paused");
    assert!(session.ask(&["play"]).0);
    session.says(&["position"], "going on", |said| said.parse::<f64>().is_ok_and(|s| s > 15.5 && s < 30.0));

    // Volume, shuffle, repeat: set here and there.
    assert!(session.ask(&["volume", "0.4"]).0);
    told(&home, "volume", |s| s["volume"] == 40);
    assert!(ctl(&home, &["volume", "65"]).0);
    session.says(&["volume"], "volume", |said| said.starts_with("0.65"));
    assert!(ctl(&home, &["mute"]).0);
    session.says(&["volume"], "silence", |said| said.starts_with("0.00"));
    assert!(ctl(&home, &["mute"]).0);
    assert!(session.ask(&["loop", "Track"]).0);
    told(&home, "repeat", |s| s["repeat"] == "one");
    assert!(ctl(&home, &["repeat", "all"]).0);
    session.says(&["loop"], "repeat", |said| said == "Playlist");
    assert!(session.ask(&["loop", "None"]).0);
    told(&home, "no repeat", |s| s["repeat"] == "off");
    assert!(session.ask(&["shuffle", "On"]).0);
    told(&home, "shuffle", |s| s["shuffle"] == true);
    assert!(session.ask(&["shuffle", "Off"]).0);
    session.says(&["shuffle"], "order", |said| said == "Off");

    // On and back.
    assert!(ctl(&home, &["add", "kettle"]).0);
    assert!(session.ask(&["next"]).0);
    session.says(&["metadata", "title"], "the next", |said| said == "Kettle Hours");
    assert!(session.ask(&["previous"]).0);
    session.says(&["metadata", "title"], "the one before", |said| said == "Before Dawn");
    assert!(session.ask(&["stop"]).0);
    session.says(&["status"], "silence", |said| said == "Stopped");
    assert!(session.ask(&["open", &address]).0);
    session.says(&["status"], "sound", |said| said == "Playing");
    let (_, said) = session.ask(&["open", "file:///etc/passwd"]);
    assert!(said.contains("segue:track:ID"), "{said}");

    // The music goes on without the screens, and the name goes over with it.
    terminal.keys("Q");
    assert!(terminal.ended());
    session.says(&["status"], "the player without a screen", |said| said == "Playing");
    session.says(&["metadata", "title"], "the same track", |said| said == "Before Dawn");
    let (_, names) = session.ask(&["--list-all"]);
    assert_eq!(names, "segue");
    runtime().block_on(async {
        let bus = connect(&session).await;
        bus.call_method(
            Some("org.mpris.MediaPlayer2.segue"),
            "/org/mpris/MediaPlayer2",
            Some("org.mpris.MediaPlayer2"),
            "Quit",
            &(),
        )
        .await
        .unwrap();
    });
    until("the end", || (!ctl(&home, &["status"]).0).then_some(()));
    assert!(!session.ask(&["status"]).0);
}

#[test]
fn whoever_follows_hears_what_changes_and_nothing_else() {
    let home = Home::new();
    let Some(session) = Session::start(&home) else { return };
    let _player = background(&home, &session, &[], &[]);
    play(&home, "before dawn");
    session.says(&["status"], "sound", |said| said == "Playing");
    let mut follow = session.playerctl(&["--follow", "metadata", "--format", "{{status}} {{title}}"]);
    let mut follower = Process(follow.stdout(Stdio::piped()).spawn().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (lines, sink) = (BufReader::new(follower.0.stdout.take().unwrap()).lines(), Arc::clone(&heard));
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| sink.lock().unwrap().push(line)));
    let hears = |line: &str| {
        until(line, || heard.lock().unwrap().iter().any(|heard| heard == line).then_some(()));
    };
    hears("Playing Before Dawn");
    assert!(ctl(&home, &["pause"]).0);
    hears("Paused Before Dawn");
    play(&home, "dew on strings");
    hears("Playing Dew on Strings");

    runtime().block_on(async {
        let bus = connect(&session).await;
        let player = proxy(&bus, PLAYER).await;
        let rule = "type='signal',path='/org/mpris/MediaPlayer2'";
        let mut signals = zbus::MessageStream::for_match_rule(rule, &bus, None).await.unwrap();
        let next = async |signals: &mut zbus::MessageStream, limit: u64| {
            let message =
                tokio::time::timeout(Duration::from_secs(limit), signals.next()).await.ok()??.ok()?;
            Some(message.header().member()?.to_string())
        };
        // The cover may still be on its way.
        while next(&mut signals, 2).await.is_some() {}
        assert_eq!(next(&mut signals, 3).await, None, "it only plays on");

        let about: HashMap<String, OwnedValue> = player.get_property("Metadata").await.unwrap();
        let id: ObjectPath<'_> = about["mpris:trackid"].downcast_ref().unwrap();
        let _: () = player.call("SetPosition", &(&id, 30_000_000_i64)).await.unwrap();
        assert_eq!(next(&mut signals, 20).await.as_deref(), Some("Seeked"));
        let other = ObjectPath::try_from("/segue/queue/123456").unwrap();
        for (id, place) in [(&other, 5_000_000_i64), (&id, -1), (&id, i64::MAX)] {
            let _: () = player.call("SetPosition", &(id, place)).await.unwrap();
        }
        assert_eq!(next(&mut signals, 3).await, None, "places that are none");
        let place: i64 = player.get_property("Position").await.unwrap();
        assert!(place >= 30_000_000, "{place}");

        player.set_property("Volume", 0.25).await.unwrap();
        assert_eq!(next(&mut signals, 20).await.as_deref(), Some("PropertiesChanged"));
        player.set_property("Volume", 0.25).await.unwrap();
        assert_eq!(next(&mut signals, 3).await, None, "it was so before");
        assert!(player.set_property("LoopStatus", "Sometimes").await.is_err());
        assert!(player.set_property("Volume", f64::NAN).await.is_err());
        player.set_property("Rate", 99.0).await.unwrap();
        assert_eq!(next(&mut signals, 20).await.as_deref(), Some("PropertiesChanged"));
        assert!((player.get_property::<f64>("Rate").await.unwrap() - 2.0).abs() < 1e-9);

        // The list of what is to come.
        let list = proxy(&bus, "org.mpris.MediaPlayer2.TrackList").await;
        let ids: Vec<ObjectPath<'_>> = vec![id.clone()];
        let rows: Vec<HashMap<String, OwnedValue>> = list.call("GetTracksMetadata", &(ids,)).await.unwrap();
        let title: &str = rows[0]["xesam:title"].downcast_ref().unwrap();
        assert_eq!(title, "Dew on Strings");
    });
    assert!(ctl(&home, &["quit"]).0);
}

#[test]
fn a_hostile_title_is_text() {
    let home = Home::new();
    let Some(session) = Session::start(&home) else { return };
    let folder = hostile(&home);
    let desktop = Desktop::open(&session);
    let wishes = [("SEGUE_NOTIFICATIONS", "true"), ("SEGUE_KEEP_AWAKE", "true")];
    let _player = background(&home, &session, &["--music", &folder], &wishes);
    play(&home, "evil");
    let title = session.says(&["metadata", "title"], "the title", |said| said.contains("Evil"));
    assert!(title.contains("<b>&\"%n 💀") && !title.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{title:?}");
    let said = until("a message", || desktop.said.lock().unwrap().first().cloned());
    assert_eq!(said.summary, title);
    assert!(said.body.starts_with("&lt;img src='x'&gt; &amp; Co · Album"), "{}", said.body);
    assert!(!said.body.contains(['<', '>', '\u{0}', '\u{85}']), "{:?}", said.body);
    assert_eq!(said.replaces, 0);

    // The next one takes its place.
    play(&home, "before dawn");
    let next = until("the next message", || desktop.said.lock().unwrap().get(1).cloned());
    assert_eq!((next.summary.as_str(), next.replaces), ("Before Dawn", 41));
    assert!(next.picture.starts_with("file:///"), "{}", next.picture);

    // It keeps awake while it plays, and not longer.
    until("no sleep", || (*desktop.held.lock().unwrap() == 1).then_some(()));
    assert!(ctl(&home, &["pause"]).0);
    until("sleep", || (*desktop.held.lock().unwrap() == 0).then_some(()));
    assert!(session.ask(&["play"]).0);
    until("no sleep again", || (*desktop.held.lock().unwrap() == 1).then_some(()));
    assert_eq!(desktop.said.lock().unwrap().len(), 2, "going on is nothing new");
    assert!(ctl(&home, &["quit"]).0);
}

#[test]
fn a_bus_that_dies_takes_nobody_with_it() {
    let home = Home::new();
    let Some(mut session) = Session::start(&home) else { return };
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[session.variable()], SIZE);
    terminal.wait_for("4 tracks");
    play(&home, "before dawn");
    session.says(&["status"], "sound", |said| said == "Playing");
    session.end();
    let before = told(&home, "sound", |s| s["state"] == "playing")["positionMs"].as_u64().unwrap();
    told(&home, "going on", |s| s["positionMs"].as_u64().unwrap() > before + 1_000);
    let screen = terminal.wait_for("Before Dawn").to_lowercase();
    assert!(!screen.contains("bus"), "{screen}");
    session.begin();
    session.says(&["status"], "the player again", |said| said == "Playing");
    assert!(session.ask(&["pause"]).0);
    told(&home, "a pause", |s| s["state"] == "paused");
    assert!(ctl(&home, &["quit"]).0);
    assert!(terminal.ended());
}

#[test]
fn without_a_bus_there_is_one_line_in_the_log() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[], SIZE);
    terminal.wait_for("4 tracks");
    play(&home, "before dawn");
    told(&home, "sound", |s| s["positionMs"].as_u64() > Some(3_000));
    let screen = terminal.wait_for("Before Dawn").to_lowercase();
    assert!(!screen.contains("bus"), "{screen}");
    assert_eq!(home.log().matches("no session bus").count(), 1, "{}", home.log());
    assert!(ctl(&home, &["quit"]).0);
    assert!(terminal.ended());
}

#[test]
fn a_second_player_has_a_name_of_its_own_and_none_when_it_is_not_wanted() {
    let home = Home::new();
    let Some(session) = Session::start(&home) else { return };
    let _first = background(&home, &session, &[], &[]);
    session.says(&["--list-all"], "a player", |said| said == "segue");
    let second = home
        .command(&["--output", "silent", "play", "dew"])
        .env(session.variable().0, session.variable().1)
        .spawn();
    let second = Process(second.unwrap());
    session.says(&["--list-all"], "two players", |said| said.contains("segue.instance"));
    drop(second);
    assert!(ctl(&home, &["quit"]).0);
    until("the end", || (!ctl(&home, &["status"]).0).then_some(()));
    let _quiet = background(&home, &session, &[], &[("SEGUE_MEDIA_KEYS", "false")]);
    play(&home, "dew");
    told(&home, "sound", |s| s["positionMs"].as_u64() > Some(500));
    assert!(!session.ask(&["status"]).0);
    assert!(ctl(&home, &["quit"]).0);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

async fn connect(session: &Session) -> zbus::Connection {
    zbus::connection::Builder::address(session.address()).unwrap().build().await.unwrap()
}

/// An interface of the player, asked anew for everything.
async fn proxy<'a>(bus: &zbus::Connection, interface: &'a str) -> zbus::Proxy<'a> {
    zbus::proxy::Builder::new(bus)
        .destination("org.mpris.MediaPlayer2.segue")
        .unwrap()
        .path("/org/mpris/MediaPlayer2")
        .unwrap()
        .interface(interface)
        .unwrap()
        .cache_properties(zbus::proxy::CacheProperties::No)
        .build()
        .await
        .unwrap()
}

/// A message as the desktop got it.
#[derive(Debug, Clone)]
struct Said {
    replaces: u32,
    summary: String,
    body: String,
    picture: String,
}

/// A desktop that shows messages and has a screen saver.
struct Desktop {
    said: Arc<Mutex<Vec<Said>>>,
    /// Who holds the screen saver back.
    held: Arc<Mutex<i32>>,
    _bus: zbus::Connection,
    _runtime: tokio::runtime::Runtime,
}

impl Desktop {
    fn open(session: &Session) -> Self {
        let runtime = runtime();
        let (said, held) = (Arc::<Mutex<Vec<Said>>>::default(), Arc::<Mutex<i32>>::default());
        let (messages, saver) = (Messages(Arc::clone(&said)), Saver(Arc::clone(&held)));
        let bus = runtime.block_on(async {
            zbus::connection::Builder::address(session.address())
                .unwrap()
                .serve_at("/org/freedesktop/Notifications", messages)
                .unwrap()
                .serve_at("/org/freedesktop/ScreenSaver", saver)
                .unwrap()
                .name("org.freedesktop.Notifications")
                .unwrap()
                .name("org.freedesktop.ScreenSaver")
                .unwrap()
                .build()
                .await
                .unwrap()
        });
        Self { said, held, _bus: bus, _runtime: runtime }
    }
}

struct Messages(Arc<Mutex<Vec<Said>>>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Messages {
    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".to_owned(), "body-markup".to_owned()]
    }

    #[allow(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &self,
        _app: String,
        replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        _actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        let picture =
            hints.get("image-path").and_then(|v| v.downcast_ref::<String>().ok()).unwrap_or_default();
        self.0.lock().unwrap().push(Said { replaces, summary, body, picture });
        41
    }
}

struct Saver(Arc<Mutex<i32>>);

#[zbus::interface(name = "org.freedesktop.ScreenSaver")]
impl Saver {
    fn inhibit(&self, _program: String, _why: String) -> u32 {
        *self.0.lock().unwrap() += 1;
        7
    }

    #[zbus(name = "UnInhibit")]
    fn un_inhibit(&self, cookie: u32) {
        assert_eq!(cookie, 7);
        *self.0.lock().unwrap() -= 1;
    }
}
