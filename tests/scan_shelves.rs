//! The scanner over a generated library of many scripts and strange tags, and the generator itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/media.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod media;
#[path = "common/plenty.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod plenty;
#[path = "common/shelves.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod shelves;

use std::collections::{BTreeSet, HashMap};
use std::fs;

use segue::catalog::TrackOrder;
use segue::music::Window;
use segue::server::scan::{ScanMode, Scanner};

#[test]
fn the_same_seed_makes_the_same_files() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] = folders.each_ref().map(|folder| shelves::fill(folder.path(), 3, 120));
    assert_eq!(one.bytes, two.bytes);
    for ((a, title), (b, other)) in one.files.iter().zip(&two.files) {
        assert_eq!(a.strip_prefix(folders[0].path()).unwrap(), b.strip_prefix(folders[1].path()).unwrap());
        assert_eq!(title, other);
        assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap(), "{}", a.display());
    }
    let other = tempfile::tempdir().unwrap();
    assert_ne!(shelves::fill(other.path(), 4, 120).bytes, one.bytes);
}

#[tokio::test]
async fn a_generated_library_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let made = shelves::fill(folder.path(), 5, 700);
    assert_eq!(made.files.len(), 700);
    let catalog = database::in_memory().await;
    let report =
        Scanner::new(catalog.clone(), vec![folder.path().to_owned()]).scan(ScanMode::Changes).await.unwrap();
    assert_eq!((report.added, report.failed.len()), (700, 0), "{:?}", report.failed);
    let tracks = catalog.listener(&"me".into()).tracks_by(TrackOrder::Title, Window::ALL).await.unwrap();
    let mut by_path = HashMap::new();
    for track in &tracks {
        by_path.insert(catalog.file_of(&track.id).await.unwrap().unwrap(), track);
    }
    for (path, title) in &made.files {
        let track = by_path[path];
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(track.title, title.as_deref().map_or(stem, str::trim), "{}", path.display());
        assert!(track.duration_ms > 0);
        assert!(track.year.is_none_or(|y| (1950..2030).contains(&y)), "{:?}", track.year);
    }
    let kinds: BTreeSet<&str> = tracks.iter().map(|t| t.suffix.as_str()).collect();
    assert!(["flac", "m4a", "mp3", "opus"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    assert!(tracks.iter().any(|t| t.details.credits.iter().any(|c| c.role == "composer")));
    assert!(tracks.iter().any(|t| t.genres.len() > 1));
    assert!(
        tracks.iter().any(|t| t.year.is_none() && !t.album.is_empty()),
        "a date that is none costs the date alone"
    );
}
