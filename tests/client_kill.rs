//! `kill -9` at 200 random moments while a player streams, downloads and edits: the store verifies clean each time, every
//! edit that was acknowledged is still there and arrives, and nothing arrives twice.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests fail by panicking")]

mod client_house;
#[path = "faults/mod.rs"]
mod faults;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use client_house::{House, client, eventually, media, pace, store};
use faults::{Fault, Proxy};
use segue::cache::TrackKey;
use segue::catalog::{Catalog, Pin, PlaylistEdit, SearchWindows};
use segue::client::{Options, Session, SyncState};
use segue::music::{AccountId, EndReason, Item, Play, StartReason, Track, Window};

/// The full number in CI; a tenth of it in the everyday run.
fn kills() -> u64 {
    if std::env::var_os("SEGUE_TEST_REAL").is_some() { 200 } else { 20 }
}

const TRACKS: u64 = 12;

/// Opens the player's machine in `dir`.
async fn machine(dir: &Path, url: &str, key: &str) -> (Catalog, segue::cache::Store, Session) {
    let catalog = Catalog::open(&dir.join("catalog.db")).await.unwrap();
    let store = store(&dir.join("tracks"));
    let options = Options {
        covers: dir.join("covers"),
        store: Some(store.clone()),
        kept: segue::client::Kept::default(),
        pace: pace(),
    };
    let session = Session::start_with(client(url, key), catalog.clone(), AccountId::from("me"), options);
    (catalog, store, session)
}

async fn tracks(catalog: &Catalog) -> Vec<Track> {
    let windows = SearchWindows { tracks: Window::ALL, ..SearchWindows::first(0) };
    let mut tracks = catalog.listener(&AccountId::from("me")).search("", windows).await.unwrap().tracks;
    tracks.sort_by(|a, b| a.id.cmp(&b.id));
    tracks
}

