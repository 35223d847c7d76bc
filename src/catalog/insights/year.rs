//! A year as a story: what statistics have of it, and what one would tell a friend.

use super::{Insights, Stretch, Top, in_period, local};
use crate::catalog::rows::Cells;
use crate::catalog::sql;
use crate::catalog::{CatalogError, Listener};
use crate::music::calendar::{Period, date};

/// A track on the day on which it was heard most often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peak {
    /// The day since 1970.
    pub day: i64,
    /// The track, with the plays of that day.
    pub track: Top,
}

/// A listener's year.
#[derive(Debug, Clone, PartialEq)]
pub struct Year {
    /// Which one.
    pub year: i64,
    /// Its figures.
    pub insights: Insights,
    /// The track that was heard most often on one day; only where that was more than once.
    pub peak: Option<Peak>,
    /// Whether the year is not over.
    pub so_far: bool,
}

impl Listener {
    /// A year of the calendar; `now` and `minutes` as with [`insights`](Self::insights).
    pub async fn year(&self, year: i64, now: i64, minutes: i64) -> Result<Year, CatalogError> {
        let period = Period::year(year);
        let insights = self.insights(period, now, minutes).await?;
        let mut conn = self.stale().acquire().await?;
        let stretch = Stretch::of(self.account.as_str(), &period, minutes);
        let peak = if insights.plays > 0 { peak(&mut conn, stretch).await? } else { None };
        let today = (now + minutes * 60_000).div_euclid(crate::music::calendar::DAY_MS);
        Ok(Year { year, insights, peak, so_far: period.has(today) })
    }

    /// The last year with a play in it, as the listener's clock has it; none where nothing was ever heard.
    pub async fn last_year_heard(&self, minutes: i64) -> Result<Option<i64>, CatalogError> {
        let sql = concat!(
            "SELECT ",
            local!("$2"),
            " FROM plays p WHERE p.account_id = $1 ORDER BY p.started_at DESC LIMIT 1"
        );
        let at: Option<i64> = sql::query_scalar(sql)
            .bind(self.account.as_str())
            .bind(minutes)
            .fetch_optional(&self.stale())
            .await?;
        Ok(at.map(|at| date(at.div_euclid(crate::music::calendar::DAY_MS)).0))
    }
}

async fn peak(conn: &mut sql::Connection, stretch: Stretch<'_>) -> Result<Option<Peak>, CatalogError> {
    const SQL: &str = concat!(
        "SELECT x.day, t.title, t.artist, x.n, x.ms FROM (SELECT ",
        local!("$4"),
        " / 86400000 AS day, p.track_id AS track_id, COUNT(*) AS n, CAST(SUM(p.heard_ms) AS BIGINT) AS ms FROM plays p \
         WHERE ",
        in_period!(),
        " GROUP BY 1, 2) x JOIN tracks t ON t.id = x.track_id WHERE x.n > 1 \
         ORDER BY x.n DESC, x.ms DESC, x.day, t.title LIMIT 1"
    );
    let row = stretch.ask(SQL).fetch_optional(&mut *conn).await?;
    let Some(row) = row else { return Ok(None) };
    let mut c = Cells::of(&row);
    let day = c.get()?;
    let track = Top {
        name: c.get()?,
        by: c.get()?,
        plays: c.number()?.unwrap_or(0),
        heard_ms: c.number()?.unwrap_or(0),
    };
    Ok(Some(Peak { day, track }))
}
