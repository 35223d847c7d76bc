//! The rooms as the screens see them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::cast::Stage;
use super::config::Settings;
use super::doctor;
use super::mixer::Mixer;
use super::paths::Paths;
use super::rig::Rig;
use crate::audio::Spectrum;
use crate::cache::Store;
use crate::catalog::{Catalog, CatalogError, Listener, Report};
use crate::client::{Downloads, Session};
use crate::music::{CoverId, Lyrics, Track};
use crate::player::Command;
use crate::server::privacy::{Who, export_to};
use crate::subsonic::convert::from_iso;
use crate::tui::effects::{Device, Finding, Health, Password, Place, PrivacyWish};
use crate::tui::{KeptThere, Outside};

/// A reason as a sentence of its own.
fn told(reason: &str) -> String {
    let mut chars = reason.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

/// What effects of the screens reach.
pub(super) struct Rooms {
    catalog: Catalog,
    listener: Listener,
    store: Store,
    session: Arc<Session>,
    player: Stage,
    mixer: Mixer,
    settings: Settings,
    paths: Paths,
}

impl Rooms {
    /// Handles on the rooms of a rig that was put together from these settings.
    pub(super) fn of(rig: &Rig, settings: &Settings, paths: &Paths) -> Self {
        Self {
            catalog: rig.library.catalog.clone(),
            listener: rig.library.listener.clone(),
            store: rig.library.store.clone(),
            session: Arc::clone(&rig.library.session),
            player: rig.stage.clone(),
            mixer: rig.mixer.clone(),
            settings: settings.clone(),
            paths: paths.clone(),
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

    fn doctor(&self) -> BoxFuture<'_, Vec<Finding>> {
        async move {
            let mut findings = doctor::beside_the_music(&self.settings, &self.paths).await;
            let (notice, output) = {
                let status = self.player.here().status();
                let status = status.borrow();
                (status.output_notice.clone(), status.sound.output.clone())
            };
            let (health, what, advice) = match notice {
                Some(notice) => {
                    let advice = "`segue devices` lists what :output takes; `segue doctor` opens the device.";
                    (Health::Wrong, notice, advice.to_owned())
                }
                None => (Health::Good, format!("“{output}” is open."), String::new()),
            };
            findings.push(Finding { health, area: "sound".to_owned(), what, advice });
            let usage = self.store.usage();
            let what = format!(
                "{} tracks, {} MB of {} MB. `segue cache verify` reads all of it back.",
                usage.tracks_whole,
                usage.bytes / 1_000_000,
                (usage.limit + usage.pinned) / 1_000_000
            );
            findings.push(Finding {
                health: Health::Good,
                area: "store".to_owned(),
                what,
                advice: String::new(),
            });
            findings
        }
        .boxed()
    }

    fn places(&self) -> BoxFuture<'_, Result<Vec<Place>, String>> {
        self.player.places().boxed()
    }

    fn play_on(&self, name: String) -> BoxFuture<'_, Result<String, String>> {
        async move { self.player.play_on(&name).await }.boxed()
    }

    fn operators(&self, days: (i64, i64)) -> BoxFuture<'_, Result<Report, String>> {
        self.session.insights(days).boxed()
    }

    fn kept_there(&self) -> BoxFuture<'_, Option<KeptThere>> {
        async move {
            let privacy = self.session.privacy().await?;
            let counts = privacy.stored.into_iter().map(|stored| (stored.name, stored.count)).collect();
            Some((counts, privacy.erase_at.as_deref().and_then(from_iso)))
        }
        .boxed()
    }

    fn privacy(&self, wish: PrivacyWish, password: Password) -> BoxFuture<'_, Result<String, String>> {
        async move {
            let day = |at: i64| {
                jiff::Timestamp::from_millisecond(at).unwrap_or_default().strftime("%-d %b %Y").to_string()
            };
            match wish {
                PrivacyWish::Export(file) if password.reveal().is_empty() => {
                    let name =
                        self.settings.user.clone().unwrap_or_else(|| "the listener of this player".into());
                    let who = Who { id: self.listener.account().clone(), name };
                    export_to(&self.catalog, &who, &file).await.map_err(|e| told(&e.to_string()))?;
                    Ok(format!("{} has what this player keeps of you.", file.display()))
                }
                PrivacyWish::Export(file) => {
                    self.session.export_account(password.reveal(), &file).await.map_err(|e| told(&e))?;
                    Ok(format!("{} has everything that the server keeps of you.", file.display()))
                }
                PrivacyWish::Erase => {
                    let at = self.session.erase_account(password.reveal(), false).await;
                    let at = at.map_err(|e| told(&e.to_string()))?;
                    let when = at.map_or_else(|| "soon".to_owned(), day);
                    Ok(format!("The account is closed, and erased {when}; :erase back takes that back."))
                }
                PrivacyWish::TakeBack => {
                    let at = self.session.erase_account(password.reveal(), true).await;
                    at.map_err(|e| told(&e.to_string()))?;
                    Ok("You stay; nothing was erased.".to_owned())
                }
            }
        }
        .boxed()
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
