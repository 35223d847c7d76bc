//! Ads: who gets which, what a ticket is good for, and what is counted.

use std::path::{Path, PathBuf};

use segue::catalog::{Campaign, StoredAd};
use segue::music::{AdHeard, Purpose};
use segue::server::plans::{self, AdQuestion, Desk, GOOD_FOR, LATE, MOST_OUT, NewAd, SKEW};
use segue::server::{Clock, accounts};
use serde_json::Value;

use crate::house::{ANN, House, code, data, place};
use crate::plans::{START, give, world};

const DAY: i64 = 24 * 3_600_000;
const BOB: (&str, &str) = ("bob", "sesame");

/// A WAV file with a sine of 997 Hz on both sides, that many seconds long, with such a peak.
fn tone(file: &Path, seconds: f64, peak: f64) -> PathBuf {
    const RATE: u32 = 48_000;
    let sample = |n: u32| {
        let at = f64::from(n) / f64::from(RATE) * 997.0 * std::f64::consts::TAU;
        ((at.sin() * peak * 32_767.0).round() as i16).to_le_bytes()
    };
    let samples: Vec<u8> =
        (0..(seconds * f64::from(RATE)) as u32).flat_map(|n| [sample(n), sample(n)].concat()).collect();
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + samples.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    for field in [16, 1 | 2 << 16, RATE, RATE * 4, 4 | 16 << 16] {
        wav.extend(field.to_le_bytes());
    }
    wav.extend(b"data");
    wav.extend((samples.len() as u32).to_le_bytes());
    wav.extend(samples);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, wav).unwrap();
    file.to_owned()
}

pub(crate) fn campaign(name: &str) -> Campaign {
    Campaign::open(name, "Soap & Sons", START)
}

/// Adds four seconds of sound to a campaign.
async fn add(house: &House, campaign: Campaign) -> StoredAd {
    let file = tone(&house.folder.path().join("tones").join(format!("{}.wav", campaign.name)), 4.0, 0.1);
    let new = NewAd { campaign, title: None, skippable_after_ms: Some(2000) };
    plans::add_ad(&house.catalog, &data(&house.folder), &file, new).await.unwrap()
}

/// A house with Ann and Bob, who have the plan “free”, and their keys.
async fn open(clock: &Clock) -> (House, String, String) {
    let house = House::open_in(world(clock, true)).await.with_ann().await;
    accounts::add(&house.catalog, BOB.0, BOB.1, false).await.unwrap();
    house.catalog.set_usual_plan("free").await.unwrap();
    let keys = (house.key_of(ANN.0).await, house.key_of(BOB.0).await);
    (house, keys.0, keys.1)
}

async fn ask(house: &House, endpoint: &str, key: &str, params: &[(&str, &str)]) -> Value {
    let mut all = vec![("apiKey", key), ("c", "test")];
    all.extend_from_slice(params);
    house.anybody(endpoint, &all).await
}

async fn ads(house: &House, key: &str, params: &[(&str, &str)]) -> Vec<Value> {
    let mut answer = ask(house, "getAds", key, params).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    serde_json::from_value(answer["ads"]["ad"].take()).unwrap_or_default()
}

async fn report(house: &House, key: &str, ticket: &Value, heard: u64, at: i64) -> Value {
    let (heard, at) = (heard.to_string(), at.to_string());
    let params = [("ticket", ticket.as_str().unwrap()), ("heard", &heard), ("time", &at)];
    ask(house, "reportAds", key, &params).await
}

