//! Stars, ratings and plays of the account that asks.

use std::collections::HashMap;

use jiff::Timestamp;

use super::super::hearing::PlayState;
use super::{Answer, Call, Refusal, Said};
use crate::catalog::CatalogError;
use crate::music::{EndReason, Item, Play, StartReason, TrackId};
use crate::subsonic::ErrorCode;

pub(super) async fn star(call: &Call<'_>) -> Said {
    set_stars(call, Some(Timestamp::now().as_millisecond())).await
}

pub(super) async fn unstar(call: &Call<'_>) -> Said {
    set_stars(call, None).await
}

async fn set_stars(call: &Call<'_>, at: Option<i64>) -> Said {
    let mut items = Vec::new();
    for id in call.params.all("id").filter(|id| !id.is_empty()) {
        items.push(call.item(id).await?);
    }
    items.extend(call.params.all("albumId").filter(|id| !id.is_empty()).map(|id| Item::Album(id.into())));
    items.extend(call.params.all("artistId").filter(|id| !id.is_empty()).map(|id| Item::Artist(id.into())));
    if items.is_empty() {
        let message = "one of the parameters “id”, “albumId” and “artistId” is needed";
        return Err(Refusal::new(ErrorCode::MissingParameter, message));
    }
    for item in &items {
        call.listener.set_star(item, at).await?;
    }
    Ok(Answer::Done)
}

pub(super) async fn set_rating(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?;
    call.params.required("rating")?;
    let rating = call.params.parsed::<u8>("rating")?.unwrap_or_default();
    let item = call.item(id).await?;
    call.listener.set_rating(&item, rating).await?;
    Ok(Answer::Done)
}

/// Keeps plays with the times that the client names. Songs that are gone are passed over, so that one of them
/// does not hold up a listener's whole backlog; only when none is known the answer is error 70.
pub(super) async fn scrobble(call: &Call<'_>) -> Said {
    call.params.required("id")?;
    let submission = call.params.flag("submission")?.unwrap_or(true);
    let times: Vec<i64> = call.params.all_parsed("time")?;
    let now = Timestamp::now().as_millisecond();
    let ids: Vec<TrackId> = call.params.all("id").map(TrackId::from).collect();
    let tracks = call.listener.tracks(&ids).await?;
    if tracks.is_empty() {
        return Err(Refusal::not_found("song"));
    }
    if !submission {
        if let Some(track) = tracks.first() {
            call.shared.hearing.tell(call.heard(track, PlayState::Playing, 0, 1.0)).await?;
        }
        return Ok(Answer::Done);
    }
    let lengths: HashMap<TrackId, u64> =
        tracks.into_iter().map(|track| (track.id, track.duration_ms)).collect();
    for (place, id) in ids.iter().enumerate() {
        let Some(length) = lengths.get(id) else { continue };
        let play = Play {
            track: id.clone(),
            started_at: times.get(place).copied().filter(|time| *time > 0).unwrap_or(now),
            heard_ms: (*length).max(1),
            start: StartReason::Unknown,
            end: EndReason::Unknown,
        };
        match call.listener.record_play(&play).await {
            Ok(_) | Err(CatalogError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Answer::Done)
}
