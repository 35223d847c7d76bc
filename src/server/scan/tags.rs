//! Reading one file's tags and properties with lofty, behind fences: a limit on what a tag may allocate and on what may be read
//! of a file, and a stop for panics. `native` puts each format's tags into one vocabulary, `said` understands them; what comes
//! out is plain data, and `shape` makes rows of it.

use std::{
    any::Any,
    borrow::Cow,
    cell::Cell,
    error::Error,
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use lofty::{
    aac::AacFile,
    ape::ApeFile,
    config::{GlobalOptions, ParseOptions, ParsingMode, apply_global_options},
    error::AllocationError,
    file::FileType,
    flac::FlacFile,
    iff::{aiff::AiffFile, wav::WavFile},
    mp4::Mp4File,
    mpeg::MpegFile,
    musepack::MpcFile,
    ogg::{OggPictureStorage, OpusFile, VorbisFile},
    picture::{Picture, PictureType},
    prelude::*,
    probe::Probe,
    properties::FileProperties,
    tag::Tag,
    wavpack::WavPackFile,
};
use sha2::{Digest, Sha256};

use super::{
    adts,
    fields::Field,
    lyrics,
    native::{self, Found},
    packed,
    pages::Pages,
    said,
    split::{SplitRules, Splitter},
};
use crate::music::{AlbumDetails, CoverId, Explicit, Lyrics, Movement, ReplayGain, Work};
use crate::server::storage::Source;

/// Largest single item of a tag that is read, in bytes; a tag that claims more is refused, not allocated.
const ALLOCATION: usize = 16 << 20;
/// Most that is read of one file for its tags, in bytes. It bounds the memory that many items take together.
const READ: u64 = 64 << 20;
/// Bytes of junk that are searched for the beginning of the sound.
const JUNK: usize = 64 << 10;
/// Longest sound that is believed: a week, in ms.
const LONGEST_MS: u64 = 7 * 24 * 3600 * 1000;

/// Somebody's part in a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) role: &'static str,
    pub(super) name: String,
    /// What a performer plays.
    pub(super) detail: Option<String>,
    pub(super) sort: Option<String>,
}

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
    pub(super) parts: Vec<Part>,
    pub(super) sort_title: Option<String>,
    pub(super) moods: Vec<String>,
    pub(super) groupings: Vec<String>,
    pub(super) isrcs: Vec<String>,
    pub(super) works: Vec<Work>,
    pub(super) movements: Vec<Movement>,
    pub(super) bpm: Option<u32>,
    pub(super) comment: Option<String>,
    pub(super) explicit: Option<Explicit>,
    pub(super) original_date: Option<String>,
    pub(super) disc_title: Option<String>,
    /// What it says of its album.
    pub(super) of_album: AlbumDetails,
    /// A cue sheet in its tags.
    pub(super) cue: Option<String>,
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
pub(super) fn read(source: &Source, splitter: &Splitter) -> Result<Tags, String> {
    fenced(|| match open(source, true, true, |opened| tags(source, splitter, opened)) {
        Ok(read) => read,
        // A picture beyond the limit must not cost the music.
        Err(first) => {
            open(source, true, false, |opened| tags(source, splitter, opened)).map_err(|_| first)?
        }
    })
}

fn tags(source: &Source, splitter: &Splitter, opened: Opened<'_>) -> Result<Tags, String> {
    let Opened { file_type, mut found, properties } = opened;
    let (suffix, content_type) = format(file_type, source.path())?;
    let stated = u64::try_from(properties.duration().as_millis()).unwrap_or(u64::MAX);
    let counted =
        if file_type == FileType::Aac { source.open().ok().and_then(adts::duration_ms) } else { None };
    let duration_ms = counted.unwrap_or(stated);
    if duration_ms == 0 {
        return Err("it holds no sound".to_owned());
    }
    if duration_ms > LONGEST_MS {
        return Err("it claims to be longer than a week, so its header is damaged".to_owned());
    }
    if properties.channels() == Some(0) || properties.sample_rate().is_some_and(|r| r == 0 || r > 1_536_000) {
        return Err("its header names an impossible sample rate or number of channels".to_owned());
    }
    for text in found.said.all(Field::Lyrics) {
        found.lyrics.extend(Lyrics::parse(&text, ""));
    }
    let mut read = said::understand(&found.said, splitter);
    read.lyrics = lyrics::sorted(found.lyrics);
    (read.suffix, read.content_type, read.duration_ms) = (suffix, content_type, duration_ms);
    read.bit_rate = properties.audio_bitrate().or(properties.overall_bitrate()).filter(|b| *b > 0);
    read.sample_rate = properties.sample_rate();
    read.bit_depth = properties.bit_depth().map(u32::from);
    read.channels = properties.channels().map(u32::from);
    read.cover = front(&found.pictures).map(|p| cover_id(p.data()));
    Ok(read)
}

