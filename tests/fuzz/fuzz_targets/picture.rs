//! A picture of the library, made smaller.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    segue::server::fuzz::picture(bytes);
});
