//! What was learned from everybody on a server, as scores for one listener's library.

use std::collections::HashMap;

use crate::music::{Listening, TrackId, Tune};
use crate::taste::signals::Liking;
use crate::taste::{History, Model};

/// A trained model with the names of its items.
#[derive(Debug)]
pub struct CrowdModel {
    model: Model,
    places: HashMap<TrackId, u32>,
    listeners: usize,
}

impl CrowdModel {
    /// A model over `items`, learned from so many listeners.
    pub fn new(model: Model, items: &[TrackId], listeners: usize) -> Self {
        let places = (0..).zip(items).map(|(at, id)| (id.clone(), at)).collect();
        Self { model, places, listeners }
    }

    /// Listeners that it was learned from.
    pub fn listeners(&self) -> usize {
        self.listeners
    }

    /// The model itself.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// A score for each tune of a listener's library, as of `now` (Unix time in ms); tunes that came after the training have
    /// the mean of all.
    pub fn scores(&self, all: &Listening, now: i64) -> Vec<f32> {
        let liking = Liking::of(all, now);
        let place = |tune: &Tune| tune.id.as_ref().and_then(|id| self.places.get(id)).copied();
        let liked = all.tunes.iter().zip(&liking.tunes).filter(|(_, weight)| **weight > 0.0);
        let history = History::new(liked.filter_map(|(tune, weight)| Some((place(tune)?, *weight))));
        let scores = self.model.scores(&history);
        let mean = scores.iter().sum::<f32>() / scores.len().max(1) as f32;
        let score = |tune| place(tune).and_then(|at| scores.get(at as usize)).copied().unwrap_or(mean);
        all.tunes.iter().map(score).collect()
    }
}
