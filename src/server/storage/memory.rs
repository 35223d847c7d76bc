//! A store in memory for tests: it counts what is asked of it, and can be away or slow.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use super::bucket::{Meta, Trouble};

#[derive(Debug, Default, Clone)]
pub(crate) struct Memory(pub(crate) Arc<Inner>);

#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) objects: Mutex<BTreeMap<String, Bytes>>,
    pub(crate) away: AtomicBool,
    pub(crate) reads: AtomicUsize,
    pub(crate) read_bytes: AtomicUsize,
}

impl Memory {
    pub(crate) fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        self.0.objects.lock().unwrap().insert(key.to_owned(), bytes.into());
    }

    fn here(&self) -> Result<(), Trouble> {
        if self.0.away.load(Ordering::Relaxed) { Err(Trouble::Away("it is away".to_owned())) } else { Ok(()) }
    }

    pub(super) fn list(
        &self,
        prefix: &str,
        each: &mut (dyn FnMut(&str, Meta) + Send),
    ) -> Result<(), Trouble> {
        self.here()?;
        for (key, bytes) in self.0.objects.lock().unwrap().iter().filter(|(key, _)| key.starts_with(prefix)) {
            each(key, meta(bytes));
        }
        Ok(())
    }

    pub(super) fn head(&self, key: &str) -> Result<Meta, Trouble> {
        self.here()?;
        self.0.objects.lock().unwrap().get(key).map(meta).ok_or(Trouble::Absent)
    }

    pub(super) async fn get(&self, key: &str, range: Range<u64>, expected: &Meta) -> Result<Bytes, Trouble> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        self.here()?;
        let bytes = self.0.objects.lock().unwrap().get(key).cloned().ok_or(Trouble::Absent)?;
        if meta(&bytes) != *expected {
            return Err(Trouble::Changed);
        }
        let part = bytes.slice(range.start as usize..range.end as usize);
        self.0.reads.fetch_add(1, Ordering::Relaxed);
        self.0.read_bytes.fetch_add(part.len(), Ordering::Relaxed);
        Ok(part)
    }
}

fn meta(bytes: &Bytes) -> Meta {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Meta { size: bytes.len() as u64, modified_ms: 1_000, etag: Some(format!("{:x}", hasher.finish())) }
}
