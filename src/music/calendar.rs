//! Days, dates and the periods that statistics are of. Days are counted from 1970-01-01; which day a moment falls on is up
//! to whose clock it is, so nothing here knows of time zones.

/// Names of the months, in the order of the calendar.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Names of the days of the week; Monday is the first.
pub const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// Year, month and day of a day since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub const fn date(day: i64) -> (i64, u8, u8) {
    let z = day + 719_468;
    let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (d, m) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    (yoe + era * 400 + (m <= 2) as i64, m as u8, d as u8)
}

/// The day since 1970 of a date; the same source. Months beyond December are those of the next year.
pub const fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let y = if month <= 2 { year - 1 } else { year };
    let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
    let mp = (month + 9) % 12;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + (153 * mp + 2) / 5 + day - 1;
    era * 146_097 + doe - 719_468
}

/// Day of the week, 0 is Monday. 1970-01-01 was a Thursday.
pub const fn weekday(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}

/// `24 November 2026`.
pub fn long_date(day: i64) -> String {
    let (year, month, of_month) = date(day);
    format!("{of_month} {} {year}", month_name(month))
}

/// `2026-11-24`.
pub fn iso_date(day: i64) -> String {
    let (year, month, of_month) = date(day);
    format!("{year:04}-{month:02}-{of_month:02}")
}

/// The day that `2026-11-24` names.
pub fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.trim().splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, of_month) = (parts.next()??, parts.next()??, parts.next()??);
    let day = day_of(year, month, of_month);
    // A date that is none, such as 30 February, comes back as another one.
    let same = (1..=9999).contains(&year)
        && date(day) == (year, u8::try_from(month).ok()?, u8::try_from(of_month).ok()?);
    same.then_some(day)
}

/// Name of a month, 1 is January.
pub fn month_name(month: u8) -> &'static str {
    MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or("")
}

/// How long a period is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// A day.
    Day,
    /// Monday to Sunday.
    #[default]
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
    /// Since the beginning.
    All,
}

impl Span {
    /// From the shortest to the longest.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Year, Self::All];

    /// Its word in commands.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
            Self::All => "all",
        }
    }

    /// Its name on pages.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Day => "Day",
            Self::Week => "Week",
            Self::Month => "Month",
            Self::Year => "Year",
            Self::All => "All time",
        }
    }
}

/// A period of the calendar, in days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// How long it is.
    pub span: Span,
    /// Its first day.
    pub from: i64,
    /// The day after its last one.
    pub to: i64,
}

impl Period {
    /// The period of this length that a day lies in.
    pub fn of(span: Span, day: i64) -> Self {
        let (year, month, _) = date(day);
        let (from, to) = match span {
            Span::Day => (day, day + 1),
            Span::Week => {
                let monday = day - (day + 3).rem_euclid(7);
                (monday, monday + 7)
            }
            Span::Month => (day_of(year, i64::from(month), 1), day_of(year, i64::from(month) + 1, 1)),
            Span::Year => (day_of(year, 1, 1), day_of(year + 1, 1, 1)),
            // Far enough on both sides, and no sum with it overflows.
            Span::All => (-1_000_000, 10_000_000),
        };
        Self { span, from, to }
    }

    /// A year of the calendar.
    pub fn year(year: i64) -> Self {
        Self::of(Span::Year, day_of(year, 1, 1))
    }

    /// The period of the same length so many later; earlier where it is negative.
    #[must_use]
    pub fn step(self, by: i64) -> Self {
        let (year, month, _) = date(self.from);
        let day = match self.span {
            Span::Day => self.from + by,
            Span::Week => self.from + 7 * by,
            Span::Month => day_of(year, i64::from(month) + by, 1),
            Span::Year => day_of(year + by, 1, 1),
            Span::All => return self,
        };
        Self::of(self.span, day)
    }

    /// Whether a day lies in it.
    pub const fn has(&self, day: i64) -> bool {
        self.from <= day && day < self.to
    }

    /// What it is called: `November 2026`, and close to `today` as people say: `This month`.
    pub fn title(&self, today: i64) -> String {
        let near = |by: i64| Self::of(self.span, today).step(by).from == self.from;
        let plain = self.plain_title();
        let said = match self.span {
            Span::Day if near(0) => "Today",
            Span::Day if near(-1) => "Yesterday",
            Span::Week if near(0) => "This week",
            Span::Week if near(-1) => "Last week",
            Span::Month if near(0) => "This month",
            Span::Month if near(-1) => "Last month",
            Span::Year if near(0) => "This year",
            Span::Year if near(-1) => "Last year",
            _ => return plain,
        };
        format!("{said}, {plain}")
    }

