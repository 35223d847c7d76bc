//! The model behind `docs/scaling.md` (`benches/scale`): that it counts right, agrees with formulas that are known, and that the page
//! and its pictures say what comes of the recorded service times.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../benches/scale/model/mod.rs"]
mod model;

use std::path::{Path, PathBuf};

use model::chance::{Chance, ln};
use model::cost::{self, Way};
use model::engine::{Fault, Outcome, Run, play};
use model::histogram::Histogram;
use model::inputs::Inputs;
use model::pages::{Nights, filled, grouped, pictures, sections};
use model::queue::{Station, Tier, erlang_c, ns, seconds};
use model::sizing::{Cluster, Works, size};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join("benches/scale").join(name)).unwrap()
}

/// What was recorded.
fn recorded() -> Inputs {
    Inputs::of(&text("times.toml"), &text("peak.toml"), &text("prices.toml")).unwrap()
}

/// Costs of round numbers, so that no measurement changes what is tested here.
const COSTS: &str = r"
start_s = 0.5
ping = { server_us = 40, database_us = 60, first_byte_ms = [0.2, 0.5], bytes = 400 }
browse = { server_us = 600, database_us = 900, first_byte_ms = [2, 4], bytes = 20000 }
album = { server_us = 200, database_us = 500, first_byte_ms = [1, 3], bytes = 6000 }
search = { server_us = 600, database_us = 700, first_byte_ms = [2, 4], bytes = 14000 }
stream = { server_us = 200, database_us = 200, first_byte_ms = [1, 2], bytes = 262500 }
range = { server_us = 200, database_us = 200, first_byte_ms = [1, 2], bytes = 262500 }
play = { server_us = 200, database_us = 500, first_byte_ms = [2, 5], bytes = 400 }
";

fn inputs() -> Inputs {
    let times = format!("measured = \"\"\nplay_bytes = 250\n[home]{COSTS}[cloud]{COSTS}");
    Inputs::of(&times, &text("peak.toml"), &text("prices.toml")).unwrap()
}

/// A small night with its faults.
fn small(inputs: &Inputs, cluster: Cluster, faults: &[Fault], seed: u64) -> Outcome {
    play(&Run { inputs, cluster, simulated: cluster.processes, faults, seed })
}

#[test]
fn the_logarithm_is_one() {
    for x in [1e-17_f64, 0.001, 0.5, 1.0, 1.5, 1.999_999, 2.0, 10.0, 12_345.678] {
        assert!((ln(x) - x.ln()).abs() < 1e-12 * x.ln().abs().max(1.0), "{x}");
    }
}

#[test]
fn a_histogram_knows_what_most_stay_below() {
    let mut all = Histogram::default();
    assert_eq!(all.below(0.5), None);
    let mut halves = [Histogram::default(), Histogram::default()];
    for us in 1..=100_000_u64 {
        all.add(us);
        halves[us as usize % 2].add(us);
    }
    for (part, wanted) in [(0.5, 50.0), (0.99, 99.0), (0.001, 0.1), (1.0, 100.0)] {
        let found = all.below(part).unwrap();
        assert!((found - wanted).abs() <= wanted / 32.0, "{part}: {found}");
    }
    let [mut even, odd] = halves;
    even.merge(&odd);
    assert_eq!(even, all);
}

/// The mean wait of an M/M/c queue by Erlang's formula, in units of the mean service.
fn mean_wait(servers: u32, load: f64) -> f64 {
    erlang_c(servers, load) / (f64::from(servers) - load)
}

#[test]
fn erlangs_formula_gives_the_values_of_the_tables() {
    // One server waits with the probability of its load; two and ten from the tables of telephone engineers.
    for (servers, load, wanted) in [(1, 0.5, 0.5), (1, 0.9, 0.9), (2, 1.0, 1.0 / 3.0), (10, 8.0, 0.409_2)] {
        let found = erlang_c(servers, load);
        assert!((found - wanted).abs() < 5e-4, "{servers} servers, {load}: {found}");
    }
}

#[test]
fn a_station_waits_as_long_as_erlang_says() {
    for (servers, load) in [(1, 0.5), (1, 0.8), (2, 1.6), (8, 6.8), (16, 12.0)] {
        let mut chance = Chance::of(7);
        let mut station = Station::of(servers);
        let (mut now, mut waited, many) = (0.0, 0.0, 400_000);
        for _ in 0..many {
            now += chance.exponential(1.0 / load);
            let (begins, _) = station.serve(ns(now), ns(chance.exponential(1.0)));
            waited += seconds(begins - ns(now));
        }
        let (found, wanted) = (waited / f64::from(many), mean_wait(servers, load));
        assert!((found - wanted).abs() < wanted * 0.08 + 0.002, "{servers}, {load}: {found} for {wanted}");
    }
}

