//! Text in cells: how wide it is, how it is cut, how it is made harmless.
//!
//! Everything that comes from tags or from a server passes `clean` before it is measured, so that what is
//! measured is what the terminal draws. Widths are counted in cells, cuts fall between grapheme clusters.

use std::borrow::Cow;

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation;

use crate::music;
pub(crate) use crate::music::{counted as count, number};

/// Cells that the text takes.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(cells).sum() }
}

/// Cells of one cluster, counted as the buffer counts them.
fn cells(cluster: &str) -> usize {
    usize::from(cluster.cell_width())
}

/// Text from outside as every terminal draws it alike: no control characters, and pictographs reduced to
/// the one character on whose width terminals agree (joined families, skin tones and variation selectors are
/// drawn one, two or eight cells wide, depending on whom you ask).
pub(crate) fn clean(text: &str) -> String {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return text.to_owned();
    }
    let printable = music::printable(text);
    let mut out = String::with_capacity(printable.len());
    for cluster in printable.graphemes(true) {
        match cluster.chars().next() {
            Some(first) if is_pictograph(first) && !is_regional(first) => out.push(first),
            Some(_) if cells(cluster) == 0 => {}
            _ => out.push_str(cluster),
        }
    }
    out
}

fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

fn is_regional(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Names of keys without arrows and other signs.
pub(crate) fn ascii_keys(keys: &str) -> String {
    [("←", "Left"), ("→", "Right"), ("↑", "Up"), ("↓", "Down"), ("…", ".."), ("–", "-")]
        .iter()
        .fold(keys.to_owned(), |keys, (from, to)| keys.replace(from, to))
}

/// Quotation marks and dashes of our own sentences without signs beyond ASCII.
pub(crate) fn ascii_signs(words: &str) -> String {
    [("“", "\""), ("”", "\""), ("–", "-"), ("—", "-"), ("…", "..")]
        .iter()
        .fold(words.to_owned(), |words, (from, to)| words.replace(from, to))
}

/// The text in at most `max` cells; where something had to go, `ellipsis` stands for it.
pub(crate) fn fit<'a>(text: &'a str, max: usize, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    let mark = width(ellipsis);
    if max <= mark {
        return Cow::Owned(ellipsis.chars().take(max).collect());
    }
    let (mut used, mut end) = (0, 0);
    for (at, cluster) in text.grapheme_indices(true) {
        let w = cells(cluster);
        if used + w > max - mark {
            break;
        }
        used += w;
        end = at + cluster.len();
    }
    Cow::Owned(format!("{}{ellipsis}", text[..end].trim_end()))
}

/// The last cells of the text: what an input shows when it is longer than its field.
pub(crate) fn tail(text: &str, max: usize) -> &str {
    let (mut used, mut start) = (0, text.len());
    for (at, cluster) in text.grapheme_indices(true).rev() {
        used += cells(cluster);
        if used > max {
            break;
        }
        start = at;
    }
    &text[start..]
}

/// So many cells of a text that goes by: `offset` cells of it have gone, and after its end it comes again.
pub(crate) fn passing(text: &str, offset: usize, max: usize) -> String {
    /// Between the end and the beginning.
    const GAP: &str = "   ";
    let round = width(text) + GAP.len();
    let (mut gone, mut used) = (0, 0);
    let skip = offset % round.max(1);
    let mut out = String::new();
    for cluster in text.graphemes(true).chain(GAP.graphemes(true)).chain(text.graphemes(true)) {
        let w = cells(cluster);
        if gone < skip {
            gone += w;
            // A wide character that is half gone leaves a blank.
            let half = gone.saturating_sub(skip);
            out.push_str(&" ".repeat(half));
            used += half;
            continue;
        }
        if used + w > max {
            break;
        }
        out.push_str(cluster);
        used += w;
    }
    out
}

/// Parts of the text that take at most `max` cells each, in bytes: cut at blanks, or between characters where a word is
/// longer than a row. An empty text has one part.
pub(crate) fn wrap(text: &str, max: usize) -> Vec<std::ops::Range<usize>> {
    let max = max.max(2);
    let mut rows = Vec::new();
    let (mut start, mut used) = (0, 0);
    // Where the row may end, and where the next one then begins.
    let mut blank: Option<(usize, usize)> = None;
    for (at, cluster) in text.grapheme_indices(true) {
        let w = cells(cluster);
        if w == 2 && at > start {
            // Before a wide character a row may end anywhere.
            blank = Some((at, at));
        }
        while used + w > max && at > start {
            let (end, next) = blank.take().unwrap_or((at, at));
            rows.push(start..end);
            start = next;
            used = width(&text[start..at]);
        }
        if cluster == " " {
            if at == start && !rows.is_empty() {
                start = at + 1;
                continue;
            }
            blank = Some((at, at + 1));
        }
        used += w;
    }
    rows.push(start..text.len());
    rows
}

