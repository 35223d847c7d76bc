//! What was heard: how long, on which days, at which hours, and what most.

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use crate::catalog::{Insights, Top};
use crate::music::long_duration;
use crate::tui::layout::Frame;
use crate::tui::state::{App, Span};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints = &[("left", "shorter"), ("right", "longer"), ("back", "back")];

/// Draws the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    let mut x = page.x;
    for span in Span::ALL {
        let open = span == app.statistics.span;
        let style = if open { theme.accent().patch(theme.strong()) } else { theme.dim() };
        let from = x;
        x = paint.put(x, page.y, width, span.title(), style);
        paint.zone(Rect::new(from, page.y, x - from, 1), Zone::Command(format!("span {}", span.word())));
        x += 3;
    }
    let body = Rect::new(page.x, page.y + 2, page.width, page.height.saturating_sub(2));
    if let Some(error) = &app.statistics.error {
        super::rows::trouble(app, paint, body.x, body.y, width, error);
        return;
    }
    // Until those of this span are here, those of the last one stay.
    let Some((span, data)) = &app.statistics.data else { return };
    if data.plays == 0 {
        paint.put(body.x, body.y, width, "Nothing was heard in this time", theme.strong());
        let words = "A track counts when half of it, or four minutes, were heard.";
        super::rows::advice(app, paint, body.x, body.y + 2, width, words);
        return;
    }
    let dot = theme.glyphs.dot;
    let sums = format!(
        "{} {dot} {} {dot} {} {dot} {}",
        long_duration(data.heard_ms),
        text::count(data.plays, "play"),
        text::count(data.tracks, "track"),
        text::count(data.artists, "artist"),
    );
    paint.put(body.x, body.y, width, &sums, theme.strong());
    let streak = match (data.streak, data.longest_streak) {
        (0, longest) => format!("longest streak {}", text::count(longest, "day")),
        (now, longest) if now == longest => {
            format!("a streak of {}, the longest so far", text::count(now, "day"))
        }
        (now, longest) => format!("a streak of {}; longest {longest}", text::count(now, "day")),
    };
    paint.put(body.x, body.y + 1, width, &streak, theme.dim());
    let mut y = body.y + 3;
    let left = body.bottom().saturating_sub(y);
    let rows = if left >= 22 {
        6
    } else if left >= 14 {
        3
    } else {
        1
    };
    charts(app, paint, Rect::new(body.x, y, body.width, rows), *span, data);
    // The axis, and air.
    y += rows + 2;
    lists(
        app,
        paint,
        Rect::new(body.x, y.min(body.bottom()), body.width, body.bottom().saturating_sub(y)),
        data,
    );
}

/// Days (or hours, months) at the left, hours of the day at the right.
fn charts(app: &App, paint: &mut Paint, area: Rect, span: Span, data: &Insights) {
    let hours: Vec<(String, u64)> =
        data.hours.iter().enumerate().map(|(h, ms)| (format!("{h:02}"), *ms)).collect();
    if span == Span::Day {
        bars(app, paint, area, &hours, "today by hour");
        return;
    }
    let time = times(app, span, data);
    let right = 24.min(area.width / 3);
    let left = area.width.saturating_sub(right + 4);
    bars(app, paint, Rect { width: left, ..area }, &time, "");
    bars(app, paint, Rect::new(area.x + left + 4, area.y, right, area.height), &hours, "");
}

/// Sums of the parts of a span, with what stands under each.
fn times(app: &App, span: Span, data: &Insights) -> Vec<(String, u64)> {
    const WEEK: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
    let today = app.today();
    let sum = |from: i64, to: i64| {
        data.days.iter().filter(|(d, _)| (from..=to).contains(d)).map(|(_, ms)| ms).sum()
    };
    match span {
        Span::Day => Vec::new(),
        // 1970-01-01 was a Thursday.
        Span::Week => (today - 6..=today)
            .map(|day| {
                (WEEK.get((day + 3).rem_euclid(7) as usize).map_or("", |d| d).to_owned(), sum(day, day))
            })
            .collect(),
        Span::Month => (today - 29..=today).map(|day| (date(day).2.to_string(), sum(day, day))).collect(),
        Span::Year | Span::All => {
            let first = match span {
                Span::Year => today - 364,
                _ => data.days.first().map_or(today, |(day, _)| *day),
            };
            let ((y1, m1, _), (y2, m2, _)) = (date(first), date(today));
            let months = (y2 - y1) * 12 + i64::from(m2) - i64::from(m1);
            let of = |day: i64| {
                let (y, m, _) = date(day);
                (y - y1) * 12 + i64::from(m) - i64::from(m1)
            };
            let step = if months > 36 { 12 } else { 1 };
            let mut parts: Vec<(String, u64)> = (0..=months / step)
                .map(|n| {
                    let month = i64::from(m1) - 1 + n * step;
                    let name =
                        if step == 12 { (y1 + month / 12).to_string() } else { (month % 12 + 1).to_string() };
                    (name, 0)
                })
                .collect();
            for (day, ms) in &data.days {
                if let Ok(at) = usize::try_from(of(*day) / step)
                    && let Some(part) = parts.get_mut(at)
                {
                    part.1 += ms;
                }
            }
            parts
        }
    }
}

