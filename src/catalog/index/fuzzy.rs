//! Words that begin nearly like the one typed: one or two letters too many, missing, wrong or swapped.
//!
//! The words of a segment are walked in order as if they were a tree. For each letter the states of an automaton are
//! kept as bits: bit `i` of `states[e]` says that the first `i` letters of the query have been read with `e` errors (Wu and Manber,
//! "Fast text searching allowing errors", 1992, with a swap of neighbours as one error). When no bit is left, all
//! words with that beginning are passed over together.

use std::ops::Range;

use super::segment::{Segment, Word};

/// Most errors in one word.
pub(super) const ERRORS: usize = 2;

/// Errors that a word of so many letters is allowed at the most.
pub(super) fn allowed(letters: usize) -> usize {
    match letters {
        0..=3 => 0,
        4..=7 => 1,
        _ => ERRORS,
    }
}

/// What a word is like.
#[derive(Debug, Default)]
pub(super) struct Alike {
    /// Words that as a whole are within so many errors: `[1]` within one.
    pub(super) whole: [Vec<Range<Word>>; ERRORS + 1],
    /// Words of which a beginning is.
    pub(super) beginning: [Vec<Range<Word>>; ERRORS + 1],
}

/// What the letters of a query do to the states.
struct Letters {
    ascii: [u64; 128],
    other: Vec<(char, u64)>,
    end: u64,
}

impl Letters {
    fn of(word: &str) -> Option<Self> {
        let mut this = Self { ascii: [0; 128], other: Vec::new(), end: 0 };
        let mut count = 0;
        for (at, c) in word.chars().enumerate() {
            count = at + 1;
            let bit = 1_u64.checked_shl(at as u32 + 1)?;
            match this.ascii.get_mut(c as usize) {
                Some(mask) => *mask |= bit,
                None => match this.other.iter_mut().find(|(known, _)| *known == c) {
                    Some((_, mask)) => *mask |= bit,
                    None => this.other.push((c, bit)),
                },
            }
        }
        this.end = 1_u64.checked_shl(count as u32)?;
        Some(this)
    }

    fn mask(&self, c: char) -> u64 {
        match self.ascii.get(c as usize) {
            Some(mask) => *mask,
            None => self.other.iter().find(|(known, _)| *known == c).map_or(0, |(_, mask)| *mask),
        }
    }
}

#[derive(Clone, Copy, Default)]
struct State {
    bits: [u64; ERRORS + 1],
    /// The mask of the letter that led here.
    mask: u64,
}

impl State {
    fn first() -> Self {
        Self { bits: [1, 3, 7], mask: 0 }
    }

    fn step(self, before: Self, mask: u64) -> Self {
        let old = self.bits;
        let mut bits = [(old[0] << 1) & mask, 0, 0];
        for e in 1..=ERRORS {
            let swapped = (before.bits[e - 1] << 2) & self.mask & (mask << 1);
            bits[e] = ((old[e] << 1) & mask) | old[e - 1] | ((old[e - 1] | bits[e - 1]) << 1) | swapped;
        }
        Self { bits, mask }
    }

    /// Fewest errors with which all of the query has been read.
    fn errors(self, end: u64, most: usize) -> Option<usize> {
        (0..=most).find(|e| self.bits[*e] & end != 0)
    }
}

/// How many letters of a word are like the one typed, with the errors that its length allows: the longest beginning with the
/// fewest errors. None where no beginning is.
pub(super) fn letters_alike(typed: &str, word: &str) -> Option<usize> {
    let most = allowed(typed.chars().count());
    let letters = Letters::of(typed).filter(|_| most > 0)?;
    let (mut before, mut state) = (State::default(), State::first());
    let mut best: Option<(usize, usize)> = None;
    for (at, c) in word.chars().enumerate() {
        let next = state.step(before, letters.mask(c));
        (before, state) = (state, next);
        if let Some(errors) = state.errors(letters.end, most)
            && best.is_none_or(|(fewest, _)| errors <= fewest)
        {
            best = Some((errors, at + 1));
        }
    }
    best.map(|(_, letters)| letters)
}

fn extend(ranges: &mut Vec<Range<Word>>, word: Word) {
    match ranges.last_mut() {
        Some(last) if last.end == word => last.end += 1,
        _ => ranges.push(word..word + 1),
    }
}

