//! A proxy before an HTTP server that does what networks and bad servers do. One request for each connection, so
//! that every fault hits exactly the request that it is meant for.
//!
//! `always` is what happens to every request, `next` is a script for the media requests (`stream`, `download`): each
//! takes the fault at its front. Nothing in here knows the API.
#![allow(dead_code, reason = "each test file takes what it needs")]

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What is done to one request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The answer begins later.
    Delay(Duration),
    /// So many bytes of the body in a second, roughly.
    Throttle(usize),
    /// The connection ends in order after so many bytes of the body.
    Truncate(usize),
    /// The connection is reset after so many bytes of the body.
    Reset(usize),
    /// The connection is dropped before any answer; the server hears nothing.
    Drop,
    /// The server does what was asked, and its answer is lost.
    Swallow,
    /// This status, with an empty body and perhaps a `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// The page of a captive portal.
    Html,
    /// The server never hears of the range: 200 and the whole.
    IgnoreRange,
    /// The server never hears of `If-Range`.
    IgnoreIfRange,
    /// 206, but the part begins so many bytes later than the header says was asked for.
    WrongRange(u64),
    /// Another entity tag.
    Etag(&'static str),
    /// No entity tag.
    NoEtag,
    /// A length that is so many bytes too great.
    WrongLength(u64),
    /// A length that is so many bytes too small: the body is cut there, and looks whole.
    ShortLength(u64),
    /// The answer never comes.
    Silence,
    /// The head comes, and not one byte of the body.
    Stall,
    /// This text instead of an HTTP answer.
    Raw(&'static str),
    /// This answer, with 200 and a content type.
    Says(&'static str, &'static str),
    /// The body's bytes are others from this one on.
    Corrupt(usize),
    /// 206 as asked for, but the bytes are those from so many further on.
    Shifted(u64),
    /// So many bytes, then nothing more for ever.
    StallAfter(usize),
}

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    pub(crate) shared: Arc<Shared>,
    task: JoinHandle<()>,
}

pub(crate) struct Shared {
    upstream: Mutex<SocketAddr>,
    always: Mutex<Fault>,
    next: Mutex<VecDeque<Fault>>,
    /// An endpoint, and how many of its answers are still to be lost.
    swallow: Mutex<(String, usize)>,
    lost: AtomicUsize,
    pub(crate) requests: AtomicUsize,
    pub(crate) media: AtomicUsize,
    /// Bytes of bodies that went to clients.
    pub(crate) sent: AtomicUsize,
    /// The first line and the body of every request.
    asked: Mutex<Vec<(String, String)>>,
}

