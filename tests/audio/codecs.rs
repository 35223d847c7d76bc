//! Lossy files: joints without a missing or an added frame, and seeks that land.

use segue::audio::AudioEvent;

use crate::kit::{as_float, events_until, item, lag, play_through, studio, sweep};

#[path = "../../examples/demo_album/opus.rs"]
pub(crate) mod opus;

fn opus_file(source: &[[f32; 2]], cut: std::ops::Range<usize>) -> Vec<u8> {
    opus::encode(source, cut, 128_000, &[], 1).unwrap()
}

/// Asserts that `heard` is `source` with no frame more or less anywhere, as far as a lossy codec lets one see.
pub(crate) fn assert_in_place(heard: &[[f32; 2]], source: &[[f32; 2]], places: &[usize]) {
    assert_eq!(heard.len(), source.len(), "frames in all");
    for &at in places {
        let (shift, likeness) = lag(heard, source, at, 1200, 1500);
        assert_eq!(shift, 0, "at frame {at} (likeness {likeness:.4})");
        assert!(likeness > 0.97, "at frame {at}: likeness {likeness:.4}");
    }
}

#[test]
fn opus_halves_join_without_a_missing_or_an_added_frame() {
    let source = as_float(&sweep(150_000));
    for cut in [60_000, 72_345] {
        let (a, b) = (opus_file(&source, 0..cut), opus_file(&source, cut..source.len()));
        let heard = play_through(48_000, item(1, "opus", a), Some(item(2, "opus", b)));
        assert_in_place(&heard, &source, &[3_000, cut - 1_800, cut - 600, cut, 140_000]);
    }
}

#[test]
fn a_seek_in_opus_lands_on_the_frame() {
    let source = as_float(&sweep(480_000));
    let file = opus_file(&source, 0..source.len());
    for at_ms in [0, 20, 3_333, 9_000] {
        let (engine, events, capture) = studio(48_000);
        engine.load(item(1, "opus", file.clone()), 1_000, false);
        engine.seek(at_ms);
        engine.play();
        events_until(&events, |e| *e == AudioEvent::Drained);
        let from = at_ms as usize * 48;
        assert_in_place(&capture.sound(), &source[from..], &[3_000, 10_000]);
    }
}

#[test]
fn a_tiny_opus_file_is_exact() {
    let source = as_float(&sweep(20_000));
    for length in [1, 959, 960, 961, 5_000] {
        let heard = play_through(48_000, item(1, "opus", opus_file(&source, 0..length)), None);
        assert_eq!(heard.len(), length);
    }
}
