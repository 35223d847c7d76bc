//! Catalogs on a PostgreSQL server of one's own: the same schema as in a file, many writers, changes that the server undid, a server
//! that goes away and comes back, and a home that moves there. Run by `.ci/run`.

#![cfg(feature = "cloud")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::cast_possible_wrap, reason = "small counts")]

#[path = "common/library.rs"]
mod library;
#[path = "common/postgres.rs"]
mod postgres;
mod program;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use library::{account, track};
use postgres::Postgres;
use program::Home;
use segue::catalog::{Batch, Catalog, Database, SearchWindows};
use segue::music::{EndReason, Item, Play, StartReason, TrackId, Window};
use segue::server::{Config, Net, Server, accounts, catalog_file};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};

async fn open(address: &str) -> Catalog {
    Catalog::open_at(&address.parse().unwrap()).await.unwrap()
}

fn play(track: &str, started_at: i64) -> Play {
    Play {
        track: track.into(),
        started_at,
        heard_ms: 1000,
        start: StartReason::Chosen,
        end: EndReason::Finished,
    }
}

async fn with_tracks(catalog: &Catalog, count: usize) {
    let tracks =
        (0..count).map(|n| track(&format!("t{n}"), &format!("Title {n}"), "A", Some(("al", "Album"))));
    catalog.apply(&Batch { tracks: tracks.collect(), ..Batch::default() }).await.unwrap();
}

/// What a schema is: for each table its columns, and for each index its table, uniqueness and columns.
type Schema = BTreeMap<String, Vec<String>>;

async fn schema_of_file(file: &Path) -> Schema {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    let mut all = Schema::new();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
               AND name <> '_sqlx_migrations'";
    let tables: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap();
    for table in tables {
        let sql =
            format!("SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}') ORDER BY cid");
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap() {
            let (name, kind, not_null, key): (String, String, bool, i64) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            let line = format!("{name} {} {} {key}", kind.to_lowercase(), not_null || key > 0);
            all.entry(format!("table {table}")).or_default().push(line);
        }
        let sql = format!("SELECT name, \"unique\", origin FROM pragma_index_list('{table}')");
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap() {
            let (name, unique, origin): (String, bool, String) = (row.get(0), row.get(1), row.get(2));
            let sql = format!("SELECT name FROM pragma_index_info('{name}') ORDER BY seqno");
            let columns: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap();
            // Those of keys and of UNIQUE have names that each database makes up.
            let name = if origin == "c" { name } else { format!("of {table} {}", columns.join(",")) };
            all.insert(format!("index {name}"), vec![table.clone(), unique.to_string(), columns.join(",")]);
        }
        let sql = format!(
            "SELECT \"from\" || ' ' || \"table\" || ' ' || on_delete FROM pragma_foreign_key_list('{table}') ORDER BY 1"
        );
        let links: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap();
        if !links.is_empty() {
            all.insert(format!("links {table}"), links);
        }
    }
    all
}

