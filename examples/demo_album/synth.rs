//! The instruments: each renders one note into a [`Stage`], which keeps a dry and a reverberated bus. Everything is
//! deterministic: noise comes from a generator seeded by the note's place.

use std::f64::consts::TAU;

use crate::opus::RATE;

const SR: f64 = RATE as f64;

/// One note: when, for how long (seconds), which (MIDI number), how loud (0–1), where (−1 left … 1 right).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    pub(crate) at: f64,
    pub(crate) length: f64,
    pub(crate) pitch: f64,
    pub(crate) loud: f64,
    pub(crate) pan: f64,
}

/// What is being recorded.
pub(crate) struct Stage {
    pub(crate) dry: Vec<[f32; 2]>,
    pub(crate) send: Vec<[f32; 2]>,
}

impl Stage {
    pub(crate) fn new(seconds: f64) -> Self {
        let frames = (seconds * SR) as usize;
        Stage { dry: vec![[0.0; 2]; frames], send: vec![[0.0; 2]; frames] }
    }

    /// Adds `length` seconds of a voice from `at` on; `wet` of it goes to the reverberation.
    fn add(&mut self, note: &Note, length: f64, wet: f64, mut voice: impl FnMut(f64) -> f64) {
        let angle = (note.pan + 1.0) * TAU / 8.0;
        let (right, left) = angle.sin_cos();
        self.add_stereo(note.at, length, wet, |t| {
            let s = voice(t);
            [s * left, s * right]
        });
    }

    fn add_stereo(&mut self, at: f64, length: f64, wet: f64, mut voice: impl FnMut(f64) -> [f64; 2]) {
        let start = (at.max(0.0) * SR) as usize;
        let frames = (length * SR) as usize;
        let end = (start + frames).min(self.dry.len());
        for (n, (dry, send)) in self.dry[start..end].iter_mut().zip(&mut self.send[start..end]).enumerate() {
            let sample = voice(n as f64 / SR);
            for side in 0..2 {
                dry[side] += sample[side] as f32;
                send[side] += (sample[side] * wet) as f32;
            }
        }
    }
}

pub(crate) fn hertz(pitch: f64) -> f64 {
    440.0 * ((pitch - 69.0) / 12.0).exp2()
}

/// Rises over `rise` seconds, stands, and falls over `fall` seconds after `held`.
fn swell(t: f64, rise: f64, held: f64, fall: f64) -> f64 {
    let ease = |x: f64| {
        let x = x.clamp(0.0, 1.0);
        x * x * (3.0 - 2.0 * x)
    };
    ease(t / rise) * (1.0 - ease((t - held) / fall))
}

/// White noise, the same for the same seed.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: f64) -> Self {
        Noise(seed.to_bits() ^ 0x9E37_79B9_7F4A_7C15)
    }

    pub(crate) fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// A one-pole low-pass filter.
struct Soft {
    state: f64,
    share: f64,
}

impl Soft {
    fn new(hz: f64) -> Self {
        Soft { state: 0.0, share: 1.0 - (-TAU * hz / SR).exp() }
    }

    fn next(&mut self, x: f64) -> f64 {
        self.state += (x - self.state) * self.share;
        self.state
    }
}

/// A warm ensemble: four slightly detuned voices with few overtones, breathing slowly.
pub(crate) fn pad(stage: &mut Stage, note: &Note) {
    let f = hertz(note.pitch);
    let bright = 0.25 + 0.5 * note.loud;
    let detune = [-0.0017, 0.0011, -0.0006, 0.0019];
    let phases: Vec<f64> = (0..4).map(|i| (note.pitch * 0.37 + f64::from(i) * 0.61).fract()).collect();
    let (rise, fall) = (1.4, 2.6);
    let overtones: Vec<f64> = (1..=7).map(|h| bright.powi(h - 1) / f64::from(h).sqrt()).collect();
    let table: Vec<f64> = (0..=2048)
        .map(|i| {
            let x = f64::from(i) / 2048.0 * TAU;
            overtones.iter().zip(1..).map(|(a, h)| a * (x * f64::from(h)).sin()).sum::<f64>()
        })
        .collect();
    let look = move |turn: f64| {
        let x = turn.fract() * 2048.0;
        let i = x as usize;
        table[i] + (table[i + 1] - table[i]) * x.fract()
    };
    let pan = note.pan;
    let loud = note.loud * 0.055;
    let at = note.at;
    stage.add_stereo(note.at, note.length + fall, 0.55, move |t| {
        let breath = 1.0 + 0.12 * ((at + t) * TAU * 0.11).sin();
        let level = swell(t, rise, note.length, fall) * loud * breath;
        let voice = |i: usize| look(phases[i] + t * f * (1.0 + detune[i]));
        let voices = [voice(0), voice(1), voice(2), voice(3)];
        let left = voices[0] + 0.5 * voices[1] + 0.7 * voices[2];
        let right = voices[3] + 0.5 * voices[2] + 0.7 * voices[1];
        [left * level * (1.0 - 0.4 * pan), right * level * (1.0 + 0.4 * pan)]
    });
}

