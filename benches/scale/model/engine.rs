//! One night, event by event.
//!
//! Some of the processes are simulated with all of their listeners; what all processes share stands behind them as a
//! [`Tier`], which takes each of their requests for as many as there are processes for a simulated one. A listener comes, signs
//! in, looks at what is new, perhaps searches, opens an album, and asks for the first range of a track; from then on for the next
//! one whenever less is ahead than a player wants. Music that has not come when it should be heard is an under-run.
//!
//! A request waits for a core of its process, then for the database and the store, then for the process's network, each in the
//! order in which requests come there. Its first byte is when it gets the network. The way to the listener is not in it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::chance::Chance;
use super::histogram::Histogram;
use super::inputs::{Habits, Inputs};
use super::queue::{Ns, SECOND, Station, Tier, ns, seconds};
use super::sizing::{Cluster, Work, Works, range_seconds};

/// Length of a step of the timeline, seconds.
pub const STEP_S: u64 = 5;
/// A request to a process that is gone is made again after so long, and to another one.
const GONE_S: f64 = 1.0;

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// A process dies; another one takes its place as soon as it can.
    Process { at_s: u64 },
    /// The database does not answer for a while.
    Database { at_s: u64, for_s: u64 },
}

/// What is played.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    pub inputs: &'a Inputs,
    pub cluster: Cluster,
    /// Processes that are simulated, of those of a cell.
    pub simulated: u32,
    pub faults: &'a [Fault],
    pub seed: u64,
}

/// What happened in a step of the timeline, of the simulated part.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// Listeners who came.
    pub came: u64,
    /// Listeners who had heard something and were not at the end, at the step's end.
    pub listening: u64,
    pub refused: u64,
    pub underruns: u64,
    /// Of a track that somebody asked for.
    pub first: Histogram,
    /// Work that tiers took in, as a share of what they had.
    pub core: f64,
    pub link: f64,
    pub primary: f64,
    pub replica: f64,
    pub store: f64,
}

/// What came of a night.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Listeners who were simulated.
    pub listeners: u64,
    pub asked: u64,
    pub answered: u64,
    pub refused: u64,
    /// Given up by a process that died or a database that was away.
    pub failed: u64,
    /// Under way when the night ended.
    pub open: u64,
    /// From a request to its first byte: of a track's beginning, of what follows, and of everything else.
    pub first: Histogram,
    pub next: Histogram,
    pub other: Histogram,
    /// Ranges that came too late, and listeners who had one.
    pub underruns: u64,
    pub disturbed: u64,
    /// Listeners who heard nothing at all.
    pub deaf: u64,
    /// Listeners who were refused at least once.
    pub turned_away: u64,
    pub steps: Vec<Step>,
}

impl Outcome {
    /// The busiest step of a tier.
    pub fn most(&self, of: impl Fn(&Step) -> f64) -> f64 {
        self.steps.iter().map(of).fold(0.0, f64::max)
    }

    /// Puts another part of the same night to this one.
    pub fn merge(&mut self, other: &Self) {
        self.listeners += other.listeners;
        self.asked += other.asked;
        self.answered += other.answered;
        self.refused += other.refused;
        self.failed += other.failed;
        self.open += other.open;
        self.first.merge(&other.first);
        self.next.merge(&other.next);
        self.other.merge(&other.other);
        self.underruns += other.underruns;
        self.disturbed += other.disturbed;
        self.deaf += other.deaf;
        self.turned_away += other.turned_away;
        for (step, more) in self.steps.iter_mut().zip(&other.steps) {
            step.came += more.came;
            step.listening += more.listening;
            step.refused += more.refused;
            step.underruns += more.underruns;
            step.first.merge(&more.first);
            for (mine, its) in [
                (&mut step.core, more.core),
                (&mut step.link, more.link),
                (&mut step.primary, more.primary),
                (&mut step.replica, more.replica),
                (&mut step.store, more.store),
            ] {
                *mine = mine.max(its);
            }
        }
    }
}

/// Where a listener is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Ping,
    Browse,
    Search,
    Album,
    /// The beginning of a track.
    Track,
    /// The middle of one.
    Range,
}

#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "what has become of a listener, each by itself")]
struct Listener {
    phase: Phase,
    process: Option<u16>,
    /// Whether the process counts it among those who hear.
    taken: bool,
    hot: bool,
    refused: bool,
    disturbed: bool,
    /// When the music began, and for how long it stood still since.
    began: Option<Ns>,
    still: Ns,
    /// Ranges that came, and of those the ones of this track.
    have: u32,
    of_track: u32,
}

