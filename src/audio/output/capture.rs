//! The output for tests: keeps what a device would have got, and knows which of it was sound.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Bench, Output, OutputInfo, Signal};
use crate::audio::Frame;
use crate::audio::ring::Renderer;

/// How fast a capture takes frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As fast as they come; no silence is kept while nothing comes, and nothing runs dry.
    Unbounded,
    /// Like a device, this many times as fast as the clock.
    Realtime(f64),
}

/// Where a test reads what was played. Clones share one recording.
#[derive(Debug, Clone)]
pub struct CaptureHandle {
    rate: u32,
    /// Other rates that it can be asked for.
    rates: Vec<u32>,
    pace: Pace,
    tape: Arc<Tape>,
}

#[derive(Debug, Default)]
struct Tape {
    taken: Mutex<Taken>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct Taken {
    frames: Vec<Frame>,
    /// Ranges of `frames` that came from items, in order; adjacent ones are joined.
    sound: Vec<std::ops::Range<usize>>,
    /// At which frame each rate began.
    rates: Vec<(usize, u32)>,
}

impl CaptureHandle {
    /// A recording at `rate` frames per second.
    pub fn new(rate: u32, pace: Pace) -> Self {
        CaptureHandle { rate, rates: Vec::new(), pace, tape: Arc::default() }
    }

    /// The same, like a device that also has other rates.
    #[must_use]
    pub fn with_rates(mut self, rates: &[u32]) -> Self {
        self.rates = rates.to_vec();
        self
    }

    /// The rates of the recording so far, each with the number of frames taken before it.
    pub fn rates(&self) -> Vec<(usize, u32)> {
        self.taken().rates.clone()
    }

    /// Frames per second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Everything so far, with the silences.
    pub fn frames(&self) -> Vec<Frame> {
        self.taken().frames.clone()
    }

    /// Everything so far, interleaved.
    pub fn interleaved(&self) -> Vec<f32> {
        self.taken().frames.as_flattened().to_vec()
    }

    /// Only what came from items, one after the other without the silences between.
    pub fn sound(&self) -> Vec<Frame> {
        let taken = self.taken();
        taken
            .sound
            .iter()
            .flat_map(|range| taken.frames.get(range.clone()).unwrap_or_default())
            .copied()
            .collect()
    }

    /// Where in [`Self::frames`] there is sound from items.
    pub fn sound_ranges(&self) -> Vec<std::ops::Range<usize>> {
        self.taken().sound.clone()
    }

    /// Frames of sound so far.
    pub fn sound_len(&self) -> usize {
        self.taken().sound.iter().map(ExactSizeIterator::len).sum()
    }

    /// Waits until that many frames of sound were taken; `false` when `limit` is over before.
    pub fn wait_for_sound(&self, frames: usize, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut taken = self.taken();
        loop {
            if taken.sound.iter().map(ExactSizeIterator::len).sum::<usize>() >= frames {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            taken = self.tape.grown.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Starts an empty recording.
    pub fn clear(&self) {
        *self.taken() = Taken::default();
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.tape.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renders a block and keeps it, or only its sound. Whoever learns that a frame was heard finds it here: the
    /// recording is locked while the renderer counts.
    fn take(&self, renderer: &mut Renderer, block: &mut [Frame], with_silence: bool) {
        let mut taken = self.taken();
        let sound = renderer.render(block);
        let kept = if with_silence { block.len() } else { sound };
        let start = taken.frames.len();
        taken.frames.extend_from_slice(block.get(..kept).unwrap_or_default());
        if sound > 0 {
            match taken.sound.last_mut() {
                Some(range) if range.end == start => range.end = start + sound,
                _ => taken.sound.push(start..start + sound),
            }
        }
        drop(taken);
        self.tape.grown.notify_all();
    }
}

/// Runs until it is told to close or to go elsewhere.
pub(super) fn run(bench: &mut Bench, handle: &CaptureHandle, inbox: &Receiver<Signal>) -> Option<Output> {
    loop {
        let rate = bench.wanted_rate.filter(|rate| handle.rates.contains(rate)).unwrap_or(handle.rate);
        let info = OutputInfo { name: "capture".to_owned(), sample_rate: rate, silent_because: None };
        let mut renderer = bench.renderer(info);
        {
            let mut taken = handle.taken();
            let begin = taken.frames.len();
            taken.rates.push((begin, rate));
        }
        let signal = record(&mut renderer, rate, handle, inbox);
        bench.renderer = Some((renderer, rate));
        match signal {
            Signal::Close => return None,
            Signal::Switch(output) => return Some(output),
            Signal::Rate(rate) => bench.wanted_rate = rate,
            Signal::Lost => {}
        }
    }
}

fn record(renderer: &mut Renderer, rate: u32, handle: &CaptureHandle, inbox: &Receiver<Signal>) -> Signal {
    let mut block = [[0.0; 2]; 512];
    let begin = Instant::now();
    let mut passed = 0_u64;
    loop {
        match handle.pace {
            Pace::Unbounded => {
                match inbox.try_recv() {
                    Ok(Signal::Lost) | Err(TryRecvError::Empty) => {}
                    Ok(signal) => return signal,
                    Err(TryRecvError::Disconnected) => return Signal::Close,
                }
                if !renderer.busy() {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                }
                let n = renderer.available().clamp(1, block.len());
                handle.take(renderer, block.get_mut(..n).unwrap_or_default(), false);
            }
            Pace::Realtime(factor) => {
                let due = (begin.elapsed().as_secs_f64() * f64::from(rate) * factor) as u64;
                while passed < due {
                    let n = (due - passed).min(block.len() as u64);
                    handle.take(renderer, block.get_mut(..n as usize).unwrap_or_default(), true);
                    passed += n;
                }
                match inbox.recv_timeout(Duration::from_millis(5)) {
                    Ok(Signal::Lost) | Err(RecvTimeoutError::Timeout) => {}
                    Ok(signal) => return signal,
                    Err(RecvTimeoutError::Disconnected) => return Signal::Close,
                }
            }
        }
    }
}
