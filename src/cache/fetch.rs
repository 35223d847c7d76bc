//! The fetch task: one for each open entry, while somebody reads it and something is missing.
//!
//! It runs one main request at a time (a body that is written through as it comes) and at most one small side
//! request. [`plan::decide`] says what to do after every chunk and every time that a reader calls. Failures that
//! may pass are waited out; only a refusal, or a file that is no longer the same, ends it. While a track that somebody
//! listens to is short of bytes (it is *hungry*), the tasks of all others leave their bodies unread.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{BoxStream, FuturesUnordered},
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::backoff::Backoff;
use super::entry::{Changed, Entry};
use super::plan::{self, Job, MainState, Move, SideState, View};
use super::source::{FetchError, Reply};
use super::store::{Pace, Release};

/// Bytes before a resumption that are fetched again and compared.
const OVERLAP: u64 = 4096;
/// Answers that do not fit the question, in a row, after which the server is given up.
const ODD_ANSWERS: u32 = 5;

type Body = BoxStream<'static, Result<Bytes, FetchError>>;
type Answer = Result<Reply, FetchError>;

enum Main {
    Idle,
    Asking {
        job: Job,
        answer: BoxFuture<'static, Answer>,
    },
    Streaming {
        at: u64,
        end: Option<u64>,
        compare: bool,
        /// Whether the entity tag promises that it is the same file.
        surely: bool,
        /// Whether it brought anything that was not held.
        fresh: bool,
        body: Body,
        silent_after: Instant,
    },
    Resting {
        until: Instant,
    },
}

enum Side {
    Idle,
    Running { job: Job, done: BoxFuture<'static, Result<(Reply, Bytes), FetchError>> },
    Resting { until: Instant },
}

enum Happened {
    Woken,
    Answered(Job, Box<Answer>),
    Chunk(Result<Option<Bytes>, FetchError>),
    Rested,
    Side(Job, Box<Result<(Reply, Bytes), FetchError>>),
    SideRested,
    Saved,
}

/// The task's sign of life. However the task ends, even with the runtime, readers learn of it: they must never
/// wait for nobody.
pub(super) struct Running {
    entry: Arc<Entry>,
    id: u64,
}

impl Running {
    pub(super) fn new(entry: Arc<Entry>, id: u64) -> Self {
        Self { entry, id }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.entry.state();
        if state.task == Some(self.id) {
            state.task = None;
            state.unsure = false;
            state.give_up("the download was stopped");
        }
        drop(state);
        self.entry.live.arrived.notify_all();
        Release::later(&self.entry);
    }
}

struct Fetcher {
    pace: Pace,
    entry: Arc<Entry>,
    main: Main,
    side: Side,
    backoff: Backoff,
    side_backoff: Backoff,
    /// Whether the server gives parts; assumed until it does not.
    parts: bool,
    odd: u32,
    /// Where a body of unknown length ended last.
    ended_at: Option<u64>,
    saving: FuturesUnordered<JoinHandle<()>>,
    save_after: Instant,
    /// Whether a hash was taken of the finished file, or tried.
    sealed: bool,
    hunger: Hunger,
    /// Whether it is being asked if more follows after the end that the server told.
    probe: Probe,
    /// Whether the body was left unread since the last step, for however long.
    paused: bool,
}

/// The look behind an end that comes earlier than the catalog says: a length may be told wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    Due,
    Running,
    Done,
}

/// This task's part in the store's count of hungry tracks; taken back however the task ends.
struct Hunger {
    count: watch::Sender<usize>,
    mine: bool,
}

impl Hunger {
    fn set(&mut self, hungry: bool) {
        if self.mine != hungry {
            self.mine = hungry;
            self.count.send_modify(|n| *n = if hungry { *n + 1 } else { n.saturating_sub(1) });
        }
    }

    fn of_others(&self) -> bool {
        !self.mine && *self.count.borrow() > 0
    }
}

impl Drop for Hunger {
    fn drop(&mut self) {
        self.set(false);
    }
}

