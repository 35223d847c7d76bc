//! This player as a device on which others play: it tells the server how it is whenever somebody would see a difference, and does what
//! it is asked for, in order. A server that goes away and comes back is told everything anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::wire;
use crate::catalog::{Catalog, CatalogError, Listener};
use crate::client::Session;
use crate::music::{Track, TrackId};
use crate::player::{Command, Player, Queue, Status, Transport};
use crate::subsonic::devices::{DeviceCommand, DeviceReport, DeviceStatus};

/// What it is.
const KIND: &str = "speaker";
/// Shortest pause between two reports.
const REPORTS: Duration = Duration::from_millis(100);
/// Pause after a question that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// A place that differs from the expected one by more than this was sought, ms: while it moves, and while it stands.
const JUMP_MS: (u64, u64) = (1000, 50);
/// How long tracks that are not known here yet are waited for.
const SYNC: Duration = Duration::from_secs(10);

/// This player as a device.
#[derive(Clone)]
pub(in crate::cli) struct Speaker {
    id: String,
    name: String,
    session: Arc<Session>,
    listener: Listener,
    player: Player,
    told: watch::Sender<Done>,
}

/// What is told beside the player's state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Done {
    /// Number of the last command that was carried out.
    sequence: i64,
    /// What could not be done, as a sentence.
    trouble: Option<String>,
    /// Counts the times that the server did not know this device.
    forgotten: u64,
}

impl Speaker {
    /// A device of this name. Its id stays the same after every start.
    pub(in crate::cli) async fn named(
        name: &str,
        catalog: &Catalog,
        listener: &Listener,
        session: &Arc<Session>,
        player: &Player,
    ) -> Result<Self, CatalogError> {
        let key = format!("device.id.{name}");
        let id = if let Some(id) = catalog.setting(&key).await? {
            id
        } else {
            let id = format!("{:032x}", rand::random::<u128>());
            catalog.set_setting(&key, &id).await?;
            id
        };
        Ok(Self {
            id,
            name: name.to_owned(),
            session: Arc::clone(session),
            listener: listener.clone(),
            player: player.clone(),
            told: watch::Sender::default(),
        })
    }

    /// Tells whoever drives this player what cannot be done.
    pub(in crate::cli) fn trouble(&self, sentence: String) {
        self.told.send_if_modified(|done| {
            let news = done.trouble.as_ref() != Some(&sentence);
            done.trouble = Some(sentence);
            news
        });
    }

    /// Is a device until it is dropped. Ends with a sentence when the server knows no devices.
    pub(in crate::cli) async fn serve(self) -> String {
        loop {
            self.session.reachable().await;
            match self.session.knows_devices().await {
                Some(true) => break,
                Some(false) => {
                    return "this server lets no other player drive this one: Segue's own servers do"
                        .to_owned();
                }
                None => tokio::time::sleep(PAUSE).await,
            }
        }
        let newest = watch::Sender::new(None);
        tokio::join!(self.tell(&newest), self.obey(newest.subscribe()));
        String::new()
    }

    /// Is no device any more.
    pub(in crate::cli) async fn leave(&self) {
        let forgotten =
            tokio::time::timeout(Duration::from_secs(2), self.session.forget_device(&self.id)).await;
        if !matches!(forgotten, Ok(Ok(()))) {
            tracing::info!("the server was not told that this device ends");
        }
    }

