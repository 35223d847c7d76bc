//! The server over real stores: Azure Blob Storage (Azurite) and S3 (moto). Run by `.ci/run`, which installs and starts them.

#![cfg(feature = "cloud")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/media.rs"]
#[allow(dead_code, reason = "it serves more tests than these")]
mod media;
mod program;
mod stores;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lofty::tag::ItemKey;
use media::{flac, jpeg, mp3, put, song, tag};
use object_store::path::Path as Key;
use program::{Home, PATIENCE, Process, installed, skip};
use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, ETAG, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE, RETRY_AFTER,
};
use segue::subsonic::{Client, Credentials, StreamOptions};
use serde_json::Value;
use stores::{ACCOUNT_KEY, Kind, S3_SECRET, Store, until};

/// A server in a process of its own over a store.
struct Served {
    _process: Process,
    log: Arc<Mutex<String>>,
    home: Home,
    base: String,
    key: String,
    http: reqwest::Client,
}

impl Served {
    async fn over(store: &Store, more: &[&str]) -> Self {
        let served = Self::start(Home::new(), store, more, &store.environment());
        until("the first scan ends", async || served.scanned().await).await;
        served
    }

    fn start(home: Home, store: &Store, more: &[&str], environment: &[(&str, String)]) -> Self {
        let data = home.path().join("server");
        let mut child = home
            .command(&["serve", "--music", &store.address("lib"), "--data", data.to_str().unwrap()])
            .args(["--listen", "127.0.0.1:0", "--grace", "1"])
            .args(more)
            .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
            .env("SEGUE_LOG", "trace")
            .env("SEGUE_ADMIN_PASSWORD", "pass")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        for lines in [Box::new(out) as Box<dyn std::io::Read + Send>, Box::new(err)] {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                for line in BufReader::new(lines).lines().map_while(Result::ok) {
                    let mut log = log.lock().unwrap();
                    log.push_str(&line);
                    log.push('\n');
                }
            });
        }
        let mut process = Process(child);
        let end = Instant::now() + PATIENCE;
        let base = loop {
            let text = log.lock().unwrap().clone();
            if let Some(rest) = text.split("Segue serves on ").nth(1)
                && let Some((base, _)) = rest.split_once('\n')
            {
                break base.trim().to_owned();
            }
            let ended = process.0.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "{ended:?}: {text}");
            std::thread::sleep(Duration::from_millis(20));
        };
        let said =
            home.command(&["users", "key", "admin", "--data", data.to_str().unwrap()]).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let key = String::from_utf8(said.stdout).unwrap().trim().lines().last().unwrap().trim().to_owned();
        // Making one of our own clients settles who does TLS; plain ones then find it.
        Client::new(&base, Credentials::ApiKey(key.clone())).unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]);
        let http = http.redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { _process: process, log, home, base, key, http }
    }

    fn url(&self, endpoint: &str, params: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("apiKey", &self.key).append_pair("v", "1.16.1").append_pair("f", "json");
        if params.iter().all(|(name, _)| *name != "c") {
            query.append_pair("c", "test");
        }
        format!("{}/rest/{endpoint}?{}", self.base, query.extend_pairs(params).finish())
    }

    async fn json(&self, endpoint: &str, params: &[(&str, &str)]) -> Value {
        let answer = self.http.get(self.url(endpoint, params)).send().await.unwrap().bytes().await.unwrap();
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["subsonic-response"].take()
    }

    async fn get(&self, endpoint: &str, params: &[(&str, &str)]) -> reqwest::Response {
        self.http.get(self.url(endpoint, params)).send().await.unwrap()
    }

    async fn scanned(&self) -> bool {
        let status = self.json("getScanStatus", &[]).await;
        status["scanStatus"]["scanning"] == false && status["scanStatus"]["lastScan"].is_string()
    }

    /// Scans again and waits for its end.
    async fn scan(&self) {
        self.json("startScan", &[]).await;
        until("a scan ends", async || self.scanned().await).await;
    }

    /// Songs by their title.
    async fn songs(&self) -> HashMap<String, Value> {
        let found = self.json("search3", &[("query", ""), ("songCount", "500")]).await;
        let songs = found["searchResult3"]["song"].as_array().cloned().unwrap_or_default();
        songs.into_iter().map(|song| (song["title"].as_str().unwrap().to_owned(), song)).collect()
    }

    async fn id(&self, title: &str) -> String {
        let songs = self.songs().await;
        let song = songs.get(title).unwrap_or_else(|| panic!("{title}: {songs:?}\n{}", self.log()));
        song["id"].as_str().unwrap().to_owned()
    }

    fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