impl Proxy {
    /// Listens on a port of the system's choice.
    pub(crate) async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream),
            always: Mutex::new(Fault::None),
            next: Mutex::default(),
            swallow: Mutex::default(),
            lost: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            media: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
            asked: Mutex::default(),
        });
        let state = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                tokio::spawn(async move {
                    let _ = serve(socket, &state).await;
                });
            }
        });
        Self { addr, shared, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// From now on, for every request.
    pub(crate) fn always(&self, fault: Fault) {
        *self.shared.always.lock().unwrap() = fault;
    }

    /// For the next media requests, one each.
    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.shared.next.lock().unwrap() = faults.into_iter().collect();
    }

    /// The next requests of an endpoint reach the server, their answers are lost.
    pub(crate) fn lose_answers_of(&self, endpoint: &str, count: usize) {
        *self.shared.swallow.lock().unwrap() = (format!("/rest/{endpoint}"), count);
    }

    /// Answers lost by [`Proxy::lose_answers_of`].
    pub(crate) fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::SeqCst)
    }

    /// First line and body of every request for an endpoint so far.
    pub(crate) fn asked(&self, endpoint: &str) -> Vec<(String, String)> {
        let path = format!("/rest/{endpoint} ");
        let query = format!("/rest/{endpoint}?");
        let all = self.shared.asked.lock().unwrap();
        all.iter().filter(|(line, _)| line.contains(&path) || line.contains(&query)).cloned().collect()
    }

    /// Faults of the script that no request met yet.
    pub(crate) fn left(&self) -> usize {
        self.shared.next.lock().unwrap().len()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let Some((head, body)) = read_request(&mut client).await? else { return Ok(()) };
    shared.requests.fetch_add(1, Ordering::SeqCst);
    let first = head.lines().next().unwrap_or_default();
    shared.asked.lock().unwrap().push((first.to_owned(), String::from_utf8_lossy(&body).into_owned()));
    let media = first.contains("/rest/stream") || first.contains("/rest/download");
    let mut fault = shared.always.lock().unwrap().clone();
    if media {
        shared.media.fetch_add(1, Ordering::SeqCst);
        if let Some(next) = shared.next.lock().unwrap().pop_front() {
            fault = next;
        }
    }
    {
        let mut swallow = shared.swallow.lock().unwrap();
        if swallow.1 > 0 && first.contains(swallow.0.as_str()) {
            swallow.1 -= 1;
            shared.lost.fetch_add(1, Ordering::SeqCst);
            fault = Fault::Swallow;
        }
    }
    match &fault {
        Fault::Delay(by) => sleep(*by).await,
        Fault::Drop => return reset(&client),
        Fault::Silence => {
            sleep(Duration::from_hours(1)).await;
            return Ok(());
        }
        Fault::Status(status, after) => {
            let after = after.map_or_else(String::new, |s| format!("Retry-After: {s}\r\n"));
            let answer =
                format!("HTTP/1.1 {status} Trouble\r\nContent-Length: 0\r\nConnection: close\r\n{after}\r\n");
            return client.write_all(answer.as_bytes()).await;
        }
        Fault::Raw(text) => {
            client.write_all(text.as_bytes()).await?;
            return client.shutdown().await;
        }
        Fault::Says(kind, text) => {
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                text.len()
            );
            return client.write_all(answer.as_bytes()).await;
        }
        Fault::Html => {
            let page = "<!DOCTYPE html><html><body>Welcome to the hotel. Please log in.</body></html>";
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                page.len()
            );
            return client.write_all(answer.as_bytes()).await;
        }
        _ => {}
    }
    let upstream = *shared.upstream.lock().unwrap();
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(&request_for(&head, &fault)).await?;
    server.write_all(&body).await?;
    let Some((answer, first)) = read_head(&mut server).await? else { return reset(&client) };
    if fault == Fault::Swallow {
        return reset(&client);
    }
    client.write_all(&answer_for(&answer, &fault)).await?;
    if fault == Fault::Stall {
        sleep(Duration::from_hours(1)).await;
    }
    copy_body(&mut server, &mut client, first, &fault, &shared.sent).await
}

/// Changes the request's head: one request for each connection, and what the fault hides.
fn request_for(head: &str, fault: &Fault) -> Vec<u8> {
    let hidden: &[&str] = match fault {
        Fault::IgnoreRange => &["range", "if-range"],
        Fault::IgnoreIfRange => &["if-range"],
        _ => &[],
    };
    let mut out = String::new();
    for (i, line) in head.lines().enumerate() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let name = name.trim().to_ascii_lowercase();
        if i > 0 && (name == "connection" || hidden.contains(&name.as_str())) {
            continue;
        }
        match fault {
            Fault::WrongRange(by) | Fault::Shifted(by) if i > 0 && name == "range" => {
                let from = value.trim().trim_start_matches("bytes=").split('-').next().unwrap_or("0");
                let from: u64 = from.parse().unwrap_or(0);
                let _ = write!(out, "Range: bytes={}-\r\n", from + by);
            }
            _ => {
                out.push_str(line);
                out.push_str("\r\n");
            }
        }
    }
    out.push_str("Connection: close\r\n\r\n");
    out.into_bytes()
}

