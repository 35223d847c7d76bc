//! One file to stereo frames at its own rate: probe, decode, trim, down-mix. Everything here may block in a
//! read and is called from an item's own thread only.
//!
//! Positions are counted, not believed: after the start (or after a seek, whose first packet's timestamp says
//! where it landed) every decoded frame advances the position by one, so that joints are exact.

use std::sync::LazyLock;

use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions, CODEC_ID_NULL_AUDIO,
};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::common::Limit;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::{TimeBase, Timestamp};

use super::format::{Format, codec_name, has_bit_depth};
use super::media::Shared;
use super::remix::Remix;
use super::trim::{self, Window};
use super::{Cause, Frame, mp4};

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

    /// Blames the bytes when a read failed, else what symphonia found in them.
    fn from(error: &Error, media: &Shared) -> Self {
        if let Some(reason) = media.read_failure() {
            return Failure { reason, cause: Cause::Unreadable };
        }
        Failure::unplayable(match error {
            Error::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                "the file is cut off before its sound begins".to_owned()
            }
            Error::Unsupported("aac: aac too complex") => {
                "this kind of AAC (HE-AAC or a rarer one) cannot be decoded; ask for a transcoded stream"
                    .to_owned()
            }
            Error::Unsupported(what) if what.contains("no suitable format reader") => {
                "this is not a sound file of a known kind".to_owned()
            }
            Error::Unsupported(what) => format!("the file uses something that cannot be decoded ({what})"),
            Error::DecodeError(what) | Error::LimitError(what) => format!("the file is damaged ({what})"),
            other => format!("the file is damaged ({other})"),
        })
    }
}

static PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let mut probe = Probe::default();
    symphonia::default::register_enabled_formats(&mut probe);
    probe
});

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    codecs
});

/// A file that is being decoded.
pub(super) struct Decoder {
    media: Shared,
    suffix: String,
    reader: Box<dyn FormatReader>,
    packets: Box<dyn AudioDecoder>,
    track: u32,
    codec: AudioCodecId,
    time_base: Option<TimeBase>,
    /// The timestamp at which decoded frame 0 lies.
    first_ts: i64,
    /// Whether the file itself says where its padding is (else end trims are guesses and ignored).
    knows_padding: bool,
    format: Format,
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
    /// Probes the content and prepares to decode from the start.
    pub(super) fn open(media: &Shared, suffix: &str) -> Result<Self, Failure> {
        let kind = Kind::sniff(media)?;
        let linear = kind == Kind::Stream || !media.seekable();
        match Self::open_as(media, suffix, linear, kind) {
            Err(e) if linear && media.seekable() && e.cause == Cause::Unplayable => {
                Self::open_as(media, suffix, false, kind)
            }
            opened => opened,
        }
    }

    fn open_as(media: &Shared, suffix: &str, linear: bool, kind: Kind) -> Result<Self, Failure> {
        media.clear_failure();
        let hints = if kind == Kind::Mp4 && media.seekable() {
            mp4::hints(&mut media.tap(false))
        } else {
            mp4::Hints::default()
        };
        let mut tap = media.tap(linear);
        if media.seekable() {
            let _ = std::io::Seek::seek(&mut tap, std::io::SeekFrom::Start(0));
        }
        let stream = MediaSourceStream::new(Box::new(tap), MediaSourceStreamOptions::default());
        let mut hint = Hint::new();
        hint.with_extension(suffix);
        // Pictures are the catalog's business: the decoder need not keep them.
        let metadata = MetadataOptions::default()
            .limit_visual_bytes(Limit::Maximum(0))
            .limit_tag_bytes(Limit::Maximum(64 * 1024));
        let reader = PROBE
            .probe(&hint, stream, FormatOptions::default(), metadata)
            .map_err(|e| Failure::from(&e, media))?;
        let track = reader
            .default_track(TrackType::Audio)
            .ok_or_else(|| Failure::unplayable("there is no sound in this file"))?
            .clone();
        let params = audio_params(&track)?;
        let decoder = make_decoder(params).map_err(|e| Failure::from(&e, media))?;
        let rate = params.sample_rate.filter(|rate| (1000..=768_000).contains(rate)).unwrap_or(44_100);
        let window = match kind {
            Kind::Mp4 => trim::mp4(&hints, rate, track.num_frames),
            _ if params.codec == CODEC_ID_OPUS => {
                Window { skip: u64::from(track.delay.unwrap_or(0)), end: None }
            }
            _ => Window::default(),
        };
        let codec = codec_name(params.codec, suffix);
        let bit_depth = params.bits_per_sample.filter(|_| has_bit_depth(&codec));
        let layout = params.channels.clone().unwrap_or_default();
        Ok(Decoder {
            media: media.clone(),
            suffix: suffix.to_owned(),
            packets: decoder,
            track: track.id,
            codec: params.codec,
            time_base: track.time_base,
            first_ts: track.start_ts.get().max(0),
            knows_padding: params.codec != CODEC_ID_MP3 || track.padding.is_some(),
            format: Format { codec, sample_rate: rate, bit_depth, channels: layout.count() as u16 },
            window,
            next: Some(0),
            keep_from: window.skip,
            linear,
            remix: Remix::new(&layout),
            samples: Vec::new(),
            bad_packets: 0,
            decoded_any: false,
            reader,
        })
    }

