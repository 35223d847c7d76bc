//! Everything that a listener can ask for, in one table.
//!
//! A key, a line after `:`, the help and the manual all name the same entries: `table` has the name, what it
//! does, what it takes and where it means something; `assets/keymap/` says which keys ask for it.
//! `parse` turns a written command ("volume 40") into an `Action`, which `update` carries out.

mod table;

use super::state::{Screen, Span};
use crate::player::{GainMode, Repeat};
use table::{SCREENS, TABLE};

/// One wish of the listener, ready to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The row below.
    Down,
    /// The row above.
    Up,
    /// The to the left.
    Left,
    /// The to the right.
    Right,
    /// The first row, or the row with the number typed before.
    Top,
    /// The last row, or the row with the number typed before.
    Bottom,
    /// Half a screen down.
    HalfDown,
    /// Half a screen up.
    HalfUp,
    /// A screen down.
    PageDown,
    /// A screen up.
    PageUp,
    /// To the next group of rows.
    NextGroup,
    /// Play the selection now.
    Play,
    /// Play the selection now, shuffled.
    ShufflePlay,
    /// Open the page of the selection.
    Open,
    /// Put the selection at the end of what is up next.
    Enqueue,
    /// Put the selection right after what plays.
    EnqueueNext,
    /// Play or pause; with an empty queue, play the selection.
    Toggle,
    /// Stop and forget the position.
    Stop,
    /// The next track.
    Next,
    /// The this one again, or the one before.
    Previous,
    /// Seek by this many milliseconds.
    SeekBy(i64),
    /// Seek to this position in milliseconds.
    SeekTo(u64),
    /// Louder or quieter by this many hundredths.
    VolumeBy(i8),
    /// This loud, 0–100.
    Volume(u8),
    /// Sound off and on.
    Mute,
    /// Shuffle on or off; `None` changes it.
    Shuffle(Option<bool>),
    /// Repeat; `None` steps through off, all, one.
    Repeat(Option<Repeat>),
    /// Which ReplayGain counts; `None` says which one does.
    ReplayGain(Option<GainMode>),
    /// How the sound is treated; see [`Treat`].
    Treat(Treat),
    /// The sleep timer; `None` steps through some times, the track's end, and off.
    Sleep(Option<Bedtime>),
    /// Love the selection, or no more.
    Love,
    /// Love what plays, or no more.
    LovePlaying,
    /// Keep the selection on this device, or no more.
    Pin,
    /// Keep everything starred on this device, or no more.
    PinStarred,
    /// Pause downloads, or go on.
    PauseDownloads,
    /// Try again what could not be downloaded.
    RetryDownloads,
    /// Say why the selected track is where it is.
    Why,
    /// Say why what plays does.
    WhyPlaying,
    /// Less of the selection from now on, or no longer less.
    Less(Less),
    /// Radio without end from the selection.
    Radio,
    /// A way from what plays to the selected track, step by step.
    Path,
    /// Whether mixes may be made of what the listener does.
    Profiling(bool),
    /// Allow or forbid a use of the listener's data: its word, and on or off.
    Purpose(String),
    /// Copy what is kept of the listener into a file; an empty name means the usual one.
    Export(String),
    /// End the account, or come back; `None` asks which.
    Erase(Option<bool>),
    /// A private session; `None` begins one or ends it.
    Private(Option<bool>),
    /// Rate the selection, 1–5; 0 takes the rating away.
    Rate(u8),
    /// Move the selected queue row down.
    MoveDown,
    /// Move the selected queue row up.
    MoveUp,
    /// Take the selection out of the queue.
    Remove,
    /// Take everything out of the queue that was put up next.
    ClearUpNext,
    /// Select rows together: begin or end a stretch of them.
    Select,
    /// Take the last edit of the queue or of a playlist back.
    Undo,
    /// Do again what was taken back.
    Redo,
    /// Add the selection to a playlist of this name; without one, to choose.
    AddToPlaylist(String),
    /// Make an empty playlist.
    NewPlaylist(String),
    /// Make a playlist of what plays and is to come.
    SaveQueue(String),
    /// Give the playlist another name.
    RenamePlaylist(String),
    /// Go to a screen.
    Go(Screen),
    /// Show the album of what plays.
    PlayingAlbum,
    /// Show the page of the selected row's artist; on that page, the artist in the library.
    Artist,
    /// Show the page of who plays.
    PlayingArtist,
    /// Show everything about the selected track.
    Details,
    /// The library by artists, genres or years, counted so; `None` goes on to the next.
    Browse(Option<usize>),
    /// Narrow the list by words.
    Filter,
    /// Type letters to go where they lead in the list.
    Jump,
    /// Keep the search as a smart playlist of this name, with words on its order and length.
    KeepSearch(String),
    /// The next row that matches.
    NextMatch,
    /// The previous row that matches.
    PreviousMatch,
    /// The command line, with this already written.
    CommandLine(String),
    /// Every action, found by a few letters.
    Palette,
    /// What can be done with the selected row.
    RowMenu,
    /// Another theme; `None` shows all of them.
    Theme(Option<String>),
    /// Statistics of this time.
    Span(Span),
    /// A year as a story.
    Year(Which),
    /// Words of what plays, or none; `None` changes it.
    Lyrics(Option<bool>),
    /// Words come sooner by so many steps; later where it is negative.
    LyricsSooner(i64),
    /// Words come sooner by so many ms in all.
    LyricsOffset(i64),
    /// The spectrum in the full player, or none; `None` changes it.
    Spectrum(Option<bool>),
    /// What the keys do here.
    Help,
    /// Fetch what changed on the server.
    Sync,
    /// Change over to another profile.
    Server(String),
    /// Show the players that the music can go to.
    Devices,
    /// Let the player of this name play; `here` is this machine.
    Device(String),
    /// Draw everything anew, and read again what could not be read.
    Redraw,
    /// Hand the terminal back to the shell until `fg`.
    Suspend,
    /// Dismiss what lies on top: a notice, a filter, the help.
    Cancel,
    /// Close this page; on the first page, leave.
    Back,
    /// Leave the screens and play on.
    Background,
    /// Leave.
    Quit,
}

