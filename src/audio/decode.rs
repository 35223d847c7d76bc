//! One file to stereo frames at its own rate: probe, decode, trim, down-mix. Everything here may block in a
//! read and is called from an item's own thread only.
//!
//! Positions are counted, not believed: after the start (or after a seek, whose first packet's timestamp says
//! where it landed) every decoded frame advances the position by one, so that joints are exact. `open` finds out what a
//! file is, `seek` goes to a place in it.

use std::collections::VecDeque;
use std::ops::Range;

use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecId, AudioDecoder};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;

use super::format::Format;
use super::media::Shared;
use super::remix::Remix;
use super::trim::Window;
use super::{Cause, Frame};

mod open;
mod seek;

/// Undecodable packets in a row before the file is given up: about a second of most codecs.
const MAX_BAD_PACKETS: u32 = 64;

/// Why no (more) frames come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Failure {
    pub(super) reason: String,
    pub(super) cause: Cause,
}

impl Failure {
    pub(super) fn unplayable(reason: impl Into<String>) -> Self {
        Failure { reason: reason.into(), cause: Cause::Unplayable }
    }

    /// Of a kind that cannot be decoded here, called by its name.
    fn unsupported(name: &str) -> Self {
        Failure { reason: format!("{name} cannot be decoded here"), cause: Cause::Unsupported }
    }

    /// Blames the bytes when a read failed, else what symphonia found in them.
    fn from(error: &Error, media: &Shared) -> Self {
        if let Some(reason) = media.read_failure() {
            return Failure { reason, cause: Cause::Unreadable };
        }
        match error {
            Error::Unsupported(what) if what.contains("no suitable format reader") => {
                return Failure::unplayable("this is not a sound file of a known kind");
            }
            Error::Unsupported("aac: aac too complex") => return Failure::unsupported("this kind of AAC"),
            // Parts of a file that are not there are called so by some demuxers.
            Error::Unsupported(what) if !what.contains("missing") && !what.contains("invalid") => {
                return Failure::unsupported(&format!("what this file uses ({what})"));
            }
            _ => {}
        }
        Failure::unplayable(match error {
            Error::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                "the file is cut off before its sound begins".to_owned()
            }
            Error::DecodeError(what) | Error::LimitError(what) | Error::Unsupported(what) => {
                format!("the file is damaged ({what})")
            }
            other => format!("the file is damaged ({other})"),
        })
    }
}

/// What came of one packet.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// Frames per second.
    pub(super) rate: u32,
    pub(super) channels: usize,
    /// The frame of the music that it begins with.
    pub(super) first: u64,
    /// The samples that are music.
    kept: Range<usize>,
}

/// A file that is being decoded.
pub(super) struct Decoder {
    media: Shared,
    suffix: String,
    reader: Box<dyn FormatReader>,
    /// Packets that were looked at already, to be decoded before what the reader gives.
    ahead: VecDeque<Packet>,
    packets: Box<dyn AudioDecoder>,
    track: u32,
    codec: AudioCodecId,
    time_base: Option<TimeBase>,
    /// The timestamp at which decoded frame 0 lies.
    first_ts: i64,
    /// Frames of an encoder's delay that the demuxer cuts off before decoded frame 0.
    delay: u64,
    /// Whether the file itself says where its padding is (else end trims are guesses and ignored).
    knows_padding: bool,
    format: Format,
    /// Frames by the container, those before and behind the music too.
    stated: Option<u64>,
    window: Window,
    /// Decoded frame that the next packet begins with; `None` until the first packet after a seek says so.
    next: Option<u64>,
    /// Frames before this one are decoded for the codec's sake and dropped.
    keep_from: u64,
    /// Opened for linear reading only; a seek opens the file anew.
    linear: bool,
    remix: Remix,
    samples: Vec<f32>,
    bad_packets: u32,
    decoded_any: bool,
}

impl Decoder {
    /// What the file is.
    pub(super) fn format(&self) -> &Format {
        &self.format
    }

    /// How many frames of music the file says that it has; not all kinds say it exactly.
    pub(super) fn frames(&self) -> Option<u64> {
        self.window.end.or(self.stated).map(|end| end.saturating_sub(self.window.skip))
    }

    /// Decodes one packet and appends its frames to `out`; `Ok(None)` at the end, else the rate of the frames.
    pub(super) fn decode(&mut self, out: &mut Vec<Frame>) -> Result<Option<u32>, Failure> {
        let Some(piece) = self.advance()? else { return Ok(None) };
        self.remix.apply(self.samples.get(piece.kept).unwrap_or_default(), out);
        Ok(Some(piece.rate))
    }

