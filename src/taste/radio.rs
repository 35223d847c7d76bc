//! What is near to something: radio from any tracks, songs similar to one, and a path from one to another.
//!
//! Nearness is the artist, the genres, the sound and the year, of what of these is known; the listener's liking decides between what is
//! equally near.

use super::flow;
use super::mixes::chance;
use super::reasons::{apart, compared};
use super::signals::Liking;
use crate::music::{Listening, Tune};

/// How near two tunes are, 0 to 1.
pub fn near(a: &Tune, b: &Tune) -> f32 {
    let (mut sum, mut parts) = (0.0, 0.0);
    if !a.genres.is_empty() && !b.genres.is_empty() {
        let common = a.genres.iter().filter(|genre| b.genres.contains(genre)).count() as f32;
        sum += 0.4 * common / (a.genres.len() as f32 * b.genres.len() as f32).sqrt();
        parts += 0.4;
    }
    if let (Some(x), Some(y)) = (&a.sound, &b.sound) {
        sum += 0.4 * (1.0 - apart(x, y)).max(0.0);
        parts += 0.4;
    }
    if let (Some(x), Some(y)) = (a.year, b.year) {
        sum += 0.1 * (1.0 - x.abs_diff(y) as f32 / 20.0).max(0.0);
        parts += 0.1;
    }
    let alike = if parts > 0.0 { sum / parts } else { 0.0 };
    if a.artist == b.artist { 0.5 + 0.5 * alike } else { 0.9 * alike }
}

/// Tunes near to all of `seeds`, the nearest first, with nearness; without the seeds, `without`, and what is not wanted.
pub fn around(all: &Listening, liking: &Liking, seeds: &[u32], without: &[u32]) -> Vec<(u32, f32)> {
    let asked: Vec<&Tune> = seeds.iter().take(50).filter_map(|i| all.tunes.get(*i as usize)).collect();
    let mut out = vec![true; all.tunes.len()];
    for i in seeds.iter().chain(without) {
        if let Some(open) = out.get_mut(*i as usize) {
            *open = false;
        }
    }
    let mut found: Vec<(u32, f32)> = (0u32..)
        .zip(&all.tunes)
        .filter(|(i, _)| out[*i as usize] && !liking.less[*i as usize])
        .map(|(i, tune)| {
            let nearness = asked.iter().map(|seed| near(seed, tune)).fold(0.0, f32::max);
            (i, nearness + 0.05 * (liking.tunes[i as usize] / 5.0).tanh())
        })
        .filter(|(_, score)| *score > 0.05)
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found
}

/// The next `count` tracks of a radio from `seeds`, in order, each with its reason. `heard` are tunes of the last hours, which do not
/// come again; give what this function gave before, and the radio goes on without end: when everything near was heard, the
/// rest of the library follows.
pub fn radio(
    all: &Listening,
    liking: &Liking,
    seeds: &[u32],
    heard: &[u32],
    count: usize,
    seed: u64,
) -> Vec<(u32, String)> {
    let mut ranked = around(all, liking, seeds, heard);
    for (i, score) in &mut ranked {
        *score += 0.15 * chance(seed, u64::from(*i));
    }
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let limit = (count / 8).max(2);
    let mut of_artist = vec![0_usize; all.artists.len()];
    let mut chosen: Vec<u32> = Vec::new();
    let rest = (0..all.tunes.len() as u32).filter(|i| !liking.less[*i as usize]);
    let mut taken: std::collections::HashSet<u32> = heard.iter().chain(seeds).copied().collect();
    let first: Vec<u32> = ranked.into_iter().map(|(i, _)| i).collect();
    for strict in [true, false] {
        for i in first.iter().copied().chain(rest.clone()) {
            let Some(tune) = all.tunes.get(i as usize) else { continue };
            let Some(of_artist) = of_artist.get_mut(tune.artist as usize) else { continue };
            if chosen.len() == count || taken.contains(&i) || (strict && *of_artist >= limit) {
                continue;
            }
            *of_artist += 1;
            taken.insert(i);
            chosen.push(i);
        }
    }
    let order = flow::arrange(&all.tunes, &chosen);
    order.into_iter().map(|i| (i, why(all, seeds, i))).collect()
}

/// Which of the seeds is nearest to a tune, and what they have in common.
pub fn why(all: &Listening, seeds: &[u32], tune: u32) -> String {
    let Some(it) = all.tunes.get(tune as usize) else { return String::new() };
    let seeds = seeds.iter().take(50).filter_map(|i| all.tunes.get(*i as usize));
    let Some(seed) = seeds.max_by(|a, b| near(a, it).total_cmp(&near(b, it))) else { return String::new() };
    let artist = |tune: &Tune| all.artists.get(tune.artist as usize).map_or("", String::as_str);
    if seed.artist == it.artist {
        return format!("by {}, as is {}", artist(it), seed.title);
    }
    if let (Some(a), Some(b)) = (&seed.sound, &it.sound)
        && apart(a, b) < 0.35
    {
        return format!("sounds like {} by {}: {}", seed.title, artist(seed), compared(a, b));
    }
    match it.genres.iter().find(|genre| seed.genres.contains(genre)) {
        Some(genre) => {
            let genre = all.genres.get(usize::from(*genre)).map_or("", String::as_str);
            format!("{genre}, like {} by {}", seed.title, artist(seed))
        }
        None => format!("after {} by {}, further afield in your library", seed.title, artist(seed)),
    }
}

/// A way of at most `count` tunes from one to another, both included, each step towards the end. Empty when either is not there.
pub fn path(all: &Listening, from: u32, to: u32, count: usize) -> Vec<u32> {
    let (Some(start), Some(end)) = (all.tunes.get(from as usize), all.tunes.get(to as usize)) else {
        return Vec::new();
    };
    if from == to || count < 2 {
        return vec![from];
    }
    let mut between: Vec<u32> = Vec::new();
    for step in 1..count - 1 {
        let part = step as f32 / (count - 1) as f32;
        let best = (0u32..).zip(&all.tunes).filter(|(i, _)| *i != from && *i != to && !between.contains(i));
        // The tune that is as near to either end as its place on the way wants it, and near to both together.
        let cost = |tune: &Tune| {
            let (a, b) = (near(start, tune), near(tune, end));
            (1.0 - a) * (1.0 - part) + (1.0 - b) * part
        };
        let last = between.last().copied().unwrap_or(from);
        let artist = all.tunes.get(last as usize).map(|tune| tune.artist);
        let best = best
            .filter(|(_, tune)| Some(tune.artist) != artist)
            .map(|(i, tune)| (i, cost(tune)))
            .filter(|(_, cost)| *cost < 0.95)
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        between.extend(best.map(|(i, _)| i));
    }
    std::iter::once(from).chain(between).chain(std::iter::once(to)).collect()
}
