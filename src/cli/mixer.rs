//! What goes on in the background for the listener's taste: mixes kept fresh, radio that never ends, and an ear on the
//! music of this machine.
//!
//! ```text
//! plays, day, library, wishes ─▶ mixing::refresh ─▶ catalog ─▶ screens (a count that goes up), pins of mixes
//! player's status: a radio runs short ─▶ mixing::radio ─▶ player
//! store: whole tracks ─▶ analysis ─▶ catalog
//! ```

use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ZonedDateTime};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::analysis::{Analyst, Open};
use crate::cache::{Source, Store};
use crate::catalog::{Catalog, Listener};
use crate::client::Downloads;
use crate::mixing::{self, Seeds};
use crate::music::TrackId;
use crate::player::{self, Command, Player, Status};
use crate::tui::tasting::RADIO_MEMORY_MS;

/// The shortest time between two looks at the mixes, for a library that changes all the time.
const REST: Duration = Duration::from_secs(20);
/// How often the mixes are looked at although nothing changed: the day goes on.
const LOOK: Duration = Duration::from_mins(5);
/// A radio with fewer tracks left than this is filled up.
const SHORT: usize = 6;
/// With so many tracks.
const MORE: usize = 20;
/// How often it is looked at whether there is music on this machine that was not heard yet.
const HEAR_EVERY: Duration = Duration::from_mins(2);

/// A hand on the background work.
#[derive(Debug, Clone)]
pub(super) struct Mixer {
    wish: Arc<Notify>,
    made: watch::Sender<u64>,
}

impl Mixer {
    /// Nothing made yet.
    pub(super) fn new() -> Self {
        Self { wish: Arc::default(), made: watch::Sender::new(0) }
    }

    /// Look at the mixes soon.
    pub(super) fn look(&self) {
        self.wish.notify_one();
    }

    /// Counts up when mixes were made anew.
    pub(super) fn made(&self) -> watch::Receiver<u64> {
        self.made.subscribe()
    }

    /// Keeps the mixes fresh. `library` is the generation of the catalog, `downloads` those that pins of mixes feed.
    pub(super) async fn keep(
        self,
        listener: Listener,
        mut library: watch::Receiver<u64>,
        downloads: Option<Downloads>,
    ) {
        loop {
            let began = Instant::now();
            match mixing::refresh(&listener, &ZonedDateTime::now(), None).await {
                Ok(true) => {
                    self.made.send_modify(|n| *n += 1);
                    if let Some(downloads) = &downloads {
                        downloads.changed();
                    }
                    tracing::debug!(ms = began.elapsed().as_millis(), "mixes were made");
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the mixes were not made"),
            }
            library.mark_unchanged();
            let news = async {
                tokio::select! {
                    () = self.wish.notified() => {}
                    changed = library.changed() => {
                        if changed.is_err() { std::future::pending::<()>().await; }
                        // A library that is just coming changes with every page.
                        sleep(REST).await;
                    }
                }
            };
            let _ = timeout(LOOK, news).await;
        }
    }
}

/// Fills radio up when it runs short, until the player is gone.
pub(super) async fn keep_radio(player: Player, listener: Listener, catalog: Catalog) {
    let mut status = player.status();
    loop {
        let short = status.wait_for(runs_short).await;
        let Ok(name) = short.map(|status| status.queue.context_name.clone()) else { return };
        let filled = match radio_of(&catalog, &name).await {
            Some(seeds) => {
                let waiting = waiting(&status.borrow());
                fill_up(&player, &listener, &seeds, waiting).await
            }
            None => 0,
        };
        if filled == 0 {
            // No radio, or nothing to be had: look again when something else plays.
            let now = |status: &Status| status.queue.now.as_ref().map(|now| now.uid);
            let before = now(&status.borrow());
            if status.wait_for(|status| now(status) != before).await.is_err() {
                return;
            }
        } else if timeout(REST, status.wait_for(|status| !runs_short(status))).await.is_err() {
            tracing::warn!("the player did not take more radio");
        }
    }
}

fn runs_short(status: &Status) -> bool {
    status.queue.now.is_some() && status.queue.context.len() < SHORT && !status.queue.context_name.is_empty()
}

async fn radio_of(catalog: &Catalog, name: &str) -> Option<Seeds> {
    let kept = catalog.setting(Seeds::SETTING).await.ok().flatten()?;
    serde_json::from_str::<Seeds>(&kept).ok().filter(|seeds| seeds.name == name)
}

/// What was heard in this session and what waits.
fn waiting(status: &Status) -> Vec<TrackId> {
    let queue = &status.queue;
    let coming = queue.context.iter().chain(&queue.up_next).chain(&queue.now);
    coming.chain(queue.history.iter().rev().take(100)).map(|entry| entry.track.id.clone()).collect()
}

async fn fill_up(player: &Player, listener: &Listener, seeds: &Seeds, mut heard: Vec<TrackId>) -> usize {
    let now = Timestamp::now().as_millisecond();
    let found = async {
        heard.extend(listener.heard_since(now - RADIO_MEMORY_MS).await?);
        let picks = mixing::radio(listener, seeds, &heard, MORE, now).await?;
        let ids: Vec<TrackId> = picks.into_iter().map(|pick| pick.track).collect();
        listener.tracks(&ids).await
    };
    match found.await {
        Ok(tracks) => {
            let count = tracks.len();
            if count > 0 {
                player.send(Command::Extend { tracks, name: seeds.name.clone() });
            }
            count
        }
        Err(error) => {
            tracing::warn!(%error, "the radio was not filled up");
            0
        }
    }
}

/// Hears the music of this machine that was not heard yet, on one thread that gives way to everything else. Nothing is fetched
/// for it.
pub(super) async fn hear(catalog: Catalog, store: Store, source: Arc<dyn Source>, mixer: Mixer) {
    let runtime = Handle::current();
    let here = store.clone();
    let open: Open = Arc::new(move |track| {
        Ok(player::on_this_machine(&here, &track.track, Arc::clone(&source), &runtime))
    });
    let analyst = Analyst::new(catalog, open, 1);
    let stop = CancellationToken::new();
    let _ended = stop.clone().drop_guard();
    let mut heard_of = 0;
    loop {
        sleep(HEAR_EVERY).await;
        let whole = store.usage().tracks_whole;
        if whole == heard_of {
            continue;
        }
        match analyst.run(&stop).await {
            Ok(report) if report.heard > 0 => {
                tracing::info!(heard = report.heard, "heard what is on this machine");
                mixer.look();
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the music of this machine was not heard"),
        }
        heard_of = whole;
    }
}
