//! The mood of what was heard: means of the scores that the analysis of the sound gave.

use super::{MoodPart, Stretch, in_period, local};
use crate::catalog::CatalogError;
use crate::catalog::rows::Cells;
use crate::catalog::sql;
use crate::music::Sonic;

/// The mood in time; the account's plays of a stretch by hour or by day.
pub(super) async fn moods(
    conn: &mut sql::Connection,
    stretch: Stretch<'_>,
    by_hour: bool,
) -> Result<Vec<MoodPart>, CatalogError> {
    const SQL: &str = concat!(
        "SELECT ",
        local!("$4"),
        " / $7 AS at, CAST(SUM(p.heard_ms) AS BIGINT), SUM(p.heard_ms * s.energy), SUM(p.heard_ms * s.calm), \
         SUM(p.heard_ms * s.brightness), SUM(p.heard_ms * s.danceability) FROM plays p \
         JOIN sonic s ON s.track_id = p.track_id WHERE ",
        in_period!(),
        " AND s.error IS NULL AND s.energy IS NOT NULL GROUP BY 1 ORDER BY 1"
    );
    let unit: i64 = if by_hour { 3_600_000 } else { crate::music::calendar::DAY_MS };
    let rows = stretch.ask(SQL).bind(unit).fetch_all(&mut *conn).await?;
    let mut parts = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut c = Cells::of(row);
        let (at, heard_ms): (i64, u64) = (c.get()?, c.number()?.unwrap_or(0));
        let mut mean = || -> Result<f64, sql::Error> {
            Ok(c.get::<Option<f64>>()?.unwrap_or(0.0) / heard_ms.max(1) as f64)
        };
        let (energy, calm, brightness, danceability) = (mean()?, mean()?, mean()?, mean()?);
        let at = if by_hour { at.rem_euclid(24) } else { at };
        if heard_ms > 0 {
            parts.push(MoodPart { at, heard_ms, energy, calm, brightness, danceability });
        }
    }
    Ok(parts)
}

/// Writes the scores of sounds that were heard before there were columns for them.
pub(in crate::catalog) async fn fill_scores(pool: &sql::Pool) -> Result<(), CatalogError> {
    /// Rows in one transaction.
    const STEP: i64 = 1_000;
    let mut after = String::new();
    loop {
        let rows: Vec<(String, String)> = sql::query_as(
            "SELECT track_id, body FROM sonic WHERE energy IS NULL AND error IS NULL AND track_id > $1 \
             ORDER BY track_id LIMIT $2",
        )
        .bind(&after)
        .bind(STEP)
        .fetch_all(pool)
        .await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after.clone_from(last);
        let mut tx = pool.begin().await?;
        for (track, body) in &rows {
            // A body that cannot be read has no scores; the analysis will make it anew.
            let Ok(sound) = serde_json::from_str::<Sonic>(body) else { continue };
            sql::query(
                "UPDATE sonic SET energy = $2, brightness = $3, calm = $4, danceability = $5 WHERE track_id = $1",
            )
            .bind(track)
            .bind(f64::from(sound.energy.value))
            .bind(f64::from(sound.brightness.value))
            .bind(f64::from(sound.calm.value))
            .bind(f64::from(sound.danceability.value))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
    }
}
