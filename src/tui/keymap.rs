//! Which keys ask for what: keymap files in, bindings out.
//!
//! A keymap is a set of layers (everywhere, one for a screen, one while typing, one in the help), each from
//! sequences of keys to actions. `Keymap::find` looks a sequence up, `Keys` (in `keys`) collects what is typed
//! until it is one. The presets in `assets/keymap/` are the only places with default keys; a listener's own file
//! is read the same way (`read`) and laid over one of them by `overlay`. `conflicts` says where two bindings
//! stand in each other's way.

use std::collections::BTreeMap;
use std::fmt;

use toml::Spanned;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::{self, Action, ActionError, Spec};

/// The default keys, which are also the manual of the format.
pub const VIM: &str = include_str!("../../assets/keymap/vim.toml");

/// The presets by name.
pub const PRESETS: [(&str, &str); 4] = [
    ("vim", VIM),
    ("emacs", include_str!("../../assets/keymap/emacs.toml")),
    ("cmus", include_str!("../../assets/keymap/cmus.toml")),
    ("ncmpcpp", include_str!("../../assets/keymap/ncmpcpp.toml")),
];

/// What a key is bound to in a file that takes its binding away.
const UNBOUND: [&str; 2] = ["", "null"];

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
    /// On the full player.
    Player,
    /// On a mix's page.
    Mix,
    /// On the list of playlists.
    Playlists,
    /// On a playlist's page.
    Playlist,
    /// On the statistics.
    Statistics,
    /// On the settings.
    Settings,
    /// On the log.
    Log,
    /// On an artist's page.
    Artist,
    /// On the page of a track.
    Details,
    /// On the doctor.
    Doctor,
    /// In the story of a year.
    Year,
    /// On the insights of a server.
    Insights,
    /// On the page on privacy.
    Privacy,
    /// While words are typed.
    Typing,
    /// In the help.
    Help,
}

