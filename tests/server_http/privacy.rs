//! What a server owes to persons, over real HTTP: decisions, a copy, the end of an account with its grace, and that nothing is left
//! of who is gone.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use segue::catalog::{PERSONAL, Scoured};
use segue::mixing;
use segue::music::{AccountId, EndReason, Play, Purpose, StartReason};
use segue::server::privacy::{Keep, Tidied, tidy, tombstone};
use segue::server::{accounts, backup};
use serde_json::Value;

use crate::house::{ANN, House, code, data, place};

/// A name that stands nowhere by chance.
const CANARY: &str = "Canary-Quetzalcoatl";
const PASSWORD: &str = "sesame-open-wide";
const DAY: i64 = 86_400_000;

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Asks by POST with the person's own name and password.
async fn post(house: &House, name: &str, endpoint: &str, more: &[(&str, &str)]) -> reqwest::Response {
    let mut form = vec![("u", name), ("p", PASSWORD), ("f", "json"), ("v", "1.16.1"), ("c", "test")];
    form.extend_from_slice(more);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = house.http.post(format!("{}/rest/{endpoint}", house.base));
    request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()
}

async fn asked(house: &House, name: &str, endpoint: &str, more: &[(&str, &str)]) -> Value {
    let bytes = post(house, name, endpoint, more).await.bytes().await.unwrap();
    let mut answer: Value = serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{endpoint}: {e}"));
    answer["subsonic-response"].take()
}

/// A person with something in every corner: plays, stars, a public playlist, a share, keys, a bookmark, a queue, mixes.
async fn person(house: &House) -> AccountId {
    let id = accounts::add(&house.catalog, CANARY, PASSWORD, false).await.unwrap();
    accounts::new_api_key(&house.catalog, CANARY, "Canary's phone").await.unwrap();
    accounts::new_app_password(&house.catalog, &data(&house.folder), CANARY, "Canary's car").await.unwrap();
    accounts::set_profile(&house.catalog, CANARY, "canary-client", Some("opus-96")).await.unwrap();
    let (one, three) = (house.song("One").await, house.song("Three").await);
    for hour in 0..5 {
        let at = (now() - hour * 3_600_000).to_string();
        let said = asked(house, CANARY, "scrobble", &[("id", &one), ("time", &at)]).await;
        assert_eq!(said["status"], "ok");
    }
    for (endpoint, more) in [
        ("star", vec![("id", three.as_str())]),
        ("setRating", vec![("id", one.as_str()), ("rating", "4")]),
        (
            "createPlaylist",
            vec![("name", "Canary's songs"), ("songId", one.as_str()), ("songId", three.as_str())],
        ),
        ("createShare", vec![("id", one.as_str()), ("description", "from the Canary")]),
        ("createBookmark", vec![("id", one.as_str()), ("position", "7000"), ("comment", "Canary was here")]),
        ("savePlayQueue", vec![("id", one.as_str()), ("current", one.as_str()), ("position", "5")]),
        ("setPrivacy", vec![("purpose", "personalAds"), ("on", "true"), ("version", "1")]),
    ] {
        assert_eq!(asked(house, CANARY, endpoint, &more).await["status"], "ok", "{endpoint}");
    }
    let lists = asked(house, CANARY, "getPlaylists", &[]).await;
    let list = lists["playlists"]["playlist"][0]["id"].as_str().unwrap().to_owned();
    let public = [("playlistId", list.as_str()), ("public", "true")];
    assert_eq!(asked(house, CANARY, "updatePlaylist", &public).await["status"], "ok");
    let listener = house.catalog.listener(&id);
    mixing::refresh(&listener, &jiff::ZonedDateTime::now(), None).await.unwrap();
    // Searches read the person's marks, and the search index takes notes of them.
    assert_eq!(asked(house, CANARY, "search3", &[("query", "one")]).await["status"], "ok");
    id
}

/// Names and contents of a copy.
async fn copy(house: &House, name: &str) -> Vec<(String, String)> {
    let reply = post(house, name, "exportAccount", &[("password", PASSWORD)]).await;
    assert_eq!(reply.headers()["content-type"], "application/zip");
    unpacked(reply.bytes().await.unwrap().to_vec())
}

