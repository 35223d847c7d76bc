//! Onsets and tempo from the flux of the bands.
//!
//! The flux of a frame is the mean rise of its bands' logarithms over the frame before, each band compared with the
//! loudest of its neighbours there so that a vibrato is no onset (Böck and Widmer, "Maximum filter vibrato suppression
//! for onset detection", `DAFx` 2013). Onsets are its peaks above a moving mean. The tempo is the lag at which the flux
//! resembles itself most: autocorrelation in windows of 12 s, with the preference for paces about 120 a minute of Ellis
//! ("Beat tracking by dynamic programming", 2007); how much it resembles itself is the clarity of the pulse (Lartillot
//! et al., "Multi-feature modeling of pulse clarity", ISMIR 2008).

use realfft::RealFftPlanner;

use super::spectrum::{BANDS, FRAMES_A_SECOND, Frame};

/// Frames that are kept: 20 minutes. What comes after them is not looked at.
const MOST: usize = (20.0 * 60.0 * FRAMES_A_SECOND) as usize;
/// Depth of the logarithm below the loudest band of the last seconds, nepers of power: 60 dB.
const DEPTH: f32 = 13.8;
/// How fast the loudest band is forgotten, per frame: half in 5 s.
const FORGET: f32 = 0.9968;
/// Frames in a window of the autocorrelation, a power of two.
const WINDOW: usize = 512;
/// Slowest and fastest tempo, beats per minute.
const TEMPI: (f64, f64) = (45.0, 210.0);
/// Rise, in nepers of power, that a peak must have over the mean around it to be an onset.
const RISE: f32 = 0.25;

/// Gathers flux.
pub(super) struct Rhythm {
    before: Option<[f32; BANDS]>,
    loudest: f32,
    flux: Vec<f32>,
}

/// What the flux says.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Pulse {
    /// Beats per minute.
    pub(super) tempo: f32,
    /// 0 to 1.
    pub(super) clarity: f32,
    /// Onsets per second.
    pub(super) onset_rate: f32,
    /// Mean rise of an onset, nepers of power.
    pub(super) strength: f32,
    /// Mean flux, nepers of power a frame.
    pub(super) flux: f32,
}

impl Rhythm {
    pub(super) fn new() -> Self {
        Self { before: None, loudest: 0.0, flux: Vec::new() }
    }

    pub(super) fn frame(&mut self, frame: &Frame<'_>) {
        if self.flux.len() >= MOST {
            return;
        }
        let now_loudest = frame.bands.iter().fold(1e-12_f32, |a, b| a.max(*b));
        self.loudest = (self.loudest * FORGET).max(now_loudest);
        let floor = self.loudest.ln() - DEPTH;
        let now = frame.bands.map(|power| power.max(1e-30).ln().max(floor));
        if let Some(before) = &self.before {
            let rise = |n: usize| {
                let near = before.get(n.saturating_sub(1)..(n + 2).min(BANDS)).unwrap_or_default();
                let most = near.iter().fold(f32::MIN, |a, b| a.max(*b)).max(floor);
                now.get(n).map_or(0.0, |value| (value - most).max(0.0))
            };
            self.flux.push((0..BANDS).map(rise).sum::<f32>() / BANDS as f32);
        }
        self.before = Some(now);
    }

    pub(super) fn finish(self) -> Pulse {
        let flux = self.flux;
        if flux.len() < 8 {
            return Pulse::default();
        }
        let mean = flux.iter().sum::<f32>() / flux.len() as f32;
        let around = moving_mean(&flux, (0.5 * FRAMES_A_SECOND) as usize);
        let (mut onsets, mut strength, mut last) = (0_u32, 0.0, None::<usize>);
        for (n, value) in flux.iter().enumerate() {
            let near = flux.get(n.saturating_sub(3)..(n + 4).min(flux.len())).unwrap_or_default();
            let rise = value - around.get(n).copied().unwrap_or(0.0);
            let highest = near.iter().all(|other| other <= value);
            if highest && rise > RISE.max(mean) && last.is_none_or(|last| n - last > 3) {
                (onsets, strength, last) = (onsets + 1, strength + rise, Some(n));
            }
        }
        let seconds = flux.len() as f64 / FRAMES_A_SECOND;
        let (tempo, clarity) = tempo(&flux, &around);
        Pulse {
            tempo,
            clarity,
            onset_rate: (f64::from(onsets) / seconds) as f32,
            strength: if onsets > 0 { strength / onsets as f32 } else { 0.0 },
            flux: mean,
        }
    }
}

