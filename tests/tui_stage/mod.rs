//! The real screens on a stage: a real catalog in memory, a queue that obeys like the player's, keys typed
//! through the real keymap, effects carried out one after the other, frames drawn into a buffer.
#![allow(clippy::assigning_clones, clippy::cast_possible_wrap, clippy::semicolon_if_nothing_returned)]
#![allow(dead_code, unreachable_pub)] // each test binary uses its own part of the stage

pub mod picture;
pub mod players;
pub mod records;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use futures_util::future::BoxFuture;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use segue::catalog::{Batch, Catalog, CatalogError, Listener, Report};
use segue::client::{Connection, SessionStatus, SyncState};
use segue::music::{
    AccountId, Album, AlbumId, Artist, ArtistRef, CoverId, EndReason, Item, Lyrics, Marks, Play, PlaylistId,
    ReplayGain, StartReason, Track,
};
use segue::player::{Command, Queue, Repeat, Status, Supply, Transport};
use segue::tui::effects::{Answer, Device, Effect, Finding, Health, Msg, Place};
use segue::tui::keymap::{Keymap, VIM};
use segue::tui::{App, Clock, ColorDepth, KeptThere, Options, Outside, carry_out, start, update, view};

/// 24 November 2026, 21:04 UTC, ms.
pub const NOW: i64 = 1_795_554_240_000;
const DAY: i64 = 86_400_000;

/// What stands in for the program: a catalog in memory, and a recorder for the rest.
pub struct Props {
    catalog: Catalog,
    pub library: Listener,
    commands: Mutex<Vec<Command>>,
    covers: Mutex<Vec<(CoverId, Vec<u8>)>>,
    /// Words of tracks by their titles.
    lyrics: Mutex<Vec<(String, String)>>,
    /// What the doctor finds.
    findings: Mutex<Vec<Finding>>,
    /// What the server says that it keeps of the listener.
    pub kept_there: Mutex<Option<KeptThere>>,
    /// What the server tells its administrators.
    pub report: Mutex<Option<Result<Report, String>>>,
    pub players: players::Players,
}

impl Outside for Props {
    fn library(&self) -> &Listener {
        &self.library
    }
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }
    fn command(&self, command: Command) {
        self.commands.lock().unwrap().push(command);
    }
    fn cover(&self, cover: CoverId, _size: u32) -> BoxFuture<'_, Result<bytes::Bytes, String>> {
        let covers = self.covers.lock().unwrap();
        let found = covers.iter().find(|(id, _)| *id == cover).map(|(_, bytes)| bytes.clone().into());
        Box::pin(async move { found.ok_or_else(|| "There is no picture.".to_owned()) })
    }
    fn device(&self) -> Device {
        Device { tracks: 1_207, bytes: 9_100_000_000, limit: 20_000_000_000 }
    }
    fn downloads(&self) -> Option<&segue::client::Downloads> {
        None
    }
    fn lyrics(&self, track: Arc<Track>) -> BoxFuture<'_, Result<Vec<Lyrics>, CatalogError>> {
        let lyrics = self.lyrics.lock().unwrap();
        let found = lyrics.iter().filter(|(title, _)| *title == track.title);
        let found = found.filter_map(|(_, text)| Lyrics::parse(text, "en")).collect();
        Box::pin(async move { Ok(found) })
    }
    fn spectrum(&self) -> Option<segue::audio::Spectrum> {
        None
    }
    fn doctor(&self) -> BoxFuture<'_, Vec<Finding>> {
        let findings = self.findings.lock().unwrap().clone();
        Box::pin(async move { findings })
    }
    fn kept_there(&self) -> BoxFuture<'_, Option<KeptThere>> {
        let kept = self.kept_there.lock().unwrap().clone();
        Box::pin(async move { kept })
    }
    fn operators(&self, _days: (i64, i64)) -> BoxFuture<'_, Result<Report, String>> {
        let report = self.report.lock().unwrap().clone();
        let unknown = || Err("This server has no insights to tell: Segue's own servers have.".to_owned());
        Box::pin(async move { report.unwrap_or_else(unknown) })
    }
    fn places(&self) -> BoxFuture<'_, Result<Vec<Place>, String>> {
        Box::pin(async { self.players.known() })
    }
    fn play_on(&self, name: String) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move { self.players.choose(&name) })
    }
    fn outbox_changed(&self) {}
    fn sync_now(&self) {}
    fn problem_read(&self) {}
}

