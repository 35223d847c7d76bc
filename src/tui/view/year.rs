//! A year as a story, a page for each chapter: its number in large digits, its sentence, its chart.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::charts;
use super::paint::{Cell, Hints, Paint, Zone};
use crate::tui::layout::Frame;
use crate::tui::state::App;
use crate::tui::story::{self, Chapter, Rank, Show};
use crate::tui::text;
use crate::tui::theme::Theme;

pub(crate) use crate::tui::story::CHAPTERS;

/// What is offered below.
pub(super) const HINTS: Hints = &[
    ("right", "on"),
    ("left", "back a page"),
    ("up", "year before"),
    ("down", "year after"),
    ("back", "close"),
];

/// Digits and the comma, three dots wide (the comma one) and five high.
const DIGITS: [[&str; 5]; 11] = [
    ["###", "# #", "# #", "# #", "###"],
    [" # ", "## ", " # ", " # ", "###"],
    ["###", "  #", "###", "#  ", "###"],
    ["###", "  #", "###", "  #", "###"],
    ["# #", "# #", "###", "  #", "  #"],
    ["###", "#  ", "###", "  #", "###"],
    ["###", "#  ", "###", "# #", "###"],
    ["###", "  #", "  #", " # ", " # "],
    ["###", "# #", "###", "# #", "###"],
    ["###", "# #", "###", "  #", "###"],
    [" ", " ", " ", "#", "#"],
];

/// The widest that a page is set.
const WIDEST: u16 = 96;

/// A piece of a page, from top to bottom.
enum Piece<'a> {
    Gap,
    Big(&'a str),
    Words(String, Style),
    Show(&'a Show),
}

/// Draws the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    if let Some(error) = &app.year.error {
        super::rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    let (Some(asked), data) = (app.year.year, &app.year.data) else { return };
    let Some(year) = data.as_ref().filter(|year| year.year == asked) else {
        let words = format!("Looking back at {asked}{}", theme.glyphs.ellipsis);
        paint.put(page.x, page.y, width, &words, theme.dim());
        return;
    };
    let chapters = story::chapters(year);
    let Some(chapter) = chapters.get(app.year.chapter) else {
        paint.put(page.x, page.y, width, &format!("Nothing was heard in {asked}"), theme.strong());
        let words = "Every year in which you hear music has its story: up goes to the year before.";
        super::rows::advice(app, paint, page.x, page.y + 2, width, words);
        return;
    };
    let hue = hue(theme, app.year.chapter, 0);
    progress(app, paint, page, chapters.len());
    let top = format!("Your {}", story::name(year));
    paint.put(page.x, page.y + 1, width, &top, theme.dim());
    paint.put_right(page.right(), page.y + 1, width, chapter.kicker, hue);
    let room = Rect::new(page.x, page.y + 2, page.width, page.height.saturating_sub(2));
    // Anywhere on the page goes on: its right half forward, its left half back.
    let half = room.width / 2;
    paint.zone(Rect { width: half, ..room }, Zone::Command("left".to_owned()));
    paint
        .zone(Rect { x: room.x + half, width: room.width - half, ..room }, Zone::Command("right".to_owned()));
    set(app, paint, room, chapter);
}

/// The colour of a chapter, a little further on with every row.
fn hue(theme: &Theme, chapter: usize, row: u16) -> Style {
    const HUES: [f32; CHAPTERS] = [265.0, 330.0, 20.0, 160.0, 215.0, 35.0, 290.0, 350.0, 190.0];
    theme.hue(HUES.get(chapter).copied().unwrap_or(210.0) + f32::from(row) * 9.0)
}

/// A line in as many parts as there are chapters, those that were read filled.
fn progress(app: &App, paint: &mut Paint, page: Rect, chapters: usize) {
    let theme = &app.theme;
    let (full, open) = if theme.ascii { ("=", "-") } else { ("━", "─") };
    let wide = (page.width + 1) / chapters.max(1) as u16;
    for at in 0..chapters {
        let x = page.x + at as u16 * wide;
        let cells = usize::from(wide.saturating_sub(1));
        let read = at <= app.year.chapter;
        let style = if read { hue(theme, app.year.chapter, 0) } else { theme.faint() };
        paint.put(x, page.y, cells, &if read { full } else { open }.repeat(cells), style);
        paint.zone(Rect::new(x, page.y, wide, 1), Zone::Row(at));
    }
}

