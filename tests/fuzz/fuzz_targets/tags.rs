//! Tags and properties of a music file. The panics of the library that reads them are caught on purpose, so what is found here
//! is what hangs, takes too much memory, or is believed though it makes no sense.

#![no_main]

use std::cell::RefCell;
use std::io::{Seek as _, Write as _};

use libfuzzer_sys::fuzz_target;

thread_local! {
    /// One file for all inputs, in memory where there is such a folder.
    static FILE: RefCell<tempfile::NamedTempFile> = RefCell::new(
        tempfile::NamedTempFile::new_in("/dev/shm").or_else(|_| tempfile::NamedTempFile::new()).unwrap()
    );
}

fuzz_target!(|bytes: &[u8]| {
    FILE.with_borrow_mut(|file| {
        file.as_file().set_len(0).unwrap();
        file.rewind().unwrap();
        file.write_all(bytes).unwrap();
        segue::server::fuzz::tags(file.path());
    });
});
