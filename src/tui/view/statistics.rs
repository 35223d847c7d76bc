//! What was heard: how long, when, what most, what was new, and in which mood; by day, week, month, year and over all time.
//!
//! The page is made of parts that stand in as many columns as there is room for. What is higher than the window is gone through
//! line by line: the page is drawn aside and the part of it that is seen is copied.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::charts;
use super::paint::{Cell, Hints, Paint, Zone};
use crate::catalog::{Insights, Top};
use crate::music::calendar::Span;
use crate::music::long_duration;
use crate::tui::layout::Frame;
use crate::tui::state::App;
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints = &[
    ("left", "earlier"),
    ("right", "later"),
    ("next-group", "span"),
    ("down", "down"),
    ("year", "story"),
    ("back", "back"),
];

/// Cells between columns, and rows between parts.
const GAP: u16 = 4;

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Time,
    Week,
    Mood,
    Artists,
    Tracks,
    Discoveries,
    Albums,
    Genres,
}

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
    let body = Rect::new(page.x, page.y + 1, page.width, page.height.saturating_sub(1));
    if let Some(error) = &app.statistics.error {
        super::rows::trouble(app, paint, body.x, body.y + 1, width, error);
        return;
    }
    // Until the figures of this period are here, those of the last one stay.
    let Some(data) = &app.statistics.data else {
        paint.put(body.x, body.y + 1, width, &format!("Counting{}", theme.glyphs.ellipsis), theme.dim());
        return;
    };
    title(app, paint, body, data);
    if data.plays == 0 {
        let words = match data.first_day {
            None => "Nothing was heard yet",
            Some(_) => "Nothing was heard in this time",
        };
        paint.put(body.x, body.y + 2, width, words, theme.strong());
        let words = "What you hear is counted on this device, also without the server, and stays yours.";
        super::rows::advice(app, paint, body.x, body.y + 4, width, words);
        return;
    }
    let head = head(app, data, width);
    for (i, line) in head.iter().enumerate() {
        let style = if i == 0 { theme.strong() } else { theme.dim() };
        paint.put(body.x, body.y + 1 + i as u16, width, line, style);
    }
    let from = body.y + 2 + head.len() as u16;
    let window = Rect::new(body.x, from, body.width, body.bottom().saturating_sub(from));
    let (parts, height) = plan(app, data, window.width, window.height);
    if window.height == 0 {
        return;
    }
    let mut aside = Buffer::empty(Rect::new(0, 0, window.width, height.max(1)));
    if let Some(ground) = theme.ground() {
        let area = *aside.area();
        aside.set_style(area, ground);
    }
    {
        let mut paint = Paint::new(&mut aside, theme);
        for (part, area) in parts {
            draw_part(app, &mut paint, part, area, data);
        }
    }
    let more = height > window.height;
    let seen = window.height - u16::from(more);
    let top = (app.statistics.top as u16).min(height.saturating_sub(seen));
    for y in 0..seen.min(height.saturating_sub(top)) {
        for x in 0..window.width {
            if let (Some(from), Some(to)) =
                (aside.cell((x, top + y)), paint.buf.cell_mut((window.x + x, window.y + y)))
            {
                *to = from.clone();
            }
        }
    }
    if more {
        let left = height.saturating_sub(top + seen);
        let words = match left {
            0 => "the end".to_owned(),
            left => format!("{left} more lines"),
        };
        paint.put_right(window.right(), window.bottom() - 1, width, &words, theme.faint());
        let down = Rect::new(window.right().saturating_sub(20), window.bottom() - 1, 20, 1);
        let command = if left == 0 { "top" } else { "half-down" };
        paint.zone(down, Zone::Command(command.to_owned()));
    }
}

/// Lines that lie below what can be seen at once.
pub(crate) fn below(app: &App, frame: &Frame) -> usize {
    let page = frame.page();
    let Some(data) = app.statistics.data.as_ref().filter(|data| data.plays > 0) else { return 0 };
    let head = head(app, data, usize::from(page.width)).len() as u16;
    let window = page.height.saturating_sub(head + 3);
    let (_, height) = plan(app, data, page.width, window);
    // One line says that there is more.
    if height > window { usize::from(height + 1 - window.min(height)) } else { 0 }
}

