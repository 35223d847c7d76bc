//! Floor 2: tells ListenBrainz and Last.fm what is heard, for listeners who asked for it.
//!
//! A [`Scrobbler`] runs two tasks for each service: one tells what plays now and forgets it when that fails, the other
//! sends the plays that wait in the catalog (`deliver`), across restarts and each once. What a service's API wants is in
//! `listenbrainz` and `lastfm`; both sort whatever comes back into the kinds of [`Trouble`] (`wire`).
//!
//! ```text
//! what plays ──▶ now playing ──▶ Account ──▶ service
//! catalog (a play and its scrobbles in one transaction) ──▶ waiting ─▶ sending ─▶ done
//!                                                └──────── deliver ──▶ Account ──▶ service
//! ```

mod account;
mod deliver;
mod lastfm;
mod listenbrainz;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use account::Account;
pub use lastfm::{LastFm, LastFmKeys, Session as LastFmSession};
pub use listenbrainz::ListenBrainz;
pub use wire::Trouble;

use crate::cache::Backoff;
use crate::catalog::Listener;
use crate::music::{Listen, ScrobbleService};
use deliver::{Came, Deliverer};

/// How often is looked and tried.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often it is looked whether something waits, although nobody said so.
    pub look: Duration,
    /// The first pause after a failure; pauses double from there.
    pub first_pause: Duration,
    /// The longest pause after a failure.
    pub longest_pause: Duration,
    /// How long a request without an answer is left before the service is asked whether it came.
    pub doubt: Duration,
}

impl Default for Pace {
    /// 5 min, 5 s to 15 min, 10 s.
    fn default() -> Self {
        Self {
            look: Duration::from_mins(5),
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_mins(15),
            doubt: Duration::from_secs(10),
        }
    }
}

/// How long the end of the program may wait for what is being sent.
const FAREWELL: Duration = Duration::from_secs(3);

/// Tells services what is heard. Dropping it ends its tasks.
pub struct Scrobbler {
    services: Vec<ScrobbleService>,
    playing: watch::Sender<Option<Arc<Listen>>>,
    changed: watch::Sender<u64>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// How to get at the account at a service, which may ask a keyring and take its time. The error is a sentence.
pub type Login = Arc<dyn Fn(ScrobbleService) -> Result<Account, String> + Send + Sync>;

impl Scrobbler {
    /// Begins with what waits for `listener`. The receiver has sentences for the listener: a login that is missing or refused, a
    /// play that a service will not have. To be called within a runtime.
    pub fn start(
        listener: &Listener,
        services: Vec<ScrobbleService>,
        login: &Login,
        pace: Pace,
    ) -> (Self, mpsc::UnboundedReceiver<String>) {
        let (playing, changed) = (watch::Sender::new(None), watch::Sender::new(0));
        let (tell, told) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let serve = |service: &ScrobbleService| {
            let voice = Voice { service: *service, tell: tell.clone(), refused: Arc::default() };
            let (login, listener, stop) = (Arc::clone(login), listener.clone(), stop.clone());
            let (playing, changed) = (playing.subscribe(), changed.subscribe());
            tokio::spawn(async move {
                let account = stop.run_until_cancelled(log_in(login, &voice)).await;
                let Some(account) = account.flatten() else { return };
                let playing = tell_playing(Arc::clone(&account), playing, voice.clone());
                let deliverer = Deliverer::new(account, listener, pace, voice);
                tokio::join!(
                    // Nothing is lost by a request that breaks off: what plays now is over soon.
                    async { stop.run_until_cancelled(playing).await.unwrap_or_default() },
                    keep_delivering(deliverer, changed, pace, stop.clone()),
                );
            })
        };
        let tasks = services.iter().map(serve).collect();
        (Self { services, playing, changed, stop, tasks }, told)
    }

    /// Who is told.
    pub fn services(&self) -> &[ScrobbleService] {
        &self.services
    }

    /// This begins to play.
    pub fn now_playing(&self, listen: Listen) {
        self.playing.send_replace(Some(Arc::new(listen)));
    }

    /// Something was put into the catalog: send it now rather than at the next look.
    pub fn changed(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Sends what can be sent at once, and ends. What is left waits in the catalog.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        let tasks = std::mem::take(&mut self.tasks);
        let aborts: Vec<_> = tasks.iter().map(JoinHandle::abort_handle).collect();
        let ended = async {
            for task in tasks {
                let _ = task.await;
            }
        };
        if tokio::time::timeout(FAREWELL, ended).await.is_err() {
            // What was under way is looked for at the next start.
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
    }
}

impl Drop for Scrobbler {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What the tasks of one service have to say.
#[derive(Debug, Clone)]
struct Voice {
    service: ScrobbleService,
    tell: mpsc::UnboundedSender<String>,
    /// The service refused the login, so that nothing more is sent to it.
    refused: Arc<AtomicBool>,
}

impl Voice {
    /// Tells the listener one sentence.
    fn say(&self, sentence: String) {
        tracing::warn!("{sentence}");
        // Nobody listens where there is no screen; the log has it.
        let _ = self.tell.send(sentence);
    }

    fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// The login is no good: said once, and everything rests until the next start.
    fn refuse(&self, why: &str) {
        if !self.refused.swap(true, Ordering::Relaxed) {
            let service = self.service;
            let word = service.word();
            self.say(format!(
                "{service} refused the login ({why}): run `segue scrobble {word} login` and start Segue again; what you \
                 hear waits until then"
            ));
        }
    }
}

async fn log_in(login: Login, voice: &Voice) -> Option<Arc<Account>> {
    let service = voice.service;
    match tokio::task::spawn_blocking(move || login(service)).await {
        Ok(Ok(account)) => Some(Arc::new(account)),
        Ok(Err(sentence)) => {
            voice.say(sentence);
            None
        }
        Err(error) => {
            tracing::error!(%error, "the login at {service} was not found out");
            None
        }
    }
}

async fn tell_playing(
    account: Arc<Account>,
    mut playing: watch::Receiver<Option<Arc<Listen>>>,
    voice: Voice,
) {
    while playing.changed().await.is_ok() {
        let Some(listen) = playing.borrow_and_update().clone() else { continue };
        if voice.is_refused() {
            return;
        }
        match account.now_playing(&listen).await {
            Ok(()) => {}
            Err(Trouble::Login(why)) => voice.refuse(&why),
            Err(trouble) => tracing::info!("{} was not told what plays: {trouble}", account.service()),
        }
    }
}

/// Sends what waits: at the start, when something was put there, and now and then.
async fn keep_delivering(
    mut deliverer: Deliverer,
    mut changed: watch::Receiver<u64>,
    pace: Pace,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::new(pace.first_pause, pace.longest_pause);
    loop {
        changed.mark_unchanged();
        let ending = stop.is_cancelled();
        let (pause, urgent) = match deliverer.deliver().await {
            Ok(Came::Through) => (pace.look, true),
            Ok(Came::Later(pause)) => (pause, false),
            Ok(Came::Refused) => return,
            Err(error) => {
                tracing::warn!(%error, "what waits to be scrobbled cannot be read");
                (backoff.next(None), false)
            }
        };
        if ending {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
            // A service that asked for patience has it, whatever is heard meanwhile.
            _ = changed.changed(), if urgent => {}
        }
        if stop.is_cancelled() && !urgent {
            return;
        }
    }
}
