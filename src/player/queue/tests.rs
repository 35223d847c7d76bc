use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn track(n: usize) -> Arc<Track> {
    Arc::new(Track {
        suffix: "flac".into(),
        content_type: "audio/flac".into(),
        ..Track::bare(format!("t{n}").into(), format!("Track {n}"), format!("Artist {}", n % 3), 1000)
    })
}

fn tracks(range: std::ops::Range<usize>) -> Vec<Arc<Track>> {
    range.map(track).collect()
}

fn ids<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<String> {
    entries.into_iter().map(|e| e.track.id.to_string()).collect()
}

fn album(start: usize) -> Queue {
    let mut queue = Queue::new();
    queue.play_context(tracks(0..5), start, "Album".into(), None);
    queue
}

#[test]
fn an_album_from_its_middle_can_be_gone_back_in() {
    let mut queue = album(2);
    assert_eq!(ids(&queue.view().context), ["t3", "t4"]);
    assert_eq!(queue.previous().map(|e| e.track.id.to_string()).as_deref(), Some("t1"));
    assert_eq!(ids(&queue.view().context), ["t2", "t3", "t4"]);
}

#[test]
fn what_is_queued_comes_before_the_context() {
    let mut queue = album(0);
    queue.push_last(tracks(10..12));
    queue.push_next(tracks(20..22));
    let mut heard = Vec::new();
    while let Some(entry) = queue.advance(0) {
        heard.push(entry.track.id.to_string());
    }
    assert_eq!(heard, ["t20", "t21", "t10", "t11", "t1", "t2", "t3", "t4"]);
}

#[test]
fn a_new_context_keeps_the_queue_and_forgets_what_was_never_begun() {
    let mut queue = album(2);
    queue.mark_begun();
    queue.push_last(tracks(10..11));
    queue.play_context(tracks(30..33), 0, "Other".into(), None);
    let view = queue.view();
    assert_eq!(ids(&view.history), ["t2"]);
    assert_eq!(ids(&view.up_next), ["t10"]);
    assert_eq!(view.context_name, "Other");
}

#[test]
fn repeat_one_repeats_until_the_listener_goes_on() {
    let mut queue = album(0);
    queue.set_repeat(Repeat::One);
    assert_eq!(queue.following().map(|(_, t)| t.id.to_string()).as_deref(), Some("t0"));
    assert_eq!(queue.advance(0).map(|e| e.track.id.to_string()).as_deref(), Some("t0"));
    assert_eq!(queue.skip(0).map(|e| e.track.id.to_string()).as_deref(), Some("t1"));
}

#[test]
fn repeat_all_begins_anew() {
    let mut queue = album(4);
    assert!(queue.following().is_none());
    queue.set_repeat(Repeat::All);
    assert_eq!(queue.following().map(|(_, t)| t.id.to_string()).as_deref(), Some("t0"));
    assert_eq!(queue.advance(0).map(|e| e.track.id.to_string()).as_deref(), Some("t0"));
    assert_eq!(queue.view().context.len(), 4);
}

#[test]
fn unshuffling_goes_on_after_the_current_track() {
    let mut queue = Queue::new();
    queue.play_context(tracks(0..20), 3, "Mix".into(), Some(1));
    assert_eq!(queue.view().context.len(), 19);
    queue.set_shuffle(false, 0);
    let order = ids(&queue.view().context);
    assert_eq!(order.first().map(String::as_str), Some("t4"));
    assert_eq!(order.last().map(String::as_str), Some("t2"));
}

#[test]
fn moving_across_the_border_changes_sides() {
    let mut queue = album(0);
    queue.push_last(tracks(10..12));
    let first_of_context = queue.view().context[0].uid;
    queue.shift(&[first_of_context], -1);
    assert_eq!(ids(&queue.view().up_next), ["t10", "t1", "t11"]);
    queue.shift(&[first_of_context], 1);
    queue.shift(&[first_of_context], 1);
    assert_eq!(ids(&queue.view().up_next), ["t10", "t11"]);
    assert_eq!(ids(&queue.view().context), ["t2", "t1", "t3", "t4"]);
}

