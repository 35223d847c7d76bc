//! Implicit-feedback matrix factorisation by alternating least squares (iALS), solved exactly.
//!
//! Model and weights are those of Rendle, Krichene, Zhang and Koren, "Revisiting the Performance of iALS on Item
//! Recommendation Benchmarks" (16th ACM Conference on Recommender Systems, 2022, arXiv 2110.14037), with per-play weights as in Hu, Koren and Volinsky
//! (ICDM 2008). With `w` the weight of a play and `r = 1`, both sides' factors `x`, `y` minimise
//!
//! ```text
//!   Σ played w (1 − x·y)²  +  Σ all αᵢ (x·y)²  +  Σ λᵤ |xᵤ|² + Σ λᵢ |yᵢ|²
//!   λᵤ = λ · ((nᵤ + α₀ N) / mean)^ν        n: the row's number of plays, N: size of the other side
//!   αᵢ = α₀ · (nᵢ / mean)^ρ
//! ```
//!
//! ρ > 0 lets a popular item that was not played count more against it, since it was more likely seen and passed
//! over (He, Zhang, Kan and Chua, "Fast Matrix Factorization for Online Recommendation with Implicit Feedback", SIGIR 2016). It is
//! worth 3 to 5 % of NDCG for listeners who are folded in.
//!
//!
//! That is [`Objective::Blank`]. [`Objective::Confidence`] is the older one of Hu, Koren and Volinsky with `λᵤ` scaled as Zhou, Wilkinson,
//! Schreiber and Pan do it (ALS-WR, AAIM 2008), which Spark's `MLlib` has as well: `Σ all c (p − x·y)²`, `c = α₀ + w` and `p = 1` for what was
//! played, `α₀` and 0 for the rest, `λᵤ = λ nᵤ^ν`. Its equations have the same matrix, and `w + α₀` in the place of `w` on the right.
//!
//! ν = 0 is the classic constant regularisation and ν = 1 the frequency-scaled one. `λᵤ` is rounded to the
//! nearest of a geometric ladder (a third of an octave), so that few different values occur in a half-step. This
//! is what makes an exact half-step cheap: for each value `A = Σ αᵢ yᵢ yᵢᵀ + λ I = UᵀU` is factored once and the other side
//! turned by it once; then a row with `n` plays is an `n × n` system instead of a `d × d` one,
//!
//! ```text
//!   xᵤ = (A + Yᵤᵀ W Yᵤ)⁻¹ Yᵤᵀ w  =  Zᵤᵀ √W (I + √W Yᵤ Zᵤᵀ √W)⁻¹ √w          Z = Y A⁻¹      (Woodbury)
//!                                 =  U⁻¹ Vᵤᵀ √W (I + √W Vᵤ Vᵤᵀ √W)⁻¹ √w      V = Y U⁻¹
//! ```
//!
//! used where it is the cheaper. The first way reads two matrices; the second only one, but has to turn each solution back, and
//! is taken by the side with fewer rows. Most rows of a long-tailed catalogue are short, so the time goes to a
//! few matrix products and not to ten thousand Cholesky factors. Memory: `8 d (U + I)` bytes of factors and turned
//! factors, 24 bytes for each interaction (12 more than the data itself), and `O(d²)` for each thread.

// A function that is not inlined is compiled for the oldest machine, not for its caller's instruction set.
#![allow(clippy::inline_always)]
// The formulas' own letters.
#![allow(clippy::many_single_char_names)]

use pulp::{Arch, Simd, WithSimd};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::interactions::{History, Interactions, Rows, Weighting};
use super::kernels::{self, Factor, Packs, Part, View};
use super::parallel;

/// Steps of the ladder of regularisations in an octave. Each costs a product of the other side by a matrix.
const STEPS: f32 = 3.0;

/// Items whose scores are one thread's work at a time.
const PIECE: usize = 8192;

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Objective {
    /// That of Rendle et al.: all pairs pull towards nothing, and what was played towards 1.
    #[default]
    Blank,
    /// That of Hu et al.: pairs pull towards nothing where they were not played, with `λ` scaled by the number of plays alone. Weights of
    /// unplayed pairs are the same for all items.
    Confidence,
}

