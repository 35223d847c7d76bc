//! `segue ctl status --format`: a line of the listener's own for a status bar.

use super::protocol::Snapshot;
use crate::music::{clock, printable};

/// The words that may stand in braces, with what they mean; the help of the option and `docs/control.md` list them.
pub(in crate::cli) const FIELDS: &[(&str, &str)] = &[
    ("title", "title of the track"),
    ("artist", "its artists"),
    ("album", "its album"),
    ("position", "how far it is, as 1:23"),
    ("duration", "how long it is"),
    ("left", "how much is left"),
    ("percent", "how far it is, 0–100"),
    ("state", "playing, paused, buffering or stopped"),
    ("icon", "a sign for it"),
    ("volume", "0–100"),
    ("loved", "a heart if it is"),
    ("next", "title of what comes next"),
    ("format", "codec, kHz and bits"),
    ("source", "cached, streaming or offline"),
];

/// `template` with the words in braces replaced; `{{` is a brace. With nothing loaded the line is empty, so that a bar
/// shows nothing.
pub(super) fn line(template: &str, status: &Snapshot) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
        } else if brace == "{"
            && let Some(end) = rest.find('}')
        {
            out.push_str(&field(&rest[..end], status)?);
            rest = &rest[end + 1..];
        } else {
            return Err(format!("a brace in “{template}” has no partner; write two for one"));
        }
    }
    out.push_str(rest);
    Ok(if status.track.is_some() { out } else { String::new() })
}

fn field(name: &str, status: &Snapshot) -> Result<String, String> {
    let track = status.track.clone().unwrap_or_default();
    let percent = || (status.position_ms * 100).checked_div(track.duration_ms).unwrap_or(0).min(100);
    Ok(match name {
        "title" => printable(&track.title),
        "artist" => printable(&track.artist),
        "album" => printable(&track.album),
        "position" => clock(status.position_ms),
        "duration" => clock(track.duration_ms),
        "left" => clock(track.duration_ms.saturating_sub(status.position_ms)),
        "percent" => percent().to_string(),
        "state" => status.state.clone(),
        "icon" => match status.state.as_str() {
            "playing" => "▶",
            "paused" => "⏸",
            "buffering" => "…",
            _ => "■",
        }
        .to_owned(),
        "volume" => status.volume.to_string(),
        "loved" => if status.loved { "♥" } else { "" }.to_owned(),
        "next" => status.next.as_ref().map(|next| printable(&next.title)).unwrap_or_default(),
        "format" => status.format.clone(),
        "source" => status.source.clone(),
        _ => {
            let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
            return Err(format!("there is no {{{name}}}; there are {}", known.join(", ")));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::protocol::Row;
    use super::*;

    fn status() -> Snapshot {
        let track = Row {
            title: "Says\u{1b}[31m".into(),
            artist: "Nils".into(),
            duration_ms: 60_000,
            ..Row::default()
        };
        Snapshot { state: "playing".into(), track: Some(track), position_ms: 15_000, ..Snapshot::default() }
    }

    #[test]
    fn words_in_braces_are_replaced_and_made_harmless() {
        let told =
            line("{icon} {artist}: {title} {position}/{duration} {percent}% {{x}}", &status()).unwrap();
        assert!(told.starts_with("▶ Nils: Says"), "{told}");
        assert!(told.ends_with(" 0:15/1:00 25% {x}"), "{told}");
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }

    #[test]
    fn every_listed_field_exists_and_others_are_named() {
        for (name, _) in FIELDS {
            assert!(line(&format!("{{{name}}}"), &status()).is_ok(), "{name}");
        }
        assert!(line("{tempo}", &status()).unwrap_err().contains("{tempo}"));
        assert!(line("{title", &status()).is_err());
        assert!(line("title}", &status()).is_err());
    }

    #[test]
    fn nothing_loaded_is_an_empty_line() {
        assert_eq!(line("{icon} {title}", &Snapshot::default()), Ok(String::new()));
    }
}