#[test]
fn saved_and_restored() {
    let mut queue = album(1);
    queue.mark_begun();
    queue.push_last(tracks(10..12));
    queue.set_repeat(Repeat::All);
    let saved = queue.save();
    let again = Queue::restore(&saved, |id| id.strip_prefix('t')?.parse().ok().map(track));
    assert_eq!(again.save(), saved);
    let fewer = Queue::restore(&saved, |id| (id != "t10").then(|| track(0)));
    assert_eq!(fewer.view().up_next.len(), 1);
}

#[derive(Debug, Clone)]
enum Edit {
    Context(usize, usize, Option<u64>),
    Last(usize),
    Next(usize),
    Advance(u64),
    Skip(u64),
    Previous,
    Jump(usize),
    Remove(usize),
    Shift(usize, usize, isize),
    Shuffle(bool, u64),
    Repeat(u8),
    Begun,
    Clear,
    Undo,
    Redo,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..12usize, 0..12usize, proptest::option::of(any::<u64>()))
            .prop_map(|(n, s, r)| Edit::Context(n, s, r)),
        (0..4usize).prop_map(Edit::Last),
        (0..4usize).prop_map(Edit::Next),
        any::<u64>().prop_map(Edit::Advance),
        any::<u64>().prop_map(Edit::Skip),
        Just(Edit::Previous),
        (0..40usize).prop_map(Edit::Jump),
        (0..40usize).prop_map(Edit::Remove),
        (0..40usize, 0..40usize, -5..5isize).prop_map(|(a, b, by)| Edit::Shift(a, b, by)),
        (any::<bool>(), any::<u64>()).prop_map(|(on, seed)| Edit::Shuffle(on, seed)),
        (0..3u8).prop_map(Edit::Repeat),
        Just(Edit::Begun),
        Just(Edit::Clear),
        Just(Edit::Undo),
        Just(Edit::Redo),
    ]
}

/// What stands where, with everything that edits change.
fn standing(queue: &Queue) -> impl PartialEq + std::fmt::Debug + use<> {
    let QueueView { history, now, up_next, context, context_name, shuffle, .. } = queue.view();
    let source = queue.save().track_ids().map(str::to_owned).collect::<Vec<_>>();
    (history, now, up_next, context, context_name, shuffle, source)
}

