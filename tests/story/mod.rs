//! The story that every real server is told: sync, browse, search, play, seek, star, rate, playlists both ways and plays;
//! then the same with the server gone and a start without it, and all of it arriving when it is back. Files that use
//! this have the module `client_house` beside it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests fail by panicking")]

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use segue::cache::{Held, TrackKey};
use segue::catalog::{Pin, PlaylistEdit, SearchWindows};
use segue::client::Connection;
use segue::music::{EndReason, Item, Play, StartReason, Track, Window};
use segue::subsonic::{Client, PlaylistChange};

use crate::client_house::{Player, eventually, read_all, store};

pub(crate) const TITLES: [&str; 4] = ["Ut queant", "Resonare", "Mira gestorum", "Famuli tuorum"];

fn play_of(track: &Track, started_at: i64) -> Play {
    Play {
        track: track.id.clone(),
        started_at,
        heard_ms: track.duration_ms,
        start: StartReason::Chosen,
        end: EndReason::Finished,
    }
}

/// A server that can be told to go and to come back.
pub(crate) trait Real {
    /// A new connection of the listener.
    fn client(&self) -> Client;
    /// Ends it.
    fn gone(&mut self);
    /// Starts it again.
    fn back(&mut self);
    /// The folder with its music: `0.flac` and so on, in the order of [`TITLES`].
    fn music(&self) -> &Path;
    /// Whether it keeps plays as they are reported, with their times.
    fn keeps_plays(&self) -> bool;
}

