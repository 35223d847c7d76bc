//! The seam between the control thread and the output's real-time callback: a ring of stereo frames, a handful of
//! atomics, and the [`Renderer`] that the callback drives. The callback side takes no lock, allocates nothing and
//! never waits.
//!
//! Frames are numbered from the start of the engine. The control thread makes the renderer jump by numbers alone:
//! a *cut* says "what lies before this number is stale" (load, seek, stop: fade out, jump, go on), a *splice*
//! says "at this number go on with that one" (a prepared successor was replaced: jump without a trace).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use super::Frame;
use super::equalizer::{self, Filter};
use super::spectrum::Tap;

/// Seconds of sound that the ring holds.
const RING_SECONDS: f64 = 1.5;
/// Length of the fades around pauses and seeks.
const FADE_SECONDS: f32 = 0.005;
/// Time in which the volume would go from silence to full.
const VOLUME_SECONDS: f32 = 0.015;

/// The atomics shared by both sides; they outlive a change of the output device.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// Frames that the renderer is through with: played or cut. Written by the renderer.
    pub(super) read: AtomicU64,
    /// Frames before this number are stale. Written by the control thread.
    cut: AtomicU64,
    /// The next cut leads to the start of an item: no fade-in over its attack.
    cut_hard: AtomicBool,
    /// The listener wants sound.
    pub(super) playing: AtomicBool,
    /// Output waits until the ring is filled again.
    pub(super) holding: AtomicBool,
    /// Nothing follows what is in the ring: running dry is the end, not an underrun.
    pub(super) ended: AtomicBool,
    volume: AtomicU32,
    /// Neither volume (other than none at all) nor equaliser may touch a sample.
    pub(super) exact: AtomicBool,
    /// Times that the output asked for frames: a device that is alive keeps asking.
    pub(super) beats: AtomicU64,
    /// The output takes a second for a second of sound. Written by the output.
    pub(super) steady: AtomicBool,
    /// The equaliser that the listener wants.
    pub(super) equalizer: equalizer::Wish,
    /// Times the ring ran dry unannounced.
    pub(super) underruns: AtomicU64,
    /// Where screens look at what sounds.
    pub(super) tap: Arc<Tap>,
}

impl Link {
    /// Sets the factor that samples are multiplied with.
    pub(super) fn set_volume(&self, factor: f32) {
        self.volume.store(factor.to_bits(), Ordering::Relaxed);
    }

    /// Declares everything before frame `to` stale.
    pub(super) fn cut(&self, to: u64, hard: bool) {
        self.cut_hard.store(hard, Ordering::Relaxed);
        self.cut.store(to, Ordering::Release);
    }
}

#[derive(Debug, Clone, Copy)]
struct Splice {
    from: u64,
    to: u64,
}

/// The control thread's end of the ring.
pub(super) struct Feeder {
    frames: Producer<Frame>,
    splices: Producer<Splice>,
    /// Number of the next frame to be written.
    pub(super) written: u64,
}

impl Feeder {
    /// Writes as many frames as fit; returns how many.
    pub(super) fn write(&mut self, frames: &[Frame]) -> usize {
        let fits = frames.len().min(self.frames.slots());
        let (now, _) = frames.split_at(fits);
        if self.frames.push_entire_slice(now).is_err() {
            return 0;
        }
        self.written += fits as u64;
        fits
    }

    /// Makes the renderer go on with frame `to` when it reaches frame `from`; `false` when too many such orders
    /// wait already.
    pub(super) fn splice(&mut self, from: u64, to: u64) -> bool {
        self.splices.push(Splice { from, to }).is_ok()
    }
}

/// The output's end of the ring.
pub(super) struct Renderer {
    link: Arc<Link>,
    frames: Consumer<Frame>,
    splices: Consumer<Splice>,
    splice: Option<Splice>,
    read: u64,
    cut_done: u64,
    /// 0 closed … 1 open: the fade.
    gate: f32,
    gate_step: f32,
    equalizer: Filter,
    /// The next sound is the start of an item and begins without a fade.
    fresh: bool,
    volume: f32,
    volume_step: f32,
    last: Frame,
    /// What is left of `last` after the ring ran dry.
    decay: f32,
}

/// A ring for an output of `rate` frames per second.
pub(super) fn ring(link: &Arc<Link>, rate: u32) -> (Feeder, Renderer) {
    let (producer, consumer) = RingBuffer::new((f64::from(rate) * RING_SECONDS) as usize);
    let (splice_in, splice_out) = RingBuffer::new(16);
    let read = link.read.load(Ordering::Acquire);
    link.tap.set_rate(rate);
    let (rate, frames_per_second) = (rate.max(1) as f32, rate);
    let feeder = Feeder { frames: producer, splices: splice_in, written: read };
    let renderer = Renderer {
        link: Arc::clone(link),
        frames: consumer,
        splices: splice_out,
        splice: None,
        read,
        cut_done: read,
        gate: 0.0,
        gate_step: 1.0 / (FADE_SECONDS * rate),
        equalizer: Filter::new(frames_per_second),
        fresh: true,
        volume: 1.0,
        volume_step: 1.0 / (VOLUME_SECONDS * rate),
        last: [0.0; 2],
        decay: 0.0,
    };
    (feeder, renderer)
}

impl Renderer {
    /// Frames that can be rendered without running dry.
    pub(super) fn available(&self) -> usize {
        self.frames.slots()
    }

