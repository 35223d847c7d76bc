//! Plays on their way out of the catalog, to a store from which engines beyond this program read them.
//!
//! ```text
//! plays ── batches behind `done`, up to `newest` ──▶ pseudonyms in the place of accounts ──▶ whoever writes files
//!   play_exports: done ─▶ wanted (written down first) ─▶ done
//! ```
//!
//! What is exported goes by the number of the transaction that kept a play, not by a clock: plays of long ago arrive late, and
//! clocks of several machines differ. A range is written down before it is exported and stays until that is done, so that who
//! begins again after a crash exports the same range. Accounts are told apart by HMAC-SHA-256 of their id with a key that is in
//! this database alone. Who opted out of profiling or was removed is noted in `play_erasures`, for each store there is.

use std::collections::HashSet;

use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::Sender;

use super::outbox::{put_setting, setting};
use super::sql::{self, again};
use super::{Catalog, CatalogError, apply::sql_int, rows::Cells};
use crate::music::{AccountId, Play, TrackId};

/// Where the key of pseudonyms is kept, in hexadecimal.
const KEY: &str = "plays.key";
/// Bytes of a pseudonym: half of the hash, more than enough to tell people apart.
const PSEUDONYM: usize = 16;
/// Plays that are handed over at once.
const CHUNK: usize = 4_096;

/// A play as it leaves: without the account, the device and what it was played from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedPlay {
    /// The pseudonym of who heard it.
    pub listener: String,
    /// What.
    pub track: TrackId,
    /// When it began, Unix time in ms.
    pub played_at: i64,
    /// How much was heard, ms.
    pub heard_ms: i64,
    /// Whether that counts ([`Play::counts`]).
    pub counted: bool,
    /// Why it began, the word of [`StartReason`](crate::music::StartReason).
    pub start: String,
    /// Why it ended, the word of [`EndReason`](crate::music::EndReason).
    pub end: String,
    /// Minutes that the listener's clock was ahead of UTC.
    pub offset_minutes: i32,
}

/// Batches that are exported together: those behind one, up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportRange {
    /// The last that was exported before.
    pub after: i64,
    /// The last of these.
    pub until: i64,
}

/// How far a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedTo {
    /// The store's address or folder.
    pub store: String,
    /// Plays that were exported there.
    pub plays: u64,
    /// When that was done last, Unix time in ms.
    pub at: i64,
}

impl Catalog {
    /// The next batches for a store, which are written down as being exported; none where everything is there. What was begun and
    /// not [done](Self::export_done) comes first, as it was.
    pub async fn begin_export(&self, store: &str) -> Result<Option<ExportRange>, CatalogError> {
        again!({
            let mut tx = self.write().await?;
            if setting(&mut tx, KEY).await?.is_none() {
                let key: [u8; 32] = rand::random();
                put_setting(&mut tx, KEY, &hex(&key)).await?;
            }
            let known: Option<(i64, i64)> =
                sql::query_as("SELECT done, wanted FROM play_exports WHERE store = $1")
                    .bind(store)
                    .fetch_optional(&mut *tx)
                    .await?;
            if let Some((done, wanted)) = known
                && wanted > done
            {
                return Ok(Some(ExportRange { after: done, until: wanted }));
            }
            let newest: Option<i64> = sql::query_scalar("SELECT newest FROM play_batches WHERE id = 1")
                .fetch_optional(&mut *tx)
                .await?;
            // Before the first batch there may be plays of earlier releases.
            let range = ExportRange { after: known.map_or(-1, |(done, _)| done), until: newest.unwrap_or(0) };
            if range.until <= range.after {
                return Ok(None);
            }
            sql::query(
                "INSERT INTO play_exports (store, done, wanted, plays, exported_at) VALUES ($1, $2, $3, 0, 0) \
                 ON CONFLICT (store) DO UPDATE SET wanted = excluded.wanted",
            )
            .bind(store)
            .bind(range.after)
            .bind(range.until)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(Some(range))
        })
    }

