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
    music::{
        Album, AlbumDetails, AlbumId, Artist, ArtistId, ArtistRef, CoverId, Credit, DiscTitle, Explicit,
        Marks, Track, TrackDetails, TrackId, fold,
    },
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
    details: AlbumDetails,
    /// How many files say so.
    files: usize,
}

impl Sketch {
    /// Takes over what another file of the same album says and this one leaves out.
    pub(super) fn meet(&mut self, other: &Self) {
        self.files += other.files;
        self.compilation |= other.compilation;
        self.details = completed(std::mem::take(&mut self.details), &other.details);
    }
}

/// Details with what they leave out taken from others.
fn completed(own: AlbumDetails, other: &AlbumDetails) -> AlbumDetails {
    let list = |own: Vec<String>, other: &Vec<String>| if own.is_empty() { other.clone() } else { own };
    AlbumDetails {
        sort_title: own.sort_title.or_else(|| other.sort_title.clone()),
        version: own.version.or_else(|| other.version.clone()),
        labels: list(own.labels, &other.labels),
        release_types: list(own.release_types, &other.release_types),
        original_date: own.original_date.or_else(|| other.original_date.clone()),
        release_date: own.release_date.or_else(|| other.release_date.clone()),
        group_musicbrainz_id: own.group_musicbrainz_id.or_else(|| other.group_musicbrainz_id.clone()),
        moods: own.moods,
        explicit: own.explicit,
        disc_titles: own.disc_titles,
    }
}

/// Details with what follows from the tracks taken from newer ones.
pub(super) fn renewed(own: AlbumDetails, tracks: &AlbumDetails) -> AlbumDetails {
    AlbumDetails {
        moods: tracks.moods.clone(),
        explicit: tracks.explicit,
        disc_titles: tracks.disc_titles.clone(),
        ..own
    }
}

/// Shapes a file or a part of it; id, size and the time it came are for whoever knows them. `folder_cover` is the picture that
/// stands for its folder.
pub(super) fn shape(path: &Path, tags: &Tags, folder_cover: Option<&CoverId>) -> Shaped {
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
    let details = details(tags, named.as_ref(), &mut people);
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
        id: TrackId::new(String::new()),
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
        size: 0,
        suffix: tags.suffix.to_owned(),
        content_type: tags.content_type.to_owned(),
        bit_rate: tags.bit_rate,
        sample_rate: tags.sample_rate,
        bit_depth: tags.bit_depth,
        channels: tags.channels,
        replay_gain: tags.gain,
        cover: tags.cover.clone().or_else(|| folder_cover.cloned()),
        musicbrainz_id: tags.recording_mbid.clone(),
        added_at: 0,
        details,
        marks: Marks::default(),
    };
    let album = Sketch {
        id: album_id,
        title,
        named,
        compilation: tags.compilation,
        musicbrainz_id: tags.release_mbid.clone(),
        folder_cover: folder_cover.cloned(),
        details: tags.of_album.clone(),
        files: 1,
    };
    Shaped { track, artists: people, album }
}

/// What else a file says of its track.
fn details(tags: &Tags, named: Option<&(String, Vec<ArtistRef>)>, people: &mut Vec<Artist>) -> TrackDetails {
    let mut credits: Vec<Credit> = Vec::with_capacity(tags.parts.len());
    for part in &tags.parts {
        let sorts: Vec<String> = part.sort.iter().cloned().collect();
        let found = refs(std::slice::from_ref(&part.name), &sorts, &[], people);
        credits.extend(found.into_iter().map(|artist| Credit {
            role: part.role.to_owned(),
            detail: part.detail.clone(),
            artist,
        }));
    }
    credits.sort_by(|a, b| a.role.cmp(&b.role));
    TrackDetails {
        sort_title: tags.sort_title.clone(),
        album_artists: named.map(|(_, refs)| refs.clone()).unwrap_or_default(),
        credits,
        moods: tags.moods.clone(),
        groupings: tags.groupings.clone(),
        isrcs: tags.isrcs.clone(),
        works: tags.works.clone(),
        movements: tags.movements.clone(),
        bpm: tags.bpm,
        comment: tags.comment.clone(),
        explicit: tags.explicit,
        original_date: tags.original_date.clone(),
        disc_title: tags.disc_title.clone(),
    }
}

/// An album as all of its tracks make it. `old` is what was known of it, for what its files of this scan leave out when they
/// are not all.
pub(super) fn album(sketch: &Sketch, tracks: &[Track], old: Option<&Album>) -> Album {
    let (artist, artists) = sketch.named.clone().unwrap_or_else(|| common_artist(tracks));
    let various = artists.len() == 1 && artists.iter().all(|a| a.id == artist_id(VARIOUS));
    let gathered = gathered(&sketch.id, sketch.folder_cover.clone(), tracks);
    let mut details = sketch.details.clone();
    if let Some(old) = old.filter(|_| sketch.files < tracks.len()) {
        details = completed(details, &old.details);
    }
    let compilation = details.release_types.iter().any(|t| t == "compilation");
    Album {
        id: sketch.id.clone(),
        title: sketch.title.clone(),
        artist,
        artists,
        compilation: sketch.compilation || various || compilation,
        details: renewed(details, &gathered.details),
        musicbrainz_id: sketch.musicbrainz_id.clone(),
        ..gathered
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
        details: of_tracks(&order),
        marks: Marks::default(),
    }
}

/// What an album's details have from its tracks.
fn of_tracks(order: &[&Track]) -> AlbumDetails {
    let mut moods: Vec<String> = Vec::new();
    let mut disc_titles: Vec<DiscTitle> = Vec::new();
    for track in order {
        moods.extend(track.details.moods.iter().filter(|m| !moods.contains(m)).cloned().collect::<Vec<_>>());
        let disc = track.disc.unwrap_or(1);
        if let Some(title) = &track.details.disc_title
            && disc_titles.iter().all(|known| known.disc != disc)
        {
            disc_titles.push(DiscTitle { disc, title: title.clone() });
        }
    }
    let any = |kind| order.iter().any(|t| t.details.explicit == Some(kind)).then_some(kind);
    AlbumDetails {
        moods,
        disc_titles,
        explicit: any(Explicit::Explicit).or(any(Explicit::Clean)),
        ..AlbumDetails::default()
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
                roles: Vec::new(),
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

/// A hash of texts, as ids have it.
pub(super) fn hash(parts: &[String]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize(), 16)
}

/// A hash over what tells a file from others, to know it again when it moved.
pub(super) fn digest(tags: &Tags) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    hash(&[
        text(&tags.title),
        text(&tags.artist),
        text(&tags.album),
        text(&tags.album_artist),
        text(&tags.recording_mbid),
        format!("{:?} {:?} {} {:?}", tags.disc, tags.number, tags.duration_ms, tags.sample_rate),
    ])
}

/// An id that follows from a file's place.
pub(super) fn of_path(what: &str, path: &Path) -> String {
    hash(&[what.to_owned(), path_to_text(path)])
}

/// A number for a text, the same for ever.
pub(super) fn number(text: &str) -> i64 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | i64::from(*byte))
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
