//! Settings and the log.

use super::act;
use crate::tui::action::{self, Action};
use crate::tui::effects::{Answer, Effect, Request, Timer};
use crate::tui::state::{App, Screen, Scroll, Settings};

/// How often the log is read again while it is shown, ms.
const AGAIN_MS: u64 = 2_000;

/// A page was opened: what it shows may be old.
pub(super) fn entered(app: &mut App) {
    match app.screen {
        Screen::Statistics => app.statistics.fresh = None,
        Screen::Year => app.year.fresh = None,
        Screen::Insights => app.operators.fresh = None,
        Screen::Log => app.log.read = false,
        Screen::Doctor => app.doctor.looked = false,
        Screen::Privacy => app.privacy.fresh = None,
        _ => {}
    }
}

/// Asks for what the page needs.
pub(super) fn settle(app: &mut App, effects: &mut Vec<Effect>) {
    match app.screen {
        Screen::Log if !app.log.read && app.log.awaiting.is_none() => {
            let ticket = app.ticket();
            app.log.awaiting = Some(ticket);
            effects.push(Effect::Ask { ticket, request: Request::Log(app.options.log_file.clone()) });
        }
        _ => {}
    }
}

/// Takes the end of the log.
pub(super) fn log(
    app: &mut App,
    ticket: u64,
    answer: Option<Answer>,
    error: Option<String>,
    effects: &mut Vec<Effect>,
) {
    if app.log.awaiting != Some(ticket) {
        return;
    }
    (app.log.awaiting, app.log.error, app.log.read) = (None, error, true);
    match answer {
        Some(Answer::Log(Ok(lines))) => app.log.take(lines),
        Some(Answer::Log(Err(why))) => app.log.error = Some(why),
        _ => {}
    }
    effects.push(Effect::Timer { timer: Timer::Log, after_ms: AGAIN_MS });
}

/// Time to read it again, if it is still shown.
pub(super) fn log_may_have_grown(app: &mut App) {
    if app.screen == Screen::Log {
        app.log.read = false;
    }
}

/// Shows only the lines of the log with these words.
pub(super) fn filter(app: &mut App, words: Option<&str>) {
    app.log.filter = words.map(str::to_owned);
    app.log.narrow();
    app.log.scroll = Scroll { cursor: app.log.len().saturating_sub(1), top: 0 };
}

/// Carries out what only these pages know; `false` for everything else.
pub(super) fn act_in(app: &mut App, action: &Action, effects: &mut Vec<Effect>) -> bool {
    match (app.screen, action) {
        (Screen::Settings, Action::Play | Action::Open) => {
            let name =
                app.options.settings.get(app.settings.scroll.cursor).map(|setting| setting.name.clone());
            let command = name.as_deref().and_then(Settings::command);
            if let Some(Ok((_, action))) = command.map(action::parse) {
                act::act(app, &action, None, effects);
            } else {
                let text = "This one is read at the start: set it in config.toml, then start again.";
                super::notify(app, effects, crate::tui::state::Weight::Done, text.to_owned());
            }
        }
        _ => return false,
    }
    true
}
