//! Answering a query from one segment.
//!
//! First a pool of candidates: titles that are the query, titles that begin with it, what the listener plays and stars,
//! and the most popular of what has all the words. The pool is scored and sorted; what a far page needs beyond it follows by
//! popularity. Where little is found, words that are typed nearly so count too, a step further away at a time ([`LEVELS`]).
//!
//! Documents with all words are walked by popularity. A rare word's postings are gathered and sorted; of a frequent one the
//! best come first without that ([`super::smallest`]). When too many of them lack the other words, the postings of all
//! words are laid over each other as bits.

use std::collections::HashSet;
use std::ops::Range;

use super::{
    bits::Bits,
    fuzzy::{Alike, allowed},
    own::Own,
    query::{Clause, Filter, Query},
    segment::{Doc, Field, Segment, Word},
};

/// Steps away from what was typed: as typed; whole words within an error; beginnings within one; the same with two.
pub(super) const LEVELS: usize = 5;

/// Candidates taken of each kind.
const TITLES: usize = 64;
const POPULAR: usize = 160;
const MISTYPED: usize = 96;

/// Postings that are gathered and sorted, and documents looked at one by one before all postings are laid over each other.
const GATHERED: usize = 4096;
const PATIENCE: usize = 1500;

/// A document with its score; less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) score: u64,
    pub(super) doc: Doc,
}

impl Found {
    const TAIL: u64 = 1 << 63;

    /// How far it is from what was asked: errors, then how the title agrees.
    pub(super) fn class(self) -> u64 {
        self.score >> 56
    }

    /// What it is worth among those of its class.
    pub(super) fn worth(self) -> u64 {
        self.score & ((1 << 56) - 1)
    }
}

/// One segment as one listener searches it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) segment: &'a Segment,
    /// Documents that are no more, or newer in another segment.
    pub(super) gone: &'a Bits,
    pub(super) own: &'a Own,
}

/// A clause's words as ranges of the segment's words.
struct Part<'q> {
    clause: &'q Clause,
    /// For each word of the clause, what counts as it.
    words: Vec<Vec<Range<Word>>>,
    /// For each word what is as typed.
    typed: Vec<Range<Word>>,
    /// For each word what is within one error.
    near: Vec<Vec<Range<Word>>>,
    /// Postings of the rarest of its words, and which one that is.
    postings: usize,
    rarest: usize,
}

/// Words like those of a query, worked out once.
pub(super) struct Likeness(Vec<Option<Alike>>);

/// A document's words.
#[derive(Default)]
struct Text {
    title: Vec<Word>,
    title_words: usize,
    company: Vec<Word>,
    artist_words: usize,
}

impl Text {
    fn read(&mut self, segment: &Segment, doc: Doc) {
        let (count, words) = segment.title(doc);
        self.title_words = count;
        self.title.clear();
        self.title.extend(words);
        let (count, words) = segment.company(doc);
        self.artist_words = count;
        self.company.clear();
        self.company.extend(words);
    }

    fn own_title(&self) -> &[Word] {
        self.title.get(..self.title_words).unwrap_or(&self.title)
    }

    fn places(&self, field: Option<Field>) -> [&[Word]; 3] {
        let (artist, album) = self.company.split_at(self.artist_words.min(self.company.len()));
        [
            only(field, Field::Title, self.title.as_slice()),
            only(field, Field::Artist, artist),
            only(field, Field::Album, album),
        ]
    }
}

fn only(field: Option<Field>, which: Field, words: &[Word]) -> &[Word] {
    if field.is_none_or(|f| f == which) { words } else { &[] }
}

fn within(ranges: &[Range<Word>], word: Word) -> bool {
    match ranges {
        [] => false,
        [one] => one.contains(&word),
        many => {
            let at = many.partition_point(|r| r.end <= word);
            many.get(at).is_some_and(|r| r.contains(&word))
        }
    }
}

impl Part<'_> {
    fn stands_in(&self, text: &Text) -> bool {
        text.places(self.clause.field).into_iter().any(|place| self.place_in(place).is_some())
    }

    /// Where its words follow each other.
    fn place_in(&self, place: &[Word]) -> Option<usize> {
        if let [only] = self.words.as_slice() {
            return place.iter().position(|word| within(only, *word));
        }
        place
            .windows(self.words.len())
            .position(|run| run.iter().zip(&self.words).all(|(word, ranges)| within(ranges, *word)))
    }

    /// Errors in its first word that stands somewhere.
    fn errors(&self, text: &Text) -> u64 {
        let (Some(typed), Some(near)) = (self.typed.last(), self.near.last()) else { return 0 };
        let mut places = text.places(self.clause.field).into_iter().flatten();
        if places.clone().any(|word| typed.contains(word)) {
            0
        } else if places.any(|word| within(near, *word)) {
            1
        } else {
            2
        }
    }
}

