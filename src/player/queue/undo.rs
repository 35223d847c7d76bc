//! What the listener did to the queue, to be taken back and done again.
//!
//! Every edit leaves the order from before it. Taking it back does not turn the clock back: what was heard meanwhile
//! stays heard, and what plays goes on playing, unless it plays because of the very edit. Where nothing moved on in
//! between, the queue is exactly as it was.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::{Entry, Queue};
use crate::music::Track;

/// Edits that are remembered.
const EDITS: usize = 100;
/// Rows that they may hold together, so that large queues do not fill the memory.
const ROWS: usize = 200_000;

/// An edit in the words of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// Another context was begun, under this name.
    Played(String),
    /// Tracks were queued: how many, the title of the first, whether before all others.
    Queued(usize, String, bool),
    /// Rows were taken out: how many, the title of the first.
    Removed(usize, String),
    /// Rows were moved: how many, the title of the first.
    Moved(usize, String),
    /// What was queued by hand was forgotten: how many rows.
    Cleared(usize),
    /// Shuffle went on or off.
    Shuffled(bool),
}

/// An edit that can be taken back or done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditMark {
    /// Counts all edits of this queue; the same when it is done again.
    pub id: u64,
    /// What it was.
    pub what: Edited,
}

/// An edit was taken back or done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// What it was.
    pub what: Edited,
    /// Where to go on in what plays now, in ms, when that is another entry than before.
    pub starts_at: Option<u64>,
}

/// Everything that edits change.
#[derive(Debug, Clone, Default)]
struct Order {
    history: VecDeque<Entry>,
    now: Option<Entry>,
    up_next: VecDeque<Entry>,
    context: VecDeque<Entry>,
    source: Vec<Arc<Track>>,
    name: String,
    shuffle: bool,
    /// Position in `now`, ms.
    at_ms: u64,
}

impl Order {
    fn rows(&self) -> usize {
        self.history.len() + self.up_next.len() + self.context.len() + self.source.len()
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.history.iter().chain(&self.now).chain(&self.up_next).chain(&self.context)
    }
}

/// One edit and the order on its other side.
#[derive(Debug, Clone)]
struct Edit {
    id: u64,
    what: Edited,
    /// Uids of the entries that it made: after the first, up to the second.
    made: (u64, u64),
    other: Order,
}

/// Edits that can be taken back, and those that can be done again; the nearest last.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    done: VecDeque<Edit>,
    undone: Vec<Edit>,
    last_id: u64,
    /// Where the present entry is, ms, as far as the player told.
    at_ms: u64,
}

impl Past {
    fn mark(edit: Option<&Edit>) -> Option<EditMark> {
        edit.map(|edit| EditMark { id: edit.id, what: edit.what.clone() })
    }

    pub(super) fn undo_mark(&self) -> Option<EditMark> {
        Self::mark(self.done.back())
    }

    pub(super) fn redo_mark(&self) -> Option<EditMark> {
        Self::mark(self.undone.last())
    }

    fn keep(&mut self, edit: Edit) {
        self.done.push_back(edit);
        while self.done.len() > EDITS
            || (self.done.len() > 1 && self.done.iter().map(|e| e.other.rows()).sum::<usize>() > ROWS)
        {
            self.done.pop_front();
        }
    }
}

impl Queue {
    /// Says how far the present entry was heard, ms, so that it can be gone back to.
    pub fn at(&mut self, position_ms: u64) {
        self.past.at_ms = position_ms;
    }

    /// Takes the last edit back.
    pub fn undo(&mut self) -> Option<Undone> {
        let edit = self.past.done.pop_back()?;
        let (edit, undone) = self.turn(edit);
        self.past.undone.push(edit);
        Some(undone)
    }

    /// Does again what was taken back last.
    pub fn redo(&mut self) -> Option<Undone> {
        let edit = self.past.undone.pop()?;
        let (edit, undone) = self.turn(edit);
        self.past.keep(edit);
        Some(undone)
    }

    /// Remembers an edit that is being made by `change`; one that changes nothing is none.
    pub(super) fn edit(&mut self, what: Edited, change: impl FnOnce(&mut Self)) {
        let before = self.order();
        let first = self.last_uid;
        change(self);
        let same = !matches!(what, Edited::Played(_))
            && before.shuffle == self.shuffle
            && before.entries().map(|e| (e.uid, e.place)).eq(self.rows().map(|e| (e.uid, e.place)));
        if !same {
            self.past.undone.clear();
            self.past.last_id += 1;
            let id = self.past.last_id;
            self.past.keep(Edit { id, what, made: (first, self.last_uid), other: before });
        }
    }

