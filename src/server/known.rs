//! Who was let in lately, and which songs were sent, for a database that goes away: who listens then goes on listening.
//!
//! What is known here was allowed by the database a few minutes ago. While that answers it is asked each time and nothing here is looked at, so a
//! key that is revoked is good for nothing more with the next request; while it does not, nobody can revoke one either. Somebody is sent
//! again what they were sent, as it is; and who may hear everything is sent what others who may were sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::kept::Kept;
use super::media::Song;
use super::params::Params;
use crate::music::AccountId;

/// How long somebody may go on without the database's word.
const GOOD: Duration = Duration::from_mins(10);
/// Listeners with their songs, listeners, and songs that are remembered.
const MOST: u64 = 20_000;
/// Parameters that say who asks,
const WHO: &[&str] = &["apiKey", "u", "p", "t", "s", "c"];
/// and for what.
const WHAT: &[&str] = &["id", "format", "maxBitRate", "timeOffset"];

/// What stands for some parameters: a digest, since secrets are among them.
type Key = [u8; 32];

/// A song that may be sent as it is.
#[derive(Debug, Clone)]
pub(crate) struct Known<S = Arc<Song>> {
    pub(crate) account: AccountId,
    pub(crate) song: S,
}

/// Something, and when the database knew it last.
type Since<T> = (Instant, T);

/// What was sent lately, and to whom.
#[derive(Debug)]
pub(crate) struct Songs<S = Arc<Song>> {
    pepper: [u8; 32],
    /// Songs by who asked for them.
    pairs: Kept<Key, Since<Known<S>>>,
    /// Accounts that may hear everything as it is, by who asks.
    listeners: Kept<Key, Since<AccountId>>,
    /// Songs that such accounts were sent.
    songs: Kept<Key, Since<S>>,
}

impl<S: Clone> Default for Songs<S> {
    fn default() -> Self {
        let pepper = rand::random();
        Self { pepper, pairs: Kept::new(MOST), listeners: Kept::new(MOST), songs: Kept::new(MOST) }
    }
}

impl<S: Clone> Songs<S> {
    fn key(&self, params: &Params, names: &[&[&str]]) -> Key {
        let mut hash = Sha256::new();
        hash.update(self.pepper);
        for name in names.iter().copied().flatten() {
            // With lengths, and another one for what is not there, so that no two requests look alike.
            let value = params.get(name);
            hash.update(value.map_or(u64::MAX, |value| value.len() as u64).to_le_bytes());
            hash.update(value.unwrap_or_default());
        }
        hash.finalize().into()
    }

    /// A song is sent as it is to who asked for it so; `everything` where they are sent any song like that.
    pub(crate) fn sent(&self, params: &Params, account: &AccountId, song: &S, everything: bool) {
        let now = Instant::now();
        let known = Known { account: account.clone(), song: song.clone() };
        self.pairs.put(self.key(params, &[WHO, WHAT]), (now, known), 1);
        if everything {
            self.listeners.put(self.key(params, &[WHO]), (now, account.clone()), 1);
            self.songs.put(self.key(params, &[WHAT]), (now, song.clone()), 1);
        }
    }

    /// The song that may be sent to who asks so.
    pub(crate) fn again(&self, params: &Params) -> Option<Known<S>> {
        let pair = good(self.pairs.get(&self.key(params, &[WHO, WHAT])));
        pair.or_else(|| {
            let account = good(self.listeners.get(&self.key(params, &[WHO])))?;
            let song = good(self.songs.get(&self.key(params, &[WHAT])))?;
            Some(Known { account, song })
        })
    }

    /// Forgets an account.
    pub(crate) fn forget(&self, account: &AccountId) {
        self.pairs.retain(|(_, known)| known.account != *account);
        self.listeners.retain(|(_, known)| known != account);
    }
}

fn good<T>(known: Option<Since<T>>) -> Option<T> {
    known.filter(|(at, _)| at.elapsed() < GOOD).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        let mut params = Params::default();
        params.add(query.as_bytes());
        params
    }

    #[test]
    fn who_was_sent_a_song_is_sent_it_again_and_nobody_else() {
        let (songs, ann) = (Songs::default(), AccountId::from("ann"));
        songs.sent(&params("apiKey=one&id=5&c=player&v=1.16.1"), &ann, &"song", false);
        assert!(songs.again(&params("c=player&id=5&apiKey=one")).is_some());
        for other in [
            "apiKey=two&id=5&c=player",
            "apiKey=one&id=6&c=player",
            "apiKey=one&id=5&c=other",
            "apiKey=one&id=5&c=player&format=mp3",
            "apiKey=one5&id=&c=player",
            "id=5",
        ] {
            assert!(songs.again(&params(other)).is_none(), "{other}");
        }
        songs.forget(&ann);
        assert!(songs.again(&params("c=player&id=5&apiKey=one")).is_none());
    }

    #[test]
    fn who_may_hear_everything_is_sent_what_others_who_may_were_sent() {
        let (songs, ann, bob) = (Songs::default(), AccountId::from("ann"), AccountId::from("bob"));
        songs.sent(&params("apiKey=one&id=5&c=player"), &ann, &"song", true);
        songs.sent(&params("apiKey=two&id=6&c=player"), &bob, &"song", true);
        songs.sent(&params("apiKey=three&id=7&c=player"), &AccountId::from("eve"), &"song", false);
        assert_eq!(
            songs.again(&params("apiKey=one&id=6&c=player")).map(|known| known.account),
            Some(ann.clone())
        );
        for not in [
            "apiKey=one&id=7&c=player",
            "apiKey=three&id=5&c=player",
            "apiKey=four&id=5&c=player",
            "apiKey=one&id=6&c=player&maxBitRate=64",
        ] {
            assert!(songs.again(&params(not)).is_none(), "{not}");
        }
        songs.forget(&ann);
        assert!(songs.again(&params("apiKey=one&id=6&c=player")).is_none());
    }
}
