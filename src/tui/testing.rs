//! Music made up for the tests of this room.

use super::effects::{Device, HomeData};
use super::state::Home;
use crate::catalog::KeptMix;
use crate::music::{Album, Marks, Mix, Pick, Track};

/// A track with nothing special about it.
pub(crate) fn track(n: u32) -> Track {
    Track {
        album_id: Some("al1".into()),
        album: "Album".to_owned(),
        album_artist: "Artist".to_owned(),
        number: Some(n),
        size: 1,
        suffix: "flac".to_owned(),
        content_type: "audio/flac".to_owned(),
        ..Track::bare(format!("t{n}").into(), format!("Track {n}"), "Artist".to_owned(), 200_000)
    }
}

/// An album with nothing special about it.
pub(crate) fn album(n: u32) -> Album {
    Album {
        id: format!("al{n}").into(),
        title: format!("Album {n}"),
        artist: "Artist".to_owned(),
        artists: Vec::new(),
        year: Some(2000),
        genres: Vec::new(),
        track_count: 10,
        duration_ms: 2_000_000,
        cover: None,
        compilation: false,
        musicbrainz_id: None,
        added_at: 0,
        details: crate::music::AlbumDetails::default(),
        marks: Marks::default(),
    }
}

/// A mix with nothing special about it.
pub(crate) fn mix(n: u32) -> KeptMix {
    let pick = |n| Pick { track: format!("t{n}").into(), why: "because".to_owned() };
    let mix = Mix {
        id: format!("daily-{n}"),
        name: format!("Daily Mix {n}"),
        about: "Artist and near".to_owned(),
        why: "it grows around Artist".to_owned(),
        picks: (0..4).map(pick).collect(),
    };
    KeptMix { mix, duration_ms: 800_000, cover: None }
}

/// An opening screen with something in every list.
pub(crate) fn home() -> Home {
    let tracks = |from: u32| (from..from + 8).map(track).collect::<Vec<_>>();
    let data = HomeData {
        tracks: 100,
        albums: 12,
        artists: 5,
        duration_ms: 1,
        mixes: (1..9).map(mix).collect(),
        unprofiled: false,
        added: (0..12).map(album).collect(),
        played: tracks(0),
        most: tracks(20),
        loved: tracks(40),
        device: Device::default(),
    };
    Home { data: Some(data), ..Home::default() }
}
