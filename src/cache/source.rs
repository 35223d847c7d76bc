//! Where bytes come from: the seam to the network, with HTTP's vocabulary but without HTTP.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::music::{Quality, Track, TrackId};

/// Names one entry of the store: a track in one quality.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrackKey {
    /// The track.
    pub track: TrackId,
    /// What of it: `raw` for the file as it is, `opus-128` and the like for what a server makes of it, `opus-128+90`
    /// for what it makes from second 90 on.
    pub variant: String,
}

impl TrackKey {
    /// The file as the library has it.
    pub fn raw(track: TrackId) -> Self {
        Self { track, variant: "raw".to_owned() }
    }

    /// A track in a quality.
    pub fn of(track: &Track, quality: Quality) -> Self {
        Self { track: track.id.clone(), variant: quality.variant() }
    }

    /// The same from a second on, as a server makes it that can begin there.
    #[must_use]
    pub fn from_second(&self, second: u64) -> Self {
        Self { track: self.track.clone(), variant: format!("{}+{second}", self.variant) }
    }

    /// The quality, and the second from which on it is.
    pub fn quality(&self) -> Option<(Quality, u64)> {
        match self.variant.split_once('+') {
            None => Some((Quality::of_variant(&self.variant)?, 0)),
            Some((name, second)) => Some((Quality::of_variant(name)?, second.parse().ok()?)),
        }
    }
}

/// Gives the bytes of tracks, usually over HTTP.
pub trait Source: Send + Sync + 'static {
    /// Asks for the bytes from `from` up to `to` (exclusive; `None`: to the end). `from` 0 without `to` is a
    /// plain request for the whole. `if_range` is the entity tag that held bytes have: when the file has
    /// another one by now, the answer must be the whole file (`part: None`).
    fn fetch(
        &self,
        key: &TrackKey,
        from: u64,
        to: Option<u64>,
        if_range: Option<String>,
    ) -> BoxFuture<'_, Result<Reply, FetchError>>;

    /// Whether it can be asked for a form of a track from a second on (`TrackKey::from_second`).
    fn begins_anywhere(&self) -> bool {
        false
    }

    /// Whether asking is worth while at the moment.
    fn reachable(&self) -> bool {
        true
    }
}

/// The beginning of an answer. The cache checks it against what it asked for; a source passes on what it was told.
pub struct Reply {
    /// Start and exclusive end of what the body holds (HTTP 206); `None`: the whole from byte 0 (HTTP 200).
    pub part: Option<(u64, u64)>,
    /// Length of the whole in bytes, where the server says it.
    pub total: Option<u64>,
    /// The entity tag.
    pub etag: Option<String>,
    /// The bytes.
    pub body: BoxStream<'static, Result<Bytes, FetchError>>,
}

/// Why bytes do not come. The texts are sentences for a listener.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The server cannot be reached; asking goes on.
    #[error("{0}")]
    Offline(String),
    /// The server will not give this track; asking again is of no use.
    #[error("{0}")]
    Refused(String),
    /// It failed this time (a busy server, a dropped connection); asking goes on.
    #[error("{why}")]
    Retry {
        /// How long the server asked to be left alone (`Retry-After`).
        after: Option<Duration>,
        /// What happened.
        why: String,
    },
    /// The file ends before the byte asked for (HTTP 416).
    #[error("the file on the server is shorter than it was")]
    OutOfRange {
        /// Its length now in bytes, where the server says it.
        total: Option<u64>,
    },
}
