//! The threads that open files: each takes a folder's files at a time and hands over what they say as rows, which want nothing but
//! their ids.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::mpsc;

use super::{
    Reading, cue, lyrics,
    plan::{Job, Open},
    shape::{self, Shaped},
    tags,
    walk::Seen,
};
use crate::{
    catalog::{FileKind, FileRow, Slice},
    music::{CoverId, Lyrics},
    server::storage::Source,
};

/// Folders that may be read ahead of the writing: about a step, so that neither waits for the other.
const AHEAD: usize = 256;
/// Threads that read from a store, which mostly wait for it.
const FROM_STORES: usize = 12;

/// A file that was opened.
pub(super) struct Read {
    pub(super) seen: Seen,
    pub(super) known: Option<FileRow>,
    /// What it says, or why it cannot be read.
    pub(super) said: Result<Said, String>,
    /// A hash of what its own tags say, whatever lies beside it.
    pub(super) digest: String,
    /// Lyrics that lie beside it, read already, to write down.
    pub(super) lyrics: Option<FileRow>,
    /// What there is to say about it.
    pub(super) note: Option<String>,
}

/// What a file says.
pub(super) struct Said {
    /// The picture in it.
    pub(super) cover: Option<CoverId>,
    /// Words of the track that it is; `None` where it is divided.
    pub(super) lyrics: Option<Vec<Lyrics>>,
    /// The track that it is, or the parts that a cue sheet makes of it.
    pub(super) parts: Vec<Part>,
}

/// A track of a file, without its id, its size and when it came.
pub(super) struct Part {
    /// Where in the file it is; `None` where it is all of it.
    pub(super) slice: Option<Slice>,
    pub(super) shaped: Shaped,
}

/// What a reader hands over: files, and perhaps a picture to write down.
pub(super) struct Done {
    pub(super) reads: Vec<Read>,
    pub(super) picture: Option<FileRow>,
    /// Objects that a store did not give, with the reason.
    pub(super) away: Vec<(PathBuf, String)>,
}

/// Starts a few threads that read the jobs in order; they end by themselves when the receiver is gone.
pub(super) fn start(jobs: Vec<Job>, reading: &Arc<Reading>) -> mpsc::Receiver<Done> {
    let (send, receive) = mpsc::channel(AHEAD);
    let cores = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4);
    let of_store = |job: &Job| job.files.iter().any(|file| file.seen.etag.is_some());
    let threads = if jobs.iter().any(of_store) { FROM_STORES } else { cores }.min(jobs.len());
    let (jobs, next) = (Arc::new(jobs), Arc::new(AtomicUsize::new(0)));
    for _ in 0..threads {
        let (jobs, next, send) = (Arc::clone(&jobs), Arc::clone(&next), send.clone());
        let reading = Arc::clone(reading);
        tokio::task::spawn_blocking(move || {
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if send.blocking_send(read_job(job, &reading)).is_err() {
                    break;
                }
            }
        });
    }
    receive
}

fn read_job(job: &Job, reading: &Reading) -> Done {
    let storage = &reading.storage;
    let folder_cover = job.picture.as_ref().and_then(|p| p.id(storage));
    let (mut reads, mut away) = (Vec::with_capacity(job.files.len()), Vec::new());
    for file in &job.files {
        match read(file, folder_cover, reading) {
            Ok(read) => reads.extend(read),
            Err(trouble) => away.push((file.seen.path.clone(), trouble)),
        }
    }
    let picture = job.new_picture.as_ref().and_then(|picture| {
        let id = picture.id(storage).cloned();
        (!picture.is_away()).then(|| file_row(&picture.seen, FileKind::Image, id))
    });
    Done { reads, picture, away }
}

/// Opens a file; `None` where it is broken and being written, or gone again: that is left for the next scan, and so is what a store
/// does not give, of which the error tells.
fn read(file: &Open, folder_cover: Option<&CoverId>, reading: &Reading) -> Result<Option<Read>, String> {
    let Open { seen, known, lyrics, sheets } = file;
    let storage = &reading.storage;
    // Nothing is broken because its store is.
    let given = |source: &Source| source.trouble().map_or(Ok(()), |trouble| Err(trouble.to_string()));
    let (source, lyrics_source) = (seen.source(storage), lyrics.as_ref().map(|l| l.source(storage)));
    let beside = lyrics_source.as_ref().and_then(lyrics::beside);
    lyrics_source.as_ref().map_or(Ok(()), given)?;
    if let Some(trouble) = sheets.as_ref().and_then(|sheets| sheets.trouble(storage)) {
        return Err(trouble.to_owned());
    }
    let mut tags = tags::read(&source, &reading.splitter);
    given(&source)?;
    if tags.is_err() {
        let Ok(now) = source.now() else { return Ok(None) };
        let steady = now.size == seen.size && (seen.etag.is_some() || now.modified_ms == seen.modified_ms);
        if !steady {
            return Ok(None);
        }
    }
    let digest = tags.as_ref().map(shape::digest).unwrap_or_default();
    let (mut pieces, mut note) = (Vec::new(), None);
    if let Ok(tags) = &mut tags {
        tags.lyrics.splice(0..0, beside);
        (pieces, note) = cue::divided(&source, tags, (sheets.as_deref(), storage), &reading.splitter);
        given(&source)?;
    }
    let said = tags.map(|mut tags| {
        let part = |tags, slice| Part { slice, shaped: shape::shape(&seen.path, tags, folder_cover) };
        let cover = tags.cover.clone();
        if pieces.is_empty() {
            let lyrics = Some(std::mem::take(&mut tags.lyrics));
            return Said { cover, lyrics, parts: vec![part(&tags, None)] };
        }
        let parts = pieces.iter().map(|piece| part(&piece.tags, Some(piece.slice))).collect();
        Said { cover, lyrics: None, parts }
    });
    Ok(Some(Read {
        seen: seen.clone(),
        known: known.clone(),
        said,
        digest,
        lyrics: lyrics.as_ref().map(|l| file_row(l, FileKind::Lyrics, None)),
        note,
    }))
}

/// What is written down of a file that is no track.
pub(super) fn file_row(seen: &Seen, kind: FileKind, cover: Option<CoverId>) -> FileRow {
    FileRow {
        path: seen.path.clone(),
        kind,
        size: seen.size,
        modified_ms: seen.modified_ms,
        track: None,
        cover,
        digest: None,
        error: None,
        reader: 0,
        etag: seen.etag.clone(),
    }
}
