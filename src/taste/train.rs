//! The one entry: listening and tags in, a tuned and blended [`Model`] out.
//!
//! What is trained depends on how much there is to learn from. Below [`CROWD`] listeners a held-out check would
//! measure noise, so a stated blend is used, which leans on tags; from there on every family that fits the size is tuned on
//! a check taken from the data itself ([`super::heldout`]), the best of each are blended ([`super::blend`]), and what
//! has a weight is trained again on everything.
//!
//! Memory, at most, for `U` listeners, `I` items, `d` factors, `R` rows of EASE (listeners and up to 1,000 tags), `n` plays (distinct
//! pairs), `k` neighbours: `72 n + 8 d (U + I) + 8 R² + 8 k I` bytes for a model in training, and in the check `4 I` bytes a model and thread.

use super::als::{Als, AlsOptions};
use super::blend::Sheets;
use super::ease::{self, EaseOptions};
use super::heldout::{self, Audience, Check};
use super::interactions::{Interactions, Weighting};
use super::model::Model;
use super::parallel;
use super::parts::{Part, Recipe};
use super::search::{Search, Tried};
use super::tags::Tags;
use super::walk::WalkOptions;

/// Listeners from which on a held-out check is worth more than experience.
pub const CROWD: usize = 80;
/// Most rows for which EASE is trained: its inverse takes `R³` multiply-adds.
const EASE_ROWS: usize = 6000;
/// Listeners asked in the check of single models, and in each check of the blend.
const SEARCHED: usize = 700;
const ASKED: usize = 2000;
/// Checks on which the blend's weights are found.
const BLENDED: u64 = 2;
/// Items from which on a catalogue is too large for many factors.
const LARGE: usize = 25_000;
/// Weight of factors from elsewhere where there are too few listeners for a check.
const GIVEN: f32 = 0.5;
/// Distinct plays above which settings are tuned on a sample of the listeners.
const SAMPLE: usize = 1_000_000;

/// How to train.
#[derive(Debug, Clone, Copy)]
pub struct TrainOptions {
    /// For whom the blend is tuned.
    pub audience: Audience,
    /// Seed of everything random. The same data, seed and machine type give the same model.
    pub seed: u64,
    /// Threads to use; the result does not depend on it.
    pub threads: usize,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self { audience: Audience::Known, seed: 1, threads: parallel::available() }
    }
}

/// Trains on `data`, whose weights are counts of plays, and on `tags` for the same items.
pub fn train(data: &Interactions, tags: &Tags, options: &TrainOptions) -> Model {
    train_with(data, tags, None, options)
}

/// The same with a factorisation of the same items that was trained elsewhere, in the place of those that would be trained here. Its
/// weight cannot be found with itself, since it has seen what a check hides: the check trains one by the same recipe on what it shows.
pub fn train_with(data: &Interactions, tags: &Tags, given: Option<&Als>, options: &TrainOptions) -> Model {
    let listeners = (0..data.users() as u32).filter(|user| !data.by_user().columns(*user).is_empty()).count();
    let given_by = given.map(|als| *als.options());
    let (blend, tried, ndcg) = if listeners < CROWD {
        stated(tags, given_by)
    } else {
        tuned(data, tags, options, (listeners, given_by))
    };
    let part = |recipe: &Recipe| match (given, recipe) {
        (Some(als), Recipe::Als(by)) if by == als.options() => Part::Als(als.clone()),
        _ => Part::train(*recipe, data, tags, options.threads),
    };
    let parts = blend.iter().map(|(recipe, weight)| (*weight, part(recipe))).collect();
    Model::new(data.items(), parts, blend, tried, ndcg)
}

/// What to blend with which weights, what was tried, and the blend's mean `NDCG@100` on the check.
type Choice = (Vec<(Recipe, f32)>, Vec<Tried>, f32);

/// The blend for a home, from simulated homes of 1 to 50 listeners (on the tuning files of Last.fm data with people's tags).
fn stated(tags: &Tags, given: Option<AlsOptions>) -> Choice {
    let ease = EaseOptions { regularisation: 30.0, popularity: 0.5, ..EaseOptions::default() };
    let mut blend = if tags.is_empty() {
        vec![
            (Recipe::Ease(ease), 0.6),
            (Recipe::Walk(WalkOptions::default()), 0.3),
            (Recipe::Popularity, 0.1),
        ]
    } else {
        vec![
            (Recipe::Ease(EaseOptions { tags: 2.0, ..ease }), 0.3),
            (Recipe::Tags { weighting: Weighting::Log, fame: 0.0 }, 0.1),
            (Recipe::Tags { weighting: Weighting::Binary, fame: 1.0 }, 0.4),
            (Recipe::Fame, 0.2),
        ]
    };
    if let Some(given) = given {
        // It knows a crowd that is not here.
        for (_, weight) in &mut blend {
            *weight *= 1.0 - GIVEN;
        }
        blend.push((Recipe::Als(given), GIVEN));
    }
    (blend, Vec::new(), 0.0)
}

