//! Everything that the screens show, in one place with one owner.
//!
//! `App` is made of small states, one for each screen and each overlay. Only `update` changes them, from
//! messages; `view` reads them. Lists hold pages of the local catalog (`listing`), never more.

mod about;
mod artist;
mod details;
mod doctor;
mod downloads;
mod full;
mod home;
mod insights;
mod library;
pub(crate) mod listing;
mod mix;
mod overlay;
mod pages;
mod picker;
mod picks;
mod playlists;
mod privacy;
mod sections;
mod undoing;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub use about::Setting;
pub(crate) use about::{Log, Settings};
pub(crate) use artist::{ArtistLine, ArtistPage, ArtistPart, ArtistRow};
pub(crate) use details::{DetailLine, DetailsPage, Leads, day};
pub(crate) use doctor::DoctorPage;
pub(crate) use downloads::{DownloadRow, DownloadsPage};
pub use full::KEPT_PLAYER;
pub(crate) use full::{FullPlayer, Sounding, Words};
pub(crate) use home::{Door, Home, Spot};
pub(crate) use insights::{OperatorPage, Statistics, YearPage};
pub(crate) use library::{Column, GenreRow, Library, Root, YearRow, by_decades};
pub(crate) use listing::{Listing, Scroll};
pub(crate) use mix::{MixPage, Why};
pub use overlay::KEPT_HISTORY;
pub(crate) use overlay::{Dismissed, Help, History, Input, Notices, Prompt, Standing, Weight};
pub(crate) use pages::{AlbumPage, Hit, Line, Part, Queue, Search, Section, entries, entry};
pub(crate) use picker::{Choice, Picker};
pub(crate) use picks::{Picks, Slide};
pub(crate) use playlists::{PlaylistPage, PlaylistsPage, moved, numbered};
pub(crate) use privacy::{PrivacyPage, PrivacyRow, Secret};
pub(crate) use undoing::{Step, Undoing, in_words};

use super::cover::Covers;
use super::home_plan::Plan;
use super::keymap::{Keymap, Layer};
use super::keys::Keys;
use super::layout::Frame;
use super::text;
use super::theme::Theme;
use super::{Clock, Left, Options};
use crate::client::SessionStatus;
pub use crate::music::calendar::Span;
use crate::music::{Item, Marks, Track};
use crate::player::{self, Transport};

/// A full-screen page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Screen {
    /// Where it opens.
    #[default]
    Home,
    /// Artists, albums, tracks in columns.
    Library,
    /// Results as you type.
    Search,
    /// History, now, up next, context.
    Queue,
    /// One album.
    Album,
    /// What is pinned, and what comes.
    Downloads,
    /// What plays, in full.
    Player,
    /// One mix.
    Mix,
    /// All playlists.
    Playlists,
    /// One playlist.
    Playlist,
    /// What was heard.
    Statistics,
    /// What is set.
    Settings,
    /// What the program wrote down.
    Log,
    /// One artist.
    Artist,
    /// Everything about one track.
    Details,
    /// What works on this machine.
    Doctor,
    /// A year as a story.
    Year,
    /// What a server's administrator may know.
    Insights,
    /// What is kept of the listener.
    Privacy,
}

impl Screen {
    /// In the order of their digits.
    pub const ALL: [Self; 19] = [
        Self::Home,
        Self::Library,
        Self::Search,
        Self::Queue,
        Self::Album,
        Self::Downloads,
        Self::Player,
        Self::Mix,
        Self::Playlists,
        Self::Playlist,
        Self::Statistics,
        Self::Settings,
        Self::Log,
        Self::Artist,
        Self::Details,
        Self::Doctor,
        Self::Year,
        Self::Insights,
        Self::Privacy,
    ];

