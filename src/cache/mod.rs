//! Floor 1: bytes on disk. Stream through, resume, verify, evict; it knows neither sound nor HTTP.
//!
//! A [`Store`] is a folder. Each track in each quality ([`TrackKey`]) is one entry: a sparse data file and a map of
//! the ranges in it that can be trusted (`disk`). [`Store::track`] gives a [`Reader`], blocking `Read + Seek`
//! for a decode thread, over an `Entry` that all readers of the track share. While one lives and bytes are
//! missing, a task (`fetch`) asks the [`Source`] for them, at the reader's cursor first, then to the end of the
//! file, then in the holes (`plan` decides, over [`RangeSet`]s). What comes is written to the data file and read from
//! there; where the disk fails it goes to a window in memory instead. A finished track is hashed and never asks a
//! source again: the same file is cache and offline copy.
//!
//! ```text
//!   Source ──Reply──▶ fetch ──accept──▶ data file + map ──▶ Reader ──▶ decoder
//!                       ▲                 (or memory)          │
//!                       └───────── wake: cursor, waits ────────┘
//! ```
//!
//! Two processes may use one folder: whoever writes an entry holds its lock file. The other one reads finished
//! tracks from the same files and streams unfinished ones without keeping them.

mod backoff;
mod disk;
mod entry;
mod fetch;
mod memory;
mod plan;
mod ranges;
mod reader;
mod source;
mod store;

pub use backoff::Backoff;
pub use entry::CHANGED;
pub use ranges::RangeSet;
pub use reader::{CancelHandle, Progress, Reader, Watcher};
pub use source::{FetchError, Reply, Source, TrackKey};
pub use store::{CacheError, Held, Pace, Store, Usage, Verified};
