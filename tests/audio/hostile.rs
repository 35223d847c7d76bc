//! Bytes that come late, not at all, or are not what they claim to be.

use std::time::Duration;

use crate::kit::{
    LIMIT, Sluggish, as_float, assert_same, events_until, flac, item, item_of, stereo_wav, studio, studio_at,
    sweep,
};
use segue::audio::{AudioEvent, Cause, Pace, State};

#[test]
fn bytes_that_come_late_pause_the_output_and_no_frame_is_lost() {
    let source = sweep(132_300);
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(2.0));
    let (media, gate) = Sluggish::new(stereo_wav(44_100, &source), 200_000);
    engine.load(item_of(1, "wav", Box::new(media)), 0, true);
    events_until(&events, |e| *e == AudioEvent::Buffering { on: true });
    let waiting = engine.snapshot();
    assert_eq!(waiting.state, State::Buffering);
    std::thread::sleep(Duration::from_millis(50));
    assert!(engine.snapshot().position_ms <= 1130, "the position stands while nothing is heard");
    gate.open_to(u64::MAX);
    events_until(&events, |e| *e == AudioEvent::Buffering { on: false });
    events_until(&events, |e| *e == AudioEvent::Drained);
    let heard = capture.sound();
    let want = as_float(&source);
    assert_eq!(heard.len(), want.len(), "every frame was heard once");
    let touched = heard.iter().zip(&want).filter(|(a, b)| a != b).count();
    assert!(touched <= 2 * 222, "only the fades differ, not {touched} frames");
    assert_eq!(engine.snapshot().underruns, 0, "the wait was announced");
}

#[test]
fn commands_act_at_once_while_a_read_hangs() {
    let source = sweep(44_100);
    let (engine, events, capture) = studio(44_100);
    let (media, gate) = Sluggish::new(stereo_wav(44_100, &source), 10);
    engine.load(item_of(1, "wav", Box::new(media)), 0, true);
    while !gate.waiting() {
        std::thread::sleep(Duration::from_millis(1));
    }
    engine.load(item(2, "wav", stereo_wav(44_100, &source)), 0, true);
    let seen = events_until(&events, |e| *e == AudioEvent::Drained);
    assert!(seen.contains(&AudioEvent::Finished { token: 2 }), "{seen:?}");
    assert_same(&capture.sound(), &as_float(&source));
    // The hanging read was ended, and its thread with it.
    while gate.waiting() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_seek_back_does_not_wait_for_the_network() {
    let source = sweep(441_000);
    let want = as_float(&source);
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(4.0));
    let (media, gate) = Sluggish::new(stereo_wav(44_100, &source), 800_000);
    engine.load(item_of(1, "wav", Box::new(media)), 0, true);
    events_until(&events, |e| *e == AudioEvent::Buffering { on: true });
    assert!(gate.waiting());
    let before = capture.sound_len();
    engine.seek(1_000);
    assert!(capture.wait_for_sound(before + 30_000, LIMIT), "what is there plays though nothing new arrives");
    let heard = capture.sound();
    let at = heard[before..].iter().position(|f| *f == want[44_100 + 1000]).expect("sound from there");
    assert_same(&heard[before + at..before + at + 20_000], &want[45_100..65_100]);
}

#[test]
fn a_lost_connection_plays_what_is_there_and_says_why() {
    let source = sweep(132_300);
    let (engine, events, capture) = studio(44_100);
    let (media, gate) = Sluggish::new(stereo_wav(44_100, &source), 200_044);
    engine.load(item_of(1, "wav", Box::new(media)), 0, true);
    engine.follow(item(2, "wav", stereo_wav(44_100, &source)));
    assert!(capture.wait_for_sound(1, LIMIT) || gate.waiting());
    gate.fail("the server went away");
    let seen = events_until(&events, |e| matches!(e, AudioEvent::Failed { .. }));
    let reason = "the server went away".to_owned();
    assert_eq!(
        seen.last(),
        Some(&AudioEvent::Failed { token: 1, reason, cause: Cause::Unreadable }),
        "the listener is told the reason, and the next track does not begin by itself"
    );
    assert_eq!(engine.snapshot().state, State::Stopped);
    assert!(capture.sound_len() > 40_000, "what had arrived was played");
    // The same item again, from where it broke off, once the bytes are there.
    capture.clear();
    engine.load(item(1, "wav", stereo_wav(44_100, &source)), 1_000, true);
    events_until(&events, |e| *e == AudioEvent::Drained);
    assert_same(&capture.sound()[300..], &as_float(&source)[44_400..]);
}

