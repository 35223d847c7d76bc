//! `getAvatar`: a picture for an account, drawn from its name, so that clients have something to tell listeners apart by
//! and nobody has to upload a face.

use bytes::Bytes;
use image::{ImageFormat, Rgb, RgbImage};
use sha2::{Digest as _, Sha256};

/// Fields on a side; the left half is mirrored.
const FIELDS: u32 = 5;
/// Pixels of a field and of the margin.
const FIELD: u32 = 40;
const MARGIN: u32 = 20;

/// A PNG of 240 × 240 pixels that is always the same for a name.
pub(crate) fn draw(name: &str) -> Result<Bytes, image::ImageError> {
    let digest: [u8; 32] = Sha256::digest(name).into();
    let ground = Rgb([0x1c, 0x1f, 0x26]);
    // Bright enough on the dark ground whatever the digest says.
    let ink = Rgb([0x70 | digest[0] >> 1, 0x70 | digest[1] >> 1, 0x70 | digest[2] >> 1]);
    let side = FIELDS * FIELD + 2 * MARGIN;
    let picture = RgbImage::from_fn(side, side, |x, y| {
        let (Some(x), Some(y)) = (x.checked_sub(MARGIN), y.checked_sub(MARGIN)) else { return ground };
        let (column, row) = (x / FIELD, y / FIELD);
        if column >= FIELDS || row >= FIELDS {
            return ground;
        }
        let mirrored = column.min(FIELDS - 1 - column);
        let byte = digest[3 + (row * FIELDS.div_ceil(2) + mirrored) as usize];
        if byte & 1 == 1 { ink } else { ground }
    });
    let mut out = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut out, ImageFormat::Png)?;
    Ok(Bytes::from(out.into_inner()))
}
