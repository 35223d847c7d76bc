//! One open entry: what is held of a track, who reads it, and where its bytes go.
//!
//! Everything that changes is in [`State`] under one mutex, held for moments only. Readers sleep on
//! [`Live::arrived`], the fetch task on [`Live::wake`]. Bytes come in by [`Entry::accept`]: written to the data
//! file (or kept in memory when the disk does not take them), then named in the state, then readers wake.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::disk::{self, Map, Paths};
use super::fetch;
use super::memory::Memory;
use super::ranges::RangeSet;
use super::source::{Source, TrackKey};
use super::store::Inner;

/// Said to readers when the file became another one while they read it.
pub const CHANGED: &str = "the track changed on the server while it was playing; play it again";

/// A listener with fewer bytes ahead than this has the line for itself: some seconds of lossless music.
const CUSHION: u64 = 512 * 1024;

/// Locks a mutex; a thread that panicked while it held it left nothing half done that matters more than sound.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a reader stands.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, not the states of one machine")]
pub(super) struct Cursor {
    pub(super) at: u64,
    /// Whether somebody listens; otherwise the track is only to be kept.
    pub(super) listening: bool,
    /// Blocked on the byte at `at`.
    pub(super) waits: bool,
    pub(super) cancelled: bool,
    /// How often a running wait was to end.
    pub(super) interrupts: u64,
    /// The bytes that it read before belong to a file that is no more: it must not read on.
    pub(super) cut_off: bool,
    /// The final word about bytes that are not held.
    pub(super) failed: Option<String>,
}

/// What is known of an open entry at this moment.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, not the states of one machine")]
pub(super) struct State {
    /// Trusted bytes of the data file.
    pub(super) disk: RangeSet,
    /// Bytes that the disk did not take.
    pub(super) memory: Memory,
    /// Whether new bytes go to memory.
    pub(super) in_memory: bool,
    pub(super) total: Option<u64>,
    pub(super) hint: Option<u64>,
    pub(super) etag: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) readers: BTreeMap<u64, Cursor>,
    next_reader: u64,
    /// Where the reader that moved last stands.
    pub(super) focus: u64,
    /// The fetch task that runs.
    pub(super) task: Option<u64>,
    next_task: u64,
    /// Whether a server answered at all, so that `total` is as known as it will be.
    pub(super) answered: bool,
    /// Whether a reader got bytes since the entry was opened or began anew.
    pub(super) handed_out: bool,
    /// Why the last fetch task gave up; a new reader tries again.
    pub(super) failed: Option<String>,
    /// Why nothing comes just now.
    pub(super) waiting: Option<String>,
    /// What the listener should know about the disk.
    pub(super) notice: Option<String>,
    /// Whether the map file is behind.
    pub(super) dirty: bool,
    pub(super) used: u64,
    /// The catalog knows another length than the whole file has: the server should be asked once.
    pub(super) doubtful: bool,
    /// The end that the server told comes before the one that the catalog knows, and is being looked behind.
    pub(super) unsure: bool,
    /// The server has another file by now: this one is removed when nobody reads it any more.
    pub(super) stale: bool,
    /// Somebody thinks that the next attempt will work.
    pub(super) hurry: bool,
}

impl State {
    /// All bytes that can be read.
    pub(super) fn have(&self) -> RangeSet {
        let mut have = self.disk.clone();
        if self.in_memory {
            have.extend(self.memory.ranges().iter().cloned());
        }
        have
    }

    /// Whether all of it is on disk.
    pub(super) fn whole(&self) -> bool {
        disk::complete(&self.disk, self.total)
    }

    /// Registers a reader, which begins with new hope.
    pub(super) fn attach(&mut self, listening: bool) -> u64 {
        self.failed = None;
        self.next_reader += 1;
        self.readers.insert(self.next_reader, Cursor { listening, ..Cursor::default() });
        self.next_reader
    }