    /// What charts divide it into, each with its name, its first day and the day after its last one: weeks and months into days,
    /// a year into months, all time (from `first` to `today`) into years, or months where it is short. A day has no parts of
    /// days.
    pub fn parts(&self, first: i64, today: i64) -> Vec<(String, i64, i64)> {
        let days = || (self.from..self.to).map(|day| (day, day + 1));
        match self.span {
            Span::Day => Vec::new(),
            Span::Week => {
                let name = |day| WEEKDAYS.get(weekday(day)).map_or("", |name| &name[..2]);
                days().map(|(from, to)| (name(from).to_owned(), from, to)).collect()
            }
            Span::Month => days().map(|(from, to)| (date(from).2.to_string(), from, to)).collect(),
            Span::Year => months(date(self.from).0, 1, 12),
            Span::All => {
                let ((from, month, _), (to, last, _)) = (date(first.min(today)), date(today));
                let count = (to - from) * 12 + i64::from(last) - i64::from(month) + 1;
                if count <= 36 {
                    return months(from, i64::from(month), count);
                }
                let year = |year: i64| (year.to_string(), day_of(year, 1, 1), day_of(year + 1, 1, 1));
                (from..=to).map(year).collect()
            }
        }
    }

    fn plain_title(&self) -> String {
        let (year, month, _) = date(self.from);
        match self.span {
            Span::Day => {
                format!("{} {}", WEEKDAYS.get(weekday(self.from)).unwrap_or(&""), long_date(self.from))
            }
            Span::Week => {
                let (year_to, month_to, day_to) = date(self.to - 1);
                let (_, _, day) = date(self.from);
                if month == month_to {
                    format!("{day}–{day_to} {} {year}", month_name(month))
                } else if year == year_to {
                    format!("{day} {} – {day_to} {} {year}", month_name(month), month_name(month_to))
                } else {
                    format!("{} – {}", long_date(self.from), long_date(self.to - 1))
                }
            }
            Span::Month => format!("{} {year}", month_name(month)),
            Span::Year => year.to_string(),
            Span::All => "All time".to_owned(),
        }
    }
}

/// So many months from one on, each with the first letters of its name.
fn months(year: i64, month: i64, count: i64) -> Vec<(String, i64, i64)> {
    let part = |n: i64| {
        let from = day_of(year, month + n, 1);
        let name = month_name(date(from).1).get(..3).unwrap_or("");
        (name.to_owned(), from, day_of(year, month + n + 1, 1))
    };
    (0..count).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates_and_dates_are_days() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(-1), (1969, 12, 31));
        assert_eq!(date(20_781), (2026, 11, 24));
        assert_eq!(date(11_016), (2000, 2, 29));
        for day in -200_000..200_000 {
            let (y, m, d) = date(day);
            assert_eq!(day_of(y, m.into(), d.into()), day);
        }
        assert_eq!(day_of(2026, 13, 1), day_of(2027, 1, 1));
        assert_eq!(day_of(2026, 0, 1), day_of(2025, 12, 1));
    }

    #[test]
    fn dates_are_read_and_written() {
        assert_eq!(parse_date("2026-11-24"), Some(20_781));
        assert_eq!(iso_date(20_781), "2026-11-24");
        assert_eq!(parse_date("2024-02-29").map(iso_date).as_deref(), Some("2024-02-29"));
        for wrong in ["2026-02-29", "2026-13-01", "2026-11", "yesterday", "-5-1-1", "2026-11-00"] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn periods_are_those_of_the_calendar() {
        let day = day_of(2024, 2, 29);
        assert_eq!(weekday(day), 3);
        let month = Period::of(Span::Month, day);
        assert_eq!((month.to - month.from, month.has(day), month.has(day + 1)), (29, true, false));
        assert_eq!(Period::of(Span::Year, day).to - Period::of(Span::Year, day).from, 366);
        assert_eq!(Period::year(2025).to - Period::year(2025).from, 365);
        let week = Period::of(Span::Week, day_of(2027, 1, 1));
        assert_eq!((week.from, week.to), (day_of(2026, 12, 28), day_of(2027, 1, 4)));
        assert_eq!(week.title(0), "28 December 2026 – 3 January 2027");
        assert_eq!(month.step(-2).title(day), "December 2023");
        assert_eq!(month.step(-1).title(day), "Last month, January 2024");
        assert_eq!(Period::year(2026).step(-1).title(day_of(2026, 7, 1)), "Last year, 2025");
        assert_eq!(Period::of(Span::All, day).step(3).title(day), "All time");
    }

    #[test]
    fn parts_cover_their_period() {
        let today = day_of(2026, 11, 24);
        for span in [Span::Week, Span::Month, Span::Year] {
            let period = Period::of(span, day_of(2024, 2, 29));
            let parts = period.parts(0, today);
            assert_eq!((parts[0].1, parts[parts.len() - 1].2), (period.from, period.to));
            assert!(parts.windows(2).all(|pair| pair[0].2 == pair[1].1), "{parts:?}");
        }
        let names = |first| {
            let parts = Period::of(Span::All, 0).parts(first, today);
            parts.into_iter().map(|(name, ..)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(day_of(2026, 9, 9)), ["Sep", "Oct", "Nov"]);
        assert_eq!(names(day_of(2022, 12, 31)), ["2022", "2023", "2024", "2025", "2026"]);
    }
}