/// What a factorisation is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlsOptions {
    /// What is minimised.
    pub objective: Objective,
    /// Number of factors `d`.
    pub factors: usize,
    /// Number of sweeps over both sides.
    pub iterations: usize,
    /// How plays become weights `w`.
    pub weighting: Weighting,
    /// Weight `α₀` of all the pairs of an ordinary item, played or not.
    pub unobserved: f32,
    /// Regularisation `λ`.
    pub regularisation: f32,
    /// Exponent `ν` of the frequency scaling: 0 to 1.
    pub frequency: f32,
    /// Exponent of an item's popularity in the weight of its unplayed pairs.
    pub popularity: f32,
    /// Seed of the first item factors.
    pub seed: u64,
}

impl AlsOptions {
    /// What a played pair pulls with towards 1 beyond its weight.
    fn lift(&self) -> f32 {
        match self.objective {
            Objective::Blank => 0.0,
            Objective::Confidence => self.unobserved,
        }
    }
}

impl Default for AlsOptions {
    fn default() -> Self {
        Self {
            objective: Objective::Blank,
            factors: 128,
            iterations: 10,
            weighting: Weighting::Log,
            unobserved: 0.2,
            regularisation: 10.0,
            frequency: 0.5,
            popularity: 0.0,
            seed: 1,
        }
    }
}

/// A trained factorisation: item factors, and what it takes to fold in a listener.
#[derive(Debug, Clone)]
pub struct Als {
    options: AlsOptions,
    items: Vec<f32>,
    /// `Σ αᵢ yᵢ yᵢᵀ` of the item factors.
    gram: Vec<f32>,
    /// Weight of each item's unplayed pairs.
    blank: Vec<f32>,
    ladder: Ladder,
}

/// The regularisation of a row by its number of plays.
#[derive(Debug, Clone, Copy)]
struct Ladder {
    base: f32,
    prior: f32,
    mean: f32,
    exponent: f32,
}

impl Ladder {
    /// That of Zhou et al.
    fn by_plays(options: &AlsOptions) -> Self {
        Self { base: options.regularisation, prior: 0.0, mean: 1.0, exponent: options.frequency }
    }

    fn new(options: &AlsOptions, rows: &Rows, other: usize) -> Self {
        if options.objective == Objective::Confidence {
            return Self::by_plays(options);
        }
        let prior = options.unobserved * other as f32;
        let used = (0..rows.len() as u32).filter(|&row| !rows.columns(row).is_empty()).count();
        let mean = rows.cells() as f32 / used.max(1) as f32 + prior;
        Self { base: options.regularisation, prior, mean: mean.max(1e-6), exponent: options.frequency }
    }

    /// The step of a row with `count` plays: parts of an octave from the base.
    fn step(&self, count: usize) -> i32 {
        let ratio = (count as f32 + self.prior).max(1e-6) / self.mean;
        (STEPS * self.exponent * ratio.log2()).round() as i32
    }

    fn value(&self, step: i32) -> f32 {
        self.base * (step as f32 / STEPS).exp2()
    }
}

impl Als {
    /// Trains on `data`, whose weights are counts of plays, on `threads` threads. The result does not depend on
    /// their number.
    pub fn train(data: &Interactions, options: AlsOptions, threads: usize) -> Self {
        let d = options.factors.max(1);
        let popularity = if options.objective == Objective::Blank { options.popularity } else { 0.0 };
        let options = AlsOptions { factors: d, popularity, ..options };
        let weighted = data.weighted(options.weighting);
        let (by_user, by_item) = (weighted.by_user(), weighted.by_item());
        let user_ladder = Ladder::new(&options, by_user, data.items());
        let item_ladder = Ladder::new(&options, by_item, data.users());
        let mut random = StdRng::seed_from_u64(options.seed);
        let spread = 1.0 / (d as f32).sqrt();
        let mut users = vec![0.0; data.users() * d];
        let mut items = vec![0.0; data.items() * d];
        for (item, row) in items.chunks_exact_mut(d).enumerate() {
            let played = !by_item.columns(item as u32).is_empty();
            for value in row.iter_mut().filter(|_| played) {
                // A sum of three uniform numbers: near enough to a normal one, and the scale matters little.
                let bits = random.random::<u64>();
                let uniform = |part: u32| ((bits >> (21 * part)) & 0x1f_ffff) as f32 / 2_097_152.0 - 0.5;
                *value = 0.2 * spread * (0..3).map(uniform).sum::<f32>();
            }
        }
        let count = |item: u32| by_item.columns(item).len().max(1) as f32;
        let played = (0..data.items() as u32).filter(|&item| !by_item.columns(item).is_empty()).count();
        let mean = data.cells().max(1) as f32 / played.max(1) as f32;
        let blank: Vec<f32> = (0..data.items() as u32)
            .map(|item| options.unobserved * (count(item) / mean).powf(options.popularity))
            .collect();
        let one = vec![options.unobserved; data.users()];
        let mut work = HalfStep::new(d, threads, options.lift());
        for _ in 0..options.iterations.max(1) {
            work.run(by_user, &user_ladder, &items, &blank, None, &mut users);
            work.run(
                by_item,
                &item_ladder,
                &users,
                &one,
                (options.popularity != 0.0).then_some(&blank),
                &mut items,
            );
        }
        let mut gram = vec![0.0; d * d];
        weighted_gram(threads, &items, &blank, d, &mut gram);
        Self { options, items, gram, blank, ladder: user_ladder }
    }

