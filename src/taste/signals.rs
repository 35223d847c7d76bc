//! What a listener's doings say about how much they like something.
//!
//! ```text
//! plays ── how far, why begun, sought? ──┐
//! marks ── star, rating                  ├─▶ Liking: per tune, artist and genre; hours; what counts as known
//! playlists, "less of this"            ──┘
//! ```
//!
//! A play heard to the end counts 1 and fades with [`HALF_LIFE_DAYS`]; a play that the listener chose counts more than one that came by
//! itself, and one that was searched for most; a skip in the first third counts against. A star counts as five fresh plays and does not fade.

use crate::music::{EndReason, Heard, Listening, StartReason, Tune};
use crate::taste::History;

/// Days after which a play counts half.
pub const HALF_LIFE_DAYS: f32 = 30.0;
/// How much more a play counts that the listener had looked for by words.
const SOUGHT: f32 = 2.0;
/// What a star on the track itself counts.
const STAR: f32 = 5.0;
/// What a place in one of the listener's own playlists counts.
const LISTED: f32 = 2.0;
/// Milliseconds in a day.
pub(crate) const DAY: i64 = 86_400_000;

/// How much one play says, before decay: above 0 for liking, below 0 for a skip.
pub fn worth(play: &Heard, duration_ms: u64) -> f32 {
    let share = (play.heard_ms as f32 / duration_ms.max(1) as f32).clamp(0.0, 1.0);
    let heard = if duration_ms == 0 { 0.5 } else { share };
    let base = match play.end {
        EndReason::Skipped if heard < 0.33 => -0.5,
        EndReason::Skipped => heard * 0.5,
        // A file that fails says nothing of its music.
        EndReason::Failed => return 0.0,
        EndReason::Finished => heard.max(0.9),
        EndReason::Stopped | EndReason::Unknown => heard,
    };
    match play.start {
        StartReason::Chosen if base > 0.0 && play.sought => base * SOUGHT,
        StartReason::Chosen | StartReason::Previous if base > 0.0 => base * 1.5,
        _ => base,
    }
}

/// What is left of a play's worth after a time, by [`HALF_LIFE_DAYS`].
pub fn decay(age_ms: i64) -> f32 {
    0.5_f32.powf(age_ms.max(0) as f32 / DAY as f32 / HALF_LIFE_DAYS)
}

/// A listener's liking in figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Liking {
    /// By tune, decayed; below 0 for what was skipped.
    pub tunes: Vec<f32>,
    /// By tune, the same without decay: what was ever liked.
    pub ever: Vec<f32>,
    /// By artist, decayed.
    pub artists: Vec<f32>,
    /// By genre, decayed, scaled so that the most liked is 1.
    pub genres: Vec<f32>,
    /// Plays that were not skips, by tune.
    pub plays: Vec<u32>,
    /// Those of the last 30 days.
    pub lately: Vec<u32>,
    /// When each tune was last played, Unix time in ms.
    pub last: Vec<Option<i64>>,
    /// By tune: not wanted.
    pub less: Vec<bool>,
}

impl Liking {
    /// Reads the signals as they stand at `now`, Unix time in ms.
    pub fn of(all: &Listening, now: i64) -> Self {
        let n = all.tunes.len();
        let mut liking = Self {
            tunes: vec![0.0; n],
            ever: vec![0.0; n],
            artists: vec![0.0; all.artists.len()],
            genres: vec![0.0; all.genres.len()],
            plays: vec![0; n],
            lately: vec![0; n],
            last: vec![None; n],
            less: vec![false; n],
        };
        for play in &all.plays {
            let i = play.tune as usize;
            let Some(tune) = all.tunes.get(i) else { continue };
            let worth = worth(play, tune.duration_ms);
            liking.tunes[i] += worth * decay(now - play.at);
            liking.ever[i] += worth;
            liking.last[i] = liking.last[i].max(Some(play.at));
            if worth > 0.0 {
                liking.plays[i] += 1;
                if now - play.at <= 30 * DAY {
                    liking.lately[i] += 1;
                }
            }
        }
        for (i, tune) in all.tunes.iter().enumerate() {
            // Plays that a server counted and whose times nobody kept.
            let unseen = tune.play_count.saturating_sub(liking.plays[i]);
            let age = tune.played_at.map_or(365 * DAY, |at| now - at);
            let counted = (unseen as f32).sqrt();
            liking.last[i] = liking.last[i].max(tune.played_at);
            liking.plays[i] = liking.plays[i].max(tune.play_count);
            let marked = marks(tune);
            liking.tunes[i] += counted * decay(age) + marked;
            liking.ever[i] += counted + marked;
        }
        for list in &all.lists {
            for &tune in list {
                if let (Some(now), Some(ever)) =
                    (liking.tunes.get_mut(tune as usize), liking.ever.get_mut(tune as usize))
                {
                    *now += LISTED;
                    *ever += LISTED;
                }
            }
        }
        for &tune in &all.less {
            if let Some(less) = liking.less.get_mut(tune as usize) {
                *less = true;
            }
        }
        for (i, tune) in all.tunes.iter().enumerate() {
            if all.less_artists.contains(&tune.artist) {
                liking.less[i] = true;
            }
            if liking.less[i] {
                liking.tunes[i] = liking.tunes[i].min(-1.0);
                liking.ever[i] = liking.ever[i].min(-1.0);
            }
            if let Some(artist) = liking.artists.get_mut(tune.artist as usize) {
                *artist += liking.tunes[i];
            }
            for genre in &tune.genres {
                if let Some(genre) = liking.genres.get_mut(usize::from(*genre)) {
                    *genre += liking.tunes[i];
                }
            }
        }
        let most = liking.genres.iter().copied().fold(0.0_f32, f32::max);
        for genre in &mut liking.genres {
            *genre = if most > 0.0 { *genre / most } else { 0.0 };
        }
        liking
    }

    /// Whether there is anything to go by.
    pub fn is_empty(&self) -> bool {
        !self.tunes.iter().any(|liking| *liking > 0.0)
    }

    /// As the models want it: tunes that are liked, by weight.
    pub fn history(&self) -> History {
        History::new(self.tunes.iter().enumerate().filter(|(_, w)| **w > 0.0).map(|(i, w)| (i as u32, *w)))
    }
}

/// What star and rating say: a rating of 3 says nothing, 1 and 2 speak against.
fn marks(tune: &Tune) -> f32 {
    let rated = match tune.rating {
        1 => -3.0,
        2 => -1.0,
        4 => 2.0,
        5 => 4.0,
        _ => 0.0,
    };
    tune.star * STAR + rated
}