/// Year, month and day of a day since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn date(day: i64) -> (i64, u8, u8) {
    let z = day + 719_468;
    let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (d, m) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    (yoe + era * 400 + i64::from(m <= 2), m as u8, d as u8)
}

/// Bars of equal width with their names under them, as many as there is room for; the highest fills the area.
fn bars(app: &App, paint: &mut Paint, area: Rect, values: &[(String, u64)], title: &str) {
    let theme = &app.theme;
    let steps = theme.glyphs.bars;
    let full = steps.len() - 1;
    let most = values.iter().map(|(_, v)| *v).max().unwrap_or(0).max(1);
    if values.is_empty() || area.width == 0 {
        return;
    }
    // More bars than cells: the last ones count.
    let shown = values.len().min(usize::from(area.width));
    let values = &values[values.len() - shown..];
    let pitch = (usize::from(area.width) / shown).clamp(1, 6);
    let thick = if pitch >= 3 { pitch - 1 } else { pitch.min(1) };
    let mut free = area.x;
    for (i, (name, value)) in values.iter().enumerate() {
        let x = area.x + (i * pitch) as u16;
        let cells = usize::from(area.height) * full;
        let height = ((u128::from(*value) * cells as u128).div_ceil(u128::from(most))) as usize;
        for row in 0..area.height {
            let filled = height.saturating_sub(usize::from(row) * full).min(full);
            if let Some(glyph) = steps.get(filled).filter(|_| filled > 0) {
                let y = area.y + area.height - 1 - row;
                paint.put(x, y, thick, &glyph.repeat(thick), theme.text());
            }
        }
        // Names that would run into each other are left out.
        let room = usize::from(area.right().saturating_sub(x));
        if x >= free && text::width(name) <= room {
            free = paint.put(x, area.bottom(), room, name, theme.faint()) + 1;
        }
    }
    paint.put_right(area.right(), area.bottom(), 16, title, theme.faint());
}

/// The lists, side by side as there is room.
fn lists(app: &App, paint: &mut Paint, area: Rect, data: &Insights) {
    let theme = &app.theme;
    let lists: [(&str, &[Top]); 4] = [
        ("Artists", &data.top_artists),
        ("Albums", &data.top_albums),
        ("Tracks", &data.top_tracks),
        ("Genres", &data.top_genres),
    ];
    let columns: u16 = match area.width {
        120.. => 4,
        70.. => 2,
        _ => 1,
    };
    let lines = (4 / columns).min((area.height / 4).max(1));
    let tall = area.height / lines.max(1);
    if tall < 2 {
        return;
    }
    let gap = 4;
    let width = (area.width + gap) / columns - gap;
    for (i, (title, list)) in lists.iter().take(usize::from(columns * lines)).enumerate() {
        let (column, line) = (i as u16 % columns, i as u16 / columns);
        let (x, y) = (area.x + column * (width + gap), area.y + line * tall);
        paint.put(x, y, usize::from(width), title, theme.dim());
        let rows = usize::from(tall - 1 - u16::from(lines > 1 && tall > 3));
        for (n, top) in list.iter().take(rows).enumerate() {
            let name = match top.by.as_str() {
                "" => text::clean(&top.name),
                by => format!("{} {} {}", text::clean(&top.name), theme.glyphs.dot, text::clean(by)),
            };
            let right =
                if *title == "Tracks" { text::count(top.plays, "play") } else { long_duration(top.heard_ms) };
            let cells = [
                Cell::left(name, theme.text(), usize::from(width).saturating_sub(13)),
                Cell::right(right, theme.dim(), 11),
            ];
            paint.row(x, y + 1 + n as u16, 2, &cells);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(-1), (1969, 12, 31));
        assert_eq!(date(20_781), (2026, 11, 24));
        assert_eq!(date(11_016), (2000, 2, 29));
    }
}