    /// Tells what changes, as long as the player lives. `newest` becomes the number of the newest command.
    async fn tell(&self, newest: &watch::Sender<Option<i64>>) {
        let (mut status, mut done) = (self.player.status(), self.told.subscribe());
        let mut last: Option<Last> = None;
        loop {
            let (now, besides) = (status.borrow_and_update().clone(), done.borrow_and_update().clone());
            let report = last.as_ref().map_or(Some(true), |last| last.news(&now, &besides));
            if let Some(whole) = report {
                let at = Instant::now();
                let told = wire::status_of(&now, besides.sequence, besides.trouble.clone());
                let queue = (whole && !now.private).then(|| wire::queue_of(&now.queue));
                let (id, name) = (self.id.clone(), self.name.clone());
                let report = DeviceReport { id, name, kind: KIND.to_owned(), status: told.clone(), queue };
                match self.session.report_device(&report).await {
                    Ok(number) => {
                        newest.send_replace(Some(number));
                        last = Some(Last { told, now, besides, at });
                    }
                    Err(error) => {
                        tracing::debug!(%error, "this device was not told of");
                        last = None;
                        tokio::time::sleep(PAUSE).await;
                        self.session.reachable().await;
                        continue;
                    }
                }
                tokio::time::sleep(REPORTS).await;
            }
            tokio::select! {
                changed = status.changed() => if changed.is_err() { return },
                changed = done.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Does what is asked for, as long as the player lives. Commands from before this start are none of its business.
    async fn obey(&self, mut newest: watch::Receiver<Option<i64>>) {
        let Ok(mut after) = newest.wait_for(Option::is_some).await.map(|first| first.unwrap_or(0)) else {
            return;
        };
        self.told.send_modify(|done| done.sequence = after);
        loop {
            self.session.reachable().await;
            match self.session.device_commands(&self.id, after).await {
                Ok(Some(commands)) => {
                    for command in commands {
                        tracing::debug!(
                            action = command.action,
                            sequence = command.sequence,
                            "asked from elsewhere"
                        );
                        let trouble = self.carry_out(&command).await.err();
                        // What was asked for shows in the status before it is said to be done.
                        let _ = self.player.saved().await;
                        after = command.sequence;
                        self.told.send_modify(|done| (done.sequence, done.trouble) = (after, trouble));
                    }
                }
                Ok(None) => {
                    self.told.send_modify(|done| done.forgotten += 1);
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    tracing::debug!(%error, "nobody can be asked what is wanted of this device");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn carry_out(&self, command: &DeviceCommand) -> Result<(), String> {
        let tracks =
            if wire::needs_tracks(command) { self.tracks(&command.track_id).await? } else { Vec::new() };
        match command.action.as_str() {
            "takeOver" => {
                let (saved, at_ms) = wire::handed_over(command);
                let known = wire::known(tracks);
                let wanted = command.index.and_then(|at| command.track_id.get(usize::try_from(at).ok()?));
                if wanted.is_some_and(|id| !known.contains_key(id)) {
                    return Err("The track that is to go on is not known here.".to_owned());
                }
                self.begin_anew(Queue::restore(&saved, |id| known.get(id).cloned()), at_ms);
                if command.play.unwrap_or(true) {
                    self.player.send(Command::Resume);
                }
            }
            "clear" => self.begin_anew(Queue::new(), 0),
            "set" => self.set(tracks),
            _ => {
                let now = self.player.status().borrow().clone();
                for command in wire::obeyed(command, tracks, &now) {
                    self.player.send(command);
                }
            }
        }
        Ok(())
    }

    fn begin_anew(&self, queue: Queue, at_ms: u64) {
        self.player.send(Command::Stop);
        self.player.restore(queue, at_ms);
    }

    /// These tracks in the place of all others; what plays goes on, among them where it is one of them.
    fn set(&self, mut tracks: Vec<Track>) {
        let now = self.player.status().borrow().clone();
        let playing = now.queue.now.as_ref().filter(|_| now.transport != Transport::Stopped);
        let place = playing.and_then(|now| tracks.iter().position(|track| track.id == now.track.id));
        let loaded = matches!(now.transport, Transport::Playing | Transport::Buffering);
        match (place, playing) {
            (Some(place), _) => {
                let after = tracks.split_off(place + 1);
                tracks.truncate(place);
                self.player.send(Command::Surround { before: tracks, after, name: String::new() });
            }
            (None, Some(_)) if loaded => {
                let before = Vec::new();
                self.player.send(Command::Surround { before, after: tracks, name: String::new() });
            }
            _ => {
                self.begin_anew(Queue::new(), 0);
                self.player.send(Command::Extend { tracks, name: String::new() });
            }
        }
    }

    /// The tracks of these ids in their order. New ones are looked for on the server; those that are nowhere are left out, if there are
    /// others.
    async fn tracks(&self, ids: &[String]) -> Result<Vec<Track>, String> {
        let mut wanted: Vec<TrackId> = ids.iter().map(|id| id.as_str().into()).collect();
        wanted.sort();
        wanted.dedup();
        let mut known = wire::Known::new();
        for attempt in 0..2 {
            let found = self.listener.tracks(&wanted).await.map_err(|e| e.to_string())?;
            known = wire::known(found);
            if known.len() == wanted.len() || attempt == 1 {
                break;
            }
            self.session.sync_now();
            tokio::time::sleep(Duration::from_millis(300)).await;
            self.session.settled(SYNC).await;
        }
        if known.is_empty() {
            return Err("None of these tracks is known here.".to_owned());
        }
        Ok(ids.iter().filter_map(|id| known.get(id)).map(|track| (**track).clone()).collect())
    }
}

/// What was told last.
struct Last {
    told: DeviceStatus,
    now: Status,
    besides: Done,
    at: Instant,
}

impl Last {
    /// Whether others would see a difference; `Some(true)` when the queue is to be told, too.
    fn news(&self, now: &Status, besides: &Done) -> Option<bool> {
        let queue = !Arc::ptr_eq(&now.queue, &self.now.queue)
            && wire::queue_of(&now.queue) != wire::queue_of(&self.now.queue);
        // The server keeps no queue of a private session.
        let whole = queue || now.private != self.now.private || besides.forgotten != self.besides.forgotten;
        let told = wire::status_of(now, besides.sequence, besides.trouble.clone());
        let still = |status: &DeviceStatus| DeviceStatus { position: 0, ..status.clone() };
        let (moved, most) = if self.now.transport == Transport::Playing {
            (u64::try_from(self.at.elapsed().as_millis()).unwrap_or(u64::MAX), JUMP_MS.0)
        } else {
            (0, JUMP_MS.1)
        };
        let sought = told.position.abs_diff(self.told.position.saturating_add(moved)) > most;
        (whole || sought || still(&told) != still(&self.told)).then_some(whole)
    }
}
