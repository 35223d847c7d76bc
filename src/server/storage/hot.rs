//! The hot cache: what was fetched from stores lately, on the local disk, never more than its limit.
//!
//! An object is a file here that fills up block by block; where all of it is there, it is renamed and is a file like any other, which
//! survives a restart and which the socket and ffmpeg can read by themselves. Names are made of address and entity tag, so that
//! nothing here can be old. What nobody has used for longest goes first, and what somebody reads never goes.

use std::collections::HashMap;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::sync::Semaphore;

use super::blocks::{BLOCK, Map, span};
use super::bucket::Trouble;

/// Suffix of what is not whole.
const PART: &str = "part";
/// Blocks that are fetched ahead at once, for all who listen.
const AHEAD: usize = 32;
/// Blocks of one object that are fetched at once where all of it is wanted.
const ABREAST: usize = 4;

/// The hot cache of a server.
#[derive(Debug)]
pub(crate) struct Hot {
    folder: PathBuf,
    limit: u64,
    state: Mutex<State>,
    /// Places for fetching ahead.
    pub(super) ahead: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<String, Arc<Entry>>,
    /// Bytes of all entries.
    used: u64,
    /// Counts uses; the time would do as well, but steps.
    uses: u64,
}

/// An object in the hot cache. While somebody holds it, it stays.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Where it is when it is whole.
    path: PathBuf,
    size: u64,
    inner: Mutex<Inner>,
    /// Blocks that somebody is fetching.
    flights: Mutex<HashMap<u64, Weak<tokio::sync::Mutex<()>>>>,
}

#[derive(Debug)]
struct Inner {
    map: Map,
    whole: bool,
    bytes: u64,
    last_use: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hot {
    /// A cache in a folder of its own with what an earlier run left there whole. Blocks.
    pub(crate) fn open(folder: PathBuf, limit: u64) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let mut found: Vec<(SystemTime, String, u64)> = Vec::new();
        for entry in std::fs::read_dir(&folder)? {
            let Ok(entry) = entry else { continue };
            let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else { continue };
            let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            match name.filter(|name| is_name(name)) {
                Some(name) => found.push((metadata.modified()?, name, metadata.len())),
                None => std::fs::remove_file(&path)?,
            }
        }
        found.sort();
        let mut state = State::default();
        for (_, name, size) in found {
            state.uses += 1;
            state.used += size;
            let inner = Inner { map: Map::of(0), whole: true, bytes: size, last_use: state.uses };
            state.entries.insert(name.clone(), Arc::new(Entry::new(folder.join(name), size, inner)));
        }
        make_room(&mut state, limit, 0, None);
        Ok(Self { folder, limit, state: Mutex::new(state), ahead: Arc::new(Semaphore::new(AHEAD)) })
    }

    /// The entry of a name, which counts as used now; `None` for what is too large to be kept at all.
    pub(crate) fn entry(&self, name: &str, size: u64) -> Option<Arc<Entry>> {
        if size == 0 || size > self.limit || !is_name(name) {
            return None;
        }
        let mut state = lock(&self.state);
        state.uses += 1;
        let last_use = state.uses;
        let path = self.folder.join(name);
        let entry = state.entries.entry(name.to_owned()).or_insert_with(|| {
            let inner = Inner { map: Map::of(size), whole: false, bytes: 0, last_use };
            Arc::new(Entry::new(path, size, inner))
        });
        if entry.size != size {
            return None;
        }
        lock(&entry.inner).last_use = last_use;
        Some(Arc::clone(entry))
    }

    /// Bytes on the disk.
    pub(crate) fn used(&self) -> u64 {
        lock(&self.state).used
    }

