//! The real binary in a real pseudo-terminal, with no configuration, no sound card and no network.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::time::Duration;

use program::{Home, Terminal, position};

#[test]
fn two_keys_from_the_first_start_to_sound() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[], (100, 30));
    terminal.wait_for("First Light");
    terminal.keys("\r");
    terminal.keys(" "); // pauses
    terminal.keys(" "); // and goes on
    terminal.wait("the position to advance", |s| position(s).is_some_and(|p| p >= 2));
    terminal.keys(">");
    terminal.wait("the next track", |s| position(s).is_some_and(|p| p <= 1));
    terminal.keys(":quit\r");
    assert!(terminal.ended(), "{}", terminal.screen());
    assert!(terminal.restored());
}

#[test]
fn a_later_start_comes_back_to_the_same_place() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[], (100, 30));
    terminal.wait_for("First Light");
    terminal.keys("\r");
    terminal.wait("the position to advance", |s| position(s).is_some_and(|p| p >= 4));
    terminal.keys(":quit\r");
    assert!(terminal.ended());
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[], (100, 30));
    terminal.wait("the old position", |s| position(s).is_some_and(|p| p >= 3));
}

#[test]
fn any_size_will_do() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[], (60, 16));
    terminal.wait_for("First Light");
    for (columns, rows) in [(20, 5), (300, 100), (1, 1), (80, 24), (60, 16)] {
        terminal.resize(columns, rows);
        for keys in ["j?", "\u{1b}", "k"] {
            terminal.keys(keys);
            std::thread::sleep(Duration::from_millis(150)); // an escape and a letter at once are Alt and the letter
        }
    }
    terminal.wait_for("First Light");
    terminal.keys(":quit\r");
    assert!(terminal.ended());
}

#[test]
fn no_color_means_none() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[("NO_COLOR", "1")], (100, 30));
    terminal.wait_for("First Light");
    terminal.keys(":quit\r");
    assert!(terminal.ended());
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let coloured = raw.match_indices("\u{1b}[").any(|(at, _)| {
        let sequence: String =
            raw[at + 2..].chars().take_while(|c| c.is_ascii_digit() || *c == ';').collect();
        let sets_graphics = raw[at + 2 + sequence.len()..].starts_with('m');
        sets_graphics
            && sequence.split(';').any(|n| matches!(n.parse::<u8>(), Ok(30..=38 | 40..=48 | 90..=107)))
    });
    assert!(!coloured, "colours were sent");
}

#[test]
fn a_mistake_in_the_configuration_is_shown_and_the_program_starts() {
    let home = Home::new();
    let config = home.path().join("config/segue");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.toml"), "volume = \"loud\"\noutput = \"silent\"\n").unwrap();
    let mut terminal = Terminal::start(&home, &[], &[], (120, 30));
    terminal.wait_for("config.toml:1");
    terminal.wait_for("First Light");
    terminal.keys(":quit\r");
    assert!(terminal.ended());
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let home = Home::new();
    let output = home.command(&[]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs a terminal"));
}

/// What a terminal says that draws kitty's pictures, on this ground.
fn kitty(ground: &str) -> String {
    format!("\u{1b}]11;rgb:{ground}\u{1b}\\\u{1b}_Gi=31;OK\u{1b}\\\u{1b}[6;20;10t\u{1b}[?62;c")
}

#[test]
fn a_terminal_that_draws_pictures_gets_them_and_a_light_one_the_light_theme() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[], (100, 30));
    terminal.keys(&kitty("ffff/ffff/f0f0"));
    terminal.wait_for("First Light");
    terminal.keys("\r0");
    let raw = |terminal: &Terminal| String::from_utf8_lossy(&terminal.raw()).into_owned();
    terminal.wait("pixels", |_| true);
    let end = std::time::Instant::now() + program::PATIENCE;
    while !raw(&terminal).contains("a=T,U=1,f=100") {
        assert!(std::time::Instant::now() < end, "no picture was sent:\n{}", terminal.screen());
        std::thread::sleep(Duration::from_millis(50));
    }
    // The colour of what is secondary in segue-light.
    assert!(raw(&terminal).contains("38;2;102;100;111"));
    terminal.keys(":quit\r");
    assert!(terminal.ended());
}

#[test]
fn late_answers_are_not_typed_and_the_title_goes_back() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[], (100, 30));
    terminal.wait_for("First Light");
    terminal.keys(&kitty("1e1e/1e1e/2e2e"));
    terminal.keys("\r");
    terminal.wait("the position to advance", |s| position(s).is_some_and(|p| p >= 1));
    let screen = terminal.wait_for("First Light");
    assert!(!screen.contains("Commands") && !screen.contains(":rgb"), "{screen}");
    terminal.keys(":quit\r");
    assert!(terminal.ended());
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let place = |text: &str| raw.find(text).unwrap_or_else(|| panic!("{text:?} was not sent"));
    let title = place("\u{1b}]0;");
    assert!(place("\u{1b}[22;2t") < title && title < place("\u{1b}[23;2t"));
    assert!(raw.contains(" · "), "the title names what plays");
    // Every frame is one for the terminal.
    assert_eq!(raw.matches("\u{1b}[?2026h").count() + 1, raw.matches("\u{1b}[?2026l").count());
}

#[test]
fn a_storm_of_sizes_is_drawn_once_for_all() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--output", "silent"], &[], (100, 30));
    terminal.wait_for("First Light");
    let before = terminal.raw().len();
    for n in 0..200 {
        terminal.resize(60 + n % 60, 20 + n % 20);
    }
    terminal.resize(90, 28);
    terminal.keys("gl");
    terminal.wait_for("Albums");
    let sent = terminal.raw().len() - before;
    assert!(sent < 200 * 400, "{sent} bytes for 200 sizes");
    // A key in the same moment as a change of size is not lost, nor late.
    for n in 0..20 {
        let (key, screen) = if n % 2 == 0 { ("1", "Good ") } else { ("2", "Albums") };
        terminal.resize(90 + n, 28);
        terminal.keys(key);
        terminal.wait_for(screen);
    }
    terminal.keys(":quit\r");
    assert!(terminal.ended());
}