/// What is to be done to the sound; where nothing is given, the answer says how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treat {
    /// Seconds of crossfade; 0 is none.
    Crossfade(Option<u8>),
    /// A speed as it was written.
    Speed(Option<String>),
    /// A preset or ten numbers as written.
    Equalizer(Option<String>),
    /// Bit-perfect on or off; `None` changes it.
    BitPerfect(Option<bool>),
    /// Where the sound goes.
    Output(Option<String>),
}

/// Which year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one that is told of now: this one, and in January the one before.
    Now,
    /// The one before this one.
    Last,
    /// This one.
    Of(i64),
}

/// Of what there is to be less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Less {
    /// Of what is selected.
    Selected,
    /// Of its artist.
    Artist,
}

/// When to fall asleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bedtime {
    /// Not at all.
    Off,
    /// With the track that plays.
    TrackEnd,
    /// After so many minutes.
    Minutes(u64),
}

/// What an action takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// Any words.
    Text(&'static str),
    /// Any words, or nothing.
    MaybeText(&'static str),
    /// A whole number within these bounds.
    Number(i64, i64),
    /// A position as `1:23` or seconds.
    Position,
    /// Seconds forward, or back with a minus.
    Seconds,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or nothing.
    MaybeWord(&'static [&'static str]),
    /// Any words, these among them, or nothing.
    MaybeOf(&'static str, &'static [&'static str]),
    /// A whole number within these bounds, one of these words, or nothing.
    MaybeNumberOrWord(i64, i64, &'static [&'static str]),
}

impl Takes {
    /// How it is written in the help: `0–100`, `off|all|one`.
    pub fn hint(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(what) => what.to_owned(),
            Self::MaybeText(what) | Self::MaybeOf(what, _) => format!("[{what}]"),
            Self::Number(low, high) => format!("{low}–{high}"),
            Self::Position => "1:23".to_owned(),
            Self::Seconds => "±seconds".to_owned(),
            Self::Word(words) => words.join("|"),
            Self::MaybeWord(words) => format!("[{}]", words.join("|")),
            Self::MaybeNumberOrWord(low, high, words) => format!("[{low}–{high}|{}]", words.join("|")),
        }
    }

    /// The words that can be completed.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Word(words)
            | Self::MaybeWord(words)
            | Self::MaybeOf(_, words)
            | Self::MaybeNumberOrWord(_, _, words) => words,
            _ => &[],
        }
    }
}

/// Where actions stand together in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What plays, and how.
    Playing,
    /// What happens with the selected row.
    Selection,
    /// Moving about in a list.
    Moving,
    /// The queue's own.
    Queue,
    /// Making and changing playlists.
    Playlists,
    /// Getting from screen to screen.
    Places,
    /// The program itself.
    Program,
}

impl Group {
    /// Heading in the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Playing => "Playing",
            Self::Selection => "The selected row",
            Self::Moving => "Moving",
            Self::Queue => "Queue",
            Self::Playlists => "Playlists",
            Self::Places => "Places",
            Self::Program => "Segue",
        }
    }
}

