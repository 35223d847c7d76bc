//! Reading one file's tags and properties with lofty, behind fences: a limit on what a tag may allocate, and a stop
//! for panics. What comes out is plain data; `shape` makes rows of it.

use std::{
    any::Any,
    cell::Cell,
    fs::File,
    io::BufReader,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use lofty::{
    config::{GlobalOptions, ParseOptions, apply_global_options},
    file::FileType,
    picture::{Picture, PictureType},
    prelude::*,
    probe::Probe,
    tag::Tag,
};
use sha2::{Digest, Sha256};

use super::{adts, lyrics};
use crate::music::{CoverId, Lyrics, ReplayGain};

/// Largest single item of a tag that is read, in bytes; a tag that claims more is refused, not allocated.
const ALLOCATION: usize = 16 << 20;
/// Bytes of junk that are searched for the beginning of the sound.
const JUNK: usize = 64 << 10;
/// Longest sound that is believed: a week, in ms.
const LONGEST_MS: u64 = 7 * 24 * 3600 * 1000;

/// What one music file says of itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Tags {
    pub(super) title: Option<String>,
    pub(super) album: Option<String>,
    pub(super) artist: Option<String>,
    pub(super) artists: Vec<String>,
    pub(super) artist_sorts: Vec<String>,
    pub(super) artist_mbids: Vec<String>,
    pub(super) album_artist: Option<String>,
    pub(super) album_artists: Vec<String>,
    pub(super) album_artist_sorts: Vec<String>,
    pub(super) album_artist_mbids: Vec<String>,
    pub(super) compilation: bool,
    pub(super) disc: Option<u32>,
    pub(super) number: Option<u32>,
    pub(super) year: Option<i32>,
    pub(super) genres: Vec<String>,
    pub(super) recording_mbid: Option<String>,
    pub(super) release_mbid: Option<String>,
    pub(super) gain: ReplayGain,
    pub(super) duration_ms: u64,
    pub(super) bit_rate: Option<u32>,
    pub(super) sample_rate: Option<u32>,
    pub(super) bit_depth: Option<u32>,
    pub(super) channels: Option<u32>,
    pub(super) suffix: &'static str,
    pub(super) content_type: &'static str,
    pub(super) cover: Option<CoverId>,
    pub(super) lyrics: Vec<Lyrics>,
}

/// Reads a file. The error is a sentence for the listener.
pub(super) fn read(path: &Path) -> Result<Tags, String> {
    fenced(|| {
        let (file_type, tags, properties) = match parse(path, true, true) {
            Ok(parsed) => parsed,
            // A picture beyond the limit must not cost the music.
            Err(first) => parse(path, true, false).map_err(|_| first)?,
        };
        let (suffix, content_type) = format(file_type, path)?;
        let stated = u64::try_from(properties.duration().as_millis()).unwrap_or(u64::MAX);
        let counted =
            if file_type == FileType::Aac { File::open(path).ok().and_then(adts::duration_ms) } else { None };
        let duration_ms = counted.unwrap_or(stated);
        if duration_ms == 0 {
            return Err("it holds no sound".to_owned());
        }
        if duration_ms > LONGEST_MS {
            return Err("it claims to be longer than a week, so its header is damaged".to_owned());
        }
        if properties.channels() == Some(0)
            || properties.sample_rate().is_some_and(|r| r == 0 || r > 1_536_000)
        {
            return Err("its header names an impossible sample rate or number of channels".to_owned());
        }
        let mut read = from_tags(&tags);
        read.lyrics = lyrics::embedded(&tags);
        (read.suffix, read.content_type, read.duration_ms) = (suffix, content_type, duration_ms);
        read.bit_rate = properties.audio_bitrate().or(properties.overall_bitrate()).filter(|b| *b > 0);
        read.sample_rate = properties.sample_rate();
        read.bit_depth = properties.bit_depth().map(u32::from);
        read.channels = properties.channels().map(u32::from);
        read.cover = front(&tags).map(|p| cover_id(p.data()));
        Ok(read)
    })
}

/// Reads a file for whoever looks for faults in reading: asserts what every track must keep to, and says in short what came
/// of it.
pub(in crate::server) fn try_read(path: &Path) -> (Option<&'static str>, usize, bool, usize) {
    let Ok(tags) = read(path) else { return (None, 0, false, 0) };
    assert!((1..=LONGEST_MS).contains(&tags.duration_ms));
    assert!(tags.sample_rate.is_none_or(|rate| rate > 0) && tags.channels.is_none_or(|count| count > 0));
    assert!(tags.year.is_none_or(|year| year > 0) && tags.number != Some(0) && tags.disc != Some(0));
    let words = [&tags.title, &tags.album, &tags.artist, &tags.album_artist];
    let all = words.into_iter().flatten().chain(&tags.artists).chain(&tags.genres);
    assert!(all.clone().all(|word| !word.is_empty() && word.trim() == word && !word.contains('\0')));
    if let Some(cover) = &tags.cover {
        assert!(picture(path, cover).is_some_and(|bytes| cover_id(&bytes) == *cover));
    }
    (Some(tags.suffix), all.count(), tags.cover.is_some(), tags.lyrics.len())
}

