//! What the cache's tests share: a source that follows a script of faults, and readers that cannot hang.
#![allow(dead_code, reason = "each test file takes what it needs")]

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use segue::cache::{FetchError, Pace, Reader, Reply, Source, Store, TrackKey};
use segue::music::TrackId;

/// What goes wrong with one request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    Fine,
    /// The connection breaks after so many bytes.
    Drop(usize),
    /// The body ends after so many bytes as if it were over.
    Short(usize),
    /// The whole file instead of the part.
    IgnoreRange,
    /// The part begins so many bytes too late.
    Late(u64),
    /// The server is busy.
    Busy,
    /// The server cannot be reached.
    Offline,
    /// The server will not.
    Refused,
    /// No answer.
    Mute,
    /// So many bytes, then silence.
    Silent(usize),
    /// More bytes than said.
    Long,
    /// Nobody says how long the file is.
    NoTotal,
    /// Bytes in drops.
    Trickle,
    /// From this request on the file is another one.
    Replace(Arc<Vec<u8>>, Option<String>),
}

/// A file on a server.
pub(crate) struct Script {
    now: Mutex<(Arc<Vec<u8>>, Option<String>)>,
    faults: Mutex<VecDeque<Fault>>,
    /// What every request does once the script is over.
    pub(crate) after: Mutex<Fault>,
    pub(crate) requests: AtomicUsize,
    pub(crate) asked: Mutex<Vec<(u64, Option<u64>)>>,
    pub(crate) delay: Mutex<Duration>,
}

impl Script {
    pub(crate) fn new(data: Vec<u8>, etag: Option<&str>, faults: Vec<Fault>) -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new((Arc::new(data), etag.map(str::to_owned))),
            faults: Mutex::new(faults.into()),
            after: Mutex::new(Fault::Fine),
            requests: AtomicUsize::new(0),
            asked: Mutex::new(Vec::new()),
            delay: Mutex::new(Duration::ZERO),
        })
    }

    pub(crate) fn replace(&self, data: Vec<u8>, etag: Option<&str>) {
        *self.now.lock().unwrap() = (Arc::new(data), etag.map(str::to_owned));
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn retry(why: &str) -> FetchError {
    FetchError::Retry { after: None, why: why.to_owned() }
}

impl Source for Script {
    fn fetch(
        &self,
        _: &TrackKey,
        from: u64,
        to: Option<u64>,
        if_range: Option<String>,
    ) -> BoxFuture<'_, Result<Reply, FetchError>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.asked.lock().unwrap().push((from, to));
        let fault =
            self.faults.lock().unwrap().pop_front().unwrap_or_else(|| self.after.lock().unwrap().clone());
        if let Fault::Replace(data, etag) = &fault {
            *self.now.lock().unwrap() = (Arc::clone(data), etag.clone());
        }
        let (data, etag) = self.now.lock().unwrap().clone();
        let delay = *self.delay.lock().unwrap();
        async move {
            let len = data.len() as u64;
            match fault {
                Fault::Busy => return Err(retry("the server is busy")),
                Fault::Offline => return Err(FetchError::Offline("the server cannot be reached".into())),
                Fault::Refused => {
                    return Err(FetchError::Refused("the server will not give this track".into()));
                }
                Fault::Mute => std::future::pending().await,
                _ => {}
            }
            let same = if_range.is_none() || if_range == etag;
            let plain = from == 0 && to.is_none();
            let part = !plain && same && fault != Fault::IgnoreRange;
            if part && from >= len {
                return Err(FetchError::OutOfRange { total: Some(len) });
            }
            let end = to.filter(|_| part).unwrap_or(len).min(len);
            let start = match fault {
                Fault::Late(by) if part => (from + by).min(end),
                _ if part => from,
                _ => 0,
            };
            let mut body = data[start as usize..end as usize].to_vec();
            let mut tail: Option<Result<Bytes, FetchError>> = None;
            let mut hangs = false;
            match fault {
                Fault::Drop(n) => {
                    body.truncate(n);
                    tail = Some(Err(retry("the connection broke")));
                }
                Fault::Short(n) => body.truncate(n),
                Fault::Silent(n) => {
                    body.truncate(n);
                    hangs = true;
                }
                Fault::Long => body.extend_from_slice(&[0xee; 5000]),
                _ => {}
            }
            let step = if fault == Fault::Trickle { 501 } else { 16 * 1024 };
            let chunks: Vec<Result<Bytes, FetchError>> =
                body.chunks(step).map(|c| Ok(Bytes::copy_from_slice(c))).chain(tail).collect();
            let rest = if hangs { stream::pending().left_stream() } else { stream::empty().right_stream() };
            let paced = stream::iter(chunks).then(move |chunk| async move {
                if delay.is_zero() {
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(delay).await;
                }
                chunk
            });
            Ok(Reply {
                part: part.then_some((start, end)),
                total: (fault != Fault::NoTotal).then_some(len),
                etag,
                body: paced.chain(rest).boxed(),
            })
        }
        .boxed()
    }
}

/// Bytes that differ everywhere, so that a shift shows.
pub(crate) fn music(len: usize, seed: u64) -> Vec<u8> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out.extend_from_slice(&x.to_le_bytes());
    }
    out.truncate(len);
    out
}

pub(crate) fn key(name: &str) -> TrackKey {
    TrackKey::raw(TrackId::from(name))
}

/// Impatient, so that faults cost milliseconds.
pub(crate) fn pace() -> Pace {
    Pace {
        answer: Duration::from_millis(150),
        silence: Duration::from_millis(150),
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(8),
        save_every: Duration::from_millis(5),
    }
}

pub(crate) fn store(dir: &Path) -> Store {
    Store::open_with(dir, 1 << 30, pace()).unwrap()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs what may block; a hang becomes a failure.
pub(crate) fn within<T: Send + 'static>(what: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = done.send(run());
    });
    wait.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("{what}: hung or panicked"))
}

/// Reads from the start to the end.
pub(crate) fn read_all(mut reader: Reader) -> std::io::Result<Vec<u8>> {
    within("reading all", move || {
        let mut out = Vec::new();
        reader.read_to_end(&mut out).map(|_| out)
    })
}

/// Seeks and reads exactly so much.
pub(crate) fn read_at(reader: &mut Reader, at: u64, len: usize) -> std::io::Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(at))?;
    let mut out = vec![0; len];
    reader.read_exact(&mut out)?;
    Ok(out)
}

/// Waits until the condition holds; readers and tasks close on other threads.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never came true: {what}");
}
