//! A scrobbling service on loopback: keeps every request as it came, and answers as it is told.
#![allow(dead_code, unreachable_pub, reason = "each test file takes what it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest wait for anything on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A request, byte by byte where it counts.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST /1/submit-listens HTTP/1.1`.
    pub line: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Request {
    pub fn is(&self, begin: &str) -> bool {
        self.line.starts_with(begin)
    }

    /// The body as a form.
    pub fn form(&self) -> BTreeMap<String, String> {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(self.body.as_bytes()).into_owned().collect();
        let form: BTreeMap<String, String> = pairs.iter().cloned().collect();
        assert_eq!(form.len(), pairs.len(), "a name came twice in {}", self.body);
        form
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What the service does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Status, header lines, body.
    Say(u16, &'static str, String),
    /// Takes it and closes the connection without a word.
    HangUp,
    /// Takes it and never answers.
    Hold,
}

pub fn say(status: u16, body: impl Into<String>) -> Answer {
    Answer::Say(status, "", body.into())
}

type Rule = Box<dyn Fn(&Request, usize) -> Answer + Send + Sync>;

/// The service; it ends with the test.
#[derive(Clone)]
pub struct Fake {
    pub addr: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Fake {
    /// Answers by this rule, which is given each request and how many came before it.
    pub fn new(rule: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), rule)
    }

    /// The same at a place of one's own.
    pub fn at(
        listener: TcpListener,
        rule: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let rule: Arc<Rule> = Arc::new(Box::new(rule));
        let fake = Self { addr: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = Arc::clone(&fake.seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, rule) = (Arc::clone(&seen), Arc::clone(&rule));
                std::thread::spawn(move || serve(stream, &seen, &rule));
            }
        });
        fake
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// Those whose first line begins so.
    pub fn of(&self, begin: &str) -> Vec<Request> {
        self.seen().into_iter().filter(|request| request.is(begin)).collect()
    }

    /// Waits until so many requests of this kind came, and gives them.
    pub fn wait(&self, begin: &str, count: usize) -> Vec<Request> {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.of(begin);
            if found.len() >= count {
                return found;
            }
            assert!(Instant::now() < end, "waited in vain for {count} × {begin}: {:#?}", self.seen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A place at which nobody listens, until it is given to [`Fake::at`].
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Request>>, rule: &Rule) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let request = Request { line: line.trim_end().to_owned(), headers, body };
    let before = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    match rule(&request, before) {
        Answer::Say(status, headers, body) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
        Answer::HangUp => {}
        Answer::Hold => std::thread::sleep(PATIENCE),
    }
}
