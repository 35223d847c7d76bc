//! Who does what only one of the processes beside a database may do at a time.
//!
//! A lease is a row with its holder and the moment until which it is held, by the clock of the database, so that no process's own
//! clock matters. It is taken by compare and set, renewed while the work goes on, and can be taken over when it ran out because its
//! holder died. Each holder has a higher *epoch*. A holder that does not know yet that it lost its lease still cannot write: a
//! [fenced](Catalog::fenced) catalog looks in each of its transactions whether the epoch is still its own, and keeps who wants to
//! take over waiting until that transaction is done.

use std::sync::Arc;
use std::time::Duration;

use super::sql::{self, Engine, again};
use super::{Catalog, CatalogError};

/// Unix time in ms in SQLite; of a file everybody's clock is that of the machine.
const SQLITE_NOW: &str = "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)";
/// The same on a server: the time of this moment, not of the transaction's beginning.
const POSTGRES_NOW: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// The right to do something that nobody else does meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    name: String,
    holder: String,
    epoch: i64,
}

impl Lease {
    /// What it is the right to.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts those who had it; every later one is greater.
    pub const fn epoch(&self) -> i64 {
        self.epoch
    }
}

/// What came of asking for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is held from now on.
    Ours(Lease),
    /// Somebody else holds it.
    Theirs,
    /// Nobody needs it: what it is for was done since then.
    Served,
}

/// How a lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseStanding {
    /// Nobody has it.
    Free,
    /// Somebody has it.
    Held,
    /// Who had it did not give it back: its process died, or was cut off.
    Orphaned,
}

fn timed(engine: Engine, sql: &str) -> sql::AssertSqlSafe<String> {
    sql::AssertSqlSafe(sql.replace("{now}", engine.either(SQLITE_NOW, POSTGRES_NOW)))
}

fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}

impl Catalog {
    /// Whether other machines may write to this catalog as well.
    pub fn is_shared(&self) -> bool {
        self.engine().is_shared()
    }

    /// The time by the database's clock, Unix time in ms.
    pub async fn clock(&self) -> Result<i64, CatalogError> {
        Ok(sql::query_scalar(timed(self.engine(), "SELECT {now}")).fetch_one(self.writer()).await?)
    }

