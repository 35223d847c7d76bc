//! `make bench NAME=screens`: what the screens cost while nothing happens and while a track plays: CPU, bytes to the terminal, memory;
//! beside other players of the terminal over the same 20,000 tracks, in a terminal of 120×40, on one sound server.
//!
//! The clients of mpd (ncmpcpp, rmpc) leave scanning and decoding to it, so its own figures stand in a row of their own.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a bench fails by panicking"
)]

#[path = "../peers/collection.rs"]
mod collection;
#[path = "../goals/mod.rs"]
mod goals;
mod peers;
#[path = "../../tests/program/mod.rs"]
mod program;
#[path = "../peers/pty.rs"]
mod pty;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use collection::{Collection, SOUNDING, variables};
use goals::Goals;
use program::installed;
use program::pulse::Pulse;
use pty::Pty;

/// How long each state is watched.
const WATCH: Duration = Duration::from_secs(30);
/// How long a program may be busy after its start (new music is listened to once).
const SETTLING: Duration = Duration::from_mins(10);

/// What a state of a program costs.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Share of one core, %.
    cpu: f64,
    /// Bytes to the terminal in a second.
    bytes: f64,
    /// Resident memory, MB.
    memory: f64,
}

/// A program at rest and playing.
struct Figures {
    idle: Cost,
    playing: Option<Cost>,
}

impl Figures {
    fn print(&self, name: &str) {
        let cost = |c: &Cost| format!("{:.2} % CPU, {:.0} bytes/s, {:.0} MB", c.cpu, c.bytes, c.memory);
        let playing = self.playing.as_ref().map_or("not driven".to_owned(), cost);
        println!("{name:<12} idle {:<36} playing {playing}", cost(&self.idle));
    }
}

fn print(name: &str, figures: Option<&Figures>) {
    match figures {
        Some(figures) => figures.print(name),
        None => println!("{name:<12} not installed"),
    }
}

/// CPU time that the threads of a process have had, seconds.
fn cpu_time(pid: u32) -> f64 {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return 0.0 };
    let nanoseconds = threads.flatten().filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}

/// What a process takes of one core while it is watched, %.
fn cpu_over(pid: u32) -> f64 {
    let (before, began) = (cpu_time(pid), Instant::now());
    std::thread::sleep(WATCH);
    (cpu_time(pid) - before) / began.elapsed().as_secs_f64() * 100.0
}

/// Watches a program in its terminal.
fn watch(pty: &mut Pty) -> Cost {
    pty.take_in();
    let cpu = cpu_over(pty.pid());
    let (_, bytes) = pty.take_in();
    Cost { cpu, bytes: bytes as f64 / WATCH.as_secs_f64(), memory: memory_of(pty.pid()) }
}

/// Resident memory of a process, MB.
fn memory_of(pid: u32) -> f64 {
    pty::memory(pid).0
}

/// Waits until a program has nothing left to do from its start.
fn settle(pty: &mut Pty) {
    let end = Instant::now() + SETTLING;
    let pause = Duration::from_secs(5);
    loop {
        let before = cpu_time(pty.pid());
        std::thread::sleep(pause);
        pty.take_in();
        if cpu_time(pty.pid()) - before < 0.02 * pause.as_secs_f64() || Instant::now() > end {
            return;
        }
    }
}

fn main() -> ExitCode {
    let mut goals = Goals::default();
    if let Some(missing) = ["pulseaudio", "ffmpeg"].into_iter().find(|p| installed(p).is_none()) {
        goals.skipped("everything", &format!("{missing} is not installed: .ci/packages bench-screens"));
        return goals.end();
    }
    let collection = Collection::make(true);
    let pulse = Pulse::start(44_100);

    let segue = segue(&collection, &pulse);
    segue.print("Segue");
    let cmus = if collection.in_cmus { peers::cmus(&collection, &pulse) } else { None };
    print("cmus", cmus.as_ref());
    peers::clients_of_mpd(&collection, &pulse);
    print("termusic", peers::termusic(&collection, &pulse).as_ref());

    let seconds = WATCH.as_secs();
    let idle = segue.idle;
    let how = format!("the opening page, 20,001 tracks, the server inside; {seconds} s");
    goals.row(idle.cpu <= 0.1, "CPU while nothing happens", &format!("{:.3} %", idle.cpu), "<= 0.1 %", &how);
    goals.row(
        idle.bytes == 0.0,
        "bytes to the terminal while nothing happens",
        &format!("{:.1} bytes/s", idle.bytes),
        "none",
        &how,
    );
    if let Some(playing) = segue.playing {
        goals.row(
            playing.bytes <= 2_000.0,
            "bytes to the terminal while playing",
            &format!("{:.0} bytes/s", playing.bytes),
            "<= 2,000 bytes/s",
            "the full-player screen at 120×40, no spectrum",
        );
    }
    match cmus {
        Some(cmus) => goals.row(
            idle.memory <= cmus.idle.memory,
            "memory of the whole player",
            &format!("{:.0} MB; cmus {:.0} MB", idle.memory, cmus.idle.memory),
            "<= 1.0 × cmus's",
            "VmRSS with 20,001 tracks at a later start, at rest; the server inside",
        ),
        None => {
            goals.skipped("memory of the whole player", "cmus is not installed or did not take the files");
        }
    }
    goals.end()
}

fn segue(collection: &Collection, pulse: &Pulse) -> Figures {
    let mut variables = variables(collection.home());
    variables.push(("PULSE_SERVER".to_owned(), pulse.address()));
    let music = collection.music().display().to_string();
    let args = ["--music", music.as_str()];
    let start = || Pty::start(&collection::program(), &args, collection.home(), &variables);
    // What the first start left to do (listening to new music) is done before.
    let mut pty = start();
    pty.wait("the first page", |s| s.contains("Recently added"));
    settle(&mut pty);
    pty.keys(":quit\r");
    pty.wait_for_end();
    let mut pty = start();
    pty.wait("the first page", |s| s.contains("Recently added"));
    settle(&mut pty);
    let idle = watch(&mut pty);

    pty.keys("/");
    std::thread::sleep(Duration::from_millis(500));
    pty.keys(SOUNDING);
    pty.wait("it to be found", |s| s.matches(SOUNDING).count() > 1);
    std::thread::sleep(Duration::from_secs(1));
    pty.keys("\r");
    std::thread::sleep(Duration::from_millis(500));
    pty.keys("\u{1b}");
    std::thread::sleep(Duration::from_millis(500));
    pty.keys(":player\r");
    pty.wait("the track", |s| s.contains(SOUNDING) && s.contains("0:0"));
    pty.keys(":spectrum off\r");
    std::thread::sleep(Duration::from_secs(10));
    let playing = watch(&mut pty);
    println!("{}", pty.screen().contents());
    Figures { idle, playing: Some(playing) }
}
