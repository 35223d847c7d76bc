//! The album's music: four pieces in and around D major that share one theme and flow into each other.
//!
//! 1. *Before Dawn*: pads and bells, the theme at half its speed.
//! 2. *Dew on Strings*: plucked strings over a bass that steps down, the theme above them.
//! 3. *Kettle Hours*: electric piano, bass and brushed drums with swing.
//! 4. *First Light*: everybody.

use crate::synth::{Noise, Note, Stage, bass, bell, breeze, hat, keys, kick, lead, pad, pluck, snare};

/// A piece: its title, when it begins and ends in the recording (seconds), and its genre.
pub(crate) struct Piece {
    pub(crate) title: &'static str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) genre: &'static str,
}

/// The theme, eight bars of four: bar, beat, length in beats, pitch.
const THEME: [(u32, f64, f64, i32); 31] = [
    (0, 0.0, 1.5, 78),
    (0, 1.5, 0.5, 76),
    (0, 2.0, 1.0, 74),
    (0, 3.0, 1.0, 69),
    (1, 0.0, 1.5, 71),
    (1, 1.5, 0.5, 73),
    (1, 2.0, 2.0, 74),
    (2, 0.0, 1.0, 74),
    (2, 1.0, 0.5, 76),
    (2, 1.5, 0.5, 78),
    (2, 2.0, 1.0, 79),
    (2, 3.0, 1.0, 78),
    (3, 0.0, 2.5, 76),
    (3, 2.5, 0.5, 73),
    (3, 3.0, 1.0, 76),
    (4, 0.0, 1.0, 78),
    (4, 1.0, 1.0, 81),
    (4, 2.0, 0.5, 78),
    (4, 2.5, 0.5, 76),
    (4, 3.0, 1.0, 74),
    (5, 0.0, 1.0, 74),
    (5, 1.0, 0.5, 73),
    (5, 1.5, 0.5, 71),
    (5, 2.0, 2.0, 69),
    (6, 0.0, 1.0, 71),
    (6, 1.0, 1.0, 74),
    (6, 2.0, 1.0, 79),
    (6, 3.0, 1.0, 78),
    (7, 0.0, 1.5, 76),
    (7, 1.5, 0.5, 73),
    (7, 2.0, 2.0, 74),
];

