//! Search: whatever stands in a title is found by any beginning of any of its words, and no query is an error.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use std::collections::BTreeSet;

use library::{account, artist_ref, track};
use proptest::prelude::*;
use segue::{
    catalog::{Batch, HitKind, Listener, SearchWindows},
    music::{EndReason, Item, Lyrics, Marks, Play, StartReason, Track, Window, fold},
};

async fn filled(tracks: Vec<Track>) -> Listener {
    let catalog = database::in_memory().await;
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    catalog.listener(&account())
}

async fn titled(titles: &[&str]) -> Listener {
    let tracks = titles.iter().enumerate().map(|(n, t)| track(&format!("t{n}"), t, "Someone", None));
    filled(tracks.collect()).await
}

async fn found(me: &Listener, query: &str) -> Vec<String> {
    let hits = me.search(query, SearchWindows::first(50)).await.unwrap();
    hits.tracks.into_iter().map(|t| t.title).collect()
}

#[tokio::test]
async fn words_as_listeners_type_them() {
    let me = titled(&[
        "Björk Guðmundsdóttir",
        "Straße nach Łódź",
        "AC/DC",
        "Don't Stop",
        "東京の夜",
        "!!!",
        "Тихий Дон",
        "שלום",
    ])
    .await;
    for (query, title) in [
        ("bjork", "Björk Guðmundsdóttir"),
        ("GUDM bj", "Björk Guðmundsdóttir"),
        ("strasse lodz", "Straße nach Łódź"),
        ("ac/dc", "AC/DC"),
        ("dont", "Don't Stop"),
        ("don’t s", "Don't Stop"),
        ("京", "東京の夜"),
        ("東京", "東京の夜"),
        ("夜", "東京の夜"),
        ("!!!", "!!!"),
        ("ТИХ", "Тихий Дон"),
        ("שלו", "שלום"),
    ] {
        assert_eq!(found(&me, query).await.first().map(String::as_str), Some(title), "{query}");
    }
    assert!(found(&me, "京東").await.is_empty(), "adjacent characters stand for themselves in order");
    assert!(found(&me, "björk stop").await.is_empty(), "every word must be there");
}

#[tokio::test]
async fn what_agrees_less_well_than_the_next_kind_does_not_stand_before_it() {
    let catalog = database::in_memory().await;
    let tracks = vec![
        track("t0", "Rain Town", "Someone", None),
        track("t1", "Rain Song", "Town Band", None),
        track("t2", "Other", "Else", Some(("a0", "Works of Town and Rain"))),
    ];
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    let hits = me.search("rain town", SearchWindows::first(50)).await.unwrap();
    assert_eq!((hits.order[0], hits.order[1]), (HitKind::Track, HitKind::Album));
    assert_eq!((hits.tracks.len(), hits.albums.len()), (3, 1));
    assert_eq!(
        hits.leads[HitKind::Track as usize],
        1,
        "only the title that is the query stands before the album"
    );
}

#[tokio::test]
async fn better_matches_come_first() {
    let me = titled(&["The Blue Danube", "Bluesy", "Blue Moon", "Blue", "So Blue"]).await;
    assert_eq!(found(&me, "blue").await, ["Blue", "Blue Moon", "Bluesy", "The Blue Danube", "So Blue"]);
    assert_eq!(found(&me, "blue m").await, ["Blue Moon"]);
    let page = SearchWindows { tracks: Window::new(1, 2), ..SearchWindows::first(0) };
    let hits = me.search("blue", page).await.unwrap();
    assert_eq!(hits.tracks.iter().map(|t| t.title.as_str()).collect::<Vec<_>>(), ["Blue Moon", "Bluesy"]);
}

#[tokio::test]
async fn what_is_played_more_comes_before_its_like() {
    let catalog = database::in_memory().await;
    let tracks = (0..30).map(|n| track(&format!("t{n:02}"), &format!("Song {n}"), "A", None)).collect();
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    let play = Play {
        track: "t20".into(),
        started_at: 1,
        heard_ms: 1000,
        start: StartReason::Chosen,
        end: EndReason::Finished,
    };
    me.record_play(&play).await.unwrap();
    let marks = Marks { play_count: 5, ..Marks::default() };
    me.adopt_marks(&[(Item::Track("t25".into()), marks)]).await.unwrap();
    assert_eq!(found(&me, "song").await[..3], ["Song 25", "Song 20", "Song 0"]);
    catalog
        .apply(&Batch { tracks: vec![track("t20", "Song renamed", "A", None)], ..Batch::default() })
        .await
        .unwrap();
    assert_eq!(found(&me, "song").await[1], "Song renamed", "a changed track keeps its rank");
}

