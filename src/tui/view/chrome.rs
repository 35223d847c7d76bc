//! What every screen has over and under it: the header, and the line for prompts, notices and hints.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{Cell, Hints, Paint, Zone};
use super::{
    about, album, artist, details, doctor, downloads, full, help, home, library, mix, operators, playlists,
    privacy, queue, rows, search, statistics, year,
};
use crate::client::{Connection, SyncState};
use crate::player::Transport;
use crate::tui::action;
use crate::tui::keymap::Layer;
use crate::tui::layout::Frame;
use crate::tui::state::{App, Prompt, Screen, Weight};
use crate::tui::text;

/// Name, screens, server, clock.
pub(super) fn header(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let y = frame.header.y;
    let right = frame.header.right().saturating_sub(frame.margin);
    let time = format!("{:02}:{:02}", app.clock.hour, app.clock.minute);
    let mut x = paint.put_right(right, y, 5, &time, theme.dim());
    let (glyph, state, style) = connection(app);
    let server = match text::clean(&app.session.server) {
        // The server inside the program has a port that nobody needs to know.
        server if server.starts_with("127.0.0.1:") => "this computer".to_owned(),
        server => server,
    };
    let room = usize::from(frame.header.width) / 3;
    x = x.saturating_sub(3);
    x = paint.put_right(x, y, room, state, theme.dim());
    x = paint.put_right(x.saturating_sub(1), y, 1, glyph, style);
    if frame.header.width >= 76 && !server.is_empty() {
        x = paint.put_right(x.saturating_sub(2), y, room, &server, theme.dim());
    }
    let end = x.saturating_sub(2);
    // The name opens the palette: so everything can be had with the mouse alone.
    paint.zone(Rect::new(0, y, frame.margin + 6, 1), Zone::Command("palette".to_owned()));
    let mut x = paint.put(frame.margin, y, 12, "Segue", theme.strong()) + 3;
    for screen in Screen::ALL {
        let page = matches!(
            screen,
            Screen::Album
                | Screen::Downloads
                | Screen::Player
                | Screen::Statistics
                | Screen::Settings
                | Screen::Log
                | Screen::Mix
                | Screen::Playlist
                | Screen::Artist
                | Screen::Details
                | Screen::Doctor
                | Screen::Year
                | Screen::Insights
                | Screen::Privacy
        );
        if page && app.screen != screen {
            continue;
        }
        let title = screen.title();
        let open = screen == app.screen;
        let wide = x + title.len() as u16 <= end;
        if !wide || (frame.header.width < 70 && !open) {
            continue;
        }
        let style = if open { theme.accent().patch(theme.strong()) } else { theme.dim() };
        let command = format!("go {}", title.to_lowercase());
        paint.zone(Rect::new(x, y, title.len() as u16, 1), Zone::Command(command));
        x = paint.put(x, y, title.len(), title, style) + 3;
    }
}

fn connection(app: &App) -> (&'static str, &'static str, Style) {
    let (glyphs, theme) = (app.theme.glyphs, &app.theme);
    match (&app.session.connection, &app.session.sync) {
        (Connection::Online, SyncState::Running { .. }) => (glyphs.streaming, "syncing", theme.busy()),
        (Connection::Online, _) => (glyphs.cached, "online", theme.good()),
        (Connection::Slow, _) => (glyphs.streaming, "slow", theme.busy()),
        (Connection::Connecting, _) => (glyphs.streaming, "connecting", theme.busy()),
        (Connection::Offline { .. }, _) => (glyphs.offline, "offline", theme.trouble()),
    }
}

