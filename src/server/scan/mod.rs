//! The scanner: from folders of music files to the catalog.
//!
//! `walk` lists what is there; `plan` compares it with what the last scan knew and decides which files to open; a few threads
//! (`readers`) read those (`tags`: each format's fields by `native` into the one vocabulary of `fields`, understood by `said` with
//! the rules of `split`), a folder at a time, and make rows of what they say (`shape`); and every couple of thousand files, or
//! every second, the rows go into the catalog in one transaction (`run`), so that music shows early and a scan that is killed
//! loses little. A file whose size and time of change are as before is not opened. `watch` calls for scans of what changed;
//! `cover` reads pictures back by id; `lists` brings playlists in step with their files; `cue` divides files by the sheets
//! beside them.
//!
//! What protects the library: a root that is missing or suddenly empty keeps its tracks and is reported; so does a
//! folder that cannot be read. A file that becomes unreadable keeps its id for the day it is readable again.

mod adts;
mod cover;
mod cue;
mod fields;
mod lists;
mod lyrics;
mod native;
mod packed;
mod pages;
mod plan;
mod readers;
mod rules;
mod run;
mod said;
mod shape;
mod split;
mod tags;
mod walk;
mod watch;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub(super) use cover::cover_in;
pub use cover::{Cover, cover};
pub(super) use cue::try_cue;
pub(super) use lists::try_read as try_list;
pub(super) use lyrics::text as lyrics_text;
pub use split::SplitRules;
pub(super) use tags::fenced;
pub use tags::in_fence;
pub(super) use tags::try_read as try_tags;

use super::storage::Storage;
use crate::catalog::{Catalog, CatalogError};

/// How much of the library is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanMode {
    /// All roots; only new and changed files are opened.
    Changes,
    /// All roots; every file is opened again.
    Everything,
    /// Only these folders with all that is below them; only new and changed files are opened.
    Folders(Vec<PathBuf>),
}

/// What a scan did.
#[derive(Debug, Clone, Default)]
pub struct ScanReport {
    /// Music files that are there.
    pub seen: u64,
    /// Tracks that are new.
    pub added: u64,
    /// Tracks whose file changed.
    pub changed: u64,
    /// Tracks whose file is gone.
    pub removed: u64,
    /// Tracks whose file was found at another place.
    pub moved: u64,
    /// Playlists that were taken over from files or followed them.
    pub playlists: u64,
    /// What is good to know about files that were read.
    pub notes: Vec<(PathBuf, String)>,
    /// Files and folders that could not be read, with the reason; those of earlier scans too.
    pub failed: Vec<(PathBuf, String)>,
    /// Smart playlists that were read from files.
    pub smart: u64,
    /// What of them was understood otherwise than it is written.
    pub remarks: Vec<(PathBuf, String)>,
    /// Roots that were left alone, with the reason.
    pub refused: Vec<(PathBuf, String)>,
    /// How long it took.
    pub took: Duration,
}

/// Where the scanner stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScanStatus {
    /// Whether a scan is running.
    pub scanning: bool,
    /// Music files dealt with in this scan, or in the last one.
    pub count: u64,
    /// Folders found in this scan, or in the last one.
    pub folders: u64,
    /// When the last scan ended, Unix time in ms.
    pub last_scan: Option<i64>,
}

/// Why a scan stopped.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The walk or a reader ended without a result.
    #[error("the scan was interrupted: {0}")]
    Interrupted(String),
}

/// How tags are read: when this changes, files that were read otherwise are read once more.
#[derive(Debug)]
struct Reading {
    splitter: split::Splitter,
    version: i64,
    storage: Storage,
}

/// Raised with every change of what is read of a file.
const READER: u32 = 3;

impl Reading {
    fn by(rules: &SplitRules, storage: Storage) -> Self {
        let version = shape::number(&format!("{READER} {rules:?}"));
        Self { splitter: split::Splitter::new(rules), version, storage }
    }
}

/// Keeps a catalog true to the music files below some roots.
#[derive(Debug)]
pub struct Scanner {
    catalog: Catalog,
    roots: Vec<PathBuf>,
    reading: Arc<Reading>,
    /// One scan at a time.
    turn: tokio::sync::Mutex<()>,
    status: Mutex<ScanStatus>,
}

impl Scanner {
    /// A scanner over folders, and with their [storage](Self::with_storage) over stores; nothing is read yet. Tracks below folders that are no longer roots go with the next scan.
    pub fn new(catalog: Catalog, roots: Vec<PathBuf>) -> Self {
        let roots = roots.into_iter().map(Storage::root).collect();
        let reading = Arc::new(Reading::by(&SplitRules::default(), Storage::default()));
        Self { catalog, roots, reading, turn: tokio::sync::Mutex::default(), status: Mutex::default() }
    }

    /// With other rules for texts that hold several names.
    #[must_use]
    pub fn with_rules(self, rules: &SplitRules) -> Self {
        Self { reading: Arc::new(Reading::by(rules, self.reading.storage.clone())), ..self }
    }

    /// With the stores that some of the roots are in.
    #[must_use]
    pub fn with_storage(self, storage: &Storage) -> Self {
        let Reading { splitter, version, .. } = &*self.reading;
        let (splitter, version) = (splitter.clone(), *version);
        Self { reading: Arc::new(Reading { splitter, version, storage: storage.clone() }), ..self }
    }

    /// The roots, absolute.
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// Where the scanner stands.
    pub fn status(&self) -> ScanStatus {
        *self.status_mut()
    }

    fn status_mut(&self) -> MutexGuard<'_, ScanStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