#[derive(Debug, Clone)]
struct Process {
    cores: Station,
    link: Station,
    hearing: u32,
    /// Counts its lives.
    life: u32,
    alive: bool,
    /// When blocks of the release are in its hot cache.
    blocks: Vec<Option<Ns>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A listener does what comes next.
    Acts(u32),
    /// What a listener asked for is ready to be sent, by a process in that life; when it was asked.
    Ready(u32, u16, u32, Ns),
    Dies(u16),
    Starts(u16),
    StepEnds,
}

/// Plays a night.
pub fn play(run: &Run<'_>) -> Outcome {
    Night::of(run).play()
}

struct Night<'a> {
    run: &'a Run<'a>,
    habits: Habits,
    works: Works,
    chance: Chance,
    queue: BinaryHeap<Reverse<(Ns, u64, What)>>,
    numbered: u64,
    listeners: Vec<Listener>,
    processes: Vec<Process>,
    primary: Tier,
    replica: Option<Tier>,
    store: Tier,
    /// Music of a range, and what makes a track.
    range: Ns,
    ranges_of_track: u32,
    end: Ns,
    out: Outcome,
    step: Step,
    /// What tiers had taken when the step began.
    taken: [f64; 5],
    hearing: u64,
}

impl<'a> Night<'a> {
    fn of(run: &'a Run<'a>) -> Self {
        let (peak, cluster) = (&run.inputs.peak, &run.cluster);
        let simulated = run.simulated.clamp(1, cluster.processes);
        let each = f64::from(cluster.processes) / f64::from(simulated);
        let many = (cluster.listeners as f64 / each).round() as usize;
        let ranges_of_track = (peak.listener.track_s / range_seconds(&peak.listener)).ceil() as u32;
        let blocks = ranges_of_track * peak.listener.hot_tracks;
        let process = Process {
            cores: Station::of(peak.machines.cores),
            link: Station::of(1),
            hearing: 0,
            life: 0,
            alive: true,
            blocks: vec![None; blocks as usize],
        };
        let replica_cores = f64::from(cluster.replicas) * peak.machines.replica_cores;
        let patience = peak.machines.database_patience_s;
        let mut night = Self {
            run,
            habits: peak.listener,
            works: Works::of(&run.inputs.times.cloud),
            chance: Chance::of(run.seed),
            queue: BinaryHeap::new(),
            numbered: 0,
            listeners: Vec::with_capacity(many),
            processes: vec![process; simulated as usize],
            primary: Tier::of_servers(cluster.primary_cores, each).with_patience(patience),
            replica: (cluster.replicas > 0)
                .then(|| Tier::of_servers(replica_cores, each).with_patience(patience)),
            store: Tier::of_rate(cluster.store_ops, each),
            range: ns(range_seconds(&peak.listener)),
            ranges_of_track,
            end: ns(peak.night.length_s),
            out: Outcome { listeners: many as u64, ..Outcome::default() },
            step: Step::default(),
            taken: [0.0; 5],
            hearing: 0,
        };
        night.people(many);
        night.faults();
        night.at(STEP_S * SECOND, What::StepEnds);
        night
    }

    fn people(&mut self, many: usize) {
        let half = self.run.inputs.peak.night.mean_s / 2.0;
        for n in 0..many {
            let comes = self.chance.exponential(half) + self.chance.exponential(half);
            let hot = self.chance.even() < self.habits.hot;
            self.listeners.push(Listener {
                phase: Phase::Ping,
                process: None,
                taken: false,
                hot,
                refused: false,
                disturbed: false,
                began: None,
                still: 0,
                have: 0,
                of_track: 0,
            });
            self.at(ns(comes), What::Acts(n as u32));
        }
    }

    fn faults(&mut self) {
        for (n, fault) in self.run.faults.iter().enumerate() {
            match *fault {
                Fault::Process { at_s } => {
                    let which = (n % self.processes.len()) as u16;
                    self.at(at_s * SECOND, What::Dies(which));
                    let start = self.run.inputs.peak.machines.machine_start_s;
                    let back = at_s as f64 + start + self.run.inputs.times.cloud.start_s;
                    self.at(ns(back), What::Starts(which));
                }
                Fault::Database { at_s, for_s } => {
                    let (from, until) = (at_s * SECOND, (at_s + for_s) * SECOND);
                    self.primary.goes_away(from, until);
                }
            }
        }
    }

    fn at(&mut self, when: Ns, what: What) {
        self.numbered += 1;
        self.queue.push(Reverse((when, self.numbered, what)));
    }

    fn later(&mut self, now: Ns, seconds: f64, listener: u32) {
        self.at(now + ns(seconds), What::Acts(listener));
    }