    /// What the file is.
    pub(super) fn format(&self) -> &Format {
        &self.format
    }

    /// Decodes one packet and appends its frames to `out`; `Ok(None)` at the end, else the rate of the frames.
    pub(super) fn decode(&mut self, out: &mut Vec<Frame>) -> Result<Option<u32>, Failure> {
        loop {
            if self.window.end.zip(self.next).is_some_and(|(end, next)| next >= end) {
                return Ok(None);
            }
            let mut packet = match self.reader.next_packet() {
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
                Err(Error::DecodeError(_) | Error::IoError(_)) if self.bad_packets < MAX_BAD_PACKETS => {
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
            let kept = self.samples.get(from as usize * channels..to as usize * channels).unwrap_or_default();
            self.remix.apply(kept, out);
            self.decoded_any = true;
            return Ok(Some(rate));
        }
    }

    /// Goes to `at_ms` as exactly as the format allows; returns the position of the next frame in milliseconds.
    ///
    /// A file that cannot be sought is read on up to the place if it lies ahead, else nothing changes and the
    /// answer tells where decoding stands.
    pub(super) fn seek(&mut self, at_ms: u64) -> Result<u64, Failure> {
        let rate = u64::from(self.format.sample_rate);
        let target = self.window.skip + at_ms.saturating_mul(rate) / 1000;
        let target = self.window.end.map_or(target, |end| target.min(end));
        if self.linear && self.media.seekable() {
            *self =
                Self::open_as(&self.media.clone(), &self.suffix.clone(), false, Kind::sniff(&self.media)?)?;
        }
        self.bad_packets = 0;
        if self.media.seekable() && self.jump(target) {
            self.keep_from = target;
            self.next = None;
            return Ok(at_ms);
        }
        if let Some(reason) = self.media.read_failure() {
            return Err(Failure { reason, cause: Cause::Unreadable });
        }
        if self.media.seekable() {
            // The demuxer could not find the place and stands nobody knows where: begin anew and decode up to it.
            *self =
                Self::open_as(&self.media.clone(), &self.suffix.clone(), true, Kind::sniff(&self.media)?)?;
        }
        self.keep_from = target.max(self.next.unwrap_or(0)).max(self.window.skip);
        Ok((self.keep_from - self.window.skip) * 1000 / rate.max(1))
    }

    /// Moves the demuxer to a packet at or before `target`, with the run-up that the codec needs to be exact.
    fn jump(&mut self, target: u64) -> bool {
        let run_up = match self.codec {
            CODEC_ID_OPUS => 3840,
            CODEC_ID_MP3 | CODEC_ID_AAC => 2304,
            CODEC_ID_VORBIS => 8192,
            _ => 0,
        };
        let from = target.saturating_sub(run_up);
        let Some(ts) = self.ts_at(from) else { return false };
        // Without a table an exact seek in an MP3 reads every frame header up to the place, which is right only
        // when the bytes are at hand.
        let mode = if self.codec == CODEC_ID_MP3 && !self.media.whole() {
            SeekMode::Coarse
        } else {
            SeekMode::Accurate
        };
        let sought = self.reader.seek(mode, SeekTo::Timestamp { ts, track_id: self.track });
        self.packets.reset();
        sought.is_ok()
    }

    fn ts_at(&self, frame: u64) -> Option<Timestamp> {
        let frame = i128::from(frame);
        let ticks = match self.time_base {
            Some(base) => {
                let per_tick = i128::from(base.numer.get()) * i128::from(self.format.sample_rate);
                frame * i128::from(base.denom.get()) / per_tick.max(1)
            }
            None => frame,
        };
        Some(Timestamp::new(i64::try_from(ticks).ok()?.checked_add(self.first_ts)?))
    }

    /// The decoded frame that a packet begins with, by its timestamp.
    fn frame_at(&self, packet: &Packet) -> u64 {
        let ticks =
            i128::from(packet.pts.get()) - i128::from(self.first_ts) + i128::from(packet.trim_start.get());
        let frame = match self.time_base {
            Some(base) => {
                let scaled = ticks * i128::from(base.numer.get()) * i128::from(self.format.sample_rate);
                scaled / i128::from(base.denom.get())
            }
            None => ticks,
        };
        u64::try_from(frame).unwrap_or(0)
    }

    /// The end of the packets, true or not.
    fn ended(&self, error: Option<&Error>) -> Result<Option<u32>, Failure> {
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
        let params = audio_params(&track)?;
        self.packets = make_decoder(params).map_err(|e| Failure::from(&e, &self.media))?;
        self.track = track.id;
        self.codec = params.codec;
        self.time_base = track.time_base;
        let start = self.next.unwrap_or(0);
        let pre_skip = if params.codec == CODEC_ID_OPUS { u64::from(track.delay.unwrap_or(0)) } else { 0 };
        self.keep_from = self.keep_from.max(start + pre_skip);
        Ok(())
    }
}

/// What the first bytes say about how to open a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// MP4: hints about trimming are read first.
    Mp4,
    /// A kind that opens from its head alone and may as well know that it can seek.
    Indexed,
    /// A kind whose demuxer would visit the end of a seekable file before the first packet.
    Stream,
}

impl Kind {
    fn sniff(media: &Shared) -> Result<Self, Failure> {
        if !media.seekable() {
            return Ok(Kind::Stream);
        }
        media.clear_failure();
        let mut tap = media.tap(false);
        let mut head = [0; 12];
        let mut filled = 0;
        let read = std::io::Seek::seek(&mut tap, std::io::SeekFrom::Start(0)).and_then(|_| {
            while filled < head.len() {
                match std::io::Read::read(&mut tap, &mut head[filled..])? {
                    0 => break,
                    n => filled += n,
                }
            }
            Ok(())
        });
        if let Err(e) = read {
            return Err(Failure::from(&Error::IoError(e), media));
        }
        Ok(match &head {
            _ if filled == 0 => match media.read_failure() {
                Some(reason) => return Err(Failure { reason, cause: Cause::Unreadable }),
                None => return Err(Failure::unplayable("the file is empty")),
            },
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => Kind::Mp4,
            [b'f', b'L', b'a', b'C', ..] | [b'R', b'I', b'F', b'F', ..] | [b'F', b'O', b'R', b'M', ..] => {
                Kind::Indexed
            }
            _ => Kind::Stream,
        })
    }
}

fn audio_params(track: &Track) -> Result<&AudioCodecParameters, Failure> {
    track
        .codec_params
        .as_ref()
        .and_then(|params| params.audio())
        .filter(|params| params.codec != CODEC_ID_NULL_AUDIO)
        .ok_or_else(|| Failure::unplayable("the sound in this file is of an unknown kind"))
}

fn make_decoder(params: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>, Error> {
    let mut params = params.clone();
    if params.codec == CODEC_ID_OPUS {
        // The adapter would cut the pre-skip off the first packet after every (re)start; the window does it.
        params.extra_data = None;
    }
    CODECS.make_audio_decoder(&params, &AudioDecoderOptions::default())
}
