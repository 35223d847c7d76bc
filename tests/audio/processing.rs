//! What a listener may have done to the sound: crossfades, another speed, an equaliser; and nothing at all, bit by bit.

use segue::audio::{AudioEvent, CaptureHandle, Engine, Equalizer, Item, Output, Pace};

use crate::kit::{
    LIMIT, as_float, assert_same, events_until, flac, item, stereo_wav, studio, studio_at, sweep,
};

/// Another signal than [`sweep`], so that both can be found in a mix.
fn noise(frames: usize) -> Vec<[i16; 2]> {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 48) as i16 / 4
    };
    (0..frames).map(|_| [next(), next()]).collect()
}

/// An item that begins another album, of a known duration.
fn single(token: u64, frames: &[[i16; 2]], rate: u32) -> Item {
    Item {
        duration_ms: Some(frames.len() as u64 * 1000 / u64::from(rate)),
        joins_previous: false,
        ..item(token, "wav", stereo_wav(rate, frames))
    }
}

/// Plays two items with a crossfade of so many ms as fast as it can.
fn crossfaded(first: Item, second: Item, ms: u64) -> (Vec<[f32; 2]>, Vec<AudioEvent>) {
    let (engine, events, capture) = studio(44_100);
    engine.set_crossfade(ms);
    engine.load(first, 0, false);
    engine.follow(second);
    engine.play();
    let seen = events_until(&events, |e| matches!(e, AudioEvent::Drained | AudioEvent::Failed { .. }));
    assert_eq!(capture.sound_ranges().len(), 1, "there is a gap");
    (capture.sound(), seen)
}

#[test]
fn a_crossfade_mixes_both_at_equal_power_and_touches_nothing_else() {
    let (a, b) = (sweep(220_500), noise(220_500));
    let (heard, seen) = crossfaded(single(1, &a, 44_100), single(2, &b, 44_100), 2_000);
    let (a, b) = (as_float(&a), as_float(&b));
    let fade = 88_200;
    let joint = a.len() - fade;
    assert_eq!(heard.len(), a.len() + b.len() - fade);
    assert_same(&heard[..joint], &a[..joint]);
    assert_same(&heard[a.len()..], &b[fade..]);
    for n in [0, 1, 22_050, 44_100, 66_150, 88_199] {
        let angle = std::f64::consts::FRAC_PI_2 * (n as f64 + 0.5) / fade as f64;
        for side in 0..2 {
            let want = f64::from(a[joint + n][side]) * angle.cos() + f64::from(b[n][side]) * angle.sin();
            let got = f64::from(heard[joint + n][side]);
            assert!((got - want).abs() < 1e-5, "{n}: {got} instead of {want}");
        }
    }
    let told: Vec<&AudioEvent> =
        seen.iter().filter(|e| matches!(e, AudioEvent::Heard { .. } | AudioEvent::Finished { .. })).collect();
    assert_eq!(
        told,
        [
            &AudioEvent::Heard { token: 1 },
            &AudioEvent::Finished { token: 1 },
            &AudioEvent::Heard { token: 2 },
            &AudioEvent::Finished { token: 2 }
        ]
    );
}

#[test]
fn inside_an_album_nothing_is_mixed() {
    let source = sweep(220_500);
    let (a, b) = source.split_at(120_000);
    let joined = Item { joins_previous: true, ..single(2, b, 44_100) };
    let (heard, _) = crossfaded(single(1, a, 44_100), joined, 2_000);
    assert_same(&heard, &as_float(&source));
}

#[test]
fn the_last_item_is_heard_to_its_end_and_at_its_level() {
    let source = sweep(120_000);
    let (engine, events, capture) = studio(44_100);
    engine.set_crossfade(1_500);
    engine.load(single(1, &source, 44_100), 0, true);
    events_until(&events, |e| *e == AudioEvent::Drained);
    assert_same(&capture.sound(), &as_float(&source));
}

#[test]
fn a_crossfade_joins_different_rates_and_wrong_durations() {
    let (a, b) = (sweep(220_500), noise(240_000));
    // The catalog is wrong by most of a second in both directions.
    for wrong in [-900_i64, 900] {
        let first = single(1, &a, 44_100);
        let first =
            Item { duration_ms: first.duration_ms.map(|ms| ms.saturating_add_signed(wrong)), ..first };
        let (heard, _) = crossfaded(first, single(2, &b, 48_000), 1_000);
        // 240 000 frames at 48 kHz are 220 500 at 44.1.
        assert!(heard.len().abs_diff(2 * 220_500 - 44_100) <= 2, "{wrong}: {} frames", heard.len());
        let level = |range: std::ops::Range<usize>| {
            let n = range.len() as f32;
            (heard[range].iter().map(|f| f[0] * f[0]).sum::<f32>() / n).sqrt()
        };
        // Equal power: no hole in the middle of the mix.
        let (before, after) = (level(100_000..150_000), level(250_000..300_000));
        let middle = level(194_000..202_000);
        let want = f32::midpoint(before * before, after * after).sqrt();
        assert!((middle / want - 1.0).abs() < 0.1, "{wrong}: {middle} where {want} belongs");
    }
}

