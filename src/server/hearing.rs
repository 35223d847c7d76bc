//! What is heard at this moment, by whom: told by players, kept in memory, forgotten when nothing more is heard of them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::music::{AccountId, TrackId};

/// How long a player that says nothing more counts as playing, beyond the rest of its track.
const SILENCE: Duration = Duration::from_mins(10);
/// The most players that are remembered; a client may invent as many names as it likes.
const MOST: usize = 10_000;

/// What a player does, in the words of the `playbackReport` extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlayState {
    Starting,
    Playing,
    Paused,
    Stopped,
}

impl PlayState {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Starting, Self::Playing, Self::Paused, Self::Stopped].into_iter().find(|s| s.word() == word)
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Playing => "playing",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

/// What one player said last.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) account: AccountId,
    /// Name of the account.
    pub(crate) username: String,
    /// Name of the program.
    pub(crate) player: String,
    pub(crate) track: TrackId,
    pub(crate) duration_ms: u64,
    /// When this track began at this player, Unix time in ms.
    pub(crate) began_at: i64,
    pub(crate) state: PlayState,
    pub(crate) position_ms: u64,
    pub(crate) rate: f64,
    pub(crate) told: Instant,
}

impl Heard {
    /// Where the track is now, ms.
    pub(crate) fn position_now(&self) -> u64 {
        let moving = matches!(self.state, PlayState::Starting | PlayState::Playing);
        let since = if moving { self.told.elapsed().as_secs_f64() * 1000.0 * self.rate } else { 0.0 };
        self.position_ms.saturating_add(since.max(0.0) as u64).min(self.duration_ms.max(self.position_ms))
    }

    fn is_stale(&self) -> bool {
        let rest = self.duration_ms.saturating_sub(self.position_ms);
        let rest = Duration::from_secs_f64(rest as f64 / 1000.0 / self.rate.max(0.1));
        self.told.elapsed() > SILENCE + if self.state == PlayState::Paused { SILENCE } else { rest }
    }
}

/// Every player that was heard of lately.
#[derive(Debug, Default)]
pub(crate) struct Hearing(Mutex<HashMap<(AccountId, String), Heard>>);

impl Hearing {
    /// A player says what it does. Gives what it said before, if that was about the same track.
    pub(crate) fn tell(&self, mut heard: Heard) -> Option<Heard> {
        let mut players = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        players.retain(|_, heard| !heard.is_stale());
        let key = (heard.account.clone(), heard.player.clone());
        let before = players.get(&key).filter(|before| before.track == heard.track).cloned();
        if let Some(before) = &before
            && heard.state != PlayState::Starting
        {
            heard.began_at = before.began_at;
        }
        if heard.state == PlayState::Stopped {
            players.remove(&key);
        } else if players.len() < MOST || players.contains_key(&key) {
            players.insert(key, heard);
        }
        before
    }

    /// Forgets the players of an account.
    pub(crate) fn forget(&self, account: &AccountId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| of != account);
    }

    /// What is heard now, the newest word first, each with a number for its player.
    pub(crate) fn now(&self) -> Vec<Heard> {
        let players = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Heard> = players.values().filter(|heard| !heard.is_stale()).cloned().collect();
        all.sort_by_key(|heard| std::cmp::Reverse(heard.told));
        all
    }
}
