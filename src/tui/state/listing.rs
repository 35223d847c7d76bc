//! A list with a cursor, of which only pages are in memory.
//!
//! The library may hold a hundred thousand artists. A listing keeps the pages around the cursor, asks for those
//! that are missing (`wanted`) and lets go of those far away. Shorter lists are given whole. A filter lays the
//! rows that match over it; taking it away puts the cursor back on the same row in the whole list.

use std::collections::{BTreeMap, BTreeSet};

use crate::music::{Album, Artist, Track, Window};

/// Rows in a page.
pub(crate) const PAGE: usize = 200;
/// Pages kept before and after the one under the cursor.
const KEEP: usize = 4;

/// What stands in a list.
pub(crate) trait Row {
    /// Tells it from the other rows.
    fn key(&self) -> &str;
    /// What a filter looks at.
    fn words(&self) -> String;
}

impl Row for Artist {
    fn key(&self) -> &str {
        self.id.as_str()
    }
    fn words(&self) -> String {
        self.name.clone()
    }
}

impl Row for Album {
    fn key(&self) -> &str {
        self.id.as_str()
    }
    fn words(&self) -> String {
        format!("{} {} {}", self.title, self.artist, self.year.map(|y| y.to_string()).unwrap_or_default())
    }
}

impl Row for Track {
    fn key(&self) -> &str {
        self.id.as_str()
    }
    fn words(&self) -> String {
        format!("{} {} {}", self.title, self.artist, self.album)
    }
}

/// A cursor and the first row on the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scroll {
    pub(crate) cursor: usize,
    pub(crate) top: usize,
}

impl Scroll {
    /// Moves by this many rows and stays within `len`.
    pub(crate) fn step(&mut self, by: isize, len: usize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(len.saturating_sub(1));
    }

    /// Brings cursor and top into a list of `len` rows of which `height` are seen, with a row or two of context.
    pub(crate) fn settle(&mut self, len: usize, height: usize) {
        self.cursor = self.cursor.min(len.saturating_sub(1));
        let margin = if height >= 8 { 2 } else { usize::from(height >= 4) };
        let lowest = self.cursor.saturating_sub(margin);
        let highest = (self.cursor + margin + 1).saturating_sub(height);
        self.top = self.top.clamp(highest.min(lowest), lowest).min(len.saturating_sub(height));
    }
}

/// Rows that match a filter.
#[derive(Debug)]
struct Matches<T> {
    words: String,
    rows: Vec<T>,
    /// Where the cursor stood before.
    before: Scroll,
}

/// A list, of which only pages are in memory.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    pages: BTreeMap<usize, Vec<T>>,
    len: usize,
    asked: BTreeSet<usize>,
    known: bool,
    /// Whether `len` was told since the last refresh.
    counted: bool,
    matches: Option<Matches<T>>,
    /// The rows are those of something else; the right ones are on the way.
    stale: bool,
    pub(crate) scroll: Scroll,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self {
            pages: BTreeMap::new(),
            len: 0,
            asked: BTreeSet::new(),
            known: false,
            counted: false,
            matches: None,
            stale: false,
            scroll: Scroll::default(),
        }
    }
}

impl<T: Row + Clone> Listing<T> {
    /// Rows that can be walked now: those that match, or all.
    pub(crate) fn len(&self) -> usize {
        self.matches.as_ref().map_or(self.len, |m| m.rows.len())
    }

    /// Rows without the filter.
    pub(crate) fn whole_len(&self) -> usize {
        self.len
    }

    /// Whether anything is known about the list yet.
    pub(crate) fn known(&self) -> bool {
        self.known
    }

