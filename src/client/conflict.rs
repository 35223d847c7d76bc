//! What becomes of an edit of a playlist that somebody else changed meanwhile. Pure.
//!
//! The rule: nothing that anybody added is lost, and what the listener took out is what goes. Entries to remove are found
//! again by their tracks where their places moved; a list that was put into another order stays in it, with what others
//! added at its end.

use crate::music::TrackId;

/// Places in `there` of entries that stood at `places` and were `gone`; those that are there no more are left out. Says
/// whether any of them moved or is missing.
pub(super) fn relocate(places: &[usize], gone: &[TrackId], there: &[TrackId]) -> (Vec<usize>, bool) {
    if gone.len() != places.len() {
        // Written down by an earlier release: nobody knows what they were.
        return (places.to_vec(), false);
    }
    let is = |at: usize, id: &TrackId| there.get(at) == Some(id);
    let wanted = || places.iter().copied().zip(gone);
    let mut found: Vec<usize> = wanted().filter(|(at, id)| is(*at, id)).map(|(at, _)| at).collect();
    let moved = found.len() < places.len();
    for (at, id) in wanted().filter(|(at, id)| !is(*at, id)) {
        let near = (0..there.len()).filter(|other| is(*other, id) && !found.contains(other));
        found.extend(near.min_by_key(|other| other.abs_diff(at)));
    }
    found.sort_unstable();
    (found, moved)
}

/// The list that `ours` becomes, which was made from `was`, when the server has `there`. Says whether others changed it.
pub(super) fn merge(ours: &[TrackId], was: &[TrackId], there: &[TrackId]) -> (Vec<TrackId>, bool) {
    let mut merged = ours.to_vec();
    if there == was || there == ours {
        return (merged, false);
    }
    let mut known: Vec<&TrackId> = was.iter().collect();
    let mut added: Vec<&TrackId> = Vec::new();
    for id in there {
        match known.iter().position(|k| *k == id) {
            Some(at) => drop(known.swap_remove(at)),
            None => added.push(id),
        }
    }
    // What the listener added too, or what an attempt whose answer was lost has brought there already.
    let mut mine: Vec<&TrackId> = ours.iter().collect();
    for id in was {
        if let Some(at) = mine.iter().position(|k| *k == id) {
            mine.swap_remove(at);
        }
    }
    added.retain(|id| match mine.iter().position(|k| k == id) {
        Some(at) => {
            mine.swap_remove(at);
            false
        }
        None => true,
    });
    merged.extend(added.into_iter().cloned());
    (merged, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<TrackId> {
        text.chars().map(|c| TrackId::from(c.to_string())).collect()
    }

    fn text(ids: &[TrackId]) -> String {
        ids.iter().map(TrackId::as_str).collect()
    }

    #[test]
    fn what_goes_is_found_by_its_track() {
        let case = |places: &[usize], gone: &str, there: &str| relocate(places, &ids(gone), &ids(there));
        assert_eq!(case(&[1], "b", "abc"), (vec![1], false));
        assert_eq!(case(&[0], "a", "xabc"), (vec![1], true), "something was put before it");
        assert_eq!(case(&[0, 2], "ac", "bc"), (vec![1], true), "one is gone already");
        assert_eq!(case(&[1, 3], "aa", "xbabaa"), (vec![2, 4], true), "the nearest, each once");
        assert_eq!(case(&[5], "z", ""), (vec![], true));
        assert_eq!(case(&[0, 1], "", "ab"), (vec![0, 1], false), "of an earlier release");
    }

    #[test]
    fn an_order_stays_and_what_others_added_is_at_its_end() {
        let case = |ours: &str, was: &str, there: &str| {
            let (list, changed) = merge(&ids(ours), &ids(was), &ids(there));
            (text(&list), changed)
        };
        assert_eq!(case("cba", "abc", "abc"), ("cba".into(), false));
        assert_eq!(case("cba", "abc", "cba"), ("cba".into(), false), "it arrived already");
        assert_eq!(case("cba", "abc", "axbcy"), ("cbaxy".into(), true));
        assert_eq!(case("cbad", "abc", "abcd"), ("cbad".into(), true), "both added it");
        assert_eq!(case("ba", "aab", "aabx"), ("bax".into(), true));
        assert_eq!(case("ca", "abc", "ac"), ("ca".into(), true));
    }
}
