//! What sounds right now, for screens: levels and a spectrum of what the renderer hands to the output, after fades
//! and volume.
//!
//! ```text
//! renderer ─▶ Tap (ring of atomics, only while somebody watches) ─▶ Spectrum: Hann window, FFT, bands in dB
//! ```
//!
//! The renderer's side is one atomic load a block while nobody watches, else one store a frame. A device takes
//! frames in bursts of up to 0.1 s; the reading side moves through them by the clock, so that pictures move evenly.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::Frame;

/// Frames that are kept for a look back; a power of two.
const KEPT: usize = 16_384;
/// Frames in the window: 12 Hz wide bins at 48 kHz, and 85 ms of sound.
const WINDOW: usize = 4096;
/// Frames whose level is told.
const METER: usize = 1024;
/// A reader that is further behind than a device's burst and the next one has slept.
const FURTHEST: u64 = 3 * 4096;
/// Where the lowest band begins and the highest ends, Hz.
const RANGE_HZ: (f32, f32) = (40.0, 16_000.0);
/// What silence reads, dB.
pub const SILENCE_DB: f32 = -120.0;
/// Equivalent noise bandwidth of the Hann window in bins (Harris 1978, table 1).
const HANN_BINS: f32 = 1.5;

/// The renderer's side. One renderer writes at a time.
pub(super) struct Tap {
    watchers: AtomicUsize,
    /// Left and right as bits, left in the upper half.
    frames: Box<[AtomicU64]>,
    written: AtomicU64,
    rate: AtomicU32,
}

impl Default for Tap {
    fn default() -> Self {
        Tap {
            watchers: AtomicUsize::new(0),
            frames: std::iter::repeat_with(AtomicU64::default).take(KEPT).collect(),
            written: AtomicU64::new(0),
            rate: AtomicU32::new(0),
        }
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").field("watchers", &self.watchers).finish_non_exhaustive()
    }
}

impl Tap {
    /// Frames come at this rate from now on.
    pub(super) fn set_rate(&self, rate: u32) {
        self.rate.store(rate, Ordering::Relaxed);
    }

    /// Takes what goes to the output, if anybody wants to see it.
    pub(super) fn take(&self, frames: &[Frame]) {
        if self.watchers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut at = self.written.load(Ordering::Relaxed);
        for frame in frames {
            if let Some(slot) = self.frames.get(at as usize % KEPT) {
                let bits = u64::from(frame[0].to_bits()) << 32 | u64::from(frame[1].to_bits());
                slot.store(bits, Ordering::Relaxed);
            }
            at += 1;
        }
        self.written.store(at, Ordering::Release);
    }

    fn frame(&self, at: u64) -> Frame {
        let bits = self.frames.get(at as usize % KEPT).map_or(0, |slot| slot.load(Ordering::Relaxed));
        [f32::from_bits((bits >> 32) as u32), f32::from_bits(bits as u32)]
    }
}

/// Levels of left and right in decibels of full scale: a full-scale sine has a peak of 0 and a mean of −3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// Root of the mean square over some 20 ms.
    pub rms_db: [f32; 2],
    /// Highest sample of some 20 ms.
    pub peak_db: [f32; 2],
}

impl Levels {
    /// What silence reads.
    pub const SILENCE: Self = Self { rms_db: [SILENCE_DB; 2], peak_db: [SILENCE_DB; 2] };
}

/// A look at what sounds. Costs the output nothing until [`Spectrum::set_watched`]; stops watching when dropped.
pub struct Spectrum {
    tap: Arc<Tap>,
    watching: bool,
    /// Where the reader is, in frames, and when it was there.
    at: f64,
    looked: Instant,
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    input: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Power of each bin, both channels together; 1 for a full-scale sine in its bin's middle.
    power: Vec<f32>,
}

impl fmt::Debug for Spectrum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spectrum").field("watching", &self.watching).finish_non_exhaustive()
    }
}

impl Drop for Spectrum {
    fn drop(&mut self) {
        self.set_watched(false);
    }
}