#[tokio::test]
async fn tracks_are_found_by_artists_and_album_too() {
    let mut one = track("t1", "Duet", "A feat. Zoë", Some(("x", "The Album")));
    one.artists = vec![artist_ref("A"), artist_ref("Zoë Keating")];
    one.album_artist = "Various".into();
    let me = filled(vec![one]).await;
    for query in ["keat", "zoe duet", "album", "vari al"] {
        assert_eq!(found(&me, query).await, ["Duet"], "{query}");
    }
    let hits = me.search("zoe", SearchWindows::first(5)).await.unwrap();
    assert_eq!(hits.artists.len(), 1);
    assert_eq!(me.search("album", SearchWindows::first(5)).await.unwrap().albums.len(), 1);
}

#[tokio::test]
async fn an_empty_query_pages_through_everything_once() {
    let tracks = (0..250).map(|n| track(&format!("t{n}"), "Same", "A", None)).collect();
    let me = filled(tracks).await;
    for query in ["", "\"\"", "  "] {
        let mut seen = BTreeSet::new();
        for page in 0..4 {
            let windows = SearchWindows { tracks: Window::new(page * 100, 100), ..SearchWindows::first(1) };
            let hits = me.search(query, windows).await.unwrap();
            assert_eq!(hits.tracks.len(), [100, 100, 50, 0][usize::try_from(page).unwrap()]);
            seen.extend(hits.tracks.into_iter().map(|t| t.id.into_string()));
        }
        assert_eq!(seen.len(), 250, "{query:?}");
    }
}

#[tokio::test]
async fn typing_errors_are_forgiven_after_what_is_right() {
    let me = titled(&["Metallica", "Metalica Tribute", "Bohemian Rhapsody", "Yesterday", "Abba"]).await;
    for (query, titles) in [
        ("metalica", &["Metalica Tribute", "Metallica"][..]),
        ("boheimna", &["Bohemian Rhapsody"]),
        ("rapsody bohemain", &["Bohemian Rhapsody"]),
        ("yestrdya", &["Yesterday"]),
        ("eysterday", &["Yesterday"]),
        ("yesterdxx", &["Yesterday"]),
        ("abab", &["Abba"]),
    ] {
        assert_eq!(found(&me, query).await, titles, "{query}");
    }
    for query in ["xbb", "bhmn", "yesxxxday"] {
        assert!(found(&me, query).await.is_empty(), "{query} is too far from anything");
    }
}

#[tokio::test]
async fn other_spellings_find() {
    let me =
        titled(&["Björk", "Кино — Группа крови", "AC/DC", "さくら", "Μίκης Θεοδωράκης", "Ｗｉｄｅ", "محبّة"])
            .await;
    for (query, title) in [
        ("bjoerk", "Björk"),
        ("kino", "Кино — Группа крови"),
        ("gruppa krovi", "Кино — Группа крови"),
        ("acdc", "AC/DC"),
        ("sakura", "さくら"),
        ("サクラ", "さくら"),
        ("theodorakis", "Μίκης Θεοδωράκης"),
        ("theodwrakis", "Μίκης Θεοδωράκης"),
        ("ΜΙΚΗΣ", "Μίκης Θεοδωράκης"),
        ("wide", "Ｗｉｄｅ"),
        ("محبة", "محبّة"),
    ] {
        assert_eq!(found(&me, query).await, [title], "{query}");
    }
}