/// The app with all that it needs.
pub struct Stage {
    pub app: App,
    pub props: Arc<Props>,
    pub queue: Queue,
    pub status: Status,
    pub session: SessionStatus,
    /// Effects that wait for `wait`.
    timers: Vec<Effect>,
    /// Effects that nobody carried out.
    unanswered: Vec<Effect>,
    /// Tracks to gather, while questions wait.
    gathers: Vec<Effect>,
    /// What becomes of questions to the catalog.
    asks: Asks,
    /// Every command that the player got.
    pub commands: Vec<Command>,
    size: (u16, u16),
    runtime: tokio::runtime::Runtime,
}

/// What becomes of questions to the catalog.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// They are answered.
    Answered,
    /// They wait.
    Held,
    /// The catalog fails.
    Refused,
}

/// Why it does.
pub const FAILED: &str = "The catalog's database failed: disk I/O error.";

/// What the library of a stage has in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    Empty,
    Demo,
    Full,
}

impl Stage {
    pub fn new(shelf: Shelf, size: (u16, u16)) -> Self {
        Self::with(shelf, size, Options { embedded: shelf != Shelf::Full, ..Options::default() })
    }

    pub fn with(shelf: Shelf, size: (u16, u16), options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let catalog = runtime.block_on(Catalog::in_memory()).unwrap();
        let library = catalog.listener(&AccountId::new("me")).with_outbox();
        runtime.block_on(fill(&catalog, &library, shelf));
        let props = Props {
            catalog,
            library,
            commands: Mutex::default(),
            covers: Mutex::default(),
            lyrics: Mutex::default(),
            findings: Mutex::default(),
            kept_there: Mutex::default(),
            report: Mutex::default(),
            players: players::Players::default(),
        };
        let clock = Clock { unix_ms: NOW, hour: 21, minute: 4 };
        let app = App::new(options, Keymap::from_toml(VIM).unwrap(), size, clock);
        let session = SessionStatus {
            server: "home.lan".to_owned(),
            connection: Connection::Online,
            sync: SyncState::Idle { at: Some(NOW) },
            catalog_generation: 1,
            ..SessionStatus::default()
        };
        let mut stage = Self {
            app,
            props: Arc::new(props),
            queue: Queue::new(),
            status: Status { volume: 70, ..Status::default() },
            session,
            timers: Vec::new(),
            unanswered: Vec::new(),
            gathers: Vec::new(),
            asks: Asks::Answered,
            commands: Vec::new(),
            size,
            runtime,
        };
        stage.tell(Msg::Session(Box::new(stage.session.clone())));
        stage.tell(Msg::Player(Box::new(stage.status.clone())));
        let effects = start(&mut stage.app);
        stage.carry_out(effects);
        stage
    }

    /// One message, and everything that follows from it.
    pub fn tell(&mut self, msg: Msg) {
        let effects = update(&mut self.app, msg);
        self.carry_out(effects);
        self.app.check().unwrap();
    }

