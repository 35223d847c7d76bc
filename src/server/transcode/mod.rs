//! Other forms of a track than its file: smaller ones, ones that a client can play, ones that begin later.
//!
//! ```text
//! parameters + track ─▶ recipe (pure) ─▶ the file itself
//!                                     ├▶ on the shelf: made before, sent like any file, with ranges
//!                                     └▶ job: ffmpeg, shared by all who ask for the same
//! ```
//!
//! Without ffmpeg there is only the file itself.

mod decision;
mod job;
mod recipe;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tokio::sync::{AcquireError, Semaphore};

use super::storage::{self, Trouble};
use crate::catalog::Slice;
use crate::music::{AccountId, Track};
use crate::subsonic::auth::hex;
pub(crate) use decision::decide;
pub(crate) use job::Job;
use job::Order;
pub(crate) use recipe::{Asked, Recipe, Source, choose};

/// How much the shelf holds, bytes.
const SHELF: u64 = 4 * 1024 * 1024 * 1024;
/// How long a request waits for a place among the runs.
const WAIT: Duration = Duration::from_secs(20);
/// Suffix of what is not whole.
const DRAFT: &str = "draft";

/// What becomes of a request for another form.
pub(crate) enum Made {
    /// A whole file on the shelf.
    File(PathBuf),
    /// One that is being made.
    Growing(Arc<Job>),
}

/// Why there is no other form.
pub(crate) enum Unmade {
    /// The track is in a store that does not give it.
    Store(Trouble),
    /// Anything else, in a sentence.
    Failed(String),
}

/// Makes other forms of tracks.
#[derive(Debug)]
pub(crate) struct Transcoder {
    ffmpeg: Option<PathBuf>,
    shelf: PathBuf,
    /// How many conversions run at once.
    most: usize,
    places: Arc<Semaphore>,
    running: Mutex<HashMap<String, Weak<Job>>>,
    /// Places that each account has taken, so that one of them cannot have all.
    own: Mutex<HashMap<AccountId, Arc<Semaphore>>>,
}

/// Conversions of one account that run at once: what it hears, what comes next, and one more.
const EACH: usize = 3;

impl Transcoder {
    /// Looks for ffmpeg, unless nothing is to be converted; results are kept in the folder `shelf`.
    pub(crate) fn new(shelf: PathBuf, converts: bool) -> Self {
        let ffmpeg = if converts { find("ffmpeg") } else { None };
        if ffmpeg.is_none() {
            tracing::info!("ffmpeg is not installed: every stream is the file as it is");
        }
        // Each run uses one core; a few more keep the disk busy.
        let places = std::thread::available_parallelism().map_or(2, usize::from) + 1;
        Self {
            ffmpeg,
            shelf,
            most: places,
            places: Arc::new(Semaphore::new(places)),
            running: Mutex::default(),
            own: Mutex::default(),
        }
    }

    /// Whether other forms can be made.
    pub(crate) const fn works(&self) -> bool {
        self.ffmpeg.is_some()
    }

    /// How many conversions run.
    pub(crate) fn running_now(&self) -> usize {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.values().filter(|job| job.strong_count() > 0).count()
    }

    /// Makes a form of a track that is a file, an object, or a part of one, or finds it. `None` without ffmpeg.
    pub(crate) async fn make(
        &self,
        account: &AccountId,
        track: &Track,
        (source, slice): (&storage::Source, Option<Slice>),
        recipe: Recipe,
    ) -> Result<Option<Made>, Unmade> {
        let Some(ffmpeg) = &self.ffmpeg else { return Ok(None) };
        let name = name(source, slice, recipe).await?;
        let finished = self.shelf.join(format!("{name}.{}", recipe.codec.word()));
        if tokio::fs::try_exists(&finished).await.unwrap_or(false) {
            touch(&finished).await;
            return Ok(Some(Made::File(finished)));
        }
        if let Some(job) = self.running(&name) {
            return Ok(Some(Made::Growing(job)));
        }
        let own = self.places_of(account);
        let places = async {
            // One's own place first: who waits for that takes none of the machine's.
            let own = own.acquire_owned().await?;
            Ok::<_, AcquireError>([own, Arc::clone(&self.places).acquire_owned().await?])
        };
        let Ok(Ok(places)) = tokio::time::timeout(WAIT, places).await else {
            return Err(Unmade::Failed(
                "the server converts as much as it can; try again in a moment".to_owned(),
            ));
        };
        tokio::fs::create_dir_all(&self.shelf).await?;
        self.make_room().await;
        // An object must be here while ffmpeg reads it, because it may go back and forth.
        let file = match source {
            storage::Source::File(path) => path.clone(),
            storage::Source::Object(object) => object.bring().await.map_err(Unmade::Store)?,
        };
        let order = Order {
            ffmpeg: ffmpeg.clone(),
            file,
            slice,
            source: source.clone(),
            recipe,
            duration: Duration::from_millis(track.duration_ms),
            draft: self.shelf.join(format!("{name}.{}.{DRAFT}", uuid::Uuid::now_v7().simple())),
            // A part is rarely asked for twice.
            finished: (recipe.offset_ms == 0).then_some(finished),
            places,
        };
        let job = Arc::new(Job::start(order).await?);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, job| job.strong_count() > 0);
        running.insert(name, Arc::downgrade(&job));
        Ok(Some(Made::Growing(job)))
    }

    /// The places of an account; of one with nothing running they need not be remembered.
    fn places_of(&self, account: &AccountId) -> Arc<Semaphore> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.retain(|_, places| Arc::strong_count(places) > 1);
        let each = EACH.min(self.most.saturating_sub(1)).max(1);
        Arc::clone(own.entry(account.clone()).or_insert_with(|| Arc::new(Semaphore::new(each))))
    }

    fn running(&self, name: &str) -> Option<Arc<Job>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).get(name)?.upgrade()
    }

    /// Takes the longest unused results off the shelf, and drafts that an earlier run of the server left.
    async fn make_room(&self) {
        let shelf = self.shelf.clone();
        let done = tokio::task::spawn_blocking(move || tidy(&shelf, SHELF)).await;
        if let Ok(Err(error)) = done {
            tracing::warn!(%error, "the shelf of converted music cannot be tidied");
        }
    }
}

