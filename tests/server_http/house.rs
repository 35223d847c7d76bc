//! A running server with a small library: two albums of WAV files, one of them with a folder picture.

use std::path::{Path, PathBuf};

use lofty::config::WriteOptions;
use lofty::tag::{Accessor as _, ItemKey, Tag, TagExt as _, TagType};
use segue::catalog::Catalog;
use segue::server::{Config, Server, World, accounts, catalog_file};
use segue::subsonic::{Client, Credentials};
use serde_json::Value;

use crate::database;
#[cfg(feature = "cloud")]
#[path = "mirror.rs"]
mod mirror;
#[cfg(feature = "cloud")]
use mirror::Mirror;

/// Without stores the library lies in its folder.
#[cfg(not(feature = "cloud"))]
struct Mirror;

#[cfg(not(feature = "cloud"))]
impl Mirror {
    async fn in_place_of(_: &mut [PathBuf], _: &Path) -> Vec<Self> {
        Vec::new()
    }

    async fn follow(&self) {}
}

/// The name and password of the listener who may not administer.
pub(crate) const ANN: (&str, &str) = ("ann & co", "pass word &%+");

/// Titles with everything that breaks clients.
pub(crate) const ODD_TITLE: &str = "O'Brien & \"The <Quotes>\" — 日本 שלום 🎵";
pub(crate) const ODD_ALBUM: &str = "100% Pure; DROP TABLE songs--";

pub(crate) struct House {
    pub(crate) server: Option<Server>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    /// A key of `admin`.
    pub(crate) key: String,
    pub(crate) catalog: Catalog,
    /// Stores that have what the music folders have, where the library is to lie in one.
    mirrors: Vec<Mirror>,
}

