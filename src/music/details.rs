//! What tags say beyond what a list shows: who did what, works, labels, dates, notes.

use serde::{Deserialize, Serialize};

use super::ArtistRef;

/// Whether words may be unfit for children, where the tags say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Explicit {
    /// They may.
    Explicit,
    /// A version made fit for them.
    Clean,
}

impl Explicit {
    /// The word of SQL and of the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Clean => "clean",
        }
    }

    /// What such a word means; `None` for any other.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "explicit" => Some(Self::Explicit),
            "clean" => Some(Self::Clean),
            _ => None,
        }
    }
}

/// Somebody's part in a track, beside its artists.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Credit {
    /// A role of `OpenSubsonic`: `composer`, `conductor`, `lyricist`, `arranger`, `producer`, `director`, `engineer`,
    /// `mixer`, `djmixer`, `remixer`, `performer`.
    pub role: String,
    /// What a performer plays, or which voice.
    pub detail: Option<String>,
    /// Who.
    pub artist: ArtistRef,
}

/// A piece that a track is a recording of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Work {
    /// Its name.
    pub name: String,
    /// `MusicBrainz` work id.
    pub musicbrainz_id: Option<String>,
}

/// A part of a piece.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Movement {
    /// Its name.
    pub name: String,
    /// Which one, from 1.
    pub number: Option<u32>,
    /// How many there are.
    pub count: Option<u32>,
}

/// A name that one disc of several has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DiscTitle {
    /// Its number, from 1.
    pub disc: u32,
    /// Its name.
    pub title: String,
}

/// More of a track. Dates are ISO 8601 as far as they are known: "1999", "1999-05" or "1999-05-04".
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrackDetails {
    /// Title to sort by, where it is another one.
    pub sort_title: Option<String>,
    /// The release's artists one by one.
    pub album_artists: Vec<ArtistRef>,
    /// Who else took part, in the order of the roles.
    pub credits: Vec<Credit>,
    /// Moods as tagged.
    pub moods: Vec<String>,
    /// Groupings as tagged.
    pub groupings: Vec<String>,
    /// International standard recording codes.
    pub isrcs: Vec<String>,
    /// Works.
    pub works: Vec<Work>,
    /// Movements of them.
    pub movements: Vec<Movement>,
    /// Beats per minute.
    pub bpm: Option<u32>,
    /// Free text.
    pub comment: Option<String>,
    /// Whether the words are explicit.
    pub explicit: Option<Explicit>,
    /// When it came out first.
    pub original_date: Option<String>,
    /// The name of its disc.
    pub disc_title: Option<String>,
}

impl TrackDetails {
    /// Everybody with one role, as one line; empty where nobody has it.
    pub fn line(&self, role: &str) -> String {
        let names = self.credits.iter().filter(|c| c.role == role).map(|c| c.artist.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    }
}

/// More of an album. Dates as in [`TrackDetails`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AlbumDetails {
    /// Title to sort by, where it is another one.
    pub sort_title: Option<String>,
    /// Which edition ("2011 remaster").
    pub version: Option<String>,
    /// Who published it.
    pub labels: Vec<String>,
    /// What it is: "album", "ep", "single", "live", "compilation", …
    pub release_types: Vec<String>,
    /// Moods of its tracks.
    pub moods: Vec<String>,
    /// When the music came out first.
    pub original_date: Option<String>,
    /// When this edition came out.
    pub release_date: Option<String>,
    /// Whether words are explicit.
    pub explicit: Option<Explicit>,
    /// Names of discs, by number.
    pub disc_titles: Vec<DiscTitle>,
    /// `MusicBrainz` release group id.
    pub group_musicbrainz_id: Option<String>,
}
