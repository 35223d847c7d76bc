//! Sample-rate conversion for the device, only where rates differ. The converter's own delay is cut off and its
//! tail is flushed, so that `n` frames in are `round(n × ratio)` frames out and positions stay exact. It is kept
//! across gapless joints of one rate: the joint is converted as the continuous signal that it is.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, WindowFunction};

use super::Frame;

/// Frames that one conversion step aims at; larger blocks have a steeper filter and more delay to fill.
const BLOCK: usize = 1024;

/// Converts a continuous stereo signal from one rate to another.
pub(super) struct Resampler {
    fft: Fft<f32>,
    input: Vec<Frame>,
    block: Vec<Frame>,
    delay_left: usize,
    taken: u64,
    given: u64,
    ratio: f64,
}

impl Resampler {
    /// A converter, or `None` for rates that make no sense (zero) or no difference.
    pub(super) fn new(from: u32, to: u32) -> Option<Self> {
        if from == to {
            return None;
        }
        // An even number of the smallest blocks, so that the delay is a whole number of frames on both sides.
        let unit = 2 * (from / gcd(from, to).max(1)) as usize;
        let fft = Fft::new_custom(
            from as usize,
            to as usize,
            BLOCK.next_multiple_of(unit.max(1)),
            1,
            2,
            WindowFunction::BlackmanHarris2,
            FixedSync::Input,
        )
        .ok()?;
        Some(Resampler {
            delay_left: fft.output_delay(),
            block: vec![[0.0; 2]; fft.output_frames_max()],
            fft,
            input: Vec::new(),
            taken: 0,
            given: 0,
            ratio: f64::from(to) / f64::from(from),
        })
    }

    /// Output frames that belong to everything taken so far.
    pub(super) fn due(&self) -> u64 {
        (self.taken as f64 * self.ratio).round() as u64
    }

    /// Takes frames and appends what is ready to `out`.
    pub(super) fn push(&mut self, frames: &[Frame], out: &mut Vec<Frame>) {
        self.taken += frames.len() as u64;
        self.input.extend_from_slice(frames);
        let mut used = 0;
        while self.input.len() - used >= self.fft.input_frames_next() {
            let need = self.fft.input_frames_next();
            let step: Vec<Frame> = self.input[used..used + need].to_vec();
            self.step(&step, None, out);
            used += need;
        }
        self.input.drain(..used);
    }

    /// The signal ends here: appends the rest, so that exactly [`Self::due`] frames were given in all.
    pub(super) fn flush(&mut self, out: &mut Vec<Frame>) {
        let rest = std::mem::take(&mut self.input);
        let due = self.due();
        let mut tail = rest.len();
        let mut padded = rest;
        while self.given < due {
            padded.resize(self.fft.input_frames_next(), [0.0; 2]);
            let step = padded.clone();
            self.step(&step, Some(tail), out);
            tail = 0;
            padded.clear();
        }
        let surplus = self.given.saturating_sub(due) as usize;
        out.truncate(out.len().saturating_sub(surplus));
        self.given = due;
    }

    fn step(&mut self, frames: &[Frame], partial: Option<usize>, out: &mut Vec<Frame>) {
        let capacity = self.block.len();
        let indexing = partial.map(|n| Indexing::new().partial_len(n));
        let produced = {
            let Ok(input) = InterleavedSlice::new(frames.as_flattened(), 2, frames.len()) else { return };
            let Ok(mut output) = InterleavedSlice::new_mut(self.block.as_flattened_mut(), 2, capacity) else {
                return;
            };
            self.fft.process_into_buffer(&input, &mut output, indexing.as_ref()).map_or(0, |(_, n)| n)
        };
        // A converter that stops producing would stall the flush; count what it owes as silence.
        let produced = if produced == 0 && partial.is_some() {
            self.block.fill([0.0; 2]);
            capacity
        } else {
            produced
        };
        let skip = self.delay_left.min(produced);
        self.delay_left -= skip;
        let fresh = self.block.get(skip..produced).unwrap_or_default();
        self.given += fresh.len() as u64;
        out.extend_from_slice(fresh);
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, frames: usize, hz: f64) -> Vec<Frame> {
        (0..frames)
            .map(|n| {
                let s = (std::f64::consts::TAU * hz * n as f64 / f64::from(rate)).sin() as f32 * 0.5;
                [s, -s]
            })
            .collect()
    }

    fn convert(from: u32, to: u32, input: &[Frame], piece: usize) -> Vec<Frame> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut out = Vec::new();
        for piece in input.chunks(piece) {
            resampler.push(piece, &mut out);
        }
        resampler.flush(&mut out);
        out
    }

    #[test]
    fn lengths_are_exact_and_the_tone_keeps_its_place() {
        for (from, to) in
            [(44_100, 48_000), (48_000, 44_100), (8_000, 48_000), (96_000, 44_100), (192_000, 48_000)]
        {
            let input = tone(from, from as usize / 2 + 77, 440.0);
            let out = convert(from, to, &input, 1000);
            let want = (input.len() as f64 * f64::from(to) / f64::from(from)).round() as usize;
            assert_eq!(out.len(), want, "{from} to {to}");
            let ideal = tone(to, want, 440.0);
            let edge = want / 8;
            let worst = out[edge..want - edge]
                .iter()
                .zip(&ideal[edge..])
                .map(|(a, b)| (a[0] - b[0]).abs())
                .fold(0.0_f32, f32::max);
            assert!(worst < 1e-3, "{from} to {to}: off by {worst}");
        }
    }

    #[test]
    fn the_size_of_the_pieces_does_not_matter() {
        let input = tone(44_100, 20_000, 1000.0);
        assert_eq!(convert(44_100, 48_000, &input, 1), convert(44_100, 48_000, &input, 7919));
    }

    #[test]
    fn a_very_short_signal_is_flushed_whole() {
        assert_eq!(convert(44_100, 48_000, &tone(44_100, 3, 440.0), 3).len(), 3);
        assert_eq!(convert(48_000, 8_000, &[], 1).len(), 0);
    }
}