#[tokio::test]
async fn a_ticket_from_its_giving_to_its_report() {
    let clock = Clock::by_hand(START);
    let (house, ann, bob) = open(&clock).await;
    let stored = add(&house, campaign("soap")).await;
    let given = ads(&house, &ann, &[("count", "1")]).await;
    let ad = &given[0];
    assert_eq!(given.len(), 1);
    assert_eq!((&ad["title"], &ad["advertiser"]), (&"soap".into(), &"Soap & Sons".into()));
    assert_eq!((&ad["durationMs"], &ad["countsAfterMs"]), (&4000.into(), &3000.into()));
    assert_eq!(ad["skippableAfterMs"], 2000);
    let expires: jiff::Timestamp = ad["expires"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires.as_millisecond(), START + GOOD_FOR);
    let id = ad["songId"].as_str().unwrap();
    assert_eq!(id, stored.id);

    // Its sound is for who has the ticket, in any part.
    let whole = std::fs::read(house.folder.path().join("tones/soap.wav")).unwrap();
    let url =
        |key: &str| house.url("stream", &[("apiKey", key), ("id", id), ("maxBitRate", "32"), ("f", "json")]);
    let reply = house.http.get(url(&ann)).send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "audio/wav");
    assert!(
        reply.bytes().await.unwrap() == whole,
        "as the operator gave it, whatever the plan's bit rate is"
    );
    let part = house.http.get(url(&ann)).header("range", "bytes=100-199").send().await.unwrap();
    assert_eq!((part.status().as_u16(), &part.bytes().await.unwrap()[..]), (206, &whole[100..200]));
    for stranger in [&bob, &house.key] {
        assert_eq!(code(&ask(&house, "stream", stranger, &[("id", id)]).await), 70);
    }
    // Nothing else knows of it.
    for endpoint in ["getSong", "star", "scrobble", "createShare", "createBookmark", "getLyricsBySongId"] {
        let params = [("id", id), ("position", "1")];
        assert_eq!(code(&ask(&house, endpoint, &ann, &params).await), 70, "{endpoint}");
    }
    let found = ask(&house, "search3", &ann, &[("query", ""), ("songCount", "99")]).await;
    assert_eq!(found["searchResult3"]["song"].as_array().unwrap().len(), 6, "the library alone");

    let ticket = &ad["ticket"];
    assert_eq!(ticket.as_str().unwrap().len(), 32);
    for _ in 0..2 {
        assert_eq!(report(&house, &ann, ticket, 3500, START).await["status"], "ok", "once and once more");
    }
    assert_eq!(code(&ask(&house, "stream", &ann, &[("id", id)]).await), 70, "it was used");
    assert_eq!(report(&house, &ann, ticket, 0, START).await["status"], "ok");
    let counts = house.catalog.ad_counts(START).await.unwrap()["soap"].all;
    assert_eq!((counts.tickets, counts.delivered, counts.skipped, counts.listeners), (1, 1, 0, 1));
    house.close().await;
}

#[tokio::test]
async fn premium_hears_none_from_the_moment_of_its_beginning() {
    let clock = Clock::by_hand(START);
    let (house, ann, _) = open(&clock).await;
    add(&house, campaign("soap")).await;
    assert_eq!(ads(&house, &ann, &[("count", "2")]).await.len(), 2);
    give(&house, Some("premium")).await;
    assert_eq!(ask(&house, "getPlan", &ann, &[]).await["plan"]["adsEvery"], 0);
    assert_eq!(ads(&house, &ann, &[("count", "2")]).await.len(), 0);
    give(&house, None).await;
    assert_eq!(ask(&house, "getPlan", &ann, &[]).await["plan"]["adsEvery"], 900);
    assert_eq!(ads(&house, &ann, &[("count", "2")]).await.len(), 2);
    house.close().await;
}

#[tokio::test]
async fn what_cannot_have_been_heard_is_refused_and_the_rest_counts() {
    let clock = Clock::by_hand(START);
    let (house, ann, bob) = open(&clock).await;
    add(&house, campaign("soap")).await;
    let given = ads(&house, &ann, &[("count", "5")]).await;
    let ticket = |n: usize| &given[n]["ticket"];
    assert_eq!(code(&report(&house, &bob, ticket(0), 4000, START).await), 70, "somebody else's");
    assert_eq!(code(&report(&house, &ann, &"0".repeat(32).into(), 4000, START).await), 70);
    let early = report(&house, &ann, ticket(0), 4000, START - SKEW - 1).await;
    assert_eq!(code(&early), 70);
    assert!(early["error"]["message"].as_str().unwrap().contains("before its ticket was given"), "{early}");
    assert_eq!(code(&report(&house, &ann, ticket(0), 4000, START + SKEW + 1).await), 70, "in the future");
    // One bad one among good ones.
    let now = START.to_string();
    let mixed = [
        ("ticket", "nobodys"),
        ("heard", "4000"),
        ("time", now.as_str()),
        ("ticket", ticket(1).as_str().unwrap()),
        ("heard", "2999"),
        ("time", now.as_str()),
    ];
    assert_eq!(code(&ask(&house, "reportAds", &ann, &mixed).await), 70);
    assert_eq!(code(&ask(&house, "reportAds", &ann, &mixed[..5]).await), 10, "a time is missing");
    assert_eq!(code(&ask(&house, "reportAds", &ann, &[]).await), 10);
    let wrong = [("ticket", "x"), ("heard", "much"), ("time", "now")];
    assert_eq!(code(&ask(&house, "reportAds", &ann, &wrong).await), 0);
    // Far too much is all of it.
    assert_eq!(report(&house, &ann, ticket(2), u64::MAX, START).await["status"], "ok");
    // Heard in time, told late; and later than late.
    let heard = START + GOOD_FOR;
    clock.set(heard + LATE);
    assert_eq!(report(&house, &ann, ticket(3), 4000, heard).await["status"], "ok");
    assert_eq!(code(&report(&house, &ann, ticket(4), 4000, heard + SKEW + 1).await), 70, "after its time");
    let counts = house.catalog.ad_counts(clock.now()).await.unwrap()["soap"].all;
    assert_eq!((counts.tickets, counts.delivered, counts.skipped, counts.expired), (5, 2, 1, 2));
    clock.set(heard + LATE + 1);
    assert_eq!(code(&report(&house, &ann, ticket(4), 4000, heard).await), 70);
    house.close().await;
}

