//! Shuffling as listeners mean it: random, but with the tracks of one artist, and of one album, spread over the
//! whole list.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::music::Track;

/// How far ahead a track is looked for that does not stand beside its own artist or album.
const REACH: usize = 64;

/// The same things in a random order in which those of one artist stand about evenly apart, and within these those
/// of one album. Where neighbours still share either – albums of many artists – a later one is taken first, unless it
/// is what most of the list is made of. `before` is what stands before the first. The same seed gives the same order.
pub(super) fn spread<T>(
    things: Vec<T>,
    seed: u64,
    before: Option<&Track>,
    track: impl Fn(&T) -> &Track,
) -> Vec<T> {
    let mut rng = StdRng::seed_from_u64(seed);
    let by_artist = grouped(things, |thing| track(thing).artist.clone());
    let groups = by_artist.into_iter().map(|things| {
        let mut albums = grouped(things, |thing| album(track(thing)).to_owned());
        for album in &mut albums {
            album.shuffle(&mut rng);
        }
        laid_out(albums, &mut rng)
    });
    let groups: Vec<Vec<T>> = groups.collect();
    let mut order = laid_out(groups, &mut rng);
    part(&mut order, before, track);
    order
}

/// What tells an album from others; its title where it has no id.
fn album(track: &Track) -> &str {
    track.album_id.as_ref().map_or(track.album.as_str(), |id| id.as_str())
}

/// Things with the same key together, in the order in which the keys first come.
fn grouped<T>(things: Vec<T>, key: impl Fn(&T) -> String) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for thing in things {
        let at = *known.entry(key(&thing)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(members) = groups.get_mut(at) {
            members.push(thing);
        }
    }
    groups
}

/// Each group laid out at equal distances over the unit interval with a random start and a little jitter, and all of
/// them merged. The order within a group stays.
fn laid_out<T>(groups: Vec<Vec<T>>, rng: &mut StdRng) -> Vec<T> {
    let mut placed: Vec<(f64, T)> = Vec::new();
    for members in groups {
        let step = 1.0 / members.len() as f64;
        let start = rng.random_range(0.0..step);
        for (i, member) in members.into_iter().enumerate() {
            let jitter = rng.random_range(-0.1..0.1) * step;
            placed.push((start + i as f64 * step + jitter, member));
        }
    }
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    placed.into_iter().map(|(_, thing)| thing).collect()
}

/// Parts neighbours of one artist or album by taking the nearest later thing that shares neither.
fn part<T>(order: &mut [T], before: Option<&Track>, track: impl Fn(&T) -> &Track) {
    // What more than half of the list shares cannot be parted, and trying to would drive the rest together.
    let half = order.len().div_ceil(2);
    let mut counts: HashMap<(bool, String), usize> = HashMap::new();
    for thing in order.iter().map(&track) {
        *counts.entry((true, thing.artist.clone())).or_default() += 1;
        *counts.entry((false, album(thing).to_owned())).or_default() += 1;
    }
    let rare = |key: (bool, String)| counts.get(&key).is_none_or(|n| *n <= half);
    let alike = |a: &Track, b: &Track| {
        (a.artist == b.artist && rare((true, a.artist.clone())))
            || (!album(a).is_empty() && album(a) == album(b) && rare((false, album(a).to_owned())))
    };
    for at in 0..order.len() {
        let (done, rest) = order.split_at_mut(at);
        let Some(left) = done.last().map(&track).or(before) else { continue };
        let other = rest.iter().take(REACH).position(|thing| !alike(left, track(thing)));
        if let Some(other) = other.filter(|other| *other > 0)
            && let Some(stretch) = rest.get_mut(..=other)
        {
            stretch.rotate_right(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(artist: &str, album: &str, n: u32) -> Track {
        let id = format!("{artist}/{album}/{n}").into();
        Track {
            album_id: Some(album.into()),
            album: album.to_owned(),
            number: Some(n),
            ..Track::bare(id, n.to_string(), artist.to_owned(), 1)
        }
    }

    fn neighbours(order: &[Track], same: impl Fn(&Track, &Track) -> bool) -> usize {
        order.windows(2).filter(|pair| same(&pair[0], &pair[1])).count()
    }

    #[test]
    fn artists_stand_apart() {
        let mut things: Vec<Track> = (0..10).map(|n| track("a", &format!("a{}", n % 2), n)).collect();
        things.extend((0..30).map(|n| track("b", &format!("b{}", n % 3), n)));
        for seed in 0..50 {
            let order = spread(things.clone(), seed, None, |t| t);
            let twice = neighbours(&order, |x, y| x.artist == "a" && y.artist == "a");
            assert!(twice <= 1, "seed {seed}: {twice}");
            // In each quarter about a quarter of them: spread over the whole, not only parted.
            for quarter in order.chunks(10) {
                let there = quarter.iter().filter(|t| t.artist == "a").count();
                assert!((1..=4).contains(&there), "seed {seed}: {there}");
            }
        }
    }

    #[test]
    fn albums_of_one_artist_stand_apart() {
        let things: Vec<Track> = (0..40).map(|n| track("a", &format!("album {}", n % 4), n)).collect();
        for seed in 0..50 {
            let order = spread(things.clone(), seed, None, |t| t);
            let same = neighbours(&order, |x, y| x.album_id == y.album_id);
            assert!(same <= 2, "seed {seed}: {same}");
        }
    }

    #[test]
    fn an_album_of_many_artists_is_spread_too() {
        let mut things: Vec<Track> = (0..10).map(|n| track(&format!("guest {n}"), "sampler", n)).collect();
        things.extend((0..20).map(|n| track(&format!("other {n}"), &format!("album {n}"), n)));
        let same = |seed| {
            let order = spread(things.clone(), seed, None, |t| t);
            neighbours(&order, |x, y| x.album_id == y.album_id)
        };
        // By chance alone there would be three in each; what is left stands at the end, where nothing comes after.
        let counts: Vec<usize> = (0..50).map(same).collect();
        assert!(counts.iter().all(|n| *n <= 3) && counts.iter().sum::<usize>() <= 20, "{counts:?}");
    }

    #[test]
    fn the_first_is_not_of_the_artist_that_plays() {
        let mut things: Vec<Track> = (0..5).map(|n| track("a", "x", n)).collect();
        things.extend((0..5).map(|n| track("b", "y", n)));
        let now = track("a", "x", 9);
        for seed in 0..50 {
            let order = spread(things.clone(), seed, Some(&now), |t| t);
            assert_eq!(order[0].artist, "b");
        }
    }

    #[test]
    fn same_seed_same_order_and_nothing_lost() {
        let things: Vec<Track> = (0..100).map(|n| track("x", "y", n)).collect();
        let ids = |order: &[Track]| order.iter().map(|t| t.number.unwrap()).collect::<Vec<_>>();
        let once = ids(&spread(things.clone(), 7, None, |t| t));
        assert_eq!(once, ids(&spread(things.clone(), 7, None, |t| t)));
        assert_ne!(once, ids(&spread(things.clone(), 8, None, |t| t)));
        let mut sorted = once;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<u32>>());
    }
}
