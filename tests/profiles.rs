//! Several servers in one run of the real program, in a real terminal.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use program::{Home, Terminal};

#[test]
fn changes_over_to_another_server_and_back_without_a_restart() {
    let home = Home::new();
    let profiles = r#"{ work = { server = "http://localhost:1", user = "ann" } }"#;
    let extra = [("SEGUE_PROFILES", profiles), ("SEGUE_PASSWORD", "secret")];
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &extra, (100, 30));
    terminal.wait_for("this computer");
    terminal.wait_for("online");
    terminal.keys(":server moon\r");
    terminal.wait_for("There is no profile “moon”; there are: work, default, home.");
    terminal.keys(":server work\r");
    terminal.wait_for("localhost:1");
    terminal.wait_for("offline");
    terminal.keys(":server home\r");
    terminal.wait_for("this computer");
    terminal.wait_for("online");
    terminal.keys(":quit\r");
    assert!(terminal.ended(), "{}", terminal.screen());
    assert!(terminal.restored());
}

#[test]
fn an_unknown_profile_is_said() {
    let home = Home::new();
    let output = home.command(&["search", "x", "--profile", "moon"]).output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("there is no profile “moon”; there are: default, home"), "{error}");
}
