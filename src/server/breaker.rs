//! A circuit breaker: who finds a store or the database down some times in a row leaves it alone for a while, so that requests are
//! refused at once instead of waiting for it, and it is not trampled while it comes back. Pure: the time is handed in.

use std::time::{Duration, Instant};

/// Failures in a row that open it.
const TOLERATED: u32 = 3;
/// How long it stays open at first; twice as long each time that it is still down,
const FIRST: Duration = Duration::from_secs(1);
/// up to this, where nobody says how long.
const LONGEST: Duration = Duration::from_secs(15);

/// What is known of how one of them does.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// The longest that it stays open at a time.
    longest: Duration,
    failures: u32,
    /// Until when nobody asks; behind that one may try.
    closed_off: Option<Instant>,
    /// Whether one is trying.
    trying: bool,
    /// Since when nothing has worked.
    down_since: Option<Instant>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::with_longest(LONGEST)
    }
}

impl Breaker {
    /// One that stays open so long at most at a time.
    pub(crate) const fn with_longest(longest: Duration) -> Self {
        Self { longest, failures: 0, closed_off: None, trying: false, down_since: None }
    }

    /// Whether one may ask now; the error is how long to wait.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        match self.closed_off {
            Some(until) if now < until => Err(until - now),
            Some(_) => {
                // One tries. Should its answer never be noted, the next one tries after this.
                self.closed_off = Some(now + FIRST);
                self.trying = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// It answered.
    pub(crate) fn worked(&mut self) {
        *self = Self::with_longest(self.longest);
    }

    /// It did not answer.
    pub(crate) fn failed(&mut self, now: Instant) {
        // Of many who asked at once, those who hear last tell nothing new.
        if self.closed_off.is_some() && !self.trying {
            return;
        }
        self.trying = false;
        self.failures = self.failures.saturating_add(1);
        self.down_since.get_or_insert(now);
        if self.failures >= TOLERATED {
            let times = (self.failures - TOLERATED).min(10);
            self.closed_off = Some(now + (FIRST * 2_u32.pow(times)).min(self.longest));
        }
    }

    /// How long nothing has worked.
    pub(crate) fn down_for(&self, now: Instant) -> Duration {
        self.down_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_tries_and_closes() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        for _ in 0..2 {
            breaker.failed(start);
            assert!(breaker.admit(start).is_ok());
        }
        breaker.failed(start);
        assert_eq!(breaker.admit(at(400)), Err(Duration::from_millis(600)));
        assert!(breaker.admit(at(1000)).is_ok(), "one tries");
        assert!(breaker.admit(at(1001)).is_err(), "and only one");
        breaker.failed(at(1100));
        assert_eq!(breaker.admit(at(1100)), Err(Duration::from_secs(2)));
        assert_eq!(breaker.down_for(at(1100)), Duration::from_millis(1100));
        breaker.worked();
        assert!(breaker.admit(at(1101)).is_ok() && breaker.admit(at(1101)).is_ok());
        assert_eq!(breaker.down_for(at(9000)), Duration::ZERO);
    }

    #[test]
    fn it_waits_no_longer_than_its_longest() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..100 {
            breaker.failed(now);
        }
        assert_eq!(breaker.admit(now), Err(FIRST), "a hundred at once are one outage");
        let mut now = now;
        for _ in 0..20 {
            now += LONGEST;
            assert!(breaker.admit(now).is_ok());
            breaker.failed(now);
        }
        assert_eq!(breaker.admit(now), Err(LONGEST));
    }
}
