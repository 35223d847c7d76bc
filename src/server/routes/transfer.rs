//! Songs as bytes.

use super::super::media::{self, Wanted};
use super::{Call, Refusal, Said};

/// `stream`, or `download` when the client should store it.
pub(super) async fn song(call: &Call<'_>, attachment: bool) -> Said {
    let id = call.params.required("id")?.into();
    let track = call.listener.track(&id).await?.ok_or_else(|| Refusal::not_found("song"))?;
    let path = call.shared.catalog.file_of(&id).await?.ok_or_else(|| Refusal::not_found("song"))?;
    let wanted = Wanted { method: call.method, headers: call.headers, attachment };
    media::send(&track, &path, &wanted, &call.shared.streams).await
}
