//! What people call the music: items by their tags, for the listener whom no crowd can help yet.
//!
//! Counts of `(item, tag)` become tf-idf: `ln(1 + count) · ln(items / items with the tag)`, each item scaled to
//! length 1 (Salton and Buckley, "Term-Weighting Approaches in Automatic Text Retrieval", 1988). A listener is the
//! weighted sum of what was played, and an item's score its dot product with that; [`super::ease`] takes the same
//! matrix as extra rows. How often an item was tagged at all is a measure of how known it is.

use super::interactions::{History, Interactions, Weighting};

/// Items and their tags.
#[derive(Debug, Clone, Default)]
pub struct Tags {
    /// Tags × items, tf-idf, columns of length 1.
    rows: Interactions,
    /// Number of taggings of each item.
    counts: Vec<f32>,
}

/// Tags carried by fewer items say nothing about similarity.
const RARE: usize = 2;

impl Tags {
    /// Builds the matrix from `(item, tag, count)`, for tags numbered from 0.
    pub fn new(items: usize, tags: usize, counts: impl IntoIterator<Item = (u32, u32, f32)>) -> Self {
        let raw =
            Interactions::new(tags, items, counts.into_iter().map(|(item, tag, count)| (tag, item, count)));
        let counts: Vec<f32> =
            (0..items as u32).map(|item| raw.by_item().values(item).iter().sum()).collect();
        let tagged = counts.iter().filter(|count| **count > 0.0).count() as f32;
        let idf: Vec<f32> = (0..tags as u32)
            .map(|tag| match raw.by_user().columns(tag).len() {
                carriers if carriers < RARE => 0.0,
                carriers => (1.0 + tagged / carriers as f32).ln(),
            })
            .collect();
        let weight = |tag: u32, count: f32| count.ln_1p() * idf[tag as usize];
        let lengths: Vec<f32> = (0..items as u32)
            .map(|item| {
                raw.by_item().row(item).map(|(tag, count)| weight(tag, count).powi(2)).sum::<f32>().sqrt()
            })
            .collect();
        let cells =
            raw.triples().map(|(tag, item, count)| (tag, item, weight(tag, count) / lengths[item as usize]));
        Self { rows: Interactions::new(tags, items, cells), counts }
    }

    /// True if no item shares a tag with another.
    pub fn is_empty(&self) -> bool {
        self.rows.cells() == 0
    }

    /// Tags × items, tf-idf, each item of length 1.
    pub fn rows(&self) -> &Interactions {
        &self.rows
    }

    /// How often each item was tagged.
    pub fn counts(&self) -> &[f32] {
        &self.counts
    }

    /// The `count` tags that most items carry, in ascending order.
    pub fn widest(&self, count: usize) -> Vec<u32> {
        let carriers = |tag: &u32| self.rows.by_user().columns(*tag).len();
        let mut tags: Vec<u32> = (0..self.rows.users() as u32).filter(|tag| carriers(tag) >= RARE).collect();
        tags.sort_by_key(|tag| (std::cmp::Reverse(carriers(tag)), *tag));
        tags.truncate(count);
        tags.sort_unstable();
        tags
    }

    /// The tags that an item carries, by weight.
    pub fn of(&self, item: u32) -> impl ExactSizeIterator<Item = (u32, f32)> + Clone {
        self.rows.by_item().row(item)
    }

    /// Scores of all items for a listener.
    pub fn score(&self, history: &History, weighting: Weighting, out: &mut [f32]) {
        out.fill(0.0);
        let mut profile = vec![0.0; self.rows.users()];
        for (item, weight) in history.weighted(weighting) {
            for (tag, w) in self.of(item) {
                profile[tag as usize] += weight * w;
            }
        }
        for (tag, share) in profile.into_iter().enumerate() {
            if share != 0.0 {
                for (item, w) in self.rows.by_user().row(tag as u32) {
                    out[item as usize] += share * w;
                }
            }
        }
    }

    /// How much each item of the history adds to the score of `item`, in the order of the history.
    pub fn contributions(&self, history: &History, weighting: Weighting, item: u32) -> Vec<f32> {
        let target: Vec<(u32, f32)> = self.of(item).collect();
        let find =
            |tag: u32| target.binary_search_by_key(&tag, |(tag, _)| *tag).ok().map_or(0.0, |at| target[at].1);
        history
            .weighted(weighting)
            .map(|(own, weight)| weight * self.of(own).map(|(tag, w)| w * find(tag)).sum::<f32>())
            .collect()
    }
}
