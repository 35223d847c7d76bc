//! Other forms of a track, made by a real ffmpeg. Run by `.ci/run`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "server_http/house.rs"]
#[allow(dead_code, reason = "it serves more tests than these")]
mod house;
mod program;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use house::House;
use program::{installed, skip};
use segue::server::scan::{ScanMode, Scanner};

const SECONDS: u32 = 20;

/// A house with one more song: twenty seconds of noise as FLAC.
async fn house() -> Option<(House, String)> {
    if installed("ffmpeg").is_none() {
        skip("ffmpeg");
        return None;
    }
    let house = House::open().await;
    let file = house.folder.path().join("music/noise.flac");
    let source = format!("anoisesrc=color=pink:sample_rate=44100:duration={SECONDS}:seed=3");
    ffmpeg(&["-f", "lavfi", "-i", &source, "-ac", "2", "-metadata", "title=Noise"], &file);
    let scanner = Scanner::new(house.catalog.clone(), vec![house.folder.path().join("music")]);
    scanner.scan(ScanMode::Changes).await.unwrap();
    let id = house.song("Noise").await;
    Some((house, id))
}

fn ffmpeg(arguments: &[&str], out: &Path) {
    let done = Command::new("ffmpeg").args(["-loglevel", "error", "-y"]).args(arguments).arg(out).status();
    assert!(done.unwrap().success());
}