/// A chord: its bass and its pitch classes above (0 is C).
type Chord = (i32, &'static [i32]);

const D: Chord = (38, &[2, 6, 9, 4]);
const D_FS: Chord = (42, &[2, 6, 9, 4]);
const A: Chord = (45, &[9, 1, 4, 11]);
const A_CS: Chord = (37, &[9, 1, 4]);
const A_SUS: Chord = (33, &[7, 11, 2, 4]);
const BM: Chord = (35, &[11, 2, 6, 9]);
const G: Chord = (43, &[7, 11, 2, 6]);
const G9: Chord = (31, &[11, 2, 6, 9]);
const EM: Chord = (40, &[4, 7, 11, 2]);
const EM9: Chord = (28, &[7, 11, 2, 6]);
const FSM: Chord = (30, &[9, 1, 4, 6]);
const FS7: Chord = (30, &[10, 1, 4, 7]);
const BM9: Chord = (35, &[2, 6, 9, 1]);
const DM9: Chord = (38, &[6, 9, 1, 4]);
/// The harmony under the theme, a chord a bar.
const UNDER_THEME: [Chord; 8] = [D, BM, G, A, D_FS, BM, G, A_SUS];

/// Bars with a tempo, counted from where a piece begins.
struct Clock {
    start: f64,
    beat: f64,
    /// How late every second sixteenth is, in sixteenths.
    swing: f64,
}

impl Clock {
    fn at(&self, bar: u32, beat: f64) -> f64 {
        let sixteenths = beat * 4.0;
        let late = if (sixteenths.round() as i64) % 2 == 1 { self.swing } else { 0.0 };
        self.start + (f64::from(bar) * 4.0 + beat + late / 4.0) * self.beat
    }

    fn bar(&self) -> f64 {
        4.0 * self.beat
    }
}

/// Places the pitch classes between `low` and a little over an octave above so that the hands move as little as
/// possible from the chord before.
fn voice(before: &[i32], classes: &[i32], low: i32) -> Vec<i32> {
    let close = |first: usize| -> Vec<i32> {
        let mut pitch = low - 1;
        classes
            .iter()
            .cycle()
            .skip(first)
            .take(classes.len())
            .map(|class| {
                pitch += 1;
                while pitch.rem_euclid(12) != *class {
                    pitch += 1;
                }
                pitch
            })
            .collect()
    };
    let mut sorted: Vec<Vec<i32>> = (0..classes.len()).map(close).collect();
    for voicing in &mut sorted {
        voicing.sort_unstable();
    }
    let distance = |voicing: &Vec<i32>| -> i32 {
        let span =
            voicing.last().zip(voicing.first()).map_or(0, |(top, bottom)| (top - bottom - 14).max(0) * 3);
        let moved: i32 = voicing
            .iter()
            .map(|pitch| {
                before.iter().map(|old| (pitch - old).abs()).min().unwrap_or((pitch - low - 5).abs())
            })
            .sum();
        moved + span
    };
    sorted.into_iter().min_by_key(distance).unwrap_or_default()
}

/// The note two steps below in D major.
fn third_below(pitch: i32) -> i32 {
    let in_key = |p: &i32| [1, 2, 4, 6, 7, 9, 11].contains(&p.rem_euclid(12));
    (pitch - 4..pitch - 2).rev().find(in_key).unwrap_or(pitch - 3)
}

fn note(at: f64, length: f64, pitch: i32, loud: f64, pan: f64) -> Note {
    Note { at, length, pitch: f64::from(pitch), loud, pan }
}

/// Small deviations of hands, the same at every rendering.
struct Hand(Noise);

impl Hand {
    fn late(&mut self, seconds: f64) -> f64 {
        self.0.next() * seconds
    }
}

/// Plays the whole album; the recording is a little longer than its last piece.
pub(crate) fn play(stage: &mut Stage) -> Vec<Piece> {
    let dawn = Clock { start: 0.6, beat: 60.0 / 62.0, swing: 0.0 };
    let dew = Clock { start: dawn.at(16, 0.0), beat: 60.0 / 92.0, swing: 0.0 };
    let kettle = Clock { start: dew.at(24, 0.0), beat: 60.0 / 82.0, swing: 0.3 };
    let light = Clock { start: kettle.at(22, 0.0), beat: 60.0 / 114.0, swing: 0.08 };
    let end = light.at(33, 0.0) + 5.5;
    before_dawn(stage, &dawn);
    dew_on_strings(stage, &dew);
    kettle_hours(stage, &kettle);
    first_light(stage, &light);
    joints(stage, &[dew.start, kettle.start, light.start]);
    vec![
        Piece { title: "Before Dawn", from: 0.0, to: dew.start, genre: "Ambient" },
        Piece { title: "Dew on Strings", from: dew.start, to: kettle.start, genre: "Acoustic" },
        Piece { title: "Kettle Hours", from: kettle.start, to: light.start, genre: "Downtempo" },
        Piece { title: "First Light", from: light.start, to: end, genre: "Electronic" },
    ]
}

/// Length of the recording in seconds, with room for the last echo.
pub(crate) const SECONDS: f64 = 280.0;

/// What holds the pieces together: D and A sound through every joint, and air moves.
fn joints(stage: &mut Stage, at: &[f64]) {
    for joint in at {
        for (pitch, loud, pan) in [(50, 0.5, -0.3), (57, 0.42, 0.3), (62, 0.3, 0.0)] {
            pad(stage, &note(joint - 4.5, 8.0, pitch, loud, pan));
        }
        breeze(stage, joint - 4.0, 7.0, 0.55);
    }
}

fn pads(stage: &mut Stage, clock: &Clock, chords: &[Chord], from: u32, loud: f64, low: i32) {
    let mut hands: Vec<i32> = Vec::new();
    for (bar, (root, classes)) in (from..).zip(chords) {
        hands = voice(&hands, classes, low);
        let at = clock.at(bar, 0.0) - 0.35;
        for (i, pitch) in hands.iter().enumerate() {
            let pan = (i as f64 / 1.5 - 1.0) * 0.6;
            pad(stage, &note(at, clock.bar(), *pitch, loud, pan.clamp(-0.8, 0.8)));
        }
        pad(stage, &note(at, clock.bar(), *root + if *root < 36 { 12 } else { 0 }, loud * 1.1, 0.0));
    }
}

fn before_dawn(stage: &mut Stage, clock: &Clock) {
    let chords = [D, BM, G, A_SUS, D_FS, EM, G, A, D, BM, G, A_SUS, D_FS, EM, G9, A_SUS];
    pads(stage, clock, &chords, 0, 0.42, 55);
    breeze(stage, 0.0, 14.0, 0.9);
    breeze(stage, clock.at(7, 0.0), 16.0, 0.5);
    // The theme's first half, at half its speed, as if from far away; then its end.
    for (bar, beat, length, pitch) in THEME.iter().filter(|(bar, ..)| *bar < 4) {
        let at = clock.at(4, 0.0) + (f64::from(*bar) * 4.0 + beat) * 2.0 * clock.beat;
        let loud = 0.4 + 0.12 * length.min(2.0);
        bell(stage, &note(at, length * 2.0 * clock.beat, *pitch, loud, 0.25 * beat - 0.4));
        if *length > 1.2 {
            bell(stage, &note(at + 1.5 * clock.beat, 1.0, *pitch + 12, 0.2, 0.6 - 0.3 * beat));
        }
    }
    for (bar, beat, pitch, loud) in [
        (0, 2.0, 81, 0.3),
        (1, 1.0, 78, 0.26),
        (1, 3.0, 86, 0.2),
        (2, 2.0, 83, 0.3),
        (11, 2.0, 79, 0.34),
        (12, 0.0, 81, 0.42),
        (12, 2.0, 78, 0.36),
        (13, 0.0, 79, 0.4),
        (13, 3.0, 74, 0.32),
        (14, 1.0, 78, 0.38),
        (14, 3.0, 76, 0.3),
        (15, 1.0, 74, 0.3),
        (15, 3.0, 69, 0.28),
    ] {
        bell(stage, &note(clock.at(bar, beat), 2.0, pitch, loud, 0.5 - f64::from(pitch % 5) * 0.25));
    }
}

fn dew_on_strings(stage: &mut Stage, clock: &Clock) {
    let stairs = [D, A_CS, BM, FSM, G, D_FS, EM, A];
    let mut hand = Hand(Noise::new(5.0));
    let mut hands: Vec<i32> = Vec::new();
    for bar in 0..24_u32 {
        let (root, classes) = if bar < 16 { stairs[bar as usize % 8] } else { UNDER_THEME[bar as usize % 8] };
        hands = voice(&hands, classes, 57);
        let last = bar == 23;
        let rise = (f64::from(bar) / 6.0).min(1.0);
        pluck(
            stage,
            &note(clock.at(bar, 0.0), clock.bar(), root + if root < 38 { 12 } else { 0 }, 0.62, -0.1),
            2.4,
        );
        // Up and down through the chord in eighths, one pattern leading into the next.
        let steps: [usize; 8] =
            if bar % 2 == 0 { [0, 1, 2, 3, 2, 1, 3, 2] } else { [0, 2, 1, 3, 1, 2, 3, 1] };
        for (i, step) in (0_u32..).zip(steps) {
            let top = hands.len() - 1;
            let pitch = hands[step.min(top)] + if step > top { 12 } else { 0 };
            let slow = if last { f64::from(i * i) * 0.006 } else { 0.0 };
            let at = clock.at(bar, f64::from(i) / 2.0) + 0.012 + hand.late(0.006) + slow;
            let accent = [0.5, 0.3, 0.38, 0.34, 0.44, 0.3, 0.4, 0.33][i as usize];
            pluck(
                stage,
                &note(at, 0.9, pitch, accent * (0.72 + 0.28 * rise), 0.45 - f64::from(i % 4) * 0.3),
                1.1,
            );
        }
        // From the second time on, thirds above the steps; the theme comes at the third.
        if (8..16).contains(&bar) {
            for (beat, step) in [(0.0, 3), (1.5, 2), (3.0, 3)] {
                let pitch = hands[step.min(hands.len() - 1)] + 12;
                pluck(stage, &note(clock.at(bar, beat) + hand.late(0.006), 1.2, pitch, 0.44, 0.35), 1.5);
            }
        }
    }
    for (bar, beat, length, pitch) in THEME {
        let at = clock.at(16 + bar, beat) + hand.late(0.005);
        pluck(stage, &note(at, length * clock.beat, pitch, 0.66, 0.1), 1.9);
        if length >= 1.0 && bar % 2 == 0 {
            pluck(stage, &note(at + 0.02, length * clock.beat, third_below(pitch), 0.3, -0.45), 1.6);
        }
        if length >= 2.0 {
            bell(stage, &note(at + clock.beat, 1.0, pitch + 12, 0.2, -0.3));
        }
    }
    pads(stage, clock, &stairs, 8, 0.26, 57);
    pads(stage, clock, &UNDER_THEME, 16, 0.4, 57);
}

fn kettle_hours(stage: &mut Stage, clock: &Clock) {
    let round = [G9, FSM, BM9, BM9, EM9, A_SUS, DM9, FS7];
    let mut hand = Hand(Noise::new(9.0));
    let mut hands: Vec<i32> = Vec::new();
    for bar in 0..22_u32 {
        let (root, classes) = match bar {
            20 => G9,
            21 => A_SUS,
            _ => round[bar as usize % 8],
        };
        hands = voice(&hands, classes, 57);
        let drums = bar >= 4 && !(16..18).contains(&bar) && bar < 21;
        let hits: &[(f64, f64, f64)] = match bar % 4 {
            0 => &[(0.0, 1.3, 0.62), (1.75, 0.3, 0.42), (2.5, 1.2, 0.5)],
            1 => &[(0.0, 0.7, 0.56), (0.75, 0.4, 0.36), (2.25, 1.4, 0.52)],
            2 => &[(0.0, 1.6, 0.62), (2.5, 0.3, 0.4), (3.0, 0.8, 0.5)],
            _ => &[(0.5, 1.0, 0.5), (1.75, 0.6, 0.44), (3.25, 0.6, 0.4)],
        };
        for (beat, length, loud) in hits {
            for (i, pitch) in hands.iter().enumerate() {
                let at = clock.at(bar, *beat) + i as f64 * 0.008 + hand.late(0.005);
                keys(stage, &note(at, length * clock.beat, *pitch, *loud, i as f64 * 0.2 - 0.3));
            }
        }
        if bar >= 2 {
            let low = if root < 33 { root + 12 } else { root };
            let fifth = if low > 40 { low - 5 } else { low + 7 };
            let line: &[(f64, f64, i32, f64)] = if bar % 2 == 0 {
                &[
                    (0.0, 1.2, low, 0.85),
                    (1.75, 0.4, low, 0.6),
                    (2.5, 0.9, fifth, 0.7),
                    (3.5, 0.4, low + 12, 0.5),
                ]
            } else {
                &[
                    (0.0, 0.9, low, 0.85),
                    (1.5, 0.4, fifth, 0.6),
                    (2.25, 1.0, low, 0.75),
                    (3.75, 0.25, low + 12, 0.5),
                ]
            };
            for (beat, length, pitch, loud) in line {
                bass(stage, &note(clock.at(bar, *beat) + 0.006, length * clock.beat, *pitch, *loud, 0.0));
            }
        }
        if drums {
            for (beat, loud) in [(0.0, 0.9), (1.75, 0.5), (2.5, 0.72)] {
                kick(stage, clock.at(bar, beat), loud);
            }
            for (beat, loud) in [(1.0, 0.62), (3.0, 0.68)] {
                snare(stage, clock.at(bar, beat) + 0.009, loud, 0.8);
            }
            if bar % 4 == 3 {
                for (beat, loud) in [(3.5, 0.26), (3.75, 0.4)] {
                    snare(stage, clock.at(bar, beat), loud, 0.7);
                }
            }
        }
        if (3..21).contains(&bar) {
            for i in 0..16_u32 {
                let loud = [0.5, 0.16, 0.34, 0.2][i as usize % 4] * if drums { 1.0 } else { 0.55 };
                let open = drums && i == 14 && bar % 2 == 1;
                let ring = if open { 0.11 } else { 0.028 };
                hat(stage, clock.at(bar, f64::from(i) / 4.0) + hand.late(0.003), loud, ring, 0.3);
            }
        }
    }
    kettle_line(stage, clock);
    pads(stage, clock, &[G9, FSM, BM9, BM9, G9, A_SUS], 16, 0.28, 57);
}

/// A line that thinks of the theme but does not say it.
fn kettle_line(stage: &mut Stage, clock: &Clock) {
    let line: [(u32, f64, f64, i32); 27] = [
        (8, 0.5, 0.5, 74),
        (8, 1.0, 1.25, 78),
        (8, 2.5, 1.0, 76),
        (9, 0.0, 1.5, 73),
        (9, 2.5, 0.5, 69),
        (9, 3.0, 0.75, 73),
        (10, 0.0, 2.5, 74),
        (11, 1.0, 0.5, 71),
        (11, 1.5, 0.5, 73),
        (11, 2.0, 1.5, 74),
        (12, 0.0, 0.75, 79),
        (12, 1.0, 0.75, 78),
        (12, 2.0, 1.5, 74),
        (13, 0.0, 1.0, 76),
        (13, 1.5, 2.0, 71),
        (14, 0.5, 1.5, 73),
        (14, 2.5, 1.25, 69),
        (15, 0.5, 0.5, 70),
        (15, 1.0, 0.5, 73),
        (15, 1.5, 2.0, 76),
        (18, 0.0, 1.5, 78),
        (18, 1.75, 0.5, 76),
        (18, 2.5, 1.25, 74),
        (19, 0.5, 2.5, 71),
        (20, 0.0, 1.5, 74),
        (20, 2.0, 1.5, 78),
        (21, 0.0, 3.0, 76),
    ];
    for (bar, beat, length, pitch) in line {
        lead(stage, &note(clock.at(bar, beat) + 0.012, length * clock.beat, pitch, 0.5, -0.15));
    }
    for (bar, pitch) in [(16, 83), (16, 86), (17, 81), (17, 85)] {
        let beat = f64::from(pitch % 2) * 2.0 + 0.5;
        bell(stage, &note(clock.at(bar, beat), 1.0, pitch, 0.3, 0.4));
    }
}

/// The chord of a bar of the last piece: the theme's where it sounds, else a round of its own.
fn light_chord(bar: u32) -> Chord {
    const OPEN: [Chord; 8] = [D, A_CS, BM, G, D_FS, G, EM, A_SUS];
    let first = match bar {
        12..20 => 12,
        20..24 => 20,
        24.. => 24,
        _ => return OPEN[bar as usize % 8],
    };
    UNDER_THEME[(bar - first) as usize % 8]
}

fn first_light(stage: &mut Stage, clock: &Clock) {
    let mut hand = Hand(Noise::new(13.0));
    let mut hands: Vec<i32> = Vec::new();
    for bar in 0..32_u32 {
        let (root, classes) = light_chord(bar);
        hands = voice(&hands, classes, 62);
        let rest = (20..24).contains(&bar);
        let full = bar >= 4 && !rest;
        let swell = if bar < 4 {
            0.55 + 0.11 * f64::from(bar)
        } else if rest {
            0.6
        } else {
            1.0
        };
        // Sixteenths that climb through the chord and fall back.
        for i in 0..16_u32 {
            let order = [0, 2, 1, 3, 2, 0, 3, 1, 0, 3, 2, 1, 3, 2, 0, 3][i as usize];
            let top = hands.len() - 1;
            let octave = if i % 8 >= 4 { 12 } else { 0 };
            let pitch = hands[order.min(top)] + octave;
            let loud = [0.42, 0.22, 0.3, 0.24][i as usize % 4] * swell;
            let at = clock.at(bar, f64::from(i) / 4.0) + hand.late(0.003);
            pluck(stage, &note(at, 0.25, pitch, loud, if i % 2 == 0 { -0.5 } else { 0.5 }), 0.45);
        }
        if full {
            let low = if root < 35 { root } else { root - 12 };
            let low = if low < 28 { low + 12 } else { low };
            for i in 0..8_u32 {
                let pitch = low + if i % 2 == 1 { 12 } else { 0 };
                let loud = if i % 2 == 1 { 0.5 } else { 0.82 };
                bass(stage, &note(clock.at(bar, f64::from(i) / 2.0), 0.4 * clock.beat, pitch, loud, 0.0));
            }
            for beat in 0..4_u32 {
                kick(stage, clock.at(bar, f64::from(beat)), 0.82);
                hat(stage, clock.at(bar, f64::from(beat) + 0.5), 0.55, 0.06, 0.25);
            }
            if bar >= 8 {
                for beat in [1.0, 3.0] {
                    snare(stage, clock.at(bar, beat), 0.55, if bar >= 24 { 0.5 } else { 0.0 });
                }
            }
        }
        if bar >= 2 {
            for i in 0..16_u32 {
                let loud = if i % 4 == 2 { 0.3 } else { 0.15 };
                hat(stage, clock.at(bar, f64::from(i) / 4.0) + hand.late(0.002), loud * swell, 0.022, -0.3);
            }
        }
        if matches!(bar, 11 | 19 | 23) {
            for i in 0..8_u32 {
                let loud = 0.2 + 0.05 * f64::from(i);
                snare(stage, clock.at(bar, 2.0 + f64::from(i) / 4.0), loud, 0.7);
            }
        }
        if matches!(bar, 4 | 12 | 24) {
            hat(stage, clock.at(bar, 0.0), 0.8, 0.55, 0.1);
        }
    }
    for (first, both) in [(12, false), (24, true)] {
        for (bar, beat, length, pitch) in THEME {
            let at = clock.at(first + bar, beat);
            lead(stage, &note(at, length * clock.beat * 0.94, pitch, 0.62, 0.0));
            if both {
                bell(stage, &note(at, 0.5, pitch + 12, 0.3, 0.35));
                if length >= 1.0 {
                    lead(stage, &note(at + 0.008, length * clock.beat * 0.9, third_below(pitch), 0.3, -0.4));
                }
            }
        }
    }
    for (bar, beat, length, pitch) in THEME.iter().filter(|(bar, ..)| *bar < 4) {
        bell(
            stage,
            &note(clock.at(20 + bar, *beat), length * clock.beat, *pitch + 12, 0.36, 0.3 - beat * 0.2),
        );
    }
    let broad: Vec<Chord> = (0..32).map(light_chord).collect();
    pads(stage, clock, &broad, 0, 0.42, 57);
    // The end: one chord, rung out.
    let end = clock.at(32, 0.0);
    for (i, pitch) in (0_u32..).zip([38, 50, 57, 62, 66, 69, 76, 81]) {
        let at = end + f64::from(i) * 0.05;
        pluck(stage, &note(at, 4.0, pitch, 0.6, f64::from(i) * 0.2 - 0.7), 3.0);
        keys(stage, &note(at, 3.5, pitch + if pitch < 50 { 12 } else { 0 }, 0.4, 0.5 - f64::from(i) * 0.12));
    }
    for (i, pitch) in (0_u32..).zip([50, 57, 62, 66, 69]) {
        pad(stage, &note(end - 0.4, 2.6, pitch, 0.5, f64::from(i) * 0.3 - 0.6));
    }
    bass(stage, &note(end, 3.0, 38, 0.8, 0.0));
    kick(stage, end, 0.8);
    hat(stage, end, 0.8, 0.6, 0.0);
    for (i, pitch) in (0_u32..).zip([86, 90, 93, 98]) {
        bell(stage, &note(end + 0.5 + f64::from(i) * clock.beat, 2.0, pitch, 0.3, f64::from(i) * 0.3 - 0.45));
    }
}
