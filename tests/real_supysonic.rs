//! The player against a real Supysonic 0.7.9: a Subsonic server that is not OpenSubsonic, does not know token
//! authentication, and writes numbers where strings should be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;
mod supysonic;

use program::{Home, Terminal, position};
use supysonic::Supysonic;

fn supysonic() -> Option<Supysonic> {
    Supysonic::over_tones(&["Ut queant", "Resonare", "Mira gestorum"], 10)
}

#[test]
fn syncs_and_searches() {
    let Some(server) = supysonic() else { return };
    let home = Home::new();
    let output = home
        .command(&["search", "resonare", "--json", "--server", &server.url(), "--user", "guido"])
        .env("SEGUE_PASSWORD", "hexachord")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let hits: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(hits["tracks"][0]["title"], "Resonare");
    assert_eq!(hits["tracks"][0]["album"], "Micrologus");
    assert_eq!(hits["tracks"][0]["number"], 2);
}

#[test]
fn a_wrong_password_is_said_in_one_sentence() {
    let Some(server) = supysonic() else { return };
    let home = Home::new();
    let output = home
        .command(&["search", "resonare", "--server", &server.url(), "--user", "guido"])
        .env("SEGUE_PASSWORD", "not it")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("password"), "{error}");
    assert!(!error.contains("not it"), "the password stands in the output: {error}");
}

#[test]
fn browses_plays_stars_and_lives_on_without_it() {
    let Some(mut server) = supysonic() else { return };
    let home = Home::new();
    let url = server.url();
    let args = ["--server", &url, "--user", "guido", "--output", "silent"];
    let mut terminal = Terminal::start(&home, &args, &[("SEGUE_PASSWORD", "hexachord")], (100, 30));
    terminal.wait_for("Micrologus");
    terminal.keys("/");
    terminal.keys("\u{1b}");
    terminal.keys(":search\r");
    terminal.keys("mira");
    terminal.wait_for("Mira gestorum");
    terminal.keys("\r");
    let playing = terminal.wait("the position to advance", |s| position(s).is_some_and(|p| p >= 2));
    assert!(playing.contains("Mira gestorum"), "{playing}");
    // Ten seconds of FLAC are here by now; the server may go.
    server.gone();
    let first = position(&playing).unwrap();
    terminal.wait("playing on", |s| position(s).is_some_and(|p| p >= first + 2));
    terminal.wait_for("offline");
    terminal.keys("\u{1b}");
    drop(terminal);
    // A start without the server: the catalog and the track are here.
    let mut terminal = Terminal::start(&home, &args, &[("SEGUE_PASSWORD", "hexachord")], (100, 30));
    terminal.wait_for("offline");
    terminal.keys(":search\r");
    terminal.keys("mira");
    terminal.wait_for("Mira gestorum");
    terminal.keys("\r");
    terminal.wait("sound from the store", |s| position(s).is_some_and(|p| p >= 1));
}
