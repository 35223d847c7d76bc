//! How much of everything a peak takes, by adding up what its listeners ask for: the load that is wanted, and no queue.

use super::inputs::{Costs, Habits, Inputs, Peak};

/// Seconds of music in a range of 256 KiB.
pub fn range_seconds(habits: &Habits) -> f64 {
    RANGE_BYTES * 8.0 / (habits.bit_rate * 1000.0)
}

/// Bytes of a range.
pub const RANGE_BYTES: f64 = 262_144.0;

/// Cores of a database that needs no replicas.
const SMALL: f64 = 4.0;

/// What a cluster, or one cell of it, consists of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cluster {
    /// How many of these there are.
    pub cells: u64,
    /// Of one cell, as all that follows.
    pub listeners: u64,
    pub processes: u32,
    /// Listeners at most of one process; none is refused where there is no limit.
    pub slots: Option<u32>,
    pub primary_cores: f64,
    pub replicas: u32,
    pub store_ops: f64,
}

/// What a request asks of the tiers, in seconds of one core, and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work {
    pub server: f64,
    pub primary: f64,
    pub replica: f64,
    pub bytes: f64,
}

/// The kinds of requests of a listener.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Works {
    pub ping: Work,
    pub browse: Work,
    pub album: Work,
    pub search: Work,
    pub stream: Work,
    pub range: Work,
    pub play: Work,
}

impl Works {
    /// From what was measured. Who asks is looked up in the primary (all that `ping` does there); what else browsing and searching
    /// read may come from a replica.
    pub fn of(costs: &Costs) -> Self {
        let split = |cost: &super::inputs::Cost, stale: bool| {
            let who = costs.ping.database_us.min(cost.database_us);
            let rest = cost.database_us - who;
            Work {
                server: cost.server_us / 1e6,
                primary: (if stale { who } else { cost.database_us }) / 1e6,
                replica: if stale { rest / 1e6 } else { 0.0 },
                bytes: cost.bytes,
            }
        };
        Self {
            ping: split(&costs.ping, false),
            browse: split(&costs.browse, true),
            album: split(&costs.album, true),
            search: split(&costs.search, true),
            stream: split(&costs.stream, false),
            range: split(&costs.range, false),
            play: split(&costs.play, false),
        }
    }

    /// Everything before a listener hears something, and the ranges until enough is ahead.
    pub fn start(&self, habits: &Habits) -> Work {
        let ranges = (habits.ahead_s / range_seconds(habits)).ceil();
        sum(&[
            (&self.ping, 1.0),
            (&self.browse, 1.0),
            (&self.album, 1.0),
            (&self.search, habits.searches),
            (&self.stream, 1.0),
            (&self.range, ranges),
        ])
    }

    /// A second of hearing.
    pub fn second(&self, habits: &Habits) -> Work {
        let (ranges, tracks) = (1.0 / range_seconds(habits), 1.0 / habits.track_s);
        sum(&[(&self.range, ranges - tracks), (&self.stream, tracks), (&self.play, tracks)])
    }
}

fn sum(parts: &[(&Work, f64)]) -> Work {
    parts.iter().fold(Work::default(), |all, (work, times)| Work {
        server: all.server + work.server * times,
        primary: all.primary + work.primary * times,
        replica: all.replica + work.replica * times,
        bytes: all.bytes + work.bytes * times,
    })
}

/// Listeners who come in the busiest second, of one who comes: the highest point of the gamma distribution of shape 2, which is
/// 1/(e·θ) with θ half of its mean.
pub fn busiest(peak: &Peak) -> f64 {
    2.0 / (std::f64::consts::E * peak.night.mean_s)
}

/// The most listeners of one cell: as many as are wanted, as one database bears, and as one store account bears.
fn cell(inputs: &Inputs, works: &Works) -> u64 {
    let peak = &inputs.peak;
    let (start, second) = (works.start(&peak.listener), works.second(&peak.listener));
    let load = peak.machines.wanted_load;
    let of_primary = peak.machines.database_cores * load / (start.primary * busiest(peak) + second.primary);
    let blocks = (1.0 - peak.listener.hot) * (1.0 - peak.store.cached) / range_seconds(&peak.listener);
    let of_store = peak.store.ops * load / blocks.max(1e-12);
    peak.machines.cell.min(of_primary as u64).min(of_store as u64).max(1)
}

/// What so many listeners take.
pub fn size(inputs: &Inputs, listeners: u64) -> Cluster {
    let (peak, works) = (&inputs.peak, Works::of(&inputs.times.cloud));
    let machines = &peak.machines;
    let cells = listeners.div_ceil(cell(inputs, &works)).max(1);
    let of_cell = listeners.div_ceil(cells);
    let n = of_cell as f64;
    let (start, second) = (works.start(&peak.listener), works.second(&peak.listener));
    let comes = n * busiest(peak);
    // While most come not all are there; that all are there already leaves room.
    let at = |one: f64, all: f64| (one * comes + all * n) / machines.wanted_load;
    let by_cores = at(start.server, second.server) / f64::from(machines.cores);
    let by_link = at(start.bytes, second.bytes) * 8.0 / (machines.link_mbit * 1e6);
    // One may be away.
    let processes = (by_cores.max(by_link).ceil() as u32 + 1).max(machines.least);
    let stale = at(start.replica, second.replica);
    let sure = at(start.primary, second.primary);
    // A small database answers everything itself.
    let replicas = if sure + stale > SMALL { (stale / machines.replica_cores).ceil() as u32 } else { 0 };
    let primary = if replicas == 0 { sure + stale } else { sure };
    let by_link = machines.link_mbit * 1e6 / (second.bytes * 8.0);
    let slots = by_link.min(f64::from(machines.cores) / second.server.max(1e-12)) * machines.full;
    Cluster {
        cells,
        listeners: of_cell,
        processes,
        slots: Some(slots as u32),
        primary_cores: primary.ceil().max(2.0),
        replicas,
        store_ops: peak.store.ops,
    }
}
