//! Loudness by EBU R 128 (ITU-R BS.1770-4), and that of a whole album from its tracks.
//!
//! The `ebur128` crate sums every sample over again for each window that it lies in, eleven times in all, which was most of what
//! hearing a track cost. Here each sample is summed once, in parts of 100 ms that all windows are made of; the tests compare
//! the figures with the crate's.
//!
//! A track keeps its gating blocks (400 ms, one every 100 ms) counted by loudness in steps of 0.2 LU, as a short text. The
//! gates of an album run over the blocks of all its tracks, which their own figures cannot give; the counts can,
//! within 0.1 LU, without hearing any of them again.

use std::fmt::Write as _;

use super::weighting::Weighting;
use crate::music::ReplayGain;

/// What `ReplayGain` 2.0 brings everything to, LUFS.
pub const REFERENCE_LUFS: f32 = -18.0;
/// The absolute gate, LUFS: the lowest block that counts.
const SILENT: f64 = -70.0;
/// Width of a step of the counts, LU.
const STEP: f64 = 0.2;
/// Steps, up to +10 LUFS.
const STEPS: usize = 400;
/// Parts of 100 ms in a gating block, and in a short-term block.
const GATING: usize = 4;
const SHORT_TERM: usize = 30;
/// Parts from one short-term block to the next (EBU Tech 3342: at least two thirds shared).
const SHORT_TERM_EVERY: u64 = 10;
/// Width of a step of a histogram, LU, and its steps, up to +30 LUFS.
const FINE: f64 = 0.1;
const FINE_STEPS: usize = 1_000;

/// Gating blocks counted by loudness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks(Vec<u32>);

impl Default for Blocks {
    fn default() -> Self {
        Self(vec![0; STEPS])
    }
}

impl Blocks {
    /// Puts the blocks of another track beside these.
    pub fn add(&mut self, other: &Self) {
        for (own, more) in self.0.iter_mut().zip(&other.0) {
            *own = own.saturating_add(*more);
        }
    }

    /// Integrated loudness in LUFS; `None` when all of it is silent.
    pub fn loudness(&self) -> Option<f32> {
        let energy = |step: usize| 10.0_f64.powf((SILENT + (step as f64 + 0.5) * STEP) / 10.0);
        let mean_from = |first: usize| {
            let counted = self.0.iter().enumerate().skip(first);
            let (sum, count) = counted.fold((0.0, 0.0), |(sum, count), (step, blocks)| {
                (sum + energy(step) * f64::from(*blocks), count + f64::from(*blocks))
            });
            (count > 0.0).then(|| 10.0 * f64::log10(sum / count))
        };
        let gate = mean_from(0)? - 10.0;
        let first = ((gate - SILENT) / STEP).max(0.0) as usize;
        mean_from(first).map(|lufs| lufs as f32)
    }

    /// The counts as text: the first step that is not empty, a colon, and the counts from there to the last one, those of
    /// 0 left out between their commas. Empty for silence.
    pub fn to_text(&self) -> String {
        let Some(first) = self.0.iter().position(|n| *n > 0) else { return String::new() };
        let last = self.0.iter().rposition(|n| *n > 0).unwrap_or(first);
        let mut text = format!("{first}:");
        for (n, count) in self.0.iter().take(last + 1).skip(first).enumerate() {
            if n > 0 {
                text.push(',');
            }
            if *count > 0 {
                let _ = write!(text, "{count}");
            }
        }
        text
    }

    /// Counts written by [`to_text`](Self::to_text); what does not read as such counts nothing.
    pub fn from_text(text: &str) -> Self {
        let mut blocks = Self::default();
        if let Some((first, counts)) = text.split_once(':')
            && let Ok(first) = first.parse::<usize>()
        {
            for (slot, count) in blocks.0.iter_mut().skip(first).zip(counts.split(',')) {
                *slot = count.parse().unwrap_or(0);
            }
        }
        blocks
    }
}

