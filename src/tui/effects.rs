//! What `update` wants done outside, and what comes back.
//!
//! `update` returns `Effect`s; the event loop carries each out in a task of its own and feeds what comes of it
//! back as a `Msg`. Questions carry a ticket: a screen that has asked something newer drops the late answer.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};

use super::Clock;
use super::action::Action;
use super::cover::{CoverArt, CoverKey};
use super::graphics::Graphics;
use crate::catalog::{AlbumList, HitKind, Insights, KeptMix, Pin, Report, Rules, Sorted, Year};
use crate::client::{DownloadStatus, SessionStatus};
use crate::music::calendar::Period;
use crate::music::{
    Album, AlbumId, Artist, ArtistId, Item, Lyrics, Marks, Playlist, PlaylistId, Purpose, Track, TrackId,
    Window,
};
use crate::player::{Command, Status};

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read the local catalog.
    Ask {
        /// Comes back with the answer.
        ticket: u64,
        /// What to read.
        request: Request,
    },
    /// Collect tracks, then do something with them.
    Gather {
        /// Which ones.
        source: Source,
        /// What for.
        then: Then,
    },
    /// Star or unstar.
    Star {
        /// The item.
        item: Item,
        /// When it was starred, Unix ms; `None` to take the star away.
        at: Option<i64>,
        /// Marks before, to go back to when it fails.
        before: Marks,
    },
    /// Rate.
    Rate {
        /// The item.
        item: Item,
        /// 0–5.
        rating: u8,
        /// Marks before, to go back to when it fails.
        before: Marks,
    },
    /// Pin something, or take its pin away.
    Pin {
        /// What.
        pin: Pin,
        /// Whether it is to be pinned.
        on: bool,
    },
    /// Radio without end.
    Radio {
        /// What it grows from.
        source: Source,
        /// Whether that plays already, so that only what follows changes.
        goes_on: bool,
    },
    /// A way from one track to another, right after what plays.
    Path {
        /// What plays.
        from: TrackId,
        /// Where it leads.
        to: TrackId,
        /// Title of that.
        title: String,
    },
    /// Less of something from now on, or no longer less.
    Less {
        /// Of what.
        item: Item,
        /// What the listener calls it.
        name: String,
        /// Of its artist rather than of itself.
        artist: bool,
    },
    /// Whether mixes may be made of what the listener does.
    Profiling(bool),
    /// Allow or forbid a use of the listener's data.
    Decide {
        /// Which.
        purpose: Purpose,
        /// Whether it is allowed from now on.
        on: bool,
    },
    /// What the server does only for who has the password.
    Privacy {
        /// What.
        wish: PrivacyWish,
        /// The password; empty for what this player can do by itself.
        password: Password,
    },
    /// Change a playlist.
    Playlist(PlaylistWish),
    /// Keep a search as a smart playlist.
    KeepSearch {
        /// Its name.
        name: String,
        /// Its rules.
        rules: Box<Rules>,
    },
    /// Pause the downloads, or go on.
    PauseDownloads(bool),
    /// Try again what could not be downloaded.
    RetryDownloads,
    /// Tell the player.
    Player(Command),
    /// Fetch and decode a picture, for a terminal that draws pictures so.
    Cover(CoverKey, Graphics),
    /// Send `Msg::Timer` after a while.
    Timer {
        /// Which one.
        timer: Timer,
        /// In milliseconds.
        after_ms: u64,
    },
    /// Keep a word for the next start.
    Keep {
        /// Under this name.
        name: &'static str,
        /// The word.
        value: String,
    },
    /// Let the player of this name or id play in the place of the one that plays.
    PlayOn(String),
    /// Ask the session to fetch what changed.
    Sync,
    /// Remember by how much the words of a track come sooner, in ms.
    KeepOffset {
        /// The track.
        track: TrackId,
        /// Later where it is negative.
        ms: i64,
    },
    /// The listener dismissed what the session said.
    ProblemRead,
    /// Clear the terminal and draw everything.
    Redraw,
    /// Stop the process until the shell continues it.
    Suspend,
}

