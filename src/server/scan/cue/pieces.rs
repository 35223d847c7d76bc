//! What a cue sheet makes of a file: tracks with their places and tags, or more tags for the one track that it is.

use super::{
    Sheets,
    sheet::{Listed, PER_SECOND, Sheet},
};
use crate::{
    audio::Samples,
    catalog::Slice,
    music::{ReplayGain, TrackId},
    server::{
        scan::{
            said, shape,
            split::Splitter,
            tags::{Part, Tags, fenced},
        },
        slice,
        storage::{Source, Storage},
    },
};

/// A track that is a part of a file.
#[derive(Debug)]
pub(in crate::server::scan) struct Piece {
    pub(in crate::server::scan) slice: Slice,
    pub(in crate::server::scan) tags: Tags,
}

/// The id of a track that is a part of a file: it follows from the file's own and the number in the sheet, so that it stays
/// where the file's does.
pub(in crate::server::scan) fn id_of(whole: &TrackId, number: u32) -> TrackId {
    TrackId::new(shape::hash(&["slice".to_owned(), whole.as_str().to_owned(), number.to_string()]))
}

/// The tracks that a file is divided into by a sheet beside it or in its tags; none where it is one track, whose tags are then
/// completed. Also what is good to know about a sheet in its tags.
pub(in crate::server::scan) fn divided(
    source: &Source,
    tags: &mut Tags,
    (sheets, storage): (Option<&Sheets>, &Storage),
    splitter: &Splitter,
) -> (Vec<Piece>, Option<String>) {
    if let Some(sheets) = sheets
        && let Some((at, sheet, file)) = sheets.of_file(source.path(), storage)
    {
        let mut tracks = sheet.tracks_of(file).filter(|track| track.audio);
        match (tracks.next(), tracks.next()) {
            (Some(_), Some(_)) => match cut(source, tags, sheet, file, splitter) {
                Ok(pieces) => return (pieces, None),
                Err(why) => sheets.complain(at, why),
            },
            (Some(only), None) => complete(tags, sheet, only, splitter),
            (None, _) => {}
        }
    }
    let Some(text) = tags.cue.take() else { return (Vec::new(), None) };
    let cut = Sheet::parse_own(text.as_bytes()).and_then(|sheet| {
        if sheet.tracks_of(0).filter(|track| track.audio).count() > 1 {
            cut(source, tags, &sheet, 0, splitter)
        } else {
            Ok(Vec::new())
        }
    });
    match cut {
        Ok(pieces) => (pieces, None),
        Err(why) => (Vec::new(), Some(format!("the cue sheet in its tags is not used: {why}"))),
    }
}

/// Cuts a file where a sheet says.
fn cut(
    source: &Source,
    tags: &Tags,
    sheet: &Sheet,
    file: usize,
    splitter: &Splitter,
) -> Result<Vec<Piece>, String> {
    let path = source.path();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let suffix = path.extension().unwrap_or_default().to_string_lossy();
    let sound = fenced(|| {
        let media = source.open().map_err(|e| e.to_string())?;
        Samples::open(Box::new(media), &suffix).map_err(|e| e.reason)
    });
    let sound = sound.map_err(|why| format!("“{name}” is kept as one track: {why}"))?;
    let format = sound.format();
    let (rate, channels) = (format.sample_rate, u32::from(format.channels));
    let bits = if format.bit_depth.is_some_and(|bits| bits > 16) { 24 } else { 16 };
    let stated = tags.duration_ms.saturating_mul(rate.into()) / 1000;
    let total = sound.frames().filter(|frames| *frames > 0).unwrap_or(stated);
    let listed: Vec<&Listed> = sheet.tracks_of(file).collect();
    let mut pieces = Vec::with_capacity(listed.len());
    for (at, track) in listed.iter().enumerate().filter(|(_, track)| track.audio) {
        let frame = |track: &Listed| track.start.saturating_mul(rate.into()) / PER_SECOND;
        // What lies before the first track belongs to it: nothing of the file is lost.
        let first = if at == 0 { 0 } else { frame(track) };
        let end = listed.get(at + 1).map_or(total, |next| frame(next).min(total));
        let slice = Slice { number: track.number, first, end, rate, channels, bits };
        if first >= end {
            return Err(format!("track {} of this cue sheet lies behind the end of “{name}”", track.number));
        }
        if !slice::fits(&slice) {
            return Err(format!(
                "track {} of this cue sheet would be larger than 4 GB as a WAV file",
                track.number
            ));
        }
        pieces.push(Piece { tags: of_track(tags, sheet, track, &slice, splitter), slice });
    }
    Ok(pieces)
}

