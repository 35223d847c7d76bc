//! Between the store and the engine: a cached track as the engine reads it, and what a screen shows of its bytes.
//!
//! [`Stock`] decides which form of a track is read: what is wanted, or a whole one that is here. A form that a server is
//! still making has no length and cannot be sought in. [`Supplies::way`] says how a place in it is reached all the same:
//! by reading on where the bytes are near, by asking for the form from there on where the server can do that, or by
//! opening it anew once its length is known.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use tokio::runtime::Handle;

use super::Supply;
use super::forms::{self, Refused};
use crate::audio::{Interrupt, Media};
use crate::cache::{CancelHandle, Held, Reader, Source, Store, TrackKey, Watcher};
use crate::music::{Quality, Track, TrackId};

/// A form is asked for from a place on only when that lies at least so far behind what is here, ms.
const WORTH_ASKING_MS: u64 = 3000;

/// Where the player's bytes come from.
pub(super) struct Stock {
    pub(super) store: Store,
    pub(super) source: Arc<dyn Source>,
    /// What is asked for.
    pub(super) quality: Quality,
    /// In which form pinned tracks are kept.
    pub(super) pinned: Quality,
    /// What cannot be decoded here.
    pub(super) refused: Refused,
    /// The highest bit rate that the listener's plan gives, kbit/s; 0 for any.
    pub(super) limit: u32,
}

impl Stock {
    /// Whether all bytes of a track are on this machine, in whatever form would be played.
    pub(super) fn is_whole(&self, track: &Track) -> bool {
        self.held(&self.key(track))
    }

    fn held(&self, key: &TrackKey) -> bool {
        self.store.held(key) == Held::Whole
    }

    /// The form to read: the whole original where it is here, then what is wanted; what was kept in another quality
    /// while the server cannot give the wanted one. What cannot be decoded is passed over.
    fn key(&self, track: &Track) -> TrackKey {
        let plays = |form: &Quality| !self.refused.has(&track.id, *form);
        let of = |form| TrackKey::of(track, form);
        let raw = TrackKey::raw(track.id.clone());
        if plays(&Quality::Original) && self.held(&raw) {
            return raw;
        }
        let wanted = of(self.forms(track).find(plays).unwrap_or_default());
        if self.held(&wanted) || self.source.reachable() {
            return wanted;
        }
        let mut others = std::iter::once(self.pinned.of(track)).chain(self.forms(track));
        others.find(|form| plays(form) && self.held(&of(*form))).map_or(wanted, of)
    }

    /// The forms in which a track may be asked for, the best first.
    fn forms(&self, track: &Track) -> impl Iterator<Item = Quality> {
        let quality = self.quality.at_most(self.limit);
        forms::in_order(quality, quality.of(track), self.limit)
    }

    /// Whether a track is played in another form because its own cannot be decoded.
    pub(super) fn stands_in(&self, track: &Track) -> bool {
        self.refused.any(&track.id)
    }

    /// Notes that a form of a track cannot be decoded, or not be had, and gives the one to ask for now. The error is
    /// for the listener: why there is none. It is forgotten then, so that another attempt asks for everything again.
    pub(super) fn refuse(&mut self, track: &Track, form: Quality, why: String) -> Result<Quality, String> {
        self.refused.add(&track.id, form, why);
        let next = self.forms(track).find(|form| !self.refused.has(&track.id, *form));
        let trouble = match next {
            Some(form) if self.source.reachable() || self.held(&TrackKey::of(track, form)) => {
                return Ok(form);
            }
            Some(_) => "the server, which may make another form of it, cannot be reached",
            None => "the server gives it in no other form",
        };
        let why = self.refused.forget(&track.id).unwrap_or_default();
        Err(format!("{why}, and {trouble}"))
    }

    /// Opens a track to be played from `at_ms` on; returns at once, bytes come as they are read.
    pub(super) fn open(&self, track: &Track, at_ms: u64) -> Result<(StoredMedia, Supplies), String> {
        self.open_form(track, &self.key(track), at_ms)
    }

    /// Opens what a server has in one form only.
    pub(super) fn open_as_it_is(&self, track: &Track) -> Result<(StoredMedia, Supplies), String> {
        self.open_form(track, &TrackKey::raw(track.id.clone()), 0)
    }

