//! Between the store and the engine: a cached track as the engine reads it, and what a screen shows of its bytes.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use super::Supply;
use crate::audio::{Interrupt, Media};
use crate::cache::{CancelHandle, Held, Reader, Source, Store, TrackKey, Watcher};
use crate::music::Track;

/// The original file, as the server has it.
fn key(track: &Track) -> TrackKey {
    TrackKey::raw(track.id.clone())
}

/// Whether all bytes of a track are on this machine.
pub(super) fn is_whole(store: &Store, track: &Track) -> bool {
    store.held(&key(track)) == Held::Whole
}

/// A track of the store as the engine reads it.
pub(super) struct StoredMedia(Reader);

impl StoredMedia {
    /// Opens a track; returns at once, bytes come as they are read.
    pub(super) fn open(
        store: &Store,
        track: &Track,
        source: &Arc<dyn Source>,
    ) -> Result<(Self, Supplies), String> {
        let size = Some(track.size).filter(|s| *s > 0);
        let runtime = tokio::runtime::Handle::current();
        let reader =
            store.track(&key(track), size, Arc::clone(source), &runtime).map_err(|e| e.to_string())?;
        let supplies = Supplies { watcher: reader.watcher(), cancel: reader.cancel_handle() };
        Ok((Self(reader), supplies))
    }
}

impl Read for StoredMedia {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Seek for StoredMedia {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Media for StoredMedia {
    fn byte_len(&self) -> Option<u64> {
        self.0.byte_len()
    }

    fn seekable(&self) -> bool {
        true
    }

    fn last_error(&self) -> Option<String> {
        self.0.last_error()
    }

    fn whole(&self) -> bool {
        self.0.progress().whole
    }

    fn interrupt(&self) -> Option<Interrupt> {
        let handle = self.0.cancel_handle();
        Some(Arc::new(move || handle.interrupt()))
    }
}

/// Looks at the bytes of a loaded track. When it goes, a decoder that still waits for them is let go.
pub(super) struct Supplies {
    watcher: Watcher,
    cancel: CancelHandle,
}

impl Drop for Supplies {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// What a screen shows of a track's bytes.
pub(super) struct Look {
    /// Parts that are here, as fractions of the track.
    pub(super) parts: Vec<(f32, f32)>,
    /// Where the rest comes from.
    pub(super) supply: Supply,
}

impl Supplies {
    /// The state at this moment.
    pub(super) fn look(&self) -> Look {
        let progress = self.watcher.progress();
        let total = progress.total.unwrap_or(0);
        let fraction = |at: u64| if total == 0 { 0.0 } else { (at as f64 / total as f64) as f32 };
        let parts = progress.ranges.iter().map(|r| (fraction(r.start), fraction(r.end))).collect();
        let supply = match (progress.whole, progress.waiting.is_some()) {
            (true, _) => Supply::Cached,
            (false, true) => Supply::Offline,
            (false, false) => Supply::Streaming,
        };
        Look { parts, supply }
    }
}