#[tokio::test]
async fn operators_ask_for_places_and_properties() {
    let day = 86_400_000;
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let one = |id: &str, title: &str, artist: &str, album: &str, year, genre: &str, age: i64| Track {
        year: Some(year),
        genres: vec![genre.into()],
        added_at: now - age * day,
        ..track(id, title, artist, Some((album, album)))
    };
    let me = filled(vec![
        one("t1", "Love Song", "The Cure", "Disintegration", 1989, "Rock", 100),
        one("t2", "Disintegration", "The Cure", "Disintegration", 1989, "Rock", 100),
        one("t3", "Lovesong", "Adele", "21", 2011, "Soul", 3),
        one("t4", "Cure", "Metallica", "Load", 1996, "Metal", 3),
        one("t5", "Love Song (Live)", "Tesla", "Five Man Live", 1990, "Hard Rock", 3),
    ])
    .await;
    me.set_rating(&Item::Track("t3".into()), 4).await.unwrap();
    me.set_star(&Item::Track("t4".into()), Some(5)).await.unwrap();
    let play = Play {
        track: "t1".into(),
        started_at: 1,
        heard_ms: 1000,
        start: StartReason::Chosen,
        end: EndReason::Finished,
    };
    me.record_play(&play).await.unwrap();
    for (query, ids) in [
        ("artist:cure", &["t1", "t2"][..]),
        ("title:cure", &["t4"]),
        ("album:disint love", &["t1"]),
        ("genre:rock", &["t1", "t2"]),
        ("genre:\"hard rock\"", &["t5"]),
        ("year:1990..1999", &["t4", "t5"]),
        ("love year:<1990", &["t1"]),
        ("rating:>3", &["t3"]),
        ("starred:", &["t4"]),
        ("love -live", &["t1", "t3"]),
        ("\"love song\" -artist:cure", &["t5"]),
        ("added:<30d", &["t3", "t4", "t5"]),
        ("plays:0 genre:rock", &["t2"]),
        ("plays:>0", &["t1"]),
        ("-genre:rock -starred: plays:0", &["t3", "t5"]),
    ] {
        let hits = me.search(query, SearchWindows::first(50)).await.unwrap();
        let mut found: Vec<&str> = hits.tracks.iter().map(|t| t.id.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, ids, "{query}");
    }
}

#[tokio::test]
async fn what_is_sung_is_found_by_its_operator_alone() {
    let catalog = database::in_memory().await;
    let tracks = ["River", "Silence", "Sea"].iter().map(|t| track(&t.to_lowercase(), t, "A", None)).collect();
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    assert!(found(&me, "lyrics:").await.is_empty());
    let sing = |id: &'static str, text: &str| {
        let lyrics = Lyrics::parse(text, "en").into_iter().collect();
        let (catalog, id) = (catalog.clone(), id.into());
        async move { catalog.set_lyrics(&id, lyrics).await.unwrap() }
    };
    sing("silence", "[00:01.00]Down by the Rivers we sat\n[00:05.00]Été, love").await;
    sing("sea", "The waves\nlove no river").await;
    for (query, titles) in [
        ("lyrics:river", &["Sea", "Silence"][..]),
        ("lyrics:rivers", &["Silence"]),
        ("lyrics:\"river\"", &["Sea"]),
        ("lyrics:ete", &["Silence"]),
        ("lyrics:\"love waves\"", &["Sea"]),
        ("lyrics:river -lyrics:waves", &["Silence"]),
        ("sil lyrics:love", &["Silence"]),
        ("-lyrics:", &["River"]),
        ("lyrics:", &["Sea", "Silence"]),
        ("river", &["River"]),
        ("lyrics:nothing", &[]),
    ] {
        let mut titles_found = found(&me, query).await;
        titles_found.sort();
        assert_eq!(titles_found, titles, "{query}");
    }
    sing("sea", "").await;
    assert_eq!(found(&me, "lyrics:river").await, ["Silence"], "lyrics that are gone are not sung");
}

#[tokio::test]
async fn kinds_stand_by_how_well_they_agree() {
    let catalog = database::in_memory().await;
    let tracks = vec![
        track("t1", "Hunter", "Björk", Some(("a1", "Homogenic"))),
        track("t2", "Homogenic", "Someone", Some(("a2", "Covers"))),
        track("t3", "Winter", "Björk", Some(("a1", "Homogenic"))),
    ];
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    me.create_playlist("Icelandic winters", &["t1".into(), "t3".into()]).await.unwrap();
    let all = SearchWindows::first(10);
    for (query, first) in [
        ("bjork", HitKind::Artist),
        ("homogenic", HitKind::Album),
        ("hunter", HitKind::Track),
        ("icelandic", HitKind::Playlist),
        ("winters", HitKind::Playlist),
    ] {
        assert_eq!(me.search(query, all).await.unwrap().order[0], first, "{query}");
    }
    let hits = me.search("iceland", all).await.unwrap();
    assert_eq!((hits.playlists[0].name.as_str(), hits.playlists[0].track_count), ("Icelandic winters", 2));
    assert!(me.search("iceland year:1999", all).await.unwrap().playlists.is_empty());
    let hits = me.search("bjrok hunt", all).await.unwrap();
    assert_eq!(hits.read, [("bjrok".to_owned(), "björk".to_owned())]);
    assert_eq!(hits.tracks[0].title, "Hunter");
    assert!(me.search("bjoerk", all).await.unwrap().read.is_empty());
}

