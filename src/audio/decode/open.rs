//! Finds out what a file is: by its first bytes, by what its container says, and for AAC by its first packets.

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};
use std::sync::LazyLock;

use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_MP3, CODEC_ID_OPUS};
use symphonia::core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, CODEC_ID_NULL_AUDIO,
};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::common::Limit;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use super::{Decoder, Failure};
use crate::audio::format::{Format, codec_name, foreign_codec, has_bit_depth};
use crate::audio::media::Shared;
use crate::audio::remix::Remix;
use crate::audio::trim::{self, Window};
use crate::audio::{Cause, aac, foreign, mp4};

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

/// A demuxer for what a source holds.
pub(super) fn reader(source: Box<dyn MediaSource>, suffix: &str) -> Result<Box<dyn FormatReader>, Error> {
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    let mut hint = Hint::new();
    hint.with_extension(suffix);
    // Pictures are the catalog's business: the decoder need not keep them.
    let metadata = MetadataOptions::default()
        .limit_visual_bytes(Limit::Maximum(0))
        .limit_tag_bytes(Limit::Maximum(64 * 1024));
    PROBE.probe(&hint, stream, FormatOptions::default(), metadata)
}

impl Decoder {
    /// Probes the content and prepares to decode from the start.
    pub(in crate::audio) fn open(media: &Shared, suffix: &str) -> Result<Self, Failure> {
        let kind = Kind::sniff(media)?;
        let linear = kind == Kind::Stream || !media.seekable();
        match Self::open_as(media, suffix, linear, kind) {
            Err(e) if linear && media.seekable() && e.cause == Cause::Unplayable => {
                Self::open_as(media, suffix, false, kind)
            }
            opened => opened,
        }
    }

    /// The same for who goes to places in the file and wants to know where it ends, which may cost a look at its end.
    pub(in crate::audio) fn open_to_seek(media: &Shared, suffix: &str) -> Result<Self, Failure> {
        let kind = Kind::sniff(media)?;
        Self::open_as(media, suffix, !media.seekable(), kind)
    }

    pub(super) fn open_as(media: &Shared, suffix: &str, linear: bool, kind: Kind) -> Result<Self, Failure> {
        media.clear_failure();
        let hints = if kind == Kind::Mp4 && media.seekable() {
            mp4::hints(&mut media.tap(false))
        } else {
            mp4::Hints::default()
        };
        let mut tap = media.tap(linear);
        if media.seekable() {
            let _ = tap.seek(SeekFrom::Start(0));
        }
        let mut reader = reader(Box::new(tap), suffix).map_err(|e| Failure::from(&e, media))?;
        let track = reader
            .default_track(TrackType::Audio)
            .ok_or_else(|| Failure::unplayable("there is no sound in this file"))?
            .clone();
        let params = audio_params(&track)?;
        let ahead = if params.codec == CODEC_ID_AAC {
            look_at_aac(params, track.id, reader.as_mut())?
        } else {
            VecDeque::new()
        };
        let decoder = make_decoder(params, media)?;
        let rate = params.sample_rate.filter(|rate| (1000..=768_000).contains(rate)).unwrap_or(44_100);
        let window = match kind {
            Kind::Mp4 => trim::mp4(&hints, rate, track.num_frames),
            _ if params.codec == CODEC_ID_OPUS => {
                Window { skip: u64::from(track.delay.unwrap_or(0)), end: None }
            }
            // Also where a demuxer is put into the middle and knows of no end.
            _ if params.codec == CODEC_ID_MP3 && track.padding.is_some() => {
                Window { skip: 0, end: track.num_frames }
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
            delay: u64::from(track.delay.unwrap_or(0)),
            knows_padding: params.codec != CODEC_ID_MP3 || track.padding.is_some(),
            format: Format { codec, sample_rate: rate, bit_depth, channels: layout.count() as u16 },
            stated: track.num_frames,
            window,
            next: Some(0),
            keep_from: window.skip,
            linear,
            remix: Remix::new(&layout),
            samples: Vec::new(),
            bad_packets: 0,
            decoded_any: false,
            reader,
            ahead,
        })
    }
}

/// Tells plain AAC from what its decoder would make less of. Gives the packets that it took for that.
fn look_at_aac(
    params: &AudioCodecParameters,
    track: u32,
    reader: &mut dyn FormatReader,
) -> Result<VecDeque<Packet>, Failure> {
    if let Some(name) = params.extra_data.as_deref().and_then(aac::beyond_lc) {
        return Err(Failure::unsupported(name));
    }
    let mut ahead = VecDeque::new();
    if params.sample_rate.is_none_or(aac::may_be_core) {
        // Whatever ends this early ends playing, too: the next read says how.
        while ahead.len() < aac::LOOK
            && let Ok(Some(packet)) = reader.next_packet()
        {
            if packet.track_id == track {
                ahead.push_back(packet);
            }
        }
        if aac::is_core(ahead.iter().map(|packet| &*packet.data)) {
            return Err(Failure::unsupported("HE-AAC"));
        }
    }
    Ok(ahead)
}

/// What the first bytes say about how to open a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// MP4: hints about trimming are read first.
    Mp4,
    /// A kind that opens from its head alone and may as well know that it can seek.
    Indexed,
    /// A kind whose demuxer would visit the end of a seekable file before the first packet.
    Stream,
}

impl Kind {
    pub(super) fn sniff(media: &Shared) -> Result<Self, Failure> {
        if !media.seekable() {
            return Ok(Kind::Stream);
        }
        media.clear_failure();
        let mut tap = media.tap(false);
        let mut head = [0; 16];
        let mut filled = 0;
        let read = tap.seek(SeekFrom::Start(0)).and_then(|_| {
            while filled < head.len() {
                match tap.read(&mut head[filled..])? {
                    0 => break,
                    n => filled += n,
                }
            }
            Ok(())
        });
        if let Err(e) = read {
            return Err(Failure::from(&Error::IoError(e), media));
        }
        if let Some(name) = foreign::name(&head[..filled]) {
            return Err(Failure::unsupported(name));
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

pub(super) fn audio_params(track: &Track) -> Result<&AudioCodecParameters, Failure> {
    track
        .codec_params
        .as_ref()
        .and_then(|params| params.audio())
        .filter(|params| params.codec != CODEC_ID_NULL_AUDIO)
        .ok_or_else(|| Failure::unsupported("the kind of sound in this file"))
}

/// A decoder for what a track holds.
pub(super) fn make_decoder(
    params: &AudioCodecParameters,
    media: &Shared,
) -> Result<Box<dyn AudioDecoder>, Failure> {
    let mut params = params.clone();
    if params.codec == CODEC_ID_OPUS {
        // The adapter would cut the pre-skip off the first packet after every (re)start; the window does it.
        params.extra_data = None;
    }
    if CODECS.get_audio_decoder(params.codec).is_none() {
        return Err(Failure::unsupported(foreign_codec(params.codec)));
    }
    CODECS.make_audio_decoder(&params, &AudioDecoderOptions::default()).map_err(|e| Failure::from(&e, media))
}
