//! Running a scan: what the readers hand over goes into the catalog in steps, and the tidying up at the end.
//!
//! While one step is written, the next one is read and put together; more than one is never under way, and their order is kept.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{
    ScanError, ScanMode, ScanReport, Scanner,
    cue::{self, Sheets},
    lists,
    plan::{self, Plan},
    readers::{self, Part, Read, Said, file_row},
    rules,
    shape::{self, Shaped, Sketch},
    walk,
};
use crate::{
    catalog::{Applied, Batch, Catalog, CatalogError, FileKind, FileRow, FileStep, Listener, SliceRow},
    music::{AccountId, Album, AlbumId, Artist, ArtistId, Track, TrackId},
    server::{
        slice,
        storage::{Storage, is_store},
    },
};

/// Files applied in one transaction.
const STEP: usize = 2_000;
/// Longest that files which were read wait for the others of their step.
const STEP_TIME: Duration = Duration::from_secs(1);
/// Objects that a store did not give which are told one by one.
const TOLD: usize = 20;
/// Albums gathered between two writes at the end.
const ALBUMS: usize = 200;

impl Scanner {
    /// Scans once, after any scan that is running.
    pub async fn scan(&self, mode: ScanMode) -> Result<ScanReport, ScanError> {
        self.scan_into(&self.catalog, mode).await
    }

    /// The same into another handle of the catalog: one that stops writing when somebody else scans.
    pub(crate) async fn scan_into(&self, catalog: &Catalog, mode: ScanMode) -> Result<ScanReport, ScanError> {
        let _turn = self.turn.lock().await;
        let began = Instant::now();
        {
            let mut status = self.status_mut();
            (status.scanning, status.count, status.folders) = (true, 0, 0);
        }
        let scanning = Scanning(self);
        let result = self.run(catalog, mode).await;
        drop(scanning);
        let mut report = result?;
        let mut status = self.status_mut();
        status.last_scan = Some(now_ms());
        report.took = began.elapsed();
        Ok(report)
    }

    async fn run(&self, catalog: &Catalog, mode: ScanMode) -> Result<ScanReport, ScanError> {
        let known = catalog.files().await?;
        let first = known.is_empty();
        let (mut roots, reader, storage) = (self.roots.clone(), self.reading.version, &self.reading.storage);
        let mut listed = plan::Listed::new();
        if matches!(mode, ScanMode::Folders(_)) {
            roots.retain(|root| !is_store(root));
        }
        for root in &roots {
            if let Some(objects) = walk::list(storage, root).await {
                listed.insert(root.clone(), objects);
            }
        }
        let plan = tokio::task::spawn_blocking(move || plan::plan(&roots, listed, &mode, known, reader))
            .await
            .map_err(|e| ScanError::Interrupted(e.to_string()))?;
        {
            let mut status = self.status_mut();
            (status.count, status.folders) = (plan.unchanged, plan.folders);
        }
        let Plan { jobs, sheets, rules, missing, lists, seen, failed, refused, .. } = plan;
        let mut scan = Scan::new(catalog, first, reader, missing);
        scan.report = ScanReport { seen, failed, refused, ..ScanReport::default() };
        let mut done = readers::start(jobs, &self.reading);
        let (mut reads, mut pictures, mut away) = (Vec::new(), Vec::new(), Vec::new());
        let mut last_step = Instant::now();
        while let Some(mut next) = done.recv().await {
            reads.append(&mut next.reads);
            pictures.extend(next.picture);
            away.append(&mut next.away);
            if reads.len() >= STEP || last_step.elapsed() >= STEP_TIME {
                self.status_mut().count += reads.len() as u64;
                scan.step(std::mem::take(&mut reads), std::mem::take(&mut pictures)).await?;
                last_step = Instant::now();
            }
        }
        self.status_mut().count += reads.len() as u64;
        scan.step(reads, pictures).await?;
        scan.settle().await?;
        scan.left(away);
        scan.sheets(sheets, storage).await?;
        rules::import(catalog, storage, rules, &mut scan.report).await?;
        let moved = scan.changed || !scan.missing.is_empty();
        let mut report = scan.finish().await?;
        lists::bring(catalog, storage, lists, moved, &mut report).await?;
        Ok(report)
    }
}

/// A scan that runs until this is dropped, be it in the middle.
struct Scanning<'s>(&'s Scanner);

impl Drop for Scanning<'_> {
    fn drop(&mut self) {
        self.0.status_mut().scanning = false;
    }
}

/// How a file came to be where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// It was there.
    Changed,
    /// It was elsewhere.
    Moved,
    /// It is new.
    Added,
}

/// What the tracks of a step say beside themselves.
#[derive(Default)]
struct Gathered {
    people: Vec<Artist>,
    /// Albums that all come in this step, as far as is known.
    albums: HashMap<AlbumId, Vec<Track>>,
}

