//! A list to choose from by a few letters: the palette, the menu of a row, the themes, the playlists.
//!
//! What stands in it are `Offer`s: commands as the `:` line takes them, with their keys. What is typed narrows them
//! by fuzzy match, the best first; choosing one carries its command out, or goes on to the `:` line where the
//! command takes words that only the listener knows.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::{Input, Scroll};
use crate::music::Playlist;
use crate::tui::action::{self, Group, Takes};
use crate::tui::effects::Place;
use crate::tui::keymap::{Keymap, Layer};
use crate::tui::state::Screen;

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Any action.
    Palette,
    /// Something to do with the selected row.
    Row,
    /// A theme; shown while the cursor is on it.
    Theme,
    /// A playlist to add to; what is typed can become a new one.
    Playlist,
    /// A player that the music can go to.
    Place,
}

impl Choice {
    /// What the field asks for while it is empty.
    pub(crate) const fn prompt(self) -> &'static str {
        match self {
            Self::Palette => "Any action",
            Self::Row => "What to do with it",
            Self::Theme => "A theme",
            Self::Playlist => "Add to a playlist; a new name makes one",
            Self::Place => "Play on…",
        }
    }
}

/// One thing to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The command, as it is written after `:`.
    pub(crate) command: String,
    /// What is shown for it.
    pub(crate) name: String,
    /// What it does.
    pub(crate) about: String,
    /// Its keys, empty where it has none.
    pub(crate) keys: String,
    /// Whether the listener has to write on after the command.
    pub(crate) open: bool,
}

/// The list, the words that narrow it and the cursor.
#[derive(Debug)]
pub(crate) struct Picker {
    pub(crate) choice: Choice,
    pub(crate) input: Input,
    pub(crate) scroll: Scroll,
    offers: Vec<Offer>,
    /// Places in `offers`, the best first.
    shown: Vec<usize>,
    /// What to go back to when nothing is chosen.
    pub(crate) before: String,
}

impl Picker {
    /// A list of these.
    pub(crate) fn new(choice: Choice, offers: Vec<Offer>) -> Self {
        let shown = (0..offers.len()).collect();
        Self {
            choice,
            input: Input::default(),
            scroll: Scroll::default(),
            offers,
            shown,
            before: String::new(),
        }
    }

    /// Every action, with the words that it takes.
    pub(crate) fn palette(map: &Keymap, layer: Layer) -> Self {
        Self::new(Choice::Palette, offers(map, layer, |_| true))
    }

    /// What can be done with a row of this screen.
    pub(crate) fn row(map: &Keymap, screen: Screen) -> Self {
        let here = |spec: &action::Spec| {
            let group =
                spec.group == Group::Selection || (spec.group == Group::Queue && !spec.screens.is_empty());
            group && spec.on(screen) && spec.name != "row-menu"
        };
        Self::new(Choice::Row, offers(map, screen.layer(), here))
    }

    /// Every theme with what it says of itself.
    pub(crate) fn themes(themes: &[(String, String)]) -> Self {
        let offers = themes.iter().map(|(name, about)| Offer {
            command: format!("theme {name}"),
            name: name.clone(),
            about: about.clone(),
            keys: String::new(),
            open: false,
        });
        Self::new(Choice::Theme, offers.collect())
    }

    /// Players that the music can go to; the cursor is on the one where it is.
    pub(crate) fn places(places: &[Place]) -> Self {
        let mut picker = Self::new(Choice::Place, Vec::new());
        picker.offer_places(places);
        picker.scroll.cursor = places.iter().position(|place| place.chosen).unwrap_or(0);
        picker
    }

    /// Takes over what players do by now; the cursor stays on the same one, and the words stay.
    pub(crate) fn offer_places(&mut self, places: &[Place]) {
        let offers = places.iter().map(|place| Offer {
            command: format!("device {}", place.id),
            name: place.name.clone(),
            about: crate::tui::text::clean(&place.about),
            keys: if place.chosen { "now".to_owned() } else { String::new() },
            open: false,
        });
        let on = self.selected().map(|offer| offer.command.clone());
        self.offers = offers.collect();
        self.narrow();
        self.select(&on.unwrap_or_default());
    }

