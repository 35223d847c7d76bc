//! Sound tested as sound: what the device would have got, against the decoded source.

#[path = "common/sound.rs"]
mod sound;

use std::time::Duration;

use segue::audio::{AudioEvent, Pace, State};
use sound::{
    LIMIT, Sluggish, as_float, assert_same, events_until, flac, item, item_of, play_through, stereo_wav,
    studio, studio_at, sweep, wav,
};

#[test]
fn lossless_files_come_out_bit_exact() {
    let source = sweep(100_000);
    let want = as_float(&source);
    assert_same(&play_through(44_100, vec![item(1, "wav", stereo_wav(44_100, &source))]), &want);
    assert_same(&play_through(44_100, vec![item(1, "flac", flac(44_100, &source))]), &want);
}

#[test]
fn a_continuous_signal_cut_in_three_has_no_joint() {
    let source = sweep(150_001);
    let parts = [&source[..50_000], &source[50_000..50_700], &source[50_700..]];
    let files = vec![
        item(1, "flac", flac(44_100, parts[0])),
        item(2, "wav", stereo_wav(44_100, parts[1])),
        item(3, "flac", flac(44_100, parts[2])),
    ];
    assert_same(&play_through(44_100, files), &as_float(&source));
}

#[test]
fn events_tell_what_was_heard_in_order() {
    let source = sweep(60_000);
    let (engine, events, capture) = studio(44_100);
    engine.load(item(7, "wav", stereo_wav(44_100, &source[..30_000])), 0, true);
    engine.follow(item(8, "wav", stereo_wav(44_100, &source[30_000..])));
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
    assert!(
        seen.contains(&AudioEvent::WantNext { token: 8 })
            && !seen.contains(&AudioEvent::WantNext { token: 7 })
    );
    let formats = seen.iter().filter(|e| matches!(e, AudioEvent::FormatKnown { .. })).count();
    assert_eq!(formats, 2);
    assert_eq!(engine.snapshot().state, State::Stopped);
    assert_eq!(engine.snapshot().token, None);
    assert_same(&capture.sound(), &as_float(&source));
}