/// A scan on its way.
struct Scan<'c> {
    catalog: &'c Catalog,
    /// A view that has no marks, for reading back.
    view: Listener,
    /// The catalog was empty: files keep the time at which they were changed as the time they came.
    first: bool,
    /// How files are read; see [`FileRow::reader`].
    reader: i64,
    /// Known files that are gone, by size and time of change: one may turn up elsewhere.
    missing: HashMap<(u64, i64), Vec<FileRow>>,
    artists: HashMap<ArtistId, Artist>,
    /// Albums written whole in this scan, or waiting for the end.
    sketches: HashMap<AlbumId, Sketch>,
    unfinished: HashSet<AlbumId>,
    /// The step that is being written.
    writing: Option<JoinHandle<Result<Applied, CatalogError>>>,
    changed: bool,
    report: ScanReport,
}

impl<'c> Scan<'c> {
    fn new(catalog: &'c Catalog, first: bool, reader: i64, missing: Vec<FileRow>) -> Self {
        let mut by_size: HashMap<(u64, i64), Vec<FileRow>> = HashMap::new();
        for file in missing {
            by_size.entry(walk::trace_of(&file)).or_default().push(file);
        }
        Self {
            catalog,
            view: catalog.listener(&AccountId::from("")),
            first,
            reader,
            missing: by_size,
            artists: HashMap::new(),
            sketches: HashMap::new(),
            unfinished: HashSet::new(),
            writing: None,
            changed: false,
            report: ScanReport::default(),
        }
    }

    /// Waits until what was handed over is written.
    async fn settle(&mut self) -> Result<(), ScanError> {
        if let Some(writing) = self.writing.take() {
            writing.await.map_err(|e| ScanError::Interrupted(e.to_string()))??;
        }
        Ok(())
    }

    /// Puts a step together of some files that were read, and has it written as soon as the one before is.
    async fn step(&mut self, reads: Vec<Read>, pictures: Vec<FileRow>) -> Result<(), ScanError> {
        if reads.is_empty() && pictures.is_empty() {
            return Ok(());
        }
        self.changed = true;
        let mut step = FileStep { files: pictures, ..FileStep::default() };
        let mut good: Vec<(Read, Said, TrackId, Came)> = Vec::with_capacity(reads.len());
        let mut broken = Vec::new();
        for mut read in reads {
            step.files.extend(read.lyrics.take());
            match std::mem::replace(&mut read.said, Err(String::new())) {
                Ok(said) => {
                    let (id, came) = self.identify(&read, &mut step.gone_files);
                    good.push((read, said, id, came));
                }
                Err(reason) => broken.push((read, reason)),
            }
        }
        // What was known of these files: tracks, or the parts that they were divided into.
        let fresh = |came: &Came| *came == Came::Added;
        let mut wholes: Vec<TrackId> =
            good.iter().filter(|(_, _, _, came)| !fresh(came)).map(|(_, _, id, _)| id.clone()).collect();
        wholes.extend(broken.iter().filter_map(|(read, _)| read.known.as_ref()?.track.clone()));
        let parts = self.catalog.slices_of(&wholes).await?;
        let mut known: Vec<TrackId> = parts.values().flatten().cloned().collect();
        known.append(&mut wholes);
        let before: HashMap<TrackId, Track> =
            self.view.tracks(&known).await?.into_iter().map(|t| (t.id.clone(), t)).collect();
        for (read, reason) in broken {
            self.broken(read, reason, &parts, &mut step);
        }
        let now = now_ms();
        let mut gathered = Gathered::default();
        for (read, said, whole, how) in good {
            self.report.notes.extend(read.note.map(|note| (read.seen.path.clone(), note)));
            let came = if self.first { read.seen.modified_ms.min(now) } else { now };
            let another = read.known.as_ref().is_some_and(|known| known.size != read.seen.size);
            let mut tracks: Vec<(TrackId, u64, Shaped)> = Vec::with_capacity(said.parts.len());
            for Part { slice: part, shaped } in said.parts {
                let Some(part) = part else {
                    tracks.push((whole.clone(), read.seen.size, shaped));
                    continue;
                };
                let track = cue::id_of(&whole, part.number);
                step.resounded.extend(another.then(|| track.clone()));
                step.slices.push(SliceRow { track: track.clone(), whole: whole.clone(), slice: part });
                tracks.push((track, slice::size(&part), shaped));
            }
            step.lyrics.extend(said.lyrics.map(|lyrics| (whole.clone(), lyrics)));
            // What the file was before and is not now: parts of it, or all of it.
            let was = parts.get(&whole).map_or(std::slice::from_ref(&whole), Vec::as_slice);
            for old in was.iter().filter(|old| tracks.iter().all(|(id, ..)| id != *old)) {
                if let Some(old) = before.get(old) {
                    self.unfinished.extend(old.album_id.clone());
                    step.gone_tracks.push(old.id.clone());
                    self.report.removed += 1;
                }
            }
            for (id, size, mut shaped) in tracks {
                let old = before.get(&id);
                // A file that is mended is the track that it was.
                let again = old.is_some() || (id == whole && !parts.contains_key(&whole));
                match how {
                    Came::Changed if again => self.report.changed += 1,
                    Came::Moved if again => self.report.moved += 1,
                    _ => self.report.added += 1,
                }
                shaped.track.added_at = old.map_or(came, |t| t.added_at);
                self.unfinished.extend(old.and_then(|t| t.album_id.clone()));
                (shaped.track.id, shaped.track.size) = (id, size);
                step.batch.tracks.push(shaped.track.clone());
                self.gather(shaped, &mut gathered);
            }
            step.files.push(FileRow {
                path: read.seen.path,
                kind: FileKind::Audio,
                size: read.seen.size,
                modified_ms: read.seen.modified_ms,
                etag: read.seen.etag,
                track: Some(whole),
                cover: said.cover,
                digest: Some(read.digest),
                error: None,
                reader: self.reader,
            });
        }
        step.batch.artists = self.merged(gathered.people).await?;
        step.batch.albums = gathered
            .albums
            .iter()
            .filter_map(|(id, tracks)| Some(shape::album(self.sketches.get(id)?, tracks, None)))
            .collect();
        self.settle().await?;
        let catalog = self.catalog.clone();
        self.writing = Some(tokio::spawn(async move { catalog.apply_files(&step).await }));
        Ok(())
    }

