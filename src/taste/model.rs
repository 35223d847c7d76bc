//! The trained blend: what the rest of the program asks.

use super::blend;
use super::interactions::History;
use super::parallel;
use super::parts::{Part, Recipe};
use super::search::Tried;
use super::topk;

/// One thing played, and how much of a recommendation comes from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// The item of the history.
    pub item: u32,
    /// Its part of all that the history says for the recommendation, 0 to 1.
    pub share: f32,
}

/// One recommended item.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// The item.
    pub item: u32,
    /// The blend's score: weighted standard deviations above the listener's average item.
    pub score: f32,
    /// What in the history speaks for it most, strongest first. Empty if nothing does: then it is merely popular.
    pub evidence: Vec<Evidence>,
}

/// Items of the history named as evidence, at most.
const REASONS: usize = 3;

/// A trained blend. It is immutable, can be shared between threads, and answers for any history.
#[derive(Debug, Clone)]
pub struct Model {
    items: usize,
    parts: Vec<(f32, Part)>,
    recipes: Vec<(Recipe, f32)>,
    tried: Vec<Tried>,
    ndcg: f32,
}

impl Model {
    pub(crate) fn new(
        items: usize,
        parts: Vec<(f32, Part)>,
        recipes: Vec<(Recipe, f32)>,
        tried: Vec<Tried>,
        ndcg: f32,
    ) -> Self {
        Self { items, parts, recipes, tried, ndcg }
    }

    /// Number of items in the catalogue.
    pub fn items(&self) -> usize {
        self.items
    }

    /// What is blended, with weights that add up to 1.
    pub fn recipes(&self) -> &[(Recipe, f32)] {
        &self.recipes
    }

    /// What was tried on the held-out check. Empty if there were too few listeners for one.
    pub fn tried(&self) -> &[Tried] {
        &self.tried
    }

    /// The blend's mean `NDCG@100` on the check; 0 without one.
    pub fn checked(&self) -> f32 {
        self.ndcg
    }

    /// The blend's score of every item, those of the history included: standard deviations above the listener's average item.
    pub fn scores(&self, history: &History) -> Vec<f32> {
        self.blended(history).0
    }

    /// The `n` best items that are not in the history, as `(item, score)`, best first.
    pub fn rank(&self, history: &History, n: usize) -> Vec<(u32, f32)> {
        topk::largest(&self.blended(history).0, history.items(), n)
    }

    /// The `n` best items that are not in the history, each with what in the history speaks for it.
    pub fn recommend(&self, history: &History, n: usize) -> Vec<Recommendation> {
        let (scores, scales) = self.blended(history);
        let ranked = topk::largest(&scores, history.items(), n);
        let items: Vec<u32> = ranked.iter().map(|(item, _)| *item).collect();
        let mut shares = vec![vec![0.0; history.len()]; items.len()];
        for ((_, part), scale) in self.parts.iter().zip(scales) {
            for (sum, own) in shares.iter_mut().zip(part.contributions(history, &items)) {
                for (sum, own) in sum.iter_mut().zip(own) {
                    *sum += scale * own;
                }
            }
        }
        let with_evidence = |((item, score), shares): ((u32, f32), Vec<f32>)| {
            let total: f32 = shares.iter().filter(|share| **share > 0.0).sum();
            let mut evidence: Vec<Evidence> = history
                .items()
                .iter()
                .zip(shares)
                .filter(|(_, share)| *share > 0.0)
                .map(|(item, share)| Evidence { item: *item, share: share / total })
                .collect();
            evidence.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.item.cmp(&b.item)));
            evidence.truncate(REASONS);
            Recommendation { item, score, evidence }
        };
        ranked.into_iter().zip(shares).map(with_evidence).collect()
    }

    /// Blended scores of all items, and each part's factor: its weight over its standard deviation.
    fn blended(&self, history: &History) -> (Vec<f32>, Vec<f32>) {
        let (mut blend, mut own) = (vec![0.0; self.items], vec![0.0; self.items]);
        let mut scales = Vec::with_capacity(self.parts.len());
        let threads = parallel::available();
        for (weight, part) in &self.parts {
            part.score(history, threads, &mut own);
            let (mean, reciprocal) = blend::scale(&own, history);
            let factor = weight * reciprocal;
            scales.push(factor);
            for (sum, score) in blend.iter_mut().zip(&own) {
                *sum += (score - mean) * factor;
            }
        }
        (blend, scales)
    }

    /// What was tried and what came of it, as a table of text.
    pub fn table(&self) -> String {
        use std::fmt::Write as _;
        let mut out = String::from("NDCG@100  weight  model\n");
        let mut rows: Vec<&Tried> = self.tried.iter().collect();
        rows.sort_by(|a, b| b.ndcg.total_cmp(&a.ndcg));
        for Tried { recipe, ndcg, weight } in rows {
            let weight = weight.map_or(String::from("-"), |weight| format!("{weight:.3}"));
            let _ = writeln!(out, "{ndcg:8.4}  {weight:>6}  {recipe}");
        }
        if self.tried.is_empty() {
            out.push_str("       -          too few listeners for a check; stated blend:\n");
            for (recipe, weight) in &self.recipes {
                let _ = writeln!(out, "       -  {weight:6.3}  {recipe}");
            }
        }
        if !self.tried.is_empty() {
            let _ = writeln!(out, "{:8.4}   1.000  the blend", self.ndcg);
        }
        out
    }
}
