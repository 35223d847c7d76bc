//! Between floors 1 and 2: hears tracks and writes down what they sound like, for a server's folders and for a
//! player's cache alike.
//!
//! ```text
//!  catalog: what is unheard ─▶ open (whose files?) ─▶ audio: decode ─▶ taste: Ear ─▶ catalog: figures
//!                               └──── one thread each, low priority ────┘              └─▶ albums that are complete: gains
//! ```
//!
//! One decoding pass gives both the figures and the loudness. [`Analyst::run`] goes once over everything that this version
//! of the formulas has not heard; what it wrote down stays when it is stopped, so that the next run goes on there.
//! Memory: a decoder and an [`Ear`] for each thread, and at most [`BATCH`] results.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::audio::{self, Cause, Media};
use crate::catalog::{Catalog, CatalogError, Heard, Unheard};
use crate::taste::sonic::{Blocks, Ear, Portrait, VERSION, replay_gains};

/// Tracks asked for and written at a time.
const BATCH: u32 = 64;
/// Longest that results wait to be written.
const WRITE_EVERY: Duration = Duration::from_secs(3);
/// Albums measured between two writes.
const ALBUMS: u32 = 64;
/// How much a thread of it gives way to all others (19 is the most).
const NICENESS: i32 = 19;
/// Longest part of a track that is heard: three hours. A stream without an end ends there.
const LONGEST: f64 = 3.0 * 3600.0;

/// Opens a track's file; `None` where it is not on this machine (now), an error where it is there and cannot be read.
/// Called on a thread that may block.
pub type Open = Arc<dyn Fn(&Unheard) -> io::Result<Option<Box<dyn Media>>> + Send + Sync>;

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnalysisStatus {
    /// Whether a run is under way.
    pub running: bool,
    /// Whether it was told to pause.
    pub paused: bool,
    /// Tracks heard in this run, or in the last one.
    pub heard: u64,
    /// Tracks that could not be heard.
    pub failed: u64,
    /// Tracks that this run is to hear.
    pub total: u64,
    /// How often measured loudness was written so far.
    pub gains_written: u64,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnalysisReport {
    /// Tracks heard.
    pub heard: u64,
    /// Tracks that could not be heard, and are not tried again until they change.
    pub failed: u64,
    /// Tracks that are not on this machine.
    pub absent: u64,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// Hears the tracks of one catalog. Every clone is the same one.
#[derive(Clone)]
pub struct Analyst(Arc<Inner>);

struct Inner {
    catalog: Catalog,
    open: Open,
    threads: usize,
    /// One run at a time.
    turn: tokio::sync::Mutex<()>,
    running: AtomicBool,
    heard: AtomicU64,
    failed: AtomicU64,
    total: AtomicU64,
    gains_written: AtomicU64,
    paused: Mutex<bool>,
    resumed: Condvar,
}

impl std::fmt::Debug for Analyst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Analyst").field(&self.status()).finish()
    }
}

impl Analyst {
    /// Over a catalog whose files `open` finds, on `threads` threads (at least one). Nothing is heard yet.
    pub fn new(catalog: Catalog, open: Open, threads: usize) -> Self {
        Self(Arc::new(Inner {
            catalog,
            open,
            threads: threads.max(1),
            turn: tokio::sync::Mutex::default(),
            running: AtomicBool::new(false),
            heard: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            total: AtomicU64::new(0),
            gains_written: AtomicU64::new(0),
            paused: Mutex::new(false),
            resumed: Condvar::new(),
        }))
    }

    /// How far it is.
    pub fn status(&self) -> AnalysisStatus {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        AnalysisStatus {
            running: self.0.running.load(Ordering::Relaxed),
            paused: *self.0.paused(),
            heard: count(&self.0.heard),
            failed: count(&self.0.failed),
            total: count(&self.0.total),
            gains_written: count(&self.0.gains_written),
        }
    }

    /// Holds the work at its next breath (some milliseconds), or goes on.
    pub fn set_paused(&self, on: bool) {
        *self.0.paused() = on;
        self.0.resumed.notify_all();
    }

    /// Hears everything that is unheard, once, until `stop`. Waits for a run that is under way.
    pub async fn run(&self, stop: &CancellationToken) -> Result<AnalysisReport, CatalogError> {
        self.run_into(&self.0.catalog, stop).await
    }

