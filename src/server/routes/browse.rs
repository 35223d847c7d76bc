//! Artists, albums, songs and genres; also in the shape of folders, for the oldest clients.

use std::collections::HashMap;

use super::{Answer, Call, Refusal, Said};
use crate::catalog::path_from_text;
use crate::music::{self, Window};
use crate::subsonic::Body;
use crate::subsonic::convert::{album_as_directory, iso};
use crate::subsonic::response::{Artists, Directory, Genres, Index, Indexes, MusicFolders};
use crate::subsonic::types::{AlbumID3, ArtistID3, Child, Genre, MusicFolder};

/// The music folders that the account may reach, by the last part of their paths.
pub(super) fn music_folders(call: &Call<'_>) -> Answer {
    let music_folder = call.shared.folders_of(&call.account);
    let music_folder =
        music_folder.map(|folder| MusicFolder { id: folder.id, name: Some(name_of(&folder.path)) });
    Body::MusicFolders(MusicFolders { music_folder: music_folder.collect() }).into()
}

fn name_of(path: &str) -> String {
    let path = path_from_text(path);
    let name = path.file_name().map(|name| music::printable(&name.to_string_lossy()));
    name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "Music".to_owned())
}

/// The number of the folder that stands above all artists.
fn top(call: &Call<'_>) -> Option<String> {
    call.shared.folders_of(&call.account).next().map(|folder| folder.id.to_string())
}

pub(super) async fn artists(call: &Call<'_>) -> Said {
    let artists = call.listener.artists(Window::ALL).await?;
    Ok(Body::Artists(Artists { ignored_articles: String::new(), index: by_letter(&artists) }).into())
}

/// As `getArtists`; nothing at all when nothing changed since the time that the client names.
pub(super) async fn indexes(call: &Call<'_>) -> Said {
    let since: Option<i64> = call.params.parsed("ifModifiedSince")?;
    let last_modified = call.shared.library.changed_at().await;
    let index = match since {
        Some(since) if since >= last_modified => Vec::new(),
        _ => by_letter(&call.listener.artists(Window::ALL).await?),
    };
    Ok(Body::Indexes(Indexes { last_modified, ignored_articles: String::new(), index }).into())
}

/// Artists under the first letter of the name that they are sorted by; what is no letter under `#`.
fn by_letter(artists: &[music::Artist]) -> Vec<Index> {
    let mut indexes: Vec<Index> = Vec::new();
    let mut places = HashMap::new();
    for artist in artists {
        let first = music::fold(&artist.sort_name).chars().next().filter(|c| c.is_alphabetic());
        let name = first.map_or_else(|| "#".to_owned(), |c| c.to_uppercase().collect());
        let place = *places.entry(name.clone()).or_insert_with(|| {
            indexes.push(Index { name, artist: Vec::new() });
            indexes.len() - 1
        });
        if let Some(index) = indexes.get_mut(place) {
            index.artist.push(ArtistID3::from(artist));
        }
    }
    indexes
}

pub(super) async fn artist(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?.into();
    let artist = call.listener.artist(&id).await?.ok_or_else(|| Refusal::not_found("artist"))?;
    let albums = call.listener.albums_of(&id).await?;
    let album = Some(albums.iter().map(AlbumID3::from).collect());
    Ok(Body::Artist(ArtistID3 { album, ..ArtistID3::from(&artist) }).into())
}

pub(super) async fn album(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?.into();
    let album = call.listener.album(&id).await?.ok_or_else(|| Refusal::not_found("album"))?;
    let songs = call.listener.tracks_of(&id).await?;
    let song = Some(songs.iter().map(Child::from).collect());
    Ok(Body::Album(AlbumID3 { song, ..AlbumID3::from(&album) }).into())
}

pub(super) async fn song(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?.into();
    let track = call.listener.track(&id).await?.ok_or_else(|| Refusal::not_found("song"))?;
    Ok(Body::Song(Child::from(&track)).into())
}

pub(super) async fn genres(call: &Call<'_>) -> Said {
    let genre = |genre: music::Genre| Genre {
        value: genre.name,
        song_count: genre.track_count,
        album_count: genre.album_count,
    };
    let genres = call.listener.genres().await?;
    Ok(Body::Genres(Genres { genre: genres.into_iter().map(genre).collect() }).into())
}

/// The library as folders: the music folder holds artists, an artist albums, an album songs.
pub(super) async fn music_directory(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?;
    let directory = if let Some(album) = call.listener.album(&id.into()).await? {
        let songs = call.listener.tracks_of(&album.id).await?;
        Directory {
            parent: album.artists.first().map(|artist| artist.id.to_string()),
            starred: album.marks.starred_at.map(iso),
            play_count: Some(album.marks.play_count.into()),
            child: songs.iter().map(Child::from).collect(),
            name: album.title,
            ..Directory::default()
        }
    } else if let Some(artist) = call.listener.artist(&id.into()).await? {
        let albums = call.listener.albums_of(&artist.id).await?;
        Directory {
            parent: top(call),
            starred: artist.marks.starred_at.map(iso),
            child: albums.iter().map(album_as_directory).collect(),
            name: artist.name,
            ..Directory::default()
        }
    } else if let Some(folder) =
        call.shared.folders_of(&call.account).find(|folder| folder.id.to_string() == id)
    {
        let within = call.shared.catalog.listener_of(&call.account, Some(folder.id));
        let artists = within.artists(Window::ALL).await?;
        Directory {
            name: name_of(&folder.path),
            child: artists.iter().map(|artist| artist_as_directory(artist, id)).collect(),
            ..Directory::default()
        }
    } else {
        return Err(Refusal::not_found("directory"));
    };
    Ok(Body::Directory(Directory { id: id.to_owned(), ..directory }).into())
}

fn artist_as_directory(artist: &music::Artist, folder: &str) -> Child {
    Child {
        id: artist.id.to_string(),
        parent: Some(folder.to_owned()),
        is_dir: true,
        title: artist.name.clone(),
        artist: Some(artist.name.clone()),
        cover_art: artist.cover.as_ref().map(ToString::to_string),
        starred: artist.marks.starred_at.map(iso),
        media_type: Some("artist".to_owned()),
        ..Child::default()
    }
}
