//! Any bytes through the whole decode path: probe, demux, decode, trim, down-mix, with and without a seek. It must end,
//! and neither panic nor take memory that the input does not account for.

#![no_main]

use std::io::Cursor;
use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;

/// A small file can stand for hours of silence; this much of it is enough.
const FRAMES: usize = 10 * 192_000;

fuzz_target!(|bytes: &[u8]| {
    for at_ms in [0, 700] {
        let mut left = FRAMES;
        // An error is as good an answer as sound.
        let _ = segue::audio::decode(Box::new(Cursor::new(bytes.to_vec())), "", at_ms, |_, frames| {
            left = left.saturating_sub(frames.len());
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
});
