//! What is kept of the listener and why, a switch for each use, a copy, and the end.

use ratatui::layout::Rect;

use super::paint::{Cell, Hints, Paint, Zone};
use super::rows;
use crate::client::Connection;
use crate::music::long_duration;
use crate::tui::effects::{Decision, PrivacyData};
use crate::tui::layout::Frame;
use crate::tui::state::{App, PrivacyPage, PrivacyRow, day};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints = &[
    ("play", "switch"),
    ("command export", "copy"),
    ("command erase", "erase"),
    ("private", "private session"),
    ("back", "back"),
];

/// Rows of a page that has room for everything.
const ROOMY: usize = 18;

/// Draws the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let width = usize::from(page.width);
    if let Some(error) = &app.privacy.error {
        rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    let Some(data) = &app.privacy.data else { return };
    let reached = matches!(app.session.connection, Connection::Online | Connection::Slow);
    let waits = data.decisions.iter().filter(|decision| decision.waits).count() as u64;
    let head = match (app.privacy.erase_at(), reached, waits) {
        (Some(at), ..) => format!("This account is closed, and erased {}", day(at, app.minutes_ahead())),
        (None, false, 0) => "Without the server; what you change here waits for it".to_owned(),
        (None, false, n) => format!("Without the server; {} for it", waiting(n)),
        (None, true, _) => "What is kept of you, and what may be done with it".to_owned(),
    };
    paint.put(page.x, page.y, width, &head, theme.strong());
    if usize::from(page.height) < ROOMY {
        // Below there is no room for it.
        let all = data.there.as_ref().map_or(&data.here, |there| &there.counts).join(", ");
        paint.put(page.x, page.y + 1, width, &all, theme.dim());
    }
    for (at, row) in PrivacyPage::ROWS.into_iter().enumerate().skip(app.privacy.scroll.top) {
        let y = page.y + 2 + (at - app.privacy.scroll.top) as u16;
        if y >= page.bottom() {
            return;
        }
        paint.zone(Rect::new(page.x, y, page.width, 1), Zone::Row(at));
        let chosen = at == app.privacy.scroll.cursor;
        if chosen {
            paint.edge(page.x, y, 1, true);
        }
        let (on, title, state) = words(app, data, row);
        let (sign, style) = match on {
            Some(true) => ("on", theme.good()),
            Some(false) => ("off", theme.dim()),
            None => ("", theme.dim()),
        };
        let name = if chosen { theme.strong() } else { theme.text() };
        let titles = 26.min(width.saturating_sub(6));
        let cells = [
            Cell::left(sign, style, 3),
            Cell::left(title, name, titles),
            Cell::left(state, theme.dim(), width.saturating_sub(titles + 3 + 2 * rows::GAP)),
        ];
        paint.row(page.x, y, rows::GAP, &cells);
    }
    let y = page.y + 3 + (PrivacyPage::ROWS.len() - app.privacy.scroll.top) as u16;
    facts(app, paint, data, Rect { y, height: page.bottom().saturating_sub(y), ..page });
}

/// Whether a row is on, what it is, and how it stands.
fn words(app: &App, data: &PrivacyData, row: PrivacyRow) -> (Option<bool>, &'static str, String) {
    match row {
        PrivacyRow::Purpose(purpose) => {
            let decision = data.decisions.iter().find(|decision| decision.purpose == purpose);
            let on = decision.map_or(purpose.by_default(), |decision| decision.on);
            let state = match decision {
                Some(Decision { waits: true, .. }) => "waits for the server".to_owned(),
                Some(Decision { at: Some(at), .. }) => {
                    format!("{} {}", if on { "allowed" } else { "forbidden" }, day(*at, app.minutes_ahead()))
                }
                _ if purpose.by_default() => "on by default".to_owned(),
                _ => "off until you agree".to_owned(),
            };
            (Some(on), purpose.title(), state)
        }
        PrivacyRow::Private => {
            let state = if app.player.private { "nothing is kept or told" } else { "as long as you want" };
            (Some(app.player.private), "Private session", state.to_owned())
        }
        PrivacyRow::Export => (None, "Copy everything to a file", "a zip with a README".to_owned()),
        PrivacyRow::Erase => match app.privacy.erase_at() {
            Some(at) => {
                (None, "Stay after all", format!(":erase back, until {}", day(at, app.minutes_ahead())))
            }
            None => (None, "Erase the account", "with days to think".to_owned()),
        },
        PrivacyRow::Plan => (None, "Plan", plan(app)),
    }
}