    /// Its name in the header.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Library => "Library",
            Self::Search => "Search",
            Self::Queue => "Queue",
            Self::Album => "Album",
            Self::Downloads => "Downloads",
            Self::Player => "Player",
            Self::Mix => "Mix",
            Self::Playlists => "Playlists",
            Self::Playlist => "Playlist",
            Self::Statistics => "Statistics",
            Self::Settings => "Settings",
            Self::Log => "Log",
            Self::Artist => "Artist",
            Self::Details => "Details",
            Self::Doctor => "Doctor",
            Self::Year => "Year",
            Self::Insights => "Insights",
            Self::Privacy => "Privacy",
        }
    }

    pub(crate) const fn layer(self) -> Layer {
        match self {
            Self::Home => Layer::Home,
            Self::Library => Layer::Library,
            Self::Search => Layer::Search,
            Self::Queue => Layer::Queue,
            Self::Album => Layer::Album,
            Self::Downloads => Layer::Downloads,
            Self::Player => Layer::Player,
            Self::Mix => Layer::Mix,
            Self::Playlists => Layer::Playlists,
            Self::Playlist => Layer::Playlist,
            Self::Statistics => Layer::Statistics,
            Self::Settings => Layer::Settings,
            Self::Log => Layer::Log,
            Self::Artist => Layer::Artist,
            Self::Details => Layer::Details,
            Self::Doctor => Layer::Doctor,
            Self::Year => Layer::Year,
            Self::Insights => Layer::Insights,
            Self::Privacy => Layer::Privacy,
        }
    }
}

/// What the listener asked to play, until the player says what it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// Its tracks are being gathered; `paused` when the listener paused it in the meantime.
    Gathering { paused: bool },
    /// The player was told.
    Told,
}

/// The whole state of the front end.
#[derive(Debug)]
pub struct App {
    pub(crate) options: Options,
    pub(crate) screen: Screen,
    /// Where `back` leads, the nearest last.
    pub(crate) trail: Vec<Screen>,
    pub(crate) home: Home,
    pub(crate) library: Library,
    pub(crate) album: AlbumPage,
    pub(crate) artist: ArtistPage,
    pub(crate) details: DetailsPage,
    pub(crate) search: Search,
    pub(crate) queue: Queue,
    pub(crate) downloads: DownloadsPage,
    pub(crate) full: FullPlayer,
    pub(crate) statistics: Statistics,
    pub(crate) year: YearPage,
    pub(crate) operators: OperatorPage,
    pub(crate) settings: Settings,
    pub(crate) log: Log,
    pub(crate) doctor: DoctorPage,
    pub(crate) privacy: PrivacyPage,
    /// Whether the terminal's window is the one that the listener works in, as far as it tells.
    pub(crate) focused: bool,
    pub(crate) mix: MixPage,
    /// The mixes that there are: they count up when they are made anew.
    pub(crate) mixes: u64,
    /// Why a track is where it is, while that is shown.
    pub(crate) why: Option<Why>,
    pub(crate) playlists: PlaylistsPage,
    pub(crate) playlist: PlaylistPage,
    /// Rows selected together.
    pub(crate) picks: Picks,
    pub(crate) slide: Slide,
    /// What can be taken back.
    pub(crate) undoing: Undoing,
    pub(crate) help: Option<Help>,
    pub(crate) prompt: Option<Prompt>,
    /// The list that lies over the screen.
    pub(crate) picker: Option<Picker>,
    /// The question where the music can go, until it is answered, and whether it was asked before.
    pub(crate) places: Option<(u64, bool)>,
    /// Command lines of before.
    pub(crate) history: History,
    pub(crate) notices: Notices,
    pub(crate) keymap: Arc<Keymap>,
    pub(crate) keys: Keys,
    pub(crate) theme: Theme,
    pub(crate) covers: Covers,
    pub(crate) player: player::Status,
    /// What was asked to play and is not in the player's status yet.
    pub(crate) beginning: Option<Beginning>,
    pub(crate) session: SessionStatus,
    /// Marks changed since their rows were read, so that every place shows them at once.
    pub(crate) marks: HashMap<Item, Marks>,
    pub(crate) clock: Clock,
    pub(crate) size: (u16, u16),
    /// Whether anything that can be seen changed since the last frame.
    pub(crate) dirty: bool,
    pub(crate) leaving: bool,
    /// Why, once it is leaving.
    pub(crate) left: Left,
    tickets: u64,
}

