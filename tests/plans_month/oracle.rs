//! What should happen, worked out from a plain list of all tickets by going through the whole of it each time.

use std::collections::{BTreeMap, BTreeSet};

use segue::music::AdHeard;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// A ticket is good for a week and may be told of for a month more; a clock may be ten minutes wrong.
const GOOD: i64 = 7 * DAY;
const LATE: i64 = 30 * DAY;
const SKEW: i64 = 600_000;
/// Tickets that one listener may hold.
const DRAWER: usize = 40;

/// A campaign: days of the month, hours of the listener's day, a genre, and what is the most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) name: &'static str,
    pub(crate) days: (i64, i64),
    pub(crate) hours: (i64, i64),
    pub(crate) genre: &'static str,
    pub(crate) per_day: u32,
    pub(crate) per_listener: u32,
    pub(crate) budget: u64,
}

/// A ticket, as it was given and told of: when it was heard, and how much of it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) listener: usize,
    pub(crate) campaign: String,
    pub(crate) issued_at: i64,
    pub(crate) heard: Option<(i64, u64)>,
    pub(crate) counts_after: u64,
    pub(crate) duration: u64,
}

impl Known {
    fn delivered(&self) -> bool {
        self.heard.is_some_and(|(_, heard)| heard >= self.counts_after)
    }

    /// Delivered, or it may still be.
    fn takes(&self, now: i64) -> bool {
        self.delivered() || self.waits(now)
    }

    fn waits(&self, now: i64) -> bool {
        self.heard.is_none() && now <= self.issued_at + GOOD
    }
}

pub(crate) struct Oracle {
    pub(crate) rules: Vec<Rules>,
    pub(crate) start: i64,
    pub(crate) tickets: BTreeMap<String, Known>,
    /// The tickets of each listener in the order in which they were given.
    pub(crate) order: BTreeMap<usize, Vec<String>>,
}

impl Oracle {
    fn of<'a>(&'a self, campaign: &'a str) -> impl Iterator<Item = &'a Known> {
        self.tickets.values().filter(move |known| known.campaign == campaign)
    }

    /// How many of a campaign a listener may still be given.
    fn room(&self, rules: &Rules, listener: usize, now: i64, offset: i32, genre: &str) -> u64 {
        let local = now + i64::from(offset) * 60_000;
        let hour = local.rem_euclid(DAY) / HOUR;
        let day = local.div_euclid(DAY);
        let live = (self.start + rules.days.0 * DAY..self.start + rules.days.1 * DAY).contains(&now)
            && (rules.hours.0..rules.hours.1).contains(&hour)
            && (rules.genre.is_empty() || rules.genre == genre);
        if !live {
            return 0;
        }
        let own = self.order.get(&listener).into_iter().flatten().map(|ticket| &self.tickets[ticket]);
        let own: Vec<&Known> = own.filter(|known| known.campaign == rules.name).collect();
        let is_today = |known: &&&Known| {
            known.waits(now)
                || known.heard.is_some_and(|(at, _)| (at + i64::from(offset) * 60_000).div_euclid(DAY) == day)
        };
        let left = |most: u64, had: usize| if most == 0 { u64::MAX } else { most.saturating_sub(had as u64) };
        let all = || self.of(rules.name).filter(|known| known.takes(now)).count();
        let all = if rules.budget > 0 { all() } else { 0 };
        let mine = own.iter().filter(|known| known.takes(now)).count();
        let today = own.iter().filter(|known| known.takes(now)).filter(is_today).count();
        left(rules.budget, all)
            .min(left(rules.per_listener.into(), mine))
            .min(left(rules.per_day.into(), today))
    }

    /// Checks what was given to who asked: as many as there may be, no campaign beyond what is left of it, and none twice while
    /// another one was left.
    pub(crate) fn check(
        &self,
        listener: usize,
        now: i64,
        offset: i32,
        genre: &str,
        count: u32,
        given: &[&str],
    ) {
        let own = self.order.get(&listener).into_iter().flatten().map(|ticket| &self.tickets[ticket]);
        let held = own.filter(|known| known.waits(now)).count();
        let rooms: BTreeMap<&str, u64> = self
            .rules
            .iter()
            .map(|rules| (rules.name, self.room(rules, listener, now, offset, genre)))
            .filter(|(_, room)| *room > 0)
            .collect();
        let there = rooms.values().fold(0_u64, |sum, room| sum.saturating_add(*room));
        let expected = u64::from(count).min(there).min(DRAWER.saturating_sub(held) as u64);
        assert_eq!(given.len() as u64, expected, "listener {listener} of {rooms:?}: {given:?}");
        let own = self.order.get(&listener).into_iter().flatten().rev();
        let before = own.map(|ticket| &self.tickets[ticket]).find(|known| known.waits(now));
        if let (Some(before), Some(first)) = (before, given.first()) {
            assert!(before.campaign != *first || rooms.len() == 1, "{first} after {first}, of {rooms:?}");
        }
        let times = |name: &str| given.iter().filter(|other| **other == name).count() as u64;
        for name in given {
            let room = rooms.get(name).copied().unwrap_or(0);
            assert!(times(name) <= room, "{name} has {room}: {given:?}");
            let fewer =
                rooms.iter().find(|(other, room)| times(other) + 1 < times(name) && **room > times(other));
            assert!(fewer.is_none(), "{name} came again before {fewer:?}: {given:?}");
        }
    }

    /// Takes a report over, and says whether it is good.
    pub(crate) fn tell(&mut self, listener: usize, ad: &AdHeard, now: i64) -> bool {
        let Some(known) = self.tickets.get_mut(&ad.ticket).filter(|known| known.listener == listener) else {
            return false;
        };
        if known.heard.is_some() {
            return true;
        }
        let expires = known.issued_at + GOOD;
        let heard = ad.heard_ms.min(known.duration);
        let over = ad.at + heard.cast_signed();
        if ad.at < known.issued_at - SKEW
            || ad.at > expires + SKEW
            || over > now + SKEW
            || now > expires + LATE
        {
            return false;
        }
        known.heard = Some((ad.at, heard));
        true
    }

    /// Tickets, delivered, skipped, expired.
    pub(crate) fn counts(&self, campaign: &str, now: i64) -> (u64, u64, u64, u64) {
        let count = |of: &dyn Fn(&Known) -> bool| self.of(campaign).filter(|known| of(known)).count() as u64;
        (
            count(&|_| true),
            count(&Known::delivered),
            count(&|known| known.heard.is_some() && !known.delivered()),
            count(&|known| known.heard.is_none() && !known.waits(now)),
        )
    }

    /// How many heard one.
    pub(crate) fn listeners(&self, campaign: &str) -> u64 {
        let all: BTreeSet<usize> =
            self.of(campaign).filter(|known| known.delivered()).map(|known| known.listener).collect();
        all.len() as u64
    }

    /// Tickets, delivered and listeners of a day by its number since 1970.
    pub(crate) fn day(&self, campaign: &str, day: i64) -> (u64, u64, u64) {
        let on: Vec<&Known> =
            self.of(campaign).filter(|known| known.issued_at.div_euclid(DAY) == day).collect();
        let delivered: Vec<&&Known> = on.iter().filter(|known| known.delivered()).collect();
        let listeners: BTreeSet<usize> = delivered.iter().map(|known| known.listener).collect();
        (on.len() as u64, delivered.len() as u64, listeners.len() as u64)
    }
}
