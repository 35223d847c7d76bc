//! Playlists that Segue makes for one listener.

use serde::{Deserialize, Serialize};

use super::TrackId;

/// One track of a mix, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    /// The track.
    pub track: TrackId,
    /// Why, as a sentence from what the listener did or what the tracks have in common.
    pub why: String,
}

impl Mix {
    /// Before the id of a mix that a server shows among the playlists.
    pub const AS_PLAYLIST: &str = "mix-";
}

/// A playlist made for one listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mix {
    /// Stable: `daily-1`, `discover`, `on-repeat`, …
    pub id: String,
    /// What it is called.
    pub name: String,
    /// A few words for under its name.
    pub about: String,
    /// Why it is as it is, as a sentence.
    pub why: String,
    /// The tracks in order.
    pub picks: Vec<Pick>,
}
