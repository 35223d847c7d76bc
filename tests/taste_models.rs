//! The models of taste, each against a plain reference or a law that it must keep.

use proptest::prelude::*;
use segue::taste::{
    Als, AlsOptions, Ease, EaseOptions, History, Index, Interactions, Objective, Tags, Walk, WalkOptions,
    Weighting, largest,
};

/// Listeners of a few scenes: most of what they play comes from their own.
fn scenes(users: u32, items: u32, plays: u32, seed: u32) -> Interactions {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut triples = Vec::new();
    for user in 0..users {
        for _ in 0..plays {
            let scene = if random(10) < 8 { user % 5 } else { random(5) };
            let item = random(items / 5).min(random(items / 5)) * 5 + scene;
            triples.push((user, item, 1.0 + random(20) as f32));
        }
    }
    Interactions::new(users as usize, items as usize, triples)
}

fn history(data: &Interactions, user: u32) -> History {
    History::new(data.by_user().row(user))
}

fn close(a: &[f32], b: &[f32], tolerance: f32) -> bool {
    let scale = a.iter().chain(b).fold(1e-6_f32, |scale, value| scale.max(value.abs()));
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance * scale)
}

#[test]
fn interactions_add_doubles_and_drop_what_is_not_a_play() {
    let triples =
        [(1, 2, 3.0), (0, 1, 1.0), (1, 2, 4.0), (0, 9, 1.0), (7, 0, 1.0), (0, 0, 0.0), (0, 0, f32::NAN)];
    let data = Interactions::new(2, 3, triples);
    assert_eq!(data.triples().collect::<Vec<_>>(), [(0, 1, 1.0), (1, 2, 7.0)]);
    assert_eq!(data.by_item().columns(2), [1]);
    assert_eq!(data.by_item().values(2), [7.0]);
    assert!(data.by_user().columns(99).is_empty());
}

#[test]
fn factorisation_depends_on_the_seed_and_not_on_the_threads() {
    let data = scenes(120, 300, 25, 1);
    for popularity in [0.0, 0.3] {
        let options = AlsOptions { factors: 24, iterations: 3, popularity, ..AlsOptions::default() };
        let one = Als::train(&data, options, 1);
        assert_eq!(one.item_factors(), Als::train(&data, options, 3).item_factors());
        assert_ne!(
            one.item_factors(),
            Als::train(&data, AlsOptions { seed: 2, ..options }, 1).item_factors()
        );
    }
}

#[test]
fn folding_in_gives_what_training_gives() {
    let data = scenes(150, 400, 30, 2);
    for weighting in [Weighting::Binary, Weighting::Log] {
        // Fewer and more factors than plays: both ways of solving a row.
        for factors in [8, 64] {
            let options =
                AlsOptions { factors, iterations: 4, weighting, popularity: 0.2, ..AlsOptions::default() };
            let als = Als::train(&data, options, 2);
            let trained = als.user_factors(&data, 2);
            for user in 0..150 {
                let row = &trained[user as usize * factors..(user as usize + 1) * factors];
                assert!(
                    close(&als.fold_in(&history(&data, user)), row, 2e-3),
                    "user {user}, {factors} factors"
                );
            }
        }
    }
}

#[test]
fn the_objective_of_hu_koren_and_volinsky_is_solved_as_it_is_written() {
    let data = scenes(60, 120, 15, 9);
    let users = data.users() as u32;
    for (weighting, factors) in [(Weighting::Binary, 6), (Weighting::Log, 6), (Weighting::Log, 40)] {
        let options = AlsOptions {
            objective: Objective::Confidence,
            factors,
            iterations: 3,
            weighting,
            unobserved: 0.05,
            regularisation: 0.02,
            frequency: 1.0,
            ..AlsOptions::default()
        };
        let als = Als::train(&data, options, 2);
        let items = als.item_factors();
        let row = |item: u32| &items[item as usize * factors..(item as usize + 1) * factors];
        let trained = als.user_factors(&data, 2);
        for user in 0..users {
            let heard = history(&data, user);
            let x = als.fold_in(&heard);
            assert!(close(&x, &trained[user as usize * factors..(user as usize + 1) * factors], 2e-3));
            // The gradient of Σ c (p − x·y)² + λ n |x|² is nothing. The ladder rounds λ n by at most a sixth of an octave.
            for k in 0..factors {
                let pull: f32 = (0..data.items() as u32)
                    .map(|item| {
                        let (y, score) =
                            (row(item), x.iter().zip(row(item)).map(|(a, b)| a * b).sum::<f32>());
                        let plays = heard.pairs().find(|(own, _)| *own == item).map(|(_, plays)| plays);
                        let weight = plays.map_or(0.0, |plays| weighting.apply(plays));
                        let wanted = if plays.is_some() { 1.0 } else { 0.0 };
                        (options.unobserved + weight) * (wanted - score) * y[k]
                    })
                    .sum();
                let held = options.regularisation * heard.len() as f32 * x[k];
                assert!((pull - held).abs() <= 0.13 * held.abs() + 2e-3, "user {user}: {pull} and {held}");
            }
            let shares = als.contributions(&heard, &[0, 7, 50]);
            let mut scores = vec![0.0; data.items()];
            als.score(&heard, 2, &mut scores);
            for (item, shares) in [0, 7, 50].into_iter().zip(shares) {
                assert!((shares.iter().sum::<f32>() - scores[item]).abs() < 2e-3);
            }
        }
    }
}

