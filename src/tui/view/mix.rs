//! A mix's page: its tile, what it is and why on one side, its tracks with their reasons on the other.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{Hints, Paint, Zone};
use super::rows::{self, Columns, Look, Want};
use crate::catalog::KeptMix;
use crate::music::{Track, long_duration};
use crate::tui::layout::{AlbumLayout, Frame};
use crate::tui::state::App;
use crate::tui::text;

/// What is offered below.
pub(super) const HINTS: Hints =
    &[("play", "play"), ("enqueue", "queue"), ("why", "why"), ("less", "less"), ("pin", "keep")];

/// Narrowest column in which a reason can be read.
const REASON: usize = 34;

/// Draws the page.
pub(super) fn draw(app: &App, paint: &mut Paint, frame: &Frame) {
    let theme = &app.theme;
    let layout = frame.mix();
    let page = frame.page();
    let width = usize::from(page.width);
    if let Some(error) = &app.mix.error {
        rows::trouble(app, paint, page.x, page.y, width, error);
        return;
    }
    let Some(kept) = &app.mix.kept else {
        let words = if app.mix.awaiting.is_some() { "" } else { "No mix is open" };
        paint.put(page.x, page.y, width, words, theme.dim());
        return;
    };
    if let Some(area) = layout.cover {
        tile(app, paint, area, kept);
    }
    words(app, paint, &layout, kept);
    tracks(app, paint, &layout);
}

/// The picture of a mix: that of its first track, or two tones.
pub(super) fn tile(app: &App, paint: &mut Paint, area: Rect, kept: &KeptMix) {
    // `Daily Mix 2` is D2.
    let name = kept.mix.name.replace(" Mix ", " ");
    paint.cover(app, area, kept.cover.as_ref(), &name, &kept.mix.id);
}

fn words(app: &App, paint: &mut Paint, layout: &AlbumLayout, kept: &KeptMix) {
    let theme = &app.theme;
    let area = layout.words;
    let width = usize::from(area.width);
    let tracks = text::count(kept.mix.picks.len() as u64, "track");
    let facts = format!("{tracks} {} {}", theme.glyphs.dot, long_duration(kept.duration_ms));
    let why = text::clean(&kept.mix.why);
    let selected = app.mix.tracks.selected();
    let reason = selected.and_then(|track| Some((track, app.mix.why(&track.id)?)));
    let mut lines: Vec<(String, Style)> = vec![
        (text::clean(&kept.mix.name), theme.strong()),
        (text::clean(&kept.mix.about), theme.text()),
        (facts, theme.dim()),
    ];
    if area.height >= 8 {
        lines.push((String::new(), theme.dim()));
        lines.extend(text::lines(&format!("Why: {why}."), width).into_iter().map(|l| (l, theme.dim())));
        if let Some((track, reason)) = reason {
            lines.push((String::new(), theme.dim()));
            let title = text::clean(&track.title);
            lines.extend(text::lines(&title, width).into_iter().map(|l| (l, theme.text())));
            let reason = text::clean(reason);
            lines.extend(text::lines(&reason, width).into_iter().map(|l| (l, theme.dim())));
        }
    } else if let Some((_, reason)) = reason {
        lines.push((text::clean(reason), theme.dim()));
    }
    for ((line, style), y) in lines.into_iter().zip(area.y..area.bottom()) {
        paint.put(area.x, y, width, &line, style);
    }
}

fn tracks(app: &App, paint: &mut Paint, layout: &AlbumLayout) {
    let theme = &app.theme;
    let list = &app.mix.tracks;
    let area = layout.rows;
    let width = usize::from(area.width);
    if list.len() == 0 && list.known() {
        let words = if list.filter().is_some() { "Nothing matches" } else { "Nothing is left in this mix" };
        paint.put(area.x, area.y, width, words, theme.dim());
    }
    let want = Want { artist: true, pins: app.downloads.mark_cells() > 1, ..Want::default() };
    // Reasons stand beside the tracks where both can be read.
    let reasons = if width >= 60 + REASON { (width - 60).clamp(REASON, 64) } else { 0 };
    let columns_width = width - if reasons > 0 { reasons + 3 } else { 0 };
    let rows: Vec<Track> = list.rows().cloned().collect();
    let columns = Columns::of(rows.iter(), want, columns_width);
    let shown = usize::from(area.height).min(list.len().saturating_sub(list.scroll.top));
    for i in 0..shown {
        let at = list.scroll.top + i;
        let Some(track) = list.get(at) else { continue };
        let selected = at == list.scroll.cursor;
        let y = area.y + i as u16;
        paint.zone(Rect::new(area.x, y, area.width, 1), Zone::Row(at));
        if selected {
            paint.edge(area.x, y, 1, true);
        }
        let look = Look { selected, live: true, ..Look::default() };
        rows::track(app, paint, area.x, y, &columns, track, look);
        if reasons > 0
            && let Some(why) = app.mix.why(&track.id)
        {
            let x = area.x + columns_width as u16 + 3;
            paint.put(x, y, reasons, &text::clean(why), theme.dim());
        }
    }
}
