//! Hearing a library: from files to figures and loudness, resumed, held, and not hurt by what cannot be played.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/media.rs"]
#[allow(dead_code, reason = "it serves more tests than these")]
mod media;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lofty::tag::ItemKey;
use media::{flac, put, tag, wav};
use segue::analysis::{Analyst, Open};
use segue::catalog::{Catalog, TrackOrder};
use segue::music::{Track, Window};
use segue::server::from_folders;
use segue::server::scan::{ScanMode, Scanner};
use segue::taste::sonic::{REFERENCE_LUFS, VERSION};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

async fn scanned(folder: &Path) -> Catalog {
    let catalog = database::in_memory().await;
    Scanner::new(catalog.clone(), vec![folder.to_owned()]).scan(ScanMode::Changes).await.unwrap();
    catalog
}

async fn tracks(catalog: &Catalog) -> Vec<Track> {
    catalog.listener(&"me".into()).tracks_by(TrackOrder::Title, Window::ALL).await.unwrap()
}

/// An album of three: one file has a gain of its own, one is cut off right after its header.
fn album() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("a.wav", wav(44_100, 1)), ("b.flac", flac(44_100, 2)), ("c.wav", wav(60_000, 3))] {
        let path = folder.path().join(name);
        put(&path, &bytes);
        let mut tags =
            vec![(ItemKey::TrackTitle, name), (ItemKey::AlbumTitle, "A"), (ItemKey::AlbumArtist, "B")];
        if name == "b.flac" {
            tags.push((ItemKey::ReplayGainTrackGain, "-3.00 dB"));
        }
        tag(&path, &tags, None);
    }
    folder
}

fn none_stopped() -> CancellationToken {
    CancellationToken::new()
}

#[tokio::test]
async fn loudness_is_measured_where_tags_lack_it() {
    let folder = album();
    let catalog = scanned(folder.path()).await;
    let report = Analyst::new(catalog.clone(), from_folders(), 2).run(&none_stopped()).await.unwrap();
    assert_eq!((report.heard, report.failed, report.absent, report.stopped), (3, 0, 0, false));

    let tracks = tracks(&catalog).await;
    let ids: Vec<_> = tracks.iter().map(|track| track.id.clone()).collect();
    let heard = catalog.sonic(&ids).await.unwrap();
    let album_gain = tracks[0].replay_gain.album_gain.unwrap();
    for track in &tracks {
        let (gain, sound) = (track.replay_gain, &heard[&track.id]);
        assert_eq!((sound.version, gain.track_peak), (VERSION, Some(sound.peak)), "{}", track.title);
        assert_eq!(gain.album_gain, Some(album_gain));
        let measured = REFERENCE_LUFS - sound.loudness.unwrap();
        if track.title == "b.flac" {
            assert_eq!(gain.track_gain, Some(-3.0), "what the tags say stands");
        } else {
            assert!((gain.track_gain.unwrap() - measured).abs() < 0.11, "{gain:?} {measured}");
        }
        assert!((album_gain - measured).abs() < 3.0, "all are about as loud");
        assert!(sound.vector.iter().all(|value| value.is_finite()) && sound.vector.len() > 30);
    }
    // Nothing is heard twice.
    let again = Analyst::new(catalog.clone(), from_folders(), 2).run(&none_stopped()).await.unwrap();
    assert_eq!((again.heard, again.failed), (0, 0));
}

#[tokio::test]
async fn what_cannot_be_played_is_written_down_and_what_is_away_is_not() {
    let folder = album();
    let catalog = scanned(folder.path()).await;
    fs::write(folder.path().join("a.wav"), b"no sound at all, whatever its name says").unwrap();
    fs::remove_file(folder.path().join("c.wav")).unwrap();
    let report = Analyst::new(catalog.clone(), from_folders(), 1).run(&none_stopped()).await.unwrap();
    assert_eq!((report.heard, report.failed, report.absent), (1, 1, 1));
    let progress = catalog.sonic_progress(VERSION).await.unwrap();
    assert_eq!((progress.tracks, progress.heard, progress.failed), (3, 1, 1));
    let waiting = catalog.unheard(VERSION, None, 9).await.unwrap();
    assert_eq!(waiting.len(), 1, "the one that is away is looked for again");
    let gain = tracks(&catalog).await[1].replay_gain;
    assert_eq!(gain.album_gain, None, "an album is measured when all of it was heard");
}

#[tokio::test]
async fn a_run_that_was_stopped_goes_on_where_it_was() {
    let folder = album();
    let catalog = scanned(folder.path()).await;
    let stop = none_stopped();
    // The second file that is opened stops the run.
    let (opened, files, halt) = (Arc::new(AtomicUsize::new(0)), from_folders(), stop.clone());
    let counted = Arc::clone(&opened);
    let open: Open = Arc::new(move |track| {
        if counted.fetch_add(1, Ordering::SeqCst) == 1 {
            halt.cancel();
        }
        files(track)
    });
    let first = Analyst::new(catalog.clone(), open, 1).run(&stop).await.unwrap();
    assert!(first.stopped && first.heard <= 1, "{first:?}");
    let rest = Analyst::new(catalog.clone(), from_folders(), 1).run(&none_stopped()).await.unwrap();
    assert_eq!(first.heard + rest.heard, 3, "{first:?} {rest:?}");
    assert!(tracks(&catalog).await.iter().all(|track| track.replay_gain.album_gain.is_some()));
}

#[tokio::test]
async fn a_pause_holds_the_work_until_it_is_lifted() {
    let folder = album();
    let catalog = scanned(folder.path()).await;
    let analyst = Analyst::new(catalog.clone(), from_folders(), 2);
    analyst.set_paused(true);
    let (worker, stop) = (analyst.clone(), none_stopped());
    let run = tokio::spawn(async move { worker.run(&stop).await });
    while !analyst.status().running {
        tokio::task::yield_now().await;
    }
    assert_eq!((analyst.status().heard, analyst.status().paused), (0, true));
    assert_eq!(catalog.sonic_progress(VERSION).await.unwrap().heard, 0);
    analyst.set_paused(false);
    assert_eq!(run.await.unwrap().unwrap().heard, 3);
    let status = analyst.status();
    assert_eq!((status.running, status.total, status.heard), (false, 3, 3));
}
