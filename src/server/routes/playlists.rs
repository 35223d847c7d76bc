//! Playlists. Reading takes the owner or a public list, changing takes the owner; the owner is who asks, whatever the
//! parameters say.

use std::collections::HashMap;

use super::{Answer, Call, Refusal, Said, mixes};
use crate::catalog::{CatalogError, PlaylistEdit};
use crate::music::{self, PlaylistId, TrackId};
use crate::subsonic::response::Playlists;
use crate::subsonic::types::{Child, Playlist};
use crate::subsonic::{Body, ErrorCode, convert};

/// How long the songs of a smart playlist may be taken for granted, ms.
const SMART_FOR: i64 = 60_000;

/// Account names by id: the catalog keeps the id as owner, clients show the name.
async fn names(call: &Call<'_>) -> Result<HashMap<String, String>, Refusal> {
    let accounts = call.shared.catalog.accounts().await?;
    Ok(accounts.into_iter().map(|account| (account.id.into_string(), account.name)).collect())
}

fn to_wire(playlist: &music::Playlist, names: &HashMap<String, String>, call: &Call<'_>) -> Playlist {
    let owner = names.get(&playlist.owner).cloned().unwrap_or_default();
    let readonly = playlist.smart || owner != call.account.name;
    let valid_until =
        playlist.smart.then(|| convert::iso(jiff::Timestamp::now().as_millisecond() + SMART_FOR));
    Playlist { readonly: Some(readonly), owner: Some(owner), valid_until, ..Playlist::from(playlist) }
}

/// Own and public playlists; with `username`, those that this account owns, for who administers.
pub(super) async fn all(call: &Call<'_>) -> Said {
    let names = names(call).await?;
    let lists =
        match call.params.get("username").filter(|name| !name.is_empty() && *name != call.account.name) {
            None => call.listener.playlists().await?,
            Some(_) if !call.account.admin => return Err(Refusal::not_allowed()),
            Some(name) => {
                let other = call.shared.catalog.account_named(name).await?;
                let other = other.ok_or_else(|| Refusal::not_found("user"))?;
                let mut lists = call.shared.catalog.listener_of(&other, None).playlists().await?;
                lists.retain(|list| list.owner == other.id.as_str());
                lists
            }
        };
    let mut playlist: Vec<Playlist> = lists.iter().map(|list| to_wire(list, &names, call)).collect();
    if call.params.get("username").is_none_or(|name| name.is_empty() || name == call.account.name) {
        playlist.extend(mixes::lists(call).await?);
    }
    Ok(Body::Playlists(Playlists { playlist }).into())
}

async fn with_songs(call: &Call<'_>, id: &PlaylistId) -> Said {
    let (playlist, tracks) =
        call.listener.playlist(id).await?.ok_or_else(|| Refusal::not_found("playlist"))?;
    let entry = Some(tracks.iter().map(Child::from).collect());
    let cover_art = tracks.iter().find_map(|track| track.cover.as_ref()).map(ToString::to_string);
    let wire = to_wire(&playlist, &names(call).await?, call);
    Ok(Body::Playlist(Playlist { cover_art, entry, ..wire }).into())
}

pub(super) async fn one(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?;
    match mixes::id_of(id) {
        Some(mix) => mixes::one(call, mix).await,
        None => with_songs(call, &id.into()).await,
    }
}

/// Makes a playlist, or replaces the songs of one.
pub(super) async fn create(call: &Call<'_>) -> Said {
    call.may(|roles| roles.playlist)?;
    let params = call.params;
    let tracks = ids(call, "songId");
    let name = params.get("name").filter(|name| !name.trim().is_empty());
    let id = match (params.get("playlistId").filter(|id| !id.is_empty()), name) {
        (Some(id), name) => {
            let id = id.into();
            let replaced = call.listener.replace_playlist(&id, name, &tracks).await;
            allowed(call, &id, replaced).await?;
            id
        }
        (None, Some(name)) => call.listener.create_playlist(name, &tracks).await?,
        (None, None) => {
            let message = "one of the parameters “name” and “playlistId” is needed";
            return Err(Refusal::new(ErrorCode::MissingParameter, message));
        }
    };
    with_songs(call, &id).await
}

pub(super) async fn update(call: &Call<'_>) -> Said {
    call.may(|roles| roles.playlist)?;
    let params = call.params;
    let id = params.required("playlistId")?.into();
    let edit = PlaylistEdit {
        name: params.get("name").map(str::to_owned),
        comment: params.get("comment").map(str::to_owned),
        public: params.flag("public")?,
        add: ids(call, "songIdToAdd"),
        remove: params.all_parsed("songIndexToRemove")?,
        ..PlaylistEdit::default()
    };
    let edited = call.listener.edit_playlist(&id, &edit).await;
    allowed(call, &id, edited).await
}

pub(super) async fn delete(call: &Call<'_>) -> Said {
    call.may(|roles| roles.playlist)?;
    let id = call.params.required("id")?.into();
    let deleted = call.listener.delete_playlist(&id).await;
    allowed(call, &id, deleted).await
}

/// A playlist that may be read but not changed is error 50; one that may not even be read does not exist.
async fn allowed(call: &Call<'_>, id: &PlaylistId, result: Result<(), CatalogError>) -> Said {
    match result {
        Ok(()) => Ok(Answer::Done),
        Err(CatalogError::NotFound { what: "playlist", .. })
            if call.listener.playlist(id).await?.is_some() =>
        {
            Err(Refusal::not_allowed())
        }
        // Mixes are made by the server alone.
        Err(CatalogError::NotFound { what: "playlist", .. }) if is_mix(call, id).await? => {
            Err(Refusal::not_allowed())
        }
        Err(error) => Err(error.into()),
    }
}

async fn is_mix(call: &Call<'_>, id: &PlaylistId) -> Result<bool, Refusal> {
    Ok(match mixes::id_of(id.as_str()) {
        Some(mix) => call.listener.mix(mix).await?.is_some(),
        None => false,
    })
}

fn ids(call: &Call<'_>, name: &str) -> Vec<TrackId> {
    call.params.all(name).filter(|id| !id.is_empty()).map(TrackId::from).collect()
}
