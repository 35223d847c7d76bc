//! Plain mode, for screen readers and for scripts: lines out, lines in, no boxes and no cursor that moves about.
//!
//! The state, the actions and what they do are those of the screens. A line that is typed is a command as after `:`;
//! what changes is told in a line of its own: what plays, whether it plays, what is selected, what went wrong. What is
//! on a page is read off the page as it would be drawn (`view::rows`), so that every page is there by itself.

use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::action::{self, Action, Group};
use super::effects::{Effect, Msg};
use super::event_loop::{Feeds, Loop, Signals, changed, clock, next_minute};
use super::keymap::Keymap;
use super::outside::Outside;
use super::probe::Answers;
use super::state::{App, Screen, Weight};
use super::{ColorDepth, Left, Options, TuiError, start, text, update, view};
use crate::client::Connection;
use crate::music::{Track, clock as minutes};
use crate::player::{Repeat, Transport};

/// Cells of the page that is read: wide enough for whole titles, high enough for whole lists.
const SIZE: (u16, u16) = (240, 260);
/// The opening page is a list below eighty cells.
const NARROW: u16 = 79;
/// How long after a command its answers are told.
const ANSWERS: Duration = Duration::from_secs(3);
/// Rows that `list` reads.
const ROWS: usize = 20;

/// Runs until the listener leaves or the input ends.
pub async fn run_plain(
    outside: Arc<dyn Outside>,
    feeds: Feeds,
    keymap: Keymap,
    options: Options,
) -> Result<Left, TuiError> {
    let options = Options { colors: ColorDepth::Mono, ascii: false, still: true, ..options };
    let app = App::new(options, keymap, (NARROW, SIZE.1), clock());
    Plain { inner: Loop::new(outside, app, &Answers::default()), told: Told::default() }.run(feeds).await
}

/// Lines of the input, read where waiting for them holds nobody up; ends with it.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (tell, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if tell.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

struct Plain {
    inner: Loop,
    told: Told,
}

/// What was told last.
#[derive(Default)]
struct Told {
    playing: Option<u64>,
    ad: Option<String>,
    transport: Transport,
    sound: Option<(u8, bool, bool, Repeat)>,
    screen: Option<Screen>,
    selection: String,
    notice: String,
    connection: &'static str,
    /// What is selected is told until then.
    until: Option<Instant>,
}

impl Plain {
    async fn run(mut self, mut feeds: Feeds) -> Result<Left, TuiError> {
        let mut lines = lines();
        let mut signals = Signals::new()?;
        let mut minute = next_minute(clock());
        say("Segue. Type help for the commands, list for what is here, quit to leave.")?;
        self.told.until = Some(Instant::now() + ANSWERS);
        let status = feeds.player.borrow_and_update().clone();
        self.tell(Msg::Player(Box::new(status)))?;
        let status = feeds.session.borrow_and_update().clone();
        self.tell(Msg::Session(Box::new(status)))?;
        let effects = start(&mut self.inner.app);
        self.inner.carry_out(effects);
        while !self.inner.app.leaving() {
            tokio::select! {
                biased;
                () = signals.leave() => break,
                () = feeds.leave.cancelled() => break,
                line = lines.recv() => match line {
                    Some(line) => self.line(line.trim())?,
                    None => break,
                },
                Ok(()) = feeds.player.changed() => {
                    let status = feeds.player.borrow_and_update().clone();
                    self.tell(Msg::Player(Box::new(status)))?;
                }
                Ok(()) = feeds.session.changed() => {
                    let status = feeds.session.borrow_and_update().clone();
                    self.tell(Msg::Session(Box::new(status)))?;
                }
                Some(status) = changed(&mut feeds.downloads) => self.tell(Msg::Downloads(Box::new(status)))?,
                Some(fresh) = feeds.fresh.recv() => self.tell(Msg::Fresh(Box::new(fresh)))?,
                Some(sentence) = feeds.sentences.recv() => self.tell(Msg::Said(sentence))?,
                Some(msg) = self.inner.inbox.recv() => self.tell(msg)?,
                () = tokio::time::sleep_until(minute) => {
                    let now = clock();
                    minute = next_minute(now);
                    self.tell(Msg::Clock(now))?;
                }
            }
        }
        Ok(self.inner.app.left())
    }

    fn tell(&mut self, msg: Msg) -> Result<(), TuiError> {
        self.inner.tell(msg);
        // There is no screen to draw anew, nor to hand back.
        self.inner.own.clear();
        self.fit();
        self.announce()
    }

