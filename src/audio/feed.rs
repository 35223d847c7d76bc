//! From frames at a file's rate to numbered frames in the ring: one continuous stream with converters that are kept
//! across joints of one rate and flushed only where the rate changes, a crossfade begins or nothing follows.
//!
//! ```text
//! frames ─▶ rate converter ─▶ speed ─▶ held (the end of an item, while a crossfade is wanted) ─▶ pending ─▶ ring
//!                                        └── mixed with the beginning of the next item ──┘
//! ```

use std::collections::VecDeque;
use std::f32::consts::FRAC_PI_2;

use super::Frame;
use super::resample::Resampler;
use super::ring::Feeder;
use super::stretch::Stretch;

/// Writes decoded frames to the ring of one output.
pub(super) struct Feed {
    feeder: Feeder,
    /// Rate of the output.
    rate: u32,
    /// How fast the sound goes, 1 for as it was made.
    speed: f64,
    pending: Vec<Frame>,
    resampler: Option<Resampler>,
    stretch: Option<Stretch>,
    /// Rate of the stream that is being fed.
    source_rate: u32,
    /// Number of the output frame at which this stream (of one rate) began.
    base: u64,
    /// Frames of this stream so far, at the source's rate.
    fed: u64,
    /// The latest frames, which are not given to the ring yet…
    held: VecDeque<Frame>,
    /// …when so many are to be held.
    keep: usize,
    /// What is held is being mixed into what comes.
    fade: Option<Fade>,
    /// Where the last crossfade began.
    faded_at: Option<u64>,
    converted: Vec<Frame>,
}

struct Fade {
    done: usize,
    total: usize,
}

impl Fade {
    /// Equal power: the squares of both factors add up to one.
    fn mix(&mut self, old: Frame, new: Frame) -> Frame {
        let angle = FRAC_PI_2 * (self.done as f32 + 0.5) / self.total.max(1) as f32;
        self.done += 1;
        let (up, down) = angle.min(FRAC_PI_2).sin_cos();
        [old[0] * down + new[0] * up, old[1] * down + new[1] * up]
    }
}

impl Feed {
    pub(super) fn new(feeder: Feeder, rate: u32, speed: f64) -> Self {
        let base = feeder.written;
        Feed {
            feeder,
            rate,
            speed,
            pending: Vec::new(),
            resampler: None,
            stretch: None,
            source_rate: 0,
            base,
            fed: 0,
            held: VecDeque::new(),
            keep: 0,
            fade: None,
            faded_at: None,
            converted: Vec::new(),
        }
    }

    /// Rate of the output in frames per second.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Another speed, for a stream that begins anew.
    pub(super) fn set_speed(&mut self, speed: f64) {
        self.speed = speed;
    }

    /// Number of the output frame that the next source frame will become.
    pub(super) fn head(&self) -> u64 {
        let converted = self.resampler.as_ref().map_or(self.fed, Resampler::due);
        self.base + self.stretch.as_ref().map_or(converted, |stretch| stretch.due(converted))
    }

    /// Frames written or about to be, counted from the start of the engine.
    pub(super) fn tail(&self) -> u64 {
        self.ready() + self.held.len() as u64
    }

    /// As [`Self::tail`], without what is held.
    pub(super) fn ready(&self) -> u64 {
        self.feeder.written + self.pending.len() as u64
    }

    /// Whether more can be taken now.
    pub(super) fn hungry(&mut self) -> bool {
        self.drain();
        self.pending.is_empty()
    }

    /// Takes frames of a file with `rate` frames per second.
    pub(super) fn push(&mut self, frames: &[Frame], rate: u32) {
        self.switch(rate);
        self.fed += frames.len() as u64;
        if self.resampler.is_none() && self.stretch.is_none() {
            self.emit(frames);
        } else {
            let mut out = std::mem::take(&mut self.converted);
            out.clear();
            match (&mut self.resampler, &mut self.stretch) {
                (Some(resampler), None) => resampler.push(frames, &mut out),
                (None, Some(stretch)) => stretch.push(frames, &mut out),
                (Some(resampler), Some(stretch)) => {
                    let mut even = Vec::new();
                    resampler.push(frames, &mut even);
                    stretch.push(&even, &mut out);
                }
                (None, None) => {}
            }
            self.emit(&out);
            self.converted = out;
        }
        self.drain();
    }

    /// Prepares for frames of `rate`, so that [`Self::head`] is right before the first of them.
    pub(super) fn switch(&mut self, rate: u32) {
        if rate != self.source_rate {
            self.flush_converters();
            self.source_rate = rate;
            self.resampler = Resampler::new(rate, self.rate);
            self.stretch = Stretch::new(self.speed, self.rate);
        }
    }

