//! The list to choose from: words that narrow it, the cursor, the choice.

use crossterm::event::{KeyCode, KeyModifiers};

use super::{act, notify, playlists, typed_char};
use crate::tui::action::{self, Action};
use crate::tui::effects::{Answer, Effect, Request, Timer};
use crate::tui::keymap::Key;
use crate::tui::layout::Frame;
use crate::tui::state::{App, Choice, Input, Picker, Prompt, Weight};
use crate::tui::text;
use crate::tui::theme::Theme;

/// How often it is looked at what other players do, ms.
const LOOK_MS: u64 = 2_000;

/// Changes the words of an open list; `false` when none is open.
pub(super) fn edit(app: &mut App, edit: impl Fn(&mut Input)) -> bool {
    if app.prompt.is_some() {
        return false;
    }
    let Some(picker) = &mut app.picker else { return false };
    edit(&mut picker.input);
    picker.narrow();
    preview(app);
    true
}

/// A key that is bound to nothing while a list is open.
pub(super) fn type_key(app: &mut App, key: Key, effects: &mut Vec<Effect>) -> bool {
    let word = key.held.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let empty = app.picker.as_ref().is_some_and(|picker| picker.input.text.is_empty());
    match key.code {
        KeyCode::Backspace if empty => close(app, effects),
        KeyCode::Backspace if word => return edit(app, Input::pop_word),
        KeyCode::Char('w') if key.held == KeyModifiers::CONTROL => return edit(app, Input::pop_word),
        KeyCode::Char('u') if key.held == KeyModifiers::CONTROL => return edit(app, Input::clear),
        KeyCode::Backspace => return edit(app, Input::pop),
        _ => match typed_char(key) {
            Some(c) => return edit(app, |input| input.push(c)),
            None => return false,
        },
    }
    true
}

/// An action while a list is open; `false` when none is.
pub(super) fn act_in(
    app: &mut App,
    action: &Action,
    count: Option<usize>,
    effects: &mut Vec<Effect>,
) -> bool {
    let Some(picker) = &mut app.picker else { return false };
    let rows = Frame::new(app.size.0, app.size.1).picker_rows(picker.total());
    let page = isize::try_from(rows).unwrap_or(1);
    let times = isize::try_from(count.unwrap_or(1)).unwrap_or(isize::MAX);
    let len = picker.len();
    match action {
        Action::Down | Action::NextGroup => picker.scroll.step(times, len),
        Action::Up | Action::Left => picker.scroll.step(-times, len),
        Action::PageDown => picker.scroll.step(page, len),
        Action::PageUp => picker.scroll.step(-page, len),
        Action::Cancel | Action::Back => {
            close(app, effects);
            return true;
        }
        Action::Quit => app.leaving = true,
        Action::Play => choose(app, effects),
        _ => {}
    }
    preview(app);
    true
}

/// Carries out what the cursor is on.
fn choose(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(picker) = app.picker.take() else { return };
    let Some(offer) = picker.selected() else {
        app.picker = Some(picker);
        return;
    };
    if picker.choice == Choice::Playlist {
        return playlists::chosen(app, &offer.command.clone(), effects);
    }
    if offer.open {
        app.prompt = Some(Prompt::command(&format!("{} ", offer.command)));
        return;
    }
    match action::parse(&offer.command) {
        Ok((_, action)) => act::act(app, &action, None, effects),
        Err(error) => notify(app, effects, Weight::Trouble, error.to_string()),
    }
}

fn close(app: &mut App, effects: &mut Vec<Effect>) {
    if let Some(picker) = app.picker.take()
        && picker.choice == Choice::Theme
    {
        wear(app, &picker.before);
        effects.push(Effect::Redraw);
    }
}

/// A theme is shown as soon as the cursor is on it.
fn preview(app: &mut App) {
    let Some(picker) = app.picker.as_ref().filter(|picker| picker.choice == Choice::Theme) else { return };
    if let Some(name) = picker.selected().map(|offer| offer.name.clone()) {
        wear(app, &name);
    }
}

fn wear(app: &mut App, name: &str) {
    let Theme { ascii, .. } = app.theme;
    app.theme = Theme::named(name, &app.options.own_themes, app.options.colors, ascii);
}

/// Asks where the music can go; the list opens with the answer, or follows it.
pub(super) fn places(app: &mut App, again: bool, effects: &mut Vec<Effect>) {
    let ticket = app.ticket();
    app.places = Some((ticket, again));
    effects.push(Effect::Ask { ticket, request: Request::Places });
}

/// The players that there are.
pub(super) fn answered(
    app: &mut App,
    ticket: u64,
    answer: Option<Answer>,
    error: Option<String>,
    effects: &mut Vec<Effect>,
) {
    let Some((_, again)) = app.places.take_if(|(asked, _)| *asked == ticket) else { return };
    let listed = app.picker.as_ref().map(|picker| picker.choice == Choice::Place);
    // Another list was opened meanwhile, or this one was closed.
    if listed == Some(false) || (again && listed.is_none()) {
        return;
    }
    let places = match answer {
        Some(Answer::Places(places)) => places,
        _ => Err(error.unwrap_or_default()),
    };
    let again = Effect::Timer { timer: Timer::Places, after_ms: LOOK_MS };
    let open = app.picker.as_mut().filter(|picker| picker.choice == Choice::Place);
    match (places, open) {
        (Ok(places), Some(picker)) => {
            picker.offer_places(&places);
            effects.push(again);
        }
        (Err(_), Some(_)) => effects.push(again),
        (Ok(places), None) if places.len() > 1 => {
            app.picker = Some(Picker::places(&places));
            effects.push(again);
        }
        (Ok(_), None) => {
            let said = "No other player of this account is there; `segue play --device NAME` makes one.";
            notify(app, effects, Weight::Done, said.to_owned());
        }
        (Err(why), None) => notify(app, effects, Weight::Trouble, why),
    }
}

/// While the list of players is open, it follows what they do.
pub(super) fn look_again(app: &mut App, effects: &mut Vec<Effect>) {
    let open = app.picker.as_ref().is_some_and(|picker| picker.choice == Choice::Place);
    if open && app.places.is_none() {
        places(app, true, effects);
    }
}

/// Takes another theme, or shows all of them.
pub(super) fn theme(app: &mut App, name: Option<&str>, effects: &mut Vec<Effect>) {
    let themes = Theme::all(&app.options.own_themes);
    match name {
        None => {
            let mut picker = Picker::themes(&themes);
            app.theme.name().clone_into(&mut picker.before);
            picker.select(&format!("theme {}", app.theme.name()));
            app.picker = Some(picker);
        }
        Some(name) if themes.iter().any(|(known, _)| known == name) => {
            wear(app, name);
            effects.push(Effect::Keep { name: THEME, value: name.to_owned() });
        }
        Some(name) => {
            let known: Vec<&str> = themes.iter().map(|(name, _)| name.as_str()).collect();
            let said = format!("There is no theme “{}”; there are: {}.", text::clean(name), known.join(", "));
            notify(app, effects, Weight::Trouble, said);
        }
    }
}

/// Under this name the choice is kept.
pub(super) const THEME: &str = "tui.theme";

/// A click on a row: chooses it.
pub(super) fn click(app: &mut App, at: usize, effects: &mut Vec<Effect>) {
    if let Some(picker) = &mut app.picker {
        picker.scroll.cursor = at.min(picker.len().saturating_sub(1));
        choose(app, effects);
    }
}