    /// One whose factors were trained elsewhere on the objective that `options` say, of `all` items there, in rows of `factors`.
    /// `places` says which item of this catalogue each of them is, if any; items that were not known there score 0.
    pub fn trained_elsewhere(
        options: AlsOptions,
        all: &[f32],
        places: impl IntoIterator<Item = Option<u32>>,
        items: usize,
    ) -> Self {
        let d = options.factors.max(1);
        let options = AlsOptions { factors: d, popularity: 0.0, ..options };
        let mut own = vec![0.0; items * d];
        for (row, place) in all.chunks_exact(d).zip(places) {
            let place = place.and_then(|place| own.get_mut(place as usize * d..place as usize * d + d));
            if let Some(place) = place {
                place.copy_from_slice(row);
            }
        }
        let mut gram = vec![0.0; d * d];
        weighted_gram(1, all, &vec![options.unobserved; all.len() / d], d, &mut gram);
        let ladder = Ladder::by_plays(&options);
        Self { options, items: own, gram, blank: vec![options.unobserved; items], ladder }
    }

    /// What the model was trained with.
    pub fn options(&self) -> &AlsOptions {
        &self.options
    }

    /// The item factors, a row of `factors` for each item.
    pub fn item_factors(&self) -> &[f32] {
        &self.items
    }

    /// The factors of all listeners of `data`, a row of `factors` for each: what [`Als::fold_in`] gives for each history,
    /// by the half-step of training, many times faster. For nightly jobs and clusters of taste.
    pub fn user_factors(&self, data: &Interactions, threads: usize) -> Vec<f32> {
        let d = self.options.factors;
        let weighted = data.weighted(self.options.weighting);
        let mut out = vec![0.0; data.users() * d];
        let mut work = HalfStep::new(d, threads, self.options.lift());
        work.run(weighted.by_user(), &self.ladder, &self.items, &self.blank, None, &mut out);
        out
    }

    /// The factors of a listener with this history: the same equations that made a trained user's, so that a
    /// listener needs no retraining after a new play. All zeros for an empty history.
    pub fn fold_in(&self, history: &History) -> Vec<f32> {
        let mut x = vec![0.0; self.options.factors];
        let mut pulls = self.known(history);
        for (_, weight) in &mut pulls {
            *weight += self.options.lift();
        }
        kernels::add_rows(&self.items, &pulls, &mut x);
        self.system(history).solve(&mut x);
        x
    }

    fn known(&self, history: &History) -> Vec<(u32, f32)> {
        let count = self.items.len() / self.options.factors;
        history.weighted(self.options.weighting).filter(|&(item, _)| (item as usize) < count).collect()
    }

    /// `Σ αᵢ yᵢ yᵢᵀ + λᵤ I + Σ w y yᵀ` for a history, factored.
    fn system(&self, history: &History) -> Factor {
        let d = self.options.factors;
        let known = self.known(history);
        let mut own = vec![0.0; known.len() * d];
        for (row, &(item, weight)) in own.chunks_exact_mut(d).zip(&known) {
            let start = item as usize * d;
            for (cell, factor) in row.iter_mut().zip(&self.items[start..start + d]) {
                *cell = factor * weight.sqrt();
            }
        }
        let mut plays = vec![0.0; d * d];
        kernels::gram(1, &own, d, &mut plays);
        let regularisation = self.ladder.value(self.ladder.step(known.len()));
        let mut system = Factor::default();
        fill(&mut system, d, &self.gram, regularisation);
        for row in 0..d {
            for (cell, plays) in system.row(row).iter_mut().zip(&plays[row * d + row..]) {
                *cell += plays;
            }
        }
        system.decompose();
        system
    }

