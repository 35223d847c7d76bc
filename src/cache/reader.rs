//! What the decode thread holds: blocking `Read + Seek` over an entry, and handles that look on or call off.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, PoisonError};

use super::entry::{self, CHANGED, Entry, Live, State};
use super::store::Release;

/// What there is of an open track at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that can be read without waiting, in order.
    pub ranges: Vec<Range<u64>>,
    /// Length in bytes, once it is known.
    pub total: Option<u64>,
    /// Whether all of it is on disk.
    pub whole: bool,
    /// Why nothing comes just now, as a sentence; the cache keeps trying.
    pub waiting: Option<String>,
    /// What is wrong with the disk, as a sentence; playing goes on from memory.
    pub notice: Option<String>,
    /// Why the rest will not come at all, as a sentence.
    pub failed: Option<String>,
}

impl Progress {
    fn of(state: &State) -> Self {
        Self {
            ranges: state.have().iter().cloned().collect(),
            total: state.total,
            whole: state.whole(),
            waiting: state.waiting.clone(),
            notice: state.notice.clone(),
            failed: state.failed.clone(),
        }
    }

    /// How many bytes from `at` on can be read without waiting.
    pub fn ahead_of(&self, at: u64) -> u64 {
        self.ranges.iter().find(|r| r.contains(&at)).map_or(0, |r| r.end - at)
    }
}

/// Looks at an entry's progress, also after its reader moved into the decoder or is gone.
#[derive(Clone)]
pub struct Watcher(Arc<Live>);

impl Watcher {
    /// What there is now.
    pub fn progress(&self) -> Progress {
        Progress::of(&entry::lock(&self.0.state))
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watcher").field(&self.progress()).finish()
    }
}

/// Calls a blocked reader off from another thread.
#[derive(Clone)]
pub struct CancelHandle {
    live: Arc<Live>,
    id: u64,
}

impl CancelHandle {
    /// The reader's running read and all later ones end with an error at once.
    pub fn cancel(&self) {
        if let Some(cursor) = entry::lock(&self.live.state).readers.get_mut(&self.id) {
            cursor.cancelled = true;
        }
        self.live.arrived.notify_all();
    }

