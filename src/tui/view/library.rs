//! The library: three columns side by side, two where there is no room for three.

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use super::rows::{self, Columns, Look, Want};
use crate::music::Item;
use crate::tui::layout::Frame;
use crate::tui::state::listing::Row;
use crate::tui::state::{App, Column, Listing};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints =
    &[("play", "play"), ("open", "open"), ("enqueue", "queue"), ("filter", "filter"), ("browse", "by genre")];

/// Draws the columns.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let library = &app.library;
    let names = match library.by {
        Column::Genres => library.genres.rows().map(|genre| text::width(&genre.name)).max(),
        Column::Years => None,
        _ => library.artists.rows().map(|artist| text::width(&artist.name)).max(),
    };
    let names = names.unwrap_or(0);
    let [artists, albums, tracks] = frame.library(library.column, (names.next_multiple_of(4) + 6) as u16);
    if let Some(area) = artists {
        let focused = library.column == library.by;
        let has_rows = match library.by {
            Column::Genres => column(app, paint, frame, area, Column::Genres, &library.genres),
            Column::Years => column(app, paint, frame, area, Column::Years, &library.years),
            _ => column(app, paint, frame, area, Column::Artists, &library.artists),
        };
        match library.by {
            _ if !has_rows => {}
            Column::Genres => genre_rows(app, paint, frame, area, focused),
            Column::Years => year_rows(app, paint, frame, area, focused),
            _ => artist_rows(app, paint, frame, area, focused),
        }
    }
    if let Some(area) = albums {
        let focused = library.column == Column::Albums;
        if column(app, paint, frame, area, Column::Albums, &library.albums) {
            album_rows(app, paint, frame, area, focused);
        }
    }
    if let Some(area) = tracks {
        let focused = library.column == Column::Tracks;
        if column(app, paint, frame, area, Column::Tracks, &library.tracks) {
            sleeve(app, paint, frame, area);
            track_rows(app, paint, frame, area, focused);
        }
    }
}

/// The heading, and what stands there instead of rows; `true` when there are rows.
fn column<T: Row + Clone>(
    app: &App,
    paint: &mut Paint,
    frame: &Frame,
    area: Rect,
    which: Column,
    list: &Listing<T>,
) -> bool {
    let theme = &app.theme;
    let width = usize::from(area.width);
    let focused = app.library.column == which;
    let first = Column::FIRST.contains(&which);
    match list.filter() {
        Some(words) => {
            let style = if focused { theme.accent().patch(theme.strong()) } else { theme.dim() };
            let x = paint.put(area.x, area.y, width, which.title(), style) + 2;
            let note = format!("/{}  {}", text::clean(words), list.len());
            paint.put(x, area.y, usize::from(area.right().saturating_sub(x)), &note, theme.dim());
        }
        None if first => tabs(app, paint, area, list.whole_len()),
        None => {
            let style = if focused { theme.accent().patch(theme.strong()) } else { theme.dim() };
            let x = paint.put(area.x, area.y, width, which.title(), style) + 2;
            let room = usize::from(area.right().saturating_sub(x));
            // How many albums an artist has stands beside the name; of a genre or a decade it may be thousands.
            if which == Column::Albums && app.library.by != Column::Artists && list.len() > 0 {
                paint.put(x, area.y, room, &text::number(list.whole_len() as u64), theme.dim());
            }
        }
    }
    let y = area.y + frame.heading();
    if let (Some(error), true) = (&app.library.error, focused) {
        rows::trouble(app, paint, area.x, y, width, error);
        return false;
    }
    if list.len() == 0 && list.known() && focused {
        let words = if list.filter().is_some() { "Nothing matches" } else { "No music here yet" };
        paint.put(area.x, y, width, words, theme.dim());
    }
    list.len() > 0
}

