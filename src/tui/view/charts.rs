//! Charts of the pages that count: bars, lines and heat maps, each told by height or by glyph and not by colour alone.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::bar;
use ratatui::widgets::{Bar, BarChart, BarGroup, Sparkline, Widget};

use super::paint::Paint;
use crate::catalog::{Insights, MoodPart};
use crate::music::calendar::{Span, WEEKDAYS};
use crate::tui::text;
use crate::tui::theme::Theme;

/// Heights of a cell for the charts of ratatui.
fn heights(theme: &Theme) -> bar::Set<'static> {
    let steps = theme.glyphs.bars;
    let step = |eighths: usize| {
        // At least something where there is something.
        let at = (eighths * (steps.len() - 1)).div_ceil(8);
        steps.get(at).copied().unwrap_or(" ")
    };
    bar::Set {
        full: step(8),
        seven_eighths: step(7),
        three_quarters: step(6),
        five_eighths: step(5),
        half: step(4),
        three_eighths: step(3),
        one_quarter: step(2),
        one_eighth: step(1),
        empty: " ",
    }
}

/// Bars of equal width with their names in the row under the area, as many as there is room for; the highest fills it.
pub(super) fn bars(paint: &mut Paint, area: Rect, values: &[(String, u64)], style: Style) {
    let theme = paint.theme;
    let area = area.intersection(*paint.buf.area());
    if values.is_empty() || area.is_empty() {
        return;
    }
    // More bars than cells: the last ones count.
    let shown = values.len().min(usize::from(area.width));
    let values = values.get(values.len() - shown..).unwrap_or_default();
    let most = values.iter().map(|(_, v)| *v).max().unwrap_or(0).max(1);
    let pitch = (area.width / shown as u16).clamp(1, 8);
    let thick = if pitch >= 3 { pitch - 1 } else { 1 };
    let least = most.div_ceil(u64::from(area.height) * 8);
    let drawn: Vec<Bar> = values
        .iter()
        .map(|(_, value)| {
            // What was heard at all is seen.
            let value = if *value == 0 { 0 } else { (*value).max(least) };
            Bar::default().value(value).text_value(String::new())
        })
        .collect();
    BarChart::default()
        .data(BarGroup::default().bars(&drawn))
        .max(most)
        .bar_width(thick)
        .bar_gap(pitch - thick)
        .bar_set(heights(theme))
        .bar_style(style)
        .render(area, paint.buf);
    let mut free = area.x;
    for (i, (name, value)) in values.iter().enumerate() {
        let x = area.x + i as u16 * pitch;
        if *value == 0 {
            paint.put(x, area.bottom().saturating_sub(1), 1, theme.glyphs.dot, theme.faint());
        }
        // Names that would run into each other are left out.
        let room = usize::from(area.right().saturating_sub(x));
        if x >= free && text::width(name) <= room {
            free = paint.put(x, area.bottom(), room, name, theme.faint()) + 1;
        }
    }
}

/// A line of values between 0 and 1, each as wide as there is room for; a dot where there is none.
pub(super) fn line(paint: &mut Paint, area: Rect, values: &[Option<f64>], style: Style) {
    let theme = paint.theme;
    let area = area.intersection(*paint.buf.area());
    if values.is_empty() || area.is_empty() {
        return;
    }
    let wide = (usize::from(area.width) / values.len()).max(1);
    let cells: Vec<Option<u64>> = values
        .iter()
        .flat_map(|value| {
            // The lowest is a line, not nothing.
            let height = value.map(|value| (value.clamp(0.0, 1.0) * 1000.0) as u64);
            std::iter::repeat_n(height.map(|height| height.max(130)), wide)
        })
        .collect();
    let from = cells.len().saturating_sub(usize::from(area.width));
    Sparkline::default()
        .data(cells.get(from..).unwrap_or_default().to_vec())
        .max(1000)
        .bar_set(heights(theme))
        .absent_value_symbol(theme.glyphs.dot)
        .absent_value_style(theme.faint())
        .style(style)
        .render(area, paint.buf);
}

/// Rows that a heat map of the week takes, with the axis under it.
pub(super) fn week_height(tall: u16) -> u16 {
    7 * tall + 1
}