    /// The same into another handle of the catalog: one that stops writing when somebody else hears.
    pub async fn run_into(
        &self,
        catalog: &Catalog,
        stop: &CancellationToken,
    ) -> Result<AnalysisReport, CatalogError> {
        let _turn = self.0.turn.lock().await;
        let before = catalog.sonic_progress(VERSION).await?;
        self.0.heard.store(0, Ordering::Relaxed);
        self.0.failed.store(0, Ordering::Relaxed);
        self.0
            .total
            .store(before.tracks - (before.heard + before.failed).min(before.tracks), Ordering::Relaxed);
        self.0.running.store(true, Ordering::Relaxed);
        let result = self.hear_all(catalog, stop).await;
        self.0.running.store(false, Ordering::Relaxed);
        result
    }

    async fn hear_all(
        &self,
        catalog: &Catalog,
        stop: &CancellationToken,
    ) -> Result<AnalysisReport, CatalogError> {
        let mut report = AnalysisReport::default();
        // What an earlier run heard and did not come to measure.
        self.measure_albums(catalog).await?;
        let mut work = Work::start(&self.0, stop);
        let (mut after, mut asked_all, mut waiting) = (None, false, 0_usize);
        let mut heard: Vec<Heard> = Vec::new();
        let mut written = Instant::now();
        loop {
            // Keeps the threads busy without holding the whole library.
            if !asked_all && waiting < BATCH as usize / 2 {
                let next = catalog.unheard(VERSION, after.as_ref(), BATCH).await?;
                asked_all = next.is_empty();
                after = next.last().map(|track| track.track.clone()).or(after);
                waiting += next.len();
                work.give(next);
            }
            if waiting == 0 && asked_all {
                break;
            }
            let done = tokio::select! {
                done = work.results.recv() => done,
                () = stop.cancelled() => None,
            };
            let Some(done) = done else {
                report.stopped = true;
                break;
            };
            waiting -= 1;
            match done {
                Done::Absent => report.absent += 1,
                Done::Heard(row) => {
                    let counter = if row.sound.is_ok() { &self.0.heard } else { &self.0.failed };
                    counter.fetch_add(1, Ordering::Relaxed);
                    heard.push(*row);
                }
            }
            if heard.len() >= BATCH as usize || written.elapsed() >= WRITE_EVERY {
                catalog.put_heard(&std::mem::take(&mut heard)).await?;
                self.measure_albums(catalog).await?;
                written = Instant::now();
            }
        }
        catalog.put_heard(&heard).await?;
        self.measure_albums(catalog).await?;
        let status = self.status();
        (report.heard, report.failed) = (status.heard, status.failed);
        Ok(report)
    }

