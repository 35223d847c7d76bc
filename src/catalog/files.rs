//! The scanner's side: which file is which track, which file holds which picture, and which file is broken.
//!
//! A path is TEXT. A path that is UTF-8 stands as it is, but with each backslash doubled; a byte that is not part of
//! valid UTF-8 stands as `\xNN`. So every path has exactly one text, and every text that this module wrote leads back
//! to the same bytes.

use std::{
    ffi::OsString,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use super::sql::{self, again};
use super::{
    Applied, Batch, Catalog, CatalogError, SliceRow,
    apply::{self, sql_int},
    bulk, lyrics,
    rows::Cells,
    slices,
};
use crate::music::{CoverId, Lyrics, TrackId};

/// What a file is to the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A track, or what was to be one.
    Audio,
    /// A picture beside tracks.
    Image,
    /// Lyrics beside a track of the same name.
    Lyrics,
    /// A playlist.
    Playlist,
    /// The rules of a smart playlist.
    Rules,
    /// A sheet that divides a file into tracks.
    Cue,
}

impl FileKind {
    fn word(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Image => "image",
            Self::Lyrics => "lyrics",
            Self::Playlist => "playlist",
            Self::Rules => "rules",
            Self::Cue => "cue",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "image" => Self::Image,
            "lyrics" => Self::Lyrics,
            "playlist" => Self::Playlist,
            "rules" => Self::Rules,
            "cue" => Self::Cue,
            _ => Self::Audio,
        }
    }
}

/// What is known about one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileKind,
    /// Bytes when last read.
    pub size: u64,
    /// Time of change when last read, Unix time in ms.
    pub modified_ms: i64,
    /// The track in it; `None` for pictures and broken files. Where the file is divided ([`Slice`](super::Slice)) there is no
    /// track of this id, but those of its parts belong to it.
    pub track: Option<TrackId>,
    /// The picture in it.
    pub cover: Option<CoverId>,
    /// Hash of its tags, to know it again elsewhere.
    pub digest: Option<String>,
    /// Why there is no track, in one sentence.
    pub error: Option<String>,
    /// By which reader of tags it was read, as the scanner numbers them; 0 for one from before they had numbers.
    pub reader: i64,
    /// What a store calls this very content, when last read; `None` for files in folders.
    pub etag: Option<String>,
}

/// One step of a scan, applied in one transaction.
#[derive(Debug, Clone, Default)]
pub struct FileStep {
    /// Artists, albums and tracks.
    pub batch: Batch,
    /// Files to write down.
    pub files: Vec<FileRow>,
    /// Files to forget.
    pub gone_files: Vec<PathBuf>,
    /// Lyrics of tracks, in place of those that are there.
    pub lyrics: Vec<(TrackId, Vec<Lyrics>)>,
    /// Which of the tracks are parts of files.
    pub slices: Vec<SliceRow>,
    /// Tracks whose sound is another one than it was, where their size does not say so.
    pub resounded: Vec<TrackId>,
    /// Tracks to remove.
    pub gone_tracks: Vec<TrackId>,
}

const COLUMNS: &str =
    "SELECT path, kind, size, modified_ms, track_id, cover_id, digest, error, reader, etag FROM files";

fn file(row: &sql::Row) -> Result<FileRow, sql::Error> {
    let mut c = Cells::of(row);
    Ok(FileRow {
        path: path_from_text(c.get()?),
        kind: FileKind::of(c.get()?),
        size: c.number()?.unwrap_or(0),
        modified_ms: c.get()?,
        track: c.get::<Option<String>>()?.map(TrackId::from),
        cover: c.get::<Option<String>>()?.map(CoverId::from),
        digest: c.get()?,
        error: c.get()?,
        reader: c.get()?,
        etag: c.get()?,
    })
}

impl Catalog {
    /// The file of a track, or the one that it is a part of; `None` on a player, whose tracks are elsewhere.
    pub async fn file_of(&self, id: &TrackId) -> Result<Option<PathBuf>, CatalogError> {
        Ok(self.source_of(id).await?.map(|place| place.path))
    }

