//! Pitch classes and key, from the peaks of the long windows.
//!
//! Peaks between 65 Hz and 2.1 kHz are put into classes of ten cents by their interpolated frequency (the harmonic pitch
//! class profile of Gómez, "Tonal description of music audio signals", 2006, without its harmonic weights). At the end the
//! tuning is what most peaks deviate by, the classes are folded to twelve, and the key is that whose profile by Krumhansl
//! and Kessler (1982) correlates best.

use super::spectrum::Long;
use crate::music::Key;

/// Classes of ten cents.
const FINE: usize = 120;
/// Lowest and highest peak that counts, Hz.
const RANGE_HZ: (f32, f32) = (65.0, 2_100.0);
/// Peaks lower than this share of a window's highest do not count.
const FAINT: f32 = 0.02;

/// How well each pitch class fits into C major and C minor (Krumhansl and Kessler 1982).
const MAJOR: [f32; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR: [f32; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];

/// Gathers pitch classes.
pub(super) struct Tonal {
    fine: [f32; FINE],
    windows: f32,
}

/// What the pitch classes say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Harmony {
    pub(super) key: Key,
    /// 0 to 1.
    pub(super) confidence: f32,
    /// Fit of the best major key less that of the best minor one, −1 to 1.
    pub(super) mode: f32,
    /// Magnitudes of the Fourier coefficients 1 to 6 of the twelve classes, of their sum: which intervals prevail,
    /// in whatever key (Quinn, "General equal-tempered harmony", 2006: chromatic, dyadic, triadic, octatonic,
    /// diatonic, whole-tone).
    pub(super) intervals: [f32; 6],
}

impl Tonal {
    pub(super) fn new() -> Self {
        Self { fine: [0.0; FINE], windows: 0.0 }
    }

    pub(super) fn long(&mut self, long: &Long<'_>) {
        let from = (RANGE_HZ.0 / long.bin_hz) as usize;
        let to = ((RANGE_HZ.1 / long.bin_hz) as usize).min(long.magnitudes.len().saturating_sub(1));
        let Some(range) = long.magnitudes.get(from.max(1) - 1..=to) else { return };
        let highest = range.iter().fold(0.0_f32, |a, b| a.max(*b));
        if highest < 1e-5 {
            return;
        }
        let mut window = [0.0_f32; FINE];
        for (n, around) in range.windows(3).enumerate() {
            let &[left, middle, right] = around else { continue };
            if middle <= left || middle < right || middle < highest * FAINT {
                continue;
            }
            // The top of the parabola through the logarithms.
            let (a, b, c) = (left.max(1e-12).ln(), middle.ln(), right.max(1e-12).ln());
            let bend = a - 2.0 * b + c;
            let shift = if bend < -1e-6 { (0.5 * (a - c) / bend).clamp(-0.5, 0.5) } else { 0.0 };
            let hz = ((from.max(1) + n) as f32 + shift) * long.bin_hz;
            // Tenths of a semitone above C0.
            let class = ((hz / 16.351_6).log2() * FINE as f32).rem_euclid(FINE as f32);
            if let Some(slot) = window.get_mut(class as usize % FINE) {
                *slot += middle.sqrt();
            }
        }
        let sum: f32 = window.iter().sum();
        if sum > 0.0 {
            self.windows += 1.0;
            for (total, value) in self.fine.iter_mut().zip(&window) {
                *total += value / sum;
            }
        }
    }

    pub(super) fn finish(&self) -> Harmony {
        if self.windows == 0.0 {
            return Harmony::default();
        }
        let classes = self.folded();
        let (key, confidence, mode) = key(&classes);
        let sum: f32 = classes.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        let intervals = std::array::from_fn(|k| {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, value) in classes.iter().enumerate() {
                let (sin, cos) = (std::f32::consts::TAU * (n * (k + 1)) as f32 / 12.0).sin_cos();
                (re, im) = (re + value * cos, im - value * sin);
            }
            (re * re + im * im).sqrt() / sum
        });
        Harmony { key, confidence, mode, intervals }
    }

    /// Twelve classes about the tuning that the peaks agree on.
    fn folded(&self) -> [f32; 12] {
        let deviating = |by: usize| -> f32 { (0..12).map(|n| self.fine[(n * 10 + by) % FINE]).sum() };
        // Smoothed over three classes of ten cents; `by` and `10 + by` are the same.
        let best = (0..10)
            .map(|by| (by, deviating(by) + 0.5 * (deviating(by + 9) + deviating(by + 1))))
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
            .map_or(0, |(by, _)| by);
        // A deviation of more than half a semitone is one of less, downwards.
        let offset = if best > 5 { FINE + best - 10 } else { best };
        std::array::from_fn(|n| {
            let reach = 0..9_usize;
            reach.map(|step| self.fine[(n * 10 + offset + FINE + step - 4) % FINE]).sum()
        })
    }
}

/// The key that fits best, how sure that is, and how much more major than minor it is.
fn key(classes: &[f32; 12]) -> (Key, f32, f32) {
    let mut fits: Vec<(f32, Key)> = Vec::with_capacity(24);
    for (minor, profile) in [(false, &MAJOR), (true, &MINOR)] {
        for tonic in 0..12_u8 {
            let turned: [f32; 12] = std::array::from_fn(|n| profile[(n + 12 - usize::from(tonic)) % 12]);
            fits.push((correlation(classes, &turned), Key { tonic, minor }));
        }
    }
    let best_of = |minor: bool| {
        let of_mode = fits.iter().filter(|(_, key)| key.minor == minor);
        of_mode.map(|(fit, _)| *fit).fold(-1.0_f32, f32::max)
    };
    let mode = best_of(false) - best_of(true);
    fits.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (Some(&(best, key)), Some(&(second, _))) = (fits.first(), fits.get(1)) else {
        return (Key::default(), 0.0, 0.0);
    };
    // A good fit that no other key comes near.
    let confidence = best.max(0.0) * ((best - second) / 0.12).clamp(0.0, 1.0);
    (key, confidence, mode)
}

/// Pearson's correlation; 0 where one side is flat.
fn correlation(a: &[f32; 12], b: &[f32; 12]) -> f32 {
    let mean = |x: &[f32; 12]| x.iter().sum::<f32>() / 12.0;
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        (ab, aa, bb) = (ab + (x - ma) * (y - mb), aa + (x - ma).powi(2), bb + (y - mb).powi(2));
    }
    if aa > 1e-12 && bb > 1e-12 { ab / (aa * bb).sqrt() } else { 0.0 }
}
