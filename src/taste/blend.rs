//! Several models' scores as one.
//!
//! Scores of different models are not on one scale, so each model's scores for a listener are brought to mean 0 and standard
//! deviation 1 over all the items that the listener does not have (z-scores); the blend is their weighted sum. The weights are found by
//! coordinate ascent on the held-out check's NDCG, from several starts, each single model among them: so that on
//! the check the blend is never worse than its best part. A step is taken only if its gain exceeds half its
//! standard error over the listeners (paired), so that a check with few listeners stays near its start.

use super::heldout::{self, Check};
use super::interactions::History;
use super::parts::Part;
use super::{parallel, topk};

/// Candidates that each model brings to the search for weights.
const CANDIDATES: usize = 250;
/// Part of a step's standard error that its gain must exceed.
const CAUTION: f32 = 0.5;

/// Mean and reciprocal standard deviation of the scores of items that are not in the history.
pub(crate) fn scale(scores: &[f32], history: &History) -> (f32, f32) {
    let (mut sum, mut squares, mut count) = (0.0_f64, 0.0_f64, scores.len() as f64);
    for &score in scores {
        sum += f64::from(score);
        squares += f64::from(score) * f64::from(score);
    }
    for score in history.items().iter().filter_map(|item| scores.get(*item as usize)) {
        sum -= f64::from(*score);
        squares -= f64::from(*score) * f64::from(*score);
        count -= 1.0;
    }
    if count < 1.0 {
        return (0.0, 0.0);
    }
    let mean = sum / count;
    let variance = (squares / count - mean * mean).max(0.0);
    let flat = variance <= 1e-12 * mean * mean || variance < 1e-30;
    (mean as f32, if flat { 0.0 } else { variance.sqrt().recip() as f32 })
}

/// What one listener's candidates score in each model.
struct Sheet {
    /// `candidates × models`.
    scores: Vec<f32>,
    hits: Vec<bool>,
    targets: usize,
}

/// The check's listeners with every model's scores, on which weights are tried.
pub struct Sheets {
    models: usize,
    threads: usize,
    asked: Vec<Sheet>,
}

impl Sheets {
    /// Scores the listeners of a check with every part.
    pub fn new(check: &Check, parts: &[Part], threads: usize) -> Self {
        let (items, models) = (check.train.items(), parts.len());
        let sheets = parallel::map(
            threads,
            check.listeners.len(),
            || vec![vec![0.0; items]; models],
            |all, index| {
                let listener = &check.listeners[index];
                let mut candidates = Vec::new();
                let mut scales = Vec::with_capacity(models);
                for (part, scores) in parts.iter().zip(all.iter_mut()) {
                    part.score(&listener.history, 1, scores);
                    scales.push(scale(scores, &listener.history));
                    let best = topk::largest(scores, listener.history.items(), CANDIDATES);
                    candidates.extend(best.into_iter().map(|(item, _)| item));
                }
                candidates.sort_unstable();
                candidates.dedup();
                let scores = candidates
                    .iter()
                    .flat_map(|&item| {
                        all.iter().zip(&scales).map(move |(s, (m, r))| (s[item as usize] - m) * r)
                    })
                    .collect();
                let hits =
                    candidates.iter().map(|item| listener.hidden.binary_search(item).is_ok()).collect();
                Sheet { scores, hits, targets: listener.hidden.len() }
            },
        );
        Self { models, threads, asked: sheets }
    }

    /// `NDCG@100` of a blend for each listener.
    pub fn judge(&self, weights: &[f32]) -> Vec<f32> {
        parallel::map(self.threads, self.asked.len(), Vec::new, |blend: &mut Vec<f32>, index| {
            let sheet = &self.asked[index];
            blend.clear();
            let rows = sheet.scores.chunks_exact(self.models.max(1));
            blend.extend(
                rows.map(|row| row.iter().zip(weights).map(|(score, weight)| score * weight).sum::<f32>()),
            );
            let ranked = topk::largest(blend, &[], heldout::DEPTH);
            heldout::ndcg(ranked.iter().map(|(row, _)| sheet.hits[*row as usize]), sheet.targets)
        })
    }

    /// Adds the listeners of another check, scored with the same recipes.
    pub fn append(&mut self, other: Self) {
        self.asked.extend(other.asked);
    }

    /// The best weights found from the given starts and from each model alone, scaled to the sum 1, and their `NDCG@100`
    /// for each listener.
    pub fn tune(&self, starts: &[Vec<f32>]) -> (Vec<f32>, Vec<f32>) {
        let alone = (0..self.models).map(|model| {
            let mut weights = vec![0.0; self.models];
            weights[model] = 1.0;
            weights
        });
        let mut singles: Vec<(Vec<f32>, Vec<f32>)> =
            alone.map(|weights| (self.judge(&weights), weights)).collect();
        singles.sort_by(|a, b| heldout::mean(&b.0).total_cmp(&heldout::mean(&a.0)));
        let mut ends: Vec<(Vec<f32>, Vec<f32>)> = Vec::new();
        if let Some((_, weights)) = singles.first() {
            ends.push(self.climb(weights.clone()));
        }
        for start in starts.iter().filter(|start| start.len() == self.models) {
            ends.push(self.climb(start.clone()));
        }
        let better = |a: &(Vec<f32>, Vec<f32>), b: &(Vec<f32>, Vec<f32>)| {
            heldout::mean(&a.1).total_cmp(&heldout::mean(&b.1))
        };
        let (mut weights, judged) = ends.into_iter().max_by(better).unwrap_or_default();
        let sum: f32 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum.max(f32::MIN_POSITIVE);
        }
        (weights, judged)
    }

    fn climb(&self, mut weights: Vec<f32>) -> (Vec<f32>, Vec<f32>) {
        let mut judged = self.judge(&weights);
        for step in [2.0_f32, 1.5, 1.2] {
            for _round in 0..6 {
                let mut moved = false;
                for model in 0..self.models {
                    let total: f32 = weights.iter().sum();
                    let now = weights[model];
                    let tries = if now <= 0.0 {
                        [0.3 * total, 0.1 * total, 0.0]
                    } else {
                        [now * step, now / step, 0.0]
                    };
                    for value in tries.into_iter().filter(|value| value.total_cmp(&now).is_ne()) {
                        let mut other = weights.clone();
                        other[model] = value;
                        if other.iter().all(|weight| *weight <= 0.0) {
                            continue;
                        }
                        let found = self.judge(&other);
                        let (gain, error) = heldout::paired(&found, &judged);
                        if gain > 1e-6 && gain > CAUTION * error {
                            (weights, judged, moved) = (other, found, true);
                            break;
                        }
                    }
                }
                if !moved {
                    break;
                }
            }
        }
        (weights, judged)
    }
}
