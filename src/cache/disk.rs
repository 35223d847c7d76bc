//! What stands on disk for one entry, and who may write it.
//!
//! `ab/abcdef….data` holds the bytes at their places (a sparse file), `ab/abcdef….map` says in JSON which of
//! them can be trusted. The name is a hash of the key, so no text of a server ever makes a path. Bytes are
//! written (and synced) before the map that names them; the map is replaced by rename. A crash at any moment
//! leaves a map that names only bytes that are there.
//!
//! Writers hold a lock file. Locks are per entry, but share 4,096 files by hash (`locks/abc`), which are never
//! deleted: deleting a lock file is a race of its own.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ranges::RangeSet;
use super::source::TrackKey;
use crate::music::TrackId;

/// Version of the map's format; a map of another version is as good as none.
const VERSION: u32 = 1;

/// The files of one entry.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    pub(super) data: PathBuf,
    pub(super) map: PathBuf,
    lock: PathBuf,
    /// Which of the shared lock files is this entry's.
    pub(super) stripe: String,
}

impl Paths {
    pub(super) fn of(dir: &Path, key: &TrackKey) -> Self {
        let mut hasher = Sha256::new();
        hasher.update((key.track.as_str().len() as u64).to_le_bytes());
        hasher.update(key.track.as_str());
        hasher.update(&key.variant);
        let name = hex(&hasher.finalize()[..20]);
        Self::named(dir, &name)
    }

    /// The files with this stem, which is a hash in hex.
    fn named(dir: &Path, name: &str) -> Self {
        let (shelf, stripe) = (name.get(..2).unwrap_or("00"), name.get(..3).unwrap_or("000"));
        let shelf = dir.join(shelf);
        Self {
            data: shelf.join(format!("{name}.data")),
            map: shelf.join(format!("{name}.map")),
            lock: dir.join("locks").join(stripe),
            stripe: stripe.to_owned(),
        }
    }

    /// Whether either file is there.
    pub(super) fn exist(&self) -> bool {
        self.map.exists() || self.data.exists()
    }

    /// Removes both files, the map first.
    pub(super) fn remove(&self) -> io::Result<()> {
        for path in [&self.map, &self.data] {
            match fs::remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }

    /// Opens the data file for writing, making it where it is not there.
    pub(super) fn writer(&self) -> io::Result<File> {
        if let Some(shelf) = self.data.parent() {
            fs::create_dir_all(shelf)?;
        }
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.data)
    }

    /// Takes the lock: `Ok(None)` when another process has it.
    pub(super) fn lock(&self) -> io::Result<Option<File>> {
        if let Some(dir) = self.lock.parent() {
            fs::create_dir_all(dir)?;
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }
}

/// What the map file says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Map {
    version: u32,
    track: String,
    variant: String,
    pub(super) etag: Option<String>,
    pub(super) total: Option<u64>,
    ranges: Vec<(u64, u64)>,
    /// Of the whole file, in hex; set once it is complete.
    pub(super) sha256: Option<String>,
    /// When it was last opened, counted in openings of the store and not in hours: clocks jump.
    pub(super) used: u64,
}

impl Map {
    pub(super) fn new(key: &TrackKey, ranges: &RangeSet) -> Self {
        Self {
            version: VERSION,
            track: key.track.as_str().to_owned(),
            variant: key.variant.clone(),
            etag: None,
            total: None,
            ranges: ranges.iter().map(|r| (r.start, r.end)).collect(),
            sha256: None,
            used: 0,
        }
    }

    pub(super) fn key(&self) -> TrackKey {
        TrackKey { track: TrackId::new(self.track.clone()), variant: self.variant.clone() }
    }

    /// Reads a map and keeps of its ranges only what the data file can hold. `None` when there is no usable one.
    pub(super) fn load(paths: &Paths) -> Option<(Self, RangeSet)> {
        let map: Self = serde_json::from_slice(&fs::read(&paths.map).ok()?).ok()?;
        let len = fs::metadata(&paths.data).ok()?.len();
        if map.version != VERSION {
            return None;
        }
        let mut ranges: RangeSet = map.ranges.iter().map(|(a, b)| *a..*b).collect();
        ranges.clip(map.total.map_or(len, |t| t.min(len)));
        Some((map, ranges))
    }

