//! Pictures, kept in a bounded folder so that they show at once and offline.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::link::Link;
use crate::music::CoverId;
use crate::subsonic::ClientError;

/// Bytes that the folder may hold.
const LIMIT: u64 = 256 * 1024 * 1024;
/// What is left after clearing up, so that it is not done for every picture.
const LEAVE: u64 = LIMIT / 5 * 4;

/// Fetches pictures and keeps them.
pub(super) struct Covers {
    link: Arc<Link>,
    dir: PathBuf,
    /// Pictures under way: whoever wants one of them waits for it instead of asking again.
    under_way: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Bytes in the folder as far as known; `None` before the first look.
    held: Arc<Mutex<Option<u64>>>,
}

impl Covers {
    pub(super) fn new(link: Arc<Link>, dir: PathBuf) -> Self {
        Self { link, dir, under_way: Mutex::default(), held: Arc::default() }
    }

    /// The picture, from the folder or from the server.
    pub(super) async fn get(&self, id: &CoverId, size: Option<u32>) -> Result<Bytes, ClientError> {
        let name = self.name(id, size);
        let path = self.dir.join(&name);
        if let Ok(bytes) = tokio::fs::read(&path).await {
            return Ok(Bytes::from(bytes));
        }
        let turn = Arc::clone(
            self.under_way.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()).or_default(),
        );
        let fetched = {
            let _turn = turn.lock().await;
            match tokio::fs::read(&path).await {
                Ok(bytes) => Ok(Bytes::from(bytes)),
                Err(_) => self.fetch(id, size, path).await,
            }
        };
        drop(turn);
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.get(&name).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            under_way.remove(&name);
        }
        fetched
    }

    /// The file that has the picture, fetched if it must be; none where there is no picture or it cannot be kept.
    pub(super) async fn file(&self, id: &CoverId, size: Option<u32>) -> Option<PathBuf> {
        let path = self.dir.join(self.name(id, size));
        let there = async || tokio::fs::try_exists(&path).await.unwrap_or(false);
        if !there().await {
            self.get(id, size).await.ok()?;
        }
        there().await.then_some(path)
    }

    async fn fetch(&self, id: &CoverId, size: Option<u32>, path: PathBuf) -> Result<Bytes, ClientError> {
        let bytes = self.link.ask(self.link.client.cover_art(id, size)).await?;
        let (kept, dir, held) = (bytes.clone(), self.dir.clone(), Arc::clone(&self.held));
        let _ = tokio::task::spawn_blocking(move || {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            // A folder that cannot be written costs a request the next time, nothing more.
            if let Err(e) = keep(&dir, &path, &kept, &mut held) {
                tracing::debug!(error = %e, "a picture cannot be kept");
            }
        })
        .await;
        Ok(bytes)
    }

    /// A hash, so that no text of a server makes a path. The host is in it: ids mean nothing elsewhere.
    fn name(&self, id: &CoverId, size: Option<u32>) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.link.client.host());
        hasher.update([0]);
        hasher.update(id.as_str());
        hasher.update(size.unwrap_or(0).to_le_bytes());
        hasher.finalize()[..16].iter().fold(String::new(), |mut out, b| {
            use std::fmt::Write as _;
            let _ = write!(out, "{b:02x}");
            out
        })
    }
}

fn keep(dir: &Path, path: &Path, bytes: &[u8], held: &mut Option<u64>) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes)?;
    fs::rename(&fresh, path)?;
    let sum = match *held {
        Some(sum) => sum + bytes.len() as u64,
        None => list(dir).iter().map(|(_, len, _)| len).sum(),
    };
    *held = Some(if sum > LIMIT { clear_up(dir) } else { sum });
    Ok(())
}

fn list(dir: &Path) -> Vec<(SystemTime, u64, PathBuf)> {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    files
        .filter_map(|file| {
            let meta = file.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len(), file.path()))
        })
        .collect()
}

/// Removes the oldest pictures; gives the bytes that are left.
fn clear_up(dir: &Path) -> u64 {
    let mut files = list(dir);
    files.sort_unstable();
    let mut sum: u64 = files.iter().map(|(_, len, _)| len).sum();
    for (_, len, path) in files {
        if sum <= LEAVE {
            break;
        }
        if fs::remove_file(path).is_ok() {
            sum -= len;
        }
    }
    sum
}
