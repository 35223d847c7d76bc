//! Players of an account that others of the same account drive: what each told last, and what it is asked for.
//!
//! A device tells its state, and takes its commands by number; who drives it reads the state and writes commands. Each side may meet
//! another process of the server, so all of it is rows. What a device tells is JSON that is only kept here; `server` knows
//! what it means.

use super::locks::Scope;
use super::sql::{self, again};
use super::{Catalog, CatalogError, now_ms};
use crate::music::AccountId;

/// A device as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceRow {
    /// Its own id, within the account.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is: `speaker`, `player`.
    pub kind: String,
    /// When it was heard of last, Unix time in ms.
    pub seen_at: i64,
    /// When it told its state, Unix time in ms.
    pub told_at: i64,
    /// Counts what it told.
    pub revision: i64,
    /// The revision at which its queue changed last.
    pub queue_revision: i64,
    /// Number of the newest command.
    pub last_command: i64,
    /// Its state as it told it.
    pub state: String,
    /// Its queue as it told it.
    pub queue: String,
}

/// What a device tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceTold<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub kind: &'a str,
    /// Its state.
    pub state: &'a str,
    /// Its queue, if that changed.
    pub queue: Option<&'a str>,
}

/// Why a device or a command is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceFull {
    /// The account has as many devices as it may have.
    Devices,
    /// As many commands wait as may.
    Commands,
}

const COLUMNS: &str =
    "id, name, kind, seen_at, told_at, revision, queue_revision, last_command, state, queue";

impl Catalog {
    /// Writes down what a device told, and gives it back as it is known from now on; refused where the account has `most` others
    /// already.
    pub async fn tell_device(
        &self,
        account: &AccountId,
        told: DeviceTold<'_>,
        most: u64,
    ) -> Result<Result<DeviceRow, DeviceFull>, CatalogError> {
        again!({
            let mut tx = self.write_in(Scope::Account(account.as_str())).await?;
            let others: i64 =
                sql::query_scalar("SELECT COUNT(*) FROM devices WHERE account_id = $1 AND id <> $2")
                    .bind(account.as_str())
                    .bind(told.id)
                    .fetch_one(&mut *tx)
                    .await?;
            if u64::try_from(others).unwrap_or(0) >= most {
                return Ok(Err(DeviceFull::Devices));
            }
            let sql = "INSERT INTO devices (account_id, id, name, kind, seen_at, told_at, revision, queue_revision, last_command, \
                       state, queue) VALUES ($1, $2, $3, $4, $5, $5, 1, 1, 0, $6, $7) \
                       ON CONFLICT (account_id, id) DO UPDATE SET name = excluded.name, kind = excluded.kind, \
                       seen_at = excluded.seen_at, told_at = excluded.told_at, revision = devices.revision + 1, \
                       state = excluded.state";
            let now = now_ms();
            sql::query(sql)
                .bind(account.as_str())
                .bind(told.id)
                .bind(told.name)
                .bind(told.kind)
                .bind(now)
                .bind(told.state)
                .bind(told.queue.unwrap_or_default())
                .execute(&mut *tx)
                .await?;
            if let Some(queue) = told.queue {
                let sql = "UPDATE devices SET queue = $3, queue_revision = revision WHERE account_id = $1 AND id = $2";
                sql::query(sql).bind(account.as_str()).bind(told.id).bind(queue).execute(&mut *tx).await?;
            }
            let sql = format!("SELECT {COLUMNS} FROM devices WHERE account_id = $1 AND id = $2");
            let row = sql::query(sql::AssertSqlSafe(sql))
                .bind(account.as_str())
                .bind(told.id)
                .fetch_one(&mut *tx)
                .await?;
            let row = device(&row)?;
            tx.commit().await?;
            Ok(Ok(row))
        })
    }

    /// The devices of an account, by name. Their queues are left out.
    pub async fn devices(&self, account: &AccountId) -> Result<Vec<DeviceRow>, CatalogError> {
        let sql = "SELECT id, name, kind, seen_at, told_at, revision, queue_revision, last_command, state, '' FROM devices \
                   WHERE account_id = $1 ORDER BY name, id";
        let rows = sql::query(sql).bind(account.as_str()).fetch_all(&self.all).await?;
        rows.iter().map(device).collect()
    }

