//! Tables of what is listened to.

use super::{Kind, Scope, Table, Value, people, percent};
use crate::catalog::CatalogError;
use crate::catalog::rows::Cells;
use crate::catalog::sql;
use crate::music::calendar::{DAY_MS, date, day_of, iso_date};

/// Rows of a list.
const ROWS: i64 = 50;
/// Weeks after the first that retention follows.
const WEEKS: usize = 8;

const LISTENERS: (&str, &str, Kind) = ("listeners", "Listeners", Kind::Whole);
const PLAYS: (&str, &str, Kind) = ("plays", "Plays", Kind::Whole);
const COMPLETED: (&str, &str, Kind) = ("completed_percent", "Completed %", Kind::Whole);
const SKIPPED: (&str, &str, Kind) = ("skipped_percent", "Skipped %", Kind::Whole);

/// How many agreed to be counted.
pub(super) async fn people(conn: &mut sql::Connection, scope: Scope) -> Result<u64, CatalogError> {
    let sql = concat!("WITH ", people!(), " SELECT COUNT(*) FROM people WHERE $3 < $4 AND $5 > 0");
    let row = scope.ask(sql).fetch_one(&mut *conn).await?;
    Ok(Cells::of(&row).number()?.unwrap_or(0))
}

/// All of them.
pub(super) async fn tables(conn: &mut sql::Connection, scope: Scope) -> Result<Vec<Table>, CatalogError> {
    Ok(vec![
        active(conn, scope, Every::Day).await?,
        active(conn, scope, Every::Week).await?,
        active(conn, scope, Every::Month).await?,
        retention(conn, scope).await?,
        top_tracks(conn, scope).await?,
        top_artists(conn, scope).await?,
        trending(conn, scope).await?,
        starts(conn, scope).await?,
        releases(conn, scope).await?,
    ])
}

/// How time is divided.
#[derive(Clone, Copy)]
enum Every {
    Day,
    Week,
    Month,
}

/// Listeners, plays and ms of groups that are large enough.
macro_rules! active {
    ($group:literal, $end:literal) => {
        concat!(
            "WITH ",
            people!(),
            " SELECT ",
            $group,
            ", COUNT(DISTINCT p.account_id), COUNT(*), CAST(COALESCE(SUM(p.heard_ms), 0) AS BIGINT) FROM people a \
             JOIN plays p ON p.account_id = a.id WHERE p.started_at >= $3 AND p.started_at < $4 ",
            $end,
            " HAVING COUNT(DISTINCT p.account_id) >= $5"
        )
    };
}

/// Who listens at all.
async fn active(conn: &mut sql::Connection, scope: Scope, every: Every) -> Result<Table, CatalogError> {
    let (name, title, column, about) = match every {
        Every::Day => ("active_days", "By day", ("day", "Day"), "Different listeners of each day."),
        Every::Week => (
            "active_weeks",
            "By week",
            ("week", "Week from"),
            "Different listeners of each week, which begins on Monday; the first and the last week may be cut by the period.",
        ),
        Every::Month => (
            "active_months",
            "By month",
            ("month", "Month from"),
            "Different listeners of each month; the first and the last month may be cut by the period.",
        ),
    };
    let columns = [(column.0, column.1, Kind::Text), LISTENERS, PLAYS, ("hours", "Hours", Kind::Whole)];
    let mut table = Table::new(name, title, about, &columns);
    let days = active!("p.started_at / 86400000", "GROUP BY 1");
    let weeks = active!("(p.started_at / 86400000 + 3) / 7 * 7 - 3", "GROUP BY 1");
    let mut rows = match every {
        Every::Day => scope.ask(days).fetch_all(&mut *conn).await?,
        Every::Week => scope.ask(weeks).fetch_all(&mut *conn).await?,
        Every::Month => Vec::new(),
    };
    if let Every::Month = every {
        // SQL knows no months that both databases would agree on.
        let (mut year, mut month, _) = date(scope.since);
        while day_of(year, i64::from(month), 1) < scope.until {
            let (begin, end) = (day_of(year, i64::from(month), 1), day_of(year, i64::from(month) + 1, 1));
            let statement = scope.ask_between(
                active!("CAST($6 AS BIGINT)", ""),
                begin.max(scope.since),
                end.min(scope.until),
            );
            rows.extend(statement.bind(begin).fetch_optional(&mut *conn).await?);
            (year, month, _) = date(end);
        }
    }
    for row in &rows {
        let mut c = Cells::of(row);
        let day: i64 = c.get()?;
        let mut number = || -> Result<u64, sql::Error> { Ok(c.number()?.unwrap_or(0)) };
        let (listeners, plays, ms) = (number()?, number()?, number()?);
        table.rows.push(vec![
            Value::Text(iso_date(day)),
            scope.step(listeners),
            scope.step(plays),
            scope.step(ms / 3_600_000),
        ]);
    }
    table.rows.sort_by_key(|row| row.first().map(Value::text));
    Ok(table)
}