impl Spectrum {
    pub(super) fn new(tap: Arc<Tap>) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(WINDOW);
        let window = (0..WINDOW)
            .map(|n| 0.5 - 0.5 * (std::f32::consts::TAU * n as f32 / WINDOW as f32).cos())
            .collect();
        Spectrum {
            tap,
            watching: false,
            at: 0.0,
            looked: Instant::now(),
            window,
            input: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            power: vec![0.0; WINDOW / 2 + 1],
            fft,
        }
    }

    /// Begins or stops to look. While no handle watches, [`Spectrum::read`] sees silence.
    pub fn set_watched(&mut self, on: bool) {
        if on == self.watching {
            return;
        }
        self.watching = on;
        if on {
            self.tap.watchers.fetch_add(1, Ordering::Relaxed);
            self.at = self.tap.written.load(Ordering::Acquire) as f64;
            self.looked = Instant::now();
        } else {
            self.tap.watchers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Fills `bands` with what sounds now, lowest first: each in decibels of full scale (0 for a full-scale sine,
    /// [`SILENCE_DB`] for silence), bands of equal width in octaves from 40 Hz to 16 kHz. Not smoothed over time:
    /// call it as often as you draw and let the bars fall as you like.
    pub fn read(&mut self, bands: &mut [f32]) -> Levels {
        bands.fill(SILENCE_DB);
        let rate = self.tap.rate.load(Ordering::Relaxed);
        if !self.watching || rate == 0 {
            return Levels::SILENCE;
        }
        let end = self.advance(rate);
        self.power.fill(0.0);
        let mut levels = Levels::SILENCE;
        for side in 0..2 {
            let (mut square, mut peak) = (0.0_f32, 0.0_f32);
            for (n, (x, w)) in self.input.iter_mut().zip(&self.window).enumerate() {
                // Frames from before the beginning, or from before anybody watched, are silence.
                let sample =
                    (end + n as u64).checked_sub(WINDOW as u64).map_or(0.0, |at| self.tap.frame(at)[side]);
                if n >= WINDOW - METER {
                    square += sample * sample;
                    peak = peak.max(sample.abs());
                }
                *x = sample * w;
            }
            levels.rms_db[side] = decibels(square / METER as f32);
            levels.peak_db[side] = decibels(peak * peak);
            if self.fft.process_with_scratch(&mut self.input, &mut self.bins, &mut self.scratch).is_ok() {
                // The window's mean is 1/2 and a sine's power is in two bins, one of them negative.
                let scale = 2.0 * 2.0 / WINDOW as f32;
                for (power, bin) in self.power.iter_mut().zip(&self.bins) {
                    *power += (bin * scale).norm_sqr() / 2.0;
                }
            }
        }
        self.fold(bands, rate);
        levels
    }

    /// Moves on by the time that went by; returns the number of the frame behind the window.
    fn advance(&mut self, rate: u32) -> u64 {
        let written = self.tap.written.load(Ordering::Acquire);
        let now = Instant::now();
        self.at += (now - self.looked).as_secs_f64() * f64::from(rate);
        self.looked = now;
        let behind = written as f64 - self.at;
        if behind < 0.0 {
            self.at = written as f64;
        } else if behind > FURTHEST as f64 {
            self.at = written.saturating_sub(FURTHEST / 3) as f64;
        }
        self.at as u64
    }

    /// From bins of equal width to bands of equal ratio.
    fn fold(&self, bands: &mut [f32], rate: u32) {
        let (low, high) = (RANGE_HZ.0, RANGE_HZ.1.min(rate as f32 / 2.0));
        let per_bin = rate as f32 / WINDOW as f32;
        let count = bands.len() as f32;
        let edge = |n: f32| low * (high / low).powf(n / count) / per_bin;
        for (n, band) in bands.iter_mut().enumerate() {
            let (from, to) = (edge(n as f32), edge(n as f32 + 1.0));
            let whole = from.ceil() as usize..to.ceil() as usize;
            let sum: f32 = self.power.get(whole).unwrap_or_default().iter().sum();
            // A band narrower than a bin shows what its middle would have.
            let middle = (from * to).sqrt();
            let (below, share) = (middle as usize, middle.fract());
            let at = |bin: usize| self.power.get(bin).copied().unwrap_or(0.0);
            let point = at(below) * (1.0 - share) + at(below + 1) * share;
            *band = decibels((sum / HANN_BINS).max(point));
        }
    }
}

/// A power as decibels.
fn decibels(power: f32) -> f32 {
    if power > 1e-12 { 10.0 * power.log10() } else { SILENCE_DB }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sine(hz: f32, rate: u32, level: Frame) -> Vec<Frame> {
        (0..3 * WINDOW)
            .map(|n| {
                let s = (std::f64::consts::TAU * f64::from(hz) * n as f64 / f64::from(rate)).sin() as f32;
                [s * level[0], s * level[1]]
            })
            .collect()
    }

    fn look(frames: &[Frame], rate: u32, bands: usize) -> (Vec<f32>, Levels) {
        let tap = Arc::new(Tap::default());
        tap.set_rate(rate);
        let mut spectrum = Spectrum::new(Arc::clone(&tap));
        spectrum.set_watched(true);
        tap.take(frames);
        spectrum.at = frames.len() as f64;
        let mut out = vec![0.0; bands];
        let levels = spectrum.read(&mut out);
        (out, levels)
    }

    fn band_of(hz: f32, bands: usize) -> usize {
        let (low, high) = RANGE_HZ;
        ((hz / low).ln() / (high / low).ln() * bands as f32) as usize
    }

    fn loudest(bands: &[f32]) -> usize {
        (0..bands.len()).max_by(|a, b| bands[*a].total_cmp(&bands[*b])).unwrap()
    }

    #[test]
    fn a_sine_of_1_khz_lights_its_band_at_its_level() {
        let (bands, levels) = look(&sine(1000.0, 48_000, [0.5, 0.5]), 48_000, 24);
        let lit = loudest(&bands);
        assert_eq!(lit, band_of(1000.0, 24));
        assert!((bands[lit] + 6.02).abs() < 0.5, "{}", bands[lit]);
        assert!(bands.iter().enumerate().all(|(n, db)| n.abs_diff(lit) < 2 || *db < -60.0), "{bands:?}");
        for side in 0..2 {
            assert!((levels.peak_db[side] + 6.02).abs() < 0.1, "{levels:?}");
            assert!((levels.rms_db[side] + 9.03).abs() < 0.1, "{levels:?}");
        }
    }

    #[test]
    fn sides_are_metered_apart() {
        let (_, levels) = look(&sine(440.0, 44_100, [1.0, 0.0]), 44_100, 8);
        assert!(levels.peak_db[0] > -0.1 && levels.peak_db[1] <= SILENCE_DB, "{levels:?}");
    }

    #[test]
    fn opposite_sides_do_not_cancel_out() {
        let (bands, _) = look(&sine(1000.0, 48_000, [0.5, -0.5]), 48_000, 24);
        assert!(bands[loudest(&bands)] > -7.0);
    }

    #[test]
    fn nothing_is_kept_while_nobody_watches() {
        let tap = Arc::new(Tap::default());
        tap.set_rate(48_000);
        let mut spectrum = Spectrum::new(Arc::clone(&tap));
        tap.take(&[[1.0; 2]; 512]);
        let mut bands = [0.0; 4];
        assert_eq!(spectrum.read(&mut bands), Levels::SILENCE);
        assert_eq!(tap.written.load(Ordering::Relaxed), 0);
        spectrum.set_watched(true);
        tap.take(&[[1.0; 2]; 512]);
        assert_eq!(tap.written.load(Ordering::Relaxed), 512);
        drop(spectrum);
        tap.take(&[[1.0; 2]; 512]);
        assert_eq!(tap.written.load(Ordering::Relaxed), 512, "a dropped handle watches no more");
    }

    proptest! {
        #[test]
        fn every_sine_is_loudest_in_its_own_band(
            hz in 60.0f32..15_000.0, rate in prop::sample::select(vec![44_100u32, 48_000, 96_000]), count in 4usize..40,
        ) {
            let (bands, _) = look(&sine(hz, rate, [0.8, 0.8]), rate, count);
            // Low notes are wider than a narrow band; they may spill into a neighbour of the right one.
            let slack = if hz < 400.0 { count / 10 + 1 } else { 1 };
            prop_assert!(loudest(&bands).abs_diff(band_of(hz, count)) <= slack, "{bands:?}");
            prop_assert!(bands.iter().all(|db| *db < 1.0));
        }
    }
}
