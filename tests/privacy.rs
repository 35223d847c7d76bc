//! The duties towards persons below the network: no table is forgotten, what is older than its limit goes, and the command line
//! says and does the same as the API.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;
#[path = "program/mod.rs"]
mod program;

use std::io::Write as _;
use std::path::Path;

use library::{account, track};
use program::Home;
use segue::catalog::{Batch, Change, NAMED_OTHERWISE, PERSONAL, Scrobble};
use segue::mixing;
use segue::music::{EndReason, Item, Listen, Play, PlayContext, Purpose, ScrobbleService, StartReason};
use segue::server::accounts;
use segue::server::privacy::{Keep, Who, export, tidy};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

const DAY: i64 = 86_400_000;

async fn raw(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

fn play(track: &str, at: i64) -> Play {
    Play {
        track: track.into(),
        started_at: at,
        heard_ms: 1000,
        start: StartReason::Chosen,
        end: EndReason::Finished,
    }
}

#[tokio::test]
async fn no_table_with_persons_in_it_is_forgotten() {
    if database::about_files("walking the schema of a file") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    drop(database::open(&file).await.unwrap());
    let mut conn = raw(&file).await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let mut personal = 0;
    for table in tables {
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT * FROM pragma_table_info('{table}')")))
            .fetch_all(&mut conn)
            .await
            .unwrap();
        let columns: Vec<String> = rows.iter().map(|row| row.get("name")).collect();
        let about_persons = |column: &String| {
            [
                "account",
                "account_id",
                "listener",
                "listener_id",
                "user",
                "user_id",
                "username",
                "owner",
                "password_hash",
            ]
            .contains(&column.as_str())
        };
        let known = PERSONAL.iter().find(|personal| personal.table == table);
        if !columns.iter().any(about_persons) {
            assert!(known.is_none(), "{table} has nobody in it");
            continue;
        }
        personal += 1;
        let excepted = NAMED_OTHERWISE.iter().find(|(name, _)| *name == table);
        assert!(
            known.is_some() != excepted.is_some(),
            "{table} has data about persons: give it a line in catalog::personal (PERSONAL), which exports and erases it"
        );
        if let Some((_, reason)) = excepted {
            assert!(reason.len() > 40, "{table}: say why");
        }
        let Some(known) = known else { continue };
        assert!(columns.iter().any(|column| column == known.column), "{table} has no {}", known.column);
        for hidden in known.hidden.iter().chain(&known.order.split(", ").collect::<Vec<_>>()) {
            assert!(columns.iter().any(|column| column == hidden), "{table} has no {hidden}");
        }
        for secret in ["digest", "sealed", "secret", "password_hash"] {
            let there = columns.iter().any(|column| column == secret);
            assert!(!there || known.hidden.contains(&secret), "{table}.{secret} would be given out");
        }
    }
    assert_eq!(personal, PERSONAL.len() + NAMED_OTHERWISE.len());
    assert!(personal > 15);
}

#[tokio::test]
async fn the_opt_out_of_before_is_the_decision_of_now() {
    if database::about_files("an older database") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog/migrations");
    let mut names: Vec<String> = std::fs::read_dir(&migrations)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.as_str() < "0021")
        .collect();
    names.sort();
    let new = folder.path().join("new.db");
    drop(database::open(&new).await.unwrap());
    let mut conn = raw(&file).await;
    for name in names {
        let text = std::fs::read_to_string(migrations.join(name)).unwrap();
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut conn).await.unwrap();
    }
    let attach = format!(
        "ATTACH '{}' AS new; CREATE TABLE _sqlx_migrations AS SELECT * FROM new._sqlx_migrations WHERE version < 21; \
         INSERT INTO unprofiled (account_id, at) VALUES ('me', 77);",
        new.display()
    );
    sqlx::raw_sql(AssertSqlSafe(attach)).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let catalog = database::open(&file).await.unwrap();
    assert!(!catalog.allows(&account(), Purpose::Personalisation).await.unwrap());
    assert!(catalog.allows(&account(), Purpose::History).await.unwrap());
    let consents = catalog.consents(&account()).await.unwrap();
    assert_eq!((consents.len(), consents[0].at, consents[0].given), (1, 77, false));
}

