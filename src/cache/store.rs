//! The store: which entries there are, which are open, and which must go when space is short.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::disk::{self, Map, Paths};
use super::entry::{Claim, Entry, lock};
use super::reader::Reader;
use super::source::{Source, TrackKey};

/// Why a store cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Something else stands at its place.
    #[error("{} is not a folder; name another place for the cache", .0.display())]
    NotAFolder(PathBuf),
}

/// How much of a track is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Not a byte.
    Nothing,
    /// Some of it.
    Part {
        /// Bytes held.
        bytes: u64,
        /// Length of the whole, where it is known.
        of: Option<u64>,
    },
    /// All of it: it plays with no server.
    Whole,
}

/// How full the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of music on disk.
    pub bytes: u64,
    /// Tracks that are complete.
    pub tracks_whole: u64,
    /// Bytes that it may hold beside what is pinned.
    pub limit: u64,
    /// Bytes on disk of what is pinned.
    pub pinned: u64,
}

/// What a check of the store found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Complete tracks that are as they were when they were finished.
    pub whole: u64,
    /// Incomplete ones whose bytes are all there.
    pub partial: u64,
    /// Tracks in use, which were left alone.
    pub open: u64,
    /// What was wrong and was removed: the track where it is known, and the reason.
    pub damaged: Vec<(Option<TrackKey>, String)>,
}

/// How patient the store is with the network and the disk.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The longest that an answer may take to begin.
    pub answer: Duration,
    /// The longest silence within a body.
    pub silence: Duration,
    /// The first pause after a failure; pauses double from there.
    pub first_pause: Duration,
    /// The longest pause, unless a server asks for a longer one.
    pub longest_pause: Duration,
    /// How often the map of a track is saved while its bytes come.
    pub save_every: Duration,
}

impl Default for Pace {
    /// For people: 30 s, 20 s, a quarter of a second to 15 s, 2 s.
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            silence: Duration::from_secs(20),
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(15),
            save_every: Duration::from_secs(2),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Shelf {
    bytes: u64,
    total: Option<u64>,
    whole: bool,
    used: u64,
}

impl Shelf {
    fn of(map: &Map, ranges: &super::RangeSet) -> Self {
        Self {
            bytes: ranges.len(),
            total: map.total,
            whole: disk::complete(ranges, map.total),
            used: map.used,
        }
    }

    fn held(&self) -> Held {
        match self {
            Self { whole: true, .. } => Held::Whole,
            Self { bytes: 0, .. } => Held::Nothing,
            Self { bytes, total, .. } => Held::Part { bytes: *bytes, of: *total },
        }
    }
}

/// What is open and what there is. Taken before an entry's own locks, never after.
#[derive(Default)]
struct Desk {
    open: HashMap<TrackKey, Arc<Entry>>,
    /// Lock files that this process holds, with the number of open entries behind each.
    locks: HashMap<String, (File, usize)>,
    index: HashMap<TrackKey, Shelf>,
    /// Counts openings: the store's sense of time.
    now: u64,
    /// What is never evicted.
    pinned: HashSet<TrackKey>,
}

impl Desk {
    fn claim(&mut self, paths: &Paths) -> Claim {
        if let Some((_, count)) = self.locks.get_mut(&paths.stripe) {
            *count += 1;
            return Claim::Ours;
        }
        match paths.lock() {
            Ok(Some(file)) => {
                self.locks.insert(paths.stripe.clone(), (file, 1));
                Claim::Ours
            }
            Ok(None) => Claim::Busy,
            Err(e) => Claim::Failed(e),
        }
    }

    fn unclaim(&mut self, paths: &Paths) {
        if let Some((_, count)) = self.locks.get_mut(&paths.stripe) {
            *count -= 1;
            if *count == 0 {
                self.locks.remove(&paths.stripe);
            }
        }
    }

    /// Bytes, complete tracks, and bytes of what is pinned.
    fn usage(&self) -> (u64, u64, u64) {
        let shelved = self.index.iter().filter(|(key, _)| !self.open.contains_key(*key));
        let shelved = shelved.map(|(key, s)| (key, s.bytes, u64::from(s.whole)));
        let open = self.open.iter().map(|(key, entry)| {
            let state = entry.state();
            (key, state.disk.len(), u64::from(state.whole()))
        });
        shelved.chain(open).fold((0, 0, 0), |(bytes, whole, pinned), (key, b, w)| {
            let p = if self.pinned.contains(key) { b } else { 0 };
            (bytes + b, whole + w, pinned + p)
        })
    }

