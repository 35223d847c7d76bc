//! Bytes that the disk does not take: a bounded window around the places where they are read.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::{Buf, Bytes};

use super::ranges::RangeSet;

/// Pieces of a track in memory, for a disk that is full, read-only, or in use by another process.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pieces: BTreeMap<u64, Bytes>,
}

impl Memory {
    /// Bytes kept behind a reader, for decoders that look back.
    const BEHIND: u64 = 1024 * 1024;
    /// Bytes fetched ahead of a reader.
    pub(super) const AHEAD: u64 = 4 * 1024 * 1024;
    /// Bytes kept at the head of the file, where decoders read first and come back to.
    const HEAD: u64 = 128 * 1024;
    /// Bytes kept at the end of the file, where some containers have their index.
    const TAIL: u64 = 256 * 1024;

    /// Keeps `bytes` from `at` on, then drops what no reader is near to. The caller passes only bytes that are
    /// not held yet, so pieces never overlap.
    pub(super) fn insert(&mut self, at: u64, bytes: Bytes, cursors: &[u64], total: Option<u64>) {
        self.pieces.insert(at, bytes);
        let near = |piece: &Range<u64>| {
            piece.start < Self::HEAD
                || total.is_some_and(|t| piece.end > t.saturating_sub(Self::TAIL))
                || cursors
                    .iter()
                    .any(|c| piece.end > c.saturating_sub(Self::BEHIND) && piece.start < c + 2 * Self::AHEAD)
        };
        self.pieces.retain(|at, bytes| near(&(*at..*at + bytes.len() as u64)));
    }

    /// Copies what is here from `at` on into `buf`; 0 when the byte `at` is not here.
    pub(super) fn read(&self, at: u64, buf: &mut [u8]) -> usize {
        let mut done = 0;
        while let Some(want) = buf.get_mut(done..).filter(|b| !b.is_empty()) {
            let from = at + done as u64;
            let Some((start, bytes)) = self.pieces.range(..=from).next_back() else { break };
            let mut piece = bytes.clone();
            let skip = (from - start) as usize;
            if skip >= piece.len() {
                break;
            }
            piece.advance(skip);
            let n = piece.len().min(want.len());
            piece.copy_to_slice(&mut want[..n]);
            done += n;
        }
        done
    }

    /// Which bytes are here.
    pub(super) fn ranges(&self) -> RangeSet {
        self.pieces.iter().map(|(at, bytes)| *at..*at + bytes.len() as u64).collect()
    }

    pub(super) fn clear(&mut self) {
        self.pieces.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_bounded_while_a_reader_walks_through() {
        let mut memory = Memory::default();
        let step = 64 * 1024_u64;
        for i in 0..2_000 {
            let at = i * step;
            memory.insert(at, Bytes::from(vec![i as u8; step as usize]), &[at], Some(2_000 * step));
            let mut one = [0];
            assert_eq!(memory.read(at + step - 1, &mut one), 1);
            assert_eq!(one[0], i as u8);
            assert!(memory.ranges().len() < 12 * 1024 * 1024);
        }
        assert!(memory.ranges().contains(0), "the head stays");
        assert!(!memory.ranges().contains(20 * 1024 * 1024), "the middle went");
    }

    #[test]
    fn reads_across_pieces_and_stops_at_a_hole() {
        let mut memory = Memory::default();
        memory.insert(0, Bytes::from_static(b"abc"), &[0], None);
        memory.insert(3, Bytes::from_static(b"def"), &[0], None);
        memory.insert(8, Bytes::from_static(b"xyz"), &[0], None);
        let mut buf = [0; 16];
        assert_eq!(memory.read(1, &mut buf), 5);
        assert_eq!(&buf[..5], b"bcdef");
        assert_eq!(memory.read(6, &mut buf), 0);
    }
}
