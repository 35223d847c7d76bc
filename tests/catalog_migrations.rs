//! Opening catalog files of every age.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/library.rs"]
mod library;

use std::path::Path;

use library::{account, track};
use segue::{
    catalog::{Batch, Catalog, CatalogError, SearchWindows},
    music::Item,
};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

async fn raw(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn sql(file: &Path, statements: &[&'static str]) {
    let mut conn = raw(file).await;
    for statement in statements {
        sqlx::query(*statement).execute(&mut conn).await.unwrap();
    }
    conn.close().await.unwrap();
}

async fn filled(file: &Path) {
    let catalog = Catalog::open(file).await.unwrap();
    let tracks = vec![track("t0", "Träumerei", "Schumann", Some(("a0", "Kinderszenen")))];
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    me.set_star(&Item::Track("t0".into()), Some(7)).await.unwrap();
}

/// The schema version of a file, and the highest that this program knows.
async fn version(file: &Path) -> i64 {
    let mut conn = raw(file).await;
    sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&mut conn).await.unwrap()
}

/// Every migration: its number and its text.
fn migrations() -> Vec<(i64, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog/migrations");
    let mut all: Vec<(i64, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            (name[..4].parse().unwrap(), std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    all.sort();
    all
}

/// Makes the file that a program with the migrations up to a version would have left behind, with the rows of a new one,
/// and no search index.
async fn of_version(version: i64, file: &Path, new: &Path) {
    let mut conn = raw(file).await;
    for (_, text) in migrations().into_iter().filter(|(number, _)| *number <= version) {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut conn).await.unwrap();
    }
    let attach = format!("ATTACH '{}' AS new", new.display());
    sqlx::raw_sql(AssertSqlSafe(attach)).execute(&mut conn).await.unwrap();
    let done = format!(
        "CREATE TABLE _sqlx_migrations AS SELECT * FROM new._sqlx_migrations WHERE version <= {version}"
    );
    sqlx::raw_sql(AssertSqlSafe(done)).execute(&mut conn).await.unwrap();
    for table in ["artists", "albums", "tracks", "album_artists", "track_artists", "marks"] {
        let columns: String =
            sqlx::query_scalar("SELECT group_concat(name) FROM pragma_table_info($1, 'main')")
                .bind(table)
                .fetch_one(&mut conn)
                .await
                .unwrap();
        let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}");
        sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut conn).await.unwrap();
    }
    conn.close().await.unwrap();
}

#[tokio::test]
async fn older_files_are_copied_and_brought_up_to_date() {
    let new = tempfile::tempdir().unwrap();
    let new = new.path().join("new.db");
    filled(&new).await;
    let numbers: Vec<i64> = migrations().into_iter().map(|(number, _)| number).collect();
    assert_eq!(version(&new).await, *numbers.last().unwrap());
    for old in &numbers[..numbers.len() - 1] {
        brought_up_to_date(*old, &new).await;
    }
}

async fn brought_up_to_date(was: i64, new: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    let newest = version(new).await;
    of_version(was, &file, new).await;
    let catalog = Catalog::open(&file).await.unwrap();
    assert_eq!(version(&file).await, newest);
    let me = catalog.listener(&account());
    let found = me.search("traum", SearchWindows::first(5)).await.unwrap().tracks;
    assert_eq!(found[0].marks.starred_at, Some(7));
    let copy = folder.path().join(format!("catalog.db.before-{}", was + 1));
    assert_eq!(version(&copy).await, was, "the copy is as the file was");
    let mut old = raw(&copy).await;
    let title: String = sqlx::query_scalar("SELECT title FROM tracks").fetch_one(&mut old).await.unwrap();
    assert_eq!(title, "Träumerei");
}

#[tokio::test]
async fn a_file_that_is_up_to_date_is_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    filled(&file).await;
    drop(Catalog::open(&file).await.unwrap());
    let names = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("before")));
}

#[tokio::test]
async fn a_newer_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    filled(&file).await;
    sql(&file, &["UPDATE _sqlx_migrations SET version = 9999 WHERE version = 2"]).await;
    match Catalog::open(&file).await {
        Err(CatalogError::Newer { found: 9999, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(version(&file).await, 9999);
}

#[tokio::test]
async fn what_is_no_database_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    std::fs::write(&file, b"my diary, not a database ".repeat(100)).unwrap();
    let error = Catalog::open(&file).await.unwrap_err();
    assert!(error.to_string().contains("catalog.db"), "{error}");
    assert!(std::fs::read(&file).unwrap().starts_with(b"my diary"));
}
