//! Made-up albums for measuring: each artist has an instrument, a kit of drums, a pace and a mode of their own, each album
//! its production, each track its key, its notes and an arrangement that departs from the others. Synthetic through and
//! through; deterministic. What works on these need not work on real records, which cannot be handed out with a program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lofty::config::WriteOptions;
use lofty::tag::{Accessor, ItemKey, Tag, TagExt, TagType};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Frames per second.
pub(crate) const RATE: u32 = 44_100;
const SR: f32 = RATE as f32;
const TABLE: usize = 2_048;

/// How many of everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) artists: usize,
    pub(crate) albums: usize,
    pub(crate) tracks: usize,
    pub(crate) seconds: f32,
}

/// As many as the checks use.
pub(crate) const SIZE: Size = Size { artists: 16, albums: 2, tracks: 3, seconds: 30.0 };

/// What an artist keeps from track to track.
#[derive(Debug, Clone)]
struct Artist {
    table: Vec<f32>,
    rise: f32,
    fall: f32,
    noise: f32,
    drums: usize,
    tempo: f32,
    minor: bool,
    density: f32,
    register: f32,
    chords: bool,
}

impl Artist {
    fn new(random: &mut StdRng) -> Self {
        let slope = random.random_range(0.5..2.4_f32);
        let odd = random.random::<f32>() < 0.35;
        let partials = random.random_range(3..24_usize);
        let table = (0..TABLE)
            .map(|n| {
                let turn = std::f32::consts::TAU * n as f32 / TABLE as f32;
                let partial = |h: usize| (turn * h as f32).sin() / (h as f32).powf(slope);
                (1..=partials).filter(|h| !odd || h % 2 == 1).map(partial).sum::<f32>()
            })
            .collect::<Vec<_>>();
        let peak = table.iter().fold(1e-6_f32, |a, b| a.max(b.abs()));
        let sustained = random.random::<f32>() < 0.4;
        Self {
            table: table.into_iter().map(|s| s / peak).collect(),
            rise: if sustained { random.random_range(0.05..0.6) } else { random.random_range(0.002..0.02) },
            fall: if sustained { random.random_range(0.8..2.5) } else { random.random_range(0.08..0.9) },
            noise: if random.random::<f32>() < 0.3 { random.random_range(0.01..0.08) } else { 0.0 },
            drums: random.random_range(0..5),
            tempo: random.random_range(62.0..172.0),
            minor: random.random::<f32>() < 0.5,
            density: [0.5, 1.0, 2.0, 4.0][random.random_range(0..4_usize)],
            register: random.random_range(40.0..70.0),
            chords: random.random::<f32>() < 0.6,
        }
    }
}

fn hertz(pitch: f32) -> f32 {
    440.0 * ((pitch - 69.0) / 12.0).exp2()
}

/// Adds a note.
fn note(out: &mut [f32], artist: &Artist, at: f32, pitch: f32, level: f32) {
    let step = hertz(pitch) / SR * TABLE as f32;
    let start = (at * SR) as usize;
    let length = ((artist.rise + artist.fall * 3.0) * SR) as usize;
    let mut turn = 0.0_f32;
    for (n, sample) in out.iter_mut().skip(start).take(length).enumerate() {
        let t = n as f32 / SR;
        let swell = (t / artist.rise).min(1.0) * (-(t - artist.rise).max(0.0) / artist.fall).exp();
        *sample += artist.table[turn as usize % TABLE] * swell * level;
        turn += step;
        if turn >= TABLE as f32 {
            turn -= TABLE as f32;
        }
    }
}

fn kick(out: &mut [f32], at: f32, level: f32) {
    let mut turn = 0.0_f32;
    for (n, sample) in out.iter_mut().skip((at * SR) as usize).take((0.3 * SR) as usize).enumerate() {
        let t = n as f32 / SR;
        turn += (48.0 + 110.0 * (-t * 35.0).exp()) / SR;
        *sample += (std::f32::consts::TAU * turn).sin() * (-t * 11.0).exp() * level;
    }
}

/// Noise that dies away; `dull` takes the top off.
fn hiss(out: &mut [f32], random: &mut StdRng, at: f32, level: f32, fall: f32, dull: f32) {
    let (mut low, length) = (0.0_f32, (fall * 6.0 * SR) as usize);
    for (n, sample) in out.iter_mut().skip((at * SR) as usize).take(length).enumerate() {
        let white = random.random::<f32>() * 2.0 - 1.0;
        low += (white - low) * dull;
        *sample +=
            if dull < 0.5 { low * 2.0 } else { white - low * 0.6 } * (-(n as f32) / SR / fall).exp() * level;
    }
}

