//! The search for each model's own settings: from a good start, one setting at a time, as long as the check improves.

use super::heldout::{self, Check};
use super::interactions::Weighting;
use super::parts::{Part, Recipe};
use super::tags::Tags;

/// A model that was tried, and how it did.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// The recipe.
    pub recipe: Recipe,
    /// Mean `NDCG@100` on the check.
    pub ndcg: f32,
    /// Weight in the blend; `None` if it was not considered for it.
    pub weight: Option<f32>,
}

/// Gain below which a step is not worth another training.
const WORTH: f32 = 0.002;

/// Most models tried in one climb.
const TRIES: usize = 9;

pub(crate) struct Search<'a> {
    pub(crate) check: &'a Check,
    pub(crate) tags: &'a Tags,
    pub(crate) threads: usize,
    pub(crate) tried: Vec<Tried>,
}

impl Search<'_> {
    /// The score of a recipe; each is trained once.
    pub(crate) fn judge(&mut self, recipe: Recipe) -> f32 {
        if let Some(known) = self.tried.iter().find(|tried| tried.recipe == recipe) {
            return known.ndcg;
        }
        let part = Part::train(recipe, &self.check.train, self.tags, self.threads);
        let ndcg = heldout::mean(&self.check.judge(&part, self.threads));
        self.tried.push(Tried { recipe, ndcg, weight: None });
        ndcg
    }

    /// Climbs from a recipe by the steps that its family has.
    pub(crate) fn climb(&mut self, start: Recipe) -> Recipe {
        let (mut best, mut top) = (start, self.judge(start));
        let end = self.tried.len() + TRIES;
        for _round in 0..2 {
            let before = best;
            for step in 0..steps(&best) {
                for up in [true, false] {
                    let mut moved = false;
                    while self.tried.len() < end {
                        let Some(next) = step_of(&best, step, up) else { break };
                        let ndcg = self.judge(next);
                        if ndcg <= top * (1.0 + WORTH) {
                            break;
                        }
                        (best, top, moved) = (next, ndcg, true);
                    }
                    if moved {
                        break;
                    }
                }
            }
            if best == before {
                break;
            }
        }
        best
    }
}

/// Number of settings of a recipe that the search moves.
fn steps(recipe: &Recipe) -> usize {
    match recipe {
        Recipe::Popularity | Recipe::Fame => 0,
        Recipe::Tags { .. } => 1,
        Recipe::Ease(options) => 2 + usize::from(options.tags > 0.0),
        Recipe::Walk(_) | Recipe::Als(_) => 3,
    }
}

/// A neighbouring recipe, if there is a sensible one.
fn step_of(recipe: &Recipe, step: usize, up: bool) -> Option<Recipe> {
    let times = |value: f32, factor: f32| if up { value * factor } else { value / factor };
    let plus = |value: f32, by: f32| if up { value + by } else { value - by };
    match *recipe {
        Recipe::Popularity | Recipe::Fame => None,
        Recipe::Tags { weighting, fame } => {
            let fame = plus(fame, 0.5);
            (0.0..=2.0).contains(&fame).then_some(Recipe::Tags { weighting, fame })
        }
        Recipe::Walk(mut o) => {
            match step {
                0 => o.beta = plus(o.beta, 0.15),
                1 => o.alpha = plus(o.alpha, 0.2),
                _ => o.weighting = if up { Weighting::Log } else { Weighting::Binary },
            }
            (o.alpha > 0.1 && o.beta > -0.1).then_some(Recipe::Walk(o)).filter(|next| next != recipe)
        }
        Recipe::Ease(mut o) => {
            match step {
                0 => o.regularisation = times(o.regularisation, 2.0),
                1 => o.popularity = plus(o.popularity, 0.25),
                _ => o.tags = times(o.tags, 2.0),
            }
            (-0.1..=1.6).contains(&o.popularity).then_some(Recipe::Ease(o))
        }
        Recipe::Als(mut o) => {
            match step {
                0 => o.popularity = plus(o.popularity, 0.15),
                1 => o.regularisation = times(o.regularisation, 1.6),
                _ => o.unobserved = times(o.unobserved, 2.0),
            }
            (-0.4..=1.0).contains(&o.popularity).then_some(Recipe::Als(o))
        }
    }
}
