//! The session and its tasks.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::covers::Covers;
use super::downloads::{Downloads, Kept, Seen, downloads};
use super::insights;
use super::link::{Link, now_ms};
use super::lyrics;
use super::outbox::{Delivery, Outbox};
use super::plans::{Allowed, Plans, Tickets};
use super::source::TrackSource;
use super::status::{Connection, SessionStatus, SyncState};
use super::sync::Sync;
use crate::cache::{Backoff, Source, Store};
use crate::catalog::{Catalog, CatalogError, Report};
use crate::music::{AccountId, AdHeard, CoverId, Lyrics, PlayQueue, Track};
use crate::subsonic::convert::from_iso;
use crate::subsonic::serving::Privacy;
use crate::subsonic::{Client, ClientError, PlaybackReport};

/// How long a page waits for what the server says about privacy.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a session looks and tries.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often an idle connection is tried.
    pub heartbeat: Duration,
    /// How often the server is asked for news.
    pub look: Duration,
    /// How often while it scans.
    pub look_scanning: Duration,
    /// The first pause after a failure; pauses double from there.
    pub first_pause: Duration,
    /// The longest pause after a failure.
    pub longest_pause: Duration,
}

impl Default for Pace {
    /// 20 s, a minute, 1.5 s, a quarter of a second to 15 s.
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(20),
            look: Duration::from_mins(1),
            look_scanning: Duration::from_millis(1500),
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(15),
        }
    }
}

impl Pace {
    const fn backoff(&self) -> Backoff {
        Backoff::new(self.first_pause, self.longest_pause)
    }
}

/// What a session needs beside server and catalog.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder for pictures.
    pub covers: PathBuf,
    /// The store into which pinned tracks are downloaded, and whose waiting downloads go on when the server is back.
    pub store: Option<Store>,
    /// What is kept on this machine, and in which form.
    pub kept: Kept,
    /// How often it looks and tries.
    pub pace: Pace,
}