    /// Files that hold a picture, image files first: any of them will do.
    pub async fn files_with_cover(&self, id: &CoverId) -> Result<Vec<FileRow>, CatalogError> {
        let rows = sql::query(
            "SELECT path, kind, size, modified_ms, track_id, cover_id, digest, error, reader, etag FROM files \
             WHERE cover_id = $1 ORDER BY kind DESC, path LIMIT 16",
        )
        .bind(id.as_str())
        .fetch_all(&self.stale())
        .await?;
        Ok(rows.iter().map(file).collect::<Result<_, _>>()?)
    }

    /// Files that could not be read as music, with the reason, by path.
    pub async fn broken_files(&self) -> Result<Vec<(PathBuf, String)>, CatalogError> {
        let rows: Vec<(String, String)> =
            sql::query_as("SELECT path, error FROM files WHERE error IS NOT NULL ORDER BY path")
                .fetch_all(self.reader())
                .await?;
        Ok(rows.into_iter().map(|(path, error)| (path_from_text(&path), error)).collect())
    }

    /// Everything that the last scans knew of the file system.
    pub async fn files(&self) -> Result<Vec<FileRow>, CatalogError> {
        let rows = sql::query(COLUMNS).fetch_all(self.reader()).await?;
        Ok(rows.iter().map(file).collect::<Result<_, _>>()?)
    }

    /// Applies a step of a scan. Files that go are removed before the others are written, so that a track may move
    /// from one to another.
    pub async fn apply_files(&self, step: &FileStep) -> Result<Applied, CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let gone: Vec<String> = step.gone_files.iter().map(|p| path_to_text(p)).collect();
            let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
            bulk::for_ids(&mut tx, ("DELETE FROM files WHERE path IN", ""), &gone).await?;
            apply::remove_tracks(&mut tx, &step.gone_tracks).await?;
            let applied = apply::apply(&mut tx, &step.batch).await?;
            slices::put(&mut tx, &step.slices).await?;
            let unheard: Vec<&str> = step.resounded.iter().map(TrackId::as_str).collect();
            bulk::for_ids(&mut tx, ("DELETE FROM sonic WHERE track_id IN", ""), &unheard).await?;
            lyrics::put(&mut tx, &step.lyrics).await?;
            put_files(&mut tx, &step.files).await?;
            tx.commit().await?;
            Ok(applied)
        })
    }
}

async fn put_files(conn: &mut sql::Connection, files: &[FileRow]) -> Result<(), CatalogError> {
    bulk::insert(
        conn,
        (
            "INSERT INTO files (path, kind, size, modified_ms, track_id, cover_id, digest, error, reader, etag)",
            10,
            "ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, size = excluded.size, \
             modified_ms = excluded.modified_ms, track_id = excluded.track_id, cover_id = excluded.cover_id, \
             digest = excluded.digest, error = excluded.error, reader = excluded.reader, \
             etag = excluded.etag",
        ),
        files,
        |q, f| {
            q.bind(path_to_text(&f.path))
                .bind(f.kind.word())
                .bind(sql_int(f.size))
                .bind(f.modified_ms)
                .bind(f.track.as_ref().map(|t| t.as_str().to_owned()))
                .bind(f.cover.as_ref().map(|c| c.as_str().to_owned()))
                .bind(f.digest.clone())
                .bind(f.error.clone())
                .bind(f.reader)
                .bind(f.etag.clone())
        },
    )
    .await?;
    Ok(())
}

/// A path as the catalog stores it; see the head of this module.
pub fn path_to_text(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\\' {
                text.push('\\');
            }
            text.push(c);
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The path that [`path_to_text`] was given.
pub fn path_from_text(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digit = |d: u8| char::from(d).to_digit(16).and_then(|d| u8::try_from(d).ok());
                if let (Some(high), Some(low)) = (digit(*high), digit(*low)) {
                    bytes.push(high << 4 | low);
                    rest = tail;
                } else {
                    bytes.push(*first);
                }
            }
            (b'\\', [b'\\', tail @ ..]) => {
                bytes.push(b'\\');
                rest = tail;
            }
            _ => bytes.push(*first),
        }
    }
    PathBuf::from(os_string(bytes))
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}
