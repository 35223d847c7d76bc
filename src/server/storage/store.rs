//! One store: what is asked of it goes through here, so that it is asked within a time, left alone while it is down, and not asked
//! twice in a minute how large an object is.

use std::future::Future;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Handle;

use super::address::{Address, is_signable};
use super::bucket::{Bucket, Meta, Trouble};
use crate::server::breaker::Breaker;
use crate::server::kept::Kept;

/// The longest that one thing is waited for, with all tries.
const LONGEST: Duration = Duration::from_secs(30);
/// How long what a store said of an object is believed. Reads name the object that they mean, so nothing wrong is sent.
const FRESH: Duration = Duration::from_mins(1);
/// Objects of which that is remembered.
const REMEMBERED: u64 = 20_000;

/// A store below an address.
#[derive(Debug)]
pub(crate) struct Store {
    address: Address,
    root: PathBuf,
    bucket: Bucket,
    breaker: Mutex<Breaker>,
    heads: Kept<String, (Instant, Meta)>,
    /// Where its requests run for those who wait on a thread of their own.
    runtime: Handle,
}

impl Store {
    pub(super) fn new(address: Address, bucket: Bucket, runtime: Handle) -> Self {
        let root = address.root();
        Self { address, root, bucket, breaker: Mutex::default(), heads: Kept::new(REMEMBERED), runtime }
    }

    /// Its address.
    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// Its address as a path.
    pub(crate) const fn root(&self) -> &PathBuf {
        &self.root
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something from a thread that may wait.
    pub(super) fn wait_for<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// How long nothing has worked.
    pub(super) fn down_for(&self) -> Duration {
        self.breaker().down_for(Instant::now())
    }

    fn note<T>(&self, answer: Result<T, Trouble>) -> Result<T, Trouble> {
        match &answer {
            Err(Trouble::Away(why)) => {
                let mut breaker = self.breaker();
                if breaker.down_for(Instant::now()).is_zero() {
                    tracing::warn!(store = %self.root.display(), "{why}");
                }
                breaker.failed(Instant::now());
            }
            _ => self.breaker().worked(),
        }
        answer
    }

    fn admit(&self) -> Result<(), Trouble> {
        let admitted = self.breaker().admit(Instant::now());
        admitted.map_err(|_| {
            Trouble::Away(format!("the store {} does not answer at the moment", self.root.display()))
        })
    }

    async fn ask<T>(&self, what: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        self.admit()?;
        let answer = tokio::time::timeout(LONGEST, what).await.unwrap_or_else(|_| {
            Err(Trouble::Away(format!("the store {} took too long to answer", self.root.display())))
        });
        self.note(answer)
    }

    /// All objects below the address.
    pub(crate) async fn list(&self, each: &mut (dyn FnMut(PathBuf, Meta) + Send)) -> Result<(), Trouble> {
        // A page at a time is asked for, each within its own time.
        self.admit()?;
        let mut found = |key: &str, meta: Meta| {
            if let Some(path) = self.address.path_of(key) {
                each(path, meta);
            }
        };
        let answer = self.bucket.list(&self.address.prefix, &mut found).await;
        self.note(answer)
    }

    /// What there is to say of an object, as it was a moment ago.
    pub(crate) async fn head(&self, key: &str) -> Result<Meta, Trouble> {
        if let Some((at, meta)) = self.heads.get(key)
            && at.elapsed() < FRESH
        {
            return Ok(meta);
        }
        let meta = match self.ask(self.bucket.head(key)).await {
            // What is known lies in the hot cache, perhaps; and whoever reads names the object that they mean.
            Err(Trouble::Away(why)) => {
                return self.heads.get(key).map(|(_, meta)| meta).ok_or(Trouble::Away(why));
            }
            asked => asked?,
        };
        self.heads.put(key.to_owned(), (Instant::now(), meta.clone()), 1);
        Ok(meta)
    }

    /// Some bytes of an object that was looked at.
    pub(crate) async fn get(&self, key: &str, range: Range<u64>, meta: &Meta) -> Result<Bytes, Trouble> {
        let got = self.ask(self.bucket.get(key, range, meta)).await;
        if matches!(got, Err(Trouble::Changed | Trouble::Absent)) {
            self.heads.retain(|(_, known)| known != meta);
        }
        got
    }

    /// An address at which anybody may read an object for a while; `None` for keys that stores sign differently.
    pub(crate) async fn sign(&self, key: &str, ttl: Duration) -> Result<Option<String>, Trouble> {
        if !is_signable(key) {
            return Ok(None);
        }
        self.ask(self.bucket.sign(key, ttl)).await.map(Some)
    }
}
