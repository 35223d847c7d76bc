//! Things that can be marked, and slices of lists.

use serde::{Deserialize, Serialize};

use super::{AlbumId, ArtistId, TrackId};

/// What a listener did to an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// When it was starred, Unix time in ms; `None` when it is not.
    pub starred_at: Option<i64>,
    /// 1–5; 0 when not rated.
    pub rating: u8,
    /// Plays that counted.
    pub play_count: u32,
    /// Start of the last play that counted, Unix time in ms.
    pub played_at: Option<i64>,
}

/// Something that can be starred and rated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "lowercase")]
pub enum Item {
    /// A track.
    Track(TrackId),
    /// An album.
    Album(AlbumId),
    /// An artist.
    Artist(ArtistId),
}

impl Item {
    /// The id without its kind.
    pub fn id(&self) -> &str {
        match self {
            Self::Track(id) => id.as_str(),
            Self::Album(id) => id.as_str(),
            Self::Artist(id) => id.as_str(),
        }
    }

    /// The kind as it stands in SQL: `track`, `album` or `artist`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Track(_) => "track",
            Self::Album(_) => "album",
            Self::Artist(_) => "artist",
        }
    }
}

/// A slice of a list: `limit` rows from row `offset`, both counted in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows to pass over.
    pub offset: u64,
    /// Rows to give at the most.
    pub limit: u64,
}

impl Window {
    /// Everything that a screen or a page of the wire may ask for at once.
    pub const ALL: Self = Self { offset: 0, limit: i64::MAX as u64 };

    /// `limit` rows from row `offset`.
    pub const fn new(offset: u64, limit: u64) -> Self {
        Self { offset, limit }
    }

    /// The first `limit` rows.
    pub const fn first(limit: u64) -> Self {
        Self { offset: 0, limit }
    }
}
