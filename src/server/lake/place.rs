//! A folder, or a place in a store, with files that are written whole and read whole. Keys are relative and ASCII.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::super::storage::{Address, Meta, Remote, Trouble};
use super::super::{ServerError, blocking};

/// A place for plays or for factors.
#[derive(Debug)]
pub struct Place {
    name: String,
    at: At,
}

#[derive(Debug)]
enum At {
    Folder(PathBuf),
    Store { remote: Remote, prefix: String },
}

impl Place {
    /// Makes ready to reach a folder, or a store by its address; nothing is sent yet, and nothing need be there. The error is a
    /// sentence.
    pub fn open(path: &Path) -> Result<Self, String> {
        if let Some(address) = Address::of(path) {
            let address = address?;
            let name = address.root().display().to_string();
            let remote = Remote::new(&address)?;
            return Ok(Self { name, at: At::Store { remote, prefix: address.prefix } });
        }
        let folder = std::path::absolute(path)
            .map_err(|error| format!("{} is no folder that can be used: {error}", path.display()))?;
        Ok(Self { name: folder.display().to_string(), at: At::Folder(folder) })
    }

    /// The address or the folder, always written the same.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes a file that is new; `false` where there is one of this key.
    pub(super) async fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, ServerError> {
        match &self.at {
            At::Folder(folder) => {
                let file = folder.join(key);
                blocking(move || write(&file, &bytes, false)).await
            }
            At::Store { remote, prefix } => {
                remote.put(&below(prefix, key), bytes, true).await.map_err(|trouble| self.told(&trouble))
            }
        }
    }

    /// Writes a file in the place of the one that there is. Who reads it has the one or the other.
    pub(super) async fn replace(&self, key: &str, bytes: Bytes) -> Result<(), ServerError> {
        match &self.at {
            At::Folder(folder) => {
                let file = folder.join(key);
                blocking(move || write(&file, &bytes, true)).await?;
            }
            At::Store { remote, prefix } => {
                let put = remote.put(&below(prefix, key), bytes, false).await;
                put.map_err(|trouble| self.told(&trouble))?;
            }
        }
        Ok(())
    }

    /// All of a file; none where there is no such file.
    pub(super) async fn read(&self, key: &str) -> Result<Option<Bytes>, ServerError> {
        match &self.at {
            At::Folder(folder) => {
                let file = folder.join(key);
                blocking(move || match std::fs::read(&file) {
                    Ok(bytes) => Ok(Some(bytes.into())),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(failed(&file, &error)),
                })
                .await
            }
            At::Store { remote, prefix } => match remote.whole(&below(prefix, key)).await {
                Ok(bytes) => Ok(Some(bytes)),
                Err(Trouble::Absent) => Ok(None),
                Err(trouble) => Err(self.told(&trouble)),
            },
        }
    }

    /// Removes a file.
    pub(super) async fn remove(&self, key: &str) -> Result<(), ServerError> {
        match &self.at {
            At::Folder(folder) => {
                let file = folder.join(key);
                blocking(move || match std::fs::remove_file(&file) {
                    Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&file, &error)),
                    _ => Ok(()),
                })
                .await
            }
            At::Store { remote, prefix } => match remote.delete(&below(prefix, key)).await {
                Ok(()) | Err(Trouble::Absent) => Ok(()),
                Err(trouble) => Err(self.told(&trouble)),
            },
        }
    }

    /// The keys of all Parquet files below a prefix, in their order; those that engines keep for themselves are left out.
    pub(super) async fn tables(&self, below_key: &str) -> Result<Vec<String>, ServerError> {
        let mut keys = match &self.at {
            At::Folder(folder) => {
                let (folder, root) = (folder.clone(), folder.join(below_key));
                blocking(move || files(&folder, &root)).await?
            }
            At::Store { remote, prefix } => {
                let mut keys = Vec::new();
                let root = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
                let mut each = |key: &str, _: Meta| keys.extend(key.strip_prefix(&root).map(str::to_owned));
                let listed = remote.list(&below(prefix, below_key), &mut each).await;
                listed.map_err(|trouble| self.told(&trouble))?;
                keys
            }
        };
        keys.retain(|key| {
            let name = key.rsplit('/').next().unwrap_or_default();
            name.ends_with(".parquet") && !name.starts_with(['.', '_'])
        });
        keys.sort();
        Ok(keys)
    }

    /// What is wrong with a file of this place, in a sentence.
    pub(super) fn broken(&self, key: &str, why: &dyn std::fmt::Display) -> ServerError {
        ServerError::Store(format!("{}/{key} cannot be read: {why}", self.name))
    }

    fn told(&self, trouble: &Trouble) -> ServerError {
        ServerError::Store(match trouble {
            Trouble::Absent => format!("{} is not there", self.name),
            other => other.to_string(),
        })
    }
}

