//! The store as a whole: limits, crashes, two processes, broken disks, and what is asked of servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

mod cache_support;

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cache_support::{Fault, Script, eventually, key, music, pace, read_all, read_at, runtime, store, within};
use segue::cache::{FetchError, Held, Reply, Source, Store, TrackKey};

const MIB: usize = 1024 * 1024;

/// A source that must not be asked.
struct Nobody;

impl Source for Nobody {
    fn fetch(
        &self,
        _: &TrackKey,
        _: u64,
        _: Option<u64>,
        _: Option<String>,
    ) -> futures_util::future::BoxFuture<'_, Result<Reply, FetchError>> {
        Box::pin(async { Err(FetchError::Refused("nobody is there".into())) })
    }
}

fn fill(store: &Store, name: &str, data: &[u8], rt: &tokio::runtime::Runtime) {
    let open = store.verify().open;
    let script = Script::new(data.to_vec(), Some("\"1\""), vec![]);
    let reader = store.track(&key(name), None, script, rt.handle()).unwrap();
    assert!(read_all(reader).unwrap() == data);
    eventually("it is closed", || store.verify().open == open);
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let shelves = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir());
    let files = shelves.flat_map(|p| fs::read_dir(p).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>());
    files.filter(|p| p.extension().is_some_and(|e| e == ending)).collect()
}

#[test]
fn whole_tracks_survive_a_restart_and_play_with_no_server() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let data = music(300_000, 1);
    fill(&store(dir.path()), "a", &data, &rt);
    let store = store(dir.path());
    assert_eq!(store.held(&key("a")), Held::Whole);
    assert_eq!((store.usage().bytes, store.usage().tracks_whole), (300_000, 1));
    let reader = store.track(&key("a"), None, Arc::new(Nobody), rt.handle()).unwrap();
    assert!(reader.progress().whole);
    assert!(read_all(reader).unwrap() == data);
}

#[test]
fn the_least_recently_used_goes_first_and_the_open_one_stays() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = Store::open_with(dir.path(), 350_000, pace()).unwrap();
    for name in ["a", "b", "c"] {
        fill(&store, name, &music(100_000, 1), &rt);
    }
    let a = store.track(&key("a"), None, Arc::new(Nobody), rt.handle()).unwrap();
    fill(&store, "d", &music(100_000, 1), &rt);
    eventually("b went", || store.held(&key("b")) == Held::Nothing);
    for name in ["a", "c", "d"] {
        assert_eq!(store.held(&key(name)), Held::Whole, "{name}");
    }
    assert_eq!(store.usage().bytes, 300_000);
    store.set_limit(0);
    assert_eq!(store.held(&key("a")), Held::Whole, "it is being read");
    assert!(!store.forget(&key("a")));
    assert_eq!(store.held(&key("d")), Held::Nothing);
    assert!(read_all(a).unwrap() == music(100_000, 1));
    eventually("a went as well", || store.usage().bytes == 0);
    assert!(files(dir.path(), "data").is_empty());
}

#[test]
fn the_order_of_use_survives_a_restart() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    {
        let store = store(dir.path());
        for name in ["a", "b", "c"] {
            fill(&store, name, &music(100_000, 1), &rt);
        }
        drop(store.track(&key("a"), None, Arc::new(Nobody), rt.handle()).unwrap());
        eventually("it is closed", || store.verify().open == 0);
    }
    let store = Store::open_with(dir.path(), 200_000, pace()).unwrap();
    assert_eq!(store.held(&key("b")), Held::Nothing);
    assert_eq!(store.held(&key("a")), Held::Whole);
}

#[test]
fn clearing_frees_what_is_not_in_use() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    fill(&store, "a", &music(1000, 1), &rt);
    fill(&store, "b", &music(2000, 1), &rt);
    let b = store.track(&key("b"), None, Arc::new(Nobody), rt.handle()).unwrap();
    assert_eq!(store.clear(), 1000);
    assert!(read_all(b).unwrap() == music(2000, 1));
    assert!(store.forget(&key("b")) || store.held(&key("b")) == Held::Whole);
}

