//! What the server counts while it runs, in the format of Prometheus (`OpenMetrics` 1.0).
//!
//! Labels are drawn from fixed lists, so that nobody can fill the memory of the server or of who collects by
//! asking for things with made-up names; and none of them tells who listened to what.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::flows::Flow;

/// A request by endpoint and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    endpoint: &'static str,
    status: u16,
}

/// What was put off.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PutOff {
    what: &'static str,
}

/// A request by endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    endpoint: &'static str,
}

type Seconds = Family<Asked, Histogram, fn() -> Histogram>;

/// Streams that run, and the bytes that they took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams {
    running: Gauge<i64, AtomicI64>,
    bytes: Counter<u64, AtomicU64>,
    /// Pieces that were waited for here, and those of them that came late.
    pieces: Arc<(AtomicU64, AtomicU64)>,
}

/// A piece that takes longer comes late; one that takes longer than the second, because its store was away, tells nothing of how much
/// there is to do.
const LATE: std::ops::Range<Duration> = Duration::from_millis(500)..Duration::from_secs(10);

/// A stream that runs, until it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    streams: Streams,
    before: usize,
    /// The place that its player has.
    flow: Option<Flow>,
}

impl Streams {
    /// One more.
    pub(crate) fn begin(&self) -> Running {
        let before = usize::try_from(self.running.inc()).unwrap_or(0);
        Running { before, streams: self.clone(), flow: None }
    }

    /// Pieces since the server began, and how many of them came late.
    pub(crate) fn pieces(&self) -> (u64, u64) {
        (self.pieces.0.load(Ordering::Relaxed), self.pieces.1.load(Ordering::Relaxed))
    }

    /// Bytes that left since the server began.
    pub(crate) fn sent(&self) -> u64 {
        self.bytes.get()
    }
}

impl Running {
    /// With the place that its player has as long as it runs.
    pub(crate) fn holding(mut self, flow: Option<Flow>) -> Self {
        self.flow = flow;
        self
    }

    /// How many ran already when this one began.
    pub(crate) fn before(&self) -> usize {
        self.before
    }

    /// Counts a piece that took so long to come, while its listener waited.
    pub(crate) fn waited(&self, took: Duration) {
        self.streams.pieces.0.fetch_add(1, Ordering::Relaxed);
        self.streams.pieces.1.fetch_add(u64::from(LATE.contains(&took)), Ordering::Relaxed);
    }

    /// Counts bytes that leave.
    pub(crate) fn sent(&self, bytes: usize) {
        self.streams.bytes.inc_by(bytes as u64);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.streams.running.dec();
    }
}

