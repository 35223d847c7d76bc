//! From samples to frames: mono, halved down to 22–44 kHz, cut into windows of about 93 ms, one every 23 ms, with their
//! power spectrum in 36 bands of the mel scale; and long windows of 371 ms, for pitch. Windows and bands are fixed in
//! seconds and hertz, so that a piece gives the same figures at any rate.

// A function that is not inlined is compiled for the oldest machine, not for its caller's instruction set.
#![allow(clippy::inline_always)]

use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::decimate::Halve;

/// Seconds from one frame to the next: 512 samples at 22,050 Hz.
pub(super) const HOP_S: f64 = 512.0 / 22_050.0;
/// Frames in a second.
pub(super) const FRAMES_A_SECOND: f64 = 1.0 / HOP_S;
/// Seconds in the short window.
const WINDOW_S: f64 = 2_048.0 / 22_050.0;
/// How many short windows a long one holds.
const LONG: usize = 4;
/// Hops between two long windows.
const LONG_EVERY: u64 = 8;
/// Bands.
pub(super) const BANDS: usize = 36;
/// Where the lowest band begins and the highest ends, Hz.
const RANGE_HZ: (f32, f32) = (40.0, 9_000.0);
/// Rates above this are halved.
const ENOUGH_HZ: u32 = 44_100;

/// The mel scale (O'Shaughnessy 1987).
fn mel(hz: f32) -> f32 {
    2595.0 * (1.0 + hz / 700.0).log10()
}

fn hertz(mel: f32) -> f32 {
    700.0 * (10.0_f32.powf(mel / 2595.0) - 1.0)
}

/// One short window. Powers are those of samples of full scale 1.
pub(super) struct Frame<'a> {
    /// Power in each band.
    pub(super) bands: &'a [f32; BANDS],
    /// Sum of all of them.
    pub(super) power: f32,
    /// Centre of gravity of the magnitudes, Hz.
    pub(super) centroid_hz: f32,
    /// Share of the power above 1,500 Hz.
    pub(super) high: f32,
    /// Share of the power below 150 Hz.
    pub(super) low: f32,
}

/// One long window: a magnitude for each bin.
pub(super) struct Long<'a> {
    /// Magnitudes from 0 Hz up.
    pub(super) magnitudes: &'a [f32],
    /// Width of a bin, Hz.
    pub(super) bin_hz: f32,
}

/// What takes the frames.
pub(super) trait Listen {
    fn frame(&mut self, frame: &Frame<'_>);
    fn long(&mut self, long: &Long<'_>);
}

struct Transform {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    input: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    magnitudes: Vec<f32>,
}

impl Transform {
    fn new(planner: &mut RealFftPlanner<f32>, size: usize) -> Self {
        let fft = planner.plan_fft_forward(size);
        let turn = std::f32::consts::TAU / size as f32;
        Self {
            // Hann, scaled so that a sine of full scale has a magnitude of 1.
            window: (0..size).map(|n| (1.0 - (turn * n as f32).cos()) * 2.0 / size as f32).collect(),
            input: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            magnitudes: vec![0.0; size / 2 + 1],
            fft,
        }
    }

    fn run(&mut self, samples: &[f32]) {
        for ((x, sample), w) in self.input.iter_mut().zip(samples).zip(&self.window) {
            *x = sample * w;
        }
        if self.fft.process_with_scratch(&mut self.input, &mut self.bins, &mut self.scratch).is_ok() {
            Arch::new().dispatch(Magnitudes(&self.bins, &mut self.magnitudes));
        }
    }
}

struct Magnitudes<'a>(&'a [Complex<f32>], &'a mut [f32]);

impl WithSimd for Magnitudes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (magnitude, bin) in self.1.iter_mut().zip(self.0) {
            *magnitude = (bin.re * bin.re + bin.im * bin.im).sqrt();
        }
    }
}

/// A triangle over some bins.
struct Band {
    first: usize,
    weights: Vec<f32>,
}

/// Frames of one sample rate.
pub(super) struct Front {
    rate: u32,
    halves: Vec<Halve>,
    /// The rate after halving, Hz.
    own_rate: f64,
    samples: Vec<f32>,
    /// Number of the sample that `samples` begins with.
    origin: u64,
    frames: u64,
    longs: u64,
    short: Transform,
    long: Transform,
    bands: Vec<Band>,
    /// Powers of the bins of the frame at hand.
    powers: Vec<f32>,
    spare: [Vec<f32>; 2],
}

impl Front {
    pub(super) fn new(rate: u32) -> Self {
        let mut halves = Vec::new();
        let mut own = f64::from(rate);
        while own >= f64::from(ENOUGH_HZ) {
            halves.push(Halve::new());
            own /= 2.0;
        }
        // A multiple of 32 keeps the transform fast.
        let size = ((own * WINDOW_S / 32.0).round() as usize * 32).max(64);
        let mut planner = RealFftPlanner::new();
        Self {
            rate,
            halves,
            own_rate: own,
            samples: Vec::new(),
            origin: 0,
            frames: 0,
            longs: 0,
            short: Transform::new(&mut planner, size),
            long: Transform::new(&mut planner, size * LONG),
            bands: bands(own as f32, size),
            powers: vec![0.0; size / 2 + 1],
            spare: [Vec::new(), Vec::new()],
        }
    }

