//! What works and what does not: looked at whenever the page is opened.

use crate::tui::action::Action;
use crate::tui::effects::{Answer, Effect, Request};
use crate::tui::layout::Frame;
use crate::tui::state::{App, Screen};

/// Has everything looked at, if that was not done since the page was opened.
pub(super) fn settle(app: &mut App, frame: &Frame, effects: &mut Vec<Effect>) {
    if app.screen != Screen::Doctor {
        return;
    }
    if !app.doctor.looked && app.doctor.awaiting.is_none() {
        let ticket = app.ticket();
        app.doctor.awaiting = Some(ticket);
        effects.push(Effect::Ask { ticket, request: Request::Doctor });
    }
    app.doctor.settle(usize::from(frame.page().width), frame.playlist_rows());
}

/// Takes what was found.
pub(super) fn answered(app: &mut App, ticket: u64, answer: Option<Answer>, error: Option<String>) {
    if app.doctor.awaiting != Some(ticket) {
        return;
    }
    (app.doctor.awaiting, app.doctor.error, app.doctor.looked) = (None, error, true);
    if let Some(Answer::Doctor(findings)) = answer {
        app.doctor.findings = Some(findings);
    }
}

/// Enter looks again; `false` for everything else.
pub(super) fn act_in(app: &mut App, action: &Action) -> bool {
    let again = app.screen == Screen::Doctor && matches!(action, Action::Play | Action::Open);
    if again {
        app.doctor.looked = false;
    }
    again
}
