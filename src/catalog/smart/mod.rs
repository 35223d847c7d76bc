//! Smart playlists: a name, and rules that say which tracks are in it now.
//!
//! ```text
//!  a search that is kept ─┐
//!  .nsp files (the scan) ─┴▶ Rules ─▶ smart_playlists ─▶ worked out when read: index or SQL ─▶ tracks
//! ```
//!
//! To everybody else they are playlists like any other that cannot be edited: they stand in `playlists`, and their tracks,
//! count and length are worked out by their owner's marks whenever they are read ([`made`]). What was worked out is kept until
//! the catalog changes, or a minute has passed, since rules may speak of time.

mod clauses;
mod rules;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

pub use rules::{Choice, Condition, Field, NamedRules, Relation, Rules, Sort, Test};

use super::{
    Catalog, CatalogError, Listener, Stamp,
    apply::sql_int,
    index::{Hit, Query},
    now_ms, path_to_text, playlists, search,
};
use crate::catalog::sql::{self, Engine, again};
use crate::music::{AccountId, PlaylistId, Window};

/// How long what was worked out is good while the catalog stays as it is, ms.
const GOOD_FOR: i64 = 60_000;

/// Tracks that are looked at where they are to be put in another order than they were found in.
const LOOKED_AT: u64 = 50_000;

/// Playlists whose tracks are remembered.
const KEPT: usize = 256;

/// What smart playlists have in them now.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<HashMap<(String, String), Arc<Made>>>);

/// A smart playlist worked out.
#[derive(Debug)]
pub(super) struct Made {
    rules: String,
    stamp: Option<Stamp>,
    at: i64,
    /// When its tracks were others last, as far as that was seen, Unix ms.
    pub(super) changed_at: i64,
    /// Its tracks in order.
    pub(super) tracks: Vec<String>,
    /// Their length.
    pub(super) duration_ms: u64,
}

impl Listener {
    /// Makes a smart playlist of this account; it stays in this catalog.
    pub async fn create_smart_playlist(&self, name: &str, rules: &Rules) -> Result<PlaylistId, CatalogError> {
        let id = PlaylistId::from(format!("smart-{}", Uuid::now_v7().simple()));
        let named = Named { name: playlists::named(name)?, comment: "", public: false, file: "" };
        again!({
            let mut tx = self.write().await?;
            put(&mut tx, &self.account, &id, &named, rules).await?;
            tx.commit().await?;
            Ok(id.clone())
        })
    }

    /// The rules of an own smart playlist; none where it is none, or is worked out elsewhere.
    pub async fn smart_rules(&self, id: &PlaylistId) -> Result<Option<Rules>, CatalogError> {
        let rules = rules_of(self.catalog.reader(), self.account.as_str(), id.as_str()).await?;
        Ok(rules.and_then(|rules| serde_json::from_str(&rules).ok()))
    }

    /// Gives an own smart playlist other rules.
    pub async fn set_smart_rules(&self, id: &PlaylistId, rules: &Rules) -> Result<(), CatalogError> {
        let changed = sql::query("UPDATE smart_playlists SET rules = $3 WHERE account_id = $1 AND id = $2")
            .bind(self.account.as_str())
            .bind(id.as_str())
            .bind(text_of(rules)?)
            .execute(self.catalog.writer())
            .await?
            .rows_affected();
        if changed == 0 { Err(CatalogError::not_found("smart playlist", id.as_str())) } else { Ok(()) }
    }
}

impl Catalog {
    /// Writes down the smart playlist of a file, in the place of what the file was before.
    pub async fn put_smart_file(
        &self,
        owner: &AccountId,
        file: &Path,
        named: &NamedRules,
    ) -> Result<PlaylistId, CatalogError> {
        let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let name = named.name.clone().filter(|n| !n.trim().is_empty()).unwrap_or(stem);
        let path = path_to_text(file);
        again!({
            let mut tx = self.write().await?;
            let known: Option<String> =
                sql::query_scalar("SELECT id FROM smart_playlists WHERE account_id = $1 AND file = $2")
                    .bind(owner.as_str())
                    .bind(&path)
                    .fetch_optional(&mut *tx)
                    .await?;
            let id = PlaylistId::from(known.unwrap_or_else(|| format!("smart-{}", Uuid::now_v7().simple())));
            let as_named = Named {
                name: playlists::named(&name)?,
                comment: &named.comment,
                public: named.public,
                file: &path,
            };
            put(&mut tx, owner, &id, &as_named, &named.rules).await?;
            tx.commit().await?;
            Ok(id.clone())
        })
    }

