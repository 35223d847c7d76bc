//! Playlists changed: what was wished for shows at once and is written down in order; what was done can be undone.

use super::{act, notify, select};
use crate::tui::effects::{Effect, PlaylistStep, PlaylistWish, Source};
use crate::tui::state::{App, Picker, Screen, Step, Weight, moved};
use crate::tui::text;

/// Asks for a change; it is written down after those that were asked for before.
pub(super) fn wish(app: &mut App, wish: PlaylistWish, effects: &mut Vec<Effect>) {
    if app.playlists.waiting.is_empty() {
        effects.push(Effect::Playlist(wish.clone()));
    }
    app.playlists.waiting.push_back(wish);
}

/// A change was written down, or could not be.
pub(super) fn changed(
    app: &mut App,
    wish: &PlaylistWish,
    done: Result<PlaylistStep, String>,
    effects: &mut Vec<Effect>,
) {
    app.playlists.waiting.pop_front();
    match done {
        Ok(step) => {
            if let Some(old) = wish.id().filter(|old| **old != step.id) {
                renamed(app, &old.clone(), &step);
            }
            // A row that moves is seen moving.
            if !matches!(wish, PlaylistWish::Move { .. }) {
                let said = said(app, wish, &step);
                notify(app, effects, Weight::Done, said);
            }
            if !matches!(wish, PlaylistWish::Turn { .. }) && step.before != step.after {
                app.undoing.push(Step::Playlist(Box::new(step)));
            }
        }
        Err(reason) => notify(app, effects, Weight::Trouble, reason),
    }
    if let Some(next) = app.playlists.waiting.front() {
        effects.push(Effect::Playlist(next.clone()));
    } else {
        // What is shown was changed ahead of the catalog; now it is read again.
        app.playlists.fresh = None;
        app.playlist.fresh = None;
    }
}

/// The server gave the playlist another id than it had here, or it was made again.
fn renamed(app: &mut App, old: &crate::music::PlaylistId, step: &PlaylistStep) {
    app.undoing.rename(old, &step.id);
    if app.playlist.id.as_ref() == Some(old) {
        app.playlist.id = Some(step.id.clone());
    }
    for wish in &mut app.playlists.waiting {
        match wish {
            PlaylistWish::Add { id, .. }
            | PlaylistWish::Remove { id, .. }
            | PlaylistWish::Move { id, .. }
            | PlaylistWish::Rename { id, .. }
            | PlaylistWish::Delete { id }
                if id == old =>
            {
                id.clone_from(&step.id);
            }
            PlaylistWish::Turn { step: other, .. } if other.id == *old => other.id.clone_from(&step.id),
            _ => {}
        }
    }
}

fn said(app: &App, wish: &PlaylistWish, step: &PlaylistStep) -> String {
    let name = text::clean(step.name());
    let back = || {
        let keys = app.keymap.keys_for(app.screen.layer(), "undo").unwrap_or_default();
        format!("{keys} brings it back.")
    };
    let len =
        |side: &Option<crate::tui::effects::Contents>| side.as_ref().map_or(0, |side| side.tracks.len());
    let (before, after) = (len(&step.before), len(&step.after));
    let tracks = |n: usize| text::count(n as u64, "track");
    match wish {
        PlaylistWish::Create { .. } if after == 0 => format!("“{name}” is there, and empty."),
        PlaylistWish::Create { .. } => format!("“{name}” is there, with {}.", tracks(after)),
        PlaylistWish::Add { .. } if after == before => "There is nothing to add.".to_owned(),
        PlaylistWish::Add { .. } => format!("Added {} to “{name}”.", tracks(after - before)),
        PlaylistWish::Remove { .. } => {
            format!("Took {} out of “{name}”. {}", tracks(before.saturating_sub(after)), back())
        }
        PlaylistWish::Move { .. } | PlaylistWish::Rename { .. } => format!("It is called “{name}” now."),
        PlaylistWish::Delete { .. } => format!("Deleted “{name}”. {}", back()),
        PlaylistWish::Turn { redo: false, .. } => format!("Undone: {}.", step.what),
        PlaylistWish::Turn { redo: true, .. } => format!("Done again: {}.", step.what),
    }
}

/// Adds the selection to a playlist: to the one of that name, to a new one of that name, or to one to be chosen.
pub(super) fn add(app: &mut App, name: &str, effects: &mut Vec<Effect>) {
    let Some(source) = select::chosen(app) else {
        notify(app, effects, Weight::Done, "There is nothing here to add to a playlist.".to_owned());
        return;
    };
    app.picks.clear();
    let name = name.trim();
    if name.is_empty() {
        app.playlists.adding = Some(source);
        app.playlists.fresh = None;
        app.picker = Some(Picker::playlists(app.playlists.list.rows()));
        return;
    }
    let known = app.playlists.list.rows().find(|list| list.name == name).map(|list| list.id.clone());
    let change = match known {
        Some(id) => PlaylistWish::Add { id, source },
        None => PlaylistWish::Create { name: name.to_owned(), source },
    };
    wish(app, change, effects);
}

/// A playlist was chosen for what is to be added.
pub(super) fn chosen(app: &mut App, command: &str, effects: &mut Vec<Effect>) {
    let Some(source) = app.playlists.adding.take() else { return };
    let change = match command.split_once(' ') {
        Some(("new", name)) => PlaylistWish::Create { name: name.to_owned(), source },
        Some((_, id)) => PlaylistWish::Add { id: id.into(), source },
        None => return,
    };
    wish(app, change, effects);
}

