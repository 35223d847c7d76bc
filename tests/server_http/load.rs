//! What a server puts off when it has much to do, and in which order; and that who listens hears nothing of it.

use std::time::Duration;

use segue::server::{Level, Meter, Net, Readings, World};
use serde_json::Value;

use crate::house::{House, config, furnish, long_song};

struct Busy {
    house: House,
    meter: Meter,
}

impl Busy {
    async fn open(net: Net) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let music = folder.path().join("music");
        furnish(&music);
        long_song(&music.join("long.wav"), 40_000_000);
        let meter = Meter::by_hand();
        let world = World { load: meter.clone(), ..World::default() };
        let config = segue::server::Config { net, ..config(&folder) };
        let house = House::start_in(folder, config, world).await;
        house.server.as_ref().unwrap().first_scan().await;
        Self { house, meter }
    }

    async fn text(&self, path: &str) -> (u16, String) {
        let reply = self.house.http.get(format!("{}{path}", self.house.base)).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    }

    /// Sets how near the limit is, and waits until the server says that it has the level.
    async fn press(&self, pressure: f64, level: Level) {
        self.meter.set(Readings { streams: pressure, ..Readings::default() });
        let line = format!("segue_load_level {}", level as u8);
        for _ in 0..200 {
            if self.text("/metrics").await.1.lines().any(|known| known == line) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never came to {level:?}: {}", self.text("/metrics").await.1);
    }

    async fn figure(&self, line: &str) -> u64 {
        let text = self.text("/metrics").await.1;
        let found = text.lines().find_map(|known| known.strip_prefix(line)?.trim().parse().ok());
        found.unwrap_or(0)
    }

    /// Each client is a listener of its own.
    fn url(&self, endpoint: &str, params: &[(&str, &str)]) -> String {
        let mut all = vec![("apiKey", self.house.key.as_str()), ("v", "1.16.1")];
        all.extend_from_slice(params);
        if params.iter().all(|(name, _)| *name != "c") {
            all.push(("c", "test"));
        }
        self.house.url(endpoint, &all)
    }

    async fn get(&self, endpoint: &str, params: &[(&str, &str)], range: Option<&str>) -> reqwest::Response {
        let mut request = self.house.http.get(self.url(endpoint, params));
        if let Some(range) = range {
            request = request.header("range", range);
        }
        request.send().await.unwrap()
    }
}

fn titles(found: &Value) -> Vec<&str> {
    let songs = found["searchResult3"]["song"].as_array();
    songs.into_iter().flatten().filter_map(|song| song["title"].as_str()).collect()
}

/// A refusal for want of room: a status that balancers and clients know, a time, and an envelope with a sentence.
async fn refused(reply: reqwest::Response) -> u64 {
    assert_eq!(reply.status(), 503);
    let wait = reply.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let text = reply.text().await.unwrap();
    assert!(text.contains("status=\"failed\"") && text.contains("much to do"), "{text}");
    wait
}

