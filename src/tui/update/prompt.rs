//! Words being typed: the command line, the filter, the search field.

use crossterm::event::{KeyCode, KeyModifiers};

use super::{act, motion, notify, picker, typed_char};
use crate::catalog::{Rules, Sorted};
use crate::tui::KEPT_HISTORY;
use crate::tui::action::{self, Action};
use crate::tui::effects::{Effect, PrivacyWish, Request};
use crate::tui::keymap::Key;
use crate::tui::state::{App, Column, Help, Input, Prompt, Screen, Scroll, Weight};

/// A key that is bound to nothing where words are typed.
pub(super) fn type_key(app: &mut App, key: Key, effects: &mut Vec<Effect>) {
    let word = key.held.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Backspace if word => change(app, effects, Input::pop_word),
        KeyCode::Char('w') if key.held == KeyModifiers::CONTROL => change(app, effects, Input::pop_word),
        KeyCode::Char('u') if key.held == KeyModifiers::CONTROL => change(app, effects, Input::clear),
        KeyCode::Backspace if app.prompt.as_ref().is_some_and(Prompt::is_empty) => close(app),
        KeyCode::Backspace => change(app, effects, Input::pop),
        // Nobody looks for a lone question mark; in the middle of words it is a sign like any.
        KeyCode::Char('?') if key.held.is_empty() && begins_a_word(app) => app.help = Some(Help::default()),
        _ => {
            if let Some(c) = typed_char(key) {
                change(app, effects, |input| input.push(c));
            }
        }
    }
}

/// Whether the search field waits for the first letter of a word.
fn begins_a_word(app: &App) -> bool {
    let words = &app.search.input.text;
    app.prompt.is_none() && app.screen == Screen::Search && (words.is_empty() || words.ends_with(' '))
}

/// Text that was pasted; where no words are typed it is nothing.
pub(super) fn paste(app: &mut App, text: &str, effects: &mut Vec<Effect>) {
    if picker::edit(app, |input| input.paste(text)) {
        return;
    }
    change(app, effects, |input| input.paste(text));
}

fn change(app: &mut App, effects: &mut Vec<Effect>, edit: impl Fn(&mut Input)) {
    match &mut app.prompt {
        Some(Prompt::Command { input, chosen, stem, back }) => {
            edit(input);
            (*chosen, *back) = (None, 0);
            stem.clone_from(&input.text);
        }
        Some(Prompt::Filter(input)) => {
            edit(input);
            let words = input.text.clone();
            narrow(app, &words, effects);
        }
        Some(Prompt::Secret(_, input)) => edit(input),
        Some(Prompt::Jump(input)) => {
            edit(input);
            let letters = input.text.clone();
            jump(app, &letters, effects);
        }
        None if app.screen == Screen::Search && app.search.typing && app.help.is_none() => {
            edit(&mut app.search.input);
            app.search.scroll = Scroll::default();
            app.search.fresh = None;
        }
        None => {}
    }
}

/// Backspace where nothing is left closes the line, as in vim.
fn close(app: &mut App) {
    if matches!(app.prompt, Some(Prompt::Filter(_))) {
        widen(app);
    }
    app.prompt = None;
}

