//! What a server makes and finds: mixes as playlists that nobody edits, similar and top songs, and nearness by sound.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Call, Refusal, Said};
use crate::catalog::{KeptMix, SearchWindows};
use crate::mixing;
use crate::music::{ArtistId, Item, Mix, Track, TrackId, Window, fold};
use crate::subsonic::Body;
use crate::subsonic::convert::iso;
use crate::subsonic::response::Songs;
use crate::subsonic::serving::SonicMatch;
use crate::subsonic::types::{Child, Playlist};
use crate::taste::sonic::{VERSION, distance};

/// Songs that are given at most.
const MOST: u64 = 500;

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The mix that a playlist's id means.
pub(super) fn id_of(playlist: &str) -> Option<&str> {
    playlist.strip_prefix(Mix::AS_PLAYLIST)
}

fn to_wire(kept: &KeptMix, made_at: i64, call: &Call<'_>) -> Playlist {
    Playlist {
        id: format!("{}{}", Mix::AS_PLAYLIST, kept.mix.id),
        name: kept.mix.name.clone(),
        comment: Some(format!("{}: {}.", kept.mix.about, kept.mix.why)),
        owner: Some(call.account.name.clone()),
        public: Some(false),
        song_count: u32::try_from(kept.mix.picks.len()).unwrap_or(u32::MAX),
        duration: kept.duration_ms / 1000,
        created: iso(made_at),
        changed: iso(made_at),
        cover_art: kept.cover.as_ref().map(ToString::to_string),
        readonly: Some(true),
        ..Playlist::default()
    }
}

async fn made_at(call: &Call<'_>) -> Result<i64, Refusal> {
    Ok(call.listener.mixes_made().await?.map_or(0, |made| made.at))
}

/// The mixes of who asks.
pub(super) async fn lists(call: &Call<'_>) -> Result<Vec<Playlist>, Refusal> {
    let at = made_at(call).await?;
    Ok(call.listener.mixes().await?.iter().map(|kept| to_wire(kept, at, call)).collect())
}

/// One mix of who asks, with its songs.
pub(super) async fn one(call: &Call<'_>, id: &str) -> Said {
    let (kept, tracks) = call.listener.mix(id).await?.ok_or_else(|| Refusal::not_found("playlist"))?;
    let entry = Some(tracks.iter().map(Child::from).collect());
    Ok(Body::Playlist(Playlist { entry, ..to_wire(&kept, made_at(call).await?, call) }).into())
}

fn songs(tracks: &[Track]) -> Songs {
    Songs { song: tracks.iter().map(Child::from).collect() }
}

/// Songs like a song, an album's or an artist's.
pub(super) async fn similar_songs(call: &Call<'_>, second: bool) -> Said {
    let id = call.params.required("id")?;
    let count = call.params.count("count", 50, MOST)? as usize;
    let seeds: Vec<Track> = match call.item(id).await? {
        Item::Track(id) => call.listener.track(&id).await?.into_iter().collect(),
        Item::Album(id) => call.listener.tracks_of(&id).await?,
        Item::Artist(id) => {
            let mut tracks = Vec::new();
            for album in call.listener.albums_of(&id).await? {
                tracks.extend(call.listener.tracks_of(&album.id).await?);
            }
            tracks
        }
    };
    let seeds: Vec<TrackId> = seeds.into_iter().map(|track| track.id).collect();
    let near = mixing::similar(&call.listener, &seeds, count, now_ms()).await?;
    let ids: Vec<TrackId> = near.into_iter().map(|near| near.track).collect();
    let found = songs(&call.listener.tracks(&ids).await?);
    Ok(if second { Body::SimilarSongs2(found) } else { Body::SimilarSongs(found) }.into())
}

/// What listeners of this server play most of an artist, who is named or has an id.
pub(super) async fn top_songs(call: &Call<'_>) -> Said {
    let count = call.params.count("count", 50, MOST)?;
    let by_id = call.params.get("id").filter(|id| !id.is_empty()).map(ArtistId::from);
    let artist = match by_id {
        Some(id) => Some(id),
        None => named(call, call.params.required("artist")?).await?,
    };
    let ids = match artist {
        Some(artist) => call.listener.catalog().top_tracks(&artist, count).await?,
        None => Vec::new(),
    };
    Ok(Body::TopSongs(songs(&call.listener.tracks(&ids).await?)).into())
}

async fn named(call: &Call<'_>, name: &str) -> Result<Option<ArtistId>, Refusal> {
    let windows = SearchWindows { artists: Window::first(10), ..SearchWindows::first(0) };
    let found = call.listener.search(name, windows).await?.artists;
    Ok(found.into_iter().find(|artist| fold(&artist.name) == fold(name)).map(|artist| artist.id))
}

/// How alike two sounds are by their distance: 1 for the same, 0.5 at the distance at which two sound alike.
fn similarity(apart: f32) -> f64 {
    1.0 / (1.0 + f64::from(apart))
}

/// Vectors of sound of the library, by id.
async fn vectors(call: &Call<'_>) -> Result<HashMap<TrackId, Vec<f32>>, Refusal> {
    let all = call.shared.catalog.sonic_vectors(VERSION).await?;
    let width = all.width.max(1);
    Ok(all.tracks.into_iter().zip(all.values.chunks(width).map(<[f32]>::to_vec)).collect())
}

async fn matches(call: &Call<'_>, near: Vec<(TrackId, f64)>, count: usize) -> Said {
    let ids: Vec<TrackId> = near.iter().map(|(id, _)| id.clone()).collect();
    let tracks = call.listener.tracks(&ids).await?;
    let by_id: HashMap<TrackId, f64> = near.into_iter().collect();
    let entry = |track: &Track| SonicMatch {
        entry: Some(Child::from(track)),
        similarity: by_id.get(&track.id).copied().unwrap_or(-1.0),
    };
    Ok(Body::SonicMatch(tracks.iter().take(count).map(entry).collect()).into())
}

/// Songs that sound like one (extension `sonicSimilarity`); none while it was not analysed.
pub(super) async fn sonic_similar(call: &Call<'_>) -> Said {
    let id: TrackId = call.params.required("id")?.into();
    let count = call.params.count("count", 10, MOST)? as usize;
    call.listener.track(&id).await?.ok_or_else(|| Refusal::not_found("song"))?;
    let all = vectors(call).await?;
    let Some(own) = all.get(&id) else { return matches(call, Vec::new(), 0).await };
    let mut near: Vec<(TrackId, f64)> = all
        .iter()
        .filter(|(other, _)| **other != id)
        .map(|(other, vector)| (other.clone(), similarity(distance(own, vector))))
        .collect();
    near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    // Some of them may lie beyond what this account reaches.
    near.truncate(count * 4);
    matches(call, near, count).await
}

/// A way from one song to another (extension `sonicSimilarity`).
pub(super) async fn sonic_path(call: &Call<'_>) -> Said {
    let from: TrackId = call.params.required("startSongId")?.into();
    let to: TrackId = call.params.required("endSongId")?.into();
    let count = call.params.count("count", 25, 100)?.max(2) as usize;
    let way = mixing::path(&call.listener, &from, &to, count).await?;
    if way.is_empty() {
        return Err(Refusal::not_found("song"));
    }
    let all = vectors(call).await?;
    let own = all.get(&from);
    let near = way.into_iter().map(|id| {
        let apart = own.and_then(|own| Some(distance(own, all.get(&id)?)));
        let alike = apart.map_or(if id == from { 1.0 } else { -1.0 }, similarity);
        (id, alike)
    });
    matches(call, near.collect(), count).await
}
