//! The actor: one task that owns the queue and the engine. Commands, what the engine reports and a slow clock come
//! in through one channel each; a [`Status`] goes out through a watch, [`Event`]s through a channel.
//!
//! ```text
//! commands ─▶ ┌───────┐ load, follow, seek ─▶ audio::Engine ─▶ device
//! engine's ─▶ │ Actor │ track() ─▶ cache::Store ─▶ Reader ─▶ (the engine reads it)
//! clock    ─▶ └───────┘ ─▶ Status, Event
//! ```
//!
//! An engine item carries a token; [`Loaded`] remembers which queue entry a token stands for. What plays now is
//! what is *heard*: the queue advances when the engine says that the follower's first sample came out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt;
use tokio::sync::{mpsc, watch};

use super::breaks::Breaks;
use super::forms::Refused;
use super::listening::Listening;
use super::media::{Stock, Supplies, Way};
use super::sleep::SleepTimer;
use super::status::{Command, Event, Status};
use super::{Loudness, Queue, QueueView, SavedQueue, Sound, Undone};
use crate::audio::{self, AudioEvent, Engine};
use crate::cache::{Source, Store};
use crate::music::{Ad, EndReason, Quality, StartReason, Track};
use ads::Next;

mod ads;
mod show;
mod sleeping;
mod treatment;
mod trouble;

/// How often the position is looked at while something plays.
const TICK: Duration = Duration::from_millis(250);
/// The same while sound fades away.
const FADE_TICK: Duration = Duration::from_millis(50);
/// "Previous" within this much of a track goes back; later it begins the track anew, ms.
const BEGUN_MS: u64 = 3000;
/// Tracks that may fail one after another before playing stops.
const FAILURES: u32 = 8;

/// A handle on the player. Clones drive the same one; it ends when all of them are gone.
#[derive(Clone)]
pub struct Player {
    commands: mpsc::UnboundedSender<Input>,
    status: watch::Receiver<Status>,
    engine: Engine,
}

/// What a player is made of.
pub struct Parts {
    /// Sound.
    pub engine: Engine,
    /// What the engine reports.
    pub reports: std::sync::mpsc::Receiver<AudioEvent>,
    /// Bytes on disk.
    pub store: Store,
    /// Bytes that are not on disk.
    pub source: Arc<dyn Source>,
    /// In which form tracks are asked for.
    pub quality: Quality,
    /// In which form pinned tracks are kept.
    pub pinned_quality: Quality,
    /// 0–100.
    pub volume: u8,
    /// Loudness correction at the start.
    pub loudness: Loudness,
    /// Treatment at the start; the engine was started with its output.
    pub sound: Sound,
}

enum Input {
    Command(Command),
    Audio(AudioEvent),
    Restore(Box<Queue>, u64),
    Save(tokio::sync::oneshot::Sender<(SavedQueue, u64)>),
}

