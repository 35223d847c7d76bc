//! What a tag can say, in one vocabulary for all formats: a list of fields with their values, in the order of the tag. Names that
//! people give their own fields (Vorbis comments, APE items, TXXX frames, free-form atoms) are one name space: upper and lower
//! case, spaces, hyphens and underscores make no difference.

use std::{collections::HashMap, sync::LazyLock};

/// One thing that a tag can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Field {
    Title,
    TitleSort,
    Artist,
    Artists,
    ArtistSort,
    ArtistsSort,
    Album,
    AlbumSort,
    AlbumVersion,
    AlbumArtist,
    AlbumArtists,
    AlbumArtistSort,
    AlbumArtistsSort,
    Composer,
    ComposerSort,
    Conductor,
    Lyricist,
    Writer,
    Arranger,
    Producer,
    Director,
    Engineer,
    Mixer,
    DjMixer,
    Remixer,
    /// "Name" or "Name (instrument)".
    Performer,
    Track,
    Disc,
    DiscTitle,
    Date,
    ReleaseDate,
    OriginalDate,
    Genre,
    Mood,
    Label,
    ReleaseType,
    Compilation,
    Advisory,
    Bpm,
    Comment,
    Isrc,
    Grouping,
    Work,
    Movement,
    MovementNumber,
    MovementCount,
    Lyrics,
    CueSheet,
    Recording,
    Release,
    ReleaseGroup,
    ArtistId,
    AlbumArtistId,
    WorkId,
    TrackGain,
    TrackPeak,
    AlbumGain,
    AlbumPeak,
    R128Track,
    R128Album,
}

/// Names of fields, written together in capitals.
const NAMES: &[(&str, Field)] = &[
    ("TITLE", Field::Title),
    ("TITLESORT", Field::TitleSort),
    ("ARTIST", Field::Artist),
    ("ARTISTS", Field::Artists),
    ("ARTISTSORT", Field::ArtistSort),
    ("ARTISTSSORT", Field::ArtistsSort),
    ("ALBUM", Field::Album),
    ("ALBUMSORT", Field::AlbumSort),
    ("ALBUMVERSION", Field::AlbumVersion),
    ("MUSICBRAINZALBUMCOMMENT", Field::AlbumVersion),
    ("ALBUMARTIST", Field::AlbumArtist),
    ("ALBUMARTISTS", Field::AlbumArtists),
    ("ALBUMARTISTSORT", Field::AlbumArtistSort),
    ("ALBUMARTISTSSORT", Field::AlbumArtistsSort),
    ("COMPOSER", Field::Composer),
    ("COMPOSERSORT", Field::ComposerSort),
    ("CONDUCTOR", Field::Conductor),
    ("LYRICIST", Field::Lyricist),
    ("WRITER", Field::Writer),
    ("ARRANGER", Field::Arranger),
    ("PRODUCER", Field::Producer),
    ("DIRECTOR", Field::Director),
    ("ENGINEER", Field::Engineer),
    ("MIXER", Field::Mixer),
    ("DJMIXER", Field::DjMixer),
    ("REMIXER", Field::Remixer),
    ("MIXARTIST", Field::Remixer),
    ("PERFORMER", Field::Performer),
    ("TRACK", Field::Track),
    ("TRACKNUMBER", Field::Track),
    ("DISC", Field::Disc),
    ("DISCNUMBER", Field::Disc),
    ("DISCSUBTITLE", Field::DiscTitle),
    ("SETSUBTITLE", Field::DiscTitle),
    ("DATE", Field::Date),
    ("YEAR", Field::Date),
    ("RELEASEDATE", Field::ReleaseDate),
    ("ORIGINALDATE", Field::OriginalDate),
    ("ORIGINALRELEASEDATE", Field::OriginalDate),
    ("ORIGINALYEAR", Field::OriginalDate),
    ("GENRE", Field::Genre),
    ("MOOD", Field::Mood),
    ("LABEL", Field::Label),
    ("PUBLISHER", Field::Label),
    ("ORGANIZATION", Field::Label),
    ("RELEASETYPE", Field::ReleaseType),
    ("MUSICBRAINZALBUMTYPE", Field::ReleaseType),
    ("COMPILATION", Field::Compilation),
    ("ITUNESADVISORY", Field::Advisory),
    ("BPM", Field::Bpm),
    ("TEMPO", Field::Bpm),
    ("COMMENT", Field::Comment),
    ("DESCRIPTION", Field::Comment),
    ("ISRC", Field::Isrc),
    ("GROUPING", Field::Grouping),
    ("CONTENTGROUP", Field::Grouping),
    ("WORK", Field::Work),
    ("WORKTITLE", Field::Work),
    ("MOVEMENTNAME", Field::Movement),
    ("MOVEMENT", Field::MovementNumber),
    ("MOVEMENTNUMBER", Field::MovementNumber),
    ("MOVEMENTTOTAL", Field::MovementCount),
    ("LYRICS", Field::Lyrics),
    ("UNSYNCEDLYRICS", Field::Lyrics),
    ("UNSYNCLYRICS", Field::Lyrics),
    ("SYNCEDLYRICS", Field::Lyrics),
    ("CUESHEET", Field::CueSheet),
    ("MUSICBRAINZTRACKID", Field::Recording),
    ("MUSICBRAINZALBUMID", Field::Release),
    ("MUSICBRAINZRELEASEGROUPID", Field::ReleaseGroup),
    ("MUSICBRAINZARTISTID", Field::ArtistId),
    ("MUSICBRAINZALBUMARTISTID", Field::AlbumArtistId),
    ("MUSICBRAINZWORKID", Field::WorkId),
    ("REPLAYGAINTRACKGAIN", Field::TrackGain),
    ("REPLAYGAINTRACKPEAK", Field::TrackPeak),
    ("REPLAYGAINALBUMGAIN", Field::AlbumGain),
    ("REPLAYGAINALBUMPEAK", Field::AlbumPeak),
    ("R128TRACKGAIN", Field::R128Track),
    ("R128ALBUMGAIN", Field::R128Album),
];

