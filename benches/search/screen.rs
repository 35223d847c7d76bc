//! The real program in a pseudo-terminal over large libraries: the memory that it takes, how long from a key to the screen and
//! how many bytes that costs, and how long from the start to a page that can be used; beside cmus over the same files.
//!
//! The player is given a server that is not there, as on a train: what it shows is its own catalog, and nothing else
//! runs beside it. Against cmus it runs as it is for whoever has only files: with the server inside it.

use std::path::Path;
use std::time::{Duration, Instant};

use segue::catalog::Catalog;
use segue::music::Track;
use tokio::runtime::Runtime;

use crate::collection::{Collection, program, variables};
use crate::goals::{Goals, median};
use crate::program::installed;
use crate::pty::{self, Pty};
use crate::{fill, percentile, questions};

/// A place where nothing listens.
const NOWHERE: [&str; 6] = ["--server", "http://127.0.0.1:9", "--user", "me", "--output", "silent"];
const PROFILE: &str = "data/segue/profiles/me@127.0.0.1-9";
/// As a held key repeats.
const REPEAT: Duration = Duration::from_millis(33);
/// Between the keys of somebody who types very fast.
const TYPING: Duration = Duration::from_millis(60);
const STARTS: usize = 7;

fn start(home: &Path, args: &[&str]) -> Pty {
    Pty::start(&program(), args, home, &variables(home))
}

/// Measures everything on the screen.
pub fn measure(goals: &mut Goals, runtime: &Runtime, million: &Path, sample: &[Track]) {
    let home = tempfile::tempdir().unwrap();
    let profile = home.path().join(PROFILE);
    std::fs::create_dir_all(&profile).unwrap();
    for name in ["catalog.db", "catalog.db.search"] {
        std::fs::hard_link(million.with_file_name(name), profile.join(name)).unwrap();
    }
    typing(goals, home.path(), sample);
    holding(goals, runtime);
    starting(goals, runtime);
    beside_cmus(goals);
}

/// Keys with what each of them did to the screen.
#[derive(Default)]
struct Presses {
    ms: Vec<f64>,
    bytes: usize,
    needed: usize,
}

impl Presses {
    /// Presses a key, waits, and looks at what came until then.
    fn press(&mut self, pty: &mut Pty, key: &str, wait: Duration) {
        let before = pty.screen().clone();
        let pressed = Instant::now();
        pty.keys(key);
        std::thread::sleep(wait);
        let (last, bytes) = pty.take_in();
        // A key that changes nothing costs nothing.
        if let Some(last) = last {
            self.ms.push(last.duration_since(pressed).as_secs_f64() * 1000.0);
            self.bytes += bytes;
            self.needed += needed(&before, pty.screen());
        }
    }

    fn rows(mut self, goals: &mut Goals, what: &str, how: &str) {
        let keys = self.ms.len().max(1);
        let middle = median(self.ms.clone());
        let tail = percentile(&mut self.ms, 0.99);
        let figure = format!("median {middle:.1}, p99 {tail:.1} ms of {keys} keys");
        goals.row(tail <= 16.0, &format!("key to screen, {what}"), &figure, "p99 <= 16 ms", how);
        let ratio = self.bytes as f64 / self.needed.max(1) as f64;
        let figure = format!("{} bytes a key, {ratio:.2} x the need", self.bytes / keys);
        let how = "need: what moves the cursor to each run of changed cells, their styles and their letters";
        goals.row(ratio <= 1.5, &format!("bytes to the terminal, {what}"), &figure, "<= 1.5 x", how);
    }
}

/// Bytes that the cells need which differ: for each run of them a motion, for each change of style inside a sequence, the letters.
fn needed(before: &vt100::Screen, after: &vt100::Screen) -> usize {
    let (rows, columns) = after.size();
    let (rows, columns) = (rows.get(), columns.get());
    let style =
        |cell: &vt100::Cell| (cell.fgcolor(), cell.bgcolor(), cell.bold(), cell.underline(), cell.dim());
    let mut bytes = 0;
    let mut last = None;
    for y in 0..rows {
        let mut running = false;
        for x in 0..columns {
            let (Some(old), Some(new)) = (before.cell(y, x), after.cell(y, x)) else { continue };
            if old.contents() == new.contents() && style(old) == style(new) {
                running = false;
                continue;
            }
            if !running {
                bytes += format!("\u{1b}[{};{}H", y + 1, x + 1).len();
                running = true;
            }
            if last != Some(style(new)) {
                last = Some(style(new));
                bytes += match new.fgcolor() {
                    vt100::Color::Rgb(r, g, b) => format!("\u{1b}[38;2;{r};{g};{b}m").len(),
                    _ => "\u{1b}[39m".len(),
                };
                bytes += if new.bold() || new.underline() || new.dim() { "\u{1b}[1m".len() } else { 0 };
            }
            bytes += new.contents().len().max(1);
        }
    }
    // The caret has a place too, and styles end with the frame.
    bytes + "\u{1b}[39m\u{1b}[49m\u{1b}[59m\u{1b}[0m\u{1b}[?25h\u{1b}[10;10H".len()
}

