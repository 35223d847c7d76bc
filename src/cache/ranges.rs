//! Sets of byte ranges: which bytes of a track are held. Pure; every decision about what to fetch rests on it.

use std::ops::Range;

/// A set of bytes, kept as sorted ranges that neither overlap nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RangeSet(Vec<Range<u64>>);

impl RangeSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Index of the first range that ends behind `at`.
    fn seat(&self, at: u64) -> usize {
        self.0.partition_point(|r| r.end <= at)
    }

    /// Adds `range`; what it overlaps or touches becomes one range with it.
    pub fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let first = self.0.partition_point(|r| r.end < range.start);
        let last = self.0.partition_point(|r| r.start <= range.end);
        let start =
            self.0.get(first).filter(|_| first < last).map_or(range.start, |r| r.start.min(range.start));
        let end = last
            .checked_sub(1)
            .filter(|_| first < last)
            .and_then(|i| self.0.get(i))
            .map_or(range.end, |r| r.end.max(range.end));
        self.0.splice(first..last, std::iter::once(start..end));
    }

    /// Takes `range` out.
    pub fn remove(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let old = std::mem::take(&mut self.0);
        for r in old {
            if r.end <= range.start || r.start >= range.end {
                self.0.push(r);
                continue;
            }
            if r.start < range.start {
                self.0.push(r.start..range.start);
            }
            if r.end > range.end {
                self.0.push(range.end..r.end);
            }
        }
    }

    /// How many bytes are held without a break from `at` on; 0 when `at` itself is not held.
    pub fn run_from(&self, at: u64) -> u64 {
        self.0.get(self.seat(at)).filter(|r| r.start <= at).map_or(0, |r| r.end - at)
    }

    /// Whether the byte `at` is held.
    pub fn contains(&self, at: u64) -> bool {
        self.run_from(at) > 0
    }

    /// Whether all of `range` is held.
    pub fn covers(&self, range: Range<u64>) -> bool {
        range.is_empty() || self.run_from(range.start) >= range.end - range.start
    }

    /// The first byte from `at` on that is not held.
    pub fn next_hole(&self, at: u64) -> u64 {
        at + self.run_from(at)
    }

    /// The first held range that begins at or behind `at`, `at` itself cut out of a range that holds it.
    pub fn next_held(&self, at: u64) -> Option<Range<u64>> {
        self.0.get(self.seat(at)).map(|r| r.start.max(at)..r.end)
    }

    /// How many bytes are held without a break just before `at`.
    pub fn run_before(&self, at: u64) -> u64 {
        let i = self.0.partition_point(|r| r.start < at);
        i.checked_sub(1).and_then(|i| self.0.get(i)).filter(|r| r.end >= at).map_or(0, |r| at - r.start)
    }

    /// The parts of `range` that are not held, in order.
    pub fn holes(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let mut holes = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let hole = self.next_hole(at);
            if hole >= range.end {
                break;
            }
            let end = self.next_held(hole).map_or(range.end, |r| r.start.min(range.end));
            holes.push(hole..end);
            at = end;
        }
        holes
    }

    /// The parts of `range` that are held, in order.
    pub fn held(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let from = self.seat(range.start);
        self.0
            .iter()
            .skip(from)
            .take_while(|r| r.start < range.end)
            .map(|r| r.start.max(range.start)..r.end.min(range.end))
            .filter(|r| !r.is_empty())
            .collect()
    }

    /// Forgets everything from `len` on.
    pub fn clip(&mut self, len: u64) {
        self.remove(len..u64::MAX);
    }

    /// Number of bytes held.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|r| r.end - r.start).sum()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges in order.
    pub fn iter(&self) -> impl Iterator<Item = &Range<u64>> {
        self.0.iter()
    }
}

impl Extend<Range<u64>> for RangeSet {
    fn extend<I: IntoIterator<Item = Range<u64>>>(&mut self, ranges: I) {
        for range in ranges {
            self.insert(range);
        }
    }
}

impl FromIterator<Range<u64>> for RangeSet {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        let mut set = Self::new();
        set.extend(ranges);
        set
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPACE: u64 = 64;

    fn steps() -> impl Strategy<Value = Vec<(bool, u64, u64)>> {
        prop::collection::vec((any::<bool>(), 0..SPACE, 0..SPACE), 0..40)
    }

    proptest! {
        #[test]
        fn behaves_as_a_set_of_bytes(steps in steps()) {
            let mut set = RangeSet::new();
            let mut model = vec![false; SPACE as usize];
            for (add, a, b) in steps {
                let range = a.min(b)..a.max(b);
                for i in range.clone() {
                    model[i as usize] = add;
                }
                if add { set.insert(range) } else { set.remove(range) }

                prop_assert_eq!(set.len(), model.iter().filter(|held| **held).count() as u64);
                prop_assert_eq!(set.is_empty(), !model.contains(&true));
                let list: Vec<_> = set.iter().cloned().collect();
                prop_assert!(list.iter().all(|r| !r.is_empty()));
                prop_assert!(list.windows(2).all(|w| w[0].end < w[1].start), "ranges touch: {:?}", list);
                for at in 0..SPACE {
                    let run = model[at as usize..].iter().take_while(|held| **held).count() as u64;
                    let before = model[..at as usize].iter().rev().take_while(|held| **held).count() as u64;
                    prop_assert_eq!(set.run_from(at), run);
                    prop_assert_eq!(set.run_before(at), before);
                    prop_assert_eq!(set.contains(at), model[at as usize]);
                    prop_assert_eq!(set.next_hole(at), at + run);
                    let next = (at..SPACE).find(|i| model[*i as usize]);
                    prop_assert_eq!(set.next_held(at).map(|r| r.start), next);
                }
            }
        }

        #[test]
        fn holes_and_held_share_a_range_out(steps in steps(), a in 0..SPACE, b in 0..SPACE) {
            let set: RangeSet = steps.into_iter().map(|(_, a, b)| a.min(b)..a.max(b)).collect();
            let range = a.min(b)..a.max(b);
            let mut all: Vec<_> = set.holes(range.clone());
            prop_assert!(all.iter().all(|h| h.clone().all(|i| !set.contains(i))));
            let held = set.held(range.clone());
            prop_assert!(held.iter().all(|h| set.covers(h.clone())));
            all.extend(held);
            all.sort_by_key(|r| r.start);
            let mut at = range.start;
            for part in all {
                prop_assert_eq!(part.start, at);
                at = part.end;
            }
            prop_assert_eq!(at, range.end);
        }
    }
}
