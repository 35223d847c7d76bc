//! From frames at a file's rate to numbered frames in the ring: one continuous stream with a converter that is kept
//! across joints of one rate and flushed only where the rate changes or nothing follows.

use super::Frame;
use super::resample::Resampler;
use super::ring::Feeder;

/// Writes decoded frames to the ring of one output.
pub(super) struct Feed {
    feeder: Feeder,
    /// Rate of the output.
    rate: u32,
    pending: Vec<Frame>,
    resampler: Option<Resampler>,
    /// Rate of the stream that is being fed.
    source_rate: u32,
    /// Number of the output frame at which this stream (of one rate) began.
    base: u64,
    /// Frames of this stream so far, at the source's rate.
    fed: u64,
}

impl Feed {
    pub(super) fn new(feeder: Feeder, rate: u32) -> Self {
        let base = feeder.written;
        Feed { feeder, rate, pending: Vec::new(), resampler: None, source_rate: 0, base, fed: 0 }
    }

    /// Rate of the output in frames per second.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Number of the output frame that the next source frame will become.
    pub(super) fn head(&self) -> u64 {
        self.base + self.resampler.as_ref().map_or(self.fed, Resampler::due)
    }

    /// Frames written or about to be, counted from the start of the engine.
    pub(super) fn tail(&self) -> u64 {
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
        match &mut self.resampler {
            Some(resampler) => resampler.push(frames, &mut self.pending),
            None => self.pending.extend_from_slice(frames),
        }
        self.drain();
    }

    /// Prepares for frames of `rate`, so that [`Self::head`] is right before the first of them.
    pub(super) fn switch(&mut self, rate: u32) {
        if rate != self.source_rate {
            self.flush();
            self.source_rate = rate;
            self.resampler = Resampler::new(rate, self.rate);
        }
    }

    /// The stream ends here: nothing is left in the converter.
    pub(super) fn flush(&mut self) {
        if let Some(mut resampler) = self.resampler.take() {
            resampler.flush(&mut self.pending);
        }
        self.source_rate = 0;
        self.fed = 0;
        self.base = self.tail();
        self.drain();
    }

    /// Whether a flush would add something.
    pub(super) fn holds_back(&self) -> bool {
        self.resampler.is_some() && self.head() > self.tail()
    }

    /// Forgets everything that was not heard; returns the number of the next frame.
    pub(super) fn restart(&mut self) -> u64 {
        self.pending.clear();
        self.resampler = None;
        self.source_rate = 0;
        self.fed = 0;
        self.base = self.feeder.written;
        self.base
    }

    /// Takes back everything from frame `from` on, which the output must not have reached; `false` when it
    /// cannot be done without a trace.
    pub(super) fn take_back(&mut self, from: u64) -> bool {
        if from < self.feeder.written && !self.feeder.splice(from, self.feeder.written) {
            return false;
        }
        let keep = from.saturating_sub(self.feeder.written) as usize;
        self.pending.truncate(keep);
        self.resampler = None;
        self.source_rate = 0;
        self.fed = 0;
        self.base = self.tail();
        true
    }

    fn drain(&mut self) {
        if !self.pending.is_empty() {
            let written = self.feeder.write(&self.pending);
            self.pending.drain(..written);
        }
    }
}