/// Time-outs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// For a key that waits for a companion, by stamp.
    Keys(u64),
    /// For a notice, by id.
    Notice(u64),
    /// The log may have grown.
    Log,
    /// What other players do may be another thing by now.
    Places,
    /// For a long title, by stamp.
    Slide(u64),
    /// For words that the listener moved, by stamp.
    Lyrics(u64),
}

/// A question to the local catalog.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Everything on the opening screen.
    Home,
    /// A page of album artists.
    Artists(Window),
    /// Artists whose names match.
    FindArtists(String),
    /// Where an artist stands in the list of all.
    PlaceOf(ArtistId),
    /// Where letters lead in a sorted list.
    PlaceOfLetters(Sorted, String),
    /// Albums of an artist.
    AlbumsOf(ArtistId),
    /// A page of genres.
    Genres(Window),
    /// Genres whose names have these words.
    FindGenres(String),
    /// Where letters lead among the genres.
    PlaceOfGenre(String),
    /// How many albums each year has.
    Years,
    /// A page of a list of albums.
    Albums(AlbumList, Window),
    /// Albums of a list that match.
    FindAlbums(AlbumList, String),
    /// Tracks of an album.
    TracksOf(AlbumId),
    /// An album with its tracks.
    Album(AlbumId),
    /// An artist with their records.
    Artist(ArtistId),
    /// A mix with its tracks.
    Mix(String),
    /// Why a track is where it is.
    Why {
        /// The track.
        track: TrackId,
        /// The mix or radio that it is seen in; empty elsewhere.
        context: String,
    },
    /// Everything about a track.
    Details {
        /// The track.
        track: TrackId,
        /// The mix or radio that it was seen in; empty elsewhere.
        context: String,
    },
    /// Everything that matches.
    Search(String),
    /// What was heard in a period; `now` (Unix ms) and `minutes` ahead of UTC say which day it is.
    Insights {
        /// Which one.
        period: Period,
        /// Unix ms.
        now: i64,
        /// Minutes ahead of UTC.
        minutes: i64,
    },
    /// A year as a story.
    Year {
        /// Which one.
        year: i64,
        /// Unix ms.
        now: i64,
        /// Minutes ahead of UTC.
        minutes: i64,
    },
    /// What the server tells its administrators of the days from one to the other, the second one left out.
    Operators((i64, i64)),
    /// The end of the log in this file.
    Log(PathBuf),
    /// What works on this machine.
    Doctor,
    /// What is kept of the listener.
    Privacy,
    /// The players that the music can go to.
    Places,
    /// The words of a track.
    Lyrics {
        /// The track.
        track: Arc<Track>,
        /// Those that are kept here; else those of the server.
        kept: bool,
    },
    /// All playlists.
    Playlists,
    /// A playlist with its tracks.
    Playlist(PlaylistId),
}

/// What a listener may ask of the server about themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivacyWish {
    /// A copy into this file.
    Export(PathBuf),
    /// To be erased.
    Erase,
    /// To stay after all.
    TakeBack,
}

/// A password on its way. `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// What is kept of the listener, and what they decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivacyData {
    /// Each use.
    pub decisions: Vec<Decision>,
    /// What this player keeps: `1,204 plays`, `2 playlists`.
    pub here: Vec<String>,
    /// What the server says; none while it cannot be asked, or where it does not know the question.
    pub there: Option<PrivacyThere>,
}

/// What a server keeps of the listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivacyThere {
    /// When it erases the account, Unix ms.
    pub erase_at: Option<i64>,
    /// As of the player.
    pub counts: Vec<String>,
}

/// How a use of the listener's data stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Which.
    pub purpose: Purpose,
    /// Whether it is allowed.
    pub on: bool,
    /// When that was decided, Unix ms.
    pub at: Option<i64>,
    /// Whether the server has not been told yet.
    pub waits: bool,
}

