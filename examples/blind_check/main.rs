//! The blind check of the sonic model: whether a track's nearest neighbours by sound come from its own album or artist, which
//! the model does not know, more often than chance has it.
//!
//!     cargo run --release --example blind_check -- FOLDER            on your own records (tags say artist and album)
//!     cargo run --release --example blind_check -- --synthetic DIR   on made-up albums, written to DIR first
//!
//! Scans and hears the folder as a server does, into a catalog in memory, takes 30 seeds evenly from the library in the order
//! of their titles' hashes, and prints a table in Markdown.

mod albums;
mod check;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use segue::analysis::{Analyst, Open};
use segue::catalog::{Catalog, TrackOrder};
use segue::music::Window;
use segue::server::scan::{ScanMode, Scanner};
use segue::taste::sonic::VERSION;
use tokio_util::sync::CancellationToken;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let folder = match words.as_slice() {
        [flag, folder] if flag == "--synthetic" => {
            albums::write(folder.as_ref(), albums::SIZE)?;
            folder
        }
        [folder] if !folder.starts_with('-') => folder,
        _ => return Err("usage: blind_check [--synthetic] FOLDER".into()),
    };
    tokio::runtime::Runtime::new()?.block_on(run(folder.into()))
}

async fn run(folder: PathBuf) -> Result<(), Box<dyn std::error::Error>> {
    let catalog = Catalog::in_memory().await?;
    Scanner::new(catalog.clone(), vec![folder]).scan(ScanMode::Changes).await?;
    let open: Open = Arc::new(|track| match &track.path {
        Some(path) => Ok(Some(Box::new(std::fs::File::open(path)?))),
        None => Ok(None),
    });
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let began = Instant::now();
    let report = Analyst::new(catalog.clone(), open, threads).run(&CancellationToken::new()).await?;
    let took = began.elapsed().as_secs_f64();
    eprintln!("{} heard, {} not, in {took:.1} s on {threads} threads", report.heard, report.failed);

    let tracks = catalog.listener(&"".into()).tracks_by(TrackOrder::Title, Window::ALL).await?;
    let vectors = catalog.sonic_vectors(VERSION).await?;
    let found = catalog.sonic(&vectors.tracks).await?;
    let rows: Vec<check::Row> = vectors
        .tracks
        .iter()
        .zip(vectors.values.chunks_exact(vectors.width.max(1)))
        .filter_map(|(id, vector)| {
            let track = tracks.iter().find(|track| track.id == *id)?;
            Some(check::Row {
                artist: track.album_artist.clone(),
                album: track.album.clone(),
                title: track.title.clone(),
                vector: vector.to_vec(),
            })
        })
        .collect();
    if std::env::var_os("SEGUE_FIGURES").is_some() {
        for (id, row) in vectors.tracks.iter().zip(&rows) {
            if let Some(s) = found.get(id) {
                println!(
                    "{} / {}: {:.1?} LUFS, range {:.1}, {:.1} bpm ({:.2}), {} ({:.2}), {:.1} onsets/s, {:.0} Hz; energy {:.2} bright {:.2} calm {:.2} dance {:.2} focus {:.2}",
                    row.album,
                    row.title,
                    s.loudness,
                    s.range,
                    s.tempo,
                    s.tempo_confidence,
                    s.key,
                    s.key_confidence,
                    s.onset_rate,
                    s.centroid_hz,
                    s.energy.value,
                    s.brightness.value,
                    s.calm.value,
                    s.danceability.value,
                    s.focus.value
                );
            }
        }
    }
    print(&rows, &check::seeds(rows.len(), 30));
    Ok(())
}

/// The table, in Markdown.
fn print(rows: &[check::Row], seeds: &[usize]) {
    println!("| seed | its {} nearest | of its album | of its artist |\n|---|---|---|---|", check::NEAREST);
    for seed in seeds {
        let found = check::look(rows, *seed);
        let name = |n: usize| format!("{} – {}", rows[n].artist, rows[n].title);
        let near: Vec<String> = found.near.iter().map(|n| name(*n)).collect();
        println!("| {} | {} | {} | {} |", name(*seed), near.join("; "), found.same_album, found.same_artist);
    }
    let (share, chance, times) = check::over_chance(rows, seeds);
    println!(
        "\n{} tracks, {} seeds: {:.1} % of the neighbours come from the same album or artist; chance has {:.1} %: {times:.1} times.",
        rows.len(),
        seeds.len(),
        share * 100.0,
        chance * 100.0
    );
}