/// A listener lives with the server, without it, and all of it arrives when it is back.
#[allow(clippy::too_many_lines, reason = "one story, told in order")]
pub(crate) async fn is_lived(mut server: impl Real) {
    let disk = tempfile::tempdir().unwrap();
    let tracks_on_disk = store(disk.path());
    let player = Player::start_with(server.client(), Some(tracks_on_disk.clone())).await;
    player.synced().await;
    eventually("all is here", || async { player.tracks().await.len() == TITLES.len() }).await;
    let library = player.library();

    // Browse.
    let artists = library.artists(Window::ALL).await.unwrap();
    assert_eq!(artists[0].name, "Guido d’Arezzo");
    let albums = library.albums_of(&artists[0].id).await.unwrap();
    let tracks = library.tracks_of(&albums[0].id).await.unwrap();
    assert_eq!(tracks.iter().map(|t| t.title.as_str()).collect::<Vec<_>>(), TITLES);
    let music = server.music().to_owned();
    let original = |i: usize| std::fs::read(music.join(format!("{i}.flac"))).unwrap();

    // Play one through, and seek in another.
    let rt = tokio::runtime::Handle::current();
    let open = |i: usize| {
        let key = TrackKey::raw(tracks[i].id.clone());
        tracks_on_disk.track(&key, Some(tracks[i].size), player.session.source(), &rt).unwrap()
    };
    let (reader, first) = (open(0), original(0));
    let heard = tokio::task::spawn_blocking(move || read_all(reader)).await.unwrap().unwrap();
    assert!(heard == first, "the bytes that the server has");
    let (mut reader, second) = (open(1), original(1));
    let middle = second.len() / 2;
    let piece = tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; 1000];
        reader
            .seek(SeekFrom::Start(middle as u64))
            .and_then(|_| reader.read_exact(&mut piece))
            .map(|()| piece)
    });
    assert_eq!(piece.await.unwrap().unwrap(), second[middle..middle + 1000]);

    // Keep one.
    library.pin(&Pin::Track(tracks[2].id.clone())).await.unwrap();
    player.session.outbox_changed();
    eventually("the pinned one is here", || async {
        tracks_on_disk.held(&TrackKey::raw(tracks[2].id.clone())) == Held::Whole
    })
    .await;

    // Star, rate, list, play with the server there.
    library.set_star(&Item::Track(tracks[0].id.clone()), Some(1_700_000_000_000)).await.unwrap();
    library.set_rating(&Item::Track(tracks[0].id.clone()), 4).await.unwrap();
    library.create_playlist("Solmisation", &[tracks[0].id.clone(), tracks[1].id.clone()]).await.unwrap();
    library.record_play(&play_of(&tracks[0], 1_700_000_000_000)).await.unwrap();
    player.session.outbox_changed();
    eventually("delivered", || async { player.catalog.outbox(1).await.unwrap().is_empty() }).await;
    let client = server.client();
    let song = client.song(&tracks[0].id).await.unwrap();
    assert!(song.starred.is_some());
    assert_eq!(song.user_rating, Some(4));
    let lists = client.playlists().await.unwrap();
    assert_eq!((lists.len(), lists[0].song_count), (1, 2));

    // A list that another player made comes here, and what it does to it, too.
    let made = client.create_playlist("From elsewhere", &[tracks[3].id.clone()]).await.unwrap();
    let theirs = if let Some(made) = made {
        made.id
    } else {
        let lists = client.playlists().await.unwrap();
        lists.into_iter().find(|l| l.name == "From elsewhere").unwrap().id
    };
    let theirs = segue::music::PlaylistId::from(theirs);
    let titles = |id: segue::music::PlaylistId| {
        let library = library.clone();
        async move {
            let found = library.playlist(&id).await.unwrap();
            found
                .map(|(_, tracks)| tracks.into_iter().map(|t| t.title).collect::<Vec<_>>())
                .unwrap_or_default()
        }
    };
    eventually("the list is here", || async { titles(theirs.clone()).await == ["Famuli tuorum"] }).await;
    let change = PlaylistChange { add: vec![tracks[0].id.clone()], ..PlaylistChange::default() };
    client.update_playlist(&theirs, &change).await.unwrap();
    eventually("it grew", || async { titles(theirs.clone()).await == ["Famuli tuorum", "Ut queant"] }).await;
    client.delete_playlist(&theirs).await.unwrap();
    eventually("it went", || async { titles(theirs.clone()).await.is_empty() }).await;

    // The server is gone, and the player is started again without it.
    server.gone();
    let Player { dir, catalog, session, .. } = player;
    session.shutdown().await;
    drop(catalog);
    let player = Player::start_in(dir, server.client(), Some(tracks_on_disk.clone())).await;
    player.until("offline", |s| matches!(s.connection, Connection::Offline { .. })).await;
    let library = player.library();
    assert_eq!(library.tracks_of(&albums[0].id).await.unwrap().len(), TITLES.len());
    let window = Window::first(10);
    let windows = SearchWindows { artists: window, albums: window, tracks: window, playlists: window };
    assert_eq!(library.search("mira", windows).await.unwrap().tracks[0].title, "Mira gestorum");
    for i in [0, 2] {
        let key = TrackKey::raw(tracks[i].id.clone());
        let reader = tracks_on_disk.track(&key, None, player.session.source(), &rt).unwrap();
        let heard = tokio::task::spawn_blocking(move || read_all(reader)).await.unwrap().unwrap();
        assert!(heard == original(i), "{} plays from this machine", tracks[i].title);
    }
    library.set_star(&Item::Track(tracks[0].id.clone()), None).await.unwrap();
    library.set_star(&Item::Album(albums[0].id.clone()), Some(1_700_000_100_000)).await.unwrap();
    library.set_rating(&Item::Track(tracks[3].id.clone()), 5).await.unwrap();
    let list = library.playlists().await.unwrap()[0].id.clone();
    let edit = PlaylistEdit { add: vec![tracks[3].id.clone()], remove: vec![0], ..PlaylistEdit::default() };
    library.edit_playlist(&list, &edit).await.unwrap();
    library.create_playlist("On the train", &[tracks[2].id.clone()]).await.unwrap();
    library.record_play(&play_of(&tracks[2], 1_700_000_200_000)).await.unwrap();
    library.record_play(&play_of(&tracks[2], 1_700_000_300_000)).await.unwrap();
    player.session.outbox_changed();
    assert_eq!(player.catalog.outbox(100).await.unwrap().len(), 7);

    // It is back.
    server.back();
    player.until("online", |s| s.connection.is_up()).await;
    eventually("all of it arrived", || async { player.catalog.outbox(1).await.unwrap().is_empty() }).await;
    assert_eq!(player.session.status().borrow().problem, None);
    assert!(client.song(&tracks[0].id).await.unwrap().starred.is_none());
    assert_eq!(client.starred2().await.unwrap().album.len(), 1);
    assert_eq!(client.song(&tracks[3].id).await.unwrap().user_rating, Some(5));
    let lists = client.playlists().await.unwrap();
    let mut shown = Vec::new();
    for list in lists {
        let full = client.playlist(&list.id.clone().into()).await.unwrap();
        let titles: Vec<String> = full.entry.unwrap_or_default().into_iter().map(|e| e.title).collect();
        shown.push(format!("{}: {}", list.name, titles.join(", ")));
    }
    shown.sort();
    assert_eq!(shown, ["On the train: Mira gestorum", "Solmisation: Resonare, Famuli tuorum"]);
    // Plays, once each: this machine knows what it sent, and a full pass does not change it.
    player.session.sync_now();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let here = library.track(&tracks[2].id).await.unwrap().unwrap();
    assert_eq!(here.marks.play_count, 2);
    if server.keeps_plays() {
        let song = client.song(&tracks[2].id).await.unwrap();
        assert_eq!(song.play_count, Some(2));
        let heard: jiff::Timestamp = song.played.unwrap().parse().unwrap();
        assert_eq!(heard.as_second(), 1_700_000_300, "when it was heard, not when it arrived");
    } else if let Some(count) = client.song(&tracks[2].id).await.unwrap().play_count {
        assert_eq!(count, 2, "on the server");
    }
    player.session.shutdown().await;
}