/// What the catalog says.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To `Home`.
    Home(Box<HomeData>),
    /// To `Artists`, with how many there are in all, and to `FindArtists`.
    Artists(Vec<Artist>, u64),
    /// To `Genres`, with the number of their albums and how many there are in all, and to `FindGenres`.
    Genres(Vec<(String, u64)>, u64),
    /// To `Years`: the last year first.
    Years(Vec<(i32, u64)>),
    /// To `PlaceOf`, `PlaceOfGenre` and `PlaceOfLetters`: counted from 0, `None` when it is not there.
    Place(Option<usize>),
    /// To `Albums`, with how many there are in all.
    AlbumPage(Vec<Album>, u64),
    /// To `AlbumsOf` and `FindAlbums`.
    Albums(Vec<Album>),
    /// To `TracksOf`.
    Tracks(Vec<Track>),
    /// To `Album`; `None` when it is gone.
    Album(Option<Box<Album>>, Vec<Track>),
    /// To `Artist`.
    Artist(Box<ArtistData>),
    /// To `Mix`; `None` when it is gone.
    Mix(Option<Box<KeptMix>>, Vec<Track>),
    /// To `Why`: sentences.
    Why(Vec<String>),
    /// To `Details`.
    Details(Box<DetailsData>),
    /// To `Search`.
    Found(Box<Found>),
    /// To `Insights`.
    Insights(Box<Insights>),
    /// To `Year`.
    Year(Box<Year>),
    /// To `Operators`; one sentence where the server does not tell.
    Operators(Result<Box<Report>, String>),
    /// To `Log`: its lines, or why it cannot be read.
    Log(Result<Vec<String>, String>),
    /// To `Doctor`.
    Doctor(Vec<Finding>),
    /// To `Privacy`.
    Privacy(Box<PrivacyData>),
    /// To `Places`; one sentence where nobody can tell.
    Places(Result<Vec<Place>, String>),
    /// To `Lyrics`.
    Lyrics {
        /// The best first.
        found: Vec<Lyrics>,
        /// By how much they come sooner, ms.
        offset_ms: i64,
    },
    /// To `Playlists`.
    Playlists(Vec<Playlist>),
    /// To `Playlist`; `None` when it is gone.
    Playlist(Option<Box<Playlist>>, Vec<Track>),
}

/// What the opening screen shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HomeData {
    /// Tracks in the library.
    pub tracks: u64,
    /// Albums in the library.
    pub albums: u64,
    /// Artists in the library.
    pub artists: u64,
    /// Length of it all in ms.
    pub duration_ms: u64,
    /// Mixes that were made for the listener.
    pub mixes: Vec<KeptMix>,
    /// Whether the listener opted out of them.
    pub unprofiled: bool,
    /// Albums that came lately.
    pub added: Vec<Album>,
    /// Tracks heard lately, newest first.
    pub played: Vec<Track>,
    /// Tracks heard most.
    pub most: Vec<Track>,
    /// Tracks that are loved.
    pub loved: Vec<Track>,
    /// What is on this machine.
    pub device: Device,
}

/// What an artist's page shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ArtistData {
    /// The artist; `None` when it is gone.
    pub artist: Option<Artist>,
    /// Records under this name.
    pub albums: Vec<Album>,
    /// Records of others with something by this artist.
    pub guest: Vec<Album>,
    /// What is heard most.
    pub top: Vec<Track>,
}

/// Everything about one track.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DetailsData {
    /// The track; `None` when it is gone.
    pub track: Option<Track>,
    /// The release that it is on.
    pub album: Option<Album>,
    /// Why it is where it is: sentences.
    pub why: Vec<String>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Note,
    /// It will not work.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub health: Health,
    /// What it belongs to, such as `sound`.
    pub area: String,
    /// How it is, as a sentence.
    pub what: String,
    /// What to do about it, as a sentence; empty where nothing is to be done.
    pub advice: String,
}

