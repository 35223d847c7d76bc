//! The playlists for one listener: what is in them, in what order, and why.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(clippy::cast_possible_wrap, clippy::needless_pass_by_value, clippy::unnecessary_wraps)]

use std::collections::HashSet;

use proptest::prelude::*;
use segue::music::{EndReason, Heard, Listening, Mix, Score, Sonic, StartReason, Tune};
use segue::taste::mixes::{Crowd, Moment, crowd_share, fit, make};
use segue::taste::signals::{Liking, worth};
use segue::taste::{Interactions, Walk, WalkOptions, flow, radio};

const DAY: i64 = 86_400_000;
const NOW: i64 = 20_000 * DAY + 20 * 3_600_000;

fn moment() -> Moment {
    Moment { now: NOW, hour: 20, day: NOW / DAY }
}

/// `artists` artists of ten tunes; every fourth artist shares a genre.
fn library(artists: u32) -> Listening {
    let tunes = (0..artists * 10).map(|i| Tune {
        id: Some(format!("t{i:04}").into()),
        title: format!("Title {i}"),
        artist: i / 10,
        album: i / 10,
        genres: vec![(i / 10 % 4) as u16],
        year: Some(1980 + (i / 10 % 40) as i32),
        duration_ms: 200_000,
        added_at: NOW - i64::from(artists * 10 - i) * DAY,
        ..Tune::default()
    });
    Listening {
        tunes: tunes.collect(),
        artists: (0..artists).map(|a| format!("Artist {a}")).collect(),
        genres: ["Jazz", "Folk", "Rock", "Ambient"].map(str::to_owned).to_vec(),
        ..Listening::default()
    }
}

fn heard(tune: u32, days_ago: i64, end: EndReason) -> Heard {
    let at = NOW - days_ago * DAY - 3_600_000;
    let heard_ms = if end == EndReason::Skipped { 10_000 } else { 200_000 };
    Heard { tune, at, heard_ms, start: StartReason::Chosen, sought: false, end, hour: 19, weekday: 2 }
}

/// Plays every tune of these artists on each of some days.
fn plays(all: &mut Listening, tunes: impl Iterator<Item = u32> + Clone, days: &[i64]) {
    for day in days {
        all.plays.extend(tunes.clone().map(|tune| heard(tune, *day, EndReason::Finished)));
    }
    all.plays.sort_by_key(|play| play.at);
}

fn find<'a>(mixes: &'a [Mix], id: &str) -> Option<&'a Mix> {
    mixes.iter().find(|mix| mix.id == id)
}

fn index(pick: &segue::music::Pick) -> u32 {
    pick.track.as_str()[1..].parse().unwrap()
}

#[test]
fn plays_count_by_how_they_began_and_ended_and_fade() {
    let mut all = library(2);
    assert!(worth(&heard(0, 0, EndReason::Finished), 200_000) > 1.0);
    assert!(worth(&heard(0, 0, EndReason::Skipped), 200_000) < 0.0);
    let sought = |end| Heard { sought: true, ..heard(0, 0, end) };
    assert!(worth(&sought(EndReason::Finished), 200_000) > worth(&heard(0, 0, EndReason::Finished), 200_000));
    assert!(worth(&sought(EndReason::Skipped), 200_000) < 0.0, "what was found and skipped was not it");
    all.plays = vec![heard(1, 30, EndReason::Finished), heard(0, 0, EndReason::Finished)];
    let liking = Liking::of(&all, NOW);
    let ratio = liking.tunes[1] / liking.tunes[0];
    assert!((0.45..0.55).contains(&ratio), "half after thirty days, not {ratio}");
    all.tunes[5].star = 1.0;
    all.less = vec![0];
    let liking = Liking::of(&all, NOW);
    assert!(liking.tunes[5] > liking.tunes[1] && liking.tunes[0] < 0.0);
}

