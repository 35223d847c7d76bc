//! What a server learns from all its listeners together.
//!
//! ```text
//! catalog: everybody's plays (not of those who opted out), or plays that were exported ─▶ interactions ─┐
//!          genres and artists of the library ─▶ tags ───────────────────────────────────────────────────┼─▶ taste::train ─▶ CrowdModel
//! factors that an engine elsewhere trained, where there are any ────────────────────────────────────────┘
//! ```
//!
//! Listeners are numbered by what they played and not by who they are, so that the same plays give the same model under whatever names.

use std::collections::HashMap;

use super::{CrowdModel, aside};
use crate::catalog::{Catalog, CatalogError};
use crate::music::{AccountId, TrackId};
use crate::taste::sonic::VERSION;
use crate::taste::{Factors, Interactions, Tags, TrainOptions, train_with as learn};

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

/// How often a listener played a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Whoever it is, by any name.
    pub listener: String,
    /// The track.
    pub track: String,
    /// Plays that count.
    pub plays: u32,
}

/// What there is to learn from beside the catalog.
#[derive(Debug, Default)]
pub struct Beyond<'a> {
    /// Plays, in the place of the catalog's own.
    pub plays: Option<Vec<Counted>>,
    /// Factors that were trained elsewhere.
    pub factors: Option<&'a Factors>,
}

/// Trains on all plays of a server, but of those who opted out of profiling. `begun` hears how much there is before it is
/// worked through on all cores but `spare` of them.
pub async fn train(catalog: &Catalog, spare: usize, begun: impl Fn(Lesson)) -> Result<Trained, CatalogError> {
    train_beyond(catalog, Beyond::default(), spare, begun).await
}

/// The same with what comes from beyond the catalog.
pub async fn train_beyond(
    catalog: &Catalog,
    beyond: Beyond<'_>,
    spare: usize,
    begun: impl Fn(Lesson),
) -> Result<Trained, CatalogError> {
    let plays = if let Some(plays) = beyond.plays {
        plays
    } else {
        let own = catalog.everybodys_plays().await?.into_iter();
        own.map(|(account, track, plays)| Counted { listener: account.to_string(), track, plays }).collect()
    };
    // Nobody's listening is the library alone.
    let library = catalog.listener(&AccountId::from("")).listening(VERSION).await?;
    let ids: Vec<TrackId> = library.tunes.iter().filter_map(|tune| tune.id.clone()).collect();
    let places: HashMap<&str, u32> = (0..).zip(&ids).map(|(at, id)| (id.as_str(), at)).collect();
    let histories = histories(plays, &places);
    let users = histories.len();
    let pairs = histories.iter().map(Vec::len).sum();
    let lesson = Lesson { listeners: users, tracks: ids.len(), pairs };
    begun(lesson);
    if pairs == 0 {
        return Ok(Trained { lesson, model: None });
    }
    let given = beyond.factors.map(|factors| {
        let place = |track: &TrackId| places.get(track.as_str()).copied();
        factors.over(ids.len(), place)
    });
    let genres = library.genres.len();
    let tags = genres + library.artists.len();
    let mut counts = Vec::new();
    for (at, tune) in (0_u32..).zip(&library.tunes) {
        counts.extend(tune.genres.iter().map(|genre| (at, u32::from(*genre), 1.0)));
        counts.push((at, genres as u32 + tune.artist, 1.0));
    }
    let model = aside(move || {
        let cells = (0..).zip(histories).flat_map(|(user, history)| {
            history.into_iter().map(move |(item, plays)| (user, item, plays as f32))
        });
        let data = Interactions::new(users, ids.len(), cells);
        let tags = Tags::new(ids.len(), tags, counts);
        let mut options = TrainOptions::default();
        options.threads = options.threads.saturating_sub(spare).max(1);
        Some(CrowdModel::new(learn(&data, &tags, given.as_ref(), &options), &ids, users))
    });
    Ok(Trained { lesson, model: model.await })
}

/// Each listener's tracks of the library with their plays; the listeners in an order that only their plays decide.
fn histories(plays: Vec<Counted>, places: &HashMap<&str, u32>) -> Vec<Vec<(u32, u32)>> {
    let mut by_listener: HashMap<String, Vec<(u32, u32)>> = HashMap::new();
    for Counted { listener, track, plays } in plays {
        if let Some(&item) = places.get(track.as_str()) {
            by_listener.entry(listener).or_default().push((item, plays));
        }
    }
    let mut histories: Vec<Vec<(u32, u32)>> = by_listener.into_values().collect();
    for history in &mut histories {
        history.sort_unstable();
    }
    histories.sort_unstable();
    histories
}
