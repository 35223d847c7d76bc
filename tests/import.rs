//! Histories from elsewhere, by the real binary: what is read adds up, what was imported before counts once, and training
//! learns from it, unless the listener says otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "program/mod.rs"]
mod program;

use std::io::Write as _;
use std::path::Path;

use program::Home;
use serde_json::{Value, json};

/// What a command printed, and whether it said that all is well.
fn run(home: &Home, args: &[&str]) -> (bool, String) {
    let done = home.command(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (done.status.success(), format!("{}\n{}", text(&done.stdout), text(&done.stderr)).trim().to_owned())
}

fn said(home: &Home, args: &[&str]) -> String {
    let (well, text) = run(home, args);
    assert!(well, "{args:?}: {text}");
    text
}

/// The demo album as the library of a server with one more account.
fn server(home: &Home) -> String {
    let data = home.path().join("server").display().to_string();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo").display().to_string();
    said(home, &["scan", "--music", &demo, "--data", &data]);
    let mut child = home
        .command(&["users", "--data", &data, "add", "ann", "--password-stdin"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"Zebra-stripes 77\n").unwrap();
    assert!(child.wait().unwrap().success());
    data
}

/// The number at the beginning of the line that ends like this.
fn count(report: &str, end: &str) -> u64 {
    let line =
        report.lines().find(|line| line.contains(end)).unwrap_or_else(|| panic!("no “{end}” in {report}"));
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Matched, known, skipped and unmatched rows; they add up to those that were read.
fn sums(report: &str) -> [u64; 4] {
    let known = report.lines().find(|line| line.contains("were known already")).unwrap();
    let known = known.split(", ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let skipped: u64 = report
        .lines()
        .filter(|line| line.contains(" skipped: "))
        .map(|line| line.split_whitespace().next().unwrap().parse::<u64>().unwrap())
        .sum();
    let parts = [count(report, " matched, "), known, skipped, count(report, " unmatched: ")];
    assert_eq!(parts.iter().sum::<u64>(), count(report, " rows read"), "{report}");
    parts
}

fn spotify(title: &str, artist: &str, end: &str, ms: u64, more: &Value) -> Value {
    let mut row = json!({
        "ts": end, "ms_played": ms, "master_metadata_track_name": title, "master_metadata_album_artist_name": artist,
        "reason_start": "clickrow", "reason_end": "trackdone", "skipped": false,
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

fn zip(path: &Path, files: &[(&str, String)]) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, text) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

const BAND: &str = "Segue House Band";

#[test]
fn exports_of_three_services_are_taken_in_once_and_every_row_is_accounted_for() {
    let home = Home::new();
    let data = server(&home);
    let import = |service: &str, file: &Path| {
        said(&home, &["import", service, file.to_str().unwrap(), "--data", &data, "--account", "ann"])
    };

    // The extended history, as it is sent: in a zip, beside what is no music.
    let none = json!({});
    let rows = json!([
        spotify("First Light", BAND, "2024-05-01T10:01:00Z", 60_000, &none),
        spotify("FIRST LIGHT - Remastered 2011", BAND, "2024-05-02T10:01:00Z", 60_000, &none),
        spotify("Kettle Hours", BAND, "2024-05-03T10:01:00Z", 60_000, &none),
        spotify("Kettle Hours", BAND, "2024-05-04T10:01:00Z", 9_000, &json!({"reason_end": "fwdbtn", "skipped": true})),
        spotify("Before Dawn", BAND, "2024-05-05T10:01:00Z", 60_000, &json!({"incognito_mode": true})),
        spotify("Somewhere Else", "Nobody", "2024-05-06T10:01:00Z", 60_000, &none),
        spotify("Before Dawn", BAND, "soon", 60_000, &none),
        {"ts": "2024-05-07T10:01:00Z", "ms_played": 90_000, "master_metadata_track_name": null, "episode_name": "News"},
    ]);
    let file = home.path().join("my_spotify_data.zip");
    let video = json!([spotify("First Light", BAND, "2024-06-01T10:01:00Z", 60_000, &none)]).to_string();
    zip(
        &file,
        &[
            ("Spotify Extended Streaming History/Streaming_History_Audio_2024_1.json", rows.to_string()),
            ("Spotify Extended Streaming History/Streaming_History_Video_2024.json", video),
            ("Spotify Extended Streaming History/ReadMe.pdf", "no text".to_owned()),
        ],
    );
    let report = import("spotify", &file);
    assert_eq!(sums(&report), [3, 0, 4, 1], "{report}");
    for reason in ["private session", "heard for less than 30 s", "no time that can be read", "no song"] {
        assert!(report.contains(reason), "{reason}: {report}");
    }
    assert!(report.contains("Nobody — Somewhere Else"), "{report}");
    assert_eq!(sums(&import("spotify", &file)), [0, 3, 4, 1], "the same again");

    // The account data of the same listening: its minutes are those of the end.
    let file = home.path().join("StreamingHistory_music_0.json");
    let rows = json!([
        {"endTime": "2024-05-01 10:01", "artistName": BAND, "trackName": "First Light", "msPlayed": 60_000},
        {"endTime": "2024-05-09 10:01", "artistName": BAND, "trackName": "First Light", "msPlayed": 60_000},
    ]);
    std::fs::write(&file, rows.to_string()).unwrap();
    assert_eq!(sums(&import("spotify", &file)), [1, 1, 0, 0]);

    let line = |title: &str, at: i64| {
        json!({"listened_at": at, "track_metadata": {"artist_name": "segue house band", "track_name": title,
               "additional_info": {"duration_ms": 60_000}}})
        .to_string()
    };
    let file = home.path().join("listenbrainz.zip");
    let listens =
        [line("Dew on Strings", 1_714_900_000), line("dew on strings", 1_714_990_000), "{".to_owned()];
    zip(&file, &[("listens/2024/5.jsonl", listens.join("\n")), ("user.json", "{}".to_owned())]);
    assert_eq!(sums(&import("listenbrainz", &file)), [2, 0, 1, 0]);

    let file = home.path().join("scrobbles.csv");
    let csv = "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n\
               1714900010,\"05 May 2024, 09:06\",Segue House Band,,First Light,,Dew on Strings,\n\
               1715900000,\"16 May 2024, 22:53\",Segue House Band,,First Light,,Before Dawn,\n\
               1715900000,\"16 May 2024, 22:53\",,,First Light,,Before Dawn,\n";
    std::fs::write(&file, csv).unwrap();
    // The first of them another service told already.
    assert_eq!(sums(&import("lastfm", &file)), [1, 1, 1, 0]);
    let file = home.path().join("pages.json");
    let page = |tracks: Value| json!({"recenttracks": {"track": tracks}});
    let pages = json!([
        page(
            json!([{"artist": {"#text": BAND}, "name": "Kettle Hours", "mbid": "", "date": {"uts": "1716900000"}},
                    {"artist": {"#text": BAND}, "name": "Kettle Hours", "@attr": {"nowplaying": "true"}}])
        ),
        page(json!({"artist": {"#text": BAND}, "name": "Kettle Hours", "date": {"uts": "1716990000"}})),
    ]);
    std::fs::write(&file, pages.to_string()).unwrap();
    assert_eq!(sums(&import("lastfm", &file)), [2, 0, 1, 0]);

    // Training learns from it, until the listener forbids that.
    let table = said(&home, &["train", "--data", &data]);
    assert!(table.contains("1 listeners, 4 tracks"), "{table}");
    assert!(table.contains("accounts have new mixes"), "{table}");
    let privacy = ["account", "privacy", "ann", "--data", &data];
    assert!(said(&home, &privacy).contains("mixes are made"));
    let off = said(&home, &["account", "privacy", "ann", "--profiling", "off", "--data", &data]);
    assert!(off.contains("nothing is made"), "{off}");
    let table = said(&home, &["train", "--data", &data]);
    assert!(table.contains("0 listeners") || table.contains("Nobody has played"), "{table}");
    said(&home, &["account", "privacy", "ann", "--profiling", "on", "--data", &data]);
    assert!(said(&home, &["train", "--data", &data]).contains("1 listeners"));
}

#[test]
fn the_player_takes_a_history_in_too() {
    let home = Home::new();
    let file = home.path().join("history.json");
    let rows = json!([spotify("First Light", BAND, "2024-05-01T10:01:00Z", 60_000, &json!({}))]);
    std::fs::write(&file, rows.to_string()).unwrap();
    let import = ["import", "spotify", file.to_str().unwrap()];
    assert_eq!(sums(&said(&home, &import)), [1, 0, 0, 0]);
    assert_eq!(sums(&said(&home, &import)), [0, 1, 0, 0]);
}

#[test]
fn rubbish_is_refused_in_one_sentence() {
    let home = Home::new();
    let data = server(&home);
    let long = home.path().join("long.zip");
    let many: Vec<(String, String)> =
        (0..5_001).map(|n| (format!("endsong_{n}.json"), "[]".to_owned())).collect();
    let many: Vec<(&str, String)> = many.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    zip(&long, &many);
    let write = |name: &str, bytes: &[u8]| {
        let path = home.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let half = std::fs::read(&long).unwrap();
    let cases = [
        ("spotify", home.path().join("missing.zip").display().to_string(), "cannot be read"),
        ("spotify", write("half.zip", &half[..half.len() / 2]), "no whole zip"),
        ("spotify", long.display().to_string(), "more than 5000 files"),
        ("spotify", write("empty.json", b"[]"), "no listening history"),
        ("spotify", write("object.json", b"{\"a\": 1}"), "not the JSON of an export"),
        ("spotify", write("binary.json", &[0xff, 0xfe, 0x00, 0xc3]), "is no text"),
        ("listenbrainz", write("nothing.jsonl", b"\n\n"), "no listening history"),
        ("lastfm", write("nothing.csv", b""), "no listening history"),
    ];
    for (service, file, reason) in cases {
        let (well, text) = run(&home, &["import", service, &file, "--data", &data, "--account", "ann"]);
        assert!(!well && text.contains(reason) && text.lines().count() == 1, "{file}: {text}");
    }
    let file = write("right.json", b"[]");
    let (well, text) = run(&home, &["import", "spotify", &file, "--data", &data, "--account", "bob"]);
    assert!(!well && (text.contains("no account") || text.contains("no listening history")), "{text}");
    let (well, text) = run(&home, &["account", "privacy", "bob", "--data", &data]);
    assert!(!well && text.contains("there is no account “bob”"), "{text}");
    let nowhere = home.path().join("nowhere").display().to_string();
    let (well, text) = run(&home, &["train", "--data", &nowhere]);
    assert!(!well && text.contains("no server's data"), "{text}");
}
