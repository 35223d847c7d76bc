//! The opening screen, as planned by `home_plan`.

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use super::rows::{self, Columns, Look, Want};
use crate::catalog::{KeptMix, Pin};
use crate::client::SyncState;
use crate::music::{Album, Track, clock, long_duration};
use crate::player::Transport;
use crate::tui::home_plan::{List, TILE_WORDS, What};
use crate::tui::layout::Frame;
use crate::tui::state::{App, Door, Spot};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints =
    &[("play", "play"), ("enqueue", "queue"), ("go search", "search"), ("go library", "library")];

/// Draws what of the plan is in sight.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let page = frame.page();
    let top = app.home.top;
    for (what, place) in app.home_plan().parts {
        let y = usize::from(place.y);
        // A part that is cut is left out: half a cover says nothing.
        if y < top || y + usize::from(place.height) > top + usize::from(page.height) {
            continue;
        }
        let area = Rect::new(page.x + place.x, page.y + (y - top) as u16, place.width, place.height);
        match what {
            What::Row(spot) => paint.zone(area, Zone::Spot(spot)),
            What::Tile(i) => paint.zone(area, Zone::Spot(Spot::Added(i))),
            What::MixTile(i) => paint.zone(area, Zone::Spot(Spot::Mix(i))),
            _ => {}
        }
        part(app, paint, what, area);
    }
}

fn part(app: &App, paint: &mut Paint, what: What, area: Rect) {
    let theme = &app.theme;
    let width = usize::from(area.width);
    let (x, y) = (area.x, area.y);
    match what {
        What::Greeting => {
            paint.put(x, y, width, greeting(app.clock.hour), theme.strong());
        }
        What::Welcome => {
            let words = match app.session.sync {
                _ if !app.home.added().is_empty() => "Welcome to Segue. Music is one key away.".to_owned(),
                SyncState::Running { done, total } if total > done => {
                    format!(
                        "Your music is on its way: {} of {}",
                        text::number(done),
                        text::count(total, "track")
                    )
                }
                _ if app.home.waiting => "Your music is on its way".to_owned(),
                _ => "There is no music here yet. Two ways to it:".to_owned(),
            };
            paint.put(x, y, width, &words, theme.text());
        }
        What::NewAlbums | What::Title(List::Added) => heading(paint, area, "Recently added"),
        What::Mixes => heading(paint, area, "Made for you"),
        What::MixTile(i) => mix_tile(app, paint, area, i),
        What::MixWhy => mix_why(app, paint, area),
        What::MixHint => {
            let words = if app.home.data.as_ref().is_some_and(|data| data.unprofiled) {
                "Nothing is made of what you hear; :profiling on changes that"
            } else {
                "Mixes are being made of your library; they will follow what you play"
            };
            paint.put(x, y, width, words, theme.dim());
        }
        What::Title(List::Played) => heading(paint, area, "Recently played"),
        What::Title(List::Most) => heading(paint, area, "Most played"),
        What::Title(List::Loved) => heading(paint, area, "Loved"),
        What::Hint(list) => {
            let words = match list {
                _ if app.home.data.is_none() => String::new(),
                List::Loved => {
                    let key = app.keymap.keys_for(app.screen.layer(), "love").unwrap_or_default();
                    format!("{key} on what you love keeps it here")
                }
                _ => "What you hear comes back here".to_owned(),
            };
            paint.put(x, y, width, &words, theme.dim());
        }
        What::Row(spot) => row(app, paint, spot, area),
        What::Tile(i) => {
            if let Some(album) = app.home.added().get(i) {
                tile(app, paint, area, album, app.home.spot == Spot::Added(i));
            }
        }
        What::Ghost => paint.ghost(Rect { height: area.height.saturating_sub(TILE_WORDS), ..area }),
        What::DoorCover => {
            if let Some(album) = app.home.added().first() {
                paint.cover(app, area, album.cover.as_ref(), &album.title, &album.artist);
            }
        }
        What::Device => device(app, paint, area),
        What::Error => {
            let words = app.home.error.clone().unwrap_or_default();
            let x = paint.put(x, y, 1, theme.glyphs.trouble, theme.trouble()) + 1;
            paint.put(x, y, width.saturating_sub(2), &text::clean(&words), theme.text());
        }
    }
}

fn greeting(hour: u8) -> &'static str {
    match hour {
        5..=11 => "Good morning",
        12..=17 => "Good afternoon",
        18..=22 => "Good evening",
        _ => "Good night",
    }
}

fn heading(paint: &mut Paint, area: Rect, words: &str) {
    paint.put(area.x, area.y, usize::from(area.width), words, paint.theme.dim());
}

