//! The help: what the keys do on this screen, from the keymap and the table of actions.

use super::paint::{Cell, Hints, Paint};
use crate::tui::action::{self, Group};
use crate::tui::keymap::Binding;
use crate::tui::layout::Frame;
use crate::tui::state::{App, Screen};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints = &[("down", "scroll"), ("cancel", "close")];

/// Cells that the keys of a row take.
const KEYS: usize = 12;

/// A line of the help.
#[derive(Debug, Clone)]
enum Line {
    Blank,
    Title(&'static str),
    Key(String, String),
}

/// What can be typed in a search, and what it finds.
const SYNTAX: &[(&str, &str)] = &[
    ("bjo hun", "words that begin so, in any order"),
    ("\"love song\"", "these words as they stand"),
    ("-live", "without this word"),
    ("artist:cure", "in that place: artist, album, title"),
    ("genre:\"hip hop\"", "a genre that begins so"),
    ("year:1990..1999", "also year:1984, year:<1980"),
    ("rating:>3", "your stars, 0 to 5"),
    ("starred:", "what you love"),
    ("plays:0", "also plays:>10"),
    ("added:<30d", "h d w m y, or a day or a year"),
    ("lyrics:river", "what is sung; lyrics: has any"),
    ("-genre:jazz", "a minus turns any of them round"),
];

/// The language of the search line, where there is one.
fn syntax(app: &App) -> Option<Vec<Line>> {
    let lines = SYNTAX.iter().map(|(typed, about)| Line::Key((*typed).to_owned(), (*about).to_owned()));
    (app.screen == Screen::Search)
        .then(|| std::iter::once(Line::Title("What can be searched for")).chain(lines).collect())
}

/// Groups with the keys that hold on the screen under the help, in the order of the table.
fn groups(app: &App) -> Vec<Vec<Line>> {
    let screen = app.screen;
    let mut groups: Vec<(Group, Vec<Line>)> = Vec::new();
    for spec in action::table().iter().filter(|spec| spec.on(screen)) {
        let mut commands: Vec<(&str, Vec<String>)> = Vec::new();
        // A key that begins the line for an action stands with that action.
        let line = format!("command {}", spec.name);
        let asks = |binding: &&Binding| {
            let own = binding.spec.name == spec.name;
            (own && (spec.name != "command" || binding.command == "command")) || binding.command == line
        };
        for binding in app.keymap.holding(screen.layer()).filter(asks) {
            match commands.iter_mut().find(|(command, _)| *command == binding.command) {
                Some((_, keys)) => keys.push(binding.label()),
                None => commands.push((&binding.command, vec![binding.label()])),
            }
        }
        let lines: Vec<Line> = match commands.as_slice() {
            [] => vec![Line::Key(format!(":{}", spec.name), format!("{} {}", spec.about, spec.takes.hint()))],
            // The ratings need one line, not six.
            [(_, first), .., (_, last)] if commands.len() > 3 && spec.name == "rate" => {
                let keys =
                    format!("{} … {}", first.first().map_or("", |k| k), last.first().map_or("", |k| k));
                vec![Line::Key(keys, spec.about.to_owned())]
            }
            _ => commands
                .iter()
                .map(|(command, keys)| {
                    let argument = command.split_once(' ').map(|(_, argument)| argument);
                    let about = match (spec.name, argument) {
                        ("go", Some(place)) => place.to_owned(),
                        ("seek-by", Some(s)) => match s.strip_prefix('-') {
                            Some(s) => format!("{s} s back"),
                            None => format!("{s} s forward"),
                        },
                        ("volume-by", Some(n)) => match n.strip_prefix('-') {
                            Some(n) => format!("quieter by {n}"),
                            None => format!("louder by {n}"),
                        },
                        _ if *command == line => format!("{} {}", spec.about, spec.takes.hint()),
                        (_, Some(argument)) => format!("{}: {argument}", spec.about),
                        (_, None) => spec.about.to_owned(),
                    };
                    Line::Key(keys.join("  "), about)
                })
                .collect(),
        };
        match groups.iter_mut().find(|(group, _)| *group == spec.group) {
            Some((_, group)) => group.extend(lines),
            None => groups.push((spec.group, [vec![Line::Title(spec.group.title())], lines].concat())),
        }
    }
    syntax(app).into_iter().chain(groups.into_iter().map(|(_, lines)| lines)).collect()
}

/// Only the lines with all the words of the filter, under their titles.
fn filtered(app: &App) -> Vec<Vec<Line>> {
    let groups = groups(app);
    let words = app.help.as_ref().map(|help| crate::music::fold(&help.filter)).unwrap_or_default();
    if words.is_empty() {
        return groups;
    }
    let has = |line: &Line| match line {
        Line::Key(keys, about) => {
            let text = crate::music::fold(&format!("{keys} {about}"));
            words.split(' ').all(|word| text.contains(word))
        }
        _ => true,
    };
    let kept = groups.into_iter().map(|group| group.into_iter().filter(has).collect::<Vec<_>>());
    kept.filter(|group| group.len() > 1).collect()
}

/// The help in so many columns of about the same height.
fn columns(app: &App, width: u16) -> Vec<Vec<Line>> {
    let groups = filtered(app);
    let count = usize::from(width / 46).clamp(1, 3);
    let total: usize = groups.iter().map(|group| group.len() + 1).sum();
    let mut columns: Vec<Vec<Line>> = vec![Vec::new()];
    for group in groups {
        let filled = columns.len();
        let height = columns.last().map_or(0, Vec::len);
        if filled < count && height > 0 && height + group.len() / 2 > total / count {
            columns.push(group);
        } else if let Some(column) = columns.last_mut() {
            if !column.is_empty() {
                column.push(Line::Blank);
            }
            column.extend(group);
        }
    }
    columns
}

/// Lines on a page of the help, and lines that there are.
pub(crate) fn help_size(app: &App) -> (usize, usize) {
    let frame = app.frame();
    let lines = columns(app, frame.page().width).iter().map(Vec::len).max().unwrap_or(0);
    (usize::from(frame.body.height.saturating_sub(2)).max(1), lines)
}

/// Draws the help in place of the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let Some(help) = &app.help else { return };
    let title = if help.filter.is_empty() {
        format!("Keys on {}", app.screen.title())
    } else {
        format!("Keys on {}  /{}", app.screen.title(), text::clean(&help.filter))
    };
    paint.put(page.x, page.y, usize::from(page.width), &title, theme.strong());
    let columns = columns(app, page.width);
    if columns.iter().all(Vec::is_empty) {
        paint.put(page.x, page.y + 2, usize::from(page.width), "No key does that here", theme.dim());
    }
    let gap = 3;
    let each = (usize::from(page.width) + gap) / columns.len().max(1) - gap;
    let (rows, lines) = help_size(app);
    if lines > rows {
        let note = format!("{}–{} of {lines}", help.top + 1, (help.top + rows).min(lines));
        let note = if theme.ascii { note.replace('–', "-") } else { note };
        paint.put_right(page.right(), page.y, 20, &note, theme.dim());
    }
    for (i, column) in columns.iter().enumerate() {
        let x = page.x + (i * (each + gap)) as u16;
        for (row, line) in column.iter().skip(help.top).take(rows).enumerate() {
            let y = page.y + 2 + row as u16;
            match line {
                Line::Blank => {}
                Line::Title(title) => {
                    paint.put(x, y, each, title, theme.dim());
                }
                Line::Key(keys, about) => {
                    let keys = if theme.ascii { text::ascii_keys(keys) } else { keys.clone() };
                    let width = text::width(&keys).max(KEYS).min(each);
                    let cells = [
                        Cell::left(keys, theme.strong(), width),
                        Cell::left(about.clone(), theme.text(), each.saturating_sub(width + 2)),
                    ];
                    paint.row(x, y, 2, &cells);
                }
            }
        }
    }
}
