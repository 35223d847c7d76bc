//! What a listener has heard, counted: how long, what most, when, on how many days in a row, in which mood, and what was new.
//!
//! Days and hours are those of the listener's clock at the moment of the play, where the player wrote down how far it was
//! ahead of UTC; plays of other clients are taken by the clock of who asks. So a day that summer time makes an hour shorter
//! has no hole, and whoever travelled finds the evenings where they were. Everything is summed by SQL: of a long history no
//! more is read into memory than a row for each hour in which something was heard, one at a time.

mod scores;
mod year;

use std::sync::Arc;

use futures_util::TryStreamExt as _;

pub(super) use scores::fill_scores;
pub use year::{Peak, Year};

use super::{CatalogError, Listener, Warm, rows::Cells};
use crate::catalog::sql;
use crate::music::AccountId;
use crate::music::calendar::{DAY_MS, Period, Span, weekday};

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

/// What was heard in a part of a period sounded like: means of the sonic scores, 0 to 1, weighted by how long each
/// track was heard.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MoodPart {
    /// The day since 1970; of a period of one day the hour of the day.
    pub at: i64,
    /// How much of it has scores, ms.
    pub heard_ms: u64,
    /// How loud, fast and dense.
    pub energy: f64,
    /// How quiet, slow and even.
    pub calm: f64,
    /// How much of the sound lies high.
    pub brightness: f64,
    /// How strong and regular the beat.
    pub danceability: f64,
}

impl MoodPart {
    /// Several parts as one, which is `at`.
    pub fn together(at: i64, parts: &[Self]) -> Option<Self> {
        let all: u64 = parts.iter().map(|part| part.heard_ms).sum();
        if all == 0 {
            return None;
        }
        let mean = |of: fn(&Self) -> f64| {
            parts.iter().map(|part| of(part) * part.heard_ms as f64).sum::<f64>() / all as f64
        };
        Some(Self {
            at,
            heard_ms: all,
            energy: mean(|p| p.energy),
            calm: mean(|p| p.calm),
            brightness: mean(|p| p.brightness),
            danceability: mean(|p| p.danceability),
        })
    }
}

/// One listener's plays of a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Insights {
    /// Which one.
    pub period: Period,
    /// How long, ms.
    pub heard_ms: u64,
    /// How long in the period before it, ms; over all time 0.
    pub before_ms: u64,
    /// How often.
    pub plays: u64,
    /// Different tracks.
    pub tracks: u64,
    /// Different artists.
    pub artists: u64,
    /// Different albums.
    pub albums: u64,
    /// Different genres.
    pub genres: u64,
    /// Longest heard first.
    pub top_artists: Vec<Top>,
    /// Longest heard first.
    pub top_albums: Vec<Top>,
    /// Longest heard first.
    pub top_genres: Vec<Top>,
    /// Most often heard first.
    pub top_tracks: Vec<Top>,
    /// Artists never heard before this period, longest heard first; over all time none.
    pub discoveries: Vec<Top>,
    /// How many of those there are in all.
    pub discovered: u64,
    /// By day of the week (Monday first) and hour of the day, ms.
    pub week: [[u64; 24]; 7],
    /// Days since 1970 on which something was heard, with ms, oldest first.
    pub days: Vec<(i64, u64)>,
    /// The mood in time, oldest first: by hour for one day, else by day. Parts without any score are left out.
    pub moods: Vec<MoodPart>,
    /// Days in a row until today, or until yesterday where today is still silent; over all time.
    pub streak: u64,
    /// Most days in a row, over all time.
    pub longest_streak: u64,
    /// Most days in a row in this period, with the first of them; the earlier one where two are as long.
    pub streak_here: Option<(i64, u64)>,
    /// The first day ever on which something was heard.
    pub first_day: Option<i64>,
}