impl Scope<'_> {
    /// Words like the query's, for [`find`](Self::find) at levels above 0.
    pub(super) fn likeness(&self, query: &Query) -> Likeness {
        let alike = |clause: &Clause| {
            let word = clause.words.last().filter(|_| clause.open && !clause.not)?;
            let errors = allowed(word.chars().count());
            (errors > 0).then(|| self.segment.alike(word, errors))
        };
        Likeness(query.clauses.iter().map(alike).collect())
    }

    /// Whether a level can find more than the one below it.
    pub(super) fn level_is_worth_it(query: &Query, level: usize) -> bool {
        let errors = if level > 2 { 2 } else { 1 };
        query
            .clauses
            .iter()
            .any(|c| c.open && !c.not && c.words.last().is_some_and(|w| allowed(w.chars().count()) >= errors))
    }

    fn parts<'q>(&self, query: &'q Query, level: usize, likeness: Option<&Likeness>) -> Vec<Part<'q>> {
        let segment = self.segment;
        let part = |(at, clause): (usize, &'q Clause)| {
            let last = clause.words.len().saturating_sub(1);
            let exact = |word: &String| segment.exactly(word).map_or(0..0, |w| w..w + 1);
            let typed: Vec<Range<Word>> = clause
                .words
                .iter()
                .enumerate()
                .map(|(i, word)| if i == last && clause.open { segment.beginning(word) } else { exact(word) })
                .collect();
            let mut words: Vec<Vec<Range<Word>>> =
                typed.iter().map(|r| if r.is_empty() { Vec::new() } else { vec![r.clone()] }).collect();
            let mut near = vec![Vec::new(); words.len()];
            let alike = likeness.and_then(|l| l.0.get(at)?.as_ref());
            if let (Some(alike), Some(words), Some(near)) = (alike, words.last_mut(), near.last_mut()) {
                near.clone_from(&alike.beginning[1]);
                let more = match level {
                    1 => &alike.whole[1],
                    2 => &alike.beginning[1],
                    3 => &alike.whole[2],
                    4 => &alike.beginning[2],
                    _ => &Vec::new(),
                };
                words.extend(more.iter().cloned());
                if level == 3 {
                    words.extend(alike.beginning[1].iter().cloned());
                }
                merge(words);
            }
            let postings = |ranges: &Vec<Range<Word>>| -> usize {
                ranges.iter().map(|r| segment.postings_of(r).len()).sum()
            };
            let (rarest, postings) = words
                .iter()
                .map(postings)
                .enumerate()
                .min_by_key(|(_, postings)| *postings)
                .unwrap_or_default();
            Part { clause, words, typed, near, postings, rarest }
        };
        query.clauses.iter().enumerate().map(part).collect()
    }

    /// The best `upto` of a level, each with its score, best first.
    pub(super) fn find(
        &self,
        query: &Query,
        upto: usize,
        level: usize,
        likeness: Option<&Likeness>,
    ) -> Vec<Found> {
        let parts = self.parts(query, level, likeness);
        if parts.iter().any(|p| !p.clause.not && p.postings == 0) {
            return Vec::new();
        }
        let sets = self.sets(query);
        let search = Search { scope: *self, query, parts, sets };
        search.run(upto, level)
    }

    /// What is worked out once for each filter.
    fn sets(&self, query: &Query) -> Vec<Sets> {
        let sets = |(filter, _): &(Filter, bool)| match filter {
            Filter::Genre(genre) => {
                let has = |set: &String| set.lines().any(|g| g.starts_with(genre.as_str()));
                Sets { genres: self.segment.genre_sets.iter().map(has).collect(), ..Sets::default() }
            }
            Filter::Sung { words, open } => Sets {
                sung: self.segment.verses.singing(words, *open, self.segment.len()),
                ..Sets::default()
            },
            _ => Sets::default(),
        };
        query.filters.iter().map(sets).collect()
    }
}

/// What a filter lets through.
#[derive(Default)]
struct Sets {
    /// Which sets of genres.
    genres: Vec<bool>,
    /// Documents that sing the words.
    sung: Bits,
}

