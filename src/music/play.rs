//! Listening: one row for each time that a track was heard.

use serde::{Deserialize, Serialize};

use super::TrackId;

/// Why a track began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartReason {
    /// The listener chose it.
    Chosen,
    /// The queue went on by itself.
    Advance,
    /// The listener skipped forward to it.
    Next,
    /// The listener went back to it.
    Previous,
    /// A foreign client reported it without saying.
    Unknown,
}

/// Why a track ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndReason {
    /// Heard to its end.
    Finished,
    /// The listener went on to another one.
    Skipped,
    /// The listener stopped or left.
    Stopped,
    /// It could not be played on.
    Failed,
    /// A foreign client reported it without saying.
    Unknown,
}

/// One time that a track was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Play {
    /// The track.
    pub track: TrackId,
    /// When it began, Unix time in ms.
    pub started_at: i64,
    /// How much was heard, in milliseconds of music.
    pub heard_ms: u64,
    /// Why it began.
    pub start: StartReason,
    /// Why it ended.
    pub end: EndReason,
}

impl Play {
    /// Four minutes, the longest that a listener must hear for a play to count, in ms.
    pub const LONG_ENOUGH_MS: u64 = 4 * 60 * 1000;

    /// Whether `heard_ms` of a track of `duration_ms` counts as a play: half of it or four minutes, as
    /// scrobbling services count (<https://www.last.fm/api/scrobbling>).
    pub const fn counts(heard_ms: u64, duration_ms: u64) -> bool {
        heard_ms > 0 && (heard_ms >= Self::LONG_ENOUGH_MS || heard_ms.saturating_mul(2) >= duration_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::Play;

    #[test]
    fn half_or_four_minutes_count() {
        assert!(Play::counts(100_000, 200_000));
        assert!(!Play::counts(99_999, 200_000));
        assert!(Play::counts(240_000, 3_600_000));
        assert!(!Play::counts(0, 0));
    }
}
