//! Sound tested as sound: what the device would have got, against the decoded source.

use std::time::Duration;

use crate::kit::{
    LIMIT, as_float, assert_same, events_until, flac, item, play_through, stereo_wav, studio, studio_at,
    sweep, wav,
};
use segue::audio::{AudioEvent, Pace, State};

#[test]
fn lossless_files_come_out_bit_exact() {
    let source = sweep(100_000);
    let want = as_float(&source);
    assert_same(&play_through(44_100, item(1, "wav", stereo_wav(44_100, &source)), None), &want);
    assert_same(&play_through(44_100, item(1, "flac", flac(44_100, &source)), None), &want);
}

#[test]
fn a_continuous_signal_cut_in_two_has_no_joint() {
    let source = sweep(100_001);
    for cut in [1, 700, 50_000, 98_765] {
        let (a, b) = source.split_at(cut);
        let (a, b) = (item(1, "flac", flac(44_100, a)), item(2, "wav", stereo_wav(44_100, b)));
        assert_same(&play_through(44_100, a, Some(b)), &as_float(&source));
    }
}

#[test]
fn successors_offered_when_asked_for_join_without_a_gap() {
    let source = sweep(176_400);
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(3.0));
    let mut parts =
        source.chunks(44_100).zip(1..).map(|(part, token)| item(token, "flac", flac(44_100, part)));
    let mut next = parts.by_ref().collect::<Vec<_>>().into_iter();
    engine.load(next.next().unwrap(), 0, true);
    loop {
        let seen = events_until(&events, |e| matches!(e, AudioEvent::WantNext { .. } | AudioEvent::Drained));
        match next.next() {
            Some(item) => engine.follow(item),
            None if seen.last() == Some(&AudioEvent::Drained) => break,
            None => {}
        }
    }
    assert_same(&capture.sound(), &as_float(&source));
    assert_eq!(capture.sound_ranges().len(), 1);
    assert_eq!(engine.snapshot().underruns, 0);
}

#[test]
fn events_tell_what_was_heard_in_order() {
    let source = sweep(60_000);
    let (engine, events, capture) = studio(44_100);
    engine.load(item(7, "wav", stereo_wav(44_100, &source[..30_000])), 0, false);
    engine.follow(item(8, "wav", stereo_wav(44_100, &source[30_000..])));
    engine.play();
    let seen = events_until(&events, |e| *e == AudioEvent::Drained);
    let heard: Vec<String> = seen
        .iter()
        .filter(|e| matches!(e, AudioEvent::Heard { .. } | AudioEvent::Finished { .. } | AudioEvent::Drained))
        .map(|e| format!("{e:?}"))
        .collect();
    assert_eq!(
        heard,
        [
            "Heard { token: 7 }",
            "Finished { token: 7 }",
            "Heard { token: 8 }",
            "Finished { token: 8 }",
            "Drained"
        ]
    );
    let formats = seen.iter().filter(|e| matches!(e, AudioEvent::FormatKnown { .. })).count();
    assert_eq!(formats, 2);
    assert_eq!(engine.snapshot().state, State::Stopped);
    assert_eq!(engine.snapshot().token, None);
    assert_same(&capture.sound(), &as_float(&source));
}

#[test]
fn pausing_loses_no_frame() {
    let source = sweep(200_000);
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(4.0));
    engine.load(item(1, "wav", stereo_wav(44_100, &source)), 0, true);
    for stop in 1..=5 {
        assert!(capture.wait_for_sound(stop * 30_000, LIMIT));
        engine.pause();
        let held = wait_for(|| engine.snapshot(), |s| s.state == State::Paused);
        assert_eq!(held.token, Some(1));
        engine.play();
    }
    events_until(&events, |e| *e == AudioEvent::Drained);
    let heard = capture.sound();
    let want = as_float(&source);
    assert_eq!(heard.len(), want.len());
    // Fades touch a few milliseconds around each pause; every other frame is untouched and in its place.
    let touched = heard.iter().zip(&want).filter(|(a, b)| a != b).count();
    assert!(touched <= 5 * 2 * 221 + 10, "{touched} frames differ");
    assert!(heard.iter().zip(&want).all(|(a, b)| a[0].abs() <= b[0].abs() + 1e-6), "fades only make quieter");
}

