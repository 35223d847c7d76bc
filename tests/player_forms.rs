//! Tracks whose own file cannot be decoded here are asked for in a form that can; where there is none they are named, and
//! the queue goes on. Real queue, store and engine; a server that knows forms, in the test; sound into a capture.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "audio/handmade.rs"]
mod handmade;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use segue::audio::{CaptureHandle, Engine, Output, Pace};
use segue::cache::{FetchError, Held, Reply, Source, Store, TrackKey};
use segue::music::{Marks, Quality, ReplayGain, Track};
use segue::player::{Command, Event, GainMode, Loudness, Parts, Player, Sound};
use tokio::sync::mpsc::UnboundedReceiver;

const RATE: u32 = 48_000;
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers by track and form, like `a opus-192`; what is not there is refused.
#[derive(Default)]
struct Server {
    answers: HashMap<&'static str, Vec<u8>>,
    asked: Mutex<Vec<String>>,
    down: AtomicBool,
}

impl Source for Server {
    fn fetch(
        &self,
        key: &TrackKey,
        from: u64,
        to: Option<u64>,
        _if_range: Option<String>,
    ) -> BoxFuture<'_, Result<Reply, FetchError>> {
        let name = format!("{} {}", key.track.as_str(), key.variant);
        let answer = self.answers.get(name.as_str()).cloned();
        self.asked.lock().unwrap().push(name);
        let down = self.down.load(Ordering::SeqCst);
        async move {
            if down {
                return Err(FetchError::Offline("the cable was pulled".into()));
            }
            let Some(file) = answer else {
                return Err(FetchError::Refused("this track cannot be converted now".into()));
            };
            let total = file.len() as u64;
            let to = to.unwrap_or(total).min(total);
            let body = stream::iter([Ok(file[from as usize..to as usize].to_vec().into())]).boxed();
            Ok(Reply { part: Some((from, to)), total: Some(total), etag: Some("\"1\"".into()), body })
        }
        .boxed()
    }

    fn reachable(&self) -> bool {
        !self.down.load(Ordering::SeqCst)
    }
}