fn all(view: &QueueView) -> Vec<u64> {
    view.history.iter().chain(&view.now).chain(&view.up_next).chain(&view.context).map(|e| e.uid).collect()
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled(edits in proptest::collection::vec(edit(), 0..80)) {
        let mut queue = Queue::new();
        for edit in edits {
            let before = queue.view();
            let uids = all(&before);
            let at = |n: usize| uids.get(n % uids.len().max(1)).copied().unwrap_or(0);
            let mut may_shrink = false;
            let mut may_grow = false;
            match edit.clone() {
                Edit::Context(n, start, seed) => {
                    queue.play_context(tracks(0..n), start, "c".into(), seed);
                    (may_shrink, may_grow) = (true, true);
                    prop_assert_eq!(queue.now().is_some(), n > 0);
                }
                Edit::Last(n) => { queue.push_last(tracks(0..n)); may_grow = true; }
                Edit::Next(n) => { queue.push_next(tracks(0..n)); may_grow = true; }
                Edit::Advance(seed) => {
                    let expected = queue.following().map(|(_, t)| t.id.clone());
                    let got = queue.advance(seed).map(|e| e.track.id.clone());
                    if expected.is_some() { prop_assert_eq!(expected, got); }
                    may_grow = before.repeat != Repeat::Off;
                }
                Edit::Skip(seed) => { queue.skip(seed); may_grow = before.repeat == Repeat::All || before.repeat == Repeat::One; }
                Edit::Previous => { queue.previous(); }
                Edit::Jump(n) => {
                    let uid = at(n);
                    prop_assert_eq!(queue.jump(uid), uids.contains(&uid));
                    if uids.contains(&uid) { prop_assert_eq!(queue.now().map(|e| e.uid), Some(uid)); }
                }
                Edit::Remove(n) => { queue.remove(&[at(n)]); may_shrink = true; }
                Edit::Shift(a, b, by) => queue.shift(&[at(a), at(b)], by),
                Edit::Shuffle(on, seed) => queue.set_shuffle(on, seed),
                Edit::Repeat(n) => queue.set_repeat([Repeat::Off, Repeat::All, Repeat::One][n as usize]),
                Edit::Begun => queue.mark_begun(),
                Edit::Clear => { queue.clear_up_next(); may_shrink = true; }
                Edit::Undo => { queue.undo(); (may_shrink, may_grow) = (true, true); }
                Edit::Redo => { queue.redo(); (may_shrink, may_grow) = (true, true); }
            }
            let after = all(&queue.view());
            let (old, new): (BTreeSet<u64>, BTreeSet<u64>) = (uids.into_iter().collect(), after.iter().copied().collect());
            prop_assert_eq!(after.len(), new.len(), "an entry stands twice after {:?}", edit);
            if !may_shrink { prop_assert!(old.is_subset(&new), "lost by {:?}", edit); }
            if !may_grow { prop_assert!(new.is_subset(&old), "grown by {:?}", edit); }
        }
    }

    #[test]
    fn taken_back_is_as_it_was_and_done_again_as_it_became(
        before in proptest::collection::vec(edit(), 0..40),
        edits in proptest::collection::vec(edit(), 1..30),
    ) {
        let mut queue = Queue::new();
        let go = |queue: &mut Queue, edit: Edit| {
            let uids = all(&queue.view());
            let at = |n: usize| uids.get(n % uids.len().max(1)).copied().unwrap_or(0);
            match edit {
                Edit::Context(n, start, seed) => queue.play_context(tracks(0..n), start, "c".into(), seed),
                Edit::Last(n) => queue.push_last(tracks(0..n)),
                Edit::Next(n) => queue.push_next(tracks(0..n)),
                Edit::Remove(n) => queue.remove(&[at(n), at(n + 1)]),
                Edit::Shift(a, b, by) => queue.shift(&[at(a), at(b)], by),
                Edit::Shuffle(on, seed) => queue.set_shuffle(on, seed),
                Edit::Clear => queue.clear_up_next(),
                Edit::Advance(seed) | Edit::Skip(seed) => { queue.skip(seed); }
                Edit::Previous => { queue.previous(); }
                Edit::Jump(n) => { queue.jump(at(n)); }
                Edit::Repeat(_) | Edit::Begun | Edit::Undo | Edit::Redo => {}
            }
        };
        for edit in before {
            go(&mut queue, edit);
        }
        // From here on nothing plays on by itself: every step back must be exact.
        queue.past = undo::Past::default();
        let mut stages = vec![standing(&queue)];
        for edit in edits {
            let moves = matches!(edit, Edit::Advance(_) | Edit::Skip(_) | Edit::Previous | Edit::Jump(_));
            let known = queue.view().undo.map(|mark| mark.id);
            if !moves {
                go(&mut queue, edit);
            }
            if queue.view().undo.map(|mark| mark.id) != known {
                stages.push(standing(&queue));
            }
        }
        for stage in stages.iter().rev().skip(1) {
            prop_assert!(queue.undo().is_some());
            prop_assert_eq!(&standing(&queue), stage);
        }
        prop_assert!(queue.undo().is_none());
        for stage in stages.iter().skip(1) {
            prop_assert!(queue.redo().is_some());
            prop_assert_eq!(&standing(&queue), stage);
        }
        prop_assert!(queue.redo().is_none());
    }
}

