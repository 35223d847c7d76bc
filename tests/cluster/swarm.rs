//! Listeners that behave like players behind a balancer: each keeps a connection, fetches ten seconds of music at a time, has twenty to thirty
//! seconds ahead, and goes on where it was when a connection breaks. Each tells of every song that it heard, again and again until it is
//! answered; some of them tell everything twice.

#![allow(dead_code, unreachable_pub, reason = "a part of one test")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(
    clippy::single_match_else,
    clippy::manual_let_else,
    reason = "what ends a request is read side by side"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Bytes that are heard in a second: 16 kbit/s.
pub const PACE: u64 = 2_000;
/// Seconds of a song.
pub const SONG: u64 = 40;
/// Bytes of sound in a song.
pub const SOUND: u64 = SONG * PACE;
/// Bytes that are fetched at once: ten seconds.
const PIECE: u64 = 10 * PACE;
/// Bytes that are ahead before the next piece waits: with it, half a minute.
const AHEAD: u64 = 20 * PACE;
/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// Listeners come one after another over so long.
pub const RAMP: Duration = Duration::from_secs(10);

/// A song that the server has: its id, and all of its bytes.
pub struct Song {
    pub id: String,
    pub bytes: Vec<u8>,
}

/// What all listeners need to know.
pub struct Swarm {
    pub balancer: SocketAddr,
    pub songs: Vec<Song>,
    /// Keys of accounts; listeners share them.
    pub keys: Vec<String>,
    /// Unix time in ms at which the first of them begins.
    pub begun_at: i64,
    pub stop: AtomicBool,
    pub counts: Counts,
}

/// What came of it.
#[derive(Default)]
pub struct Counts {
    /// Pieces that came whole, in one answer.
    pub pieces: AtomicU64,
    /// Connections that broke off or were refused.
    pub broken: AtomicU64,
    /// Answers that were no music: refusals.
    pub refused: AtomicU64,
    /// Pieces that were gone on with by a range after they broke off.
    pub resumed: AtomicU64,
    /// Times that somebody heard nothing because nothing was there.
    pub underruns: AtomicUsize,
    /// Bytes that are not those of the song.
    pub wrong: AtomicU64,
    /// Songs heard to their end, each of which is a play.
    pub plays: AtomicU64,
    /// Plays that the server has said it has.
    pub told: AtomicU64,
    /// Times that a play was told again.
    pub retold: AtomicU64,
    /// The least that anybody had ahead, ms.
    pub least: AtomicU64,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            f,
            "{} pieces whole, {} connections broken, {} gone on with, {} refused, {} wrong bytes, {} under-runs (least ahead {} ms); \
             {} plays, {} told, {} told again",
            of(&self.pieces),
            of(&self.broken),
            of(&self.resumed),
            of(&self.refused),
            of(&self.wrong),
            self.underruns.load(Ordering::Relaxed),
            of(&self.least),
            of(&self.plays),
            of(&self.told),
            of(&self.retold),
        )
    }
}

