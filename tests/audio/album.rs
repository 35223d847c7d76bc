//! The committed demo album: it decodes to one continuous recording, at a sensible level, without clicks.

use std::path::PathBuf;

use ebur128::{EbuR128, Mode};
use segue::audio::AudioEvent;

use crate::kit::{LIMIT, events_until, item, play_through, studio};

fn files() -> Vec<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "opus"))
        .collect();
    files.sort();
    files
}

/// Pre-skip and last granule position, read from the container itself.
fn container(bytes: &[u8]) -> (u64, u64) {
    let head = bytes.windows(8).position(|w| w == b"OpusHead").unwrap();
    let pre_skip = u64::from(u16::from_le_bytes([bytes[head + 10], bytes[head + 11]]));
    let last = bytes.windows(4).rposition(|w| w == b"OggS").unwrap();
    (pre_skip, u64::from_le_bytes(bytes[last + 6..last + 14].try_into().unwrap()))
}

#[test]
fn the_album_is_small_complete_and_at_a_good_level() {
    let files = files();
    assert!(files.len() >= 4);
    let mut total = 0;
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        total += bytes.len();
        assert!(bytes.len() < 1_000_000, "{}", path.display());
        let (pre_skip, granule) = container(&bytes);
        let heard = play_through(48_000, item(1, "opus", bytes), None);
        assert_eq!(heard.len() as u64, granule - pre_skip, "{}", path.display());
        assert!((40..=90).contains(&(heard.len() / 48_000)), "{}", path.display());

        let mut meter = EbuR128::new(2, 48_000, Mode::I | Mode::TRUE_PEAK).unwrap();
        meter.add_frames_f32(heard.as_flattened()).unwrap();
        let loudness = meter.loudness_global().unwrap();
        assert!((-25.0..=-13.0).contains(&loudness), "{}: {loudness:.1} LUFS", path.display());
        for side in 0..2 {
            let peak = 20.0 * meter.true_peak(side).unwrap().log10();
            assert!(peak < -1.0, "{}: {peak:.1} dBTP", path.display());
            let mean = heard.iter().map(|f| f64::from(f[side as usize])).sum::<f64>() / heard.len() as f64;
            assert!(mean.abs() < 1e-3, "{}: a constant part of {mean}", path.display());
        }
    }
    assert!(total < 4_000_000, "{total} bytes");
}

#[test]
fn its_tracks_flow_into_each_other() {
    let files = files();
    for pair in files.windows(2) {
        let [a, b] = [&pair[0], &pair[1]].map(|path| std::fs::read(path).unwrap());
        let (pre_skip, granule) = container(&a);
        let joint = (granule - pre_skip) as usize;
        let (engine, events, capture) = studio(48_000);
        let from_ms = joint as u64 / 48 - 2_000;
        engine.load(item(1, "opus", a), from_ms, false);
        engine.follow(item(2, "opus", b));
        engine.play();
        let joint = joint - from_ms as usize * 48;
        assert!(capture.wait_for_sound(joint + 96_000, LIMIT));
        engine.stop();
        let _ = events_until(&events, |e| matches!(e, AudioEvent::Heard { token: 2 }));
        let heard = capture.sound();
        // A click is a step far above those of the music around it; a note may begin right at the joint.
        let step = |range: std::ops::Range<usize>| {
            heard[range].windows(2).map(|w| (w[1][0] - w[0][0]).abs()).fold(0.0_f32, f32::max)
        };
        let around = step(joint - 4_800..joint - 480).max(step(joint + 480..joint + 4_800));
        let at_joint = step(joint - 16..joint + 16);
        assert!(at_joint <= (1.5 * around).max(0.01), "a step of {at_joint} where {around} is usual");
        let level = |range: std::ops::Range<usize>| {
            let n = range.len() as f32;
            (heard[range].iter().map(|f| f[0] * f[0]).sum::<f32>() / n).sqrt()
        };
        assert!(level(joint - 2_400..joint) > 0.002, "sound up to the joint");
        assert!(level(joint..joint + 2_400) > 0.002, "sound from the joint on");
    }
}
