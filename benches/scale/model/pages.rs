//! What stands in `docs/scaling.md` between marks, and the pictures beside it: made from the three files of inputs by playing the
//! nights that the page tells of.

use std::fmt::Write as _;

pub use super::chart::grouped;
use super::chart::{Axis, Line, Panel, Picture, short};
use super::cost::{self, Way};
use super::engine::{Fault, Outcome, Run, STEP_S, Step, play};
use super::inputs::{Costs, Inputs};
use super::sizing::{Cluster, size};

/// Listeners that are followed in one night at most, about.
const FOLLOWED: f64 = 7_000.0;
/// The same for each point of a picture of many nights.
const FOLLOWED_EACH: f64 = 4_000.0;
/// The sizes that the page tells of.
pub const SIZES: [u64; 3] = [1_000, 100_000, 10_000_000];
/// How many machines there are, in parts of those wanted.
const PARTS: [f64; 6] = [0.3, 0.4, 0.5, 0.6, 0.8, 1.0];
/// The part of them that is too small.
const TIGHT: f64 = 0.4;
/// Where something goes wrong: so many listeners, and when.
const TROUBLED: u64 = 6_000;
const DIES_S: u64 = 240;
const AWAY_S: (u64, u64) = (420, 30);

/// One kind of request of a layout.
type CostOf = fn(&Costs) -> super::inputs::Cost;
/// How much of a tier was in use.
type LoadOf = fn(&Step) -> f64;

/// A night that was played.
#[derive(Debug, Clone)]
pub struct Played {
    pub cluster: Cluster,
    /// Listeners of the whole for one that was followed.
    pub each: f64,
    pub out: Outcome,
}

/// All nights.
#[derive(Debug, Clone)]
pub struct Nights {
    pub sizes: Vec<Played>,
    /// Too few machines: with a limit on listeners, and without.
    pub tight: [Played; 2],
    pub troubled: Played,
    /// The part of the machines, with a limit and without.
    pub sweep: Vec<(f64, [Played; 2])>,
}

/// Plays one night with as many processes as are needed to follow that many listeners.
pub fn night(inputs: &Inputs, cluster: Cluster, followed: f64, faults: &[Fault], seed: u64) -> Played {
    let of_process = cluster.listeners as f64 / f64::from(cluster.processes);
    let simulated = (followed / of_process).floor().clamp(1.0, f64::from(cluster.processes)) as u32;
    let out = play(&Run { inputs, cluster, simulated, faults, seed: inputs.peak.night.seed ^ seed });
    let each = f64::from(cluster.processes) / f64::from(simulated) * cluster.cells as f64;
    Played { cluster, each, out }
}

/// A cluster with a part of its machines.
fn part_of(cluster: Cluster, part: f64, limit: bool) -> Cluster {
    let processes = ((f64::from(cluster.processes) * part).round() as u32).max(1);
    Cluster { processes, slots: cluster.slots.filter(|_| limit), ..cluster }
}

/// A night of this size. Of a cluster of many cells two are played: one as accounts fall to it on average, and one that has as many
/// more as chance gives the fullest (three standard deviations).
pub fn of_size(inputs: &Inputs, listeners: u64) -> Played {
    let cluster = size(inputs, listeners);
    let mut played = night(inputs, cluster, FOLLOWED, &[], listeners);
    if cluster.cells > 1 {
        let more = (cluster.listeners as f64).sqrt() * 3.0;
        let fuller = Cluster { listeners: cluster.listeners + more as u64, ..cluster };
        let other = night(inputs, fuller, FOLLOWED, &[], listeners + 1);
        played.out.merge(&other.out);
        played.each /= 2.0;
    }
    played
}

impl Nights {
    /// Plays all of them, on all cores.
    pub fn of(inputs: &Inputs) -> Option<Self> {
        let middle = size(inputs, SIZES[1]);
        let tight = |limit| night(inputs, part_of(middle, TIGHT, limit), FOLLOWED, &[], 7);
        std::thread::scope(|scope| {
            let sizes = SIZES.map(|listeners| scope.spawn(move || of_size(inputs, listeners)));
            let tight = [scope.spawn(move || tight(true)), scope.spawn(move || tight(false))];
            let troubled = scope.spawn(|| {
                let faults =
                    [Fault::Process { at_s: DIES_S }, Fault::Database { at_s: AWAY_S.0, for_s: AWAY_S.1 }];
                night(inputs, size(inputs, TROUBLED), 1e9, &faults, 3)
            });
            let sweep = scope.spawn(move || {
                PARTS.map(|part| {
                    let with = |limit| night(inputs, part_of(middle, part, limit), FOLLOWED_EACH, &[], 11);
                    (part, [with(true), with(false)])
                })
            });
            let mut played = Vec::new();
            for one in sizes {
                played.push(one.join().ok()?);
            }
            let [with, without] = tight;
            Some(Self {
                sizes: played,
                tight: [with.join().ok()?, without.join().ok()?],
                troubled: troubled.join().ok()?,
                sweep: sweep.join().ok()?.into(),
            })
        })
    }
}

