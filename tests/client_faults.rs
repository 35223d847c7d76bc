//! The matrix: everything that a network, a portal or a server can do to a track or to a session, one named case after
//! the other, through the real client over real sockets. Each ends in the right bytes or in a sentence that says
//! what is wrong; none crashes, hangs for more than ten seconds, or leaves an entry that verification finds damaged.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests fail by panicking")]

mod client_house;
#[path = "faults/mod.rs"]
mod faults;

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::{Duration, Instant};

use client_house::{House, Player, client, eventually, media, store};
use faults::{Fault, Proxy};
use segue::cache::{Held, Reader, Store, TrackKey};
use segue::client::{Connection, SyncState};
use segue::music::TrackId;

/// How a case may end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// All bytes, and they are right; the entry is whole.
    Bytes,
    /// An error that says this.
    Says(&'static str),
    /// Waiting, with this reason; right bytes when the fault is over.
    Waits(&'static str),
}

/// What is done to the reader.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// From the start to the end.
    Through,
    /// The last bytes first, as decoders do, then all.
    TailFirst,
    /// To the middle first, then all.
    MiddleFirst,
}

use End::{Bytes, Says, Waits};
use Fault::{
    Corrupt, Delay, Drop, Etag, Html, IgnoreIfRange, IgnoreRange, NoEtag, Raw, Reset, Says as Body, Shifted,
    ShortLength, Silence, Stall, StallAfter, Status, Throttle, Truncate, WrongLength, WrongRange,
};
use Way::{MiddleFirst, TailFirst, Through};

const MS: fn(u64) -> Duration = Duration::from_millis;
const XML_ERROR: &str = r#"<subsonic-response xmlns="http://subsonic.org/restapi" status="failed" version="1.16.1"><error code="70" message="not here"/></subsonic-response>"#;
const JSON_ERROR: &str = r#"{"subsonic-response":{"status":"failed","version":"1.16.1","error":{"code":70,"message":"not here"}}}"#;

