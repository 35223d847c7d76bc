//! Search: whatever stands in a title is found by any beginning of any of its words, and no query is an error.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/library.rs"]
mod library;

use std::collections::BTreeSet;

use library::{account, artist_ref, track};
use proptest::prelude::*;
use segue::{
    catalog::{Batch, Catalog, Listener, SearchWindows},
    music::{EndReason, Item, Marks, Play, StartReason, Track, Window, fold},
};

async fn filled(tracks: Vec<Track>) -> Listener {
    let catalog = Catalog::in_memory().await.unwrap();
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
        assert_eq!(found(&me, query).await, [title], "{query}");
    }
    assert!(found(&me, "京東").await.is_empty(), "adjacent characters stand for themselves in order");
    assert!(found(&me, "björk stop").await.is_empty(), "every word must be there");
}

#[tokio::test]
async fn better_matches_come_first() {
    let me = titled(&["The Blue Danube", "Bluesy", "Blue Moon", "Blue", "So Blue"]).await;
    assert_eq!(found(&me, "blue").await, ["Blue", "Bluesy", "Blue Moon", "The Blue Danube", "So Blue"]);
    assert_eq!(found(&me, "blue m").await, ["Blue Moon"]);
    let page = SearchWindows { tracks: Window::new(1, 2), ..SearchWindows::first(0) };
    let hits = me.search("blue", page).await.unwrap();
    assert_eq!(hits.tracks.iter().map(|t| t.title.as_str()).collect::<Vec<_>>(), ["Bluesy", "Blue Moon"]);
}

#[tokio::test]
async fn what_is_played_more_comes_before_its_like() {
    let catalog = Catalog::in_memory().await.unwrap();
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
