//! The search index: a purpose-made one, in memory, built from the catalog and kept in a file.
//!
//! ```text
//!  items ──▶ Builder (words: folded, with aliases) ──▶ Segment ◀──▶ file
//!  search line ──▶ Query ──▶ find: ranges of words (fuzzy: words nearly so) ──▶ walk by popularity ──▶ score ──▶ ids
//! ```
//!
//! One [`Segment`] holds all items of a kind; a second, small one holds what has changed since ([`Shelf`]). Why this and
//! not FTS5 or tantivy is measured in `docs/search.md`.

mod bits;
mod build;
pub(in crate::catalog) mod file;
mod find;
mod fuzzy;
mod ids;
mod marking;
mod own;
mod query;
mod segment;
mod shelf;
mod smallest;
mod verses;
mod words;

pub use build::{Builder, Entry};
pub use marking::{matched, read_as};
pub(in crate::catalog) use own::Mark;
pub use query::Query;
pub use segment::{Field, Segment};
pub(in crate::catalog) use shelf::Owned;
pub use shelf::{Hit, Shelf};
