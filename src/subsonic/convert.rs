//! Between the wire and the words of `music`.
//!
//! Towards the wire everything that this program knows is written. From the wire only what cannot be done
//! without must be there: something without an id is nothing (`None`).

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use super::details;
use super::types::{AlbumID3, ArtistID3, Child, ItemGenre, Playlist, ReplayGain};
use crate::music;
use crate::music::{ArtistRef, Marks, Track};

/// Unix time in ms as ISO 8601 in UTC.
pub fn iso(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// Unix time in ms of an ISO 8601 text; a time without a zone counts as UTC.
pub fn from_iso(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    let local: civil::DateTime = text.parse().ok()?;
    Some(TimeZone::UTC.to_timestamp(local).ok()?.as_millisecond())
}

/// Whole seconds of a length, the nearest; a jingle of a few milliseconds is still not nothing.
fn seconds(ms: u64) -> u64 {
    (ms.saturating_add(500) / 1000).max(u64::from(ms > 0))
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn rating(rating: u8) -> Option<u32> {
    (1..=5).contains(&rating).then(|| rating.into())
}

fn genres_to_wire(genres: &[String]) -> Vec<ItemGenre> {
    genres.iter().map(|name| ItemGenre { name: name.clone() }).collect()
}

pub(super) fn artists_to_wire(artists: &[ArtistRef]) -> Vec<ArtistID3> {
    let named = |artist: &ArtistRef| ArtistID3 {
        id: artist.id.as_str().to_owned(),
        name: artist.name.clone(),
        ..ArtistID3::default()
    };
    artists.iter().map(named).collect()
}

/// dB or peak to a millionth, so that a value looks as it was measured.
fn measured(value: Option<f32>) -> Option<f64> {
    value.filter(|v| v.is_finite()).map(|v| (f64::from(v) * 1e6).round() / 1e6)
}

/// A path that a client may store a copy under: album artist, album, number and title.
fn path(track: &Track) -> String {
    fn part(text: &str) -> String {
        let clean: String = music::printable(text)
            .chars()
            .map(|c| if matches!(c, '/' | '\\' | ':') { '_' } else { c })
            .collect();
        let clean = clean.trim().trim_start_matches('.');
        if clean.is_empty() { "Unknown".to_owned() } else { clean.to_owned() }
    }
    let artist = if track.album_artist.is_empty() { &track.artist } else { &track.album_artist };
    let number = match (track.disc.filter(|disc| *disc > 1), track.number) {
        (Some(disc), Some(number)) => format!("{disc}-{number:02} - "),
        (None, Some(number)) => format!("{number:02} - "),
        _ => String::new(),
    };
    format!("{}/{}/{number}{}.{}", part(artist), part(&track.album), part(&track.title), part(&track.suffix))
}

impl From<&Track> for Child {
    fn from(track: &Track) -> Self {
        let album_id = track.album_id.as_ref().map(|id| id.as_str().to_owned());
        let gain = &track.replay_gain;
        Self {
            id: track.id.as_str().to_owned(),
            parent: album_id.clone(),
            is_dir: false,
            title: track.title.clone(),
            album: text(&track.album),
            artist: text(&track.artist),
            track: track.number,
            year: track.year,
            genre: track.genres.first().cloned(),
            cover_art: track.cover.as_ref().map(|id| id.as_str().to_owned()),
            size: Some(track.size),
            content_type: text(&track.content_type),
            suffix: text(&track.suffix),
            duration: Some(seconds(track.duration_ms)),
            bit_rate: track.bit_rate,
            bit_depth: track.bit_depth,
            sampling_rate: track.sample_rate,
            channel_count: track.channels,
            path: Some(path(track)),
            is_video: Some(false),
            user_rating: rating(track.marks.rating),
            play_count: Some(track.marks.play_count.into()),
            disc_number: track.disc,
            created: Some(iso(track.added_at)),
            starred: track.marks.starred_at.map(iso),
            album_id,
            artist_id: track.artists.first().map(|artist| artist.id.as_str().to_owned()),
            kind: Some("music".to_owned()),
            media_type: Some("song".to_owned()),
            played: track.marks.played_at.map(iso),
            music_brainz_id: Some(track.musicbrainz_id.clone().unwrap_or_default()),
            genres: Some(genres_to_wire(&track.genres)),
            artists: Some(artists_to_wire(&track.artists)),
            display_artist: Some(track.artist.clone()),
            display_album_artist: Some(track.album_artist.clone()),
            replay_gain: Some(ReplayGain {
                track_gain: measured(gain.track_gain),
                album_gain: measured(gain.album_gain),
                track_peak: measured(gain.track_peak),
                album_peak: measured(gain.album_peak),
                ..ReplayGain::default()
            }),
            bpm: track.details.bpm,
            comment: track.details.comment.clone(),
            sort_name: Some(track.details.sort_title.clone().unwrap_or_default()),
            isrc: Some(track.details.isrcs.clone()),
            album_artists: Some(artists_to_wire(&track.details.album_artists)),
            contributors: Some(details::contributors_to_wire(&track.details.credits)),
            display_composer: Some(track.details.line("composer")),
            moods: Some(track.details.moods.clone()),
            explicit_status: Some(details::explicit_to_wire(track.details.explicit)),
            works: Some(details::works_to_wire(&track.details.works)),
            movements: Some(details::movements_to_wire(&track.details.movements)),
            groupings: Some(track.details.groupings.clone()),
            ..Self::default()
        }
    }
}

impl From<&music::Album> for AlbumID3 {
    fn from(album: &music::Album) -> Self {
        Self {
            id: album.id.as_str().to_owned(),
            name: album.title.clone(),
            artist: text(&album.artist),
            artist_id: album.artists.first().map(|artist| artist.id.as_str().to_owned()),
            cover_art: album.cover.as_ref().map(|id| id.as_str().to_owned()),
            song_count: album.track_count,
            duration: seconds(album.duration_ms),
            play_count: Some(album.marks.play_count.into()),
            created: iso(album.added_at),
            starred: album.marks.starred_at.map(iso),
            year: album.year,
            genre: album.genres.first().cloned(),
            played: album.marks.played_at.map(iso),
            user_rating: rating(album.marks.rating),
            music_brainz_id: Some(album.musicbrainz_id.clone().unwrap_or_default()),
            genres: Some(genres_to_wire(&album.genres)),
            artists: Some(artists_to_wire(&album.artists)),
            display_artist: Some(album.artist.clone()),
            is_compilation: Some(album.compilation),
            version: album.details.version.clone(),
            record_labels: Some(details::labels_to_wire(&album.details.labels)),
            release_types: Some(album.details.release_types.clone()),
            moods: Some(album.details.moods.clone()),
            sort_name: Some(album.details.sort_title.clone().unwrap_or_default()),
            original_release_date: album.details.original_date.as_deref().map(details::date_to_wire),
            release_date: album.details.release_date.as_deref().map(details::date_to_wire),
            explicit_status: Some(details::explicit_to_wire(album.details.explicit)),
            disc_titles: Some(details::discs_to_wire(&album.details.disc_titles)),
            ..Self::default()
        }
    }
}

/// The album as the directory that the oldest endpoints show.
pub fn album_as_directory(album: &music::Album) -> Child {
    let wire = AlbumID3::from(album);
    Child {
        id: wire.id,
        parent: wire.artist_id.clone(),
        is_dir: true,
        title: wire.name.clone(),
        album: Some(wire.name),
        artist: wire.artist,
        artist_id: wire.artist_id,
        year: wire.year,
        genre: wire.genre,
        cover_art: wire.cover_art,
        duration: Some(wire.duration),
        play_count: wire.play_count,
        created: Some(wire.created),
        starred: wire.starred,
        user_rating: wire.user_rating,
        media_type: Some("album".to_owned()),
        music_brainz_id: wire.music_brainz_id,
        ..Child::default()
    }
}

impl From<&music::Artist> for ArtistID3 {
    fn from(artist: &music::Artist) -> Self {
        Self {
            id: artist.id.as_str().to_owned(),
            name: artist.name.clone(),
            cover_art: artist.cover.as_ref().map(|id| id.as_str().to_owned()),
            album_count: Some(artist.album_count),
            starred: artist.marks.starred_at.map(iso),
            user_rating: rating(artist.marks.rating),
            music_brainz_id: Some(artist.musicbrainz_id.clone().unwrap_or_default()),
            sort_name: Some(artist.sort_name.clone()),
            roles: Some(artist.roles.clone()),
            ..Self::default()
        }
    }
}

impl From<&music::Playlist> for Playlist {
    fn from(playlist: &music::Playlist) -> Self {
        Self {
            id: playlist.id.as_str().to_owned(),
            name: playlist.name.clone(),
            comment: Some(playlist.comment.clone()),
            owner: Some(playlist.owner.clone()),
            public: Some(playlist.public),
            song_count: playlist.track_count,
            duration: seconds(playlist.duration_ms),
            created: iso(playlist.created_at),
            changed: iso(playlist.changed_at),
            ..Self::default()
        }
    }
}

fn marks(starred: Option<&str>, rating: Option<u32>, plays: Option<u64>, played: Option<&str>) -> Marks {
    Marks {
        starred_at: starred.and_then(from_iso),
        rating: rating.filter(|rating| (1..=5).contains(rating)).unwrap_or(0) as u8,
        play_count: plays.unwrap_or(0).try_into().unwrap_or(u32::MAX),
        played_at: played.and_then(from_iso),
    }
}

pub(super) fn artists_from_wire(
    listed: Option<&[ArtistID3]>,
    id: Option<&String>,
    name: Option<&String>,
) -> Vec<ArtistRef> {
    let one_by_one: Vec<ArtistRef> = listed
        .unwrap_or_default()
        .iter()
        .filter(|artist| !artist.id.is_empty())
        .map(|artist| ArtistRef { id: artist.id.clone().into(), name: artist.name.clone() })
        .collect();
    match (one_by_one.is_empty(), id, name) {
        (true, Some(id), Some(name)) if !id.is_empty() => {
            vec![ArtistRef { id: id.clone().into(), name: name.clone() }]
        }
        _ => one_by_one,
    }
}

fn genres_from_wire(listed: Option<&[ItemGenre]>, first: Option<&String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let listed = listed.unwrap_or_default().iter().map(|genre| &genre.name);
    for name in listed.chain(first).filter(|name| !name.is_empty()) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn mime_of(suffix: &str) -> &'static str {
    match suffix {
        "mp3" => "audio/mpeg",
        "flac" => "audio/flac",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "m4a" | "mp4" | "m4b" => "audio/mp4",
        "aac" => "audio/aac",
        "wav" => "audio/wav",
        "aif" | "aiff" => "audio/aiff",
        _ => "application/octet-stream",
    }
}

fn non_empty(id: Option<&String>) -> Option<&String> {
    id.filter(|id| !id.is_empty())
}

/// The track behind a song of the wire; `None` for directories, videos and anything without an id.
pub fn track(child: &Child) -> Option<Track> {
    if child.id.is_empty() || child.is_dir || child.is_video == Some(true) {
        return None;
    }
    let suffix = match non_empty(child.suffix.as_ref()) {
        Some(suffix) => suffix.to_ascii_lowercase(),
        None => child
            .path
            .as_deref()
            .and_then(|path| path.rsplit('/').next())
            .and_then(|name| name.rsplit_once('.'))
            .map(|(_, suffix)| suffix.to_ascii_lowercase())
            .unwrap_or_default(),
    };
    let artist =
        non_empty(child.display_artist.as_ref()).or(child.artist.as_ref()).cloned().unwrap_or_default();
    let gain = child.replay_gain.as_ref();
    let gain_of = |pick: fn(&ReplayGain) -> Option<f64>| gain.and_then(pick).map(|value| value as f32);
    Some(Track {
        id: child.id.clone().into(),
        title: child.title.clone(),
        album_id: non_empty(child.album_id.as_ref())
            .or(non_empty(child.parent.as_ref()))
            .map(|id| id.clone().into()),
        album: child.album.clone().unwrap_or_default(),
        artists: artists_from_wire(child.artists.as_deref(), child.artist_id.as_ref(), child.artist.as_ref()),
        album_artist: non_empty(child.display_album_artist.as_ref())
            .cloned()
            .unwrap_or_else(|| artist.clone()),
        artist,
        disc: child.disc_number,
        number: child.track,
        year: child.year,
        genres: genres_from_wire(child.genres.as_deref(), child.genre.as_ref()),
        duration_ms: child.duration.unwrap_or(0).saturating_mul(1000),
        size: child.size.unwrap_or(0),
        content_type: match non_empty(child.content_type.as_ref()) {
            Some(content_type) => content_type.clone(),
            None => mime_of(&suffix).to_owned(),
        },
        suffix,
        bit_rate: child.bit_rate.filter(|rate| *rate > 0),
        sample_rate: child.sampling_rate.filter(|rate| *rate > 0),
        bit_depth: child.bit_depth.filter(|depth| *depth > 0),
        channels: child.channel_count.filter(|channels| *channels > 0),
        replay_gain: music::ReplayGain {
            track_gain: gain_of(|gain| gain.track_gain),
            album_gain: gain_of(|gain| gain.album_gain),
            track_peak: gain_of(|gain| gain.track_peak),
            album_peak: gain_of(|gain| gain.album_peak),
        },
        cover: non_empty(child.cover_art.as_ref()).map(|id| id.clone().into()),
        musicbrainz_id: non_empty(child.music_brainz_id.as_ref()).cloned(),
        added_at: child.created.as_deref().and_then(from_iso).unwrap_or(0),
        details: details::of_song(child),
        marks: marks(child.starred.as_deref(), child.user_rating, child.play_count, child.played.as_deref()),
    })
}

/// The album behind an album of the wire; `None` without an id.
pub fn album(wire: &AlbumID3) -> Option<music::Album> {
    (!wire.id.is_empty()).then(|| music::Album {
        id: wire.id.clone().into(),
        title: wire.name.clone(),
        artist: non_empty(wire.display_artist.as_ref()).or(wire.artist.as_ref()).cloned().unwrap_or_default(),
        artists: artists_from_wire(wire.artists.as_deref(), wire.artist_id.as_ref(), wire.artist.as_ref()),
        year: wire.year,
        genres: genres_from_wire(wire.genres.as_deref(), wire.genre.as_ref()),
        track_count: wire.song_count,
        duration_ms: wire.duration.saturating_mul(1000),
        cover: non_empty(wire.cover_art.as_ref()).map(|id| id.clone().into()),
        compilation: wire.is_compilation.unwrap_or(false),
        musicbrainz_id: non_empty(wire.music_brainz_id.as_ref()).cloned(),
        added_at: from_iso(&wire.created).unwrap_or(0),
        details: details::of_album(wire),
        marks: marks(wire.starred.as_deref(), wire.user_rating, wire.play_count, wire.played.as_deref()),
    })
}

/// The artist behind an artist of the wire; `None` without an id.
pub fn artist(wire: &ArtistID3) -> Option<music::Artist> {
    (!wire.id.is_empty()).then(|| music::Artist {
        id: wire.id.clone().into(),
        name: wire.name.clone(),
        sort_name: non_empty(wire.sort_name.as_ref()).unwrap_or(&wire.name).clone(),
        album_count: wire.album_count.unwrap_or(0),
        cover: non_empty(wire.cover_art.as_ref()).map(|id| id.clone().into()),
        musicbrainz_id: non_empty(wire.music_brainz_id.as_ref()).cloned(),
        roles: wire.roles.clone().unwrap_or_default(),
        marks: marks(wire.starred.as_deref(), wire.user_rating, None, None),
    })
}

/// The playlist behind a playlist of the wire; `None` without an id.
pub fn playlist(wire: &Playlist) -> Option<music::Playlist> {
    let created_at = from_iso(&wire.created);
    (!wire.id.is_empty()).then(|| music::Playlist {
        id: wire.id.clone().into(),
        name: if wire.name.is_empty() { "Untitled".to_owned() } else { wire.name.clone() },
        comment: wire.comment.clone().unwrap_or_default(),
        owner: wire.owner.clone().unwrap_or_default(),
        public: wire.public.unwrap_or(false),
        track_count: wire.song_count,
        duration_ms: wire.duration.saturating_mul(1000),
        created_at: created_at.unwrap_or(0),
        changed_at: from_iso(&wire.changed).or(created_at).unwrap_or(0),
        smart: wire.valid_until.is_some(),
    })
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
