//! Readers of what strangers send, fed with inputs that are nearly right: seeds, changed a little again and again. What takes a new
//! way through a reader is changed further. `cargo test` runs a few thousand cases of each, always the same; for longer, and
//! with others each time:
//!
//! ```text
//! SEGUE_FUZZ_SECONDS=600 cargo test --release --test fuzzing -- --nocapture query
//! ```
//!
//! `tests/fuzz` has the same readers for `cargo fuzz`, which sees into them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests fail by panicking")]

use std::collections::HashSet;
use std::io::{Seek as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use segue::server::fuzz;

/// Inputs grow to this many bytes at most.
const LONGEST: usize = 64 * 1024;
/// Inputs that are worth changing further.
const MOST: usize = 4096;

/// Feeds a reader until it has seen enough. An input that breaks it is kept in a file.
fn feed(name: &str, cases: usize, seeds: &[&[u8]], words: &[&[u8]], mut read: impl FnMut(&[u8]) -> u64) {
    let seconds = std::env::var("SEGUE_FUZZ_SECONDS").ok().map(|text| text.parse().unwrap());
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let start: u64 = if end.is_some() { rand::random() } else { 1 };
    let mut random = StdRng::seed_from_u64(start);
    let mut pool: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    let mut ways: HashSet<u64> = HashSet::new();
    let mut case = 0_usize;
    loop {
        let enough = end.map_or(case >= cases, |end| Instant::now() >= end);
        if enough && case >= seeds.len() {
            break;
        }
        let input = if case < seeds.len() { pool[case].clone() } else { changed(&mut random, &pool, words) };
        if let Ok(way) = catch_unwind(AssertUnwindSafe(|| read(&input))) {
            if ways.insert(way) && case >= seeds.len() {
                if pool.len() >= MOST {
                    let at = random.random_range(seeds.len()..pool.len());
                    pool.swap_remove(at);
                }
                pool.push(input);
            }
        } else {
            let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{start}-{case}"));
            std::fs::write(&file, &input).unwrap();
            panic!("{name} broke at case {case} of {start}: {}", file.display());
        }
        case += 1;
    }
    assert!(ways.len() > 1, "{name}: every input went the same way, so nothing was tried");
    if end.is_some() {
        eprintln!("{name}: {case} cases, {} ways, none broke", ways.len());
    }
}

/// One of the pool with one to five changes.
fn changed(random: &mut StdRng, pool: &[Vec<u8>], words: &[&[u8]]) -> Vec<u8> {
    let mut input = pool[random.random_range(0..pool.len())].clone();
    for _ in 0..random.random_range(1..=5) {
        let at = random.random_range(0..=input.len());
        let length = random.random_range(0..=(input.len() - at).min(64));
        match random.random_range(0..8) {
            0 if at < input.len() => input[at] ^= 1 << random.random_range(0..8),
            1 if at < input.len() => {
                input[at] =
                    *[0, 1, 0x7f, 0x80, 0xff, b'\n', b' ', b'0'].get(random.random_range(0..8)).unwrap();
            }
            2 => drop(input.drain(at..at + length)),
            3 => {
                let again = input[at..at + length].repeat(random.random_range(1..4));
                input.splice(at..at, again);
            }
            4 | 5 => {
                let word = words[random.random_range(0..words.len())];
                let over = random.random_range(0..=word.len().min(input.len() - at));
                input.splice(at..at + over, word.iter().copied());
            }
            6 => {
                let other = &pool[random.random_range(0..pool.len())];
                let from = random.random_range(0..=other.len());
                let to = random.random_range(from..=other.len().min(from + 512).max(from));
                input.splice(at..at + length, other[from..to].iter().copied());
            }
            _ => input.truncate(at),
        }
    }
    input.truncate(LONGEST);
    input
}

#[test]
fn query() {
    let seeds: [&[u8]; 5] = [
        b"u=ann&p=enc:73657361&v=1.16.1&c=app&f=json&id=1",
        b"apiKey=abc&size=500&offset=-1&type=byYear&fromYear=1990",
        b"f=jsonp&callback=a.b_c$&submission=true&time=1700000000000&id=a&id=b",
        b"u=%E2%82%AC+x&t=26719a1196d2a940705a59634eb18eab&s=c19b2d&estimateContentLength=1",
        b"transcodeParams=opus-128&maxBitRate=320&timeOffset=12.5&musicFolderId=1",
    ];
    let words: [&[u8]; 16] = [
        b"&",
        b"=",
        b"%",
        b"%00",
        b"%zz",
        b"+",
        b"callback",
        b"f=jsonp",
        b"enc:",
        b"true",
        b"-1",
        b"1e309",
        b"NaN",
        b"mp3-320",
        b"99999999999999999999",
        "ü".as_bytes(),
    ];
    feed("query", 3000, &seeds, &words, fuzz::query);
}

#[test]
fn ranges() {
    let seeds: [&[u8]; 5] = [
        b"10000\nbytes=0-499\n\n\n",
        b"1\nbytes=-1\n\"5a-1\"\n\n",
        b"0\nbytes=0-\nSun, 06 Nov 1994 08:49:37 GMT\nW/\"5a-1\", \"x\"\n",
        b"18446744073709551615\nbytes=18446744073709551614-18446744073709551615\n",
        b"7\nbytes=1-2,3-4\n\n*\nSunday, 06-Nov-94 08:49:37 GMT",
    ];
    let words: [&[u8]; 14] = [
        b"bytes=",
        b"-",
        b",",
        b"=",
        b"0",
        b"9999999999999999999999",
        b"\"5a-1\"",
        b"W/",
        b"*",
        b"\n",
        b" ",
        b"Sun, 06 Nov 1994 08:49:37 GMT",
        b"-0",
        b"+1",
    ];
    feed("ranges", 3000, &seeds, &words, fuzz::ranges);
}

#[test]
fn lyrics() {
    let seeds: [&[u8]; 5] = [
        b"[ti:A Song]\n[ar:Somebody]\n[offset:+250]\n[00:01.00]First\n[00:02.50][00:10]Again",
        b"[00:01.00]<00:01.00>word <00:01.50>by <00:02.00>word<00:02.40>\r\n[00:03]\r\n",
        b"plain words\n\nwithout any time",
        b"\xff\xfe[\x000\x000\x00:\x000\x001\x00]\x00h\x00i\x00",
        "\u{feff}[01:02.345]日本語の歌詞\n[99:59.99]end".as_bytes(),
    ];
    let words: [&[u8]; 14] = [
        b"[",
        b"]",
        b"<",
        b">",
        b"[00:00.00]",
        b"<00:00.00>",
        b"[offset:-99999999999]",
        b"[999999999:59.999]",
        b":",
        b".",
        b"\r",
        b"\n",
        "é".as_bytes(),
        b"\xff\xfe",
    ];
    feed("lyrics", 3000, &seeds, &words, fuzz::lyrics);
}

#[test]
fn cue() {
    let seeds: [&[u8]; 5] = [
        b"REM DATE 1998\nPERFORMER \"A\"\nTITLE \"B\"\nFILE \"x.wav\" WAVE\n TRACK 01 AUDIO\n  INDEX 01 00:00:00\n TRACK 02 AUDIO\n  INDEX 00 01:00:00\n  INDEX 01 01:02:03",
        b"\xef\xbb\xbfFILE x.flac WAVE\r\nTRACK 1 AUDIO\r\nTITLE 7\" Mix\r\nREM REPLAYGAIN_TRACK_GAIN -6.5 dB\r\nISRC GBAYE9800001\r\nINDEX 01 0:0:0\r\n",
        b"FILE \"1.wav\" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 03:00:00\nFILE \"2.wav\" WAVE\nINDEX 01 00:00:00",
        b"\xff\xfeF\0I\0L\0E\0 \0x\0 \0W\0\n\0T\0R\0A\0C\0K\0 \x001\0\n\0I\0N\0D\0E\0X\0 \x001\0 \x000\0:\x000\0:\x000\0",
        b"PERFORMER \"Bj\xf6rk \x96 Live\"\nFILE \"x\" MP3\nTRACK 99 MODE1/2352\nTRACK 100 AUDIO\nINDEX 01 999999:59:74",
    ];
    let words: [&[u8]; 18] = [
        b"FILE ",
        b"TRACK ",
        b"INDEX 01 ",
        b"INDEX 00 ",
        b" AUDIO",
        b"TITLE ",
        b"REM ",
        b"REPLAYGAIN_ALBUM_PEAK ",
        b"\"",
        b"\n",
        b"\r",
        b":",
        b"00:00:01",
        b"99:59:74",
        b"18446744073709551615",
        b"../",
        b"C:\\",
        b"\xff\xfe",
    ];
    feed("cue", 3000, &seeds, &words, fuzz::cue);
}

#[test]
fn m3u() {
    let seeds: [&[u8]; 4] = [
        b"#EXTM3U\n#PLAYLIST: Sunday\n#EXTINF:123,A - B\n../a/One.mp3\n/abs/Two.mp3\n",
        b"\xef\xbb\xbfb\\Three.mp3\r\nfile:///abs/F%6fur.mp3\r\nhttp://radio.example/live\r\n",
        b"caf\xe9.mp3\n100%.mp3\n%zz%2e%2e%2fx.mp3\n",
        b"./../../../../../etc/passwd\nfile://localhost/x\n\n#\n",
    ];
    let words: [&[u8]; 14] = [
        b"/",
        b"\\",
        b"..",
        b"./",
        b"%2f",
        b"%00",
        b"%",
        b"file://",
        b"://",
        b"#PLAYLIST:",
        b"\n",
        b"\r",
        b"\xef\xbb\xbf",
        b"\xe9",
    ];
    feed("m3u", 3000, &seeds, &words, fuzz::m3u);
}

#[test]
fn tags() {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let made: Vec<Vec<u8>> = files::all();
    let seeds: Vec<&[u8]> = made.iter().map(Vec::as_slice).collect();
    let words: [&[u8]; 18] = [
        b"ID3",
        b"\x04\0",
        b"APIC",
        b"TXXX",
        b"USLT",
        b"SYLT",
        b"TIT2",
        b"\x7f\x7f\x7f\x7f",
        b"\xff\xff\xff\xff",
        b"fLaC",
        b"OggS",
        b"RIFF",
        b"LIST",
        b"INFO",
        b"image/png\0",
        b"moov",
        b"udta",
        b"\0\0\0\0",
    ];
    let file = std::cell::RefCell::new(std::fs::File::create(folder.path().join("x.bin")).unwrap());
    let path = folder.path().join("x.bin");
    // A panic of the library that reads is caught and becomes a broken file, so it is no news here.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !segue::server::scan::in_fence() {
            hook(info);
        }
    }));
    feed("tags", 1500, &seeds, &words, |bytes| {
        let mut file = file.borrow_mut();
        file.set_len(0).unwrap();
        file.rewind().unwrap();
        file.write_all(bytes).unwrap();
        let begun = Instant::now();
        let mut way = 0;
        let taken = allocation_counter::measure(|| way = fuzz::tags(&path));
        assert!(taken.bytes_max < 64 << 20, "{} bytes of memory", taken.bytes_max);
        // Not a claim about speed: an input of 64 KiB that keeps a reader for so long hangs it.
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        way
    });
}

