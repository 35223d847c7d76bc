//! A file's samples as they are in it, from any frame on, on the caller's own thread: for who cuts pieces out of a file.

use super::decode::Decoder;
use super::format::has_bit_depth;
use super::media::{Media, Shared};
use super::{DecodeError, Format};

/// A file whose samples are read.
pub struct Samples(Decoder);

/// Samples that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The frame of the file's music that they begin with. Frames may be missing between two stretches, where a file is damaged.
    pub first: u64,
    /// Frames per second.
    pub rate: u32,
    /// Samples in a frame.
    pub channels: usize,
}

impl std::fmt::Debug for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Samples").field(self.format()).finish()
    }
}

impl Samples {
    /// Opens a file, ready to read from its beginning. `suffix` is its extension without a dot, a hint for names only. Blocks
    /// while the media does.
    pub fn open(media: Box<dyn Media>, suffix: &str) -> Result<Self, DecodeError> {
        Ok(Self(Decoder::open_to_seek(&Shared::new(media), suffix)?))
    }

    /// What the file turned out to be.
    pub fn format(&self) -> &Format {
        self.0.format()
    }

    /// Whether the samples do not depend on where reading began: nothing was lost when they were coded.
    pub fn lossless(&self) -> bool {
        has_bit_depth(&self.format().codec)
    }

    /// How many frames the file says that it has. Exact for lossless kinds; others may be some milliseconds longer or shorter.
    pub fn frames(&self) -> Option<u64> {
        self.0.frames()
    }

    /// Goes to a frame. What is read next begins there, or as near to it as the file allows.
    pub fn seek(&mut self, frame: u64) -> Result<(), DecodeError> {
        self.0.seek_frame(frame)?;
        Ok(())
    }

    /// Appends the next samples, full scale being ±1, channel beside channel; `None` at the end.
    pub fn read(&mut self, out: &mut Vec<f32>) -> Result<Option<Stretch>, DecodeError> {
        let piece = self.0.decode_plain(out)?;
        Ok(piece.map(|piece| Stretch { first: piece.first, rate: piece.rate, channels: piece.channels }))
    }
}