    fn play(mut self) -> Outcome {
        while let Some(Reverse((now, _, what))) = self.queue.pop() {
            if now > self.end {
                if matches!(what, What::Ready(..)) {
                    self.out.open += 1;
                }
                continue;
            }
            match what {
                What::Acts(listener) => self.acts(now, listener),
                What::Ready(listener, process, life, asked) => {
                    self.ready(now, listener, process, life, asked);
                }
                What::Dies(process) => {
                    let gone = &mut self.processes[process as usize];
                    gone.alive = false;
                    gone.life += 1;
                    gone.hearing = 0;
                    gone.cores.clear(now);
                    gone.link.clear(now);
                    gone.blocks.fill(None);
                }
                What::Starts(process) => self.processes[process as usize].alive = true,
                What::StepEnds => {
                    self.step_ends();
                    self.at(now + STEP_S * SECOND, What::StepEnds);
                }
            }
        }
        self.out.deaf = self.listeners.iter().filter(|one| one.began.is_none()).count() as u64;
        self.out.disturbed = self.listeners.iter().filter(|one| one.disturbed).count() as u64;
        self.out.turned_away = self.listeners.iter().filter(|one| one.refused).count() as u64;
        self.out
    }

    fn step_ends(&mut self) {
        let busy = |of: fn(&Process) -> Ns| self.processes.iter().map(|p| seconds(of(p))).sum::<f64>();
        let now = [
            busy(|process| process.cores.taken),
            busy(|process| process.link.taken),
            self.primary.taken,
            self.replica.as_ref().map_or(0.0, |tier| tier.taken),
            self.store.taken,
        ];
        let peak = &self.run.inputs.peak;
        let (cluster, processes) = (&self.run.cluster, self.processes.len() as f64);
        let had = [
            processes * f64::from(peak.machines.cores),
            processes,
            cluster.primary_cores,
            f64::from(cluster.replicas.max(1)) * peak.machines.replica_cores,
            cluster.store_ops,
        ];
        let used = |n: usize| (now[n] - self.taken[n]) / had[n] / STEP_S as f64;
        let step = Step {
            listening: self.hearing,
            core: used(0),
            link: used(1),
            primary: used(2),
            replica: used(3),
            store: used(4),
            ..std::mem::take(&mut self.step)
        };
        self.taken = now;
        self.out.steps.push(step);
    }

    /// A listener asks for what comes next.
    fn acts(&mut self, now: Ns, number: u32) {
        let one = &self.listeners[number as usize];
        if one.process.is_none() && one.phase == Phase::Ping {
            self.step.came += 1;
        }
        if one.process.is_some_and(|at| !self.processes[at as usize].alive) {
            let one = &mut self.listeners[number as usize];
            (one.process, one.taken) = (None, false);
            return self.later(now, GONE_S, number);
        }
        let Some(process) = one.process.or_else(|| self.least_busy()) else {
            return self.later(now, GONE_S, number);
        };
        self.listeners[number as usize].process = Some(process);
        self.out.asked += 1;
        let one = &self.listeners[number as usize];
        let (phase, plays_on) = (one.phase, one.taken);
        let hears = matches!(phase, Phase::Track | Phase::Range);
        if hears && !plays_on {
            let at = &mut self.processes[process as usize];
            if self.run.cluster.slots.is_some_and(|slots| at.hearing >= slots) {
                let wait = self.habits.retry_after_s * (1.0 + self.chance.even());
                self.out.refused += 1;
                self.step.refused += 1;
                let one = &mut self.listeners[number as usize];
                one.refused = true;
                // The next attempt goes to whoever has the most room then.
                one.process = None;
                return self.later(now, wait, number);
            }
            at.hearing += 1;
            self.listeners[number as usize].taken = true;
        }
        let work = self.work_of(phase);
        let Some(ready) = self.through_tiers(now, number, process, &work) else {
            self.out.failed += 1;
            return self.later(now + ns(self.patience()), self.habits.retry_after_s, number);
        };
        let life = self.processes[process as usize].life;
        self.at(ready, What::Ready(number, process, life, now));
    }

    fn patience(&self) -> f64 {
        self.run.inputs.peak.machines.database_patience_s
    }

    fn work_of(&self, phase: Phase) -> Work {
        match phase {
            Phase::Ping => self.works.ping,
            Phase::Browse => self.works.browse,
            Phase::Search => self.works.search,
            Phase::Album => self.works.album,
            Phase::Track => self.works.stream,
            Phase::Range => self.works.range,
        }
    }

