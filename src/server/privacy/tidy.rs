//! What ends by itself, once an hour: accounts whose grace is over, what is older than its limit, and copies that expired. The
//! moment is given from outside, so that a test can let years pass. Of several processes beside one database one does it; each looks
//! after the copies on its own machine.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::super::casting::{FORGOTTEN_MS, VOID_MS};
use super::super::{Pace, ServerError, Shared, backup, jobs};
use super::erase::{erased_again, old_copies};
use super::{Keep, Receipt, erase, short_address};
use crate::catalog::{Catalog, Limits, Scoured, path_from_text};
use crate::music::calendar::DAY_MS;

/// When the search index's notes were dropped last, Unix time in ms.
const NOTES_DROPPED: &str = "privacy.notes_dropped";
/// Says that the database is still to be written anew.
const SCOUR: &str = "privacy.scour";

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tidied {
    /// For each account whose grace was over.
    pub receipts: Vec<Receipt>,
    /// Accounts that a backup had brought back.
    pub again: usize,
    /// Rows by table that were older than their limit.
    pub expired: Vec<(&'static str, u64)>,
    /// Copies that were removed.
    pub copies: usize,
}

/// Does what is due at `now` (Unix time in ms).
pub async fn tidy(catalog: &Catalog, data: &Path, keep: &Keep, now: i64) -> Result<Tidied, ServerError> {
    let mut done = Tidied { again: erased_again(catalog, data).await?, ..Tidied::default() };
    for account in catalog.accounts().await? {
        if account.erase_at.is_some_and(|at| at <= now) {
            let receipt = erase(catalog, data, &account, keep).await?;
            if receipt.overwritten == Scoured::Busy {
                catalog.set_setting(SCOUR, "yes").await?;
            }
            done.receipts.push(receipt);
        }
    }
    if catalog.setting(SCOUR).await?.as_deref() == Some("yes") && catalog.scour().await? != Scoured::Busy {
        catalog.set_setting(SCOUR, "no").await?;
    }
    let before = |days: u32| (days > 0).then(|| now - i64::from(days) * DAY_MS);
    let limits = Limits { plays: before(keep.plays), audit: before(keep.audit), keys: before(keep.keys) };
    done.expired = catalog.expire(limits).await?;
    let devices = catalog.expire_devices(now - FORGOTTEN_MS, now - VOID_MS).await?;
    done.expired.extend((devices > 0).then_some(("devices", devices)));
    let gone = catalog.expire_presence(now - DAY_MS).await?;
    done.expired.extend((gone > 0).then_some(("presence", gone)));
    catalog.shorten_addresses(short_address).await?;
    drop_notes(catalog, before(keep.search), now).await?;
    done.copies = remove_copies(catalog, data, before(keep.backups), now).await?;
    Ok(done)
}

/// How long a copy that is over is looked for: it may lie on the machine of another process, which looks there.
const LOOKED_FOR: i64 = 7 * DAY_MS;

async fn drop_notes(catalog: &Catalog, before: Option<i64>, now: i64) -> Result<(), ServerError> {
    let Some(before) = before else { return Ok(()) };
    let last: Option<i64> = catalog.setting(NOTES_DROPPED).await?.and_then(|text| text.parse().ok());
    if last.is_none() {
        // The first look: the clock begins.
        catalog.set_setting(NOTES_DROPPED, &now.to_string()).await?;
    } else if last < Some(before) && catalog.has_search_notes().await? {
        catalog.rebuild_search().await?;
        catalog.set_setting(NOTES_DROPPED, &now.to_string()).await?;
    }
    Ok(())
}

async fn remove_copies(
    catalog: &Catalog,
    data: &Path,
    before: Option<i64>,
    now: i64,
) -> Result<usize, ServerError> {
    let mut removed = 0;
    for row in catalog.backups().await? {
        if row.expires_at.is_some_and(|at| at <= now) {
            let path = path_from_text(&row.path);
            let gone = backup::remove(&path)?;
            removed += usize::from(gone);
            if gone || !catalog.is_shared() || row.expires_at.is_some_and(|at| at + LOOKED_FOR <= now) {
                catalog.forget_backup(&row.path).await?;
            }
        }
    }
    for (path, made) in old_copies(data) {
        if before.is_some_and(|before| made < before) {
            let gone =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            gone.map_err(|error| {
                ServerError::Privacy(format!("{} cannot be removed: {error}", path.display()))
            })?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Looks after all of that until the server is told to end.
pub(crate) async fn look_after(
    shared: Arc<Shared>,
    data: std::path::PathBuf,
    pace: Pace,
    stop: CancellationToken,
) {
    let task = async {
        tokio::time::sleep(pace.settle).await;
        let all = shared.jobs.every(jobs::TIDY, pace.tidy, |catalog| {
            let (shared, data) = (Arc::clone(&shared), data.clone());
            async move { once(&shared, &catalog, &data).await }
        });
        let own = async {
            while shared.catalog.is_shared() {
                tokio::time::sleep(pace.tidy).await;
                let now = jiff::Timestamp::now().as_millisecond();
                let days = shared.keep.backups;
                let before = (days > 0).then(|| now - i64::from(days) * DAY_MS);
                if let Err(error) = remove_copies(&shared.catalog, &data, before, now).await {
                    tracing::warn!(%error, "copies whose time is over are still there");
                }
            }
        };
        tokio::join!(all, own);
    };
    let _ = stop.run_until_cancelled(task).await;
}

async fn once(shared: &Shared, catalog: &Catalog, data: &Path) {
    let now = jiff::Timestamp::now().as_millisecond();
    let due = catalog.accounts().await.unwrap_or_default();
    let due = due.into_iter().filter(|account| account.erase_at.is_some_and(|at| at <= now));
    let due: Vec<_> = due.map(|account| account.id).collect();
    match tidy(catalog, data, &shared.keep, now).await {
        Ok(done) => {
            for account in &due {
                shared.forget(account).await;
            }
            if done.again > 0 {
                shared.relearn.notify_one();
            }
            if done != Tidied::default() {
                tracing::info!(
                    erased = done.receipts.len() + done.again,
                    expired = ?done.expired,
                    copies = done.copies,
                    "tidied up"
                );
            }
        }
        Err(error) => {
            tracing::warn!(%error, "what should have ended is still there; it is tried again in an hour");
        }
    }
}
