//! Music in a smaller form, which a server makes while it is heard: its length is not known, it comes without ranges, and
//! two makings are never the same bytes. Real queue, store and engine; a scripted maker; sound into a capture.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use segue::audio::{CaptureHandle, Engine, Output, Pace};
use segue::cache::{self, FetchError, Held, Reply, Source, Store, TrackKey};
use segue::music::{Marks, Quality, ReplayGain, Track};
use segue::player::{Command, Event, GainMode, Loudness, Parts, Player, Sound, Status, Supply};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;

const RATE: u32 = 48_000;
/// Bytes of a second.
const SECOND: usize = RATE as usize * 4;
/// Seconds of the track.
const LENGTH: u64 = 60;
const PATIENCE: Duration = Duration::from_secs(30);
/// What WAV of this rate is.
const QUALITY: Quality = Quality::AtMost(1536);

/// A server that makes forms. Second `n` of the track sounds at level `100 + 100 n`.
struct Maker {
    /// Requests by variant, in order.
    asked: Mutex<Vec<String>>,
    /// Seconds of the form from the start that are given before it stalls.
    given: AtomicU32,
    more: Notify,
    /// The stream breaks where it would stall.
    breaks: AtomicBool,
    anywhere: bool,
    up: AtomicBool,
    makings: AtomicU32,
}

impl Maker {
    /// The bytes from a second on. Every making has another number in a chunk that players pass over.
    fn form(&self, second: u64) -> Vec<u8> {
        let data = (LENGTH - second) as u32 * SECOND as u32;
        let making = self.makings.fetch_add(1, Ordering::SeqCst);
        let mut out = Vec::new();
        out.extend(b"RIFF");
        out.extend((48 + data).to_le_bytes());
        out.extend(b"WAVEfmt ");
        out.extend(16_u32.to_le_bytes());
        out.extend([1, 0, 2, 0]);
        out.extend(RATE.to_le_bytes());
        out.extend((RATE * 4).to_le_bytes());
        out.extend([4, 0, 16, 0]);
        out.extend(b"junk");
        out.extend(4_u32.to_le_bytes());
        out.extend(making.to_le_bytes());
        out.extend(b"data");
        out.extend(data.to_le_bytes());
        for n in second..LENGTH {
            let level = level(n).to_le_bytes();
            out.extend(std::iter::repeat_n(level, SECOND / 2).flatten());
        }
        out
    }
}

fn level(second: u64) -> i16 {
    100 + 100 * second as i16
}

/// The maker as the store sees it.
struct Wire(Arc<Maker>);

impl Source for Wire {
    fn fetch(
        &self,
        key: &TrackKey,
        _from: u64,
        _to: Option<u64>,
        _if_range: Option<String>,
    ) -> BoxFuture<'_, Result<Reply, FetchError>> {
        self.0.asked.lock().unwrap().push(key.variant.clone());
        let second = key.quality().unwrap().1;
        let up = self.0.up.load(Ordering::SeqCst);
        let form = Bytes::from(self.0.form(second));
        let maker = Arc::clone(&self.0);
        async move {
            if !up {
                return Err(FetchError::Offline("the cable was pulled".into()));
            }
            let body = stream::unfold(0_usize, move |at| {
                let (maker, form) = (Arc::clone(&maker), form.clone());
                async move {
                    loop {
                        let more = maker.more.notified();
                        let given = maker.given.load(Ordering::SeqCst) as usize * SECOND;
                        let end = if second == 0 { form.len().min(given) } else { form.len() };
                        if at < end {
                            let to = end.min(at + 64 * 1024);
                            return Some((Ok(form.slice(at..to)), to));
                        }
                        if at >= form.len() {
                            return None;
                        }
                        if maker.breaks.swap(false, Ordering::SeqCst) {
                            maker.given.store(u32::MAX / SECOND as u32, Ordering::SeqCst);
                            let why = "the connection broke off".to_owned();
                            return Some((Err(FetchError::Retry { after: None, why }), at));
                        }
                        more.await;
                    }
                }
            });
            Ok(Reply { part: None, total: None, etag: None, body: body.boxed() })
        }
        .boxed()
    }

    fn begins_anywhere(&self) -> bool {
        self.0.anywhere
    }

    fn reachable(&self) -> bool {
        self.0.up.load(Ordering::SeqCst)
    }
}

