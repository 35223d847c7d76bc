//! Which keys ask for what: keymap files in, bindings out.
//!
//! A keymap is a set of layers (everywhere, one for a screen, one while typing, one in the help), each from
//! sequences of keys to actions. `Keymap::find` looks a sequence up, `Keys` (in `keys`) collects what is typed
//! until it is one. The preset in `assets/keymap/vim.toml` is the only place with default keys; a listener's
//! own file is read the same way and laid over it by `overlay`.

use std::collections::BTreeMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::{self, Action, ActionError, Spec};

/// The default keys, which are also the manual of the format.
pub const VIM: &str = include_str!("../../assets/keymap/vim.toml");

/// One key with its modifiers. Shift is part of a character and a modifier of other keys only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// What was held.
    pub held: KeyModifiers,
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        let mut held = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let mut code = event.code;
        match code {
            KeyCode::Char(c) => {
                held.remove(KeyModifiers::SHIFT);
                if held.contains(KeyModifiers::CONTROL) {
                    code = KeyCode::Char(c.to_ascii_lowercase());
                }
            }
            KeyCode::BackTab => {
                code = KeyCode::Tab;
                held.insert(KeyModifiers::SHIFT);
            }
            _ => {}
        }
        Self { code, held }
    }
}

const NAMED: &[(&str, KeyCode)] = &[
    ("Space", KeyCode::Char(' ')),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
];

const MODIFIERS: &[(&str, KeyModifiers)] =
    &[("Ctrl-", KeyModifiers::CONTROL), ("Alt-", KeyModifiers::ALT), ("Shift-", KeyModifiers::SHIFT)];

impl Key {
    /// Reads a key as keymap files write it.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut rest, mut held) = (text, KeyModifiers::NONE);
        while let Some((prefix, modifier)) = MODIFIERS.iter().find(|(prefix, _)| rest.starts_with(prefix)) {
            held |= *modifier;
            rest = &rest[prefix.len()..];
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.as_str()) {
            (Some(c), "") => KeyCode::Char(c),
            (Some('F'), number) if number.bytes().all(|b| b.is_ascii_digit()) => {
                KeyCode::F(number.parse().ok().filter(|n| (1..=24).contains(n))?)
            }
            _ => NAMED.iter().find(|(name, _)| *name == rest)?.1,
        };
        Some(Self { code, held })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (prefix, modifier) in MODIFIERS {
            if self.held.contains(*modifier) {
                f.write_str(if *modifier == KeyModifiers::CONTROL { "^" } else { prefix })?;
            }
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            code => f.write_str(NAMED.iter().find(|(_, c)| *c == code).map_or("?", |(name, _)| name)),
        }
    }
}

/// Where a binding holds. Screens have the layer of their own name and fall back to `Everywhere`; typing and
/// help stand alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// On every screen.
    Everywhere,
    /// On the opening screen.
    Home,
    /// In the library's columns.
    Library,
    /// On search results.
    Search,
    /// In the queue.
    Queue,
    /// On an album's page.
    Album,
    /// On the downloads.
    Downloads,
    /// While words are typed.
    Typing,
    /// In the help.
    Help,
}

impl Layer {
    const NAMES: [(&'static str, Self); 9] = [
        ("everywhere", Self::Everywhere),
        ("home", Self::Home),
        ("library", Self::Library),
        ("search", Self::Search),
        ("queue", Self::Queue),
        ("album", Self::Album),
        ("downloads", Self::Downloads),
        ("typing", Self::Typing),
        ("help", Self::Help),
    ];

    /// Where to look, the nearest first.
    fn chain(self) -> impl Iterator<Item = Self> {
        let alone = matches!(self, Self::Typing | Self::Help | Self::Everywhere);
        std::iter::once(self).chain((!alone).then_some(Self::Everywhere))
    }
}

/// A sequence of keys and what it asks for.
#[derive(Debug, Clone)]
pub struct Binding {
    /// Keys in the order typed.
    pub keys: Vec<Key>,
    /// The entry of the table.
    pub spec: &'static Spec,
    /// The action, with its argument.
    pub action: Action,
    /// As written in the file: name and argument.
    pub command: String,
}

impl Binding {
    /// The keys as a listener reads them: `g h`, `^d`, `Space`.
    pub fn label(&self) -> String {
        self.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// What is wrong in a keymap file.
#[derive(Debug, thiserror::Error)]
pub enum KeymapError {
    /// Not TOML.
    #[error("The keymap cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A table that is no layer.
    #[error(
        "The keymap has a section [{0}], which is none of everywhere, home, library, search, queue, album, downloads, typing, help."
    )]
    Layer(String),
    /// A sequence that names no keys.
    #[error("[{layer}] \"{keys}\": this is not a key that Segue knows.")]
    Key {
        /// Section.
        layer: String,
        /// As written.
        keys: String,
    },
    /// A command that is none.
    #[error("[{layer}] \"{keys}\": {source}")]
    Action {
        /// Section.
        layer: String,
        /// As written.
        keys: String,
        /// What is wrong with it.
        source: ActionError,
    },
}

/// What a sequence of keys is.
#[derive(Debug)]
pub enum Found<'a> {
    /// A binding, and whether longer sequences begin with it too.
    Bound(&'a Binding, bool),
    /// The beginning of at least one.
    Prefix,
    /// Nothing.
    Nothing,
}

/// All bindings.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    layers: BTreeMap<Layer, Vec<Binding>>,
}

