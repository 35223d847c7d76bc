//! Cover art by its id: the original bytes, from wherever one of its copies lies.

use super::tags;
use crate::{
    catalog::{Catalog, CatalogError, FileKind, FileRow},
    music::CoverId,
    server::storage::{Source, Storage, Trouble},
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

/// Reads a picture out of a folder; `None` when no file holds it any more.
pub async fn cover(catalog: &Catalog, id: &CoverId) -> Result<Option<Cover>, CatalogError> {
    Ok(cover_in(&Storage::default(), catalog, id).await?.unwrap_or(None))
}

/// Reads a picture out of a folder or a store. The inner error is why a store did not give what may hold it.
pub(in crate::server) async fn cover_in(
    storage: &Storage,
    catalog: &Catalog,
    id: &CoverId,
) -> Result<Result<Option<Cover>, Trouble>, CatalogError> {
    let files = catalog.files_with_cover(id).await?;
    let (storage, id) = (storage.clone(), id.clone());
    let found = tokio::task::spawn_blocking(move || find(&storage, &files, &id)).await.unwrap_or(Ok(None));
    Ok(found.map(|found| found.map(|bytes| Cover { mime: mime(&bytes), bytes })))
}

fn find(storage: &Storage, files: &[FileRow], id: &CoverId) -> Result<Option<Vec<u8>>, Trouble> {
    let mut trouble = None;
    for file in files {
        let source = storage.source(&file.path, file.size, file.modified_ms, file.etag.as_deref());
        let bytes = match file.kind {
            // A file may have changed since it was scanned: the hash decides.
            FileKind::Image => image(&source).filter(|bytes| tags::cover_id(bytes) == *id),
            FileKind::Audio => tags::picture(&source, id),
            FileKind::Lyrics | FileKind::Playlist | FileKind::Rules | FileKind::Cue => None,
        };
        if bytes.is_some() {
            return Ok(bytes);
        }
        trouble = source.trouble().filter(Trouble::of_store).or(trouble);
    }
    trouble.map_or(Ok(None), Err)
}

/// The bytes of a picture file of a sensible size. A file that is called like a picture, or a link that is, may be anything: what
/// does not begin like a picture is none.
pub(super) fn image(source: &Source) -> Option<Vec<u8>> {
    let size = source.open().ok()?.length().ok()?;
    if size == 0 || size > LARGEST {
        return None;
    }
    source.read(LARGEST).ok().filter(|bytes| mime(bytes) != UNKNOWN)
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
