//! Opening: connections, migrations, and the copy that is made before a migration touches an existing file.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::reach::Parts;
use super::stamp::Stamps;
use super::{Catalog, CatalogError, search};

/// Every migration in order: version, name, SQL. They only go forward, and a released one never changes; adding
/// one is a file and a line here.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "catalog", include_str!("migrations/0001_catalog.sql")),
    (2, "accounts", include_str!("migrations/0002_accounts.sql")),
    (3, "popularity", include_str!("migrations/0003_popularity.sql")),
    (4, "pins", include_str!("migrations/0004_pins.sql")),
    (5, "queue", include_str!("migrations/0005_queue.sql")),
    (6, "serving", include_str!("migrations/0006_serving.sql")),
    (7, "tags", include_str!("migrations/0007_tags.sql")),
    (8, "taste", include_str!("migrations/0008_taste.sql")),
    (9, "sonic", include_str!("migrations/0009_sonic.sql")),
    (10, "search", include_str!("migrations/0010_search.sql")),
    (12, "server", include_str!("migrations/0012_server.sql")),
    (14, "mixes", include_str!("migrations/0014_mixes.sql")),
    (15, "scan", include_str!("migrations/0015_scan.sql")),
    (16, "smart", include_str!("migrations/0016_smart.sql")),
    (17, "slices", include_str!("migrations/0017_slices.sql")),
    (18, "scrobbles", include_str!("migrations/0018_scrobbles.sql")),
    (19, "plans", include_str!("migrations/0019_plans.sql")),
    (20, "ads", include_str!("migrations/0020_ads.sql")),
    (21, "privacy", include_str!("migrations/0021_privacy.sql")),
    (22, "insights", include_str!("migrations/0022_insights.sql")),
    (24, "devices", include_str!("migrations/0024_devices.sql")),
];

/// Readers at a time; each holds a small page cache.
const READERS: u32 = 3;

/// See [`Catalog::alone`].
#[derive(Debug)]
pub struct Alone(Option<File>);

impl Drop for Alone {
    fn drop(&mut self) {
        // Closing would unlock it as well, unless a child process inherited the file.
        if let Some(file) = &self.0 {
            let _ = file.unlock();
        }
    }
}

/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(10);

impl Catalog {
    /// Opens the catalog in `file`, making it where it is missing and bringing it up to date where it is old. A copy
    /// named `<file>.before-<version>` is left beside an existing file that is about to be migrated.
    pub async fn open(file: &Path) -> Result<Self, CatalogError> {
        let open_error = |source: Box<dyn std::error::Error + Send + Sync>| CatalogError::Open {
            path: file.to_owned(),
            source,
        };
        if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
            tokio::fs::create_dir_all(folder).await.map_err(|e| open_error(e.into()))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(BUSY)
            .pragma("temp_store", "memory");
        // An edit is shown as done when it is committed, so it must outlive a power cut: FULL, not NORMAL.
        let writer = pool(1)
            .connect_with(
                options
                    .clone()
                    .synchronous(SqliteSynchronous::Full)
                    .pragma("cache_size", "-16000")
                    // What is deleted is overwritten, so that it is gone from the file as well.
                    .pragma("secure_delete", "on"),
            )
            .await
            .map_err(|e| open_error(e.into()))?;
        migrate(&writer, Some(file)).await?;
        let reader = pool(READERS)
            .connect_with(options.clone().synchronous(SqliteSynchronous::Full).pragma("cache_size", "-4000"))
            .await
            .map_err(|e| open_error(e.into()))?;
        let parts = options.create_if_missing(false).pragma("cache_size", "-2000");
        Ok(Self::ready(reader, writer, Some((file, parts))))
    }

    /// An empty catalog that is gone when its last handle is dropped: for tests and for trying things out.
    pub async fn in_memory() -> Result<Self, CatalogError> {
        // One connection: each connection to `:memory:` would be a database of its own.
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        let only = pool(1).connect_with(options).await?;
        migrate(&only, None).await?;
        Ok(Self::ready(only.clone(), only, None))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), CatalogError> {
        sqlx::query("SELECT 1").execute(self.reader()).await?;
        Ok(())
    }

