//! What processes beside one database know of those who listen at this moment: what is played, which players of an account music flows to,
//! and who failed to log in. A catalog in a file has one process, which keeps all of that in its memory; these rows are for the others.

use super::locks::Scope;
use super::sql::{self, again};
use super::{Catalog, CatalogError};
use crate::music::{AccountId, TrackId};

/// The most players of one account that are remembered; a client may invent as many names as it likes.
const PLAYERS: i64 = 64;

/// What one player said last of what it plays. Times are Unix time in ms.
#[derive(Debug, Clone, PartialEq)]
pub struct Playing {
    /// Whose player it is.
    pub account: AccountId,
    /// What it calls itself.
    pub player: String,
    /// What it plays.
    pub track: TrackId,
    /// The length of that, ms.
    pub duration_ms: i64,
    /// When the track began at this player.
    pub began_at: i64,
    /// When it said so.
    pub told_at: i64,
    /// What it does, in the words of the API.
    pub state: String,
    /// Where it was then, ms.
    pub position_ms: i64,
    /// How fast it plays; 1 as it is meant to be.
    pub rate: f64,
}

const PLAYING: &str = "p.account_id, p.player, p.track_id, p.duration_ms, p.began_at, p.told_at, p.state, p.position_ms, p.rate";

fn playing(row: &sql::Row) -> Result<Playing, sql::Error> {
    Ok(Playing {
        account: AccountId::new(row.try_get::<String, _>(0)?),
        player: row.try_get(1)?,
        track: row.try_get::<String, _>(2)?.into(),
        duration_ms: row.try_get(3)?,
        began_at: row.try_get(4)?,
        told_at: row.try_get(5)?,
        state: row.try_get(6)?,
        position_ms: row.try_get(7)?,
        rate: row.try_get(8)?,
    })
}

impl Catalog {
    /// Writes down what a player says, and gives what it said before; `begins` when the track begins anew, `ends` when it plays nothing
    /// from now on.
    pub async fn tell_playing(
        &self,
        told: &Playing,
        begins: bool,
        ends: bool,
    ) -> Result<Option<Playing>, CatalogError> {
        let (account, player) = (told.account.as_str(), told.player.as_str());
        again!({
            let mut tx = self.write_in(Scope::Account(account)).await?;
            let sql =
                format!("SELECT {PLAYING} FROM now_playing p WHERE p.account_id = $1 AND p.player = $2");
            let before = sql::query(sql::AssertSqlSafe(sql))
                .bind(account)
                .bind(player)
                .fetch_optional(&mut *tx)
                .await?;
            let before = before.as_ref().map(playing).transpose()?;
            let same = before.as_ref().filter(|before| before.track == told.track);
            if ends {
                sql::query("DELETE FROM now_playing WHERE account_id = $1 AND player = $2")
                    .bind(account)
                    .bind(player)
                    .execute(&mut *tx)
                    .await?;
            } else {
                let players: i64 = sql::query_scalar(
                    "SELECT COUNT(*) FROM now_playing WHERE account_id = $1 AND player <> $2",
                )
                .bind(account)
                .bind(player)
                .fetch_one(&mut *tx)
                .await?;
                if players < PLAYERS {
                    sql::query(
                        "INSERT INTO now_playing (account_id, player, track_id, duration_ms, began_at, told_at, state, \
                         position_ms, rate) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                         ON CONFLICT (account_id, player) DO UPDATE SET track_id = excluded.track_id, \
                         duration_ms = excluded.duration_ms, began_at = excluded.began_at, told_at = excluded.told_at, \
                         state = excluded.state, position_ms = excluded.position_ms, rate = excluded.rate",
                    )
                    .bind(account)
                    .bind(player)
                    .bind(told.track.as_str())
                    .bind(told.duration_ms)
                    .bind(same.filter(|_| !begins).map_or(told.began_at, |before| before.began_at))
                    .bind(told.told_at)
                    .bind(&told.state)
                    .bind(told.position_ms)
                    .bind(told.rate)
                    .execute(&mut *tx)
                    .await?;
                }
            }
            let same = same.cloned();
            tx.commit().await?;
            Ok(same)
        })
    }

    /// What players said at `since` (Unix time in ms) or later, each with the name of its account.
    pub async fn playing_now(&self, since: i64) -> Result<Vec<(Playing, String)>, CatalogError> {
        let sql = format!(
            "SELECT {PLAYING}, a.name FROM now_playing p JOIN accounts a ON a.id = p.account_id WHERE p.told_at >= $1"
        );
        let rows = sql::query(sql::AssertSqlSafe(sql)).bind(since).fetch_all(&self.all).await?;
        rows.iter().map(|row| Ok((playing(row)?, row.try_get(9)?))).collect()
    }

