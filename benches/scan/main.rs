//! `make bench NAME=scan`: 20,000 small music files, made from a seed, read into an empty catalog, and looked at again with nothing
//! changed; beside cmus and mpd over the same folder on the same warm disk, in turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a bench fails by panicking"
)]

#[path = "../goals/mod.rs"]
mod goals;
#[path = "../../tests/common/media.rs"]
#[allow(dead_code, reason = "shared with tests")]
mod media;
mod peers;
#[path = "../../tests/common/plenty.rs"]
#[allow(dead_code, reason = "shared with tests")]
mod plenty;
#[path = "../../tests/common/shelves.rs"]
mod shelves;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use goals::{Goals, median};
use segue::catalog::Catalog;
use segue::server::scan::{ScanMode, Scanner};

const FILES: usize = 20_000;
const SEED: u64 = 11;
/// Turns of everybody; the middle one counts.
const TURNS: usize = 3;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut goals = Goals::default();
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("music");
    let began = Instant::now();
    let made = shelves::fill(&music, SEED, FILES);
    println!(
        "{} files, {:.0} MB, written in {:.1} s",
        made.files.len(),
        made.bytes as f64 / 1e6,
        began.elapsed().as_secs_f64()
    );
    // Warm: everything was just written, and is read once more.
    for (path, _) in &made.files {
        std::hint::black_box(std::fs::read(path).unwrap());
    }

    let (mut ours, mut again, mut cmus, mut mpd) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut failed = 0;
    for turn in 0..TURNS {
        let file = folder.path().join(format!("catalog-{turn}.db"));
        let (first, second, left_out) = runtime.block_on(scan(&music, &file, made.files.len()));
        ours.push(first);
        again.push(second);
        failed = left_out;
        let data = folder.path().join(format!("peers-{turn}"));
        std::fs::create_dir(&data).unwrap();
        cmus.extend(peers::cmus(&music, &data, made.files.len()));
        mpd.extend(peers::mpd(&music, &data));
    }
    let rate = median(ours);
    println!("Segue reads {rate:.0} tracks/s; {failed} files left out");
    for (name, theirs) in [("cmus", cmus), ("mpd", mpd)] {
        let title = format!("tracks per second beside {name}");
        if theirs.is_empty() {
            goals.skipped(&title, "it is not installed or did not finish");
            continue;
        }
        let theirs = median(theirs);
        let how = format!("{name} {theirs:.0}/s; empty catalog, warm disk, in turns, middle of {TURNS}");
        goals.row(
            rate >= 2.0 * theirs,
            &title,
            &format!("{rate:.0}/s, {:.2} x", rate / theirs),
            ">= 2 x",
            &how,
        );
    }
    let seconds = median(again);
    goals.row(
        seconds <= 1.0,
        "a scan with nothing changed",
        &format!("{seconds:.2} s"),
        "<= 1 s",
        "the same process, no file is opened",
    );
    goals.end()
}

/// Tracks in a second of a first scan, seconds of a second one, and how many files were left out.
async fn scan(music: &Path, file: &Path, files: usize) -> (f64, f64, usize) {
    let catalog = Catalog::open(file).await.unwrap();
    let scanner = Scanner::new(catalog.clone(), vec![music.to_owned()]);
    let began = Instant::now();
    let report = scanner.scan(ScanMode::Changes).await.unwrap();
    let rate = report.added as f64 / began.elapsed().as_secs_f64();
    assert_eq!(report.added as usize + report.failed.len(), files);
    for (path, why) in report.failed.iter().take(5) {
        println!("left out: {}: {why}", path.display());
    }
    let began = Instant::now();
    let second = scanner.scan(ScanMode::Changes).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!((second.added, second.changed, second.removed), (0, 0, 0));
    catalog.close().await;
    (rate, seconds, report.failed.len())
}
