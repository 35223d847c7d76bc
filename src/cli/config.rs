//! Configuration: one optional TOML file, every key of which also has an environment variable. A mistake never
//! stops the program: it is reported with its place, and the default stands in.
//!
//! ```text
//! defaults ← config.toml ← SEGUE_… ← command line
//! ```

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use crate::audio::Equalizer;
use crate::music::{Quality, ScrobbleService};
use crate::player::GainMode;

/// One key as the manual shows it.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Name in the file.
    pub name: &'static str,
    /// Environment variable that overrides the file.
    pub env: &'static str,
    /// What it does, with its default.
    pub help: &'static str,
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident ($env:literal): $type:ty = $default:expr;)+) => {
        /// What can be configured, with defaults in place of what is not.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        /// Every key, in the order of the manual.
        pub const KEYS: &[Key] = &[
            $(Key { name: stringify!($name), env: $env, help: concat!($($doc,)+) },)+
        ];

        impl Settings {
            /// The value of a key, as a debugger writes it; nothing for an unknown one.
            pub fn value(&self, name: &str) -> String {
                match name {
                    $(stringify!($name) => format!("{:?}", self.$name),)+
                    _ => String::new(),
                }
            }

            fn set(&mut self, name: &str, value: toml::Value) -> Result<(), String> {
                match name {
                    $(stringify!($name) => self.$name = read(value)?,)+
                    _ => return Err(unknown(name)),
                }
                Ok(())
            }
        }
    };
}

