//! The player without a screen: real queue, store and engine; bytes from a scripted source, sound into a capture.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod player_stage;

use std::sync::atomic::Ordering;
use std::time::Duration;

use player_stage::{PATIENCE, RATE, Stage, now, track};
use segue::audio::Pace;
use segue::music::{EndReason, ReplayGain, StartReason, Track};
use segue::player::{Command, Event, GainMode, Repeat, Sleep, SoundChange, Supply, Transport};

#[tokio::test(flavor = "multi_thread")]
async fn an_album_plays_to_its_end_without_a_gap() {
    let mut stage = Stage::new(Pace::Unbounded, &[("a", 1.0, 1000), ("b", 1.5, 2000), ("c", 0.5, 3000)]);
    stage.play(&[("a", 1.0), ("b", 1.5), ("c", 0.5)], 0);
    stage.until("the end", |s| s.queue.now.is_none() && s.queue.history.len() == 3).await;
    let runs: Vec<(i16, usize)> = stage.levels().into_iter().filter(|(_, n)| *n > 1000).collect();
    let rate = RATE as usize;
    assert_eq!(runs.iter().map(|r| r.0).collect::<Vec<_>>(), [1000, 2000, 3000]);
    assert_eq!(runs[1].1, rate * 3 / 2, "frames of the middle track");
    let mut plays = Vec::new();
    while plays.len() < 3 {
        if let Event::Ended { play, context, .. } = stage.event().await {
            assert_eq!((context.source.as_str(), context.device.as_str()), ("Album", "capture"));
            plays.push((play.track.as_str().to_owned(), play.start, play.end));
        }
    }
    assert_eq!(plays[0], ("a".to_owned(), StartReason::Chosen, EndReason::Finished));
    assert_eq!(plays[2], ("c".to_owned(), StartReason::Advance, EndReason::Finished));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_play_that_touches_a_private_session_is_private() {
    let mut stage = Stage::new(Pace::Unbounded, &[("a", 0.5, 1000), ("b", 0.5, 2000)]);
    let mut heard = async |begin: bool, during: bool| {
        stage.player.send(Command::Private(begin));
        stage.play(&[("a", 0.5), ("b", 0.5)], 0);
        stage.player.send(Command::Private(during));
        stage.until("the state", |s| s.private == during).await;
        let mut ended = Vec::new();
        while ended.len() < 2 {
            if let Event::Ended { private, .. } = stage.event().await {
                ended.push(private);
            }
        }
        ended
    };
    assert_eq!(heard(false, false).await, [false, false]);
    assert_eq!(heard(true, true).await, [true, true]);
    assert_eq!(heard(true, false).await, [true, false], "also the one that began in it");
    assert_eq!(heard(false, true).await, [true, true], "also the one that it began in");
}

/// Halves, or nearly so.
const HALF_DB: f32 = -6.020_6;

fn gained(id: &str, seconds: f64, album: &str, track_gain: f32, album_gain: f32) -> Track {
    let replay_gain = ReplayGain {
        track_gain: Some(track_gain),
        album_gain: Some(album_gain),
        track_peak: Some(1.0),
        album_peak: Some(1.0),
    };
    Track { album_id: Some(album.into()), replay_gain, ..track(id, seconds) }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_album_has_one_gain_and_a_lone_track_its_own() {
    let stage = Stage::new(Pace::Unbounded, &[("a", 0.5, 4000), ("b", 0.5, 8000), ("c", 0.5, 20000)]);
    let tracks = vec![
        gained("a", 0.5, "one", 0.0, HALF_DB),
        gained("b", 0.5, "one", -20.0, HALF_DB),
        gained("c", 0.5, "two", 2.0 * HALF_DB, 0.0),
    ];
    stage.player.send(Command::PlayContext { tracks, start: 0, name: "Mix".into(), shuffled: false });
    stage.until("the end", |s| s.queue.now.is_none() && s.queue.history.len() == 3).await;
    let runs: Vec<i16> = stage.levels().into_iter().filter(|(_, n)| *n > 1000).map(|r| r.0).collect();
    assert_eq!(runs, [2000, 4000, 5000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_kind_of_gain_counts_at_once() {
    let stage = Stage::new(Pace::Realtime(4.0), &[("a", 60.0, 4000)]);
    let tracks = vec![gained("a", 60.0, "one", HALF_DB, 0.0)];
    stage.player.send(Command::PlayContext { tracks, start: 0, name: "Mix".into(), shuffled: false });
    stage.until("sound", |s| s.position_ms > 500).await;
    stage.player.send(Command::SetGain(GainMode::Off));
    let at = stage.until("the mode", |s| s.gain_mode == GainMode::Off).await.position_ms;
    stage.until("more sound", |s| s.position_ms > at + 1500).await;
    let runs: Vec<i16> = stage.levels().into_iter().filter(|(_, n)| *n > 1000).map(|r| r.0).collect();
    assert_eq!(runs, [2000, 4000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sleep_timer_fades_and_pauses_and_the_volume_comes_back() {
    let stage = Stage::new(Pace::Realtime(1.0), &[("a", 60.0, 10000)]);
    stage.play(&[("a", 60.0)], 0);
    stage.until("sound", |s| s.position_ms > 100).await;
    stage.player.send(Command::Sleep(Some(Sleep::After { seconds: 2 })));
    stage.until("the timer", |s| s.sleep.is_some()).await;
    stage.until("sleep", |s| s.transport == Transport::Paused && s.sleep.is_none()).await;
    let sound = stage.tape.sound();
    let last = sound.last().unwrap()[0].abs();
    assert!(last < 0.02, "it went silent slowly, but the last sample is {last}");
    let before = sound.len();
    stage.player.send(Command::Resume);
    stage.until("sound again", |s| s.transport == Transport::Playing).await;
    assert!(tokio::task::block_in_place(|| stage.tape.wait_for_sound(before + RATE as usize / 2, PATIENCE)));
    assert!(stage.levels().iter().any(|(level, n)| *level == 10000 && *n > 1000));
    assert_eq!(stage.levels().last().map(|r| r.0), Some(10000));
}

#[tokio::test(flavor = "multi_thread")]
async fn asleep_with_the_track_the_next_one_waits_at_its_beginning() {
    let stage = Stage::new(Pace::Unbounded, &[("a", 0.5, 1000), ("b", 0.5, 2000)]);
    stage.player.send(Command::Sleep(Some(Sleep::TrackEnd)));
    stage.play(&[("a", 0.5), ("b", 0.5)], 0);
    let status = stage.until("sleep", |s| now(s) == Some("b") && s.transport == Transport::Paused).await;
    assert_eq!((status.sleep, status.position_ms), (None, 0));
    assert!(stage.levels().iter().all(|r| r.0 != 2000), "nothing of the next track is heard");
    stage.player.send(Command::Toggle);
    stage.until("the end", |s| s.queue.now.is_none()).await;
    assert!(stage.levels().iter().any(|r| r.0 == 2000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_streamed_plays_again_without_a_network() {
    let stage = Stage::new(Pace::Unbounded, &[("a", 1.0, 1000)]);
    stage.play(&[("a", 1.0)], 0);
    stage.until("the end", |s| s.queue.now.is_none() && !s.queue.history.is_empty()).await;
    let fetches = stage.shelf.fetches.load(Ordering::SeqCst);
    stage.shelf.cut.store(true, Ordering::SeqCst);
    stage.tape.clear();
    stage.play(&[("a", 1.0)], 0);
    assert!(tokio::task::block_in_place(|| stage.tape.wait_for_sound(RATE as usize, PATIENCE)));
    assert_eq!(stage.shelf.fetches.load(Ordering::SeqCst), fetches, "a whole track needs no source");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_it_waits_and_says_so_then_goes_on() {
    let stage = Stage::new(Pace::Realtime(20.0), &[("a", 2.0, 1000)]);
    stage.shelf.cut.store(true, Ordering::SeqCst);
    stage.play(&[("a", 2.0)], 0);
    stage.until("offline", |s| s.supply == Supply::Offline && s.transport == Transport::Buffering).await;
    stage.shelf.cut.store(false, Ordering::SeqCst);
    stage.until("the end", |s| s.queue.now.is_none()).await;
    let heard: usize = stage.levels().iter().filter(|r| r.0 == 1000).map(|r| r.1).sum();
    assert_eq!(heard, 2 * RATE as usize);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_track_that_cannot_be_had_is_named_and_passed_over() {
    let mut stage = Stage::new(Pace::Unbounded, &[("a", 0.5, 1000), ("c", 0.5, 3000)]);
    stage.shelf.files.lock().unwrap().insert("b".into(), b"not music at all".repeat(100));
    stage.play(&[("a", 0.5), ("b", 0.5), ("gone", 0.5), ("c", 0.5)], 0);
    let mut failed = Vec::new();
    let mut heard = Vec::new();
    while heard.len() < 2 {
        match stage.event().await {
            Event::Failed { track, .. } => failed.push(track.id.as_str().to_owned()),
            Event::Began(track) => heard.push(track.id.as_str().to_owned()),
            _ => {}
        }
    }
    assert_eq!(heard, ["a", "c"]);
    assert_eq!(failed, ["b", "gone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_rubbish_ends_instead_of_turning_for_ever() {
    let stage = Stage::new(Pace::Unbounded, &[]);
    let names: Vec<String> = (0..20).map(|i| format!("x{i}")).collect();
    let tracks: Vec<(&str, f64)> = names.iter().map(|n| (n.as_str(), 1.0)).collect();
    stage.player.send(Command::SetRepeat(Repeat::All));
    stage.play(&tracks, 0);
    stage.until("a stop", |s| s.transport != Transport::Playing && !s.queue.history.is_empty()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = stage.shelf.fetches.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(stage.shelf.fetches.load(Ordering::SeqCst), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn next_previous_seek_and_jump() {
    let stage = Stage::new(Pace::Realtime(1.0), &[("a", 60.0, 1000), ("b", 60.0, 2000), ("c", 60.0, 3000)]);
    stage.play(&[("a", 60.0), ("b", 60.0), ("c", 60.0)], 0);
    stage.until("a", |s| now(s) == Some("a") && s.position_ms > 100).await;
    stage.player.send(Command::Next);
    stage.until("b", |s| now(s) == Some("b") && s.position_ms > 100).await;
    stage.player.send(Command::SeekTo(30_000));
    stage.until("the seek", |s| s.position_ms >= 30_000 && s.position_ms < 32_000).await;
    stage.player.send(Command::Previous);
    stage.until("b anew", |s| now(s) == Some("b") && s.position_ms < 5_000).await;
    stage.player.send(Command::Previous);
    stage.until("a again", |s| now(s) == Some("a")).await;
    let last = stage.player.status().borrow().queue.context[1].uid;
    stage.player.send(Command::Jump(last));
    stage.until("c", |s| now(s) == Some("c") && s.position_ms > 0).await;
    stage.player.send(Command::Toggle);
    let paused = stage.until("a pause", |s| s.transport == Transport::Paused).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let later = stage.player.status().borrow().position_ms;
    assert!(later.abs_diff(paused.position_ms) < 200, "{later} after {}", paused.position_ms);
    // Also while nothing moves it is shown where a seek went.
    for place in [40_000, 20_000, 30_000] {
        stage.player.send(Command::SeekTo(place));
        stage.until("a seek in the pause", |s| s.position_ms == place).await;
    }
    assert_eq!(stage.player.status().borrow().transport, Transport::Paused);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_change_what_follows_even_after_it_was_prepared() {
    let stage = Stage::new(Pace::Realtime(1.0), &[("a", 3.0, 1000), ("b", 3.0, 2000), ("c", 3.0, 3000)]);
    stage.play(&[("a", 3.0), ("b", 3.0)], 0);
    // Three seconds are short: by now the follower is decoded ahead.
    stage.until("some sound", |s| s.position_ms > 1200).await;
    stage.player.send(Command::EnqueueNext(vec![track("c", 3.0)]));
    stage.until("the track that was put next", |s| now(s) == Some("c")).await;
    stage.until("the context after it", |s| now(s) == Some("b")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeat_one_repeats_without_a_gap() {
    let stage = Stage::new(Pace::Realtime(8.0), &[("a", 1.0, 1000), ("b", 1.0, 2000)]);
    stage.player.send(Command::SetRepeat(Repeat::One));
    stage.play(&[("a", 1.0), ("b", 1.0)], 0);
    assert!(tokio::task::block_in_place(|| stage.tape.wait_for_sound(3 * RATE as usize, PATIENCE)));
    let heard = stage.levels();
    let longest = heard.iter().filter(|r| r.0 == 1000).map(|r| r.1).max().unwrap();
    assert!(longest > 5 * RATE as usize / 2, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_heard_is_counted_in_music_not_in_positions() {
    let mut stage = Stage::new(Pace::Realtime(4.0), &[("a", 60.0, 1000)]);
    stage.play(&[("a", 60.0)], 0);
    stage.until("two seconds", |s| s.position_ms > 2000).await;
    stage.player.send(Command::SeekTo(50_000));
    stage.until("the end", |s| s.queue.now.is_none()).await;
    loop {
        if let Event::Ended { play, .. } = stage.event().await {
            assert!((10_000..16_000).contains(&play.heard_ms), "heard {} ms", play.heard_ms);
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn volume_and_mute() {
    let stage = Stage::new(Pace::Realtime(1.0), &[("a", 60.0, 16000)]);
    stage.play(&[("a", 60.0)], 0);
    stage.until("sound", |s| s.position_ms > 100).await;
    stage.player.send(Command::ToggleMute);
    stage.until("mute", |s| s.muted).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(stage.tape.frames().last().unwrap()[0].abs() < f32::EPSILON);
    stage.player.send(Command::VolumeBy(-50));
    let status = stage.until("half", |s| !s.muted).await;
    assert_eq!(status.volume, 50);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let level = stage.tape.frames().last().unwrap()[0];
    assert!((level - 16000.0 / 32768.0 / 8.0).abs() < 1e-3, "cubic: {level}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crossfade_joins_albums_and_leaves_one_album_alone() {
    let stage = Stage::new(Pace::Realtime(4.0), &[("a", 4.0, 4000), ("b", 4.0, 8000), ("c", 4.0, 16000)]);
    stage.player.send(Command::Sound(SoundChange::Crossfade(1)));
    let tracks =
        [("a", "one"), ("b", "one"), ("c", "two")].map(|(id, album)| gained(id, 4.0, album, 0.0, 0.5));
    stage.player.send(Command::PlayContext {
        tracks: tracks.to_vec(),
        start: 0,
        name: "Mix".into(),
        shuffled: false,
    });
    stage.until("the end", |s| s.queue.now.is_none() && s.queue.history.len() == 3).await;
    let rate = RATE as usize;
    assert_eq!(stage.tape.sound_len(), 11 * rate, "one second is heard twice at once");
    let runs: Vec<(i16, usize)> = stage.levels().into_iter().filter(|(_, n)| *n > 1000).collect();
    let want = [(4000, 4 * rate), (8000, 3 * rate), (16000, 3 * rate)];
    // The first and last frames of a mix may round to the level beside it.
    let near = runs.iter().zip(want).all(|(run, want)| run.0 == want.0 && run.1.abs_diff(want.1) < 10);
    assert!(near && runs.len() == 3, "{runs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bit_perfect_sets_everything_else_aside_and_says_so() {
    let stage = Stage::new(Pace::Realtime(4.0), &[("a", 60.0, 4000)]);
    let tracks = vec![gained("a", 60.0, "one", HALF_DB, 0.0)];
    stage.player.send(Command::SetVolume(50));
    stage.player.send(Command::Sound(SoundChange::Equalizer("bass".parse().unwrap())));
    stage.player.send(Command::Sound(SoundChange::Speed(150)));
    stage.player.send(Command::PlayContext { tracks, start: 0, name: "Mix".into(), shuffled: false });
    let before = stage.until("sound", |s| s.position_ms > 500).await;
    assert_eq!(before.treatment, "1.5× eq bass");
    stage.player.send(Command::Sound(SoundChange::BitPerfect(true)));
    let at = stage.until("the mode", |s| s.treatment == "bit-perfect").await.position_ms;
    stage.until("more sound", |s| s.position_ms > at + 2000).await;
    // A machine that is busy may leave gaps in it.
    let own: usize = stage.levels().into_iter().filter(|(level, _)| *level == 4000).map(|(_, n)| n).sum();
    assert!(own > 10_000, "the file's own samples: {own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_speed_is_counted_in_the_track() {
    let stage = Stage::new(Pace::Realtime(1.0), &[("a", 60.0, 4000)]);
    stage.player.send(Command::Sound(SoundChange::Speed(200)));
    stage.play(&[("a", 60.0)], 0);
    let from = stage.until("sound", |s| s.position_ms > 200).await.position_ms as usize;
    let begun = stage.tape.sound_len();
    let to = stage.until("two seconds of it", |s| s.position_ms > 2200).await.position_ms as usize;
    let passed = (stage.tape.sound_len() - begun) * 1000 / RATE as usize;
    assert!((to - from).abs_diff(2 * passed) < 900, "{} ms of the track in {passed} ms", to - from);
}
