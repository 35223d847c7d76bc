//! `make bench NAME=sound`: what playing costs, and how soon a key is heard, beside mpv and cmus on the same files and
//! the same sound server, in one run.
//!
//! Every player plays into a private PulseAudio null sink that keeps real time; `parec` listens at its monitor. The
//! time to sound runs from just before the key (or mpv's `loadfile`) is written to the arrival of the first sample
//! of the new sound. CPU and memory are the process's own figures from /proc.
//!
//! `cargo bench --bench sound -- cost seeks starts` names the parts that are wanted.

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
mod link;
mod peers;
mod plenty;
#[path = "../../tests/program/mod.rs"]
mod program;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use goals::{Goals, median};
use peers::{Cmus, Mpv, resident, usage};
use program::pulse::{Ear, Pulse};
use program::{Home, Process, Terminal, installed, position};

const RATE: u32 = 44_100;
/// How long CPU time is watched.
const WATCH: Duration = Duration::from_secs(20);
/// How long nothing but playing must go on before it is watched.
const CALM: Duration = Duration::from_secs(15);
/// Runs of which the median counts.
const RUNS: usize = 3;
/// What no sample of the quiet part of a bench track reaches: a seek is heard by its level.
const LOUD: f32 = 0.2;
/// Any sound at all.
const SOUND: f32 = 1e-4;
const PATIENCE: Duration = Duration::from_mins(1);

fn main() -> ExitCode {
    let mut goals = Goals::default();
    if let Some(missing) =
        ["pulseaudio", "parec", "ffmpeg", "mpv", "cmus"].into_iter().find(|p| installed(p).is_none())
    {
        goals.skipped("everything", &format!("{missing} is not installed: .ci/packages bench-sound"));
        return goals.end();
    }
    // Parts by name, all where none is named (cargo itself passes options that are none of ours).
    let parts: Vec<String> = std::env::args().skip(1).filter(|part| !part.starts_with('-')).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|p| p == part);
    let files = Files::make();
    if wanted("cost") {
        cost(&mut goals, &files);
    }
    let server = Server::start(&files);
    if wanted("seeks") {
        seeks(&mut goals, &server);
    }
    if wanted("starts") {
        starts(&mut goals, &server);
    }
    goals.end()
}

