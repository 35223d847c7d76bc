use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::music::{self, AlbumId, CoverId};

/// Unix times in ms from 1970 to 9999, as the wire can hold them.
fn times() -> impl Strategy<Value = i64> {
    0..253_402_300_799_999_i64
}

prop_compose! {
    fn marks_of_listeners()(
        starred_at in of(times()), rating in 0..=5_u8, play_count in any::<u32>(), played_at in of(times()),
    ) -> Marks {
        Marks { starred_at, rating, play_count, played_at }
    }
}

prop_compose! {
    fn tracks()(
        (id, title, album, artist, album_artist) in ("[^\0]{1,8}", any::<String>(), any::<String>(), ".{1,9}", ".{1,9}"),
        (album_id, cover, musicbrainz_id) in (of(".{1,8}"), of(".{1,8}"), of(".{1,8}")),
        (disc, number, year) in (any::<Option<u32>>(), any::<Option<u32>>(), any::<Option<i32>>()),
        genres in proptest::collection::btree_set(".{1,6}", 0..4),
        artists in proptest::collection::vec((".{1,6}", any::<String>()), 0..3),
        (seconds, size, bit_rate, sample_rate) in (0..1_000_000_u64, any::<u64>(), of(1..u32::MAX), of(1..u32::MAX)),
        (gain, peak) in (of(-4000..4000_i32), of(0..2000_i32)),
        (added_at, marks) in (times(), marks_of_listeners()),
    ) -> Track {
        Track {
            id: id.into(), title, album, artist, album_artist, disc, number, year, size, bit_rate, sample_rate, added_at, marks,
            album_id: album_id.map(AlbumId::from),
            cover: cover.map(CoverId::from),
            musicbrainz_id,
            genres: genres.into_iter().collect(),
            artists: artists.into_iter().map(|(id, name)| ArtistRef { id: id.into(), name }).collect(),
            duration_ms: seconds * 1000,
            suffix: "flac".into(),
            content_type: "audio/flac".into(),
            bit_depth: Some(16),
            channels: Some(2),
            replay_gain: music::ReplayGain {
                track_gain: gain.map(|hundredths| hundredths as f32 / 100.0),
                track_peak: peak.map(|thousandths| thousandths as f32 / 1000.0),
                ..music::ReplayGain::default()
            },
            details: details_of_tracks(),
        }
    }
}

/// Everything that goes over the wire.
fn details_of_tracks() -> music::TrackDetails {
    let artist = |id: &str, name: &str| ArtistRef { id: id.into(), name: name.into() };
    let credit = |role: &str, detail: Option<&str>| music::Credit {
        role: role.into(),
        detail: detail.map(str::to_owned),
        artist: artist("c", "C"),
    };
    music::TrackDetails {
        sort_title: Some("Title, The".into()),
        album_artists: vec![artist("a", "A"), artist("b", "B")],
        credits: vec![credit("composer", None), credit("performer", Some("viola"))],
        moods: vec!["calm".into(), "blue".into()],
        groupings: vec!["evening".into()],
        isrcs: vec!["USSM18300073".into()],
        works: vec![music::Work { name: "Suite".into(), musicbrainz_id: Some("w".into()) }],
        movements: vec![music::Movement { name: "Allegro".into(), number: Some(2), count: Some(4) }],
        bpm: Some(120),
        comment: Some("from tape".into()),
        explicit: Some(music::Explicit::Clean),
        original_date: None,
        disc_title: None,
    }
}

proptest! {
    #[test]
    fn a_track_reaches_the_player_as_it_was(sent in tracks()) {
        let json = serde_json::to_string(&Child::from(&sent)).unwrap();
        let child: Child = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(track(&child), Some(sent));
    }

    #[test]
    fn a_path_stays_below_its_folder(mut sent in tracks(), hostile in "[./\\\\\0a:]{0,9}") {
        sent.album.clone_from(&hostile);
        sent.title.clone_from(&hostile);
        sent.album_artist = hostile;
        let path = Child::from(&sent).path.unwrap();
        prop_assert_eq!(path.matches('/').count(), 2, "{}", &path);
        prop_assert!(path.split('/').all(|part| !part.is_empty() && part != "." && part != ".."), "{}", &path);
        prop_assert!(!path.contains(['\\', '\0']) && !path.starts_with('/'));
    }
}