/// An action while a line is open; `false` when none is.
pub(super) fn act_in(app: &mut App, action: &Action, effects: &mut Vec<Effect>) -> bool {
    let Some(prompt) = app.prompt.take() else { return false };
    match (prompt, action) {
        (_, Action::Quit) => app.leaving = true,
        (Prompt::Command { .. } | Prompt::Secret(..), Action::Cancel) => {}
        (Prompt::Command { input, .. }, Action::Play) => {
            if !input.text.trim().is_empty() {
                app.history.push(input.text.trim());
                effects.push(Effect::Keep { name: KEPT_HISTORY, value: app.history.written() });
                match action::parse(&input.text) {
                    Ok((_, action)) => act::act(app, &action, None, effects),
                    Err(error) => notify(app, effects, Weight::Trouble, error.to_string()),
                }
            }
        }
        // Tab goes through what the line may become, up and down through what it was before.
        (Prompt::Command { mut input, chosen, stem, .. }, Action::NextGroup | Action::Left) => {
            let offers = action::complete(&stem);
            let last = offers.len().saturating_sub(1);
            let chosen = match (chosen, action) {
                _ if offers.is_empty() => None,
                (None | Some(0), Action::Left) => Some(last),
                (Some(at), Action::Left) => Some(at - 1),
                (Some(at), _) if at < last => Some(at + 1),
                _ => Some(0),
            };
            if let Some((line, _)) = chosen.and_then(|at| offers.get(at)) {
                input.text.clone_from(line);
            }
            app.prompt = Some(Prompt::Command { input, chosen, stem, back: 0 });
        }
        (Prompt::Command { mut input, stem, back, .. }, Action::Up | Action::Down) => {
            let lines = app.history.like(&stem);
            let back =
                if *action == Action::Up { (back + 1).min(lines.len()) } else { back.saturating_sub(1) };
            let line = back.checked_sub(1).and_then(|at| lines.get(at).copied()).unwrap_or(&stem);
            line.clone_into(&mut input.text);
            app.prompt = Some(Prompt::Command { input, chosen: None, stem, back });
        }
        (Prompt::Filter(_), Action::Cancel) => {
            widen(app);
        }
        // The filter stays; only typing is over.
        (Prompt::Filter(input), Action::Play) => {
            if input.text.trim().is_empty() {
                widen(app);
            }
        }
        (Prompt::Secret(secret, input), Action::Play) => {
            let copies = matches!(secret.wish, PrivacyWish::Export(_));
            if copies || !input.text.is_empty() {
                effects.push(Effect::Privacy { wish: secret.wish, password: input.text.into() });
            }
        }
        (Prompt::Jump(_), Action::Cancel | Action::Play) => app.library.jumping = None,
        (prompt @ Prompt::Filter(_), Action::Down | Action::Up | Action::PageDown | Action::PageUp) => {
            motion::motion(app, action, None);
            app.prompt = Some(prompt);
        }
        (prompt, _) => app.prompt = Some(prompt),
    }
    true
}

/// Shows only what matches, in the list that has the focus. The queue keeps all its rows and marks those.
pub(super) fn narrow(app: &mut App, words: &str, effects: &mut Vec<Effect>) {
    if let Some(help) = &mut app.help {
        words.trim().clone_into(&mut help.filter);
        help.top = 0;
        return;
    }
    if words.trim().is_empty() {
        widen(app);
        return;
    }
    match app.screen {
        Screen::Library => match app.library.column {
            Column::Artists if app.library.artists.complete() => {
                app.library.finding = None;
                app.library.artists.narrow(words);
            }
            Column::Artists => {
                let ticket = app.ticket();
                app.library.finding = Some(ticket);
                effects.push(Effect::Ask { ticket, request: Request::FindArtists(words.to_owned()) });
            }
            Column::Genres if app.library.genres.complete() => app.library.genres.narrow(words),
            Column::Genres => {
                let ticket = app.ticket();
                app.library.finding = Some(ticket);
                effects.push(Effect::Ask { ticket, request: Request::FindGenres(words.to_owned()) });
            }
            Column::Years => app.library.years.narrow(words),
            Column::Albums => match app.library.list().cloned() {
                Some(list) if !app.library.albums.complete() => {
                    let ticket = app.ticket();
                    app.library.finding = Some(ticket);
                    let request = Request::FindAlbums(list, words.to_owned());
                    effects.push(Effect::Ask { ticket, request });
                }
                _ => app.library.albums.narrow(words),
            },
            Column::Tracks => app.library.tracks.narrow(words),
        },
        Screen::Album => app.album.tracks.narrow(words),
        Screen::Artist => app.artist.filter(Some(words)),
        Screen::Mix => app.mix.tracks.narrow(words),
        Screen::Playlists => app.playlists.list.narrow(words),
        Screen::Playlist => app.playlist.tracks.narrow(words),
        Screen::Queue => {
            let queue = app.player.queue.clone();
            app.queue.narrow(&queue, words);
            let from = app.queue.scroll.cursor;
            let matches = &app.queue.matches;
            if let Some(row) = matches.iter().copied().find(|row| *row >= from).or(matches.first().copied()) {
                app.queue.scroll.cursor = row;
                app.queue.select(&queue);
            }
        }
        Screen::Log => super::about::filter(app, Some(words)),
        Screen::Home
        | Screen::Search
        | Screen::Downloads
        | Screen::Player
        | Screen::Statistics
        | Screen::Details
        | Screen::Doctor
        | Screen::Year
        | Screen::Insights
        | Screen::Privacy
        | Screen::Settings => {}
    }
}