/// Reads a file for whoever looks for faults in reading: asserts what every track must keep to, and says in short what came
/// of it.
pub(in crate::server) fn try_read(path: &Path) -> (Option<&'static str>, usize, bool, usize) {
    let splitter = Splitter::new(&SplitRules::default());
    let source = Source::File(path.to_owned());
    let Ok(tags) = read(&source, &splitter) else { return (None, 0, false, 0) };
    assert!((1..=LONGEST_MS).contains(&tags.duration_ms));
    assert!(tags.sample_rate.is_none_or(|rate| rate > 0) && tags.channels.is_none_or(|count| count > 0));
    assert!(tags.year.is_none_or(|year| year > 0) && tags.number != Some(0) && tags.disc != Some(0));
    let words = [&tags.title, &tags.album, &tags.artist, &tags.album_artist];
    let all = words.into_iter().flatten().chain(&tags.artists).chain(&tags.genres);
    assert!(all.clone().all(|word| !word.is_empty() && word.trim() == word && !word.contains('\0')));
    if let Some(cover) = &tags.cover {
        assert!(picture(&source, cover).is_some_and(|bytes| cover_id(&bytes) == *cover));
    }
    (Some(tags.suffix), all.count(), tags.cover.is_some(), tags.lyrics.len())
}

/// The embedded picture of a file that has this id.
pub(super) fn picture(source: &Source, id: &CoverId) -> Option<Vec<u8>> {
    let find = |opened: Opened<'_>| {
        let picture = opened.found.pictures.iter().find(|p| cover_id(p.data()) == *id)?;
        Some(picture.data().to_vec())
    };
    fenced(|| open(source, false, true, find)).ok()?
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

/// A file that was read, while it is open.
struct Opened<'f> {
    file_type: FileType,
    found: Found<'f>,
    properties: FileProperties,
}