/// Fetches until everything is there, nobody reads any more, or it is of no use.
pub(super) async fn run(running: Running) {
    let pace = running.entry.store.pace;
    let mut fetcher = Fetcher {
        pace,
        entry: Arc::clone(&running.entry),
        main: Main::Idle,
        side: Side::Idle,
        backoff: Backoff::new(pace.first_pause, pace.longest_pause),
        side_backoff: Backoff::new(pace.first_pause, pace.longest_pause),
        parts: true,
        odd: 0,
        ended_at: None,
        saving: FuturesUnordered::new(),
        save_after: Instant::now() + pace.save_every,
        sealed: false,
        hunger: Hunger { count: running.entry.store.hungry.clone(), mine: false },
        probe: Probe::Due,
        paused: false,
    };
    fetcher.ask_whether_it_is_still_the_same().await;
    while fetcher.step().await {}
    drop(running);
}

impl Fetcher {
    /// For a whole file whose length the catalog does not believe: one small request. What is here plays on whatever
    /// the answer; when the server has another file, this one is forgotten after use.
    async fn ask_whether_it_is_still_the_same(&mut self) {
        if !std::mem::take(&mut self.entry.state().doubtful) {
            return;
        }
        let etag = self.entry.state().etag.clone();
        let stale = match self.request(Job { from: 0, to: Some(1) }, etag).await {
            Ok(reply) => self.same(&reply).is_err(),
            Err(FetchError::OutOfRange { .. }) => true,
            Err(_) => false,
        };
        self.entry.state().stale |= stale;
    }

    /// Decides, waits for one thing to happen, handles it. False at the end of the work.
    async fn step(&mut self) -> bool {
        let (mut decision, finished) = {
            let mut state = self.entry.state();
            if self.probe == Probe::Due && state.unsure && state.whole() {
                self.probe = Probe::Running;
                let end = state.total.unwrap_or(0);
                drop(state);
                self.ask(Job { from: end, to: None });
                state = self.entry.state();
            }
            if self.probe == Probe::Running && matches!(self.main, Main::Idle) {
                self.probe = Probe::Done;
                state.unsure = false;
                self.entry.live.arrived.notify_all();
            }
            let finished = state.whole() && self.probe != Probe::Running;
            let to_seal = finished && !self.sealed;
            if !to_seal && (finished || state.readers.is_empty() || state.failed.is_some()) {
                // Under the same lock as the check: a reader that comes now starts another task.
                state.task = None;
                state.unsure = false;
                return false;
            }
            if finished {
                state.waiting = None;
            }
            if std::mem::take(&mut state.hurry) {
                if matches!(self.main, Main::Resting { .. }) {
                    self.main = Main::Idle;
                }
                if matches!(self.side, Side::Resting { .. }) {
                    self.side = Side::Idle;
                }
            }
            let have = state.have();
            let waiting = state.waits(&have);
            let view = View {
                have: &have,
                total: state.total,
                hint: state.hint,
                focus: state.focus,
                waiting: &waiting,
                memory: state.in_memory,
                parts: self.parts,
                main: self.main.state(),
                side: self.side.state(),
            };
            let decision = plan::decide(&view);
            // One whose server rests holds up nobody.
            let active = !matches!(self.main, Main::Resting { .. }) || !matches!(self.side, Side::Idle);
            self.hunger.set(active && !finished && state.hungry(&have));
            (decision, finished)
        };
        if finished {
            let entry = Arc::clone(&self.entry);
            let _ = tokio::task::spawn_blocking(move || entry.seal()).await;
            self.sealed = true;
            return true;
        }
        self.sealed = false;
        let yields = self.hunger.of_others();
        if yields {
            match decision.main {
                Move::Start(_) => decision.main = Move::Keep,
                Move::Keep => decision.main = Move::Pause,
                Move::Pause | Move::Stop => {}
            }
            decision.side = None;
        }
        let paused = decision.main == Move::Pause;
        if std::mem::replace(&mut self.paused, paused)
            && let Main::Streaming { silent_after, .. } = &mut self.main
        {
            *silent_after = Instant::now() + self.pace.silence;
        }
        match decision.main {
            Move::Keep | Move::Pause => {}
            Move::Stop => {
                self.main = Main::Idle;
                return true;
            }
            Move::Start(job) => self.ask(job),
        }
        if let Some(job) = decision.side {
            self.ask_aside(job);
        }
        let happened = self.wait(paused, yields).await;
        self.handle(happened);
        self.save_sometimes();
        true
    }

