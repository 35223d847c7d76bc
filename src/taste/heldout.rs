//! The check on listening that the models have not seen: how a recommendation is judged without asking anybody.
//!
//! Part of the listening is hidden, the models are trained on the rest, and a ranking is good if it brings the
//! hidden items to the top. [`Audience`] says what is hidden from them, so that the check resembles the use.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

use super::interactions::{History, Interactions};
use super::parts::Part;
use super::{parallel, topk};

/// Depth to which a ranking is judged.
pub(super) const DEPTH: usize = 100;

/// For whom recommendations are tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// Listeners whose history the models were trained on: everybody on a server. One play in five is hidden.
    #[default]
    Known,
    /// Listeners who come after training and are folded in. One listener in four is hidden, and one in five of
    /// their plays is what must be found.
    New,
}

/// A listener of the check: what the models may use, and what they should find.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The visible part of the history.
    pub history: History,
    /// The hidden items, ascending.
    pub hidden: Vec<u32>,
}

/// Listening divided into what is trained on and what is asked for.
#[derive(Debug, Clone)]
pub struct Check {
    /// What the models may be trained on.
    pub train: Interactions,
    /// The listeners who are asked about.
    pub listeners: Vec<Listener>,
}

impl Check {
    /// Hides part of `data`, for at most `most` listeners. Listeners with fewer than three items are not asked.
    pub fn split(data: &Interactions, audience: Audience, most: usize, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut users: Vec<u32> =
            (0..data.users() as u32).filter(|user| data.by_user().columns(*user).len() >= 3).collect();
        users.shuffle(&mut random);
        let share = if audience == Audience::New { users.len().div_ceil(4) } else { users.len() };
        users.truncate(share.min(most));
        users.sort_unstable();
        let mut listeners = Vec::with_capacity(users.len());
        let mut visible: Vec<Option<History>> = vec![None; data.users()];
        for &user in &users {
            let mut items: Vec<(u32, f32)> = data.by_user().row(user).collect();
            items.shuffle(&mut random);
            let kept = items.split_off(items.len().div_ceil(5));
            let mut hidden: Vec<u32> = items.into_iter().map(|(item, _)| item).collect();
            hidden.sort_unstable();
            let history = History::new(kept);
            visible[user as usize] = Some(match audience {
                Audience::Known => history.clone(),
                Audience::New => History::default(),
            });
            listeners.push(Listener { history, hidden });
        }
        let rows = (0..data.users() as u32).flat_map(|user| {
            let cells: Vec<(u32, f32)> = match &visible[user as usize] {
                Some(history) => history.pairs().collect(),
                None => data.by_user().row(user).collect(),
            };
            cells.into_iter().map(move |(item, plays)| (user, item, plays))
        });
        let train = Interactions::new(data.users(), data.items(), rows);
        Self { train, listeners }
    }

    /// `NDCG@100` of one model for each listener.
    pub fn judge(&self, part: &Part, threads: usize) -> Vec<f32> {
        let items = self.train.items();
        parallel::map(
            threads,
            self.listeners.len(),
            || vec![0.0; items],
            |scores, index| {
                let listener = &self.listeners[index];
                part.score(&listener.history, 1, scores);
                let ranked = topk::largest(scores, listener.history.items(), DEPTH);
                ndcg(
                    ranked.iter().map(|(item, _)| listener.hidden.binary_search(item).is_ok()),
                    listener.hidden.len(),
                )
            },
        )
    }
}

/// Normalised discounted cumulative gain (Järvelin and Kekäläinen, ACM TOIS 20, 2002) with binary gains: of a ranking
/// given as hit or miss, best first, to depth 100, with `targets` items to be found.
pub fn ndcg(hits: impl IntoIterator<Item = bool>, targets: usize) -> f32 {
    let discount = |rank: usize| 1.0 / (rank as f32 + 2.0).log2();
    let gain: f32 = hits
        .into_iter()
        .take(DEPTH)
        .enumerate()
        .filter(|(_, hit)| *hit)
        .map(|(rank, _)| discount(rank))
        .sum();
    let ideal: f32 = (0..targets.min(DEPTH)).map(discount).sum();
    if ideal > 0.0 { gain / ideal } else { 0.0 }
}

/// Mean of a list, 0 for an empty one.
pub fn mean(values: &[f32]) -> f32 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f32>() / values.len() as f32 }
}

/// Mean of the paired differences `a − b`, and its standard error.
pub fn paired(a: &[f32], b: &[f32]) -> (f32, f32) {
    let differences: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let (count, mean) = (differences.len() as f32, mean(&differences));
    let squares: f32 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
    (mean, if count > 1.0 { (squares / (count * (count - 1.0))).sqrt() } else { f32::INFINITY })
}

/// A seed for the `index`th thing that a seed is needed for.
pub(crate) fn derived(seed: u64, index: u64) -> u64 {
    StdRng::seed_from_u64(seed ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15)).random()
}
