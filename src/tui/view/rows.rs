//! Rows of tracks and albums, alike wherever they stand.

use super::paint::{Cell, Hints, Paint};
use crate::music::{Album, Item, Marks, Track, clock};
use crate::tui::state::App;
use crate::tui::text;

/// What is offered below rows that are selected together.
pub(super) const PICKED_HINTS: Hints = &[
    ("enqueue", "queue"),
    ("enqueue-next", "next"),
    ("add-to-playlist", "playlist"),
    ("love", "love"),
    ("pin", "keep"),
];

/// Between columns.
pub(super) const GAP: usize = 2;

/// Which columns a list of tracks has, and how wide they are: the same for all its rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    number: usize,
    title: usize,
    artist: usize,
    album: usize,
    marks: usize,
    time: usize,
}

/// What a list of tracks wants to show.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent wishes")]
pub(super) struct Want {
    pub(super) number: bool,
    pub(super) artist: bool,
    pub(super) album: bool,
    /// Whether something is pinned, so that marks need room for that sign.
    pub(super) pins: bool,
}

impl Columns {
    /// Widths for these tracks in so many cells. Columns fold away where they would be too narrow to read.
    pub(super) fn of<'a>(tracks: impl Iterator<Item = &'a Track>, want: Want, width: usize) -> Self {
        const STEP: usize = 4;
        let (mut title, mut artist, mut album, mut time, mut last) = (0, 0, 0, 4, 0);
        for track in tracks {
            title = title.max(text::width(&track.title));
            artist = artist.max(text::width(&track.artist));
            album = album.max(text::width(&track.album));
            time = time.max(clock(track.duration_ms).len());
            last = last.max(track.number.unwrap_or(0));
        }
        // Rounded up, so that columns do not shiver while a list scrolls.
        let round = |n: usize| n.div_ceil(STEP) * STEP;
        let number = if want.number { last.max(10).to_string().len() } else { 0 };
        let marks = 1 + usize::from(want.pins);
        let fixed = marks + time + 2 * GAP + if number > 0 { number + GAP } else { 0 };
        let room = width.saturating_sub(fixed);
        let with_album = want.album && room >= 66;
        let with_artist = want.artist && room >= 26;
        let gaps = GAP * (usize::from(with_album) + usize::from(with_artist));
        let wants = [
            round(title),
            if with_artist { round(artist).max(1) } else { 0 },
            if with_album { round(album).max(1) } else { 0 },
        ];
        let room = room.saturating_sub(gaps);
        let given = text::share(room, &wants);
        // What nobody wants is air between the columns, so that times stand at the edge.
        let spare = room.saturating_sub(given.iter().sum());
        let shown = wants.iter().filter(|want| **want > 0).count().max(1);
        let at = |i: usize| match given.get(i).copied().unwrap_or(0) {
            0 => 0,
            n => n + spare / shown,
        };
        Self { number, title: at(0).max(1) + spare % shown, artist: at(1), album: at(2), marks, time }
    }
}

/// Draws one track. `number` stands for its number on the record; what plays has its sign there.
pub(super) fn track(
    app: &App,
    paint: &mut Paint,
    x: u16,
    y: u16,
    columns: &Columns,
    track: &Track,
    look: Look,
) {
    let theme = &app.theme;
    let plays = app.is_playing(track) && look.live;
    let title = match look {
        Look { faded: true, .. } => theme.dim(),
        Look { selected: true, .. } => theme.strong(),
        _ if plays => theme.accent(),
        _ => theme.text(),
    };
    let number = match (plays, track.number) {
        (true, _) => theme.glyphs.playing.to_owned(),
        (false, Some(n)) => n.to_string(),
        (false, None) => String::new(),
    };
    let number_style = if plays { theme.accent() } else { theme.dim() };
    let (sign, sign_style) = sign(app, &Item::Track(track.id.clone()), app.track_marks(track));
    let cells = [
        Cell::right(number, number_style, columns.number),
        Cell::left(text::clean(&track.title), title, columns.title).sliding(look.selected),
        Cell::left(
            text::clean(&track.artist),
            if look.faded { theme.dim() } else { theme.text() },
            columns.artist,
        ),
        Cell::left(text::clean(&track.album), theme.dim(), columns.album),
        Cell::left(sign, sign_style, columns.marks),
        Cell::right(clock(track.duration_ms), theme.dim(), columns.time),
    ];
    paint.row(x, y, GAP, &cells);
}

/// How a row looks besides what stands in it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Look {
    pub(super) selected: bool,
    pub(super) faded: bool,
    /// Whether what plays is marked.
    pub(super) live: bool,
}

/// Marks the row of the cursor, and those that are selected with it; `true` where the row is to stand out.
pub(super) fn edge(
    app: &App,
    paint: &mut Paint,
    x: u16,
    y: u16,
    row: usize,
    cursor: usize,
    focused: bool,
) -> bool {
    let picked = focused && app.is_picked(row);
    if row == cursor {
        paint.edge(x, y, 1, focused);
    } else if picked {
        paint.put(x.saturating_sub(2), y, 1, app.theme.glyphs.pick, app.theme.accent());
    }
    row == cursor || picked
}

/// The keys for a command on this screen.
pub(super) fn key(app: &App, command: &str) -> String {
    let keys = app.keymap.keys_for(app.screen.layer(), command);
    let keys = keys.unwrap_or_else(|| format!(":{}", command.trim_start_matches("command ")));
    if app.theme.ascii { text::ascii_keys(&keys) } else { keys }
}

/// An error in place, and what to do about it.
pub(super) fn trouble(app: &App, paint: &mut Paint, x: u16, y: u16, width: usize, error: &str) {
    let theme = &app.theme;
    paint.put(x, y, 1, theme.glyphs.trouble, theme.trouble());
    let mut y = y;
    for line in text::lines(&text::clean(error), width.saturating_sub(2)) {
        paint.put(x + 2, y, width.saturating_sub(2), &line, theme.text());
        y += 1;
    }
    advice(app, paint, x, y + 1, width, &format!("{} reads it again.", key(app, "redraw")));
}

/// What can be done, in as many lines as it takes.
pub(super) fn advice(app: &App, paint: &mut Paint, x: u16, y: u16, width: usize, words: &str) {
    for (line, y) in text::lines(words, width).iter().zip(y..) {
        paint.put(x, y, width, line, app.theme.dim());
    }
}

/// A heart, or else the rating; then the sign of what is kept on this device.
pub(super) fn sign(app: &App, item: &Item, marks: Marks) -> (String, ratatui::style::Style) {
    let theme = &app.theme;
    let (mut sign, style) = match (marks.starred_at, marks.rating) {
        (Some(_), _) => (theme.glyphs.love.to_owned(), theme.love()),
        (None, 1..) => (marks.rating.to_string(), theme.dim()),
        (None, 0) => (String::new(), theme.dim()),
    };
    if app.downloads.keeps(item) {
        sign.push_str(theme.glyphs.pin);
    }
    (sign, style)
}

/// Year, tracks and length of an album in one line.
pub(super) fn album_facts(app: &App, album: &Album) -> String {
    let dot = app.theme.glyphs.dot;
    let tracks = text::count(u64::from(album.track_count), "track");
    let length = crate::music::long_duration(album.duration_ms);
    match album.year {
        Some(year) => format!("{year} {dot} {tracks} {dot} {length}"),
        None => format!("{tracks} {dot} {length}"),
    }
}
