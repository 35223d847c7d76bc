//! Factors that an engine elsewhere trained, as they come from there: what a server needs of them to score for anybody.
//!
//! Listeners' own factors are not among it. They are worked out from a listener's history by the equations of the training
//! ([`Als::fold_in`]), so that a new play counts at once and who left is in nothing that is kept.

use super::als::{Als, AlsOptions, Objective};
use super::interactions::Weighting;
use crate::music::TrackId;

/// A trained factorisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    /// Tells it from others: when it was made.
    pub made: String,
    /// Numbers in a row.
    pub rank: usize,
    /// Sweeps that it was trained with.
    pub iterations: usize,
    /// Confidence of a weight of 1 over that of what was not played (`α` of Hu, Koren and Volinsky).
    pub alpha: f32,
    /// Regularisation for each play of a row (`λ` of Zhou et al.).
    pub regularisation: f32,
    /// How plays became weights.
    pub weighting: Weighting,
    /// The items.
    pub tracks: Vec<TrackId>,
    /// A row for each of them.
    pub rows: Vec<f32>,
}

impl Factors {
    /// The same objective in our words. Dividing by `α` gives unplayed pairs the weight `1/α` and `λ` a smaller part.
    pub fn options(&self) -> AlsOptions {
        let alpha = self.alpha.max(f32::MIN_POSITIVE);
        AlsOptions {
            objective: Objective::Confidence,
            factors: self.rank,
            iterations: self.iterations,
            weighting: self.weighting,
            unobserved: alpha.recip(),
            regularisation: self.regularisation / alpha,
            frequency: 1.0,
            popularity: 0.0,
            ..AlsOptions::default()
        }
    }

    /// The factorisation over a catalogue of `items`; `place` says where in it a track is.
    pub fn over(&self, items: usize, place: impl Fn(&TrackId) -> Option<u32>) -> Als {
        Als::trained_elsewhere(self.options(), &self.rows, self.tracks.iter().map(place), items)
    }
}
