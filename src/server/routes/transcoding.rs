//! The extension `transcoding`: clients say what they play, and are told what to ask for.

use serde_json::{Map, Value};

use super::super::media::Wanted;
use super::super::transcode::{Recipe, Source, decide};
use super::{Call, Refusal, Said, transfer};
use crate::subsonic::transcoding::ClientInfo;
use crate::subsonic::{Body, ErrorCode};

/// Whether the client can play a song as it is, and what it would get otherwise.
pub(super) async fn decision(call: &Call<'_>) -> Said {
    call.may(|roles| roles.stream)?;
    only_songs(call)?;
    let song = transfer::song(call, "mediaId").await?;
    let Some(text) = call.json else {
        return Err(Refusal::new(
            ErrorCode::MissingParameter,
            "the JSON body with what the client plays is missing",
        ));
    };
    let client: ClientInfo = serde_json::from_slice::<Map<String, Value>>(text)
        .and_then(|object| serde_json::from_value(Value::Object(object)))
        .map_err(|error| {
            Refusal::new(ErrorCode::Generic, format!("the JSON body cannot be read: {error}"))
        })?;
    let client = within(client, call.limits().await?.max_bit_rate);
    let decision = decide(&client, &song.track, call.shared.transcoder.works());
    Ok(Body::TranscodeDecision(decision).into())
}

/// The form that a decision named.
pub(super) async fn stream(call: &Call<'_>) -> Said {
    call.may(|roles| roles.stream)?;
    only_songs(call)?;
    let seconds: f64 = call.params.parsed("offset")?.unwrap_or(0.0);
    let ticket = call.params.required("transcodeParams")?;
    let recipe = Recipe::of_ticket(ticket, (seconds.max(0.0) * 1000.0) as u64).ok_or_else(|| {
        Refusal::new(ErrorCode::Generic, "the parameter “transcodeParams” is not from getTranscodeDecision")
    })?;
    let limits = call.limits().await?;
    let song = transfer::song(call, "mediaId").await?;
    // Without loss it has what the source has.
    let lossless = recipe.kbps == 0 && Source::from(&song.track).is_within(limits.max_bit_rate);
    if !lossless && !recipe.is_within(limits.max_bit_rate) {
        return Err(Refusal::new(ErrorCode::NotAuthorized, limits.too_much()));
    }
    let wanted = Wanted { flow: call.enter(&limits).await?, ..call.wanted() };
    transfer::converted(call, &song, recipe, &wanted).await?.ok_or_else(|| {
        Refusal::new(ErrorCode::Generic, "this server cannot convert: ffmpeg is not installed")
    })
}

/// A client that takes no more than its account is sent, kbit/s; 0 for any.
fn within(client: ClientInfo, most: u32) -> ClientInfo {
    if most == 0 {
        return client;
    }
    let most = u64::from(most) * 1000;
    let limited = |rate: Option<u64>| Some(rate.filter(|rate| *rate > 0).map_or(most, |rate| rate.min(most)));
    ClientInfo {
        max_audio_bitrate: limited(client.max_audio_bitrate),
        max_transcoding_audio_bitrate: limited(client.max_transcoding_audio_bitrate),
        ..client
    }
}

fn only_songs(call: &Call<'_>) -> Result<(), Refusal> {
    match call.params.required("mediaType")? {
        "song" => Ok(()),
        _ => Err(Refusal::not_found("medium of that type")),
    }
}
