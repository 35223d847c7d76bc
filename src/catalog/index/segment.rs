//! The index of one kind of item, immutable once built.
//!
//! Documents are numbered by popularity, words by the alphabet. So a prefix is a range of words, whose postings (the
//! documents of each word, laid one after the other) are one range of a long list, and the best documents of it are its
//! smallest numbers ([`Ascending`]). Titles sorted by their words are a second such list, in which those that begin
//! with the query are one range. A document's own words are kept too (the title's, and what the tracks of one album share
//! once for all of them), so that the other words of a query, fields and phrases are checked without postings.

use std::ops::Range;

use super::{
    ids::Ids,
    smallest::{Ascending, Minima},
    verses::Verses,
};

/// A document by popularity.
pub(super) type Doc = u32;
/// A word by the alphabet.
pub(super) type Word = u32;

/// Says in the number of a set of genres that there are lyrics.
pub(super) const LYRICS: u32 = 1 << 31;

/// Which part of an item a word stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The title or name.
    Title,
    /// Artists as printed and one by one; an artist's sort name.
    Artist,
    /// The album's title.
    Album,
}

/// The index of one kind of item.
#[derive(Debug, Default)]
pub struct Segment {
    pub(super) word_text: Vec<u8>,
    /// Where each word begins; one more than words.
    pub(super) word_starts: Vec<u32>,
    /// Characters that a word shares with the one before it.
    pub(super) shared: Vec<u8>,
    /// Words that share less than 1, 2, 3 characters with the one before: where groups begin.
    pub(super) groups: [Vec<u32>; 3],
    pub(super) posting_starts: Vec<u32>,
    pub(super) postings: Vec<Doc>,
    pub(super) posting_minima: Minima,
    /// Titles: `count`, that many words, then aliases to the end of the slot; all varints.
    pub(super) titles: Vec<u8>,
    pub(super) title_starts: Vec<u32>,
    pub(super) by_title: Vec<Doc>,
    pub(super) title_minima: Minima,
    /// Which company each document is in.
    pub(super) company: Vec<u32>,
    /// Companies: count of artist words, those words, then the album's words.
    pub(super) companies: Vec<u8>,
    pub(super) company_starts: Vec<u32>,
    pub(super) ids: Ids,
    /// The step of popularity.
    pub(super) steps: Vec<u8>,
    /// Year, 0 for none.
    pub(super) years: Vec<i16>,
    /// When added, Unix minutes.
    pub(super) added: Vec<u32>,
    /// Which set of genres, 0 for none; the highest bit says that there are lyrics.
    pub(super) genres: Vec<u32>,
    /// Sets of genres, folded, each genre on a line.
    pub(super) genre_sets: Vec<String>,
    /// Words of lyrics.
    pub(super) verses: Verses,
}

/// Reads variable-length numbers.
pub(super) struct Varints<'a>(pub(super) &'a [u8]);

impl Iterator for Varints<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Some(value)
    }
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// What stands in a list between two of its starts.
pub(super) fn slot<'a, T>(starts: &[u32], of: &'a [T], at: usize) -> &'a [T] {
    let range = starts.get(at).zip(starts.get(at + 1)).map(|(a, b)| *a as usize..*b as usize);
    range.and_then(|range| of.get(range)).unwrap_or(&[])
}

impl Segment {
    /// Number of documents.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it has no documents.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Number of different words.
    pub fn words(&self) -> usize {
        self.shared.len()
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        let fours = self.word_starts.len()
            + self.posting_starts.len()
            + self.postings.len()
            + self.title_starts.len()
            + self.by_title.len()
            + self.company.len()
            + self.company_starts.len()
            + self.added.len()
            + self.genres.len()
            + self.groups.iter().map(Vec::len).sum::<usize>();
        let ones = self.word_text.len()
            + self.shared.len()
            + self.titles.len()
            + self.companies.len()
            + self.steps.len();
        let sets = self.genre_sets.iter().map(|s| s.len() + 24).sum::<usize>();
        fours * 4
            + ones
            + self.ids.size()
            + self.years.len() * 2
            + sets
            + self.posting_minima.bytes()
            + self.title_minima.bytes()
            + self.verses.bytes()
    }

    pub(super) fn word(&self, word: usize) -> &[u8] {
        slot(&self.word_starts, &self.word_text, word)
    }