/// The most memory that something takes, bytes.
fn memory(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).bytes_max
}

#[test]
fn picture() {
    use image::ImageFormat::{Gif, Jpeg, Png, WebP};
    let made = [Gif, Jpeg, Png, WebP].map(|format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_fn(70, 60, |x, y| image::Rgb([x as u8, y as u8, 9]));
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    });
    let seeds: Vec<&[u8]> = made.iter().map(Vec::as_slice).collect();
    let words: [&[u8]; 8] =
        [b"IHDR", b"IDAT", b"\xff\xc0", b"\xff\xda", b"\0\0\x40\0", b"\xff\xff", b"VP8L", b"GIF89a"];
    feed("picture", 300, &seeds, &words, |bytes| {
        let mut way = 0;
        let taken = memory(|| way = fuzz::picture(bytes));
        assert!(taken < 512 << 20, "{taken} bytes of memory");
        way
    });
}

/// Files that promise much more than they hold, or hold much more than they are long.
#[test]
fn bombs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.mp3");
    for (name, bomb) in files::bombs() {
        std::fs::write(&path, &bomb).unwrap();
        let taken = memory(|| _ = fuzz::tags(&path));
        assert!(taken < 64 << 20, "{name}: {taken} bytes of memory for {} of file", bomb.len());
        let taken = memory(|| _ = fuzz::picture(&bomb));
        assert!(taken < 64 << 20, "{name} as a picture: {taken} bytes of memory");
    }
}

