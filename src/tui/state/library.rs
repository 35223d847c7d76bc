//! The library: artists, the albums of one, the tracks of one.

use super::listing::Listing;
use crate::music::{Album, AlbumId, Artist, ArtistId, Track};

/// A column of the library.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Column {
    /// Album artists.
    #[default]
    Artists,
    /// Albums of the selected artist.
    Albums,
    /// Tracks of the selected album.
    Tracks,
}

/// State of the library screen.
#[derive(Debug, Default)]
pub(crate) struct Library {
    pub(crate) column: Column,
    pub(crate) artists: Listing<Artist>,
    pub(crate) albums: Listing<Album>,
    pub(crate) tracks: Listing<Track>,
    /// Whose albums are shown or on the way, and the question for them.
    pub(crate) albums_of: Option<(ArtistId, u64)>,
    /// Whose tracks are shown or on the way, and the question for them.
    pub(crate) tracks_of: Option<(AlbumId, u64)>,
    /// The question for artists that match the filter.
    pub(crate) finding: Option<u64>,
    /// The question for the place where letters lead.
    pub(crate) jumping: Option<u64>,
    /// Whose albums and tracks were asked for last: the same ones again do not move the cursor.
    pub(crate) last_artist: Option<ArtistId>,
    pub(crate) last_album: Option<AlbumId>,
    /// An artist to put the cursor on, and the question for its place.
    pub(crate) seek: Option<(ArtistId, Option<u64>)>,
    /// Pages of artists are dropped when they answer an older generation than this question.
    pub(crate) oldest: u64,
    pub(crate) error: Option<String>,
    pub(crate) fresh: Option<u64>,
}

impl Library {
    /// Puts the cursor on this artist as soon as its place in the list is known.
    pub(crate) fn show(&mut self, artist: ArtistId) {
        self.artists.widen();
        self.seek = Some((artist, None));
    }
}