/// Reads a file and hands over what is in it.
fn open<T>(
    source: &Source,
    properties: bool,
    pictures: bool,
    then: impl FnOnce(Opened<'_>) -> T,
) -> Result<T, String> {
    // The limit belongs to the thread, and any thread of the pool may come here.
    apply_global_options(GlobalOptions::new().use_custom_resolvers(false).allocation_limit(ALLOCATION));
    let unpacks = packed::unpacks_beyond(source, ALLOCATION as u64);
    let too_much = unpacks.map_err(|e| format!("it cannot be read: {e}"))?;
    // What unpacks to more than anybody writes must cost neither memory nor the music. Relaxed: a date that is none, or a text in
    // no encoding, is left out alone.
    let options = ParseOptions::new()
        .read_tags(!too_much)
        .read_properties(properties)
        .read_cover_art(pictures)
        .parsing_mode(ParsingMode::Relaxed)
        .max_junk_bytes(JUNK);
    let file = source.open().map_err(|e| format!("it cannot be opened: {e}"))?;
    let pages = Pages::new(file, READ).map_err(|e| format!("it cannot be read: {e}"))?;
    let probe = Probe::new(pages)
        .options(options)
        .guess_file_type()
        .map_err(|e| format!("it cannot be read: {e}"))?;
    let Some(file_type) = probe.file_type() else {
        return Err("it is not music in a format that Segue knows".to_owned());
    };
    let mut pages = probe.into_inner();
    macro_rules! read {
        ($kind:ty, |$file:ident, $found:ident| $take:block) => {{
            let $file = <$kind>::read_from(&mut pages, options).map_err(|e| damage(&e))?;
            let mut $found = Found::default();
            $take
            let properties = properties_of(&$file);
            Ok(then(Opened { file_type, found: $found, properties }))
        }};
    }
    match file_type {
        FileType::Mpeg => read!(MpegFile, |file, found| {
            file.id3v2().into_iter().for_each(|tag| native::id3v2(tag, &mut found));
            file.ape().into_iter().for_each(|tag| native::ape(tag, &mut found));
            if let Some(tag) = file.id3v1().filter(|_| lacking(&found)) {
                native::plain(&Tag::from(tag.clone()), &mut found);
            }
        }),
        FileType::Flac => read!(FlacFile, |file, found| {
            file.vorbis_comments().into_iter().for_each(|tag| native::vorbis(tag, &mut found));
            file.id3v2().into_iter().for_each(|tag| native::id3v2(tag, &mut found));
            found.pictures.extend(file.pictures().iter().map(|(picture, _)| Cow::Borrowed(picture)));
        }),
        FileType::Opus => read!(OpusFile, |file, found| {
            native::vorbis(file.vorbis_comments(), &mut found);
        }),
        FileType::Vorbis => read!(VorbisFile, |file, found| {
            native::vorbis(file.vorbis_comments(), &mut found);
        }),
        FileType::Mp4 => read!(Mp4File, |file, found| {
            file.ilst().into_iter().for_each(|tag| native::mp4(tag, &mut found));
        }),
        FileType::Aac => read!(AacFile, |file, found| {
            file.id3v2().into_iter().for_each(|tag| native::id3v2(tag, &mut found));
        }),
        FileType::Wav => read!(WavFile, |file, found| {
            file.id3v2().into_iter().for_each(|tag| native::id3v2(tag, &mut found));
            if let Some(tag) = file.riff_info().filter(|_| lacking(&found)) {
                native::plain(&Tag::from(tag.clone()), &mut found);
            }
        }),
        FileType::Aiff => read!(AiffFile, |file, found| {
            file.id3v2().into_iter().for_each(|tag| native::id3v2(tag, &mut found));
            if let Some(tag) = file.text_chunks().filter(|_| lacking(&found)) {
                native::plain(&Tag::from(tag.clone()), &mut found);
            }
        }),
        FileType::Ape => read!(ApeFile, |file, found| {
            file.ape().into_iter().for_each(|tag| native::ape(tag, &mut found));
            file.id3v2().into_iter().for_each(|tag| native::id3v2(tag, &mut found));
        }),
        FileType::WavPack => read!(WavPackFile, |file, found| {
            file.ape().into_iter().for_each(|tag| native::ape(tag, &mut found));
        }),
        FileType::Mpc => read!(MpcFile, |file, found| {
            file.ape().into_iter().for_each(|tag| native::ape(tag, &mut found));
            file.id3v2().into_iter().for_each(|tag| native::id3v2(tag, &mut found));
        }),
        other => Err(format!("it is {other:?}, which Segue cannot play")),
    }
}

fn properties_of<F: AudioFile>(file: &F) -> FileProperties
where
    F::Properties: Clone,
    FileProperties: From<F::Properties>,
{
    file.properties().clone().into()
}

/// Whether the tags so far leave out what even the smallest old tag has.
fn lacking(found: &Found<'_>) -> bool {
    [Field::Title, Field::Artist, Field::Album].iter().any(|field| found.said.one(&[*field]).is_none())
}

/// Why a file could not be read, in a sentence.
fn damage(error: &(dyn Error + 'static)) -> String {
    let mut cause = Some(error);
    while let Some(this) = cause {
        if this.is::<AllocationError>() {
            return format!("a part of its tags is larger than {} MB", ALLOCATION >> 20);
        }
        if this.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::FileTooLarge) {
            return format!("its tags are larger than {} MB", READ >> 20);
        }
        cause = this.source();
    }
    format!("its content is damaged: {error}")
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
        FileType::Ape => ("ape", "audio/x-ape"),
        FileType::WavPack => ("wv", "audio/x-wavpack"),
        FileType::Mpc => ("mpc", "audio/x-musepack"),
        other => return Err(format!("it is {other:?}, which Segue cannot play")),
    })
}

/// The front cover, or else the first picture that is more than an icon.
fn front<'p>(pictures: &'p [Cow<'_, Picture>]) -> Option<&'p Picture> {
    let pictures = || pictures.iter().map(AsRef::as_ref).filter(|p| !p.data().is_empty());
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
}
