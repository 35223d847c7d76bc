//! A listener's session against the real server in this process, and against servers that do less.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

mod client_house;
#[path = "faults/mod.rs"]
mod faults;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use client_house::{House, Player, SONGS, client, eventually, media, read_all, store};
use faults::{Fault, Proxy};
use segue::cache::{Held, TrackKey};
use segue::catalog::{Catalog, PlaylistEdit};
use segue::client::{Connection, Kept, Options, Session, SyncState};
use segue::music::{
    AlbumId, EndReason, Item, Play, PlayQueue, PlaylistId, Purpose, StartReason, TrackId, Window,
};
use segue::subsonic::{Client, Credentials};

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_copied_and_news_follow() {
    let house = House::open(SONGS).await;
    let player = Player::start(house.client()).await;
    let status = player.synced().await;
    assert_eq!(status.connection, Connection::Online);
    assert!(status.catalog_generation > 0);
    assert_eq!(player.titles().await, ["Alpha", "Beta", "Delta", "Gamma"]);
    let stats = player.catalog.stats().await.unwrap();
    assert_eq!((stats.tracks, stats.albums), (4, 3));
    player.session.settled(Duration::from_secs(5)).await;

    // Nothing new: the generation stays.
    let before = player.session.status().borrow().catalog_generation;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(player.session.status().borrow().catalog_generation, before);

    // One more, one less.
    media::song(&house.music().join("9.flac"), "Omega", "Zoe", "Last", 1);
    std::fs::remove_file(house.music().join("1.flac")).unwrap();
    house.scan().await;
    player.session.sync_now();
    player.until("news", |s| s.catalog_generation > before).await;
    eventually("the change is here", || async {
        player.titles().await == ["Beta", "Delta", "Gamma", "Omega"]
    })
    .await;
    player.session.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_offline_arrives_once_and_in_order() {
    let mut house = House::open(SONGS).await;
    let player = Player::start(house.client()).await;
    player.synced().await;
    let tracks = player.tracks().await;
    let [alpha, beta] = [&tracks[0].0, &tracks[1].0];

    house.gone().await;
    let status = player.until("offline", |s| matches!(s.connection, Connection::Offline { .. })).await;
    let Connection::Offline { since, why } = status.connection else { unreachable!() };
    assert!(since > 0 && !why.is_empty());

    let library = player.library();
    library.set_star(&Item::Track(alpha.clone()), Some(1_700_000_000_000)).await.unwrap();
    library.set_rating(&Item::Track(beta.clone()), 4).await.unwrap();
    let play = Play {
        track: alpha.clone(),
        started_at: 1_700_000_000_123,
        heard_ms: 1000,
        start: StartReason::Chosen,
        end: EndReason::Finished,
    };
    assert!(library.record_play(&play).await.unwrap());
    let list = library.create_playlist("Trip", std::slice::from_ref(alpha)).await.unwrap();
    let edit = PlaylistEdit { add: vec![beta.clone()], ..PlaylistEdit::default() };
    library.edit_playlist(&list, &edit).await.unwrap();
    library.set_profiled(false).await.unwrap();
    player.session.outbox_changed();

    house.back().await;
    player.until("online", |s| s.connection == Connection::Online).await;
    eventually("all is sent", || async { player.catalog.outbox(10).await.unwrap().is_empty() }).await;

    let client = house.client();
    let starred = client.starred2().await.unwrap();
    assert_eq!(starred.song.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), [alpha.as_str()]);
    assert_eq!(client.song(beta).await.unwrap().user_rating, Some(4));
    let heard = client.song(alpha).await.unwrap();
    assert_eq!(heard.play_count, Some(1));
    assert!(heard.played.unwrap().starts_with("2023-11-14T22:13:20"), "the time when it was heard");
    // Who is not profiled has what is popular as a list of the server's own.
    let mut lists = client.playlists().await.unwrap();
    assert!(lists.iter().any(|list| list.id == "mix-popular"));
    lists.retain(|list| !list.id.starts_with("mix-"));
    assert_eq!(lists.len(), 1);
    let full = client.playlist(&lists[0].id.clone().into()).await.unwrap();
    let entries: Vec<_> = full.entry.unwrap().into_iter().map(|e| e.id).collect();
    assert_eq!(entries, [alpha.as_str(), beta.as_str()]);
    // Here it is the same list under the server's id, once.
    eventually("the list has the server's id", || async {
        let mut ours = library.playlists().await.unwrap();
        ours.retain(|list| !list.id.as_str().starts_with("mix-"));
        ours.len() == 1 && ours[0].id.as_str() == lists[0].id && ours[0].track_count == 2
    })
    .await;
    let catalog = house.catalog().await;
    let there = catalog.listener(&catalog.account_named("admin").await.unwrap().unwrap().id);
    assert!(!there.profiled().await.unwrap(), "the server makes nothing of it either");
    library.set_profiled(true).await.unwrap();
    player.session.outbox_changed();
    eventually("it is allowed again", || async { there.profiled().await.unwrap() }).await;
    assert!(player.session.status().borrow().problem.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_that_was_left_later_stays() {
    let mut house = House::open(SONGS).await;
    let player = Player::start(house.client()).await;
    player.synced().await;
    let tracks: Vec<TrackId> = player.tracks().await.into_iter().map(|(id, _)| id).collect();
    let queue = |current, changed_at| PlayQueue {
        tracks: tracks.clone(),
        current,
        position_ms: 500,
        changed_at,
        changed_by: "segue".to_owned(),
    };
    let far_future = 4_000_000_000_000;

    // Left here while the server was away: only the last place goes there.
    house.gone().await;
    player.until("offline", |s| matches!(s.connection, Connection::Offline { .. })).await;
    for (current, at) in [(0, far_future), (1, far_future + 1), (2, far_future + 2)] {
        player.library().save_play_queue(&queue(current, at)).await.unwrap();
    }
    assert_eq!(player.catalog.outbox(10).await.unwrap().len(), 1);
    house.back().await;
    eventually("it is sent", || async { player.catalog.outbox(10).await.unwrap().is_empty() }).await;
    let left = player.session.left_queue().await.unwrap().unwrap();
    assert_eq!((left.current, left.position_ms, left.changed_by.as_str()), (2, 500, "segue"));
    assert_eq!(left.tracks, tracks);

    // Another player went on since then: what was left here earlier does not undo that.
    house.client().save_play_queue(&queue(3, 0), true).await.unwrap();
    player.library().save_play_queue(&queue(1, 1000)).await.unwrap();
    player.session.outbox_changed();
    eventually("it is dropped", || async { player.catalog.outbox(10).await.unwrap().is_empty() }).await;
    assert_eq!(player.session.left_queue().await.unwrap().unwrap().current, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_is_shown_and_does_not_block_the_others() {
    let house = House::open(SONGS).await;
    let player = Player::start(house.client()).await;
    player.synced().await;
    let tracks = player.tracks().await;
    // The server forgets a track that this machine still has.
    let proxyless = house.catalog().await;
    proxyless.remove_tracks(std::slice::from_ref(&tracks[0].0)).await.unwrap();
    let library = player.library();
    library.set_rating(&Item::Track(tracks[0].0.clone()), 5).await.unwrap();
    library.set_rating(&Item::Track(tracks[1].0.clone()), 3).await.unwrap();
    player.session.outbox_changed();
    player.until("a problem", |s| s.problem.as_ref().is_some_and(|p| p.contains("refused"))).await;
    eventually("all is sent", || async { player.catalog.outbox(10).await.unwrap().is_empty() }).await;
    assert_eq!(house.client().song(&tracks[1].0).await.unwrap().user_rating, Some(3));
    player.session.dismiss_problem();
    assert!(player.session.status().borrow().problem.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_players_star_and_list_comes_here() {
    let house = House::open(SONGS).await;
    let player = Player::start(house.client()).await;
    player.synced().await;
    let tracks = player.tracks().await;
    let item = Item::Track(tracks[2].0.clone());
    let other = house.client();
    other.star(std::slice::from_ref(&item)).await.unwrap();
    other.create_playlist("From afar", &[tracks[0].0.clone()]).await.unwrap();
    eventually("star and list", || async {
        let starred = player.library().starred().await.unwrap();
        let lists = player.library().playlists().await.unwrap();
        starred.tracks.len() == 1 && lists.iter().any(|l| l.name == "From afar" && l.track_count == 1)
    })
    .await;
    other.unstar(&[item]).await.unwrap();
    eventually("unstarred", || async { player.library().starred().await.unwrap().tracks.is_empty() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_told() {
    let house = House::open(SONGS).await;
    let player = Player::start(client(&format!("http://{}", house.addr), "nonsense")).await;
    let status = player.until("a problem", |s| s.problem.is_some()).await;
    assert!(status.problem.unwrap().contains("login"));
    assert!(matches!(status.connection, Connection::Offline { .. } | Connection::Connecting));
}

#[tokio::test(flavor = "multi_thread")]
async fn portals_and_broken_gateways_are_offline_and_pass() {
    let house = House::open(SONGS).await;
    let proxy = Proxy::start(house.addr).await;
    let player = Player::start(client(&proxy.url(), &house.key)).await;
    player.synced().await;
    for fault in [Fault::Html, Fault::Status(502, None), Fault::Drop] {
        proxy.always(fault.clone());
        let status = player.until("offline", |s| matches!(s.connection, Connection::Offline { .. })).await;
        if fault == Fault::Html {
            let Connection::Offline { why, .. } = status.connection else { unreachable!() };
            assert!(why.contains("web page"), "{why}");
        }
        proxy.always(Fault::None);
        player.until("online", |s| s.connection == Connection::Online).await;
    }
    proxy.always(Fault::Delay(Duration::from_millis(1700)));
    player.until("slow", |s| s.connection == Connection::Slow).await;
    proxy.always(Fault::None);
    player.until("online", |s| s.connection == Connection::Online).await;
}

/// A server with one long track, a proxy before it, and the track's bytes.
async fn one_track() -> (House, Proxy, Player, TrackId, Vec<u8>) {
    let house = House::open(&[]).await;
    let file = house.music().join("long.flac");
    media::put(&file, &media::flac(300_000, 3));
    house.scan().await;
    let bytes = std::fs::read(&file).unwrap();
    let proxy = Proxy::start(house.addr).await;
    let player = Player::start(client(&proxy.url(), &house.key)).await;
    player.synced().await;
    let track = player.tracks().await[0].0.clone();
    (house, proxy, player, track, bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn tracks_come_whole_through_any_fault() {
    let (_house, proxy, player, track, bytes) = one_track().await;
    let half = bytes.len() / 2;
    let cases: Vec<Vec<Fault>> = vec![
        vec![],
        vec![Fault::Delay(Duration::from_millis(100))],
        vec![Fault::Throttle(4_000_000)],
        vec![Fault::Truncate(half)],
        vec![Fault::Truncate(0), Fault::Truncate(1)],
        vec![Fault::Reset(half)],
        vec![Fault::Reset(half), Fault::Reset(1000), Fault::Reset(0)],
        vec![Fault::Drop, Fault::Drop],
        vec![Fault::Status(500, None)],
        vec![Fault::Status(502, None), Fault::Status(503, Some(0))],
        vec![Fault::Status(429, Some(1))],
        vec![Fault::Html],
        vec![Fault::Silence],
        vec![Fault::Reset(half), Fault::IgnoreRange],
        vec![Fault::Reset(half), Fault::IgnoreRange, Fault::Reset(1000)],
        vec![Fault::Reset(half), Fault::IgnoreIfRange],
        vec![Fault::Reset(half), Fault::WrongRange(1)],
        vec![Fault::Reset(half), Fault::WrongRange(5000), Fault::WrongRange(1)],
        vec![Fault::Reset(half), Fault::Html, Fault::Status(429, None), Fault::Drop],
        vec![Fault::Reset(half), Fault::NoEtag],
        vec![Fault::NoEtag, Fault::NoEtag],
        vec![Fault::Reset(half), Fault::Status(500, None), Fault::IgnoreRange],
        vec![Fault::WrongLength(5000)],
    ];
    for (i, case) in cases.into_iter().enumerate() {
        let store = store(&player.dir.path().join(format!("store-{i}")));
        proxy.next(case.clone());
        let key = TrackKey::raw(track.clone());
        let size = Some(bytes.len() as u64);
        let rt = tokio::runtime::Handle::current();
        let reader = store.track(&key, size, player.session.source(), &rt).unwrap();
        let read = tokio::task::spawn_blocking(move || read_all(reader)).await.unwrap();
        if case == [Fault::WrongLength(5000)] {
            // The length was a lie: either all the bytes or a word about it, never others.
            assert!(read.is_err() || read.unwrap() == bytes);
            continue;
        }
        assert!(read.unwrap_or_else(|e| panic!("{case:?}: {e}")) == bytes, "{case:?}: other bytes");
        eventually("it is whole and closed", || async {
            store.held(&key) == Held::Whole && store.verify().open == 0
        })
        .await;
        assert_eq!((store.verify().whole, store.verify().damaged), (1, vec![]), "{case:?}");
        proxy.next([]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_track_that_is_not_there_is_refused() {
    let (_house, _proxy, player, _, _) = one_track().await;
    let store = store(&player.dir.path().join("store"));
    let rt = tokio::runtime::Handle::current();
    let key = TrackKey::raw(TrackId::from("no-such-track"));
    let reader = store.track(&key, None, player.session.source(), &rt).unwrap();
    let error = tokio::task::spawn_blocking(move || read_all(reader)).await.unwrap().unwrap_err();
    assert!(!error.to_string().is_empty());
    assert_eq!(
        player.session.status().borrow().connection,
        Connection::Online,
        "that is no fault of the network"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_track_plays_with_the_server_gone_and_a_part_plays_on_when_it_is_back() {
    let (mut house, proxy, player, track, bytes) = one_track().await;
    let store = store(&player.dir.path().join("store"));
    let rt = tokio::runtime::Handle::current();
    let key = TrackKey::raw(track);
    let source = player.session.source();
    proxy.next([Fault::Reset(bytes.len() / 2)]);
    proxy.always(Fault::None);
    let reader = store.track(&key, None, Arc::clone(&source), &rt).unwrap();
    let watcher = reader.watcher();
    let reading = tokio::task::spawn_blocking(move || read_all(reader));
    house.gone().await;
    eventually("it waits or is done", || async {
        let progress = watcher.progress();
        progress.waiting.is_some() || progress.whole
    })
    .await;
    house.back().await;
    assert!(reading.await.unwrap().unwrap() == bytes);
    house.gone().await;
    let again = store.track(&key, None, source, &rt).unwrap();
    assert!(tokio::task::spawn_blocking(move || read_all(again)).await.unwrap().unwrap() == bytes);
}

/// A server that finds nothing for an empty query, or always the same one page, and knows neither scans nor stars.
async fn plain_server(same_page: bool) -> SocketAddr {
    use axum::extract::{Path, Query};
    use std::collections::HashMap;
    let answer = move |Path(endpoint): Path<String>, Query(q): Query<HashMap<String, String>>| async move {
        let offset: usize = q.get("offset").and_then(|o| o.parse().ok()).unwrap_or(0);
        let body = match endpoint.trim_end_matches(".view") {
            "ping" => String::new(),
            "search3" if same_page => {
                r#","searchResult3":{"artist":{"id":7,"name":"A"},"album":{"id":1,"name":"One"},"song":[{"id":11,"title":"Uno","albumId":1},{"id":12,"title":"Due","albumId":1}]}"#.into()
            }
            "search3" => r#","searchResult3":{}"#.into(),
            "getAlbumList2" if offset == 0 => {
                r#","albumList2":{"album":[{"id":1,"name":"One","songCount":1},{"id":2,"name":"Two","songCount":2}]}"#.into()
            }
            "getAlbumList2" => r#","albumList2":{}"#.into(),
            "getAlbum" if q["id"] == "1" => {
                r#","album":{"id":1,"name":"One","artist":"A","artistId":7,"song":{"id":11,"title":"Uno","albumId":1,"duration":3}}"#.into()
            }
            "getAlbum" => {
                r#","album":{"id":2,"name":"Two","song":[{"id":21,"title":"Dos"},{"id":22,"title":"Tres"}]}"#.into()
            }
            "getArtists" => r#","artists":{"index":{"name":"A","artist":{"id":7,"name":"A","albumCount":1}}}"#.into(),
            _ => {
                return r#"{"subsonic-response":{"status":"failed","version":"1.12.0","error":{"code":0,"message":"not here"}}}"#.into();
            }
        };
        format!(r#"{{"subsonic-response":{{"status":"ok","version":"1.12.0"{body}}}}}"#)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let router = axum::Router::new().route("/sub/rest/{endpoint}", axum::routing::get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    addr
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_without_search_for_everything_are_read_album_by_album() {
    let addr = plain_server(false).await;
    let player = Player::start(client(&format!("http://{addr}/sub"), "k")).await;
    player.synced().await;
    assert_eq!(player.titles().await, ["Dos", "Tres", "Uno"]);
    let one = player.library().tracks_of(&AlbumId::from("1")).await.unwrap();
    assert_eq!(one[0].title, "Uno");
    assert!(player.library().artist(&"7".into()).await.unwrap().is_some());
    assert_eq!(player.session.status().borrow().connection, Connection::Online);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_notice_of_offsets_is_read_once() {
    let addr = plain_server(true).await;
    let player = Player::start(client(&format!("http://{addr}/sub"), "k")).await;
    player.synced().await;
    assert_eq!(player.titles().await, ["Due", "Uno"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_do_not_make_changes_twice() {
    let house = House::open(SONGS).await;
    let proxy = Proxy::start(house.addr).await;
    let player = Player::start(client(&proxy.url(), &house.key)).await;
    player.synced().await;
    let tracks = player.tracks().await;
    let direct = house.client();
    let library = player.library();

    // The first attempt of each change reaches the server, its answer is lost.
    let local = library.create_playlist("Once", std::slice::from_ref(&tracks[0].0)).await.unwrap();
    proxy.lose_answers_of("createPlaylist", 1);
    player.session.outbox_changed();
    eventually("the list is made", || async { player.catalog.outbox(9).await.unwrap().is_empty() }).await;
    let lists = direct.playlists().await.unwrap();
    assert_eq!(lists.len(), 1, "made once");
    assert!(library.playlist(&local).await.unwrap().is_none(), "it has the server's id here");

    let id = lists[0].id.clone().into();
    let edit =
        PlaylistEdit { add: vec![tracks[1].0.clone(), tracks[2].0.clone()], ..PlaylistEdit::default() };
    library.edit_playlist(&id, &edit).await.unwrap();
    proxy.lose_answers_of("updatePlaylist", 1);
    player.session.outbox_changed();
    eventually("the edit is made", || async { player.catalog.outbox(9).await.unwrap().is_empty() }).await;
    assert_eq!(proxy.lost(), 2);
    let entries = direct.playlist(&id).await.unwrap().entry.unwrap();
    assert_eq!(entries.len(), 3, "edited once");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_kept_for_when_the_server_is_gone() {
    let mut house = House::open(SONGS).await;
    let picture = image_bytes();
    std::fs::write(house.music().join("cover.png"), &picture).unwrap();
    house.scan().await;
    let player = Player::start(house.client()).await;
    player.synced().await;
    let albums = player.library().albums(&segue::catalog::AlbumList::ByName, Window::ALL).await.unwrap();
    let Some(cover) = albums.iter().find_map(|a| a.cover.clone()) else {
        panic!("no album has a picture");
    };
    let (one, two) =
        tokio::join!(player.session.cover(&cover, Some(64)), player.session.cover(&cover, Some(64)));
    let one = one.unwrap();
    assert!(!one.is_empty() && one == two.unwrap());
    house.gone().await;
    assert_eq!(player.session.cover(&cover, Some(64)).await.unwrap(), one);
    assert!(player.session.cover(&cover, Some(300)).await.is_err(), "that size was never asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn lyrics_are_kept_for_when_the_server_is_gone() {
    let mut house = House::open(SONGS).await;
    std::fs::write(house.music().join("1.lrc"), "[00:01.00]First words").unwrap();
    house.scan().await;
    let player = Player::start(house.client()).await;
    player.synced().await;
    let tracks = player.library().tracks_by(segue::catalog::TrackOrder::Title, Window::ALL).await.unwrap();
    let mut sung = None;
    for track in &tracks {
        let lyrics = player.session.lyrics(track).await.unwrap();
        if !lyrics.is_empty() {
            sung = Some((track.clone(), lyrics));
        }
    }
    let (track, lyrics) = sung.unwrap();
    assert_eq!((lyrics[0].lines[0].start_ms, lyrics[0].lines[0].text.as_str()), (Some(1000), "First words"));
    house.gone().await;
    player.until("offline", |s| matches!(s.connection, Connection::Offline { .. })).await;
    assert_eq!(player.session.lyrics(&track).await.unwrap(), lyrics);
    assert_eq!(player.catalog.lyrics(&track.id).await.unwrap(), lyrics);
}

fn image_bytes() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(80, 80, |x, y| image::Rgb([x as u8, y as u8, 90]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The login and what is asked are in no address, so in no log on the way, once the server said that it takes forms.
#[tokio::test(flavor = "multi_thread")]
async fn forms_carry_everything_where_the_server_takes_them() {
    let (house, proxy, player, track, bytes) = one_track().await;
    let dir = tempfile::tempdir().unwrap();
    let reader = store(dir.path())
        .track(
            &TrackKey::raw(track.clone()),
            None,
            player.session.source(),
            &tokio::runtime::Handle::current(),
        )
        .unwrap();
    assert!(tokio::task::spawn_blocking(move || read_all(reader)).await.unwrap().unwrap() == bytes);
    player.library().set_star(&Item::Track(track.clone()), Some(1)).await.unwrap();
    player.session.outbox_changed();
    eventually("delivered", || async { player.catalog.outbox(1).await.unwrap().is_empty() }).await;
    for endpoint in ["search3", "stream", "star"] {
        let asked = proxy.asked(endpoint);
        assert!(!asked.is_empty(), "{endpoint}");
        for (line, form) in asked {
            assert_eq!(line, format!("POST /rest/{endpoint} HTTP/1.1"));
            assert!(form.contains(&house.key), "{endpoint}: who asks is in the form");
        }
    }
    drop(house);
}

/// Two machines edit one list while one of them is away: nothing that was added is lost, what was taken out is what goes,
/// and the listener is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_was_changed_on_both_sides_loses_nothing_and_it_is_said() {
    let house = House::open(SONGS).await;
    let proxy = Proxy::start(house.addr).await;
    let player = Player::start(client(&proxy.url(), &house.key)).await;
    player.synced().await;
    let t: Vec<TrackId> = player.tracks().await.into_iter().map(|(id, _)| id).collect();
    let library = player.library();
    let edited = library.create_playlist("Edited", &[t[0].clone(), t[1].clone()]).await.unwrap();
    library.create_playlist("Sorted", &[t[0].clone(), t[1].clone()]).await.unwrap();
    player.session.outbox_changed();
    eventually("made", || async { player.catalog.outbox(1).await.unwrap().is_empty() }).await;
    assert!(library.playlist(&edited).await.unwrap().is_none(), "it has the server's id now");
    let id = |name: &'static str| {
        let library = library.clone();
        async move {
            let lists = library.playlists().await.unwrap();
            lists.into_iter().find(|list| list.name == name).unwrap().id
        }
    };
    let (edited, sorted) = (id("Edited").await, id("Sorted").await);

    // Away: here the first entry goes, and the other list is turned round.
    proxy.always(Fault::Drop);
    player.until("offline", |s| matches!(s.connection, Connection::Offline { .. })).await;
    let edit = PlaylistEdit { remove: vec![0], add: vec![t[3].clone()], ..PlaylistEdit::default() };
    library.edit_playlist(&edited, &edit).await.unwrap();
    library.replace_playlist(&sorted, None, &[t[1].clone(), t[0].clone()]).await.unwrap();
    // Meanwhile somebody else puts a track before it, and one at the end.
    let theirs = house.client();
    theirs.replace_playlist(&edited, None, &[t[2].clone(), t[0].clone(), t[1].clone()]).await.unwrap();
    theirs.replace_playlist(&sorted, None, &[t[0].clone(), t[1].clone(), t[2].clone()]).await.unwrap();
    proxy.always(Fault::None);
    let status = player.until("told", |s| s.problem.is_some()).await;
    assert!(status.problem.unwrap().contains("changed elsewhere too"));
    eventually("delivered", || async { player.catalog.outbox(1).await.unwrap().is_empty() }).await;
    let there = |list: PlaylistId| {
        let client = house.client();
        async move {
            let list = client.playlist(&list).await.unwrap();
            list.entry.unwrap_or_default().into_iter().map(|e| TrackId::from(e.id)).collect::<Vec<_>>()
        }
    };
    assert_eq!(there(edited.clone()).await, [t[2].clone(), t[1].clone(), t[3].clone()]);
    assert_eq!(there(sorted).await, [t[1].clone(), t[0].clone(), t[2].clone()]);
    eventually("the same here", || async {
        let (_, tracks) = library.playlist(&edited).await.unwrap().unwrap();
        tracks.into_iter().map(|t| t.id).eq([t[2].clone(), t[1].clone(), t[3].clone()])
    })
    .await;
}

/// Two programs on one library, as two terminals have it: each change goes to the server once.
#[tokio::test(flavor = "multi_thread")]
async fn two_programs_on_one_library_send_nothing_twice() {
    let house = House::open(SONGS).await;
    let proxy = Proxy::start(house.addr).await;
    let one = Player::start(client(&proxy.url(), &house.key)).await;
    one.synced().await;
    let options = Options {
        covers: one.dir.path().join("covers"),
        store: None,
        kept: Kept::default(),
        pace: client_house::pace(),
    };
    let catalog = Catalog::open(&one.dir.path().join("catalog.db")).await.unwrap();
    let two = Session::start_with(client(&proxy.url(), &house.key), catalog, one.account.clone(), options);
    let mut status = two.status();
    status.wait_for(|s| matches!(s.sync, SyncState::Idle { at: Some(_) })).await.unwrap();
    let tracks: Vec<TrackId> = one.tracks().await.into_iter().map(|(id, _)| id).collect();
    // Answers take their time, so that two that do not know of each other would be at it at once.
    proxy.always(Fault::Delay(Duration::from_millis(20)));
    for (n, track) in (0_i64..15).zip(tracks.iter().cycle()) {
        let play = Play {
            track: track.clone(),
            started_at: 1_700_000_000_000 + n * 100_000,
            heard_ms: 60_000,
            start: StartReason::Chosen,
            end: EndReason::Finished,
        };
        one.library().record_play(&play).await.unwrap();
        one.session.outbox_changed();
        two.outbox_changed();
    }
    one.library().create_playlist("Once", &tracks[..1]).await.unwrap();
    one.session.outbox_changed();
    two.outbox_changed();
    eventually("delivered", || async {
        one.session.outbox_changed();
        two.outbox_changed();
        one.catalog.outbox(1).await.unwrap().is_empty()
    })
    .await;
    assert_eq!(proxy.asked("scrobble").len(), 15);
    assert_eq!(proxy.asked("createPlaylist").len(), 1);
    let mut times: Vec<String> = proxy
        .asked("scrobble")
        .into_iter()
        .filter_map(|(_, form)| form.split('&').find_map(|p| p.strip_prefix("time=").map(str::to_owned)))
        .collect();
    let sent = times.clone();
    times.sort();
    assert_eq!(sent, times, "in the order in which they were heard, with their true times");
    assert_eq!(times[0], "1700000000000");
    two.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_was_made_elsewhere_holds_here() {
    let house = House::open(SONGS).await;
    let player = Player::start(house.client()).await;
    player.synced().await;
    let catalog = house.catalog().await;
    let there = catalog.listener(&catalog.account_named("admin").await.unwrap().unwrap().id);
    there.decide(Purpose::History, false, Purpose::TEXT_VERSION).await.unwrap();
    let library = player.library();
    player.session.sync_now();
    eventually("the player knows it", || async { !library.allows(Purpose::History).await.unwrap() }).await;
    // And what is decided here holds there, once.
    library.decide(Purpose::Analytics, true, Purpose::TEXT_VERSION).await.unwrap();
    player.session.outbox_changed();
    eventually("the server knows it", || async { there.allows(Purpose::Analytics).await.unwrap() }).await;
    let account = catalog.account_named("admin").await.unwrap().unwrap().id;
    assert_eq!(catalog.consents(&account).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_takes_a_copy_home_and_leaves_and_comes_back() {
    let house = House::open(SONGS).await;
    let catalog = house.catalog().await;
    segue::server::accounts::add(&catalog, "ann", "open sesame", false).await.unwrap();
    let url = format!("http://{}", house.addr);
    let credentials = Credentials::Password { user: "ann".into(), password: "open sesame".into() };
    let player = Player::start(Client::new(&url, credentials).unwrap()).await;
    player.synced().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ann.zip");
    let wrong = player.session.export_account("guess", &file).await.unwrap_err();
    assert!(wrong.contains("password") && !file.exists(), "{wrong}");
    let size = player.session.export_account("open sesame", &file).await.unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().len(), size);
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&file).unwrap()).unwrap();
    assert!(zip.by_name("profile.json").is_ok());
    assert!(player.session.export_account("open sesame", &file).await.is_err(), "nothing is overwritten");
    let kept = player.session.privacy().await.unwrap();
    assert!(kept.erase_at.is_none() && !kept.stored.is_empty());

    assert!(player.session.erase_account("guess", false).await.is_err());
    let at = player.session.erase_account("open sesame", false).await.unwrap();
    assert!(at.is_some());
    let account = catalog.account_named("ann").await.unwrap().unwrap();
    assert_eq!(account.erase_at, at);
    assert_eq!(player.session.erase_account("open sesame", true).await.unwrap(), None);
    assert_eq!(catalog.account_named("ann").await.unwrap().unwrap().erase_at, None);
}
