//! One pass over a track's samples, as they are decoded, to its portrait and its loudness. Memory does not grow with the
//! track, but for 4 bytes every 23 ms of the first 20 minutes.

use super::loudness::{Blocks, Meter};
use super::portrait::Parts;
use super::rhythm::Rhythm;
use super::spectrum::{Frame, Front, Listen, Long};
use super::timbre::Timbre;
use super::tonal::Tonal;
use crate::music::Sonic;

/// Sounds that are shorter are no music, ms.
const SHORTEST_MS: u64 = 500;
/// Beyond this the spectrum is not looked at any more, ms; the loudness is.
const SPECTRUM_MS: u64 = 20 * 60 * 1000;
/// Frames that are worked off at a time.
const PIECE: usize = 8_192;

/// What was heard in a track.
#[derive(Debug, Clone, PartialEq)]
pub struct Portrait {
    /// The figures.
    pub sonic: Sonic,
    /// The gating blocks, for the loudness of the album.
    pub blocks: Blocks,
}

/// Hears one track.
pub struct Ear {
    meter: Meter,
    front: Option<Front>,
    senses: Senses,
    heard_ms: f64,
    stereo: Vec<f32>,
    mono: Vec<f32>,
}

struct Senses {
    timbre: Timbre,
    rhythm: Rhythm,
    tonal: Tonal,
}

impl Listen for Senses {
    fn frame(&mut self, frame: &Frame<'_>) {
        self.timbre.frame(frame);
        self.rhythm.frame(frame);
    }

    fn long(&mut self, long: &Long<'_>) {
        self.tonal.long(long);
    }
}

impl Default for Ear {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Ear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ear").field("heard_ms", &self.heard_ms).finish_non_exhaustive()
    }
}

impl Ear {
    /// For one track.
    pub fn new() -> Self {
        Self {
            meter: Meter::new(),
            front: None,
            senses: Senses { timbre: Timbre::new(), rhythm: Rhythm::new(), tonal: Tonal::new() },
            heard_ms: 0.0,
            stereo: Vec::new(),
            mono: Vec::new(),
        }
    }

    /// Takes the next frames, left and right, full scale ±1, at `rate` frames per second. What is no number counts as
    /// silence.
    pub fn hear(&mut self, rate: u32, frames: &[[f32; 2]]) {
        if !(1_000..=1_536_000).contains(&rate) {
            return;
        }
        for frames in frames.chunks(PIECE) {
            self.stereo.clear();
            let sane = |sample: &f32| if sample.is_finite() { sample.clamp(-8.0, 8.0) } else { 0.0 };
            self.stereo.extend(frames.as_flattened().iter().map(sane));
            self.meter.take(rate, &self.stereo);
            if self.heard_ms < SPECTRUM_MS as f64 {
                self.mono.clear();
                self.mono
                    .extend(self.stereo.as_chunks::<2>().0.iter().map(|[left, right]| 0.5 * (left + right)));
                if self.front.as_ref().is_none_or(|front| front.rate() != rate) {
                    self.front = Some(Front::new(rate));
                }
                if let Some(front) = &mut self.front {
                    front.take(&self.mono, &mut self.senses);
                }
            }
            self.heard_ms += frames.len() as f64 * 1000.0 / f64::from(rate);
        }
    }

    /// What was heard; the error says why that is nothing.
    pub fn finish(self) -> Result<Portrait, String> {
        let heard_ms = self.heard_ms as u64;
        if heard_ms < SHORTEST_MS {
            return Err("it is too short to be analysed".to_owned());
        }
        let (loudness, range, peak, blocks) = self.meter.finish();
        let parts = Parts {
            heard_ms,
            loudness,
            range,
            peak,
            pulse: self.senses.rhythm.finish(),
            harmony: self.senses.tonal.finish(),
            colour: self.senses.timbre.finish(),
        };
        Ok(Portrait { sonic: parts.into_sonic(), blocks })
    }
}
