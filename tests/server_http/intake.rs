//! Plays on their way in: what is acknowledged is kept, once; what there is no room for is to be sent again.

use std::time::Duration;

use segue::music::Window;
use segue::server::{Gather, World};
use sqlx::Connection as _;

use crate::database;
use crate::house::{House, config, furnish};

async fn count(house: &House, song: &str) -> u64 {
    house.json("getSong", &[("id", song)]).await["song"]["playCount"].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_play_that_is_told_of_twice_counts_once_together_and_one_after_the_other() {
    let house = House::open().await;
    let song = house.song("One").await;
    let tell = async || house.json("scrobble", &[("id", &song), ("time", "1700000000000")]).await;
    // At the same time, so that they share a batch.
    let (a, b, c) = tokio::join!(tell(), tell(), tell());
    for answer in [a, b, c, tell().await] {
        assert_eq!(answer["status"], "ok", "{answer}");
    }
    assert_eq!(count(&house, &song).await, 1);
    // A client that names no time and asks again since no answer came.
    let other = house.song("Three").await;
    for _ in 0..2 {
        assert_eq!(house.json("scrobble", &[("id", &other)]).await["status"], "ok");
    }
    assert!(count(&house, &other).await >= 1);

    let report = |state: &'static str, ms: &'static str| {
        let params =
            [("mediaId", song.as_str()), ("mediaType", "song"), ("positionMs", ms), ("state", state)];
        let house = &house;
        async move { house.json("reportPlayback", &params).await["status"].clone() }
    };
    assert_eq!(report("starting", "0").await, "ok");
    let (a, b) = tokio::join!(report("stopped", "100"), report("stopped", "100"));
    assert_eq!((a, b, report("stopped", "100").await), ("ok".into(), "ok".into(), "ok".into()));
    assert_eq!(count(&house, &song).await, 2);
    let figures =
        house.http.get(format!("{}/metrics", house.base)).send().await.unwrap().text().await.unwrap();
    assert!(
        figures.contains("segue_plays_known_total 3\n") || figures.contains("segue_plays_known_total 4\n")
    );
    assert!(figures.contains("segue_plays_refused_total 0\n"), "{figures}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_bounded_and_nothing_that_was_acknowledged_is_lost() {
    const ROOM: usize = 20;
    const TOLD: i64 = 60;
    if database::about_files("holding the one write lock") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    furnish(&folder.path().join("music"));
    let gather = Gather { room: ROOM, batch: 5, wait: Duration::from_millis(1), ..Gather::default() };
    let own = config(&folder);
    let file = segue::server::catalog_file(&own.data);
    let house = House::start_in(folder, own, World { gather, ..World::default() }).await;
    house.server.as_ref().unwrap().first_scan().await;
    let song = house.song("One").await;
    // The catalog takes nothing for a while.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut lock = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut lock).await.unwrap();
    let mut flood = tokio::task::JoinSet::new();
    for n in 0..TOLD {
        let time = (1_700_000_000_000 + n * 60_000).to_string();
        let request = house.http.get(house.own_url("scrobble", &[("id", &song), ("time", &time)]));
        flood.spawn(async move {
            let reply = request.send().await.unwrap();
            let again = reply.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned());
            (n, reply.status().as_u16(), again)
        });
    }
    // All but those that there is room for are refused while the rest waits.
    let mut refused = Vec::new();
    while refused.len() < TOLD as usize - ROOM {
        let (n, status, again) = flood.join_next().await.unwrap().unwrap();
        assert_eq!((status, again.as_deref()), (503, Some("2")), "{n}");
        refused.push(n);
    }
    assert!(
        tokio::time::timeout(Duration::from_millis(300), flood.join_next()).await.is_err(),
        "nobody is told that a play is kept before it is"
    );
    sqlx::query("ROLLBACK").execute(&mut lock).await.unwrap();
    while let Some(answer) = flood.join_next().await {
        let (n, status, _) = answer.unwrap();
        assert_eq!(status, 200, "{n}");
    }
    assert_eq!(count(&house, &song).await, ROOM as u64);
    // Sent again, all of them are there, each once.
    for n in refused {
        let time = (1_700_000_000_000 + n * 60_000).to_string();
        assert_eq!(house.json("scrobble", &[("id", &song), ("time", &time)]).await["status"], "ok");
    }
    assert_eq!(count(&house, &song).await, TOLD as u64);
    let admin = house.catalog.account_named("admin").await.unwrap().unwrap();
    let plays = house.catalog.listener(&admin.id).recent_plays(Window::ALL).await.unwrap();
    assert_eq!(plays.len(), TOLD as usize);

    // One request with more plays than there is room for is taken in parts.
    let many: Vec<String> =
        (0..3 * i64::try_from(ROOM).unwrap()).map(|n| (1_600_000_000_000 + n * 60_000).to_string()).collect();
    let params: Vec<(&str, &str)> =
        many.iter().flat_map(|time| [("id", song.as_str()), ("time", time.as_str())]).collect();
    assert_eq!(house.json("scrobble", &params).await["status"], "ok");
    assert_eq!(count(&house, &song).await, TOLD as u64 + 3 * ROOM as u64);
    house.close().await;
}