fn ms(value: Option<f64>) -> String {
    match value {
        None => "–".into(),
        Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
        Some(ms) if ms < 1000.0 => format!("{ms:.0} ms"),
        Some(ms) => format!("{:.1} s", ms / 1000.0),
    }
}

fn percent(part: f64) -> String {
    match part * 100.0 {
        0.0 => "0".into(),
        little if little < 0.1 => "< 0.1 %".into(),
        some if some < 10.0 => format!("{some:.1} %"),
        much => format!("{much:.0} %"),
    }
}

fn row(text: &mut String, name: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.collect();
    writeln!(text, "| {name} | {} |", cells.join(" | ")).unwrap_or_default();
}

/// What requests cost.
fn times(inputs: &Inputs) -> String {
    let (home, cloud) = (&inputs.times.home, &inputs.times.cloud);
    let mut text = format!(
        "{}\n\n| | server, SQLite | server, PostgreSQL | database | first byte alone, half and 99 of 100 |\n|---|---|---|---|---|\n",
        inputs.times.measured
    );
    let kinds: [(&str, CostOf); 7] = [
        ("`ping`", |costs| costs.ping),
        ("`getAlbumList2`, 50 albums", |costs| costs.browse),
        ("`getAlbum`", |costs| costs.album),
        ("`search3`", |costs| costs.search),
        ("`stream`, the first 256 KiB", |costs| costs.stream),
        ("`stream`, the next 256 KiB", |costs| costs.range),
        ("`scrobble`", |costs| costs.play),
    ];
    for (name, of) in kinds {
        let (home, cloud) = (of(home), of(cloud));
        let cells = [
            format!("{:.0} µs", home.server_us),
            format!("{:.0} µs", cloud.server_us),
            format!("{:.0} µs", cloud.database_us),
            format!("{} / {}", ms(Some(cloud.first_byte_ms[0])), ms(Some(cloud.first_byte_ms[1]))),
        ];
        row(&mut text, name, cells.into_iter());
    }
    text
}

/// The three sizes beside each other.
fn sizes(inputs: &Inputs, nights: &Nights) -> String {
    let mut text = String::new();
    let of = |cell: &dyn Fn(&Played) -> String| -> Vec<String> { nights.sizes.iter().map(cell).collect() };
    let heads = SIZES.iter().map(|n| format!("{} listeners", grouped(*n as f64)));
    row(&mut text, "", heads);
    text.push_str("|---|---|---|---|\n");
    let machines = &inputs.peak.machines;
    let all = |one: &Played, of: f64| grouped(of * one.cluster.cells as f64);
    let processes = format!("processes, {} cores and {} Gbit/s", machines.cores, machines.link_mbit / 1000.0);
    let rows: Vec<(&str, Vec<String>)> = vec![
        ("cells, each with a database and a store", of(&|p| grouped(p.cluster.cells as f64))),
        (processes.as_str(), of(&|p| all(p, f64::from(p.cluster.processes)))),
        (
            "cores of primaries",
            of(&|p| {
                let each = if p.cluster.cells > 1 {
                    format!(" ({} × {})", p.cluster.cells, short(p.cluster.primary_cores))
                } else {
                    String::new()
                };
                format!("{}{each}", all(p, p.cluster.primary_cores))
            }),
        ),
        ("replicas", of(&|p| all(p, f64::from(p.cluster.replicas)))),
        ("listeners followed", of(&|p| grouped(p.out.listeners as f64))),
        ("first byte of a track, half", of(&|p| ms(p.out.first.below(0.5)))),
        ("99 of 100", of(&|p| ms(p.out.first.below(0.99)))),
        ("999 of 1000", of(&|p| ms(p.out.first.below(0.999)))),
        ("other answers, 99 of 100", of(&|p| ms(p.out.other.below(0.99)))),
        ("under-runs", of(&|p| grouped(p.out.underruns as f64))),
        ("listeners refused at first", of(&|p| percent(share(p, p.out.turned_away)))),
        ("busiest 5 s: cores of processes", of(&|p| percent(p.out.most(|step| step.core)))),
        ("network of processes", of(&|p| percent(p.out.most(|step| step.link)))),
        ("primary", of(&|p| percent(p.out.most(|step| step.primary)))),
        (
            "replicas",
            of(&|p| {
                if p.cluster.replicas == 0 { "–".into() } else { percent(p.out.most(|step| step.replica)) }
            }),
        ),
        ("requests of a store account", of(&|p| percent(p.out.most(|step| step.store)))),
        ("what fills up first", of(&|p| fullest(p).into())),
    ];
    for (name, cells) in rows {
        row(&mut text, name, cells.into_iter());
    }
    text
}

