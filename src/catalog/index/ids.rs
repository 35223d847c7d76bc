//! The ids of a segment's documents in few bytes, and the way back.
//!
//! Catalogs that scan give every item an id of 32 hexadecimal digits: 16 bytes each, one after the other. Where a server has given
//! others, each stands as it is behind a byte that says so, and a list says where each begins.

use super::segment::{Doc, slot};

/// Bytes of 32 hexadecimal digits.
const SHORT: usize = 16;

/// Ids by document. Documents of one step of popularity are in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Ids {
    pub(super) bytes: Vec<u8>,
    /// Where each begins and the last ends; empty where all are short.
    pub(super) starts: Vec<u32>,
}

/// An id in few bytes: 32 hexadecimal digits as 16 bytes after a 0, anything else after a 1 as it is.
pub(super) fn pack(id: &str, out: &mut Vec<u8>) {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let bytes = id.as_bytes();
    if bytes.len() == 2 * SHORT && bytes.iter().all(|b| digit(*b).is_some()) {
        out.push(0);
        out.extend(bytes.chunks_exact(2).map(|two| {
            let [high, low] = [two[0], two[1]].map(|b| digit(b).unwrap_or(0));
            high << 4 | low
        }));
    } else {
        out.push(1);
        out.extend_from_slice(bytes);
    }
}

impl Ids {
    /// Of packed ids in the order of documents.
    pub(super) fn of<'a>(packed: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        if packed.clone().all(|id| id.first() == Some(&0)) {
            let bytes = packed.flat_map(|id| id.iter().skip(1).copied()).collect();
            return Self { bytes, starts: Vec::new() };
        }
        let mut ids = Self { bytes: Vec::new(), starts: vec![0] };
        for id in packed {
            ids.bytes.extend_from_slice(id);
            ids.starts.push(ids.bytes.len() as u32);
        }
        ids
    }

    /// Bytes in memory.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.starts.len() * 4
    }

    /// Whether there is one for each of so many documents.
    pub(super) fn is_sound(&self, documents: usize) -> bool {
        if self.starts.is_empty() {
            return self.bytes.len() == documents * SHORT;
        }
        self.starts.len() == documents + 1
            && self.starts.is_sorted()
            && self.starts.last().is_some_and(|last| *last as usize == self.bytes.len())
    }

    /// Whether it is short, and its bytes.
    fn packed(&self, doc: Doc) -> (bool, &[u8]) {
        if self.starts.is_empty() {
            let from = doc as usize * SHORT;
            return (true, self.bytes.get(from..from + SHORT).unwrap_or_default());
        }
        match slot(&self.starts, &self.bytes, doc as usize).split_first() {
            Some((0, bytes)) => (true, bytes),
            Some((_, bytes)) => (false, bytes),
            None => (false, &[]),
        }
    }

    /// The id of a document.
    pub(super) fn get(&self, doc: Doc) -> String {
        use std::fmt::Write as _;
        match self.packed(doc) {
            (true, bytes) => bytes.iter().fold(String::with_capacity(2 * SHORT), |mut out, b| {
                let _ = write!(out, "{b:02x}");
                out
            }),
            (false, bytes) => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// The document with an id. `steps` are those of all documents, the greatest first.
    pub(super) fn find(&self, id: &str, steps: &[u8]) -> Option<Doc> {
        let mut wanted = Vec::with_capacity(33);
        pack(id, &mut wanted);
        // Short ones come before others.
        let (other, bytes) = (wanted.first() != Some(&0), wanted.get(1..).unwrap_or_default());
        let mut begin = 0;
        while let Some(step) = steps.get(begin) {
            let rest = steps.get(begin..).unwrap_or_default();
            let end = begin + rest.partition_point(|other| other >= step);
            let (mut low, mut high) = (begin, end);
            while low < high {
                let middle = low.midpoint(high);
                let (short, found) = self.packed(middle as Doc);
                match (!short, found).cmp(&(other, bytes)) {
                    std::cmp::Ordering::Less => low = middle + 1,
                    std::cmp::Ordering::Greater => high = middle,
                    std::cmp::Ordering::Equal => return Some(middle as Doc),
                }
            }
            begin = end;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: &[&str]) -> Ids {
        let packed: Vec<Vec<u8>> = ids
            .iter()
            .map(|id| {
                let mut bytes = Vec::new();
                pack(id, &mut bytes);
                bytes
            })
            .collect();
        Ids::of(packed.iter().map(Vec::as_slice))
    }

    #[test]
    fn ids_are_found_again_whatever_they_look_like() {
        let (low, high) = ("0123456789abcdef0123456789abcdef", "ffffffffffffffffffffffffffffffff");
        for (ids, steps) in [
            (vec![low, high], vec![0, 0]),
            (vec![high, low], vec![9, 3]),
            (vec![high, low, "", "al-7", "ä"], vec![200, 1, 1, 1, 1]),
            (vec!["b", "a"], vec![2, 1]),
            (vec![], vec![]),
        ] {
            let kept = of(&ids);
            assert!(kept.is_sound(ids.len()));
            assert!(!kept.is_sound(ids.len() + 1));
            for (doc, id) in ids.iter().enumerate() {
                assert_eq!(kept.get(doc as Doc), *id);
                assert_eq!(kept.find(id, &steps), Some(doc as Doc));
            }
            assert_eq!(kept.find("nobody", &steps), None);
            assert_eq!(kept.find("00000000000000000000000000000000", &steps), None);
        }
    }
}