#[test]
fn a_tier_that_is_not_followed_waits_as_long_as_one_that_is() {
    // 8 servers; only one in five requests is seen.
    for load in [4.0, 5.6, 6.8] {
        let (service, each) = (0.002, 5.0);
        let mut chance = Chance::of(11);
        let mut tier = Tier::of_servers(8.0, each);
        let (mut now, mut waited, mut counted) = (0.0, 0.0, 0);
        while now < 400.0 {
            now += chance.exponential(service * each / load);
            let work = chance.exponential(service);
            let wait = tier.wait(ns(now), work, &mut chance);
            // It has to learn its load first.
            if now > 20.0 {
                waited += wait;
                counted += 1;
            }
        }
        let (found, wanted) = (waited / f64::from(counted), mean_wait(8, load) * service);
        assert!((found - wanted).abs() < wanted * 0.25 + 2e-5, "{load}: {found} for {wanted}");
    }
}

#[test]
fn a_tier_that_gets_too_much_falls_behind_by_that_and_catches_up() {
    let mut chance = Chance::of(1);
    let mut tier = Tier::of_servers(4.0, 1.0);
    let mut at = |from: f64, until: f64, load: f64, tier: &mut Tier| {
        let mut now = from;
        while now < until {
            now += 0.001;
            tier.wait(ns(now), load * 0.001, &mut chance);
        }
        tier.behind()
    };
    assert!(at(0.0, 20.0, 2.0, &mut tier) < 1e-9);
    // A quarter more than there is, for twenty seconds.
    let behind = at(20.0, 40.0, 5.0, &mut tier);
    // It takes the second over which load is measured to notice.
    assert!((4.3..=5.05).contains(&behind), "{behind}");
    assert!(at(40.0, 60.0, 2.0, &mut tier) < 0.01);
    // Away, it is behind by what comes, and who would wait too long is not there any more.
    let mut tier = Tier::of_servers(4.0, 1.0).with_patience(2.0);
    tier.goes_away(ns(10.0), ns(20.0));
    assert!(at(0.0, 9.9, 2.0, &mut tier) < 1e-9);
    let behind = at(9.9, 19.9, 2.0, &mut tier);
    assert!((behind - 2.0).abs() < 0.01, "{behind}");
}

#[test]
fn no_request_is_lost_or_counted_twice() {
    let inputs = inputs();
    let faults = [Fault::Process { at_s: 100 }, Fault::Database { at_s: 200, for_s: 20 }];
    let cluster = size(&inputs, 1_500);
    let tight = Cluster { processes: 2, slots: Some(400), ..cluster };
    for (cluster, faults) in [(cluster, &faults[..]), (tight, &faults[..]), (tight, &[])] {
        let out = small(&inputs, cluster, faults, 5);
        assert_eq!(out.asked, out.answered + out.refused + out.failed + out.open, "{out:?}");
        let timed = out.first.total() + out.next.total() + out.other.total();
        assert_eq!(out.answered, timed);
        assert_eq!(out.listeners, 1_500);
        let came: u64 = out.steps.iter().map(|step| step.came).sum();
        assert!((1_490..=1_500).contains(&came), "{came}");
        assert_eq!(out.steps.iter().map(|step| step.underruns).sum::<u64>(), out.underruns);
        assert_eq!(faults.is_empty(), out.failed == 0, "{}", out.failed);
    }
}

#[test]
fn the_same_seed_is_the_same_night_and_another_one_is_like_it() {
    let inputs = inputs();
    let cluster = size(&inputs, 800);
    let night = |seed| small(&inputs, cluster, &[], seed);
    let (one, same, other) = (night(1), night(1), night(2));
    assert_eq!((one.asked, &one.first, &one.next), (same.asked, &same.first, &same.next));
    assert_ne!(one.first, other.first);
    assert!((one.asked as f64 / other.asked as f64 - 1.0).abs() < 0.05);
}

#[test]
fn who_listens_is_served_before_who_comes() {
    let inputs = inputs();
    let enough = size(&inputs, 20_000);
    let half = Cluster { processes: enough.processes.div_ceil(2) - 1, ..enough };
    let run = |slots| {
        play(&Run { inputs: &inputs, cluster: Cluster { slots, ..half }, simulated: 1, faults: &[], seed: 3 })
    };
    let (with, without) = (run(half.slots), run(None));
    assert!(with.turned_away > with.listeners / 10, "{}", with.turned_away);
    assert_eq!(with.underruns, 0);
    assert_eq!(without.turned_away, 0);
    assert!(without.disturbed > without.listeners / 2, "{}", without.disturbed);
}

