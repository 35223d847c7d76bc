//! The control thread: takes orders, joins the items' frames into one stream, and tells what was heard. It never
//! reads a file and never waits for longer than a few milliseconds while something plays.
//!
//! `decks` are the items in order: the front one is heard, later ones are prepared; `feeding` is the one whose
//! frames go into the ring now. `marks` remember at which output frame something begins or ends, and are told
//! when the renderer's counter passes them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::decode::Failure;
use super::engine::View;
use super::feed::Feed;
use super::output::{self, Output, OutputInfo, Port, Remote};
use super::worker::{Wake, Worker};
use super::{AudioEvent, Format, Item};

mod flow;
mod rate;

/// A call of the handle.
pub(super) enum Order {
    Load { item: Box<Item>, at_ms: u64, playing: bool },
    Follow(Box<Item>),
    Unfollow,
    Play,
    Pause,
    Stop,
    Seek(u64),
    Gain { token: u64, gain_db: f32 },
    Crossfade(u64),
    Speed(f64),
    Exact(bool),
    Output(Output),
    Shutdown,
}

/// What arrives in the control thread's inbox.
pub(super) enum Msg {
    Order(Order),
    /// A worker has something to report.
    Wake,
    /// An output was opened that needs a stream of its own.
    Port(Port),
    /// The output goes on with the same stream under another name, or in silence.
    Output(OutputInfo),
}

/// Milliseconds in the ring at which output begins after a load or a seek.
const START_MS: u64 = 150;
/// The rest while a track plays on and nothing is due.
const CALM: Duration = Duration::from_millis(60);

/// Starts the control thread. `None` when the system has no thread left (then nothing ever plays).
pub(super) fn spawn(
    output: Output,
    view: Arc<View>,
    outbox: Sender<Msg>,
    inbox: Receiver<Msg>,
    events: Sender<AudioEvent>,
) -> Option<JoinHandle<()>> {
    let started = std::thread::Builder::new().name("segue-audio".to_owned()).spawn(move || {
        let output = output::start(output, &view.link, outbox.clone());
        let woken = Arc::new(AtomicBool::new(false));
        let wake: Wake = {
            let woken = Arc::clone(&woken);
            Arc::new(move || {
                if !woken.swap(true, Ordering::AcqRel) {
                    let _ = outbox.send(Msg::Wake);
                }
            })
        };
        let mut control = Control {
            view,
            events,
            wake,
            woken,
            threads: Arc::default(),
            feed: None,
            output: OutputInfo::default(),
            decks: VecDeque::new(),
            feeding: 0,
            marks: VecDeque::new(),
            playing: false,
            hold: None,
            announced: false,
            armed: false,
            floor: 0,
            crossfade_ms: 0,
            speed: 1.0,
            exact: rate::Exact::new(output.remote()),
        };
        control.run(&inbox);
        drop(control);
        output.close();
    });
    started.ok()
}

enum Mark {
    /// The front deck (or the next) goes on here at this position.
    Begin { token: u64, position_ms: u64 },
    /// The item is over.
    End { token: u64, failure: Option<Failure> },
}

#[derive(PartialEq)]
enum Progress {
    Decoding,
    /// Every frame was fed.
    Fed,
}

#[allow(clippy::struct_excessive_bools, reason = "independent facts about one item")]
struct Deck {
    token: u64,
    worker: Worker,
    generation: u64,
    duration_ms: Option<u64>,
    /// Of the same album as the item before: nothing may touch the joint.
    joins: bool,
    format: Option<Format>,
    progress: Progress,
    /// Position of the next frame to be fed, in milliseconds, at the last (re)start…
    start_ms: u64,
    /// …and the milliseconds fed since.
    fed_frames: u64,
    rate: u32,
    /// A `Begin` mark was set since the last (re)start.
    begun: bool,
    heard: bool,
    asked_next: bool,
}

impl Deck {
    fn reached_ms(&self) -> u64 {
        self.start_ms + self.fed_frames * 1000 / u64::from(self.rate.max(1))
    }

    fn restart(&mut self, at_ms: u64) {
        self.generation += 1;
        self.worker.seek(self.generation, at_ms);
        self.start_ms = at_ms;
        self.fed_frames = 0;
        self.begun = false;
        self.progress = Progress::Decoding;
    }
}

