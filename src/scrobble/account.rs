//! One listener's account at one service, whichever it is.

use std::time::Duration;

use super::wire::{Told, Trouble};
use super::{LastFm, ListenBrainz};
use crate::catalog::Scrobble;
use crate::music::{Listen, ScrobbleService};

/// An account at a service.
#[derive(Debug)]
pub enum Account {
    /// `ListenBrainz`, or what speaks its API.
    ListenBrainz(ListenBrainz),
    /// Last.fm, or what speaks its API.
    LastFm(LastFm),
}

impl Account {
    /// Where it is.
    pub const fn service(&self) -> ScrobbleService {
        match self {
            Self::ListenBrainz(_) => ScrobbleService::ListenBrainz,
            Self::LastFm(_) => ScrobbleService::LastFm,
        }
    }

    /// The name of the account, if the service takes the login.
    pub async fn check(&self) -> Result<String, Trouble> {
        match self {
            Self::ListenBrainz(service) => service.check().await,
            Self::LastFm(service) => service.check().await,
        }
    }

    /// Tells what plays.
    pub(super) async fn now_playing(&self, listen: &Listen) -> Result<(), Trouble> {
        match self {
            Self::ListenBrainz(service) => service.now_playing(listen).await,
            Self::LastFm(service) => service.now_playing(listen).await,
        }
    }

    /// Most listens in one request.
    pub(super) const fn most(&self) -> usize {
        match self {
            Self::ListenBrainz(_) => ListenBrainz::MOST,
            Self::LastFm(_) => LastFm::MOST,
        }
    }

    /// How many of these fit into one request, at least one.
    pub(super) fn fitting(&self, scrobbles: &[Scrobble]) -> usize {
        match self {
            Self::ListenBrainz(_) => ListenBrainz::fitting(scrobbles),
            Self::LastFm(_) => scrobbles.len().min(LastFm::MOST),
        }
    }

    /// Tells of plays that are over: what became of each, and how long to rest before the next request.
    pub(super) async fn submit(
        &self,
        scrobbles: &[Scrobble],
    ) -> Result<(Vec<Told>, Option<Duration>), Trouble> {
        match self {
            Self::ListenBrainz(service) => service.submit(scrobbles).await,
            Self::LastFm(service) => service.submit(scrobbles).await,
        }
    }

    /// Which of these the service has already; none where it cannot be asked.
    pub(super) async fn has(&self, scrobbles: &[Scrobble]) -> Result<Option<Vec<bool>>, Trouble> {
        match self {
            Self::ListenBrainz(service) => service.has(scrobbles).await,
            Self::LastFm(service) => service.has(scrobbles).await.map(Some),
        }
    }
}

/// The times at which these began, Unix time in seconds: the first and the last. Nothing for none.
pub(super) fn span(scrobbles: &[Scrobble]) -> Option<(i64, i64)> {
    let times = || scrobbles.iter().map(Scrobble::started_s);
    Some((times().min()?, times().max()?))
}
