//! What a server makes for its listeners in the background: it learns from everybody's plays, and keeps the mixes of every
//! account fresh. The model is held in memory and replaced as a whole; mixes are replaced in one transaction for each listener. Of several
//! processes one does all of it, as long as it lives.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::ZonedDateTime;
use tokio_util::sync::CancellationToken;

use super::privacy::number_erased;
use super::{Pace, Shared, jobs};
use crate::catalog::{Catalog, CatalogError};
use crate::mixing::{self, CrowdModel};

/// Looks after taste until it is told to end. The model is in memory alone; when somebody was erased, here or by the command line,
/// it is thrown away and learned anew without them.
pub(crate) async fn keep(shared: Arc<Shared>, data: PathBuf, pace: Pace, stop: CancellationToken) {
    let task = async {
        tokio::time::sleep(pace.settle).await;
        while let Some(turn) = shared.jobs.wait(jobs::TASTE, i64::MAX).await {
            // Until the turn is lost. Nothing but this uses the model, so it need not be anywhere else.
            turn.run(learn(&shared, turn.catalog(), &data, pace)).await;
        }
    };
    // Dropped in the middle, a transaction rolls back, and the mixes of before stand.
    let _ = stop.run_until_cancelled(task).await;
}

/// How many were erased or left out so far, as this process and all others know; none where the database does not say.
async fn left_out(catalog: &Catalog, data: &Path) -> Option<(usize, i64)> {
    let others = if catalog.is_shared() { catalog.count_of(UNLEARN).await.ok()? } else { 0 };
    Some((number_erased(data), others))
}

/// The counter of those who are to be left out from now on, which whichever process learns looks at.
pub(crate) const UNLEARN: &str = "taste.unlearn";
/// How often it is looked at.
const LOOK: std::time::Duration = std::time::Duration::from_secs(5);

/// Waits until the next look is due; `true` when somebody is to be left out from now on.
async fn pause(shared: &Shared, catalog: &Catalog, data: &Path, pace: Pace) -> bool {
    let before = left_out(catalog, data).await;
    let elsewhere = async {
        if !catalog.is_shared() {
            std::future::pending::<()>().await;
        }
        loop {
            tokio::time::sleep(LOOK).await;
            let now = left_out(catalog, data).await;
            if now.is_some() && now != before {
                return;
            }
        }
    };
    tokio::select! {
        () = tokio::time::sleep(pace.mixes) => false,
        () = shared.relearn.notified() => true,
        () = elsewhere => true,
    }
}

async fn learn(shared: &Shared, catalog: &Catalog, data: &Path, pace: Pace) {
    let mut erased = left_out(catalog, data).await;
    let crowd: Mutex<Option<Arc<CrowdModel>>> = Mutex::default();
    let mut trained: Option<tokio::time::Instant> = None;
    loop {
        shared.jobs.calm().await;
        let now = left_out(catalog, data).await;
        if now.is_some() && now != erased {
            (erased, trained) = (now, None);
            *crowd.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        if trained.is_none_or(|at| at.elapsed() > pace.learned) {
            trained = Some(tokio::time::Instant::now());
            match mixing::train(catalog, 1, |_| ()).await {
                Ok(done) => {
                    tracing::info!(listeners = done.lesson.listeners, pairs = done.lesson.pairs, "learned");
                    let fresh = done.model.map(Arc::new);
                    *crowd.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
                }
                Err(error) => {
                    tracing::warn!(%error, "nothing was learned");
                    trained = None;
                }
            }
        }
        let model = crowd.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Err(error) = refresh_all(catalog, model, |_, _| ()).await {
            tracing::warn!(%error, "the mixes were not made");
        }
        if pause(shared, catalog, data, pace).await {
            trained = None;
            *crowd.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// Makes the mixes of all accounts anew where they are old; `done` hears how many of how many were looked at. Gives the number
/// of accounts whose mixes changed.
pub async fn refresh_all(
    catalog: &Catalog,
    crowd: Option<Arc<CrowdModel>>,
    done: impl Fn(usize, usize),
) -> Result<usize, CatalogError> {
    // One listener is no crowd.
    let crowd = crowd.filter(|crowd| crowd.listeners() > 1);
    let accounts = catalog.accounts().await?;
    let mut changed = 0;
    for (at, account) in accounts.iter().enumerate() {
        let listener = catalog.listener_of(account, None);
        changed += usize::from(mixing::refresh(&listener, &ZonedDateTime::now(), crowd.clone()).await?);
        done(at + 1, accounts.len());
    }
    Ok(changed)
}
