//! Where the music sounds: here, or at another player of the account. Whoever drives the player drives this, and need not know.
//!
//! A queue moves in this order: the new player is told everything and begins; when it sounds, the old one stops. If it does not begin,
//! nothing has changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::remote::{News, Remote};
use super::wire;
use crate::audio::Spectrum;
use crate::catalog::Listener;
use crate::client::Session;
use crate::player::{Command, Player, Queue, SavedQueue, Status, Transport};
use crate::subsonic::devices::{Device, DeviceCommand};
use crate::tui::effects::Place;

/// What this machine is called among the devices.
pub(in crate::cli) const HERE: &str = "here";
/// Longest wait until a player that takes over sounds.
const BEGINS: Duration = Duration::from_secs(10);
/// How often the place of another player is shown anew while it plays.
const TICK: Duration = Duration::from_millis(250);

/// A handle on where the music sounds; clones drive the same.
#[derive(Clone)]
pub(in crate::cli) struct Stage {
    here: Player,
    listener: Listener,
    session: Arc<Session>,
    away: Arc<AtomicBool>,
    asks: mpsc::UnboundedSender<Ask>,
    status: watch::Receiver<Status>,
}

enum Ask {
    Command(Command),
    PlayOn(String, oneshot::Sender<Result<String, String>>),
    Attach(String),
    Where(oneshot::Sender<Option<String>>),
}

impl Stage {
    /// A stage on which the player here plays. Sentences for the listener go to `said`.
    pub(in crate::cli) fn open(
        here: Player,
        listener: Listener,
        session: Arc<Session>,
        said: mpsc::UnboundedSender<String>,
    ) -> (Self, JoinHandle<()>) {
        let (asks, asked) = mpsc::unbounded_channel();
        let first = here.status().borrow().clone();
        let (out, status) = watch::channel(first);
        let away = Arc::new(AtomicBool::new(false));
        let director = Director {
            local: here.status(),
            here: here.clone(),
            listener: listener.clone(),
            session: Arc::clone(&session),
            away: Arc::clone(&away),
            remote: None,
            out,
            said,
        };
        let task = tokio::spawn(director.run(asked));
        (Self { here, listener, session, away, asks, status }, task)
    }

    /// Asks whoever plays for something.
    pub(in crate::cli) fn send(&self, command: Command) {
        if self.is_away() {
            let _ = self.asks.send(Ask::Command(command));
        } else {
            self.here.send(command);
        }
    }

    /// How whoever plays is.
    pub(in crate::cli) fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Whether another player plays.
    pub(in crate::cli) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// The player here, whoever plays.
    pub(in crate::cli) fn here(&self) -> &Player {
        &self.here
    }

    /// A look at what sounds here.
    pub(in crate::cli) fn spectrum(&self) -> Spectrum {
        self.here.spectrum()
    }

    /// The queue and the position (ms) of the player here.
    pub(in crate::cli) async fn saved(&self) -> Option<(SavedQueue, u64)> {
        self.here.saved().await
    }

    /// Lets the player of this name or id play in the place of the one that plays now; [`HERE`] is this machine. Gives a sentence either
    /// way.
    pub(in crate::cli) async fn play_on(&self, name: &str) -> Result<String, String> {
        let (reply, answer) = oneshot::channel();
        let ending = || "The player is ending.".to_owned();
        self.asks.send(Ask::PlayOn(name.to_owned(), reply)).map_err(|_| ending())?;
        answer.await.map_err(|_| ending())?
    }

    /// Drives the player with this id from now on, whatever it does.
    pub(in crate::cli) fn attach(&self, id: String) {
        let _ = self.asks.send(Ask::Attach(id));
    }

