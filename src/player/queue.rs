//! The queue: what was heard, what plays, what the listener put next, and the context that goes on after it.
//!
//! Pure data. No clock, no network, no hidden randomness: shuffles take a seed. The order that it holds is the
//! order that will be heard, shuffled or not, so a screen can show it as it is.
//!
//! ```text
//! history (oldest first) │ now │ up next (queued by hand) │ context (the album or mix that goes on)
//! ```

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::shuffle;
use crate::music::Track;

mod undo;

pub use undo::{EditMark, Edited, Undone};

/// Entries of history that are kept.
const HISTORY: usize = 500;

/// One place in the queue. The same track may stand in several.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Unique within a queue's life.
    pub uid: u64,
    /// What stands there.
    pub track: Arc<Track>,
    /// Position in the context's own order; none for entries that the listener queued.
    place: Option<usize>,
    /// Whether it has begun at least once.
    pub begun: bool,
}

impl Entry {
    /// An entry of a queue that another player holds.
    pub fn elsewhere(uid: u64, track: Arc<Track>) -> Self {
        Self { uid, track, place: None, begun: true }
    }
}

/// What happens after the last entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeat {
    /// Playing ends.
    #[default]
    Off,
    /// The context begins anew.
    All,
    /// The same track begins anew, until the listener goes on.
    One,
}

impl Repeat {
    /// Off → all → one → off.
    #[must_use]
    pub fn cycle(self) -> Self {
        match self {
            Self::Off => Self::All,
            Self::All => Self::One,
            Self::One => Self::Off,
        }
    }
}

/// A queue as a screen shows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueView {
    /// What came before, oldest first.
    pub history: Vec<Entry>,
    /// What plays or would play.
    pub now: Option<Entry>,
    /// What the listener queued, in the order in which it will be heard.
    pub up_next: Vec<Entry>,
    /// The rest of the context, in the order in which it will be heard.
    pub context: Vec<Entry>,
    /// Name of the context ("Homogenic").
    pub context_name: String,
    /// What happens at the end.
    pub repeat: Repeat,
    /// Whether the context is shuffled.
    pub shuffle: bool,
    /// The edit that can be taken back.
    pub undo: Option<EditMark>,
    /// The edit that can be done again.
    pub redo: Option<EditMark>,
}

/// The queue. Every edit keeps these true: uids are unique, no entry stands in two places, and nothing is lost
/// but what is removed by name or falls off the end of the history.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    history: VecDeque<Entry>,
    now: Option<Entry>,
    up_next: VecDeque<Entry>,
    context: VecDeque<Entry>,
    /// The whole context in its own order, for repeating it.
    source: Vec<Arc<Track>>,
    name: String,
    repeat: Repeat,
    shuffle: bool,
    last_uid: u64,
    past: undo::Past,
}

impl Queue {
    /// What a track was played from that the listener queued by hand.
    pub const BY_HAND: &str = "up next";

    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    fn entry(&mut self, track: Arc<Track>, place: Option<usize>) -> Entry {
        self.last_uid += 1;
        Entry { uid: self.last_uid, track, place, begun: false }
    }

