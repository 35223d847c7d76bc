//! What devices do: they are pulled out and put in again, another one becomes the default, the machine sleeps. The real
//! binary plays into a private PulseAudio, and what its sinks record is compared with the album as ffmpeg decodes it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests fail by panicking")]

mod program;

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use program::pulse::{Ear, Pulse, mono};
use program::{Home, Terminal, installed, position, skip};

const RATE: usize = 48_000;
const PATIENCE: Duration = Duration::from_secs(40);
/// What no silence reaches.
const SOUND: f32 = 1e-3;
/// One test at a time.
static TURN: Mutex<()> = Mutex::new(());

struct Stage {
    pulse: Pulse,
    home: Home,
    terminal: Terminal,
    /// The first track as another decoder has it.
    source: Vec<f32>,
    /// Four sound servers in real time are too many for two cores. Given up last.
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    /// Plays the demo album's first track; `None` where what is needed is not installed.
    fn start() -> Option<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let needed = [
            ("pulseaudio", "pulseaudio"),
            ("parec", "pulseaudio-utils"),
            ("pactl", "pulseaudio-utils"),
            ("ffmpeg", "ffmpeg"),
        ];
        for (program, package) in needed {
            if installed(program).is_none() {
                skip(package);
                return None;
            }
        }
        let pulse = Pulse::start(RATE as u32);
        let home = Home::new();
        let address = pulse.address();
        let mut terminal = Terminal::start(&home, &[], &[("PULSE_SERVER", &address)], (100, 30));
        terminal.wait_for("First Light");
        terminal.keys("\r");
        terminal.wait("sound", |s| position(s).is_some_and(|p| p >= 3));
        let mut album: Vec<_> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo"))
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == "opus"))
            .collect();
        album.sort();
        let decoded = Command::new("ffmpeg")
            .args(["-loglevel", "error", "-i"])
            .arg(&album[0])
            .args(["-f", "f32le", "-ac", "2", "-ar", &RATE.to_string(), "-"])
            .output()
            .unwrap();
        assert!(decoded.status.success());
        Some(Self { pulse, home, terminal, source: mono(&decoded.stdout), _turn: turn })
    }

    /// Seconds into the track, as the screen has it.
    fn position(&self) -> u64 {
        position(&self.terminal.screen()).unwrap()
    }

    /// Waits for two seconds of sound at an ear after `from`, and gives the place in the track (s) that they are,
    /// which must be near where the screen says it is.
    fn hears(&self, ear: &Ear, from: Instant) -> f64 {
        assert!(
            ear.wait_for_sound(from, SOUND, PATIENCE).is_some(),
            "no sound\n{}\n{}",
            self.terminal.screen(),
            self.home.log()
        );
        let begun = ear.samples().len();
        std::thread::sleep(Duration::from_secs(3));
        let shown = self.position() as usize;
        let heard = ear.samples();
        // Half a second after the first sound, past every fade.
        let at = begun + RATE / 2;
        let template = &heard[at..at + 1200];
        let thin = |s: &[f32]| -> Vec<f32> { s.iter().step_by(3).copied().collect() };
        let template = thin(template);
        let alike = |place: usize| {
            self.source.get(place..place + 1200).map_or(0.0, |s| correlation(&thin(s), &template))
        };
        let near = (shown.saturating_sub(7) * RATE)..((shown + 2) * RATE);
        let places = near.map(|place| (place, alike(place)));
        let (place, _) = places.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        // From there on every tenth of a second is in its place.
        for tenth in 0..12 {
            let (s, h) = (place + tenth * RATE / 10, at + tenth * RATE / 10);
            let (s, h) = (&self.source[s..s + RATE / 10], &heard[h..h + RATE / 10]);
            let loud = s.iter().fold(0.0_f32, |m, x| m.max(x.abs())) > SOUND;
            let alike = correlation(s, h);
            assert!(!loud || alike > 0.98, "tenth {tenth}: {alike}\n{}", self.home.log());
        }
        place as f64 / RATE as f64
    }
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let (mut ab, mut aa, mut bb) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (x, y) in a.iter().zip(b) {
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if aa == 0.0 || bb == 0.0 { 0.0 } else { f64::from(ab) / (f64::from(aa) * f64::from(bb)).sqrt() }
}

/// The number of the module that made a sink.
fn module_of(pulse: &Pulse, sink: &str) -> String {
    let modules = pulse.tell(&["list", "short", "modules"]);
    let line = modules.lines().find(|line| line.contains(&format!("sink_name={sink}"))).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

fn sink(name: &str) -> [String; 6] {
    [
        "load-module".to_owned(),
        "module-null-sink".to_owned(),
        format!("sink_name={name}"),
        format!("rate={RATE}"),
        "format=float32le".to_owned(),
        "norewinds=1".to_owned(),
    ]
}

fn add(pulse: &Pulse, name: &str) {
    let words = sink(name);
    pulse.tell(&words.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_device_that_was_pulled_out_sounds_again_when_it_is_back() {
    let Some(mut stage) = Stage::start() else { return };
    let module = module_of(&stage.pulse, "ear");
    stage.pulse.tell(&["unload-module", &module]);
    let told = stage.terminal.wait("the reason of the silence", |s| s.contains("sound device"));
    let pulled = stage.position();
    std::thread::sleep(Duration::from_secs(4));
    assert!(stage.position() >= pulled + 2, "time passes in silence\n{told}");
    add(&stage.pulse, "ear");
    let from = Instant::now();
    let ear = stage.pulse.listen();
    let place = stage.hears(&ear, from);
    assert!(place >= pulled as f64 + 3.0, "it goes on where the listener is, not at {place}");
    let quiet = |s: &str| !s.contains("no sound device");
    stage.terminal.wait("the notice to go", quiet);
}

#[test]
fn the_new_default_device_is_followed() {
    let Some(stage) = Stage::start() else { return };
    add(&stage.pulse, "other");
    let ear = stage.pulse.listen_at("other");
    let before = stage.position();
    stage.pulse.tell(&["set-default-sink", "other"]);
    let place = stage.hears(&ear, Instant::now());
    assert!(place + 1.0 >= before as f64, "from {before} s it went back to {place} s");
}

#[test]
fn a_suspended_device_is_opened_again() {
    let Some(stage) = Stage::start() else { return };
    let before = stage.position();
    stage.pulse.tell(&["suspend-sink", "ear", "1"]);
    std::thread::sleep(Duration::from_secs(8));
    stage.pulse.tell(&["suspend-sink", "ear", "0"]);
    let from = Instant::now();
    let ear = stage.pulse.listen();
    let place = stage.hears(&ear, from);
    assert!(place + 1.0 >= before as f64, "from {before} s it went back to {place} s");
}

#[test]
fn a_machine_that_slept_plays_on() {
    let Some(stage) = Stage::start() else { return };
    let before = stage.position();
    // What sleeps is all of it: the player and the sound server.
    let pids = [stage.terminal.pid().to_string(), stage.pulse.pid().to_string()];
    let all = |signal: &str| {
        for pid in &pids {
            assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
        }
    };
    all("-STOP");
    std::thread::sleep(Duration::from_secs(6));
    all("-CONT");
    let from = Instant::now();
    let ear = stage.pulse.listen();
    let place = stage.hears(&ear, from);
    assert!(place + 1.0 >= before as f64, "from {before} s it went back to {place} s");
    assert!(place <= before as f64 + 8.0, "the time asleep was played: {place} s after {before} s");
}
