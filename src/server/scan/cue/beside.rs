//! The cue sheets of one folder, and which of its files they mean.

use std::{
    collections::{HashMap, HashSet},
    ffi::{OsStr, OsString},
    path::Path,
    sync::{Mutex, OnceLock, PoisonError},
};

use unicode_normalization::UnicodeNormalization as _;

use super::sheet::{LONGEST, Sheet};
use crate::server::scan::walk::Seen;
use crate::server::storage::{Source, Storage};

/// The sheets of a folder. They are read at most once, by the first reader that needs them.
#[derive(Debug)]
pub(in crate::server::scan) struct Sheets {
    seen: Vec<Seen>,
    /// Names of the folder's music.
    music: Vec<OsString>,
    read: OnceLock<Meant>,
    /// What turned out to be wrong with a sheet when it was laid beside its file.
    problems: Mutex<HashMap<usize, String>>,
}

#[derive(Debug)]
struct Meant {
    sheets: Vec<Result<Sheet, String>>,
    /// For a file the sheet and the file of the sheet that is meant.
    files: HashMap<OsString, (usize, usize)>,
    /// Why a store did not give one of the sheets.
    trouble: Option<String>,
}

/// What is to be written down of a sheet.
pub(in crate::server::scan) struct Outcome {
    pub(in crate::server::scan) seen: Seen,
    /// Why nothing is made of it.
    pub(in crate::server::scan) error: Option<String>,
    /// What is good to know about it.
    pub(in crate::server::scan) note: Option<String>,
}

impl Sheets {
    /// Of a folder with these sheets and this music. Nothing is read yet.
    pub(in crate::server::scan) fn new(seen: Vec<Seen>, music: Vec<OsString>) -> Self {
        Self { seen, music, read: OnceLock::new(), problems: Mutex::default() }
    }

    /// The sheet that means a file: its number here, the sheet, and which of its files this is.
    pub(super) fn of_file(&self, path: &Path, storage: &Storage) -> Option<(usize, &Sheet, usize)> {
        let meant = self.meant(storage);
        let (sheet, file) = meant.files.get(path.file_name()?)?;
        Some((*sheet, meant.sheets.get(*sheet)?.as_ref().ok()?, *file))
    }

    /// Why a store did not give one of them, so that nothing can be said of what they mean.
    pub(in crate::server::scan) fn trouble(&self, storage: &Storage) -> Option<&str> {
        self.meant(storage).trouble.as_deref()
    }

    /// Says what is wrong with a sheet.
    pub(super) fn complain(&self, sheet: usize, why: String) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.entry(sheet).or_insert(why);
    }

    /// What came of each sheet, when all files that it may mean were read.
    pub(in crate::server::scan) fn outcomes(&self, storage: &Storage) -> Vec<Outcome> {
        let meant = self.meant(storage);
        if meant.trouble.is_some() {
            return Vec::new();
        }
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let used: HashSet<usize> = meant.files.values().map(|(sheet, _)| *sheet).collect();
        let outcome = |(at, (seen, sheet)): (usize, (&Seen, &Result<Sheet, String>))| {
            let error = sheet.as_ref().err().or_else(|| problems.get(&at)).cloned();
            let stray = error.is_none() && !used.contains(&at);
            let name = sheet.as_ref().ok().and_then(|sheet| sheet.files.first()).filter(|_| stray);
            let note = name.map(|name| {
                format!(
                    "nothing is made of this cue sheet: “{name}” is not here, or another sheet speaks of it"
                )
            });
            Outcome { seen: seen.clone(), error, note }
        };
        self.seen.iter().zip(&meant.sheets).enumerate().map(outcome).collect()
    }

    fn meant(&self, storage: &Storage) -> &Meant {
        self.read.get_or_init(|| {
            let sources: Vec<Source> = self.seen.iter().map(|seen| seen.source(storage)).collect();
            let sheets: Vec<Result<Sheet, String>> = sources.iter().map(read).collect();
            let trouble = sources.iter().find_map(Source::trouble).map(|trouble| trouble.to_string());
            let names = Names::of(&self.music);
            let exact: HashMap<&OsStr, &OsString> = self.music.iter().map(|m| (m.as_os_str(), m)).collect();
            let mut claims: Vec<((bool, bool, usize), usize, &OsString)> = Vec::new();
            for (at, (seen, sheet)) in self.seen.iter().zip(&sheets).enumerate() {
                let Ok(sheet) = sheet else { continue };
                let own = seen.path.file_stem().map(key).unwrap_or_default();
                for (file, name) in sheet.files.iter().enumerate() {
                    let exact = exact.get(OsStr::new(name)).copied();
                    let found = exact.or_else(|| names.find(name, sheet.files.len() == 1, &own));
                    let Some(music) = found else { continue };
                    let divides = sheet.tracks_of(file).filter(|track| track.audio).count() > 1;
                    let named_alike = own == stem(music) || own == key(music);
                    claims.push(((!divides, !named_alike, at), file, music));
                }
            }
            // What divides a file comes before what only names it, a sheet of its name before others.
            claims.sort();
            let mut files = HashMap::new();
            for ((_, _, sheet), file, music) in claims {
                files.entry(music.clone()).or_insert((sheet, file));
            }
            Meant { sheets, files, trouble }
        })
    }
}

