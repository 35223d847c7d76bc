//! What the catalog tells taste about one listener.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use library::{account, track};
use segue::catalog::{Batch, Catalog, Heard, Listener};
use segue::music::{
    Album, EndReason, Item, Listening, Marks, Play, PlayContext, ReplayGain, Sonic, StartReason, Track,
};

/// A Thursday, 23:30 UTC, ms.
const LATE: i64 = (7 * 24 * 60 + 23 * 60 + 30) * 60_000;

fn tagged(id: &str, artist: &str, album: (&str, &str), genres: &[&str]) -> Track {
    let genres = genres.iter().map(|genre| (*genre).to_owned()).collect();
    Track { genres, year: Some(1994), duration_ms: 200_000, ..track(id, id, artist, Some(album)) }
}

fn album(id: &str, title: &str, artist: &str) -> Album {
    Album {
        id: id.into(),
        title: title.into(),
        artist: artist.into(),
        artists: vec![library::artist_ref(artist)],
        year: None,
        genres: Vec::new(),
        track_count: 0,
        duration_ms: 0,
        cover: None,
        compilation: false,
        musicbrainz_id: None,
        added_at: 1,
        details: segue::music::AlbumDetails::default(),
        marks: Marks::default(),
    }
}

/// Two albums of Ada, one of Bo.
async fn filled() -> (Catalog, Listener) {
    let catalog = database::in_memory().await;
    let tracks = vec![
        tagged("t0", "Ada", ("a0", "First"), &["Trip Hop", "Jazz"]),
        tagged("t1", "Ada", ("a0", "First"), &["trip hop"]),
        tagged("t2", "Ada", ("a1", "Second"), &[]),
        tagged("t3", "Bo", ("b0", "Only"), &["Rock"]),
    ];
    let albums = vec![album("a0", "First", "Ada"), album("a1", "Second", "Ada"), album("b0", "Only", "Bo")];
    catalog.apply(&Batch { tracks, albums, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    (catalog, me)
}

fn play(track: &str, started_at: i64, heard_ms: u64, end: EndReason) -> Play {
    Play { track: track.into(), started_at, heard_ms, start: StartReason::Chosen, end }
}

fn tune<'a>(all: &'a Listening, id: &str) -> &'a segue::music::Tune {
    all.tunes.iter().find(|tune| tune.id.as_ref().is_some_and(|known| known.as_str() == id)).unwrap()
}

#[tokio::test]
async fn the_library_comes_with_marks_genres_and_sound() {
    let (catalog, me) = filled().await;
    me.set_star(&Item::Track("t0".into()), Some(5)).await.unwrap();
    me.set_star(&Item::Album("a1".into()), Some(5)).await.unwrap();
    me.set_rating(&Item::Track("t3".into()), 4).await.unwrap();
    let sound = |version| Sonic { version, tempo: 99.0, vector: vec![1.0], ..Sonic::default() };
    let heard = |id: &str, version| Heard {
        track: id.into(),
        size: 1,
        version,
        blocks: String::new(),
        sound: Ok(sound(version)),
    };
    catalog.put_heard(&[heard("t0", 3), heard("t1", 2)]).await.unwrap();
    let all = me.listening(3).await.unwrap();

    assert_eq!(all.tunes.len(), 4);
    let (first, third, other) = (tune(&all, "t0"), tune(&all, "t2"), tune(&all, "t3"));
    assert_eq!((first.star, third.star, tune(&all, "t1").star), (1.0, 0.5, 0.0));
    assert_eq!((other.rating, first.rating), (4, 0));
    assert_eq!(all.artists[first.artist as usize], "Ada");
    assert_eq!((first.artist, first.album == third.album), (third.artist, false));
    assert_ne!(first.artist, other.artist);
    assert_eq!((first.year, first.duration_ms), (Some(1994), 200_000));
    // Spellings of one genre are one.
    let genre = tune(&all, "t1").genres[0];
    assert!(first.genres.contains(&genre) && first.genres.len() == 2);
    assert_eq!(all.genres.len(), 3);
    assert!((first.sound.as_ref().unwrap().tempo - 99.0).abs() < 1e-6);
    assert!(tune(&all, "t1").sound.is_none(), "figures of another version do not count");
}

