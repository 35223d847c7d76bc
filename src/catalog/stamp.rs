//! How to see without a query that nothing has changed.
//!
//! `SQLite` keeps the header of its write-ahead log in shared memory, a file beside the database. Every commit of every
//! process changes it; it is written twice, so that a reader knows when it caught a writer in the middle
//! (<https://www.sqlite.org/walformat.html>, section 2.1). Reading it costs a microsecond, a query fifty.

use std::collections::HashMap;
use std::fs::File;
use std::hash::Hash;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of the header.
const HEADER: usize = 48;

/// The state of a catalog between two commits. Equal stamps mean equal content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp([u8; HEADER]);

/// Reads stamps.
#[derive(Debug, Clone, Default)]
pub(super) struct Stamps(Option<Arc<File>>);

impl Stamps {
    /// Of the database in `file`, which must be open; without shared memory there are no stamps.
    pub(super) fn of(file: &Path) -> Self {
        let mut name = file.as_os_str().to_owned();
        name.push("-shm");
        Self(File::open(Path::new(&name)).ok().map(Arc::new))
    }

    #[cfg(unix)]
    pub(super) fn now(&self) -> Option<Stamp> {
        use std::os::unix::fs::FileExt as _;
        let mut both = [0; 2 * HEADER];
        self.0.as_ref()?.read_exact_at(&mut both, 0).ok()?;
        let (first, second) = both.split_first_chunk::<HEADER>()?;
        (first == second).then_some(Stamp(*first))
    }

    #[cfg(not(unix))]
    pub(super) fn now(&self) -> Option<Stamp> {
        None
    }
}

/// Answers of a catalog that are good until it changes.
#[derive(Debug)]
pub struct Warm<K, V>(Mutex<(Option<Stamp>, HashMap<K, V>)>);

/// Answers that are kept at most; more, and all are forgotten.
const MOST: usize = 8192;

impl<K, V> Default for Warm<K, V> {
    fn default() -> Self {
        Self(Mutex::new((None, HashMap::new())))
    }
}

impl<K: Eq + Hash, V: Clone> Warm<K, V> {
    /// What was kept for a key, if the catalog is still as it was.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, now: Option<Stamp>, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let now = now?;
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 == Some(now) { kept.1.get(key).cloned() } else { None }
    }

    /// Keeps an answer. `before` is the stamp from before it was asked for.
    pub fn put(&self, before: Option<Stamp>, key: K, value: V) {
        let Some(before) = before else { return };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != Some(before) || kept.1.len() >= MOST {
            *kept = (Some(before), HashMap::new());
        }
        kept.1.insert(key, value);
    }
}