impl App {
    /// The state before the first message. `keymap` has the listener's own keys laid over the preset already.
    pub fn new(options: Options, keymap: Keymap, size: (u16, u16), clock: Clock) -> Self {
        let name = if options.theme.is_empty() && options.light { "segue-light" } else { &options.theme };
        let theme = Theme::named(name, &options.own_themes, options.colors, options.ascii);
        let (history, full) = (History::read(&options.history), FullPlayer::showing(&options.player_shows));
        let home = Home { embedded: options.embedded, waiting: true, ..Home::default() };
        Self {
            options,
            screen: Screen::Home,
            trail: Vec::new(),
            home,
            library: Library::default(),
            album: AlbumPage::default(),
            artist: ArtistPage::default(),
            details: DetailsPage::default(),
            search: Search::default(),
            queue: Queue::default(),
            downloads: DownloadsPage::default(),
            full,
            statistics: Statistics::default(),
            year: YearPage::default(),
            operators: OperatorPage::default(),
            settings: Settings::default(),
            log: Log::default(),
            doctor: DoctorPage::default(),
            privacy: PrivacyPage::default(),
            focused: true,
            mix: MixPage::default(),
            mixes: 0,
            why: None,
            playlists: PlaylistsPage::default(),
            playlist: PlaylistPage::default(),
            picks: Picks::default(),
            slide: Slide::default(),
            undoing: Undoing::default(),
            help: None,
            prompt: None,
            picker: None,
            places: None,
            history,
            notices: Notices::default(),
            keymap: Arc::new(keymap),
            keys: Keys::default(),
            theme,
            covers: Covers::default(),
            player: player::Status::default(),
            beginning: None,
            session: SessionStatus::default(),
            marks: HashMap::new(),
            clock,
            size,
            dirty: true,
            leaving: false,
            left: Left::Quit,
            tickets: 0,
        }
    }

    /// The screen that is shown.
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// Whether the listener asked to leave.
    pub fn leaving(&self) -> bool {
        self.leaving
    }

    /// Why the screens end, once they do.
    pub fn left(&self) -> Left {
        self.left.clone()
    }

    /// Whether a frame is wanted; asking takes the wish away.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// A number for a question, so that its answer is known when it comes.
    pub(crate) fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// What the terminal's title says.
    pub fn title(&self) -> String {
        if let Some(ad) = &self.player.ad {
            return format!("Ad: {}", text::clean(&ad.title));
        }
        match &self.player.queue.now {
            Some(now) if self.player.transport != Transport::Stopped => {
                let (title, artist) = (text::clean(&now.track.title), text::clean(&now.track.artist));
                if artist.is_empty() { title } else { format!("{title} · {artist}") }
            }
            _ => "Segue".to_owned(),
        }
    }

    /// Whether pictures may be drawn over cells: no list, line or menu lies over the page.
    pub(crate) fn pictures(&self) -> bool {
        self.uncovered() && self.prompt.is_none() && !self.keys.lingers()
    }

    /// Whether the page is seen: nothing lies over it.
    pub(crate) fn uncovered(&self) -> bool {
        self.help.is_none() && self.picker.is_none() && self.why.is_none()
    }

    /// How many bands of the spectrum are wanted now; none while nobody sees it or nothing sounds.
    pub fn spectrum_bands(&self) -> Option<usize> {
        let seen = self.screen == Screen::Player && self.full.spectrum && self.uncovered();
        let sounds = self.player.transport == Transport::Playing && self.player.elsewhere.is_none();
        let moves = self.focused && !self.options.still && sounds;
        let area = self.frame().full(self.full.lyrics, true).sound.filter(|_| seen && moves)?;
        Some(usize::from(area.width / 2).clamp(1, 48))
    }

    /// The position in ms at which the next words are sung, if they are seen.
    pub fn next_moment(&self) -> Option<u64> {
        let seen = self.screen == Screen::Player && self.full.lyrics && self.help.is_none();
        let moves = seen && self.player.transport == Transport::Playing;
        self.full.next_moment().filter(|_| moves)
    }

    /// How long it takes from the player's last word until this position is heard.
    pub(crate) fn until(&self, position_ms: u64) -> Duration {
        let ms = position_ms.max(self.full.heard_ms + 1).saturating_sub(self.player.position_ms);
        let speed =
            if self.player.sound.bit_perfect { 100 } else { u64::from(self.player.sound.speed.max(1)) };
        Duration::from_millis(ms * 100 / speed)
    }

    /// Minutes that the listener's clock is ahead of UTC.
    pub(crate) fn minutes_ahead(&self) -> i64 {
        let here = i64::from(self.clock.hour) * 60 + i64::from(self.clock.minute);
        let there = (self.clock.unix_ms / 60_000).rem_euclid(1440);
        // From a day back in the west to fourteen hours ahead.
        (here - there + 600).rem_euclid(1440) - 600
    }

