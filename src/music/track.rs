//! What is known about the music itself.

use serde::{Deserialize, Serialize};

use super::{AlbumDetails, AlbumId, ArtistId, CoverId, Marks, PlaylistId, TrackDetails, TrackId};

/// An artist as a track or an album names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ArtistRef {
    /// The artist's id in the same catalog.
    pub id: ArtistId,
    /// The name as printed on this record.
    pub name: String,
}

/// Loudness data of a track, as `ReplayGain` 2.0 has it. `None` means that nobody measured it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplayGain {
    /// dB to add so that the track alone plays at the reference loudness.
    pub track_gain: Option<f32>,
    /// dB to add so that the whole album plays at the reference loudness.
    pub album_gain: Option<f32>,
    /// Highest sample of the track, 1.0 = full scale.
    pub track_peak: Option<f32>,
    /// Highest sample of the album, 1.0 = full scale.
    pub album_peak: Option<f32>,
}

/// One recording, with what the listener did to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// The server's id.
    pub id: TrackId,
    /// Title; the file's name where the tags have none.
    pub title: String,
    /// The release that it is on.
    pub album_id: Option<AlbumId>,
    /// Title of that release, empty when unknown.
    pub album: String,
    /// The artists as one line, as printed ("A feat. B").
    pub artist: String,
    /// The artists one by one, first the main one.
    pub artists: Vec<ArtistRef>,
    /// The release's artist as one line.
    pub album_artist: String,
    /// Disc, from 1.
    pub disc: Option<u32>,
    /// Position on its disc, from 1.
    pub number: Option<u32>,
    /// Year of release.
    pub year: Option<i32>,
    /// Genres as tagged.
    pub genres: Vec<String>,
    /// Length in milliseconds.
    pub duration_ms: u64,
    /// Length of the file in bytes.
    pub size: u64,
    /// File name extension in lower case, without the dot ("flac").
    pub suffix: String,
    /// MIME type of the file ("audio/flac").
    pub content_type: String,
    /// Mean bit rate in kbit/s.
    pub bit_rate: Option<u32>,
    /// Hz.
    pub sample_rate: Option<u32>,
    /// Bits in a sample; none for lossy formats.
    pub bit_depth: Option<u32>,
    /// Number of channels.
    pub channels: Option<u32>,
    /// Loudness.
    pub replay_gain: ReplayGain,
    /// Picture to show with it.
    pub cover: Option<CoverId>,
    /// `MusicBrainz` recording id.
    pub musicbrainz_id: Option<String>,
    /// When it came into the library, Unix time in ms.
    pub added_at: i64,
    /// What else the tags say.
    pub details: TrackDetails,
    /// What the listener did to it.
    pub marks: Marks,
}

impl Track {
    /// One of which no more is known than this; the length is ms.
    pub fn bare(id: TrackId, title: String, artist: String, duration_ms: u64) -> Self {
        Self {
            id,
            title,
            album_id: None,
            album: String::new(),
            artist,
            artists: Vec::new(),
            album_artist: String::new(),
            disc: None,
            number: None,
            year: None,
            genres: Vec::new(),
            duration_ms,
            size: 0,
            suffix: String::new(),
            content_type: String::new(),
            bit_rate: None,
            sample_rate: None,
            bit_depth: None,
            channels: None,
            replay_gain: ReplayGain::default(),
            cover: None,
            musicbrainz_id: None,
            added_at: 0,
            details: TrackDetails::default(),
            marks: Marks::default(),
        }
    }
}

/// One release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Album {
    /// The server's id.
    pub id: AlbumId,
    /// Title.
    pub title: String,
    /// The artists as one line, as printed.
    pub artist: String,
    /// The artists one by one.
    pub artists: Vec<ArtistRef>,
    /// Year of release.
    pub year: Option<i32>,
    /// Genres of its tracks, the most frequent first.
    pub genres: Vec<String>,
    /// Number of tracks.
    pub track_count: u32,
    /// Sum of the tracks in milliseconds.
    pub duration_ms: u64,
    /// Picture.
    pub cover: Option<CoverId>,
    /// Whether several artists share it ("Various Artists").
    pub compilation: bool,
    /// `MusicBrainz` release id.
    pub musicbrainz_id: Option<String>,
    /// When its first track came into the library, Unix time in ms.
    pub added_at: i64,
    /// What else the tags say.
    pub details: AlbumDetails,
    /// What the listener did to it.
    pub marks: Marks,
}

/// One performer or group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artist {
    /// The server's id.
    pub id: ArtistId,
    /// Name as printed.
    pub name: String,
    /// Name to sort by ("Beatles, The"); the name where tags have none.
    pub sort_name: String,
    /// Number of albums under this name.
    pub album_count: u32,
    /// Picture.
    pub cover: Option<CoverId>,
    /// `MusicBrainz` artist id.
    pub musicbrainz_id: Option<String>,
    /// What this artist is in the library: `artist`, `albumartist`, `composer`, … Known from a server or after a scan.
    pub roles: Vec<String>,
    /// What the listener did to it.
    pub marks: Marks,
}

/// A genre with its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genre {
    /// As tagged.
    pub name: String,
    /// Tracks that carry it.
    pub track_count: u32,
    /// Albums that carry it.
    pub album_count: u32,
}

/// A listener's ordered list of tracks; the tracks themselves are asked for by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Playlist {
    /// The server's id.
    pub id: PlaylistId,
    /// Name, never empty.
    pub name: String,
    /// Free text.
    pub comment: String,
    /// Account name of the owner.
    pub owner: String,
    /// Whether other accounts may read it.
    pub public: bool,
    /// Number of entries; the same track may stand several times.
    pub track_count: u32,
    /// Sum of its entries in milliseconds.
    pub duration_ms: u64,
    /// Unix time in ms.
    pub created_at: i64,
    /// Last edit, Unix time in ms.
    pub changed_at: i64,
    /// Whether its tracks follow rules, so that they cannot be changed by hand.
    #[serde(default)]
    pub smart: bool,
}
