//! Files that are open already.
//!
//! A player fetches a song in many pieces. To open its file for each of them costs more than to send it, because opening
//! is done away from the threads that serve: a disk may be asleep. So a handle is kept for a moment, and each request asks
//! it whether it is still the file that it was: same size, same time of change, and still in its folder. That takes a
//! microsecond and no disk. After [`FRESH`] the path is looked up again, and what nobody asks for is closed, so that no disk
//! is kept from being taken away.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use axum::http::HeaderValue;
use tokio_util::sync::CancellationToken;

use super::kept::Kept;
use super::ranges::http_date;

/// How long a handle is good without a look at the path.
const FRESH: Duration = Duration::from_secs(1);
/// Handles kept at most.
pub(crate) const MOST: u64 = 256;

/// An open file and what HTTP says about it.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) file: File,
    /// Bytes.
    pub(crate) length: u64,
    /// Last change, Unix time in seconds.
    pub(crate) modified: i64,
    /// Strong `ETag` with its quotes.
    pub(crate) etag: String,
    /// `Last-Modified`.
    pub(crate) date: Option<HeaderValue>,
    metadata: Metadata,
    opened: Instant,
}

impl OpenFile {
    fn new(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let since = since.unwrap_or_default();
        let (length, modified) = (metadata.len(), i64::try_from(since.as_secs()).unwrap_or(0));
        let date = http_date(modified).and_then(|date| HeaderValue::from_str(&date).ok());
        let etag = format!("\"{length:x}-{:x}\"", since.as_nanos());
        Ok(Self { file, length, modified, etag, date, metadata, opened: Instant::now() })
    }

    /// Whether the path still leads to it, and nobody has written to it.
    #[cfg(unix)]
    fn is_still(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let what = |of: &Metadata| (of.len(), of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec());
        // Another file in its place, a removal and a rename all change the time of its own status, too.
        self.opened.elapsed() < FRESH
            && self.file.metadata().is_ok_and(|now| now.nlink() > 0 && what(&now) == what(&self.metadata))
    }

    #[cfg(not(unix))]
    fn is_still(&self) -> bool {
        let _ = &self.metadata;
        false
    }
}

/// Opens a file, away from the threads that serve.
pub(crate) async fn open(path: &Path) -> io::Result<OpenFile> {
    let path = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || OpenFile::new(&path));
    opened.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// The handles of a server.
#[derive(Debug)]
pub(crate) struct Handles(Kept<PathBuf, Arc<OpenFile>>);

impl Default for Handles {
    fn default() -> Self {
        Self(Kept::new(MOST))
    }
}

impl Handles {
    /// The file behind a path, as it is now. The handle has a place of its own nowhere in the file: read it by offset.
    pub(crate) async fn open(&self, path: &Path) -> io::Result<Arc<OpenFile>> {
        if let Some(known) = self.0.get(path).filter(|known| known.is_still()) {
            return Ok(known);
        }
        let opened = Arc::new(open(path).await?);
        self.0.put(path.to_owned(), Arc::clone(&opened), 1);
        Ok(opened)
    }

    /// Closes what has not been asked for lately, until the server ends.
    pub(crate) async fn tidy(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(5 * FRESH) => self.0.retain(|open| open.opened.elapsed() < 5 * FRESH),
                () = stop.cancelled() => return,
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn what_changes_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("song");
        std::fs::write(&path, "one").unwrap();
        let handles = Handles::default();
        let first = handles.open(&path).await.unwrap();
        assert!(Arc::ptr_eq(&first, &handles.open(&path).await.unwrap()), "the same handle");

        File::options().append(true).open(&path).unwrap().write_all(b" and more").unwrap();
        let longer = handles.open(&path).await.unwrap();
        assert_eq!((longer.length, first.length), (12, 3));

        let other = folder.path().join("other");
        std::fs::write(&other, "another one!").unwrap();
        File::open(&other).unwrap().set_modified(longer.metadata.modified().unwrap()).unwrap();
        std::fs::rename(&other, &path).unwrap();
        let replaced = handles.open(&path).await.unwrap();
        assert!(!Arc::ptr_eq(&longer, &replaced), "another file under the same name");

        std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
        assert_eq!(handles.open(&path).await.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(handles.open(folder.path()).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
