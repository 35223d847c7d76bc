//! The sleep timer at work.

use std::time::Instant;

use rand::RngExt;

use super::Actor;
use crate::music::EndReason;
use crate::player::Sleep;

impl Actor {
    pub(super) fn set_sleep(&mut self, wish: Option<Sleep>) {
        self.sleep.set(wish, Instant::now());
        self.wake();
        if self.loaded.is_some() {
            // With the track's end nothing follows any more, or something does again.
            self.offer();
        }
    }

    /// Lets the sleep timer do its work, if there is one.
    pub(super) fn doze(&mut self) {
        let now = Instant::now();
        if self.sleep.is_over(now) {
            self.sleep.set(None, now);
            if self.loaded.is_some() && !self.paused {
                self.awake = 0.0;
                self.apply_volume();
                self.pause();
            }
        } else if self.sleep.runs() && self.loaded.is_some() && !self.paused {
            let level = self.sleep.level(now);
            if level < self.awake {
                self.awake = level;
                self.apply_volume();
            }
        }
    }

    /// Sound at the listener's own volume again.
    pub(super) fn wake(&mut self) {
        if self.awake < 1.0 {
            self.awake = 1.0;
            self.apply_volume();
        }
    }

    /// The track with which playing was to end is over: the next one waits at its beginning.
    pub(super) fn nod_off(&mut self) {
        self.sleep.set(None, Instant::now());
        self.finish(EndReason::Finished);
        // Behind an ad it waits already.
        if self.ad().is_none() {
            self.queue.advance(rand::rng().random());
        }
        self.unload();
        self.parked = self.queue.now().is_some().then_some(0);
        self.refresh_view();
    }
}
