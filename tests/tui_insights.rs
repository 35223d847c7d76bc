//! Statistics, the story of a year, and what a server tells its administrators: pictures at three sizes, and keys typed into
//! them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use segue::catalog::{Column, Heard, Kind, Report, Table, Value};
use segue::client::Connection;
use segue::music::{EndReason, Play, PlayContext, Score, Sonic, StartReason};
use segue::tui::{ColorDepth, Options, Screen};
use tui_stage::picture::picture;
use tui_stage::{Asks, NOW, Shelf, Stage, options, playing};

/// A stage with plays of a year and a half, whose sound was analysed.
fn heard(size: (u16, u16), options: Options) -> Stage {
    let stage = playing(size, options);
    let tracks =
        ["Spaces/2", "Spaces/3", "Homogenic/2", "Homogenic/10", "Night Reign/5", "Zombie/1", "( )/1"];
    let context = PlayContext { offset_minutes: 0, device: "desk".into(), source: String::new() };
    for n in 0..500_i64 {
        let track = tracks[(n * n % 11) as usize % tracks.len()];
        // Mostly evenings, on some days nothing.
        let at = NOW - n * 27 * 3_600_000 - (n % 5) * 3_600_000;
        let play = Play {
            track: track.into(),
            started_at: at,
            heard_ms: 180_000 + (n as u64 % 7) * 60_000,
            start: StartReason::Chosen,
            end: EndReason::Finished,
        };
        stage.wait_for(stage.props.library.record_play_in(&play, &context)).unwrap();
    }
    let score = |value| Score { value, confidence: 1.0 };
    for (n, track) in tracks.into_iter().enumerate().take(5) {
        let part = n as f32 / 5.0;
        let sound = Sonic {
            version: 1,
            energy: score(part),
            calm: score(0.9 - part),
            brightness: score(0.3 + part / 2.0),
            danceability: score((part * 3.0).fract()),
            ..Sonic::default()
        };
        let row = Heard { track: track.into(), size: 1, version: 1, blocks: String::new(), sound: Ok(sound) };
        stage.wait_for(stage.props.library.catalog().put_heard(&[row])).unwrap();
    }
    stage
}

fn offline(stage: &mut Stage) {
    stage.session(|session| {
        session.connection = Connection::Offline { since: 0, why: "no answer".to_owned() };
    });
}

#[test]
fn statistics_of_every_span() {
    for (name, keys) in [("day", "d"), ("week", "w"), ("month", "m"), ("year", "y"), ("all", "a")] {
        picture(&format!("statistics_{name}"), |size| {
            let mut stage = heard(size, Options::default());
            stage.keys("gt").keys(keys);
            stage
        });
    }
}

#[test]
fn statistics_in_ascii_and_without_the_server() {
    picture("statistics_ascii", |size| {
        let mut stage = heard(size, options(ColorDepth::Mono, true));
        offline(&mut stage);
        stage.keys("gty");
        stage
    });
}

#[test]
fn statistics_empty() {
    picture("statistics_empty", |size| {
        let mut stage = Stage::new(Shelf::Empty, size);
        stage.keys("gt");
        stage
    });
}

#[test]
fn statistics_fit_every_size() {
    for size in [(30, 8), (60, 16), (79, 20), (96, 24), (120, 40), (168, 50), (250, 70), (300, 100)] {
        let mut stage = heard(size, Options::default());
        for keys in ["gt", "d", "m", "y", "a", "G", "gg", "gy", "l", "ll", "lll", "gO"] {
            stage.keys(keys);
            assert_eq!(stage.text().lines().count(), usize::from(size.1), "{size:?} {keys}");
        }
    }
}

