//! Text as the whole house writes and compares it.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Milliseconds as a listener reads them: `0:07`, `3:41`, `1:02:03`.
pub fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Milliseconds in words for a sum: `48 min`, `3 h 12 min`, `45 s`.
pub fn long_duration(ms: u64) -> String {
    if ms < 60_000 {
        return format!("{} s", ms / 1000);
    }
    let minutes = (ms + 30_000) / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, m) => format!("{m} min"),
        (h, 0) => format!("{h} h"),
        (h, m) => format!("{h} h {m} min"),
    }
}

/// A count with its thousands marked: `1,004,212`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 track`, `1,204 tracks`.
pub fn counted(n: u64, one: &str) -> String {
    format!("{} {one}{}", number(n), if n == 1 { "" } else { "s" })
}

/// The text with everything that could steer a terminal or break a row taken out: control characters, line
/// breaks and explicit direction overrides become nothing or a space.
pub fn printable(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => None,
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect()
}

/// The text as it is compared: compatibility forms unified, lower case, marks dropped, `ß`, `ø`, `æ`, `œ`,
/// `đ`, `ł`, `þ` and dotless `ı` written as listeners type them, runs of anything but letters and digits as one
/// space.
pub fn fold(text: &str) -> String {
    if text.is_ascii() { fold_ascii(text) } else { fold_any(text) }
}

/// The same for most texts, which need no tables: a scan folds ten texts for each track.
fn fold_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for byte in text.bytes().filter(|b| *b != b'\'') {
        if !byte.is_ascii_alphanumeric() {
            gap = !out.is_empty();
            continue;
        }
        if gap {
            out.push(' ');
            gap = false;
        }
        out.push(char::from(byte.to_ascii_lowercase()));
    }
    out
}

fn fold_any(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        if is_combining_mark(c) || matches!(c, '\'' | '’' | 'ʼ' | '\u{200d}' | '\u{200c}') {
            continue;
        }
        if !c.is_alphanumeric() {
            gap = !out.is_empty();
            continue;
        }
        if gap {
            out.push(' ');
            gap = false;
        }
        match c {
            'ß' => out.push_str("ss"),
            'ø' => out.push('o'),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'đ' | 'ð' => out.push('d'),
            'ł' => out.push('l'),
            'þ' => out.push_str("th"),
            'ı' => out.push('i'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks() {
        assert_eq!(clock(7_900), "0:07");
        assert_eq!(clock(221_000), "3:41");
        assert_eq!(clock(3_723_000), "1:02:03");
        assert_eq!(long_duration(45_000), "45 s");
        assert_eq!(long_duration(60_000), "1 min");
        assert_eq!(long_duration(11_520_000), "3 h 12 min");
    }

    #[test]
    fn folded_as_typed() {
        assert_eq!(fold("Björk"), "bjork");
        assert_eq!(fold("Sigur Rós — Ágætis byrjun"), "sigur ros agaetis byrjun");
        assert_eq!(fold("STRAßE"), "strasse");
        assert_eq!(fold("ＦＵＬＬ"), "full");
        assert_eq!(fold("Don't"), "dont");
        assert_eq!(fold("  AC/DC "), "ac dc");
    }

    proptest::proptest! {
        #[test]
        fn ascii_is_folded_as_everything_is(text in "[\\x00-\\x7f]{0,40}") {
            proptest::prop_assert_eq!(fold_ascii(&text), fold_any(&text));
        }
    }

    #[test]
    fn control_characters_never_reach_a_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202e}d"), "a[31mb cd");
    }
}
