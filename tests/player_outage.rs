//! The server goes away in the middle of a track and comes back: everything of the track is heard, once, in order. Real
//! server, real sockets, store, queue and engine; what a device would get is compared with the source frame by frame.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests fail by panicking")]
#![allow(clippy::float_cmp, reason = "bit-exactness is the point")]

#[path = "audio/kit.rs"]
#[allow(dead_code, reason = "the kit of another test")]
mod kit;

mod client_house;
#[path = "faults/mod.rs"]
mod faults;

use std::time::Duration;

use client_house::{House, client, eventually, store};
use faults::{Fault, Proxy};
use segue::audio::{CaptureHandle, Engine, Output, Pace};
use segue::music::{Quality, Window};
use segue::player::{Command, Event, GainMode, Loudness, Parts, Player, Sound, Status, Transport};

const RATE: u32 = 44_100;
const PATIENCE: Duration = Duration::from_secs(30);
/// Frames that fades of 5 ms may touch on both sides of a silence.
const FADES: usize = 2 * 222;

/// Plays a FLAC file through a proxy that does `first` to the first request of it and then loses the server until the
/// player says that it waits; gives what was heard and the lengths of the silences in between.
async fn outage(first: Fault, gone: bool) -> (Vec<[f32; 2]>, Vec<[f32; 2]>, Vec<usize>) {
    let source = kit::sweep(10 * RATE as usize);
    let mut house = House::open(&[]).await;
    std::fs::create_dir_all(house.music()).unwrap();
    std::fs::write(house.music().join("sweep.flac"), kit::flac(RATE, &source)).unwrap();
    house.scan().await;
    let proxy = Proxy::start(house.addr).await;

    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let me = client_house::Player::start_with(client(&proxy.url(), &house.key), Some(store.clone())).await;
    me.synced().await;
    let windows =
        segue::catalog::SearchWindows { tracks: Window::ALL, ..segue::catalog::SearchWindows::first(0) };
    let tracks = me.library().search("", windows).await.unwrap().tracks;
    assert_eq!(tracks.len(), 1);

    let tape = CaptureHandle::new(RATE, Pace::Realtime(2.0));
    let (engine, reports) = Engine::start(Output::Capture(tape.clone()));
    let (player, mut events) = Player::start(Parts {
        engine,
        reports,
        store,
        source: me.session.source(),
        quality: Quality::Original,
        pinned_quality: Quality::Original,
        volume: 100,
        loudness: Loudness { mode: GainMode::Off, preamp_db: 0.0 },
        sound: Sound::default(),
    });
    proxy.next(std::iter::once(first).chain(std::iter::repeat_n(Fault::Drop, 1000)));
    player.send(Command::PlayContext { tracks, start: 0, name: "Sweep".into(), shuffled: false });
    eventually("the first request", || async { !proxy.asked("stream").is_empty() }).await;
    if gone {
        house.gone().await;
    } else {
        proxy.always(Fault::Drop);
    }
    let waits = |s: &Status| s.transport == Transport::Buffering && s.position_ms > 500;
    let mut status = player.status();
    tokio::time::timeout(PATIENCE, status.wait_for(waits)).await.expect("it never waited").unwrap();
    let before = tape.sound_len();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(tape.sound_len() < before + FADES, "nothing is heard while nothing comes");
    if gone {
        house.back().await;
    }
    proxy.next([]);
    proxy.always(Fault::None);
    loop {
        match tokio::time::timeout(PATIENCE, events.recv()).await.expect("it never ended").unwrap() {
            Event::Ended { .. } => break,
            Event::Failed { reason, .. } => panic!("{reason}"),
            _ => {}
        }
    }
    assert_eq!(player.status().borrow().underruns, 0, "every wait was announced");
    let ranges = tape.sound_ranges();
    let silences = ranges.windows(2).map(|pair| pair[1].start - pair[0].end).collect();
    (tape.sound(), kit::as_float(&source), silences)
}

fn assert_nothing_is_lost(heard: &[[f32; 2]], want: &[[f32; 2]], silences: &[usize]) {
    assert!(!silences.is_empty(), "there was no outage to hear");
    assert_eq!(heard.len(), want.len(), "frames in all");
    let changed = heard.iter().zip(want).filter(|(a, b)| a != b).count();
    assert!(changed <= silences.len() * FADES, "{changed} frames differ around {} silences", silences.len());
    let louder = heard.iter().zip(want).any(|(a, b)| a[0].abs() > b[0].abs() || a[1].abs() > b[1].abs());
    assert!(!louder, "fades only make quieter");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_and_comes_back_costs_no_frame() {
    let (heard, want, silences) = outage(Fault::Reset(700_000), true).await;
    assert_nothing_is_lost(&heard, &want, &silences);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_goes_dead_in_the_middle_of_an_answer_costs_no_frame() {
    for fault in [Fault::StallAfter(600_001), Fault::Truncate(555_555)] {
        let (heard, want, silences) = outage(fault, false).await;
        assert_nothing_is_lost(&heard, &want, &silences);
    }
}
