//! Walking the roots: which music and picture files are there, with size and time of change. Nothing is opened.
//!
//! A store is listed instead. Real folders come first, links to folders last, and each folder is entered once (by device and inode where there
//! are such), so that neither loops nor a second way to the same folder matter. Names that begin with a dot are passed over.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    fs::{self, Metadata},
    path::{Path, PathBuf},
};

use crate::catalog::{FileKind, FileRow};
use crate::server::storage::{Meta, Source, Storage, Trouble};

/// Extensions of music files.
const AUDIO: &[&str] = &[
    "mp3", "mp2", "flac", "ogg", "oga", "opus", "m4a", "m4b", "aac", "wav", "wave", "aif", "aiff", "aifc",
    "ape", "wv", "mpc",
];
/// Names of pictures that stand for a folder, the best first.
const COVER_NAMES: &[&str] = &["cover", "folder", "front"];
const LYRICS: &str = "lrc";
const PLAYLIST: &[&str] = &["m3u", "m3u8"];
const RULES: &str = "nsp";
const CUE: &str = "cue";
const IMAGE: &[&str] = &["jpg", "jpeg", "png", "webp", "gif"];

/// A file as it was found.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) path: PathBuf,
    pub(super) kind: FileKind,
    pub(super) size: u64,
    pub(super) modified_ms: i64,
    /// What its store calls this very content; `None` for files in folders.
    pub(super) etag: Option<String>,
}

impl Seen {
    /// Whether a row tells of this very content. A store's word counts more than a time, which a copy changes.
    pub(super) fn is_as(&self, row: &FileRow) -> bool {
        let same = match &self.etag {
            Some(_) => self.etag == row.etag,
            None => self.modified_ms == row.modified_ms,
        };
        same && self.size == row.size
    }

    /// What it is read from.
    pub(super) fn source(&self, storage: &Storage) -> Source {
        storage.source(&self.path, self.size, self.modified_ms, self.etag.as_deref())
    }

    /// By what a file is looked for that turns up elsewhere: its size, and where a move leaves it as it is its time of change.
    pub(super) fn trace(&self) -> (u64, i64) {
        (self.size, if self.etag.is_some() { 0 } else { self.modified_ms })
    }
}

/// The [`trace`](Seen::trace) of a file that was known.
pub(super) fn trace_of(row: &FileRow) -> (u64, i64) {
    (row.size, if row.etag.is_some() { 0 } else { row.modified_ms })
}

/// What there is below a root that is a store's; `None` for a folder.
pub(super) async fn list(storage: &Storage, root: &Path) -> Option<Result<Vec<Seen>, Trouble>> {
    let mut found = Vec::new();
    let mut each = |path: PathBuf, meta: Meta| {
        let inside = path.strip_prefix(root).unwrap_or(&path);
        let hidden = inside.iter().any(|part| part.as_encoded_bytes().first() == Some(&b'.'));
        if let Some(kind) = file_kind(&path).filter(|_| !hidden) {
            let etag = Some(meta.tag());
            found.push(Seen { path, kind, size: meta.size, modified_ms: meta.modified_ms, etag });
        }
    };
    let listed = storage.list(root, &mut each).await?;
    Some(listed.map(|()| found))
}

/// Puts what a store listed beside what a walk found.
pub(super) fn gather(objects: Vec<Seen>, found: &mut Walk) {
    let mut folders: BTreeMap<PathBuf, Vec<Seen>> = BTreeMap::new();
    for object in objects {
        if let Some(folder) = object.path.parent() {
            folders.entry(folder.to_owned()).or_default().push(object);
        }
    }
    for (folder, mut files) in folders {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        found.folders.push((folder, files));
    }
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Files by folder, folders in the order of the walk.
    pub(super) folders: Vec<(PathBuf, Vec<Seen>)>,
    /// Folders whose files must be taken as still there, because they could not be looked into.
    pub(super) blind: Vec<PathBuf>,
    /// Paths that could not be looked at, with the reason.
    pub(super) problems: Vec<(PathBuf, String)>,
}

