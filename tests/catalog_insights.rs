//! What was heard, counted from plays.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use segue::catalog::{Batch, Catalog, Heard, Insights, Listener};
use segue::music::calendar::{Period, Span, day_of, weekday};
use segue::music::{AccountId, EndReason, Play, PlayContext, Score, Sonic, StartReason};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 24 November 2026, a Tuesday, 00:00 UTC, ms.
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

/// Unix ms of a date and an hour of UTC.
fn at(year: i64, month: i64, day: i64, hour: i64) -> i64 {
    day_of(year, month, day) * DAY + hour * HOUR
}

/// By a player whose clock is so many minutes ahead.
fn there(offset_minutes: i32) -> PlayContext {
    PlayContext { offset_minutes, device: "desk".into(), source: String::new() }
}

fn names(tops: &[segue::catalog::Top]) -> Vec<(&str, u64)> {
    tops.iter().map(|top| (top.name.as_str(), top.plays)).collect()
}

async fn house() -> (Catalog, Listener) {
    let catalog = database::in_memory().await;
    let mut batch = Batch::default();
    for (n, artist, album, genre) in
        [(1, "Ann", "First", "Jazz"), (2, "Ann", "First", "Jazz"), (3, "Bob", "Second", "Rock")]
    {
        let mut track = library::track(&format!("t{n}"), &format!("Song {n}"), artist, None);
        track.artists = Vec::new();
        album.clone_into(&mut track.album);
        artist.clone_into(&mut track.album_artist);
        track.genres = vec![genre.to_owned()];
        track.duration_ms = 600_000;
        batch.tracks.push(track);
    }
    catalog.apply(&batch).await.unwrap();
    let me = catalog.listener(&library::account());
    (catalog, me)
}

async fn of(me: &Listener, span: Span, when: i64, minutes: i64) -> Insights {
    let day = (when + minutes * 60_000).div_euclid(DAY);
    me.insights(Period::of(span, day), TODAY + 12 * HOUR, minutes).await.unwrap()
}

#[tokio::test]
async fn plays_are_counted_for_their_listener_and_their_time() {
    let (catalog, me) = house().await;
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

    let day = of(&me, Span::Day, TODAY, 0).await;
    assert_eq!((day.plays, day.heard_ms, day.tracks, day.artists), (3, 18 * 60_000, 2, 2));
    assert_eq!((day.albums, day.genres, day.before_ms), (2, 2, 7 * 60_000));
    assert_eq!(names(&day.top_artists), [("Ann", 2), ("Bob", 1)]);
    assert_eq!(names(&day.top_genres), [("Jazz", 2), ("Rock", 1)]);
    assert_eq!(
        day.top_tracks.first().map(|t| (t.name.as_str(), t.by.as_str(), t.plays)),
        Some(("Song 1", "Ann", 2))
    );
    let hours = day.hours();
    assert_eq!((hours[9], hours[10], hours[1]), (13 * 60_000, 5 * 60_000, 0));
    assert_eq!(day.week[1][9], 13 * 60_000, "a Tuesday");
    assert_eq!((day.streak, day.longest_streak), (2, 2));

    let all = of(&me, Span::All, TODAY, 0).await;
    assert_eq!((all.plays, all.days.len(), all.before_ms, all.discovered), (5, 3, 0, 0));
    assert_eq!(
        all.top_albums.first().map(|t| (t.name.as_str(), t.by.as_str(), t.plays)),
        Some(("First", "Ann", 4))
    );
    assert_eq!(all.days.iter().map(|(_, ms)| ms).sum::<u64>(), all.heard_ms);
    assert_eq!(all.hours().iter().sum::<u64>(), all.heard_ms);
    assert_eq!(all.first_day, Some((TODAY - 70 * HOUR).div_euclid(DAY)));

    // Three hours further east it was another hour.
    assert_eq!(of(&me, Span::Day, TODAY, 180).await.hours()[12], 13 * 60_000);
    let nobody = catalog.listener(&AccountId::new("nobody"));
    assert_eq!(of(&nobody, Span::All, TODAY, 0).await, Insights::empty(Period::of(Span::All, 0)));
}

#[tokio::test]
async fn midnight_is_the_listeners() {
    let (_, me) = house().await;
    // 23:59:59.999 on New Year's Eve and 00:00 on New Year's Day, by a clock an hour ahead of UTC.
    let midnight = at(2026, 1, 1, 0) - HOUR;
    me.record_play_in(&play("t1", midnight - 1, 3), &there(60)).await.unwrap();
    me.record_play_in(&play("t2", midnight, 4), &there(60)).await.unwrap();
    // The same moments by a clock in New York: both in the evening of the old year.
    me.record_play_in(&play("t3", midnight + 1, 5), &there(-300)).await.unwrap();
    let year = async |year| me.insights(Period::year(year), TODAY, 0).await.unwrap();
    let (old, new) = (year(2025).await, year(2026).await);
    assert_eq!((old.plays, old.heard_ms), (2, 8 * 60_000));
    assert_eq!((new.plays, new.heard_ms, new.before_ms), (1, 4 * 60_000, 8 * 60_000));
    let eve = day_of(2025, 12, 31);
    assert_eq!(old.days, [(eve, 8 * 60_000)]);
    assert_eq!(new.days, [(eve + 1, 4 * 60_000)]);
    assert_eq!((old.week[weekday(eve)][23], old.week[weekday(eve)][18]), (3 * 60_000, 5 * 60_000));
    assert_eq!(new.week[weekday(eve + 1)][0], 4 * 60_000);
    assert_eq!(me.last_year_heard(0).await.unwrap(), Some(2025), "the last one was heard in New York");
    // Who was first heard then is a discovery of that year, by that clock.
    assert_eq!(names(&old.discoveries), [("Bob", 1), ("Ann", 1)]);
    assert_eq!(new.discoveries, []);
}

