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
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

async fn raw(file: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap()
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

#[tokio::test]
async fn an_older_file_is_copied_and_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    filled(&file).await;
    let newest = version(&file).await;
    // What the first release left behind: only the first migration, and an index of another make.
    sql(
        &file,
        &[
            "DROP TABLE app_passwords",
            "DROP TABLE api_keys",
            "DROP TABLE accounts",
            "DROP INDEX marks_by_count",
            "DROP INDEX marks_by_item",
            "DELETE FROM _sqlx_migrations WHERE version > 1",
            "DELETE FROM settings WHERE name = 'search.version'",
            "DROP TABLE search_tracks",
        ],
    )
    .await;
    let catalog = Catalog::open(&file).await.unwrap();
    assert_eq!(version(&file).await, newest);
    let me = catalog.listener(&account());
    let found = me.search("traum", SearchWindows::first(5)).await.unwrap().tracks;
    assert_eq!(found[0].marks.starred_at, Some(7));
    let copy = folder.path().join("catalog.db.before-2");
    assert_eq!(version(&copy).await, 1, "the copy is as the file was");
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
