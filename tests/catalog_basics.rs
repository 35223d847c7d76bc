//! The catalog through its front door: what is applied is what is read, searched, marked, listed and kept.

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use library::{account, artist_ref, track};
use segue::{
    catalog::{
        AlbumList, Batch, CatalogError, Change, PlaylistEdit, RandomFilter, SearchWindows, TrackOrder,
    },
    music::{
        Album, Artist, ArtistId, EndReason, Genre, Item, Marks, Play, Playlist, PlaylistId, ReplayGain,
        StartReason, Track, TrackId, Window,
    },
};

fn album(id: &str, title: &str, artist: &str) -> Album {
    Album {
        id: id.into(),
        title: title.into(),
        artist: artist.into(),
        artists: vec![artist_ref(artist)],
        year: Some(1999),
        genres: vec!["Rock".into(), "Pop".into()],
        track_count: 2,
        duration_ms: 2000,
        cover: Some("c1".into()),
        compilation: false,
        musicbrainz_id: Some("mb-album".into()),
        added_at: 5,
        details: segue::music::AlbumDetails::default(),
        marks: Marks::default(),
    }
}

fn titles(tracks: &[Track]) -> Vec<&str> {
    tracks.iter().map(|t| t.title.as_str()).collect()
}

fn play(track: &str, started_at: i64, heard_ms: u64) -> Play {
    Play { track: track.into(), started_at, heard_ms, start: StartReason::Chosen, end: EndReason::Finished }
}

#[tokio::test]
async fn what_is_applied_is_what_is_read() {
    let catalog = database::in_memory().await;
    let mut one = track("t1", "Björk's Song", "Björk", Some(("a1", "Début")));
    one.artists.push(artist_ref("Guest"));
    one.genres = vec!["Electronic".into(), "Pop".into()];
    one.replay_gain = ReplayGain {
        track_gain: Some(-7.25),
        album_gain: None,
        track_peak: Some(0.5),
        album_peak: Some(1.0),
    };
    (one.disc, one.number, one.year, one.bit_depth) = (Some(2), Some(3), Some(1993), Some(24));
    let two = track("t2", "Without an album", "Nobody", None);
    let described = album("a1", "Début", "Björk");
    let artist = Artist {
        id: artist_ref("Björk").id,
        name: "Björk".into(),
        sort_name: "Gudmundsdottir, Björk".into(),
        album_count: 1,
        cover: Some("c2".into()),
        musicbrainz_id: Some("mb-artist".into()),
        roles: Vec::new(),
        marks: Marks::default(),
    };
    let batch = Batch {
        artists: vec![artist.clone()],
        albums: vec![described.clone()],
        tracks: vec![one.clone(), two.clone()],
    };
    let first = catalog.apply(&batch).await.unwrap();
    assert_eq!((first.tracks, first.albums), (2, 1));
    assert!(!catalog.apply(&batch).await.unwrap().any(), "a second time is no news");

    let me = catalog.listener(&account());
    assert_eq!(me.track(&"t1".into()).await.unwrap(), Some(one.clone()));
    assert_eq!(me.album(&"a1".into()).await.unwrap(), Some(described.clone()));
    assert_eq!(me.artist(&artist.id).await.unwrap(), Some(artist.clone()));
    let ids: Vec<TrackId> = ["t2", "nope", "t1", "t2"].map(TrackId::from).to_vec();
    assert_eq!(me.tracks(&ids).await.unwrap(), [two.clone(), one.clone(), two.clone()]);
    assert_eq!(me.tracks_of(&"a1".into()).await.unwrap(), std::slice::from_ref(&one));
    assert_eq!(
        me.artists(Window::ALL).await.unwrap(),
        std::slice::from_ref(&artist),
        "only artists with albums"
    );
    assert_eq!(me.albums_of(&artist.id).await.unwrap(), std::slice::from_ref(&described));
    let as_guest = me.albums_of(&artist_ref("Guest").id).await.unwrap();
    assert_eq!(as_guest, std::slice::from_ref(&described), "a guest is shown where they play");
    let genres = me.genres().await.unwrap();
    assert!(genres.contains(&Genre { name: "Pop".into(), track_count: 1, album_count: 1 }));
    assert!(genres.contains(&Genre { name: "Electronic".into(), track_count: 1, album_count: 0 }));
    assert_eq!(titles(&me.tracks_in_genre("Pop", Window::ALL).await.unwrap()), ["Björk's Song"]);

    one.title = "Changed".into();
    one.genres.clear();
    one.artists.truncate(1);
    let change = Batch { tracks: vec![one.clone()], ..Batch::default() };
    assert_eq!(catalog.apply(&change).await.unwrap().tracks, 1);
    assert_eq!(me.track(&"t1".into()).await.unwrap(), Some(one.clone()));
    let hits = me.search("title:song", SearchWindows::first(9)).await.unwrap();
    assert!(hits.tracks.is_empty(), "the old title is forgotten");

    catalog.remove_tracks(&["t1".into()]).await.unwrap();
    catalog.prune().await.unwrap();
    assert_eq!(me.album(&"a1".into()).await.unwrap(), None);
    assert_eq!(me.artist(&artist.id).await.unwrap(), None);
    assert_eq!(catalog.track_ids().await.unwrap(), ["t2".into()]);
    let stats = catalog.stats().await.unwrap();
    assert_eq!((stats.tracks, stats.albums, stats.artists), (1, 0, 1));
    assert!(me.search("changed", SearchWindows::first(9)).await.unwrap().tracks.is_empty());
}

