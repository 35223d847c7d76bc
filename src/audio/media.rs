//! The seam between bytes and sound: what the engine needs of a file, and the tap through which the decoder
//! reads it. The tap notes how long a read blocks (so that the control thread can announce buffering), what
//! went wrong in a read (the demuxers turn an I/O error and the end of the file into the same thing), and
//! gives up when a stream yields megabytes without one packet of sound.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use symphonia::core::io::MediaSource;

/// Ends a read that blocks at this moment with an error; a read after it works again.
pub type Interrupt = Arc<dyn Fn() + Send + Sync>;

/// The bytes of one file. `read` may block until bytes arrive; the engine calls it from a thread of its own
/// for each item and never waits for that thread.
pub trait Media: Read + Seek + Send + Sync {
    /// Length in bytes, where known.
    fn byte_len(&self) -> Option<u64>;
    /// Whether `seek` works.
    fn seekable(&self) -> bool;
    /// Why the last read failed, as a sentence for the listener; `None` at a true end of the file.
    fn last_error(&self) -> Option<String> {
        None
    }
    /// All bytes are at hand, so that reading anywhere costs next to nothing.
    fn whole(&self) -> bool {
        false
    }
    /// A handle that ends a blocking read from another thread. Without one a command that arrives while a
    /// read blocks takes effect when the read returns (dropping the item needs no wait in any case).
    fn interrupt(&self) -> Option<Interrupt> {
        None
    }
}

impl Media for File {
    fn byte_len(&self) -> Option<u64> {
        self.metadata().ok().map(|m| m.len())
    }
    fn seekable(&self) -> bool {
        self.metadata().is_ok_and(|m| m.is_file())
    }
    fn whole(&self) -> bool {
        true
    }
}

impl<T: AsRef<[u8]> + Send + Sync> Media for Cursor<T> {
    fn byte_len(&self) -> Option<u64> {
        Some(self.get_ref().as_ref().len() as u64)
    }
    fn seekable(&self) -> bool {
        true
    }
    fn whole(&self) -> bool {
        true
    }
}

/// A stream may yield this many bytes without one packet of sound before it is given up: enough for the
/// largest embedded pictures.
const BARREN_LIMIT: u64 = 64 << 20;

/// What the reading side tells the control thread; shared by all taps of one item.
pub(super) struct Gauge {
    origin: Instant,
    blocked_since: AtomicU64,
    barren: AtomicU64,
    cancelled: AtomicBool,
    failed: AtomicBool,
    /// The newest seek that was ordered, and the newest that the decode thread has seen.
    asked: AtomicU64,
    taken: AtomicU64,
    interrupted: AtomicBool,
}

impl Gauge {
    fn new() -> Self {
        Gauge {
            origin: Instant::now(),
            blocked_since: AtomicU64::new(0),
            barren: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            asked: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            interrupted: AtomicBool::new(false),
        }
    }

    /// A seek was ordered.
    pub(super) fn ask(&self, generation: u64) {
        self.asked.store(generation, Ordering::Release);
    }

    /// The decode thread has seen the order.
    pub(super) fn take(&self, generation: u64) {
        self.taken.store(generation, Ordering::Release);
    }

    /// An order waits that makes what is being read worthless.
    pub(super) fn stale(&self) -> bool {
        self.asked.load(Ordering::Acquire) != self.taken.load(Ordering::Acquire)
    }

    /// A read is about to be interrupted.
    pub(super) fn interrupting(&self) {
        self.interrupted.store(true, Ordering::Release);
    }

    /// Milliseconds for which the read in progress has blocked; 0 when none is.
    pub(super) fn blocked_ms(&self) -> u64 {
        match self.blocked_since.load(Ordering::Relaxed) {
            0 => 0,
            since => (self.origin.elapsed().as_millis() as u64 + 1).saturating_sub(since),
        }
    }

    /// From now on every read fails at once: the item was dropped.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// A packet came out of the stream.
    pub(super) fn fruitful(&self) {
        self.barren.store(0, Ordering::Relaxed);
    }
}

/// One item's media, shared by the taps that are opened on it one after the other.
#[derive(Clone)]
pub(super) struct Shared {
    media: Arc<Mutex<Box<dyn Media>>>,
    gauge: Arc<Gauge>,
    seekable: bool,
}

impl Shared {
    pub(super) fn new(media: Box<dyn Media>) -> Self {
        let seekable = media.seekable();
        Shared { media: Arc::new(Mutex::new(media)), gauge: Arc::new(Gauge::new()), seekable }
    }

    pub(super) fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
    }

    pub(super) fn seekable(&self) -> bool {
        self.seekable
    }

    pub(super) fn whole(&self) -> bool {
        self.lock().whole()
    }

    /// The sentence for a read that failed, or `None` when no read failed.
    pub(super) fn read_failure(&self) -> Option<String> {
        if !self.gauge.failed.load(Ordering::Relaxed) {
            return None;
        }
        let told = self.lock().last_error();
        Some(told.unwrap_or_else(|| "the file could not be read any further".to_owned()))
    }

    /// Forgets an earlier failure before another attempt.
    pub(super) fn clear_failure(&self) {
        self.gauge.failed.store(false, Ordering::Relaxed);
        self.gauge.fruitful();
    }

    /// A view of the bytes from the start. With `pretend_linear` it claims not to be seekable, which keeps
    /// demuxers from visiting the end of a file before the first packet.
    pub(super) fn tap(&self, pretend_linear: bool) -> Tap {
        Tap { shared: self.clone(), seekable: self.seekable && !pretend_linear }
    }

    fn lock(&self) -> MutexGuard<'_, Box<dyn Media>> {
        self.media.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a demuxer reads from.
pub(super) struct Tap {
    shared: Shared,
    seekable: bool,
}

impl Read for Tap {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let gauge = &self.shared.gauge;
        if gauge.cancelled.load(Ordering::Relaxed) {
            return Err(io::Error::other("dropped"));
        }
        if gauge.barren.load(Ordering::Relaxed) > BARREN_LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no sound in a long stretch of data"));
        }
        gauge.blocked_since.store(gauge.origin.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
        let result = loop {
            let result = self.shared.lock().read(buf);
            // An interrupt that came too late for its read must not fail another one.
            let late = result.is_err()
                && gauge.interrupted.swap(false, Ordering::AcqRel)
                && !gauge.stale()
                && !gauge.cancelled.load(Ordering::Relaxed);
            if !late {
                break result;
            }
        };
        gauge.blocked_since.store(0, Ordering::Relaxed);
        match &result {
            Ok(0) if self.shared.lock().last_error().is_some() => {
                gauge.failed.store(true, Ordering::Relaxed);
            }
            Ok(n) => {
                gauge.barren.fetch_add(*n as u64, Ordering::Relaxed);
            }
            Err(_) => gauge.failed.store(true, Ordering::Relaxed),
        }
        result
    }
}

impl Seek for Tap {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.shared.lock().seek(pos)
    }
}

impl MediaSource for Tap {
    fn is_seekable(&self) -> bool {
        self.seekable
    }
    fn byte_len(&self) -> Option<u64> {
        self.shared.lock().byte_len()
    }
}
