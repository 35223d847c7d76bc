//! Loudness by EBU R 128 (ITU-R BS.1770-4) through the `ebur128` crate, and that of a whole album from its tracks.
//!
//! A track keeps its gating blocks (400 ms, one every 100 ms) counted by loudness in steps of 0.2 LU, as a short text. The
//! gates of an album run over the blocks of all its tracks, which their own figures cannot give; the counts can,
//! within 0.1 LU, without hearing any of them again.

use std::fmt::Write as _;

use ebur128::{EbuR128, Mode};

use crate::music::ReplayGain;

/// What `ReplayGain` 2.0 brings everything to, LUFS.
pub const REFERENCE_LUFS: f32 = -18.0;
/// The absolute gate, LUFS: the lowest block that counts.
const SILENT: f64 = -70.0;
/// Width of a step of the counts, LU.
const STEP: f64 = 0.2;
/// Steps, up to +10 LUFS.
const STEPS: usize = 400;
/// Changes of the sample rate within one file that are followed; what comes after more of them is not measured.
const MOST_RATES: usize = 8;

/// Gating blocks counted by loudness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks(Vec<u32>);

impl Default for Blocks {
    fn default() -> Self {
        Self(vec![0; STEPS])
    }
}

impl Blocks {
    fn count(&mut self, lufs: f64) {
        if lufs >= SILENT
            && let Some(slot) = self.0.get_mut(((lufs - SILENT) / STEP) as usize)
        {
            *slot = slot.saturating_add(1);
        }
    }

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

/// Measures one track as it comes.
pub(super) struct Meter {
    /// Meters of the rates that the file had so far; the last one is at work.
    meters: Vec<EbuR128>,
    /// Samples of the block that is not full, left and right in turn.
    pending: Vec<f32>,
    blocks: Blocks,
    /// Blocks of 100 ms that the meter at work has taken.
    taken: u32,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self { meters: Vec::new(), pending: Vec::new(), blocks: Blocks::default(), taken: 0 }
    }

    /// Takes finite stereo samples, left and right in turn.
    pub(super) fn take(&mut self, rate: u32, samples: &[f32]) {
        if self.meters.last().is_none_or(|meter| meter.rate() != rate) {
            self.flush();
            let mode = Mode::I | Mode::LRA | Mode::SAMPLE_PEAK | Mode::HISTOGRAM;
            let Ok(meter) = EbuR128::new(2, rate, mode) else { return };
            if self.meters.len() == MOST_RATES {
                return;
            }
            self.meters.push(meter);
            self.taken = 0;
        }
        // The crate's own length of 100 ms, so that its momentary loudness is that of a gating block.
        let block = ((rate as usize + 5) / 10).max(1) * 2;
        let Some(meter) = self.meters.last_mut() else { return };
        let mut rest = samples;
        while !rest.is_empty() {
            let room = block.saturating_sub(self.pending.len()).min(rest.len());
            let (now, later) = rest.split_at(room);
            rest = later;
            // A whole block that lies in one piece need not be copied.
            let whole = if now.len() == block {
                now
            } else {
                self.pending.extend_from_slice(now);
                if self.pending.len() < block {
                    break;
                }
                self.pending.as_slice()
            };
            if meter.add_frames_f32(whole).is_err() {
                return;
            }
            self.pending.clear();
            self.taken += 1;
            if self.taken >= 4
                && let Ok(lufs) = meter.loudness_momentary()
            {
                self.blocks.count(lufs);
            }
        }
    }

    /// The last part of a block counts for the peak.
    fn flush(&mut self) {
        if let Some(meter) = self.meters.last_mut() {
            let _ = meter.add_frames_f32(&self.pending);
        }
        self.pending.clear();
    }

    /// Loudness in LUFS (`None` for silence), loudness range in LU, peak, and the blocks.
    pub(super) fn finish(mut self) -> (Option<f32>, f32, f32, Blocks) {
        self.flush();
        let lufs = EbuR128::loudness_global_multiple(self.meters.iter()).ok();
        let range = EbuR128::loudness_range_multiple(self.meters.iter()).unwrap_or(0.0);
        let peak = self.meters.iter().flat_map(|meter| [meter.sample_peak(0), meter.sample_peak(1)]);
        let peak = peak.flatten().fold(0.0, f64::max);
        let lufs = lufs.filter(|lufs| *lufs > SILENT).map(|lufs| lufs as f32);
        (lufs, if range.is_finite() { range as f32 } else { 0.0 }, peak as f32, self.blocks)
    }
}

#[cfg(test)]
mod tests {
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
        let mut blocks = Blocks::default();
        for lufs in [-70.0, -23.1, -23.0, -22.2, 3.0, 99.0, f64::NEG_INFINITY] {
            blocks.count(lufs);
        }
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
