//! How much there is to do, and what is put off for it.
//!
//! Whoever listens must go on listening. So what is wanted least goes first when a server comes to its limits: recommendations, then how
//! well searches are ranked, then scans and other jobs, and at last those who want to begin to listen. [`Governor`] decides that from
//! [`Readings`] alone, purely: up at once, down one step at a time and only after a while, so that it does not go to and fro.
//!
//! ```text
//! streams of --max-streams ┐
//! lateness of the threads  ├─ pressure (1: the limit) ─▶ Governor ─▶ Level ─▶ routes, search, jobs, media
//! the database's answers   │
//! pieces that come late    ┘
//! ```

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Shared;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(250);
/// Looks of which the middle one counts: one freeze of a machine is no load.
const LOOKS: usize = 8;
/// How late a thread may be before nothing more fits.
const LATE: Duration = Duration::from_secs(1);
/// How long the database may take for the least question before nothing more fits.
const DATABASE: Duration = Duration::from_secs(2);
/// How often it is asked that.
const ASKED: Duration = Duration::from_secs(2);
/// The part of the pieces of running streams that may come late before nothing more fits.
const BEHIND: f64 = 0.2;
/// Pieces of which a part is worth something.
const PIECES: u64 = 20;
/// How long the pressure must be low before a level goes down.
const HOLD: Duration = Duration::from_secs(5);

/// What is put off, each level with all before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    #[default]
    Calm,
    /// Recommendations are refused.
    NoRecommendations,
    /// Searches find what is typed, and look for nothing else.
    PlainSearch,
    /// Scans, hearing, learning and tidying up wait.
    NoJobs,
    /// Nobody new may begin to listen.
    NoNewStreams,
}

impl Level {
    const ALL: [Self; 5] =
        [Self::Calm, Self::NoRecommendations, Self::PlainSearch, Self::NoJobs, Self::NoNewStreams];

    /// The pressure from which on it holds.
    const fn enters(self) -> f64 {
        match self {
            Self::Calm => f64::NEG_INFINITY,
            Self::NoRecommendations => 0.75,
            Self::PlainSearch => 0.85,
            Self::NoJobs => 0.95,
            Self::NoNewStreams => 1.0,
        }
    }

    /// The pressure below which it ends.
    const fn leaves(self) -> f64 {
        self.enters() - 0.1
    }

    /// What operators read of it.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Calm => "nothing is put off",
            Self::NoRecommendations => "recommendations are put off",
            Self::PlainSearch => "recommendations and the ranking of searches are put off",
            Self::NoJobs => "recommendations, the ranking of searches, scans and other jobs are put off",
            Self::NoNewStreams => "nobody new may listen; everything else is put off",
        }
    }
}

/// What is known of how a server does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Readings {
    /// Players that are being sent music, as a part of how many there may be; 0 without a limit.
    pub streams: f64,
    /// How late its threads are.
    pub late: Duration,
    /// How long the database takes for the least question.
    pub database: Duration,
    /// The part of the pieces of running streams that came late.
    pub behind: f64,
}

impl Readings {
    /// How near the limit that is nearest is; 1 at the limit.
    pub fn pressure(&self) -> f64 {
        let late = self.late.as_secs_f64() / LATE.as_secs_f64();
        let database = self.database.as_secs_f64() / DATABASE.as_secs_f64();
        let all = [self.streams, late, database, self.behind / BEHIND];
        all.into_iter().filter(|part| part.is_finite()).fold(0.0, f64::max)
    }
}

/// Decides the level. Pure: times are handed in, in ms of any clock that does not go back.
#[derive(Debug, Clone)]
pub struct Governor {
    level: Level,
    hold: u64,
    /// Since when the pressure is below what keeps the level.
    low_since: Option<u64>,
}

impl Governor {
    /// A level ends when the pressure was low for so long, ms.
    pub const fn new(hold: u64) -> Self {
        Self { level: Level::Calm, hold, low_since: None }
    }

