//! 20,000 tracks of a tenth of a second, 2,000 albums with a picture, 500 artists; and an album of long songs.

use std::path::Path;

use lofty::config::WriteOptions;
use lofty::tag::{Accessor as _, ItemKey, Tag, TagExt as _, TagType};

const ALBUMS: u32 = 2_000;
const SONGS: u32 = 10;
const ARTISTS: u32 = 500;
/// Songs that are long enough to be heard for a while.
pub const LONG: usize = 16;
/// Bytes of each: five minutes of 320 kbit/s.
const LONG_BYTES: u32 = 12_000_000;
/// The name of their album.
pub const LONG_ALBUM: &str = "Long Songs";

const WORDS: [&str; 40] = [
    "amber", "anchor", "autumn", "birch", "candle", "canyon", "clay", "copper", "crow", "dawn", "delta",
    "dust", "echo", "ember", "fable", "fern", "frost", "garden", "glass", "harbour", "hollow", "iron",
    "island", "juniper", "lantern", "linen", "marble", "meadow", "mirror", "moss", "north", "orchard",
    "paper", "quiet", "river", "salt", "shadow", "silver", "thunder", "willow",
];

/// Writes all of it.
pub fn make(music: &Path) {
    make_some(music, ALBUMS);
}

/// Writes so many of the albums, and the long songs.
pub fn make_some(music: &Path, albums: u32) {
    std::fs::create_dir_all(music).unwrap();
    let cover = music.join("cover.jpg");
    image::RgbImage::from_fn(600, 600, |x, y| {
        image::Rgb([(x / 3) as u8, (y / 3) as u8, ((x ^ y) & 255) as u8])
    })
    .save(&cover)
    .unwrap();
    let short: Vec<u8> = (0..1600_u32).map(|n| (n * 7 % 251) as u8).collect();
    for album in 0..albums {
        let artist =
            format!("{} and the {} {}", word(album % ARTISTS), word(album % ARTISTS / 7), album % ARTISTS);
        let title = format!("{} {} {album}", word(album * 3), word(album / 40));
        let folder = music.join(format!("{}/{album}", album % ARTISTS));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::hard_link(&cover, folder.join("cover.jpg")).unwrap();
        for song in 1..=SONGS {
            let name = format!(
                "{} {} {}",
                word(album * SONGS + song),
                word(song * 5 + album / 3),
                album * SONGS + song
            );
            write(&folder.join(format!("{song}.wav")), &short, &name, &artist, &title, song);
        }
    }
    let folder = music.join("long");
    std::fs::create_dir_all(&folder).unwrap();
    let long: Vec<u8> = (0..LONG_BYTES).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for song in 0..LONG {
        let file = folder.join(format!("{song}.wav"));
        write(&file, &long, &format!("Long {song}"), "Guido", LONG_ALBUM, song as u32 + 1);
    }
}

fn word(n: u32) -> &'static str {
    WORDS[n as usize % WORDS.len()]
}

fn write(file: &Path, samples: &[u8], title: &str, artist: &str, album: &str, number: u32) {
    let length = samples.len() as u32;
    let mut wav = Vec::with_capacity(samples.len() + 44);
    wav.extend(b"RIFF");
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    for field in [16_u32, 1 | 1 << 16, 20_000, 40_000, 2 | 16 << 16] {
        wav.extend(field.to_le_bytes());
    }
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.extend(samples);
    std::fs::write(file, wav).unwrap();
    let mut tag = Tag::new(TagType::Id3v2);
    tag.set_title(title.to_owned());
    tag.set_artist(artist.to_owned());
    tag.set_album(album.to_owned());
    tag.set_genre("Rock".to_owned());
    tag.set_track(number);
    tag.insert_text(ItemKey::AlbumArtist, artist.to_owned());
    tag.save_to_path(file, WriteOptions::default()).unwrap();
}