#[test]
fn without_a_history_the_mixes_are_the_library_and_say_so() {
    let mixes = make(&library(20), moment(), 7, None);
    let daily = find(&mixes, "daily-1").unwrap();
    assert!(daily.why.contains("not played much yet"), "{}", daily.why);
    assert!(find(&mixes, "discover").is_none() && find(&mixes, "on-repeat").is_none());
    assert!(find(&mixes, "new-for-you").is_some());
    let mut bare = library(3);
    bare.genres.clear();
    for tune in &mut bare.tunes {
        tune.genres.clear();
    }
    assert!(!make(&bare, moment(), 7, None).is_empty());
    assert!(make(&Listening::default(), moment(), 7, None).is_empty());
}

#[test]
fn each_mix_holds_what_its_name_says() {
    let mut all = library(40);
    plays(&mut all, 0..10, &[1, 2, 3]);
    plays(&mut all, 10..20, &[5, 6]);
    plays(&mut all, 80..90, &[200, 201, 202, 203]);
    let mixes = make(&all, moment(), 1, None);
    let discover = find(&mixes, "discover").unwrap();
    assert!(discover.picks.iter().all(|pick| !all.plays.iter().any(|play| play.tune == index(pick))));
    let repeat = find(&mixes, "on-repeat").unwrap();
    assert!(repeat.picks.iter().all(|pick| index(pick) < 20));
    assert!(repeat.picks.iter().any(|pick| pick.why == "you played it 3 times in the last 30 days"));
    let again = find(&mixes, "rediscover").unwrap();
    assert!(again.picks.iter().all(|pick| (80..90).contains(&index(pick))), "{again:?}");
    assert!(again.picks[0].why.contains("months ago"));
    let evening = find(&mixes, "evening").unwrap();
    assert!(evening.why.contains("in the evening"), "{}", evening.why);
    let daily = find(&mixes, "daily-1").unwrap();
    assert_eq!(daily.about, "Artist 0 and near");
    assert!(daily.picks.iter().any(|pick| pick.why.contains("you played Artist 0")), "{daily:?}");
    assert!(mixes.iter().all(|mix| mix.picks.iter().all(|pick| !pick.why.is_empty())));
}

#[test]
fn a_mix_stays_within_a_day_and_changes_the_next() {
    let mut all = library(40);
    plays(&mut all, 0..20, &[1, 2, 3]);
    let first = make(&all, moment(), 1, None);
    let mut later = all.clone();
    later.plays.push(Heard { at: NOW - 60_000, ..heard(300, 0, EndReason::Finished) });
    let evening = Moment { now: NOW + 3_000_000, ..moment() };
    assert_eq!(first, make(&later, evening, 1, None), "the same all day");
    let tomorrow = Moment { now: NOW + DAY, day: NOW / DAY + 1, ..moment() };
    assert_ne!(find(&first, "discover"), find(&make(&later, tomorrow, 1, None), "discover"));
    assert_ne!(find(&first, "discover"), find(&make(&all, moment(), 2, None), "discover"));
}

fn sound(tempo: f32, energy: f32, calm: f32) -> Option<Box<Sonic>> {
    let score = |value| Score { value, confidence: 1.0 };
    Some(Box::new(Sonic {
        version: 1,
        loudness: Some(-30.0 + energy * 20.0),
        tempo,
        tempo_confidence: 1.0,
        energy: score(energy),
        calm: score(calm),
        ..Sonic::default()
    }))
}

