//! Plays on their way into the catalog.
//!
//! ```text
//! scrobble, reportPlayback ─▶ room (so many plays, else 503) ─▶ one writer: what came within a moment ─▶ one transaction
//!                          ◀── ok, once that is committed ──────────────────────────────────────────────┘
//! ```
//!
//! Who is told "ok" has what they told of on disk. Who is not, whether by a 503 or by a connection that broke, may send it again as
//! often as they like: a play counts once (`catalog::batches`). What waits is bounded by its number of plays, not by luck.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

use super::answer::Refusal;
use super::metrics::Metrics;
use crate::catalog::{Catalog, CatalogError, NewPlay};

/// When to come again, for whom there was no room.
const AGAIN: Duration = Duration::from_secs(2);
/// The first pause before what the database did not take is tried again; doubled each time.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How plays are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gather {
    /// Plays that may wait at once; for more there is no room.
    pub room: usize,
    /// Plays of one transaction at most.
    pub batch: usize,
    /// How long the first of them waits for others.
    pub wait: Duration,
    /// How long a database that does not answer is tried, before those who wait are asked to come again.
    pub patience: Duration,
}

impl Default for Gather {
    /// 10,000 plays, 500 of them in one transaction, 50 ms, 5 s.
    fn default() -> Self {
        Self { room: 10_000, batch: 500, wait: Duration::from_millis(50), patience: Duration::from_secs(5) }
    }
}

/// Takes plays.
pub(crate) struct Intake {
    room: Arc<Semaphore>,
    parcels: mpsc::UnboundedSender<Parcel>,
    batch: usize,
    metrics: Arc<Metrics>,
}

/// Why plays were not kept.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
struct Lost {
    why: String,
    /// Whether they may be taken in a moment.
    passing: bool,
}

impl From<CatalogError> for Lost {
    fn from(error: CatalogError) -> Self {
        Self { why: error.to_string(), passing: error.is_passing() }
    }
}

/// What one request tells of, or a part of it.
struct Parcel {
    plays: Vec<NewPlay>,
    /// Hears how many of them were news.
    done: oneshot::Sender<Result<usize, Lost>>,
    /// Its place, until it is answered.
    _room: OwnedSemaphorePermit,
}

impl Intake {
    /// Begins to write into a catalog, until the last handle is gone. Within a runtime.
    pub(crate) fn into_catalog(catalog: Catalog, gather: Gather, metrics: Arc<Metrics>) -> Self {
        let (parcels, waiting) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(gather.room));
        tokio::spawn(write_all(catalog, waiting, gather, Arc::clone(&metrics)));
        // A parcel for which there can never be room would be refused for ever.
        Self { room, parcels, batch: gather.batch.clamp(1, gather.room.max(1)), metrics }
    }

    /// Keeps plays; done when they are on disk. Refused where too many wait already, or the catalog does not take them: then some of
    /// them may be kept, and all may be sent again.
    pub(crate) async fn keep(&self, mut plays: Vec<NewPlay>) -> Result<(), Refusal> {
        while !plays.is_empty() {
            let rest = plays.split_off(plays.len().min(self.batch));
            self.hand_in(plays).await?;
            plays = rest;
        }
        Ok(())
    }

    async fn hand_in(&self, plays: Vec<NewPlay>) -> Result<(), Refusal> {
        let many = plays.len();
        let full = || {
            self.metrics.plays_refused.inc_by(many as u64);
            Refusal::not_now(
                "more plays arrive than this server can write down; send them again in a moment",
                AGAIN,
            )
        };
        let places = u32::try_from(many).map_err(|_| full())?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(places).map_err(|_| full())?;
        let (done, answer) = oneshot::channel();
        let away = || {
            let text = "this server cannot write plays down at the moment; send them again";
            Err(Refusal::not_now(text, AGAIN))
        };
        if self.parcels.send(Parcel { plays, done, _room: room }).is_err() {
            return away();
        }
        match answer.await {
            Ok(Ok(news)) => {
                self.metrics.plays_kept.inc_by(news as u64);
                self.metrics.plays_known.inc_by((many - news) as u64);
                Ok(())
            }
            Ok(Err(lost)) => {
                self.metrics.plays_refused.inc_by(many as u64);
                if !lost.passing {
                    return Err(Refusal::internal(&lost));
                }
                tracing::warn!(error = %lost, plays = many, "plays were not written down");
                away()
            }
            Err(_) => away(),
        }
    }
}

async fn write_all(
    catalog: Catalog,
    mut waiting: mpsc::UnboundedReceiver<Parcel>,
    gather: Gather,
    metrics: Arc<Metrics>,
) {
    let mut left = None;
    loop {
        let first = match left.take() {
            Some(parcel) => parcel,
            None => match waiting.recv().await {
                Some(parcel) => parcel,
                None => return,
            },
        };
        let end = Instant::now() + gather.wait;
        let mut many = first.plays.len();
        let mut parcels = vec![first];
        while many < gather.batch {
            match timeout_at(end, waiting.recv()).await {
                Ok(Some(parcel)) if many + parcel.plays.len() <= gather.batch => {
                    many += parcel.plays.len();
                    parcels.push(parcel);
                }
                Ok(parcel) => {
                    left = parcel;
                    break;
                }
                Err(_) => break,
            }
        }
        metrics.play_batches.inc();
        write(&catalog, parcels, gather.patience).await;
    }
}

/// Writes parcels in one transaction. What the catalog will never take is told to whoever sent it, and to nobody else.
async fn write(catalog: &Catalog, parcels: Vec<Parcel>, patience: Duration) {
    let all: Vec<NewPlay> = parcels.iter().flat_map(|parcel| parcel.plays.iter().cloned()).collect();
    match patiently(catalog, &all, patience).await {
        Ok(news) => {
            let mut news = news.into_iter();
            for Parcel { plays, done, .. } in parcels {
                let kept = news.by_ref().take(plays.len()).filter(|kept| *kept).count();
                // Who went away has nothing to hear.
                let _ = done.send(Ok(kept));
            }
        }
        Err(lost) if parcels.len() == 1 || lost.passing => {
            for Parcel { done, .. } in parcels {
                let _ = done.send(Err(lost.clone()));
            }
        }
        Err(_) => {
            for Parcel { plays, done, .. } in parcels {
                let kept = patiently(catalog, &plays, patience).await;
                let _ = done.send(kept.map(|news| news.into_iter().filter(|kept| *kept).count()));
            }
        }
    }
}

/// Tries again while the database is away, for so long.
async fn patiently(catalog: &Catalog, plays: &[NewPlay], patience: Duration) -> Result<Vec<bool>, Lost> {
    let end = Instant::now() + patience;
    let mut pause = PAUSE;
    loop {
        match catalog.record_plays(plays).await {
            Err(error) if error.is_passing() && Instant::now() + pause < end => {
                tracing::debug!(%error, plays = plays.len(), "the catalog does not take plays; they wait");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            done => return done.map_err(Lost::from),
        }
    }
}
