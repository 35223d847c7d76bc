//! Scrobbling by the real program: a track is played, services on loopback hear of it, or hear nothing.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/media.rs"]
#[allow(dead_code, reason = "each test file takes what it needs")]
mod media;
mod program;
mod scrobble_fake;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use lofty::tag::ItemKey;
use program::Home;
use scrobble_fake::{Fake, Request, nobody, say};
use segue::catalog::Catalog;
use segue::music::{AccountId, ScrobbleService, Window};
use serde_json::Value;

const RECORDING: &str = "e225fb84-dc9a-419e-adcd-9890f59ec432";
const RELEASE: &str = "aa1ea1ac-7ec4-4542-a494-105afbfe547d";
const ARTIST: &str = "24412926-c7bd-48e8-afad-8a285b42e131";
const RATE: usize = 44_100;

/// A home with one track of so many seconds, and what is said to both services.
struct Listener {
    home: Home,
    fake: Fake,
}

impl Listener {
    fn new(seconds: usize, fake: Fake) -> Self {
        let home = Home::new();
        let song = home.path().join("music/song.flac");
        media::put(&song, &media::flac(seconds * RATE, 1));
        let items = [
            (ItemKey::TrackTitle, "Quokka & Rain"),
            (ItemKey::TrackArtist, "Ännchen"),
            (ItemKey::AlbumArtist, "Ännchen"),
            (ItemKey::AlbumTitle, "Mornings"),
            (ItemKey::TrackNumber, "7"),
            (ItemKey::MusicBrainzRecordingId, RECORDING),
            (ItemKey::MusicBrainzReleaseId, RELEASE),
            (ItemKey::MusicBrainzArtistId, ARTIST),
        ];
        media::tag(&song, &items, None);
        Self { home, fake }
    }

