//! What a listener's plan allows, and the ads that pay for a free one.

use serde::{Deserialize, Serialize};

use super::TrackId;

/// What a plan gives and asks. The default is the plan of a server that knows none: everything, without ads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// Its name ("free", "premium").
    pub name: String,
    /// When it ends and the server's usual one begins, Unix time in ms.
    pub ends_at: Option<i64>,
    /// What it costs, in the operator's words; empty where it costs nothing.
    pub price: String,
    /// How to get a better one, in the operator's words; empty where there is none.
    pub upgrade: String,
    /// The highest bit rate that is sent, kbit/s; 0 for any.
    pub max_bit_rate: u32,
    /// Whether music may be kept for times without a network.
    pub offline: bool,
    /// Tracks that may be left before their end, each hour; 0 for any number.
    pub skips_per_hour: u32,
    /// Streams at one time; 0 for any number.
    pub streams: u32,
    /// Ads between tracks, if any.
    pub ads: Option<AdRules>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            name: String::new(),
            ends_at: None,
            price: String::new(),
            upgrade: String::new(),
            max_bit_rate: 0,
            offline: true,
            skips_per_hour: 0,
            streams: 0,
            ads: None,
        }
    }
}

/// When ads are heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdRules {
    /// Music between two breaks, ms as heard.
    pub every_ms: u64,
    /// The most ads of one break, at least 1.
    pub at_once: u32,
    /// Whether an album that is played in its order may be interrupted.
    pub inside_albums: bool,
}

/// One ad that the server allows to be heard once, with what is needed for hearing it without a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ad {
    /// Names this permission; what is heard is reported with it, and counts once.
    pub ticket: String,
    /// The audio, streamed like any track.
    pub track: TrackId,
    /// Its name.
    pub title: String,
    /// Whose it is.
    pub by: String,
    /// Length, ms.
    pub duration_ms: u64,
    /// From where on it may be skipped, ms; `None` for never.
    pub skippable_after_ms: Option<u64>,
    /// How much must be heard for it to count as delivered, ms.
    pub counts_after_ms: u64,
    /// What brings it to the loudness of music at `ReplayGain`'s reference (−18 LUFS), dB.
    pub gain_db: f64,
    /// Its highest sample, 1 for full scale.
    pub peak: f64,
    /// Not to be heard later than this, Unix time in ms.
    pub expires_at: i64,
}

/// How an ad was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdHeard {
    /// The ad's ticket.
    pub ticket: String,
    /// How much of it came out of the device, ms.
    pub heard_ms: u64,
    /// When it began, Unix time in ms.
    pub at: i64,
}
