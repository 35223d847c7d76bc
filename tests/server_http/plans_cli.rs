//! `segue plans`, `segue ads` and `segue users plan` beside a running server, which has what they say at once.

use std::process::{Command, Output};

use crate::house::{House, data};

fn segue(house: &House, words: &[&str]) -> Output {
    let home = house.folder.path().join("home");
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.args(words).arg("--data").arg(data(&house.folder)).env("HOME", home).env("TZ", "UTC");
    let data = data(&house.folder).display().to_string();
    crate::database::told(command, &["--data", &data]).output().unwrap()
}

fn said(house: &House, words: &[&str]) -> String {
    let output = segue(house, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(house: &House, words: &[&str]) -> String {
    let output = segue(house, words);
    assert!(!output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_changes_plans_while_the_server_runs() {
    let house = House::open().await.with_ann().await;
    let ann = crate::house::ANN.0;
    let list = said(&house, &["plans", "list"]);
    assert!(
        list.starts_with(
            "premium  (usual)  no ads  any bit rate  offline  any skips  any players\nfree  2 ads every"
        ),
        "{list}"
    );
    let words = [
        "plans",
        "set",
        "free",
        "--ads-every",
        "20m",
        "--ads-at-once",
        "3",
        "--max-bit-rate",
        "96",
        "--offline",
        "yes",
        "--skips",
        "9",
        "--streams",
        "2",
        "--price",
        "€ 0",
        "--upgrade",
        "Write to us.",
        "--ads-inside-albums",
        "yes",
    ];
    said(&house, &words);
    said(&house, &["users", "plan", ann, "free"]);
    let key = house.key_of(ann).await;
    let plan = house.anybody("getPlan", &[("apiKey", &key)]).await["plan"].take();
    let expected = serde_json::json!({
        "name": "free", "price": "€ 0", "upgrade": "Write to us.", "maxBitRate": 96, "offline": true, "skipsPerHour": 9,
        "streams": 2, "adsEvery": 1200, "adsAtOnce": 3, "adsInsideAlbums": true
    });
    assert_eq!(plan, expected);
    said(&house, &["plans", "set", "free", "--ads-every", "never"]);
    let plan = house.anybody("getPlan", &[("apiKey", &key)]).await["plan"].take();
    assert_eq!((&plan["adsEvery"], &plan["maxBitRate"]), (&0.into(), &96.into()), "the rest stays");

    said(&house, &["plans", "add", "student", "--max-bit-rate", "192"]);
    said(&house, &["plans", "default", "student"]);
    said(&house, &["users", "plan", ann, "premium", "--until", "2099-12-31"]);
    let users = said(&house, &["users", "list"]);
    assert!(
        users.contains("plan student\n") && users.contains("plan premium until 2100-01-01 00:00"),
        "{users}"
    );
    said(&house, &["users", "plan", ann]);
    assert_eq!(house.anybody("getPlan", &[("apiKey", &key)]).await["plan"]["name"], "student");
    said(&house, &["plans", "remove", "free"]);
    for (words, why) in [
        (&["plans", "remove", "student"][..], "is the usual plan"),
        (&["plans", "set", "gold"], "there is no plan “gold”: there are student, premium"),
        (&["plans", "add", "premium"], "already"),
        (&["plans", "set", "premium", "--max-bit-rate", "8"], "32 kbit/s"),
        (&["plans", "set", "premium", "--ads-every", "5s"], "at least a minute"),
        (&["plans", "set", "premium", "--ads-every", "often"], "no length of time"),
        (&["users", "plan", "nobody", "premium"], "no account"),
        (&["users", "plan", ann, "premium", "--until", "2001-01-01"], "over before it begins"),
        (&["users", "plan", ann, "premium", "--until", "soon"], "is no date"),
    ] {
        let why_not = refused(&house, words);
        assert!(why_not.contains(why), "{words:?}: {why_not}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_looks_after_ads() {
    let house = House::open().await.with_ann().await;
    said(&house, &["plans", "default", "free"]);
    assert_eq!(said(&house, &["ads", "house"]).lines().count(), 3);
    let tone = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/ads/house-night.opus");
    let words = [
        "ads",
        "add",
        tone,
        "--campaign",
        "soap",
        "--advertiser",
        "Soap & Sons",
        "--title",
        "Clean",
        "--weight",
        "9",
        "--from",
        "2026-01-01",
        "--until",
        "2099-12-31",
        "--hours",
        "6-10,16-19",
        "--weekdays",
        "mon-fri",
        "--genres",
        "Rock,Jazz",
        "--cap-per-day",
        "3",
        "--cap-total",
        "20",
        "--budget",
        "1000",
        "--skippable-after",
        "5s",
    ];
    let added = said(&house, &words);
    assert!(added.contains("“Clean”  8.0 s, counts after 7.0 s, skippable after 5.0 s"), "{added}");
    let list = said(&house, &["ads", "list"]);
    assert!(
        list.contains(
            "soap  Soap & Sons  live  weight 9  from 2026-01-01 00:00  until 2100-01-01 00:00  hours 6-10,16-19  on \
             mon,tue,wed,thu,fri  beside rock,jazz  at most 3 a day for each listener  at most 20 for each listener  at most \
             1000 in all"
        ),
        "{list}"
    );
    said(&house, &["ads", "pause", "soap"]);
    assert!(said(&house, &["ads", "list"]).contains("soap  Soap & Sons  paused"));
    said(&house, &["ads", "pause", "soap", "--off"]);
    said(&house, &["ads", "remove", "soap"]);
    let given = house.json("getAds", &[("count", "3")]).await["ads"]["ad"].take();
    assert_eq!(given.as_array().unwrap().len(), 3);
    let now = jiff::Timestamp::now().as_millisecond().to_string();
    let ticket = given[0]["ticket"].as_str().unwrap();
    let heard = [("ticket", ticket), ("heard", "60000"), ("time", now.as_str())];
    assert_eq!(house.json("reportAds", &heard).await["status"], "ok");
    let report = said(&house, &["ads", "report"]);
    assert_eq!(report.lines().count(), 3);
    assert_eq!(
        report.matches("1 ticket: 1 delivered, 0 skipped, 0 expired, 0 waiting; <5 listeners").count(),
        1
    );
    assert_eq!(
        report.matches("1 ticket: 0 delivered, 0 skipped, 0 expired, 1 waiting; <5 listeners").count(),
        2
    );
    let table = said(&house, &["ads", "report", "--csv", "--campaign", "house-walk"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "campaign,day,tickets,delivered,skipped,expired,waiting,listeners");
    assert!(
        lines.len() == 2 && lines[1].starts_with("house-walk,20") && lines[1].ends_with(",<5"),
        "{table}"
    );
    for (words, why) in [
        (&["ads", "add", "nowhere.mp3", "--campaign", "x", "--advertiser", "y"][..], "nowhere.mp3"),
        (&["ads", "add", tone, "--campaign", "x"], "--advertiser"),
        (&["ads", "add", tone, "--campaign", "x", "--advertiser", "y", "--hours", "25"], "are no hours"),
        (
            &["ads", "add", tone, "--campaign", "x", "--advertiser", "y", "--skippable-after", "1h"],
            "8.0 s long",
        ),
        (&["ads", "remove", "soap"], "neither a campaign nor an ad"),
        (&["ads", "pause", "soap"], "no campaign"),
    ] {
        let why_not = refused(&house, words);
        assert!(why_not.contains(why), "{words:?}: {why_not}");
    }
    house.close().await;
}
