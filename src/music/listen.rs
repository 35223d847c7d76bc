//! What a scrobbling service is told of a track that is heard.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Play, Track};

/// A service that keeps listening histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScrobbleService {
    /// `ListenBrainz`, and what speaks its API.
    ListenBrainz,
    /// Last.fm, and what speaks its API.
    LastFm,
}

impl ScrobbleService {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::ListenBrainz, Self::LastFm];

    /// The word of the configuration, of SQL and of the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ListenBrainz => "listenbrainz",
            Self::LastFm => "lastfm",
        }
    }

    /// What such a word means, in any case; `None` for any other.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.word().eq_ignore_ascii_case(word))
    }

    /// The shortest track that it takes, ms, exclusive.
    pub const fn longer_than_ms(self) -> u64 {
        match self {
            Self::ListenBrainz => 0,
            // https://www.last.fm/api/scrobbling
            Self::LastFm => 30_000,
        }
    }

    /// Whether `heard_ms` of this are to be submitted as a listen.
    pub const fn wants(self, listen: &Listen, heard_ms: u64) -> bool {
        listen.duration_ms > self.longer_than_ms() && Play::counts(heard_ms, listen.duration_ms)
    }
}

impl fmt::Display for ScrobbleService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ListenBrainz => "ListenBrainz",
            Self::LastFm => "Last.fm",
        })
    }
}

/// A track as a scrobbling service is told of it: by names, since it knows nothing of a server's ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// The artists as one line.
    pub artist: String,
    /// Title.
    pub title: String,
    /// Title of the release, empty when unknown.
    pub album: String,
    /// The release's artist as one line, empty when unknown.
    pub album_artist: String,
    /// Position on its disc, from 1.
    pub number: Option<u32>,
    /// Length in ms, never 0.
    pub duration_ms: u64,
    /// `MusicBrainz` recording id.
    pub recording: Option<String>,
    /// `MusicBrainz` release id.
    pub release: Option<String>,
    /// `MusicBrainz` ids of the artists; empty unless all of them are known.
    pub artists: Vec<String>,
}

impl Listen {
    /// What can be told of a track by itself. Nothing of what is no recording of somebody: a stream of a radio station and
    /// an ad have no length or no artist.
    pub fn of(track: &Track) -> Option<Self> {
        let (artist, title) = (track.artist.trim(), track.title.trim());
        if artist.is_empty() || title.is_empty() || track.duration_ms == 0 {
            return None;
        }
        Some(Self {
            artist: artist.to_owned(),
            title: title.to_owned(),
            album: track.album.trim().to_owned(),
            album_artist: track.album_artist.trim().to_owned(),
            number: track.number,
            duration_ms: track.duration_ms,
            recording: track.musicbrainz_id.clone(),
            release: None,
            artists: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_rule() {
        let of = |duration_ms| Listen { duration_ms, ..Listen::default() };
        let wants =
            |service: ScrobbleService, duration_ms, heard_ms| service.wants(&of(duration_ms), heard_ms);
        assert!(wants(ScrobbleService::ListenBrainz, 20_000, 10_000));
        assert!(!wants(ScrobbleService::ListenBrainz, 20_000, 9_999));
        assert!(!wants(ScrobbleService::LastFm, 30_000, 30_000), "longer than 30 s");
        assert!(wants(ScrobbleService::LastFm, 30_001, 15_001));
        assert!(wants(ScrobbleService::LastFm, 3_600_000, 240_000));
        assert!(!wants(ScrobbleService::LastFm, 3_600_000, 239_999));
        assert!(!wants(ScrobbleService::ListenBrainz, 0, 240_000), "a stream has no length");
    }

    #[test]
    fn words_are_read_in_any_case() {
        for service in ScrobbleService::ALL {
            assert_eq!(ScrobbleService::of(&service.word().to_uppercase()), Some(service));
        }
        assert_eq!(ScrobbleService::of("spotify"), None);
    }
}
