//! Last.fm: JSON of `user.getRecentTracks`, one page or a list of pages or of tracks, and the CSV of exporters: artist, album,
//! track and date in this order, or in that of a line with their names.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Listen, Row};

/// The rows of a file.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, String> {
    if text.trim_start().starts_with(['{', '[']) {
        let value = serde_json::from_str(text).map_err(|e| format!("is not the JSON of an export: {e}"))?;
        let mut rows = Vec::new();
        json(&value, &mut rows);
        return Ok(rows);
    }
    csv(text)
}

fn json(value: &Value, rows: &mut Vec<Row>) {
    let track = value.pointer("/recenttracks/track").or_else(|| value.get("track"));
    match (value, track) {
        (_, Some(Value::Array(tracks))) => rows.extend(tracks.iter().map(row)),
        (_, Some(one @ Value::Object(_))) => rows.push(row(one)),
        (Value::Array(all), _) => all.iter().for_each(|one| json(one, rows)),
        (Value::Object(one), _) if one.contains_key("name") => rows.push(row(value)),
        _ => {}
    }
}

fn row(row: &Value) -> Row {
    let words = |path: &str| row.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty());
    if words("/@attr/nowplaying") == Some("true") {
        return Err("was playing when the export was made");
    }
    let artist = words("/artist/#text").or(words("/artist/name")).or(words("/artist"));
    let (Some(artist), Some(title)) = (artist, words("/name")) else { return Err("no artist or no title") };
    let uts = row.pointer("/date/uts").or_else(|| row.get("date"));
    let seconds = uts.and_then(|uts| uts.as_i64().or_else(|| uts.as_str()?.parse().ok()));
    let Some(seconds) = seconds else { return Err("no time that can be read") };
    Ok(Listen {
        artist: artist.to_owned(),
        title: title.to_owned(),
        recording: words("/mbid").map(str::to_owned),
        at: in_ms(seconds),
        ..Listen::default()
    })
}

/// Exporters write seconds or milliseconds.
fn in_ms(time: i64) -> i64 {
    if time > 100_000_000_000 { time } else { time.saturating_mul(1000) }
}

fn csv(text: &str) -> Result<Vec<Row>, String> {
    let mut reader =
        ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut places = [0, 2, 3];
    let mut rows = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|e| format!("is no CSV: {e}"))?;
        let names: Vec<String> = record.iter().map(str::to_lowercase).collect();
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.trim()));
        let head = [
            place(&["artist", "artist name"]),
            place(&["track", "title", "name", "track name"]),
            place(&["uts", "timestamp", "date", "utc_time", "time"]),
        ];
        if let (0, [Some(artist), Some(title), Some(time)]) = (at, head) {
            places = [artist, title, time];
            continue;
        }
        let cell = |place: usize| record.get(place).map(str::trim).filter(|text| !text.is_empty());
        rows.push(match (cell(places[0]), cell(places[1]), cell(places[2]).map(time)) {
            (Some(artist), Some(title), Some(Some(at))) => {
                Ok(Listen { artist: artist.to_owned(), title: title.to_owned(), at, ..Listen::default() })
            }
            (Some(_), Some(_), _) => Err("no time that can be read"),
            _ => Err("no artist or no title"),
        });
    }
    Ok(rows)
}

/// Seconds, milliseconds, ISO 8601, or `11 Apr 2020 00:27` in UTC.
fn time(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(in_ms(number));
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let plain = text.replace(',', "");
    let read = |form| DateTime::strptime(form, &plain).ok();
    let civil =
        read("%d %b %Y %H:%M").or_else(|| read("%Y-%m-%d %H:%M:%S")).or_else(|| read("%Y-%m-%d %H:%M"))?;
    Some(civil.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}
