//! Settings and the log.

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use crate::tui::layout::Frame;
use crate::tui::state::{App, Settings};
use crate::tui::text;

/// What is offered below the settings.
pub(super) const SETTINGS_HINTS: Hints = &[("play", "change"), ("theme", "theme"), ("back", "back")];
/// What is offered below the log.
pub(super) const LOG_HINTS: Hints = &[("filter", "filter"), ("bottom", "end"), ("back", "back")];

/// What is set, where it was set, and what it does.
pub(super) fn settings(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let rows = frame.about_rows();
    let all = &app.options.settings;
    let names = all.iter().map(|s| s.name.len()).max().unwrap_or(8).min(18);
    let wide = page.width >= 70;
    let from = if wide { 16 } else { 12 };
    let value = usize::from(page.width).saturating_sub(names + from + 4).min(44);
    let about = usize::from(page.width).saturating_sub(names + value + from + 6);
    for (i, (at, setting)) in all.iter().enumerate().skip(app.settings.scroll.top).take(rows).enumerate() {
        let y = page.y + i as u16;
        let selected = at == app.settings.scroll.cursor;
        paint.zone(Rect::new(page.x, y, page.width, 1), Zone::Row(at));
        if selected {
            paint.edge(page.x, y, 1, true);
        }
        let live = Settings::command(&setting.name).is_some();
        let now = current(app, &setting.name).filter(|now| *now != setting.value);
        let name = if selected || live { theme.strong() } else { theme.text() };
        let set = if setting.from == "default" { theme.dim() } else { theme.text() };
        let cells = [
            Cell::left(setting.name.as_str(), name, names),
            Cell::left(text::clean(now.as_ref().unwrap_or(&setting.value)), set, value),
            Cell::left(
                if now.is_some() { "as it is now".into() } else { text::clean(&setting.from) },
                theme.dim(),
                from,
            ),
            Cell::left(text::clean(&setting.about), theme.faint(), if about >= 20 { about } else { 0 }),
        ];
        paint.row(page.x, y, 2, &cells);
    }
    let Some(setting) = all.get(app.settings.scroll.cursor) else { return };
    // What the selected one does, whole.
    let y = page.y + rows as u16 + 1;
    let how = if Settings::command(&setting.name).is_some() {
        let key = app.keymap.keys_for(app.screen.layer(), "play").unwrap_or_default();
        format!("{key} changes it now; in config.toml or as {} it is kept.", setting.env)
    } else {
        format!("Set it in config.toml or as {}.", setting.env)
    };
    let words = format!("{} {how}", text::clean(setting.about.trim()));
    for (i, row) in text::wrap(&words, usize::from(page.width)).into_iter().enumerate() {
        let y = y + i as u16;
        if y < page.bottom() {
            paint.put(page.x, y, usize::from(page.width), &words[row], theme.dim());
        }
    }
}

/// What holds now of what can be changed while the program runs.
fn current(app: &App, name: &str) -> Option<String> {
    let sound = &app.player.sound;
    Some(match name {
        "theme" => app.theme.name().to_owned(),
        "volume" => app.player.volume.to_string(),
        "replaygain" => app.player.gain_mode.name().to_owned(),
        "crossfade" => sound.crossfade_s.to_string(),
        "speed" => format!("{:?}", f64::from(sound.speed) / 100.0),
        "bit_perfect" => if sound.bit_perfect { "yes" } else { "no" }.to_owned(),
        "output" => sound.output.clone(),
        _ => return None,
    })
}

/// The end of the log.
pub(super) fn log(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    if let Some(error) = &app.log.error {
        super::rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    if app.log.len() == 0 {
        let words = match (app.log.awaiting, &app.log.filter) {
            (Some(_), _) => "",
            (None, Some(_)) => "Nothing matches",
            (None, None) => "The log is empty",
        };
        paint.put(page.x, page.y, width, words, theme.dim());
        return;
    }
    let rows = frame.queue_rows();
    for (i, at) in (app.log.scroll.top..app.log.len()).take(rows).enumerate() {
        let Some(line) = app.log.get(at) else { continue };
        let y = page.y + i as u16;
        paint.zone(Rect::new(page.x, y, page.width, 1), Zone::Row(at));
        if at == app.log.scroll.cursor {
            paint.edge(page.x, y, 1, true);
        }
        let style = if line.contains(" ERROR ") {
            theme.trouble()
        } else if line.contains(" WARN ") {
            theme.busy()
        } else if at == app.log.scroll.cursor {
            theme.text()
        } else {
            theme.dim()
        };
        paint.put(page.x, y, width, &text::clean(line), style);
    }
}
