//! `RP3β`: three steps of a random walk over listening, with popular ends discounted.
//!
//! Paudel, Christoffel, Newell and Bernstein, "Updatable, Accurate, Diverse, and Scalable Recommendations for
//! Interactive Applications" (ACM Transactions on Interactive Intelligent Systems 7, 2016): from an item to one of its listeners, from there to another of
//! their items; transition probabilities are raised to `α` and the result is divided by the popularity of the end to
//! the power `β`. Only the `neighbours` largest entries of a row are kept. Cost: `Σ nᵤ²`; memory: `8 k I` bytes.

use super::interactions::{History, Interactions, Weighting};
use super::parallel;

/// What a walk is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WalkOptions {
    /// Exponent `α` of the transition probabilities.
    pub alpha: f32,
    /// Exponent `β` of the discount of popular items.
    pub beta: f32,
    /// Entries kept for each item.
    pub neighbours: usize,
    /// How plays become weights.
    pub weighting: Weighting,
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self { alpha: 0.8, beta: 0.3, neighbours: 500, weighting: Weighting::Binary }
    }
}

/// Item-item similarities by walks of three steps.
#[derive(Debug, Clone)]
pub struct Walk {
    options: WalkOptions,
    /// For each item its neighbours, the strongest first.
    neighbours: Vec<Vec<(u32, f32)>>,
}

impl Walk {
    /// Trains on `data`, whose weights are counts of plays.
    pub fn train(data: &Interactions, options: WalkOptions, threads: usize) -> Self {
        let weighted = data.weighted(options.weighting);
        let (by_user, by_item) = (weighted.by_user(), weighted.by_item());
        let total = |values: &[f32]| values.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        let user_total: Vec<f32> = (0..data.users() as u32).map(|user| total(by_user.values(user))).collect();
        let discount: Vec<f32> =
            (0..data.items() as u32).map(|item| total(by_item.values(item)).powf(-options.beta)).collect();
        let fresh = || (vec![0.0_f32; data.items()], Vec::<u32>::new());
        let neighbours = parallel::map(threads, data.items(), fresh, |(sums, touched), item| {
            let item_total = total(by_item.values(item as u32));
            for (user, weight) in by_item.row(item as u32) {
                let first = (weight / item_total).powf(options.alpha);
                let scale = first * user_total[user as usize].powf(-options.alpha);
                for (end, w) in by_user.row(user) {
                    let sum = &mut sums[end as usize];
                    if *sum == 0.0 {
                        touched.push(end);
                    }
                    *sum += scale
                        * if options.weighting == Weighting::Binary { 1.0 } else { w.powf(options.alpha) };
                }
            }
            let mut row: Vec<(u32, f32)> = touched
                .drain(..)
                .map(|end| (end, std::mem::take(&mut sums[end as usize]) * discount[end as usize]))
                .filter(|&(end, _)| end as usize != item)
                .collect();
            let stronger = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
            if row.len() > options.neighbours {
                row.select_nth_unstable_by(options.neighbours, stronger);
                row.truncate(options.neighbours);
            }
            row.sort_unstable_by(stronger);
            row.shrink_to_fit();
            row
        });
        Self { options, neighbours }
    }

    /// What the model was trained with.
    pub fn options(&self) -> &WalkOptions {
        &self.options
    }

    /// Scores of all items for a listener.
    pub fn score(&self, history: &History, out: &mut [f32]) {
        out.fill(0.0);
        for (item, weight) in history.weighted(self.options.weighting) {
            for &(end, strength) in self.of(item) {
                out[end as usize] += weight * strength;
            }
        }
    }

    /// How much each item of the history adds to the score of `item`, in the order of the history.
    pub fn contributions(&self, history: &History, item: u32) -> Vec<f32> {
        let strength =
            |own| self.of(own).iter().find(|(end, _)| *end == item).map_or(0.0, |(_, strength)| *strength);
        history.weighted(self.options.weighting).map(|(own, weight)| weight * strength(own)).collect()
    }

    /// An item's neighbours, the strongest first.
    pub fn of(&self, item: u32) -> &[(u32, f32)] {
        self.neighbours.get(item as usize).map_or(&[], Vec::as_slice)
    }
}
