//! The listening half of the program, put together from its rooms.
//!
//! ```text
//! settings ─▶ server (inside, or far away) ─▶ session ─▶ catalog ◀─ screens
//!                                                └─▶ store ─▶ player ─▶ engine ─▶ device
//! player's events ─▶ recorder ─▶ catalog + outbox ─▶ session
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::cast::Stage;
use super::config::Settings;
use super::ctl::{self, Door, Handed, Inside};
use super::mixer::{self, Mixer};
use super::paths::Paths;
use super::recorder::Recorder;
use super::remembered::Remembered;
use super::{CliError, credentials, demo, desktop, scrobble, tell};
use crate::audio::Engine;
use crate::cache::Store;
use crate::catalog::{Catalog, Database, Listener};
use crate::client::{self, Connection, Session, SyncState};
use crate::music::{AccountId, Track, TrackId};
use crate::player::{Command, Counted, Loudness, Parts, Player, Queue, SavedQueue};
use crate::scrobble::Scrobbler;
use crate::server::{self, Server};
use crate::subsonic::{Client, Credentials};

/// Key of the catalog's settings under which the queue is kept.
const QUEUE: &str = "player.queue";
/// The same for a device that others play on.
const DEVICE_QUEUE: &str = "player.queue.device";
/// Key under which the volume is kept.
const VOLUME: &str = "player.volume";
/// Where what is counted for the plan is kept.
const COUNTED: &str = "player.counted";
/// How often it is looked at whether the queue changed.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// The listener's account in the local catalog.
const ACCOUNT: &str = "me";
/// Label of the API key with which the player signs in to the server inside it.
const EMBEDDED_KEY: &str = "the player around this server";

/// One listener at one server, without sound.
pub(super) struct Library {
    /// What is known here.
    pub(super) catalog: Catalog,
    /// The same through the listener's eyes; edits also go to the outbox.
    pub(super) listener: Listener,
    /// Tracks on this machine.
    pub(super) store: Store,
    /// The connection.
    pub(super) session: Arc<Session>,
    /// Name of the folder for what is known of this account at this server.
    profile: String,
    /// The server inside this process, if there is one.
    embedded: Option<Server>,
}

impl Library {
    /// Opens the local catalog and begins to connect; returns before the server has answered.
    pub(super) async fn open(
        settings: &Settings,
        music: &[PathBuf],
        paths: &Paths,
    ) -> Result<Self, CliError> {
        let (url, credentials, profile, embedded) = if let Some(url) = &settings.server {
            let credentials = credentials::find(settings, paths, url)?;
            (url.clone(), credentials, profile_name(url, settings.user.as_deref()), None)
        } else {
            let server = start_embedded(settings, music, paths).await?;
            let key = server.issue_key("admin", EMBEDDED_KEY).await?;
            let url = format!("http://{}", server.addr());
            (url, Credentials::ApiKey(key), "home".to_owned(), Some(server))
        };
        let client = Client::new(&url, credentials)?;
        let data = paths.data.join("profiles").join(&profile);
        let cache = paths.cache.join("profiles").join(&profile);
        let catalog = Catalog::open(&data.join("catalog.db")).await?;
        let store = Store::open(&cache.join("tracks"), bytes(settings.cache_gb))?;
        let account = AccountId::from(ACCOUNT);
        let options = client::Options {
            covers: cache.join("covers"),
            store: Some(store.clone()),
            kept: client::Kept {
                quality: settings.pin_quality,
                // The music of the server inside is on this machine anyway.
                room: if embedded.is_some() { 0 } else { bytes(settings.keep_gb) },
            },
            pace: client::Pace::default(),
        };
        let session = Session::start_with(client, catalog.clone(), account.clone(), options);
        let listener = catalog.listener(&account).with_outbox();
        Ok(Self { catalog, listener, store, session: Arc::new(session), profile, embedded })
    }

    /// Waits until everything that the server has is known here, or `limit` has passed, or the server cannot be
    /// reached. The error says why it cannot be.
    pub(super) async fn settled(&self, limit: Duration) -> Result<(), String> {
        let mut status = self.session.status();
        let settle = async {
            let done = status.wait_for(|s| {
                matches!(s.sync, SyncState::Idle { at: Some(_) } | SyncState::Failed(_))
                    || matches!(s.connection, Connection::Offline { .. })
                    || s.problem.is_some()
            });
            let Ok(found) = done.await else { return Ok(()) };
            match (&found.problem, &found.connection, &found.sync) {
                (Some(why), ..)
                | (_, Connection::Offline { why, .. }, _)
                | (_, _, SyncState::Failed(why)) => Err(why.clone()),
                _ => Ok(()),
            }
        };
        tokio::time::timeout(limit, settle).await.unwrap_or(Ok(()))
    }