    async fn wait(&mut self, paused: bool, yields: bool) -> Happened {
        let mut others = self.hunger.count.subscribe();
        let fed = async {
            if !yields || others.wait_for(|n| *n == 0).await.is_err() {
                pending::<()>().await;
            }
        };
        let main = async {
            match &mut self.main {
                Main::Idle => pending().await,
                Main::Asking { job, answer } => {
                    let answer = answer.await;
                    Happened::Answered(*job, Box::new(answer))
                }
                Main::Streaming { .. } if paused => pending().await,
                Main::Streaming { body, silent_after, .. } => {
                    Happened::Chunk(match timeout_at(*silent_after, body.next()).await {
                        Ok(item) => item.transpose(),
                        Err(_) => {
                            Err(FetchError::Retry { after: None, why: "the server went silent".into() })
                        }
                    })
                }
                Main::Resting { until } => {
                    sleep_until(*until).await;
                    Happened::Rested
                }
            }
        };
        let side = async {
            match &mut self.side {
                Side::Idle => pending().await,
                Side::Running { job, done } => {
                    let done = done.await;
                    Happened::Side(*job, Box::new(done))
                }
                Side::Resting { until } => {
                    sleep_until(*until).await;
                    Happened::SideRested
                }
            }
        };
        tokio::select! {
            biased;
            () = self.entry.live.wake.notified() => Happened::Woken,
            () = fed => Happened::Woken,
            Some(_) = self.saving.next() => Happened::Saved,
            happened = side => happened,
            happened = main => happened,
        }
    }

    fn handle(&mut self, happened: Happened) {
        match happened {
            Happened::Woken | Happened::Saved => {}
            Happened::Rested => self.main = Main::Idle,
            Happened::SideRested => self.side = Side::Idle,
            Happened::Answered(job, answer) => match *answer {
                Ok(reply) => self.begin(job, reply),
                Err(error) => self.trouble(error, Some(job.from)),
            },
            Happened::Chunk(Ok(Some(bytes))) => self.chunk(bytes),
            Happened::Chunk(Ok(None)) => self.ended(),
            Happened::Chunk(Err(error)) => self.trouble(error, None),
            Happened::Side(job, done) => self.aside(job, *done),
        }
    }

    /// Sends the main request.
    fn ask(&mut self, mut job: Job) {
        let etag = self.entry.state().etag.clone();
        if job.from > 0 {
            // Without an entity tag nothing else would tell that the file is still the same one; with one, nothing
            // else would tell that a server counts from another place than it says.
            let before = self.entry.state().have().run_before(job.from);
            job.from -= before.min(OVERLAP);
        }
        self.main = Main::Asking { job, answer: self.request(job, etag) };
    }