    /// Bytes of an object that lie in one block, from here or else by `fetch`, which is asked for the whole block. Who wants a block
    /// that somebody is fetching waits for that.
    pub(crate) async fn piece<F: Future<Output = Result<Bytes, Trouble>>>(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        range: Range<u64>,
        fetch: impl FnOnce(Range<u64>) -> F,
    ) -> Result<Bytes, Trouble> {
        let number = range.start / BLOCK;
        if let Some(bytes) = self.held(entry, number, &range).await {
            return Ok(bytes);
        }
        let flight = entry.flight(number);
        let _turn = flight.lock().await;
        if let Some(bytes) = self.held(entry, number, &range).await {
            return Ok(bytes);
        }
        let block = span(number, BLOCK, entry.size);
        let bytes = fetch(block.clone()).await?;
        let part =
            |at: u64| usize::try_from(at.saturating_sub(block.start)).unwrap_or(usize::MAX).min(bytes.len());
        let wanted = bytes.slice(part(range.start)..part(range.end));
        self.keep(entry, number, bytes).await;
        Ok(wanted)
    }

    async fn held(self: &Arc<Self>, entry: &Arc<Entry>, number: u64, range: &Range<u64>) -> Option<Bytes> {
        if !entry.has(number) {
            return None;
        }
        let (own, range) = (Arc::clone(entry), range.clone());
        if let Ok(Ok(bytes)) = tokio::task::spawn_blocking(move || own.read(&range)).await {
            return Some(bytes);
        }
        // Somebody took the file away: it is fetched again.
        self.forget(entry);
        None
    }

    /// Fetches what is missing of an object. Where it is then; it stays as long as the entry is held.
    pub(crate) async fn whole<F: Future<Output = Result<Bytes, Trouble>>>(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        fetch: impl Fn(Range<u64>) -> F,
    ) -> Result<PathBuf, Trouble> {
        if let Some(path) = entry.whole() {
            return Ok(path);
        }
        futures_util::stream::iter(0..entry.size.div_ceil(BLOCK))
            .map(|number| {
                let block = span(number, BLOCK, entry.size);
                let first = block.start..(block.start + 1).min(block.end);
                self.piece(entry, first, &fetch)
            })
            .buffer_unordered(ABREAST)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await?;
        entry.whole().ok_or_else(|| {
            Trouble::Refused("the hot cache has no room for this track: give --hot-cache more".to_owned())
        })
    }

    /// Writes a block down, where there is room for it.
    async fn keep(self: &Arc<Self>, entry: &Arc<Entry>, number: u64, bytes: Bytes) {
        let (hot, entry) = (Arc::clone(self), Arc::clone(entry));
        let kept = tokio::task::spawn_blocking(move || {
            let length = bytes.len() as u64;
            {
                let mut state = lock(&hot.state);
                if !make_room(&mut state, hot.limit, length, Some(&entry)) {
                    return Ok(());
                }
                state.used += length;
                lock(&entry.inner).bytes += length;
            }
            let written = entry.write(number, &bytes);
            if written.is_err() {
                let mut state = lock(&hot.state);
                state.used = state.used.saturating_sub(length);
                let mut inner = lock(&entry.inner);
                inner.bytes = inner.bytes.saturating_sub(length);
            }
            written
        });
        if let Ok(Err(error)) = kept.await {
            tracing::warn!(%error, folder = %self.folder.display(), "the hot cache cannot be written");
        }
    }

    /// Takes note that an entry's file is not what it was.
    fn forget(&self, entry: &Arc<Entry>) {
        let mut state = lock(&self.state);
        let mut inner = lock(&entry.inner);
        state.used = state.used.saturating_sub(inner.bytes);
        let last_use = inner.last_use;
        *inner = Inner { map: Map::of(entry.size), whole: false, bytes: 0, last_use };
        let _ = std::fs::remove_file(&entry.path);
        let _ = std::fs::remove_file(entry.part());
    }
}

/// Lets go what nobody holds, the longest unused first, until so many bytes more have room; says whether they have. `state.used` is what
/// is there without them.
fn make_room(state: &mut State, limit: u64, more: u64, but: Option<&Arc<Entry>>) -> bool {
    while state.used + more > limit {
        let free = |entry: &Arc<Entry>| {
            Arc::strong_count(entry) == 1 && but.is_none_or(|but| !Arc::ptr_eq(but, entry))
        };
        let oldest = state
            .entries
            .iter()
            .filter(|(_, entry)| free(entry))
            .min_by_key(|(_, entry)| lock(&entry.inner).last_use)
            .map(|(name, _)| name.clone());
        let Some(entry) = oldest.and_then(|name| state.entries.remove(&name)) else { return false };
        let _ = std::fs::remove_file(&entry.path);
        let _ = std::fs::remove_file(entry.part());
        state.used = state.used.saturating_sub(lock(&entry.inner).bytes);
    }
    true
}

