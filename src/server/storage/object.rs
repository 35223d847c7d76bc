//! One object of a store: its bytes for those who wait for them without a thread, and for those who read it like a file.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;

use super::blocks::{BLOCK, first_piece, span};
use super::bucket::{Meta, Trouble};
use super::hot::{Entry, Hot};
use super::store::Store;
use crate::audio::Media;

/// Blocks that a reader keeps in memory.
const HELD: usize = 6;
/// The most that is fetched at once for a reader.
const LARGEST: u64 = 4 << 20;
/// How long who listens waits for a store that went away in the middle of a track. Players have some music ahead.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long who reads waits, counted from when the store went away.
const READERS_PATIENCE: Duration = Duration::from_secs(20);
/// Time between two looks whether a store is back.
const AGAIN: Duration = Duration::from_millis(500);

/// An object as it was when it was looked at. Its bytes are of that very object, or not given.
#[derive(Debug)]
pub(crate) struct Object {
    store: Arc<Store>,
    key: String,
    path: PathBuf,
    meta: Meta,
    hot: Option<(Arc<Hot>, Arc<Entry>)>,
    /// Bytes that a reader fetches at once.
    block: u64,
    held: Mutex<VecDeque<(u64, Bytes)>>,
    /// What the store did wrong while this was read.
    trouble: Mutex<Option<Trouble>>,
}

impl Object {
    /// An object of a store, of which a reader fetches `block` bytes at once.
    pub(super) fn new(store: Arc<Store>, key: String, path: PathBuf, meta: Meta, block: u64) -> Self {
        let (held, trouble) = (Mutex::default(), Mutex::default());
        Self { store, key, path, meta, hot: None, block, held, trouble }
    }

    /// The same with what the hot cache has of it.
    pub(super) fn through(self, hot: Option<&Arc<Hot>>) -> Self {
        let entry = hot.and_then(|hot| Some((Arc::clone(hot), hot.entry(&self.hot_name(), self.meta.size)?)));
        let block = if entry.is_some() { BLOCK } else { self.block };
        Self { hot: entry, block, ..self }
    }

    fn hot_name(&self) -> String {
        super::hot::name_of(&self.path, &self.meta.tag())
    }

    /// Its address.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the store says of it.
    pub(crate) const fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Its store and key.
    pub(super) fn place(&self) -> (&Arc<Store>, &str) {
        (&self.store, &self.key)
    }

    /// Its strong entity tag with quotes, the same that the store itself gives.
    pub(crate) fn etag(&self) -> String {
        let plain = |c: &char| c.is_ascii_graphic() && *c != '"';
        format!("\"{}\"", self.meta.tag().chars().filter(plain).collect::<String>())
    }

