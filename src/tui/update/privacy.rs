//! The page on privacy: its switches, the copy, the end of the account.

use std::path::PathBuf;

use super::{act, notify};
use crate::client::Connection;
use crate::music::Purpose;
use crate::tui::action::Action;
use crate::tui::effects::{Answer, Effect, PrivacyWish, Request};
use crate::tui::state::{App, Input, PrivacyPage, PrivacyRow, Prompt, Screen, Secret, Weight};

/// Where a copy goes where nobody says otherwise; `~` is the home folder.
const COPY: &str = "~/segue-export.zip";

/// Asks for what the page shows, when the catalog changed since.
pub(super) fn settle(app: &mut App, effects: &mut Vec<Effect>) {
    let generation = Some(app.session.catalog_generation);
    if app.screen == Screen::Privacy && app.privacy.fresh != generation && app.privacy.awaiting.is_none() {
        let ticket = app.ticket();
        app.privacy.awaiting = Some(ticket);
        app.privacy.fresh = generation;
        effects.push(Effect::Ask { ticket, request: Request::Privacy });
    }
    let rows = usize::from(app.frame().page().height).saturating_sub(2).max(1);
    app.privacy.scroll.settle(PrivacyPage::ROWS.len(), rows);
}

/// Takes what is kept.
pub(super) fn answered(app: &mut App, ticket: u64, answer: Option<Answer>, error: Option<String>) {
    if app.privacy.awaiting != Some(ticket) {
        return;
    }
    (app.privacy.awaiting, app.privacy.error) = (None, error);
    if let Some(Answer::Privacy(data)) = answer {
        app.privacy.data = Some(*data);
    }
}

/// Something was decided or done: the page is old.
pub(super) fn said(app: &mut App, said: Result<String, String>, effects: &mut Vec<Effect>) {
    app.privacy.fresh = None;
    app.home.fresh = None;
    match said {
        Ok(text) => notify(app, effects, Weight::Done, text),
        Err(text) => notify(app, effects, Weight::Trouble, text),
    }
}

/// Carries out what is of this kind; `false` for everything else.
pub(super) fn act_in(app: &mut App, action: &Action, effects: &mut Vec<Effect>) -> bool {
    match action {
        Action::Play | Action::Open if app.screen == Screen::Privacy => row(app, effects),
        Action::Purpose(words) => purpose(app, words, effects),
        Action::Export(file) => {
            let file = if file.trim().is_empty() { COPY } else { file.trim() };
            ask(app, PrivacyWish::Export(at_home(file)), effects);
        }
        Action::Erase(Some(true)) => ask(app, PrivacyWish::Erase, effects),
        Action::Erase(Some(false)) => ask(app, PrivacyWish::TakeBack, effects),
        Action::Erase(None) => app.prompt = Some(Prompt::command("erase ")),
        _ => return false,
    }
    true
}

/// What Enter does.
fn row(app: &mut App, effects: &mut Vec<Effect>) {
    match app.privacy.row() {
        PrivacyRow::Purpose(purpose) => {
            let on = !app.privacy.allows(purpose).unwrap_or(purpose.by_default());
            effects.push(Effect::Decide { purpose, on });
        }
        PrivacyRow::Private => act::act(app, &Action::Private(None), None, effects),
        PrivacyRow::Export => app.prompt = Some(Prompt::command(&format!("export {COPY}"))),
        // Nothing ends by a key alone: the word must be typed, and then the password.
        PrivacyRow::Erase => app.prompt = Some(Prompt::command("erase ")),
        // Whoever has another plan by now sees it.
        PrivacyRow::Plan => effects.push(Effect::Sync),
    }
}

fn purpose(app: &mut App, words: &str, effects: &mut Vec<Effect>) {
    let mut words = words.split_whitespace();
    let wanted = words.next().and_then(Purpose::of);
    let on = match words.next() {
        Some("on") => Some(true),
        Some("off") => Some(false),
        _ => None,
    };
    let (Some(purpose), Some(on)) = (wanted, on) else {
        let said = "Say `purpose history off`; also personalisation, personalAds, analytics.";
        return notify(app, effects, Weight::Trouble, said.to_owned());
    };
    effects.push(Effect::Decide { purpose, on });
}

/// Asks for the password where the server is to do something; a copy can also be made without it.
fn ask(app: &mut App, wish: PrivacyWish, effects: &mut Vec<Effect>) {
    let reached = matches!(app.session.connection, Connection::Online | Connection::Slow);
    match wish {
        PrivacyWish::Export(_) if !reached => {
            effects.push(Effect::Privacy { wish, password: String::new().into() });
        }
        // To a closed account the server says nothing else, which looks like no server.
        PrivacyWish::Erase if !reached => {
            let said = "The server cannot be reached; it is the one that erases. Try again when it is back.";
            notify(app, effects, Weight::Trouble, said.to_owned());
        }
        wish => app.prompt = Some(Prompt::Secret(Secret { wish }, Input::default())),
    }
}

/// A path with `~` for the home folder.
fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}
