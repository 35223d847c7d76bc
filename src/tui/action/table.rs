//! The table itself: what there is, what it takes, and where it means something.

use super::{Action, Bedtime, Group, Less, Spec, Takes, Treat, Value, Which};
use crate::player::{GainMode, Repeat};
use crate::tui::state::{Screen, Span};

const fn plain(name: &'static str, about: &'static str, group: Group, make: fn(Value) -> Action) -> Spec {
    Spec { name, about, takes: Takes::Nothing, group, counted: false, screens: &[], make }
}

const fn counted(mut spec: Spec) -> Spec {
    spec.counted = true;
    spec
}

const fn taking(mut spec: Spec, takes: Takes) -> Spec {
    spec.takes = takes;
    spec
}

const fn only(mut spec: Spec, screens: &'static [Screen]) -> Spec {
    spec.screens = screens;
    spec
}

const ON_OFF: &[&str] = &["on", "off"];
const REPEATS: &[&str] = &["off", "all", "one"];
const GAINS: &[&str] = &["off", "track", "album", "auto"];
const CROSSFADES: &[&str] = &["off"];
const SPEEDS: &[&str] = &["0.5", "0.75", "1", "1.25", "1.5", "2"];
pub(super) const EQUALIZERS: &[&str] =
    &["off", "bass", "treble", "vocal", "rock", "pop", "classical", "electronic", "quiet", "speech"];
const OUTPUTS: &[&str] = &["default", "silent"];
const BEDTIMES: &[&str] = &["off", "track"];
const LESS: &[&str] = &["artist"];
pub(super) const SCREENS: &[&str] = &[
    "home",
    "library",
    "search",
    "queue",
    "album",
    "downloads",
    "player",
    "mix",
    "playlists",
    "playlist",
    "statistics",
    "settings",
    "log",
    "artist",
    "details",
    "doctor",
    "year",
    "insights",
    "privacy",
];
const LISTS: &[Screen] = &[
    Screen::Library,
    Screen::Album,
    Screen::Queue,
    Screen::Mix,
    Screen::Playlists,
    Screen::Playlist,
    Screen::Log,
    Screen::Artist,
];
/// Where rows are selected together.
const MANY: &[Screen] = &[
    Screen::Library,
    Screen::Album,
    Screen::Search,
    Screen::Queue,
    Screen::Mix,
    Screen::Playlists,
    Screen::Playlist,
    Screen::Artist,
];
const ORDERED: &[Screen] = &[Screen::Queue, Screen::Playlist];
const EDITED: &[Screen] = &[Screen::Queue, Screen::Playlist, Screen::Playlists];
const OF_LISTS: &[Screen] = &[Screen::Playlists, Screen::Playlist];
const JUMPED: &[Screen] =
    &[Screen::Library, Screen::Album, Screen::Artist, Screen::Mix, Screen::Playlists, Screen::Playlist];
const SEARCH: &[Screen] = &[Screen::Search];
const DOWNLOADS: &[Screen] = &[Screen::Downloads];
const PLAYER: &[Screen] = &[Screen::Player];
const STATISTICS: &[Screen] = &[Screen::Statistics];
const BROWSED: &[&str] = &["artists", "genres", "years"];
const YEARS: &[&str] = &["last"];
const ERASED: &[&str] = &["everything", "back"];
const SPANS: &[&str] = &["day", "week", "month", "year", "all"];