/// Name, what happens to the requests for the track in turn, how it is read, how it ends.
#[allow(clippy::too_many_lines, reason = "a table, a row a case")]
fn matrix() -> Vec<(&'static str, Vec<Fault>, Way, End)> {
    vec![
        ("nothing", vec![], Through, Bytes),
        ("a late answer", vec![Delay(MS(300))], Through, Bytes),
        ("an answer later than patience", vec![Delay(MS(900))], Through, Bytes),
        ("a thin line", vec![Throttle(400_000)], Through, Bytes),
        ("no answer", vec![Silence], Through, Bytes),
        ("no answer twice", vec![Silence, Silence], Through, Bytes),
        ("a head and no body", vec![Stall], Through, Bytes),
        ("silence in the middle", vec![StallAfter(100_000)], Through, Bytes),
        ("silence after a drop", vec![Reset(50_000), Stall], Through, Bytes),
        ("dropped before the answer", vec![Drop], Through, Bytes),
        ("dropped five times", vec![Drop, Drop, Drop, Drop, Drop], Through, Bytes),
        ("reset at once", vec![Reset(0)], Through, Bytes),
        ("reset after one byte", vec![Reset(1)], Through, Bytes),
        ("reset in the middle", vec![Reset(120_000)], Through, Bytes),
        ("reset three times", vec![Reset(10_000), Reset(10_000), Reset(10_000)], Through, Bytes),
        ("reset, no entity tags", vec![Reset(120_000), NoEtag, NoEtag], Through, Bytes),
        ("truncated at once", vec![Truncate(0)], Through, Bytes),
        ("truncated in the middle", vec![Truncate(120_000)], Through, Bytes),
        ("truncated one byte before the end", vec![Truncate(usize::MAX)], Through, Bytes),
        ("truncated, then reset", vec![Truncate(70_000), Reset(70_000)], Through, Bytes),
        ("a range answered with 200 after a drop", vec![Reset(120_000), IgnoreRange], Through, Bytes),
        (
            "a range answered with 200 after a drop, twice",
            vec![Reset(90_000), IgnoreRange, Reset(50_000), IgnoreRange],
            Through,
            Bytes,
        ),
        (
            "a range answered with 200 that drops",
            vec![Reset(120_000), IgnoreRange, Truncate(10)],
            Through,
            Bytes,
        ),
        ("a wrong range after a drop", vec![Reset(120_000), WrongRange(1)], Through, Bytes),
        ("wrong ranges", vec![Reset(120_000), WrongRange(5000), WrongRange(1)], Through, Bytes),
        ("a range that lies about its place", vec![Reset(120_000), Shifted(33)], Through, Bytes),
        ("a length too great", vec![WrongLength(5000)], Through, Bytes),
        ("a length too small", vec![ShortLength(5000)], Through, Bytes),
        (
            "a length of nothing",
            vec![Raw("HTTP/1.1 200 OK\r\nContent-Type: audio/flac\r\nContent-Length: 0\r\n\r\n")],
            Through,
            Bytes,
        ),
        ("another entity tag before a byte was heard", vec![Etag("\"x\"")], Through, Bytes),
        (
            "another entity tag after a drop",
            vec![Reset(200_000), Etag("\"x\"")],
            Through,
            Says("changed on the server"),
        ),
        ("If-Range is not heard of", vec![Reset(100_000), IgnoreIfRange], Through, Bytes),
        ("429 with Retry-After", vec![Status(429, Some(1))], Through, Bytes),
        ("429 without", vec![Status(429, None)], Through, Bytes),
        ("500", vec![Status(500, None), Status(500, None)], Through, Bytes),
        ("502", vec![Status(502, None)], Through, Bytes),
        ("503 with Retry-After", vec![Status(503, Some(1))], Through, Bytes),
        ("504 after a drop", vec![Reset(100_000), Status(504, None)], Through, Bytes),
        ("404", vec![Status(404, None)], Through, Says("404")),
        ("403", vec![Status(403, None)], Through, Says("403")),
        ("410", vec![Status(410, None)], Through, Says("410")),
        ("416 to the whole", vec![Status(416, None)], Through, Bytes),
        (
            "an error in JSON with status 200",
            vec![Body("application/json", JSON_ERROR)],
            Through,
            Says("not here"),
        ),
        ("an error in XML with status 200", vec![Body("text/xml", XML_ERROR)], Through, Says("not here")),
        ("a portal's page", vec![Html], Through, Bytes),
        ("a portal's page after a drop", vec![Reset(100_000), Html, Html], Through, Bytes),
        ("no HTTP", vec![Raw("SSH-2.0-OpenSSH_9.9\r\n")], Through, Bytes),
        ("half a head", vec![Raw("HTTP/1.1 200 OK\r\nContent-Ty")], Through, Bytes),
        (
            "chunks without sense",
            vec![Raw(
                "HTTP/1.1 200 OK\r\nContent-Type: audio/flac\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
            )],
            Through,
            Bytes,
        ),
        (
            "a Content-Range without sense",
            vec![
                Reset(100_000),
                Raw(
                    "HTTP/1.1 206 Partial Content\r\nContent-Type: audio/flac\r\nContent-Range: bytes banana\r\nContent-Length: 3\r\n\r\nabc",
                ),
            ],
            Through,
            Bytes,
        ),
        (
            "a part of another length",
            vec![
                Reset(100_000),
                Raw(
                    "HTTP/1.1 206 Partial Content\r\nContent-Type: audio/flac\r\nContent-Range: bytes 100000-100002/9\r\nContent-Length: 3\r\n\r\nabc",
                ),
            ],
            Through,
            Bytes,
        ),
        ("other bytes where it resumes", vec![Reset(120_000), Corrupt(0)], Through, Bytes),
        ("the tail first, reset", vec![Throttle(600_000), Reset(5), Reset(100)], TailFirst, Bytes),
        ("the tail first, ranges unknown", vec![IgnoreRange, IgnoreRange, IgnoreRange], TailFirst, Bytes),
        ("the tail first, 500 for the tail", vec![Throttle(600_000), Status(500, None)], TailFirst, Bytes),
        ("the middle first, dropped", vec![Throttle(600_000), Drop, Reset(7)], MiddleFirst, Bytes),
        ("the middle first, ranges unknown", vec![IgnoreRange, IgnoreRange, IgnoreRange], MiddleFirst, Bytes),
        ("gone for good", vec![], Through, Waits("reach")),
        ("a portal for good", vec![], Through, Waits("web page")),
        ("busy for good", vec![], Through, Waits("")),
    ]
}

