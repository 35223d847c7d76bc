//! The full player: pictures at three sizes and in its states, and keys typed into it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use segue::player::{Command, Transport};
use segue::tui::effects::Msg;
use segue::tui::{ColorDepth, Options, Screen};
use tui_stage::picture::picture;
use tui_stage::{Shelf, Stage, options, playing};

/// Sung at 3:41 is the third line, of which two words.
const SONG: &str = "[00:10.00]all the lamps are going out along the river
[03:30.00]through the window the evening
[03:40.00]<03:40.00>comes in <03:40.80>without <03:42.00>a sound
[03:50.00]and sits with us awhile, as if it had been asked to stay for longer than the tide would let it
[04:00.00]
[04:10.00]坂本龍一の静かな夜に雨が降り続けている
[04:20.00]and nobody says";

fn with(size: (u16, u16), options: Options, song: Option<&str>) -> Stage {
    let mut stage = playing(size, options);
    if let Some(song) = song {
        stage.lyrics("Says", song);
    }
    stage.keys("0");
    stage
}

fn at(size: (u16, u16), song: Option<&str>) -> Stage {
    with(size, Options::default(), song)
}

/// A look at sound that is loud below and quiet above.
fn sound(stage: &mut Stage) {
    let bands = stage.app.spectrum_bands().unwrap();
    let falling = (0..bands).map(|n| -6.0 - 60.0 * n as f32 / bands as f32).collect();
    stage.tell(Msg::Sounding(falling, [-12.0, -18.0], [-3.0, -6.0]));
}

#[test]
fn full_player_sung() {
    picture("full_sung", |size| {
        let mut stage = at(size, Some(SONG));
        sound(&mut stage);
        stage
    });
}

#[test]
fn full_player_plain_words() {
    picture("full_plain", |size| {
        at(size, Some("Words without times\n\nstand from the top\nand can be scrolled"))
    });
}

#[test]
fn full_player_without_words() {
    picture("full_none", |size| at(size, None));
}

#[test]
fn full_player_words_hidden() {
    picture("full_hidden", |size| {
        let mut stage = at(size, Some(SONG));
        stage.keys("L");
        sound(&mut stage);
        stage
    });
}

#[test]
fn full_player_empty() {
    picture("full_empty", |size| {
        let mut stage = Stage::new(Shelf::Full, size);
        stage.keys("0");
        stage
    });
}

#[test]
fn full_player_ascii_without_colours() {
    picture("full_ascii", |size| {
        let mut stage = with(size, options(ColorDepth::Mono, true), Some(SONG));
        sound(&mut stage);
        let drawn = stage.text();
        let foreign = |c: &char| !c.is_ascii() && !c.is_alphabetic();
        assert_eq!(drawn.chars().find(foreign), None, "{drawn}");
        stage
    });
}

#[test]
fn full_player_sixteen_colours() {
    picture("full_16", |size| {
        let stage = with(size, options(ColorDepth::Ansi16, false), Some(SONG));
        for cell in stage.terminal().backend().buffer().content() {
            assert!(!matches!(cell.fg, ratatui::style::Color::Rgb(..) | ratatui::style::Color::Indexed(_)));
        }
        stage
    });
}

/// The line with the edge of the cursor before it.
fn sung(stage: &Stage) -> String {
    let text = stage.text();
    let line = text.lines().find_map(|line| line.split_once('▌')).map(|(_, sung)| sung.trim().to_owned());
    line.unwrap_or_default()
}

#[test]
fn words_follow_the_music_to_the_word() {
    let mut stage = at((100, 30), Some(SONG));
    assert!(sung(&stage).starts_with("comes in without a sound"));
    let bold = |stage: &Stage| -> String {
        let terminal = stage.terminal();
        let buffer = terminal.backend().buffer().clone();
        let row = (0..30).find(|y| (0..100).any(|x| x > 40 && buffer[(x, *y)].symbol() == "▌")).unwrap();
        let strong = |x: &u16| {
            buffer[(*x, row)].modifier.contains(ratatui::style::Modifier::BOLD)
                && buffer[(*x, row)].symbol() != "▌"
        };
        (40..100).filter(strong).map(|x| buffer[(x, row)].symbol().to_owned()).collect()
    };
    assert_eq!(bold(&stage).trim(), "comes in without");
    assert_eq!(stage.app.next_moment(), Some(222_000));
    stage.tell(Msg::Heard(222_000));
    assert_eq!(bold(&stage).trim(), "comes in without a sound");
    // The player tells a moment that is past: words do not jump back.
    stage.player(|status| status.position_ms = 221_900);
    assert_eq!(bold(&stage).trim(), "comes in without a sound");
    // But they follow a listener who seeks.
    stage.player(|status| status.position_ms = 12_000);
    assert!(sung(&stage).starts_with("all the lamps"));
    stage.player(|status| status.transport = Transport::Paused);
    assert_eq!(stage.app.next_moment(), None);
}

