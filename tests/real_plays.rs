//! Plays at volume on what they are meant for: a PostgreSQL server that goes away in the middle, and stores behind HTTP.

#![cfg(feature = "cloud")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/crowd.rs"]
mod crowd;
#[path = "common/library.rs"]
mod library;
#[path = "common/postgres.rs"]
mod postgres;
mod program;
mod stores;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crowd::{DAY, NOON, account, item, name, play, shelve};
use futures_util::TryStreamExt as _;
use object_store::path::Path as Key;
use postgres::Postgres;
use program::{Home, skip};
use segue::catalog::Catalog;
use segue::server::{Config, Gather, Net, Server, Stores, World, accounts};
use segue::subsonic::{Client, Credentials};
use stores::Store;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_loses_nothing_that_was_acknowledged_and_doubles_nothing() {
    const LISTENERS: usize = 12;
    const PLAYS: usize = 120;
    let Some(postgres) = Postgres::start() else { return };
    let address = format!("{}?acquire_timeout=1", postgres.database("plays"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("music")).unwrap();
    let catalog = Catalog::open_at(&address.parse().unwrap()).await.unwrap();
    let config = Config {
        music: vec![folder.path().join("music")],
        data: folder.path().join("data"),
        database: address.parse().unwrap(),
        listen: "127.0.0.1:0".parse().unwrap(),
        watch: false,
        net: Net::default(),
        keep: segue::server::privacy::Keep::default(),
        stores: Stores::default(),
    };
    let gather = Gather { patience: Duration::from_millis(500), ..Gather::default() };
    let server = Server::start_in(config, World { gather, ..World::default() }).await.unwrap();
    server.first_scan().await;
    shelve(&catalog, 10).await;
    let mut clients = Vec::new();
    let base = format!("http://{}", server.addr());
    for n in 0..LISTENERS {
        accounts::add(&catalog, &format!("listener {n}"), "a long word", false).await.unwrap();
        let key = server.issue_key(&format!("listener {n}"), "test").await.unwrap();
        clients.push(Client::new(&base, Credentials::ApiKey(key)).unwrap());
    }
    let (acknowledged, refused) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let mut tellers = tokio::task::JoinSet::new();
    for client in clients {
        let (acknowledged, refused) = (Arc::clone(&acknowledged), Arc::clone(&refused));
        tellers.spawn(async move {
            for n in 0..PLAYS {
                let one = [(item(n as u32 % 10).as_str().into(), NOON + i64::try_from(n).unwrap() * 1000)];
                // As a player does it: until it hears that it is kept.
                while client.scrobble(&one, true).await.is_err() {
                    refused.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                acknowledged.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
    // Twice in the middle of it the database is gone for a second.
    for part in [3, 6] {
        while acknowledged.load(Ordering::SeqCst) < LISTENERS * PLAYS * part / 10 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let told = acknowledged.load(Ordering::SeqCst);
        tokio::task::block_in_place(|| postgres.down());
        let sure = acknowledged.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        tokio::task::block_in_place(|| postgres.up());
        let there: usize = postgres.sql("plays", "SELECT count(*) FROM plays").parse().unwrap();
        assert!(there >= sure.min(told), "{there} of {sure} that were acknowledged are there");
    }
    while let Some(ended) = tellers.join_next().await {
        ended.unwrap();
    }
    assert!(refused.load(Ordering::SeqCst) > 0, "somebody was asked to come again");
    let count = |sql: &str| -> usize { postgres.sql("plays", sql).parse().unwrap() };
    assert_eq!(count("SELECT count(*) FROM plays"), LISTENERS * PLAYS);
    assert_eq!(count("SELECT sum(play_count) FROM marks WHERE kind = 'track'"), LISTENERS * PLAYS);
    let batches = count("SELECT newest FROM play_batches");
    assert_eq!(count("SELECT count(DISTINCT batch) FROM plays"), batches, "numbers have no gaps");
    println!(
        "{} plays in {batches} transactions, {} told again",
        LISTENERS * PLAYS,
        refused.load(Ordering::SeqCst)
    );
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_take_what_a_play_at_a_time_cannot() {
    const PLAYS: i64 = 3_000;
    let Some(postgres) = Postgres::start() else { return };
    let catalog = Catalog::open_at(&postgres.database("speed").parse().unwrap()).await.unwrap();
    shelve(&catalog, 200).await;
    for user in 0..100 {
        catalog.add_account(&account(&name(user))).await.unwrap();
    }
    let one = |n: i64| play(&name(n as u32 % 100), &item(n as u32 * 7 % 200), NOON + n * 1000);
    let begun = Instant::now();
    for n in 0..300 {
        let new = one(PLAYS + n);
        assert!(catalog.listener(&new.account).record_play(&new.play).await.unwrap());
    }
    let alone = 300.0 / begun.elapsed().as_secs_f64();
    let all: Vec<_> = (0..PLAYS).map(one).collect();
    let begun = Instant::now();
    for batch in all.chunks(500) {
        assert!(catalog.record_plays(batch).await.unwrap().into_iter().all(|kept| kept));
    }
    let together = PLAYS as f64 / begun.elapsed().as_secs_f64();
    println!("{alone:.0} plays a second one by one, {together:.0} in batches of 500");
    assert_eq!(postgres.sql("speed", "SELECT count(*) FROM plays"), (PLAYS + 300).to_string());
}

/// The keys below a prefix.
async fn keys(store: &Store, prefix: &str) -> Vec<String> {
    let all: Vec<_> = store.objects.list(Some(&Key::parse(prefix).unwrap())).try_collect().await.unwrap();
    let mut keys: Vec<String> = all.into_iter().map(|object| object.location.to_string()).collect();
    keys.sort();
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn plays_go_to_a_store_once_and_leave_it_with_their_listener() {
    for store in Store::all(skip).await {
        let home = Home::new();
        let data = home.path().join("server");
        let catalog = Catalog::open(&segue::server::catalog_file(&data)).await.unwrap();
        shelve(&catalog, 48).await;
        let crowd = crowd::tastes(12, 48, 8, 9);
        crowd::gather(&catalog, &crowd).await;
        let address = store.address("lake/one");
        let environment = store.environment();
        let run = |args: &[&str]| {
            let mut command = home.command(args);
            command.args(["--data", data.to_str().unwrap()]);
            command.envs(environment.iter().map(|(name, value)| (*name, value.as_str())));
            let said = command.output().unwrap();
            let text =
                format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
            assert!(said.status.success(), "{:?} {args:?}: {text}", store.kind);
            text
        };
        let said = run(&["plays", "export", "--plays-store", &address]);
        assert!(said.contains("in 5 files exported to"), "{said}");
        let first = keys(&store, "lake/one").await;
        assert_eq!(first.len(), 5, "{first:?}");
        assert!(first.iter().all(|key| key.starts_with("lake/one/plays/dt=2026-11-") && key.is_ascii()));
        // The same again finds its own files; one more play is one more file.
        assert!(run(&["plays", "export", "--plays-store", &address]).contains("0 plays"));
        let late = play(&name(0), &item(1), NOON - 30 * DAY);
        catalog.record_plays(&[late]).await.unwrap();
        assert!(run(&["plays", "export", "--plays-store", &address]).contains("1 play in 1 file"));
        let said = run(&["train", "--plays", &address]);
        assert!(said.contains("12 listeners, 48 tracks"), "{:?}: {said}", store.kind);

        catalog.listener(&name(0).as_str().into()).set_profiled(false).await.unwrap();
        assert!(run(&["train", "--plays", &address]).contains("11 listeners"));
        let said = run(&["plays", "export", "--plays-store", &address]);
        assert!(said.contains("2 files written anew"), "{:?}: {said}", store.kind);
        assert_eq!(keys(&store, "lake/one").await, first, "the file that was theirs alone is gone");
        let hers = catalog.pseudonym(&name(0).as_str().into()).await.unwrap().unwrap();
        for key in &first {
            let object = store
                .objects
                .get_opts(&Key::parse(key).unwrap(), object_store::GetOptions::default())
                .await
                .unwrap();
            let bytes = object.bytes().await.unwrap();
            assert!(!bytes.windows(hers.len()).any(|part| part == hers.as_bytes()), "{key}");
        }
        // A store that is away is told in a sentence, and nothing is lost by it.
        store.wire.down();
        catalog.record_plays(&[play(&name(1), &item(2), NOON + 77)]).await.unwrap();
        let mut command = home.command(&["plays", "export", "--plays-store", &address]);
        command.args(["--data", data.to_str().unwrap()]);
        command.envs(environment.iter().map(|(name, value)| (*name, value.as_str())));
        let said = command.output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(!said.status.success() && text.contains("does not answer"), "{text}");
        store.wire.up();
        assert!(run(&["plays", "export", "--plays-store", &address]).contains("1 play in 1 file"));
    }
}