#[test]
fn two_processes_share_one_folder() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let data = music(400_000, 1);
    let (one, two) = (store(dir.path()), store(dir.path()));
    let slow = Script::new(data.clone(), Some("\"1\""), vec![]);
    *slow.delay.lock().unwrap() = Duration::from_millis(10);
    let first = one.track(&key("a"), None, slow.clone(), rt.handle()).unwrap();
    // The other one streams the same track at the same time without touching the files.
    let second = two.track(&key("a"), None, slow, rt.handle()).unwrap();
    let watcher = second.watcher();
    let reading = std::thread::spawn(move || read_all(second));
    assert!(read_all(first).unwrap() == data);
    assert!(reading.join().unwrap().unwrap() == data);
    assert!(watcher.progress().notice.is_some());
    eventually("both closed it", || one.verify().open == 0 && two.verify().open == 0);
    assert_eq!(one.held(&key("a")), Held::Whole);
    // What the first one finished, the second one reads from the files, even while the first one reads too.
    let first = one.track(&key("a"), None, Arc::new(Nobody), rt.handle()).unwrap();
    let second = two.track(&key("a"), None, Arc::new(Nobody), rt.handle()).unwrap();
    two.set_limit(0);
    assert!(read_all(first).unwrap() == data);
    assert!(read_all(second).unwrap() == data);
    let verified = one.verify();
    assert_eq!(verified.damaged, []);
}

#[test]
fn a_full_disk_does_not_stop_the_music() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    if !Path::new("/dev/full").exists() {
        return;
    }
    let store = store(dir.path());
    let data = music(9 * MIB, 1);
    // Learn where the entry would be, then put a full disk there.
    fill(&store, "a", &data[..1000], &rt);
    let file = files(dir.path(), "data").remove(0);
    assert!(store.forget(&key("a")));
    #[cfg(unix)]
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();

    let script = Script::new(data.clone(), Some("\"1\""), vec![Fault::Drop(5 * MIB)]);
    let mut reader = store.track(&key("a"), None, script, rt.handle()).unwrap();
    let watcher = reader.watcher();
    let expected = data.clone();
    let reader = within("reading", move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert!(all == expected);
        // Back to the middle, which memory let go.
        assert!(read_at(&mut reader, 3 * MIB as u64, 1000).unwrap() == expected[3 * MIB..3 * MIB + 1000]);
        reader
    });
    assert!(watcher.progress().notice.unwrap().contains("disk is full"));
    let kept: u64 = watcher.progress().ranges.iter().map(|r| r.end - r.start).sum();
    assert!(kept < 12 * MIB as u64);
    drop(reader);
    eventually("it is closed", || store.usage().bytes == 0);
    assert!(files(dir.path(), "map").is_empty(), "no map names what is not there");
}

#[test]
fn what_the_disk_loses_is_fetched_again() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let data = music(500_000, 1);
    let store = store(dir.path());
    fill(&store, "a", &data, &rt);
    let script = Script::new(data.clone(), Some("\"1\""), vec![]);
    let mut reader = store.track(&key("a"), None, script.clone(), rt.handle()).unwrap();
    read_at(&mut reader, 0, 10).unwrap();
    let file = files(dir.path(), "data").remove(0);
    fs::OpenOptions::new().write(true).open(file).unwrap().set_len(200_000).unwrap();
    reader.rewind().unwrap();
    assert!(read_all(reader).unwrap() == data);
    assert!(script.requests() > 0);
    eventually("it is closed", || store.verify().open == 0);
    assert_eq!((store.verify().whole, store.verify().damaged), (1, vec![]));
}

#[test]
fn verify_finds_and_removes_damage() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    for name in ["a", "b", "c"] {
        fill(&store, name, &music(100_000, 1), &rt);
    }
    assert_eq!(store.verify().whole, 3);
    let mut data = files(dir.path(), "data");
    data.sort();
    let mut flipped = fs::OpenOptions::new().write(true).open(&data[0]).unwrap();
    flipped.seek(SeekFrom::Start(50_000)).unwrap();
    flipped.write_all(b"!").unwrap();
    fs::OpenOptions::new().write(true).open(&data[1]).unwrap().set_len(10).unwrap();
    let verified = store.verify();
    assert_eq!((verified.whole, verified.damaged.len()), (1, 2));
    assert!(verified.damaged.iter().all(|(key, _)| key.is_some()));
    assert_eq!(store.verify().damaged, []);
    assert_eq!(store.usage().tracks_whole, 1);
    // A map that is no map, and bytes without one, are leftovers.
    fs::write(files(dir.path(), "map").remove(0), b"{").unwrap();
    assert_eq!(self::store(dir.path()).usage().bytes, 0);
    assert!(files(dir.path(), "data").is_empty());
}

