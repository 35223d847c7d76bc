//! Playing on another player, with real processes: a server, a speaker without a screen, and a player in a terminal that hands its queue
//! over and takes it back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use program::{Home, PATIENCE, Process, Terminal};
use serde_json::Value;

const PASSWORD: &str = "open sesame";

/// A process whose output is read.
struct Told {
    process: Process,
    said: Arc<Mutex<String>>,
}

impl Told {
    fn start(mut command: std::process::Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let both: [Box<dyn BufRead + Send>; 2] =
            [Box::new(BufReader::new(out)), Box::new(BufReader::new(err))];
        for lines in both {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                for line in lines.lines().map_while(Result::ok) {
                    let mut said = said.lock().unwrap();
                    said.push_str(&line);
                    said.push('\n');
                }
            });
        }
        Self { process: Process(child), said }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn wait_for(&mut self, text: &str) {
        let began = Instant::now();
        while !self.said().contains(text) {
            assert!(began.elapsed() < PATIENCE, "waited in vain for {text}:\n{}", self.said());
            if let Some(status) = self.process.0.try_wait().unwrap() {
                panic!("it ended with {status} before it said {text}:\n{}", self.said());
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Asks it to end, and waits for that.
    fn end(mut self) -> bool {
        let pid = rustix::process::Pid::from_child(&self.process.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.process.0.wait().unwrap().success()
    }
}

struct House {
    home: Home,
    port: u16,
}

impl House {
    fn new() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { home: Home::new(), port }
    }

    fn serve(&self) -> Told {
        let data = self.home.path().join("server");
        let music = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo");
        let mut command = self.home.command(&["serve", "--music", music, "--jukebox", "kitchen"]);
        command.args(["--listen", &format!("127.0.0.1:{}", self.port), "--data", data.to_str().unwrap()]);
        command.env("SEGUE_ADMIN_PASSWORD", PASSWORD);
        let mut server = Told::start(command);
        server.wait_for("Segue serves on");
        server
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn speaker(&self, home: &Home) -> Told {
        let url = self.url();
        let mut command = home.command(&["play", "--device", "kitchen", "--server", &url, "--user", "admin"]);
        command.args(["--output", "silent"]).env("SEGUE_PASSWORD", PASSWORD);
        let mut speaker = Told::start(command);
        speaker.wait_for("“kitchen” waits for what to play");
        speaker
    }

    fn player(&self, home: &Home) -> Terminal {
        let url = self.url();
        let args = ["--server", &url, "--user", "admin", "--output", "silent"];
        let mut terminal = Terminal::start(home, &args, &[("SEGUE_PASSWORD", PASSWORD)], (110, 30));
        terminal.wait_for("4 tracks");
        terminal
    }
}

fn ctl(home: &Home, args: &[&str]) -> (bool, String, String) {
    let all: Vec<&str> = std::iter::once("ctl").chain(args.iter().copied()).collect();
    let output = home.command(&all).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// Waits until the player in this home says so.
fn until(home: &Home, what: &str, test: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    let mut last = Value::Null;
    while began.elapsed() < PATIENCE {
        let (done, out, err) = ctl(home, &["status", "--json"]);
        last = if done { serde_json::from_str(&out).unwrap_or_default() } else { err.into() };
        if done && test(&last["status"]) {
            return last["status"].clone();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("waited in vain for {what}: {last}\n{}", home.log());
}

fn at(status: &Value) -> u64 {
    status["positionMs"].as_u64().unwrap_or(0)
}

#[test]
fn a_queue_goes_to_a_speaker_is_driven_there_and_comes_back() {
    let house = House::new();
    let server = house.serve();
    let (kitchen, desk) = (Home::new(), Home::new());
    let mut speaker = house.speaker(&kitchen);
    let mut screens = house.player(&desk);
    assert!(ctl(&desk, &["play", "first", "light"]).0);
    let before = until(&desk, "sound", |s| s["state"] == "playing" && at(s) > 2_000);
    assert_eq!(before["device"], Value::Null);

    // From the list of players, by keys.
    screens.keys("gc");
    let list = screens.wait_for("kitchen");
    assert!(list.contains("this machine") && list.contains("plays First Light"), "{list}");
    screens.keys("kitch\r");
    screens.wait_for("on kitchen");
    let there = until(&kitchen, "sound in the kitchen", |s| s["state"] == "playing");
    assert_eq!(there["track"]["title"], "First Light");
    assert!(at(&there) + 1_500 > at(&before), "it goes on where it was: {before} {there}");
    let seen = until(&desk, "the kitchen's state", |s| s["device"] == "kitchen" && s["state"] == "playing");
    assert_eq!(seen["track"]["title"], "First Light");
    speaker.wait_for("First Light");

    // Keys of the screens and words of the shell drive the kitchen.
    screens.keys(" ");
    until(&kitchen, "a pause", |s| s["state"] == "paused");
    until(&desk, "a pause that is seen", |s| s["state"] == "paused");
    assert!(ctl(&desk, &["seek", "0:05"]).0);
    until(&kitchen, "another place", |s| (4_900..5_500).contains(&at(s)));
    until(&desk, "another place that is seen", |s| (4_900..5_500).contains(&at(s)));
    assert!(ctl(&desk, &["volume", "35"]).0);
    until(&kitchen, "another volume", |s| s["volume"] == 35);
    assert!(ctl(&desk, &["status"]).1.contains("on kitchen"));
    let (done, _, err) = ctl(&desk, &["sleep", "10"]);
    assert!(!done && err.contains("plays on kitchen"), "{err}");
    assert!(ctl(&desk, &["play", "kettle"]).0);
    until(&kitchen, "another track", |s| s["track"]["title"] == "Kettle Hours" && s["state"] == "playing");
    until(&desk, "another track that is seen", |s| s["track"]["title"] == "Kettle Hours");

    // The server dies: the kitchen plays on, and is driven again when it is back.
    drop(server);
    let one = until(&kitchen, "sound without a server", |s| s["state"] == "playing");
    until(&kitchen, "more of it", |s| at(s) > at(&one) + 500);
    let server = house.serve();
    let began = Instant::now();
    while until(&kitchen, "an answer", |_| true)["volume"] != 20 {
        assert!(began.elapsed() < PATIENCE, "the kitchen is not reached any more\n{}", speaker.said());
        ctl(&desk, &["volume", "20"]);
        std::thread::sleep(Duration::from_millis(500));
    }

    // Clients of others drive the same speaker as the jukebox of the server.
    let ask = |action: &str| {
        let url = format!(
            "{}/rest/jukeboxControl?u=admin&p={}&c=test&v=1.16.1&f=json&{action}",
            house.url(),
            PASSWORD.replace(' ', "%20")
        );
        let text = get(&url);
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        answer["subsonic-response"].clone()
    };
    let status = ask("action=stop")["jukeboxStatus"].clone();
    assert_eq!((&status["playing"], &status["gain"]), (&false.into(), &0.2.into()), "{status}");
    until(&kitchen, "the jukebox's pause", |s| s["state"] == "paused");
    let list = ask("action=get")["jukeboxPlaylist"].clone();
    let current = usize::try_from(list["currentIndex"].as_i64().unwrap()).unwrap();
    assert_eq!(list["entry"][current]["title"], "Kettle Hours", "{list}");
    assert_eq!(ask("action=start")["jukeboxStatus"]["playing"], true);

    // And back, at the place where the kitchen was.
    let there = until(&kitchen, "sound", |s| s["state"] == "playing");
    screens.keys("gc");
    screens.wait_for("plays Kettle Hours");
    screens.keys("this\r");
    screens.wait("the bar of this machine", |screen| !screen.contains("on kitchen"));
    let back = until(&desk, "sound here", |s| s["device"] == Value::Null && s["state"] == "playing");
    assert_eq!(back["track"]["title"], "Kettle Hours");
    assert!(at(&back) + 1_500 > at(&there), "{there} {back}");
    until(&kitchen, "silence in the kitchen", |s| s["state"] == "paused");

    // The speaker has its queue again after a restart, silent.
    assert!(speaker.end(), "it ends in order");
    let speaker = house.speaker(&kitchen);
    let again = until(&kitchen, "the queue of before", |s| s["track"]["title"] == "Kettle Hours");
    assert_eq!(again["state"], "paused");

    // By words; and when the speaker ends, its queue is here.
    let began = Instant::now();
    while !ctl(&desk, &["devices"]).1.contains("kitchen") {
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(100));
    }
    let (done, _, err) = ctl(&desk, &["device", "cellar"]);
    assert!(!done && err.contains("There is no player “cellar”"), "{err}");
    let (done, said, err) = ctl(&desk, &["device", "kitchen"]);
    assert!(done && said == "Plays on kitchen.", "{said} {err}");
    let list = ctl(&desk, &["devices"]).1;
    assert!(list.contains("▶ kitchen  plays Kettle Hours"), "{list}");
    assert!(speaker.end());
    let here = until(&desk, "the queue here", |s| s["device"] == Value::Null);
    assert_eq!((&here["track"]["title"], &here["state"]), (&"Kettle Hours".into(), &"paused".into()));
    screens.wait_for("kitchen is gone");
    assert!(ctl(&desk, &["quit"]).0);
    assert!(screens.ended());
    drop(server);
}

#[test]
fn who_leaves_the_screens_drives_the_speaker_on() {
    let house = House::new();
    let _server = house.serve();
    let (kitchen, desk) = (Home::new(), Home::new());
    let speaker = house.speaker(&kitchen);
    let mut screens = house.player(&desk);
    assert!(ctl(&desk, &["play", "kettle"]).0);
    until(&desk, "sound", |s| s["state"] == "playing");
    // A private session tells nobody what plays: neither there nor from here.
    assert!(ctl(&kitchen, &["private", "on"]).0);
    let began = Instant::now();
    while !ctl(&desk, &["devices"]).1.contains("kitchen  a private session") {
        assert!(began.elapsed() < PATIENCE, "{}", ctl(&desk, &["devices"]).1);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(ctl(&kitchen, &["private", "off"]).0);
    assert!(ctl(&desk, &["private", "on"]).0);
    let (done, _, err) = ctl(&desk, &["device", "kitchen"]);
    assert!(!done && err.contains("private session"), "{err}");
    assert!(ctl(&desk, &["private", "off"]).0);
    assert!(ctl(&desk, &["device", "kitchen"]).0);
    until(&kitchen, "sound in the kitchen", |s| s["state"] == "playing");
    screens.keys("Q");
    assert!(screens.ended());
    until(&desk, "the player without a screen", |s| s["device"] == "kitchen" && s["state"] == "playing");
    assert!(ctl(&desk, &["pause"]).0);
    until(&kitchen, "a pause", |s| s["state"] == "paused");
    assert!(ctl(&desk, &["quit"]).0);
    assert_eq!(
        until(&kitchen, "the speaker alone", |s| s["state"] == "paused")["track"]["title"],
        "Kettle Hours"
    );
    assert!(speaker.end());
}

#[test]
fn a_device_needs_a_server_and_a_name() {
    let home = Home::new();
    let output = home.command(&["play", "--device", "kitchen"]).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && err.contains("--server URL"), "{err}");
    let output =
        home.command(&["play", "--device", "here", "--server", "http://127.0.0.1:1"]).output().unwrap();
    assert!(!output.status.success());
}

/// The body of an answer of this machine.
fn get(url: &str) -> String {
    use std::io::{Read, Write};
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut socket = std::net::TcpStream::connect(host).unwrap();
    write!(socket, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}
