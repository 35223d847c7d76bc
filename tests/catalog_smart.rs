//! Smart playlists follow their rules; long lists are reached anywhere without being counted through.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use std::path::Path;
use std::time::Duration;

use library::{account, track};
use proptest::prelude::*;
use segue::{
    catalog::{
        AlbumList, Batch, Catalog, Choice, Listener, NamedRules, PlaylistEdit, Rules, Sorted, TrackOrder,
    },
    music::{Album, AlbumDetails, Item, Marks, PlaylistId, Track, Window, fold},
};

const DAY: i64 = 86_400_000;

fn now() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

/// Four tracks that differ in everything that rules speak of.
async fn shelf() -> (Catalog, Listener) {
    let catalog = database::in_memory().await;
    let one = |id: &str, title: &str, artist: &str, year: Option<i32>, genre: &str, days: i64| Track {
        year,
        genres: vec![genre.into()],
        added_at: now() - days * DAY,
        ..track(id, title, artist, Some(("x", "Album 100%")))
    };
    let tracks = vec![
        one("t1", "Love Song", "The Cure", Some(1989), "Rock", 100),
        one("t2", "Disintegration", "The Cure", Some(1990), "Rock", 2),
        one("t3", "Lovesong", "Adele", Some(2011), "Soul", 3),
        one("t4", "Ten_Years", "Björk", None, "Jazz", 400),
    ];
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    me.set_star(&Item::Track("t3".into()), Some(now() - 5 * DAY)).await.unwrap();
    me.set_rating(&Item::Track("t1".into()), 4).await.unwrap();
    let played = Marks { play_count: 7, played_at: Some(now() - DAY), ..Marks::default() };
    me.adopt_marks(&[(Item::Track("t2".into()), played)]).await.unwrap();
    (catalog, me)
}

async fn inside(me: &Listener, id: &PlaylistId) -> Vec<String> {
    let (list, tracks) = me.playlist(id).await.unwrap().unwrap();
    assert_eq!(list.track_count as usize, tracks.len());
    tracks.into_iter().map(|t| t.id.into_string()).collect()
}