    pub fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut waiting: VecDeque<Effect> = effects.into();
        while let Some(effect) = waiting.pop_front() {
            if matches!(effect, Effect::Timer { .. }) {
                self.timers.push(effect);
                continue;
            }
            if matches!(effect, Effect::Gather { .. }) && self.asks == Asks::Held {
                self.gathers.push(effect);
                continue;
            }
            if let (Effect::Ask { ticket, request }, false) = (&effect, self.asks == Asks::Answered) {
                if self.asks == Asks::Refused {
                    let (ticket, request, answer) = (*ticket, request.clone(), Err(FAILED.to_owned()));
                    waiting.extend(update(&mut self.app, Msg::Answered { ticket, request, answer }));
                }
                continue;
            }
            let props: Arc<dyn Outside> = self.props.clone();
            if let Some(mut msg) = self.runtime.block_on(carry_out(props, effect)) {
                // How long it took differs from run to run; pictures must not.
                if let Msg::Answered { answer: Ok(answer), .. } = &mut msg {
                    match answer {
                        Answer::Found(found) => found.took_us = 600,
                        // These say how long ago something was, by the clock of the machine.
                        Answer::Details(data) => data.why.truncate(1),
                        Answer::Playlists(lists) => lists.iter_mut().for_each(|l| l.changed_at = NOW - DAY),
                        Answer::Playlist(Some(list), _) => list.changed_at = NOW - DAY,
                        _ => {}
                    }
                }
                waiting.extend(update(&mut self.app, msg));
            }
            let commands = std::mem::take(&mut *self.props.commands.lock().unwrap());
            for command in commands {
                self.obey(&command);
                self.commands.push(command);
                waiting.extend(update(&mut self.app, Msg::Player(Box::new(self.status.clone()))));
            }
        }
    }

    /// Lets every time-out come that waits, oldest first.
    pub fn wait(&mut self) {
        for timer in std::mem::take(&mut self.timers) {
            if let Effect::Timer { timer, .. } = timer {
                self.tell(Msg::Timer(timer));
            }
        }
    }

    /// Keys as a listener types them: characters, and names in angle brackets (`<Enter>`, `<C-d>`).
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let named =
                rest.strip_prefix('<').and_then(|r| r.split_once('>')).filter(|(name, _)| name.len() > 1);
            let event = if let Some((name, after)) = named {
                rest = after;
                self::key(name)
            } else {
                rest = &rest[c.len_utf8()..];
                KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
            };
            self.tell(Msg::Key(event));
        }
        self
    }

    /// A click with the left button.
    pub fn click(&mut self, column: u16, row: u16) {
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.tell(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.tell(Msg::Resize(width, height));
    }

    /// Changes the player's state as the player itself would.
    pub fn player(&mut self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status);
        self.tell(Msg::Player(Box::new(self.status.clone())));
    }

    pub fn session(&mut self, change: impl FnOnce(&mut SessionStatus)) {
        change(&mut self.session);
        self.tell(Msg::Session(Box::new(self.session.clone())));
    }

    pub fn picture(&mut self, cover: &str, bytes: Vec<u8>) {
        self.props.covers.lock().unwrap().push((cover.into(), bytes));
    }

    /// What the doctor will find.
    pub fn finds(&mut self, findings: &[(Health, &str, &str, &str)]) {
        let finding = |(health, area, what, advice): &(Health, &str, &str, &str)| Finding {
            health: *health,
            area: (*area).to_owned(),
            what: (*what).to_owned(),
            advice: (*advice).to_owned(),
        };
        *self.props.findings.lock().unwrap() = findings.iter().map(finding).collect();
    }

    /// Words of a track, as the server has them.
    pub fn lyrics(&mut self, title: &str, text: &str) {
        self.props.lyrics.lock().unwrap().push((title.to_owned(), text.to_owned()));
    }

    /// A frame.
    pub fn terminal(&self) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| view(&self.app, frame)).unwrap();
        terminal
    }

    /// The screen as text, without blanks at the ends of lines.
    pub fn text(&self) -> String {
        let terminal = self.terminal();
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                line.push_str(symbol);
                skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// Waits for the catalog.
    pub fn wait_for<T>(&self, question: impl Future<Output = T>) -> T {
        self.runtime.block_on(question)
    }

    /// Everything that is starred.
    pub fn starred(&self) -> Vec<Item> {
        let hits = self.runtime.block_on(self.props.library.starred()).unwrap();
        hits.tracks.into_iter().map(|track| Item::Track(track.id)).collect()
    }

    /// A word kept for the next start.
    pub fn kept(&self, name: &str) -> Option<String> {
        self.runtime.block_on(self.props.catalog.setting(name)).unwrap()
    }

    /// Changes that wait to be sent.
    pub fn outbox(&self) -> usize {
        self.runtime.block_on(self.props.catalog.outbox(100)).unwrap().len()
    }

    /// The server has given a playlist that was made here an id of its own.
    pub fn rename_playlist(&self, from: &PlaylistId, to: &PlaylistId) {
        self.runtime.block_on(self.props.catalog.rename_playlist_id(from, to)).unwrap();
    }

    /// From now on questions to the catalog fare so; tracks that were still to gather are gathered.
    pub fn asks(&mut self, asks: Asks) -> &mut Self {
        self.asks = asks;
        if asks == Asks::Answered {
            let gathers = std::mem::take(&mut self.gathers);
            self.carry_out(gathers);
        }
        self
    }

    /// Fills an empty library.
    pub fn stock(&self) {
        self.runtime.block_on(fill(&self.props.catalog, &self.props.library, Shelf::Full));
    }

    /// More music, as a sync brings it.
    pub fn shelve(&mut self, albums: Vec<Album>, tracks: Vec<Track>) {
        let batch = Batch { albums, tracks, ..Batch::default() };
        self.runtime.block_on(self.props.catalog.apply(&batch)).unwrap();
        self.session(|session| session.catalog_generation += 1);
    }

    /// A stage on which no question was answered yet.
    pub fn unanswered(size: (u16, u16)) -> Self {
        let mut stage = Self::new(Shelf::Empty, size);
        let clock = Clock { unix_ms: NOW, hour: 21, minute: 4 };
        stage.app = App::new(Options::default(), Keymap::from_toml(VIM).unwrap(), size, clock);
        stage.unanswered = update(&mut stage.app, Msg::Session(Box::new(stage.session.clone())));
        stage
    }

    /// Answers every open question with a reason why not.
    pub fn refuse(&mut self, reason: &str) {
        for effect in std::mem::take(&mut self.unanswered) {
            if let Effect::Ask { ticket, request } = effect {
                self.tell(Msg::Answered { ticket, request, answer: Err(reason.to_owned()) });
            }
        }
    }

    pub fn last_command(&self) -> Option<&Command> {
        self.commands.last()
    }

    fn obey(&mut self, command: &Command) {
        match command.clone() {
            Command::PlayContext { tracks, start, name, shuffled } => {
                let tracks = tracks.into_iter().map(Arc::new).collect();
                self.queue.play_context(tracks, start, name, shuffled.then_some(7));
                self.begin();
            }
            Command::Follow { tracks, name } => {
                self.queue.follow(tracks.into_iter().map(Arc::new).collect(), name)
            }
            Command::Extend { tracks, name } => {
                self.queue.extend(tracks.into_iter().map(Arc::new).collect(), &name)
            }
            Command::Enqueue(tracks) => self.queue.push_last(tracks.into_iter().map(Arc::new)),
            Command::EnqueueNext(tracks) => self.queue.push_next(tracks.into_iter().map(Arc::new).collect()),
            Command::Jump(uid) => {
                self.queue.jump(uid);
                self.begin();
            }
            Command::Remove(uids) => self.queue.remove(&uids),
            Command::Move { uids, by } => self.queue.shift(&uids, by),
            Command::Next => {
                self.queue.skip(7);
                self.begin();
            }
            Command::Previous => {
                self.queue.previous();
                self.begin();
            }
            Command::Toggle => {
                self.status.transport = match self.status.transport {
                    Transport::Playing => Transport::Paused,
                    Transport::Paused => Transport::Playing,
                    other => other,
                }
            }
            Command::Resume => self.status.transport = Transport::Playing,
            Command::Pause => self.status.transport = Transport::Paused,
            Command::SeekTo(ms) => self.status.position_ms = ms,
            Command::SeekBy(ms) => {
                self.status.position_ms = self.status.position_ms.saturating_add_signed(ms)
            }
            Command::SetVolume(volume) => self.status.volume = volume,
            Command::VolumeBy(by) => {
                self.status.volume = self.status.volume.saturating_add_signed(by).min(100)
            }
            Command::ToggleMute => self.status.muted = !self.status.muted,
            Command::SetShuffle(on) => self.queue.set_shuffle(on, 7),
            Command::SetRepeat(repeat) => self.queue.set_repeat(repeat),
            Command::ClearUpNext => self.queue.clear_up_next(),
            Command::Undo => drop(self.queue.undo()),
            Command::Redo => drop(self.queue.redo()),
            Command::Sound(change) => self.status.sound = self.status.sound.with(&change),
            Command::SetGain(mode) => self.status.gain_mode = mode,
            Command::Sleep(sleep) => self.status.sleep = sleep,
            Command::Private(on) => self.status.private = on,
            Command::Stop => self.status.transport = Transport::Stopped,
            Command::Plan { .. } | Command::Count(_) | Command::Surround { .. } => {}
        }
        self.status.queue = Arc::new(self.queue.view());
    }

    fn begin(&mut self) {
        if let Some(now) = self.queue.now() {
            self.status.transport = Transport::Playing;
            self.status.position_ms = 0;
            self.status.duration_ms = now.track.duration_ms;
            self.status.quality = "FLAC 44.1/16".to_owned();
            self.status.supply = Supply::Streaming;
            self.status.buffered = vec![(0.0, 0.3)];
        }
    }
}

