//! Comparing what is there with what was known: which files to open, which are gone, which roots to leave alone.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    ScanMode, cover,
    cue::Sheets,
    lists::ListFile,
    shape, tags,
    walk::{self, Seen, Walk},
};
use crate::{
    catalog::{FileKind, FileRow},
    music::CoverId,
    server::storage::{Storage, Trouble},
};

/// Files of one folder that a reader takes at a time.
const JOB: usize = 64;

/// The picture that stands for a folder. It is read at most once, by the first reader that needs it.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) seen: Seen,
    id: OnceLock<Option<CoverId>>,
    away: AtomicBool,
}

impl Picture {
    pub(super) fn id(&self, storage: &Storage) -> Option<&CoverId> {
        let read = || {
            let source = self.seen.source(storage);
            let id = cover::image(&source).map(|bytes| tags::cover_id(&bytes));
            self.away.store(source.trouble().is_some(), Ordering::Relaxed);
            id
        };
        self.id.get_or_init(read).as_ref()
    }

    /// Whether its store did not give it.
    pub(super) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }
}

/// A file to open.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) seen: Seen,
    /// What was known of it.
    pub(super) known: Option<FileRow>,
    /// Lyrics that lie beside it.
    pub(super) lyrics: Option<Seen>,
    /// Cue sheets that lie beside it.
    pub(super) sheets: Option<Arc<Sheets>>,
}

/// A few files of one folder to open.
#[derive(Debug)]
pub(super) struct Job {
    /// Files to open.
    pub(super) files: Vec<Open>,
    /// The picture that stands for them.
    pub(super) picture: Option<Arc<Picture>>,
    /// A picture to write down: it is new or changed.
    pub(super) new_picture: Option<Arc<Picture>>,
}

/// What a scan will do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) jobs: Vec<Job>,
    /// Cue sheets that are new or lie beside files to open, by folder.
    pub(super) sheets: Vec<Arc<Sheets>>,
    /// Rules of smart playlists to read.
    pub(super) rules: Vec<Seen>,
    /// Known files that are not there any more.
    pub(super) missing: Vec<FileRow>,
    /// Playlists, those too that are not looked at in this scan.
    pub(super) lists: Vec<ListFile>,
    pub(super) seen: u64,
    pub(super) unchanged: u64,
    pub(super) folders: u64,
    pub(super) failed: Vec<(PathBuf, String)>,
    pub(super) refused: Vec<(PathBuf, String)>,
}

/// What stores have, or why that is not known, by their roots.
pub(super) type Listed = HashMap<PathBuf, Result<Vec<Seen>, Trouble>>;