/// Lets so many listen until they are stopped and have told of everything.
pub async fn listen(swarm: Arc<Swarm>, listeners: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).unwrap();
    swarm.counts.least.store(u64::MAX, Ordering::Relaxed);
    let begin = Instant::now();
    let tasks: Vec<_> = (0..listeners)
        .map(|number| {
            let (swarm, start) = (Arc::clone(&swarm), begin + RAMP.mul_f64(number as f64 / listeners as f64));
            tokio::spawn(async move {
                sleep_until(start).await;
                Listener { swarm, number, socket: None }.run().await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Bytes that are heard in a second of the long song: 512 kbit/s.
pub const LONG_PACE: u64 = 64_000;

/// Somebody who hears a long song by one request, as slowly as it sounds, and goes on by a range where the connection breaks; with so many
/// seconds ahead at most. Over when the song is.
pub async fn listen_long(swarm: Arc<Swarm>, song: Arc<Song>, number: usize) {
    let mut listener = Listener { swarm: Arc::clone(&swarm), number: 10_000 + number, socket: None };
    let (counts, all) = (&swarm.counts, song.bytes.len() as u64);
    let (mut got, mut began) = (0_u64, None::<Instant>);
    while got < all && !swarm.stop.load(Ordering::Relaxed) {
        let path = format!("/rest/stream?id={}&apiKey={}&v=1.16.1&c=long-{number}", song.id, listener.key());
        // The end of the file has tags, which nobody hears.
        let request = format!("GET {path} HTTP/1.1\r\nHost: segue\r\nRange: bytes={got}-{}\r\n\r\n", all - 1);
        listener.socket = None;
        let mut body = match timeout(PATIENCE, listener.ask(&request)).await {
            Ok(Ok((206, first, length))) if length == all - got => first,
            Ok(Ok(_)) => {
                counts.refused.fetch_add(1, Ordering::Relaxed);
                sleep(listener.pause() * 3).await;
                continue;
            }
            Ok(Err(_)) | Err(_) => {
                counts.broken.fetch_add(1, Ordering::Relaxed);
                sleep(listener.pause()).await;
                continue;
            }
        };
        loop {
            let at = *began.get_or_insert_with(Instant::now);
            let heard = (at.elapsed().as_secs_f64() * LONG_PACE as f64) as u64;
            if heard > got && !body.is_empty() {
                counts.underruns.fetch_add(1, Ordering::Relaxed);
                began = Some(at + Duration::from_secs_f64((heard - got) as f64 / LONG_PACE as f64));
            }
            let from = usize::try_from(got).unwrap();
            let right = song.bytes.get(from..from + body.len()) == Some(&body[..]);
            counts.wrong.fetch_add(if right { 0 } else { body.len() as u64 }, Ordering::Relaxed);
            got += body.len() as u64;
            if got >= all || swarm.stop.load(Ordering::Relaxed) {
                break;
            }
            // Twenty seconds ahead are enough.
            let ahead = Duration::from_secs_f64(got.saturating_sub(20 * LONG_PACE) as f64 / LONG_PACE as f64);
            sleep_until(began.unwrap_or_else(Instant::now) + ahead).await;
            body.resize(16 * 1024, 0);
            let Some(socket) = &mut listener.socket else { break };
            match timeout(PATIENCE, socket.read(&mut body)).await {
                Ok(Ok(n @ 1..)) => body.truncate(n),
                Ok(Ok(_) | Err(_)) | Err(_) => {
                    counts.broken.fetch_add(1, Ordering::Relaxed);
                    counts.resumed.fetch_add(1, Ordering::Relaxed);
                    break;
                }
            }
        }
    }
}

struct Listener {
    swarm: Arc<Swarm>,
    number: usize,
    socket: Option<TcpStream>,
}

/// How one request ended.
enum Ended {
    /// With so many bytes.
    Got(u64),
    /// With another status than that of music.
    Refused,
    /// In the middle, or before.
    Broken(u64),
}

impl Listener {
    async fn run(mut self) {
        let (tell, mut told) = mpsc::unbounded_channel::<u64>();
        let telling = {
            let (swarm, number) = (Arc::clone(&self.swarm), self.number);
            tokio::spawn(async move {
                let mut listener = Self { swarm, number, socket: None };
                while let Some(song) = told.recv().await {
                    listener.tell(song).await;
                }
            })
        };
        let swarm = Arc::clone(&self.swarm);
        // All bytes since the beginning, over all songs: those that came, and those that were played before the last silence.
        let (mut got, mut began, mut told_of) = (0_u64, None::<Instant>, 0_u64);
        while !swarm.stop.load(Ordering::Relaxed) {
            let heard = began.map_or(0, |at| (at.elapsed().as_secs_f64() * PACE as f64) as u64);
            while (told_of + 1) * SOUND <= heard.min(got) {
                swarm.counts.plays.fetch_add(1, Ordering::Relaxed);
                tell.send(told_of).unwrap();
                told_of += 1;
            }
            if got >= heard + AHEAD {
                sleep(Duration::from_millis(200)).await;
                continue;
            }
            let (song, at) = (got / SOUND, got % SOUND);
            let piece = PIECE.min(SOUND - at);
            let mut each = |bytes: u64| {
                let at = *began.get_or_insert_with(Instant::now);
                let heard = (at.elapsed().as_secs_f64() * PACE as f64) as u64;
                if heard > got {
                    swarm.counts.underruns.fetch_add(1, Ordering::Relaxed);
                    swarm.counts.least.store(0, Ordering::Relaxed);
                    // It plays on from here.
                    began = Some(at + Duration::from_secs_f64((heard - got) as f64 / PACE as f64));
                } else if got > AHEAD {
                    swarm.counts.least.fetch_min((got - heard) * 1000 / PACE, Ordering::Relaxed);
                }
                got += bytes;
            };
            match self.fetch(song, at, piece, &mut each).await {
                Ended::Got(bytes) if bytes == piece => {
                    swarm.counts.pieces.fetch_add(1, Ordering::Relaxed);
                }
                Ended::Got(bytes) | Ended::Broken(bytes) => {
                    swarm.counts.broken.fetch_add(1, Ordering::Relaxed);
                    swarm.counts.resumed.fetch_add(u64::from(bytes > 0), Ordering::Relaxed);
                    self.socket = None;
                    sleep(self.pause()).await;
                }
                Ended::Refused => {
                    swarm.counts.refused.fetch_add(1, Ordering::Relaxed);
                    sleep(self.pause() * 3).await;
                }
            }
        }
        drop(tell);
        telling.await.unwrap();
    }

    /// Not all at the same moment.
    fn pause(&self) -> Duration {
        Duration::from_millis(200 + (self.number as u64 * 37) % 300)
    }

    fn key(&self) -> &str {
        &self.swarm.keys[self.number % self.swarm.keys.len()]
    }

    fn song(&self, count: u64) -> &Song {
        let songs = &self.swarm.songs;
        &songs[(self.number + usize::try_from(count).unwrap()) % songs.len()]
    }

    /// Fetches some bytes of sound of the song that is heard as so many-th, and compares them.
    async fn fetch(&mut self, count: u64, at: u64, piece: u64, each: &mut (dyn FnMut(u64) + Send)) -> Ended {
        let header = self.song(count).bytes.len() as u64 - SOUND;
        let (first, last) = (header + at, header + at + piece - 1);
        let path = format!(
            "/rest/stream?id={}&apiKey={}&v=1.16.1&c=swarm-{}",
            self.song(count).id,
            self.key(),
            self.number
        );
        let request = format!("GET {path} HTTP/1.1\r\nHost: segue\r\nRange: bytes={first}-{last}\r\n\r\n");
        let (status, mut body, left) = match timeout(PATIENCE, self.ask(&request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => {
                self.socket = None;
                return Ended::Broken(0);
            }
        };
        if status != 206 || left != piece {
            self.rest(left.saturating_sub(body.len() as u64)).await;
            return Ended::Refused;
        }
        let mut got = 0_u64;
        loop {
            let from = usize::try_from(first + got).unwrap();
            let right = self.song(count).bytes.get(from..from + body.len()) == Some(&body[..]);
            self.swarm.counts.wrong.fetch_add(if right { 0 } else { body.len() as u64 }, Ordering::Relaxed);
            if !body.is_empty() {
                each(body.len() as u64);
            }
            got += body.len() as u64;
            if got >= piece {
                return Ended::Got(got);
            }
            body.resize(16 * 1024, 0);
            let Some(socket) = &mut self.socket else { return Ended::Broken(got) };
            match timeout(PATIENCE, socket.read(&mut body)).await {
                Ok(Ok(n @ 1..)) => body.truncate(n.min(usize::try_from(piece - got).unwrap())),
                Ok(Ok(_) | Err(_)) | Err(_) => {
                    self.socket = None;
                    return Ended::Broken(got);
                }
            }
        }
    }

    /// Tells that the song that was heard as so many-th was heard, until the server has it.
    async fn tell(&mut self, count: u64) {
        // Of several listeners of one account no two begin a song in the same millisecond.
        let began = self.swarm.begun_at
            + i64::try_from(count * SONG * 1000).unwrap()
            + i64::try_from(self.number).unwrap();
        let path = format!(
            "/rest/scrobble?id={}&time={began}&submission=true&apiKey={}&v=1.16.1&c=swarm-{}&f=json",
            self.song(count).id,
            self.key(),
            self.number
        );
        let request = format!("GET {path} HTTP/1.1\r\nHost: segue\r\n\r\n");
        let mut told = 0;
        let wanted = if self.number.is_multiple_of(10) { 2 } else { 1 };
        let mut tries = 0_u64;
        while told < wanted {
            tries += 1;
            let answered = timeout(PATIENCE, self.ask(&request)).await;
            let Ok(Ok((status, body, left))) = answered else {
                self.socket = None;
                sleep(self.pause()).await;
                continue;
            };
            let rest = left.saturating_sub(body.len() as u64);
            let text = String::from_utf8_lossy(&body).into_owned();
            self.rest(rest).await;
            if status == 200 && text.contains("\"status\":\"ok\"") {
                told += 1;
            } else {
                sleep(self.pause() * 3).await;
            }
        }
        self.swarm.counts.told.fetch_add(1, Ordering::Relaxed);
        self.swarm.counts.retold.fetch_add(tries - 1, Ordering::Relaxed);
    }

    /// Sends a request; gives the status, what came of the body with the head, and the body's length.
    async fn ask(&mut self, request: &str) -> std::io::Result<(u16, Vec<u8>, u64)> {
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => {
                // A small buffer, so that what is sent is not much more than what is heard.
                let socket = tokio::net::TcpSocket::new_v4()?;
                socket.set_recv_buffer_size(32 * 1024)?;
                let socket = socket.connect(self.swarm.balancer).await?;
                socket.set_nodelay(true)?;
                none.insert(socket)
            }
        };
        socket.write_all(request.as_bytes()).await?;
        let mut head = Vec::with_capacity(2048);
        loop {
            let mut buffer = [0; 8192];
            let n = socket.read(&mut buffer).await?;
            if n == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            head.extend_from_slice(&buffer[..n]);
            let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let text = String::from_utf8_lossy(&head[..end]).to_ascii_lowercase();
            let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let body = head.split_off(end + 4);
            if length.is_none() {
                // What ends with the connection: a refusal of the balancer's.
                self.socket = None;
            }
            return Ok((status, body, length.unwrap_or(0)));
        }
    }

    /// Reads what nobody wants, so that the connection can be used again.
    async fn rest(&mut self, mut left: u64) {
        let mut buffer = vec![0; 8192];
        while left > 0 {
            let Some(socket) = &mut self.socket else { return };
            let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match timeout(PATIENCE, socket.read(&mut buffer[..most])).await {
                Ok(Ok(n @ 1..)) => left -= n as u64,
                Ok(Ok(_) | Err(_)) | Err(_) => {
                    self.socket = None;
                    return;
                }
            }
        }
    }
}
