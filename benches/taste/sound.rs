//! Hearing tracks: how many a second, and whether the nearest ones by sound are of the same album or artist. The peer is
//! bliss-audio, in a program of its own (`benches/peers/bliss`, under the GPL), on the same files and as many cores, one after the other.

#[path = "../../examples/blind_check/albums.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the example")]
mod albums;
#[path = "../../examples/blind_check/check.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the example")]
mod check;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use segue::analysis::{Analyst, Open};
use segue::catalog::{Catalog, TrackOrder};
use segue::music::Window;
use segue::server::scan::{ScanMode, Scanner};
use segue::taste::sonic::VERSION;
use tokio_util::sync::CancellationToken;

use crate::goals::Goals;

/// Seeds of the check.
const SEEDS: usize = 30;
/// Where `benches/run` builds the peer.
const PEER: &str = "target/peers/bliss/release/bliss-peer";

/// What one side made of the files.
struct Heard {
    seconds: f64,
    rows: Vec<check::Row>,
}

/// Measures both sides on made-up albums, and on real ones where `benches/peers/albums.sh` has put some.
pub(crate) fn measure(goals: &mut Goals, threads: usize) {
    let folder = tempfile::tempdir().expect("a folder for albums");
    albums::write(folder.path(), albums::SIZE).expect("albums are written");
    beside(goals, threads, folder.path(), "made-up albums");
    let real = Path::new("target/peers/albums");
    if real.is_dir() {
        beside(goals, threads, real, "soundtracks of free games");
    } else {
        goals.skipped("soundtracks of free games", "benches/peers/albums.sh has not put any here");
    }
}

fn beside(goals: &mut Goals, threads: usize, folder: &Path, what: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (own, paths) = runtime.block_on(own(folder, threads));
    let seeds = check::seeds(own.rows.len(), SEEDS);
    let (share, chance, times) = check::over_chance(&own.rows, &seeds);
    let how = format!(
        "{} tracks, {SEEDS} seeds, 5 neighbours: {:.1} % of the same album or artist, chance {:.1} %",
        own.rows.len(),
        share * 100.0,
        chance * 100.0
    );
    let name = format!("neighbours over chance, {what}");
    goals.row(times >= 5.0, &name, &format!("{times:.1} times"), "at least 5 times", &how);
    let (speed, near) =
        (format!("hearing over bliss-audio, {what}"), format!("neighbours over bliss-audio, {what}"));
    let Some((peer, heard)) = peer(&own, &paths, threads) else {
        goals.skipped(&speed, "bliss-audio cannot be built here");
        goals.skipped(&near, "bliss-audio cannot be built here");
        return;
    };
    let rate = |side: &Heard| side.rows.len() as f64 / side.seconds;
    let ratio = rate(&own) / rate(&peer);
    let how = format!(
        "{:.1} tracks/s against {:.1}, {threads} threads, decoding included; ours measures the loudness too",
        rate(&own),
        rate(&peer)
    );
    goals.row(ratio >= 2.0, &speed, &format!("{ratio:.2}"), "at least 2", &how);
    // Only among what both sides could decode.
    let both: Vec<check::Row> =
        own.rows.into_iter().zip(heard).filter_map(|(row, heard)| heard.then_some(row)).collect();
    let seeds = check::seeds(both.len(), SEEDS);
    let (ours, _, _) = check::over_chance(&both, &seeds);
    let (theirs, _, _) = check::over_chance(&peer.rows, &seeds);
    let how = format!(
        "{:.1} % against {:.1} %, among the {} tracks that both hear",
        ours * 100.0,
        theirs * 100.0,
        both.len()
    );
    goals.row(ours >= theirs, &near, &format!("{:.2}", ours / theirs), "at least 1", &how);
}

/// Hears the folder as a server does; also gives the path of each row.
async fn own(folder: &Path, threads: usize) -> (Heard, Vec<PathBuf>) {
    let catalog = Catalog::in_memory().await.expect("a catalog");
    let scanner = Scanner::new(catalog.clone(), vec![folder.to_owned()]);
    scanner.scan(ScanMode::Changes).await.expect("the albums are scanned");
    let paths = Arc::new(std::sync::Mutex::new(HashMap::new()));
    let seen = Arc::clone(&paths);
    let open: Open = Arc::new(move |track| match &track.path {
        Some(path) => {
            if let Ok(mut seen) = seen.lock() {
                seen.insert(track.track.clone(), PathBuf::from(path));
            }
            Ok(Some(Box::new(std::fs::File::open(path)?)))
        }
        None => Ok(None),
    });
    let began = Instant::now();
    let analyst = Analyst::new(catalog.clone(), open, threads);
    analyst.run(&CancellationToken::new()).await.expect("the albums are heard");
    let seconds = began.elapsed().as_secs_f64();
    let tracks =
        catalog.listener(&"".into()).tracks_by(TrackOrder::Title, Window::ALL).await.expect("tracks");
    let vectors = catalog.sonic_vectors(VERSION).await.expect("vectors");
    let paths = paths.lock().expect("nobody else is left");
    let mut found = Vec::new();
    for (id, vector) in vectors.tracks.iter().zip(vectors.values.chunks_exact(vectors.width.max(1))) {
        let track = tracks.iter().find(|track| track.id == *id).expect("a track that was heard");
        let row = check::Row {
            artist: track.album_artist.clone(),
            album: track.album.clone(),
            title: track.title.clone(),
            vector: vector.to_vec(),
        };
        found.push((paths[id].clone(), row));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let (paths, rows) = found.into_iter().unzip();
    (Heard { seconds, rows }, paths)
}

/// The same files heard by the peer, in our order, and which of ours it heard. None where it is not built.
fn peer(own: &Heard, paths: &[PathBuf], threads: usize) -> Option<(Heard, Vec<bool>)> {
    let output = Command::new(PEER).arg(threads.to_string()).args(paths).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let lines: HashMap<&str, &str> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let all: Vec<Option<check::Row>> = paths
        .iter()
        .zip(&own.rows)
        .map(|(path, row)| {
            let values = lines.get(path.to_str()?)?;
            Some(check::Row {
                artist: row.artist.clone(),
                album: row.album.clone(),
                title: row.title.clone(),
                vector: values.split(' ').map(|value| value.parse().ok()).collect::<Option<Vec<f32>>>()?,
            })
        })
        .collect();
    let heard = all.iter().map(Option::is_some).collect();
    let seconds = lines.get("seconds")?.parse().ok()?;
    Some((Heard { seconds, rows: all.into_iter().flatten().collect() }, heard))
}
