//! What an operator may know: sums over groups that are large enough, of those who agreed, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;

use segue::catalog::{
    Account, Ask, Batch, Catalog, Listener, Miss, Prices, Report, Roles, SMALLEST, Served, Table, Value,
};
use segue::music::calendar::day_of;
use segue::music::{AccountId, EndReason, Play, Purpose, StartReason};

const DAY: i64 = 86_400_000;
/// Tuesday, 24 November 2026.
const TODAY: i64 = 20_781;

fn account(n: usize) -> Account {
    Account {
        id: AccountId::from(format!("a{n}").as_str()),
        name: format!("listener {n}"),
        password_hash: String::new(),
        admin: false,
        roles: Roles::ALL,
        folders: None,
        max_bit_rate: 0,
        created_at: 0,
        erase_at: None,
    }
}

/// A server with three tracks and so many accounts that agreed to be counted.
async fn server(agreed: usize) -> (Catalog, Vec<Listener>) {
    let catalog = database::in_memory().await;
    let tracks = (1..=3)
        .map(|n| {
            let mut track =
                library::track(&format!("t{n}"), &format!("Song {n}"), "Ann", Some(("al", "First")));
            track.size = 1_000_000_000;
            track
        })
        .collect();
    catalog.apply(&Batch { tracks, ..Batch::default() }).await.unwrap();
    let mut listeners = Vec::new();
    for n in 0..agreed {
        let account = account(n);
        catalog.add_account(&account).await.unwrap();
        let listener = catalog.listener(&account.id);
        listener.decide(Purpose::Analytics, true, Purpose::TEXT_VERSION).await.unwrap();
        listeners.push(listener);
    }
    (catalog, listeners)
}

fn play(track: &str, day: i64, nth: i64, end: EndReason) -> Play {
    Play {
        track: track.into(),
        started_at: day * DAY + nth * 600_000,
        heard_ms: 600_000,
        start: StartReason::Chosen,
        end,
    }
}

async fn hears(listener: &Listener, track: &str, day: i64) {
    listener.record_play(&play(track, day, 1, EndReason::Finished)).await.unwrap();
}

async fn report(catalog: &Catalog, since: i64, until: i64) -> Report {
    catalog.report(Ask { since, until, minimum: None }, TODAY).await.unwrap()
}

fn table<'a>(report: &'a Report, name: &str) -> &'a Table {
    report.tables.iter().find(|table| table.name == name).unwrap_or_else(|| panic!("{name}"))
}

fn texts(table: &Table) -> Vec<Vec<String>> {
    table.rows.iter().map(|row| row.iter().map(Value::text).collect()).collect()
}

/// Tables about people; the others are about the machine.
fn of_people(report: &Report) -> impl Iterator<Item = &Table> {
    report.tables.iter().filter(|table| !matches!(table.name.as_str(), "served" | "storage"))
}

#[tokio::test]
async fn a_group_that_is_too_small_is_not_told_of() {
    let (catalog, listeners) = server(5).await;
    for listener in &listeners[..4] {
        hears(listener, "t1", TODAY - 3).await;
    }
    let few = report(&catalog, TODAY - 27, TODAY + 1).await;
    assert_eq!(few.minimum, SMALLEST);
    assert_eq!(few.note, None, "five agreed, though four listened");
    for table in of_people(&few) {
        assert!(table.rows.is_empty(), "{}: {:?}", table.name, table.rows);
    }
    // The fifth makes a group.
    hears(&listeners[4], "t1", TODAY - 3).await;
    let enough = report(&catalog, TODAY - 27, TODAY + 1).await;
    assert_eq!(texts(table(&enough, "active_days")), [["2026-11-21", "5", "5", ""]]);
    assert_eq!(texts(table(&enough, "active_weeks")), [["2026-11-16", "5", "5", ""]]);
    assert_eq!(texts(table(&enough, "active_months")), [["2026-11-01", "5", "5", ""]]);
    assert_eq!(texts(table(&enough, "top_tracks")), [["Song 1", "Ann", "5", "5", "100", "0"]]);
    assert_eq!(texts(table(&enough, "top_artists")), [["Ann", "5", "5", "100", "0"]]);
    assert_eq!(texts(table(&enough, "skips")), [["chosen", "5", "5", "100", "0"]]);
}

