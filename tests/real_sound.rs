//! The real binary heard through a real sound server: what a private PulseAudio null sink records is compared,
//! sample by sample, with the demo album as an independent decoder (ffmpeg) has it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::path::Path;
use std::process::Command;

use program::pulse::{Pulse, mono};
use program::{Home, Terminal, installed, position, skip};

/// Frames a second; the demo album is Opus.
const RATE: usize = 48_000;

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
    let pulse = Pulse::start(RATE as u32);
    let home = Home::new();
    let ear = pulse.listen();
    let address = pulse.address();
    let mut terminal = Terminal::start(&home, &[], &[("PULSE_SERVER", &address)], (100, 30));
    terminal.wait_for("First Light");
    terminal.keys("\r");
    terminal.wait("ten seconds of sound", |s| position(s).is_some_and(|p| p >= 10));
    let screen = terminal.screen();
    terminal.keys(":quit\r");
    assert!(terminal.ended());
    let heard = ear.samples();

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