    /// Decodes one packet and appends its samples to `out` as they are, channel beside channel.
    pub(super) fn decode_plain(&mut self, out: &mut Vec<f32>) -> Result<Option<Piece>, Failure> {
        let Some(piece) = self.advance()? else { return Ok(None) };
        out.extend_from_slice(self.samples.get(piece.kept.clone()).unwrap_or_default());
        Ok(Some(piece))
    }

    /// Decodes one packet and says which of its samples are music.
    fn advance(&mut self) -> Result<Option<Piece>, Failure> {
        loop {
            if self.window.end.zip(self.next).is_some_and(|(end, next)| next >= end) {
                return Ok(None);
            }
            let read = match self.ahead.pop_front() {
                Some(packet) => Ok(Some(packet)),
                None => self.reader.next_packet(),
            };
            let mut packet = match read {
                Ok(Some(packet)) => packet,
                Ok(None) => return self.ended(None),
                Err(Error::ResetRequired) => {
                    self.change_stream()?;
                    continue;
                }
                Err(e) => return self.ended(Some(&e)),
            };
            if packet.track_id != self.track {
                continue;
            }
            if !self.knows_padding {
                packet.trim_end = 0_u64.into();
            }
            let start = match self.next {
                Some(next) => next,
                None => self.frame_at(&packet),
            };
            let (length, rate) = match self.packets.decode(&packet) {
                Ok(buffer) => {
                    let layout = buffer.spec().channels();
                    if !self.remix.fits(layout) {
                        self.remix = Remix::new(layout);
                    }
                    let rate = buffer.spec().rate();
                    self.samples.clear();
                    buffer.copy_to_vec_interleaved(&mut self.samples);
                    self.media.gauge().fruitful();
                    self.bad_packets = 0;
                    (buffer.frames() as u64, rate)
                }
                // Damage may look like something that a decoder does not know.
                Err(Error::DecodeError(_) | Error::IoError(_) | Error::Unsupported(_))
                    if self.bad_packets < MAX_BAD_PACKETS =>
                {
                    self.bad_packets += 1;
                    self.samples.clear();
                    if let Some(next) = &mut self.next {
                        *next += packet.dur.get();
                    }
                    continue;
                }
                Err(Error::ResetRequired) => {
                    self.packets.reset();
                    continue;
                }
                Err(e) => return Err(Failure::from(&e, &self.media)),
            };
            // The first packet after a seek may only prime the decoder (Vorbis): the next one says where we are.
            if length > 0 || self.next.is_some() {
                self.next = Some(start + length);
            }
            let from = self.keep_from.saturating_sub(start).min(length);
            let to = self.window.end.map_or(length, |end| end.saturating_sub(start).min(length));
            if from >= to {
                continue;
            }
            let channels = self.samples.len() / length.max(1) as usize;
            self.decoded_any = true;
            return Ok(Some(Piece {
                rate,
                channels,
                first: (start + from).saturating_sub(self.window.skip),
                kept: from as usize * channels..to as usize * channels,
            }));
        }
    }

    /// The end of the packets, true or not.
    fn ended(&self, error: Option<&Error>) -> Result<Option<Piece>, Failure> {
        if let Some(reason) = self.media.read_failure() {
            return Err(Failure { reason, cause: Cause::Unreadable });
        }
        match error {
            // A file that is cut off in the middle plays as far as it goes.
            None | Some(Error::IoError(_)) if self.decoded_any => Ok(None),
            None => Err(Failure::unplayable("there is no sound in this file")),
            Some(e) => Err(Failure::from(e, &self.media)),
        }
    }

    /// A chained Ogg file begins its next stream.
    fn change_stream(&mut self) -> Result<(), Failure> {
        let track = self
            .reader
            .default_track(TrackType::Audio)
            .ok_or_else(|| Failure::unplayable("there is no sound in this file"))?
            .clone();
        let params = open::audio_params(&track)?;
        self.packets = open::make_decoder(params, &self.media)?;
        self.track = track.id;
        self.codec = params.codec;
        self.time_base = track.time_base;
        let start = self.next.unwrap_or(0);
        let pre_skip = if params.codec == CODEC_ID_OPUS { u64::from(track.delay.unwrap_or(0)) } else { 0 };
        self.keep_from = self.keep_from.max(start + pre_skip);
        Ok(())
    }
}
