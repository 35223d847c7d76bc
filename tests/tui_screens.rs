//! Whole screens as pictures: every screen at three sizes and in its states. A change of the look shows here as
//! a difference to be judged (`cargo insta review`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::format_push_string, clippy::format_collect, reason = "pictures are strings put together")]

mod tui_stage;

use segue::client::{Connection, SyncState};
use segue::player::{Supply, Transport};
use segue::tui::{ColorDepth, Options};
use tui_stage::records::discography;
use tui_stage::{Shelf, Stage, options, playing};

const SIZES: [(u16, u16); 3] = [(60, 16), (100, 30), (200, 60)];

/// Every size of one screen in one file.
fn picture(name: &str, mut stage: impl FnMut((u16, u16)) -> Stage) {
    let mut all = String::new();
    for size in SIZES {
        let stage = stage(size);
        let text = stage.text();
        assert_eq!(text.lines().count(), usize::from(size.1));
        for line in text.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= usize::from(size.0), "{line}");
        }
        all.push_str(&format!("── {}×{}\n{text}", size.0, size.1));
    }
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, all);
    });
}

fn at(size: (u16, u16), keys: &str) -> Stage {
    let mut stage = playing(size, Options::default());
    stage.keys(keys);
    stage
}

#[test]
fn home_full() {
    picture("home_full", |size| at(size, ""));
}

#[test]
fn mix_page() {
    picture("mix", |size| at(size, "ggjo"));
}

#[test]
fn home_first_start() {
    picture("home_first_start", |size| Stage::new(Shelf::Demo, size));
}

#[test]
fn home_empty() {
    picture("home_empty", |size| Stage::new(Shelf::Empty, size));
}

#[test]
fn home_syncing() {
    picture("home_syncing", |size| {
        let mut stage = Stage::new(Shelf::Empty, size);
        stage.session(|session| session.sync = SyncState::Running { done: 12_345, total: 1_004_212 });
        stage
    });
}

#[test]
fn home_loading() {
    picture("home_loading", Stage::unanswered);
}

#[test]
fn home_error() {
    picture("home_error", |size| {
        let mut stage = Stage::unanswered(size);
        stage.refuse("The catalog's database failed: disk I/O error.");
        stage
    });
}

#[test]
fn home_offline_with_a_notice() {
    picture("home_offline", |size| {
        let mut stage = playing(size, Options::default());
        stage.session(|session| {
            session.connection = Connection::Offline { since: 0, why: "no answer".to_owned() };
            session.problem = Some(
                "home.lan does not know this key any more. Make a new one with `segue users key`.".to_owned(),
            );
        });
        stage.player(|status| {
            status.supply = Supply::Offline;
            status.transport = Transport::Buffering;
        });
        stage
    });
}

#[test]
fn home_ascii_without_colours() {
    picture("home_ascii", |size| playing(size, options(ColorDepth::Mono, true)));
}

#[test]
fn home_sixteen_colours() {
    picture("home_16", |size| playing(size, options(ColorDepth::Ansi16, false)));
}

#[test]
fn library() {
    picture("library", |size| at(size, "gl4j"));
}

#[test]
fn library_tracks() {
    picture("library_tracks", |size| at(size, "gl7jllj"));
}

#[test]
fn library_filtered() {
    picture("library_filtered", |size| at(size, "gl/ar"));
}

#[test]
fn library_empty() {
    picture("library_empty", |size| {
        let mut stage = Stage::new(Shelf::Empty, size);
        stage.keys("gl");
        stage
    });
}

#[test]
fn album() {
    picture("album", |size| at(size, "ga"));
}

#[test]
fn queue() {
    picture("queue", |size| at(size, "gqj"));
}

#[test]
fn queue_empty() {
    picture("queue_empty", |size| {
        let mut stage = Stage::new(Shelf::Full, size);
        stage.keys("gq");
        stage
    });
}

#[test]
fn search() {
    picture("search", |size| at(size, "gs<C-u>a"));
}

#[test]
fn search_nothing() {
    picture("search_nothing", |size| at(size, "gs<C-u>xyzzy"));
}

#[test]
fn help() {
    picture("help", |size| at(size, "gq?"));
}

#[test]
fn command_line() {
    picture("command_line", |size| at(size, ":se<Tab>"));
}

/// The bar alone, in its states.
#[test]
fn the_bar() {
    let mut all = String::new();
    for (colors, ascii) in [(ColorDepth::True, false), (ColorDepth::Ansi16, false), (ColorDepth::Mono, true)]
    {
        for width in [60, 80, 120] {
            for height in [16, 24] {
                let mut stage = playing((width, height), options(colors, ascii));
                let mut bar = |stage: &Stage, what: &str| {
                    let text = stage.text();
                    let rows = if height < 20 { 1 } else { 2 };
                    let lines: Vec<&str> = text.lines().collect();
                    all.push_str(&format!("── {width}×{height} {colors:?} {what}\n"));
                    for line in &lines[lines.len() - rows..] {
                        all.push_str(line);
                        all.push('\n');
                    }
                };
                bar(&stage, "playing");
                stage.player(|status| {
                    status.transport = Transport::Paused;
                    status.supply = Supply::Cached;
                    status.buffered = vec![(0.0, 1.0)];
                    status.muted = true;
                });
                stage.keys("s");
                bar(&stage, "paused, muted, shuffled");
            }
        }
    }
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("bar", all);
    });
}

/// Where colours are: with sixteen no other is used, and the accent is for three things only.
#[test]
fn colours_keep_to_their_depth() {
    use ratatui::style::Color;
    for (colors, allowed) in [
        (ColorDepth::Mono, &[][..]),
        (
            ColorDepth::Ansi16,
            &[Color::DarkGray, Color::Yellow, Color::Red, Color::Green, Color::Cyan, Color::LightRed][..],
        ),
    ] {
        for keys in ["", "gl", "ga", "gq", "gs", "?", ":"] {
            let mut stage = playing((100, 30), options(colors, false));
            stage.keys(keys);
            for cell in stage.terminal().backend().buffer().content() {
                assert!(
                    cell.fg == Color::Reset || allowed.contains(&cell.fg),
                    "{:?} for {colors:?}",
                    cell.fg
                );
                assert_eq!(cell.bg, Color::Reset);
            }
        }
    }
}

fn bjork(size: (u16, u16), options: Options) -> Stage {
    let mut stage = playing(size, options);
    discography(&mut stage);
    stage.keys("gs<C-u>").keys("björk<Esc>gggr");
    stage
}

#[test]
fn artist() {
    picture("artist", |size| bjork(size, Options::default()));
}

#[test]
fn artist_ascii_without_colours() {
    picture("artist_ascii", |size| bjork(size, options(ColorDepth::Mono, true)));
}

#[test]
fn artist_filtered() {
    picture("artist_filtered", |size| {
        let mut stage = bjork(size, Options::default());
        stage.keys("/live<Enter>");
        stage
    });
}