/// Small music files with tags of every kind.
mod files {
    use lofty::config::WriteOptions;
    use lofty::picture::{MimeType, Picture, PictureType};
    use lofty::tag::{Accessor as _, ItemKey, Tag, TagExt as _, TagType};

    fn wav() -> Vec<u8> {
        let mut wav = Vec::new();
        wav.extend(b"RIFF");
        wav.extend((36 + 1600_u32).to_le_bytes());
        wav.extend(b"WAVEfmt ");
        for field in [16_u32, 1 | 1 << 16, 8000, 16_000, 2 | 16 << 16] {
            wav.extend(field.to_le_bytes());
        }
        wav.extend(b"data");
        wav.extend(1600_u32.to_le_bytes());
        wav.resize(wav.len() + 1600, 7);
        wav
    }

    /// Frames of silence of MPEG 1 layer III, 32 kbit/s, 44.1 kHz, mono.
    fn mp3() -> Vec<u8> {
        let mut frame = vec![0xff, 0xfb, 0x10, 0xc4];
        frame.resize(104, 0);
        frame.repeat(20)
    }

    /// A stream of FLAC that is nothing but its description, and so many bytes of something.
    fn flac() -> Vec<u8> {
        let mut flac = b"fLaC\x80\0\0\x22\x10\0\x10\0\0\0\0\0\0\0\x0a\xc4\x42\xf0\0\0\xac\x44".to_vec();
        flac.resize(42, 0);
        flac.extend([0xff, 0xf8, 0x69, 0x18, 0, 0, 0xbf]);
        flac.resize(300, 0);
        flac
    }