    /// Works out what is not kept in a file.
    pub(super) fn ready(mut self) -> Self {
        self.posting_minima = Minima::of(&self.postings);
        self.title_minima = Minima::of(&self.by_title);
        self.groups = [1_u8, 2, 3].map(|less| {
            let begins = self.shared.iter().enumerate().filter(|(_, shared)| **shared < less);
            begins.map(|(at, _)| at as u32).collect()
        });
        self
    }

    /// The id of a document.
    pub(super) fn id(&self, doc: Doc) -> String {
        self.ids.get(doc)
    }

    /// Which set of genres a document has.
    pub(super) fn genre_set(&self, doc: Doc) -> usize {
        self.genres.get(doc as usize).map_or(0, |set| (set & !LYRICS) as usize)
    }

    /// Whether a document has lyrics.
    pub(super) fn has_lyrics(&self, doc: Doc) -> bool {
        self.genres.get(doc as usize).is_some_and(|set| set & LYRICS != 0)
    }

    /// The document with an id.
    pub(super) fn doc(&self, id: &str) -> Option<Doc> {
        self.ids.find(id, &self.steps)
    }

    fn first_word(&self, not_less: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.words());
        while low < high {
            let middle = low.midpoint(high);
            if not_less(self.word(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Words that begin with this.
    pub(super) fn beginning(&self, prefix: &str) -> Range<Word> {
        let prefix = prefix.as_bytes();
        let start = self.first_word(|word| word >= prefix);
        let end = self.first_word(|word| word > prefix && !word.starts_with(prefix));
        start as Word..end.max(start) as Word
    }

    /// The word that is this.
    pub(super) fn exactly(&self, text: &str) -> Option<Word> {
        let at = self.first_word(|word| word >= text.as_bytes());
        (at < self.words() && self.word(at) == text.as_bytes()).then_some(at as Word)
    }

    /// Where the postings of a range of words stand.
    pub(super) fn postings_of(&self, words: &Range<Word>) -> Range<usize> {
        let at = |word: Word| self.posting_starts.get(word as usize).copied().unwrap_or(0) as usize;
        at(words.start)..at(words.end)
    }

    /// Documents with any of these words, best first.
    pub(super) fn best_of(&self, words: &[Range<Word>]) -> Ascending<'_> {
        let ranges = words.iter().map(|words| self.postings_of(words));
        Ascending::new(&self.postings, &self.posting_minima, ranges)
    }

    /// Documents whose place among the sorted titles is in this range, best first.
    pub(super) fn best_titles(&self, places: Range<usize>) -> Ascending<'_> {
        Ascending::new(&self.by_title, &self.title_minima, [places])
    }

    /// The title's words in order, and then its aliases.
    pub(super) fn title(&self, doc: Doc) -> (usize, Varints<'_>) {
        let mut words = Varints(slot(&self.title_starts, &self.titles, doc as usize));
        (words.next().unwrap_or(0) as usize, words)
    }

    /// The artist's words, how many they are, and the album's words after them.
    pub(super) fn company(&self, doc: Doc) -> (usize, Varints<'_>) {
        let company = self.company.get(doc as usize).copied().unwrap_or(0);
        let mut words = Varints(slot(&self.company_starts, &self.companies, company as usize));
        (words.next().unwrap_or(0) as usize, words)
    }

    /// Where titles stand that begin with these words; of the last one any of a range. The first range are those
    /// that have no more words.
    pub(super) fn titles_beginning(&self, words: &[Word], last: &Range<Word>) -> Range<usize> {
        let key = |last: Word| {
            move |title: &mut dyn Iterator<Item = u32>| {
                for wanted in words.iter().copied().chain([last]) {
                    match title.next() {
                        None => return std::cmp::Ordering::Less,
                        Some(word) if word != wanted => return word.cmp(&wanted),
                        Some(_) => {}
                    }
                }
                std::cmp::Ordering::Equal
            }
        };
        let place = |bound: Word| {
            let compare = key(bound);
            self.by_title.partition_point(|doc| {
                let (count, title) = self.title(*doc);
                compare(&mut title.take(count)) == std::cmp::Ordering::Less
            })
        };
        if last.is_empty() { 0..0 } else { place(last.start)..place(last.end) }
    }
}