fn tuned(
    data: &Interactions,
    tags: &Tags,
    options: &TrainOptions,
    (listeners, given): (usize, Option<AlsOptions>),
) -> Choice {
    let sample = sampled(data, options.seed);
    let check =
        |most, index| Check::split(&sample, options.audience, most, heldout::derived(options.seed, index));
    let first = check(SEARCHED, 0);
    let mut search = Search { check: &first, tags, threads: options.threads, tried: Vec::new() };
    let recipes = candidates(&mut search, options.seed, data, (listeners, given));
    let mut tried = search.tried;
    let mut sheets: Option<Sheets> = None;
    for index in 1..=BLENDED {
        let check = check(ASKED, index);
        let train = |recipe: &Recipe| Part::train(*recipe, &check.train, tags, options.threads);
        let parts: Vec<Part> = recipes.iter().map(train).collect();
        let fresh = Sheets::new(&check, &parts, options.threads);
        match &mut sheets {
            Some(sheets) => sheets.append(fresh),
            None => sheets = Some(fresh),
        }
    }
    let Some(sheets) = sheets else { return stated(tags, given) };
    let same_for_all = |recipe: &Recipe| matches!(recipe, Recipe::Popularity | Recipe::Fame);
    let even = recipes.iter().map(|recipe| if same_for_all(recipe) { 0.0 } else { 1.0 }).collect();
    let (weights, blended) = sheets.tune(&[even]);
    tried.retain(|tried| !recipes.contains(&tried.recipe));
    for (index, (recipe, weight)) in recipes.iter().zip(&weights).enumerate() {
        let mut alone = vec![0.0; recipes.len()];
        alone[index] = 1.0;
        let ndcg = heldout::mean(&sheets.judge(&alone));
        tried.push(Tried { recipe: *recipe, ndcg, weight: Some(*weight) });
    }
    let blend = recipes.into_iter().zip(weights).filter(|(_, weight)| *weight > 0.0).collect();
    (blend, tried, heldout::mean(&blended))
}

/// The best recipe of each family that the data can bear.
fn candidates(
    search: &mut Search,
    seed: u64,
    data: &Interactions,
    (listeners, given): (usize, Option<AlsOptions>),
) -> Vec<Recipe> {
    let tags = search.tags;
    let mut chosen = vec![search.climb(Recipe::Walk(WalkOptions::default()))];
    if data.users() <= EASE_ROWS {
        for (weighting, regularisation) in [(Weighting::Binary, 60.0), (Weighting::Sublinear, 2000.0)] {
            let ease = EaseOptions { weighting, regularisation, popularity: 0.25, tags: 0.0 };
            chosen.push(search.climb(Recipe::Ease(ease)));
        }
        if !tags.is_empty() && data.users() + tags.widest(ease::TAG_ROWS).len() <= EASE_ROWS {
            let ease =
                EaseOptions { regularisation: 60.0, popularity: 0.5, tags: 4.0, ..EaseOptions::default() };
            chosen.push(search.climb(Recipe::Ease(ease)));
        }
    }
    chosen.extend(match given {
        Some(given) => vec![Recipe::Als(given)],
        None => factorisations(search, seed, data, listeners),
    });
    chosen.push(Recipe::Popularity);
    if !tags.is_empty() {
        chosen.push(search.climb(Recipe::Tags { weighting: Weighting::Log, fame: 1.0 }));
        chosen.push(Recipe::Tags { weighting: Weighting::Log, fame: 0.0 });
        chosen.push(Recipe::Fame);
    }
    let mut distinct: Vec<Recipe> = Vec::new();
    for recipe in chosen {
        if !distinct.contains(&recipe) {
            distinct.push(recipe);
        }
    }
    distinct
}

/// Factorisations that are worth a place in the blend.
fn factorisations(search: &mut Search, seed: u64, data: &Interactions, listeners: usize) -> Vec<Recipe> {
    let rows = listeners.min(data.items()).next_power_of_two();
    let factors = (rows / 4).clamp(8, 128);
    let als = AlsOptions {
        factors,
        iterations: 8,
        frequency: 1.0,
        popularity: 0.15,
        seed,
        ..AlsOptions::default()
    };
    let mut tuned = Vec::new();
    for (weighting, unobserved, regularisation) in
        [(Weighting::Binary, 0.025, 2.6), (Weighting::Log, 0.14, 15.0)]
    {
        let start = AlsOptions { weighting, unobserved, regularisation, ..als };
        if let Recipe::Als(best) = search.climb(Recipe::Als(start)) {
            tuned.push(best);
        }
    }
    if data.items() > LARGE {
        // Each row of factors is read for each recommendation: one factorisation has to do.
        let judged = |als: &AlsOptions| search.tried.iter().find(|tried| tried.recipe == Recipe::Als(*als));
        let better = |a: &AlsOptions, b: &AlsOptions| {
            judged(a).map_or(0.0, |tried| tried.ndcg).total_cmp(&judged(b).map_or(0.0, |tried| tried.ndcg))
        };
        return tuned.into_iter().max_by(better).map(Recipe::Als).into_iter().collect();
    }
    // Coarse and fine factors err differently, so that their blend beats either.
    let both = |best: AlsOptions| {
        [AlsOptions { factors: best.factors / 2, ..best }, AlsOptions { factors: best.factors * 2, ..best }]
    };
    tuned.into_iter().flat_map(both).map(Recipe::Als).collect()
}

/// The data, or as many of its listeners as hold [`SAMPLE`] plays.
fn sampled(data: &Interactions, seed: u64) -> Interactions {
    if data.cells() <= SAMPLE {
        return data.clone();
    }
    let mut left = SAMPLE;
    let mut users: Vec<(u64, u32)> =
        (0..data.users() as u32).map(|user| (heldout::derived(seed, u64::from(user) + 1), user)).collect();
    users.sort_unstable();
    let kept = users.into_iter().map_while(|(_, user)| {
        left = left.checked_sub(data.by_user().columns(user).len())?;
        Some(user)
    });
    let kept: std::collections::BTreeSet<u32> = kept.collect();
    let cells = data.triples().filter(|(user, _, _)| kept.contains(user));
    Interactions::new(data.users(), data.items(), cells)
}
