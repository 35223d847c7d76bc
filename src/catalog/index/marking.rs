//! Which letters of a text a query matched, for showing them.

use std::ops::Range;

use super::{
    query::{Query, wanted},
    words::{folded, is_single},
};

/// Byte ranges of `text` whose letters answer the words of the query, in order. A word that is only nearly so is
/// matched whole.
pub fn matched(query: &Query, text: &str) -> Vec<Range<usize>> {
    let wanted = wanted(query);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for word in words(text) {
        let typed: String = word.iter().map(|(_, folded)| folded.as_str()).collect();
        let Some((first, last)) = word.first().zip(word.last()).map(|(a, b)| (a.0.start, b.0.end)) else {
            continue;
        };
        if let Some(longest) = wanted.iter().filter(|w| typed.starts_with(**w)).max_by_key(|w| w.len()) {
            let mut seen = 0;
            let end = word.iter().find(|(_, folded)| {
                seen += folded.len();
                seen >= longest.len()
            });
            ranges.push(first..end.map_or(last, |(range, _)| range.end));
        } else if wanted.iter().any(|w| super::fuzzy::is_alike(w, &typed)) {
            ranges.push(first..last);
        }
    }
    ranges
}

/// The words of a text, letter by letter: where each stands and how it is compared.
fn words(text: &str) -> Vec<Vec<(Range<usize>, String)>> {
    let mut words: Vec<Vec<(Range<usize>, String)>> = Vec::new();
    let mut open = false;
    for (at, c) in text.char_indices() {
        let range = at..at + c.len_utf8();
        if c.is_whitespace() {
            open = false;
            continue;
        }
        let mut letter = folded(c.encode_utf8(&mut [0; 4]));
        if matches!(c, '\'' | '’' | 'ʼ') || unicode_normalization::char::is_combining_mark(c) {
            letter.clear();
        }
        if letter.is_empty() {
            // A mark or an apostrophe belongs to the letter before it.
            if let (true, Some((last, _))) = (open, words.last_mut().and_then(|w| w.last_mut())) {
                last.end = range.end;
            }
        } else if letter.chars().all(char::is_alphanumeric) {
            let single = letter.chars().all(is_single);
            if !open || single {
                words.push(Vec::new());
            }
            open = !single;
            if let Some(word) = words.last_mut() {
                word.push((range, letter));
            }
        } else {
            open = false;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_match() {
        let marked = |line: &str, text: &str| {
            let ranges = matched(&Query::parse(line, 0), text);
            ranges.into_iter().map(|r| text[r].to_owned()).collect::<Vec<_>>().join("|")
        };
        assert_eq!(marked("bjo", "Björk"), "Bjö");
        assert_eq!(marked("strass", "Große Straße"), "Straß");
        assert_eq!(marked("love the", "All the Lovers"), "the|Love");
        assert_eq!(marked("京", "東京の夜"), "京");
        assert_eq!(marked("dont", "Don't Stop"), "Don't");
        assert_eq!(marked("metalica", "Metallica"), "Metallica");
        assert_eq!(marked("-love artist:kate", "Kate in love"), "Kate");
        assert_eq!(marked("", "x"), "");
    }
}
