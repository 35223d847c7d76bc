//! The cache against sources that fail: right bytes or a clear error, never a hang or a corrupt entry.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

mod cache_support;

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use cache_support::{Fault, Script, eventually, key, music, read_all, read_at, runtime, store, within};
use proptest::prelude::*;
use segue::cache::{FetchError, Held, Store};

const LEN: usize = 700_000;

fn clean(store: &Store) {
    eventually("nothing is open", || store.verify().open == 0);
    assert_eq!(store.verify().damaged, []);
}

/// Reads all through the faults, then again with no source at all.
fn survives(etag: Option<&str>, faults: &[Fault]) {
    let rt = runtime();
    let dir = tempfile::tempdir().unwrap();
    let data = music(LEN, 7);
    let script = Script::new(data.clone(), etag, faults.to_vec());
    let store = store(dir.path());
    let reader = store.track(&key("a"), None, script.clone(), rt.handle()).unwrap();
    let heard = read_all(reader).unwrap_or_else(|e| panic!("{faults:?}: {e}"));
    assert!(heard == data, "{faults:?}: other bytes");
    eventually("the entry is whole", || store.held(&key("a")) == Held::Whole);
    clean(&store);
    assert_eq!(store.verify().whole, 1);

    let before = script.requests();
    let again = store.track(&key("a"), None, script.clone(), rt.handle()).unwrap();
    assert!(read_all(again).unwrap() == data);
    assert_eq!(script.requests(), before, "a whole entry asks nobody");
}

#[test]
fn plain() {
    survives(Some("\"1\""), &[]);
    survives(None, &[]);
    survives(Some("W/\"1\""), &[]);
}

#[test]
fn dropped_connections_resume() {
    for etag in [Some("\"1\""), Some("W/\"1\""), None] {
        survives(etag, &[Fault::Drop(100_000)]);
        survives(etag, &[Fault::Drop(0), Fault::Drop(1), Fault::Drop(300_000), Fault::Drop(5000)]);
    }
}

#[test]
fn a_range_answered_with_the_whole_is_skipped_through() {
    for etag in [Some("\"1\""), Some("W/\"1\""), None] {
        survives(etag, &[Fault::Drop(300_000), Fault::IgnoreRange]);
        survives(etag, &[Fault::Drop(300_000), Fault::IgnoreRange, Fault::Drop(100_000)]);
    }
}

#[test]
fn wrong_ranges_are_not_taken() {
    for etag in [Some("\"1\""), None] {
        survives(etag, &[Fault::Drop(200_000), Fault::Late(1)]);
        survives(etag, &[Fault::Drop(200_000), Fault::Late(70_000), Fault::Late(1)]);
    }
}

#[test]
fn truncated_bodies_are_continued() {
    survives(Some("\"1\""), &[Fault::Short(10), Fault::Short(100_000), Fault::Short(0)]);
    survives(None, &[Fault::Short(10), Fault::Short(100_000), Fault::Short(0)]);
}

#[test]
fn busy_absent_silent_and_slow_servers_are_waited_for() {
    survives(Some("\"1\""), &[Fault::Busy, Fault::Offline, Fault::Busy, Fault::Drop(50_000), Fault::Offline]);
    survives(Some("\"1\""), &[Fault::Mute, Fault::Silent(30_000)]);
    survives(Some("\"1\""), &[Fault::Trickle]);
    survives(Some("\"1\""), &[Fault::Long, Fault::Drop(3)]);
}

#[test]
fn a_file_of_unknown_length_ends_where_the_body_ends() {
    survives(Some("\"1\""), &[Fault::NoTotal]);
    survives(None, &[Fault::NoTotal]);
    survives(None, &[Fault::Drop(100_000), Fault::NoTotal]);
}

#[test]
fn an_empty_file_is_whole() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    let script = Script::new(Vec::new(), Some("\"1\""), vec![]);
    assert_eq!(read_all(store.track(&key("a"), None, script, rt.handle()).unwrap()).unwrap(), b"");
}

