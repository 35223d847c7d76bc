//! The smallest numbers of any range of a list, in order, without looking at the whole range.
//!
//! Beside the list stands a pyramid of minima: one of each 64 numbers, one of each 64 of those, and so on. The smallest number
//! of a range is then found in a few hundred comparisons however long the range is, and taking it out splits the range
//! in two. Document numbers follow popularity, so "the smallest" are the best results.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Range};

const BLOCK: usize = 64;

/// The minima above a list of numbers.
#[derive(Debug, Default)]
pub(super) struct Minima(Vec<Vec<u32>>);

impl Minima {
    pub(super) fn of(list: &[u32]) -> Self {
        let mut levels: Vec<Vec<u32>> = Vec::new();
        loop {
            let below = levels.last().map_or(list, Vec::as_slice);
            if below.len() <= BLOCK {
                return Self(levels);
            }
            let level = below.chunks(BLOCK).map(|b| b.iter().copied().min().unwrap_or(u32::MAX)).collect();
            levels.push(level);
        }
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(|level| level.len() * 4).sum()
    }

    /// The smallest number of a range and where it stands.
    fn smallest(&self, list: &[u32], range: Range<usize>) -> Option<(u32, usize)> {
        self.at_level(list, 0, range)
    }

    /// The same at a level: 0 is the list.
    fn at_level(&self, list: &[u32], level: usize, range: Range<usize>) -> Option<(u32, usize)> {
        let numbers = if level == 0 { list } else { self.0.get(level - 1)?.as_slice() };
        let inner = range.start.div_ceil(BLOCK)..range.end / BLOCK;
        if inner.len() < 2 || self.0.len() <= level {
            return scan(numbers, range);
        }
        let edges = [range.start..inner.start * BLOCK, inner.end * BLOCK..range.end];
        let block = self.at_level(list, level + 1, inner);
        let inside = block.and_then(|(_, block)| scan(numbers, block * BLOCK..(block + 1) * BLOCK));
        edges.into_iter().filter_map(|edge| scan(numbers, edge)).chain(inside).min()
    }
}

fn scan(numbers: &[u32], range: Range<usize>) -> Option<(u32, usize)> {
    let part = numbers.get(range.clone())?;
    // First the value alone, which the compiler does many at a time; then its place.
    let least = part.iter().copied().min()?;
    let at = part.iter().position(|n| *n == least)?;
    Some((least, range.start + at))
}

/// Numbers of some ranges of a list in ascending order, each once.
pub(super) struct Ascending<'a> {
    list: &'a [u32],
    minima: &'a Minima,
    heap: BinaryHeap<Reverse<(u32, usize, usize, usize)>>,
    last: Option<u32>,
}

impl<'a> Ascending<'a> {
    pub(super) fn new(
        list: &'a [u32],
        minima: &'a Minima,
        ranges: impl IntoIterator<Item = Range<usize>>,
    ) -> Self {
        let mut this = Self { list, minima, heap: BinaryHeap::new(), last: None };
        for range in ranges {
            this.push(range);
        }
        this
    }

    fn push(&mut self, range: Range<usize>) {
        if let Some((least, at)) = self.minima.smallest(self.list, range.clone()) {
            self.heap.push(Reverse((least, at, range.start, range.end)));
        }
    }
}

impl Iterator for Ascending<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            let Reverse((least, at, start, end)) = self.heap.pop()?;
            self.push(start..at);
            self.push(at + 1..end);
            if self.last != Some(least) {
                self.last = Some(least);
                return Some(least);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_ranges_come_in_order(list in prop::collection::vec(0_u32..5_000, 0..12_000), cuts in any::<[prop::sample::Index; 4]>()) {
            let minima = Minima::of(&list);
            let mut at: Vec<usize> = cuts.iter().map(|i| i.index(list.len() + 1)).collect();
            at.sort_unstable();
            let ranges = [at[0]..at[1], at[2]..at[3]];
            let mut wanted: Vec<u32> = ranges.iter().flat_map(|r| list[r.clone()].to_vec()).collect();
            wanted.sort_unstable();
            wanted.dedup();
            let found: Vec<u32> = Ascending::new(&list, &minima, ranges).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