struct Stage {
    player: Player,
    events: UnboundedReceiver<Event>,
    tape: CaptureHandle,
    maker: Arc<Maker>,
    store: Store,
    dir: tempfile::TempDir,
}

fn track() -> Track {
    Track {
        id: "t".into(),
        title: "T".into(),
        album_id: None,
        album: String::new(),
        artist: String::new(),
        artists: Vec::new(),
        album_artist: String::new(),
        disc: None,
        number: None,
        year: None,
        genres: Vec::new(),
        duration_ms: LENGTH * 1000,
        size: 0,
        suffix: "flac".into(),
        content_type: "audio/flac".into(),
        bit_rate: Some(5000),
        sample_rate: Some(RATE),
        bit_depth: Some(24),
        channels: Some(2),
        replay_gain: ReplayGain::default(),
        cover: None,
        musicbrainz_id: None,
        added_at: 0,
        details: segue::music::TrackDetails::default(),
        marks: Marks::default(),
    }
}

fn key() -> TrackKey {
    TrackKey::of(&track(), QUALITY)
}

impl Stage {
    fn new(given: u32, anywhere: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let maker = Arc::new(Maker {
            asked: Mutex::default(),
            given: given.into(),
            more: Notify::new(),
            breaks: AtomicBool::new(false),
            anywhere,
            up: AtomicBool::new(true),
            makings: AtomicU32::new(0),
        });
        let tape = CaptureHandle::new(RATE, Pace::Realtime(8.0));
        let (engine, reports) = Engine::start(Output::Capture(tape.clone()));
        let pace = cache::Pace { first_pause: Duration::from_millis(5), ..cache::Pace::default() };
        let store = Store::open_with(dir.path(), 1 << 30, pace).unwrap();
        let (player, events) = Player::start(Parts {
            engine,
            reports,
            store: store.clone(),
            source: Arc::new(Wire(Arc::clone(&maker))),
            quality: QUALITY,
            pinned_quality: Quality::Original,
            volume: 100,
            loudness: Loudness { mode: GainMode::Off, preamp_db: 0.0 },
            sound: Sound::default(),
        });
        Self { player, events, tape, maker, store, dir }
    }

    fn play(&self) {
        let name = "Album".to_owned();
        self.player.send(Command::PlayContext { tracks: vec![track()], start: 0, name, shuffled: false });
    }

    async fn until(&self, what: &str, test: impl Fn(&Status) -> bool) -> Status {
        let mut status = self.player.status();
        match tokio::time::timeout(PATIENCE, status.wait_for(|s| test(s))).await {
            Ok(found) => found.unwrap().clone(),
            Err(late) => {
                panic!("waited in vain ({late}) for {what}: {:?}", self.player.status().borrow().clone())
            }
        }
    }

