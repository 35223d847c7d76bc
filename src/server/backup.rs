//! Copies of a server's data, made while it runs and brought back while it does not.
//!
//! A backup is a folder with the catalog (accounts, playlists, listening), the key that opens app passwords, and the audio of ads. Music,
//! pictures and converted tracks are not in it: they are the music folder's own, or are made again. It is written
//! under another name and checked before it gets its own, so that a folder of that name is a whole backup.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{ServerError, blocking, catalog_file, make_private, plans, privacy};
use crate::catalog::{Catalog, Database, path_to_text};

/// The key's name in a data folder and in a backup.
pub(crate) const KEY_FILE: &str = "secret.key";
const LOCK_FILE: &str = "serving.lock";
/// In a backup: says that it is one, and when it ends.
const LABEL: &str = "backup.json";

/// A data folder that is being used; ends when it is dropped, also by a crash.
#[derive(Debug)]
pub(crate) struct InUse(#[expect(dead_code, reason = "holds the lock")] File);

impl InUse {
    /// By a server. Several may use one folder.
    pub(crate) fn by_server(data: &Path) -> Result<Self, ServerError> {
        let (file, fail) = lock_file(data)?;
        file.try_lock_shared()
            .map_err(|_| fail("a backup is being brought back into it; wait for its end".into()))?;
        Ok(Self(file))
    }

    /// By who replaces it.
    fn alone(data: &Path) -> Result<Self, ServerError> {
        let (file, fail) = lock_file(data)?;
        file.try_lock().map_err(|_| fail("a server uses it; stop that first".into()))?;
        Ok(Self(file))
    }
}

fn lock_file(data: &Path) -> Result<(File, impl Fn(String) -> ServerError), ServerError> {
    let folder = data.to_owned();
    let fail = move |why: String| ServerError::Backup(format!("{}: {why}", folder.display()));
    let opened = OpenOptions::new().create(true).append(true).open(data.join(LOCK_FILE));
    match opened {
        Ok(file) => Ok((file, fail)),
        Err(error) => Err(fail(error.to_string())),
    }
}

/// Copies the data folder's catalog and key into the new folder `to`. A server may run meanwhile. After so many days the server
/// removes the copy, so that who is erased is gone from it as well; 0 for never.
pub async fn make(database: &Database, data: &Path, to: &Path, days: u32) -> Result<(), ServerError> {
    if to.exists() {
        return Err(ServerError::Backup(format!("{} is there already; name a new folder", to.display())));
    }
    if let Database::File(file) = database
        && !file.exists()
    {
        return Err(ServerError::Backup(format!("{} holds no server's data", data.display())));
    }
    let draft = beside(to, "part");
    let now = jiff::Timestamp::now().as_millisecond();
    let ends = (days > 0).then(|| now + i64::from(days) * crate::music::calendar::DAY_MS);
    let result = fill(database, data, &draft, ends).await;
    let result = match result {
        Ok(()) => std::fs::rename(&draft, to).map_err(|error| failed(to, &error)),
        failed => failed,
    };
    if result.is_err() {
        // The reason for the failure is worth more than what remains of it.
        let _ = std::fs::remove_dir_all(&draft);
        return result;
    }
    let place = std::path::absolute(to).map_err(|error| failed(to, &error))?;
    let catalog = Catalog::open_at(database).await?;
    catalog.note_backup(&path_to_text(&place), ends).await?;
    Ok(())
}

/// Removes a backup that has come to its end; `false` where there is none (any more).
pub(super) fn remove(folder: &Path) -> Result<bool, ServerError> {
    if !folder.join(LABEL).is_file() || !catalog_file(folder).is_file() {
        return Ok(false);
    }
    let fail = |error: std::io::Error| {
        ServerError::Backup(format!("{} cannot be removed: {error}", folder.display()))
    };
    std::fs::remove_dir_all(folder).map_err(fail).map(|()| true)
}

async fn fill(database: &Database, data: &Path, draft: &Path, ends: Option<i64>) -> Result<(), ServerError> {
    let folder = draft.to_owned();
    blocking(move || make_private(&folder)).await?;
    let catalog = Catalog::open_at(database).await?;
    let copy = catalog_file(draft);
    catalog.copy_to(&copy).await?;
    copy_key(data, draft)?;
    copy_ads(data, draft)?;
    let text = |at: i64| jiff::Timestamp::from_millisecond(at).unwrap_or_default().to_string();
    let label = json!({ "made_at": jiff::Timestamp::now().to_string(), "ends_at": ends.map(text) });
    let file = draft.join(LABEL);
    std::fs::write(&file, format!("{label}\n")).map_err(|error| failed(&file, &error))?;
    check(&copy).await
}

/// Puts a backup in the place of a data folder's catalog and key. What was there goes into a folder beside it, whose
/// name is returned. Refuses while a server uses the data folder, and when the backup is damaged.
pub async fn restore(from: &Path, data: &Path) -> Result<Option<PathBuf>, ServerError> {
    let source = catalog_file(from);
    if !source.is_file() {
        return Err(ServerError::Backup(format!("{} is no backup: it has no catalog.db", from.display())));
    }
    let folder = data.to_owned();
    blocking(move || make_private(&folder)).await?;
    let _alone = InUse::alone(data)?;
    let fresh = data.join("catalog.restored");
    copy(&source, &fresh)?;
    check(&fresh).await?;
    // Who was erased since does not come back.
    let catalog = Catalog::open(&fresh).await?;
    let again = privacy::erased_again(&catalog, data).await;
    catalog.close().await;
    clear_beside(data)?;
    again?;
    let aside = put_aside(data)?;
    let target = catalog_file(data);
    std::fs::rename(&fresh, &target).map_err(|error| failed(&target, &error))?;
    copy_key(from, data)?;
    copy_ads(from, data)?;
    Ok(aside)
}

/// Removes what opening the copy left beside it: its search index, and how it was before it was brought up to date.
fn clear_beside(data: &Path) -> Result<(), ServerError> {
    let entries = std::fs::read_dir(data).map_err(|error| failed(data, &error))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("catalog.restored.") {
            std::fs::remove_file(entry.path()).map_err(|error| failed(&entry.path(), &error))?;
        }
    }
    Ok(())
}