    /// Frames per second of what it takes.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Takes mono samples and hands over the frames that are complete.
    pub(super) fn take(&mut self, mono: &[f32], to: &mut impl Listen) {
        match self.halves.split_first_mut() {
            None => self.samples.extend_from_slice(mono),
            Some((first, rest)) => {
                let [a, b] = &mut self.spare;
                a.clear();
                first.take(mono, a);
                for half in rest {
                    b.clear();
                    half.take(a, b);
                    std::mem::swap(a, b);
                }
                self.samples.extend_from_slice(a);
            }
        }
        loop {
            let (short_at, long_at) = (self.place(self.frames), self.place(self.longs * LONG_EVERY));
            if let Some(samples) = self.samples.get(long_at..long_at + self.long.input.len()) {
                self.long.run(samples);
                let bin_hz = self.own_rate as f32 / self.long.input.len() as f32;
                to.long(&Long { magnitudes: &self.long.magnitudes, bin_hz });
                self.longs += 1;
            }
            let Some(samples) = self.samples.get(short_at..short_at + self.short.input.len()) else { break };
            self.short.run(samples);
            self.describe(to);
            self.frames += 1;
        }
        let done = self.place(self.frames).min(self.place(self.longs * LONG_EVERY)).min(self.samples.len());
        if done > 1 << 15 {
            self.samples.drain(..done);
            self.origin += done as u64;
        }
    }

    /// Where a frame begins in `samples`.
    fn place(&self, frame: u64) -> usize {
        ((frame as f64 * HOP_S * self.own_rate) as u64).saturating_sub(self.origin) as usize
    }

    fn describe(&mut self, to: &mut impl Listen) {
        let magnitudes = &self.short.magnitudes;
        let bin_hz = self.own_rate as f32 / self.short.input.len() as f32;
        let bin = |hz: f32| ((hz / bin_hz) as usize).min(magnitudes.len());
        let (first, last) = (bin(RANGE_HZ.0), bin(RANGE_HZ.1));
        // The lowest bins hold rumble, not pitch or timbre.
        let heard = magnitudes.get(first..last).unwrap_or_default();
        let (sum, moment) = weighed(heard);
        for (power, magnitude) in self.powers.iter_mut().zip(magnitudes) {
            *power = magnitude * magnitude;
        }
        let power_of = |from: usize, to: usize| total(self.powers.get(from..to).unwrap_or_default());
        let (middle, upper) = (bin(150.0).max(first), bin(1_500.0).max(first));
        let (low, high) = (power_of(first, middle), power_of(upper, last));
        let total = low + power_of(middle, upper) + high;
        let mut bands = [0.0_f32; BANDS];
        for (power, band) in bands.iter_mut().zip(&self.bands) {
            *power = product(self.powers.get(band.first..).unwrap_or_default(), &band.weights);
        }
        let share = |part: f32| if total > 0.0 { part / total } else { 0.0 };
        to.frame(&Frame {
            bands: &bands,
            power: total,
            centroid_hz: if sum > 0.0 { (moment / sum + first as f32) * bin_hz } else { 0.0 },
            high: share(high),
            low: share(low),
        });
    }
}

/// Sums that run side by side, so that no addition waits for the one before it.
const LANES: usize = 8;

/// Sum of the values.
fn total(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// Sum of the values, and of each times its place.
fn weighed(values: &[f32]) -> (f32, f32) {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let (mut sums, mut moments) = ([0.0_f32; LANES], [0.0_f32; LANES]);
    let mut places: [f32; LANES] = std::array::from_fn(|lane| lane as f32);
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += chunk[lane];
            moments[lane] += chunk[lane] * places[lane];
            places[lane] += LANES as f32;
        }
    }
    let (mut sum, mut moment) = (sums.iter().sum::<f32>(), moments.iter().sum::<f32>());
    for (value, place) in rest.iter().zip(places) {
        (sum, moment) = (sum + value, moment + value * place);
    }
    (sum, moment)
}

/// Sum of the weights times the values beside them.
fn product(values: &[f32], weights: &[f32]) -> f32 {
    let (chunks, rest) = weights.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (values, weights) in values.as_chunks::<LANES>().0.iter().zip(chunks) {
        for lane in 0..LANES {
            sums[lane] += values[lane] * weights[lane];
        }
    }
    let left = values.iter().skip(chunks.len() * LANES).zip(rest);
    sums.iter().sum::<f32>() + left.map(|(value, weight)| value * weight).sum::<f32>()
}

/// Triangles of equal width in mel; the highest end at what the rate can hold.
fn bands(rate: f32, size: usize) -> Vec<Band> {
    let (low, high) = (mel(RANGE_HZ.0), mel(RANGE_HZ.1));
    let edge = |n: usize| hertz(low + (high - low) * n as f32 / (BANDS + 1) as f32);
    let bin_hz = rate / size as f32;
    (0..BANDS)
        .map(|n| {
            let (left, middle, right) = (edge(n), edge(n + 1), edge(n + 2));
            // At least as wide as a bin, so that none of the lowest is empty.
            let (left, right) = (left.min(middle - bin_hz), right.max(middle + bin_hz));
            let first = ((left / bin_hz).ceil().max(0.0)) as usize;
            let last = ((right / bin_hz) as usize).min(size / 2);
            let weight = |bin: usize| {
                let hz = bin as f32 * bin_hz;
                ((hz - left) / (middle - left)).min((right - hz) / (right - middle)).max(0.0)
            };
            Band { first, weights: (first..=last).map(weight).collect() }
        })
        .collect()
}