#[test]
fn a_changed_file_is_an_error_for_who_heard_the_old_one() {
    let other = music(LEN, 8);
    for (old, new) in [(Some("\"1\""), Some("\"2\"")), (None, None), (Some("\"1\""), None)] {
        let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
        let store = store(dir.path());
        let script = Script::new(music(LEN, 7), old, vec![Fault::Drop(300_000)]);
        *script.after.lock().unwrap() = Fault::Offline;
        let mut reader = store.track(&key("a"), None, script.clone(), rt.handle()).unwrap();
        let server = Arc::clone(&script);
        let exchange = move |new: Option<String>, data: Vec<u8>| {
            server.replace(data, new.as_deref());
            *server.after.lock().unwrap() = Fault::Fine;
        };
        let (new, data) = (new.map(str::to_owned), other.clone());
        let (heard, result, reader) = within("reading", move || {
            let mut heard = vec![0; 1000];
            reader.read_exact(&mut heard).unwrap();
            exchange(new, data);
            let result = reader.read_to_end(&mut heard);
            (heard, result, reader)
        });
        let error = result.expect_err("the file changed");
        assert!(error.to_string().contains("changed on the server"), "{error}");
        assert!(reader.last_error().is_some());
        assert!(music(LEN, 7).starts_with(&heard), "only old bytes were heard");
        drop(reader);
        let again = store.track(&key("a"), None, script, rt.handle()).unwrap();
        assert!(read_all(again).unwrap() == other, "the next time it is the new file");
        clean(&store);
    }
}

#[test]
fn a_file_that_changed_before_anybody_heard_it_is_just_fetched_anew() {
    for (old, new) in [(Some("\"1\""), Some("\"2\"")), (None, None)] {
        for len in [LEN, LEN / 2, 100] {
            let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
            let script = Script::new(music(LEN, 7), old, vec![]);
            {
                let store = store(dir.path());
                *script.after.lock().unwrap() = Fault::Drop(200_000);
                let mut reader = store.track(&key("a"), None, script.clone(), rt.handle()).unwrap();
                let reader = within("reading", move || {
                    read_at(&mut reader, 0, 100_000).unwrap();
                    reader
                });
                *script.after.lock().unwrap() = Fault::Offline;
                drop(reader);
                eventually("it is closed", || store.verify().open == 0);
            }
            let store = store(dir.path());
            assert!(matches!(store.held(&key("a")), Held::Part { .. } | Held::Whole));
            if store.held(&key("a")) == Held::Whole {
                continue;
            }
            script.replace(music(len, 9), new);
            *script.after.lock().unwrap() = Fault::Fine;
            let mut reader = store.track(&key("a"), None, script, rt.handle()).unwrap();
            // From behind what is held, so that no old byte is heard before the new file shows.
            let tail = within("reading", move || {
                let len = reader.wait_len().map(|n| n.unwrap_or(0))?;
                reader.seek(SeekFrom::Start(len.saturating_sub(10)))?;
                let mut out = Vec::new();
                reader.read_to_end(&mut out).map(|_| (out, reader))
            });
            // Either it noticed in time, or it says so; and the next reading is right.
            drop(tail);
            eventually("it is closed", || store.verify().open == 0);
            let script = Script::new(music(len, 9), new, vec![]);
            let mut all = None;
            for _ in 0..3 {
                let reader = store.track(&key("a"), None, script.clone(), rt.handle()).unwrap();
                all = read_all(reader).ok();
                if all.is_some() {
                    break;
                }
            }
            assert!(all.unwrap() == music(len, 9));
            clean(&store);
        }
    }
}

#[test]
fn a_refusal_is_final_and_says_why() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    let script = Script::new(music(LEN, 7), None, vec![Fault::Drop(1000), Fault::Refused]);
    let mut reader = store.track(&key("a"), None, script.clone(), rt.handle()).unwrap();
    let watcher = reader.watcher();
    let (heard, error) = within("reading", move || {
        let mut heard = Vec::new();
        let error = reader.read_to_end(&mut heard).unwrap_err();
        (heard, error)
    });
    assert_eq!(heard, music(LEN, 7)[..1000]);
    assert!(error.to_string().contains("will not give"), "{error}");
    assert!(watcher.progress().failed.is_some());
    // Whoever asks anew gets a new attempt.
    let again = store.track(&key("a"), None, script, rt.handle()).unwrap();
    assert!(read_all(again).unwrap() == music(LEN, 7));
}

/// Sends the byte behind the one asked for.
struct Shifted;
impl segue::cache::Source for Shifted {
    fn fetch(
        &self,
        _: &segue::cache::TrackKey,
        from: u64,
        _: Option<u64>,
        _: Option<String>,
    ) -> futures_util::future::BoxFuture<'_, Result<segue::cache::Reply, FetchError>> {
        Box::pin(async move {
            let body = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"x"))]);
            let part = Some((from + 1, from + 2));
            Ok(segue::cache::Reply { part, total: Some(10), etag: None, body: Box::pin(body) })
        })
    }
}