/// One listener with one server. Dropping it ends its tasks.
pub struct Session {
    pub(super) link: Arc<Link>,
    catalog: Catalog,
    covers: Covers,
    downloads: Option<Downloads>,
    tickets: Arc<Tickets>,
    sync_now: Arc<Notify>,
    outbox_changed: Arc<Notify>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Session {
    /// Begins: connects, syncs, delivers, and keeps at it. Returns at once; [`Session::status`] tells the rest.
    /// `account` is the listener in the local `catalog`; pictures are kept in the folder `covers`. To be called
    /// within a runtime.
    pub fn start(client: Client, catalog: Catalog, account: AccountId, covers: PathBuf) -> Self {
        Self::start_with(
            client,
            catalog,
            account,
            Options { covers, store: None, kept: Kept::default(), pace: Pace::default() },
        )
    }

    /// Like [`Session::start`], with a store to look after and a pace of one's own.
    pub fn start_with(client: Client, catalog: Catalog, account: AccountId, options: Options) -> Self {
        let link = Arc::new(Link::new(client));
        let (sync_now, outbox_changed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let delivered = Arc::new(Mutex::new(0));
        let stop = CancellationToken::new();
        let pace = options.pace;
        let outbox = Outbox {
            link: Arc::clone(&link),
            catalog: catalog.clone(),
            delivered: Arc::clone(&delivered),
            backoff: pace.backoff(),
        };
        let source: Arc<dyn Source> = Arc::new(TrackSource(Arc::clone(&link)));
        let tickets = Arc::new(Tickets::new(catalog.clone(), catalog.listener(&account).with_outbox()));
        let plans = Plans {
            link: Arc::clone(&link),
            tickets: Arc::clone(&tickets),
            store: options.store.clone(),
            source: Arc::clone(&source),
            backoff: pace.backoff(),
            fetching: Vec::new(),
        };
        let loader = options.store.clone().map(|store| {
            let seen = Seen { session: link.status(), allowed: tickets.allowed() };
            downloads(catalog.listener(&account), store, source, options.kept, seen)
        });
        let sync =
            Sync { link: Arc::clone(&link), catalog: catalog.clone(), account, delivered, lists: None };
        let mut tasks = vec![
            tokio::spawn(until(stop.clone(), keep(Arc::clone(&link), options.store, pace))),
            tokio::spawn(until(stop.clone(), keep_synced(sync, Arc::clone(&sync_now), pace))),
            tokio::spawn(until(stop.clone(), keep_delivering(outbox, Arc::clone(&outbox_changed), pace))),
            tokio::spawn(until(stop.clone(), plans.run())),
        ];
        let downloads = loader.map(|(manager, handle)| {
            tasks.push(tokio::spawn(until(stop.clone(), manager.run())));
            handle
        });
        let covers = Covers::new(Arc::clone(&link), options.covers);
        Self { link, catalog, covers, downloads, tickets, sync_now, outbox_changed, stop, tasks }
    }

    /// What to show; changes wake the receiver.
    pub fn status(&self) -> watch::Receiver<SessionStatus> {
        self.link.status()
    }

    /// Where the cache gets this server's tracks.
    pub fn source(&self) -> Arc<dyn Source> {
        Arc::new(TrackSource(Arc::clone(&self.link)))
    }

    /// Reads the whole catalogue again, whatever the server says about news, and the plan.
    pub fn sync_now(&self) {
        self.sync_now.notify_one();
        self.tickets.look.notify_one();
    }

    /// The listener changed something: send it now rather than at the next look.
    pub fn outbox_changed(&self) {
        self.outbox_changed.notify_one();
        if let Some(downloads) = &self.downloads {
            // Stars and playlists may be pinned.
            downloads.changed();
        }
    }

    /// Pins and their downloads; none without a store.
    pub fn downloads(&self) -> Option<&Downloads> {
        self.downloads.as_ref()
    }

    /// What the listener's plan allows, and tickets for its ads; changes wake the receiver.
    pub fn allowed(&self) -> watch::Receiver<Allowed> {
        self.tickets.allowed()
    }

    /// Asks for the plan now rather than at the next look.
    pub fn look_at_plan(&self) {
        self.tickets.look.notify_one();
    }

    /// Writes down how an ad was heard, and tells the server when it can be told.
    pub async fn ad_heard(&self, heard: &AdHeard) -> Result<(), CatalogError> {
        self.tickets.heard(heard).await?;
        self.outbox_changed.notify_one();
        Ok(())
    }

    /// Tells the server what is heard now: each change where it has `playbackReport`, else only what begins. Of no
    /// consequence when it fails.
    pub async fn report(&self, report: &PlaybackReport) {
        if !self.link.is_up() {
            return;
        }
        let client = &self.link.client;
        if self.link.extends("playbackReport").await {
            let _ = self.link.ask(client.report_playback(report)).await;
        } else if report.state == "starting" {
            let _ = self.link.ask(client.scrobble(&[(report.track.clone(), now_ms())], false)).await;
        }
    }

    /// The queue that the listener's players left last on the server, and its tracks.
    pub async fn left_queue(&self) -> Result<Option<PlayQueue>, ClientError> {
        let by_index = self.link.extends("indexBasedQueue").await;
        let Some(queue) = self.link.ask(self.link.client.play_queue(by_index)).await? else {
            return Ok(None);
        };
        let current = usize::try_from(queue.current_index.unwrap_or(0)).unwrap_or(0);
        Ok(Some(PlayQueue {
            current: current.min(queue.entry.len().saturating_sub(1)),
            tracks: queue.entry.into_iter().map(|song| song.id.into()).collect(),
            position_ms: queue.position.unwrap_or(0),
            changed_at: from_iso(&queue.changed).unwrap_or(0),
            changed_by: queue.changed_by,
        }))
    }

    /// Waits until the local catalog is like the server's, which is not scanning; or until the server cannot be
    /// reached, or `limit` is over.
    pub async fn settled(&self, limit: Duration) {
        let mut status = self.status();
        let settled = status.wait_for(|status| {
            matches!(status.sync, SyncState::Idle { at: Some(_) })
                || matches!(status.connection, Connection::Offline { .. })
        });
        let _ = tokio::time::timeout(limit, settled).await;
    }

    /// A picture, at most `size` pixels on its longer side; from this machine where it is kept.
    pub async fn cover(&self, id: &CoverId, size: Option<u32>) -> Result<Bytes, ClientError> {
        self.covers.get(id, size).await
    }

    /// The file on this machine that has this picture, for programs that show it themselves; fetched if it must be. None
    /// where there is no such picture, or it can be neither fetched nor kept. It may be gone after some thousand others.
    pub async fn cover_file(&self, id: &CoverId, size: Option<u32>) -> Option<PathBuf> {
        self.covers.file(id, size).await
    }

    /// The lyrics of a track, the best first; none where there are none. They are kept on this machine, and what is kept is
    /// the answer while the server cannot be asked; [`Catalog::lyrics`] gives that at once.
    pub async fn lyrics(&self, track: &Track) -> Result<Vec<Lyrics>, CatalogError> {
        lyrics::lyrics(&self.link, &self.catalog, track).await
    }

    /// What the server tells its administrators of these days (since 1970, the second one left out); a sentence where it does
    /// not.
    pub async fn insights(&self, days: (i64, i64)) -> Result<Report, String> {
        insights::report(&self.link, days).await
    }

    /// What the server keeps of the listener; none where it cannot be asked, or does not know the question. An account that is to
    /// be erased is refused everything else, so this is asked whatever the connection looks like, and tells nothing about it.
    pub async fn privacy(&self) -> Option<Privacy> {
        if self.link.is_up() && !self.link.extends("seguePrivacy").await {
            return None;
        }
        tokio::time::timeout(PATIENCE, self.link.client.privacy()).await.ok()?.ok()
    }

    /// Writes everything that the server keeps of the listener into a new file; gives its size in bytes.
    pub async fn export_account(&self, password: &str, file: &Path) -> Result<u64, String> {
        let mut body = self.link.client.export_account(password).await.map_err(|e| e.to_string())?;
        let failed = |e: std::io::Error| format!("{} cannot be written: {e}", file.display());
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let mut open = options.open(file).await.map_err(failed)?;
        let mut size = 0;
        let done = async {
            while let Some(piece) = body.next().await {
                let piece = piece.map_err(|e| e.to_string())?;
                open.write_all(&piece).await.map_err(failed)?;
                size += piece.len() as u64;
            }
            open.sync_all().await.map_err(failed)
        };
        let done = done.await;
        if done.is_err() {
            // Half a copy helps nobody.
            let _ = tokio::fs::remove_file(file).await;
        }
        done.map(|()| size)
    }

    /// Wants the account erased, or to stay after all; gives the moment (Unix ms) when it ends.
    pub async fn erase_account(&self, password: &str, cancel: bool) -> Result<Option<i64>, ClientError> {
        let privacy = self.link.client.erase_account(password, cancel).await?;
        Ok(privacy.erase_at.as_deref().and_then(from_iso))
    }

    /// Shows the listener a sentence where problems are shown.
    pub fn tell(&self, sentence: String) {
        self.link.change(|status| status.problem = Some(sentence));
    }

    /// Forgets the problem that is shown.
    pub fn dismiss_problem(&self) {
        self.link.change(|status| status.problem = None);
    }

    /// Ends the tasks and waits for them. What is not delivered waits in the catalog.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            let _ = task.await;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn until(stop: CancellationToken, task: impl Future<Output = ()>) {
    // Dropping a task in the middle is safe: the catalog's transactions roll back, requests are forgotten.
    let _ = stop.run_until_cancelled(task).await;
}

/// Tries the connection: at the start, when somebody doubts it, and now and then.
async fn keep(link: Arc<Link>, store: Option<Store>, pace: Pace) {
    let mut backoff = pace.backoff();
    loop {
        let was_up = link.is_up();
        let began = Instant::now();
        match link.client.ping().await {
            Ok(info) => {
                backoff.reset();
                if !was_up {
                    link.forget_extensions().await;
                    // What a server can is known before the first of many requests.
                    let _ = link.extends("formPost").await;
                    tracing::info!(
                        server = link.client.host(),
                        kind = info.kind.as_deref().unwrap_or("unknown"),
                        "connected"
                    );
                    link.change(|status| status.problem = None);
                }
                link.heard(began.elapsed());
                if !was_up && let Some(store) = &store {
                    store.retry_now();
                }
                tokio::select! {
                    () = link.doubt.notified() => {}
                    () = sleep(pace.heartbeat) => {}
                }
            }
            Err(error) => {
                link.failed(&error);
                // A ping that fails in whatever way is no connection.
                link.lost(&error);
                let wish = match error {
                    ClientError::Http { retry_after, .. } => retry_after,
                    _ => None,
                };
                sleep(backoff.next(wish)).await;
            }
        }
    }
}

/// Looks for news when the connection comes up, when asked, and now and then.
async fn keep_synced(mut sync: Sync, now: Arc<Notify>, pace: Pace) {
    let mut backoff = pace.backoff();
    let mut thorough = false;
    loop {
        sync.link.up().await;
        let began = Instant::now();
        let pause = match sync.look(std::mem::take(&mut thorough)).await {
            Ok(looked) => {
                backoff.reset();
                // While the server scans, news come soon; but a long pass over them is not begun at once again.
                if looked.scanning { pace.look_scanning.max(began.elapsed() * 2) } else { pace.look }
            }
            Err(error) => {
                tracing::info!(error = %error, "the sync broke off");
                sync.link.change(|status| status.sync = SyncState::Failed(error.to_string()));
                backoff.next(None)
            }
        };
        tokio::select! {
            () = now.notified() => thorough = true,
            () = sleep(pause) => {}
            () = back(&sync.link) => {}
        }
    }
}

/// Sends the outbox when the connection comes up, when something is put into it, and now and then.
async fn keep_delivering(mut outbox: Outbox, changed: Arc<Notify>, pace: Pace) {
    loop {
        outbox.link.up().await;
        let pause = match outbox.deliver().await {
            Ok(Delivery::Empty) => pace.look,
            Ok(Delivery::Later(pause)) => pause,
            Err(error) => {
                tracing::warn!(error = %error, "the outbox cannot be read");
                outbox.backoff.next(None)
            }
        };
        tokio::select! {
            () = changed.notified() => {}
            () = sleep(pause) => {}
            () = back(&outbox.link) => {}
        }
    }
}

/// Waits until the connection was lost and came back.
pub(super) async fn back(link: &Link) {
    let mut status = link.status();
    let lost = |s: &SessionStatus| matches!(s.connection, Connection::Offline { .. });
    let _ = status.wait_for(lost).await;
    let _ = status.wait_for(|s| s.connection.is_up()).await;
}