    /// One device of an account.
    pub async fn device(&self, account: &AccountId, id: &str) -> Result<Option<DeviceRow>, CatalogError> {
        let sql = format!("SELECT {COLUMNS} FROM devices WHERE account_id = $1 AND id = $2");
        let row = sql::query(sql::AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(id)
            .fetch_optional(&self.all)
            .await?;
        row.as_ref().map(device).transpose()
    }

    /// A device was heard of at this moment (Unix time in ms).
    pub async fn device_seen(&self, account: &AccountId, id: &str, at: i64) -> Result<(), CatalogError> {
        let sql = "UPDATE devices SET seen_at = $3 WHERE account_id = $1 AND id = $2 AND seen_at < $3";
        sql::query(sql).bind(account.as_str()).bind(id).bind(at).execute(self.writer()).await?;
        Ok(())
    }

    /// Forgets a device and what it was asked for; `false` when there was none.
    pub async fn forget_device(&self, account: &AccountId, id: &str) -> Result<bool, CatalogError> {
        again!({
            let mut tx = self.write_in(Scope::Account(account.as_str())).await?;
            for sql in [
                "DELETE FROM device_commands WHERE account_id = $1 AND device_id = $2",
                "DELETE FROM devices WHERE account_id = $1 AND id = $2",
            ] {
                let gone = sql::query(sql).bind(account.as_str()).bind(id).execute(&mut *tx).await?;
                if sql.starts_with("DELETE FROM devices") && gone.rows_affected() == 0 {
                    return Ok(false);
                }
            }
            tx.commit().await?;
            Ok(true)
        })
    }

    /// Asks a device for something and gives the number of the command; refused while `most` others wait that were sent at `since`
    /// (Unix time in ms) or later. Older ones go. `None` when there is no such device.
    pub async fn command_device(
        &self,
        account: &AccountId,
        id: &str,
        command: &str,
        since: i64,
        most: u64,
    ) -> Result<Option<Result<i64, DeviceFull>>, CatalogError> {
        again!({
            let mut tx = self.write_in(Scope::Account(account.as_str())).await?;
            let sql = "UPDATE devices SET last_command = last_command + 1 WHERE account_id = $1 AND id = $2";
            let found = sql::query(sql).bind(account.as_str()).bind(id).execute(&mut *tx).await?;
            if found.rows_affected() == 0 {
                return Ok(None);
            }
            sql::query(
                "DELETE FROM device_commands WHERE account_id = $1 AND device_id = $2 AND sent_at < $3",
            )
            .bind(account.as_str())
            .bind(id)
            .bind(since)
            .execute(&mut *tx)
            .await?;
            let waiting: i64 = sql::query_scalar(
                "SELECT COUNT(*) FROM device_commands WHERE account_id = $1 AND device_id = $2",
            )
            .bind(account.as_str())
            .bind(id)
            .fetch_one(&mut *tx)
            .await?;
            if u64::try_from(waiting).unwrap_or(0) >= most {
                return Ok(Some(Err(DeviceFull::Commands)));
            }
            let sequence: i64 =
                sql::query_scalar("SELECT last_command FROM devices WHERE account_id = $1 AND id = $2")
                    .bind(account.as_str())
                    .bind(id)
                    .fetch_one(&mut *tx)
                    .await?;
            sql::query(
                "INSERT INTO device_commands (account_id, device_id, sequence, sent_at, command) \
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(account.as_str())
            .bind(id)
            .bind(sequence)
            .bind(now_ms())
            .bind(command)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(Some(Ok(sequence)))
        })
    }

    /// Commands after a number that were sent at `since` (Unix time in ms) or later, the oldest first, with their numbers.
    pub async fn device_commands(
        &self,
        account: &AccountId,
        id: &str,
        after: i64,
        since: i64,
    ) -> Result<Vec<(i64, String)>, CatalogError> {
        let sql = "SELECT sequence, command FROM device_commands \
                   WHERE account_id = $1 AND device_id = $2 AND sequence > $3 AND sent_at >= $4 ORDER BY sequence";
        let rows: Vec<(i64, String)> = sql::query_as(sql)
            .bind(account.as_str())
            .bind(id)
            .bind(after)
            .bind(since)
            .fetch_all(&self.all)
            .await?;
        Ok(rows)
    }

    /// A device has taken its commands up to this number: they go.
    pub async fn device_took(&self, account: &AccountId, id: &str, up_to: i64) -> Result<(), CatalogError> {
        let sql = "DELETE FROM device_commands WHERE account_id = $1 AND device_id = $2 AND sequence <= $3";
        sql::query(sql).bind(account.as_str()).bind(id).bind(up_to).execute(self.writer()).await?;
        Ok(())
    }

    /// Forgets devices that nobody has heard of since `devices` and commands from before `commands`, both Unix time in ms; gives how
    /// many rows of both went.
    pub async fn expire_devices(&self, devices: i64, commands: i64) -> Result<u64, CatalogError> {
        let mut gone = 0;
        for (sql, before) in [
            ("DELETE FROM device_commands WHERE sent_at < $1", commands),
            ("DELETE FROM devices WHERE seen_at < $1", devices),
        ] {
            gone += sql::query(sql).bind(before).execute(self.writer()).await?.rows_affected();
        }
        Ok(gone)
    }
}

fn device(row: &sql::Row) -> Result<DeviceRow, CatalogError> {
    Ok(DeviceRow {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        kind: row.try_get(2)?,
        seen_at: row.try_get(3)?,
        told_at: row.try_get(4)?,
        revision: row.try_get(5)?,
        queue_revision: row.try_get(6)?,
        last_command: row.try_get(7)?,
        state: row.try_get(8)?,
        queue: row.try_get(9)?,
    })
}
