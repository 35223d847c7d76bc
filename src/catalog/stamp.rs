//! How to see without a query that nothing has changed.
//!
//! `SQLite` keeps the header of its write-ahead log in shared memory, a file beside the database. Every commit of every
//! process changes it; it is written twice, so that a reader knows when it caught a writer in the middle
//! (<https://www.sqlite.org/walformat.html>, section 2.1). Reading it costs a microsecond, a query fifty.
//!
//! PostgreSQL has no such thing, but it can say which transactions a reader sees (`pg_current_snapshot`): who sees the same ones sees the
//! same rows. That is a question, so it is asked once for each request, before everything else, and those who come while one is on
//! its way share the next ([`Looks`]). A request that writes sees nothing as known from then on.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::future::Future;
use std::hash::Hash;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::Catalog;
use super::sql;

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

tokio::task_local! {
    /// What the request that is worked on saw when it began.
    static SEEN: Cell<Option<Stamp>>;
}

/// What was seen by the request that is worked on.
pub(super) fn seen() -> Option<Stamp> {
    SEEN.try_with(Cell::get).ok().flatten()
}

/// The request that is worked on writes: what it saw is no more.
pub(super) fn wrote() {
    let _ = SEEN.try_with(|seen| seen.set(None));
}

/// Something was read for the request that is worked on which need not be of this moment: what comes of it is not kept.
#[cfg(feature = "cloud")]
pub(super) fn read_what_may_be_old() {
    wrote();
}

/// Whether what is put together for the request that is worked on is not to be kept.
pub(super) fn is_void() -> bool {
    SEEN.try_with(|seen| seen.get().is_none()).unwrap_or(false)
}

/// The longest that a look is waited for; without one there are only fewer shortcuts.
const PATIENCE: Duration = Duration::from_millis(500);

/// Looks at a database server, one at a time.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// How many have begun.
    begun: AtomicU64,
    turn: tokio::sync::Mutex<()>,
    /// The last one, and what it saw.
    last: Mutex<(u64, Option<Stamp>)>,
}

impl Looks {
    /// What a look sees that began after this was called.
    async fn look(&self, look: impl Future<Output = Option<Stamp>>) -> Option<Stamp> {
        let wanted = self.begun.load(Ordering::Acquire) + 1;
        let _turn = self.turn.lock().await;
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 >= wanted {
            return last.1;
        }
        let number = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let seen = tokio::time::timeout(PATIENCE, look).await.ok().flatten();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = (number, seen);
        seen
    }
}

impl Catalog {
    /// Looks at the whole catalog for a request, so that what is known already need not be asked for; `None` where that is not done, or where
    /// the database does not answer soon.
    pub async fn glance(&self) -> Option<Stamp> {
        if !self.is_shared() {
            return None;
        }
        // Where it is read from, and as text: how long it is depends on how many write.
        let ask = sql::query_scalar::<String>("SELECT CAST(pg_current_snapshot() AS TEXT)");
        let look = async { Some(Stamp::of_text(&ask.fetch_one(self.reader()).await.ok()?)) };
        self.looks.look(look).await
    }

    /// Works on a request that has seen this.
    pub async fn having_seen<T>(&self, seen: Option<Stamp>, work: impl Future<Output = T>) -> T {
        SEEN.scope(Cell::new(seen), work).await
    }
}

impl Stamp {
    fn of_text(text: &str) -> Self {
        let mut stamp = [0; HEADER];
        for (to, from) in stamp.iter_mut().zip(Sha256::digest(text)) {
            *to = from;
        }
        Self(stamp)
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
        let Some(before) = before.filter(|_| !is_void()) else { return };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != Some(before) || kept.1.len() >= MOST {
            *kept = (Some(before), HashMap::new());
        }
        kept.1.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_serves_those_who_came_before_it_began() {
        let (looks, asked) = (Arc::new(Looks::default()), Arc::new(AtomicU64::new(0)));
        let look = |asked: &Arc<AtomicU64>| {
            let asked = Arc::clone(asked);
            async move {
                let number = asked.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some(Stamp::of_text(&number.to_string()))
            }
        };
        let first = tokio::spawn({
            let (looks, look) = (Arc::clone(&looks), look(&asked));
            async move { looks.look(look).await }
        });
        tokio::time::sleep(Duration::from_millis(10)).await;
        let later: Vec<_> = (0..20)
            .map(|_| {
                let (looks, look) = (Arc::clone(&looks), look(&asked));
                tokio::spawn(async move { looks.look(look).await })
            })
            .collect();
        assert_eq!(first.await.unwrap(), Some(Stamp::of_text("0")));
        for later in later {
            assert_eq!(later.await.unwrap(), Some(Stamp::of_text("1")), "not what was seen before it came");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn who_writes_knows_nothing_any_more() {
        let stamp = Stamp::of_text("7:7:");
        assert_eq!(seen(), None, "outside of requests");
        SEEN.scope(Cell::new(Some(stamp)), async {
            assert_eq!(seen(), Some(stamp));
            wrote();
            assert_eq!(seen(), None);
        })
        .await;
    }
}
