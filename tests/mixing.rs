//! Mixes as they are kept: made when they are old, the same all day, without what is not wanted, none for who wants none;
//! and what is found around a track.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use library::{account, track};
use segue::catalog::{Batch, Catalog, Heard, Listener, Pin};
use segue::mixing::{self, Seeds};
use segue::music::{EndReason, Item, Play, Score, Sonic, StartReason, Track, TrackId};
use segue::taste::sonic::VERSION;

/// An evening, ms.
const NOW: i64 = 20_000 * 86_400_000 + 20 * 3_600_000;
const DAY: i64 = 86_400_000;

fn at(ms: i64) -> ZonedDateTime {
    Timestamp::from_millisecond(ms).unwrap().to_zoned_datetime(TimeZone::UTC)
}

/// Ten artists of six tracks each, every second one plays jazz.
async fn filled() -> (Catalog, Listener) {
    let catalog = database::in_memory().await;
    let tracks: Vec<Track> = (0..60)
        .map(|i| {
            let artist = format!("Artist {}", i / 6);
            let album = (format!("a{}", i / 6), format!("Album {}", i / 6));
            Track {
                genres: vec![if i / 6 % 2 == 0 { "Jazz" } else { "Folk" }.to_owned()],
                year: Some(1990 + i / 6),
                duration_ms: 200_000,
                ..track(&format!("t{i:02}"), &format!("Title {i}"), &artist, Some((&album.0, &album.1)))
            }
        })
        .collect();
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    (catalog, me)
}

async fn hear(me: &Listener, track: u32, at: i64, end: EndReason) {
    let heard_ms = if end == EndReason::Finished { 200_000 } else { 5_000 };
    let track = format!("t{track:02}").into();
    me.record_play(&Play { track, started_at: at, heard_ms, start: StartReason::Chosen, end }).await.unwrap();
}

/// Hears the first two artists on each of the last days.
async fn much_heard(me: &Listener) {
    for day in 1..5 {
        for track in 0..12 {
            hear(me, track, NOW - day * DAY - i64::from(track) * 200_000, EndReason::Finished).await;
        }
    }
}

async fn picks(me: &Listener) -> Vec<(String, Vec<TrackId>)> {
    let mixes = me.mixes().await.unwrap();
    let picks = |kept: segue::catalog::KeptMix| kept.mix.picks.into_iter().map(|pick| pick.track).collect();
    mixes.into_iter().map(|kept| (kept.mix.id.clone(), picks(kept))).collect()
}

#[tokio::test]
async fn the_first_mixes_are_of_the_library_and_the_first_plays_change_them() {
    let (_catalog, me) = filled().await;
    assert!(me.mixes().await.unwrap().is_empty());
    assert!(mixing::refresh(&me, &at(NOW), None).await.unwrap());
    assert!(!mixing::refresh(&me, &at(NOW + 60_000), None).await.unwrap(), "nothing is new");
    let mixes = me.mixes().await.unwrap();
    assert_eq!(mixes[0].mix.id, "daily-1");
    assert!(mixes[0].mix.why.contains("not played much yet"), "{:?}", mixes[0].mix.why);
    assert_eq!(mixes[0].duration_ms, 200_000 * mixes[0].mix.picks.len() as u64);
    let (kept, tracks) = me.mix("daily-1").await.unwrap().unwrap();
    assert!(kept.mix.picks.iter().map(|pick| &pick.track).eq(tracks.iter().map(|track| &track.id)));
    assert!(me.mix("nonsense").await.unwrap().is_none());

    hear(&me, 7, NOW, EndReason::Finished).await;
    assert!(mixing::refresh(&me, &at(NOW + 300_000), None).await.unwrap(), "the first play counts at once");
    let (kept, _) = me.mix("daily-1").await.unwrap().unwrap();
    assert_eq!(kept.mix.about, "Artist 1 and near");
}

