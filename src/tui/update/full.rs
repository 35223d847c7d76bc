//! The full player: asks for the words of what plays, moves them, looks at the sound.

use std::sync::Arc;

use super::notify;
use crate::music::{LyricLine, LyricWord, Lyrics};
use crate::player::{Command, Transport};
use crate::tui::KEPT_PLAYER;
use crate::tui::action::Action;
use crate::tui::effects::{Answer, Effect, Request, Timer};
use crate::tui::state::{App, FullPlayer, Screen, Sounding, Weight, Words};
use crate::tui::text;

/// Asks for the words of what plays, if they are to be seen.
pub(super) fn settle(app: &mut App, effects: &mut Vec<Effect>) {
    let track = app.player.queue.now.as_ref().map(|now| Arc::clone(&now.track));
    let id = track.as_ref().map(|track| track.id.clone());
    if app.full.of != id {
        let (lyrics, spectrum) = (app.full.lyrics, app.full.spectrum);
        let heard_ms = app.player.position_ms;
        app.full = FullPlayer { of: id, lyrics, spectrum, heard_ms, ..FullPlayer::default() };
    }
    match track {
        Some(track) if app.full.lyrics && app.full.words == Words::Waiting && app.full.awaiting.is_none() => {
            let ticket = app.ticket();
            app.full.awaiting = Some(ticket);
            effects.push(Effect::Ask { ticket, request: Request::Lyrics { track, kept: true } });
        }
        _ => {}
    }
}

/// Takes words that were asked for: first those that are kept here, then the server's.
pub(super) fn answered(
    app: &mut App,
    ticket: u64,
    request: &Request,
    answer: Option<Answer>,
    effects: &mut Vec<Effect>,
) {
    let Request::Lyrics { track, kept } = request else { return };
    if app.full.awaiting != Some(ticket) {
        return;
    }
    app.full.awaiting = None;
    if let Some(Answer::Lyrics { found, offset_ms }) = answer {
        if *kept {
            app.full.offset_ms = offset_ms;
        }
        if let Some(best) = best(found)
            && app.full.here() != Some(&best)
        {
            app.full.words = Words::Here(Box::new(best));
            app.full.by_hand = None;
        }
    }
    if *kept {
        let ticket = app.ticket();
        (app.full.awaiting, app.full.asking_server) = (Some(ticket), true);
        effects
            .push(Effect::Ask { ticket, request: Request::Lyrics { track: Arc::clone(track), kept: false } });
    } else {
        app.full.asking_server = false;
        if app.full.words == Words::Waiting {
            app.full.words = Words::None;
        }
    }
}

/// Words with times are worth more than words without. What is drawn has nothing in it that a terminal would obey.
fn best(mut found: Vec<Lyrics>) -> Option<Lyrics> {
    let at = found.iter().position(|lyrics| lyrics.synced).unwrap_or(0);
    let mut lyrics = (at < found.len()).then(|| found.swap_remove(at))?;
    for line in &mut lyrics.lines {
        clean(line);
    }
    Some(lyrics)
}

/// Cleans a line piece by piece, so that its words keep their places.
fn clean(line: &mut LyricLine) {
    let (mut out, mut from) = (String::with_capacity(line.text.len()), 0);
    let mut words = Vec::with_capacity(line.words.len());
    for word in line.words.drain(..) {
        // What a server says of places may be anything.
        let Some(between) = line.text.get(from..word.from) else { continue };
        let Some(sung) = line.text.get(word.from..word.to) else { continue };
        out.push_str(&text::clean(between));
        let start = out.len();
        out.push_str(&text::clean(sung));
        from = word.to;
        words.push(LyricWord { from: start, to: out.len(), ..word });
    }
    out.push_str(&text::clean(line.text.get(from..).unwrap_or_default()));
    (line.text, line.words) = (out, words);
}

/// Carries out what only the full player knows; `false` for everything else.
pub(super) fn act_in(
    app: &mut App,
    action: &Action,
    count: Option<usize>,
    effects: &mut Vec<Effect>,
) -> bool {
    let on = app.screen == Screen::Player;
    match action {
        Action::Lyrics(None) if !on => {
            app.full.lyrics = true;
            keep(app, effects);
            super::act::enter(app, Screen::Player);
        }
        Action::Lyrics(wish) => {
            app.full.lyrics = wish.unwrap_or(!app.full.lyrics);
            keep(app, effects);
        }
        Action::Spectrum(wish) => {
            app.full.spectrum = wish.unwrap_or(!app.full.spectrum);
            app.full.sound = Sounding::default();
            keep(app, effects);
            if app.full.spectrum && app.options.still {
                let text = "The spectrum stands still, since motion is reduced.".to_owned();
                notify(app, effects, Weight::Done, text);
            }
        }
        Action::LyricsSooner(steps) => {
            let steps = steps.saturating_mul(i64::try_from(count.unwrap_or(1)).unwrap_or(1));
            offset(app, app.full.offset_ms.saturating_add(steps * FullPlayer::STEP_MS), effects);
        }
        Action::LyricsOffset(ms) => offset(app, *ms, effects),
        Action::Play if on => play(app, effects),
        Action::Cancel if on && app.full.by_hand.is_some() => app.full.by_hand = None,
        _ => return on && scroll(app, action, count, effects),
    }
    true
}

