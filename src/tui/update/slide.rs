//! Long titles of the selected row go by slowly, once the cursor has rested on them for a moment.
//!
//! A timer is set when the cursor comes to a row, and goes on only while something there is cut: where nothing is, no
//! frame is drawn.

use crate::tui::effects::{Effect, Timer};
use crate::tui::state::App;
use crate::tui::view;

/// How long the cursor rests before a title moves, ms.
const REST_MS: u64 = 1_500;
/// How long each step is seen, ms.
const STEP_MS: u64 = 250;
/// Steps after which a title rests for good: whoever has not read it by then is not looking.
const MOST: usize = 240;

/// Begins anew where the cursor is on another row, or the row is drawn on another page.
pub(super) fn settle(app: &mut App, effects: &mut Vec<Effect>) {
    let here = app.list_key().map(|list| (list, app.list_cursor(), app.size));
    if app.slide.here == here {
        return;
    }
    app.slide.stamp += 1;
    (app.slide.offset, app.slide.here) = (0, here);
    if app.slide.here.is_some() && !app.options.still {
        let timer = Timer::Slide(app.slide.stamp);
        effects.push(Effect::Timer { timer, after_ms: REST_MS });
    }
}

/// A step further, where something is cut and seen.
pub(super) fn step(app: &mut App, stamp: u64, effects: &mut Vec<Effect>) {
    if stamp != app.slide.stamp || app.options.still || !app.focused || !view::slides(app) {
        return;
    }
    app.dirty = true;
    if app.slide.offset >= MOST {
        app.slide.offset = 0;
        return;
    }
    app.slide.offset += 1;
    effects.push(Effect::Timer { timer: Timer::Slide(stamp), after_ms: STEP_MS });
}

/// The window is looked at again.
pub(super) fn seen_again(app: &mut App) {
    app.slide.here = None;
}