/// Whether a file is called as entries are.
fn is_name(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Entry {
    fn new(path: PathBuf, size: u64, inner: Inner) -> Self {
        Self { path, size, inner: Mutex::new(inner), flights: Mutex::default() }
    }

    fn part(&self) -> PathBuf {
        self.path.with_extension(PART)
    }

    /// Where it is, if all of it is there.
    pub(crate) fn whole(&self) -> Option<PathBuf> {
        lock(&self.inner).whole.then(|| self.path.clone())
    }

    /// Whether a block is there.
    pub(crate) fn has(&self, number: u64) -> bool {
        let inner = lock(&self.inner);
        inner.whole || inner.map.has(number)
    }

    fn flight(&self, number: u64) -> Arc<tokio::sync::Mutex<()>> {
        let mut flights = lock(&self.flights);
        flights.retain(|_, flight| flight.strong_count() > 0);
        if let Some(flight) = flights.get(&number).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::default();
        flights.insert(number, Arc::downgrade(&flight));
        flight
    }

    fn read(&self, range: &Range<u64>) -> io::Result<Bytes> {
        // It may become whole, and be renamed, between these two.
        let mut file = File::open(self.part()).or_else(|_| File::open(&self.path))?;
        file.seek(SeekFrom::Start(range.start))?;
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(io::Error::other)?];
        file.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }

    fn write(&self, number: u64, bytes: &[u8]) -> io::Result<()> {
        let part = self.part();
        let mut file = File::options().create(true).truncate(false).write(true).open(&part)?;
        file.seek(SeekFrom::Start(number * BLOCK))?;
        file.write_all(bytes)?;
        let complete = {
            let mut inner = lock(&self.inner);
            inner.map.add(number);
            inner.map.whole()
        };
        if complete {
            // What is found whole after a crash must be whole.
            file.sync_all()?;
            std::fs::rename(&part, &self.path)?;
            lock(&self.inner).whole = true;
        }
        Ok(())
    }
}

