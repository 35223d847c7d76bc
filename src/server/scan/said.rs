//! From fields to facts: names parted, dates read, numbers believed or not.

use super::{
    fields::{Field, Said},
    split::Splitter,
    tags::{Part, Tags},
};
use crate::music::{AlbumDetails, Explicit, Movement, ReplayGain, Work};

/// The longest comment that is kept, in characters.
const COMMENT: usize = 4_000;
/// Most people of one role.
const PEOPLE: usize = 200;

/// Fields of people with the word of `OpenSubsonic` for each.
const ROLES: [(Field, &str); 11] = [
    (Field::Composer, "composer"),
    (Field::Lyricist, "lyricist"),
    (Field::Writer, "writer"),
    (Field::Conductor, "conductor"),
    (Field::Remixer, "remixer"),
    (Field::Arranger, "arranger"),
    (Field::Producer, "producer"),
    (Field::Director, "director"),
    (Field::Engineer, "engineer"),
    (Field::Mixer, "mixer"),
    (Field::DjMixer, "djmixer"),
];

/// What the tags of a file mean; what its sound is like is left empty.
pub(super) fn understand(said: &Said, splitter: &Splitter) -> Tags {
    let people = |list: &[Field], line: &[Field]| {
        let (listed, slashes) = said.values(list);
        if listed.is_empty() {
            let (lines, slashes) = said.values(line);
            splitter.artists(&lines, slashes)
        } else {
            splitter.artists(&listed, slashes)
        }
    };
    let artists = people(&[Field::Artists], &[Field::Artist]);
    let album_artists = people(&[Field::AlbumArtists], &[Field::AlbumArtist]);
    let (genres, slashes) = said.values(&[Field::Genre]);
    let genres = splitter.genres(&genres, slashes);
    Tags {
        title: text(said, Field::Title),
        album: text(said, Field::Album),
        artist: artist_line(said, &artists),
        artists,
        artist_sorts: sorts(said, splitter, &[Field::ArtistsSort, Field::ArtistSort]),
        artist_mbids: ids(said, Field::ArtistId),
        album_artist: line(said, Field::AlbumArtist).or_else(|| joined(&album_artists)),
        album_artists,
        album_artist_sorts: sorts(said, splitter, &[Field::AlbumArtistsSort, Field::AlbumArtistSort]),
        album_artist_mbids: ids(said, Field::AlbumArtistId),
        compilation: said
            .one(&[Field::Compilation])
            .is_some_and(|v| v == "1" || v.eq_ignore_ascii_case("true") || v.eq_ignore_ascii_case("yes")),
        disc: said.number(Field::Disc),
        number: said.number(Field::Track),
        year: [Field::Date, Field::ReleaseDate, Field::OriginalDate]
            .iter()
            .find_map(|field| said.one(&[*field]).and_then(year)),
        genres,
        recording_mbid: text(said, Field::Recording),
        release_mbid: text(said, Field::Release),
        gain: ReplayGain {
            track_gain: gain(said, Field::TrackGain, Field::R128Track),
            album_gain: gain(said, Field::AlbumGain, Field::R128Album),
            track_peak: peak(said, Field::TrackPeak),
            album_peak: peak(said, Field::AlbumPeak),
        },
        parts: parts(said, splitter),
        sort_title: text(said, Field::TitleSort),
        moods: list(said, Field::Mood),
        groupings: list(said, Field::Grouping),
        isrcs: list(said, Field::Isrc),
        works: works(said),
        movements: movements(said),
        bpm: said
            .one(&[Field::Bpm])
            .and_then(|v| v.trim().replace(',', ".").parse::<f32>().ok())
            .map(f32::round)
            .filter(|bpm| (1.0..=1000.0).contains(bpm))
            .map(|bpm| bpm as u32),
        comment: said.one(&[Field::Comment]).map(|c| c.chars().take(COMMENT).collect()),
        explicit: said.one(&[Field::Advisory]).and_then(explicit),
        original_date: said.one(&[Field::OriginalDate]).and_then(date),
        disc_title: text(said, Field::DiscTitle),
        of_album: AlbumDetails {
            sort_title: text(said, Field::AlbumSort),
            version: text(said, Field::AlbumVersion),
            labels: list(said, Field::Label),
            release_types: release_types(said),
            original_date: said.one(&[Field::OriginalDate]).and_then(date),
            release_date: said.one(&[Field::ReleaseDate]).and_then(date),
            group_musicbrainz_id: text(said, Field::ReleaseGroup),
            ..AlbumDetails::default()
        },
        cue: text(said, Field::CueSheet),
        ..Tags::default()
    }
}