#[test]
fn a_pause_is_silent_and_without_a_click() {
    let loud: Vec<[i16; 2]> = vec![[20_000, 20_000]; 132_300];
    let (engine, _events, capture) = studio_at(44_100, Pace::Realtime(2.0));
    engine.load(item(1, "wav", stereo_wav(44_100, &loud)), 0, true);
    assert!(capture.wait_for_sound(20_000, LIMIT));
    engine.pause();
    wait_for(|| capture.frames().last().copied(), |f| *f == Some([0.0, 0.0]));
    engine.play();
    let so_far = capture.sound_len();
    assert!(capture.wait_for_sound(so_far + 10_000, LIMIT));
    engine.shutdown();
    let frames = capture.frames();
    let begin = frames.iter().position(|f| f[0] > 0.0).unwrap();
    let step = frames[begin + 1..].windows(2).map(|w| (w[0][0] - w[1][0]).abs()).fold(0.0, f32::max);
    assert!(step < 0.01, "the level jumps by {step}");
}

#[test]
fn seeking_lands_on_the_frame() {
    let source = sweep(441_000);
    let want = as_float(&source);
    for (suffix, file) in [("wav", stereo_wav(44_100, &source)), ("flac", flac(44_100, &source))] {
        let (engine, events, capture) = studio(44_100);
        engine.load(item(1, suffix, file), 0, false);
        engine.seek(7_000);
        assert_eq!(wait_for(|| engine.snapshot(), |s| s.position_ms == 7_000).state, State::Paused);
        engine.seek(2_000);
        engine.seek(4_000);
        engine.play();
        events_until(&events, |e| *e == AudioEvent::Drained);
        let heard = capture.sound();
        assert_eq!(heard.len(), want.len() - 4 * 44_100, "{suffix}");
        assert_same(&heard[300..], &want[4 * 44_100 + 300..]);
    }
}

#[test]
fn loading_at_a_place_begins_there() {
    let source = sweep(220_500);
    let (engine, events, capture) = studio(44_100);
    engine.load(item(1, "flac", flac(44_100, &source)), 3_000, true);
    events_until(&events, |e| *e == AudioEvent::Drained);
    assert_same(&capture.sound()[300..], &as_float(&source)[3 * 44_100 + 300..]);
}

#[test]
fn seeking_back_after_everything_was_decoded_works() {
    let source = sweep(60_000);
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(2.0));
    engine.load(item(1, "flac", flac(44_100, &source[..50_000])), 0, true);
    events_until(&events, |e| matches!(e, AudioEvent::WantNext { .. }));
    // The whole file is decoded, its successor as well; then the listener goes back.
    engine.follow(item(2, "flac", flac(44_100, &source[50_000..])));
    events_until(&events, |e| matches!(e, AudioEvent::FormatKnown { token: 2, .. }));
    assert!(capture.wait_for_sound(10_000, LIMIT));
    engine.seek(500);
    events_until(&events, |e| *e == AudioEvent::Drained);
    let heard = capture.sound();
    let want = as_float(&source);
    assert_same(&heard[heard.len() - 37_000..], &want[want.len() - 37_000..]);
}

#[test]
fn another_load_drops_the_old_at_once() {
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(1.0));
    engine.load(item(1, "wav", stereo_wav(44_100, &vec![[8000, 8000]; 441_000])), 0, true);
    assert!(capture.wait_for_sound(8_000, LIMIT));
    let source = vec![[-8000, -8000]; 20_000];
    engine.load(item(2, "wav", stereo_wav(44_100, &source)), 0, true);
    let seen = events_until(&events, |e| *e == AudioEvent::Drained);
    assert!(!seen.contains(&AudioEvent::Finished { token: 1 }));
    let heard = capture.sound();
    // The second item is whole, from its first frame on, unfaded.
    assert_same(&heard[heard.len() - 20_000..], &as_float(&source));
    assert!(heard[heard.len() - 20_001][0].abs() < 0.01, "the first item was faded out");
}

#[test]
fn stop_empties_everything() {
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(1.0));
    engine.load(item(1, "wav", stereo_wav(44_100, &sweep(441_000))), 0, true);
    assert!(capture.wait_for_sound(4_000, LIMIT));
    engine.stop();
    let stopped = wait_for(|| engine.snapshot(), |s| s.state == State::Stopped);
    assert_eq!((stopped.token, stopped.position_ms), (None, 0));
    wait_for(|| capture.frames(), |f| f.len() > 4410 && f[f.len() - 4410..].iter().all(|f| *f == [0.0, 0.0]));
    engine.load(item(2, "wav", stereo_wav(44_100, &sweep(3_000))), 0, true);
    let seen = events_until(&events, |e| *e == AudioEvent::Drained);
    assert!(
        seen.contains(&AudioEvent::Finished { token: 2 })
            && !seen.contains(&AudioEvent::Finished { token: 1 })
    );
}

