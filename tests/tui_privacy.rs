//! The page on privacy: what it says, its switches, the copy, and the end that is typed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use segue::client::Connection;
use segue::music::Purpose;
use segue::player::Command;
use segue::tui::effects::Msg;
use segue::tui::{Options, Screen};
use tui_stage::picture::picture;
use tui_stage::{Stage, playing, sees, sees_not};

const SIZE: (u16, u16) = (100, 32);

fn stage() -> Stage {
    playing(SIZE, Options::default())
}

fn click(stage: &mut Stage, column: u16, row: u16) {
    let kind = MouseEventKind::Down(MouseButton::Left);
    stage.tell(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
}

fn allows(stage: &Stage, purpose: Purpose) -> bool {
    stage.wait_for(stage.props.library.allows(purpose)).unwrap()
}

#[test]
fn the_page_on_privacy_says_what_is_kept_and_switches_each_use() {
    let mut stage = stage();
    stage.keys("gP");
    assert_eq!(stage.app.screen(), Screen::Privacy);
    for words in [
        "Keep what you hear",
        "Mixes and recommendations",
        "Ads chosen for you",
        "Operator's statistics",
        "off until you agree",
        "on by default",
        "Every play is kept with its time",
        "On this machine:",
        "plays",
    ] {
        sees(&stage, words);
    }
    // Enter and Space do the same.
    stage.keys("<Enter>");
    assert!(!allows(&stage, Purpose::History));
    sees(&stage, "waits for the server");
    stage.keys("jjj<Space>");
    assert!(allows(&stage, Purpose::Analytics));
    sees(&stage, "Your plays are counted in the figures");
    stage.keys("<Space>");
    assert!(!allows(&stage, Purpose::Analytics));
    // The line does it from anywhere.
    stage.keys("gh:purpose history on<Enter>");
    assert!(allows(&stage, Purpose::History));
    stage.keys(":purpose world on<Enter>");
    sees(&stage, "also personalisation, personalAds, analytics");
}

#[test]
fn the_page_on_privacy_is_reached_by_line_and_palette_and_a_click_selects_and_switches() {
    let mut stage = stage();
    stage.keys(":privacy<Enter>");
    assert_eq!(stage.app.screen(), Screen::Privacy);
    stage.keys("q<C-p>what is kept<Enter>");
    assert_eq!(stage.app.screen(), Screen::Privacy);
    let at = |stage: &Stage, words: &str| -> (u16, u16) {
        let text = stage.text();
        let y = text.lines().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{text}"));
        (8, y as u16)
    };
    let (x, y) = at(&stage, "Ads chosen for you");
    click(&mut stage, x, y);
    assert!(!allows(&stage, Purpose::PersonalAds), "the first click selects");
    click(&mut stage, x, y);
    assert!(allows(&stage, Purpose::PersonalAds));
    let (x, y) = at(&stage, "Private session");
    click(&mut stage, x, y);
    click(&mut stage, x, y);
    assert!(stage.commands.iter().any(|command| matches!(command, Command::Private(true))));
}

#[test]
fn nothing_ends_by_a_key_alone_and_a_password_is_never_shown() {
    let mut stage = stage();
    stage.keys("gPGk<Enter>");
    sees(&stage, ":erase");
    stage.keys("<Enter>");
    sees(&stage, ":erase");
    stage.keys("<Esc><Esc>");
    stage.keys(":erase everything<Enter>");
    sees(&stage, "Password, to erase everything:");
    stage.keys("hunter2");
    sees_not(&stage, "hunter2");
    stage.keys("<Enter>");
    // The stage has no server.
    sees(&stage, "There is no server here that could do that.");
    // An empty password means nothing to erase by.
    stage.keys("<Esc>:erase everything<Enter><Enter>");
    assert!(!stage.text().contains("There is no server here"), "{}", stage.text());
    stage.keys(":<Up>");
    assert!(!stage.text().contains("hunter2"), "it is in no history");
}

#[test]
fn without_the_server_decisions_wait_and_erasing_says_why_not() {
    let mut stage = stage();
    let offline = Connection::Offline { since: 0, why: "refused".into() };
    stage.session(|session| session.connection = offline);
    stage.keys("gP");
    sees(&stage, "Without the server; what you change here waits for it");
    stage.keys("j<Enter>");
    sees(&stage, "Without the server; 1 decision waits for it");
    stage.keys(":erase everything<Enter>");
    sees(&stage, "The server cannot be reached");
    // A copy of what this player keeps needs nobody.
    stage.keys("<Esc>:export /tmp/nowhere.zip<Enter>");
    assert!(!stage.text().contains("Password"), "{}", stage.text());
}

#[test]
fn a_closed_account_says_until_when_it_may_return_and_what_the_server_keeps() {
    let closed = |size| {
        let mut stage = playing(size, Options::default());
        let counts =
            vec![("plays".to_owned(), 1_204), ("playlists".to_owned(), 1), ("accounts".to_owned(), 1)];
        // 8 December 2026.
        *stage.props.kept_there.lock().unwrap() = Some((counts, Some(1_796_720_400_000)));
        let why = "the server refused the login: this account is to be erased".to_owned();
        stage.session(|session| session.connection = Connection::Offline { since: 0, why });
        stage.keys("gPG");
        stage
    };
    let mut stage = closed(SIZE);
    sees(&stage, "This account is closed, and erased 8 Dec 2026");
    sees(&stage, "On the server: 1,204 plays, 1 playlist");
    sees(&stage, ":erase back, until 8 Dec 2026");
    // To come back needs no connection that looks like one.
    stage.keys(":erase back<Enter>");
    sees(&stage, "Password, to stay:");
    picture("closed_privacy", closed);
}
