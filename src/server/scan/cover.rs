//! Cover art by its id: the original bytes, from wherever one of its copies lies.

use std::path::Path;

use super::tags;
use crate::{
    catalog::{Catalog, CatalogError, FileKind},
    music::CoverId,
};

/// Largest picture that is served, in bytes.
pub(super) const LARGEST: u64 = 20 << 20;

/// A picture as it lies in the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// The original bytes.
    pub bytes: Vec<u8>,
    /// MIME type by content ("image/jpeg").
    pub mime: &'static str,
}

/// Reads a picture; `None` when no file holds it any more.
pub async fn cover(catalog: &Catalog, id: &CoverId) -> Result<Option<Cover>, CatalogError> {
    let files = catalog.files_with_cover(id).await?;
    let id = id.clone();
    let found = tokio::task::spawn_blocking(move || {
        files.iter().find_map(|file| match file.kind {
            // A file may have changed since it was scanned: the hash decides.
            FileKind::Image => image(&file.path).filter(|bytes| tags::cover_id(bytes) == id),
            FileKind::Audio => tags::picture(&file.path, &id),
            FileKind::Lyrics | FileKind::Playlist | FileKind::Rules | FileKind::Cue => None,
        })
    })
    .await
    .unwrap_or(None);
    Ok(found.map(|bytes| Cover { mime: mime(&bytes), bytes }))
}

/// The bytes of a picture file of a sensible size. A file that is called like a picture, or a link that is, may be anything: what
/// does not begin like a picture is none.
pub(super) fn image(path: &Path) -> Option<Vec<u8>> {
    let size = std::fs::metadata(path).ok()?.len();
    if size == 0 || size > LARGEST {
        return None;
    }
    std::fs::read(path).ok().filter(|bytes| mime(bytes) != UNKNOWN)
}

/// Bytes that are nothing we know.
const UNKNOWN: &str = "application/octet-stream";

fn mime(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'B', b'M', ..] => "image/bmp",
        _ => UNKNOWN,
    }
}
