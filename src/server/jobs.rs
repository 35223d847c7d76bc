//! What a server does by itself, and only one of several processes beside one database at a time.
//!
//! A job's turn is a lease in the database ([`catalog::Lease`](crate::catalog::Lease)), renewed while the job runs. Where the catalog is a file
//! it is a lock beside that, which costs nothing to hold and ends with the process. Who loses a turn, because the database was away for
//! too long, stops at once; what it still tries to write is refused there.
//!
//! ```text
//! take ─▶ Theirs: wait, or let it be        ┌─ renewed every third of its time
//!      ─▶ Served: somebody did it meanwhile │
//!      ─▶ Ours: Turn ── run(work) ──────────┴─▶ end
//!                           └ lost: the work is dropped where it stands
//! ```

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::load::{Load, Meter};
use crate::catalog::{Alone, Catalog, CatalogError, Lease, LeaseStanding, Taken};

/// Reads the library's folders and stores.
pub(crate) const SCAN: &str = "scan";
/// Hears tracks.
pub(crate) const HEAR: &str = "hear";
/// Learns from everybody, and makes mixes.
pub(crate) const TASTE: &str = "taste";
/// Ends what is old or to be erased.
pub(crate) const TIDY: &str = "tidy";
/// Folds old tickets of ads.
pub(crate) const ADS: &str = "ads";

/// Does jobs in turns; every clone is the same process.
#[derive(Clone)]
pub(crate) struct Jobs(Arc<Inner>);

struct Inner {
    catalog: Catalog,
    /// This process, among all that ever were.
    holder: String,
    /// How long a turn lasts that is not renewed.
    time: Duration,
    load: Arc<Load>,
    /// Leases that are held, to be given back at the end.
    held: Mutex<Vec<Lease>>,
    /// Orphans that this process has told of.
    orphans: Mutex<HashSet<&'static str>>,
}

/// What came of asking for a turn.
pub(crate) enum Asked {
    Ours(Turn),
    Theirs,
    Served,
}

/// The right to do a job, until it is ended, dropped or lost.
pub(crate) struct Turn {
    jobs: Jobs,
    /// Writes that are refused once the turn is lost.
    catalog: Catalog,
    right: Right,
    lost: CancellationToken,
}

