//! Settings and the log: pictures at three sizes, and keys typed into them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use segue::tui::{Options, Screen, Setting};
use tui_stage::picture::picture;
use tui_stage::playing;

fn set(name: &str, value: &str, from: &str, about: &str) -> Setting {
    let env = format!("SEGUE_{}", name.to_uppercase());
    Setting { name: name.into(), value: value.into(), from: from.into(), about: about.into(), env }
}

fn with_settings() -> Options {
    let settings = vec![
        set("server", "https://music.example.org", "config.toml", "Address of the server to listen to."),
        set("cache_gb", "20.0", "default", "Size limit of the track cache in gigabytes. Default: 20."),
        set("theme", "vinyl", "SEGUE_THEME", "Theme, by name; T in the player shows them all."),
        set("crossfade", "0", "default", "Seconds for which two tracks sound together. Default: 0."),
    ];
    Options { settings, ..Options::default() }
}

#[test]
fn settings() {
    picture("settings", |size| {
        let mut stage = playing(size, with_settings());
        stage.keys("g,j");
        stage
    });
}

#[test]
fn log() {
    picture("log", |size| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("segue.log");
        let lines: Vec<String> = (0..40)
            .map(|n| {
                let level = if n % 9 == 8 { " WARN" } else { " INFO" };
                format!("2026-11-24T21:{n:02}:00Z {level} segue::client: line {n}\u{1b}[31m\n")
            })
            .collect();
        let lines = lines.concat();
        std::fs::write(&file, lines).unwrap();
        let mut stage = playing(size, Options { log_file: file, ..Options::default() });
        stage.keys("gL");
        stage
    });
}

#[test]
fn a_setting_is_changed_from_its_row() {
    let mut stage = playing((120, 40), with_settings());
    stage.keys("g,");
    assert_eq!(stage.app.screen(), Screen::Settings);
    stage.keys("j<Enter>");
    assert!(stage.text().contains("read at the start"));
    stage.keys("<Esc>jj<Enter>");
    assert!(stage.text().contains(":crossfade"), "{}", stage.text());
    stage.keys("4<Enter>");
    let text = stage.text();
    let row = text.lines().find(|line| line.contains("crossfade")).unwrap();
    assert!(row.contains('4') && row.contains("as it is now"), "{row}");
    stage.keys("k<Enter>");
    assert!(stage.text().contains("A theme"));
}

#[test]
fn the_log_is_filtered_and_follows() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("segue.log");
    std::fs::write(&file, "INFO one\nWARN two\nINFO three\n").unwrap();
    let mut stage = playing((100, 30), Options { log_file: file.clone(), ..Options::default() });
    stage.keys("gL");
    assert!(stage.text().contains("▌ INFO three"));
    std::fs::write(&file, "INFO one\nWARN two\nINFO three\nINFO four\n").unwrap();
    stage.wait();
    assert!(stage.text().contains("▌ INFO four"), "{}", stage.text());
    stage.keys("/warn<Enter>");
    let text = stage.text();
    assert!(text.contains("WARN two") && !text.contains("INFO one"));
    stage.keys("<Esc>");
    assert!(stage.text().contains("INFO one"));
    std::fs::remove_file(&file).unwrap();
    stage.wait();
    assert!(stage.text().contains("cannot be read"));
}
