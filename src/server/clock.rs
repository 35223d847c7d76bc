//! What time it is for everything that begins and ends by the calendar: plans, ads, tickets. A test moves it by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time; every clone tells the same.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's.
    pub fn system() -> Self {
        Self(None)
    }

    /// One that stands at this Unix time in ms until it is set.
    pub fn by_hand(now: i64) -> Self {
        Self(Some(Arc::new(AtomicI64::new(now))))
    }

    /// Unix time in ms.
    pub fn now(&self) -> i64 {
        match &self.0 {
            Some(hand) => hand.load(Ordering::SeqCst),
            None => jiff::Timestamp::now().as_millisecond(),
        }
    }

    /// Sets a clock that is moved by hand, Unix time in ms; the system's stays as it is.
    pub fn set(&self, now: i64) {
        if let Some(hand) = &self.0 {
            hand.store(now, Ordering::SeqCst);
        }
    }
}