    fn tagged(bytes: &[u8], suffix: &str, kind: TagType) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("x.{suffix}"));
        std::fs::write(&file, bytes).unwrap();
        let mut tag = Tag::new(kind);
        tag.set_title("Sweep".to_owned());
        tag.set_artist("Ann & Bob".to_owned());
        tag.set_album("Lines".to_owned());
        tag.set_genre("Rock; Pop".to_owned());
        tag.set_track(3);
        tag.insert_text(ItemKey::RecordingDate, "2001-02-03".to_owned());
        tag.insert_text(ItemKey::ReplayGainTrackGain, "-6.5 dB".to_owned());
        tag.insert_text(ItemKey::UnsyncLyrics, "[00:01.00]la\n[00:02.00]la".to_owned());
        tag.push_picture(
            Picture::unchecked(b"\x89PNG\r\n\x1a\nnot much of one".to_vec())
                .pic_type(PictureType::CoverFront)
                .mime_type(MimeType::Png)
                .build(),
        );
        tag.save_to_path(&file, WriteOptions::default()).unwrap();
        std::fs::read(file).unwrap()
    }

    pub(crate) fn all() -> Vec<Vec<u8>> {
        vec![
            wav(),
            mp3(),
            flac(),
            tagged(&wav(), "wav", TagType::Id3v2),
            tagged(&wav(), "wav", TagType::RiffInfo),
            tagged(&mp3(), "mp3", TagType::Id3v2),
            tagged(&mp3(), "mp3", TagType::Ape),
            tagged(&mp3(), "mp3", TagType::Id3v1),
            tagged(&flac(), "flac", TagType::VorbisComments),
        ]
    }

    /// Bytes as `ID3v2` counts: seven bits each.
    fn seven_bits(n: u32) -> [u8; 4] {
        [n >> 21 & 0x7f, n >> 14 & 0x7f, n >> 7 & 0x7f, n & 0x7f].map(|byte| byte as u8)
    }

    fn id3(frames: &[u8]) -> Vec<u8> {
        let mut file = b"ID3\x04\0\0".to_vec();
        file.extend(seven_bits(frames.len() as u32));
        file.extend(frames);
        file.extend(mp3());
        file
    }

    /// So many zeros as a stream of zlib: the data of a picture that is all black.
    fn zeros(side: u32) -> Vec<u8> {
        let mut png = std::io::Cursor::new(Vec::new());
        image::GrayImage::new(side, side).write_to(&mut png, image::ImageFormat::Png).unwrap();
        let (png, mut at, mut stream) = (png.into_inner(), 8, Vec::new());
        while at + 8 <= png.len() {
            let length = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
            if &png[at + 4..at + 8] == b"IDAT" {
                stream.extend(&png[at + 8..at + 8 + length]);
            }
            at += 12 + length;
        }
        stream
    }

    pub(crate) fn bombs() -> Vec<(&'static str, Vec<u8>)> {
        let mut all = Vec::new();
        // 144 MB of zeros in a frame that is compressed.
        let stream = zeros(12_000);
        let mut frame = b"TXXX".to_vec();
        frame.extend(seven_bits(stream.len() as u32 + 4));
        frame.extend([0, 0x09]);
        frame.extend(seven_bits(144_012_000));
        frame.extend(&stream);
        all.push(("a compressed frame", id3(&frame)));
        let mut frame = b"APIC".to_vec();
        frame.extend(seven_bits(stream.len() as u32 + 4));
        frame.extend([0, 0x09]);
        frame.extend(seven_bits(100));
        frame.extend(&stream);
        all.push(("a compressed picture with a wrong length", id3(&frame)));
        let mut frame = b"APIC".to_vec();
        frame.extend(seven_bits(0x0fff_ffff));
        frame.extend([0, 0, 0]);
        all.push(("a frame without an end", id3(&frame)));
        // A comment block of FLAC that counts to 2^32, and a picture block that claims as much.
        let mut flac = b"fLaC\0\0\0\x22\x10\0\x10\0\0\0\0\0\0\0\x0a\xc4\x42\xf0\0\0\xac\x44".to_vec();
        flac.resize(42, 0);
        let mut comments = flac.clone();
        comments.extend(b"\x84\0\0\x0c\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
        all.push(("countless comments", comments));
        let mut picture = flac.clone();
        picture.extend(b"\x86\0\0\x24\0\0\0\x03\xff\xff\xff\xff");
        picture.resize(picture.len() + 28, 0xff);
        all.push(("a picture of 4 GB", picture));
        // Boxes in boxes, and one that claims everything.
        let mut boxes = b"\0\0\0\x10ftypM4A \0\0\0\0".to_vec();
        for _ in 0..5000 {
            boxes.extend(b"\x7f\xff\xff\xffmoov");
        }
        all.push(("boxes without an end", boxes));
        let mut ape = mp3();
        ape.extend(b"APETAGEX\xd0\x07\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x80\0\0\0\0\0\0\0\0");
        all.push(("an APE tag of 4 GB", ape));
        let mut riff = wav();
        riff.extend(b"LIST\xff\xff\xff\xffINFOINAM\xff\xff\xff\xff");
        all.push(("a list of 4 GB", riff));
        // Pictures whose size in pixels has nothing to do with their size in bytes.
        let mut huge = std::io::Cursor::new(Vec::new());
        image::GrayImage::new(12_000, 12_000).write_to(&mut huge, image::ImageFormat::Png).unwrap();
        all.push(("144 million black pixels", huge.into_inner()));
        let mut wide =
            b"GIF89a\xff\xff\xff\xff\xf0\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0".to_vec();
        wide.extend(b"\x02\x02\x44\x01\0;");
        all.push(("4 billion pixels of GIF", wide));
        all
    }
}