fn text(said: &Said, field: Field) -> Option<String> {
    said.one(&[field]).map(str::to_owned)
}

/// Several values as one line to read.
fn line(said: &Said, field: Field) -> Option<String> {
    let (values, _) = said.values(&[field]);
    (!values.is_empty()).then(|| values.join(", "))
}

/// The line to read. Names that `ID3v2.3` parts with bare slashes are read more easily with commas.
fn artist_line(said: &Said, artists: &[String]) -> Option<String> {
    let (values, slashes) = said.values(&[Field::Artist]);
    match values.as_slice() {
        [only] if slashes && artists.len() > 1 && only.contains('/') && !only.contains(" / ") => {
            joined(artists)
        }
        [] => joined(artists),
        values => Some(values.join(", ")),
    }
}

fn joined(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(", "))
}

fn ids(said: &Said, field: Field) -> Vec<String> {
    let (values, _) = said.values(&[field]);
    // `ID3v2.3` has them in one text.
    values
        .iter()
        .flat_map(|v| v.split(['/', ';']))
        .map(|v| v.trim().to_owned())
        .filter(|v| !v.is_empty())
        .collect()
}

fn sorts(said: &Said, splitter: &Splitter, fields: &[Field]) -> Vec<String> {
    let (values, slashes) = said.values(fields);
    splitter.artists(&values, slashes)
}

/// Values without repetition, those in one text apart.
fn list(said: &Said, field: Field) -> Vec<String> {
    let (values, _) = said.values(&[field]);
    let parts = values.iter().flat_map(|v| v.split(';')).map(str::trim).filter(|v| !v.is_empty());
    let mut all: Vec<String> = Vec::new();
    for part in parts {
        if all.iter().all(|known| known != part) {
            all.push(part.to_owned());
        }
    }
    all
}

fn release_types(said: &Said) -> Vec<String> {
    let (values, _) = said.values(&[Field::ReleaseType]);
    let mut types: Vec<String> = Vec::new();
    for word in values.iter().flat_map(|v| v.split([';', '/', ',', '+'])) {
        let word = word.trim().to_lowercase();
        if !word.is_empty() && !types.contains(&word) {
            types.push(word);
        }
    }
    types
}

fn parts(said: &Said, splitter: &Splitter) -> Vec<Part> {
    let mut parts = Vec::new();
    for (field, role) in ROLES {
        let (values, slashes) = said.values(&[field]);
        let names = splitter.artists(&values, slashes);
        let sorts =
            if field == Field::Composer { sorts(said, splitter, &[Field::ComposerSort]) } else { Vec::new() };
        let paired = sorts.len() == names.len();
        for (at, name) in names.into_iter().take(PEOPLE).enumerate() {
            let sort = sorts.get(at).filter(|_| paired).cloned();
            parts.push(Part { role, name, detail: None, sort });
        }
    }
    let (players, _) = said.values(&[Field::Performer]);
    for player in players.into_iter().take(PEOPLE) {
        let (name, detail) = match player.strip_suffix(')').and_then(|p| p.split_once(" (")) {
            Some((name, detail)) if !name.trim().is_empty() => (name.trim(), Some(detail.trim().to_owned())),
            _ => (player, None),
        };
        parts.push(Part { role: "performer", name: name.to_owned(), detail, sort: None });
    }
    parts
}

