//! What was heard, counted from plays.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/library.rs"]
mod library;

use segue::catalog::{Batch, Catalog};
use segue::music::{AccountId, EndReason, Play, StartReason};

const HOUR: i64 = 3_600_000;
/// 24 November 2026, 00:00 UTC, ms.
const TODAY: i64 = 1_795_478_400_000;

fn play(track: &str, at: i64, minutes: u64) -> Play {
    Play {
        track: track.into(),
        started_at: at,
        heard_ms: minutes * 60_000,
        start: StartReason::Chosen,
        end: EndReason::Finished,
    }
}

#[tokio::test]
async fn plays_are_counted_for_their_listener_and_their_time() {
    let catalog = Catalog::in_memory().await.unwrap();
    let mut batch = Batch::default();
    for (n, artist, album, genre) in
        [(1, "Ann", "First", "Jazz"), (2, "Ann", "First", "Jazz"), (3, "Bob", "Second", "Rock")]
    {
        let mut track = library::track(&format!("t{n}"), &format!("Song {n}"), artist, None);
        track.artists = Vec::new();
        track.album = album.to_owned();
        track.album_artist = artist.to_owned();
        track.genres = vec![genre.to_owned()];
        track.duration_ms = 600_000;
        batch.tracks.push(track);
    }
    catalog.apply(&batch).await.unwrap();
    let me = catalog.listener(&library::account());
    let other = catalog.listener(&AccountId::new("other"));
    for one in [
        play("t1", TODAY + 9 * HOUR, 5),
        play("t1", TODAY + 10 * HOUR, 5),
        play("t3", TODAY + 9 * HOUR + 1, 8),
        play("t2", TODAY - 20 * HOUR, 7),
        play("t2", TODAY - 70 * HOUR, 9),
    ] {
        me.record_play(&one).await.unwrap();
    }
    other.record_play(&play("t3", TODAY + HOUR, 9)).await.unwrap();
    let now = TODAY + 12 * HOUR;

    let day = me.insights(TODAY, now, 0).await.unwrap();
    assert_eq!((day.plays, day.heard_ms, day.tracks, day.artists), (3, 18 * 60_000, 2, 2));
    assert_eq!(
        day.top_artists.iter().map(|t| (t.name.as_str(), t.plays)).collect::<Vec<_>>(),
        [("Ann", 2), ("Bob", 1)]
    );
    assert_eq!(
        day.top_tracks.first().map(|t| (t.name.as_str(), t.by.as_str(), t.plays)),
        Some(("Song 1", "Ann", 2))
    );
    assert_eq!(day.top_genres.first().map(|t| t.name.as_str()), Some("Jazz"));
    assert_eq!((day.hours[9], day.hours[10], day.hours[1]), (13 * 60_000, 5 * 60_000, 0));
    assert_eq!((day.streak, day.longest_streak), (2, 2));

    let all = me.insights(0, now, 0).await.unwrap();
    assert_eq!((all.plays, all.days.len()), (5, 3));
    assert_eq!(
        all.top_albums.first().map(|t| (t.name.as_str(), t.by.as_str(), t.plays)),
        Some(("First", "Ann", 4))
    );
    assert_eq!(all.days.iter().map(|(_, ms)| ms).sum::<u64>(), all.heard_ms);
    assert_eq!(all.hours.iter().sum::<u64>(), all.heard_ms);

    // Three hours further east it was another hour.
    assert_eq!(me.insights(TODAY, now, 180).await.unwrap().hours[12], 13 * 60_000);
    assert_eq!(catalog.listener(&AccountId::new("nobody")).insights(0, now, 0).await.unwrap().plays, 0);
}