    /// Playlists to add to.
    pub(crate) fn playlists<'a>(lists: impl Iterator<Item = &'a Playlist>) -> Self {
        let mut picker = Self::new(Choice::Playlist, Vec::new());
        picker.offer_playlists(lists);
        picker
    }

    /// Takes over playlists that were read meanwhile; the cursor and the words stay.
    pub(crate) fn offer_playlists<'a>(&mut self, lists: impl Iterator<Item = &'a Playlist>) {
        let offers = lists.map(|list| Offer {
            command: format!("add {}", list.id),
            name: list.name.clone(),
            about: crate::tui::text::count(u64::from(list.track_count), "track"),
            keys: String::new(),
            open: false,
        });
        self.offers = offers.collect();
        let cursor = self.scroll;
        self.narrow();
        self.scroll = Scroll { cursor: cursor.cursor.min(self.len().saturating_sub(1)), ..cursor };
    }

    /// Offers without the words that narrow them.
    pub(crate) fn total(&self) -> usize {
        self.offers.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Offer> {
        self.shown.get(at).and_then(|at| self.offers.get(*at))
    }

    pub(crate) fn selected(&self) -> Option<&Offer> {
        self.get(self.scroll.cursor)
    }

    /// Puts the cursor on the offer with this command.
    pub(crate) fn select(&mut self, command: &str) {
        let at = self.shown.iter().position(|at| self.offers.get(*at).is_some_and(|o| o.command == command));
        self.scroll.cursor = at.unwrap_or(0);
    }

    /// Narrows the list after the words have changed. Names count twice as much as what they do.
    pub(crate) fn narrow(&mut self) {
        self.scroll = Scroll::default();
        let words = self.input.text.trim().to_owned();
        let words = words.as_str();
        if self.choice == Choice::Playlist {
            // What is typed can become a playlist of that name, unless there is one.
            self.offers.retain(|offer| !offer.command.starts_with("new "));
            if !words.is_empty() && self.offers.iter().all(|offer| offer.name != words) {
                let (command, name) = (format!("new {words}"), words.to_owned());
                let about = "a new playlist".to_owned();
                self.offers.push(Offer { command, name, about, keys: String::new(), open: false });
            }
        }
        if words.is_empty() {
            self.shown = (0..self.offers.len()).collect();
            return;
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(words, CaseMatching::Ignore, Normalization::Smart);
        let mut buffer = Vec::new();
        let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher);
        let mut found: Vec<(u32, usize)> = Vec::new();
        for (at, offer) in self.offers.iter().enumerate() {
            let by_name = score(&offer.name).map(|n| n * 2 + 8 * u32::from(offer.name == words));
            let by_all = score(&format!("{} {}", offer.name, offer.about));
            if let Some(score) = by_name.max(by_all) {
                found.push((score, at));
            }
        }
        let new = |at: &usize| self.offers.get(*at).is_some_and(|offer| offer.command.starts_with("new "));
        if self.choice == Choice::Playlist {
            // A name that is there comes before one that would be new.
            found.sort_by_key(|(score, at)| (new(at), std::cmp::Reverse(*score), *at));
        } else {
            found.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
        }
        self.shown = found.into_iter().map(|(_, at)| at).collect();
    }
}

/// The entries of the table as offers, one for each word that an entry takes.
fn offers(map: &Keymap, layer: Layer, here: impl Fn(&action::Spec) -> bool) -> Vec<Offer> {
    let mut offers = Vec::new();
    for spec in action::table().iter().filter(|spec| here(spec)) {
        let keys = |command: &str| map.keys_for(layer, command).unwrap_or_default();
        let bare = |open| Offer {
            command: spec.name.to_owned(),
            name: spec.name.to_owned(),
            about: spec.about.to_owned(),
            keys: Some(keys(spec.name))
                .filter(|keys| !keys.is_empty())
                .unwrap_or_else(|| keys(&format!("command {}", spec.name))),
            open,
        };
        let words = spec.takes.words().iter().map(|word| {
            let command = format!("{} {word}", spec.name);
            let keys = keys(&command);
            Offer { name: command.clone(), command, about: spec.about.to_owned(), keys, open: false }
        });
        match spec.takes {
            Takes::Nothing | Takes::MaybeText(_) => offers.push(bare(false)),
            Takes::Number(low, high) if high - low <= 10 => {
                offers.extend((low..=high).map(|n| {
                    let command = format!("{} {n}", spec.name);
                    let keys = keys(&command);
                    Offer { name: command.clone(), command, about: spec.about.to_owned(), keys, open: false }
                }));
            }
            Takes::Number(..) | Takes::Text(_) | Takes::Position | Takes::Seconds => offers.push(bare(true)),
            Takes::Word(_) => offers.extend(words),
            Takes::MaybeWord(_) | Takes::MaybeOf(..) | Takes::MaybeNumberOrWord(..) => {
                offers.push(bare(false));
                offers.extend(words);
            }
        }
    }
    offers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::VIM;

    fn typed(words: &str) -> Vec<String> {
        let map = Keymap::from_toml(VIM).unwrap();
        let mut picker = Picker::palette(&map, Layer::Home);
        picker.input.paste(words);
        picker.narrow();
        (0..picker.len()).filter_map(|at| picker.get(at)).map(|offer| offer.command.clone()).collect()
    }

    #[test]
    fn a_few_letters_find_an_action() {
        assert_eq!(typed("shpl").first().map(String::as_str), Some("shuffle-play"));
        assert_eq!(typed("gque").first().map(String::as_str), Some("go queue"));
        assert!(typed("louder").contains(&"volume-by".to_owned()));
        assert!(typed("xyzzy").is_empty());
    }

    #[test]
    fn every_action_is_first_under_its_own_name() {
        for spec in action::table() {
            let found = typed(spec.name);
            let first = found.first().map(|c| c.split(' ').next().unwrap_or_default());
            assert_eq!(first, Some(spec.name));
        }
    }
}
