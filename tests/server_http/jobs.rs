//! What a server does by itself, without being asked: mixes, learning, and the end of accounts.

use std::time::Duration;

use segue::music::{EndReason, Play, StartReason, Window};
use segue::server::{Pace, World};
use segue::subsonic::{Client, Credentials};

use crate::house::{ANN, House, config, furnish};

/// All of it at once, and again soon.
fn quick() -> World {
    let pace = Pace {
        settle: Duration::from_millis(100),
        mixes: Duration::from_millis(200),
        learned: Duration::from_millis(200),
        tidy: Duration::from_millis(200),
        ..Pace::default()
    };
    World { pace, ..World::default() }
}

async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never came true: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mixes_are_made_and_made_anew_and_an_account_whose_time_is_up_goes() {
    let folder = tempfile::tempdir().unwrap();
    furnish(&folder.path().join("music"));
    let mut own = config(&folder);
    own.watch = true;
    own.keep.grace = 0;
    let house = House::start_in(folder, own, quick()).await.with_ann().await;
    house.server.as_ref().unwrap().first_scan().await;
    let ann = house.catalog.account_named(ANN.0).await.unwrap().unwrap().id;
    let listener = house.catalog.listener(&ann);
    let tracks = listener.tracks_by(segue::catalog::TrackOrder::Title, Window::ALL).await.unwrap();
    let play = async |n: i64, track: usize| {
        let play = Play {
            track: tracks[track].id.clone(),
            started_at: jiff::Timestamp::now().as_millisecond() - n * 1000,
            heard_ms: tracks[track].duration_ms,
            start: StartReason::Chosen,
            end: EndReason::Finished,
        };
        listener.record_play(&play).await.unwrap();
    };
    for n in 1..=3 {
        play(n, 0).await;
    }
    eventually("Ann has mixes", async || !listener.mixes().await.unwrap().is_empty()).await;
    let made = listener.mixes_made().await.unwrap().unwrap();
    play(0, 1).await;
    eventually("they know of another play", async || {
        listener.mixes_made().await.unwrap().is_some_and(|now| now.of.plays > made.of.plays)
    })
    .await;

    let key = house.key_of(ANN.0).await;
    let player = Client::new(&house.base, Credentials::ApiKey(key)).unwrap();
    player.erase_account(ANN.1, false).await.unwrap();
    eventually("she is gone", async || house.catalog.account_named(ANN.0).await.unwrap().is_none()).await;
    let receipts = house.folder.path().join("data/receipts");
    eventually("there is a receipt", async || {
        std::fs::read_dir(&receipts).is_ok_and(|mut receipts| receipts.next().is_some())
    })
    .await;
    assert!(player.ping().await.is_err(), "her key is good for nothing");
    house.close().await;
}
