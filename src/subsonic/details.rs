//! The finer parts of songs and albums between the wire and the words of `music`.

use super::convert::{artists_from_wire, artists_to_wire};
use super::types::{AlbumID3, Child, Contributor, DiscTitle, ItemDate, Movement, RecordLabel, Work};
use crate::music;
use crate::music::{AlbumDetails, Credit, Explicit, TrackDetails};

pub(super) fn contributors_to_wire(credits: &[Credit]) -> Vec<Contributor> {
    let one = |credit: &Credit| Contributor {
        role: credit.role.clone(),
        sub_role: credit.detail.clone(),
        artist: artists_to_wire(std::slice::from_ref(&credit.artist)).pop(),
    };
    credits.iter().map(one).collect()
}

pub(super) fn explicit_to_wire(explicit: Option<Explicit>) -> String {
    explicit.map(Explicit::word).unwrap_or_default().to_owned()
}

pub(super) fn works_to_wire(works: &[music::Work]) -> Vec<Work> {
    let one =
        |work: &music::Work| Work { name: work.name.clone(), music_brainz_id: work.musicbrainz_id.clone() };
    works.iter().map(one).collect()
}

pub(super) fn movements_to_wire(movements: &[music::Movement]) -> Vec<Movement> {
    let one = |m: &music::Movement| Movement { name: m.name.clone(), number: m.number, count: m.count };
    movements.iter().map(one).collect()
}

pub(super) fn labels_to_wire(labels: &[String]) -> Vec<RecordLabel> {
    labels.iter().map(|name| RecordLabel { name: name.clone() }).collect()
}

pub(super) fn discs_to_wire(discs: &[music::DiscTitle]) -> Vec<DiscTitle> {
    discs.iter().map(|d| DiscTitle { disc: d.disc, title: d.title.clone() }).collect()
}

/// A date that is ISO 8601 as far as it is known.
pub(super) fn date_to_wire(date: &str) -> ItemDate {
    let mut parts = date.split('-');
    ItemDate {
        year: parts.next().and_then(|p| p.parse().ok()),
        month: parts.next().and_then(|p| p.parse().ok()),
        day: parts.next().and_then(|p| p.parse().ok()),
    }
}

fn date_from_wire(date: &ItemDate) -> Option<String> {
    let year = date.year.filter(|y| (1..=9999).contains(y))?;
    let month = date.month.filter(|m| (1..=12).contains(m));
    let day = date.day.filter(|d| (1..=31).contains(d));
    Some(match (month, day) {
        (Some(month), Some(day)) => format!("{year:04}-{month:02}-{day:02}"),
        (Some(month), None) => format!("{year:04}-{month:02}"),
        (None, _) => format!("{year:04}"),
    })
}

fn filled(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn texts(list: Option<&Vec<String>>) -> Vec<String> {
    list.into_iter().flatten().filter(|text| !text.is_empty()).cloned().collect()
}

/// What a song of the wire has beyond its row.
pub(super) fn of_song(child: &Child) -> TrackDetails {
    let credits = child.contributors.iter().flatten().filter_map(|c| {
        let artist = artists_from_wire(c.artist.as_ref().map(std::slice::from_ref), None, None).pop()?;
        (!c.role.is_empty()).then(|| Credit {
            role: c.role.to_lowercase(),
            detail: filled(c.sub_role.as_ref()),
            artist,
        })
    });
    let works = child.works.iter().flatten().filter(|w| !w.name.is_empty());
    let movements = child.movements.iter().flatten().filter(|m| !m.name.is_empty());
    TrackDetails {
        sort_title: filled(child.sort_name.as_ref()),
        album_artists: artists_from_wire(child.album_artists.as_deref(), None, None),
        credits: credits.collect(),
        moods: texts(child.moods.as_ref()),
        groupings: texts(child.groupings.as_ref()),
        isrcs: texts(child.isrc.as_ref()),
        works: works
            .map(|w| music::Work { name: w.name.clone(), musicbrainz_id: filled(w.music_brainz_id.as_ref()) })
            .collect(),
        movements: movements
            .map(|m| music::Movement { name: m.name.clone(), number: m.number, count: m.count })
            .collect(),
        bpm: child.bpm.filter(|bpm| *bpm > 0),
        comment: filled(child.comment.as_ref()),
        explicit: child.explicit_status.as_deref().and_then(Explicit::of),
        original_date: None,
        disc_title: None,
    }
}

/// What an album of the wire has beyond its row.
pub(super) fn of_album(wire: &AlbumID3) -> AlbumDetails {
    let labels = wire.record_labels.iter().flatten().map(|l| l.name.clone()).filter(|name| !name.is_empty());
    let discs = wire.disc_titles.iter().flatten().filter(|d| !d.title.is_empty());
    AlbumDetails {
        sort_title: filled(wire.sort_name.as_ref()),
        version: filled(wire.version.as_ref()),
        labels: labels.collect(),
        release_types: texts(wire.release_types.as_ref()),
        moods: texts(wire.moods.as_ref()),
        original_date: wire.original_release_date.as_ref().and_then(date_from_wire),
        release_date: wire.release_date.as_ref().and_then(date_from_wire),
        explicit: wire.explicit_status.as_deref().and_then(Explicit::of),
        disc_titles: discs.map(|d| music::DiscTitle { disc: d.disc, title: d.title.clone() }).collect(),
        group_musicbrainz_id: None,
    }
}
