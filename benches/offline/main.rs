//! `make bench NAME=offline`: what it costs to know a large library by heart.
//!
//! A server process of ours has 100,000 tracks (rows written into its catalog; a sync reads no files). The player's
//! process copies them over loopback with `segue sync`: wall time, and the peak of its resident memory as the
//! kernel counts it (`VmHWM`). Then the player is started again in a pseudo-terminal, before a server that accepts
//! connections and never answers: the time to rows of the library on the screen shows that it waits for nobody.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_wrap,
    missing_docs,
    unreachable_pub,
    reason = "a bench fails by panicking"
)]

#[path = "../goals/mod.rs"]
mod goals;
#[path = "../../tests/program/mod.rs"]
mod program;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ExitCode, Stdio};
use std::time::{Duration, Instant};

use goals::{Goals, median};
use program::{Home, PATIENCE, Process, Terminal};
use segue::catalog::{Batch, Catalog};
use segue::music::{Album, Artist, ArtistRef, Marks, ReplayGain, Track};

const TRACKS: usize = 100_000;
const ALBUMS: usize = 8_000;
const ARTISTS: usize = 2_500;
const PASSWORD: &str = "bench";
/// Runs of which the median counts.
const RUNS: usize = 3;

fn main() -> ExitCode {
    let mut goals = Goals::default();
    let server = Server::start();
    let mut times = Vec::new();
    let mut peaks = Vec::new();
    let mut home = Home::new();
    for _ in 0..RUNS {
        home = Home::new();
        let (time, peak) = sync(&home, &server, true);
        times.push(time);
        peaks.push(peak);
    }
    let how = "segue sync over loopback, median of 3";
    let (time, peak) = (median(times), median(peaks));
    goals.row(time <= 20.0, "first sync of 100,000 tracks", &format!("{time:.1} s"), "<= 20 s", how);
    goals.row(peak < 150.0, "memory while it syncs, peak", &format!("{peak:.0} MB"), "< 150 MB", how);
    let again = median((0..RUNS).map(|_| sync(&home, &server, false).0).collect());
    let part = again / time;
    goals.row(
        part <= 0.25,
        "second sync, nothing new",
        &format!("{again:.2} s, {part:.2} of the first"),
        "<= 0.25 of the first",
        how,
    );
    second_start(&mut goals, &home, server);
    goals.end()
}

/// Seconds and the peak of resident memory in MB.
fn sync(home: &Home, server: &Server, whole: bool) -> (f64, f64) {
    let began = Instant::now();
    let mut child = home
        .command(&["sync", "--server", &server.url(), "--user", "admin"])
        .env("SEGUE_PASSWORD", PASSWORD)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut peak = 0.0;
    let status = loop {
        peak = resident_peak(&child).unwrap_or(peak);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < 10 * PATIENCE, "the sync does not end");
        std::thread::sleep(Duration::from_millis(10));
    };
    let took = began.elapsed().as_secs_f64();
    assert!(status.success(), "the sync failed");
    let said = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
    assert!(said.starts_with(&format!("{TRACKS} tracks")), "{said} {whole}");
    (took, peak)
}

/// The most memory that was resident, in MB; `None` when the process is over.
fn resident_peak(child: &Child) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1000.0)
}

/// The server is replaced by one that takes connections and says nothing.
fn second_start(goals: &mut Goals, home: &Home, server: Server) {
    let (address, url) = (server.address, server.url());
    drop(server);
    let mute = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((socket, _)) = mute.accept() {
            held.push(socket);
        }
    });
    let args = ["--server", url.as_str(), "--user", "admin", "--output", "silent"];
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        let mut terminal = Terminal::start(home, &args, &[("SEGUE_PASSWORD", PASSWORD)], (100, 30));
        terminal.wait_for("Album 79");
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        terminal.keys("g");
        terminal.keys("l");
        terminal.wait_for("Artist 0");
        drop(terminal);
    }
    let ms = median(times);
    goals.row(
        ms <= 1000.0,
        "second start to rows on the screen, mute server",
        &format!("{ms:.0} ms"),
        "<= 1 s, without waiting",
        "pseudo-terminal, server accepts and never answers",
    );
}