/// One entry of the table.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// As written after `:` and in keymap files.
    pub name: &'static str,
    /// What it does, as a listener says it.
    pub about: &'static str,
    /// What follows the name.
    pub takes: Takes,
    /// Where it stands in the help.
    pub group: Group,
    /// Whether a number typed before it (`5j`) means something.
    pub counted: bool,
    /// The screens where it means something; empty for all.
    pub screens: &'static [Screen],
    make: fn(Value) -> Action,
}

/// A parsed argument; numbers carry positions too, in ms.
#[derive(Debug, Clone)]
struct Value {
    text: String,
    number: i64,
    word: Option<usize>,
}

impl Value {
    /// The words that were written, if any were.
    fn written(self) -> Option<String> {
        Some(self.text).filter(|text| !text.is_empty())
    }
}

impl Spec {
    /// Whether it means something on this screen.
    pub fn on(&self, screen: Screen) -> bool {
        self.screens.is_empty() || self.screens.contains(&screen)
    }
}

/// Why a written command is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// Nothing was written.
    #[error("Type a command; Tab completes it.")]
    Empty,
    /// The first word is not in the table.
    #[error("There is no command \"{0}\".")]
    Unknown(String),
    /// The rest does not fit.
    #[error("\"{name}\" takes {wanted}.")]
    Argument {
        /// The command.
        name: &'static str,
        /// What it takes.
        wanted: String,
    },
}

/// Every action, in the order of the help.
pub fn table() -> &'static [Spec] {
    TABLE
}

/// The entry with this name.
pub fn find(name: &str) -> Option<&'static Spec> {
    TABLE.iter().find(|spec| spec.name == name)
}

/// Reads a command as written: a name and, where it takes one, an argument. A screen's name alone goes there.
pub fn parse(line: &str) -> Result<(&'static Spec, Action), ActionError> {
    let line = line.trim();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    if name.is_empty() {
        return Err(ActionError::Empty);
    }
    let spec = match name {
        "q" => find("quit"),
        _ => find(name),
    };
    let Some(spec) = spec else {
        if rest.is_empty() && SCREENS.contains(&name) {
            return parse(&format!("go {name}"));
        }
        return Err(ActionError::Unknown(name.to_owned()));
    };
    let wrong = || ActionError::Argument {
        name: spec.name,
        wanted: match spec.takes {
            Takes::Nothing => "nothing after it".to_owned(),
            Takes::Text(what) | Takes::MaybeText(what) | Takes::MaybeOf(what, _) => format!("a {what}"),
            Takes::Number(low, high) => format!("a number from {low} to {high}"),
            Takes::Position => "a position such as 1:23".to_owned(),
            Takes::Seconds => "seconds, such as 30 or -10".to_owned(),
            Takes::Word(words) | Takes::MaybeWord(words) => format!("one of {}", words.join(", ")),
            Takes::MaybeNumberOrWord(low, high, words) => {
                format!("a number from {low} to {high}, or one of {}", words.join(", "))
            }
        },
    };
    let mut value = Value { text: String::new(), number: 0, word: None };
    match spec.takes {
        Takes::Nothing
        | Takes::MaybeWord(_)
        | Takes::MaybeText(_)
        | Takes::MaybeOf(..)
        | Takes::MaybeNumberOrWord(..)
            if rest.is_empty() => {}
        Takes::Nothing => return Err(wrong()),
        Takes::Text(_) if rest.is_empty() => return Err(wrong()),
        Takes::Text(_) | Takes::MaybeText(_) | Takes::MaybeOf(..) => rest.clone_into(&mut value.text),
        Takes::Number(low, high) => {
            value.number = rest.parse().ok().filter(|n| (low..=high).contains(n)).ok_or_else(wrong)?;
        }
        Takes::MaybeNumberOrWord(low, high, words) => match words.iter().position(|word| *word == rest) {
            Some(word) => value.word = Some(word),
            None => {
                value.number = rest.parse().ok().filter(|n| (low..=high).contains(n)).ok_or_else(wrong)?;
            }
        },
        Takes::Position => value.number = position(rest).ok_or_else(wrong)?,
        Takes::Seconds => {
            let seconds: i64 = rest.trim_end_matches('s').parse().map_err(|_| wrong())?;
            value.number = seconds.checked_mul(1000).ok_or_else(wrong)?;
        }
        Takes::Word(words) | Takes::MaybeWord(words) => {
            value.word = Some(words.iter().position(|word| *word == rest).ok_or_else(wrong)?);
        }
    }
    Ok((spec, (spec.make)(value)))
}