    /// Replaces the map file in one step.
    pub(super) fn store(&self, paths: &Paths) -> io::Result<()> {
        let fresh = paths.map.with_extension("map.new");
        let mut file = File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_data()?;
        fs::rename(&fresh, &paths.map)
    }
}

/// Where the pinned keys stand.
fn pinned_file(dir: &Path) -> PathBuf {
    dir.join("pinned.json")
}

/// What is pinned, as some process wrote it down last; `None` when nobody did.
pub(super) fn load_pinned(dir: &Path) -> Option<HashSet<TrackKey>> {
    let text = fs::read(pinned_file(dir)).ok()?;
    let pairs: Vec<(String, String)> = serde_json::from_slice(&text).ok()?;
    Some(pairs.into_iter().map(|(track, variant)| TrackKey { track: TrackId::new(track), variant }).collect())
}

/// Writes down what is pinned, in one step.
pub(super) fn store_pinned(dir: &Path, keys: &HashSet<TrackKey>) -> io::Result<()> {
    let pairs: Vec<(&str, &str)> = keys.iter().map(|k| (k.track.as_str(), k.variant.as_str())).collect();
    let fresh = dir.join(format!("pinned.{}.new", std::process::id()));
    let mut file = File::create(&fresh)?;
    file.write_all(&serde_json::to_vec(&pairs)?)?;
    file.sync_data()?;
    fs::rename(&fresh, pinned_file(dir))
}

/// Whether `ranges` is all of a file of length `total`.
pub(super) fn complete(ranges: &RangeSet, total: Option<u64>) -> bool {
    total.is_some_and(|t| ranges.covers(0..t))
}

/// Every entry under `dir` that has a map or data file.
pub(super) fn entries(dir: &Path) -> Vec<Paths> {
    let mut names: Vec<String> = Vec::new();
    for shelf in fs::read_dir(dir).into_iter().flatten().flatten() {
        if shelf.file_name().len() != 2 {
            continue;
        }
        for file in fs::read_dir(shelf.path()).into_iter().flatten().flatten() {
            let path = file.path();
            let known = path.extension().is_some_and(|e| e == "map" || e == "data" || e == "new");
            let stem = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.split('.').next());
            if let Some(stem) =
                stem.filter(|s| known && s.len() == 40 && s.bytes().all(|b| b.is_ascii_hexdigit()))
            {
                names.push(stem.to_owned());
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    names.iter().map(|name| Paths::named(dir, name)).collect()
}

/// SHA-256 of a file of exactly `len` bytes, in hex.
pub(super) fn sha256(path: &Path, len: u64) -> io::Result<String> {
    let mut file = File::open(path)?.take(len);
    let mut hasher = Sha256::new();
    let mut buf = vec![0; 128 * 1024];
    let mut seen = 0;
    loop {
        let n = file.read(&mut buf)?;
        if n == 0 {
            break;
        }
        seen += n as u64;
        hasher.update(buf.get(..n).unwrap_or_default());
    }
    if seen != len {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than its map says"));
    }
    Ok(hex(&hasher.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// Checks one entry that nobody writes: its key, and whether it is whole (`Ok(true)`), partial, or damaged.
pub(super) fn check(paths: &Paths) -> (Option<TrackKey>, Result<bool, String>) {
    let Ok(text) = fs::read(&paths.map) else { return (None, Err("bytes without a map".into())) };
    let Ok(map) = serde_json::from_slice::<Map>(&text) else {
        return (None, Err("a map that cannot be read".into()));
    };
    let key = map.key();
    let promised: RangeSet = map.ranges.iter().map(|(a, b)| *a..*b).collect();
    let len = fs::metadata(&paths.data).map_or(0, |m| m.len());
    let verdict = if promised.iter().any(|r| r.end > len) {
        Err("the file is shorter than its map says".into())
    } else if !complete(&promised, map.total) {
        Ok(false)
    } else {
        match (&map.sha256, map.total.map(|t| sha256(&paths.data, t))) {
            (Some(was), Some(Ok(is))) if *was != is => Err("the bytes changed on disk".into()),
            (_, Some(Err(e))) => Err(format!("the file cannot be read: {e}")),
            _ => Ok(true),
        }
    };
    (Some(key), verdict)
}
