//! Plays on a store (or in a folder) for engines that learn from more than one machine can hold, and what those engines learned.
//!
//! ```text
//! catalog::exports ─▶ export ─▶ rows (Parquet) ─▶ place ─▶ plays/dt=2026-11-27/part-….parquet ─▶ `segue train --plays`
//!                                                                        └─▶ assets/spark/als.py ─┐
//! taste::Factors ◀─ factors ◀─ place ◀─ manifest.json, item_factors/….parquet, items/….parquet ◀──┘
//! ```
//!
//! Files are written once. Only when somebody is to be taken out are those that have them written anew, and whole files go when their
//! day is older than plays are kept. Parquet comes with the feature `cloud`; without it there is no [`Place`].

#[cfg(feature = "cloud")]
mod export;
#[cfg(feature = "cloud")]
mod factors;
#[cfg(feature = "cloud")]
mod place;
#[cfg(feature = "cloud")]
mod rows;
#[cfg(not(feature = "cloud"))]
mod without;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

#[cfg(feature = "cloud")]
pub use place::Place;
#[cfg(not(feature = "cloud"))]
pub use without::Place;

use super::{ServerError, Shared, jobs};
use crate::catalog::Catalog;

/// Where plays go, and where factors come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lakes {
    /// The folder or store to which plays are exported.
    pub plays: Option<PathBuf>,
    /// The folder or store with factors that were trained elsewhere.
    pub factors: Option<PathBuf>,
    /// How often plays are exported.
    pub every: Duration,
}

impl Default for Lakes {
    /// Nowhere; every hour.
    fn default() -> Self {
        Self { plays: None, factors: None, every: Duration::from_hours(1) }
    }
}

impl Lakes {
    /// Says what is wrong with them that can be seen without starting.
    pub fn check(&self) -> Result<(), ServerError> {
        self.open().map(drop).map_err(ServerError::Store)
    }

    /// Makes ready to reach both. The error is a sentence.
    pub(super) fn open(&self) -> Result<(Option<Place>, Option<Place>), String> {
        let open = |place: &Option<PathBuf>| place.as_deref().map(Place::open).transpose();
        Ok((open(&self.plays)?, open(&self.factors)?))
    }
}

/// What an export did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Plays that were written.
    pub plays: u64,
    /// Files that they are in.
    pub files: u64,
    /// Files that were written anew, or removed, because somebody was to be taken out.
    pub rewritten: u64,
    /// Files that were removed because their day is over.
    pub expired: u64,
}

/// Exports every while, until it is told to end.
pub(crate) async fn keep(
    shared: Arc<Shared>,
    place: Place,
    (settle, every): (Duration, Duration),
    stop: CancellationToken,
) {
    let task = async {
        tokio::time::sleep(settle).await;
        let export = |catalog| {
            let (shared, place) = (&shared, &place);
            Box::pin(async move { once(shared, &catalog, place).await })
        };
        shared.jobs.every(jobs::EXPORT, every, export).await;
    };
    // Broken off in the middle, the next export goes on with the same plays.
    let _ = stop.run_until_cancelled(task).await;
}

async fn once(shared: &Shared, catalog: &Catalog, place: &Place) {
    let now = jiff::Timestamp::now().as_millisecond();
    match place.export(catalog, now, shared.keep.plays).await {
        Ok(done) if done == Exported::default() => {}
        Ok(done) => tracing::info!(place = %place.name(), ?done, "plays were exported"),
        Err(error) => tracing::warn!(%error, "plays were not exported; it is tried again"),
    }
}