    /// Takes in what a track says of its artists and its album.
    fn gather(&mut self, shaped: Shaped, gathered: &mut Gathered) {
        gathered.people.extend(shaped.artists);
        let album = shaped.album.id.clone();
        if self.first && !self.sketches.contains_key(&album) {
            gathered.albums.insert(album.clone(), Vec::new());
        }
        match self.sketches.entry(album.clone()) {
            Entry::Occupied(mut known) => known.get_mut().meet(&shaped.album),
            Entry::Vacant(new) => drop(new.insert(shaped.album)),
        }
        match gathered.albums.get_mut(&album) {
            Some(tracks) => tracks.push(shaped.track),
            None => drop(self.unfinished.insert(album)),
        }
    }

    /// Notes what could not be read because its store did not give it. It stays as it is for the next scan.
    fn left(&mut self, away: Vec<(PathBuf, String)>) {
        let more = away.len().saturating_sub(TOLD);
        let last = away.last().cloned();
        self.report.failed.extend(away.into_iter().take(TOLD));
        if let Some((path, why)) = last.filter(|_| more > 0) {
            self.report.failed.push((path, format!("{why}; so it is with {more} objects more")));
        }
    }

    /// Writes down what came of cue sheets. Last, so that a scan that is killed before reads them again.
    async fn sheets(&mut self, sheets: Vec<Arc<Sheets>>, storage: &Storage) -> Result<(), ScanError> {
        let storage = storage.clone();
        let outcomes = tokio::task::spawn_blocking(move || {
            sheets.iter().flat_map(|sheets| sheets.outcomes(&storage)).collect::<Vec<_>>()
        });
        let outcomes = outcomes.await.map_err(|e| ScanError::Interrupted(e.to_string()))?;
        let mut step = FileStep::default();
        for cue::Outcome { seen, error, note } in outcomes {
            if let Some(reason) = &error {
                tracing::warn!(file = %seen.path.display(), reason, "a cue sheet was skipped");
                self.report.failed.push((seen.path.clone(), reason.clone()));
            }
            self.report.notes.extend(note.map(|note| (seen.path.clone(), note)));
            step.files.push(FileRow { error, ..file_row(&seen, FileKind::Cue, None) });
        }
        if !step.files.is_empty() {
            self.catalog.apply_files(&step).await?;
        }
        Ok(())
    }

    /// The id of a file and how it came: as before, or of a file that moved here, or new.
    fn identify(&mut self, read: &Read, gone: &mut Vec<PathBuf>) -> (TrackId, Came) {
        if let Some(known) = &read.known
            && let Some(id) = &known.track
        {
            return (id.clone(), Came::Changed);
        }
        let reader = self.reader;
        let candidates = self.missing.get_mut(&read.seen.trace());
        let same_name = |f: &FileRow| f.path.file_name() == read.seen.path.file_name();
        let moved = candidates.and_then(|files| {
            let fits = |f: &FileRow| {
                // What another reader made of the tags cannot be compared.
                let same = f.digest.as_deref() == Some(&read.digest) || (f.reader != reader && same_name(f));
                f.track.is_some() && same
            };
            let at =
                files.iter().position(|f| fits(f) && same_name(f)).or_else(|| files.iter().position(fits))?;
            Some(files.swap_remove(at))
        });
        if let Some(file) = moved
            && let Some(id) = file.track
        {
            gone.push(file.path);
            return (id, Came::Moved);
        }
        (TrackId::new(Uuid::now_v7().simple().to_string()), Came::Added)
    }

