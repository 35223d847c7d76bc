//! The list to choose from, and the keys that may follow those already typed: both lie over the page.

use ratatui::layout::Rect;

use super::paint::{Cell, Paint, Zone};
use crate::tui::layout::Frame;
use crate::tui::state::App;
use crate::tui::text;

/// Draws the list; gives the caret's place.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) -> Option<(u16, u16)> {
    let picker = app.picker.as_ref()?;
    let theme = &app.theme;
    let area = frame.picker(picker.total());
    paint.panel(area);
    let (x, right) = (area.x + 3, area.right().saturating_sub(3));
    let width = usize::from(right.saturating_sub(x));
    let y = area.y + 1;
    let words = text::clean(&picker.input.text);
    let mark = paint.put(x, y, 2, theme.glyphs.search, theme.accent()) + 1;
    let note = text::number(picker.len() as u64);
    let end = paint.put_right(right, y, 8, &note, theme.dim());
    let room = usize::from(end.saturating_sub(mark + 2));
    let caret = if words.is_empty() {
        paint.put(mark, y, room, picker.choice.prompt(), theme.faint());
        mark
    } else {
        paint.put(mark, y, room, text::tail(&words, room), theme.strong())
    };
    let first = y + 2;
    if picker.len() == 0 {
        paint.put(x, first, width, "Nothing is called that", theme.dim());
    }
    let names = (0..picker.len()).filter_map(|at| picker.get(at)).map(|o| text::width(&o.name)).max();
    let keys = 11.min(width / 4);
    let name = names.unwrap_or(0).clamp(12, (width / 2).max(12));
    for i in 0..frame.picker_rows(picker.total()) {
        let at = picker.scroll.top + i;
        let Some(offer) = picker.get(at) else { break };
        let y = first + i as u16;
        let selected = at == picker.scroll.cursor;
        paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Offer(at));
        if selected {
            paint.edge(x, y, 1, true);
        }
        let style = if selected { theme.strong() } else { theme.text() };
        let shown = if theme.ascii { text::ascii_keys(&offer.keys) } else { offer.keys.clone() };
        let cells = [
            Cell::left(text::clean(&offer.name), style, name),
            Cell::left(offer.about.clone(), theme.dim(), width.saturating_sub(name + keys + 4)),
            Cell::right(shown, theme.text(), keys),
        ];
        paint.row(x, y, 2, &cells);
    }
    Some((caret, y))
}

/// What may follow the keys typed so far, in columns over the footer.
pub(super) fn which_key(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let typed = app.keys.pending();
    if typed.is_empty() || !app.keys.lingers() {
        return;
    }
    let mut rows: Vec<(String, String, String)> = Vec::new();
    for binding in app.keymap.holding(app.layer()).filter(|binding| binding.keys.starts_with(typed)) {
        let rest: Vec<String> = binding.keys.iter().skip(typed.len()).map(ToString::to_string).collect();
        let what = binding.command.strip_prefix("go ").unwrap_or(&binding.command).replace('-', " ");
        if !rest.is_empty() {
            rows.push((rest.join(" "), what, binding.command.clone()));
        }
    }
    let keys = rows.iter().map(|(keys, ..)| text::width(keys)).max().unwrap_or(0);
    let what = rows.iter().map(|(_, what, _)| text::width(what)).max().unwrap_or(0).min(24);
    let each = keys + 2 + what + 4;
    let width = usize::from(frame.footer.width.saturating_sub(2 * frame.margin));
    let columns = (width / each.max(1)).max(1);
    let height = rows.len().div_ceil(columns).min(usize::from(frame.body.height.saturating_sub(3)));
    if height == 0 {
        return;
    }
    let top = frame.footer.y.saturating_sub(height as u16 + 2);
    paint.panel(Rect::new(0, top, frame.footer.width, height as u16 + 2));
    for (i, (key, what, command)) in rows.iter().take(height * columns).enumerate() {
        let x = frame.margin + (i / height * each) as u16;
        let y = top + 1 + (i % height) as u16;
        paint.zone(Rect::new(x, y, (each - 4) as u16, 1), Zone::Command(command.clone()));
        let shown = if theme.ascii { text::ascii_keys(key) } else { key.clone() };
        paint.put_right(x + keys as u16, y, keys, &shown, theme.accent());
        paint.put(x + keys as u16 + 2, y, each - keys - 4, what, theme.text());
    }
}

impl Paint<'_> {
    /// An empty place over the page, with a rule above and below.
    pub(super) fn panel(&mut self, area: Rect) {
        let area = area.intersection(*self.buf.area());
        for y in area.y..area.bottom() {
            for x in area.x..area.right() {
                if let Some(cell) = self.buf.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
        // A wide character that is half covered would show through.
        for y in area.y..area.bottom() {
            if let Some(cell) = area.x.checked_sub(1).and_then(|x| self.buf.cell_mut((x, y)))
                && text::width(cell.symbol()) > 1
            {
                cell.set_symbol(" ");
            }
        }
        self.buf.set_style(area, self.theme.ground().unwrap_or_default());
        self.zone(area, Zone::Nothing);
        let line = self.theme.glyphs.rule.repeat(usize::from(area.width));
        self.put(area.x, area.y, line.len(), &line, self.theme.faint());
        self.put(area.x, area.bottom().saturating_sub(1), line.len(), &line, self.theme.faint());
    }
}
