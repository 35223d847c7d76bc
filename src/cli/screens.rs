//! The rooms as the screens see them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::mixer::Mixer;
use super::rig::Rig;
use crate::audio::Spectrum;
use crate::cache::Store;
use crate::catalog::{Catalog, CatalogError, Listener};
use crate::client::{Downloads, Session};
use crate::music::{CoverId, Lyrics, Track};
use crate::player::{Command, Player};
use crate::tui::Outside;
use crate::tui::effects::Device;

/// What effects of the screens reach.
pub(super) struct Rooms {
    catalog: Catalog,
    listener: Listener,
    store: Store,
    session: Arc<Session>,
    player: Player,
    mixer: Mixer,
}

impl Rooms {
    /// Handles on the rooms of a rig.
    pub(super) fn of(rig: &Rig) -> Self {
        Self {
            catalog: rig.library.catalog.clone(),
            listener: rig.library.listener.clone(),
            store: rig.library.store.clone(),
            session: Arc::clone(&rig.library.session),
            player: rig.player.clone(),
            mixer: rig.mixer.clone(),
        }
    }
}

impl Outside for Rooms {
    fn library(&self) -> &Listener {
        &self.listener
    }

    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn command(&self, command: Command) {
        self.player.send(command);
    }

    fn cover(&self, cover: CoverId, size: u32) -> BoxFuture<'_, Result<Bytes, String>> {
        async move { self.session.cover(&cover, Some(size)).await.map_err(|e| e.to_string()) }.boxed()
    }

    fn device(&self) -> Device {
        let usage = self.store.usage();
        Device { tracks: usage.tracks_whole, bytes: usage.bytes, limit: usage.limit + usage.pinned }
    }

    fn downloads(&self) -> Option<&Downloads> {
        self.session.downloads()
    }

    fn lyrics(&self, track: Arc<Track>) -> BoxFuture<'_, Result<Vec<Lyrics>, CatalogError>> {
        async move { self.session.lyrics(&track).await }.boxed()
    }

    fn spectrum(&self) -> Option<Spectrum> {
        Some(self.player.spectrum())
    }

    fn taste_changed(&self) {
        self.mixer.look();
    }

    fn outbox_changed(&self) {
        self.session.outbox_changed();
    }

    fn sync_now(&self) {
        self.session.sync_now();
    }

    fn problem_read(&self) {
        self.session.dismiss_problem();
    }
}