/// The mean of the values up to `reach` before and behind each.
fn moving_mean(values: &[f32], reach: usize) -> Vec<f32> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut sum = 0.0_f64;
    sums.push(sum);
    for value in values {
        sum += f64::from(*value);
        sums.push(sum);
    }
    (0..values.len())
        .map(|n| {
            let (from, to) = (n.saturating_sub(reach), (n + reach + 1).min(values.len()));
            ((sums[to] - sums[from]) / (to - from) as f64) as f32
        })
        .collect()
}

/// Beats per minute and how clear they are.
fn tempo(flux: &[f32], around: &[f32]) -> (f32, f32) {
    let strokes: Vec<f32> = flux.iter().zip(around).map(|(value, mean)| (value - mean).max(0.0)).collect();
    let Some(correlation) = autocorrelation(&strokes) else { return (0.0, 0.0) };
    let at = |lag: f64| {
        let (below, share) = (lag as usize, lag.fract() as f32);
        let value = |n: usize| correlation.get(n).copied().unwrap_or(0.0);
        value(below) * (1.0 - share) + value(below + 1) * share
    };
    let lag_of = |tempo: f64| 60.0 * FRAMES_A_SECOND / tempo;
    let (shortest, longest) = (lag_of(TEMPI.1), lag_of(TEMPI.0).min(correlation.len() as f64 - 2.0));
    // A beat repeats at its multiples too, which half a beat and a beat and a half do less.
    let comb = |lag: f64| at(lag) + 0.5 * at(2.0 * lag) + 0.25 * at(4.0 * lag);
    let mut best = (f32::MIN, 0.0);
    let mut lag = shortest;
    while lag <= longest {
        let octaves = (lag_of(120.0) / lag).log2() as f32;
        let score = comb(lag) * (-0.5 * octaves * octaves).exp();
        if score > best.0 {
            best = (score, lag);
        }
        lag += 0.1;
    }
    let lag = best.1;
    if best.0 <= 0.0 {
        return (0.0, 0.0);
    }
    // The fourth repetition tells the lag four times as well.
    let mut fine = (f32::MIN, lag);
    for step in -15..=15 {
        let four = 4.0 * lag + f64::from(step) * 0.2;
        if four < correlation.len() as f64 - 2.0 && at(four) > fine.0 {
            fine = (at(four), four / 4.0);
        }
    }
    let lag = if fine.0 > 0.5 * at(lag) { fine.1 } else { lag };
    ((60.0 * FRAMES_A_SECOND / lag) as f32, comb(lag).clamp(0.0, 1.75) / 1.75)
}

/// Normalised autocorrelation (1 at lag 0, 0 for what has no period), the mean over windows that overlap by half; `None` for silence.
fn autocorrelation(strokes: &[f32]) -> Option<Vec<f32>> {
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, back) = (planner.plan_fft_forward(2 * WINDOW), planner.plan_fft_inverse(2 * WINDOW));
    let (mut input, mut bins) = (forward.make_input_vec(), forward.make_output_vec());
    let mut sum = vec![0.0_f32; WINDOW];
    let mut weight = 0.0;
    let mut start = 0;
    loop {
        let window = strokes.get(start..(start + WINDOW).min(strokes.len()))?;
        if window.len() < WINDOW / 4 && start > 0 {
            break;
        }
        let mean = window.iter().sum::<f32>() / window.len().max(1) as f32;
        input.fill(0.0);
        input.iter_mut().zip(window).for_each(|(x, value)| *x = value - mean);
        forward.process(&mut input, &mut bins).ok()?;
        for bin in &mut bins {
            *bin = (bin.re * bin.re + bin.im * bin.im).into();
        }
        back.process(&mut bins, &mut input).ok()?;
        let energy = input.first().copied().unwrap_or(0.0);
        if energy > 1e-6 {
            // A window with twice the strokes counts twice, but not with the square of it.
            let share = energy.sqrt();
            weight += share;
            for (lag, (sum, value)) in sum.iter_mut().zip(&input).enumerate() {
                // Fewer pairs overlap at a long lag.
                let overlap = window.len().saturating_sub(lag).max(window.len() / 4) as f32;
                *sum += share * value / energy * window.len() as f32 / overlap;
            }
        }
        start += WINDOW / 2;
        if start >= strokes.len() {
            break;
        }
    }
    (weight > 0.0).then(|| sum.into_iter().map(|value| value / weight).collect())
}
