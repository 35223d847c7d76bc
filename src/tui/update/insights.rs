//! Statistics, a year as a story, and what a server tells its administrators.

use super::act;
use crate::music::calendar::{Span, date};
use crate::tui::action::{Action, Which};
use crate::tui::effects::{Answer, Effect, Request};
use crate::tui::layout::Frame;
use crate::tui::state::{App, OperatorPage, Screen};
use crate::tui::view::{CHAPTERS, statistics_below};

/// Asks for what the page needs, and brings it into its bounds.
pub(super) fn settle(app: &mut App, frame: &Frame, effects: &mut Vec<Effect>) {
    let (now, minutes, today) = (app.clock.unix_ms, app.minutes_ahead(), app.today());
    match app.screen {
        Screen::Statistics => {
            let period = app.statistics.period(today);
            if app.statistics.fresh != Some((period, today)) {
                let ticket = app.ticket();
                app.statistics.awaiting = Some(ticket);
                app.statistics.fresh = Some((period, today));
                effects.push(Effect::Ask { ticket, request: Request::Insights { period, now, minutes } });
            }
            app.statistics.below = statistics_below(app, frame);
            app.statistics.top = app.statistics.top.min(app.statistics.below);
        }
        Screen::Year => {
            let year = *app.year.year.get_or_insert_with(|| told(today));
            if app.year.fresh != Some((year, today)) {
                let ticket = app.ticket();
                app.year.awaiting = Some(ticket);
                app.year.fresh = Some((year, today));
                effects.push(Effect::Ask { ticket, request: Request::Year { year, now, minutes } });
            }
        }
        Screen::Insights => {
            let days = (today + 1 - app.operators.days(), today + 1);
            if app.operators.fresh != Some(days) {
                let ticket = app.ticket();
                app.operators.awaiting = Some(ticket);
                app.operators.fresh = Some(days);
                effects.push(Effect::Ask { ticket, request: Request::Operators(days) });
            }
            let (rows, len) = (frame.playlist_rows().saturating_sub(3), app.operators.len());
            app.operators.scroll.settle(len, rows.max(1));
        }
        _ => {}
    }
}

/// The year that is told of: this one, and in January the one before.
fn told(today: i64) -> i64 {
    let (year, month, _) = date(today);
    if month == 1 { year - 1 } else { year }
}

/// Takes what was counted.
pub(super) fn answered(app: &mut App, ticket: u64, answer: Option<Answer>, error: Option<String>) {
    if app.statistics.awaiting == Some(ticket) {
        (app.statistics.awaiting, app.statistics.error) = (None, error);
        if let Some(Answer::Insights(data)) = answer {
            app.statistics.data = Some(*data);
        }
    } else if app.year.awaiting == Some(ticket) {
        (app.year.awaiting, app.year.error) = (None, error);
        if let Some(Answer::Year(data)) = answer {
            app.year.data = Some(*data);
        }
    } else if app.operators.awaiting == Some(ticket) {
        (app.operators.awaiting, app.operators.error) = (None, error);
        match answer {
            Some(Answer::Operators(Ok(report))) => {
                let last = report.tables.len().saturating_sub(1);
                app.operators.refused = None;
                app.operators.table = app.operators.table.min(last);
                app.operators.data = Some(*report);
            }
            Some(Answer::Operators(Err(why))) => app.operators.refused = Some(why),
            _ => {}
        }
    }
}

/// Opens the story of a year at its beginning.
pub(super) fn open_year(app: &mut App, which: Which) {
    let today = app.today();
    let year = match which {
        Which::Now => told(today),
        Which::Last => date(today).0 - 1,
        Which::Of(year) => year,
    };
    to_year(app, year);
    act::enter(app, Screen::Year);
}

fn to_year(app: &mut App, year: i64) {
    let year = year.clamp(1970, 9999);
    if app.year.year != Some(year) {
        (app.year.year, app.year.data, app.year.error) = (Some(year), None, None);
    }
    app.year.chapter = 0;
}

/// Carries out what only these pages know; `false` for everything else.
pub(super) fn act_in(app: &mut App, action: &Action, count: Option<usize>) -> bool {
    let times = i64::try_from(count.unwrap_or(1)).unwrap_or(1).min(10_000);
    let today = app.today();
    match (app.screen, action) {
        (_, Action::Span(span)) => app.statistics.set_span(*span),
        (Screen::Statistics, Action::Left) => app.statistics.turn(-times, today),
        (Screen::Statistics, Action::Right) => app.statistics.turn(times, today),
        (Screen::Statistics, Action::NextGroup) => {
            let at = Span::ALL.iter().position(|span| *span == app.statistics.span).unwrap_or(0);
            let next = Span::ALL.get((at + 1) % Span::ALL.len()).copied().unwrap_or_default();
            app.statistics.set_span(next);
        }
        (Screen::Year, Action::Left | Action::PageUp) => turn_page(app, -times),
        (Screen::Year, Action::Right | Action::Play | Action::PageDown) => turn_page(app, times),
        (Screen::Year, Action::Top) => app.year.chapter = count.unwrap_or(1).clamp(1, CHAPTERS) - 1,
        (Screen::Year, Action::Bottom) => app.year.chapter = CHAPTERS - 1,
        (Screen::Year, Action::Up | Action::Down) => {
            let by = if *action == Action::Up { -times } else { times };
            let this = date(today).0;
            let year = app.year.year.unwrap_or(this);
            let to = (year + by).min(this.max(year));
            if to != year {
                to_year(app, to);
            }
        }
        (Screen::Insights, Action::Left | Action::Right | Action::NextGroup) => {
            let tables = app.operators.data.as_ref().map_or(1, |data| data.tables.len().max(1));
            let by = times.unsigned_abs() as usize % tables;
            let on = if *action == Action::Left { tables - by } else { by };
            app.operators.show((app.operators.table + on) % tables);
        }
        (Screen::Insights, Action::Play | Action::Open) => {
            let at = OperatorPage::DAYS.iter().position(|days| *days == app.operators.days()).unwrap_or(0);
            app.operators.days = OperatorPage::DAYS[(at + 1) % OperatorPage::DAYS.len()];
        }
        _ => return false,
    }
    true
}

fn turn_page(app: &mut App, by: i64) {
    let by = isize::try_from(by).unwrap_or(0);
    app.year.chapter = app.year.chapter.saturating_add_signed(by).min(CHAPTERS - 1);
}
