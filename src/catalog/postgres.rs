//! A catalog on a PostgreSQL server, which any number of processes may share.
//!
//! Readers and writers have pools of their own, so that writers who wait for each other keep nobody from reading. Where SQLite
//! has one write lock, there are advisory locks here that end with their transaction: one for what concerns the whole
//! library, one for each account (`locks`), and one for the order of the search log, which is taken last and held for a moment.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use super::database::Address;
use super::migrations::{self, State};
use super::reach::Parts;
use super::replicas::{Replicas, Watched};
use super::sql::{self, Engine};
use super::{Catalog, CatalogError};

/// Connections, where the address does not say how many: `?pool_size=`.
const CONNECTIONS: u32 = 16;
/// How long one statement may take, where the address does not say: `?statement_timeout=`, in seconds.
const STATEMENT: u64 = 30;
/// How long to wait for a free connection, where the address does not say: `?acquire_timeout=`, in seconds.
const ACQUIRE: u64 = 10;
/// How far a replica may be behind, where its address does not say: `?max_lag=`, in seconds.
const MAX_LAG: u64 = 5;
/// How long to wait for a connection to a replica, seconds; the database itself is there as well.
const REPLICA_ACQUIRE: u64 = 1;
/// Statements that a connection keeps prepared.
const PREPARED: usize = 400;

/// The first of the two numbers of an advisory lock that is about a job; those of `locks` are below it.
const JOB: i32 = 0x5e67_0004;

/// What an address says, to the driver and beyond. `Debug` says nothing of it: there is a password in it.
#[derive(Clone)]
pub(super) struct Settings {
    options: PgConnectOptions,
    connections: u32,
    acquire: Duration,
    max_lag: Duration,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("connections", &self.connections).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads an address; says what is wrong with it without repeating it.
    fn of(address: &Address) -> Result<Self, CatalogError> {
        let wrong = |why: String| CatalogError::Invalid(format!("{address}: {why}"));
        let (plain, query) = address.whole().split_once('?').unwrap_or((address.whole(), ""));
        let (mut connections, mut statement, mut acquire) = (CONNECTIONS, STATEMENT, ACQUIRE);
        let mut max_lag = MAX_LAG;
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let number = || value.parse::<u64>().map_err(|_| wrong(format!("{name} is a number")));
            match name {
                "pool_size" => connections = number()?.clamp(4, 1_000) as u32,
                "statement_timeout" => statement = number()?,
                "acquire_timeout" => acquire = number()?.max(1),
                "max_lag" => max_lag = number()?.max(1),
                _ => rest.push(pair),
            }
        }
        let url = if rest.is_empty() { plain.to_owned() } else { format!("{plain}?{}", rest.join("&")) };
        let options = PgConnectOptions::from_str(&url)
            .map_err(|error| wrong(format!("the address cannot be read: {error}")))?
            .application_name("segue")
            .statement_cache_capacity(PREPARED)
            .options([
                ("statement_timeout", format!("{statement}s")),
                // Who died in the middle of a transaction keeps its locks no longer than this.
                ("idle_in_transaction_session_timeout", "60s".to_owned()),
                ("timezone", "UTC".to_owned()),
            ]);
        let (acquire, max_lag) = (Duration::from_secs(acquire), Duration::from_secs(max_lag));
        Ok(Self { options, connections, acquire, max_lag })
    }

    fn pool(&self, connections: u32) -> PgPoolOptions {
        PgPoolOptions::new()
            .max_connections(connections)
            .idle_timeout(Duration::from_mins(10))
            .max_lifetime(Duration::from_hours(1))
            // A server that was away closed what is kept here.
            .test_before_acquire(true)
            .acquire_timeout(self.acquire)
            .before_acquire(|conn, last| {
                Box::pin(async move {
                    if sql::is_behind(last.idle_for) {
                        conn.clear_cached_statements().await?;
                    }
                    Ok(true)
                })
            })
    }

    /// Connections for the part of a library that lies in some folders.
    pub(super) fn part(&self) -> (PgConnectOptions, PgPoolOptions) {
        (self.options.clone(), self.pool(2).idle_timeout(Duration::from_mins(1)))
    }
}