    /// Scores of all items for a listener, on at most `threads` threads where that saves time.
    pub fn score(&self, history: &History, threads: usize, out: &mut [f32]) {
        let (d, x) = (self.options.factors, self.fold_in(history));
        let pieces = out.chunks_mut(PIECE).zip(self.items.chunks(PIECE * d));
        parallel::for_each(threads, pieces, || (), |(), (out, items)| kernels::dots(items, &x, out));
    }

    /// For each of `items`, how much each item of the history adds to its score, in the order of the history:
    /// `w · yᵢᵀ A⁻¹ yⱼ`, whose sum is the score (Hu, Koren and Volinsky, section 5).
    pub fn contributions(&self, history: &History, items: &[u32]) -> Vec<Vec<f32>> {
        let d = self.options.factors;
        let row = |item: u32| self.items.get(item as usize * d..item as usize * d + d);
        let system = self.system(history);
        let shares = |item: &u32| {
            let Some(target) = row(*item) else { return vec![0.0; history.len()] };
            let mut x = target.to_vec();
            system.solve(&mut x);
            let own = history.weighted(self.options.weighting);
            let lift = self.options.lift();
            own.map(|(own, weight)| row(own).map_or(0.0, |own| (weight + lift) * kernels::dot(own, &x)))
                .collect()
        };
        items.iter().map(shares).collect()
    }
}

/// `Σ weight · row rowᵀ`.
fn weighted_gram(threads: usize, rows: &[f32], weights: &[f32], d: usize, out: &mut [f32]) {
    let first = weights.first().copied().unwrap_or(1.0);
    if weights.iter().all(|weight| weight.total_cmp(&first).is_eq()) {
        kernels::gram(threads, rows, d, out);
        for value in out {
            *value *= first;
        }
        return;
    }
    let mut scaled = rows.to_vec();
    for (row, weight) in scaled.chunks_exact_mut(d).zip(weights) {
        let root = weight.sqrt();
        for value in row {
            *value *= root;
        }
    }
    kernels::gram(threads, &scaled, d, out);
}

/// Fills the upper triangle with `gram + ridge · I`.
fn fill(system: &mut Factor, d: usize, gram: &[f32], ridge: f32) {
    system.reset(d);
    for (row, gram) in gram.chunks_exact(d).enumerate() {
        let cells = system.row(row);
        cells.copy_from_slice(&gram[row..]);
        cells[0] += ridge;
    }
}

/// One half-step: all rows of a side, given the other side.
struct HalfStep {
    d: usize,
    threads: usize,
    lift: f32,
    gram: Vec<f32>,
    /// `U⁻ᵀ` of the group that is solved, if its rows are to be turned back.
    root: Vec<f32>,
    /// `Y U⁻¹` or `Y A⁻¹`.
    turned: Vec<f32>,
}

/// The regularisation step of a row, and the row.
type Rung = (i32, u32);

impl HalfStep {
    fn new(d: usize, threads: usize, lift: f32) -> Self {
        Self { d, threads, lift, gram: vec![0.0; d * d], root: Vec::new(), turned: Vec::new() }
    }

