//! What is pinned, what comes and how fast, and what does not come.

use std::fmt::Write as _;

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use super::rows;
use crate::catalog::Pin;
use crate::client::Download;
use crate::music::long_duration;
use crate::tui::layout::Frame;
use crate::tui::state::{App, DownloadRow};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints =
    &[("pin", "keep or not"), ("pause-downloads", "pause"), ("retry-downloads", "retry"), ("back", "back")];

/// Cells of a progress bar.
const BAR: usize = 20;

/// Draws the summary and the rows in sight.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    let status = &app.downloads.status;
    if app.downloads.len() == 0 && status.ahead.tracks == 0 {
        paint.put(page.x, page.y, width, "Nothing is kept on this device", theme.strong());
        let key = |command| app.keymap.keys_for(app.screen.layer(), command).unwrap_or_default();
        let words = format!(
            "{} on a track, an album or an artist keeps it here; {} keeps everything starred.",
            key("pin"),
            key("pin-starred")
        );
        rows::advice(app, paint, page.x, page.y + 2, width, &words);
        return;
    }
    match &status.barred {
        Some(why) => paint.put(page.x, page.y, width, &text::clean(why), theme.busy()),
        None => paint.put(page.x, page.y, width, &summary(app), theme.dim()),
    };
    let first = page.y + 2;
    let rows = usize::from(page.height.saturating_sub(2));
    let top = app.downloads.scroll.top;
    for (i, at) in (top..app.downloads.len()).take(rows).enumerate() {
        let Some(row) = app.downloads.get(at) else { continue };
        let y = first + i as u16;
        let selected = at == app.downloads.scroll.cursor;
        paint.zone(Rect::new(page.x, y, page.width, 1), Zone::Row(at));
        if selected {
            paint.edge(page.x, y, 1, true);
        }
        draw_row(app, paint, page.x, y, width, row, selected);
    }
    if status.paused {
        paint.put_right(page.right(), page.y, 6, "paused", theme.busy());
    }
}

/// `12 of 40 tracks are here · 3.1 MB/s · 4 min left`.
fn summary(app: &App) -> String {
    let status = &app.downloads.status;
    let dot = app.theme.glyphs.dot;
    let all = status.tracks.len() as u64;
    let mut words = if status.done == all {
        format!("{}, all here", text::count(all, "track"))
    } else {
        format!("{} of {} are here", status.done, text::count(all, "track"))
    };
    if status.rate > 0 {
        let _ = write!(words, " {dot} {}/s", text::bytes(status.rate));
    }
    if let Some(left) = status.remaining_ms() {
        let _ = write!(words, " {dot} {} left", long_duration(left.max(1000)));
    } else if status.bytes_left > 0 {
        let _ = write!(words, " {dot} {} to come", text::bytes(status.bytes_left));
    }
    let ahead = status.ahead;
    if ahead.room > 0 {
        let (bytes, room) = (text::bytes(ahead.bytes), text::bytes(ahead.room));
        let _ =
            write!(words, " {dot} {} from your mixes, {bytes} of {room}", text::count(ahead.here, "track"));
    }
    words
}

fn draw_row(app: &App, paint: &mut Paint, x: u16, y: u16, width: usize, row: DownloadRow, selected: bool) {
    let theme = &app.theme;
    let style = if selected { theme.strong() } else { theme.text() };
    let kind = 10;
    let room = width.saturating_sub(kind + BAR + 2 * rows::GAP + 2);
    let (sign, name, last) = match row {
        DownloadRow::Pin(pinned) => {
            let kind = match &pinned.pin {
                Pin::Track(_) => "track",
                Pin::Album(_) => "album",
                Pin::Artist(_) => "artist",
                Pin::Playlist(_) => "playlist",
                Pin::Starred => "starred",
                Pin::Mix(_) => "mix",
            };
            let name = if pinned.name.is_empty() { "no longer in the library" } else { &pinned.name };
            (format!("{} {kind}", theme.glyphs.pin), text::clean(name), (String::new(), theme.dim()))
        }
        DownloadRow::Active(Download { track, bytes, total, waiting }) => {
            let end = match waiting {
                Some(why) => (text::clean(why), theme.busy()),
                None => (bar(app, *bytes, *total), theme.accent()),
            };
            ("  comes".to_owned(), text::clean(&track.title), end)
        }
        DownloadRow::Failed(track, why) => (
            format!("{} failed", theme.glyphs.trouble),
            text::clean(&track.title),
            (text::clean(why), theme.trouble()),
        ),
    };
    let cells = [
        Cell::left(sign, theme.dim(), kind),
        Cell::left(name, style, room.min(44)),
        Cell::left(last.0, last.1, BAR + 2 + room.saturating_sub(44)),
    ];
    paint.row(x, y, rows::GAP, &cells);
}

fn bar(app: &App, bytes: u64, total: u64) -> String {
    let glyphs = app.theme.glyphs;
    let part = if total == 0 { 0.0 } else { (bytes as f64 / total as f64).min(1.0) };
    let full = (part * (BAR - 5) as f64) as usize;
    let empty = BAR - 5 - full;
    format!("{}{} {:3}%", glyphs.played.repeat(full), glyphs.ahead.repeat(empty), (part * 100.0) as u64)
}