fn key(name: &str) -> KeyEvent {
    if let Some(c) = name.strip_prefix("C-").and_then(|rest| rest.chars().next()) {
        return KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
    }
    if let Some(c) = name.strip_prefix("A-").and_then(|rest| rest.chars().next()) {
        return KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT);
    }
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Space" => KeyCode::Char(' '),
        "BS" => KeyCode::Backspace,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        other => panic!("no key {other}"),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

/// A track; ids are made from the names.
pub fn track(artist: &str, album: &str, number: u32, title: &str, seconds: u64) -> Track {
    Track {
        id: format!("{album}/{number}").into(),
        title: title.to_owned(),
        album_id: Some(format!("al-{album}").into()),
        album: album.to_owned(),
        artist: artist.to_owned(),
        artists: vec![ArtistRef { id: format!("ar-{artist}").into(), name: artist.to_owned() }],
        album_artist: artist.to_owned(),
        disc: Some(1),
        number: Some(number),
        year: None,
        genres: vec!["Electronic".to_owned()],
        duration_ms: seconds * 1000,
        size: seconds * 120_000,
        suffix: "flac".to_owned(),
        content_type: "audio/flac".to_owned(),
        bit_rate: Some(900),
        sample_rate: Some(44_100),
        bit_depth: Some(16),
        channels: Some(2),
        replay_gain: ReplayGain::default(),
        cover: Some(format!("cover-{album}").into()),
        musicbrainz_id: None,
        added_at: NOW,
        details: segue::music::TrackDetails::default(),
        marks: Marks::default(),
    }
}

