//! Drawing on a buffer, one row at a time: text that is cut where it must be, columns, the cursor's edge, covers.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::music::CoverId;
use crate::tui::cover::{CoverArt, Rgb, tones};
use crate::tui::state::{App, Column, Spot};
use crate::tui::text;
use crate::tui::theme::Theme;

/// Commands that a page offers below itself, each with its word; they can be clicked.
pub(super) type Hints = &'static [(&'static str, &'static str)];

/// What a click on a part of the screen means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Nothing, though something else lies under it.
    Nothing,
    /// The command that stands there.
    Command(String),
    /// A row of the screen's list.
    Row(usize),
    /// A row of a column of the library.
    Column(Column, usize),
    /// Something on the opening screen.
    Spot(Spot),
    /// A row of the list to choose from.
    Offer(usize),
    /// The part of the track that lies under the click.
    Seek,
    /// The volume at the click.
    Volume,
}

/// What is drawn on, and with what; and what clicks on it mean, the uppermost last.
pub(super) struct Paint<'a> {
    pub(super) buf: &'a mut Buffer,
    pub(super) theme: &'a Theme,
    pub(super) zones: Vec<(Rect, Zone)>,
    /// Where the cursor's edge was drawn, the uppermost last.
    pub(super) edges: Vec<(u16, u16)>,
    /// Whether the terminal's own pictures may be drawn.
    pub(super) pictures: bool,
    /// Cells that long titles of the selected row went by.
    pub(super) slide: usize,
    /// Whether there is such a title.
    pub(super) slides: bool,
}

/// A piece of a row.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) style: Style,
    pub(super) right: bool,
    pub(super) width: usize,
    /// Bytes of the text whose letters stand out.
    pub(super) marked: Vec<Range<usize>>,
    /// Whether it goes by where it is cut.
    pub(super) slides: bool,
}

impl Cell {
    /// Text from the left of so many cells.
    pub(super) fn left(text: impl Into<String>, style: Style, width: usize) -> Self {
        Self { text: text.into(), style, right: false, width, marked: Vec::new(), slides: false }
    }

    /// Text to the right of so many cells: numbers and times.
    pub(super) fn right(text: impl Into<String>, style: Style, width: usize) -> Self {
        Self { text: text.into(), style, right: true, width, marked: Vec::new(), slides: false }
    }

    /// The same, going by where it is cut.
    pub(super) fn sliding(self, slides: bool) -> Self {
        Self { slides, ..self }
    }

    /// The same with some of its letters standing out.
    pub(super) fn marking(self, marked: Vec<Range<usize>>) -> Self {
        Self { marked, ..self }
    }
}

impl<'a> Paint<'a> {
    /// Nothing drawn yet.
    pub(super) fn new(buf: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { buf, theme, zones: Vec::new(), edges: Vec::new(), pictures: false, slide: 0, slides: false }
    }

    /// A click on this area means this.
    pub(super) fn zone(&mut self, area: Rect, zone: Zone) {
        self.zones.push((area, zone));
    }

