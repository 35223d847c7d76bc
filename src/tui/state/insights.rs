//! What was heard, counted: the statistics, a year as a story, and what a server tells its administrators.

use super::Scroll;
use crate::catalog::{Insights, Report, Year};
use crate::music::calendar::{Period, Span};

/// The page of statistics.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    pub(crate) span: Span,
    /// A day of the period that is looked at; none for the one that today lies in.
    pub(crate) day: Option<i64>,
    pub(crate) data: Option<Insights>,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    /// The period and the day that were asked for.
    pub(crate) fresh: Option<(Period, i64)>,
    /// Lines of the page that lie above what is seen.
    pub(crate) top: usize,
    /// The most of them.
    pub(crate) below: usize,
}

impl Statistics {
    /// The period that is looked at.
    pub(crate) fn period(&self, today: i64) -> Period {
        Period::of(self.span, self.day.unwrap_or(today))
    }

    /// Looks at another length of time around the same day.
    pub(crate) fn set_span(&mut self, span: Span) {
        (self.span, self.top) = (span, 0);
    }

    /// Goes through time, not beyond today nor before the first day on which something was heard.
    pub(crate) fn turn(&mut self, by: i64, today: i64) {
        let to = self.period(today).step(by);
        let first = self.data.as_ref().and_then(|data| data.first_day).unwrap_or(today);
        if to.from > today {
            self.day = None;
        } else if to.to > first || by > 0 {
            self.day = (!to.has(today)).then_some(to.from);
        } else {
            self.day = (!Period::of(self.span, first).has(today)).then_some(first);
        }
        self.top = 0;
    }

    /// Whether there is something before the period that is shown.
    pub(crate) fn has_earlier(&self) -> bool {
        let data = self.data.as_ref();
        data.is_some_and(|data| data.first_day.is_some_and(|first| first < data.period.from))
    }

    /// Moves the page up or down by lines.
    pub(crate) fn step(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by).min(self.below);
    }
}

/// A year as a story.
#[derive(Debug, Default)]
pub(crate) struct YearPage {
    /// Which one; none before it was opened.
    pub(crate) year: Option<i64>,
    pub(crate) chapter: usize,
    pub(crate) data: Option<Year>,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    /// The year and the day that were asked for.
    pub(crate) fresh: Option<(i64, i64)>,
}

/// What a server tells its administrators.
#[derive(Debug, Default)]
pub(crate) struct OperatorPage {
    /// Days that it is of, today the last; 0 for the usual number.
    pub(crate) days: i64,
    /// Which of its tables is shown.
    pub(crate) table: usize,
    pub(crate) scroll: Scroll,
    pub(crate) data: Option<Report>,
    /// Why the server does not tell.
    pub(crate) refused: Option<String>,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    /// The days that were asked for.
    pub(crate) fresh: Option<(i64, i64)>,
}

impl OperatorPage {
    /// Lengths of time that can be looked at, in days.
    pub(crate) const DAYS: [i64; 4] = [7, 28, 91, 364];

    /// Days that it is of.
    pub(crate) fn days(&self) -> i64 {
        if self.days == 0 { Self::DAYS[1] } else { self.days }
    }

    /// Rows of the table that is shown.
    pub(crate) fn len(&self) -> usize {
        self.data.as_ref().and_then(|data| data.tables.get(self.table)).map_or(0, |table| table.rows.len())
    }

    /// Shows another table.
    pub(crate) fn show(&mut self, table: usize) {
        (self.table, self.scroll) = (table, Scroll::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::calendar::day_of;

    #[test]
    fn time_ends_today_and_begins_with_the_first_play() {
        let today = day_of(2026, 11, 24);
        let mut page = Statistics { span: Span::Month, ..Statistics::default() };
        page.turn(1, today);
        assert_eq!(page.day, None);
        let mut data = Insights::empty(page.period(today));
        data.first_day = Some(day_of(2026, 9, 30));
        page.data = Some(data);
        page.turn(-1, today);
        assert_eq!(page.period(today).title(today), "Last month, October 2026");
        page.turn(-5, today);
        assert_eq!(page.period(today).title(today), "September 2026");
        page.set_span(Span::Year);
        assert_eq!(page.period(today).title(today), "This year, 2026");
        page.set_span(Span::Week);
        assert!(page.period(today).has(day_of(2026, 9, 30)));
        page.turn(99, today);
        assert_eq!(page.day, None);
    }
}