    /// A file that cannot be read: its tracks go, its id stays with the file for better days.
    fn broken(
        &mut self,
        read: Read,
        reason: String,
        parts: &HashMap<TrackId, Vec<TrackId>>,
        step: &mut FileStep,
    ) {
        tracing::warn!(file = %read.seen.path.display(), reason, "a music file was skipped");
        self.report.failed.push((read.seen.path.clone(), reason.clone()));
        let track = read.known.and_then(|k| k.track);
        step.gone_tracks.extend(track.iter().filter_map(|whole| parts.get(whole)).flatten().cloned());
        step.gone_tracks.extend(track.clone());
        step.files.push(FileRow {
            path: read.seen.path,
            kind: FileKind::Audio,
            size: read.seen.size,
            modified_ms: read.seen.modified_ms,
            etag: read.seen.etag,
            track,
            cover: None,
            digest: None,
            error: Some(reason),
            reader: self.reader,
        });
    }

    /// Artists that are news, merged with what the catalog and this scan know of them.
    async fn merged(&mut self, people: Vec<Artist>) -> Result<Vec<Artist>, ScanError> {
        let unknown: HashSet<ArtistId> =
            people.iter().map(|a| a.id.clone()).filter(|id| !self.artists.contains_key(id)).collect();
        let unknown: Vec<ArtistId> = unknown.into_iter().collect();
        for artist in self.view.artists_by_id(&unknown).await? {
            self.artists.insert(artist.id.clone(), artist);
        }
        Ok(shape::merge_artists(&mut self.artists, people))
    }

    /// Removes what is gone, completes albums, and tidies up.
    async fn finish(mut self) -> Result<ScanReport, ScanError> {
        let gone: Vec<FileRow> = std::mem::take(&mut self.missing).into_values().flatten().collect();
        self.changed |= !gone.is_empty();
        lists::forget(self.catalog, &gone).await?;
        let rules = gone.iter().filter(|f| f.kind == FileKind::Rules).map(|f| f.path.clone());
        self.catalog.remove_smart_files(&rules.collect::<Vec<_>>()).await?;
        for files in gone.chunks(1_000) {
            let wholes: Vec<TrackId> = files.iter().filter_map(|f| f.track.clone()).collect();
            let mut parts = self.catalog.slices_of(&wholes).await?;
            let all_of = |whole: TrackId| parts.remove(&whole).unwrap_or_else(|| vec![whole]);
            let tracks: Vec<TrackId> = wholes.into_iter().flat_map(all_of).collect();
            let albums = self.view.tracks(&tracks).await?.into_iter().filter_map(|t| t.album_id);
            self.unfinished.extend(albums);
            self.report.removed += tracks.len() as u64;
            let step = FileStep {
                gone_files: files.iter().map(|f| f.path.clone()).collect(),
                gone_tracks: tracks,
                ..FileStep::default()
            };
            self.catalog.apply_files(&step).await?;
        }
        if self.changed {
            let ids: Vec<AlbumId> = self.unfinished.iter().cloned().collect();
            for ids in ids.chunks(ALBUMS) {
                let mut batch = Batch::default();
                for id in ids {
                    batch.albums.extend(self.album(id).await?);
                }
                self.catalog.apply(&batch).await?;
            }
            self.catalog.prune().await?;
        }
        Ok(self.report)
    }

    /// An album made anew from all its tracks; `None` when none is left.
    async fn album(&self, id: &AlbumId) -> Result<Option<Album>, ScanError> {
        let tracks = self.view.tracks_of(id).await?;
        if tracks.is_empty() {
            return Ok(None);
        }
        let old = self.view.album(id).await?;
        if let Some(sketch) = self.sketches.get(id) {
            return Ok(Some(shape::album(sketch, &tracks, old.as_ref())));
        }
        let Some(old) = old else { return Ok(None) };
        let cover = match &old.cover {
            Some(cover) if !self.catalog.files_with_cover(cover).await?.is_empty() => old.cover,
            _ => None,
        };
        let new = shape::gathered(id, cover, &tracks);
        Ok(Some(Album {
            title: old.title,
            artist: old.artist,
            artists: old.artists,
            compilation: old.compilation,
            musicbrainz_id: old.musicbrainz_id,
            details: shape::renewed(old.details, &new.details),
            ..new
        }))
    }
}

/// Unix time in ms.
fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
