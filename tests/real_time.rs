//! The device's callback under contention: it allocates nothing, frees nothing, and never waits.
//!
//! The callback is the one that a device drives ([`segue::audio::Callback`]), here driven by the test's own thread as
//! fast as it can, while other threads seek, skip, change volume, equaliser, speed and crossfade, take snapshots and
//! read the spectrum without a pause. Two counters of that one thread are read before and after:
//! - allocations, by a counting global allocator (`allocation_counter`), which sees every `malloc` and `free`;
//! - voluntary context switches, by the kernel (`/proc/thread-self/status`): a thread that waits for a lock, a
//!   channel, a file or a sleep gives up its core and is counted. (A lock that is free when it is asked for is not
//!   seen by this; a third test reads the sources of the callback for the words of such things.)

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use segue::audio::{Callback, Engine, Equalizer, Item, Output, PullHandle};

const RATE: u32 = 48_000;
/// Buffers of the size that devices ask for.
const BUFFERS: usize = 1500;

/// Ten seconds of 16-bit stereo noise.
fn wav() -> Vec<u8> {
    let frames = RATE * 10;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + frames * 4).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 2, 0]);
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 4).to_le_bytes());
    file.extend([4, 0, 16, 0]);
    file.extend(b"data");
    file.extend((frames * 4).to_le_bytes());
    let mut seed = 1_u32;
    file.extend((0..frames * 2).flat_map(|_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((seed >> 18) as u16).to_le_bytes()
    }));
    file
}

fn item(token: u64, bytes: &Arc<[u8]>) -> Item {
    Item {
        token,
        media: Box::new(Cursor::new(Arc::clone(bytes))),
        suffix: "wav".to_owned(),
        duration_ms: Some(10_000),
        gain_db: -3.0,
        joins_previous: false,
    }
}

fn opened(handle: &PullHandle) -> Callback {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(callback) = handle.take() {
            return callback;
        }
        assert!(Instant::now() < end, "the output was not opened");
        std::thread::yield_now();
    }
}

/// How often this thread has given up its core by itself.
fn waits() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

/// Everything that a listener can do while something plays, over and over.
fn trouble(engine: &Engine, bytes: &Arc<[u8]>, over: &AtomicBool) {
    let mut spectrum = engine.spectrum();
    spectrum.set_watched(true);
    let mut token = 1;
    while !over.load(Ordering::Relaxed) {
        for step in 0..40_u8 {
            engine.set_volume(f32::from(step) / 40.0);
            let _ = engine.snapshot();
            match step {
                3 => engine.seek(u64::from(step) * 200),
                7 => engine.set_equalizer(&"rock".parse().unwrap()),
                11 => engine.pause(),
                13 => engine.play(),
                17 => engine.set_speed(1.5),
                19 => engine.set_speed(1.0),
                23 => engine.set_crossfade(2_000),
                29 => engine.set_equalizer(&Equalizer::default()),
                31 => engine.follow(item(token, bytes)),
                37 => {
                    token += 1;
                    engine.load(item(token, bytes), 0, true);
                }
                _ => std::thread::sleep(Duration::from_micros(300)),
            }
        }
        token += 1;
    }
}

fn drive<T: cpal::SizedSample + cpal::FromSample<f32>>(channels: u16) {
    let bytes: Arc<[u8]> = wav().into();
    let handle = PullHandle::new(RATE, channels);
    let (engine, _events) = Engine::start(Output::Pull(handle.clone()));
    let mut callback = opened(&handle);
    engine.load(item(1, &bytes), 0, true);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| trouble(&engine, &bytes, &over));
        }
        let mut buffer = vec![T::EQUILIBRIUM; 4096 * usize::from(channels)];
        let (mut loud, mut waited, mut calls) = (0_usize, 0, 0_usize);
        let mut counted = allocation_counter::AllocationInfo::default();
        // Where the machine is busy the decoder comes late.
        let end = Instant::now() + Duration::from_mins(1);
        while calls < BUFFERS || (loud == 0 && Instant::now() < end) {
            let before = waits();
            let now = allocation_counter::measure(|| {
                for _ in 0..10 {
                    callback.fill(&mut buffer);
                }
            });
            let after = waits();
            counted.count_total += now.count_total;
            counted.count_current += now.count_current;
            waited += after - before;
            calls += 10;
            loud += usize::from(buffer.iter().any(|s| *s != T::EQUILIBRIUM));
        }
        over.store(true, Ordering::Relaxed);
        println!(
            "{calls} callbacks of 4096 frames, {loud} in ten of them with sound: {} allocations, {waited} waits",
            counted.count_total
        );
        assert!(loud > 0, "nothing was heard, so nothing was shown");
        assert_eq!((counted.count_total, counted.count_current), (0, 0), "allocated or freed");
        assert_eq!(waited, 0, "the callback waited");
    });
    engine.shutdown();
}

#[test]
fn the_callback_neither_allocates_nor_waits() {
    // The counters work: they see an allocation, and they see a wait.
    let seen = allocation_counter::measure(|| drop(std::hint::black_box(Box::new([0_u8; 64]))));
    assert_eq!(seen.count_total, 1);
    let before = waits();
    std::thread::sleep(Duration::from_millis(1));
    assert!(waits() > before);

    drive::<f32>(2);
    drive::<i16>(6);
}

#[test]
fn its_sources_know_no_lock_and_no_wait() {
    let callback = ["ring.rs", "equalizer.rs", "spectrum.rs", "output/callback.rs"];
    for file in callback {
        let path = format!("{}/src/audio/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let words =
            ["Mutex", "RwLock", "Condvar", "LazyLock", "OnceLock", ".lock(", ".recv(", "sleep(", "park("];
        for word in words {
            assert!(!code.contains(word), "{file} speaks of {word}");
        }
    }
}