/// Bytes that are no music, to make files large.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    (0..bytes)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

/// An MP3 file of some megabytes.
fn long_song(path: &Path, title: &str, frames: usize) {
    let mut bytes = mp3(frames);
    for (at, byte) in noise(bytes.len()).into_iter().enumerate() {
        // The headers stay, what is between them is noise.
        if at % 417 >= 40 {
            bytes[at] = byte & 0x7f;
        }
    }
    put(path, &bytes);
    tag(
        path,
        &[(ItemKey::TrackTitle, title), (ItemKey::AlbumTitle, "Long"), (ItemKey::TrackArtist, "Long")],
        None,
    );
}

const ODD: [(&str, &str); 4] = [
    ("sp ace/ö.flac", "Space"),
    ("per%20cent/100%.flac", "Percent"),
    ("plus+and&=#?/q'~!.flac", "Signs"),
    ("日本/שלום 🎵.flac", "Far"),
];

/// A library with something of everything.
fn furnish(root: &Path) {
    for (at, title) in ["One", "Two", "Three"].into_iter().enumerate() {
        song(&root.join(format!("Band/Album/{at}.flac")), title, "Band", "Album", at as u32 + 1);
    }
    put(&root.join("Band/Album/cover.jpg"), &jpeg(7));
    put(&root.join("Band/Album/0.lrc"), b"[00:00.00]First words\n[00:00.05]Second words\n");
    put(&root.join("Band/Album/List.m3u8"), b"#EXTM3U\n1.flac\n0.flac\n../../cut/Image.flac\n");
    put(&root.join("cut/Image.flac"), &flac(44_100 * 2, 9));
    let sheet = "PERFORMER \"Cutter\"\nTITLE \"Cut\"\nFILE \"Image.flac\" WAVE\n\
        TRACK 01 AUDIO\nTITLE \"First half\"\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nTITLE \"Second half\"\nINDEX 01 00:01:00\n";
    put(&root.join("cut/Image.cue"), sheet.as_bytes());
    for (path, title) in ODD {
        song(&root.join(path), title, "Odd", "Odd", 1);
    }
    long_song(&root.join("Long/long.mp3"), "Long", 8_000);
    put(&root.join("broken.flac"), b"this is no music");
    put(&root.join(".hidden/x.flac"), &flac(4410, 1));
    put(&root.join("notes.txt"), b"not music at all");
}

