//! How much of a track was heard: the sum of small steps of the position, so that seeks and repeats of a passage
//! count for what they are; and where the track was played from.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::music::{AdHeard, EndReason, Play, PlayContext, StartReason, Track};

/// Steps longer than this are jumps, not listening, ms.
const STEP_MS: u64 = 3000;

/// The account of one play.
#[derive(Debug)]
pub(super) struct Listening {
    track: Arc<Track>,
    started_at: i64,
    start: StartReason,
    context: PlayContext,
    heard_ms: u64,
    /// Where the position stood when it was last looked at, ms; none after a jump.
    last_ms: Option<u64>,
    private: bool,
    /// The ticket, where it is an ad.
    ticket: Option<String>,
}

impl Listening {
    /// Opens the account now: on which device the track sounds, from which context it came, whether it is the
    /// listener's own business, the ticket of an ad, and where in it playing begins, ms.
    pub(super) fn begin(
        track: Arc<Track>,
        start: StartReason,
        device: String,
        source: &str,
        private: bool,
        ticket: Option<String>,
        from_ms: u64,
    ) -> Self {
        let now = Timestamp::now();
        let offset_minutes = TimeZone::system().to_offset(now).seconds() / 60;
        let context = PlayContext { offset_minutes, device, source: source.to_owned() };
        let started_at = now.as_millisecond();
        Self { track, started_at, start, context, heard_ms: 0, last_ms: Some(from_ms), private, ticket }
    }

    /// The position now, ms.
    pub(super) fn at(&mut self, position_ms: u64) {
        if let Some(step) = self.last_ms.and_then(|last| position_ms.checked_sub(last))
            && step <= STEP_MS
        {
            self.heard_ms += step;
        }
        self.last_ms = Some(position_ms);
    }

    /// It was heard to its end, which is later than the last look at it.
    pub(super) fn at_end(&mut self) {
        self.at(self.track.duration_ms);
    }

    /// How much was heard until now, ms.
    pub(super) fn heard_ms(&self) -> u64 {
        self.heard_ms
    }

    /// How it was heard, if it is an ad.
    pub(super) fn as_ad(&self) -> Option<AdHeard> {
        let ticket = self.ticket.clone()?;
        Some(AdHeard { ticket, heard_ms: self.heard_ms, at: self.started_at })
    }

    /// The position is about to jump.
    pub(super) fn jumped(&mut self) {
        self.last_ms = None;
    }

    /// A private session has begun: all of this play is of it.
    pub(super) fn hide(&mut self) {
        self.private = true;
    }

    /// Closes the account; the last word is whether it was heard in a private session.
    pub(super) fn end(self, end: EndReason) -> (Arc<Track>, Play, PlayContext, bool) {
        let play = Play {
            track: self.track.id.clone(),
            started_at: self.started_at,
            heard_ms: self.heard_ms,
            start: self.start,
            end,
        };
        (self.track, play, self.context, self.private)
    }
}
