//! Everything about one track: asked for, answered, opened.

use super::{act, artist, notify, select, taste};
use crate::music::Item;
use crate::tui::action::Action;
use crate::tui::effects::{Answer, Effect, Request};
use crate::tui::layout::Frame;
use crate::tui::state::{App, DetailsPage, Leads, Screen, Weight};

/// Opens the page of the selected track, or of what plays.
pub(super) fn show(app: &mut App, effects: &mut Vec<Effect>) {
    let playing = || app.player.queue.now.as_ref().map(|now| crate::music::Track::clone(&now.track));
    let Some(track) = select::track(app).or_else(playing) else {
        let text = "There is no track here: select one.".to_owned();
        return notify(app, effects, Weight::Done, text);
    };
    let context = taste::context_of(app, &track);
    if app.details.id.as_ref() != Some(&track.id) {
        app.details =
            DetailsPage { id: Some(track.id), title: track.title, context, ..DetailsPage::default() };
    }
    act::enter(app, Screen::Details);
}

/// Asks for what the page shows.
pub(super) fn settle(app: &mut App, effects: &mut Vec<Effect>) {
    let generation = Some(app.session.catalog_generation);
    if let Some(track) = app.details.id.clone()
        && app.details.fresh != generation
        && app.details.awaiting.is_none()
    {
        let ticket = app.ticket();
        app.details.awaiting = Some(ticket);
        app.details.fresh = generation;
        let context = app.details.context.clone();
        effects.push(Effect::Ask { ticket, request: Request::Details { track, context } });
    }
}

/// Makes the rows anew for the page as it is.
pub(super) fn scroll(app: &mut App, frame: &Frame) {
    let rows = frame.artist().rows;
    let marks = app.details.track().map(|track| app.marks_of(&Item::Track(track.id.clone()), track.marks));
    let minutes = app.minutes_ahead();
    app.details.settle(usize::from(rows.width), usize::from(rows.height), marks.unwrap_or_default(), minutes);
}

/// Takes what was read.
pub(super) fn answered(app: &mut App, ticket: u64, answer: Option<Answer>, error: Option<String>) {
    if app.details.awaiting != Some(ticket) {
        return;
    }
    app.details.awaiting = None;
    app.details.error = error;
    if let Some(Answer::Details(data)) = answer {
        if data.track.is_none() {
            app.details.error = Some("This track is no longer in the library.".to_owned());
        }
        app.details.data = Some(*data);
    }
}

/// Carries out what only this page knows; `false` for everything else.
pub(super) fn act_in(app: &mut App, action: &Action) -> bool {
    if app.screen != Screen::Details {
        return false;
    }
    let leads = app.details.selected().and_then(|row| row.leads.clone());
    match (action, leads) {
        (Action::Open | Action::Artist, Some(Leads::Artist(who))) => artist::show(app, who.id, &who.name),
        (Action::Open, Some(Leads::Album(id))) => act::show_album(app, id),
        _ => return false,
    }
    true
}
