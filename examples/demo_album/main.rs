//! Renders the demo album from its score: `cargo run --release --example demo_album -- assets/demo [--wav]`.
//!
//! Score → instruments → room → master make one continuous recording; it is cut at the pieces' borders, and every
//! part is encoded with the sound on both sides of the cut as run-in and run-out, so that the album has no gaps.

mod cover;
mod mix;
mod opus;
mod score;
mod synth;

use std::error::Error;
use std::io;
use std::path::Path;

const ALBUM: &str = "First Light";
const ARTIST: &str = "Segue House Band";
const BITS_PER_SECOND: u32 = 98_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().ok_or("usage: demo_album DIRECTORY [--wav]")?;
    let dir = Path::new(&dir);
    std::fs::create_dir_all(dir)?;

    let mut stage = synth::Stage::new(score::SECONDS);
    let pieces = score::play(&mut stage);
    let wet = mix::room(&stage.send);
    let mut album = mix::master(&stage.dry, &wet, 1.06);
    let length = frame(pieces.last().map_or(0.0, |piece| piece.to));
    album.truncate(length);
    fade_out(&mut album);
    let loudness = mix::loudness(&album).ok_or("the loudness could not be measured")?;
    println!("album: {:.1} s, {loudness:.1} LUFS", length as f64 / f64::from(opus::RATE));

    let picture = cover::png()?;
    std::fs::write(dir.join("cover.png"), &picture)?;
    let total = pieces.len();
    for (number, piece) in (1_u32..).zip(&pieces) {
        let cut = frame(piece.from)..frame(piece.to).min(album.len());
        let part = album.get(cut.clone()).unwrap_or_default();
        let own = mix::loudness(part).unwrap_or(loudness);
        let tags: Vec<(String, String)> = [
            ("TITLE", piece.title.to_owned()),
            ("ARTIST", ARTIST.to_owned()),
            ("ALBUM", ALBUM.to_owned()),
            ("ALBUMARTIST", ARTIST.to_owned()),
            ("TRACKNUMBER", number.to_string()),
            ("TRACKTOTAL", total.to_string()),
            ("DATE", "2026".to_owned()),
            ("GENRE", piece.genre.to_owned()),
            ("R128_TRACK_GAIN", r128(own)),
            ("R128_ALBUM_GAIN", r128(loudness)),
            ("COMMENT", "Rendered by Segue's examples/demo_album".to_owned()),
            ("METADATA_BLOCK_PICTURE", base64(&picture_block(&picture))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let file = opus::encode(&album, cut, BITS_PER_SECOND, &tags, number)?;
        let name = format!("{number:02} {}.opus", piece.title);
        println!("{name}: {:.1} s, {own:.1} LUFS, {} bytes", part.len() as f64 / 48_000.0, file.len());
        std::fs::write(dir.join(name), file)?;
    }
    if args.next().is_some_and(|arg| arg == "--wav") {
        write_wav(&dir.join("album.wav"), &album)?;
    }
    Ok(())
}

fn frame(seconds: f64) -> usize {
    (seconds * f64::from(opus::RATE)).round() as usize
}

/// The last echo ends in silence and not in a cut.
fn fade_out(album: &mut [[f32; 2]]) {
    let fade = frame(3.0).min(album.len());
    let start = album.len() - fade;
    for (n, frame) in album.iter_mut().skip(start).enumerate() {
        let left = 1.0 - n as f32 / fade as f32;
        *frame = frame.map(|s| s * left * left);
    }
}

/// The gain to −23 LUFS in 256ths of a decibel, as RFC 7845 has it.
fn r128(loudness: f64) -> String {
    (((-23.0 - loudness) * 256.0).round() as i32).to_string()
}

/// A FLAC picture block: front cover, PNG.
fn picture_block(png: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    let number = |n: u32| n.to_be_bytes();
    block.extend(number(3));
    block.extend(number(9));
    block.extend(b"image/png");
    block.extend(number(0));
    for n in [cover::SIZE, cover::SIZE, 24, 0, png.len() as u32] {
        block.extend(number(n));
    }
    block.extend(png);
    block
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(data.len().div_ceil(3) * 4);
    for group in data.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn write_wav(path: &Path, frames: &[[f32; 2]]) -> io::Result<()> {
    let size = (frames.len() * 8) as u32;
    let mut file = Vec::with_capacity(size as usize + 44);
    file.extend(b"RIFF");
    file.extend((36 + size).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x03\0\x02\0");
    file.extend(opus::RATE.to_le_bytes());
    file.extend((opus::RATE * 8).to_le_bytes());
    file.extend(b"\x08\0\x20\0data");
    file.extend(size.to_le_bytes());
    file.extend(frames.iter().flatten().flat_map(|s| s.to_le_bytes()));
    std::fs::write(path, file)
}