    /// Waits until a whole half second of this one was heard since the mark.
    async fn hears(&self, second: u64, since: usize) {
        for _ in 0..600 {
            let sound = self.tape.sound();
            let wanted = f32::from(level(second)) / 32768.0;
            let heard = sound.iter().skip(since).filter(|f| (f[0] - wanted).abs() < 1e-4).count();
            if heard > RATE as usize / 2 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("second {second} was not heard; it stands at {:?}", self.player.status().borrow().position_ms);
    }

    fn asked(&self) -> Vec<String> {
        self.maker.asked.lock().unwrap().clone()
    }

    fn give(&self, seconds: u32) {
        self.maker.given.store(seconds, Ordering::SeqCst);
        self.maker.more.notify_waiters();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_far_seek_asks_for_the_form_from_there_on() {
    let stage = Stage::new(8, true);
    stage.play();
    stage.hears(0, 0).await;
    assert_eq!(stage.asked(), ["max-1536"], "in the quality that was chosen");
    let since = stage.tape.sound().len();
    stage.player.send(Command::SeekTo(40_000));
    stage.hears(41, since).await;
    let status = stage.until("the position", |s| s.position_ms >= 41_000).await;
    assert!(status.position_ms < LENGTH * 1000 && !status.quality.is_empty());
    assert_eq!(stage.asked(), ["max-1536", "max-1536+40"]);
    assert!(status.buffered.iter().all(|(from, _)| *from >= 0.6), "{:?}", status.buffered);
    // Near ahead: read on, nothing is asked for.
    let since = stage.tape.sound().len();
    stage.player.send(Command::SeekTo(50_000));
    stage.hears(50, since).await;
    assert_eq!(stage.asked().len(), 2);
    // Back to what was heard at first: the bytes are here, and the rest is asked for, but not from the middle again.
    let since = stage.tape.sound().len();
    stage.player.send(Command::SeekTo(3_000));
    stage.hears(4, since).await;
    assert_eq!(stage.asked().iter().filter(|v| v.contains('+')).count(), 1, "{:?}", stage.asked());
    // What was of use once is gone.
    let passing = key().from_second(40);
    for _ in 0..100 {
        if stage.store.held(&passing) == Held::Nothing {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(stage.store.held(&passing), Held::Nothing);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_server_cannot_begin_there_the_place_is_waited_for() {
    let mut stage = Stage::new(8, false);
    stage.play();
    stage.hears(0, 0).await;
    let since = stage.tape.sound().len();
    stage.player.send(Command::SeekTo(20_000));
    tokio::time::sleep(Duration::from_millis(200)).await;
    stage.give(30);
    stage.hears(21, since).await;
    // Back within what is here, then the rest comes and it is an entry like any other.
    let since = stage.tape.sound().len();
    stage.player.send(Command::SeekTo(2_000));
    stage.hears(3, since).await;
    stage.give(100);
    stage.until("whole", |s| s.supply == Supply::Cached).await;
    let since = stage.tape.sound().len();
    stage.player.send(Command::SeekTo(55_000));
    stage.hears(56, since).await;
    assert!(stage.asked().iter().all(|v| v == "max-1536"), "{:?}", stage.asked());
    assert_eq!(stage.store.held(&key()), Held::Whole);
    // One track was begun, and it never failed.
    assert!(matches!(stage.events.recv().await, Some(Event::Began(_))));
    let second = tokio::time::timeout(PATIENCE, stage.events.recv()).await.unwrap();
    assert!(matches!(second, Some(Event::Ended { .. })), "{second:?}");
    drop(stage.dir);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_broke_off_and_is_made_anew_plays_on_where_it_was() {
    let mut stage = Stage::new(12, false);
    stage.maker.breaks.store(true, Ordering::SeqCst);
    stage.play();
    stage.hears(30, 0).await;
    let status = stage.until("whole", |s| s.supply == Supply::Cached).await;
    assert!(status.position_ms >= 25_000, "{}", status.position_ms);
    assert!(stage.asked().len() >= 2, "it was asked for again");
    while let Ok(event) = stage.events.try_recv() {
        assert!(!matches!(event, Event::Failed { .. }), "{event:?}");
    }
    assert_eq!(stage.store.verify().damaged, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_that_is_here_is_played_whatever_was_chosen() {
    let stage = Stage::new(100, true);
    let raw = TrackKey::raw("t".into());
    let source: Arc<dyn Source> = Arc::new(Wire(Arc::clone(&stage.maker)));
    let reader = stage.store.track(&raw, None, source, &tokio::runtime::Handle::current()).unwrap();
    let all = tokio::task::spawn_blocking(move || {
        let mut reader = reader;
        std::io::copy(&mut reader, &mut std::io::sink())
    });
    assert!(all.await.unwrap().unwrap() > 60 * SECOND as u64);
    stage.maker.up.store(false, Ordering::SeqCst);
    stage.play();
    stage.hears(1, 0).await;
    assert_eq!(stage.asked(), ["raw"], "nothing is fetched a second time");
}