#[test]
fn a_look_at_the_end_does_not_throw_the_stream_away() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    let data = music(8 * MIB, 1);
    let script = Script::new(data.clone(), Some("\"1\""), vec![]);
    *script.delay.lock().unwrap() = Duration::from_millis(1);
    let mut reader = store.track(&key("a"), None, script.clone(), rt.handle()).unwrap();
    let expected = data.clone();
    within("probing", move || {
        read_at(&mut reader, 0, 1000).unwrap();
        reader.seek(SeekFrom::End(-5000)).unwrap();
        let mut tail = Vec::new();
        reader.read_to_end(&mut tail).unwrap();
        assert!(tail == expected[expected.len() - 5000..]);
        reader.rewind().unwrap();
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert!(all == expected);
    });
    let asked = script.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[0], (0, None));
    assert_eq!(asked[1], (8 * MIB as u64 - 64 * 1024, Some(8 * MIB as u64)));
}

#[test]
fn a_far_seek_is_served_first_and_the_holes_are_filled_after() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    let data = music(8 * MIB, 1);
    let script = Script::new(data.clone(), Some("\"1\""), vec![]);
    *script.delay.lock().unwrap() = Duration::from_micros(300);
    let mut reader = store.track(&key("a"), None, script.clone(), rt.handle()).unwrap();
    let at = 5 * MIB as u64;
    let expected = data.clone();
    let reader = within("seeking", move || {
        read_at(&mut reader, 0, 1000).unwrap();
        assert!(read_at(&mut reader, at, 1000).unwrap() == expected[at as usize..at as usize + 1000]);
        reader
    });
    assert_eq!(script.asked.lock().unwrap()[1], (at, None));
    eventually("the rest comes by itself", || reader.progress().whole);
    let third = script.asked.lock().unwrap()[2];
    assert!(third.0 < at && third.1 == Some(at), "{third:?}");
    drop(reader);
    eventually("it is closed", || store.verify().open == 0);
    assert_eq!(store.verify().whole, 1);
}

#[test]
fn readers_of_one_track_share_its_bytes() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    let data = music(2 * MIB, 1);
    let script = Script::new(data.clone(), Some("\"1\""), vec![]);
    let readers: Vec<_> =
        (0..4).map(|_| store.track(&key("a"), None, script.clone(), rt.handle()).unwrap()).collect();
    let threads: Vec<_> =
        readers.into_iter().map(|r| std::thread::spawn(move || read_all(r).unwrap())).collect();
    for thread in threads {
        assert!(thread.join().unwrap() == data);
    }
    assert_eq!(script.requests(), 1);
}

#[test]
fn two_qualities_are_two_entries() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    fill(&store, "a", &music(1000, 1), &rt);
    let small = TrackKey { variant: "opus-128".into(), ..key("a") };
    assert_eq!(store.held(&small), Held::Nothing);
    let script = Script::new(music(100, 2), None, vec![]);
    assert!(read_all(store.track(&small, None, script, rt.handle()).unwrap()).unwrap() == music(100, 2));
}

#[test]
fn hostile_ids_make_no_paths() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let inside = dir.path().join("store");
    let store = store(&inside);
    for name in ["../../x", "/etc/passwd", "", "a\0b", "ü".repeat(4000).as_str()] {
        fill(&store, name, &music(1000, 1), &rt);
    }
    assert_eq!(store.usage().tracks_whole, 5);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(self::store(&inside).usage().tracks_whole, 5);
}

#[test]
fn a_waiting_download_can_be_hurried() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let mut slow = pace();
    (slow.first_pause, slow.longest_pause) = (Duration::from_hours(1), Duration::from_hours(1));
    let store = Store::open_with(dir.path(), 1 << 30, slow).unwrap();
    let data = music(1000, 1);
    let script = Script::new(data.clone(), None, vec![Fault::Offline]);
    let reader = store.track(&key("a"), None, script, rt.handle()).unwrap();
    eventually("it waits", || reader.progress().waiting.is_some());
    store.retry_now();
    assert!(read_all(reader).unwrap() == data);
}

/// Every byte that a map names is the source's.
fn trusted_bytes_are_right(store: &Store, name: &str, data: &[u8], rt: &tokio::runtime::Runtime) {
    assert_eq!(store.verify().damaged, []);
    let mut reader = store.track(&key(name), None, Arc::new(Nobody), rt.handle()).unwrap();
    for range in reader.progress().ranges {
        let got = read_at(&mut reader, range.start, (range.end - range.start) as usize).unwrap();
        assert!(got == data[range.start as usize..range.end as usize], "other bytes in {range:?}");
    }
}