/// Artist, album, year, tracks with seconds.
type Record = (&'static str, &'static str, i32, &'static [(&'static str, u64)]);

const RECORDS: &[Record] = &[
    (
        "Hollow Coves",
        "Wanderlust",
        2018,
        &[("Coastline", 224), ("The Woods", 251), ("These Memories", 243), ("Ran Away", 236)],
    ),
    (
        "Nils Frahm",
        "Spaces",
        2013,
        &[
            ("An Aborted Beginning", 102),
            ("Says", 498),
            ("Said and Done", 591),
            ("Went Missing", 313),
            ("Familiar", 247),
            ("Improvisation for Coughs and a Cell Phone", 147),
            ("Hammers", 262),
            ("For – Peter – Toilet Brushes – More", 1026),
        ],
    ),
    (
        "Arooj Aftab",
        "Night Reign",
        2024,
        &[
            ("Aey Nehin", 302),
            ("Na Gul", 320),
            ("Autumn Leaves", 269),
            ("Bolo Na", 334),
            ("Saaqi", 417),
            ("Last Night (Reprise)", 303),
            ("Raat Ki Rani", 240),
            ("Whiskey", 333),
            ("Zameen", 244),
        ],
    ),
    (
        "Mdou Moctar",
        "Funeral for Justice",
        2024,
        &[("Funeral for Justice", 182), ("Imouhar", 251), ("Takoba", 170)],
    ),
    (
        "青葉市子",
        "ルミネセント・クリーチャーズ",
        2025,
        &[("COLORATURA", 312), ("24° 3' 27.0\" N, 123° 47' 7.5\" E", 184), ("mazamun", 202), ("tower", 241)],
    ),
    (
        "Björk",
        "Homogenic",
        1997,
        &[
            ("Hunter", 255),
            ("Jóga", 305),
            ("Unravel", 197),
            ("Bachelorette", 312),
            ("All Neon Like", 353),
            ("5 Years", 269),
            ("Immature", 186),
            ("Alarm Call", 260),
            ("Pluto", 199),
            ("All Is Full of Love", 273),
        ],
    ),
    ("Björk", "Post", 1995, &[("Army of Me", 234), ("Hyperballad", 321), ("The Modern Things", 250)]),
    ("Fela Kuti", "Zombie", 1976, &[("Zombie", 746), ("Mister Follow Follow", 775)]),
    ("فيروز", "أندلسيات", 1966, &[("يا غزال", 260), ("لو كان قلبي معي", 410)]),
    ("Sigur Rós", "( )", 2002, &[("Untitled #1 (Vaka)", 398), ("Untitled #2 (Fyrsta)", 453)]),
    (
        "Godspeed You! Black Emperor",
        "Lift Your Skinny Fists Like Antennas to Heaven",
        2000,
        &[("Storm", 1352), ("Static", 1355), ("Sleep", 1397), ("Like Antennas to Heaven…", 1137)],
    ),
    ("Mica Levi", "Jackie 🎻", 2016, &[("Intro", 79), ("Children", 111)]),
];

