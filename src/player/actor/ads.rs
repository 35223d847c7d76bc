//! Ads between tracks. While one sounds the queue's current entry waits for it, so that the queue shows what comes; nothing can
//! be sought, and what the listener chooses meanwhile is heard when the break is over.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Actor, Loaded};
use crate::music::{Ad, EndReason, StartReason, Track, clock};
use crate::player::status::{AdNow, Event};

/// What follows what is loaded.
pub(super) struct Next {
    /// The queue's uid; none for an ad, and for a track that enters the queue when it is heard (a repeat).
    pub(super) uid: Option<u64>,
    pub(super) track: Arc<Track>,
    pub(super) ad: Option<Ad>,
}

impl Next {
    fn ad(ad: &Ad) -> Self {
        Self {
            uid: None,
            track: Arc::new(Track::bare(ad.track.clone(), ad.title.clone(), ad.by.clone(), ad.duration_ms)),
            ad: Some(ad.clone()),
        }
    }

    /// Whether this is what was offered to the engine.
    pub(super) fn is(&self, loaded: &Loaded) -> bool {
        let ticket = |ad: &Option<Ad>| ad.as_ref().map(|ad| ad.ticket.clone());
        loaded.uid == self.uid && loaded.track.id == self.track.id && ticket(&loaded.ad) == ticket(&self.ad)
    }
}

impl Actor {
    /// The ad that is loaded, if it is one.
    pub(super) fn ad(&self) -> Option<&Ad> {
        self.loaded.as_ref()?.ad.as_ref()
    }

    /// What is heard after what is loaded.
    pub(super) fn following(&self) -> Option<Next> {
        if self.ad().is_some() {
            if let Some(ad) = self.breaks.another(now_ms()) {
                return Some(Next::ad(ad));
            }
            let entry = self.queue.now()?;
            return Some(Next { uid: Some(entry.uid), track: Arc::clone(&entry.track), ad: None });
        }
        let (uid, track) = self.queue.following()?;
        // What follows is wanted long before the end: the rest will have been heard by then.
        let heard_ms = self.listening.as_ref().map_or(0, |listening| listening.by_its_end(self.position()));
        let album = self.joins(&track) && !self.queue.shuffled();
        match self.breaks.due(heard_ms, album, now_ms()) {
            Some(ad) => Some(Next::ad(ad)),
            None => Some(Next { uid, track, ad: None }),
        }
    }

    /// Lets an ad sound before the queue's current track, if one is due. False when there is none.
    pub(super) fn interrupt(&mut self, why: StartReason) -> bool {
        let Some(track) = self.queue.now().map(|entry| Arc::clone(&entry.track)) else { return false };
        let goes_on = matches!(why, StartReason::Advance | StartReason::Next);
        let album = goes_on && self.joins(&track) && !self.queue.shuffled();
        while let Some(ad) = self.breaks.due(0, album, now_ms()).cloned() {
            if self.load_ad(&ad) {
                self.after_ad = why;
                return true;
            }
        }
        false
    }

    fn load_ad(&mut self, ad: &Ad) -> bool {
        let gain_db = self.gain_ad(ad);
        let opened = self.open(Next::ad(ad), false, gain_db, 0);
        match opened {
            Ok((loaded, item)) => {
                self.paused = false;
                self.parked = None;
                self.follower = None;
                self.wanted = false;
                self.wake();
                self.engine.load(item, 0, true);
                self.loaded = Some(loaded);
                self.breaks.begin(&ad.ticket);
                self.start_listening(StartReason::Advance);
                true
            }
            Err((_, reason)) => {
                tracing::warn!(ad = %ad.track, "an ad cannot be heard: {reason}");
                self.breaks.forget(&ad.ticket);
                false
            }
        }
    }

    /// An ad is over: the next one, or the music that waited.
    pub(super) fn after_ad(&mut self) {
        while let Some(ad) = self.breaks.another(now_ms()).cloned() {
            if self.load_ad(&ad) {
                return self.refresh_view();
            }
        }
        self.breaks.end();
        self.load(0);
        self.start_listening(self.after_ad);
        self.refresh_view();
    }

    /// The follower's first sample came out.
    pub(super) fn follow(&mut self, mut next: Loaded) {
        let (was_ad, seed) = (self.ad().is_some(), rand::RngExt::random(&mut rand::rng()));
        let mut why = StartReason::Advance;
        if was_ad {
            why = self.after_ad;
        } else {
            let now = self.queue.advance(seed).map(|entry| entry.uid);
            if next.ad.is_none() {
                next.uid = now;
            }
            self.after_ad = StartReason::Advance;
        }
        match &next.ad {
            Some(ad) => self.breaks.begin(&ad.ticket),
            None if was_ad => self.breaks.end(),
            None => {}
        }
        self.loaded = Some(next);
        self.wanted = false;
        self.start_listening(why);
    }

    /// Nothing can be sought in an ad, nor left before it may be; says when it may. Whether one sounds.
    pub(super) fn held_up(&mut self) -> bool {
        let Some(ad) = self.ad() else { return false };
        let wait = ad.duration_ms.saturating_sub(self.position());
        self.refuse(format!("This is an ad: the music goes on in {}.", clock(wait.div_ceil(1000) * 1000)));
        true
    }

    /// Goes on because the listener says so, as far as the ad or the plan lets them.
    pub(super) fn skip(&mut self) {
        let at_ms = self.position();
        match self.ad().map(|ad| ad.skippable_after_ms) {
            Some(Some(after)) if at_ms >= after => {
                self.finish(EndReason::Skipped);
                self.after_ad();
            }
            Some(Some(after)) => {
                let wait = clock((after - at_ms).div_ceil(1000) * 1000);
                self.refuse(format!("This ad can be skipped in {wait}."));
            }
            Some(None) => {
                self.held_up();
            }
            None if self.may_skip() => self.go_on(EndReason::Skipped, StartReason::Next, false),
            None => {}
        }
    }

    /// Whether the plan lets the listener leave what plays; tells them when not.
    pub(super) fn may_skip(&mut self) -> bool {
        if self.queue.now().is_none() {
            return true;
        }
        match self.breaks.skip(now_ms()) {
            Ok(()) => true,
            Err(why) => {
                self.refuse(why);
                false
            }
        }
    }

    fn refuse(&self, why: String) {
        let _ = self.events.send(Event::Refused(why));
    }

    /// What a screen shows of the ad.
    pub(super) fn ad_now(&self) -> Option<AdNow> {
        let ad = self.ad()?;
        let (number, of) = self.breaks.place();
        Some(AdNow {
            title: ad.title.clone(),
            by: ad.by.clone(),
            position_ms: self.position().min(ad.duration_ms),
            duration_ms: ad.duration_ms,
            skippable_after_ms: ad.skippable_after_ms,
            number,
            of,
        })
    }
}

/// Unix time in ms.
fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}