#[tokio::test]
async fn a_day_stays_as_it_is_but_for_its_hours() {
    let (_catalog, me) = filled().await;
    much_heard(&me).await;
    mixing::refresh(&me, &at(NOW), None).await.unwrap();
    let evening = picks(&me).await;
    assert!(evening.iter().any(|(id, _)| id == "evening"), "{evening:?}");
    // What is heard today changes nothing today.
    for track in 30..40 {
        hear(&me, track, NOW + 1000 + i64::from(track), EndReason::Finished).await;
    }
    assert!(!mixing::refresh(&me, &at(NOW + 3_600_000), None).await.unwrap());
    assert_eq!(picks(&me).await, evening);
    // Later the mix of the evening goes, the others stay.
    assert!(mixing::refresh(&me, &at(NOW + 3 * 3_600_000), None).await.unwrap());
    let late = picks(&me).await;
    assert!(!late.iter().any(|(id, _)| id == "evening"));
    let without = |all: &[(String, Vec<TrackId>)]| -> Vec<(String, Vec<TrackId>)> {
        all.iter().filter(|(id, _)| id != "evening" && id != "late-night").cloned().collect()
    };
    assert_eq!(without(&late), without(&evening));
    assert!(mixing::refresh(&me, &at(NOW + DAY), None).await.unwrap());
    assert_ne!(without(&picks(&me).await), without(&evening));
}

#[tokio::test]
async fn less_of_something_leaves_the_mixes_at_once_and_stays_away() {
    let (_catalog, me) = filled().await;
    much_heard(&me).await;
    mixing::refresh(&me, &at(NOW), None).await.unwrap();
    let all = picks(&me).await;
    let (song, artist) = (TrackId::from("t03"), "artist-Artist 1");
    let of_artist = |id: &TrackId| (6..12).any(|i| id.as_str() == format!("t{i:02}"));
    assert!(
        all.iter().any(|(_, ids)| ids.contains(&song))
            && all.iter().any(|(_, ids)| ids.iter().any(of_artist))
    );
    me.set_less(&Item::Track(song.clone()), true).await.unwrap();
    me.set_less(&Item::Artist(artist.into()), true).await.unwrap();
    assert!(me.wants_less(&Item::Track(song.clone())).await.unwrap());
    let unwanted = |all: &[(String, Vec<TrackId>)]| {
        all.iter().flat_map(|(_, ids)| ids).filter(|id| **id == song || of_artist(id)).count()
    };
    assert_eq!(unwanted(&picks(&me).await), 0);
    mixing::refresh(&me, &at(NOW + DAY), None).await.unwrap();
    let next = picks(&me).await;
    assert_eq!(unwanted(&next), 0);
    assert!(!next.is_empty());
}