#[test]
fn factors_of_both_sides_solve_their_normal_equations() {
    // The rows of items are solved in training only; with everything at a fixed point, one more sweep changes little.
    let data = scenes(80, 150, 20, 3);
    let options = AlsOptions { factors: 16, iterations: 60, popularity: 0.25, ..AlsOptions::default() };
    let now = Als::train(&data, options, 1);
    let later = Als::train(&data, AlsOptions { iterations: 62, ..options }, 1);
    let scores = |als: &Als| {
        let mut out = vec![0.0; data.items()];
        als.score(&history(&data, 5), 2, &mut out);
        out
    };
    assert!(close(&scores(&now), &scores(&later), 2e-2));
}

#[test]
fn what_the_history_contributes_adds_up_to_the_score() {
    let data = scenes(100, 200, 20, 4);
    let tags = Tags::new(200, 5, (0..200).map(|item| (item, item % 5, 1.0 + (item % 3) as f32)));
    let heard = history(&data, 7);
    let items: Vec<u32> = (0..200).filter(|item| !heard.contains(*item)).take(40).collect();
    let mut scores = vec![0.0; 200];
    let sums = |shares: Vec<Vec<f32>>| shares.iter().map(|shares| shares.iter().sum()).collect::<Vec<f32>>();
    let at = |scores: &[f32]| items.iter().map(|item| scores[*item as usize]).collect::<Vec<f32>>();

    let als = Als::train(&data, AlsOptions { factors: 16, ..AlsOptions::default() }, 1);
    als.score(&heard, 2, &mut scores);
    assert!(close(&sums(als.contributions(&heard, &items)), &at(&scores), 1e-3));

    let ease = Ease::train(&data, Some(&tags), EaseOptions { tags: 2.0, ..EaseOptions::default() }, 1);
    ease.score(&heard, &mut scores);
    assert!(close(&sums(ease.contributions(&heard, &items)), &at(&scores), 1e-3));

    let walk = Walk::train(&data, WalkOptions::default(), 1);
    walk.score(&heard, &mut scores);
    let shares = items.iter().map(|item| walk.contributions(&heard, *item)).collect();
    assert!(close(&sums(shares), &at(&scores), 1e-4));

    tags.score(&heard, Weighting::Log, &mut scores);
    let shares = items.iter().map(|item| tags.contributions(&heard, Weighting::Log, *item)).collect();
    assert!(close(&sums(shares), &at(&scores), 1e-4));
}

#[test]
fn a_walk_keeps_its_strongest_neighbours_whatever_the_threads() {
    let data = scenes(100, 200, 20, 5);
    let all = Walk::train(&data, WalkOptions { neighbours: 1000, ..WalkOptions::default() }, 1);
    let few = Walk::train(&data, WalkOptions { neighbours: 7, ..WalkOptions::default() }, 3);
    for item in 0..200 {
        assert_eq!(few.of(item), &all.of(item)[..all.of(item).len().min(7)]);
        assert!(all.of(item).iter().all(|(end, strength)| *end != item && *strength > 0.0));
    }
}

#[test]
fn tags_prefer_what_shares_rare_tags() {
    // Tag 0 is on everything; tag 1 on items 0, 1, 2; tag 2 on one item only and so says nothing.
    let counts =
        (0..10).map(|item| (item, 0, 5.0)).chain([(0, 1, 5.0), (1, 1, 5.0), (2, 1, 5.0), (9, 2, 5.0)]);
    let tags = Tags::new(10, 3, counts);
    let mut scores = vec![0.0; 10];
    tags.score(&History::new([(0, 3.0)]), Weighting::Log, &mut scores);
    let best: Vec<u32> = largest(&scores, &[0], 2).into_iter().map(|(item, _)| item).collect();
    assert_eq!(best, [1, 2]);
    assert_eq!(tags.widest(5), [0, 1]);
}

