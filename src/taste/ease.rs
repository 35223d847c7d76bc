//! EASE, a linear item-item model in closed form, without ever building the item-item matrix.
//!
//! Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019): `B` minimises `|X − X B|² + |Λ^½ B|²`
//! with a zero diagonal; with `P = (XᵀX + Λ)⁻¹`, `B = I − P · diag(1 / diag P)`. For `U` rows and `I ≫ U` items
//! Woodbury's identity needs an inverse of `U × U` only. With `X̂ = X Λ^-½`:
//!
//! ```text
//!   M = (I + X̂ X̂ᵀ)⁻¹        qⱼ = x̂ⱼᵀ M x̂ⱼ        x̂ⱼ: column j of X̂
//!   score of j for a history h without j  =  λⱼ^½ / (1 − qⱼ) · Σ over rows u of X̂ᵤⱼ tᵤ,     t = M X̂ (Λ^-½ h)
//! ```
//!
//! `Λ` grows with an item's popularity by an exponent, `λⱼ = λ (cⱼ / mean)^ρ` with `cⱼ = |xⱼ|²`: ρ = 0 is plain EASE, ρ > 0 restrains
//! popular items as dropout does (Steck, "Autoencoders that don't overfit towards the Identity", 34th Conference on Neural Information Processing Systems, 2020). Rows of
//! `X` are listeners and, where there are tags, weighted tags below them (as in Jeunen, Van Balen and
//! Goethals, "Closed-Form Models for Collaborative Filtering with Side-Information", 14th ACM Conference on Recommender Systems, 2020): a tag is a row of
//! the items that carry it. So one model serves a home of one listener, whose tags carry it, and a server of
//! thousands. Cost: `R³` multiply-adds and `4 R²` bytes for `R` rows.

use super::interactions::{History, Interactions, Weighting};
use super::kernels;
use super::parallel;
use super::tags::Tags;

/// At most so many tags, the widest, become rows.
pub(crate) const TAG_ROWS: usize = 1000;

/// What an EASE is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EaseOptions {
    /// How plays become weights.
    pub weighting: Weighting,
    /// Regularisation `λ`.
    pub regularisation: f32,
    /// Exponent `ρ` of popularity in the regularisation.
    pub popularity: f32,
    /// Weight of the rows of tags; 0 leaves them out.
    pub tags: f32,
}

impl Default for EaseOptions {
    fn default() -> Self {
        Self { weighting: Weighting::Binary, regularisation: 150.0, popularity: 0.0, tags: 0.0 }
    }
}

/// The model: `X̂`, `M`, and the scales before and behind them.
#[derive(Debug, Clone)]
pub struct Ease {
    options: EaseOptions,
    /// `X̂`.
    rows: Interactions,
    inverse: Vec<f32>,
    /// `λⱼ^-½`.
    before: Vec<f32>,
    /// `λⱼ^½ / (1 − qⱼ)`.
    behind: Vec<f32>,
}

impl Ease {
    /// Trains on `data`, whose weights are counts of plays, and on tags if the options give them a weight.
    pub fn train(data: &Interactions, tags: Option<&Tags>, options: EaseOptions, threads: usize) -> Self {
        let items = data.items();
        let mut stacked: Vec<(u32, u32, f32)> =
            data.triples().map(|(user, item, plays)| (user, item, options.weighting.apply(plays))).collect();
        let mut used = data.users();
        if let Some(tags) = tags.filter(|_| options.tags > 0.0) {
            for tag in tags.widest(TAG_ROWS) {
                let row = used as u32;
                used += 1;
                stacked.extend(
                    tags.rows().by_user().row(tag).map(|(item, weight)| (row, item, options.tags * weight)),
                );
            }
        }
        let mut squares = vec![0.0_f32; items];
        for &(_, item, weight) in &stacked {
            squares[item as usize] += weight * weight;
        }
        let known = squares.iter().filter(|square| **square > 0.0).count().max(1) as f32;
        let mean = (squares.iter().sum::<f32>() / known).max(f32::MIN_POSITIVE);
        let root: Vec<f32> = squares
            .iter()
            .map(|square| {
                (options.regularisation * (square.max(1e-6) / mean).powf(options.popularity)).sqrt()
            })
            .collect();
        for (_, item, weight) in &mut stacked {
            *weight /= root[*item as usize];
        }
        let rows = Interactions::new(used, items, stacked);
        let count = rows.users();
        let mut inverse = Self::gram(&rows, threads);
        for cell in inverse.iter_mut().step_by(count + 1) {
            *cell += 1.0;
        }
        kernels::invert_spd(threads, &mut inverse, count);
        let behind = parallel::map(
            threads,
            items,
            || (),
            |(), item| {
                let column = rows.by_item().row(item as u32);
                let q: f32 = column
                    .clone()
                    .map(|(row, weight)| {
                        let line = &inverse[row as usize * count..(row as usize + 1) * count];
                        weight * column.clone().map(|(other, w)| w * line[other as usize]).sum::<f32>()
                    })
                    .sum();
                root[item] / (1.0 - q).max(1e-4)
            },
        );
        let before = root.iter().map(|root| root.recip()).collect();
        Self { options, rows, inverse, before, behind }
    }

