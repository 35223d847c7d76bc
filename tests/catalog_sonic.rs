//! What tracks sound like, kept by the catalog.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use library::{account, track};
use segue::catalog::{Batch, Catalog, Heard, SonicProgress};
use segue::music::{ReplayGain, Score, Sonic, Track};

fn sized(id: &str, size: u64) -> Track {
    Track { size, ..track(id, id, "Somebody", Some(("a0", "Album"))) }
}

fn heard(id: &str, size: u64, first: f32) -> Heard {
    let sound = Sonic {
        version: 1,
        loudness: Some(-14.0),
        peak: 0.5,
        tempo: 120.0,
        energy: Score { value: 0.7, confidence: 0.5 },
        vector: vec![first, -1.5e-9, 2.0],
        ..Sonic::default()
    };
    Heard { track: id.into(), size, version: 1, blocks: "5:1".into(), sound: Ok(sound) }
}

async fn filled() -> Catalog {
    let catalog = database::in_memory().await;
    let tracks = vec![sized("t0", 10), sized("t1", 20), sized("t2", 30)];
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    catalog
}

async fn unheard(catalog: &Catalog, version: u32) -> Vec<String> {
    let found = catalog.unheard(version, None, 10).await.unwrap();
    found.into_iter().map(|t| t.track.as_str().to_owned()).collect()
}

#[tokio::test]
async fn what_was_heard_comes_back_and_is_not_asked_for_again() {
    let catalog = filled().await;
    assert_eq!(unheard(&catalog, 1).await, ["t0", "t1", "t2"]);
    assert_eq!(catalog.unheard(1, Some(&"t0".into()), 1).await.unwrap()[0].size, 20);
    let failed = Heard { sound: Err("it is damaged".into()), ..heard("t1", 20, 0.0) };
    catalog.put_heard(&[heard("t0", 10, 0.25), failed, heard("gone", 1, 0.0)]).await.unwrap();
    assert_eq!(unheard(&catalog, 1).await, ["t2"]);
    let progress = SonicProgress { tracks: 3, heard: 1, failed: 1 };
    assert_eq!(catalog.sonic_progress(1).await.unwrap(), progress);

    let found = catalog.sonic(&["t0".into(), "t1".into(), "t2".into()]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[&"t0".into()], heard("t0", 10, 0.25).sound.unwrap());
    let all = catalog.sonic_vectors(1).await.unwrap();
    assert_eq!((all.tracks.len(), all.width, all.values), (1, 3, vec![0.25, -1.5e-9, 2.0]));
    let scores = catalog.all_sonic(1).await.unwrap();
    assert_eq!((scores.len(), scores[0].1.energy.value), (1, 0.7));
}

#[tokio::test]
async fn a_new_version_and_a_new_file_are_heard_again() {
    let catalog = filled().await;
    catalog.put_heard(&[heard("t0", 10, 0.1), heard("t1", 20, 0.2), heard("t2", 30, 0.3)]).await.unwrap();
    assert!(unheard(&catalog, 1).await.is_empty());
    assert_eq!(unheard(&catalog, 2).await, ["t0", "t1", "t2"]);
    catalog.apply(&Batch { tracks: vec![sized("t1", 21)], ..Batch::default() }).await.unwrap();
    assert_eq!(unheard(&catalog, 1).await, ["t1"]);
    catalog.remove_tracks(&["t0".into()]).await.unwrap();
    assert_eq!(catalog.sonic_vectors(1).await.unwrap().tracks, ["t1".into(), "t2".into()]);
}

#[tokio::test]
async fn an_album_is_complete_when_all_of_it_was_heard() {
    let catalog = filled().await;
    catalog.put_heard(&[heard("t0", 10, 0.1), heard("t1", 20, 0.2)]).await.unwrap();
    assert!(catalog.unmeasured_albums(1, 9).await.unwrap().is_empty());
    let failed = Heard { sound: Err("it is damaged".into()), blocks: String::new(), ..heard("t2", 30, 0.0) };
    catalog.put_heard(&[failed]).await.unwrap();
    assert_eq!(catalog.unmeasured_albums(1, 9).await.unwrap(), ["a0".into()]);
    let blocks = catalog.album_blocks(&"a0".into()).await.unwrap();
    assert_eq!(blocks, [("t0".into(), "5:1".to_owned(), 0.5), ("t1".into(), "5:1".to_owned(), 0.5)]);
    let gain = ReplayGain { track_gain: Some(-7.0), track_peak: Some(1.0), ..ReplayGain::default() };
    catalog.put_measured_gains(&[("t0".into(), gain), ("t1".into(), gain)]).await.unwrap();
    assert!(catalog.unmeasured_albums(1, 9).await.unwrap().is_empty());
    // Another file of one track: the album is measured anew once that was heard.
    catalog.apply(&Batch { tracks: vec![sized("t1", 21)], ..Batch::default() }).await.unwrap();
    assert!(catalog.unmeasured_albums(1, 9).await.unwrap().is_empty());
    catalog.put_heard(&[heard("t1", 21, 0.2)]).await.unwrap();
    assert_eq!(catalog.unmeasured_albums(1, 9).await.unwrap(), ["a0".into()]);
}

#[tokio::test]
async fn measured_loudness_fills_in_what_tags_lack_and_outlives_a_scan() {
    let catalog = filled().await;
    let me = catalog.listener(&account());
    let mut tagged = sized("t1", 20);
    tagged.replay_gain.track_gain = Some(-3.0);
    catalog.apply(&Batch { tracks: vec![tagged], ..Batch::default() }).await.unwrap();
    let measured = ReplayGain {
        track_gain: Some(-7.0),
        album_gain: Some(-6.0),
        track_peak: Some(0.5),
        album_peak: Some(0.75),
    };
    let gains = [("t0".into(), measured), ("t1".into(), measured)];
    catalog.put_measured_gains(&gains).await.unwrap();
    assert_eq!(me.track(&"t0".into()).await.unwrap().unwrap().replay_gain, measured);
    let second = me.track(&"t1".into()).await.unwrap().unwrap().replay_gain;
    assert_eq!(second, ReplayGain { track_gain: Some(-3.0), ..measured });
    // A scan that reads the tags again knows nothing of it and destroys nothing.
    let renamed = Track { title: "Another".into(), ..sized("t0", 10) };
    catalog.apply(&Batch { tracks: vec![renamed], ..Batch::default() }).await.unwrap();
    assert_eq!(me.track(&"t0".into()).await.unwrap().unwrap().replay_gain, measured);
}
