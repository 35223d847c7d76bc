//! What lies over or beside a screen: the help, the line at the bottom, notices.

use std::collections::VecDeque;

use unicode_segmentation::UnicodeSegmentation;

/// The help, scrolled by so many lines.
#[derive(Debug, Default)]
pub(crate) struct Help {
    pub(crate) top: usize,
    /// Only lines with these words are shown.
    pub(crate) filter: String,
}

/// Under this name command lines are kept for the next start.
pub const KEPT_HISTORY: &str = "tui.history";

/// Command lines that were carried out, the newest last.
#[derive(Debug, Default)]
pub(crate) struct History(Vec<String>);

impl History {
    /// Lines that are remembered.
    const MAX: usize = 100;

    /// Lines as they were kept: one in each row.
    pub(crate) fn read(kept: &str) -> Self {
        let mut history = Self::default();
        for line in kept.lines().filter(|line| !line.trim().is_empty()) {
            history.push(line);
        }
        history
    }

    /// The lines as they are kept.
    pub(crate) fn written(&self) -> String {
        self.0.join("\n")
    }

    /// Remembers a line; the same line before is forgotten.
    pub(crate) fn push(&mut self, line: &str) {
        self.0.retain(|old| old != line);
        self.0.push(line.to_owned());
        if self.0.len() > Self::MAX {
            self.0.remove(0);
        }
    }

    /// Lines that begin with `stem`, the newest first.
    pub(crate) fn like(&self, stem: &str) -> Vec<&str> {
        self.0.iter().rev().map(String::as_str).filter(|line| line.starts_with(stem)).collect()
    }
}

/// What is being typed at the bottom.
#[derive(Debug)]
pub(crate) enum Prompt {
    /// A command after `:`.
    Command {
        /// What stands there.
        input: Input,
        /// The completion that is chosen, if Tab was pressed.
        chosen: Option<usize>,
        /// What was typed before Tab.
        stem: String,
        /// How many lines of the history were gone back, 0 for none.
        back: usize,
    },
    /// Words after `/`.
    Filter(Input),
    /// Letters that lead somewhere in a list.
    Jump(Input),
    /// A password.
    Secret(super::Secret, Input),
}

impl Prompt {
    /// A command line with this written.
    pub(crate) fn command(text: &str) -> Self {
        Self::Command { input: Input { text: text.to_owned() }, chosen: None, stem: text.to_owned(), back: 0 }
    }

    /// Whether nothing was typed yet.
    pub(crate) fn is_empty(&self) -> bool {
        let (Self::Command { input, .. } | Self::Filter(input) | Self::Jump(input) | Self::Secret(_, input)) =
            self;
        input.text.is_empty()
    }
}

/// A line of text being typed; the cursor is at its end.
#[derive(Debug, Default, Clone)]
pub(crate) struct Input {
    pub(crate) text: String,
}

impl Input {
    /// Longest line that is taken, in bytes.
    const MAX: usize = 400;

    pub(crate) fn push(&mut self, c: char) {
        if !c.is_control() && self.text.len() < Self::MAX {
            self.text.push(c);
        }
    }

    /// Takes pasted text, line breaks as spaces.
    pub(crate) fn paste(&mut self, text: &str) {
        for c in crate::music::printable(text).chars() {
            self.push(c);
        }
    }

    /// Takes the last character away, as a listener counts characters.
    pub(crate) fn pop(&mut self) {
        let end = self.text.grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
        self.text.truncate(end);
    }

    /// Takes everything away.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
    }

    /// Takes the last word away.
    pub(crate) fn pop_word(&mut self) {
        let kept = self.text.trim_end();
        let end = kept.rfind(' ').map_or(0, |at| at + 1);
        self.text.truncate(end);
    }
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Something was done.
    Done,
    /// Something is not as it should be.
    Trouble,
}

/// One line for the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) id: u64,
    pub(crate) weight: Weight,
    pub(crate) text: String,
}

/// Lines that wait to be read. One is shown at a time, the newest first; those in `standing` are about something
/// that lasts, and come back when they say something else.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    passing: VecDeque<Notice>,
    standing: Vec<(Standing, String, bool)>,
    next: u64,
}

/// What was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dismissed {
    /// There was nothing.
    Nothing,
    /// A line that would have gone by itself.
    Passing,
    /// A line about something that lasts.
    Standing(Standing),
}