#[test]
fn a_replaced_successor_is_never_heard() {
    let source = sweep(60_000);
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(2.0));
    engine.load(item(1, "flac", flac(44_100, &source[..44_100])), 0, true);
    // Its frames are in the ring before the first item is half over.
    engine.follow(item(2, "wav", stereo_wav(44_100, &vec![[9999, 9999]; 20_000])));
    events_until(&events, |e| matches!(e, AudioEvent::FormatKnown { token: 2, .. }));
    assert!(capture.wait_for_sound(10_000, LIMIT));
    engine.follow(item(3, "flac", flac(44_100, &source[44_100..])));
    events_until(&events, |e| *e == AudioEvent::Drained);
    assert_same(&capture.sound(), &as_float(&source));
    assert_eq!(capture.sound_ranges().len(), 1);
}

#[test]
fn volume_is_cubic_and_changes_without_a_step() {
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(2.0));
    engine.load(item(1, "wav", stereo_wav(44_100, &vec![[16_384, 16_384]; 88_200])), 0, true);
    assert!(capture.wait_for_sound(20_000, LIMIT));
    engine.set_volume(0.5);
    assert!(capture.wait_for_sound(50_000, LIMIT));
    engine.set_volume(0.0);
    events_until(&events, |e| *e == AudioEvent::Drained);
    let heard = capture.sound();
    assert!((heard[10_000][0] - 0.5).abs() < 1e-6);
    assert!((heard[45_000][0] - 0.5 * 0.125).abs() < 1e-5, "{}", heard[45_000][0]);
    assert!(heard[88_000][0].abs() < 1e-6);
    let step = heard.windows(2).map(|w| (w[0][0] - w[1][0]).abs()).fold(0.0, f32::max);
    assert!(step < 0.002, "the level jumps by {step}");
}

#[test]
fn gain_is_applied_and_mono_is_heard_on_both_sides() {
    let mut quiet = item(1, "wav", wav(44_100, 1, &[16_384; 3000]));
    quiet.gain_db = -6.020_6;
    let heard = play_through(44_100, quiet, None);
    assert_eq!(heard.len(), 3000);
    assert!(heard.iter().all(|f| (f[0] - 0.25).abs() < 1e-5 && (f[1] - 0.25).abs() < 1e-5));
}

#[test]
fn other_rates_are_converted_to_the_right_length_and_pitch() {
    for rate in [8_000_u32, 22_050, 48_000, 96_000, 192_000] {
        let tone: Vec<[i16; 2]> = (0..rate)
            .map(|n| {
                let s = (f64::from(n) * 440.0 * std::f64::consts::TAU / f64::from(rate)).sin() * 10_000.0;
                [s as i16, s as i16]
            })
            .collect();
        let half = tone.len() / 2;
        let first = item(1, "wav", stereo_wav(rate, &tone[..half]));
        let second = item(2, "wav", stereo_wav(rate, &tone[half..]));
        let heard = play_through(44_100, first, Some(second));
        assert!(heard.len().abs_diff(44_100) <= 1, "{rate}: {} frames", heard.len());
        // 440 Hz, and no trace of the joint in the middle: the converted tone is the tone at 44.1 kHz throughout.
        let worst = heard[2000..42_000]
            .iter()
            .zip(2000..)
            .map(|(f, n)| {
                let ideal =
                    (f64::from(n) * 440.0 * std::f64::consts::TAU / 44_100.0).sin() * 10_000.0 / 32_768.0;
                (f64::from(f[0]) - ideal).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst < 2e-3, "{rate}: off by {worst}");
    }
}

/// Looks again and again until what is seen is right.
fn wait_for<T>(look: impl Fn() -> T, right: impl Fn(&T) -> bool) -> T {
    let deadline = std::time::Instant::now() + LIMIT;
    loop {
        let seen = look();
        if right(&seen) {
            return seen;
        }
        assert!(std::time::Instant::now() < deadline, "waited in vain");
        std::thread::sleep(Duration::from_millis(2));
    }
}
