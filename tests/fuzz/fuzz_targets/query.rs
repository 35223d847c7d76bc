//! The parameters of a request: what comes after the question mark, or in a form.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    segue::server::fuzz::query(bytes);
});