    /// Gives up: all who read now get this sentence where bytes are missing.
    pub(super) fn give_up(&mut self, why: &str) {
        for cursor in self.readers.values_mut() {
            cursor.failed = Some(why.to_owned());
        }
        self.failed = Some(why.to_owned());
        self.waiting = None;
    }

    /// Whether somebody who listens waits for bytes or soon will.
    pub(super) fn hungry(&self, have: &RangeSet) -> bool {
        self.readers.values().filter(|c| c.listening && !c.cancelled && c.failed.is_none()).any(|c| {
            let ahead = have.run_from(c.at);
            ahead < CUSHION && self.total.is_none_or(|total| c.at + ahead < total)
        })
    }

    /// Where readers are blocked. One whose bytes came may not have woken up to say so yet.
    pub(super) fn waits(&self, have: &RangeSet) -> Vec<u64> {
        self.readers.values().filter(|c| c.waits && !have.contains(c.at)).map(|c| c.at).collect()
    }
}

/// The part of an entry that outlives it: what [`super::Watcher`] looks at.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) state: Mutex<State>,
    /// Bytes came, or something ended.
    pub(super) arrived: Condvar,
    /// A reader needs something.
    pub(super) wake: Notify,
}

/// The incoming file is not the one whose bytes are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Changed;

/// An entry that somebody reads or fetches.
pub(super) struct Entry {
    pub(super) key: TrackKey,
    pub(super) paths: Paths,
    pub(super) live: Arc<Live>,
    pub(super) store: Arc<Inner>,
    pub(super) rt: Handle,
    /// Whether this process may write the files.
    ours: bool,
    source: Mutex<Arc<dyn Source>>,
    /// The data file; `None` while bytes go to memory or nothing is missing.
    writer: Mutex<Option<File>>,
    /// Held while files are saved or discarded, so that an old map never overtakes a new one.
    saving: Mutex<()>,
}

/// Whether this process may write an entry.
#[derive(Debug)]
pub(super) enum Claim {
    Ours,
    Busy,
    Failed(io::Error),
}

impl Entry {
    /// Opens what there is on disk.
    pub(super) fn open(
        store: Arc<Inner>,
        key: &TrackKey,
        hint: Option<u64>,
        source: Arc<dyn Source>,
        rt: Handle,
        claim: &Claim,
        used: u64,
    ) -> Self {
        let paths = Paths::of(&store.dir, key);
        let mut state = State { hint, used, ..State::default() };
        let mut writer = None;
        let found = Map::load(&paths).filter(|(map, _)| map.key() == *key);
        let ours = matches!(claim, Claim::Ours);
        let whole = found.as_ref().is_some_and(|(map, ranges)| disk::complete(ranges, map.total));
        if let Some((map, ranges)) = found.filter(|_| ours || whole) {
            state.disk = ranges;
            state.total = map.total;
            state.etag = map.etag;
            state.sha256 = map.sha256;
            state.dirty = ours;
            state.doubtful =
                ours && whole && hint.zip(state.total).is_some_and(|(hint, total)| hint != total);
        }
        if !whole {
            match claim {
                Claim::Ours => match paths.writer().and_then(|f| Self::trim(f, &state)) {
                    Ok(file) => writer = Some(file),
                    Err(e) => state.go_to_memory(&e),
                },
                Claim::Busy => {
                    state.in_memory = true;
                    state.notice = Some(
                        "Another Segue stores this track just now; here it plays without being kept.".into(),
                    );
                }
                Claim::Failed(e) => state.go_to_memory(e),
            }
        }
        Self {
            key: key.clone(),
            paths,
            live: Arc::new(Live { state: Mutex::new(state), ..Live::default() }),
            store,
            rt,
            ours,
            source: Mutex::new(source),
            writer: Mutex::new(writer),
            saving: Mutex::new(()),
        }
    }