fn share(played: &Played, of: u64) -> f64 {
    of as f64 / played.out.listeners.max(1) as f64
}

/// The tier that is in use most in its busiest moment.
fn fullest(played: &Played) -> &'static str {
    let tiers: [(&str, LoadOf); 5] = [
        ("cores", |step| step.core),
        ("network", |step| step.link),
        ("primary", |step| step.primary),
        ("replicas", |step| step.replica),
        ("store", |step| step.store),
    ];
    let most = |of: fn(&Step) -> f64| played.out.most(of);
    tiers.iter().max_by(|a, b| most(a.1).total_cmp(&most(b.1))).map_or("", |tier| tier.0)
}

/// Too few machines, with and without a limit.
fn tight(nights: &Nights) -> String {
    let of = |cell: &dyn Fn(&Played) -> String| -> Vec<String> { nights.tight.iter().map(cell).collect() };
    let mut text = String::from("| | refused beyond the limit | nobody refused |\n|---|---|---|\n");
    let rows = [
        ("listeners whose music stood still", of(&|p| percent(share(p, p.out.disturbed)))),
        ("listeners who were refused at first", of(&|p| percent(share(p, p.out.turned_away)))),
        ("listeners who heard nothing in ten minutes", of(&|p| percent(share(p, p.out.deaf)))),
        ("first byte of a track, half", of(&|p| ms(p.out.first.below(0.5)))),
        ("99 of 100", of(&|p| ms(p.out.first.below(0.99)))),
    ];
    for (name, cells) in rows {
        row(&mut text, name, cells.into_iter());
    }
    text
}

/// What a number of accounts takes in an ordinary month.
fn demand(inputs: &Inputs) -> String {
    let demands = [1_000.0, 100_000.0, 10_000_000.0].map(|accounts| cost::demand(inputs, accounts));
    let mut text = String::new();
    row(&mut text, "", demands.iter().map(|d| format!("{} accounts", grouped(d.accounts))));
    text.push_str("|---|---|---|---|\n");
    let of = |cell: &dyn Fn(&cost::Demand) -> String| -> Vec<String> { demands.iter().map(cell).collect() };
    let size = |bytes: f64| {
        let units = [(1e15, "PB"), (1e12, "TB"), (1e9, "GB")];
        let (unit, name) = units.into_iter().find(|(unit, _)| bytes >= *unit).unwrap_or((1e6, "MB"));
        format!("{} {name}", short(bytes / unit))
    };
    let rows = [
        ("listening at once in the evening", of(&|d| grouped(d.at_once))),
        ("requests a second then", of(&|d| grouped(d.requests))),
        ("bytes a second then", of(&|d| size(d.bytes))),
        ("cores of processes in use then", of(&|d| short(d.server_cores))),
        ("cores of the database in use then", of(&|d| short(d.database_cores))),
        ("plays a day", of(&|d| grouped(cost::plays_a_day(d)))),
        ("plays that are kept, in the database", of(&|d| size(d.plays_gb * 1e9))),
        ("music sent in a month", of(&|d| size(d.traffic_gb * 1e9))),
        ("blocks read from the store in a month", of(&|d| grouped(d.store_reads))),
    ];
    for (name, cells) in rows {
        row(&mut text, name, cells.into_iter());
    }
    text
}