    /// The listener's day, counted from 1970.
    pub(crate) fn today(&self) -> i64 {
        (self.clock.unix_ms / 60_000 + self.minutes_ahead()).div_euclid(1440)
    }

    /// How the terminal is divided.
    pub(crate) fn frame(&self) -> Frame {
        Frame::new(self.size.0, self.size.1)
    }

    /// Where things stand on the opening screen.
    pub(crate) fn home_plan(&self) -> Plan {
        let page = self.frame().page();
        Plan::new(&self.home, page.width, page.height)
    }

    /// Where keys are looked up now.
    pub(crate) fn layer(&self) -> Layer {
        if self.prompt.is_some()
            || self.picker.is_some()
            || (self.help.is_none() && self.screen == Screen::Search && self.search.typing)
        {
            Layer::Typing
        } else if self.help.is_some() {
            Layer::Help
        } else {
            self.screen.layer()
        }
    }

    /// What the listener did to an item, as it is now.
    pub(crate) fn marks_of(&self, item: &Item, read: Marks) -> Marks {
        self.marks.get(item).copied().unwrap_or(read)
    }

    pub(crate) fn track_marks(&self, track: &Track) -> Marks {
        self.marks_of(&Item::Track(track.id.clone()), track.marks)
    }

    /// Whether this track is the one that plays.
    pub(crate) fn is_playing(&self, track: &Track) -> bool {
        self.player.queue.now.as_ref().is_some_and(|now| now.track.id == track.id)
    }

    /// What must hold between two messages, whatever was typed. The error says what does not.
    pub fn check(&self) -> Result<(), String> {
        let lists = [
            ("artists", self.library.artists.scroll, self.library.artists.len()),
            ("genres", self.library.genres.scroll, self.library.genres.len()),
            ("years", self.library.years.scroll, self.library.years.len()),
            ("albums", self.library.albums.scroll, self.library.albums.len()),
            ("tracks", self.library.tracks.scroll, self.library.tracks.len()),
            ("album page", self.album.tracks.scroll, self.album.tracks.len()),
            ("artist page", self.artist.scroll, self.artist.len()),
            ("details", self.details.scroll, self.details.len()),
            ("search", self.search.scroll, self.search.len()),
            ("queue", self.queue.scroll, self.queue.len()),
            ("downloads", self.downloads.scroll, self.downloads.len()),
            ("mix", self.mix.tracks.scroll, self.mix.tracks.len()),
            ("playlists", self.playlists.list.scroll, self.playlists.list.len()),
            ("playlist", self.playlist.tracks.scroll, self.playlist.tracks.len()),
            ("settings", self.settings.scroll, self.options.settings.len()),
            ("log", self.log.scroll, self.log.len()),
            ("doctor", self.doctor.scroll, self.doctor.len()),
            ("insights", self.operators.scroll, self.operators.len()),
            ("privacy", self.privacy.scroll, PrivacyPage::ROWS.len()),
        ];
        for (name, scroll, len) in lists {
            if scroll.cursor >= len.max(1) {
                return Err(format!("{name}: cursor {} in {len} rows", scroll.cursor));
            }
            // Where there are headings, the top counts lines and the cursor rows.
            if scroll.top > scroll.cursor && !matches!(name, "queue" | "artist page" | "details") {
                return Err(format!("{name}: top {} under the cursor {}", scroll.top, scroll.cursor));
            }
        }
        if let Some(picker) = &self.picker
            && picker.scroll.cursor >= picker.len().max(1)
        {
            return Err(format!("picker: cursor {} in {} rows", picker.scroll.cursor, picker.len()));
        }
        let plan = self.home_plan();
        if plan.spots().next().is_some() && plan.rect(self.home.spot).is_none() {
            return Err(format!("home: the cursor is on {:?}, which is not there", self.home.spot));
        }
        self.check_picks()?;
        if self.trail.len() > Self::MAX_TRAIL {
            return Err("the trail grows without end".to_owned());
        }
        Ok(())
    }

    /// Steps that `back` remembers.
    pub(crate) const MAX_TRAIL: usize = 32;
}