#[test]
fn a_successor_that_is_replaced_in_a_crossfade_leaves_no_trace() {
    let (a, b) = (sweep(132_300), noise(100_000));
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(2.0));
    engine.set_crossfade(1_000);
    engine.load(single(1, &a, 44_100), 0, true);
    engine.follow(single(2, &vec![[20_000, 20_000]; 100_000], 44_100));
    // The mix is in the ring, and its beginning is not heard yet.
    assert!(capture.wait_for_sound(60_000, LIMIT));
    engine.follow(single(3, &b, 44_100));
    let seen = events_until(&events, |e| *e == AudioEvent::Drained);
    assert!(!seen.contains(&AudioEvent::Heard { token: 2 }));
    let heard = capture.sound();
    let want = as_float(&b);
    assert_same(&heard[heard.len() - 50_000..], &want[50_000..]);
    // The level of the one that was taken back would be seen as a constant.
    let mean = heard[88_200..].iter().map(|f| f64::from(f[0])).sum::<f64>() / (heard.len() - 88_200) as f64;
    assert!(mean.abs() < 0.01, "{mean}");
}

#[test]
fn another_speed_changes_the_length_and_not_the_pitch_and_positions_follow() {
    let tone: Vec<[i16; 2]> = (0..220_500)
        .map(|n| [((f64::from(n) * 440.0 * std::f64::consts::TAU / 44_100.0).sin() * 12_000.0) as i16; 2])
        .collect();
    for speed in [0.5, 1.25, 2.0] {
        let (engine, events, capture) = studio(44_100);
        engine.set_speed(speed);
        engine.load(item(1, "flac", flac(44_100, &tone)), 1_000, true);
        events_until(&events, |e| *e == AudioEvent::Drained);
        let heard = capture.sound();
        let want = 176_400.0 / speed;
        assert!((heard.len() as f64 - want).abs() <= 1.0, "{speed}: {} frames", heard.len());
        let middle = &heard[4_410..heard.len() - 4_410];
        let waves = middle.windows(2).filter(|w| w[0][0] < 0.0 && w[1][0] >= 0.0).count();
        let hz = waves as f64 * 44_100.0 / middle.len() as f64;
        assert!((hz - 440.0).abs() < 2.0, "{speed}: {hz} Hz");
    }
    // While it plays: from 1× to 2× in the middle, and back; the position is that of the item.
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(4.0));
    engine.load(item(1, "flac", flac(44_100, &tone)), 0, true);
    assert!(capture.wait_for_sound(44_100, LIMIT));
    engine.set_speed(2.0);
    assert!(capture.wait_for_sound(88_200, LIMIT));
    let at = engine.snapshot().position_ms;
    // One second as it was made, then some more than one second of two each.
    assert!((2_700..=4_900).contains(&at), "{at} ms");
    engine.set_speed(1.0);
    events_until(&events, |e| *e == AudioEvent::Drained);
}

#[test]
fn joints_at_another_speed_lose_nothing() {
    let source = sweep(176_400);
    let (a, b) = source.split_at(80_000);
    let (engine, events, capture) = studio(44_100);
    engine.set_speed(1.5);
    engine.load(item(1, "flac", flac(44_100, a)), 0, false);
    engine.follow(item(2, "flac", flac(44_100, b)));
    engine.play();
    events_until(&events, |e| *e == AudioEvent::Drained);
    assert_eq!(capture.sound_len(), 117_600);
    assert_eq!(capture.sound_ranges().len(), 1);
}