impl Keymap {
    /// Reads a keymap file.
    pub fn from_toml(text: &str) -> Result<Self, KeymapError> {
        let file: toml::Table = toml::from_str(text)?;
        let mut map = Self::default();
        for (name, section) in file {
            let layer = Layer::NAMES.iter().find(|(n, _)| *n == name).map(|(_, layer)| *layer);
            let (Some(layer), toml::Value::Table(section)) = (layer, section) else {
                return Err(KeymapError::Layer(name));
            };
            for (written, command) in section {
                let keys: Option<Vec<Key>> = written.split(' ').map(Key::parse).collect();
                let keys = keys
                    .filter(|keys| !keys.is_empty())
                    .ok_or_else(|| KeymapError::Key { layer: name.clone(), keys: written.clone() })?;
                let command = command.as_str().unwrap_or_default().to_owned();
                let (spec, action) = action::parse(&command).map_err(|source| KeymapError::Action {
                    layer: name.clone(),
                    keys: written.clone(),
                    source,
                })?;
                map.layers.entry(layer).or_default().push(Binding { keys, spec, action, command });
            }
        }
        Ok(map)
    }

    /// Lays another keymap over this one: its bindings win.
    pub fn overlay(&mut self, over: Self) {
        for (layer, bindings) in over.layers {
            let mine = self.layers.entry(layer).or_default();
            for binding in bindings {
                mine.retain(|old| old.keys != binding.keys);
                mine.push(binding);
            }
        }
    }

    /// What this sequence is where `layer` holds.
    pub fn find(&self, layer: Layer, keys: &[Key]) -> Found<'_> {
        let mut bound = None;
        let mut longer = false;
        for binding in layer.chain().flat_map(|layer| self.bindings(layer)) {
            if binding.keys == keys {
                bound = bound.or(Some(binding));
            } else if binding.keys.starts_with(keys) {
                longer = true;
            }
        }
        match bound {
            Some(binding) => Found::Bound(binding, longer),
            None if longer => Found::Prefix,
            None => Found::Nothing,
        }
    }

    /// The bindings of one layer, in the order of the file.
    pub fn bindings(&self, layer: Layer) -> &[Binding] {
        self.layers.get(&layer).map_or(&[], Vec::as_slice)
    }

    /// The bindings that hold where `layer` holds: its own, then those of everywhere that it does not replace.
    pub fn holding(&self, layer: Layer) -> impl Iterator<Item = &Binding> {
        let own = self.bindings(layer);
        own.iter().chain(
            layer
                .chain()
                .skip(1)
                .flat_map(|layer| self.bindings(layer))
                .filter(move |binding| own.iter().all(|o| o.keys != binding.keys)),
        )
    }

    /// The first keys for a command (`"play"`, `"go home"`) where `layer` holds.
    pub fn keys_for(&self, layer: Layer, command: &str) -> Option<String> {
        self.holding(layer).find(|binding| binding.command == command).map(Binding::label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    #[test]
    fn the_preset_binds_what_the_table_has() {
        let map = Keymap::from_toml(VIM).unwrap();
        // These are asked for by name only.
        let lines = ["stop", "sync", "seek", "volume", "server", "replaygain"];
        for spec in action::table() {
            let bound = Layer::NAMES
                .iter()
                .flat_map(|(_, layer)| map.bindings(*layer))
                .any(|binding| binding.spec.name == spec.name);
            assert_eq!(bound, !lines.contains(&spec.name), "{}", spec.name);
        }
    }

    #[test]
    fn no_preset_sequence_hides_another() {
        let map = Keymap::from_toml(VIM).unwrap();
        for (_, layer) in Layer::NAMES {
            for binding in map.holding(layer) {
                assert!(
                    matches!(map.find(layer, &binding.keys), Found::Bound(_, false)),
                    "{}",
                    binding.label()
                );
            }
        }
    }

    #[test]
    fn sequences() {
        let map = Keymap::from_toml(VIM).unwrap();
        assert!(matches!(map.find(Layer::Home, &[key("g")]), Found::Prefix));
        assert!(matches!(map.find(Layer::Home, &[key("g"), key("x")]), Found::Nothing));
        assert!(
            matches!(map.find(Layer::Queue, &[key("d")]), Found::Bound(b, false) if b.action == Action::Remove)
        );
        assert!(matches!(map.find(Layer::Home, &[key("d")]), Found::Nothing));
        assert!(matches!(map.find(Layer::Typing, &[key("j")]), Found::Nothing));
    }

    #[test]
    fn own_keys_win() {
        let mut map = Keymap::from_toml(VIM).unwrap();
        map.overlay(Keymap::from_toml("[everywhere]\n\"j\" = \"volume 10\"").unwrap());
        assert!(
            matches!(map.find(Layer::Home, &[key("j")]), Found::Bound(b, _) if b.action == Action::Volume(10))
        );
    }

    #[test]
    fn mistakes_name_their_place() {
        let message = |text| Keymap::from_toml(text).unwrap_err().to_string();
        assert!(message("[everywhere]\n\"Hyper-x\" = \"play\"").contains("Hyper-x"));
        assert!(message("[everywhere]\nx = \"dance\"").contains("no command \"dance\""));
        assert!(message("[kitchen]\nx = \"play\"").contains("[kitchen]"));
        assert!(message("nonsense").contains("cannot be read"));
    }

    #[test]
    fn keys_as_typed_and_as_read() {
        let typed = |code, held| Key::from(KeyEvent::new(code, held));
        assert_eq!(typed(KeyCode::Char('G'), KeyModifiers::SHIFT), key("G"));
        assert_eq!(typed(KeyCode::BackTab, KeyModifiers::SHIFT), key("Shift-Tab"));
        assert_eq!(typed(KeyCode::Char('d'), KeyModifiers::CONTROL), key("Ctrl-d"));
        assert_eq!(key("Ctrl-d").to_string(), "^d");
        assert_eq!(key("Space").to_string(), "Space");
    }
}