/// The name of an object's entry.
pub(crate) fn name_of(path: &Path, tag: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    hash.update(path.as_os_str().as_encoded_bytes());
    hash.update([0]);
    hash.update(tag);
    crate::subsonic::auth::hex(&hash.finalize()).chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;

    fn name(n: usize) -> String {
        name_of(Path::new("az://a/b"), &n.to_string())
    }

    fn content(n: usize, size: u64) -> Bytes {
        (0..size).map(|at| (at.wrapping_mul(31 + n as u64) >> 3) as u8).collect::<Vec<u8>>().into()
    }

    fn on_disk(folder: &Path) -> u64 {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    }

    async fn read(hot: &Arc<Hot>, n: usize, size: u64, fetched: &AtomicUsize) -> Bytes {
        let entry = hot.entry(&name(n), size).unwrap();
        let mut all = Vec::new();
        for number in 0..size.div_ceil(BLOCK) {
            let block = span(number, BLOCK, size);
            let got = hot.piece(&entry, block, |range| async move {
                fetched.fetch_add(1, Ordering::Relaxed);
                Ok(content(n, size).slice(range.start as usize..range.end as usize))
            });
            all.extend_from_slice(&got.await.unwrap());
        }
        all.into()
    }

    #[tokio::test]
    async fn what_is_whole_survives_and_what_is_not_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (size, fetched) = (BLOCK * 2 + 10, AtomicUsize::new(0));
        let hot = Arc::new(Hot::open(folder.path().to_owned(), 10 * BLOCK).unwrap());
        assert_eq!(read(&hot, 1, size, &fetched).await, content(1, size));
        assert_eq!(read(&hot, 1, size, &fetched).await, content(1, size));
        assert_eq!(fetched.load(Ordering::Relaxed), 3, "each block once");
        let half = hot.entry(&name(2), size).unwrap();
        let some = hot.piece(&half, 3..7, |range| async move {
            Ok(content(2, BLOCK * 2 + 10).slice(range.start as usize..range.end as usize))
        });
        assert_eq!(some.await.unwrap(), content(2, size).slice(3..7));
        assert_eq!(hot.used(), size + BLOCK);
        assert!(half.whole().is_none());
        drop((half, hot));

        let hot = Arc::new(Hot::open(folder.path().to_owned(), 10 * BLOCK).unwrap());
        assert_eq!((hot.used(), on_disk(folder.path())), (size, size));
        assert_eq!(read(&hot, 1, size, &fetched).await, content(1, size));
        assert_eq!(fetched.load(Ordering::Relaxed), 3);
        // Somebody empties the folder while it runs.
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        assert_eq!(read(&hot, 1, size, &fetched).await, content(1, size));
        assert_eq!(hot.used(), on_disk(folder.path()));
    }

    #[tokio::test]
    async fn many_who_want_the_same_fetch_it_once() {
        let folder = tempfile::tempdir().unwrap();
        let hot = Arc::new(Hot::open(folder.path().to_owned(), 10 * BLOCK).unwrap());
        let fetched = AtomicUsize::new(0);
        let all = (0..20).map(|_| read(&hot, 1, 3 * BLOCK, &fetched));
        for bytes in futures_util::future::join_all(all).await {
            assert_eq!(bytes, content(1, 3 * BLOCK));
        }
        assert_eq!(fetched.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn what_is_read_stays_and_the_rest_goes_by_age() {
        let folder = tempfile::tempdir().unwrap();
        let hot = Arc::new(Hot::open(folder.path().to_owned(), 4 * BLOCK).unwrap());
        let fetched = AtomicUsize::new(0);
        assert!(hot.entry(&name(9), 5 * BLOCK).is_none(), "too large to be kept");
        read(&hot, 1, 2 * BLOCK, &fetched).await;
        read(&hot, 2, 2 * BLOCK, &fetched).await;
        let held = hot.entry(&name(1), 2 * BLOCK).unwrap();
        read(&hot, 3, 2 * BLOCK, &fetched).await;
        assert!(held.whole().is_some_and(|path| path.exists()), "it is held");
        assert_eq!((hot.used(), on_disk(folder.path())), (4 * BLOCK, 4 * BLOCK));
        let also = hot.entry(&name(3), 2 * BLOCK).unwrap();
        assert!(also.whole().is_some());
        // Everything is held: what comes now passes through.
        assert_eq!(read(&hot, 4, 2 * BLOCK, &fetched).await, content(4, 2 * BLOCK));
        assert_eq!((hot.used(), on_disk(folder.path())), (4 * BLOCK, 4 * BLOCK));
        let entry = hot.entry(&name(5), BLOCK).unwrap();
        let all = hot.whole(&entry, |_| async { Ok(content(5, BLOCK)) }).await;
        assert!(matches!(all, Err(Trouble::Refused(why)) if why.contains("--hot-cache")));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn never_more_than_its_limit(uses in proptest::collection::vec((0_usize..6, 1_u64..3 * BLOCK), 1..14), limit in 1_u64..6 * BLOCK) {
            let folder = tempfile::tempdir().unwrap();
            let hot = Arc::new(Hot::open(folder.path().to_owned(), limit).unwrap());
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let fetched = AtomicUsize::new(0);
                for (n, size) in uses {
                    // The same name is the same content.
                    let (n, size) = (n * 1000 + size as usize % 7, (size % 7 + 1) * BLOCK / 3);
                    if size <= limit {
                        assert_eq!(read(&hot, n, size, &fetched).await, content(n, size));
                    }
                    assert!(hot.used() <= limit);
                    assert_eq!(hot.used(), on_disk(folder.path()));
                }
            });
        }
    }
}
