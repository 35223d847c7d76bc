//! A year and a server's insights on the command line: the real binary, over catalogs that were filled by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;
mod program;

use std::path::Path;

use library::track;
use program::Home;
use segue::catalog::{Batch, Catalog};
use segue::music::calendar::day_of;
use segue::music::{AccountId, EndReason, Play, PlayContext, Purpose, StartReason};
use serde_json::Value;

const DAY: i64 = 86_400_000;
/// A title that wants to do harm on a page, in a terminal, in a spreadsheet.
const EVIL: &str = "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>\u{1b}[31m&\"'";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn run(home: &Home, args: &[&str]) -> (bool, String) {
    let done = database::told(home.command(args), args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.success(), format!("{}{}", text(&done.stdout), text(&done.stderr)))
}

fn play(track: &str, started_at: i64, minutes: u64) -> Play {
    Play {
        track: track.into(),
        started_at,
        heard_ms: minutes * 60_000,
        start: StartReason::Chosen,
        end: EndReason::Finished,
    }
}

/// What a player that was used in 2025 left behind.
fn player(home: &Home) {
    let file = home.path().join("data/segue/profiles/home/catalog.db");
    runtime().block_on(async {
        let catalog = Catalog::open(&file).await.unwrap();
        let mut evil = track("t1", EVIL, "<b>Eve</b>", Some(("a1", "=1+1")));
        evil.genres = vec!["Noise & \"More\"".into()];
        let good = track("t2", "Before Dawn", "Ann", Some(("a2", "First")));
        catalog.apply(&Batch { tracks: vec![evil, good], ..Batch::default() }).await.unwrap();
        let me = catalog.listener(&AccountId::from("me"));
        let context = PlayContext { offset_minutes: 60, device: "desk".into(), source: String::new() };
        for n in 0..300_i64 {
            let at = day_of(2025, 1, 3) * DAY + n * DAY + (19 + n % 4) * 3_600_000;
            let track = if n % 3 == 0 { "t1" } else { "t2" };
            me.record_play_in(&play(track, at, 40 + n.unsigned_abs() % 7), &context).await.unwrap();
        }
        catalog.close().await;
    });
}

#[test]
fn a_year_is_told_and_written() {
    let home = Home::new();
    let (well, said) = run(&home, &["year"]);
    assert!(!well && said.contains("nothing was heard on this machine yet"), "{said}");
    player(&home);
    let (well, said) = run(&home, &["year"]);
    assert!(well, "{said}");
    // 300 plays of 40 to 46 minutes: 43 groups of seven make 301 minutes each, less the last one of 46.
    let minutes = 300 * 40 + 42 * 21 + (0..6).sum::<u64>();
    assert!(
        said.contains("Your 2025\n")
            && said.contains(&format!("{},{:03} minutes", minutes / 1000, minutes % 1000)),
        "{said}"
    );
    assert!(said.contains("300 days in a row") && !said.contains('\u{1b}'), "{said}");
    let (well, said) = run(&home, &["year", "2019"]);
    assert!(!well && said.contains("nothing was heard in 2019"), "{said}");

    let (html, svg) = (home.path().join("year.html"), home.path().join("year.svg"));
    let files = ["year", "2025", "--html", html.to_str().unwrap(), "--svg", svg.to_str().unwrap()];
    let (well, said) = run(&home, &files);
    assert!(well, "{said}");
    let page = std::fs::read_to_string(&html).unwrap();
    harmless(&page);
    assert!(page.contains("default-src 'none'") && page.contains("12,897"), "{}", &page[..800]);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    // Well-formed enough to be read as XML, once the one void element that is none there is closed.
    let picture = std::fs::read_to_string(&svg).unwrap();
    harmless(&picture);
    let document = roxmltree::Document::parse(&picture).unwrap();
    assert_eq!(document.root_element().attribute("viewBox"), Some("0 0 1080 1350"));
    assert!(document.descendants().any(|node| node.text() == Some("12,897")));
    let (well, said) = run(&home, &["year", "2025", "--html", "/nowhere/year.html"]);
    assert!(!well && said.contains("cannot be written"), "{said}");
}

/// No element, attribute or address that a title or an author could have brought in.
fn harmless(text: &str) {
    for wrong in [
        "<script",
        "<img",
        "onerror=alert(2)>",
        "</title></style>",
        "<b>Eve",
        "\u{1b}",
        "src=\"",
        "href=\"",
        "url(http",
        "@import",
        "//cdn",
    ] {
        assert!(!text.contains(wrong), "{wrong}");
    }
    let addresses = text.matches("http").count()
        - text.matches("http://www.w3.org/2000/svg").count()
        - text.matches("http-equiv").count();
    assert_eq!(addresses, 0, "an address");
}