/// Puts the cursor where letters lead in the list that has the focus.
fn jump(app: &mut App, letters: &str, effects: &mut Vec<Effect>) {
    if letters.trim().is_empty() {
        return;
    }
    match (app.screen, app.library.column) {
        // Of a long list only the catalog knows where letters stand.
        (Screen::Library, Column::Artists) if !app.library.artists.complete() => {
            app.library.artists.widen();
            let ticket = app.ticket();
            app.library.jumping = Some(ticket);
            let request = Request::PlaceOfLetters(Sorted::Artists, letters.to_owned());
            effects.push(Effect::Ask { ticket, request });
        }
        (Screen::Library, Column::Genres) if !app.library.genres.complete() => {
            app.library.genres.widen();
            let ticket = app.ticket();
            app.library.jumping = Some(ticket);
            effects.push(Effect::Ask { ticket, request: Request::PlaceOfGenre(letters.to_owned()) });
        }
        (Screen::Library, Column::Artists) => app.library.artists.jump(letters),
        (Screen::Library, Column::Genres) => app.library.genres.jump(letters),
        (Screen::Library, Column::Years) => app.library.years.jump(letters),
        (Screen::Library, Column::Albums) => app.library.albums.jump(letters),
        (Screen::Library, Column::Tracks) => app.library.tracks.jump(letters),
        (Screen::Album, _) => app.album.tracks.jump(letters),
        (Screen::Artist, _) => app.artist.jump(letters),
        (Screen::Mix, _) => app.mix.tracks.jump(letters),
        (Screen::Playlists, _) => app.playlists.list.jump(letters),
        (Screen::Playlist, _) => app.playlist.tracks.jump(letters),
        _ => {}
    }
}

/// Keeps what was searched for last as a smart playlist.
pub(super) fn keep_search(app: &mut App, words: &str, effects: &mut Vec<Effect>) {
    let line = app.search.input.text.trim().to_owned();
    if line.is_empty() {
        let said = "Search for something first; then it can be kept.".to_owned();
        return notify(app, effects, Weight::Done, said);
    }
    match Rules::kept(&line, words) {
        Ok((name, rules)) => effects.push(Effect::KeepSearch { name, rules: Box::new(rules) }),
        Err(said) => notify(app, effects, Weight::Trouble, said),
    }
}

/// Takes the filter of the list with the focus away; `false` when there was none.
pub(super) fn widen(app: &mut App) -> bool {
    if let Some(help) = &mut app.help {
        return !std::mem::take(&mut help.filter).is_empty();
    }
    let library = &mut app.library;
    match app.screen {
        Screen::Library => {
            library.finding = None;
            match library.column {
                Column::Artists => library.artists.widen(),
                Column::Genres => library.genres.widen(),
                Column::Years => library.years.widen(),
                Column::Albums => library.albums.widen(),
                Column::Tracks => library.tracks.widen(),
            }
        }
        Screen::Album => app.album.tracks.widen(),
        Screen::Artist => {
            let was = app.artist.filter.is_some();
            app.artist.filter(None);
            was
        }
        Screen::Mix => app.mix.tracks.widen(),
        Screen::Playlists => app.playlists.list.widen(),
        Screen::Playlist => app.playlist.tracks.widen(),
        Screen::Queue => {
            app.queue.matches.clear();
            app.queue.filter.take().is_some()
        }
        Screen::Log => {
            let was = app.log.filter.is_some();
            super::about::filter(app, None);
            was
        }
        Screen::Home
        | Screen::Search
        | Screen::Downloads
        | Screen::Player
        | Screen::Statistics
        | Screen::Details
        | Screen::Doctor
        | Screen::Year
        | Screen::Insights
        | Screen::Privacy
        | Screen::Settings => false,
    }
}
