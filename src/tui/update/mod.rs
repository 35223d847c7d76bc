//! The one place where state changes: a message in, effects out.
//!
//! `update` hands keys to `act` (through the prompt or the keymap), answers to `answers`, and the statuses of
//! player and session to the parts that show them. Whatever happened, `settle` then brings cursors into their
//! lists and asks for what the screen now needs and does not have.

mod about;
mod act;
mod answers;
mod artist;
mod details;
mod doctor;
mod full;
mod insights;
mod motion;
mod mouse;
mod picker;
mod playlists;
mod privacy;
mod prompt;
mod select;
mod settle;
mod shelves;
mod slide;
mod taste;

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEventKind, KeyModifiers};

use super::Fresh;
use super::effects::{Effect, Msg, Timer};
use super::keymap::Key;
use super::keys::{Typed, WAIT_MS};
use super::state::{App, Beginning, Notices, Screen, Standing, Weight};
use super::text;
use super::theme::Theme;
use crate::client::{Connection, DownloadStatus, SessionStatus, SyncState};
use crate::player::{Sleep, Status};

/// What to do before the first message.
pub fn start(app: &mut App) -> Vec<Effect> {
    let mut effects = Vec::new();
    for text in std::mem::take(&mut app.options.notices) {
        notify(app, &mut effects, Weight::Trouble, text);
    }
    settle::settle(app, &mut effects);
    effects
}

/// Takes one message.
pub fn update(app: &mut App, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    // Most messages change something that is seen; these say so themselves.
    if !matches!(
        msg,
        Msg::Player(_)
            | Msg::Session(_)
            | Msg::Downloads(_)
            | Msg::Sounding(..)
            | Msg::Focus(_)
            | Msg::Timer(Timer::Slide(_))
    ) {
        app.dirty = true;
    }
    match msg {
        Msg::Act(action, count) => act::act(app, &action, count, &mut effects),
        Msg::Key(event) if event.kind == KeyEventKind::Release => {}
        Msg::Key(event) => press(app, event.into(), &mut effects),
        Msg::Mouse(event) => mouse::mouse(app, event, &mut effects),
        Msg::Paste(text) => prompt::paste(app, &text, &mut effects),
        Msg::Fresh(fresh) => self::fresh(app, *fresh, &mut effects),
        Msg::Resize(width, height) => {
            app.size = (width, height);
            // The terminal may have been smaller in between, and forgotten what stood outside.
            effects.push(Effect::Redraw);
        }
        Msg::Timer(Timer::Keys(stamp)) => {
            let map = Arc::clone(&app.keymap);
            let typed = app.keys.expire(stamp, app.layer(), &map);
            run(app, typed, &mut effects);
        }
        Msg::Timer(Timer::Notice(id)) => {
            app.notices.expire(id);
        }
        Msg::Timer(Timer::Slide(stamp)) => slide::step(app, stamp, &mut effects),
        Msg::Timer(Timer::Places) => picker::look_again(app, &mut effects),
        Msg::Timer(Timer::Log) => about::log_may_have_grown(app),
        Msg::Timer(Timer::Lyrics(stamp)) => full::snap(app, stamp),
        Msg::Heard(ms) => full::heard(app, ms),
        Msg::Sounding(bands, rms_db, peak_db) => full::sounding(app, &bands, rms_db, peak_db),
        Msg::Focus(focused) => {
            app.focused = focused;
            slide::seen_again(app);
        }
        Msg::Clock(clock) => app.clock = clock,
        Msg::Player(status) => player(app, *status, &mut effects),
        Msg::Downloads(status) => downloads(app, *status),
        Msg::PlaysOn(Ok(said)) => notify(app, &mut effects, Weight::Done, said),
        Msg::NotPinned(reason) | Msg::SearchKept(Err(reason)) | Msg::PlaysOn(Err(reason)) => {
            notify(app, &mut effects, Weight::Trouble, reason);
        }
        Msg::Session(status) => session(app, *status, &mut effects),
        Msg::Said(sentence) => notify(app, &mut effects, Weight::Trouble, sentence),
        Msg::Answered { ticket, request, answer } => {
            answers::answered(app, ticket, request, answer, &mut effects);
        }
        Msg::Gathered { source, then, count } => answers::gathered(app, &source, then, count, &mut effects),
        Msg::PlaylistChanged { wish, done } => {
            playlists::changed(app, &wish, done.map(|step| *step), &mut effects);
        }
        Msg::NotMarked { item, before, reason } => {
            app.marks.insert(item, before);
            notify(app, &mut effects, Weight::Trouble, reason);
        }
        Msg::SearchKept(Ok(name)) => {
            let text =
                format!("“{}” is a playlist now, and follows what the search finds.", text::clean(&name));
            notify(app, &mut effects, Weight::Done, text);
        }
        Msg::Cover(key, art) => app.covers.put(key, art),
        Msg::Mixes(made) => {
            app.mixes = made;
            app.home.fresh = None;
        }
        Msg::Privacy(said) => privacy::said(app, said, &mut effects),
        Msg::Tasted(said) => taste::said(app, said, &mut effects),
        Msg::Less { item, name, less } => taste::lessened(app, &item, &name, less, &mut effects),
    }
    settle::settle(app, &mut effects);
    effects
}