impl Insights {
    /// Nothing was heard.
    pub fn empty(period: Period) -> Self {
        Self {
            period,
            heard_ms: 0,
            before_ms: 0,
            plays: 0,
            tracks: 0,
            artists: 0,
            albums: 0,
            genres: 0,
            top_artists: Vec::new(),
            top_albums: Vec::new(),
            top_genres: Vec::new(),
            top_tracks: Vec::new(),
            discoveries: Vec::new(),
            discovered: 0,
            week: [[0; 24]; 7],
            days: Vec::new(),
            moods: Vec::new(),
            streak: 0,
            longest_streak: 0,
            streak_here: None,
            first_day: None,
        }
    }

    /// By hour of the day, ms.
    pub fn hours(&self) -> [u64; 24] {
        let mut hours = [0; 24];
        for day in &self.week {
            for (sum, ms) in hours.iter_mut().zip(day) {
                *sum += ms;
            }
        }
        hours
    }
}

/// Days on which accounts heard something, by account and by how many minutes its clock is ahead of UTC.
pub(super) type HeardDays = Warm<(AccountId, i64), Arc<[i64]>>;

/// Rows of each list.
const TOP: i64 = 20;

/// The farthest that a clock is from UTC, with an hour to spare, ms: a stretch of local time lies in the same stretch of
/// UTC with so much around it.
const FARTHEST_MS: i64 = 15 * 3_600_000;

/// A play's moment by the listener's clock, ms; so many minutes ahead where the play does not say itself. What names a
/// device knows its clock; a zero of anybody else means that nobody knows.
macro_rules! local {
    ($minutes:literal) => {
        concat!(
            "(p.started_at + (CASE WHEN p.offset_minutes <> 0 OR p.device <> '' THEN p.offset_minutes ELSE ",
            $minutes,
            " END) * 60000)"
        )
    };
}

/// Plays of account `$1` between two local moments `$2` and `$3`, ms; `$5` and `$6` are the same in UTC with some around.
macro_rules! in_period {
    () => {
        concat!(
            "p.account_id = $1 AND p.started_at >= $5 AND p.started_at < $6 AND ",
            local!("$4"),
            " >= $2 AND ",
            local!("$4"),
            " < $3"
        )
    };
}

pub(super) use {in_period, local};

/// A stretch of local time as statements want it.
#[derive(Debug, Clone, Copy)]
struct Stretch<'a> {
    account: &'a str,
    from_ms: i64,
    to_ms: i64,
    minutes: i64,
}

impl<'a> Stretch<'a> {
    fn of(account: &'a str, period: &Period, minutes: i64) -> Self {
        Self { account, from_ms: period.from * DAY_MS, to_ms: period.to * DAY_MS, minutes }
    }

    /// A statement with `$1` to `$6` bound.
    fn ask(self, sql: &'static str) -> super::bulk::Statement {
        sql::query(sql)
            .bind(self.account)
            .bind(self.from_ms)
            .bind(self.to_ms)
            .bind(self.minutes)
            .bind(self.from_ms - FARTHEST_MS)
            .bind(self.to_ms + FARTHEST_MS)
    }
}

impl Listener {
    /// What was heard in a period. `now` (Unix ms) and `minutes` ahead of UTC say which day it is, and when plays were that
    /// do not say by whose clock.
    pub async fn insights(&self, period: Period, now: i64, minutes: i64) -> Result<Insights, CatalogError> {
        let mut conn = self.stale().acquire().await?;
        let stretch = Stretch::of(self.account.as_str(), &period, minutes);
        let mut all = Insights::empty(period);
        let today = (now + minutes * 60_000).div_euclid(DAY_MS);
        by_hour(&mut conn, stretch, &mut all).await?;
        let days = self.days_heard(&mut conn, minutes, &all).await?;
        let mut runs = Runs::default();
        days.iter().for_each(|day| runs.add(*day));
        (all.first_day, all.streak) = (days.first().copied(), runs.until(today));
        all.longest_streak = runs.longest.map_or(0, |(_, days)| days);
        if all.days.is_empty() {
            return Ok(all);
        }
        lists(&mut conn, stretch, &mut all).await?;
        if period.span != Span::All {
            discoveries(&mut conn, stretch, &mut all).await?;
        }
        all.moods = scores::moods(&mut conn, stretch, period.span == Span::Day).await?;
        Ok(all)
    }
}

