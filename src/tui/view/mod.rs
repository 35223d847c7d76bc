//! The state as a picture. Reads only; what it draws depends on nothing but `App`.

mod album;
mod bar;
mod chrome;
mod downloads;
mod help;
mod home;
mod library;
mod paint;
mod queue;
mod rows;
mod search;

use ratatui::Frame;
use ratatui::layout::Position;

use super::layout::SMALLEST;
use super::state::{App, Screen};
use paint::Paint;

pub(crate) use help::help_size;

/// Draws one frame.
pub fn view(app: &App, frame: &mut Frame) {
    let area = frame.area();
    let mut paint = Paint { buf: frame.buffer_mut(), theme: &app.theme };
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = "Segue needs a larger window";
        paint.put(0, 0, usize::from(area.width), text, app.theme.text());
        return;
    }
    let parts = super::layout::Frame::new(area.width, area.height);
    chrome::header(app, &mut paint, &parts);
    let mut caret = None;
    if app.help.is_some() {
        help::draw(app, &mut paint, &parts);
    } else {
        match app.screen {
            Screen::Home => home::draw(app, &mut paint, &parts),
            Screen::Library => library::draw(app, &mut paint, &parts),
            Screen::Search => caret = search::draw(app, &mut paint, &parts),
            Screen::Queue => queue::draw(app, &mut paint, &parts),
            Screen::Album => album::draw(app, &mut paint, &parts),
            Screen::Downloads => downloads::draw(app, &mut paint, &parts),
        }
    }
    let prompt_caret = chrome::footer(app, &mut paint, &parts);
    bar::draw(app, &mut paint, &parts);
    if let Some((x, y)) = prompt_caret.or(caret) {
        frame.set_cursor_position(Position::new(x, y));
    }
}
