//! What a number of listeners takes in a month, and what that costs by a list of prices.

use super::inputs::{Inputs, Offer};
use super::sizing::{Works, range_seconds};

/// Days and seconds of a month.
const DAYS: f64 = 30.4;
/// Hours of the evening in which a day's starts are taken to come.
const EVENING_S: f64 = 4.0 * 3600.0;

/// What so many accounts take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    pub accounts: f64,
    /// At the busiest moment of an evening.
    pub at_once: f64,
    /// Requests and bytes a second then.
    pub requests: f64,
    pub bytes: f64,
    /// Cores that the processes and the database have to do then.
    pub server_cores: f64,
    pub database_cores: f64,
    /// In a month: plays, and GB to listeners.
    pub plays: f64,
    pub traffic_gb: f64,
    /// Blocks read from the store in a month.
    pub store_reads: f64,
    /// GB of plays that are kept.
    pub plays_gb: f64,
}

/// What they cost in a month, euros.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bill {
    pub processes: f64,
    pub database: f64,
    pub store: f64,
    pub traffic: f64,
}

impl Bill {
    pub fn total(&self) -> f64 {
        self.processes + self.database + self.store + self.traffic
    }
}

/// How the music goes to listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through the processes.
    Processes,
    /// From the store by a CDN; the processes answer everything else (`--redirect-streams own`).
    Cdn,
}

/// What so many accounts take.
pub fn demand(inputs: &Inputs, accounts: f64) -> Demand {
    let (listening, habits) = (&inputs.prices.listening, &inputs.peak.listener);
    let works = Works::of(&inputs.times.cloud);
    let at_once = accounts * listening.at_once;
    let second = works.second(habits);
    let start = works.start(habits);
    // An account that listens in the evening starts once.
    let starts = at_once / EVENING_S;
    let requests_of_start = 4.0 + habits.searches + (habits.ahead_s / range_seconds(habits)).ceil();
    let music_s = accounts * listening.hours * 3600.0;
    let plays = music_s / habits.track_s;
    let blocks = music_s / range_seconds(habits);
    Demand {
        accounts,
        at_once,
        requests: at_once * (1.0 / range_seconds(habits) + 1.0 / habits.track_s) + starts * requests_of_start,
        bytes: at_once * second.bytes + starts * start.bytes,
        server_cores: at_once * second.server + starts * start.server,
        database_cores: at_once * (second.primary + second.replica)
            + starts * (start.primary + start.replica),
        plays,
        traffic_gb: music_s * habits.bit_rate * 1000.0 / 8.0 / 1e9,
        store_reads: blocks * (1.0 - inputs.peak.store.cached),
        plays_gb: plays * listening.months * inputs.times.play_bytes / 1e9,
    }
}

/// Processes for an ordinary evening, by the load that is wanted.
pub fn processes(inputs: &Inputs, demand: &Demand, way: Way) -> f64 {
    let machines = &inputs.peak.machines;
    let (bits, cores) = match way {
        Way::Processes => (demand.bytes * 8.0, demand.server_cores),
        // A track is one request that is answered with an address.
        Way::Cdn => {
            let works = Works::of(&inputs.times.cloud);
            let tracks = demand.at_once / inputs.peak.listener.track_s;
            (0.0, tracks * (works.ping.server + works.play.server))
        }
    };
    let load = machines.wanted_load;
    let by_link = bits / (machines.link_mbit * 1e6 * load);
    let by_cores = cores / (f64::from(machines.cores) * load);
    by_link.max(by_cores).ceil().max(f64::from(machines.least))
}

/// What that costs; none where the offer has no CDN and one is wanted.
pub fn bill(inputs: &Inputs, demand: &Demand, offer: &Offer, way: Way) -> Option<Bill> {
    let gb = match way {
        Way::Processes => offer.traffic_gb,
        Way::Cdn => offer.cdn_gb?,
    };
    let library_gb = inputs.prices.listening.library_gb;
    let cores = (demand.database_cores / inputs.peak.machines.wanted_load).max(offer.least_database_cores);
    Some(Bill {
        processes: processes(inputs, demand, way) * offer.process,
        database: cores * offer.database_core + demand.plays_gb * offer.database_gb,
        store: library_gb * offer.store_gb + demand.store_reads / 10_000.0 * offer.store_reads,
        traffic: demand.traffic_gb * gb,
    })
}

/// Plays in a day.
pub fn plays_a_day(demand: &Demand) -> f64 {
    demand.plays / DAYS
}