#[test]
fn spans_change_by_keys_by_the_line_and_by_mouse() {
    let mut stage = heard((120, 40), Options::default());
    stage.keys("gt");
    let week = stage.text();
    assert!(week.contains("This week, 23–29 November 2026"), "{week}");
    stage.keys("<Tab>");
    assert!(stage.text().contains("This month, November 2026"));
    stage.keys(":span week<Enter>");
    assert_eq!(stage.text(), week);
    stage.click(3, 2);
    assert!(stage.text().contains("Today, Tuesday 24 November 2026"), "{}", stage.text());
    // The mark before the name leads back in time.
    stage.click(3, 3);
    assert!(stage.text().contains("Yesterday, Monday 23 November 2026"), "{}", stage.text());
    stage.keys("a");
    assert!(stage.text().contains("longest"), "{}", stage.text());
}

#[test]
fn time_is_paged_through() {
    let mut stage = heard((120, 40), Options::default());
    stage.keys("gty");
    assert!(stage.text().contains("This year, 2026"));
    stage.keys("h");
    let last = stage.text();
    assert!(last.contains("Last year, 2025"), "{last}");
    assert_ne!(stage.keys("<Right>").text(), last);
    // Not beyond today, and not before the first play.
    stage.keys("9l");
    assert!(stage.text().contains("This year, 2026"));
    stage.keys("99h");
    assert!(stage.text().contains("2025"), "{}", stage.text());
    stage.keys("m");
    assert!(stage.text().contains("2025"), "the month lies in the year that was looked at");
    // A page that is higher than the window is gone through.
    let mut small = heard((60, 16), Options::default());
    small.keys("gty");
    let top = small.text();
    assert!(top.contains("more lines"), "{top}");
    assert_ne!(small.keys("j").text(), top);
    assert!(small.keys("G").text().contains("the end"));
    assert_eq!(small.keys("gg").text(), top);
}

#[test]
fn a_year_is_told_in_chapters() {
    for chapter in 0..9 {
        picture(&format!("year_{chapter}"), |size| {
            let mut stage = heard(size, Options::default());
            stage.keys("gy");
            for _ in 0..chapter {
                stage.keys("l");
            }
            stage
        });
    }
}

#[test]
fn a_year_in_ascii_empty_and_without_the_server() {
    picture("year_ascii", |size| {
        let mut stage = heard(size, options(ColorDepth::Mono, true));
        stage.keys("gy").keys("llll");
        stage
    });
    picture("year_empty", |size| {
        let mut stage = Stage::new(Shelf::Empty, size);
        stage.keys(":year 2025<Enter>");
        stage
    });
    picture("year_offline", |size| {
        let mut stage = heard(size, Options::default());
        offline(&mut stage);
        stage.keys("gy").keys("G");
        stage
    });
}

#[test]
fn pages_of_a_year_are_turned_by_keys_line_and_mouse() {
    let mut stage = heard((100, 30), Options::default());
    stage.keys(":year<Enter>");
    assert_eq!(stage.app.screen(), Screen::Year);
    let first = stage.text();
    assert!(first.contains("minutes of music") && first.contains("Your 2026 so far"), "{first}");
    let second = stage.keys("<Space>").text();
    assert!(second.contains("with you most"), "{second}");
    assert_eq!(stage.keys("<Left>").text(), first);
    assert_eq!(stage.keys("<Right>").text(), second);
    // Beyond its ends there is nothing.
    assert!(stage.keys("99l").text().contains("That was 2026 so far"));
    assert_eq!(stage.keys("99h").text(), first);
    stage.click(80, 15);
    assert_eq!(stage.text(), second);
    stage.click(10, 15);
    assert_eq!(stage.text(), first);
    // Another year.
    assert!(stage.keys("k").text().contains("Your 2025"));
    assert!(stage.keys("j").text().contains("Your 2026"));
    stage.keys(":year last<Enter>");
    assert!(stage.text().contains("Your 2025"));
    stage.keys(":year 1999<Enter>");
    assert!(stage.text().contains("Nothing was heard in 1999"), "{}", stage.text());
}

fn column(name: &str, title: &str, kind: Kind) -> Column {
    Column { name: name.into(), title: title.into(), kind }
}

