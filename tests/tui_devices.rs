//! Playing on another player, as the screens show it: the list of players, and the bar while one of them plays.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use segue::player::Command;
use segue::tui::Options;
use segue::tui::effects::Place;
use segue::tui::keymap::{Keymap, Layer};
use tui_stage::picture::picture;
use tui_stage::{Stage, playing, sees, sees_not};

fn place(id: &str, name: &str, chosen: bool, online: bool, about: &str) -> Place {
    Place { id: id.to_owned(), name: name.to_owned(), chosen, online, about: about.to_owned() }
}

fn with_players(size: (u16, u16)) -> Stage {
    let stage = playing(size, Options::default());
    *stage.props.players.places.lock().unwrap() = vec![
        place("here", "this machine", true, true, "plays Jóga"),
        place("1f", "kitchen", false, true, "silent"),
        place("2f", "Wohnzimmer 🎵 日本", false, true, "plays Dew on Strings\u{1b}[31m"),
        place("3f", "attic", false, false, "not on"),
    ];
    stage
}

fn elsewhere(size: (u16, u16)) -> Stage {
    let mut stage = with_players(size);
    stage.player(|status| {
        status.elsewhere = Some("kitchen".to_owned());
        status.volume = 35;
        status.buffered.clear();
    });
    stage
}

#[test]
fn the_players_that_there_are() {
    picture("devices", |size| {
        let mut stage = with_players(size);
        stage.keys("gc");
        stage
    });
}

#[test]
fn the_bar_while_another_one_plays() {
    picture("device_bar", elsewhere);
}

#[test]
fn one_is_chosen_by_keys_words_and_mouse() {
    let chosen = |stage: &Stage| std::mem::take(&mut *stage.props.players.chosen.lock().unwrap());
    let mut stage = with_players((100, 30));
    stage.keys("gc<Down><Enter>");
    assert_eq!(chosen(&stage), ["1f"]);
    sees(&stage, "Plays on kitchen.");
    // By a few letters, and one that is not on.
    stage.keys("gcattic<Enter>");
    assert_eq!(chosen(&stage), ["3f"]);
    sees(&stage, "attic is not on, so the music stays where it is.");
    // On the line.
    stage.keys(":device kitchen<Enter>");
    assert_eq!(chosen(&stage), ["kitchen"]);
    stage.keys(":device cellar<Enter>");
    sees(&stage, "There is no player “cellar”");
    stage.keys(":devices<Enter>");
    sees(&stage, "Play on…");
    let text = stage.text();
    let row = text.lines().position(|line| line.contains("kitchen")).unwrap();
    stage.click(20, u16::try_from(row).unwrap());
    assert_eq!(chosen(&stage), ["kitchen", "cellar", "1f"][1..]);
    // Nothing is chosen by leaving.
    stage.keys("gc<Esc>");
    sees_not(&stage, "Play on…");
    assert!(chosen(&stage).is_empty());
}

#[test]
fn the_bar_opens_the_list_and_keys_go_to_whoever_plays() {
    let mut stage = elsewhere((100, 30));
    let text = stage.text();
    let (row, line) = text.lines().enumerate().find(|(_, line)| line.contains("on kitchen")).unwrap();
    let column = line.split("on kitchen").next().unwrap().chars().count();
    stage.click(u16::try_from(column + 1).unwrap(), u16::try_from(row).unwrap());
    sees(&stage, "Wohnzimmer");
    stage.keys("<Esc>");
    stage.commands.clear();
    stage.keys("<Space>>+");
    assert_eq!(stage.commands, [Command::Toggle, Command::Next, Command::VolumeBy(5)]);
    // What is about the sound of this machine says so.
    stage.commands.clear();
    stage.keys("eb");
    sees(&stage, "The music plays on kitchen");
    stage.keys("gi");
    assert!(stage.commands.is_empty());
    // Shown at once, although no position moved.
    stage.keys("<Esc><Esc>");
    sees(&stage, "on kitchen");
    stage.player(|status| status.elsewhere = None);
    sees_not(&stage, "on kitchen");
}

#[test]
fn nobody_else_and_nobody_who_knows() {
    let mut stage = playing((100, 30), Options::default());
    stage.keys("gc");
    sees(&stage, "This server knows no other players");
    *stage.props.players.places.lock().unwrap() = vec![place("here", "this machine", true, true, "silent")];
    stage.keys("gc");
    sees(&stage, "segue play --device NAME");
}

#[test]
fn the_open_list_follows_what_players_do() {
    let mut stage = with_players((100, 30));
    stage.keys("gc<Down>");
    sees(&stage, "silent");
    stage.props.players.places.lock().unwrap()[1].about = "plays Says".to_owned();
    stage.wait();
    sees(&stage, "plays Says");
    // One more before it: the cursor stays where it was.
    stage.props.players.places.lock().unwrap().insert(1, place("0f", "bath", false, true, "silent"));
    stage.wait();
    stage.keys("<Enter>");
    assert_eq!(*stage.props.players.chosen.lock().unwrap(), ["1f"]);
    // Closed, it asks no more.
    stage.wait();
    sees_not(&stage, "Play on…");
}

#[test]
fn every_preset_has_keys_for_it() {
    for preset in ["vim", "emacs", "cmus", "ncmpcpp"] {
        let text = std::fs::read_to_string(format!("assets/keymap/{preset}.toml")).unwrap();
        let map = Keymap::from_toml(&text).unwrap();
        for command in ["devices", "command device"] {
            assert!(map.keys_for(Layer::Home, command).is_some(), "{preset}: {command}");
        }
    }
}