/// Looks at the file system, and at what stores have, and decides. Blocking.
pub(super) fn plan(
    roots: &[PathBuf],
    mut listed: Listed,
    mode: &ScanMode,
    known: Vec<FileRow>,
    reader: i64,
) -> Plan {
    let mut plan = Plan::default();
    let good: Vec<&PathBuf> = roots
        .iter()
        .filter(|root| match refusal(root, listed.get(*root), &known) {
            None => true,
            Some(reason) => {
                plan.refused.push(((*root).clone(), reason));
                false
            }
        })
        .collect();
    let scopes: Option<Vec<PathBuf>> = match mode {
        ScanMode::Folders(folders) => {
            Some(folders.iter().filter(|f| good.iter().any(|root| f.starts_with(root))).cloned().collect())
        }
        ScanMode::Changes | ScanMode::Everything => None,
    };
    let mut walk = Walk::default();
    let starts: Vec<PathBuf> = match &scopes {
        Some(scopes) => scopes.iter().filter(|f| f.is_dir()).cloned().collect(),
        None => good.into_iter().filter(|root| !listed.contains_key(*root)).cloned().collect(),
    };
    walk::walk(&starts, &mut walk);
    for objects in roots.iter().filter_map(|root| listed.remove(root)?.ok()) {
        walk::gather(objects, &mut walk);
    }

    let in_scope = |path: &Path| scopes.as_ref().is_none_or(|s| s.iter().any(|f| path.starts_with(f)));
    let (known, elsewhere): (Vec<FileRow>, Vec<FileRow>) = known.into_iter().partition(|f| in_scope(&f.path));
    plan.lists = elsewhere.into_iter().filter(|f| f.kind == FileKind::Playlist).map(as_it_was).collect();
    let mut known: HashMap<PathBuf, FileRow> = known.into_iter().map(|f| (f.path.clone(), f)).collect();
    let again = *mode == ScanMode::Everything;
    let pictures = pictures(&walk, &mut known, again);
    let gone_lyrics = gone_lyrics(&walk, &known);
    let mut gone_sheets = gone_sheets(&walk, &known);
    plan.folders = walk.folders.len() as u64;
    for (folder, files) in walk.folders {
        let candidates: Vec<PathBuf> = shape::cover_folders(&folder).collect();
        let picture = candidates.iter().find_map(|f| pictures.by_folder.get(f)).cloned();
        let new_picture =
            pictures.by_folder.get(&folder).filter(|_| pictures.changed.contains(&folder)).cloned();
        let repaint = candidates.iter().any(|f| pictures.changed.contains(f));
        for file in files.iter().filter(|f| f.kind == FileKind::Playlist) {
            plan.lists.push(ListFile { known: known.remove(&file.path), seen: file.clone() });
        }
        for file in files.iter().filter(|f| f.kind == FileKind::Rules) {
            match known.remove(&file.path) {
                Some(row) if !again && file.is_as(&row) => {
                    plan.failed.extend(row.error.map(|error| (file.path.clone(), error)));
                }
                _ => plan.rules.push(file.clone()),
            }
        }
        let (sheets, mut recut, broken_sheets) = sheets_of(&files, &mut known, again);
        recut |= gone_sheets.remove(&folder);
        let mut to_open = Vec::new();
        let mut beside = Beside::of(&files, &mut known, &gone_lyrics);
        for file in files.into_iter().filter(|f| f.kind == FileKind::Audio) {
            plan.seen += 1;
            let row = known.remove(&file.path);
            let (lyrics, resung) = beside.take(&file.path);
            let same = row.as_ref().filter(|r| file.is_as(r) && r.reader == reader);
            match same {
                Some(row)
                    if !(again
                        || resung
                        || recut
                        || repaint && row.cover.is_none() && row.error.is_none()) =>
                {
                    plan.unchanged += 1;
                    if let Some(error) = &row.error {
                        plan.failed.push((file.path, error.clone()));
                    }
                }
                _ => to_open.push(Open { seen: file, known: row, lyrics, sheets: sheets.clone() }),
            }
        }
        match sheets.filter(|_| recut || !to_open.is_empty()) {
            Some(sheets) => plan.sheets.push(sheets),
            None => plan.failed.extend(broken_sheets),
        }
        push_jobs(&mut plan.jobs, to_open, picture.as_ref(), new_picture);
    }
    let kept: Vec<&PathBuf> = plan.refused.iter().map(|(root, _)| root).chain(&walk.blind).collect();
    plan.missing = known.into_values().filter(|f| !kept.iter().any(|k| f.path.starts_with(k))).collect();
    plan.failed.append(&mut walk.problems);
    plan
}

/// The cue sheets of a folder, whether one of them is news, and what was wrong with those that are not.
fn sheets_of(
    files: &[Seen],
    known: &mut HashMap<PathBuf, FileRow>,
    again: bool,
) -> (Option<Arc<Sheets>>, bool, Vec<(PathBuf, String)>) {
    let sheets: Vec<Seen> = files.iter().filter(|f| f.kind == FileKind::Cue).cloned().collect();
    let (mut news, mut broken) = (again, Vec::new());
    for sheet in &sheets {
        match known.remove(&sheet.path) {
            Some(row) if sheet.is_as(&row) => {
                broken.extend(row.error.map(|error| (sheet.path.clone(), error)));
            }
            _ => news = true,
        }
    }
    if sheets.is_empty() {
        return (None, false, broken);
    }
    let music = files.iter().filter(|f| f.kind == FileKind::Audio);
    let music = music.filter_map(|f| f.path.file_name()).map(OsString::from).collect();
    (Some(Arc::new(Sheets::new(sheets, music))), news, broken)
}

/// Folders that had a cue sheet which is gone.
fn gone_sheets(walk: &Walk, known: &HashMap<PathBuf, FileRow>) -> HashSet<PathBuf> {
    let there: HashSet<&Path> = walk
        .folders
        .iter()
        .flat_map(|(_, files)| files)
        .filter(|f| f.kind == FileKind::Cue)
        .map(|f| f.path.as_path())
        .collect();
    let sheets = known.values().filter(|f| f.kind == FileKind::Cue && !there.contains(f.path.as_path()));
    sheets.filter_map(|f| f.path.parent().map(Path::to_owned)).collect()
}

/// A playlist file that nobody looks at in this scan.
fn as_it_was(row: FileRow) -> ListFile {
    let FileRow { kind, size, modified_ms, .. } = row;
    let seen = Seen { path: row.path.clone(), kind, size, modified_ms, etag: row.etag.clone() };
    ListFile { seen, known: Some(row) }
}