const DEMO: Record = (
    "Segue",
    "First Light",
    2026,
    &[("First Light", 58), ("Paper Boats", 74), ("Tin Rain", 66), ("Harbour", 88)],
);

async fn fill(catalog: &Catalog, library: &Listener, shelf: Shelf) {
    let records: &[Record] = match shelf {
        Shelf::Empty => return,
        Shelf::Demo => &[DEMO],
        Shelf::Full => RECORDS,
    };
    let mut batch = Batch::default();
    for (i, (artist, title, year, tracks)) in records.iter().enumerate() {
        let refs = vec![ArtistRef { id: format!("ar-{artist}").into(), name: (*artist).to_owned() }];
        let added_at = NOW - DAY * i as i64;
        if !batch.artists.iter().any(|a| a.name == *artist) {
            batch.artists.push(Artist {
                id: format!("ar-{artist}").into(),
                name: (*artist).to_owned(),
                sort_name: (*artist).to_owned(),
                album_count: 1,
                cover: None,
                musicbrainz_id: None,
                roles: Vec::new(),
                marks: Marks::default(),
            });
        }
        batch.albums.push(Album {
            id: format!("al-{title}").into(),
            title: (*title).to_owned(),
            artist: (*artist).to_owned(),
            artists: refs,
            year: Some(*year),
            genres: vec!["Electronic".to_owned()],
            track_count: tracks.len() as u32,
            duration_ms: tracks.iter().map(|(_, s)| s * 1000).sum(),
            cover: Some(CoverId::new(format!("cover-{title}"))),
            compilation: false,
            musicbrainz_id: None,
            added_at,
            details: segue::music::AlbumDetails::default(),
            marks: Marks::default(),
        });
        for (n, (name, seconds)) in tracks.iter().enumerate() {
            let mut track = track(artist, title, n as u32 + 1, name, *seconds);
            track.year = Some(*year);
            track.added_at = added_at;
            batch.tracks.push(track);
        }
    }
    catalog.apply(&batch).await.unwrap();
    catalog.prune().await.unwrap();
    if shelf == Shelf::Full {
        let plays: [(&str, u32, i64); 6] = [
            ("Spaces", 2, 3),
            ("Homogenic", 2, 5),
            ("Night Reign", 5, 8),
            ("Homogenic", 10, 11),
            ("Zombie", 1, 20),
            ("Spaces", 2, 26),
        ];
        for (album, number, hours) in plays {
            let play = Play {
                track: format!("{album}/{number}").into(),
                started_at: NOW - hours * 3_600_000,
                heard_ms: 400_000,
                start: StartReason::Chosen,
                end: EndReason::Finished,
            };
            library.record_play(&play).await.unwrap();
        }
        for (album, number) in [("Spaces", 2), ("Homogenic", 2), ("Funeral for Justice", 1)] {
            let item = Item::Track(format!("{album}/{number}").into());
            library.set_star(&item, Some(NOW - DAY)).await.unwrap();
        }
        library.set_star(&Item::Album(AlbumId::new("al-Spaces")), Some(NOW)).await.unwrap();
        library.set_rating(&Item::Track("Night Reign/5".into()), 4).await.unwrap();
        let at = jiff::Timestamp::from_millisecond(NOW).unwrap().to_zoned_datetime(jiff::tz::TimeZone::UTC);
        segue::mixing::refresh(library, &at, None).await.unwrap();
    }
}

