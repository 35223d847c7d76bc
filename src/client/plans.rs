//! What the listener's plan allows, and tickets for its ads, of which some are always here, with their sound, for times
//! without the server.
//!
//! ```text
//! getPlan, getAds ─▶ Allowed ─▶ player (breaks, skips, bit rate), downloads (whether any), screens
//!                       │ kept in the catalog for the next start
//! player: an ad is over ─▶ ticket gone here ─▶ outbox ─▶ reportAds
//! ```

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::link::{Link, now_ms};
use super::session::back;
use crate::cache::{Backoff, Held, Reader, Source, Store, TrackKey};
use crate::catalog::{Catalog, CatalogError, Listener};
use crate::music::{Ad, AdHeard, Plan};
use crate::subsonic::ClientError;

/// Where it is kept in the catalog.
const KEPT: &str = "plan";
/// The extension.
const EXTENSION: &str = "seguePlans";
/// Breaks for which there are tickets at any time.
const BREAKS_AHEAD: u32 = 3;
/// How often a plan with ads is looked at: whoever gets a better one hears none from the next track on.
const LOOK: Duration = Duration::from_secs(15);
/// How often any other is.
const SELDOM: Duration = Duration::from_mins(1);

/// What the plan allows, and what it asks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Allowed {
    /// The plan.
    pub plan: Plan,
    /// Tickets that are left, in their order.
    pub ads: Vec<Ad>,
}

/// What the session shares with its task.
#[derive(Debug)]
pub(super) struct Tickets {
    allowed: watch::Sender<Allowed>,
    pub(super) look: Notify,
    catalog: Catalog,
    listener: Listener,
}

impl Tickets {
    pub(super) fn new(catalog: Catalog, listener: Listener) -> Self {
        Self { allowed: watch::Sender::default(), look: Notify::new(), catalog, listener }
    }

    pub(super) fn allowed(&self) -> watch::Receiver<Allowed> {
        self.allowed.subscribe()
    }

    /// Writes down how an ad was heard, for the server to be told.
    pub(super) async fn heard(&self, heard: &AdHeard) -> Result<(), CatalogError> {
        self.listener.ad_heard(heard).await?;
        self.allowed.send_modify(|allowed| allowed.ads.retain(|ad| ad.ticket != heard.ticket));
        self.look.notify_one();
        self.keep().await
    }

    async fn keep(&self) -> Result<(), CatalogError> {
        let text = serde_json::to_string(&*self.allowed.borrow())?;
        self.catalog.set_setting(KEPT, &text).await
    }
}

/// The task.
pub(super) struct Plans {
    pub(super) link: Arc<Link>,
    pub(super) tickets: Arc<Tickets>,
    pub(super) store: Option<Store>,
    pub(super) source: Arc<dyn Source>,
    pub(super) backoff: Backoff,
    /// Ads whose sound is just being fetched.
    pub(super) fetching: Vec<Reader>,
}

impl Plans {
    /// Works until it is dropped.
    pub(super) async fn run(mut self) {
        match self.tickets.catalog.setting(KEPT).await {
            Ok(Some(text)) => match serde_json::from_str(&text) {
                Ok(kept) => self.tell(kept),
                Err(error) => tracing::warn!(%error, "the plan that was kept cannot be read"),
            },
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the plan that was kept cannot be read"),
        }
        loop {
            self.link.up().await;
            let pause = match self.look().await {
                Ok(()) => {
                    self.backoff.reset();
                    let ads = self.tickets.allowed.borrow().plan.ads.is_some();
                    if ads { LOOK } else { SELDOM }
                }
                Err(error) => {
                    tracing::debug!(%error, "the plan cannot be asked for");
                    self.backoff.next(None)
                }
            };
            tokio::select! {
                () = self.tickets.look.notified() => {}
                () = sleep(pause) => {}
                () = back(&self.link) => {}
            }
        }
    }

    async fn look(&mut self) -> Result<(), ClientError> {
        // While nobody knows whether the server has plans, the one that is known counts.
        let Some(known) = self.link.knows(EXTENSION).await else { return Ok(()) };
        let plan = if known { self.link.ask(self.link.client.plan()).await? } else { Plan::default() };
        let mut ads = Vec::new();
        if let Some(rules) = &plan.ads {
            let missing = (rules.at_once * BREAKS_AHEAD).saturating_sub(self.left().len() as u32);
            let fresh =
                if missing > 0 { self.link.ask(self.link.client.ads(missing)).await? } else { Vec::new() };
            // Looked at anew: one may have been heard meanwhile.
            ads = self.left();
            ads.extend(fresh);
        }
        self.tell(Allowed { plan, ads });
        if let Err(error) = self.tickets.keep().await {
            tracing::warn!(%error, "the plan is not kept for the next start");
        }
        self.fetch();
        Ok(())
    }

    /// Tickets that are still good.
    fn left(&self) -> Vec<Ad> {
        let now = now_ms();
        self.tickets.allowed.borrow().ads.iter().filter(|ad| ad.expires_at > now).cloned().collect()
    }

    fn tell(&self, allowed: Allowed) {
        self.link.change(|status| {
            if *status.plan != allowed.plan {
                status.plan = Arc::new(allowed.plan.clone());
            }
        });
        self.tickets.allowed.send_if_modified(|old| {
            let news = *old != allowed;
            *old = allowed;
            news
        });
    }

    /// Brings the sound of all tickets to this machine.
    fn fetch(&mut self) {
        let Some(store) = &self.store else { return };
        self.fetching.retain(|reader| {
            let progress = reader.progress();
            !progress.whole && progress.failed.is_none()
        });
        let wanted: HashSet<TrackKey> =
            self.tickets.allowed.borrow().ads.iter().map(|ad| TrackKey::raw(ad.track.clone())).collect();
        for key in wanted.into_iter().filter(|key| store.held(key) != Held::Whole) {
            match store.download(&key, None, Arc::clone(&self.source), &Handle::current()) {
                Ok(reader) => self.fetching.push(reader),
                Err(error) => tracing::debug!(%error, "an ad is not kept here"),
            }
        }
    }
}
