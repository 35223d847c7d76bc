//! The measured claims of `taste` on generated listening: a row for each goal with `held`, `missed` or `skipped`.
//!
//! `cargo bench --bench taste`. The peer is `implicit` (`PyPI`) in the Python that `SEGUE_BENCH_PYTHON` names (or
//! `target/peers/taste/bin/python`); both sides train on the same pairs on all cores, one after the other, and the best of three counts.
//! Quality on real data is measured by `examples/evaluate.rs` and a scorer, not here. How fast tracks are heard, and how well their
//! nearest neighbours fit, is measured on made-up albums beside bliss-audio (`sound`).

#![allow(clippy::expect_used, unreachable_pub, reason = "a bench fails by panicking")]

#[path = "../goals/mod.rs"]
mod goals;
mod sound;

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use goals::Goals;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use segue::taste::{Als, AlsOptions, History, Index, Interactions, Tags, TrainOptions, Weighting, train};

const FACTORS: usize = 128;
const ITERATIONS: usize = 10;

/// Listening with popular and unpopular items and a few scenes.
fn listening(users: u32, items: u32, each: u32) -> Interactions {
    let mut random = StdRng::seed_from_u64(1);
    let mut triples = Vec::new();
    for user in 0..users {
        for _ in 0..each {
            let scene = if random.random::<f32>() < 0.8 { user % 20 } else { random.random_range(0..20) };
            let rank = (items as f32 / 20.0 * random.random::<f32>().powi(4)) as u32;
            triples.push((user, (rank * 20 + scene).min(items - 1), random.random_range(1..500) as f32));
        }
    }
    Interactions::new(users as usize, items as usize, triples)
}

fn best_of<T>(times: usize, mut work: impl FnMut() -> T) -> Duration {
    let once = |_| {
        let began = Instant::now();
        black_box(work());
        began.elapsed()
    };
    (0..times).map(once).min().unwrap_or_default()
}

const PEER: &str = "
import sys, time, warnings
warnings.filterwarnings('ignore')
import numpy, scipy.sparse, implicit
rows = numpy.loadtxt(sys.argv[1], dtype=numpy.float32)
x = scipy.sparse.csr_matrix((numpy.log1p(rows[:, 2]), (rows[:, 0].astype(int), rows[:, 1].astype(int))))
best = 1e9
for _ in range(3):
    began = time.time()
    model = implicit.als.AlternatingLeastSquares(factors=int(sys.argv[2]), iterations=int(sys.argv[3]), regularization=100, alpha=5, random_state=1)
    model.fit(x, show_progress=False)
    best = min(best, time.time() - began)
print(best)
";

/// Seconds that the peer takes, if it is installed.
fn peer(data: &Interactions) -> Option<f64> {
    let python = std::env::var_os("SEGUE_BENCH_PYTHON")
        .map_or_else(|| PathBuf::from("target/peers/taste/bin/python"), PathBuf::from);
    let mut text = String::new();
    for (user, item, plays) in data.triples() {
        writeln!(text, "{user} {item} {plays}").ok()?;
    }
    let folder = tempfile::tempdir().ok()?;
    let file = folder.path().join("pairs");
    std::fs::write(&file, text).ok()?;
    let arguments = [FACTORS.to_string(), ITERATIONS.to_string()];
    let output = Command::new(python)
        .args(["-c", PEER])
        .arg(&file)
        .args(arguments)
        .env("OPENBLAS_NUM_THREADS", "1")
        .output()
        .ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

fn main() -> ExitCode {
    let mut goals = Goals::default();
    let threads = TrainOptions::default().threads;

    let data = listening(1_900, 17_600, 45);
    let options = AlsOptions {
        factors: FACTORS,
        iterations: ITERATIONS,
        weighting: Weighting::Log,
        ..AlsOptions::default()
    };
    let own = best_of(3, || Als::train(&data, options, threads)).as_secs_f64();
    if let Some(other) = peer(&data) {
        let how = format!("{own:.3} s against {other:.3} s, {FACTORS} factors, {ITERATIONS} iterations");
        let ratio = own / other;
        goals.row(ratio <= 0.5, "training over implicit's ALS", &format!("{ratio:.3}"), "at most 0.5", &how);
    } else {
        let why = format!("no Python with implicit ({own:.3} s alone)");
        goals.skipped("training over implicit's ALS", &why);
    }

    let data = listening(2_000, 50_000, 45);
    let began = Instant::now();
    let model = train(&data, &Tags::default(), &TrainOptions::default());
    let trained = began.elapsed();
    let mut times: Vec<Duration> = (0..1_000)
        .map(|user| {
            let history = History::new(data.by_user().row(user));
            let began = Instant::now();
            black_box(model.rank(&history, 100));
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let how = format!("50,000 items, p50 {:.2?}; training with its search took {trained:.1?}", times[500]);
    let ms = times[990].as_secs_f64() * 1e3;
    goals.row(ms < 5.0, "one listener's 100 best, p99", &format!("{ms:.2} ms"), "under 5 ms", &how);

    let (count, width) = (1_000_000, 64);
    let mut random = StdRng::seed_from_u64(2);
    let factors: Vec<f32> = (0..count * width).map(|_| random.random::<f32>() - 0.5).collect();
    let query: Vec<f32> = (0..width).map(|_| random.random::<f32>() - 0.5).collect();
    let share = factors.len().div_ceil(threads);
    let stream = best_of(7, || {
        std::thread::scope(|scope| {
            for part in factors.chunks(share) {
                scope.spawn(|| {
                    let mut sums = [0.0_f32; 64];
                    for row in part.as_chunks::<64>().0 {
                        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                    }
                    black_box(sums)
                });
            }
        });
    });
    let index = Index::new(factors, width, threads);
    assert_eq!(index.top(&query, &[], 100, threads), index.top_by_full_pass(&query, &[], 100, threads));
    for (name, two_passes) in [("8-bit pass, exact", true), ("full pass", false)] {
        let found = best_of(7, || {
            if two_passes {
                index.top(&query, &[], 100, threads)
            } else {
                index.top_by_full_pass(&query, &[], 100, threads)
            }
        });
        let how = format!("1,000,000 x 64: {found:.2?} against {stream:.2?} for streaming the bytes once");
        let ratio = found.as_secs_f64() / stream.as_secs_f64();
        let name = format!("top 100 over streaming, {name}");
        goals.row(ratio <= 1.3, &name, &format!("{ratio:.2}"), "at most 1.3", &how);
    }

    sound::measure(&mut goals, threads);
    goals.end()
}