#[tokio::test]
async fn recommendations_go_first_then_ranking_then_jobs_then_new_streams() {
    let busy = Busy::open(Net::default()).await;
    let (one, long) = (busy.house.song("One").await, busy.house.song("Long").await);
    let mistyped = [("query", "frist lihgt"), ("songCount", "20")];
    let similar = [("id", one.as_str())];
    assert_eq!(busy.text("/readyz").await, (200, "ready\n".to_owned()));
    assert_eq!(busy.get("getSimilarSongs2", &similar, None).await.status(), 200);
    assert!(!titles(&busy.house.json("search3", &mistyped).await).is_empty(), "what is mistyped is found");
    // Somebody listens all the time.
    let mut stream = busy.get("stream", &[("id", &long), ("c", "listener")], None).await;
    let mut heard = stream.chunk().await.unwrap().unwrap().len();

    busy.press(0.8, Level::NoRecommendations).await;
    assert_eq!(refused(busy.get("getSimilarSongs2", &similar, None).await).await, 30);
    refused(busy.get("getSonicSimilarTracks", &similar, None).await).await;
    assert!(!titles(&busy.house.json("search3", &mistyped).await).is_empty());
    let ready = busy.text("/readyz").await;
    assert!(ready.0 == 200 && ready.1.contains("recommendations"), "{ready:?}");

    busy.press(0.9, Level::PlainSearch).await;
    let other = [("query", "seocnd lihgt"), ("songCount", "20")];
    assert!(titles(&busy.house.json("search3", &other).await).is_empty(), "only what is typed");
    let typed = busy.house.json("search3", &[("query", "fir lig"), ("songCount", "20")]).await;
    assert_eq!(titles(&typed).len(), 3, "{typed}");
    assert!(busy.figure("segue_put_off_total{what=\"search ranking\"}").await >= 2);
    // A list that nobody searched is as ever.
    let albums = busy.house.json("getAlbumList2", &[("type", "newest")]).await;
    assert_eq!(albums["albumList2"]["album"].as_array().unwrap().len(), 3);

    busy.press(0.97, Level::NoJobs).await;
    busy.house.json("startScan", &[]).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let status = busy.house.json("getScanStatus", &[]).await;
    assert_eq!(status["scanStatus"]["scanning"], true, "it waits: {status}");
    assert_eq!(busy.figure("segue_scanning").await, 1);
    let new = busy.get("stream", &[("id", &one), ("c", "another")], None).await;
    assert_eq!(new.status(), 200, "who wants to listen still may");

    busy.press(1.2, Level::NoNewStreams).await;
    let wait = refused(busy.get("stream", &[("id", &one), ("c", "newcomer")], None).await).await;
    assert!((5..10).contains(&wait), "{wait}");
    refused(busy.get("download", &[("id", &one), ("c", "newcomer")], None).await).await;
    assert_eq!(busy.figure("segue_put_off_total{what=\"streams\"}").await, 2);
    // Who listens goes on: the next song, and the next piece of one; a piece that another process began to send as well.
    assert_eq!(busy.get("stream", &[("id", &one), ("c", "listener")], None).await.status(), 200);
    let piece = busy.get("stream", &[("id", &long), ("c", "moved")], Some("bytes=1000-1999")).await;
    assert_eq!((piece.status().as_u16(), piece.bytes().await.unwrap().len()), (206, 1000));
    assert_eq!(busy.house.json("getSong", &[("id", &one)]).await["status"], "ok", "and answers are given");

    // All of it comes back, step by step, and what waited is done.
    busy.press(0.0, Level::Calm).await;
    assert_eq!(busy.get("stream", &[("id", &one), ("c", "newcomer")], None).await.status(), 200);
    assert_eq!(busy.get("getSimilarSongs2", &similar, None).await.status(), 200);
    assert!(!titles(&busy.house.json("search3", &other[..]).await).is_empty(), "nothing poor was kept");
    for _ in 0..200 {
        if busy.house.json("getScanStatus", &[]).await["scanStatus"]["scanning"] == false {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(busy.house.json("getScanStatus", &[]).await["scanStatus"]["scanning"], false);
    while let Some(chunk) = stream.chunk().await.unwrap() {
        heard += chunk.len();
    }
    assert!(heard > 40_000_000, "who listened heard all of it: {heard}");
    busy.house.close().await;
}

#[tokio::test]
async fn there_are_so_many_seats_and_who_has_one_keeps_it() {
    let busy = Busy::open(Net { most_streams: 2, ..Net::default() }).await;
    let (one, long) = (busy.house.song("One").await, busy.house.song("Long").await);
    let first = busy.get("stream", &[("id", &long), ("c", "first")], None).await;
    let second = busy.get("stream", &[("id", &long), ("c", "second")], None).await;
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    refused(busy.get("stream", &[("id", &one), ("c", "third")], None).await).await;
    assert_eq!(busy.get("stream", &[("id", &one), ("c", "first")], None).await.status(), 200);
    // A look at what a song is takes no seat.
    let url = busy.url("stream", &[("id", &one), ("c", "third")]);
    assert_eq!(busy.house.http.head(url).send().await.unwrap().status(), 200);
    assert_eq!(busy.figure("segue_listeners").await, 2);
    drop(second);
    refused(busy.get("stream", &[("id", &one), ("c", "third")], None).await).await;
    busy.house.close().await;
}

#[tokio::test]
async fn told_to_end_it_is_not_ready_at_once_and_serves_until_everybody_went_elsewhere() {
    let net = Net { drain: Duration::from_secs(2), grace: Duration::from_secs(20), ..Net::default() };
    let mut busy = Busy::open(net).await;
    let long = busy.house.song("Long").await;
    let mut stream = busy.get("stream", &[("id", &long)], None).await;
    let length = stream.content_length().unwrap() as usize;
    let mut heard = stream.chunk().await.unwrap().unwrap().len();
    let ending = tokio::spawn(busy.house.server.take().unwrap().shutdown());
    tokio::time::sleep(Duration::from_millis(200)).await;
    // A connection of its own, as a balancer's probe has it.
    let probe = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let ready = probe.get(format!("{}/readyz", busy.house.base)).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.text().await.unwrap(), "ending\n");
    let piece = busy.get("stream", &[("id", &long)], Some("bytes=0-99")).await;
    assert_eq!(piece.status(), 206, "who did not hear of it yet is served");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(probe.get(format!("{}/healthz", busy.house.base)).send().await.is_err(), "nobody new comes in");
    assert!(!ending.is_finished(), "the stream still runs");
    while let Some(chunk) = stream.chunk().await.unwrap() {
        heard += chunk.len();
    }
    assert_eq!(heard, length, "no stream is dropped");
    ending.await.unwrap();
}