#[tokio::test]
async fn conditions_of_files_mean_what_they_say() {
    let (catalog, me) = shelf().await;
    let file = Path::new("/music/x.nsp");
    for (rules, ids) in [
        (r#"{"all": [{"is": {"loved": true}}]}"#, &["t3"][..]),
        (r#"{"all": [{"is": {"loved": false}}], "sort": "title"}"#, &["t2", "t1", "t4"]),
        (r#"{"any": [{"is": {"loved": true}}, {"gt": {"rating": 3}}], "sort": "year"}"#, &["t1", "t3"]),
        (
            r#"{"all": [{"inTheRange": {"year": [1980, 1990]}}], "sort": "year", "order": "desc"}"#,
            &["t2", "t1"],
        ),
        (r#"{"all": [{"contains": {"title": "LOVE"}}, {"isNot": {"artist": "adele"}}]}"#, &["t1"]),
        (r#"{"all": [{"contains": {"title": "n_y"}}]}"#, &["t4"]),
        (r#"{"all": [{"endsWith": {"album": "100%"}}], "limit": 2, "sort": "title"}"#, &["t2", "t1"]),
        (r#"{"all": [{"startsWith": {"title": "love"}}], "sort": "-dateadded"}"#, &["t3", "t1"]),
        (r#"{"all": [{"notContains": {"genre": "o"}}]}"#, &["t4"]),
        (r#"{"all": [{"inTheLast": {"dateadded": 30}}], "sort": "dateadded"}"#, &["t3", "t2"]),
        (
            r#"{"all": [{"notInTheLast": {"lastplayed": 30}}], "sort": "playcount,title"}"#,
            &["t1", "t3", "t4"],
        ),
        (r#"{"all": [{"gt": {"playcount": 0}}, {"before": {"dateadded": "2099-01-01"}}]}"#, &["t2"]),
        (r#"{"all": [{"after": {"dateloved": "2020-01-01"}}]}"#, &["t3"]),
        (r#"{"all": [{"all": [{"lt": {"year": 1990}}, {"any": []}]}]}"#, &[]),
        (r#"{"all": [{"gt": {"playcount": -1}}], "sort": "title", "offset": 1, "limit": 2}"#, &["t1", "t3"]),
    ] {
        let named = NamedRules::parse(rules).unwrap();
        let id = catalog.put_smart_file(&account(), file, &named).await.unwrap();
        assert_eq!(inside(&me, &id).await, ids, "{rules}");
    }
    assert_eq!(me.playlists().await.unwrap().len(), 1, "a file is one playlist, whatever it says");
    assert_eq!(catalog.remove_smart_files(&[file.to_owned()]).await.unwrap(), 1);
}

#[tokio::test]
async fn a_kept_search_follows_the_library() {
    let (catalog, me) = shelf().await;
    let me = me.with_outbox();
    let (name, rules) = Rules::kept("love", "Love songs sort:-year").unwrap();
    let id = me.create_smart_playlist(&name, &rules).await.unwrap();
    assert_eq!(inside(&me, &id).await, ["t3", "t1"]);
    let more = vec![Track { year: Some(1999), ..track("t5", "Loveless", "X", None) }];
    catalog.apply(&Batch { tracks: more, ..Batch::default() }).await.unwrap();
    assert_eq!(inside(&me, &id).await, ["t3", "t5", "t1"]);
    let unloved = Rules { sort: Vec::new(), ..Rules::kept("love starred:", "x").unwrap().1 };
    me.set_smart_rules(&id, &unloved).await.unwrap();
    assert_eq!(me.smart_rules(&id).await.unwrap().unwrap().choice, Choice::Search("love starred:".into()));
    assert_eq!(inside(&me, &id).await, ["t3"]);
    me.set_star(&Item::Track("t3".into()), None).await.unwrap();
    assert!(inside(&me, &id).await.is_empty());
    // Its tracks are not anybody's to change, its name is.
    let add = PlaylistEdit { add: vec!["t1".into()], ..PlaylistEdit::default() };
    assert!(me.edit_playlist(&id, &add).await.is_err());
    assert!(me.replace_playlist(&id, None, &["t1".into()]).await.is_err());
    let waiting = catalog.outbox(100).await.unwrap().len();
    let rename = PlaylistEdit { name: Some("Hearts".into()), ..PlaylistEdit::default() };
    me.edit_playlist(&id, &rename).await.unwrap();
    assert_eq!(me.playlists().await.unwrap()[0].name, "Hearts");
    // What the server says about playlists leaves it alone, and the server is told nothing.
    me.adopt_playlists(&[]).await.unwrap();
    assert_eq!(me.playlists().await.unwrap().len(), 1);
    me.delete_playlist(&id).await.unwrap();
    assert!(me.playlists().await.unwrap().is_empty());
    assert_eq!(catalog.outbox(100).await.unwrap().len(), waiting);
}

#[tokio::test]
async fn errors_are_forgiven_only_where_nothing_is_right() {
    let catalog = database::in_memory().await;
    let tracks = vec![track("t1", "Yesterday", "A", None), track("t2", "Yesterdex", "A", None)];
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    let right = me.create_smart_playlist("a", &Rules::search("yesterday")).await.unwrap();
    let wrong = me.create_smart_playlist("b", &Rules::search("yesterdaz")).await.unwrap();
    assert_eq!(inside(&me, &right).await, ["t1"]);
    assert_eq!(inside(&me, &wrong).await.len(), 2);
}

#[tokio::test]
async fn chance_is_the_same_all_day() {
    let catalog = database::in_memory().await;
    let tracks = (0..200).map(|n| track(&format!("t{n:03}"), &format!("Song {n:03}"), "A", None)).collect();
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    let rules = Rules { shuffle: true, limit: Some(50), ..Rules::search("song") };
    let id = me.create_smart_playlist("mix", &rules).await.unwrap();
    let first = inside(&me, &id).await;
    assert_eq!(first.len(), 50);
    assert_ne!(first, {
        let mut sorted = first.clone();
        sorted.sort();
        sorted
    });
    assert_eq!(inside(&me, &id).await, first);
    let other = me.create_smart_playlist("other", &rules).await.unwrap();
    assert_ne!(inside(&me, &other).await, first, "another list has another order");
}

/// The same names many times over, in a file, where rulers are read.
async fn long_lists(folder: &Path) -> Listener {
    let catalog = database::open(&folder.join("catalog.db")).await.unwrap();
    let names = ["Ärger", "Bach", "björk", "Zappa", "東京", "Кино"];
    let tracks = (0..6_000).map(|n| {
        let name = format!("{} {}", names[n % names.len()], n / 40);
        track(&format!("t{n:05}"), &name, &name, Some((&format!("a{n}"), &name)))
    });
    let tracks: Vec<Track> = tracks.collect();
    let albums = tracks.iter().map(|t| Album {
        id: t.album_id.clone().unwrap(),
        title: t.title.clone(),
        artist: t.artist.clone(),
        artists: t.artists.clone(),
        year: None,
        genres: Vec::new(),
        track_count: 1,
        duration_ms: 1_000,
        cover: None,
        compilation: false,
        musicbrainz_id: None,
        added_at: 0,
        details: AlbumDetails::default(),
        marks: Marks::default(),
    });
    let albums = albums.collect();
    catalog.apply(&Batch { albums, tracks, ..Batch::default() }).await.unwrap();
    catalog.listener(&account())
}

#[tokio::test]
async fn windows_and_letters_agree_with_the_whole_list() {
    let folder = tempfile::tempdir().unwrap();
    let me = long_lists(folder.path()).await;
    let whole = me.tracks_by(TrackOrder::Title, Window::ALL).await.unwrap();
    let artists = me.artists(Window::ALL).await.unwrap();
    let albums = me.albums(&AlbumList::ByName, Window::ALL).await.unwrap();
    assert_eq!((whole.len(), albums.len()), (6_000, 6_000));
    assert!(artists.len() > 600);
    // The first time without rulers, then with them.
    for _ in 0..2 {
        for offset in [0, 511, 2_048, 2_500, 4_095, 5_999, 6_000, 9_000] {
            let window = Window::new(offset, 300);
            let at = usize::try_from(offset).unwrap();
            let page = me.tracks_by(TrackOrder::Title, window).await.unwrap();
            assert_eq!(page, whole.iter().skip(at).take(300).cloned().collect::<Vec<_>>(), "{offset}");
            let page = me.artists(window).await.unwrap();
            assert_eq!(page, artists.iter().skip(at).take(300).cloned().collect::<Vec<_>>(), "{offset}");
            let page = me.albums(&AlbumList::ByName, window).await.unwrap();
            assert_eq!(page, albums.iter().skip(at).take(300).cloned().collect::<Vec<_>>(), "{offset}");
        }
        for letters in ["", "b", "Bjö", "bach 77", "z", "ки", "東", "\u{10ffff}"] {
            let place = me.place_of_letters(Sorted::Tracks, letters).await.unwrap();
            let wanted = whole.iter().filter(|t| fold(&t.title) < fold(letters)).count();
            assert_eq!(place, wanted as u64, "{letters}");
            let place = me.place_of_letters(Sorted::Artists, letters).await.unwrap();
            let wanted = artists.iter().filter(|a| fold(&a.sort_name) < fold(letters)).count();
            assert_eq!(place, wanted as u64, "{letters}");
        }
        for at in [0, 1_000, 5_999] {
            assert_eq!(me.place_of_track(&whole[at].id).await.unwrap(), Some(at as u64));
        }
        let last = artists.len() - 1;
        assert_eq!(me.place_of_artist(&artists[last].id).await.unwrap(), Some(last as u64));
        assert_eq!(me.place_of_album(&albums[7].id).await.unwrap(), Some(7));
        assert_eq!(me.place_of_album(&"nowhere".into()).await.unwrap(), None);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn sizes_follow_every_change() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    let catalog = database::open(&file).await.unwrap();
    let put = async |from: usize, to: usize| {
        let tracks = (from..to).map(|n| track(&format!("t{n}"), "T", "A", None)).collect();
        catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    };
    put(0, 25_000).await;
    assert_eq!(catalog.stats().await.unwrap().tracks, 25_000);
    tokio::time::sleep(Duration::from_millis(300)).await; // the sum is written aside
    let again = database::open(&file).await.unwrap();
    assert_eq!(again.stats().await.unwrap(), catalog.stats().await.unwrap());
    put(25_000, 25_010).await;
    assert_eq!(again.stats().await.unwrap().tracks, 25_010);
    catalog.remove_tracks(&["t0".into()]).await.unwrap();
    assert_eq!(database::open(&file).await.unwrap().stats().await.unwrap().tracks, 25_009);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_file_breaks_anything(text in "\\PC{0,80}", field in "[a-z]{0,8}", value in any::<i64>()) {
        let _ = NamedRules::parse(&text);
        let text = format!(r#"{{"all": [{{"gt": {{"{field}": {value}}}}}, {{"inTheLast": {{"year": {value}}}}}]}}"#);
        if let Ok(named) = NamedRules::parse(&text) {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let (catalog, me) = shelf().await;
                let id = catalog.put_smart_file(&account(), Path::new("/x.nsp"), &named).await.unwrap();
                inside(&me, &id).await;
            });
        }
    }
}