settings! {
    /// Address of the server to listen to (`https://music.example.org`). Default: the server inside the player.
    server ("SEGUE_SERVER"): Option<String> = None;
    /// Account name on that server.
    user ("SEGUE_USER"): Option<String> = None;
    /// Command that prints the password of that account, run by the shell.
    password_command ("SEGUE_PASSWORD_COMMAND"): Option<String> = None;
    /// Other servers by name: `[profiles.work]` with `server`, `user`, `password_command`, `quality` and `pin_quality`. `--profile NAME` starts with
    /// one, `:server NAME` changes over; "home" is the server inside the player, "default" the one above.
    profiles ("SEGUE_PROFILES"): BTreeMap<String, Profile> = BTreeMap::new();
    /// Folder with music for the server inside the player. Default: the system's music folder.
    music ("SEGUE_MUSIC"): Option<PathBuf> = None;
    /// Size limit of the track cache in gigabytes. Default: 20.
    cache_gb ("SEGUE_CACHE_GB"): f64 = 20.0;
    /// Gigabytes that are filled ahead of time with what you will probably want to hear, from your mixes, so that it is there
    /// without a network; not for the server inside the player. Default: 0.
    keep_gb ("SEGUE_KEEP_GB"): f64 = 0.0;
    /// What is streamed: "original", a format with its kbit/s ("opus-128", "mp3-192", "aac-160"), or kbit/s alone ("320").
    /// Files that are small enough come as they are; a profile may have its own. Default: "original".
    quality ("SEGUE_QUALITY"): Quality = Quality::Original;
    /// In which form pinned tracks are kept, in the same words. Default: "original".
    pin_quality ("SEGUE_PIN_QUALITY"): Quality = Quality::Original;
    /// Sound output: "default", "silent", or the name of a device (`segue devices`). Default: "default"; later starts
    /// remember.
    output ("SEGUE_OUTPUT"): String = "default".to_owned();
    /// Volume at the first start, 0 to 100; later starts remember. Default: 80.
    volume ("SEGUE_VOLUME"): u8 = 80;
    /// Loudness correction by ReplayGain: "off", "track", "album", or "auto" (album where albums play). Default: "auto".
    replaygain ("SEGUE_REPLAYGAIN"): GainMode = GainMode::Auto;
    /// Decibels added to every ReplayGain, -15 to 15. Default: 0.
    preamp_db ("SEGUE_PREAMP_DB"): f32 = 0.0;
    /// Seconds for which the end of a track and the beginning of the next sound together, 0 to 12; never inside an album.
    /// Default: 0; later starts remember.
    crossfade ("SEGUE_CROSSFADE"): u8 = 0;
    /// How fast tracks play, 0.5 to 2, at the same pitch. Default: 1; later starts remember.
    speed ("SEGUE_SPEED"): f64 = 1.0;
    /// Equaliser: a preset ("off", "bass", "treble", "vocal", "rock", "pop", "classical", "electronic", "quiet", "speech"), or
    /// ten numbers of decibels between commas, from 31 Hz to 16 kHz. Default: "off"; later starts remember.
    equalizer ("SEGUE_EQUALIZER"): String = "off".to_owned();
    /// Play bit by bit: no volume, ReplayGain, equaliser, speed or crossfade, and the device at the file's rate where it
    /// has that. Default: false; later starts remember.
    bit_perfect ("SEGUE_BIT_PERFECT"): bool = false;
    /// Who is told what you hear: "off", "listenbrainz", "lastfm", or both between a comma. Leave it off where your server
    /// tells them already, or they hear everything twice. Default: "off".
    scrobble ("SEGUE_SCROBBLE"): ScrobbleTo = ScrobbleTo::default();
    /// Address of ListenBrainz, or of what speaks its API. Default: `https://api.listenbrainz.org`.
    listenbrainz_url ("SEGUE_LISTENBRAINZ_URL"): String = "https://api.listenbrainz.org".to_owned();
    /// Address of the API of Last.fm, or of what speaks it. Default: `https://ws.audioscrobbler.com/2.0/`.
    lastfm_url ("SEGUE_LASTFM_URL"): String = "https://ws.audioscrobbler.com/2.0/".to_owned();
    /// Your own API key of Last.fm (`https://www.last.fm/api/account/create`); `segue scrobble lastfm login` asks for it, too.
    lastfm_api_key ("SEGUE_LASTFM_API_KEY"): Option<String> = None;
    /// Begin with a private session: what you hear is not written down, and neither the server nor anybody else is told. `:private`
    /// ends it. Default: false.
    private ("SEGUE_PRIVATE"): bool = false;
    /// Let media keys and the panels of the desktop drive the player (MPRIS on the session bus; Linux). Default: true.
    media_keys ("SEGUE_MEDIA_KEYS"): bool = true;
    /// Let the desktop show a message when a track begins (Linux). Default: false.
    notifications ("SEGUE_NOTIFICATIONS"): bool = false;
    /// Keep the machine awake while music plays; many desktops leave the screen on, too (Linux). Default: false.
    keep_awake ("SEGUE_KEEP_AWAKE"): bool = false;
    /// Draw with ASCII characters only. Default: false.
    ascii ("SEGUE_ASCII"): bool = false;
    /// Keys to begin with: "vim", "emacs", "cmus" or "ncmpcpp"; your own in keys.toml are laid over them. Default: "vim".
    keymap ("SEGUE_KEYMAP"): String = "vim".to_owned();
    /// Theme, by name; T in the player shows them all. Default: the one chosen last, else one that fits the terminal.
    theme ("SEGUE_THEME"): String = String::new();
    /// Nothing moves by itself but what tells where the music is. Default: false.
    reduced_motion ("SEGUE_REDUCED_MOTION"): bool = false;
    /// Lines instead of screens, for screen readers and scripts. Default: false.
    plain ("SEGUE_PLAIN"): bool = false;
    /// How covers are drawn: "auto" (pictures where the terminal says that it has them and is not far away), "kitty", "iterm2",
    /// "sixel", or "blocks" (two coloured halves in each cell). Default: "auto".
    covers ("SEGUE_COVERS"): String = "auto".to_owned();
    /// Colours: "auto", "truecolor", "256", "16" or "none". Default: "auto".
    colors ("SEGUE_COLORS"): String = "auto".to_owned();
}

/// One server among several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Address of the server.
    pub server: String,
    /// Account name on it.
    pub user: Option<String>,
    /// Command that prints the password.
    pub password_command: Option<String>,
    /// What is streamed from it, where not what is streamed from all.
    pub quality: Option<Quality>,
    /// In which form its pinned tracks are kept.
    pub pin_quality: Option<Quality>,
}