impl Listener {
    /// Every day on which something was heard. Finding them reads the whole history, so they are kept until somebody writes
    /// to the catalog: whoever pages through time waits once.
    async fn days_heard(
        &self,
        conn: &mut sql::Connection,
        minutes: i64,
        all: &Insights,
    ) -> Result<Arc<[i64]>, CatalogError> {
        if all.period.span == Span::All {
            return Ok(all.days.iter().map(|(day, _)| *day).collect());
        }
        let (stamp, key) = (self.catalog.stamp(), (self.account.clone(), minutes));
        if let Some(known) = self.catalog.heard_days.get(stamp, &key) {
            return Ok(known);
        }
        let days: Arc<[i64]> = days(conn, self.account.as_str(), minutes).await?.into();
        self.catalog.heard_days.put(stamp, key, Arc::clone(&days));
        Ok(days)
    }
}

/// Reads the period and the one before it as sums by hour, and makes of them everything that is about time.
async fn by_hour(
    conn: &mut sql::Connection,
    stretch: Stretch<'_>,
    all: &mut Insights,
) -> Result<(), CatalogError> {
    const SQL: &str = concat!(
        "SELECT ",
        local!("$4"),
        " / 3600000 AS hour, CAST(SUM(p.heard_ms) AS BIGINT) FROM plays p WHERE ",
        in_period!(),
        " GROUP BY 1 ORDER BY 1"
    );
    let before = all.period.step(-1);
    let both = Stretch { from_ms: before.from.min(all.period.from) * DAY_MS, ..stretch };
    let mut rows = both.ask(SQL).fetch(&mut *conn);
    let mut here = Runs::default();
    while let Some(row) = rows.try_next().await? {
        let mut c = Cells::of(&row);
        let (hour, ms): (i64, u64) = (c.get()?, c.number()?.unwrap_or(0));
        let (day, hour) = (hour.div_euclid(24), usize::try_from(hour.rem_euclid(24)).unwrap_or(0));
        if !all.period.has(day) {
            all.before_ms += ms;
            continue;
        }
        here.add(day);
        all.heard_ms += ms;
        if let Some(sum) = all.week.get_mut(weekday(day)).and_then(|hours| hours.get_mut(hour)) {
            *sum += ms;
        }
        match all.days.last_mut() {
            Some((last, sum)) if *last == day => *sum += ms,
            _ => all.days.push((day, ms)),
        }
    }
    all.streak_here = here.longest;
    Ok(())
}

/// Every day on which an account ever heard something, in order.
async fn days(conn: &mut sql::Connection, account: &str, minutes: i64) -> Result<Vec<i64>, CatalogError> {
    const SQL: &str = concat!(
        "SELECT DISTINCT ",
        local!("$2"),
        " / 86400000 FROM plays p WHERE p.account_id = $1 ORDER BY 1"
    );
    Ok(sql::query_scalar(SQL).bind(account).bind(minutes).fetch_all(conn).await?)
}

/// Days in a row, counted as days come by.
#[derive(Debug, Default)]
struct Runs {
    /// The first day of the last run, and how many it has.
    last: Option<(i64, u64)>,
    longest: Option<(i64, u64)>,
}

impl Runs {
    /// Days come in order; the same one may come again.
    fn add(&mut self, day: i64) {
        let run = match self.last {
            Some((first, days)) if day < first + days.cast_signed() => (first, days),
            Some((first, days)) if day == first + days.cast_signed() => (first, days + 1),
            _ => (day, 1),
        };
        self.last = Some(run);
        if self.longest.is_none_or(|(_, days)| run.1 > days) {
            self.longest = Some(run);
        }
    }

