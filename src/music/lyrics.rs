//! The words of a song with their times, and the text formats that they come in: LRC with its offset, several time stamps for
//! one line and stamped words, and plain text. Reading never fails: what is no time stamp is words.

use serde::{Deserialize, Serialize};

/// Longest text that is read, in bytes; what is behind it is left out.
const LONGEST: usize = 1 << 20;
/// Most lines of one text.
const LINES: usize = 10_000;

/// The words of one song in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lyrics {
    /// ISO 639, `und` where nobody said it.
    pub lang: String,
    /// Title that the text itself gives.
    pub title: Option<String>,
    /// Artist that the text itself gives.
    pub artist: Option<String>,
    /// Whether lines have times; then they are in the order of time.
    pub synced: bool,
    /// Lines; empty ones are pauses.
    pub lines: Vec<LyricLine>,
}

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LyricLine {
    /// When it begins, ms from the start of the song.
    pub start_ms: Option<u64>,
    /// The words.
    pub text: String,
    /// Words or syllables with times, in order; empty where only the line has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<LyricWord>,
}

/// One word or syllable of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LyricWord {
    /// When it begins, ms from the start of the song.
    pub start_ms: u64,
    /// When it ends, where that is known.
    pub end_ms: Option<u64>,
    /// First byte of it in the line's text.
    pub from: usize,
    /// The byte after its last one.
    pub to: usize,
}

impl Lyrics {
    /// Reads LRC, or plain text where nothing has a time. `None` when there are no words in it.
    pub fn parse(text: &str, lang: &str) -> Option<Self> {
        let mut cut = text.len().min(LONGEST);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let mut reading = Reading::default();
        let lines = text[..cut].trim_start_matches('\u{feff}').lines();
        // Some programs end lines with a carriage return alone.
        for line in lines.flat_map(|line| line.trim_end_matches('\r').split('\r')).take(LINES) {
            reading.line(line.trim_end());
        }
        reading.end(lang)
    }

    /// Makes lyrics of stamped pieces (`ID3v2` SYLT): ms and text. A line feed begins a line; where there is none, each piece is
    /// a line.
    pub fn from_pieces(pieces: &[(u64, &str)], lang: &str) -> Option<Self> {
        let syllables = pieces.iter().any(|(_, text)| text.contains('\n'));
        let mut lines: Vec<LyricLine> = Vec::new();
        for (at, text) in pieces.iter().take(LINES * 10) {
            let mut parts = text.split('\n');
            let (first, rest) = (parts.next().unwrap_or_default(), parts);
            match lines.last_mut().filter(|_| syllables) {
                Some(line) => push_word(line, *at, first),
                None => lines.push(line_of(*at, first, syllables)),
            }
            lines.extend(rest.map(|part| line_of(*at, part, true)));
        }
        for line in &mut lines {
            finish(line, None);
            line.start_ms = line.words.first().map(|w| w.start_ms).or(line.start_ms);
        }
        lines.retain(|line| !syllables || !line.text.is_empty());
        lines.sort_by_key(|line| line.start_ms);
        let spoken = lines.iter().any(|line| !line.text.is_empty());
        spoken.then(|| Self { lang: language(lang), synced: true, lines, ..Self::default() })
    }

    /// The words alone, line by line.
    pub fn plain(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.text.as_str()).collect();
        lines.join("\n")
    }
}

fn line_of(at: u64, text: &str, word: bool) -> LyricLine {
    let mut line = LyricLine { start_ms: Some(at), ..LyricLine::default() };
    if word {
        push_word(&mut line, at, text);
    } else {
        text.trim().clone_into(&mut line.text);
    }
    line
}

fn push_word(line: &mut LyricLine, at: u64, text: &str) {
    if text.is_empty() {
        return;
    }
    let from = line.text.len();
    line.text.push_str(text);
    line.words.push(LyricWord { start_ms: at, end_ms: None, from, to: line.text.len() });
}

/// Takes blanks off both ends of a line and gives each word its end.
fn finish(line: &mut LyricLine, end: Option<u64>) {
    let trimmed = line.text.trim_end().len();
    line.text.truncate(trimmed);
    let lead = line.text.len() - line.text.trim_start().len();
    line.text.drain(..lead);
    for word in &mut line.words {
        word.from = word.from.saturating_sub(lead);
        word.to = word.to.min(trimmed).saturating_sub(lead);
    }
    line.words.retain(|word| word.from < word.to);
    let starts: Vec<u64> = line.words.iter().skip(1).map(|w| w.start_ms).collect();
    for (at, word) in line.words.iter_mut().enumerate() {
        word.end_ms = starts.get(at).copied().or(end).map(|e| e.max(word.start_ms));
    }
    if let Some(word) = line.words.first()
        && line.words.len() == 1
        && word.end_ms.is_none()
    {
        line.words.clear();
    }
}

/// What is known of a text half-way through it.
#[derive(Default)]
struct Reading {
    stamped: Vec<LyricLine>,
    plain: Vec<String>,
    /// Stamps of the last stamped line, for lines below it that have none.
    offset_ms: i64,
    title: Option<String>,
    artist: Option<String>,
    lang: Option<String>,
}