#[tokio::test]
async fn who_did_not_agree_is_not_counted() {
    let (catalog, listeners) = server(5).await;
    for listener in &listeners {
        hears(listener, "t1", TODAY).await;
    }
    // Nobody is asked to say no: saying nothing is enough.
    let silent = account(77);
    catalog.add_account(&silent).await.unwrap();
    let silent = catalog.listener(&silent.id);
    for track in ["t1", "t2", "t3"] {
        hears(&silent, track, TODAY).await;
    }
    let all = report(&catalog, TODAY, TODAY + 1).await;
    assert_eq!(texts(table(&all, "active_days")), [["2026-11-24", "5", "5", ""]]);
    assert_eq!(table(&all, "top_tracks").rows.len(), 1);
    // Whoever takes it back is gone from what was counted before, too.
    listeners[0].decide(Purpose::Analytics, false, Purpose::TEXT_VERSION).await.unwrap();
    let fewer = report(&catalog, TODAY, TODAY + 1).await;
    assert!(of_people(&fewer).all(|table| table.rows.is_empty()));
    assert!(fewer.note.is_some_and(|note| note.contains("Fewer than 5") && !note.contains('4')));
    // Who agreed to an older text has to be asked again.
    let (catalog, listeners) = server(4).await;
    let fifth = account(9);
    catalog.add_account(&fifth).await.unwrap();
    let fifth = catalog.listener(&fifth.id);
    fifth.decide(Purpose::Analytics, true, Purpose::TEXT_VERSION - 1).await.unwrap();
    for listener in listeners.iter().chain([&fifth]) {
        hears(listener, "t1", TODAY).await;
    }
    assert!(of_people(&report(&catalog, TODAY, TODAY + 1).await).all(|table| table.rows.is_empty()));
}

/// Two reports whose difference is one person's doing.
#[tokio::test]
async fn subtracting_reports_finds_no_single_listener() {
    let (catalog, listeners) = server(9).await;
    for listener in &listeners[..5] {
        hears(listener, "t1", TODAY - 2).await;
    }
    let before = report(&catalog, TODAY - 6, TODAY).await;
    // One more listener, on a day that only the longer report has; then others, up to a whole group.
    for (more, expected) in [(1, "5"), (2, "5"), (3, "5"), (4, "5")] {
        hears(&listeners[4 + more], "t1", TODAY).await;
        let after = report(&catalog, TODAY - 6, TODAY + 1).await;
        assert_eq!(texts(table(&after, "top_tracks"))[0][2], expected);
        assert_eq!(table(&before, "top_tracks").rows, table(&after, "top_tracks").rows, "{more}");
        assert_eq!(table(&before, "top_artists").rows, table(&after, "top_artists").rows, "{more}");
        assert_eq!(table(&before, "active_days").rows, table(&after, "active_days").rows, "{more}");
        // The day alone says nothing either.
        assert!(of_people(&report(&catalog, TODAY, TODAY + 1).await).all(|table| table.rows.is_empty()));
    }
    // A larger group may be asked for, a smaller one not.
    let ask = Ask { since: TODAY - 6, until: TODAY + 1, minimum: Some(1) };
    assert_eq!(catalog.report(ask, TODAY).await.unwrap().minimum, SMALLEST);
    let large = catalog.report(Ask { minimum: Some(10), ..ask }, TODAY).await.unwrap();
    assert!(of_people(&large).all(|table| table.rows.is_empty()));
    assert!(catalog.set_smallest_group(4).await.is_err());
    catalog.set_smallest_group(7).await.unwrap();
    assert_eq!(report(&catalog, TODAY - 6, TODAY + 1).await.minimum, 7);
}

#[tokio::test]
async fn skips_and_completion_are_shares_of_what_is_known() {
    let (catalog, listeners) = server(5).await;
    let ends = [
        EndReason::Finished,
        EndReason::Finished,
        EndReason::Skipped,
        EndReason::Stopped,
        EndReason::Unknown,
    ];
    for listener in &listeners {
        for (n, end) in (0..).zip(ends) {
            listener.record_play(&play("t2", TODAY, n, end)).await.unwrap();
        }
    }
    let all = report(&catalog, TODAY, TODAY + 1).await;
    // Of four known ends two were the end of the song and one was a skip.
    assert_eq!(texts(table(&all, "top_tracks")), [["Song 2", "Ann", "5", "25", "50", "25"]]);
    // 25 plays of ten minutes are four hours, which is less than a step of five.
    assert_eq!(texts(table(&all, "active_days")), [["2026-11-24", "5", "25", ""]]);
}

#[tokio::test]
async fn retention_follows_a_week_of_beginners() {
    let (catalog, listeners) = server(12).await;
    let monday = day_of(2026, 10, 5);
    for (n, listener) in (0..).zip(&listeners) {
        hears(listener, "t1", monday + n % 7).await;
        if n < 10 {
            hears(listener, "t1", monday + 7).await;
        }
        if n < 4 {
            hears(listener, "t1", monday + 14).await;
        }
        if n < 6 {
            hears(listener, "t1", monday + 21).await;
        }
    }
    let all = report(&catalog, monday, TODAY + 1).await;
    // Twelve began: a step of ten. Ten came back, four are too few to tell of, six are five.
    assert_eq!(texts(table(&all, "retention")), [["2026-10-05", "10", "10", "", "5", "", "", "", "", ""]]);
    // Who began before the period is no beginner in it.
    assert!(table(&report(&catalog, monday + 7, TODAY + 1).await, "retention").rows.is_empty());
}

