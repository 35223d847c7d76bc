//! What the actor does when something cannot be played: another form of it, the place where it broke off, the next one.

use std::sync::Arc;

use super::ads::Next;
use super::{Actor, FAILURES, Loaded};
use crate::audio::Cause;
use crate::cache;
use crate::music::{EndReason, Quality, StartReason};
use crate::player::Repeat;
use crate::player::status::Event;

impl Actor {
    pub(super) fn failed(&mut self, token: u64, reason: String, cause: Cause) {
        if self.ad_failed(token, &reason) || self.mend(token, &reason) {
            return;
        }
        let Err(reason) = self.ask_for_another_form(token, reason, cause) else { return };
        if let Some(follower) = self.follower.take_if(|f| f.token == token) {
            if self.ad().is_some() {
                // It is tried again when the ad is over, and then it is what plays.
                self.wanted = false;
                return;
            }
            let _ = self.events.send(Event::Failed { track: follower.track, reason });
            match follower.uid {
                Some(uid) => self.queue.drop_entries(&[uid]),
                None => self.queue.set_repeat(Repeat::Off),
            }
            self.queue_changed();
        } else if let Some(loaded) = self.loaded.take_if(|l| l.token == token) {
            let _ = self.events.send(Event::Failed { track: loaded.track, reason });
            self.failures += 1;
            if self.failures >= FAILURES {
                self.finish(EndReason::Failed);
                self.unload();
            } else {
                if self.queue.repeat() == Repeat::One {
                    self.queue.set_repeat(Repeat::Off);
                }
                self.go_on(EndReason::Failed, StartReason::Advance, true);
            }
        }
    }

    /// An ad that cannot be heard costs the listener nothing, and counts for nobody. Whether it was one.
    fn ad_failed(&mut self, token: u64, reason: &str) -> bool {
        let ticket = |l: &Loaded| (l.token == token).then(|| Some(l.ad.as_ref()?.ticket.clone())).flatten();
        if let Some(ticket) = self.follower.as_ref().and_then(ticket) {
            tracing::warn!(ticket, "an ad cannot be heard: {reason}");
            self.breaks.forget(&ticket);
            self.follower = None;
            self.offer();
            true
        } else if let Some(ticket) = self.loaded.as_ref().and_then(ticket) {
            tracing::warn!(ticket, "an ad cannot be heard: {reason}");
            self.finish(EndReason::Failed);
            self.after_ad();
            true
        } else {
            false
        }
    }

    /// A server that makes a form anew makes other bytes, so that one which broke off cannot be gone on with: it is
    /// asked for again from the place that was heard last. Only when something was heard since the last time.
    fn mend(&mut self, token: u64, reason: &str) -> bool {
        let at_ms = self.position().max(self.status.borrow().position_ms);
        let broken = self.loaded.as_ref().is_some_and(|l| {
            l.token == token
                && l.supplies.quality != Quality::Original
                && at_ms >= l.from_ms + 1000
                && reason.contains(cache::CHANGED)
        });
        broken && self.reopen(at_ms)
    }

    /// What cannot be decoded here is asked for in a form that can. The error says why that is of no use.
    fn ask_for_another_form(&mut self, token: u64, reason: String, cause: Cause) -> Result<(), String> {
        let failed = self.loaded.iter().chain(&self.follower).find(|l| l.token == token);
        let Some(failed) = failed.filter(|l| !l.heard) else { return Err(reason) };
        let (track, quality, from_ms) = (Arc::clone(&failed.track), failed.supplies.quality, failed.from_ms);
        if cause != Cause::Unsupported && !self.stock.stands_in(&track) {
            return Err(reason);
        }
        let form = self.stock.refuse(&track, quality, reason)?;
        tracing::info!(track = %track.id, %form, "asked for in another form, since its own cannot be decoded");
        if self.follower.take_if(|f| f.token == token).is_some() {
            self.offer();
        } else if !self.reopen(from_ms) {
            return Err("the cache cannot keep another form of it".to_owned());
        }
        Ok(())
    }

    /// Opens what plays anew, to go on at a place. False when it cannot be opened.
    pub(super) fn reopen(&mut self, at_ms: u64) -> bool {
        let Some(old) = &self.loaded else { return false };
        let (track, uid, gain_db) = (Arc::clone(&old.track), old.uid, old.gain_db);
        let goes_on = old.heard || old.goes_on;
        let next = Next { uid, track, ad: None };
        let Ok((loaded, item)) = self.open(next, false, gain_db, at_ms) else { return false };
        self.follower = None;
        self.wanted = false;
        self.engine.load(item, at_ms.saturating_sub(loaded.supplies.base_ms), !self.paused);
        self.loaded = Some(Loaded { goes_on, ..loaded });
        true
    }
}
