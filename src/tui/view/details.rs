//! Everything about one track: its cover and name over what the tags and the listener say.

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use super::rows;
use crate::music::Item;
use crate::tui::layout::Frame;
use crate::tui::state::{App, DetailLine, DetailsPage};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints =
    &[("open", "open"), ("play", "play"), ("enqueue", "queue"), ("love", "love"), ("back", "back")];

/// Draws the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    if let Some(error) = &app.details.error {
        rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    if app.details.id.is_none() {
        paint.put(page.x, page.y, width, "No track is open", theme.dim());
        return;
    }
    let layout = frame.artist();
    let track = app.details.track();
    if let Some(area) = layout.cover {
        let (title, artist) =
            track.map_or((app.details.title.as_str(), ""), |track| (&track.album, &track.album_artist));
        paint.cover(app, area, track.and_then(|track| track.cover.as_ref()), title, artist);
    }
    words(app, paint, layout.words);
    let area = layout.rows;
    for i in 0..area.height {
        let y = area.y + i;
        match app.details.line(app.details.scroll.top + usize::from(i)) {
            None => break,
            Some(DetailLine::Blank) => {}
            Some(DetailLine::Heading(title)) => {
                paint.put(area.x, y, usize::from(area.width), title, theme.dim());
            }
            Some(DetailLine::Row(at, row)) => {
                paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Row(at));
                let selected = at == app.details.scroll.cursor;
                if selected {
                    paint.edge(area.x, y, 1, true);
                }
                let style = if selected { theme.strong() } else { theme.text() };
                let value = usize::from(area.width).saturating_sub(DetailsPage::LABEL);
                let cells = [
                    Cell::left(row.label, theme.dim(), DetailsPage::LABEL - rows::GAP),
                    Cell::left(row.value.as_str(), style, value),
                ];
                paint.row(area.x, y, rows::GAP, &cells);
            }
        }
    }
}

/// Title, whose it is, and what the listener did to it.
fn words(app: &App, paint: &mut Paint, area: Rect) {
    let theme = &app.theme;
    let width = usize::from(area.width);
    let mut lines = vec![(text::clean(&app.details.title), theme.strong())];
    if let Some(track) = app.details.track() {
        if let Some(line) = lines.first_mut() {
            line.0 = text::clean(&track.title);
        }
        let by = if track.album.is_empty() {
            text::clean(&track.artist)
        } else {
            format!("{} {} {}", text::clean(&track.artist), theme.glyphs.dot, text::clean(&track.album))
        };
        lines.push((by, theme.text()));
        let (sign, style) = rows::sign(app, &Item::Track(track.id.clone()), app.track_marks(track));
        lines.push((sign, style));
    }
    for ((line, style), y) in lines.into_iter().zip(area.y..area.bottom()) {
        paint.put(area.x, y, width, &line, style);
    }
}
