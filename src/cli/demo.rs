//! The demo album, carried inside the binary so that the first start has music on every machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

macro_rules! album {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../assets/demo/", $name)) as &[u8])),+]
    };
}

/// File names and contents.
const ALBUM: &[(&str, &[u8])] = album![
    "01 Before Dawn.opus",
    "02 Dew on Strings.opus",
    "03 Kettle Hours.opus",
    "04 First Light.opus",
    "cover.png",
];

/// Lays the album down below `dir`, unless it is there already, and returns its folder.
pub(super) fn unpack(dir: &Path) -> io::Result<PathBuf> {
    let folder = dir.join("demo");
    fs::create_dir_all(&folder)?;
    for (name, bytes) in ALBUM {
        let path = folder.join(name);
        if fs::metadata(&path).is_ok_and(|m| m.len() == bytes.len() as u64) {
            continue;
        }
        let new = path.with_extension("new");
        fs::write(&new, bytes)?;
        fs::rename(new, path)?;
    }
    Ok(folder)
}