    /// Those until today, or until yesterday where today is still silent.
    fn until(&self, today: i64) -> u64 {
        let last =
            self.last.filter(|(first, days)| (today - 1..=today).contains(&(first + days.cast_signed() - 1)));
        last.map_or(0, |(_, days)| days)
    }
}

/// Sums of what was heard, and what most: one statement, so that the plays are read once.
async fn lists(
    conn: &mut sql::Connection,
    stretch: Stretch<'_>,
    all: &mut Insights,
) -> Result<(), CatalogError> {
    const SQL: &str = concat!(
        "WITH heard AS (SELECT p.track_id AS track_id, COUNT(*) AS n, SUM(p.heard_ms) AS ms FROM plays p WHERE ",
        in_period!(),
        " GROUP BY p.track_id), \
         named AS (SELECT h.track_id, h.n, h.ms, t.title, t.artist, t.album, t.album_artist, \
         COALESCE(t.album_id, t.album) AS album_key, COALESCE(a.name, t.artist) AS who FROM heard h \
         JOIN tracks t ON t.id = h.track_id \
         LEFT JOIN track_artists a ON a.track_id = t.id AND a.role = 'artist' AND a.position = 0), \
         tagged AS (SELECT g.genre, h.n, h.ms FROM heard h JOIN track_genres g ON g.track_id = h.track_id) \
         SELECT 'sums' AS what, '' AS name, '' AS whose, CAST(COALESCE(SUM(n), 0) AS BIGINT) AS n, \
         CAST(COALESCE(SUM(ms), 0) AS BIGINT) AS ms, COUNT(*) AS tracks, COUNT(DISTINCT who) AS artists, \
         COUNT(DISTINCT CASE WHEN album <> '' THEN album_key END) AS albums FROM named \
         UNION ALL SELECT 'genres', '', '', COUNT(DISTINCT genre), 0, 0, 0, 0 FROM tagged \
         UNION ALL SELECT * FROM (SELECT 'artist', who, '', CAST(SUM(n) AS BIGINT), CAST(SUM(ms) AS BIGINT), 0, 0, 0 \
         FROM named GROUP BY who ORDER BY 5 DESC, 2 LIMIT $7) x \
         UNION ALL SELECT * FROM (SELECT 'album', MAX(album), MAX(album_artist), CAST(SUM(n) AS BIGINT), \
         CAST(SUM(ms) AS BIGINT), 0, 0, 0 FROM named WHERE album <> '' GROUP BY album_key ORDER BY 5 DESC, 2 LIMIT $7) x \
         UNION ALL SELECT * FROM (SELECT 'genre', genre, '', CAST(SUM(n) AS BIGINT), CAST(SUM(ms) AS BIGINT), 0, 0, 0 \
         FROM tagged GROUP BY genre ORDER BY 5 DESC, 2 LIMIT $7) x \
         UNION ALL SELECT * FROM (SELECT 'track', title, artist, CAST(n AS BIGINT), CAST(ms AS BIGINT), 0, 0, 0 \
         FROM named ORDER BY 4 DESC, 5 DESC, 2 LIMIT $7) x"
    );
    let rows = stretch.ask(SQL).bind(TOP).fetch_all(&mut *conn).await?;
    for row in &rows {
        let mut c = Cells::of(row);
        let what: &str = c.get()?;
        let top = Top {
            name: c.get()?,
            by: c.get()?,
            plays: c.number()?.unwrap_or(0),
            heard_ms: c.number()?.unwrap_or(0),
        };
        match what {
            "artist" => all.top_artists.push(top),
            "album" => all.top_albums.push(top),
            "genre" => all.top_genres.push(top),
            "track" => all.top_tracks.push(top),
            "genres" => all.genres = top.plays,
            _ => {
                (all.plays, all.heard_ms) = (top.plays, top.heard_ms);
                all.tracks = c.number()?.unwrap_or(0);
                all.artists = c.number()?.unwrap_or(0);
                all.albums = c.number()?.unwrap_or(0);
            }
        }
    }
    // The parts of a union keep no order.
    for list in [&mut all.top_artists, &mut all.top_albums, &mut all.top_genres] {
        list.sort_by(|a, b| b.heard_ms.cmp(&a.heard_ms).then_with(|| a.name.cmp(&b.name)));
    }
    let order = |top: &Top| (std::cmp::Reverse((top.plays, top.heard_ms)), top.name.clone());
    all.top_tracks.sort_by_cached_key(order);
    Ok(())
}

