//! How the terminal is divided. Pure functions of its size, used by `update` to know how many rows a page has
//! and by `view` to draw them, so that both always agree.
//!
//! From top to bottom: header, page, one line for prompts, notices and hints, a rule, and the bar. Below 20
//! rows the bar has one row and the rule is left out; below 22 there is no air around the page.

use ratatui::layout::Rect;

use super::state::Column;

/// Below this nothing sensible can be drawn.
pub(crate) const SMALLEST: (u16, u16) = (30, 8);

/// Cells between the library's columns.
const GAP: u16 = 4;

/// The parts that every screen has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) header: Rect,
    pub(crate) body: Rect,
    pub(crate) footer: Rect,
    pub(crate) rule: Option<Rect>,
    pub(crate) bar: Rect,
    /// Cells left of all text; the cursor's edge stands two cells before it.
    pub(crate) margin: u16,
}

impl Frame {
    pub(crate) fn new(width: u16, height: u16) -> Self {
        let tall = height >= 20;
        let bar_rows = if tall { 2 } else { 1 };
        let air = u16::from(height >= 22);
        let bar = Rect::new(0, height.saturating_sub(bar_rows), width, bar_rows.min(height));
        let rule = tall.then(|| Rect::new(0, bar.y.saturating_sub(1), width, 1));
        let footer_y = rule.map_or(bar.y, |rule| rule.y).saturating_sub(1);
        let footer = Rect::new(0, footer_y, width, 1.min(height));
        let body_y = (1 + air).min(height);
        let body = Rect::new(0, body_y, width, footer_y.saturating_sub(body_y + air));
        Self {
            header: Rect::new(0, 0, width, 1.min(height)),
            body,
            footer,
            rule,
            bar,
            margin: if width >= 70 { 3 } else { 2 },
        }
    }

    /// The page without its margins.
    pub(crate) fn page(&self) -> Rect {
        let Rect { x, y, width, height } = self.body;
        Rect::new(x + self.margin, y, width.saturating_sub(2 * self.margin), height)
    }

    /// Rows of the library's lists.
    pub(crate) fn library_rows(&self) -> usize {
        usize::from(self.body.height.saturating_sub(self.heading()))
    }

    /// Rows of the library's tracks, under the sleeve.
    pub(crate) fn track_rows(&self) -> usize {
        self.library_rows().saturating_sub(usize::from(self.sleeve()))
    }

    /// Lines that the selected album's cover takes over its tracks, with the air under it; none where there is
    /// no room for both.
    pub(crate) fn sleeve(&self) -> u16 {
        match (self.page().width, self.body.height) {
            (90.., 34..) => 9,
            (90.., 20..) => 7,
            _ => 0,
        }
    }

    /// Lines over a column: its title, and air where there is room.
    pub(crate) fn heading(&self) -> u16 {
        if self.body.height >= 14 { 2 } else { 1 }
    }

    /// Where the library's columns stand; those that fold away are `None`. `names` is how wide artists want to be.
    pub(crate) fn library(&self, focus: Column, names: u16) -> [Option<Rect>; 3] {
        let page = self.page();
        let column = |x: u16, width: u16| Some(Rect::new(page.x + x, page.y, width, page.height));
        if page.width >= 90 {
            let room = page.width - 2 * GAP;
            let artists = names.clamp(18, room * 3 / 10);
            let albums = ((room - artists) * 45 / 100).min(56);
            [
                column(0, artists),
                column(artists + GAP, albums),
                column(artists + albums + 2 * GAP, room - artists - albums),
            ]
        } else {
            let room = page.width.saturating_sub(GAP);
            let left = room * 42 / 100;
            let (first, second) = (column(0, left), column(left + GAP, room - left));
            match focus {
                Column::Artists => [first, second, None],
                Column::Albums | Column::Tracks => [None, first, second],
            }
        }
    }

    /// An album's page: cover, words, tracks.
    pub(crate) fn album(&self) -> AlbumLayout {
        let page = self.page();
        if page.width >= 84 && page.height >= 12 {
            let tall = page.height.saturating_sub(6).min(page.width / 6).clamp(6, 18);
            let width = tall * 2;
            let cover = Rect::new(page.x, page.y, width, tall);
            let words = Rect::new(page.x, page.y + tall + 1, width, page.height.saturating_sub(tall + 1));
            let x = width + 5;
            let rows = Rect::new(page.x + x, page.y, page.width - x, page.height);
            AlbumLayout { cover: Some(cover), words, rows }
        } else {
            let tall = if page.height >= 14 { 5 } else { 0 };
            let cover = (tall > 0).then(|| Rect::new(page.x, page.y, tall * 2, tall));
            let x = if tall > 0 { tall * 2 + 3 } else { 0 };
            let head = if tall > 0 { tall } else { 2.min(page.height) };
            let words = Rect::new(page.x + x, page.y, page.width.saturating_sub(x), head);
            let y = (head + 1).min(page.height);
            let rows = Rect::new(page.x, page.y + y, page.width, page.height - y);
            AlbumLayout { cover, words, rows }
        }
    }

    /// The list to choose from: over the page, at most this wide and high.
    pub(crate) fn picker(&self, offers: usize) -> Rect {
        let width = self.body.width.saturating_sub(4).min(78);
        let height = self.body.height.min(18).min((offers + 4) as u16);
        Rect::new((self.body.width - width) / 2, self.body.y, width, height)
    }

    /// Rows of the list to choose from, under its field.
    pub(crate) fn picker_rows(&self, offers: usize) -> usize {
        usize::from(self.picker(offers).height.saturating_sub(4)).max(1)
    }

    /// Rows of results.
    pub(crate) fn search_rows(&self) -> usize {
        usize::from(self.body.height.saturating_sub(2))
    }

    /// Lines of the queue.
    pub(crate) fn queue_rows(&self) -> usize {
        usize::from(self.body.height)
    }
}

/// Parts of an album's page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AlbumLayout {
    pub(crate) cover: Option<Rect>,
    pub(crate) words: Rect,
    /// Of the tracks.
    pub(crate) rows: Rect,
}