#[test]
fn moods_are_bands_of_the_librarys_sounds() {
    let mut all = library(20);
    for (i, tune) in all.tunes.iter_mut().enumerate() {
        let part = i as f32 / 200.0;
        tune.sound = sound(60.0 + 120.0 * part, part, 1.0 - part);
    }
    let mixes = make(&all, moment(), 3, None);
    assert!(find(&mixes, "calm").unwrap().picks.iter().all(|pick| index(pick) < 40));
    assert!(find(&mixes, "energy").unwrap().picks.iter().all(|pick| index(pick) >= 160));
    let workout: Vec<u32> = find(&mixes, "workout").unwrap().picks.iter().map(index).collect();
    assert!(workout.is_sorted(), "tempo rises: {workout:?}");
    let way = radio::path(&all, 0, 199, 10);
    assert_eq!((way[0], *way.last().unwrap()), (0, 199));
    let distinct: HashSet<u32> = way.iter().copied().collect();
    assert_eq!(distinct.len(), way.len());
}

#[test]
fn the_flow_avoids_jolts_where_it_can() {
    let mut all = library(20);
    for (i, tune) in all.tunes.iter_mut().enumerate() {
        tune.artist = i as u32;
        tune.sound = if i % 2 == 0 { sound(80.0, 0.1, 0.9) } else { sound(170.0, 0.9, 0.1) };
    }
    let jolts = |order: &[u32]| {
        let sounds: Vec<&Sonic> =
            order.iter().map(|i| all.tunes[*i as usize].sound.as_deref().unwrap()).collect();
        sounds.windows(2).filter(|pair| flow::jolt(pair[0], pair[1]) > 1.0).count()
    };
    let mixed: Vec<u32> = (0..30).collect();
    assert!(jolts(&mixed) > 20);
    assert!(jolts(&flow::arrange(&all.tunes, &mixed)) < 5);
}

#[test]
fn radio_goes_on_without_repeating() {
    let mut all = library(30);
    all.less_artists = vec![8];
    let liking = Liking::of(&all, NOW);
    let mut before: Vec<u32> = Vec::new();
    for round in 0..8 {
        let next = radio::radio(&all, &liking, &[0, 1], &before, 25, round);
        assert_eq!(next.len(), 25);
        for (i, why) in &next {
            assert!(!before.contains(i) && *i > 1 && !why.is_empty());
            assert_ne!(all.tunes[*i as usize].artist, 8, "less of it was wanted");
            before.push(*i);
        }
    }
    let first: Vec<u32> = before[..25].iter().map(|i| i / 10 % 4).collect();
    assert!(first.iter().filter(|genre| **genre == 0).count() > 15, "near to the seed first: {first:?}");
}

proptest! {
    #[test]
    fn an_order_keeps_its_tracks_and_its_artists_apart(artists in 4u32..12, count in 1usize..40, seed in 0u32..1000) {
        let all = library(artists);
        let n = all.tunes.len() as u32;
        let mut tunes: Vec<u32> = (0..n).map(|i| (i * 7 + seed) % n).collect();
        tunes.sort_unstable_by_key(|i| (i * 31 + seed) % 97);
        tunes.dedup();
        let mut of = vec![0; artists as usize];
        tunes.retain(|i| { of[(i / 10) as usize] += 1; of[(i / 10) as usize] <= 3 });
        tunes.truncate(count);
        let order = flow::arrange(&all.tunes, &tunes);
        let (mut a, mut b) = (tunes.clone(), order.clone());
        a.sort_unstable();
        b.sort_unstable();
        prop_assert_eq!(a, b);
        prop_assert_eq!(flow::arrange(&all.tunes, &tunes), order.clone());
        let names: HashSet<u32> = order.iter().map(|i| i / 10).collect();
        let most = names.iter().map(|a| order.iter().filter(|i| **i / 10 == *a).count()).max().unwrap_or(0);
        // Possible at all: between two of the most frequent one there is room for others.
        if (most - 1) * (flow::APART + 1) < order.len() && names.len() > flow::APART && most > 1 {
            let beside = order.windows(2).filter(|pair| pair[0] / 10 == pair[1] / 10).count();
            prop_assert_eq!(beside, 0);
        }
    }

    #[test]
    fn every_mix_is_without_doubles_and_without_what_is_not_wanted(
        plays in prop::collection::vec((0u32..300, 0i64..400, 0u8..3), 0..120),
        less in prop::collection::vec(0u32..300, 0..10),
        seed in any::<u64>(),
    ) {
        let mut all = library(30);
        all.plays = plays.iter().map(|(tune, days, end)| {
            heard(*tune, *days, [EndReason::Finished, EndReason::Skipped, EndReason::Unknown][usize::from(*end)])
        }).collect();
        all.plays.sort_by_key(|play| play.at);
        all.less.clone_from(&less);
        let mixes = make(&all, moment(), seed, None);
        prop_assert!(!mixes.is_empty());
        for mix in &mixes {
            let distinct: HashSet<u32> = mix.picks.iter().map(index).collect();
            prop_assert_eq!(distinct.len(), mix.picks.len());
            prop_assert!(mix.picks.iter().all(|pick| !less.contains(&index(pick)) && !pick.why.is_empty()));
        }
        prop_assert_eq!(mixes, make(&all, moment(), seed, None));
    }
}

