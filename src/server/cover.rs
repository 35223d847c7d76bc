//! `getCoverArt`: pictures in the size that a client asks for.
//!
//! The original comes from the library. A smaller one is made off the async threads, a few at a time, with limits
//! that no picture can get around, and kept in a folder that never grows past its limit. Nothing is made larger.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageReader, Limits};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::kept::Kept;
use super::scan::fenced;
use crate::subsonic::auth::hex;

/// The longest side that is ever made, in pixels.
pub(crate) const LARGEST: u32 = 1500;
/// The longest side that is ever decoded, in pixels.
const LARGEST_DECODED: u32 = 12_000;
/// The most pixels that are ever decoded.
const MOST_PIXELS: u64 = 50_000_000;
/// Memory that one decoder may take, in bytes.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// What the folder of made pictures may hold, in bytes.
const CACHE_LIMIT: u64 = 256 * 1024 * 1024;
/// Pictures made at once.
const MAKERS: usize = 2;
const JPEG_QUALITY: u8 = 88;

/// What is kept in memory, in bytes: some thousand small pictures.
const MEMORY_LIMIT: u64 = 32 * 1024 * 1024;
/// What a picture in memory takes beside its bytes, about.
const OVERHEAD: u64 = 512;

/// A picture as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) bytes: Bytes,
    pub(crate) mime: &'static str,
    /// Strong `ETag` with its quotes.
    pub(crate) etag: Arc<str>,
}

impl Picture {
    /// Of this id in this size; `None` as it is.
    pub(crate) fn new(id: &str, size: Option<u32>, bytes: Bytes, mime: &'static str) -> Self {
        let etag = format!("\"{}-{}\"", hex(id.as_bytes()), size.unwrap_or(0)).into();
        Self { bytes, mime, etag }
    }
}

/// Makes and keeps smaller pictures.
pub(crate) struct Covers {
    folder: PathBuf,
    /// Pictures that are ready to be sent, by id and size. An id is made from the content, so none goes stale.
    ready: Kept<(String, Option<u32>), Picture>,
    makers: Semaphore,
    /// Bytes in the folder, counted once and then kept up to date.
    used: Mutex<Option<u64>>,
}

impl Covers {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            ready: Kept::new(MEMORY_LIMIT),
            makers: Semaphore::new(MAKERS),
            used: Mutex::new(None),
        }
    }

    /// The file of a made picture.
    fn file(&self, id: &str, size: u32) -> PathBuf {
        self.folder.join(format!("{}-{}", hex(&Sha256::digest(id)), size.clamp(1, LARGEST)))
    }

    /// The picture in this size, where it was made before; without a size as it is, where it is still in memory.
    pub(crate) async fn made(&self, id: &str, size: Option<u32>) -> Option<Picture> {
        let key = (id.to_owned(), size);
        if let Some(ready) = self.ready.get(&key) {
            return Some(ready);
        }
        let bytes = tokio::fs::read(self.file(id, size?)).await.ok()?;
        let mime = mime_of(&bytes)?;
        Some(self.ready(key, Picture::new(id, size, bytes.into(), mime)))
    }

    fn ready(&self, key: (String, Option<u32>), picture: Picture) -> Picture {
        let cost = picture.bytes.len() as u64 + OVERHEAD;
        self.ready.put(key, picture.clone(), cost);
        picture
    }

    /// The picture with its longer side at most `size`; the original where it is small enough, or where it
    /// cannot be decoded within the limits.
    pub(crate) async fn sized(self: &Arc<Self>, id: &str, original: Picture, size: Option<u32>) -> Picture {
        let key = (id.to_owned(), size);
        let Some(size) = size.map(|size| size.clamp(1, LARGEST)) else { return self.ready(key, original) };
        let file = self.file(id, size);
        let Ok(_permit) = self.makers.acquire().await else { return original };
        // Somebody else may have made it meanwhile.
        if let Some(ready) = self.ready.get(&key) {
            return ready;
        }
        let covers = Arc::clone(self);
        let source = original.bytes.clone();
        let made = tokio::task::spawn_blocking(move || {
            // A decoder that panics over a broken picture is stopped here, quietly.
            let bytes = fenced(|| Ok(shrink(&source, size))).unwrap_or_else(|why| {
                tracing::warn!(why, "a picture broke its decoder");
                None
            })?;
            covers.keep(&file, &bytes);
            Some(bytes)
        });
        let picture = match made.await {
            Ok(Some(bytes)) => {
                let mime = mime_of(&bytes).unwrap_or("image/jpeg");
                Picture::new(id, key.1, bytes.into(), mime)
            }
            Ok(None) => original,
            Err(error) => {
                tracing::warn!(%error, "a picture could not be made");
                return original;
            }
        };
        self.ready(key, picture)
    }

    /// Writes a made picture under another name first, and makes room when the folder is full.
    fn keep(&self, file: &Path, bytes: &[u8]) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let wrote = std::fs::create_dir_all(&self.folder).and_then(|()| {
            let draft = file.with_extension("new");
            std::fs::write(&draft, bytes)?;
            std::fs::rename(&draft, file)
        });
        if let Err(error) = wrote {
            tracing::warn!(%error, "a made picture could not be kept");
            return;
        }
        let now = match *used {
            Some(used) => used + bytes.len() as u64,
            None => size_of_all(&self.folder),
        };
        *used = Some(if now > CACHE_LIMIT { make_room(&self.folder, CACHE_LIMIT / 4 * 3) } else { now });
    }
}

