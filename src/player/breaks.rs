//! When an ad is heard, which one, and how often a track may be left before its end: what a plan asks, as pure data.
//!
//! Music is counted as it is heard. When as much of it was heard as the plan says, the next track waits for a break: ads for
//! which the server gave tickets, one after the other. Without tickets there is no break, and the music that was heard stays
//! counted.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::music::{Ad, Plan, clock};

/// An hour, ms.
const HOUR_MS: i64 = 60 * 60 * 1000;

/// What a plan counts, to be kept from one start of the program to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Music since the last break, ms as heard.
    pub since_break_ms: u64,
    /// When tracks were left before their end, Unix ms, oldest first; those of the last hour.
    pub skips: VecDeque<i64>,
}

/// The plan, its tickets, and what is counted.
#[derive(Debug, Default)]
pub(super) struct Breaks {
    plan: Arc<Plan>,
    ads: VecDeque<Ad>,
    /// Tickets of ads that began; the same list may come again before the server knows.
    used: HashSet<String>,
    /// Ads of the present break that began.
    begun: u32,
    counted: Counted,
}

impl Breaks {
    /// What was counted before.
    pub(super) fn count(&mut self, counted: Counted) {
        self.counted = counted;
    }

    /// Another plan, or other tickets.
    pub(super) fn set(&mut self, plan: Arc<Plan>, ads: Vec<Ad>) {
        self.used.retain(|ticket| ads.iter().any(|ad| ad.ticket == *ticket));
        self.ads = ads.into_iter().filter(|ad| !self.used.contains(&ad.ticket)).collect();
        self.plan = plan;
    }

    pub(super) fn counted(&self) -> &Counted {
        &self.counted
    }

    /// So much music was heard.
    pub(super) fn heard(&mut self, ms: u64) {
        self.counted.since_break_ms = self.counted.since_break_ms.saturating_add(ms);
    }

    /// The ad that is heard before the next track, if one is due. `more_ms` were heard that are not counted yet; `album`
    /// says that the next track goes on with an album in its order.
    pub(super) fn due(&self, more_ms: u64, album: bool, now_ms: i64) -> Option<&Ad> {
        let rules = self.plan.ads.as_ref()?;
        let heard = self.counted.since_break_ms.saturating_add(more_ms);
        let is_due = heard >= rules.every_ms && (rules.inside_albums || !album);
        self.first(now_ms).filter(|_| is_due)
    }

    /// The ad that follows the present one in the same break.
    pub(super) fn another(&self, now_ms: i64) -> Option<&Ad> {
        let rules = self.plan.ads.as_ref()?;
        self.first(now_ms).filter(|_| self.begun < rules.at_once)
    }

    fn first(&self, now_ms: i64) -> Option<&Ad> {
        self.ads.iter().find(|ad| ad.expires_at > now_ms)
    }

    /// Which ad of the present break sounds, and of how many at the most.
    pub(super) fn place(&self) -> (u32, u32) {
        let tickets = u32::try_from(self.ads.len()).unwrap_or(u32::MAX);
        let most = self.plan.ads.map_or(1, |rules| rules.at_once);
        (self.begun, self.begun.saturating_add(tickets).min(most).max(self.begun))
    }

    /// An ad begins to sound: its ticket is used up.
    pub(super) fn begin(&mut self, ticket: &str) {
        self.begun += 1;
        self.forget(ticket);
    }

    /// An ad that cannot be heard.
    pub(super) fn forget(&mut self, ticket: &str) {
        self.ads.retain(|ad| ad.ticket != ticket);
        self.used.insert(ticket.to_owned());
    }

    /// Music again.
    pub(super) fn end(&mut self) {
        self.begun = 0;
        self.counted.since_break_ms = 0;
    }

    /// The break was broken off; it is still owed.
    pub(super) fn break_off(&mut self) {
        self.begun = 0;
    }