/// Artists whose first play of all lies in the period.
async fn discoveries(
    conn: &mut sql::Connection,
    stretch: Stretch<'_>,
    all: &mut Insights,
) -> Result<(), CatalogError> {
    const SQL: &str = concat!(
        "WITH first AS (SELECT track_id, MIN(started_at) AS at FROM plays WHERE account_id = $1 GROUP BY track_id), \
         known AS (SELECT COALESCE(a.name, t.artist) AS who, MIN(",
        local!("$4"),
        ") AS at FROM first f JOIN plays p ON p.account_id = $1 AND p.track_id = f.track_id AND p.started_at = f.at \
         JOIN tracks t ON t.id = f.track_id \
         LEFT JOIN track_artists a ON a.track_id = t.id AND a.role = 'artist' AND a.position = 0 GROUP BY 1), \
         fresh AS (SELECT who FROM known WHERE at >= $2 AND at < $3 AND who <> ''), \
         heard AS (SELECT p.track_id AS track_id, COUNT(*) AS n, SUM(p.heard_ms) AS ms FROM plays p WHERE ",
        in_period!(),
        " GROUP BY p.track_id) \
         SELECT f.who, '', CAST(SUM(h.n) AS BIGINT), CAST(SUM(h.ms) AS BIGINT), \
         (SELECT COUNT(*) FROM fresh) FROM heard h JOIN tracks t ON t.id = h.track_id \
         LEFT JOIN track_artists a ON a.track_id = t.id AND a.role = 'artist' AND a.position = 0 \
         JOIN fresh f ON f.who = COALESCE(a.name, t.artist) GROUP BY f.who ORDER BY 4 DESC, 1 LIMIT $7"
    );
    let rows = stretch.ask(SQL).bind(TOP).fetch_all(&mut *conn).await?;
    for row in &rows {
        let mut c = Cells::of(row);
        all.discoveries.push(Top {
            name: c.get()?,
            by: c.get()?,
            plays: c.number()?.unwrap_or(0),
            heard_ms: c.number()?.unwrap_or(0),
        });
        all.discovered = c.number()?.unwrap_or(0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(days: &[i64]) -> Runs {
        let mut runs = Runs::default();
        for day in days {
            runs.add(*day);
        }
        runs
    }

    #[test]
    fn days_in_a_row() {
        assert_eq!((runs(&[]).until(10), runs(&[]).longest), (0, None));
        assert_eq!((runs(&[10, 10]).until(10), runs(&[10, 10]).longest), (1, Some((10, 1))));
        let some = runs(&[1, 2, 2, 3, 4, 8, 9, 9]);
        assert_eq!((some.until(10), some.longest), (2, Some((1, 4))));
        assert_eq!(runs(&[1, 2, 3, 8]).until(10), 0);
        assert_eq!(runs(&[-2, -1, 0, 1]).longest, Some((-2, 4)));
    }

    #[test]
    fn parts_of_a_mood_weigh_as_long_as_they_were_heard() {
        let part = |heard_ms, energy| MoodPart { heard_ms, energy, ..MoodPart::default() };
        let all = MoodPart::together(7, &[part(1000, 0.2), part(3000, 0.6)]);
        assert!(
            all.is_some_and(|all| all.at == 7 && all.heard_ms == 4000 && (all.energy - 0.5).abs() < 1e-9)
        );
        assert_eq!(MoodPart::together(7, &[part(0, 0.2)]), None);
    }
}
