//! What can be taken back: edits of the queue and of playlists in one line.
//!
//! The player remembers what was done to its queue and says so with a number; here only the order of these numbers
//! among the edits of playlists is kept.

use crate::music::PlaylistId;
use crate::player::{Edited, QueueView};
use crate::tui::effects::PlaylistStep;
use crate::tui::text;

/// Steps that are remembered.
const STEPS: usize = 200;

/// One edit.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// An edit of the queue, by the player's number.
    Queue(u64),
    /// A change of a playlist.
    Playlist(Box<PlaylistStep>),
}

/// Edits that can be taken back and done again, the nearest last.
#[derive(Debug, Default)]
pub(crate) struct Undoing {
    done: Vec<Step>,
    undone: Vec<Step>,
    /// The last edit of the queue that was seen.
    seen: u64,
}

impl Undoing {
    /// Remembers an edit; what had been taken back before cannot be done again any more.
    pub(crate) fn push(&mut self, step: Step) {
        self.undone.clear();
        self.done.push(step);
        if self.done.len() > STEPS {
            self.done.remove(0);
        }
    }

    /// Takes note of edits of the queue, wherever they were asked for.
    pub(crate) fn watch(&mut self, queue: &QueueView) {
        let Some(last) = queue.undo.as_ref().map(|mark| mark.id) else { return };
        while self.seen < last {
            self.seen = (self.seen + 1).max(last.saturating_sub(STEPS as u64));
            self.push(Step::Queue(self.seen));
        }
    }

    /// The edit to take back.
    pub(crate) fn undo(&mut self) -> Option<Step> {
        let step = self.done.pop()?;
        self.undone.push(step.clone());
        Some(step)
    }

    /// A playlist is called otherwise from now on.
    pub(crate) fn rename(&mut self, from: &PlaylistId, to: &PlaylistId) {
        for step in self.done.iter_mut().chain(&mut self.undone) {
            if let Step::Playlist(step) = step
                && step.id == *from
            {
                step.id = to.clone();
            }
        }
    }

    /// The edit to do again.
    pub(crate) fn redo(&mut self) -> Option<Step> {
        let step = self.undone.pop()?;
        self.done.push(step.clone());
        Some(step)
    }
}

/// An edit of the queue in words.
pub(crate) fn in_words(what: &Edited) -> String {
    let rows = |n: usize, title: &str| match n {
        1 => format!("“{}”", text::clean(title)),
        n => text::count(n as u64, "track"),
    };
    match what {
        Edited::Played(name) if name.is_empty() => "playing something else".to_owned(),
        Edited::Played(name) => format!("playing “{}”", text::clean(name)),
        Edited::Queued(n, title, false) => format!("putting {} up next", rows(*n, title)),
        Edited::Queued(n, title, true) => format!("letting {} play next", rows(*n, title)),
        Edited::Removed(n, title) => format!("taking {} out", rows(*n, title)),
        Edited::Moved(n, title) => format!("moving {}", rows(*n, title)),
        Edited::Cleared(n) => format!("emptying up next of {}", text::count(*n as u64, "track")),
        Edited::Shuffled(true) => "shuffling".to_owned(),
        Edited::Shuffled(false) => "putting in order".to_owned(),
    }
}