    /// Removes an entry's files if nobody uses them, here or in another process.
    fn remove(&mut self, key: &TrackKey, paths: &Paths) -> bool {
        if self.open.contains_key(key) || !matches!(self.claim(paths), Claim::Ours) {
            return false;
        }
        let removed = paths.remove();
        self.unclaim(paths);
        if let Err(e) = &removed {
            tracing::warn!(error = %e, "the cache cannot remove a track");
        }
        let removed = removed.is_ok();
        if removed {
            self.index.remove(key);
        }
        removed
    }
}

pub(super) struct Inner {
    pub(super) dir: PathBuf,
    pub(super) pace: Pace,
    limit: AtomicU64,
    desk: Mutex<Desk>,
    /// How many tracks that somebody listens to are short of bytes just now; the others stand back meanwhile.
    pub(super) hungry: watch::Sender<usize>,
}

impl Inner {
    /// Closes an entry that nobody reads or fetches any more. Blocks on the disk.
    fn release(&self, entry: &Arc<Entry>) {
        loop {
            entry.save();
            let mut desk = lock(&self.desk);
            let state = entry.state();
            if !state.readers.is_empty() || state.task.is_some() {
                return;
            }
            if state.dirty {
                continue;
            }
            if !desk.open.get(&entry.key).is_some_and(|open| Arc::ptr_eq(open, entry)) {
                return;
            }
            let stale = state.stale;
            let shelf =
                Shelf { bytes: state.disk.len(), total: state.total, whole: state.whole(), used: state.used };
            drop(state);
            desk.open.remove(&entry.key);
            if entry.ours() {
                if shelf.bytes > 0 && !stale {
                    desk.index.insert(entry.key.clone(), shelf);
                } else {
                    desk.index.remove(&entry.key);
                    if let Err(e) = entry.paths.remove() {
                        tracing::warn!(error = %e, "the cache cannot remove an entry of no use");
                    }
                }
                desk.unclaim(&entry.paths);
            }
            break;
        }
        self.evict();
    }

    /// Removes what was not used for the longest time until the rest fits. Blocks on the disk.
    pub(super) fn evict(&self) {
        let limit = self.limit.load(Ordering::Relaxed);
        let mut desk = lock(&self.desk);
        let excess_of = |desk: &Desk| {
            let (bytes, _, pinned) = desk.usage();
            (bytes - pinned).saturating_sub(limit)
        };
        if excess_of(&desk) == 0 {
            return;
        }
        // Another process on this store may have pinned something since.
        if let Some(pinned) = disk::load_pinned(&self.dir) {
            desk.pinned = pinned;
        }
        let mut excess = excess_of(&desk);
        let mut oldest: Vec<(u64, TrackKey, u64)> = desk
            .index
            .iter()
            .filter(|(key, _)| !desk.pinned.contains(*key))
            .map(|(k, s)| (s.used, k.clone(), s.bytes))
            .collect();
        oldest.sort_unstable_by_key(|(used, ..)| *used);
        for (_, key, bytes) in oldest {
            if excess == 0 {
                break;
            }
            if desk.remove(&key, &Paths::of(&self.dir, &key)) {
                excess = excess.saturating_sub(bytes);
            }
        }
    }
}

/// Closes an entry away from the thread that let go of it: saving waits for the disk, and that thread may be
/// the one that makes sound. Where the runtime is gone it happens on the spot.
pub(super) struct Release(Arc<Entry>);

impl Release {
    pub(super) fn later(entry: &Arc<Entry>) {
        let state = entry.state();
        let idle = state.readers.is_empty() && state.task.is_none();
        drop(state);
        if idle {
            let release = Self(Arc::clone(entry));
            entry.rt.spawn_blocking(move || drop(release));
        }
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        self.0.store.release(&self.0);
    }
}

/// All tracks on disk, under a size limit. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("dir", &self.0.dir).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in `dir` and reads what it has; `limit_bytes` is what it may hold. A folder that cannot be
    /// written is no error: tracks then play from memory, and their [`super::Progress`] says why.
    pub fn open(dir: &Path, limit_bytes: u64) -> Result<Self, CacheError> {
        Self::open_with(dir, limit_bytes, Pace::default())
    }

