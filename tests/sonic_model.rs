//! The sonic model heard from outside: renders of made-up music go in, and what changes in the render must change in the
//! figures (metamorphic tests); broken and strange input must not hurt.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use proptest::prelude::*;
use segue::music::Sonic;
use segue::taste::sonic::{Ear, Mood, distance};

const RATE: u32 = 22_050;

/// How a little piece is played.
#[derive(Clone, Copy)]
struct Play {
    tempo: f32,
    level: f32,
    /// Strength of the overtones.
    bright: f32,
    /// Semitones up.
    up: f32,
    minor: bool,
    drums: bool,
    rate: u32,
}

const PLAIN: Play =
    Play { tempo: 96.0, level: 0.2, bright: 0.25, up: 0.0, minor: false, drums: true, rate: RATE };

fn noise(seed: &mut u32) -> f32 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    (*seed as f32 / u32::MAX as f32) * 2.0 - 1.0
}

/// Eight seconds: an arpeggio over I IV V I, with drums or without.
fn piece(play: Play) -> Vec<f32> {
    let rate = play.rate as f32;
    let mut out = vec![0.0_f32; (8.0 * rate) as usize];
    let beat = 60.0 / play.tempo;
    let third = if play.minor { 3.0 } else { 4.0 };
    let mut seed = 99;
    let mut n = 0;
    while n as f32 * beat / 2.0 < 8.0 {
        let at = n as f32 * beat / 2.0;
        let root = [0.0, 5.0, 7.0, 0.0][(n / 8) % 4];
        let pitch = 60.0 + play.up + root + [0.0, third, 7.0, 12.0][n % 4];
        let hz = 440.0 * ((pitch - 69.0) / 12.0).exp2();
        let start = (at * rate) as usize;
        for (i, sample) in out.iter_mut().skip(start).take((0.5 * rate) as usize).enumerate() {
            let t = i as f32 / rate;
            let turn = std::f32::consts::TAU * hz * t;
            let tone: f32 = (1..=8).map(|h| play.bright.powi(h - 1) * (turn * h as f32).sin()).sum();
            *sample += tone * (t / 0.004).min(1.0) * (-t * 6.0).exp();
        }
        if play.drums && n % 2 == 0 {
            for (i, sample) in out.iter_mut().skip(start).take((0.15 * rate) as usize).enumerate() {
                let t = i as f32 / rate;
                *sample += 0.8 * (std::f32::consts::TAU * 55.0 * t).sin() * (-t * 18.0).exp();
            }
        } else if play.drums {
            for (i, sample) in out.iter_mut().skip(start).take((0.05 * rate) as usize).enumerate() {
                *sample += 0.2 * play.bright.sqrt() * noise(&mut seed) * (-(i as f32) / rate * 60.0).exp();
            }
        }
        n += 1;
    }
    let peak = out.iter().fold(1e-6_f32, |a, b| a.max(b.abs()));
    out.iter().map(|s| s * play.level / peak).collect()
}

/// Slow chords that swell and fade.
fn pad(level: f32) -> Vec<f32> {
    (0..8 * RATE as usize)
        .map(|n| {
            let t = n as f32 / RATE as f32;
            let swell = 0.6 + 0.4 * (std::f32::consts::TAU * t / 6.0).sin();
            let chord = [130.8_f32, 164.8, 196.0].map(|hz| (std::f32::consts::TAU * hz * t).sin());
            chord.iter().sum::<f32>() / 3.0 * swell * level
        })
        .collect()
}

fn heard_at(samples: &[f32], rate: u32, chunk: usize) -> Sonic {
    let mut ear = Ear::new();
    let frames: Vec<[f32; 2]> = samples.iter().map(|s| [*s, *s]).collect();
    for piece in frames.chunks(chunk) {
        ear.hear(rate, piece);
    }
    ear.finish().unwrap().sonic
}

fn heard(samples: &[f32]) -> Sonic {
    heard_at(samples, RATE, 1152)
}

#[test]
fn louder_faster_and_brighter_each_raise_energy() {
    let plain = heard(&piece(PLAIN));
    let louder = heard(&piece(Play { level: 0.9, ..PLAIN }));
    let faster = heard(&piece(Play { tempo: 150.0, ..PLAIN }));
    let brighter = heard(&piece(Play { bright: 0.8, ..PLAIN }));
    for (name, other) in [("louder", &louder), ("faster", &faster), ("brighter", &brighter)] {
        assert!(
            other.energy.value > plain.energy.value + 0.01,
            "{name}: {:?} {:?}",
            other.energy,
            plain.energy
        );
        assert!(other.calm.value < plain.calm.value, "{name} is less calm");
    }
    let all = heard(&piece(Play { level: 0.9, tempo: 150.0, bright: 0.8, ..PLAIN }));
    assert!(all.energy.value > louder.energy.value.max(faster.energy.value).max(brighter.energy.value));
    assert!(brighter.brightness.value > plain.brightness.value + 0.1);
    assert!((louder.brightness.value - plain.brightness.value).abs() < 0.02, "loudness is not brightness");
}

