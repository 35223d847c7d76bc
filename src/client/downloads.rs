//! Brings what is pinned to this machine, and keeps it there; and then, as far as the listener gives room for it, what they
//! will probably want to hear.
//!
//! One task works out which tracks the pins mean and which the mixes hold (again whenever the catalog or the pins change),
//! tells the store what it must not evict, and keeps a few downloads going. The store does the fetching, with its own retries, and stands back while a
//! track that somebody listens to is short of bytes; a track that it gives up is tried again after a while.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::plans::Allowed;
use super::status::SessionStatus;
use crate::cache::{Backoff, Held, Reader, Source, Store, TrackKey, Watcher};
use crate::catalog::{CatalogError, Listener, Pin, Pinned};
use crate::music::{Plan, Quality, Track, TrackId};

/// Downloads at a time.
const AT_ONCE: usize = 10;
/// How often progress is looked at while something is under way.
const TICK: Duration = Duration::from_millis(250);
/// The shortest time between two looks at the pins, for a catalog that changes all the time.
const LOOK: Duration = Duration::from_millis(500);
/// How long the store may take to ask the server whether it has another file by now.
const DOUBT: Duration = Duration::from_secs(1);
/// Attempts after which a track is left alone until something changes.
const TRIES: u32 = 5;
/// Weight of the newest tick in the rate that is shown.
const FRESH: f64 = 0.15;

/// One download that is under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Download {
    /// What.
    pub track: Arc<Track>,
    /// Bytes that are here.
    pub bytes: u64,
    /// Bytes of the whole; 0 where nobody knows.
    pub total: u64,
    /// Why nothing comes just now, as a sentence.
    pub waiting: Option<String>,
}

/// What is kept here without being asked for by name: the listener gave room for what they will probably want to hear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Bytes of room for it; 0 where the listener gave none.
    pub room: u64,
    /// Tracks that fit in.
    pub tracks: u64,
    /// Those of them that are whole on this machine.
    pub here: u64,
    /// Bytes of those.
    pub bytes: u64,
}

/// All that a screen shows of pins and downloads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DownloadStatus {
    /// Every pin, the oldest first.
    pub pins: Arc<Vec<Pinned>>,
    /// All tracks that pins mean.
    pub tracks: Arc<HashSet<TrackId>>,
    /// What is under way.
    pub active: Vec<Download>,
    /// Tracks that wait their turn.
    pub waiting: u64,
    /// Pinned tracks that are whole on this machine.
    pub done: u64,
    /// What does not come, each with the reason as a sentence.
    pub failed: Vec<(Arc<Track>, String)>,
    /// Whether the listener paused it.
    pub paused: bool,
    /// Bytes in a second, lately.
    pub rate: u64,
    /// Bytes still to come, as far as sizes are known.
    pub bytes_left: u64,
    /// What is kept beside the pins.
    pub ahead: Ahead,
    /// Why nothing is kept at all, as a sentence, if so.
    pub barred: Option<String>,
}

impl DownloadStatus {
    /// How long the rest takes at this rate, in ms; `None` when nothing moves.
    pub fn remaining_ms(&self) -> Option<u64> {
        (self.rate > 0 && self.bytes_left > 0).then(|| self.bytes_left.saturating_mul(1000) / self.rate)
    }

    /// Whether everything that is pinned and can be had is here.
    pub fn settled(&self) -> bool {
        let failed = self.failed.iter().filter(|(track, _)| self.tracks.contains(&track.id)).count();
        self.done + failed as u64 >= self.tracks.len() as u64
    }

    /// Whether nothing more comes, neither what is pinned nor what is kept beside it.
    pub fn idle(&self) -> bool {
        self.active.is_empty() && self.waiting == 0
    }

    /// Whether this very thing is pinned.
    pub fn is_pinned(&self, pin: &Pin) -> bool {
        self.pins.iter().any(|p| p.pin == *pin)
    }
}

/// A handle on the downloads of a session. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Downloads {
    status: watch::Receiver<DownloadStatus>,
    orders: Arc<Orders>,
}

#[derive(Debug)]
pub(super) struct Orders {
    pub(super) changed: Notify,
    paused: watch::Sender<bool>,
    retry: Notify,
    /// How often somebody asked to wait for a look…
    asked: AtomicU64,
    /// …and how many of those were answered by one that is over and told.
    answered: watch::Sender<u64>,
}

impl Downloads {
    /// What to show; changes wake the receiver.
    pub fn status(&self) -> watch::Receiver<DownloadStatus> {
        self.status.clone()
    }

    /// The pins changed: look at them now.
    pub fn changed(&self) {
        self.orders.changed.notify_one();
    }

