//! Playing on another player of the account, and being one that others play on.
//!
//! ```text
//! screens, `segue ctl`, desktop ─▶ Stage ─┬─▶ player here
//!                                         └─▶ remote ─▶ session ─▶ server ─▶ session ─▶ speaker ─▶ player there
//! ```
//!
//! Whoever drives the player drives the `stage`: it passes everything on to the player here or to the one that plays in its place, and shows
//! the state of that one. `speaker` is the other end: it tells the server what its player does, and does what it is asked for. `wire`
//! has what both say.

mod remote;
mod speaker;
mod stage;
mod wire;

pub(super) use speaker::Speaker;
pub(super) use stage::Stage;
