//! What ends by age, and where copies of the catalog lie.

use super::locks::{self, Scope};
use super::sql::{self, again};
use super::{Catalog, CatalogError, Deed, apply::sql_int, now_ms, shares};

/// Moments (Unix time in ms) before which things end; `None` keeps them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Plays that began before it; counts and last times stay.
    pub plays: Option<i64>,
    /// Lines of the audit log.
    pub audit: Option<i64>,
    /// API keys that were last good for something before it, or never since they were made before it.
    pub keys: Option<i64>,
}

/// A copy of the catalog that is known to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRow {
    /// Where, as [`path_to_text`](super::path_to_text) writes it.
    pub path: String,
    /// Unix time in ms.
    pub made_at: i64,
    /// When it is to be removed, Unix time in ms; `None` for never.
    pub expires_at: Option<i64>,
}

impl Catalog {
    /// Removes what is older than its limit, and says how many rows of which table went.
    pub async fn expire(&self, limits: Limits) -> Result<Vec<(&'static str, u64)>, CatalogError> {
        let wanted = [
            ("plays", "started_at < $1", limits.plays),
            ("scrobbles", "state = 'done' AND started_at < $1", limits.plays),
            ("audit", "at < $1", limits.audit),
            ("api_keys", "COALESCE(used_at, created_at) < $1", limits.keys),
        ];
        let mut gone = Vec::new();
        for (table, condition, before) in wanted {
            let Some(before) = before else { continue };
            let sql = format!("DELETE FROM {table} WHERE {condition}");
            let done = sql::query(sql::AssertSqlSafe(sql)).bind(before).execute(self.writer()).await?;
            if done.rows_affected() > 0 {
                gone.push((table, done.rows_affected()));
            }
        }
        Ok(gone)
    }

    /// Rewrites what the audit log holds of addresses, where `shorter` makes another text of one.
    pub async fn shorten_addresses(&self, shorter: impl Fn(&str) -> String) -> Result<u64, CatalogError> {
        let known: Vec<String> =
            sql::query_scalar("SELECT DISTINCT address FROM audit").fetch_all(self.reader()).await?;
        let mut changed = 0;
        for address in known {
            let short = shorter(&address);
            if short != address {
                let sql = "UPDATE audit SET address = $2 WHERE address = $1";
                let query = sql::query(sql).bind(&address).bind(&short);
                changed += query.execute(self.writer()).await?.rows_affected();
            }
        }
        Ok(changed)
    }

    /// Whether the search index's notes name accounts; building it again drops them.
    pub async fn has_search_notes(&self) -> Result<bool, CatalogError> {
        let found: i64 = sql::query_scalar("SELECT COUNT(*) FROM search_log WHERE account_id <> ''")
            .fetch_one(self.reader())
            .await?;
        Ok(found > 0)
    }

    /// Builds the search index again, and forgets the notes that it was kept up to date by.
    pub async fn rebuild_search(&self) -> Result<(), CatalogError> {
        super::search::rebuild(self).await?;
        again!({
            let mut tx = self.write().await?;
            if self.engine().is_shared() {
                // The indexes of others see that notes are missing, and are built again as well.
                locks::take(&mut tx, Scope::Log).await?;
                sql::query("DELETE FROM search_log WHERE sequence < (SELECT MAX(sequence) FROM search_log)")
                    .execute(&mut *tx)
                    .await?;
            }
            // The newest note stays for its number alone.
            sql::query("UPDATE search_log SET account_id = '' WHERE account_id <> ''")
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Deeds by or about somebody of a name, the oldest first.
    pub async fn deeds_about(&self, name: &str, limit: u64) -> Result<Vec<Deed>, CatalogError> {
        let sql = "SELECT * FROM (SELECT * FROM audit WHERE account = $1 OR subject = $1 ORDER BY at DESC, id DESC \
                   LIMIT $2) AS newest ORDER BY at, id";
        let found = sql::query(sql).bind(name).bind(sql_int(limit)).fetch_all(self.reader()).await?;
        found.iter().map(shares::deed).collect()
    }

    /// Writes down that a copy was made, in the place of an older one there.
    pub async fn note_backup(&self, path: &str, expires_at: Option<i64>) -> Result<(), CatalogError> {
        sql::query(
            "INSERT INTO backups (path, made_at, expires_at) VALUES ($1, $2, $3) \
             ON CONFLICT (path) DO UPDATE SET made_at = excluded.made_at, expires_at = excluded.expires_at",
        )
        .bind(path)
        .bind(now_ms())
        .bind(expires_at)
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// The copies that are known, the oldest first.
    pub async fn backups(&self) -> Result<Vec<BackupRow>, CatalogError> {
        let rows: Vec<(String, i64, Option<i64>)> =
            sql::query_as("SELECT path, made_at, expires_at FROM backups ORDER BY made_at, path")
                .fetch_all(self.reader())
                .await?;
        Ok(rows
            .into_iter()
            .map(|(path, made_at, expires_at)| BackupRow { path, made_at, expires_at })
            .collect())
    }

    /// Forgets a copy that is gone.
    pub async fn forget_backup(&self, path: &str) -> Result<(), CatalogError> {
        sql::query("DELETE FROM backups WHERE path = $1").bind(path).execute(self.writer()).await?;
        Ok(())
    }
}