/// Which time it is, with what leads to others.
fn title(app: &App, paint: &mut Paint, body: Rect, data: &Insights) {
    let theme = &app.theme;
    let (earlier, later) = if theme.ascii { ("<", ">") } else { ("‹", "›") };
    let today = app.today();
    let name = data.period.title(today);
    let name = if theme.ascii { text::ascii_signs(&name) } else { name };
    let mut x = body.x;
    if data.period.span != Span::All {
        let style = if app.statistics.has_earlier() { theme.accent() } else { theme.faint() };
        paint.put(x, body.y, 1, earlier, style);
        paint.zone(Rect::new(x, body.y, 2, 1), Zone::Command("left".to_owned()));
        x += 2;
    }
    x = paint.put(x, body.y, usize::from(body.width), &name, theme.text());
    if data.period.span != Span::All {
        let style = if data.period.to <= today { theme.accent() } else { theme.faint() };
        paint.put(x + 1, body.y, 1, later, style);
        paint.zone(Rect::new(x, body.y, 2, 1), Zone::Command("right".to_owned()));
        x += 2;
    }
    let asked = app.statistics.period(today);
    if asked != data.period && app.statistics.awaiting.is_some() {
        let words = format!("counting {}{}", asked.title(today), theme.glyphs.ellipsis);
        paint.put(x + 2, body.y, usize::from(body.right().saturating_sub(x + 2)), &words, theme.faint());
    }
}

/// The sums, in two lines.
fn head(app: &App, data: &Insights, width: usize) -> Vec<String> {
    let dot = app.theme.glyphs.dot;
    let mut first = vec![long_duration(data.heard_ms), text::count(data.plays, "play")];
    first.extend([
        text::count(data.tracks, "track"),
        text::count(data.artists, "artist"),
        text::count(data.albums, "album"),
        text::count(data.genres, "genre"),
    ]);
    let mut second = Vec::new();
    if data.discovered > 0 {
        second.push(text::count(data.discovered, "new artist"));
    }
    if data.before_ms > 0 && data.period.span != Span::All {
        let percent = (data.heard_ms * 100).div_ceil(data.before_ms);
        let before = match data.period.span {
            Span::Day => "the day before",
            Span::Week => "the week before",
            Span::Month => "the month before",
            _ => "the year before",
        };
        second.push(match percent {
            0..100 => format!("{} % less than {before}", 100 - percent),
            100 => format!("as much as {before}"),
            _ => format!("{} % more than {before}", percent - 100),
        });
    }
    second.push(match (data.streak, data.longest_streak) {
        (0, longest) => format!("longest streak {}", text::count(longest, "day")),
        (now, longest) if now == longest => {
            format!("a streak of {}, the longest so far", text::count(now, "day"))
        }
        (now, longest) => format!("a streak of {}; longest {longest}", text::count(now, "day")),
    });
    if let Some((_, days)) = data.streak_here.filter(|(_, days)| *days > 1 && data.period.span > Span::Week) {
        second.push(format!("here {} in a row", text::count(days, "day")));
    }
    // One line each: what has no room is left out, the last first.
    let pack = |parts: Vec<String>| {
        let mut line = String::new();
        for part in parts {
            let longer = if line.is_empty() { part } else { format!("{line} {dot} {part}") };
            if text::width(&longer) > width {
                break;
            }
            line = longer;
        }
        line
    };
    vec![pack(first), pack(second)]
}

/// Where the parts stand, and how high all of it is.
fn plan(app: &App, data: &Insights, width: u16, height: u16) -> (Vec<(Part, Rect)>, u16) {
    let columns = match width {
        0..96 => 1,
        96..168 => 2,
        168..250 => 3,
        _ => 4,
    };
    let wide = ((width + GAP) / columns).saturating_sub(GAP);
    let mut free = vec![0_u16; usize::from(columns)];
    let mut parts = Vec::new();
    let all = [
        Part::Time,
        Part::Week,
        Part::Mood,
        Part::Artists,
        Part::Tracks,
        Part::Discoveries,
        Part::Albums,
        Part::Genres,
    ];
    for part in all {
        let tall = part_height(app, part, data, height);
        if tall == 0 {
            continue;
        }
        // Into the column that ends first.
        let Some((column, y)) = free.iter().copied().enumerate().min_by_key(|(column, y)| (*y, *column))
        else {
            continue;
        };
        parts.push((part, Rect::new(column as u16 * (wide + GAP), y, wide, tall)));
        if let Some(end) = free.get_mut(column) {
            *end = y + tall + 1;
        }
    }
    let end = free.into_iter().max().unwrap_or(0).saturating_sub(1);
    (parts, end)
}

/// Rows of the bars, of a curve of the mood, and of a day of the week.
fn tall(height: u16) -> (u16, u16, u16) {
    ((height / 4).clamp(4, 12), if height >= 40 { 2 } else { 1 }, if height >= 60 { 2 } else { 1 })
}

