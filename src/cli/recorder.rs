//! Writes down what was heard, and has the server and scrobbling services told. Of a private session nothing is written down,
//! so that there is nothing to tell.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::mixer::Mixer;
use crate::catalog::{CatalogError, Listener, Scrobble};
use crate::client::Session;
use crate::music::{Play, PlayContext, Track, printable};
use crate::player::{Event, Status};
use crate::scrobble::Scrobbler;

/// A track that sounded for less was only passed on the way to another one, ms.
const PASSED_MS: u64 = 1_000;

/// Hears of every track that begins, ends or fails.
pub(super) struct Recorder {
    pub(super) listener: Listener,
    pub(super) session: Arc<Session>,
    pub(super) mixer: Mixer,
    /// None where no service is to be told.
    pub(super) scrobbler: Option<Arc<Scrobbler>>,
    /// The player's.
    pub(super) status: watch::Receiver<Status>,
    /// Sentences for the listener: what cannot be played, what is not done.
    pub(super) said: mpsc::UnboundedSender<String>,
}

impl Recorder {
    /// Until the player has ended.
    pub(super) async fn run(self, mut events: mpsc::UnboundedReceiver<Event>) {
        while let Some(event) = events.recv().await {
            match event {
                // A log is written down, too.
                Event::Began(_) if self.is_private() => {}
                Event::Began(track) => {
                    tracing::info!(track = %track.id, title = %track.title, "began");
                    self.began(&track).await;
                }
                Event::Ended { private: true, .. } => {}
                Event::Ended { track, play, context, private: false } => {
                    self.ended(&track, &play, &context).await;
                }
                Event::Failed { track, reason } => {
                    if !self.is_private() {
                        tracing::warn!(track = %track.id, title = %track.title, "failed: {reason}");
                    }
                    let title = printable(&track.title);
                    self.say(format!("“{title}” cannot be played: {reason}"));
                }
                Event::Refused(why) => self.say(why),
                Event::Ad(heard) => {
                    tracing::info!(heard_ms = heard.heard_ms, "an ad is over");
                    if let Err(error) = self.session.ad_heard(&heard).await {
                        tracing::error!(%error, "an ad was not written down");
                    }
                }
            }
        }
    }

    /// Nobody listens where there is no screen; the log has it.
    fn say(&self, sentence: String) {
        let _ = self.said.send(sentence);
    }

    fn is_private(&self) -> bool {
        self.status.borrow().private
    }

    async fn began(&self, track: &Track) {
        let Some(scrobbler) = &self.scrobbler else { return };
        match self.listener.listen_of(track).await {
            Ok(Some(listen)) => scrobbler.now_playing(listen),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "nobody was told what plays"),
        }
    }

    /// Also what was skipped is written down: it says as much about taste as what was heard.
    async fn ended(&self, track: &Track, play: &Play, context: &PlayContext) {
        if play.heard_ms < PASSED_MS {
            return;
        }
        let scrobbles = self.scrobbles(track, play).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a play will not be scrobbled");
            Vec::new()
        });
        match self.listener.record_play_for(play, context, &scrobbles).await {
            Ok(_) => {
                self.session.outbox_changed();
                self.mixer.look();
                if let Some(scrobbler) = self.scrobbler.as_ref().filter(|_| !scrobbles.is_empty()) {
                    scrobbler.changed();
                }
            }
            Err(e) => tracing::error!("a play was not written down: {e}"),
        }
    }

    /// What services are to be told of a play.
    async fn scrobbles(&self, track: &Track, play: &Play) -> Result<Vec<Scrobble>, CatalogError> {
        let Some(scrobbler) = &self.scrobbler else { return Ok(Vec::new()) };
        let Some(listen) = self.listener.listen_of(track).await? else { return Ok(Vec::new()) };
        let wanted = scrobbler.services().iter().filter(|service| service.wants(&listen, play.heard_ms));
        let scrobble = |service| Scrobble {
            service,
            track: play.track.clone(),
            started_at: play.started_at,
            listen: listen.clone(),
        };
        Ok(wanted.copied().map(scrobble).collect())
    }
}
