//! Bytes by blocks: which blocks a range touches, and which of a file's blocks are there. Pure.

use std::ops::Range;

/// Bytes in a block: what is fetched at once for who listens.
pub(crate) const BLOCK: u64 = 256 * 1024;

/// The bytes of a block of something so long.
pub(crate) fn span(number: u64, block: u64, size: u64) -> Range<u64> {
    let start = (number * block).min(size);
    start..(start + block).min(size)
}

/// The part of a range that lies in its first block, and no more than `most` of it.
pub(crate) fn first_piece(range: &Range<u64>, block: u64, most: u64) -> Range<u64> {
    let end = (range.start / block + 1) * block;
    range.start..range.end.min(end).min(range.start.saturating_add(most.max(1))).max(range.start)
}

/// Which blocks are there.
#[derive(Debug)]
pub(crate) struct Map {
    words: Vec<u64>,
    blocks: u64,
    here: u64,
}

impl Map {
    /// Of something so long, with nothing there.
    pub(crate) fn of(size: u64) -> Self {
        let blocks = size.div_ceil(BLOCK);
        let words = usize::try_from(blocks.div_ceil(64)).unwrap_or(0);
        Self { words: vec![0; words], blocks, here: 0 }
    }

    fn place(number: u64) -> (usize, u64) {
        (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64))
    }

    /// Whether a block is there.
    pub(crate) fn has(&self, number: u64) -> bool {
        let (word, bit) = Self::place(number);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Notes that a block is there.
    pub(crate) fn add(&mut self, number: u64) {
        let (word, bit) = Self::place(number);
        if number < self.blocks
            && let Some(word) = self.words.get_mut(word)
            && *word & bit == 0
        {
            *word |= bit;
            self.here += 1;
        }
    }

    /// Whether all are there.
    pub(crate) fn whole(&self) -> bool {
        self.here == self.blocks
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_make_up_the_range(start in 0_u64..5000, more in 0_u64..5000, block in 1_u64..700, most in 0_u64..900) {
            let mut range = start..start + more;
            let end = range.end;
            let mut at = start;
            while !range.is_empty() {
                let piece = first_piece(&range, block, most);
                prop_assert_eq!(piece.start, at);
                prop_assert!(piece.end > at && piece.end <= end && piece.end - at <= most.max(1));
                prop_assert_eq!(piece.start / block, (piece.end - 1) / block, "in one block");
                at = piece.end;
                range.start = at;
            }
            prop_assert_eq!(at, end);
        }

        #[test]
        fn blocks_cover_the_whole(size in 0_u64..5000, block in 1_u64..700) {
            let mut at = 0;
            for number in 0..size.div_ceil(block) {
                let span = span(number, block, size);
                prop_assert_eq!(span.start, at);
                prop_assert!(!span.is_empty());
                at = span.end;
            }
            prop_assert_eq!(at, size);
        }

        #[test]
        fn a_map_is_whole_when_each_block_came(size in 0_u64..200 * BLOCK, order in any::<u64>()) {
            let mut map = Map::of(size);
            let blocks = size.div_ceil(BLOCK);
            for n in 0..blocks {
                prop_assert!(!map.whole());
                let number = (n + order % blocks) % blocks;
                prop_assert!(!map.has(number));
                map.add(number);
                map.add(number);
                map.add(blocks + n);
                prop_assert!(map.has(number));
            }
            prop_assert!(map.whole());
        }
    }
}
