//! Parts of files, as cue sheets divide them, served as files of their own.

use std::path::Path;

use reqwest::StatusCode;
use segue::music::TrackId;
use segue::subsonic::StreamOptions;

use crate::house::{House, code, config};

/// Samples in which no stretch occurs twice, of so many bits.
fn noise(count: usize, bits: u32) -> Vec<i32> {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let draw = |_| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed as i32) >> (32 - bits)
    };
    (0..count).map(draw).collect()
}

fn pcm(samples: &[i32], bits: u32) -> Vec<u8> {
    samples.iter().flat_map(|s| s.to_le_bytes().into_iter().take(bits as usize / 8)).collect()
}

fn wav(rate: u32, channels: u32, bits: u32, samples: &[i32]) -> Vec<u8> {
    let data = pcm(samples, bits);
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    let align = channels * bits / 8;
    for field in [16, 1 | channels << 16, rate, rate * align, align | bits << 16] {
        file.extend(field.to_le_bytes());
    }
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

/// A FLAC file of 16 bit stereo whose subframes are verbatim.
fn flac(samples: &[i32]) -> Vec<u8> {
    const BLOCK: usize = 4096;
    let frames = samples.as_chunks::<2>().0;
    let mut file = b"fLaC\x80\0\0\x22".to_vec();
    file.extend((BLOCK as u16).to_be_bytes().repeat(2));
    file.extend([0; 6]);
    file.extend(((44_100_u64 << 44) | (1 << 41) | (15 << 36) | frames.len() as u64).to_be_bytes());
    file.extend([0; 16]);
    for (number, block) in frames.chunks(BLOCK).enumerate() {
        let mut frame = vec![0xff, 0xf8, 0x70, 0x18];
        frame.extend(char::from_u32(number as u32).unwrap().encode_utf8(&mut [0; 4]).bytes());
        frame.extend((block.len() as u16 - 1).to_be_bytes());
        frame.push(crc(&frame, 8, 0x07) as u8);
        for channel in 0..2 {
            frame.push(0x02);
            frame.extend(block.iter().flat_map(|f| (f[channel] as i16).to_be_bytes()));
        }
        frame.extend((crc(&frame, 16, 0x8005) as u16).to_be_bytes());
        file.extend(frame);
    }
    file
}

fn crc(bytes: &[u8], width: u32, polynomial: u32) -> u32 {
    let top = 1 << (width - 1);
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << (width - 8)), |crc, _| {
            let shifted = (crc << 1) & ((top << 1) - 1);
            if crc & top == 0 { shifted } else { shifted ^ polynomial }
        })
    })
}

/// A sheet with tracks "NAME 1" to "NAME 4" that are no whole seconds long.
fn sheet(file: &str, name: &str) -> String {
    let track = |n: u32, place: &str| format!("TRACK {n:02} AUDIO\nTITLE \"{name} {n}\"\nINDEX 01 {place}\n");
    let places = [(1, "00:00:00"), (2, "00:01:17"), (3, "00:01:18"), (4, "00:03:74")];
    let tracks: String = places.iter().map(|(n, place)| track(*n, place)).collect();
    format!("PERFORMER \"Ann\"\nTITLE \"{name}\"\nFILE \"{file}\" WAVE\n{tracks}")
}

async fn house(files: &[(&str, &str, Vec<u8>)]) -> House {
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("music");
    for (name, file, bytes) in files {
        std::fs::create_dir_all(music.join(name)).unwrap();
        std::fs::write(music.join(name).join(file), bytes).unwrap();
        std::fs::write(music.join(name).join("x.cue"), sheet(file, name)).unwrap();
    }
    let config = config(&folder);
    let house = House::start(folder, config).await;
    let report = house.server.as_ref().unwrap().first_scan().await;
    assert_eq!((report.added, report.failed.len()), (4 * files.len() as u64, 0), "{report:?}");
    house
}