#[tokio::test]
async fn genres_are_those_of_now_and_of_the_history_only_where_that_was_agreed_to() {
    let clock = Clock::by_hand(START);
    let (house, ann, _) = open(&clock).await;
    add(&house, Campaign { genres: vec!["rock".into()], ..campaign("guitars") }).await;
    assert_eq!(ads(&house, &ann, &[]).await.len(), 0, "nobody knows what is heard");
    assert_eq!(ads(&house, &ann, &[("genre", "ROCK")]).await.len(), 1);
    assert_eq!(ads(&house, &ann, &[("genre", "Jazz")]).await.len(), 0);
    let song = house.song("One").await;
    let now = [("mediaId", song.as_str()), ("mediaType", "song"), ("positionMs", "1"), ("state", "playing")];
    ask(&house, "reportPlayback", &ann, &now).await;
    assert_eq!(ads(&house, &ann, &[]).await.len(), 1, "a song of that genre plays");
    let elsewhere = [("apiKey", ann.as_str()), ("c", "another player")];
    assert_eq!(house.anybody("getAds", &elsewhere).await["ads"]["ad"], serde_json::json!([]));
    let stop = [("mediaId", song.as_str()), ("mediaType", "song"), ("positionMs", "1"), ("state", "stopped")];
    ask(&house, "reportPlayback", &ann, &stop).await;

    let at = (START - DAY).to_string();
    ask(&house, "scrobble", &ann, &[("id", &song), ("time", &at)]).await;
    assert_eq!(ads(&house, &ann, &[]).await.len(), 0, "what was heard is nobody's business");
    let account = house.catalog.account_named(ANN.0).await.unwrap().unwrap();
    let listener = house.catalog.listener(&account.id);
    listener.decide(Purpose::PersonalAds, true, Purpose::TEXT_VERSION).await.unwrap();
    assert_eq!(ads(&house, &ann, &[]).await.len(), 1, "Ann agreed");
    listener.decide(Purpose::PersonalAds, false, Purpose::TEXT_VERSION).await.unwrap();
    assert_eq!(ads(&house, &ann, &[]).await.len(), 0, "and no longer does");
    house.close().await;
}