/// Who came back, by the week of the first play of all.
async fn retention(conn: &mut sql::Connection, scope: Scope) -> Result<Table, CatalogError> {
    let names: Vec<(String, String)> = (1..=WEEKS).map(|n| (format!("week_{n}"), format!("+{n}"))).collect();
    let mut columns =
        vec![("week", "First heard in week from", Kind::Text), ("listeners", "Listeners", Kind::Whole)];
    columns.extend(names.iter().map(|(name, title)| (name.as_str(), title.as_str(), Kind::Whole)));
    let about =
        "Listeners whose first play fell into a week, and how many of them listened so many weeks later.";
    let mut table = Table::new("retention", "Retention", about, &columns);
    let sql = concat!(
        "WITH ",
        people!(),
        ", weeks AS (SELECT DISTINCT p.account_id AS who, (p.started_at / 86400000 + 3) / 7 AS week FROM people a \
         JOIN plays p ON p.account_id = a.id WHERE p.started_at < $4), \
         began AS (SELECT who, MIN(week) AS week FROM weeks GROUP BY who) \
         SELECT b.week, w.week - b.week, COUNT(*) FROM began b JOIN weeks w ON w.who = b.who \
         WHERE b.week >= ($3 / 86400000 + 3) / 7 AND w.week - b.week <= 8 GROUP BY 1, 2 HAVING COUNT(*) >= $5 ORDER BY 1, 2"
    );
    let rows = scope.ask(sql).fetch_all(&mut *conn).await?;
    for row in &rows {
        let mut c = Cells::of(row);
        let (week, later): (i64, i64) = (c.get()?, c.get()?);
        let count = scope.step(c.number()?.unwrap_or(0));
        let name = iso_date(week * 7 - 3);
        if later == 0 {
            let mut cells = vec![Value::Text(name), count];
            cells.resize(columns.len(), Value::Nothing);
            table.rows.push(cells);
        } else if let Some(cell) =
            table.rows.last_mut().and_then(|row| row.get_mut(usize::try_from(later).unwrap_or(0) + 1))
        {
            *cell = count;
        }
    }
    Ok(table)
}

/// A row of a list: its words, then listeners, plays, completed, skipped.
async fn list(
    conn: &mut sql::Connection,
    scope: Scope,
    sql: &'static str,
    words: usize,
    table: &mut Table,
) -> Result<(), CatalogError> {
    let rows = scope.ask(sql).bind(ROWS).fetch_all(&mut *conn).await?;
    for row in &rows {
        let mut c = Cells::of(row);
        let mut cells = Vec::with_capacity(words + 4);
        for _ in 0..words {
            cells.push(Value::Text(c.get()?));
        }
        let mut number = || -> Result<u64, sql::Error> { Ok(c.number()?.unwrap_or(0)) };
        let (listeners, plays, known, finished, skipped) =
            (number()?, number()?, number()?, number()?, number()?);
        cells.extend([
            scope.step(listeners),
            scope.step(plays),
            percent(finished, known),
            percent(skipped, known),
        ]);
        table.rows.push(cells);
    }
    Ok(())
}

/// Listeners, plays, and how those ended whose end is known.
macro_rules! sums {
    () => {
        "COUNT(DISTINCT p.account_id), COUNT(*), \
         CAST(SUM(CASE WHEN p.end_reason <> 'unknown' THEN 1 ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN p.end_reason = 'finished' THEN 1 ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN p.end_reason = 'skipped' THEN 1 ELSE 0 END) AS BIGINT)"
    };
}

/// Plays of who is counted, in the period.
macro_rules! plays {
    () => {
        " FROM people a JOIN plays p ON p.account_id = a.id AND p.started_at >= $3 AND p.started_at < $4 \
         JOIN tracks t ON t.id = p.track_id "
    };
}

async fn top_tracks(conn: &mut sql::Connection, scope: Scope) -> Result<Table, CatalogError> {
    let about = "Tracks by the number of different listeners, then of plays.";
    let columns = [
        ("track", "Track", Kind::Text),
        ("artist", "Artist", Kind::Text),
        LISTENERS,
        PLAYS,
        COMPLETED,
        SKIPPED,
    ];
    let mut table = Table::new("top_tracks", "Tracks", about, &columns);
    let sql = concat!(
        "WITH ",
        people!(),
        " SELECT t.title, t.artist, ",
        sums!(),
        plays!(),
        "GROUP BY t.id, t.title, t.artist HAVING COUNT(DISTINCT p.account_id) >= $5 ORDER BY 3 DESC, 4 DESC, 1, 2 LIMIT $6"
    );
    list(conn, scope, sql, 2, &mut table).await?;
    Ok(table)
}