/// Changes the answer's head.
fn answer_for(head: &str, fault: &Fault) -> Vec<u8> {
    let mut out = String::new();
    for (i, line) in head.lines().enumerate() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let name = name.trim().to_ascii_lowercase();
        match (fault, name.as_str()) {
            (_, "connection") | (Fault::NoEtag | Fault::Etag(_), "etag") if i > 0 => {}
            (Fault::Shifted(by), "content-range") => {
                // As if it were what was asked for.
                let (unit, rest) = value.trim().split_once(' ').unwrap_or(("bytes", ""));
                let (part, total) = rest.split_once('/').unwrap_or((rest, "*"));
                let (from, to) = part.split_once('-').unwrap_or(("0", "0"));
                let from = from.parse::<u64>().unwrap_or(0).saturating_sub(*by);
                let to = to.parse::<u64>().unwrap_or(0).saturating_sub(*by);
                let _ = write!(out, "Content-Range: {unit} {from}-{to}/{total}\r\n");
            }
            (Fault::ShortLength(by), "content-length") => {
                let length: u64 = value.trim().parse().unwrap_or(0);
                let _ = write!(out, "Content-Length: {}\r\n", length.saturating_sub(*by));
            }
            (Fault::WrongLength(by), "content-length") => {
                let length: u64 = value.trim().parse().unwrap_or(0);
                let _ = write!(out, "Content-Length: {}\r\n", length + by);
            }
            _ => {
                out.push_str(line);
                out.push_str("\r\n");
            }
        }
    }
    if let Fault::Etag(tag) = fault {
        let _ = write!(out, "ETag: {tag}\r\n");
    }
    out.push_str("Connection: close\r\n\r\n");
    out.into_bytes()
}

async fn copy_body(
    server: &mut TcpStream,
    client: &mut TcpStream,
    first: Vec<u8>,
    fault: &Fault,
    counter: &AtomicUsize,
) -> std::io::Result<()> {
    let mut piece = first;
    let mut sent = 0;
    let mut buf = vec![0; 16 * 1024];
    loop {
        if let Fault::Corrupt(from) = fault {
            for (i, byte) in piece.iter_mut().enumerate() {
                if sent + i >= *from {
                    *byte ^= 0x5a;
                }
            }
        }
        let limit = match fault {
            Fault::Truncate(n) | Fault::Reset(n) | Fault::StallAfter(n) => n.saturating_sub(sent),
            _ => usize::MAX,
        };
        for part in piece[..piece.len().min(limit)].chunks(2048) {
            client.write_all(part).await?;
            counter.fetch_add(part.len(), Ordering::SeqCst);
            if let Fault::Throttle(rate) = fault {
                sleep(Duration::from_secs_f64(part.len() as f64 / *rate as f64)).await;
            }
        }
        sent += piece.len();
        if sent >= limit.saturating_add(sent - piece.len()) && limit != usize::MAX {
            client.flush().await?;
            return match fault {
                Fault::Reset(_) => {
                    // What was sent should arrive before the reset overtakes it.
                    sleep(Duration::from_millis(20)).await;
                    reset(client)
                }
                Fault::StallAfter(_) => {
                    sleep(Duration::from_hours(1)).await;
                    Ok(())
                }
                _ => client.shutdown().await,
            };
        }
        let n = server.read(&mut buf).await?;
        if n == 0 {
            return client.shutdown().await;
        }
        piece = buf[..n].to_vec();
    }
}

fn reset(socket: &TcpStream) -> std::io::Result<()> {
    socket.set_zero_linger()
}

async fn read_request(socket: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let Some((head, mut body)) = read_head(socket).await? else { return Ok(None) };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    while body.len() < length {
        let mut buf = [0; 4096];
        let n = socket.read(&mut buf).await?;
        if n == 0 {
            return Ok(None);
        }
        body.extend_from_slice(&buf[..n]);
    }
    Ok(Some((head, body)))
}

/// The head without its empty line, and what came behind it.
async fn read_head(socket: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    loop {
        if let Some(end) = all.windows(4).position(|w| w == b"\r\n\r\n") {
            let rest = all.split_off(end + 4);
            all.truncate(end + 2);
            return Ok(Some((String::from_utf8_lossy(&all).into_owned(), rest)));
        }
        let mut buf = [0; 4096];
        let n = socket.read(&mut buf).await?;
        if n == 0 {
            return Ok(None);
        }
        all.extend_from_slice(&buf[..n]);
    }
}
