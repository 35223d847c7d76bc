//! A cue sheet beside the music, in any encoding.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    segue::server::fuzz::cue(bytes);
});