    /// Ends the connection, then the server inside.
    pub(super) async fn close(self) {
        if let Some(session) = Arc::into_inner(self.session) {
            session.shutdown().await;
        }
        if let Some(server) = self.embedded {
            server.shutdown().await;
        }
    }
}

/// The name of the folder for what `settings` mean.
fn profile_of(settings: &Settings) -> String {
    match &settings.server {
        Some(url) => profile_name(url, settings.user.as_deref()),
        None => "home".to_owned(),
    }
}

/// The listener in the catalog of the profile that `settings` mean, without a connection; none before the first start.
pub(super) async fn listener_of(settings: &Settings, paths: &Paths) -> Result<Option<Listener>, CliError> {
    let file = paths.data.join("profiles").join(profile_of(settings)).join("catalog.db");
    if !file.is_file() {
        return Ok(None);
    }
    Ok(Some(Catalog::open(&file).await?.listener(&AccountId::from(ACCOUNT))))
}

/// The store of the profile that `settings` mean, without a connection.
pub(super) fn store_of(settings: &Settings, paths: &Paths) -> Result<Store, CliError> {
    let cache = paths.cache.join("profiles").join(profile_of(settings));
    Ok(Store::open(&cache.join("tracks"), bytes(settings.cache_gb))?)
}

fn bytes(gigabytes: f64) -> u64 {
    (gigabytes.max(0.0) * 1e9) as u64
}

/// The name of the folder for what is known of one account at one server.
fn profile_name(url: &str, user: Option<&str>) -> String {
    let host = url.split("://").nth(1).unwrap_or(url);
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
    };
    format!("{}@{}", plain(user.unwrap_or("key")), plain(host.trim_end_matches('/')))
}

async fn start_embedded(settings: &Settings, music: &[PathBuf], paths: &Paths) -> Result<Server, CliError> {
    let demo = demo::unpack(&paths.data)
        .map_err(|e| CliError::Wrong(format!("cannot write to {}: {e}", paths.data.display())))?;
    let mut folders: Vec<PathBuf> = music.to_vec();
    if folders.is_empty() {
        folders.extend(settings.music.clone().or_else(|| paths.music.clone()));
    }
    folders.push(demo);
    let listen = (std::net::Ipv4Addr::LOCALHOST, 0).into();
    let config = server::Config {
        music: folders,
        database: Database::File(server::catalog_file(&paths.data.join("server"))),
        data: paths.data.join("server"),
        listen,
        watch: true,
        net: server::Net::default(),
        keep: server::privacy::Keep::default(),
        stores: server::Stores::default(),
    };
    Ok(Server::start(config).await?)
}

/// Sentences for the listener: what cannot be played, what is not done.
pub(super) type Said = mpsc::UnboundedReceiver<String>;

/// A library that can be heard.
pub(super) struct Rig {
    /// Where the music comes from.
    pub(super) library: Library,
    /// What plays it here.
    pub(super) player: Player,
    /// Where it sounds: here, or elsewhere.
    pub(super) stage: Stage,
    director: tokio::task::JoinHandle<()>,
    queue_key: &'static str,
    /// Where `segue ctl` comes in; none where another player has it.
    pub(super) door: Option<Door>,
    /// Done when somebody outside wants the player to end.
    pub(super) leave: CancellationToken,
    remembered: Remembered,
    recorder: tokio::task::JoinHandle<()>,
    keeper: tokio::task::JoinHandle<()>,
    teller: tokio::task::JoinHandle<()>,
    /// What is made of the listener's taste in the background.
    pub(super) mixer: Mixer,
    /// Who tells scrobbling services; none where none is to be told.
    scrobbler: Option<Arc<Scrobbler>>,
    background: Vec<tokio::task::JoinHandle<()>>,
}

/// How a player begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// Beside whatever plays already.
    Anew,
    /// In the place of the player that plays without a screen, if one does.
    InItsPlace,
    /// As a device that others play on, with a queue of its own.
    AsDevice,
}