/// Not a test by itself: what the parent starts and kills. Says each edit after it was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn child_that_works_until_it_is_killed() {
    let Ok(dir) = std::env::var("SEGUE_KILL_DIR") else { return };
    let (url, key) = (std::env::var("SEGUE_KILL_URL").unwrap(), std::env::var("SEGUE_KILL_KEY").unwrap());
    let round: u64 = std::env::var("SEGUE_KILL_ROUND").unwrap().parse().unwrap();
    let (catalog, store, session) = machine(Path::new(&dir), &url, &key).await;
    let library = catalog.listener(&AccountId::from("me")).with_outbox();
    let tracks = tracks(&catalog).await;
    library.pin(&Pin::Starred).await.unwrap();
    let (source, rt) = (session.source(), tokio::runtime::Handle::current());
    let streamed = tracks[round as usize % tracks.len()].clone();
    let mut reader =
        store.track(&TrackKey::raw(streamed.id.clone()), Some(streamed.size), source, &rt).unwrap();
    std::thread::spawn(move || {
        let mut buf = vec![0; 20_000];
        loop {
            let _ = reader.seek(SeekFrom::Start(0));
            while reader.read(&mut buf).is_ok_and(|n| n > 0) {}
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let say = |line: String| {
        // Whole lines only: one write, which a kill cannot cut.
        let _ = std::io::stdout().write_all(format!("\nACK {line}\n").as_bytes());
        let _ = std::io::stdout().flush();
    };
    let mut n = 0;
    loop {
        n += 1;
        let track = &tracks[(n / 4) as usize % tracks.len()];
        let at = 1_700_000_000_000 + (round * 1000 + n).cast_signed() * 1000;
        match n % 4 {
            0 => {
                library.set_star(&Item::Track(track.id.clone()), Some(at)).await.unwrap();
                session.outbox_changed();
                say(format!("star {}", track.id));
            }
            1 => {
                let play = Play {
                    track: track.id.clone(),
                    started_at: at,
                    heard_ms: track.duration_ms.max(1),
                    start: StartReason::Chosen,
                    end: EndReason::Finished,
                };
                assert!(library.record_play(&play).await.unwrap());
                session.outbox_changed();
                say(format!("play {} {at}", track.id));
            }
            2 => {
                let name = format!("list-{round}-{n}");
                let id = library.create_playlist(&name, std::slice::from_ref(&track.id)).await.unwrap();
                session.outbox_changed();
                say(format!("list {name}"));
                let edit = PlaylistEdit { add: vec![tracks[0].id.clone()], ..PlaylistEdit::default() };
                // The server may have given it its own id between the two edits.
                let lists = library.playlists().await.unwrap();
                let id = lists.iter().find(|l| l.name == name).map_or(id, |l| l.id.clone());
                if library.edit_playlist(&id, &edit).await.is_ok() {
                    session.outbox_changed();
                    say(format!("more {name}"));
                }
            }
            _ => {
                library.set_rating(&Item::Track(track.id.clone()), (n % 5) as u8 + 1).await.unwrap();
                session.outbox_changed();
            }
        }
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
}

#[derive(Default)]
struct Acknowledged {
    stars: BTreeSet<String>,
    plays: BTreeMap<String, BTreeSet<i64>>,
    lists: BTreeSet<String>,
    more: BTreeSet<String>,
}

impl Acknowledged {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["ACK", "star", id] => drop(self.stars.insert(id.to_owned())),
            ["ACK", "play", id, at] => {
                self.plays.entry(id.to_owned()).or_default().insert(at.parse().unwrap());
            }
            ["ACK", "list", name] => drop(self.lists.insert(name.to_owned())),
            ["ACK", "more", name] => drop(self.more.insert(name.to_owned())),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_sent_twice_when_it_is_killed_at_any_moment() {
    if std::env::var_os("SEGUE_KILL_DIR").is_some() {
        return;
    }
    let house = House::open(&[]).await;
    for n in 0..TRACKS as u32 {
        media::put(
            &house.music().join(format!("{n}.flac")),
            &media::flac(60_000 + 5_000 * n as usize, n + 1),
        );
    }
    house.scan().await;
    let proxy = Proxy::start(house.addr).await;
    // Slow enough that kills meet downloads half way.
    proxy.always(Fault::Throttle(1_500_000));
    let dir = tempfile::tempdir().unwrap();
    let mut known = Acknowledged::default();
    // The library is known; children begin to work at once.
    let (_, _, session) = machine(dir.path(), &proxy.url(), &house.key).await;
    session.settled(Duration::from_secs(20)).await;
    session.shutdown().await;
    let kills = kills();
    for round in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child_that_works_until_it_is_killed", "--exact", "--nocapture"])
            .env("SEGUE_KILL_DIR", dir.path())
            .env("SEGUE_KILL_URL", proxy.url())
            .env("SEGUE_KILL_KEY", &house.key)
            .env("SEGUE_KILL_ROUND", round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        // Some kills meet the start, most meet work.
        let wait = Duration::from_millis(rand::random_range(1..450));
        let lines = tokio::task::spawn_blocking(move || {
            BufReader::new(out).lines().map_while(Result::ok).collect::<Vec<_>>()
        });
        tokio::time::sleep(wait).await;
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.await.unwrap() {
            known.take(&line);
        }
        let verified = store(&dir.path().join("tracks")).verify();
        assert_eq!(verified.damaged, [], "after {round} kills");
    }
    let acknowledged = (known.stars.len(), known.plays.len(), known.lists.len(), known.more.len());
    println!("{kills} kills; acknowledged: {acknowledged:?}");
    assert!(
        known.plays.len() > 1 && known.lists.len() as u64 > kills / 4,
        "the children came to work: {acknowledged:?}"
    );

    proxy.always(Fault::None);
    let (catalog, store, session) = machine(dir.path(), &proxy.url(), &house.key).await;
    let mut status = session.status();
    let _ = status.wait_for(|s| matches!(s.sync, SyncState::Idle { at: Some(_) })).await;
    session.outbox_changed();
    let end = tokio::time::Instant::now() + Duration::from_mins(1);
    while !catalog.outbox(1).await.unwrap().is_empty() {
        assert!(
            tokio::time::Instant::now() < end,
            "the outbox does not empty: {:?}",
            catalog.outbox(3).await
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    eventually("what is starred is downloaded", || async {
        session.downloads().unwrap().status().borrow().settled()
    })
    .await;

    let server = client(&proxy.url(), &house.key);
    let starred: BTreeSet<String> = server.starred2().await.unwrap().song.into_iter().map(|s| s.id).collect();
    assert!(known.stars.is_subset(&starred), "a star was lost");
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    for list in server.playlists().await.unwrap() {
        *names.entry(list.name.clone()).or_default() += 1;
        let entries = list.song_count;
        // One from its making; one more from the edit, which may have been committed and not acknowledged.
        assert!(
            entries == 2 || (entries == 1 && !known.more.contains(&list.name)),
            "{}: {entries}",
            list.name
        );
    }
    assert!(names.values().all(|n| *n == 1), "a playlist was made twice: {names:?}");
    assert!(known.lists.iter().all(|name| names.contains_key(name)), "a playlist was lost");
    // The server's own count: it does not know the same play twice, and neither does this machine.
    let library = catalog.listener(&AccountId::from("me"));
    let mut here: BTreeMap<String, u64> = BTreeMap::new();
    for (play, _) in library.recent_plays(Window::ALL).await.unwrap() {
        *here.entry(play.track.as_str().to_owned()).or_default() += 1;
    }
    for (track, times) in &known.plays {
        let count = here.get(track).copied().unwrap_or(0);
        assert!(count >= times.len() as u64, "a play of {track} was lost here");
        let song = server.song(&track.as_str().into()).await.unwrap();
        assert_eq!(song.play_count, Some(count), "plays of {track} on the server");
    }
    session.shutdown().await;
    eventually("closed", || async { store.verify().open == 0 }).await;
    assert_eq!(store.verify().damaged, []);
}
