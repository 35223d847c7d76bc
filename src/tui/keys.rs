//! From single keys to actions: counts, sequences, and the moment of waiting between them.
//!
//! Digits first: they may be a count (`12j`) or, one alone, a binding of their own (`2`). So a digit waits for
//! the next key or for the time-out. Then the keys of a sequence are collected until they are a binding, the
//! beginning of none, or the time-out decides for the shorter of two.

use crossterm::event::{KeyCode, KeyModifiers};

use super::action::Action;
use super::keymap::{Found, Key, Keymap, Layer};

/// How long a key waits for a companion, in ms.
pub(crate) const WAIT_MS: u64 = 400;

/// Counts above this are no use to anybody and only slow things down.
const MAX_COUNT: usize = 1_000_000;

/// What was typed and is not yet an action.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    count: Option<usize>,
    /// Where the count is one digit that is bound itself: what to do when nothing follows.
    digit: Option<Key>,
    sequence: Vec<Key>,
    /// Whether nothing followed for a while: then a menu shows what may.
    lingers: bool,
    /// Tells time-outs that are still wanted from those that are not.
    stamp: u64,
}

/// An action to carry out, with the count typed before it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) action: Action,
    pub(crate) count: Option<usize>,
}

/// What came of a key.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// To be carried out, in this order.
    pub(crate) actions: Vec<Typed>,
    /// Ask for `expire` with this stamp after `WAIT_MS`.
    pub(crate) wait: Option<u64>,
    /// The key belongs to no sequence.
    pub(crate) unknown: bool,
}

impl Keys {
    /// Takes one key.
    pub(crate) fn press(&mut self, key: Key, layer: Layer, map: &Keymap) -> Outcome {
        self.stamp += 1;
        let mut outcome = Outcome::default();
        if self.sequence.is_empty() && !matches!(layer, Layer::Typing) && self.collect(key, layer, map) {
            outcome.wait = self.digit.map(|_| self.stamp);
            return outcome;
        }
        self.sequence.push(key);
        match map.find(layer, &self.sequence) {
            Found::Bound(_, true) | Found::Prefix => outcome.wait = Some(self.stamp),
            Found::Bound(binding, false) => {
                let (action, counted) = (binding.action.clone(), binding.spec.counted);
                outcome.actions = self.take(action, counted, layer, map);
            }
            Found::Nothing => {
                outcome.unknown = true;
                self.clear();
            }
        }
        outcome
    }

    /// The time-out with this stamp is over.
    pub(crate) fn expire(&mut self, stamp: u64, layer: Layer, map: &Keymap) -> Vec<Typed> {
        if stamp != self.stamp {
            return Vec::new();
        }
        if self.sequence.is_empty() {
            let digit = self.digit.take();
            self.count = None;
            return digit.map(|key| bound(key, layer, map)).unwrap_or_default();
        }
        match map.find(layer, &self.sequence) {
            Found::Bound(binding, _) => {
                let (action, counted) = (binding.action.clone(), binding.spec.counted);
                self.take(action, counted, layer, map)
            }
            Found::Prefix => {
                self.lingers = true;
                Vec::new()
            }
            Found::Nothing => Vec::new(),
        }
    }

    /// Whether the keys typed so far have waited for a while.
    pub(crate) fn lingers(&self) -> bool {
        self.lingers
    }

    /// Forgets what was typed.
    pub(crate) fn clear(&mut self) {
        self.count = None;
        self.digit = None;
        self.sequence.clear();
        self.lingers = false;
    }

    /// The sequence so far.
    pub(crate) fn pending(&self) -> &[Key] {
        &self.sequence
    }

    /// The count so far.
    pub(crate) fn count(&self) -> Option<usize> {
        self.count
    }

    fn collect(&mut self, key: Key, layer: Layer, map: &Keymap) -> bool {
        let (KeyCode::Char(c), KeyModifiers::NONE) = (key.code, key.held) else { return false };
        let Some(digit) = c.to_digit(10) else { return false };
        if digit == 0 && self.count.is_none() {
            return false;
        }
        let first = self.count.is_none();
        let bound = matches!(map.find(layer, &[key]), Found::Bound(..));
        self.digit = (first && bound).then_some(key);
        self.count = Some((self.count.unwrap_or(0) * 10 + digit as usize).min(MAX_COUNT));
        true
    }

    fn take(&mut self, action: Action, counted: bool, layer: Layer, map: &Keymap) -> Vec<Typed> {
        let (count, digit) = (self.count, self.digit);
        self.clear();
        if counted {
            return vec![Typed { action, count }];
        }
        // "4" and then "x" were two wishes.
        let mut actions = digit.map(|key| bound(key, layer, map)).unwrap_or_default();
        actions.push(Typed { action, count: None });
        actions
    }
}

fn bound(key: Key, layer: Layer, map: &Keymap) -> Vec<Typed> {
    match map.find(layer, &[key]) {
        Found::Bound(binding, _) => vec![Typed { action: binding.action.clone(), count: None }],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keymap::VIM;
    use super::super::state::Screen;
    use super::*;

    fn type_keys(keys: &str) -> (Vec<Typed>, Keys, Keymap, Option<u64>) {
        let map = Keymap::from_toml(VIM).unwrap();
        let (mut typed, mut actions, mut wait) = (Keys::default(), Vec::new(), None);
        for key in keys.split(' ') {
            let outcome = typed.press(Key::parse(key).unwrap(), Layer::Queue, &map);
            actions.extend(outcome.actions);
            wait = outcome.wait;
        }
        (actions, typed, map, wait)
    }

    #[test]
    fn a_digit_is_a_count_before_a_motion() {
        assert_eq!(type_keys("1 2 j").0, [Typed { action: Action::Down, count: Some(12) }]);
        assert_eq!(type_keys("4 G").0, [Typed { action: Action::Bottom, count: Some(4) }]);
    }

    #[test]
    fn a_digit_alone_is_a_screen_after_a_moment() {
        let (actions, mut typed, map, wait) = type_keys("2");
        assert!(actions.is_empty());
        let late = typed.expire(wait.unwrap(), Layer::Queue, &map);
        assert_eq!(late, [Typed { action: Action::Go(Screen::Library), count: None }]);
        assert_eq!(typed.expire(wait.unwrap(), Layer::Queue, &map), []);
    }

    #[test]
    fn a_digit_before_what_takes_no_count_is_two_wishes() {
        let actions: Vec<Action> = type_keys("2 m").0.into_iter().map(|t| t.action).collect();
        assert_eq!(actions, [Action::Go(Screen::Library), Action::Mute]);
    }

    #[test]
    fn sequences_wait_and_forget() {
        assert_eq!(type_keys("* 3").0, [Typed { action: Action::Rate(3), count: None }]);
        let (actions, typed, _, wait) = type_keys("g");
        assert!(actions.is_empty() && wait.is_some() && typed.pending().len() == 1);
        let (actions, typed, ..) = type_keys("g x");
        assert!(actions.is_empty() && typed.pending().is_empty());
    }

    #[test]
    fn a_late_time_out_does_nothing() {
        let (_, mut typed, map, wait) = type_keys("2");
        typed.press(Key::parse("j").unwrap(), Layer::Queue, &map);
        assert_eq!(typed.expire(wait.unwrap(), Layer::Queue, &map), []);
    }
}
