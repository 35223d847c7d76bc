//! More records for a stage: of kinds that the shelf has none of.

use segue::music::{Album, ArtistRef, CoverId, Marks, Track};

use super::{NOW, Stage, track};

/// An album of these tracks, with all that a list shows of it.
pub fn album(artist: &str, title: &str, year: i32, types: &[&str], tracks: &[Track]) -> Album {
    Album {
        id: format!("al-{title}").into(),
        title: title.to_owned(),
        artist: artist.to_owned(),
        artists: vec![ArtistRef { id: format!("ar-{artist}").into(), name: artist.to_owned() }],
        year: Some(year),
        genres: vec!["Electronic".to_owned()],
        track_count: tracks.len() as u32,
        duration_ms: tracks.iter().map(|track| track.duration_ms).sum(),
        cover: Some(CoverId::new(format!("cover-{title}"))),
        compilation: false,
        musicbrainz_id: None,
        added_at: NOW,
        details: segue::music::AlbumDetails {
            release_types: types.iter().map(|t| (*t).to_owned()).collect(),
            ..Default::default()
        },
        marks: Marks::default(),
    }
}

/// Björk with a single, a record of concerts, and a song on a record of somebody else.
pub fn discography(stage: &mut Stage) {
    let bjork = || ArtistRef { id: "ar-Björk".into(), name: "Björk".to_owned() };
    let single = vec![track("Björk", "Big Time Sensuality", 1, "Big Time Sensuality", 237)];
    let live = vec![
        track("Björk", "Vespertine Live", 1, "Frosti (live)", 110),
        track("Björk", "Vespertine Live", 2, "All Is Full of Love (live)", 274),
    ];
    let mut guest = vec![track("Fela Kuti", "Selmasongs and Friends", 1, "A Song for Two", 301)];
    guest[0].artists.push(bjork());
    let albums = vec![
        album("Björk", "Big Time Sensuality", 1993, &["single"], &single),
        album("Björk", "Vespertine Live", 2004, &["album", "live"], &live),
        album("Fela Kuti", "Selmasongs and Friends", 2001, &["album", "compilation"], &guest),
    ];
    stage.shelve(albums, [single, live, guest].concat());
}
