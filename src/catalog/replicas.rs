//! Copies of a database server that answer reads which may be a moment old, so that the server itself has its time for writes.
//!
//! A watcher asks the server how far its log is, and then each replica whether it has replayed that much. Where it has, it shows
//! everything that was committed before the first question. So it is known of each replica up to when it has everything, and
//! one rule covers both demands: nothing older than `max_lag` is shown to anybody, and nobody is shown less than they wrote
//! themselves. A replica that does not answer, or falls behind, is left alone until the watcher finds it well again.
//!
//! ```text
//!  read ── may be old? ── no ──────────────────────────────────────────────▶ the server
//!                └─ yes ── a replica that has what this account wrote ── no ──▶ the server
//!                                              └─ yes ──▶ the replica ── fails ──▶ the server
//! ```

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::sql::{self, Replica};

/// How often replicas are looked at.
const PACE: Duration = Duration::from_millis(250);
/// A record of the log is longer than this: what is behind by less has only not begun a new page of it.
const PAGE_HEAD: i64 = 40;

/// All replicas of a catalog; there may be none.
#[derive(Debug, Default)]
pub(super) struct Replicas {
    all: Vec<Watched>,
    next: AtomicUsize,
    /// When accounts wrote last, by this process.
    wrote: Mutex<HashMap<String, Instant>>,
    /// The longest `max_lag` of all.
    longest: Duration,
}

/// A replica and what is known of it.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) replica: Arc<Replica>,
    /// How far behind it may be.
    pub(super) max_lag: Duration,
    /// How it is called in the log.
    pub(super) name: String,
}

impl Replicas {
    /// Looks after these from now on, until nobody has them any more.
    pub(super) fn watch(all: Vec<Watched>, primary: sql::Pool) -> Arc<Self> {
        let longest = all.iter().map(|watched| watched.max_lag).max().unwrap_or_default();
        let replicas = Arc::new(Self { all, longest, ..Self::default() });
        if !replicas.all.is_empty() {
            tokio::spawn(look_after(Arc::downgrade(&replicas), primary));
        }
        replicas
    }

    /// One that shows everything that this account wrote, in turns; none where the server is to be asked.
    pub(super) fn for_reading(&self, account: Option<&str>) -> Option<sql::Pool> {
        if self.all.is_empty() {
            return None;
        }
        let now = Instant::now();
        let wrote = account.and_then(|account| self.wrote().get(account).copied());
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let turns = (0..self.all.len()).map(|n| &self.all[(first + n) % self.all.len()]);
        let mut well = turns.filter(|watched| {
            let Some(has) = watched.replica.has() else { return false };
            now.duration_since(has) <= watched.max_lag && wrote.is_none_or(|wrote| wrote < has)
        });
        well.next().map(|watched| sql::Pool::Replica(Arc::clone(&watched.replica)))
    }

    /// Writes down that an account wrote, after it was committed.
    pub(super) fn has_written(&self, account: &str) {
        if self.all.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut wrote = self.wrote();
        wrote.insert(account.to_owned(), now);
        if wrote.len().is_power_of_two() {
            // A replica that may be asked has everything that is older.
            wrote.retain(|_, at| now.duration_since(*at) <= self.longest);
        }
    }

    /// Ends all connections.
    pub(super) async fn close(&self) {
        for watched in &self.all {
            watched.replica.close().await;
        }
    }

    fn wrote(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        self.wrote.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at all of them, over and over.
async fn look_after(replicas: Weak<Replicas>, primary: sql::Pool) {
    let mut told = HashMap::new();
    loop {
        let Some(replicas) = replicas.upgrade() else { return };
        // What is committed by now, the replica has where it is as far as the log is by then.
        let began = Instant::now();
        match log_of(&primary).await {
            Ok(place) => {
                let looks = replicas.all.iter().map(|watched| look_at(watched, &place, began));
                for (watched, state) in replicas.all.iter().zip(join_all(looks).await) {
                    let now_well = state.is_ok();
                    if told.insert(watched.name.clone(), now_well) == Some(now_well) {
                        continue;
                    }
                    match state {
                        Ok(()) => tracing::info!(replica = watched.name, "the replica is used for reading"),
                        Err(why) => {
                            tracing::warn!(replica = watched.name, why, "the replica is left alone");
                        }
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "the database does not say how far it is"),
        }
        drop(replicas);
        tokio::time::sleep(PACE).await;
    }
}

/// How far the server's log is.
async fn log_of(primary: &sql::Pool) -> Result<String, sql::Error> {
    sql::query_scalar("SELECT CAST(pg_current_wal_insert_lsn() AS TEXT)").fetch_one(primary).await
}

/// Sees how far one is; in a sentence why it is not to be asked.
async fn look_at(watched: &Watched, place: &str, began: Instant) -> Result<(), String> {
    let sql = "SELECT pg_is_in_recovery(), \
               CAST(pg_wal_lsn_diff(CAST(CAST($1 AS TEXT) AS pg_lsn), pg_last_wal_replay_lsn()) AS BIGINT)";
    let own = watched.replica.itself();
    let asked = sql::query_as::<(bool, Option<i64>)>(sql).bind(place).fetch_one(&own);
    let answer = match tokio::time::timeout(watched.max_lag, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            watched.replica.leave();
            return Err(format!("it does not answer: {error}"));
        }
        Err(_) => {
            watched.replica.leave();
            return Err("it does not answer in time".to_owned());
        }
    };
    match answer {
        (false, _) => {
            watched.replica.leave();
            Err("it is a database of its own and no replica of this one".to_owned())
        }
        (true, Some(behind)) if behind < PAGE_HEAD => {
            watched.replica.has_all_of(began);
            Ok(())
        }
        // It goes on showing what it has as long as that is not too old.
        (true, _) => match watched.replica.has() {
            Some(has) if has.elapsed() <= watched.max_lag => Ok(()),
            _ => Err(format!("it is more than {} s behind", watched.max_lag.as_secs_f32())),
        },
    }
}

/// The moment from which moments of replicas are counted, in ms.
#[derive(Debug)]
pub(super) struct Moments {
    began: Instant,
    /// 0 where there is none.
    ms: AtomicU64,
}

impl Moments {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), ms: AtomicU64::new(0) }
    }

    /// The moment that is kept.
    pub(super) fn get(&self) -> Option<Instant> {
        match self.ms.load(Ordering::Acquire) {
            0 => None,
            ms => Some(self.began + Duration::from_millis(ms - 1)),
        }
    }

    /// Keeps a moment; it is cut to the ms before it.
    pub(super) fn set(&self, at: Option<Instant>) {
        let since =
            |at: Instant| u64::try_from(at.duration_since(self.began).as_millis()).unwrap_or(u64::MAX - 1);
        self.ms.store(at.map_or(0, |at| since(at) + 1), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_kept_or_none() {
        let moments = Moments::new();
        assert_eq!(moments.get(), None);
        let at = Instant::now() + Duration::from_micros(12_345_678);
        moments.set(Some(at));
        let kept = moments.get().unwrap_or(at + Duration::from_secs(1));
        assert!(kept <= at && at - kept < Duration::from_millis(1));
        moments.set(None);
        assert_eq!(moments.get(), None);
    }
}
