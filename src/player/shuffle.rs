//! Shuffling as listeners mean it: random, but with the tracks of one artist spread over the whole list.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// The same things in a random order in which the ones of one `group` stand about evenly apart. Each group is
/// shuffled, laid out at equal distances over the unit interval with a random start and a little jitter, and the
/// groups are merged. The same seed gives the same order.
pub(super) fn spread<T>(things: Vec<T>, seed: u64, group: impl Fn(&T) -> &str) -> Vec<T> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut groups: Vec<Vec<T>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for thing in things {
        let at = *known.entry(group(&thing).to_owned()).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(members) = groups.get_mut(at) {
            members.push(thing);
        }
    }
    let mut placed: Vec<(f64, T)> = Vec::new();
    for mut members in groups {
        members.shuffle(&mut rng);
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

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn artists_stand_apart() {
        let mut things: Vec<(&str, u32)> = (0..10).map(|i| ("a", i)).collect();
        things.extend((0..30).map(|i| ("b", i)));
        for seed in 0..50 {
            let order = spread(things.clone(), seed, |t| t.0);
            let gaps = order.windows(2).filter(|w| w[0].0 == "a" && w[1].0 == "a").count();
            assert!(gaps <= 1, "seed {seed}: {order:?}");
        }
    }

    #[test]
    fn same_seed_same_order() {
        let things: Vec<u32> = (0..100).collect();
        assert_eq!(spread(things.clone(), 7, |_| "x"), spread(things.clone(), 7, |_| "x"));
        assert_ne!(spread(things.clone(), 7, |_| "x"), spread(things, 8, |_| "x"));
    }
}
