//! Which letters of a text a query matched, for showing them; and which words were read otherwise than they were typed.

use std::ops::Range;

use super::{
    fuzzy::letters_alike,
    query::{Query, wanted},
    words::{Words, folded, is_single},
};

/// Byte ranges of `text` whose letters answer the words of the query, in order. Of a word that is only nearly so, the letters
/// that stand for the typed ones; of one that is found by another spelling, all.
pub fn matched(query: &Query, text: &str) -> Vec<Range<usize>> {
    let wanted = wanted(query);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut mark = |range: Range<usize>| match ranges.last_mut() {
        Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
        _ => ranges.push(range),
    };
    for chunk in chunks(text) {
        if is_other_spelling(&wanted, &text[chunk.clone()]) {
            mark(chunk);
            continue;
        }
        for word in words(&text[chunk.clone()]) {
            let folded: String = word.iter().map(|(_, folded)| folded.as_str()).collect();
            let longest = wanted.iter().filter(|w| folded.starts_with(**w)).map(|w| w.chars().count()).max();
            let letters = longest.or_else(|| wanted.iter().filter_map(|w| letters_alike(w, &folded)).max());
            let (Some(letters), Some((first, _))) = (letters, word.first()) else { continue };
            let mut seen = 0;
            let end = word.iter().find(|(_, folded)| {
                seen += folded.chars().count();
                seen >= letters
            });
            if let Some((last, _)) = end.or(word.last()) {
                mark(chunk.start + first.start..chunk.start + last.end);
            }
        }
    }
    ranges
}

/// Words of the query that stand in none of these texts as they were typed, each with the word there that it was taken for.
pub fn read_as(query: &Query, texts: &[&str]) -> Vec<(String, String)> {
    let mut read = Vec::new();
    for typed in wanted(query) {
        let mut alike: Option<String> = None;
        let as_typed = texts.iter().any(|text| {
            chunks(text).any(|chunk| {
                let chunk = &text[chunk];
                is_other_spelling(&[typed], chunk)
                    || words(chunk).iter().any(|word| {
                        let folded: String = word.iter().map(|(_, folded)| folded.as_str()).collect();
                        if alike.is_none() && letters_alike(typed, &folded).is_some() {
                            let whole = word.first().zip(word.last()).map(|((a, _), (b, _))| a.start..b.end);
                            alike = whole.map(|range| chunk[range].to_lowercase());
                        }
                        folded.starts_with(typed)
                    })
            })
        });
        if let (false, Some(word)) = (as_typed, alike)
            && !read.iter().any(|(known, _)| known == typed)
        {
            read.push((typed.to_owned(), word));
        }
    }
    read
}

/// Whether one of these words is the beginning of another spelling of the text.
fn is_other_spelling(wanted: &[&str], chunk: &str) -> bool {
    let plain = chunk.chars().all(|c| c.is_ascii_alphanumeric());
    !plain
        && Words::of(chunk).aliases.iter().any(|alias| wanted.iter().any(|w| alias.starts_with(w)))
        && !words(chunk).iter().any(|word| {
            let folded: String = word.iter().map(|(_, folded)| folded.as_str()).collect();
            wanted.iter().any(|w| folded.starts_with(w))
        })
}

/// Where the parts of a text between blanks stand.
fn chunks(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.split_whitespace().map(|chunk| {
        let start = chunk.as_ptr() as usize - text.as_ptr() as usize;
        start..start + chunk.len()
    })
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
        assert_eq!(marked("東京", "東京の夜"), "東京");
        assert_eq!(marked("dont", "Don't Stop"), "Don't");
        assert_eq!(marked("metalica", "Metallica"), "Metallica");
        assert_eq!(marked("metalc", "Metallica"), "Metall");
        assert_eq!(marked("bjrok", "(Björk)"), "Björk");
        assert_eq!(marked("-love artist:kate", "Kate in love"), "Kate");
        assert_eq!(marked("kino", "Группа Кино"), "Кино");
        assert_eq!(marked("acdc", "AC/DC Live"), "AC/DC");
        assert_eq!(marked("ac", "AC/DC Live"), "AC");
        assert_eq!(marked("", "x"), "");
    }

    #[test]
    fn how_an_error_was_read() {
        let read = |line: &str, texts: &[&str]| read_as(&Query::parse(line, 0), texts);
        assert_eq!(read("bjrok h", &["Hunter", "Björk"]), [("bjrok".to_owned(), "björk".to_owned())]);
        assert_eq!(read("metalc", &["Metallica"]), [("metalc".to_owned(), "metallica".to_owned())]);
        assert!(read("bjoerk hun", &["Hunter", "Björk"]).is_empty());
        assert!(read("hunter", &["Hunter", "Björk"]).is_empty());
        assert!(read("year:1990", &["Hunter"]).is_empty());
    }
}
