//! Training as a whole: what is chosen, what is recommended, and why.

use segue::taste::{
    AlsOptions, Audience, CROWD, Check, EaseOptions, History, Interactions, Part, Recipe, Sheets, Tags,
    TrainOptions, WalkOptions, mean, ndcg, train,
};

const ITEMS: u32 = 80;

/// Listeners who play mostly one of four scenes, and tags that name the scene.
fn scenes(users: u32) -> (Interactions, Tags) {
    let mut state = 7_u32;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut triples = Vec::new();
    for user in 0..users {
        for _ in 0..12 {
            let scene = if random(10) < 8 { user % 4 } else { random(4) };
            let item = random(ITEMS / 4).min(random(ITEMS / 4)) * 4 + scene;
            triples.push((user, item, 1.0 + random(9) as f32));
        }
    }
    let tags = (0..ITEMS).flat_map(|item| [(item, item % 4, 3.0), (item, 4 + item % 7, 1.0)]);
    (Interactions::new(users as usize, ITEMS as usize, triples), Tags::new(ITEMS as usize, 11, tags))
}

fn options(threads: usize, audience: Audience) -> TrainOptions {
    TrainOptions { audience, seed: 3, threads }
}

#[test]
fn training_is_the_same_for_a_seed_on_any_number_of_threads() {
    let (data, tags) = scenes(CROWD as u32);
    let one = train(&data, &tags, &options(1, Audience::Known));
    let three = train(&data, &tags, &options(3, Audience::Known));
    assert_eq!(one.table(), three.table());
    let history = History::new(data.by_user().row(5));
    assert_eq!(one.recommend(&history, 50), three.recommend(&history, 50));
}

#[test]
fn recommendations_are_new_from_the_listeners_scene_and_say_why() {
    let (data, tags) = scenes(CROWD as u32);
    for audience in [Audience::Known, Audience::New] {
        let model = train(&data, &tags, &options(2, audience));
        let history = History::new((0..6).map(|n| (n * 4 + 1, 14.0)));
        let found = model.recommend(&history, 10);
        assert_eq!(found.len(), 10);
        assert!(found.iter().all(|one| !history.contains(one.item)));
        assert!(found.iter().filter(|one| one.item % 4 == 1).count() >= 8);
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        for one in &found {
            assert!(one.evidence.iter().all(|reason| history.contains(reason.item)));
            assert!(one.evidence.iter().map(|reason| reason.share).sum::<f32>() <= 1.001);
        }
        assert!(found.iter().filter(|one| !one.evidence.is_empty()).count() >= 8);
        let ranked: Vec<u32> = model.rank(&history, 10).into_iter().map(|(item, _)| item).collect();
        assert_eq!(ranked, found.iter().map(|one| one.item).collect::<Vec<_>>());
    }
}

#[test]
fn the_blend_is_never_worse_than_its_best_part_on_the_check() {
    let (data, tags) = scenes(90);
    for (audience, seed) in [(Audience::Known, 1), (Audience::New, 2)] {
        let check = Check::split(&data, audience, 1000, seed);
        let recipes = [
            Recipe::Popularity,
            Recipe::Walk(WalkOptions::default()),
            Recipe::Ease(EaseOptions::default()),
            Recipe::Als(AlsOptions { factors: 8, ..AlsOptions::default() }),
        ];
        let parts: Vec<Part> =
            recipes.iter().map(|recipe| Part::train(*recipe, &check.train, &tags, 2)).collect();
        let sheets = Sheets::new(&check, &parts, 2);
        let (weights, judged) = sheets.tune(&[vec![1.0; parts.len()]]);
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        for (index, part) in parts.iter().enumerate() {
            let mut alone = vec![0.0; parts.len()];
            alone[index] = 1.0;
            assert!(mean(&judged) >= mean(&sheets.judge(&alone)) - 1e-6);
            // The sheets hold enough of each ranking to judge it as a full pass does.
            assert!((mean(&sheets.judge(&alone)) - mean(&check.judge(part, 2))).abs() < 1e-3);
        }
    }
}

#[test]
fn a_check_hides_a_fifth_and_nothing_else() {
    let (data, _) = scenes(50);
    let known = Check::split(&data, Audience::Known, 1000, 1);
    let hidden: usize = known.listeners.iter().map(|listener| listener.hidden.len()).sum();
    assert_eq!(known.listeners.len(), 50);
    assert_eq!(known.train.cells() + hidden, data.cells());
    assert!((0.19..0.26).contains(&(hidden as f32 / data.cells() as f32)));

    let new = Check::split(&data, Audience::New, 1000, 1);
    let asked: usize =
        new.listeners.iter().map(|listener| listener.hidden.len() + listener.history.len()).sum();
    assert_eq!(new.listeners.len(), 13);
    assert_eq!(new.train.cells() + asked, data.cells());
    assert!(new.listeners.iter().all(|one| one.hidden.iter().all(|item| !one.history.contains(*item))));
}

#[test]
fn a_home_is_carried_by_tags_and_works_without() {
    let (data, tags) = scenes(2);
    assert!(data.users() < CROWD);
    let history = History::new([(2, 5.0), (6, 5.0), (10, 1.0)]);
    let model = train(&data, &tags, &options(2, Audience::Known));
    assert!(model.tried().is_empty());
    let found = model.recommend(&history, 10);
    assert!(found.iter().filter(|one| one.item % 4 == 2).count() >= 8, "{found:?}");
    assert!(found.iter().all(|one| !one.evidence.is_empty()));

    let bare = train(&data, &Tags::default(), &options(2, Audience::Known));
    assert_eq!(bare.rank(&history, 10).len(), 10);
    assert!(bare.recommend(&History::default(), 5).iter().all(|one| one.evidence.is_empty()));
}

#[test]
fn nothing_to_learn_from_is_no_error() {
    let empty = train(&Interactions::new(0, 0, []), &Tags::default(), &TrainOptions::default());
    assert!(empty.rank(&History::new([(3, 1.0)]), 10).is_empty());
    let silent = train(&Interactions::new(85, 10, []), &Tags::default(), &TrainOptions::default());
    assert_eq!(silent.rank(&History::default(), 4).len(), 4);
    // Everybody has one item: nothing can be hidden.
    let lone = Interactions::new(85, 85, (0..85).map(|user| (user, user, 1.0)));
    assert_eq!(
        train(&lone, &Tags::default(), &TrainOptions::default()).rank(&History::default(), 4).len(),
        4
    );
}

#[test]
fn ndcg_is_one_for_the_ideal_and_discounts_by_rank() {
    assert!((ndcg([true, true, false], 2) - 1.0).abs() < 1e-6);
    let expected = (1.0 / 3.0_f32.log2()) / (1.0 + 1.0 / 3.0_f32.log2());
    assert!((ndcg([false, true], 2) - expected).abs() < 1e-6);
    assert!(ndcg([], 3).abs() < 1e-9);
}