fn row(app: &App, paint: &mut Paint, spot: Spot, area: Rect) {
    let selected = app.home.spot == spot;
    if selected {
        paint.edge(area.x, area.y, area.height, true);
    }
    match spot {
        Spot::Continue => going_on(app, paint, area, selected),
        Spot::Door(which) => door(app, paint, area, which, selected),
        Spot::Mix(i) => mix_row(app, paint, area, i, selected),
        Spot::Added(i) => {
            if let Some(album) = app.home.added().get(i) {
                album_row(app, paint, area, album, selected);
            }
        }
        Spot::Played(_) | Spot::Most(_) | Spot::Loved(_) => {
            if let Some(track) = app.home.track(spot) {
                let list = match spot {
                    Spot::Played(_) => app.home.played(),
                    Spot::Most(_) => app.home.most(),
                    _ => app.home.loved(),
                };
                let want = Want { artist: true, pins: app.downloads.mark_cells() > 1, ..Want::default() };
                let columns = Columns::of(list.iter(), want, usize::from(area.width));
                let look = Look { selected, live: true, ..Look::default() };
                rows::track(app, paint, area.x, area.y, &columns, track, look);
            }
        }
    }
}

/// What plays or would play, and how much of it is left.
fn going_on(app: &App, paint: &mut Paint, area: Rect, selected: bool) {
    let theme = &app.theme;
    let dot = theme.glyphs.dot;
    let queue = &app.player.queue;
    let (word, track, rest): (&str, &Track, String) = match (&queue.now, app.home.track(Spot::Continue)) {
        (Some(now), _) => {
            let playing = matches!(app.player.transport, Transport::Playing | Transport::Buffering);
            let left = clock(app.player.duration_ms.saturating_sub(app.player.position_ms));
            let more = queue.up_next.len() + queue.context.len();
            let rest = match more {
                0 => format!("{left} left"),
                n => format!("{left} left {dot} {} more", text::number(n as u64)),
            };
            let word = match (&app.player.ad, playing) {
                (Some(_), _) => "Next up",
                (None, true) => "Playing",
                (None, false) => "Continue",
            };
            (word, &now.track, rest)
        }
        (None, Some(track)) => ("Continue", track, text::clean(&track.album)),
        (None, None) => return,
    };
    let style = if selected { theme.strong() } else { theme.text() };
    let x = paint.put(area.x, area.y, 12, word, style).max(area.x + 12);
    let right = area.right();
    let hint = if area.width >= 74 { format!("{} {word}", theme.glyphs.enter) } else { String::new() };
    let hint =
        if matches!(word, "Playing" | "Next up") { String::new() } else { hint.replace("Continue", "play") };
    let end =
        if hint.is_empty() { right } else { paint.put_right(right, area.y, 12, &hint, theme.dim()) - 3 };
    let end = paint.put_right(end, area.y, usize::from(area.width) * 2 / 5, &rest, theme.dim());
    let room = usize::from(end.saturating_sub(x + 3));
    let (title, artist) = (text::clean(&track.title), text::clean(&track.artist));
    let widths = text::share(room.saturating_sub(3), &[text::width(&title), text::width(&artist)]);
    let at = |i: usize| widths.get(i).copied().unwrap_or(0);
    let x = paint.put(x, area.y, at(0), &title, style);
    if at(1) > 2 {
        let x = paint.put(x + 1, area.y, 1, dot, theme.dim()) + 1;
        paint.put(x, area.y, at(1), &artist, theme.text());
    }
}

fn door(app: &App, paint: &mut Paint, area: Rect, door: Door, selected: bool) {
    let theme = &app.theme;
    let dot = theme.glyphs.dot;
    let width = usize::from(area.width);
    let (title, words) = match door {
        Door::Demo => match app.home.added().first() {
            Some(album) => {
                let tracks = text::count(u64::from(album.track_count), "piece");
                let length = long_duration(album.duration_ms);
                (
                    text::clean(&album.title),
                    format!("{} {dot} {tracks} {dot} {length}", text::clean(&album.artist)),
                )
            }
            None => return,
        },
        Door::Folder => {
            let folder = app.options.music_folder.display().to_string();
            let words = if folder.is_empty() {
                "segue --music FOLDER".to_owned()
            } else {
                format!("segue --music FOLDER   or put it into {}", text::clean(&folder))
            };
            ("Your own music".to_owned(), words)
        }
        Door::Server => {
            ("A server".to_owned(), "segue --server URL   Navidrome, gonic, any Subsonic server".to_owned())
        }
    };
    let style = if selected { theme.strong() } else { theme.text() };
    let end = paint.put(area.x, area.y, width, &title, style);
    if door == Door::Demo && selected {
        let hint = format!("{} play", theme.glyphs.enter);
        paint.put(end + 3, area.y, usize::from(area.right().saturating_sub(end + 3)), &hint, theme.dim());
    }
    paint.put(area.x, area.y + 1, width, &words, theme.dim());
}