/// Sets a chapter in the middle of the room.
fn set(app: &App, paint: &mut Paint, room: Rect, chapter: &Chapter) {
    let theme = &app.theme;
    let wide = room.width.min(WIDEST);
    let area = Rect::new(room.x + (room.width - wide) / 2, room.y, wide, room.height);
    let mut pieces: Vec<Piece> = Vec::new();
    if let Some(big) = &chapter.big {
        pieces.extend([Piece::Big(big), Piece::Gap]);
    }
    let strong = if chapter.big.is_some() {
        theme.strong()
    } else {
        hue(theme, app.year.chapter, 0).patch(theme.strong())
    };
    for line in text::lines(&said(theme, &chapter.headline), usize::from(wide)) {
        pieces.push(Piece::Words(line, strong));
    }
    for words in &chapter.words {
        for line in text::lines(&said(theme, words), usize::from(wide)) {
            pieces.push(Piece::Words(line, theme.dim()));
        }
    }
    if chapter.show != Show::Nothing {
        pieces.extend([Piece::Gap, Piece::Show(&chapter.show)]);
    }
    let rest: u16 = pieces.iter().map(|piece| height(piece, area, 0)).sum();
    let shown = area.height.saturating_sub(rest);
    let all: u16 = pieces.iter().map(|piece| height(piece, area, shown)).sum();
    // Where it does not fit, air goes first, then what the number says by itself.
    let airless = all > area.height;
    let mut y = area.y + area.height.saturating_sub(all) / 2;
    for piece in &pieces {
        let tall = match piece {
            Piece::Gap if airless => 0,
            piece => height(piece, area, shown),
        };
        let left = area.bottom().saturating_sub(y);
        if left == 0 {
            break;
        }
        match piece {
            Piece::Gap => {}
            Piece::Big(number) => big(app, paint, Rect::new(area.x, y, area.width, tall.min(left)), number),
            Piece::Words(line, style) => {
                let x = area.x + (area.width.saturating_sub(text::width(line) as u16)) / 2;
                paint.put(x, y, usize::from(area.width), line, *style);
            }
            Piece::Show(show) => {
                draw_show(app, paint, Rect::new(area.x, y, area.width, tall.min(left)), show);
            }
        }
        y += tall.min(left);
    }
}

/// A sentence as this terminal draws it.
fn said(theme: &Theme, words: &str) -> String {
    let words = text::clean(words);
    if theme.ascii { text::ascii_signs(&words) } else { words }
}

/// Rows of a piece; what is shown takes what is left, up to what suits it.
fn height(piece: &Piece, area: Rect, left: u16) -> u16 {
    match piece {
        Piece::Gap | Piece::Words(..) => 1,
        Piece::Big(_) => {
            if area.height >= 12 {
                5
            } else {
                1
            }
        }
        Piece::Show(Show::Nothing) => 0,
        Piece::Show(Show::Months(_)) => left.min(if area.height >= 30 { 12 } else { 7 }),
        Piece::Show(Show::Rank(rows)) => {
            let rows = rows.len() as u16;
            left.min(if left >= rows * 2 { rows * 2 } else { rows })
        }
        Piece::Show(Show::Week(_)) => {
            let tall = if left >= charts::week_height(2) { 2 } else { 1 };
            left.min(charts::week_height(tall))
        }
        Piece::Show(Show::Moods(_)) => left.min(if left >= 13 {
            13
        } else if left >= 9 {
            9
        } else {
            5
        }),
        Piece::Show(Show::Card(rows)) => left.min(rows.len() as u16 + 4),
    }
}

/// A number in large digits; in its own size where there is no room.
fn big(app: &App, paint: &mut Paint, area: Rect, number: &str) {
    let theme = &app.theme;
    let glyph = |c: char| match c {
        '0'..='9' => DIGITS.get(c as usize - '0' as usize),
        _ => DIGITS.last(),
    };
    let dots: usize = number.chars().filter_map(glyph).map(|rows| rows[0].len() + 1).sum();
    let wide = if dots * 2 <= usize::from(area.width) { 2 } else { 1 };
    if area.height < 5 || dots * wide > usize::from(area.width) {
        let x = area.x + (area.width.saturating_sub(number.len() as u16)) / 2;
        paint.put(x, area.y, usize::from(area.width), number, hue(theme, app.year.chapter, 0));
        return;
    }
    let block = if theme.ascii { "#" } else { "█" }.repeat(wide);
    let mut x = area.x + (area.width - ((dots - 1) * wide) as u16) / 2;
    for rows in number.chars().filter_map(glyph) {
        for (y, row) in rows.iter().enumerate() {
            for (at, _) in row.chars().enumerate().filter(|(_, dot)| *dot == '#') {
                let style = hue(theme, app.year.chapter, y as u16);
                paint.put(x + (at * wide) as u16, area.y + y as u16, wide, &block, style);
            }
        }
        x += ((rows[0].len() + 1) * wide) as u16;
    }
}