/// One line: what is being typed, else what is pending, else a notice, else hints. Gives the caret's place.
pub(super) fn footer(app: &App, paint: &mut Paint, frame: &Frame) -> Option<(u16, u16)> {
    let theme = &app.theme;
    let (x, y) = (frame.margin, frame.footer.y);
    let width = usize::from(frame.footer.width.saturating_sub(2 * frame.margin));
    if let Some(rule) = frame.rule {
        let line = theme.glyphs.rule.repeat(usize::from(rule.width.saturating_sub(2 * frame.margin)));
        paint.put(frame.margin, rule.y, width, &line, theme.faint());
    }
    match &app.prompt {
        Some(Prompt::Command { input, chosen, stem, .. }) => {
            offers(paint, frame, stem, *chosen);
            let end = paint.put(x, y, 1, ":", theme.accent());
            let end =
                paint.put(end, y, width - 2, text::tail(&text::clean(&input.text), width - 2), theme.text());
            let takes = action::find(input.text.trim()).map(|spec| spec.takes.hint()).unwrap_or_default();
            paint.put(end + 1, y, width.saturating_sub(usize::from(end)), &takes, theme.dim());
            return Some((end, y));
        }
        Some(Prompt::Jump(input)) => {
            let end = paint.put(x, y, width, "jump to: ", theme.accent());
            let room = width.saturating_sub(11);
            let end = paint.put(end, y, room, text::tail(&text::clean(&input.text), room), theme.text());
            return Some((end, y));
        }
        Some(Prompt::Secret(secret, input)) => {
            let end = paint.put(x, y, width, secret.label(), theme.accent());
            let dots = theme.glyphs.dot.repeat(input.text.chars().count().min(24));
            let end = paint.put(end, y, width.saturating_sub(usize::from(end)), &dots, theme.text());
            return Some((end, y));
        }
        Some(Prompt::Filter(input)) => {
            let end = paint.put(x, y, 1, "/", theme.accent());
            let end =
                paint.put(end, y, width - 2, text::tail(&text::clean(&input.text), width - 2), theme.text());
            return Some((end, y));
        }
        None => {}
    }
    if pending(app, paint, frame) {
        return None;
    }
    if let Some((weight, said)) = app.notices.shown() {
        let said = text::clean(said);
        if weight == Weight::Trouble {
            let x = paint.put(x, y, 1, theme.glyphs.trouble, theme.trouble()) + 1;
            let end = paint.put(x, y, width.saturating_sub(2), &said, theme.text());
            let esc = format!("Esc {} dismiss", theme.glyphs.dot);
            if usize::from(end) + esc.len() + 3 < width {
                paint.put_right(frame.footer.right() - frame.margin, y, 20, &esc, theme.dim());
            }
        } else {
            paint.put(x, y, width, &said, theme.text());
        }
        return None;
    }
    hints(app, paint, frame);
    None
}

/// Completions over the line.
fn offers(paint: &mut Paint, frame: &Frame, stem: &str, chosen: Option<usize>) {
    let offers = action::complete(stem);
    let shown = offers.len().min(8).min(usize::from(frame.body.height.saturating_sub(1)));
    let first = chosen.map_or(0, |at| (at + 1).saturating_sub(shown));
    let width = usize::from(frame.body.width.saturating_sub(2 * frame.margin));
    let blank = " ".repeat(usize::from(frame.body.width));
    for (i, (name, about)) in offers.iter().enumerate().skip(first).take(shown) {
        let y = frame.footer.y.saturating_sub((shown - (i - first)) as u16);
        paint.put(0, y, blank.len(), &blank, Style::new());
        let is_chosen = chosen == Some(i);
        let style = if is_chosen { paint.theme.strong() } else { paint.theme.text() };
        if is_chosen {
            paint.edge(frame.margin, y, 1, true);
        }
        let cells = [
            Cell::left(name.clone(), style, 22.min(width)),
            Cell::left(*about, paint.theme.dim(), width.saturating_sub(24)),
        ];
        paint.row(frame.margin, y, 2, &cells);
    }
    if shown > 0 {
        let y = frame.footer.y.saturating_sub(shown as u16 + 1);
        let line = paint.theme.glyphs.rule.repeat(width);
        paint.put(0, y, blank.len(), &blank, Style::new());
        paint.put(frame.margin, y, width, &line, paint.theme.faint());
    }
}