/// Walks everything below some folders. `visited` keeps what was entered before.
pub(super) fn walk(starts: &[PathBuf], found: &mut Walk) {
    let mut visited = HashSet::new();
    let mut real: VecDeque<PathBuf> = starts.iter().cloned().collect();
    let mut links: VecDeque<PathBuf> = VecDeque::new();
    while let Some(folder) = real.pop_front().or_else(|| links.pop_front()) {
        match look(&folder, &mut visited) {
            Ok(Some(mut inside)) => {
                for sub in inside.folders.into_iter().rev() {
                    real.push_front(sub);
                }
                links.extend(inside.links);
                found.problems.append(&mut inside.problems);
                found.folders.push((folder, inside.files));
            }
            Ok(None) => {}
            Err(e) => {
                found.problems.push((folder.clone(), format!("this folder cannot be read: {e}")));
                found.blind.push(folder);
            }
        }
    }
}

#[derive(Default)]
struct Inside {
    files: Vec<Seen>,
    folders: Vec<PathBuf>,
    links: Vec<PathBuf>,
    problems: Vec<(PathBuf, String)>,
}

/// Looks into one folder; `None` when it was entered before.
fn look(folder: &Path, visited: &mut HashSet<Identity>) -> std::io::Result<Option<Inside>> {
    if !visited.insert(identity(folder, &fs::metadata(folder)?)) {
        return Ok(None);
    }
    let mut inside = Inside::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().first() == Some(&b'.') {
            continue;
        }
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            inside.folders.push(path);
            continue;
        }
        let wanted = file_kind(&path);
        if wanted.is_none() && !kind.is_symlink() {
            continue;
        }
        // A link is followed here; it may lead nowhere, and a file may be gone by now.
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => inside.links.push(path),
            Ok(meta) if meta.is_file() => {
                if let Some(kind) = wanted {
                    let Meta { size, modified_ms, etag } = Meta::of_file(&meta);
                    inside.files.push(Seen { path, kind, size, modified_ms, etag });
                }
            }
            Err(e) if wanted.is_some() && e.kind() != std::io::ErrorKind::NotFound => {
                inside.problems.push((path, format!("this file cannot be looked at: {e}")));
            }
            _ => {}
        }
    }
    inside.files.sort_by(|a, b| a.path.cmp(&b.path));
    inside.folders.sort();
    inside.links.sort();
    Ok(Some(inside))
}

/// What a path would be to the scanner by its name.
pub(super) fn file_kind(path: &Path) -> Option<FileKind> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    if AUDIO.contains(&extension.as_str()) {
        Some(FileKind::Audio)
    } else if IMAGE.contains(&extension.as_str()) && cover_rank(path).is_some() {
        Some(FileKind::Image)
    } else if extension == LYRICS {
        Some(FileKind::Lyrics)
    } else if PLAYLIST.contains(&extension.as_str()) {
        Some(FileKind::Playlist)
    } else if extension == RULES {
        Some(FileKind::Rules)
    } else if extension == CUE {
        Some(FileKind::Cue)
    } else {
        None
    }
}

/// How well a picture's name says that it stands for its folder; lower is better.
pub(super) fn cover_rank(path: &Path) -> Option<usize> {
    let stem = path.file_stem()?.to_str()?.to_ascii_lowercase();
    COVER_NAMES.iter().position(|name| *name == stem)
}

#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(_: &Path, meta: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino())
}

#[cfg(not(unix))]
type Identity = PathBuf;

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> Identity {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_what_is_looked_at() {
        for (name, kind) in [
            ("a/Song.FLAC", Some(FileKind::Audio)),
            ("a/Cover.JPG", Some(FileKind::Image)),
            ("a/folder.webp", Some(FileKind::Image)),
            ("a/band.jpg", None),
            ("a/Song.LRC", Some(FileKind::Lyrics)),
            ("a/List.m3u8", Some(FileKind::Playlist)),
            ("a/Loud.nsp", Some(FileKind::Rules)),
            ("a/Album.CUE", Some(FileKind::Cue)),
            ("a/notes.txt", None),
            ("a/mp3", None),
        ] {
            assert_eq!(file_kind(Path::new(name)), kind, "{name}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_reported_and_blind() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let mut found = Walk::default();
        walk(&[gone.clone(), folder.path().to_owned()], &mut found);
        assert_eq!(found.blind, [gone]);
        assert_eq!((found.problems.len(), found.folders.len()), (1, 1));
    }
}
