//! From tags to rows: ids that follow from names, and albums that follow from their tracks.
//!
//! An artist's id is a hash of the folded name, so that tagging a file better later does not cost the artist its stars. An
//! album's id is a hash of album artist, title and MusicBrainz release id; where there is no album artist, of the folder
//! and the title, so that an untagged compilation stays one album. A file without an album belongs to its folder.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::tags::{Tags, hex};
use crate::{
    catalog::path_to_text,
    music::{Album, AlbumId, Artist, ArtistId, ArtistRef, CoverId, Marks, Track, TrackId, fold},
};

const UNKNOWN_ARTIST: &str = "Unknown Artist";
const VARIOUS: &str = "Various Artists";

/// What one file adds to the catalog.
pub(super) struct Shaped {
    pub(super) track: Track,
    pub(super) artists: Vec<Artist>,
    pub(super) album: Sketch,
}

/// What one file knows of its album.
#[derive(Debug, Clone)]
pub(super) struct Sketch {
    pub(super) id: AlbumId,
    title: String,
    /// The album artists as tagged; none where the tracks must say.
    named: Option<(String, Vec<ArtistRef>)>,
    compilation: bool,
    musicbrainz_id: Option<String>,
    folder_cover: Option<CoverId>,
}

/// Shapes a file. `folder_cover` is the picture that stands for its folder.
pub(super) fn shape(
    path: &Path,
    tags: &Tags,
    (id, size, added_at): (TrackId, u64, i64),
    folder_cover: Option<&CoverId>,
) -> Shaped {
    let folder = album_folder(path);
    let mut people: Vec<Artist> = Vec::new();
    let names = if tags.artists.is_empty() {
        vec![
            tags.artist
                .clone()
                .or_else(|| tags.album_artist.clone())
                .unwrap_or_else(|| UNKNOWN_ARTIST.to_owned()),
        ]
    } else {
        tags.artists.clone()
    };
    let artists = refs(&names, &tags.artist_sorts, &tags.artist_mbids, &mut people);
    let artist = tags.artist.clone().unwrap_or_else(|| names.join(", "));
    let named = named_album_artist(tags, &mut people);
    let title = tags.album.clone().unwrap_or_else(|| file_name(folder));
    let album_key = match (&named, &tags.album) {
        (Some((line, _)), Some(title)) => {
            vec!["artist".to_owned(), key(line), key(title), tags.release_mbid.clone().unwrap_or_default()]
        }
        _ => vec!["folder".to_owned(), path_to_text(folder), key(&title)],
    };
    let album_id = AlbumId::new(hash(&album_key));
    let album_artist = named.as_ref().map_or_else(|| artist.clone(), |(line, _)| line.clone());
    let track = Track {
        id,
        title: tags.title.clone().unwrap_or_else(|| path.file_stem().map(text).unwrap_or_default()),
        album_id: Some(album_id.clone()),
        album: title.clone(),
        artist,
        artists,
        album_artist,
        disc: tags.disc,
        number: tags.number,
        year: tags.year,
        genres: tags.genres.clone(),
        duration_ms: tags.duration_ms,
        size,
        suffix: tags.suffix.to_owned(),
        content_type: tags.content_type.to_owned(),
        bit_rate: tags.bit_rate,
        sample_rate: tags.sample_rate,
        bit_depth: tags.bit_depth,
        channels: tags.channels,
        replay_gain: tags.gain,
        cover: tags.cover.clone().or_else(|| folder_cover.cloned()),
        musicbrainz_id: tags.recording_mbid.clone(),
        added_at,
        marks: Marks::default(),
    };
    let album = Sketch {
        id: album_id,
        title,
        named,
        compilation: tags.compilation,
        musicbrainz_id: tags.release_mbid.clone(),
        folder_cover: folder_cover.cloned(),
    };
    Shaped { track, artists: people, album }
}

/// An album as all of its tracks make it.
pub(super) fn album(sketch: &Sketch, tracks: &[Track]) -> Album {
    let (artist, artists) = sketch.named.clone().unwrap_or_else(|| common_artist(tracks));
    let various = artists.len() == 1 && artists.iter().all(|a| a.name == VARIOUS);
    Album {
        id: sketch.id.clone(),
        title: sketch.title.clone(),
        artist,
        artists,
        compilation: sketch.compilation || various,
        musicbrainz_id: sketch.musicbrainz_id.clone(),
        ..gathered(&sketch.id, sketch.folder_cover.clone(), tracks)
    }
}

/// What follows from the tracks alone, the rest left empty.
pub(super) fn gathered(id: &AlbumId, cover: Option<CoverId>, tracks: &[Track]) -> Album {
    let mut order: Vec<&Track> = tracks.iter().collect();
    order.sort_by_key(|t| (t.disc.unwrap_or(1), t.number.unwrap_or(u32::MAX), fold(&t.title)));
    let mut genres: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (at, genre) in order.iter().flat_map(|t| &t.genres).enumerate() {
        genres.entry(genre).or_insert((0, at)).0 += 1;
    }
    let mut genres: Vec<(&str, (usize, usize))> = genres.into_iter().collect();
    genres.sort_by_key(|(_, (count, first))| (std::cmp::Reverse(*count), *first));
    Album {
        id: id.clone(),
        title: String::new(),
        artist: String::new(),
        artists: Vec::new(),
        year: tracks.iter().filter_map(|t| t.year).max(),
        genres: genres.into_iter().map(|(genre, _)| genre.to_owned()).collect(),
        track_count: u32::try_from(tracks.len()).unwrap_or(u32::MAX),
        duration_ms: tracks.iter().map(|t| t.duration_ms).sum(),
        cover: cover.or_else(|| order.iter().find_map(|t| t.cover.clone())),
        compilation: false,
        musicbrainz_id: None,
        added_at: tracks.iter().map(|t| t.added_at).min().unwrap_or(0),
        marks: Marks::default(),
    }
}