fn push_jobs(
    jobs: &mut Vec<Job>,
    mut files: Vec<Open>,
    picture: Option<&Arc<Picture>>,
    mut new_picture: Option<Arc<Picture>>,
) {
    while !files.is_empty() || new_picture.is_some() {
        let rest = files.split_off(files.len().min(JOB));
        jobs.push(Job { files, picture: picture.cloned(), new_picture: new_picture.take() });
        files = rest;
    }
}

/// The lyrics of a folder by the name of their track, and which of them are not as the last scan saw them.
struct Beside {
    there: HashMap<OsString, (Seen, bool)>,
    gone: HashSet<OsString>,
}

impl Beside {
    fn of(
        files: &[Seen],
        known: &mut HashMap<PathBuf, FileRow>,
        gone: &HashMap<PathBuf, HashSet<OsString>>,
    ) -> Self {
        let lyrics = files.iter().filter(|f| f.kind == FileKind::Lyrics);
        let there: HashMap<_, _> = lyrics
            .filter_map(|f| {
                let row = known.remove(&f.path);
                let same = row.is_some_and(|r| f.is_as(&r));
                Some((f.path.file_stem()?.to_owned(), (f.clone(), !same)))
            })
            .collect();
        let folder = files.first().and_then(|f| f.path.parent());
        let gone = folder.and_then(|f| gone.get(f)).cloned().unwrap_or_default();
        Self { there, gone }
    }

    /// The lyrics of one track, and whether they are news.
    fn take(&mut self, track: &Path) -> (Option<Seen>, bool) {
        let Some(name) = track.file_stem() else { return (None, false) };
        match self.there.get(name) {
            Some((seen, news)) => (Some(seen.clone()), *news),
            None => (None, self.gone.contains(name)),
        }
    }
}

/// Names of the lyrics that the last scan saw and that are gone, by folder.
fn gone_lyrics(walk: &Walk, known: &HashMap<PathBuf, FileRow>) -> HashMap<PathBuf, HashSet<OsString>> {
    let there: HashSet<&Path> =
        walk.folders.iter().flat_map(|(_, files)| files).map(|f| f.path.as_path()).collect();
    let mut gone: HashMap<PathBuf, HashSet<OsString>> = HashMap::new();
    for path in known.values().filter(|f| f.kind == FileKind::Lyrics).map(|f| &f.path) {
        if !there.contains(path.as_path())
            && let (Some(folder), Some(name)) = (path.parent(), path.file_stem())
        {
            gone.entry(folder.to_owned()).or_default().insert(name.to_owned());
        }
    }
    gone
}

struct Pictures {
    by_folder: HashMap<PathBuf, Arc<Picture>>,
    /// Folders whose picture is not the one that the last scan saw.
    changed: HashSet<PathBuf>,
}

/// Chooses each folder's picture, and takes those that are as they were out of `known`.
fn pictures(walk: &Walk, known: &mut HashMap<PathBuf, FileRow>, again: bool) -> Pictures {
    let mut chosen = Pictures { by_folder: HashMap::new(), changed: HashSet::new() };
    for (folder, files) in &walk.folders {
        let best = files
            .iter()
            .filter(|f| f.kind == FileKind::Image)
            .min_by_key(|f| (walk::cover_rank(&f.path), f.path.clone()));
        let Some(best) = best else { continue };
        let id = OnceLock::new();
        match known.remove(&best.path) {
            Some(row) if !again && best.is_as(&row) => {
                let _ = id.set(row.cover);
            }
            _ => {
                chosen.changed.insert(folder.clone());
            }
        }
        chosen.by_folder.insert(
            folder.clone(),
            Arc::new(Picture { seen: best.clone(), id, away: AtomicBool::new(false) }),
        );
    }
    let gone = known.values().filter(|f| f.kind == FileKind::Image);
    chosen.changed.extend(gone.filter_map(|f| f.path.parent().map(Path::to_owned)));
    chosen
}

/// Why a root must be left alone, if it must.
fn refusal(root: &Path, listed: Option<&Result<Vec<Seen>, Trouble>>, known: &[FileRow]) -> Option<String> {
    let empty = match listed {
        Some(Ok(objects)) => objects.is_empty(),
        Some(Err(trouble)) => return Some(format!("{trouble}; its tracks are kept")),
        None => match std::fs::read_dir(root) {
            Ok(mut entries) => entries.next().is_none(),
            Err(e) => return Some(format!("this music folder cannot be read ({e}); its tracks are kept")),
        },
    };
    (empty && known.iter().any(|f| f.path.starts_with(root))).then(|| {
        "this music folder is empty, though it held music before; its tracks are kept in case a disk is not mounted"
            .to_owned()
    })
}