impl Layer {
    pub(crate) const NAMES: [(&'static str, Self); 22] = [
        ("everywhere", Self::Everywhere),
        ("home", Self::Home),
        ("library", Self::Library),
        ("search", Self::Search),
        ("queue", Self::Queue),
        ("album", Self::Album),
        ("downloads", Self::Downloads),
        ("player", Self::Player),
        ("mix", Self::Mix),
        ("playlists", Self::Playlists),
        ("playlist", Self::Playlist),
        ("statistics", Self::Statistics),
        ("settings", Self::Settings),
        ("log", Self::Log),
        ("artist", Self::Artist),
        ("details", Self::Details),
        ("doctor", Self::Doctor),
        ("year", Self::Year),
        ("insights", Self::Insights),
        ("privacy", Self::Privacy),
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
    /// File and line.
    pub place: String,
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
        "The keymap has a section [{0}], which is none of everywhere, home, library, search, queue, album, downloads, player, mix, playlists, playlist, statistics, settings, log, artist, details, doctor, year, insights, privacy, typing, help."
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

/// Sections with their entries, as files have them.
type File = BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<toml::Value>>>;

/// All bindings.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    layers: BTreeMap<Layer, Vec<Binding>>,
    /// Sequences that mean nothing in a layer, though they may elsewhere.
    unbound: BTreeMap<Layer, Vec<Vec<Key>>>,
}

impl Keymap {
    /// Reads a keymap file; the first mistake is an error.
    pub fn from_toml(text: &str) -> Result<Self, KeymapError> {
        let mut first = None;
        let map = Self::collect("", text, |_, error| {
            first.get_or_insert(error);
        });
        first.map_or(Ok(map), Err)
    }

    /// Reads a keymap file called `name`. What is wrong in it is passed over and told in one sentence each.
    pub fn read(name: &str, text: &str) -> (Self, Vec<String>) {
        let mut mistakes = Vec::new();
        let map = Self::collect(name, text, |place, error| {
            mistakes.push(format!("{place}: {error} It is passed over."));
        });
        (map, mistakes)
    }

    /// The keys of a preset with the listener's own (name and text of a file) laid over them, and one sentence for
    /// each mistake and each conflict that the listener made.
    pub fn assemble(preset: &str, own: Option<(&str, &str)>) -> (Self, Vec<String>) {
        let mut told = Vec::new();
        let known = PRESETS.iter().find(|(name, _)| *name == preset);
        if known.is_none() {
            let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
            told.push(format!("There are no keys called \"{preset}\"; there are {}.", names.join(", ")));
        }
        let (name, text) = known.copied().unwrap_or(("vim", VIM));
        let (mut map, _) = Self::read(&format!("preset {name}"), text);
        if let Some((file, text)) = own {
            let (over, mistakes) = Self::read(file, text);
            told.extend(mistakes);
            told.extend(over.conflicts(None));
            map.overlay(over);
            told.extend(map.conflicts(Some(file)));
            told.dedup();
        }
        (map, told)
    }

    fn collect(name: &str, text: &str, mut wrong: impl FnMut(&str, KeymapError)) -> Self {
        let mut map = Self::default();
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                wrong(name, KeymapError::Syntax(error));
                return map;
            }
        };
        let line = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
        for (section, entries) in file {
            let at = section.span().start;
            let section = section.into_inner();
            let Some((_, layer)) = Layer::NAMES.iter().find(|(known, _)| *known == section) else {
                wrong(&format!("{name}:{}", line(at)), KeymapError::Layer(section));
                continue;
            };
            let mut entries: Vec<_> = entries.into_iter().collect();
            entries.sort_by_key(|(keys, _)| keys.span().start);
            for (written, command) in entries {
                let place = format!("{name}:{}", line(written.span().start));
                let written = written.into_inner();
                let command = command.into_inner().as_str().unwrap_or_default().trim().to_owned();
                let keys: Option<Vec<Key>> = written.split(' ').map(Key::parse).collect();
                let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
                    wrong(&place, KeymapError::Key { layer: section.clone(), keys: written });
                    continue;
                };
                if UNBOUND.contains(&command.as_str()) {
                    map.unbound.entry(*layer).or_default().push(keys);
                    continue;
                }
                match action::parse(&command) {
                    Ok((spec, action)) => {
                        let binding = Binding { keys, spec, action, command, place };
                        map.layers.entry(*layer).or_default().push(binding);
                    }
                    Err(source) => {
                        wrong(&place, KeymapError::Action { layer: section.clone(), keys: written, source });
                    }
                }
            }
        }
        map
    }

    /// Lays another keymap over this one: its bindings win, and what it unbinds is gone.
    pub fn overlay(&mut self, over: Self) {
        for (layer, sequences) in over.unbound {
            if let Some(mine) = self.layers.get_mut(&layer) {
                mine.retain(|old| !sequences.contains(&old.keys));
            }
            self.unbound.entry(layer).or_default().extend(sequences);
        }
        for (layer, bindings) in over.layers {
            let mine = self.layers.entry(layer).or_default();
            for binding in bindings {
                mine.retain(|old| old.keys != binding.keys);
                if let Some(holes) = self.unbound.get_mut(&layer) {
                    holes.retain(|keys| *keys != binding.keys);
                }
                mine.push(binding);
            }
        }
    }

    /// Bindings that stand in each other's way: one sequence bound twice, or one that begins another. With `file`,
    /// only those where at least one stands in that file. Each is a sentence with both places.
    pub fn conflicts(&self, file: Option<&str>) -> Vec<String> {
        let mut told = Vec::new();
        let within = |binding: &Binding| {
            file.is_none_or(|file| binding.place.rsplit_once(':').is_some_and(|(name, _)| name == file))
        };
        for (_, layer) in Layer::NAMES {
            let holding: Vec<&Binding> = self.holding(layer).collect();
            for (i, one) in holding.iter().enumerate() {
                for other in holding.iter().skip(i + 1) {
                    let said = if one.keys == other.keys {
                        format!(
                            "{}: {} is bound to \"{}\", and at {} to \"{}\"; the first counts.",
                            one.place,
                            one.label(),
                            one.command,
                            other.place,
                            other.command
                        )
                    } else {
                        let (short, long) =
                            if one.keys.len() < other.keys.len() { (one, other) } else { (other, one) };
                        if !long.keys.starts_with(&short.keys) {
                            continue;
                        }
                        format!(
                            "{}: {} also begins {} ({}), so it waits a moment.",
                            short.place,
                            short.label(),
                            long.label(),
                            long.place
                        )
                    };
                    if (within(one) || within(other)) && !told.contains(&said) {
                        told.push(said);
                    }
                }
            }
        }
        told
    }

    fn hidden(&self, layer: Layer, binding: &Binding) -> bool {
        self.unbound.get(&layer).is_some_and(|holes| holes.contains(&binding.keys))
    }

    /// What this sequence is where `layer` holds.
    pub fn find(&self, layer: Layer, keys: &[Key]) -> Found<'_> {
        let mut bound = None;
        let mut longer = false;
        for binding in layer.chain().flat_map(|layer| self.bindings(layer)) {
            if self.hidden(layer, binding) {
                continue;
            }
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
        own.iter().chain(layer.chain().skip(1).flat_map(|layer| self.bindings(layer)).filter(
            move |binding| own.iter().all(|o| o.keys != binding.keys) && !self.hidden(layer, binding),
        ))
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
    fn every_preset_reaches_every_action() {
        for (name, text) in PRESETS {
            let map = Keymap::from_toml(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            for spec in action::table() {
                let asked = format!("command {}", spec.name);
                let bound = Layer::NAMES
                    .iter()
                    .flat_map(|(_, layer)| map.bindings(*layer))
                    .any(|binding| binding.spec.name == spec.name || binding.command == asked);
                assert!(bound, "{name}: {}", spec.name);
            }
        }
    }

    #[test]
    fn no_preset_sequence_hides_another() {
        for (name, text) in PRESETS {
            let map = Keymap::read(name, text).0;
            assert_eq!(map.conflicts(None), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_listener_takes_keys_away_and_hears_of_conflicts_with_both_places() {
        let own = "[everywhere]\nj = \"null\"\ng = \"mute\"\n\n[queue]\nm = \"\"\nSpace = \"toggle\"\n\" \" = \"stop\"\n";
        let (map, told) = Keymap::assemble("vim", Some(("keys.toml", own)));
        assert!(matches!(map.find(Layer::Home, &[key("j")]), Found::Nothing));
        assert!(matches!(map.find(Layer::Queue, &[key("m")]), Found::Nothing));
        assert!(matches!(map.find(Layer::Home, &[key("m")]), Found::Bound(..)));
        assert!(
            told.iter().any(|t| t.starts_with("keys.toml:3: g also begins g ") && t.contains("preset vim:")),
            "{told:?}"
        );
        assert!(told.iter().any(|t| t.contains("keys.toml:8") || t.contains("keys.toml:7")), "{told:?}");
        assert!(Keymap::assemble("vim", None).1.is_empty());
        assert!(Keymap::assemble("nano", None).1.join("").contains("vim, emacs, cmus, ncmpcpp"));
    }

    #[test]
    fn a_mistake_has_its_line_and_the_rest_counts() {
        let (map, told) =
            Keymap::assemble("vim", Some(("keys.toml", "[everywhere]\nx = \"dance\"\ny = \"mute\"\n")));
        assert!(told.join("").starts_with("keys.toml:2: "), "{told:?}");
        assert!(matches!(map.find(Layer::Home, &[key("y")]), Found::Bound(b, _) if b.action == Action::Mute));
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