async fn schema_of_server(address: &str) -> Schema {
    let mut conn = PgConnection::connect(address).await.unwrap();
    let mut all = Schema::new();
    let sql = "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL), a.attnotnull, \
               COALESCE((SELECT array_position(i.indkey::smallint[], a.attnum) + 1 FROM pg_index i \
               WHERE i.indrelid = c.oid AND i.indisprimary), 0)::bigint \
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped \
               AND c.relname <> '_sqlx_migrations' ORDER BY c.relname, a.attnum";
    for row in sqlx::query(sql).fetch_all(&mut conn).await.unwrap() {
        let (table, name, kind, not_null, key): (String, String, String, bool, i64) =
            (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
        all.entry(format!("table {table}")).or_default().push(format!("{name} {kind} {not_null} {key}"));
    }
    let sql = "SELECT t.relname::text, c.relname::text, i.indisunique, \
               (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(i.indkey::smallint[]) WITH ORDINALITY k (at, n) \
               JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.at), \
               EXISTS (SELECT 1 FROM pg_constraint x WHERE x.conindid = c.oid AND x.contype IN ('p', 'u')) \
               FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid \
               WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> '_sqlx_migrations'";
    for row in sqlx::query(sql).fetch_all(&mut conn).await.unwrap() {
        let (table, name, unique, columns, made_up): (String, String, bool, String, bool) =
            (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
        let name = if made_up { format!("of {table} {columns}") } else { name };
        all.insert(format!("index {name}"), vec![table, unique.to_string(), columns]);
    }
    let sql = "SELECT t.relname::text, a.attname || ' ' || r.relname || ' ' || CASE x.confdeltype WHEN 'c' THEN 'CASCADE' \
               WHEN 'n' THEN 'SET NULL' ELSE 'NO ACTION' END FROM pg_constraint x JOIN pg_class t ON t.oid = x.conrelid \
               JOIN pg_class r ON r.oid = x.confrelid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (x.conkey) \
               WHERE x.contype = 'f'";
    for row in sqlx::query(sql).fetch_all(&mut conn).await.unwrap() {
        all.entry(format!("links {}", row.get::<String, _>(0))).or_default().push(row.get(1));
    }
    all.iter_mut().filter(|(name, _)| name.starts_with("links")).for_each(|(_, links)| links.sort());
    all
}

#[tokio::test]
async fn both_databases_have_the_same_schema() {
    let Some(postgres) = Postgres::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    Catalog::open(&file).await.unwrap().close().await;
    let address = postgres.database("schema");
    // Several that start together bring one empty database up to date between them.
    let (a, b, c) = tokio::join!(open(&address), open(&address), open(&address));
    for catalog in [a, b, c] {
        catalog.close().await;
    }
    let (ours, theirs) = (schema_of_file(&file).await, schema_of_server(&address).await);
    assert!(ours.len() > 100, "{}", ours.len());
    for (name, lines) in &ours {
        assert_eq!(theirs.get(name), Some(lines), "{name}");
    }
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    // Text is compared by its bytes on both.
    let other = postgres.sql(
        "schema",
        "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation l ON l.oid = a.attcollation \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> '_sqlx_migrations' \
         AND l.collname <> 'C'",
    );
    assert_eq!(other, "0");

    // A later release's database is left alone.
    postgres.sql("schema", "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 2");
    let said = Catalog::open_at(&address.parse().unwrap()).await.unwrap_err().to_string();
    assert!(said.contains("newer Segue (schema 9999)") && !said.contains("hush"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_write_at_once_and_nothing_is_lost_or_doubled() {
    const WRITERS: usize = 8;
    const PLAYS: usize = 40;
    let Some(postgres) = Postgres::start() else { return };
    let address = postgres.database("writers");
    // As two processes would.
    let both = [open(&address).await, open(&address).await];
    with_tracks(&both[0], 20).await;
    let begin = |writer: usize| {
        let catalog = both[writer % 2].clone();
        tokio::spawn(async move {
            // Half of them are the same listener on several devices.
            let me = catalog.listener(&format!("listener-{}", writer / 2).as_str().into());
            let mut kept = 0;
            for n in 0..PLAYS {
                // Both devices of a listener report half of the plays, and every play is sent twice.
                let at = (n * 2 + if n % 2 == 0 { 0 } else { writer % 2 }) as i64 * 1000;
                for _ in 0..2 {
                    kept += usize::from(me.record_play(&play(&format!("t{}", n % 20), at)).await.unwrap());
                }
            }
            me.set_star(&Item::Track(TrackId::from("t3")), Some(5)).await.unwrap();
            kept
        })
    };
    let writers: Vec<_> = (0..WRITERS).map(begin).collect();
    let scans = (0..5).map(|n| {
        let catalog = both[n % 2].clone();
        async move {
            let tracks =
                (0..300).map(|t| track(&format!("s{n}-{t}"), &format!("Scanned {n} {t}"), "B", None));
            catalog.apply(&Batch { tracks: tracks.collect(), ..Batch::default() }).await.unwrap();
        }
    });
    for scan in scans {
        scan.await;
    }
    let mut kept = 0;
    for writer in writers {
        kept += writer.await.unwrap();
    }
    let wanted = WRITERS / 2 * (PLAYS / 2 + PLAYS);
    assert_eq!(kept, wanted, "each play counts once, whoever sends it");
    let there: usize = postgres.sql("writers", "SELECT count(*) FROM plays").parse().unwrap();
    assert_eq!(there, wanted);
    let counted = postgres.sql("writers", "SELECT sum(play_count) FROM marks WHERE kind = 'track'");
    assert_eq!(counted.parse::<usize>().unwrap(), wanted);
    let gaps = "SELECT count(*) - max(sequence) + min(sequence) - 1 FROM search_log";
    assert_eq!(postgres.sql("writers", gaps), "0", "the log has every number once");
    for catalog in &both {
        assert_eq!(catalog.stats().await.unwrap().tracks, 20 + 5 * 300);
        let me = catalog.listener(&account());
        assert_eq!(
            me.search("scanned 4 299", SearchWindows::first(3)).await.unwrap().tracks[0].title,
            "Scanned 4 299"
        );
    }
}

#[tokio::test]
async fn what_the_server_undoes_is_done_again() {
    let Some(postgres) = Postgres::start() else { return };
    let address = postgres.database("undone");
    let catalog = open(&address).await;
    with_tracks(&catalog, 1).await;
    let me = catalog.listener(&account());
    for (n, code) in ["40001", "40P01"].into_iter().enumerate() {
        // Refuses three times; a sequence counts on even where a transaction is undone.
        postgres.sql(
            "undone",
            &format!(
                "DROP TRIGGER IF EXISTS refuse ON plays; DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries; \
                 CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF nextval('tries') <= 3 THEN RAISE EXCEPTION 'not now' USING ERRCODE = '{code}'; END IF; RETURN NEW; END $$; \
                 CREATE TRIGGER refuse BEFORE INSERT ON plays FOR EACH ROW EXECUTE FUNCTION refuse()"
            ),
        );
        assert!(me.record_play(&play("t0", n as i64)).await.unwrap(), "{code}");
        assert_eq!(postgres.sql("undone", "SELECT last_value FROM tries"), "4", "{code}");
    }
    assert_eq!(postgres.sql("undone", "SELECT play_count FROM marks WHERE kind = 'track'"), "2");
    // Other refusals are told, at once.
    postgres.sql(
        "undone",
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM nextval('tries'); RAISE EXCEPTION 'never' USING ERRCODE = '23514'; END $$",
    );
    assert!(me.record_play(&play("t0", 9)).await.is_err());
    assert_eq!(postgres.sql("undone", "SELECT last_value FROM tries"), "5");

    // Two who wait for each other: one of them is undone, and both come through.
    postgres.sql("undone", "DROP TRIGGER refuse ON plays");
    let mut other = PgConnection::connect(&address).await.unwrap();
    me.set_rating(&Item::Track("t0".into()), 1).await.unwrap();
    postgres.sql("undone", "CREATE TABLE elsewhere (n BIGINT); INSERT INTO elsewhere VALUES (0)");
    postgres.sql(
        "undone",
        "CREATE OR REPLACE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM pg_sleep(0.3); UPDATE elsewhere SET n = n + 1; RETURN NEW; END $$; \
         CREATE TRIGGER meet AFTER UPDATE ON marks FOR EACH ROW EXECUTE FUNCTION meet()",
    );
    let rated = tokio::spawn({
        let me = me.clone();
        async move { me.set_rating(&Item::Track("t0".into()), 4).await }
    });
    let mut theirs = other.begin().await.unwrap();
    sqlx::query("SET LOCAL deadlock_timeout = '10s'").execute(&mut *theirs).await.unwrap();
    sqlx::query("UPDATE elsewhere SET n = n + 100").execute(&mut *theirs).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    let waits = sqlx::query("SELECT 1 FROM marks WHERE kind = 'track' FOR UPDATE");
    waits.execute(&mut *theirs).await.unwrap();
    theirs.commit().await.unwrap();
    rated.await.unwrap().unwrap();
    assert_eq!(postgres.sql("undone", "SELECT rating FROM marks WHERE kind = 'track'"), "4");
}

fn config(folder: &Path, address: &str) -> Config {
    Config {
        music: vec![folder.join("music")],
        database: address.parse().unwrap(),
        data: folder.join("data"),
        listen: "127.0.0.1:0".parse().unwrap(),
        watch: false,
        net: Net::default(),
        keep: segue::server::privacy::Keep::default(),
        stores: segue::server::Stores::default(),
    }
}

/// A WAV file of so many seconds of silence, 8 kHz, 8 bit.
fn silence(file: &Path, seconds: u32) {
    let bytes = seconds * 8000;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8000_u32.to_le_bytes());
    wav.extend(8000_u32.to_le_bytes());
    wav.extend(b"\x01\0\x08\0data");
    wav.extend(bytes.to_le_bytes());
    wav.resize(wav.len() + bytes as usize, 128);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, wav).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_lives_through_a_database_that_goes_away() {
    let Some(postgres) = Postgres::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    silence(&folder.path().join("music/long.wav"), 2_000);
    let address = format!("{}?acquire_timeout=2", postgres.database("away"));
    let server = Server::start(config(folder.path(), &address)).await.unwrap();
    server.first_scan().await;
    let base = format!("http://{}", server.addr());
    let key = server.issue_key(accounts::ADMIN_NAME, "test").await.unwrap();
    segue::subsonic::Client::new(&base, segue::subsonic::Credentials::ApiKey(key.clone())).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let url = |endpoint: &str, more: &str| {
        format!("{base}/rest/{endpoint}?f=json&v=1.16.1&c=test&apiKey={key}{more}")
    };
    let ask = async |endpoint: &str, more: &str| -> Option<serde_json::Value> {
        let reply = http.get(url(endpoint, more)).timeout(Duration::from_secs(20)).send().await.ok()?;
        let answer: serde_json::Value = serde_json::from_slice(&reply.bytes().await.ok()?).ok()?;
        Some(answer["subsonic-response"].clone())
    };
    let found = ask("search3", "&query=long").await.unwrap();
    let song = found["searchResult3"]["song"][0]["id"].as_str().unwrap().to_owned();

    // Somebody listens: the first bytes are there, the rest is not taken yet.
    let mut stream = http.get(url("stream", &format!("&id={song}"))).send().await.unwrap();
    let mut heard = stream.chunk().await.unwrap().unwrap().len();
    postgres.down();
    let down = Instant::now();
    let refused = ask("getAlbumList2", "&type=newest").await;
    assert!(
        refused.as_ref().is_none_or(|answer| answer["status"] == "failed"),
        "nothing is made up: {refused:?}"
    );
    assert!(!format!("{refused:?}").contains("hush"));
    while let Some(bytes) = stream.chunk().await.unwrap() {
        heard += bytes.len();
    }
    assert_eq!(heard, 44 + 2_000 * 8000, "who listens hears it to the end");
    tokio::time::sleep(Duration::from_secs(4).saturating_sub(down.elapsed())).await;
    postgres.up();
    let back = Instant::now();
    loop {
        let answer = ask("getAlbumList2", "&type=newest").await;
        if answer.is_some_and(|answer| answer["status"] == "ok") {
            break;
        }
        assert!(back.elapsed() < Duration::from_secs(20), "it does not come back by itself");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ask("star", &format!("&id={song}")).await.unwrap()["status"], "ok");
    assert_eq!(ask("getStarred2", "").await.unwrap()["starred2"]["song"][0]["id"], song.as_str());
    server.shutdown().await;
}

/// A catalog with these replicas.
async fn with_replicas(address: &str, replicas: &[String]) -> Catalog {
    let replicas = replicas.iter().map(|replica| replica.parse().unwrap()).collect();
    let database: Database = address.parse().unwrap();
    Catalog::open_at(&database.with_replicas(replicas).unwrap()).await.unwrap()
}

/// The title of the album, as somebody sees it.
async fn title(catalog: &Catalog, who: &str) -> String {
    catalog.listener(&who.into()).album(&"al".into()).await.unwrap().unwrap().title
}

/// Waits until that title is seen.
async fn until_seen(catalog: &Catalog, who: &str, wanted: &str) {
    let began = Instant::now();
    while title(catalog, who).await != wanted {
        assert!(began.elapsed() < Duration::from_secs(20), "{who} never sees {wanted}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_answers_what_may_be_old_but_never_less_than_one_wrote_oneself() {
    let Some(postgres) = Postgres::start() else { return };
    let address = postgres.database("copied");
    let first = open(&address).await;
    with_tracks(&first, 20).await;
    first.close().await;
    let replica = postgres.replica();
    let catalog = with_replicas(&address, &[format!("{}?max_lag=6", replica.address("copied"))]).await;
    let renamed = |name: &str| postgres.sql("copied", &format!("UPDATE albums SET title = '{name}'"));
    let goes_on = || replica.sql("copied", "SELECT pg_wal_replay_resume()");
    // Until it shows the first name while the database has the second one already, of which it does not hear: so it is asked.
    let takes_part = async |first: &str, second: &str| {
        let began = Instant::now();
        loop {
            renamed(first);
            goes_on();
            tokio::time::sleep(Duration::from_secs(1)).await;
            replica.sql("copied", "SELECT pg_wal_replay_pause()");
            renamed(second);
            if title(&catalog, "ben").await == first {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(40), "the replica is not asked");
        }
    };

    takes_part("First", "Second").await;
    assert_eq!(title(&catalog, "ann").await, "First");
    let ben = catalog.listener(&"ben".into());
    let list = async || ben.albums(&segue::catalog::AlbumList::ByName, Window::first(9)).await.unwrap();
    assert_eq!(list().await[0].title, "First");
    // Who writes something is shown what is there from then on, and nobody else.
    let ann = catalog.listener(&"ann".into());
    ann.set_star(&Item::Album("al".into()), Some(5)).await.unwrap();
    let seen = ann.album(&"al".into()).await.unwrap().unwrap();
    assert_eq!((seen.title.as_str(), seen.marks.starred_at), ("Second", Some(5)));
    assert_eq!(title(&catalog, "ben").await, "First");
    // What it has not got at all is looked for in the database.
    postgres.sql(
        "copied",
        "INSERT INTO albums (id, title, title_fold, artist, artist_fold, added_at) VALUES ('new', 'New', 'new', 'A', 'a', 1)",
    );
    assert_eq!(list().await.len(), 1);
    assert_eq!(ben.album(&"new".into()).await.unwrap().unwrap().title, "New");
    // It is too old after a while, and asked again when it has caught up.
    until_seen(&catalog, "ben", "Second").await;
    takes_part("Third", "Fourth").await;
    assert_eq!(title(&catalog, "ann").await, "Third", "by now it has what she wrote");
    goes_on();
    until_seen(&catalog, "ben", "Fourth").await;

    // It dies while many read, and nobody hears of it.
    let readers: Vec<_> = (0..8)
        .map(|n| {
            let catalog = catalog.clone();
            tokio::spawn(async move {
                let me = catalog.listener(&format!("reader-{n}").as_str().into());
                let began = Instant::now();
                let mut reads = 0;
                while began.elapsed() < Duration::from_secs(3) {
                    me.albums(&segue::catalog::AlbumList::ByName, Window::first(9)).await.unwrap();
                    assert_eq!(me.track(&"t1".into()).await.unwrap().unwrap().title, "Title 1");
                    reads += 1;
                }
                reads
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    replica.down();
    for reader in readers {
        assert!(reader.await.unwrap() > 10);
    }
    renamed("Fifth");
    assert_eq!(title(&catalog, "ben").await, "Fifth");
    replica.up();
    takes_part("Sixth", "Seventh").await;
    catalog.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_keeps_no_answer_that_a_replica_gave_for_longer_than_that_may_be() {
    let Some(postgres) = Postgres::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    silence(&folder.path().join("music/long.wav"), 2);
    let address = postgres.database("kept");
    open(&address).await.close().await;
    let replica = postgres.replica();
    let copy = format!("{}?max_lag=2", replica.address("kept")).parse().unwrap();
    let database = address.parse::<Database>().unwrap().with_replicas(vec![copy]).unwrap();
    let server = Server::start(Config { database, ..config(folder.path(), &address) }).await.unwrap();
    server.first_scan().await;
    let key = server.issue_key(accounts::ADMIN_NAME, "test").await.unwrap();
    segue::subsonic::Client::new("http://127.0.0.1", segue::subsonic::Credentials::ApiKey(key.clone()))
        .unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let base = format!("http://{}/rest", server.addr());
    let title = async || {
        let url = format!("{base}/getRandomSongs?f=json&v=1.16.1&c=test&apiKey={key}");
        let id = format!("{base}/getSong?f=json&v=1.16.1&c=test&apiKey={key}");
        let ask = async |url: String| -> serde_json::Value {
            let bytes = http.get(url).send().await.unwrap().bytes().await.unwrap();
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["subsonic-response"].take()
        };
        let song = ask(url).await["randomSongs"]["song"][0]["id"].as_str().unwrap().to_owned();
        ask(format!("{id}&id={song}")).await["song"]["title"].as_str().unwrap().to_owned()
    };
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let old = title().await;
    replica.sql("kept", "SELECT pg_wal_replay_pause()");
    postgres.sql("kept", "UPDATE tracks SET title = 'Renamed'");
    assert_eq!(title().await, old, "it is read from the replica");
    let began = Instant::now();
    while title().await != "Renamed" {
        assert!(began.elapsed() < Duration::from_secs(15), "an answer of a replica is kept");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_replica_is_never_asked() {
    let Some(postgres) = Postgres::start() else { return };
    let (address, other) = (postgres.database("one"), postgres.database("other"));
    for (address, name) in [(&address, "one"), (&other, "other")] {
        let catalog = open(address).await;
        with_tracks(&catalog, 2).await;
        catalog.close().await;
        postgres.sql(name, &format!("UPDATE albums SET title = 'of {name}'"));
    }
    let port = address.rsplit_once(':').unwrap().1.split('/').next().unwrap();
    let nowhere = address.replace(port, "9");
    let catalog = with_replicas(&address, &[other, nowhere]).await;
    for _ in 0..30 {
        assert_eq!(title(&catalog, "ann").await, "of one");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // From outside: a file has no replicas, and no password is repeated.
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("music")).unwrap();
    let at = |name: &str| home.path().join(name).display().to_string();
    let args = ["serve", "--check", "--music", &at("music"), "--data", &at("data")];
    let run = |name: &str, value: &str| home.command(&args).env(name, value).output().unwrap();
    let done = run("SEGUE_DATABASE_REPLICAS", "postgres://u:hush@b/s postgres://u:hush@c/s");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && said.contains("--database") && !said.contains("hush"), "{said}");
}

#[tokio::test]
async fn who_cannot_come_in_is_told_why_and_no_secret() {
    let Some(postgres) = Postgres::start() else { return };
    let nowhere = postgres.address("nowhere");
    postgres.database("there");
    let there = postgres.address("there");
    let port = there.rsplit_once(':').unwrap().1.split('/').next().unwrap().to_owned();
    let closed = there.replace(&port, "9");
    for (address, wanted) in [(nowhere.as_str(), "nowhere"), (closed.as_str(), "cannot reach the database")] {
        let said = Catalog::open_at(&address.parse().unwrap()).await.unwrap_err().to_string();
        assert!(said.contains(wanted) && !said.contains("hush"), "{said}");
    }
    let wrong = format!("{there}?pool_size=many");
    let said = Catalog::open_at(&wrong.parse().unwrap()).await.unwrap_err().to_string();
    assert!(said.contains("pool_size is a number") && !said.contains("hush"), "{said}");

    // The same from outside, where the address may come by the environment.
    let home = Home::new();
    let data = home.path().join("data");
    let mut command = home.command(&["users", "list", "--data", data.to_str().unwrap()]);
    let done = command.env("SEGUE_DATABASE", &closed).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(!done.status.success() && said.contains("cannot reach the database"), "{said}");
    assert!(!said.contains("hush"), "{said}");
}

/// A home server that was lived in.
async fn home(file: &Path, plays: i64) {
    let catalog = Catalog::open(file).await.unwrap();
    with_tracks(&catalog, 3_000).await;
    let id = accounts::add(&catalog, "ann", "sesame and more", false).await.unwrap();
    let me = catalog.listener(&id);
    me.set_star(&Item::Track("t7".into()), Some(77)).await.unwrap();
    me.create_playlist("Ünïcödé \u{1f3b5}", &["t1".into(), "t2".into(), "t1".into()]).await.unwrap();
    catalog.set_setting("odd", "a\u{0}b").await.unwrap();
    catalog.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut raw = SqliteConnection::connect_with(&options).await.unwrap();
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
               INSERT INTO plays (account_id, track_id, started_at, heard_ms, start_reason, end_reason) \
               SELECT $2, 't' || (i % 3000), i * 1000, 180000, 'chosen', 'finished' FROM n";
    sqlx::query(sql).bind(plays).bind(id.as_str()).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}

#[tokio::test]
async fn a_home_moves_up_survives_a_kill_and_every_row_is_the_same() {
    const PLAYS: i64 = 60_000;
    let Some(postgres) = Postgres::start() else { return };
    let folder = Home::new();
    let data = folder.path().join("server");
    let file = catalog_file(&data);
    home(&file, PLAYS).await;
    let before = std::fs::read(&file).unwrap();
    let address = postgres.database("up");
    let source = format!("sqlite://{}", file.display());
    let args = ["migrate", "--from", &source, "--to", &address];

    // Killed in the middle, several times.
    let moved = || -> i64 {
        let there = postgres.sql("up", "SELECT count(*) FROM pg_class WHERE relname = '_segue_move'");
        if there == "0" {
            return 0;
        }
        postgres.sql("up", "SELECT COALESCE(sum(moved), 0) FROM _segue_move").parse().unwrap()
    };
    for part in [1_000, 20_000, 45_000] {
        let mut child = folder.command(&args).stdout(std::process::Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while moved() < part {
            assert!(began.elapsed() < Duration::from_mins(1) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let rows: i64 = postgres.sql("up", "SELECT count(*) FROM plays").parse().unwrap();
        assert!(rows < PLAYS, "it was killed before the end");
    }
    let done = folder.command(&args).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains(&format!("plays: {PLAYS} rows are the same on both sides")), "{said}");
    assert!(!said.contains("hush"), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), before, "the source is only read");
    assert_eq!(postgres.sql("up", "SELECT count(*) FROM pg_class WHERE relname = '_segue_move'"), "0");

    // It is the same home.
    let catalog = open(&address).await;
    let ann = catalog.account_named("ann").await.unwrap().unwrap();
    let me = catalog.listener(&ann.id);
    assert_eq!(me.play_times().await.unwrap().len() as i64, PLAYS);
    assert_eq!(me.starred().await.unwrap().tracks[0].id, TrackId::from("t7"));
    let lists = me.playlists().await.unwrap();
    assert_eq!((lists[0].name.as_str(), lists[0].track_count), ("Ünïcödé \u{1f3b5}", 3));
    assert_eq!(me.search("title 2999", SearchWindows::first(1)).await.unwrap().tracks[0].title, "Title 2999");

    // What is there already is not overwritten.
    let again = folder.command(&args).output().unwrap();
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && said.contains("holds other data already"), "{said}");

    // A row that differs is found.
    let verify = [&args[..], &["--verify"]].concat();
    assert!(folder.command(&verify).output().unwrap().status.success());
    postgres.sql("up", "UPDATE plays SET heard_ms = heard_ms + 1 WHERE started_at = 31000");
    let found = folder.command(&verify).output().unwrap();
    let said = String::from_utf8_lossy(&found.stderr).into_owned();
    assert!(!found.status.success() && said.contains("“plays”") && said.contains("31000"), "{said}");
    postgres.sql("up", "UPDATE plays SET heard_ms = heard_ms - 1 WHERE started_at = 31000");

    // And the way back, as a backup goes it.
    let copy = folder.path().join("copy");
    let mut backup = folder.command(&["backup", "--data", data.to_str().unwrap(), copy.to_str().unwrap()]);
    let done = backup.env("SEGUE_DATABASE", &address).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let copied = Catalog::open(&catalog_file(&copy)).await.unwrap();
    assert_eq!(copied.listener(&ann.id).play_times().await.unwrap().len() as i64, PLAYS);
    assert_eq!(copied.damage().await.unwrap(), None);
    assert_eq!("postgres://a/b".parse::<Database>().unwrap().to_string(), "postgres://a/b");
}
