//! Faster or slower without another pitch: waveform similarity overlap-add (W. Verhelst and M. Roelands, "An overlap-add
//! technique based on waveform similarity (WSOLA) for high quality time-scale modification of speech", 1993).
//!
//! Sound goes out in hops of 25 ms. Each hop fades from the natural continuation of the one before into the stretch of
//! input near `hop × speed` that resembles that continuation best, within ±12 ms. `n` frames in are
//! `round(n / speed)` frames out, so that positions stay exact.

use super::Frame;

/// Seconds of a hop.
const HOP_SECONDS: f64 = 0.025;
/// Seconds to either side in which the best likeness is looked for.
const SEARCH_SECONDS: f64 = 0.012;
/// The first look takes every so many-th place and frame.
const COARSE: usize = 4;

/// Plays a continuous stereo signal at another speed.
pub(super) struct Stretch {
    speed: f64,
    hop: usize,
    search: usize,
    /// A raised cosine from 0 to 1.
    fade: Vec<f32>,
    input: Vec<Frame>,
    /// Number of the first frame of `input`.
    origin: usize,
    /// Where the continuation of the last hop lies.
    natural: usize,
    hops: u64,
    taken: u64,
    given: u64,
}

impl Stretch {
    /// For a signal of `rate` frames per second; `None` when nothing would change.
    pub(super) fn new(speed: f64, rate: u32) -> Option<Self> {
        if !speed.is_finite() || speed <= 0.0 || (speed - 1.0).abs() < 1e-6 {
            return None;
        }
        let frames = |seconds: f64| ((seconds * f64::from(rate)) as usize).max(8);
        let hop = frames(HOP_SECONDS);
        let fade = (0..hop)
            .map(|n| {
                let phase = (n as f64 + 0.5) / hop as f64;
                (0.5 - 0.5 * (phase * std::f64::consts::PI).cos()) as f32
            })
            .collect();
        Some(Stretch {
            speed,
            hop,
            search: frames(SEARCH_SECONDS),
            fade,
            input: Vec::new(),
            origin: 0,
            natural: 0,
            hops: 0,
            taken: 0,
            given: 0,
        })
    }

    /// Output frames that belong to the first `n` input frames.
    pub(super) fn due(&self, n: u64) -> u64 {
        (n as f64 / self.speed).round() as u64
    }

    /// Takes frames and appends what is ready to `out`.
    pub(super) fn push(&mut self, frames: &[Frame], out: &mut Vec<Frame>) {
        self.taken += frames.len() as u64;
        self.input.extend_from_slice(frames);
        while self.needs() <= self.origin + self.input.len() {
            self.step(out);
        }
    }

    /// The signal ends here: appends the rest, so that exactly `due` frames were given in all.
    pub(super) fn flush(&mut self, out: &mut Vec<Frame>) {
        let due = self.due(self.taken);
        while self.given < due {
            let missing = self.needs().saturating_sub(self.origin + self.input.len());
            self.input.resize(self.input.len() + missing, [0.0; 2]);
            self.step(out);
        }
        let surplus = (self.given - due) as usize;
        out.truncate(out.len().saturating_sub(surplus));
        self.given = due;
    }

    fn goal(&self) -> usize {
        (self.hops as f64 * self.hop as f64 * self.speed).round() as usize
    }

    /// Number of the frame before which input is needed for the next hop.
    fn needs(&self) -> usize {
        (self.goal() + self.search + self.hop).max(self.natural + self.hop)
    }

    fn step(&mut self, out: &mut Vec<Frame>) {
        let chosen = if self.hops == 0 { 0 } else { self.likest() };
        let natural = self.at(self.natural);
        let fresh = self.at(chosen);
        out.extend(
            natural
                .iter()
                .zip(fresh)
                .zip(&self.fade)
                .map(|((old, new), w)| [old[0] + (new[0] - old[0]) * w, old[1] + (new[1] - old[1]) * w]),
        );
        self.given += self.hop as u64;
        self.hops += 1;
        self.natural = chosen + self.hop;
        let keep = self.goal().saturating_sub(self.search).min(self.natural);
        let done = keep.saturating_sub(self.origin).min(self.input.len());
        self.input.drain(..done);
        self.origin += done;
    }