    fn remember(&mut self, entry: Entry) {
        self.history.push_back(entry);
        while self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// Begins a new context at track `start`. What the listener queued by hand stays and comes first after it;
    /// tracks before `start` can be gone back to. With `seed`, the rest is shuffled, and stays so for later
    /// repeats until [`Queue::set_shuffle`] says otherwise.
    pub fn play_context(&mut self, tracks: Vec<Arc<Track>>, start: usize, name: String, seed: Option<u64>) {
        self.edit(Edited::Played(name.clone()), |queue| queue.begin(tracks, start, name, seed));
    }

    fn begin(&mut self, tracks: Vec<Arc<Track>>, start: usize, name: String, seed: Option<u64>) {
        if let Some(now) = self.now.take() {
            self.remember(now);
        }
        self.history.retain(|e| e.begun);
        self.context.clear();
        self.name = name;
        self.shuffle = seed.is_some();
        self.source = tracks;
        let mut entries: Vec<Entry> = Vec::with_capacity(self.source.len());
        for (place, track) in self.source.clone().into_iter().enumerate() {
            entries.push(self.entry(track, Some(place)));
        }
        if entries.is_empty() {
            return;
        }
        let start = start.min(entries.len() - 1);
        let mut rest = entries.split_off(start);
        self.now = Some(rest.remove(0));
        if let Some(seed) = seed {
            entries.append(&mut rest);
            self.context = self.shuffled_anew(entries, seed).into();
        } else {
            for entry in entries {
                self.remember(entry);
            }
            self.context = rest.into();
        }
    }

    /// Lets other tracks follow under a name, in the place of the rest of the context; what plays goes on.
    pub fn follow(&mut self, tracks: Vec<Arc<Track>>, name: String) {
        self.context.clear();
        self.source.clear();
        self.shuffle = false;
        self.name = name;
        self.extend(tracks, &self.name.clone());
    }

    /// Adds to the end of the context, if it still is the one of this name.
    pub fn extend(&mut self, tracks: Vec<Arc<Track>>, name: &str) {
        if self.name != name {
            return;
        }
        for track in tracks {
            let entry = self.entry(Arc::clone(&track), Some(self.source.len()));
            self.source.push(track);
            self.context.push_back(entry);
        }
    }

    /// Puts other tracks before and after what plays, which goes on, in the place of everything else.
    pub fn surround(&mut self, before: Vec<Arc<Track>>, after: Vec<Arc<Track>>, name: String) {
        let now = self.now.take();
        self.source = before.iter().cloned().chain(now.iter().map(|e| Arc::clone(&e.track))).collect();
        self.source.extend(after.iter().cloned());
        let begun = |entry: Entry| Entry { begun: true, ..entry };
        let count = before.len();
        self.history =
            before.into_iter().enumerate().map(|(place, t)| begun(self.entry(t, Some(place)))).collect();
        let first = count + usize::from(now.is_some());
        self.context = after.into_iter().enumerate().map(|(i, t)| self.entry(t, Some(first + i))).collect();
        self.now = now.map(|now| Entry { place: Some(count), ..now });
        self.up_next.clear();
        (self.name, self.shuffle) = (name, false);
    }

    /// Adds to the end of what the listener queued.
    pub fn push_last(&mut self, tracks: impl IntoIterator<Item = Arc<Track>>) {
        let tracks: Vec<_> = tracks.into_iter().collect();
        let what = Edited::Queued(tracks.len(), title(tracks.first()), false);
        self.edit(what, |queue| {
            for track in tracks {
                let entry = queue.entry(track, None);
                queue.up_next.push_back(entry);
            }
        });
    }

    /// Adds before everything else that is to come, in the order given.
    pub fn push_next(&mut self, tracks: Vec<Arc<Track>>) {
        let what = Edited::Queued(tracks.len(), title(tracks.first()), true);
        self.edit(what, |queue| {
            for track in tracks.into_iter().rev() {
                let entry = queue.entry(track, None);
                queue.up_next.push_front(entry);
            }
        });
    }

    /// What plays or would play.
    pub fn now(&self) -> Option<&Entry> {
        self.now.as_ref()
    }

    /// What the current entry was played from: the name of the context, or [`Queue::BY_HAND`]; empty when nothing plays.
    pub fn source_name(&self) -> &str {
        match &self.now {
            Some(now) if now.place.is_some() => &self.name,
            Some(_) => Self::BY_HAND,
            None => "",
        }
    }

    /// Says that the current entry was begun, so that it stays in the history.
    pub fn mark_begun(&mut self) {
        if let Some(now) = &mut self.now {
            now.begun = true;
        }
    }

    /// The track that follows when the current one ends by itself; its uid is none when it is not in the queue
    /// yet (a repeat).
    pub fn following(&self) -> Option<(Option<u64>, Arc<Track>)> {
        if self.repeat == Repeat::One
            && let Some(now) = &self.now
        {
            return Some((None, Arc::clone(&now.track)));
        }
        if let Some(entry) = self.up_next.front().or_else(|| self.context.front()) {
            return Some((Some(entry.uid), Arc::clone(&entry.track)));
        }
        // A shuffled repeat is drawn when it is due; only an ordered one is known ahead.
        if self.repeat == Repeat::All && !self.shuffle {
            return self.source.first().map(|t| (None, Arc::clone(t)));
        }
        None
    }

    /// Whether the track before or after the current one is another of the same album.
    pub fn now_is_among_album(&self) -> bool {
        let Some(now) = &self.now else { return false };
        let after = self.following();
        let before = self.history.back().map(|e| &e.track);
        [before, after.as_ref().map(|(_, t)| t)].into_iter().flatten().any(|t| of_one_album(t, &now.track))
    }

    /// Whether the track that follows is one of the same album as the one after it.
    pub fn following_is_among_album(&self) -> bool {
        let coming: Vec<_> = self.up_next.iter().chain(&self.context).take(2).map(|e| &e.track).collect();
        let pair = match (coming.as_slice(), self.source.as_slice()) {
            ([first, second], _) => Some((*first, *second)),
            ([], [first, second, ..]) => Some((first, second)),
            _ => None,
        };
        pair.is_some_and(|(a, b)| of_one_album(a, b))
    }

    /// Goes on because the current entry ended by itself. `seed` orders a shuffled context that begins anew.
    /// Returns what plays now.
    pub fn advance(&mut self, seed: u64) -> Option<&Entry> {
        if self.repeat == Repeat::One
            && let Some(now) = self.now.clone()
        {
            let again = self.entry(Arc::clone(&now.track), now.place);
            self.remember(now);
            self.now = Some(again);
            return self.now.as_ref();
        }
        self.skip(seed)
    }

    /// Goes on because the listener says so.
    pub fn skip(&mut self, seed: u64) -> Option<&Entry> {
        if let Some(now) = self.now.take() {
            self.remember(now);
        }
        if self.up_next.is_empty() && self.context.is_empty() && self.repeat != Repeat::Off {
            self.refill(seed);
        }
        self.now = self.up_next.pop_front().or_else(|| self.context.pop_front());
        self.now.as_ref()
    }

    fn refill(&mut self, seed: u64) {
        let mut entries = Vec::with_capacity(self.source.len());
        for (place, track) in self.source.clone().into_iter().enumerate() {
            entries.push(self.entry(track, Some(place)));
        }
        if self.shuffle {
            entries = self.shuffled_anew(entries, seed);
        }
        self.context = entries.into();
    }

    /// Entries in a random order that fits to what plays.
    fn shuffled_anew(&self, entries: Vec<Entry>, seed: u64) -> Vec<Entry> {
        let before = self.now.as_ref().or(self.history.back()).map(|e| e.track.as_ref());
        shuffle::spread(entries, seed, before, |e| e.track.as_ref())
    }

    /// Goes back to the entry before, if there is one; what played comes next again.
    pub fn previous(&mut self) -> Option<&Entry> {
        let before = self.history.pop_back()?;
        if let Some(now) = self.now.replace(before) {
            self.put_back(now);
        }
        self.now.as_ref()
    }

    fn put_back(&mut self, entry: Entry) {
        if entry.place.is_some() { self.context.push_front(entry) } else { self.up_next.push_front(entry) }
    }

    /// Goes to an entry anywhere in the queue. Context entries that are jumped over can be gone back to; what the
    /// listener queued stays queued. False when there is no such entry.
    pub fn jump(&mut self, uid: u64) -> bool {
        if self.now.as_ref().is_some_and(|e| e.uid == uid) {
            return true;
        }
        if let Some(at) = self.up_next.iter().position(|e| e.uid == uid) {
            let target = self.up_next.remove(at);
            if let Some(now) = std::mem::replace(&mut self.now, target) {
                self.remember(now);
            }
            return true;
        }
        if self.context.iter().any(|e| e.uid == uid) {
            if let Some(now) = self.now.take() {
                self.remember(now);
            }
            while let Some(entry) = self.context.pop_front() {
                if entry.uid == uid {
                    self.now = Some(entry);
                    break;
                }
                self.remember(entry);
            }
            return true;
        }
        if !self.history.iter().any(|e| e.uid == uid) {
            return false;
        }
        while self.now.as_ref().is_none_or(|e| e.uid != uid) && self.previous().is_some() {}
        true
    }

    /// Takes entries out. The current one stays: skip it instead.
    pub fn remove(&mut self, uids: &[u64]) {
        let (rows, first) = self.named(uids);
        self.edit(Edited::Removed(rows, first), |queue| queue.drop_entries(uids));
    }

    /// Takes entries out that cannot be played: nothing that the listener did.
    pub fn drop_entries(&mut self, uids: &[u64]) {
        let uids: HashSet<u64> = uids.iter().copied().collect();
        for list in [&mut self.history, &mut self.up_next, &mut self.context] {
            list.retain(|e| !uids.contains(&e.uid));
        }
    }

    /// How many of these entries can be moved or taken out, and the title of the first.
    fn named(&self, uids: &[u64]) -> (usize, String) {
        let uids: HashSet<u64> = uids.iter().copied().collect();
        let rows = self.history.iter().chain(&self.up_next).chain(&self.context);
        let mut rows = rows.filter(|e| uids.contains(&e.uid)).map(|e| &e.track);
        let first = title(rows.next());
        (rows.count() + usize::from(!first.is_empty()), first)
    }

    /// Moves entries that are to come, as one block in their present order, by `by` rows (negative: sooner). A
    /// block that crosses the border between the listener's queue and the context changes sides.
    pub fn shift(&mut self, uids: &[u64], by: isize) {
        let (rows, first) = self.named(uids);
        self.edit(Edited::Moved(rows, first), |queue| queue.move_block(uids, by));
    }

    fn move_block(&mut self, uids: &[u64], by: isize) {
        let uids: HashSet<u64> = uids.iter().copied().collect();
        let border = self.up_next.len();
        let all: Vec<Entry> = self.up_next.drain(..).chain(self.context.drain(..)).collect();
        let first = all.iter().position(|e| uids.contains(&e.uid));
        let from_context = first.is_some_and(|at| at >= border);
        let (block, mut rest): (Vec<Entry>, Vec<Entry>) =
            all.into_iter().partition(|e| uids.contains(&e.uid));
        let moved_from_queue = block.iter().filter(|e| e.place.is_none()).count();
        let border = border - moved_from_queue.min(border);
        let target = first.unwrap_or(0).saturating_add_signed(by).min(rest.len());
        let joins_queue = target < border || (target == border && !from_context);
        let border = if joins_queue { border + block.len() } else { border };
        rest.splice(target..target, block);
        let context = rest.split_off(border.min(rest.len()));
        self.up_next = rest.into();
        self.context = context.into();
        for entry in &mut self.up_next {
            entry.place = None;
        }
        let end = self.source.len();
        for entry in &mut self.context {
            entry.place.get_or_insert(end);
        }
    }

    /// Forgets what the listener queued by hand.
    pub fn clear_up_next(&mut self) {
        self.edit(Edited::Cleared(self.up_next.len()), |queue| queue.up_next.clear());
    }

    /// Shuffles the rest of the context, or puts it back into its own order, beginning after the current entry.
    pub fn set_shuffle(&mut self, on: bool, seed: u64) {
        self.edit(Edited::Shuffled(on), |queue| queue.order_anew(on, seed));
    }

    fn order_anew(&mut self, on: bool, seed: u64) {
        self.shuffle = on;
        let mut rest: Vec<Entry> = self.context.drain(..).collect();
        if on {
            rest = self.shuffled_anew(rest, seed);
        } else {
            let here = self.now.as_ref().and_then(|e| e.place);
            rest.sort_by_key(|e| (here.is_some_and(|h| e.place.is_some_and(|p| p < h)), e.place));
        }
        self.context = rest.into();
    }

    /// Sets what happens at the end.
    pub fn set_repeat(&mut self, repeat: Repeat) {
        self.repeat = repeat;
    }

    /// What happens at the end.
    pub fn repeat(&self) -> Repeat {
        self.repeat
    }

    /// Whether the context is shuffled.
    pub fn shuffled(&self) -> bool {
        self.shuffle
    }

    /// Everything as a screen shows it.
    pub fn view(&self) -> QueueView {
        QueueView {
            history: self.history.iter().cloned().collect(),
            now: self.now.clone(),
            up_next: self.up_next.iter().cloned().collect(),
            context: self.context.iter().cloned().collect(),
            context_name: self.name.clone(),
            repeat: self.repeat,
            shuffle: self.shuffle,
            undo: self.past.undo_mark(),
            redo: self.past.redo_mark(),
        }
    }

    /// What a later start needs to stand where this queue stands; tracks are named by id.
    pub fn save(&self) -> SavedQueue {
        let ids = |list: &VecDeque<Entry>| list.iter().map(SavedEntry::of).collect();
        SavedQueue {
            history: ids(&self.history),
            now: self.now.as_ref().map(SavedEntry::of),
            up_next: ids(&self.up_next),
            context: ids(&self.context),
            source: self.source.iter().map(|t| t.id.as_str().to_owned()).collect(),
            name: self.name.clone(),
            repeat: self.repeat,
            shuffle: self.shuffle,
        }
    }

    /// A queue as it was saved; entries whose track `find` does not know any more are left out.
    pub fn restore(saved: &SavedQueue, find: impl Fn(&str) -> Option<Arc<Track>>) -> Self {
        let mut queue =
            Self { name: saved.name.clone(), repeat: saved.repeat, shuffle: saved.shuffle, ..Self::new() };
        let mut entries = |list: &[SavedEntry]| -> VecDeque<Entry> {
            let known = list.iter().filter_map(|s| Some((find(&s.id)?, s)));
            known
                .map(|(track, s)| Entry { begun: s.begun, ..queue.entry(track, s.place) })
                .collect::<Vec<_>>()
                .into()
        };
        let history = entries(&saved.history);
        let now = saved.now.as_ref().and_then(|now| entries(std::slice::from_ref(now)).pop_front());
        let (up_next, context) = (entries(&saved.up_next), entries(&saved.context));
        let source = saved.source.iter().filter_map(|id| find(id)).collect();
        Self { history, now, up_next, context, source, ..queue }
    }
}

fn title(track: Option<&Arc<Track>>) -> String {
    track.map(|track| track.title.clone()).unwrap_or_default()
}

fn of_one_album(a: &Track, b: &Track) -> bool {
    a.id != b.id && a.album_id.is_some() && a.album_id == b.album_id
}

/// A queue on disk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedQueue {
    history: Vec<SavedEntry>,
    now: Option<SavedEntry>,
    up_next: Vec<SavedEntry>,
    context: Vec<SavedEntry>,
    source: Vec<String>,
    name: String,
    repeat: Repeat,
    shuffle: bool,
}

