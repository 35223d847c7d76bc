//! Slows down who guesses passwords.
//!
//! Failures are counted in windows of five minutes for a name at an address, for an address, and for a name from
//! anywhere. The narrowest limit is the lowest, so that a stranger's guesses rarely lock the listener out; and
//! a client whose password was verified a moment ago is never asked about (see `auth`). IPv6 addresses count by
//! their /64. Nothing is written down, and names are kept as hashes only. Where several processes serve, failures are counted in their
//! database, so that a limit is not one for each of them: names and addresses as keyed digests, for the five minutes that they count.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::subsonic::auth::hex;

pub(crate) const WINDOW: Duration = Duration::from_mins(5);
const PER_NAME_AND_ADDRESS: u32 = 10;
const PER_ADDRESS: u32 = 60;
const PER_NAME: u32 = 120;
const MOST_ENTRIES: usize = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    NameAtAddress(u64, u128),
    Address(u128),
    Name(u64),
}

#[derive(Debug, Clone, Copy)]
struct Count {
    failures: u32,
    since: Instant,
}

/// The failures of the last minutes.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    hasher: RandomState,
    counts: Mutex<HashMap<Who, Count>>,
}

impl Throttle {
    fn keys(&self, address: IpAddr, name: Option<&str>) -> impl Iterator<Item = (Who, u32)> {
        let place = match address.to_canonical() {
            IpAddr::V4(v4) => u128::from(u32::from(v4)),
            IpAddr::V6(v6) => u128::from(v6) >> 64 << 64,
        };
        let name = name.map(|name| self.hasher.hash_one(name));
        let named = name.into_iter().flat_map(move |name| {
            [(Who::NameAtAddress(name, place), PER_NAME_AND_ADDRESS), (Who::Name(name), PER_NAME)]
        });
        std::iter::once((Who::Address(place), PER_ADDRESS)).chain(named)
    }

    /// What stands for a name and an address in a database, each with how many failures it may have; the first one is of both together,
    /// where there is a name.
    pub(crate) fn digests(salt: &str, address: IpAddr, name: Option<&str>) -> Vec<(String, u32)> {
        let place = match address.to_canonical() {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => std::net::Ipv6Addr::from(u128::from(v6) >> 64 << 64).to_string(),
        };
        let digest = |parts: [&str; 2]| {
            let mut hash = Sha256::new();
            for part in [salt, parts[0], parts[1]] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
            hex(&hash.finalize())
        };
        let named = name.map(|name| [([name, &*place], PER_NAME_AND_ADDRESS), ([name, ""], PER_NAME)]);
        let all = named.into_iter().flatten().chain([(["", &*place], PER_ADDRESS)]);
        all.map(|(parts, limit)| (digest(parts), limit)).collect()
    }

    /// How long this name at this address has to wait; `None` when it may try.
    pub(crate) fn wait(&self, address: IpAddr, name: Option<&str>, now: Instant) -> Option<Duration> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        self.keys(address, name)
            .filter_map(|(who, limit)| {
                let count = counts.get(&who).filter(|count| count.failures >= limit)?;
                WINDOW.checked_sub(now.saturating_duration_since(count.since)).filter(|wait| !wait.is_zero())
            })
            .max()
    }

    /// Remembers a failure.
    pub(crate) fn failed(&self, address: IpAddr, name: Option<&str>, now: Instant) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST_ENTRIES {
            counts.retain(|_, count| now.saturating_duration_since(count.since) < WINDOW);
            if counts.len() >= MOST_ENTRIES {
                // A flood from many places: forget single failures, keep those who are being slowed down.
                counts.retain(|_, count| count.failures > 1);
            }
        }
        for (who, _) in self.keys(address, name) {
            let room = counts.len() < MOST_ENTRIES
                || matches!(who, Who::Address(_)) && counts.len() < 2 * MOST_ENTRIES;
            if !room && !counts.contains_key(&who) {
                continue;
            }
            let count = counts.entry(who).or_insert(Count { failures: 0, since: now });
            if now.saturating_duration_since(count.since) >= WINDOW {
                *count = Count { failures: 0, since: now };
            }
            count.failures = count.failures.saturating_add(1);
        }
    }

    /// Forgets the failures of a name at an address that got it right.
    pub(crate) fn succeeded(&self, address: IpAddr, name: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (who, _) in self.keys(address, Some(name)) {
            if matches!(who, Who::NameAtAddress(..)) {
                counts.remove(&who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn ten_failures_then_a_pause_for_that_name_at_that_address() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..9 {
            throttle.failed(HOME, Some("ann"), now);
        }
        assert_eq!(throttle.wait(HOME, Some("ann"), now), None);
        throttle.failed(HOME, Some("ann"), now);
        assert_eq!(throttle.wait(HOME, Some("ann"), now), Some(WINDOW));
        assert_eq!(throttle.wait(HOME, Some("bob"), now), None);
        assert_eq!(throttle.wait(AWAY, Some("ann"), now), None);
        assert_eq!(throttle.wait(HOME, Some("ann"), now + WINDOW), None);
    }

    #[test]
    fn many_names_from_one_address_and_one_name_from_many() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for name in 0..60 {
            throttle.failed(HOME, Some(&name.to_string()), now);
        }
        assert!(throttle.wait(HOME, Some("ann"), now).is_some());
        assert!(throttle.wait(HOME, None, now).is_some());
        for host in 0..120_u8 {
            throttle.failed(IpAddr::V4([10, 1, 1, host].into()), Some("ann"), now);
        }
        assert!(throttle.wait(AWAY, Some("ann"), now).is_some());
        assert_eq!(throttle.wait(AWAY, Some("bob"), now), None);
    }

    #[test]
    fn digests_tell_names_and_addresses_apart_and_not_what_they_are() {
        let of = |salt, address: &str, name| Throttle::digests(salt, address.parse().unwrap(), name);
        let one = of("salt", "10.0.0.1", Some("ann"));
        assert_eq!(one.iter().map(|(_, limit)| *limit).collect::<Vec<_>>(), [10, 120, 60]);
        assert!(one.iter().all(|(who, _)| !who.contains("ann") && !who.contains("10.0")));
        assert_eq!(one[2..], of("salt", "10.0.0.1", None)[..]);
        assert_eq!(one[1], of("salt", "10.0.0.2", Some("ann"))[1]);
        assert_ne!(one[0], of("salt", "10.0.0.2", Some("ann"))[0]);
        assert_ne!(one[0], of("other", "10.0.0.1", Some("ann"))[0]);
        assert_eq!(of("s", "2001:db8::1", None), of("s", "2001:db8::ffff", None), "IPv6 by its net");
    }

    #[test]
    fn success_forgets_and_ipv6_counts_by_its_net() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let (one, other): (IpAddr, IpAddr) =
            ("2001:db8::1".parse().unwrap(), "2001:db8::ffff".parse().unwrap());
        for _ in 0..10 {
            throttle.failed(one, Some("ann"), now);
        }
        assert!(throttle.wait(other, Some("ann"), now).is_some());
        throttle.succeeded(one, "ann");
        assert_eq!(throttle.wait(other, Some("ann"), now), None);
        assert_eq!(throttle.wait("2001:db8:0:1::1".parse().unwrap(), Some("ann"), now), None);
    }
}