impl Player {
    /// Starts the player on the current tokio runtime.
    pub fn start(parts: Parts) -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (commands, inbox) = mpsc::unbounded_channel();
        let (status_out, status) =
            watch::channel(Status { volume: parts.volume, sound: parts.sound.clone(), ..Status::default() });
        let (events_out, events) = mpsc::unbounded_channel();
        let reports = parts.reports;
        let weak = commands.downgrade();
        std::thread::spawn(move || {
            for report in reports {
                let Some(inbox) = weak.upgrade() else { return };
                if inbox.send(Input::Audio(report)).is_err() {
                    return;
                }
            }
        });
        parts.engine.set_volume(f32::from(parts.volume) / 100.0);
        treat(&parts.engine, &parts.sound);
        let engine = parts.engine.clone();
        let actor = Actor {
            engine: parts.engine,
            stock: Stock {
                store: parts.store,
                source: parts.source,
                quality: parts.quality,
                pinned: parts.pinned_quality,
                refused: Refused::default(),
                limit: 0,
            },
            queue: Queue::new(),
            view: Arc::default(),
            loaded: None,
            follower: None,
            listening: None,
            last_token: 0,
            failures: 0,
            wanted: false,
            paused: false,
            due: 0,
            parked: None,
            volume: parts.volume,
            muted: false,
            loudness: parts.loudness,
            sound: parts.sound,
            sleep: SleepTimer::default(),
            private: false,
            breaks: Breaks::default(),
            after_ad: StartReason::Advance,
            music_gain: None,
            awake: 1.0,
            events: events_out,
            status: status_out,
        };
        tokio::spawn(actor.run(inbox));
        (Self { commands, status, engine }, events)
    }

    /// Asks for something; it is done in the order of asking.
    pub fn send(&self, command: Command) {
        // A player that is gone has nobody left to disappoint.
        let _ = self.commands.send(Input::Command(command));
    }

    /// What there is to show; changes at once on every change and four times a second while playing.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// A look at what sounds, for spectra and meters: `set_watched(true)` while it is on the screen, then `read` as
    /// often as it is drawn. Each call gives a handle of its own; making one takes memory for an FFT, so keep it.
    pub fn spectrum(&self) -> audio::Spectrum {
        self.engine.spectrum()
    }

    /// Puts back a queue of an earlier start, paused at a position (ms).
    pub fn restore(&self, queue: Queue, position_ms: u64) {
        let _ = self.commands.send(Input::Restore(Box::new(queue), position_ms));
    }

    /// The queue and position (ms) for a later start.
    pub async fn saved(&self) -> Option<(SavedQueue, u64)> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.commands.send(Input::Save(reply)).ok()?;
        answer.await.ok()
    }
}

