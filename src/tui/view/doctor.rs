//! What works on this machine, and what to do about what does not.

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use super::rows;
use crate::tui::effects::Health;
use crate::tui::layout::Frame;
use crate::tui::state::{App, DoctorPage};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints =
    &[("play", "look again"), ("go settings", "settings"), ("go log", "log"), ("back", "back")];

/// Draws the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    let doctor = &app.doctor;
    if let Some(error) = &doctor.error {
        rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    let looking = doctor.awaiting.is_some();
    let end = match (&doctor.findings, doctor.count(Health::Wrong), doctor.count(Health::Note)) {
        (None, ..) => {
            let words = if looking { "Looking at everything; this takes a few seconds" } else { "" };
            paint.put(page.x, page.y, width, words, theme.dim());
            return;
        }
        (Some(findings), ..) if findings.is_empty() => {
            paint.put(page.x, page.y, width, "Nothing can be looked at from here", theme.dim());
            return;
        }
        (_, 0, 0) => paint.put(page.x, page.y, width, "All is well", theme.strong()),
        (_, 0, notes) => {
            let words = format!("It works; {} could be better", text::count(notes as u64, "thing"));
            paint.put(page.x, page.y, width, &words, theme.strong())
        }
        (_, wrong, _) => {
            let words = if wrong == 1 {
                "One thing will not work".to_owned()
            } else {
                format!("{} will not work", text::count(wrong as u64, "thing"))
            };
            paint.put(page.x, page.y, width, &words, theme.strong())
        }
    };
    let note =
        if looking { "looking again".to_owned() } else { format!("{} looks again", rows::key(app, "play")) };
    let x = end + 3;
    paint.put(x, page.y, usize::from(page.right().saturating_sub(x)), &note, theme.dim());
    for i in 0..frame.playlist_rows() {
        let at = doctor.scroll.top + i;
        let Some(row) = doctor.rows.get(at) else { break };
        let y = page.y + 2 + i as u16;
        paint.zone(Rect::new(page.x, y, page.width, 1), Zone::Row(at));
        if at == doctor.scroll.cursor {
            paint.edge(page.x, y, 1, true);
        }
        let (sign, style) = match row.health {
            Some(Health::Good) => (theme.glyphs.cached, theme.good()),
            Some(Health::Note) => (theme.glyphs.streaming, theme.busy()),
            Some(Health::Wrong) => (theme.glyphs.trouble, theme.trouble()),
            None => ("", theme.dim()),
        };
        let words = if row.advice { theme.dim() } else { theme.text() };
        let cells = [
            Cell::left(sign, style, 1),
            Cell::left(row.area.as_str(), theme.dim(), DoctorPage::AREA - 1 - 2 * rows::GAP),
            Cell::left(row.words.as_str(), words, width.saturating_sub(DoctorPage::AREA)),
        ];
        paint.row(page.x, y, rows::GAP, &cells);
    }
}