/// Bytes as a listener reads them, in powers of ten: `9.1 GB`, `412 MB`.
pub(crate) fn bytes(n: u64) -> String {
    match n {
        0..1_000_000 => format!("{} kB", n.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{} MB", n / 1_000_000),
        _ => format!("{:.1} GB", n as f64 / 1e9),
    }
}

/// The lines of [`wrap`] as texts, without blanks around them.
pub(crate) fn lines(words: &str, max: usize) -> Vec<String> {
    let line = |at: std::ops::Range<usize>| words.get(at).unwrap_or_default().trim().to_owned();
    wrap(words, max).into_iter().map(line).collect()
}

/// Two letters for a cover that is not there: the first of the first two words, or of the only one.
pub(crate) fn initials(title: &str) -> String {
    let title = clean(title);
    let mut words = title
        .unicode_words()
        .filter(|w| !matches!(w.to_lowercase().as_str(), "the" | "a" | "an" | "of" | "and" | "in"))
        .filter_map(|w| w.graphemes(true).next());
    let first = words.next().or_else(|| title.unicode_words().next().and_then(|w| w.graphemes(true).next()));
    let letters: String = first.into_iter().chain(words.next()).collect();
    if letters.is_empty() { "?".to_owned() } else { letters.to_uppercase() }
}

/// Cells for columns that want `wants` cells each, out of `total`: what is wanted where there is room, else
/// the wider ones give way first, down to an equal share.
pub(crate) fn share(total: usize, wants: &[usize]) -> Vec<usize> {
    let mut given = vec![0; wants.len()];
    let mut open: Vec<usize> = (0..wants.len()).collect();
    let mut left = total;
    while !open.is_empty() {
        let fair = left / open.len();
        let (content, hungry): (Vec<usize>, Vec<usize>) =
            open.iter().partition(|&&i| wants.get(i).is_some_and(|w| *w <= fair));
        if content.is_empty() {
            let mut spare = left - fair * hungry.len();
            for i in hungry {
                given[i] = fair + usize::from(spare > 0);
                spare = spare.saturating_sub(1);
            }
            break;
        }
        for i in content {
            given[i] = wants[i];
            left -= wants[i];
        }
        open = hungry;
    }
    given
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_fall_between_clusters_and_say_so() {
        assert_eq!(fit("Hunter", 6, "…"), "Hunter");
        assert_eq!(fit("Hyperballad", 6, "…"), "Hyper…");
        assert_eq!(fit("坂本龍一", 5, "…"), "坂本…");
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2, "…"), "e\u{301}…");
        assert_eq!(fit("Hunter", 0, "…"), "");
        assert_eq!(tail("Hunter", 3), "ter");
    }

    #[test]
    fn long_texts_go_by_and_come_again() {
        assert_eq!(passing("Hyperballad", 0, 6), "Hyperb");
        assert_eq!(passing("Hyperballad", 5, 6), "ballad");
        assert_eq!(passing("Hyperballad", 8, 6), "lad   ");
        assert_eq!(passing("Hyperballad", 14, 6), "Hyperb");
        assert_eq!(passing("坂本龍一", 1, 4), " 本");
        assert_eq!(passing("", 3, 4), "   ");
    }

    #[test]
    fn pictographs_keep_one_width() {
        assert_eq!(clean("👨‍👩‍👧 ok"), "👨 ok");
        assert_eq!(clean("❤\u{fe0f}"), "❤");
        assert_eq!(clean("👍🏽"), "👍");
        assert_eq!(clean("\u{301}a\u{1b}[2J"), "a[2J");
        assert_eq!(clean("שלום"), "שלום");
    }

    #[test]
    fn shares() {
        assert_eq!(share(30, &[10, 10]), [10, 10]);
        assert_eq!(share(30, &[40, 10]), [20, 10]);
        assert_eq!(share(31, &[40, 40]), [16, 15]);
        assert_eq!(share(0, &[4]), [0]);
    }

    #[test]
    fn letters_for_a_missing_cover() {
        assert_eq!(initials("The Dark Side of the Moon"), "DS");
        assert_eq!(initials("Spaces"), "S");
        assert_eq!(initials("…"), "?");
    }

    proptest! {
        #[test]
        fn never_wider_than_asked(text in "\\PC{0,40}", max in 0usize..30) {
            let text = clean(&text);
            prop_assert!(width(&fit(&text, max, "…")) <= max);
            prop_assert!(width(tail(&text, max)) <= max);
            prop_assert!(width(&passing(&text, max * 3, max)) <= max + 1);
        }

        #[test]
        fn rows_are_the_whole_text_and_fit(text in "[ a-zö青歌e\u{301}-]{0,60}", max in 2usize..20) {
            let rows = wrap(&text, max);
            let mut last = 0;
            for row in &rows {
                prop_assert!(width(&text[row.clone()]) <= max, "{rows:?} of {text:?}");
                prop_assert!(text[last..row.start].chars().all(|c| c == ' '));
                last = row.end;
            }
            prop_assert_eq!(last, text.len());
        }

        #[test]
        fn shares_never_exceed_the_whole(total in 0usize..200, wants in proptest::collection::vec(0usize..90, 0..6)) {
            let given = share(total, &wants);
            prop_assert!(given.iter().sum::<usize>() <= total);
            prop_assert!(given.iter().zip(&wants).all(|(g, w)| g <= w));
        }
    }
}
