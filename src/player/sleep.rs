//! The sleep timer: silence after some time, with a slow fade before it, or when the track is over.
//!
//! Knows no clock: whoever asks says what time it is.

use std::time::{Duration, Instant};

/// Longest fade before silence. A short timer fades over its second half.
const FADE: Duration = Duration::from_secs(20);

/// When playing is to end by itself; also what is left of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sleep {
    /// After this many seconds.
    After {
        /// Seconds from now.
        seconds: u64,
    },
    /// When the current track is over.
    TrackEnd,
}

/// A timer that may be set.
#[derive(Debug, Default)]
pub(super) struct SleepTimer {
    wish: Option<Wish>,
}

#[derive(Debug)]
enum Wish {
    At { end: Instant, fade: Duration },
    TrackEnd,
}

impl SleepTimer {
    pub(super) fn set(&mut self, sleep: Option<Sleep>, now: Instant) {
        self.wish = sleep.and_then(|sleep| match sleep {
            Sleep::After { seconds } => {
                let whole = Duration::from_secs(seconds);
                Some(Wish::At { end: now.checked_add(whole)?, fade: FADE.min(whole / 2) })
            }
            Sleep::TrackEnd => Some(Wish::TrackEnd),
        });
    }

    /// What is left, in begun seconds.
    pub(super) fn left(&self, now: Instant) -> Option<Sleep> {
        self.wish.as_ref().map(|wish| match wish {
            Wish::At { end, .. } => {
                let left = end.saturating_duration_since(now);
                Sleep::After { seconds: left.as_millis().div_ceil(1000) as u64 }
            }
            Wish::TrackEnd => Sleep::TrackEnd,
        })
    }

    /// Whether time has to be looked at.
    pub(super) fn runs(&self) -> bool {
        matches!(self.wish, Some(Wish::At { .. }))
    }

    pub(super) fn ends_with_track(&self) -> bool {
        matches!(self.wish, Some(Wish::TrackEnd))
    }

    /// How much of the volume is left: 1 long before the end, 0 at it.
    pub(super) fn level(&self, now: Instant) -> f32 {
        match &self.wish {
            Some(Wish::At { end, fade }) => {
                let left = end.saturating_duration_since(now);
                if left >= *fade { 1.0 } else { left.as_secs_f32() / fade.as_secs_f32() }
            }
            _ => 1.0,
        }
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        matches!(&self.wish, Some(Wish::At { end, .. }) if *end <= now)
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn fades_over_the_last_seconds_and_ends() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut timer = SleepTimer::default();
        assert!(!timer.is_over(at(9999)));
        timer.set(Some(Sleep::After { seconds: 600 }), start);
        assert_eq!(timer.left(start + Duration::from_millis(1)), Some(Sleep::After { seconds: 600 }));
        assert_eq!(timer.level(at(580)), 1.0);
        assert_eq!(timer.level(at(590)), 0.5);
        assert!(!timer.is_over(at(599)));
        assert_eq!(timer.level(at(600)), 0.0);
        assert!(timer.is_over(at(600)));
        timer.set(None, at(600));
        assert_eq!((timer.left(at(601)), timer.level(at(601))), (None, 1.0));
    }

    #[test]
    fn with_the_track_there_is_no_time_to_look_at() {
        let now = Instant::now();
        let mut timer = SleepTimer::default();
        timer.set(Some(Sleep::TrackEnd), now);
        assert!(timer.ends_with_track() && !timer.runs());
        assert_eq!(timer.left(now), Some(Sleep::TrackEnd));
    }
}