/// What a server of some size tells.
fn report() -> Report {
    let days = (0..20)
        .map(|n| {
            let listeners = 40 + (n * n * 7) % 60 / 5 * 5;
            let (plays, hours) = (listeners * 11, listeners / 2);
            vec![
                Value::Text(format!("2026-11-{:02}", n + 5)),
                Value::Whole(listeners),
                Value::Whole(plays),
                Value::Whole(hours),
            ]
        })
        .collect();
    let tops =
        ["Says", "Hammers \u{1b}[31m<b>", "日本の歌 with a title that goes on and on and on", "Familiar"];
    let tracks = (0..).zip(tops).map(|(n, title)| {
        vec![
            Value::Text(title.to_owned()),
            Value::Text("Nils Frahm".into()),
            Value::Whole(60 - n * 15),
            Value::Whole(400 - n * 90),
            if n == 2 { Value::Nothing } else { Value::Whole(88 - n) },
        ]
    });
    Report {
        since: 20_754,
        until: 20_782,
        minimum: 5,
        note: None,
        tables: vec![
            Table {
                name: "active_days".into(),
                title: "By day".into(),
                about: "Different listeners of each day.".into(),
                in_time: true,
                columns: vec![
                    column("day", "Day", Kind::Text),
                    column("listeners", "Listeners", Kind::Whole),
                    column("plays", "Plays", Kind::Whole),
                    column("hours", "Hours", Kind::Whole),
                ],
                rows: days,
            },
            Table {
                name: "top_tracks".into(),
                title: "Tracks".into(),
                about: "Tracks by the number of different listeners, then of plays.".into(),
                in_time: false,
                columns: vec![
                    column("track", "Track", Kind::Text),
                    column("artist", "Artist", Kind::Text),
                    column("listeners", "Listeners", Kind::Whole),
                    column("plays", "Plays", Kind::Whole),
                    column("completed_percent", "Completed %", Kind::Whole),
                ],
                rows: tracks.collect(),
            },
        ],
    }
}

fn asked(size: (u16, u16), told: Result<Report, String>) -> Stage {
    let mut stage = playing(size, Options::default());
    *stage.props.report.lock().unwrap() = Some(told);
    stage.keys("gO");
    stage
}

#[test]
fn insights_of_a_server() {
    picture("insights_days", |size| asked(size, Ok(report())));
    picture("insights_tracks", |size| {
        let mut stage = asked(size, Ok(report()));
        stage.keys("lj");
        stage
    });
    picture("insights_few", |size| {
        let mut few = report();
        few.note = Some(
            "Fewer than 5 listeners of this server agreed to be counted, so there is nothing to tell.".into(),
        );
        few.tables.iter_mut().for_each(|table| table.rows.clear());
        asked(size, Ok(few))
    });
    picture("insights_refused", |size| {
        asked(size, Err("Insights are for administrators of the server, and this account is none.".into()))
    });
    picture("insights_offline", |size| {
        let away = "The server cannot be asked at this moment; its insights are not kept here.";
        let mut stage = playing(size, Options::default());
        offline(&mut stage);
        *stage.props.report.lock().unwrap() = Some(Err(away.into()));
        stage.keys("gO");
        stage
    });
    picture("insights_waiting", |size| {
        let mut stage = playing(size, Options::default());
        stage.asks(Asks::Held).keys("gO");
        stage
    });
}

#[test]
fn tables_are_turned_and_days_changed() {
    let mut stage = asked((120, 40), Ok(report()));
    assert!(stage.text().contains("Different listeners of each day"));
    assert!(stage.keys("l").text().contains("Hammers"));
    // From the last one to the first.
    assert!(stage.keys("<Right>").text().contains("Different listeners of each day"));
    stage.keys("<Tab>G");
    let text = stage.text();
    let row = text.lines().find(|line| line.contains('▌')).unwrap();
    assert!(row.contains("Familiar"), "{row}");
    stage.keys("<Enter>");
    assert!(stage.text().contains("Familiar"));
}
