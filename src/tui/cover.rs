//! Covers in cells: two pixels in each, one above the other.
//!
//! `decode` turns the bytes of a picture into a grid of half blocks (in a worker, never in a frame), and finds
//! the colour that the cover is remembered by. `Covers` keeps what was decoded, by picture and size, and knows
//! what is still wanted. Where there is no picture, a tile of two tones and two letters stands in (`tones`).

use std::collections::HashMap;
use std::sync::Arc;

use super::graphics::{self, Graphics, Picture};
use crate::music::CoverId;

/// A colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// This colour with `part` (0..=1) of another one.
    pub(crate) fn mix(self, other: Self, part: f32) -> Self {
        let mix = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * part).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// Relative luminance, 0..=1 (WCAG 2.2).
    pub(crate) fn luminance(self) -> f32 {
        let linear = |v: u8| {
            let v = f32::from(v) / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// Hue in degrees, saturation and lightness 0..=1.
    pub(crate) fn from_hsl(hue: f32, saturation: f32, lightness: f32) -> Self {
        let a = saturation * lightness.min(1.0 - lightness);
        let channel = |n: f32| {
            let k = (n + hue / 30.0) % 12.0;
            ((lightness - a * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)) * 255.0).round() as u8
        };
        Self(channel(0.0), channel(8.0), channel(4.0))
    }
}

/// A picture in so many cells; each has a colour above and one below.
#[derive(Debug)]
pub struct CoverArt {
    /// Cells in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Row by row.
    pub cells: Vec<(Rgb, Rgb)>,
    /// The colour that the cover is remembered by, if it has one.
    pub accent: Option<Rgb>,
    /// The same with pixels, where the terminal draws them.
    pub(crate) picture: Option<Picture>,
}

/// Reads a picture and makes it fill `width` × `height` cells, cutting what does not fit into the shape.
pub(crate) fn decode(bytes: &[u8], width: u16, height: u16, graphics: Graphics) -> Result<CoverArt, String> {
    use image::imageops::FilterType;

    let mut reader = image::ImageReader::new(std::io::Cursor::new(bytes));
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(8_000);
    limits.max_image_height = Some(8_000);
    limits.max_alloc = Some(256 << 20);
    reader.limits(limits);
    let reader = reader.with_guessed_format().map_err(|e| e.to_string())?;
    let picture = reader.decode().map_err(|e| e.to_string())?;
    let pixels = picture
        .resize_to_fill(u32::from(width.max(1)), u32::from(height.max(1)) * 2, FilterType::Triangle)
        .to_rgb8();
    let at = |x: u16, y: u16| {
        let [r, g, b] = pixels.get_pixel(u32::from(x), u32::from(y)).0;
        Rgb(r, g, b)
    };
    let (width, height) = (width.max(1), height.max(1));
    let cells = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| (at(x, 2 * y), at(x, 2 * y + 1)));
    let cells: Vec<(Rgb, Rgb)> = cells.collect();
    let accent = striking(cells.iter().flat_map(|(a, b)| [*a, *b]));
    let picture = graphics::encode(&picture, width, height, graphics);
    Ok(CoverArt { width, height, cells, accent, picture })
}

/// The colour with the most life in a picture: hues are counted by how vivid they are, the fullest wins.
fn striking(pixels: impl Iterator<Item = Rgb>) -> Option<Rgb> {
    const BINS: usize = 24;
    let mut bins = [[0f32; 4]; BINS];
    let (mut total, mut vivid) = (0f32, 0f32);
    for Rgb(r, g, b) in pixels {
        let [r, g, b] = [r, g, b].map(f32::from);
        let (max, min) = (r.max(g).max(b), r.min(g).min(b));
        let spread = max - min;
        total += 255.0;
        if spread < 24.0 || max < 60.0 {
            continue;
        }
        let hue = if (max - r).abs() < f32::EPSILON {
            ((g - b) / spread).rem_euclid(6.0)
        } else if (max - g).abs() < f32::EPSILON {
            (b - r) / spread + 2.0
        } else {
            (r - g) / spread + 4.0
        };
        let bin = ((hue / 6.0 * BINS as f32) as usize).min(BINS - 1);
        let weight = spread * max / 255.0;
        vivid += weight;
        if let Some(bin) = bins.get_mut(bin) {
            for (sum, value) in bin.iter_mut().zip([r * weight, g * weight, b * weight, weight]) {
                *sum += value;
            }
        }
    }
    if vivid < total * 0.02 {
        return None;
    }
    let [r, g, b, weight] = bins.into_iter().max_by(|a, b| a[3].total_cmp(&b[3]))?;
    (weight > 0.0).then(|| Rgb((r / weight) as u8, (g / weight) as u8, (b / weight) as u8))
}