    /// Forgets what an account's players play.
    pub async fn forget_playing(&self, account: &AccountId) -> Result<(), CatalogError> {
        let sql = "DELETE FROM now_playing WHERE account_id = $1";
        sql::query(sql).bind(account.as_str()).execute(self.writer()).await?;
        Ok(())
    }

    /// A place for a player (a digest, and its name) of an account of which music flows to at most so many, as of `now`; the error is the
    /// name of one that has a place. Places that were not seen since `since` are free. Both are Unix time in ms.
    pub async fn take_place(
        &self,
        account: &AccountId,
        (player, name): (&str, &str),
        most: u32,
        (now, since): (i64, i64),
    ) -> Result<Result<(), String>, CatalogError> {
        again!({
            let mut tx = self.write_in(Scope::Account(account.as_str())).await?;
            sql::query("DELETE FROM listening_places WHERE account_id = $1 AND seen_at <= $2")
                .bind(account.as_str())
                .bind(since)
                .execute(&mut *tx)
                .await?;
            let others: Vec<String> = sql::query_scalar(
                "SELECT name FROM listening_places WHERE account_id = $1 AND player <> $2 ORDER BY seen_at, player",
            )
            .bind(account.as_str())
            .bind(player)
            .fetch_all(&mut *tx)
            .await?;
            if let Some(other) = others.first()
                && others.len() >= most as usize
            {
                return Ok(Err(other.clone()));
            }
            sql::query(
                "INSERT INTO listening_places (account_id, player, name, seen_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (account_id, player) DO UPDATE SET seen_at = excluded.seen_at",
            )
            .bind(account.as_str())
            .bind(player)
            .bind(name)
            .bind(now)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(Ok(()))
        })
    }

    /// Music still flows to a player at this moment, Unix time in ms.
    pub async fn keep_place(&self, account: &AccountId, player: &str, now: i64) -> Result<(), CatalogError> {
        let sql =
            "UPDATE listening_places SET seen_at = $3 WHERE account_id = $1 AND player = $2 AND seen_at < $3";
        sql::query(sql).bind(account.as_str()).bind(player).bind(now).execute(self.writer()).await?;
        Ok(())
    }

    /// How often each of these failed to log in since `since`, and when that began, both Unix time in ms.
    pub async fn failed_logins(
        &self,
        who: &[String],
        since: i64,
    ) -> Result<Vec<(String, i64, i64)>, CatalogError> {
        let mut all = Vec::with_capacity(who.len());
        for one in who {
            let sql = "SELECT who, failures, since_at FROM failed_logins WHERE who = $1 AND since_at > $2";
            let row: Option<(String, i64, i64)> =
                sql::query_as(sql).bind(one).bind(since).fetch_optional(&self.all).await?;
            all.extend(row);
        }
        Ok(all)
    }

    /// Notes that each of these failed to log in at `now`; what began before `since` is forgotten. Both are Unix time in ms.
    pub async fn note_failed_login(&self, who: &[String], now: i64, since: i64) -> Result<(), CatalogError> {
        sql::query("DELETE FROM failed_logins WHERE since_at <= $1")
            .bind(since)
            .execute(self.writer())
            .await?;
        for one in who {
            let sql = "INSERT INTO failed_logins (who, failures, since_at) VALUES ($1, 1, $2) \
                       ON CONFLICT (who) DO UPDATE SET failures = failed_logins.failures + 1";
            sql::query(sql).bind(one).bind(now).execute(self.writer()).await?;
        }
        Ok(())
    }

    /// Forgets the failures of who got it right.
    pub async fn forget_failed_login(&self, who: &str) -> Result<(), CatalogError> {
        sql::query("DELETE FROM failed_logins WHERE who = $1").bind(who).execute(self.writer()).await?;
        Ok(())
    }

    /// Forgets what is older than `before`, Unix time in ms; gives how many rows went.
    pub async fn expire_presence(&self, before: i64) -> Result<u64, CatalogError> {
        let mut gone = 0;
        for sql in [
            "DELETE FROM now_playing WHERE told_at < $1",
            "DELETE FROM listening_places WHERE seen_at < $1",
            "DELETE FROM failed_logins WHERE since_at < $1",
        ] {
            gone += sql::query(sql).bind(before).execute(self.writer()).await?.rows_affected();
        }
        Ok(gone)
    }

    /// A value under a name that is the same for every process: the one that was kept first.
    pub async fn first_setting(&self, name: &str, value: &str) -> Result<String, CatalogError> {
        sql::query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(value)
            .execute(self.writer())
            .await?;
        let sql = "SELECT value FROM settings WHERE name = $1";
        Ok(sql::query_scalar(sql).bind(name).fetch_one(self.writer()).await?)
    }
}
