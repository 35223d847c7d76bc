//! Whether a client can play a file, and what to make of it where it cannot: a pure decision, by what the client says
//! about itself (the extension `transcoding`).

use super::recipe::{Codec, Recipe, Source};
use crate::music::Track;
use crate::subsonic::transcoding::{ClientInfo, Limitation, StreamDetails, TranscodeDecision};

/// A file by its parts, in the words of the wire.
fn parts(track: &Track) -> StreamDetails {
    let lossless_rate = 400;
    let (container, codec) = match track.suffix.as_str() {
        // The suffix does not say which; nobody codes AAC so high.
        "m4a" | "mp4" if track.bit_rate.is_some_and(|rate| rate > lossless_rate) => ("mp4", "alac"),
        "m4a" | "mp4" | "m4b" => ("mp4", "aac"),
        "ogg" | "oga" => ("ogg", "vorbis"),
        "opus" => ("ogg", "opus"),
        "wav" | "wave" => ("wav", "pcm"),
        "aif" | "aiff" => ("aiff", "pcm"),
        other => (other, other),
    };
    StreamDetails {
        protocol: "http".to_owned(),
        container: container.to_owned(),
        codec: codec.to_owned(),
        audio_channels: track.channels,
        audio_bitrate: Source::from(track).bit_rate().map(|kbps| u64::from(kbps) * 1000),
        audio_samplerate: track.sample_rate,
        audio_bitdepth: track.bit_depth,
    }
}

/// One name for what clients call by several.
fn plain(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "m4a" | "m4b" | "mov" => "mp4",
        "oga" | "opus-ogg" => "ogg",
        "aif" => "aiff",
        "wave" => "wav",
        "mpeg" => "mp3",
        "adts" => "aac",
        other => other,
    }
    .to_owned()
}

fn any_or_has(names: &[String], wanted: &str) -> bool {
    names.is_empty() || names.iter().any(|name| plain(name) == wanted || name == "*")
}

/// Why a limit does not let the stream through.
fn beyond(limit: &Limitation, stream: &StreamDetails) -> Option<String> {
    let value = match limit.name.as_str() {
        "audioChannels" => stream.audio_channels.map(u64::from),
        "audioBitrate" => stream.audio_bitrate,
        "audioSamplerate" => stream.audio_samplerate.map(u64::from),
        "audioBitdepth" => stream.audio_bitdepth.map(u64::from),
        // Profiles are not known here; what is unknown is not held against a file.
        _ => None,
    }?;
    let values: Vec<u64> = limit.values.iter().filter_map(|value| value.trim().parse().ok()).collect();
    let first = *values.first()?;
    let kept = match limit.comparison.as_str() {
        "Equals" => values.contains(&value),
        "NotEquals" => !values.contains(&value),
        "LessThanEqual" => value <= first,
        "GreaterThanEqual" => value >= first,
        _ => true,
    };
    (!kept).then(|| format!("{} {value} is not allowed for {}", limit.name, stream.codec))
}

fn limits_against(client: &ClientInfo, stream: &StreamDetails) -> Vec<String> {
    let of_codec =
        client.codec_profiles.iter().filter(|profile| plain(&profile.name) == plain(&stream.codec));
    of_codec.flat_map(|profile| &profile.limitations).filter_map(|limit| beyond(limit, stream)).collect()
}

/// Why the client does not want the file as it is; empty when it does.
fn against(client: &ClientInfo, stream: &StreamDetails) -> Vec<String> {
    let mut reasons = Vec::new();
    let fits = client.direct_play_profiles.iter().find(|profile| {
        any_or_has(&profile.containers, &stream.container)
            && any_or_has(&profile.audio_codecs, &stream.codec)
            && any_or_has(&profile.protocols, "http")
    });
    match fits {
        None => reasons.push(format!("the client does not play {} in {}", stream.codec, stream.container)),
        Some(profile) => {
            let most = profile.max_audio_channels.filter(|most| *most > 0);
            if let (Some(most), Some(channels)) = (most, stream.audio_channels)
                && channels > most
            {
                reasons.push(format!("the client plays {most} channels, not {channels}"));
            }
        }
    }
    let most = client.max_audio_bitrate.filter(|most| *most > 0);
    if let (Some(most), Some(rate)) = (most, stream.audio_bitrate)
        && rate > most
    {
        reasons.push(format!("{rate} bit/s are more than the client's {most}"));
    }
    reasons.extend(limits_against(client, stream));
    reasons
}