/// A server whose six listeners agreed to be counted.
fn server(data: &Path) {
    runtime().block_on(async {
        let catalog = database::open(&data.join("catalog.db")).await.unwrap();
        let tracks = vec![track("t1", "=HYPERLINK(\"x\")", "Ann", Some(("al", "First")))];
        catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
        for n in 0..6 {
            let id = format!("a{n}");
            let account = segue::catalog::Account {
                id: AccountId::from(id.as_str()),
                name: id.clone(),
                password_hash: String::new(),
                admin: n == 0,
                roles: segue::catalog::Roles::ALL,
                folders: None,
                max_bit_rate: 0,
                created_at: 0,
                erase_at: None,
            };
            catalog.add_account(&account).await.unwrap();
            let listener = catalog.listener(&account.id);
            listener.decide(Purpose::Analytics, true, Purpose::TEXT_VERSION).await.unwrap();
            listener.record_play(&play("t1", day_of(2026, 3, 4) * DAY + 1, 90)).await.unwrap();
        }
        catalog.close().await;
    });
}

#[test]
fn insights_are_printed_and_exported() {
    let home = Home::new();
    let data = home.path().join("server");
    let at = data.to_str().unwrap();
    if !database::on_server() {
        let (well, said) = run(&home, &["insights", "--data", at]);
        assert!(!well && said.contains("segue serve"), "{said}");
    }
    server(&data);
    let march = ["insights", "--data", at, "--since", "2026-03-01", "--until", "2026-03-31"];
    let with = |more: &[&'static str]| march.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>();
    let (well, said) = run(&home, &march);
    assert!(well && said.contains("2026-03-04") && said.contains("=HYPERLINK"), "{said}");
    let (well, said) = run(&home, &with(&["--json"]));
    assert!(well, "{said}");
    let json: Value = serde_json::from_str(&said).unwrap();
    let table =
        |name: &str| json["tables"].as_array().unwrap().iter().find(|t| t["name"] == name).unwrap().clone();
    assert_eq!(
        table("active_days")["rows"],
        serde_json::json!([{"day": "2026-03-04", "listeners": 5, "plays": 5, "hours": 5}])
    );
    assert_eq!((&json["minimum"], &json["note"]), (&5.into(), &Value::Null));

    let folder = home.path().join("csv");
    let csv = [&march[..], &["--csv", folder.to_str().unwrap(), "--price-per-gb", "0.05"]].concat();
    let (well, said) = run(&home, &csv);
    assert!(well && said.contains("top_tracks.csv"), "{said}");
    let text = std::fs::read_to_string(folder.join("top_tracks.csv")).unwrap();
    assert_eq!(
        text,
        "track,artist,listeners,plays,completed_percent,skipped_percent\n\"'=HYPERLINK(\"\"x\"\")\",Ann,5,5,100,0\n"
    );
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), json["tables"].as_array().unwrap().len());

    // A larger group is kept; a smaller one is refused.
    let (well, said) = run(&home, &with(&["--minimum", "4"]));
    assert!(!well && said.contains("smaller than 5"), "{said}");
    let (well, said) = run(&home, &with(&["--minimum", "7"]));
    assert!(well && said.contains("Fewer than 7 listeners"), "{said}");
    let (_, said) = run(&home, &march);
    assert!(said.contains("Fewer than 7 listeners") && !said.contains("HYPERLINK"), "{said}");
    for wrong in [["--since", "soon"], ["--until", "2026-02-30"], ["--since", "2999-01-01"]] {
        let (well, said) = run(&home, &[&["insights", "--data", at][..], &wrong].concat());
        assert!(!well && said.starts_with("segue: "), "{said}");
    }
}

#[test]
fn insights_are_written_as_parquet() {
    let home = Home::new();
    let data = home.path().join("server");
    server(&data);
    let folder = home.path().join("parquet");
    let args = [
        "insights",
        "--data",
        data.to_str().unwrap(),
        "--since",
        "2026-03-01",
        "--until",
        "2026-03-31",
        "--parquet",
        folder.to_str().unwrap(),
    ];
    let (well, said) = run(&home, &args);
    if cfg!(feature = "cloud") {
        assert!(well, "{said}");
        read_back(&folder);
    } else {
        assert!(!well && said.contains("--features cloud"), "{said}");
    }
}

#[cfg(feature = "cloud")]
fn read_back(folder: &Path) {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;
    let open = |name: &str| {
        let file = std::fs::File::open(folder.join(format!("{name}.parquet"))).unwrap();
        SerializedFileReader::new(file).unwrap()
    };
    let days = open("active_days");
    let names: Vec<String> = days
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|c| c.name().to_owned())
        .collect();
    assert_eq!(names, ["day", "listeners", "plays", "hours"]);
    let rows: Vec<_> = days.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get_string(0).unwrap(), "2026-03-04");
    assert_eq!((rows[0].get_long(1).unwrap(), rows[0].get_long(3).unwrap()), (5, 5));
    let tracks: Vec<_> = open("top_tracks").get_row_iter(None).unwrap().map(Result::unwrap).collect();
    // Here nothing is taken for a formula.
    assert_eq!(tracks[0].get_string(0).unwrap(), "=HYPERLINK(\"x\")");
    // A value that is none is a null, and a table without rows is a file.
    let stored: Vec<_> = open("storage").get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert!(stored[0].get_double(3).is_err(), "nobody said what storage costs");
    assert_eq!(open("search_misses").get_row_iter(None).unwrap().count(), 0);
}

#[cfg(not(feature = "cloud"))]
fn read_back(_folder: &Path) {}
