//! How long to wait before the next attempt.

use std::time::Duration;

/// Pauses between attempts: they double from a first one up to a longest one, each with jitter, so that many
/// players do not come back to a server in the same instant.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
}

impl Default for Backoff {
    /// From a quarter of a second to 15 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(250), Duration::from_secs(15))
    }
}

impl Backoff {
    /// The longest that a server's own wish (`Retry-After`) is followed.
    const OBEYED: Duration = Duration::from_mins(10);

    /// Pauses from `first` to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, attempts: 0 }
    }

    /// The pause before the next attempt; `wish` is what the server asked for.
    pub fn next(&mut self, wish: Option<Duration>) -> Duration {
        let step = self.first.saturating_mul(1 << self.attempts.min(16)).min(self.longest);
        self.attempts = self.attempts.saturating_add(1);
        let jittered = step.mul_f64(rand::random_range(0.5..=1.0));
        wish.map_or(jittered, |wish| wish.min(Self::OBEYED).max(jittered))
    }

    /// Attempts that failed since the last success.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Something worked: the next pause is short again.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_a_limit_and_obeys_the_server() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..40).map(|_| backoff.next(None)).collect();
        assert!(pauses[0] <= Duration::from_millis(250));
        assert!(pauses.iter().all(|p| *p <= Duration::from_secs(15)));
        assert!(pauses[39] >= Duration::from_millis(7_500));
        assert!(backoff.next(Some(Duration::from_mins(1))) >= Duration::from_mins(1));
        assert!(backoff.next(Some(Duration::from_hours(24))) <= Duration::from_mins(10));
        backoff.reset();
        assert!(backoff.next(None) <= Duration::from_millis(250));
    }
}