    /// Writes down that so many plays of a range are in a store; does nothing where somebody else did.
    pub async fn export_done(
        &self,
        store: &str,
        range: ExportRange,
        plays: u64,
        at: i64,
    ) -> Result<(), CatalogError> {
        sql::query(
            "UPDATE play_exports SET done = $3, plays = plays + $4, exported_at = $5 WHERE store = $1 AND done = $2",
        )
        .bind(store)
        .bind(range.after)
        .bind(range.until)
        .bind(sql_int(plays))
        .bind(at)
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// Hands over the plays of a range in the order in which they began, some thousand at a time, of everybody who may be learned
    /// from. Ends early, without an error, when nobody takes them any more.
    pub async fn export_plays(
        &self,
        range: ExportRange,
        to: Sender<Vec<ExportedPlay>>,
    ) -> Result<(), CatalogError> {
        let Some(key) = self.pseudonyms().await? else { return Ok(()) };
        let mut tx = self.all.snapshot().await?;
        // Reading years of plays takes longer than a statement may.
        let unhurried = tx.engine().either("SELECT 1", "SET LOCAL statement_timeout = 0");
        sql::query(unhurried).execute(&mut *tx).await?;
        let text = "SELECT p.account_id, p.track_id, p.started_at, p.heard_ms, COALESCE(t.duration_ms, 0), p.start_reason, \
                    p.end_reason, p.offset_minutes FROM plays p LEFT JOIN tracks t ON t.id = p.track_id \
                    WHERE p.batch > $1 AND p.batch <= $2 \
                    AND NOT EXISTS (SELECT 1 FROM unlearned u WHERE u.account_id = p.account_id) \
                    ORDER BY p.started_at, p.track_id, p.account_id";
        let mut rows = sql::query(text).bind(range.after).bind(range.until).fetch(&mut *tx);
        let mut chunk = Vec::with_capacity(CHUNK);
        while let Some(row) = rows.try_next().await? {
            let mut c = Cells::of(&row);
            let (account, track): (String, String) = (c.get()?, c.get()?);
            let (played_at, heard_ms): (i64, i64) = (c.get()?, c.get()?);
            let duration_ms: u64 = c.number()?.unwrap_or(0);
            chunk.push(ExportedPlay {
                listener: key.of(&account),
                track: track.into(),
                played_at,
                heard_ms,
                counted: Play::counts(u64::try_from(heard_ms).unwrap_or(0), duration_ms),
                start: c.get()?,
                end: c.get()?,
                offset_minutes: c.number()?.unwrap_or(0),
            });
            if chunk.len() == CHUNK {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
                if to.send(full).await.is_err() {
                    return Ok(());
                }
            }
        }
        // Nobody takes it: then nobody misses it.
        let _ = to.send(chunk).await;
        Ok(())
    }

    /// Pseudonyms of those who are to be taken out of what is in a store.
    pub async fn play_erasures(&self, store: &str) -> Result<HashSet<String>, CatalogError> {
        let sql = "SELECT listener FROM play_erasures WHERE store = $1";
        let all: Vec<String> = sql::query_scalar(sql).bind(store).fetch_all(self.writer()).await?;
        Ok(all.into_iter().collect())
    }

    /// Writes down that these are in a store no longer.
    pub async fn play_erasures_done(
        &self,
        store: &str,
        listeners: &HashSet<String>,
    ) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            for listener in listeners {
                sql::query("DELETE FROM play_erasures WHERE store = $1 AND listener = $2")
                    .bind(store)
                    .bind(listener)
                    .execute(&mut *tx)
                    .await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// Pseudonyms of everybody from whom nothing may be learned, whatever is still in a store.
    pub async fn withheld(&self) -> Result<HashSet<String>, CatalogError> {
        let Some(key) = self.pseudonyms().await? else { return Ok(HashSet::new()) };
        let unlearned: Vec<String> =
            sql::query_scalar("SELECT account_id FROM unlearned").fetch_all(&self.all).await?;
        let gone: Vec<String> =
            sql::query_scalar("SELECT DISTINCT listener FROM play_erasures").fetch_all(&self.all).await?;
        Ok(unlearned.iter().map(|account| key.of(account)).chain(gone).collect())
    }

    /// What an account is called in what was exported; none before the first export.
    pub async fn pseudonym(&self, account: &AccountId) -> Result<Option<String>, CatalogError> {
        Ok(self.pseudonyms().await?.map(|key| key.of(account.as_str())))
    }

    /// How far each store is.
    pub async fn exported(&self) -> Result<Vec<ExportedTo>, CatalogError> {
        let rows: Vec<(String, i64, i64)> =
            sql::query_as("SELECT store, plays, exported_at FROM play_exports ORDER BY store")
                .fetch_all(&self.all)
                .await?;
        let told = |(store, plays, at)| ExportedTo { store, plays: u64::try_from(plays).unwrap_or(0), at };
        Ok(rows.into_iter().map(told).collect())
    }

    async fn pseudonyms(&self) -> Result<Option<Pseudonyms>, CatalogError> {
        let mut conn = self.writer().acquire().await?;
        Ok(setting(&mut conn, KEY).await?.as_deref().and_then(Pseudonyms::of_text))
    }
}

/// Has the plays of an account taken out of every store that has any, within a transaction that forbids their use or removes
/// them.
pub(super) async fn take_out(conn: &mut sql::Connection, account: &str) -> Result<(), sql::Error> {
    let key: Option<String> = sql::query_scalar("SELECT value FROM settings WHERE name = $1")
        .bind(KEY)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(key) = key.as_deref().and_then(Pseudonyms::of_text) else { return Ok(()) };
    sql::query(
        "INSERT INTO play_erasures (store, listener, at) SELECT store, $1, $2 FROM play_exports WHERE wanted >= 0 \
         ON CONFLICT DO NOTHING",
    )
    .bind(key.of(account))
    .bind(super::now_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes pseudonyms: HMAC (RFC 2104) of SHA-256 with the catalog's key.
struct Pseudonyms {
    inner: Sha256,
    outer: Sha256,
}

impl Pseudonyms {
    fn of_text(key: &str) -> Option<Self> {
        let mut block = [0_u8; 64];
        let digits = key.as_bytes().chunks_exact(2);
        if key.len() != 64 {
            return None;
        }
        for (byte, pair) in block.iter_mut().zip(digits) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        let with = |pad: u8| Sha256::new().chain_update(block.map(|byte| byte ^ pad));
        Some(Self { inner: with(0x36), outer: with(0x5c) })
    }

    fn of(&self, account: &str) -> String {
        let inner = self.inner.clone().chain_update(account).finalize();
        let hash = self.outer.clone().chain_update(inner).finalize();
        hex(hash.get(..PSEUDONYM).unwrap_or_default())
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_the_hmac_of_rfc_4231() {
        // Test case 2 has the key "Jefe", which is padded with zeros in any case.
        let key = format!("{}{}", hex(b"Jefe"), "0".repeat(56));
        let pseudonyms = Pseudonyms::of_text(&key).unwrap();
        assert_eq!(pseudonyms.of("what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c7");
        assert!(Pseudonyms::of_text("").is_none() && Pseudonyms::of_text(&"x".repeat(64)).is_none());
    }
}
