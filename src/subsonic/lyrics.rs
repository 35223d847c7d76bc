//! Lyrics between the wire and the words of `music`.

use super::playing::{Cue, CueLine, Line, StructuredLyrics};
use crate::music::{LyricLine, LyricWord, Lyrics};

/// Lyrics as they stand on the wire; words with times only in an `enhanced` answer.
pub fn to_wire(lyrics: &Lyrics, enhanced: bool) -> StructuredLyrics {
    let cue_line: Vec<CueLine> = lyrics
        .lines
        .iter()
        .zip(0..)
        .filter(|(line, _)| enhanced && lyrics.synced && !line.words.is_empty())
        .map(|(line, index)| cues(line, index))
        .collect();
    StructuredLyrics {
        display_artist: lyrics.artist.clone(),
        display_title: lyrics.title.clone(),
        lang: lyrics.lang.clone(),
        offset: None,
        synced: lyrics.synced,
        line: lyrics
            .lines
            .iter()
            .map(|line| Line { start: line.start_ms.map(|ms| ms as f64), value: line.text.clone() })
            .collect(),
        kind: enhanced.then(|| "main".to_owned()),
        cue_line: (!cue_line.is_empty()).then_some(cue_line),
    }
}

fn cues(line: &LyricLine, index: u64) -> CueLine {
    // The specification wants ends at all words of a line or at none.
    let ends = line.words.iter().all(|word| word.end_ms.is_some());
    let cue = line.words.iter().map(|word| Cue {
        start: word.start_ms,
        end: word.end_ms.filter(|_| ends),
        byte_start: word.from as u64,
        byte_end: (word.to as u64).saturating_sub(1),
        value: line.text.get(word.from..word.to).unwrap_or_default().to_owned(),
    });
    CueLine {
        index,
        start: line.words.first().map(|word| word.start_ms),
        end: line.words.last().and_then(|word| word.end_ms).filter(|_| ends),
        value: line.text.clone(),
        cue: cue.collect(),
    }
}

/// The lyrics behind those of the wire; `None` where there are no words in them. Times come with the offset in them.
pub fn from_wire(wire: &StructuredLyrics) -> Option<Lyrics> {
    let offset = wire.offset.filter(|o| o.is_finite()).map_or(0, |o| o.round() as i64);
    let moved = |ms: u64| ms.saturating_add_signed(offset.saturating_neg());
    let mut lines: Vec<LyricLine> = wire
        .line
        .iter()
        .map(|line| LyricLine {
            start_ms: line
                .start
                .filter(|s| s.is_finite() && wire.synced)
                .map(|s| moved(s.max(0.0).round() as u64)),
            text: line.value.clone(),
            words: Vec::new(),
        })
        .collect();
    let synced = wire.synced && !lines.is_empty() && lines.iter().all(|line| line.start_ms.is_some());
    for cue_line in wire.cue_line.iter().flatten().filter(|_| synced) {
        let line = usize::try_from(cue_line.index).ok().and_then(|at| lines.get_mut(at));
        // Of a line that several voices share, only what is about its own text is of use.
        let Some(line) = line.filter(|line| line.text == cue_line.value && line.words.is_empty()) else {
            continue;
        };
        line.words = cue_line
            .cue
            .iter()
            .filter_map(|cue| {
                let (from, last) =
                    (usize::try_from(cue.byte_start).ok()?, usize::try_from(cue.byte_end).ok()?);
                let to = last.checked_add(1)?;
                line.text.get(from..to).filter(|word| !word.is_empty())?;
                Some(LyricWord { start_ms: moved(cue.start), end_ms: cue.end.map(moved), from, to })
            })
            .collect();
    }
    if !synced {
        for line in &mut lines {
            line.start_ms = None;
        }
    }
    lines.sort_by_key(|line| line.start_ms);
    lines.iter().any(|line| !line.text.is_empty()).then(|| Lyrics {
        lang: if wire.lang.is_empty() || wire.lang == "xxx" { "und".to_owned() } else { wire.lang.clone() },
        title: wire.display_title.clone(),
        artist: wire.display_artist.clone(),
        synced,
        lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lyrics_reach_the_player_as_they_were() {
        let text =
            "[ti:T]\n[ar:A]\n[00:01.00]<00:01.00>Träu<00:02.00>me<00:02.60>\n[00:03.00]Next\n[00:04.00]";
        for sent in [
            Lyrics::parse(text, "deu").unwrap(),
            Lyrics { title: None, ..Lyrics::parse("a\n\nb", "").unwrap() },
        ] {
            let json = serde_json::to_string(&to_wire(&sent, true)).unwrap();
            let wire: StructuredLyrics = serde_json::from_str(&json).unwrap();
            assert_eq!(from_wire(&wire), Some(sent));
        }
        let open_end = Lyrics::parse(&text.replace("<00:02.60>", ""), "").unwrap();
        let wire = to_wire(&open_end, true);
        let line = &wire.cue_line.unwrap()[0];
        assert_eq!((line.cue[0].byte_start, line.cue[0].byte_end, line.cue[1].byte_start), (0, 4, 5));
        assert_eq!(line.cue[0].end, None, "ends stand at all words or at none");
    }

    #[test]
    fn what_other_servers_send_is_made_sense_of() {
        let wire = |json: &str| from_wire(&serde_json::from_str(json).unwrap());
        let odd = r#"{"lang":"xxx","synced":true,"offset":-250,"line":[{"start":"900.4","value":"b"},{"start":0,"value":"a"}],
            "cueLine":[{"index":0,"value":"b","cue":[{"start":1,"byteStart":0,"byteEnd":9,"value":"?"}]},{"index":77,"value":"b"}]}"#;
        let lyrics = wire(odd).unwrap();
        let lines: Vec<_> =
            lyrics.lines.iter().map(|l| (l.start_ms, l.text.as_str(), l.words.len())).collect();
        assert_eq!(lines, [(Some(250), "a", 0), (Some(1150), "b", 0)]);
        assert!(!wire(r#"{"lang":"en","synced":true,"line":[{"value":"no time"}]}"#).unwrap().synced);
        assert_eq!(wire(r#"{"lang":"en","synced":false,"line":[{"value":""}]}"#), None);
    }
}
