//! Where music files are: in folders, or in stores (Azure Blob Storage, S3, Google Cloud Storage).
//!
//! ```text
//! scan, hearing, slices ─▶ Source ─▶ Reader (Read + Seek) ─┬▶ file
//! stream, transcode ─────▶ Object ─▶ hot cache (`hot`) ────┴▶ store (`store`: breaker) ─▶ bucket ─▶ remote
//! ```
//!
//! An object is named by a path that begins with its store's address (`address`), so the catalog and the scanner know files only. A store
//! is asked for ranges, never for whole objects; what listeners get passes through the hot cache. `bucket` is the seam to the
//! crate that speaks with clouds, which is there with the feature `cloud`.

mod address;
mod blocks;
#[cfg_attr(not(feature = "cloud"), allow(dead_code, reason = "no store can be behind it then"))]
mod bucket;
mod hot;
#[cfg(test)]
mod memory;
mod object;
#[cfg(feature = "cloud")]
mod remote;
#[cfg_attr(not(feature = "cloud"), allow(dead_code, reason = "no store can be behind it then"))]
mod store;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use address::Address;
pub(crate) use bucket::{Meta, Trouble};
use hot::Hot;
pub(crate) use object::Object;
use object::ObjectReader;
use store::Store;

use crate::audio::Media;

/// Bytes that are read at once for tags: those of most files fit.
const TAGS: u64 = 128 * 1024;
/// Bytes that are read at once for who goes through all of an object.
const SOUND: u64 = 1024 * 1024;
/// The hot cache where nobody says how large it may be, bytes.
pub const HOT_CACHE: u64 = 4 << 30;

/// The places where music is. Every clone means the same.
#[derive(Debug, Clone, Default)]
pub struct Storage(Arc<Places>);

#[derive(Debug, Default)]
struct Places {
    stores: Vec<Arc<Store>>,
    hot: Option<Arc<Hot>>,
}

/// Whether a path is the address of a store rather than a folder.
pub fn is_store(path: &Path) -> bool {
    Address::of(path).is_some()
}

impl Storage {
    /// Makes ready to reach the stores among these music folders. Nothing is sent yet, and a store need not be there. Within a runtime,
    /// which does its requests. The error is a sentence.
    pub fn open(folders: &[PathBuf]) -> Result<Self, String> {
        let mut stores = Vec::new();
        for address in folders.iter().filter_map(|folder| Address::of(folder)) {
            stores.push(Arc::new(reach(address?)?));
        }
        Ok(Self(Arc::new(Places { stores, hot: None })))
    }

    /// The same with a hot cache of so many bytes at most in a folder; without stores there is none. Blocks.
    pub fn with_hot_cache(self, folder: &Path, limit: u64) -> Result<Self, String> {
        let stores = self.0.stores.clone();
        let hot =
            if stores.is_empty() {
                None
            } else {
                let hot = Hot::open(folder.to_owned(), limit);
                Some(Arc::new(hot.map_err(|error| {
                    format!("the hot cache in {} cannot be used: {error}", folder.display())
                })?))
            };
        Ok(Self(Arc::new(Places { stores, hot })))
    }

    /// How a music folder is called everywhere: absolute, or a store's address always written the same.
    pub(crate) fn root(folder: PathBuf) -> PathBuf {
        match Address::of(&folder) {
            Some(Ok(address)) => address.root(),
            _ => std::path::absolute(&folder).unwrap_or(folder),
        }
    }

    /// Bytes in the hot cache; `None` without stores.
    pub(crate) fn hot_bytes(&self) -> Option<u64> {
        self.0.hot.as_ref().map(|hot| hot.used())
    }

    /// How many stores do not answer at the moment.
    pub(crate) fn down(&self) -> usize {
        self.0.stores.iter().filter(|store| !store.down_for().is_zero()).count()
    }

    fn place_of(&self, path: &Path) -> Option<(&Arc<Store>, String)> {
        self.0.stores.iter().find_map(|store| Some((store, store.address().key_of(path)?)))
    }

    /// Everything below a root that is a store's; `None` for a folder. A page of it is asked for at a time.
    pub(crate) async fn list(
        &self,
        root: &Path,
        each: &mut (dyn FnMut(PathBuf, Meta) + Send),
    ) -> Option<Result<(), Trouble>> {
        let store = self.0.stores.iter().find(|store| store.root() == root)?;
        Some(store.list(each).await)
    }

    /// What a scan saw, to be read.
    pub(crate) fn source(&self, path: &Path, size: u64, modified_ms: i64, tag: Option<&str>) -> Source {
        match (self.place_of(path), tag) {
            (Some((store, key)), Some(tag)) => {
                let meta = Meta::of_tag(size, modified_ms, tag);
                let object = Object::new(Arc::clone(store), key, path.to_owned(), meta, TAGS);
                Source::Object(Arc::new(object))
            }
            _ => Source::File(path.to_owned()),
        }
    }