/// What `ReplayGain` says of each of an album's tracks, from their blocks and peaks in the same order.
pub fn replay_gains(tracks: &[(Blocks, f32)]) -> Vec<ReplayGain> {
    let gain = |blocks: &Blocks| blocks.loudness().map(|lufs| REFERENCE_LUFS - lufs);
    let (mut all, mut highest) = (Blocks::default(), 0.0_f32);
    for (blocks, peak) in tracks {
        all.add(blocks);
        highest = highest.max(*peak);
    }
    let album_gain = gain(&all);
    let one = |(blocks, peak): &(Blocks, f32)| ReplayGain {
        track_gain: gain(blocks),
        album_gain,
        track_peak: Some(*peak),
        album_peak: Some(highest),
    };
    tracks.iter().map(one).collect()
}

/// Loudness in LUFS of a mean square of both channels, K-weighted.
fn lufs(energy: f64) -> f64 {
    10.0 * energy.max(1e-30).log10() - 0.691
}

/// Blocks counted by loudness in fine steps from the absolute gate up.
struct Histogram(Vec<u32>);

impl Histogram {
    fn count(&mut self, lufs: f64) {
        if lufs >= SILENT
            && let Some(slot) = self.0.get_mut(((lufs - SILENT) / FINE) as usize)
        {
            *slot = slot.saturating_add(1);
        }
    }

    fn middle(step: usize) -> f64 {
        SILENT + (step as f64 + 0.5) * FINE
    }

    /// Loudness of the mean energy of the blocks from a step on.
    fn mean_from(&self, first: usize) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for (step, blocks) in self.0.iter().enumerate().skip(first).filter(|(_, blocks)| **blocks > 0) {
            sum += 10.0_f64.powf(Self::middle(step) / 10.0) * f64::from(*blocks);
            count += f64::from(*blocks);
        }
        (count > 0.0).then(|| 10.0 * f64::log10(sum / count))
    }

    /// The first step whose middle lies above the mean by this many LU (less than none).
    fn gate(&self, below: f64) -> Option<usize> {
        let gate = self.mean_from(0)? + below;
        Some(((gate - SILENT) / FINE - 0.5).ceil().max(0.0) as usize)
    }

    /// Integrated loudness, LUFS.
    fn loudness(&self) -> Option<f64> {
        self.mean_from(self.gate(-10.0)?)
    }

    /// From the 10th to the 95th percentile of what lies above the gate, LU (EBU Tech 3342).
    fn range(&self) -> f64 {
        let Some(first) = self.gate(-20.0) else { return 0.0 };
        let all: u64 = self.0.iter().skip(first).map(|blocks| u64::from(*blocks)).sum();
        let percentile = |share: f64| {
            let at = (all.saturating_sub(1) as f64 * share + 0.5) as u64;
            let mut passed = 0;
            let step = self.0.iter().skip(first).position(|blocks| {
                passed += u64::from(*blocks);
                passed > at
            });
            step.map_or(0.0, |step| Self::middle(first + step))
        };
        if all == 0 { 0.0 } else { percentile(0.95) - percentile(0.10) }
    }

    fn blocks(&self) -> Blocks {
        let mut blocks = Blocks::default();
        // A step of theirs is two of these.
        for (slot, pair) in blocks.0.iter_mut().zip(self.0.as_chunks::<2>().0) {
            *slot = pair[0].saturating_add(pair[1]);
        }
        blocks
    }
}

/// Measures one track as it comes.
pub(super) struct Meter {
    weighting: Option<Weighting>,
    /// Sum of squares of the part that is not full, and its frames.
    sum: f64,
    frames: usize,
    /// Mean squares of the last parts, the newest at `parts % SHORT_TERM`, and how many there were at this rate.
    last: [f64; SHORT_TERM],
    parts: u64,
    gating: Histogram,
    short_term: Histogram,
    peak: f32,
}

impl Meter {
    pub(super) fn new() -> Self {
        let histogram = || Histogram(vec![0; FINE_STEPS]);
        Self {
            weighting: None,
            sum: 0.0,
            frames: 0,
            last: [0.0; SHORT_TERM],
            parts: 0,
            gating: histogram(),
            short_term: histogram(),
            peak: 0.0,
        }
    }

