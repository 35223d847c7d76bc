//! How many listen at one time, so that nobody new is let in before those who listen suffer.
//!
//! A player fetches in pieces, so a listener has a *seat* while bytes flow and for [`LINGER`] after the last of them. Who has a seat, and who goes
//! on in the middle of a song (another process of the server may have sent the beginning), is let in as long as there is any room;
//! who begins is not where all seats are taken, or where the server has too much to do ([`load`](super::load)).

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::music::AccountId;

/// How long a listener keeps a seat after the last byte.
pub(crate) const LINGER: Duration = Duration::from_mins(1);
/// Seats that are known before those that are free again are forgotten.
const TIDY: usize = 4096;

/// A seat of one listener.
#[derive(Debug)]
struct Place {
    running: u32,
    seen: Instant,
}

/// The seats of a server.
#[derive(Debug)]
pub(crate) struct Seats {
    /// How many there are; 0 for any number.
    most: usize,
    hasher: RandomState,
    places: Mutex<HashMap<u64, Place>>,
}

/// A seat that is taken as long as this is there.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    key: u64,
}

impl Seats {
    /// So many at most; 0 for any number.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, hasher: RandomState::new(), places: Mutex::default() })
    }

    /// A seat for a player of an account; `None` where it begins to listen and nobody new may, or all are taken. `goes_on` says that it is in
    /// the middle of a song.
    pub(crate) fn take(
        self: &Arc<Self>,
        player: (&AccountId, &str, IpAddr),
        goes_on: bool,
        nobody_new: bool,
    ) -> Option<Seat> {
        let (key, now) = (self.hasher.hash_one(player), Instant::now());
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= TIDY.max(self.most * 2) {
            places.retain(|_, place| place.is_taken(now));
        }
        if !places.get(&key).is_some_and(|place| place.is_taken(now)) {
            let taken =
                if self.most > 0 { places.values().filter(|place| place.is_taken(now)).count() } else { 0 };
            // Whoever says that it goes on may say so of nothing; there is an end to that.
            let room = if goes_on { self.most.saturating_mul(2) } else { self.most };
            if (nobody_new && !goes_on) || (self.most > 0 && taken >= room) {
                return None;
            }
        }
        let place = places.entry(key).or_insert(Place { running: 0, seen: now });
        (place.running, place.seen) = (place.running.saturating_add(1), now);
        Some(Seat { seats: Arc::clone(self), key })
    }

    /// Which part of the seats is taken; 0 where there is any number.
    pub(crate) fn part(&self, now: Instant) -> f64 {
        if self.most == 0 { 0.0 } else { self.taken(now) as f64 / self.most as f64 }
    }

    /// How many listen.
    pub(crate) fn taken(&self, now: Instant) -> usize {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.values().filter(|place| place.is_taken(now)).count()
    }
}

impl Place {
    fn is_taken(&self, now: Instant) -> bool {
        self.running > 0 || now.saturating_duration_since(self.seen) < LINGER
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut places = self.seats.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get_mut(&self.key) {
            (place.running, place.seen) = (place.running.saturating_sub(1), Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn who_listens_goes_on_and_nobody_new_comes_in() {
        let (seats, ann) = (Seats::new(2), AccountId::from("ann"));
        let take = |name: &str, goes_on, nobody_new| seats.take((&ann, name, HERE), goes_on, nobody_new);
        let phone = take("phone", false, false).unwrap();
        let laptop = take("laptop", false, false).unwrap();
        assert!(take("car", false, false).is_none(), "all seats are taken");
        assert!(take("phone", false, true).is_some(), "the next song of who listens");
        let other = take("radio", true, true).expect("in the middle of a song, from another process");
        drop((phone, laptop, other));
        assert!(take("car", false, false).is_none(), "between two pieces");
        assert!((seats.part(Instant::now()) - 1.5).abs() < 1e-9);
        assert_eq!(seats.taken(Instant::now() + LINGER), 0, "they are gone");
    }

    #[test]
    fn without_a_limit_only_too_much_to_do_keeps_out() {
        let (seats, ann) = (Seats::new(0), AccountId::from("ann"));
        assert!(seats.take((&ann, "phone", HERE), false, true).is_none());
        let taken: Vec<_> = (0..50).map(|n| seats.take((&ann, &n.to_string(), HERE), false, false)).collect();
        assert!(taken.iter().all(Option::is_some) && seats.part(Instant::now()) < 1e-9);
        assert!(seats.take((&ann, "7", HERE), false, true).is_some(), "it listens");
    }

    #[test]
    fn there_is_an_end_to_those_who_go_on() {
        let (seats, ann) = (Seats::new(2), AccountId::from("ann"));
        let taken: Vec<_> = (0..9).map(|n| seats.take((&ann, &n.to_string(), HERE), true, false)).collect();
        assert_eq!(taken.iter().flatten().count(), 4);
    }
}