fn below(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") }
}

fn failed(file: &Path, error: &std::io::Error) -> ServerError {
    ServerError::Store(format!("{} cannot be used: {error}", file.display()))
}

/// Writes a file beside its place and then puts it there, whole. `false` where it was to be new and is not.
fn write(file: &Path, bytes: &[u8], over: bool) -> Result<bool, ServerError> {
    let folder = file.parent().unwrap_or(file);
    let beside = folder.join(format!(".{}.tmp", uuid::Uuid::now_v7().simple()));
    let work = || -> std::io::Result<bool> {
        std::fs::create_dir_all(folder)?;
        let mut open = File::create_new(&beside)?;
        open.write_all(bytes)?;
        open.sync_all()?;
        let there = if over {
            std::fs::rename(&beside, file).map(|()| true)
        } else {
            // A second name for it, since a new name never replaces another file, and renaming does.
            match std::fs::hard_link(&beside, file) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                linked => linked.map(|()| true),
            }
        }?;
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        Ok(there)
    };
    let done = work();
    // It is gone already where it was renamed.
    let _ = std::fs::remove_file(&beside);
    done.map_err(|error| failed(file, &error))
}

/// Every file below a folder, by its path from another one.
fn files(from: &Path, below: &Path) -> Result<Vec<String>, ServerError> {
    let mut keys = Vec::new();
    if !below.exists() {
        return Ok(keys);
    }
    for entry in walkdir::WalkDir::new(below) {
        let entry = entry.map_err(|error| ServerError::Store(format!("a folder cannot be read: {error}")))?;
        let inside = entry.path().strip_prefix(from).ok();
        if entry.file_type().is_file()
            && let Some(inside) = inside
        {
            let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            keys.push(parts.join("/"));
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_new_once_and_whole_always() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(&folder.path().join("new")).unwrap();
        assert_eq!(place.tables("plays").await.unwrap(), [] as [String; 0]);
        let key = "plays/dt=2026-11-27/part-1.parquet";
        assert!(place.read(key).await.unwrap().is_none());
        assert!(place.put_new(key, Bytes::from_static(b"one")).await.unwrap());
        assert!(!place.put_new(key, Bytes::from_static(b"two")).await.unwrap());
        assert_eq!(place.read(key).await.unwrap().unwrap(), "one");
        place.replace(key, Bytes::from_static(b"two")).await.unwrap();
        assert_eq!(place.read(key).await.unwrap().unwrap(), "two");
        std::fs::write(folder.path().join("new/plays/.part-1.parquet.crc"), "x").unwrap();
        std::fs::write(folder.path().join("new/plays/_SUCCESS"), "x").unwrap();
        assert_eq!(place.tables("plays").await.unwrap(), [key]);
        place.remove(key).await.unwrap();
        place.remove(key).await.unwrap();
        assert!(place.tables("plays").await.unwrap().is_empty());
        let left = walkdir::WalkDir::new(folder.path()).into_iter().flatten();
        assert!(left.into_iter().all(|entry| !entry.path().to_string_lossy().ends_with(".tmp")));
        assert!(Place::open(Path::new("az://")).is_err());
    }
}