impl Reading {
    fn line(&mut self, line: &str) {
        let mut rest = line.trim_start();
        let mut stamps = Vec::new();
        while let Some((inside, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            if let Some(at) = stamp(inside) {
                stamps.push(at);
            } else if !stamps.is_empty() || !self.header(inside) {
                break;
            } else if after.trim().is_empty() {
                return;
            }
            rest = after.trim_start();
        }
        if stamps.is_empty() {
            match self.stamped.last().and_then(|l| l.start_ms).filter(|_| !rest.is_empty()) {
                Some(at) if self.stamped.len() < LINES => {
                    self.stamped.push(LyricLine {
                        start_ms: Some(at),
                        text: rest.to_owned(),
                        words: Vec::new(),
                    });
                }
                _ => self.plain.push(rest.to_owned()),
            }
            return;
        }
        let first = stamps.first().copied().unwrap_or(0);
        let sung = words(rest, first);
        for at in stamps {
            if self.stamped.len() >= LINES {
                return;
            }
            let mut line = sung.clone();
            let moved = |ms: u64| (ms + at).saturating_sub(first);
            for word in &mut line.words {
                (word.start_ms, word.end_ms) = (moved(word.start_ms), word.end_ms.map(moved));
            }
            line.start_ms = Some(at);
            self.stamped.push(line);
        }
    }

    /// Takes in `ti:Title` and the like; false for what is no header.
    fn header(&mut self, inside: &str) -> bool {
        let Some((name, value)) = inside.split_once(':') else { return false };
        let value = value.trim();
        let text = Some(value.to_owned()).filter(|v| !v.is_empty());
        match name.trim().to_ascii_lowercase().as_str() {
            "ti" => self.title = text,
            "ar" => self.artist = text,
            "la" | "lang" | "language" => self.lang = text,
            "offset" => self.offset_ms = value.trim_start_matches('+').parse().unwrap_or(0),
            "al" | "au" | "by" | "re" | "tool" | "ve" | "length" | "lr" | "#" | "id" | "key" => {}
            _ => return false,
        }
        true
    }

    fn end(self, lang: &str) -> Option<Lyrics> {
        let mut lines = self.stamped;
        let synced = !lines.is_empty();
        if synced {
            // A positive offset means that the words come sooner.
            let moved = |ms: u64| ms.saturating_add_signed(self.offset_ms.saturating_neg());
            for line in &mut lines {
                line.start_ms = line.start_ms.map(moved);
                for word in &mut line.words {
                    (word.start_ms, word.end_ms) = (moved(word.start_ms), word.end_ms.map(moved));
                }
            }
            lines.sort_by_key(|line| line.start_ms);
        } else {
            lines = self.plain.into_iter().map(|text| LyricLine { text, ..LyricLine::default() }).collect();
            let blank = |line: &LyricLine| line.text.is_empty();
            let from = lines.iter().take_while(|l| blank(l)).count();
            lines.drain(..from);
            let to = lines.len() - lines.iter().rev().take_while(|l| blank(l)).count();
            lines.truncate(to);
        }
        if lines.iter().all(|line| line.text.is_empty()) {
            return None;
        }
        let lang = language(self.lang.as_deref().unwrap_or(lang));
        Some(Lyrics { lang, title: self.title, artist: self.artist, synced, lines })
    }
}

/// A line whose words may have stamps (`<00:12.00>word`).
fn words(text: &str, first: u64) -> LyricLine {
    let mut line = LyricLine::default();
    let mut at = first;
    let mut stamps = 0;
    let mut last = None;
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, tail) = rest.split_at(open);
        let inside = tail[1..].split_once('>').and_then(|(inside, after)| Some((stamp(inside)?, after)));
        if let Some((ms, after)) = inside {
            push_word(&mut line, at, before);
            (at, last, rest) = (ms, Some(ms), after);
            stamps += 1;
        } else {
            push_word(&mut line, at, &rest[..=open]);
            rest = &rest[open + 1..];
        }
    }
    if !rest.is_empty() {
        push_word(&mut line, at, rest);
        last = None;
    }
    if stamps == 0 {
        line.words.clear();
    }
    finish(&mut line, last);
    line
}

/// `mm:ss`, `mm:ss.x` to `mm:ss.xxx` (or `mm:ss:xx`), `hh:mm:ss.xx`; in ms.
fn stamp(text: &str) -> Option<u64> {
    let number = |part: &str| -> Option<u64> {
        (1..=6).contains(&part.len()).then_some(())?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let (clock, fraction) = match text.trim().split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text.trim(), None),
    };
    let parts: Vec<u64> = clock.split(':').map(number).collect::<Option<_>>()?;
    let seconds = match (parts.as_slice(), fraction) {
        ([minutes, seconds], _) => minutes * 60 + seconds,
        ([hours, minutes, seconds], Some(_)) => hours * 3600 + minutes * 60 + seconds,
        ([minutes, seconds, hundredths], None) if *hundredths < 1000 => {
            let digits = clock.rsplit(':').next().map_or(2, str::len);
            let ms = if digits >= 3 { *hundredths } else { hundredths * 10 };
            return Some((minutes * 60 + seconds) * 1000 + ms);
        }
        _ => return None,
    };
    let ms = match fraction {
        None => 0,
        Some(f) => {
            let digits = number(f)?;
            let scale = [100, 10, 1].get(f.len() - 1).copied();
            scale.map_or_else(|| digits / 10_u64.pow(f.len() as u32 - 3), |scale| digits * scale)
        }
    };
    Some(seconds * 1000 + ms)
}

/// A language code as it may stand on the wire.
fn language(lang: &str) -> String {
    let lang = lang.trim().to_ascii_lowercase();
    let good = (2..=12).contains(&lang.len()) && lang.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if good && lang != "xxx" { lang } else { "und".to_owned() }
}

#[cfg(test)]
#[path = "lyrics_tests.rs"]
mod tests;