impl Rig {
    /// Opens the library and the sound output. Also tells the listener what goes wrong.
    pub(super) async fn assemble(
        settings: &Settings,
        music: &[PathBuf],
        paths: &Paths,
        begin: Begin,
    ) -> Result<(Self, Said), CliError> {
        let library = Library::open(settings, music, paths).await?;
        let remembered = Remembered::read(settings, &library.catalog).await;
        let sound = remembered.sound();
        let (engine, reports) = Engine::start(sound.engine_output());
        let volume = remembered_volume(&library.catalog).await.unwrap_or(settings.volume);
        let source = library.session.source();
        let loudness = Loudness { mode: settings.replaygain, preamp_db: settings.preamp_db };
        let (player, events) = Player::start(Parts {
            engine,
            reports,
            store: library.store.clone(),
            source,
            quality: settings.quality,
            pinned_quality: settings.pin_quality,
            volume,
            loudness,
            sound,
        });
        let handed = match begin {
            Begin::Anew | Begin::AsDevice => None,
            Begin::InItsPlace => ctl::take_over(&paths.socket(), &library.profile).await,
        };
        if settings.private || handed.as_ref().is_some_and(|handed| handed.private) {
            player.send(Command::Private(true));
        }
        if let Some(counted) = remembered_count(&library.catalog).await {
            player.send(Command::Count(counted));
        }
        let elsewhere = handed.as_ref().and_then(|handed| handed.elsewhere.clone());
        let queue_key = if begin == Begin::AsDevice { DEVICE_QUEUE } else { QUEUE };
        restore_queue(&library, &player, handed, queue_key).await;
        let (said, sentences) = mpsc::unbounded_channel();
        let (stage, director) =
            Stage::open(player.clone(), library.listener.clone(), Arc::clone(&library.session), said.clone());
        if let Some(id) = elsewhere {
            stage.attach(id);
        }
        let inside = Inside {
            player: stage.clone(),
            listener: library.listener.clone(),
            session: Arc::clone(&library.session),
            profile: library.profile.clone(),
        };
        let door = Door::open(paths.socket(), inside).await;
        let mixer = Mixer::new();
        let scrobbler = scrobble::start(settings, paths, &library.listener, &library.session).map(Arc::new);
        let recorder = Recorder {
            listener: library.listener.clone(),
            session: Arc::clone(&library.session),
            mixer: mixer.clone(),
            scrobbler: scrobbler.clone(),
            status: player.status(),
            said,
        };
        let recorder = tokio::spawn(recorder.run(events));
        let keeper =
            tokio::spawn(keep_up(library.catalog.clone(), player.clone(), remembered.clone(), queue_key));
        let teller = tell::tell(player.clone(), library.listener.clone(), Arc::clone(&library.session));
        let teller = tokio::spawn(teller);
        let mut background = in_background(&library, &player, &mixer);
        let leave = door.as_ref().map(Door::leave).unwrap_or_default();
        let behind = desktop::Behind {
            player: stage.clone(),
            listener: library.listener.clone(),
            session: Arc::clone(&library.session),
            leave: leave.clone(),
        };
        background.extend(desktop::start(settings, door.is_some(), behind));
        Ok((
            Self {
                library,
                player,
                stage,
                director,
                queue_key,
                door,
                leave,
                remembered,
                recorder,
                keeper,
                teller,
                mixer,
                scrobbler,
                background,
            },
            sentences,
        ))
    }

    /// Keeps the queue, ends sound, delivers what can be delivered, and closes the library.
    pub(super) async fn close(self) {
        if let Some(door) = self.door {
            door.close().await;
        }
        for task in self.background {
            task.abort();
            let _ = task.await; // their handles on the player must be gone
        }
        self.keeper.abort();
        let _ = self.keeper.await; // its handle on the player must be gone
        keep(&self.library.catalog, &self.player, &self.remembered, self.queue_key).await;
        self.teller.abort();
        let away = self.stage.is_away();
        self.director.abort();
        let _ = self.director.await; // its handle on the player must be gone
        drop(self.stage);
        let status = self.player.status().borrow().clone();
        // What plays elsewhere leaves its queue by itself.
        let left = tell::queue_of(&status).filter(|_| !status.private && !away);
        tell::leave(&self.library.listener, &self.library.session, left).await;
        drop(self.player);
        // The recorder ends when the player has closed the account of what was heard last.
        if tokio::time::timeout(Duration::from_secs(2), self.recorder).await.is_err() {
            tracing::warn!("the last play was not written down in time");
        }
        if let Some(scrobbler) = self.scrobbler.and_then(Arc::into_inner) {
            scrobbler.shutdown().await;
        }
        self.library.close().await;
    }
}