    /// Id of the player that plays in the place of the one here.
    pub(in crate::cli) async fn elsewhere(&self) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Ask::Where(reply)).ok()?;
        answer.await.ok()?
    }

    /// This machine and the account's other players; a sentence where nobody can tell.
    pub(in crate::cli) async fn places(&self) -> Result<Vec<Place>, String> {
        let chosen = self.elsewhere().await;
        let devices = match (self.session.devices().await, &chosen) {
            (Ok(devices), _) => devices,
            // The way back must not need the server.
            (Err(_), Some(id)) => {
                let name = self.status.borrow().elsewhere.clone().unwrap_or_default();
                vec![Device { id: id.clone(), name, online: true, ..Device::default() }]
            }
            (Err(why), None) => return Err(why),
        };
        let mut ids: Vec<_> = devices
            .iter()
            .filter_map(|device| device.status.as_ref()?.track_id.as_deref().map(Into::into))
            .collect();
        ids.dedup();
        let tracks = wire::known(self.listener.tracks(&ids).await.map_err(|e| e.to_string())?);
        let here = self.here.status().borrow().clone();
        let now = here.queue.now.as_ref().map(|now| now.track.title.as_str());
        let mut places = vec![Place {
            id: HERE.to_owned(),
            name: "this machine".to_owned(),
            chosen: chosen.is_none(),
            online: true,
            about: about(here.transport.word(), now, here.private),
        }];
        for device in devices {
            let status = device.status.unwrap_or_default();
            let title = status.track_id.as_ref().and_then(|id| tracks.get(id)).map(|t| t.title.as_str());
            let about =
                if device.online { about(&status.state, title, status.private) } else { "not on".to_owned() };
            places.push(Place {
                chosen: chosen.as_ref() == Some(&device.id),
                id: device.id,
                name: device.name,
                online: device.online,
                about,
            });
        }
        Ok(places)
    }
}

/// What a player does, in few words.
fn about(state: &str, title: Option<&str>, private: bool) -> String {
    match (state, title) {
        _ if private => "a private session".to_owned(),
        ("playing" | "buffering", Some(title)) => format!("plays {title}"),
        ("playing" | "buffering", None) => "plays".to_owned(),
        ("paused", Some(title)) => format!("paused in {title}"),
        _ => "silent".to_owned(),
    }
}

/// Owns which player plays.
struct Director {
    here: Player,
    local: watch::Receiver<Status>,
    listener: Listener,
    session: Arc<Session>,
    away: Arc<AtomicBool>,
    remote: Option<Remote>,
    out: watch::Sender<Status>,
    said: mpsc::UnboundedSender<String>,
}

