//! Conditions and orders as SQL over tracks `t` with the owner's marks `m`. Every value is bound, never written into the text.
//! There is no EXISTS here: SQLite makes a join of it, and counts rows several times when it skips some.

use serde_json::Value;

use super::rules::{Condition, Field, Relation, Sort, Test};
use crate::catalog::sql::Builder;

/// A day in ms.
const DAY: i64 = 86_400_000;

/// What a field is in SQL.
enum Column {
    Text(&'static str),
    /// A text of which there are several: where they are, as far as the condition on them.
    Texts(&'static str, &'static str),
    Number(&'static str),
    /// Unix ms; NULL for never.
    Time(&'static str),
    /// Something that is so or not.
    Truth(&'static str),
}

const fn column(field: Field) -> Column {
    match field {
        Field::Title => Column::Text("t.title"),
        Field::Album => Column::Text("t.album"),
        Field::AlbumArtist => Column::Text("t.album_artist"),
        Field::FileType => Column::Text("t.suffix"),
        Field::RecordingId => Column::Text("COALESCE(t.musicbrainz_id, '')"),
        Field::Artist => Column::Texts(
            "(SELECT 1 FROM track_artists l WHERE l.track_id = t.id AND l.role = 'artist' AND ",
            "l.name",
        ),
        Field::Genre => {
            Column::Texts("(SELECT 1 FROM track_genres g WHERE g.track_id = t.id AND ", "g.genre")
        }
        Field::Lyrics => Column::Texts("(SELECT 1 FROM lyrics y WHERE y.track_id = t.id AND ", "y.body"),
        Field::Year => Column::Number("COALESCE(t.year, 0)"),
        Field::TrackNumber => Column::Number("COALESCE(t.number, 0)"),
        Field::DiscNumber => Column::Number("COALESCE(t.disc, 0)"),
        Field::Size => Column::Number("t.size"),
        Field::Duration => Column::Number("(t.duration_ms / 1000.0)"),
        Field::BitRate => Column::Number("COALESCE(t.bit_rate, 0)"),
        Field::BitDepth => Column::Number("COALESCE(t.bit_depth, 0)"),
        Field::SampleRate => Column::Number("COALESCE(t.sample_rate, 0)"),
        Field::Channels => Column::Number("COALESCE(t.channels, 0)"),
        Field::PlayCount => Column::Number("COALESCE(m.play_count, 0)"),
        Field::Rating => Column::Number("COALESCE(m.rating, 0)"),
        Field::DateAdded => Column::Time("t.added_at"),
        Field::DateLoved => Column::Time("m.starred_at"),
        Field::LastPlayed => Column::Time("m.played_at"),
        Field::Loved => Column::Truth("(m.starred_at IS NOT NULL)"),
        Field::HasCoverArt => Column::Truth("(t.cover_id IS NOT NULL)"),
        Field::Compilation => {
            Column::Truth("COALESCE((SELECT b.compilation FROM albums b WHERE b.id = t.album_id), FALSE)")
        }
    }
}

/// Writes a condition.
pub(super) fn condition(sql: &mut Builder, of: &Condition, now: i64) {
    let (inside, between, empty) = match of {
        Condition::Test(one) => return test(sql, one, now),
        Condition::All(inside) => (inside, " AND ", "1 = 1"),
        Condition::Any(inside) => (inside, " OR ", "1 = 0"),
    };
    if inside.is_empty() {
        sql.push(empty);
        return;
    }
    sql.push("(");
    for (at, one) in inside.iter().enumerate() {
        if at > 0 {
            sql.push(between);
        }
        condition(sql, one, now);
    }
    sql.push(")");
}

fn test(sql: &mut Builder, of: &Test, now: i64) {
    let not = matches!(of.is, Relation::IsNot | Relation::NotContains | Relation::NotInTheLast);
    if not {
        sql.push("NOT ");
    }
    sql.push("(");
    match column(of.field) {
        Column::Text(column) => text(sql, column, of),
        Column::Texts(before, column) => {
            sql.push(before);
            text(sql, column, of);
            sql.push(" LIMIT 1) IS NOT NULL");
        }
        Column::Number(column) => number(sql, column, of),
        Column::Time(column) => time(sql, column, of, now),
        Column::Truth(column) => {
            sql.push(column);
            sql.push(if truth(&of.value) { " = TRUE" } else { " = FALSE" });
        }
    }
    sql.push(")");
}

/// Without regard to case, as far as SQLite knows letters.
fn text(sql: &mut Builder, column: &'static str, of: &Test) {
    let value = plain(&of.value);
    let pattern = |before: &str, after: &str| {
        let escaped = value.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("{before}{escaped}{after}")
    };
    let pattern = match of.is {
        Relation::Contains | Relation::NotContains => pattern("%", "%"),
        Relation::StartsWith => pattern("", "%"),
        Relation::EndsWith => pattern("%", ""),
        Relation::Gt | Relation::After => {
            sql.push(column).push(" > ").push_bind(value);
            return;
        }
        Relation::Lt | Relation::Before => {
            sql.push(column).push(" < ").push_bind(value);
            return;
        }
        _ => pattern("", ""),
    };
    // LIKE knows no capitals in SQLite, but in PostgreSQL.
    let pattern = pattern.to_ascii_lowercase();
    sql.push("LOWER(").push(column).push(") LIKE ").push_bind(pattern).push(" ESCAPE '\\'");
}

fn number(sql: &mut Builder, column: &'static str, of: &Test) {
    let value = |value: &Value| match value {
        Value::Number(n) => n.as_f64().unwrap_or(0.0),
        Value::Bool(yes) => f64::from(u8::from(*yes)),
        other => plain(other).trim().parse().unwrap_or(0.0),
    };
    if let (Relation::InTheRange, Value::Array(ends)) = (of.is, &of.value) {
        let [low, high] = [0, 1].map(|at| ends.get(at).map_or(0.0, value));
        sql.push(column).push(" BETWEEN ").push_bind(low).push(" AND ").push_bind(high);
        return;
    }
    let sign = match of.is {
        Relation::Gt | Relation::After => " > ",
        Relation::Lt | Relation::Before => " < ",
        _ => " = ",
    };
    sql.push(column).push(sign).push_bind(value(&of.value));
}

fn time(sql: &mut Builder, column: &'static str, of: &Test, now: i64) {
    if matches!(of.is, Relation::InTheLast | Relation::NotInTheLast) {
        let days: f64 = plain(&of.value).trim().parse().unwrap_or(0.0);
        let since = now.saturating_sub((days * DAY as f64) as i64);
        // Of what never happened it cannot be said that it did lately.
        sql.push("COALESCE(").push(column).push(", 0) >= ").push_bind(since);
        return;
    }
    let (first, last) = match &of.value {
        Value::Array(days) => {
            let [first, last] = [0, 1].map(|at| days.get(at).and_then(|day| day_ms(&plain(day))));
            (first, last)
        }
        day => (day_ms(&plain(day)), day_ms(&plain(day))),
    };
    let (Some(first), Some(last)) = (first, last) else {
        sql.push("1 = 0");
        return;
    };
    match of.is {
        Relation::Gt | Relation::After => {
            sql.push(column).push(" >= ").push_bind(first + DAY);
        }
        Relation::Lt | Relation::Before => {
            sql.push(column).push(" < ").push_bind(first);
        }
        _ => {
            sql.push(column).push(" BETWEEN ").push_bind(first).push(" AND ").push_bind(last + DAY - 1);
        }
    }
}

/// The first ms of a day in UTC, as `2024-05-31`.
fn day_ms(day: &str) -> Option<i64> {
    let date: jiff::civil::Date = day.get(..10).unwrap_or(day).parse().ok()?;
    Some(date.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::Number(n) => n.as_f64().is_some_and(|n| n != 0.0),
        other => plain(other).eq_ignore_ascii_case("true"),
    }
}

/// Writes an order that is total.
pub(super) fn order(sql: &mut Builder, keys: &[Sort]) {
    sql.push(" ORDER BY ");
    for Sort { by, descending } in keys {
        let column = match column(*by) {
            Column::Text(column) | Column::Number(column) | Column::Time(column) | Column::Truth(column) => {
                column
            }
            Column::Texts(..) if *by == Field::Artist => "t.artist",
            Column::Texts(..) => continue,
        };
        match column_kind(*by) {
            _ if *by == Field::Title => sql.push("t.title_fold"),
            Kind::Text => sql.push("LOWER(").push(column).push(")"),
            Kind::Other => sql.push(column),
        };
        sql.push(if *descending { " DESC NULLS LAST, " } else { " NULLS FIRST, " });
    }
    sql.push("t.title_fold, t.id");
}

enum Kind {
    Text,
    Other,
}

const fn column_kind(field: Field) -> Kind {
    match column(field) {
        Column::Text(_) | Column::Texts(..) => Kind::Text,
        _ => Kind::Other,
    }
}
