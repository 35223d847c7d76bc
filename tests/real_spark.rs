//! Our training beside Spark's: the same plays, the same objective, the same hidden part; and the way of factors from Spark into a server.
//! Run by `.ci/run`, which installs Spark and names a Python that has it in `SEGUE_TEST_SPARK`.
//!
//! The listening is made up, with planted tastes. `SEGUE_SPARK_SPLIT` names a folder with `train.tsv` and `test.tsv` (rows of
//! `user<TAB>item<TAB>plays`) to be used instead; `SEGUE_SPARK_FIT` is `RANK,ITERATIONS,ALPHA,REGULARISATION`.

#![cfg(feature = "cloud")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/crowd.rs"]
mod crowd;
#[path = "common/library.rs"]
mod library;
mod program;
#[path = "common/tables.rs"]
mod tables;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crowd::{gather, name, shelve};
use program::{Home, installed, skip};
use segue::catalog::Catalog;
use segue::server::lake::Place;
use segue::taste::{Als, AlsOptions, History, Interactions, TrainOptions, largest, mean, ndcg};
use tables::{lists_in, names_in};

/// Listening and what is hidden of it.
struct Split {
    users: u32,
    items: u32,
    train: Vec<(u32, u32)>,
    hidden: BTreeMap<u32, Vec<u32>>,
}

impl Split {
    fn of_this_run() -> Self {
        match std::env::var_os("SEGUE_SPARK_SPLIT") {
            Some(folder) => Self::of_files(Path::new(&folder)),
            None => Self::made_up(1_500, 1_200, 30),
        }
    }

    fn made_up(users: u32, items: u32, plays: u32) -> Self {
        let (mut train, mut hidden) = (Vec::new(), BTreeMap::<u32, Vec<u32>>::new());
        for (at, (user, item, _)) in crowd::tastes(users, items, plays, 11).into_iter().enumerate() {
            // One in five, spread over the items.
            if (at * 7 + user as usize).is_multiple_of(5) {
                hidden.entry(user).or_default().push(item);
            } else {
                train.push((user, item));
            }
        }
        Self { users, items, train, hidden }
    }

    fn of_files(folder: &Path) -> Self {
        let (mut users, mut items) = (HashMap::<String, u32>::new(), HashMap::<String, u32>::new());
        let number = |names: &mut HashMap<String, u32>, name: &str| {
            let next = names.len() as u32;
            *names.entry(name.to_owned()).or_insert(next)
        };
        let mut read = |file: &str| {
            let text = std::fs::read_to_string(folder.join(file)).unwrap();
            let pairs = text.lines().map(|line| {
                let mut cells = line.split('\t');
                let user = number(&mut users, cells.next().unwrap());
                (user, number(&mut items, cells.next().unwrap()))
            });
            pairs.collect::<Vec<_>>()
        };
        let (train, test) = (read("train.tsv"), read("test.tsv"));
        let mut hidden = BTreeMap::<u32, Vec<u32>>::new();
        for (user, item) in test {
            hidden.entry(user).or_default().push(item);
        }
        Self { users: users.len() as u32, items: items.len() as u32, train, hidden }
    }

    fn history(&self, user: u32) -> History {
        History::new(self.train.iter().filter(|(of, _)| *of == user).map(|(_, item)| (*item, 1.0)))
    }

    /// Mean NDCG@100 and Recall@20 of a model that fills in the scores of all items for a listener.
    fn judge(&self, mut score: impl FnMut(u32, &History, &mut [f32])) -> (f32, f32) {
        let (mut gains, mut recalls) = (Vec::new(), Vec::new());
        let mut scores = vec![0.0; self.items as usize];
        for (user, hidden) in &self.hidden {
            let history = self.history(*user);
            score(*user, &history, &mut scores);
            let ranked = largest(&scores, history.items(), 100);
            let hits: Vec<bool> = ranked.iter().map(|(item, _)| hidden.contains(item)).collect();
            gains.push(ndcg(hits.iter().copied(), hidden.len()));
            recalls.push(hits.iter().take(20).filter(|hit| **hit).count() as f32 / hidden.len() as f32);
        }
        (mean(&gains), mean(&recalls))
    }
}