/// The embedded picture of a file that has this id, with its MIME type where the tag says it.
pub(super) fn picture(path: &Path, id: &CoverId) -> Option<Vec<u8>> {
    let (_, tags, _) = fenced(|| parse(path, false, true)).ok()?;
    let picture = tags.iter().flat_map(Tag::pictures).find(|p| cover_id(p.data()) == *id)?;
    Some(picture.data().to_vec())
}

/// The id of a picture: the beginning of a hash of its bytes, so that the same picture has one id everywhere.
pub(super) fn cover_id(bytes: &[u8]) -> CoverId {
    CoverId::new(hex(&Sha256::digest(bytes), 16))
}

/// The first `bytes` of a hash in hexadecimal.
pub(super) fn hex(digest: &[u8], bytes: usize) -> String {
    use std::fmt::Write as _;
    digest.iter().take(bytes).fold(String::with_capacity(bytes * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

thread_local! {
    static FENCED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in a parser whose panics are caught and reported as a broken file. A panic hook that
/// clears the screen should stay quiet then.
pub fn in_fence() -> bool {
    FENCED.get()
}

/// Runs a parser; a panic in it becomes an error.
pub(in crate::server) fn fenced<T>(parse: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    FENCED.set(true);
    let result = catch_unwind(AssertUnwindSafe(parse));
    FENCED.set(false);
    result.unwrap_or_else(|panic| {
        Err(format!("reading it failed in an unforeseen way ({})", panic_text(&*panic)))
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given")
}

type Parsed = (FileType, Vec<Tag>, lofty::properties::FileProperties);

fn parse(path: &Path, properties: bool, pictures: bool) -> Result<Parsed, String> {
    // The limit belongs to the thread, and any thread of the pool may come here.
    apply_global_options(GlobalOptions::new().use_custom_resolvers(false).allocation_limit(ALLOCATION));
    let options =
        ParseOptions::new().read_properties(properties).read_cover_art(pictures).max_junk_bytes(JUNK);
    let file = File::open(path).map_err(|e| format!("it cannot be opened: {e}"))?;
    let probe = Probe::new(BufReader::with_capacity(32 << 10, file))
        .options(options)
        .guess_file_type()
        .map_err(|e| format!("it cannot be read: {e}"))?;
    if probe.file_type().is_none() {
        return Err("it is not music in a format that Segue knows".to_owned());
    }
    let file = probe.read().map_err(|e| format!("its content is damaged: {e}"))?;
    let primary = file.primary_tag_type();
    let mut tags: Vec<Tag> = file.tags().to_vec();
    // The format's own kind of tag speaks first; others fill in what it leaves out.
    tags.sort_by_key(|t| t.tag_type() != primary);
    Ok((file.file_type(), tags, file.properties().clone()))
}

/// Extension and MIME type that go with the content, whatever the file is called.
fn format(file_type: FileType, path: &Path) -> Result<(&'static str, &'static str), String> {
    let named = |name: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(name));
    Ok(match file_type {
        FileType::Mpeg if named("mp2") => ("mp2", "audio/mpeg"),
        FileType::Mpeg => ("mp3", "audio/mpeg"),
        FileType::Flac => ("flac", "audio/flac"),
        FileType::Opus if named("ogg") || named("oga") => ("ogg", "audio/ogg"),
        FileType::Opus => ("opus", "audio/ogg"),
        FileType::Vorbis => ("ogg", "audio/ogg"),
        FileType::Mp4 => ("m4a", "audio/mp4"),
        FileType::Aac => ("aac", "audio/aac"),
        FileType::Wav => ("wav", "audio/wav"),
        FileType::Aiff => ("aiff", "audio/aiff"),
        other => return Err(format!("it is {other:?}, which Segue cannot play")),
    })
}

fn from_tags(tags: &[Tag]) -> Tags {
    let artists = values(tags, &[ItemKey::TrackArtist]);
    let credited = values(tags, &[ItemKey::TrackArtists]);
    let album_artists = values(tags, &[ItemKey::AlbumArtist]);
    let credited_albums = values(tags, &[ItemKey::AlbumArtists]);
    Tags {
        title: one(tags, ItemKey::TrackTitle),
        album: one(tags, ItemKey::AlbumTitle),
        artist: joined(&artists).or_else(|| joined(&credited)),
        artists: if credited.is_empty() { artists } else { credited },
        artist_sorts: values(tags, &[ItemKey::TrackArtistSortOrder]),
        artist_mbids: values(tags, &[ItemKey::MusicBrainzArtistId]),
        album_artist: joined(&album_artists).or_else(|| joined(&credited_albums)),
        album_artists: if credited_albums.is_empty() { album_artists } else { credited_albums },
        album_artist_sorts: values(tags, &[ItemKey::AlbumArtistSortOrder]),
        album_artist_mbids: values(tags, &[ItemKey::MusicBrainzReleaseArtistId]),
        compilation: one(tags, ItemKey::FlagCompilation)
            .is_some_and(|v| v == "1" || v.eq_ignore_ascii_case("true")),
        disc: tags.iter().find_map(Accessor::disk).filter(|n| *n > 0),
        number: tags.iter().find_map(Accessor::track).filter(|n| *n > 0),
        year: values(
            tags,
            &[ItemKey::RecordingDate, ItemKey::Year, ItemKey::ReleaseDate, ItemKey::OriginalReleaseDate],
        )
        .first()
        .and_then(|date| year(date)),
        genres: values(tags, &[ItemKey::Genre]).iter().flat_map(|g| split_genres(g)).fold(
            Vec::new(),
            |mut all, genre| {
                if !all.contains(&genre) {
                    all.push(genre);
                }
                all
            },
        ),
        recording_mbid: one(tags, ItemKey::MusicBrainzRecordingId),
        release_mbid: one(tags, ItemKey::MusicBrainzReleaseId),
        gain: ReplayGain {
            track_gain: gain(tags, ItemKey::ReplayGainTrackGain, ItemKey::R128TrackGain),
            album_gain: gain(tags, ItemKey::ReplayGainAlbumGain, ItemKey::R128AlbumGain),
            track_peak: peak(tags, ItemKey::ReplayGainTrackPeak),
            album_peak: peak(tags, ItemKey::ReplayGainAlbumPeak),
        },
        ..Tags::default()
    }
}

/// All values under the first key that has any, from the first tag that has it; trimmed, NULs split, none empty.
fn values(tags: &[Tag], keys: &[ItemKey]) -> Vec<String> {
    let candidates = keys.iter().flat_map(|key| tags.iter().map(move |tag| (tag, *key)));
    for (tag, key) in candidates {
        let found: Vec<String> = tag
            .get_strings(key)
            .flat_map(|v| v.split('\0'))
            .map(|v| v.trim().to_owned())
            .filter(|v| !v.is_empty())
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn one(tags: &[Tag], key: ItemKey) -> Option<String> {
    values(tags, &[key]).into_iter().next()
}

fn joined(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(", "))
}

/// The year that a date begins with, in any of the usual notations ("1999", "1999-12-31", "31.12.1999").
fn year(date: &str) -> Option<i32> {
    date.split(|c: char| !c.is_ascii_digit())
        .find(|n| n.len() == 4)
        .and_then(|n| n.parse().ok())
        .filter(|y| *y > 0)
}

fn split_genres(text: &str) -> impl Iterator<Item = String> {
    text.split(';').map(|g| g.trim().to_owned()).filter(|g| !g.is_empty())
}

/// A gain in dB to the ReplayGain 2.0 reference of -18 LUFS. Opus files have theirs as a Q7.8 number to -23 LUFS (RFC 7845,
/// section 5.2.1), which is 5 dB quieter.
fn gain(tags: &[Tag], replay_gain: ItemKey, r128: ItemKey) -> Option<f32> {
    let plain = one(tags, replay_gain).and_then(|v| {
        let number = v.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c.is_whitespace());
        number.trim().replace(',', ".").parse::<f32>().ok()
    });
    let fixed = || one(tags, r128).and_then(|v| v.parse::<i16>().ok()).map(|q| f32::from(q) / 256.0 + 5.0);
    plain.or_else(fixed).filter(|g| g.is_finite() && g.abs() <= 64.0)
}

fn peak(tags: &[Tag], key: ItemKey) -> Option<f32> {
    one(tags, key)?
        .replace(',', ".")
        .parse::<f32>()
        .ok()
        .filter(|p| p.is_finite() && (0.0..=64.0).contains(p))
}

/// The front cover, or else the first picture that is more than an icon.
fn front(tags: &[Tag]) -> Option<&Picture> {
    let pictures = || tags.iter().flat_map(Tag::pictures).filter(|p| !p.data().is_empty());
    pictures()
        .find(|p| p.pic_type() == PictureType::CoverFront)
        .or_else(|| pictures().find(|p| !matches!(p.pic_type(), PictureType::Icon | PictureType::OtherIcon)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panicking_parser_is_a_broken_file() {
        let result: Result<(), String> = fenced(|| {
            assert!(in_fence());
            panic!("out of sorts")
        });
        assert!(result.unwrap_err().contains("out of sorts"));
        assert!(!in_fence());
    }

    #[test]
    fn years_in_all_notations() {
        for (date, expected) in [
            ("1999", Some(1999)),
            ("2001-02-03", Some(2001)),
            ("31.12.1987", Some(1987)),
            ("2015-05-01T10:00:00", Some(2015)),
            ("99", None),
            ("0000", None),
            ("soon", None),
        ] {
            assert_eq!(year(date), expected, "{date}");
        }
    }
}