    /// The level from now on.
    pub fn next(&mut self, pressure: f64, now: u64) -> Level {
        let wanted = Level::ALL.into_iter().rev().find(|level| pressure >= level.enters());
        let wanted = wanted.unwrap_or_default();
        if wanted > self.level {
            (self.level, self.low_since) = (wanted, None);
        } else if pressure >= self.level.leaves() {
            self.low_since = None;
        } else if self.level > Level::Calm {
            let since = *self.low_since.get_or_insert(now);
            if now.saturating_sub(since) >= self.hold {
                let below = Level::ALL.into_iter().rev().find(|level| *level < self.level);
                (self.level, self.low_since) = (below.unwrap_or_default(), Some(now));
            }
        }
        self.level
    }
}

/// Where readings come from: what is measured, or a test's hand.
#[derive(Debug, Clone, Default)]
pub struct Meter(Option<Arc<Mutex<Readings>>>);

impl Meter {
    /// What is measured.
    pub fn measured() -> Self {
        Self(None)
    }

    /// What is [set](Self::set), from nothing on. Levels go down quickly then.
    pub fn by_hand() -> Self {
        Self(Some(Arc::default()))
    }

    /// Sets readings by hand; what is measured stays as it is.
    pub fn set(&self, readings: Readings) {
        if let Some(hand) = &self.0 {
            *hand.lock().unwrap_or_else(PoisonError::into_inner) = readings;
        }
    }

    fn hand(&self) -> Option<Readings> {
        self.0.as_ref().map(|hand| *hand.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The level of a server, and how it came to it.
#[derive(Debug)]
pub(crate) struct Load {
    meter: Meter,
    level: watch::Sender<Level>,
    /// Thousandths.
    pressure: AtomicU64,
    /// How long the database took last, ms.
    database: AtomicU64,
}

impl Load {
    pub(crate) fn new(meter: Meter) -> Arc<Self> {
        let (pressure, database) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { meter, level: watch::Sender::new(Level::Calm), pressure, database })
    }

    /// What is put off now.
    pub(crate) fn level(&self) -> Level {
        *self.level.borrow()
    }

    /// 1 at the limit.
    pub(crate) fn pressure(&self) -> f64 {
        self.pressure.load(Ordering::Relaxed) as f64 / 1000.0
    }

    /// Waits while jobs are put off.
    pub(crate) async fn wait_for_jobs(&self) {
        let mut level = self.level.subscribe();
        // Cannot fail: this is the sender.
        let _ = level.wait_for(|level| *level < Level::NoJobs).await;
    }

    /// Hears of every change of the level.
    pub(crate) fn changes(&self) -> watch::Receiver<Level> {
        self.level.subscribe()
    }

    fn set(&self, level: Level, pressure: f64) {
        self.pressure.store((pressure * 1000.0) as u64, Ordering::Relaxed);
        let before = self.level();
        if before != level {
            self.level.send_replace(level);
            if level > before {
                tracing::warn!(pressure, level = level as u8, "much to do: {}", level.about());
            } else {
                tracing::info!(pressure, level = level as u8, "less to do: {}", level.about());
            }
        }
    }
}

/// Looks after the level until the end.
pub(crate) async fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    let asking = tokio::spawn(stop.clone().run_until_cancelled_owned(ask_database(Arc::clone(&shared))));
    let hold = if shared.load.meter.0.is_some() { Duration::ZERO } else { HOLD };
    let mut governor = Governor::new(u64::try_from(hold.as_millis()).unwrap_or(u64::MAX));
    let (began, mut lates, mut pieces) = (Instant::now(), VecDeque::with_capacity(LOOKS), VecDeque::new());
    loop {
        let asleep = Instant::now();
        if stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            break;
        }
        if lates.len() == LOOKS {
            lates.pop_front();
            pieces.pop_front();
        }
        lates.push_back(asleep.elapsed().saturating_sub(LOOK));
        pieces.push_back(shared.metrics.streams.pieces());
        let readings = shared.load.meter.hand().unwrap_or_else(|| Readings {
            streams: shared.seats.part(Instant::now()),
            late: middle(&lates),
            database: Duration::from_millis(shared.load.database.load(Ordering::Relaxed)),
            behind: part_late(&pieces),
        });
        let now = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let pressure = readings.pressure();
        shared.load.set(governor.next(pressure, now), pressure);
    }
    asking.abort();
}

