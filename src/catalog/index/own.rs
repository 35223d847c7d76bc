//! What one listener did to the documents of a segment: it lifts results, and it is what `rating:`, `starred:` and `plays:`
//! look at.

use std::collections::HashMap;

use super::segment::Doc;

/// One item's marks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::catalog) struct Mark {
    pub(in crate::catalog) plays: u32,
    pub(in crate::catalog) rating: u8,
    pub(in crate::catalog) starred: bool,
    /// Unix ms, 0 for never.
    pub(in crate::catalog) starred_at: i64,
    pub(in crate::catalog) played_at: i64,
}

impl Mark {
    /// From 0 to 255: plays by their logarithm, stars and good ratings on top.
    fn worth(self) -> u8 {
        let plays = f64::from(self.plays + 1).log2() * 8.0;
        let liked = if self.starred { 48.0 } else { 0.0 };
        let rated = match self.rating {
            0 => 0.0,
            // A bad rating takes away what plays gave.
            stars => (f64::from(stars) - 2.0) * 16.0,
        };
        (plays + liked + rated).clamp(0.0, 255.0) as u8
    }
}

/// Most of the listener's own that each query looks at by itself.
const TOP: usize = 512;

/// One listener's marks within a segment.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) marks: HashMap<Doc, Mark>,
    /// The documents that are worth most.
    pub(super) top: Vec<Doc>,
}

impl Own {
    pub(super) fn of(marks: HashMap<Doc, Mark>) -> Self {
        let mut top: Vec<(u8, Doc)> =
            marks.iter().map(|(doc, mark)| (mark.worth(), *doc)).filter(|(worth, _)| *worth > 0).collect();
        top.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        top.truncate(TOP);
        Self { marks, top: top.into_iter().map(|(_, doc)| doc).collect() }
    }

    pub(super) fn worth(&self, doc: Doc) -> u8 {
        self.marks.get(&doc).map_or(0, |mark| mark.worth())
    }
}
