//! `make bench NAME=search`: a million tracks, made from a seed, put into a catalog, indexed, and searched as it is typed; beside
//! tantivy and FTS5 with a dictionary over the same rows and queries (`benches/peers/search`).

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
#[path = "../../tests/common/plenty.rs"]
mod plenty;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use goals::{Goals, median as middle};
use plenty::{Dice, Plenty};
use segue::catalog::index::{Builder, Entry, Query, Shelf};
use segue::catalog::{Batch, Catalog, SearchWindows};
use segue::music::{AccountId, Track, fold};

const TRACKS: usize = 1_000_000;
const SEED: u64 = 7;
const QUERIES: usize = 4_000;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut goals = Goals::default();
    runtime.block_on(run(&mut goals));
    goals.end()
}

async fn run(goals: &mut Goals) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.db");
    let began = Instant::now();
    let (tracks, sample) = fill(&file).await;
    let took = began.elapsed().as_secs_f64();
    let how = "generated from a seed and applied to a catalog in a file";
    goals.row(took <= 60.0, "a million rows generated", &format!("{tracks} in {took:.1} s"), "<= 60 s", how);

    let catalog = Catalog::open(&file).await.unwrap();
    let began = Instant::now();
    catalog.warm_search().await.unwrap();
    let took = began.elapsed().as_secs_f64();
    let how = "read from the catalog, built, written to its file";
    goals.row(took <= 15.0, "index built", &format!("{took:.1} s"), "<= 15 s", how);
    let size = std::fs::metadata(folder.path().join("catalog.db.search")).unwrap().len() as f64 / 1e6;
    goals.row(
        size <= 100.0,
        "index size",
        &format!("{size:.0} MB"),
        "<= 100 MB",
        "the file, which is what is in memory",
    );

    let typed = typed(&sample);
    let me = catalog.listener(&AccountId::from("me"));
    let windows = SearchWindows::first(8);
    let mut whole = Vec::new();
    for query in &typed {
        let began = Instant::now();
        std::hint::black_box(me.search(query, windows).await.unwrap());
        whole.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let (median, tail) = (middle(whole.clone()), percentile(&mut whole, 0.99));
    let how = "4,000 queries of 1-8 letters, every third mistyped; artists, albums and tracks with their rows from SQLite";
    goals.row(
        median <= 0.5 && tail <= 2.0,
        "search, rows and all",
        &format!("median {median:.2}, p99 {tail:.2} ms"),
        "<= 0.5, <= 2 ms",
        how,
    );
    let asked: Vec<(&str, String)> = quality(&sample);
    let mut found = 0;
    for (id, query) in &asked {
        let hits = me.search(query, SearchWindows::first(5)).await.unwrap();
        let hit = hits.tracks.iter().any(|t| t.id.as_str() == *id);
        if !hit && std::env::var_os("SHOW").is_some() {
            println!(
                "not found: {query:?} for {:?}",
                sample.iter().find(|t| t.id.as_str() == *id).map(|t| (&t.title, &t.artist))
            );
        }
        found += usize::from(hit);
    }
    let share = found as f64 * 100.0 / asked.len() as f64;
    let how = "typos, cut words, swapped words, all scripts: title and artist of a known track";
    goals.row(
        share >= 97.0,
        "found in the first five",
        &format!("{found} of {} ({share:.1} %)", asked.len()),
        ">= 97 %",
        how,
    );
    drop((me, catalog));
    peers(goals, folder.path(), &typed);
}

async fn fill(file: &Path) -> (usize, Vec<Track>) {
    let catalog = Catalog::open(file).await.unwrap();
    let library = Plenty::new(SEED, TRACKS);
    catalog.apply(&Batch { artists: library.artists(), ..Batch::default() }).await.unwrap();
    let (mut batch, mut count, mut sample) = (Batch::default(), 0, Vec::new());
    for release in library {
        count += release.tracks.len();
        if count % 97 == 0 {
            sample.extend(release.tracks.first().cloned());
        }
        batch.albums.extend(release.album);
        batch.tracks.extend(release.tracks);
        if batch.tracks.len() >= 5_000 {
            catalog.apply(&std::mem::take(&mut batch)).await.unwrap();
        }
    }
    catalog.apply(&batch).await.unwrap();
    catalog.close().await;
    (count, sample)
}

/// Beginnings of words as they are typed, every third with two letters swapped or one wrong.
fn typed(sample: &[Track]) -> Vec<String> {
    let mut dice = Dice::new(SEED);
    let mut queries = Vec::new();
    while queries.len() < QUERIES {
        let track = &sample[dice.below(sample.len())];
        let text = fold(if dice.chance(60) { &track.title } else { &track.artist });
        let words: Vec<&str> = text.split(' ').filter(|w| !w.is_empty()).collect();
        if words.is_empty() {
            continue;
        }
        let length = 1 + dice.below(8);
        let mut query: String = words[dice.below(words.len())].chars().take(length).collect();
        if queries.len() % 3 == 2 {
            query = mistyped(&query, &mut dice);
        }
        queries.push(query);
    }
    queries
}

fn mistyped(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 4 {
        return word.to_owned();
    }
    let at = 1 + dice.below(letters.len() - 2);
    match dice.below(4) {
        0 => letters.swap(at, at + 1),
        1 => letters[at] = 'x',
        2 => drop(letters.remove(at)),
        _ => letters.insert(at, 'q'),
    }
    letters.into_iter().collect()
}

/// Queries whose answer is known: a track's own words, put wrongly.
fn quality(sample: &[Track]) -> Vec<(&str, String)> {
    let mut dice = Dice::new(SEED + 1);
    let mut asked = Vec::new();
    while asked.len() < 200 {
        let track = &sample[dice.below(sample.len())];
        let (title, artist, album) = (fold(&track.title), fold(&track.artist), fold(&track.album));
        let mut words: Vec<String> = title.split(' ').map(str::to_owned).collect();
        if title.chars().count() < 8 || artist.is_empty() || album.is_empty() {
            continue;
        }
        match asked.len() % 4 {
            0 => {
                if let Some(longest) = words.iter_mut().max_by_key(|w| w.len()) {
                    *longest = mistyped(longest, &mut dice);
                }
            }
            1 => words.reverse(),
            2 => {
                for word in &mut words {
                    *word = word.chars().take(word.chars().count().max(5) - 1).collect();
                }
            }
            _ => {}
        }
        words.truncate(8);
        words.push(artist);
        words.push(album);
        asked.push((track.id.as_str(), words.join(" ")));
    }
    asked
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
        goals.row(
            median <= theirs && tail <= their_tail,
            &format!("at least as fast as {name}"),
            &format!("{:.2} x at median, {:.2} x at p99", theirs / median, their_tail / tail),
            ">= 1 x",
            &format!(
                "{name}: median {theirs:.3}, p99 {their_tail:.2} ms, built in {built} s, {:.0} MB",
                bytes.parse::<f64>().unwrap_or(f64::NAN) / 1e6
            ),
        );
    }
}

fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((values.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN)
}