    /// Whether a call of [`Self::render`] would do more than let time pass: sound, a fade or a jump waits.
    pub(super) fn busy(&self) -> bool {
        let wanted = self.link.playing.load(Ordering::Relaxed) && !self.link.holding.load(Ordering::Relaxed);
        let sound = if wanted { self.available() > 0 } else { self.gate > 0.0 };
        sound || self.link.cut.load(Ordering::Acquire) > self.cut_done
    }

    /// Fills `out`; returns the part of it that is sound from the ring (the rest is silence or a dying tone).
    pub(super) fn render(&mut self, out: &mut [Frame]) -> usize {
        let wanted = self.link.playing.load(Ordering::Relaxed) && !self.link.holding.load(Ordering::Relaxed);
        let mut done = 0;
        let mut sounded = 0;
        while done < out.len() {
            let rest = out.len() - done;
            let cut = self.link.cut.load(Ordering::Acquire);
            if cut > self.cut_done {
                let stale = cut.saturating_sub(self.read);
                let n = self.fading_out(rest, stale);
                if n > 0 {
                    self.pop(&mut out[done..done + n], -self.gate_step);
                    done += n;
                    sounded += n;
                    continue;
                }
                self.jump(cut);
                self.gate = 0.0;
                self.equalizer.forget();
                self.cut_done = cut;
                self.fresh = self.link.cut_hard.load(Ordering::Relaxed);
                continue;
            }
            let before_splice = self.before_splice();
            if before_splice == Some(0) {
                continue;
            }
            let at_hand = self.frames.slots().min(rest).min(before_splice.unwrap_or(usize::MAX));
            if wanted && at_hand > 0 {
                if self.gate == 0.0 {
                    self.volume = self.target_volume();
                    if self.fresh {
                        self.gate = 1.0;
                    }
                }
                self.fresh = false;
                self.pop(&mut out[done..done + at_hand], self.gate_step);
                done += at_hand;
                sounded += at_hand;
                continue;
            }
            let n = self.fading_out(rest, u64::MAX);
            if !wanted && n > 0 {
                self.pop(&mut out[done..done + n], -self.gate_step);
                done += n;
                sounded += n;
                continue;
            }
            self.run_dry(wanted);
            self.die_away(&mut out[done..]);
            break;
        }
        self.link.beats.fetch_add(1, Ordering::Relaxed);
        self.link.read.store(self.read, Ordering::Release);
        self.link.tap.take(out);
        sounded
    }

    fn target_volume(&self) -> f32 {
        let volume = f32::from_bits(self.link.volume.load(Ordering::Relaxed));
        if volume > 0.0 && self.link.exact.load(Ordering::Relaxed) { 1.0 } else { volume }
    }

    /// Frames that a fade to silence still needs, of those that are there.
    fn fading_out(&self, room: usize, usable: u64) -> usize {
        if self.gate <= 0.0 {
            return 0;
        }
        let needed = (self.gate / self.gate_step).ceil() as usize;
        let usable = usize::try_from(usable).unwrap_or(usize::MAX);
        needed.max(1).min(room).min(self.frames.slots()).min(usable)
    }

    /// Frames up to the next splice; performs it (and answers 0) when it is here.
    fn before_splice(&mut self) -> Option<usize> {
        if self.splice.is_none() {
            self.splice = self.splices.pop().ok();
        }
        let splice = self.splice?;
        if self.read < splice.from {
            return Some(usize::try_from(splice.from - self.read).unwrap_or(usize::MAX));
        }
        self.splice = None;
        // A splice that was overtaken by a cut leads nowhere.
        if splice.to > self.read {
            self.jump(splice.to);
        }
        Some(0)
    }

    fn jump(&mut self, to: u64) {
        let skip = usize::try_from(to.saturating_sub(self.read)).unwrap_or(usize::MAX);
        let skip = skip.min(self.frames.slots());
        if let Ok(chunk) = self.frames.read_chunk(skip) {
            chunk.commit_all();
        }
        self.read = self.read.max(to);
    }

    /// Takes exactly `out.len()` frames from the ring, with the fade moving by `gate_step` a frame.
    fn pop(&mut self, out: &mut [Frame], gate_step: f32) {
        let Ok(()) = self.frames.pop_entire_slice(out) else { return };
        self.read += out.len() as u64;
        if !self.equalizer.is_flat(&self.link.equalizer) && !self.link.exact.load(Ordering::Relaxed) {
            self.equalizer.apply(out);
        }
        let target = self.target_volume();
        let plain = self.gate >= 1.0 && gate_step > 0.0 && same(self.volume, 1.0) && same(target, 1.0);
        if !plain {
            for frame in out.iter_mut() {
                self.gate = (self.gate + gate_step).clamp(0.0, 1.0);
                self.volume += (target - self.volume).clamp(-self.volume_step, self.volume_step);
                let factor = self.gate * self.volume;
                *frame = [frame[0] * factor, frame[1] * factor];
            }
        }
        if let Some(frame) = out.last() {
            self.last = *frame;
        }
    }

    /// The ring is empty (or closed): note it, once.
    fn run_dry(&mut self, wanted: bool) {
        if self.gate <= 0.0 {
            return;
        }
        self.decay = self.gate;
        self.gate = 0.0;
        let ended = self.link.ended.load(Ordering::Acquire);
        self.fresh = ended;
        if wanted && !ended {
            self.link.underruns.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Silence, reached from the last frame without a step.
    fn die_away(&mut self, out: &mut [Frame]) {
        for frame in out {
            self.decay = (self.decay - self.gate_step).max(0.0);
            *frame = [self.last[0] * self.decay, self.last[1] * self.decay];
        }
    }
}

fn same(a: f32, b: f32) -> bool {
    (a - b).abs() < f32::EPSILON
}