    /// Takes finite stereo samples, left and right in turn. Windows begin anew where the rate changes.
    pub(super) fn take(&mut self, rate: u32, samples: &[f32]) {
        if self.weighting.as_ref().is_none_or(|weighting| weighting.rate() != rate) {
            self.weighting = Some(Weighting::new(rate));
            (self.sum, self.frames, self.parts) = (0.0, 0, 0);
        }
        self.peak = samples.iter().fold(self.peak, |peak, sample| peak.max(sample.abs()));
        let part = ((rate as usize + 5) / 10).max(1);
        let mut rest = samples.as_chunks::<2>().0;
        while let Some(weighting) = self.weighting.as_mut().filter(|_| !rest.is_empty()) {
            let (now, later) = rest.split_at((part - self.frames).min(rest.len()));
            rest = later;
            self.sum += weighting.take(now);
            self.frames += now.len();
            if self.frames == part {
                self.complete(part);
            }
        }
    }

    fn complete(&mut self, frames: usize) {
        self.last[(self.parts % SHORT_TERM as u64) as usize] = self.sum / frames as f64;
        (self.sum, self.frames) = (0.0, 0);
        self.parts += 1;
        if self.parts >= GATING as u64 {
            self.gating.count(lufs(self.mean_of(GATING)));
        }
        if self.parts >= SHORT_TERM as u64 && self.parts.is_multiple_of(SHORT_TERM_EVERY) {
            self.short_term.count(lufs(self.mean_of(SHORT_TERM)));
        }
    }

    /// Mean of the newest parts.
    fn mean_of(&self, parts: usize) -> f64 {
        let newest = (1..=parts as u64).filter_map(|back| self.parts.checked_sub(back));
        let sum: f64 = newest.map(|part| self.last[(part % SHORT_TERM as u64) as usize]).sum();
        sum / parts as f64
    }

    /// Loudness in LUFS (`None` for silence), loudness range in LU, peak, and the blocks.
    pub(super) fn finish(self) -> (Option<f32>, f32, f32, Blocks) {
        let lufs = self.gating.loudness().filter(|lufs| *lufs > SILENT).map(|lufs| lufs as f32);
        (lufs, self.short_term.range() as f32, self.peak, self.gating.blocks())
    }
}

#[cfg(test)]
mod tests {
    use ebur128::{EbuR128, Mode};

    use super::*;

    fn sine(seconds: f32, rate: u32, level: f32) -> Vec<f32> {
        let count = (seconds * rate as f32) as usize;
        let wave = |n| (std::f64::consts::TAU * 997.0 * n as f64 / f64::from(rate)).sin() as f32 * level;
        (0..count).flat_map(|n| [wave(n), wave(n)]).collect()
    }

    fn measured(pieces: &[(u32, Vec<f32>)]) -> (Option<f32>, f32, f32, Blocks) {
        let mut meter = Meter::new();
        for (rate, samples) in pieces {
            for piece in samples.chunks(2 * 1152) {
                meter.take(*rate, piece);
            }
        }
        meter.finish()
    }

    fn near(a: Option<f32>, b: f32) -> bool {
        a.is_some_and(|a| (a - b).abs() < 0.11)
    }

    #[test]
    fn a_sine_reads_what_tech_3341_says() {
        // EBU Tech 3341, case 1 and 2: a stereo sine of 1 kHz at -23 dBFS reads -23 LUFS, at -33 reads -33.
        for (rate, db) in [(48_000, -23.0), (44_100, -33.0), (11_025, -23.0)] {
            let level = 10.0_f32.powf(db / 20.0);
            let (lufs, range, peak, blocks) = measured(&[(rate, sine(20.0, rate, level))]);
            assert!(near(lufs, db), "{lufs:?} at {rate}");
            assert!(near(blocks.loudness(), db), "{:?}", blocks.loudness());
            assert!(range < 0.2 && (peak - level).abs() < 0.001, "{range} {peak}");
        }
    }