    /// Writes text that takes `max` cells at the most; gives the cell after it.
    pub(super) fn put(&mut self, x: u16, y: u16, max: usize, words: &str, style: Style) -> u16 {
        let area = *self.buf.area();
        if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
            return x;
        }
        let max = max.min(usize::from(area.right() - x));
        let cut = text::fit(words, max, self.theme.glyphs.ellipsis);
        self.buf.set_stringn(x, y, cut, max, style).0
    }

    /// Writes text that ends before `right`; gives its first cell.
    pub(super) fn put_right(&mut self, right: u16, y: u16, max: usize, words: &str, style: Style) -> u16 {
        let cut = text::fit(words, max, self.theme.glyphs.ellipsis).into_owned();
        let x = right.saturating_sub(text::width(&cut) as u16);
        self.put(x, y, max, &cut, style);
        x
    }

    /// Writes cells side by side with a gap between them.
    pub(super) fn row(&mut self, mut x: u16, y: u16, gap: usize, cells: &[Cell]) {
        for cell in cells.iter().filter(|cell| cell.width > 0) {
            if cell.right {
                self.put_right(x + cell.width as u16, y, cell.width, &cell.text, cell.style);
            } else if cell.slides && text::width(&cell.text) > cell.width {
                self.slides = true;
                if self.slide == 0 {
                    self.put(x, y, cell.width, &cell.text, cell.style);
                } else {
                    let seen = text::passing(&cell.text, self.slide, cell.width);
                    self.put(x, y, cell.width, &seen, cell.style);
                }
            } else {
                let end = self.put(x, y, cell.width, &cell.text, cell.style);
                self.mark(x, y, end, &cell.text, &cell.marked);
            }
            x = x.saturating_add((cell.width + gap) as u16);
        }
    }

    /// Lets letters of a text that was written from `x` to `end` stand out.
    fn mark(&mut self, x: u16, y: u16, end: u16, words: &str, marked: &[Range<usize>]) {
        if marked.is_empty() {
            return;
        }
        let style = self.theme.matched();
        // Where the text was cut, its last cells are not its letters.
        let cut = usize::from(end - x) < text::width(words);
        let end = if cut { end.saturating_sub(text::width(self.theme.glyphs.ellipsis) as u16) } else { end };
        let mut at = x;
        for (byte, cluster) in words.grapheme_indices(true) {
            let next = at.saturating_add(text::width(cluster) as u16);
            if next > end {
                break;
            }
            if marked.iter().any(|range| range.contains(&byte)) {
                self.buf.set_style(Rect::new(at, y, next - at, 1), style);
            }
            at = next;
        }
    }

    /// The edge that shows where the cursor is, two cells before the text.
    pub(super) fn edge(&mut self, x: u16, y: u16, rows: u16, focused: bool) {
        let (glyph, style) = if focused {
            (self.theme.glyphs.edge, self.theme.accent())
        } else {
            (self.theme.glyphs.edge_off, self.theme.dim())
        };
        if focused {
            self.edges.push((x.saturating_sub(2), y));
        }
        for y in y..y.saturating_add(rows) {
            self.put(x.saturating_sub(2), y, 1, glyph, style);
        }
    }

    /// A picture, or the tile that stands in for it.
    pub(super) fn cover(
        &mut self,
        app: &App,
        area: Rect,
        cover: Option<&CoverId>,
        title: &str,
        artist: &str,
    ) {
        let area = area.intersection(*self.buf.area());
        match cover.and_then(|cover| app.covers.get(cover, area.width, area.height)) {
            Some(art) if self.theme.draws_pictures() => {
                let own = art.picture.as_ref().filter(|_| self.pictures);
                if !own.is_some_and(|picture| picture.draw(area, self.buf)) {
                    self.picture(area, art);
                }
            }
            _ => self.tile(area, title, artist),
        }
    }

    fn picture(&mut self, area: Rect, art: &CoverArt) {
        for (i, (above, below)) in art.cells.iter().enumerate() {
            let (x, y) = (i as u16 % art.width, i as u16 / art.width);
            if x >= area.width || y >= area.height {
                continue;
            }
            let (above, below) = (self.theme.color(*above), self.theme.color(*below));
            if let (Some(above), Some(below), Some(cell)) =
                (above, below, self.buf.cell_mut((area.x + x, area.y + y)))
            {
                cell.set_symbol("▀").set_style(Style::new().fg(above).bg(below));
            }
        }
    }

    /// Two tones and two letters; where there are no tones, a thin frame.
    fn tile(&mut self, area: Rect, title: &str, artist: &str) {
        let letters = text::initials(title);
        let (top, bottom) = tones(&format!("{artist}\n{title}"));
        let middle = area.y + area.height.saturating_sub(1) / 2;
        let x = area.x + area.width.saturating_sub(text::width(&letters) as u16) / 2;
        if let (true, Some(_)) = (!self.theme.ascii, self.theme.color(top)) {
            let split = area.height - area.height / 3;
            for y in 0..area.height {
                let tone = if y < split { top } else { bottom };
                let style = Style::new().bg(self.theme.color(tone).unwrap_or_default());
                self.buf.set_style(Rect::new(area.x, area.y + y, area.width, 1), style);
                for x in area.x..area.right() {
                    if let Some(cell) = self.buf.cell_mut((x, area.y + y)) {
                        cell.set_symbol(" ");
                    }
                }
            }
            let ink = self.theme.color(top.mix(Rgb(255, 255, 255), 0.62)).unwrap_or_default();
            let style = self.theme.strong().fg(ink).bg(self.theme.color(top).unwrap_or_default());
            self.put(x, middle, usize::from(area.width), &letters, style);
        } else {
            self.frame(area);
            self.put(x, middle, usize::from(area.width), &letters, self.theme.dim());
        }
    }

    fn frame(&mut self, area: Rect) {
        let (across, down, corners) = if self.theme.ascii {
            ("-", "|", ["+"; 4])
        } else {
            ("─", "│", ["╭", "╮", "╰", "╯"])
        };
        let style = self.theme.faint();
        if area.width < 2 || area.height < 2 {
            return;
        }
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.x + 1..right {
            self.put(x, area.y, 1, across, style);
            self.put(x, bottom, 1, across, style);
        }
        for y in area.y + 1..bottom {
            self.put(area.x, y, 1, down, style);
            self.put(right, y, 1, down, style);
        }
        let places = [(area.x, area.y), (right, area.y), (area.x, bottom), (right, bottom)];
        for ((x, y), corner) in places.into_iter().zip(corners) {
            self.put(x, y, 1, corner, style);
        }
    }

    /// The place of a tile that is on its way.
    pub(super) fn ghost(&mut self, area: Rect) {
        self.frame(area);
    }
}
