//! The full player: the cover as large as it can be, what it is, the words as they are sung, and the sound.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{Hints, Paint, Zone};
use crate::music::{LyricLine, Lyrics, Track, clock};
use crate::player::AdNow;
use crate::tui::layout::Frame;
use crate::tui::state::{App, Sounding, Words};
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints = &[
    ("lyrics", "lyrics"),
    ("lyrics-sooner", "sooner"),
    ("lyrics-later", "later"),
    ("spectrum", "spectrum"),
    ("back", "back"),
];

/// Draws the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let page = frame.page();
    let Some(now) = &app.player.queue.now else {
        let width = usize::from(page.width);
        paint.put(page.x, page.y, width, "Nothing is playing", theme.strong());
        let key = |command| app.keymap.keys_for(app.screen.layer(), command).unwrap_or_default();
        let words = format!("{} finds music, {} is the library.", key("go search"), key("go library"));
        paint.put(page.x, page.y + 2, width, &words, theme.dim());
        return;
    };
    let track = &*now.track;
    if let Some(ad) = &app.player.ad {
        advertise(app, paint, page, ad, track);
        return;
    }
    let full = frame.full(app.full.lyrics, app.full.spectrum);
    if let Some(area) = full.cover {
        paint.cover(app, area, track.cover.as_ref(), &track.album, &track.artist);
        paint.zone(area, Zone::Command("playing-album".to_owned()));
    }
    names(app, paint, full.words, track);
    if let Some(area) = full.lyrics {
        lyrics(app, paint, area);
    }
    if let Some(area) = full.sound {
        sound(app, paint, area);
    }
}

/// An ad, how long it lasts, and what comes after it.
fn advertise(app: &App, paint: &mut Paint, page: Rect, ad: &AdNow, next: &Track) {
    let theme = &app.theme;
    let width = usize::from(page.width);
    let which =
        if ad.of > 1 { format!("Advertisement {} of {}", ad.number, ad.of) } else { "Advertisement".into() };
    paint.put(page.x, page.y, width, &which, theme.busy());
    paint.put(page.x, page.y + 2, width, &text::clean(&ad.title), theme.strong());
    paint.put(page.x, page.y + 3, width, &text::clean(&ad.by), theme.text());
    let left = |until: u64| clock(until.saturating_sub(ad.position_ms).div_ceil(1000) * 1000);
    let key = |command| app.keymap.keys_for(app.screen.layer(), command).unwrap_or_default();
    let skip = match ad.skippable_after_ms {
        Some(after) if ad.position_ms >= after => format!("{} goes on.", key("next")),
        Some(after) => format!("{} goes on in {}.", key("next"), left(after)),
        None => format!("It is over in {}.", left(ad.duration_ms)),
    };
    let (title, artist) = (text::clean(&next.title), text::clean(&next.artist));
    let rows = [
        (format!("Then {title} {} {artist}", theme.glyphs.dot), theme.text()),
        (skip, theme.dim()),
        (app.session.plan.upgrade.clone(), theme.dim()),
    ];
    for (i, (words, style)) in rows.iter().enumerate() {
        let y = page.y + 5 + i as u16;
        if y < page.bottom() {
            paint.put(page.x, y, width, &text::clean(words), *style);
        }
    }
}

fn names(app: &App, paint: &mut Paint, area: Rect, track: &Track) {
    let theme = &app.theme;
    let width = usize::from(area.width);
    let marks = app.track_marks(track);
    let mut x = area.x;
    if marks.starred_at.is_some() {
        x = paint.put(x, area.y, 1, theme.glyphs.love, theme.love()) + 1;
    }
    let x = paint.put(
        x,
        area.y,
        width.saturating_sub(usize::from(x - area.x)),
        &text::clean(&track.title),
        theme.strong(),
    );
    if marks.rating > 0 {
        let stars = theme.glyphs.star.repeat(usize::from(marks.rating.min(5)));
        paint.put(x + 2, area.y, usize::from(area.right().saturating_sub(x + 2)), &stars, theme.dim());
    }
    if area.height > 1 {
        let x = paint.put(area.x, area.y + 1, width, &text::clean(&track.artist), theme.text());
        paint.zone(Rect::new(area.x, area.y + 1, x - area.x, 1), Zone::Command("artist".to_owned()));
    }
    if area.height > 2 {
        let mut about = text::clean(&track.album);
        if let Some(year) = track.year {
            about = format!("{about} {} {year}", theme.glyphs.dot);
        }
        let x = paint.put(area.x, area.y + 2, width, &about, theme.dim());
        paint.zone(Rect::new(area.x, area.y + 2, x - area.x, 1), Zone::Command("playing-album".to_owned()));
    }
}

