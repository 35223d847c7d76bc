//! The mouse: what it points at is asked of the picture itself (`view::zone_at`), so both always agree.
//!
//! A click selects, a click on what is selected already does what Enter does, a right click opens the menu of the
//! row, the wheel moves the cursor.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::{act, picker};
use crate::tui::action::{self, Action};
use crate::tui::effects::Effect;
use crate::tui::state::{App, Column, Screen};
use crate::tui::view::{Zone, zone_at};

/// Rows that a notch of the wheel moves.
const NOTCH: usize = 3;

/// Takes what the mouse did.
pub(super) fn mouse(app: &mut App, event: MouseEvent, effects: &mut Vec<Effect>) {
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => click(app, event.column, event.row, effects),
        MouseEventKind::Down(MouseButton::Right) => {
            if app.picker.is_some() {
                act::act(app, &Action::Cancel, None, effects);
            } else if select(app, event.column, event.row) {
                act::act(app, &Action::RowMenu, None, effects);
            }
        }
        MouseEventKind::Drag(MouseButton::Left) => {
            // Only what slides follows the button.
            if let Some((area, zone @ (Zone::Seek | Zone::Volume))) = zone_at(app, event.column, event.row) {
                slide(app, &zone, event.column - area.x, area.width, effects);
            }
        }
        MouseEventKind::ScrollDown => act::act(app, &Action::Down, Some(NOTCH), effects),
        MouseEventKind::ScrollUp => act::act(app, &Action::Up, Some(NOTCH), effects),
        _ => {}
    }
}

fn click(app: &mut App, x: u16, y: u16, effects: &mut Vec<Effect>) {
    let found = zone_at(app, x, y);
    if app.picker.is_some() {
        match found {
            Some((_, Zone::Offer(at))) => picker::click(app, at, effects),
            Some((_, Zone::Nothing)) => {}
            // Beside the list: away with it.
            _ => act::act(app, &Action::Cancel, None, effects),
        }
        return;
    }
    match found {
        Some((_, Zone::Command(command))) => {
            app.keys.clear();
            if let Ok((_, action)) = action::parse(&command) {
                act::act(app, &action, None, effects);
            }
        }
        Some((area, zone @ (Zone::Seek | Zone::Volume))) => {
            slide(app, &zone, x - area.x, area.width, effects);
        }
        Some(_) => {
            let before = here(app);
            if select(app, x, y) && before == here(app) {
                act::act(app, &Action::Play, None, effects);
            }
        }
        None => {}
    }
}

fn slide(app: &mut App, zone: &Zone, at: u16, width: u16, effects: &mut Vec<Effect>) {
    let width = u64::from(width.max(1));
    let action = match zone {
        Zone::Seek => Action::SeekTo(app.player.duration_ms * u64::from(at) / width),
        _ => Action::Volume(u8::try_from((u64::from(at) + 1) * 100 / width).unwrap_or(100).min(100)),
    };
    act::act(app, &action, None, effects);
}

/// Where the cursor is, to know whether a click moved it.
fn here(app: &App) -> (Screen, usize, usize) {
    let library = &app.library;
    let spot = app.home_plan().spots().position(|(spot, _)| spot == app.home.spot).unwrap_or(0);
    match app.screen {
        Screen::Home => (app.screen, spot, 0),
        Screen::Library => {
            let scroll = match library.column {
                Column::Artists => &library.artists.scroll,
                Column::Genres => &library.genres.scroll,
                Column::Years => &library.years.scroll,
                Column::Albums => &library.albums.scroll,
                Column::Tracks => &library.tracks.scroll,
            };
            (app.screen, library.column as usize, scroll.cursor)
        }
        _ => (app.screen, list_cursor(app), 0),
    }
}

fn list_cursor(app: &App) -> usize {
    match app.screen {
        Screen::Album => app.album.tracks.scroll.cursor,
        Screen::Artist => app.artist.scroll.cursor,
        Screen::Details => app.details.scroll.cursor,
        Screen::Mix => app.mix.tracks.scroll.cursor,
        Screen::Search => app.search.scroll.cursor,
        Screen::Queue => app.queue.scroll.cursor,
        Screen::Downloads => app.downloads.scroll.cursor,
        Screen::Player => app.full.by_hand.map_or(0, |line| line + 1),
        Screen::Playlists => app.playlists.list.scroll.cursor,
        Screen::Playlist => app.playlist.tracks.scroll.cursor,
        Screen::Settings => app.settings.scroll.cursor,
        Screen::Log => app.log.scroll.cursor,
        Screen::Doctor => app.doctor.scroll.cursor,
        Screen::Insights => app.operators.scroll.cursor,
        Screen::Year => app.year.chapter + 1,
        Screen::Privacy => app.privacy.scroll.cursor,
        Screen::Home | Screen::Library | Screen::Statistics => 0,
    }
}

/// Puts the cursor on what is there; `false` when it is nothing that can be selected.
fn select(app: &mut App, x: u16, y: u16) -> bool {
    let Some((_, zone)) = zone_at(app, x, y) else { return false };
    match zone {
        Zone::Spot(spot) => {
            app.home.spot = spot;
            app.home.moved = true;
        }
        Zone::Column(column, row) => {
            app.library.column = column;
            act::act(app, &Action::Top, Some(row + 1), &mut Vec::new());
        }
        Zone::Row(row) if app.screen == Screen::Player => app.full.by_hand = Some(row),
        Zone::Row(row) => {
            app.search.typing = false;
            act::act(app, &Action::Top, Some(row + 1), &mut Vec::new());
        }
        _ => return false,
    }
    true
}
