//! Connections: a pool of them, one that is held, and one in a transaction.

use std::ops::{Deref, DerefMut};

#[cfg(feature = "cloud")]
use sqlx::postgres::{PgConnection, PgPool, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};

use super::Error;
#[cfg(feature = "cloud")]
use super::replica::{AtReplica, Replica};

/// Which database answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) enum Engine {
    /// A file of this machine.
    Sqlite,
    /// A server that others use as well.
    #[cfg(feature = "cloud")]
    Postgres,
}

impl Engine {
    /// One of two texts, where there is no single one that both understand.
    pub(in crate::catalog) const fn either(
        self,
        sqlite: &'static str,
        #[cfg_attr(not(feature = "cloud"), expect(unused_variables))] postgres: &'static str,
    ) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            #[cfg(feature = "cloud")]
            Self::Postgres => postgres,
        }
    }

    /// Whether other machines may write to it as well.
    pub(in crate::catalog) fn is_shared(self) -> bool {
        self != Self::Sqlite
    }
}

/// A pool of connections; clones share it.
#[derive(Debug, Clone)]
pub(in crate::catalog) enum Pool {
    /// To a file.
    Sqlite(SqlitePool),
    /// To a server.
    #[cfg(feature = "cloud")]
    Postgres(PgPool),
    /// To a copy of one, for reading.
    #[cfg(feature = "cloud")]
    Replica(std::sync::Arc<Replica>),
}

/// A connection of one database, alone or in a transaction.
#[derive(Debug)]
pub(in crate::catalog) enum Held<DB: sqlx::Database> {
    Lent(sqlx::pool::PoolConnection<DB>),
    Within(sqlx::Transaction<'static, DB>),
}

impl Held<Sqlite> {
    pub(super) fn raw(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Lent(conn) => conn,
            Self::Within(tx) => tx,
        }
    }
}

#[cfg(feature = "cloud")]
impl Held<Postgres> {
    pub(super) fn raw(&mut self) -> &mut PgConnection {
        match self {
            Self::Lent(conn) => conn,
            Self::Within(tx) => tx,
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(in crate::catalog) enum Connection {
    /// To a file.
    Sqlite(Held<Sqlite>),
    /// To a server.
    #[cfg(feature = "cloud")]
    Postgres(Held<Postgres>),
    /// To a copy of one.
    #[cfg(feature = "cloud")]
    Replica(AtReplica),
}

impl Connection {
    /// Which database answers.
    pub(in crate::catalog) const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            #[cfg(feature = "cloud")]
            Self::Postgres(_) | Self::Replica(_) => Engine::Postgres,
        }
    }
}

/// A connection that goes back to its pool.
#[derive(Debug)]
pub(in crate::catalog) struct PoolConnection(Connection);

/// A connection whose changes are kept together, or not at all where it is dropped.
#[derive(Debug)]
pub(in crate::catalog) struct Transaction(Connection, AfterCommit);

/// What is done when a transaction was committed.
#[derive(Default)]
struct AfterCommit(Option<Box<dyn FnOnce() + Send + Sync>>);

impl std::fmt::Debug for AfterCommit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AfterCommit").field(&self.0.is_some()).finish()
    }
}

macro_rules! deref {
    ($($of:ty),+) => {
        $(impl Deref for $of {
            type Target = Connection;

            fn deref(&self) -> &Connection {
                &self.0
            }
        }

        impl DerefMut for $of {
            fn deref_mut(&mut self) -> &mut Connection {
                &mut self.0
            }
        })+
    };
}

deref!(PoolConnection, Transaction);

impl Transaction {
    /// What to do when it was committed, or may have been.
    #[cfg(feature = "cloud")]
    pub(in crate::catalog) fn then(self, what: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(self.0, AfterCommit(Some(Box::new(what))))
    }

    /// Keeps the changes.
    pub(in crate::catalog) async fn commit(self) -> Result<(), Error> {
        let done = match self.0 {
            Connection::Sqlite(Held::Within(tx)) => tx.commit().await,
            #[cfg(feature = "cloud")]
            Connection::Postgres(Held::Within(tx)) => tx.commit().await,
            _ => Ok(()),
        };
        if let Some(then) = self.1.0 {
            then();
        }
        done
    }
}

impl Pool {
    /// Which database answers.
    pub(in crate::catalog) const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            #[cfg(feature = "cloud")]
            Self::Postgres(_) | Self::Replica(_) => Engine::Postgres,
        }
    }

    /// A connection, as soon as one is free.
    pub(in crate::catalog) async fn acquire(&self) -> Result<PoolConnection, Error> {
        Ok(PoolConnection(match self {
            Self::Sqlite(pool) => Connection::Sqlite(Held::Lent(pool.acquire().await?)),
            #[cfg(feature = "cloud")]
            Self::Postgres(pool) => Connection::Postgres(Held::Lent(pool.acquire().await?)),
            #[cfg(feature = "cloud")]
            Self::Replica(replica) => Connection::Replica(Box::pin(AtReplica::of(replica)).await?),
        }))
    }

    /// A transaction that writes. On SQLite it holds the write lock from its beginning, so that it never fails half-way for want
    /// of it.
    pub(in crate::catalog) async fn begin(&self) -> Result<Transaction, Error> {
        crate::catalog::stamp::wrote();
        self.begin_with("BEGIN IMMEDIATE", "BEGIN").await
    }

    /// Whether it leads to a copy, of which a transaction may fail where the server's would not.
    pub(in crate::catalog) const fn is_a_copy(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            #[cfg(feature = "cloud")]
            Self::Postgres(_) => false,
            #[cfg(feature = "cloud")]
            Self::Replica(_) => true,
        }
    }

    /// A transaction that only reads, and sees everything as it was when it began.
    pub(in crate::catalog) async fn snapshot(&self) -> Result<Transaction, Error> {
        self.begin_with("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await
    }

    async fn begin_with(
        &self,
        sqlite: &'static str,
        #[cfg_attr(not(feature = "cloud"), expect(unused_variables))] postgres: &'static str,
    ) -> Result<Transaction, Error> {
        let conn = match self {
            Self::Sqlite(pool) => Connection::Sqlite(Held::Within(pool.begin_with(sqlite).await?)),
            #[cfg(feature = "cloud")]
            Self::Postgres(pool) => Connection::Postgres(Held::Within(pool.begin_with(postgres).await?)),
            // What goes wrong in the middle of it is for who began it.
            #[cfg(feature = "cloud")]
            Self::Replica(replica) => {
                Connection::Postgres(Held::Within(Box::pin(replica.begin_with(postgres)).await?))
            }
        };
        Ok(Transaction(conn, AfterCommit::default()))
    }

    /// Closes every connection.
    pub(in crate::catalog) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            #[cfg(feature = "cloud")]
            Self::Postgres(pool) => pool.close().await,
            #[cfg(feature = "cloud")]
            Self::Replica(replica) => replica.close().await,
        }
    }
}