pub(super) static TABLE: &[Spec] = &[
    plain("toggle", "play or pause", Group::Playing, |_| Action::Toggle),
    counted(plain("next", "next track", Group::Playing, |_| Action::Next)),
    plain("previous", "this one again, or the one before", Group::Playing, |_| Action::Previous),
    counted(taking(
        plain("seek-by", "seek forward or back", Group::Playing, |v| Action::SeekBy(v.number)),
        Takes::Seconds,
    )),
    taking(
        plain("seek", "seek to a position", Group::Playing, |v| Action::SeekTo(v.number.unsigned_abs())),
        Takes::Position,
    ),
    counted(taking(
        plain("volume-by", "louder or quieter", Group::Playing, |v| {
            Action::VolumeBy(i8::try_from(v.number).unwrap_or(0))
        }),
        Takes::Number(-100, 100),
    )),
    taking(
        plain("volume", "this loud", Group::Playing, |v| Action::Volume(u8::try_from(v.number).unwrap_or(0))),
        Takes::Number(0, 100),
    ),
    plain("mute", "sound off and on", Group::Playing, |_| Action::Mute),
    taking(
        plain("shuffle", "shuffle on or off", Group::Playing, |v| Action::Shuffle(v.word.map(|w| w == 0))),
        Takes::MaybeWord(ON_OFF),
    ),
    taking(
        plain("repeat", "repeat off, all, one", Group::Playing, |v| {
            Action::Repeat(
                v.word.map(|w| [Repeat::Off, Repeat::All, Repeat::One].get(w).copied().unwrap_or_default()),
            )
        }),
        Takes::MaybeWord(REPEATS),
    ),
    taking(
        plain("replaygain", "even loudness", Group::Playing, |v| {
            let modes = [GainMode::Off, GainMode::Track, GainMode::Album, GainMode::Auto];
            Action::ReplayGain(v.word.map(|w| modes.get(w).copied().unwrap_or_default()))
        }),
        Takes::MaybeWord(GAINS),
    ),
    taking(
        plain("crossfade", "seconds of both tracks", Group::Playing, |v| {
            let seconds = u8::try_from(v.number).ok().filter(|n| *n > 0);
            Action::Treat(Treat::Crossfade(v.word.map(|_| 0).or(seconds)))
        }),
        Takes::MaybeNumberOrWord(1, 12, CROSSFADES),
    ),
    taking(
        plain("speed", "faster, at the same pitch", Group::Playing, |v| {
            Action::Treat(Treat::Speed(v.written()))
        }),
        Takes::MaybeOf("0.5–2", SPEEDS),
    ),
    taking(
        plain("equalizer", "a preset, or ten dB", Group::Playing, |v| {
            Action::Treat(Treat::Equalizer(v.written()))
        }),
        Takes::MaybeOf("preset", EQUALIZERS),
    ),
    taking(
        plain("bit-perfect", "touch no sample", Group::Playing, |v| {
            Action::Treat(Treat::BitPerfect(v.word.map(|w| w == 0)))
        }),
        Takes::MaybeWord(ON_OFF),
    ),
    taking(
        plain("output", "sound device by name", Group::Playing, |v| {
            Action::Treat(Treat::Output(v.written()))
        }),
        Takes::MaybeOf("device", OUTPUTS),
    ),
    taking(
        plain("sleep", "sleep timer", Group::Playing, |v| {
            Action::Sleep(match (v.word, u64::try_from(v.number)) {
                (Some(0), _) => Some(Bedtime::Off),
                (Some(_), _) => Some(Bedtime::TrackEnd),
                (None, Ok(minutes)) if minutes > 0 => Some(Bedtime::Minutes(minutes)),
                (None, _) => None,
            })
        }),
        Takes::MaybeNumberOrWord(1, 1440, BEDTIMES),
    ),
    taking(
        plain("lyrics", "words of what plays", Group::Playing, |v| Action::Lyrics(v.word.map(|w| w == 0))),
        Takes::MaybeWord(ON_OFF),
    ),
    only(
        counted(plain("lyrics-sooner", "words a tenth of a second sooner", Group::Playing, |_| {
            Action::LyricsSooner(1)
        })),
        PLAYER,
    ),
    only(
        counted(plain("lyrics-later", "words a tenth of a second later", Group::Playing, |_| {
            Action::LyricsSooner(-1)
        })),
        PLAYER,
    ),
    only(
        taking(
            plain("lyrics-offset", "words sooner by so many ms", Group::Playing, |v| {
                Action::LyricsOffset(v.number)
            }),
            Takes::Number(-60_000, 60_000),
        ),
        PLAYER,
    ),
    taking(
        plain("spectrum", "spectrum and levels", Group::Playing, |v| {
            Action::Spectrum(v.word.map(|w| w == 0))
        }),
        Takes::MaybeWord(ON_OFF),
    ),
    plain("love-playing", "love what plays", Group::Playing, |_| Action::LovePlaying),
    plain("why-playing", "why what plays is there", Group::Playing, |_| Action::WhyPlaying),
    plain("stop", "stop", Group::Playing, |_| Action::Stop),
    plain("play", "play now", Group::Selection, |_| Action::Play),
    plain("open", "open its page", Group::Selection, |_| Action::Open),
    plain("shuffle-play", "play it shuffled", Group::Selection, |_| Action::ShufflePlay),
    plain("enqueue", "add to up next", Group::Selection, |_| Action::Enqueue),
    plain("enqueue-next", "play it next", Group::Selection, |_| Action::EnqueueNext),
    plain("love", "love it, or no more", Group::Selection, |_| Action::Love),
    plain("pin", "keep it on this device, or no more", Group::Selection, |_| Action::Pin),
    taking(
        plain("rate", "rate it, 0–5", Group::Selection, |v| {
            Action::Rate(u8::try_from(v.number).unwrap_or(0))
        }),
        Takes::Number(0, 5),
    ),
    plain("why", "why this song", Group::Selection, |_| Action::Why),
    taking(
        plain("less", "less of this, or no longer", Group::Selection, |v| {
            Action::Less(if v.word.is_some() { Less::Artist } else { Less::Selected })
        }),
        Takes::MaybeWord(LESS),
    ),
    plain("radio", "radio from it, without end", Group::Selection, |_| Action::Radio),
    plain("path", "from what plays to it, step by step", Group::Selection, |_| Action::Path),
    plain("artist", "its artist; there, in the library", Group::Selection, |_| Action::Artist),
    plain("details", "everything about the track", Group::Selection, |_| Action::Details),
    counted(plain("down", "row below", Group::Moving, |_| Action::Down)),
    counted(plain("up", "row above", Group::Moving, |_| Action::Up)),
    counted(plain("left", "to the left", Group::Moving, |_| Action::Left)),
    counted(plain("right", "to the right", Group::Moving, |_| Action::Right)),
    counted(plain("top", "first row", Group::Moving, |_| Action::Top)),
    counted(plain("bottom", "last row; 5G is the fifth", Group::Moving, |_| Action::Bottom)),
    counted(plain("half-down", "half a screen down", Group::Moving, |_| Action::HalfDown)),
    counted(plain("half-up", "half a screen up", Group::Moving, |_| Action::HalfUp)),
    counted(plain("page-down", "a screen down", Group::Moving, |_| Action::PageDown)),
    counted(plain("page-up", "a screen up", Group::Moving, |_| Action::PageUp)),
    counted(plain("next-group", "next group or column", Group::Moving, |_| Action::NextGroup)),
    only(plain("filter", "narrow this list by words", Group::Moving, |_| Action::Filter), LISTS),
    only(plain("jump", "type letters to jump there", Group::Moving, |_| Action::Jump), JUMPED),
    only(counted(plain("next-match", "next row that matches", Group::Moving, |_| Action::NextMatch)), LISTS),
    only(
        counted(plain("previous-match", "previous row that matches", Group::Moving, |_| {
            Action::PreviousMatch
        })),
        LISTS,
    ),
    only(plain("select", "select rows together", Group::Selection, |_| Action::Select), MANY),
    only(counted(plain("move-down", "move the row down", Group::Queue, |_| Action::MoveDown)), ORDERED),
    only(counted(plain("move-up", "move the row up", Group::Queue, |_| Action::MoveUp)), ORDERED),
    only(counted(plain("remove", "take the row out", Group::Queue, |_| Action::Remove)), EDITED),
    counted(plain("undo", "take the last edit back", Group::Queue, |_| Action::Undo)),
    counted(plain("redo", "do it again", Group::Queue, |_| Action::Redo)),
    plain("clear-up-next", "empty up next", Group::Queue, |_| Action::ClearUpNext),
    taking(
        plain("add-to-playlist", "add it to a playlist", Group::Playlists, |v| Action::AddToPlaylist(v.text)),
        Takes::MaybeText("name of a playlist"),
    ),
    taking(
        plain("new-playlist", "make a playlist", Group::Playlists, |v| Action::NewPlaylist(v.text)),
        Takes::Text("name"),
    ),
    taking(
        plain("save-queue", "make a playlist of the queue", Group::Playlists, |v| Action::SaveQueue(v.text)),
        Takes::Text("name"),
    ),
    only(
        taking(
            plain("rename-playlist", "call it otherwise", Group::Playlists, |v| {
                Action::RenamePlaylist(v.text)
            }),
            Takes::Text("name"),
        ),
        OF_LISTS,
    ),
    taking(
        plain("go", "go to a screen", Group::Places, |v| {
            Action::Go(v.word.and_then(|w| Screen::ALL.get(w).copied()).unwrap_or_default())
        }),
        Takes::Word(SCREENS),
    ),
    only(
        taking(
            plain("span", "statistics of this time", Group::Places, |v| {
                Action::Span(v.word.and_then(|w| Span::ALL.get(w).copied()).unwrap_or_default())
            }),
            Takes::Word(SPANS),
        ),
        STATISTICS,
    ),
    taking(
        plain("year", "a year as a story", Group::Places, |v| {
            Action::Year(match v.word {
                Some(_) => Which::Last,
                None if v.number > 0 => Which::Of(v.number),
                None => Which::Now,
            })
        }),
        Takes::MaybeNumberOrWord(1970, 9999, YEARS),
    ),
    only(
        taking(
            plain("keep-search", "keep this search as a playlist", Group::Places, |v| {
                Action::KeepSearch(v.text)
            }),
            Takes::Text("name, and limit:50 sort:-year shuffle:"),
        ),
        SEARCH,
    ),
    taking(
        plain("browse", "library by artist, genre, year", Group::Places, |v| Action::Browse(v.word)),
        Takes::MaybeWord(BROWSED),
    ),
    plain("playing-album", "the album of what plays", Group::Places, |_| Action::PlayingAlbum),
    plain("playing-artist", "the artist of what plays", Group::Places, |_| Action::PlayingArtist),
    plain("pin-starred", "keep everything starred here, or no more", Group::Places, |_| Action::PinStarred),
    only(
        plain("pause-downloads", "pause downloads, or go on", Group::Places, |_| Action::PauseDownloads),
        DOWNLOADS,
    ),
    only(
        plain("retry-downloads", "try again what failed", Group::Places, |_| Action::RetryDownloads),
        DOWNLOADS,
    ),
    plain("back", "back; on the first page, leave", Group::Places, |_| Action::Back),
    plain("palette", "find any action by a few letters", Group::Program, |_| Action::Palette),
    plain("row-menu", "what can be done with it", Group::Selection, |_| Action::RowMenu),
    taking(
        plain("command", "command line, Tab completes", Group::Program, |v| Action::CommandLine(v.text)),
        Takes::MaybeText("what to begin with"),
    ),
    taking(
        plain("theme", "choose the colours", Group::Program, |v| {
            Action::Theme((!v.text.is_empty()).then_some(v.text))
        }),
        Takes::MaybeText("name of a theme"),
    ),
    plain("help", "what the keys do here", Group::Program, |_| Action::Help),
    plain("cancel", "dismiss what lies on top", Group::Program, |_| Action::Cancel),
    plain("sync", "fetch news from the server", Group::Program, |_| Action::Sync),
    taking(
        plain("server", "change over to another profile", Group::Program, |v| Action::Server(v.text)),
        Takes::Text("name of a profile"),
    ),
    plain("devices", "play on another player", Group::Playing, |_| Action::Devices),
    taking(
        plain("device", "play on the player", Group::Playing, |v| Action::Device(v.text)),
        Takes::Text("name, or here"),
    ),
    taking(
        plain("profiling", "whether mixes are made for you", Group::Program, |v| {
            Action::Profiling(v.word == Some(0))
        }),
        Takes::Word(ON_OFF),
    ),
    plain("privacy", "what is kept of you, and your plan", Group::Program, |_| Action::Go(Screen::Privacy)),
    taking(
        plain("purpose", "allow or forbid a use of your data", Group::Program, |v| Action::Purpose(v.text)),
        Takes::Text("purpose on|off"),
    ),
    taking(
        plain("export", "copy what is kept of you", Group::Program, |v| Action::Export(v.text)),
        Takes::MaybeText("file"),
    ),
    taking(
        plain("erase", "end the account, or come back", Group::Program, |v| {
            Action::Erase(v.word.map(|word| word == 0))
        }),
        Takes::MaybeWord(ERASED),
    ),
    taking(
        plain("private", "a private session: tell nobody", Group::Program, |v| {
            Action::Private(v.word.map(|word| word == 0))
        }),
        Takes::MaybeWord(ON_OFF),
    ),
    plain("redraw", "draw anew, read again what failed", Group::Program, |_| Action::Redraw),
    plain("suspend", "back to the shell until fg", Group::Program, |_| Action::Suspend),
    plain("background", "leave the screen, play on", Group::Program, |_| Action::Background),
    plain("quit", "leave", Group::Program, |_| Action::Quit),
];