#[tokio::test]
async fn albums_and_artists_that_nobody_described_are_made_up() {
    let catalog = database::in_memory().await;
    let tracks = vec![
        track("t1", "One", "A", Some(("x", "Album"))),
        track("t2", "Two", "A", Some(("x", "Album"))),
        track("t2", "Two again", "A", Some(("x", "Album"))),
    ];
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let me = catalog.listener(&account());
    let album = me.album(&"x".into()).await.unwrap().unwrap();
    assert_eq!((album.title.as_str(), album.track_count, album.duration_ms), ("Album", 2, 2000));
    assert_eq!(me.track(&"t2".into()).await.unwrap().unwrap().title, "Two again", "the last of a batch wins");
    let found = me.search("a", SearchWindows::first(9)).await.unwrap();
    assert_eq!(found.artists.len(), 1);
}

#[tokio::test]
async fn stars_ratings_and_plays_belong_to_one_account() {
    let catalog = database::in_memory().await;
    let tracks = (0..4).map(|n| track(&format!("t{n}"), &format!("Track {n}"), "A", Some(("x", "Album"))));
    catalog.apply(&Batch { tracks: tracks.collect(), ..Batch::default() }).await.unwrap();
    let (me, you) = (catalog.listener(&"me".into()), catalog.listener(&"you".into()));
    let item = |n: &str| Item::Track(n.into());
    me.set_star(&item("t1"), Some(10)).await.unwrap();
    me.set_star(&item("t2"), Some(20)).await.unwrap();
    me.set_star(&item("t1"), None).await.unwrap();
    me.set_star(&Item::Album("x".into()), Some(30)).await.unwrap();
    me.set_rating(&item("t1"), 4).await.unwrap();
    assert!(matches!(me.set_rating(&item("t1"), 6).await, Err(CatalogError::Invalid(_))));
    assert!(matches!(me.set_star(&item("nope"), Some(1)).await, Err(CatalogError::NotFound { .. })));
    let starred = me.starred().await.unwrap();
    assert_eq!(titles(&starred.tracks), ["Track 2"]);
    assert_eq!(starred.albums[0].marks.starred_at, Some(30));
    assert_eq!(you.starred().await.unwrap(), segue::catalog::Hits::default());
    assert_eq!(me.track(&"t1".into()).await.unwrap().unwrap().marks.rating, 4);

    assert!(me.record_play(&play("t1", 100, 1000)).await.unwrap());
    assert!(!me.record_play(&play("t1", 100, 1000)).await.unwrap(), "kept once");
    assert!(me.record_play(&play("t2", 200, 499)).await.unwrap(), "kept, though it does not count");
    assert!(me.record_play(&play("t1", 50, 600)).await.unwrap());
    let marks = me.track(&"t1".into()).await.unwrap().unwrap().marks;
    assert_eq!(
        (marks.play_count, marks.played_at),
        (2, Some(100)),
        "an older play does not move the last one"
    );
    assert_eq!(titles(&me.tracks_by(TrackOrder::PlayCount, Window::ALL).await.unwrap()), ["Track 1"]);
    let recent = me.recent_plays(Window::first(2)).await.unwrap();
    assert_eq!(recent.iter().map(|(p, _)| p.started_at).collect::<Vec<_>>(), [200, 100]);
    assert_eq!(recent[0].0, play("t2", 200, 499));
    let frequent = me.albums(&AlbumList::Frequent, Window::ALL).await.unwrap();
    assert_eq!(frequent[0].marks.play_count, 2);
    assert!(you.albums(&AlbumList::Recent, Window::ALL).await.unwrap().is_empty());

    catalog.remove_tracks(&["t2".into()]).await.unwrap();
    assert!(me.starred().await.unwrap().tracks.is_empty());
    let back = track("t2", "Track 2", "A", None);
    catalog.apply(&Batch { tracks: vec![back], ..Batch::default() }).await.unwrap();
    assert_eq!(
        titles(&me.starred().await.unwrap().tracks),
        ["Track 2"],
        "the star comes back with the track"
    );
}