async fn top_artists(conn: &mut sql::Connection, scope: Scope) -> Result<Table, CatalogError> {
    let about = "Artists by the number of different listeners, then of plays.";
    let columns = [("artist", "Artist", Kind::Text), LISTENERS, PLAYS, COMPLETED, SKIPPED];
    let mut table = Table::new("top_artists", "Artists", about, &columns);
    let sql = concat!(
        "WITH ",
        people!(),
        " SELECT COALESCE(r.name, t.artist), ",
        sums!(),
        plays!(),
        "LEFT JOIN track_artists r ON r.track_id = t.id AND r.role = 'artist' AND r.position = 0 \
         GROUP BY 1 HAVING COUNT(DISTINCT p.account_id) >= $5 ORDER BY 2 DESC, 3 DESC, 1 LIMIT $6"
    );
    list(conn, scope, sql, 1, &mut table).await?;
    Ok(table)
}

/// What is heard more in the second half of the period than in the first.
async fn trending(conn: &mut sql::Connection, scope: Scope) -> Result<Table, CatalogError> {
    let about = "Tracks that more listeners heard in the second half of the period than in the first. Before is empty where \
                 that was a group too small.";
    let columns = [
        ("track", "Track", Kind::Text),
        ("artist", "Artist", Kind::Text),
        ("listeners_now", "Listeners now", Kind::Whole),
        ("listeners_before", "Before", Kind::Whole),
        ("plays_now", "Plays now", Kind::Whole),
    ];
    let mut table = Table::new("trending", "Trending", about, &columns);
    let sql = concat!(
        "WITH ",
        people!(),
        ", halves AS (SELECT t.id AS id, t.title AS title, t.artist AS artist, \
         COUNT(DISTINCT CASE WHEN p.started_at >= $6 THEN p.account_id END) AS now_n, \
         COUNT(DISTINCT CASE WHEN p.started_at < $6 THEN p.account_id END) AS before_n, \
         CAST(SUM(CASE WHEN p.started_at >= $6 THEN 1 ELSE 0 END) AS BIGINT) AS now_plays",
        plays!(),
        "GROUP BY t.id, t.title, t.artist) \
         SELECT title, artist, now_n, CASE WHEN before_n >= $5 THEN before_n ELSE 0 END, now_plays FROM halves \
         WHERE now_n >= $5 AND now_n > before_n \
         ORDER BY now_n - (CASE WHEN before_n >= $5 THEN before_n ELSE 0 END) DESC, now_plays DESC, title, artist LIMIT $7"
    );
    let middle = i64::midpoint(scope.since * DAY_MS, scope.until * DAY_MS);
    let rows = scope.ask(sql).bind(middle).bind(ROWS).fetch_all(&mut *conn).await?;
    for row in &rows {
        let mut c = Cells::of(row);
        let mut cells = vec![Value::Text(c.get()?), Value::Text(c.get()?)];
        for _ in 0..3 {
            cells.push(scope.step(c.number()?.unwrap_or(0)));
        }
        table.rows.push(cells);
    }
    Ok(table)
}

/// How plays go that began in different ways.
async fn starts(conn: &mut sql::Connection, scope: Scope) -> Result<Table, CatalogError> {
    let about = "How plays end by how they began. Completed is heard to the end, skipped is gone on from; plays of which no \
                 client said how they ended count in neither.";
    let columns = [("began", "Began by", Kind::Text), LISTENERS, PLAYS, COMPLETED, SKIPPED];
    let mut table = Table::new("skips", "Skips", about, &columns);
    let sql = concat!(
        "WITH ",
        people!(),
        " SELECT p.start_reason, ",
        sums!(),
        plays!(),
        "GROUP BY 1 HAVING COUNT(DISTINCT p.account_id) >= $5 ORDER BY 3 DESC, 1 LIMIT $6"
    );
    list(conn, scope, sql, 1, &mut table).await?;
    Ok(table)
}

/// What came into the library in the period.
async fn releases(conn: &mut sql::Connection, scope: Scope) -> Result<Table, CatalogError> {
    let about = "Albums that came into the library in the period, by how many listeners found them.";
    let columns = [
        ("album", "Album", Kind::Text),
        ("artist", "Artist", Kind::Text),
        LISTENERS,
        PLAYS,
        COMPLETED,
        SKIPPED,
    ];
    let mut table = Table::new("new_releases", "New releases", about, &columns);
    let sql = concat!(
        "WITH ",
        people!(),
        " SELECT l.title, l.artist, ",
        sums!(),
        plays!(),
        "JOIN albums l ON l.id = t.album_id AND l.added_at >= $3 AND l.added_at < $4 \
         GROUP BY l.id, l.title, l.artist HAVING COUNT(DISTINCT p.account_id) >= $5 ORDER BY 3 DESC, 4 DESC, 1, 2 LIMIT $6"
    );
    list(conn, scope, sql, 2, &mut table).await?;
    Ok(table)
}
