//! Every action can be had in four ways: by a key, by the palette, by the `:` line, and with the mouse alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use segue::tui::Options;
use segue::tui::action::{self, Takes};
use segue::tui::effects::Msg;
use segue::tui::keymap::{Keymap, Layer, PRESETS};
use tui_stage::{Stage, playing};

fn mouse(stage: &mut Stage, kind: MouseEventKind, column: u16, row: u16) {
    stage.tell(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
}

fn click(stage: &mut Stage, column: u16, row: u16) {
    mouse(stage, MouseEventKind::Down(MouseButton::Left), column, row);
}

/// Where words stand on the screen: column (in cells) and row.
fn find(stage: &Stage, words: &str) -> Option<(u16, u16)> {
    stage.text().lines().enumerate().find_map(|(row, line)| {
        let at = line.find(words)?;
        Some((unicode_width::UnicodeWidthStr::width(&line[..at]) as u16, row as u16))
    })
}

/// What has to be written after a name to make it whole.
fn example(takes: Takes) -> &'static str {
    match takes {
        Takes::Nothing
        | Takes::MaybeText(_)
        | Takes::MaybeOf(..)
        | Takes::MaybeWord(_)
        | Takes::MaybeNumberOrWord(..) => "",
        Takes::Text(_) => "home",
        Takes::Number(..) => "3",
        Takes::Position => "1:23",
        Takes::Seconds => "-5",
        Takes::Word(words) => words[0],
    }
}

fn stage() -> Stage {
    playing((100, 30), Options { profiles: vec!["home".to_owned()], ..Options::default() })
}

#[test]
fn by_key_in_every_preset() {
    for (name, text) in PRESETS {
        let map = Keymap::from_toml(text).unwrap();
        let layers = [
            Layer::Everywhere,
            Layer::Home,
            Layer::Library,
            Layer::Search,
            Layer::Queue,
            Layer::Album,
            Layer::Downloads,
            Layer::Player,
            Layer::Mix,
            Layer::Playlists,
            Layer::Playlist,
            Layer::Statistics,
            Layer::Settings,
            Layer::Log,
            Layer::Artist,
            Layer::Details,
            Layer::Doctor,
            Layer::Year,
            Layer::Insights,
            Layer::Privacy,
        ];
        for spec in action::table() {
            let asked = format!("command {}", spec.name);
            let bound = layers.iter().flat_map(|layer| map.bindings(*layer));
            assert!(
                bound.into_iter().any(|b| b.spec.name == spec.name || b.command == asked),
                "{name} has no key for {}",
                spec.name
            );
        }
    }
}

#[test]
fn by_the_line() {
    for spec in action::table() {
        let line = format!("{} {}", spec.name, example(spec.takes));
        let (found, _) = action::parse(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(found.name, spec.name);
        let mut stage = stage();
        stage.keys(":").keys(line.trim()).keys("<Enter>");
        assert!(!stage.text().contains("There is no command"), "{line}");
    }
}

#[test]
fn by_the_palette() {
    for spec in action::table() {
        let mut stage = stage();
        stage.keys("<C-p>");
        stage.keys(spec.name);
        let shown = stage.text();
        let row = format!("▌ {}", spec.name);
        assert!(shown.contains(&row), "{}: {shown}", spec.name);
        stage.keys("<Enter>");
        assert!(!stage.text().contains("There is no command"), "{}", spec.name);
    }
}

/// The palette opened with the mouse and rolled on by so many notches.
fn rolled(turns: usize) -> Stage {
    let mut stage = stage();
    click(&mut stage, 4, 0);
    for _ in 0..turns {
        mouse(&mut stage, MouseEventKind::ScrollDown, 50, 10);
    }
    stage
}

#[test]
fn by_the_mouse_alone() {
    let mut wanted: Vec<&str> = action::table().iter().map(|spec| spec.name).collect();
    for turns in 0..120 {
        let stage = rolled(turns);
        assert!(stage.text().contains("Any action"));
        let here = |name: &str| {
            let row = format!(" {name} ");
            find(&stage, &row)
        };
        let (found, rest): (Vec<&str>, Vec<&str>) = wanted.into_iter().partition(|name| here(name).is_some());
        wanted = rest;
        for name in found {
            let (x, y) = here(name).unwrap();
            let mut stage = rolled(turns);
            click(&mut stage, x + 1, y);
            assert!(name == "palette" || !stage.text().contains("Any action"), "{name}");
        }
    }
    assert!(wanted.is_empty(), "not in the palette: {wanted:?}");
}

#[test]
fn rows_menus_the_bar_and_the_hints_answer_to_the_mouse() {
    let mut stage = stage();
    stage.keys("gl");
    let (x, y) = find(&stage, "Björk").unwrap();
    click(&mut stage, x, y);
    let (x, y) = find(&stage, "Homogenic").unwrap();
    mouse(&mut stage, MouseEventKind::Down(MouseButton::Right), x, y);
    assert!(stage.text().contains("shuffle-play"), "{}", stage.text());
    let (x, y) = find(&stage, "enqueue-next").unwrap();
    click(&mut stage, x, y);
    assert!(stage.queue.view().up_next.iter().any(|e| e.track.album == "Homogenic"));
    // Half way along the bar, half way through the track.
    let (x, y) = find(&stage, "━").unwrap();
    click(&mut stage, x + 30, y);
    assert!(matches!(stage.last_command(), Some(segue::player::Command::SeekTo(ms)) if *ms > 60_000));
    let (x, y) = find(&stage, "Queue").unwrap();
    click(&mut stage, x, y);
    assert_eq!(stage.app.screen(), segue::tui::Screen::Queue);
    mouse(&mut stage, MouseEventKind::ScrollDown, 10, 10);
    stage.keys("<Esc>");
    let (x, y) = find(&stage, "keys").unwrap();
    click(&mut stage, x, y);
    assert!(stage.text().contains("Keys on Queue"));
}