    /// Gives every page the size that suits its reading.
    fn fit(&mut self) {
        let width = if self.inner.app.screen == Screen::Home { NARROW } else { SIZE.0 };
        if self.inner.app.size.0 != width {
            self.inner.tell(Msg::Resize(width, SIZE.1));
            self.inner.own.clear();
        }
    }

    /// Carries out a line.
    fn line(&mut self, line: &str) -> Result<(), TuiError> {
        self.told.until = Some(Instant::now() + ANSWERS);
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match word {
            "" | "where" => return self.whereabouts(),
            "help" | "?" => return help(rest),
            "list" | "ls" => return self.list(rest.parse().unwrap_or(ROWS)),
            "status" => return self.status(),
            "search" if !rest.is_empty() => {
                self.act(&Action::Go(Screen::Search), None)?;
                self.inner.app.search.input.clear();
                self.tell(Msg::Paste(rest.to_owned()))?;
                return self.act(&Action::Cancel, None);
            }
            _ => {}
        }
        if let Some(words) = line.strip_prefix('/') {
            self.act(&Action::Filter, None)?;
            self.tell(Msg::Paste(words.trim().to_owned()))?;
            return self.act(&Action::Play, None);
        }
        // A number alone is the row with it; after a motion it says how often, as before one.
        if let Ok(row) = word.parse::<usize>() {
            return match action::parse(rest) {
                Ok((_, action)) => self.act(&action, Some(row)),
                Err(_) => self.act(&Action::Top, Some(row)),
            };
        }
        let counted =
            action::find(word).is_some_and(|spec| spec.counted && spec.takes == action::Takes::Nothing);
        if let (true, Ok(count)) = (counted, rest.parse::<usize>())
            && let Ok((_, action)) = action::parse(word)
        {
            return self.act(&action, Some(count));
        }
        match action::parse(line.trim_start_matches(':')) {
            Ok((_, action)) => self.act(&action, None),
            Err(error) => say(&format!("Error: {error} Type help for the commands.")),
        }
    }

    fn act(&mut self, action: &Action, count: Option<usize>) -> Result<(), TuiError> {
        let effects = update_by(&mut self.inner.app, action, count);
        self.inner.carry_out(effects);
        self.inner.own.clear();
        self.fit();
        self.announce()
    }

    /// Tells what is another than it was.
    fn announce(&mut self) -> Result<(), TuiError> {
        let app = &self.inner.app;
        let told = &mut self.told;
        let connection = match &app.session.connection {
            Connection::Online => "Online.",
            Connection::Slow => "The connection is slow.",
            Connection::Connecting => told.connection,
            Connection::Offline { .. } => "Offline.",
        };
        if connection != std::mem::replace(&mut told.connection, connection) {
            say(connection)?;
        }
        let now = app.player.queue.now.as_ref();
        let (uid, transport) = (now.map(|now| now.uid), app.player.transport);
        let ad = app.player.ad.as_ref().map(|ad| format!("Ad: {}, by {}.", ad.title, ad.by));
        if ad != told.ad {
            told.ad.clone_from(&ad);
            match ad {
                Some(ad) => say(&ad)?,
                // Now it is heard what waited.
                None => told.playing = None,
            }
        }
        if app.player.ad.is_none() && (uid != told.playing || transport != told.transport) {
            let another = uid != told.playing;
            (told.playing, told.transport) = (uid, transport);
            let name = now.map(|now| track(&now.track)).unwrap_or_default();
            match transport {
                Transport::Playing => say(&format!("Playing: {name}."))?,
                Transport::Paused if another => say(&format!("Paused: {name}."))?,
                Transport::Paused => say("Paused.")?,
                Transport::Buffering => say("Waiting for the server.")?,
                Transport::Stopped => say("Stopped.")?,
            }
        }
        let (queue, player) = (&app.player.queue, &app.player);
        let sound = (player.volume, player.muted, queue.shuffle, queue.repeat);
        if let Some(old) = told.sound.replace(sound).filter(|old| *old != sound) {
            if (old.0, old.1) != (sound.0, sound.1) {
                say(&volume(app))?;
            }
            if (old.2, old.3) != (sound.2, sound.3) {
                say(&order(app))?;
            }
        }
        let notice = app.notices.shown().map(|(weight, text)| match weight {
            Weight::Trouble => format!("Error: {text}"),
            Weight::Done => text.to_owned(),
        });
        let notice = notice.unwrap_or_default();
        if notice != told.notice {
            told.notice.clone_from(&notice);
            if !notice.is_empty() {
                say(&notice)?;
            }
        }
        if told.until.is_none_or(|until| until < Instant::now()) {
            return Ok(());
        }
        if told.screen.replace(app.screen) != Some(app.screen) {
            told.selection.clear();
            say(&format!("{}.", app.screen.title()))?;
        }
        let rows = view::rows(app);
        let selection = rows.iter().position(|row| row.selected);
        let words =
            selection.and_then(|at| Some(format!("{} of {}: {}", at + 1, rows.len(), rows.get(at)?.words)));
        if let Some(words) = words.filter(|words| *words != told.selection) {
            say(&words)?;
            told.selection = words;
        }
        Ok(())
    }