/// A glass bell: two sines, one bending the other, both dying away.
pub(crate) fn bell(stage: &mut Stage, note: &Note) {
    let f = hertz(note.pitch);
    let ring = 2.6 * (72.0 / note.pitch).powi(2);
    let loud = note.loud;
    stage.add(note, ring * 2.2, 0.6, move |t| {
        let fade = (-t / (ring * 0.42)).exp() * (1.0 - (-t * 900.0).exp());
        let bend = 1.1 * loud * (-t / (ring * 0.12)).exp() * (TAU * f * 3.01 * t).sin();
        let shine = 0.12 * (-t / (ring * 0.08)).exp() * (TAU * f * 5.42 * t).sin();
        ((TAU * f * t + bend).sin() + shine) * fade * loud * 0.16
    });
}

/// A plucked string: noise circling in a delay line that dulls it (Karplus and Strong), tuned between samples.
pub(crate) fn pluck(stage: &mut Stage, note: &Note, damping: f64) {
    let period = SR / hertz(note.pitch) - 0.5;
    let whole = period.floor();
    let part = period - whole;
    let size = whole as usize + 1;
    let mut noise = Noise::new(note.at * 31.0 + note.pitch);
    let mut mellow = Soft::new(1500.0 + 5200.0 * note.loud);
    let mut line: Vec<f64> = (0..size).map(|_| mellow.next(noise.next())).collect();
    let mean = line.iter().sum::<f64>() / size as f64;
    // Plucked at a fifth of its length: the overtone with a node there is missing.
    let pick = size / 5;
    let raw = line.clone();
    for (i, s) in line.iter_mut().enumerate() {
        *s -= mean + 0.8 * (raw[(i + size - pick) % size] - mean);
    }
    let loss = 0.5_f64.powf(1.0 / (hertz(note.pitch) * damping));
    let held = note.length;
    let (mut at, mut last, mut body) = (0, 0.0, Soft::new(2600.0));
    let mut last_in = 0.0;
    let loud = note.loud * 0.56;
    stage.add(note, (note.length + 0.6).max(damping * 3.0).min(5.0), 0.32, move |t| {
        let out = line[at];
        let next = line[(at + 1) % size];
        let average = 0.5 * (out + next) * loss;
        // An all-pass filter for the part of a sample that the line's length cannot express.
        let c = (1.0 - part) / (1.0 + part);
        let tuned = c * average + last_in - c * last;
        last_in = average;
        last = tuned;
        line[at] = tuned;
        at = (at + 1) % size;
        let damped = if t > held + 1.4 { (-(t - held - 1.4) * 6.0).exp() } else { 1.0 };
        (0.65 * out + 0.35 * body.next(out)) * loud * damped
    });
}

/// An electric piano: a tine that barks when it is struck hard, gently moving from side to side.
pub(crate) fn keys(stage: &mut Stage, note: &Note) {
    let f = hertz(note.pitch);
    let loud = note.loud;
    let held = note.length;
    let at = note.at;
    let pan = note.pan;
    let dying = 1.9 * (60.0 / note.pitch);
    stage.add_stereo(at, held + 0.5, 0.25, move |t| {
        let release = if t > held { (-(t - held) * 11.0).exp() } else { 1.0 };
        let fade = (-t / dying).exp() * (1.0 - (-t * 700.0).exp()) * release;
        let bark = (0.35 + 1.3 * loud * loud) * (-t * 4.5).exp() + 0.22;
        let tine = 0.18 * loud * (-t * 22.0).exp() * (TAU * f * 14.0 * t).sin();
        let tone = (TAU * f * t + bark * (TAU * f * t).sin()).sin() + tine;
        let sway = pan * 0.5 + 0.28 * ((at + t) * TAU * 0.83).sin();
        let level = tone * fade * loud * 0.15;
        [level * (1.0 - sway), level * (1.0 + sway)]
    });
}