/// What it costs.
fn bills(inputs: &Inputs) -> String {
    let mut text = format!(
        "Example prices ({}), euros a month for each 1,000 of 100,000 accounts, and the sum for each 1,000 of fewer and of more:\n\n\
         | | processes | database | store | traffic | together | of 1,000 | of 10,000,000 |\n|---|---|---|---|---|---|---|---|\n",
        inputs.prices.known
    );
    let money = |euros: f64| if euros < 10.0 { format!("{euros:.1}") } else { grouped(euros) };
    for offer in &inputs.prices.offers {
        for (way, said) in [(Way::Processes, "through the processes"), (Way::Cdn, "from the store by a CDN")]
        {
            let of = |accounts: f64, part: fn(&cost::Bill) -> f64| {
                let demand = cost::demand(inputs, accounts);
                let bill = cost::bill(inputs, &demand, offer, way)?;
                Some(money(part(&bill) / accounts * 1_000.0))
            };
            let cells = [
                of(1e5, |bill| bill.processes),
                of(1e5, |bill| bill.database),
                of(1e5, |bill| bill.store),
                of(1e5, |bill| bill.traffic),
                of(1e5, cost::Bill::total),
                of(1e3, cost::Bill::total),
                of(1e7, cost::Bill::total),
            ];
            let cells: Option<Vec<String>> = cells.into_iter().collect();
            let Some(cells) = cells else { continue };
            row(&mut text, &format!("{}, {said}", offer.name), cells.into_iter());
        }
    }
    text
}

/// The parts of the page, by the names of their marks.
pub fn sections(inputs: &Inputs, nights: &Nights) -> Vec<(&'static str, String)> {
    vec![
        ("times", times(inputs)),
        ("peak", sizes(inputs, nights)),
        ("tight", tight(nights)),
        ("demand", demand(inputs)),
        ("bills", bills(inputs)),
    ]
}

/// The page with its parts between their marks; the error names a mark that is missing.
pub fn filled(page: &str, sections: &[(&str, String)]) -> Result<String, String> {
    let mut page = page.to_owned();
    for (name, text) in sections {
        let (begin, end) = (format!("<!-- scale:{name} -->\n"), format!("<!-- /scale:{name} -->"));
        let parts = page.split_once(&begin).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(&end)?;
            Some((before.to_owned(), after.to_owned()))
        });
        let (before, after) = parts.ok_or_else(|| format!("the page has no marks for `{name}`"))?;
        page = format!("{before}{begin}{}\n{end}{after}", text.trim_end());
    }
    Ok(page)
}

fn line(name: &str, points: Vec<(f64, f64)>) -> Line {
    Line { name: name.into(), points, area: false }
}

fn panel(label: &str, unit: &'static str, lines: Vec<Line>) -> Panel {
    Panel { label: label.into(), unit, powers: false, least: 0.0, lines, marks: Vec::new() }
}

/// A value of each step, at the step's end in minutes.
fn course(played: &Played, of: impl Fn(&Step) -> f64) -> Vec<(f64, f64)> {
    let steps = played.out.steps.iter().enumerate();
    steps.map(|(n, step)| ((n as f64 + 1.0) * STEP_S as f64 / 60.0, of(step))).collect()
}

fn minutes(inputs: &Inputs) -> Axis {
    Axis {
        label: "minutes after the release".into(),
        from: 0.0,
        to: inputs.peak.night.length_s / 60.0,
        step: 1.0,
        unit: "",
    }
}

/// Points where there is something to tell.
fn told(played: &Played, part: f64) -> Vec<(f64, f64)> {
    let steps = played.out.steps.iter().enumerate();
    let at = |n: usize| (n as f64 + 1.0) * STEP_S as f64 / 60.0;
    steps.filter_map(|(n, step)| Some((at(n), step.first.below(part)?))).collect()
}