    /// The page and what is selected on it, again.
    fn whereabouts(&mut self) -> Result<(), TuiError> {
        self.told.screen = None;
        self.announce()?;
        if self.told.selection.is_empty() {
            say("Nothing is selected.")?;
        }
        Ok(())
    }

    /// The rows of the page from the selected one on.
    fn list(&self, count: usize) -> Result<(), TuiError> {
        let rows = view::rows(&self.inner.app);
        let from = rows.iter().position(|row| row.selected).unwrap_or(0);
        for (at, row) in rows.iter().enumerate().skip(from).take(count) {
            let mark = if row.selected { " selected," } else { "" };
            say(&format!("{}:{mark} {}", at + 1, row.words))?;
        }
        match rows.len().saturating_sub(from + count) {
            _ if rows.is_empty() => {
                for line in view::words(&self.inner.app) {
                    say(&line)?;
                }
                Ok(())
            }
            0 => Ok(()),
            more => say(&format!("{} more.", text::count(more as u64, "row"))),
        }
    }

    fn status(&self) -> Result<(), TuiError> {
        let app = &self.inner.app;
        let player = &app.player;
        if let Some(ad) = &player.ad {
            let (at, of) = (minutes(ad.position_ms), minutes(ad.duration_ms));
            say(&format!("An ad: {}, by {}, at {at} of {of}.", ad.title, ad.by))?;
        }
        match &player.queue.now {
            Some(now) if player.ad.is_some() => say(&format!("Then: {}.", track(&now.track)))?,
            Some(now) => {
                let (at, of) = (minutes(player.position_ms), minutes(player.duration_ms));
                say(&format!("{}, at {at} of {of}, {}.", track(&now.track), word(player.transport)))?;
            }
            None => say("Nothing is playing.")?,
        }
        if let Some(name) = &player.elsewhere {
            say(&format!("It plays on {}.", text::clean(name)))?;
        }
        let next = player.queue.up_next.first().or(player.queue.context.first());
        if let Some(next) = next {
            say(&format!("Next: {}.", track(&next.track)))?;
        }
        say(&format!("{} {}", volume(app), order(app)))
    }
}

/// An action as if its key had been pressed.
fn update_by(app: &mut App, action: &Action, count: Option<usize>) -> Vec<Effect> {
    update(app, Msg::Act(action.clone(), count))
}

fn word(transport: Transport) -> &'static str {
    match transport {
        Transport::Playing => "playing",
        Transport::Paused => "paused",
        Transport::Buffering => "waiting for the server",
        Transport::Stopped => "stopped",
    }
}

fn volume(app: &App) -> String {
    if app.player.muted { "Muted.".to_owned() } else { format!("Volume {}.", app.player.volume) }
}

fn order(app: &App) -> String {
    let shuffle = if app.player.queue.shuffle { "on" } else { "off" };
    let repeat = match app.player.queue.repeat {
        Repeat::Off => "off",
        Repeat::All => "all",
        Repeat::One => "one",
    };
    format!("Shuffle {shuffle}, repeat {repeat}.")
}

fn track(track: &Track) -> String {
    let mut words = track.title.clone();
    if !track.artist.is_empty() {
        words = format!("{words}, by {}", track.artist);
    }
    if !track.album.is_empty() {
        words = format!("{words}, from {}", track.album);
    }
    words
}

/// Every command with what it does, or those with these words in them.
fn help(words: &str) -> Result<(), TuiError> {
    if words.is_empty() {
        say(
            "where: the page and the selection again. list: what is on the page. status: what plays and where it is.",
        )?;
        say(
            "search WORDS: find music. A number: that row. /WORDS: only rows with these words. help WORDS: some commands.",
        )?;
    }
    let mut group: Option<Group> = None;
    for spec in action::table() {
        let line = format!("{} {}: {}.", spec.name, spec.takes.hint(), spec.about).replace(" :", ":");
        if !line.contains(words) {
            continue;
        }
        if group.replace(spec.group) != Some(spec.group) && words.is_empty() {
            say(&format!("{}:", spec.group.title()))?;
        }
        say(&line)?;
    }
    Ok(())
}

/// One line, with nothing in it that a terminal would obey.
fn say(words: &str) -> Result<(), TuiError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text::clean(words))?;
    Ok(out.flush()?)
}