#[test]
fn a_server_that_only_sends_other_bytes_is_given_up() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    let reader = store.track(&key("a"), None, Arc::new(Shifted), rt.handle()).unwrap();
    assert!(read_all(reader).unwrap_err().to_string().contains("other bytes"));
    clean(&store);
}

#[test]
fn waiting_is_told_and_called_off() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    let script = Script::new(music(LEN, 7), None, vec![]);
    *script.after.lock().unwrap() = Fault::Offline;
    let mut reader = store.track(&key("a"), Some(LEN as u64), script, rt.handle()).unwrap();
    assert_eq!(reader.byte_len(), Some(LEN as u64), "the catalog's length until the server speaks");
    let (watcher, cancel) = (reader.watcher(), reader.cancel_handle());
    let blocked = std::thread::spawn(move || reader.read(&mut [0; 10]));
    eventually("it says why it waits", || {
        watcher.progress().waiting.is_some_and(|w| w.contains("cannot be reached"))
    });
    cancel.cancel();
    let error = within("joining", move || blocked.join().unwrap()).unwrap_err();
    assert_ne!(error.kind(), std::io::ErrorKind::Interrupted);
}

#[test]
fn readers_end_when_the_runtime_ends() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let store = store(dir.path());
    let script = Script::new(music(LEN, 7), None, vec![Fault::Drop(1000)]);
    *script.after.lock().unwrap() = Fault::Mute;
    let mut reader = store.track(&key("a"), None, script.clone(), rt.handle()).unwrap();
    let handle = rt.handle().clone();
    let blocked = std::thread::spawn(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all)
    });
    eventually("some bytes came", || script.requests() > 1);
    rt.shutdown_background();
    assert!(within("joining", move || blocked.join().unwrap()).is_err());
    // And a reader opened on a dead runtime does not wait either.
    let late = store.track(&key("b"), None, script, &handle).unwrap();
    assert!(read_all(late).is_err());
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        2 => Just(Fault::Fine),
        4 => (0..200_000_usize).prop_map(Fault::Drop),
        2 => (0..200_000_usize).prop_map(Fault::Short),
        2 => Just(Fault::IgnoreRange),
        1 => (1..100_000_u64).prop_map(Fault::Late),
        2 => Just(Fault::Busy),
        1 => Just(Fault::Offline),
        1 => Just(Fault::Long),
        1 => Just(Fault::Trickle),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 40, ..ProptestConfig::default() })]

    /// Any reads and seeks over any schedule of faults give exactly the bytes of the source.
    #[test]
    fn any_reading_over_any_faults_is_exact(
        faults in prop::collection::vec(fault(), 0..12),
        steps in prop::collection::vec((0..1_500_000_u64, 1..120_000_usize), 1..14),
        etag in prop_oneof![Just(Some("\"e\"")), Just(Some("W/\"e\"")), Just(None)],
        blocked_disk in prop::bool::weighted(0.25),
        len in prop_oneof![Just(1_500_000_usize), 1..400_000_usize],
    ) {
        let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
        let store = store(dir.path());
        if blocked_disk {
            for i in 0..=255 {
                std::fs::write(dir.path().join(format!("{i:02x}")), b"in the way").unwrap();
            }
        }
        let data = music(len, 3);
        let script = Script::new(data.clone(), etag, faults);
        let mut reader = store.track(&key("a"), Some(len as u64), script, rt.handle()).unwrap();
        let expected = data.clone();
        let verdict = within("reading", move || {
            for (at, n) in steps {
                let at = at % (expected.len() as u64 + 1);
                let n = n.min(expected.len() - at as usize);
                match read_at(&mut reader, at, n) {
                    Ok(got) if got == expected[at as usize..at as usize + n] => {}
                    Ok(_) => return Err(format!("other bytes at {at}+{n}")),
                    Err(e) => return Err(format!("at {at}+{n}: {e}")),
                }
            }
            reader.rewind().unwrap();
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map_err(|e| e.to_string())?;
            if all == expected { Ok(()) } else { Err("other bytes in all".into()) }
        });
        prop_assert_eq!(verdict, Ok(()));
        eventually("it is closed", || store.verify().open == 0);
        prop_assert_eq!(store.verify().damaged, vec![]);
    }
}