/// A queue entry in the engine.
struct Loaded {
    token: u64,
    /// The queue's uid; none for a follower that enters the queue when it is heard (a repeat).
    uid: Option<u64>,
    track: Arc<Track>,
    /// The ad that it is, if it is one.
    ad: Option<Ad>,
    supplies: Supplies,
    gain_db: f32,
    /// Where playing begins, ms.
    from_ms: u64,
    /// It was heard before: this is the rest of it.
    goes_on: bool,
    /// Something of it came out.
    heard: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own")]
struct Actor {
    engine: Engine,
    stock: Stock,
    queue: Queue,
    view: Arc<QueueView>,
    loaded: Option<Loaded>,
    follower: Option<Loaded>,
    listening: Option<Listening>,
    last_token: u64,
    failures: u32,
    /// Whether the engine asked for what follows.
    wanted: bool,
    /// Whether the listener wants silence; the engine follows a moment later.
    paused: bool,
    /// Looks at the engine that are due after a seek: while nothing moves, nobody else would see where it went.
    due: u8,
    /// Where to begin the current entry, which is not loaded yet because nobody pressed play, ms.
    parked: Option<u64>,
    volume: u8,
    muted: bool,
    loudness: Loudness,
    sound: Sound,
    sleep: SleepTimer,
    private: bool,
    breaks: Breaks,
    /// Why the track begins that waits behind an ad.
    after_ad: StartReason,
    /// The gain of the music that was heard last, dB, where it is known.
    music_gain: Option<f32>,
    /// How much of the volume the sleep timer leaves, 1 for all.
    awake: f32,
    events: mpsc::UnboundedSender<Event>,
    status: watch::Sender<Status>,
}

impl Actor {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Input>) {
        let mut clock = tokio::time::interval(TICK);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut fade = tokio::time::interval(FADE_TICK);
        fade.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let moving = self.loaded.is_some() && !self.paused || self.sleep.runs() || self.due > 0;
            let fading = self.sleep.level(Instant::now()) < 1.0;
            let input = tokio::select! {
                input = inbox.recv() => match input {
                    Some(input) => Some(input),
                    None => break,
                },
                _ = clock.tick(), if moving => {
                    self.due = self.due.saturating_sub(1);
                    None
                }
                _ = fade.tick(), if fading => None,
            };
            match input {
                Some(Input::Command(command)) => self.obey(command),
                Some(Input::Audio(event)) => self.hear(event),
                Some(Input::Restore(queue, at_ms)) => {
                    self.queue = *queue;
                    self.parked = self.queue.now().is_some().then_some(at_ms);
                    self.queue_changed();
                }
                Some(Input::Save(reply)) => {
                    let _ = reply.send((self.queue.save(), self.place()));
                }
                None => {}
            }
            self.doze();
            self.publish();
        }
        self.finish(EndReason::Stopped);
        self.engine.shutdown();
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::PlayContext { tracks, start, name, shuffled } => {
                let seed = shuffled.then(|| rand::rng().random());
                let tracks: Vec<_> = tracks.into_iter().map(Arc::new).collect();
                if !tracks.is_empty() {
                    self.leave();
                    self.queue.at(self.place());
                    self.queue.play_context(tracks, start, name, seed);
                    self.begin(StartReason::Chosen);
                }
            }
            Command::Follow { tracks, name } => {
                self.queue.follow(tracks.into_iter().map(Arc::new).collect(), name);
                self.queue_changed();
            }
            Command::Extend { tracks, name } => {
                self.queue.extend(tracks.into_iter().map(Arc::new).collect(), &name);
                self.queue_changed();
            }
            Command::Surround { before, after, name } => self.surround(before, after, name),
            Command::Enqueue(tracks) => {
                self.queue.push_last(tracks.into_iter().map(Arc::new));
                self.queue_changed();
            }
            Command::EnqueueNext(tracks) => {
                self.queue.push_next(tracks.into_iter().map(Arc::new).collect());
                self.queue_changed();
            }
            Command::Jump(_) if self.loaded.is_some() && self.ad().is_none() && !self.may_skip() => {}
            Command::Jump(uid) => {
                self.leave();
                if self.queue.jump(uid) {
                    self.begin(StartReason::Chosen);
                }
            }
            Command::Remove(uids) => {
                self.queue.remove(&uids);
                self.queue_changed();
            }
            Command::Move { uids, by } => {
                self.queue.shift(&uids, by);
                self.queue_changed();
            }
            Command::ClearUpNext => {
                self.queue.clear_up_next();
                self.queue_changed();
            }
            Command::Undo => self.turn_back(Queue::undo),
            Command::Redo => self.turn_back(Queue::redo),
            Command::Toggle if self.loaded.is_some() && !self.paused => self.pause(),
            Command::Toggle | Command::Resume => self.resume(),
            Command::Pause => self.pause(),
            Command::Next => self.skip(),
            Command::Previous | Command::SeekTo(_) | Command::SeekBy(_) if self.held_up() => {}
            Command::Previous => self.go_back(),
            Command::SeekTo(at_ms) => self.seek(at_ms),
            Command::SeekBy(by_ms) => self.seek(self.position().saturating_add_signed(by_ms)),
            Command::SetVolume(volume) => self.set_volume(volume),
            Command::VolumeBy(by) => self.set_volume(self.volume.saturating_add_signed(by)),
            Command::ToggleMute => {
                self.muted = !self.muted;
                self.apply_volume();
            }
            Command::SetShuffle(on) => {
                self.queue.set_shuffle(on, rand::rng().random());
                self.queue_changed();
            }
            Command::SetRepeat(repeat) => {
                self.queue.set_repeat(repeat);
                self.queue_changed();
            }
            Command::SetGain(mode) => {
                self.loudness.mode = mode;
                self.correct_loudness();
            }
            Command::Sound(change) => self.change_sound(&change),
            Command::Sleep(wish) => self.set_sleep(wish),
            Command::Plan { plan, ads } => {
                self.stock.limit = plan.max_bit_rate;
                self.breaks.set(plan, ads);
                if self.loaded.is_some() {
                    self.offer();
                }
            }
            Command::Count(counted) => self.breaks.count(counted),
            Command::Private(on) => {
                self.private = on;
                self.listening.iter_mut().filter(|_| on).for_each(Listening::hide);
            }
            Command::Stop => {
                let at = self.place();
                self.finish(EndReason::Stopped);
                self.breaks.break_off();
                self.unload();
                self.parked = self.queue.now().is_some().then_some(at);
            }
        }
    }

    fn surround(&mut self, before: Vec<Track>, after: Vec<Track>, name: String) {
        let shared = |tracks: Vec<Track>| tracks.into_iter().map(Arc::new).collect();
        self.queue.surround(shared(before), shared(after), name);
        self.queue_changed();
    }

    fn hear(&mut self, event: AudioEvent) {
        match event {
            AudioEvent::Heard { token } => self.heard(token),
            AudioEvent::WantNext { token } => {
                if self.loaded.as_ref().is_some_and(|l| l.token == token) {
                    self.wanted = true;
                    self.offer();
                }
            }
            AudioEvent::Finished { token } => {
                if self.loaded.as_ref().is_some_and(|l| l.token == token) {
                    self.finish(EndReason::Finished);
                }
            }
            AudioEvent::Drained => {
                if self.sleep.ends_with_track() {
                    self.nod_off();
                } else if self.follower.is_none() {
                    self.go_on(EndReason::Finished, StartReason::Advance, true);
                }
            }
            AudioEvent::Failed { token, reason, cause } => self.failed(token, reason, cause),
            AudioEvent::Buffering { .. }
            | AudioEvent::OutputChanged { .. }
            | AudioEvent::FormatKnown { .. } => {}
        }
    }

    /// The first sample of an item came out.
    fn heard(&mut self, token: u64) {
        if self.follower.as_ref().is_some_and(|f| f.token == token) {
            self.finish(EndReason::Finished);
            if let Some(next) = self.follower.take() {
                self.follow(next);
            }
        } else if self.loaded.as_ref().is_none_or(|l| l.token != token) {
            return;
        }
        if self.ad().is_none() {
            self.queue.mark_begun();
        }
        self.refresh_view();
        self.failures = 0;
        if let Some(loaded) = &mut self.loaded {
            loaded.heard = true;
        }
        if let Some(loaded) = self.loaded.as_ref().filter(|l| !l.goes_on && l.ad.is_none()) {
            let _ = self.events.send(Event::Began(Arc::clone(&loaded.track)));
        }
    }

    /// Loads the queue's current entry from its beginning and plays it.
    fn begin(&mut self, why: StartReason) {
        if self.ad().is_some() {
            self.after_ad = why;
            self.resume();
            self.offer();
            return self.refresh_view();
        }
        if self.interrupt(why) {
            return self.refresh_view();
        }
        self.load(0);
        self.start_listening(why);
        self.refresh_view();
    }

    fn load(&mut self, at_ms: u64) {
        self.paused = false;
        self.parked = None;
        self.follower = None;
        self.wanted = false;
        let Some(entry) = self.queue.now() else { return self.unload() };
        let (uid, track) = (entry.uid, Arc::clone(&entry.track));
        self.wake();
        let gain_db = self.gain_now(&track);
        match self.open(Next { uid: Some(uid), track, ad: None }, false, gain_db, at_ms) {
            Ok((loaded, item)) => {
                self.engine.load(item, at_ms.saturating_sub(loaded.supplies.base_ms), true);
                self.loaded = Some(loaded);
            }
            Err((track, reason)) => {
                self.unload();
                let _ = self.events.send(Event::Failed { track, reason });
            }
        }
    }

    fn unload(&mut self) {
        self.engine.stop();
        self.loaded = None;
        self.follower = None;
        self.wanted = false;
    }

    #[allow(clippy::type_complexity, reason = "used by its two neighbours only")]
    fn open(
        &mut self,
        Next { uid, track, ad }: Next,
        joins_previous: bool,
        gain_db: f32,
        at_ms: u64,
    ) -> Result<(Loaded, audio::Item), (Arc<Track>, String)> {
        self.last_token += 1;
        let token = self.last_token;
        let opened = match ad {
            Some(_) => self.stock.open_as_it_is(&track),
            None => self.stock.open(&track, at_ms),
        };
        let (media, supplies) = match opened {
            Ok(opened) => opened,
            Err(reason) => return Err((track, reason)),
        };
        let item = audio::Item {
            token,
            media: Box::new(media),
            suffix: match supplies.quality {
                Quality::Original => track.suffix.clone(),
                made => made.format().unwrap_or_default().to_owned(),
            },
            duration_ms: Some(track.duration_ms.saturating_sub(supplies.base_ms)).filter(|d| *d > 0),
            gain_db,
            joins_previous,
        };
        Ok((
            Loaded { token, uid, track, ad, supplies, gain_db, from_ms: at_ms, goes_on: false, heard: false },
            item,
        ))
    }

    /// Offers the engine what follows, when it wants it; takes back what does not follow any more.
    fn offer(&mut self) {
        let following = self.following().filter(|_| !self.sleep.ends_with_track());
        let same = match (&self.follower, &following) {
            (Some(follower), Some(next)) => next.is(follower),
            (None, None) => true,
            _ => false,
        };
        if same {
            return;
        }
        if self.follower.take().is_some() {
            self.engine.unfollow();
        }
        let Some(next) = following.filter(|_| self.wanted) else { return };
        let joins = self.joins(&next.track);
        let ticket = next.ad.as_ref().map(|ad| ad.ticket.clone());
        let gain_db = self.gain_next(&next.track, next.ad.as_ref());
        match (self.open(next, joins, gain_db, 0), ticket) {
            (Ok((loaded, item)), _) => {
                self.engine.follow(item);
                self.follower = Some(loaded);
            }
            (Err((_, reason)), Some(ticket)) => {
                tracing::warn!(ticket, "an ad cannot be heard: {reason}");
                self.breaks.forget(&ticket);
                self.offer();
            }
            (Err((track, reason)), None) => {
                let _ = self.events.send(Event::Failed { track, reason });
            }
        }
    }

    /// Whether the track is of the same album as what is heard.
    fn joins(&self, track: &Track) -> bool {
        self.loaded.as_ref().is_some_and(|l| l.track.album_id.is_some() && l.track.album_id == track.album_id)
    }

    /// Takes an edit back or does it again. Where that changes what plays, the other goes on where it was left.
    fn turn_back(&mut self, turn: fn(&mut Queue) -> Option<Undone>) {
        self.queue.at(self.place());
        let Some(undone) = turn(&mut self.queue) else { return };
        let Some(at_ms) = undone.starts_at.filter(|_| self.ad().is_none()) else {
            return self.queue_changed();
        };
        let silent = self.loaded.is_none() || self.paused;
        self.finish(EndReason::Skipped);
        self.unload();
        self.parked = self.queue.now().is_some().then_some(at_ms);
        if silent || self.parked.is_none() { self.queue_changed() } else { self.resume() }
    }

    fn queue_changed(&mut self) {
        if self.loaded.is_some() {
            self.offer();
        } else if self.queue.now().is_none() && self.parked.is_none() && self.queue.following().is_some() {
            // Something was queued while nothing played: it waits at its beginning for the play key.
            self.queue.skip(rand::rng().random());
            self.parked = Some(0);
        }
        self.refresh_view();
    }

    fn refresh_view(&mut self) {
        self.view = Arc::new(self.queue.view());
    }

    fn go_on(&mut self, ended: EndReason, why: StartReason, by_itself: bool) {
        self.finish(ended);
        if self.ad().is_some() {
            return self.after_ad();
        }
        let seed = rand::rng().random();
        let more = if by_itself { self.queue.advance(seed) } else { self.queue.skip(seed) }.is_some();
        if more {
            self.begin(why);
        } else {
            self.unload();
            self.refresh_view();
        }
    }

    fn go_back(&mut self) {
        if self.position() > BEGUN_MS || self.view.history.is_empty() {
            return self.seek(0);
        }
        self.finish(EndReason::Skipped);
        if self.queue.previous().is_some() {
            self.begin(StartReason::Previous);
        }
    }

    fn resume(&mut self) {
        if self.loaded.is_some() {
            self.paused = false;
            self.wake();
            return self.engine.play();
        }
        if self.queue.now().is_none() && self.queue.skip(rand::rng().random()).is_none() {
            return;
        }
        match self.parked.take().unwrap_or(0) {
            0 => self.begin(StartReason::Chosen),
            at_ms => {
                self.load(at_ms);
                self.start_listening(StartReason::Chosen);
                self.refresh_view();
            }
        }
    }

    fn seek(&mut self, at_ms: u64) {
        if let Some(parked) = &mut self.parked {
            *parked = at_ms;
        } else if let Some(loaded) = &self.loaded {
            // A clock that stood still ticks at once, perhaps before the engine has got there.
            self.due = 2;
            let last = loaded.track.duration_ms.saturating_sub(1000);
            let at_ms = if loaded.track.duration_ms > 0 { at_ms.min(last) } else { at_ms };
            let anywhere = self.stock.source.begins_anywhere() && self.stock.source.reachable();
            match loaded.supplies.way(at_ms, self.position(), anywhere) {
                Way::Here(at_ms) => self.engine.seek(at_ms),
                Way::Anew => {
                    self.reopen(at_ms);
                }
            }
            if let Some(listening) = &mut self.listening {
                listening.jumped();
            }
        }
    }

    fn set_volume(&mut self, volume: u8) {
        self.volume = volume.min(100);
        self.muted = false;
        self.apply_volume();
    }

    fn apply_volume(&self) {
        let volume = self.awake * f32::from(self.volume) / 100.0;
        self.engine.set_volume(if self.muted { 0.0 } else { volume });
    }

    fn pause(&mut self) {
        if self.loaded.is_some() {
            self.paused = true;
            self.engine.pause();
        }
    }

    /// Position of what is heard, or of what waits, ms.
    fn position(&self) -> u64 {
        match (&self.loaded, self.parked) {
            (Some(loaded), _) => {
                let snapshot = self.engine.snapshot();
                if snapshot.token == Some(loaded.token) {
                    loaded.supplies.base_ms + snapshot.position_ms
                } else {
                    loaded.from_ms
                }
            }
            (None, parked) => parked.unwrap_or(0),
        }
    }

    /// Place in the queue's current track, ms.
    fn place(&self) -> u64 {
        if self.ad().is_some() { 0 } else { self.position() }
    }

    /// Leaves what plays for what the listener chose. An ad is heard to its end.
    fn leave(&mut self) {
        if self.ad().is_none() {
            self.finish(EndReason::Skipped);
        }
    }

    fn start_listening(&mut self, why: StartReason) {
        let (device, source) = (self.engine.snapshot().output.name, self.queue.source_name());
        let Some(loaded) = &self.loaded else { return self.listening = None };
        let ticket = loaded.ad.as_ref().map(|ad| ad.ticket.clone());
        if ticket.is_none() {
            let gain = &loaded.track.replay_gain;
            self.music_gain = gain.track_gain.or(gain.album_gain);
        }
        let track = Arc::clone(&loaded.track);
        let (private, from_ms) = (self.private, loaded.from_ms);
        self.listening = Some(Listening::begin(track, why, device, source, private, ticket, from_ms));
    }

    fn listen_on(&mut self) {
        // The engine may be at the next item already, of which nobody has told yet.
        let Some(loaded) = &self.loaded else { return };
        let snapshot = self.engine.snapshot();
        if snapshot.token == Some(loaded.token)
            && let Some(listening) = &mut self.listening
        {
            listening.at(loaded.supplies.base_ms + snapshot.position_ms);
        }
    }

    /// Closes the account of what was heard of the current track.
    fn finish(&mut self, why: EndReason) {
        if why != EndReason::Finished {
            self.listen_on();
        }
        if let Some(mut listening) = self.listening.take() {
            if why == EndReason::Finished {
                listening.at_end();
            }
            if let Some(heard) = listening.as_ad() {
                let _ = self.events.send(Event::Ad(heard));
                return;
            }
            let (track, play, mut context, private) = listening.end(why);
            if context.device.is_empty() {
                // The output was not open yet when it began.
                context.device = self.engine.snapshot().output.name;
            }
            self.breaks.heard(play.heard_ms);
            let _ = self.events.send(Event::Ended { track, play, context, private });
        }
    }
}

/// Brings the engine to this treatment.
fn treat(engine: &Engine, sound: &Sound) {
    engine.set_exact(sound.bit_perfect);
    engine.set_crossfade(u64::from(sound.crossfade_s) * 1000);
    engine.set_speed(f64::from(sound.speed) / 100.0);
    engine.set_equalizer(&sound.equalizer);
}
