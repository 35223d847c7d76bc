//! Between floors 1 and 2: makes mixes, radio, paths and reasons from what a catalog knows, for a player's listener and for
//! the listeners of a server alike.
//!
//! ```text
//! catalog: listening ─▶ taste: mixes, radio, reasons ─▶ catalog: kept mixes      (mixes::refresh, in the background)
//!                                                   └─▶ tracks with their reasons (around: radio, path, similar, why)
//! ```
//!
//! On a server `train` learns from everybody's plays, and what came of it weighs in where there are many listeners.
//! Nothing here needs a network. What takes long is done on a thread that may block.

mod around;
mod crowd;
mod mixes;
mod train;

pub use around::{Near, PATH, Seeds, path, radio, similar, why};
pub use crowd::CrowdModel;
pub use mixes::{FEW_PLAYS, popular, refresh};
pub use train::{Beyond, Counted, Lesson, Trained, train, train_beyond};

use crate::music::{Listening, TrackId};

/// Tracks of a library that is looked at whole; of a larger one a part stands for the rest, so that there is an end to the memory.
const MANY: u64 = 150_000;

/// Places of tracks among the tunes, which stand in the order of their ids.
fn places<'a>(all: &Listening, ids: impl IntoIterator<Item = &'a TrackId>) -> Vec<u32> {
    let place = |id: &TrackId| {
        let at = all.tunes.binary_search_by(|tune| tune.id.as_ref().cmp(&Some(id))).ok()?;
        u32::try_from(at).ok()
    };
    ids.into_iter().filter_map(place).collect()
}

/// Work that would hold up an async thread; nothing when it broke off.
async fn aside<T: Default + Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "a part of the taste stopped unexpectedly");
            T::default()
        }
    }
}
