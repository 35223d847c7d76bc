//! The models under one roof: a [`Recipe`] says how to train one, a [`Part`] is one trained.

use super::als::{Als, AlsOptions, Objective};
use super::ease::{Ease, EaseOptions};
use super::interactions::{History, Interactions, Weighting};
use super::tags::Tags;
use super::walk::{Walk, WalkOptions};

/// How to train one model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Recipe {
    /// `ln(1 + listeners)`, the same for everybody.
    Popularity,
    /// `ln(1 + taggings)`, the same for everybody: how known an item is beyond this server.
    Fame,
    /// Similarity of tags to those of the history; `fame` is the exponent of `ln(1 + taggings)` by which it is multiplied.
    Tags {
        /// How plays become weights.
        weighting: Weighting,
        /// 0: similarity alone.
        fame: f32,
    },
    /// `RP3β`.
    Walk(WalkOptions),
    /// EASE, with tags as rows where the options say so.
    Ease(EaseOptions),
    /// Matrix factorisation.
    Als(AlsOptions),
}

impl std::fmt::Display for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let weights = |weighting| match weighting {
            Weighting::Binary => "played",
            Weighting::Log => "log",
            Weighting::Sublinear => "1+log",
        };
        match self {
            Self::Popularity => write!(f, "popularity"),
            Self::Fame => write!(f, "fame (taggings)"),
            Self::Tags { weighting, fame } => write!(f, "tags {} fame^{fame}", weights(*weighting)),
            Self::Walk(o) => {
                write!(f, "rp3b {} a={:.2} b={:.2} k={}", weights(o.weighting), o.alpha, o.beta, o.neighbours)
            }
            Self::Ease(o) => {
                write!(f, "ease {} l={:.0} rho={:.2}", weights(o.weighting), o.regularisation, o.popularity)?;
                if o.tags > 0.0 { write!(f, " tags={:.2}", o.tags) } else { Ok(()) }
            }
            Self::Als(o) => write!(
                f,
                "{} {} d={} it={} a0={:.4} l={:.2} nu={:.1} pop={:.2}",
                if o.objective == Objective::Blank { "ials" } else { "als" },
                weights(o.weighting),
                o.factors,
                o.iterations,
                o.unobserved,
                o.regularisation,
                o.frequency,
                o.popularity
            ),
        }
    }
}

/// A trained model.
#[derive(Debug, Clone)]
pub enum Part {
    /// One score for each item, whoever asks.
    Fixed(Vec<f32>),
    /// Tags, with the factor of each item.
    Tags(Tags, Weighting, Vec<f32>),
    /// `RP3β`.
    Walk(Walk),
    /// EASE.
    Ease(Ease),
    /// Matrix factorisation.
    Als(Als),
}

impl Part {
    /// Trains by the recipe on `threads` threads.
    pub fn train(recipe: Recipe, data: &Interactions, tags: &Tags, threads: usize) -> Self {
        let fame = || tags.counts().iter().map(|count| count.ln_1p());
        match recipe {
            Recipe::Popularity => {
                let listeners = (0..data.items() as u32).map(|item| data.by_item().columns(item).len());
                Self::Fixed(listeners.map(|count| (count as f32).ln_1p()).collect())
            }
            Recipe::Fame => Self::Fixed(fame().collect()),
            Recipe::Tags { weighting, fame: exponent } => {
                Self::Tags(tags.clone(), weighting, fame().map(|fame| fame.powf(exponent)).collect())
            }
            Recipe::Walk(options) => Self::Walk(Walk::train(data, options, threads)),
            Recipe::Ease(options) => Self::Ease(Ease::train(data, Some(tags), options, threads)),
            Recipe::Als(options) => Self::Als(Als::train(data, options, threads)),
        }
    }

    /// Scores of all items for a listener, on at most `threads` threads; those of the history's own items mean nothing.
    pub fn score(&self, history: &History, threads: usize, out: &mut [f32]) {
        match self {
            Self::Fixed(scores) => out.copy_from_slice(scores),
            Self::Tags(tags, weighting, fame) => {
                tags.score(history, *weighting, out);
                for (score, fame) in out.iter_mut().zip(fame) {
                    *score *= fame;
                }
            }
            Self::Walk(walk) => walk.score(history, out),
            Self::Ease(ease) => ease.score(history, out),
            Self::Als(als) => als.score(history, threads, out),
        }
    }

    /// For each of `items`, how much each item of the history adds to its score, in the order of the history. Nothing
    /// comes from the history in a score that is the same for everybody.
    pub fn contributions(&self, history: &History, items: &[u32]) -> Vec<Vec<f32>> {
        match self {
            Self::Fixed(_) => vec![vec![0.0; history.len()]; items.len()],
            Self::Tags(tags, weighting, fame) => items
                .iter()
                .map(|&item| {
                    let factor = fame.get(item as usize).copied().unwrap_or(0.0);
                    let mut shares = tags.contributions(history, *weighting, item);
                    for share in &mut shares {
                        *share *= factor;
                    }
                    shares
                })
                .collect(),
            Self::Walk(walk) => items.iter().map(|&item| walk.contributions(history, item)).collect(),
            Self::Ease(ease) => ease.contributions(history, items),
            Self::Als(als) => als.contributions(history, items),
        }
    }
}
