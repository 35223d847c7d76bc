//! What a request costs: the CPU that the server's process and the database's processes used while many were answered, divided by
//! how many. That says what a core can do whatever else the machine does meanwhile. How long one waits who asks alone is measured
//! besides.
//!
//! Something is written all the time, as on a server where people listen: answers that are kept until the catalog changes would
//! not be worked for otherwise. What that costs is measured first and taken off.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::model::inputs::{Cost, Costs};
use crate::program::{Home, Process};

/// Albums of ten songs.
pub const ALBUMS: u32 = 300;
/// How long each kind of request is asked.
const TURN: Duration = Duration::from_secs(3);
const CONNECTIONS: usize = 4;
/// Requests of one who asks alone.
const ALONE: usize = 300;
/// Plays a second that are written meanwhile.
const WRITES: u64 = 20;
const RANGE: u64 = 256 * 1024;
const PATIENCE: Duration = Duration::from_mins(10);
/// Ticks of the kernel's clock in a second, in which it counts CPU.
const TICKS: f64 = 100.0;

/// What stands above the table.
pub fn sentence() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let build = if cfg!(debug_assertions) { "a debug build" } else { "a release build" };
    format!(
        "Measured with {build} on {cores} cores that the one who asks shares, {} songs and 16 of five minutes; CPU of all \
         requests of three seconds, divided by their number. PostgreSQL 15 does not wait for its disk, Azurite 3.35 is the store.",
        ALBUMS * 10
    )
}

/// A server, and what it is asked.
struct Asked {
    port: u16,
    key: String,
    process: Process,
    /// The first process of the database, where it is one of its own.
    postmaster: Option<u32>,
    albums: Vec<String>,
    songs: Vec<String>,
    long: Vec<String>,
    /// When plays were: each one is another.
    moment: AtomicU64,
}

/// SQLite and a folder.
pub fn home(music: &Path) -> Costs {
    let home = Home::new();
    let data = home.path().join("server");
    let music = music.to_str().unwrap();
    let start = |port: u16| serve(&home, &data, port, &["--music", music], &[]);
    let (asked, start_s) = Asked::begin(&home, &data, &[], None, start);
    asked.costs(start_s)
}

