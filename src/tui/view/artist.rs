//! An artist's page: picture, name and counts over what is heard most and the records, by kind.

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use super::rows::{self, Columns, Look, Want};
use crate::music::{Album, Artist, Item, clock, long_duration};
use crate::tui::layout::Frame;
use crate::tui::state::{App, ArtistLine, ArtistPart, ArtistRow};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints =
    &[("play", "play"), ("open", "open"), ("enqueue", "queue"), ("love", "love"), ("back", "back")];

/// Widest list: beyond it, eyes lose the row.
const WIDEST: usize = 120;

/// Draws the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let page = frame.page();
    let width = usize::from(page.width);
    let layout = frame.artist();
    if let Some(error) = &app.artist.error {
        rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    let name = app.artist.artist.as_ref().map_or(&app.artist.name, |artist| &artist.name);
    if app.artist.id.is_none() {
        paint.put(page.x, page.y, width, "No artist is open", app.theme.dim());
        return;
    }
    if let Some(area) = layout.cover {
        let cover = app.artist.artist.as_ref().and_then(|artist| artist.cover.as_ref());
        paint.cover(app, area, cover, name, name);
    }
    words(app, paint, layout.words, name);
    list(app, paint, layout.rows);
}

/// Name, counts, what the listener did to the artist, other parts that they have in the library.
fn words(app: &App, paint: &mut Paint, area: Rect, name: &str) {
    let theme = &app.theme;
    let width = usize::from(area.width);
    let mut lines = vec![(text::clean(name), theme.strong())];
    if let Some(artist) = &app.artist.artist {
        lines.push((counts(app), theme.dim()));
        let marks = app.marks_of(&Item::Artist(artist.id.clone()), artist.marks);
        let mut done = Vec::new();
        if marks.starred_at.is_some() {
            done.push(format!("{} loved", theme.glyphs.love));
        }
        if marks.rating > 0 {
            done.push(theme.glyphs.star.repeat(usize::from(marks.rating.min(5))));
        }
        if app.downloads.keeps(&Item::Artist(artist.id.clone())) {
            done.push(format!("{} kept here", theme.glyphs.pin));
        }
        let style = if marks.starred_at.is_some() { theme.love() } else { theme.dim() };
        if !done.is_empty() {
            lines.push((done.join("   "), style));
        }
        if let Some(roles) = roles(artist) {
            lines.push((roles, theme.dim()));
        }
    }
    for ((line, style), y) in lines.into_iter().zip(area.y..area.bottom()) {
        paint.put(area.x, y, width, &line, style);
    }
}

/// `3 albums · 2 singles and EPs · 41 tracks · 2 h 10 min · 31 plays`.
fn counts(app: &App) -> String {
    let page = &app.artist;
    let own = page.albums.iter().chain(&page.short);
    let (tracks, ms) = own
        .fold((0, 0), |(tracks, ms), album| (tracks + u64::from(album.track_count), ms + album.duration_ms));
    let plays = page.artist.as_ref().map_or(0, |artist| artist.marks.play_count);
    let mut facts = Vec::new();
    let mut fact = |n: u64, words: String| {
        if n > 0 {
            facts.push(words);
        }
    };
    let albums = page.albums.len() as u64;
    fact(albums, text::count(albums, "album"));
    let short = page.short.len() as u64;
    let one = if short == 1 { "single or EP" } else { "singles and EPs" };
    fact(short, format!("{} {one}", text::number(short)));
    let guest = page.guest.len() as u64;
    fact(guest, format!("on {} of others", text::number(guest)));
    fact(tracks, text::count(tracks, "track"));
    fact(ms, long_duration(ms));
    fact(u64::from(plays), text::count(u64::from(plays), "play"));
    facts.join(&format!(" {} ", app.theme.glyphs.dot))
}

/// What else the artist is in the library.
fn roles(artist: &Artist) -> Option<String> {
    let others = artist.roles.iter().filter(|role| !matches!(role.as_str(), "artist" | "albumartist"));
    let others: Vec<String> = others.map(|role| text::clean(role)).collect();
    (!others.is_empty()).then(|| format!("Also {}", others.join(", ")))
}