async fn whole(house: &House, title: &str, endpoint: &str) -> Vec<u8> {
    let url = house.own_url(endpoint, &[("id", &house.song(title).await)]);
    let reply = house.http.get(url).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    assert_eq!(reply.headers()["content-type"], "audio/wav");
    assert_eq!(reply.headers()["accept-ranges"], "bytes");
    let length: usize = reply.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let body = reply.bytes().await.unwrap().to_vec();
    assert_eq!(body.len(), length);
    body
}

/// The sound of a WAV file, whose head must be true.
fn sound(file: &[u8], rate: u32, channels: u16, bits: u16) -> &[u8] {
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
    assert_eq!(number(4) as usize, file.len() - 8);
    assert_eq!(number(24), rate);
    let wide = channels > 2;
    assert_eq!((number(16), number(20) & 0xffff), if wide { (40, 0xfffe) } else { (16, 1) });
    assert_eq!((number(20) >> 16, number(32) >> 16), (u32::from(channels), u32::from(bits)));
    let data = if wide { 60 } else { 36 };
    assert_eq!(&file[data..data + 4], b"data");
    let length = number(data + 4) as usize;
    assert_eq!(data + 8 + length + length % 2, file.len());
    &file[data + 8..data + 8 + length]
}

#[tokio::test]
async fn all_parts_together_are_the_file() {
    let stereo = noise(2 * 250_001, 16);
    let deep = noise(2 * 250_003, 24);
    let mono = noise(40_001, 24);
    let many = noise(6 * 40_000, 16);
    let house = house(&[
        ("flac", "x.flac", flac(&stereo)),
        ("wav", "x.wav", wav(44_100, 2, 16, &stereo)),
        ("deep", "x.wav", wav(48_000, 2, 24, &deep)),
        ("mono", "x.wav", wav(8000, 1, 24, &mono)),
        ("many", "x.wav", wav(8000, 6, 16, &many)),
    ])
    .await;
    for (name, rate, channels, bits, expected) in [
        ("flac", 44_100, 2, 16, pcm(&stereo, 16)),
        ("wav", 44_100, 2, 16, pcm(&stereo, 16)),
        ("deep", 48_000, 2, 24, pcm(&deep, 24)),
        ("mono", 8000, 1, 24, pcm(&mono, 24)),
        ("many", 8000, 6, 16, pcm(&many, 16)),
    ] {
        let mut joined = Vec::new();
        for n in 1..=4 {
            let body = whole(&house, &format!("{name} {n}"), "stream").await;
            joined.extend_from_slice(sound(&body, rate, channels, bits));
        }
        assert_eq!(joined.len(), expected.len(), "{name}");
        assert!(joined == expected, "{name}: not a sample is other than in the file");
    }
    let found = house.json("search3", &[("query", "mono"), ("songCount", "9")]).await;
    for song in found["searchResult3"]["song"].as_array().unwrap() {
        let title = song["title"].as_str().unwrap();
        assert_eq!(song["size"], whole(&house, title, "download").await.len(), "{title}");
        assert_eq!((&song["suffix"], &song["contentType"]), (&"wav".into(), &"audio/wav".into()));
        assert_eq!((&song["bitRate"], &song["bitDepth"]), (&192.into(), &24.into()));
    }
    house.close().await;
}

