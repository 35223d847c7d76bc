//! Halving the sample rate: a linear-phase half-band low-pass (windowed sinc, 47 taps of which every second is zero), worked
//! off in blocks over even and odd samples apart so that the inner loops run over neighbours.

// A function that is not inlined is compiled for the oldest machine, not for its caller's instruction set.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

/// Pairs of taps beside the middle one.
const PAIRS: usize = 12;
/// Outputs that are worked off side by side.
const LANES: usize = 16;
/// Odd samples that so many outputs are made of.
const REACH: usize = LANES + 2 * PAIRS - 1;

/// One halving, with the samples that it still needs.
pub(super) struct Halve {
    taps: [f32; PAIRS],
    even: Vec<f32>,
    odd: Vec<f32>,
    /// The next sample is an odd one.
    at_odd: bool,
}

impl Halve {
    pub(super) fn new() -> Self {
        let taps = std::array::from_fn(|k| {
            let m = (2 * k + 1) as f32;
            // Hamming's window over the sinc of half the band.
            let window = 0.54 + 0.46 * (std::f32::consts::PI * m / (2 * PAIRS) as f32).cos();
            let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
            sign / (std::f32::consts::PI * m) * window
        });
        Self { taps, even: vec![0.0; PAIRS], odd: vec![0.0; PAIRS], at_odd: false }
    }

    /// Takes samples and appends half as many to `out`.
    pub(super) fn take(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let (first, rest) = samples.split_at(usize::from(self.at_odd).min(samples.len()));
        self.odd.extend_from_slice(first);
        let (pairs, last) = rest.as_chunks::<2>();
        self.even.extend(pairs.iter().map(|[even, _]| even).chain(last));
        self.odd.extend(pairs.iter().map(|[_, odd]| odd));
        self.at_odd ^= samples.len() % 2 == 1;
        let ready = self.even.len().saturating_sub(PAIRS).min((self.odd.len() + 1).saturating_sub(2 * PAIRS));
        if ready == 0 {
            return;
        }
        let start = out.len();
        out.resize(start + ready, 0.0);
        let (even, odd) = (&self.even[PAIRS..], &self.odd[..]);
        Arch::new().dispatch(Taps { weights: &self.taps, even, odd, out: &mut out[start..] });
        self.even.drain(..ready);
        self.odd.drain(..ready);
    }
}

/// The filter over samples that lie side by side; `out` is as long as what is ready.
struct Taps<'a> {
    weights: &'a [f32; PAIRS],
    even: &'a [f32],
    odd: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Taps<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // Sums of neighbours stay in registers while the taps go by.
        let (blocks, rest) = self.out.as_chunks_mut::<LANES>();
        let done = blocks.len() * LANES;
        for (n, sums) in blocks.iter_mut().enumerate() {
            let at = n * LANES;
            let middle = self.even.get(at..).and_then(<[f32]>::first_chunk::<LANES>);
            let wings = self.odd.get(at..).and_then(<[f32]>::first_chunk::<REACH>);
            let (Some(middle), Some(wings)) = (middle, wings) else { return };
            let mut all = middle.map(|middle| 0.5 * middle);
            for k in 0..PAIRS {
                for lane in 0..LANES {
                    all[lane] += self.weights[k] * (wings[PAIRS - 1 - k + lane] + wings[PAIRS + k + lane]);
                }
            }
            *sums = all;
        }
        for (n, sum) in rest.iter_mut().enumerate() {
            let at = done + n;
            let pairs = self.weights.iter().enumerate();
            let wings = pairs.map(|(k, tap)| tap * (self.odd[at + PAIRS - 1 - k] + self.odd[at + PAIRS + k]));
            *sum = 0.5 * self.even[at] + wings.sum::<f32>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level_after(hz: f32, piece: usize) -> f32 {
        let samples: Vec<f32> =
            (0..8_000).map(|n| (std::f32::consts::TAU * hz * n as f32 / 44_100.0).sin()).collect();
        let (mut halve, mut out) = (Halve::new(), Vec::new());
        for piece in samples.chunks(piece) {
            halve.take(piece, &mut out);
        }
        assert!(out.len().abs_diff(4_000) < 20, "{}", out.len());
        let middle = &out[500..3_500];
        (middle.iter().map(|s| s * s).sum::<f32>() / middle.len() as f32 * 2.0).sqrt()
    }

    #[test]
    fn what_fits_passes_and_what_would_fold_back_does_not() {
        for piece in [1, 7, 1152, 8_000] {
            for hz in [100.0, 3_000.0, 8_500.0] {
                assert!((level_after(hz, piece) - 1.0).abs() < 0.01, "{hz} {}", level_after(hz, piece));
            }
            for hz in [13_500.0, 18_000.0, 21_000.0] {
                assert!(level_after(hz, piece) < 0.01, "{hz} {}", level_after(hz, piece));
            }
        }
    }
}
