//! Timbre: mel-frequency cepstral coefficients (Davis and Mermelstein 1980) and the shape of the spectrum, as means and
//! spreads over the frames that are not silent. None of it depends on how loud a piece is: each frame's bands are taken
//! relative to their loudest.

use super::spectrum::{BANDS, Frame};

/// Coefficients, without the first, which is level.
pub(super) const COEFFICIENTS: usize = 12;
/// Depth below a frame's loudest band that is looked at, dB.
const DEPTH_DB: f32 = 60.0;
/// A frame this much quieter than the loudest so far, as a ratio of powers, is a pause.
const PAUSE: f32 = 1e-5;
/// A frame below this power is silence, −90 dB.
const SILENCE: f32 = 1e-9;

/// Mean and spread of one figure.
#[derive(Debug, Clone, Copy, Default)]
struct Running {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Running {
    /// Welford's recurrence.
    fn take(&mut self, value: f32) {
        self.count += 1.0;
        let step = f64::from(value) - self.mean;
        self.mean += step / self.count;
        self.squares += step * (f64::from(value) - self.mean);
    }

    fn mean(&self) -> f32 {
        self.mean as f32
    }

    fn spread(&self) -> f32 {
        if self.count > 0.0 { (self.squares / self.count).sqrt() as f32 } else { 0.0 }
    }
}

/// Gathers timbre.
pub(super) struct Timbre {
    cosines: Vec<[f32; BANDS]>,
    cepstrum: [Running; COEFFICIENTS],
    centroid: Running,
    flatness: Running,
    high: Running,
    low: Running,
    level: Running,
    loudest: f32,
}

/// What the frames say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Colour {
    /// Mean and spread of each coefficient, dB.
    pub(super) cepstrum: [(f32, f32); COEFFICIENTS],
    /// Centre of gravity, octaves above 1 Hz: mean and spread.
    pub(super) centroid: (f32, f32),
    /// Geometric over arithmetic mean of the bands, dB (0 for noise): mean and spread.
    pub(super) flatness: (f32, f32),
    /// Share of power above 1,500 Hz (Juslin 2000), mean.
    pub(super) high: f32,
    /// Share of power below 150 Hz, mean.
    pub(super) low: f32,
    /// Spread of the frames' levels, dB.
    pub(super) level_spread: f32,
    /// Frames that were not silent.
    pub(super) frames: f64,
}

impl Timbre {
    pub(super) fn new() -> Self {
        let cosine = |k: usize, n: usize| {
            (std::f32::consts::PI * k as f32 * (n as f32 + 0.5) / BANDS as f32).cos()
                * (2.0 / BANDS as f32).sqrt()
        };
        Self {
            cosines: (1..=COEFFICIENTS).map(|k| std::array::from_fn(|n| cosine(k, n))).collect(),
            cepstrum: [Running::default(); COEFFICIENTS],
            centroid: Running::default(),
            flatness: Running::default(),
            high: Running::default(),
            low: Running::default(),
            level: Running::default(),
            loudest: 0.0,
        }
    }

    pub(super) fn frame(&mut self, frame: &Frame<'_>) {
        self.loudest = self.loudest.max(frame.power);
        if frame.power < SILENCE || frame.power < self.loudest * PAUSE {
            return;
        }
        let loudest = frame.bands.iter().fold(1e-20_f32, |a, b| a.max(*b));
        let floor = 10.0_f32.powf(-DEPTH_DB / 10.0);
        let decibels = frame.bands.map(|power| 10.0 * (power / loudest).max(floor).log10());
        for (cosines, running) in self.cosines.iter().zip(&mut self.cepstrum) {
            running.take(cosines.iter().zip(&decibels).map(|(a, b)| a * b).sum());
        }
        let geometric = decibels.iter().sum::<f32>() / BANDS as f32;
        let arithmetic = decibels.iter().map(|db| 10.0_f32.powf(db / 10.0)).sum::<f32>() / BANDS as f32;
        self.flatness.take(geometric - 10.0 * arithmetic.log10());
        self.centroid.take(frame.centroid_hz.max(20.0).log2());
        self.high.take(frame.high);
        self.low.take(frame.low);
        self.level.take(10.0 * frame.power.log10());
    }

    pub(super) fn finish(&self) -> Colour {
        Colour {
            cepstrum: self.cepstrum.map(|running| (running.mean(), running.spread())),
            centroid: (self.centroid.mean(), self.centroid.spread()),
            flatness: (self.flatness.mean(), self.flatness.spread()),
            high: self.high.mean(),
            low: self.low.mean(),
            level_spread: self.level.spread(),
            frames: self.level.count,
        }
    }
}
