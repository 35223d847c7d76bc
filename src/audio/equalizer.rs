//! Ten bands, an octave apart, of peaking filters (R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad
//! filter coefficients", `peakingEQ` with a bandwidth of one octave).
//!
//! ```text
//! Equalizer (dB a band) ─▶ Wish (atomics) ─▶ Filter in the renderer: gains glide there, then a cascade of biquads
//! ```
//!
//! The renderer filters what is about to be heard, so a change is heard within a device's buffer and nothing is
//! decoded anew. With every band at 0 dB the filter is out of the way and samples pass bit by bit.

use std::f64::consts::{LN_2, TAU};
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Frame;

/// Bands of the equaliser.
pub const BANDS: usize = 10;
/// Middle of each band, Hz (ISO 266 octaves).
pub const BAND_HZ: [f32; BANDS] = [31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0];
/// The most that a band is raised or lowered, dB.
pub const MAX_DB: f32 = 12.0;

/// Frames between two steps of a gliding gain.
const GLIDE: usize = 16;
/// The most that a gain moves in one step, dB.
const GLIDE_DB: f32 = 0.1;
/// Part of the way to the wanted level that is gone in a frame.
const LEVEL_STEP: f64 = 0.002;
/// After so long nothing is left of what a filter remembered (20 times the decay of the lowest band).
const SETTLE_SECONDS: f64 = 0.3;

/// The rate at which a cascade's highest gain is looked for.
const RATE: f64 = 48_000.0;

/// Presets by name, dB a band from low to high.
pub const PRESETS: &[(&str, [f32; BANDS])] = &[
    ("off", [0.0; BANDS]),
    ("bass", [6.0, 5.0, 4.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    ("treble", [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 5.0, 6.0]),
    ("vocal", [-3.0, -2.0, -1.0, 1.0, 3.0, 4.0, 3.0, 1.0, 0.0, -1.0]),
    ("rock", [4.0, 3.0, 2.0, 0.0, -1.0, -1.0, 1.0, 2.0, 3.0, 4.0]),
    ("pop", [-1.0, 0.0, 1.0, 2.0, 3.0, 3.0, 2.0, 1.0, 0.0, -1.0]),
    ("classical", [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, -2.0, -2.0, -3.0]),
    ("electronic", [5.0, 4.0, 1.0, 0.0, -2.0, 1.0, 0.0, 1.0, 4.0, 5.0]),
    ("quiet", [6.0, 4.0, 2.0, 0.0, -1.0, -1.0, 0.0, 2.0, 4.0, 6.0]),
    ("speech", [-12.0, -8.0, -3.0, 0.0, 2.0, 3.0, 4.0, 2.0, -2.0, -6.0]),
];

/// How much each band is raised or lowered, dB, each within ±[`MAX_DB`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Equalizer {
    gains: [f32; BANDS],
}

// Gains are numbers: no way of making one lets anything else in.
impl Eq for Equalizer {}

impl Equalizer {
    /// From gains in dB; what is out of bounds is brought within, what is no number is 0.
    pub fn new(gains_db: [f32; BANDS]) -> Self {
        let sane = |g: f32| if g.is_finite() { g.clamp(-MAX_DB, MAX_DB) } else { 0.0 };
        Equalizer { gains: gains_db.map(sane) }
    }

    /// dB a band, from low to high.
    pub fn gains_db(&self) -> [f32; BANDS] {
        self.gains
    }

    /// Whether it changes nothing.
    pub fn is_flat(&self) -> bool {
        self.gains.iter().all(|g| *g == 0.0)
    }

    /// The name of the preset that it is.
    pub fn preset(&self) -> Option<&'static str> {
        PRESETS.iter().find(|(_, gains)| same(gains, &self.gains)).map(|(name, _)| *name)
    }

    /// dB by which everything is lowered first, so that no raised band comes above full scale: the highest gain of
    /// the whole cascade at any frequency, negative or 0.
    pub fn headroom_db(&self) -> f32 {
        if self.gains.iter().all(|g| *g <= 0.0) {
            return 0.0;
        }
        let filters = bands(&self.gains, RATE);
        // Two hundred steps from 20 Hz to 20 kHz are a tenth of a band apart.
        let highest = (0..=200)
            .map(|i| 20.0 * 1000.0_f64.powf(f64::from(i) / 200.0))
            .map(|hz| filters.iter().map(|f| f.gain_db(hz, RATE)).sum::<f64>())
            .fold(0.0, f64::max);
        -highest as f32
    }
}

