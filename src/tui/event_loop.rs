//! The loop: waits until something happens, tells `update`, carries out the effects, draws if it shows.
//!
//! Nothing ticks. While nothing happens the only thing waited for is the next minute of the clock. When much
//! happens, everything that has arrived is taken before a frame is drawn, and frames are at least `FRAME` apart.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream, KeyEvent, MouseEventKind};
use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::effects::{Effect, Msg};
use super::keymap::Keymap;
use super::outside::{Outside, carry_out};
use super::probe::{self, Answers, Stray};
use super::terminal::{Screen, install_panic_hook};
use super::{App, Clock, Fresh, Left, Options, TuiError, start, update, view};
use crate::audio::Spectrum;
use crate::client::{DownloadStatus, SessionStatus};
use crate::player::Status;

/// Time between frames in the long run, so that with those that may be drawn early a second has 60 at most.
const FRAME: Duration = Duration::from_micros(17_500);
/// Frames that may be drawn early after a rest: that of a key, and that of what the key asked the catalog for.
const EARLY: u32 = 2;

/// Least time between two looks at the sound: 20 in a second are enough for eyes, and few for a slow link.
const LOOK: Duration = Duration::from_millis(50);

/// What the screens listen to.
#[derive(Debug)]
pub struct Feeds {
    /// The player's state.
    pub player: watch::Receiver<Status>,
    /// The session's state.
    pub session: watch::Receiver<SessionStatus>,
    /// Counts up when mixes were made anew.
    pub mixes: watch::Receiver<u64>,
    /// Pins and downloads; none where nothing can be kept.
    pub downloads: Option<watch::Receiver<DownloadStatus>>,
    /// What was changed in the listener's files.
    pub fresh: mpsc::UnboundedReceiver<Fresh>,
    /// Sentences for the listener: what cannot be played, what is not done.
    pub sentences: mpsc::UnboundedReceiver<String>,
    /// Cancelled when somebody outside wants the program to end.
    pub leave: CancellationToken,
}

/// Shows the screens until the listener leaves. To be called from the main thread, inside `block_on`.
pub async fn run(
    outside: Arc<dyn Outside>,
    feeds: Feeds,
    keymap: Keymap,
    mut options: Options,
) -> Result<Left, TuiError> {
    install_panic_hook(options.log_file.clone());
    let mut screen = Screen::take()?;
    let size = screen.terminal.size()?;
    let answers = ask_terminal(&mut options);
    let app = App::new(options, keymap, (size.width, size.height), clock());
    Loop::new(outside, app, &answers).run(&mut screen, feeds).await
}