    /// Solves `rows` into `out`. `blank` weighs the unplayed pairs of the other side's rows; `scale` those of this side's,
    /// if they differ: such a row's equations are divided by its weight, which leaves the shared matrix the same for all.
    fn run(
        &mut self,
        rows: &Rows,
        ladder: &Ladder,
        other: &[f32],
        blank: &[f32],
        scale: Option<&Vec<f32>>,
        out: &mut [f32],
    ) {
        let d = self.d;
        weighted_gram(self.threads, other, blank, d, &mut self.gram);
        let base = blank.first().copied().unwrap_or(1.0);
        let relative = |row: u32| scale.map_or(1.0, |scale| scale[row as usize] / base);
        let mut rungs: Vec<Rung> = (0..rows.len() as u32)
            .filter(|&row| !rows.columns(row).is_empty())
            .map(|row| {
                (ladder.step(rows.columns(row).len()) - (STEPS * relative(row).log2()).round() as i32, row)
            })
            .collect();
        rungs.sort_unstable();
        for group in rungs.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(step, _)) = group.first() else { continue };
            let ridge = ladder.value(step);
            let turn = self.worth_turning(rows, group, other.len() / d);
            let half = turn && group.len() * d < other.len();
            if turn {
                let mut shared = Factor::default();
                fill(&mut shared, d, &self.gram, ridge);
                shared.decompose();
                self.turned.resize(other.len(), 0.0);
                if half {
                    self.root = shared.inverse_root();
                    let root = View::transposed(&self.root, kernels::stride(d));
                    kernels::product(self.threads, other, d, root, Part::Triangle, &mut self.turned);
                } else {
                    let inverse = shared.inverse();
                    let inverse = View::rows(&inverse, d);
                    kernels::product(self.threads, other, d, inverse, Part::All, &mut self.turned);
                }
            }
            let side = Side {
                d,
                lift: self.lift,
                rows,
                other,
                turned: turn.then_some(&self.turned),
                root: half.then_some(&self.root),
                gram: &self.gram,
                ridge,
                scale,
                base,
            };
            let pieces: Vec<&[Rung]> = group.chunks(64).collect();
            let solved = parallel::map(self.threads, pieces.len(), Scratch::default, |scratch, piece| {
                let mut solved = vec![0.0; pieces[piece].len() * d];
                Arch::new().dispatch(SolveRows {
                    side: &side,
                    piece: pieces[piece],
                    out: &mut solved,
                    scratch,
                });
                solved
            });
            for (piece, solved) in pieces.iter().zip(&solved) {
                for (&(_, row), x) in piece.iter().zip(solved.chunks_exact(d)) {
                    out[row as usize * d..row as usize * d + d].copy_from_slice(x);
                }
            }
        }
    }

    /// True if turning the whole other side and solving `n × n` systems costs fewer multiply-adds than solving a
    /// `d × d` system for each row of the group.
    fn worth_turning(&self, rows: &Rows, group: &[Rung], others: usize) -> bool {
        let d = self.d;
        let full = |n: usize| n * d * d + d * d * d / 6;
        let small = |n: usize| n * n * d / 2 + n * n * n / 6;
        let counts = group.iter().map(|&(_, row)| rows.columns(row).len());
        let gain: usize = counts.map(|n| full(n).saturating_sub(small(n))).sum();
        gain > others * d * d
    }
}

/// A thread's buffers.
#[derive(Default)]
struct Scratch {
    own: Vec<f32>,
    turned: Vec<f32>,
    short: Vec<f32>,
    roots: Vec<f32>,
    square: Vec<f32>,
    system: Factor,
    packs: Packs,
}

/// What the rows of one group share.
struct Side<'a> {
    d: usize,
    lift: f32,
    rows: &'a Rows,
    other: &'a [f32],
    /// The other side turned, if that was worth it: `Y U⁻¹` if there is a root, `Y A⁻¹` otherwise.
    turned: Option<&'a Vec<f32>>,
    /// `U⁻ᵀ`, if rows are to be turned back.
    root: Option<&'a Vec<f32>>,
    gram: &'a [f32],
    ridge: f32,
    scale: Option<&'a Vec<f32>>,
    base: f32,
}

impl Side<'_> {
    /// What a play pulls with towards 1, over the root of its weight.
    #[inline(always)]
    fn pull(&self, root: f32) -> f32 {
        root + self.lift / root
    }
}

struct SolveRows<'a> {
    side: &'a Side<'a>,
    piece: &'a [Rung],
    out: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl WithSimd for SolveRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let d = self.side.d;
        let turned = |row: u32| self.side.turned.filter(|_| self.side.rows.columns(row).len() < d);
        for (&(_, row), x) in self.piece.iter().zip(self.out.chunks_exact_mut(d)) {
            self.scratch.roots.clear();
            let relative = self.side.scale.map_or(1.0, |scale| self.side.base / scale[row as usize]);
            self.scratch
                .roots
                .extend(self.side.rows.values(row).iter().map(|weight| (weight * relative).sqrt()));
            match turned(row) {
                Some(turned) => short_row(simd, self.side, turned, row, x, self.scratch),
                None => long_row(simd, self.side, row, x, self.scratch),
            }
        }
        let Some(root) = self.side.root else { return };
        let Scratch { own, short, packs, .. } = self.scratch;
        let short_rows = self.piece.iter().zip(self.out.chunks_exact_mut(d));
        let mut short_rows: Vec<_> = short_rows.filter(|((_, row), _)| turned(*row).is_some()).collect();
        short.clear();
        for (_, x) in &short_rows {
            short.extend_from_slice(x);
        }
        own.clear();
        own.resize(short.len(), 0.0);
        let (a, b) = (View::rows(short, d), View::rows(root, kernels::stride(d)));
        kernels::gemm_simd(simd, 1.0, (short_rows.len(), d, d), a, b, own, d, packs, Part::All);
        for ((_, x), solved) in short_rows.iter_mut().zip(own.chunks_exact(d)) {
            x.copy_from_slice(solved);
        }
    }
}

