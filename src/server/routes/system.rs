//! Who the server is, and who is asking.

use super::super::Shared;
use super::super::scan::ScanMode;
use super::{Answer, Call, Said};
use crate::subsonic::Body;
use crate::subsonic::response::{License, TokenInfo};
use crate::subsonic::types::Extension;

/// What this server always has beyond the API of 1.16.1. Only what works stands here.
const EXTENSIONS: [(&str, &[i64]); 10] = [
    ("apiKeyAuthentication", &[1]),
    ("formPost", &[1]),
    ("indexBasedQueue", &[1]),
    ("playbackReport", &[1]),
    ("segueDevices", &[1]),
    ("segueInsights", &[1]),
    ("seguePlans", &[1]),
    ("seguePrivacy", &[1, 2]),
    ("songLyrics", &[1, 2]),
    ("sonicSimilarity", &[1]),
];

pub(super) fn extensions(shared: &Shared) -> Answer {
    let sometimes: &[(&str, &[i64])] =
        if shared.transcoder.works() { &[("transcodeOffset", &[1]), ("transcoding", &[1])] } else { &[] };
    let names = EXTENSIONS.iter().chain(sometimes);
    let listed =
        names.map(|(name, versions)| Extension { name: (*name).to_owned(), versions: versions.to_vec() });
    Body::OpenSubsonicExtensions(listed.collect()).into()
}

pub(super) fn license() -> Answer {
    Body::License(License { valid: true }).into()
}

pub(super) fn token_info(call: &Call<'_>) -> Answer {
    Body::TokenInfo(TokenInfo { username: call.account.name.clone() }).into()
}

/// How the scan stands. Everybody may know, because this is where clients look for news; who may reach a part of the library
/// is told how much that holds, and not how much there is.
pub(super) async fn scan_status(call: &Call<'_>) -> Said {
    let mut status = call.shared.library.status().await;
    if call.account.folders.is_some() {
        status.count = Some(call.listener.track_count().await?);
        status.folder_count = None;
    }
    Ok(Body::ScanStatus(status).into())
}

/// Begins a scan; with `fullScan=true`, as other servers have it, every file is opened again.
pub(super) async fn start_scan(call: &Call<'_>) -> Said {
    call.administers()?;
    let everything = call.params.flag("fullScan")?.unwrap_or(false);
    call.shared.library.scan(if everything { ScanMode::Everything } else { ScanMode::Changes });
    scan_status(call).await
}