/// What the row under the cursor means, and what is kept where.
fn facts(app: &App, paint: &mut Paint, data: &PrivacyData, area: Rect) {
    let theme = &app.theme;
    let width = usize::from(area.width).min(100);
    let about = match app.privacy.row() {
        PrivacyRow::Purpose(purpose) => {
            format!("{} Ground: {}.", purpose.text(), purpose.basis())
        }
        PrivacyRow::Private => {
            "As long as it lasts nothing of what you hear is kept, told or learned from.".to_owned()
        }
        PrivacyRow::Export => {
            "Plays, favourites, playlists, decisions, devices and what was made of them. Other programs \
                               can read it, and `segue import listenbrainz` takes the plays back in."
                .to_owned()
        }
        PrivacyRow::Erase => {
            "Plays, stars, playlists, shares, keys and mixes go, from the models too; you can take it back \
                              for a while. What this player keeps goes with its folder."
                .to_owned()
        }
        PrivacyRow::Plan => allowance(app),
    };
    let mut lines: Vec<(String, bool)> =
        text::lines(&about, width).into_iter().map(|line| (line, false)).collect();
    for (place, counts) in
        [("On this machine", Some(&data.here)), ("On the server", data.there.as_ref().map(|t| &t.counts))]
    {
        let Some(counts) = counts else { continue };
        let all = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
        lines.push((String::new(), false));
        lines.extend(text::lines(&format!("{place}: {all}"), width).into_iter().map(|line| (line, true)));
    }
    for (y, (line, fact)) in (area.y..area.bottom()).zip(lines) {
        paint.put(area.x, y, width, &line, if fact { theme.text() } else { theme.dim() });
    }
}

/// The plan's name, price and end.
fn plan(app: &App) -> String {
    let plan = &app.session.plan;
    let mut words = vec![if plan.name.is_empty() { "none: no limits" } else { &plan.name }.to_owned()];
    words.extend(Some(plan.price.clone()).filter(|price| !price.is_empty()));
    words.extend(plan.ends_at.map(|at| format!("until {}", day(at, app.minutes_ahead()))));
    text::clean(&words.join(", "))
}

/// What the plan allows and what it asks, and how much of it is used.
fn allowance(app: &App) -> String {
    let (plan, counted) = (&app.session.plan, &app.player.counted);
    let mut words = Vec::new();
    if let Some(ads) = &plan.ads {
        let left = ads.every_ms.saturating_sub(counted.since_break_ms);
        let most = if ads.at_once > 1 { format!("up to {} ads", ads.at_once) } else { "an ad".to_owned() };
        let every = long_duration(ads.every_ms.max(60_000));
        let next = long_duration(left.max(60_000));
        words.push(format!("After {every} of music {most} between tracks; the next after {next} more."));
        if !ads.inside_albums {
            words.push("None inside an album in its order.".to_owned());
        }
    }
    if plan.max_bit_rate > 0 {
        words.push(format!("At most {} kbit/s.", plan.max_bit_rate));
    }
    if plan.skips_per_hour > 0 {
        let used = counted.skips.iter().filter(|at| **at > app.clock.unix_ms - 3_600_000).count();
        words.push(format!("{} skips an hour, {used} used.", plan.skips_per_hour));
    }
    if plan.streams > 0 {
        words.push(format!("{} at one time.", text::count(plan.streams.into(), "player")));
    }
    if !plan.offline {
        words.push("No music for times without a network.".to_owned());
    }
    if words.is_empty() {
        words.push("Everything, without ads.".to_owned());
    }
    words.extend(Some(text::clean(&plan.upgrade)).filter(|upgrade| !upgrade.is_empty()));
    words.join(" ")
}

fn waiting(n: u64) -> String {
    if n == 1 { "1 decision waits".to_owned() } else { format!("{n} decisions wait") }
}
