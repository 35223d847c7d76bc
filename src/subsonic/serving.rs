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

    /// The body of `getPrivacy`, `setPrivacy` and `eraseAccount`. What stands behind `profiling` is of version 2.
    pub struct Privacy {
        /// Whether mixes may be made of what the listener does.
        req profiling: bool,
        /// The version of the texts below.
        opt text_version: u32,
        /// When the account is to be erased, ISO 8601.
        opt erase_at: String,
        /// Each use of personal data that the person decides on.
        list purpose: PrivacyPurpose,
        /// How much is kept of the person.
        list stored: PrivacyStored,
    }

    /// A use of personal data.
    pub struct PrivacyPurpose {
        /// `history`, `personalisation`, `personalAds` or `analytics`.
        req name: String,
        /// Whether it is allowed.
        req on: bool,
        /// The version of the text that the person decided on, where they did.
        opt version: u32,
        /// When they did, ISO 8601.
        opt decided: String,
        /// On what ground it rests.
        req basis: String,
        /// A few words.
        req title: String,
        /// What the person decides on.
        req text: String,
    }

    /// How much is kept of one kind.
    pub struct PrivacyStored {
        /// What: a table of the server.
        req name: String,
        /// Rows.
        req count: u64,
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