/// What the first column may list: a click goes there. How many rows it has stands beside it where there is room.
fn tabs(app: &App, paint: &mut Paint, area: Rect, len: usize) {
    let theme = &app.theme;
    let titles: usize = Column::FIRST.iter().map(|column| column.title().len()).sum();
    let width = usize::from(area.width);
    let gap = if width >= titles + 4 { 2 } else { 1 };
    let count = format!(" {}", text::number(len as u64));
    let count = if len > 0 && width >= titles + 2 * gap + count.len() { count } else { String::new() };
    let mut x = area.x;
    for column in Column::FIRST {
        let room = usize::from(area.right().saturating_sub(x));
        let title = column.title();
        let from = x;
        if column == app.library.by {
            let focused = app.library.column == column;
            let style = if focused { theme.accent().patch(theme.strong()) } else { theme.text() };
            x = paint.put(x, area.y, room, title, style);
            x = paint.put(x, area.y, usize::from(area.right().saturating_sub(x)), &count, theme.dim());
        } else {
            x = paint.put(x, area.y, room, title, theme.dim());
        }
        let command = format!("browse {}", title.to_lowercase());
        paint.zone(Rect::new(from, area.y, x.saturating_sub(from), 1), Zone::Command(command));
        x = x.saturating_add(gap as u16);
    }
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
        let cells = [
            Cell::left(text::clean(&artist.name), style, name).sliding(selected && focused),
            Cell::right(albums, theme.dim(), 3),
        ];
        paint.row(area.x, y, rows::GAP, &cells);
    }
}

fn genre_rows(app: &App, paint: &mut Paint, frame: &Frame, area: Rect, focused: bool) {
    let theme = &app.theme;
    let list = &app.library.genres;
    for (at, y) in in_sight(list, area.y + frame.heading(), frame.library_rows()) {
        paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Column(Column::Genres, at));
        let Some(genre) = list.get(at) else {
            paint.put(area.x, y, 1, theme.glyphs.dot, theme.faint());
            continue;
        };
        let selected = rows::edge(app, paint, area.x, y, at, list.scroll.cursor, focused);
        let style = if selected { theme.strong() } else { theme.text() };
        let name = usize::from(area.width).saturating_sub(7 + rows::GAP);
        let cells = [
            Cell::left(text::clean(&genre.name), style, name).sliding(selected && focused),
            Cell::right(text::number(genre.albums), theme.dim(), 7),
        ];
        paint.row(area.x, y, rows::GAP, &cells);
    }
}

fn year_rows(app: &App, paint: &mut Paint, frame: &Frame, area: Rect, focused: bool) {
    let theme = &app.theme;
    let list = &app.library.years;
    for (at, y) in in_sight(list, area.y + frame.heading(), frame.library_rows()) {
        let Some(years) = list.get(at) else { continue };
        paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Column(Column::Years, at));
        let selected = rows::edge(app, paint, area.x, y, at, list.scroll.cursor, focused);
        let style = if selected { theme.strong() } else { theme.text() };
        let name = usize::from(area.width).saturating_sub(7 + rows::GAP);
        // Years stand under their decade.
        let words = if years.decade() { years.name.clone() } else { format!("  {}", years.name) };
        let cells = [Cell::left(words, style, name), Cell::right(text::number(years.albums), theme.dim(), 7)];
        paint.row(area.x, y, rows::GAP, &cells);
    }
}

fn album_rows(app: &App, paint: &mut Paint, frame: &Frame, area: Rect, focused: bool) {
    let theme = &app.theme;
    let list = &app.library.albums;
    for (at, y) in in_sight(list, area.y + frame.heading(), frame.library_rows()) {
        paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Column(Column::Albums, at));
        let Some(album) = list.get(at) else {
            paint.put(area.x, y, 1, theme.glyphs.dot, theme.faint());
            continue;
        };
        let cursor = if list.stale() { usize::MAX } else { list.scroll.cursor };
        let selected = rows::edge(app, paint, area.x, y, at, cursor, focused);
        let style = if selected { theme.strong() } else { theme.text() };
        let item = Item::Album(album.id.clone());
        let (sign, sign_style) = rows::sign(app, &item, app.marks_of(&item, album.marks));
        let cells = app.downloads.mark_cells();
        let year = album.year.map(|year| year.to_string()).unwrap_or_default();
        let room = usize::from(area.width).saturating_sub(4 + cells + 2 * rows::GAP);
        // Beside an artist it goes without saying whose they are.
        let artist = if app.library.by != Column::Artists && room >= 24 { room * 2 / 5 } else { 0 };
        let title = room - artist - if artist > 0 { rows::GAP } else { 0 };
        let cells = [
            Cell::right(year, theme.dim(), 4),
            Cell::left(text::clean(&album.title), style, title).sliding(selected && focused),
            Cell::left(text::clean(&album.artist), theme.dim(), artist),
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