#[test]
fn a_part_of_the_processes_tells_what_all_of_them_would() {
    let inputs = inputs();
    let cluster = size(&inputs, 20_000);
    let run = |simulated| play(&Run { inputs: &inputs, cluster, simulated, faults: &[], seed: 9 });
    let (all, part) = (run(cluster.processes), run(2));
    for part_of_all in [0.5, 0.99] {
        let both: [fn(&Outcome) -> &Histogram; 2] = [|out| &out.first, |out| &out.other];
        for of in both {
            let (all, part) = (of(&all).below(part_of_all).unwrap(), of(&part).below(part_of_all).unwrap());
            assert!((part / all - 1.0).abs() < 0.2, "{part_of_all}: {part} for {all}");
        }
    }
    for of in [|step: &model::engine::Step| step.link, |step: &model::engine::Step| step.primary] {
        let (all, part) = (all.most(of), part.most(of));
        assert!((part / all - 1.0).abs() < 0.1, "{part} for {all}");
    }
}

#[test]
fn twice_the_listeners_take_twice_the_work() {
    let inputs = inputs();
    let works = Works::of(&inputs.times.cloud);
    let (start, second) = (works.start(&inputs.peak.listener), works.second(&inputs.peak.listener));
    // 320 kbit/s and what is said around it.
    assert!((second.bytes - 40_000.0).abs() < 1_000.0, "{}", second.bytes);
    assert!(start.bytes > inputs.peak.listener.ahead_s * 40_000.0);
    let (one, two) = (size(&inputs, 100_000), size(&inputs, 200_000));
    assert_eq!((one.cells, two.cells), (1, 1));
    let many = size(&inputs, 10_000_000);
    assert!(many.cells >= 40 && many.primary_cores <= inputs.peak.machines.database_cores, "{many:?}");
    // But for the one that may be away.
    assert!((i64::from(two.processes) - 1 - 2 * (i64::from(one.processes) - 1)).abs() <= 1);
    assert!(f64::from(one.processes) * f64::from(one.slots.unwrap()) > 100_000.0);

    let (one, two) = (cost::demand(&inputs, 1_000.0), cost::demand(&inputs, 2_000.0));
    for of in [
        |demand: &cost::Demand| demand.requests,
        |demand: &cost::Demand| demand.traffic_gb,
        |demand: &cost::Demand| demand.plays_gb,
        |demand: &cost::Demand| demand.database_cores,
    ] {
        assert!((of(&two) - 2.0 * of(&one)).abs() < 1e-9 * of(&two));
    }
    // 30 hours of 144 MB.
    assert!((one.traffic_gb - 1_000.0 * 30.0 * 0.144).abs() < 1.0, "{}", one.traffic_gb);
    let offer = &inputs.prices.offers[0];
    let bill = cost::bill(&inputs, &one, offer, Way::Processes).unwrap();
    assert!((bill.traffic - one.traffic_gb * offer.traffic_gb).abs() < 1e-6);
    assert!((bill.processes - 3.0 * offer.process).abs() < 1e-6, "three at least: {}", bill.processes);
    let alone = inputs.prices.offers.iter().find(|offer| offer.cdn_gb.is_none()).unwrap();
    assert_eq!(cost::bill(&inputs, &one, alone, Way::Cdn), None);
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_name() {
    let peak = text("peak.toml").replace("track_s", "tracks_s");
    let said = Inputs::of(&text("times.toml"), &peak, &text("prices.toml")).unwrap_err();
    assert!(said.starts_with("peak.toml: ") && said.contains("tracks_s"), "{said}");
}

#[test]
fn parts_of_a_page_stand_between_their_marks() {
    let page = "a\n<!-- scale:x -->\nold\n<!-- /scale:x -->\nb\n";
    let new = filled(page, &[("x", "new\n".into())]).unwrap();
    assert_eq!(new, "a\n<!-- scale:x -->\nnew\n<!-- /scale:x -->\nb\n");
    assert!(filled("a\n", &[("x", String::new())]).unwrap_err().contains("`x`"));
    assert_eq!(grouped(1_234_567.0), "1,234,567");
    assert_eq!(grouped(999.0), "999");
}

/// `SEGUE_WRITE_DOCS=1 cargo test --test scaling` writes the page's parts and the pictures anew.
#[test]
fn the_page_and_its_pictures_say_what_comes_of_the_recorded_times() {
    let inputs = recorded();
    let nights = Nights::of(&inputs).unwrap();
    let path = root().join("docs/scaling.md");
    let kept = std::fs::read_to_string(&path).unwrap();
    let page = filled(&kept, &sections(&inputs, &nights)).unwrap();
    let write = std::env::var_os("SEGUE_WRITE_DOCS").is_some();
    if write {
        std::fs::write(&path, &page).unwrap();
        std::fs::create_dir_all(root().join("docs/scaling")).unwrap();
    }
    assert!(write || kept == page, "docs/scaling.md is old: SEGUE_WRITE_DOCS=1 cargo test --test scaling");
    for (name, picture) in pictures(&inputs, &nights) {
        let path = root().join("docs/scaling").join(name);
        if write {
            std::fs::write(&path, &picture).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == picture, "docs/scaling/{name} is old: SEGUE_WRITE_DOCS=1 cargo test --test scaling");
        roxmltree::Document::parse(&picture).unwrap();
    }
}