    /// Cuts off bytes that no map names.
    fn trim(file: File, state: &State) -> io::Result<File> {
        let end = state.disk.iter().last().map_or(0, |r| r.end);
        if file.metadata()?.len() > end {
            file.set_len(end)?;
        }
        Ok(file)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.live.state)
    }

    /// Whether this process may write the files.
    pub(super) const fn ours(&self) -> bool {
        self.ours
    }

    /// Ends a pause of the fetch task.
    pub(super) fn hurry(&self) {
        self.state().hurry = true;
        self.live.wake.notify_one();
    }

    pub(super) fn source(&self) -> Arc<dyn Source> {
        Arc::clone(&lock(&self.source))
    }

    pub(super) fn set_source(&self, source: Arc<dyn Source>) {
        *lock(&self.source) = source;
    }

    /// Starts the fetch task unless it runs or has nothing to do.
    pub(super) fn ensure_task(self: &Arc<Self>) {
        let mut state = self.state();
        let work = !state.whole() || (self.ours && state.sha256.is_none()) || state.doubtful;
        if state.task.is_some() || state.failed.is_some() || !work {
            return;
        }
        state.next_task += 1;
        let id = state.next_task;
        state.task = Some(id);
        drop(state);
        self.rt.spawn(fetch::run(fetch::Running::new(Arc::clone(self), id)));
    }

    /// Takes `bytes` that stand at `at`. Held bytes are left alone; with `compare` they are compared first.
    /// Says whether anything was new.
    pub(super) fn accept(&self, at: u64, bytes: &Bytes, compare: bool) -> Result<bool, Changed> {
        let range = at..at + bytes.len() as u64;
        let piece = |r: &Range<u64>| bytes.slice((r.start - at) as usize..(r.end - at) as usize);
        let (held, holes) = {
            let state = self.state();
            let have = state.have();
            (if compare { have.held(range.clone()) } else { Vec::new() }, have.holes(range))
        };
        for r in held {
            if self.read_held(&r).is_some_and(|old| old != piece(&r)) {
                return Err(Changed);
            }
        }
        for hole in &holes {
            let fresh = piece(hole);
            let written = self.write(hole.start, &fresh);
            let mut state = self.state();
            match written {
                Some(Ok(())) => {
                    state.disk.insert(hole.clone());
                    state.dirty = true;
                }
                other => {
                    if let Some(Err(e)) = other {
                        tracing::warn!(error = %e, "the cache cannot write");
                        state.go_to_memory(&e);
                    }
                    let cursors: Vec<u64> = state.readers.values().map(|c| c.at).collect();
                    let total = state.total;
                    state.memory.insert(hole.start, fresh, &cursors, total);
                }
            }
            state.waiting = None;
            drop(state);
            self.live.arrived.notify_all();
        }
        Ok(!holes.is_empty())
    }

    /// Writes to the data file; `None` when bytes go to memory.
    fn write(&self, at: u64, bytes: &[u8]) -> Option<io::Result<()>> {
        let mut slot = lock(&self.writer);
        if self.state().in_memory || !self.ours {
            return None;
        }
        let file = match &mut *slot {
            Some(file) => file,
            empty => match self.paths.writer() {
                Ok(file) => empty.insert(file),
                Err(e) => return Some(Err(e)),
            },
        };
        let done = file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(bytes));
        if done.is_err() {
            // The file stays as it is; what was written of it stays readable.
            *slot = None;
        }
        Some(done)
    }

    /// Held bytes, for comparing; `None` when they cannot be read after all.
    fn read_held(&self, range: &Range<u64>) -> Option<Vec<u8>> {
        let mut buf = vec![0; (range.end - range.start) as usize];
        if self.state().disk.covers(range.clone()) {
            let mut file = File::open(&self.paths.data).ok()?;
            file.seek(SeekFrom::Start(range.start)).ok()?;
            file.read_exact(&mut buf).ok()?;
        } else {
            let n = self.state().memory.read(range.start, &mut buf);
            if n < buf.len() {
                return None;
            }
        }
        Some(buf)
    }

    /// The disk did not give back what the map promised: forget that range and all that the file is too short
    /// for, so that it is fetched again.
    pub(super) fn lost(&self, range: Range<u64>) {
        let slot = lock(&self.writer);
        let len = std::fs::metadata(&self.paths.data).map_or(0, |m| m.len());
        let mut state = self.state();
        state.disk.remove(range);
        state.disk.clip(len);
        state.sha256 = None;
        state.dirty = true;
        state.in_memory |= !self.ours;
        drop((state, slot));
    }

    /// The file on the server is another one: forget everything. When a reader already has bytes of the old
    /// one, this is the end for it: what it would get from here on would not fit.
    pub(super) fn discard(&self) {
        let saving = lock(&self.saving);
        let mut slot = lock(&self.writer);
        let mut state = self.state();
        state.disk = RangeSet::new();
        state.memory.clear();
        state.etag = None;
        state.total = None;
        state.sha256 = None;
        state.dirty = false;
        // What the catalog knew is as old as what was held.
        state.hint = None;
        if std::mem::take(&mut state.handed_out) {
            state.give_up(CHANGED);
            for cursor in state.readers.values_mut() {
                cursor.cut_off = true;
            }
        }
        if let Some(file) = slot.as_ref() {
            let emptied = std::fs::remove_file(&self.paths.map)
                .or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
                .and_then(|()| file.set_len(0));
            if let Err(e) = emptied {
                *slot = None;
                state.go_to_memory(&e);
            }
        }
        drop((state, slot, saving));
        self.live.arrived.notify_all();
    }

    /// Ends it for all readers with a sentence.
    pub(super) fn fail(&self, why: &str) {
        self.state().give_up(why);
        self.live.arrived.notify_all();
    }

    /// Tells readers why nothing comes.
    pub(super) fn say_waiting(&self, why: String) {
        self.state().waiting = Some(why);
        self.live.arrived.notify_all();
    }

    /// Brings the map file up to date: bytes to the platter first, then the map that names them. Blocks.
    pub(super) fn save(&self) {
        let _saving = lock(&self.saving);
        let map = {
            let mut state = self.state();
            let dirty = std::mem::take(&mut state.dirty);
            if !dirty || !self.ours || state.disk.is_empty() {
                return;
            }
            let mut map = Map::new(&self.key, &state.disk);
            map.etag.clone_from(&state.etag);
            map.total = state.total;
            map.sha256.clone_from(&state.sha256);
            map.used = state.used;
            map
        };
        // A second handle, so that the fetch task can go on writing while this one waits for the disk.
        let file = lock(&self.writer).as_ref().and_then(|f| f.try_clone().ok());
        let done = file.map_or(Ok(()), |f| f.sync_data()).and_then(|()| map.store(&self.paths));
        if let Err(e) = done {
            tracing::warn!(error = %e, "the cache cannot save what it holds of a track");
            self.state().notice = Some(trouble(&e));
        }
    }

    /// Records the hash of a finished file. Blocks.
    pub(super) fn seal(&self) {
        let Some(total) = self.state().total else { return };
        match disk::sha256(&self.paths.data, total) {
            Ok(hash) => {
                let mut state = self.state();
                if state.whole() {
                    state.sha256 = Some(hash);
                    state.dirty = true;
                }
            }
            Err(e) => {
                tracing::warn!(error = %e, "the cache cannot read a finished track back");
                self.lost(0..0);
            }
        }
        self.save();
    }
}

impl State {
    fn go_to_memory(&mut self, error: &io::Error) {
        self.in_memory = true;
        self.unsure = false;
        self.notice = Some(trouble(error));
    }
}

/// What a disk error means to a listener.
fn trouble(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "The disk is full: music plays from the network and is not kept. Free some space.".to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "The cache folder cannot be written: music plays from the network and is not kept.".to_owned()
        }
        _ => {
            format!("The cache folder does not work ({error}): music plays from the network and is not kept.")
        }
    }
}