    /// Stops fetching, or goes on. What is here stays, and goes on where it was.
    pub fn pause(&self, paused: bool) {
        self.orders.paused.send_replace(paused);
    }

    /// Tries again what failed.
    pub fn retry(&self) {
        self.orders.retry.notify_one();
    }

    /// Waits until the pins as they are now were looked at.
    pub async fn looked(&self) {
        let mut answered = self.orders.answered.subscribe();
        let mine = self.orders.asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.changed();
        // The manager may be gone.
        let _ = answered.wait_for(|answered| *answered >= mine).await;
    }
}

struct Active {
    track: Arc<Track>,
    /// Lives as long as the download is wanted.
    _reader: Reader,
    watcher: Watcher,
    seen: u64,
}

struct Failed {
    track: Arc<Track>,
    why: String,
    backoff: Backoff,
    again: Option<Instant>,
}

pub(super) struct Manager {
    listener: Listener,
    store: Store,
    source: Arc<dyn Source>,
    quality: Quality,
    /// Bytes of room for what is kept beside the pins.
    room: u64,
    seen: Seen,
    orders: Arc<Orders>,
    status: watch::Sender<DownloadStatus>,
    pins: Arc<Vec<Pinned>>,
    /// What the pins mean.
    wanted: Arc<HashSet<TrackId>>,
    /// What is kept beside it, with the bytes of each.
    ahead: HashMap<TrackId, u64>,
    queue: Vec<Arc<Track>>,
    active: HashMap<TrackId, Active>,
    failed: HashMap<TrackId, Failed>,
    /// Tracks, with their lengths, of which the server was asked whether they are still the ones that are here.
    asked: HashSet<(TrackId, u64)>,
    /// When to look again although nothing changed.
    look_at: Option<Instant>,
    rate: f64,
}

/// Bytes of a track in a quality, as far as they can be told beforehand.
fn expected(quality: Quality, track: &Track) -> u64 {
    quality.of(track).kbps().map_or(track.size, |kbps| track.duration_ms * u64::from(kbps) / 8)
}

/// What is kept on this machine, and in which form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kept {
    /// The form of what is downloaded.
    pub quality: Quality,
    /// Bytes of room for what the listener will probably want to hear, beside the pins; 0 for none.
    pub room: u64,
}

/// What the downloads go by.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) session: watch::Receiver<SessionStatus>,
    pub(super) allowed: watch::Receiver<Allowed>,
}

/// The manager and its handle.
pub(super) fn downloads(
    listener: Listener,
    store: Store,
    source: Arc<dyn Source>,
    kept: Kept,
    seen: Seen,
) -> (Manager, Downloads) {
    let orders = Arc::new(Orders {
        changed: Notify::new(),
        paused: watch::Sender::new(false),
        retry: Notify::new(),
        asked: AtomicU64::new(0),
        answered: watch::Sender::new(0),
    });
    let status = watch::Sender::new(DownloadStatus::default());
    let handle = Downloads { status: status.subscribe(), orders: Arc::clone(&orders) };
    let manager = Manager {
        listener,
        store,
        source,
        quality: kept.quality,
        room: kept.room,
        seen,
        orders,
        status,
        pins: Arc::default(),
        wanted: Arc::default(),
        ahead: HashMap::new(),
        queue: Vec::new(),
        active: HashMap::new(),
        failed: HashMap::new(),
        asked: HashSet::new(),
        look_at: None,
        rate: 0.0,
    };
    (manager, handle)
}

/// Why a plan lets nothing be kept; none where it does.
pub fn barred(plan: &Plan) -> Option<String> {
    if plan.offline {
        return None;
    }
    let why =
        format!("The plan “{}” keeps no music for times without a network. {}", plan.name, plan.upgrade);
    Some(why.trim_end().to_owned())
}

impl Manager {
    /// Works until it is dropped.
    pub(super) async fn run(mut self) {
        let mut paused = self.orders.paused.subscribe();
        let mut generation = None;
        let mut look = true;
        let mut answers = 0;
        let mut ticked = Instant::now();
        loop {
            let now = self.seen.session.borrow_and_update().catalog_generation;
            if look || generation != Some(now) {
                generation = Some(now);
                answers = self.orders.asked.load(Ordering::Acquire);
                if let Err(error) = self.look().await {
                    tracing::warn!(error = %error, "the pins cannot be read");
                }
            }
            let is_paused = *paused.borrow_and_update();
            self.step(is_paused, ticked.elapsed());
            self.orders.answered.send_replace(answers);
            ticked = Instant::now();
            look = false;
            let orders = Arc::clone(&self.orders);
            let busy = !self.active.is_empty();
            let again = self.failed.values().filter_map(|f| f.again).chain(self.look_at).min();
            tokio::select! {
                () = orders.changed.notified() => look = true,
                changed = self.seen.allowed.changed() => {
                    if changed.is_err() { return; }
                    look = true;
                }
                () = orders.retry.notified() => { self.failed.clear(); look = true; }
                _ = paused.changed() => {}
                () = sleep(TICK), if busy => {}
                () = tokio::time::sleep_until(again.unwrap_or_else(Instant::now).into()), if again.is_some() => look = true,
                changed = self.seen.session.changed() => {
                    if changed.is_err() { return; }
                    // A catalog that is just being copied changes with every page.
                    if generation != Some(self.seen.session.borrow().catalog_generation) {
                        tokio::select! { () = sleep(LOOK) => {} () = orders.changed.notified() => look = true }
                    }
                }
            }
        }
    }

