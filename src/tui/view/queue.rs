//! The queue in the order in which it was and will be heard.

use ratatui::layout::Rect;

use super::paint::{Hints, Paint, Zone};
use super::rows::{self, Columns, Look, Want};
use crate::music::{Track, long_duration};
use crate::tui::layout::Frame;
use crate::tui::state::{App, Line, Part, entry};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints =
    &[("play", "jump"), ("move-down", "down"), ("move-up", "up"), ("remove", "remove")];
/// What is offered below tracks that are selected where their order is the listener's.
pub(super) const PICKED_HINTS: Hints = &[
    ("move-down", "down"),
    ("move-up", "up"),
    ("remove", "remove"),
    ("add-to-playlist", "playlist"),
    ("love", "love"),
];

/// Draws the lines in sight.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    let queue = &app.player.queue;
    if app.queue.len() == 0 {
        paint.put(page.x, page.y, width, "The queue is empty", theme.strong());
        let key = |command| app.keymap.keys_for(app.screen.layer(), command).unwrap_or_default();
        let words = format!(
            "{} on anything plays it now, {} puts it here. {} searches.",
            key("play"),
            key("enqueue"),
            key("go search")
        );
        rows::advice(app, paint, page.x, page.y + 2, width, &words);
        return;
    }
    let lines: Vec<Line> =
        (0..usize::from(page.height)).map_while(|i| app.queue.line(app.queue.scroll.top + i)).collect();
    let seen = lines.iter().filter_map(|line| match line {
        Line::Entry(row, _) => entry(queue, *row).map(|entry| &*entry.track),
        _ => None,
    });
    let want = Want { artist: true, album: true, pins: app.downloads.mark_cells() > 1, ..Want::default() };
    let columns = Columns::of(seen, want, width.min(120));
    for (i, line) in lines.iter().enumerate() {
        let y = page.y + i as u16;
        match line {
            Line::Blank => {}
            Line::Heading(part) => heading(app, paint, page.x, y, width, *part),
            Line::Entry(row, part) => {
                let Some(entry) = entry(queue, *row) else { continue };
                paint.zone(Rect::new(page.x, y, page.width, 1), Zone::Row(*row));
                let selected = rows::edge(app, paint, page.x, y, *row, app.queue.scroll.cursor, true);
                let out = app.queue.filter.is_some() && app.queue.matches.binary_search(row).is_err();
                let look = Look {
                    selected: selected && !out,
                    faded: (*part == Part::History && !selected) || out,
                    live: *part == Part::Now,
                };
                rows::track(app, paint, page.x, y, &columns, &entry.track, look);
            }
        }
    }
}

fn heading(app: &App, paint: &mut Paint, x: u16, y: u16, width: usize, part: Part) {
    let theme = &app.theme;
    let queue = &app.player.queue;
    let dot = theme.glyphs.dot;
    let sum = |tracks: &[crate::player::Entry]| {
        let ms = tracks.iter().map(|entry| Track::clone(&entry.track).duration_ms).sum();
        format!("{} {dot} {}", text::count(tracks.len() as u64, "track"), long_duration(ms))
    };
    let (title, note) = match part {
        Part::History => ("Before".to_owned(), String::new()),
        Part::Now => ("Now".to_owned(), String::new()),
        Part::UpNext => ("Up next".to_owned(), sum(&queue.up_next)),
        Part::Context => {
            let name = text::clean(&queue.context_name);
            let title = if name.is_empty() { "Then".to_owned() } else { format!("Then, from {name}") };
            let shuffled = if queue.shuffle { format!(" {dot} shuffled") } else { String::new() };
            (title, format!("{}{shuffled}", sum(&queue.context)))
        }
    };
    let style = if part == Part::Now { theme.accent().patch(theme.strong()) } else { theme.dim() };
    let end = paint.put(x, y, width, &title, style) + 3;
    paint.put(end, y, (usize::from(x) + width).saturating_sub(usize::from(end)), &note, theme.faint());
}