    /// Takes away the smart playlists of files that are gone; says how many.
    pub async fn remove_smart_files(&self, files: &[PathBuf]) -> Result<u64, CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let mut gone = 0;
            for file in files {
                gone += sql::query(
                    "DELETE FROM playlists WHERE EXISTS (SELECT 1 FROM smart_playlists s WHERE s.file = $1 \
                     AND s.account_id = playlists.account_id AND s.id = playlists.id)",
                )
                .bind(path_to_text(file))
                .execute(&mut *tx)
                .await?
                .rows_affected();
            }
            tx.commit().await?;
            Ok(gone)
        })
    }
}

/// What a smart playlist is besides its rules.
struct Named<'a> {
    name: &'a str,
    comment: &'a str,
    public: bool,
    file: &'a str,
}

fn text_of(rules: &Rules) -> Result<String, CatalogError> {
    serde_json::to_string(rules).map_err(|error| CatalogError::Invalid(error.to_string()))
}

async fn put(
    conn: &mut sql::Connection,
    owner: &AccountId,
    id: &PlaylistId,
    named: &Named<'_>,
    rules: &Rules,
) -> Result<(), CatalogError> {
    sql::query(
        "INSERT INTO playlists (account_id, id, name, comment, owner, public, created_at, changed_at, smart) \
         VALUES ($1, $2, $3, $4, $1, $5, $6, $6, TRUE) ON CONFLICT (account_id, id) DO UPDATE SET \
         name = excluded.name, comment = excluded.comment, public = excluded.public, changed_at = excluded.changed_at",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(named.name)
    .bind(named.comment)
    .bind(named.public)
    .bind(now_ms())
    .execute(&mut *conn)
    .await?;
    sql::query(
        "INSERT INTO smart_playlists (account_id, id, rules, file) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (account_id, id) DO UPDATE SET rules = excluded.rules",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(text_of(rules)?)
    .bind(named.file)
    .execute(conn)
    .await?;
    Ok(())
}

async fn rules_of(reader: &sql::Pool, account: &str, id: &str) -> Result<Option<String>, sql::Error> {
    sql::query_scalar("SELECT rules FROM smart_playlists WHERE account_id = $1 AND id = $2")
        .bind(account)
        .bind(id)
        .fetch_optional(reader)
        .await
}

/// What a smart playlist has in it now; none where it has no rules here.
pub(super) async fn made(
    catalog: &Catalog,
    account: &str,
    id: &str,
) -> Result<Option<Arc<Made>>, CatalogError> {
    let Some(text) = rules_of(catalog.reader(), account, id).await? else { return Ok(None) };
    let (stamp, now) = (catalog.stamp(), now_ms());
    let key = (account.to_owned(), id.to_owned());
    let kept = || catalog.smart.0.lock().unwrap_or_else(PoisonError::into_inner);
    // What is remembered is of the whole library; for who sees a part of it it is worked out by itself.
    let before = if catalog.is_narrowed() { None } else { kept().get(&key).cloned() };
    if let Some(made) = &before
        && stamp.is_some()
        && made.stamp == stamp
        && made.rules == text
        && (0..GOOD_FOR).contains(&(now - made.at))
    {
        return Ok(before);
    }
    let Ok(rules) = serde_json::from_str::<Rules>(&text) else {
        tracing::warn!(playlist = id, "the rules of a smart playlist are of a newer make; it is shown empty");
        let (tracks, duration_ms) = (Vec::new(), 0);
        return Ok(Some(Arc::new(Made { rules: text, stamp, at: now, changed_at: 0, tracks, duration_ms })));
    };
    let found = work_out(catalog, &AccountId::from(account), id, &rules, now).await?;
    let duration_ms = found.iter().map(|(_, ms)| u64::try_from(*ms).unwrap_or(0)).sum();
    let tracks: Vec<String> = found.into_iter().map(|(id, _)| id).collect();
    let changed_at = before.filter(|made| made.tracks == tracks).map_or(now, |made| made.changed_at);
    let made = Arc::new(Made { rules: text, stamp, at: now, changed_at, tracks, duration_ms });
    if catalog.is_narrowed() {
        return Ok(Some(made));
    }
    let mut kept = kept();
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(key, Arc::clone(&made));
    Ok(Some(made))
}

/// Ids and lengths of the tracks that the rules mean, in order.
async fn work_out(
    catalog: &Catalog,
    account: &AccountId,
    id: &str,
    rules: &Rules,
    now: i64,
) -> Result<Vec<(String, i64)>, CatalogError> {
    let ordered = rules.shuffle || !rules.sort.is_empty();
    let found = match &rules.choice {
        Choice::Search(line) => {
            let limit = if ordered { LOOKED_AT } else { rules.offset.saturating_add(rules.most()) };
            Some(searched(catalog, account, line, limit, now).await?)
        }
        Choice::When(_) => None,
    };
    let mut sql = sql::Builder::new(
        "SELECT t.id, t.duration_ms FROM tracks t LEFT JOIN marks m ON m.kind = 'track' AND m.item_id = t.id \
         AND m.account_id = ",
    );
    sql.push_bind(account.as_str()).push(" WHERE ");
    match (&rules.choice, &found) {
        (Choice::When(condition), _) => clauses::condition(&mut sql, condition, now),
        (Choice::Search(_), found) => {
            let ids = serde_json::to_string(found).map_err(|e| CatalogError::Invalid(e.to_string()))?;
            let (before, after) = match catalog.engine() {
                Engine::Sqlite => ("SELECT value FROM json_each(", ")"),
                #[cfg(feature = "cloud")]
                Engine::Postgres => ("SELECT json_array_elements_text(CAST(", " AS JSON))"),
            };
            sql.push("t.id IN (").push(before).push_bind(ids).push(after).push(")");
        }
    }
    let by_sql = !rules.shuffle && (found.is_none() || !rules.sort.is_empty());
    if by_sql {
        clauses::order(&mut sql, &rules.sort);
        sql.push(" LIMIT ").push_bind(sql_int(rules.most()));
        sql.push(" OFFSET ").push_bind(sql_int(rules.offset));
    } else if rules.shuffle {
        sql.push(" LIMIT ").push_bind(sql_int(LOOKED_AT * 4));
    }
    let mut rows: Vec<(String, i64)> = sql.build_query_as().fetch_all(catalog.reader()).await?;
    if by_sql {
        return Ok(rows);
    }
    if rules.shuffle {
        let seed = chance(id, now / 86_400_000);
        rows.sort_by_cached_key(|(track, _)| chance(track, seed.cast_signed()));
    } else if let Some(found) = &found {
        let places: HashMap<&str, usize> = found.iter().map(String::as_str).zip(0..).collect();
        rows.sort_by_key(|(track, _)| places.get(track.as_str()).copied());
    }
    let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    Ok(rows.into_iter().skip(whole(rules.offset)).take(whole(rules.most())).collect())
}

/// What a search line finds, best first: what has its words as typed, and only where nothing does what has them nearly so.
async fn searched(
    catalog: &Catalog,
    account: &AccountId,
    line: &str,
    limit: u64,
    now: i64,
) -> Result<Vec<String>, CatalogError> {
    let query = Query::parse(line, now);
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let hits = search::tracks(catalog, account, &query, Window::first(limit)).await?;
    let exact = hits.first().is_some_and(|hit| !hit.has_errors());
    let fits = |hit: &Hit| !(exact && hit.has_errors());
    Ok(hits.into_iter().filter(fits).map(|hit| hit.id).collect())
}

/// A number that looks like chance and is always the same for the same text and seed.
fn chance(text: &str, seed: i64) -> u64 {
    let mut n = seed.cast_unsigned() ^ 0x9e37_79b9_7f4a_7c15;
    for byte in text.bytes() {
        n = (n ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