/// Keys that wait for more, and what may follow them.
fn pending(app: &App, paint: &mut Paint, frame: &Frame) -> bool {
    let theme = &app.theme;
    let (keys, count) = (app.keys.pending(), app.keys.count());
    if keys.is_empty() && count.is_none() {
        return false;
    }
    let y = frame.footer.y;
    let right = frame.footer.right().saturating_sub(frame.margin);
    let count = count.map(|n| n.to_string()).unwrap_or_default();
    let typed = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mut x = paint.put(frame.margin, y, 20, format!("{count}{typed}").as_str(), theme.accent()) + 3;
    if keys.is_empty() {
        return true;
    }
    for binding in app.keymap.holding(app.layer()).filter(|binding| binding.keys.starts_with(keys)) {
        let rest: Vec<String> = binding.keys.iter().skip(keys.len()).map(ToString::to_string).collect();
        let what = short(&binding.command);
        let label = rest.join(" ");
        let needed = text::width(&label) + 1 + text::width(&what);
        if usize::from(x) + needed > usize::from(right) {
            break;
        }
        x = paint.put(x, y, 12, &label, theme.strong()) + 1;
        x = paint.put(x, y, 30, &what, theme.dim()) + 3;
    }
    true
}

/// A command in a word or two: `go queue` is `queue`, `rate 3` is three stars' worth of `rate 3`.
fn short(command: &str) -> String {
    command.strip_prefix("go ").unwrap_or(command).replace('-', " ")
}

/// What the page offers, or what can be done with the rows that are selected on it.
fn offered(layer: Layer, picks: bool) -> Hints {
    match layer {
        Layer::Queue | Layer::Playlist if picks => queue::PICKED_HINTS,
        Layer::Playlists if picks => playlists::PICKED_HINTS,
        _ if picks => rows::PICKED_HINTS,
        Layer::Help => help::HINTS,
        Layer::Typing => search::TYPING_HINTS,
        Layer::Home => home::HINTS,
        Layer::Library => library::HINTS,
        Layer::Album => album::HINTS,
        Layer::Mix => mix::HINTS,
        Layer::Search => search::HINTS,
        Layer::Queue => queue::HINTS,
        Layer::Downloads => downloads::HINTS,
        Layer::Player => full::HINTS,
        Layer::Playlists => playlists::ALL_HINTS,
        Layer::Playlist => playlists::ONE_HINTS,
        Layer::Statistics => statistics::HINTS,
        Layer::Settings => about::SETTINGS_HINTS,
        Layer::Log => about::LOG_HINTS,
        Layer::Artist => artist::HINTS,
        Layer::Details => details::HINTS,
        Layer::Doctor => doctor::HINTS,
        Layer::Year => year::HINTS,
        Layer::Insights => operators::HINTS,
        Layer::Privacy => privacy::HINTS,
        Layer::Everywhere => &[],
    }
}

/// The few keys that matter most here.
fn hints(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let layer = app.layer();
    let playing = matches!(app.player.transport, Transport::Playing | Transport::Buffering);
    let toggle = if playing { "pause" } else { "play" };
    let rows = app.picked().len();
    let picks = layer != Layer::Typing && rows > 0;
    let offered = offered(layer, picks);
    let last: &[(&str, &str)] = if matches!(layer, Layer::Typing | Layer::Help) {
        &[]
    } else if picks {
        &[("select", if app.picks.open() { "end here" } else { "more" }), ("cancel", "let go")]
    } else {
        &[("toggle", toggle), ("command", "command"), ("help", "keys")]
    };
    let y = frame.footer.y;
    let right = usize::from(frame.footer.right().saturating_sub(frame.margin));
    let mut x = frame.margin;
    if picks {
        x = paint.put(x, y, 20, &format!("{} selected", text::number(rows as u64)), theme.accent()) + 3;
    }
    for (command, word) in offered.iter().chain(last) {
        let Some(keys) = app.keymap.keys_for(layer, command) else { continue };
        let keys = if theme.ascii && !keys.is_ascii() { (*command).to_owned() } else { keys };
        let needed = text::width(&keys) + 1 + word.len();
        if usize::from(x) + needed > right {
            break;
        }
        paint.zone(Rect::new(x, y, needed as u16, 1), Zone::Command((*command).to_owned()));
        x = paint.put(x, y, 12, &keys, theme.text()) + 1;
        x = paint.put(x, y, 20, word, theme.dim()) + 3;
    }
}
