//! The music folders behind a running server: when they are scanned, when what is new is heard (`analysis`), and what
//! clients are told about it. Of several processes beside one database one scans and one hears at a time (`jobs`); what clients are told
//! is kept in the database then, so that they hear the same from each.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::jobs::{self, Asked, Jobs};
use super::load::Level;
use super::scan::{ScanError, ScanMode, ScanReport, Scanner, SplitRules};
use super::slice::SliceFile;
use super::storage::Storage;
use crate::analysis::{AnalysisStatus, Analyst, Open};
use crate::catalog::{Catalog, CatalogError, LeaseStanding, Unheard};
use crate::subsonic::convert::iso;
use crate::subsonic::response::ScanStatus;

/// How long the server has for its listeners before it begins to hear what a scan found.
const SETTLE: Duration = Duration::from_secs(10);
/// The setting with what clients are told, where several processes tell it.
const NEWS: &str = "library.news";

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
    catalog: Catalog,
    jobs: Jobs,
    /// Whether the hearing is held by who runs the server.
    held: Arc<AtomicBool>,
    /// When clients were last to be told of measured loudness, Unix time in ms; 0 for never.
    measured_at: Arc<AtomicI64>,
}

impl Library {
    pub(crate) fn new(
        (catalog, jobs): (Catalog, &Jobs),
        (folders, storage): (Vec<PathBuf>, &Storage),
        rules: &SplitRules,
        stop: CancellationToken,
    ) -> Self {
        // Half of the machine, and that only while nobody else wants it.
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get() / 2);
        Self {
            analyst: Analyst::new(catalog.clone(), from_storage(storage), threads),
            measured_at: Arc::default(),
            catalog: catalog.clone(),
            jobs: jobs.clone(),
            held: Arc::default(),
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
            let library = self.clone();
            self.tasks.spawn(async move {
                let _ = library.stop.clone().run_until_cancelled(library.watch()).await;
            });
            let library = self.clone();
            self.tasks.spawn(async move { library.hear().await });
        }
    }

    /// Scans after changes, and what another process left when it died.
    async fn watch(&self) {
        let mut first = self.last.subscribe();
        if first.wait_for(Option::is_some).await.is_err() {
            return;
        }
        let changes = self.scanner.watch_with(|mode, age| self.scan_once(mode, age).boxed());
        let orphans = async {
            loop {
                self.jobs.orphan(jobs::SCAN).await;
                tracing::info!("another process died while it scanned");
                self.scan_once(ScanMode::Changes, Duration::ZERO).await;
            }
        };
        tokio::join!(changes, orphans);
    }

    /// Hears what every scan leaves unheard, after a pause, until the end.
    async fn hear(&self) {
        let mut scans = self.last.subscribe();
        loop {
            let next = async {
                tokio::select! {
                    scanned = scans.changed() => scanned.ok()?,
                    () = self.jobs.orphan(jobs::HEAR) => {}
                }
                tokio::time::sleep(SETTLE).await;
                scans.mark_unchanged();
                self.jobs.calm().await;
                self.jobs.wait(jobs::HEAR, i64::MAX).await
            };
            let turn = tokio::select! {
                turn = next => turn,
                () = self.stop.cancelled() => return,
            };
            let Some(turn) = turn else { return };
            // Ends in order, so that what was heard is written where that may be.
            let (stop, lost) = (self.stop.child_token(), turn.lost());
            let (over, stopped) = (CancellationToken::new(), stop.clone());
            tokio::spawn(async move {
                lost.cancelled().await;
                stopped.cancel();
            });
            let telling = self.tell(&over);
            let hearing = async {
                let heard = self.analyst.run_into(turn.catalog(), &stop).await;
                over.cancel();
                heard
            };
            let giving_way = over.run_until_cancelled(self.give_way());
            let (heard, _, _) = tokio::join!(hearing, telling, giving_way);
            turn.end(true).await;
            match heard {
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
                self.tell_others().await;
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
        self.held.store(on, Ordering::Release);
        self.analyst.set_paused(on);
    }

    /// Holds the hearing while jobs are put off.
    async fn give_way(&self) {
        let mut level = self.jobs.load().changes();
        loop {
            let busy = *level.borrow_and_update() >= Level::NoJobs;
            self.analyst.set_paused(busy || self.held.load(Ordering::Acquire));
            if level.changed().await.is_err() {
                return;
            }
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
            let _ = library.stop.clone().run_until_cancelled(library.scan_once(mode, Duration::ZERO)).await;
            library.pending.fetch_sub(1, Ordering::AcqRel);
        });
    }

    /// Scans when this process's turn comes. A scan of all roots by another process, which began at most so long ago, serves as well.
    async fn scan_once(&self, mode: ScanMode, age: Duration) {
        self.jobs.calm().await;
        let report = match self.scan_in_turn(mode, age).await {
            Ok(Some(report)) => report,
            Ok(None) => {
                tracing::info!("another process scanned");
                ScanReport::default()
            }
            Err(error) => {
                tracing::error!(%error, "a scan failed");
                ScanReport::default()
            }
        };
        self.took_in(&report);
        self.tell_others().await;
        self.last.send_replace(Some(Arc::new(report)));
    }

    async fn scan_in_turn(&self, mode: ScanMode, age: Duration) -> Result<Option<ScanReport>, ScanError> {
        // What others did serves only who wants to know of any change.
        let all = !matches!(mode, ScanMode::Folders(_));
        let since = match &mode {
            ScanMode::Changes => {
                let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX / 4);
                self.jobs.clock().await?.saturating_sub(age)
            }
            ScanMode::Everything | ScanMode::Folders(_) => i64::MAX,
        };
        loop {
            match self.jobs.take(jobs::SCAN, since).await? {
                Asked::Served => return Ok(None),
                Asked::Theirs => tokio::time::sleep(self.jobs.look()).await,
                Asked::Ours(turn) => {
                    let scan = self.scanner.scan_into(turn.catalog(), mode.clone());
                    match turn.run(scan).await {
                        Some(Err(ScanError::Catalog(CatalogError::LostLease(_)))) | None => {}
                        Some(ended) => {
                            turn.end(all && ended.is_ok()).await;
                            return ended.map(Some);
                        }
                    }
                }
            }
        }
    }

    /// Writes down what clients are told, for the other processes.
    async fn tell_others(&self) {
        if !self.jobs.has_company() {
            return;
        }
        let news = self.news().await;
        if let Err(error) = self.catalog.set_setting(NEWS, &news.to_text()).await {
            tracing::debug!(%error, "other processes do not hear of the scan");
        }
    }

    /// What clients are told: what this process knows, or others where they know more.
    async fn news(&self) -> News {
        let status = self.scanner.status();
        let own = News {
            changed_at: self.changed_at.load(Ordering::Acquire),
            measured_at: self.measured_at.load(Ordering::Acquire),
            scanned_at: status.last_scan.unwrap_or(0),
            count: i64::try_from(status.count).unwrap_or(i64::MAX),
            folders: i64::try_from(status.folders).unwrap_or(i64::MAX),
        };
        if !self.jobs.has_company() {
            return own;
        }
        let theirs = self.catalog.setting(NEWS).await.ok().flatten().and_then(|text| News::of_text(&text));
        theirs.map_or(own, |theirs| own.and(theirs))
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
    pub(crate) async fn changed_at(&self) -> i64 {
        self.news().await.changed_at
    }

    /// How the scan stands, as clients are told.
    pub(crate) async fn status(&self) -> ScanStatus {
        let (own, news) = (self.scanner.status(), self.news().await);
        let mut scanning = own.scanning || self.pending.load(Ordering::Acquire) > 0;
        if !scanning && self.jobs.has_company() {
            let standing = self.catalog.lease_standing(jobs::SCAN).await;
            scanning = standing.is_ok_and(|standing| standing == LeaseStanding::Held);
        }
        let (count, folders) =
            if own.scanning { (own.count, own.folders) } else { (whole(news.count), whole(news.folders)) };
        // Measured loudness is news of the library too, and this is where clients look for news.
        let last = Some(news.scanned_at).filter(|at| *at > 0).map(|at| iso(at.max(news.measured_at)));
        ScanStatus { scanning, count: Some(count), folder_count: Some(folders), last_scan: last }
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

/// What clients are told of a library; times are Unix time in ms, 0 for never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct News {
    changed_at: i64,
    measured_at: i64,
    scanned_at: i64,
    count: i64,
    folders: i64,
}

impl News {
    fn to_text(self) -> String {
        let Self { changed_at, measured_at, scanned_at, count, folders } = self;
        format!("{changed_at} {measured_at} {scanned_at} {count} {folders}")
    }

    fn of_text(text: &str) -> Option<Self> {
        let numbers: Vec<i64> = text.split(' ').map(|word| word.parse().ok()).collect::<Option<_>>()?;
        let [changed_at, measured_at, scanned_at, count, folders] = *numbers.as_slice() else { return None };
        Some(Self { changed_at, measured_at, scanned_at, count, folders })
    }

    /// The newer of what two know.
    fn and(self, other: Self) -> Self {
        let later = if other.scanned_at > self.scanned_at { other } else { self };
        Self {
            changed_at: self.changed_at.max(other.changed_at),
            measured_at: self.measured_at.max(other.measured_at),
            ..later
        }
    }
}

fn whole(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_of_two_processes_are_the_newer_ones() {
        let own = News { changed_at: 9, measured_at: 0, scanned_at: 5, count: 70, folders: 7 };
        let theirs = News { changed_at: 4, measured_at: 3, scanned_at: 6, count: 80, folders: 8 };
        let both = News { changed_at: 9, measured_at: 3, scanned_at: 6, count: 80, folders: 8 };
        assert_eq!((own.and(theirs), theirs.and(own)), (both, both));
        assert_eq!(News::of_text(&both.to_text()), Some(both));
        assert_eq!(
            (News::of_text(""), News::of_text("1 2 3 4"), News::of_text("1 2 3 4 x")),
            (None, None, None)
        );
    }
}