/// The words around the line that is sung, or from the line that the listener looks at.
fn lyrics(app: &App, paint: &mut Paint, area: Rect) {
    let theme = &app.theme;
    let width = usize::from(area.width);
    let lyrics = match &app.full.words {
        Words::Here(lyrics) => lyrics,
        Words::None => {
            paint.put(area.x, area.y, width, "No lyrics", theme.dim());
            return;
        }
        Words::Waiting => {
            let words = if app.full.asking_server { "Looking for lyrics" } else { "" };
            paint.put(area.x, area.y, width, words, theme.faint());
            return;
        }
    };
    // The edge of the line that is sung stands in the first of two cells before the words.
    let pane = Rect::new(area.x + 2, area.y, area.width.saturating_sub(2), area.height);
    if !lyrics.synced {
        plain(app, paint, Rect::new(area.x, area.y, area.width, area.height), lyrics);
        return;
    }
    let (anchor, _) = app.full.anchor();
    let sung = app.full.line();
    let middle = area.height.saturating_sub(1) * 2 / 5;
    let rows_of = |line: &LyricLine| wrapped(line, usize::from(pane.width)).len() as u16;
    // Upwards from the anchor until the pane is full.
    let (mut first, mut y) = (anchor, middle);
    while let Some(line) = first.checked_sub(1).and_then(|at| lyrics.lines.get(at)) {
        let rows = rows_of(line);
        if rows > y {
            break;
        }
        (first, y) = (first - 1, y - rows);
    }
    // At the beginning the words stand at the top.
    let mut y = if first == 0 { 0 } else { y };
    for (at, line) in lyrics.lines.iter().enumerate().skip(first) {
        if y >= area.height {
            break;
        }
        let here = sung == Some(at);
        let looked = app.full.by_hand == Some(at);
        for row in wrapped(line, usize::from(pane.width)) {
            if y >= area.height {
                break;
            }
            let at_y = area.y + y;
            paint.zone(Rect::new(area.x, at_y, area.width, 1), Zone::Row(at));
            if here || looked {
                paint.edge(pane.x, at_y, 1, here);
            }
            if here {
                sing(app, paint, (pane.x, at_y), line, row);
            } else {
                let style = if looked { theme.text() } else { theme.dim() };
                paint.put(pane.x, at_y, usize::from(pane.width), &line.text[row], style);
            }
            y += 1;
        }
    }
}

/// Words without times, from the line that the listener looks at.
fn plain(app: &App, paint: &mut Paint, area: Rect, lyrics: &Lyrics) {
    let (top, _) = app.full.anchor();
    let mut y = area.y;
    for line in lyrics.lines.iter().skip(top) {
        for row in wrapped(line, usize::from(area.width)) {
            if y >= area.bottom() {
                return;
            }
            paint.put(area.x, y, usize::from(area.width), &line.text[row], app.theme.text());
            y += 1;
        }
    }
}

/// A row of the line that is sung: what was sung is strong, and so is the whole line where its words have no times.
fn sing(app: &App, paint: &mut Paint, (x, y): (u16, u16), line: &LyricLine, row: std::ops::Range<usize>) {
    let theme = &app.theme;
    let place = app.full.place_ms();
    let sung = match line.words.as_slice() {
        [] => line.text.len(),
        words => words.iter().take_while(|word| word.start_ms <= place).last().map_or(0, |word| word.to),
    };
    let sung = sung.clamp(row.start, row.end);
    let room = text::width(&line.text[row.clone()]);
    let end = paint.put(x, y, room, &line.text[row.start..sung], theme.strong());
    paint.put(end, y, room, &line.text[sung..row.end], theme.text());
}

/// Parts of the line that fit one row each; an empty line has one.
fn wrapped(line: &LyricLine, width: usize) -> Vec<std::ops::Range<usize>> {
    text::wrap(&line.text, width)
}

/// Bars of the spectrum, and below them the levels where there is room for both.
fn sound(app: &App, paint: &mut Paint, area: Rect) {
    let meters = area.height >= 3;
    let rows = area.height - u16::from(meters);
    let steps = app.theme.glyphs.bars;
    let sound = &app.full.sound;
    for (i, bar) in sound.bars.iter().enumerate() {
        let x = area.x + 2 * i as u16;
        if x >= area.right() {
            break;
        }
        // Steps of all rows together.
        let full = steps.len() - 1;
        let height = usize::from(*bar) * usize::from(rows) * full / usize::from(Sounding::FULL);
        for row in 0..rows {
            let filled = height.saturating_sub(usize::from(row) * full).min(full);
            if let Some(glyph) = steps.get(filled).filter(|_| filled > 0) {
                paint.put(x, area.y + rows - 1 - row, 1, glyph, app.theme.dim());
            }
        }
    }
    if meters {
        let width = usize::from(area.width.min(96).saturating_sub(3) / 2);
        let y = area.bottom() - 1;
        for (side, (mean, peak)) in sound.levels.iter().enumerate() {
            level(app, paint, area.x + (side * (width + 2)) as u16, y, width, (*mean, *peak));
        }
    }
}

/// One side: the mean as a line, the peak as a mark on it.
fn level(app: &App, paint: &mut Paint, x: u16, y: u16, width: usize, (mean, peak): (u8, u8)) {
    let cells = |step: u8| usize::from(step) * width / usize::from(Sounding::FULL);
    let (glyphs, theme) = (app.theme.glyphs, &app.theme);
    let (full, peak) = (cells(mean), cells(peak));
    paint.put(x, y, width, &glyphs.ahead.repeat(width), theme.faint());
    paint.put(x, y, width, &glyphs.played.repeat(full), theme.dim());
    if peak > full {
        let style: Style = if peak >= width { theme.trouble() } else { theme.text() };
        paint.put(x + (peak - 1) as u16, y, 1, glyphs.played, style);
    }
}
