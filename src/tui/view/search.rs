//! Search: the field, and under it artists, albums and tracks in one column of rows.

use ratatui::layout::Rect;

use super::paint::{Cell, Paint, Zone};
use super::rows;
use crate::music::{Album, Artist, Item, Track, clock};
use crate::tui::effects::Found;
use crate::tui::layout::Frame;
use crate::tui::state::{App, Hit};
use crate::tui::text;

/// Cells of the column that names the groups.
const GROUP: u16 = 10;

/// Draws the page; gives the caret's place while words are typed.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) -> Option<(u16, u16)> {
    let theme = &app.theme;
    let page = frame.page();
    let search = &app.search;
    let width = usize::from(page.width);
    let note = counts(app);
    let end = paint.put_right(page.right(), page.y, width / 2, &note, theme.dim());
    paint.zone(Rect::new(page.x, page.y, page.width, 1), Zone::Command("go search".to_owned()));
    let glyph = if search.typing { theme.accent() } else { theme.dim() };
    let x = paint.put(page.x, page.y, 1, theme.glyphs.search, glyph) + 1;
    let room = usize::from(end.saturating_sub(x + 2));
    let words = text::clean(&search.input.text);
    let caret = if words.is_empty() {
        paint.put(x, page.y, room, "Artists, albums, tracks", theme.faint());
        x
    } else {
        paint.put(x, page.y, room, text::tail(&words, room), theme.strong())
    };
    body(app, paint, frame);
    search.typing.then_some((caret, page.y))
}

fn counts(app: &App) -> String {
    let Some(found) = &app.search.found else {
        return app.home.data.as_ref().map(|data| text::count(data.tracks, "track")).unwrap_or_default();
    };
    let dot = app.theme.glyphs.dot;
    let (artists, albums, tracks) = Found::LIMITS;
    let counted = |rows: usize, limit: u64, one: &str| {
        let n = rows as u64;
        if n >= limit { format!("{n}+ {one}s") } else { text::count(n, one) }
    };
    let parts: Vec<String> = [
        (found.artists.len(), artists, "artist"),
        (found.albums.len(), albums, "album"),
        (found.tracks.len(), tracks, "track"),
    ]
    .into_iter()
    .filter(|(rows, ..)| *rows > 0)
    .map(|(rows, limit, one)| counted(rows, limit, one))
    .collect();
    let time = format!("{:.1} ms", found.took_us as f64 / 1000.0);
    if app.size.0 < 80 {
        let results =
            text::count((found.artists.len() + found.albums.len() + found.tracks.len()) as u64, "result");
        return format!("{results}   {time}");
    }
    if parts.is_empty() { time } else { format!("{}   {time}", parts.join(&format!(" {dot} "))) }
}

fn body(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let search = &app.search;
    let first = page.y + 2;
    let width = usize::from(page.width);
    if let Some(error) = &search.error {
        paint.put(page.x, first, width, &text::clean(error), theme.trouble());
        return;
    }
    if search.len() == 0 {
        let words = match &search.found {
            Some(_) => format!("Nothing is called “{}”", text::clean(search.answered.trim())),
            None if search.input.text.trim().is_empty() => {
                "Results come as you type. Several words narrow them: an artist and a title, say.".to_owned()
            }
            None => String::new(),
        };
        paint.put(page.x, first, width, &words, theme.dim());
        return;
    }
    let mut last = None;
    for i in 0..frame.search_rows().min(search.len().saturating_sub(search.scroll.top)) {
        let at = search.scroll.top + i;
        let y = first + i as u16;
        let Some(hit) = search.get(at) else { continue };
        let group = match hit {
            Hit::Artist(_) => "Artists",
            Hit::Album(_) => "Albums",
            Hit::Track(_) => "Tracks",
        };
        if last != Some(group) {
            paint.put(page.x, y, usize::from(GROUP), group, theme.dim());
            last = Some(group);
        }
        paint.zone(Rect::new(page.x, y, page.width, 1), Zone::Row(at));
        let x = page.x + GROUP + 2;
        let selected = rows::edge(app, paint, x, y, at, search.scroll.cursor, true);
        row(app, paint, x, y, usize::from(page.right().saturating_sub(x)), hit, selected);
    }
}

/// Name, who, what else, mark and time: the same columns for all three kinds.
fn row(app: &App, paint: &mut Paint, x: u16, y: u16, width: usize, hit: Hit, selected: bool) {
    let theme = &app.theme;
    let style = if selected { theme.strong() } else { theme.text() };
    let room = width.saturating_sub(app.downloads.mark_cells() + 7 + 4 * rows::GAP);
    let wide = room >= 54;
    let (first, second, third) = if wide {
        (room * 38 / 100, room * 30 / 100, room - room * 38 / 100 - room * 30 / 100)
    } else {
        (room * 58 / 100, room - room * 58 / 100, 0)
    };
    let (name, who, what, marks, time) = columns(app, hit);
    let item = match hit {
        Hit::Artist(artist) => Item::Artist(artist.id.clone()),
        Hit::Album(album) => Item::Album(album.id.clone()),
        Hit::Track(track) => Item::Track(track.id.clone()),
    };
    let (sign, sign_style) = rows::sign(app, &item, marks);
    let cells = [
        Cell::left(name, style, first),
        Cell::left(who, theme.text(), second),
        Cell::left(what, theme.dim(), third),
        Cell::left(sign, sign_style, app.downloads.mark_cells()),
        Cell::right(time, theme.dim(), 7),
    ];
    paint.row(x, y, rows::GAP, &cells);
}

fn columns(app: &App, hit: Hit) -> (String, String, String, crate::music::Marks, String) {
    match hit {
        Hit::Artist(Artist { id, name, album_count, marks, .. }) => {
            let albums = text::count(u64::from(*album_count), "album");
            let marks = app.marks_of(&Item::Artist(id.clone()), *marks);
            (text::clean(name), albums, String::new(), marks, String::new())
        }
        Hit::Album(album @ Album { id, title, artist, marks, .. }) => {
            let marks = app.marks_of(&Item::Album(id.clone()), *marks);
            let year = album.year.map(|year| format!("{year} {} ", app.theme.glyphs.dot)).unwrap_or_default();
            let tracks = text::count(u64::from(album.track_count), "track");
            (
                text::clean(title),
                text::clean(artist),
                format!("{year}{tracks}"),
                marks,
                clock(album.duration_ms),
            )
        }
        Hit::Track(track @ Track { title, artist, album, duration_ms, .. }) => {
            let marks = app.track_marks(track);
            (text::clean(title), text::clean(artist), text::clean(album), marks, clock(*duration_ms))
        }
    }
}