    /// What the model was trained with.
    pub fn options(&self) -> &EaseOptions {
        &self.options
    }

    fn scaled(&self, history: &History) -> impl Iterator<Item = (u32, f32)> {
        history
            .weighted(self.options.weighting)
            .map(|(item, weight)| (item, weight * self.before.get(item as usize).copied().unwrap_or(0.0)))
    }

    /// `X̂ X̂ᵀ`, dense.
    fn gram(rows: &Interactions, threads: usize) -> Vec<f32> {
        let count = rows.users();
        let mut gram = vec![0.0; count * count];
        if count > 0 {
            parallel::for_each(
                threads,
                gram.chunks_mut(count).enumerate(),
                || (),
                |(), (row, line)| {
                    for (item, weight) in rows.by_user().row(row as u32) {
                        for (other, w) in rows.by_item().row(item) {
                            line[other as usize] += weight * w;
                        }
                    }
                },
            );
        }
        gram
    }

    /// `t = M X̂ (Λ^-½ h)`.
    fn shares(&self, history: &History) -> Vec<f32> {
        let count = self.rows.users();
        let mut overlap = vec![0.0; count];
        for (item, weight) in self.scaled(history) {
            for (row, w) in self.rows.by_item().row(item) {
                overlap[row as usize] += weight * w;
            }
        }
        let picks: Vec<(u32, f32)> = overlap
            .iter()
            .enumerate()
            .filter(|(_, value)| **value != 0.0)
            .map(|(row, value)| (row as u32, *value))
            .collect();
        let mut shares = vec![0.0; count];
        kernels::add_rows(&self.inverse, &picks, &mut shares);
        shares
    }

    /// Scores of all items for a listener; those of the history's own items mean nothing.
    pub fn score(&self, history: &History, out: &mut [f32]) {
        out.fill(0.0);
        for (row, share) in self.shares(history).into_iter().enumerate() {
            if share != 0.0 {
                for (item, weight) in self.rows.by_user().row(row as u32) {
                    out[item as usize] += weight * share;
                }
            }
        }
        for (score, behind) in out.iter_mut().zip(&self.behind) {
            *score *= behind;
        }
    }

    /// For each of `items`, how much each item of the history adds to its score, in the order of the history: `hᵢ Bᵢⱼ`.
    pub fn contributions(&self, history: &History, items: &[u32]) -> Vec<Vec<f32>> {
        let mut out = vec![Vec::with_capacity(history.len()); items.len()];
        let mut line = vec![0.0; self.rows.users()];
        for (own, weight) in self.scaled(history) {
            let picks: Vec<(u32, f32)> =
                self.rows.by_item().row(own).map(|(row, w)| (row, w * weight)).collect();
            line.fill(0.0);
            kernels::add_rows(&self.inverse, &picks, &mut line);
            for (&item, shares) in items.iter().zip(&mut out) {
                let sum: f32 = self.rows.by_item().row(item).map(|(row, w)| w * line[row as usize]).sum();
                shares.push(sum * self.behind.get(item as usize).copied().unwrap_or(0.0));
            }
        }
        out
    }
}
