//! Floor 3: the screens.
//!
//! One loop owns everything. Keys, the player's status, the session's status and the answers of workers come in
//! as `Msg`s; `update` changes the `App` and says which `Effect`s it wants; the loop carries those out in tasks,
//! whose results come back as messages; `view` draws the `App` when something that can be seen has changed.
//!
//! ```text
//!  terminal ─┐                      ┌─ Effect ─▶ effects (tasks) ─▶ catalog, player, session, covers
//!  player  ──┼─ Msg ─▶ update(App) ─┤                    │
//!  session ──┘     ▲                └─ dirty ─▶ view     │
//!                  └─────────────── Msg ─────────────────┘
//! ```
//!
//! `action` has the table of everything that can be asked for, `keymap` and `keys` turn key presses into
//! entries of it, `state` is what the screens show, `layout` and `home_plan` where, `theme` in which colours.

pub mod action;
pub mod cover;
pub mod effects;
mod event_loop;
pub mod graphics;
mod home_plan;
pub mod keymap;
mod keys;
mod layout;
pub mod manual;
mod outside;
mod plain;
mod playlist_edits;
mod privacy;
mod probe;
mod state;
pub mod story;
pub mod tasting;
mod terminal;
#[cfg(test)]
mod testing;
mod text;
pub mod theme;
pub mod transport;
mod update;
mod view;

use std::path::PathBuf;

pub use event_loop::{Feeds, run};
pub use outside::{KeptThere, Outside, carry_out};
pub use plain::run_plain;
pub use state::{App, Screen, Setting, Span};
pub use state::{KEPT_HISTORY, KEPT_PLAYER};
pub use terminal::read_hidden_line;
pub use theme::ColorDepth;
pub use update::{start, update};
pub use view::view;

/// How the front end is to behave; fixed from start to end.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one start")]
pub struct Options {
    /// Draw with ASCII characters only.
    pub ascii: bool,
    /// How many colours the terminal has.
    pub colors: ColorDepth,
    /// Name of the theme; empty for the one that fits the terminal's ground.
    pub theme: String,
    /// Themes of the listener's own: name and text of the file.
    pub own_themes: Vec<(String, String)>,
    /// Whether the terminal has a light ground; told by the terminal itself where it answers.
    pub light: bool,
    /// How covers are drawn: `auto`, `kitty`, `iterm2`, `sixel` or `blocks`.
    pub covers: String,
    /// What pictures the terminal draws, as it answered.
    pub graphics: graphics::Graphics,
    /// Nothing moves by itself but what tells where the music is.
    pub still: bool,
    /// Where the log is, for the last words after a panic.
    pub log_file: PathBuf,
    /// Whether the library is the one that comes with the program because nothing else was chosen; the welcome
    /// card is for such listeners.
    pub embedded: bool,
    /// What the listener should know from the beginning, such as a mistake in the configuration.
    pub notices: Vec<String>,
    /// Names of the profiles that `server` changes over to.
    pub profiles: Vec<String>,
    /// What is set, and where.
    pub settings: Vec<Setting>,
    /// Command lines of earlier starts, the newest last; as `state` keeps them.
    pub history: String,
    /// What the full player showed when it was left; as `state` keeps it.
    pub player_shows: String,
    /// The folder where the listener's own music is looked for, as the welcome card names it.
    pub music_folder: PathBuf,
}

/// What of the configuration may change while the screens are up.
#[derive(Debug, Clone, Default)]
pub struct Fresh {
    /// All keys.
    pub keymap: keymap::Keymap,
    /// Name of the theme; empty to leave it as it is.
    pub theme: String,
    /// Themes of the listener's own: name and text of the file.
    pub own_themes: Vec<(String, String)>,
    /// ASCII characters only.
    pub ascii: bool,
    /// Nothing moves by itself.
    pub still: bool,
    /// What is set, and where.
    pub settings: Vec<Setting>,
    /// One sentence for each mistake.
    pub mistakes: Vec<String>,
}

/// The time of day, as the loop tells it to the state once a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    /// Unix time in ms.
    pub unix_ms: i64,
    /// 0–23, local time.
    pub hour: u8,
    /// 0–59.
    pub minute: u8,
}

/// Why the screens ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The listener left.
    Quit,
    /// The screens only: the music goes on.
    Playing,
    /// To change over to this profile.
    Server(String),
}

/// Why the screens cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// Input or output is a file or a pipe.
    #[error("Segue needs a terminal to draw on, and this is a file or a pipe.")]
    NoTerminal,
    /// The terminal failed.
    #[error("The terminal failed: {0}")]
    Terminal(#[from] std::io::Error),
}
