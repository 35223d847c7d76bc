//! The handle that the rest of the program holds. Every call returns at once; the work is done by the control
//! thread.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::control::{self, Msg, Order};
use super::output::Output;
use super::ring::Link;
use super::{AudioEvent, Equalizer, Format, Item, OutputInfo, Snapshot, Spectrum, State};

/// The longest crossfade.
const MAX_CROSSFADE_MS: u64 = 12_000;

/// The player of items; cheap to clone. When the last handle is dropped its threads end.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Inner>,
}

struct Inner {
    orders: Sender<Msg>,
    view: Arc<View>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.orders.send(Msg::Order(Order::Shutdown));
    }
}

/// What the control thread shows to [`Engine::snapshot`]. The lock is between those two; the output's callback
/// never touches it.
pub(super) struct View {
    pub(super) link: Arc<Link>,
    now: Mutex<Now>,
}

/// The present, as far as it does not change with every frame.
#[derive(Debug, Clone)]
pub(super) struct Now {
    pub(super) token: Option<u64>,
    pub(super) state: State,
    /// Position at output frame `base`.
    pub(super) base_ms: u64,
    pub(super) base: u64,
    /// No frame from here on belongs to the item.
    pub(super) until: u64,
    /// Milliseconds of the item in one of time.
    pub(super) speed: f64,
    pub(super) format: Option<Format>,
    pub(super) output: OutputInfo,
}

impl Default for Now {
    fn default() -> Self {
        Now {
            token: None,
            state: State::default(),
            base_ms: 0,
            base: 0,
            until: 0,
            speed: 1.0,
            format: None,
            output: OutputInfo::default(),
        }
    }
}

impl View {
    pub(super) fn new(link: Arc<Link>) -> Self {
        View { link, now: Mutex::default() }
    }

    pub(super) fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn position_ms(&self, now: &Now) -> u64 {
        let read = self.link.read.load(Ordering::Acquire).min(now.until);
        let heard = read.saturating_sub(now.base);
        let passed = heard * 1000 / u64::from(now.output.sample_rate.max(1));
        now.base_ms + (passed as f64 * now.speed) as u64
    }
}

impl Engine {
    /// Starts the engine's threads and opens the output in the background. Events arrive on the receiver, which
    /// may be polled or waited on from any one thread.
    pub fn start(output: Output) -> (Engine, Receiver<AudioEvent>) {
        let (orders, inbox) = mpsc::channel();
        let (events, listener) = mpsc::channel();
        let link = Arc::new(Link::default());
        link.set_volume(1.0);
        let view = Arc::new(View::new(Arc::clone(&link)));
        let thread = control::spawn(output, Arc::clone(&view), orders.clone(), inbox, events);
        let shared = Inner { orders, view, thread: Mutex::new(thread) };
        (Engine { shared: Arc::new(shared) }, listener)
    }

    /// Drops whatever plays or waits and begins with this item at `at_ms`; `playing` false loads it paused.
    pub fn load(&self, item: Item, at_ms: u64, playing: bool) {
        self.order(Order::Load { item: Box::new(item), at_ms, playing });
    }

    /// Makes this the gapless successor of the item that is heard; replaces an earlier successor that was not
    /// heard yet. After everything ended it begins at once.
    pub fn follow(&self, item: Item) {
        self.order(Order::Follow(Box::new(item)));
    }

    /// Forgets the successor.
    pub fn unfollow(&self) {
        self.order(Order::Unfollow);
    }

    /// Goes on after [`Engine::pause`].
    pub fn play(&self) {
        self.order(Order::Play);
    }

    /// Fades out within a few milliseconds and holds the place.
    pub fn pause(&self) {
        self.order(Order::Pause);
    }

    /// Drops everything.
    pub fn stop(&self) {
        self.order(Order::Stop);
    }

    /// Moves within the item that is heard.
    pub fn seek(&self, at_ms: u64) {
        self.order(Order::Seek(at_ms));
    }

    /// Sets the volume, 0 to 1, on a scale that sounds even (cubic); takes effect over some 15 ms.
    pub fn set_volume(&self, v: f32) {
        let v = if v.is_finite() { v.clamp(0.0, 1.0) } else { 0.0 };
        self.shared.view.link.set_volume(v * v * v);
    }

    /// Lets the end of an item and the beginning of the next sound together for so long, in milliseconds; 0 joins them
    /// without a gap. Items that join the one before are never mixed, nor items whose duration is not known.
    pub fn set_crossfade(&self, ms: u64) {
        self.order(Order::Crossfade(ms.min(MAX_CROSSFADE_MS)));
    }

    /// Plays this many times as fast, 0.5 to 2, at the same pitch.
    pub fn set_speed(&self, speed: f64) {
        let speed = if speed.is_finite() { speed.clamp(0.5, 2.0) } else { 1.0 };
        self.order(Order::Speed(speed));
    }

    /// Raises and lowers bands, from the next block on that the output takes.
    pub fn set_equalizer(&self, equalizer: &Equalizer) {
        self.shared.view.link.equalizer.set(equalizer);
    }

    /// Bit-perfect or not: no equaliser, no volume other than none at all, no crossfade, no other speed, and the output
    /// at the item's own rate where it has that. The caller gives items a gain of 0 dB.
    pub fn set_exact(&self, exact: bool) {
        self.order(Order::Exact(exact));
    }

    /// Goes on at another output, from where the listener is.
    pub fn set_output(&self, output: Output) {
        self.order(Order::Output(output));
    }

    /// Corrects the loudness of an item that was given before, in decibels; where it is heard, what was decoded
    /// ahead is decoded anew. An item that is not there any more is passed over.
    pub fn set_gain(&self, token: u64, gain_db: f32) {
        self.order(Order::Gain { token, gain_db });
    }

    /// What goes on right now.
    pub fn snapshot(&self) -> Snapshot {
        let view = &self.shared.view;
        let now = view.now().clone();
        Snapshot {
            position_ms: view.position_ms(&now),
            token: now.token,
            state: now.state,
            underruns: view.link.underruns.load(Ordering::Relaxed),
            output: now.output,
            format: now.format,
        }
    }

    /// A look at what sounds, after fades and volume. Costs nothing until it is watched; outlives the engine.
    pub fn spectrum(&self) -> Spectrum {
        Spectrum::new(Arc::clone(&self.shared.view.link.tap))
    }

    /// Ends the threads and closes the device before it returns. Never waits for a file.
    pub fn shutdown(self) {
        self.order(Order::Shutdown);
        let thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    fn order(&self, order: Order) {
        let _ = self.shared.orders.send(Msg::Order(order));
    }
}