#[tokio::test]
async fn summer_time_moves_the_hours_and_loses_none() {
    let (_, me) = house().await;
    // In Berlin 2026-03-29 has no hour from two to three, 2026-10-25 has it twice.
    for (moment, offset) in [
        (at(2026, 3, 29, 0), 60),    // 01:00
        (at(2026, 3, 29, 1), 120),   // 03:00
        (at(2026, 10, 25, 0), 120),  // 02:00
        (at(2026, 10, 25, 1), 60),   // 02:00 again
        (at(2026, 10, 24, 22), 120), // 00:00 on the 25th
    ] {
        me.record_play_in(&play("t1", moment, 6), &there(offset)).await.unwrap();
    }
    let spring = of(&me, Span::Day, at(2026, 3, 29, 12), 0).await.hours();
    assert_eq!((spring[1], spring[2], spring[3]), (6 * 60_000, 0, 6 * 60_000));
    let autumn = of(&me, Span::Day, at(2026, 10, 25, 12), 0).await.hours();
    assert_eq!((autumn[0], autumn[2]), (6 * 60_000, 12 * 60_000));
    // Whoever asks elsewhere finds the same.
    assert_eq!(of(&me, Span::Day, at(2026, 10, 25, 0), 720).await.hours(), autumn);
}

#[tokio::test]
async fn a_leap_day_is_a_day_of_its_month_and_its_year() {
    let (_, me) = house().await;
    for day in 27..=29 {
        me.record_play(&play("t1", at(2024, 2, day, 20), 5)).await.unwrap();
    }
    me.record_play(&play("t1", at(2024, 3, 1, 20), 5)).await.unwrap();
    me.record_play(&play("t2", at(2024, 3, 3, 20), 5)).await.unwrap();
    let month = of(&me, Span::Month, at(2024, 2, 1, 0), 0).await;
    assert_eq!((month.plays, month.streak_here), (3, Some((day_of(2024, 2, 27), 3))));
    let year = me.insights(Period::year(2024), TODAY, 0).await.unwrap();
    assert_eq!((year.plays, year.streak_here), (5, Some((day_of(2024, 2, 27), 4))));
    assert_eq!((year.streak, year.longest_streak), (0, 4));
    let march = of(&me, Span::Month, at(2024, 3, 9, 0), 0).await;
    assert_eq!((march.plays, march.before_ms), (2, 15 * 60_000));
}

#[tokio::test]
async fn weeks_begin_on_monday_and_cross_the_year() {
    let (_, me) = house().await;
    for (year, month, day) in [(2026, 12, 27), (2026, 12, 28), (2027, 1, 3), (2027, 1, 4)] {
        me.record_play(&play("t1", at(year, month, day, 12), 1)).await.unwrap();
    }
    let week = of(&me, Span::Week, at(2027, 1, 1, 0), 0).await;
    assert_eq!((week.plays, week.before_ms), (2, 60_000));
    assert_eq!((week.week[0][12], week.week[6][12]), (60_000, 60_000));
    let next = me.insights(week.period.step(1), TODAY, 0).await.unwrap();
    assert_eq!((next.plays, next.before_ms), (1, 120_000));
}

#[tokio::test]
async fn a_discovery_is_heard_for_the_first_time() {
    let (_, me) = house().await;
    for (track, year, minutes) in [("t1", 2024, 5), ("t2", 2025, 5), ("t3", 2025, 3), ("t3", 2026, 9)] {
        me.record_play(&play(track, at(year, 6, 1, 12), minutes)).await.unwrap();
    }
    // Another song by Ann is nothing new.
    let year = me.insights(Period::year(2025), TODAY, 0).await.unwrap();
    assert_eq!((names(&year.discoveries), year.discovered), (vec![("Bob", 1)], 1));
    assert_eq!(year.discoveries[0].heard_ms, 3 * 60_000);
    assert_eq!(me.insights(Period::year(2026), TODAY, 0).await.unwrap().discovered, 0);
    assert_eq!(me.insights(Period::year(2024), TODAY, 0).await.unwrap().discovered, 1);
}

fn sounding(track: &str, energy: f32, calm: f32) -> Heard {
    let score = |value| Score { value, confidence: 1.0 };
    let sound = Sonic { version: 1, energy: score(energy), calm: score(calm), ..Sonic::default() };
    Heard { track: track.into(), size: 1, version: 1, blocks: String::new(), sound: Ok(sound) }
}