#[test]
fn what_was_heard_meanwhile_stays_heard() {
    let mut queue = album(0);
    queue.mark_begun();
    let second = queue.view().context[1].uid;
    queue.remove(&[second]);
    queue.skip(0);
    queue.mark_begun();
    queue.undo();
    let view = queue.view();
    assert_eq!(ids(&view.history), ["t0"]);
    assert_eq!(ids(&view.now), ["t1"]);
    assert_eq!(ids(&view.context), ["t2", "t3", "t4"]);
    queue.redo();
    assert_eq!(ids(&queue.view().context), ["t3", "t4"]);
}

#[test]
fn a_context_begun_by_mistake_gives_way_to_the_one_before() {
    let mut queue = album(2);
    queue.mark_begun();
    queue.push_last(tracks(10..11));
    queue.at(61_000);
    queue.play_context(tracks(30..33), 0, "Other".into(), None);
    queue.mark_begun();
    let undone = queue.undo();
    assert_eq!(undone, Some(Undone { what: Edited::Played("Other".into()), starts_at: Some(61_000) }));
    let view = queue.view();
    assert_eq!((ids(&view.now), view.context_name.as_str()), (vec!["t2".to_owned()], "Album"));
    assert_eq!(ids(&view.history), ["t0", "t1"]);
    assert_eq!(ids(&view.up_next), ["t10"]);
    // What comes by going on is not taken back, and one edit is only ever one step.
    queue.skip(0);
    assert!(queue.undo().is_some_and(|undone| undone.what == Edited::Queued(1, "Track 10".into(), false)));
    assert_eq!(ids(&queue.view().now), ["t10"]);
}

#[test]
fn edits_that_change_nothing_are_not_remembered_and_few_are_kept() {
    let mut queue = album(0);
    queue.clear_up_next();
    queue.remove(&[9_999]);
    queue.shift(&[9_999], 3);
    queue.set_shuffle(false, 0);
    assert!(matches!(queue.view().undo.map(|mark| mark.what), Some(Edited::Played(_))));
    for n in 0..300 {
        queue.push_last(tracks(n..n + 1));
    }
    let mut steps = 0;
    while queue.undo().is_some() {
        steps += 1;
    }
    assert_eq!(steps, 100);
}

#[test]
fn what_plays_goes_on_between_other_tracks() {
    let mut queue = album(1);
    let uid = queue.now().unwrap().uid;
    queue.surround(tracks(10..12), tracks(20..23), "Set".into());
    let view = queue.view();
    assert_eq!(view.now.as_ref().unwrap().uid, uid);
    assert_eq!(ids(&view.history), ["t10", "t11"]);
    assert_eq!(ids(&view.context), ["t20", "t21", "t22"]);
    assert_eq!((view.context_name.as_str(), view.up_next.len()), ("Set", 0));
    assert_eq!(queue.previous().map(|e| e.track.id.to_string()).as_deref(), Some("t11"));
}

#[test]
fn a_queue_that_was_laid_out_is_the_same_again() {
    let mut queue = album(2);
    queue.push_last(tracks(10..12));
    let view = queue.view();
    let all: Vec<&Entry> =
        view.history.iter().chain(&view.now).chain(&view.up_next).chain(&view.context).collect();
    let names = ids(all.iter().copied());
    let saved = SavedQueue::laid_out(&names, view.history.len(), view.up_next.len(), &view);
    let find = |id: &str| all.iter().find(|e| e.track.id.as_str() == id).map(|e| Arc::clone(&e.track));
    let again = Queue::restore(&saved, find).view();
    assert_eq!(ids(&again.history), ids(&view.history));
    assert_eq!(ids(&again.now), ids(&view.now));
    assert_eq!(ids(&again.up_next), ids(&view.up_next));
    assert_eq!(ids(&again.context), ids(&view.context));
    assert_eq!(again.context_name, "Album");
}