/// Asks the terminal what it is, and takes what it answers into the options.
fn ask_terminal(options: &mut Options) -> Answers {
    let var = |name: &str| std::env::var(name).ok();
    let tmux = var("TMUX").is_some_and(|value| !value.is_empty());
    if tmux && options.covers != "blocks" {
        // Only for the pane that Segue runs in. Where it does not work, there are half blocks.
        let mut command = std::process::Command::new("tmux");
        command.args(["set-option", "-p", "allow-passthrough", "on"]).stdin(Stdio::null());
        let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
    let answers = probe::ask(tmux).unwrap_or_else(|error| {
        tracing::debug!(%error, "the terminal was not asked");
        Answers::default()
    });
    options.light = answers.light().unwrap_or(options.light);
    options.graphics = answers.graphics(&options.covers, tmux, var);
    tracing::debug!(?answers, graphics = ?options.graphics, "terminal");
    answers
}

/// The time of day, here.
pub(super) fn clock() -> Clock {
    let now = jiff::ZonedDateTime::now();
    Clock {
        unix_ms: now.timestamp().as_millisecond(),
        hour: u8::try_from(now.hour()).unwrap_or(0),
        minute: u8::try_from(now.minute()).unwrap_or(0),
    }
}

/// When the next minute begins.
pub(super) fn next_minute(clock: Clock) -> Instant {
    let into = u64::try_from(clock.unix_ms.rem_euclid(60_000)).unwrap_or(0);
    Instant::now() + Duration::from_millis(60_000 - into + 5)
}

pub(super) struct Loop {
    outside: Arc<dyn Outside>,
    /// On the heap: it is large, and futures carry it about.
    pub(super) app: Box<App>,
    outbox: mpsc::UnboundedSender<Msg>,
    pub(super) inbox: mpsc::UnboundedReceiver<Msg>,
    /// Done by the loop itself, between messages.
    pub(super) own: Vec<Effect>,
    stray: Stray,
    /// Keys that came before the loop did.
    early: Vec<KeyEvent>,
}

impl Loop {
    pub(super) fn new(outside: Arc<dyn Outside>, app: App, answers: &Answers) -> Self {
        let (outbox, inbox) = mpsc::unbounded_channel();
        let (stray, early) = (Stray::new(answers.complete), probe::keys(&answers.typed));
        let app = Box::new(app);
        Self { outside, app, outbox, inbox, own: Vec::new(), stray, early }
    }

    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Redraw | Effect::Suspend => self.own.push(effect),
                // In the order of the keys: a task might overtake another.
                Effect::Player(command) => self.outside.command(command),
                effect => {
                    let (outside, outbox) = (Arc::clone(&self.outside), self.outbox.clone());
                    tokio::spawn(async move {
                        if let Some(msg) = carry_out(outside, effect).await {
                            // The loop may have ended meanwhile.
                            let _ = outbox.send(msg);
                        }
                    });
                }
            }
        }
    }

    pub(super) fn tell(&mut self, msg: Msg) {
        let effects = update(&mut self.app, msg);
        self.carry_out(effects);
    }

    async fn run(mut self, screen: &mut Screen, mut feeds: Feeds) -> Result<Left, TuiError> {
        let mut keys = EventStream::new();
        let mut signals = Signals::new()?;
        let mut minute = next_minute(clock());
        let mut pace = Pace::new();
        let mut wanted = true;
        let mut look = Look::default();
        // When the position of the player's last word was.
        let mut told = Instant::now();
        let status = feeds.player.borrow_and_update().clone();
        self.tell(Msg::Player(Box::new(status)));
        let status = feeds.session.borrow_and_update().clone();
        self.tell(Msg::Session(Box::new(status)));
        if let Some(downloads) = &mut feeds.downloads {
            let status = downloads.borrow_and_update().clone();
            self.tell(Msg::Downloads(Box::new(status)));
        }
        let effects = start(&mut self.app);
        self.carry_out(effects);
        for key in std::mem::take(&mut self.early) {
            self.tell(Msg::Key(key));
        }
        let mut anew = false;
        while !self.app.leaving() {
            wanted |= self.app.take_dirty();
            if wanted && pace.take(Instant::now()) {
                if std::mem::take(&mut anew) {
                    screen.redraw()?;
                }
                screen.draw(|frame| view(&self.app, frame))?;
                screen.set_title(self.app.title())?;
                wanted = false;
            }
            let bands = self.app.spectrum_bands();
            look.watch(&*self.outside, bands.is_some());
            let moment = self.app.next_moment();
            let sung = told + moment.map_or(Duration::ZERO, |ms| self.app.until(ms));
            tokio::select! {
                biased;
                event = keys.next() => match event {
                    Some(Ok(event)) => self.terminal_event(event),
                    // The terminal is gone.
                    Some(Err(_)) | None => break,
                },
                () = signals.leave() => break,
                () = feeds.leave.cancelled() => break,
                Ok(()) = feeds.player.changed() => {
                    let status = feeds.player.borrow_and_update().clone();
                    told = Instant::now();
                    self.tell(Msg::Player(Box::new(status)));
                }
                Ok(()) = feeds.session.changed() => {
                    let status = feeds.session.borrow_and_update().clone();
                    self.tell(Msg::Session(Box::new(status)));
                }
                Ok(()) = feeds.mixes.changed() => {
                    let made = *feeds.mixes.borrow_and_update();
                    self.tell(Msg::Mixes(made));
                }
                Some(status) = changed(&mut feeds.downloads) => self.tell(Msg::Downloads(Box::new(status))),
                Some(fresh) = feeds.fresh.recv() => self.tell(Msg::Fresh(Box::new(fresh))),
                Some(sentence) = feeds.sentences.recv() => self.tell(Msg::Said(sentence)),
                Some(msg) = self.inbox.recv() => self.tell(msg),
                () = tokio::time::sleep_until(minute) => {
                    let now = clock();
                    minute = next_minute(now);
                    self.tell(Msg::Clock(now));
                }
                () = tokio::time::sleep_until(sung), if moment.is_some() => self.tell(Msg::Heard(moment.unwrap_or(0))),
                () = tokio::time::sleep_until(look.due), if bands.is_some() => {
                    if let Some(msg) = look.at(bands.unwrap_or(1)) {
                        self.tell(msg);
                    }
                }
                () = tokio::time::sleep_until(pace.due()), if wanted => {}
            }
            for effect in std::mem::take(&mut self.own) {
                match effect {
                    Effect::Suspend => screen.suspend()?,
                    // With the next frame: of many sizes in a row only the last one is drawn.
                    _ => anew = true,
                }
                wanted = true;
            }
        }
        Ok(self.app.left())
    }

    fn terminal_event(&mut self, event: TerminalEvent) {
        match event {
            TerminalEvent::Key(key) if self.stray.takes(&key) => {}
            TerminalEvent::Key(key) => self.tell(Msg::Key(key)),
            TerminalEvent::Paste(text) => self.tell(Msg::Paste(text)),
            TerminalEvent::Resize(width, height) => self.tell(Msg::Resize(width, height)),
            // Moves alone are many and mean nothing here.
            TerminalEvent::Mouse(event) if event.kind == MouseEventKind::Moved => {}
            TerminalEvent::Mouse(event) => self.tell(Msg::Mouse(event)),
            TerminalEvent::FocusGained => self.tell(Msg::Focus(true)),
            TerminalEvent::FocusLost => self.tell(Msg::Focus(false)),
        }
    }
}

