//! The pop-up that says why a track is where it is.

use ratatui::layout::Rect;

use super::paint::{Paint, Zone};
use crate::tui::layout::Frame;
use crate::tui::state::App;
use crate::tui::text;

/// Draws it over the page, where it is open.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let Some(why) = &app.why else { return };
    let theme = &app.theme;
    let outer = frame.body.width.saturating_sub(4).min(76);
    let width = usize::from(outer.saturating_sub(6));
    let mut lines = Vec::new();
    for line in why.lines.as_deref().unwrap_or_default() {
        lines.extend(text::lines(&text::clean(line), width));
    }
    let key = |command| app.keymap.keys_for(app.screen.layer(), command).unwrap_or_default();
    let hint = format!("{} less of this   Esc close", key("less"));
    let hint = if theme.ascii { text::ascii_keys(&hint) } else { hint };
    let height = (lines.len() as u16 + 6).min(frame.body.height);
    let area = Rect::new((frame.body.width - outer) / 2, frame.body.y, outer, height);
    paint.panel(area);
    paint.zone(area, Zone::Command("cancel".to_owned()));
    let (x, y) = (area.x + 3, area.y + 1);
    paint.put(x, y, width, &format!("Why “{}”", text::clean(&why.title)), theme.strong());
    let last = area.bottom().saturating_sub(2);
    for (line, y) in lines.iter().zip(y + 2..last.saturating_sub(1)) {
        paint.put(x, y, width, line, theme.text());
    }
    paint.put(x, last, width, &hint, theme.dim());
}
