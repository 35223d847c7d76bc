//! Halving the sample rate: a linear-phase half-band low-pass (windowed sinc, 47 taps of which every second is zero), worked
//! off in blocks over even and odd samples apart so that the inner loops run over neighbours.

/// Pairs of taps beside the middle one.
const PAIRS: usize = 12;

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
        for sample in samples {
            if self.at_odd { &mut self.odd } else { &mut self.even }.push(*sample);
            self.at_odd = !self.at_odd;
        }
        let ready = self.even.len().saturating_sub(PAIRS).min((self.odd.len() + 1).saturating_sub(2 * PAIRS));
        if ready == 0 {
            return;
        }
        let start = out.len();
        out.extend(self.even.iter().skip(PAIRS).take(ready).map(|middle| 0.5 * middle));
        let sums = &mut out[start..];
        for (k, tap) in self.taps.iter().enumerate() {
            let before = &self.odd[PAIRS - 1 - k..];
            let after = &self.odd[PAIRS + k..];
            for ((sum, a), b) in sums.iter_mut().zip(before).zip(after) {
                *sum += tap * (a + b);
            }
        }
        self.even.drain(..ready);
        self.odd.drain(..ready);
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
