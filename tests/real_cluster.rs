//! Many processes beside one database and one store. Some tests have several servers in this process over one PostgreSQL; the last one has
//! three of the real binary behind nginx, five hundred listeners, and everything that a night can bring. Run by `.ci/run`.

#![cfg(feature = "cloud")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod cluster;
#[path = "common/postgres.rs"]
mod postgres;
mod program;
mod stores;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cluster::swarm::{self, PACE, SONG, SOUND, Swarm};
use cluster::{Balancer, Server as Outside};
use lofty::config::WriteOptions;
use lofty::tag::{Accessor as _, Tag, TagExt as _, TagType};
use postgres::Postgres;
use program::{installed, skip};
use segue::catalog::Catalog;
use segue::server::{Clock, Config, Net, Pace, Server, World, accounts};
use serde_json::Value;
use stores::{Kind, Store, until};
use tokio::task::block_in_place;

/// A WAV file of 8-bit sound at so many samples a second, which differs with the number; tagged.
fn song(file: &Path, title: &str, rate: u32, seconds: u32, number: u32) {
    let length = rate * seconds;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    for field in [rate, rate] {
        wav.extend(field.to_le_bytes());
    }
    wav.extend(b"\x01\0\x08\0data");
    wav.extend(length.to_le_bytes());
    let mut state = number.wrapping_mul(2_654_435_761) | 1;
    wav.extend((0..length).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    }));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, wav).unwrap();
    let mut tag = Tag::new(TagType::Id3v2);
    tag.set_title(title.to_owned());
    tag.set_artist("The Swarm".to_owned());
    tag.set_album("Night".to_owned());
    tag.save_to_path(file, WriteOptions::default()).unwrap();
}

fn quick() -> Pace {
    Pace {
        settle: Duration::from_millis(100),
        mixes: Duration::from_millis(500),
        tidy: Duration::from_millis(500),
        lease: Duration::from_secs(2),
        ..Pace::default()
    }
}

/// Several servers of this process, as processes of one's own would be: each with its own data folder and its own connections.
struct Fleet {
    servers: Vec<Server>,
    folder: tempfile::TempDir,
    address: String,
    catalog: Catalog,
    http: reqwest::Client,
    key: String,
    clock: Clock,
}