/// The services that are told what is heard: a word, words between commas, or a list of words.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Words")]
pub struct ScrobbleTo(pub Vec<ScrobbleService>);

impl std::fmt::Debug for ScrobbleTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<&str> = self.0.iter().map(|service| service.word()).collect();
        f.write_str(if words.is_empty() { "off" } else { "" })?;
        f.write_str(&words.join(", "))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Line(String),
    List(Vec<String>),
    /// `false`, which says what it means.
    Switch(bool),
}

impl TryFrom<Words> for ScrobbleTo {
    type Error = String;

    fn try_from(words: Words) -> Result<Self, String> {
        let words = match words {
            Words::Line(line) => line.split(',').map(str::to_owned).collect(),
            Words::List(list) => list,
            Words::Switch(false) => Vec::new(),
            Words::Switch(true) => vec!["true".to_owned()],
        };
        let mut services = Vec::new();
        for word in words.iter().map(|word| word.trim()).filter(|word| !matches!(*word, "" | "off")) {
            let service = ScrobbleService::of(word)
                .ok_or_else(|| format!("“{word}” is none of off, listenbrainz and lastfm"))?;
            if !services.contains(&service) {
                services.push(service);
            }
        }
        Ok(Self(services))
    }
}

impl Settings {
    /// The names that `--profile` and `:server` know.
    pub fn profile_names(&self) -> Vec<String> {
        let own = self.profiles.keys().cloned();
        own.chain(
            ["default", "home"].map(str::to_owned).into_iter().filter(|n| !self.profiles.contains_key(n)),
        )
        .collect()
    }

    /// These settings with another server.
    pub fn with_profile(&self, name: &str) -> Result<Self, String> {
        let mut settings = self.clone();
        match (self.profiles.get(name), name) {
            (Some(profile), _) => {
                settings.server = Some(profile.server.clone());
                settings.user.clone_from(&profile.user);
                settings.password_command.clone_from(&profile.password_command);
                settings.quality = profile.quality.unwrap_or(settings.quality);
                settings.pin_quality = profile.pin_quality.unwrap_or(settings.pin_quality);
            }
            (None, "default") => {}
            (None, "home") => settings.server = None,
            _ => {
                return Err(format!(
                    "there is no profile “{name}”; there are: {}",
                    self.profile_names().join(", ")
                ));
            }
        }
        Ok(settings)
    }
}

fn read<T: DeserializeOwned>(value: toml::Value) -> Result<T, String> {
    value.try_into().map_err(|e: toml::de::Error| e.message().to_owned())
}

fn unknown(name: &str) -> String {
    let near = KEYS.iter().map(|k| k.name).find(|k| k.starts_with(name) || name.starts_with(k));
    let known = || KEYS.iter().map(|k| k.name).collect::<Vec<_>>().join(", ");
    near.map_or_else(
        || format!("unknown key; known are {}", known()),
        |k| format!("unknown key; did you mean `{k}`?"),
    )
}

impl Settings {
    /// Reads the file at `path` (which need not exist) and the environment. Returns the settings and one sentence
    /// for each mistake.
    pub fn load(path: &Path, env: impl Fn(&str) -> Option<OsString>) -> (Self, Vec<String>) {
        let mut settings = Self::default();
        let mut mistakes = Vec::new();
        match std::fs::read_to_string(path) {
            Ok(text) => settings.merge_file(&text, path, &mut mistakes),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => mistakes.push(format!("{}: cannot be read: {e}; defaults are used", path.display())),
        }
        for key in KEYS {
            let Some(value) = env(key.env) else { continue };
            let Some(text) = value.to_str().filter(|t| !t.is_empty()) else { continue };
            // `true`, `5` and `"x"` read as TOML; anything else is text.
            let typed =
                toml::from_str::<toml::Table>(&format!("v = {text}")).ok().and_then(|mut t| t.remove("v"));
            let plain = toml::Value::String(text.to_owned());
            let result = match typed {
                Some(value) => settings.set(key.name, value).or_else(|_| settings.set(key.name, plain)),
                None => settings.set(key.name, plain),
            };
            if let Err(why) = result {
                mistakes.push(format!("{}: {why}; the default is used", key.env));
            }
        }
        settings.volume = settings.volume.min(100);
        settings.preamp_db =
            if settings.preamp_db.is_finite() { settings.preamp_db.clamp(-15.0, 15.0) } else { 0.0 };
        settings.crossfade = settings.crossfade.min(12);
        settings.speed = if settings.speed.is_finite() { settings.speed.clamp(0.5, 2.0) } else { 1.0 };
        if let Err(why) = settings.equalizer.parse::<Equalizer>() {
            mistakes.push(format!("equalizer: {why}; it stays off"));
            "off".clone_into(&mut settings.equalizer);
        }
        (settings, mistakes)
    }