/// Sorts ranges and joins those that touch.
fn merge(ranges: &mut Vec<Range<Word>>) {
    ranges.sort_unstable_by_key(|r| r.start);
    let mut merged: Vec<Range<Word>> = Vec::with_capacity(ranges.len());
    for range in ranges.drain(..) {
        match merged.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    *ranges = merged;
}

struct Search<'a, 'q> {
    scope: Scope<'a>,
    query: &'q Query,
    parts: Vec<Part<'q>>,
    sets: Vec<Sets>,
}

impl Search<'_, '_> {
    fn run(&self, upto: usize, level: usize) -> Vec<Found> {
        let mut seen: HashSet<Doc> = HashSet::new();
        let mut pool: Vec<Found> = Vec::new();
        let mut text = Text::default();
        let mut offer = |doc: Doc, text: &Text, pool: &mut Vec<Found>| {
            if seen.insert(doc) {
                pool.push(self.score(doc, text));
            }
        };
        if level == 0 {
            for places in self.titles() {
                let titles = self.scope.segment.best_titles(places);
                let fitting = titles.filter(|doc| self.fits(*doc) && self.has_words(*doc, &mut text));
                for doc in fitting.take(TITLES).collect::<Vec<_>>() {
                    text.read(self.scope.segment, doc);
                    offer(doc, &text, &mut pool);
                }
            }
            for doc in &self.scope.own.top {
                if self.fits(*doc) && self.has_words(*doc, &mut text) {
                    offer(*doc, &text, &mut pool);
                }
            }
        }
        let mut left = if level == 0 { POPULAR } else { MISTYPED };
        self.walk(&mut |doc, text| {
            offer(doc, text, &mut pool);
            left -= 1;
            left > 0
        });
        pool.sort_unstable();
        if pool.len() < upto && left == 0 && level == 0 {
            let mut wanted = upto - pool.len();
            let segment = self.scope.segment;
            self.walk(&mut |doc, _| {
                if !seen.contains(&doc) {
                    let step = segment.steps.get(doc as usize).copied().unwrap_or(0);
                    let score = Found::TAIL | u64::from(255 - step) << 40 | u64::from(doc);
                    pool.push(Found { score, doc });
                    wanted -= 1;
                }
                wanted > 0
            });
        }
        pool.truncate(upto);
        pool
    }

    /// Where titles stand that are the query's words, and that begin with them.
    fn titles(&self) -> Vec<Range<usize>> {
        let segment = self.scope.segment;
        if self.parts.iter().any(|p| p.clause.field.is_some_and(|f| f != Field::Title)) {
            return Vec::new();
        }
        let mut words: Vec<Word> = Vec::new();
        let mut ranges: Vec<(&String, &Range<Word>)> = Vec::new();
        for part in self.parts.iter().filter(|p| !p.clause.not) {
            ranges.extend(part.clause.words.iter().zip(&part.typed));
        }
        let Some((last, beginning)) = ranges.pop() else { return Vec::new() };
        for (word, _) in ranges {
            match segment.exactly(word) {
                Some(word) => words.push(word),
                None => return Vec::new(),
            }
        }
        let mut places = Vec::new();
        if let Some(whole) = segment.exactly(last) {
            places.push(segment.titles_beginning(&words, &(whole..whole + 1)));
            words.push(whole);
            if let Some(range) = places.last_mut() {
                // Of those with the whole word, first the ones that end there.
                let inside = segment.by_title.get(range.clone()).unwrap_or(&[]);
                let longer = inside.partition_point(|doc| segment.title(*doc).0 <= words.len());
                let whole = range.clone();
                *range = whole.start..whole.start + longer;
                places.push(whole);
            }
            words.pop();
        }
        places.push(segment.titles_beginning(&words, beginning));
        places
    }

    fn has_words(&self, doc: Doc, text: &mut Text) -> bool {
        text.read(self.scope.segment, doc);
        self.parts.iter().all(|part| part.stands_in(text) != part.clause.not)
    }

    /// Whether a document is there and has the properties asked for.
    fn fits(&self, doc: Doc) -> bool {
        if self.scope.gone.has(doc) {
            return false;
        }
        let segment = self.scope.segment;
        let at = doc as usize;
        self.query.filters.iter().zip(&self.sets).all(|((filter, not), sets)| {
            let own = || self.scope.own.marks.get(&doc).copied().unwrap_or_default();
            let is = match filter {
                Filter::Genre(_) => sets.genres.get(segment.genre_set(doc)).copied().unwrap_or(false),
                Filter::Year(years) => {
                    let year = segment.years.get(at).copied().unwrap_or(0);
                    year != 0 && years.contains(&i64::from(year))
                }
                Filter::Added(times) => {
                    let added = i64::from(segment.added.get(at).copied().unwrap_or(0)) * 60_000;
                    times.contains(&added)
                }
                Filter::Rating(stars) => stars.contains(&i64::from(own().rating)),
                Filter::Plays(plays) => plays.contains(&i64::from(own().plays)),
                Filter::Starred(starred) => own().starred == *starred,
                Filter::Lyrics => segment.has_lyrics(doc),
                Filter::Sung { .. } => sets.sung.has(doc),
            };
            is != *not
        })
    }

    /// Visits documents that match by popularity, until `visit` has enough.
    fn walk(&self, visit: &mut dyn FnMut(Doc, &Text) -> bool) {
        let segment = self.scope.segment;
        let mut text = Text::default();
        let mut check = |doc: Doc| {
            if !(self.fits(doc) && self.has_words(doc, &mut text)) {
                return true;
            }
            visit(doc, &text)
        };
        let Some(rarest) = self.parts.iter().filter(|p| !p.clause.not).min_by_key(|p| p.postings) else {
            // Properties alone. What the listener marked is a short list of its own.
            if self.needs_marks() {
                let mut marked: Vec<Doc> = self.scope.own.marks.keys().copied().collect();
                marked.sort_unstable();
                let _ = marked.into_iter().all(check);
            } else if let Some(sung) = self.sung() {
                let _ = sung.after(None).all(check);
            } else {
                let _ = (0..segment.len() as Doc).all(check);
            }
            return;
        };
        let Some(words) = rarest.words.get(rarest.rarest) else { return };
        if rarest.postings <= GATHERED {
            let mut docs: Vec<Doc> = words
                .iter()
                .filter_map(|words| segment.postings.get(segment.postings_of(words)))
                .flatten()
                .copied()
                .collect();
            docs.sort_unstable();
            docs.dedup();
            let _ = docs.into_iter().all(check);
            return;
        }
        let mut last = None;
        for doc in segment.best_of(words).take(PATIENCE) {
            if !check(doc) {
                return;
            }
            last = Some(doc);
        }
        let mut both: Option<Bits> = None;
        let mut parts: Vec<&Part> = self.parts.iter().filter(|p| !p.clause.not).collect();
        parts.sort_by_key(|p| p.postings);
        for words in parts.iter().flat_map(|p| &p.words) {
            let mut bits = Bits::new(segment.len());
            for range in words {
                for doc in segment.postings.get(segment.postings_of(range)).unwrap_or(&[]) {
                    bits.set(*doc);
                }
            }
            match &mut both {
                Some(both) => both.keep(&bits),
                None => both = Some(bits),
            }
        }
        if let Some(both) = both {
            let _ = both.after(last).all(check);
        }
    }

    /// Documents of which all results are, where something must be sung.
    fn sung(&self) -> Option<&Bits> {
        let sung = |(filter, not): &(Filter, bool)| matches!(filter, Filter::Sung { .. }) && !not;
        let at = self.query.filters.iter().position(sung)?;
        Some(&self.sets.get(at)?.sung)
    }

    /// Whether only what the listener marked can match.
    fn needs_marks(&self) -> bool {
        self.query.filters.iter().any(|(filter, not)| match filter {
            Filter::Starred(starred) => starred != not,
            Filter::Rating(range) | Filter::Plays(range) => !not && !range.contains(&0),
            _ => false,
        })
    }

    fn score(&self, doc: Doc, text: &Text) -> Found {
        let title = text.own_title();
        let (mut errors, mut partial, mut in_title, mut typed) = (0, 0, true, 0);
        let mut follows = Some(0);
        let whole = |word: &String| self.scope.segment.exactly(word);
        let mut covered = 0_u64;
        for part in self.parts.iter().filter(|p| !p.clause.not) {
            errors += part.errors(text);
            typed += part.words.len();
            let place = part.place_in(title);
            in_title &= place.is_some();
            follows = follows.filter(|at| {
                title.get(*at..*at + part.words.len()).is_some_and(|run| part.place_in(run) == Some(0))
            });
            follows = follows.map(|at| at + part.words.len());
            for word in &part.clause.words {
                match whole(word).map(|w| title.iter().position(|t| *t == w)) {
                    Some(Some(at)) => covered |= 1_u64.checked_shl(at as u32).unwrap_or(0),
                    Some(None) if text.company.contains(&whole(word).unwrap_or(Word::MAX)) => {}
                    _ => partial += 1,
                }
            }
        }
        let all = 1_u64.checked_shl(title.len() as u32).map_or(u64::MAX, |bit| bit - 1);
        let is_title = typed > 0 && !title.is_empty() && covered == all;
        let tier: u64 = if is_title && typed == title.len() && follows.is_some() {
            0
        } else if is_title || (typed > 0 && follows.is_some()) {
            1
        } else if in_title {
            2
        } else {
            3
        };
        let own = u64::from(self.scope.own.worth(doc));
        let step = u64::from(self.scope.segment.steps.get(doc as usize).copied().unwrap_or(0));
        // Errors and how the title agrees first; then what is the listener's own, what is popular, whole words.
        let score = errors.min(7) << 60
            | tier << 56
            | (255 - own) << 48
            | (255 - step) << 40
            | partial.min(15_u64) << 36
            | u64::from(doc) & 0xf_ffff_ffff;
        Found { score, doc }
    }
}