#[tokio::test]
async fn the_index_follows_whoever_writes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    let put = |id: &'static str, title: &'static str| Batch {
        tracks: vec![track(id, title, "A", None)],
        ..Batch::default()
    };
    let mine = database::open(&file).await.unwrap();
    let other = database::open(&file).await.unwrap();
    let me = mine.listener(&account());
    mine.apply(&put("t1", "First")).await.unwrap();
    assert_eq!(found(&me, "first").await, ["First"]);
    assert_eq!(found(&other.listener(&account()), "first").await, ["First"]);
    other.apply(&put("t2", "Second")).await.unwrap();
    other.apply(&put("t1", "Renamed")).await.unwrap();
    assert_eq!(found(&me, "second").await, ["Second"]);
    assert_eq!(found(&me, "rename").await, ["Renamed"]);
    assert!(found(&me, "first").await.is_empty());
    mine.remove_tracks(&["t2".into()]).await.unwrap();
    assert!(found(&other.listener(&account()), "second").await.is_empty());
    if database::on_server() {
        return; // there the index is in memory alone
    }
    // The next start reads the index's file and the log; a damaged or missing file is only slower.
    let kept = folder.path().join("catalog.db.search");
    for damage in ["none", "cut", "other", "gone"] {
        match damage {
            "cut" => std::fs::write(&kept, &std::fs::read(&kept).unwrap()[..100]).unwrap(),
            "other" => std::fs::write(&kept, vec![7; 5_000]).unwrap(),
            "gone" => std::fs::remove_file(&kept).unwrap(),
            _ => assert!(kept.exists()),
        }
        let again = database::open(&file).await.unwrap();
        let me = again.listener(&account());
        assert_eq!(found(&me, "renamed").await, ["Renamed"], "{damage}");
        assert!(found(&me, "second").await.is_empty(), "{damage}");
    }
}

#[tokio::test]
async fn many_changes_build_the_index_again() {
    let catalog = database::in_memory().await;
    let me = catalog.listener(&account());
    let batch = |round: usize| Batch {
        tracks: (0..2_500)
            .map(|n| track(&format!("t{n}"), &format!("Round{round} n{n}"), "A", None))
            .collect(),
        ..Batch::default()
    };
    for round in 0..3 {
        catalog.apply(&batch(round)).await.unwrap();
        let wanted = format!("Round{round} n2499");
        assert_eq!(found(&me, &wanted).await.first(), Some(&wanted));
        assert_eq!(found(&me, "a").await.len(), 50);
    }
    assert!(found(&me, "title:round0").await.iter().all(|title| title.starts_with("Round")));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_beginning_of_every_word_finds(titles in prop::collection::vec("[\\PC]{0,12}( [\\p{L}\\p{N}'’-]{1,8}){1,3}", 1..12)) {
        runtime().block_on(async {
            let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
            let me = titled(&titles).await;
            for title in titles {
                for word in fold(title).split(' ').filter(|w| !w.is_empty()) {
                    for end in word.char_indices().map(|(at, c)| at + c.len_utf8()) {
                        let prefix = &word[..end];
                        // Marks that only stretch a word find nothing until a letter is there.
                        if end < word.len() && prefix.chars().all(|c| matches!(c, 'ー' | 'ـ')) {
                            continue;
                        }
                        let found = found(&me, prefix).await;
                        prop_assert!(found.iter().any(|t| t == title), "{prefix:?} of {title:?}: {found:?}");
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_query_is_an_error(query in any::<String>(), noise in "[\"*^():{}+\\-ANDORNEAR ]{0,30}") {
        runtime().block_on(async {
            let me = titled(&["One AND Two", "NEAR (you)", "\"Quoted\""]).await;
            for query in [&query, &noise] {
                let all = me.search(query, SearchWindows::first(50)).await;
                prop_assert!(all.is_ok(), "{query:?}: {all:?}");
            }
            Ok(())
        })?;
    }
}