#[tokio::test]
async fn any_range_is_that_of_the_whole() {
    let house = house(&[("flac", "x.flac", flac(&noise(2 * 250_000, 16)))]).await;
    let body = whole(&house, "flac 4", "stream").await;
    let url = house.own_url("stream", &[("id", &house.song("flac 4").await)]);
    let length = body.len();
    let mut seed = 88_172_645_463_325_252_u64;
    let mut draw = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let mut ranges = vec![(0, 1), (0, 44), (43, 45), (44, 45), (45, 50), (length - 1, length), (1, length)];
    for _ in 0..60 {
        let start = draw(length);
        ranges.push((start, start + 1 + draw((length - start).min(300_000))));
    }
    for (start, end) in ranges {
        let range = format!("bytes={start}-{}", end - 1);
        let reply = house.http.get(&url).header("range", &range).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(reply.headers()["content-range"], format!("bytes {start}-{}/{length}", end - 1));
        assert!(reply.bytes().await.unwrap() == body[start..end], "{range}");
    }
    let past = house.http.get(&url).header("range", format!("bytes={length}-")).send().await.unwrap();
    assert_eq!(past.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let head = house.http.head(&url).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], length.to_string());
    let etag = head.headers()["etag"].clone();
    assert!(head.bytes().await.unwrap().is_empty());
    let same = house.http.get(&url).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    let part =
        house.http.get(&url).header("range", "bytes=5-9").header("if-range", &etag).send().await.unwrap();
    assert_eq!(
        (part.status(), part.bytes().await.unwrap()),
        (StatusCode::PARTIAL_CONTENT, body[5..10].to_vec().into())
    );

    // Segue's own client reads it like any other file.
    let id = TrackId::from(house.song("flac 4").await);
    let options = StreamOptions { format: Some("raw".into()), ..StreamOptions::default() };
    let reply = house.client().stream(&id, &options, Some((100, Some(200))), None).await.unwrap();
    assert_eq!((reply.status, reply.total, reply.range), (206, Some(length as u64), Some((100, 200))));

    // Another sheet, the same file: what a client has of it is not the same any more.
    let music = house.folder.path().join("music/flac/x.cue");
    let other = std::fs::read_to_string(&music).unwrap().replace("00:03:74", "00:04:01");
    std::fs::write(&music, other).unwrap();
    rescan(&house).await;
    let shorter = whole(&house, "flac 4", "stream").await;
    assert!(body.ends_with(&shorter[44..]) && shorter.len() < length);
    let part =
        house.http.get(&url).header("range", "bytes=5-9").header("if-range", &etag).send().await.unwrap();
    assert_eq!((part.status(), part.bytes().await.unwrap().len()), (StatusCode::OK, shorter.len()));
    house.close().await;
}

async fn rescan(house: &House) {
    house.json("startScan", &[]).await;
    while house.json("getScanStatus", &[]).await["scanStatus"]["scanning"] != false {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_in_the_middle_costs_nothing_more() {
    let house = house(&[("wav", "x.wav", wav(44_100, 2, 16, &noise(2 * 4_000_000, 16)))]).await;
    let url = house.own_url("stream", &[("id", &house.song("wav 4").await)]);
    for _ in 0..20 {
        let mut reply = house.http.get(&url).send().await.unwrap();
        assert!(reply.chunk().await.unwrap().is_some());
    }
    // More than there are threads to decode on, all of them read a little: the next one is served all the same.
    let mut idle = Vec::new();
    for _ in 0..20 {
        let mut reply = house.http.get(&url).send().await.unwrap();
        reply.chunk().await.unwrap();
        idle.push(reply);
    }
    assert!(whole(&house, "wav 1", "stream").await.len() > 44);
    drop(idle);
    house.close().await;
}

#[tokio::test]
async fn a_file_that_breaks_off_is_silent_and_one_that_is_gone_is_refused() {
    if crate::house::over_a_store() {
        return;
    }
    let samples = noise(2 * 250_000, 16);
    let house = house(&[("wav", "x.wav", wav(44_100, 2, 16, &samples))]).await;
    let file = house.folder.path().join("music/wav/x.wav");
    let before = whole(&house, "wav 4", "stream").await;
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 40_000]).unwrap();
    let after = whole(&house, "wav 4", "stream").await;
    assert_eq!(after.len(), before.len(), "as long as was said");
    let cut = before.len() - 40_000;
    assert!(after[..cut] == before[..cut] && after[cut..].iter().all(|byte| *byte == 0));
    std::fs::remove_file(&file).unwrap();
    let refused = house.json("stream", &[("id", &house.song("wav 4").await)]).await;
    assert_eq!(code(&refused), 70);
    assert!(!Path::new(&file).exists());
    house.close().await;
}