/// A heat map of the week: a row for each day, a column for each hour.
pub(super) fn week(paint: &mut Paint, area: Rect, week: &[[u64; 24]; 7], tall: u16) {
    const LABEL: u16 = 4;
    let theme = paint.theme;
    let most = week.iter().flatten().copied().max().unwrap_or(0).max(1);
    let wide = (area.width.saturating_sub(LABEL) / 24).clamp(1, 8);
    for (day, hours) in week.iter().enumerate() {
        let y = area.y + day as u16 * tall;
        let name = WEEKDAYS.get(day).map_or("", |name| &name[..2]);
        paint.put(area.x, y, 3, name, theme.dim());
        for (hour, ms) in hours.iter().enumerate() {
            let (glyph, style) = heat(theme, *ms, most);
            let x = area.x + LABEL + hour as u16 * wide;
            let cells = if *ms == 0 { glyph.to_owned() } else { glyph.repeat(usize::from(wide)) };
            for row in 0..tall {
                // Where there is nothing, one dot says so.
                if *ms > 0 || row == 0 {
                    paint.put(x, y + row, usize::from(wide), &cells, style);
                }
            }
        }
    }
    let y = area.y + 7 * tall;
    for hour in (0..24).step_by(if wide >= 2 { 3 } else { 6 }) {
        paint.put(area.x + LABEL + hour * wide, y, 2, &format!("{hour:02}"), theme.faint());
    }
}

/// How much it is of the most there is: as a glyph, and as a colour.
pub(super) fn heat(theme: &Theme, value: u64, most: u64) -> (&'static str, Style) {
    let glyphs: [&str; 5] =
        if theme.ascii { [".", "-", "+", "x", "#"] } else { [theme.glyphs.dot, "░", "▒", "▓", "█"] };
    let level = if value == 0 {
        0
    } else {
        (u128::from(value) * 4).div_ceil(u128::from(most.max(1))).clamp(1, 4) as usize
    };
    let style = match level {
        0 | 1 => theme.faint(),
        2 => theme.dim(),
        3 => theme.text(),
        _ => theme.accent(),
    };
    (glyphs.get(level).copied().unwrap_or(" "), style)
}

/// How long was heard in the parts of the period, each with its name.
pub(super) fn heard(data: &Insights, today: i64) -> Vec<(String, u64)> {
    if data.period.span == Span::Day {
        return data.hours().iter().enumerate().map(|(hour, ms)| (format!("{hour:02}"), *ms)).collect();
    }
    let parts = data.period.parts(data.first_day.unwrap_or(today), today);
    let sum = |from: i64, to: i64| {
        let begin = data.days.partition_point(|(day, _)| *day < from);
        data.days.iter().skip(begin).take_while(|(day, _)| *day < to).map(|(_, ms)| ms).sum()
    };
    parts.into_iter().map(|(name, from, to)| (name, sum(from, to))).collect()
}

/// The mood of the same parts.
pub(super) fn moods(data: &Insights, today: i64) -> Vec<Option<MoodPart>> {
    if data.period.span == Span::Day {
        let at = |hour: i64| data.moods.iter().find(|part| part.at == hour).copied();
        return (0..24).map(at).collect();
    }
    let parts = data.period.parts(data.first_day.unwrap_or(today), today);
    let of = |from: i64, to: i64| {
        let begin = data.moods.partition_point(|part| part.at < from);
        let end = data.moods.partition_point(|part| part.at < to);
        MoodPart::together(from, data.moods.get(begin..end).unwrap_or_default())
    };
    parts.into_iter().map(|(_, from, to)| of(from, to)).collect()
}

/// A mood's name, and how to read it.
pub(super) type Curve = (&'static str, fn(&MoodPart) -> f64);

/// The curves of the mood.
pub(super) const CURVES: [Curve; 4] = [
    ("energy", |part| part.energy),
    ("calm", |part| part.calm),
    ("brightness", |part| part.brightness),
    ("danceable", |part| part.danceability),
];

/// The curves of the mood, one under the other, each from its lowest to its highest, with its name and its mean.
pub(super) fn curves(paint: &mut Paint, area: Rect, moods: &[Option<MoodPart>], tall: u16) {
    const LABEL: u16 = 12;
    let theme = paint.theme;
    let known: Vec<MoodPart> = moods.iter().flatten().copied().collect();
    let Some(mean) = MoodPart::together(0, &known) else { return };
    for (i, (name, of)) in CURVES.iter().enumerate() {
        let y = area.y + i as u16 * tall;
        let base = y + tall - 1;
        paint.put(area.x, base, usize::from(LABEL), name, theme.text());
        // The scale means little by itself: what moves is shown over its own range.
        let (low, high) = known
            .iter()
            .fold((1.0_f64, 0.0_f64), |(low, high), part| (low.min(of(part)), high.max(of(part))));
        let place =
            |value: f64| if high - low < 0.02 { value } else { 0.12 + 0.88 * (value - low) / (high - low) };
        let values: Vec<Option<f64>> =
            moods.iter().map(|part| part.as_ref().map(|part| place(of(part)))).collect();
        let width = area.width.saturating_sub(LABEL + 6);
        let style = if i % 2 == 0 { theme.accent() } else { theme.text() };
        line(paint, Rect::new(area.x + LABEL, y, width, tall), &values, style);
        paint.put_right(area.right(), base, 4, &format!("{:.2}", of(&mean)), theme.dim());
    }
}
