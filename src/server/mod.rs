//! Floor 2: the streaming server.
//!
//! A request comes in through `serve` (connections), is parsed into `params`, gets an account from `auth`, and goes to
//! its handler in `routes`; what the handler says leaves through `answer`, the one place where formats and errors
//! are made (`again` has what it wrote a moment ago). Handlers read and change the `catalog` as a `Listener` of that account; `media` and `cover` send bytes,
//! `ranges` decides which, `slice` makes those of a part of a file. `accounts` and `secrets` keep who may come in. `scan` fills the catalog from the music
//! folders and `storage`s, in the background. `plans` says what an account's plan allows and which ads it hears; `limits` and `flows` hold everybody
//! to that. `casting` wakes who waits for news of an account's devices. `health` and `metrics` tell operators how all of it does.
//!
//! ```text
//! socket ─ serve ─▶ routes ─ params, auth ─▶ handler ─ catalog, media, cover ─▶ answer ─▶ socket
//!                                               music folders ─ scan ─▶ catalog
//! ```

pub mod accounts;
mod again;
mod answer;
mod auth;
mod avatar;
pub mod backup;
mod breaker;
mod casting;
mod clock;
mod cover;
mod flows;
#[doc(hidden)]
pub mod fuzz;
mod guard;
mod handles;
mod health;
mod hearing;
mod jobs;
mod kept;
mod known;
mod library;
mod limits;
mod load;
mod media;
mod metrics;
mod open;
mod params;
mod peer;
mod pipe;
pub mod plans;
pub mod privacy;
mod ranges;
mod redirect;
mod routes;
pub mod scan;
mod seats;
mod secrets;
mod serve;
mod slice;
pub mod storage;
mod tally;
mod taste;
mod throttle;
mod tls;
mod transcode;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use accounts::FirstAccount;
pub use casting::Jukebox;
pub use clock::Clock;
pub(crate) use jobs::{Asked, Jobs, SCAN, Turn};
pub use library::{from_folders, from_storage};
pub use load::{Governor, Level, Meter, Readings};
pub use redirect::Redirects;
pub use routes::{ENDPOINTS, LEFT_OUT};
pub use taste::refresh_all;
pub use tls::TlsFiles;

use crate::analysis::AnalysisStatus;
use crate::catalog::{Account, Catalog, CatalogError, ClientProfile, Database, MusicFolder, Warm};
use crate::music::{AccountId, CoverId, TrackId};
use again::Answers;
use auth::Gate;
use casting::Casting;
use cover::Covers;
use flows::Flows;
use guard::Guard;
use handles::Handles;
use hearing::Hearing;
use library::Library;
use load::Load;
use media::Song;
use metrics::Metrics;
use peer::Peer;
use privacy::Keep;
use scan::ScanReport;
use seats::Seats;
use storage::Storage;
use tls::Tls;
use transcode::Transcoder;

/// Copies of persons' data that are written at once.
const MOST_EXPORTS: usize = 2;

/// What a server needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folders with music, and addresses of stores with music (`az://container/prefix`, `s3://…`, `gs://…`).
    pub music: Vec<PathBuf>,
    /// Where the server keeps what is its own: catalog, key, made pictures.
    pub data: PathBuf,
    /// Where its catalog is: a file, usually [`catalog_file`], or a database server.
    pub database: Database,
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Whether to look after the music folders in the background: watch for changes, and hear what is new.
    pub watch: bool,
    /// What faces the network.
    pub net: Net,
    /// How long things are kept.
    pub keep: Keep,
    /// How music gets from stores to listeners.
    pub stores: Stores,
}

/// How music gets from stores to listeners. It means nothing where all music is in folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stores {
    /// The most that the hot cache holds, bytes.
    pub hot_cache: u64,
    /// Who is sent to the store itself.
    pub redirects: Redirects,
}