    /// The stream ends here: nothing is left in the converters or held back.
    pub(super) fn flush(&mut self) {
        self.flush_converters();
        self.release();
    }

    fn flush_converters(&mut self) {
        let mut out = Vec::new();
        if let Some(mut resampler) = self.resampler.take() {
            resampler.flush(&mut out);
        }
        if let Some(mut stretch) = self.stretch.take() {
            let even = std::mem::take(&mut out);
            stretch.push(&even, &mut out);
            stretch.flush(&mut out);
        }
        self.emit(&out);
        self.source_rate = 0;
        self.fed = 0;
        self.base = if self.fade.is_some() { self.ready() } else { self.tail() };
        self.drain();
    }

    /// Whether a flush would add something.
    pub(super) fn holds_back(&self) -> bool {
        !self.held.is_empty()
            || (self.resampler.is_some() || self.stretch.is_some()) && self.head() > self.tail()
    }

    /// From now on the latest `frames` output frames are held back for a crossfade; 0 lets them go.
    pub(super) fn hold(&mut self, frames: usize) {
        if self.fade.is_some() || frames == self.keep {
            return;
        }
        self.keep = frames;
        if frames == 0 {
            self.release();
        }
    }

    /// Whether the end of an item is held back.
    pub(super) fn holding(&self) -> bool {
        self.keep > 0 && self.fade.is_none()
    }

    /// Gives what is held to the ring, at the level that a crossfade in progress has left of it.
    pub(super) fn release(&mut self) {
        let mut fade = self.fade.take();
        for old in self.held.drain(..) {
            self.pending.push(fade.as_mut().map_or(old, |fade| fade.mix(old, [0.0; 2])));
        }
        self.keep = 0;
        self.drain();
    }

    /// What is held, at most `longest` frames of it, is mixed into what comes next. Returns the number of the output
    /// frame at which that begins; `None` when nothing is held.
    pub(super) fn begin_fade(&mut self, longest: usize) -> Option<u64> {
        if !self.holding() {
            return None;
        }
        self.flush_converters();
        let early = self.held.len().saturating_sub(longest);
        self.pending.extend(self.held.drain(..early));
        self.keep = 0;
        if self.held.is_empty() {
            self.base = self.ready();
            return None;
        }
        self.fade = Some(Fade { done: 0, total: self.held.len() });
        self.base = self.ready();
        self.faded_at = Some(self.base);
        Some(self.base)
    }

    /// Forgets everything that was not heard; returns the number of the next frame.
    pub(super) fn restart(&mut self) -> u64 {
        self.pending.clear();
        self.drop_streams();
        self.base = self.feeder.written;
        self.base
    }

    /// Takes back everything from frame `from` on, which the output must not have reached; `false` when it
    /// cannot be done without a trace.
    pub(super) fn take_back(&mut self, from: u64) -> bool {
        // The end of the item before is mixed into what would go.
        if self.faded_at == Some(from) {
            return false;
        }
        if from < self.feeder.written && !self.feeder.splice(from, self.feeder.written) {
            return false;
        }
        let keep = from.saturating_sub(self.feeder.written) as usize;
        self.pending.extend(self.held.drain(..));
        self.pending.truncate(keep);
        self.drop_streams();
        self.base = self.tail();
        true
    }

    fn drop_streams(&mut self) {
        self.resampler = None;
        self.stretch = None;
        self.source_rate = 0;
        self.fed = 0;
        self.held.clear();
        self.keep = 0;
        self.fade = None;
    }

    fn emit(&mut self, frames: &[Frame]) {
        let mut rest = frames;
        if let Some(fade) = &mut self.fade {
            let mixed = rest.len().min(self.held.len());
            let (now, later) = rest.split_at(mixed);
            self.pending.extend(self.held.drain(..mixed).zip(now).map(|(old, new)| fade.mix(old, *new)));
            rest = later;
            if self.held.is_empty() {
                self.fade = None;
            }
        }
        if self.keep == 0 {
            self.pending.extend_from_slice(rest);
        } else {
            self.held.extend(rest);
            let surplus = self.held.len().saturating_sub(self.keep);
            self.pending.extend(self.held.drain(..surplus));
        }
    }

    fn drain(&mut self) {
        if !self.pending.is_empty() {
            let written = self.feeder.write(&self.pending);
            self.pending.drain(..written);
        }
    }
}