/// The one in the middle of those that there are, none while there are few.
fn middle(lates: &VecDeque<Duration>) -> Duration {
    if lates.len() < LOOKS {
        return Duration::ZERO;
    }
    let mut sorted: Vec<Duration> = lates.iter().copied().collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Which part of the pieces that were sent between the first and the last look came late; each look has pieces and late ones so far.
fn part_late(looks: &VecDeque<(u64, u64)>) -> f64 {
    let (Some(first), Some(last)) = (looks.front(), looks.back()) else { return 0.0 };
    let (all, late) = (last.0.saturating_sub(first.0), last.1.saturating_sub(first.1));
    if all < PIECES { 0.0 } else { late as f64 / all as f64 }
}

/// Measures a database that others use as well. One that is away is not slow: that is the breaker's.
async fn ask_database(shared: Arc<Shared>) {
    if !shared.catalog.is_shared() {
        return;
    }
    loop {
        let asked = Instant::now();
        let took = match shared.catalog.ping().await {
            Ok(()) => u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX),
            Err(_) => 0,
        };
        shared.load.database.store(took, Ordering::Relaxed);
        tokio::time::sleep(ASKED).await;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_in_which_things_are_put_off() {
        let mut governor = Governor::new(1000);
        let levels = [0.5, 0.75, 0.85, 0.95, 1.0].map(|pressure| governor.next(pressure, 0));
        assert_eq!(levels, Level::ALL);
    }

    #[test]
    fn it_goes_up_at_once_and_down_step_by_step() {
        let mut governor = Governor::new(1000);
        assert_eq!(governor.next(3.0, 0), Level::NoNewStreams, "over all steps");
        assert_eq!(governor.next(0.95, 100), Level::NoNewStreams, "not low enough");
        assert_eq!(governor.next(0.0, 200), Level::NoNewStreams);
        assert_eq!(governor.next(0.0, 1199), Level::NoNewStreams, "not long enough");
        assert_eq!(governor.next(0.0, 1200), Level::NoJobs);
        assert_eq!(governor.next(0.9, 1300), Level::NoJobs, "high again: the time begins anew");
        assert_eq!(governor.next(0.0, 2250), Level::NoJobs);
        let down = [3250, 4250, 5250].map(|now| governor.next(0.0, now));
        assert_eq!(down, [Level::PlainSearch, Level::NoRecommendations, Level::Calm]);
    }

    #[test]
    fn the_nearest_limit_counts() {
        let readings = Readings { streams: 0.2, behind: 0.19, ..Readings::default() };
        assert!((readings.pressure() - 0.95).abs() < 1e-9);
        let odd = Readings { streams: f64::NAN, late: LATE / 2, ..Readings::default() };
        assert!((odd.pressure() - 0.5).abs() < 1e-9);
        let freeze: VecDeque<Duration> = (0..LOOKS).map(|n| LATE * u32::from(n == 3) * 9).collect();
        assert_eq!(middle(&freeze), Duration::ZERO, "one freeze is no load");
        assert!((part_late(&[(0, 0), (100, 30)].into()) - 0.3).abs() < 1e-9);
        assert!(part_late(&[(0, 0), (3, 3)].into()) < 1e-9, "too few to tell");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever comes: never below what the pressure asks for, never down by more than a step, never down before the pressure was
        /// low all the time that it has to be, and calm in the end.
        #[test]
        fn it_holds_what_it_says(looks in prop::collection::vec((0.0..1.5_f64, 1_u64..700), 1..200)) {
            let (mut governor, mut now, mut before) = (Governor::new(1000), 0, Level::Calm);
            let mut low_since: Option<u64> = None;
            for (pressure, step) in looks {
                now += step;
                let level = governor.next(pressure, now);
                prop_assert!(pressure < 1.0 || level == Level::NoNewStreams);
                prop_assert!(Level::ALL.iter().all(|one| pressure < one.enters() || level >= *one));
                prop_assert!(before as u8 <= level as u8 + 1);
                if pressure >= before.leaves() {
                    low_since = None;
                } else {
                    low_since.get_or_insert(now);
                }
                if level < before {
                    prop_assert!(low_since.is_some_and(|since| now - since >= 1000));
                    low_since = Some(now);
                }
                before = level;
            }
            for _ in 0..10 {
                now += 1000;
                governor.next(0.0, now);
            }
            prop_assert_eq!(governor.next(0.0, now), Level::Calm);
        }
    }
}
