//! The real binary heard through a real sound server: what a private PulseAudio null sink records is compared,
//! sample by sample, with the demo album as an independent decoder (ffmpeg) has it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use program::{Home, Process, Terminal, installed, position, skip};

/// Frames a second; the demo album is Opus.
const RATE: usize = 48_000;

/// A PulseAudio of our own with one silent sink that keeps real time.
struct Pulse {
    dir: tempfile::TempDir,
    _daemon: Process,
}

impl Pulse {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("native");
        // Without `norewinds` the sink has a buffer of two seconds and answers positions late.
        let sink =
            format!("module-null-sink sink_name=ear rate={RATE} channels=2 format=float32le norewinds=1");
        let protocol = format!("module-native-protocol-unix auth-anonymous=1 socket={}", socket.display());
        let daemon = Command::new("pulseaudio")
            .args([
                "-n",
                "--daemonize=no",
                "--exit-idle-time=-1",
                "--use-pid-file=no",
                "-L",
                &sink,
                "-L",
                &protocol,
            ])
            .env("XDG_RUNTIME_DIR", dir.path())
            .env("HOME", dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pulse = Self { dir, _daemon: Process(daemon) };
        let end = Instant::now() + Duration::from_secs(20);
        while !socket.exists() {
            assert!(Instant::now() < end, "PulseAudio did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        pulse
    }

    fn address(&self) -> String {
        format!("unix:{}", self.dir.path().join("native").display())
    }

    /// Begins to record what the sink plays.
    fn record(&self) -> Recording {
        let path = self.dir.path().join("heard.raw");
        let parec = Command::new("parec")
            .args(["-d", "ear.monitor", "--format=float32le", "--channels=2", "--latency-msec=50", "--raw"])
            .arg(format!("--rate={RATE}"))
            .env("PULSE_SERVER", self.address())
            .env("XDG_RUNTIME_DIR", self.dir.path())
            .env("HOME", self.dir.path())
            .stdout(File::create(&path).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Recording { path, process: Process(parec) }
    }
}

struct Recording {
    path: std::path::PathBuf,
    process: Process,
}

impl Recording {
    fn stop(self) -> Vec<f32> {
        drop(self.process);
        mono(&std::fs::read(self.path).unwrap())
    }
}

/// Interleaved stereo bytes as the mean of both channels.
fn mono(bytes: &[u8]) -> Vec<f32> {
    let sample = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    bytes.chunks_exact(8).map(|b| f32::midpoint(sample(&b[..4]), sample(&b[4..]))).collect()
}

fn decoded_by_ffmpeg(file: &Path) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-i"])
        .arg(file)
        .args(["-f", "f32le", "-ac", "2", "-ar", &RATE.to_string(), "-"])
        .output()
        .unwrap();
    assert!(output.status.success());
    mono(&output.stdout)
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (f64::from(*x), f64::from(*y));
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if aa == 0.0 || bb == 0.0 { 0.0 } else { ab / (aa * bb).sqrt() }
}

/// Frames by which `heard` lags behind `source`: near where the sound begins, the lag at which they are most alike.
fn lag(source: &[f32], heard: &[f32]) -> usize {
    let loud = |s: &[f32]| s.iter().position(|x| x.abs() > 1e-4).unwrap_or(0);
    let begun = loud(heard).saturating_sub(loud(source));
    let from = RATE; // the first second may be a fade-in
    let template = &source[from..from + RATE / 2];
    let near = begun.saturating_sub(4000)..begun + 4000;
    let alike = |lag: &usize| {
        heard.get(lag + from..lag + from + template.len()).map_or(0.0, |h| correlation(template, h))
    };
    near.max_by(|a, b| alike(a).total_cmp(&alike(b))).unwrap()
}

#[test]
fn what_reaches_the_sound_server_is_the_album() {
    for (program, package) in
        [("pulseaudio", "pulseaudio"), ("parec", "pulseaudio-utils"), ("ffmpeg", "ffmpeg")]
    {
        if installed(program).is_none() {
            return skip(package);
        }
    }
    let pulse = Pulse::start();
    let home = Home::new();
    let recording = pulse.record();
    let address = pulse.address();
    let mut terminal = Terminal::start(&home, &[], &[("PULSE_SERVER", &address)], (100, 30));
    terminal.wait_for("First Light");
    terminal.keys("\r");
    terminal.wait("ten seconds of sound", |s| position(s).is_some_and(|p| p >= 10));
    let screen = terminal.screen();
    terminal.keys(":quit\r");
    assert!(terminal.ended());
    let heard = recording.stop();

    let mut album: Vec<_> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "opus"))
        .collect();
    album.sort();
    let source = decoded_by_ffmpeg(&album[0]);
    let lag = lag(&source, &heard);
    let seconds = 9;
    let (source, heard) = (&source[..seconds * RATE], &heard[lag..lag + seconds * RATE]);
    let whole = correlation(source, heard);
    println!("heard {seconds} s at a lag of {lag} frames, correlation {whole:.6}");
    assert!(whole >= 0.999, "correlation {whole}\n{screen}");
    // A dropout, a doubled or a missing sample would move everything after it.
    for (i, (s, h)) in source.chunks(RATE / 10).zip(heard.chunks(RATE / 10)).enumerate() {
        let level = s.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        let alike = correlation(s, h);
        assert!(level < 1e-3 || alike >= 0.99, "tenth {i}: correlation {alike}\n{}", home.log());
    }
}