#[tokio::test]
async fn hours_are_the_listeners_own() {
    // Tuesday, 1 December 2026, 23:30 UTC.
    let clock = Clock::by_hand(START + 23 * 3_600_000 + 1_800_000);
    let (house, ann, _) = open(&clock).await;
    add(&house, Campaign { hours: 1 << 7, weekdays: 1 << 2, ..campaign("breakfast") }).await;
    assert_eq!(ads(&house, &ann, &[("utcOffset", "0")]).await.len(), 0);
    assert_eq!(ads(&house, &ann, &[("utcOffset", "480")]).await.len(), 1, "Wednesday, half past seven");
    assert_eq!(ads(&house, &ann, &[("utcOffset", "540")]).await.len(), 0);
    assert_eq!(code(&ask(&house, "getAds", &ann, &[("utcOffset", "east")]).await), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_not_passed_by_many_at_one_time_nor_a_drawer_filled() {
    let clock = Clock::by_hand(START);
    let (house, ann, bob) = open(&clock).await;
    add(&house, Campaign { budget: 7, ..campaign("scarce") }).await;
    let asked = (0..10).map(|n| {
        let key = if n % 2 == 0 { &ann } else { &bob };
        ads(&house, key, &[("count", "2")])
    });
    let given: usize = futures_util::future::join_all(asked).await.iter().map(Vec::len).sum();
    assert_eq!(given, 7);
    // A ticket that expired is given again.
    clock.set(START + GOOD_FOR + 1);
    assert_eq!(ads(&house, &ann, &[("count", "10")]).await.len(), 7);
    add(&house, campaign("plenty")).await;
    let mut all = 7;
    while all < MOST_OUT as usize {
        let more = ads(&house, &ann, &[("count", "10")]).await.len();
        assert!((1..=10).contains(&more));
        all += more;
    }
    assert_eq!(all, MOST_OUT as usize);
    assert_eq!(ads(&house, &ann, &[("count", "10")]).await.len(), 0, "first hear those");
    assert_eq!(ads(&house, &bob, &[("count", "99")]).await.len(), 10);
    assert_eq!(ads(&house, &bob, &[("count", "0")]).await.len(), 0);
    house.close().await;
}

#[tokio::test]
async fn sound_is_measured_and_what_is_none_is_refused() {
    let house = House::open_in(world(&Clock::by_hand(START), true)).await;
    let folder = house.folder.path().join("tones");
    let add = async |file: &Path, skippable_after_ms| {
        let new = NewAd { campaign: campaign("soap"), title: Some("A ♫".into()), skippable_after_ms };
        plans::add_ad(&house.catalog, &data(&house.folder), file, new)
            .await
            .map_err(|error| error.to_string())
    };
    // A sine of 997 Hz on both sides has the loudness of its peak: −20 LUFS.
    let ad = add(&tone(&folder.join("quiet.wav"), 5.0, 0.1), None).await.unwrap();
    assert!((ad.gain_db - 2.0).abs() < 0.05, "{}", ad.gain_db);
    assert!((ad.peak - 0.1).abs() < 0.001, "{}", ad.peak);
    let again = add(&folder.join("quiet.wav"), Some(1000)).await.unwrap();
    assert_eq!((&again.id, again.skippable_after_ms), (&ad.id, Some(1000)), "the same sound is the same ad");
    assert_eq!(house.catalog.stored_ads().await.unwrap().len(), 1);
    assert!(data(&house.folder).join("ads").join(&ad.file).is_file());

    std::fs::write(folder.join("text.mp3"), "this is not music").unwrap();
    for (file, why) in [
        (tone(&folder.join("short.wav"), 0.5, 0.1), "at least 1 s long"),
        (tone(&folder.join("silent.wav"), 3.0, 0.0), "it is silent"),
        (tone(&folder.join("long.wav"), 181.0, 0.1), "16 MiB"),
        (folder.join("text.mp3"), "text.mp3: "),
        (folder.join("nowhere.wav"), "cannot be used"),
    ] {
        let said = add(&file, None).await.unwrap_err();
        assert!(said.contains(why), "{said}");
    }
    let said = add(&folder.join("quiet.wav"), Some(5000)).await.unwrap_err();
    assert!(said.contains("cannot be skipped later than that"), "{said}");
    house.catalog.remove_campaign("soap").await.unwrap();
    plans::remove_files(&house.catalog, &data(&house.folder)).await.unwrap();
    assert_eq!(std::fs::read_dir(data(&house.folder).join("ads")).unwrap().count(), 0);
    house.close().await;
}

#[tokio::test]
async fn the_houses_own_ads_can_be_heard_and_are_in_the_backup() {
    let clock = Clock::by_hand(START);
    let (house, ann, _) = open(&clock).await;
    for _ in 0..2 {
        let added = plans::add_house_ads(&house.catalog, &data(&house.folder), START).await.unwrap();
        assert_eq!(added.len(), 3);
    }
    let three = ads(&house, &ann, &[("count", "3")]).await;
    let mut campaigns: Vec<&Value> = three.iter().map(|ad| &ad["title"]).collect();
    campaigns.sort_by_key(ToString::to_string);
    assert_eq!(campaigns, ["A Cup of Something", "Lights Out", "The Long Way Home"]);
    for ad in &three {
        let url = house.url("stream", &[("apiKey", ann.as_str()), ("id", ad["songId"].as_str().unwrap())]);
        let reply = house.http.get(url).send().await.unwrap();
        assert_eq!(reply.headers()["content-type"], "audio/ogg");
        let length = reply.bytes().await.unwrap().len();
        assert!((20_000..100_000).contains(&length), "{length}");
    }
    let copy = house.folder.path().join("copy");
    segue::server::backup::make(&place(&house.folder), &data(&house.folder), &copy, 0).await.unwrap();
    assert_eq!(std::fs::read_dir(copy.join("ads")).unwrap().count(), 3);
    house.close().await;
}

#[tokio::test]
async fn nobody_is_named_longer_than_a_report_may_come() {
    let clock = Clock::by_hand(START);
    let (house, ann, bob) = open(&clock).await;
    add(&house, Campaign { per_listener: 3, ..campaign("soap") }).await;
    for (key, heard) in [(&ann, 4000), (&ann, 4000), (&bob, 10)] {
        let given = ads(&house, key, &[]).await;
        report(&house, key, &given[0]["ticket"], heard, START).await;
    }
    ads(&house, &bob, &[]).await;
    let counted = async || {
        let counts = house.catalog.ad_counts(clock.now()).await.unwrap()["soap"].clone();
        (counts.all.tickets, counts.all.delivered, counts.all.skipped, counts.all.expired, counts.days.len())
    };
    clock.set(START + GOOD_FOR + LATE);
    assert_eq!(plans::forget_old(&house.catalog, clock.now()).await.unwrap(), 0);
    assert_eq!(counted().await, (4, 2, 1, 1, 1));
    clock.set(START + GOOD_FOR + LATE + DAY);
    assert_eq!(plans::forget_old(&house.catalog, clock.now()).await.unwrap(), 4);
    assert_eq!(counted().await, (4, 2, 1, 1, 1), "the same, of nobody");
    let soap = house.catalog.ad_counts(clock.now()).await.unwrap()["soap"].clone();
    assert_eq!((soap.all.listeners, soap.days.values().next().unwrap().listeners), (0, 1));
    // What one listener may hear in all is still known.
    assert_eq!(ads(&house, &ann, &[("count", "5")]).await.len(), 1);
    assert_eq!(ads(&house, &bob, &[("count", "5")]).await.len(), 3);
    // Who goes takes their name along, and nothing that was counted.
    accounts::remove(&house.catalog, BOB.0).await.unwrap();
    assert_eq!(counted().await.0, 8);
    house.close().await;
}

#[tokio::test]
async fn the_same_seed_gets_the_same_ads() {
    let clock = Clock::by_hand(START);
    let (house, ..) = open(&clock).await;
    for name in ["a", "b", "c", "d"] {
        add(&house, campaign(name)).await;
    }
    let account = house.catalog.account_named(ANN.0).await.unwrap().unwrap().id;
    let asked = AdQuestion { count: 4, ..AdQuestion::default() };
    let mut orders = Vec::new();
    for seed in [1, 1, 2, 3] {
        let desk = Desk::new(house.catalog.clone(), clock.clone(), seed);
        let given = desk.ads(&account, &asked).await.unwrap();
        orders.push(given.iter().map(|ad| ad.title.clone()).collect::<Vec<_>>());
        let heard: Vec<AdHeard> =
            given.into_iter().map(|ad| AdHeard { ticket: ad.ticket, heard_ms: 0, at: START }).collect();
        assert!(desk.report(&account, &heard).await.unwrap().iter().all(Result::is_ok));
    }
    assert_eq!(orders[0], orders[1]);
    assert!(orders[1..].iter().any(|order| *order != orders[0]), "another seed, another order: {orders:?}");
    house.close().await;
}

#[tokio::test]
async fn operators_are_told_of_a_campaign_that_enough_heard() {
    let clock = Clock::by_hand(START);
    let (house, ..) = open(&clock).await;
    add(&house, campaign("soap")).await;
    let desk = Desk::new(house.catalog.clone(), clock.clone(), 1);
    let day = START.div_euclid(DAY);
    let rows = async || {
        let ask = segue::catalog::Ask { since: day, until: day + 1, minimum: None };
        let report = house.catalog.report(ask, day + 1).await.unwrap();
        let table = report.tables.into_iter().find(|table| table.name == "ads").unwrap();
        table
            .rows
            .iter()
            .map(|row| row.iter().map(segue::catalog::Value::text).collect())
            .collect::<Vec<Vec<String>>>()
    };
    for n in 1..=5 {
        assert!(rows().await.is_empty(), "{} listeners are too few", n - 1);
        let account = accounts::add(&house.catalog, &format!("listener {n}"), "sesame", false).await.unwrap();
        let given = desk.ads(&account, &AdQuestion { count: 1, ..AdQuestion::default() }).await.unwrap();
        let heard = AdHeard { ticket: given[0].ticket.clone(), heard_ms: 4000, at: START };
        assert!(desk.report(&account, &[heard]).await.unwrap().iter().all(Result::is_ok));
    }
    assert_eq!(rows().await, [["soap", "5", "5", "0", "0", "5"]]);
}
