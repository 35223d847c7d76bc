//! Bit-perfect playing: the output is asked for the rate of what is about to be heard, and nothing is fed until it has
//! answered.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Control, Remote};

/// An output that does not answer for this long is taken as it is.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is known about the output's rate.
pub(super) struct Exact {
    pub(super) on: bool,
    pub(super) remote: Remote,
    /// The rate that was asked for last, whether it was given or not.
    asked: Option<u32>,
    waiting: Option<Instant>,
}

impl Exact {
    pub(super) fn new(remote: Remote) -> Self {
        Exact { on: false, remote, asked: None, waiting: None }
    }

    /// The output has said what it is.
    pub(super) fn answered(&mut self) {
        self.waiting = None;
    }

    /// Another item begins: what could not be had before may be asked for again.
    pub(super) fn forget(&mut self) {
        self.asked = None;
    }

    /// Whether an answer is outstanding.
    pub(super) fn waits(&self) -> bool {
        self.waiting.is_some_and(|since| since.elapsed() < PATIENCE)
    }
}

impl Control {
    pub(super) fn set_exact(&mut self, on: bool) {
        if self.exact.on == on {
            return;
        }
        self.exact.on = on;
        self.exact.forget();
        self.view.link.exact.store(on, Ordering::Relaxed);
        if !on {
            self.exact.remote.rate(None);
        } else if let Some(feed) = &mut self.feed
            && feed.holding()
        {
            feed.hold(0);
        }
        self.set_speed(self.speed);
    }

    /// Asks for the rate of the item that is to be fed, if the output has another one and what was fed before was
    /// heard. `true` while nothing may be fed.
    pub(super) fn wants_rate(&mut self) -> bool {
        if !self.exact.on {
            return false;
        }
        let Some(deck) = self.decks.get(self.feeding) else { return false };
        // Only its format, which is told before any sound, says which rate it has.
        let Some(rate) = deck.format.as_ref().map(|format| format.sample_rate) else { return false };
        if deck.begun || rate == self.output.sample_rate || self.exact.asked == Some(rate) {
            return false;
        }
        if self.feeding > 0 {
            self.view.link.ended.store(true, Ordering::Release);
            if let Some(feed) = &mut self.feed {
                feed.flush();
            }
            return true;
        }
        self.view.link.ended.store(false, Ordering::Release);
        self.exact.asked = Some(rate);
        self.exact.waiting = Some(Instant::now());
        self.exact.remote.rate(Some(rate));
        true
    }
}
