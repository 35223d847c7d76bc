//! Lyrics beside the music: LRC or plain text in any encoding, down to what clients are sent.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    segue::server::fuzz::lyrics(bytes);
});
