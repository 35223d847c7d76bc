//! `make bench NAME=scale`: what requests cost the real server here, and what comes of that for a cluster on a release night.
//!
//! First the costs are measured ([`measure`]): over SQLite and a folder, and over PostgreSQL and Azurite, for some seconds each
//! kind of request. Then the nights of [`model::pages`] are played with what was measured. With `SEGUE_WRITE_DOCS=1` the costs are
//! recorded in `times.toml`, and the page and its pictures are written anew; a test plays the same nights from the
//! recorded costs.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a bench fails by panicking"
)]

#[path = "../goals/mod.rs"]
mod goals;
#[path = "../server/library.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod library;
mod measure;
mod model;
#[path = "../../tests/program/mod.rs"]
mod program;
#[cfg(feature = "cloud")]
#[path = "../../tests/stores/mod.rs"]
mod stores;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use goals::Goals;
use model::inputs::{Costs, Inputs};
use model::pages::{Nights, SIZES, filled, grouped, of_size, pictures, sections};

fn main() -> ExitCode {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str| std::fs::read_to_string(here.join("benches/scale").join(name)).unwrap();
    let mut inputs = Inputs::of(&text("times.toml"), &text("peak.toml"), &text("prices.toml")).unwrap();
    let mut goals = Goals::default();
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("music");
    library::make_some(&music, measure::ALBUMS);
    told(&mut goals, "SQLite and a folder", &mut inputs.times.home, Some(measure::home(&music)));
    match measure::cloud(&music) {
        Ok((costs, play_bytes)) => {
            told(&mut goals, "PostgreSQL and Azurite", &mut inputs.times.cloud, Some(costs));
            inputs.times.play_bytes = play_bytes;
        }
        Err(why) => goals.skipped("costs over PostgreSQL and Azurite", &why),
    }
    inputs.times.measured = measure::sentence();
    nights(&mut goals, &inputs);
    if std::env::var_os("SEGUE_WRITE_DOCS").is_some() {
        write(here, &inputs);
    }
    goals.end()
}

/// Prints what was measured and keeps it.
fn told(goals: &mut Goals, name: &str, kept: &mut Costs, found: Option<Costs>) {
    let Some(found) = found else { return };
    let figure = format!(
        "range {:.0} µs, stream {:.0} + {:.0} µs, play {:.0} + {:.0} µs",
        found.range.server_us,
        found.stream.server_us,
        found.stream.database_us,
        found.play.server_us,
        found.play.database_us
    );
    let ratio = found.range.server_us / kept.range.server_us;
    goals.row(
        ratio < 2.0,
        &format!("a range over {name}"),
        &format!("{ratio:.2}x of what is recorded"),
        "< 2x",
        &figure,
    );
    *kept = found;
}

/// Plays the nights and says what came of them.
fn nights(goals: &mut Goals, inputs: &Inputs) {
    for listeners in SIZES {
        let began = Instant::now();
        let night = of_size(inputs, listeners);
        let took = began.elapsed().as_secs_f64();
        let first = night.out.first.below(0.99).unwrap_or(f64::NAN);
        let processes = u64::from(night.cluster.processes) * night.cluster.cells;
        let name = grouped(listeners as f64);
        goals.row(
            night.out.underruns == 0 && night.out.turned_away == 0,
            &format!("{name} listeners, under-runs and refusals"),
            &format!("{} and {}", night.out.underruns, night.out.turned_away),
            "0 and 0",
            &format!("{processes} processes, {} listeners followed", night.out.listeners),
        );
        goals.row(
            first <= 1_000.0,
            &format!("{name} listeners, first byte"),
            &format!("{first:.1} ms"),
            "<= 1 s",
            &format!("99 of 100, simulated in {took:.1} s"),
        );
        goals.row(
            took <= 60.0,
            &format!("{name} listeners, to play"),
            &format!("{took:.1} s"),
            "<= 60 s",
            "",
        );
    }
    let Some(nights) = Nights::of(inputs) else { return goals.skipped("nights of trouble", "a thread died") };
    let [with, without] = &nights.tight;
    goals.row(
        with.out.disturbed == 0 && without.out.disturbed > 0,
        "four of ten machines, music that stands still",
        &format!("{} of {} (no limit: {})", with.out.disturbed, with.out.listeners, without.out.disturbed),
        "0 with a limit",
        "who comes is refused before who listens suffers",
    );
}

/// Records what was measured, and writes what comes of it.
fn write(here: &Path, inputs: &Inputs) {
    let times = format!(
        "# What requests cost: written by `SEGUE_WRITE_DOCS=1 make bench NAME=scale`, read by the model and its test.\n{}",
        toml::to_string(&inputs.times).unwrap()
    );
    std::fs::write(here.join("benches/scale/times.toml"), &times).unwrap();
    // As the test will read it.
    let text = |name: &str| std::fs::read_to_string(here.join("benches/scale").join(name)).unwrap();
    let inputs = Inputs::of(&times, &text("peak.toml"), &text("prices.toml")).unwrap();
    let nights = Nights::of(&inputs).unwrap();
    let page = here.join("docs/scaling.md");
    let kept = std::fs::read_to_string(&page).unwrap();
    std::fs::write(&page, filled(&kept, &sections(&inputs, &nights)).unwrap()).unwrap();
    for (name, picture) in pictures(&inputs, &nights) {
        std::fs::write(here.join("docs/scaling").join(name), picture).unwrap();
    }
    println!("written: benches/scale/times.toml, docs/scaling.md, docs/scaling/*.svg");
}