/// A second of stereo WAV at a level.
fn wav(level: i16) -> Vec<u8> {
    let data = RATE * 4;
    let mut out = b"RIFF".to_vec();
    out.extend((36 + data).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    out.extend(RATE.to_le_bytes());
    out.extend(data.to_le_bytes());
    out.extend(b"\x04\0\x10\0data");
    out.extend(data.to_le_bytes());
    out.extend(std::iter::repeat_n(level.to_le_bytes(), 2 * RATE as usize).flatten());
    out
}

fn track(id: &str) -> Track {
    Track {
        id: id.into(),
        title: id.to_uppercase(),
        album_id: Some("album".into()),
        album: "Album".into(),
        artist: String::new(),
        artists: Vec::new(),
        album_artist: String::new(),
        disc: None,
        number: None,
        year: None,
        genres: Vec::new(),
        duration_ms: 1000,
        size: 0,
        suffix: "m4a".into(),
        content_type: "audio/mp4".into(),
        bit_rate: Some(64),
        sample_rate: Some(RATE),
        bit_depth: None,
        channels: Some(2),
        replay_gain: ReplayGain::default(),
        cover: None,
        musicbrainz_id: None,
        added_at: 0,
        details: segue::music::TrackDetails::default(),
        marks: Marks::default(),
    }
}

struct Stage {
    player: Player,
    events: UnboundedReceiver<Event>,
    tape: CaptureHandle,
    server: Arc<Server>,
    store: Store,
    _dir: tempfile::TempDir,
}

impl Stage {
    fn new(quality: Quality, answers: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Arc::new(Server { answers: answers.into_iter().collect(), ..Server::default() });
        let tape = CaptureHandle::new(RATE, Pace::Realtime(2.0));
        let (engine, reports) = Engine::start(Output::Capture(tape.clone()));
        let store = Store::open(dir.path(), 1 << 30).unwrap();
        let (player, events) = Player::start(Parts {
            engine,
            reports,
            store: store.clone(),
            source: server.clone(),
            quality,
            pinned_quality: Quality::Original,
            volume: 100,
            loudness: Loudness { mode: GainMode::Off, preamp_db: 0.0 },
            sound: Sound::default(),
        });
        Self { player, events, tape, server, store, _dir: dir }
    }

    /// Plays these to the end; what was begun and what failed, in order.
    async fn play(&mut self, ids: &[&str]) -> Vec<String> {
        let tracks: Vec<Track> = ids.iter().map(|id| track(id)).collect();
        self.player.send(Command::PlayContext { tracks, start: 0, name: "Album".into(), shuffled: false });
        let mut told = Vec::new();
        let mut over = 0;
        while over < ids.len() {
            match tokio::time::timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap() {
                Event::Began(track) => told.push(format!("{} begins", track.id)),
                Event::Failed { track, reason } => {
                    told.push(format!("{}: {reason}", track.id));
                    over += 1;
                }
                Event::Ended { play, .. } if play.heard_ms == 0 => {}
                Event::Ended { .. } => over += 1,
                Event::Ad(_) | Event::Refused(_) => {}
            }
        }
        told
    }

    /// Levels that were heard, with the frames of each.
    fn levels(&self) -> Vec<(i16, usize)> {
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

    fn asked(&self) -> Vec<String> {
        let mut asked = self.server.asked.lock().unwrap().clone();
        asked.dedup();
        asked
    }
}

const SECOND: usize = RATE as usize;

#[tokio::test(flavor = "multi_thread")]
async fn he_aac_plays_as_the_form_that_the_server_makes() {
    let mut stage = Stage::new(
        Quality::Original,
        [("a raw", handmade::announced_he_aac()), ("a opus-192", wav(500)), ("b raw", wav(700))],
    );
    assert_eq!(stage.play(&["a", "b"]).await, ["a begins", "b begins"]);
    assert_eq!(stage.levels(), [(500, SECOND), (700, SECOND)]);
    assert_eq!(stage.asked(), ["a raw", "a opus-192", "b raw"]);
    // What was learned is not asked again.
    stage.server.asked.lock().unwrap().clear();
    assert_eq!(stage.play(&["a"]).await, ["a begins"]);
    assert_eq!(stage.asked(), Vec::<String>::new(), "its form is here by now");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_follows_is_exchanged_before_its_turn_and_joins_without_a_gap() {
    let mut stage = Stage::new(
        Quality::Original,
        [
            ("a raw", wav(500)),
            ("b raw", handmade::adts(40, true)),
            ("b opus-192", wav(700)),
            ("c raw", wav(900)),
        ],
    );
    assert_eq!(stage.play(&["a", "b", "c"]).await, ["a begins", "b begins", "c begins"]);
    assert_eq!(stage.levels(), [(500, SECOND), (700, SECOND), (900, SECOND)]);
    assert_eq!(stage.tape.sound_ranges().len(), 1, "there is a gap");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chosen_form_comes_first_and_another_one_after_a_refusal() {
    let mut stage = Stage::new(Quality::Aac(96), [("a raw", handmade::wavpack()), ("a mp3-320", wav(500))]);
    assert_eq!(stage.play(&["a"]).await, ["a begins"]);
    assert_eq!(stage.levels(), [(500, SECOND)]);
    assert_eq!(stage.asked(), ["a raw", "a aac-96", "a opus-192", "a mp3-320"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_anybody_who_makes_another_form_it_is_named_and_the_queue_goes_on() {
    // A server that cannot convert sends the file itself whatever was asked for; another one refuses.
    let wavpack = handmade::wavpack();
    let answers = [
        ("a raw", wavpack.clone()),
        ("a opus-192", wavpack.clone()),
        ("a mp3-320", wavpack),
        ("b raw", handmade::adts(40, true)),
        ("c raw", wav(900)),
    ];
    let mut stage = Stage::new(Quality::Original, answers);
    let told = stage.play(&["a", "b", "c"]).await;
    let no_other =
        |name: &str| format!("{name} cannot be decoded here, and the server gives it in no other form");
    assert_eq!(told[0], format!("a: {}", no_other("WavPack")));
    assert_eq!(told[1], format!("b: {}", no_other("HE-AAC")));
    assert_eq!(told[2], "c begins");
    assert_eq!(stage.levels(), [(900, SECOND)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_a_kept_original_is_named_and_a_kept_form_plays() {
    let mut stage = Stage::new(
        Quality::Original,
        [
            ("a raw", handmade::announced_he_aac()),
            ("b raw", handmade::announced_he_aac()),
            ("b opus-192", wav(500)),
            ("c raw", wav(900)),
        ],
    );
    for name in ["a raw", "b raw", "b opus-192", "c raw"] {
        let (track, variant) = name.split_once(' ').unwrap();
        let key = TrackKey { track: track.into(), variant: variant.into() };
        let runtime = tokio::runtime::Handle::current();
        let reader = stage.store.track(&key, None, stage.server.clone(), &runtime).unwrap();
        tokio::task::spawn_blocking(move || std::io::copy(&mut { reader }, &mut std::io::sink()).unwrap())
            .await
            .unwrap();
        for _ in 0..200 {
            if stage.store.held(&key) == Held::Whole {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(stage.store.held(&key), Held::Whole, "{name}");
    }
    stage.server.down.store(true, Ordering::SeqCst);
    let told = stage.play(&["a", "b", "c"]).await;
    assert_eq!(
        told,
        [
            "a: HE-AAC cannot be decoded here, and the server, which may make another form of it, cannot be reached",
            "b begins",
            "c begins"
        ]
    );
    assert_eq!(stage.levels(), [(500, SECOND), (900, SECOND)]);
}
