//! Renders the house ads, three short jingles without a word: `cargo run --example house_ads -- assets/ads`.
//!
//! Plucked strings (a decaying sum of harmonics each), a soft bell and a little echo. Everything is a pure function of the scores
//! below, so the same program writes the same sound.

use std::error::Error;
use std::f64::consts::TAU;
use std::path::Path;

#[path = "../demo_album/opus.rs"]
mod opus;

const BITS_PER_SECOND: u32 = 64_000;
const RATE: f64 = opus::RATE as f64;

/// A jingle: its file, its title, its length in seconds, and its notes.
struct Jingle {
    file: &'static str,
    title: &'static str,
    seconds: f64,
    notes: &'static [Note],
}

/// When (s), which (MIDI number), how loud (0–1), where (−1 left … 1 right), and whether it is a bell.
type Note = (f64, f64, f64, f64, bool);

const JINGLES: [Jingle; 3] = [
    Jingle {
        file: "house-kettle.opus",
        title: "A Cup of Something",
        seconds: 7.0,
        notes: &[
            (0.0, 55.0, 0.7, -0.2, false),
            (0.0, 62.0, 0.5, 0.2, false),
            (0.4, 67.0, 0.6, -0.4, false),
            (0.8, 71.0, 0.6, 0.4, false),
            (1.2, 74.0, 0.7, 0.0, false),
            (1.6, 71.0, 0.5, 0.3, false),
            (2.0, 60.0, 0.7, -0.2, false),
            (2.0, 67.0, 0.5, 0.2, false),
            (2.4, 72.0, 0.6, -0.4, false),
            (2.8, 76.0, 0.6, 0.4, false),
            (3.2, 79.0, 0.7, 0.0, false),
            (4.0, 55.0, 0.8, 0.0, false),
            (4.0, 71.0, 0.5, -0.3, false),
            (4.0, 79.0, 0.6, 0.3, true),
            (4.4, 83.0, 0.5, 0.0, true),
        ],
    },
    Jingle {
        file: "house-walk.opus",
        title: "The Long Way Home",
        seconds: 9.0,
        notes: &[
            (0.0, 45.0, 0.8, 0.0, false),
            (0.5, 64.0, 0.5, 0.4, false),
            (1.0, 52.0, 0.7, 0.0, false),
            (1.5, 67.0, 0.5, -0.4, false),
            (2.0, 50.0, 0.8, 0.0, false),
            (2.25, 69.0, 0.6, 0.2, false),
            (2.5, 65.0, 0.5, 0.4, false),
            (3.0, 57.0, 0.7, 0.0, false),
            (3.5, 74.0, 0.5, -0.4, false),
            (4.0, 43.0, 0.8, 0.0, false),
            (4.25, 71.0, 0.6, -0.2, false),
            (4.5, 67.0, 0.5, 0.4, false),
            (5.0, 55.0, 0.7, 0.0, false),
            (5.5, 76.0, 0.5, -0.4, false),
            (6.0, 48.0, 0.8, 0.0, false),
            (6.0, 72.0, 0.6, 0.3, true),
            (6.3, 76.0, 0.5, -0.3, true),
        ],
    },
    Jingle {
        file: "house-night.opus",
        title: "Lights Out",
        seconds: 8.0,
        notes: &[
            (0.0, 76.0, 0.6, 0.4, true),
            (0.8, 74.0, 0.6, -0.4, true),
            (1.6, 69.0, 0.6, 0.2, true),
            (2.4, 64.0, 0.6, -0.2, true),
            (3.2, 57.0, 0.7, 0.0, false),
            (3.2, 64.0, 0.4, 0.3, false),
            (3.6, 72.0, 0.6, -0.3, true),
            (4.4, 50.0, 0.7, 0.0, false),
            (4.4, 65.0, 0.4, -0.3, false),
            (4.8, 69.0, 0.6, 0.3, true),
            (5.4, 45.0, 0.8, 0.0, false),
            (5.4, 76.0, 0.5, 0.0, true),
        ],
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: house_ads DIRECTORY")?;
    std::fs::create_dir_all(&dir)?;
    for (serial, jingle) in (1..).zip(&JINGLES) {
        let sound = render(jingle);
        let tags = [("TITLE", jingle.title), ("ARTIST", "Segue House Band")];
        let tags = tags.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let file = opus::encode(&sound, 0..sound.len(), BITS_PER_SECOND, &tags, serial)?;
        println!("{}: {:.1} s, {} bytes", jingle.file, jingle.seconds, file.len());
        std::fs::write(Path::new(&dir).join(jingle.file), file)?;
    }
    Ok(())
}

fn render(jingle: &Jingle) -> Vec<[f32; 2]> {
    let frames = (jingle.seconds * RATE) as usize;
    let mut dry = vec![[0.0_f64; 2]; frames];
    for &(at, pitch, loud, pan, bell) in jingle.notes {
        let hertz = 440.0 * ((pitch - 69.0) / 12.0).exp2();
        let (right, left) = ((pan + 1.0) * TAU / 8.0).sin_cos();
        for (n, frame) in dry.iter_mut().skip((at * RATE) as usize).enumerate() {
            let sample =
                loud * if bell { ring(n as f64 / RATE, hertz) } else { pluck(n as f64 / RATE, hertz) };
            frame[0] += sample * left;
            frame[1] += sample * right;
        }
    }
    echo(&mut dry);
    let peak = dry.iter().flatten().fold(0.0_f64, |peak, s| peak.max(s.abs())).max(1e-9);
    let fade = (0.8 * RATE) as usize;
    let scale = |n: usize| 0.7 / peak * ((frames - n) as f64 / fade as f64).min(1.0);
    dry.iter().enumerate().map(|(n, frame)| frame.map(|s| (s * scale(n)) as f32)).collect()
}

/// A string: higher harmonics are softer and die sooner.
fn pluck(t: f64, hertz: f64) -> f64 {
    let rise = (t / 0.004).min(1.0);
    let harmonics = (1..=8).map(f64::from).filter(|h| h * hertz < 16_000.0);
    rise * harmonics.map(|h| (-t * (1.4 + 0.9 * h)).exp() / h * (TAU * hertz * h * t).sin()).sum::<f64>()
}

/// A bell: partials that are no harmonics.
fn ring(t: f64, hertz: f64) -> f64 {
    let partials = [(1.0, 1.0, 1.6), (2.76, 0.4, 3.0), (5.4, 0.2, 5.5)];
    (t / 0.002).min(1.0)
        * partials
            .iter()
            .map(|(of, loud, fall)| loud * (-t * fall).exp() * (TAU * hertz * of * t).sin())
            .sum::<f64>()
}

/// What comes back from two walls, to the other side.
fn echo(frames: &mut [[f64; 2]]) {
    let (near, far) = ((0.11 * RATE) as usize, (0.23 * RATE) as usize);
    for n in near..frames.len() {
        let one = frames[n - near];
        let two = if n >= far { frames[n - far] } else { [0.0; 2] };
        frames[n][0] += 0.22 * one[1] + 0.12 * two[0];
        frames[n][1] += 0.22 * one[0] + 0.12 * two[1];
    }
}