/// A preset's name, or ten numbers between commas.
impl FromStr for Equalizer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, gains)) = PRESETS.iter().find(|(name, _)| *name == text.trim()) {
            return Ok(Equalizer { gains: *gains });
        }
        let numbers: Option<Vec<f32>> = text
            .split([',', ' '])
            .filter(|word| !word.is_empty())
            .map(|word| word.parse::<f32>().ok().filter(|db| db.abs() <= MAX_DB))
            .collect();
        numbers.and_then(|n| <[f32; BANDS]>::try_from(n).ok()).map(Equalizer::new).ok_or_else(|| {
            let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
            format!("an equaliser is one of {}, or ten numbers of -12 to 12 between commas", names.join(", "))
        })
    }
}

/// As [`FromStr`] reads it.
impl fmt::Display for Equalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.preset() {
            return f.write_str(name);
        }
        let words: Vec<String> = self.gains.iter().map(ToString::to_string).collect();
        f.write_str(&words.join(","))
    }
}

/// What the listener wants, on its way to the renderer.
#[derive(Debug, Default)]
pub(super) struct Wish {
    gains: [AtomicU32; BANDS],
    headroom: AtomicU32,
    version: AtomicU32,
}

impl Wish {
    /// Glides there from the next block on.
    pub(super) fn set(&self, equalizer: &Equalizer) {
        for (to, gain) in self.gains.iter().zip(equalizer.gains) {
            to.store(gain.to_bits(), Ordering::Relaxed);
        }
        self.headroom.store(equalizer.headroom_db().to_bits(), Ordering::Relaxed);
        self.version.fetch_add(1, Ordering::Release);
    }
}

/// One peaking filter, normalised; `b1 = a1`.
#[derive(Debug, Clone, Copy)]
struct Biquad {
    b0: f64,
    b2: f64,
    a1: f64,
    a2: f64,
}

impl Biquad {
    const IDENTITY: Biquad = Biquad { b0: 1.0, b2: 0.0, a1: 0.0, a2: 0.0 };

    /// Raises an octave around `hz` by `gain_db`.
    fn peak(hz: f64, gain_db: f64, rate: f64) -> Self {
        // A band that the rate does not hold is left alone.
        if hz >= 0.45 * rate {
            return Self::IDENTITY;
        }
        let a = 10.0_f64.powf(gain_db / 40.0);
        let w = TAU * hz / rate;
        let alpha = w.sin() * (LN_2 / 2.0 * w / w.sin()).sinh();
        let a0 = 1.0 + alpha / a;
        Biquad {
            b0: (1.0 + alpha * a) / a0,
            b2: (1.0 - alpha * a) / a0,
            a1: -2.0 * w.cos() / a0,
            a2: (1.0 - alpha / a) / a0,
        }
    }

    /// What it does to a sine of `hz`, dB.
    fn gain_db(&self, hz: f64, rate: f64) -> f64 {
        let w = TAU * hz / rate;
        let power = |c0: f64, c1: f64, c2: f64| {
            let re = c0 + c1 * w.cos() + c2 * (2.0 * w).cos();
            let im = c1 * w.sin() + c2 * (2.0 * w).sin();
            re * re + im * im
        };
        10.0 * (power(self.b0, self.a1, self.b2) / power(1.0, self.a1, self.a2)).log10()
    }
}