/// A round bass.
pub(crate) fn bass(stage: &mut Stage, note: &Note) {
    let f = hertz(note.pitch);
    let held = note.length;
    let loud = note.loud;
    stage.add(note, held + 0.12, 0.04, move |t| {
        let release = if t > held { 1.0 - ((t - held) / 0.1).min(1.0) } else { 1.0 };
        let fade = (1.0 - (-t * 350.0).exp()) * (0.55 + 0.45 * (-t * 3.0).exp()) * release;
        let x = TAU * f * t;
        let tone =
            x.sin() + 0.32 * (2.0 * x).sin() * (-t * 5.0).exp() + 0.12 * (3.0 * x).sin() * (-t * 9.0).exp();
        (tone * 1.3 * loud).tanh() * fade * 0.3
    });
}

/// A whistling lead with breath and a vibrato that comes late.
pub(crate) fn lead(stage: &mut Stage, note: &Note) {
    let f = hertz(note.pitch);
    let loud = note.loud;
    let held = note.length;
    let mut noise = Noise::new(note.at + 7.0);
    let mut air = Soft::new(f * 2.5);
    let mut turn = 0.0;
    stage.add(note, held + 0.25, 0.42, move |t| {
        let vibrato = 0.0045 * ((t - 0.18) / 0.4).clamp(0.0, 1.0) * (TAU * 5.3 * t).sin();
        let scoop = -0.012 * (-t * 28.0).exp();
        turn += f * (1.0 + vibrato + scoop) / SR;
        let x = TAU * turn;
        let level = swell(t, 0.045, held, 0.2) * loud * 0.15;
        let breath = 0.07 * air.next(noise.next()) * (1.0 + 3.0 * (-t * 18.0).exp());
        (x.sin() + 0.26 * (2.0 * x).sin() + 0.1 * (3.0 * x).sin() + breath) * level
    });
}

/// A soft bass drum.
pub(crate) fn kick(stage: &mut Stage, at: f64, loud: f64) {
    let note = Note { at, length: 0.4, pitch: 0.0, loud, pan: 0.0 };
    let mut turn = 0.0;
    stage.add(&note, 0.4, 0.03, move |t| {
        turn += (47.0 + 95.0 * (-t * 34.0).exp()) / SR;
        let body = (TAU * turn).sin() * (-t * 9.5).exp() * (1.0 - (t / 0.4).powi(6));
        let click = (TAU * 1100.0 * t).sin() * (-t * 260.0).exp() * 0.16;
        (body + click) * (1.0 - (-t * 2500.0).exp()) * loud * 0.62
    });
}

/// A snare drum played softly, or a clap when `tone` is 0.
pub(crate) fn snare(stage: &mut Stage, at: f64, loud: f64, tone: f64) {
    let note = Note { at, length: 0.25, pitch: 0.0, loud, pan: 0.08 };
    let mut noise = Noise::new(at + 3.0);
    let (mut low, mut high) = (Soft::new(900.0), Soft::new(6800.0));
    stage.add(&note, 0.28, 0.3, move |t| {
        let white = high.next(noise.next());
        let hiss = white - low.next(white);
        let spread =
            if tone == 0.0 { 1.0 + 0.9 * ((t * 95.0 * TAU).cos()).max(0.0) * (-t * 40.0).exp() } else { 1.0 };
        let skin = (TAU * (178.0 + 60.0 * (-t * 40.0).exp()) * t).sin() * (-t * 24.0).exp() * tone;
        (hiss * (-t * 19.0).exp() * spread * 0.5 + skin * 0.42) * (1.0 - (-t * 1800.0).exp()) * loud * 0.42
    });
}

/// A cymbal of noise: short for a closed hat, longer for an open one or a shaker.
pub(crate) fn hat(stage: &mut Stage, at: f64, loud: f64, ring: f64, pan: f64) {
    let note = Note { at, length: ring, pitch: 0.0, loud, pan };
    let mut noise = Noise::new(at + 11.0);
    let (mut a, mut b) = (Soft::new(6500.0), Soft::new(6500.0));
    stage.add(&note, ring * 5.0, 0.08, move |t| {
        let white = noise.next();
        let once = white - a.next(white);
        let twice = once - b.next(once);
        twice * (-t / ring).exp() * (1.0 - (-t * 1200.0).exp()) * loud * 0.16
    });
}

/// Wind, or a wave on a shore: noise that opens and closes.
pub(crate) fn breeze(stage: &mut Stage, at: f64, length: f64, loud: f64) {
    let mut noise = [Noise::new(at + 17.0), Noise::new(at + 19.0)];
    let mut filters = [Soft::new(700.0), Soft::new(620.0)];
    let mut under = [Soft::new(180.0), Soft::new(180.0)];
    stage.add_stereo(at, length, 0.5, move |t| {
        let level = swell(t, length * 0.55, length * 0.6, length * 0.4) * loud * 0.2;
        [0, 1].map(|i: usize| {
            let soft = filters[i].next(noise[i].next());
            (soft - under[i].next(soft)) * level
        })
    });
}