async fn furnished(store: &Store) -> (tempfile::TempDir, u64) {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path());
    let bytes = store.upload(folder.path(), "lib").await;
    // What lies beside the prefix is nobody's.
    store.put("library/x.flac", flac(4410, 3)).await;
    (folder, bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_in_a_store_is_browsed_and_heard() {
    for store in Store::all(skip).await {
        let (folder, bytes) = furnished(&store).await;
        let served = Served::over(&store, &[]).await;
        let songs = served.songs().await;
        let mut titles: Vec<&str> = songs.keys().map(String::as_str).collect();
        titles.sort_unstable();
        let all =
            ["Far", "First half", "Long", "One", "Percent", "Second half", "Signs", "Space", "Three", "Two"];
        assert_eq!(titles, all, "{:?}\n{}", store.kind, served.log());
        assert!(served.log().contains("broken.flac"), "it is said what was left out");

        // Tags and pictures were read, not music.
        let (gets, read) = store.wire.reads();
        assert!(gets > 0 && read < bytes / 2, "{read} of {bytes} bytes in {gets} requests");

        for (path, title) in [("Band/Album/0.flac", "One"), ("Long/long.mp3", "Long")].into_iter().chain(ODD)
        {
            let wanted = std::fs::read(folder.path().join(path)).unwrap();
            let id = served.id(title).await;
            let answer = served.get("stream", &[("id", &id)]).await;
            assert_eq!(answer.status(), StatusCode::OK, "{title}");
            assert_eq!(answer.headers()[ACCEPT_RANGES], "bytes");
            assert_eq!(answer.content_length(), Some(wanted.len() as u64));
            assert!(answer.bytes().await.unwrap() == wanted, "{title} in {:?}", store.kind);
            let answer = served.get("download", &[("id", &id)]).await;
            assert!(answer.bytes().await.unwrap() == wanted, "{title} in {:?}", store.kind);
        }

        // Pictures, words, lists and parts of files.
        let one = &songs["One"];
        let picture = served.get("getCoverArt", &[("id", one["coverArt"].as_str().unwrap())]).await;
        assert_eq!(picture.bytes().await.unwrap(), jpeg(7));
        let words = served.json("getLyricsBySongId", &[("id", one["id"].as_str().unwrap())]).await;
        assert!(words.to_string().contains("Second words"), "{words}");
        let lists = served.json("getPlaylists", &[]).await;
        assert_eq!(lists["playlists"]["playlist"][0]["songCount"], 4, "{lists}");
        let half = served.get("stream", &[("id", &served.id("Second half").await)]).await;
        assert_eq!(half.status(), StatusCode::OK);
        let wav = half.bytes().await.unwrap();
        assert_eq!((&wav[..4], wav.len()), (&b"RIFF"[..], 44 + 44_100 * 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_and_conditions_are_kept() {
    for store in Store::all(skip).await {
        let (folder, _) = furnished(&store).await;
        let served = Served::over(&store, &[]).await;
        let wanted = std::fs::read(folder.path().join("Long/long.mp3")).unwrap();
        let id = served.id("Long").await;
        let url = served.url("stream", &[("id", &id)]);
        let head = served.http.head(&url).send().await.unwrap();
        assert_eq!(head.status(), StatusCode::OK);
        let etag = head.headers()[ETAG].clone();
        assert!(etag.to_str().unwrap().starts_with('"'));
        let length = wanted.len();
        for (range, first, end) in [
            ("bytes=0-99".to_owned(), 0, 100),
            ("bytes=262100-262200".to_owned(), 262_100, 262_201),
            ("bytes=1000000-".to_owned(), 1_000_000, length),
            ("bytes=-77".to_owned(), length - 77, length),
            (format!("bytes=5-{}", length * 2), 5, length),
        ] {
            let part =
                served.http.get(&url).header(RANGE, &range).header(IF_RANGE, &etag).send().await.unwrap();
            assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT, "{range}");
            assert_eq!(part.headers()[CONTENT_RANGE], format!("bytes {first}-{}/{length}", end - 1));
            assert!(part.bytes().await.unwrap() == wanted[first..end], "{range} in {:?}", store.kind);
        }
        let beyond = served.http.get(&url).header(RANGE, format!("bytes={length}-")).send().await.unwrap();
        assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        let same = served.http.get(&url).header(IF_NONE_MATCH, &etag).send().await.unwrap();
        assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
        let other = served.http.get(&url).header(RANGE, "bytes=0-9").header(IF_RANGE, "\"other\"");
        assert_eq!(other.send().await.unwrap().status(), StatusCode::OK);
        let head = served.http.head(&url).header(RANGE, "bytes=0-9").send().await.unwrap();
        assert_eq!(head.status(), StatusCode::PARTIAL_CONTENT);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_as_it_was_is_not_read_again() {
    for store in Store::all(skip).await {
        let (folder, _) = furnished(&store).await;
        let served = Served::over(&store, &[]).await;
        let before = served.songs().await;
        store.wire.reads();
        served.scan().await;
        assert_eq!(store.wire.reads().0, 0, "{:?}", store.wire.counts.lines.lock().unwrap());

        // Another name for one, another content for another, and one is gone.
        store.rename("lib/Band/Album/1.flac", "lib/Moved/elsewhere.flac").await;
        let changed = folder.path().join("Band/Album/2.flac");
        song(&changed, "Three again", "Band", "Album", 3);
        store.put("lib/Band/Album/2.flac", std::fs::read(&changed).unwrap()).await;
        store.remove("lib/sp ace/ö.flac").await;
        served.scan().await;
        let after = served.songs().await;
        assert_eq!(after["Two"]["id"], before["Two"]["id"], "it is known again in {:?}", store.kind);
        assert_eq!(after["Three again"]["id"], before["Three"]["id"]);
        assert!(!after.contains_key("Space") && !after.contains_key("Three"));
        assert_eq!(after.len(), before.len() - 1);
        let (gets, _) = store.wire.reads();
        assert!((1..=6).contains(&gets), "{gets} reads for two files");
        let two = served.get("stream", &[("id", &served.id("Two").await)]).await;
        assert_eq!(two.status(), StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_forms_are_made_of_objects() {
    if installed("ffmpeg").is_none() {
        skip("ffmpeg");
        return;
    }
    for store in Store::all(skip).await {
        furnished(&store).await;
        let served = Served::over(&store, &[]).await;
        for title in ["Long", "Space", "Second half"] {
            let id = served.id(title).await;
            let answer = served.get("stream", &[("id", &id), ("format", "opus"), ("maxBitRate", "64")]).await;
            assert_eq!(answer.status(), StatusCode::OK);
            let bytes = answer.bytes().await.unwrap();
            assert!(bytes.starts_with(b"OggS") && bytes.len() > 200, "{title} in {:?}", store.kind);
        }
        // What was made once needs the store no more.
        let id = served.id("Long").await;
        let form = [("id", id.as_str()), ("format", "opus"), ("maxBitRate", "64")];
        until("the form is on the shelf", async || {
            served
                .get("stream", &form)
                .await
                .headers()
                .get(ACCEPT_RANGES)
                .is_some_and(|units| units == "bytes")
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_is_sent_to_the_store_itself() {
    for store in Store::all(skip).await {
        let (folder, _) = furnished(&store).await;
        let served = Served::over(&store, &["--redirect-streams", "own,Trusted"]).await;
        let wanted = std::fs::read(folder.path().join("Long/long.mp3")).unwrap();
        let id = served.id("Long").await;
        for (endpoint, client) in [("stream", "segue"), ("download", "Trusted")] {
            store.wire.reads();
            let sent = served.get(endpoint, &[("id", &id), ("c", client)]).await;
            assert_eq!(sent.status(), StatusCode::FOUND, "{endpoint} in {:?}", store.kind);
            assert_eq!(sent.headers()[CACHE_CONTROL], "no-store");
            let address = sent.headers()[LOCATION].to_str().unwrap().to_owned();
            assert_eq!(store.wire.reads().0, 0, "no byte of it passed through");
            let whole = served.http.get(&address).send().await.unwrap();
            assert_eq!(whole.status(), StatusCode::OK);
            assert!(whole.bytes().await.unwrap() == wanted);
            let part = served.http.get(&address).header(RANGE, "bytes=100-199").send().await.unwrap();
            assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
            assert_eq!(part.bytes().await.unwrap(), wanted[100..200]);
            if store.kind == Kind::Azure {
                let (start, signature) = address.split_once("sig=").unwrap();
                let other = if signature.starts_with('A') { "B" } else { "A" };
                let tampered = format!("{start}sig={other}{}", &signature[1..]);
                assert_eq!(served.http.get(tampered).send().await.unwrap().status(), StatusCode::FORBIDDEN);
                let other = address.replace("Long/long.mp3", "Band/Album/0.flac");
                assert_eq!(served.http.get(other).send().await.unwrap().status(), StatusCode::FORBIDDEN);
            }
            assert!(!served.log().contains("sig="), "no signature is in the log");
            assert!(!served.log().contains("X-Amz-Signature"), "no signature is in the log");
        }
        // The same tag by either way, so that what was begun by one can go on by the other.
        let ours =
            served.http.head(served.url("stream", &[("id", &id), ("c", "segue")])).send().await.unwrap();
        assert_eq!(ours.status(), StatusCode::OK, "asking about it is answered here");
        let address = served.get("stream", &[("id", &id), ("c", "segue")]).await.headers()[LOCATION].clone();
        let theirs = served.http.get(address.to_str().unwrap()).send().await.unwrap();
        assert_eq!(ours.headers()[ETAG], theirs.headers()[ETAG]);

        // Served here: other programs, other forms, parts of files, keys that stores sign differently.
        for (title, client, more) in [
            ("Long", "DSub", None),
            ("First half", "segue", None),
            ("Space", "segue", None),
            ("Signs", "segue", None),
            ("Percent", "segue", None),
        ] {
            let mut params = vec![("c", client)];
            let id = served.id(title).await;
            params.push(("id", &id));
            params.extend::<Option<(&str, &str)>>(more);
            assert_eq!(served.get("stream", &params).await.status(), StatusCode::OK, "{title} for {client}");
        }

        // Our own player follows.
        let client = Client::new(&served.base, Credentials::ApiKey(served.key.clone())).unwrap();
        let reply =
            client.stream(&id.as_str().into(), &StreamOptions::default(), Some((50, Some(150))), None).await;
        let reply = reply.unwrap();
        assert_eq!((reply.range, reply.total), (Some((50, 150)), Some(wanted.len() as u64)));

        // Whoever is limited is served here.
        let data = served.home.path().join("server");
        let limit = ["users", "limit", "admin", "2000", "--data", data.to_str().unwrap()];
        let said = served.home.command(&limit).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        until("the limit is known", async || {
            served.get("stream", &[("id", &id), ("c", "segue")]).await.status() == StatusCode::OK
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_ends() {
    for store in Store::all(skip).await.into_iter().filter(|store| store.kind == Kind::Azure) {
        store.put("lib/x.flac", flac(4410, 1)).await;
        let key = Key::from("lib/x.flac");
        let sign = |seconds| {
            store.signer.signed_url(object_store::signer::Method::GET, &key, Duration::from_secs(seconds))
        };
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let (short, long) = (sign(1).await.unwrap(), sign(600).await.unwrap());
        until("it ends", async || {
            http.get(short.clone()).send().await.unwrap().status() == StatusCode::FORBIDDEN
        })
        .await;
        assert_eq!(http.get(long).send().await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_goes_away_and_comes_back() {
    for store in Store::all(skip).await {
        let (folder, _) = furnished(&store).await;
        let served = Served::over(&store, &[]).await;
        let before = served.songs().await;
        let (one, two, long) = (served.id("One").await, served.id("Two").await, served.id("Long").await);
        let heard = served.get("stream", &[("id", &one)]).await.bytes().await.unwrap();
        // Somebody listens, with a little ahead.
        let mut running = served.get("stream", &[("id", &long)]).await;
        let mut got = running.chunk().await.unwrap().unwrap().to_vec();

        store.wire.down();
        let refused = served.get("stream", &[("id", &two)]).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "{:?}", store.kind);
        assert!(refused.headers()[RETRY_AFTER].to_str().unwrap().parse::<u64>().unwrap() > 0);
        let said = refused.text().await.unwrap();
        assert!(said.contains("does not answer"), "{said}");
        let picture = served.get("getCoverArt", &[("id", before["One"]["coverArt"].as_str().unwrap())]).await;
        assert_eq!(picture.status(), StatusCode::SERVICE_UNAVAILABLE);
        // What was heard is here, and what is known stays known.
        assert_eq!(served.get("stream", &[("id", &one)]).await.bytes().await.unwrap(), heard);
        served.scan().await;
        assert_eq!(served.songs().await.len(), before.len());
        assert!(served.log().contains("its tracks are kept"), "{}", served.log());

        let began = Instant::now();
        store.wire.up();
        until("it comes back", async || {
            served.get("stream", &[("id", &two)]).await.status() == StatusCode::OK
        })
        .await;
        println!("{:?}: back after {:.1} s", store.kind, began.elapsed().as_secs_f64());
        // The stream that ran all the time ends as it should.
        while let Some(chunk) = running.chunk().await.unwrap() {
            got.extend_from_slice(&chunk);
        }
        assert!(got == std::fs::read(folder.path().join("Long/long.mp3")).unwrap());
        served.scan().await;
        assert_eq!(served.songs().await.len(), before.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hot_cache_keeps_to_its_limit() {
    for store in Store::all(skip).await {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..6 {
            long_song(&folder.path().join(format!("{n}.mp3")), &format!("Song {n}"), 1_700);
        }
        store.upload(folder.path(), "lib").await;
        let served = Served::over(&store, &["--hot-cache", "2"]).await;
        let hot = served.home.path().join("server/hot");
        let used = || -> u64 {
            let files = std::fs::read_dir(&hot).unwrap().map(Result::unwrap);
            files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
        };
        let hear = async |n: usize| {
            let id = served.id(&format!("Song {n}")).await;
            let bytes = served.get("stream", &[("id", &id)]).await.bytes().await.unwrap();
            assert!(bytes == std::fs::read(folder.path().join(format!("{n}.mp3"))).unwrap());
            assert!(used() <= 2 << 20, "{}", used());
        };
        for n in [0, 1, 2, 3, 4, 5, 4, 5] {
            hear(n).await;
        }
        assert!(used() > 1 << 20);
        store.wire.reads();
        hear(5).await;
        assert_eq!(store.wire.reads().0, 0, "it is here");
        hear(0).await;
        assert!(store.wire.reads().0 > 0, "it had gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_said_and_nothing_secret_is() {
    for store in Store::all(skip).await {
        furnished(&store).await;
        let served = Served::over(&store, &[]).await;
        served.get("stream", &[("id", &served.id("Long").await)]).await.bytes().await.unwrap();
        for secret in [ACCOUNT_KEY, S3_SECRET, "SharedKey ", "AWS4-HMAC-SHA256"] {
            assert!(!served.log().contains(secret), "{secret}");
        }
        if store.kind == Kind::S3 {
            continue; // moto takes any
        }
        let wrong = "d3Jvbmcga2V5IHRoYXQgbm9ib2R5IG1heSBzZWU=";
        let mut environment = store.environment();
        environment.iter_mut().filter(|(name, _)| *name == "AZURE_STORAGE_ACCOUNT_KEY").for_each(
            |(_, key)| {
                wrong.clone_into(key);
            },
        );
        let served = Served::start(Home::new(), &store, &[], &environment);
        until("it is said", async || served.log().contains("does not accept the credentials")).await;
        assert!(!served.log().contains(wrong));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_and_a_folder_are_one_library() {
    for store in Store::all(skip).await {
        store
            .put("lib/a.flac", {
                let folder = tempfile::tempdir().unwrap();
                song(&folder.path().join("a.flac"), "Far away", "A", "A", 1);
                std::fs::read(folder.path().join("a.flac")).unwrap()
            })
            .await;
        let folder = tempfile::tempdir().unwrap();
        song(&folder.path().join("b.flac"), "Near", "B", "B", 1);
        let served = Served::over(&store, &["--music", folder.path().to_str().unwrap()]).await;
        let songs = served.songs().await;
        assert_eq!(songs.len(), 2, "{songs:?}");
        for title in ["Far away", "Near"] {
            assert_eq!(
                served.get("stream", &[("id", &served.id(title).await)]).await.status(),
                StatusCode::OK
            );
        }
        let folders = served.json("getMusicFolders", &[]).await;
        assert_eq!(folders["musicFolders"]["musicFolder"].as_array().unwrap().len(), 2, "{folders}");
    }
}