impl Fleet {
    async fn of(postgres: &Postgres, name: &str, count: usize) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=3 {
            song(
                &folder.path().join(format!("music/{number}.wav")),
                &format!("Song {number}"),
                8000,
                8,
                number,
            );
        }
        let address = format!("{}?pool_size=6", postgres.database(name));
        let catalog = Catalog::open_at(&address.parse().unwrap()).await.unwrap();
        let clock = Clock::by_hand(jiff::Timestamp::now().as_millisecond());
        let mut fleet = Self {
            servers: Vec::new(),
            folder,
            address,
            catalog,
            http: reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap(),
            key: String::new(),
            clock,
        };
        for _ in 0..count {
            fleet.add().await;
        }
        fleet.key = accounts::new_api_key(&fleet.catalog, accounts::ADMIN_NAME, "test").await.unwrap();
        fleet
    }

    async fn add(&mut self) {
        let config = Config {
            music: vec![self.folder.path().join("music")],
            database: self.address.parse().unwrap(),
            data: self.folder.path().join(format!("data{}", self.servers.len())),
            listen: "127.0.0.1:0".parse().unwrap(),
            watch: true,
            net: Net::default(),
            keep: segue::server::privacy::Keep::default(),
            stores: segue::server::Stores::default(),
        };
        let world = World { pace: quick(), clock: self.clock.clone(), ..World::default() };
        let server = Server::start_in(config, world).await.unwrap();
        server.first_scan().await;
        self.servers.push(server);
    }

    fn url(&self, server: usize, endpoint: &str, key: &str, params: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("v", "1.16.1").append_pair("f", "json");
        if !key.is_empty() {
            query.append_pair("apiKey", key);
        }
        if params.iter().all(|(name, _)| *name != "c") {
            query.append_pair("c", "test");
        }
        let query = query.extend_pairs(params).finish();
        format!("http://{}/rest/{endpoint}?{query}", self.servers[server].addr())
    }

    async fn ask(&self, server: usize, endpoint: &str, key: &str, params: &[(&str, &str)]) -> Value {
        let reply = self.http.get(self.url(server, endpoint, key, params)).send().await.unwrap();
        let mut answer: Value = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
        answer["subsonic-response"].take()
    }

    async fn json(&self, server: usize, endpoint: &str, params: &[(&str, &str)]) -> Value {
        self.ask(server, endpoint, &self.key, params).await
    }

    async fn songs(&self, server: usize) -> Vec<String> {
        let found = self.json(server, "search3", &[("query", ""), ("songCount", "50")]).await;
        let songs = found["searchResult3"]["song"].as_array().cloned().unwrap_or_default();
        songs.iter().map(|song| song["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn end(self) {
        for server in self.servers {
            server.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_done_by_one_and_taken_over() {
    let Some(postgres) = Postgres::start() else { return };
    let mut fleet = Fleet::of(&postgres, "jobs", 3).await;
    let sql = |text: &str| postgres.sql("jobs", text);
    assert_eq!(sql("SELECT count(*) FROM tracks"), "3", "each file once, whoever read it");
    let holder = || sql("SELECT holder || ' ' || epoch FROM leases WHERE name = 'taste' AND until_at > 0");
    until("somebody learns", async || !holder().is_empty()).await;
    let first = holder();
    until("somebody tidies up", async || {
        sql("SELECT count(*) FROM leases WHERE name = 'tidy' AND served_at > 0") == "1"
    })
    .await;
    let heard = "SELECT count(*) FROM sonic";
    until("the tracks are heard", async || sql(heard) == "3").await;

    // What one finds, all tell of.
    song(&fleet.folder.path().join("music/4.wav"), "Song 4", 8000, 5, 4);
    fleet.json(1, "startScan", &[]).await;
    until("it is found", async || fleet.songs(2).await.len() == 4).await;
    until("no scan runs", async || {
        fleet.json(2, "getScanStatus", &[]).await["scanStatus"]["scanning"] == false
    })
    .await;
    let said = [fleet.json(0, "getScanStatus", &[]).await, fleet.json(2, "getScanStatus", &[]).await];
    assert_eq!(said[0]["scanStatus"]["count"], said[1]["scanStatus"]["count"], "{said:?}");
    assert_eq!(sql("SELECT count(*) FROM tracks"), "4");

    // Who ends in order gives its turns back; somebody else has them soon. Who learns must be among those who end sooner or later.
    let mut seen = vec![first.split(' ').next().unwrap().to_owned()];
    while fleet.servers.len() > 1 {
        fleet.servers.remove(0).shutdown().await;
        until("somebody learns", async || !holder().is_empty()).await;
        seen.push(holder().split(' ').next().unwrap().to_owned());
    }
    seen.dedup();
    assert!(seen.len() > 1, "it went from one to another: {seen:?}");

    // A turn that somebody died with is taken over when it runs out, and not before.
    sql("UPDATE leases SET holder = 'the dead', epoch = epoch + 1, \
         until_at = CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + 1500 WHERE name IN ('taste', 'scan')");
    let died = Instant::now();
    until("it is taken over", async || !holder().starts_with("the dead")).await;
    assert!(died.elapsed() > Duration::from_secs(1));
    until("and the scan is made good", async || {
        sql("SELECT holder FROM leases WHERE name = 'scan'") != "the dead"
    })
    .await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_knows_all_know() {
    let Some(postgres) = Postgres::start() else { return };
    let fleet = Fleet::of(&postgres, "knows", 2).await;
    let ann = accounts::add(&fleet.catalog, "ann", "sesame", false).await.unwrap();
    let key = accounts::new_api_key(&fleet.catalog, "ann", "phone").await.unwrap();
    let songs = fleet.songs(0).await;

    // A player that tells one process what it plays, and another one that it stopped, has played.
    let playing = [("mediaId", songs[0].as_str()), ("mediaType", "song"), ("c", "phone")];
    let with = |more: &[(&'static str, &'static str)]| [&playing[..], more].concat();
    fleet.ask(0, "reportPlayback", &key, &with(&[("state", "starting"), ("positionMs", "0")])).await;
    for server in 0..2 {
        let now = fleet.json(server, "getNowPlaying", &[]).await;
        let entry = &now["nowPlaying"]["entry"][0];
        assert_eq!(
            (&entry["id"], &entry["username"]),
            (&Value::from(songs[0].as_str()), &Value::from("ann")),
            "{now}"
        );
    }
    let stopped =
        fleet.ask(1, "reportPlayback", &key, &with(&[("state", "stopped"), ("positionMs", "7000")])).await;
    assert_eq!(stopped["status"], "ok", "{stopped}");
    assert_eq!(postgres.sql("knows", "SELECT count(*) FROM plays"), "1");
    assert!(
        fleet.json(0, "getNowPlaying", &[]).await["nowPlaying"]["entry"].as_array().is_none_or(Vec::is_empty)
    );

    // One player at a time is one player at a time.
    let plan = segue::music::Plan { name: "one".to_owned(), streams: 1, ..segue::music::Plan::default() };
    fleet.catalog.put_plan(&plan).await.unwrap();
    fleet.catalog.give_plan(&ann, "one", 0, None).await.unwrap();
    let listen = async |server: usize, player: &'static str| {
        let url = fleet.url(server, "stream", &key, &[("id", songs[1].as_str()), ("c", player)]);
        let reply = fleet.http.get(url).header("range", "bytes=0-99").send().await.unwrap();
        let status = reply.status().as_u16();
        (status, String::from_utf8_lossy(&reply.bytes().await.unwrap()).into_owned())
    };
    assert_eq!(listen(0, "phone").await.0, 206);
    assert_eq!(listen(1, "phone").await.0, 206, "the same player at another process");
    let (status, said) = listen(1, "laptop").await;
    assert!(status == 200 && said.contains("phone") && said.contains("\"code\":50"), "{status} {said}");
    fleet.clock.set(fleet.clock.now() + 61_000);
    assert_eq!(listen(1, "laptop").await.0, 206);

    // A key that is revoked is good for nothing with the next request, wherever that goes.
    assert_eq!(fleet.ask(0, "ping", &key, &[]).await["status"], "ok");
    assert_eq!(fleet.ask(1, "ping", &key, &[]).await["status"], "ok");
    let known = accounts::credentials(&fleet.catalog, "ann").await.unwrap();
    accounts::revoke(&fleet.catalog, "ann", &known[0].id).await.unwrap();
    for server in 0..2 {
        assert_eq!(fleet.ask(server, "ping", &key, &[]).await["error"]["code"], 44);
    }

    // Ten wrong passwords are ten, however they are spread.
    let guess = async |server: usize| {
        let url = fleet.url(server, "ping", "", &[("u", "ann"), ("p", "wrong")]);
        fleet.http.get(url).send().await.unwrap().status().as_u16()
    };
    let mut statuses = Vec::new();
    for n in 0..12 {
        statuses.push(guess(n % 2).await);
    }
    assert_eq!(statuses, [[200; 10].as_slice(), &[429; 2]].concat());
    let kept = postgres.sql("knows", "SELECT string_agg(who, ' ') FROM failed_logins");
    assert!(!kept.contains("ann") && !kept.contains("127.0.0"), "{kept}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_may_change_the_schema_meanwhile() {
    let Some(postgres) = Postgres::start() else { return };
    let fleet = Fleet::of(&postgres, "rolling", 1).await;
    let accounts = |answer: &Value| answer["users"]["user"].as_array().map_or(0, Vec::len);
    // On every connection, so that none is new.
    let many = async || {
        let asked = (0..24).map(|_| fleet.json(0, "getUsers", &[]));
        futures_util::future::join_all(asked).await
    };
    assert!(many().await.iter().all(|answer| accounts(answer) == 1));
    for change in ["ADD COLUMN later BIGINT", "ADD COLUMN still_later TEXT", "DROP COLUMN later"] {
        postgres.sql("rolling", &format!("ALTER TABLE accounts {change}"));
        for answer in many().await {
            assert_eq!(accounts(&answer), 1, "{change}: {answer}");
        }
    }
    // In transactions as well.
    let songs = fleet.songs(0).await;
    assert_eq!(fleet.json(0, "scrobble", &[("id", &songs[0]), ("time", "1000")]).await["status"], "ok");
    postgres.sql("rolling", "ALTER TABLE tracks ADD COLUMN later BIGINT");
    postgres.sql("rolling", "ALTER TABLE tracks ALTER COLUMN duration_ms TYPE INTEGER");
    assert_eq!(fleet.json(0, "scrobble", &[("id", &songs[0]), ("time", "2000")]).await["status"], "ok");
    assert_eq!(postgres.sql("rolling", "SELECT count(*) FROM plays"), "2");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_goes_on_listening_without_the_database() {
    let Some(postgres) = Postgres::start() else { return };
    let fleet = Fleet::of(&postgres, "without", 1).await;
    let songs = fleet.songs(0).await;
    let piece = async |song: &str, key: &str, from: u64| {
        let url = fleet.url(0, "stream", key, &[("id", song), ("c", "player")]);
        let range = format!("bytes={from}-{}", from + 999);
        let reply = fleet.http.get(url).header("range", range).send().await.unwrap();
        (reply.status().as_u16(), reply.headers().get("retry-after").is_some(), reply.bytes().await.unwrap())
    };
    let before = piece(&songs[0], &fleet.key, 5_000).await;
    assert_eq!(before.0, 206);
    postgres.down();
    let down = Instant::now();
    let during = piece(&songs[0], &fleet.key, 5_000).await;
    assert_eq!((during.0, &during.2), (206, &before.2), "the same bytes");
    let told = fleet.json(0, "getAlbumList2", &[("type", "newest")]).await;
    assert_eq!(told["status"], "failed", "{told}");
    assert!(told["error"]["message"].as_str().unwrap().contains("database does not answer"), "{told}");
    // Nobody has heard this one.
    let (status, again, _) = piece(&songs[1], &fleet.key, 5_000).await;
    assert_eq!((status, again), (503, true), "nobody knows whether that one may be heard");
    let (status, _, _) = piece(&songs[0], "segue_made_up", 5_000).await;
    assert_eq!(status, 503, "nor who that is");
    // Left alone after some failures, it is not waited for each time.
    for _ in 0..3 {
        fleet.json(0, "getAlbumList2", &[("type", "newest")]).await;
    }
    let asked = Instant::now();
    for _ in 0..20 {
        assert_eq!(piece(&songs[0], &fleet.key, 7_000).await.0, 206);
    }
    println!("20 pieces without the database in {:?}, {:?} after it went", asked.elapsed(), down.elapsed());
    postgres.up();
    until("it comes back by itself", async || {
        fleet.json(0, "getAlbumList2", &[("type", "newest")]).await["status"] == "ok"
    })
    .await;
    fleet.end().await;
}

/// What happens in the night, with the second at which it does.
struct Night {
    began: Instant,
    log: Mutex<Vec<String>>,
}

impl Night {
    fn says(&self, what: &str) {
        let line = format!("{:5.1} s  {what}", self.began.elapsed().as_secs_f64());
        println!("{line}");
        self.log.lock().unwrap().push(line);
    }

    async fn until(&self, second: u64) {
        let at = self.began + Duration::from_secs(second);
        tokio::time::sleep(at.saturating_duration_since(Instant::now())).await;
    }
}

const LISTENERS: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[allow(clippy::too_many_lines, reason = "one night")]
async fn a_night_of_three_processes_and_five_hundred_listeners() {
    let Some(postgres) = Postgres::start() else { return };
    let Some(nginx) = installed("nginx")
        .or_else(|| Some("/usr/sbin/nginx".into()).filter(|file: &std::path::PathBuf| file.is_file()))
    else {
        return skip("nginx");
    };
    let Ok(azure) = std::env::var("SEGUE_TEST_AZURE") else {
        return skip("Azurite (SEGUE_TEST_AZURE names its address)");
    };
    let store = Store::named(Kind::Azure, &azure, None).await;
    let folder = tempfile::tempdir().unwrap();
    for number in 1..=24 {
        song(
            &folder.path().join(format!("{number}.wav")),
            &format!("Song {number}"),
            PACE as u32,
            SONG as u32,
            number,
        );
    }
    store.upload(folder.path(), "lib").await;
    let address = postgres.database("night");
    let mut servers: Vec<Outside> =
        (0..3).map(|_| Outside::new(&address, &store.address("lib"), store.environment())).collect();
    let night = Night { began: Instant::now(), log: Mutex::default() };
    servers[0].start();
    let catalog = Catalog::open_at(&format!("{address}?pool_size=4").parse().unwrap()).await.unwrap();
    until("the store is scanned", async || catalog.stats().await.unwrap().tracks == 24).await;
    for server in &mut servers[1..] {
        server.start();
    }
    let mut keys = vec![accounts::new_api_key(&catalog, accounts::ADMIN_NAME, "swarm").await.unwrap()];
    for number in 1..20 {
        let name = format!("listener {number}");
        accounts::add(&catalog, &name, "sesame", false).await.unwrap();
        keys.push(accounts::new_api_key(&catalog, &name, "swarm").await.unwrap());
    }
    let mut songs = Vec::new();
    let view = catalog.listener(&"".into());
    for track in view.tracks_by(segue::catalog::TrackOrder::Title, segue::music::Window::ALL).await.unwrap() {
        let number = track.title.rsplit(' ').next().unwrap();
        let bytes = std::fs::read(folder.path().join(format!("{number}.wav"))).unwrap();
        // The sound is not the last of the file: tags are.
        let data = bytes.windows(4).position(|word| word == b"data").unwrap() + 8;
        let bytes = bytes[..data + usize::try_from(SOUND).unwrap()].to_vec();
        songs.push(swarm::Song { id: track.id.as_str().to_owned(), bytes });
    }
    let ports: Vec<u16> = servers.iter().map(|server| server.port).collect();
    let balancer = Balancer::before(&nginx, &ports);
    let sql = |text: &str| postgres.sql("night", text);
    let holder = || sql("SELECT holder || ' ' || epoch FROM leases WHERE name = 'taste' AND until_at > 0");
    until("somebody learns", async || !holder().is_empty()).await;
    night.says("three processes serve behind a balancer");

    let swarm = Arc::new(Swarm {
        balancer: balancer.address,
        songs,
        keys,
        begun_at: jiff::Timestamp::now().as_millisecond(),
        stop: AtomicBool::new(false),
        counts: swarm::Counts::default(),
    });
    let night = Night { began: Instant::now(), ..night };
    let listening = tokio::spawn(swarm::listen(Arc::clone(&swarm), LISTENERS));
    night.until(18).await;
    let streams: f64 = servers.iter().filter_map(|server| server.figure("segue_listeners")).sum();
    night
        .says(&format!("{LISTENERS} listen; the processes count {streams} (each listener at every process)"));
    assert!(streams >= LISTENERS as f64, "{streams}");

    // The one that learns and makes mixes is killed.
    let before = holder();
    let takes = |line: &str| line.contains("does it from now on") && line.contains("taste");
    let learns = servers.iter().position(|server| server.log.lock().unwrap().lines().any(takes));
    let killed = learns.expect("one of them has the turn");
    block_in_place(|| servers[killed].kill());
    night.says(&format!("process {killed}, which learns, is killed: {}", swarm.counts));
    night.until(28).await;
    block_in_place(|| servers[killed].start());
    night.says(&format!("it is started again: {}", swarm.counts));

    night.until(32).await;
    block_in_place(|| postgres.down());
    night.says("the database stops");
    night.until(50).await;
    night.says(&format!("it is still down: {}", swarm.counts));
    let refused = swarm.counts.refused.load(Ordering::Relaxed);
    night.until(52).await;
    block_in_place(|| postgres.up());
    night.says("the database is started again");
    until("answers are given again", async || {
        let path = format!("/rest/getAlbumList2?type=newest&v=1.16.1&c=test&f=json&apiKey={}", swarm.keys[1]);
        cluster::get(balancer.address.port(), &path)
            .is_some_and(|(_, text)| text.contains("\"status\":\"ok\""))
    })
    .await;
    night.says(&format!("answers are given again; {refused} pieces were refused meanwhile"));
    until("the turn is taken over", async || {
        let now = holder();
        !now.is_empty() && now != before
    })
    .await;
    night.says("another process learns");

    night.until(64).await;
    store.wire.down();
    night.says(&format!("the store is cut off: {}", swarm.counts));
    night.until(84).await;
    store.wire.up();
    night.says(&format!("the store is back: {}", swarm.counts));

    night.until(88).await;
    let next = (killed + 1) % 3;
    servers[next].terminate();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(servers[next].ready(), Some(503), "it is not ready at once");
    assert!(
        block_in_place(|| servers[next].ended()),
        "it ends in order: {}",
        servers[next].log.lock().unwrap()
    );
    night.says(&format!("process {next} ended in order: {}", swarm.counts));
    block_in_place(|| servers[next].start());
    night.says("and is started again");
    night.until(104).await;
    swarm.stop.store(true, Ordering::Relaxed);
    listening.await.unwrap();
    night.says(&format!("all have told of what they heard: {}", swarm.counts));

    let plays: u64 = sql("SELECT count(*) FROM plays").parse().unwrap();
    let counted: u64 =
        sql("SELECT COALESCE(SUM(play_count), 0) FROM marks WHERE kind = 'track'").parse().unwrap();
    let known = "SELECT count(*) FROM (SELECT DISTINCT account_id, track_id, started_at FROM plays) AS known";
    assert_eq!(sql(known).parse::<u64>().unwrap(), plays);
    night.says(&format!("the database has {plays} plays, and counts {counted}"));
    let counts = &swarm.counts;
    assert_eq!(counts.wrong.load(Ordering::Relaxed), 0, "nobody heard a wrong byte");
    assert_eq!(counts.underruns.load(Ordering::Relaxed), 0, "nobody heard a silence: {counts}");
    let heard = counts.plays.load(Ordering::Relaxed);
    assert!(heard as usize >= LISTENERS * 2, "{counts}");
    assert_eq!(
        (counts.told.load(Ordering::Relaxed), plays, counted),
        (heard, heard, heard),
        "none lost, none doubled"
    );
    // All of them are well again.
    for server in &servers {
        assert_eq!(server.ready(), Some(200));
        assert_eq!(server.figure("segue_load_level"), Some(0.0));
        assert_eq!(server.figure("segue_database_down"), Some(0.0));
    }
    println!("the night took {:.0} s", night.began.elapsed().as_secs_f64());
}
