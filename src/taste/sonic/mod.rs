//! The sonic model: what tracks sound like, from their samples alone. Pure functions: samples come from whoever decodes
//! (`analysis` puts them together), figures go to whoever keeps them.
//!
//! ```text
//!  stereo frames ─▶ Ear ─┬─▶ loudness   EBU R 128: integrated, range, peak, gating blocks ─▶ replay_gains
//!                        └─▶ spectrum   mono, halved ─▶ windows ─┬─▶ timbre  cepstrum, brightness, flatness
//!                                                                ├─▶ rhythm  onsets, tempo, pulse
//!                                                                └─▶ tonal   pitch classes, key
//!                   portrait: scores and vector ◀── all of them ─▶ music::Sonic ─▶ catalog
//!  vectors of the library ─▶ Neighbours ─▶ the nearest      scores of the library ─▶ mood::band ─▶ a mood's tracks
//! ```
//!
//! Who has the [`Sonic`](crate::music::Sonic) of two tracks compares their vectors with [`distance`]; who has those of a
//! library builds a [`Neighbours`] once and asks it often; [`band`] makes mood lists. `docs/sonic.md` has the formulas.

mod decimate;
mod ear;
mod loudness;
mod mood;
mod neighbours;
mod portrait;
mod rhythm;
mod spectrum;
mod timbre;
mod tonal;
mod weighting;

pub use ear::{Ear, Portrait};
pub use loudness::{Blocks, REFERENCE_LUFS, replay_gains};
pub use mood::{Candidate, Mood, band};
pub use neighbours::{Neighbours, distance, middle};

/// Which formulas these are. A change that moves any figure raises it, and the libraries are heard again.
pub const VERSION: u32 = 3;
