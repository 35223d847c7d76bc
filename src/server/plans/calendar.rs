//! Hours, days and dates of campaigns and plans: as an operator writes them, as they are kept, and as a listener has them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::music::calendar::{DAY_MS, weekday};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Farthest that a clock may be from UTC, minutes.
const FARTHEST: i32 = 18 * 60;
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Hours such as "6-10,16-19": a bit for each, the lowest from midnight to one. A span ends where its second hour begins, and may
/// go through midnight.
pub fn hours(text: &str) -> Result<u32, String> {
    let wrong = || format!("“{text}” are no hours: write them as 6-10,16-19, from 0 to 24");
    let mut bits = 0;
    for span in text.split(',') {
        let (from, until) = span.split_once('-').ok_or_else(wrong)?;
        let hour = |text: &str| text.trim().parse::<u32>().ok().filter(|hour| *hour <= 24).ok_or_else(wrong);
        let (from, until) = (hour(from)?, hour(until)?);
        if from == until {
            return Err(wrong());
        }
        let length = if from < until { until - from } else { until + 24 - from };
        bits |= (from..from + length).fold(0, |bits, hour| bits | 1 << (hour % 24));
    }
    Ok(if bits == (1 << 24) - 1 { 0 } else { bits })
}

/// Days such as "mon-fri" or "sat,sun": a bit for each, the lowest for Monday.
pub fn weekdays(text: &str) -> Result<u32, String> {
    let wrong = || format!("“{text}” are no days: write them as mon-fri or sat,sun");
    let day = |text: &str| {
        let text = text.trim().to_ascii_lowercase();
        let found = WEEKDAYS.iter().position(|day| text.len() >= 3 && text.starts_with(day));
        found.ok_or_else(wrong)
    };
    let mut bits = 0_u32;
    for span in text.split(',') {
        let (from, until) = span.split_once('-').unwrap_or((span, span));
        let (from, until) = (day(from)?, day(until)?);
        let length = (until + 7 - from) % 7 + 1;
        bits |= (from..from + length).fold(0, |bits, day| bits | 1 << (day % 7));
    }
    Ok(if bits == (1 << 7) - 1 { 0 } else { bits })
}

/// Hours as they are written; empty for all.
pub fn hours_text(bits: u32) -> String {
    let has = |hour: u32| bits >> hour & 1 == 1;
    let mut spans = Vec::new();
    let mut hour = 0;
    while hour < 24 {
        let from = hour;
        while hour < 24 && has(hour) {
            hour += 1;
        }
        if hour > from {
            spans.push(format!("{from}-{hour}"));
        }
        hour += 1;
    }
    spans.join(",")
}

/// Days as they are written; empty for all.
pub fn weekdays_text(bits: u32) -> String {
    let named = WEEKDAYS.iter().enumerate().filter(|(day, _)| bits >> day & 1 == 1);
    named.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
}

/// A length of time such as "15m", "1h 30m" or "5s", ms.
pub fn length(text: &str) -> Result<u64, String> {
    let wrong = || format!("“{text}” is no length of time: write it as 15m, 90s or 1h");
    let length: SignedDuration = text.trim().parse().map_err(|_| wrong())?;
    u64::try_from(length.as_millis()).map_err(|_| wrong())
}

/// The beginning of a date such as 2026-12-24 here, or a moment such as 2026-12-24T18:00:00Z; Unix time in ms.
pub fn from(text: &str) -> Result<i64, String> {
    moment(text, 0)
}

/// The end of a date, which is in it; or a moment. Unix time in ms.
pub fn until(text: &str) -> Result<i64, String> {
    moment(text, 1)
}

