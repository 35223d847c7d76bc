//! Searches that found nothing: what listeners want and the library has not.
//!
//! No account is written down. To know how many different listeners looked for something on a day, each is a hash with a salt
//! of that day; when the day is over, hashes are counted, and hashes and salt are deleted, so that nobody can be looked for in
//! them later. Over several days the same people cannot be told from others, so what counts is the most on any one day.

use std::collections::HashMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{Kind, Scope, Table, Value};
use crate::catalog::rows::Cells;
use crate::catalog::sql::{self, again};
use crate::catalog::{Catalog, CatalogError};
use crate::music::{AccountId, Purpose, fold};

/// The most characters of a query that are kept.
const LONGEST: usize = 80;
/// The most different queries of a day.
const MOST: i64 = 5_000;
/// How long they are kept, days.
const KEPT: i64 = 400;

/// A search without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// Who searched; not kept.
    pub account: AccountId,
    /// What for.
    pub query: String,
}

impl Catalog {
    /// Counts searches that found nothing on a day (since 1970); those of who did not agree to be counted are passed over.
    pub async fn note_misses(&self, day: i64, misses: &[Miss]) -> Result<(), CatalogError> {
        let mut known: HashMap<&AccountId, bool> = HashMap::new();
        let mut counted: Vec<(&AccountId, String)> = Vec::new();
        for miss in misses {
            let allowed = match known.get(&miss.account) {
                Some(allowed) => *allowed,
                None => self.allows(&miss.account, Purpose::Analytics).await?,
            };
            known.insert(&miss.account, allowed);
            let query: String = fold(&miss.query).chars().take(LONGEST).collect();
            if allowed && query.chars().count() > 1 {
                counted.push((&miss.account, query));
            }
        }
        if counted.is_empty() {
            return Ok(());
        }
        again!({
            let mut tx = self.write().await?;
            let fresh = format!("{:032x}", rand::random::<u128>());
            sql::query("INSERT INTO search_salts (day, salt) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING")
                .bind(day)
                .bind(fresh)
                .execute(&mut *tx)
                .await?;
            let salt: String = sql::query_scalar("SELECT salt FROM search_salts WHERE day = $1")
                .bind(day)
                .fetch_one(&mut *tx)
                .await?;
            for (account, query) in &counted {
                let done = sql::query(
                    "INSERT INTO search_misses (day, query, searches, people) SELECT $1, $2, 1, 0 \
                     WHERE EXISTS (SELECT 1 FROM search_misses WHERE day = $1 AND query = $2) \
                     OR (SELECT COUNT(*) FROM search_misses WHERE day = $1) < $3 \
                     ON CONFLICT (day, query) DO UPDATE SET searches = search_misses.searches + 1",
                )
                .bind(day)
                .bind(query)
                .bind(MOST)
                .execute(&mut *tx)
                .await?;
                if done.rows_affected() == 0 {
                    continue;
                }
                sql::query(
                    "INSERT INTO search_missers (day, query, person) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                )
                .bind(day)
                .bind(query)
                .bind(hash(&salt, account, query))
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// Counts the listeners of the days that are over, and forgets who they were.
    pub(crate) async fn settle_misses(&self, today: i64) -> Result<(), CatalogError> {
        let open: i64 = sql::query_scalar("SELECT COUNT(*) FROM search_salts WHERE day < $1")
            .bind(today)
            .fetch_one(&self.all)
            .await?;
        if open == 0 {
            return Ok(());
        }
        again!({
            let mut tx = self.write().await?;
            for (sql, day) in [
                (
                    "UPDATE search_misses SET people = (SELECT COUNT(*) FROM search_missers s \
                     WHERE s.day = search_misses.day AND s.query = search_misses.query) WHERE people = 0 AND day < $1",
                    today,
                ),
                ("DELETE FROM search_missers WHERE day < $1", today),
                ("DELETE FROM search_salts WHERE day < $1", today),
                ("DELETE FROM search_misses WHERE day < $1", today - KEPT),
            ] {
                sql::query(sql).bind(day).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }
}

/// A person as a hash that is another one for every query, so that it cannot be followed from one to the next either.
fn hash(salt: &str, account: &AccountId, query: &str) -> String {
    let digest = Sha256::digest(format!("{salt}\n{}\n{query}", account.as_str()));
    digest.iter().take(10).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What enough listeners looked for in vain on one day. Only days that are over can be counted.
pub(super) async fn table(conn: &mut sql::Connection, scope: Scope) -> Result<Table, CatalogError> {
    let about = "Searches without a result that enough different listeners made on one day; today's are counted tomorrow.";
    let columns = [
        ("query", "Searched for", Kind::Text),
        ("listeners", "Listeners on one day", Kind::Whole),
        ("searches", "Searches", Kind::Whole),
    ];
    let mut table = Table::new("search_misses", "Not found", about, &columns);
    let rows = sql::query(
        "SELECT query, MAX(people), CAST(SUM(searches) AS BIGINT) FROM search_misses \
         WHERE day >= $1 AND day < $2 AND people >= $3 GROUP BY query ORDER BY 2 DESC, 3 DESC, 1 LIMIT 50",
    )
    .bind(scope.since)
    .bind(scope.until)
    .bind(scope.k.cast_signed())
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        let mut c = Cells::of(row);
        let query: String = c.get()?;
        let (people, searches) = (c.number()?.unwrap_or(0), c.number()?.unwrap_or(0));
        table.rows.push(vec![Value::Text(query), scope.step(people), scope.step(searches)]);
    }
    Ok(table)
}
