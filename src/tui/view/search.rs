//! Search: the field, and under it artists, albums, tracks and playlists in one column of rows, the kind that agrees best first.

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use super::rows;
use crate::catalog::HitKind;
use crate::catalog::index::{Query, matched};
use crate::music::{Album, Artist, Item, Playlist, Track, clock};
use crate::tui::keymap::Layer;
use crate::tui::layout::Frame;
use crate::tui::state::{App, Hit, Section};
use crate::tui::text;

/// What is offered below the rows.
pub(super) const HINTS: Hints =
    &[("play", "play"), ("enqueue", "queue"), ("open", "open"), ("filter", "type")];
/// What is offered below the line.
pub(super) const TYPING_HINTS: Hints =
    &[("down", "down"), ("play", "play"), ("next-group", "next group"), ("cancel", "to the list")];

/// Cells of the column that names the groups.
const GROUP: u16 = 10;

/// Draws the page; gives the caret's place while words are typed.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) -> Option<(u16, u16)> {
    let theme = &app.theme;
    let page = frame.page();
    let search = &app.search;
    let width = usize::from(page.width);
    let note = size_and_time(app);
    let end = paint.put_right(page.right(), page.y, width / 2, &note, theme.dim());
    paint.zone(Rect::new(page.x, page.y, page.width, 1), Zone::Command("go search".to_owned()));
    let glyph = if search.typing { theme.accent() } else { theme.dim() };
    let x = paint.put(page.x, page.y, 1, theme.glyphs.search, glyph) + 1;
    let room = usize::from(end.saturating_sub(x + 2));
    let words = text::clean(&search.input.text);
    let caret = if words.is_empty() {
        paint.put(x, page.y, room, "Artists, albums, tracks, playlists", theme.faint());
        x
    } else {
        paint.put(x, page.y, room, text::tail(&words, room), theme.strong())
    };
    body(app, paint, frame);
    if frame.search_note() > 0 {
        note_line(app, paint, page.bottom().saturating_sub(1), page);
    }
    search.typing.then_some((caret, page.y))
}

/// How many tracks there are, and how long it took to look through them.
fn size_and_time(app: &App) -> String {
    let tracks = app.home.data.as_ref().map(|data| text::count(data.tracks, "track")).unwrap_or_default();
    match &app.search.found {
        Some(found) => {
            let time = format!("{:.1} ms", found.took_us as f64 / 1000.0);
            if tracks.is_empty() { time } else { format!("{tracks}   {time}") }
        }
        None => tracks,
    }
}

/// How typing errors were read, and what else can be typed.
fn note_line(app: &App, paint: &mut Paint, y: u16, page: Rect) {
    let theme = &app.theme;
    let key =
        if app.search.typing { Some("?".to_owned()) } else { app.keymap.keys_for(Layer::Search, "help") };
    let syntax = key.map(|key| format!("{key} syntax")).unwrap_or_default();
    let mut right = page.right();
    if !syntax.is_empty() {
        let x = paint.put_right(right, y, 20, &syntax, theme.dim());
        paint.zone(Rect::new(x, y, right - x, 1), Zone::Command("help".to_owned()));
        right = x.saturating_sub(3);
    }
    let read = app.search.found.as_ref().map(|found| found.read.as_slice()).unwrap_or_default();
    let read: Vec<String> = read
        .iter()
        .map(|(typed, word)| format!("{typed} {} {}", theme.glyphs.becomes, text::clean(word)))
        .collect();
    let x = paint.put(page.x, y, usize::from(right.saturating_sub(page.x)), &read.join("   "), theme.text());
    let operators = "artist:  year:1990..1999  rating:>3  -live";
    if usize::from(right.saturating_sub(x)) >= operators.len() + 3 {
        paint.put_right(right, y, operators.len(), operators, theme.faint());
    }
}

fn body(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let search = &app.search;
    let first = page.y + 2;
    let width = usize::from(page.width);
    if let Some(error) = &search.error {
        rows::trouble(app, paint, page.x, first, width, error);
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
    let query = Query::parse(&search.answered, 0);
    let mut row_at = 0;
    let shown = search.scroll.top..search.scroll.top + frame.search_rows();
    for section in search.sections() {
        for i in 0..section.len {
            let at = row_at + i;
            if !shown.contains(&at) {
                continue;
            }
            let y = first + (at - shown.start) as u16;
            if i == 0 || at == shown.start {
                paint.put(page.x, y, usize::from(GROUP), heading(section), theme.dim());
            }
            let Some(hit) = search.get(at) else { continue };
            paint.zone(Rect::new(page.x, y, page.width, 1), Zone::Row(at));
            let x = page.x + GROUP + 2;
            let selected = rows::edge(app, paint, x, y, at, search.scroll.cursor, true);
            row(app, paint, (x, y, usize::from(page.right().saturating_sub(x))), hit, selected, &query);
        }
        row_at += section.len;
    }
}

fn heading(section: Section) -> &'static str {
    match section.kind {
        HitKind::Artist => "Artists",
        HitKind::Album => "Albums",
        HitKind::Track if section.from > 0 => "More",
        HitKind::Track => "Tracks",
        HitKind::Playlist => "Playlists",
    }
}

/// Name, who, what else, mark and time: the same columns for all kinds, with the letters that were typed standing out.
fn row(
    app: &App,
    paint: &mut Paint,
    (x, y, width): (u16, u16, usize),
    hit: Hit,
    selected: bool,
    query: &Query,
) {
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
        Hit::Artist(artist) => Some(Item::Artist(artist.id.clone())),
        Hit::Album(album) => Some(Item::Album(album.id.clone())),
        Hit::Track(track) => Some(Item::Track(track.id.clone())),
        Hit::Playlist(_) => None,
    };
    let (sign, sign_style) = item.map_or((String::new(), theme.dim()), |item| rows::sign(app, &item, marks));
    // What only counts something is not what was looked for.
    let counts = matches!(hit, Hit::Artist(_) | Hit::Playlist(_));
    let marked = |text: &str, counts: bool| if counts { Vec::new() } else { matched(query, text) };
    let (of_name, of_who) = (marked(&name, false), marked(&who, counts));
    let of_what = marked(&what, !matches!(hit, Hit::Track(_)));
    let cells = [
        Cell::left(name, style, first).marking(of_name),
        Cell::left(who, theme.text(), second).marking(of_who),
        Cell::left(what, theme.dim(), third).marking(of_what),
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
        Hit::Playlist(Playlist { name, track_count, duration_ms, .. }) => {
            let tracks = text::count(u64::from(*track_count), "track");
            (text::clean(name), String::new(), tracks, crate::music::Marks::default(), clock(*duration_ms))
        }
    }
}
