//! What is heard at this moment, by whom: told by players, kept in memory, forgotten when nothing more is heard of them. Where several
//! processes serve, it is kept in the database, since the next word of a player may come to another one; but of who wants no history
//! nothing is written down.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::catalog::{Catalog, CatalogError, Playing};
use crate::music::{AccountId, Purpose, TrackId};

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
#[derive(Debug)]
pub(crate) struct Hearing {
    /// Where other processes hear of it as well.
    rows: Option<Catalog>,
    own: Mutex<HashMap<(AccountId, String), Heard>>,
}

/// Rows that nobody has spoken of for so long are not looked at, ms: no track with its silence is longer.
const OLDEST: i64 = 6 * 3_600_000;

impl Hearing {
    /// Of one process, or of all those beside a database.
    pub(crate) fn beside(catalog: &Catalog) -> Self {
        Self { rows: catalog.is_shared().then(|| catalog.clone()), own: Mutex::default() }
    }

    /// A player says what it does. Gives what it said before, if that was about the same track.
    pub(crate) async fn tell(&self, heard: Heard) -> Result<Option<Heard>, CatalogError> {
        match &self.rows {
            Some(catalog) if catalog.allows(&heard.account, Purpose::History).await? => {
                let (begins, ends) = (heard.state == PlayState::Starting, heard.state == PlayState::Stopped);
                let before = catalog.tell_playing(&to_row(&heard), begins, ends).await?;
                Ok(before.and_then(|row| of_row(row, heard.username)))
            }
            _ => Ok(self.tell_here(heard)),
        }
    }

    fn tell_here(&self, mut heard: Heard) -> Option<Heard> {
        let mut players = self.own.lock().unwrap_or_else(PoisonError::into_inner);
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
    pub(crate) async fn forget(&self, account: &AccountId) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| of != account);
        if let Some(catalog) = &self.rows
            && let Err(error) = catalog.forget_playing(account).await
        {
            tracing::warn!(%error, "what an account plays is still written down");
        }
    }

    /// What is heard now, the newest word first, each with a number for its player.
    pub(crate) async fn now(&self) -> Result<Vec<Heard>, CatalogError> {
        let mut all: Vec<Heard> = {
            let players = self.own.lock().unwrap_or_else(PoisonError::into_inner);
            players.values().cloned().collect()
        };
        if let Some(catalog) = &self.rows {
            let since = Timestamp::now().as_millisecond() - OLDEST;
            let rows = catalog.playing_now(since).await?;
            all.extend(rows.into_iter().filter_map(|(row, name)| of_row(row, name)));
        }
        all.retain(|heard| !heard.is_stale());
        all.sort_by_key(|heard| std::cmp::Reverse(heard.told));
        Ok(all)
    }
}

fn to_row(heard: &Heard) -> Playing {
    let number = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    Playing {
        account: heard.account.clone(),
        player: heard.player.clone(),
        track: heard.track.clone(),
        duration_ms: number(heard.duration_ms),
        began_at: heard.began_at,
        told_at: Timestamp::now().as_millisecond(),
        state: heard.state.word().to_owned(),
        position_ms: number(heard.position_ms),
        rate: heard.rate,
    }
}

/// What a row says; none where a later release wrote a word that this one does not know.
fn of_row(row: Playing, username: String) -> Option<Heard> {
    let ago =
        Duration::from_millis(u64::try_from(Timestamp::now().as_millisecond() - row.told_at).unwrap_or(0));
    let whole = |ms: i64| u64::try_from(ms).unwrap_or(0);
    Some(Heard {
        account: row.account,
        username,
        player: row.player,
        track: row.track,
        duration_ms: whole(row.duration_ms),
        began_at: row.began_at,
        state: PlayState::from_word(&row.state)?,
        position_ms: whole(row.position_ms),
        rate: row.rate,
        told: Instant::now().checked_sub(ago)?,
    })
}