/// The tables of a folder that Spark wrote.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut parts: Vec<PathBuf> =
        all.filter(|file| file.extension().is_some_and(|end| end == "parquet")).collect();
    parts.sort();
    parts
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn our_training_and_sparks_reach_the_same_on_the_same_split() {
    let Some(python) = std::env::var_os("SEGUE_TEST_SPARK") else {
        return skip("Spark (SEGUE_TEST_SPARK names a Python with pyspark)");
    };
    if installed("java").is_none() {
        return skip("Java");
    }
    let fit = std::env::var("SEGUE_SPARK_FIT").unwrap_or_else(|_| "32,15,10,1".to_owned());
    let fit: Vec<&str> = fit.split(',').collect();
    let split = Split::of_this_run();
    let home = Home::new();
    let data = home.path().join("server");
    let catalog = Catalog::open(&segue::server::catalog_file(&data)).await.unwrap();
    shelve(&catalog, split.items).await;
    let pairs: Vec<(u32, u32, u32)> = split.train.iter().map(|(user, item)| (*user, *item, 1)).collect();
    gather(&catalog, &pairs).await;

    // The way of an operator: export, let Spark train, take the factors over.
    let (lake, models) = (home.path().join("lake"), home.path().join("models"));
    let args = ["plays", "export", "--data", data.to_str().unwrap(), "--plays-store", lake.to_str().unwrap()];
    let said = home.command(&args).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let begun = Instant::now();
    let job = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/spark/als.py");
    let mut spark = Command::new(&python);
    spark.arg(job).arg("--plays").arg(&lake).arg("--out").arg(&models);
    spark.args(["--rank", fit[0], "--iterations", fit[1], "--alpha", fit[2], "--regularisation", fit[3]]);
    spark.args(["--blocks", "2"]).env("PYTHONDONTWRITEBYTECODE", "1").env(
        "PYSPARK_SUBMIT_ARGS",
        "--master local[2] --driver-memory 1g --conf spark.driver.host=127.0.0.1 --conf spark.driver.bindAddress=127.0.0.1 \
         --conf spark.ui.enabled=false --conf spark.sql.shuffle.partitions=4 pyspark-shell",
    );
    let said = spark.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let whole = begun.elapsed();
    let place = Place::open(&models).unwrap();
    let factors = place.factors(None).await.unwrap().unwrap();
    let manifest = std::fs::read_to_string(models.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let spark_fit = manifest["fit_seconds"].as_f64().unwrap();
    assert_eq!(manifest["pairs"].as_u64().unwrap(), split.train.len() as u64);

    // The same objective on the same pairs by ours.
    let cells = split.train.iter().map(|(user, item)| (*user, *item, 1.0));
    let listening = Interactions::new(split.users as usize, split.items as usize, cells);
    let options = AlsOptions { seed: 5, ..factors.options() };
    let begun = Instant::now();
    let own = Als::train(&listening, options, TrainOptions::default().threads);
    let own_fit = begun.elapsed().as_secs_f64();

    // Spark's listeners and items as its own tables have them, read without our code.
    let of = |table: &str| models.join(manifest[table].as_str().unwrap());
    let names: HashMap<i32, String> = parts(&of("items")).iter().flat_map(|file| names_in(file)).collect();
    let mut of_items = vec![vec![0.0; factors.rank]; split.items as usize];
    for (id, row) in parts(&of("item_factors")).iter().flat_map(|file| lists_in(file)) {
        of_items[names[&id][1..].parse::<usize>().unwrap()] = row;
    }
    let people: HashMap<i32, String> =
        parts(&of("listeners")).iter().flat_map(|file| names_in(file)).collect();
    let rows = parts(&of("user_factors"));
    let mut of_users: HashMap<String, Vec<f32>> =
        rows.iter().flat_map(|file| lists_in(file)).map(|(id, row)| (people[&id].clone(), row)).collect();
    let mut of_user = HashMap::new();
    for user in split.hidden.keys() {
        let pseudonym = catalog.pseudonym(&name(*user).as_str().into()).await.unwrap().unwrap();
        of_user.insert(*user, of_users.remove(&pseudonym).unwrap_or_else(|| vec![0.0; factors.rank]));
    }

    let ours = split.judge(|_, history, out| own.score(history, 2, out));
    let theirs = split.judge(|user, _, out| {
        for (out, row) in out.iter_mut().zip(&of_items) {
            *out = dot(&of_user[&user], row);
        }
    });
    let over = factors.over(split.items as usize, |track| track.as_str()[1..].parse().ok());
    let served = split.judge(|_, history, out| over.score(history, 2, out));
    let popular = split.judge(|_, _, out| {
        for (at, out) in (0..).zip(out.iter_mut()) {
            *out = listening.by_item().columns(at).len() as f32;
        }
    });
    let unoptimised = if cfg!(debug_assertions) { " (not optimised)" } else { "" };
    println!(
        "{} listeners, {} items, {} pairs; rank {}, {} iterations, alpha {}, lambda {}",
        split.users,
        split.items,
        split.train.len(),
        fit[0],
        fit[1],
        fit[2],
        fit[3]
    );
    println!("                         NDCG@100  Recall@20  training, s");
    let row = |what: &str, (ndcg, recall): (f32, f32), time: String| {
        println!("{what:<24} {ndcg:>8.4}  {recall:>9.4}  {time}");
    };
    row("ours", ours, format!("{own_fit:.2}{unoptimised}"));
    row("Spark's", theirs, format!("{spark_fit:.2} (the whole job {:.1})", whole.as_secs_f64()));
    row("Spark's, as we serve it", served, String::new());
    row("popularity", popular, String::new());
    let near = |a: f32, b: f32, within: f32| (a / b - 1.0).abs() <= within;
    assert!(near(ours.0, theirs.0, 0.02) && near(ours.1, theirs.1, 0.02), "{ours:?} and {theirs:?}");
    assert!(near(served.0, theirs.0, 0.01) && near(served.1, theirs.1, 0.01), "{served:?} and {theirs:?}");
    assert!(ours.0 > popular.0 * 1.3, "the metrics tell a model from none");
}
