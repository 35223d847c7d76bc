//! Who waits for news of an account's devices, and which device is the jukebox.
//!
//! What devices tell and what they are asked for are rows (`catalog::devices`), which any process of the server may write. Here is only
//! what wakes those who wait in this process at once; for what another process wrote they look again every second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ServerError;
use crate::music::{AccountId, calendar::DAY_MS};

/// The most devices of an account.
pub(crate) const MOST_DEVICES: u64 = 24;
/// The most commands that wait for a device.
pub(crate) const MOST_COMMANDS: u64 = 64;
/// The most entries of a queue that are told or asked for.
pub(crate) const MOST_ENTRIES: usize = 1000;
/// A device that was not heard of for so long is not online, ms.
pub(crate) const ONLINE_MS: i64 = 45_000;
/// How often it is written down that a device which only waits was heard of, ms.
pub(crate) const SEEN_EVERY_MS: i64 = 20_000;
/// A command that nobody took for so long is void, ms: a pause must not come minutes later.
pub(crate) const VOID_MS: i64 = 30_000;
/// Devices that nobody heard of for so long are forgotten, ms.
pub(crate) const FORGOTTEN_MS: i64 = 30 * DAY_MS;
/// The longest wait for news: shorter than proxies and players give up on an answer.
const LONGEST: Duration = Duration::from_secs(15);
/// How often those who wait look again.
const LOOK: Duration = Duration::from_secs(1);
/// Requests of an account that may wait at once.
const MOST_WAITING: usize = 64;
/// Accounts that are remembered before those that nobody waits for are forgotten.
const ROOMS: usize = 1000;

/// The device that plays for `jukeboxControl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jukebox {
    /// Name of the account whose device it is.
    pub account: String,
    /// Name of the device.
    pub device: String,
}

impl Jukebox {
    /// Reads `NAME`, a device of the first account, or `ACCOUNT/NAME`.
    pub fn read(text: &str) -> Result<Self, ServerError> {
        let (account, device) = text.split_once('/').unwrap_or((super::accounts::ADMIN_NAME, text));
        let jukebox = Self { account: account.trim().to_owned(), device: device.trim().to_owned() };
        if jukebox.account.is_empty() || jukebox.device.is_empty() {
            return Err(ServerError::Jukebox(text.to_owned()));
        }
        Ok(jukebox)
    }
}

/// Where waiting requests are woken, by account.
#[derive(Debug, Default)]
pub(crate) struct Casting(Mutex<HashMap<AccountId, watch::Sender<u64>>>);

impl Casting {
    /// Something about the devices of an account changed.
    pub(crate) fn tell(&self, account: &AccountId) {
        let rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = rooms.get(account) {
            room.send_modify(|news| *news += 1);
        }
    }

    /// Waits for news of an account's devices, as long as the client wants but not too long; none when too many wait already.
    pub(crate) fn wait(&self, account: &AccountId, wanted: Duration) -> Option<Waiting> {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.len() >= ROOMS {
            rooms.retain(|_, room| room.receiver_count() > 0);
        }
        let room = rooms.entry(account.clone()).or_default();
        if room.receiver_count() >= MOST_WAITING {
            return None;
        }
        Some(Waiting { news: room.subscribe(), until: Instant::now() + wanted.min(LONGEST) })
    }
}

/// One request that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    news: watch::Receiver<u64>,
    until: Instant,
}

impl Waiting {
    /// What happens from now on is news.
    pub(crate) fn looks(&mut self) {
        self.news.borrow_and_update();
    }

    /// Done when it is worth looking again: `true`, or when the time is over or the server ends: `false`.
    pub(crate) async fn again(&mut self, stop: &CancellationToken) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        tokio::select! {
            _ = self.news.changed() => true,
            () = tokio::time::sleep(left.min(LOOK)) => true,
            () = stop.cancelled() => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jukebox_is_a_device_of_an_account() {
        let read = |text| Jukebox::read(text).map(|box_| (box_.account, box_.device)).ok();
        assert_eq!(read("hall"), Some(("admin".to_owned(), "hall".to_owned())));
        assert_eq!(read("ann / living room"), Some(("ann".to_owned(), "living room".to_owned())));
        assert_eq!((read(""), read("ann/"), read("/hall")), (None, None, None));
    }

    #[tokio::test]
    async fn news_wakes_whoever_waits_and_too_many_may_not() {
        let (casting, account, stop) = (Casting::default(), AccountId::new("a"), CancellationToken::new());
        let mut waiting = casting.wait(&account, Duration::from_mins(1)).unwrap();
        waiting.looks();
        casting.tell(&account);
        assert!(waiting.again(&stop).await);
        let others: Vec<_> = (0..100).map_while(|_| casting.wait(&account, Duration::ZERO)).collect();
        assert_eq!(others.len(), MOST_WAITING - 1);
        drop(others);
        assert!(!casting.wait(&account, Duration::ZERO).unwrap().again(&stop).await, "the time is over");
        stop.cancel();
        waiting.looks();
        assert!(!waiting.again(&stop).await, "the server ends");
    }
}
