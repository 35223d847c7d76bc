//! What a file turned out to be, named as listeners name it.

use std::fmt;

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known as id;

/// The format of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// The codec's name: `FLAC`, `MP3`, `AAC`, `ALAC`, `Opus`, `Vorbis`, `WAV`, …
    pub codec: String,
    /// Frames per second of the file (Opus: always 48000).
    pub sample_rate: u32,
    /// Bits per sample where the codec has such a thing (lossless codecs).
    pub bit_depth: Option<u32>,
    /// Channels in the file.
    pub channels: u16,
}

impl fmt::Display for Format {
    /// `FLAC 44.1/16`, `Opus 48`, `MP3 44.1 mono`, `FLAC 48/24 5.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let khz = f64::from(self.sample_rate) / 1000.0;
        write!(f, "{} {khz}", self.codec)?;
        if let Some(bits) = self.bit_depth {
            write!(f, "/{bits}")?;
        }
        match self.channels {
            1 => f.write_str(" mono"),
            2 => Ok(()),
            6 => f.write_str(" 5.1"),
            8 => f.write_str(" 7.1"),
            n => write!(f, " {n} channels"),
        }
    }
}

/// The listener's name of a codec; `suffix` tells WAV from AIFF, which hold the same samples.
pub(super) fn codec_name(codec: AudioCodecId, suffix: &str) -> String {
    let name = match codec {
        id::CODEC_ID_FLAC => "FLAC",
        id::CODEC_ID_MP3 => "MP3",
        id::CODEC_ID_MP2 => "MP2",
        id::CODEC_ID_AAC => "AAC",
        id::CODEC_ID_ALAC => "ALAC",
        id::CODEC_ID_OPUS => "Opus",
        id::CODEC_ID_VORBIS => "Vorbis",
        id::CODEC_ID_ADPCM_MS | id::CODEC_ID_ADPCM_IMA_WAV => "ADPCM",
        _ if suffix.eq_ignore_ascii_case("aiff") || suffix.eq_ignore_ascii_case("aif") => "AIFF",
        _ => "WAV",
    };
    name.to_owned()
}

/// The name of a codec that a container may hold and that cannot be decoded here.
pub(super) fn foreign_codec(codec: AudioCodecId) -> &'static str {
    match codec {
        id::CODEC_ID_AC3 => "Dolby Digital (AC-3)",
        id::CODEC_ID_EAC3 => "Dolby Digital Plus (E-AC-3)",
        id::CODEC_ID_AC4 => "Dolby AC-4",
        id::CODEC_ID_TRUEHD => "Dolby TrueHD",
        id::CODEC_ID_DCA => "DTS",
        id::CODEC_ID_SPEEX => "Speex",
        id::CODEC_ID_MP1 => "MPEG audio layer 1",
        id::CODEC_ID_WAVPACK => "WavPack",
        id::CODEC_ID_WMA => "Windows Media Audio",
        id::CODEC_ID_ATRAC1 | id::CODEC_ID_ATRAC3 | id::CODEC_ID_ATRAC3PLUS | id::CODEC_ID_ATRAC9 => "ATRAC",
        _ => "the kind of sound in this file",
    }
}

/// Whether a bit depth says something about the quality of this codec.
pub(super) fn has_bit_depth(codec: &str) -> bool {
    matches!(codec, "FLAC" | "ALAC" | "WAV" | "AIFF")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_format_as_the_bar_shows_it() {
        let format = |codec: &str, sample_rate, bit_depth, channels| {
            Format { codec: codec.to_owned(), sample_rate, bit_depth, channels }.to_string()
        };
        assert_eq!(format("FLAC", 44_100, Some(16), 2), "FLAC 44.1/16");
        assert_eq!(format("Opus", 48_000, None, 2), "Opus 48");
        assert_eq!(format("MP3", 22_050, None, 1), "MP3 22.05 mono");
        assert_eq!(format("FLAC", 96_000, Some(24), 6), "FLAC 96/24 5.1");
    }
}