#[tokio::test]
async fn a_player_that_keeps_no_history_writes_nothing_down_and_tells_nobody() {
    let catalog = database::in_memory().await;
    catalog
        .apply(&Batch { tracks: vec![track("t", "One", "Alpha", None)], ..Batch::default() })
        .await
        .unwrap();
    let me = catalog.listener(&account()).with_outbox();
    me.decide(Purpose::History, false, 1).await.unwrap();
    me.decide(Purpose::History, false, 1).await.unwrap();
    let listen =
        Listen { artist: "Alpha".into(), title: "One".into(), duration_ms: 1000, ..Listen::default() };
    let scrobble =
        Scrobble { service: ScrobbleService::ListenBrainz, track: "t".into(), started_at: 5, listen };
    assert!(!me.record_play_for(&play("t", 5), &PlayContext::default(), &[scrobble]).await.unwrap());
    let waiting: Vec<Change> =
        catalog.outbox(9).await.unwrap().into_iter().map(|(_, change)| change).collect();
    let told = Change::Decided { purpose: Purpose::History, given: false, version: 1 };
    assert_eq!(waiting, [told], "the decision goes to the server, and no play");
    let counts = catalog.personal_counts(&account()).await.unwrap();
    assert_eq!(counts, [("outbox", 1), ("consents", 1)]);

    // What the server says does not overwrite what still waits to be told.
    me.decided_elsewhere(Purpose::History, true, 1).await.unwrap();
    assert!(!me.allows(Purpose::History).await.unwrap());
    me.decided_elsewhere(Purpose::Analytics, true, 1).await.unwrap();
    assert!(me.allows(Purpose::Analytics).await.unwrap());
    assert_eq!(catalog.outbox(9).await.unwrap().len(), 1, "what came from there is not sent back");
}

#[tokio::test]
async fn what_is_older_than_its_limit_goes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = database::open(&folder.path().join("catalog.db")).await.unwrap();
    catalog
        .apply(&Batch { tracks: vec![track("t", "One", "Alpha", None)], ..Batch::default() })
        .await
        .unwrap();
    let id = accounts::add(&catalog, "ann", "sesame", false).await.unwrap();
    accounts::new_api_key(&catalog, "ann", "an old phone").await.unwrap();
    accounts::note(&catalog, "admin", "here", "account added", "ann").await.unwrap();
    let me = catalog.listener(&id);
    let now = jiff::Timestamp::now().as_millisecond();
    for days in [0, 399, 401] {
        me.record_play(&play("t", now - days * DAY)).await.unwrap();
    }
    me.set_star(&Item::Track("t".into()), Some(now - 900 * DAY)).await.unwrap();
    let data = folder.path();
    let count = async || me.play_times().await.unwrap().len();

    // By itself nothing that was heard goes, however old.
    tidy(&catalog, data, &Keep::default(), now).await.unwrap();
    assert_eq!(count().await, 3);
    let keep = Keep { plays: 400, audit: 100, keys: 50, ..Keep::default() };
    assert_eq!(tidy(&catalog, data, &keep, now).await.unwrap().expired, [("plays", 1)]);
    assert_eq!(count().await, 2);
    let none: [(&str, u64); 0] = [];
    assert_eq!(tidy(&catalog, data, &keep, now).await.unwrap().expired, none);
    let done = tidy(&catalog, data, &keep, now + 49 * DAY).await.unwrap();
    assert_eq!(done.expired, [("plays", 1)], "the key lives one more day");
    assert_eq!(tidy(&catalog, data, &keep, now + 51 * DAY).await.unwrap().expired, [("api_keys", 1)]);
    assert!(catalog.credentials(&id).await.unwrap().is_empty());
    assert_eq!(tidy(&catalog, data, &keep, now + 101 * DAY).await.unwrap().expired, [("audit", 1)]);
    assert_eq!(tidy(&catalog, data, &keep, now + 401 * DAY).await.unwrap().expired, [("plays", 1)]);
    assert_eq!(count().await, 0);
    let (_, marks) = (me.track(&"t".into()).await.unwrap(), me.starred().await.unwrap());
    assert_eq!(marks.tracks.len(), 1, "a star is no play");

    // The search index forgets whose marks it took notes of.
    assert!(catalog.has_search_notes().await.unwrap() || catalog.warm_search().await.is_ok());
    me.set_rating(&Item::Track("t".into()), 3).await.unwrap();
    assert!(catalog.has_search_notes().await.unwrap());
    tidy(&catalog, data, &keep, now + 402 * DAY).await.unwrap();
    tidy(&catalog, data, &keep, now + 440 * DAY).await.unwrap();
    assert!(!catalog.has_search_notes().await.unwrap());
}