/// The artist that all tracks share, or various.
fn common_artist(tracks: &[Track]) -> (String, Vec<ArtistRef>) {
    let lines: HashSet<String> = tracks.iter().map(|t| key(&t.artist)).collect();
    match tracks.first() {
        Some(first) if lines.len() == 1 => (first.artist.clone(), first.artists.clone()),
        _ => (VARIOUS.to_owned(), vec![ArtistRef { id: artist_id(VARIOUS), name: VARIOUS.to_owned() }]),
    }
}

fn named_album_artist(tags: &Tags, people: &mut Vec<Artist>) -> Option<(String, Vec<ArtistRef>)> {
    let line = match (&tags.album_artist, tags.compilation) {
        (Some(line), _) => line.clone(),
        (None, true) => VARIOUS.to_owned(),
        (None, false) => return None,
    };
    let names = if tags.album_artists.is_empty() { vec![line.clone()] } else { tags.album_artists.clone() };
    let refs = refs(&names, &tags.album_artist_sorts, &tags.album_artist_mbids, people);
    Some((line, refs))
}

/// Artists for names; sort names and MusicBrainz ids are believed where there is one for each name.
fn refs(names: &[String], sorts: &[String], mbids: &[String], people: &mut Vec<Artist>) -> Vec<ArtistRef> {
    let paired = |values: &[String], at: usize| {
        if values.len() == names.len() { values.get(at).cloned() } else { None }
    };
    let mut seen = HashSet::new();
    names
        .iter()
        .enumerate()
        .filter_map(|(at, name)| {
            let id = artist_id(name);
            if !seen.insert(id.clone()) {
                return None;
            }
            people.push(Artist {
                id: id.clone(),
                name: name.clone(),
                sort_name: paired(sorts, at).unwrap_or_else(|| name.clone()),
                album_count: 0,
                cover: None,
                musicbrainz_id: paired(mbids, at),
                marks: Marks::default(),
            });
            Some(ArtistRef { id, name: name.clone() })
        })
        .collect()
}

/// Artists of several files, one for each id: the first spelling, with the first sort name and MusicBrainz id given.
pub(super) fn merge_artists(known: &mut HashMap<ArtistId, Artist>, artists: Vec<Artist>) -> Vec<Artist> {
    let mut changed: HashMap<ArtistId, Artist> = HashMap::new();
    for artist in artists {
        let merged = known.get(&artist.id).cloned().map_or_else(
            || artist.clone(),
            |mut old| {
                if old.sort_name == old.name {
                    old.sort_name.clone_from(&artist.sort_name);
                }
                old.musicbrainz_id = old.musicbrainz_id.or_else(|| artist.musicbrainz_id.clone());
                old
            },
        );
        if known.get(&artist.id) != Some(&merged) {
            known.insert(artist.id.clone(), merged.clone());
            changed.insert(artist.id.clone(), merged);
        }
    }
    changed.into_values().collect()
}

fn artist_id(name: &str) -> ArtistId {
    ArtistId::new(hash(&["artist".to_owned(), key(name)]))
}

/// A name as it is told from others.
fn key(name: &str) -> String {
    let folded = fold(name);
    if folded.is_empty() { name.trim().to_lowercase() } else { folded }
}

fn hash(parts: &[String]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize(), 16)
}

/// A hash over what the tags say, to know a file again that moved.
pub(super) fn digest(tags: &Tags) -> String {
    let text = format!("{tags:?}");
    hex(&Sha256::digest(text.as_bytes()), 16)
}

/// The folder whose files belong together: that of the file, or the one above when it is "CD 1" and the like.
pub(super) fn album_folder(path: &Path) -> &Path {
    let folder = path.parent().unwrap_or(path);
    match folder.parent() {
        Some(above) if is_disc(folder) => above,
        _ => folder,
    }
}

fn is_disc(folder: &Path) -> bool {
    let name = fold(&file_name(folder));
    ["cd", "disc", "disk"].iter().any(|word| {
        name.strip_prefix(word).is_some_and(|rest| {
            let rest = rest.trim();
            !rest.is_empty() && rest.len() <= 2 && rest.chars().all(|c| c.is_ascii_digit())
        })
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path_to_text(path), text)
}

fn text(name: &std::ffi::OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// Where the picture of a folder may lie: in it, or above it when it is one disc of several.
pub(super) fn cover_folders(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let above = folder.parent().filter(|_| is_disc(folder)).map(Path::to_owned);
    [folder.to_owned()].into_iter().chain(above)
}