    fn rows(&self) -> impl Iterator<Item = &Entry> {
        self.history.iter().chain(&self.now).chain(&self.up_next).chain(&self.context)
    }

    fn order(&self) -> Order {
        Order {
            history: self.history.clone(),
            now: self.now.clone(),
            up_next: self.up_next.clone(),
            context: self.context.clone(),
            source: self.source.clone(),
            name: self.name.clone(),
            shuffle: self.shuffle,
            at_ms: self.past.at_ms,
        }
    }

    /// Goes to the other side of an edit; gives the edit with the side that was left.
    fn turn(&mut self, mut edit: Edit) -> (Edit, Undone) {
        let plays = matches!(edit.what, Edited::Played(_));
        let before = self.now.as_ref().map(|now| now.uid);
        let left = self.order();
        let starts_at = edit.other.at_ms;
        self.adopt(std::mem::replace(&mut edit.other, left), plays, edit.made);
        let changed = self.now.as_ref().map(|now| now.uid) != before;
        let what = edit.what.clone();
        (edit, Undone { what, starts_at: changed.then_some(starts_at) })
    }

    /// Takes this order, but leaves in place what moved on by itself since it was the present one.
    fn adopt(&mut self, to: Order, plays: bool, made: (u64, u64)) {
        let is_made = |entry: &Entry| entry.uid > made.0 && entry.uid <= made.1;
        let (history, now, up_next, context) = (
            std::mem::take(&mut self.history),
            self.now.take(),
            std::mem::take(&mut self.up_next),
            std::mem::take(&mut self.context),
        );
        let begun: HashMap<u64, bool> =
            history.iter().chain(&now).chain(&up_next).chain(&context).map(|e| (e.uid, e.begun)).collect();
        let known: HashSet<u64> = to.entries().map(|e| e.uid).collect();
        let behind: HashSet<u64> = to.history.iter().chain(&to.now).map(|e| e.uid).collect();
        let heard: HashSet<u64> = history.iter().map(|e| e.uid).collect();
        let went_on = history.len() > to.history.len();
        let goes = plays || now.as_ref().is_none_or(|now| is_made(now) && !now.begun && !went_on);
        let present =
            if goes { to.now.clone().filter(|e| plays || !heard.contains(&e.uid)) } else { now.clone() };
        let present_uid = present.as_ref().map(|e| e.uid);
        // Gone back to since: to come again, though `to` has it behind.
        let again = |list: &VecDeque<Entry>| -> Vec<Entry> {
            list.iter().filter(|e| behind.contains(&e.uid) && Some(e.uid) != present_uid).cloned().collect()
        };
        let (next_again, context_again) = (again(&up_next), again(&context));
        let mut placed: HashSet<u64> =
            next_again.iter().chain(&context_again).map(|e| e.uid).chain(present_uid).collect();
        let mut past: VecDeque<Entry> =
            to.history.iter().filter(|e| !placed.contains(&e.uid)).cloned().collect();
        placed.extend(past.iter().map(|e| e.uid));
        for entry in history {
            let stays = known.contains(&entry.uid) || entry.begun || entry.uid > made.1;
            if stays && placed.insert(entry.uid) {
                past.push_back(entry);
            }
        }
        // What stood at the turn and is neither present, nor heard, nor to come was heard too long ago to be kept.
        let ahead = |first: Vec<Entry>, list: VecDeque<Entry>| -> VecDeque<Entry> {
            first.into_iter().chain(list.into_iter().filter(|e| !placed.contains(&e.uid))).collect()
        };
        self.up_next = ahead(next_again, to.up_next);
        self.context = ahead(context_again, to.context);
        // A context that began anew meanwhile.
        self.context.extend(context.into_iter().filter(|e| e.uid > made.1 && !known.contains(&e.uid)));
        self.history = past;
        while self.history.len() > super::HISTORY {
            self.history.pop_front();
        }
        self.now = present;
        for list in [&mut self.history, &mut self.up_next, &mut self.context] {
            for entry in list {
                entry.begun = begun.get(&entry.uid).copied().unwrap_or(entry.begun);
            }
        }
        (self.source, self.name, self.shuffle) = (to.source, to.name, to.shuffle);
    }
}
