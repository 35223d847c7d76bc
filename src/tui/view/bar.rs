//! The bar at the bottom of every screen: what plays, where it is, from where, how loud, what is next.
//!
//! Two rows, or one where the terminal is low. What must give way in a narrow terminal gives way in this order:
//! what is next, the volume's picture, the album, the quality.

use ratatui::layout::Rect;

use super::paint::{Paint, Zone};
use crate::music::{Track, clock};
use crate::player::{AdNow, Repeat, Sleep, Supply, Transport};
use crate::tui::layout::Frame;
use crate::tui::state::App;
use crate::tui::text;

/// Cells of the volume's picture.
const BLOCKS: usize = 8;

/// Draws the bar.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    if frame.bar.height >= 2 {
        words(app, paint, frame);
        progress(app, paint, frame);
    } else {
        one_row(app, paint, frame);
    }
}

fn now(app: &App) -> Option<&Track> {
    app.player.queue.now.as_ref().map(|now| &*now.track)
}

fn words(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let y = frame.bar.y;
    let left = frame.margin;
    let right = frame.bar.right().saturating_sub(frame.margin);
    let end = facts(app, paint, y, right, frame.bar.width >= 76).saturating_sub(3);
    if let Some(ad) = &app.player.ad {
        advertise(app, paint, (left, y), usize::from(end.saturating_sub(left)), ad);
        return;
    }
    let Some(track) = now(app) else {
        paint.put(left, y, usize::from(end.saturating_sub(left)), "Nothing is playing", theme.dim());
        return;
    };
    let loved = app.track_marks(track).starred_at.is_some();
    paint.zone(Rect::new(0, y, left + 2, 1), Zone::Command("love-playing".to_owned()));
    if loved {
        paint.put(left, y, 1, theme.glyphs.love, theme.love());
    } else {
        paint.put(left, y, 1, theme.glyphs.dot, theme.faint());
    }
    let x = left + 2;
    let room = usize::from(end.saturating_sub(x));
    let title = text::clean(&track.title);
    let by = by_line(app, track);
    let widths = text::share(room.saturating_sub(3), &[text::width(&title), text::width(&by)]);
    let at = |i: usize| widths.get(i).copied().unwrap_or(0);
    let from = x;
    let x = paint.put(x, y, at(0), &title, theme.strong()) + 3;
    let x = paint.put(x, y, at(1), &by, theme.text());
    paint.zone(Rect::new(from, y, x - from, 1), Zone::Command("go player".to_owned()));
}

/// What is no music says so before anything else; gives the cell after it.
fn advertise(app: &App, paint: &mut Paint, (x, y): (u16, u16), room: usize, ad: &AdNow) -> u16 {
    let theme = &app.theme;
    let tight = room < 32;
    let word = match (ad.of > 1, tight) {
        (false, _) => "ad".to_owned(),
        (true, true) => format!("ad {}/{}", ad.number, ad.of),
        (true, false) => format!("ad {} of {}", ad.number, ad.of),
    };
    let from = x;
    let x = paint.put(x, y, room, &word, theme.busy()) + if tight { 2 } else { 3 };
    let rest = room.saturating_sub(usize::from(x - from));
    let (title, by) = (text::clean(&ad.title), text::clean(&ad.by));
    if tight {
        let x = paint.put(x, y, rest, &title, theme.strong());
        paint.zone(Rect::new(from, y, x - from, 1), Zone::Command("go player".to_owned()));
        return x;
    }
    let widths = text::share(rest.saturating_sub(3), &[text::width(&title), text::width(&by)]);
    let at = |i: usize| widths.get(i).copied().unwrap_or(0);
    let x = paint.put(x, y, at(0), &title, theme.strong()) + 3;
    let x = paint.put(x, y, at(1), &by, theme.text());
    paint.zone(Rect::new(from, y, x - from, 1), Zone::Command("go player".to_owned()));
    x
}

fn by_line(app: &App, track: &Track) -> String {
    let (artist, album) = (text::clean(&track.artist), text::clean(&track.album));
    match (artist.is_empty(), album.is_empty()) {
        (false, false) => format!("{artist} {} {album}", app.theme.glyphs.dot),
        (false, true) => artist,
        _ => album,
    }
}