#[tokio::test]
async fn what_is_new_and_what_is_trending() {
    let (catalog, listeners) = server(6).await;
    for listener in &listeners {
        hears(listener, "t2", TODAY).await;
        hears(listener, "t1", TODAY - 9).await;
    }
    hears(&listeners[0], "t2", TODAY - 9).await;
    let all = report(&catalog, TODAY - 9, TODAY + 1).await;
    // The one who heard it before is a group too small to tell of.
    assert_eq!(texts(table(&all, "trending")), [["Song 2", "Ann", "5", "", "5"]]);
    assert!(table(&all, "new_releases").rows.is_empty(), "the album came in 1970");
    let since = report(&catalog, 0, TODAY + 1).await;
    assert_eq!(texts(table(&since, "new_releases")), [["First", "Ann", "5", "10", "100", "0"]]);
}

#[tokio::test]
async fn searches_in_vain_are_told_without_who_made_them() {
    let (catalog, listeners) = server(6).await;
    let by =
        |n: usize, query: &str| Miss { account: listeners[n].account().clone(), query: query.to_owned() };
    let yesterday = TODAY - 1;
    // Five people look for one thing in several spellings, one of them twice; four for another; a stranger for all.
    let mut misses: Vec<Miss> = (0..5).map(|n| by(n, ["Sigur Rós", "sigur ros"][n % 2])).collect();
    misses.push(by(0, "SIGUR ROS "));
    misses.extend((0..4).map(|n| by(n, "my neighbour's tape")));
    misses.extend([by(1, ""), by(2, "x")]);
    let stranger = account(50);
    catalog.add_account(&stranger).await.unwrap();
    misses.push(Miss { account: stranger.id.clone(), query: "my neighbour's tape".to_owned() });
    catalog.note_misses(yesterday, &misses).await.unwrap();

    // While the day lasts nothing is told.
    let then =
        catalog.report(Ask { since: TODAY - 6, until: TODAY + 1, minimum: None }, yesterday).await.unwrap();
    assert!(table(&then, "search_misses").rows.is_empty());
    let now = report(&catalog, TODAY - 6, TODAY + 1).await;
    assert_eq!(texts(table(&now, "search_misses")), [["sigur ros", "5", "5"]]);
    // On another day it is another five; two days are not ten.
    let again: Vec<Miss> = (1..6).map(|n| by(n, "sigur ros")).collect();
    catalog.note_misses(TODAY, &again).await.unwrap();
    let tomorrow =
        catalog.report(Ask { since: TODAY - 6, until: TODAY + 2, minimum: None }, TODAY + 1).await.unwrap();
    assert_eq!(texts(table(&tomorrow, "search_misses")), [["sigur ros", "5", "10"]]);
    // Four on one day and four on the next are no group, though they may be eight.
    let four = |from: usize| (from..from + 4).map(|n| by(n % 6, "rare")).collect::<Vec<_>>();
    catalog.note_misses(TODAY + 1, &four(0)).await.unwrap();
    catalog.note_misses(TODAY + 2, &four(4)).await.unwrap();
    let later =
        catalog.report(Ask { since: TODAY - 6, until: TODAY + 4, minimum: None }, TODAY + 3).await.unwrap();
    assert_eq!(table(&later, "search_misses").rows.len(), 1);
}

#[tokio::test]
async fn what_the_machine_did_is_summed_and_priced() {
    let (catalog, _) = server(0).await;
    let served =
        |bytes, kept| Served { bytes, answers: 200, answers_kept: kept, transcodes: 3, transcodes_kept: 1 };
    catalog.add_served(TODAY - 1, served(2_500_000_000, 50)).await.unwrap();
    catalog.add_served(TODAY - 1, served(1_500_000_000, 100)).await.unwrap();
    catalog.add_served(TODAY - 40, served(1, 0)).await.unwrap();
    let free = report(&catalog, TODAY - 27, TODAY + 1).await;
    assert_eq!(texts(table(&free, "served")), [["2026-11-23", "4000000000", "", "400", "38", "6", "33"]]);
    catalog.set_prices(Some(0.08), Some(0.02)).await.unwrap();
    assert!(catalog.set_prices(Some(-1.0), None).await.is_err());
    assert_eq!(catalog.prices().await.unwrap(), Prices { sent: 0.08, stored: 0.02 });
    let priced = report(&catalog, TODAY - 27, TODAY + 1).await;
    assert_eq!(texts(table(&priced, "served"))[0][2], "0.32");
    assert_eq!(texts(table(&priced, "storage")), [["flac", "3000000000", "3", "0.06"]]);
    assert!(priced.note.is_some(), "nobody agreed");
    assert!(catalog.report(Ask { since: 5, until: 5, minimum: None }, TODAY).await.is_err());
}
