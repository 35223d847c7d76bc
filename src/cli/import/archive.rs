//! The texts of an export: those of a zip that are wanted, or the file itself. Bounded, so that no crafted archive fills the
//! memory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Entries of an archive at most.
const ENTRIES: usize = 5_000;
/// Bytes of one text, and of all of them.
const EACH: u64 = 500 << 20;
const ALL: u64 = 2 << 30;

/// Names and texts, in the order of their names. The error says what is wrong with the file.
pub(super) fn texts(file: &Path, wanted: fn(&str) -> bool) -> Result<Vec<(String, String)>, String> {
    let mut open = File::open(file).map_err(|e| format!("cannot be read: {e}"))?;
    let mut magic = [0; 4];
    let zipped = open.read(&mut magic).is_ok_and(|n| n == 4) && magic == *b"PK\x03\x04";
    open.seek(SeekFrom::Start(0)).map_err(|e| format!("cannot be read: {e}"))?;
    if !zipped {
        return Ok(vec![("the file".to_owned(), text(open)?)]);
    }
    let mut archive = zip::ZipArchive::new(open).map_err(|e| format!("is no whole zip: {e}"))?;
    if archive.len() > ENTRIES {
        return Err(format!("has more than {ENTRIES} files in it"));
    }
    let mut found = Vec::new();
    let mut total = 0;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(|e| format!("is no whole zip: {e}"))?;
        let name = entry.name().map_err(|e| format!("is no whole zip: {e}"))?.into_owned();
        if entry.is_dir() || !wanted(&name) {
            continue;
        }
        let text = text(entry).map_err(|why| format!("{name} {why}"))?;
        total += text.len() as u64;
        if total > ALL {
            return Err("has more than 2 GiB of text in it".to_owned());
        }
        found.push((name, text));
    }
    found.sort();
    Ok(found)
}

fn text(from: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    from.take(EACH + 1).read_to_end(&mut bytes).map_err(|e| format!("cannot be read: {e}"))?;
    if bytes.len() as u64 > EACH {
        return Err("is longer than 500 MiB".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|_| "is no text".to_owned())?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}