/// EASE as published, through the items, in double precision: `h · B` with `B = I − P / diag P`.
fn ease_directly(rows: &[Vec<f64>], ridges: &[f64], heard: &[f64]) -> Vec<f32> {
    let n = ridges.len();
    let mut a = vec![vec![0.0; 2 * n]; n];
    for i in 0..n {
        for j in 0..n {
            a[i][j] = rows.iter().map(|row| row[i] * row[j]).sum::<f64>();
        }
        a[i][i] += ridges[i];
        a[i][n + i] = 1.0;
    }
    for i in 0..n {
        let pivot = a[i][i];
        a[i].iter_mut().for_each(|value| *value /= pivot);
        let row = a[i].clone();
        for (k, other) in a.iter_mut().enumerate() {
            if k != i {
                let factor = other[i];
                other.iter_mut().zip(&row).for_each(|(value, own)| *value -= factor * own);
            }
        }
    }
    let b = |i: usize, j: usize| if i == j { 0.0 } else { -a[i][n + j] / a[j][n + j] };
    (0..n).map(|j| (0..n).map(|i| heard[i] * b(i, j)).sum::<f64>() as f32).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ease_through_the_listeners_is_ease_through_the_items(
        cells in prop::collection::vec((0_u32..12, 0_u32..20, 1_u32..30), 10..120),
        regularisation in 0.5_f32..50.0,
        popularity in prop::sample::select(vec![0.0_f32, 0.5]),
        heard in prop::collection::btree_set(0_u32..20, 1..6),
        log in any::<bool>(),
    ) {
        let weighting = if log { Weighting::Log } else { Weighting::Binary };
        let data = Interactions::new(12, 20, cells.into_iter().map(|(u, i, plays)| (u, i, plays as f32)));
        let options = EaseOptions { weighting, regularisation, popularity, tags: 0.0 };
        let ease = Ease::train(&data, None, options, 2);
        let history = History::new(heard.iter().map(|item| (*item, 2.0)));
        let mut scores = vec![0.0; 20];
        ease.score(&history, &mut scores);

        let mut rows = vec![vec![0.0; 20]; 12];
        let mut squares = [0.0_f64; 20];
        for (user, item, plays) in data.triples() {
            let weight = f64::from(weighting.apply(plays));
            rows[user as usize][item as usize] = weight;
            squares[item as usize] += weight * weight;
        }
        let known = squares.iter().filter(|square| **square > 0.0).count() as f64;
        let mean = squares.iter().sum::<f64>() / known;
        let ridge = |square: &f64| f64::from(regularisation) * (square.max(1e-6) / mean).powf(f64::from(popularity));
        let ridges: Vec<f64> = squares.iter().map(ridge).collect();
        let mut asked = vec![0.0; 20];
        history.weighted(weighting).for_each(|(item, weight)| asked[item as usize] = f64::from(weight));
        let direct = ease_directly(&rows, &ridges, &asked);
        let unheard: Vec<usize> = (0..20).filter(|item| !history.contains(*item as u32)).collect();
        let (a, b): (Vec<f32>, Vec<f32>) = unheard.iter().map(|item| (scores[*item], direct[*item])).unzip();
        prop_assert!(close(&a, &b, 2e-3), "{a:?}\n{b:?}");
    }

    #[test]
    fn the_index_finds_exactly_the_best(
        rows in prop::collection::vec(prop::collection::vec(-3.0_f32..3.0, 7), 1..300),
        query in prop::collection::vec(-2.0_f32..2.0, 7),
        known in prop::collection::btree_set(0_u32..300, 0..20),
        k in 0_usize..40,
        threads in 1_usize..4,
    ) {
        let known: Vec<u32> = known.into_iter().collect();
        let index = Index::new(rows.concat(), 7, threads);
        let found = index.top(&query, &known, k, threads);
        prop_assert_eq!(&found, &index.top_by_full_pass(&query, &known, k, 1));
        let dot = |row: &Vec<f32>| row.iter().zip(&query).map(|(a, b)| a * b).sum::<f32>();
        let mut naive: Vec<(u32, f32)> = rows.iter().enumerate().map(|(row, values)| (row as u32, dot(values))).collect();
        naive.retain(|(row, _)| !known.contains(row));
        naive.sort_by(|a, b| b.1.total_cmp(&a.1));
        naive.truncate(k);
        prop_assert_eq!(found.len(), naive.len());
        for ((_, found), (_, naive)) in found.iter().zip(&naive) {
            prop_assert!((found - naive).abs() < 1e-4);
        }
    }

    #[test]
    fn the_largest_are_those_of_a_full_sort(
        scores in prop::collection::vec(-10_i8..10, 0..200),
        known in prop::collection::btree_set(0_u32..250, 0..50),
        k in 0_usize..60,
    ) {
        let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
        let known: Vec<u32> = known.into_iter().collect();
        let mut sorted: Vec<(u32, f32)> =
            scores.iter().enumerate().map(|(item, score)| (item as u32, *score)).filter(|(i, _)| !known.contains(i)).collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        sorted.truncate(k);
        prop_assert_eq!(largest(&scores, &known, k), sorted);
    }
}

#[test]
fn ties_in_the_index_go_to_the_first_rows_over_many_pieces() {
    let rows: Vec<f32> = (0..40_000).flat_map(|row| [1.0, (row % 3) as f32]).collect();
    let index = Index::new(rows, 2, 2);
    let found: Vec<u32> = index.top(&[1.0, 1.0], &[2, 8], 4, 2).into_iter().map(|(row, _)| row).collect();
    assert_eq!(found, [5, 11, 14, 17]);
}