/// A smaller picture, or `None` when it need not or cannot be made.
pub(crate) fn shrink(original: &[u8], size: u32) -> Option<Vec<u8>> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_DECODED);
    limits.max_image_height = Some(LARGEST_DECODED);
    limits.max_alloc = Some(MOST_MEMORY);
    let reader = || {
        let mut reader = ImageReader::new(Cursor::new(original)).with_guessed_format().ok()?;
        reader.limits(limits.clone());
        Some(reader)
    };
    let (width, height) = reader()?.into_dimensions().ok()?;
    let fits = u64::from(width) * u64::from(height) <= MOST_PIXELS;
    if !fits || width.max(height) <= size {
        return None;
    }
    let small = reader()?.decode().ok()?.resize(size, size, FilterType::Triangle);
    let mut bytes = Vec::new();
    if small.color().has_alpha() {
        DynamicImage::from(small.to_rgba8()).write_with_encoder(PngEncoder::new(&mut bytes)).ok()?;
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        DynamicImage::from(small.to_rgb8()).write_with_encoder(encoder).ok()?;
    }
    Some(bytes)
}

/// The type of a picture by its first bytes; `None` for anything that is no picture we know.
pub(crate) fn mime_of(bytes: &[u8]) -> Option<&'static str> {
    match image::guess_format(bytes).ok()? {
        image::ImageFormat::Jpeg => Some("image/jpeg"),
        image::ImageFormat::Png => Some("image/png"),
        image::ImageFormat::WebP => Some("image/webp"),
        image::ImageFormat::Gif => Some("image/gif"),
        _ => None,
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((entry.path(), metadata.len(), metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)))
        })
        .collect()
}

fn size_of_all(folder: &Path) -> u64 {
    files(folder).iter().map(|(_, size, _)| size).sum()
}

/// Removes the oldest pictures until `goal` bytes are left, and gives what is left.
fn make_room(folder: &Path, goal: u64) -> u64 {
    let mut files = files(folder);
    files.sort_by_key(|(_, _, modified)| *modified);
    let mut used: u64 = files.iter().map(|(_, size, _)| size).sum();
    for (path, size, _) in files {
        if used <= goal {
            break;
        }
        if std::fs::remove_file(path).is_ok() {
            used -= size;
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use image::{GenericImageView as _, RgbImage, RgbaImage};

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        DynamicImage::from(RgbImage::new(width, height))
            .write_with_encoder(PngEncoder::new(&mut bytes))
            .unwrap();
        bytes
    }

    fn picture(bytes: Vec<u8>) -> Picture {
        let mime = mime_of(&bytes).unwrap_or("application/octet-stream");
        Picture::new("original", None, bytes.into(), mime)
    }

    #[tokio::test]
    async fn the_longer_side_fits_and_nothing_grows() {
        let folder = tempfile::tempdir().unwrap();
        let covers = Arc::new(Covers::new(folder.path().join("covers")));
        let small = covers.sized("a", picture(png(400, 200)), Some(100)).await;
        assert_eq!(small.mime, "image/jpeg");
        assert_eq!(image::load_from_memory(&small.bytes).unwrap().dimensions(), (100, 50));
        assert_eq!(covers.made("a", Some(100)).await.unwrap().bytes, small.bytes);
        let later = Covers::new(folder.path().join("covers"));
        assert_eq!(later.made("a", Some(100)).await.unwrap().bytes, small.bytes, "from its file");
        assert!(
            covers.made("a", Some(101)).await.is_none() && covers.made("../a", Some(100)).await.is_none()
        );
        assert_eq!(std::fs::read_dir(folder.path().join("covers")).unwrap().count(), 1);

        let whole = covers.sized("b", picture(png(400, 200)), Some(999_999_999)).await;
        assert_eq!(whole.bytes, png(400, 200));
        let dot = covers.sized("b", picture(png(400, 200)), Some(0)).await;
        assert_eq!(image::load_from_memory(&dot.bytes).unwrap().width(), 1);
    }

    #[tokio::test]
    async fn transparency_stays_and_broken_pictures_pass_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let covers = Arc::new(Covers::new(folder.path().to_owned()));
        let mut bytes = Vec::new();
        DynamicImage::from(RgbaImage::new(64, 64)).write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
        assert_eq!(covers.sized("b", picture(bytes), Some(16)).await.mime, "image/png");
        let broken = covers.sized("b", picture(b"\x89PNG\r\n\x1a\nnot really".to_vec()), Some(16)).await;
        assert_eq!(&broken.bytes[..4], b"\x89PNG");
    }

    #[test]
    fn a_bomb_is_not_decoded() {
        // A valid head that promises 60,000 × 60,000 pixels.
        let mut bomb = png(1, 1);
        bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        assert_eq!(shrink(&bomb, 100), None);
    }

    #[test]
    fn the_oldest_go_when_the_folder_is_full() {
        let folder = tempfile::tempdir().unwrap();
        for (name, age) in [("old", 300), ("older", 600), ("new", 0)] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_len(100).unwrap();
            file.set_modified(SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
        }
        assert_eq!(make_room(folder.path(), 150), 100);
        assert!(folder.path().join("new").exists());
    }
}