enum Right {
    File(#[expect(dead_code, reason = "holds the lock")] Alone),
    Lease(Lease),
    Ended,
}

impl Jobs {
    pub(crate) fn new(catalog: Catalog, time: Duration, load: Arc<Load>) -> Self {
        let holder = Uuid::now_v7().simple().to_string();
        let (held, orphans) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { catalog, holder, time, load, held, orphans }))
    }

    /// Of a command that does one job beside servers that may run.
    pub(crate) fn of_a_command(catalog: &Catalog) -> Self {
        Self::new(catalog.clone(), super::Pace::default().lease, Load::new(Meter::measured()))
    }

    /// Whether there may be other processes.
    pub(crate) fn has_company(&self) -> bool {
        self.0.catalog.is_shared()
    }

    /// How often it is looked whether somebody else is done.
    pub(crate) fn look(&self) -> Duration {
        (self.0.time / 10).clamp(Duration::from_millis(50), Duration::from_secs(2))
    }

    /// How many turns this process has.
    pub(crate) fn held(&self) -> usize {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The time by which turns are counted, Unix time in ms: that of the database where others count as well.
    pub(crate) async fn clock(&self) -> Result<i64, CatalogError> {
        if self.has_company() { self.0.catalog.clock().await } else { Ok(0) }
    }

    /// How much there is to do.
    pub(crate) fn load(&self) -> &Load {
        &self.0.load
    }

    /// Waits while the server has too much to do for jobs.
    pub(crate) async fn calm(&self) {
        self.0.load.wait_for_jobs().await;
    }

    /// Asks for the turn at a job that nobody did who began at `since` (by [`clock`](Self::clock)) or later.
    pub(crate) async fn take(&self, job: &'static str, since: i64) -> Result<Asked, CatalogError> {
        let Inner { catalog, holder, time, held, .. } = &*self.0;
        if !self.has_company() {
            let right = match catalog.alone(job).await {
                Ok(None) => return Ok(Asked::Theirs),
                Ok(Some(alone)) => Right::File(alone),
                // Where the disk knows no locks there is one process, as far as anybody can tell.
                Err(error) => {
                    tracing::debug!(%error, job, "no lock");
                    Right::Ended
                }
            };
            let (catalog, lost) = (catalog.clone(), CancellationToken::new());
            return Ok(Asked::Ours(Turn { jobs: self.clone(), catalog, right, lost }));
        }
        let asked = Instant::now();
        let lease = match catalog.take_lease(job, holder, *time, since).await? {
            Taken::Theirs => return Ok(Asked::Theirs),
            Taken::Served => return Ok(Asked::Served),
            Taken::Ours(lease) => lease,
        };
        tracing::debug!(job, epoch = lease.epoch(), "this process does it from now on");
        held.lock().unwrap_or_else(PoisonError::into_inner).push(lease.clone());
        let lost = CancellationToken::new();
        tokio::spawn(keep(self.clone(), lease.clone(), asked, lost.clone()));
        let catalog = catalog.fenced(&lease);
        Ok(Asked::Ours(Turn { jobs: self.clone(), catalog, right: Right::Lease(lease), lost }))
    }

    /// Waits for the turn at a job, as long as it takes; `None` when somebody did it who began at `since` or later.
    pub(crate) async fn wait(&self, job: &'static str, since: i64) -> Option<Turn> {
        loop {
            match self.take(job, since).await {
                Ok(Asked::Ours(turn)) => return Some(turn),
                Ok(Asked::Served) => return None,
                Ok(Asked::Theirs) => {}
                Err(error) => tracing::debug!(%error, job, "the database says nothing of its turns"),
            }
            tokio::time::sleep(self.look()).await;
        }
    }

    /// Waits until somebody who had a turn at a job died with it; for ever where nobody else can have one.
    pub(crate) async fn orphan(&self, job: &'static str) {
        if !self.has_company() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(self.0.time / 3).await;
            let known = || self.0.orphans.lock().unwrap_or_else(PoisonError::into_inner);
            match self.0.catalog.lease_standing(job).await {
                Ok(LeaseStanding::Orphaned) => {
                    if known().insert(job) {
                        return;
                    }
                }
                Ok(_) => {
                    known().remove(job);
                }
                Err(_) => {}
            }
        }
    }

    /// Does a job again and again, `every` so often among all processes, until it is dropped. What is due when the last one died is done
    /// within five minutes.
    pub(crate) async fn every<F>(&self, job: &'static str, every: Duration, work: impl Fn(Catalog) -> F)
    where
        F: Future<Output = ()>,
    {
        const LOOK: Duration = Duration::from_mins(5);
        loop {
            self.calm().await;
            let since = self.clock().await.map(|now| now - ms(every) + 1);
            let taken = match since {
                Ok(since) => self.take(job, since).await,
                Err(error) => Err(error),
            };
            match taken {
                Ok(Asked::Ours(turn)) => {
                    let done = turn.run(work(turn.catalog().clone())).await;
                    turn.end(done.is_some()).await;
                }
                Ok(Asked::Theirs | Asked::Served) => {}
                Err(error) => tracing::debug!(%error, job, "the database says nothing of its turns"),
            }
            tokio::time::sleep(if self.has_company() { every.min(LOOK) } else { every }).await;
        }
    }

    /// Gives back every turn, so that others need not wait: this process ends.
    pub(crate) async fn end(&self) {
        let held = std::mem::take(&mut *self.0.held.lock().unwrap_or_else(PoisonError::into_inner));
        for lease in held {
            self.give_back(&lease, false).await;
        }
    }

    async fn give_back(&self, lease: &Lease, served: bool) {
        let ended =
            tokio::time::timeout(Duration::from_secs(2), self.0.catalog.end_lease(lease, served)).await;
        if !matches!(ended, Ok(Ok(_))) {
            tracing::debug!(job = lease.name(), "the turn is not given back, but will run out");
        }
    }
}

fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}

/// Renews a turn until it is over or lost.
async fn keep(jobs: Jobs, lease: Lease, asked: Instant, lost: CancellationToken) {
    let Inner { catalog, time, held, .. } = &*jobs.0;
    // A tenth less than the database thinks: nobody else begins before this one knows that it must stop.
    let sure = *time - *time / 10;
    let (mut until, mut pause) = (asked + sure, *time / 3);
    while lost.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        if !held.lock().unwrap_or_else(PoisonError::into_inner).contains(&lease) {
            break;
        }
        let asked = Instant::now();
        let left = until.saturating_duration_since(asked);
        match tokio::time::timeout(left.min(*time / 3), catalog.renew_lease(&lease, *time)).await {
            Ok(Ok(true)) => (until, pause) = (asked + sure, *time / 3),
            Ok(Ok(false)) => {
                tracing::warn!(job = lease.name(), "another process does this by now; it stops here");
                break;
            }
            Ok(Err(_)) | Err(_) if Instant::now() >= until => {
                tracing::warn!(job = lease.name(), "the database was away for too long; it stops here");
                break;
            }
            Ok(Err(_)) | Err(_) => pause = *time / 20,
        }
    }
    lost.cancel();
}

impl Turn {
    /// The catalog as this turn may write to it.
    pub(crate) const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Cancelled when the turn is lost or ended.
    pub(crate) fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Does the job; `None` when the turn was lost on the way.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.lost.run_until_cancelled(work).await
    }

    /// Lets others have it; `served` when the job came to a good end.
    pub(crate) async fn end(mut self, served: bool) {
        self.lost.cancel();
        if let Some(lease) = self.take_lease() {
            self.jobs.give_back(&lease, served).await;
        }
    }

    fn take_lease(&mut self) -> Option<Lease> {
        let Right::Lease(lease) = std::mem::replace(&mut self.right, Right::Ended) else { return None };
        let mut held = self.jobs.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let at = held.iter().position(|known| *known == lease)?;
        Some(held.swap_remove(at))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.lost.cancel();
        if let Some(lease) = self.take_lease()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let jobs = self.jobs.clone();
            runtime.spawn(async move { jobs.give_back(&lease, false).await });
        }
    }
}
