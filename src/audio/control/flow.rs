//! The control thread's steady work: from workers to the ring, and from the renderer's counter to events.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Control, Deck, Hold, Mark, Progress, START_MS};
use crate::audio::decode::Failure;
use crate::audio::feed::Feed;
use crate::audio::output::{OutputInfo, Port};
use crate::audio::worker::Report;
use crate::audio::{AudioEvent, Cause, State};

/// A successor is asked for when less than this is left to decode.
const WANT_NEXT_MS: u64 = 20_000;
/// Milliseconds in the ring below which output stops when bytes are missing…
const LOW_MS: u64 = 200;
/// …if it was ever well filled; right after a start it may come closer to running dry…
const LOWEST_MS: u64 = 100;
/// …and at which it goes on.
const RESUME_MS: u64 = 1000;
/// With so many nobody need look after the ring soon.
const CALM_MS: u64 = 1000;
/// The duration that a catalog knows may be wrong by this much.
const HOLD_EARLY_MS: u64 = 1500;
/// A read that blocks for longer is a wait for the network.
const BLOCKED_MS: u64 = 30;
/// Waiting at the start of an item is called buffering after this.
const PATIENCE: Duration = Duration::from_millis(150);
/// A converter's tail is flushed when no more than this is left in the ring and nothing follows.
const FLUSH_MS: u64 = 500;

impl Control {
    /// Tells what the renderer has passed.
    pub(super) fn listen(&mut self) {
        let read = self.view.link.read.load(Ordering::Acquire);
        while let Some((at, mark)) = self.marks.front() {
            let at = *at;
            let passed = match mark {
                Mark::Begin { .. } => read > at,
                Mark::End { .. } => read >= at,
            };
            if !passed {
                return;
            }
            match self.marks.pop_front() {
                Some((_, Mark::Begin { token, position_ms })) => self.begun(token, position_ms, at),
                Some((_, Mark::End { token, failure })) => self.over(token, failure, at),
                None => return,
            }
        }
    }

    fn begun(&mut self, token: u64, position_ms: u64, at: u64) {
        let Some(deck) = self.decks.iter_mut().find(|deck| deck.token == token) else { return };
        {
            let mut now = self.view.now();
            now.token = Some(token);
            now.base = at;
            now.base_ms = position_ms;
            now.until = u64::MAX;
            now.format.clone_from(&deck.format);
        }
        if !deck.heard {
            deck.heard = true;
            self.tell(AudioEvent::Heard { token });
        }
    }

    fn over(&mut self, token: u64, failure: Option<Failure>, at: u64) {
        if self.decks.front().is_none_or(|deck| deck.token != token) {
            return;
        }
        self.decks.pop_front();
        self.feeding = self.feeding.saturating_sub(1);
        let failed = failure.is_some();
        if let Some(next) = self.decks.front() {
            let mut now = self.view.now();
            now.token = Some(next.token);
            now.format.clone_from(&next.format);
            now.base_ms = 0;
            now.base = at;
            now.until = at;
        } else {
            self.stop();
        }
        self.tell(match failure {
            Some(Failure { reason, cause }) => AudioEvent::Failed { token, reason, cause },
            None => AudioEvent::Finished { token },
        });
        if self.decks.is_empty() && !failed {
            self.tell(AudioEvent::Drained);
        }
    }

    /// Moves frames from the workers to the ring until either side has enough.
    pub(super) fn supply(&mut self) {
        if self.feed.is_none() || self.exact.waits() {
            return;
        }
        self.look_at_successor();
        while self.feed.as_mut().is_some_and(Feed::hungry) {
            while self.decks.get(self.feeding).is_some_and(|deck| deck.progress == Progress::Fed) {
                self.feeding += 1;
            }
            if self.decks.get(self.feeding).is_none() {
                self.finish_stream();
                return;
            }
            if self.wants_rate() {
                return;
            }
            let Some(deck) = self.decks.get_mut(self.feeding) else { return };
            match deck.worker.fetch() {
                Ok(Some(report)) => self.take(self.feeding, report),
                Ok(None) => return,
                Err(()) => {
                    self.failed(self.feeding, Failure::unplayable("decoding stopped without a reason"));
                }
            }
        }
    }

    /// A successor that cannot even be opened is told of at once, so that another can be offered in time.
    fn look_at_successor(&mut self) {
        let next = self.feeding + 1;
        while let Some(deck) = self.decks.get_mut(next)
            && deck.format.is_none()
        {
            match deck.worker.fetch() {
                Ok(Some(report)) => self.take(next, report),
                Ok(None) => return,
                Err(()) => self.failed(next, Failure::unplayable("decoding stopped without a reason")),
            }
        }
    }

