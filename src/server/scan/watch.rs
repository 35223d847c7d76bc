//! Watching the roots: a change, a moment of quiet, a scan of the folders that changed.
//!
//! Where the system cannot watch (network file systems, no watches left), the roots are scanned every few minutes
//! instead. Folders behind links and changes that the system drops are caught by a scan of everything twice a day. Stores tell nothing
//! of what changes, so they are listed now and then.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use notify::{EventKind, RecursiveMode, Watcher};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{ScanMode, Scanner, walk};
use crate::server::storage::is_store;

/// A scan begins when nothing has changed for so long,
const QUIET: Duration = Duration::from_secs(2);
/// or when changes have gone on for so long.
const LONGEST: Duration = Duration::from_secs(10);
/// Time between scans where watching is impossible,
const BLIND: Duration = Duration::from_mins(5);
/// and where it is possible.
const WATCHED: Duration = Duration::from_hours(12);
/// Time between two listings of a store. Each thousand objects of one are a request.
const LISTED: Duration = Duration::from_mins(15);
/// Changed folders above which all roots are scanned.
const FOLDERS: usize = 64;

impl Scanner {
    /// Scans what changes below the roots until it is cancelled. Does not scan at the beginning.
    pub async fn watch(self: Arc<Self>, cancel: CancellationToken) {
        let scan = |mode, _| self.scan_and_tell(mode).boxed();
        tokio::select! {
            () = cancel.cancelled() => {}
            () = self.watch_with(scan) => {}
        }
    }

    async fn scan_and_tell(&self, mode: ScanMode) {
        match self.scan(mode).await {
            Ok(report) => tracing::info!(
                added = report.added,
                changed = report.changed,
                removed = report.removed,
                moved = report.moved,
                "scanned what changed"
            ),
            Err(e) => tracing::error!(error = %e, "the scan failed"),
        }
    }

    /// The same, where somebody else scans; they hear how old a scan of all roots may be that serves as well.
    pub(crate) async fn watch_with<'s>(&self, scan: impl Fn(ScanMode, Duration) -> BoxFuture<'s, ()>) {
        let (send, mut events) = mpsc::unbounded_channel();
        // The watcher stops when it is dropped.
        let (stores, folders): (Vec<&Path>, Vec<&Path>) =
            self.roots().iter().map(PathBuf::as_path).partition(|root| is_store(root));
        let watcher = start(&folders, &send);
        if let Err(e) = &watcher {
            tracing::warn!(error = %e, "the music folders cannot be watched; they are scanned every few minutes");
        }
        let every = match (watcher.is_ok(), stores.is_empty()) {
            (false, _) => BLIND,
            (true, false) => LISTED,
            (true, true) => WATCHED,
        };
        loop {
            let (mode, age) = tokio::select! {
                () = sleep_until(Instant::now() + every) => (ScanMode::Changes, every - every / 10),
                Some(path) = events.recv() => (gather(path, &mut events).await, Duration::ZERO),
            };
            scan(mode, age).await;
        }
    }
}

/// `None` stands for "something changed, and it is not known where".
type Changed = Option<PathBuf>;

fn start(
    roots: &[&Path],
    send: &mpsc::UnboundedSender<Changed>,
) -> notify::Result<notify::RecommendedWatcher> {
    let send = send.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // The other end is gone only when the watcher is about to go too.
        match event {
            // Reading a file is an event as well, and the scanner reads.
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => {}
            Ok(event) if event.need_rescan() || event.paths.is_empty() => drop(send.send(None)),
            Ok(event) => event.paths.into_iter().for_each(|path| drop(send.send(Some(path)))),
            Err(_) => drop(send.send(None)),
        }
    })?;
    for root in roots {
        watcher.watch(root, RecursiveMode::Recursive)?;
    }
    Ok(watcher)
}

/// Waits for quiet, and says what to scan.
async fn gather(first: Changed, events: &mut mpsc::UnboundedReceiver<Changed>) -> ScanMode {
    let end = Instant::now() + LONGEST;
    let mut paths = BTreeSet::new();
    let mut everywhere = first.is_none();
    paths.extend(first.as_deref().and_then(folder));
    while let Ok(Some(event)) = timeout_at(end.min(Instant::now() + QUIET), events.recv()).await {
        everywhere |= event.is_none();
        paths.extend(event.as_deref().and_then(folder));
        everywhere |= paths.len() > FOLDERS;
        if everywhere {
            paths.clear();
        }
    }
    if everywhere { ScanMode::Changes } else { ScanMode::Folders(outermost(paths)) }
}

/// The folder to look at for a changed path: the one around a file, there or gone, or the folder itself.
fn folder(path: &Path) -> Option<PathBuf> {
    if path.is_file() || walk::file_kind(path).is_some() {
        path.parent().map(Path::to_owned)
    } else {
        Some(path.to_owned())
    }
}

/// Leaves out folders that lie in others. Sorted input has the outer one first.
fn outermost(paths: BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let mut outer: Vec<PathBuf> = Vec::new();
    for path in paths {
        if !outer.last().is_some_and(|o| path.starts_with(o)) {
            outer.push(path);
        }
    }
    outer
}