/// Opens the copy, which brings it up to date, and reads all of it.
async fn check(file: &Path) -> Result<(), ServerError> {
    let catalog = Catalog::open(file).await?;
    match catalog.damage().await? {
        None => {
            catalog.close().await;
            Ok(())
        }
        Some(damage) => Err(ServerError::Backup(format!("{} is damaged: {damage}", file.display()))),
    }
}

fn put_aside(data: &Path) -> Result<Option<PathBuf>, ServerError> {
    if !catalog_file(data).exists() {
        return Ok(None);
    }
    let stamp = jiff::Timestamp::now().as_millisecond();
    let aside = data.join(format!("before-restore-{stamp}"));
    make_private(&aside)?;
    for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm", KEY_FILE] {
        let (here, there) = (data.join(name), aside.join(name));
        if here.exists() {
            std::fs::rename(&here, &there).map_err(|error| failed(&there, &error))?;
        }
    }
    Ok(Some(aside))
}

fn copy_key(from: &Path, to: &Path) -> Result<(), ServerError> {
    let key = from.join(KEY_FILE);
    if key.exists() { copy(&key, &to.join(KEY_FILE)) } else { Ok(()) }
}

/// Copies the audio of ads. A file is named by its content, so one that is there is the same.
fn copy_ads(from: &Path, to: &Path) -> Result<(), ServerError> {
    let (from, to) = (plans::ads_folder(from), plans::ads_folder(to));
    let Ok(entries) = std::fs::read_dir(&from) else { return Ok(()) };
    make_private(&to)?;
    for entry in entries.flatten() {
        let target = to.join(entry.file_name());
        if !target.exists() {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Copies with the permissions of the original, and waits until the disk has it.
fn copy(from: &Path, to: &Path) -> Result<(), ServerError> {
    let done = std::fs::copy(from, to).and_then(|_| File::open(to)?.sync_all());
    done.map_err(|error| failed(to, &error))
}

fn failed(file: &Path, error: &std::io::Error) -> ServerError {
    ServerError::Backup(format!("{} cannot be written: {error}", file.display()))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}
