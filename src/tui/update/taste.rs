//! What the listener asks of taste: why this song, less of it, radio, a way from here to there, profiling.

use super::{notify, select};
use crate::music::{Item, Track};
use crate::player::Command;
use crate::tui::action::{Action, Less};
use crate::tui::effects::{Effect, Request, Source};
use crate::tui::state::{App, Weight, Why};
use crate::tui::text;

/// Carries out what is of this kind; `false` when it is something else.
pub(super) fn act(app: &mut App, action: &Action, effects: &mut Vec<Effect>) -> bool {
    match action {
        Action::Why => {
            let track = select::track(app);
            why(app, track, effects);
        }
        Action::WhyPlaying => {
            let track = app.player.queue.now.as_ref().map(|now| Track::clone(&now.track));
            why(app, track, effects);
        }
        Action::Less(what) => less(app, *what, effects),
        Action::Radio => radio(app, effects),
        Action::Path => path(app, effects),
        Action::Profiling(on) => effects.push(Effect::Profiling(*on)),
        _ => return false,
    }
    true
}

/// An action while the pop-up is open. It closes with the next key, which does what it always does unless it only meant
/// to close.
pub(super) fn act_in(app: &mut App, action: &Action, effects: &mut Vec<Effect>) -> bool {
    let Some(open) = app.why.take() else { return false };
    match action {
        Action::Cancel | Action::Back | Action::Why | Action::WhyPlaying | Action::Play => true,
        Action::Less(what) => {
            let track = Item::Track(open.track);
            ask_less(*what, track, open.title, effects);
            true
        }
        _ => false,
    }
}

fn why(app: &mut App, track: Option<Track>, effects: &mut Vec<Effect>) {
    let Some(track) = track else {
        notify(app, effects, Weight::Done, "There is no track here to ask about.".to_owned());
        return;
    };
    let ticket = app.ticket();
    let context = context_of(app, &track);
    let request = Request::Why { track: track.id.clone(), context };
    app.why = Some(Why { track: track.id, title: track.title, lines: None, awaiting: ticket });
    effects.push(Effect::Ask { ticket, request });
}

/// What the track is seen in, as far as that has reasons: the queue's context, or the open mix.
pub(super) fn context_of(app: &App, track: &Track) -> String {
    if app.is_playing(track) { app.player.queue.context_name.clone() } else { shown(app) }
}

/// The name of the mix whose page is open.
fn shown(app: &App) -> String {
    let open = app.mix.kept.as_ref().filter(|_| app.screen == crate::tui::Screen::Mix);
    open.map(|kept| kept.mix.name.clone()).unwrap_or_default()
}

fn less(app: &mut App, what: Less, effects: &mut Vec<Effect>) {
    let (item, name) = match (select::track(app), select::item(app)) {
        (Some(track), _) => (Item::Track(track.id), track.title),
        (None, Some((item @ Item::Artist(_), _))) => (item, "this artist".to_owned()),
        (None, Some(_)) => {
            let text = "Less of an album means less of its artist or of its tracks: open it with o.";
            notify(app, effects, Weight::Done, text.to_owned());
            return;
        }
        (None, None) => {
            notify(app, effects, Weight::Done, "There is nothing here to want less of.".to_owned());
            return;
        }
    };
    ask_less(what, item, name, effects);
}

fn ask_less(what: Less, item: Item, name: String, effects: &mut Vec<Effect>) {
    effects.push(Effect::Less { item, name, artist: what == Less::Artist });
}

fn radio(app: &mut App, effects: &mut Vec<Effect>) {
    match select::source(app) {
        Some(source) => {
            let name = text::clean(source.name());
            notify(app, effects, Weight::Done, format!("Radio from “{name}” begins."));
            let playing = app.player.queue.now.as_ref().map(|now| &now.track.id);
            let goes_on = matches!(&source, Source::One(id, _) if playing == Some(id));
            effects.push(Effect::Radio { source, goes_on });
        }
        None => notify(app, effects, Weight::Done, "There is nothing here to make a radio of.".to_owned()),
    }
}

fn path(app: &mut App, effects: &mut Vec<Effect>) {
    let from = app.player.queue.now.as_ref().map(|now| now.track.id.clone());
    match (from, select::track(app)) {
        (None, _) => {
            notify(app, effects, Weight::Done, "A path begins at what plays, and nothing does.".to_owned());
        }
        (_, None) => notify(app, effects, Weight::Done, "A path leads to a track: select one.".to_owned()),
        (Some(from), Some(to)) if from == to.id => {
            notify(app, effects, Weight::Done, "That is what plays already.".to_owned());
        }
        (Some(from), Some(to)) => effects.push(Effect::Path { from, to: to.id, title: to.title }),
    }
}

/// What came of it, as a sentence for the listener.
pub(super) fn said(app: &mut App, said: Result<String, String>, effects: &mut Vec<Effect>) {
    match said {
        Ok(text) => notify(app, effects, Weight::Done, text),
        Err(text) => notify(app, effects, Weight::Trouble, text),
    }
}

/// The listener wants less of something, or no longer less: what of it is to come goes out of the queue at once.
pub(super) fn lessened(app: &mut App, item: &Item, name: &str, less: bool, effects: &mut Vec<Effect>) {
    app.home.fresh = None;
    app.mix.fresh = None;
    let name = text::clean(name);
    if !less {
        notify(app, effects, Weight::Done, format!("“{name}” is as welcome as before."));
        return;
    }
    let is_it = |track: &Track| match item {
        Item::Track(id) => track.id == *id,
        Item::Artist(id) => track.artists.first().is_some_and(|artist| artist.id == *id),
        Item::Album(_) => false,
    };
    let queue = &app.player.queue;
    let gone: Vec<u64> = queue.context.iter().filter(|e| is_it(&e.track)).map(|e| e.uid).collect();
    let playing = queue.now.as_ref().is_some_and(|now| is_it(&now.track));
    if !gone.is_empty() {
        effects.push(Effect::Player(Command::Remove(gone)));
    }
    if playing {
        effects.push(Effect::Player(Command::Next));
    }
    let key = app.keymap.keys_for(app.screen.layer(), "less").unwrap_or_default();
    let back = if key.is_empty() { String::new() } else { format!("; {key} again takes that back") };
    notify(app, effects, Weight::Done, format!("Less of “{name}” from now on{back}."));
}