/// A player that the music can go to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its id; `here` for this machine.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whether what is driven here sounds there.
    pub chosen: bool,
    /// Whether it listens.
    pub online: bool,
    /// What it does, in few words.
    pub about: String,
}

/// Music on this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Device {
    /// Tracks that play without a server.
    pub tracks: u64,
    /// Bytes they take.
    pub bytes: u64,
    /// Bytes they may take.
    pub limit: u64,
}

/// Results of a search.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Artists, best first.
    pub artists: Vec<Artist>,
    /// Albums, best first.
    pub albums: Vec<Album>,
    /// Tracks, best first.
    pub tracks: Vec<Track>,
    /// Playlists, best first.
    pub playlists: Vec<Playlist>,
    /// The kinds, the one that agrees best first.
    pub order: Vec<HitKind>,
    /// By kind, how many of its rows belong before the next kind's.
    pub leads: [usize; 4],
    /// Words that were read otherwise than typed.
    pub read: Vec<(String, String)>,
    /// How long the catalog took, in microseconds.
    pub took_us: u64,
}

impl Found {
    /// Rows asked for in each group: more than a screen has, so that the count under them is honest up to here.
    pub const LIMITS: (u64, u64, u64, u64) = (5, 8, 100, 5);
}

/// Tracks to collect.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// All of an artist's, album by album.
    Artist(ArtistId, String),
    /// An album's.
    Album(AlbumId, String),
    /// The album of this track.
    AlbumOf(TrackId, AlbumId, String),
    /// A list of albums, one after the other; of a genre only its tracks.
    List(AlbumList, String),
    /// This track alone.
    One(TrackId, String),
    /// A mix's.
    Mix(String, String),
    /// A playlist's.
    Playlist(PlaylistId, String),
    /// These.
    Tracks(Vec<Track>, String),
    /// Those of several, one after the other.
    Several(Vec<Source>, String),
}

impl Source {
    /// What the queue calls it.
    pub fn name(&self) -> &str {
        match self {
            Self::Artist(_, name)
            | Self::Album(_, name)
            | Self::AlbumOf(_, _, name)
            | Self::List(_, name)
            | Self::One(_, name)
            | Self::Mix(_, name)
            | Self::Playlist(_, name)
            | Self::Tracks(_, name)
            | Self::Several(_, name) => name,
        }
    }
}

/// A change of one playlist.
#[derive(Debug, Clone, PartialEq)]
pub enum PlaylistWish {
    /// Make one of these tracks.
    Create {
        /// Its name.
        name: String,
        /// What stands in it.
        source: Source,
    },
    /// Add at its end.
    Add {
        /// Which one.
        id: PlaylistId,
        /// What.
        source: Source,
    },
    /// Take rows out, counted from 0 as they are shown.
    Remove {
        /// Which one.
        id: PlaylistId,
        /// The rows.
        rows: Vec<usize>,
    },
    /// Move rows as one block, counted from 0 as they are shown.
    Move {
        /// Which one.
        id: PlaylistId,
        /// The rows.
        rows: Vec<usize>,
        /// How far, negative for up.
        by: isize,
    },
    /// Give it another name.
    Rename {
        /// Which one.
        id: PlaylistId,
        /// The name.
        name: String,
    },
    /// Delete it.
    Delete {
        /// Which one.
        id: PlaylistId,
    },
    /// Take a change back, or do it again.
    Turn {
        /// The change.
        step: Box<PlaylistStep>,
        /// Whether it is to be done again.
        redo: bool,
    },
}

impl PlaylistWish {
    /// The playlist that is changed; none when one is made.
    pub fn id(&self) -> Option<&PlaylistId> {
        match self {
            Self::Create { .. } => None,
            Self::Add { id, .. }
            | Self::Remove { id, .. }
            | Self::Move { id, .. }
            | Self::Rename { id, .. }
            | Self::Delete { id } => Some(id),
            Self::Turn { step, .. } => Some(&step.id),
        }
    }
}