    /// Like [`Store::open`], with a patience of one's own.
    pub fn open_with(dir: &Path, limit_bytes: u64, pace: Pace) -> Result<Self, CacheError> {
        if let Err(e) = fs::create_dir_all(dir) {
            if dir.exists() && !dir.is_dir() {
                return Err(CacheError::NotAFolder(dir.to_owned()));
            }
            tracing::warn!(error = %e, "the cache folder cannot be made");
        }
        let mut desk = Desk { pinned: disk::load_pinned(dir).unwrap_or_default(), ..Desk::default() };
        for paths in disk::entries(dir) {
            match Map::load(&paths) {
                Some((map, ranges)) if !ranges.is_empty() && Paths::of(dir, &map.key()).map == paths.map => {
                    desk.now = desk.now.max(map.used);
                    desk.index.insert(map.key(), Shelf::of(&map, &ranges));
                }
                _ => {
                    // Bytes without a map that names them; unless a process is about to write one.
                    if matches!(desk.claim(&paths), Claim::Ours) {
                        if let Err(e) = paths.remove() {
                            tracing::warn!(error = %e, "the cache cannot remove a leftover");
                        }
                        desk.unclaim(&paths);
                    }
                }
            }
        }
        let (dir, limit) = (dir.to_owned(), AtomicU64::new(limit_bytes));
        let hungry = watch::Sender::new(0);
        let inner = Inner { dir, pace, limit, desk: Mutex::new(desk), hungry };
        inner.evict();
        Ok(Self(Arc::new(inner)))
    }

    /// Opens a track for reading. Returns at once; `source` is asked on `rt` for what is missing, and not at
    /// all when everything is there. `size_hint` is the length that the catalog knows.
    pub fn track(
        &self,
        key: &TrackKey,
        size_hint: Option<u64>,
        source: Arc<dyn Source>,
        rt: &Handle,
    ) -> Result<Reader, CacheError> {
        Ok(self.attach(key, size_hint, source, rt, true))
    }

    /// Like [`Store::track`], for bytes that are of use only once, such as a form of a track from its middle on: they
    /// are removed when nobody reads them any more.
    pub fn passing(
        &self,
        key: &TrackKey,
        source: Arc<dyn Source>,
        rt: &Handle,
    ) -> Result<Reader, CacheError> {
        let reader = self.attach(key, None, source, rt, true);
        reader.let_go_after_use();
        Ok(reader)
    }

    /// Like [`Store::track`], to fetch all of a track and not to listen to it: while a track that somebody listens to
    /// is short of bytes, this one stands back. It is fetched as long as the reader lives.
    pub fn download(
        &self,
        key: &TrackKey,
        size_hint: Option<u64>,
        source: Arc<dyn Source>,
        rt: &Handle,
    ) -> Result<Reader, CacheError> {
        Ok(self.attach(key, size_hint, source, rt, false))
    }

    fn attach(
        &self,
        key: &TrackKey,
        size_hint: Option<u64>,
        source: Arc<dyn Source>,
        rt: &Handle,
        listening: bool,
    ) -> Reader {
        let (entry, id) = {
            let mut desk = lock(&self.0.desk);
            desk.now += 1;
            let used = desk.now;
            let entry = if let Some(entry) = desk.open.get(key) {
                entry.set_source(source);
                Arc::clone(entry)
            } else {
                let claim = desk.claim(&Paths::of(&self.0.dir, key));
                let hint = size_hint.filter(|n| *n > 0);
                let entry =
                    Arc::new(Entry::open(Arc::clone(&self.0), key, hint, source, rt.clone(), &claim, used));
                desk.open.insert(key.clone(), Arc::clone(&entry));
                entry
            };
            let mut state = entry.state();
            state.used = used;
            let id = state.attach(listening);
            drop(state);
            (entry, id)
        };
        entry.ensure_task();
        Reader::new(entry, id)
    }

