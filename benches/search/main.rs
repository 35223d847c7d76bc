//! `make bench NAME=search`: a million tracks, made from a seed, put into a catalog, indexed, and searched as it is typed; beside
//! tantivy and FTS5 with a dictionary over the same rows and queries (`benches/peers/search`). Then the real program in a
//! pseudo-terminal over the same catalog: memory, key to screen, start (`screen`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    missing_docs,
    unreachable_pub,
    reason = "a bench fails by panicking"
)]

#[path = "../peers/collection.rs"]
mod collection;
#[path = "../goals/mod.rs"]
mod goals;
#[path = "../../tests/common/plenty.rs"]
mod plenty;
#[path = "../../tests/program/mod.rs"]
mod program;
#[path = "../peers/pty.rs"]
mod pty;
mod questions;
mod screen;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use goals::{Goals, median as middle};
use plenty::Plenty;
use questions::{Lines, Meant, Question, ROWS_SEEN};
use segue::catalog::index::{Builder, Entry, Query, Shelf};
use segue::catalog::{Batch, Catalog, HitKind, Hits, SearchWindows};
use segue::music::{AccountId, Track, fold};
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, SqlitePool};

const TRACKS: usize = 1_000_000;
const SEED: u64 = 7;
const QUERIES: usize = 4_000;
const QUESTIONS: usize = 200;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut goals = Goals::default();
    // `cargo bench --bench search -- screen` runs that part alone.
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let folder = tempfile::tempdir().unwrap();
    // Whoever works on the index keeps the million rows between runs.
    let kept = std::env::var_os("SEGUE_BENCH_CATALOG").map(PathBuf::from);
    let file = kept.clone().unwrap_or_else(|| folder.path().to_owned()).join("catalog.db");
    let sample =
        if file.exists() { sample(SEED, TRACKS) } else { runtime.block_on(filled(&mut goals, &file)) };
    runtime.block_on(indexed(&mut goals, &file));
    if only.as_deref() != Some("screen") {
        let typed = questions::typed(&sample, QUERIES, SEED);
        runtime.block_on(searched(&mut goals, &file, &sample, &typed));
        peers(&mut goals, folder.path(), &typed);
    }
    screen::measure(&mut goals, &runtime, &file, &sample);
    goals.end()
}

/// Makes the library.
async fn filled(goals: &mut Goals, file: &Path) -> Vec<Track> {
    let began = Instant::now();
    let (tracks, sample) = fill(file, SEED, TRACKS).await;
    let took = began.elapsed().as_secs_f64();
    let how = "generated from a seed and applied to a catalog in a file";
    goals.row(took <= 60.0, "a million rows generated", &format!("{tracks} in {took:.1} s"), "<= 60 s", how);
    sample
}

/// Makes the index of a library that has none.
async fn indexed(goals: &mut Goals, file: &Path) {
    let _ = std::fs::remove_file(file.with_extension("db.search"));
    let catalog = Catalog::open(file).await.unwrap();
    let began = Instant::now();
    catalog.warm_search().await.unwrap();
    let took = began.elapsed().as_secs_f64();
    let how = "read from the catalog, built, written to its file";
    goals.row(took <= 15.0, "index built", &format!("{took:.1} s"), "<= 15 s", how);
    let size = std::fs::metadata(file.with_extension("db.search")).unwrap().len() as f64 / 1e6;
    let how = "artists, albums and tracks; the file, which is what is in memory";
    goals.row(size <= 100.0, "index size", &format!("{size:.0} MB"), "<= 100 MB", how);
    catalog.close().await;
}

