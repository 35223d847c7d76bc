//! Floor 1: bytes to sound. Decode, gapless joints, loudness, output. Knows no network and no queue.
//!
//! ```text
//!  commands ─▶ control thread ◀─ chunks ── one decode thread per item ◀─ Media (bytes, may block)
//!                │  resamples, stretches, joins or crossfades  decode → trim → down-mix → gain
//!                ▼
//!           ring of stereo frames (1.5 s) ─▶ renderer ─▶ device callback | paced silence | capture
//!                ▲                             equaliser, fades, volume; no lock, no allocation ─▶ tap for spectra
//!                └────── frames heard (atomic counter) ◀──┘
//! ```
//!
//! Everything that the listener is told (which track, which position, what finished) is derived from the
//! counter of frames that the renderer handed to the output, never from what was merely decoded.
//! Start with [`Engine::start`].

mod aac;
mod control;
mod decode;
mod engine;
mod equalizer;
mod feed;
mod flac;
mod foreign;
mod format;
mod media;
mod mp3;
mod mp4;
mod offline;
mod output;
mod remix;
mod resample;
mod ring;
mod samples;
mod spectrum;
mod stretch;
mod trim;
mod worker;

pub use engine::Engine;
pub use equalizer::{BAND_HZ, BANDS, Equalizer, MAX_DB, PRESETS};
pub use format::Format;
pub use media::{Interrupt, Media};
pub use offline::{DecodeError, decode};
pub use output::{Callback, CaptureHandle, Output, OutputInfo, Pace, PullHandle};
pub use samples::{Samples, Stretch};
pub use spectrum::{Levels, SILENCE_DB, Spectrum};
pub use worker::DECODE_THREAD;

/// A stereo frame: left, right; full scale is ±1.
pub type Frame = [f32; 2];

/// One thing to play.
pub struct Item {
    /// The caller's name for this item, repeated in every event about it.
    pub token: u64,
    /// The bytes of the file.
    pub media: Box<dyn Media>,
    /// The file's extension without a dot (`flac`), a hint for names only: the content decides.
    pub suffix: String,
    /// The duration that the catalog knows, in milliseconds; used to ask for the next item in time.
    pub duration_ms: Option<u64>,
    /// Loudness correction in decibels, 0 for none. The caller limits it by the track's peak.
    pub gain_db: f32,
    /// The item follows the one before it on the same album, so that no crossfade may touch the joint.
    pub joins_previous: bool,
}

/// What happened. Sent by the engine's control thread in the order in which it was heard.
#[derive(Debug, Clone, PartialEq)]
pub enum AudioEvent {
    /// The first frame of this item reached the output.
    Heard {
        /// The item.
        token: u64,
    },
    /// Less than 20 s of this item, the one that is heard, are left to decode and nothing follows: offer
    /// [`Engine::follow`]. Told once (and again after a seek).
    WantNext {
        /// The item that needs a successor.
        token: u64,
    },
    /// The last frame of this item was heard.
    Finished {
        /// The item.
        token: u64,
    },
    /// The last item ended and nothing follows; the engine is stopped.
    Drained,
    /// The item cannot be played (any further). What had been decoded before was heard first. The engine
    /// goes on with the successor when the file was to blame, and stops when the bytes could not be had.
    Failed {
        /// The item; not necessarily the one that is heard (a successor may fail while it is prepared).
        token: u64,
        /// One sentence for the listener.
        reason: String,
        /// Who is to blame.
        cause: Cause,
    },
    /// Output paused (`true`) because bytes are missing, or resumed (`false`).
    Buffering {
        /// Whether it waits now.
        on: bool,
    },
    /// Another device, another rate, or silence for a reason.
    OutputChanged {
        /// The new output.
        info: OutputInfo,
    },
    /// What the file turned out to be.
    FormatKnown {
        /// The item.
        token: u64,
        /// Its format.
        format: Format,
    },
}

/// Why an item failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The content is broken or of a kind that cannot be decoded; another attempt ends the same way.
    Unplayable,
    /// It is of a kind that cannot be decoded here, which the reason names; another form of it could be.
    Unsupported,
    /// The bytes could not be read (network, disk); another attempt may succeed.
    Unreadable,
}

/// What the engine does, as the listener would say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Sound comes out, or will in a moment.
    Playing,
    /// An item is loaded and held by the listener.
    Paused,
    /// It would play, but bytes are missing.
    Buffering,
    /// Nothing is loaded.
    #[default]
    Stopped,
}

/// The engine at one moment; cheap to take often.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The item that is heard (or about to be).
    pub token: Option<u64>,
    /// Position in it, in milliseconds, of what reached the output.
    pub position_ms: u64,
    /// What goes on.
    pub state: State,
    /// How often the output ran dry since the start, other than by announced buffering.
    pub underruns: u64,
    /// Where the sound goes.
    pub output: OutputInfo,
    /// What is playing, once known.
    pub format: Option<Format>,
}