/// A row with fewer plays than factors: an `n × n` system in the turned factors. If there is a root, its solution
/// is still to be turned back.
#[inline(always)]
fn short_row<S: Simd>(simd: S, side: &Side, turned: &[f32], row: u32, x: &mut [f32], scratch: &mut Scratch) {
    const DIRECT: usize = 96;
    let d = side.d;
    let Scratch { own, turned: own_turned, roots, square, system, packs, .. } = scratch;
    let columns = side.rows.columns(row);
    let n = columns.len();
    // Copied before they are multiplied: what lies far apart is then waited for together and not one by one.
    gather(simd, turned, columns, roots, d, own_turned);
    let left = if side.root.is_some() {
        &*own_turned
    } else {
        gather(simd, side.other, columns, roots, d, own);
        &*own
    };
    system.reset(n);
    if n <= DIRECT {
        // A row or column past the end stands for the last one, and what it gives is not kept.
        let last = (n - 1) as u32;
        for i in (0..n).step_by(2) {
            let row = i as u32;
            let left = [part(left, row, d), part(left, last.min(row + 1), d)];
            for j in (i..n).step_by(4) {
                let column = j as u32;
                let right = [
                    part(own_turned, column, d),
                    part(own_turned, last.min(column + 1), d),
                    part(own_turned, last.min(column + 2), d),
                    part(own_turned, last.min(column + 3), d),
                ];
                let dots = kernels::dot2x4_simd(simd, left, right);
                for (row, dots) in (i..n).zip(&dots) {
                    let skipped = row.saturating_sub(j);
                    for (cell, dot) in system.row(row)[j + skipped - row..].iter_mut().zip(&dots[skipped..]) {
                        *cell = *dot;
                    }
                }
            }
        }
    } else {
        square.clear();
        square.resize(n * n, 0.0);
        let (a, b) = (View::rows(left, d), View::transposed(own_turned, d));
        kernels::gemm_simd(simd, 1.0, (n, n, d), a, b, square, n, packs, Part::Upper(0));
        for (i, line) in square.chunks_exact(n).enumerate() {
            system.row(i).copy_from_slice(&line[i..]);
        }
    }
    for i in 0..n {
        system.row(i)[0] += 1.0;
    }
    system.decompose_simd(simd);
    square.clear();
    square.extend(roots.iter().map(|root| side.pull(*root)));
    square.resize(kernels::stride(n), 0.0);
    system.solve_simd(simd, square);
    x.fill(0.0);
    for (turned, share) in own_turned.chunks_exact(d).zip(square.iter()) {
        kernels::axpy_simd(simd, *share, turned, x);
    }
}

/// The factors of the given rows, each times its scale.
#[inline(always)]
fn gather<S: Simd>(simd: S, factors: &[f32], rows: &[u32], scales: &[f32], d: usize, out: &mut Vec<f32>) {
    out.resize(rows.len() * d, 0.0);
    for ((&row, &scale), out) in rows.iter().zip(scales).zip(out.chunks_exact_mut(d)) {
        kernels::scale_simd(simd, scale, part(factors, row, d), out);
    }
}

/// A row with many plays: the `d × d` normal equations.
#[inline(always)]
fn long_row<S: Simd>(simd: S, side: &Side, row: u32, x: &mut [f32], scratch: &mut Scratch) {
    let d = side.d;
    let Scratch { own, roots, square, system, packs, .. } = scratch;
    let columns = side.rows.columns(row);
    gather(simd, side.other, columns, roots, d, own);
    square.clear();
    square.resize(d * d, 0.0);
    let (a, b) = (View::transposed(own, d), View::rows(own, d));
    kernels::gemm_simd(simd, 1.0, (d, d, columns.len()), a, b, square, d, packs, Part::Upper(0));
    fill(system, d, side.gram, side.ridge);
    for (i, line) in square.chunks_exact(d).enumerate() {
        for (cell, plays) in system.row(i).iter_mut().zip(&line[i..]) {
            *cell += plays;
        }
    }
    system.decompose_simd(simd);
    let mut solution = vec![0.0; kernels::stride(d)];
    for (own, root) in own.chunks_exact(d).zip(roots.iter()) {
        kernels::axpy_simd(simd, side.pull(*root), own, &mut solution);
    }
    system.solve_simd(simd, &mut solution);
    x.copy_from_slice(&solution[..d]);
}

/// The factors of one row of a side.
#[inline(always)]
fn part(factors: &[f32], row: u32, d: usize) -> &[f32] {
    let start = row as usize * d;
    &factors[start..start + d]
}
