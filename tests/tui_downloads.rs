//! Keeping music on this device, by keys.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use std::sync::Arc;

use segue::catalog::{Pin, Pinned};
use segue::client::{Download, DownloadStatus};
use segue::music::{TrackId, Window};
use segue::tui::Screen;
use segue::tui::effects::Msg;
use tui_stage::{Shelf, Stage};

fn pins(stage: &Stage) -> Vec<Pinned> {
    stage.wait_for(stage.props.library.pins()).unwrap()
}

/// What the session would say about the pins as they are.
fn tell(stage: &mut Stage, change: impl FnOnce(&mut DownloadStatus)) {
    let pins = pins(stage);
    let tracks: Vec<TrackId> = stage.wait_for(stage.props.library.pinned_tracks()).unwrap();
    let mut status = DownloadStatus {
        pins: Arc::new(pins),
        tracks: Arc::new(tracks.into_iter().collect()),
        ..DownloadStatus::default()
    };
    change(&mut status);
    stage.tell(Msg::Downloads(Box::new(status)));
}

#[test]
fn c_keeps_a_row_and_lets_it_go_again() {
    let mut stage = Stage::new(Shelf::Full, (100, 30));
    stage.keys("gll");
    assert!(!stage.text().contains('↓'));
    stage.keys("c");
    let pinned = pins(&stage);
    assert!(matches!(pinned[0].pin, Pin::Album(_)), "{pinned:?}");
    assert!(stage.text().contains("Keeps it on this device."), "{}", stage.text());
    tell(&mut stage, |_| {});
    assert!(stage.text().contains('↓'), "{}", stage.text());
    stage.keys("c");
    assert!(pins(&stage).is_empty());
    tell(&mut stage, |_| {});
    assert!(!stage.text().contains('↓'));
}

#[test]
fn the_downloads_say_what_is_kept_what_comes_and_what_fails() {
    let mut stage = Stage::new(Shelf::Full, (100, 30));
    stage.keys("gd");
    assert_eq!(stage.app.screen(), Screen::Downloads);
    assert!(stage.text().contains("Nothing is kept on this device"));
    stage.keys("C");
    assert_eq!(pins(&stage)[0].pin, Pin::Starred);
    let tracks = stage
        .wait_for(stage.props.library.tracks_by(segue::catalog::TrackOrder::Title, Window::first(2)))
        .unwrap();
    let [first, second] = [0, 1].map(|i| Arc::new(tracks[i].clone()));
    tell(&mut stage, |status| {
        status.active.push(Download { track: first.clone(), bytes: 30, total: 100, waiting: None });
        status.failed.push((second.clone(), "the server will not give it".to_owned()));
        status.rate = 2_000_000;
        status.bytes_left = 240_000_000;
    });
    let text = stage.text();
    for wanted in ["everything starred", &first.title, " 30%", "2 MB/s", "2 min left", "will not give it"] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    // The cursor walks all rows; the pin goes by the same key.
    stage.keys("Gggc");
    assert!(pins(&stage).is_empty());
}