/// What stands in a playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Its name.
    pub name: String,
    /// Its comment.
    pub comment: String,
    /// Whether others may read it.
    pub public: bool,
    /// Its entries, those of tracks that are not here too.
    pub tracks: Vec<TrackId>,
}

/// A change of a playlist that was made, with both sides of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaylistStep {
    /// Which one, as it is called now.
    pub id: PlaylistId,
    /// Before; none when it was made.
    pub before: Option<Contents>,
    /// After; none when it was deleted.
    pub after: Option<Contents>,
    /// What was done, to go on after "Undone: ".
    pub what: String,
}

impl PlaylistStep {
    /// The playlist's name.
    pub fn name(&self) -> &str {
        self.after.as_ref().or(self.before.as_ref()).map_or("", |side| side.name.as_str())
    }
}

/// What collected tracks are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Play them now.
    Play {
        /// In chance order.
        shuffled: bool,
    },
    /// Add them to the end of what is up next.
    Enqueue,
    /// Put them right after what plays.
    EnqueueNext,
}

/// Something that happened outside.
#[derive(Debug)]
pub enum Msg {
    /// An action, as if its key had been pressed after this count.
    Act(Action, Option<usize>),
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// Files of the configuration were changed and read again.
    Fresh(Box<super::Fresh>),
    /// The terminal has a new size: columns, rows.
    Resize(u16, u16),
    /// A time-out is over.
    Timer(Timer),
    /// Another minute began.
    Clock(Clock),
    /// The player's state.
    Player(Box<Status>),
    /// A sentence for the listener: what cannot be played, what is not done.
    Said(String),
    /// The session's state.
    Session(Box<SessionStatus>),
    /// The state of pins and downloads.
    Downloads(Box<DownloadStatus>),
    /// A pin could not be written down; one sentence.
    NotPinned(String),
    /// An answer to `Effect::Ask`; the error is one sentence.
    Answered {
        /// The question's ticket.
        ticket: u64,
        /// The question.
        request: Request,
        /// The answer.
        answer: Result<Answer, String>,
    },
    /// `Effect::Gather` was carried out: how many tracks.
    Gathered {
        /// Where they came from.
        source: Source,
        /// What for.
        then: Then,
        /// How many.
        count: Result<usize, String>,
    },
    /// Mixes were made anew.
    Mixes(u64),
    /// Another player plays now, or why it does not; a sentence.
    PlaysOn(Result<String, String>),
    /// Something about the listener's data was decided or done, or why it was not; a sentence.
    Privacy(Result<String, String>),
    /// What was asked of taste was done, or why it was not; a sentence.
    Tasted(Result<String, String>),
    /// The listener wants less of something, or no longer less.
    Less {
        /// Of what.
        item: Item,
        /// What they call it.
        name: String,
        /// Whether less of it from now on.
        less: bool,
    },
    /// A playlist was changed, or could not be.
    PlaylistChanged {
        /// What was asked for.
        wish: Box<PlaylistWish>,
        /// What was done, or one sentence.
        done: Result<Box<PlaylistStep>, String>,
    },
    /// A star or rating could not be written down.
    NotMarked {
        /// The item.
        item: Item,
        /// Marks to go back to.
        before: Marks,
        /// One sentence.
        reason: String,
    },
    /// What is heard at this moment, ms into the track: words are sung there.
    Heard(u64),
    /// What sounds now: bands in dB, then mean and peak of left and right.
    Sounding(Vec<f32>, [f32; 2], [f32; 2]),
    /// Whether the listener works in this window.
    Focus(bool),
    /// A search was kept as a playlist: its name, or one sentence on why it was not.
    SearchKept(Result<String, String>),
    /// A picture, or none.
    Cover(CoverKey, Option<Arc<CoverArt>>),
}