const CHILD: &str = "SEGUE_TEST_CACHE_DIR";
const TRACKS: [&str; 3] = ["a", "b", "c"];

/// Not a test of its own: what the next one starts as a process and kills.
#[test]
fn child_that_streams_until_it_is_killed() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let rt = runtime();
    let store = Store::open_with(Path::new(&dir), 4 * MIB as u64, pace()).unwrap();
    println!("started");
    for round in 0.. {
        for (i, name) in TRACKS.iter().enumerate() {
            let script = Script::new(music(2 * MIB, i as u64), Some("\"1\""), vec![Fault::Drop(700_000)]);
            *script.delay.lock().unwrap() = Duration::from_micros(200);
            let mut reader = store.track(&key(name), None, script, rt.handle()).unwrap();
            let at = (round * 300_007 + i as u64 * 77_777) % (2 * MIB as u64 - 1000);
            read_at(&mut reader, at, 1000).unwrap();
            let _ = reader.read(&mut [0; 10_000]);
        }
    }
}

#[test]
fn a_kill_at_any_moment_leaves_only_true_maps() {
    let rt = runtime();
    let dir = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_streams_until_it_is_killed", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 1];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        std::thread::sleep(Duration::from_millis(20 + round * 7 % 90));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = store(dir.path());
        for (i, name) in TRACKS.iter().enumerate() {
            trusted_bytes_are_right(&store, name, &music(2 * MIB, i as u64), &rt);
        }
        eventually("it is closed", || store.verify().open == 0);
    }
    // And the store is still of use.
    let store = store(dir.path());
    for (i, name) in TRACKS.iter().enumerate() {
        let script = Script::new(music(2 * MIB, i as u64), Some("\"1\""), vec![]);
        assert!(
            read_all(store.track(&key(name), None, script, rt.handle()).unwrap()).unwrap()
                == music(2 * MIB, i as u64)
        );
    }
}

/// A download stands back while a track that somebody listens to has no bytes, and goes on when it has.
#[test]
fn who_listens_comes_first() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    let slow = Script::new(music(4 * MIB, 1), Some("\"1\""), vec![]);
    *slow.delay.lock().unwrap() = Duration::from_millis(5);
    let downloads: Vec<_> = (0..10)
        .map(|i| {
            let script = Script::new(music(MIB, 10 + i), Some("\"1\""), vec![]);
            // A chunk of 16 KiB every 20 ms.
            *script.delay.lock().unwrap() = Duration::from_millis(20);
            store.download(&key(&format!("d{i}")), None, script, rt.handle()).unwrap()
        })
        .collect();
    let bytes =
        |reader: &segue::cache::Reader| reader.progress().ranges.iter().map(|r| r.end - r.start).sum::<u64>();
    eventually("all download at once", || downloads.iter().all(|d| bytes(d) > 0));
    let listener = store.track(&key("now"), None, slow, rt.handle()).unwrap();
    eventually("it has the line", || bytes(&listener) > 0);
    // Until it has half a megabyte ahead nothing else moves, but for a chunk on its way.
    let before: u64 = downloads.iter().map(bytes).sum();
    eventually("it has some", || bytes(&listener) >= 300_000);
    let after: u64 = downloads.iter().map(bytes).sum();
    let now = bytes(&listener);
    assert!(now >= 512 * 1024 || after - before <= 10 * 2 * 16 * 1024, "{} came beside it", after - before);
    eventually("all is here in the end", || {
        downloads.iter().all(|d| d.progress().whole) && listener.progress().whole
    });
}

#[test]
fn pins_survive_a_restart_and_are_never_evicted() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    fill(&store, "a", &music(100_000, 1), &rt);
    fill(&store, "b", &music(100_000, 2), &rt);
    store.set_pinned(std::iter::once(key("a")).collect());
    let other = Store::open_with(dir.path(), 0, pace()).unwrap();
    assert_eq!(other.held(&key("a")), Held::Whole, "pinned before the limit of another start");
    assert_eq!(other.held(&key("b")), Held::Nothing);
    assert_eq!((other.usage().bytes, other.usage().pinned), (100_000, 100_000));
    other.set_pinned(std::collections::HashSet::new());
    assert_eq!(other.held(&key("a")), Held::Nothing, "no longer pinned, and there is no room");
}