struct Server {
    address: SocketAddr,
    _home: Home,
    _process: Process,
}

impl Server {
    fn start() -> Self {
        let home = Home::new();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (music, data) = (home.path().join("music"), home.path().join("server"));
        std::fs::create_dir_all(&music).unwrap();
        std::fs::create_dir_all(&data).unwrap();
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let catalog = Catalog::open(&segue::server::catalog_file(&data)).await.unwrap();
            for batch in library() {
                catalog.apply(&batch).await.unwrap();
            }
            catalog.prune().await.unwrap();
        });
        let (music, data) = (music.to_str().unwrap(), data.to_str().unwrap());
        let process = home
            .command(&["serve", "--music", music, "--data", data, "--listen", &address.to_string()])
            .env("SEGUE_ADMIN_PASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < end, "the server did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { address, _home: home, _process: Process(process) }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// The whole library in batches.
fn library() -> impl Iterator<Item = Batch> {
    let artists: Vec<Artist> = (0..ARTISTS)
        .map(|n| Artist {
            id: format!("ar-{n:032x}").into(),
            name: format!("Artist {n}"),
            sort_name: format!("Artist {n:05}"),
            album_count: 0,
            cover: None,
            musicbrainz_id: None,
            roles: Vec::new(),
            marks: Marks::default(),
        })
        .collect();
    let albums: Vec<Album> = (0..ALBUMS).map(album).collect();
    let tracks: Vec<Track> = (0..TRACKS).map(track).collect();
    let first = Batch { artists, albums, tracks: Vec::new() };
    let rest: Vec<Batch> = tracks
        .chunks(2_000)
        .map(|tracks| Batch { artists: Vec::new(), albums: Vec::new(), tracks: tracks.to_vec() })
        .collect();
    std::iter::once(first).chain(rest)
}

fn artist_of(album: usize) -> ArtistRef {
    let n = album % ARTISTS;
    ArtistRef { id: format!("ar-{n:032x}").into(), name: format!("Artist {n}") }
}

fn album(n: usize) -> Album {
    let artist = artist_of(n);
    Album {
        id: format!("al-{n:032x}").into(),
        title: format!("Album {n:04} of small hours"),
        artist: artist.name.clone(),
        artists: vec![artist],
        year: Some(1960 + (n % 66) as i32),
        genres: vec![format!("Genre {}", n % 40)],
        track_count: 0,
        duration_ms: 0,
        cover: None,
        compilation: false,
        musicbrainz_id: None,
        added_at: 1_700_000_000_000 + n as i64,
        details: segue::music::AlbumDetails::default(),
        marks: Marks::default(),
    }
}

fn track(n: usize) -> Track {
    let album_number = n % ALBUMS;
    let Album { id, title: album, artist, artists, year, genres, .. } = album(album_number);
    Track {
        id: format!("tr-{n:032x}").into(),
        title: format!("Title {n} and what it means"),
        album_id: Some(id),
        album,
        album_artist: artist.clone(),
        artist,
        artists,
        disc: Some(1),
        number: Some((n / ALBUMS) as u32 + 1),
        year,
        genres,
        duration_ms: 180_000 + (n % 120) as u64 * 1000,
        size: 25_000_000,
        suffix: "flac".into(),
        content_type: "audio/flac".into(),
        bit_rate: Some(950),
        sample_rate: Some(44_100),
        bit_depth: Some(16),
        channels: Some(2),
        replay_gain: ReplayGain {
            track_gain: Some(-7.5),
            album_gain: Some(-7.0),
            track_peak: Some(0.99),
            album_peak: Some(1.0),
        },
        cover: None,
        musicbrainz_id: None,
        added_at: 1_700_000_000_000 + album_number as i64,
        details: segue::music::TrackDetails::default(),
        marks: Marks::default(),
    }
}
