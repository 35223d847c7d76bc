//! Who waits for whom: a station whose every request is followed, and a tier that many simulated parts share.
//!
//! A [`Station`] is the queue of one machine: its servers take what came first, exactly. A [`Tier`] (the database, the store) is
//! shared by more machines than are simulated, so it is not followed request by request: its load is measured from the requests
//! that are, each standing for so many, and the wait is drawn from what Erlang's formula says of that load. Load beyond what it
//! has piles up and is worked off.

use super::chance::Chance;

/// Nanoseconds since the night began.
pub type Ns = u64;

pub const SECOND: Ns = 1_000_000_000;

/// Seconds as nanoseconds.
pub fn ns(seconds: f64) -> Ns {
    (seconds.max(0.0) * 1e9) as Ns
}

/// Nanoseconds as seconds.
pub fn seconds(ns: Ns) -> f64 {
    ns as f64 / 1e9
}

/// Servers that take requests in their order.
#[derive(Debug, Clone)]
pub struct Station {
    free: Vec<Ns>,
    /// Work that was taken in so far.
    pub taken: Ns,
}

impl Station {
    pub fn of(servers: u32) -> Self {
        Self { free: vec![0; servers.max(1) as usize], taken: 0 }
    }

    /// Takes a request in; when it begins, and when it is done.
    pub fn serve(&mut self, now: Ns, work: Ns) -> (Ns, Ns) {
        self.taken += work;
        let Some(first) = self.free.iter_mut().min() else { return (now, now) };
        let begins = now.max(*first);
        *first = begins + work;
        (begins, *first)
    }

    /// How long a request that comes now waits.
    pub fn wait(&self, now: Ns) -> Ns {
        self.free.iter().min().map_or(0, |first| first.saturating_sub(now))
    }

    /// Forgets what waits, as a process does that ends.
    pub fn clear(&mut self, now: Ns) {
        self.free.fill(now);
    }
}

/// The probability that a request waits where `servers` take requests that come at random and take exponentially long
/// (Erlang 1917; the recurrence of his first formula, and from it the second). `load` is in servers and below their number.
pub fn erlang_c(servers: u32, load: f64) -> f64 {
    if load <= 0.0 {
        return 0.0;
    }
    let mut blocked = 1.0;
    for n in 1..=servers {
        blocked = load * blocked / (f64::from(n) + load * blocked);
    }
    let servers = f64::from(servers);
    if load >= servers { 1.0 } else { servers * blocked / (servers - load * (1.0 - blocked)) }
}

/// Over how long the load of a tier is measured, seconds.
const WINDOW: f64 = 1.0;
/// Steps in which the chance of waiting is kept.
const STEPS: usize = 200;

/// What all processes share.
#[derive(Debug, Clone)]
pub struct Tier {
    capacity: f64,
    /// How many requests a simulated one stands for.
    each: f64,
    /// The chance of waiting by load, in steps of the capacity; empty where requests are so small that only a backlog counts.
    waits: Vec<f64>,
    last: Ns,
    /// Work and requests that come in a second.
    work: f64,
    requests: f64,
    /// Work that waits, in seconds of one server.
    backlog: f64,
    /// Seconds after which nobody waits any longer.
    patience: f64,
    /// It does not answer in this time.
    away: Option<(Ns, Ns)>,
    /// Work that was taken in so far, in seconds of one server, of all requests that the simulated ones stand for.
    pub taken: f64,
}

impl Tier {
    /// So many servers.
    pub fn of_servers(servers: f64, each: f64) -> Self {
        let whole = servers.ceil().max(1.0);
        let waits = (0..STEPS).map(|n| erlang_c(whole as u32, whole * n as f64 / STEPS as f64)).collect();
        Self { waits, ..Self::of_rate(servers, each) }
    }

    /// So many requests a second, each of which is work of 1.
    pub fn of_rate(capacity: f64, each: f64) -> Self {
        Self {
            capacity: capacity.max(1e-6),
            each,
            waits: Vec::new(),
            last: 0,
            work: 0.0,
            requests: 0.0,
            backlog: 0.0,
            patience: f64::INFINITY,
            away: None,
            taken: 0.0,
        }
    }

    /// Who would wait longer than this goes away again.
    #[must_use]
    pub fn with_patience(self, patience: f64) -> Self {
        Self { patience, ..self }
    }

    /// It will be away for a time.
    pub fn goes_away(&mut self, from: Ns, until: Ns) {
        self.away = Some((from, until));
    }

    /// The share of it that is in use.
    pub fn load(&self) -> f64 {
        self.work * self.each / self.capacity
    }

    /// How long a request with this work (seconds of one server) waits before it is begun, in seconds.
    pub fn wait(&mut self, now: Ns, work: f64, chance: &mut Chance) -> f64 {
        let passed = seconds(now.saturating_sub(self.last));
        self.last = self.last.max(now);
        let is_away = |at: Ns| self.away.is_some_and(|(from, until)| (from..until).contains(&at));
        let served = if is_away(now) { 0.0 } else { self.capacity };
        self.backlog = (self.backlog + (self.work * self.each - served) * passed).max(0.0);
        self.backlog = self.backlog.min(self.capacity * self.patience);
        let kept = 1.0 / (1.0 + passed / WINDOW);
        self.work = self.work * kept + work / WINDOW;
        self.requests = self.requests * kept + 1.0 / WINDOW;
        self.taken += work * self.each;
        let behind = self.backlog / self.capacity;
        let rest = self.away.filter(|_| is_away(now)).map_or(0.0, |(_, until)| seconds(until - now));
        if behind + rest > 0.0 {
            return behind + rest;
        }
        let load = self.load().min(0.995);
        let Some(waits) = self.waits.get((load * STEPS as f64) as usize) else { return 0.0 };
        if chance.even() >= *waits {
            return 0.0;
        }
        let each = self.work / self.requests;
        chance.exponential(each / (self.capacity.ceil() * (1.0 - load)))
    }

    /// How long what waits will take, seconds.
    pub fn behind(&self) -> f64 {
        self.backlog / self.capacity
    }
}