    /// Writes a copy of everything as it is at this moment into a new file, while others go on reading and writing.
    pub async fn copy_to(&self, file: &Path) -> Result<(), CatalogError> {
        let name = file.to_str().ok_or_else(|| {
            CatalogError::Invalid(format!("{}: SQLite needs a name in UTF-8", file.display()))
        })?;
        sqlx::query("VACUUM INTO $1").bind(name).execute(self.reader()).await?;
        Ok(())
    }

    /// Closes every connection, which folds what was written aside into the one file. Other handles stop working too.
    pub async fn close(self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// Reads the whole file of a catalog and says what is wrong with it, if anything is.
    pub async fn damage(&self) -> Result<Option<String>, CatalogError> {
        let said: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(self.reader()).await?;
        Ok((said != "ok").then_some(said))
    }

    /// The right to do what only one process may do at a time, such as to deliver the outbox; `None` while another one
    /// has it. It ends with the value, or with the process. An error where the disk knows no locks.
    pub fn alone(&self, what: &str) -> std::io::Result<Option<Alone>> {
        let Some(file) = &self.file else { return Ok(Some(Alone(None))) };
        let mut path = file.as_os_str().to_owned();
        path.push(format!(".{what}.lock"));
        let lock = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Alone(Some(lock)))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn ready(reader: SqlitePool, writer: SqlitePool, file: Option<(&Path, SqliteConnectOptions)>) -> Self {
        let (file, parts) = file.unzip();
        let parts = Arc::new(Parts::of(parts));
        let stamps = file.map(Stamps::of).unwrap_or_default();
        let search = Arc::new(search::Index::beside(file));
        Self {
            all: reader.clone(),
            narrowed: false,
            reader,
            parts,
            writer,
            stamps,
            search,
            smart: Arc::default(),
            rulers: Arc::default(),
            counted: Arc::default(),
            heard_days: Arc::default(),
            file: file.map(Arc::from),
        }
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_mins(1))
}

async fn migrate(pool: &SqlitePool, file: Option<&Path>) -> Result<(), CatalogError> {
    let path = || file.map_or_else(|| PathBuf::from(":memory:"), Path::to_owned);
    let open_error =
        |source: Box<dyn std::error::Error + Send + Sync>| CatalogError::Open { path: path(), source };
    let (applied, count) = applied_version(pool).await?;
    let newest = MIGRATIONS.iter().map(|m| m.0).max().unwrap_or(0);
    if applied > newest {
        return Err(CatalogError::Newer { path: path(), found: applied });
    }
    // Not the newest number alone: a program from between two releases may have run a later one first.
    if applied == newest && usize::try_from(count) == Ok(MIGRATIONS.len()) {
        return Ok(());
    }
    if let (Some(file), true) = (file, applied > 0) {
        back_up(pool, file, applied).await.map_err(&open_error)?;
    }
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, (*sql).into_sql_str(), false)
        })
        .collect();
    Migrator::with_migrations(migrations).run(pool).await.map_err(|e| open_error(e.into()))?;
    if applied > 0 {
        super::insights::fill_scores(pool).await?;
    }
    Ok(())
}

/// The newest migration in the database, 0 for a new one, and how many there are.
async fn applied_version(pool: &SqlitePool) -> Result<(i64, i64), CatalogError> {
    let known: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
    )
    .fetch_one(pool)
    .await?;
    if known == 0 {
        return Ok((0, 0));
    }
    Ok(sqlx::query_as("SELECT COALESCE(MAX(version), 0), COUNT(*) FROM _sqlx_migrations")
        .fetch_one(pool)
        .await?)
}

/// Writes a copy of the whole database beside it. A copy of the same version from an earlier try is replaced.
async fn back_up(
    pool: &SqlitePool,
    file: &Path,
    version: i64,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".before-{}", version + 1));
    let copy = PathBuf::from(name);
    let target = copy.to_str().ok_or("its path is not UTF-8, which SQLite needs for the backup copy")?;
    match tokio::fs::remove_file(&copy).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    sqlx::query("VACUUM INTO $1").bind(target).execute(pool).await?;
    tracing::info!(copy = target, "copied the catalog before bringing it up to date");
    Ok(())
}
