//! When what failed is tried again.
//!
//! Two writers who wait for each other, and one who saw what another one changed meanwhile, are not errors: the database undid
//! all of one of them, which is to begin anew. A server that goes away for a moment is none for whoever only reads.

#[cfg(feature = "cloud")]
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
#[cfg(feature = "cloud")]
use std::time::Instant;

use super::Error;
use crate::catalog::CatalogError;

/// Times that a write is begun anew.
const TIMES: u32 = 8;
/// The first pause, doubled each time and never longer than the last.
const PAUSE: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(400);

/// How often something was tried, and for which reasons it may be tried again.
#[derive(Debug)]
pub(in crate::catalog) struct Tries {
    done: u32,
    reads: bool,
}

/// An error that may be one of the database.
pub(in crate::catalog) trait Failed {
    /// What the database said.
    fn said(&self) -> Option<&Error>;
}

impl Failed for Error {
    fn said(&self) -> Option<&Error> {
        Some(self)
    }
}

impl Failed for CatalogError {
    fn said(&self) -> Option<&Error> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

impl Tries {
    /// Of a transaction, all of which is repeated.
    pub(in crate::catalog) const fn of_a_write() -> Self {
        Self { done: 0, reads: false }
    }

    /// Of one statement that writes.
    #[cfg(feature = "cloud")]
    pub(super) const fn of_one_write() -> Self {
        Self::of_a_write()
    }

    /// Of one statement that reads.
    #[cfg(feature = "cloud")]
    pub(super) const fn of_one_read() -> Self {
        Self { done: 0, reads: true }
    }

    /// Whether what failed so is to be tried again; waits a moment where it is.
    pub(in crate::catalog) async fn again(&mut self, failed: &impl Failed) -> bool {
        let Some(error) = failed.said() else { return false };
        if self.done >= TIMES || !(is_undone(error) || self.reads && is_cut_off(error)) {
            return false;
        }
        let pause = PAUSE.saturating_mul(1 << self.done).min(LONGEST);
        self.done += 1;
        tracing::debug!(%error, tries = self.done, "the database undid a change; it is tried again");
        // Two that met once should not meet again.
        tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>())).await;
        true
    }
}

/// Whether the database undid everything and would take it now: SQLite's `BUSY` and its kinds, PostgreSQL's
/// `serialization_failure` and `deadlock_detected`.
fn is_undone(error: &Error) -> bool {
    let Error::Database(said) = error else { return false };
    said.code().is_some_and(|code| matches!(code.as_ref(), "5" | "261" | "517" | "40001" | "40P01"))
        || is_outdated(error)
}

/// Whether another process changed the schema since the statement was prepared (PostgreSQL's `feature_not_supported`: “cached plan must
/// not change result type”). Prepared anew, it works.
pub(in crate::catalog) fn is_outdated(error: &Error) -> bool {
    let Error::Database(said) = error else { return false };
    said.code().is_some_and(|code| code == "0A000") && said.message().starts_with("cached plan")
}

/// When it was seen last that another process changed the schema.
#[cfg(feature = "cloud")]
static OUTDATED: Mutex<Option<Instant>> = Mutex::new(None);

/// Statements that were prepared before now may be outdated.
#[cfg(feature = "cloud")]
pub(super) fn outdated_now() {
    *OUTDATED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

/// Whether a connection that was not used for so long may have outdated statements.
#[cfg(feature = "cloud")]
pub(in crate::catalog) fn is_behind(idle: Duration) -> bool {
    let outdated = *OUTDATED.lock().unwrap_or_else(PoisonError::into_inner);
    outdated.is_some_and(|at| at.elapsed() < idle)
}

/// Whether the database cannot be reached, or lets nobody in: the network, a pool that got no connection in time, a server that
/// ends, begins, or has too many connections.
pub(in crate::catalog) fn is_away(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => true,
        Error::Database(said) => said.code().is_some_and(|code| {
            matches!(code.as_ref(), "57P01" | "57P02" | "57P03" | "53300") || code.starts_with("08")
        }),
        _ => false,
    }
}

/// Whether the connection went away, which says nothing about the next one.
fn is_cut_off(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        Error::Database(said) => {
            said.code().is_some_and(|code| matches!(code.as_ref(), "57P01" | "57P02" | "57P03"))
        }
        _ => false,
    }
}

/// Runs a block that is one transaction, again where the database undid it.
macro_rules! again {
    ($work:block) => {{
        let mut tries = crate::catalog::sql::Tries::of_a_write();
        loop {
            let done: Result<_, crate::catalog::CatalogError> = async { $work }.await;
            match done {
                Err(error) if tries.again(&error).await => {}
                done => break done,
            }
        }
    }};
}

pub(in crate::catalog) use again;