#[tokio::test]
async fn copies_from_before_a_release_or_a_restore_end_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let catalog = database::open(&data.join("catalog.db")).await.unwrap();
    std::fs::write(data.join("catalog.db.before-21"), "an old database").unwrap();
    std::fs::create_dir(data.join("before-restore-1")).unwrap();
    std::fs::write(data.join("before-restore-1/catalog.db"), "an old database").unwrap();
    std::fs::write(data.join("before-anything"), "somebody else's").unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let keep = Keep::default();
    assert_eq!(tidy(&catalog, data, &keep, now + 29 * DAY).await.unwrap().copies, 0);
    let forever = Keep { backups: 0, ..keep };
    assert_eq!(tidy(&catalog, data, &forever, now + 900 * DAY).await.unwrap().copies, 0);
    assert_eq!(tidy(&catalog, data, &keep, now + 31 * DAY).await.unwrap().copies, 2);
    assert!(data.join("before-anything").exists() && !data.join("before-restore-1").exists());
}

#[tokio::test]
async fn the_popularity_list_is_of_those_who_may_be_learned_from() {
    let catalog = database::in_memory().await;
    let tracks = vec![track("a", "A", "Alpha", None), track("b", "B", "Beta", None)];
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let (much, little) = (catalog.listener(&"much".into()), catalog.listener(&"little".into()));
    for n in 0..5 {
        much.record_play(&play("a", n * 1_000_000)).await.unwrap();
    }
    little.record_play(&play("b", 1)).await.unwrap();
    let first = async || catalog.popular_tracks(1).await.unwrap()[0].as_str().to_owned();
    assert_eq!(first().await, "a");
    much.decide(Purpose::Personalisation, false, 1).await.unwrap();
    assert_eq!(first().await, "b");
    assert_eq!(mixing::popular(&much).await.unwrap(), mixing::popular(&little).await.unwrap());
    much.decide(Purpose::Personalisation, true, 1).await.unwrap();
    much.decide(Purpose::History, false, 1).await.unwrap();
    assert_eq!(first().await, "b", "who keeps no history is not learned from either");
}

#[tokio::test]
async fn a_copy_waits_for_who_takes_it_and_ends_when_nobody_does() {
    if database::about_files("filling a database by hand") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    let catalog = database::open(&file).await.unwrap();
    let mut conn = raw(&file).await;
    // Times that do not compress well.
    sqlx::raw_sql(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) \
         INSERT INTO plays (account_id, track_id, started_at, heard_ms, start_reason, end_reason) \
         SELECT 'me', hex(randomblob(16)), 1700000000000 + i * 1000 + abs(random() % 1000), abs(random() % 300000), \
         'chosen', 'finished' FROM n",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    let who = Who { id: account(), name: "me".to_owned() };
    let start = |room: usize| {
        let (sender, pieces) = tokio::sync::mpsc::channel(room);
        let (catalog, who) = (catalog.clone(), who.clone());
        (tokio::spawn(async move { Box::pin(export(&catalog, &who, sender)).await }), pieces)
    };
    let (writing, mut pieces) = start(1);
    while pieces.is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!writing.is_finished() && pieces.len() == 1, "what is not taken is not written ahead");
    let mut zip = Vec::new();
    let mut number = 0;
    while let Some(piece) = pieces.recv().await {
        assert!(piece.len() < 256 << 10, "a piece of {} bytes", piece.len());
        zip.extend_from_slice(&piece);
        number += 1;
    }
    writing.await.unwrap().unwrap();
    assert!(number > 10, "{number} pieces of {} bytes in all", zip.len());
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut zip.by_name("plays.jsonl").unwrap(), &mut text).unwrap();
    assert_eq!(text.lines().count(), 40_000);

    let (writing, pieces) = start(1);
    drop(pieces);
    let error = writing.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("nobody takes"), "{error}");
}