/// All that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Ended, Counter>,
    seconds: Seconds,
    pub(crate) streams: Streams,
    /// Connections that are open.
    pub(crate) connections: Gauge,
    /// Connections that were turned away because there were too many.
    pub(crate) turned_away: Counter,
    tracks: Gauge,
    scanning: Gauge,
    transcodes: Gauge,
    heard: Gauge,
    to_hear: Gauge,
    /// Listeners who were sent to a store itself.
    pub(crate) redirected: Counter,
    hot_cache: Gauge,
    stores_down: Gauge,
    put_off: Family<PutOff, Counter>,
    listeners: Gauge,
    level: Gauge,
    pressure: Gauge<f64, AtomicU64>,
    jobs: Gauge,
    database_down: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("segue");
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", build);
        let requests = Family::<Ended, Counter>::default();
        registry.register("requests", "Requests answered, by endpoint and HTTP status", requests.clone());
        // From a warm answer to one that a listener would call slow.
        let steps = || Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0]);
        let seconds = Seconds::new_with_constructor(steps);
        let help = "Time until an answer begins, by endpoint";
        registry.register_with_unit("request_duration", help, Unit::Seconds, seconds.clone());
        let streams = Streams::default();
        registry.register("streams", "Songs that are being sent", streams.running.clone());
        registry.register_with_unit("streamed", "Bytes of songs sent", Unit::Bytes, streams.bytes.clone());
        let connections = Gauge::default();
        registry.register("connections", "Connections that are open", connections.clone());
        let turned_away = Counter::default();
        registry.register("connections_turned_away", "Connections beyond the limits", turned_away.clone());
        let tracks = Gauge::default();
        registry.register("tracks", "Tracks in the library", tracks.clone());
        let scanning = Gauge::default();
        registry.register("scanning", "1 while the music folders are scanned", scanning.clone());
        let transcodes = Gauge::default();
        registry.register("transcodes", "Conversions that run", transcodes.clone());
        let heard = Gauge::default();
        registry.register("tracks_heard", "Tracks whose sound this run analysed", heard.clone());
        let to_hear = Gauge::default();
        registry.register("tracks_to_hear", "Tracks whose sound waits to be analysed", to_hear.clone());
        let redirected = Counter::default();
        registry.register("redirects", "Songs that a store itself was to send", redirected.clone());
        let hot_cache = Gauge::default();
        let help = "Bytes of stores' music on this machine";
        registry.register_with_unit("hot_cache", help, Unit::Bytes, hot_cache.clone());
        let stores_down = Gauge::default();
        registry.register("stores_down", "Stores that do not answer", stores_down.clone());
        let put_off = Family::<PutOff, Counter>::default();
        registry.register(
            "put_off",
            "What was refused or done more simply for want of room",
            put_off.clone(),
        );
        let listeners = Gauge::default();
        registry.register(
            "listeners",
            "Players that music was sent to in the last minute",
            listeners.clone(),
        );
        let level = Gauge::default();
        registry.register("load_level", "What is put off: 0 nothing to 4 new streams", level.clone());
        let pressure = Gauge::<f64, AtomicU64>::default();
        registry.register("load_pressure", "How near the nearest limit is, 1 at the limit", pressure.clone());
        let jobs = Gauge::default();
        registry.register("jobs_held", "Jobs whose turn this process has", jobs.clone());
        let database_down = Gauge::default();
        registry.register("database_down", "1 while the database does not answer", database_down.clone());
        Arc::new(Self {
            registry,
            requests,
            seconds,
            streams,
            connections,
            turned_away,
            tracks,
            scanning,
            transcodes,
            heard,
            to_hear,
            redirected,
            hot_cache,
            stores_down,
            put_off,
            listeners,
            level,
            pressure,
            jobs,
            database_down,
        })
    }

    /// Counts a request. `endpoint` is one of the API, not what a client wrote.
    pub(crate) fn answered(&self, endpoint: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&Ended { endpoint, status }).inc();
        self.seconds.get_or_create(&Asked { endpoint }).observe(took.as_secs_f64());
    }

    /// What stands at the moment and is not counted as it happens.
    pub(crate) fn now(&self, tracks: u64, scanning: bool, transcodes: usize) {
        self.tracks.set(i64::try_from(tracks).unwrap_or(i64::MAX));
        self.scanning.set(i64::from(scanning));
        self.transcodes.set(i64::try_from(transcodes).unwrap_or(i64::MAX));
    }

    /// What is here of stores' music, in bytes, and how many stores do not answer.
    pub(crate) fn stores(&self, hot_cache: u64, down: usize) {
        self.hot_cache.set(i64::try_from(hot_cache).unwrap_or(i64::MAX));
        self.stores_down.set(i64::try_from(down).unwrap_or(i64::MAX));
    }

    /// Counts something that was refused, or done more simply, for want of room.
    pub(crate) fn put_off(&self, what: &'static str) {
        self.put_off.get_or_create(&PutOff { what }).inc();
    }

    /// How much there is to do: players that are sent music, the level and how near the limit is.
    pub(crate) fn load(&self, listeners: usize, level: u8, pressure: f64) {
        self.listeners.set(i64::try_from(listeners).unwrap_or(i64::MAX));
        self.level.set(i64::from(level));
        self.pressure.set(pressure);
    }

    /// Turns that this process has, and whether the database is left alone.
    pub(crate) fn cluster(&self, jobs: usize, database_down: bool) {
        self.jobs.set(i64::try_from(jobs).unwrap_or(i64::MAX));
        self.database_down.set(i64::from(database_down));
    }

    /// How far the analysis of the sound is.
    pub(crate) fn hearing(&self, heard: u64, to_hear: u64) {
        self.heard.set(i64::try_from(heard).unwrap_or(i64::MAX));
        self.to_hear.set(i64::try_from(to_hear).unwrap_or(i64::MAX));
    }

    /// Everything as text.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
