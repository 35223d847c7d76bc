//! Listeners that behave like players: each keeps its connection, fetches ten seconds of music at a time, begins to play
//! with the first byte, and fetches more when it has less than ten seconds ahead. It counts as an under-run when
//! the music that has been heard is more than what has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

/// How long each run lasts.
pub const LENGTH: Duration = Duration::from_secs(30);
/// Listeners come one after another over so long.
const RAMP: Duration = Duration::from_secs(10);
/// Bytes in a second: 320 kbit/s.
const PACE: u64 = 40_000;
/// Bytes of a request: ten seconds.
const PIECE: u64 = 10 * PACE;
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of one run.
pub struct Heard {
    pub underruns: usize,
    pub errors: usize,
    /// MB in a second over the whole run.
    pub rate: u64,
    /// Microseconds from a request to its first byte, sorted.
    waits: Vec<u64>,
}

impl Heard {
    /// Milliseconds to the first byte that this part of requests stayed below.
    pub fn first_byte(&self, part: f64) -> f64 {
        let at = (self.waits.len() as f64 * part) as usize;
        self.waits.get(at.min(self.waits.len().saturating_sub(1))).map_or(f64::NAN, |&us| us as f64 / 1000.0)
    }
}

#[derive(Default)]
struct Counts {
    underruns: AtomicUsize,
    errors: AtomicUsize,
    bytes: AtomicU64,
}

/// Lets so many listen to these addresses in turn.
pub fn run(urls: &[String], listeners: usize) -> Heard {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let counts = Arc::new(Counts::default());
    let mut waits = runtime.block_on(async {
        let begin = Instant::now() + Duration::from_millis(200);
        let end = begin + LENGTH;
        let tasks: Vec<_> = (0..listeners)
            .map(|n| {
                let start = begin + RAMP.mul_f64(n as f64 / listeners as f64);
                let (url, counts) = (urls[n % urls.len()].clone(), Arc::clone(&counts));
                tokio::spawn(async move {
                    sleep_until(start).await;
                    let mut waits = Vec::new();
                    match timeout(LENGTH + PATIENCE, listen(&url, end, &counts, &mut waits)).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => {
                            if counts.errors.fetch_add(1, Ordering::Relaxed) == 0 {
                                eprintln!("a listener: {error}");
                            }
                        }
                        Err(_) => {
                            counts.errors.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    waits
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        all
    });
    waits.sort_unstable();
    Heard {
        underruns: counts.underruns.load(Ordering::Relaxed),
        errors: counts.errors.load(Ordering::Relaxed),
        rate: counts.bytes.load(Ordering::Relaxed) / 1_000_000 / LENGTH.as_secs(),
        waits,
    }
}

async fn listen(url: &str, end: Instant, counts: &Counts, waits: &mut Vec<u64>) -> std::io::Result<()> {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut socket = TcpStream::connect(host).await?;
    socket.set_nodelay(true)?;
    let mut playing: Option<Instant> = None;
    let mut got = 0_u64;
    while Instant::now() < end {
        let last = got + PIECE - 1;
        let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nRange: bytes={got}-{last}\r\n\r\n");
        let asked = Instant::now();
        socket.write_all(request.as_bytes()).await?;
        let mut left = PIECE;
        left -= head(&socket, asked, waits).await?;
        let began = *playing.get_or_insert_with(Instant::now);
        let mut late = false;
        while left > 0 {
            let count = read(&socket).await?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let heard = (began.elapsed().as_secs_f64() * PACE as f64) as u64;
            late |= heard > got + (PIECE - left) + count as u64;
            left = left.saturating_sub(count as u64);
        }
        if late {
            counts.underruns.fetch_add(1, Ordering::Relaxed);
        }
        got += PIECE;
        counts.bytes.fetch_add(PIECE, Ordering::Relaxed);
        // Ten seconds ahead are enough for now.
        let next = began + Duration::from_secs_f64((got.saturating_sub(PIECE)) as f64 / PACE as f64);
        sleep_until(next.min(end)).await;
    }
    Ok(())
}

/// Reads the head of an answer; how many bytes of its body came along.
async fn head(socket: &TcpStream, asked: Instant, waits: &mut Vec<u64>) -> std::io::Result<u64> {
    let mut head = Vec::with_capacity(1024);
    loop {
        socket.readable().await?;
        let mut buffer = [0; 4096];
        match socket.try_read(&mut buffer) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => head.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            waits.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
            if !head.starts_with(b"HTTP/1.1 206") {
                let line = String::from_utf8_lossy(&head[..end.min(60)]).into_owned();
                return Err(std::io::Error::other(line));
            }
            return Ok((head.len() - end - 4) as u64);
        }
    }
}

/// Reads what is there and forgets it.
async fn read(socket: &TcpStream) -> std::io::Result<usize> {
    loop {
        socket.readable().await?;
        let mut buffer = [0; 16 * 1024];
        match socket.try_read(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            other => return other,
        }
    }
}