    /// What is behind a path, for listeners: an object with what the hot cache has of it.
    pub(crate) async fn find(&self, path: &Path) -> Result<Source, Trouble> {
        let Some((store, key)) = self.place_of(path) else { return Ok(Source::File(path.to_owned())) };
        let meta = store.head(&key).await?;
        let object = Object::new(Arc::clone(store), key, path.to_owned(), meta, SOUND);
        Ok(Source::Object(Arc::new(object.through(self.0.hot.as_ref()))))
    }

    /// What is behind a path, for who goes through all of it once: past the hot cache. Blocks.
    pub(crate) fn look(&self, path: &Path) -> Result<Source, Trouble> {
        let Some((store, key)) = self.place_of(path) else { return Ok(Source::File(path.to_owned())) };
        let meta = store.wait_for(store.head(&key))?;
        Ok(Source::Object(Arc::new(Object::new(Arc::clone(store), key, path.to_owned(), meta, SOUND))))
    }

    /// An address at which anybody may read an object for a while; `None` where there is none that is sure to work.
    pub(crate) async fn sign(object: &Object, ttl: Duration) -> Result<Option<String>, Trouble> {
        let (store, key) = object.place();
        store.sign(key, ttl).await
    }
}

#[cfg(feature = "cloud")]
fn reach(address: Address) -> Result<Store, String> {
    let runtime = tokio::runtime::Handle::try_current().map_err(|error| error.to_string())?;
    let remote = remote::Remote::new(&address)?;
    Ok(Store::new(address, bucket::Bucket::Remote(remote), runtime))
}

#[cfg(not(feature = "cloud"))]
fn reach(address: Address) -> Result<Store, String> {
    Err(format!(
        "{} is in a store, and this segue was built without stores: take a release, or build it with `--features cloud`",
        address.root().display()
    ))
}

/// A file or an object.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A file.
    File(PathBuf),
    /// An object in a store.
    Object(Arc<Object>),
}

impl Source {
    /// Its path, or its address.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Object(object) => object.path(),
        }
    }

    /// Opens it for reading from the beginning. Blocks.
    pub(crate) fn open(&self) -> io::Result<Reader> {
        Ok(match self {
            Self::File(path) => Reader::File(File::open(path)?),
            Self::Object(object) => Reader::Object(ObjectReader::new(Arc::clone(object))),
        })
    }

    /// How it is by now. Blocks.
    pub(crate) fn now(&self) -> io::Result<Meta> {
        match self {
            Self::File(path) => Ok(Meta::of_file(&std::fs::metadata(path)?)),
            Self::Object(object) => {
                let (store, key) = object.place();
                Ok(store.wait_for(store.head(key))?)
            }
        }
    }

    /// What kept it from being read that is no fault of its content.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::File(_) => None,
            Self::Object(object) => object.trouble(),
        }
    }

    /// At most so many of its bytes, from the beginning. Blocks.
    pub(crate) fn read(&self, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open()?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether it is a link, or leads over one, to something of another suffix: who is called like lyrics need not be any.
    pub(crate) fn is_disguised(&self, suffix: &str) -> io::Result<bool> {
        match self {
            Self::File(path) => {
                let real = path.canonicalize()?;
                Ok(!real.extension().is_some_and(|real| real.eq_ignore_ascii_case(suffix)))
            }
            Self::Object(_) => Ok(false),
        }
    }
}

impl Meta {
    /// Of a file, which has no tag.
    pub(crate) fn of_file(metadata: &std::fs::Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified_ms = modified.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        Self { size: metadata.len(), modified_ms, etag: None }
    }
}

/// An open [`Source`].
#[derive(Debug)]
pub(crate) enum Reader {
    /// A file.
    File(File),
    /// An object.
    Object(ObjectReader),
}

impl Reader {
    /// Bytes.
    pub(crate) fn length(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata()?.len()),
            Self::Object(object) => Ok(object.len()),
        }
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(out),
            Self::Object(object) => object.read(out),
        }
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Object(object) => object.seek(to),
        }
    }
}

impl Media for Reader {
    fn byte_len(&self) -> Option<u64> {
        self.length().ok()
    }

    fn seekable(&self) -> bool {
        match self {
            Self::File(file) => file.seekable(),
            Self::Object(object) => object.seekable(),
        }
    }

    fn last_error(&self) -> Option<String> {
        match self {
            Self::File(_) => None,
            Self::Object(object) => object.last_error(),
        }
    }

    fn whole(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

#[cfg(test)]
mod tests;