    /// When a request has had its core, the database and the store; none where the database takes too long.
    fn through_tiers(&mut self, now: Ns, number: u32, process: u16, work: &Work) -> Option<Ns> {
        let core = self.chance.exponential(work.server);
        let (_, done) = self.processes[process as usize].cores.serve(now, ns(core));
        let mut waits = 0.0;
        if work.primary > 0.0 {
            let asks = self.chance.exponential(work.primary);
            waits += self.primary.wait(now, asks, &mut self.chance) + asks;
        }
        if work.replica > 0.0 {
            let asks = self.chance.exponential(work.replica);
            let tier = self.replica.as_mut().unwrap_or(&mut self.primary);
            waits += tier.wait(now, asks, &mut self.chance) + asks;
        }
        if waits > self.patience() {
            return None;
        }
        let ready = done + ns(waits);
        let one = &self.listeners[number as usize];
        if !matches!(one.phase, Phase::Track | Phase::Range) {
            return Some(ready);
        }
        let block = one.have as usize;
        let (hot, asks_play) = (one.hot, one.of_track == self.ranges_of_track / 2);
        if asks_play {
            self.writes_play(now, process);
        }
        Some(self.there_from_store(ready, hot.then_some(block), process))
    }

    /// A play is written down beside the music.
    fn writes_play(&mut self, now: Ns, process: u16) {
        let work = self.works.play;
        let core = self.chance.exponential(work.server);
        self.processes[process as usize].cores.serve(now, ns(core));
        let asks = self.chance.exponential(work.primary);
        self.primary.wait(now, asks, &mut self.chance);
    }

    /// When a block is there: at once from the hot cache, or from the store. Who comes while it is fetched waits for the same.
    fn there_from_store(&mut self, now: Ns, block: Option<usize>, process: u16) -> Ns {
        let store = self.run.inputs.peak.store;
        let at = process as usize;
        let blocks = self.processes[at].blocks.len().max(1);
        if let Some(block) = block {
            if let Some(there) = self.processes[at].blocks[block % blocks] {
                return now.max(there);
            }
        } else if self.chance.even() < store.cached {
            return now;
        }
        let wait = self.store.wait(now, 1.0, &mut self.chance);
        let latency = (store.latency_ms[0] + self.chance.exponential(store.latency_ms[1])) / 1000.0;
        let there = now + ns(wait + latency);
        if let Some(block) = block {
            self.processes[at].blocks[block % blocks] = Some(there);
        }
        there
    }

    /// The process that fewest hear.
    fn least_busy(&mut self) -> Option<u16> {
        let alive = self.processes.iter().enumerate().filter(|(_, process)| process.alive);
        let least = alive.clone().map(|(_, process)| process.hearing).min()?;
        let equal: Vec<usize> =
            alive.filter(|(_, process)| process.hearing == least).map(|(n, _)| n).collect();
        Some(equal[self.chance.below(equal.len())] as u16)
    }

    /// What was asked for is sent.
    fn ready(&mut self, now: Ns, number: u32, process: u16, life: u32, asked: Ns) {
        if self.processes[process as usize].life != life {
            self.out.failed += 1;
            return self.later(now, GONE_S, number);
        }
        let phase = self.listeners[number as usize].phase;
        let bytes = self.work_of(phase).bytes;
        let bits = self.run.inputs.peak.machines.link_mbit * 1e6;
        let (first, last) = self.processes[process as usize].link.serve(now, ns(bytes * 8.0 / bits));
        self.out.answered += 1;
        let us = (first - asked) / 1000;
        match phase {
            Phase::Track => {
                self.out.first.add(us);
                self.step.first.add(us);
            }
            Phase::Range => self.out.next.add(us),
            _ => self.out.other.add(us),
        }
        if matches!(phase, Phase::Track | Phase::Range) {
            self.hears(number, last);
            return;
        }
        let searches = phase == Phase::Browse && self.chance.even() < self.habits.searches;
        self.listeners[number as usize].phase = match phase {
            Phase::Ping => Phase::Browse,
            Phase::Browse if searches => Phase::Search,
            Phase::Browse | Phase::Search => Phase::Album,
            _ => Phase::Track,
        };
        let thinks = self.chance.exponential(self.habits.thinks_s);
        self.later(last, thinks, number);
    }

    /// A range is there in full.
    fn hears(&mut self, number: u32, there: Ns) {
        let (range, ranges_of_track) = (self.range, self.ranges_of_track);
        let ahead = ns(self.habits.ahead_s);
        let one = &mut self.listeners[number as usize];
        match one.began {
            None => {
                one.began = Some(there);
                self.hearing += 1;
            }
            Some(began) => {
                let dry = began + one.still + u64::from(one.have) * range;
                if there > dry {
                    one.still += there - dry;
                    one.disturbed = true;
                    self.out.underruns += 1;
                    self.step.underruns += 1;
                }
            }
        }
        one.have += 1;
        one.of_track = (one.of_track + 1) % ranges_of_track;
        one.phase = if one.of_track == 0 { Phase::Track } else { Phase::Range };
        let dry = one.began.unwrap_or(there) + one.still + u64::from(one.have) * range;
        self.at(there.max(dry.saturating_sub(ahead)), What::Acts(number));
    }
}