/// Whether two sets of gains are the same number by number: gains glide onto their goal exactly.
fn same(a: &[f32; BANDS], b: &[f32; BANDS]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || a.abs() + b.abs() == 0.0)
}

fn bands(gains: &[f32; BANDS], rate: f64) -> [Biquad; BANDS] {
    let mut filters = [Biquad::IDENTITY; BANDS];
    for ((filter, hz), gain) in filters.iter_mut().zip(BAND_HZ).zip(gains) {
        *filter = Biquad::peak(f64::from(hz), f64::from(*gain), rate);
    }
    filters
}

/// The renderer's side: no allocation, no lock.
pub(super) struct Filter {
    rate: f64,
    seen: u32,
    goal: [f32; BANDS],
    goal_level: f64,
    gains: [f32; BANDS],
    level: f64,
    filters: [Biquad; BANDS],
    memory: [[Memory; 2]; BANDS],
    /// Frames until the gains move again.
    steady: usize,
    /// Frames until what the filters remember has died away, when nothing is to be filtered any more.
    settling: usize,
    flat: bool,
}

/// The last two samples in and out of a filter (direct form I: they stay true while the filter changes).
#[derive(Debug, Clone, Copy, Default)]
struct Memory {
    x: [f64; 2],
    y: [f64; 2],
}

impl Memory {
    fn pass(&mut self, f: &Biquad, x: f64) -> f64 {
        // With b = a this is x to the bit as soon as the past is the same in and out.
        let y = f.b0 * x + f.a1 * (self.x[0] - self.y[0]) + (f.b2 * self.x[1] - f.a2 * self.y[1]);
        *self = Memory { x: [x, self.x[0]], y: [y, self.y[0]] };
        y
    }
}

impl Filter {
    pub(super) fn new(rate: u32) -> Self {
        let rate = f64::from(rate.max(1));
        Filter {
            rate,
            seen: 0,
            goal: [0.0; BANDS],
            goal_level: 1.0,
            gains: [0.0; BANDS],
            level: 1.0,
            filters: bands(&[0.0; BANDS], rate),
            memory: [[Memory::default(); 2]; BANDS],
            steady: 0,
            settling: 0,
            flat: true,
        }
    }

    /// Looks whether the wish changed; `true` when samples pass untouched.
    pub(super) fn is_flat(&mut self, wish: &Wish) -> bool {
        let version = wish.version.load(Ordering::Acquire);
        if version != self.seen {
            self.seen = version;
            for (to, from) in self.goal.iter_mut().zip(&wish.gains) {
                *to = f32::from_bits(from.load(Ordering::Relaxed));
            }
            let headroom = f32::from_bits(wish.headroom.load(Ordering::Relaxed));
            self.goal_level = 10.0_f64.powf(f64::from(headroom) / 20.0);
            self.flat &= same(&self.gains, &self.goal);
            self.steady = 0;
        }
        self.flat
    }

    /// What sounded before has nothing to do with what follows.
    pub(super) fn forget(&mut self) {
        self.memory = [[Memory::default(); 2]; BANDS];
    }

    fn glide(&mut self) {
        if same(&self.gains, &self.goal) {
            self.steady = usize::MAX;
            return;
        }
        for (gain, goal) in self.gains.iter_mut().zip(self.goal) {
            *gain += (goal - *gain).clamp(-GLIDE_DB, GLIDE_DB);
        }
        self.filters = bands(&self.gains, self.rate);
        self.steady = GLIDE;
        self.settling = (self.rate * SETTLE_SECONDS) as usize;
    }