/// The first form in the client's order that can be made and keeps its limits.
fn form(client: &ClientInfo, source: &StreamDetails) -> Option<(Recipe, StreamDetails)> {
    let most = |limit: Option<u64>| limit.filter(|most| *most > 0);
    let limit = most(client.max_transcoding_audio_bitrate).or(most(client.max_audio_bitrate));
    client.transcoding_profiles.iter().find_map(|profile| {
        if !matches!(profile.protocol.as_str(), "http" | "" | "*") {
            return None;
        }
        let codec = Codec::named(&plain(&profile.audio_codec))?;
        if plain(&profile.container) != codec.container() && !profile.container.is_empty() {
            return None;
        }
        let most_channels = profile.max_audio_channels.filter(|most| *most > 0);
        // Nothing is mixed down for who plays mono only.
        if most_channels.is_some_and(|most| most < source.audio_channels.unwrap_or(2).min(2)) {
            return None;
        }
        let kbps = limit.map_or(0, |bits| u32::try_from(bits / 1000).unwrap_or(u32::MAX));
        let recipe = codec.at_most(kbps, source.audio_bitrate.map(|bits| (bits / 1000) as u32))?;
        let made = StreamDetails {
            protocol: "http".to_owned(),
            container: codec.container().to_owned(),
            codec: codec.word().to_owned(),
            audio_channels: source.audio_channels.map(|channels| channels.min(2)),
            audio_bitrate: (recipe.kbps > 0).then(|| u64::from(recipe.kbps) * 1000),
            audio_samplerate: if codec == Codec::Opus { Some(48_000) } else { source.audio_samplerate },
            audio_bitdepth: source.audio_bitdepth.filter(|_| codec == Codec::Flac),
        };
        limits_against(client, &made).is_empty().then_some((recipe, made))
    })
}

/// What the client is told. `works`: whether anything can be converted here.
pub(crate) fn decide(client: &ClientInfo, track: &Track, works: bool) -> TranscodeDecision {
    let source = parts(track);
    let reasons = against(client, &source);
    let made = form(client, &source).filter(|_| works);
    let error = match (&made, reasons.is_empty()) {
        (None, false) if works => Some("nothing that the client plays can be made of this file"),
        (None, false) => Some("this server cannot convert: ffmpeg is not installed"),
        _ => None,
    };
    TranscodeDecision {
        can_direct_play: reasons.is_empty(),
        can_transcode: made.is_some(),
        transcode_reason: reasons,
        error_reason: error.map(str::to_owned),
        transcode_params: made.as_ref().map(|(recipe, _)| recipe.ticket()),
        source_stream: Some(source),
        transcode_stream: made.map(|(_, made)| made),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subsonic::types::Child;

    fn track(suffix: &str, kbps: u32, channels: u32) -> Track {
        let child = Child {
            id: "t".into(),
            title: "Title".into(),
            suffix: Some(suffix.into()),
            bit_rate: Some(kbps),
            channel_count: Some(channels),
            sampling_rate: Some(44_100),
            bit_depth: Some(16),
            ..Child::default()
        };
        crate::subsonic::convert::track(&child).unwrap()
    }

    fn client(json: &str) -> ClientInfo {
        serde_json::from_str(json).unwrap()
    }

    const PHONE: &str = r#"{"name":"phone","platform":"x","maxAudioBitrate":320000,"maxTranscodingAudioBitrate":128000,
        "directPlayProfiles":[{"containers":["mp3","m4a"],"audioCodecs":["mp3","aac"],"protocols":["http"]}],
        "transcodingProfiles":[{"container":"hls","audioCodec":"aac","protocol":"hls"},
            {"container":"ogg","audioCodec":"opus","protocol":"http"},
            {"container":"mp3","audioCodec":"mp3","protocol":"http"}],
        "codecProfiles":[{"type":"AudioCodec","name":"mp3","limitations":[
            {"name":"audioSamplerate","comparison":"LessThanEqual","values":["48000"],"required":true}]}]}"#;

    #[test]
    fn what_plays_is_left_alone() {
        let decision = decide(&client(PHONE), &track("mp3", 320, 2), true);
        assert!(decision.can_direct_play && decision.transcode_reason.is_empty());
        assert!(decide(&client(PHONE), &track("m4a", 256, 2), false).can_direct_play);
    }

    #[test]
    fn what_does_not_play_becomes_the_first_form_that_does() {
        let decision = decide(&client(PHONE), &track("flac", 900, 6), true);
        assert!(!decision.can_direct_play && decision.can_transcode);
        assert_eq!(decision.transcode_reason.len(), 2, "codec and bit rate: {:?}", decision.transcode_reason);
        let made = decision.transcode_stream.unwrap();
        assert_eq!(
            (made.codec.as_str(), made.audio_bitrate, made.audio_channels),
            ("opus", Some(128_000), Some(2))
        );
        assert_eq!(decision.transcode_params.as_deref(), Some("opus-128"));
        let without = decide(&client(PHONE), &track("flac", 900, 2), false);
        assert!(!without.can_transcode && without.error_reason.unwrap().contains("ffmpeg"));
    }

    #[test]
    fn limits_of_a_codec_hold_for_files_and_for_conversions() {
        let mut fast = track("mp3", 320, 2);
        fast.sample_rate = Some(96_000);
        let no_opus = PHONE.replace(r#"{"container":"ogg","audioCodec":"opus","protocol":"http"},"#, "");
        let decision = decide(&client(&no_opus), &fast, true);
        assert!(!decision.can_direct_play && !decision.can_transcode, "{decision:?}");
        assert!(decision.error_reason.is_some());
    }

    #[test]
    fn tickets_come_back_as_they_went() {
        for ticket in ["opus-128", "mp3-320", "aac-96", "flac-0"] {
            assert_eq!(Recipe::of_ticket(ticket, 0).unwrap().ticket(), ticket);
        }
        for bad in ["", "opus", "opus-", "opus-9999", "mp3-0", "wav-1", "flac-1", "mp3-128;x", "../x-1"] {
            assert!(Recipe::of_ticket(bad, 0).is_none(), "{bad}");
        }
    }
}