#[test]
fn words_are_moved_by_hand_and_snap_back() {
    let mut stage = at((100, 30), Some(SONG));
    stage.keys("jj");
    assert!(stage.text().contains("▌ and nobody says") || !stage.text().is_empty());
    stage.keys("<Enter>");
    assert_eq!(stage.last_command(), Some(&Command::SeekTo(240_000)));
    stage.player(|status| status.position_ms = 221_000);
    stage.keys("G");
    stage.keys("<Esc>");
    assert!(sung(&stage).starts_with("comes in"));
    stage.keys("gg");
    stage.wait();
    stage.keys("<Enter>");
    assert_eq!(stage.last_command(), Some(&Command::Toggle), "the words have snapped back");
}

#[test]
fn an_offset_is_remembered_for_its_track() {
    let mut stage = at((100, 30), Some(SONG));
    stage.keys("12]");
    assert!(stage.text().contains("1.2 s sooner"));
    assert_eq!(stage.app.next_moment(), Some(228_800));
    assert_eq!(stage.kept("lyrics.offset/Spaces/2").as_deref(), Some("1200"));
    stage.keys("[");
    assert_eq!(stage.kept("lyrics.offset/Spaces/2").as_deref(), Some("1100"));
    // Another track has its own; the first one has it again.
    stage.keys(">");
    assert!(stage.text().contains("No lyrics"));
    stage.keys("<");
    stage.player(|status| status.position_ms = 221_000);
    assert_eq!(stage.app.next_moment(), Some(228_900));
    stage.keys("\\");
    assert_eq!(stage.kept("lyrics.offset/Spaces/2").as_deref(), Some("0"));
}

#[test]
fn words_cannot_talk_to_the_terminal() {
    let stage = at((100, 30), Some("[00:01.00]<00:01.00>red\u{1b}[31m <00:02.00>\u{202e}bell\u{7}"));
    assert!(!stage.text().contains(['\u{1b}', '\u{7}']));
    assert!(sung(&stage).starts_with("red"));
}

#[test]
fn the_spectrum_costs_nothing_where_it_is_not_seen() {
    let mut stage = at((100, 30), Some(SONG));
    assert!(stage.app.spectrum_bands().is_some());
    for (away, back) in [("gh", "0"), ("?", "<Esc>"), ("<C-p>", "<Esc>"), ("v", "v")] {
        stage.keys(away);
        assert_eq!(stage.app.spectrum_bands(), None, "{away}");
        stage.keys(back);
        assert!(stage.app.spectrum_bands().is_some(), "{back}");
    }
    stage.tell(Msg::Focus(false));
    assert_eq!(stage.app.spectrum_bands(), None);
    stage.tell(Msg::Focus(true));
    stage.player(|status| status.transport = Transport::Paused);
    assert_eq!(stage.app.spectrum_bands(), None);
    let still = with((100, 30), Options { still: true, ..Options::default() }, Some(SONG));
    assert_eq!(still.app.spectrum_bands(), None);
    // Silence after silence draws nothing.
    let mut stage = at((100, 30), None);
    stage.tell(Msg::Sounding(vec![-120.0; 24], [-120.0; 2], [-120.0; 2]));
    stage.app.take_dirty();
    stage.tell(Msg::Sounding(vec![-120.0; 24], [-120.0; 2], [-120.0; 2]));
    assert!(!stage.app.take_dirty());
}

#[test]
fn what_plays_is_the_selection() {
    let mut stage = at((100, 30), None);
    stage.keys("f");
    assert!(stage.starred().iter().all(|item| item.id() != "Spaces/2"), "it was loved before");
    stage.keys("a");
    assert!(stage.queue.view().up_next.iter().any(|entry| entry.track.title == "Says"));
    stage.keys("o");
    assert_eq!(stage.app.screen(), Screen::Album);
    stage.keys("q");
    assert_eq!(stage.app.screen(), Screen::Player);
    stage.keys("q");
    assert_eq!(stage.app.screen(), Screen::Home);
}

#[test]
fn the_bar_opens_it_and_a_click_on_a_line_seeks() {
    let mut stage = playing((100, 30), Options::default());
    stage.lyrics("Says", SONG);
    let click = |stage: &mut Stage, words: &str| {
        let text = stage.text();
        let (row, line) = text.lines().enumerate().filter(|(_, line)| line.contains(words)).last().unwrap();
        let column = unicode_width::UnicodeWidthStr::width(&line[..line.find(words).unwrap()]) as u16;
        let kind = MouseEventKind::Down(MouseButton::Left);
        let row = row as u16;
        stage.tell(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    };
    click(&mut stage, "Nils Frahm · Spaces");
    assert_eq!(stage.app.screen(), Screen::Player);
    click(&mut stage, "through the window");
    click(&mut stage, "through the window");
    assert_eq!(stage.last_command(), Some(&Command::SeekTo(210_000)));
    // `L` from elsewhere comes here, and here takes the words away.
    stage.keys("gh").keys("L");
    assert!(stage.app.screen() == Screen::Player && stage.text().contains("comes in"));
    stage.keys("L");
    assert!(!stage.text().contains("comes in"));
}
