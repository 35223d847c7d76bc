//! Pins and their downloads, against the real server in this process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod client_house;
#[path = "faults/mod.rs"]
mod faults;

use std::time::Duration;

use client_house::{House, Player, SONGS, client, eventually, media, store};
use faults::{Fault, Proxy};
use segue::cache::{Held, Store, TrackKey};
use segue::catalog::{MixesMade, Pin, PlaylistEdit};
use segue::client::{DownloadStatus, Kept};
use segue::music::{Item, Mix, Pick, Quality, TrackId};
use segue::subsonic::PlaylistChange;

async fn until(player: &Player, what: &str, holds: impl FnMut(&DownloadStatus) -> bool) -> DownloadStatus {
    let mut status = player.session.downloads().unwrap().status();
    match tokio::time::timeout(Duration::from_secs(20), status.wait_for(holds)).await {
        Ok(found) => found.unwrap().clone(),
        Err(late) => panic!(
            "never came true ({late}): {what}; it is {:?}",
            player.session.downloads().unwrap().status().borrow()
        ),
    }
}

fn whole(store: &Store, track: &TrackId) -> bool {
    store.held(&TrackKey::raw(track.clone())) == Held::Whole
}

struct Bench {
    _dir: tempfile::TempDir,
    house: House,
    player: Player,
    store: Store,
    tracks: Vec<TrackId>,
}