impl Director {
    async fn run(mut self, mut asked: mpsc::UnboundedReceiver<Ask>) {
        let mut link = self.session.status();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let moves = self.remote.is_some() && self.out.borrow().transport == Transport::Playing;
            tokio::select! {
                ask = asked.recv() => match ask {
                    Some(ask) => self.take(ask).await,
                    None => return,
                },
                changed = self.local.changed() => if changed.is_err() { return },
                Some(news) = heard(&mut self.remote) => self.hear(news).await,
                changed = link.changed(), if self.remote.is_some() => {
                    if changed.is_err() {
                        return;
                    }
                    if let Some(remote) = &mut self.remote {
                        remote.reachable = link.borrow_and_update().connection.is_up();
                    }
                }
                _ = tick.tick(), if moves => {}
            }
            self.show();
        }
    }

    /// Shows how whoever plays is.
    fn show(&mut self) {
        let now = match &self.remote {
            Some(remote) => remote.shown(),
            None => self.local.borrow_and_update().clone(),
        };
        self.out.send_if_modified(|old| {
            let changed = *old != now;
            if changed {
                *old = now;
            }
            changed
        });
    }

    fn say(&self, sentence: String) {
        let _ = self.said.send(sentence);
    }

    async fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Command(command) => match (&self.remote, wire::asked(&command)) {
                (Some(remote), Some(command)) => remote.send(command),
                _ => self.here.send(command),
            },
            Ask::PlayOn(name, reply) => {
                let done = self.play_on(&name).await;
                // The answer comes after the state that it tells of.
                self.show();
                let _ = reply.send(done);
            }
            Ask::Attach(id) => match self.session.device(&id, None).await {
                Ok(device) if device.online => self.attach(device).await,
                Ok(_) | Err(_) => self.say("The player that played elsewhere cannot be reached.".to_owned()),
            },
            Ask::Where(reply) => {
                let _ = reply.send(self.remote.as_ref().map(|remote| remote.id.clone()));
            }
        }
    }

    async fn hear(&mut self, news: News) {
        let Some(remote) = &mut self.remote else { return };
        match news {
            News::Told(device) => {
                if let Some(trouble) = remote.adopt(*device, &self.listener).await {
                    let said = format!("{}: {trouble}", remote.name);
                    self.say(said);
                }
            }
            News::Refused(sentence) => self.say(sentence),
            News::Gone => {
                let name = remote.name.clone();
                let shown = remote.shown();
                let came = self.come_back(&shown, false).await;
                let queue = if came { "; its queue is here, paused where it was" } else { "" };
                self.say(format!("{name} is gone{queue}."));
            }
        }
    }

    async fn attach(&mut self, device: Device) {
        self.remote = Some(Remote::follow(device, &self.listener, &self.session).await);
        self.away.store(true, Ordering::Relaxed);
    }

    async fn play_on(&mut self, name: &str) -> Result<String, String> {
        let wanted = name.trim();
        if [HERE, "this machine"].contains(&wanted) {
            return self.play_here().await;
        }
        let devices = self.session.devices().await?;
        let by = |test: &dyn Fn(&Device) -> bool| devices.iter().filter(|d| d.online).find(|d| test(d));
        let found = by(&|d| d.id == wanted)
            .or_else(|| by(&|d| d.name == wanted))
            .or_else(|| by(&|d| d.name.to_lowercase() == wanted.to_lowercase()));
        let Some(device) = found.cloned() else {
            return Err(match devices.iter().find(|device| device.name == wanted || device.id == wanted) {
                Some(device) => format!("{} is not on, so the music stays where it is.", device.name),
                None => format!("There is no player “{wanted}”; :devices shows all."),
            });
        };
        let name = device.name.clone();
        if self.remote.as_ref().is_some_and(|remote| remote.id == device.id) {
            return Ok(format!("It plays on {name} already."));
        }
        self.show();
        let now = self.out.borrow().clone();
        let state = device.status.as_ref().map(|status| status.state.clone()).unwrap_or_default();
        let sounds_there = matches!(state.as_str(), "playing" | "buffering");
        let sounds_here = matches!(now.transport, Transport::Playing | Transport::Buffering);
        if now.queue.now.is_none() || (sounds_there && !sounds_here) {
            // It goes on with what it has.
            let device = self.session.device(&device.id, None).await.map_err(|e| format!("{e}."))?;
            self.attach(device).await;
            return Ok(format!("Drives {name}."));
        }
        if now.private {
            return Err("A private session tells nobody what plays, so it stays on this machine.".to_owned());
        }
        // A plan may let one player at a time have music.
        let alone = self.remote.is_none() && self.session.status().borrow().plan.streams == 1;
        if alone {
            self.here.send(Command::Stop);
        }
        let device = self.hand_over(&device, &now, sounds_here).await.inspect_err(|_| {
            if alone && sounds_here {
                self.here.send(Command::Resume);
            }
        })?;
        match &self.remote {
            Some(old) => stop(&self.session, &old.id).await,
            None => self.here.send(Command::Stop),
        }
        self.attach(device).await;
        Ok(format!("Plays on {name}."))
    }

    /// Has a device take over what plays, and gives how it is then; a sentence if it does not.
    async fn hand_over(&mut self, device: &Device, now: &Status, play: bool) -> Result<Device, String> {
        let (session, id, name) = (Arc::clone(&self.session), device.id.clone(), device.name.clone());
        let command = wire::take_over(&now.queue, now.position_ms, play);
        let stays = move |why: &str| format!("{name} {why}, so the queue stays where it is.");
        let begun = async {
            let sent = session.send_to_device(&id, &command).await;
            let sequence = sent.map_err(|error| stays(&format!("cannot be asked ({error})")))?;
            let mut after = None;
            loop {
                let device = session.device(&id, after).await.map_err(|_| stays("is gone"))?;
                after = Some(device.revision);
                let status = device.status.clone().unwrap_or_default();
                if status.done >= sequence {
                    match status.trouble {
                        Some(trouble) if status.state != "playing" => {
                            return Err(stays(&format!(
                                "cannot play it ({})",
                                trouble.trim_end_matches('.')
                            )));
                        }
                        _ if !play || status.state == "playing" => break,
                        _ => {}
                    }
                }
            }
            // With its queue, whatever was told before.
            session.device(&id, None).await.map_err(|_| stays("is gone"))
        };
        let begun = self.meanwhile(tokio::time::timeout(BEGINS, begun)).await;
        if !matches!(begun, Ok(Ok(_))) {
            stop(&self.session, &device.id).await;
        }
        begun.unwrap_or_else(|_| {
            Err(format!("{} does not begin to play, so the queue stays where it is.", device.name))
        })
    }

    /// Waits for something; the player here is shown as it goes on.
    async fn meanwhile<T>(&mut self, wait: impl Future<Output = T>) -> T {
        let mut wait = std::pin::pin!(wait);
        loop {
            tokio::select! {
                done = &mut wait => return done,
                Ok(()) = self.local.changed() => self.show(),
            }
        }
    }

    async fn play_here(&mut self) -> Result<String, String> {
        let Some(remote) = &self.remote else { return Ok("It plays on this machine already.".to_owned()) };
        let (id, name, shown) = (remote.id.clone(), remote.name.clone(), remote.shown());
        let plays = matches!(shown.transport, Transport::Playing | Transport::Buffering);
        let came = self.come_back(&shown, plays).await;
        if plays && came {
            let mut local = self.here.status();
            let sounds = local.wait_for(|status| status.transport == Transport::Playing);
            let _ = self.meanwhile(tokio::time::timeout(BEGINS, sounds)).await;
        }
        if came {
            stop(&self.session, &id).await;
        }
        Ok(if came { "Plays on this machine.".to_owned() } else { format!("No longer drives {name}.") })
    }

    /// The queue that another player had goes on here; `false` when nobody told what it is.
    async fn come_back(&mut self, shown: &Status, play: bool) -> bool {
        self.remote = None;
        self.away.store(false, Ordering::Relaxed);
        if shown.queue.now.is_none() {
            return false;
        }
        let view = &shown.queue;
        let entries = view.history.iter().chain(&view.now).chain(&view.up_next).chain(&view.context);
        let tracks: std::collections::HashMap<_, _> =
            entries.map(|entry| (entry.track.id.as_str(), &entry.track)).collect();
        let queue = Queue::restore(&wire::saved_of(view), |id| tracks.get(id).map(|track| Arc::clone(track)));
        self.here.send(Command::Stop);
        self.here.restore(queue, shown.position_ms);
        if play {
            self.here.send(Command::Resume);
        }
        // From here on the player's own state is shown.
        let _ = self.here.saved().await;
        true
    }
}

/// The next news of the other player; never, where there is none.
async fn heard(remote: &mut Option<Remote>) -> Option<News> {
    match remote {
        Some(remote) => remote.news.recv().await,
        None => std::future::pending().await,
    }
}

/// Stops a player that is not to play any more. One that cannot be told has its server away, and nothing can be done about it.
async fn stop(session: &Session, id: &str) {
    if let Err(error) = session.send_to_device(id, &DeviceCommand::plain("stop")).await {
        tracing::info!(%error, "the player that played before was not told to stop");
    }
}