#[test]
fn a_calm_pad_ranks_below_a_drum_loop() {
    for level in [0.05, 0.2, 0.8] {
        let (pad, loop_) = (heard(&pad(level)), heard(&piece(Play { level, ..PLAIN })));
        assert!(pad.energy.value < loop_.energy.value, "{level}");
        assert!(pad.danceability.value < loop_.danceability.value, "{level}");
        assert!(pad.calm.value > loop_.calm.value, "{level}");
        assert!(Mood::Sleep.fit(&pad) > Mood::Sleep.fit(&loop_));
        assert!(Mood::Workout.fit(&pad) < Mood::Workout.fit(&loop_));
        assert!(pad.onset_rate < 0.5 && pad.tempo_confidence < loop_.tempo_confidence, "{pad:?}");
    }
}

#[test]
fn tempo_follows_the_render() {
    for tempo in [72.0, 96.0, 120.0, 140.0, 168.0] {
        let found = heard(&piece(Play { tempo, ..PLAIN })).tempo;
        // The octave is a matter of taste, the pulse is not.
        let fits = [0.5, 1.0, 2.0].iter().any(|times| (found / (tempo * times) - 1.0).abs() < 0.03);
        assert!(fits, "{tempo} was heard as {found}");
    }
}

#[test]
fn transposing_moves_the_key_and_little_else() {
    let plain = heard(&piece(PLAIN));
    assert_eq!((plain.key.tonic, plain.key.minor), (0, false), "{} {}", plain.key, plain.key_confidence);
    for up in [2.0_f32, 5.0, 9.0] {
        let other = heard(&piece(Play { up, ..PLAIN }));
        assert_eq!((other.key.tonic, other.key.minor), (up as u8, false), "{}", other.key);
    }
    let flat = heard(&piece(Play { up: -0.3, ..PLAIN }));
    assert_eq!(flat.key.tonic, 0, "30 cents flat is still C");
    let minor = heard(&piece(Play { minor: true, ..PLAIN }));
    assert!(minor.key.minor, "{}", minor.key);
    assert_eq!(plain.key.to_string(), "C major");
}

#[test]
fn the_same_piece_sounds_the_same_at_any_rate_level_and_cut() {
    let plain = heard(&piece(PLAIN));
    let drum_of_another = heard(&piece(Play { tempo: 150.0, bright: 0.9, ..PLAIN }));
    let far = distance(&plain.vector, &drum_of_another.vector);
    for rate in [32_000, 44_100, 48_000] {
        let other = heard_at(&piece(Play { rate, ..PLAIN }), rate, 4096);
        let near = distance(&plain.vector, &other.vector);
        assert!(near < far / 3.0, "{rate}: {near} against {far}");
        assert!((other.tempo / plain.tempo - 1.0).abs() < 0.02);
    }
    let quiet = heard(&piece(Play { level: 0.05, ..PLAIN }));
    assert!(distance(&plain.vector, &quiet.vector) < far / 4.0, "quieter is the same piece");
    let cut = heard_at(&piece(PLAIN), RATE, 77);
    assert!(distance(&plain.vector, &cut.vector) < 1e-3, "how the decoder cuts it does not matter");
}

#[test]
fn scores_stay_in_range_and_know_how_little_they_know() {
    let short = heard(&piece(PLAIN)[..RATE as usize]);
    let long = heard(&piece(PLAIN));
    assert!(short.energy.confidence < long.energy.confidence);
    let silent = heard(&vec![0.0; 3 * RATE as usize]);
    assert_eq!(silent.loudness, None);
    assert!(silent.energy.confidence.abs() < 1e-6 && silent.tempo_confidence.abs() < 1e-6, "{silent:?}");
    assert!(Ear::new().finish().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn strange_samples_give_finite_figures(
        values in prop::collection::vec(prop::num::f32::ANY, 64), rate in 500u32..400_000, every in 1usize..9,
    ) {
        let frames: Vec<[f32; 2]> =
            (0..rate as usize * 2 / 3).map(|n| [values[n / every % 64], values[n % 64]]).take(60_000).collect();
        let mut ear = Ear::new();
        ear.hear(rate, &frames);
        if let Ok(portrait) = ear.finish() {
            let s = portrait.sonic;
            prop_assert!(s.vector.iter().all(|v| v.is_finite()) && s.tempo.is_finite() && s.range.is_finite());
            for score in [s.energy, s.brightness, s.calm, s.danceability, s.focus] {
                prop_assert!((0.0..=1.0).contains(&score.value) && (0.0..=1.0).contains(&score.confidence));
            }
        }
    }
}
