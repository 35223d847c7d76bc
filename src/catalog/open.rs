//! Opening: connections, migrations, and the copy that is made before a migration touches an existing file.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::migrations::{self, State};
use super::reach::Parts;
use super::sql::{self, Engine};
use super::stamp::Stamps;
use super::{Catalog, CatalogError, Database, search};

/// Readers at a time; each holds a small page cache.
const READERS: u32 = 3;

/// See [`Catalog::alone`].
#[derive(Debug)]
pub struct Alone(Hold);

/// What keeps others out.
#[derive(Debug)]
pub(super) enum Hold {
    /// There are no others.
    Nothing,
    File(File),
    /// The database's own lock, which ends with the connection.
    #[cfg(feature = "cloud")]
    Server(#[expect(dead_code, reason = "holds the lock")] Box<sqlx::postgres::PgConnection>),
}

impl Drop for Alone {
    fn drop(&mut self) {
        // Closing would unlock it as well, unless a child process inherited the file.
        if let Hold::File(file) = &self.0 {
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
        let parts = Parts::of_file(Some(options.create_if_missing(false).pragma("cache_size", "-2000")));
        Ok(Self::ready(sql::Pool::Sqlite(reader), sql::Pool::Sqlite(writer), parts, Some(file)))
    }

    /// Opens the catalog of a place: see [`open`](Self::open); on a server the schema is brought up to date where it is old, by
    /// one process at a time.
    pub async fn open_at(database: &Database) -> Result<Self, CatalogError> {
        match database {
            Database::File(file) => Self::open(file).await,
            #[cfg(feature = "cloud")]
            Database::Server(address) => super::postgres::open(address).await,
            #[cfg(not(feature = "cloud"))]
            Database::Server(address) => {
                Err(CatalogError::Invalid(format!("{address}: this Segue was built without PostgreSQL")))
            }
        }
    }

    /// Opens a catalog of this release to read it and nothing else: the file must be there, and stays as it is.
    pub async fn open_to_read(database: &Database) -> Result<Self, CatalogError> {
        let Database::File(file) = database else { return Self::open_at(database).await };
        if !file.is_file() {
            return Err(CatalogError::Invalid(format!("there is no catalog {}", file.display())));
        }
        let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(BUSY);
        let opened = pool(READERS).connect_with(options).await;
        let only = opened.map_err(|e| CatalogError::Open { path: file.clone(), source: e.into() })?;
        let only = sql::Pool::Sqlite(only);
        Ok(Self::ready(only.clone(), only, Parts::of_file(None), None))
    }

    /// An empty catalog that is gone when its last handle is dropped: for tests and for trying things out.
    pub async fn in_memory() -> Result<Self, CatalogError> {
        // One connection: each connection to `:memory:` would be a database of its own.
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        let only = pool(1).connect_with(options).await?;
        migrate(&only, None).await?;
        let only = sql::Pool::Sqlite(only);
        Ok(Self::ready(only.clone(), only, Parts::of_file(None), None))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), CatalogError> {
        sql::query("SELECT 1").execute(self.reader()).await?;
        Ok(())
    }

    /// Writes a copy of everything as it is at this moment into a new file, while others go on reading and writing.
    pub async fn copy_to(&self, file: &Path) -> Result<(), CatalogError> {
        if self.engine().is_shared() {
            let copy = Self::open(file).await?;
            self.move_to(&copy, &mut |_| {}).await?;
            copy.close().await;
            return Ok(());
        }
        let name = file.to_str().ok_or_else(|| {
            CatalogError::Invalid(format!("{}: SQLite needs a name in UTF-8", file.display()))
        })?;
        sql::query("VACUUM INTO $1").bind(name).execute(self.reader()).await?;
        Ok(())
    }

    /// Closes every connection, which folds what was written aside into the one file. Other handles stop working too.
    pub async fn close(self) {
        #[cfg(feature = "cloud")]
        self.replicas.close().await;
        self.reader.close().await;
        self.writer.close().await;
    }

    /// Reads the whole file of a catalog and says what is wrong with it, if anything is. A server looks after its own.
    pub async fn damage(&self) -> Result<Option<String>, CatalogError> {
        if self.engine().is_shared() {
            return Ok(None);
        }
        let said: String = sql::query_scalar("PRAGMA integrity_check(1)").fetch_one(self.reader()).await?;
        Ok((said != "ok").then_some(said))
    }

    /// The right to do what only one process may do at a time, such as to deliver the outbox; `None` while another one
    /// has it. It ends with the value, or with the process. An error where the disk knows no locks.
    pub async fn alone(&self, what: &str) -> std::io::Result<Option<Alone>> {
        #[cfg(feature = "cloud")]
        if let sql::Pool::Postgres(pool) = &self.writer {
            let held = super::postgres::alone(pool, what).await.map_err(std::io::Error::other)?;
            return Ok(held.map(|conn| Alone(Hold::Server(Box::new(conn)))));
        }
        let Some(file) = &self.file else { return Ok(Some(Alone(Hold::Nothing))) };
        let mut path = file.as_os_str().to_owned();
        path.push(format!(".{what}.lock"));
        let lock = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Alone(Hold::File(lock)))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Which database answers.
    pub(super) const fn engine(&self) -> Engine {
        self.writer.engine()
    }

    pub(super) fn ready(reader: sql::Pool, writer: sql::Pool, parts: Parts, file: Option<&Path>) -> Self {
        let stamps = file.map(Stamps::of).unwrap_or_default();
        let search = Arc::new(search::Index::beside(file, writer.engine().is_shared()));
        Self {
            all: reader.clone(),
            narrowed: false,
            reader,
            parts: Arc::new(parts),
            writer,
            #[cfg(feature = "cloud")]
            replicas: Arc::default(),
            stamps,
            looks: Arc::default(),
            search,
            smart: Arc::default(),
            rulers: Arc::default(),
            counted: Arc::default(),
            heard_days: Arc::default(),
            fence: None,
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
    let plain = sql::Pool::Sqlite(pool.clone());
    let state = migrations::state(&plain).await?;
    match state {
        State::Current => return Ok(()),
        State::Newer(found) => {
            return Err(CatalogError::Newer { place: path().display().to_string(), found });
        }
        State::Empty => {}
        State::Behind(applied) => {
            if let Some(file) = file {
                back_up(&plain, file, applied).await.map_err(&open_error)?;
            }
        }
    }
    migrations::migrator(Engine::Sqlite).run(pool).await.map_err(|e| open_error(e.into()))?;
    if state != State::Empty {
        super::insights::fill_scores(&plain).await?;
    }
    Ok(())
}

/// Writes a copy of the whole database beside it. A copy of the same version from an earlier try is replaced.
async fn back_up(
    pool: &sql::Pool,
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
    sql::query("VACUUM INTO $1").bind(target).execute(pool).await?;
    tracing::info!(copy = target, "copied the catalog before bringing it up to date");
    Ok(())
}