/// What happens to every request of a case that waits.
fn lasting(name: &str) -> Option<Fault> {
    match name {
        "gone for good" => Some(Drop),
        "a portal for good" => Some(Html),
        "busy for good" => Some(Status(503, None)),
        _ => None,
    }
}

fn read(mut reader: Reader, way: Way, size: u64) -> std::io::Result<Vec<u8>> {
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut run = || {
            let first = match way {
                Through => None,
                TailFirst => Some(size - 100),
                MiddleFirst => Some(size / 2),
            };
            if let Some(at) = first {
                reader.seek(SeekFrom::Start(at))?;
                reader.read_exact(&mut [0; 50])?;
                reader.seek(SeekFrom::Start(0))?;
            }
            let mut all = Vec::new();
            reader.read_to_end(&mut all)?;
            Ok(all)
        };
        let _ = done.send(run());
    });
    wait.recv_timeout(Duration::from_secs(10)).unwrap_or_else(|_| panic!("hung for more than 10 s"))
}

struct Stand {
    house: House,
    proxy: Proxy,
    player: Player,
    track: TrackId,
    bytes: Vec<u8>,
}

async fn stand() -> Stand {
    let house = House::open(&[]).await;
    let file = house.music().join("long.flac");
    media::put(&file, &media::flac(300_000, 3));
    house.scan().await;
    let bytes = std::fs::read(&file).unwrap();
    let proxy = Proxy::start(house.addr).await;
    let player = Player::start(client(&proxy.url(), &house.key)).await;
    player.synced().await;
    let track = player.tracks().await[0].0.clone();
    Stand { house, proxy, player, track, bytes }
}

async fn clean(name: &str, store: &Store) {
    eventually(&format!("{name}: closed"), || async { store.verify().open == 0 }).await;
    assert_eq!(store.verify().damaged, [], "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_ends_in_right_bytes_or_a_clear_state() {
    let stand = stand().await;
    let size = stand.bytes.len() as u64;
    let key = TrackKey::raw(stand.track.clone());
    let cases = matrix();
    assert!(cases.len() >= 40);
    let only = std::env::var("SEGUE_TEST_CASE").ok();
    for (name, faults, way, end) in cases {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let began = Instant::now();
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let faults: Vec<Fault> = faults
            .into_iter()
            .map(|f| if f == Truncate(usize::MAX) { Truncate(stand.bytes.len() - 1) } else { f })
            .collect();
        stand.player.until(name, |s| s.connection.is_up()).await;
        stand.proxy.next(faults);
        let source = stand.player.session.source();
        if let Some(fault) = lasting(name) {
            stand.proxy.always(fault);
        }
        let reader = store.track(&key, Some(size), source, &tokio::runtime::Handle::current()).unwrap();
        if let Waits(why) = end {
            let watcher = reader.watcher();
            eventually(&format!("{name}: says why it waits"), || async {
                watcher.progress().waiting.is_some_and(|w| w.contains(why) && !w.is_empty())
            })
            .await;
            stand.player.until(name, |s| !s.connection.is_up()).await;
            stand.proxy.always(Fault::None);
        }
        let heard = tokio::task::spawn_blocking(move || read(reader, way, size)).await.unwrap();
        match (end, heard) {
            (Bytes | Waits(_), Ok(heard)) => {
                assert!(heard == stand.bytes, "{name}: other bytes, {} of {size}", heard.len());
                eventually(&format!("{name}: whole"), || async { store.held(&key) == Held::Whole }).await;
            }
            (Says(words), Err(error)) => {
                assert!(error.to_string().contains(words), "{name}: {error}");
            }
            (end, heard) => panic!("{name}: {end:?} became {:?}", heard.map(|bytes| bytes.len())),
        }
        stand.proxy.next([]);
        clean(name, &store).await;
        println!("{:>6} ms  {name}", began.elapsed().as_millis());
    }
    drop(stand.house);
}

/// A whole track whose length in the catalog changed is asked about once, plays on as it is, and is new next time.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_replaced_is_noticed_though_it_was_whole_here() {
    let stand = stand().await;
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let key = TrackKey::raw(stand.track.clone());
    let rt = tokio::runtime::Handle::current();
    let open =
        |size: usize| store.track(&key, Some(size as u64), stand.player.session.source(), &rt).unwrap();
    let old = stand.bytes.len();
    let reader = open(old);
    let heard = tokio::task::spawn_blocking(move || read(reader, Through, 0)).await.unwrap().unwrap();
    assert!(heard == stand.bytes);
    eventually("whole", || async { store.held(&key) == Held::Whole }).await;

    let file = stand.house.music().join("long.flac");
    let new = media::flac(310_000, 4);
    std::fs::write(&file, &new).unwrap();
    stand.house.scan().await;
    let now = stand.player.tracks().await;
    assert_eq!(now[0].0, stand.track, "the same track by its path");
    let reader = open(new.len());
    let heard = tokio::task::spawn_blocking(move || read(reader, Through, 0)).await.unwrap().unwrap();
    assert!(heard == stand.bytes, "what is here plays at once");
    eventually("forgotten", || async { store.held(&key) == Held::Nothing }).await;
    let reader = open(new.len());
    let heard = tokio::task::spawn_blocking(move || read(reader, Through, 0)).await.unwrap().unwrap();
    assert!(heard == new, "the new file");
    clean("replaced", &store).await;
}