    /// A hop's length of input from a frame on; shorter where there is no more.
    fn at(&self, frame: usize) -> &[Frame] {
        let from = frame.saturating_sub(self.origin).min(self.input.len());
        let to = (from + self.hop).min(self.input.len());
        self.input.get(from..to).unwrap_or_default()
    }

    /// Where near the goal the input continues most like the last hop.
    fn likest(&self) -> usize {
        let low = self.goal().saturating_sub(self.search).max(self.origin);
        let high = self.goal() + self.search;
        let natural = self.at(self.natural);
        let best = |places: &mut dyn Iterator<Item = usize>, step: usize| {
            let mut best = (self.goal(), f32::MIN);
            for place in places {
                let likeness = likeness(natural, self.at(place), step);
                if likeness > best.1 {
                    best = (place, likeness);
                }
            }
            best.0
        };
        let near = best(&mut (low..=high).step_by(COARSE), COARSE);
        let around = near.saturating_sub(COARSE - 1).max(low)..=(near + COARSE - 1).min(high);
        best(&mut around.into_iter(), 1)
    }
}

/// Normalised correlation of the mid signals, every `step`-th frame.
fn likeness(a: &[Frame], b: &[Frame], step: usize) -> f32 {
    let (mut dot, mut power) = (0.0_f32, 1e-9_f32);
    for (a, b) in a.iter().zip(b).step_by(step) {
        let (a, b) = (a[0] + a[1], b[0] + b[1]);
        dot += a * b;
        power += b * b;
    }
    dot / power.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    fn tone(frames: usize, hz: f64) -> Vec<Frame> {
        (0..frames)
            .map(|n| {
                let s = (std::f64::consts::TAU * hz * n as f64 / f64::from(RATE)).sin() as f32 * 0.5;
                [s, s * 0.5]
            })
            .collect()
    }

    fn stretch(input: &[Frame], speed: f64, piece: usize) -> Vec<Frame> {
        let mut stretch = Stretch::new(speed, RATE).unwrap();
        let mut out = Vec::new();
        for piece in input.chunks(piece) {
            stretch.push(piece, &mut out);
        }
        stretch.flush(&mut out);
        out
    }

    #[test]
    fn lengths_are_exact_and_the_pitch_stays() {
        for speed in [0.5, 0.75, 0.99, 1.25, 1.5, 2.0] {
            let out = stretch(&tone(96_123, 440.0), speed, 1000);
            assert_eq!(out.len(), (96_123.0 / speed).round() as usize, "{speed}");
            let middle = &out[4_800..out.len() - 4_800];
            let crossings = middle.windows(2).filter(|w| w[0][0] < 0.0 && w[1][0] >= 0.0).count();
            let hz = crossings as f64 * f64::from(RATE) / middle.len() as f64;
            assert!((hz - 440.0).abs() < 2.0, "{speed}: {hz} Hz");
            // The tone is neither torn nor hollow: its level is the same all over.
            for part in middle.chunks_exact(2_400) {
                let power = part.iter().map(|f| f[0] * f[0]).sum::<f32>() / part.len() as f32;
                assert!((power - 0.125).abs() < 0.01, "{speed}: power {power}");
            }
            let step = middle.windows(2).map(|w| (w[1][0] - w[0][0]).abs()).fold(0.0, f32::max);
            assert!(step < 0.06, "{speed}: a step of {step}");
        }
    }

    #[test]
    fn the_size_of_the_pieces_does_not_matter() {
        let input = tone(40_000, 1000.0);
        assert_eq!(stretch(&input, 1.3, 7), stretch(&input, 1.3, 40_000));
    }

    #[test]
    fn a_very_short_signal_is_flushed_whole() {
        assert_eq!(stretch(&tone(3, 440.0), 0.5, 3).len(), 6);
        assert_eq!(stretch(&[], 2.0, 1).len(), 0);
        assert!(Stretch::new(1.0, RATE).is_none() && Stretch::new(f64::NAN, RATE).is_none());
    }
}