/// Supply, quality, sleep, shuffle, repeat, volume, from the right; gives their first cell.
fn facts(app: &App, paint: &mut Paint, y: u16, right: u16, roomy: bool) -> u16 {
    let (theme, glyphs) = (&app.theme, app.theme.glyphs);
    let mut x = volume(app, paint, y, right, roomy);
    let queue = &app.player.queue;
    match queue.repeat {
        Repeat::Off => {}
        Repeat::All => x = paint.put_right(x.saturating_sub(3), y, 2, glyphs.repeat, theme.text()),
        Repeat::One => x = paint.put_right(x.saturating_sub(3), y, 2, glyphs.repeat_one, theme.text()),
    }
    if queue.repeat != Repeat::Off {
        paint.zone(Rect::new(x, y, 2, 1), Zone::Command("repeat".to_owned()));
    }
    if queue.shuffle {
        let gap = if queue.repeat == Repeat::Off { 3 } else { 1 };
        x = paint.put_right(x.saturating_sub(gap), y, 1, glyphs.shuffle, theme.text());
        paint.zone(Rect::new(x, y, 1, 1), Zone::Command("shuffle".to_owned()));
    }
    if app.player.private {
        x = paint.put_right(x.saturating_sub(3), y, 7, "private", theme.busy());
        paint.zone(Rect::new(x, y, 7, 1), Zone::Command("private".to_owned()));
    }
    if let Some(name) = &app.player.elsewhere {
        let place = format!("on {}", text::clean(name));
        let end = x.saturating_sub(3);
        x = paint.put_right(end, y, 24, &place, theme.accent());
        paint.zone(Rect::new(x, y, end.saturating_sub(x), 1), Zone::Command("devices".to_owned()));
    }
    if let Some(sleep) = app.player.sleep {
        let left = match sleep {
            Sleep::After { seconds } if seconds > 60 => format!("sleep {}m", seconds.div_ceil(60)),
            Sleep::After { seconds } => format!("sleep {seconds}s"),
            Sleep::TrackEnd => "sleep track".to_owned(),
        };
        x = paint.put_right(x.saturating_sub(3), y, 12, &left, theme.busy());
    }
    if roomy && !app.player.treatment.is_empty() {
        x = paint.put_right(x.saturating_sub(3), y, 24, &app.player.treatment, theme.good());
    }
    // Where another player has its bytes from is not known here.
    let known = app.player.elsewhere.is_none() || app.player.supply == Supply::Offline;
    if queue.now.is_some() && known {
        if roomy && !app.player.quality.is_empty() {
            x = paint.put_right(x.saturating_sub(3), y, 24, &text::clean(&app.player.quality), theme.dim());
        } else {
            x = x.saturating_sub(2);
        }
        let (glyph, style) = match app.player.supply {
            Supply::Cached => (glyphs.cached, theme.good()),
            Supply::Streaming => (glyphs.streaming, theme.busy()),
            Supply::Offline => (glyphs.offline, theme.trouble()),
        };
        x = paint.put_right(x.saturating_sub(1), y, 1, glyph, style);
    }
    x
}

fn volume(app: &App, paint: &mut Paint, y: u16, right: u16, roomy: bool) -> u16 {
    let (theme, glyphs) = (&app.theme, app.theme.glyphs);
    if app.player.output_notice.is_some() {
        return paint.put_right(right, y, 10, "silent", theme.trouble());
    }
    if app.player.muted {
        return paint.put_right(right, y, 10, "muted", theme.trouble());
    }
    if !roomy {
        return paint.put_right(right, y, 8, &format!("vol {}", app.player.volume), theme.dim());
    }
    if app.player.sound.bit_perfect {
        return paint.put_right(right, y, 8, "vol full", theme.dim());
    }
    let full = (usize::from(app.player.volume.min(100)) * BLOCKS).div_ceil(100);
    let blocks = BLOCKS as u16;
    paint.zone(Rect::new(right.saturating_sub(blocks), y, blocks, 1), Zone::Volume);
    let x = paint.put_right(right, y, BLOCKS, &glyphs.volume_off.repeat(BLOCKS - full), theme.faint());
    let x = paint.put_right(x, y, BLOCKS, &glyphs.volume_on.repeat(full), theme.text());
    paint.put_right(x.saturating_sub(1), y, 3, "vol", theme.dim())
}

fn transport(app: &App) -> &'static str {
    let glyphs = app.theme.glyphs;
    match app.player.transport {
        Transport::Stopped => glyphs.stopped,
        Transport::Playing => glyphs.playing,
        Transport::Paused => glyphs.paused,
        Transport::Buffering => glyphs.buffering,
    }
}

fn progress(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let y = frame.bar.y + 1;
    let right = frame.bar.right().saturating_sub(frame.margin);
    if now(app).is_none() {
        let keys = app.keymap.keys_for(app.screen.layer(), "play").unwrap_or_default();
        let text = format!("{keys} plays what is selected");
        paint.put(frame.margin, y, usize::from(right - frame.margin), &text, theme.faint());
        return;
    }
    paint.zone(Rect::new(0, y, frame.margin + 2, 1), Zone::Command("toggle".to_owned()));
    paint.put(frame.margin, y, 1, transport(app), theme.text());
    let (at_ms, of_ms) = place(app);
    let x = paint.put(frame.margin + 2, y, 8, &clock(at_ms), theme.text()) + 1;
    let end = match next(app).filter(|_| frame.bar.width >= 76) {
        Some(next) => {
            let room = usize::from(frame.bar.width) * 36 / 100;
            let x = paint.put_right(right, y, room, &next, theme.text());
            paint.zone(Rect::new(x, y, right.saturating_sub(x), 1), Zone::Command("next".to_owned()));
            paint.put_right(x.saturating_sub(2), y, 4, "next", theme.dim()).saturating_sub(4)
        }
        None => right,
    };
    let end = paint.put_right(end, y, 8, &clock(of_ms), theme.dim()).saturating_sub(1);
    line(app, paint, x, y, usize::from(end.saturating_sub(x)));
}