impl Default for Stores {
    fn default() -> Self {
        Self { hot_cache: storage::HOT_CACHE, redirects: Redirects::default() }
    }
}

impl Config {
    /// Says what is wrong with it that can be seen without starting: the certificate and its key, the data folder.
    pub fn check(&self) -> Result<(), ServerError> {
        self.net.tls.clone().map(Tls::open).transpose()?;
        make_private(&self.data)?;
        backup::InUse::by_server(&self.data)?;
        Storage::open(&self.music).map_err(ServerError::Store)?;
        Ok(())
    }
}

/// How the server faces the network. By default: plain HTTP, and no proxy before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Net {
    /// Certificate and key for TLS.
    pub tls: Option<TlsFiles>,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How long running answers may go on after the server was told to stop.
    pub grace: Duration,
    /// How long it goes on as before when it is told to stop, but for saying that it is not ready: so long may a balancer take to see that.
    pub drain: Duration,
    /// The most players that are sent music at a time; 0 for as many as there are connections.
    pub most_streams: usize,
}

impl Default for Net {
    fn default() -> Self {
        Self {
            tls: None,
            trusted_proxies: Vec::new(),
            grace: Duration::from_secs(2),
            drain: Duration::ZERO,
            most_streams: 0,
        }
    }
}

/// What a server takes from the world around it; a test puts something else in its place.
#[derive(Debug, Clone)]
pub struct World {
    /// The time by which plans and ads begin and end.
    pub clock: Clock,
    /// Where the chance comes from with which ads are chosen.
    pub seed: u64,
    /// Whether ffmpeg is looked for.
    pub converts: bool,
    /// How often the server looks after what it does by itself.
    pub pace: Pace,
    /// The device that plays for `jukeboxControl`.
    pub jukebox: Option<Jukebox>,
    /// How much there is to do.
    pub load: Meter,
}

/// How often a server looks after what it does by itself.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long it has for its listeners before it begins.
    pub settle: Duration,
    /// How often it is looked at whose mixes are old.
    pub mixes: Duration,
    /// How long a training is good for.
    pub learned: Duration,
    /// How often what is old or to be erased goes.
    pub tidy: Duration,
    /// How long the turn at a job lasts whose process has died.
    pub lease: Duration,
}

impl Default for Pace {
    /// 15 s, 10 minutes, a day, an hour, 30 s.
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(15),
            mixes: Duration::from_mins(10),
            learned: Duration::from_hours(24),
            tidy: Duration::from_hours(1),
            lease: Duration::from_secs(30),
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            seed: rand::random(),
            converts: true,
            pace: Pace::default(),
            jukebox: None,
            load: Meter::measured(),
        }
    }
}

/// Why a server cannot start, or cannot do what the command line asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The data folder cannot be used.
    #[error("the data folder {} cannot be used: {source}", folder.display())]
    Data {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; is another server running there?")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("{} cannot be used for TLS: {why}", file.display())]
    Certificate {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A secret could not be read, made or kept.
    #[error("{0}")]
    Secret(String),
    /// There is no such account.
    #[error("there is no account “{0}”")]
    NoAccount(String),
    /// The name cannot be an account's.
    #[error(
        "“{0}” cannot be an account's name: 1 to 64 characters, no control characters, no space at the ends"
    )]
    Name(String),
    /// There is no such music folder.
    #[error("there is no music folder {0}: `segue users folders` lists them")]
    NoFolder(i64),
    /// No form of a track that the server could make.
    #[error("“{0}” is no form: raw, opus, mp3, aac or flac, with a bit rate as in opus-128")]
    NoForm(String),
    /// An ad or a plan cannot be what the operator asked for.
    #[error("{0}")]
    Ad(String),
    /// A password of nothing.
    #[error("a password must not be empty")]
    EmptyPassword,
    /// Nobody could administer the server any more.
    #[error("“{0}” is the last account that may administer this server; make another one first")]
    LastAdmin(String),
    /// What cannot be a jukebox.
    #[error("“{0}” names no device: say NAME, or ACCOUNT/NAME")]
    Jukebox(String),
    /// A backup cannot be made or brought back.
    #[error("{0}")]
    Backup(String),
    /// A person's data cannot be given out, erased or tidied up.
    #[error("{0}")]
    Privacy(String),
    /// A store cannot be used, or the place for what comes from there.
    #[error("{0}")]
    Store(String),
    /// A background task died.
    #[error("a part of the server stopped unexpectedly: {0}")]
    Task(String),
}