/// Takes over what was changed in the listener's files.
fn fresh(app: &mut App, fresh: Fresh, effects: &mut Vec<Effect>) {
    app.keymap = Arc::new(fresh.keymap);
    app.keys.clear();
    app.options.own_themes = fresh.own_themes;
    (app.options.ascii, app.options.still) = (fresh.ascii, fresh.still);
    app.options.settings = fresh.settings;
    let name = if fresh.theme.is_empty() { app.theme.name().to_owned() } else { fresh.theme };
    app.theme = Theme::named(&name, &app.options.own_themes, app.options.colors, fresh.ascii);
    if fresh.mistakes.is_empty() {
        notify(app, effects, Weight::Done, "The configuration was read again.".to_owned());
    }
    for text in fresh.mistakes {
        notify(app, effects, Weight::Trouble, text);
    }
}

/// Shows a line for a while.
fn notify(app: &mut App, effects: &mut Vec<Effect>, weight: Weight, text: String) {
    let id = app.notices.pass(weight, text);
    effects.push(Effect::Timer { timer: Timer::Notice(id), after_ms: Notices::STAY_MS });
}

/// Shows a line about something that lasts; `false` when it says nothing new.
fn stand(app: &mut App, effects: &mut Vec<Effect>, cause: Standing, text: Option<String>) -> bool {
    let timer = Effect::Timer { timer: Timer::Notice(cause.id()), after_ms: Notices::STAND_MS };
    let wanted = text.is_some();
    let news = app.notices.stand(cause, text);
    effects.extend((news && wanted).then_some(timer));
    news
}

fn press(app: &mut App, key: Key, effects: &mut Vec<Effect>) {
    let layer = app.layer();
    let map = Arc::clone(&app.keymap);
    let outcome = app.keys.press(key, layer, &map);
    if app.picker.is_some() && outcome.unknown && picker::type_key(app, key, effects) {
        return;
    }
    if let Some(stamp) = outcome.wait {
        effects.push(Effect::Timer { timer: Timer::Keys(stamp), after_ms: WAIT_MS });
    }
    if outcome.unknown {
        if key.held.contains(KeyModifiers::ALT) {
            // Esc and a key typed fast look like this key with Alt.
            press(app, Key { code: KeyCode::Esc, held: KeyModifiers::NONE }, effects);
            press(app, Key { held: key.held - KeyModifiers::ALT, ..key }, effects);
            return;
        }
        prompt::type_key(app, key, effects);
    }
    run(app, outcome.actions, effects);
}

fn run(app: &mut App, typed: Vec<Typed>, effects: &mut Vec<Effect>) {
    for Typed { action, count } in typed {
        act::act(app, &action, count, effects);
    }
}

/// The character that a key adds to words being typed.
fn typed_char(key: Key) -> Option<char> {
    match key.code {
        KeyCode::Char(c) if !key.held.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => Some(c),
        _ => None,
    }
}

fn player(app: &mut App, status: Status, effects: &mut Vec<Effect>) {
    let queue_changed = !Arc::ptr_eq(&status.queue, &app.player.queue);
    let old = std::mem::replace(&mut app.player, status);
    let new = &app.player;
    if new.queue.now.is_some() && app.beginning == Some(Beginning::Told) {
        app.beginning = None;
    }
    // Positions come four times a second; only another second or another part of the bar can be seen.
    let seen = |s: &Status| {
        let part = (s.position_ms * 400).checked_div(s.duration_ms).unwrap_or(0);
        let sleep = s.sleep.map(|sleep| match sleep {
            Sleep::After { seconds } if seconds > 60 => seconds.div_ceil(60) * 60,
            Sleep::After { seconds } => seconds,
            Sleep::TrackEnd => u64::MAX,
        });
        (s.position_ms / 1000, part, s.duration_ms, s.transport, s.volume, s.muted, s.supply, sleep)
    };
    app.dirty |= queue_changed || seen(&old) != seen(new);
    app.dirty |= (&old.treatment, &old.sound, old.private) != (&new.treatment, &new.sound, new.private);
    app.dirty |= old.elsewhere != new.elsewhere;
    app.dirty |= (&old.quality, &old.buffered, &old.output_notice)
        != (&new.quality, &new.buffered, &new.output_notice);
    let notice = new.output_notice.clone();
    full::position(app);
    app.dirty |= stand(app, effects, Standing::Output, notice);
    if queue_changed {
        let first = app.queue.len() == 0;
        let queue = Arc::clone(&app.player.queue);
        app.queue.adopt(&queue);
        app.undoing.watch(&queue);
        if first {
            app.queue.select_now(&queue);
        }
        app.home.can_continue = queue.now.is_some();
        // What was heard before is a row now.
        app.home.fresh = None;
    }
}

fn downloads(app: &mut App, status: DownloadStatus) {
    let old = std::mem::replace(&mut app.downloads.status, status);
    let new = &app.downloads.status;
    // Elsewhere only the signs of rows and what is on this device are seen.
    app.dirty |= app.screen == Screen::Downloads || old.pins != new.pins || old.tracks != new.tracks;
    if old.done != new.done {
        app.home.fresh = None;
        app.dirty = true;
    }
}

fn session(app: &mut App, status: SessionStatus, effects: &mut Vec<Effect>) {
    if status == app.session {
        return;
    }
    app.dirty = true;
    let reached = |s: &SessionStatus| matches!(s.connection, Connection::Online | Connection::Slow);
    if reached(&status) && !reached(&app.session) {
        app.covers.retry();
    }
    stand(app, effects, Standing::Session, status.problem.clone());
    // Until the server has once said that it has no more, an empty library means nothing.
    app.home.waiting = match (&status.sync, &status.connection) {
        (SyncState::Running { .. }, _) => true,
        (SyncState::Idle { at: None }, connection) => !matches!(connection, Connection::Offline { .. }),
        _ => false,
    };
    app.session = status;
}