/// The same for the session: it says what is wrong and is well again when the fault is over.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_the_session_is_said_and_passes() {
    let stand = stand().await;
    let cases: Vec<(&str, Fault, &str)> = vec![
        ("dropped", Drop, "reach"),
        ("portal", Html, "web page"),
        ("500", Status(500, None), "500"),
        ("502", Status(502, None), "502"),
        ("503 with Retry-After", Status(503, Some(1)), "503"),
        ("404", Status(404, None), "404"),
        ("no HTTP", Raw("220 smtp ready\r\n"), ""),
        ("half a head", Raw("HTTP/1.1 200"), ""),
        ("JSON that breaks off", Body("application/json", r#"{"subsonic-response":{"status":"o"#), ""),
        ("JSON of something else", Body("application/json", r#"{"hello":1}"#), ""),
        ("nothing", Body("application/json", ""), ""),
        (
            "a refused login",
            Body(
                "application/json",
                r#"{"subsonic-response":{"status":"failed","version":"1.16.1","error":{"code":40,"message":"Wrong username or password"}}}"#,
            ),
            "login",
        ),
    ];
    for (name, fault, words) in cases {
        stand.proxy.always(fault);
        let status = stand
            .player
            .until(name, |s| matches!(&s.connection, Connection::Offline { why, .. } if why.contains(words)))
            .await;
        let Connection::Offline { why, .. } = status.connection else { unreachable!() };
        assert!(
            why.len() > 10 && !why.contains("apiKey") && !why.contains(&stand.house.key),
            "{name}: {why}"
        );
        println!("{name}: {why}");
        stand.proxy.always(Fault::None);
        stand.player.until(name, |s| s.connection.is_up()).await;
        stand.player.until(name, |s| matches!(s.sync, SyncState::Idle { at: Some(_) })).await;
    }
    stand.proxy.always(Delay(MS(1600)));
    stand.player.until("slow", |s| s.connection == Connection::Slow).await;
    stand.proxy.always(Fault::None);
    stand.player.until("good again", |s| s.connection == Connection::Online).await;
    assert_eq!(stand.player.tracks().await.len(), 1);
    let _ = Arc::new(stand);
}
