//! Sends the plays that wait for one service, each once.
//!
//! Before a request leaves, its plays are marked as being sent, in the catalog. An answer, also a refusal, takes the mark away. Where
//! none came, because the connection broke or the program was killed, the service is asked which of them it has; those
//! alone that it has not are sent again. A service that cannot be asked is taken to have them: rather one too few than one
//! too many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::wire::{Told, Trouble};
use super::{Account, Pace, Voice};
use crate::cache::Backoff;
use crate::catalog::{CatalogError, Listener, Scrobble, ScrobbleState};
use crate::music::ScrobbleService;

/// How long another process that delivers from the same catalog is left to it.
const BUSY: Duration = Duration::from_millis(500);
/// How long a service is left alone that takes no more today.
const TOMORROW: Duration = Duration::from_hours(1);

/// How far a delivery came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Nothing waits any more.
    Through,
    /// No more now; again after the pause.
    Later(Duration),
    /// The login is no good.
    Refused,
}

/// Delivers to one service.
pub(super) struct Deliverer {
    account: Arc<Account>,
    listener: Listener,
    pace: Pace,
    voice: Voice,
    backoff: Backoff,
    /// Most plays in one request; fewer while one that is refused is looked for.
    most: usize,
    /// When a request left whose answer did not come.
    doubt: Option<Instant>,
}

impl Deliverer {
    pub(super) fn new(account: Arc<Account>, listener: Listener, pace: Pace, voice: Voice) -> Self {
        let most = account.most();
        let backoff = Backoff::new(pace.first_pause, pace.longest_pause);
        Self { account, listener, pace, voice, backoff, most, doubt: None }
    }

    fn service(&self) -> ScrobbleService {
        self.account.service()
    }

    /// Sends until nothing waits or the service takes no more.
    pub(super) async fn deliver(&mut self) -> Result<Came, CatalogError> {
        if self.voice.is_refused() {
            return Ok(Came::Refused);
        }
        if self.listener.scrobble_count(self.service()).await?.waiting == 0 {
            return Ok(Came::Through);
        }
        // Two that deliver from one catalog would send everything twice.
        let _alone = match self.listener.catalog().alone(&format!("scrobble-{}", self.service().word())).await
        {
            Ok(Some(alone)) => Some(alone),
            Ok(None) => return Ok(Came::Later(BUSY)),
            Err(error) => {
                tracing::debug!(%error, "there are no locks here");
                None
            }
        };
        loop {
            match self.step().await {
                Ok(Some(came)) => return Ok(came),
                Ok(None) => {}
                Err(Stop::Catalog(error)) => return Err(error),
                Err(Stop::Trouble(trouble)) => return Ok(self.rest(trouble)),
            }
        }
    }

    /// One request; what came of it when it was the last one.
    async fn step(&mut self) -> Result<Option<Came>, Stop> {
        self.look_for_lost().await?;
        let waiting =
            self.listener.scrobbles(self.service(), ScrobbleState::Waiting, self.most as u64).await?;
        if waiting.is_empty() {
            return Ok(Some(Came::Through));
        }
        let batch = waiting.get(..self.account.fitting(&waiting)).unwrap_or(&waiting);
        self.listener.mark_scrobbles(batch, ScrobbleState::Sending).await?;
        match self.account.submit(batch).await {
            Ok((told, rest)) => {
                let not_today = self.settle(batch, &told).await?;
                self.backoff.reset();
                self.most = self.account.most();
                tracing::info!(service = %self.service(), plays = batch.len(), "scrobbled");
                match not_today {
                    Some(why) => {
                        self.voice.say(format!("{} takes no more plays for now: {why}", self.service()));
                        Ok(Some(Came::Later(TOMORROW)))
                    }
                    None => Ok(rest.map(Came::Later)),
                }
            }
            Err(Trouble::Unsure(why)) => {
                self.doubt = Some(Instant::now());
                Err(Trouble::Unsure(why).into())
            }
            // One that it will never take must not take the others with it: it is looked for by halves.
            Err(Trouble::Bad(_) | Trouble::TooMuch) if batch.len() > 1 => {
                self.listener.mark_scrobbles(batch, ScrobbleState::Waiting).await?;
                self.most = batch.len().div_ceil(2);
                Ok(None)
            }
            Err(trouble @ (Trouble::Bad(_) | Trouble::TooMuch)) => {
                self.settle(batch, &[Told::Ignored(trouble.to_string())]).await?;
                self.most = self.account.most();
                Ok(None)
            }
            Err(trouble) => {
                self.listener.mark_scrobbles(batch, ScrobbleState::Waiting).await?;
                Err(trouble.into())
            }
        }
    }

