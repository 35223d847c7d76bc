//! The page of a mix, and the pop-up that says why a track is where it is.

use super::listing::Listing;
use crate::catalog::KeptMix;
use crate::music::{Track, TrackId};

/// A mix's page.
#[derive(Debug, Default)]
pub(crate) struct MixPage {
    pub(crate) id: Option<String>,
    pub(crate) kept: Option<KeptMix>,
    pub(crate) tracks: Listing<Track>,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    /// The generations of catalog and mixes that are shown.
    pub(crate) fresh: Option<(u64, u64)>,
}

impl MixPage {
    /// Why a track is in it.
    pub(crate) fn why(&self, track: &TrackId) -> Option<&str> {
        let picks = &self.kept.as_ref()?.mix.picks;
        picks.iter().find(|pick| pick.track == *track).map(|pick| pick.why.as_str())
    }
}

/// Why a track is where it is.
#[derive(Debug)]
pub(crate) struct Why {
    pub(crate) track: TrackId,
    pub(crate) title: String,
    /// Sentences; none until the answer comes.
    pub(crate) lines: Option<Vec<String>>,
    pub(crate) awaiting: u64,
}