    /// Filters frames in place.
    pub(super) fn apply(&mut self, frames: &mut [Frame]) {
        for frame in frames.iter_mut() {
            if self.steady == 0 {
                self.glide();
            }
            self.steady = self.steady.saturating_sub(1);
            self.level += (self.goal_level - self.level) * LEVEL_STEP;
            for (channel, sample) in frame.iter_mut().enumerate() {
                let mut x = f64::from(*sample) * self.level;
                for (filter, memory) in self.filters.iter().zip(&mut self.memory) {
                    if let Some(memory) = memory.get_mut(channel) {
                        x = memory.pass(filter, x);
                    }
                }
                *sample = x as f32;
            }
        }
        if same(&self.gains, &self.goal) && self.goal.iter().all(|g| *g == 0.0) {
            self.settling = self.settling.saturating_sub(frames.len());
            if self.settling == 0 {
                self.flat = true;
                self.level = 1.0;
                self.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steady level of a sine after the filter, dB over what went in.
    fn response(equalizer: &Equalizer, hz: f64, rate: u32) -> f64 {
        let wish = Wish::default();
        wish.set(equalizer);
        let mut filter = Filter::new(rate);
        let mut frames: Vec<Frame> =
            (0..rate).map(|n| [(f64::from(n) * TAU * hz / f64::from(rate)).sin() as f32 * 0.1; 2]).collect();
        if !filter.is_flat(&wish) {
            filter.apply(&mut frames);
        }
        let tail = &frames[rate as usize / 2..];
        let power = tail.iter().map(|f| f64::from(f[0]).powi(2)).sum::<f64>() / tail.len() as f64;
        10.0 * (power / (0.01 / 2.0)).log10()
    }

    #[test]
    fn a_band_moves_its_middle_and_leaves_the_rest() {
        for rate in [44_100, 96_000] {
            for (band, hz) in BAND_HZ.iter().enumerate().take(9).step_by(2) {
                let mut gains = [0.0; BANDS];
                gains[band] = -6.0;
                let one = Equalizer::new(gains);
                assert!((response(&one, f64::from(*hz), rate) + 6.0).abs() < 0.05, "{hz} Hz at {rate}");
                let far = if *hz < 700.0 { hz * 16.0 } else { hz / 16.0 };
                assert!(response(&one, f64::from(far), rate).abs() < 0.1, "{far} Hz beside {hz} at {rate}");
            }
        }
    }

    #[test]
    fn no_preset_comes_above_full_scale() {
        for (name, gains) in PRESETS {
            let preset = Equalizer::new(*gains);
            let worst = [31.5, 63.0, 1000.0, 8000.0, 12_000.0]
                .into_iter()
                .map(|hz| response(&preset, hz, 48_000))
                .fold(f64::MIN, f64::max);
            assert!(worst < 0.05, "{name}: {worst} dB");
            assert_eq!(name.parse::<Equalizer>(), Ok(preset));
            assert_eq!(preset.to_string(), *name);
        }
    }

    #[test]
    fn ten_numbers_are_read_and_rubbish_is_not() {
        let custom: Equalizer = "1,2,3,4,5,-5,-4,-3,-2,-12".parse().unwrap();
        assert_eq!(custom.to_string(), "1,2,3,4,5,-5,-4,-3,-2,-12");
        for bad in ["", "loud", "1,2,3", "1,2,3,4,5,6,7,8,9,13", "nan,0,0,0,0,0,0,0,0,0"] {
            assert!(bad.parse::<Equalizer>().is_err(), "{bad:?}");
        }
        assert_eq!(Equalizer::new([f32::NAN; BANDS]), Equalizer::default());
    }

    #[test]
    fn back_at_flat_samples_pass_untouched() {
        let wish = Wish::default();
        let mut filter = Filter::new(48_000);
        wish.set(&"rock".parse().unwrap());
        let mut frames = vec![[0.25; 2]; 48_000];
        assert!(!filter.is_flat(&wish));
        filter.apply(&mut frames);
        wish.set(&Equalizer::default());
        assert!(!filter.is_flat(&wish));
        filter.apply(&mut frames);
        assert!(filter.is_flat(&wish));
    }
}