    /// Works out what is wanted and what of it is missing.
    async fn look(&mut self) -> Result<(), CatalogError> {
        self.look_at = self.look_at.filter(|at| *at > Instant::now());
        let pins = self.listener.pins().await?;
        let ids = if pins.is_empty() { Vec::new() } else { self.listener.pinned_tracks().await? };
        self.pins = Arc::new(pins);
        let mut tracks = self.listener.tracks(&ids).await?;
        self.wanted = Arc::new(ids.into_iter().collect());
        let ahead = self.look_ahead().await?;
        self.ahead = ahead.iter().map(|track| (track.id.clone(), self.expected(track))).collect();
        tracks.extend(ahead);
        let allowed = self.seen.allowed.borrow_and_update().clone();
        if !allowed.plan.offline {
            tracks.clear();
            self.active.clear();
        }
        let ads = allowed.ads.iter().map(|ad| TrackKey::raw(ad.track.clone()));
        let keys: HashSet<TrackKey> = tracks.iter().map(|track| self.key(track)).chain(ads).collect();
        let store = self.store.clone();
        let _ = tokio::task::spawn_blocking(move || store.set_pinned(keys)).await;
        let missing = tracks.into_iter().filter(|track| !self.is_here(track));
        let mut queue: Vec<Arc<Track>> = missing.map(Arc::new).collect();
        // Taken from the end.
        queue.reverse();
        self.queue = queue;
        let (wanted, ahead) = (&self.wanted, &self.ahead);
        self.active.retain(|id, _| wanted.contains(id) || ahead.contains_key(id));
        self.failed.retain(|id, _| wanted.contains(id) || ahead.contains_key(id));
        Ok(())
    }

    /// The likeliest tracks that fit into the room for them and are not pinned.
    async fn look_ahead(&self) -> Result<Vec<Track>, CatalogError> {
        if self.room == 0 || !self.seen.allowed.borrow().plan.offline {
            return Ok(Vec::new());
        }
        let likely = self.listener.likely_tracks().await?;
        let likely: Vec<TrackId> = likely.into_iter().filter(|id| !self.wanted.contains(id)).collect();
        let mut room = self.room;
        let mut tracks = self.listener.tracks(&likely).await?;
        tracks.retain(|track| match room.checked_sub(self.expected(track)) {
            Some(rest) => {
                room = rest;
                true
            }
            None => false,
        });
        Ok(tracks)
    }

    /// In which form a track is kept: the original where that is here already, so that nothing is fetched twice.
    fn key(&self, track: &Track) -> TrackKey {
        let raw = TrackKey::raw(track.id.clone());
        if self.store.held(&raw) == Held::Whole { raw } else { TrackKey::of(track, self.quality.of(track)) }
    }

    /// Whether a track is whole on this machine, and not one that the server has replaced since.
    fn is_here(&self, track: &Track) -> bool {
        self.store.held(&self.key(track)) == Held::Whole && !self.is_doubtful(track)
    }

    /// Whether the catalog knows another length than the original that is here has, and the server was not asked yet.
    fn is_doubtful(&self, track: &Track) -> bool {
        let held = self.store.length(&TrackKey::raw(track.id.clone()));
        track.size > 0
            && held.is_some_and(|held| held != track.size)
            && !self.asked.contains(&(track.id.clone(), track.size))
    }