    /// Takes a lease for a time, where nobody has it and what it is for was not done by somebody who began at `since` (Unix time in ms
    /// by [`clock`](Self::clock)) or later.
    pub async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        time: Duration,
        since: i64,
    ) -> Result<Taken, CatalogError> {
        let engine = self.engine();
        // A look first: who asks often while somebody else holds it keeps nobody waiting.
        let look = timed(engine, "SELECT until_at, served_at, {now} FROM leases WHERE name = $1");
        let row: Option<(i64, i64, i64)> =
            sql::query_as(look).bind(name).fetch_optional(self.writer()).await?;
        match row {
            Some((until, served, now)) => {
                if let Some(answer) = refused(until, served, now, since) {
                    return Ok(answer);
                }
            }
            None => {
                let sql = "INSERT INTO leases (name, holder, epoch, begun_at, until_at, served_at) \
                           VALUES ($1, '', 0, 0, 0, 0) ON CONFLICT DO NOTHING";
                sql::query(sql).bind(name).execute(self.writer()).await?;
            }
        }
        again!({
            let mut tx = self.writer().begin().await?;
            // Stronger than what a fenced transaction holds, so that this waits for its end; a renewal waits for neither.
            let sql = engine.either(
                "SELECT until_at, served_at FROM leases WHERE name = $1",
                "SELECT until_at, served_at FROM leases WHERE name = $1 FOR UPDATE",
            );
            let (until, served): (i64, i64) = sql::query_as(sql).bind(name).fetch_one(&mut *tx).await?;
            let now: i64 = sql::query_scalar(timed(engine, "SELECT {now}")).fetch_one(&mut *tx).await?;
            if let Some(answer) = refused(until, served, now, since) {
                return Ok(answer);
            }
            let sql = "UPDATE leases SET holder = $2, epoch = epoch + 1, begun_at = $3, until_at = $4 WHERE name = $1";
            sql::query(sql)
                .bind(name)
                .bind(holder)
                .bind(now)
                .bind(now.saturating_add(ms(time)))
                .execute(&mut *tx)
                .await?;
            let epoch: i64 = sql::query_scalar("SELECT epoch FROM leases WHERE name = $1")
                .bind(name)
                .fetch_one(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(Taken::Ours(Lease { name: name.to_owned(), holder: holder.to_owned(), epoch }))
        })
    }

    /// Holds a lease for so long from now on; `false` when somebody else has it. One that ran out and was not taken is held again:
    /// nobody else wrote meanwhile.
    pub async fn renew_lease(&self, lease: &Lease, time: Duration) -> Result<bool, CatalogError> {
        let sql = timed(
            self.engine(),
            "UPDATE leases SET until_at = {now} + $4 WHERE name = $1 AND holder = $2 AND epoch = $3",
        );
        let renewed = sql::query(sql)
            .bind(&lease.name)
            .bind(&lease.holder)
            .bind(lease.epoch)
            .bind(ms(time))
            .execute(self.writer())
            .await?;
        Ok(renewed.rows_affected() == 1)
    }

    /// Gives a lease back, `served` when what it is for came to a good end; `false` when somebody else has it by now.
    pub async fn end_lease(&self, lease: &Lease, served: bool) -> Result<bool, CatalogError> {
        let sql = if served {
            "UPDATE leases SET until_at = 0, served_at = begun_at WHERE name = $1 AND holder = $2 AND epoch = $3"
        } else {
            "UPDATE leases SET until_at = 0 WHERE name = $1 AND holder = $2 AND epoch = $3"
        };
        let ended = sql::query(sql)
            .bind(&lease.name)
            .bind(&lease.holder)
            .bind(lease.epoch)
            .execute(self.writer())
            .await?;
        Ok(ended.rows_affected() == 1)
    }

    /// How a lease stands.
    pub async fn lease_standing(&self, name: &str) -> Result<LeaseStanding, CatalogError> {
        let sql = timed(self.engine(), "SELECT until_at, {now} FROM leases WHERE name = $1");
        let row: Option<(i64, i64)> = sql::query_as(sql).bind(name).fetch_optional(self.writer()).await?;
        Ok(match row {
            None | Some((0, _)) => LeaseStanding::Free,
            Some((until, now)) if until > now => LeaseStanding::Held,
            Some(_) => LeaseStanding::Orphaned,
        })
    }

    /// The same catalog, whose transactions fail with [`CatalogError::LostLease`] when somebody else holds the lease by then.
    #[must_use]
    pub fn fenced(&self, lease: &Lease) -> Self {
        Self { fence: Some(Arc::new(lease.clone())), ..self.clone() }
    }
}

/// Why a lease cannot be taken, if it cannot.
fn refused(until: i64, served: i64, now: i64, since: i64) -> Option<Taken> {
    if until > now {
        return Some(Taken::Theirs);
    }
    (served > 0 && served >= since).then_some(Taken::Served)
}

/// Makes sure that a lease is still held, and that nobody takes it before the transaction ends.
pub(super) async fn hold(tx: &mut sql::Transaction, lease: &Lease) -> Result<(), CatalogError> {
    let sql = tx.engine().either(
        "SELECT epoch FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3",
        "SELECT epoch FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3 FOR KEY SHARE",
    );
    let held: Option<i64> = sql::query_scalar(sql)
        .bind(&lease.name)
        .bind(&lease.holder)
        .bind(lease.epoch)
        .fetch_optional(&mut **tx)
        .await?;
    held.map(drop).ok_or_else(|| CatalogError::LostLease(lease.name.clone()))
}