fn album_row(app: &App, paint: &mut Paint, area: Rect, album: &Album, selected: bool) {
    let theme = &app.theme;
    let room = usize::from(area.width).saturating_sub(4 + 2 * rows::GAP);
    let (title, artist) = (text::clean(&album.title), text::clean(&album.artist));
    // The same for all rows, so that artists stand under each other.
    let widest = |of: fn(&Album) -> &str| app.home.added().iter().map(|album| text::width(of(album))).max();
    let titles = widest(|album| &album.title).unwrap_or(0);
    let artists = widest(|album| &album.artist).unwrap_or(0);
    let widths = text::share(room, &[titles.max(room / 2), artists]);
    let at = |i: usize| widths.get(i).copied().unwrap_or(0);
    let style = if selected { theme.strong() } else { theme.text() };
    let year = album.year.map(|year| year.to_string()).unwrap_or_default();
    let cells = [
        Cell::left(title, style, at(0)),
        Cell::left(artist, theme.text(), room.saturating_sub(at(0))),
        Cell::right(year, theme.dim(), 4),
    ];
    paint.row(area.x, area.y, rows::GAP, &cells);
}

fn mix_tile(app: &App, paint: &mut Paint, area: Rect, i: usize) {
    let Some(kept) = app.home.mixes().get(i) else { return };
    let theme = &app.theme;
    let selected = app.home.spot == Spot::Mix(i);
    let picture = Rect { height: area.height.saturating_sub(TILE_WORDS), ..area };
    super::mix::tile(app, paint, picture, kept);
    if selected {
        paint.edge(area.x, area.y, area.height, true);
    }
    // The gap between tiles is wide enough for the end of a word.
    let width = usize::from(area.width) + 2;
    let style = if selected { theme.strong() } else { theme.text() };
    paint.put(area.x, picture.bottom(), width, &mix_name(app, kept), style);
    paint.put(area.x, picture.bottom() + 1, width, &text::clean(&kept.mix.about), theme.dim());
}

/// The name, with a sign where it is kept on this device.
fn mix_name(app: &App, kept: &KeptMix) -> String {
    let pinned = app.downloads.status.is_pinned(&Pin::Mix(kept.mix.id.clone()));
    let name = text::clean(&kept.mix.name);
    if pinned { format!("{} {name}", app.theme.glyphs.pin) } else { name }
}

/// Why the mix under the cursor is as it is, or else the first one.
fn mix_why(app: &App, paint: &mut Paint, area: Rect) {
    let at = if let Spot::Mix(i) = app.home.spot { i } else { app.home.first_mix };
    let Some(kept) = app.home.mixes().get(at) else { return };
    let words = format!("Why {}: {}.", kept.mix.name, kept.mix.why);
    paint.put(area.x, area.y, usize::from(area.width), &text::clean(&words), paint.theme.dim());
}

fn mix_row(app: &App, paint: &mut Paint, area: Rect, i: usize, selected: bool) {
    let Some(kept) = app.home.mixes().get(i) else { return };
    let theme = &app.theme;
    let room = usize::from(area.width).saturating_sub(4 + 2 * rows::GAP);
    let names = app.home.mixes().iter().map(|kept| text::width(&kept.mix.name)).max().unwrap_or(0) + 2;
    let style = if selected { theme.strong() } else { theme.text() };
    let cells = [
        Cell::left(mix_name(app, kept), style, names.min(room)),
        Cell::left(text::clean(&kept.mix.about), theme.dim(), room.saturating_sub(names)),
        Cell::right(kept.mix.picks.len().to_string(), theme.dim(), 4),
    ];
    paint.row(area.x, area.y, rows::GAP, &cells);
}

fn tile(app: &App, paint: &mut Paint, area: Rect, album: &Album, selected: bool) {
    let theme = &app.theme;
    let picture = Rect { height: area.height.saturating_sub(TILE_WORDS), ..area };
    paint.cover(app, picture, album.cover.as_ref(), &album.title, &album.artist);
    if selected {
        paint.edge(area.x, area.y, area.height, true);
    }
    let width = usize::from(area.width);
    let style = if selected { theme.strong() } else { theme.text() };
    paint.put(area.x, picture.bottom(), width, &text::clean(&album.title), style);
    paint.put(area.x, picture.bottom() + 1, width, &text::clean(&album.artist), theme.dim());
}

/// What plays without a server, and how large the library is.
fn device(app: &App, paint: &mut Paint, area: Rect) {
    let (theme, glyphs) = (&app.theme, app.theme.glyphs);
    let (Some(data), Some(device)) = (&app.home.data, app.home.device()) else { return };
    let dot = glyphs.dot;
    let y = area.y;
    let mut x = paint.put(area.x, y, 16, "On this device", theme.dim()) + 3;
    x = paint.put(x, y, 1, glyphs.cached, theme.good()) + 1;
    let here = text::count(device.tracks, "track");
    x = paint.put(x, y, 24, &here, theme.text()) + 2;
    let size = match device.limit {
        0 => text::bytes(device.bytes),
        limit => format!("{} of {}", text::bytes(device.bytes), text::bytes(limit)),
    };
    x = paint.put(x, y, usize::from(area.right().saturating_sub(x)), &size, theme.dim());
    let library = format!(
        "{} {dot} {} {dot} {} {dot} {}",
        text::count(data.artists, "artist"),
        text::count(data.albums, "album"),
        text::count(data.tracks, "track"),
        long_duration(data.duration_ms)
    );
    if usize::from(x) + 4 + text::width(&library) <= usize::from(area.right()) {
        paint.put_right(area.right(), y, 80, &library, theme.dim());
    }
}