/// Everything that goes on for the listener's taste.
fn in_background(library: &Library, player: &Player, mixer: &Mixer) -> Vec<tokio::task::JoinHandle<()>> {
    let (catalog, listener) = (library.catalog.clone(), library.listener.clone());
    let downloads = library.session.downloads().cloned();
    let mut status = library.session.status();
    let (tell, generation) = watch::channel(status.borrow().catalog_generation);
    let follow = async move {
        while status.changed().await.is_ok() {
            let now = status.borrow_and_update().catalog_generation;
            tell.send_if_modified(|last| std::mem::replace(last, now) != now);
        }
    };
    let (source, store) = (library.session.source(), library.store.clone());
    vec![
        tokio::spawn(follow),
        tokio::spawn(mixer.clone().keep(listener.clone(), generation, downloads)),
        tokio::spawn(obey_plan(player.clone(), library.session.allowed())),
        tokio::spawn(mixer::keep_radio(player.clone(), listener, catalog.clone())),
        tokio::spawn(mixer::hear(catalog, store, source, mixer.clone())),
    ]
}

async fn remembered_volume(catalog: &Catalog) -> Option<u8> {
    catalog.setting(VOLUME).await.ok().flatten()?.parse().ok()
}

/// Tells the player what the listener's plan allows.
async fn obey_plan(player: Player, mut allowed: watch::Receiver<client::Allowed>) {
    loop {
        let client::Allowed { plan, ads } = allowed.borrow_and_update().clone();
        player.send(Command::Plan { plan: Arc::new(plan), ads });
        if allowed.changed().await.is_err() {
            return;
        }
    }
}

async fn remembered_count(catalog: &Catalog) -> Option<Counted> {
    serde_json::from_str(&catalog.setting(COUNTED).await.ok().flatten()?).ok()
}

/// Keeps the queue and the position while the player runs, so that even a killed one comes back where it was.
async fn keep_up(catalog: Catalog, player: Player, remembered: Remembered, key: &str) {
    let mut last = player.status().borrow().clone();
    loop {
        tokio::time::sleep(KEEP_EVERY).await;
        let now = player.status().borrow().clone();
        let same = Arc::ptr_eq(&now.queue, &last.queue)
            && now.volume == last.volume
            && now.sound == last.sound
            && now.counted == last.counted;
        if !same || now.position_ms.abs_diff(last.position_ms) > 5000 {
            keep(&catalog, &player, &remembered, key).await;
            last = now;
        }
    }
}

/// Writes queue, position and volume down for a later start.
async fn keep(catalog: &Catalog, player: &Player, remembered: &Remembered, key: &str) {
    let (volume, sound, counted) = {
        let status = player.status();
        let status = status.borrow();
        (status.volume, remembered.written(&status.sound), status.counted.clone())
    };
    let Some(saved) = player.saved().await else { return };
    let kept = async {
        catalog.set_setting(Remembered::KEY, &sound).await.map_err(|e| e.to_string())?;
        catalog.set_setting(VOLUME, &volume.to_string()).await.map_err(|e| e.to_string())?;
        let text = serde_json::to_string(&counted).map_err(|e| e.to_string())?;
        catalog.set_setting(COUNTED, &text).await.map_err(|e| e.to_string())?;
        let text = serde_json::to_string(&saved).map_err(|e| e.to_string())?;
        catalog.set_setting(key, &text).await.map_err(|e| e.to_string())
    };
    if let Err(e) = kept.await {
        tracing::warn!("the queue was not kept: {e}");
    }
}

/// The queue and position of the player that was here before, or of the last start.
async fn restore_queue(library: &Library, player: &Player, handed: Option<Handed>, key: &str) {
    let (saved, position_ms, playing) = if let Some(handed) = handed {
        player.send(Command::SetVolume(handed.volume));
        (handed.queue, handed.position_ms, handed.playing)
    } else {
        let Ok(Some(text)) = library.catalog.setting(key).await else { return };
        let Ok((saved, position_ms)) = serde_json::from_str::<(SavedQueue, u64)>(&text) else { return };
        (saved, position_ms, false)
    };
    let mut ids: Vec<TrackId> = saved.track_ids().map(TrackId::from).collect();
    ids.sort();
    ids.dedup();
    match library.listener.tracks(&ids).await {
        Ok(tracks) => {
            let known: std::collections::HashMap<String, Arc<Track>> =
                tracks.into_iter().map(|t| (t.id.as_str().to_owned(), Arc::new(t))).collect();
            player.restore(Queue::restore(&saved, |id| known.get(id).cloned()), position_ms);
            if playing {
                player.send(Command::Resume);
            }
        }
        Err(e) => tracing::warn!("the queue was not restored: {e}"),
    }
}
