//! Two tracks that are heard and ten that are downloaded, all over one thin line. Time is counted in chunks that the line
//! carried, so that a busy machine changes nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod cache_support;

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cache_support::{eventually, key, music, runtime};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use segue::cache::{FetchError, Pace, Reader, Reply, Source, Store, TrackKey};

const CHUNK: usize = 16 * 1024;
const HEARD: usize = 2 * 1024 * 1024;
const KEPT: usize = 1024 * 1024;
/// Chunks that the line carries while a listener hears one: two listeners need a quarter of it.
const PACE: usize = 8;

/// A line on which one chunk goes at a time, in the order of asking.
struct Line {
    turn: tokio::sync::Mutex<()>,
    /// Whose chunk went, in order.
    log: Mutex<Vec<String>>,
}

impl Line {
    fn carried(&self) -> usize {
        self.log.lock().unwrap().len()
    }
}

struct Wire {
    line: Arc<Line>,
    data: Vec<u8>,
}

impl Source for Wire {
    fn fetch(
        &self,
        key: &TrackKey,
        from: u64,
        to: Option<u64>,
        _: Option<String>,
    ) -> BoxFuture<'_, Result<Reply, FetchError>> {
        let total = self.data.len() as u64;
        let end = to.unwrap_or(total).min(total);
        let chunks: Vec<Bytes> =
            self.data[from as usize..end as usize].chunks(CHUNK).map(Bytes::copy_from_slice).collect();
        let (line, name) = (Arc::clone(&self.line), key.track.to_string());
        let body = stream::iter(chunks).then(move |chunk| {
            let (line, name) = (Arc::clone(&line), name.clone());
            async move {
                let _turn = line.turn.lock().await;
                tokio::time::sleep(Duration::from_millis(1)).await;
                line.log.lock().unwrap().push(name);
                Ok(chunk)
            }
        });
        let etag = Some("\"1\"".to_owned());
        async move { Ok(Reply { part: Some((from, end)), total: Some(total), etag, body: body.boxed() }) }
            .boxed()
    }
}

/// Reads as a listener does, and gives the longest wait for a chunk after the first half megabyte, in chunks of the line.
fn hear(mut reader: Reader, line: &Line, right: &[u8]) -> usize {
    let mut heard = Vec::new();
    let mut longest = 0;
    let mut chunk = vec![0; CHUNK];
    while heard.len() < right.len() {
        let before = line.carried();
        reader.read_exact(&mut chunk).unwrap();
        heard.extend_from_slice(&chunk);
        if heard.len() > 512 * 1024 {
            longest = longest.max(line.carried() - before);
        }
        // The chunk sounds. A line with nothing to carry any more keeps nobody waiting.
        let mut idle = 0;
        let mut last = line.carried();
        while line.carried() < before + PACE && idle < 50 {
            std::thread::sleep(Duration::from_millis(1));
            let now = line.carried();
            idle = if now == last { idle + 1 } else { 0 };
            last = now;
        }
    }
    assert!(heard == right);
    longest
}

#[test]
fn two_listeners_never_wait_for_ten_downloads_which_share_the_rest() {
    let (rt, dir) = (runtime(), tempfile::tempdir().unwrap());
    let line = Arc::new(Line { turn: tokio::sync::Mutex::new(()), log: Mutex::default() });
    // Nothing fails here: nobody needs to lose patience.
    let store = Store::open_with(dir.path(), 1 << 30, Pace::default()).unwrap();
    let wire = |data: Vec<u8>| Arc::new(Wire { line: Arc::clone(&line), data });
    let downloads: Vec<Reader> = (0..10)
        .map(|n| {
            let source = wire(music(KEPT, 10 + n));
            store.download(&key(&format!("kept {n}")), Some(KEPT as u64), source, rt.handle()).unwrap()
        })
        .collect();
    eventually("all ten move", || (0..10).all(|n| line.log.lock().unwrap().contains(&format!("kept {n}"))));
    let listeners: Vec<_> = (0..2)
        .map(|n| {
            let data = music(HEARD, n);
            let source = wire(data.clone());
            let reader =
                store.track(&key(&format!("heard {n}")), Some(HEARD as u64), source, rt.handle()).unwrap();
            let line = Arc::clone(&line);
            std::thread::spawn(move || hear(reader, &line, &data))
        })
        .collect();
    for listener in listeners {
        let waited = listener.join().unwrap();
        assert!(waited <= PACE, "a listener waited while the line carried {waited} chunks");
    }
    eventually("all is here", || downloads.iter().all(|d| d.progress().whole));
    let log = line.log.lock().unwrap();
    // Nothing was fetched twice.
    assert_eq!(log.len(), (2 * HEARD + 10 * KEPT) / CHUNK);
    // The downloads had like shares all along: when the first was through, the last had at least half.
    let done =
        |upto: usize, n: usize| log[..upto].iter().filter(|name| **name == format!("kept {n}")).count();
    let first = (0..log.len()).find(|at| (0..10).any(|n| done(*at, n) == KEPT / CHUNK)).unwrap();
    let least = (0..10).map(|n| done(first, n)).min().unwrap();
    assert!(least >= KEPT / CHUNK / 2, "{least} of {} chunks", KEPT / CHUNK);
    // And they moved while music played: standing back is not standing still.
    let last_heard = log.iter().rposition(|name| name.starts_with("heard")).unwrap();
    assert!((0..10).all(|n| done(last_heard, n) > 4));
}
