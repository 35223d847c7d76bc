//! The library: three columns side by side, two where there is no room for three.

use ratatui::layout::Rect;

use super::paint::{Cell, Paint, Zone};
use super::rows::{self, Columns, Look, Want};
use crate::music::Item;
use crate::tui::layout::Frame;
use crate::tui::state::listing::Row;
use crate::tui::state::{App, Column, Listing};
use crate::tui::text;

/// Draws the columns.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let library = &app.library;
    let names = library.artists.rows().map(|artist| text::width(&artist.name)).max().unwrap_or(0);
    let [artists, albums, tracks] = frame.library(library.column, (names.next_multiple_of(4) + 6) as u16);
    if let Some(area) = artists {
        let focused = library.column == Column::Artists;
        let count = Some(library.artists.whole_len());
        if column(app, paint, frame, area, "Artists", &library.artists, focused, count) {
            artist_rows(app, paint, frame, area, focused);
        }
    }
    if let Some(area) = albums {
        let focused = library.column == Column::Albums;
        if column(app, paint, frame, area, "Albums", &library.albums, focused, None) {
            album_rows(app, paint, frame, area, focused);
        }
    }
    if let Some(area) = tracks {
        let focused = library.column == Column::Tracks;
        if column(app, paint, frame, area, "Tracks", &library.tracks, focused, None) {
            sleeve(app, paint, frame, area);
            track_rows(app, paint, frame, area, focused);
        }
    }
}

/// The heading, and what stands there instead of rows; `true` when there are rows.
#[expect(clippy::too_many_arguments, reason = "a heading is made of exactly these")]
fn column<T: Row + Clone>(
    app: &App,
    paint: &mut Paint,
    frame: &Frame,
    area: Rect,
    title: &str,
    list: &Listing<T>,
    focused: bool,
    count: Option<usize>,
) -> bool {
    let theme = &app.theme;
    let width = usize::from(area.width);
    let style = if focused { theme.accent().patch(theme.strong()) } else { theme.dim() };
    let x = paint.put(area.x, area.y, width, title, style) + 2;
    let note = match (list.filter(), count.filter(|n| *n > 0)) {
        (Some(words), _) => format!("/{}  {}", text::clean(words), list.len()),
        (None, Some(n)) => text::number(n as u64),
        (None, None) => String::new(),
    };
    paint.put(x, area.y, usize::from(area.right().saturating_sub(x)), &note, theme.dim());
    let y = area.y + frame.heading();
    if let (Some(error), true) = (&app.library.error, focused) {
        paint.put(area.x, y, width, &text::clean(error), theme.trouble());
        return false;
    }
    if list.len() == 0 && list.known() && focused {
        let words = if list.filter().is_some() { "Nothing matches" } else { "No music here yet" };
        paint.put(area.x, y, width, words, theme.dim());
    }
    list.len() > 0
}

/// The selected album's cover, and what it is.
fn sleeve(app: &App, paint: &mut Paint, frame: &Frame, area: Rect) {
    let theme = &app.theme;
    let height = frame.sleeve().saturating_sub(1);
    let Some(album) = app.library.albums.shown().filter(|_| height > 0) else { return };
    let y = area.y + frame.heading();
    paint.cover(
        app,
        Rect::new(area.x, y, height * 2, height),
        album.cover.as_ref(),
        &album.title,
        &album.artist,
    );
    let x = area.x + height * 2 + 3;
    let width = usize::from(area.right().saturating_sub(x));
    let genres = album.genres.iter().take(2).map(|genre| text::clean(genre)).collect::<Vec<_>>().join(", ");
    let length = crate::music::long_duration(album.duration_ms);
    let tracks = text::count(u64::from(album.track_count), "track");
    let lines = [
        (text::clean(&album.title), theme.strong()),
        (text::clean(&album.artist), theme.text()),
        (format!("{tracks} {} {length}", theme.glyphs.dot), theme.dim()),
        (genres, theme.dim()),
    ];
    for (i, (line, style)) in lines.iter().enumerate() {
        paint.put(x, y + 1 + i as u16, width, line, *style);
    }
}

/// Rows in sight: place in the list and line on the screen, `rows` of them from line `first`.
fn in_sight<T: Row + Clone>(
    list: &Listing<T>,
    first: u16,
    rows: usize,
) -> impl Iterator<Item = (usize, u16)> + use<T> {
    let top = list.scroll.top;
    (0..rows.min(list.len().saturating_sub(top))).map(move |i| (top + i, first + i as u16))
}

fn artist_rows(app: &App, paint: &mut Paint, frame: &Frame, area: Rect, focused: bool) {
    let theme = &app.theme;
    let list = &app.library.artists;
    for (at, y) in in_sight(list, area.y + frame.heading(), frame.library_rows()) {
        paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Column(Column::Artists, at));
        let Some(artist) = list.get(at) else {
            paint.put(area.x, y, 1, theme.glyphs.dot, theme.faint());
            continue;
        };
        let selected = rows::edge(app, paint, area.x, y, at, list.scroll.cursor, focused);
        let style = if selected { theme.strong() } else { theme.text() };
        let albums = artist.album_count.to_string();
        let name = usize::from(area.width).saturating_sub(5);
        let kept = app.downloads.keeps(&Item::Artist(artist.id.clone()));
        let albums = if kept { format!("{}{albums}", theme.glyphs.pin) } else { albums };
        let cells = [Cell::left(text::clean(&artist.name), style, name), Cell::right(albums, theme.dim(), 3)];
        paint.row(area.x, y, rows::GAP, &cells);
    }
}

fn album_rows(app: &App, paint: &mut Paint, frame: &Frame, area: Rect, focused: bool) {
    let theme = &app.theme;
    let list = &app.library.albums;
    for (at, y) in in_sight(list, area.y + frame.heading(), frame.library_rows()) {
        let Some(album) = list.get(at) else { continue };
        paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Column(Column::Albums, at));
        let cursor = if list.stale() { usize::MAX } else { list.scroll.cursor };
        let selected = rows::edge(app, paint, area.x, y, at, cursor, focused);
        let style = if selected { theme.strong() } else { theme.text() };
        let item = Item::Album(album.id.clone());
        let (sign, sign_style) = rows::sign(app, &item, app.marks_of(&item, album.marks));
        let cells = app.downloads.mark_cells();
        let year = album.year.map(|year| year.to_string()).unwrap_or_default();
        let title = usize::from(area.width).saturating_sub(4 + cells + 2 * rows::GAP);
        let cells = [
            Cell::right(year, theme.dim(), 4),
            Cell::left(text::clean(&album.title), style, title),
            Cell::left(sign, sign_style, cells),
        ];
        paint.row(area.x, y, rows::GAP, &cells);
    }
}

fn track_rows(app: &App, paint: &mut Paint, frame: &Frame, area: Rect, focused: bool) {
    let list = &app.library.tracks;
    let want = Want { number: true, pins: app.downloads.mark_cells() > 1, ..Want::default() };
    let columns = Columns::of(list.rows(), want, usize::from(area.width));
    let first = area.y + frame.heading() + frame.sleeve();
    for (at, y) in in_sight(list, first, frame.track_rows()) {
        let Some(track) = list.get(at) else { continue };
        paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Column(Column::Tracks, at));
        let cursor = if list.stale() { usize::MAX } else { list.scroll.cursor };
        let selected = rows::edge(app, paint, area.x, y, at, cursor, focused);
        let look = Look { selected: selected && focused, live: true, ..Look::default() };
        rows::track(app, paint, area.x, y, &columns, track, look);
    }
}