fn typing(goals: &mut Goals, home: &Path, sample: &[Track]) {
    let mut pty = start(home, &NOWHERE);
    pty.wait("the first page", |s| s.contains("Recently added") || s.contains("search"));
    std::thread::sleep(Duration::from_secs(4)); // the index is loaded
    pty.keys("/");
    pty.wait("the search", |s| s.contains("1,000,000 tracks"));
    let mut presses = Presses::default();
    for word in questions::typed(sample, 120, 21) {
        for letter in word.chars() {
            presses.press(&mut pty, &letter.to_string(), TYPING);
        }
        pty.keys("\u{15}");
        std::thread::sleep(TYPING);
        pty.take_in();
    }
    presses.rows(
        goals,
        "typing a search",
        "the results of a million tracks too; until the last byte that a key causes",
    );
    let (now, most) = pty::memory(pty.pid());
    let figure = format!("{now:.0} MB");
    let how = format!("VmRSS after 120 searches in a million tracks; the most it had was {most:.0} MB");
    goals.row(now <= 250.0, "memory of the player", &figure, "<= 250 MB", &how);
}

/// A million artists, ten on an album, made by the database itself.
async fn million_artists(file: &Path) {
    Catalog::open(file).await.unwrap().close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    for sql in [
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000) \
         INSERT INTO artists (id, name, name_fold, sort_name, sort_fold, album_count, fingerprint) \
         SELECT printf('%032x', n), printf('Artist %07d', n), printf('artist %07d', n), printf('Artist %07d', n), \
         printf('artist %07d', n), 1, n FROM c",
        "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 100000) \
         INSERT INTO albums (id, title, title_fold, artist, artist_fold) \
         SELECT printf('%032x', n), printf('Album %06d', n), printf('album %06d', n), 'All', 'all' FROM c",
        "INSERT INTO album_artists (album_id, role, position, artist_id, name) \
         SELECT printf('%032x', fingerprint / 10), 'artist', fingerprint % 10, id, name FROM artists",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

fn holding(goals: &mut Goals, runtime: &Runtime) {
    let home = tempfile::tempdir().unwrap();
    runtime.block_on(million_artists(&home.path().join(PROFILE).join("catalog.db")));
    let mut pty = start(home.path(), &NOWHERE);
    pty.wait("the first page", |s| s.contains("library"));
    pty.keys("gl");
    pty.wait("the list", |s| s.contains("Artist 0000001"));
    std::thread::sleep(Duration::from_secs(2));
    pty.take_in();
    let mut presses = Presses::default();
    for _ in 0..600 {
        presses.press(&mut pty, "j", REPEAT);
    }
    // And where the list is deepest.
    pty.keys("G");
    pty.wait("the end of the list", |s| s.contains("Artist 1000000"));
    std::thread::sleep(Duration::from_secs(4));
    pty.take_in();
    for _ in 0..600 {
        presses.press(&mut pty, "k", REPEAT);
    }
    let how = "a million artists: 600 rows down from the first and 600 up from the last, a key every 33 ms";
    presses.rows(goals, "holding j", how);
}

/// The start with a large library and with none.
fn starting(goals: &mut Goals, runtime: &Runtime) {
    let [full, empty] = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let file = full.path().join(PROFILE).join("catalog.db");
    runtime.block_on(async {
        fill(&file, 9, 100_000).await;
        let catalog = Catalog::open(&file).await.unwrap();
        catalog.warm_search().await.unwrap();
        catalog.close().await;
        Catalog::open(&empty.path().join(PROFILE).join("catalog.db")).await.unwrap().close().await;
    });
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        for (home, times) in [(&full, &mut with), (&empty, &mut without)] {
            let mut pty = start(home.path(), &NOWHERE);
            let large = home.path() == full.path();
            // With a library the page counts when its rows are there.
            let there = pty.wait("the first page", |s| {
                if large {
                    s.contains("Recently added") && s.contains("100,000 tracks")
                } else {
                    s.contains("no music here yet")
                }
            });
            times.push(there.duration_since(pty.began).as_secs_f64() * 1000.0);
        }
    }
    let (with, without) = (median(with), median(without));
    goals.row(
        with <= without + 20.0,
        "start with 100,000 tracks",
        &format!("{with:.0} ms; with none {without:.0} ms"),
        "<= none + 20 ms",
        "until the opening page has its rows; with none until it says so; medians of 7 starts in turn",
    );
}

/// The start over 20,000 files, read before, beside cmus.
fn beside_cmus(goals: &mut Goals) {
    let name = "start with 20,000 tracks, beside cmus";
    let Some(cmus) = installed("cmus") else { return goals.skipped(name, "cmus is not installed") };
    let collection = Collection::make(false);
    if !collection.in_cmus {
        return goals.skipped(name, "cmus did not take the files into its library");
    }
    let (home, music) = (collection.home(), collection.music().display().to_string());
    let args = ["--music", music.as_str(), "--output", "silent"];
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut pty = start(home, &args);
        let there = pty.wait("the first page", |s| s.contains("Recently added") && s.contains("Artist 0"));
        ours.push(there.duration_since(pty.began).as_secs_f64() * 1000.0);
        drop(pty);
        let mut pty = Pty::start(&cmus, &[], home, &variables(home));
        let there = pty.wait("cmus's library", |s| s.contains("Artist 0003"));
        theirs.push(there.duration_since(pty.began).as_secs_f64() * 1000.0);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    goals.row(
        ours <= theirs * 0.5,
        name,
        &format!("{ours:.0} ms; cmus {theirs:.0} ms ({:.2} x)", ours / theirs),
        "<= 0.5 x",
        "the server inside, files scanned before; until the opening page has its rows, cmus until its library is drawn",
    );
}
