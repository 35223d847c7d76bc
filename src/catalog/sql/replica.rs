//! A copy of a server that answers reads, with the server itself behind it for what the copy cannot answer.

use std::sync::Arc;
use std::time::Instant;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, Postgres};

use super::{Error, Pool};
use crate::catalog::replicas::Moments;

/// A copy, and what it is a copy of.
#[derive(Debug)]
pub(in crate::catalog) struct Replica {
    pub(super) pool: PgPool,
    pub(super) primary: PgPool,
    /// Up to when it has everything; none while it is to be left alone.
    has: Moments,
}

/// A connection to a copy, which becomes one to the server where the copy goes away.
#[derive(Debug)]
pub(in crate::catalog) struct AtReplica {
    held: PoolConnection<Postgres>,
    of: Arc<Replica>,
    /// Whether it goes to the server by now.
    left: bool,
}

impl Replica {
    /// One that is not known to have anything yet.
    pub(in crate::catalog) fn new(pool: PgPool, primary: PgPool) -> Self {
        Self { pool, primary, has: Moments::new() }
    }

    /// Up to when it has everything that was committed; none while it is to be left alone.
    pub(in crate::catalog) fn has(&self) -> Option<Instant> {
        self.has.get()
    }

    /// It has everything that was committed before this.
    pub(in crate::catalog) fn has_all_of(&self, moment: Instant) {
        self.has.set(Some(moment));
    }

    /// It is to be left alone.
    pub(in crate::catalog) fn leave(&self) {
        self.has.set(None);
    }

    /// The copy alone, without the server behind it.
    pub(in crate::catalog) fn itself(&self) -> Pool {
        Pool::Postgres(self.pool.clone())
    }

    /// A transaction there, or on the server where there is none.
    pub(super) async fn begin_with(
        &self,
        begin: &'static str,
    ) -> Result<sqlx::Transaction<'static, Postgres>, Error> {
        match self.pool.begin_with(begin).await {
            Err(error) if self.fails(&error) => self.primary.begin_with(begin).await,
            begun => begun,
        }
    }

    pub(in crate::catalog) async fn close(&self) {
        self.pool.close().await;
    }

    /// Whether what failed so is to be asked of the server: the copy is not there, or gave way to what it has to replay. A copy that
    /// is not there is left alone from now on.
    pub(super) fn fails(&self, error: &Error) -> bool {
        let code = match error {
            Error::Database(said) => said.code().unwrap_or_default().into_owned(),
            Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::PoolTimedOut
            | Error::WorkerCrashed => "08000".to_owned(),
            _ => return false,
        };
        // Another process changed the schema, and the change has come there; the database itself prepares anew.
        let outdated = super::is_outdated(error);
        if outdated {
            super::retry::outdated_now();
        }
        // `serialization_failure` is how a replica cancels what stands in the way of its replay.
        let gave_way = outdated || code == "40001";
        // Connection exceptions, shutdowns, and too many connections.
        let gone = code.starts_with("08") || code.starts_with("57P") || code == "53300";
        if gone {
            self.leave();
        }
        if gave_way || gone {
            tracing::debug!(%error, "the replica could not answer; the database itself is asked");
        }
        gave_way || gone
    }
}

impl AtReplica {
    /// A connection to the copy, or to the server where there is none.
    pub(super) async fn of(replica: &Arc<Replica>) -> Result<Self, Error> {
        let (held, left) = match replica.pool.acquire().await {
            Ok(held) => (held, false),
            Err(error) if replica.fails(&error) => (replica.primary.acquire().await?, true),
            Err(error) => return Err(error),
        };
        Ok(Self { held, of: Arc::clone(replica), left })
    }

    pub(super) fn raw(&mut self) -> &mut PgConnection {
        &mut self.held
    }

    /// Whether what failed so is to be asked again here, which is the server from now on.
    pub(super) async fn leaves(&mut self, error: &Error) -> Result<bool, Error> {
        if self.left || !self.of.fails(error) {
            return Ok(false);
        }
        self.held = self.of.primary.acquire().await?;
        self.left = true;
        Ok(true)
    }
}