    fn request(&self, job: Job, etag: Option<String>) -> BoxFuture<'static, Answer> {
        let (source, key) = (self.entry.source(), self.entry.key.clone());
        // A weak tag does not promise the same bytes (RFC 9110, 13.1.5).
        let if_range = etag.filter(|tag| !tag.starts_with("W/") && (job.from > 0 || job.to.is_some()));
        let answer = self.pace.answer;
        Box::pin(async move {
            timeout(answer, source.fetch(&key, job.from, job.to, if_range)).await.unwrap_or_else(|_| {
                Err(FetchError::Retry { after: None, why: "the server does not answer".into() })
            })
        })
    }

    fn ask_aside(&mut self, job: Job) {
        let answer = self.request(job, self.entry.state().etag.clone());
        let want = job.to.unwrap_or(job.from).saturating_sub(job.from) as usize;
        let silence = self.pace.silence;
        let done = Box::pin(async move {
            let mut reply = answer.await?;
            let mut bytes = BytesMut::new();
            // A whole body is not for here: the main request will find out.
            while bytes.len() < want && reply.part.is_some() {
                match timeout(silence, reply.body.next()).await {
                    Ok(Some(chunk)) => bytes.extend_from_slice(&chunk?),
                    Ok(None) => break,
                    Err(_) => {
                        return Err(FetchError::Retry { after: None, why: "the server went silent".into() });
                    }
                }
            }
            bytes.truncate(want);
            Ok((reply, bytes.freeze()))
        });
        self.side = Side::Running { job, done };
    }

    /// Checks the beginning of an answer against the question and what is held.
    fn begin(&mut self, job: Job, reply: Reply) {
        if reply.total == Some(0) && self.entry.state().hint.is_some() {
            // Nothing where the catalog knows music: a server in trouble, not an empty track.
            self.odd_answer();
            return;
        }
        if let Some((start, end)) = reply.part
            && (start != job.from || end <= start || reply.total.is_some_and(|t| end > t))
        {
            self.odd_answer();
            return;
        }
        let whole_instead = reply.part.is_none() && (job.from > 0 || job.to.is_some());
        let same = self.same(&reply);
        if same.is_err() {
            self.entry.discard();
            if reply.part.is_some() {
                self.main = Main::Idle;
                return;
            }
        }
        let compare = same == Ok(false) || reply.part.is_some();
        let surely = same == Ok(true);
        if whole_instead && job.from > 0 && !self.entry.state().have().is_empty() {
            self.parts = false;
        }
        self.adopt(&reply);
        let (at, end) = reply.part.map_or((0, reply.total), |(start, end)| (start, Some(end)));
        self.main = Main::Streaming {
            at,
            end,
            compare,
            surely,
            fresh: false,
            body: reply.body,
            silent_after: Instant::now() + self.pace.silence,
        };
    }

    /// Whether the answer is about the file whose bytes are held: surely, perhaps, or not.
    fn same(&self, reply: &Reply) -> Result<bool, Changed> {
        let state = self.entry.state();
        if state.disk.is_empty() && !state.in_memory {
            return Ok(true);
        }
        // The same strong tag is the same file, whatever lengths were told along the way.
        if state.etag.is_some()
            && state.etag == reply.etag
            && state.etag.as_ref().is_some_and(|t| !t.starts_with("W/"))
        {
            return Ok(true);
        }
        let differ = |a: Option<u64>, b: Option<u64>| a.zip(b).is_some_and(|(a, b)| a != b);
        if differ(state.total, reply.total) {
            return Err(Changed);
        }
        match (&state.etag, &reply.etag) {
            (Some(old), Some(new)) if old == new => Ok(false),
            (Some(_), Some(_)) => Err(Changed),
            _ => Ok(false),
        }
    }

    fn adopt(&self, reply: &Reply) {
        let mut state = self.entry.state();
        if reply.total.is_some() {
            state.total = reply.total;
        }
        let early = state.hint.zip(state.total).is_some_and(|(hint, total)| total < hint);
        state.unsure = early && !state.in_memory && self.parts && self.probe != Probe::Done;
        state.answered = true;
        if reply.etag.is_some() {
            state.etag.clone_from(&reply.etag);
        }
        drop(state);
        // Readers may wait for the length.
        self.entry.live.arrived.notify_all();
    }

    fn chunk(&mut self, mut bytes: Bytes) {
        let Main::Streaming { at, end, compare, surely, fresh, silent_after, .. } = &mut self.main else {
            return;
        };
        if let Some(end) = *end {
            bytes.truncate(end.saturating_sub(*at) as usize);
        }
        *silent_after = Instant::now() + self.pace.silence;
        let accepted = self.entry.accept(*at, &bytes, *compare);
        *at += bytes.len() as u64;
        let over = end.is_some_and(|end| *at >= end);
        let Ok(new) = accepted else {
            if *surely {
                // The same file, but not the place that was asked for.
                self.odd_answer();
                return;
            }
            self.entry.discard();
            self.main = Main::Idle;
            return;
        };
        *fresh |= new;
        if new {
            self.backoff.reset();
            self.odd = 0;
        }
        if over {
            self.over();
        }
    }

    /// The body gave all that it promised.
    fn over(&mut self) {
        let Main::Streaming { at, fresh, .. } = &self.main else { return };
        if *fresh {
            self.main = Main::Idle;
        } else if self.entry.state().total.is_none() {
            self.finish_at(*at);
        } else if self.entry.state().whole() {
            self.main = Main::Idle;
        } else {
            // To ask the same at once would be to ask for ever.
            self.rest(None, "the server sent nothing new".into());
        }
    }

    /// The body is over.
    fn ended(&mut self) {
        let Main::Streaming { at, end, .. } = &self.main else { return };
        let (at, end) = (*at, *end);
        if end.is_some_and(|end| at >= end) {
            self.over();
            return;
        }
        if end.is_none() {
            // Nobody said how long it is. The catalog may know better than a connection that just closed.
            let short = self.entry.state().hint.is_some_and(|hint| at < hint);
            if !short || self.ended_at == Some(at) {
                self.finish_at(at);
                return;
            }
            self.ended_at = Some(at);
        }
        self.rest(None, "the connection broke off".into());
    }

    fn finish_at(&mut self, total: u64) {
        let mut state = self.entry.state();
        state.total = Some(total);
        state.dirty = true;
        drop(state);
        self.entry.live.arrived.notify_all();
        self.main = Main::Idle;
    }

    /// A request failed; `asked` is where it was to begin when it never began.
    fn trouble(&mut self, error: FetchError, asked: Option<u64>) {
        // Whatever is decided, that request is over, and a future must not be polled again.
        self.main = Main::Idle;
        if self.probe == Probe::Running {
            // No more follows, or nobody can say. The next step sees that it is over.
            return;
        }
        match error {
            FetchError::Refused(why) => self.entry.fail(&why),
            FetchError::Offline(why) => self.rest(None, why),
            FetchError::Retry { after, why } => self.rest(after, why),
            FetchError::OutOfRange { total } => {
                let held_to = self.entry.state().have().next_hole(asked.unwrap_or(0));
                let unknown = self.entry.state().total.is_none();
                if unknown && held_to > 0 && total.is_none_or(|t| t == held_to) {
                    self.finish_at(held_to);
                } else if self.entry.state().have().is_empty() {
                    // Nothing to throw away: the server cannot even begin this track.
                    self.odd_answer();
                } else {
                    self.entry.discard();
                    self.main = Main::Idle;
                }
            }
        }
    }

    /// The answer was about other bytes than asked for. Nothing of it is used; the whole file is asked for next.
    fn odd_answer(&mut self) {
        self.main = Main::Idle;
        self.odd += 1;
        self.parts = false;
        if self.odd >= ODD_ANSWERS {
            self.entry.fail("the server sends other bytes than were asked for; this track cannot be played");
            return;
        }
        self.rest(None, "the server sent other bytes than were asked for".into());
    }

    fn rest(&mut self, wish: Option<Duration>, why: String) {
        let pause = self.backoff.next(wish);
        tracing::debug!(
            why,
            attempt = self.backoff.attempts(),
            pause_ms = pause.as_millis() as u64,
            "fetching again after a pause"
        );
        self.entry.say_waiting(why);
        self.main = Main::Resting { until: Instant::now() + pause };
    }

    fn aside(&mut self, job: Job, done: Result<(Reply, Bytes), FetchError>) {
        self.side = Side::Idle;
        let rest = match done {
            Ok((Reply { part: Some((start, _)), .. }, _)) if start != job.from => {
                self.parts = false;
                return;
            }
            Ok((reply, bytes)) if reply.part.is_some() => {
                if self.same(&reply).is_err() {
                    self.main = Main::Idle;
                    self.entry.discard();
                    return;
                }
                self.adopt(&reply);
                let _ = self.entry.accept(job.from, &bytes, false);
                self.side_backoff.reset();
                return;
            }
            Ok(_) => {
                self.parts = false;
                return;
            }
            Err(FetchError::Refused(why)) => {
                self.entry.fail(&why);
                return;
            }
            Err(FetchError::Retry { after, .. }) => after,
            Err(FetchError::Offline(_) | FetchError::OutOfRange { .. }) => None,
        };
        self.side = Side::Resting { until: Instant::now() + self.side_backoff.next(rest) };
    }

    fn save_sometimes(&mut self) {
        if self.saving.is_empty() && Instant::now() >= self.save_after {
            self.save_after = Instant::now() + self.pace.save_every;
            let entry = Arc::clone(&self.entry);
            self.saving.push(tokio::task::spawn_blocking(move || {
                entry.save();
                entry.store.evict();
            }));
        }
    }
}

impl Main {
    fn state(&self) -> MainState {
        match self {
            Self::Idle => MainState::Idle,
            Self::Asking { job, .. } => MainState::Asking(*job),
            Self::Streaming { at, end, .. } => MainState::Streaming(Job { from: *at, to: *end }),
            Self::Resting { .. } => MainState::Resting,
        }
    }
}

impl Side {
    fn state(&self) -> SideState {
        match self {
            Self::Idle => SideState::Idle,
            Self::Running { job, .. } => SideState::Running(*job),
            Self::Resting { .. } => SideState::Resting,
        }
    }
}