/// Options for a terminal of this kind.
pub fn options(colors: ColorDepth, ascii: bool) -> Options {
    Options { colors, ascii, ..Options::default() }
}

/// The stage in the middle of an album, two minutes into a track.
pub fn playing(size: (u16, u16), options: Options) -> Stage {
    let mut stage = Stage::with(Shelf::Full, size, options);
    // Search finds it wherever it stands.
    stage.keys("gs").keys("says nils<Enter><Esc>gh");
    let tracks: Vec<Track> = [("Said and Done", 3, 591), ("Familiar", 5, 247), ("Hammers", 7, 262)]
        .iter()
        .map(|(title, n, seconds)| track("Nils Frahm", "Spaces", *n, title, *seconds))
        .collect();
    let first = track("Nils Frahm", "Spaces", 1, "An Aborted Beginning", 102);
    let mut says = track("Nils Frahm", "Spaces", 2, "Says", 498);
    says.marks.starred_at = Some(NOW - DAY);
    let context = [vec![first, says], tracks].concat();
    stage.obey(&Command::PlayContext {
        tracks: context,
        start: 0,
        name: "Spaces".to_owned(),
        shuffled: false,
    });
    stage.queue.mark_begun();
    stage.obey(&Command::Next);
    stage.queue.mark_begun();
    stage.obey(&Command::Enqueue(vec![track("Björk", "Homogenic", 1, "Hunter", 255)]));
    stage.obey(&Command::SetRepeat(Repeat::All));
    stage.player(|status| {
        status.position_ms = 221_000;
        status.buffered = vec![(0.0, 0.8)];
        status.supply = Supply::Streaming;
    });
    stage.commands.clear();
    stage
}

/// Title of what plays.
pub fn now(stage: &Stage) -> String {
    stage.queue.now().map(|entry| entry.track.title.clone()).unwrap_or_default()
}

/// The line with the cursor's edge.
pub fn cursor_line(stage: &Stage) -> String {
    let text = stage.text();
    let line = text.lines().find(|line| line.contains('▌')).unwrap_or_default();
    line[line.find('▌').unwrap_or(0)..].to_owned()
}

/// Fails unless these words are on the screen.
#[track_caller]
pub fn sees(stage: &Stage, words: &str) {
    let text = stage.text();
    assert!(text.contains(words), "no “{words}” in\n{text}");
}

/// Fails if these words are on the screen.
#[track_caller]
pub fn sees_not(stage: &Stage, words: &str) {
    let text = stage.text();
    assert!(!text.contains(words), "“{words}” in\n{text}");
}
