//! `ListenBrainz`: the export's lines (`listens/2020/4.jsonl`), the JSON of its API, and what `segue account export` writes.

use serde_json::Value;

use super::{Listen, Row};

/// Whether a file of the export has listens in it.
pub(super) fn is_history(name: &str) -> bool {
    if name == "plays.jsonl" {
        return true;
    }
    let path = std::path::Path::new(name);
    let lines = path.extension().is_some_and(|end| end == "jsonl" || end == "json");
    lines && path.components().any(|part| part.as_os_str() == "listens")
}

/// The rows of one file: a list, a `payload`, or one JSON object a line.
#[expect(clippy::unnecessary_wraps, reason = "files of other services may be none of theirs")]
pub(super) fn rows(text: &str) -> Result<Vec<Row>, String> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(all)) => return Ok(all.iter().map(row).collect()),
        Ok(Value::Object(one)) => {
            let list = one.get("payload").and_then(|p| p.get("listens").unwrap_or(p).as_array());
            if let Some(all) = list {
                return Ok(all.iter().map(row).collect());
            }
        }
        _ => {}
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines
        .map(|line| serde_json::from_str(line).map_or(Err("not the JSON of a listen"), |value| row(&value)))
        .collect())
}

fn row(row: &Value) -> Row {
    let words = |path: &str| row.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (Some(artist), Some(title)) =
        (words("/track_metadata/artist_name"), words("/track_metadata/track_name"))
    else {
        return Err("no artist or no title");
    };
    let Some(at) = row.get("listened_at").and_then(Value::as_i64) else {
        return Err("no time that can be read");
    };
    let info = "/track_metadata/additional_info";
    let number = |name: &str| row.pointer(&format!("{info}/{name}")).and_then(Value::as_u64);
    let mapped = words("/track_metadata/mbid_mapping/recording_mbid");
    Ok(Listen {
        artist: artist.to_owned(),
        title: title.to_owned(),
        recording: mapped.or(words(&format!("{info}/recording_mbid"))).map(str::to_owned),
        at: at.saturating_mul(1000),
        heard_ms: number("played_ms").or(number("duration_played").map(|seconds| seconds * 1000)),
        duration_ms: number("duration_ms").or(number("duration").map(|seconds| seconds * 1000)),
        ..Listen::default()
    })
}
