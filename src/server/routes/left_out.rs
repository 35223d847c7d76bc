//! Endpoints of the API that a music server has no use for: they exist, ask who comes, and say that this is not here.

use axum::http::StatusCode;

use super::{Call, Refusal, Said};
use crate::subsonic::ErrorCode;

/// Podcasts, video and chat.
pub const LEFT_OUT: &[&str] = &[
    "addChatMessage",
    "createPodcastChannel",
    "deletePodcastChannel",
    "deletePodcastEpisode",
    "downloadPodcastEpisode",
    "getCaptions",
    "getChatMessages",
    "getNewestPodcasts",
    "getPodcastEpisode",
    "getPodcasts",
    "getVideoInfo",
    "getVideos",
    "hls",
    "hls.m3u8",
    "refreshPodcasts",
];

/// The refusal. HTTP has a status for this, and clients that look at it alone are served too.
pub(super) fn refuse(call: &Call<'_>, endpoint: &str) -> Said {
    tracing::debug!(endpoint, account = %call.account.name, "asked for what is not here");
    let message = "this server has music only: no podcasts, no video, no chat";
    Err(Refusal::new(ErrorCode::Generic, message).with_status(StatusCode::NOT_IMPLEMENTED))
}
