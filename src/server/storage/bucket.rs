//! The seam to a store: list, look, read a range, sign. Everything above it is the same for every store, and knows no crate.
//!
//! Without the feature `cloud` there is no store that could be behind it.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

/// Why a store did not do what it was asked. The texts are sentences that hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// There is no such object, or not any more.
    #[error("there is no such object in the store")]
    Absent,
    /// The object is another one than the one that was meant.
    #[error("the object in the store changed meanwhile")]
    Changed,
    /// The store does not let us, or is not there; asking again is of no use until somebody does something.
    #[error("{0}")]
    Refused(String),
    /// The store does not answer; asking again may help.
    #[error("{0}")]
    Away(String),
}

impl Trouble {
    /// Whether it says something about the store rather than about one object.
    pub(crate) const fn of_store(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Away(_))
    }
}

impl From<Trouble> for std::io::Error {
    fn from(trouble: Trouble) -> Self {
        let kind = match trouble {
            Trouble::Absent => std::io::ErrorKind::NotFound,
            Trouble::Changed => std::io::ErrorKind::StaleNetworkFileHandle,
            Trouble::Refused(_) => std::io::ErrorKind::PermissionDenied,
            Trouble::Away(_) => std::io::ErrorKind::HostUnreachable,
        };
        Self::new(kind, trouble)
    }
}

/// What a tag begins with that no store gave.
const MADE: char = '~';

/// What a store says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta {
    /// Bytes.
    pub(crate) size: u64,
    /// When it was written last, Unix time in ms.
    pub(crate) modified_ms: i64,
    /// Its strong entity tag without quotes, where the store has them.
    pub(crate) etag: Option<String>,
}

impl Meta {
    /// What is another text when the object is another one.
    pub(crate) fn tag(&self) -> String {
        self.etag.clone().unwrap_or_else(|| format!("{MADE}{:x}-{:x}", self.size, self.modified_ms))
    }

    /// What [`tag`](Self::tag) was made of.
    pub(crate) fn of_tag(size: u64, modified_ms: i64, tag: &str) -> Self {
        let etag = (!tag.starts_with(MADE)).then(|| tag.to_owned());
        Self { size, modified_ms, etag }
    }
}

/// A container of objects.
#[derive(Debug)]
pub(crate) enum Bucket {
    /// One behind HTTP.
    #[cfg(feature = "cloud")]
    Remote(super::remote::Remote),
    /// One in memory, with everything that can be wrong with a store.
    #[cfg(test)]
    Memory(super::memory::Memory),
}

#[cfg_attr(not(any(feature = "cloud", test)), allow(unused_variables, clippy::unused_async))]
impl Bucket {
    /// All objects whose keys begin with a prefix and a slash, in the order of the store; a page is in memory at a time.
    pub(crate) async fn list(
        &self,
        prefix: &str,
        each: &mut (dyn FnMut(&str, Meta) + Send),
    ) -> Result<(), Trouble> {
        match *self {
            #[cfg(feature = "cloud")]
            Self::Remote(ref remote) => remote.list(prefix, each).await,
            #[cfg(test)]
            Self::Memory(ref memory) => memory.list(prefix, each),
        }
    }

    /// What there is to say of an object.
    pub(crate) async fn head(&self, key: &str) -> Result<Meta, Trouble> {
        match *self {
            #[cfg(feature = "cloud")]
            Self::Remote(ref remote) => remote.head(key).await,
            #[cfg(test)]
            Self::Memory(ref memory) => memory.head(key),
        }
    }

    /// Some bytes of an object that must still be the one meant.
    pub(crate) async fn get(&self, key: &str, range: Range<u64>, meta: &Meta) -> Result<Bytes, Trouble> {
        match *self {
            #[cfg(feature = "cloud")]
            Self::Remote(ref remote) => remote.get(key, range, meta).await,
            #[cfg(test)]
            Self::Memory(ref memory) => memory.get(key, range, meta).await,
        }
    }

    /// An address at which anybody may read an object for a while.
    pub(crate) async fn sign(&self, key: &str, ttl: Duration) -> Result<String, Trouble> {
        match *self {
            #[cfg(feature = "cloud")]
            Self::Remote(ref remote) => remote.sign(key, ttl).await,
            #[cfg(test)]
            Self::Memory(_) => Ok(format!("http://store.example/{key}?ttl={}", ttl.as_secs())),
        }
    }
}
