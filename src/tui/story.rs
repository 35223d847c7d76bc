//! A year told in chapters: which words, which number, which chart. The screen (`view::year`) and the exports of `segue year`
//! draw the same chapters, each in its own way. Texts from tags are as they came: whoever draws makes them harmless.

use crate::catalog::{MoodPart, Top, Year};
use crate::music::calendar::{MONTHS, WEEKDAYS, date, month_name};
use crate::music::{counted, long_duration, number};

/// How many chapters a story has.
pub const CHAPTERS: usize = 9;

/// Rows of a list in a chapter.
const ROWS: usize = 5;

/// A page of the story.
#[derive(Debug, Clone, PartialEq)]
pub struct Chapter {
    /// What it is about, in a word or two.
    pub kicker: &'static str,
    /// The number that it is about.
    pub big: Option<String>,
    /// Its one sentence.
    pub headline: String,
    /// What else there is to say.
    pub words: Vec<String>,
    /// What it shows.
    pub show: Show,
}

/// What a chapter shows beside words.
#[derive(Debug, Clone, PartialEq)]
pub enum Show {
    /// Nothing.
    Nothing,
    /// Ms by month.
    Months(Vec<(String, u64)>),
    /// The first ones of a list, each with its measure, and how much it is of the first, 0 to 1.
    Rank(Vec<Rank>),
    /// Ms by day of the week and hour.
    Week(Box<[[u64; 24]; 7]>),
    /// The mood by month.
    Moods(Vec<Option<MoodPart>>),
    /// Names and values: the year at a glance.
    Card(Vec<(&'static str, String)>),
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Rank {
    /// Its name.
    pub name: String,
    /// Whose it is; empty where it is its own.
    pub by: String,
    /// How long, or how often.
    pub measure: String,
    /// How much of the first one's, 0 to 1.
    pub share: f64,
}

/// The chapters of a year, always [`CHAPTERS`] of them; none of a year in which nothing was heard.
pub fn chapters(year: &Year) -> Vec<Chapter> {
    if year.insights.plays == 0 {
        return Vec::new();
    }
    vec![
        minutes(year),
        artists(year),
        tracks(year),
        discovery(year),
        hours(year),
        streak(year),
        moods(year),
        peak(year),
        closing(year),
    ]
}

/// How the year is called: `2026`, `2026 so far`.
pub fn name(year: &Year) -> String {
    if year.so_far { format!("{} so far", year.year) } else { year.year.to_string() }
}

/// Whole minutes of music.
pub fn whole_minutes(year: &Year) -> u64 {
    year.insights.heard_ms / 60_000
}

/// Ms heard in each month.
pub fn months(year: &Year) -> [u64; 12] {
    let mut months = [0; 12];
    for (day, ms) in &year.insights.days {
        if let Some(sum) = months.get_mut(usize::from(date(*day).1) - 1) {
            *sum += ms;
        }
    }
    months
}

/// The mood of each month.
pub fn moods_by_month(year: &Year) -> Vec<Option<MoodPart>> {
    let parts = year.insights.period.parts(0, 0);
    let of = |(_, from, to): &(String, i64, i64)| {
        let here: Vec<MoodPart> =
            year.insights.moods.iter().filter(|part| (*from..*to).contains(&part.at)).copied().collect();
        MoodPart::together(*from, &here)
    };
    parts.iter().map(of).collect()
}

fn day_and_month(day: i64) -> String {
    let (_, month, of_month) = date(day);
    format!("{of_month} {}", month_name(month))
}

fn minutes(year: &Year) -> Chapter {
    let data = &year.insights;
    let hours = data.heard_ms / 3_600_000;
    let long = match hours {
        0..48 => long_duration(data.heard_ms),
        _ => format!("{} and {}", counted(hours / 24, "day"), counted(hours % 24, "hour")),
    };
    let mut words = vec![format!(
        "That is {long}, in {} of {} by {}.",
        counted(data.plays, "play"),
        counted(data.tracks, "track"),
        counted(data.artists, "artist")
    )];
    if data.before_ms > 0 && !year.so_far {
        let percent = data.heard_ms * 100 / data.before_ms;
        words.push(match percent {
            0..100 => format!("{} % less than in {}.", 100 - percent, year.year - 1),
            100 => format!("As much as in {}.", year.year - 1),
            _ => format!("{} % more than in {}.", number(percent - 100), year.year - 1),
        });
    }
    let months = months(year);
    let parts = MONTHS.iter().zip(months).map(|(name, ms)| (name[..3].to_owned(), ms));
    Chapter {
        kicker: "Minutes",
        big: Some(number(whole_minutes(year))),
        headline: "minutes of music".to_owned(),
        words,
        show: Show::Months(parts.collect()),
    }
}

fn rank(list: &[Top], by_plays: bool) -> Vec<Rank> {
    let worth = |top: &Top| if by_plays { top.plays } else { top.heard_ms };
    let most = list.first().map_or(1, worth).max(1) as f64;
    let row = |top: &Top| Rank {
        name: top.name.clone(),
        by: top.by.clone(),
        measure: if by_plays { counted(top.plays, "play") } else { long_duration(top.heard_ms) },
        share: (worth(top) as f64 / most).min(1.0),
    };
    list.iter().take(ROWS).map(row).collect()
}

fn artists(year: &Year) -> Chapter {
    let data = &year.insights;
    let first = data.top_artists.first();
    Chapter {
        kicker: "Artists",
        big: None,
        headline: first.map_or_else(String::new, |top| format!("{} was with you most.", top.name)),
        words: first
            .map(|top| {
                let share = top.heard_ms * 100 / data.heard_ms.max(1);
                format!("{} of your year: {share} % of all that you heard.", long_duration(top.heard_ms))
            })
            .into_iter()
            .collect(),
        show: Show::Rank(rank(&data.top_artists, false)),
    }
}

fn tracks(year: &Year) -> Chapter {
    let first = year.insights.top_tracks.first();
    Chapter {
        kicker: "Tracks",
        big: None,
        headline: first.map_or_else(String::new, |top| format!("“{}” came on again and again.", top.name)),
        words: first
            .map(|top| format!("{}, {} in all.", counted(top.plays, "play"), long_duration(top.heard_ms)))
            .into_iter()
            .collect(),
        show: Show::Rank(rank(&year.insights.top_tracks, true)),
    }
}

fn discovery(year: &Year) -> Chapter {
    let data = &year.insights;
    let Some(first) = data.discoveries.first() else {
        return Chapter {
            kicker: "Discovery",
            big: None,
            headline: "You stayed with those you know.".to_owned(),
            words: vec!["No artist was new to you. The Discover mix has some.".to_owned()],
            show: Show::Nothing,
        };
    };
    Chapter {
        kicker: "Discovery",
        big: Some(number(data.discovered)),
        headline: if data.discovered == 1 {
            "artist was new to you".to_owned()
        } else {
            "artists were new to you".to_owned()
        },
        words: vec![format!(
            "The find of the year: {}, {} since you met.",
            first.name,
            long_duration(first.heard_ms)
        )],
        show: Show::Rank(rank(&data.discoveries, false)),
    }
}

fn hours(year: &Year) -> Chapter {
    let week = &year.insights.week;
    let best = |values: &[u64]| {
        values
            .iter()
            .enumerate()
            .max_by_key(|(at, ms)| (**ms, std::cmp::Reverse(*at)))
            .map_or(0, |(at, _)| at)
    };
    let hour = best(&year.insights.hours());
    let days: Vec<u64> = week.iter().map(|hours| hours.iter().sum()).collect();
    let day = WEEKDAYS.get(best(&days)).copied().unwrap_or("");
    let all = year.insights.heard_ms.max(1);
    let part = |from: usize, to: usize| {
        let hours = year.insights.hours();
        hours.iter().enumerate().filter(|(h, _)| (from..to).contains(h)).map(|(_, ms)| ms).sum::<u64>() * 100
            / all
    };
    let night = 100 - part(6, 22).min(100);
    let who = match (part(6, 12), part(12, 18), part(18, 22), night) {
        (m, a, e, n) if n >= m && n >= a && n >= e => format!("A night owl: {n} % after ten in the evening."),
        (m, a, e, _) if m >= a && m >= e => format!("An early bird: {m} % before noon."),
        (_, a, e, _) if a >= e => format!("Music through the afternoon: {a} % of it."),
        (_, _, e, _) => format!("Music for the evening: {e} % of it between six and ten."),
    };
    Chapter {
        kicker: "Your hours",
        big: None,
        headline: format!("{day}s, and always around {hour:02}:00."),
        words: vec![who],
        show: Show::Week(Box::new(*week)),
    }
}

fn streak(year: &Year) -> Chapter {
    let (first, days) = year.insights.streak_here.unwrap_or((0, 0));
    let heard = year.insights.days.len() as u64;
    let mut words = Vec::new();
    if days > 1 {
        let last = first + days.cast_signed() - 1;
        words.push(format!("From {} to {}.", day_and_month(first), day_and_month(last)));
    }
    words.push(format!("You heard music on {}.", counted(heard, "day")));
    Chapter {
        kicker: "Longest streak",
        big: Some(number(days)),
        headline: if days == 1 { "day in a row" } else { "days in a row" }.to_owned(),
        words,
        show: Show::Nothing,
    }
}

fn moods(year: &Year) -> Chapter {
    let by_month = moods_by_month(year);
    let known: Vec<(usize, MoodPart)> =
        by_month.iter().enumerate().filter_map(|(month, part)| Some((month, (*part)?))).collect();
    let most = |of: fn(&MoodPart) -> f64| {
        let best = known.iter().max_by(|(_, a), (_, b)| of(a).total_cmp(&of(b)));
        best.and_then(|(month, _)| MONTHS.get(*month)).copied().unwrap_or("")
    };
    if known.is_empty() {
        return Chapter {
            kicker: "Mood",
            big: None,
            headline: "How your year felt is not known yet.".to_owned(),
            words: vec!["It is told from the sound itself, once this device has analysed it.".to_owned()],
            show: Show::Nothing,
        };
    }
    let (lively, quiet) = (most(|part| part.energy), most(|part| part.calm));
    let headline = if lively == quiet {
        format!("{lively} had everything.")
    } else {
        format!("{lively} was loud, {quiet} was quiet.")
    };
    let words = vec![format!(
        "Brightest in {}, made for dancing in {}.",
        most(|p| p.brightness),
        most(|p| p.danceability)
    )];
    Chapter { kicker: "Mood", big: None, headline, words, show: Show::Moods(by_month) }
}

fn peak(year: &Year) -> Chapter {
    let Some(peak) = &year.peak else {
        return Chapter {
            kicker: "On one day",
            big: None,
            headline: "No track twice on one day.".to_owned(),
            words: vec!["You like it varied.".to_owned()],
            show: Show::Nothing,
        };
    };
    Chapter {
        kicker: "On one day",
        big: Some(number(peak.track.plays)),
        headline: "times on a single day".to_owned(),
        words: vec![
            format!("On {}: “{}” by {}.", day_and_month(peak.day), peak.track.name, peak.track.by),
            "Some days need that one song.".to_owned(),
        ],
        show: Show::Nothing,
    }
}

fn closing(year: &Year) -> Chapter {
    let data = &year.insights;
    let name = |list: &[Top]| list.first().map(|top| top.name.clone());
    let mut card = vec![("Minutes", number(whole_minutes(year)))];
    card.extend(name(&data.top_artists).map(|name| ("Artist", name)));
    card.extend(name(&data.top_tracks).map(|name| ("Track", name)));
    card.extend(name(&data.top_albums).map(|name| ("Album", name)));
    card.extend(name(&data.top_genres).map(|name| ("Genre", name)));
    card.extend(name(&data.discoveries).map(|name| ("Discovery", name)));
    card.push(("Streak", counted(data.streak_here.map_or(0, |(_, days)| days), "day")));
    Chapter {
        kicker: "Your year",
        big: None,
        headline: format!("That was {}.", self::name(year)),
        words: Vec::new(),
        show: Show::Card(card),
    }
}