/// Makes an empty playlist, or one of what is to be heard.
pub(super) fn create(app: &mut App, name: &str, of_queue: bool, effects: &mut Vec<Effect>) {
    let queue = &app.player.queue;
    let tracks = if of_queue {
        let rows = queue.now.iter().chain(&queue.up_next).chain(&queue.context);
        rows.map(|entry| crate::music::Track::clone(&entry.track)).collect()
    } else {
        Vec::new()
    };
    if of_queue && tracks.is_empty() {
        notify(app, effects, Weight::Done, "The queue is empty.".to_owned());
        return;
    }
    let source = Source::Tracks(tracks, name.to_owned());
    wish(app, PlaylistWish::Create { name: name.to_owned(), source }, effects);
}

/// The playlist that is meant where nothing else is said: the open one, or the one under the cursor.
fn meant(app: &App) -> Option<crate::music::PlaylistId> {
    match app.screen {
        Screen::Playlists => app.playlists.list.selected().map(|list| list.id.clone()),
        Screen::Playlist => app.playlist.id.clone(),
        _ => None,
    }
}

/// Its name, to be written over.
pub(super) fn meant_name(app: &App) -> Option<&str> {
    match app.screen {
        Screen::Playlists => app.playlists.list.selected().map(|list| list.name.as_str()),
        Screen::Playlist => app.playlist.playlist.as_ref().map(|list| list.name.as_str()),
        _ => None,
    }
}

/// Gives the playlist another name.
pub(super) fn rename(app: &mut App, name: &str, effects: &mut Vec<Effect>) {
    match meant(app) {
        Some(id) => wish(app, PlaylistWish::Rename { id, name: name.to_owned() }, effects),
        None => notify(app, effects, Weight::Done, "Go to a playlist first.".to_owned()),
    }
}

/// Deletes the playlists that are selected; `u` brings them back.
fn delete(app: &mut App, effects: &mut Vec<Effect>) {
    let rows = act::rows(app, 1);
    let ids: Vec<_> =
        rows.iter().filter_map(|row| app.playlists.list.get(*row)).map(|list| list.id.clone()).collect();
    app.picks.clear();
    if ids.is_empty() {
        return;
    }
    let kept = app.playlists.list.rows().filter(|list| !ids.contains(&list.id)).cloned().collect();
    let scroll = app.playlists.list.scroll;
    app.playlists.list.replace(kept);
    app.playlists.list.scroll = scroll;
    for id in ids {
        wish(app, PlaylistWish::Delete { id }, effects);
    }
}

/// Takes rows out, or deletes whole playlists.
pub(super) fn remove(app: &mut App, times: usize, effects: &mut Vec<Effect>) {
    if app.screen == Screen::Playlists {
        return delete(app, effects);
    }
    let rows = places(app, times);
    let Some(id) = app.playlist.id.clone().filter(|_| !rows.is_empty()) else { return };
    app.picks.clear();
    app.playlist.change(|tracks| {
        let kept = tracks.into_iter().enumerate().filter(|(place, _)| !rows.contains(place));
        kept.map(|(_, track)| track).collect()
    });
    wish(app, PlaylistWish::Remove { id, rows }, effects);
}

/// Moves rows; the cursor and the selection go along.
pub(super) fn shift(app: &mut App, by: isize, effects: &mut Vec<Effect>) {
    if app.playlist.tracks.filter().is_some() {
        notify(app, effects, Weight::Done, "Rows move when the filter is gone.".to_owned());
        return;
    }
    let rows = places(app, 1);
    let (Some(first), Some(id)) = (rows.iter().min().copied(), app.playlist.id.clone()) else { return };
    let len = app.playlist.tracks.len();
    let to = first.saturating_add_signed(by).min(len.saturating_sub(rows.len()));
    let solid = rows.iter().enumerate().all(|(i, row)| *row == first + i);
    if to == first && solid {
        return;
    }
    app.playlist.change(|tracks| moved(tracks, &rows, by));
    if app.picks.active() {
        app.take_picks_to(to, rows.len());
    } else {
        app.playlist.tracks.scroll.cursor = to;
    }
    wish(app, PlaylistWish::Move { id, rows, by }, effects);
}

/// Places in the whole playlist of the rows that are meant.
fn places(app: &App, times: usize) -> Vec<usize> {
    let rows = act::rows(app, times);
    rows.iter().filter_map(|row| app.playlist.tracks.get(*row)).map(|row| row.place).collect()
}

/// Takes the last edit back, or does it again.
pub(super) fn turn(app: &mut App, redo: bool, times: usize, effects: &mut Vec<Effect>) {
    for _ in 0..times.min(200) {
        let queue = app.player.queue.clone();
        let step = if redo { app.undoing.redo() } else { app.undoing.undo() };
        match step {
            Some(Step::Queue(id)) => {
                let mark = if redo { &queue.redo } else { &queue.undo };
                let what = mark.as_ref().filter(|mark| mark.id == id && times == 1);
                let word = if redo { "Done again" } else { "Undone" };
                let said = match what {
                    Some(mark) => format!("{word}: {}.", crate::tui::state::in_words(&mark.what)),
                    None => format!("{word}."),
                };
                notify(app, effects, Weight::Done, said);
                let command = if redo { crate::player::Command::Redo } else { crate::player::Command::Undo };
                effects.push(Effect::Player(command));
            }
            Some(Step::Playlist(step)) => wish(app, PlaylistWish::Turn { step, redo }, effects),
            None => {
                let said = if redo { "There is nothing to do again." } else { "There is nothing to undo." };
                notify(app, effects, Weight::Done, said.to_owned());
                return;
            }
        }
    }
}
