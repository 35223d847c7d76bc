//! One listener's library and history as plain data: what `catalog` reads out and `taste` makes playlists of.

use super::{EndReason, Sonic, StartReason, TrackId};

/// A track, with as much of it as playlists need.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tune {
    /// Its id; `None` never leaves the catalog.
    pub id: Option<TrackId>,
    /// Title.
    pub title: String,
    /// Main artist: index into [`Listening::artists`].
    pub artist: u32,
    /// Release: tunes of one release have one number; `u32::MAX` when there is none.
    pub album: u32,
    /// Genres: indexes into [`Listening::genres`].
    pub genres: Vec<u16>,
    /// Year of release.
    pub year: Option<i32>,
    /// Length in ms.
    pub duration_ms: u64,
    /// When it came into the library, Unix time in ms.
    pub added_at: i64,
    /// Whether it, its album or its main artist has a star: 1.0 for itself, less for the others.
    pub star: f32,
    /// 1–5, 0 for none.
    pub rating: u8,
    /// Plays that the marks count, also those whose time nobody knows.
    pub play_count: u32,
    /// When it was last played, Unix time in ms.
    pub played_at: Option<i64>,
    /// Gain to the reference loudness in dB, where known: the quieter the larger.
    pub gain: Option<f32>,
    /// Figures of its sound.
    pub sound: Option<Box<Sonic>>,
}

/// One time that a tune was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Index into [`Listening::tunes`].
    pub tune: u32,
    /// When it began, Unix time in ms.
    pub at: i64,
    /// How much was heard, ms.
    pub heard_ms: u64,
    /// Why it began.
    pub start: StartReason,
    /// Whether the listener had looked for it by words.
    pub sought: bool,
    /// Why it ended.
    pub end: EndReason,
    /// Hour of the listener's day, 0–23.
    pub hour: u8,
    /// Day of the listener's week, 0 is Monday.
    pub weekday: u8,
}

/// Where and how a play came about, beside what [`Play`](super::Play) has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlayContext {
    /// Minutes that the listener's clock is ahead of UTC.
    pub offset_minutes: i32,
    /// What it was played on; empty when unknown.
    pub device: String,
    /// What it was played from: the name of an album, a mix, an import; empty when unknown.
    pub source: String,
}

impl PlayContext {
    /// How the source of what was found by a search begins; the words follow.
    pub const SEARCH: &str = "Search: ";
}

/// Everything that taste is read from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listening {
    /// The library, by id.
    pub tunes: Vec<Tune>,
    /// Names of artists.
    pub artists: Vec<String>,
    /// Names of genres.
    pub genres: Vec<String>,
    /// History, the oldest first.
    pub plays: Vec<Heard>,
    /// The listener's own playlists, as indexes of tunes.
    pub lists: Vec<Vec<u32>>,
    /// Tunes that the listener wants less of.
    pub less: Vec<u32>,
    /// Artists that the listener wants less of.
    pub less_artists: Vec<u32>,
}