/// Homes of many sizes, whose listeners like some artists each: the music of one genre, but within it a circle of
/// artists that no tag tells. What of the hidden half is among the first twenty?
#[test]
fn the_crowd_counts_more_the_larger_it_is() {
    let asked = |listeners: u32, by: &str| -> f32 {
        let all = library(80);
        let circle = |user: u32| (0..80).filter(move |artist| artist % 8 == user % 8);
        let likes = |user: u32, artist: u32, salt: u32| {
            (user.wrapping_mul(2_654_435_761) ^ (artist * 40_503 + salt)) % 10 < 3
        };
        let mut triples = Vec::new();
        for user in 1..listeners {
            for artist in circle(user).filter(|artist| likes(user, *artist, 5)) {
                triples.extend((0..6).map(|i| (user, artist * 10 + i, 3.0)));
            }
        }
        let (mut sum, mut count) = (0.0, 0);
        let data = Interactions::new(listeners as usize, all.tunes.len(), triples);
        let walk = Walk::train(&data, WalkOptions::default(), 1);
        for user in 0..8 {
            let (shown, hidden): (Vec<u32>, Vec<u32>) = circle(user).partition(|artist| artist / 8 % 2 == 0);
            let mut mine = all.clone();
            plays(&mut mine, shown.iter().map(|artist| artist * 10), &[2]);
            let liking = Liking::of(&mine, NOW);
            let mut scores = vec![0.0; all.tunes.len()];
            walk.score(&liking.history(), &mut scores);
            let own = fit(&mine, &liking, None);
            let blended = match by {
                "own" => own,
                "crowd" => scores,
                _ => fit(&mine, &liking, Some(Crowd { scores: &scores, listeners: listeners as usize })),
            };
            let mut order: Vec<u32> = (0..800).filter(|i| !shown.contains(&(i / 10))).collect();
            order.sort_by(|a, b| blended[*b as usize].total_cmp(&blended[*a as usize]).then(a.cmp(b)));
            sum += order.iter().take(20).filter(|i| hidden.contains(&(**i / 10))).count() as f32 / 20.0;
            count += 1;
        }
        sum / count as f32
    };
    let shares: Vec<f32> = [1, 5, 50, 5000].map(crowd_share).to_vec();
    assert!(shares.is_sorted() && shares[0] == 0.0 && shares[3] > 0.6, "{shares:?}");
    for listeners in [1, 5, 50, 5000] {
        let (own, crowd, blend) =
            (asked(listeners, "own"), asked(listeners, "crowd"), asked(listeners, "both"));
        println!("{listeners:5} listeners: own {own:.3}, crowd {crowd:.3}, blend {blend:.3}");
        assert!(blend >= own - 0.02, "{listeners} listeners: the blend {blend} loses to own taste {own}");
        if listeners >= 5000 {
            assert!(blend >= own + 0.2 && blend >= crowd - 0.1, "{own} {crowd} {blend}");
        }
    }
}