    /// Ends what is through, begins what is next, and tells.
    fn step(&mut self, paused: bool, since: Duration) {
        let up = self.seen.session.borrow().connection.is_up();
        if paused {
            self.active.clear();
        }
        let mut came = 0;
        let mut shown = Vec::new();
        let mut over = Vec::new();
        for (id, active) in &mut self.active {
            let progress = active.watcher.progress();
            let bytes: u64 = progress.ranges.iter().map(|r| r.end - r.start).sum();
            came += bytes.saturating_sub(active.seen);
            active.seen = bytes;
            if progress.whole {
                over.push((id.clone(), None));
            } else if let Some(why) = progress.failed.or(progress.notice) {
                // What the disk does not take is no download.
                over.push((id.clone(), Some(why)));
            } else {
                let total = progress.total.unwrap_or_else(|| expected(self.quality, &active.track));
                let track = Arc::clone(&active.track);
                shown.push(Download { track, bytes, total, waiting: progress.waiting });
            }
        }
        for (id, why) in over {
            let Some(active) = self.active.remove(&id) else { continue };
            match why {
                None => {
                    self.failed.remove(&id);
                    if self.is_doubtful(&active.track) {
                        // The store asks the server, and forgets the old file if there is a new one.
                        self.asked.insert((id, active.track.size));
                        self.look_at = Some(Instant::now() + DOUBT);
                    }
                }
                Some(why) => self.fail(&active.track, why),
            }
        }
        let now = Instant::now();
        while up && !paused && self.active.len() < AT_ONCE {
            let Some(track) = self.queue.pop() else { break };
            let key = self.key(&track);
            let resting = self.failed.get(&track.id).is_some_and(|f| f.again.is_none_or(|at| at > now));
            if resting || self.active.contains_key(&track.id) || self.is_here(&track) {
                continue;
            }
            let original = key == TrackKey::raw(track.id.clone());
            let size = Some(track.size).filter(|n| *n > 0 && original);
            match self.store.download(&key, size, Arc::clone(&self.source), &Handle::current()) {
                Ok(reader) => {
                    let watcher = reader.watcher();
                    let seen = watcher.progress().ranges.iter().map(|r| r.end - r.start).sum();
                    shown.push(Download {
                        track: Arc::clone(&track),
                        bytes: seen,
                        total: self.expected(&track),
                        waiting: None,
                    });
                    self.active.insert(track.id.clone(), Active { track, _reader: reader, watcher, seen });
                }
                Err(error) => self.fail(&track, error.to_string()),
            }
        }
        self.tell(paused, shown, came, since);
    }

    fn expected(&self, track: &Track) -> u64 {
        expected(self.quality, track)
    }

    fn fail(&mut self, track: &Arc<Track>, why: String) {
        tracing::warn!(track = %track.id, why, "a pinned track does not come");
        let failed = self.failed.entry(track.id.clone()).or_insert_with(|| Failed {
            track: Arc::clone(track),
            why: String::new(),
            backoff: Backoff::new(Duration::from_secs(5), Duration::from_mins(5)),
            again: None,
        });
        failed.why = why;
        let pause = failed.backoff.next(None);
        failed.again = (failed.backoff.attempts() < TRIES).then(|| Instant::now() + pause);
    }

    fn tell(&mut self, paused: bool, mut active: Vec<Download>, came: u64, since: Duration) {
        active.sort_by(|a, b| a.track.id.cmp(&b.track.id));
        let newest = came as f64 / since.as_secs_f64().max(0.001);
        self.rate = if active.is_empty() { 0.0 } else { self.rate * (1.0 - FRESH) + newest * FRESH };
        let left: u64 = active.iter().map(|d| d.total.saturating_sub(d.bytes)).sum();
        let (mut waiting, mut queued_bytes) = (0, 0);
        let mut missing: HashSet<&TrackId> = self.active.keys().chain(self.failed.keys()).collect();
        for track in &self.queue {
            if missing.insert(&track.id) {
                waiting += 1;
                queued_bytes += self.expected(track);
            }
        }
        let (pinned, ahead): (Vec<&TrackId>, Vec<&TrackId>) =
            missing.into_iter().partition(|id| self.wanted.contains(*id));
        let absent: u64 = ahead.iter().filter_map(|id| self.ahead.get(*id)).sum();
        let mut failed: Vec<(Arc<Track>, String)> =
            self.failed.values().map(|f| (Arc::clone(&f.track), f.why.clone())).collect();
        failed.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        let status = DownloadStatus {
            pins: Arc::clone(&self.pins),
            tracks: Arc::clone(&self.wanted),
            done: self.wanted.len().saturating_sub(pinned.len()) as u64,
            waiting,
            failed,
            paused,
            rate: self.rate as u64,
            bytes_left: left + queued_bytes,
            ahead: Ahead {
                room: self.room,
                tracks: self.ahead.len() as u64,
                here: self.ahead.len().saturating_sub(ahead.len()) as u64,
                bytes: self.ahead.values().sum::<u64>().saturating_sub(absent),
            },
            active,
            barred: barred(&self.seen.allowed.borrow().plan),
        };
        self.status.send_if_modified(|old| {
            let news = *old != status;
            *old = status;
            news
        });
    }
}