fn works(said: &Said) -> Vec<Work> {
    let (names, ids) = (list(said, Field::Work), ids(said, Field::WorkId));
    let paired = names.len() == ids.len();
    let id = |at: usize| ids.get(at).filter(|_| paired).cloned();
    names.into_iter().enumerate().map(|(at, name)| Work { name, musicbrainz_id: id(at) }).collect()
}

fn movements(said: &Said) -> Vec<Movement> {
    let number = said.number(Field::MovementNumber);
    let count = said.number(Field::MovementCount).or_else(|| said.count(Field::MovementNumber));
    let Some(name) = said.one(&[Field::Movement]) else { return Vec::new() };
    vec![Movement { name: name.to_owned(), number, count }]
}

/// Apple's numbers and plain words.
fn explicit(value: &str) -> Option<Explicit> {
    match value.trim().to_ascii_lowercase().as_str() {
        "1" | "4" | "explicit" => Some(Explicit::Explicit),
        "2" | "clean" => Some(Explicit::Clean),
        _ => None,
    }
}

/// A date as ISO 8601 as far as it makes sense: "1999", "1999-12-31", "31.12.1999", "19991231", "1999-13-45" (a year).
fn date(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).collect();
    let (year, month, day) = match groups.as_slice() {
        [whole, ..] if whole.len() == 8 => (whole.get(..4)?, whole.get(4..6), whole.get(6..)),
        [year, rest @ ..] if year.len() == 4 => (*year, rest.first().copied(), rest.get(1).copied()),
        [day, month, year, ..] if year.len() == 4 => (*year, Some(*month), Some(*day)),
        all => (*all.iter().find(|n| n.len() == 4)?, None, None),
    };
    if year == "0000" {
        return None;
    }
    let in_range = |part: Option<&str>, most: u32| {
        part.and_then(|p| p.parse::<u32>().ok()).filter(|n| (1..=most).contains(n))
    };
    let Some(month) = in_range(month, 12) else { return Some(year.to_owned()) };
    let Some(day) = in_range(day, 31) else { return Some(format!("{year}-{month:02}")) };
    Some(format!("{year}-{month:02}-{day:02}"))
}

/// The year of a date in any of the usual notations.
pub(super) fn year(text: &str) -> Option<i32> {
    date(text)?.get(..4)?.parse().ok()
}

/// A gain in dB to the `ReplayGain` 2.0 reference of -18 LUFS. Opus files have theirs as a Q7.8 number to -23 LUFS (RFC 7845,
/// section 5.2.1), which is 5 dB quieter.
fn gain(said: &Said, replay_gain: Field, r128: Field) -> Option<f32> {
    let plain = said.one(&[replay_gain]).and_then(|v| {
        let number = v.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c.is_whitespace());
        number.trim().replace(',', ".").parse::<f32>().ok()
    });
    let fixed = || said.one(&[r128]).and_then(|v| v.parse::<i16>().ok()).map(|q| f32::from(q) / 256.0 + 5.0);
    plain.or_else(fixed).filter(|g| g.is_finite() && g.abs() <= 64.0)
}

fn peak(said: &Said, field: Field) -> Option<f32> {
    said.one(&[field])?
        .replace(',', ".")
        .parse::<f32>()
        .ok()
        .filter(|p| p.is_finite() && (0.0..=64.0).contains(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_all_notations() {
        for (text, expected) in [
            ("1999", Some("1999")),
            ("2001-02-03", Some("2001-02-03")),
            ("2001/2", Some("2001-02")),
            ("31.12.1987", Some("1987-12-31")),
            ("20150501", Some("2015-05-01")),
            ("2015-05-01T10:00:00", Some("2015-05-01")),
            ("1999-13-45", Some("1999")),
            ("2004-02-99", Some("2004-02")),
            ("99", None),
            ("0000", None),
            ("soon", None),
        ] {
            assert_eq!(date(text).as_deref(), expected, "{text}");
        }
        assert_eq!(year("31.12.1987"), Some(1987));
    }
}