async fn searched(goals: &mut Goals, file: &Path, sample: &[Track], typed: &[String]) {
    let catalog = Catalog::open(file).await.unwrap();
    catalog.warm_search().await.unwrap();
    let me = catalog.listener(&AccountId::from("me"));
    let windows = SearchWindows::first(8);
    let mut whole = Vec::new();
    for query in typed {
        let began = Instant::now();
        std::hint::black_box(me.search(query, windows).await.unwrap());
        whole.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let (median, tail) = (middle(whole.clone()), percentile(&mut whole, 0.99));
    println!("all kinds, 8 of each, with their rows from SQLite: median {median:.2}, p99 {tail:.2} ms");
    let lines = Lines::of(Plenty::new(SEED, TRACKS));
    let questions = questions::quality(sample, &lines, QUESTIONS, SEED + 1);
    let mut found: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for question in &questions {
        let hits = me.search(&question.typed, SearchWindows::first(ROWS_SEEN as u64)).await.unwrap();
        let hit = is_in_sight(&hits, question);
        if !hit && std::env::var_os("SHOW").is_some() {
            println!("not found: {question:?}");
        }
        let row = found.entry(format!("{:?}", question.manner)).or_default();
        row.0 += usize::from(hit);
        row.1 += 1;
    }
    let (hits, asked) = found.values().fold((0, 0), |(a, b), (x, y)| (a + x, b + y));
    let share = hits as f64 * 100.0 / asked as f64;
    let table: Vec<String> = found.iter().map(|(manner, (n, of))| format!("{manner} {n}/{of}")).collect();
    goals.row(
        share >= 97.0,
        "found in the first five rows",
        &format!("{hits} of {asked} ({share:.1} %)"),
        ">= 97 %",
        &format!("of the screen's rows, the kind that agrees best first: {}", table.join(", ")),
    );
    drop(me);
    catalog.close().await;
}

/// Whether the answer stands in one of the first rows, the kind that agrees best first.
fn is_in_sight(hits: &Hits, question: &Question) -> bool {
    let same = |title: &str, artist: &str| title == question.title && artist == question.artist;
    let mut left = ROWS_SEEN;
    for kind in hits.order {
        let lead = hits.leads[kind as usize].max(1);
        let most = left.min(lead);
        let (rows, there) = match kind {
            HitKind::Artist => {
                let fits =
                    |a: &segue::music::Artist| question.meant == Meant::Artist && a.name == question.title;
                (hits.artists.len(), hits.artists.iter().take(most).any(fits))
            }
            HitKind::Album => {
                let fits =
                    |a: &segue::music::Album| question.meant == Meant::Album && same(&a.title, &a.artist);
                (hits.albums.len(), hits.albums.iter().take(most).any(fits))
            }
            HitKind::Track => {
                let fits = |t: &Track| question.meant == Meant::Track && same(&t.title, &t.artist);
                (hits.tracks.len(), hits.tracks.iter().take(most).any(fits))
            }
            HitKind::Playlist => (0, false),
        };
        if there {
            return true;
        }
        left = left.saturating_sub(rows.min(lead));
    }
    false
}

/// Fills a catalog; gives the number of tracks and a sample of them. Indexes are made at the end: a million rows in no
/// order would change most pages of each of them with every batch.
pub async fn fill(file: &Path, seed: u64, tracks: usize) -> (usize, Vec<Track>) {
    Catalog::open(file).await.unwrap().close().await;
    let options = SqliteConnectOptions::new().filename(file).synchronous(SqliteSynchronous::Off);
    let pool = SqlitePool::connect_with(options.pragma("cache_size", "-64000")).await.unwrap();
    let indexes: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
            .fetch_all(&pool)
            .await
            .unwrap();
    // Albums are counted by theirs with every batch.
    let indexes: Vec<_> = indexes.into_iter().filter(|(name, _)| name != "tracks_by_album").collect();
    for (name, _) in &indexes {
        sqlx::query(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(&pool).await.unwrap();
    }
    let catalog = Catalog::open(file).await.unwrap();
    // Made on a thread of their own while others are written.
    let (send, mut batches) = tokio::sync::mpsc::channel(4);
    let maker = tokio::task::spawn_blocking(move || {
        let library = Plenty::new(seed, tracks);
        let mut batch = Batch { artists: library.artists(), ..Batch::default() };
        let mut count = 0;
        for release in library {
            count += release.tracks.len();
            batch.albums.extend(release.album);
            batch.tracks.extend(release.tracks);
            if batch.tracks.len() >= 20_000 {
                send.blocking_send(std::mem::take(&mut batch)).unwrap();
            }
        }
        send.blocking_send(batch).unwrap();
        count
    });
    while let Some(batch) = batches.recv().await {
        catalog.apply(&batch).await.unwrap();
    }
    catalog.close().await;
    for (_, sql) in indexes {
        sqlx::query(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    pool.close().await;
    (maker.await.unwrap(), sample(seed, tracks))
}

/// The last track of every seventh album.
fn sample(seed: u64, tracks: usize) -> Vec<Track> {
    Plenty::new(seed, tracks).step_by(7).filter_map(|release| release.tracks.last().cloned()).collect()
}

/// The engines alone, ids without rows: the same rows and queries for all three.
fn peers(goals: &mut Goals, folder: &Path, typed: &[String]) {
    let mut rows = String::new();
    let began = Instant::now();
    let mut builder = Builder::default();
    for track in Plenty::new(SEED, TRACKS).flat_map(|release| release.tracks) {
        let [title, artist, album] = [&track.title, &track.artist, &track.album].map(|text| fold(text));
        let _ = writeln!(rows, "{title}\t{artist} {album}");
        builder.add(&Entry {
            id: track.id.as_str(),
            title: &track.title,
            artist: &track.artist,
            album: &track.album,
            ..Entry::default()
        });
    }
    let shelf = Shelf::new(builder.finish());
    let built = began.elapsed().as_secs_f64();
    let mut ours = Vec::new();
    for query in typed {
        let began = Instant::now();
        std::hint::black_box(shelf.find(&Query::parse(query, 0), 0, 20));
        ours.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let (median, tail) = (middle(ours.clone()), percentile(&mut ours, 0.99));
    let megabytes = shelf.bytes() as f64 / 1e6;
    goals.row(
        median <= 0.5 && tail <= 2.0,
        "search, the index alone",
        &format!("median {median:.3}, p99 {tail:.2} ms"),
        "<= 0.5, <= 2 ms",
        &format!("tracks, 20 ids; {megabytes:.0} MB, made and built in {built:.1} s"),
    );
    let program = Path::new("target/peers/search/release/search-peers");
    let [rows_file, queries] = ["rows", "queries"].map(|name| folder.join(name));
    std::fs::write(&rows_file, rows).unwrap();
    std::fs::write(&queries, typed.join("\n")).unwrap();
    drop(shelf);
    let Ok(said) = Command::new(program).args([&rows_file, &queries]).output() else {
        return goals.skipped("beside tantivy and FTS5", "benches/peers/search is not built");
    };
    let said = String::from_utf8(said.stdout).unwrap();
    let mut engines: Vec<(String, Vec<f64>)> = Vec::new();
    for line in said.lines() {
        match (line.parse::<f64>(), engines.last_mut()) {
            (Ok(ns), Some((_, times))) => times.push(ns / 1e6),
            _ => engines.push((line.to_owned(), Vec::new())),
        }
    }
    for (about, mut times) in engines {
        let about: Vec<&str> = about.split(' ').collect();
        let [name, built, bytes] = about.as_slice() else { continue };
        let (theirs, their_tail) = (middle(times.clone()), percentile(&mut times, 0.99));
        let figure = format!("{:.2} x at median, {:.2} x at p99", theirs / median, their_tail / tail);
        let how = format!(
            "{name}: median {theirs:.3}, p99 {their_tail:.2} ms, built in {built} s, {:.0} MB",
            bytes.parse::<f64>().unwrap_or(f64::NAN) / 1e6
        );
        if *name == "tantivy" {
            let held = median <= theirs && tail <= their_tail;
            goals.row(held, "at least as fast as tantivy", &figure, ">= 1 x", &how);
        } else {
            println!("beside {name}: {figure}; {how}");
        }
    }
}

pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((values.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN)
}
