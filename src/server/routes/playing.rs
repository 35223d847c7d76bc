//! What is heard now, and how players tell of it.

use std::time::Instant;

use jiff::Timestamp;

use super::super::hearing::{Heard, PlayState};
use super::super::privacy::program_name;
use super::{Answer, Call, Refusal, Said};
use crate::music::{EndReason, Play, StartReason, Track};
use crate::subsonic::playing::{Hearing, NowPlaying, NowPlayingEntry};
use crate::subsonic::types::Child;
use crate::subsonic::{Body, ErrorCode};

impl Call<'_> {
    /// What the program that asks calls itself, without what tells of its device.
    pub(super) fn program(&self) -> String {
        program_name(self.params.get("c").unwrap_or_default())
    }

    /// What a player says of a track.
    pub(super) fn heard(&self, track: &Track, state: PlayState, position_ms: u64, rate: f64) -> Heard {
        Heard {
            account: self.account.id.clone(),
            username: self.account.name.clone(),
            player: self.program(),
            track: track.id.clone(),
            duration_ms: track.duration_ms,
            began_at: Timestamp::now()
                .as_millisecond()
                .saturating_sub(i64::try_from(position_ms).unwrap_or(0)),
            state,
            position_ms,
            rate,
            told: Instant::now(),
        }
    }
}

/// Who hears what. Everybody sees everybody, as the API has it.
pub(super) async fn now(call: &Call<'_>) -> Said {
    let heard = call.shared.hearing.now().await?;
    let ids: Vec<_> = heard.iter().map(|heard| heard.track.clone()).collect();
    let mut entry = Vec::with_capacity(heard.len());
    let tracks = call.listener.tracks(&ids).await?;
    for (number, heard) in (1..).zip(&heard) {
        let Some(track) = tracks.iter().find(|track| track.id == heard.track) else { continue };
        let by = Hearing {
            username: heard.username.clone(),
            minutes_ago: heard.told.elapsed().as_secs() / 60,
            player_id: number,
            player_name: Some(heard.player.clone()),
            state: Some(heard.state.word().to_owned()),
            position_ms: Some(heard.position_now()),
            playback_rate: Some(heard.rate),
        };
        entry.push(NowPlayingEntry { song: Child::from(track), by });
    }
    Ok(Body::NowPlaying(NowPlaying { entry }).into())
}

/// A player tells what it does (extension `playbackReport`). A track that is stopped, or left for another one, after
/// enough of it was heard is a play, unless the player counts for itself.
pub(super) async fn report(call: &Call<'_>) -> Said {
    let params = call.params;
    let id = params.required("mediaId")?.into();
    if params.required("mediaType")? != "song" {
        return Err(Refusal::new(ErrorCode::Generic, "this server has songs only"));
    }
    let position: u64 = params.required("positionMs").and(params.parsed("positionMs"))?.unwrap_or(0);
    let state = PlayState::from_word(params.required("state")?).ok_or_else(|| {
        Refusal::new(ErrorCode::Generic, "the parameter “state” is starting, playing, paused or stopped")
    })?;
    let rate: f64 = params.parsed("playbackRate")?.unwrap_or(1.0);
    if !(0.1..=10.0).contains(&rate) {
        return Err(Refusal::new(ErrorCode::Generic, "the parameter “playbackRate” is 0.1 to 10"));
    }
    let counts = !params.flag("ignoreScrobble")?.unwrap_or(false);
    let track = call.listener.track(&id).await?.ok_or_else(|| Refusal::not_found("song"))?;
    let before = call.shared.hearing.tell(call.heard(&track, state, position, rate)).await?;
    if counts
        && state == PlayState::Stopped
        && Play::counts(position, track.duration_ms)
        && let Some(before) = before
    {
        let play = Play {
            track: track.id,
            started_at: before.began_at,
            heard_ms: position,
            start: StartReason::Unknown,
            end: EndReason::Stopped,
        };
        call.listener.record_play(&play).await?;
    }
    Ok(Answer::Done)
}