/// Causes that last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No sound comes out.
    Output,
    /// The session has a problem.
    Session,
}

impl Standing {
    /// Stands for the cause where notices have ids; theirs count from 1.
    pub(crate) const fn id(self) -> u64 {
        match self {
            Self::Output => u64::MAX,
            Self::Session => u64::MAX - 1,
        }
    }
}

impl Notices {
    /// How long a passing notice stays, in ms.
    pub(crate) const STAY_MS: u64 = 6_000;
    /// How long a lasting one stays in sight, in ms: long enough to be read by whoever looks up late.
    pub(crate) const STAND_MS: u64 = 30_000;
    const MAX: usize = 8;

    /// Shows a line for a while; its id is for `expire`.
    pub(crate) fn pass(&mut self, weight: Weight, text: String) -> u64 {
        self.next += 1;
        self.passing.retain(|old| old.text != text);
        self.passing.push_back(Notice { id: self.next, weight, text });
        if self.passing.len() > Self::MAX {
            self.passing.pop_front();
        }
        self.next
    }

    /// Whatever was only told is taken as read.
    pub(crate) fn read(&mut self) {
        self.passing.retain(|notice| notice.weight == Weight::Trouble);
    }

    /// A notice has been there long enough.
    pub(crate) fn expire(&mut self, id: u64) -> bool {
        if let Some((_, _, dismissed)) = self.standing.iter_mut().find(|(cause, ..)| cause.id() == id) {
            *dismissed = true;
            return true;
        }
        let before = self.passing.len();
        self.passing.retain(|notice| notice.id != id);
        before != self.passing.len()
    }

    /// Sets or clears a lasting line. A dismissed one comes back only when it says something else.
    pub(crate) fn stand(&mut self, cause: Standing, text: Option<String>) -> bool {
        let old = self.standing.iter().position(|(c, ..)| *c == cause);
        match (old, text) {
            (Some(at), None) => {
                self.standing.remove(at);
                true
            }
            (Some(at), Some(text)) if self.standing.get(at).is_some_and(|s| s.1 != text) => {
                self.standing.remove(at);
                self.standing.push((cause, text, false));
                true
            }
            (None, Some(text)) => {
                self.standing.push((cause, text, false));
                true
            }
            _ => false,
        }
    }

    /// Takes away what is shown.
    pub(crate) fn dismiss(&mut self) -> Dismissed {
        if self.passing.pop_back().is_some() {
            return Dismissed::Passing;
        }
        match self.standing.iter_mut().rev().find(|(_, _, dismissed)| !dismissed) {
            Some((cause, _, dismissed)) => {
                *dismissed = true;
                Dismissed::Standing(*cause)
            }
            None => Dismissed::Nothing,
        }
    }

    /// The line to show.
    pub(crate) fn shown(&self) -> Option<(Weight, &str)> {
        let passing = self.passing.back().map(|n| (n.weight, n.text.as_str()));
        let standing = self.standing.iter().rev().find(|(_, _, dismissed)| !dismissed);
        passing.or(standing.map(|(_, text, _)| (Weight::Trouble, text.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dismissed_notice_comes_back_only_with_something_new() {
        let mut notices = Notices::default();
        assert!(notices.stand(Standing::Output, Some("no device".into())));
        assert_eq!(notices.dismiss(), Dismissed::Standing(Standing::Output));
        assert!(!notices.stand(Standing::Output, Some("no device".into())));
        assert_eq!(notices.shown(), None);
        assert!(notices.stand(Standing::Output, Some("unplugged".into())));
        assert_eq!(notices.shown(), Some((Weight::Trouble, "unplugged")));
    }

    #[test]
    fn passing_notices_cover_standing_ones_and_go() {
        let mut notices = Notices::default();
        notices.stand(Standing::Session, Some("wrong key".into()));
        let id = notices.pass(Weight::Done, "added".into());
        assert_eq!(notices.shown(), Some((Weight::Done, "added")));
        assert!(notices.expire(id) && !notices.expire(id));
        assert_eq!(notices.shown(), Some((Weight::Trouble, "wrong key")));
    }

    #[test]
    fn deleting_takes_whole_characters_and_words() {
        let mut input = Input::default();
        input.paste("björk e\u{301}");
        input.pop();
        assert_eq!(input.text, "björk ");
        input.pop_word();
        assert_eq!(input.text, "");
        input.pop();
    }
}
