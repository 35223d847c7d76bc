//! The state as a picture. Reads only; what it draws depends on nothing but `App`.

mod about;
mod album;
mod aloud;
mod artist;
mod bar;
mod charts;
mod chrome;
mod details;
mod doctor;
mod downloads;
mod full;
mod help;
mod home;
mod library;
mod mix;
mod operators;
mod paint;
mod picker;
mod playlists;
mod privacy;
mod queue;
mod rows;
mod search;
mod statistics;
mod why;
mod year;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::layout::SMALLEST;
use super::state::{App, Screen};
use paint::Paint;

pub(crate) use aloud::{rows, words};
pub(crate) use help::help_size;
pub(crate) use paint::Zone;
pub(crate) use statistics::below as statistics_below;
pub(crate) use year::CHAPTERS;

/// Draws one frame.
pub fn view(app: &App, frame: &mut Frame) {
    let mut paint = Paint::new(frame.buffer_mut(), &app.theme);
    paint.pictures = app.pictures();
    paint.slide = app.slide.offset;
    if let Some((x, y)) = draw(app, &mut paint) {
        frame.set_cursor_position(Position::new(x, y));
    }
}

/// Whether a title of the selected row is cut, so that it has to go by to be read.
pub(crate) fn slides(app: &App) -> bool {
    let mut aside = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    let mut paint = Paint::new(&mut aside, &app.theme);
    draw(app, &mut paint);
    paint.slides
}

/// What a click on this cell means. Draws the screen aside, so that what is clicked is what is seen.
pub(crate) fn zone_at(app: &App, x: u16, y: u16) -> Option<(Rect, Zone)> {
    let mut aside = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    let mut paint = Paint::new(&mut aside, &app.theme);
    draw(app, &mut paint);
    paint.zones.into_iter().rev().find(|(area, _)| area.contains(Position::new(x, y)))
}

/// Draws everything; gives the caret's place.
fn draw(app: &App, paint: &mut Paint) -> Option<(u16, u16)> {
    let area = *paint.buf.area();
    if let Some(ground) = app.theme.ground() {
        paint.buf.set_style(area, ground);
    }
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = "Segue needs a larger window";
        paint.put(0, 0, usize::from(area.width), text, app.theme.text());
        return None;
    }
    let parts = super::layout::Frame::new(area.width, area.height);
    chrome::header(app, paint, &parts);
    let mut caret = None;
    if app.help.is_some() {
        help::draw(app, paint, &parts);
    } else {
        match app.screen {
            Screen::Home => home::draw(app, paint, &parts),
            Screen::Library => library::draw(app, paint, &parts),
            Screen::Search => caret = search::draw(app, paint, &parts),
            Screen::Queue => queue::draw(app, paint, &parts),
            Screen::Album => album::draw(app, paint, &parts),
            Screen::Downloads => downloads::draw(app, paint, &parts),
            Screen::Player => full::draw(app, paint, &parts),
            Screen::Mix => mix::draw(app, paint, &parts),
            Screen::Playlists => playlists::draw_all(app, paint, &parts),
            Screen::Playlist => playlists::draw_one(app, paint, &parts),
            Screen::Statistics => statistics::draw(app, paint, &parts),
            Screen::Settings => about::settings(app, paint, &parts),
            Screen::Log => about::log(app, paint, &parts),
            Screen::Doctor => doctor::draw(app, paint, &parts),
            Screen::Year => year::draw(app, paint, &parts),
            Screen::Insights => operators::draw(app, paint, &parts),
            Screen::Privacy => privacy::draw(app, paint, &parts),
            Screen::Artist => artist::draw(app, paint, &parts),
            Screen::Details => details::draw(app, paint, &parts),
        }
    }
    bar::draw(app, paint, &parts);
    let prompt_caret = chrome::footer(app, paint, &parts);
    why::draw(app, paint, &parts);
    picker::which_key(app, paint, &parts);
    picker::draw(app, paint, &parts).or(prompt_caret).or(caret)
}
