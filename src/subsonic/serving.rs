//! Wire types of what a server offers beside music: shares, radio, and what it knows of artists and albums.

use super::lenient::wire;
use super::types::{ArtistID3, Child};

wire! {
    /// The body of `getShares` and `createShare`.
    pub struct Shares {
        /// Shares.
        list share: Share,
    }

    /// Music that is open to who knows its address.
    pub struct Share {
        /// Id.
        req id: String,
        /// Address.
        req url: String,
        /// What the listener wrote.
        opt description: String,
        /// Who shares it.
        req username: String,
        /// ISO 8601.
        req created: String,
        /// When it ends, ISO 8601.
        opt expires: String,
        /// When somebody looked last, ISO 8601.
        opt last_visited: String,
        /// How often somebody looked.
        req visit_count: u64,
        /// Songs.
        list entry: Child,
    }

    /// The body of `getInternetRadioStations`.
    pub struct InternetRadioStations {
        /// Stations.
        list internet_radio_station: InternetRadioStation,
    }

    /// An internet radio station.
    pub struct InternetRadioStation {
        /// Id.
        req id: String,
        /// Name.
        req name: String,
        /// Where it streams.
        req stream_url: String,
        /// Its page.
        opt home_page_url: String,
    }

    /// One of `getSonicSimilarTracks` and `findSonicPath`.
    pub struct SonicMatch {
        /// The song.
        object entry: Child,
        /// 1 for the same sound, 0 for the most different; -1 where nobody knows.
        req similarity: f64,
    }

    /// The body of `getPrivacy` and `setPrivacy`.
    pub struct Privacy {
        /// Whether mixes may be made of what the listener does.
        req profiling: bool,
    }

    /// The body of `getAlbumInfo` and `getAlbumInfo2`.
    pub struct AlbumInfo {
        /// What is written about it.
        opt notes: String,
        /// `MusicBrainz` release id.
        opt music_brainz_id: String,
        /// Picture, small.
        opt small_image_url: String,
        /// Picture.
        opt medium_image_url: String,
        /// Picture, large.
        opt large_image_url: String,
    }

    /// The body of `getArtistInfo` and `getArtistInfo2`.
    pub struct ArtistInfo {
        /// What is written about them.
        opt biography: String,
        /// `MusicBrainz` artist id.
        opt music_brainz_id: String,
        /// Picture, small.
        opt small_image_url: String,
        /// Picture.
        opt medium_image_url: String,
        /// Picture, large.
        opt large_image_url: String,
        /// Artists like them in this library.
        list similar_artist: ArtistID3,
    }
}
