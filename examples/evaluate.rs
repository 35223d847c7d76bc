//! Measures the product's recommendations on listening data with a fixed split.
//!
//! ```text
//! evaluate --train F [--foldin F] [--tags F] --users F --out RECS.tsv [--top 100] [--seed 1] [--threads N]
//! ```
//!
//! `--train` and `--foldin` hold rows of `user<TAB>item<TAB>plays`. Without `--foldin` the users asked about are
//! those trained on; with it they are new and bring their history. `--tags` holds rows of `user<TAB>item<TAB>tag…` (or
//! `item<TAB>tag`); a header does no harm. What an asked user tagged is left out as far as it could tell what is hidden:
//! everything of a user of `--foldin`, and whatever is not in the user's own `--train` rows otherwise. `--users` names
//! the users to be served, in the first column. `--out` receives rows of `user<TAB>rank<TAB>item`. What was tried
//! and chosen goes to standard error.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::fmt::Write as _;
use std::time::Instant;

use segue::taste::{Audience, History, Interactions, Model, Tags, TrainOptions, train};

/// Numbers for names, in the order of their first appearance.
#[derive(Default)]
struct Names {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        number
    }
}

struct Arguments {
    named: HashMap<String, String>,
}

impl Arguments {
    fn parse() -> Result<Self, Box<dyn Error>> {
        const KNOWN: [&str; 8] = ["train", "foldin", "tags", "users", "out", "top", "seed", "threads"];
        let mut named = HashMap::new();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").filter(|name| KNOWN.contains(name));
            let name =
                name.ok_or_else(|| format!("do not know {word}; see the head of examples/evaluate.rs"))?;
            named.insert(name.to_owned(), words.next().ok_or_else(|| format!("--{name} needs a value"))?);
        }
        Ok(Self { named })
    }

    fn needed(&self, name: &str) -> Result<&str, Box<dyn Error>> {
        Ok(self.named.get(name).ok_or_else(|| format!("--{name} is missing"))?)
    }

    fn number<T: std::str::FromStr>(&self, name: &str, or: T) -> Result<T, Box<dyn Error>> {
        let Some(text) = self.named.get(name) else { return Ok(or) };
        text.parse().map_err(|_| format!("--{name} is not a number: {text}").into())
    }
}

fn read(path: &str) -> Result<String, Box<dyn Error>> {
    // Tags and names in the wild are not all UTF-8.
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `(user, item, plays)` with the names as they are.
fn rows(text: &str) -> impl Iterator<Item = (&str, &str, f32)> {
    text.lines().filter_map(|line| {
        let mut cells = line.split('\t');
        let (user, item) = (cells.next()?, cells.next()?);
        Some((user, item, cells.next().and_then(|plays| plays.trim().parse().ok()).unwrap_or(1.0)))
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse()?;
    let (mut users, mut items) = (Names::default(), Names::default());
    let mut histories: HashMap<String, Vec<(u32, f32)>> = HashMap::new();

    let text = read(arguments.needed("train")?)?;
    let triples: Vec<(u32, u32, f32)> =
        rows(&text).map(|(user, item, plays)| (users.number(user), items.number(item), plays)).collect();
    let foldin = arguments.named.get("foldin").map(|path| read(path)).transpose()?;
    for (user, item, plays) in rows(foldin.as_deref().unwrap_or(&text)) {
        histories.entry(user.to_owned()).or_default().push((items.number(item), plays));
    }

    let mut asked: Vec<&str> = Vec::new();
    let mut seen = HashSet::new();
    let user_text = read(arguments.needed("users")?)?;
    for line in user_text.lines() {
        let user = line.split('\t').next().unwrap_or_default();
        if !user.is_empty() && seen.insert(user) {
            asked.push(user);
        }
    }

    let mut tag_names = Names::default();
    let mut counts: BTreeMap<(u32, u32), f32> = BTreeMap::new();
    if let Some(path) = arguments.named.get("tags") {
        let text = read(path)?;
        for line in text.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let (user, item, tag) = match cells[..] {
                [item, tag] => (None, item, tag),
                [user, item, tag, ..] => (Some(user), item, tag),
                _ => continue,
            };
            let telling = user.is_some_and(|user| {
                let played = |history: &Vec<(u32, f32)>| {
                    items.numbers.get(item).is_some_and(|item| history.iter().any(|(own, _)| own == item))
                };
                match histories.get(user) {
                    Some(_) if foldin.is_some() => true,
                    history => seen.contains(user) && !history.is_some_and(played),
                }
            });
            if !telling {
                *counts.entry((items.number(item), tag_names.number(tag))).or_default() += 1.0;
            }
        }
    }
    let data = Interactions::new(users.names.len(), items.names.len(), triples);
    let tag_counts = counts.into_iter().map(|((item, tag), count)| (item, tag, count));
    let tags = Tags::new(items.names.len(), tag_names.names.len(), tag_counts);

    let defaults = TrainOptions::default();
    let options = TrainOptions {
        audience: if foldin.is_some() { Audience::New } else { Audience::Known },
        seed: arguments.number("seed", defaults.seed)?,
        threads: arguments.number("threads", defaults.threads)?,
    };
    let began = Instant::now();
    let model: Model = train(&data, &tags, &options);
    let trained = began.elapsed();
    eprint!("{}", model.table());

    let (top, mut out, mut times) = (arguments.number("top", 100)?, String::new(), Vec::new());
    for user in asked {
        let history = History::new(histories.remove(user).unwrap_or_default());
        let began = Instant::now();
        let ranked = model.rank(&history, top);
        times.push(began.elapsed());
        for (rank, (item, _)) in ranked.iter().enumerate() {
            writeln!(out, "{user}\t{}\t{}", rank + 1, items.names[*item as usize])?;
        }
    }
    std::fs::write(arguments.needed("out")?, out)?;
    times.sort_unstable();
    let at =
        |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1)));
    eprintln!(
        "{} listeners, {} items, {} pairs; trained in {trained:.1?}; one recommendation {:.1?} (p50) {:.1?} (p99)",
        data.users(),
        data.items(),
        data.cells(),
        at(0.5).copied().unwrap_or_default(),
        at(0.99).copied().unwrap_or_default()
    );
    Ok(())
}