/// PostgreSQL and Azurite; the error says what is missing. Bytes of a play besides.
#[cfg(feature = "cloud")]
pub fn cloud(music: &Path) -> Result<(Costs, f64), String> {
    let postgres = tempfile::tempdir().unwrap();
    let at = postgres.path().join("cluster");
    let said = Command::new(".ci/postgres").arg("start").arg(&at).stderr(Stdio::inherit()).output();
    let said = said.ok().filter(|said| said.status.success()).ok_or("PostgreSQL is not installed")?;
    let _stops = Stops(at.clone());
    let address = String::from_utf8(said.stdout).unwrap().trim().to_owned();
    let pid = std::fs::read_to_string(at.join("data/postmaster.pid")).unwrap();
    let postmaster = pid.lines().next().and_then(|line| line.parse().ok()).unwrap();
    // It lives as long as its input is open.
    let mut emulator = Command::new("bash")
        .args(["-c", ". .ci/stores >&2 && echo $SEGUE_TEST_AZURE && cat >/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the stores: {error}"))?;
    let mut line = String::new();
    BufReader::new(emulator.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().to_owned();
    if url.is_empty() {
        return Err("Azurite cannot be started".into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let store = runtime.block_on(async {
        let store = crate::stores::Store::named(crate::stores::Kind::Azure, &url, None).await;
        store.upload(music, "music").await;
        store
    });
    let address_of_music = store.address("music");
    // Past the wire that tests cut.
    let mut variables: Vec<(&str, String)> = store.environment();
    for (name, value) in &mut variables {
        if *name == "AZURITE_BLOB_STORAGE_URL" {
            value.clone_from(&url);
        }
    }
    variables.push(("SEGUE_DATABASE", address.clone()));
    let home = Home::new();
    let data = home.path().join("server");
    let start = |port: u16| serve(&home, &data, port, &["--music", &address_of_music], &variables);
    let (asked, start_s) = Asked::begin(&home, &data, &variables, Some(postmaster), start);
    let costs = asked.costs(start_s);
    let bytes: f64 = runtime.block_on(async {
        use sqlx::Connection as _;
        let mut conn = sqlx::PgConnection::connect(&address).await.unwrap();
        let sql = "SELECT CAST(pg_total_relation_size('plays') AS DOUBLE PRECISION) / \
                   GREATEST((SELECT COUNT(*) FROM plays), 1)";
        sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
    });
    drop(asked);
    drop(emulator.stdin.take());
    let _ = emulator.wait();
    Ok((costs, bytes))
}

/// Without the feature there is nothing to reach them by.
#[cfg(not(feature = "cloud"))]
pub fn cloud(_: &Path) -> Result<(Costs, f64), String> {
    Err("this build is without `--features cloud`".into())
}

/// Stops a database server.
#[cfg(feature = "cloud")]
struct Stops(std::path::PathBuf);

#[cfg(feature = "cloud")]
impl Drop for Stops {
    fn drop(&mut self) {
        let _ = Command::new(".ci/postgres").arg("stop").arg(&self.0).status();
    }
}

/// The binary, or another one that `SEGUE_BIN` names.
fn binary(home: &Home, args: &[&str]) -> Command {
    let usual = home.command(args);
    let Some(other) = std::env::var_os("SEGUE_BIN") else { return usual };
    let mut command = Command::new(other);
    command.args(args).env_clear().envs(home.variables()).stdin(Stdio::null());
    command
}

fn serve(home: &Home, data: &Path, port: u16, more: &[&str], variables: &[(&str, String)]) -> Process {
    let listen = format!("127.0.0.1:{port}");
    let args = [&["serve", "--data", data.to_str().unwrap(), "--listen", &listen][..], more].concat();
    let mut command = binary(home, &args);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let command = command.env("SEGUE_ADMIN_PASSWORD", "bench").stdout(Stdio::null()).stderr(Stdio::null());
    Process(command.spawn().unwrap())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until a server says that it can answer; seconds since then.
fn ready(port: u16) -> f64 {
    let began = Instant::now();
    let answers = || {
        let got = Wire::to(port)?.get("/readyz", None)?;
        (got.status == 200).then_some(())
    };
    while answers().is_none() {
        assert!(began.elapsed() < PATIENCE, "the server does not come up");
        std::thread::sleep(Duration::from_millis(10));
    }
    began.elapsed().as_secs_f64()
}

impl Asked {
    /// Lets a server scan, starts it again, and sees what it has.
    fn begin(
        home: &Home,
        data: &Path,
        variables: &[(&str, String)],
        postmaster: Option<u32>,
        start: impl Fn(u16) -> Process,
    ) -> (Self, f64) {
        let port = free_port();
        let first = start(port);
        ready(port);
        let mut made = binary(home, &["users", "--data", data.to_str().unwrap(), "key", "admin"]);
        let made = made.envs(variables.iter().map(|(name, value)| (name, value))).output().unwrap();
        let made = String::from_utf8(made.stdout).unwrap();
        let key = made.split_whitespace().find(|word| word.len() >= 22).unwrap().to_owned();
        let none = Vec::new;
        let moment = AtomicU64::new(1_600_000_000_000);
        let mut asked = Self {
            port,
            key,
            process: first,
            postmaster,
            albums: none(),
            songs: none(),
            long: none(),
            moment,
        };
        let end = Instant::now() + PATIENCE;
        while asked.json("getScanStatus", "")["scanStatus"]["scanning"] != false {
            assert!(Instant::now() < end, "the scan does not end");
            std::thread::sleep(Duration::from_millis(200));
        }
        let (_, _) = (asked.process.0.kill(), asked.process.0.wait());
        asked.port = free_port();
        asked.process = start(asked.port);
        let start_s = ready(asked.port);
        let list = asked.json("getAlbumList2", "&type=alphabeticalByName&size=500");
        let texts = |list: &Value, name: &str| -> Vec<String> {
            let all = list.as_array().unwrap().iter();
            all.map(|one| one[name].as_str().unwrap().to_owned()).collect()
        };
        let list = &list["albumList2"]["album"];
        asked.albums = texts(list, "id");
        let long = texts(list, "name").iter().position(|name| name == crate::library::LONG_ALBUM).unwrap();
        let songs = |id: &str| {
            let album = asked.json("getAlbum", &format!("&id={id}"));
            texts(&album["album"]["song"], "id")
        };
        let (long, some) = (songs(&asked.albums[long]), songs(&asked.albums[0]));
        asked.long = long;
        asked.songs = some;
        (asked, start_s)
    }

    fn path(&self, endpoint: &str, params: &str) -> String {
        format!("/rest/{endpoint}?apiKey={}&v=1.16.1&c=bench&f=json{params}", self.key)
    }

    fn json(&self, endpoint: &str, params: &str) -> Value {
        let mut wire = Wire::to(self.port).unwrap();
        let got = wire.get(&self.path(endpoint, params), None).unwrap();
        let mut answer: Value = serde_json::from_slice(&got.body).unwrap();
        answer["subsonic-response"].take()
    }

    fn play(&self) -> String {
        let at = self.moment.fetch_add(1_000, Ordering::Relaxed);
        let song = &self.songs[(at / 1_000) as usize % self.songs.len()];
        self.path("scrobble", &format!("&id={song}&submission=true&time={at}"))
    }

    /// Seconds of CPU that the server and the database have used.
    fn used(&self) -> (f64, f64) {
        let database = self.postmaster.map_or(0.0, |postmaster| {
            let all = std::fs::read_dir("/proc").unwrap().flatten();
            let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
            pids.filter_map(|pid| stat(pid).filter(|(parent, _)| *parent == postmaster))
                .map(|(_, used)| used)
                .sum()
        });
        (stat(self.process.0.id()).map_or(0.0, |(_, used)| used), database)
    }

    /// All kinds of requests.
    fn costs(&self, start_s: f64) -> Costs {
        let play = self.cost(None, &|_| (self.play(), None));
        let beside = Some(&play);
        let of = |list: &[String], n: u64| list[n as usize % list.len()].clone();
        let range = |at: u64| Some((at * RANGE, (at + 1) * RANGE - 1));
        // Each block once before, so that the hot cache has it.
        for song in &self.long {
            let mut wire = Wire::to(self.port).unwrap();
            wire.get(&self.path("stream", &format!("&id={song}")), None).unwrap();
        }
        Costs {
            start_s,
            ping: self.cost(beside, &|_| (self.path("ping", ""), None)),
            browse: self.cost(beside, &|n| {
                let offset = n * 7 % u64::from(ALBUMS - 50);
                (self.path("getAlbumList2", &format!("&type=newest&size=50&offset={offset}")), None)
            }),
            album: self
                .cost(beside, &|n| (self.path("getAlbum", &format!("&id={}", of(&self.albums, n))), None)),
            search: self.cost(beside, &|n| {
                const WORDS: [&str; 8] =
                    ["harbour", "silver", "moss", "thunder", "orch", "lan", "river 12", "quiet echo"];
                let word = WORDS[n as usize % WORDS.len()].replace(' ', "%20");
                (self.path("search3", &format!("&query={word}")), None)
            }),
            stream: self
                .cost(beside, &|n| (self.path("stream", &format!("&id={}", of(&self.long, n))), range(0))),
            range: self.cost(beside, &|n| {
                (self.path("stream", &format!("&id={}", of(&self.long, n))), range(1 + n / 16 % 40))
            }),
            play,
        }
    }

    /// One kind of request: the address of the n-th, and which bytes of it.
    fn cost(
        &self,
        beside: Option<&Cost>,
        what: &(dyn Fn(u64) -> (String, Option<(u64, u64)>) + Sync),
    ) -> Cost {
        let count = AtomicU64::new(0);
        let bytes = AtomicU64::new(0);
        let stop = AtomicBool::new(false);
        let mut waits = Vec::with_capacity(ALONE);
        let mut wire = Wire::to(self.port).unwrap();
        for n in 0..ALONE as u64 {
            let (path, range) = what(n * 13);
            let got = wire.get(&path, range).unwrap();
            assert!(got.is_good(), "{path}: {} {}", got.status, String::from_utf8_lossy(&got.body));
            waits.push(got.first_byte);
        }
        waits.sort_by(f64::total_cmp);
        let before = self.used();
        let written = std::thread::scope(|scope| {
            for at in 0..CONNECTIONS as u64 {
                let (count, bytes, stop) = (&count, &bytes, &stop);
                scope.spawn(move || {
                    let mut wire = Wire::to(self.port).unwrap();
                    let mut n = at * 1_000_003;
                    while !stop.load(Ordering::Relaxed) {
                        let (path, range) = what(n);
                        let got = wire.get(&path, range).unwrap();
                        assert!(got.is_good(), "{path}: {}", got.status);
                        count.fetch_add(1, Ordering::Relaxed);
                        bytes.fetch_add(got.bytes, Ordering::Relaxed);
                        n += 1;
                    }
                });
            }
            let begins = Instant::now();
            let mut written = 0;
            let mut wire = Wire::to(self.port).unwrap();
            while begins.elapsed() < TURN {
                std::thread::sleep(Duration::from_micros(1_000_000 / WRITES));
                if beside.is_some() {
                    wire.get(&self.play(), None).unwrap();
                    written += 1;
                }
            }
            stop.store(true, Ordering::Relaxed);
            written
        });
        let after = self.used();
        let (count, bytes) = (count.into_inner() as f64, bytes.into_inner() as f64);
        let each = |from: f64, until: f64, write: f64| {
            (((until - from) * 1e6 - f64::from(written) * write) / count).max(0.0)
        };
        let round = |value: f64| (value * 10.0).round() / 10.0;
        let beside = beside.copied().unwrap_or_default();
        Cost {
            server_us: round(each(before.0, after.0, beside.server_us)),
            database_us: round(each(before.1, after.1, beside.database_us)),
            first_byte_ms: [0.5, 0.99].map(|part| {
                let at = waits[(waits.len() as f64 * part) as usize];
                (at * 1_000_000.0).round() / 1_000.0
            }),
            bytes: (bytes / count).round(),
        }
    }
}

/// The parent of a process, and the seconds of CPU that it has used.
fn stat(pid: u32) -> Option<(u32, f64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((number(1)? as u32, (number(11)? + number(12)?) / TICKS))
}

/// A connection that stays open.
struct Wire(BufReader<TcpStream>);

/// An answer.
struct Got {
    status: u16,
    /// Seconds to its first byte.
    first_byte: f64,
    /// All of its bytes, the head included.
    bytes: u64,
    body: Vec<u8>,
}

impl Got {
    fn is_good(&self) -> bool {
        let refused = self.body.len() < 4096 && String::from_utf8_lossy(&self.body).contains("\"failed\"");
        matches!(self.status, 200 | 206) && !refused
    }
}

impl Wire {
    fn to(port: u16) -> Option<Self> {
        let socket = TcpStream::connect(("127.0.0.1", port)).ok()?;
        socket.set_nodelay(true).ok()?;
        Some(Self(BufReader::with_capacity(64 * 1024, socket)))
    }

    fn get(&mut self, path: &str, range: Option<(u64, u64)>) -> Option<Got> {
        let range = range.map_or(String::new(), |(first, last)| format!("Range: bytes={first}-{last}\r\n"));
        let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n{range}\r\n");
        let asked = Instant::now();
        self.0.get_mut().write_all(request.as_bytes()).ok()?;
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        let first_byte = asked.elapsed().as_secs_f64();
        let status = line.split_whitespace().nth(1)?.parse().ok()?;
        let (mut length, mut head) = (0, line.len() as u64);
        loop {
            line.clear();
            head += self.0.read_line(&mut line).ok()? as u64;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        Some(Got { status, first_byte, bytes: head + length as u64, body })
    }
}