/// Four minutes of noise, quiet for 110 s and loud from there, as FLAC and as MP3 of 192 kbit/s; some short tracks.
struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let noise = format!(
            "anoisesrc=color=pink:sample_rate={RATE}:duration=240:seed=7:amplitude=0.9,\
             volume='if(lt(t,110),0.15,1)':eval=frame,alimiter=limit=0.95,aformat=channel_layouts=stereo"
        );
        for (name, options) in [
            ("mark.flac", ["-c:a", "flac", "-sample_fmt", "s16"]),
            ("mark.mp3", ["-c:a", "libmp3lame", "-b:a", "192k"]),
        ] {
            let title = format!("title=Long {}", name.replace('.', " "));
            let done = Command::new("ffmpeg")
                .args(["-loglevel", "error", "-f", "lavfi", "-i", &noise])
                .args(options)
                .args(["-metadata", &title, "-metadata", "artist=Noise", "-metadata", "album=Marks"])
                .arg(dir.path().join(name))
                .status()
                .unwrap();
            assert!(done.success());
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// `segue serve` over the bench files.
struct Server {
    address: SocketAddr,
    _home: Home,
    _process: Process,
}

const PASSWORD: &str = "bench";

impl Server {
    fn start(files: &Files) -> Self {
        let home = Home::new();
        let address: SocketAddr = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap()
        };
        let (music, data) = (files.dir.path().to_str().unwrap(), home.path().join("server"));
        let process = home
            .command(&[
                "serve",
                "--music",
                music,
                "--data",
                data.to_str().unwrap(),
                "--listen",
                &address.to_string(),
            ])
            .env("SEGUE_ADMIN_PASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(address).is_err() {
            assert!(Instant::now() < end, "the server did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { address, _home: home, _process: Process(process) }
    }

    /// Where a foreign player finds a track's original.
    fn url(at: SocketAddr, id: &str) -> String {
        format!("http://{at}/rest/stream?u=admin&p={PASSWORD}&v=1.16.1&c=bench&format=raw&id={id}")
    }
}

/// CPU and memory while playing a FLAC file from disk.
fn cost(goals: &mut Goals, files: &Files) {
    let pulse = Pulse::start(RATE);
    let ear = pulse.listen();
    let file = files.path("mark.flac");
    let settle = |from: Instant| {
        ear.wait_for_sound(from, SOUND, PATIENCE).expect("no sound");
        std::thread::sleep(Duration::from_secs(3));
    };

    let home = Home::new();
    let address = pulse.address();
    let folder = files.dir.path().to_str().unwrap();
    let mut segue = Terminal::start(&home, &["--music", folder], &[("PULSE_SERVER", &address)], (100, 30));
    choose(&mut segue, "Long mark flac");
    let from = Instant::now();
    segue.keys("\r");
    settle(from);
    // New music is also listened to once, for loudness and mixes: that is not playing.
    let end = Instant::now() + PATIENCE * 2;
    while usage(segue.pid(), CALM).cpu > 0.05 && Instant::now() < end {}
    let ours = usage(segue.pid(), WATCH);
    drop(segue);

    let mpv = Mpv::start(&pulse);
    let from = Instant::now();
    mpv.tell(&["loadfile", file.to_str().unwrap()]);
    settle(from);
    let theirs = usage(mpv.pid(), WATCH);
    drop(mpv);

    let from = Instant::now();
    let cmus = Cmus::play(&pulse, &file);
    settle(from);
    let small = usage(cmus.pid(), WATCH);
    drop(cmus);

    let how = format!("FLAC 44.1/16 from disk into PulseAudio, {} s", WATCH.as_secs());
    let ratio = |a: f64, b: f64| format!("{:.2} ({:.1} % to {:.1} %)", a / b, a * 100.0, b * 100.0);
    goals.row(
        ours.cpu <= 0.5 * theirs.cpu,
        "CPU of playing, to mpv",
        &ratio(ours.cpu, theirs.cpu),
        "at most 0.5",
        &how,
    );
    goals.row(
        ours.cpu <= small.cpu,
        "CPU of playing, to cmus",
        &ratio(ours.cpu, small.cpu),
        "at most 1.0",
        &how,
    );

    let home = Home::new();
    let mut segue = Terminal::start(&home, &[], &[("PULSE_SERVER", &address)], (100, 30));
    segue.wait_for("First Light");
    segue.keys("\r");
    segue.wait("playing", |s| position(s).is_some_and(|p| p >= 5));
    let demo = resident(segue.pid());
    let memory = format!("{demo:.0} MB (mpv {:.0}, cmus {:.0})", theirs.resident, small.resident);
    goals.row(
        demo < 40.0,
        "memory of the player with the demo",
        &memory,
        "under 40 MB",
        "VmRSS, screen and server in it",
    );
    drop(segue);

    let home = Home::new();
    let (tracks, title) = plenty::fill(home.path(), &file);
    let variables = [("PULSE_SERVER", address.as_str()), ("SEGUE_PASSWORD", PASSWORD)];
    let arguments = ["--server", plenty::NOWHERE, "--user", "admin"];
    // The first start makes the index of the search, which later ones find.
    let mut segue = Terminal::start(&home, &arguments, &variables, (100, 30));
    segue.wait_for("offline");
    choose(&mut segue, &title);
    segue.keys("\u{1b}");
    std::thread::sleep(Duration::from_millis(300));
    segue.keys(":quit\r");
    assert!(segue.ended());
    let mut segue = Terminal::start(&home, &arguments, &variables, (100, 30));
    segue.wait_for("offline");
    segue.keys(":library\r");
    std::thread::sleep(Duration::from_secs(1));
    choose(&mut segue, &title);
    segue.keys("\r");
    segue.wait("playing", |s| position(s).is_some_and(|p| p >= 5));
    let large = resident(segue.pid());
    goals.row(
        large < 60.0,
        "memory of the player with a large catalog",
        &format!("{large:.0} MB"),
        "under 60 MB",
        &format!("VmRSS at a later start, {tracks} tracks, library and search opened, one playing"),
    );
}

/// How soon the key that plays is heard.
fn starts(goals: &mut Goals, server: &Server) {
    let pulse = Pulse::start(RATE);
    let ear = pulse.listen();
    let floor = floor(&pulse, &ear);

    let near = Player::start(&pulse, server.address);
    let ids = near.ids();
    let cached = {
        let mut near = near;
        near.first_sound(&ear, "Long mark flac"); // streams it
        near.terminal.wait("all of it to be here", |s| s.contains('●'));
        let runs = (0..RUNS).map(|_| near.first_sound(&ear, "Long mark flac")).collect();
        median(runs)
    };
    let over = cached - floor;
    let figure = format!("{over:.0} ms ({cached:.0} over a floor of {floor:.0})");
    goals.row(over <= 50.0, "key to sound, cached track", &figure, "at most 50 ms over the floor", "FLAC");

    let id =
        |title: &str| ids.iter().find(|(t, _)| t == title).map(|(_, id)| id.clone()).expect("a known track");
    let pairs = [
        ("key to sound, HTTP on loopback", "Long mark flac", None, 0.9),
        ("key to sound, MP3 at 256 kbit/s, 200 ms", "Long mark mp3", Some((256e3, 200)), 0.8),
        ("key to sound, FLAC at 2 Mbit/s, 200 ms", "Long mark flac", Some((2e6, 200)), 0.5),
    ];
    for (name, title, slow, goal) in pairs {
        let at = |server: &Server| match slow {
            Some((rate, ms)) => link::start(server.address, rate, Duration::from_millis(ms)),
            None => server.address,
        };
        let ours =
            median((0..RUNS).map(|_| Player::start(&pulse, at(server)).first_sound(&ear, title)).collect());
        let theirs = median(
            (0..RUNS).map(|_| mpv_first_sound(&pulse, &ear, &Server::url(at(server), &id(title)))).collect(),
        );
        let figure = format!("{:.2} ({ours:.0} ms to {theirs:.0} ms)", ours / theirs);
        goals.row(
            ours <= goal * theirs,
            name,
            &figure,
            &format!("at most {goal} × mpv's"),
            "not cached, median of 3",
        );
    }
}

/// How soon a seek is heard.
fn seeks(goals: &mut Goals, server: &Server) {
    let pulse = Pulse::start(RATE);
    let ear = pulse.listen();
    for (name, title, rate, goal) in [
        ("seek to 120 s, MP3 at 256 kbit/s, 200 ms", "Long mark mp3", 256e3, 1000.0),
        ("seek to 120 s, FLAC at 2 Mbit/s, 200 ms", "Long mark flac", 2e6, 1500.0),
    ] {
        let runs = (0..RUNS).map(|_| {
            let slow = link::start(server.address, rate, Duration::from_millis(200));
            let mut player = Player::start(&pulse, slow);
            player.first_sound(&ear, title);
            player.terminal.wait("two seconds", |s| position(s).is_some_and(|p| p >= 2));
            // Out of the search line, which would take the command for a name.
            player.terminal.keys("\u{1b}");
            std::thread::sleep(Duration::from_millis(300));
            let from = Instant::now();
            player.terminal.keys(":seek 120\r");
            let heard = ear.wait_for_sound(from, LOUD, PATIENCE);
            let heard = heard.unwrap_or_else(|| {
                panic!("no sound after the seek:\n{}\n{}", player.terminal.screen(), player.home.log())
            });
            (heard - from).as_secs_f64() * 1000.0
        });
        let took = median(runs.collect());
        goals.row(
            took <= goal,
            name,
            &format!("{took:.0} ms"),
            &format!("at most {goal} ms"),
            "120 s are not downloaded",
        );
    }
}

/// What this way of measuring takes by itself: a stream that is already open is told to sound.
fn floor(pulse: &Pulse, ear: &Ear) -> f64 {
    let runs = (0..RUNS).map(|_| {
        let mut pacat = Command::new("pacat")
            .args(["-d", "ear", "--format=float32le", "--channels=2", "--latency-msec=93", "--raw"])
            .arg(format!("--rate={RATE}"))
            .env("PULSE_SERVER", pulse.address())
            .env("XDG_RUNTIME_DIR", pulse.dir())
            .env("HOME", pulse.dir())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut pipe = pacat.stdin.take().unwrap();
        let _process = Process(pacat);
        for _ in 0..50 {
            write_block(&mut pipe, 0.0);
        }
        let from = Instant::now();
        let writer = std::thread::spawn(move || {
            for _ in 0..50 {
                write_block(&mut pipe, 0.5);
            }
        });
        let heard = ear.wait_for_sound(from, SOUND, PATIENCE).expect("no sound from pacat");
        writer.join().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        (heard - from).as_secs_f64() * 1000.0
    });
    median(runs.collect())
}

/// Twenty milliseconds of a level.
fn write_block(pipe: &mut std::process::ChildStdin, level: f32) {
    let block: Vec<u8> = std::iter::repeat_n(level.to_le_bytes(), RATE as usize / 50 * 2).flatten().collect();
    std::io::Write::write_all(pipe, &block).unwrap();
}

fn mpv_first_sound(pulse: &Pulse, ear: &Ear, url: &str) -> f64 {
    let mpv = Mpv::start(pulse);
    ear.wait_for_silence();
    let from = Instant::now();
    mpv.tell(&["loadfile", url]);
    let heard = ear.wait_for_sound(from, SOUND, PATIENCE).expect("no sound from mpv");
    (heard - from).as_secs_f64() * 1000.0
}

/// Segue as a listener of the bench server, through some link.
struct Player {
    terminal: Terminal,
    home: Home,
    url: String,
}

impl Player {
    fn start(pulse: &Pulse, server: SocketAddr) -> Self {
        let home = Home::new();
        let url = format!("http://{server}");
        let address = pulse.address();
        let variables = [("PULSE_SERVER", address.as_str()), ("SEGUE_PASSWORD", PASSWORD)];
        let mut terminal =
            Terminal::start(&home, &["--server", &url, "--user", "admin"], &variables, (100, 30));
        terminal.wait_for("Marks");
        terminal.wait_for("online");
        // Levels tell the places apart.
        terminal.keys(":replaygain off\r");
        Self { terminal, home, url }
    }

    /// Titles and ids of what the server has.
    fn ids(&self) -> Vec<(String, String)> {
        let output = self
            .home
            .command(&["search", "long", "--json", "--server", &self.url, "--user", "admin"])
            .env("SEGUE_PASSWORD", PASSWORD)
            .output()
            .unwrap();
        let hits: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
        hits["tracks"].as_array().unwrap().iter().map(|t| (text(&t["title"]), text(&t["id"]))).collect()
    }

    /// Milliseconds from the key to the first sound of a track.
    fn first_sound(&mut self, ear: &Ear, title: &str) -> f64 {
        self.terminal.keys("\u{1b}");
        std::thread::sleep(Duration::from_millis(300));
        self.terminal.keys(":stop\r");
        choose(&mut self.terminal, title);
        ear.wait_for_silence();
        let from = Instant::now();
        self.terminal.keys("\r");
        let heard = ear.wait_for_sound(from, SOUND, PATIENCE).expect("no sound from segue");
        (heard - from).as_secs_f64() * 1000.0
    }
}

/// Puts the cursor on a track by searching for it.
fn choose(terminal: &mut Terminal, title: &str) {
    terminal.keys(":search\r");
    std::thread::sleep(Duration::from_millis(100));
    terminal.keys("\u{15}"); // an empty line
    terminal.keys(title);
    // Once where it is typed, and once found.
    terminal.wait("it to be found", |screen| screen.matches(title).count() > 1);
    std::thread::sleep(Duration::from_millis(400));
}
