//! Plays of many listeners in one transaction: each counts once, however often it is told of.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/crowd.rs"]
mod crowd;
#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use crowd::{NOON, account, item, play, shelve};
use segue::catalog::{Catalog, NewPlay, SearchWindows};
use segue::music::{Item, Play, Purpose, TrackId, Window};

async fn with(accounts: &[&str]) -> Catalog {
    let catalog = database::in_memory().await;
    shelve(&catalog, 8).await;
    for id in accounts {
        catalog.add_account(&account(id)).await.unwrap();
    }
    catalog
}

/// How often an account's item was counted, and when last.
async fn counted(catalog: &Catalog, of: &str, id: &str) -> (u32, Option<i64>) {
    let track = catalog.listener(&of.into()).track(&TrackId::from(id)).await.unwrap().unwrap();
    (track.marks.play_count, track.marks.played_at)
}

async fn plays(catalog: &Catalog, of: &str) -> usize {
    catalog.listener(&of.into()).recent_plays(Window::ALL).await.unwrap().len()
}

#[tokio::test]
async fn a_play_that_is_sent_twice_counts_once_in_one_batch_in_two_and_by_itself() {
    let catalog = with(&["ann", "bob"]).await;
    let (t0, t1) = (item(0), item(1));
    let first = [
        play("ann", &t0, NOON),
        play("bob", &t0, NOON),
        play("ann", &t0, NOON),
        play("ann", &t0, NOON + 5_000),
        play("ann", &t1, NOON),
    ];
    assert_eq!(catalog.record_plays(&first).await.unwrap(), [true, true, false, true, true]);
    assert_eq!(catalog.record_plays(&first).await.unwrap(), [false; 5]);
    let more = [play("bob", &t1, NOON - 9_000), play("ann", &t0, NOON)];
    assert_eq!(catalog.record_plays(&more).await.unwrap(), [true, false]);
    // What a single write kept is known to a batch, and the other way round.
    let ann = catalog.listener(&"ann".into());
    assert!(!ann.record_play(&first[0].play).await.unwrap());
    let alone = play("ann", &t1, NOON + 60_000);
    assert!(ann.record_play(&alone.play).await.unwrap());
    assert_eq!(catalog.record_plays(&[alone]).await.unwrap(), [false]);

    assert_eq!(counted(&catalog, "ann", &t0).await, (2, Some(NOON + 5_000)));
    assert_eq!(counted(&catalog, "ann", &t1).await, (2, Some(NOON + 60_000)));
    assert_eq!(counted(&catalog, "bob", &t0).await, (1, Some(NOON)));
    assert_eq!((plays(&catalog, "ann").await, plays(&catalog, "bob").await), (4, 2));
    // Both tracks are by one artist.
    let artist = ann.artist(&"artist-Artist 0".into()).await.unwrap().unwrap();
    assert_eq!((artist.marks.play_count, artist.marks.played_at), (4, Some(NOON + 60_000)));
    assert_eq!(catalog.record_plays(&[]).await.unwrap(), [] as [bool; 0]);
}

#[tokio::test]
async fn what_is_gone_or_unwanted_is_left_out_and_holds_nobody_up() {
    let catalog = with(&["ann", "bob"]).await;
    catalog.listener(&"bob".into()).decide(Purpose::History, false, 1).await.unwrap();
    let short = |mut new: NewPlay| {
        new.play.heard_ms = 10;
        new
    };
    let told = [
        play("ann", &item(0), NOON),
        play("ann", "a track that is gone", NOON),
        play("nobody", &item(0), NOON),
        play("bob", &item(0), NOON),
        short(play("ann", &item(1), NOON)),
    ];
    assert_eq!(catalog.record_plays(&told).await.unwrap(), [true, false, false, false, true]);
    assert_eq!(counted(&catalog, "ann", &item(1)).await, (0, None), "kept, and too short to count");
    assert_eq!((plays(&catalog, "ann").await, plays(&catalog, "bob").await), (2, 0));
    assert_eq!(plays(&catalog, "nobody").await, 0);
    // What is heard much comes first.
    let ann = catalog.listener(&"ann".into());
    let before = ann.search("song", SearchWindows::first(8)).await.unwrap().tracks;
    let loved = before.last().unwrap().id.clone();
    let many: Vec<NewPlay> = (0..40).map(|n| play("ann", loved.as_str(), NOON + n * 2_000)).collect();
    assert!(catalog.record_plays(&many).await.unwrap().into_iter().all(|kept| kept));
    let after = ann.search("song", SearchWindows::first(8)).await.unwrap().tracks;
    assert_eq!(after.iter().position(|track| track.id == loved), Some(0), "the search knows of it");
    ann.set_star(&Item::Track(loved), Some(1)).await.unwrap();
}

#[tokio::test]
async fn a_play_without_a_time_is_no_second_one_before_it_can_have_been_heard_again() {
    let catalog = with(&["ann"]).await;
    let untimed = |at: i64| NewPlay { timed: false, ..play("ann", &item(0), at) };
    // The track is one second long: half of it is 500 ms.
    assert_eq!(catalog.record_plays(&[untimed(NOON), untimed(NOON + 400)]).await.unwrap(), [true, false]);
    assert_eq!(catalog.record_plays(&[untimed(NOON + 499)]).await.unwrap(), [false]);
    assert_eq!(catalog.record_plays(&[untimed(NOON + 500)]).await.unwrap(), [true]);
    let other = NewPlay { timed: false, ..play("ann", &item(1), NOON + 501) };
    assert_eq!(catalog.record_plays(&[other]).await.unwrap(), [true], "another track");
    assert_eq!(counted(&catalog, "ann", &item(0)).await.0, 2);
    assert!(Play::counts(500, 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_several_writers_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    // As two processes would.
    let both = [database::open(&file).await.unwrap(), database::open(&file).await.unwrap()];
    shelve(&both[0], 8).await;
    for user in 0..6 {
        both[0].add_account(&account(&crowd::name(user))).await.unwrap();
    }
    let writers = (0..4_u32).map(|writer| {
        let catalog = both[writer as usize % 2].clone();
        tokio::spawn(async move {
            let mut kept = 0;
            for batch in 0..10_u32 {
                // Every play is in the batches of two writers; each has them in another order.
                let one = |n: u32| {
                    let n = if writer < 2 { n } else { 59 - n };
                    let at = NOON + i64::from(batch * 60 + n + writer % 2 * 10_000) * 1000;
                    play(&crowd::name(n % 6), &item(n % 8), at)
                };
                let plays: Vec<NewPlay> = (0..60).map(one).collect();
                let told = catalog.record_plays(&plays).await.unwrap();
                kept += told.into_iter().filter(|kept| *kept).count();
            }
            kept
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut kept = 0;
    for writer in writers {
        kept += writer.await.unwrap();
    }
    assert_eq!(kept, 2 * 10 * 60);
    let (mut there, mut marked) = (0, 0);
    for user in 0..6 {
        there += plays(&both[0], &crowd::name(user)).await;
        for n in 0..8 {
            marked += counted(&both[0], &crowd::name(user), &item(n)).await.0;
        }
    }
    assert_eq!((there, marked as usize), (kept, kept));
}
