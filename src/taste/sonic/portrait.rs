//! From what was gathered to a [`Sonic`]: the scores, and the vector that distances are measured in. The formulas stand in
//! `docs/sonic.md` with their sources and limits; the numbers here are the same.

use super::VERSION;
use super::rhythm::Pulse;
use super::timbre::{COEFFICIENTS, Colour};
use super::tonal::Harmony;
use crate::music::{Score, Sonic};

/// Everything that one track's samples gave.
pub(super) struct Parts {
    pub(super) heard_ms: u64,
    pub(super) loudness: Option<f32>,
    pub(super) range: f32,
    pub(super) peak: f32,
    pub(super) pulse: Pulse,
    pub(super) harmony: Harmony,
    pub(super) colour: Colour,
}

/// 0 below `low`, 1 above `high`, a straight line between.
fn ramp(value: f32, low: f32, high: f32) -> f32 {
    if value.is_finite() { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 }
}

impl Parts {
    pub(super) fn into_sonic(self) -> Sonic {
        let (pulse, harmony, colour) = (&self.pulse, &self.harmony, &self.colour);
        let loud = ramp(self.loudness.unwrap_or(-70.0), -40.0, -6.0);
        // Strokes that stand out count in full, faint ones by half.
        let dense = ramp((1.0 + pulse.onset_rate).log2(), 0.0, 3.3);
        let quick = pulse.clarity.sqrt() * ramp(pulse.tempo, 60.0, 180.0);
        let hard = ramp(pulse.strength, 0.3, 2.0);
        let bright = ramp(colour.centroid.0, 8.6, 12.0);
        let even = 1.0 - ramp(colour.level_spread, 2.0, 14.0);
        let steady = 1.0 - ramp(colour.centroid.1, 0.1, 0.9);
        // Half a minute says most of what there is to say.
        let enough = ramp(self.heard_ms as f32, 0.0, 30_000.0).sqrt();
        let sounding = if self.loudness.is_some() && colour.frames > 0.0 { enough } else { 0.0 };

        let energy = 0.35 * loud + 0.25 * dense + 0.10 * quick + 0.15 * hard + 0.15 * bright;
        // Not one less energy: strokes of a fast piece run into each other and look soft, so its pulse counts for more.
        let calm = 0.30 * (1.0 - loud)
            + 0.25 * (1.0 - dense)
            + 0.20 * (1.0 - quick)
            + 0.10 * (1.0 - hard)
            + 0.15 * (1.0 - bright);
        let brightness = 0.6 * bright + 0.4 * ramp(colour.high, 0.0, 0.6);
        let octaves = if pulse.tempo > 0.0 { (pulse.tempo / 120.0).log2() } else { 2.0 };
        let pace = (-0.5 * (octaves / 0.4).powi(2)).exp();
        let danceability = 0.5 * pulse.clarity
            + 0.2 * pulse.clarity.sqrt() * pace
            + 0.15 * hard
            + 0.15 * dense.min(0.8) / 0.8;
        let middling = 1.0 - (2.0 * energy - 0.8).abs().min(1.0);
        let unbroken = 1.0 - ramp(self.range, 3.0, 18.0);
        let focus = 0.3 * even + 0.3 * steady + 0.2 * unbroken + 0.2 * middling;
        let score = |value: f32, confidence: f32| Score {
            value: value.clamp(0.0, 1.0),
            confidence: (confidence * sounding).clamp(0.0, 1.0),
        };
        Sonic {
            version: VERSION,
            heard_ms: self.heard_ms,
            loudness: self.loudness,
            range: self.range,
            peak: self.peak,
            tempo: pulse.tempo,
            tempo_confidence: pulse.clarity,
            key: harmony.key,
            key_confidence: harmony.confidence,
            onset_rate: pulse.onset_rate,
            centroid_hz: if colour.frames > 0.0 { colour.centroid.0.exp2() } else { 0.0 },
            energy: score(energy, 0.8),
            brightness: score(brightness, 0.9),
            calm: score(calm, 0.7),
            // Without a pulse it is sure that one cannot dance to it, and unsure how much less than to another.
            danceability: score(danceability, 0.3 + 0.5 * pulse.clarity),
            focus: score(focus, 0.4),
            vector: self.vector(),
        }
    }

    /// The descriptors, each about its usual value and in units of its usual spread, times the square root of its weight.
    fn vector(&self) -> Vec<f32> {
        let (pulse, harmony, colour) = (&self.pulse, &self.harmony, &self.colour);
        let mut vector = Vec::with_capacity(48);
        let mut put = |value: f32, usual: f32, spread: f32, weight: f32| {
            let scaled = ((value - usual) / spread).clamp(-4.0, 4.0);
            vector.push(if scaled.is_finite() { scaled * weight.sqrt() } else { 0.0 });
        };
        for (k, (mean, spread)) in colour.cepstrum.iter().enumerate() {
            let order = (k + 1) as f32;
            // Coefficients fall with their order about like this.
            put(*mean, if k == 0 { 60.0 } else { 0.0 }, 36.0 / order.sqrt(), 0.12);
            put(*spread, 22.0 / order.powf(0.6), 9.0 / order.powf(0.6), 0.05);
        }
        put(colour.centroid.0, 10.3, 0.8, 0.12);
        put(colour.centroid.1, 0.45, 0.25, 0.06);
        put(colour.flatness.0, -14.0, 5.0, 0.10);
        put(colour.flatness.1, 4.0, 2.0, 0.05);
        put(colour.high.sqrt(), 0.3, 0.2, 0.08);
        put(colour.low.sqrt(), 0.5, 0.25, 0.08);
        put(colour.level_spread, 6.0, 4.0, 0.08);
        put(pulse.clarity, 0.35, 0.25, 0.10);
        // A tempo that is hardly there says little.
        let octaves = if pulse.tempo > 0.0 { (pulse.tempo / 110.0).log2() } else { 0.0 };
        put(octaves * pulse.clarity.sqrt(), 0.0, 0.35, 0.08);
        put((1.0 + pulse.onset_rate).log2(), 1.8, 0.8, 0.12);
        put(pulse.strength, 1.0, 0.6, 0.08);
        put(pulse.flux.max(1e-3).log2(), -2.5, 1.2, 0.08);
        for interval in harmony.intervals {
            put(interval, 0.25, 0.18, 0.05);
        }
        put(harmony.mode, 0.0, 0.25, 0.05);
        put(self.range, 7.0, 5.0, 0.05);
        let crest = self.loudness.map_or(0.0, |lufs| 20.0 * self.peak.max(1e-4).log10() - lufs);
        put(crest, 12.0, 5.0, 0.05);
        put(self.loudness.unwrap_or(-70.0), -14.0, 8.0, 0.02);
        debug_assert_eq!(COEFFICIENTS * 2 + 22, vector.len());
        vector
    }
}