#[test]
fn files_that_are_no_sound_fail_by_name_and_the_engine_goes_on() {
    let good = sweep(5_000);
    let mut seed = 0x1234_5678_u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let garbage: Vec<u8> = (0..300_000).map(|_| noise()).collect();
    let text = "This is a letter and not a song.\n".repeat(2000).into_bytes();
    let hostile = [
        ("flac", Vec::new()),
        ("mp3", vec![0; 100_000]),
        ("wav", b"RIFF".to_vec()),
        ("wav", stereo_wav(44_100, &good)[..30].to_vec()),
        ("wav", stereo_wav(44_100, &[])),
        ("flac", flac(44_100, &good)[..20].to_vec()),
        ("flac", b"fLaC\x80\xff\xff\xff".to_vec()),
        ("ogg", b"OggS\0\0\0\0".repeat(100)),
        ("m4a", b"\0\0\0\x18ftypM4A \0\0\0\0\xff\xff\xff\xffmoov".to_vec()),
        ("opus", text.clone()),
        ("html", b"<!doctype html><html><body>404</body></html>".to_vec()),
        ("mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f".to_vec()),
        ("mp3", garbage),
    ];
    let (engine, events, capture) = studio(44_100);
    for (token, (suffix, bytes)) in (0..).zip(hostile) {
        engine.load(item(token, suffix, bytes), 0, true);
        let seen = events_until(
            &events,
            |e| matches!(e, AudioEvent::Failed { token: t, .. } | AudioEvent::Finished { token: t } if *t == token),
        );
        match seen.last() {
            Some(AudioEvent::Failed { reason, cause, .. }) => {
                assert_eq!(*cause, Cause::Unplayable, "{token} {reason}");
                assert!(reason.len() > 10, "{token} {reason}");
            }
            // Random bytes may hold something that looks like a frame of MP3.
            other => assert_eq!(token, 12, "{other:?} {suffix}"),
        }
    }
    capture.clear();
    engine.load(item(99, "flac", flac(44_100, &good)), 0, true);
    events_until(&events, |e| *e == AudioEvent::Finished { token: 99 });
    assert_same(&capture.sound(), &as_float(&good));
}

#[test]
fn the_content_counts_and_not_the_name() {
    let source = sweep(5_000);
    let (engine, events, capture) = studio(44_100);
    engine.load(item(1, "mp3", flac(44_100, &source)), 0, true);
    let seen = events_until(&events, |e| *e == AudioEvent::Finished { token: 1 });
    let format = seen.iter().find_map(|e| match e {
        AudioEvent::FormatKnown { format, .. } => Some(format.to_string()),
        _ => None,
    });
    assert_eq!(format.as_deref(), Some("FLAC 44.1/16"));
    assert_same(&capture.sound(), &as_float(&source));
}

#[test]
fn a_file_that_is_cut_off_plays_as_far_as_it_goes() {
    let source = sweep(50_000);
    let file = flac(44_100, &source);
    let (engine, events, capture) = studio(44_100);
    engine.load(item(1, "flac", file[..file.len() / 2].to_vec()), 0, true);
    events_until(&events, |e| *e == AudioEvent::Finished { token: 1 });
    let heard = capture.sound();
    assert!((20_000..=25_000).contains(&heard.len()), "{}", heard.len());
    assert_same(&heard, &as_float(&source)[..heard.len()]);
}

#[test]
fn flipped_bits_cost_a_few_blocks_at_most() {
    let source = sweep(100_000);
    let mut file = flac(44_100, &source);
    for at in [30_000, 90_001, 200_000] {
        file[at] ^= 0x55;
    }
    let (engine, events, capture) = studio(44_100);
    engine.load(item(1, "flac", file), 0, true);
    events_until(&events, |e| matches!(e, AudioEvent::Finished { .. } | AudioEvent::Failed { .. }));
    assert!(capture.sound_len() >= 80_000, "{}", capture.sound_len());
}

#[test]
fn a_broken_successor_is_told_of_early_and_can_be_replaced() {
    let source = sweep(60_000);
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(2.0));
    engine.load(item(1, "wav", stereo_wav(44_100, &source[..40_000])), 0, true);
    engine.follow(item(2, "mp3", b"nothing of use".to_vec()));
    let seen = events_until(&events, |e| matches!(e, AudioEvent::Failed { token: 2, .. }));
    assert!(!seen.contains(&AudioEvent::Finished { token: 1 }), "in time for another");
    engine.follow(item(3, "wav", stereo_wav(44_100, &source[40_000..])));
    events_until(&events, |e| *e == AudioEvent::Drained);
    assert_same(&capture.sound(), &as_float(&source));
    assert_eq!(capture.sound_ranges().len(), 1);
}

#[test]
fn a_file_decodes_on_the_callers_thread_until_it_breaks_off() {
    let source = sweep(44_100);
    let file = || Box::new(std::io::Cursor::new(flac(44_100, &source)));
    let mut heard = Vec::new();
    let format = segue::audio::decode(file(), "flac", 0, |rate, frames| {
        assert_eq!(rate, 44_100);
        heard.extend_from_slice(frames);
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(format.map(|f| f.to_string()), Ok("FLAC 44.1/16".to_owned()));
    assert_same(&heard, &as_float(&source));
    let mut pieces = 0;
    let early = segue::audio::decode(file(), "flac", 0, |_, _| {
        pieces += 1;
        std::ops::ControlFlow::Break(())
    });
    assert!(early.is_ok() && pieces == 1);
    let rubbish = Box::new(std::io::Cursor::new(b"no sound at all ".repeat(100)));
    let error = segue::audio::decode(rubbish, "flac", 0, |_, _| std::ops::ControlFlow::Continue(()));
    assert_eq!(error.map_err(|e| e.cause).err(), Some(Cause::Unplayable));
}