    /// The row at this place; `None` also where its page is still on the way.
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        match &self.matches {
            Some(m) => m.rows.get(at),
            None => self.pages.get(&(at / PAGE))?.get(at % PAGE),
        }
    }

    /// The row under the cursor.
    pub(crate) fn selected(&self) -> Option<&T> {
        if self.stale { None } else { self.get(self.scroll.cursor) }
    }

    /// The row to be seen as selected, even while the right rows are on the way.
    pub(crate) fn shown(&self) -> Option<&T> {
        self.get(self.scroll.cursor)
    }

    /// Whether the right rows are still on the way.
    pub(crate) fn stale(&self) -> bool {
        self.stale
    }

    /// Other rows are on the way. What is there stays to be seen until then, but cannot be selected.
    pub(crate) fn expect(&mut self) {
        self.stale = true;
        self.matches = None;
        self.scroll = Scroll::default();
    }

    /// A row far from the pages in memory is about to be shown.
    pub(crate) fn reach(&mut self, row: usize) {
        self.matches = None;
        self.len = self.len.max(row + 1);
    }

    /// Every row in memory.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &T> {
        self.pages.values().flatten()
    }

    /// The whole list at once; the cursor stays on its row if that is still there.
    pub(crate) fn replace(&mut self, rows: Vec<T>) {
        let selected = self.selected().map(|row| row.key().to_owned());
        let place = selected.and_then(|key| rows.iter().position(|row| row.key() == key));
        self.len = rows.len();
        self.known = true;
        self.stale = false;
        self.asked.clear();
        self.pages = BTreeMap::new();
        let mut rows = rows.into_iter();
        for page in 0..self.len.div_ceil(PAGE) {
            self.pages.insert(page, rows.by_ref().take(PAGE).collect());
        }
        match self.matches.as_ref().map(|m| m.words.clone()) {
            Some(words) => self.narrow(&words),
            None => self.scroll.cursor = place.unwrap_or(self.scroll.cursor.min(self.len.saturating_sub(1))),
        }
    }

    /// How many rows there are said to be; pages that come know better.
    pub(crate) fn count(&mut self, len: usize) {
        if !self.counted {
            self.counted = true;
            self.known = true;
            self.len = len;
            if self.matches.is_none() {
                self.scroll.cursor = self.scroll.cursor.min(len.saturating_sub(1));
            }
        }
    }

    /// Asks for everything on the screen anew, keeping what is there until the answer comes.
    pub(crate) fn refresh(&mut self) {
        self.asked.clear();
        self.counted = false;
        let here = self.scroll.cursor / PAGE;
        self.pages.retain(|page, _| page.abs_diff(here) <= 1);
    }

    /// Takes one page as answered. A short page tells where the list ends, a full one at the end that it goes on.
    pub(crate) fn put(&mut self, window: Window, rows: Vec<T>) {
        let offset = usize::try_from(window.offset).unwrap_or(usize::MAX - PAGE);
        let end = offset + rows.len();
        if rows.len() < PAGE {
            if end < self.len || !rows.is_empty() {
                self.len = end;
            }
            let last = self.len.div_ceil(PAGE);
            self.pages.retain(|page, _| *page < last);
        } else {
            self.len = self.len.max(end);
        }
        self.known = true;
        self.pages.insert(offset / PAGE, rows);
        if self.matches.is_none() {
            self.scroll.cursor = self.scroll.cursor.min(self.len.saturating_sub(1));
        }
        let here = self.scroll.cursor / PAGE;
        self.pages.retain(|page, _| page.abs_diff(here) <= KEEP);
        self.asked.retain(|page| page.abs_diff(here) <= KEEP);
    }

    /// The first page of another list than the one that was shown, which has so many rows.
    pub(crate) fn begin(&mut self, len: usize, rows: Vec<T>) {
        *self = Self::default();
        self.count(len);
        self.asked.insert(0);
        self.put(Window::first(PAGE as u64), rows);
    }

    /// A page could not be had. It is asked for again with the next `refresh`: whoever asked at once would ask for ever.
    pub(crate) fn failed(&mut self) {
        self.known = true;
    }

    /// Windows that are on the screen (`height` rows from the top) or nearly, and not asked for yet.
    pub(crate) fn wanted(&mut self, height: usize) -> Vec<Window> {
        let first = self.scroll.top.saturating_sub(height) / PAGE;
        let last = (self.scroll.top + 2 * height).min(self.len.saturating_sub(1)) / PAGE;
        let mut windows = Vec::new();
        for page in first..=last.min(first + KEEP) {
            if self.asked.insert(page) {
                windows.push(Window::new((page * PAGE) as u64, PAGE as u64));
            }
        }
        windows
    }

    /// Whether every row is in memory.
    pub(crate) fn complete(&self) -> bool {
        self.known && self.pages.values().map(Vec::len).sum::<usize>() >= self.len
    }

    /// Shows only rows with all these words, as far as they are in memory. Empty shows all.
    pub(crate) fn narrow(&mut self, words: &str) {
        let folded: Vec<String> = crate::music::fold(words).split(' ').map(str::to_owned).collect();
        let rows = self.rows().filter(|row| {
            let text = crate::music::fold(&row.words());
            folded.iter().all(|word| text.contains(word.as_str()))
        });
        let rows = rows.cloned().collect();
        self.show(words, rows);
    }

    /// Puts the cursor on the first row that begins with these letters, or on the first that comes after them where the rows
    /// are sorted; as far as they are in memory. Where neither is, it stays.
    pub(crate) fn jump(&mut self, letters: &str) {
        let letters = crate::music::fold(letters);
        let names: Vec<String> = (0..self.len())
            .map(|at| self.get(at).map(|row| crate::music::fold(&row.words())).unwrap_or_default())
            .collect();
        let begins = names.iter().position(|name| name.starts_with(&letters));
        let sorted = || names.is_sorted().then(|| names.partition_point(|name| *name < letters));
        if let Some(at) = begins.or_else(sorted) {
            self.scroll.cursor = at.min(self.len().saturating_sub(1));
        }
    }

    /// Shows these rows as the ones that match.
    pub(crate) fn show(&mut self, words: &str, rows: Vec<T>) {
        let selected = self.selected().map(|row| row.key().to_owned());
        let before = self.matches.as_ref().map_or(self.scroll, |m| m.before);
        self.scroll = Scroll::default();
        if let Some(key) = selected {
            self.scroll.cursor = rows.iter().position(|row| row.key() == key).unwrap_or(0);
        }
        self.matches = Some(Matches { words: words.to_owned(), rows, before });
    }

    /// Goes on to the next or previous row that matches, round and round; without a filter nowhere.
    pub(crate) fn cycle(&mut self, times: usize, forward: bool) {
        let len = self.len();
        if self.matches.is_some() && len > 0 {
            let by = if forward { times % len } else { len - times % len };
            self.scroll.cursor = (self.scroll.cursor + by) % len;
        }
    }

    /// The filter's words, where there is one.
    pub(crate) fn filter(&self) -> Option<&str> {
        self.matches.as_ref().map(|m| m.words.as_str())
    }

    /// Shows everything again; `false` when it did already.
    pub(crate) fn widen(&mut self) -> bool {
        let Some(matches) = self.matches.take() else { return false };
        let key = matches.rows.get(self.scroll.cursor).map(|row| row.key().to_owned());
        self.scroll = matches.before;
        if let Some(key) = key {
            let place = self.pages.iter().find_map(|(page, rows)| {
                rows.iter().position(|row| row.key() == key).map(|at| page * PAGE + at)
            });
            self.scroll.cursor = place.unwrap_or(self.scroll.cursor);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Word(String);
    impl Row for Word {
        fn key(&self) -> &str {
            &self.0
        }
        fn words(&self) -> String {
            self.0.clone()
        }
    }

    fn words(range: std::ops::Range<usize>) -> Vec<Word> {
        range.map(|n| Word(format!("word {n}"))).collect()
    }

    #[test]
    fn asks_for_what_is_seen_and_forgets_what_is_far() {
        let mut list = Listing::<Word>::default();
        assert_eq!(list.wanted(20), [Window::new(0, 200)]);
        assert!(list.wanted(20).is_empty());
        list.count(10_000);
        list.put(Window::new(0, 200), words(0..200));
        list.scroll.cursor = 9_999;
        list.scroll.settle(list.len(), 20);
        assert_eq!(list.wanted(20), [Window::new(9_800, 200)]);
        list.put(Window::new(9_800, 200), words(9_800..10_000));
        assert_eq!(list.selected(), Some(&Word("word 9999".into())));
        assert_eq!(list.get(0), None);
    }

    #[test]
    fn a_short_page_ends_the_list() {
        let mut list = Listing::<Word>::default();
        list.count(1_000);
        list.scroll.cursor = 900;
        list.put(Window::new(800, 200), words(800..850));
        assert_eq!((list.len(), list.scroll.cursor), (850, 849));
        list.put(Window::new(0, 200), Vec::new());
        assert_eq!((list.len(), list.scroll.cursor), (0, 0));
    }

    #[test]
    fn a_filter_keeps_the_row_under_the_cursor() {
        let mut list = Listing::<Word>::default();
        list.replace(words(0..300));
        list.scroll.cursor = 250;
        list.narrow("word 25");
        assert_eq!(list.len(), 13);
        assert_eq!(list.selected(), Some(&Word("word 250".into())));
        list.scroll.cursor = 0;
        list.widen();
        assert_eq!((list.len(), list.scroll.cursor), (300, 25));
    }

    #[test]
    fn letters_lead_to_a_row() {
        let mut list = Listing::<Word>::default();
        list.replace(["Ärger", "Bach", "Brel", "Zappa"].map(|name| Word(name.into())).to_vec());
        for (letters, at) in [("br", 2), ("B", 1), ("arg", 0), ("m", 3), ("zz", 3)] {
            list.jump(letters);
            assert_eq!(list.scroll.cursor, at, "{letters}");
        }
        list.replace(["Zappa", "Bach"].map(|name| Word(name.into())).to_vec());
        list.jump("b");
        list.jump("m");
        assert_eq!(list.scroll.cursor, 1, "without an order only beginnings count");
    }

    #[test]
    fn a_new_list_keeps_the_row_under_the_cursor() {
        let mut list = Listing::<Word>::default();
        list.replace(words(0..30));
        list.scroll.cursor = 10;
        list.replace(words(5..30));
        assert_eq!(list.scroll.cursor, 5);
        list.replace(Vec::new());
        assert_eq!((list.len(), list.scroll.cursor), (0, 0));
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let mut scroll = Scroll::default();
        scroll.step(50, 100);
        scroll.settle(100, 10);
        assert_eq!(scroll, Scroll { cursor: 50, top: 43 });
        scroll.step(-60, 100);
        scroll.settle(100, 10);
        assert_eq!(scroll, Scroll { cursor: 0, top: 0 });
        scroll.step(500, 100);
        scroll.settle(100, 10);
        assert_eq!(scroll, Scroll { cursor: 99, top: 90 });
        scroll.settle(0, 10);
        assert_eq!(scroll, Scroll { cursor: 0, top: 0 });
    }
}