async fn bench(limit: u64) -> Bench {
    let house = House::open(SONGS).await;
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    store.set_limit(limit);
    let player = Player::start_with(house.client(), Some(store.clone())).await;
    player.synced().await;
    let tracks = player.tracks().await.into_iter().map(|(id, _)| id).collect();
    Bench { _dir: dir, house, player, store, tracks }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_album_comes_and_stays_when_space_is_short() {
    // No room at all for what is only cached.
    let b = bench(0).await;
    let library = b.player.library();
    let album = library.track(&b.tracks[0]).await.unwrap().unwrap().album_id.unwrap();
    library.pin(&Pin::Album(album.clone())).await.unwrap();
    b.player.session.downloads().unwrap().changed();
    let status = until(&b.player, "both are here", |s| s.done == 2 && s.settled()).await;
    assert!(status.is_pinned(&Pin::Album(album.clone())) && status.failed.is_empty());
    assert_eq!(status.pins[0].name, "First");
    assert!(whole(&b.store, &b.tracks[0]) && whole(&b.store, &b.tracks[1]));
    assert!(!whole(&b.store, &b.tracks[2]), "only what is pinned");
    let usage = b.store.usage();
    assert!(usage.pinned > 0 && usage.pinned == usage.bytes);
    assert_eq!(b.store.clear(), 0, "clearing leaves pins alone");

    assert!(library.unpin(&Pin::Album(album.clone())).await.unwrap());
    assert!(!library.unpin(&Pin::Album(album)).await.unwrap());
    b.player.session.downloads().unwrap().changed();
    until(&b.player, "nothing is pinned", |s| s.tracks.is_empty()).await;
    eventually("space is freed", || async { b.store.usage().bytes == 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pins_keep_in_step_with_their_source() {
    let b = bench(1 << 30).await;
    let library = b.player.library();
    let list = library.create_playlist("Trip", &b.tracks[..1]).await.unwrap();
    library.pin(&Pin::Playlist(list.clone())).await.unwrap();
    library.pin(&Pin::Starred).await.unwrap();
    b.player.session.outbox_changed();
    until(&b.player, "the first is here", |s| s.done == 1 && s.settled()).await;
    // The playlist got the server's id by now or soon; the pin follows it.
    eventually("the list is known to the server", || async {
        b.player.catalog.outbox(1).await.unwrap().is_empty()
    })
    .await;
    let list = library.playlists().await.unwrap()[0].id.clone();
    let edit = PlaylistEdit { add: vec![b.tracks[2].clone()], ..PlaylistEdit::default() };
    library.edit_playlist(&list, &edit).await.unwrap();
    library.set_star(&Item::Track(b.tracks[3].clone()), Some(1)).await.unwrap();
    b.player.session.outbox_changed();
    until(&b.player, "what was added is here", |s| s.done == 3 && s.settled()).await;
    assert!(!whole(&b.store, &b.tracks[1]));

    // The album of a starred artist grows on the server.
    let artist = library.track(&b.tracks[1]).await.unwrap().unwrap().artists[0].id.clone();
    library.set_star(&Item::Artist(artist), Some(2)).await.unwrap();
    b.player.session.outbox_changed();
    until(&b.player, "the artist's tracks are here", |s| s.done == 4 && s.settled()).await;
    media::song(&b.house.music().join("9.flac"), "New", "Ann", "First", 3);
    b.house.scan().await;
    b.player.session.sync_now();
    until(&b.player, "the new one is here", |s| s.done == 5 && s.settled()).await;

    // A second start knows its pins before the server answers.
    let again = b.player.library().pinned_tracks().await.unwrap();
    assert_eq!(again.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_players_do_to_a_pinned_list_and_what_the_server_replaces_comes_here() {
    let b = bench(1 << 30).await;
    let library = b.player.library();
    let theirs = b.house.client();
    let list = theirs.create_playlist("Theirs", &b.tracks[..1]).await.unwrap().unwrap().id;
    eventually("the list is here", || async { library.playlists().await.unwrap().len() == 1 }).await;
    library.pin(&Pin::Playlist(list.clone().into())).await.unwrap();
    b.player.session.downloads().unwrap().changed();
    until(&b.player, "its track is here", |s| s.done == 1 && s.settled()).await;
    let change = PlaylistChange { add: vec![b.tracks[1].clone()], remove: vec![0], ..Default::default() };
    theirs.update_playlist(&list.into(), &change).await.unwrap();
    until(&b.player, "the other track is here", |s| s.tracks.contains(&b.tracks[1]) && s.settled()).await;
    eventually("the new one", || async { whole(&b.store, &b.tracks[1]) }).await;
    assert_eq!(b.player.session.downloads().unwrap().status().borrow().tracks.len(), 1);

    // Its file becomes another one on the server.
    let old = library.track(&b.tracks[1]).await.unwrap().unwrap();
    let number = 1 + SONGS.iter().position(|song| song.0 == old.title).unwrap();
    let (title, artist, album) = SONGS[number - 1];
    let file = b.house.music().join(format!("{number}.flac"));
    // A long name makes it another length.
    media::song(&file, &format!("{title} {}", "again ".repeat(3000)), artist, album, number as u32);
    let size = std::fs::metadata(&file).unwrap().len();
    assert_ne!(size, old.size);
    b.house.scan().await;
    b.player.session.sync_now();
    let key = TrackKey::raw(b.tracks[1].clone());
    eventually("the new file is here", || async {
        b.store.length(&key) == Some(size) && whole(&b.store, &b.tracks[1])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn room_for_it_is_filled_with_what_the_listener_will_probably_hear() {
    let house = House::open(SONGS).await;
    let dir = tempfile::tempdir().unwrap();
    let first = Player::start_in(dir, house.client(), None).await;
    first.synced().await;
    let tracks: Vec<TrackId> = first.tracks().await.into_iter().map(|(id, _)| id).collect();
    let library = first.library();
    let mut sizes = Vec::new();
    for id in &tracks {
        sizes.push(library.track(id).await.unwrap().unwrap().size);
    }
    let mix = |id: &str, picks: &[usize]| Mix {
        id: id.to_owned(),
        name: id.to_owned(),
        about: String::new(),
        why: String::new(),
        picks: picks.iter().map(|n| Pick { track: tracks[*n].clone(), why: String::new() }).collect(),
    };
    // The first pick of each comes before the second of any; what is pinned needs no room.
    let mixes = [mix("one", &[3, 0, 1]), mix("two", &[2, 0])];
    library.keep_mixes(&mixes, &MixesMade::default()).await.unwrap();
    library.pin(&Pin::Track(tracks[3].clone())).await.unwrap();
    let Player { dir, .. } = first;
    let kept = Kept { quality: Quality::Original, room: sizes[2] + sizes[0] };
    // No room at all for what is only cached.
    let store = store(dir.path());
    store.set_limit(0);
    let player = Player::keeping(dir, house.client(), Some(store.clone()), kept).await;
    let status = until(&player, "both are here", |s| s.ahead.here == 2 && s.done == 1 && s.idle()).await;
    assert_eq!((status.ahead.tracks, status.ahead.bytes), (2, sizes[2] + sizes[0]));
    assert_eq!(status.tracks.len(), 1, "they are not pinned");
    for (n, here) in [(3, true), (2, true), (0, true), (1, false)] {
        assert_eq!(whole(&store, &tracks[n]), here, "track {n}");
    }

    // Another day, other mixes: what is in them no more makes room.
    player.library().keep_mixes(&[mix("one", &[1])], &MixesMade::default()).await.unwrap();
    player.session.downloads().unwrap().changed();
    until(&player, "the other is here", |s| s.ahead.tracks == 1 && s.ahead.here == 1).await;
    eventually("the old ones are gone", || async {
        !whole(&store, &tracks[2]) && !whole(&store, &tracks[0])
    })
    .await;
    assert!(whole(&store, &tracks[3]) && whole(&store, &tracks[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_things_cannot_be_pinned() {
    let b = bench(1 << 30).await;
    let error = b.player.library().pin(&Pin::Album("nope".into())).await.unwrap_err();
    assert!(error.to_string().contains("album"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_pause_wait_for_the_server_and_say_what_fails() {
    let house = House::open(SONGS).await;
    let proxy = Proxy::start(house.addr).await;
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let player = Player::start_with(client(&proxy.url(), &house.key), Some(store.clone())).await;
    player.synced().await;
    let tracks: Vec<TrackId> = player.tracks().await.into_iter().map(|(id, _)| id).collect();
    let library = player.library();
    let downloads = player.session.downloads().unwrap().clone();

    downloads.pause(true);
    until(&player, "paused", |s| s.paused).await;
    for track in &tracks {
        library.pin(&Pin::Track(track.clone())).await.unwrap();
    }
    downloads.looked().await;
    let status = until(&player, "all wait", |s| s.waiting == 4).await;
    assert!(status.active.is_empty() && status.bytes_left > 0 && status.remaining_ms().is_none());
    assert!(tracks.iter().all(|t| !whole(&store, t)), "nothing comes while paused");

    // One is refused, the others meet the weather.
    proxy.next([Fault::Status(404, None), Fault::Reset(100), Fault::Status(503, None), Fault::Truncate(50)]);
    downloads.pause(false);
    let status = until(&player, "three are here", |s| s.done == 3 && s.failed.len() == 1).await;
    assert!(!status.failed[0].1.is_empty());
    downloads.retry();
    until(&player, "all are here", |s| s.done == 4 && s.failed.is_empty() && s.settled()).await;
    assert!(tracks.iter().all(|t| whole(&store, t)));
    assert_eq!(store.verify().damaged, []);
}
