//! The page as words: what a screen reader reads of it, taken from the page as it is drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::draw;
use super::paint::{Paint, Zone};
use crate::tui::state::App;

/// A row that can be selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// What stands in it.
    pub(crate) words: String,
    /// Whether the cursor is on it.
    pub(crate) selected: bool,
}

/// The rows of the list that has the focus, from top to bottom.
pub(crate) fn rows(app: &App) -> Vec<Row> {
    let (mut buffer, zones, edges) = drawn(app);
    let cursor = edges.last().copied();
    let at = |area: &Rect, (x, y): (u16, u16)| {
        // The edge stands two cells before what it marks.
        area.contains(Position::new(x, y)) || area.contains(Position::new(x + 2, y))
    };
    let chosen =
        zones.iter().rev().find(|(area, zone)| listed(zone) && cursor.is_some_and(|cursor| at(area, cursor)));
    let Some((_, of)) = chosen.map(|(area, zone)| (*area, zone.clone())) else { return Vec::new() };
    let mut rows: Vec<(Rect, &Zone)> =
        zones.iter().filter(|(_, zone)| same_list(zone, &of)).map(|(area, zone)| (*area, zone)).collect();
    // Rows that take several lines have several areas.
    rows.dedup_by(|later, first| {
        let same = later.1 == first.1;
        if same {
            first.0 = first.0.union(later.0);
        }
        same
    });
    for (x, y) in edges {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_symbol(" ");
        }
    }
    rows.into_iter()
        .map(|(area, zone)| Row { words: words_in(&buffer, area), selected: *zone == of })
        .collect()
}

/// Everything on the page, line by line.
pub(crate) fn words(app: &App) -> Vec<String> {
    let (buffer, ..) = drawn(app);
    let body = app.frame().body;
    let lines = (body.top()..body.bottom()).map(|y| words_in(&buffer, Rect::new(body.x, y, body.width, 1)));
    lines.filter(|line| !line.is_empty()).collect()
}

type Drawn = (Buffer, Vec<(Rect, Zone)>, Vec<(u16, u16)>);

fn drawn(app: &App) -> Drawn {
    let mut aside = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    let mut paint = Paint::new(&mut aside, &app.theme);
    draw(app, &mut paint);
    let (zones, edges) = (paint.zones, paint.edges);
    (aside, zones, edges)
}

fn listed(zone: &Zone) -> bool {
    matches!(zone, Zone::Row(_) | Zone::Column(..) | Zone::Spot(_) | Zone::Offer(_))
}

fn same_list(zone: &Zone, of: &Zone) -> bool {
    match (zone, of) {
        (Zone::Column(a, _), Zone::Column(b, _)) => a == b,
        _ => std::mem::discriminant(zone) == std::mem::discriminant(of),
    }
}

/// The text of an area: columns parted by commas, signs as words.
fn words_in(buffer: &Buffer, area: Rect) -> String {
    let mut parts: Vec<String> = Vec::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut skip = 0;
        for x in area.left()..area.right() {
            let Some(cell) = buffer.cell((x, y)).filter(|_| skip == 0) else {
                skip = usize::from(skip > 1);
                continue;
            };
            line.push_str(cell.symbol());
            skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
        }
        parts.extend(line.split("  ").map(|part| spoken(part.trim())).filter(|part| !part.is_empty()));
    }
    parts.join(", ")
}

/// Signs as words; lines and frames are nothing.
fn spoken(part: &str) -> String {
    let said = part.split(' ').filter_map(|word| match word {
        "♥" => Some("loved".to_owned()),
        "↓" => Some("kept here".to_owned()),
        "ƒ" => Some("smart".to_owned()),
        "ƒ↓" => Some("smart, kept here".to_owned()),
        "▶" => Some("playing".to_owned()),
        "‖" => Some("paused".to_owned()),
        "·" => Some(",".to_owned()),
        "⏎" => None,
        stars if !stars.is_empty() && stars.chars().all(|c| c == '★') => {
            Some(format!("{} stars", stars.chars().count()))
        }
        word => {
            let word: String = word.chars().filter(|c| !matches!(c, '\u{2500}'..='\u{259f}')).collect();
            (!word.is_empty()).then_some(word)
        }
    });
    said.collect::<Vec<_>>().join(" ").replace(" ,", ",")
}