struct Hold {
    since: Instant,
    /// Milliseconds in the ring at which it ends.
    until_ms: u64,
}

struct Control {
    view: Arc<View>,
    events: Sender<AudioEvent>,
    wake: Wake,
    woken: Arc<AtomicBool>,
    threads: Arc<AtomicUsize>,
    feed: Option<Feed>,
    output: OutputInfo,
    decks: VecDeque<Deck>,
    feeding: usize,
    marks: VecDeque<(u64, Mark)>,
    playing: bool,
    hold: Option<Hold>,
    /// The present hold was announced as buffering.
    announced: bool,
    /// The ring was well filled since the last start: low water counts.
    armed: bool,
    /// Frames before this number were discarded, whether the renderer knows it already or not.
    floor: u64,
    crossfade_ms: u64,
    speed: f64,
    exact: rate::Exact,
}

/// Decibels as a factor; what is no number changes nothing.
fn factor(gain_db: f32) -> f32 {
    if gain_db.is_finite() { 10.0_f32.powf(gain_db.clamp(-60.0, 20.0) / 20.0) } else { 1.0 }
}

impl Control {
    fn run(&mut self, inbox: &Receiver<Msg>) {
        loop {
            match inbox.recv_timeout(self.rest()) {
                Ok(Msg::Order(Order::Shutdown)) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Msg::Order(order)) => self.obey(order),
                Ok(Msg::Wake) => self.woken.store(false, Ordering::Release),
                Ok(Msg::Port(port)) => self.adopt(port),
                Ok(Msg::Output(info)) => {
                    self.exact.answered();
                    self.output_is(info);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.listen();
            self.supply();
            self.listen();
            self.regulate();
            self.ask_next();
        }
    }

    /// How long it may wait where nobody tells it anything.
    fn rest(&self) -> Duration {
        match (self.decks.is_empty(), self.playing) {
            (true, _) => Duration::from_secs(1),
            (false, false) => Duration::from_millis(100),
            (false, true) if self.calm() => CALM,
            (false, true) => Duration::from_millis(10),
        }
    }

    fn tell(&self, event: AudioEvent) {
        let _ = self.events.send(event);
    }

    fn obey(&mut self, order: Order) {
        self.listen();
        match order {
            Order::Load { item, at_ms, playing } => self.load(*item, at_ms, playing),
            Order::Follow(item) => self.follow(*item),
            Order::Unfollow => self.unfollow(),
            Order::Play => self.set_playing(true),
            Order::Pause => self.set_playing(false),
            Order::Stop => self.stop(),
            Order::Seek(at_ms) => self.seek(at_ms),
            Order::Gain { token, gain_db } => self.set_gain(token, gain_db),
            Order::Crossfade(ms) => self.set_crossfade(ms),
            Order::Speed(speed) => self.set_speed(speed),
            Order::Exact(on) => self.set_exact(on),
            Order::Output(output) => self.exact.remote.switch(output),
            Order::Shutdown => {}
        }
    }

    fn set_playing(&mut self, playing: bool) {
        self.playing = playing && !self.decks.is_empty();
        self.view.link.playing.store(self.playing, Ordering::Release);
        self.show_state();
    }

    fn load(&mut self, item: Item, at_ms: u64, playing: bool) {
        self.clear(at_ms == 0);
        match self.deck(item, at_ms) {
            Ok(deck) => {
                self.show_item(&deck, at_ms);
                self.decks.push_back(deck);
                self.begin_hold(START_MS);
                self.set_playing(playing);
            }
            Err((token, failure)) => {
                self.set_playing(false);
                self.tell(AudioEvent::Failed { token, reason: failure.reason, cause: failure.cause });
            }
        }
    }

    fn follow(&mut self, item: Item) {
        self.unfollow();
        let idle = self.decks.is_empty();
        match self.deck(item, 0) {
            Ok(deck) => {
                if idle {
                    self.show_item(&deck, 0);
                    self.begin_hold(START_MS);
                }
                self.decks.push_back(deck);
                self.view.link.ended.store(false, Ordering::Release);
                if idle {
                    self.set_playing(true);
                }
            }
            Err((token, failure)) => {
                self.tell(AudioEvent::Failed { token, reason: failure.reason, cause: failure.cause });
            }
        }
    }

    fn unfollow(&mut self) {
        if self.decks.len() < 2 {
            return;
        }
        let joint = self.decks.get(1).and_then(|next| self.begin_of(next.token));
        self.decks.truncate(1);
        self.feeding = self.feeding.min(1);
        let Some(joint) = joint else { return };
        // Frames of the successor are in the ring already: take them back.
        self.marks.retain(|(at, mark)| *at < joint || matches!(mark, Mark::End { .. }) && *at == joint);
        if !self.feed.as_mut().is_some_and(|feed| feed.take_back(joint)) {
            self.reseek();
        }
    }

    fn begin_of(&self, wanted: u64) -> Option<u64> {
        self.marks.iter().find_map(|(at, mark)| match mark {
            Mark::Begin { token, .. } if *token == wanted => Some(*at),
            _ => None,
        })
    }

    fn stop(&mut self) {
        self.clear(true);
        self.set_playing(false);
        let mut now = self.view.now();
        now.token = None;
        now.format = None;
        now.base_ms = 0;
        now.until = now.base;
    }

    /// Drops all items and everything that was not heard.
    fn clear(&mut self, hard: bool) {
        self.decks.clear();
        self.exact.forget();
        self.feeding = 0;
        self.marks.clear();
        self.view.link.ended.store(false, Ordering::Release);
        self.end_hold();
        self.discard(hard);
    }

    fn discard(&mut self, hard: bool) {
        if let Some(feed) = &mut self.feed {
            let to = feed.restart();
            self.view.link.cut(to, hard);
            self.floor = to;
        }
    }

    fn seek(&mut self, at_ms: u64) {
        if self.decks.is_empty() {
            return;
        }
        let followed = self.decks.len() > 1;
        self.marks.clear();
        self.discard(at_ms == 0);
        for (i, deck) in self.decks.iter_mut().enumerate() {
            if i == 0 {
                deck.restart(at_ms);
                deck.asked_next &= followed;
            } else if deck.begun || deck.progress == Progress::Fed {
                deck.restart(0);
            }
        }
        self.feeding = 0;
        self.view.link.ended.store(false, Ordering::Release);
        self.begin_hold(START_MS);
        self.show_position(at_ms);
        self.show_state();
    }

    fn set_gain(&mut self, token: u64, gain_db: f32) {
        let Some(index) = self.decks.iter().position(|deck| deck.token == token) else { return };
        let Some(deck) = self.decks.get_mut(index) else { return };
        if !deck.worker.set_gain(factor(gain_db)) {
            return;
        }
        if index == 0 || deck.begun {
            self.reseek();
        } else {
            deck.restart(0);
        }
    }

    fn set_crossfade(&mut self, ms: u64) {
        self.crossfade_ms = ms;
        if ms == 0
            && let Some(feed) = &mut self.feed
            && feed.holding()
        {
            feed.hold(0);
        }
    }

    fn set_speed(&mut self, speed: f64) {
        self.speed = speed;
        let speed = self.present_speed();
        if (self.view.now().speed - speed).abs() < 1e-9 {
            return;
        }
        self.reseek();
        if let Some(feed) = &mut self.feed {
            feed.set_speed(speed);
        }
        self.view.now().speed = speed;
    }

    /// The speed that counts: nothing is processed while it is to be exact.
    fn present_speed(&self) -> f64 {
        if self.exact.on { 1.0 } else { self.speed }
    }

    /// Starts over where the listener is: the stream in the ring is of no use any more.
    fn reseek(&mut self) {
        let at_ms = {
            let now = self.view.now();
            self.view.position_ms(&now)
        };
        self.seek(at_ms);
    }

    fn deck(&self, item: Item, at_ms: u64) -> Result<Deck, (u64, Failure)> {
        let gain = factor(item.gain_db);
        let worker =
            Worker::spawn(item.media, &item.suffix, gain, at_ms, Arc::clone(&self.wake), &self.threads)
                .map_err(|failure| (item.token, failure))?;
        Ok(Deck {
            token: item.token,
            worker,
            generation: 0,
            duration_ms: item.duration_ms,
            joins: item.joins_previous,
            format: None,
            progress: Progress::Decoding,
            start_ms: at_ms,
            fed_frames: 0,
            rate: 0,
            begun: false,
            heard: false,
            asked_next: false,
        })
    }
}
