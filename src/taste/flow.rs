//! The order of a playlist: no artist twice within a few tracks, and no jarring jump of loudness, tempo or key between neighbours.
//!
//! Greedy: of the next few picks by rank, the one that follows best on what stands already. The rank decides what is in the list, the
//! flow only what stands beside what.

use std::collections::VecDeque;

use crate::music::{Key, Sonic, Tune};

/// Tracks between two of one artist, where there are enough artists.
pub const APART: usize = 3;
/// Picks ahead that are looked at for the next place.
const AHEAD: usize = 12;

/// How jarring it is to go from one sound to another: 0 is smooth, above 1 a jolt. Half a point each for 6 dB, for a quarter
/// of the tempo (its double and half count as the same), and for keys that are far apart on the circle of fifths.
pub fn jolt(from: &Sonic, to: &Sonic) -> f32 {
    let loud = match (from.loudness, to.loudness) {
        (Some(a), Some(b)) => (a - b).abs() / 12.0,
        _ => 0.0,
    };
    let sure = from.tempo_confidence.min(to.tempo_confidence);
    let tempo = if from.tempo > 0.0 && to.tempo > 0.0 {
        let octaves = (from.tempo / to.tempo).log2();
        (octaves - octaves.round()).abs() * 1.5 * sure
    } else {
        0.0
    };
    let key = fifths(from.key, to.key) * from.key_confidence.min(to.key_confidence) / 12.0;
    loud + tempo + key
}

/// Steps between two keys on the circle of fifths, 0 to 6; a minor key stands where its relative major does.
pub fn fifths(a: Key, b: Key) -> f32 {
    let place = |key: Key| {
        let major = if key.minor { (key.tonic + 3) % 12 } else { key.tonic % 12 };
        i32::from(major) * 7 % 12
    };
    let steps = (place(a) - place(b)).rem_euclid(12);
    steps.min(12 - steps) as f32
}

/// Puts tunes into an order that flows. `tunes` are indexes into `all`, the best first; the result has the same ones.
pub fn arrange(all: &[Tune], tunes: &[u32]) -> Vec<u32> {
    let mut left: VecDeque<u32> = tunes.iter().copied().collect();
    let mut out: Vec<u32> = Vec::with_capacity(left.len());
    let tune = |i: u32| all.get(i as usize);
    while !left.is_empty() {
        let recent: Vec<Option<u32>> =
            out.iter().rev().take(APART).map(|i| tune(*i).map(|t| t.artist)).collect();
        let fits = |i: &u32| !recent.contains(&tune(*i).map(|t| t.artist));
        // Artists with many tracks left must come soon, or they stand side by side at the end.
        let mut counts = std::collections::HashMap::new();
        for i in &left {
            *counts.entry(tune(*i).map(|t| t.artist)).or_insert(0_usize) += 1;
        }
        let most = counts.values().copied().max().unwrap_or(0);
        let pressing = most > 1 && most * (APART + 1) > left.len() + APART;
        let allowed = |at: &usize| {
            left.get(*at).is_some_and(|i| {
                fits(i) && (!pressing || counts.get(&tune(*i).map(|t| t.artist)) == Some(&most))
            })
        };
        let last = out.last().and_then(|i| tune(*i)).and_then(|t| t.sound.as_deref());
        let cost = |at: usize| {
            let next = left.get(at).and_then(|i| tune(*i)).and_then(|t| t.sound.as_deref());
            let jolt = match (last, next) {
                (Some(a), Some(b)) => jolt(a, b),
                _ => 0.0,
            };
            jolt + at as f32 * 0.03
        };
        let best = (0..left.len()).filter(allowed).take(AHEAD).min_by(|a, b| cost(*a).total_cmp(&cost(*b)));
        let best = best.or_else(|| (0..left.len()).find(|at| left.get(*at).is_some_and(fits)));
        // With too few artists for that: as far apart as can be, and those with most tracks left first.
        let best = best.or_else(|| {
            (1..recent.len()).rev().find_map(|near| {
                let away = |at: &usize| {
                    left.get(*at).is_some_and(|i| !recent[..near].contains(&tune(*i).map(|t| t.artist)))
                };
                let many = |at: &usize| left.get(*at).and_then(|i| counts.get(&tune(*i).map(|t| t.artist)));
                (0..left.len()).rev().filter(away).max_by_key(many)
            })
        });
        out.extend(left.remove(best.unwrap_or(0)));
    }
    out
}
