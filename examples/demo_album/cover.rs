//! The cover: a sun that rises behind hills, in flat colours as of a print.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

/// Edge length in pixels.
pub(crate) const SIZE: u32 = 640;

/// The cover as a PNG file.
pub(crate) fn png() -> image::ImageResult<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    RgbImage::from_fn(SIZE, SIZE, pixel).write_to(&mut file, ImageFormat::Png)?;
    Ok(file.into_inner())
}

/// Four looks at each pixel smooth the edges.
fn pixel(x: u32, y: u32) -> Rgb<u8> {
    let mut sum = [0.0; 3];
    for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
        let size = f64::from(SIZE);
        let colour = look((f64::from(x) + dx) / size, (f64::from(y) + dy) / size);
        for (s, c) in sum.iter_mut().zip(colour) {
            *s += c / 4.0;
        }
    }
    Rgb(sum.map(|c| c.round() as u8))
}

fn look(x: f64, y: f64) -> [f64; 3] {
    // Hills, the nearest first: height of the ridge and colour.
    let ridges = [
        (0.90 + 0.030 * (x * 5.1 + 0.6).sin() - 0.050 * (x * 2.0).cos(), [24.0, 30.0, 56.0]),
        (0.80 + 0.035 * (x * 6.3 + 2.4).sin() + 0.020 * (x * 13.0).sin(), [44.0, 46.0, 84.0]),
        (0.71 + 0.040 * (x * 4.2 + 4.3).sin() + 0.012 * (x * 17.0 + 1.0).sin(), [82.0, 68.0, 110.0]),
        (0.64 + 0.030 * (x * 3.1 + 0.2).sin() + 0.008 * (x * 23.0).sin(), [128.0, 90.0, 126.0]),
    ];
    for (ridge, colour) in ridges {
        if y > ridge {
            return colour;
        }
    }
    let (dx, dy) = (x - 0.5, y - 0.56);
    let far = dx.hypot(dy);
    if far < 0.165 {
        return [255.0, 226.0, 160.0];
    }
    // Rings of light around the sun, each a step deeper into the night.
    let sky = [
        (0.24, [250.0, 190.0, 138.0]),
        (0.32, [240.0, 160.0, 132.0]),
        (0.41, [216.0, 132.0, 136.0]),
        (0.51, [176.0, 108.0, 140.0]),
        (0.62, [130.0, 90.0, 138.0]),
        (0.73, [92.0, 76.0, 128.0]),
    ];
    sky.iter().find(|(edge, _)| far < *edge).map_or([64.0, 62.0, 112.0], |(_, colour)| *colour)
}
