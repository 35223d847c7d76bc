//! Sound tested as sound: what the engine hands to the device, compared with the source frame by frame.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests and their helpers may fail so"
)]
#![allow(clippy::float_cmp, reason = "bit-exactness is the point")]

mod album;
mod codecs;
mod ffmpeg;
mod foreign;
mod handmade;
mod hostile;
mod kit;
mod playback;
mod processing;
