//! An artist's page: asked for, answered, opened.

use super::{act, notify};
use crate::music::ArtistId;
use crate::tui::effects::{Answer, Effect, Request};
use crate::tui::state::{App, ArtistPage, Screen, Weight};

/// Opens an artist's page.
pub(super) fn show(app: &mut App, id: ArtistId, name: &str) {
    if app.artist.id.as_ref() != Some(&id) {
        app.artist = ArtistPage::of(id, name.to_owned());
    }
    act::enter(app, Screen::Artist);
}

/// Opens the page of who plays.
pub(super) fn show_playing(app: &mut App, effects: &mut Vec<Effect>) {
    let artist = app.player.queue.now.as_ref().map(|now| now.track.artists.first().cloned());
    match artist {
        Some(Some(artist)) => show(app, artist.id, &artist.name),
        Some(None) => {
            let text = "What plays names no artist of its own.".to_owned();
            notify(app, effects, Weight::Done, text);
        }
        None => notify(app, effects, Weight::Done, "Nothing is playing.".to_owned()),
    }
}

/// Asks for what the page shows.
pub(super) fn settle(app: &mut App, effects: &mut Vec<Effect>) {
    let generation = Some(app.session.catalog_generation);
    if let Some(id) = app.artist.id.clone()
        && app.artist.fresh != generation
        && app.artist.awaiting.is_none()
    {
        let ticket = app.ticket();
        app.artist.awaiting = Some(ticket);
        app.artist.fresh = generation;
        effects.push(Effect::Ask { ticket, request: Request::Artist(id) });
    }
}

/// Takes what was read.
pub(super) fn answered(app: &mut App, ticket: u64, answer: Option<Answer>, error: Option<String>) {
    if app.artist.awaiting != Some(ticket) {
        return;
    }
    app.artist.awaiting = None;
    app.artist.error = error;
    if let Some(Answer::Artist(data)) = answer {
        if data.artist.is_none() {
            app.artist.error = Some("This artist is no longer in the library.".to_owned());
        }
        app.artist.take(*data);
    }
}