impl House {
    /// Starts a server and waits for its first scan.
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let music = folder.path().join("music");
        furnish(&music);
        let house = Self::open_over(folder).await;
        let report = house.server.as_ref().unwrap().first_scan().await;
        assert_eq!((report.seen, report.failed.len()), (5, 0), "{report:?}");
        house
    }

    /// Starts a server in a folder that may have been used before.
    pub(crate) async fn open_over(folder: tempfile::TempDir) -> Self {
        let config = config(&folder);
        Self::start(folder, config).await
    }

    /// Starts a server of one's own making over a folder.
    pub(crate) async fn start(folder: tempfile::TempDir, config: Config) -> Self {
        Self::start_in(folder, config, World::default()).await
    }

    /// The same in a world of one's own making, over the usual library and a song that is long (128 kbit/s, 200 s).
    pub(crate) async fn open_in(world: World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let music = folder.path().join("music");
        furnish(&music);
        long_song(&music.join("long.wav"), 3_200_000);
        let config = config(&folder);
        let house = Self::start_in(folder, config, world).await;
        let report = house.server.as_ref().unwrap().first_scan().await;
        assert_eq!((report.seen, report.failed.len()), (6, 0), "{report:?}");
        house
    }

    pub(crate) async fn start_in(folder: tempfile::TempDir, mut config: Config, world: World) -> Self {
        let mirrors = Mirror::in_place_of(&mut config.music, &config.data).await;
        let server = Server::start_in(config, world).await.unwrap();
        let base = format!("http://{}", server.addr());
        let key = server.issue_key(accounts::ADMIN_NAME, "test").await.unwrap();
        let catalog = database::open(&catalog_file(&data(&folder))).await.unwrap();
        // Making one of our own clients settles who does TLS; plain ones then find it.
        Client::new(&base, Credentials::ApiKey(key.clone())).unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { server: Some(server), folder, http, base, key, catalog, mirrors }
    }

    /// Adds the listener [`ANN`].
    pub(crate) async fn with_ann(self) -> Self {
        accounts::add(&self.catalog, ANN.0, ANN.1, false).await.unwrap();
        self
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.base, Credentials::ApiKey(self.key.clone())).unwrap()
    }

    pub(crate) async fn key_of(&self, name: &str) -> String {
        self.server.as_ref().unwrap().issue_key(name, "test").await.unwrap()
    }

    /// The address of an endpoint with parameters and nothing else.
    pub(crate) fn url(&self, endpoint: &str, params: &[(&str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        format!("{}/rest/{endpoint}?{query}", self.base)
    }

    /// The address of an endpoint as `admin`.
    pub(crate) fn own_url(&self, endpoint: &str, params: &[(&str, &str)]) -> String {
        let mut all = vec![("apiKey", self.key.as_str()), ("v", "1.16.1"), ("c", "test")];
        all.extend_from_slice(params);
        self.url(endpoint, &all)
    }

    /// An answer in JSON without its outermost object; the parameters say who asks.
    pub(crate) async fn anybody(&self, endpoint: &str, params: &[(&str, &str)]) -> Value {
        if endpoint == "startScan" {
            for mirror in &self.mirrors {
                mirror.follow().await;
            }
        }
        let mut all = params.to_vec();
        all.push(("f", "json"));
        let reply = self.http.get(self.url(endpoint, &all)).send().await.unwrap();
        let mut answer: Value = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
        answer["subsonic-response"].take()
    }

    /// The same as `admin`.
    pub(crate) async fn json(&self, endpoint: &str, params: &[(&str, &str)]) -> Value {
        let mut all = vec![("apiKey", self.key.as_str())];
        all.extend_from_slice(params);
        self.anybody(endpoint, &all).await
    }

    /// The error code of an answer that must be a refusal.
    pub(crate) async fn code(&self, endpoint: &str, params: &[(&str, &str)]) -> i64 {
        code(&self.json(endpoint, params).await)
    }

    /// The id of a song by its title.
    pub(crate) async fn song(&self, title: &str) -> String {
        let found = self.json("search3", &[("query", ""), ("songCount", "100")]).await;
        let songs = found["searchResult3"]["song"].as_array().unwrap();
        let song =
            songs.iter().find(|song| song["title"] == title).unwrap_or_else(|| panic!("{title}: {found}"));
        song["id"].as_str().unwrap().to_owned()
    }

    /// The album of a name.
    pub(crate) async fn album(&self, name: &str) -> Value {
        let list = self.json("getAlbumList2", &[("type", "alphabeticalByName")]).await;
        let albums = list["albumList2"]["album"].as_array().unwrap();
        albums.iter().find(|album| album["name"] == name).unwrap_or_else(|| panic!("{name}: {list}")).clone()
    }

    pub(crate) async fn close(mut self) -> tempfile::TempDir {
        self.server.take().unwrap().shutdown().await;
        self.folder
    }
}

/// Whether the library lies in a store, where some things of folders are not so: there are no links, and what changes is seen with the next
/// scan or in a minute.
pub(crate) fn over_a_store() -> bool {
    std::env::var_os("SEGUE_TEST_STORE").is_some()
}

/// The error code of a refusal, whose envelope must be whole.
pub(crate) fn code(answer: &Value) -> i64 {
    assert_eq!(answer["status"], "failed", "{answer}");
    assert_eq!(answer["version"], "1.16.1");
    assert_eq!(answer["type"], "segue");
    assert_eq!(answer["openSubsonic"], true);
    assert!(answer["serverVersion"].is_string() && answer["error"]["message"].is_string());
    answer["error"]["code"].as_i64().unwrap()
}

/// A server over this folder.
pub(crate) fn config(folder: &tempfile::TempDir) -> Config {
    Config {
        music: vec![folder.path().join("music")],
        data: data(folder),
        database: place(folder),
        listen: "127.0.0.1:0".parse().unwrap(),
        watch: false,
        net: segue::server::Net::default(),
        keep: segue::server::privacy::Keep::default(),
        stores: segue::server::Stores::default(),
    }
}

/// Where its catalog is.
pub(crate) fn place(folder: &tempfile::TempDir) -> segue::catalog::Database {
    database::place(&catalog_file(&data(folder)))
}

pub(crate) fn data(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("data")
}

pub(crate) fn furnish(music: &Path) {
    let first = music.join("Alpha").join("First Light");
    song(&first.join("01.wav"), "One", "Alpha", "First Light", 1, 2001, "Rock");
    song(&first.join("02.wav"), "Two", "Alpha", "First Light", 2, 2001, "Rock");
    song(&first.join("03.wav"), "Three", "Alpha", "First Light", 3, 2001, "Pop");
    let picture = image::RgbImage::from_fn(300, 200, |x, y| image::Rgb([x as u8, y as u8, 90]));
    picture.save(first.join("cover.png")).unwrap();
    let odd = music.join("Öl").join("odd");
    song(&odd.join("a.wav"), ODD_TITLE, "Öl", ODD_ALBUM, 1, 2010, "Jazz");
    song(&odd.join("b.wav"), "Two", "Öl", ODD_ALBUM, 2, 2010, "Jazz");
}

/// A WAV file of so many bytes of silence.
pub(crate) fn long_song(file: &Path, bytes: u32) {
    song(file, "Long", "Alpha", "Long", 1, 2001, "Rock");
    let mut wav = std::fs::read(file).unwrap();
    let data = wav.windows(4).position(|word| word == b"data").unwrap();
    wav.truncate(data + 4);
    wav.extend(bytes.to_le_bytes());
    wav.resize(wav.len() + bytes as usize, 0);
    let all = (wav.len() - 8) as u32;
    wav[4..8].copy_from_slice(&all.to_le_bytes());
    std::fs::write(file, wav).unwrap();
}

/// A tenth of a second of sound that differs with the number, tagged.
pub(crate) fn song(file: &Path, title: &str, artist: &str, album: &str, number: u32, year: u16, genre: &str) {
    const RATE: u32 = 8000;
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let samples: Vec<u8> =
        (0..RATE / 10).flat_map(|n| ((n * number * u32::from(year) % 2000) as i16).to_le_bytes()).collect();
    let length = samples.len() as u32;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    for field in [16_u32, 1 | 1 << 16, RATE, RATE * 2, 2 | 16 << 16] {
        wav.extend(field.to_le_bytes());
    }
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.extend(samples);
    std::fs::write(file, wav).unwrap();
    let mut tag = Tag::new(TagType::Id3v2);
    tag.set_title(title.to_owned());
    tag.set_artist(artist.to_owned());
    tag.set_album(album.to_owned());
    tag.set_genre(genre.to_owned());
    tag.set_track(number);
    tag.insert_text(ItemKey::AlbumArtist, artist.to_owned());
    tag.insert_text(ItemKey::RecordingDate, year.to_string());
    tag.save_to_path(file, WriteOptions::default()).unwrap();
}