/// A running server. Dropping it without [`shutdown`](Self::shutdown) also stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    first_account: Option<FirstAccount>,
    shared: Arc<Shared>,
    drain: Duration,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    tallying: JoinHandle<()>,
    _in_use: backup::InUse,
}

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) catalog: Catalog,
    pub(crate) gate: Gate,
    pub(crate) covers: Arc<Covers>,
    pub(crate) handles: Handles,
    pub(crate) library: Library,
    pub(crate) metrics: Arc<Metrics>,
    /// What is written down by day.
    pub(crate) tally: tally::Tally,
    pub(crate) hearing: Hearing,
    /// Who waits for news of devices.
    pub(crate) casting: Casting,
    /// The device that plays for `jukeboxControl`.
    pub(crate) jukebox: Option<Jukebox>,
    pub(crate) transcoder: Transcoder,
    /// Where the music is.
    pub(crate) storage: Storage,
    /// Who is sent to the store itself.
    pub(crate) redirects: Redirects,
    /// What plans allow, and ads.
    pub(crate) desk: plans::Desk,
    /// Who is being sent music.
    pub(crate) flows: Flows,
    /// Where the audio of ads is.
    pub(crate) ads: PathBuf,
    /// Songs and where they are by account and id.
    pub(crate) songs: Warm<(AccountId, TrackId), Arc<Song>>,
    /// Places for decoding parts of files: as many as there are cores.
    pub(crate) cutting: Arc<Semaphore>,
    /// The music folders that there are, with their numbers.
    pub(crate) folders: Vec<MusicFolder>,
    /// Whether accounts that may not reach everything may see a picture.
    pub(crate) seen: Warm<(AccountId, CoverId), bool>,
    /// Lists that were written a moment ago.
    pub(crate) answers: Answers,
    /// What clients of accounts are sent.
    pub(crate) profiles: Warm<AccountId, Arc<[ClientProfile]>>,
    /// Cancelled when the server is told to end: nothing new is begun by itself.
    pub(crate) ending: CancellationToken,
    /// Cancelled when it takes no more connections.
    pub(crate) stop: CancellationToken,
    /// Jobs that one of several processes does.
    pub(crate) jobs: Jobs,
    /// How much there is to do.
    pub(crate) load: Arc<Load>,
    /// Songs that were sent lately, for a database that goes away.
    pub(crate) known: known::Songs,
    /// Who listens.
    pub(crate) seats: Arc<Seats>,
    /// What stands around answers.
    pub(crate) guard: Guard,
    /// How long things are kept.
    pub(crate) keep: Keep,
    /// Wakes who learns from everybody: somebody is to be left out from now on.
    pub(crate) relearn: Arc<Notify>,
    /// Places for copies that are given out.
    pub(crate) exports: Arc<Semaphore>,
    /// Whether clients come by TLS.
    secure: bool,
    /// Whether a proxy stands before the server whose word counts.
    behind_proxy: bool,
}

impl Shared {
    /// Forgets what is kept in memory of an account.
    pub(crate) async fn forget(&self, account: &AccountId) {
        self.gate.forget(account);
        self.known.forget(account);
        self.hearing.forget(account).await;
        self.relearn.notify_one();
    }