/// What a command printed, and whether it said that all is well.
fn run(home: &Home, args: &[&str]) -> (bool, String) {
    let done = database::told(home.command(args), args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (done.status.success(), format!("{}\n{}", text(&done.stdout), text(&done.stderr)).trim().to_owned())
}

fn said(home: &Home, args: &[&str]) -> String {
    let (well, text) = run(home, args);
    assert!(well, "{args:?}: {text}");
    text
}

fn library(home: &Home, name: &str) -> String {
    let data = home.path().join(name).display().to_string();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo").display().to_string();
    said(home, &["scan", "--music", &demo, "--data", &data]);
    let args = ["users", "--data", &data, "add", "ann", "--password-stdin"];
    let mut child =
        database::told(home.command(&args), &args).stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Zebra-stripes 77\n").unwrap();
    assert!(child.wait().unwrap().success());
    data
}

#[test]
fn plays_of_a_copy_come_into_a_fresh_library_and_the_command_line_exports_erases_and_tells() {
    let home = Home::new();
    let data = library(&home, "server");
    // A history from somewhere, of which the demo album knows three.
    let mut lines = String::new();
    for (n, title) in ["First Light", "Kettle Hours", "First Light"].iter().enumerate() {
        let listen = serde_json::json!({
            "listened_at": 1_716_900_000 + n * 86_400,
            "track_metadata": {
                "artist_name": "Segue House Band",
                "track_name": title,
                "additional_info": { "duration_played": 50 },
            },
        });
        lines += &listen.to_string();
        lines.push('\n');
    }
    let history = home.path().join("history.jsonl");
    std::fs::write(&history, lines).unwrap();
    let history = history.display().to_string();
    let report = said(&home, &["import", "listenbrainz", &history, "--data", &data, "--account", "ann"]);
    assert!(report.contains("3 matched"), "{report}");

    let zip = home.path().join("ann.zip").display().to_string();
    said(&home, &["account", "export", "ann", "--out", &zip, "--data", &data]);
    let (well, again) = run(&home, &["account", "export", "ann", "--out", &zip, "--data", &data]);
    assert!(!well && again.contains("cannot be written"), "nothing is overwritten: {again}");
    let fresh = library(&home, "fresh");
    let report = said(&home, &["import", "listenbrainz", &zip, "--data", &fresh, "--account", "ann"]);
    assert!(report.contains("3 matched"), "{report}");
    // The same plays, to the second and with what was heard of them: a copy of the copy says the same.
    let second = home.path().join("second.zip").display().to_string();
    said(&home, &["account", "export", "ann", "--out", &second, "--data", &fresh]);
    let plays = |file: &str| -> Vec<(i64, String, i64)> {
        let mut zip = zip::ZipArchive::new(std::fs::File::open(file).unwrap()).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut zip.by_name("plays.jsonl").unwrap(), &mut text).unwrap();
        let read = |line: &str| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let data = &row["track_metadata"];
            let heard = data["additional_info"]["played_ms"].as_i64().unwrap();
            (row["listened_at"].as_i64().unwrap(), data["track_name"].as_str().unwrap().to_owned(), heard)
        };
        text.lines().map(read).collect()
    };
    assert_eq!(plays(&zip).len(), 3);
    assert_eq!(plays(&zip), plays(&second));

    // The page of the command line: what is kept, what is allowed, and since when.
    let shown = said(&home, &["account", "privacy", "ann", "--data", &data]);
    for words in ["history", "personalAds     off", "what was heard", "as it comes; ground: consent"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let shown = said(
        &home,
        &["account", "privacy", "ann", "--allow", "personalAds", "--forbid", "history", "--data", &data],
    );
    assert!(shown.contains("personalAds     on") && shown.contains("history         off"), "{shown}");
    let (well, wrong) = run(&home, &["account", "privacy", "ann", "--allow", "everything", "--data", &data]);
    assert!(!well && wrong.contains("history, personalisation, personalAds, analytics"), "{wrong}");
    let (well, refused) =
        run(&home, &["import", "listenbrainz", &history, "--data", &data, "--account", "ann"]);
    assert!(!well && refused.contains("keeps no history"), "{refused}");

    // Erasing: with a grace, which can be taken back; at once only for who says so.
    let wish = said(&home, &["account", "erase", "ann", "--data", &data]);
    assert!(wish.contains("will be erased at"), "{wish}");
    assert!(said(&home, &["account", "privacy", "ann", "--data", &data]).contains("closed; to be erased"));
    assert!(said(&home, &["account", "erase", "ann", "--cancel", "--data", &data]).contains("stays"));
    let audit = said(&home, &["account", "audit", "ann", "--data", &data]);
    for deed in [
        "account added",
        "data exported",
        "personalAds turned on",
        "privacy read",
        "erasure asked for",
        "erasure taken back",
    ] {
        assert!(audit.contains(deed), "{deed}: {audit}");
    }
    let (well, unsure) = run(&home, &["account", "erase", "ann", "--now", "--data", &data]);
    assert!(!well && unsure.contains("--yes"), "{unsure}");
    let receipt = said(&home, &["account", "erase", "ann", "--now", "--yes", "--data", &data]);
    assert!(receipt.contains("3 plays") && receipt.contains("no backup holds"), "{receipt}");
    let (well, gone) = run(&home, &["account", "export", "ann", "--out", "x.zip", "--data", &data]);
    assert!(
        !well && gone.contains("there is no account"),
        "after the end there is nothing to export: {gone}"
    );
    assert!(said(&home, &["account", "audit", "ann", "--data", &data]).is_empty());
    assert!(said(&home, &["account", "tidy", "--data", &data]).contains("removed"));
}
