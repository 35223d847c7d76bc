//! The music folders behind a running server: when they are scanned, and what clients are told about it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::scan::{ScanMode, ScanReport, Scanner};
use crate::catalog::Catalog;
use crate::subsonic::convert::iso;
use crate::subsonic::response::ScanStatus;

/// Scans in the background; every clone means the same folders.
#[derive(Clone)]
pub(crate) struct Library {
    scanner: Arc<Scanner>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Scans that were asked for and have not ended.
    pending: Arc<AtomicUsize>,
    /// When the library last changed, Unix time in ms.
    changed_at: Arc<AtomicI64>,
    /// The report of the last scan that ended.
    last: watch::Sender<Option<Arc<ScanReport>>>,
}

impl Library {
    pub(crate) fn new(catalog: Catalog, folders: Vec<PathBuf>, stop: CancellationToken) -> Self {
        Self {
            scanner: Arc::new(Scanner::new(catalog, folders)),
            tasks: TaskTracker::new(),
            stop,
            pending: Arc::default(),
            changed_at: Arc::new(AtomicI64::new(Timestamp::now().as_millisecond())),
            last: watch::Sender::new(None),
        }
    }

    /// The first scan, and then an eye on the folders where that is wanted.
    pub(crate) fn start(&self, watch: bool) {
        self.scan(ScanMode::Changes);
        if watch {
            let (scanner, stop) = (Arc::clone(&self.scanner), self.stop.clone());
            let mut first = self.last.subscribe();
            self.tasks.spawn(async move {
                tokio::select! {
                    ended = first.wait_for(Option::is_some) => drop(ended),
                    () = stop.cancelled() => return,
                }
                scanner.watch(stop).await;
            });
        }
    }

    /// Begins a scan, unless one already waits behind the running one.
    pub(crate) fn scan(&self, mode: ScanMode) {
        if self.pending.fetch_add(1, Ordering::AcqRel) >= 2 {
            self.pending.fetch_sub(1, Ordering::AcqRel);
            return;
        }
        let library = self.clone();
        self.tasks.spawn(async move {
            let ended = tokio::select! {
                ended = library.scanner.scan(mode) => Some(ended),
                () = library.stop.cancelled() => None,
            };
            library.pending.fetch_sub(1, Ordering::AcqRel);
            let report = match ended {
                Some(Ok(report)) => report,
                Some(Err(error)) => {
                    tracing::error!(%error, "a scan failed");
                    ScanReport::default()
                }
                None => return,
            };
            library.took_in(&report);
            library.last.send_replace(Some(Arc::new(report)));
        });
    }

    fn took_in(&self, report: &ScanReport) {
        let changes = report.added + report.changed + report.removed + report.moved;
        if changes > 0 {
            self.changed_at.store(Timestamp::now().as_millisecond(), Ordering::Release);
        }
        for (path, why) in report.failed.iter().chain(&report.refused) {
            tracing::warn!(path = %path.display(), why, "left out of the library");
        }
        tracing::info!(
            seen = report.seen,
            added = report.added,
            changed = report.changed,
            removed = report.removed,
            moved = report.moved,
            failed = report.failed.len(),
            "scanned"
        );
    }

    /// When the library last changed, Unix time in ms.
    pub(crate) fn changed_at(&self) -> i64 {
        self.changed_at.load(Ordering::Acquire)
    }

    /// How the scan stands, as clients are told.
    pub(crate) fn status(&self) -> ScanStatus {
        let status = self.scanner.status();
        ScanStatus {
            scanning: status.scanning || self.pending.load(Ordering::Acquire) > 0,
            count: Some(status.count),
            folder_count: Some(status.folders),
            last_scan: status.last_scan.map(iso),
        }
    }

    /// Waits for the first scan of this run and gives the report of the last one that ended.
    pub(crate) async fn first_scan(&self) -> Arc<ScanReport> {
        let mut last = self.last.subscribe();
        match last.wait_for(Option::is_some).await {
            Ok(report) => report.clone().unwrap_or_default(),
            Err(_) => Arc::default(),
        }
    }

    /// Waits until nothing runs any more; `stop` must have been called.
    pub(crate) async fn stopped(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