/// One track as mono samples.
fn track(artist: &Artist, random: &mut StdRng, seconds: f32) -> Vec<f32> {
    let mut out = vec![0.0_f32; (seconds * SR) as usize];
    let tempo = artist.tempo * random.random_range(0.88..1.12_f32);
    let beat = 60.0 / tempo;
    let key = random.random_range(0..12) as f32;
    // One track in five turns the artist's mode round, one in four leaves the drums out or plays half as much.
    let minor = artist.minor != (random.random::<f32>() < 0.2);
    let drums = if random.random::<f32>() < 0.25 { 0 } else { artist.drums };
    let density = artist.density * [0.5, 1.0, 1.0, 1.0, 2.0][random.random_range(0..5_usize)];
    let scale: [f32; 7] =
        if minor { [0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 10.0] } else { [0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0] };
    let degrees = [[0, 3, 4, 0], [0, 5, 3, 4], [0, 4, 5, 3], [5, 3, 0, 4]][random.random_range(0..4_usize)];
    let pitch = |degree: usize| scale[degree % 7] + 12.0 * (degree / 7) as f32;
    let register = artist.register + key - 6.0 + random.random_range(-4.0..4.0_f32).round();
    let steps = (seconds / beat * density) as usize;
    for step in 0..steps {
        let at = step as f32 * beat / density;
        let degree = degrees[(at / (beat * 4.0)) as usize % 4];
        if artist.chords && (step as f32 / density) % 2.0 < 1e-3 {
            for third in [0, 2, 4] {
                note(&mut out, artist, at, register.round() + pitch(degree + third), 0.10);
            }
        }
        if random.random::<f32>() < 0.8 {
            let degree = degree + [0, 2, 4, 7, 1][random.random_range(0..5_usize)];
            note(&mut out, artist, at, register.round() + 12.0 + pitch(degree), 0.12);
        }
    }
    for n in 0..(seconds / beat * 4.0) as usize {
        let (at, sixteenth) = (n as f32 * beat / 4.0, n % 16);
        match drums {
            1 if sixteenth % 4 == 0 => kick(&mut out, at, 0.5),
            1 if sixteenth % 4 == 2 => hiss(&mut out, random, at, 0.10, 0.03, 0.9),
            2 if sixteenth == 0 || sixteenth == 10 => kick(&mut out, at, 0.45),
            2 | 4 if sixteenth % 8 == 4 => hiss(&mut out, random, at, 0.25, 0.09, 0.6),
            2 if sixteenth % 2 == 0 => hiss(&mut out, random, at, 0.06, 0.025, 0.9),
            3 if sixteenth % 2 == 0 => hiss(&mut out, random, at, 0.05, 0.05, 0.25),
            4 if sixteenth % 6 == 0 => kick(&mut out, at, 0.6),
            4 => hiss(&mut out, random, at, 0.05, 0.02, 0.95),
            _ => {}
        }
    }
    if artist.noise > 0.0 {
        let mut low = 0.0;
        for sample in &mut out {
            low += (random.random::<f32>() * 2.0 - 1.0 - low) * 0.2;
            *sample += low * artist.noise;
        }
    }
    out
}

/// The production of an album: a tilt of the spectrum, a room, and a level.
fn produce(samples: &mut [f32], tilt: f32, room: f32, peak: f32) {
    let delay = (0.031 * SR) as usize;
    for n in delay..samples.len() {
        samples[n] += samples[n - delay] * room;
    }
    let mut low = 0.0;
    for sample in samples.iter_mut() {
        low += (*sample - low) * 0.15;
        *sample += (*sample - low) * tilt;
    }
    let highest = samples.iter().fold(1e-6_f32, |a, b| a.max(b.abs()));
    for sample in samples {
        *sample *= peak / highest;
    }
}

fn wav(mono: &[f32]) -> Vec<u8> {
    let bytes = mono.len() as u32 * 4;
    let mut out = Vec::with_capacity(bytes as usize + 44);
    out.extend(b"RIFF");
    out.extend((36 + bytes).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    out.extend(RATE.to_le_bytes());
    out.extend((RATE * 4).to_le_bytes());
    out.extend(b"\x04\0\x10\0data");
    out.extend(bytes.to_le_bytes());
    for (n, left) in mono.iter().enumerate() {
        // A little wider than mono.
        let right = mono[n.saturating_sub(9)];
        for sample in [left, &right] {
            out.extend(((sample * 32_767.0) as i16).to_le_bytes());
        }
    }
    out
}

/// Writes the albums below `folder` as tagged WAV files, unless they are there already, and gives their paths in order.
pub(crate) fn write(folder: &Path, size: Size) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for a in 0..size.artists {
        let mut random = StdRng::seed_from_u64(7_000 + a as u64);
        let artist = Artist::new(&mut random);
        for b in 0..size.albums {
            let (tilt, room) = (random.random_range(-0.4..0.8_f32), random.random_range(0.0..0.4_f32));
            let peak = random.random_range(0.35..0.95_f32);
            let dir = folder.join(format!("Artist {a:02}")).join(format!("Album {b}"));
            fs::create_dir_all(&dir)?;
            for t in 0..size.tracks {
                let path = dir.join(format!("{:02}.wav", t + 1));
                let mut random = StdRng::seed_from_u64((a * 1_000 + b * 100 + t) as u64);
                if !path.exists() {
                    let mut samples = track(&artist, &mut random, size.seconds);
                    produce(&mut samples, tilt, room, peak);
                    fs::write(&path, wav(&samples))?;
                    let mut tag = Tag::new(TagType::Id3v2);
                    tag.set_title(format!("Track {a:02}.{b}.{t}"));
                    tag.set_artist(format!("Artist {a:02}"));
                    tag.set_album(format!("Album {a:02}.{b}"));
                    tag.insert_text(ItemKey::AlbumArtist, format!("Artist {a:02}"));
                    tag.save_to_path(&path, WriteOptions::default()).map_err(io::Error::other)?;
                }
                paths.push(path);
            }
        }
    }
    Ok(paths)
}