    fn merge_file(&mut self, text: &str, path: &Path, mistakes: &mut Vec<String>) {
        let line = |at: usize| text.get(..at).map_or(1, |t| t.matches('\n').count() + 1);
        let place = |at: usize| format!("{}:{}", path.display(), line(at));
        let table: std::collections::BTreeMap<Spanned<String>, Spanned<toml::Value>> =
            match toml::from_str(text) {
                Ok(table) => table,
                Err(e) => {
                    let at = e.span().map_or(0, |s| s.start);
                    mistakes.push(format!("{}: {}; the whole file is passed over", place(at), e.message()));
                    return;
                }
            };
        for (name, value) in table {
            let at = name.span().start;
            if let Err(why) = self.set(name.get_ref(), value.into_inner()) {
                mistakes.push(format!("{}: {}: {why}; the default is used", place(at), name.get_ref()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, env: &[(&str, &str)]) -> (Settings, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        let (settings, mistakes) =
            Settings::load(&path, |key| env.iter().find(|(k, _)| *k == key).map(|(_, v)| OsString::from(v)));
        let name = path.display().to_string();
        (settings, mistakes.into_iter().map(|m| m.replace(&name, "config.toml")).collect())
    }

    #[test]
    fn file_then_environment() {
        let (settings, mistakes) = load(
            "cache_gb = 2.5\nvolume = 30\nascii = true\n",
            &[("SEGUE_VOLUME", "55"), ("SEGUE_USER", "1234"), ("SEGUE_MUSIC", "/srv/music")],
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!((settings.cache_gb, settings.volume, settings.ascii), (2.5, 55, true));
        assert_eq!(settings.user.as_deref(), Some("1234"));
        assert_eq!(settings.music.as_deref(), Some(Path::new("/srv/music")));
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_the_rest_counts() {
        let (settings, mistakes) = load("# mine\nvolume = \"loud\"\ncach_gb = 3\nascii = true\n", &[]);
        assert!(settings.ascii);
        assert_eq!(settings.volume, 80);
        assert_eq!(mistakes.len(), 2);
        assert!(mistakes.iter().any(|m| m.starts_with("config.toml:2: volume: ")), "{mistakes:?}");
        assert!(mistakes.iter().any(|m| m.starts_with("config.toml:3: cach_gb: ")), "{mistakes:?}");
    }

    #[test]
    fn profiles_name_servers() {
        let (settings, mistakes) = load(
            "server = \"http://a\"\nuser = \"ann\"\n[profiles.work]\nserver = \"https://b\"\nuser = \"bob\"\n",
            &[],
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(settings.profile_names(), ["work", "default", "home"]);
        let work = settings.with_profile("work").unwrap();
        assert_eq!((work.server.as_deref(), work.user.as_deref()), (Some("https://b"), Some("bob")));
        assert_eq!(settings.with_profile("default").unwrap(), settings);
        assert_eq!(settings.with_profile("home").unwrap().server, None);
        assert!(settings.with_profile("moon").unwrap_err().contains("work, default, home"));
        let (_, mistakes) = load("[profiles.work]\nsever = \"x\"\n", &[]);
        assert_eq!(mistakes.len(), 1);
    }

    #[test]
    fn qualities_are_words_and_a_profile_has_its_own() {
        let text = "quality = \"320\"\npin_quality = \"opus-96\"\n[profiles.train]\nserver = \"https://b\"\nquality = \"opus-64\"\n";
        let (settings, mistakes) = load(text, &[]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let of = |s: &Settings| (s.quality, s.pin_quality);
        assert_eq!(of(&settings), (Quality::AtMost(320), Quality::Opus(96)));
        assert_eq!(of(&settings.with_profile("train").unwrap()), (Quality::Opus(64), Quality::Opus(96)));
        let (settings, mistakes) = load("quality = \"best\"\n", &[("SEGUE_PIN_QUALITY", "192")]);
        assert_eq!(of(&settings), (Quality::Original, Quality::AtMost(192)));
        assert!(mistakes.iter().any(|m| m.contains("opus-128")), "{mistakes:?}");
    }

    #[test]
    fn loudness_is_a_word_and_decibels() {
        let (settings, mistakes) = load("replaygain = \"album\"\npreamp_db = -40\n", &[]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!((settings.replaygain, settings.preamp_db), (GainMode::Album, -15.0));
        let (settings, mistakes) = load("", &[("SEGUE_REPLAYGAIN", "loud"), ("SEGUE_PREAMP_DB", "3.5")]);
        assert_eq!((settings.replaygain, settings.preamp_db), (GainMode::Auto, 3.5));
        assert!(mistakes.iter().any(|m| m.contains("SEGUE_REPLAYGAIN")), "{mistakes:?}");
    }

    #[test]
    fn the_sound_is_kept_within_bounds() {
        let (settings, mistakes) = load("crossfade = 99\nspeed = 1.25\nequalizer = \"rock\"\n", &[]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!((settings.crossfade, settings.speed.to_bits()), (12, 1.25_f64.to_bits()));
        let env = [("SEGUE_SPEED", "9"), ("SEGUE_EQUALIZER", "louder"), ("SEGUE_BIT_PERFECT", "true")];
        let (settings, mistakes) = load("", &env);
        assert_eq!((settings.speed.to_bits(), settings.equalizer.as_str()), (2.0_f64.to_bits(), "off"));
        assert!(settings.bit_perfect);
        assert!(mistakes.iter().any(|m| m.starts_with("equalizer: ")), "{mistakes:?}");
        assert!(load("", &[("SEGUE_EQUALIZER", "1,2,3,4,5,4,3,2,1,0")]).1.is_empty());
    }

    #[test]
    fn nobody_is_told_unless_named() {
        assert_eq!(Settings::default().scrobble.0, []);
        let of = |text: &str, env: &[(&str, &str)]| {
            let (settings, mistakes) = load(text, env);
            (settings.value("scrobble"), mistakes.len())
        };
        assert_eq!(of("scrobble = \"off\"\n", &[]), ("off".to_owned(), 0));
        assert_eq!(of("scrobble = false\n", &[]), ("off".to_owned(), 0));
        assert_eq!(of("scrobble = \"lastfm\"\n", &[]), ("lastfm".to_owned(), 0));
        let both = ("listenbrainz, lastfm".to_owned(), 0);
        assert_eq!(of("scrobble = [\"listenbrainz\", \"lastfm\", \"lastfm\"]\n", &[]), both);
        assert_eq!(of("", &[("SEGUE_SCROBBLE", "listenbrainz,LastFM")]), both);
        assert_eq!(of("scrobble = \"libre\"\n", &[]), ("off".to_owned(), 1));
        assert_eq!(of("scrobble = true\n", &[]), ("off".to_owned(), 1));
    }

    #[test]
    fn rubbish_leaves_the_defaults() {
        let (settings, mistakes) = load("ascii = tru\n[[[", &[("SEGUE_CACHE_GB", "much")]);
        assert_eq!(settings, Settings::default());
        assert_eq!(mistakes.len(), 2);
    }
}