#[tokio::test]
async fn every_album_list() {
    let catalog = database::in_memory().await;
    let mut albums = Vec::new();
    let mut tracks = Vec::new();
    for (n, (title, artist, year)) in
        [("Zebra", "B", 1990), ("apple", "C", 1980), ("Mango", "A", 2000), ("Éclair", "A", 1985)]
            .iter()
            .enumerate()
    {
        let id = format!("a{n}");
        tracks.push(track(&format!("t{n}"), title, artist, Some((&id, title))));
        let mut album = album(&id, title, artist);
        album.year = Some(*year);
        album.added_at = i64::try_from(n).unwrap();
        album.genres = if n < 2 { vec!["Rock".into()] } else { vec!["Jazz".into()] };
        albums.push(album);
    }
    catalog.apply(&Batch { artists: vec![], albums, tracks }).await.unwrap();
    let me = catalog.listener(&account());
    me.set_rating(&Item::Album("a2".into()), 3).await.unwrap();
    me.set_rating(&Item::Album("a0".into()), 5).await.unwrap();
    me.set_star(&Item::Album("a1".into()), Some(9)).await.unwrap();
    let list = async |list: AlbumList| {
        let albums = me.albums(&list, Window::ALL).await.unwrap();
        albums.iter().map(|a| a.title.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list(AlbumList::ByName).await, "apple Éclair Mango Zebra");
    assert_eq!(list(AlbumList::ByArtist).await, "Éclair Mango Zebra apple");
    assert_eq!(list(AlbumList::Newest).await, "Éclair Mango apple Zebra");
    assert_eq!(list(AlbumList::Highest).await, "Zebra Mango");
    assert_eq!(list(AlbumList::Starred).await, "apple");
    assert_eq!(list(AlbumList::ByYear { from: 1980, to: 1990 }).await, "apple Éclair Zebra");
    assert_eq!(list(AlbumList::ByYear { from: 1990, to: 1980 }).await, "Zebra Éclair apple");
    assert_eq!(list(AlbumList::ByGenre("Jazz".into())).await, "Éclair Mango");
    assert_eq!(list(AlbumList::Random).await.split(' ').count(), 4);
    let second = me.albums(&AlbumList::ByName, Window::new(1, 2)).await.unwrap();
    assert_eq!(second.iter().map(|a| a.title.as_str()).collect::<Vec<_>>(), ["Éclair", "Mango"]);
    let some = RandomFilter { size: 2, genre: None, from_year: None, to_year: None };
    assert_eq!(me.random_tracks(&some).await.unwrap().len(), 2);
    let none = RandomFilter { genre: Some("Polka".into()), ..some };
    assert!(me.random_tracks(&none).await.unwrap().is_empty());
}

#[tokio::test]
async fn playlists_are_private_unless_public() {
    let catalog = database::in_memory().await;
    let tracks = (0..3).map(|n| track(&format!("t{n}"), &format!("Track {n}"), "A", None));
    catalog.apply(&Batch { tracks: tracks.collect(), ..Batch::default() }).await.unwrap();
    let (me, you) = (catalog.listener(&"me".into()), catalog.listener(&"you".into()));
    let ids = ["t0", "t1", "t0"].map(TrackId::from);
    let id = me.create_playlist("  Mine ", &ids).await.unwrap();
    let (list, tracks) = me.playlist(&id).await.unwrap().unwrap();
    assert_eq!((list.name.as_str(), list.track_count, list.duration_ms), ("Mine", 3, 3000));
    assert_eq!(titles(&tracks), ["Track 0", "Track 1", "Track 0"]);
    assert!(you.playlist(&id).await.unwrap().is_none());
    assert!(you.playlists().await.unwrap().is_empty());
    let public = PlaylistEdit { public: Some(true), comment: Some("hi".into()), ..PlaylistEdit::default() };
    assert!(matches!(you.edit_playlist(&id, &public).await, Err(CatalogError::NotFound { .. })));
    me.edit_playlist(&id, &public).await.unwrap();
    assert_eq!(you.playlists().await.unwrap()[0].comment, "hi");
    assert!(matches!(you.delete_playlist(&id).await, Err(CatalogError::NotFound { .. })));
    assert!(matches!(you.replace_playlist(&id, None, &[]).await, Err(CatalogError::NotFound { .. })));
    me.replace_playlist(&id, Some("Other"), &["t2".into()]).await.unwrap();
    let (list, tracks) = you.playlist(&id).await.unwrap().unwrap();
    assert_eq!((list.name.as_str(), titles(&tracks)), ("Other", vec!["Track 2"]));
    assert!(matches!(me.create_playlist(" ", &[]).await, Err(CatalogError::Invalid(_))));
    assert!(matches!(me.create_playlist("x", &["nope".into()]).await, Err(CatalogError::NotFound { .. })));
    me.delete_playlist(&id).await.unwrap();
    assert!(me.playlist(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn entries_of_missing_tracks_keep_their_place() {
    let catalog = database::in_memory().await;
    let tracks = |ids: &[u32]| Batch {
        tracks: ids.iter().map(|n| track(&format!("t{n}"), &format!("Track {n}"), "A", None)).collect(),
        ..Batch::default()
    };
    catalog.apply(&tracks(&[0, 1, 2, 3])).await.unwrap();
    let me = catalog.listener(&account()).with_outbox();
    let all: Vec<TrackId> = (0..4).map(|n| TrackId::from(format!("t{n}"))).collect();
    let id = me.create_playlist("list", &all).await.unwrap();
    catalog.remove_tracks(&["t1".into()]).await.unwrap();
    let edit = PlaylistEdit { remove: vec![1, 7], ..PlaylistEdit::default() };
    me.edit_playlist(&id, &edit).await.unwrap();
    assert_eq!(titles(&me.playlist(&id).await.unwrap().unwrap().1), ["Track 0", "Track 3"]);
    let sent = catalog.outbox(9).await.unwrap();
    let Change::EditPlaylist { edit, .. } = &sent[1].1 else { panic!("{sent:?}") };
    assert_eq!(edit.remove, [2], "the server counts the hidden entry too");
    catalog.apply(&tracks(&[1])).await.unwrap();
    assert_eq!(titles(&me.playlist(&id).await.unwrap().unwrap().1), ["Track 0", "Track 1", "Track 3"]);
}

#[tokio::test]
async fn the_outbox_holds_what_the_server_does_not_know() {
    let catalog = database::in_memory().await;
    catalog
        .apply(&Batch { tracks: vec![track("t0", "Track", "A", None)], ..Batch::default() })
        .await
        .unwrap();
    let quiet = catalog.listener(&account());
    let me = quiet.clone().with_outbox();
    let item = Item::Track("t0".into());
    quiet.set_star(&item, Some(1)).await.unwrap();
    assert!(catalog.outbox(9).await.unwrap().is_empty());
    me.set_star(&item, Some(2)).await.unwrap();
    me.set_rating(&item, 3).await.unwrap();
    me.record_play(&play("t0", 5, 1000)).await.unwrap();
    me.record_play(&play("t0", 6, 1)).await.unwrap();
    me.set_star(&item, None).await.unwrap();
    let list = me.create_playlist("new", &["t0".into()]).await.unwrap();
    assert!(list.as_str().starts_with("local-"));
    let rows = catalog.outbox(9).await.unwrap();
    let changes: Vec<&Change> = rows.iter().map(|(_, change)| change).collect();
    assert_eq!(
        changes,
        [
            &Change::Rate { item: item.clone(), rating: 3 },
            &Change::Scrobble(play("t0", 5, 1000)),
            &Change::Unstar { item: item.clone() },
            &Change::CreatePlaylist { id: list.clone(), name: "new".into(), tracks: vec!["t0".into()] },
        ]
    );
    assert_eq!(catalog.outbox(2).await.unwrap(), rows[..2]);

    // The server's word waits until ours is sent, item by item and list by list.
    let theirs = Marks { starred_at: Some(77), rating: 1, play_count: 9, played_at: Some(4) };
    assert_eq!(me.adopt_marks(&[(item.clone(), theirs)]).await.unwrap(), 0);
    me.adopt_playlists(&[]).await.unwrap();
    assert_eq!(me.playlists().await.unwrap().len(), 1);

    let server = PlaylistId::from("42");
    let edit = PlaylistEdit { add: vec!["t0".into()], ..PlaylistEdit::default() };
    me.edit_playlist(&list, &edit).await.unwrap();
    catalog.rename_playlist_id(&list, &server).await.unwrap();
    assert!(me.playlist(&list).await.unwrap().is_none());
    assert_eq!(me.playlist(&server).await.unwrap().unwrap().1.len(), 2);
    let renamed = catalog.outbox(9).await.unwrap();
    assert_eq!(renamed[4].1, Change::EditPlaylist { id: server.clone(), edit });

    for (sequence, _) in renamed {
        catalog.outbox_done(sequence).await.unwrap();
    }
    assert_eq!(me.adopt_marks(&[(item.clone(), theirs)]).await.unwrap(), 1);
    assert_eq!(me.adopt_marks(&[(item.clone(), theirs)]).await.unwrap(), 0);
    let marks = me.track(&"t0".into()).await.unwrap().unwrap().marks;
    assert_eq!(marks, Marks { starred_at: Some(77), rating: 1, play_count: 9, played_at: Some(5) });
    let adopted = Playlist {
        id: "43".into(),
        name: "theirs".into(),
        comment: String::new(),
        owner: "someone".into(),
        public: true,
        track_count: 1,
        duration_ms: 1000,
        created_at: 1,
        changed_at: 2,
        smart: false,
    };
    let lists = [(adopted.clone(), vec![TrackId::from("t0")])];
    assert_eq!(me.adopt_playlists(&lists).await.unwrap(), 2, "one new, one gone");
    assert_eq!(me.adopt_playlists(&lists).await.unwrap(), 0);
    assert_eq!(me.playlists().await.unwrap(), [adopted]);
    me.set_star(&item, Some(3)).await.unwrap();
    let newest = catalog.outbox(9).await.unwrap();
    assert!(newest[0].0 > rows[3].0, "a number is never given twice");
}

#[tokio::test]
async fn a_file_is_opened_twice_and_keeps_what_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/down/catalog.db");
    let catalog = database::open(&file).await.unwrap();
    catalog
        .apply(&Batch { tracks: vec![track("t0", "Track", "A", None)], ..Batch::default() })
        .await
        .unwrap();
    catalog.set_setting("cursor", "1").await.unwrap();
    catalog.set_setting("cursor", "2").await.unwrap();
    let again = database::open(&file).await.unwrap();
    assert_eq!(again.setting("cursor").await.unwrap().as_deref(), Some("2"));
    assert_eq!(again.setting("nothing").await.unwrap(), None);
    let me = again.listener(&account());
    assert_eq!(me.search("trac", SearchWindows::first(1)).await.unwrap().tracks.len(), 1);
    assert_eq!(me.artist(&ArtistId::from("nope")).await.unwrap(), None);
}
