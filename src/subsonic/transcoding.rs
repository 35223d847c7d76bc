//! Wire types of the extension `transcoding`: what a client can play, and what the server makes of that.
//!
//! Bit rates are in bits per second here, unlike everywhere else in the API.

use super::lenient::wire;

wire! {
    /// What a client can play: the JSON body of `getTranscodeDecision`.
    pub struct ClientInfo {
        /// Name of the client.
        req name: String,
        /// What it runs on.
        req platform: String,
        /// The most that it wants of a file as it is, bit/s.
        opt max_audio_bitrate: u64,
        /// The most that it wants of a conversion, bit/s.
        opt max_transcoding_audio_bitrate: u64,
        /// What it plays as it is.
        list direct_play_profiles: DirectPlayProfile,
        /// What it would take instead, the best first.
        list transcoding_profiles: TranscodingProfile,
        /// Limits of codecs.
        list codec_profiles: CodecProfile,
    }

    /// Files that a client plays as they are. An empty list means any.
    pub struct DirectPlayProfile {
        /// Containers.
        list containers: String,
        /// Codecs.
        list audio_codecs: String,
        /// Protocols.
        list protocols: String,
        /// Most channels.
        opt max_audio_channels: u32,
    }

    /// A form that a client would take.
    pub struct TranscodingProfile {
        /// Container.
        req container: String,
        /// Codec.
        req audio_codec: String,
        /// Protocol.
        req protocol: String,
        /// Most channels.
        opt max_audio_channels: u32,
    }

    /// Limits of one codec.
    pub struct CodecProfile {
        /// Always `AudioCodec`.
        req r#type: String,
        /// The codec.
        req name: String,
        /// The limits.
        list limitations: Limitation,
    }

    /// One limit.
    pub struct Limitation {
        /// Of what: `audioBitrate`, `audioChannels`, `audioSamplerate`, `audioBitdepth`, `audioProfile`.
        req name: String,
        /// `Equals`, `NotEquals`, `LessThanEqual`, `GreaterThanEqual`.
        req comparison: String,
        /// With which values.
        list values: String,
        /// Whether a file beyond it cannot be played at all.
        req required: bool,
    }

    /// The body of `getTranscodeDecision`.
    pub struct TranscodeDecision {
        /// Whether the file will do as it is.
        req can_direct_play: bool,
        /// Whether the server can make something that will do.
        req can_transcode: bool,
        /// Why the file will not do.
        list transcode_reason: String,
        /// Why nothing will do.
        opt error_reason: String,
        /// What `getTranscodeStream` wants to be given.
        opt transcode_params: String,
        /// The file.
        object source_stream: StreamDetails,
        /// What would be made of it.
        object transcode_stream: StreamDetails,
    }

    /// A stream by its parts.
    pub struct StreamDetails {
        /// `http`.
        req protocol: String,
        /// Container.
        req container: String,
        /// Codec.
        req codec: String,
        /// Channels.
        opt audio_channels: u32,
        /// bit/s.
        opt audio_bitrate: u64,
        /// Hz.
        opt audio_samplerate: u32,
        /// Bits a sample.
        opt audio_bitdepth: u32,
    }
}