impl From<std::io::Error> for Unmade {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Whether this names a format that can be made.
pub(crate) fn knows(format: &str) -> bool {
    recipe::Codec::named(format).is_some()
}

fn tidy(shelf: &Path, most: u64) -> std::io::Result<()> {
    let now = SystemTime::now();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(shelf)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let used = metadata.modified()?;
        let path = entry.path();
        let age = now.duration_since(used).unwrap_or_default();
        if path.extension().is_some_and(|suffix| suffix == DRAFT) {
            // A draft that nobody has written to for an hour belongs to nobody.
            if age > Duration::from_hours(1) {
                std::fs::remove_file(path)?;
            }
        } else {
            files.push((used, metadata.len(), path));
        }
    }
    files.sort();
    let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
    for (_, length, path) in files {
        if total <= most {
            break;
        }
        std::fs::remove_file(path)?;
        total -= length;
    }
    Ok(())
}

/// Names a form of this very file, or part of it.
async fn name(source: &storage::Source, slice: Option<Slice>, recipe: Recipe) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    hash.update(source.path().as_os_str().as_encoded_bytes());
    match source {
        storage::Source::File(path) => {
            let metadata = tokio::fs::metadata(path).await?;
            let modified =
                metadata.modified().ok().and_then(|t| t.duration_since(SystemTime::UNIX_EPOCH).ok());
            hash.update(metadata.len().to_le_bytes());
            hash.update(modified.unwrap_or_default().as_nanos().to_le_bytes());
        }
        storage::Source::Object(object) => hash.update(object.meta().tag()),
    }
    hash.update(recipe.codec.word());
    hash.update(recipe.kbps.to_le_bytes());
    hash.update(recipe.offset_ms.to_le_bytes());
    if let Some(part) = slice {
        hash.update(part.first.to_le_bytes());
        hash.update(part.end.to_le_bytes());
    }
    Ok(hex(&hash.finalize()).chars().take(40).collect())
}

/// Marks a result as used now.
async fn touch(file: &Path) {
    let file = file.to_owned();
    let touched = tokio::task::spawn_blocking(move || {
        std::fs::File::options().append(true).open(file)?.set_modified(SystemTime::now())
    });
    let _ = touched.await; // it only goes earlier then
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_has_all_places() {
        let dir = tempfile::tempdir().unwrap();
        let transcoder = Transcoder::new(dir.path().to_owned(), true);
        let (ann, bob) = (AccountId::from("ann"), AccountId::from("bob"));
        let mut taken = Vec::new();
        while let Ok(place) = transcoder.places_of(&ann).try_acquire_owned() {
            taken.push((place, transcoder.places.clone().try_acquire_owned().unwrap()));
        }
        assert!((1..=EACH).contains(&taken.len()), "{}", taken.len());
        assert!(transcoder.places_of(&bob).try_acquire_owned().is_ok());
        assert!(transcoder.places.try_acquire().is_ok(), "one is left for others");
        taken.pop();
        assert!(transcoder.places_of(&ann).try_acquire_owned().is_ok());
        drop(taken);
        transcoder.places_of(&bob);
        assert_eq!(transcoder.own.lock().unwrap().len(), 1, "who converts nothing is forgotten");
    }

    #[test]
    fn the_longest_unused_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, length: usize, hours: u64| {
            let path = dir.path().join(name);
            std::fs::write(&path, vec![0; length]).unwrap();
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_hours(hours)).unwrap();
        };
        put("old.mp3", 60, 9);
        put("new.mp3", 60, 1);
        put("left.draft", 10, 2);
        put("growing.draft", 10, 0);
        tidy(dir.path(), 100).unwrap();
        let mut left: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["growing.draft", "new.mp3"]);
    }
}
