//! Playlists that lie beside the music (`.m3u`, `.m3u8`): each becomes a playlist of the server's owner and is kept in step.
//!
//! The file is the truth when it changes. Between two changes of it the listener's own edits count: an edited playlist is left
//! alone, a deleted one stays away. An unedited one is filled up when tracks that it names arrive, and goes with its file.

use std::{
    collections::{HashMap, HashSet},
    path::{Component, Path, PathBuf},
};

use super::{ScanReport, shape, walk::Seen};
use crate::{
    catalog::{Catalog, CatalogError, FileKind, FileRow, FileStep, ImportedPlaylist},
    music::{PlaylistId, TrackId},
    server::storage::{Source, Storage},
};

/// Longest playlist that is read, in bytes.
const LONGEST: u64 = 8 << 20;
/// Most entries of one.
const ENTRIES: usize = 20_000;

/// A playlist file, with what the last scan knew of it.
#[derive(Debug, Clone)]
pub(super) struct ListFile {
    pub(super) seen: Seen,
    pub(super) known: Option<FileRow>,
}

impl ListFile {
    /// Whether the file is not the one that was read last.
    fn changed(&self) -> bool {
        !self.known.as_ref().is_some_and(|row| self.seen.is_as(row))
    }
}

/// Where the tracks of a playlist may lie: for each entry the paths that it may mean.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    name: String,
    entries: Vec<Vec<PathBuf>>,
}

/// The id of the playlist that a file becomes.
fn id_of(path: &Path) -> PlaylistId {
    PlaylistId::new(shape::of_path("playlist", path))
}

/// Brings the playlists in step with their files. `moved` says that tracks came or went, so that unchanged files may mean others.
pub(super) async fn bring(
    catalog: &Catalog,
    storage: &Storage,
    lists: Vec<ListFile>,
    moved: bool,
    report: &mut ScanReport,
) -> Result<(), CatalogError> {
    let due: Vec<ListFile> = lists.into_iter().filter(|list| moved || list.changed()).collect();
    if due.is_empty() {
        return Ok(());
    }
    let Some(owner) = catalog.owner().await? else { return Ok(()) };
    let tracks: HashMap<PathBuf, TrackId> =
        catalog.files().await?.into_iter().filter_map(|f| Some((f.path, f.track?))).collect();
    let wholes: Vec<TrackId> = tracks.values().cloned().collect();
    // Who names a file that is divided means all of it.
    let parts = catalog.slices_of(&wholes).await?;
    let all_of = |whole: &TrackId| parts.get(whole).cloned().unwrap_or_else(|| vec![whole.clone()]);
    let mut step = FileStep::default();
    for list in due {
        let source = list.seen.source(storage);
        let read = tokio::task::spawn_blocking(move || read(&source)).await;
        let Ok(Ok(listed)) = read else { continue };
        let found: Vec<&TrackId> =
            listed.entries.iter().filter_map(|paths| paths.iter().find_map(|p| tracks.get(p))).collect();
        let missing = listed.entries.len() - found.len();
        let found: Vec<TrackId> = found.into_iter().flat_map(all_of).collect();
        let import = ImportedPlaylist {
            id: id_of(&list.seen.path),
            name: listed.name,
            tracks: found,
            changed: list.changed(),
            before: list.known.as_ref().and_then(|row| row.digest.clone()),
        };
        let (digest, written) = catalog.import_playlist(&owner, &import).await?;
        report.playlists += u64::from(written);
        if missing > 0 && written {
            let all = listed.entries.len();
            report.notes.push((
                list.seen.path.clone(),
                format!("{missing} of its {all} entries are not in the library and were left out"),
            ));
        }
        step.files.push(FileRow {
            path: list.seen.path,
            kind: FileKind::Playlist,
            size: list.seen.size,
            modified_ms: list.seen.modified_ms,
            track: None,
            cover: None,
            digest: Some(digest),
            error: None,
            reader: 0,
            etag: list.seen.etag,
        });
    }
    catalog.apply_files(&step).await?;
    Ok(())
}

/// Takes away the playlists of files that are gone, unless the listener made them their own.
pub(super) async fn forget(catalog: &Catalog, gone: &[FileRow]) -> Result<(), CatalogError> {
    let gone: Vec<&FileRow> = gone.iter().filter(|f| f.kind == FileKind::Playlist).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let Some(owner) = catalog.owner().await? else { return Ok(()) };
    for file in gone {
        catalog.forget_playlist(&owner, &id_of(&file.path), file.digest.as_deref()).await?;
    }
    Ok(())
}

fn read(source: &Source) -> std::io::Result<Listed> {
    Ok(listed(source.path(), &source.read(LONGEST)?))
}

