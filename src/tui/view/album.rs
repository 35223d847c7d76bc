//! An album's page: the cover and what it is on one side, its tracks on the other.

use ratatui::layout::Rect;

use super::paint::{Hints, Paint, Zone};
use super::rows::{self, Columns, Look, Want};
use crate::music::{Album, Item};
use crate::tui::layout::{AlbumLayout, Frame};
use crate::tui::state::App;
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints = &[("play", "play"), ("enqueue", "queue"), ("love", "love"), ("back", "back")];

/// Draws the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let layout = frame.album();
    let page = frame.page();
    let width = usize::from(page.width);
    if let Some(error) = &app.album.error {
        rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    let Some(album) = &app.album.album else {
        let words = if app.album.awaiting.is_some() { "" } else { "No album is open" };
        paint.put(page.x, page.y, width, words, theme.dim());
        return;
    };
    if let Some(area) = layout.cover {
        paint.cover(app, area, album.cover.as_ref(), &album.title, &album.artist);
    }
    words(app, paint, &layout, album);
    tracks(app, paint, &layout, album);
}

fn words(app: &App, paint: &mut Paint, layout: &AlbumLayout, album: &Album) {
    let theme = &app.theme;
    let area = layout.words;
    let width = usize::from(area.width);
    let genres = album.genres.iter().take(2).map(|genre| text::clean(genre)).collect::<Vec<_>>().join(", ");
    let marks = app.marks_of(&Item::Album(album.id.clone()), album.marks);
    let mut lines = vec![
        (text::clean(&album.title), theme.strong()),
        (text::clean(&album.artist), theme.text()),
        (rows::album_facts(app, album), theme.dim()),
    ];
    if !genres.is_empty() {
        lines.push((genres, theme.dim()));
    }
    if marks.starred_at.is_some() {
        lines.push((format!("{} loved", theme.glyphs.love), theme.love()));
    } else if marks.rating > 0 {
        lines.push((theme.glyphs.star.repeat(usize::from(marks.rating.min(5))), theme.dim()));
    }
    let mut y = area.y;
    for (i, (line, style)) in lines.into_iter().enumerate() {
        // A long title may take a second line where there is one.
        let (first, second) =
            if i == 0 && area.height >= 6 { wrap(&line, width) } else { (line, String::new()) };
        for line in [first, second] {
            if !line.is_empty() && y < area.bottom() {
                paint.put(area.x, y, width, &line, style);
                y += 1;
            }
        }
    }
}

/// Breaks after the last word that fits.
fn wrap(line: &str, width: usize) -> (String, String) {
    if text::width(line) <= width {
        return (line.to_owned(), String::new());
    }
    let fits =
        line.match_indices(' ').map(|(at, _)| at).take_while(|at| text::width(&line[..*at]) <= width).last();
    match fits {
        Some(at) => (line[..at].to_owned(), line[at + 1..].to_owned()),
        None => (line.to_owned(), String::new()),
    }
}

fn tracks(app: &App, paint: &mut Paint, layout: &AlbumLayout, album: &Album) {
    let theme = &app.theme;
    let list = &app.album.tracks;
    let area = layout.rows;
    let various = list.rows().any(|track| track.artist != album.artist);
    let want =
        Want { number: true, artist: various, pins: app.downloads.mark_cells() > 1, ..Want::default() };
    let width = usize::from(area.width).min(110);
    let columns = Columns::of(list.rows(), want, width);
    if list.len() == 0 && list.known() {
        let words = if list.filter().is_some() { "Nothing matches" } else { "This album has no tracks" };
        paint.put(area.x, area.y, width, words, theme.dim());
    }
    let shown = usize::from(area.height).min(list.len().saturating_sub(list.scroll.top));
    for i in 0..shown {
        let at = list.scroll.top + i;
        let Some(track) = list.get(at) else { continue };
        let y = area.y + i as u16;
        paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Row(at));
        let selected = rows::edge(app, paint, area.x, y, at, list.scroll.cursor, true);
        let look = Look { selected, live: true, ..Look::default() };
        rows::track(app, paint, area.x, y, &columns, track, look);
    }
}
