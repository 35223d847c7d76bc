//! `Range` and the conditions of HTTP.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    segue::server::fuzz::ranges(bytes);
});
