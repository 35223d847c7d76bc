//! What a server learns from all its listeners together.
//!
//! ```text
//! catalog: everybody's plays (not of those who opted out) ─▶ interactions ─┐
//!          genres and artists of the library ─▶ tags ─────────────────────┴─▶ taste::train ─▶ CrowdModel
//! ```

use std::collections::HashMap;

use super::{CrowdModel, aside};
use crate::catalog::{Catalog, CatalogError};
use crate::music::{AccountId, TrackId};
use crate::taste::sonic::VERSION;
use crate::taste::{Interactions, Tags, TrainOptions, train as learn};

/// How much there is to learn from, and what that takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lesson {
    /// Listeners with at least one play.
    pub listeners: usize,
    /// Tracks of the library.
    pub tracks: usize,
    /// Different pairs of listener and track.
    pub pairs: usize,
}

impl Lesson {
    /// Bytes that the training takes at most: `72 n + 8 d (U + I) + 8 R² + 8 k I` for `n` pairs, `U` listeners, `I` tracks, at
    /// most `d` = 256 factors, `R` = `U` + 1,000 rows of EASE where there are up to 6,000 of them, and `k` = 200 neighbours.
    pub fn bytes(&self) -> u64 {
        let (n, users, items) = (self.pairs as u64, self.listeners as u64, self.tracks as u64);
        let rows = users + 1_000;
        let ease = if rows <= 6_000 { 8 * rows * rows } else { 0 };
        72 * n + 8 * 256 * (users + items) + ease + 8 * 200 * items
    }
}

/// A training: what it was made of, and what came of it. The model is none where there is nobody to learn from.
#[derive(Debug, Default)]
pub struct Trained {
    /// What it was made of.
    pub lesson: Lesson,
    /// What came of it.
    pub model: Option<CrowdModel>,
}

/// Trains on all plays of a server, but of those who opted out of profiling. `begun` hears how much there is before it is
/// worked through on all cores but `spare` of them.
pub async fn train(catalog: &Catalog, spare: usize, begun: impl Fn(Lesson)) -> Result<Trained, CatalogError> {
    let plays = catalog.everybodys_plays().await?;
    // Nobody's listening is the library alone.
    let library = catalog.listener(&AccountId::from("")).listening(VERSION).await?;
    let ids: Vec<TrackId> = library.tunes.iter().filter_map(|tune| tune.id.clone()).collect();
    let places: HashMap<&str, u32> = (0..).zip(&ids).map(|(at, id)| (id.as_str(), at)).collect();
    let mut users: HashMap<AccountId, u32> = HashMap::new();
    let mut triples = Vec::with_capacity(plays.len());
    for (account, track, count) in &plays {
        let Some(&item) = places.get(track.as_str()) else { continue };
        let next = users.len() as u32;
        let user = *users.entry(account.clone()).or_insert(next);
        triples.push((user, item, *count as f32));
    }
    let lesson = Lesson { listeners: users.len(), tracks: ids.len(), pairs: triples.len() };
    begun(lesson);
    if triples.is_empty() {
        return Ok(Trained { lesson, model: None });
    }
    let genres = library.genres.len();
    let tags = genres + library.artists.len();
    let mut counts = Vec::new();
    for (at, tune) in (0_u32..).zip(&library.tunes) {
        counts.extend(tune.genres.iter().map(|genre| (at, u32::from(*genre), 1.0)));
        counts.push((at, genres as u32 + tune.artist, 1.0));
    }
    let model = aside(move || {
        let data = Interactions::new(users.len(), ids.len(), triples);
        let tags = Tags::new(ids.len(), tags, counts);
        let mut options = TrainOptions::default();
        options.threads = options.threads.saturating_sub(spare).max(1);
        Some(CrowdModel::new(learn(&data, &tags, &options), &ids, users.len()))
    });
    Ok(Trained { lesson, model: model.await })
}