#[tokio::test]
async fn who_opted_out_has_the_popularity_list_until_they_come_back() {
    let (_catalog, me) = filled().await;
    much_heard(&me).await;
    mixing::refresh(&me, &at(NOW), None).await.unwrap();
    me.set_profiled(false).await.unwrap();
    assert!(me.mixes().await.unwrap().is_empty() && me.mixes_made().await.unwrap().is_none());
    assert!(mixing::refresh(&me, &at(NOW), None).await.unwrap());
    let names: Vec<String> = picks(&me).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(names, ["popular"]);
    assert!(!mixing::refresh(&me, &at(NOW), None).await.unwrap());
    me.set_profiled(true).await.unwrap();
    assert!(mixing::refresh(&me, &at(NOW + DAY), None).await.unwrap());
    assert!(!me.mixes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_pinned_mix_means_todays_tracks_and_those_that_are_gone_are_left_out() {
    let (catalog, me) = filled().await;
    assert!(me.pin(&Pin::Mix("daily-1".into())).await.is_err(), "there is no such mix yet");
    mixing::refresh(&me, &at(NOW), None).await.unwrap();
    me.pin(&Pin::Mix("daily-1".into())).await.unwrap();
    assert_eq!(me.pins().await.unwrap()[0].name, "Daily Mix 1");
    let sorted = |mut ids: Vec<TrackId>| {
        ids.sort();
        ids
    };
    let today = sorted(picks(&me).await.remove(0).1);
    assert_eq!(sorted(me.pinned_tracks().await.unwrap()), today);
    catalog.remove_tracks(&today[..2]).await.unwrap();
    assert_eq!(sorted(me.pinned_tracks().await.unwrap()), today[2..]);
    assert_eq!(sorted(picks(&me).await.remove(0).1), today[2..]);
    mixing::refresh(&me, &at(NOW + DAY), None).await.unwrap();
    assert_eq!(sorted(me.pinned_tracks().await.unwrap()), sorted(picks(&me).await.remove(0).1));
}

#[tokio::test]
async fn radio_goes_on_without_repeats_and_ends_only_with_the_library() {
    let (_catalog, me) = filled().await;
    let seeds = Seeds::new("Radio: Title 0".into(), &["t00".into()]);
    let mut heard: Vec<TrackId> = vec!["t00".into()];
    for round in 0..3 {
        let more = mixing::radio(&me, &seeds, &heard, 15, NOW + round).await.unwrap();
        assert_eq!(more.len(), 15);
        for pick in more {
            assert!(!heard.contains(&pick.track), "{:?} came again", pick.track);
            assert!(!pick.why.is_empty());
            heard.push(pick.track);
        }
    }
    // Sixty tracks do not last for ever: then the oldest come again.
    let more = mixing::radio(&me, &seeds, &heard, 20, NOW).await.unwrap();
    assert!(more.len() >= 15, "{}", more.len());
    let nothing = Seeds::new("Radio: gone".into(), &["gone".into()]);
    assert!(mixing::radio(&me, &nothing, &[], 5, NOW).await.unwrap().len() <= 5);
}

#[tokio::test]
async fn paths_and_similar_tracks_are_of_the_library() {
    let (_catalog, me) = filled().await;
    let way = mixing::path(&me, &"t00".into(), &"t59".into(), 6).await.unwrap();
    assert_eq!((way.first(), way.last()), (Some(&"t00".into()), Some(&"t59".into())));
    assert!(mixing::path(&me, &"t00".into(), &"gone".into(), 6).await.unwrap().is_empty());
    let near = mixing::similar(&me, &["t00".into()], 10, NOW).await.unwrap();
    assert_eq!(near.len(), 10);
    assert!(near.windows(2).all(|pair| pair[0].nearness >= pair[1].nearness));
    assert!(near.iter().all(|near| near.track.as_str() != "t00" && near.nearness <= 1.0));
    let of_artist = |near: &&mixing::Near| (1..6).any(|i| near.track.as_str() == format!("t{i:02}"));
    assert_eq!(near.iter().take(5).filter(of_artist).count(), 5, "the artist's own are nearest");
}

fn sounding(id: &str, energy: f32) -> Heard {
    let score = |value| Score { value, confidence: 1.0 };
    let sound = Sonic {
        version: VERSION,
        loudness: Some(-14.0),
        tempo: 120.0,
        tempo_confidence: 0.9,
        energy: score(energy),
        vector: vec![energy],
        ..Sonic::default()
    };
    Heard { track: id.into(), size: 1, version: VERSION, blocks: String::new(), sound: Ok(sound) }
}

#[tokio::test]
async fn reasons_are_what_was_done_and_nothing_else() {
    let (catalog, me) = filled().await;
    let why = |id: &'static str, context: &'static str| {
        let me = me.clone();
        async move { mixing::why(&me, &id.into(), context, None, NOW).await.unwrap() }
    };
    let none = why("t20", "").await;
    assert_eq!(none.len(), 1);
    assert!(none[0].contains("nothing that you did"), "{none:?}");

    for day in [0, 3, 40] {
        hear(&me, 0, NOW - day * DAY - 1000, EndReason::Finished).await;
    }
    hear(&me, 0, NOW - 5 * DAY, EndReason::Skipped).await;
    me.set_star(&Item::Track("t01".into()), Some(NOW)).await.unwrap();
    catalog.put_heard(&[sounding("t00", 0.5), sounding("t30", 0.52)]).await.unwrap();
    let heard = why("t00", "").await;
    assert!(
        heard.contains(&"You played it 3 times, twice in the last 30 days, last today.".to_owned()),
        "{heard:?}"
    );
    assert!(heard.contains(&"You skipped it once.".to_owned()), "{heard:?}");
    let starred = why("t01", "").await;
    assert!(starred.contains(&"You starred it.".to_owned()), "{starred:?}");
    assert!(
        starred.iter().any(|line| line.contains("you played Artist 0 twice in the last 30 days")),
        "{starred:?}"
    );
    let alike = why("t30", "").await;
    let sentence = "It sounds like Title 0 by Artist 0, which you like: same tempo, as much energy.";
    assert!(alike.contains(&sentence.to_owned()), "{alike:?}");

    mixing::refresh(&me, &at(NOW), None).await.unwrap();
    let picked = why("t00", "Daily Mix 1").await;
    assert!(picked[0].starts_with("Daily Mix 1: because you"), "{picked:?}");
    let seeds = Seeds::new("Radio: Title 0".into(), &["t00".into()]);
    let radio = mixing::why(&me, &"t02".into(), "Radio: Title 0", Some(&seeds), NOW).await.unwrap();
    assert!(radio.contains(&"Radio: Title 0: by Artist 0, as is Title 0.".to_owned()), "{radio:?}");
}
