//! `make bench NAME=soak MINUTES=60`: continuous playing on busy cores. The real binary streams from a server into a
//! private PulseAudio that keeps real time, while as many threads as there are cores compute without a pause and a hundred
//! seeks and a hundred skips are typed, spread over the time. What counts is what the program itself counts where it
//! hurts: how often the device's callback found nothing to play after the sound had begun.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a bench fails by panicking"
)]

#[path = "../goals/mod.rs"]
mod goals;
#[path = "../../tests/program/mod.rs"]
mod program;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use goals::Goals;
use program::pulse::Pulse;
use program::{Home, Process, Terminal, installed, position};

const RATE: u32 = 44_100;
const SEEKS: u32 = 100;
const SKIPS: u32 = 100;
/// What the log says of a device that ran dry.
const DRY: &str = "the sound device ran dry";
const PASSWORD: &str = "soak";

fn main() -> ExitCode {
    let mut goals = Goals::default();
    let programs = ["pulseaudio", "pactl", "ffmpeg"];
    if let Some(missing) = programs.into_iter().find(|p| installed(p).is_none()) {
        goals.skipped("everything", &format!("{missing} is not installed: .ci/packages bench-sound"));
        return goals.end();
    }
    let minutes: f64 = std::env::var("MINUTES").ok().and_then(|m| m.parse().ok()).unwrap_or(60.0);
    let music = tempfile::tempdir().unwrap();
    make_music(music.path());
    let home = Home::new();
    let (_server, address) = serve(&home, music.path());
    let pulse = Pulse::start(RATE);
    let pulse_address = pulse.address();
    let listener = Home::new();
    let url = format!("http://{address}");
    let variables = [("PULSE_SERVER", pulse_address.as_str()), ("SEGUE_PASSWORD", PASSWORD)];
    let mut terminal =
        Terminal::start(&listener, &["--server", &url, "--user", "admin"], &variables, (100, 30));
    terminal.wait_for("Soaked");
    terminal.wait_for("online");
    terminal.keys("\r");
    terminal.wait("sound", |s| position(s).is_some_and(|p| p >= 1));
    terminal.keys(":repeat all\r");

    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let busy = Busy::start(cores);
    let (sought, skipped, stood) = use_it(&mut terminal, Duration::from_secs_f64(minutes * 60.0));
    drop(busy);
    let dry: Vec<String> =
        listener.log().lines().filter(|line| line.contains(DRY)).map(ToOwned::to_owned).collect();
    for line in &dry {
        eprintln!("{line}");
    }
    let how = format!("{minutes} min, {cores} busy cores, {sought} seeks, {skipped} skips, over HTTP");
    goals.row(dry.is_empty(), "the device ran dry after the start", &dry.len().to_string(), "0", &how);
    goals.row(stood == 0, "steps at which nothing played", &stood.to_string(), "0", &how);
    goals.end()
}

/// Seeks and skips in turns until the time is over; how many of each, and how often it did not go on within 10 s.
fn use_it(terminal: &mut Terminal, time: Duration) -> (u32, u32, u32) {
    let begin = Instant::now();
    let (mut sought, mut skipped, mut stood) = (0, 0, 0);
    let steps = SEEKS + SKIPS;
    for step in 0..steps {
        let due = begin + time * step / steps;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if step % 2 == 0 {
            // Everywhere in a track of 100 s, also so near its end that the next one follows by itself.
            let place = (sought * 37) % 98;
            terminal.keys(&format!(":seek {place}\r"));
            sought += 1;
        } else {
            terminal.keys(">");
            skipped += 1;
        }
        stood += u32::from(!goes_on(terminal));
    }
    std::thread::sleep((begin + time).saturating_duration_since(Instant::now()));
    (sought, skipped, stood)
}

/// Whether the position on the screen moves.
fn goes_on(terminal: &Terminal) -> bool {
    std::thread::sleep(Duration::from_millis(300));
    let first = position(&terminal.screen());
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        if position(&terminal.screen()) != first {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

/// Twelve tracks of 100 s in five forms.
fn make_music(folder: &Path) {
    let forms = [
        ("flac", "-c:a flac"),
        ("mp3", "-c:a libmp3lame -q:a 2"),
        ("m4a", "-c:a aac -b:a 192k"),
        ("ogg", "-c:a libvorbis -q:a 6"),
        ("opus", "-c:a libopus -b:a 128k"),
    ];
    for number in 1..=12_usize {
        let (suffix, options) = forms[number % forms.len()];
        let noise =
            format!("anoisesrc=color=pink:sample_rate={RATE}:duration=100:seed={number}:amplitude=0.3");
        let done = Command::new("ffmpeg")
            .args(["-loglevel", "error", "-f", "lavfi", "-i", &noise, "-ac", "2"])
            .args(options.split(' '))
            .args(["-metadata", &format!("title=Drop {number}"), "-metadata", "artist=Noise"])
            .args(["-metadata", "album=Soaked", "-metadata", &format!("track={number}")])
            .arg(folder.join(format!("{number:02}.{suffix}")))
            .status()
            .unwrap();
        assert!(done.success());
    }
}

fn serve(home: &Home, music: &Path) -> (Process, SocketAddr) {
    let address: SocketAddr = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let (music, data) = (music.to_str().unwrap(), home.path().join("server"));
    let process = home
        .command(&["serve", "--music", music, "--data", data.to_str().unwrap()])
        .args(["--listen", &address.to_string()])
        .env("SEGUE_ADMIN_PASSWORD", PASSWORD)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_mins(1);
    while std::net::TcpStream::connect(address).is_err() {
        assert!(Instant::now() < end, "the server did not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    (Process(process), address)
}

/// Threads that leave the cores no rest.
struct Busy(Arc<AtomicBool>);

impl Busy {
    fn start(threads: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        for seed in 0..threads {
            let over = Arc::clone(&over);
            std::thread::spawn(move || {
                let mut n = seed as u64 + 1;
                while !over.load(Ordering::Relaxed) {
                    for _ in 0..10_000 {
                        n = std::hint::black_box(n ^ (n << 13) ^ (n >> 7));
                    }
                }
            });
        }
        Self(over)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
