//! What a server tells its administrators: one table at a time, its first column of numbers drawn beside it.

use ratatui::layout::Rect;

use super::charts;
use super::paint::{Cell, Hints, Paint, Zone};
use crate::catalog::{Column, Kind, Report, Table};
use crate::music::calendar::iso_date;
use crate::tui::layout::Frame;
use crate::tui::state::App;
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints = &[
    ("left", "table before"),
    ("right", "next table"),
    ("play", "other days"),
    ("redraw", "again"),
    ("back", "back"),
];

/// Draws the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    let state = &app.operators;
    if let Some(error) = &state.error {
        super::rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    if let Some(why) = &state.refused {
        paint.put(page.x, page.y, width, "The server does not tell", theme.strong());
        super::rows::advice(app, paint, page.x, page.y + 2, width, &text::clean(why));
        return;
    }
    let Some(report) = &state.data else {
        let words = format!("Asking the server{}", theme.glyphs.ellipsis);
        paint.put(page.x, page.y, width, &words, theme.dim());
        return;
    };
    let Some(table) = report.tables.get(state.table) else {
        paint.put(page.x, page.y, width, "The server told nothing", theme.dim());
        return;
    };
    tabs(app, paint, page, report);
    let dot = theme.glyphs.dot;
    let said = format!(
        "{} to {} {dot} nothing that rests on fewer than {} listeners",
        iso_date(report.since),
        iso_date(report.until - 1),
        report.minimum
    );
    paint.put(page.x, page.y + 1, width, &said, theme.faint());
    let words = report.note.as_deref().filter(|_| table.rows.is_empty()).unwrap_or(&table.about);
    let words = text::clean(words);
    let shown = if table.rows.is_empty() {
        let lines = text::lines(&words, width);
        for (i, line) in lines.iter().take(4).enumerate() {
            paint.put(page.x, page.y + 2 + i as u16, width, line, theme.text());
        }
        lines.len().min(4)
    } else {
        paint.put(page.x, page.y + 2, width, &words, theme.dim());
        1
    };
    let from = page.y + 2 + shown as u16;
    let body = Rect::new(page.x, from, page.width, page.bottom().saturating_sub(from));
    if table.rows.is_empty() {
        if report.note.is_none() {
            paint.put(body.x, body.y + 1, width, "Nothing to show of these days", theme.dim());
        }
        return;
    }
    let side = chart_width(table, page.width);
    rows(app, paint, Rect { width: body.width - side, ..body }, table);
    if side > 0 {
        let area = Rect::new(body.right() - side + 4, body.y, side - 4, body.height);
        chart(app, paint, area, table);
    }
}

/// The names of the tables, as many as there is room for, around the one that is shown.
fn tabs(app: &App, paint: &mut Paint, page: Rect, report: &Report) {
    let theme = &app.theme;
    let open = app.operators.table;
    let width = |at: usize| report.tables.get(at).map_or(0, |table| text::width(&table.title) + 3);
    // From the first one that lets the open one be seen whole.
    let mut first = 0;
    while first < open && (first..=open).map(width).sum::<usize>() > usize::from(page.width) {
        first += 1;
    }
    let mut x = page.x;
    for (at, table) in report.tables.iter().enumerate().skip(first) {
        let cells = text::width(&table.title) as u16;
        if x + cells > page.right() {
            break;
        }
        let style = if at == open { theme.accent().patch(theme.strong()) } else { theme.dim() };
        // Turning from table to table is what a click does as well.
        if at != open {
            let command = if at < open { "left" } else { "right" };
            paint.zone(Rect::new(x, page.y, cells, 1), Zone::Command(command.to_owned()));
        }
        x = paint.put(x, page.y, usize::from(cells), &table.title, style) + 3;
    }
}

/// Cells for the chart at the side; none where there is no room or nothing to draw.
fn chart_width(table: &Table, width: u16) -> u16 {
    if width >= 110 && measure(table).is_some() { width * 2 / 5 } else { 0 }
}

/// The first column of numbers.
fn measure(table: &Table) -> Option<usize> {
    table.columns.iter().position(|column| column.kind != Kind::Text)
}

fn chart(app: &App, paint: &mut Paint, area: Rect, table: &Table) {
    let theme = &app.theme;
    let Some(column) = measure(table) else { return };
    let title = table.columns.get(column).map_or("", |column| column.title.as_str());
    paint.put(area.x, area.y, usize::from(area.width), title, theme.dim());
    // Long names stand under each other, days beside each other.
    let value = |row: &[crate::catalog::Value]| {
        (row.get(column).map_or(0.0, crate::catalog::Value::number) * 100.0) as u64
    };
    if table.in_time {
        let values: Vec<(String, u64)> = table
            .rows
            .iter()
            .map(|row| {
                let name = row.first().map(crate::catalog::Value::text).unwrap_or_default();
                (name.get(5..10).unwrap_or(&name).to_owned(), value(row))
            })
            .collect();
        let bars = Rect::new(area.x, area.y + 2, area.width, area.height.saturating_sub(3).min(14));
        charts::bars(paint, bars, &values, theme.accent());
        return;
    }
    let most = table.rows.iter().map(|row| value(row)).max().unwrap_or(0).max(1);
    let top = app.operators.scroll.top;
    let shown = usize::from(area.height.saturating_sub(1));
    let full = if theme.ascii { "=" } else { "▬" };
    for (i, row) in table.rows.iter().skip(top).take(shown).enumerate() {
        let length = (u128::from(value(row)) * u128::from(area.width)).div_ceil(u128::from(most)) as usize;
        paint.put(area.x, area.y + 1 + i as u16, length, &full.repeat(length), theme.accent());
    }
}

fn rows(app: &App, paint: &mut Paint, area: Rect, table: &Table) {
    let theme = &app.theme;
    let wants: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cells = table.rows.iter().filter_map(|row| row.get(at));
            let widest = cells.map(|cell| text::width(&text::clean(&cell.text()))).max().unwrap_or(0);
            widest.max(text::width(&column.title)).min(44)
        })
        .collect();
    // Columns that have no room at all are left out from the right, their gap too.
    let mut shown = wants.len();
    while shown > 1 && (shown * 8) > usize::from(area.width) {
        shown -= 1;
    }
    let wants = wants.get(..shown).unwrap_or_default();
    let widths = text::share(usize::from(area.width).saturating_sub(2 * shown), wants);
    let cell = |text: String, column: &Column, width: usize, style| {
        if column.kind == Kind::Text {
            Cell::left(text, style, width)
        } else {
            Cell::right(text, style, width)
        }
    };
    let heads: Vec<Cell> = table
        .columns
        .iter()
        .zip(&widths)
        .map(|(column, width)| cell(column.title.clone(), column, *width, theme.faint()))
        .collect();
    paint.row(area.x, area.y, 2, &heads);
    let (top, cursor) = (app.operators.scroll.top, app.operators.scroll.cursor);
    let rows = usize::from(area.height.saturating_sub(1));
    for (i, (at, row)) in table.rows.iter().enumerate().skip(top).take(rows).enumerate() {
        let y = area.y + 1 + i as u16;
        paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Row(at));
        if at == cursor {
            paint.edge(area.x, y, 1, true);
        }
        let cells: Vec<Cell> = row
            .iter()
            .zip(table.columns.iter().zip(&widths))
            .enumerate()
            .map(|(n, (value, (column, width)))| {
                let style = if n == 0 { theme.text() } else { theme.dim() };
                cell(text::clean(&value.text()), column, *width, style)
            })
            .collect();
        paint.row(area.x, y, 2, &cells);
    }
}
