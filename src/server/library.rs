//! The music folders behind a running server: when they are scanned, when what is new is heard (`analysis`), and what
//! clients are told about it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::scan::{ScanMode, ScanReport, Scanner, SplitRules};
use super::slice::SliceFile;
use super::storage::Storage;
use crate::analysis::{AnalysisStatus, Analyst, Open};
use crate::catalog::{Catalog, Unheard};
use crate::subsonic::convert::iso;
use crate::subsonic::response::ScanStatus;

/// How long the server has for its listeners before it begins to hear what a scan found.
const SETTLE: Duration = Duration::from_secs(10);
/// The shortest time between two notices to clients that loudness was measured: each makes them read the library again.
const NOTICE: Duration = Duration::from_mins(10);

/// Finds the files of a server's tracks.
pub fn from_folders() -> Open {
    from_storage(&Storage::default())
}

/// Finds the files and objects of a server's tracks.
pub fn from_storage(storage: &Storage) -> Open {
    let storage = storage.clone();
    Arc::new(move |track: &Unheard| match &track.path {
        Some(path) => {
            let source = storage.look(path)?;
            Ok(Some(match track.slice {
                None => Box::new(source.open()?),
                Some(slice) => Box::new(SliceFile::open(source, slice)?),
            }))
        }
        None => Ok(None),
    })
}

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
    analyst: Analyst,
    /// When clients were last to be told of measured loudness, Unix time in ms; 0 for never.
    measured_at: Arc<AtomicI64>,
}

impl Library {
    pub(crate) fn new(
        catalog: Catalog,
        (folders, storage): (Vec<PathBuf>, &Storage),
        rules: &SplitRules,
        stop: CancellationToken,
    ) -> Self {
        // Half of the machine, and that only while nobody else wants it.
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get() / 2);
        Self {
            analyst: Analyst::new(catalog.clone(), from_storage(storage), threads),
            measured_at: Arc::default(),
            scanner: Arc::new(Scanner::new(catalog, folders).with_storage(storage).with_rules(rules)),
            tasks: TaskTracker::new(),
            stop,
            pending: Arc::default(),
            changed_at: Arc::new(AtomicI64::new(Timestamp::now().as_millisecond())),
            last: watch::Sender::new(None),
        }
    }

    /// The first scan, and then, where that is wanted, an eye on the folders and an ear on what is new in them.
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
            let library = self.clone();
            self.tasks.spawn(async move { library.hear().await });
        }
    }

    /// Hears what every scan leaves unheard, after a pause, until the end.
    async fn hear(&self) {
        let mut scans = self.last.subscribe();
        loop {
            let next = async {
                scans.changed().await.ok()?;
                tokio::time::sleep(SETTLE).await;
                scans.mark_unchanged();
                Some(())
            };
            tokio::select! {
                next = next => if next.is_none() { return },
                () = self.stop.cancelled() => return,
            }
            let over = CancellationToken::new();
            let telling = self.tell(&over);
            let hearing = async {
                let heard = self.analyst.run(&self.stop).await;
                over.cancel();
                heard
            };
            match tokio::join!(hearing, telling).0 {
                Ok(report) if report.heard + report.failed > 0 => {
                    tracing::info!(heard = report.heard, failed = report.failed, "heard what was new");
                }
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "what is new in the library was not heard"),
            }
        }
    }

    /// Lets clients know, now and then and at the end of a run, that there is loudness to fetch.
    async fn tell(&self, over: &CancellationToken) {
        let mut told = self.analyst.status().gains_written;
        loop {
            let ended = tokio::time::timeout(NOTICE, over.cancelled()).await.is_ok();
            let written = self.analyst.status().gains_written;
            if written != told {
                told = written;
                let now = Timestamp::now().as_millisecond();
                self.measured_at.store(now, Ordering::Release);
                self.changed_at.store(now, Ordering::Release);
            }
            if ended {
                return;
            }
        }
    }

    /// The music folders, absolute.
    pub(crate) fn roots(&self) -> &[PathBuf] {
        self.scanner.roots()
    }

    /// How far the hearing is.
    pub(crate) fn analysis(&self) -> AnalysisStatus {
        self.analyst.status()
    }

    /// Holds the hearing, or goes on with it.
    pub(crate) fn pause_analysis(&self, on: bool) {
        self.analyst.set_paused(on);
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
        let changes = report.added + report.changed + report.removed + report.moved + report.smart;
        if changes > 0 {
            self.changed_at.store(Timestamp::now().as_millisecond(), Ordering::Release);
        }
        for (path, why) in report.failed.iter().chain(&report.refused) {
            tracing::warn!(path = %path.display(), why, "left out of the library");
        }
        for (path, note) in &report.notes {
            tracing::info!(path = %path.display(), note, "good to know");
        }
        for (path, why) in &report.remarks {
            tracing::warn!(path = %path.display(), why, "understood in part");
        }
        tracing::info!(
            seen = report.seen,
            added = report.added,
            changed = report.changed,
            removed = report.removed,
            moved = report.moved,
            playlists = report.playlists,
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
        // Measured loudness is news of the library too, and this is where clients look for news.
        let measured = Some(self.measured_at.load(Ordering::Acquire)).filter(|at| *at > 0);
        ScanStatus {
            scanning: status.scanning || self.pending.load(Ordering::Acquire) > 0,
            count: Some(status.count),
            folder_count: Some(status.folders),
            last_scan: status.last_scan.map(|at| iso(measured.map_or(at, |measured| at.max(measured)))),
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