fn list(app: &App, paint: &mut Paint, area: Rect) {
    let theme = &app.theme;
    let page = &app.artist;
    let width = usize::from(area.width).min(WIDEST);
    if page.len() == 0 {
        if page.artist.is_some() {
            let words =
                if page.filter.is_some() { "Nothing matches" } else { "There is no music here any more" };
            paint.put(area.x, area.y, width, words, theme.dim());
        }
        return;
    }
    let want = Want { album: true, pins: app.downloads.mark_cells() > 1, ..Want::default() };
    let columns = Columns::of(page.top.iter(), want, width);
    for i in 0..area.height {
        let y = area.y + i;
        match page.line(page.scroll.top + usize::from(i)) {
            None => break,
            Some(ArtistLine::Blank) => {}
            Some(ArtistLine::Heading(part)) => heading(app, paint, area.x, y, width, part),
            Some(ArtistLine::Row(at)) => {
                paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Row(at));
                let selected = rows::edge(app, paint, area.x, y, at, page.scroll.cursor, true);
                match page.get(at) {
                    Some(ArtistRow::Track(track)) => {
                        let look = Look { selected, live: true, ..Look::default() };
                        rows::track(app, paint, area.x, y, &columns, track, look);
                    }
                    Some(ArtistRow::Album(album)) => {
                        album_row(app, paint, (area.x, y), width, album, selected);
                    }
                    None => {}
                }
            }
        }
    }
}

fn heading(app: &App, paint: &mut Paint, x: u16, y: u16, width: usize, part: ArtistPart) {
    let title = match part {
        ArtistPart::Top => "Heard most",
        ArtistPart::Albums => "Albums",
        ArtistPart::Short => "Singles and EPs",
        ArtistPart::Guest => "Appears on",
    };
    let end = paint.put(x, y, width, title, app.theme.dim()) + 2;
    let note = match &app.artist.filter {
        Some(words) => format!("/{}", text::clean(words)),
        None if part == ArtistPart::Top => String::new(),
        None => text::number(app.artist.whole(part) as u64),
    };
    paint.put(end, y, (usize::from(x) + width).saturating_sub(usize::from(end)), &note, app.theme.faint());
}

/// Year, title, whose it is where it is not the artist's own, what it is, how many tracks, how long.
fn album_row(app: &App, paint: &mut Paint, at: (u16, u16), width: usize, album: &Album, selected: bool) {
    let theme = &app.theme;
    let own = app.artist.id.as_ref().is_some_and(|id| album.artists.iter().any(|artist| artist.id == *id));
    let item = Item::Album(album.id.clone());
    let (sign, sign_style) = rows::sign(app, &item, app.marks_of(&item, album.marks));
    let marks = app.downloads.mark_cells();
    let (year, time) = (4, 8);
    let tracks = if width >= 54 { 10 } else { 0 };
    let kind = if width >= 90 { 14 } else { 0 };
    let columns = 4 + usize::from(tracks > 0) + usize::from(kind > 0);
    let room = width.saturating_sub(year + time + tracks + kind + marks + rows::GAP * (columns - 1));
    let artist = if !own && room >= 30 { room * 2 / 5 } else { 0 };
    let title = room - artist - if artist > 0 { rows::GAP } else { 0 };
    // That it is an album goes without saying.
    let kinds = album.details.release_types.iter().filter(|kind| !kind.eq_ignore_ascii_case("album"));
    let kinds: Vec<String> = kinds.map(|kind| text::clean(kind)).collect();
    let cells = [
        Cell::right(album.year.map(|year| year.to_string()).unwrap_or_default(), theme.dim(), year),
        Cell::left(text::clean(&album.title), if selected { theme.strong() } else { theme.text() }, title)
            .sliding(selected),
        Cell::left(text::clean(&album.artist), theme.text(), artist),
        Cell::left(kinds.join(", "), theme.dim(), kind),
        Cell::right(text::count(u64::from(album.track_count), "track"), theme.dim(), tracks),
        Cell::left(sign, sign_style, marks),
        Cell::right(clock(album.duration_ms), theme.dim(), time),
    ];
    paint.row(at.0, at.1, rows::GAP, &cells);
}