    /// How much of a track is on disk. Asks memory, not the disk: cheap enough for every row of a screen.
    pub fn held(&self, key: &TrackKey) -> Held {
        let desk = lock(&self.0.desk);
        match desk.open.get(key) {
            Some(entry) => {
                let state = entry.state();
                Shelf { bytes: state.disk.len(), total: state.total, whole: state.whole(), used: 0 }.held()
            }
            None => desk.index.get(key).map_or(Held::Nothing, Shelf::held),
        }
    }

    /// Length in bytes of an entry whose length is known.
    pub fn length(&self, key: &TrackKey) -> Option<u64> {
        let desk = lock(&self.0.desk);
        match desk.open.get(key) {
            Some(entry) => entry.state().total,
            None => desk.index.get(key).and_then(|shelf| shelf.total),
        }
    }

    /// How full the store is.
    pub fn usage(&self) -> Usage {
        let (bytes, tracks_whole, pinned) = lock(&self.0.desk).usage();
        Usage { bytes, tracks_whole, limit: self.0.limit.load(Ordering::Relaxed), pinned }
    }

    /// Says what is pinned: never evicted, not removed by [`Store::clear`], and not counted against the limit. Kept in
    /// the folder, for later starts and other processes. Blocks on the disk.
    pub fn set_pinned(&self, keys: HashSet<TrackKey>) {
        let mut desk = lock(&self.0.desk);
        if desk.pinned == keys {
            return;
        }
        if let Err(e) = disk::store_pinned(&self.0.dir, &keys) {
            tracing::warn!(error = %e, "the cache cannot write down what is pinned");
        }
        desk.pinned = keys;
        drop(desk);
        self.0.evict();
    }

    /// Changes the limit; what no longer fits goes at once. Blocks on the disk.
    pub fn set_limit(&self, bytes: u64) {
        self.0.limit.store(bytes, Ordering::Relaxed);
        self.0.evict();
    }

    /// Removes one track, unless it is in use. Says whether it is gone. Blocks on the disk.
    pub fn forget(&self, key: &TrackKey) -> bool {
        lock(&self.0.desk).remove(key, &Paths::of(&self.0.dir, key))
    }

    /// Removes everything that is neither pinned nor in use; gives the number of bytes freed. Blocks on the disk.
    pub fn clear(&self) -> u64 {
        let mut desk = lock(&self.0.desk);
        if let Some(pinned) = disk::load_pinned(&self.0.dir) {
            desk.pinned = pinned;
        }
        let all = desk.index.iter().filter(|(k, _)| !desk.pinned.contains(*k));
        let all: Vec<(TrackKey, u64)> = all.map(|(k, s)| (k.clone(), s.bytes)).collect();
        all.into_iter()
            .filter(|(key, _)| desk.remove(key, &Paths::of(&self.0.dir, key)))
            .map(|(_, bytes)| bytes)
            .sum()
    }

    /// Asks again at once wherever the cache waits out a pause, because the network came back.
    pub fn retry_now(&self) {
        for entry in lock(&self.0.desk).open.values() {
            entry.hurry();
        }
    }

    /// Reads everything back and compares it with what it was; removes what is damaged. Reads the whole store:
    /// seconds for each gigabyte.
    pub fn verify(&self) -> Verified {
        let mut found = Verified::default();
        for paths in disk::entries(&self.0.dir) {
            let mut desk = lock(&self.0.desk);
            if desk.open.values().any(|entry| entry.paths.map == paths.map)
                || !matches!(desk.claim(&paths), Claim::Ours)
            {
                found.open += 1;
                continue;
            }
            drop(desk);
            if !paths.exist() {
                // It was removed since the folder was listed.
                lock(&self.0.desk).unclaim(&paths);
                continue;
            }
            let (key, verdict) = disk::check(&paths);
            let mut desk = lock(&self.0.desk);
            match verdict {
                Ok(true) => found.whole += 1,
                Ok(false) => found.partial += 1,
                Err(reason) => {
                    if key.as_ref().is_none_or(|key| !desk.open.contains_key(key)) {
                        if let Err(e) = paths.remove() {
                            tracing::warn!(error = %e, "the cache cannot remove a damaged track");
                        }
                        if let Some(key) = &key {
                            desk.index.remove(key);
                        }
                    }
                    found.damaged.push((key, reason));
                }
            }
            desk.unclaim(&paths);
        }
        found
    }
}