/// What is known of a part: what the sheet says, and what holds for all parts by the tags of the file.
fn of_track(file: &Tags, sheet: &Sheet, track: &Listed, slice: &Slice, splitter: &Splitter) -> Tags {
    let mut tags = Tags {
        title: Some(track.title.clone().unwrap_or_else(|| format!("Track {:02}", track.number))),
        number: Some(track.number),
        disc: sheet.disc.or(file.disc),
        recording_mbid: None,
        sort_title: None,
        isrcs: track.isrc.iter().cloned().collect(),
        works: Vec::new(),
        movements: Vec::new(),
        bpm: None,
        cue: None,
        lyrics: Vec::new(),
        duration_ms: (slice.end - slice.first).saturating_mul(1000) / u64::from(slice.rate.max(1)),
        bit_rate: Some((u64::from(slice.rate) * u64::from(slice.channels * slice.bits) / 1000) as u32),
        sample_rate: Some(slice.rate),
        bit_depth: Some(slice.bits),
        channels: Some(slice.channels),
        suffix: "wav",
        content_type: "audio/wav",
        // What the file says of its track is said of all of it.
        gain: ReplayGain {
            track_gain: track.gain.track_gain,
            track_peak: track.gain.track_peak,
            album_gain: sheet.gain.album_gain.or(file.gain.album_gain).or(file.gain.track_gain),
            album_peak: sheet.gain.album_peak.or(file.gain.album_peak).or(file.gain.track_peak),
        },
        ..file.clone()
    };
    if let Some(album) = &sheet.title {
        tags.album = Some(album.clone());
    }
    if let Some(line) = &sheet.performer
        && file.album_artist.as_ref() != Some(line)
    {
        tags.album_artists = splitter.artists(&[line], false);
        tags.album_artist = Some(line.clone());
        (tags.album_artist_sorts, tags.album_artist_mbids) = (Vec::new(), Vec::new());
    }
    if let Some(line) = track.performer.as_ref().or(sheet.performer.as_ref())
        && file.artist.as_ref() != Some(line)
    {
        tags.artists = splitter.artists(&[line], false);
        tags.artist = Some(line.clone());
        (tags.artist_sorts, tags.artist_mbids) = (Vec::new(), Vec::new());
    }
    if let Some(year) = track.date.as_ref().or(sheet.date.as_ref()).and_then(|date| said::year(date)) {
        tags.year = Some(year);
    }
    if let Some(genre) = track.genre.as_ref().or(sheet.genre.as_ref()) {
        tags.genres = splitter.genres(&[genre], false);
    }
    if let Some(line) = track.songwriter.as_ref().or(sheet.songwriter.as_ref()) {
        tags.parts.retain(|part| part.role != "writer");
        tags.parts.extend(writers(line, splitter));
    }
    tags
}

fn writers(line: &str, splitter: &Splitter) -> impl Iterator<Item = Part> {
    let names = splitter.artists(&[line], false).into_iter();
    names.map(|name| Part { role: "writer", name, detail: None, sort: None })
}

/// What a sheet says of a file that is one of its tracks, where the file itself is silent.
fn complete(tags: &mut Tags, sheet: &Sheet, track: &Listed, splitter: &Splitter) {
    let fill = |place: &mut Option<String>, said: Option<&String>| {
        if place.is_none() {
            *place = said.cloned();
        }
    };
    if tags.artist.is_none()
        && tags.artists.is_empty()
        && let Some(line) = track.performer.as_ref().or(sheet.performer.as_ref())
    {
        tags.artists = splitter.artists(&[line], false);
        tags.artist = Some(line.clone());
    }
    if tags.album_artist.is_none()
        && !tags.compilation
        && let Some(line) = &sheet.performer
    {
        tags.album_artists = splitter.artists(&[line], false);
        tags.album_artist = Some(line.clone());
    }
    fill(&mut tags.title, track.title.as_ref());
    fill(&mut tags.album, sheet.title.as_ref());
    tags.number = tags.number.or(Some(track.number));
    tags.disc = tags.disc.or(sheet.disc);
    let date = track.date.as_ref().or(sheet.date.as_ref());
    tags.year = tags.year.or_else(|| said::year(date?));
    if let Some(genre) = track.genre.as_ref().or(sheet.genre.as_ref())
        && tags.genres.is_empty()
    {
        tags.genres = splitter.genres(&[genre], false);
    }
    if tags.isrcs.is_empty() {
        tags.isrcs.extend(track.isrc.clone());
    }
    if let Some(line) = track.songwriter.as_ref().or(sheet.songwriter.as_ref())
        && tags.parts.iter().all(|part| part.role != "writer")
    {
        tags.parts.extend(writers(line, splitter));
    }
    let gain = &mut tags.gain;
    gain.track_gain = gain.track_gain.or(track.gain.track_gain);
    gain.track_peak = gain.track_peak.or(track.gain.track_peak);
    gain.album_gain = gain.album_gain.or(sheet.gain.album_gain);
    gain.album_peak = gain.album_peak.or(sheet.gain.album_peak);
}