#[test]
fn the_equaliser_is_heard_at_once_and_leaves_no_trace_when_it_is_off() {
    let tone: Vec<[i16; 2]> = (0..441_000)
        .map(|n| [((f64::from(n) * 63.0 * std::f64::consts::TAU / 44_100.0).sin() * 3_000.0) as i16; 2])
        .collect();
    let (engine, events, capture) = studio_at(44_100, Pace::Realtime(4.0));
    engine.load(item(1, "wav", stereo_wav(44_100, &tone)), 0, true);
    assert!(capture.wait_for_sound(60_000, LIMIT));
    let cut = Equalizer::new([0.0, -12.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    engine.set_equalizer(&cut);
    let changed = capture.sound_len();
    assert!(capture.wait_for_sound(changed + 90_000, LIMIT));
    engine.set_equalizer(&Equalizer::default());
    let back = capture.sound_len();
    events_until(&events, |e| *e == AudioEvent::Drained);
    let heard = capture.sound();
    let peak = |range: std::ops::Range<usize>| heard[range].iter().map(|f| f[0].abs()).fold(0.0, f32::max);
    let (full, low) = (peak(0..50_000), peak(changed + 60_000..changed + 80_000));
    let db = 20.0 * (low / full).log10();
    assert!((db + 12.0).abs() < 0.3, "{db} dB");
    let step = heard.windows(2).map(|w| (w[1][0] - w[0][0]).abs()).fold(0.0, f32::max);
    assert!(step < 0.002, "a step of {step}");
    let want = as_float(&tone);
    assert_same(&heard[back + 40_000..], &want[back + 40_000..]);
}

#[test]
fn bit_perfect_means_no_processing_and_the_rate_of_each_file() {
    let (a, b, c) = (sweep(60_000), noise(70_000), sweep(30_000));
    let capture = CaptureHandle::new(48_000, Pace::Unbounded).with_rates(&[44_100, 96_000]);
    let (engine, events) = Engine::start(Output::Capture(capture.clone()));
    engine.set_exact(true);
    engine.set_volume(0.3);
    engine.set_speed(1.5);
    engine.set_crossfade(1_000);
    engine.set_equalizer(&"rock".parse().unwrap());
    let wavs = [(1, &a, 44_100), (2, &b, 96_000), (3, &c, 96_000)];
    let mut items = wavs.into_iter().map(|(token, frames, rate)| single(token, frames, rate));
    engine.load(items.next().unwrap(), 0, true);
    for item in items {
        events_until(&events, |e| matches!(e, AudioEvent::WantNext { .. }));
        engine.follow(item);
    }
    events_until(&events, |e| *e == AudioEvent::Drained);
    let want: Vec<[f32; 2]> = [&a, &b, &c].into_iter().flat_map(|part| as_float(part)).collect();
    assert_same(&capture.sound(), &want);
    let rates: Vec<u32> = capture.rates().iter().map(|(_, rate)| *rate).collect();
    assert_eq!(rates, [48_000, 44_100, 96_000]);
    assert_eq!(engine.snapshot().output.sample_rate, 96_000);
    assert_eq!(engine.snapshot().underruns, 0);
    // Off again: the output's own rate, and the listener's volume.
    engine.set_exact(false);
    engine.set_speed(1.0);
    engine.set_crossfade(0);
    engine.set_equalizer(&Equalizer::default());
    let before = capture.sound_len();
    engine.load(single(4, &a, 44_100), 0, true);
    events_until(&events, |e| *e == AudioEvent::Drained);
    assert_eq!(engine.snapshot().output.sample_rate, 48_000);
    let heard = capture.sound()[before..].to_vec();
    assert!(heard.iter().all(|f| f[0].abs() < 0.03), "the volume counts again");
}

#[test]
fn bit_perfect_plays_on_where_the_device_lacks_the_rate() {
    let a = sweep(44_100);
    let (engine, events, capture) = studio(48_000);
    engine.set_exact(true);
    engine.load(single(1, &a, 44_100), 0, true);
    events_until(&events, |e| *e == AudioEvent::Drained);
    assert_eq!(capture.sound_len(), 48_000);
    assert_eq!(engine.snapshot().output.sample_rate, 48_000);
}

#[test]
fn sound_goes_on_at_another_output_from_where_the_listener_is() {
    let source = sweep(220_500);
    let (engine, events, first) = studio_at(44_100, Pace::Realtime(1.0));
    engine.load(item(1, "wav", stereo_wav(44_100, &source)), 0, true);
    assert!(first.wait_for_sound(22_050, LIMIT));
    let second = CaptureHandle::new(48_000, Pace::Unbounded);
    engine.set_output(Output::Capture(second.clone()));
    let seen = events_until(&events, |e| *e == AudioEvent::Drained);
    assert!(
        seen.iter().any(|e| matches!(e, AudioEvent::OutputChanged { info } if info.sample_rate == 48_000))
    );
    // What the first one had not played the second one does, but for the moment of the change.
    let rest = 220_500 - first.sound_len();
    let want = rest * 48_000 / 44_100;
    assert!(second.sound_len().abs_diff(want) < 2_400, "{} frames for {want}", second.sound_len());
}
