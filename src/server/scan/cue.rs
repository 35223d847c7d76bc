//! Cue sheets: a text that parts one file into tracks. Segue keeps such a file as one track and says so; `docs/scanning.md`
//! says why.

use std::{fs::File, io::Read as _, path::Path};

/// Files shorter than this are no albums, in ms.
const ALBUM_MS: u64 = 10 * 60 * 1000;
/// Longest sheet that is read, in bytes.
const LONGEST: u64 = 256 << 10;

/// What there is to say about a file that a cue sheet parts, in its tags or beside it.
pub(super) fn note(path: &Path, duration_ms: u64, embedded: Option<&str>) -> Option<String> {
    if duration_ms < ALBUM_MS {
        return None;
    }
    let beside = || {
        let mut bytes = Vec::new();
        File::open(path.with_extension("cue")).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let tracks = embedded.map(tracks).filter(|n| *n > 1).or_else(|| beside().map(|text| tracks(&text)))?;
    (tracks > 1).then(|| {
        format!(
            "a cue sheet parts it into {tracks} tracks; it is kept as one track, because a part of a file cannot be served \
             as a file: split it to have the tracks"
        )
    })
}

/// The tracks of the one file that a sheet is about; 0 where it is about several files.
fn tracks(sheet: &str) -> usize {
    let word = |line: &str, word: &str| {
        line.trim_start().get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    if sheet.lines().filter(|line| word(line, "FILE ")).count() > 1 {
        return 0;
    }
    sheet.lines().filter(|line| word(line, "TRACK ")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str =
        "PERFORMER \"A\"\nFILE \"x.flac\" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n  track 02 AUDIO\n";

    #[test]
    fn sheets_are_counted() {
        assert_eq!(tracks(SHEET), 2);
        assert_eq!(
            tracks(&format!("{SHEET}FILE \"y.flac\" WAVE\n TRACK 03 AUDIO")),
            0,
            "each track is a file already"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.flac");
        assert_eq!(note(&path, ALBUM_MS, None), None);
        assert!(note(&path, ALBUM_MS, Some(SHEET)).unwrap().contains("2 tracks"));
        assert_eq!(note(&path, ALBUM_MS - 1, Some(SHEET)), None);
        std::fs::write(folder.path().join("x.cue"), SHEET).unwrap();
        assert!(note(&path, ALBUM_MS, None).unwrap().contains("2 tracks"));
    }
}