/// Words and spectrum are there at the next start as they are now.
fn keep(app: &App, effects: &mut Vec<Effect>) {
    effects.push(Effect::Keep { name: KEPT_PLAYER, value: app.full.shows() });
}

/// To the line that was looked for, else on with the music.
fn play(app: &mut App, effects: &mut Vec<Effect>) {
    let line = app.full.by_hand.and_then(|line| app.full.here()?.lines.get(line)?.start_ms);
    match line {
        Some(start) => {
            app.full.by_hand = None;
            let to = start.saturating_add_signed(app.full.offset_ms.saturating_neg());
            effects.push(Effect::Player(Command::SeekTo(to)));
        }
        None if app.player.queue.now.is_some() => effects.push(Effect::Player(Command::Toggle)),
        None => notify(app, effects, Weight::Done, "Nothing is playing.".to_owned()),
    }
}

fn offset(app: &mut App, ms: i64, effects: &mut Vec<Effect>) {
    let ms = ms.clamp(-FullPlayer::MAX_OFFSET_MS, FullPlayer::MAX_OFFSET_MS);
    let Some(track) = app.full.of.clone() else {
        return notify(app, effects, Weight::Done, "Nothing is playing.".to_owned());
    };
    app.full.offset_ms = ms;
    let seconds = ms.unsigned_abs() as f64 / 1000.0;
    let text = match ms {
        0 => "Lyrics come when they say.".to_owned(),
        1.. => format!("Lyrics come {seconds} s sooner; remembered for this track."),
        _ => format!("Lyrics come {seconds} s later; remembered for this track."),
    };
    notify(app, effects, Weight::Done, text);
    effects.push(Effect::KeepOffset { track, ms });
}

fn scroll(app: &mut App, action: &Action, count: Option<usize>, effects: &mut Vec<Effect>) -> bool {
    let height = layout_height(app);
    let times = isize::try_from(count.unwrap_or(1)).unwrap_or(isize::MAX);
    let page = isize::try_from(height).unwrap_or(1).max(2);
    let by = match action {
        Action::Down => times,
        Action::Up => -times,
        Action::HalfDown => (page / 2).saturating_mul(times),
        Action::HalfUp => -(page / 2).saturating_mul(times),
        Action::PageDown => (page - 1).saturating_mul(times),
        Action::PageUp => -(page - 1).saturating_mul(times),
        Action::Top => isize::MIN + 1,
        Action::Bottom => isize::MAX,
        _ => return false,
    };
    if app.full.lyrics && app.full.scroll(by, height) && app.full.here().is_some_and(|lyrics| lyrics.synced) {
        let timer = Timer::Lyrics(app.full.stamp);
        effects.push(Effect::Timer { timer, after_ms: FullPlayer::SNAP_MS });
    }
    true
}

fn layout_height(app: &App) -> usize {
    let full = app.frame().full(app.full.lyrics, app.full.spectrum);
    full.lyrics.map_or(0, |pane| usize::from(pane.height))
}

/// Time to snap back, unless the listener has looked further since.
pub(super) fn snap(app: &mut App, stamp: u64) {
    if app.full.stamp == stamp {
        app.full.by_hand = None;
    }
}

/// What is heard now, between two words of the player.
pub(super) fn heard(app: &mut App, ms: u64) {
    app.full.heard_ms = ms.min(app.player.duration_ms.max(app.player.position_ms));
}

/// The player's word on the position: a step back of a moment is only the clock's, not the listener's.
pub(super) fn position(app: &mut App) {
    const JITTER_MS: u64 = 400;
    let told = app.player.position_ms;
    let ahead = app.full.heard_ms.saturating_sub(told);
    if told > app.full.heard_ms || ahead > JITTER_MS || app.player.transport != Transport::Playing {
        app.full.heard_ms = told;
    }
}

/// A look at the sound: bands in dB and the levels.
pub(super) fn sounding(app: &mut App, bands: &[f32], rms_db: [f32; 2], peak_db: [f32; 2]) {
    if app.spectrum_bands().is_some() {
        app.dirty |= app.full.sound.take(bands, rms_db, peak_db);
    }
}