/// Where it is, and how long what sounds is, ms.
fn place(app: &App) -> (u64, u64) {
    let player = &app.player;
    player.ad.as_ref().map_or((player.position_ms, player.duration_ms), |ad| (ad.position_ms, ad.duration_ms))
}

/// What is heard after this.
fn next(app: &App) -> Option<String> {
    let queue = &app.player.queue;
    let entry = match queue.repeat {
        // Behind an ad it waits for its turn.
        _ if app.player.ad.is_some() => queue.now.as_ref(),
        Repeat::One => queue.now.as_ref(),
        _ => queue.up_next.first().or(queue.context.first()),
    }?;
    let (title, artist) = (text::clean(&entry.track.title), text::clean(&entry.track.artist));
    Some(if artist.is_empty() { title } else { format!("{title} {} {artist}", app.theme.glyphs.dot) })
}

/// Played, its head, what is on this machine, what is not.
fn line(app: &App, paint: &mut Paint, x: u16, y: u16, cells: usize) {
    let (theme, glyphs) = (&app.theme, app.theme.glyphs);
    let player = &app.player;
    paint.zone(Rect::new(x, y, cells as u16, 1), Zone::Seek);
    if cells == 0 {
        return;
    }
    let (at_ms, of_ms) = place(app);
    let part = if of_ms == 0 { 0.0 } else { at_ms as f64 / of_ms as f64 };
    // Half cells: a whole one for each that is over, the head for a half.
    let halves = (part.clamp(0.0, 1.0) * cells as f64 * 2.0).round() as usize;
    let (full, half) = (halves / 2, halves % 2 == 1);
    for i in 0..cells {
        let middle = (i as f32 + 0.5) / cells as f32;
        let here = player.buffered.iter().any(|(from, to)| (*from..=*to).contains(&middle));
        let (glyph, style) = if i < full {
            (glyphs.played, theme.accent())
        } else if i == full && (half || (theme.ascii && full < cells)) {
            (glyphs.head, theme.accent())
        } else if here {
            (glyphs.buffered, theme.dim())
        } else {
            (glyphs.ahead, theme.faint())
        };
        paint.put(x + i as u16, y, 1, glyph, style);
    }
}

/// Everything in one row: state, title, line, times, supply, volume.
fn one_row(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let y = frame.bar.y;
    let left = frame.margin;
    let right = frame.bar.right().saturating_sub(frame.margin);
    let Some(track) = now(app) else {
        let end = volume(app, paint, y, right, false);
        paint.put(left, y, usize::from(end.saturating_sub(left)), "Nothing is playing", theme.dim());
        return;
    };
    let end = facts(app, paint, y, right, false).saturating_sub(2);
    let (at_ms, of_ms) = place(app);
    let times = format!("{}/{}", clock(at_ms), clock(of_ms));
    let end = paint.put_right(end, y, 16, &times, theme.dim()).saturating_sub(1);
    paint.zone(Rect::new(0, y, left + 1, 1), Zone::Command("toggle".to_owned()));
    let mut x = paint.put(left, y, 1, transport(app), theme.text()) + 1;
    if let Some(ad) = &app.player.ad {
        let room = usize::from(end.saturating_sub(x)).saturating_sub(10);
        x = advertise(app, paint, (x, y), room, ad) + 2;
        line(app, paint, x, y, usize::from(end.saturating_sub(x)));
        return;
    }
    if app.track_marks(track).starred_at.is_some() {
        x = paint.put(x, y, 1, theme.glyphs.love, theme.love()) + 1;
    }
    let room = usize::from(end.saturating_sub(x));
    let (title, artist) = (text::clean(&track.title), text::clean(&track.artist));
    let words = room.saturating_sub(10);
    let widths = text::share(words.saturating_sub(2), &[text::width(&title), text::width(&artist)]);
    let at = |i: usize| widths.get(i).copied().unwrap_or(0);
    let from = x;
    x = paint.put(x, y, at(0), &title, theme.strong()) + 2;
    paint.zone(Rect::new(from, y, x - from, 1), Zone::Command("go player".to_owned()));
    if at(1) > 3 {
        x = paint.put(x, y, at(1), &artist, theme.text()) + 2;
    }
    line(app, paint, x, y, usize::from(end.saturating_sub(x)));
}
