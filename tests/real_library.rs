//! A folder of five hundred real files of mixed formats, made by ffmpeg, some of them broken: scanned, browsed,
//! searched and played by the real binary.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use program::{Home, Terminal, installed, position, skip};

/// File name extension, and how ffmpeg is told to make it.
const FORMATS: [(&str, &str, &[&str]); 10] = [
    ("wav16", "wav", &["-c:a", "pcm_s16le"]),
    ("flac", "flac", &["-c:a", "flac"]),
    ("mp3cbr", "mp3", &["-c:a", "libmp3lame", "-b:a", "128k"]),
    ("mp3vbr", "mp3", &["-c:a", "libmp3lame", "-q:a", "4"]),
    ("vorbis", "ogg", &["-c:a", "libvorbis"]),
    ("opus", "opus", &["-c:a", "libopus"]),
    ("aac", "m4a", &["-c:a", "aac"]),
    ("alac", "m4a", &["-c:a", "alac"]),
    ("aiff", "aiff", &["-write_id3v2", "1"]),
    ("flac24", "flac", &["-c:a", "flac", "-sample_fmt", "s32", "-ar", "96000"]),
];

/// Pieces; each is made in every format.
const PIECES: usize = 48;

/// Makes 480 good and 20 bad files, and gives the names of the bad ones.
fn make(dir: &Path) -> BTreeSet<String> {
    for piece in 0..PIECES {
        let folder = dir.join(format!("Artist {}/Album {}", piece % 6, piece % 12));
        std::fs::create_dir_all(&folder).unwrap();
        let tone = format!("sine=frequency={}:duration=2", 200 + 15 * piece);
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-loglevel", "error", "-y", "-f", "lavfi", "-i", &tone]);
        for (kind, suffix, options) in FORMATS {
            ffmpeg.args(options);
            ffmpeg.args(["-metadata", &format!("title=Piece {piece} {kind}")]);
            ffmpeg.args(["-metadata", &format!("artist=Artist {}", piece % 6)]);
            ffmpeg.args(["-metadata", &format!("album=Album {}", piece % 12)]);
            ffmpeg.args(["-metadata", &format!("track={}", piece + 1)]);
            ffmpeg.arg(folder.join(format!("{piece:02} {kind}.{suffix}")));
        }
        assert!(ffmpeg.status().unwrap().success());
    }
    let mut bad = BTreeSet::new();
    let good = std::fs::read(dir.join("Artist 0/Album 0/00 flac.flac")).unwrap();
    for n in 0..5 {
        for (name, bytes) in [
            (format!("empty {n}.mp3"), Vec::new()),
            (format!("text {n}.flac"), b"This is not music.\n".repeat(n + 1)),
            (format!("head {n}.flac"), good[..20 + n].to_vec()),
            (
                format!("noise {n}.ogg"),
                (0..4000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> (8 + n)) as u8).collect(),
            ),
        ] {
            std::fs::write(dir.join(&name), bytes).unwrap();
            bad.insert(name);
        }
    }
    bad
}

#[test]
fn five_hundred_files_some_of_them_broken() {
    if installed("ffmpeg").is_none() {
        return skip("ffmpeg");
    }
    let home = Home::new();
    let music = home.path().join("music");
    std::fs::create_dir_all(&music).unwrap();
    let bad = make(&music);
    let folder = music.to_str().unwrap();

    let data = home.path().join("scan");
    let scan = home.command(&["scan", "--music", folder, "--data", data.to_str().unwrap()]).output().unwrap();
    let report = String::from_utf8(scan.stdout).unwrap();
    assert!(scan.status.success(), "{}", String::from_utf8_lossy(&scan.stderr));
    println!("{}", report.lines().next().unwrap_or_default());
    assert!(report.starts_with("500 files seen: 480 new"), "{report}");
    let named: BTreeSet<String> = report
        .lines()
        .filter_map(|l| l.strip_prefix("not taken in: "))
        .filter_map(|l| l.split(": ").next())
        .filter_map(|path| Some(Path::new(path).file_name()?.to_str()?.to_owned()))
        .collect();
    assert_eq!(named, bad);

    let again =
        home.command(&["scan", "--music", folder, "--data", data.to_str().unwrap()]).output().unwrap();
    assert!(
        String::from_utf8(again.stdout)
            .unwrap()
            .starts_with("500 files seen: 0 new, 0 changed, 0 moved, 0 gone")
    );

    for (kind, ..) in FORMATS {
        let args = ["play", "piece", "7", kind, "--music", folder, "--output", "silent"];
        let play = home.command(&args).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&play.stdout), String::from_utf8_lossy(&play.stderr));
        assert!(play.status.success(), "{kind}: {out}{err}");
        assert!(out.contains(&format!("Piece 7 {kind}")), "{kind}: {out}{err}");
        assert!(!err.contains("cannot be played"), "{kind}: {err}");
    }

    let mut terminal = Terminal::start(&home, &["--music", folder, "--output", "silent"], &[], (120, 35));
    terminal.wait_for("Segue");
    terminal.keys(":library\r");
    terminal.wait_for("Artist 5");
    terminal.keys(":search\r");
    terminal.keys("piece 33 opus");
    terminal.wait_for("Piece 33 opus");
    terminal.keys("\r");
    terminal.wait("sound", |s| position(s).is_some_and(|p| p >= 1));
    terminal.keys("\u{1b}:quit\r");
    assert!(terminal.ended());
}