    #[test]
    fn figures_are_those_of_the_crate() {
        // Noise whose level goes up and down over seconds, as music does.
        let mut state = 7_u32;
        for rate in [8_000, 44_100, 48_000, 96_000] {
            let samples: Vec<f32> = (0..rate as usize * 40)
                .map(|n| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let noise = state as f32 / u32::MAX as f32 - 0.5;
                    let turn = n as f32 / rate as f32;
                    noise * (0.02 + 0.6 * (turn * 0.7).sin().powi(2)) * if n % 2 == 0 { 1.0 } else { 0.4 }
                })
                .collect();
            let mut theirs = EbuR128::new(2, rate, Mode::I | Mode::LRA | Mode::SAMPLE_PEAK).unwrap();
            theirs.add_frames_f32(&samples).unwrap();
            let (lufs, range, peak, _) = measured(&[(rate, samples)]);
            let (global, spread) = (theirs.loudness_global().unwrap(), theirs.loudness_range().unwrap());
            assert!((f64::from(lufs.unwrap()) - global).abs() < 0.05, "{lufs:?} {global} at {rate}");
            assert!((f64::from(range) - spread).abs() < 0.2, "{range} {spread} at {rate}");
            assert!((f64::from(peak) - theirs.sample_peak(0).unwrap()).abs() < 1e-6);
        }
    }

    #[test]
    fn gates_leave_out_what_is_quiet() {
        // EBU Tech 3341, case 3: 10 s at -36, 60 s at -23, 10 s at -36 reads -23.
        let parts = [(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)];
        let samples: Vec<f32> =
            parts.iter().flat_map(|(s, db)| sine(*s, 8_000, 10.0_f32.powf(db / 20.0))).collect();
        let (lufs, _, _, blocks) = measured(&[(8_000, samples)]);
        assert!(near(lufs, -23.0) && near(blocks.loudness(), -23.0), "{lufs:?} {:?}", blocks.loudness());
    }

    #[test]
    fn an_album_is_gated_as_one() {
        let track = |db: f32| measured(&[(8_000, sine(20.0, 8_000, 10.0_f32.powf(db / 20.0)))]);
        let (loud, quiet) = (track(-12.0), track(-30.0));
        let gains = replay_gains(&[(loud.3, loud.2), (quiet.3, quiet.2)]);
        assert!(near(gains[0].track_gain, -6.0) && near(gains[1].track_gain, 12.0), "{gains:?}");
        // The quiet track lies more than 10 LU below the mean of both, so that it does not count.
        assert!(near(gains[0].album_gain, -6.0) && gains[0].album_gain == gains[1].album_gain, "{gains:?}");
        assert_eq!(gains[1].album_peak, gains[0].track_peak);
    }

    #[test]
    fn counts_come_back_from_their_text_and_nonsense_counts_nothing() {
        let mut counted = Histogram(vec![0; FINE_STEPS]);
        for lufs in [-70.0, -23.1, -23.0, -22.2, 3.0, 99.0, f64::NEG_INFINITY] {
            counted.count(lufs);
        }
        let blocks = counted.blocks();
        assert_eq!(Blocks::from_text(&blocks.to_text()), blocks);
        assert_eq!(Blocks::default().to_text(), "");
        for text in ["", "x", "7", "5:a,b", "99999999999999:1", "399:1,1,1,1", "-1:3"] {
            let _ = Blocks::from_text(text).loudness();
        }
        assert_eq!(Blocks::from_text("5:a,b"), Blocks::default());
    }

    #[test]
    fn silence_has_no_loudness_and_a_file_may_change_its_rate() {
        assert_eq!(measured(&[(48_000, vec![0.0; 96_000])]).0, None);
        assert_eq!(measured(&[]).0, None);
        let parts = [(48_000, sine(10.0, 48_000, 0.1)), (24_000, sine(10.0, 24_000, 0.1))];
        assert!(near(measured(&parts).0, -20.0));
        let restless: Vec<_> = (0..40).map(|n| (8_000 + n, sine(0.5, 8_000, 0.1))).collect();
        assert!(measured(&restless).0.is_some());
    }
}
