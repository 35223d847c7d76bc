//! Rows for tests of the catalog.

#![allow(dead_code, reason = "not every test needs all of it")]

use segue::music::{AccountId, ArtistRef, Marks, ReplayGain, Track};

/// The account that tests listen as.
pub(crate) fn account() -> AccountId {
    AccountId::from("me")
}

/// An artist whose id follows from the name.
pub(crate) fn artist_ref(name: &str) -> ArtistRef {
    ArtistRef { id: format!("artist-{name}").into(), name: name.into() }
}

/// A track of one second.
pub(crate) fn track(id: &str, title: &str, artist: &str, album: Option<(&str, &str)>) -> Track {
    Track {
        id: id.into(),
        title: title.into(),
        album_id: album.map(|(id, _)| id.into()),
        album: album.map(|(_, title)| title.to_owned()).unwrap_or_default(),
        artist: artist.into(),
        artists: vec![artist_ref(artist)],
        album_artist: artist.into(),
        disc: None,
        number: None,
        year: None,
        genres: Vec::new(),
        duration_ms: 1000,
        size: 1,
        suffix: "flac".into(),
        content_type: "audio/flac".into(),
        bit_rate: Some(900),
        sample_rate: Some(44_100),
        bit_depth: None,
        channels: Some(2),
        replay_gain: ReplayGain::default(),
        cover: None,
        musicbrainz_id: None,
        added_at: 1,
        details: segue::music::TrackDetails::default(),
        marks: Marks::default(),
    }
}