/// `83`, `1:23` and `1:02:03` in milliseconds.
fn position(text: &str) -> Option<i64> {
    let mut seconds = 0i64;
    for (i, part) in text.split(':').enumerate() {
        let n: u32 = part.parse().ok()?;
        if i > 2 || (i > 0 && n > 59) {
            return None;
        }
        seconds = seconds.checked_mul(60)?.checked_add(i64::from(n))?;
    }
    seconds.checked_mul(1000)
}

/// What `line` may become: names that begin with it, or words for the argument being written.
pub fn complete(line: &str) -> Vec<(String, &'static str)> {
    let line = line.trim_start();
    match line.split_once(' ') {
        None => TABLE
            .iter()
            .filter(|spec| spec.name.starts_with(line))
            .chain(TABLE.iter().filter(|spec| !spec.name.starts_with(line) && spec.name.contains(line)))
            .map(|spec| (spec.name.to_owned(), spec.about))
            .collect(),
        Some((name, rest)) => find(name)
            .map(|spec| {
                let words = spec.takes.words().iter().filter(|word| word.starts_with(rest.trim_start()));
                words.map(|word| (format!("{name} {word}"), spec.about)).collect()
            })
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::table::EQUALIZERS;
    use super::*;

    #[test]
    fn names_are_unique() {
        for (i, spec) in TABLE.iter().enumerate() {
            assert!(TABLE.iter().skip(i + 1).all(|other| other.name != spec.name), "{} twice", spec.name);
        }
    }

    #[test]
    fn written_commands() {
        let read = |line| parse(line).map(|(_, action)| action);
        assert_eq!(read("volume 40"), Ok(Action::Volume(40)));
        assert_eq!(read(" seek 1:02:03 "), Ok(Action::SeekTo(3_723_000)));
        assert_eq!(read("seek-by -5"), Ok(Action::SeekBy(-5000)));
        assert_eq!(read("repeat one"), Ok(Action::Repeat(Some(Repeat::One))));
        assert_eq!(read("repeat"), Ok(Action::Repeat(None)));
        assert_eq!(read("replaygain album"), Ok(Action::ReplayGain(Some(GainMode::Album))));
        assert_eq!(read("crossfade 4"), Ok(Action::Treat(Treat::Crossfade(Some(4)))));
        assert_eq!(read("crossfade off"), Ok(Action::Treat(Treat::Crossfade(Some(0)))));
        assert_eq!(read("crossfade"), Ok(Action::Treat(Treat::Crossfade(None))));
        assert_eq!(read("speed 1.25"), Ok(Action::Treat(Treat::Speed(Some("1.25".into())))));
        assert_eq!(read("bit-perfect"), Ok(Action::Treat(Treat::BitPerfect(None))));
        assert_eq!(
            read("output USB Speakers"),
            Ok(Action::Treat(Treat::Output(Some("USB Speakers".into()))))
        );
        assert_eq!(EQUALIZERS, crate::audio::PRESETS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        assert_eq!(read("sleep 30"), Ok(Action::Sleep(Some(Bedtime::Minutes(30)))));
        assert_eq!(read("sleep track"), Ok(Action::Sleep(Some(Bedtime::TrackEnd))));
        assert_eq!(read("sleep off"), Ok(Action::Sleep(Some(Bedtime::Off))));
        assert_eq!(read("sleep"), Ok(Action::Sleep(None)));
        assert!(matches!(read("sleep 0"), Err(ActionError::Argument { name: "sleep", .. })));
        assert_eq!(read("go queue"), Ok(Action::Go(Screen::Queue)));
        assert_eq!(read("queue"), Ok(Action::Go(Screen::Queue)));
        assert_eq!(read("q"), Ok(Action::Quit));
        assert!(matches!(read("volume 140"), Err(ActionError::Argument { name: "volume", .. })));
        assert!(matches!(read("seek 1:99"), Err(ActionError::Argument { .. })));
        assert!(matches!(read("play it"), Err(ActionError::Argument { .. })));
        assert_eq!(read("dance"), Err(ActionError::Unknown("dance".to_owned())));
    }

    #[test]
    fn screens_stand_in_one_order() {
        for (word, screen) in SCREENS.iter().zip(Screen::ALL) {
            assert_eq!(screen.title().to_lowercase(), *word);
        }
        assert_eq!(SCREENS.len(), Screen::ALL.len());
    }

    #[test]
    fn completion_offers_names_then_words() {
        assert_eq!(complete("volume-").first().map(|c| c.0.as_str()), Some("volume-by"));
        assert_eq!(complete("repeat o").len(), 2);
        assert_eq!(complete("play").first().map(|c| c.0.as_str()), Some("play"));
    }
}