/// Opens the catalog at an address, and brings its schema up to date.
pub(super) async fn open(address: &Address) -> Result<Catalog, CatalogError> {
    let settings = Settings::of(address)?;
    let away = |error: sqlx::Error| CatalogError::Unreachable { place: address.to_string(), source: error };
    // One by itself first: a pool would wait for a server that is not there, and then not say why.
    let mut first = settings.options.connect().await.map_err(away)?;
    let ask = "SELECT current_setting('server_encoding'), current_setting('server_version_num')";
    let (encoding, version): (String, String) =
        sql::query_as(ask).fetch_one(&mut first).await.map_err(away)?;
    if encoding != "UTF8" || version.parse::<u32>().is_ok_and(|version| version < 130_000) {
        return Err(CatalogError::Invalid(format!(
            "{address}: Segue needs PostgreSQL 13 or later and a database in UTF8, this is {version} in {encoding}"
        )));
    }
    let writers = (settings.connections / 3).max(2);
    let readers = settings.connections.saturating_sub(writers).max(2);
    let pool = |most| sql::Pool::Postgres(settings.pool(most).connect_lazy_with(settings.options.clone()));
    let (reader, writer) = (pool(readers), pool(writers));
    migrate(&writer, first, address).await?;
    let replicas = watched(address, &reader)?;
    let catalog = Catalog::ready(reader.clone(), writer, Parts::of_server(settings), None);
    Ok(Catalog { replicas: Replicas::watch(replicas, reader), ..catalog })
}

/// The replicas that an address names, none of which need be there yet.
fn watched(address: &Address, primary: &sql::Pool) -> Result<Vec<Watched>, CatalogError> {
    let sql::Pool::Postgres(primary) = primary else { return Ok(Vec::new()) };
    let of = |address: &Address| -> Result<Watched, CatalogError> {
        let settings = Settings { acquire: Duration::from_secs(REPLICA_ACQUIRE), ..Settings::of(address)? };
        let pool = settings.pool(settings.connections).connect_lazy_with(settings.options.clone());
        Ok(Watched {
            replica: Arc::new(sql::Replica::new(pool, primary.clone())),
            max_lag: settings.max_lag,
            name: address.to_string(),
        })
    };
    address.replicas().iter().map(of).collect()
}

async fn migrate(plain: &sql::Pool, mut conn: PgConnection, address: &Address) -> Result<(), CatalogError> {
    let state = migrations::state(plain).await?;
    match state {
        State::Current => return Ok(()),
        State::Newer(found) => return Err(CatalogError::Newer { place: address.to_string(), found }),
        State::Empty | State::Behind(_) => {}
    }
    // A step over many rows takes longer than a statement may.
    sql::query("SET statement_timeout = 0").execute(&mut conn).await?;
    // Others that start at the same time wait for its lock, and then find nothing to do.
    let failed = |error: sqlx::migrate::MigrateError| {
        CatalogError::Invalid(format!("{address} cannot be brought up to date: {error}"))
    };
    migrations::migrator(Engine::Postgres).run(&mut conn).await.map_err(failed)?;
    if state != State::Empty {
        super::insights::fill_scores(plain).await?;
    }
    Ok(())
}

/// A connection that holds the right to a job, where nobody else has it.
pub(super) async fn alone(pool: &PgPool, what: &str) -> Result<Option<PgConnection>, sql::Error> {
    let mut conn = pool.acquire().await?.detach();
    let got: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, hashtext($2))")
        .bind(JOB)
        .bind(what)
        .fetch_one(&mut conn)
        .await?;
    Ok(got.then_some(conn))
}