#[tokio::test]
async fn the_gain_of_the_tags_wins_over_the_measured_one() {
    let (catalog, me) = filled().await;
    let gain = ReplayGain { track_gain: Some(-3.0), ..ReplayGain::default() };
    let quiet = Track { replay_gain: gain, ..tagged("t4", "Bo", ("b0", "Only"), &[]) };
    catalog.apply(&Batch { tracks: vec![quiet], ..Batch::default() }).await.unwrap();
    let all = me.listening(1).await.unwrap();
    assert_eq!((tune(&all, "t4").gain, tune(&all, "t3").gain), (Some(-3.0), None));
}

#[tokio::test]
async fn plays_come_with_the_hour_of_where_they_were_heard() {
    let (catalog, me) = filled().await;
    let near = PlayContext { offset_minutes: 90, device: "headphones".into(), source: "First".into() };
    me.record_play_in(&play("t0", LATE, 150_000, EndReason::Finished), &near).await.unwrap();
    let far = PlayContext { offset_minutes: -300, ..PlayContext::default() };
    me.record_play_in(&play("t3", LATE + 1000, 9000, EndReason::Skipped), &far).await.unwrap();
    let somebody = catalog.listener(&"somebody else".into());
    somebody.record_play(&play("t2", LATE, 150_000, EndReason::Finished)).await.unwrap();
    let all = me.listening(1).await.unwrap();

    assert_eq!(all.plays.len(), 2, "nobody else's");
    let (first, second) = (&all.plays[0], &all.plays[1]);
    assert_eq!(all.tunes[first.tune as usize].title, "t0");
    assert_eq!((first.hour, first.weekday, first.heard_ms), (1, 4, 150_000), "past midnight there");
    assert_eq!((second.hour, second.weekday, second.end), (18, 3, EndReason::Skipped));
    assert_eq!((tune(&all, "t0").play_count, tune(&all, "t3").play_count), (1, 0), "a skip does not count");
    catalog.remove_tracks(&["t0".into()]).await.unwrap();
    assert_eq!(me.listening(1).await.unwrap().plays.len(), 1, "a track that is gone takes its plays along");
}

