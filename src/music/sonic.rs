//! What a recording sounds like, in figures. `taste::sonic` makes them from samples, the catalog keeps them, and playlists
//! and reasons are made of them; `docs/sonic.md` has the formulas and how far each can be trusted.

use serde::{Deserialize, Serialize};

/// A judgement between 0 and 1 and how far to believe it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// 0 (none of it) to 1. Compare within one library: the scale itself means little.
    pub value: f32,
    /// 0 (a guess) to 1 (clear evidence in the sound).
    pub confidence: f32,
}

/// A musical key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Pitch class of the tonic: 0 is C, 11 is B.
    pub tonic: u8,
    /// Minor rather than major.
    pub minor: bool,
}

impl std::fmt::Display for Key {
    /// `E♭ minor`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAMES: [&str; 12] = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
        let name = NAMES.get(usize::from(self.tonic % 12)).copied().unwrap_or("C");
        write!(f, "{name} {}", if self.minor { "minor" } else { "major" })
    }
}

/// A recording in figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sonic {
    /// Which formulas made it; only vectors of one version can be compared.
    pub version: u32,
    /// How much of it was heard, ms.
    pub heard_ms: u64,
    /// Integrated loudness (EBU R 128), LUFS; `None` for silence.
    pub loudness: Option<f32>,
    /// Loudness range (EBU Tech 3342), LU.
    pub range: f32,
    /// Highest sample, 1.0 = full scale.
    pub peak: f32,
    /// Beats per minute.
    pub tempo: f32,
    /// 0 (no beat to be found) to 1.
    pub tempo_confidence: f32,
    /// The key that fits best.
    pub key: Key,
    /// 0 (no key to be found) to 1.
    pub key_confidence: f32,
    /// Notes and strokes that begin, per second.
    pub onset_rate: f32,
    /// Centre of gravity of the spectrum, Hz.
    pub centroid_hz: f32,
    /// How loud, fast, bright and dense.
    pub energy: Score,
    /// How much of the sound lies high.
    pub brightness: Score,
    /// How quiet, slow and even.
    pub calm: Score,
    /// How strong and regular the beat, at a pace to dance to.
    pub danceability: Score,
    /// How steady and unobtrusive: few surprises in level and sound.
    pub focus: Score,
    /// The descriptor vector; Euclidean distance tells how different two recordings sound (1.0 and below: alike).
    #[serde(skip)]
    pub vector: Vec<f32>,
}