fn part_height(app: &App, part: Part, data: &Insights, height: u16) -> u16 {
    let (bars, curve, day) = tall(height);
    let most = if height >= 40 { 20 } else { 10 };
    let list = |list: &[Top]| if list.is_empty() { 0 } else { 1 + list.len().min(most) as u16 };
    match part {
        Part::Time => bars + 2,
        Part::Week if data.period.span == Span::Day => 0,
        Part::Week => 1 + charts::week_height(day),
        Part::Mood if charts::moods(data, app.today()).iter().flatten().next().is_none() => 2,
        Part::Mood => 1 + 4 * curve,
        Part::Artists => list(&data.top_artists),
        Part::Tracks => list(&data.top_tracks),
        Part::Discoveries => list(&data.discoveries),
        Part::Albums => list(&data.top_albums),
        Part::Genres => list(&data.top_genres),
    }
}

fn draw_part(app: &App, paint: &mut Paint, part: Part, area: Rect, data: &Insights) {
    let theme = &app.theme;
    let inner = Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(1));
    let wide = usize::from(area.width);
    match part {
        Part::Time => {
            let values = charts::heard(data, app.today());
            let most = values.iter().map(|(_, ms)| *ms).max().unwrap_or(0);
            let unit = match data.period.span {
                Span::Day => "By hour",
                Span::Week | Span::Month => "By day",
                Span::Year => "By month",
                Span::All => "Over time",
            };
            paint.put(area.x, area.y, wide, unit, theme.dim());
            let words = format!("at most {}", long_duration(most));
            paint.put_right(area.right(), area.y, wide, &words, theme.faint());
            let bars = Rect::new(inner.x, inner.y, inner.width, inner.height.saturating_sub(1));
            charts::bars(paint, bars, &values, theme.accent());
        }
        Part::Week => {
            paint.put(area.x, area.y, wide, "Hours of the week", theme.dim());
            charts::week(paint, inner, &data.week, (inner.height - 1) / 7);
        }
        Part::Mood => {
            paint.put(area.x, area.y, wide, "Mood", theme.dim());
            let moods = charts::moods(data, app.today());
            if moods.iter().flatten().next().is_none() {
                let words = "Nothing of it was analysed yet: that happens by itself, on this device.";
                paint.put(inner.x, inner.y, wide, words, theme.faint());
            } else {
                charts::curves(paint, inner, &moods, inner.height / 4);
            }
        }
        Part::Artists => list(app, paint, area, "Artists", &data.top_artists, false),
        Part::Tracks => list(app, paint, area, "Tracks", &data.top_tracks, true),
        Part::Albums => list(app, paint, area, "Albums", &data.top_albums, false),
        Part::Genres => list(app, paint, area, "Genres", &data.top_genres, false),
        Part::Discoveries => {
            let more = data.discovered.saturating_sub(data.discoveries.len() as u64);
            let title = match more {
                0 => "New to you".to_owned(),
                more => format!("New to you, and {more} more"),
            };
            list(app, paint, area, &title, &data.discoveries, false);
        }
    }
}

/// A list with a bar before each row that says how much it is of the first.
fn list(app: &App, paint: &mut Paint, area: Rect, title: &str, list: &[Top], by_plays: bool) {
    const BAR: usize = 6;
    let theme = &app.theme;
    let width = usize::from(area.width);
    paint.put(area.x, area.y, width, title, theme.dim());
    let worth = |top: &Top| if by_plays { top.plays } else { top.heard_ms };
    let most = list.iter().map(worth).max().unwrap_or(0).max(1);
    let rows = usize::from(area.height.saturating_sub(1));
    for (n, top) in list.iter().take(rows).enumerate() {
        let name = match top.by.as_str() {
            "" => text::clean(&top.name),
            by => format!("{} {} {}", text::clean(&top.name), theme.glyphs.dot, text::clean(by)),
        };
        let right = if by_plays { text::count(top.plays, "play") } else { long_duration(top.heard_ms) };
        let length = (worth(top) * BAR as u64).div_ceil(most) as usize;
        let full = theme.glyphs.bars.get(theme.glyphs.bars.len() / 2).copied().unwrap_or("-");
        let cells = [
            Cell::left(full.repeat(length), theme.accent(), BAR),
            Cell::left(name, theme.text(), width.saturating_sub(BAR + 15)),
            Cell::right(right, theme.dim(), 11),
        ];
        paint.row(area.x, area.y + 1 + n as u16, 2, &cells);
    }
}