#[tokio::test]
async fn of_a_large_library_a_part_is_read_that_holds_what_the_listener_knows() {
    let catalog = database::in_memory().await;
    let tracks = (0..6_000_u32).map(|n| Track {
        added_at: i64::from(n),
        ..tagged(
            &format!("{:032x}", u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            &format!("Artist {}", n / 10),
            ("a", "A"),
            &[],
        )
    });
    let tracks: Vec<Track> = tracks.collect();
    let (played, fellow, seed) = (tracks[100].id.clone(), tracks[105].id.clone(), tracks[200].id.clone());
    catalog.apply(&Batch { tracks, albums: vec![album("a", "A", "All")], ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    me.record_play(&play(played.as_str(), LATE, 150_000, EndReason::Finished)).await.unwrap();
    let part = me.listening_around(1, std::slice::from_ref(&seed), 1_200).await.unwrap();
    for id in [&played, &fellow, &seed] {
        assert!(part.tunes.iter().any(|tune| tune.id.as_ref() == Some(id)), "{id} is missing");
    }
    // The 2,000 that came last, and a fifteenth of the others.
    assert!((2_150..2_500).contains(&part.tunes.len()), "{} tracks", part.tunes.len());
    assert_eq!(part, me.listening_around(1, std::slice::from_ref(&seed), 1_200).await.unwrap());
    assert_eq!(me.listening_around(1, &[], 6_000).await.unwrap().tunes.len(), 6_000);
}

#[tokio::test]
async fn what_was_searched_for_says_so() {
    let (catalog, me) = filled().await;
    let found = PlayContext { source: format!("{}dew", PlayContext::SEARCH), ..PlayContext::default() };
    me.record_play_in(&play("t0", LATE, 150_000, EndReason::Finished), &found).await.unwrap();
    let after =
        Play { start: StartReason::Advance, ..play("t1", LATE + 200_000, 150_000, EndReason::Finished) };
    me.record_play_in(&after, &found).await.unwrap();
    me.record_play(&play("t3", LATE + 400_000, 150_000, EndReason::Finished)).await.unwrap();
    let plays = me.listening(1).await.unwrap().plays;
    assert_eq!(plays.iter().map(|play| play.sought).collect::<Vec<_>>(), [true, false, false]);
    drop(catalog);
}

#[tokio::test]
async fn own_playlists_are_taste_and_foreign_ones_are_not() {
    let (catalog, me) = filled().await;
    let list = me.create_playlist("Mine", &["t3".into(), "t0".into()]).await.unwrap();
    let somebody = catalog.listener(&"somebody else".into());
    somebody.create_playlist("Theirs", &["t2".into()]).await.unwrap();
    let all = me.listening(1).await.unwrap();
    let titles: Vec<&str> = all.lists[0].iter().map(|i| all.tunes[*i as usize].title.as_str()).collect();
    assert_eq!((all.lists.len(), titles), (1, vec!["t3", "t0"]));
    me.delete_playlist(&list).await.unwrap();
    assert!(me.listening(1).await.unwrap().lists.is_empty());
}

#[tokio::test]
async fn less_of_something_is_kept_and_taken_back() {
    let (_catalog, me) = filled().await;
    let (song, artist) = (Item::Track("t2".into()), Item::Artist("artist-Bo".into()));
    me.set_less(&song, true).await.unwrap();
    me.set_less(&song, true).await.unwrap();
    me.set_less(&artist, true).await.unwrap();
    let all = me.listening(1).await.unwrap();
    assert_eq!(all.less.iter().map(|i| all.tunes[*i as usize].title.as_str()).collect::<Vec<_>>(), ["t2"]);
    assert_eq!(all.less_artists, [tune(&all, "t3").artist]);
    assert!(me.set_less(&Item::Album("a0".into()), true).await.is_err());
    me.set_less(&song, false).await.unwrap();
    me.set_less(&artist, false).await.unwrap();
    let all = me.listening(1).await.unwrap();
    assert!(all.less.is_empty() && all.less_artists.is_empty());
}

#[tokio::test]
async fn who_opted_out_gives_the_library_and_nothing_else() {
    let (catalog, me) = filled().await;
    let other = catalog.listener(&"somebody else".into());
    for listener in [&me, &other] {
        listener.record_play(&play("t0", LATE, 150_000, EndReason::Finished)).await.unwrap();
        listener.set_star(&Item::Track("t1".into()), Some(5)).await.unwrap();
        listener.create_playlist("List", &["t3".into()]).await.unwrap();
    }
    assert!(me.profiled().await.unwrap());
    me.set_profiled(false).await.unwrap();
    me.set_profiled(false).await.unwrap();
    assert!(!me.profiled().await.unwrap());
    let all = me.listening(1).await.unwrap();
    assert_eq!(all.tunes.len(), 4);
    assert!(all.plays.is_empty() && all.lists.is_empty() && all.less.is_empty());
    assert!(all.tunes.iter().all(|t| t.star.abs() < 1e-6 && t.rating == 0 && t.play_count == 0));
    assert!(all.tunes.iter().all(|t| t.played_at.is_none()));
    let plays = catalog.everybodys_plays().await.unwrap();
    assert_eq!(plays, [("somebody else".into(), "t0".to_owned(), 1)]);
    assert!(!other.listening(1).await.unwrap().plays.is_empty());
    // What they did is still theirs, and counts again when they come back.
    me.set_profiled(true).await.unwrap();
    assert_eq!(me.listening(1).await.unwrap().plays.len(), 1);
    assert_eq!(catalog.everybodys_plays().await.unwrap().len(), 2);
}
