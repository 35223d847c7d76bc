//! What a person agreed to and objected to. Decisions are only ever added; the newest of a purpose stands.

use super::sql::{self, again};
use super::{Catalog, CatalogError, Change, Listener, now_ms};
use crate::music::{AccountId, Purpose};

/// One decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    /// About what.
    pub purpose: Purpose,
    /// Whether it was allowed or forbidden.
    pub given: bool,
    /// The version of the text that the person was shown.
    pub version: u32,
    /// When, Unix time in ms.
    pub at: i64,
}

impl Catalog {
    /// Whether an account's data may be used for something. Any account id has an answer: where nobody decided, the default.
    pub async fn allows(&self, account: &AccountId, purpose: Purpose) -> Result<bool, CatalogError> {
        let mut conn = self.all.acquire().await?;
        Ok(allows(&mut conn, account.as_str(), purpose).await?)
    }

    /// Every decision of an account, the oldest first.
    pub async fn consents(&self, account: &AccountId) -> Result<Vec<Consent>, CatalogError> {
        let sql = "SELECT purpose, given, version, at FROM consents WHERE account_id = $1 \
                   ORDER BY at, sequence, purpose";
        let rows: Vec<(String, bool, i64, i64)> =
            sql::query_as(sql).bind(account.as_str()).fetch_all(&self.all).await?;
        // A purpose that a later release knows is none of this one's.
        let known = rows.into_iter().filter_map(|(word, given, version, at)| {
            let version = u32::try_from(version).unwrap_or(0);
            Some(Consent { purpose: Purpose::of(&word)?, given, version, at })
        });
        Ok(known.collect())
    }
}

impl Listener {
    /// Whether this listener's data may be used for something.
    pub async fn allows(&self, purpose: Purpose) -> Result<bool, CatalogError> {
        self.catalog.allows(&self.account, purpose).await
    }

    /// Writes a decision down, if it is a new one, and has the server told where this view has an outbox. What must end with it
    /// ends at once: mixes are forgotten where they may no longer be made.
    pub async fn decide(&self, purpose: Purpose, given: bool, version: u32) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let new = note(&mut tx, self.account.as_str(), purpose, given, version).await?;
            if new {
                self.queue(&mut tx, &Change::Decided { purpose, given, version }).await?;
                if matches!(purpose, Purpose::History | Purpose::Personalisation) {
                    super::mixes::forget(&mut tx, self.account.as_str()).await?;
                }
                if purpose == Purpose::History {
                    sql::query("DELETE FROM now_playing WHERE account_id = $1")
                        .bind(self.account.as_str())
                        .execute(&mut *tx)
                        .await?;
                }
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// Whether a decision has not been told to the server yet.
    pub async fn decision_waits(&self, purpose: Purpose) -> Result<bool, CatalogError> {
        let subject = Change::Decided { purpose, given: true, version: 0 }.subject();
        let mut conn = self.catalog.reader().acquire().await?;
        Ok(self.waiting(&mut conn).await?.contains(&subject))
    }

    /// Takes over a decision that the server tells of, unless one of this listener's still waits to be told to it.
    pub async fn decided_elsewhere(
        &self,
        purpose: Purpose,
        given: bool,
        version: u32,
    ) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let subject = Change::Decided { purpose, given, version }.subject();
            if !self.waiting(&mut tx).await?.contains(&subject)
                && note(&mut tx, self.account.as_str(), purpose, given, version).await?
                && matches!(purpose, Purpose::History | Purpose::Personalisation)
            {
                super::mixes::forget(&mut tx, self.account.as_str()).await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// Whether playlists may be made of what this listener does.
    pub async fn profiled(&self) -> Result<bool, CatalogError> {
        self.allows(Purpose::Personalisation).await
    }

    /// Opts in or out of profiling: the decision about [`Purpose::Personalisation`].
    pub async fn set_profiled(&self, profiled: bool) -> Result<(), CatalogError> {
        self.decide(Purpose::Personalisation, profiled, Purpose::TEXT_VERSION).await
    }
}

/// See [`Catalog::allows`].
pub(super) async fn allows(
    conn: &mut sql::Connection,
    account: &str,
    purpose: Purpose,
) -> Result<bool, sql::Error> {
    let sql = "SELECT given, version FROM consents WHERE account_id = $1 AND purpose = $2 ORDER BY sequence DESC LIMIT 1";
    let last: Option<(bool, i64)> =
        sql::query_as(sql).bind(account).bind(purpose.word()).fetch_optional(conn).await?;
    Ok(last.map_or(purpose.by_default(), |(given, version)| {
        // Who agreed to an older text has not agreed to this one.
        given && (purpose.by_default() || version >= i64::from(Purpose::TEXT_VERSION))
    }))
}

/// Adds a decision; `false` where the last one of this text says the same.
async fn note(
    conn: &mut sql::Connection,
    account: &str,
    purpose: Purpose,
    given: bool,
    version: u32,
) -> Result<bool, sql::Error> {
    let sql = "SELECT sequence, given, version FROM consents WHERE account_id = $1 AND purpose = $2 \
               ORDER BY sequence DESC LIMIT 1";
    let last: Option<(i64, bool, i64)> =
        sql::query_as(sql).bind(account).bind(purpose.word()).fetch_optional(&mut *conn).await?;
    if last.is_some_and(|(_, was, of)| was == given && of == i64::from(version)) {
        return Ok(false);
    }
    let sequence = last.map_or(1, |(sequence, ..)| sequence + 1);
    sql::query(
        "INSERT INTO consents (account_id, purpose, sequence, given, version, at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(account)
    .bind(purpose.word())
    .bind(sequence)
    .bind(given)
    .bind(i64::from(version))
    .bind(now_ms())
    .execute(conn)
    .await?;
    Ok(true)
}