/// When the next frame may be drawn: a bucket that holds [`EARLY`] frames more than one and fills by one each [`FRAME`].
struct Pace {
    /// When the bucket would be full.
    full: Instant,
}

impl Pace {
    fn new() -> Self {
        Self { full: Instant::now() }
    }

    fn due(&self) -> Instant {
        self.full.checked_sub(FRAME * EARLY).unwrap_or(self.full)
    }

    /// Takes a frame out, if there is one.
    fn take(&mut self, now: Instant) -> bool {
        let there = now >= self.due();
        if there {
            self.full = self.full.max(now) + FRAME;
        }
        there
    }
}

/// A look at the sound, made when it is first wanted.
struct Look {
    spectrum: Option<Spectrum>,
    due: Instant,
}

impl Default for Look {
    fn default() -> Self {
        Self { spectrum: None, due: Instant::now() }
    }
}

impl Look {
    /// Watches or not; whoever does not costs the sound nothing.
    fn watch(&mut self, outside: &dyn Outside, on: bool) {
        if on && self.spectrum.is_none() {
            self.spectrum = outside.spectrum();
        }
        if let Some(spectrum) = &mut self.spectrum {
            spectrum.set_watched(on);
        }
    }

    fn at(&mut self, count: usize) -> Option<Msg> {
        self.due = Instant::now() + LOOK;
        let mut bands = vec![0.0; count];
        let levels = self.spectrum.as_mut()?.read(&mut bands);
        Some(Msg::Sounding(bands, levels.rms_db, levels.peak_db))
    }
}

/// The next state of the downloads; never, where there are none.
pub(super) async fn changed(
    downloads: &mut Option<watch::Receiver<DownloadStatus>>,
) -> Option<DownloadStatus> {
    let downloads = downloads.as_mut()?;
    downloads.changed().await.ok()?;
    Some(downloads.borrow_and_update().clone())
}

/// Signals that mean leaving.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> Result<Self, TuiError> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, hang_up: signal(SignalKind::hangup())? })
    }

    #[cfg(unix)]
    pub(super) async fn leave(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> Result<Self, TuiError> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(super) async fn leave(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_may_come_together_but_not_more_than_sixty_in_a_second() {
        let mut pace = Pace::new();
        let start = Instant::now();
        let drawn: Vec<u32> =
            (0..3_000).filter(|ms| pace.take(start + Duration::from_millis(u64::from(*ms)))).collect();
        assert_eq!(&drawn[..3], [0, 1, 2]);
        for from in 0..2_000 {
            let frames = drawn.iter().filter(|at| (from..from + 1_000).contains(*at)).count();
            assert!((50..=60).contains(&frames), "{frames} frames after {from} ms");
        }
    }
}