/// Names of music as they are compared, each with its file; `None` where several are the same.
struct Names<'m> {
    keys: HashMap<String, Option<&'m OsString>>,
    stems: HashMap<String, Option<&'m OsString>>,
}

impl<'m> Names<'m> {
    fn of(music: &'m [OsString]) -> Self {
        let mut names = Self { keys: HashMap::new(), stems: HashMap::new() };
        for name in music {
            names.keys.entry(key(name)).and_modify(|one| *one = None).or_insert(Some(name));
            names.stems.entry(stem(name)).and_modify(|one| *one = None).or_insert(Some(name));
        }
        names
    }

    /// The music that a sheet means by a name: the file of that name, or the one that was made of it (`x.flac` for
    /// `x.wav`), or the one that is called like the sheet.
    fn find(&self, name: &str, only: bool, sheet: &str) -> Option<&'m OsString> {
        let of = |names: &HashMap<String, Option<&'m OsString>>, name: &str| *names.get(name)?;
        of(&self.keys, &key(name))
            .or_else(|| of(&self.stems, &stem(name)))
            .or_else(|| of(&self.keys, sheet).filter(|_| only))
            .or_else(|| of(&self.stems, sheet).filter(|_| only))
    }
}

/// A name as it is compared: the same for all ways to write its letters.
fn key(name: impl AsRef<OsStr>) -> String {
    name.as_ref().to_string_lossy().nfc().flat_map(char::to_lowercase).collect()
}

/// The same without the extension.
fn stem(name: &(impl AsRef<OsStr> + ?Sized)) -> String {
    Path::new(name.as_ref()).file_stem().map(key).unwrap_or_default()
}

fn read(source: &Source) -> Result<Sheet, String> {
    // A link may be called like a sheet and lead to a file that is nobody's to read.
    if source.is_disguised("cue").map_err(|e| format!("it cannot be read: {e}"))? {
        return Err("this is a link to what is no cue sheet".to_owned());
    }
    let bytes = source.read(LONGEST + 1).map_err(|e| format!("it cannot be read: {e}"))?;
    Sheet::parse(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::FileKind;

    fn meant(sheets: &[(&str, &str)], music: &[&str], file: &str) -> Option<(usize, usize)> {
        let folder = tempfile::tempdir().unwrap();
        let seen = sheets.iter().map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Seen { path, kind: FileKind::Cue, size: 1, modified_ms: 1, etag: None }
        });
        let sheets = Sheets::new(seen.collect(), music.iter().map(OsString::from).collect());
        sheets.of_file(&folder.path().join(file), &Storage::default()).map(|(sheet, _, file)| (sheet, file))
    }

    #[test]
    fn which_file_is_meant() {
        let of = |name: &str| {
            format!("FILE \"{name}\" WAVE\nTRACK 1 AUDIO\nINDEX 01 0:0:0\nTRACK 2 AUDIO\nINDEX 01 1:0:0\n")
        };
        let album = of("Album.wav");
        let here = Some((0, 0));
        assert_eq!(meant(&[("a.cue", &album)], &["Album.wav", "b.flac"], "Album.wav"), here);
        assert_eq!(meant(&[("a.cue", &album)], &["ALBUM.WAV"], "ALBUM.WAV"), here);
        assert_eq!(meant(&[("a.cue", &album)], &["Album.flac", "b.flac"], "Album.flac"), here);
        assert_eq!(meant(&[("a.cue", &album)], &["Album.flac", "Album.mp3"], "Album.mp3"), None, "which?");
        assert_eq!(meant(&[("b.cue", &album)], &["b.flac", "c.flac"], "b.flac"), here);
        assert_eq!(meant(&[("b.flac.cue", &album)], &["b.flac", "b.mp3"], "b.flac"), here);
        assert_eq!(meant(&[("a.cue", &of("Cafe\u{301}.wav"))], &["Café.wav"], "Café.wav"), here);
        assert_eq!(meant(&[("a.cue", &album), ("b.cue", &of("b.wav"))], &["b.wav"], "b.wav"), Some((1, 0)));
        assert_eq!(
            meant(&[("a.cue", &of("x.wav")), ("x.cue", &of("x.wav"))], &["x.wav"], "x.wav"),
            Some((1, 0))
        );
        let two = format!("{}FILE \"2.wav\" WAVE\nTRACK 3 AUDIO\nINDEX 01 0:0:0\n", of("1.wav"));
        assert_eq!(meant(&[("a.cue", &two)], &["1.flac", "2.flac"], "2.flac"), Some((0, 1)));
        assert_eq!(meant(&[("2.cue", &two)], &["3.flac"], "3.flac"), None);
        assert_eq!(meant(&[("a.cue", "nonsense")], &["a.flac"], "a.flac"), None);
    }
}
