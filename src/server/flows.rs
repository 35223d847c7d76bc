//! Who is being sent music, so that a plan can limit how many of an account's players are at one time.
//!
//! A player is told by the name that it gives itself and the address that it comes from. It fetches in pieces, ahead, and the
//! next track before this one ends: all of that is one player, and takes one place. It has the place while bytes flow to it and
//! for [`LINGER`] after the last of them, so that a player that fetches fast does not lose its place between two tracks at
//! once, and a listener who goes from one device to another waits no longer than that.
//!
//! Where several processes serve, a place is also a row that all of them count, and that is kept fresh while music flows.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::seats::Seat;
use super::{Clock, Shared};
use crate::catalog::{Catalog, CatalogError};
use crate::music::AccountId;
use crate::subsonic::auth::hex;

/// How long a player keeps its place after the last byte, ms.
pub(crate) const LINGER: i64 = 60_000;
/// How often other processes are told who listens: a third of [`LINGER`].
const TOLD: Duration = Duration::from_secs(20);
/// The most accounts that are remembered before those that nothing flows to are forgotten.
const MOST: usize = 4096;

/// A player of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Player {
    /// What it calls itself.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) address: IpAddr,
}

#[derive(Debug)]
struct Place {
    player: Player,
    /// Answers that run; all of them share it.
    flow: Weak<Running>,
    /// When it was last seen to run, Unix time in ms.
    seen: Arc<Mutex<i64>>,
}

#[derive(Debug)]
struct Running {
    seen: Arc<Mutex<i64>>,
    clock: Clock,
}

impl Drop for Running {
    fn drop(&mut self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = self.clock.now();
    }
}

impl Place {
    fn is_taken(&self, now: i64) -> bool {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back frees places rather than keep them.
        self.flow.strong_count() > 0 || (seen <= now && now - seen < LINGER)
    }
}

/// What a player holds as long as this, or a clone of it, is there: a place among those of its account, where they are counted, and a
/// seat among those of the server.
#[derive(Debug, Clone, Default)]
#[expect(dead_code, reason = "holds both")]
pub(crate) struct Flow {
    running: Option<Arc<Running>>,
    seat: Option<Arc<Seat>>,
}

impl Flow {
    fn of(running: Arc<Running>) -> Self {
        Self { running: Some(running), seat: None }
    }

    /// The same with a seat.
    pub(crate) fn in_seat(self, seat: Seat) -> Self {
        Self { seat: Some(Arc::new(seat)), ..self }
    }
}

/// The places of all accounts.
#[derive(Debug)]
pub(crate) struct Flows {
    clock: Clock,
    places: Mutex<HashMap<AccountId, Vec<Place>>>,
}

impl Flows {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, places: Mutex::default() }
    }

    /// A place for a player among at most so many of its account; the error is the name of a player that has one.
    pub(crate) fn enter(&self, account: &AccountId, player: Player, most: u32) -> Result<Flow, String> {
        let now = self.clock.now();
        let mut all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, places| places.iter().any(|place| place.is_taken(now)));
        }
        let places = all.entry(account.clone()).or_default();
        places.retain(|place| place.is_taken(now));
        if let Some(own) = places.iter_mut().find(|place| place.player == player) {
            *own.seen.lock().unwrap_or_else(PoisonError::into_inner) = now;
            let running = own.flow.upgrade().unwrap_or_else(|| self.run(&own.seen));
            own.flow = Arc::downgrade(&running);
            return Ok(Flow::of(running));
        }
        if let Some(other) = places.first()
            && places.len() >= most as usize
        {
            return Err(other.player.name.clone());
        }
        let seen = Arc::new(Mutex::new(now));
        let running = self.run(&seen);
        places.push(Place { player, flow: Arc::downgrade(&running), seen });
        Ok(Flow::of(running))
    }

    /// The same among all players that any process sends music to; `None` where there is one process.
    pub(crate) async fn enter_everywhere(
        &self,
        catalog: &Catalog,
        account: &AccountId,
        player: &Player,
        most: u32,
    ) -> Result<Option<Result<(), String>>, CatalogError> {
        if !catalog.is_shared() {
            return Ok(None);
        }
        let now = self.clock.now();
        let player = (&*player.digest(account), &*player.name);
        Ok(Some(catalog.take_place(account, player, most, (now, now - LINGER)).await?))
    }

    /// Players that music flows to.
    fn running(&self) -> Vec<(AccountId, Player)> {
        let all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let running = |place: &&Place| place.flow.strong_count() > 0;
        let of = |(account, places): (&AccountId, &Vec<Place>)| {
            places
                .iter()
                .filter(running)
                .map(|place| (account.clone(), place.player.clone()))
                .collect::<Vec<_>>()
        };
        all.iter().flat_map(of).collect()
    }

    fn run(&self, seen: &Arc<Mutex<i64>>) -> Arc<Running> {
        Arc::new(Running { seen: Arc::clone(seen), clock: self.clock.clone() })
    }
}

impl Player {
    /// What stands for it where its address is nobody's business.
    fn digest(&self, account: &AccountId) -> String {
        let mut hash = Sha256::new();
        for part in [account.as_str(), &self.name, &self.address.to_string()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())
    }
}

/// Tells other processes which players music flows to, until the end.
pub(crate) async fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    if !shared.catalog.is_shared() {
        return;
    }
    while stop.run_until_cancelled(tokio::time::sleep(TOLD)).await.is_some() {
        for (account, player) in shared.flows.running() {
            let (digest, now) = (player.digest(&account), shared.flows.clock.now());
            if let Err(error) = shared.catalog.keep_place(&account, &digest, now).await {
                tracing::debug!(%error, "other processes do not hear who listens");
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn player(name: &str) -> Player {
        Player { name: name.to_owned(), address: IpAddr::from([127, 0, 0, 1]) }
    }

    #[test]
    fn a_place_is_a_players_however_it_fetches() {
        let clock = Clock::by_hand(1_000_000);
        let flows = Flows::new(clock.clone());
        let ann = AccountId::from("ann");
        let first = flows.enter(&ann, player("phone"), 1).unwrap();
        let ahead = flows.enter(&ann, player("phone"), 1).unwrap();
        assert_eq!(flows.enter(&ann, player("laptop"), 1).unwrap_err(), "phone");
        assert!(flows.enter(&ann, player("laptop"), 2).is_ok(), "two places");
        assert!(flows.enter(&AccountId::from("bob"), player("laptop"), 1).is_ok(), "another account");
        clock.set(1_000_000 + LINGER);
        assert!(flows.enter(&ann, player("laptop"), 1).is_err(), "it still flows");
        drop((first, ahead));
        clock.set(1_000_000 + 2 * LINGER - 1);
        assert!(flows.enter(&ann, player("laptop"), 1).is_err(), "between two tracks");
        clock.set(1_000_000 + 2 * LINGER);
        assert!(flows.enter(&ann, player("laptop"), 1).is_ok(), "the phone is away");
        assert_eq!(flows.enter(&ann, player("phone"), 1).unwrap_err(), "laptop");
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let clock = Clock::by_hand(10 * LINGER);
        let flows = Flows::new(clock.clone());
        let ann = AccountId::from("ann");
        drop(flows.enter(&ann, player("phone"), 1));
        clock.set(LINGER);
        assert!(flows.enter(&ann, player("laptop"), 1).is_ok());
    }
}
