//! Taste: listening in, recommendations with reasons out. Pure functions over plain data: no I/O, no clock, no async; all
//! randomness is seeded, and no result depends on the number of threads.
//!
//! ```text
//!   (user, item, plays) ──► interactions ──┐
//!   (item, tag, count) ───► tags ──────────┤
//!                                          ▼
//!            train ── heldout: hide part of the listening
//!              │      search:  walk (RP3β), ease, als (iALS), tags: each with its own best settings
//!              │      blend:   weights over their z-scores
//!              ▼
//!            model ── recommend(history, n): items, scores, and what in the history speaks for each
//! ```
//!
//! ```text
//!   Listening ── signals ─▶ Liking ─▶ mixes, radio ── flow, reasons ─▶ playlists, each pick with its reason
//! ```
//!
//! [`train()`] is the entry and [`Model`] what comes of it; the models are public for those who want one alone.
//! `parts` puts them under one roof, `kernels` holds the linear algebra they share, `topk` the search for the best among
//! millions, `parallel` the threads. A [`History`] is all that a model needs to know of a listener, so that new
//! listeners and new plays need no training.

mod als;
mod blend;
mod ease;
mod factors;
pub mod flow;
mod heldout;
mod interactions;
mod kernels;
pub mod mixes;
mod model;
mod parallel;
mod parts;
pub mod radio;
pub mod reasons;
mod search;
pub mod signals;
pub mod sonic;
mod tags;
mod topk;
mod train;
mod walk;

pub use als::{Als, AlsOptions, Objective};
pub use blend::Sheets;
pub use ease::{Ease, EaseOptions};
pub use factors::Factors;
pub use heldout::{Audience, Check, Listener, mean, ndcg, paired};
pub use interactions::{History, Interactions, Rows, Weighting};
pub use model::{Evidence, Model, Recommendation};
pub use parts::{Part, Recipe};
pub use search::Tried;
pub use tags::Tags;
pub use topk::{Best, Index, largest};
pub use train::{CROWD, TrainOptions, train, train_with};
pub use walk::{Walk, WalkOptions};