    /// The reader's running read, if one waits, ends with an error; later ones work.
    pub fn interrupt(&self) {
        if let Some(cursor) = entry::lock(&self.live.state).readers.get_mut(&self.id) {
            cursor.interrupts += u64::from(cursor.waits);
        }
        self.live.arrived.notify_all();
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Reads a track as if it were a file. Blocks where bytes are missing, until they came, the reader is called
/// off, or it is certain that they will not come. While any reader of a track lives, the cache fetches the rest of
/// it.
pub struct Reader {
    entry: Arc<Entry>,
    id: u64,
    at: u64,
    file: Option<File>,
    last_error: Option<String>,
}

enum Next {
    /// So many bytes can be read from the data file.
    Disk(usize),
    /// So many were copied from memory.
    Copied(usize),
    End,
}

impl Reader {
    pub(super) fn new(entry: Arc<Entry>, id: u64) -> Self {
        Self { entry, id, at: 0, file: None, last_error: None }
    }

    /// The entry is removed when nobody reads it any more.
    pub(super) fn let_go_after_use(&self) {
        self.entry.state().stale = true;
    }

    /// Length in bytes: what the server said, until then what the caller of [`super::Store::track`] knew.
    pub fn byte_len(&self) -> Option<u64> {
        let state = self.entry.state();
        state.total.or(state.hint)
    }

    /// Like [`Reader::byte_len`], but waits for the server's first word. `None` when the server does not know
    /// either, as with a stream that is still being made.
    pub fn wait_len(&self) -> io::Result<Option<u64>> {
        let mut state = self.entry.state();
        loop {
            if state.total.is_some() || state.answered {
                return Ok(state.total);
            }
            self.check(&state)?;
            if let Some(why) = state.readers.get(&self.id).and_then(|c| c.failed.clone()) {
                return Err(io::Error::other(why));
            }
            state = self.entry.live.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What there is now.
    pub fn progress(&self) -> Progress {
        Progress::of(&self.entry.state())
    }

    /// Why the last read failed, which decoders tend to hide.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.clone()
    }

    /// A handle that sees the progress and outlives the reader.
    pub fn watcher(&self) -> Watcher {
        Watcher(Arc::clone(&self.entry.live))
    }

    /// A handle that ends this reader's waiting.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle { live: Arc::clone(&self.entry.live), id: self.id }
    }

    fn check(&self, state: &State) -> io::Result<()> {
        match state.readers.get(&self.id) {
            Some(cursor) if cursor.cut_off => Err(io::Error::other(CHANGED)),
            Some(cursor) if !cursor.cancelled => Ok(()),
            // Not `Interrupted`, which standard readers try again.
            _ => Err(io::Error::other("reading was called off")),
        }
    }

    /// Waits until there is something at the cursor.
    fn next(&self, buf: &mut [u8]) -> io::Result<Next> {
        let mut state = self.entry.state();
        let interrupts = |state: &State| state.readers.get(&self.id).map_or(0, |c| c.interrupts);
        let before = interrupts(&state);
        let next = loop {
            self.check(&state)?;
            if interrupts(&state) != before {
                break Err(io::Error::other("waiting was interrupted"));
            }
            if !state.unsure && state.total.is_some_and(|t| self.at >= t) {
                break Ok(Next::End);
            }
            let run = state.disk.run_from(self.at);
            if run > 0 {
                break Ok(Next::Disk(run.min(buf.len() as u64) as usize));
            }
            let copied = state.memory.read(self.at, buf);
            if copied > 0 {
                break Ok(Next::Copied(copied));
            }
            if let Some(why) = state.readers.get(&self.id).and_then(|c| c.failed.clone()) {
                break Err(io::Error::other(why));
            }
            state.focus = self.at;
            if let Some(cursor) = state.readers.get_mut(&self.id) {
                (cursor.at, cursor.waits) = (self.at, true);
            }
            if state.task.is_none() {
                drop(state);
                self.entry.ensure_task();
                state = self.entry.state();
                if state.task.is_none() {
                    continue;
                }
            }
            self.entry.live.wake.notify_one();
            state = self.entry.live.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        let read = match next {
            Ok(Next::Disk(n) | Next::Copied(n)) => n as u64,
            _ => 0,
        };
        state.focus = self.at + read;
        // Before the bytes are read: from here on a changed file can no longer be exchanged silently.
        state.handed_out |= read > 0;
        if let Some(cursor) = state.readers.get_mut(&self.id) {
            (cursor.at, cursor.waits) = (self.at + read, false);
        }
        if state.in_memory {
            // There the fetch task waits for readers to come nearer.
            self.entry.live.wake.notify_one();
        }
        next
    }

    fn read_disk(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            slot => slot.insert(File::open(&self.entry.paths.data)?),
        };
        file.seek(SeekFrom::Start(self.at))?;
        file.read(buf)
    }

    fn read_once(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.next(buf)? {
                Next::End => return Ok(0),
                Next::Copied(n) => return Ok(n),
                Next::Disk(n) => match self.read_disk(buf.get_mut(..n).unwrap_or_default()) {
                    Ok(read) if read > 0 => {
                        // The file may have been exchanged between the look and the read.
                        self.check(&self.entry.state())?;
                        return Ok(read);
                    }
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    other => {
                        self.check(&self.entry.state())?;
                        if let Err(e) = other {
                            tracing::warn!(error = %e, "a kept track cannot be read and is fetched again");
                        }
                        self.file = None;
                        self.entry.lost(self.at..self.at + n as u64);
                    }
                },
            }
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let done = self.read_once(buf);
        match &done {
            Ok(n) => self.at += *n as u64,
            Err(e) => self.last_error = Some(e.to_string()),
        }
        done
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => {
                let len = match self.byte_len() {
                    Some(len) => Some(len),
                    None => self.wait_len()?,
                };
                let len = len.ok_or_else(|| {
                    io::Error::new(io::ErrorKind::Unsupported, "the length of this track is not known")
                })?;
                len.checked_add_signed(by)
            }
        };
        let at =
            at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a seek to before the beginning"))?;
        self.at = at;
        Ok(at)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.entry.state().readers.remove(&self.id);
        self.entry.live.wake.notify_one();
        Release::later(&self.entry);
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("key", &self.entry.key).field("at", &self.at).finish_non_exhaustive()
    }
}
