//! What the server did, kept by day: bytes that left, answers and conversions that had been kept, searches in vain.
//!
//! It is counted in memory and written down every minute and at the end, so that neither a stream nor a search waits for
//! it. A kill loses a minute at most.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::catalog::{Catalog, CatalogError, Miss, Served};
use crate::music::AccountId;
use crate::music::calendar::DAY_MS;

/// How often it is written down.
const EVERY: Duration = Duration::from_mins(1);
/// The most searches in vain that are remembered until then.
const MISSES: usize = 2_000;

/// What was counted since it was written down.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    answers: AtomicU64,
    answers_kept: AtomicU64,
    transcodes: AtomicU64,
    transcodes_kept: AtomicU64,
    /// Bytes that were written down already, of those that the metrics count.
    written: AtomicU64,
    misses: Mutex<Vec<Miss>>,
}

impl Tally {
    /// An answer that can be kept was asked for, and had been or not.
    pub(crate) fn answered(&self, kept: bool) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.answers_kept.fetch_add(u64::from(kept), Ordering::Relaxed);
    }

    /// Another form of a song was asked for, and was there or not.
    pub(crate) fn converted(&self, kept: bool) {
        self.transcodes.fetch_add(1, Ordering::Relaxed);
        self.transcodes_kept.fetch_add(u64::from(kept), Ordering::Relaxed);
    }

    /// Somebody looked for something that is not here.
    pub(crate) fn missed(&self, account: &AccountId, query: &str) {
        let mut misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        if misses.len() < MISSES && !query.trim().is_empty() {
            misses.push(Miss { account: account.clone(), query: query.to_owned() });
        }
    }

    /// Writes down what was counted; `sent` are all bytes of songs that left since the server began.
    pub(crate) async fn write(&self, catalog: &Catalog, sent: u64) -> Result<(), CatalogError> {
        let day = Timestamp::now().as_millisecond().div_euclid(DAY_MS);
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        let served = Served {
            bytes: sent.saturating_sub(self.written.swap(sent, Ordering::Relaxed)),
            answers: take(&self.answers),
            answers_kept: take(&self.answers_kept),
            transcodes: take(&self.transcodes),
            transcodes_kept: take(&self.transcodes_kept),
        };
        let misses = std::mem::take(&mut *self.misses.lock().unwrap_or_else(PoisonError::into_inner));
        // Nothing new leaves the catalog as it is, and so the answers that were kept of it.
        if served != Served::default() {
            catalog.add_served(day, served).await?;
        }
        catalog.settle_misses(day).await?;
        catalog.note_misses(day, &misses).await
    }
}

/// Writes the tally down until the server is told to end, and once more then.
pub(crate) async fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        write(&shared).await;
    }
    write(&shared).await;
}

/// Writes the tally down now.
pub(crate) async fn write(shared: &Shared) {
    if let Err(error) = shared.tally.write(&shared.catalog, shared.metrics.streams.sent()).await {
        tracing::warn!(%error, "what the server did was not written down");
    }
}