    /// Asks the service for the plays of requests that had no answer.
    async fn look_for_lost(&mut self) -> Result<(), Stop> {
        let lost = self
            .listener
            .scrobbles(self.service(), ScrobbleState::Sending, self.account.most() as u64)
            .await?;
        if lost.is_empty() {
            return Ok(());
        }
        // What has only just left may be on its way into the history.
        let left = self.doubt.map_or(Duration::ZERO, |since| self.pace.doubt.saturating_sub(since.elapsed()));
        if !left.is_zero() {
            return Err(
                Trouble::Later { why: "the last answer did not come".into(), wait: Some(left) }.into()
            );
        }
        let there = self.account.has(&lost).await.map_err(|trouble| match trouble {
            // A question may be asked again.
            Trouble::Unsure(why) | Trouble::Bad(why) => Trouble::Later { why, wait: None },
            other => other,
        })?;
        let (service, plays) = (self.service(), lost.len());
        let there = there.unwrap_or_else(|| {
            tracing::warn!(%service, plays, "no answer came, and it cannot be asked: not sent again");
            vec![true; plays]
        });
        let part = |wanted: bool| -> Vec<Scrobble> {
            let both = lost.iter().zip(&there);
            both.filter(|(_, there)| **there == wanted).map(|(scrobble, _)| scrobble.clone()).collect()
        };
        let (taken, missing) = (part(true), part(false));
        tracing::info!(%service, taken = taken.len(), missing = missing.len(), "looked for what had no answer");
        self.listener.mark_scrobbles(&taken, ScrobbleState::Done).await?;
        self.listener.mark_scrobbles(&missing, ScrobbleState::Waiting).await?;
        self.doubt = None;
        Ok(())
    }

    /// Strikes out what is over, tells of what the service will not have, and why the rest must wait, if some must.
    async fn settle(&self, batch: &[Scrobble], told: &[Told]) -> Result<Option<String>, CatalogError> {
        let (mut done, mut later) = (Vec::new(), Vec::new());
        let (mut ignored, mut not_today) = (Vec::new(), None);
        for (scrobble, told) in batch.iter().zip(told) {
            match told {
                Told::Taken => done.push(scrobble.clone()),
                Told::Ignored(why) => {
                    let listen = &scrobble.listen;
                    ignored.push(format!("“{}” by {} ({why})", listen.title, listen.artist));
                    done.push(scrobble.clone());
                }
                Told::NotToday(why) => {
                    not_today = Some(why.clone());
                    later.push(scrobble.clone());
                }
            }
        }
        self.listener.mark_scrobbles(&done, ScrobbleState::Done).await?;
        self.listener.mark_scrobbles(&later, ScrobbleState::Waiting).await?;
        for play in &ignored {
            tracing::warn!(service = %self.service(), "not taken: {play}");
        }
        match ignored.as_slice() {
            [] => {}
            [one] => self.voice.say(format!("{} did not take {one}", self.service())),
            [first, rest @ ..] => self.voice.say(format!(
                "{} did not take {first} and {} more; the log has them all",
                self.service(),
                rest.len()
            )),
        }
        Ok(not_today)
    }

    /// What to do after trouble that is not about single plays.
    fn rest(&mut self, trouble: Trouble) -> Came {
        let service = self.service();
        match trouble {
            Trouble::Login(why) => {
                self.voice.refuse(&why);
                Came::Refused
            }
            Trouble::Later { wait, ref why } => {
                tracing::info!(%service, "what waits is sent later: {why}");
                Came::Later(self.backoff.next(wait))
            }
            other => {
                tracing::info!(%service, "what waits is sent later: {other}");
                Came::Later(self.backoff.next(Some(self.pace.doubt)))
            }
        }
    }
}

/// Why a delivery does not go on.
enum Stop {
    Catalog(CatalogError),
    Trouble(Trouble),
}

impl From<CatalogError> for Stop {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(error)
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}
