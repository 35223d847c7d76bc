//! All playlists, and the page of one.

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use super::rows::{self, Columns, Look, Want};
use crate::catalog::Pin;
use crate::music::{Playlist, long_duration};
use crate::tui::layout::Frame;
use crate::tui::state::App;
use crate::tui::text;

/// What is offered below all playlists.
pub(super) const ALL_HINTS: Hints = &[
    ("play", "play"),
    ("open", "open"),
    ("command new-playlist", "new"),
    ("command rename-playlist", "rename"),
    ("remove", "delete"),
];
/// What is offered below selected playlists.
pub(super) const PICKED_HINTS: Hints = &[("enqueue", "queue"), ("remove", "delete")];
/// What is offered below one playlist.
pub(super) const ONE_HINTS: Hints =
    &[("play", "play"), ("move-down", "down"), ("move-up", "up"), ("remove", "remove")];

/// Draws the list of all.
pub(super) fn draw_all(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    let list = &app.playlists.list;
    if let Some(error) = &app.playlists.error {
        rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    let read = list.known() && app.playlists.awaiting.is_none();
    if list.len() == 0 && read && list.filter().is_none() {
        paint.put(page.x, page.y, width, "There are no playlists yet", theme.strong());
        let words = format!(
            "{} on anything adds it to a new one, {} makes an empty one.",
            rows::key(app, "add-to-playlist"),
            rows::key(app, "command new-playlist")
        );
        rows::advice(app, paint, page.x, page.y + 2, width, &words);
        return;
    }
    let count = text::count(list.whole_len() as u64, "playlist");
    let note = match list.filter() {
        Some(words) => format!("/{}  {}", text::clean(words), list.len()),
        None if list.known() => count,
        None => String::new(),
    };
    paint.put(page.x, page.y, width, &note, theme.dim());
    if list.len() == 0 && list.known() {
        paint.put(page.x, page.y + 2, width, "Nothing matches", theme.dim());
    }
    let columns = Widths::of(width.min(110));
    for i in 0..frame.playlist_rows().min(list.len().saturating_sub(list.scroll.top)) {
        let at = list.scroll.top + i;
        let y = page.y + 2 + i as u16;
        let Some(row) = list.get(at) else { continue };
        paint.zone(Rect::new(page.x, y, page.width, 1), Zone::Row(at));
        let selected = rows::edge(app, paint, page.x, y, at, list.scroll.cursor, true);
        draw_row(app, paint, page.x, y, &columns, row, selected);
    }
}

/// Cells of the columns of the list.
struct Widths {
    name: usize,
    comment: usize,
    tracks: usize,
    length: usize,
    changed: usize,
}

impl Widths {
    fn of(width: usize) -> Self {
        let (tracks, length) = (12, if width >= 54 { 9 } else { 0 });
        let changed = if width >= 72 { 12 } else { 0 };
        let gaps = rows::GAP * (2 + usize::from(length > 0) + usize::from(changed > 0));
        let room = width.saturating_sub(tracks + length + changed + gaps + 2);
        let comment = if room >= 60 { room / 2 } else { 0 };
        let name = room - comment - if comment > 0 { rows::GAP } else { 0 };
        Self { name, comment, tracks, length, changed }
    }
}

fn draw_row(app: &App, paint: &mut Paint, x: u16, y: u16, columns: &Widths, row: &Playlist, selected: bool) {
    let theme = &app.theme;
    let style = if selected { theme.strong() } else { theme.text() };
    let kept = app.downloads.status.is_pinned(&Pin::Playlist(row.id.clone()));
    let smart = if row.smart { theme.glyphs.smart } else { " " };
    let signs = format!("{smart}{}", if kept { theme.glyphs.pin } else { "" });
    let cells = [
        Cell::left(text::clean(&row.name), style, columns.name).sliding(selected),
        Cell::left(text::clean(&row.comment), theme.dim(), columns.comment),
        Cell::left(signs, theme.dim(), 2),
        Cell::right(text::count(u64::from(row.track_count), "track"), theme.text(), columns.tracks),
        Cell::right(long_duration(row.duration_ms), theme.dim(), columns.length),
        Cell::right(ago(app.clock.unix_ms, row.changed_at), theme.dim(), columns.changed),
    ];
    paint.row(x, y, rows::GAP, &cells);
}

/// `today`, `3 days ago`: how long it is since, in the largest unit.
pub(super) fn ago(now: i64, then: i64) -> String {
    let days = now.saturating_sub(then) / 86_400_000;
    let unit = |n: i64, one: &str| format!("{} ago", text::count(n.unsigned_abs(), one));
    match days {
        _ if then <= 0 => String::new(),
        ..=0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        2..14 => unit(days, "day"),
        14..60 => unit(days / 7, "week"),
        60..730 => unit(days / 30, "month"),
        _ => unit(days / 365, "year"),
    }
}

/// Draws the page of one.
pub(super) fn draw_one(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    if let Some(error) = &app.playlist.error {
        rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    let Some(playlist) = &app.playlist.playlist else {
        let words = if app.playlist.awaiting.is_some() { "" } else { "No playlist is open" };
        paint.put(page.x, page.y, width, words, theme.dim());
        return;
    };
    let list = &app.playlist.tracks;
    heading(app, paint, page, playlist);
    if list.len() == 0 && list.known() {
        let words = match list.filter() {
            Some(_) => "Nothing matches".to_owned(),
            None => format!(
                "Nothing is in it yet. {} on anything adds it; {} finds music.",
                rows::key(app, "add-to-playlist"),
                rows::key(app, "go search")
            ),
        };
        rows::advice(app, paint, page.x, page.y + 2, width, &words);
    }
    let seen = list.rows().map(|row| &row.track);
    let want = Want { artist: true, album: true, pins: app.downloads.mark_cells() > 1, ..Want::default() };
    let places = list.whole_len().to_string().len().max(2);
    let columns = Columns::of(seen, want, width.min(120).saturating_sub(places + rows::GAP));
    for i in 0..frame.playlist_rows().min(list.len().saturating_sub(list.scroll.top)) {
        let at = list.scroll.top + i;
        let y = page.y + 2 + i as u16;
        let Some(row) = list.get(at) else { continue };
        paint.zone(Rect::new(page.x, y, page.width, 1), Zone::Row(at));
        let selected = rows::edge(app, paint, page.x, y, at, list.scroll.cursor, true);
        let number = Cell::right((row.place + 1).to_string(), theme.dim(), places);
        paint.row(page.x, y, rows::GAP, &[number]);
        let x = page.x + (places + rows::GAP) as u16;
        rows::track(app, paint, x, y, &columns, &row.track, Look { selected, live: true, ..Look::default() });
    }
}

/// Name, how many tracks, how long, when it was changed.
fn heading(app: &App, paint: &mut Paint, page: Rect, playlist: &Playlist) {
    let theme = &app.theme;
    let dot = theme.glyphs.dot;
    let width = usize::from(page.width);
    let list = &app.playlist.tracks;
    let length = list.rows().map(|row| row.track.duration_ms).sum();
    let mut facts =
        format!("{} {dot} {}", text::count(list.whole_len() as u64, "track"), long_duration(length));
    let changed = ago(app.clock.unix_ms, playlist.changed_at);
    if width >= 72 && !changed.is_empty() {
        facts = format!("{facts} {dot} changed {changed}");
    }
    if playlist.smart {
        facts = format!("{} follows rules {dot} {facts}", theme.glyphs.smart);
    }
    if width >= 60 && playlist.public {
        facts = format!("{facts} {dot} public");
    }
    if let Some(words) = list.filter() {
        facts = format!("/{}  {}", text::clean(words), list.len());
    }
    let left = paint.put_right(page.right(), page.y, width / 2 + 10, &facts, theme.dim());
    let room = usize::from(left.saturating_sub(page.x + 2));
    let end = paint.put(page.x, page.y, room, &text::clean(&playlist.name), theme.strong());
    if !playlist.comment.is_empty() && usize::from(left.saturating_sub(end)) > 20 {
        let room = usize::from(left.saturating_sub(end + 5));
        paint.put(end + 3, page.y, room, &text::clean(&playlist.comment), theme.dim());
    }
}

#[cfg(test)]
mod tests {
    use super::ago;

    #[test]
    fn times_in_words() {
        let day = 86_400_000;
        let now = 1_800_000_000_000;
        assert_eq!(ago(now, now - 1), "today");
        assert_eq!(ago(now, now - day), "yesterday");
        assert_eq!(ago(now, now - 5 * day), "5 days ago");
        assert_eq!(ago(now, now - 20 * day), "2 weeks ago");
        assert_eq!(ago(now, now - 100 * day), "3 months ago");
        assert_eq!(ago(now, now - 800 * day), "2 years ago");
        assert_eq!(ago(now, 0), "");
    }
}