    /// What the store did wrong while this was read, if it did.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn fetch(&self, range: Range<u64>) -> Result<Bytes, Trouble> {
        self.store.get(&self.key, range, &self.meta).await
    }

    /// Bytes that lie in one [`BLOCK`], from the hot cache or else from the store.
    pub(crate) async fn piece(&self, range: Range<u64>) -> Result<Bytes, Trouble> {
        match &self.hot {
            Some((hot, entry)) => hot.piece(entry, range, |block| self.fetch(block)).await,
            None => self.fetch(range).await,
        }
    }

    /// Fetches the block behind a place into the hot cache, while what is before it is sent.
    fn look_ahead(self: &Arc<Self>, at: u64) {
        let Some((hot, entry)) = &self.hot else { return };
        let next = (at / BLOCK + 1) * BLOCK;
        if next >= self.meta.size || entry.has(next / BLOCK) {
            return;
        }
        let Ok(place) = Arc::clone(&hot.ahead).try_acquire_owned() else { return };
        let object = Arc::clone(self);
        tokio::spawn(async move {
            // Whoever needs it will be told what is wrong.
            let _ = object.piece(next..next + 1).await;
            drop(place);
        });
    }

    /// A file that is all of it, if there is one; it stays as long as the object is held.
    pub(crate) fn whole(&self) -> Option<PathBuf> {
        self.hot.as_ref()?.1.whole()
    }

    /// Makes a file of all of it; it stays as long as the object is held.
    pub(crate) async fn bring(&self) -> Result<PathBuf, Trouble> {
        match &self.hot {
            Some((hot, entry)) => hot.whole(entry, |block| self.fetch(block)).await,
            None => Err(Trouble::Refused(
                "this track is larger than the hot cache: give --hot-cache more".to_owned(),
            )),
        }
    }

    /// Some of its bytes as they come, in steps of at most `step`. The first of them are here before it begins, so that a store that is
    /// away is known in time; one that goes away on the way is waited for.
    pub(crate) async fn stream(
        self: Arc<Self>,
        range: Range<u64>,
        step: u64,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, Trouble> {
        let piece = |range: &Range<u64>| first_piece(range, BLOCK, step);
        let first = if range.is_empty() { Bytes::new() } else { self.piece(piece(&range)).await? };
        let rest = range.start + first.len() as u64..range.end;
        let state = (self, Some(first), rest);
        Ok(futures_util::stream::try_unfold(state, move |(object, first, mut rest)| async move {
            if let Some(first) = first.filter(|first| !first.is_empty()) {
                object.look_ahead(rest.start.saturating_sub(1));
                return Ok(Some((first, (object, None, rest))));
            }
            if rest.is_empty() {
                return Ok(None);
            }
            let bytes = object.patiently(first_piece(&rest, BLOCK, step)).await?;
            object.look_ahead(rest.start);
            rest.start += bytes.len() as u64;
            Ok(Some((bytes, (object, None, rest))))
        }))
    }

    async fn patiently(&self, range: Range<u64>) -> Result<Bytes, Trouble> {
        let began = Instant::now();
        loop {
            match self.piece(range.clone()).await {
                Err(Trouble::Away(_)) if began.elapsed() < PATIENCE => tokio::time::sleep(AGAIN).await,
                other => return other,
            }
        }
    }

    /// Bytes for who reads; blocks.
    fn read_range(&self, range: Range<u64>) -> Result<Bytes, Trouble> {
        let read = async {
            loop {
                let bytes = if self.hot.is_some() {
                    self.piece(range.clone()).await
                } else {
                    self.fetch(range.clone()).await
                };
                match bytes {
                    Err(Trouble::Away(_)) if self.store.down_for() < READERS_PATIENCE => {
                        tokio::time::sleep(AGAIN).await;
                    }
                    other => return other,
                }
            }
        };
        let bytes = self.store.wait_for(read);
        if let Err(trouble) = &bytes {
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble.clone());
        }
        bytes
    }

    fn block_at(&self, at: u64) -> Result<(u64, Bytes), Trouble> {
        let number = at / self.block;
        let held = || self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let block = span(number, self.block, self.meta.size);
        if let Some(known) = held().iter().find(|(start, _)| *start == block.start) {
            return Ok(known.clone());
        }
        let bytes = self.read_range(block.clone())?;
        let mut held = held();
        held.push_front((block.start, bytes.clone()));
        held.truncate(HELD);
        Ok((block.start, bytes))
    }
}

/// Reads an object like a file. Every read may wait for the network: not for threads that serve.
#[derive(Debug)]
pub(crate) struct ObjectReader {
    object: Arc<Object>,
    at: u64,
}

impl ObjectReader {
    pub(super) const fn new(object: Arc<Object>) -> Self {
        Self { object, at: 0 }
    }

    /// Bytes.
    pub(crate) fn len(&self) -> u64 {
        self.object.meta.size
    }
}

impl Read for ObjectReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let object = &self.object;
        let wanted = (out.len() as u64).min(object.meta.size.saturating_sub(self.at));
        if wanted == 0 {
            return Ok(0);
        }
        let bytes = if wanted > object.block && object.hot.is_none() {
            object.read_range(self.at..self.at + wanted.min(LARGEST))?
        } else {
            let (start, block) = object.block_at(self.at)?;
            let from = usize::try_from(self.at - start).unwrap_or(usize::MAX).min(block.len());
            let to = usize::try_from(self.at - start + wanted).unwrap_or(usize::MAX).min(block.len());
            block.slice(from..to)
        };
        if let Some(target) = out.get_mut(..bytes.len()) {
            target.copy_from_slice(&bytes);
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let from = |base: u64, by: i64| base.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput);
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => from(self.at, by)?,
            SeekFrom::End(by) => from(self.len(), by)?,
        };
        Ok(self.at)
    }
}

impl Media for ObjectReader {
    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }

    fn seekable(&self) -> bool {
        true
    }

    fn last_error(&self) -> Option<String> {
        self.object.trouble().map(|trouble| trouble.to_string())
    }
}