/// The pictures, by the names of their files in `docs/scaling`.
pub fn pictures(inputs: &Inputs, nights: &Nights) -> Vec<(&'static str, String)> {
    let middle = &nights.sizes[1];
    let scaled = |played: &Played, of: fn(&Step) -> u64| {
        let each = played.each;
        course(played, |step| of(step) as f64 * each)
    };
    let mut listening = line("listening", scaled(middle, |step| step.listening));
    listening.area = true;
    let come: Vec<(f64, f64)> =
        scaled(middle, |step| step.came).into_iter().map(|(at, n)| (at, n / STEP_S as f64)).collect();
    let mut wait = panel("first byte of a track", " ms", vec![]);
    wait.powers = true;
    wait.lines = vec![line("half", told(middle, 0.5)), line("99 of 100", told(middle, 0.99))];
    let load: [(&str, LoadOf); 4] = [
        ("network", |step| step.link),
        ("cores", |step| step.core),
        ("primary", |step| step.primary),
        ("replicas", |step| step.replica),
    ];
    let mut used = panel("in use", " %", vec![]);
    used.least = 100.0;
    used.lines = load.iter().map(|(name, of)| line(name, course(middle, |step| of(step) * 100.0))).collect();
    let night = Picture {
        title: format!(
            "{} listeners, {} processes",
            grouped(SIZES[1] as f64),
            u64::from(middle.cluster.processes) * middle.cluster.cells
        ),
        x: minutes(inputs),
        panels: vec![
            panel("listeners", "", vec![listening]),
            panel("come in a second", "", vec![line("come", come)]),
            wait,
            used,
        ],
    };
    vec![
        ("night.svg", night.svg()),
        ("tight.svg", tight_picture(inputs, nights).svg()),
        ("machines.svg", machines_picture(nights).svg()),
        ("trouble.svg", trouble_picture(inputs, nights).svg()),
    ]
}

fn tight_picture(inputs: &Inputs, nights: &Nights) -> Picture {
    let [with, without] = &nights.tight;
    let still = |played: &Played| {
        course(played, |step| 100.0 * step.underruns as f64 / (step.listening.max(1) as f64))
    };
    let listening = |played: &Played| {
        let each = played.each;
        course(played, |step| step.listening as f64 * each)
    };
    Picture {
        title: format!("{} listeners on four of ten machines", grouped(SIZES[1] as f64)),
        x: minutes(inputs),
        panels: vec![
            panel(
                "hear something",
                "",
                vec![line("with a limit", listening(with)), line("without", listening(without))],
            ),
            panel(
                "of these stand still within 5 s",
                " %",
                vec![line("with a limit", still(with)), line("without", still(without))],
            ),
        ],
    }
}

fn machines_picture(nights: &Nights) -> Picture {
    let points = |which: usize, of: fn(&Played) -> f64| {
        nights.sweep.iter().map(|(part, played)| (part * 100.0, of(&played[which]))).collect::<Vec<_>>()
    };
    let still: fn(&Played) -> f64 = |played| 100.0 * share(played, played.out.disturbed);
    let refused: fn(&Played) -> f64 = |played| 100.0 * share(played, played.out.turned_away);
    let first: fn(&Played) -> f64 = |played| played.out.first.below(0.99).unwrap_or(0.0);
    let mut wait = panel("first byte of a track, 99 of 100", " ms", vec![]);
    wait.powers = true;
    wait.lines = vec![line("with a limit", points(0, first)), line("without", points(1, first))];
    let mut people = panel("listeners", " %", vec![]);
    people.least = 100.0;
    people.lines = vec![
        line("stand still, with a limit", points(0, still)),
        line("stand still, without", points(1, still)),
        line("refused at first", points(0, refused)),
    ];
    Picture {
        title: format!("{} listeners on fewer machines", grouped(SIZES[1] as f64)),
        x: Axis {
            label: "machines, of those that the sum says".into(),
            from: PARTS[0] * 100.0,
            to: 100.0,
            step: 10.0,
            unit: " %",
        },
        panels: vec![people, wait],
    }
}

fn trouble_picture(inputs: &Inputs, nights: &Nights) -> Picture {
    let played = &nights.troubled;
    let machines = &inputs.peak.machines;
    let back = DIES_S as f64 + machines.machine_start_s + inputs.times.cloud.start_s;
    let marks = vec![
        (DIES_S as f64 / 60.0, format!("one of {} dies", played.cluster.processes)),
        (back / 60.0, "another one".to_owned()),
        (AWAY_S.0 as f64 / 60.0, format!("no database for {} s", AWAY_S.1)),
    ];
    let mut listening = line("listening", course(played, |step| step.listening as f64));
    listening.area = true;
    let mut people = panel("listeners", "", vec![listening]);
    people.marks = marks;
    let mut wait = panel("first byte of a track", " ms", vec![]);
    wait.powers = true;
    wait.lines = vec![line("half", told(played, 0.5)), line("99 of 100", told(played, 0.99))];
    let mut still = panel("under-runs in 5 s", "", vec![]);
    still.least = 4.0;
    still.lines = vec![line("under-runs", course(played, |step| step.underruns as f64))];
    Picture {
        title: format!("{} listeners, and two accidents", grouped(TROUBLED as f64)),
        x: minutes(inputs),
        panels: vec![people, still, wait],
    }
}