    fn take(&mut self, index: usize, report: Report) {
        let (Some(deck), Some(feed)) = (self.decks.get_mut(index), &mut self.feed) else { return };
        match report {
            Report::Opened(format) => {
                let token = deck.token;
                deck.format = Some(format.clone());
                if index == 0 {
                    self.view.now().format = Some(format.clone());
                }
                self.tell(AudioEvent::FormatKnown { token, format });
            }
            Report::Sought { generation, position_ms } if generation == deck.generation => {
                deck.start_ms = position_ms;
            }
            Report::Frames { generation, rate, frames } if generation == deck.generation => {
                if !deck.begun {
                    Self::join(feed, &mut self.marks, deck);
                }
                feed.switch(rate);
                if !deck.begun {
                    deck.begun = true;
                    let mark = Mark::Begin { token: deck.token, position_ms: deck.start_ms };
                    self.marks.push_back((feed.head(), mark));
                }
                deck.rate = rate;
                deck.fed_frames += frames.len() as u64;
                feed.push(&frames, rate);
                self.hold_for_crossfade(index);
            }
            Report::End { generation } if generation == deck.generation => {
                deck.progress = Progress::Fed;
                self.marks.push_back((feed.head(), Mark::End { token: deck.token, failure: None }));
            }
            Report::Failed { generation, failure } if generation == deck.generation => {
                self.failed(index, failure);
            }
            // What a seek has made stale.
            _ => {}
        }
    }

    fn failed(&mut self, index: usize, failure: Failure) {
        let (Some(deck), Some(feed)) = (self.decks.get_mut(index), &self.feed) else { return };
        if index > 0 && !deck.begun {
            let token = deck.token;
            self.decks.truncate(index);
            self.tell(AudioEvent::Failed { token, reason: failure.reason, cause: failure.cause });
            return;
        }
        deck.progress = Progress::Fed;
        let unreadable = failure.cause == Cause::Unreadable;
        self.marks.push_back((feed.head(), Mark::End { token: deck.token, failure: Some(failure) }));
        if unreadable {
            // Where bytes cannot be had, the next track must not begin by itself.
            self.decks.truncate(index + 1);
        }
    }

    /// Before the first frame of a deck: mixes it with the end of the one before, if that is held back.
    fn join(feed: &mut Feed, marks: &mut VecDeque<(u64, Mark)>, deck: &Deck) {
        if deck.joins {
            feed.release();
            return;
        }
        // What is short is not mixed away.
        let rate = u64::from(feed.rate());
        let longest = deck.duration_ms.map_or(usize::MAX, |ms| (ms / 2 * rate / 1000) as usize);
        let Some(joint) = feed.begin_fade(longest) else { return };
        if let Some((at, Mark::End { .. })) = marks.back_mut() {
            *at = (*at).min(joint);
        }
    }

    /// Holds back the end of an item that the next one is to be mixed with.
    fn hold_for_crossfade(&mut self, index: usize) {
        let (Some(deck), Some(feed)) = (self.decks.get(index), &mut self.feed) else { return };
        if self.crossfade_ms == 0 || self.exact.on {
            return;
        }
        let joined = self.decks.get(index + 1).is_some_and(|next| next.joins);
        let Some(duration) = deck.duration_ms.filter(|_| !joined) else {
            if feed.holding() {
                feed.hold(0);
            }
            return;
        };
        let left = (duration.saturating_sub(deck.reached_ms()) as f64 / self.speed) as u64;
        let length = self.crossfade_ms.min((duration as f64 / self.speed) as u64 / 2);
        if left <= length + HOLD_EARLY_MS {
            feed.hold((length * u64::from(feed.rate()) / 1000) as usize);
        }
    }

    /// Everything there is was fed. Should a successor come in time, it joins seamlessly; else the converter's
    /// tail is flushed before the ring runs dry.
    fn finish_stream(&mut self) {
        if self.decks.is_empty() {
            return;
        }
        self.view.link.ended.store(true, Ordering::Release);
        let left = self.ring_ms();
        if self.playing
            && let Some(feed) = &mut self.feed
            && feed.holds_back()
            && left < FLUSH_MS
        {
            feed.flush();
        }
    }

    /// Whether nothing can happen for a while: the ring is well filled, time runs as it does outside, and no joint is near.
    pub(super) fn calm(&self) -> bool {
        let (link, Some(feed)) = (&self.view.link, &self.feed) else { return false };
        let read = link.read.load(Ordering::Acquire).max(self.floor);
        let near = read + u64::from(feed.rate()) / 4;
        link.steady.load(Ordering::Relaxed)
            && self.hold.is_none()
            && self.ring_ms() >= CALM_MS
            && !link.ended.load(Ordering::Relaxed)
            && self.marks.front().is_none_or(|(at, _)| *at > near)
    }