    /// The folders that an account may reach.
    pub(crate) fn folders_of(&self, account: &Account) -> impl Iterator<Item = &MusicFolder> {
        let reached = account.folders.clone();
        self.folders
            .iter()
            .filter(move |folder| reached.as_ref().is_none_or(|reached| reached.contains(&folder.id)))
    }

    /// Scheme, host and port by which a client reaches this server, as its request says; behind a proxy with https the
    /// proxy says so.
    pub(crate) fn base(&self, headers: &HeaderMap) -> String {
        let get = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let forwarded = get("x-forwarded-proto").filter(|_| self.behind_proxy);
        let scheme = if self.secure || forwarded == Some("https") { "https" } else { "http" };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '_');
        let host =
            get("host").filter(|host| !host.is_empty() && host.chars().all(plain)).unwrap_or("localhost");
        format!("{scheme}://{host}")
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Server {
    /// Opens the data folder and begins to answer; returns before the first scan of the music ends.
    pub async fn start(config: Config) -> Result<Self, ServerError> {
        Self::start_in(config, World::default()).await
    }

    /// The same in another world.
    pub async fn start_in(config: Config, world: World) -> Result<Self, ServerError> {
        let folder = config.data.clone();
        blocking(move || make_private(&folder)).await?;
        let tls = config.net.tls.clone().map(Tls::open).transpose()?.map(Arc::new);
        let in_use = backup::InUse::by_server(&config.data)?;
        let catalog = Catalog::open_at(&config.database).await?;
        let first_account = accounts::first_start(&catalog).await?;
        let vault = accounts::open_vault(&catalog, &config.data).await?;
        if privacy::erased_again(&catalog, &config.data).await? > 0 {
            tracing::warn!("accounts that had been erased were back, and were erased again");
        }
        let rules = scan::SplitRules::of_data(&config.data);
        let (ending, stop) = (CancellationToken::new(), CancellationToken::new());
        let load = Load::new(world.load);
        let jobs = Jobs::new(catalog.clone(), world.pace.lease, Arc::clone(&load));
        let storage = Storage::open(&config.music).map_err(ServerError::Store)?;
        let (hot, most) = (config.data.join("hot"), config.stores.hot_cache);
        let storage =
            blocking(move || storage.with_hot_cache(&hot, most).map_err(ServerError::Store)).await?;
        let library =
            Library::new((catalog.clone(), &jobs), (config.music, &storage), &rules, ending.clone());
        let folders = catalog.number_folders(library.roots()).await?;
        let shared = Arc::new(Shared {
            folders,
            seen: Warm::default(),
            profiles: Warm::default(),
            answers: Answers::default(),
            gate: Gate::new(catalog.clone(), Arc::new(vault)),
            covers: Arc::new(Covers::new(config.data.join("covers"))),
            handles: Handles::default(),
            library,
            metrics: Metrics::new(),
            tally: tally::Tally::default(),
            hearing: Hearing::beside(&catalog),
            casting: Casting::default(),
            jukebox: world.jukebox,
            transcoder: Transcoder::new(config.data.join("transcodes"), world.converts),
            storage,
            redirects: config.stores.redirects,
            desk: plans::Desk::new(catalog.clone(), world.clock.clone(), world.seed),
            flows: Flows::new(world.clock.clone()),
            ads: plans::ads_folder(&config.data),
            songs: Warm::default(),
            cutting: Arc::new(Semaphore::new(
                std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            )),
            known: known::Songs::default(),
            seats: Seats::new(config.net.most_streams),
            guard: Guard::new(catalog.is_shared()),
            ending: ending.clone(),
            stop: stop.clone(),
            jobs: jobs.clone(),
            load,
            keep: config.keep,
            relearn: Arc::default(),
            exports: Arc::new(Semaphore::new(MOST_EXPORTS)),
            secure: tls.is_some(),
            behind_proxy: !config.net.trusted_proxies.is_empty(),
            catalog,
        });
        let fail = |source| ServerError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let router = routes::router(Arc::clone(&shared));
        let secure = shared.secure;
        if let Some(tls) = &tls {
            tokio::spawn(Arc::clone(tls).keep_fresh(stop.clone()));
        }
        let drain = config.net.drain;
        let door =
            serve::Door { router, net: Arc::new(config.net), tls, metrics: Arc::clone(&shared.metrics) };
        let serving = tokio::spawn(serve::serve(listener, door, stop.clone()));
        let (handles, stopped) = (Arc::clone(&shared), stop.clone());
        tokio::spawn(async move { handles.handles.tidy(stopped).await });
        tokio::spawn(load::keep(Arc::clone(&shared), stop.clone()));
        tokio::spawn(flows::keep(Arc::clone(&shared), stop.clone()));
        tokio::spawn(plans::keep(jobs, world.clock, ending.clone()));
        let tallying = tokio::spawn(tally::keep(Arc::clone(&shared), stop.clone()));
        shared.library.start(config.watch);
        if config.watch {
            tokio::spawn(taste::keep(Arc::clone(&shared), config.data.clone(), world.pace, ending.clone()));
            tokio::spawn(privacy::look_after(Arc::clone(&shared), config.data.clone(), world.pace, ending));
        }
        tracing::info!(%address, secure, "serving");
        Ok(Self { address, first_account, shared, drain, stop, serving, tallying, _in_use: in_use })
    }

    /// Where the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The account that this start made, when it was the first one. A made-up password is to be shown once.
    pub fn first_account(&self) -> Option<&FirstAccount> {
        self.first_account.as_ref()
    }

    /// An API key for an account that is good as long as this server runs; it is stored nowhere, and `key_name` says
    /// in the log who got it. For keys that stay there is [`accounts::new_api_key`].
    pub async fn issue_key(&self, account_name: &str, key_name: &str) -> Result<String, ServerError> {
        let account = self.shared.catalog.account_named(account_name).await?;
        let account = account.ok_or_else(|| ServerError::NoAccount(account_name.to_owned()))?;
        tracing::debug!(account = %account.name, key = key_name, "a key for this run");
        Ok(self.shared.gate.issue_session_key(&account.id))
    }

    /// Waits for the first scan of the music and says what it found.
    pub async fn first_scan(&self) -> Arc<ScanReport> {
        self.shared.library.first_scan().await
    }

    /// How far the analysis of the sound is.
    pub fn analysis(&self) -> AnalysisStatus {
        self.shared.library.analysis()
    }

    /// Holds the analysis of the sound, or goes on with it; it gives way to everything else anyhow.
    pub fn pause_analysis(&self, on: bool) {
        self.shared.library.pause_analysis(on);
    }

    /// Stops: from now on it is not ready, and does no jobs; [after a time](Net::drain) there is no new connection,
    /// [some time](Net::grace) for running answers, then the end.
    pub async fn shutdown(mut self) {
        self.shared.ending.cancel();
        self.shared.jobs.end().await;
        tokio::time::sleep(self.drain).await;
        self.stop.cancel();
        if let Err(error) = (&mut self.serving).await {
            tracing::warn!(%error, "the server did not end in order");
        }
        if let Err(error) = (&mut self.tallying).await {
            tracing::warn!(%error, "what the server did was not written down");
        }
        self.shared.library.stopped().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ending.cancel();
        self.stop.cancel();
    }
}

/// The catalog's file in a data folder.
pub fn catalog_file(data: &Path) -> PathBuf {
    data.join("catalog.db")
}

/// Makes a folder that only its owner may enter; one that is there already stays as it is.
fn make_private(folder: &Path) -> Result<(), ServerError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|source| ServerError::Data { folder: folder.to_owned(), source })
}

/// Work that would hold up an async thread.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServerError> + Send + 'static,
) -> Result<T, ServerError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(ServerError::Task(error.to_string())),
    }
}
