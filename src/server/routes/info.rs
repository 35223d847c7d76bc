//! What the server itself knows about artists and albums. It asks nobody else: no biography comes from elsewhere.

use super::{Call, Refusal, Said};
use crate::music::{Album, Artist, CoverId};
use crate::subsonic::Body;
use crate::subsonic::serving::{AlbumInfo, ArtistInfo};

pub(super) async fn album(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?;
    let found = match call.listener.album(&id.into()).await? {
        Some(album) => Some(album),
        // Clients of the folder view ask with the id of a song in it.
        None => match call.listener.track(&id.into()).await?.and_then(|track| track.album_id) {
            Some(album) => call.listener.album(&album).await?,
            None => None,
        },
    };
    let Album { musicbrainz_id, cover, .. } = found.ok_or_else(|| Refusal::not_found("album"))?;
    let [small_image_url, medium_image_url, large_image_url] = pictures(call, cover.as_ref());
    let info = AlbumInfo {
        notes: None,
        music_brainz_id: musicbrainz_id,
        small_image_url,
        medium_image_url,
        large_image_url,
    };
    Ok(Body::AlbumInfo(info).into())
}

pub(super) async fn artist(call: &Call<'_>, second: bool) -> Said {
    let id = call.params.required("id")?;
    let mut found = call.listener.artist(&id.into()).await?;
    if found.is_none() {
        let artists = match call.listener.track(&id.into()).await? {
            Some(track) => track.artists,
            None => call.listener.album(&id.into()).await?.map(|album| album.artists).unwrap_or_default(),
        };
        if let Some(first) = artists.first() {
            found = call.listener.artist(&first.id).await?;
        }
    }
    let Artist { musicbrainz_id, cover, .. } = found.ok_or_else(|| Refusal::not_found("artist"))?;
    let [small_image_url, medium_image_url, large_image_url] = pictures(call, cover.as_ref());
    let info = ArtistInfo {
        biography: None,
        music_brainz_id: musicbrainz_id,
        small_image_url,
        medium_image_url,
        large_image_url,
        similar_artist: Vec::new(),
    };
    Ok(if second { Body::ArtistInfo2(info) } else { Body::ArtistInfo(info) }.into())
}

/// Addresses of a picture in three sizes. They carry no proof of identity: a client adds its own.
fn pictures(call: &Call<'_>, cover: Option<&CoverId>) -> [Option<String>; 3] {
    [64, 256, 1200].map(|size| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("id", cover?.as_str()).append_pair("size", &size.to_string());
        Some(format!("{}/rest/getCoverArt?{}", call.base(), query.finish()))
    })
}
