//! The cluster as a model: what a peak does to it, what it takes, what that costs.
//!
//! Everything in here is a pure function of three files that lie beside it: `times.toml` (what requests cost, measured), `peak.toml`
//! (the night, the listeners, the machines) and `prices.toml`. The bench measures and writes the first one; a test sees that the
//! pages say what comes of them. Randomness is seeded, and no function of the system's mathematics library is used, so that every
//! machine draws the same pictures.
//!
//! ```text
//!  times.toml ─┐
//!  peak.toml ──┼─▶ sizing ─▶ engine ─▶ Outcome ─▶ pages ─▶ docs/scaling.md, docs/scaling/*.svg
//!  prices.toml ┘                └ queue, chance, histogram     └ chart, cost
//! ```

#![allow(missing_docs, unreachable_pub, dead_code, reason = "the bench and a test each use their part of it")]

pub mod chance;
pub mod chart;
pub mod cost;
pub mod engine;
pub mod histogram;
pub mod inputs;
pub mod pages;
pub mod queue;
pub mod sizing;
