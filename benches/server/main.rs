//! `make bench NAME=server`: what the server does in a second, beside Supysonic over the same 20,000 tracks and nginx over
//! the same files, in one run.
//!
//! `wrk` asks both servers in turns, 16 connections that stay open, each with its cheapest way to log in (our API key, a
//! password there); the median of three turns counts. Ranges of 256 KiB come from files that the system has in
//! memory. Then 9,000 listeners of 320 kbit/s ([`swarm`]) hear music from nginx, from us, and again.
//! Everything goes over loopback, and the one who asks shares the cores with the one who answers.

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
mod library;
mod peers;
#[path = "../../tests/program/mod.rs"]
mod program;
mod swarm;

use std::process::{Command, ExitCode};

use goals::{Goals, median};
use peers::{Nginx, Segue, Supysonic, ask};
use program::installed;

/// Turns of which the median counts.
const TURNS: usize = 3;
const LISTENERS: usize = 9_000;
/// Bytes of a range.
const RANGE: u64 = 256 * 1024;

fn main() -> ExitCode {
    let mut goals = Goals::default();
    if let Some(missing) = ["wrk", "nginx"].into_iter().find(|p| installed(p).is_none()) {
        goals.skipped("everything", &format!("{missing} is not installed: .ci/packages bench-server"));
        return goals.end();
    }
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("music");
    library::make(&music);
    let segue = Segue::over(&music);
    for go in ["gonic", "Navidrome"] {
        goals.skipped(
            &format!("requests beside {go}, >= 5x"),
            "its module is not to be had from the Go module proxy",
        );
    }
    match Supysonic::over(&music) {
        Some(supysonic) => answers(&mut goals, &segue, &supysonic),
        None => goals.skipped("requests beside Supysonic", "supysonic-cli is not in target/peers/supysonic"),
    }
    let nginx = Nginx::over(&music);
    ranges(&mut goals, &segue, &nginx);
    listeners(&mut goals, &segue, &nginx);
    goals.end()
}

/// Requests in a second, against Supysonic.
fn answers(goals: &mut Goals, segue: &Segue, supysonic: &Supysonic) {
    let (ours, theirs) = (segue.ids(), supysonic.ids());
    let calls = [
        ("ping", String::new(), String::new()),
        ("getAlbumList2", "&type=alphabeticalByName&size=50&offset=500".into(), String::new()),
        ("getAlbum", format!("&id={}", ours.album), format!("&id={}", theirs.album)),
        ("search3", "&query=harbour".into(), String::new()),
        ("getCoverArt", format!("&size=300&id={}", ours.cover), format!("&size=300&id={}", theirs.cover)),
    ];
    for (endpoint, mine, yours) in calls {
        let yours = if yours.is_empty() { &mine } else { &yours };
        let (mine, yours) = (segue.url(endpoint, &mine), supysonic.url(endpoint, yours));
        for url in [&mine, &yours] {
            let answer = ask(url);
            assert!(!String::from_utf8_lossy(&answer).contains("\"failed\""), "{url} is refused");
        }
        let (mut we, mut they) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            they.push(wrk(&yours, 16, &[]));
            we.push(wrk(&mine, 16, &[]));
        }
        let (we, they) = (median(we), median(they));
        let ratio = we / they;
        goals.row(
            ratio >= 50.0,
            &format!("{endpoint} beside Supysonic"),
            &format!("{ratio:.0}x ({we:.0}/s, {they:.0}/s)"),
            ">= 50x",
            "wrk -t1 -c16, 20,000 tracks, median of 3",
        );
    }
}

/// Ranges of warm files, against nginx.
fn ranges(goals: &mut Goals, segue: &Segue, nginx: &Nginx) {
    let long = segue.long_songs();
    let ours = segue.url("stream", &format!("&id={}", long[0]));
    let theirs = nginx.url(0);
    let range = format!("Range: bytes={RANGE}-{}", 2 * RANGE - 1);
    let (mut we, mut they) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        they.push(wrk(&theirs, 64, &[&range]));
        we.push(wrk(&ours, 64, &[&range]));
    }
    let (we, they) = (median(we), median(they));
    let ratio = we / they;
    goals.row(
        ratio >= 0.9,
        "256 KiB ranges of a warm file beside nginx",
        &format!("{ratio:.2}x ({we:.0}/s, {they:.0}/s)"),
        ">= 0.9x",
        "wrk -t1 -c64, plain HTTP, median of 3",
    );
}

/// Many listeners at once.
fn listeners(goals: &mut Goals, segue: &Segue, nginx: &Nginx) {
    let long = segue.long_songs();
    let ours: Vec<String> = long.iter().map(|id| segue.url("stream", &format!("&id={id}"))).collect();
    let theirs: Vec<String> = (0..long.len()).map(|n| nginx.url(n)).collect();
    let idle = segue.memory();
    let (mut we, mut they) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        they.push(swarm::run(&theirs, LISTENERS));
        we.push(swarm::run(&ours, LISTENERS));
    }
    let peak = segue.peak();
    let underruns: usize = we.iter().map(|heard| heard.underruns + heard.errors).sum();
    let theirs: usize = they.iter().map(|heard| heard.underruns + heard.errors).sum();
    goals.row(
        underruns == 0,
        "9,000 listeners of 320 kbit/s, under-runs",
        &format!("{underruns} (nginx {theirs})"),
        "0",
        &format!("{} and {} MB/s, two runs of {} s", we[0].rate, we[1].rate, swarm::LENGTH.as_secs()),
    );
    let least = |heard: &[swarm::Heard], part: f64| {
        heard.iter().map(|heard| heard.first_byte(part)).fold(f64::INFINITY, f64::min)
    };
    let (we, they, middle, its) = (least(&we, 0.99), least(&they, 0.99), least(&we, 0.5), least(&they, 0.5));
    goals.row(
        we <= they,
        "first byte for 9,000, 99th percentile",
        &format!("{we:.1} ms (nginx {they:.1} ms)"),
        "<= nginx's",
        &format!("the better of two runs each; medians {middle:.1} and {its:.1} ms"),
    );
    let each = (peak - idle) / LISTENERS as f64;
    goals.row(
        each <= 24.0,
        "memory for a listener",
        &format!("{each:.1} KB"),
        "<= 24 KB",
        "VmHWM after, less VmRSS before, by 9,000",
    );
}

/// Requests in a second, all of which must be answered well.
fn wrk(url: &str, connections: u32, headers: &[&str]) -> f64 {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-d3s", "-c", &connections.to_string()]);
    for header in headers {
        command.args(["-H", header]);
    }
    let said = String::from_utf8(command.arg(url).output().unwrap().stdout).unwrap();
    assert!(!said.contains("Non-2xx"), "{url}: {said}");
    let rate = said.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.unwrap_or_else(|| panic!("{said}")).trim().parse().unwrap()
}
