//! Every screen in every state it can be in: full, empty, on its way, failed, without the server; at three sizes, and some
//! with sixteen colours or ASCII alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use std::sync::Arc;

use segue::catalog::Pin;
use segue::client::{Connection, DownloadStatus};
use segue::music::{AlbumId, Item};
use segue::player::{Supply, Transport};
use segue::tui::effects::{Health, Msg};
use segue::tui::{ColorDepth, Options, Screen};
use tui_stage::picture::picture;
use tui_stage::records::discography;
use tui_stage::{Asks, Shelf, Stage, options, playing};

/// Every screen, with the keys that lead there from Home while something plays.
const SCREENS: &[(&str, Screen, &str)] = &[
    ("home", Screen::Home, ""),
    ("library", Screen::Library, "gl"),
    ("genres", Screen::Library, "glb"),
    ("years", Screen::Library, "glbb"),
    ("search", Screen::Search, "gs<C-u>a"),
    ("queue", Screen::Queue, "gq"),
    ("album", Screen::Album, "ga"),
    ("artist", Screen::Artist, "gA"),
    ("details", Screen::Details, "gqi"),
    ("mix", Screen::Mix, "ggjo"),
    ("playlists", Screen::Playlists, "gp"),
    ("playlist", Screen::Playlist, "gpo"),
    ("downloads", Screen::Downloads, "gd"),
    ("player", Screen::Player, "gf"),
    ("statistics", Screen::Statistics, "gt"),
    ("settings", Screen::Settings, "g,"),
    ("log", Screen::Log, "gL"),
    ("doctor", Screen::Doctor, "gD"),
    ("year", Screen::Year, "gy"),
    ("insights", Screen::Insights, "gO"),
    ("privacy", Screen::Privacy, "gP"),
];

/// A stage with something for every screen.
fn full(size: (u16, u16), options: Options) -> Stage {
    let log = std::env::temp_dir().join("segue-states.log");
    let mut stage = playing(size, Options { log_file: log, settings: settings(), ..options });
    discography(&mut stage);
    stage.keys("gljlj").keys("pIcelandic winters<Enter>");
    stage.keys("gs<C-u>").keys("year:2000..2030").keys("<Esc><C-y>").keys("This century<Enter>");
    stage.keys("gs<C-u><Esc><Esc>gh<Esc>");
    stage.finds(&[
        (Health::Good, "configuration", "There is no config.toml, and none is needed.", ""),
        (
            Health::Wrong,
            "server",
            "home.lan does not answer: connection refused.",
            "See whether the machine is on, and whether a firewall lets port 4533 through.",
        ),
        (
            Health::Note,
            "terminal",
            "16 colours.",
            "If the terminal has more, set COLORTERM=truecolor or colors = \"truecolor\".",
        ),
        (Health::Good, "sound", "“default” is open.", ""),
    ]);
    for album in ["Homogenic", "Zombie"] {
        let pin = Pin::from(Item::Album(AlbumId::new(format!("al-{album}"))));
        stage.wait_for(stage.props.library.pin(&pin)).unwrap();
    }
    let pins = stage.wait_for(stage.props.library.pins()).unwrap();
    let tracks = stage.wait_for(stage.props.library.pinned_tracks()).unwrap();
    let status = DownloadStatus {
        pins: Arc::new(pins),
        tracks: Arc::new(tracks.into_iter().collect()),
        done: 7,
        ..DownloadStatus::default()
    };
    stage.tell(Msg::Downloads(Box::new(status)));
    stage
}

fn settings() -> Vec<segue::tui::Setting> {
    let set = |name: &str, value: &str, from: &str, about: &str| segue::tui::Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        from: from.to_owned(),
        about: about.to_owned(),
        env: format!("SEGUE_{}", name.to_uppercase()),
    };
    vec![
        set("server", "https://music.example.org", "config.toml", "Address of the server to listen to."),
        set("cache_gb", "20.0", "default", "Size limit of the track cache in gigabytes. Default: 20."),
        set("theme", "vinyl", "SEGUE_THEME", "Theme, by name; T in the player shows them all."),
    ]
}

/// Pictures of every screen but those that have nothing to do with this state.
fn all(state: &str, but: &[&str], stage: impl Fn((u16, u16), &str) -> Stage) {
    for (name, screen, keys) in SCREENS.iter().filter(|(name, ..)| !but.contains(name)) {
        picture(&format!("{state}_{name}"), |size| {
            let stage = stage(size, keys);
            assert_eq!(stage.app.screen(), *screen, "{name}:\n{}", stage.text());
            stage
        });
    }
}

#[test]
fn every_screen_with_something_on_it() {
    all("full", &["log", "player", "statistics", "settings"], |size, keys| {
        let mut stage = full(size, Options::default());
        stage.keys(keys);
        stage
    });
}

#[test]
fn every_screen_while_its_question_is_on_its_way() {
    all("loading", &["home", "queue", "downloads", "settings", "log"], |size, keys| {
        let mut stage = full(size, Options::default());
        let (way, last) = split(keys);
        stage.keys(way).asks(Asks::Held).keys(last);
        stage
    });
}

#[test]
fn every_screen_whose_question_failed() {
    all("error", &["home", "queue", "downloads", "settings", "log", "player"], |size, keys| {
        let mut stage = full(size, Options::default());
        let (way, last) = split(keys);
        stage.keys(way).asks(Asks::Refused).keys(last);
        stage
    });
}

/// Keys that lead to a row, and those that open it.
fn split(keys: &str) -> (&str, &str) {
    match keys {
        "gqi" => ("gq", "i"),
        "ggjo" => ("ggj", "o"),
        "gpo" => ("gp", "o"),
        _ => ("", keys),
    }
}

#[test]
fn every_screen_without_any_music() {
    let but = [
        "home", "queue", "album", "artist", "details", "mix", "playlist", "settings", "log", "player",
        "library",
    ];
    all("empty", &but, |size, keys| {
        let mut stage = Stage::new(Shelf::Empty, size);
        stage.keys(keys);
        stage
    });
}

#[test]
fn every_screen_without_the_server() {
    all("offline", &["home", "log", "settings"], |size, keys| {
        let mut stage = full(size, Options::default());
        stage.session(|session| {
            session.connection = Connection::Offline { since: 0, why: "no answer".to_owned() };
        });
        stage.player(|status| {
            status.supply = Supply::Offline;
            status.transport = Transport::Buffering;
        });
        stage.keys(keys);
        stage
    });
}

#[test]
fn some_with_ascii_alone_and_without_colours() {
    let but = ["home", "artist", "statistics", "player", "log", "settings", "queue", "album", "search"];
    all("ascii", &but, |size, keys| {
        let mut stage = full(size, options(ColorDepth::Mono, true));
        stage.keys(keys);
        stage
    });
}

#[test]
fn some_with_sixteen_colours() {
    let but =
        ["home", "player", "log", "settings", "statistics", "downloads", "search", "mix", "queue", "years"];
    all("16", &but, |size, keys| {
        let mut stage = full(size, options(ColorDepth::Ansi16, false));
        stage.keys(keys);
        stage
    });
}

#[test]
fn pages_of_what_is_gone_say_so() {
    picture("artist_gone", |size| {
        let mut stage = full(size, Options::default());
        stage.keys("gq");
        let ids = stage.wait_for(stage.props.library.catalog().track_ids()).unwrap();
        stage.wait_for(stage.props.library.catalog().remove_tracks(&ids)).unwrap();
        stage.wait_for(stage.props.library.catalog().prune()).unwrap();
        stage.keys("gr");
        stage
    });
}