    fn run(&self, args: &[&str], vars: &[(&str, &str)], input: &str) -> Output {
        let urls = [
            ("SEGUE_LISTENBRAINZ_URL", self.fake.url()),
            ("SEGUE_LASTFM_URL", format!("{}/2.0/", self.fake.url())),
            ("SEGUE_LASTFM_API_KEY", "key".to_owned()),
            ("SEGUE_LASTFM_SECRET", "hush-secret".to_owned()),
            ("SEGUE_LOG", "debug".to_owned()),
        ];
        let mut command = self.home.command(args);
        command.envs(urls).envs(vars.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // What is not asked for is not read.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Plays the track to its end.
    fn play(&self, more: &[&str], vars: &[(&str, &str)]) -> Output {
        let music = self.home.path().join("music").display().to_string();
        let all = [&["play", "quokka", "--output", "silent", "--music", music.as_str()][..], more].concat();
        let output = self.run(&all, vars, "");
        assert!(text(&output).contains("Quokka & Rain"), "{}", text(&output));
        assert!(!text(&output).contains("hush"), "{}", text(&output));
        output
    }

    async fn catalog(&self) -> Catalog {
        let file: PathBuf = self.home.path().join("data/segue/profiles/home/catalog.db");
        Catalog::open(&file).await.unwrap()
    }

    /// Plays in the history, and what waits for a service.
    async fn known(&self, service: ScrobbleService) -> (usize, u64) {
        let me = self.catalog().await.listener(&AccountId::from("me"));
        let plays = me.recent_plays(Window::ALL).await.unwrap().len();
        (plays, me.scrobble_count(service).await.unwrap().waiting)
    }

    fn status(&self, vars: &[(&str, &str)]) -> Vec<Value> {
        serde_json::from_slice(&self.run(&["scrobble", "status", "--json"], vars, "").stdout).unwrap()
    }
}

/// Everything that a command printed.
fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const TOKEN: (&str, &str) = ("SEGUE_LISTENBRAINZ_TOKEN", "hush-token");
const SESSION: (&str, &str) = ("SEGUE_LASTFM_SESSION", "hush-session");
const TO_LB: (&str, &str) = ("SEGUE_SCROBBLE", "listenbrainz");

/// A service that takes everything.
fn kind() -> Fake {
    Fake::new(|request, _| {
        if request.is("GET /1/validate-token") {
            return say(200, r#"{"code":200,"valid":true,"user_name":"ann"}"#);
        }
        if request.is("POST /2.0/") { say(200, lastfm(request)) } else { say(200, r#"{"status":"ok"}"#) }
    })
}

fn lastfm(request: &Request) -> &'static str {
    match request.form()["method"].as_str() {
        "auth.getToken" => r#"{"token":"tok"}"#,
        "auth.getSession" => r#"{"session":{"name":"ann","key":"hush-session"}}"#,
        "user.getInfo" => r#"{"user":{"name":"ann"}}"#,
        _ => "{}",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_unless_asked_for_nor_in_a_private_session() {
    let listener = Listener::new(3, kind());
    listener.play(&[], &[TOKEN, SESSION]);
    assert_eq!(
        listener.known(ScrobbleService::ListenBrainz).await,
        (1, 0),
        "the history is the listener's own"
    );
    let both = ("SEGUE_SCROBBLE", "listenbrainz,lastfm");
    listener.play(&["--private"], &[TOKEN, SESSION, both]);
    listener.play(&[], &[TOKEN, SESSION, both, ("SEGUE_PRIVATE", "true")]);
    assert_eq!(listener.known(ScrobbleService::ListenBrainz).await, (1, 0), "nothing was written down");
    let status = listener.status(&[TOKEN, SESSION]);
    assert!(status.iter().all(|row| row["on"] == false && row["account"].is_null()), "{status:?}");
    let doctor = text(&listener.run(&["doctor", "--output", "silent"], &[TOKEN, SESSION], ""));
    assert!(doctor.contains("neither ListenBrainz nor Last.fm is told anything"), "{doctor}");
    let seen = listener.fake.seen();
    assert!(seen.is_empty(), "{seen:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn listenbrainz_hears_of_a_track_while_and_after_it_plays() {
    let listener = Listener::new(3, kind());
    listener.play(&[], &[TOKEN, TO_LB]);
    let seen = listener.fake.of("POST /1/submit-listens HTTP/1.1");
    let kinds: Vec<Value> = seen.iter().map(|request| request.json()["listen_type"].clone()).collect();
    assert_eq!(kinds, ["playing_now", "single"]);
    let (now, over) = (&seen[0].json()["payload"][0], &seen[1].json()["payload"][0]);
    assert_eq!(now["track_metadata"], over["track_metadata"]);
    assert!(now.get("listened_at").is_none() && over["listened_at"].as_i64() > Some(1_700_000_000));
    let track = &over["track_metadata"];
    let words = ["artist_name", "track_name", "release_name"].map(|name| track[name].as_str().unwrap());
    assert_eq!(words, ["Ännchen", "Quokka & Rain", "Mornings"]);
    let info = &track["additional_info"];
    assert_eq!(info["duration_ms"], 3_000);
    assert_eq!(info["tracknumber"], 7);
    assert_eq!(info["recording_mbid"], RECORDING);
    assert_eq!(info["release_mbid"], RELEASE);
    assert_eq!(info["artist_mbids"][0], ARTIST);
    assert_eq!(listener.known(ScrobbleService::ListenBrainz).await, (1, 0));
    assert_eq!(listener.fake.seen().len(), 2, "Last.fm was not asked for");
    assert!(!listener.home.log().contains("hush"), "{}", listener.home.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_heard_while_the_service_was_away_arrives_at_the_next_start_once() {
    let listener = Listener::new(3, kind());
    let away = ("SEGUE_LISTENBRAINZ_URL", format!("http://{}", nobody()));
    listener.play(&[], &[TOKEN, TO_LB, (away.0, &away.1)]);
    assert_eq!(listener.known(ScrobbleService::ListenBrainz).await, (1, 1));
    let waits = text(&listener.run(&["doctor", "--output", "silent"], &[TOKEN, TO_LB], ""));
    assert!(waits.contains("ListenBrainz takes the login of ann; 1 play waits."), "{waits}");
    let status = listener.status(&[TOKEN, TO_LB]);
    assert_eq!((&status[0]["account"], &status[0]["waiting"]), (&"ann".into(), &1.into()));

    listener.play(&[], &[TOKEN, TO_LB]);
    let sent = listener.fake.of("POST /1/submit-listens");
    let over: Vec<Value> =
        sent.iter().map(Request::json).filter(|body| body["listen_type"] != "playing_now").collect();
    let times: Vec<i64> = over
        .iter()
        .flat_map(|body| body["payload"].as_array().unwrap())
        .map(|l| l["listened_at"].as_i64().unwrap())
        .collect();
    assert_eq!(times.len(), 2, "{over:?}");
    assert_ne!(times[0], times[1]);
    assert_eq!(listener.known(ScrobbleService::ListenBrainz).await, (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn lastfm_is_allowed_on_a_page_and_told_of_tracks_longer_than_half_a_minute() {
    let fake = Fake::new(|request, before| match (request.form()["method"].as_str(), before) {
        ("auth.getSession", ..=1) => {
            say(403, r#"{"error":14,"message":"This token has not been authorized"}"#)
        }
        _ => say(200, lastfm(request)),
    });
    let listener = Listener::new(31, fake);
    let output = listener.run(&["scrobble", "lastfm", "login", "--file"], &[], "");
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    let page = format!("{}/api/auth/?api_key=key&token=tok", listener.fake.url());
    assert!(said.contains(&page) && said.contains("Last.fm takes the login of ann."), "{said}");
    assert!(said.contains("add lastfm to `scrobble`") && !said.contains("hush"), "{said}");
    let kept = listener.home.path().join("config/segue/credentials.toml");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);

    let to_lastfm = ("SEGUE_SCROBBLE", "lastfm");
    let status = listener.status(&[to_lastfm]);
    assert_eq!((&status[1]["on"], &status[1]["account"]), (&true.into(), &"ann".into()));
    let before = listener.fake.seen().len();
    listener.play(&[], &[to_lastfm, ("SEGUE_SPEED", "2")]);
    let sent: Vec<_> = listener.fake.seen()[before..].iter().map(Request::form).collect();
    let methods: Vec<&str> = sent.iter().map(|form| form["method"].as_str()).collect();
    assert_eq!(methods, ["track.updateNowPlaying", "track.scrobble"]);
    assert_eq!(sent[1]["track[0]"], "Quokka & Rain");
    assert_eq!(sent[1]["artist[0]"], "Ännchen");
    assert_eq!(sent[1]["sk"], "hush-session");
    assert!(!listener.home.log().contains("hush"));

    let said = text(&listener.run(&["scrobble", "lastfm", "logout"], &[], ""));
    assert!(said.contains("Forgotten."), "{said}");
    let doctor = listener.run(&["doctor", "--output", "silent"], &[to_lastfm], "");
    assert!(!doctor.status.success());
    assert!(text(&doctor).contains("run `segue scrobble lastfm login` once"), "{}", text(&doctor));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_track_is_not_for_lastfm() {
    let listener = Listener::new(3, kind());
    listener.play(&[], &[SESSION, ("SEGUE_SCROBBLE", "lastfm")]);
    let methods: Vec<_> =
        listener.fake.seen().iter().map(|request| request.form()["method"].clone()).collect();
    assert_eq!(methods, ["track.updateNowPlaying"]);
    assert_eq!(listener.known(ScrobbleService::LastFm).await, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_tried_before_it_is_kept() {
    let fake = Fake::new(|request, _| {
        let valid = request.headers["authorization"] == "Token good";
        say(200, format!("{{\"code\":200,\"valid\":{valid},\"user_name\":\"ann\"}}"))
    });
    let listener = Listener::new(1, fake);
    let login = |token: &str| listener.run(&["scrobble", "listenbrainz", "login", "--file"], &[], token);
    let refused = login("wrong\n");
    assert!(!refused.status.success());
    assert!(text(&refused).contains("the token is not valid; nothing is kept"), "{}", text(&refused));
    assert!(login("good\n").status.success());
    let status = listener.status(&[TO_LB]);
    assert_eq!(status[0]["account"], "ann");
    let wrong = listener.run(&["scrobble", "status"], &[TO_LB, ("SEGUE_LISTENBRAINZ_TOKEN", "wrong")], "");
    assert!(!wrong.status.success());
    assert!(text(&wrong).contains("refused the login"), "{}", text(&wrong));
}