    /// Writes the gains of albums all of whose tracks were heard.
    async fn measure_albums(&self, catalog: &Catalog) -> Result<(), CatalogError> {
        loop {
            let albums = catalog.unmeasured_albums(VERSION, ALBUMS).await?;
            if albums.is_empty() {
                return Ok(());
            }
            let mut gains = Vec::new();
            for album in &albums {
                let rows = catalog.album_blocks(album).await?;
                let (tracks, parts): (Vec<_>, Vec<_>) = rows
                    .into_iter()
                    .map(|(track, blocks, peak)| (track, (Blocks::from_text(&blocks), peak)))
                    .unzip();
                gains.extend(tracks.into_iter().zip(replay_gains(&parts)));
            }
            catalog.put_measured_gains(&gains).await?;
            self.0.gains_written.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Inner {
    fn paused(&self) -> MutexGuard<'_, bool> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while it is paused; false when it shall stop.
    fn breathe(&self, stop: &CancellationToken) -> bool {
        let mut paused = self.paused();
        while *paused && !stop.is_cancelled() {
            let waited = self.resumed.wait_timeout(paused, Duration::from_millis(200));
            paused = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        !stop.is_cancelled()
    }

    /// Hears one track; `None` when it was stopped on the way.
    fn hear(&self, track: &Unheard, stop: &CancellationToken) -> Option<Done> {
        let row = |blocks: String, sound| {
            let (track, size) = (track.track.clone(), track.size);
            Done::Heard(Box::new(Heard { track, size, version: VERSION, blocks, sound }))
        };
        let media = match (self.open)(track) {
            Ok(Some(media)) => media,
            Ok(None) => return Some(Done::Absent),
            // A disk that is away: another run will find it.
            Err(error) => {
                tracing::debug!(track = %track.track.as_str(), %error, "a track cannot be opened to hear it");
                return Some(Done::Absent);
            }
        };
        let mut stopped = false;
        let heard = catch_unwind(AssertUnwindSafe(|| {
            listen(media, &track.suffix, || {
                stopped = !self.breathe(stop);
                !stopped
            })
        }));
        if stopped {
            return None;
        }
        Some(match heard {
            Ok(Ok(portrait)) => row(portrait.blocks.to_text(), Ok(portrait.sonic)),
            Ok(Err(error)) if error.cause == Cause::Unreadable => Done::Absent,
            Ok(Err(error)) => row(String::new(), Err(error.reason)),
            Err(_) => row(String::new(), Err("decoding it failed in an unforeseen way".to_owned())),
        })
    }
}

/// Decodes a file from its beginning to its end and gives what was heard; `go_on` is asked every few milliseconds of work. A
/// file that breaks in the middle is judged by what came before.
pub fn listen(
    media: Box<dyn Media>,
    suffix: &str,
    mut go_on: impl FnMut() -> bool,
) -> Result<Portrait, audio::DecodeError> {
    let (mut ear, mut seconds) = (Ear::new(), 0.0);
    let decoded = audio::decode(media, suffix, 0, |rate, frames| {
        ear.hear(rate, frames);
        seconds += frames.len() as f64 / f64::from(rate.max(1));
        if seconds < LONGEST && go_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    match (decoded, ear.finish()) {
        (Err(error), _) if error.cause == Cause::Unreadable => Err(error),
        (_, Ok(portrait)) => Ok(portrait),
        (Err(error), Err(_)) => Err(error),
        (Ok(_), Err(reason)) => Err(audio::DecodeError { reason, cause: Cause::Unplayable }),
    }
}

enum Done {
    Heard(Box<Heard>),
    Absent,
}

/// The threads of a run; they end when it is dropped, after the breath that they are in.
struct Work {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    results: mpsc::UnboundedReceiver<Done>,
    stop: CancellationToken,
}

#[derive(Default)]
struct Queue {
    tracks: VecDeque<Unheard>,
    closed: bool,
}

impl Work {
    fn start(inner: &Arc<Inner>, stop: &CancellationToken) -> Self {
        let (send, results) = mpsc::unbounded_channel();
        let queue = Arc::new((Mutex::new(Queue::default()), Condvar::new()));
        let stop = stop.child_token();
        for _ in 0..inner.threads {
            let (inner, queue, send, stop) =
                (Arc::clone(inner), Arc::clone(&queue), send.clone(), stop.clone());
            let work = move || {
                give_way();
                while let Some(track) = next(&queue) {
                    let Some(done) = inner.hear(&track, &stop) else { return };
                    if send.send(done).is_err() {
                        return;
                    }
                }
            };
            // The name tells the panic hook that a decoder's panic is caught here.
            let started = std::thread::Builder::new().name(audio::DECODE_THREAD.to_owned()).spawn(work);
            if let Err(error) = started {
                tracing::warn!(%error, "no thread to hear tracks on");
            }
        }
        Self { queue, results, stop }
    }

    fn give(&self, tracks: Vec<Unheard>) {
        let (queue, news) = &*self.queue;
        queue.lock().unwrap_or_else(PoisonError::into_inner).tracks.extend(tracks);
        news.notify_all();
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.stop.cancel();
        let (queue, news) = &*self.queue;
        queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        news.notify_all();
    }
}

/// The next track; waits for one, and gives none when the run is over.
fn next((queue, news): &(Mutex<Queue>, Condvar)) -> Option<Unheard> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if queue.closed {
            return None;
        }
        if let Some(track) = queue.tracks.pop_front() {
            return Some(track);
        }
        queue = news.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Lets every other thread of the machine go first, where that can be asked for.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "this thread keeps its priority");
    }
}