impl Segment {
    /// Words like this one with `most` errors at most.
    pub(super) fn alike(&self, typed: &str, most: usize) -> Alike {
        const NEVER: usize = ERRORS + 1;
        let mut alike = Alike::default();
        let Some(letters) = Letters::of(typed) else { return alike };
        let longest = typed.chars().count() + most;
        let mut states = vec![State::default(); longest + 1];
        states[0] = State::first();
        // Fewest errors with which a beginning of so many characters, or a shorter one, matches.
        let mut best = vec![NEVER; longest + 1];
        best[0] = states[0].errors(letters.end, most).unwrap_or(NEVER);
        // Words that share so many characters with the one before cannot match.
        let mut dead = usize::MAX;
        // For words that share so many characters with the one before, what follows changes nothing any more.
        let mut settled = usize::MAX;
        let mut at = 0;
        while at < self.words() {
            let shared = usize::from(self.shared[at]);
            if shared >= dead {
                at = match dead.checked_sub(1).and_then(|d| self.groups.get(d)) {
                    Some(groups) => match groups.get(groups.partition_point(|g| (*g as usize) <= at)) {
                        Some(next) => *next as usize,
                        None => break,
                    },
                    None => at + 1,
                };
                continue;
            }
            if shared >= settled {
                for e in best[settled].max(1)..=most {
                    extend(&mut alike.beginning[e], at as Word);
                }
                at += 1;
                continue;
            }
            (dead, settled) = (usize::MAX, usize::MAX);
            let mut depth = 0;
            let mut complete = true;
            for c in std::str::from_utf8(self.word(at)).unwrap_or_default().chars() {
                if depth >= longest {
                    complete = false;
                    break;
                }
                depth += 1;
                if depth <= shared {
                    continue;
                }
                let before = depth.checked_sub(2).map_or(State::default(), |d| states[d]);
                let state = states[depth - 1].step(before, letters.mask(c));
                states[depth] = state;
                best[depth] = best[depth - 1].min(state.errors(letters.end, most).unwrap_or(NEVER));
                if state.bits[most] == 0 {
                    complete = false;
                    *if best[depth] == NEVER { &mut dead } else { &mut settled } = depth;
                    break;
                }
            }
            for e in best[depth].max(1)..=most {
                extend(&mut alike.beginning[e], at as Word);
            }
            if complete && let Some(errors) = states[depth].errors(letters.end, most) {
                for e in errors.max(1)..=most {
                    extend(&mut alike.whole[e], at as Word);
                }
            }
            at += 1;
        }
        alike
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::index::{Builder, Entry};
    use proptest::prelude::*;

    /// Optimal string alignment distance to the nearest beginning, by the book.
    fn distance(query: &[char], word: &[char], whole: bool) -> usize {
        let mut rows = vec![vec![0; query.len() + 1]; word.len() + 1];
        let mut best = usize::MAX;
        for i in 0..=word.len() {
            for j in 0..=query.len() {
                rows[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let change = usize::from(word[i - 1] != query[j - 1]);
                    let mut least =
                        (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
                    if i > 1 && j > 1 && word[i - 1] == query[j - 2] && word[i - 2] == query[j - 1] {
                        least = least.min(rows[i - 2][j - 2] + 1);
                    }
                    least
                };
            }
            best = best.min(rows[i][query.len()]);
        }
        if whole { rows[word.len()][query.len()] } else { best }
    }

    #[test]
    fn a_word_that_goes_on_where_another_was_given_up_is_found() {
        let mut builder = Builder::default();
        for word in ["bae", "baea"] {
            builder.add(&Entry { id: word, title: word, ..Entry::default() });
        }
        assert_eq!(builder.finish().alike("eb", 1).beginning[1], vec![0..2]);
    }

    proptest! {
        #[test]
        fn agrees_with_the_table(words in prop::collection::btree_set("[abcé]{1,7}", 1..60), typed in "[abcé]{1,6}", most in 1_usize..=2) {
            let mut builder = Builder::default();
            for word in &words {
                builder.add(&Entry { id: word, title: word, ..Entry::default() });
            }
            let segment = builder.finish();
            let alike = segment.alike(&crate::music::fold(&typed), most);
            let query: Vec<char> = crate::music::fold(&typed).chars().collect();
            for at in 0..segment.words() {
                let text: Vec<char> = std::str::from_utf8(segment.word(at)).unwrap().chars().collect();
                for (ranges, whole) in [(&alike.beginning[most], false), (&alike.whole[most], true)] {
                    let found = ranges.iter().any(|r| r.contains(&(at as u32)));
                    prop_assert_eq!(found, distance(&query, &text, whole) <= most, "{:?} {}", text, whole);
                }
            }
        }
    }
}
