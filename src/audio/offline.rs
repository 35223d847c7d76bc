//! A file's sound on the caller's own thread, without an engine and as fast as it can be decoded: the same path that
//! playing takes up to the gain.

use std::ops::ControlFlow;

use super::decode::{Decoder, Failure};
use super::media::{Media, Shared};
use super::{Cause, Format, Frame};

/// Why a file gave no (more) sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct DecodeError {
    /// One sentence for the listener.
    pub reason: String,
    /// Who is to blame.
    pub cause: Cause,
}

impl From<Failure> for DecodeError {
    fn from(failure: Failure) -> Self {
        Self { reason: failure.reason, cause: failure.cause }
    }
}

/// Decodes a file from `at_ms` on and hands its frames over in pieces, each with its rate in frames per second,
/// until the end or until `take` breaks off. `suffix` is the file's extension without a dot, a hint for names only.
/// Blocks while the media does; gives what the file turned out to be.
pub fn decode(
    media: Box<dyn Media>,
    suffix: &str,
    at_ms: u64,
    mut take: impl FnMut(u32, &[Frame]) -> ControlFlow<()>,
) -> Result<Format, DecodeError> {
    let mut decoder = Decoder::open(&Shared::new(media), suffix)?;
    if at_ms > 0 {
        decoder.seek(at_ms)?;
    }
    let mut frames = Vec::new();
    while let Some(rate) = decoder.decode(&mut frames)? {
        if take(rate, &frames).is_break() {
            break;
        }
        frames.clear();
    }
    Ok(decoder.format().clone())
}
