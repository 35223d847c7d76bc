//! Where a listener left off: the queue that goes from one player to another, and places in long tracks.

use serde::{Deserialize, Serialize};

use super::{Track, TrackId};

/// A queue as one player left it for the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayQueue {
    /// Tracks in order; one may stand there twice.
    pub tracks: Vec<TrackId>,
    /// Index of the one that played.
    pub current: usize,
    /// How far it was, ms.
    pub position_ms: u64,
    /// When it was left, Unix time in ms.
    pub changed_at: i64,
    /// The program that left it.
    pub changed_by: String,
}

/// A place in a track.
#[derive(Debug, Clone, PartialEq)]
pub struct Bookmark {
    /// The track.
    pub track: Track,
    /// The place, ms.
    pub position_ms: u64,
    /// What the listener wrote about it.
    pub comment: Option<String>,
    /// When it was made, Unix time in ms.
    pub created_at: i64,
    /// When it was moved last, Unix time in ms.
    pub changed_at: i64,
}