#[test]
fn albums_artists_and_playlists_come_back() {
    let album_sent = music::Album {
        id: "al".into(),
        title: "T".into(),
        artist: "A & B".into(),
        artists: vec![
            ArtistRef { id: "a".into(), name: "A".into() },
            ArtistRef { id: "b".into(), name: "B".into() },
        ],
        year: Some(1999),
        genres: vec!["Rock".into(), "Pop".into()],
        track_count: 3,
        duration_ms: 61_000,
        cover: Some("c".into()),
        compilation: true,
        musicbrainz_id: None,
        added_at: 1_700_000_000_000,
        details: music::AlbumDetails {
            sort_title: Some("T, The".into()),
            version: Some("Remaster".into()),
            labels: vec!["Blue Note".into(), "ECM".into()],
            release_types: vec!["album".into(), "live".into()],
            moods: vec!["calm".into()],
            original_date: Some("1959-08-17".into()),
            release_date: Some("1997-03".into()),
            explicit: Some(music::Explicit::Explicit),
            disc_titles: vec![music::DiscTitle { disc: 2, title: "Night".into() }],
            group_musicbrainz_id: None,
        },
        marks: Marks { starred_at: Some(5000), rating: 2, play_count: 7, played_at: Some(9000) },
    };
    assert_eq!(album(&AlbumID3::from(&album_sent)), Some(album_sent));
    let artist_sent = music::Artist {
        id: "ar".into(),
        name: "The X".into(),
        sort_name: "X, The".into(),
        album_count: 2,
        cover: None,
        musicbrainz_id: Some("m".into()),
        roles: vec!["artist".into(), "composer".into()],
        marks: Marks { rating: 5, ..Marks::default() },
    };
    assert_eq!(artist(&ArtistID3::from(&artist_sent)), Some(artist_sent));
    let playlist_sent = music::Playlist {
        id: "p".into(),
        name: "N".into(),
        comment: "c".into(),
        owner: "o".into(),
        public: true,
        track_count: 1,
        duration_ms: 2000,
        created_at: 1000,
        changed_at: 2000,
        smart: false,
    };
    assert_eq!(playlist(&Playlist::from(&playlist_sent)), Some(playlist_sent));
}

#[test]
fn what_has_no_id_is_nothing_and_what_is_no_song_no_track() {
    assert_eq!(track(&Child::default()), None);
    assert_eq!(track(&Child { id: "d".into(), is_dir: true, ..Child::default() }), None);
    assert_eq!(track(&Child { id: "v".into(), is_video: Some(true), ..Child::default() }), None);
    assert_eq!(album(&AlbumID3::default()), None);
    assert_eq!(artist(&ArtistID3::default()), None);
    assert_eq!(playlist(&Playlist::default()), None);
}

#[test]
fn an_old_servers_song_gets_what_it_leaves_out() {
    let child = Child {
        id: "1".into(),
        title: "T".into(),
        artist: Some("A".into()),
        artist_id: Some("a".into()),
        parent: Some("folder".into()),
        genre: Some("Rock".into()),
        path: Some("A/B/01 T.OGG".into()),
        duration: Some(3),
        ..Child::default()
    };
    let track = track(&child).unwrap();
    assert_eq!((track.suffix.as_str(), track.content_type.as_str()), ("ogg", "audio/ogg"));
    assert_eq!(track.album_id, Some("folder".into()));
    assert_eq!(track.artists, [ArtistRef { id: "a".into(), name: "A".into() }]);
    assert_eq!((track.album_artist.as_str(), track.genres.as_slice()), ("A", &["Rock".to_owned()][..]));
}

#[test]
fn lengths_round_to_the_nearest_second() {
    assert_eq!([0, 1, 499, 1499, 1500, u64::MAX].map(seconds), [0, 1, 1, 1, 2, u64::MAX / 1000]);
}