/// The longest name that means something, in bytes.
const LONGEST: usize = 32;

static BY_NAME: LazyLock<HashMap<&'static [u8], Field>> =
    LazyLock::new(|| NAMES.iter().map(|(name, field)| (name.as_bytes(), *field)).collect());

impl Field {
    /// The field of a name that somebody wrote; `None` where it means nothing to us.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut letters = [0_u8; LONGEST];
        let mut length = 0;
        for byte in name.bytes().filter(|b| !matches!(b, b' ' | b'_' | b'-')) {
            *letters.get_mut(length)? = byte.to_ascii_uppercase();
            length += 1;
        }
        BY_NAME.get(letters.get(..length)?).copied()
    }
}

/// What one tag says.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    values: Vec<(Field, String)>,
    /// Several values of one field may stand in one text with slashes between, as `ID3v2.3` has it.
    pub(super) slashes: bool,
}

impl Fields {
    /// Adds a text; values that are parted by NUL are several.
    pub(super) fn push(&mut self, field: Field, text: &str) {
        for value in text.split('\0').map(str::trim).filter(|v| !v.is_empty()) {
            self.values.push((field, value.to_owned()));
        }
    }

    /// The values of a field, in the order of the tag.
    fn of(&self, field: Field) -> impl Iterator<Item = &str> {
        self.values.iter().filter(move |(f, _)| *f == field).map(|(_, value)| value.as_str())
    }
}

/// The tags of one file, the format's own kind first; what it leaves out, the next one may say.
#[derive(Debug, Clone, Default)]
pub(super) struct Said(pub(super) Vec<Fields>);

impl Said {
    /// The values under the first of some fields that has any, from the first tag that has it, and whether slashes may part
    /// them further.
    pub(super) fn values(&self, fields: &[Field]) -> (Vec<&str>, bool) {
        for field in fields {
            for tag in &self.0 {
                let found: Vec<&str> = tag.of(*field).collect();
                if !found.is_empty() {
                    return (found, tag.slashes);
                }
            }
        }
        (Vec::new(), false)
    }

    /// All values of a field as they stand.
    pub(super) fn all(&self, field: Field) -> Vec<String> {
        self.values(&[field]).0.into_iter().map(str::to_owned).collect()
    }

    /// The first value of the first field that has one.
    pub(super) fn one(&self, fields: &[Field]) -> Option<&str> {
        fields.iter().find_map(|field| self.0.iter().find_map(|tag| tag.of(*field).next()))
    }

    /// The number that a value begins with ("3/12" is 3); 0 counts as nothing said.
    pub(super) fn number(&self, field: Field) -> Option<u32> {
        let text = self.one(&[field])?;
        let digits = text.trim_start_matches(|c: char| c.is_whitespace() || c == '#');
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits.get(..end)?.parse().ok().filter(|n| *n > 0)
    }

    /// What stands behind the slash of a number ("3/12" has 12).
    pub(super) fn count(&self, field: Field) -> Option<u32> {
        self.one(&[field])?.split_once('/')?.1.trim().parse().ok().filter(|n| *n > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_however_they_are_written() {
        for name in ["ALBUM ARTIST", "albumartist", "Album_Artist"] {
            assert_eq!(Field::named(name), Some(Field::AlbumArtist), "{name}");
        }
        assert_eq!(Field::named("MusicBrainz Track Id"), Some(Field::Recording));
        assert_eq!(Field::named("MUSICBRAINZ_RELEASETRACKID"), None);
        assert_eq!(Field::named(&"X".repeat(500)), None);
        assert!(NAMES.iter().all(|(name, _)| name.len() <= LONGEST));
    }

    #[test]
    fn the_first_tag_that_knows_speaks() {
        let mut own = Fields::default();
        own.push(Field::Artist, "A\0 B ");
        own.push(Field::Track, "3/12");
        let mut other = Fields::default();
        other.push(Field::Artist, "C");
        other.push(Field::Album, "X");
        let said = Said(vec![own, other]);
        assert_eq!(said.all(Field::Artist), ["A", "B"]);
        assert_eq!(said.one(&[Field::AlbumSort, Field::Album]), Some("X"));
        assert_eq!((said.number(Field::Track), said.count(Field::Track)), (Some(3), Some(12)));
    }
}
