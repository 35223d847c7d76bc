//! Which track of the library a foreign listen means: by the recording's id, or by artist and title as they are compared, the
//! nearest length where several are called so.

use std::collections::HashMap;

use super::Listen;
use crate::music::{Listening, TrackId, fold};

/// The library, ready to be looked up.
pub(super) struct Shelf {
    recordings: HashMap<String, TrackId>,
    names: HashMap<(String, String), Vec<(TrackId, u64)>>,
    lengths: HashMap<TrackId, u64>,
}

/// A title without what services add to it: `(feat. …)`, ` - Remastered 2011`.
fn plain(title: &str) -> &str {
    let lower = title.to_lowercase();
    let marks = [
        " (feat",
        " [feat",
        " feat.",
        " (with ",
        " (remaster",
        " [remaster",
        " - remaster",
        " (live",
        " - live",
    ];
    let cut = marks.iter().filter_map(|mark| lower.find(mark)).min();
    // Lower case may have other lengths; then the title stays as it is.
    cut.filter(|at| *at > 0).and_then(|at| title.get(..at)).unwrap_or(title)
}

impl Shelf {
    pub(super) fn new(all: &Listening, recordings: Vec<(String, TrackId)>) -> Self {
        let mut names: HashMap<(String, String), Vec<(TrackId, u64)>> = HashMap::new();
        let mut lengths = HashMap::new();
        for tune in &all.tunes {
            let Some(id) = tune.id.clone() else { continue };
            let artist = all.artists.get(tune.artist as usize).map_or("", String::as_str);
            names.entry((fold(artist), fold(&tune.title))).or_default().push((id.clone(), tune.duration_ms));
            let bare = plain(&tune.title);
            if bare != tune.title {
                names.entry((fold(artist), fold(bare))).or_default().push((id.clone(), tune.duration_ms));
            }
            lengths.insert(id, tune.duration_ms);
        }
        let recordings = recordings.into_iter().map(|(mbid, id)| (mbid.to_lowercase(), id)).collect();
        Self { recordings, names, lengths }
    }

    /// The track and its length in ms.
    pub(super) fn find(&self, listen: &Listen) -> Option<(TrackId, u64)> {
        let by_id = listen.recording.as_ref().and_then(|mbid| self.recordings.get(&mbid.to_lowercase()));
        if let Some((id, length)) = by_id.and_then(|id| Some((id, self.lengths.get(id)?))) {
            return Some((id.clone(), *length));
        }
        // "A feat. B" is by A.
        let artists = [listen.artist.as_str(), plain(&listen.artist)];
        let titles = [listen.title.as_str(), plain(&listen.title)];
        let mut keys = artists.iter().flat_map(|a| titles.iter().map(|t| (fold(a), fold(t))));
        let found = keys.find_map(|key| self.names.get(&key))?;
        let off = |length: u64| listen.duration_ms.map_or(0, |wanted| wanted.abs_diff(length));
        found.iter().min_by_key(|(id, length)| (off(*length), id.clone())).cloned()
    }
}
