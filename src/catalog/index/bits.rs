//! Sets of documents, a bit each.

use super::segment::Doc;

/// A set of documents.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn new(documents: usize) -> Self {
        Self(vec![0; documents.div_ceil(64)])
    }

    pub(super) fn set(&mut self, doc: Doc) {
        if let Some(word) = self.0.get_mut(doc as usize / 64) {
            *word |= 1 << (doc % 64);
        }
    }

    pub(super) fn has(&self, doc: Doc) -> bool {
        self.0.get(doc as usize / 64).is_some_and(|word| word >> (doc % 64) & 1 == 1)
    }

    /// Keeps what the other has too.
    pub(super) fn keep(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine &= theirs;
        }
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// What is in it, ascending, from after a document on.
    pub(super) fn after(&self, doc: Option<Doc>) -> impl Iterator<Item = Doc> {
        let first = doc.map_or(0, |doc| doc as usize + 1);
        self.0.iter().enumerate().skip(first / 64).flat_map(move |(at, word)| {
            let hidden = if at == first / 64 { !0 << (first % 64) } else { !0 };
            let mut word = word & hidden;
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros())?;
                word &= word - 1;
                Some((at * 64) as Doc + bit)
            })
        })
    }
}
