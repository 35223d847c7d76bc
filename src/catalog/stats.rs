//! How large the library is. Counting a million rows takes a while, so the sum is kept with the place of the search log up to
//! which it is right: everything that changes a row notes it there.

use std::sync::{Mutex, PoisonError};

use super::sql;
use super::{Catalog, CatalogError, Stamp, Stats, rows::Cells};

/// The setting: tracks, albums, artists, length in ms, and the place in the log.
const SETTING: &str = "stats";
/// A library of so many tracks is counted so quickly that nothing need be written down.
const SMALL: u64 = 20_000;

/// The stats as they were last seen.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<Option<(Stamp, Stats)>>);

impl Catalog {
    /// Sizes of the library.
    pub async fn stats(&self) -> Result<Stats, CatalogError> {
        if self.is_narrowed() {
            let mut conn = self.reader().acquire().await?;
            return Ok(count(&mut conn).await?);
        }
        let stamp = self.stamp();
        let known = *self.counted.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(now), Some((then, stats))) = (stamp, known)
            && now == then
        {
            return Ok(stats);
        }
        let mut conn = self.reader().snapshot().await?;
        let place: Option<i64> = sql::query_scalar(
            "SELECT sequence FROM search_log WHERE account_id = '' ORDER BY sequence DESC LIMIT 1",
        )
        .fetch_optional(&mut *conn)
        .await?;
        let place = place.unwrap_or(0);
        let kept: Option<String> = sql::query_scalar("SELECT value FROM settings WHERE name = $1")
            .bind(SETTING)
            .fetch_optional(&mut *conn)
            .await?;
        let kept = kept.and_then(|kept| read(&kept, place));
        let stats = if let Some(stats) = kept { stats } else { count(&mut conn).await? };
        if kept.is_none() && stats.tracks > SMALL && place > 0 {
            let Stats { tracks, albums, artists, duration_ms } = stats;
            let kept = format!("{tracks} {albums} {artists} {duration_ms} {place}");
            let catalog = self.clone();
            tokio::spawn(async move {
                if let Err(error) = catalog.set_setting(SETTING, &kept).await {
                    tracing::debug!(%error, "the size of the library is counted again next time");
                }
            });
        }
        drop(conn);
        if let Some(stamp) = stamp {
            *self.counted.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((stamp, stats));
        }
        Ok(stats)
    }
}

fn read(kept: &str, place: i64) -> Option<Stats> {
    let numbers: Vec<u64> = kept.split(' ').map(|n| n.parse().ok()).collect::<Option<_>>()?;
    match numbers.as_slice() {
        [tracks, albums, artists, duration_ms, at] if i64::try_from(*at) == Ok(place) && place > 0 => {
            Some(Stats { tracks: *tracks, albums: *albums, artists: *artists, duration_ms: *duration_ms })
        }
        _ => None,
    }
}

async fn count(conn: &mut sql::Connection) -> Result<Stats, sql::Error> {
    let row = sql::query(
        "SELECT (SELECT COUNT(*) FROM tracks), (SELECT COUNT(*) FROM albums), (SELECT COUNT(*) FROM artists), \
         (SELECT CAST(COALESCE(SUM(duration_ms), 0) AS BIGINT) FROM tracks)",
    )
    .fetch_one(conn)
    .await?;
    let mut c = Cells::of(&row);
    Ok(Stats {
        tracks: c.number()?.unwrap_or(0),
        albums: c.number()?.unwrap_or(0),
        artists: c.number()?.unwrap_or(0),
        duration_ms: c.number()?.unwrap_or(0),
    })
}