    fn open_form(
        &self,
        track: &Track,
        key: &TrackKey,
        at_ms: u64,
    ) -> Result<(StoredMedia, Supplies), String> {
        let quality = key.quality().map_or(Quality::Original, |(quality, _)| quality);
        let size = Some(track.size).filter(|s| *s > 0 && quality == Quality::Original);
        let runtime = tokio::runtime::Handle::current();
        let source = || Arc::clone(&self.source);
        let seekable = quality == Quality::Original || self.store.length(key).is_some();
        let here = match self.store.held(key) {
            Held::Part { bytes, .. } => bytes,
            Held::Whole | Held::Nothing => 0,
        };
        let near = at_ms <= reach_ms(quality, here) + WORTH_ASKING_MS;
        let (reader, base_ms) =
            if seekable || near || !self.source.begins_anywhere() || !self.source.reachable() {
                (self.store.track(key, size, source(), &runtime), 0)
            } else {
                let second = at_ms / 1000;
                (self.store.passing(&key.from_second(second), source(), &runtime), second * 1000)
            };
        let reader = reader.map_err(|e| e.to_string())?;
        let (watcher, cancel) = (reader.watcher(), reader.cancel_handle());
        Ok((StoredMedia { reader, seekable }, Supplies { watcher, cancel, base_ms, quality, seekable }))
    }
}

/// The original of a track as it is on this machine; `None` where it is not whole. Nothing is fetched.
pub fn on_this_machine(
    store: &Store,
    track: &TrackId,
    source: Arc<dyn Source>,
    runtime: &Handle,
) -> Option<Box<dyn Media>> {
    let key = TrackKey::raw(track.clone());
    if store.held(&key) != Held::Whole {
        return None;
    }
    let reader = store.download(&key, None, source, runtime).ok()?;
    Some(Box::new(StoredMedia { reader, seekable: true }))
}

/// How far so many bytes of a form reach, ms; nothing where its rate is not known.
fn reach_ms(quality: Quality, bytes: u64) -> u64 {
    quality.kbps().map_or(0, |kbps| bytes * 8 / u64::from(kbps.max(1)))
}

/// A track of the store as the engine reads it.
pub(super) struct StoredMedia {
    reader: Reader,
    seekable: bool,
}

impl Read for StoredMedia {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf)
    }
}

impl Seek for StoredMedia {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}

impl Media for StoredMedia {
    fn byte_len(&self) -> Option<u64> {
        self.reader.byte_len()
    }

    fn seekable(&self) -> bool {
        self.seekable
    }

    fn last_error(&self) -> Option<String> {
        self.reader.last_error()
    }

    fn whole(&self) -> bool {
        self.reader.progress().whole
    }

    fn interrupt(&self) -> Option<Interrupt> {
        let handle = self.reader.cancel_handle();
        Some(Arc::new(move || handle.interrupt()))
    }
}

/// Looks at the bytes of a loaded track. When it goes, a decoder that still waits for them is let go.
pub(super) struct Supplies {
    watcher: Watcher,
    cancel: CancelHandle,
    /// Where in the track the bytes begin, ms.
    pub(super) base_ms: u64,
    /// In which form they are.
    pub(super) quality: Quality,
    seekable: bool,
}

impl Drop for Supplies {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// How a place in a loaded track is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The engine goes there; ms from where the bytes begin.
    Here(u64),
    /// The track is opened anew for that place.
    Anew,
}

/// What a screen shows of a track's bytes.
pub(super) struct Look {
    /// Parts that are here, as fractions of the track.
    pub(super) parts: Vec<(f32, f32)>,
    /// Where the rest comes from.
    pub(super) supply: Supply,
}

impl Supplies {
    /// How `at_ms` is reached from `now_ms`. `anywhere` says whether the server begins where it is asked to.
    pub(super) fn way(&self, at_ms: u64, now_ms: u64, anywhere: bool) -> Way {
        let here = Way::Here(at_ms.saturating_sub(self.base_ms));
        if self.seekable {
            return here;
        }
        let progress = self.watcher.progress();
        if at_ms < now_ms || (self.base_ms == 0 && progress.total.is_some()) {
            return Way::Anew;
        }
        let reach = self.base_ms + reach_ms(self.quality, progress.ahead_of(0));
        if anywhere && at_ms > reach + WORTH_ASKING_MS { Way::Anew } else { here }
    }

    /// The state at this moment, of a track of so many ms.
    pub(super) fn look(&self, duration_ms: u64) -> Look {
        let progress = self.watcher.progress();
        let known = progress.total.filter(|_| self.base_ms == 0);
        let guessed = self.quality.kbps().map(|kbps| duration_ms * u64::from(kbps) / 8);
        let total = known.or(guessed).unwrap_or(0);
        let before = if duration_ms == 0 { 0.0 } else { self.base_ms as f32 / duration_ms as f32 };
        let fraction = |at: u64| {
            let part = if total == 0 { 0.0 } else { (at as f64 / total as f64) as f32 };
            (before + part).min(1.0)
        };
        let parts = progress.ranges.iter().map(|r| (fraction(r.start), fraction(r.end))).collect();
        let supply = match (progress.whole && self.base_ms == 0, progress.waiting.is_some()) {
            (true, _) => Supply::Cached,
            (false, true) => Supply::Offline,
            (false, false) => Supply::Streaming,
        };
        Look { parts, supply }
    }
}