fn listed(path: &Path, bytes: &[u8]) -> Listed {
    let folder = path.parent().unwrap_or(path);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut name = None;
    let mut entries = Vec::new();
    for line in bytes.split(|b| matches!(b, b'\n' | b'\r')).map(<[u8]>::trim_ascii) {
        if let Some(rest) = line.strip_prefix(b"#PLAYLIST:") {
            name = Some(String::from_utf8_lossy(rest).trim().to_owned()).filter(|name| !name.is_empty());
        }
        if line.is_empty() || line.starts_with(b"#") || entries.len() >= ENTRIES {
            continue;
        }
        let paths = candidates(folder, line);
        if !paths.is_empty() {
            entries.push(paths);
        }
    }
    let stem = || path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    Listed { name: name.unwrap_or_else(stem), entries }
}

/// Reads a playlist for whoever looks for faults in reading: asserts what every one must keep to, and says in short what came of it.
pub(in crate::server) fn try_read(bytes: &[u8]) -> (usize, usize, bool) {
    let folder = if cfg!(windows) { "C:\\music\\lists" } else { "/music/lists" };
    let listed = listed(&Path::new(folder).join("List.m3u"), bytes);
    assert!(listed.entries.len() <= ENTRIES && !listed.name.is_empty());
    for paths in &listed.entries {
        assert!((1..=8).contains(&paths.len()));
        for path in paths {
            assert!(path.is_absolute() && path.components().all(|part| part != Component::ParentDir));
        }
    }
    let several = listed.entries.iter().filter(|paths| paths.len() > 1).count();
    (listed.entries.len().min(30), several.min(30), listed.name == "List")
}

/// The paths that an entry may mean, the likeliest first: as it stands, of a file's address, with the slashes of Windows, in
/// Latin-1. Addresses of other kinds mean none.
fn candidates(folder: &Path, line: &[u8]) -> Vec<PathBuf> {
    let text = std::str::from_utf8(line).ok();
    let address = text.and_then(|t| t.strip_prefix("file://"));
    if address.is_none() && text.is_some_and(|t| t.contains("://")) {
        return Vec::new();
    }
    let mut texts: Vec<PathBuf> = Vec::new();
    match (address, text) {
        (Some(address), _) => {
            let local = address.strip_prefix("localhost").unwrap_or(address);
            texts.push(path_of(&percent_decoded(local)));
        }
        (None, Some(text)) => {
            texts.push(PathBuf::from(text));
            if text.contains('\\') {
                texts.push(PathBuf::from(text.replace('\\', "/")));
            }
            if text.contains('%') {
                texts.push(path_of(&percent_decoded(text)));
            }
        }
        (None, None) => {
            texts.push(path_of(line));
            texts.push(PathBuf::from(line.iter().map(|b| char::from(*b)).collect::<String>()));
        }
    }
    let mut seen = HashSet::new();
    texts.into_iter().map(|path| plain(&folder.join(path))).filter(|path| seen.insert(path.clone())).collect()
}

/// A path without `.` and `..`, by its text alone.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digit = |d: &u8| char::from(*d).to_digit(16).and_then(|d| u8::try_from(d).ok());
        match (first, after) {
            (b'%', [high, low, tail @ ..]) => {
                if let (Some(high), Some(low)) = (digit(high), digit(low)) {
                    out.push(high << 4 | low);
                    rest = tail;
                    continue;
                }
                out.push(*first);
            }
            _ => out.push(*first),
        }
        rest = after;
    }
    out
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn entries_mean_files() {
        let path = Path::new("/music/lists/Mine.m3u");
        let text = b"\xef\xbb\xbf#EXTM3U\r\n#PLAYLIST: Sunday \r\n#EXTINF:123,A - B\r\n../a/One.mp3\r\n\r\nb\\Two.mp3\r\n/abs/Three.mp3\n\
            file:///abs/F%6fur.mp3\nhttp://radio.example/live\ncaf\xe9.mp3\n100%.mp3\n";
        let listed = listed(path, text);
        assert_eq!(listed.name, "Sunday");
        let holds = |at: usize, wanted: &str| listed.entries[at].contains(&PathBuf::from(wanted));
        assert_eq!(listed.entries.len(), 6);
        assert!(
            holds(0, "/music/a/One.mp3") && holds(1, "/music/lists/b/Two.mp3") && holds(2, "/abs/Three.mp3")
        );
        assert!(
            holds(3, "/abs/Four.mp3")
                && holds(4, "/music/lists/café.mp3")
                && holds(5, "/music/lists/100%.mp3")
        );
    }

    #[test]
    fn a_list_without_a_name_has_that_of_its_file() {
        assert_eq!(listed(Path::new("/a/My list.m3u8"), b"").name, "My list");
    }
}