impl SavedQueue {
    /// A queue that is told by its entries in the order in which they are heard: the one at `current` plays, `up_next` after it were
    /// queued by hand, the rest is the context.
    pub fn laid_out(ids: &[String], current: usize, up_next: usize, view: &QueueView) -> Self {
        let entry = |id: &String, place, begun| SavedEntry { id: id.clone(), place, begun };
        let (before, rest) = ids.split_at(current.min(ids.len()));
        let (now, rest) = rest.split_first().map_or((None, rest), |(now, rest)| (Some(now), rest));
        let (next, context) = rest.split_at(up_next.min(rest.len()));
        let places = before.len() + usize::from(now.is_some());
        Self {
            history: before.iter().enumerate().map(|(i, id)| entry(id, Some(i), true)).collect(),
            now: now.map(|id| entry(id, Some(before.len()), false)),
            up_next: next.iter().map(|id| entry(id, None, false)).collect(),
            context: context.iter().enumerate().map(|(i, id)| entry(id, Some(places + i), false)).collect(),
            source: before.iter().chain(now).chain(context).cloned().collect(),
            name: view.context_name.clone(),
            repeat: view.repeat,
            shuffle: view.shuffle,
        }
    }

    /// Ids of all tracks that it names, some of them several times.
    pub fn track_ids(&self) -> impl Iterator<Item = &str> {
        let entries = self.history.iter().chain(&self.now).chain(&self.up_next).chain(&self.context);
        entries.map(|e| e.id.as_str()).chain(self.source.iter().map(String::as_str))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedEntry {
    id: String,
    place: Option<usize>,
    begun: bool,
}

impl SavedEntry {
    fn of(entry: &Entry) -> Self {
        Self { id: entry.track.id.as_str().to_owned(), place: entry.place, begun: entry.begun }
    }
}

#[cfg(test)]
mod tests;