/// Two quiet tones for a tile without a picture, always the same for the same words.
pub(crate) fn tones(words: &str) -> (Rgb, Rgb) {
    let seed =
        words.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let hue = (seed % 360) as f32;
    (Rgb::from_hsl(hue, 0.28, 0.30), Rgb::from_hsl((hue + 28.0) % 360.0, 0.30, 0.22))
}

/// A picture at a size in cells.
pub(crate) type CoverKey = (CoverId, u16, u16);

/// What is known about one picture.
#[derive(Debug)]
enum Known {
    Asked,
    Here(Arc<CoverArt>),
    Missing,
}

/// Covers that were decoded, are on the way, or cannot be had.
#[derive(Debug, Default)]
pub(crate) struct Covers {
    known: HashMap<CoverKey, (Known, u64)>,
    tick: u64,
}

impl Covers {
    /// Pictures kept at the most; a screen shows far fewer.
    const MAX: usize = 96;

    /// The picture, if it is here.
    pub(crate) fn get(&self, id: &CoverId, width: u16, height: u16) -> Option<&Arc<CoverArt>> {
        match self.known.get(&(id.clone(), width, height)) {
            Some((Known::Here(art), _)) => Some(art),
            _ => None,
        }
    }

    /// Those of `keys` that were never asked for; from now on they were.
    pub(crate) fn want(&mut self, keys: Vec<CoverKey>) -> Vec<CoverKey> {
        self.tick += 1;
        let mut new = Vec::new();
        for key in keys {
            let tick = self.tick;
            let (_, used) = self.known.entry(key).or_insert_with_key(|key| {
                new.push(key.clone());
                (Known::Asked, tick)
            });
            *used = tick;
        }
        while self.known.len() > Self::MAX {
            let oldest = self.known.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            match oldest {
                Some(key) => self.known.remove(&key),
                None => break,
            };
        }
        new
    }

    /// Takes an answer.
    pub(crate) fn put(&mut self, key: CoverKey, art: Option<Arc<CoverArt>>) {
        let tick = self.tick;
        self.known.insert(key, (art.map_or(Known::Missing, Known::Here), tick));
    }

    /// Forgets everything: the terminal may have.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }

    /// Asks again for what could not be had, because the server is back.
    pub(crate) fn retry(&mut self) {
        self.known.retain(|_, (known, _)| !matches!(known, Known::Missing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, color: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
        let picture = image::RgbImage::from_fn(width, height, |x, y| image::Rgb(color(x, y)));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn none() -> Graphics {
        Graphics::default()
    }

    #[test]
    fn a_picture_becomes_half_blocks() {
        let art = decode(&png(64, 64, |_, y| if y < 32 { [255, 0, 0] } else { [0, 0, 255] }), 8, 4, none())
            .unwrap();
        assert_eq!((art.width, art.height, art.cells.len()), (8, 4, 32));
        assert_eq!(art.cells.first(), Some(&(Rgb(255, 0, 0), Rgb(255, 0, 0))));
        assert_eq!(art.cells.last(), Some(&(Rgb(0, 0, 255), Rgb(0, 0, 255))));
        assert!(art.accent.is_some());
    }

    #[test]
    fn a_grey_cover_has_no_accent_and_rubbish_no_picture() {
        assert_eq!(decode(&png(9, 5, |x, _| [x as u8 * 20; 3]), 4, 2, none()).unwrap().accent, None);
        assert!(decode(b"not a picture", 4, 2, none()).is_err());
        assert!(decode(&png(1, 1, |_, _| [1, 2, 3]), 0, 0, none()).is_ok());
    }

    #[test]
    fn what_is_not_used_makes_room() {
        let mut covers = Covers::default();
        let key = |n: usize| (CoverId::new(n.to_string()), 8, 4);
        assert_eq!(covers.want(vec![key(0)]).len(), 1);
        assert!(covers.want(vec![key(0)]).is_empty());
        for n in 1..=Covers::MAX {
            covers.want(vec![key(n)]);
        }
        assert_eq!(covers.known.len(), Covers::MAX);
        assert_eq!(covers.want(vec![key(0)]).len(), 1);
    }
}