fn moment(text: &str, days: i64) -> Result<i64, String> {
    let wrong =
        || format!("“{text}” is no date: write it as 2026-12-24, or with a time as 2026-12-24T18:00:00Z");
    if let Ok(moment) = text.trim().parse::<Timestamp>() {
        return Ok(moment.as_millisecond());
    }
    let date: Date = text.trim().parse().map_err(|_| wrong())?;
    let date = date.checked_add(jiff::Span::new().days(days)).map_err(|_| wrong())?;
    let begins = date.to_zoned_datetime(TimeZone::system()).map_err(|_| wrong())?;
    Ok(begins.timestamp().as_millisecond())
}

/// A moment as people read it, in the time of this machine.
pub fn moment_text(at: i64) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or_default().to_zoned_datetime(TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Minutes that this machine's clock is ahead of UTC at a moment.
pub(super) fn own_offset(now: i64) -> i32 {
    let now = Timestamp::from_millisecond(now).unwrap_or_default();
    TimeZone::system().to_offset(now).seconds() / 60
}

/// A moment as a clock shows it that is so many minutes ahead of UTC, ms.
fn local(now: i64, offset_minutes: i32) -> i64 {
    now.saturating_add(i64::from(offset_minutes.clamp(-FARTHEST, FARTHEST)) * MINUTE)
}

/// From when until when a listener's day goes, Unix time in ms.
pub(super) fn day_of(now: i64, offset_minutes: i32) -> (i64, i64) {
    let local = local(now, offset_minutes);
    let from = now.saturating_sub(local.rem_euclid(DAY_MS));
    (from, from.saturating_add(DAY_MS))
}

/// The hour of the day and the day of the week (0 for Monday) of a listener.
pub(super) fn hour_and_weekday(now: i64, offset_minutes: i32) -> (u32, u32) {
    let local = local(now, offset_minutes);
    let hour = local.rem_euclid(DAY_MS) / HOUR;
    let weekday = weekday(local.div_euclid(DAY_MS));
    (u32::try_from(hour).unwrap_or(0), u32::try_from(weekday).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_as_they_are_written() {
        assert_eq!(hours("6-10,16-19"), Ok(0b111 << 16 | 0b1111 << 6));
        assert_eq!(hours("22-2"), Ok(0b11 << 22 | 0b11));
        assert_eq!(hours("0-24"), Ok(0));
        assert_eq!(hours_text(hours("6-10,16-19").unwrap()), "6-10,16-19");
        for wrong in ["", "6", "6-6", "6-25", "a-b", "6-10;"] {
            assert!(hours(wrong).is_err(), "{wrong}");
        }
        assert_eq!(weekdays("mon-fri"), Ok(0b1_1111));
        assert_eq!(weekdays("Saturday,sun"), Ok(0b110_0000));
        assert_eq!(weekdays("sat-mon"), Ok(0b110_0001));
        assert_eq!(weekdays("mon-sun"), Ok(0));
        assert_eq!(weekdays_text(0b110_0001), "mon,sat,sun");
        for wrong in ["", "x", "mo", "mon-x"] {
            assert!(weekdays(wrong).is_err(), "{wrong}");
        }
        assert_eq!(length("15m"), Ok(900_000));
        assert_eq!(length("5s"), Ok(5000));
        assert!(length("-5s").is_err() && length("five").is_err());
    }

    #[test]
    fn days_of_listeners() {
        let noon: i64 = "2026-11-26T12:30:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        assert_eq!(hour_and_weekday(noon, 0), (12, 3), "a Thursday");
        assert_eq!(hour_and_weekday(noon, 720), (0, 4));
        assert_eq!(hour_and_weekday(noon, -780), (23, 2));
        let (from, until) = day_of(noon, 120);
        assert_eq!((noon - from, until - from), (14 * HOUR + 30 * MINUTE, DAY_MS));
        assert_eq!(super::from("2026-11-26T12:30:00Z"), Ok(noon));
        assert_eq!(super::until("2026-11-26").unwrap() - super::from("2026-11-26").unwrap(), DAY_MS);
        assert!(super::from("tomorrow").is_err());
    }
}
