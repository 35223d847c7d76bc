//! What a listener has heard, counted: how long, what most, when, and on how many days in a row.
//!
//! Days and hours are those of the listener's clock, given in minutes ahead of UTC.

use super::{CatalogError, Listener, rows::Cells};

/// Something that was heard much.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Top {
    /// Its name.
    pub name: String,
    /// Whose it is, where that is not itself.
    pub by: String,
    /// How often.
    pub plays: u64,
    /// How long, ms.
    pub heard_ms: u64,
}

/// One listener's plays of some time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Insights {
    /// How long, ms.
    pub heard_ms: u64,
    /// How often.
    pub plays: u64,
    /// Different tracks.
    pub tracks: u64,
    /// Different artists.
    pub artists: u64,
    /// Longest heard first.
    pub top_artists: Vec<Top>,
    /// Longest heard first.
    pub top_albums: Vec<Top>,
    /// Longest heard first.
    pub top_genres: Vec<Top>,
    /// Most often heard first.
    pub top_tracks: Vec<Top>,
    /// By hour of the day, ms.
    pub hours: [u64; 24],
    /// Days since 1970 on which something was heard, with ms, oldest first.
    pub days: Vec<(i64, u64)>,
    /// Days in a row until today, or until yesterday where today is still silent; over all time.
    pub streak: u64,
    /// Most days in a row, over all time.
    pub longest_streak: u64,
}

/// Rows of each list.
const TOP: u64 = 10;

impl Listener {
    /// What was heard from `since` (Unix ms) on. `now` and `minutes` ahead of UTC say which day it is.
    pub async fn insights(&self, since: i64, now: i64, minutes: i64) -> Result<Insights, CatalogError> {
        let mut conn = self.catalog.reader().acquire().await?;
        let account = self.account.as_str();
        let mut all = Insights::default();
        let row = sqlx::query(
            "SELECT COALESCE(SUM(p.heard_ms), 0), COUNT(*), COUNT(DISTINCT p.track_id), \
             COUNT(DISTINCT COALESCE(a.name, t.artist)) FROM plays p JOIN tracks t ON t.id = p.track_id \
             LEFT JOIN track_artists a ON a.track_id = t.id AND a.role = 'artist' AND a.position = 0 \
             WHERE p.account_id = $1 AND p.started_at >= $2",
        )
        .bind(account)
        .bind(since)
        .fetch_one(&mut *conn)
        .await?;
        let mut c = Cells::of(&row);
        let mut number = || -> Result<u64, sqlx::Error> { Ok(c.number()?.unwrap_or(0)) };
        (all.heard_ms, all.plays, all.tracks, all.artists) = (number()?, number()?, number()?, number()?);
        let artists = "SELECT COALESCE(a.name, t.artist), '', COUNT(*), SUM(p.heard_ms) FROM plays p \
             JOIN tracks t ON t.id = p.track_id \
             LEFT JOIN track_artists a ON a.track_id = t.id AND a.role = 'artist' AND a.position = 0 \
             WHERE p.account_id = $1 AND p.started_at >= $2 GROUP BY 1 ORDER BY 4 DESC, 1 LIMIT $3";
        let albums = "SELECT t.album, MAX(t.album_artist), COUNT(*), SUM(p.heard_ms) FROM plays p \
             JOIN tracks t ON t.id = p.track_id WHERE p.account_id = $1 AND p.started_at >= $2 AND t.album <> '' \
             GROUP BY COALESCE(t.album_id, t.album) ORDER BY 4 DESC, 1 LIMIT $3";
        let genres = "SELECT g.genre, '', COUNT(*), SUM(p.heard_ms) FROM plays p \
             JOIN track_genres g ON g.track_id = p.track_id WHERE p.account_id = $1 AND p.started_at >= $2 \
             GROUP BY 1 ORDER BY 4 DESC, 1 LIMIT $3";
        let tracks = "SELECT t.title, t.artist, COUNT(*), SUM(p.heard_ms) FROM plays p \
             JOIN tracks t ON t.id = p.track_id WHERE p.account_id = $1 AND p.started_at >= $2 \
             GROUP BY t.id ORDER BY 3 DESC, 4 DESC, 1 LIMIT $3";
        let lists = [
            (artists, &mut all.top_artists),
            (albums, &mut all.top_albums),
            (genres, &mut all.top_genres),
            (tracks, &mut all.top_tracks),
        ];
        for (sql, list) in lists {
            let rows = sqlx::query(sql)
                .bind(account)
                .bind(since)
                .bind(TOP.cast_signed())
                .fetch_all(&mut *conn)
                .await?;
            for row in &rows {
                let mut c = Cells::of(row);
                list.push(Top {
                    name: c.get()?,
                    by: c.get()?,
                    plays: c.number()?.unwrap_or(0),
                    heard_ms: c.number()?.unwrap_or(0),
                });
            }
        }
        let rows =
            sqlx::query("SELECT started_at, heard_ms FROM plays WHERE account_id = $1 ORDER BY started_at")
                .bind(account)
                .fetch_all(&mut *conn)
                .await?;
        let mut every: Vec<i64> = Vec::new();
        for row in &rows {
            let mut c = Cells::of(row);
            let (at, heard): (i64, u64) = (c.get()?, c.number()?.unwrap_or(0));
            let (day, hour) = local(at, minutes);
            if every.last() != Some(&day) {
                every.push(day);
            }
            if at < since {
                continue;
            }
            if let Some(sum) = all.hours.get_mut(hour) {
                *sum += heard;
            }
            match all.days.last_mut() {
                Some((last, sum)) if *last == day => *sum += heard,
                _ => all.days.push((day, heard)),
            }
        }
        (all.streak, all.longest_streak) = streaks(&every, local(now, minutes).0);
        Ok(all)
    }
}

/// Day since 1970 and hour of the day of a moment, `minutes` ahead of UTC.
fn local(at: i64, minutes: i64) -> (i64, usize) {
    let hours = (at / 60_000).saturating_add(minutes).div_euclid(60);
    (hours.div_euclid(24), usize::try_from(hours.rem_euclid(24)).unwrap_or(0))
}

/// Days in a row until `today`, and the most ever; `days` ascend.
fn streaks(days: &[i64], today: i64) -> (u64, u64) {
    let runs = days.chunk_by(|a, b| *b == a + 1);
    let longest = runs.clone().map(<[i64]>::len).max().unwrap_or(0);
    let last = runs.last().filter(|run| run.last().is_some_and(|day| (today - 1..=today).contains(day)));
    (last.map_or(0, |run| run.len() as u64), longest as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_a_row() {
        assert_eq!(streaks(&[], 10), (0, 0));
        assert_eq!(streaks(&[10], 10), (1, 1));
        assert_eq!(streaks(&[1, 2, 3, 4, 8, 9], 10), (2, 4));
        assert_eq!(streaks(&[1, 2, 3, 8], 10), (0, 3));
    }

    #[test]
    fn the_listeners_day_begins_at_their_midnight() {
        let late = 23 * 3_600_000 + 30 * 60_000;
        assert_eq!(local(late, 0), (0, 23));
        assert_eq!(local(late, 60), (1, 0));
        assert_eq!(local(0, -60), (-1, 23));
    }
}