/// Codec and length in seconds, as ffmpeg's own eyes see a file.
fn probe(file: &Path) -> (String, f64) {
    let ask = ["-v", "error", "-show_entries", "stream=codec_name:format=duration", "-of", "csv=p=0"];
    let output = Command::new("ffprobe").args(ask).arg(file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let codec = lines.next().unwrap_or_default().trim_end_matches(',').to_owned();
    // ADTS and the like do not say how long they are: count what comes out.
    let mut pcm = Command::new("ffmpeg");
    pcm.args(["-loglevel", "error", "-i"])
        .arg(file)
        .args(["-f", "s16le", "-ac", "1", "-ar", "8000", "pipe:1"]);
    (codec, pcm.output().unwrap().stdout.len() as f64 / 16000.0)
}

async fn get(house: &House, params: &[(&str, &str)]) -> reqwest::Response {
    house.http.get(house.own_url("stream", params)).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_comes_out_whole_and_is_kept() {
    let Some((house, id)) = house().await else { return };
    let target = house.folder.path().join("out");
    for (format, codec, kind) in
        [("opus", "opus", "audio/ogg"), ("mp3", "mp3", "audio/mpeg"), ("aac", "aac", "audio/aac")]
    {
        let params = [("id", id.as_str()), ("format", format), ("maxBitRate", "96")];
        let reply = get(&house, &params).await;
        assert_eq!((reply.status().as_u16(), reply.headers()["content-type"].to_str().unwrap()), (200, kind));
        let bytes = reply.bytes().await.unwrap();
        std::fs::write(&target, &bytes).unwrap();
        let (found, seconds) = probe(&target);
        assert_eq!(found, codec);
        assert!((seconds - f64::from(SECONDS)).abs() < 0.2, "{format}: {seconds} s");
        let kbps = bytes.len() as f64 / 125.0 / f64::from(SECONDS);
        assert!((60.0..140.0).contains(&kbps), "{format}: {kbps} kbit/s");
        // The second time it stands on the shelf: the same bytes, with a length and ranges.
        let again = house.http.get(house.own_url("stream", &params)).header("range", "bytes=100-199");
        let again = again.send().await.unwrap();
        assert_eq!(again.status().as_u16(), 206, "{format}");
        assert_eq!(again.bytes().await.unwrap(), bytes.slice(100..200));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_begins_where_asked_and_is_as_long_as_promised() {
    let Some((house, id)) = house().await else { return };
    let target = house.folder.path().join("out");
    let late = [("id", id.as_str()), ("format", "opus"), ("timeOffset", "15")];
    std::fs::write(&target, get(&house, &late).await.bytes().await.unwrap()).unwrap();
    let (_, seconds) = probe(&target);
    assert!((seconds - 5.0).abs() < 0.2, "{seconds} s");

    let exact = [("id", id.as_str()), ("maxBitRate", "128"), ("estimateContentLength", "true")];
    let reply = get(&house, &exact).await;
    let promised: usize = reply.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert!((320_000..400_000).contains(&promised), "{promised}");
    assert_eq!(reply.bytes().await.unwrap().len(), promised);

    let head = house.http.head(house.own_url("stream", &late)).send().await.unwrap();
    assert_eq!(head.headers()["content-type"], "audio/ogg");
    let extensions = house.json("getOpenSubsonicExtensions", &[]).await;
    assert!(extensions["openSubsonicExtensions"].to_string().contains("transcodeOffset"));
    house.close().await;
}

/// What ffmpeg makes of a file, as 16 bit stereo.
fn pcm(file: &Path) -> Vec<u8> {
    let mut pcm = Command::new("ffmpeg");
    pcm.args(["-loglevel", "error", "-i"]).arg(file).args(["-f", "s16le", "-ac", "2", "pipe:1"]);
    pcm.output().unwrap().stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_file_is_converted_from_its_place() {
    let Some((house, _)) = house().await else { return };
    let music = house.folder.path().join("music");
    let sheet = "FILE \"noise.flac\" WAVE\nTRACK 1 AUDIO\nTITLE First\nINDEX 01 0:0:0\nTRACK 2 AUDIO\nTITLE Middle\n\
        INDEX 01 0:4:13\nTRACK 3 AUDIO\nTITLE Last\nINDEX 01 0:15:50\n";
    std::fs::write(music.join("noise.cue"), sheet).unwrap();
    // A lossy one of two and a half minutes, whose ranges need more than one beginning of decoding.
    let source = "anoisesrc=color=pink:sample_rate=44100:duration=150:seed=4";
    ffmpeg(&["-f", "lavfi", "-i", source, "-ac", "2", "-b:a", "128k"], &music.join("lossy.mp3"));
    ffmpeg(&["-f", "lavfi", "-i", source, "-ac", "2", "-b:a", "64k"], &music.join("lossy2.opus"));
    for (name, file) in [("lossy", "lossy.mp3"), ("lossy2", "lossy2.opus")] {
        let sheet = format!(
            "FILE \"{file}\" MP3\nTRACK 1 AUDIO\nTITLE {name} a\nINDEX 01 0:0:0\nTRACK 2 AUDIO\nTITLE {name} b\nINDEX 01 0:7:3\n"
        );
        std::fs::write(music.join(format!("{name}.cue")), sheet).unwrap();
    }
    let report =
        Scanner::new(house.catalog.clone(), vec![music.clone()]).scan(ScanMode::Changes).await.unwrap();
    assert!(report.failed.is_empty(), "{report:?}");
    let middle = house.song("Middle").await;
    let whole = pcm(&music.join("noise.flac"));
    let place = |seconds: usize, frames: usize| (seconds * 75 + frames) * 588 * 4;
    let expected = &whole[place(4, 13)..place(15, 50)];
    let target = house.folder.path().join("out");
    for (format, offset) in [("raw", "0"), ("flac", "0"), ("flac", "3")] {
        let params = [("id", middle.as_str()), ("format", format), ("timeOffset", offset)];
        // Converted, a part that is WAV becomes FLAC without loss.
        std::fs::write(&target, get(&house, &params).await.bytes().await.unwrap()).unwrap();
        let skipped = offset.parse::<usize>().unwrap() * 44_100 * 4;
        assert!(pcm(&target) == expected[skipped..], "{format} {offset}");
    }
    let params = [("id", middle.as_str()), ("maxBitRate", "96")];
    std::fs::write(&target, get(&house, &params).await.bytes().await.unwrap()).unwrap();
    let (codec, seconds) = probe(&target);
    assert!(codec == "mp3" && (seconds - 11.49).abs() < 0.2, "{codec} {seconds}");

    for name in ["lossy b", "lossy2 b"] {
        let id = house.song(name).await;
        let url = house.own_url("stream", &[("id", &id), ("format", "raw")]);
        let body = house.http.get(&url).send().await.unwrap().bytes().await.unwrap();
        assert!(body[44..].chunks(176_400).filter(|s| s.iter().any(|b| *b != 0)).count() > 140, "it sounds");
        for start in
            [44, 100_000, 3_000_001, 10_583_990, 10_584_045, 12_345_678, 21_168_043, body.len() - 70_001]
        {
            let end = body.len().min(start + 70_001);
            let range = format!("bytes={start}-{}", end - 1);
            let part = house.http.get(&url).header("range", &range).send().await.unwrap();
            assert!(part.bytes().await.unwrap() == body[start..end], "{name}: {range}");
        }
    }
    house.close().await;
}

/// Processes of ffmpeg that read this house's music.
fn running(house: &House) -> usize {
    let music = house.folder.path().join("music").display().to_string();
    let is_one = |process: &std::fs::DirEntry| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("ffmpeg") && line.contains(&music)
    };
    std::fs::read_dir("/proc").unwrap().flatten().filter(is_one).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_with_its_last_listener_and_bad_files_are_refused() {
    let Some((house, _)) = house().await else { return };
    // An hour of silence takes seconds to convert: time enough to leave.
    let long = house.folder.path().join("music/long.flac");
    ffmpeg(&["-f", "lavfi", "-i", "anullsrc=d=7200", "-metadata", "title=Long"], &long);
    let scanner = Scanner::new(house.catalog.clone(), vec![house.folder.path().join("music")]);
    scanner.scan(ScanMode::Changes).await.unwrap();
    let id = house.song("Long").await;
    let mut reply = get(&house, &[("id", &id), ("format", "aac")]).await;
    assert!(reply.chunk().await.unwrap().is_some());
    let seen = running(&house);
    drop(reply);
    for _ in 0..200 {
        if running(&house) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((seen, running(&house)), (1, 0), "the child is gone");
    let shelf = house.folder.path().join("data/transcodes");
    assert_eq!(std::fs::read_dir(&shelf).unwrap().count(), 0, "and so is its draft");

    // A file that turned into rubbish after the scan.
    std::fs::write(&long, b"#EXTM3U\nhttp://127.0.0.1:1/secret\n").unwrap();
    assert_eq!(house.code("stream", &[("id", &id), ("format", "mp3")]).await, 0);
    house.close().await;
}
