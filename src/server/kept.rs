//! Things that were used lately, up to a limit.
//!
//! Two generations: what is used moves to the young one; when that has taken half of the limit, the old one is forgotten and
//! the young one becomes old. So every step is one look into a table, and what is asked for often stays.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// A bounded table. What a value costs is for its owner to say, in bytes or in pieces.
#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    half: u64,
    generations: Mutex<Generations<K, V>>,
}

#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, (V, u64)>,
    old: HashMap<K, (V, u64)>,
    /// What the young ones cost.
    cost: u64,
}

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    /// Keeps values that cost no more than `limit` together.
    pub(crate) fn new(limit: u64) -> Self {
        let generations = Generations { young: HashMap::new(), old: HashMap::new(), cost: 0 };
        Self { half: limit / 2, generations: Mutex::new(generations) }
    }

    /// The value of a key, which counts as used now.
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let mut kept = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((value, _)) = kept.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, cost)) = kept.old.remove_entry(key)?;
        self.insert(&mut kept, key, value.clone(), cost);
        Some(value)
    }

    /// Keeps a value in the place of an older one; not at all where it would take half of the limit by itself.
    pub(crate) fn put(&self, key: K, value: V, cost: u64) {
        if cost > self.half {
            return;
        }
        let mut kept = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        kept.old.remove(&key);
        self.insert(&mut kept, key, value, cost);
    }

    fn insert(&self, kept: &mut Generations<K, V>, key: K, value: V, cost: u64) {
        if kept.cost + cost > self.half {
            kept.old = std::mem::take(&mut kept.young);
            kept.old.remove(&key);
            kept.cost = 0;
        }
        kept.cost += cost;
        if let Some((_, before)) = kept.young.insert(key, (value, cost)) {
            kept.cost -= before;
        }
    }

    /// Forgets values.
    pub(crate) fn retain(&self, mut stays: impl FnMut(&V) -> bool) {
        let mut kept = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        kept.old.retain(|_, (value, _)| stays(value));
        let mut cost = 0;
        kept.young.retain(|_, (value, each)| {
            let stays = stays(value);
            cost += if stays { *each } else { 0 };
            stays
        });
        kept.cost = cost;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cost_of_all(kept: &Kept<u8, u64>) -> u64 {
        let kept = kept.generations.lock().unwrap();
        kept.young.values().chain(kept.old.values()).map(|(_, cost)| cost).sum()
    }

    #[test]
    fn what_is_used_stays() {
        let kept = Kept::new(8);
        for key in 0..100_u64 {
            kept.put(key, key, 1);
            assert_eq!(kept.get(&0), Some(0), "asked for all the time");
        }
        assert_eq!(kept.get(&99), Some(99));
        assert_eq!(kept.get(&50), None);
        kept.put(200, 200, 5);
        assert_eq!(kept.get(&200), None, "more than half of all");
        kept.retain(|value| *value != 0);
        assert_eq!(kept.get(&0), None);
    }

    proptest! {
        #[test]
        fn never_more_than_the_limit_and_never_a_wrong_value(
            steps in proptest::collection::vec((any::<u8>(), 0_u64..12, any::<bool>()), 0..300)
        ) {
            let kept = Kept::new(20);
            let mut last = HashMap::new();
            for (key, cost, put) in steps {
                if put {
                    kept.put(key, cost, cost);
                    if cost <= 10 {
                        last.insert(key, cost);
                        prop_assert_eq!(kept.get(&key), Some(cost));
                    }
                } else if let Some(found) = kept.get(&key) {
                    prop_assert_eq!(Some(&found), last.get(&key));
                }
                prop_assert!(cost_of_all(&kept) <= 20);
            }
        }
    }
}