fn unpacked(bytes: Vec<u8>) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut entry = zip.by_index(at).unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.name().unwrap().into_owned(), text)
        })
        .collect()
}

fn file<'a>(copy: &'a [(String, String)], name: &str) -> &'a str {
    &copy.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1
}

/// Every file below a folder that holds one of these texts.
fn holding(folder: &Path, needles: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        let path = entry.path();
        if !entry.file_type().is_file() {
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        for needle in needles {
            if bytes.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle.as_bytes())) {
                found.insert(format!("{}: {needle}", path.strip_prefix(folder).unwrap().display()));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_purpose_is_decided_over_the_wire_and_version_1_works_as_before() {
    let house = House::open().await;
    let id = accounts::add(&house.catalog, CANARY, PASSWORD, false).await.unwrap();
    let first = asked(&house, CANARY, "getPrivacy", &[]).await["privacy"].clone();
    assert_eq!((&first["profiling"], &first["textVersion"]), (&Value::from(true), &Value::from(1)));
    let state = |privacy: &Value| -> Vec<(String, bool)> {
        let all = privacy["purpose"].as_array().unwrap().iter();
        all.map(|p| (p["name"].as_str().unwrap().to_owned(), p["on"].as_bool().unwrap())).collect()
    };
    let expected = |on: [bool; 4]| -> Vec<(String, bool)> {
        Purpose::ALL.iter().map(|p| p.word().to_owned()).zip(on).collect()
    };
    assert_eq!(state(&first), expected([true, true, false, false]), "nothing that needs consent is on");
    assert!(first["purpose"][0]["decided"].is_null());
    let set = async |purpose: &str, on: &str| {
        let more = [("purpose", purpose), ("on", on), ("version", "1")];
        asked(&house, CANARY, "setPrivacy", &more).await["privacy"].clone()
    };
    set("analytics", "true").await;
    let after = set("history", "false").await;
    assert_eq!(state(&after), expected([false, true, false, true]));
    assert!(after["purpose"][3]["decided"].is_string());
    assert_eq!(set("analytics", "false").await["purpose"][3]["on"], false, "as easily taken back as given");
    let old = asked(&house, CANARY, "setPrivacy", &[("profiling", "false")]).await;
    assert_eq!(old["privacy"]["profiling"], false);
    assert!(
        !house.catalog.allows(&id, Purpose::Personalisation).await.unwrap(),
        "one truth for both versions"
    );
    // The record keeps every decision.
    let consents = house.catalog.consents(&id).await.unwrap();
    let analytics: Vec<bool> =
        consents.iter().filter(|c| c.purpose == Purpose::Analytics).map(|c| c.given).collect();
    assert_eq!(analytics, [true, false]);
    assert!(consents.iter().all(|consent| consent.version == Purpose::TEXT_VERSION && consent.at > 0));
    for (more, wrong) in [
        (vec![], 10),
        (vec![("purpose", "world")], 0),
        (vec![("purpose", "history")], 10),
        (vec![("purpose", "history"), ("on", "true")], 10),
        (vec![("purpose", "history"), ("on", "true"), ("version", "99")], 0),
    ] {
        assert_eq!(code(&asked(&house, CANARY, "setPrivacy", &more).await), wrong, "{more:?}");
    }
    let listed = house.json("getOpenSubsonicExtensions", &[]).await["openSubsonicExtensions"].clone();
    let ours = listed.as_array().unwrap().iter().find(|e| e["name"] == "seguePrivacy").unwrap();
    assert_eq!(ours["versions"], serde_json::json!([1, 2]));
    house.close().await;
}

#[tokio::test]
async fn with_history_off_scrobbles_are_answered_and_not_kept() {
    let house = House::open().await;
    let id = accounts::add(&house.catalog, CANARY, PASSWORD, false).await.unwrap();
    let one = house.song("One").await;
    let off = [("purpose", "history"), ("on", "false"), ("version", "1")];
    asked(&house, CANARY, "setPrivacy", &off).await;
    assert_eq!(asked(&house, CANARY, "scrobble", &[("id", &one)]).await["status"], "ok");
    for (state, position) in [("starting", "0"), ("playing", "100"), ("stopped", "300000")] {
        let more =
            [("mediaId", one.as_str()), ("mediaType", "song"), ("positionMs", position), ("state", state)];
        assert_eq!(asked(&house, CANARY, "reportPlayback", &more).await["status"], "ok");
    }
    let counts = house.catalog.personal_counts(&id).await.unwrap();
    let tables: Vec<&str> = counts.iter().map(|(table, _)| *table).collect();
    assert_eq!(tables, ["consents", "accounts"], "nothing of what was heard");
    assert!(house.catalog.everybodys_plays().await.unwrap().is_empty(), "nothing to train on");
    let on = [("purpose", "history"), ("on", "true"), ("version", "1")];
    asked(&house, CANARY, "setPrivacy", &on).await;
    assert_eq!(asked(&house, CANARY, "scrobble", &[("id", &one)]).await["status"], "ok");
    assert_eq!(house.catalog.listener(&id).play_times().await.unwrap().len(), 1);
    assert_eq!(house.catalog.everybodys_plays().await.unwrap().len(), 1);
    house.close().await;
}

#[tokio::test]
async fn who_is_not_profiled_is_shown_the_same_list_byte_by_byte() {
    let house = House::open().await;
    let (one, three) = (house.song("One").await, house.song("Three").await);
    let mut ids = Vec::new();
    for name in ["first", "second"] {
        ids.push(accounts::add(&house.catalog, name, PASSWORD, false).await.unwrap());
    }
    // They hear different things, and somebody else hears what is popular.
    let others = accounts::add(&house.catalog, "other", PASSWORD, false).await.unwrap();
    let play = async |account: &AccountId, song: &str, hours: i64| {
        let play = Play {
            track: song.into(),
            started_at: now() - hours * 3_600_000,
            heard_ms: 300_000,
            start: StartReason::Chosen,
            end: EndReason::Finished,
        };
        house.catalog.listener(account).record_play(&play).await.unwrap();
    };
    for hour in 0..3 {
        play(&ids[0], &one, hour).await;
        play(&others, &three, hour).await;
    }
    let mut shown = Vec::new();
    for name in ["first", "second"] {
        asked(&house, name, "setPrivacy", &[("profiling", "false")]).await;
        let lists = asked(&house, name, "getPlaylists", &[]).await;
        let lists = lists["playlists"]["playlist"].as_array().unwrap().clone();
        assert_eq!(lists.len(), 1, "{lists:?}");
        assert_eq!(lists[0]["id"], "mix-popular");
    }
    for id in &ids {
        let mixes: Vec<_> =
            house.catalog.listener(id).mixes().await.unwrap().into_iter().map(|kept| kept.mix).collect();
        shown.push(serde_json::to_vec(&mixes).unwrap());
    }
    assert_eq!(shown[0], shown[1]);
    let mix = mixing::popular(&house.catalog.listener(&ids[0])).await.unwrap();
    assert_eq!(mix.picks[0].track.as_str(), three, "what the profiled one hears, not what the others do");
    house.close().await;
}

#[tokio::test]
async fn a_copy_has_everything_and_no_secret_and_wants_the_password_by_post() {
    let house = House::open().await;
    let id = person(&house).await;
    let key = house.key_of(CANARY).await;
    let url = house.url("exportAccount", &[("apiKey", &key), ("password", PASSWORD), ("f", "json")]);
    assert_eq!(house.http.get(url).send().await.unwrap().status(), 405, "no password in an address");
    assert_eq!(code(&asked(&house, CANARY, "exportAccount", &[]).await), 10);
    assert_eq!(code(&asked(&house, CANARY, "exportAccount", &[("password", "guess")]).await), 40);

    let all = copy(&house, CANARY).await;
    let names: BTreeSet<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let readme = file(&all, "README.txt");
    for personal in PERSONAL {
        let there = names.iter().any(|name| name.starts_with(personal.file));
        assert!(there, "{} should be in {}: {names:?}", personal.table, personal.file);
    }
    for name in &names {
        let listed = name.split('/').next().unwrap();
        assert!(*name == "README.txt" || readme.contains(listed), "{name} is not explained");
    }
    let plays: Vec<Value> =
        file(&all, "plays.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(plays.len(), 5);
    assert_eq!(plays[0]["track_metadata"]["track_name"], "One");
    assert_eq!(plays[0]["track_metadata"]["artist_name"], "Alpha");
    assert!(plays[0]["listened_at"].as_i64().unwrap() > 1_600_000_000);
    for (name, text) in [
        ("profile.json", CANARY),
        ("favourites.jsonl", "\"rating\":4"),
        ("bookmarks.jsonl", "Canary was here"),
        ("devices.jsonl", "Canary's phone"),
        ("app_passwords.jsonl", "Canary's car"),
        ("client_profiles.jsonl", "canary-client"),
        ("shares.jsonl", "from the Canary"),
        ("consents.jsonl", "personalAds"),
        ("audit.jsonl", "data exported"),
        ("settings.json", "\"personalAds\": true"),
        ("recommendations.json", "\"why\""),
        ("queue.jsonl", "\"position_ms\":5"),
    ] {
        assert!(file(&all, name).contains(text), "{name}: {}", file(&all, name));
    }
    let (_, list) =
        all.iter().find(|(name, _)| name.starts_with("playlists/") && name.contains(".xspf")).unwrap();
    assert!(list.contains("<title>One</title><creator>Alpha</creator>"), "{list}");
    // Nothing that opens anything: neither the hash nor what seals a password nor the address of a share.
    let account = house.catalog.account(&id).await.unwrap().unwrap();
    let share = house.catalog.shares(Some(&id)).await.unwrap().remove(0);
    for (name, text) in &all {
        for secret in
            [account.password_hash.as_str(), "argon2", &share.secret, PASSWORD, "\"sealed\"", "\"digest\""]
        {
            assert!(!text.contains(secret), "{name} has {secret}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn a_long_history_is_given_out_whole_and_in_order() {
    let house = House::open().await;
    let id = accounts::add(&house.catalog, CANARY, PASSWORD, false).await.unwrap();
    let (one, three) = (house.song("One").await, house.song("Three").await);
    let listener = house.catalog.listener(&id);
    // More than two pages, some of them begun at the same moment.
    for n in 0..2_300_i64 {
        let play = Play {
            track: if n % 2 == 0 { one.as_str() } else { three.as_str() }.into(),
            started_at: 1_700_000_000_000 + n / 2 * 400_000,
            heard_ms: 300_000,
            start: StartReason::Chosen,
            end: EndReason::Finished,
        };
        assert!(listener.record_play(&play).await.unwrap());
    }
    let all = copy(&house, CANARY).await;
    let times: Vec<i64> = file(&all, "plays.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["listened_at"].as_i64().unwrap())
        .collect();
    assert_eq!(times.len(), 2_300);
    assert!(times.is_sorted());
    house.close().await;
}

#[tokio::test]
async fn who_wants_to_be_erased_is_closed_may_return_and_is_gone_when_the_grace_is_over() {
    let house = House::open().await;
    let id = person(&house).await;
    let key = house.key_of(CANARY).await;
    let share = house.catalog.shares(Some(&id)).await.unwrap().remove(0);
    let share = format!("{}/share/{}", house.base, share.secret);
    assert_eq!(house.http.get(&share).send().await.unwrap().status(), 200);
    assert_eq!(code(&asked(&house, CANARY, "eraseAccount", &[("password", "guess")]).await), 40);
    assert!(house.catalog.account(&id).await.unwrap().unwrap().erase_at.is_none());
    let asked_for = asked(&house, CANARY, "eraseAccount", &[("password", PASSWORD)]).await;
    let at: jiff::Timestamp = asked_for["privacy"]["eraseAt"].as_str().unwrap().parse().unwrap();
    let days = (at.as_millisecond() - now() + DAY / 2) / DAY;
    assert_eq!(days, 14);

    // Closed to keys and passwords alike, its shares too; but the person may look, take a copy, and come back.
    for asker in [vec![("apiKey", key.as_str())], vec![("u", CANARY), ("p", PASSWORD)]] {
        let refused = house.anybody("getPlaylists", &asker).await;
        assert_eq!(code(&refused), 40);
        assert!(refused["error"]["message"].as_str().unwrap().contains("to be erased"), "{refused}");
    }
    assert_eq!(house.http.get(&share).send().await.unwrap().status(), 404);
    assert!(asked(&house, CANARY, "getPrivacy", &[]).await["privacy"]["eraseAt"].is_string());
    assert!(file(&copy(&house, CANARY).await, "audit.jsonl").contains("erasure asked for"));
    let keep = Keep::default();
    let early = tidy(&house.catalog, &data(&house.folder), &keep, now() + 13 * DAY).await.unwrap();
    assert_eq!(early.receipts, []);
    let back = asked(&house, CANARY, "eraseAccount", &[("password", PASSWORD), ("cancel", "true")]).await;
    assert!(back["privacy"]["eraseAt"].is_null(), "{back}");
    assert_eq!(house.anybody("ping", &[("apiKey", &key)]).await["status"], "ok");
    assert_eq!(
        tidy(&house.catalog, &data(&house.folder), &keep, now() + 15 * DAY).await.unwrap().receipts,
        []
    );

    asked(&house, CANARY, "eraseAccount", &[("password", PASSWORD)]).await;
    let done = tidy(&house.catalog, &data(&house.folder), &keep, now() + 15 * DAY).await.unwrap();
    let receipt = &done.receipts[0];
    assert_eq!(receipt.tombstone, tombstone(&id));
    assert_eq!((receipt.removed["plays"], receipt.removed["accounts"]), (5, 1));
    let kept = data(&house.folder).join("receipts").join(format!("{}.json", receipt.tombstone));
    let kept: segue::server::privacy::Receipt =
        serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
    assert_eq!(&kept, receipt);
    assert_eq!(code(&asked(&house, CANARY, "getPrivacy", &[]).await), 40, "there is no such account");
    let lists = house.json("getPlaylists", &[]).await.to_string();
    assert!(!lists.contains("Canary"), "its public playlist went too: {lists}");
    assert_eq!(house.code("deleteUser", &[("username", "admin")]).await, 0, "the last who administers stays");
    house.close().await;
}

#[tokio::test]
async fn after_an_erasure_no_file_knows_the_person_and_a_backup_does_not_bring_them_back() {
    let house = House::open().await;
    // Somebody else stays as they were.
    let other = accounts::add(&house.catalog, ANN.0, ANN.1, false).await.unwrap();
    let one = house.song("One").await;
    let ann = house.key_of(ANN.0).await;
    house.anybody("scrobble", &[("apiKey", &ann), ("id", &one)]).await;
    let id = person(&house).await;
    let key = house.key_of(CANARY).await;
    // Others have done things to the person, too.
    house.json("getUser", &[("username", CANARY)]).await;
    assert_eq!(
        house.json("updateUser", &[("username", CANARY), ("jukeboxRole", "false")]).await["status"],
        "ok"
    );
    let folder = data(&house.folder);
    let old = folder.join("copies-old");
    backup::make(&place(&house.folder), &folder, &old, 30).await.unwrap();
    let elsewhere = house.folder.path().join("kept-copy");
    backup::make(&place(&house.folder), &folder, &elsewhere, 0).await.unwrap();
    let needles = [CANARY, "Canary", id.as_str(), "127.0.0.1"];
    let before = holding(&folder, &needles);
    assert!(before.iter().any(|found| found.ends_with(CANARY)), "the needle can be found: {before:?}");

    let account = house.catalog.account(&id).await.unwrap().unwrap();
    let keep = Keep::default();
    let receipt = segue::server::privacy::erase(&house.catalog, &folder, &account, &keep).await.unwrap();
    assert_ne!(receipt.overwritten, Scoured::Busy);
    assert_eq!((receipt.copies.number, receipt.copies.endless), (2, 1), "a copy without an end is told of");
    let ends: jiff::Timestamp = receipt.copies.last_ends.clone().unwrap().parse().unwrap();
    assert_eq!((ends.as_millisecond() - now() + DAY / 2) / DAY, 30);
    assert!(receipt.removed["audit"] >= 2, "{receipt:?}");
    let copies = holding(&folder, &needles);
    assert!(copies.iter().all(|found| found.starts_with("copies-old")), "{copies:?}");
    let later = tidy(&house.catalog, &folder, &keep, now() + 31 * DAY).await.unwrap();
    assert_eq!(later.copies, 1);
    assert!(!old.exists() && elsewhere.exists(), "the one with an end is gone, the other one stays");
    assert_eq!(holding(&folder, &needles), BTreeSet::new());
    // The running server has forgotten the person, and knows the other one.
    assert_eq!(code(&house.anybody("ping", &[("apiKey", &key)]).await), 44);
    assert_eq!(code(&asked(&house, CANARY, "ping", &[]).await), 40);
    assert_eq!(house.catalog.listener(&other).play_times().await.unwrap().len(), 1);
    assert!(house.catalog.personal_counts(&id).await.unwrap().is_empty());
    let lesson = mixing::train(&house.catalog, 0, |_| ()).await.unwrap().lesson;
    assert_eq!((lesson.listeners, lesson.pairs), (1, 1), "what is learned from now on is the other's alone");
    let searched = house.json("search3", &[("query", "one")]).await.to_string();
    assert!(searched.contains(&one), "{searched}");

    // A backup from before knows the person; brought back, it does not bring them back.
    let house = house.close().await;
    assert!(!holding(&elsewhere, &[CANARY]).is_empty());
    let aside = backup::restore(&elsewhere, &data(&house)).await.unwrap();
    let house = House::open_over(house).await;
    assert!(house.catalog.account_named(CANARY).await.unwrap().is_none());
    assert!(house.catalog.account_named(ANN.0).await.unwrap().is_some());
    assert_eq!(holding(&data(&house.folder), &needles), BTreeSet::new());
    assert!(aside.is_some() || crate::database::on_server());
    house.close().await;
}

#[tokio::test]
async fn what_operators_do_to_others_is_written_down_and_addresses_are_cut() {
    let house = House::open().await.with_ann().await;
    house.json("getUser", &[("username", ANN.0)]).await;
    house.json("getUsers", &[]).await;
    house.json("updateUser", &[("username", ANN.0), ("shareRole", "false")]).await;
    let deeds = house.catalog.deeds_about(ANN.0, 100).await.unwrap();
    let said: Vec<(&str, &str)> =
        deeds.iter().map(|deed| (deed.account.as_str(), deed.deed.as_str())).collect();
    assert_eq!(said, [("admin", "account read"), ("admin", "account changed")]);
    assert!(deeds.iter().all(|deed| deed.address == "127.0.0.0/24"), "{deeds:?}");
    // Who looks at themselves is no operator.
    let own = house.key_of(ANN.0).await;
    house.anybody("getUser", &[("apiKey", &own), ("username", ANN.0)]).await;
    assert_eq!(house.catalog.deeds_about(ANN.0, 100).await.unwrap().len(), 2);
    assert!(house.catalog.deeds(10).await.unwrap().iter().any(|deed| deed.deed == "accounts listed"));
    // What an earlier release wrote down whole is cut at the next look.
    accounts::note(&house.catalog, "admin", "198.51.100.23", "password changed", ANN.0).await.unwrap();
    assert_eq!(
        tidy(&house.catalog, &data(&house.folder), &Keep::default(), now()).await.unwrap(),
        Tidied::default()
    );
    assert!(house.catalog.deeds(10).await.unwrap().iter().all(|deed| !deed.address.contains("23")));
    // A player is known by its program alone.
    let one = house.song("One").await;
    let report = [
        ("apiKey", own.as_str()),
        ("c", "DSub/5.5 (Ann's phone)"),
        ("mediaId", &one),
        ("mediaType", "song"),
        ("positionMs", "0"),
        ("state", "playing"),
    ];
    assert_eq!(house.anybody("reportPlayback", &report).await["status"], "ok");
    let queue = [("apiKey", own.as_str()), ("c", "DSub/5.5 (Ann's phone)"), ("id", &one), ("current", &one)];
    assert_eq!(house.anybody("savePlayQueue", &queue).await["status"], "ok");
    let playing = house.json("getNowPlaying", &[]).await["nowPlaying"]["entry"][0]["playerName"].clone();
    assert_eq!(playing, "DSub");
    let left = house.anybody("getPlayQueue", &[("apiKey", &own)]).await["playQueue"]["changedBy"].clone();
    assert_eq!(left, "DSub");
    house.close().await;
}