    /// Leaves a track before its end, if the plan allows one more. The error is for the listener.
    pub(super) fn skip(&mut self, now_ms: i64) -> Result<(), String> {
        let limit = self.plan.skips_per_hour;
        if limit == 0 {
            return Ok(());
        }
        // A clock that was set back must not lock anybody up.
        self.counted.skips.retain(|at| (now_ms - HOUR_MS..=now_ms).contains(at));
        match self.counted.skips.front() {
            Some(first) if self.counted.skips.len() >= limit as usize => {
                let left = u64::try_from(first + HOUR_MS - now_ms).unwrap_or(0);
                let skips = if limit == 1 { "one skip".to_owned() } else { format!("{limit} skips") };
                let again = format!("the next one is free in {}.", clock(left));
                let mut said = format!("The plan “{}” has {skips} an hour: {again}", self.plan.name);
                if !self.plan.upgrade.is_empty() {
                    said = format!("{said} {}", self.plan.upgrade);
                }
                Err(said)
            }
            _ => {
                self.counted.skips.push_back(now_ms);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::AdRules;

    fn ad(ticket: &str) -> Ad {
        Ad {
            ticket: ticket.to_owned(),
            track: "ad".into(),
            title: "Soap".to_owned(),
            by: "Soap & Sons".to_owned(),
            duration_ms: 10_000,
            skippable_after_ms: None,
            counts_after_ms: 9_000,
            gain_db: 0.0,
            peak: 1.0,
            expires_at: 1_000_000,
        }
    }

    fn free(at_once: u32) -> Arc<Plan> {
        let ads = Some(AdRules { every_ms: 60_000, at_once, inside_albums: false });
        Arc::new(Plan { name: "free".to_owned(), skips_per_hour: 2, ads, ..Plan::default() })
    }

    fn ticket(ad: Option<&Ad>) -> Option<&str> {
        ad.map(|ad| ad.ticket.as_str())
    }

    #[test]
    fn a_break_is_due_after_enough_music_and_not_inside_an_album() {
        let mut breaks = Breaks::default();
        breaks.set(free(1), vec![ad("a"), ad("b")]);
        breaks.heard(40_000);
        assert_eq!(ticket(breaks.due(19_999, false, 0)), None);
        assert_eq!(ticket(breaks.due(20_000, false, 0)), Some("a"));
        assert_eq!(ticket(breaks.due(20_000, true, 0)), None, "an album in its order");
        assert_eq!(ticket(breaks.due(20_000, false, 1_000_000)), None, "the tickets have expired");
        breaks.heard(20_000);
        breaks.begin("a");
        assert_eq!(ticket(breaks.another(0)), None, "one at a time");
        breaks.end();
        assert_eq!(ticket(breaks.due(59_999, false, 0)), None, "counted anew");
        assert_eq!(ticket(breaks.due(60_000, false, 0)), Some("b"));
    }

    #[test]
    fn a_break_has_as_many_as_the_plan_and_the_tickets_give() {
        let mut breaks = Breaks::default();
        breaks.set(free(3), vec![ad("a"), ad("b")]);
        breaks.begin("a");
        assert_eq!(breaks.place(), (1, 2));
        assert_eq!(ticket(breaks.another(0)), Some("b"));
        breaks.begin("b");
        assert_eq!(breaks.place(), (2, 2));
        assert_eq!(ticket(breaks.another(0)), None);
    }

    #[test]
    fn a_ticket_is_used_once_though_the_list_comes_again() {
        let mut breaks = Breaks::default();
        breaks.set(free(1), vec![ad("a"), ad("b")]);
        breaks.begin("a");
        breaks.end();
        breaks.set(free(1), vec![ad("a"), ad("b")]);
        assert_eq!(ticket(breaks.due(60_000, false, 0)), Some("b"));
        breaks.set(free(1), vec![ad("b")]);
        breaks.set(free(1), vec![ad("a")]);
        assert_eq!(ticket(breaks.due(60_000, false, 0)), Some("a"), "the server knew, and gave it anew");
    }

    #[test]
    fn a_better_plan_ends_ads_at_once() {
        let mut breaks = Breaks::default();
        breaks.set(free(2), vec![ad("a"), ad("b")]);
        breaks.heard(90_000);
        breaks.begin("a");
        breaks.set(Arc::new(Plan::default()), Vec::new());
        assert_eq!(ticket(breaks.another(0)), None);
        assert_eq!(ticket(breaks.due(90_000, false, 0)), None);
    }

    #[test]
    fn skips_are_counted_by_the_hour() {
        let mut breaks = Breaks::default();
        assert!((0..100).all(|at| breaks.skip(at).is_ok()), "a plan without a limit");
        breaks.set(free(1), Vec::new());
        assert!(breaks.skip(1_000).is_ok());
        assert!(breaks.skip(2_000).is_ok());
        let why = breaks.skip(601_000).unwrap_err();
        assert_eq!(why, "The plan “free” has 2 skips an hour: the next one is free in 50:00.");
        assert!(breaks.skip(1_001 + HOUR_MS).is_ok());
        assert!(breaks.skip(1_002 + HOUR_MS).is_err(), "the second one is not an hour old");
        assert!(breaks.skip(-5 * HOUR_MS).is_ok(), "the clock was set back");
    }
}
