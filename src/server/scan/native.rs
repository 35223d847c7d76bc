//! Each format's own tags, put into the one vocabulary of `fields`, with their pictures and synced lyrics.
//!
//! Values that a format keeps apart stay apart here: NUL in `ID3v2.4` and APE, repeated fields in Vorbis comments, several `data`
//! atoms in MP4. `ID3v2.3` has slashes, and those are left for the rules of `split`, because names have slashes too.

use std::borrow::Cow;

use lofty::{
    ape::ApeTag,
    id3::v2::{Frame, Id3v2Tag, Id3v2Version, KeyValueFrame},
    mp4::{Atom, AtomData, AtomIdent, Ilst},
    ogg::{OggPictureStorage, tag::VorbisComments},
    picture::Picture,
    prelude::*,
    tag::{ItemValue, Tag},
};

use super::{
    fields::{Field, Fields, Said},
    lyrics,
};
use crate::music::Lyrics;

/// What the tags of a file hold.
#[derive(Debug, Default)]
pub(super) struct Found<'f> {
    pub(super) said: Said,
    pub(super) pictures: Vec<Cow<'f, Picture>>,
    pub(super) lyrics: Vec<Lyrics>,
}

/// Frames of `ID3v2` with text, by name.
const FRAMES: &[(&str, Field)] = &[
    ("TIT2", Field::Title),
    ("TPE1", Field::Artist),
    ("TALB", Field::Album),
    ("TPE2", Field::AlbumArtist),
    ("TRCK", Field::Track),
    ("TCOM", Field::Composer),
    ("TPOS", Field::Disc),
    ("TSOT", Field::TitleSort),
    ("TSOP", Field::ArtistSort),
    ("TSOA", Field::AlbumSort),
    ("TSO2", Field::AlbumArtistSort),
    ("TSOC", Field::ComposerSort),
    ("TPE3", Field::Conductor),
    ("TPE4", Field::Remixer),
    ("TEXT", Field::Lyricist),
    ("TSST", Field::DiscTitle),
    ("TMOO", Field::Mood),
    ("TPUB", Field::Label),
    ("TCMP", Field::Compilation),
    ("TBPM", Field::Bpm),
    ("TSRC", Field::Isrc),
    ("TIT1", Field::Grouping),
    ("GRP1", Field::Grouping),
    ("MVNM", Field::Movement),
    ("MVIN", Field::MovementNumber),
    // Years that are no dates stay texts.
    ("TYER", Field::Date),
    ("TORY", Field::OriginalDate),
];

/// Names of jobs in the lists of people of `ID3v2` (TIPL and IPLS).
fn job(word: &str) -> Option<Field> {
    Some(match word.to_ascii_lowercase().as_str() {
        "arranger" => Field::Arranger,
        "producer" => Field::Producer,
        "director" => Field::Director,
        "engineer" => Field::Engineer,
        "mix" | "mixer" => Field::Mixer,
        "dj-mix" | "djmixer" => Field::DjMixer,
        "remixer" => Field::Remixer,
        "composer" => Field::Composer,
        "conductor" => Field::Conductor,
        "lyricist" => Field::Lyricist,
        "writer" => Field::Writer,
        _ => return None,
    })
}

pub(super) fn id3v2<'f>(tag: &'f Id3v2Tag, found: &mut Found<'f>) {
    let mut fields = Fields::default();
    fields.slashes = tag.original_version() != Id3v2Version::V4;
    for frame in tag {
        match frame {
            Frame::Text(text) => {
                let id = frame.id_str();
                if id == "TCON" {
                    for genre in tag.genres().into_iter().flatten() {
                        fields.push(Field::Genre, genre);
                    }
                } else if let Some((_, field)) = FRAMES.iter().find(|(name, _)| *name == id) {
                    fields.push(*field, &text.value);
                } else if id == "TMCL" || id == "TIPL" {
                    // Lists that did not come as such.
                    let texts: Vec<&str> = text.value.split('\0').collect();
                    for pair in texts.chunks_exact(2) {
                        person(&mut fields, id == "TMCL", pair[0], pair[1]);
                    }
                }
            }
            Frame::UserText(text) => {
                if let Some(field) = Field::named(&text.description) {
                    fields.push(field, &text.content);
                }
            }
            Frame::Timestamp(time) => {
                let field = match frame.id_str() {
                    "TDRC" => Field::Date,
                    "TDRL" => Field::ReleaseDate,
                    "TDOR" => Field::OriginalDate,
                    _ => continue,
                };
                fields.push(field, &time.timestamp.to_string());
            }
            Frame::Comment(comment) if comment.description.is_empty() => {
                fields.push(Field::Comment, &comment.content);
            }
            Frame::KeyValue(list) => people(&mut fields, list, frame.id_str() == "TMCL"),
            Frame::UniqueFileIdentifier(id) if id.owner == "http://musicbrainz.org" => {
                fields.push(Field::Recording, &String::from_utf8_lossy(&id.identifier));
            }
            Frame::UnsynchronizedText(text) => {
                let lang = std::str::from_utf8(&text.language).unwrap_or_default();
                found.lyrics.extend(Lyrics::parse(&text.content, lang));
            }
            Frame::Binary(binary) if binary.id().as_str() == "SYLT" => {
                found.lyrics.extend(lyrics::synced(&binary.data, binary.flags()));
            }
            Frame::Picture(picture) => found.pictures.push(Cow::Borrowed(&picture.picture)),
            _ => {}
        }
    }
    found.said.0.push(fields);
}

fn people(fields: &mut Fields, list: &KeyValueFrame<'_>, players: bool) {
    for (what, who) in list.key_value_pairs.iter() {
        person(fields, players, what, who);
    }
}