fn draw_show(app: &App, paint: &mut Paint, area: Rect, show: &Show) {
    let theme = &app.theme;
    let style = hue(theme, app.year.chapter, 0);
    match show {
        Show::Nothing => {}
        Show::Months(months) => {
            if area.height >= 2 {
                let pitch = (area.width / 12).clamp(1, 8);
                let wide = pitch * 12;
                let x = area.x + (area.width.saturating_sub(wide)) / 2;
                charts::bars(paint, Rect::new(x, area.y, wide, area.height - 1), months, style);
            }
        }
        Show::Rank(rows) => rank(app, paint, area, rows),
        Show::Week(week) => {
            let tall = ((area.height.saturating_sub(1)) / 7).clamp(1, 2);
            let wide = 4 + 24 * (area.width.saturating_sub(4) / 24).clamp(1, 3);
            let x = area.x + area.width.saturating_sub(wide) / 2;
            charts::week(paint, Rect::new(x, area.y, wide, area.height), week, tall);
        }
        Show::Moods(moods) => {
            let tall = (area.height.saturating_sub(1) / 4).max(1);
            charts::curves(paint, area, moods, tall);
            let wide = usize::from(area.width.saturating_sub(18)) / 12;
            for (month, name) in crate::music::calendar::MONTHS.iter().enumerate() {
                let x = area.x + 12 + (month * wide) as u16;
                let name = &name[..if wide >= 4 { 3 } else { 1 }];
                paint.put(x, area.bottom().saturating_sub(1), wide, name, theme.faint());
            }
        }
        Show::Card(rows) => card(app, paint, area, rows),
    }
}

/// Names with bars under or before them.
fn rank(app: &App, paint: &mut Paint, area: Rect, rows: &[Rank]) {
    let theme = &app.theme;
    let pitch = if usize::from(area.height) >= rows.len() * 2 { 2 } else { 1 };
    let width = usize::from(area.width);
    for (i, row) in rows.iter().enumerate() {
        let y = area.y + (i * pitch) as u16;
        if y >= area.bottom() {
            break;
        }
        let place = format!("{}", i + 1);
        let name = text::clean(&row.name);
        let name = if row.by.is_empty() {
            name
        } else {
            format!("{name} {} {}", theme.glyphs.dot, text::clean(&row.by))
        };
        let style = if i == 0 { theme.strong() } else { theme.text() };
        let cells = [
            Cell::right(place, hue(theme, app.year.chapter, 0), 2),
            Cell::left(name, style, width.saturating_sub(18)),
            Cell::right(row.measure.clone(), theme.dim(), 12),
        ];
        paint.row(area.x, y, 2, &cells);
        if pitch == 2 {
            let length = ((width.saturating_sub(4)) as f64 * row.share).round().max(1.0) as usize;
            let bar = if theme.ascii { "=" } else { "▔" };
            paint.put(area.x + 4, y + 1, length, &bar.repeat(length), hue(theme, app.year.chapter, i as u16));
        }
    }
}

/// The year at a glance, in a frame.
fn card(app: &App, paint: &mut Paint, area: Rect, rows: &[(&str, String)]) {
    let theme = &app.theme;
    let width = area.width.min(56);
    let x = area.x + (area.width - width) / 2;
    let inner = usize::from(width.saturating_sub(6));
    let framed = usize::from(area.height) >= rows.len() + 4;
    let mut y = area.y;
    if framed {
        paint.ghost(Rect::new(x, area.y, width, rows.len() as u16 + 4));
        y += 2;
    }
    for (i, (name, value)) in rows.iter().enumerate() {
        if y >= area.bottom() {
            break;
        }
        let cells = [
            Cell::left(*name, theme.dim(), 10),
            Cell::left(text::clean(value), hue(theme, app.year.chapter, i as u16), inner.saturating_sub(12)),
        ];
        paint.row(x + 3, y, 2, &cells);
        y += 1;
    }
}
