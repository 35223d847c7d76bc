//! The player without a screen: real queue, store and engine; bytes from a scripted source, sound into a capture.
#![allow(dead_code, reason = "each test file takes what it needs")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use segue::audio::{CaptureHandle, Engine, Output, Pace};
use segue::cache::{FetchError, Reply, Source, Store, TrackKey};
use segue::music::{Marks, ReplayGain, Track};
use segue::player::{Command, Event, GainMode, Loudness, Parts, Player, Sound, Status};
use tokio::sync::mpsc::UnboundedReceiver;

pub(crate) const RATE: u32 = 48_000;
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Files by track id, and a network that can be cut.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) files: Mutex<HashMap<String, Vec<u8>>>,
    pub(crate) cut: AtomicBool,
    pub(crate) fetches: AtomicUsize,
}

impl Source for Shelf {
    fn fetch(
        &self,
        key: &TrackKey,
        from: u64,
        to: Option<u64>,
        _if_range: Option<String>,
    ) -> BoxFuture<'_, Result<Reply, FetchError>> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let file = self.files.lock().unwrap().get(key.track.as_str()).cloned();
        let cut = self.cut.load(Ordering::SeqCst);
        async move {
            if cut {
                return Err(FetchError::Offline("the cable was pulled".into()));
            }
            let Some(file) = file else { return Err(FetchError::Refused("no such track".into())) };
            let total = file.len() as u64;
            let to = to.unwrap_or(total).min(total);
            let part = file[from as usize..to as usize].to_vec();
            Ok(Reply {
                part: Some((from, to)),
                total: Some(total),
                etag: Some("\"1\"".into()),
                body: stream::iter([Ok(part.into())]).boxed(),
            })
        }
        .boxed()
    }
}

/// A 16-bit stereo WAV of a constant level that tells the tracks apart.
pub(crate) fn wav(seconds: f64, level: i16) -> Vec<u8> {
    let frames = (seconds * f64::from(RATE)) as u32;
    let data = frames * 4;
    let mut out = Vec::new();
    out.extend(b"RIFF");
    out.extend((36 + data).to_le_bytes());
    out.extend(b"WAVEfmt ");
    out.extend(16u32.to_le_bytes());
    for (two, value) in [(true, 1u32), (true, 2), (false, RATE), (false, RATE * 4), (true, 4), (true, 16)] {
        let bytes = value.to_le_bytes();
        out.extend(&bytes[..if two { 2 } else { 4 }]);
    }
    out.extend(b"data");
    out.extend(data.to_le_bytes());
    for _ in 0..frames * 2 {
        out.extend(level.to_le_bytes());
    }
    out
}

pub(crate) fn track(id: &str, seconds: f64) -> Track {
    Track {
        id: id.into(),
        title: id.to_uppercase(),
        album_id: Some("album".into()),
        album: "Album".into(),
        artist: "Artist".into(),
        artists: Vec::new(),
        album_artist: "Artist".into(),
        disc: None,
        number: None,
        year: None,
        genres: Vec::new(),
        duration_ms: (seconds * 1000.0) as u64,
        size: 0,
        suffix: "wav".into(),
        content_type: "audio/wav".into(),
        bit_rate: None,
        sample_rate: Some(RATE),
        bit_depth: Some(16),
        channels: Some(2),
        replay_gain: ReplayGain::default(),
        cover: None,
        musicbrainz_id: None,
        added_at: 0,
        details: segue::music::TrackDetails::default(),
        marks: Marks::default(),
    }
}

pub(crate) struct Stage {
    pub(crate) player: Player,
    pub(crate) events: UnboundedReceiver<Event>,
    pub(crate) tape: CaptureHandle,
    pub(crate) shelf: Arc<Shelf>,
    _dir: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new(pace: Pace, tracks: &[(&str, f64, i16)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Arc::new(Shelf::default());
        for (id, seconds, level) in tracks {
            shelf.files.lock().unwrap().insert((*id).to_owned(), wav(*seconds, *level));
        }
        let tape = CaptureHandle::new(RATE, pace);
        let (engine, reports) = Engine::start(Output::Capture(tape.clone()));
        let store = Store::open(dir.path(), 1 << 30).unwrap();
        let source: Arc<dyn Source> = shelf.clone();
        let (player, events) = Player::start(Parts {
            quality: segue::music::Quality::Original,
            pinned_quality: segue::music::Quality::Original,
            engine,
            reports,
            store,
            source,
            volume: 100,
            loudness: Loudness { mode: GainMode::Auto, preamp_db: 0.0 },
            sound: Sound::default(),
        });
        Self { player, events, tape, shelf, _dir: dir }
    }

    pub(crate) fn play(&self, tracks: &[(&str, f64)], start: usize) {
        let tracks = tracks.iter().map(|(id, seconds)| track(id, *seconds)).collect();
        self.player.send(Command::PlayContext { tracks, start, name: "Album".into(), shuffled: false });
    }

    pub(crate) async fn until(&self, what: &str, test: impl Fn(&Status) -> bool) -> Status {
        let mut status = self.player.status();
        let waited = tokio::time::timeout(PATIENCE, status.wait_for(|s| test(s))).await;
        match waited {
            Ok(found) => found.unwrap().clone(),
            Err(late) => {
                panic!("waited in vain ({late}) for {what}: {:?}", self.player.status().borrow().clone())
            }
        }
    }

    pub(crate) async fn event(&mut self) -> Event {
        tokio::time::timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap()
    }

    /// Levels in the order in which they were heard, with the frames of each.
    pub(crate) fn levels(&self) -> Vec<(i16, usize)> {
        let mut runs: Vec<(i16, usize)> = Vec::new();
        for frame in self.tape.sound() {
            let level = (frame[0] * 32768.0).round() as i16;
            match runs.last_mut() {
                Some((last, n)) if *last == level => *n += 1,
                _ => runs.push((level, 1)),
            }
        }
        runs
    }
}

pub(crate) fn now(status: &Status) -> Option<&str> {
    status.queue.now.as_ref().map(|e| e.track.id.as_str())
}