    /// Sound that was fed and not heard yet, in milliseconds.
    fn ring_ms(&self) -> u64 {
        let read = self.view.link.read.load(Ordering::Acquire).max(self.floor);
        self.feed
            .as_ref()
            .map_or(0, |feed| feed.ready().saturating_sub(read) * 1000 / u64::from(feed.rate().max(1)))
    }

    /// Holds the output back while bytes are missing, and lets it go on.
    pub(super) fn regulate(&mut self) {
        if self.decks.is_empty() || self.feed.is_none() {
            return;
        }
        for deck in &self.decks {
            deck.worker.nudge();
        }
        let ring_ms = self.ring_ms();
        let complete = self.decks.iter().all(|deck| deck.progress == Progress::Fed);
        self.armed |= ring_ms >= 2 * LOW_MS;
        if let Some(hold) = &self.hold {
            if ring_ms >= hold.until_ms || complete {
                self.end_hold();
            } else if self.playing && !self.announced && hold.since.elapsed() > PATIENCE {
                self.announce();
            }
            return;
        }
        let low = if self.armed { LOW_MS } else { LOWEST_MS };
        let starved = self.decks.get(self.feeding).is_some_and(|deck| deck.worker.blocked_ms() > BLOCKED_MS);
        if self.playing && !complete && ring_ms < low && starved {
            // A shorter crossfade is better than a pause.
            if let Some(feed) = &mut self.feed
                && feed.holding()
                && feed.tail() > feed.ready()
            {
                feed.release();
                return;
            }
            self.begin_hold(RESUME_MS);
            self.announce();
        }
    }

    fn announce(&mut self) {
        self.announced = true;
        self.show_state();
        self.tell(AudioEvent::Buffering { on: true });
    }

    pub(super) fn begin_hold(&mut self, until_ms: u64) {
        self.view.link.holding.store(true, Ordering::Release);
        self.hold = Some(Hold { since: Instant::now(), until_ms });
        if until_ms == START_MS {
            self.armed = false;
        }
    }

    pub(super) fn end_hold(&mut self) {
        self.view.link.holding.store(false, Ordering::Release);
        self.hold = None;
        let announced = std::mem::take(&mut self.announced);
        self.show_state();
        if announced {
            self.tell(AudioEvent::Buffering { on: false });
        }
    }

    /// Asks for a successor of the front item in time.
    pub(super) fn ask_next(&mut self) {
        if self.decks.len() != 1 {
            return;
        }
        let Some(deck) = self.decks.front_mut() else { return };
        let early = WANT_NEXT_MS + ((self.crossfade_ms as f64) * self.speed) as u64;
        let short = deck.duration_ms.is_some_and(|d| d.saturating_sub(deck.reached_ms()) < early);
        if deck.asked_next || deck.format.is_none() || !(short || deck.progress == Progress::Fed) {
            return;
        }
        deck.asked_next = true;
        let token = deck.token;
        self.tell(AudioEvent::WantNext { token });
    }

    pub(super) fn show_state(&self) {
        self.view.now().state = match (self.decks.is_empty(), self.playing, self.announced) {
            (true, _, _) => State::Stopped,
            (_, false, _) => State::Paused,
            (_, _, true) => State::Buffering,
            _ => State::Playing,
        };
    }

    pub(super) fn show_item(&self, deck: &Deck, at_ms: u64) {
        {
            let mut now = self.view.now();
            now.token = Some(deck.token);
            now.format = None;
        }
        self.show_position(at_ms);
    }

    /// The position stands here until the first frame from there is heard.
    pub(super) fn show_position(&self, at_ms: u64) {
        let mut now = self.view.now();
        now.base = self.feed.as_ref().map_or(0, Feed::head);
        now.until = now.base;
        now.base_ms = at_ms;
    }

    /// Goes on with another output, from where the listener is.
    pub(super) fn adopt(&mut self, port: Port) {
        let at_ms = {
            let now = self.view.now();
            self.view.position_ms(&now)
        };
        let moved = self.feed.is_some();
        self.exact.answered();
        self.feed = Some(Feed::new(port.feeder, port.info.sample_rate, self.present_speed()));
        self.output_is(port.info);
        if self.decks.is_empty() {
            return;
        }
        if moved {
            self.seek(at_ms);
        } else {
            self.show_position(at_ms);
        }
    }

    pub(super) fn output_is(&mut self, info: OutputInfo) {
        if info == self.output {
            return;
        }
        self.view.now().output = info.clone();
        self.output = info.clone();
        self.tell(AudioEvent::OutputChanged { info });
    }
}
