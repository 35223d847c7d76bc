//! The sonic model: what tracks sound like, from their samples alone.
//!
//! ```text
//!   Sonic of every track (catalog) ──▶ Neighbours: the tracks nearest to one, or to the middle of some
//! ```
//!
//! Who has a [`Sonic`](crate::music::Sonic) of two tracks compares their vectors with [`distance`]; who has those of a
//! library builds a [`Neighbours`] once and asks it often.

mod neighbours;

pub use neighbours::{Neighbours, distance, middle};

/// Which formulas these are. A change that moves any figure raises it, and the libraries are heard again.
pub const VERSION: u32 = 1;
