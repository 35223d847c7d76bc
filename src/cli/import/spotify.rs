//! Spotify's account data (`StreamingHistory_music_0.json`) and extended streaming history (`Streaming_History_Audio_…json`,
//! `endsong_….json`). What is left out follows what `ListenBrainz` leaves out.

use serde_json::Value;

use super::{Listen, Row};

/// Less than this, and left by the listener, is no listening, ms.
const SHORT_MS: u64 = 30_000;

/// Whether a file of the export has history of music in it.
pub(super) fn is_history(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let json = std::path::Path::new(&file).extension().is_some_and(|end| end == "json");
    let other = ["video", "podcast", "audiobook"].iter().any(|word| file.contains(word));
    let history = file.starts_with("streaming_history_audio")
        || file.starts_with("streaminghistory")
        || file.starts_with("endsong");
    json && history && !other
}

/// The rows of one file.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, String> {
    let all: Vec<Value> =
        serde_json::from_str(text).map_err(|e| format!("is not the JSON of an export: {e}"))?;
    Ok(all.iter().map(row).collect())
}

fn words<'a>(row: &'a Value, name: &str) -> Option<&'a str> {
    row.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn row(row: &Value) -> Row {
    let extended = row.get("ts").is_some();
    let (title, artist, played, end) = if extended {
        ("master_metadata_track_name", "master_metadata_album_artist_name", "ms_played", "ts")
    } else {
        ("trackName", "artistName", "msPlayed", "endTime")
    };
    if row.get("incognito_mode").and_then(Value::as_bool) == Some(true) {
        return Err("private session");
    }
    let (Some(title), Some(artist)) = (words(row, title), words(row, artist)) else {
        return Err("no song: a podcast, an audiobook or a video");
    };
    let heard_ms = row.get(played).and_then(Value::as_u64).unwrap_or(0);
    let reason = words(row, "reason_end");
    let finished = matches!(reason, Some("trackdone"));
    let skipped = row.get("skipped").and_then(Value::as_bool).unwrap_or(false)
        || matches!(reason, Some("fwdbtn" | "backbtn" | "clickrow" | "playbtn"));
    if heard_ms < SHORT_MS && !(extended && finished) {
        return Err("heard for less than 30 s");
    }
    let end = words(row, end).and_then(|end| if extended { end.parse().ok() } else { minute(end) });
    let Some(end) = end.map(|end: jiff::Timestamp| end.as_millisecond()) else {
        return Err("no time that can be read");
    };
    Ok(Listen {
        artist: artist.to_owned(),
        title: title.to_owned(),
        at: end - i64::try_from(heard_ms).unwrap_or(0),
        heard_ms: Some(heard_ms),
        skipped,
        chosen: matches!(words(row, "reason_start"), Some("clickrow" | "playbtn")),
        ..Listen::default()
    })
}

/// `2020-04-11 00:27`, UTC.
fn minute(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim().replacen(' ', "T", 1);
    format!("{text}:00Z").parse().ok()
}
