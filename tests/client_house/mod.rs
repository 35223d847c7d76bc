//! A server with music in this process, and a listener's machine beside it.
#![allow(dead_code, reason = "each test file takes what it needs")]

#[path = "../common/media.rs"]
pub(crate) mod media;

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use segue::cache::{self, Store};
use segue::catalog::{Catalog, Database, SearchWindows};
use segue::client::{Kept, Options, Pace, Session, SessionStatus, SyncState};
use segue::music::{AccountId, TrackId, Window};
use segue::server::scan::{ScanMode, Scanner};
use segue::server::{Config, Server, accounts, catalog_file};
use segue::subsonic::{Client, Credentials};

pub(crate) fn pace() -> Pace {
    Pace {
        heartbeat: Duration::from_millis(100),
        look: Duration::from_millis(150),
        look_scanning: Duration::from_millis(50),
        first_pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(100),
    }
}

/// A server with music, which can go away and come back on the same port.
pub(crate) struct House {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) server: Option<Server>,
    pub(crate) addr: SocketAddr,
    pub(crate) key: String,
}

impl House {
    pub(crate) async fn open(songs: &[(&str, &str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (number, (title, artist, album)) in (1..).zip(songs) {
            media::song(
                &dir.path().join("music").join(format!("{number}.flac")),
                title,
                artist,
                album,
                number,
            );
        }
        std::fs::create_dir_all(dir.path().join("data")).unwrap();
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut house = Self { dir, server: None, addr, key: String::new() };
        house.scan().await;
        house.back().await;
        house.key = accounts::new_api_key(&house.catalog().await, "admin", "test").await.unwrap();
        house
    }

    pub(crate) fn music(&self) -> PathBuf {
        self.dir.path().join("music")
    }

    pub(crate) async fn catalog(&self) -> Catalog {
        Catalog::open(&catalog_file(&self.dir.path().join("data"))).await.unwrap()
    }

    pub(crate) async fn scan(&self) {
        Scanner::new(self.catalog().await, vec![self.music()]).scan(ScanMode::Changes).await.unwrap();
    }

    pub(crate) async fn gone(&mut self) {
        self.server.take().unwrap().shutdown().await;
    }

    pub(crate) async fn back(&mut self) {
        let config = Config {
            music: vec![self.music()],
            database: Database::File(segue::server::catalog_file(&self.dir.path().join("data"))),
            data: self.dir.path().join("data"),
            listen: self.addr,
            watch: false,
            net: segue::server::Net::default(),
            keep: segue::server::privacy::Keep::default(),
            stores: segue::server::Stores::default(),
        };
        let server = Server::start(config).await.unwrap();
        self.addr = server.addr();
        self.server = Some(server);
    }

    pub(crate) fn client(&self) -> Client {
        client(&format!("http://{}", self.addr), &self.key)
    }
}

pub(crate) fn client(url: &str, key: &str) -> Client {
    Client::new(url, Credentials::ApiKey(key.to_owned())).unwrap()
}

/// A listener's machine.
pub(crate) struct Player {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) catalog: Catalog,
    pub(crate) account: AccountId,
    pub(crate) session: Session,
}

impl Player {
    pub(crate) async fn start(client: Client) -> Self {
        Self::start_with(client, None).await
    }

    pub(crate) async fn start_with(client: Client, store: Option<Store>) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), client, store).await
    }

    /// A start on a machine that knows something already.
    pub(crate) async fn start_in(dir: tempfile::TempDir, client: Client, store: Option<Store>) -> Self {
        Self::keeping(dir, client, store, Kept::default()).await
    }

    /// A start with something to be kept beside the pins.
    pub(crate) async fn keeping(
        dir: tempfile::TempDir,
        client: Client,
        store: Option<Store>,
        kept: Kept,
    ) -> Self {
        let catalog = Catalog::open(&dir.path().join("catalog.db")).await.unwrap();
        let account = AccountId::from("me");
        let options = Options { covers: dir.path().join("covers"), store, kept, pace: pace() };
        let session = Session::start_with(client, catalog.clone(), account.clone(), options);
        Self { dir, catalog, account, session }
    }

    pub(crate) fn library(&self) -> segue::catalog::Listener {
        self.catalog.listener(&self.account).with_outbox()
    }

    pub(crate) async fn until(&self, what: &str, holds: impl FnMut(&SessionStatus) -> bool) -> SessionStatus {
        let mut status = self.session.status();
        let found = tokio::time::timeout(Duration::from_secs(20), status.wait_for(holds)).await;
        let Ok(found) = found else {
            panic!("never came true: {what}; it is {:?}", self.session.status().borrow());
        };
        found.unwrap().clone()
    }

    pub(crate) async fn synced(&self) -> SessionStatus {
        self.until("synced", |s| matches!(s.sync, SyncState::Idle { at: Some(_) })).await
    }

    pub(crate) async fn tracks(&self) -> Vec<(TrackId, String)> {
        let windows = SearchWindows { tracks: Window::ALL, ..SearchWindows::first(0) };
        let hits = self.library().search("", windows).await.unwrap();
        let mut tracks: Vec<_> = hits.tracks.into_iter().map(|t| (t.id, t.title)).collect();
        tracks.sort_by(|a, b| a.1.cmp(&b.1));
        tracks
    }

    pub(crate) async fn titles(&self) -> Vec<String> {
        self.tracks().await.into_iter().map(|(_, title)| title).collect()
    }
}

pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never came true: {what}");
}

pub(crate) const SONGS: &[(&str, &str, &str)] = &[
    ("Alpha", "Ann", "First"),
    ("Beta", "Ann", "First"),
    ("Gamma", "Bob", "Second"),
    ("Delta", "Cem", "Third"),
];

pub(crate) fn read_all(mut reader: cache::Reader) -> std::io::Result<Vec<u8>> {
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let _ = done.send(reader.read_to_end(&mut all).map(|_| all));
    });
    wait.recv_timeout(Duration::from_secs(30)).expect("hung")
}

/// The store's patience in these tests.
pub(crate) fn store(dir: &Path) -> Store {
    let pace = cache::Pace {
        answer: Duration::from_millis(500),
        silence: Duration::from_millis(500),
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(50),
        ..cache::Pace::default()
    };
    Store::open_with(dir, 1 << 30, pace).unwrap()
}
