//! Where the catalogs of tests are: in files and in memory, or on the PostgreSQL server that `SEGUE_TEST_DATABASE` names, where every
//! test has a database of its own. The same tests run on both.

#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use segue::catalog::{Catalog, CatalogError, Database};

/// Whether catalogs are on a server.
pub(crate) fn on_server() -> bool {
    std::env::var_os("SEGUE_TEST_DATABASE").is_some()
}

/// Says that a test is about files, where catalogs are on a server.
pub(crate) fn about_files(what: &str) -> bool {
    if on_server() {
        println!("skipped: {what} is about a file");
    }
    on_server()
}

/// An empty catalog.
pub(crate) async fn in_memory() -> Catalog {
    if on_server() {
        return Catalog::open_at(&server::fresh("memory")).await.unwrap();
    }
    Catalog::in_memory().await.unwrap()
}

/// The catalog that would be in this file; the same one each time.
pub(crate) async fn open(file: &Path) -> Result<Catalog, CatalogError> {
    Catalog::open_at(&place(file)).await
}

/// The database that stands for this file.
pub(crate) fn place(file: &Path) -> Database {
    if on_server() {
        return server::fresh(&file.display().to_string());
    }
    Database::File(file.to_owned())
}

/// A command that is told where the catalog of the `--data` among its arguments is.
pub(crate) fn told(mut command: std::process::Command, args: &[&str]) -> std::process::Command {
    let data = args.iter().position(|arg| *arg == "--data").and_then(|at| args.get(at + 1));
    if let Some(data) = data.filter(|_| on_server()) {
        let file = Path::new(data).join("catalog.db");
        command.env("SEGUE_DATABASE", server::address_of(&file.display().to_string()));
    }
    command
}

#[cfg(not(feature = "cloud"))]
mod server {
    use segue::catalog::Database;

    pub(super) fn address_of(_: &str) -> String {
        panic!("SEGUE_TEST_DATABASE needs `--features cloud`")
    }

    pub(super) fn fresh(_: &str) -> Database {
        panic!("SEGUE_TEST_DATABASE needs `--features cloud`")
    }
}

#[cfg(feature = "cloud")]
mod server {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{LazyLock, Mutex};

    use segue::catalog::{Catalog, Database};
    use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

    /// A database of this schema that others are copies of.
    const TEMPLATE: &str = "segue_template";

    static KNOWN: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);
    static NEXT: AtomicUsize = AtomicUsize::new(0);

    fn base() -> String {
        std::env::var("SEGUE_TEST_DATABASE").unwrap()
    }

    /// The address of another database of that server.
    fn address(name: &str) -> String {
        let base = base();
        let (front, query) = base.split_once('?').unwrap_or((&base, ""));
        let server = front.rsplit_once('/').unwrap().0;
        let query = if query.is_empty() { "pool_size=6".to_owned() } else { format!("{query}&pool_size=6") };
        format!("{server}/{name}?{query}")
    }

    /// The database of a name in this process, made when it is asked for first.
    pub(super) fn fresh(name: &str) -> Database {
        address_of(name).parse().unwrap()
    }

    /// The address of that database.
    pub(super) fn address_of(name: &str) -> String {
        let mut known = KNOWN.lock().unwrap();
        let mut name = name.to_owned();
        if name == "memory" {
            name = format!("memory {}", NEXT.fetch_add(1, Ordering::Relaxed));
        }
        let (first, made) = (known.is_empty(), format!("segue_test_{}_{}", std::process::id(), known.len()));
        let made = known.entry(name).or_insert_with(|| {
            let new = made.clone();
            // Some who ask are in a runtime, and some are not.
            let work = move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(make(first, &new));
            };
            std::thread::spawn(work).join().unwrap();
            made
        });
        address(made)
    }

    async fn make(first: bool, made: &str) {
        let mut admin = PgConnection::connect(&base()).await.unwrap();
        if first {
            prepare(&mut admin).await;
        }
        let sql = format!("CREATE DATABASE {made} TEMPLATE {TEMPLATE}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }

    /// Removes what earlier processes left (not with `SEGUE_TEST_KEEP_DATABASES`, on a server that goes as a whole), and sees that there is a template of the schema as it is now.
    async fn prepare(admin: &mut PgConnection) {
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT datname::text FROM pg_database WHERE datname LIKE 'segue\\_test\\_%' ESCAPE '\\'",
        )
        .fetch_all(&mut *admin)
        .await
        .unwrap();
        let keep = std::env::var_os("SEGUE_TEST_KEEP_DATABASES").is_some();
        for name in names.into_iter().filter(|_| !keep) {
            let of = name.split('_').nth(2).unwrap_or_default();
            if !std::path::Path::new("/proc").join(of).exists() {
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *admin).await;
            }
        }
        // Processes that start together make one template.
        sqlx::query("SELECT pg_advisory_lock(7)").execute(&mut *admin).await.unwrap();
        let there: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM pg_database WHERE datname = $1")
            .bind(TEMPLATE)
            .fetch_one(&mut *admin)
            .await
            .unwrap();
        if there == 0 {
            let sql = format!("CREATE DATABASE {TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *admin).await.unwrap();
        }
        let catalog = Catalog::open_at(&address(TEMPLATE).parse().unwrap()).await.unwrap();
        catalog.close().await;
        sqlx::query("SELECT pg_advisory_unlock(7)").execute(&mut *admin).await.unwrap();
    }
}