/// Somebody of a list: a player with an instrument, or a worker with a job. In the one list of `ID3v2.3` they are mixed.
fn person(fields: &mut Fields, players: bool, what: &str, who: &str) {
    match (players, job(what)) {
        (false, Some(field)) => fields.push(field, who),
        _ if what.trim().is_empty() => fields.push(Field::Performer, who),
        _ => fields.push(Field::Performer, &format!("{} ({})", who.trim(), what.trim())),
    }
}

pub(super) fn vorbis<'f>(tag: &'f VorbisComments, found: &mut Found<'f>) {
    let mut fields = Fields::default();
    for (name, value) in tag.items() {
        match Field::named(name) {
            Some(field) => fields.push(field, value),
            // "PERFORMER:guitar", as some write it.
            None => {
                if let Some((_, instrument)) =
                    name.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case("performer"))
                {
                    person(&mut fields, true, instrument, value);
                }
            }
        }
    }
    found.pictures.extend(tag.pictures().iter().map(|(picture, _)| Cow::Borrowed(picture)));
    found.said.0.push(fields);
}

pub(super) fn mp4<'f>(tag: &'f Ilst, found: &mut Found<'f>) {
    let mut fields = Fields::default();
    for atom in tag {
        let field = match atom.ident() {
            AtomIdent::Fourcc(id) => match id {
                b"\xa9nam" => Field::Title,
                b"\xa9ART" => Field::Artist,
                b"\xa9alb" => Field::Album,
                b"aART" => Field::AlbumArtist,
                b"\xa9gen" => Field::Genre,
                b"\xa9day" => Field::Date,
                b"\xa9wrt" => Field::Composer,
                b"\xa9cmt" => Field::Comment,
                b"\xa9grp" => Field::Grouping,
                b"\xa9wrk" => Field::Work,
                b"\xa9mvn" => Field::Movement,
                b"\xa9mvi" => Field::MovementNumber,
                b"\xa9mvc" => Field::MovementCount,
                b"\xa9lyr" => Field::Lyrics,
                b"\xa9con" => Field::Conductor,
                b"\xa9dir" => Field::Director,
                b"\xa9prd" => Field::Producer,
                b"sonm" => Field::TitleSort,
                b"soar" => Field::ArtistSort,
                b"soal" => Field::AlbumSort,
                b"soaa" => Field::AlbumArtistSort,
                b"soco" => Field::ComposerSort,
                b"cpil" => Field::Compilation,
                b"rtng" => Field::Advisory,
                b"tmpo" => Field::Bpm,
                _ => continue,
            },
            AtomIdent::Freeform { name, .. } => match Field::named(name) {
                Some(field) => field,
                None => continue,
            },
        };
        for text in atom.data().filter_map(atom_text) {
            fields.push(field, &text);
        }
    }
    for (field, number) in [(Field::Track, tag.track()), (Field::Disc, tag.disk())] {
        if let Some(number) = number {
            fields.push(field, &number.to_string());
        }
    }
    let covers = tag.into_iter().filter(|a| *a.ident() == AtomIdent::Fourcc(*b"covr")).flat_map(Atom::data);
    found.pictures.extend(covers.filter_map(|data| match data {
        AtomData::Picture(picture) => Some(Cow::Borrowed(picture)),
        _ => None,
    }));
    found.said.0.push(fields);
}

fn atom_text(data: &AtomData) -> Option<Cow<'_, str>> {
    Some(match data {
        AtomData::UTF8(text) | AtomData::UTF16(text) => Cow::Borrowed(text),
        AtomData::SignedInteger(n) => Cow::Owned(n.to_string()),
        AtomData::UnsignedInteger(n) => Cow::Owned(n.to_string()),
        AtomData::Bool(yes) => Cow::Borrowed(if *yes { "1" } else { "0" }),
        _ => return None,
    })
}

pub(super) fn ape(tag: &ApeTag, found: &mut Found<'_>) {
    let mut fields = Fields::default();
    for item in tag {
        match item.value() {
            ItemValue::Text(text) | ItemValue::Locator(text) => {
                if let Some(field) = Field::named(item.key()) {
                    fields.push(field, text);
                }
            }
            ItemValue::Binary(bytes) if item.key().to_ascii_lowercase().starts_with("cover art") => {
                found.pictures.extend(Picture::from_ape_bytes(item.key(), bytes).ok().map(Cow::Owned));
            }
            ItemValue::Binary(_) => {}
        }
    }
    found.said.0.push(fields);
}

/// Small old tags (`ID3v1`, RIFF INFO, AIFF text), by way of the reader's own vocabulary.
pub(super) fn plain(tag: &Tag, found: &mut Found<'_>) {
    use lofty::tag::ItemKey;
    const KEYS: [(ItemKey, Field); 11] = [
        (ItemKey::TrackTitle, Field::Title),
        (ItemKey::TrackArtist, Field::Artist),
        (ItemKey::AlbumTitle, Field::Album),
        (ItemKey::Composer, Field::Composer),
        (ItemKey::Writer, Field::Writer),
        (ItemKey::Producer, Field::Producer),
        (ItemKey::TrackNumber, Field::Track),
        (ItemKey::RecordingDate, Field::Date),
        (ItemKey::Year, Field::Date),
        (ItemKey::Genre, Field::Genre),
        (ItemKey::Comment, Field::Comment),
    ];
    let mut fields = Fields::default();
    for (key, field) in KEYS {
        for text in tag.get_strings(key) {
            fields.push(field, text);
        }
    }
    found.said.0.push(fields);
}
