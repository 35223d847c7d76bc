//! The running player driven from outside: `segue ctl` against a player in a terminal and one without a screen.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use program::{Home, PATIENCE, Terminal};
use serde_json::Value;

fn ctl(home: &Home, args: &[&str]) -> (bool, String, String) {
    let all: Vec<&str> = std::iter::once("ctl").chain(args.iter().copied()).collect();
    let output = home.command(&all).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// Ends what a failed test would leave behind.
struct Quit<'a>(&'a Home);

impl Drop for Quit<'_> {
    fn drop(&mut self) {
        ctl(self.0, &["quit"]);
    }
}

fn status(home: &Home) -> Option<Value> {
    let (done, out, _) = ctl(home, &["status", "--json"]);
    let answer: Value = serde_json::from_str(&out).ok().filter(|_| done)?;
    Some(answer["status"].clone())
}

/// Waits until the player says so.
fn until(home: &Home, what: &str, test: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    let mut last = None;
    while began.elapsed() < PATIENCE {
        last = status(home);
        if let Some(status) = last.as_ref().filter(|status| test(status)) {
            return status.clone();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("waited in vain for {what}: {last:?}\n{}", home.log());
}

#[test]
fn without_a_player_it_says_what_to_do() {
    let home = Home::new();
    let (done, out, err) = ctl(&home, &["next"]);
    assert!(!done && out.is_empty());
    assert_eq!(err, "segue: no player is running; start one with `segue`");
}

#[test]
fn a_player_with_screens_obeys_and_one_without_goes_on_in_its_place() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[], (100, 30));
    terminal.wait_for("4 tracks");
    let _quit = Quit(&home);
    let began = Instant::now();
    while !ctl(&home, &["search", "first", "light"]).1.contains("First Light") && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
    }
    let (done, said, err) = ctl(&home, &["play", "first", "light"]);
    assert!(done && said.starts_with("Plays First Light"), "{said} {err}");
    let playing = until(&home, "sound", |s| s["state"] == "playing" && s["positionMs"].as_u64() > Some(500));
    assert_eq!(playing["track"]["title"], "First Light");

    // The whole language of the `:` line, as far as it needs no screen.
    assert!(ctl(&home, &["volume", "40"]).0);
    assert!(ctl(&home, &["volume", "-10"]).0);
    assert_eq!(ctl(&home, &["star"]).1, "Loves First Light.");
    assert!(ctl(&home, &["repeat", "all"]).0);
    let told = until(&home, "what was asked for", |s| s["volume"] == 30 && s["repeat"] == "all");
    assert_eq!(told["loved"], true);
    assert!(ctl(&home, &["add", "kettle"]).1.starts_with("Added Kettle Hours"));
    assert!(ctl(&home, &["queue"]).1.contains("+ "), "{}", ctl(&home, &["queue"]).1);
    let line = ctl(&home, &["status", "--format", "{icon} {title} {volume}"]);
    assert_eq!(line.1, "▶ First Light 30");
    assert!(ctl(&home, &["search", "dew"]).1.contains("Dew on Strings"));
    let (done, _, err) = ctl(&home, &["half-down"]);
    assert!(!done && err.contains("screens only"), "{err}");
    let (done, _, err) = ctl(&home, &["volume", "400"]);
    assert!(!done && err.contains("0 to 100"), "{err}");
    let (done, _, err) = ctl(&home, &["--format", "{tempo}"]);
    assert!(!done && err.contains("there is no {tempo}"), "{err}");

    // Nobody but the listener may open the socket.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(home.path().join("run/segue/player.sock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    }

    // Q leaves the screens; the music goes on at the same place in a process of its own.
    let before = until(&home, "the place", |s| s["positionMs"].as_u64() > Some(1_500));
    terminal.keys("Q");
    assert!(terminal.ended(), "the screens end");
    let after = until(&home, "the player without a screen", |s| s["state"] == "playing");
    assert_eq!(after["track"]["title"], "First Light");
    assert!(after["positionMs"].as_u64() >= before["positionMs"].as_u64(), "{before} {after}");
    assert_eq!(after["volume"], 30);
    until(&home, "going on", |s| s["positionMs"].as_u64() > after["positionMs"].as_u64());

    // Opened again, the screens take over, and there is one player at the end.
    let mut again = Terminal::start(&home, &["--output", "silent"], &[], (100, 30));
    again.wait_for("First Light");
    let on = until(&home, "the screens' player", |s| {
        s["state"] == "playing" && s["track"]["title"] == "First Light"
    });
    assert!(on["positionMs"].as_u64() >= after["positionMs"].as_u64(), "{after} {on}");
    assert!(ctl(&home, &["quit"]).0);
    assert!(again.ended(), "quit ends the screens");
    assert!(!ctl(&home, &["status"]).0, "nobody is left");
}

#[test]
fn followers_hear_of_every_change() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[], (100, 30));
    terminal.wait_for("4 tracks");
    let mut follower = home.command(&["ctl", "follow", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["status"]["volume"], 80);
    assert!(ctl(&home, &["volume", "33"]).0);
    assert_eq!(next()["status"]["volume"], 33);
    assert!(ctl(&home, &["shuffle", "on"]).0);
    assert_eq!(next()["status"]["shuffle"], true);
    assert!(ctl(&home, &["quit"]).0);
    assert!(terminal.ended());
    follower.wait().unwrap();
}