#[tokio::test]
async fn moods_weigh_as_long_as_they_were_heard() {
    let (catalog, me) = house().await;
    let unheard = Heard { sound: Err("no samples".to_owned()), ..sounding("t3", 0.0, 0.0) };
    catalog.put_heard(&[sounding("t1", 0.2, 0.9), sounding("t2", 0.8, 0.1), unheard]).await.unwrap();
    for one in [
        play("t1", TODAY + 9 * HOUR, 1),
        play("t2", TODAY + 9 * HOUR + 600_000, 3),
        play("t3", TODAY + 9 * HOUR + 1_200_000, 50),
        play("t1", TODAY + 20 * HOUR, 2),
        play("t2", TODAY - 2 * DAY, 2),
    ] {
        me.record_play(&one).await.unwrap();
    }
    let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
    let day = of(&me, Span::Day, TODAY, 0).await.moods;
    assert_eq!(
        day.iter().map(|part| (part.at, part.heard_ms)).collect::<Vec<_>>(),
        [(9, 240_000), (20, 120_000)]
    );
    assert!(close(day[0].energy, (0.2 + 3.0 * 0.8) / 4.0) && close(day[0].calm, (0.9 + 3.0 * 0.1) / 4.0));
    assert!(close(day[1].energy, 0.2), "{day:?}");
    let month = of(&me, Span::Month, TODAY, 0).await.moods;
    let today = TODAY / DAY;
    assert_eq!(month.iter().map(|part| part.at).collect::<Vec<_>>(), [today - 2, today]);
    assert!(close(month[1].energy, (3.0 * 0.2 + 3.0 * 0.8) / 6.0), "{month:?}");
}

#[tokio::test]
async fn a_year_has_the_day_on_which_one_track_was_heard_most() {
    let (_, me) = house().await;
    for n in 0..3 {
        me.record_play(&play("t3", at(2025, 5, 4, 10 + n), 2)).await.unwrap();
        me.record_play(&play("t1", at(2025, 5, 4 + n, 9), 9)).await.unwrap();
    }
    // Once more just after midnight is another day.
    me.record_play(&play("t3", at(2025, 5, 5, 0), 2)).await.unwrap();
    let year = me.year(2025, TODAY, 0).await.unwrap();
    let peak = year.peak.unwrap();
    assert_eq!((peak.day, peak.track.name.as_str(), peak.track.plays), (day_of(2025, 5, 4), "Song 3", 3));
    assert!(!year.so_far && me.year(2026, TODAY, 0).await.unwrap().so_far);
    assert_eq!(me.year(2024, TODAY, 0).await.unwrap().peak, None);
}

/// Prints how long pages take over half a million plays: `cargo test --test catalog_insights -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "takes a minute, and prints rather than tests"]
async fn a_long_history() {
    const TRACKS: usize = 20_000;
    const PLAYS: i64 = 500_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    let catalog = database::open(&file).await.unwrap();
    let tracks: Vec<_> = (0..TRACKS)
        .map(|n| {
            let (artist, album) = (n / 20, n / 10);
            let (id, title) = (format!("album-{album}"), format!("Album {album}"));
            let mut track = library::track(
                &format!("t{n}"),
                &format!("Song {n}"),
                &format!("Artist {artist}"),
                Some((&id, &title)),
            );
            track.genres = vec![format!("Genre {}", artist % 40)];
            track
        })
        .collect();
    for part in tracks.chunks(2_000) {
        catalog.apply(&Batch { tracks: part.to_vec(), ..Batch::default() }).await.unwrap();
    }
    let sounds: Vec<Heard> = (0..TRACKS)
        .map(|n| sounding(&format!("t{n}"), (n % 100) as f32 / 100.0, (n % 37) as f32 / 37.0))
        .collect();
    catalog.put_heard(&sounds).await.unwrap();
    {
        use sqlx::Connection as _;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
        let mut raw = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        // Ten years, some tracks much more often than others.
        let sql = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
                   INSERT INTO plays (account_id, track_id, started_at, heard_ms, start_reason, end_reason, offset_minutes, device) \
                   SELECT 'me', 't' || ((i * 7919 % 20000) * (i * 104729 % 20000) / 20000), $2 - i * 631000, 180000, 'chosen', \
                   'finished', 60, 'desk' FROM n";
        sqlx::query(sql).bind(PLAYS - 1).bind(TODAY).execute(&mut raw).await.unwrap();
        raw.close().await.unwrap();
    }
    let me = catalog.listener(&library::account());
    for span in Span::ALL {
        for _ in 0..2 {
            let began = std::time::Instant::now();
            let found = of(&me, span, TODAY - DAY, 60).await;
            println!("{:>8}: {:>7} plays of {PLAYS}, {:?}", span.word(), found.plays, began.elapsed());
        }
    }
    let began = std::time::Instant::now();
    let story = me.year(2025, TODAY, 60).await.unwrap();
    println!("   story: {:>7} plays, {:?}", story.insights.plays, began.elapsed());
}
