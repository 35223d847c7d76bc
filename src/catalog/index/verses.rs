//! Words of lyrics, apart from those of titles: they are many and seldom asked for, so they are kept small and are not part of
//! what a word without an operator finds. Each word has its documents in ascending order, as the gaps between them.

use super::{
    bits::Bits,
    segment::{Doc, Varints, put_varint, slot},
    words::{folded, split},
};

/// Different words of one song that are kept.
const WORDS: usize = 4_000;

/// Which documents sing which words.
#[derive(Debug, Default)]
pub(super) struct Verses {
    /// Words by the alphabet, end to end.
    pub(super) text: Vec<u8>,
    pub(super) text_starts: Vec<u32>,
    /// For each word its documents: gaps as varints.
    pub(super) docs: Vec<u8>,
    pub(super) doc_starts: Vec<u32>,
}

/// The different words of a song's text.
pub(super) fn words(lyrics: &str) -> Vec<String> {
    let mut words: Vec<String> = lyrics.lines().flat_map(|line| split(&folded(line))).collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(WORDS);
    words
}

impl Verses {
    /// From words by the alphabet and, for each, its documents in ascending order.
    pub(super) fn of<'w>(words: impl Iterator<Item = (&'w str, &'w [Doc])>) -> Self {
        let mut this = Self { text_starts: vec![0], doc_starts: vec![0], ..Self::default() };
        for (word, docs) in words {
            this.text.extend_from_slice(word.as_bytes());
            this.text_starts.push(this.text.len() as u32);
            let mut last = 0;
            for doc in docs {
                put_varint(&mut this.docs, doc - last);
                last = *doc;
            }
            this.doc_starts.push(this.docs.len() as u32);
        }
        this
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.docs.len() + 4 * (self.text_starts.len() + self.doc_starts.len())
    }

    /// Different words.
    pub(super) fn len(&self) -> usize {
        self.text_starts.len().saturating_sub(1)
    }

    fn word(&self, at: usize) -> &[u8] {
        slot(&self.text_starts, &self.text, at)
    }

    /// Documents of so many that sing a word, or one that begins so.
    fn with(&self, word: &str, beginning: bool, documents: usize) -> Bits {
        let mut bits = Bits::new(documents);
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.word(middle) < word.as_bytes() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        for at in low..self.len() {
            let here = self.word(at);
            let fits = if beginning { here.starts_with(word.as_bytes()) } else { here == word.as_bytes() };
            if !fits {
                break;
            }
            let mut doc: Doc = 0;
            for gap in Varints(slot(&self.doc_starts, &self.docs, at)) {
                doc = doc.saturating_add(gap);
                bits.set(doc);
            }
        }
        bits
    }

    /// Documents that sing all these words; where `open`, the last may be the beginning of one.
    pub(super) fn singing(&self, words: &[String], open: bool, documents: usize) -> Bits {
        let mut found: Option<Bits> = None;
        for (at, word) in words.iter().enumerate() {
            let with = self.with(word, open && at + 1 == words.len(), documents);
            match &mut found {
                Some(found) => found.keep(&with),
                None => found = Some(with),
            }
        }
        found.unwrap_or_else(|| Bits::new(documents))
    }

    /// Whether the lists fit together, with so many documents.
    pub(super) fn is_sound(&self, documents: usize) -> bool {
        let starts = |starts: &[u32], end: usize| {
            starts.first().is_none_or(|first| *first == 0)
                && starts.is_sorted()
                && starts.last().map_or(0, |last| *last as usize) == end
        };
        starts(&self.text_starts, self.text.len())
            && starts(&self.doc_starts, self.docs.len())
            && self.text_starts.len() == self.doc_starts.len()
            && (0..self.len()).all(|at| {
                let gaps = Varints(slot(&self.doc_starts, &self.docs, at));
                gaps.fold(0_u64, |doc, gap| doc + u64::from(gap)) < documents.max(1) as u64
            })
    }
}
