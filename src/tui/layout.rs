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
            let most = room * 3 / 10;
            // The names of what the column may list stand over it.
            let artists = names.clamp(most.min(28), most);
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
                Column::Artists | Column::Genres | Column::Years => [first, second, None],
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

    /// An artist's page: picture and words over the rows.
    pub(crate) fn artist(&self) -> AlbumLayout {
        let page = self.page();
        let tall = match page.height {
            0..=13 => 0,
            14..=29 => 5,
            _ => 7,
        };
        let cover = (tall > 0).then(|| Rect::new(page.x, page.y, tall * 2, tall));
        let x = if tall > 0 { tall * 2 + 3 } else { 0 };
        let head = if tall > 0 { tall } else { 2.min(page.height) };
        let words = Rect::new(page.x + x, page.y, page.width.saturating_sub(x), head);
        let y = (head + 1).min(page.height);
        let rows = Rect::new(page.x, page.y + y, page.width, page.height - y);
        AlbumLayout { cover, words, rows }
    }

    /// A mix's page: like an album's, but its words have more to say.
    pub(crate) fn mix(&self) -> AlbumLayout {
        const WORDS: u16 = 13;
        let (page, mut layout) = (self.page(), self.album());
        if let Some(cover) = layout.cover.as_mut().filter(|_| layout.rows.x > page.x) {
            let tall = cover.height.min(page.height.saturating_sub(WORDS + 1).max(5));
            (cover.width, cover.height) = (tall * 2, tall);
            let y = page.y + tall + 1;
            layout.words = Rect { y, height: page.bottom().saturating_sub(y), ..layout.words };
        }
        layout
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

    /// Rows of results, under the field.
    pub(crate) fn search_rows(&self) -> usize {
        usize::from(self.body.height.saturating_sub(2 + self.search_note()))
    }

    /// Lines under the results for how the words were read, with the air over them; none where there is no room.
    pub(crate) fn search_note(&self) -> u16 {
        if self.body.height >= 12 { 2 } else { 0 }
    }

    /// Rows of a playlist and of the list of all, under their heading.
    pub(crate) fn playlist_rows(&self) -> usize {
        usize::from(self.body.height.saturating_sub(2))
    }

    /// Rows of the settings; under them stands what the selected one does.
    pub(crate) fn about_rows(&self) -> usize {
        usize::from(self.body.height.saturating_sub(4)).max(1)
    }

    /// Lines of the queue.
    pub(crate) fn queue_rows(&self) -> usize {
        usize::from(self.body.height)
    }
}

/// Parts of an album's page, and of an artist's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AlbumLayout {
    pub(crate) cover: Option<Rect>,
    pub(crate) words: Rect,
    /// Of the tracks, or of whatever stands in the list.
    pub(crate) rows: Rect,
}

/// Parts of the full player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FullLayout {
    pub(crate) cover: Option<Rect>,
    /// Title, artist, album.
    pub(crate) words: Rect,
    /// Of the song, when they are shown.
    pub(crate) lyrics: Option<Rect>,
    /// Bars, and the levels in the last row where there are at least three.
    pub(crate) sound: Option<Rect>,
}

impl Frame {
    /// The full player: the cover as large as the smaller side lets it be, and beside it (under it where the terminal
    /// is higher than wide) what it is, the words and the sound.
    pub(crate) fn full(&self, lyrics: bool, sound: bool) -> FullLayout {
        /// Cells that words beside a cover need, and rows under one.
        const BESIDE: u16 = 26;
        const UNDER: u16 = 9;
        let page = self.page();
        let gap = if page.width >= 84 { 5 } else { 3 };
        let beside = page.height.min(page.width.saturating_sub(gap + BESIDE) / 2);
        let above = page.height.saturating_sub(UNDER).min(page.width / 2);
        let (cover, rest) = if beside >= 5 && beside * 5 >= above * 3 {
            let x = beside * 2 + gap;
            let rest = Rect::new(page.x + x, page.y, page.width - x, page.height);
            (Some(Rect::new(page.x, page.y, beside * 2, beside)), rest)
        } else if above >= 4 {
            let x = page.x + (page.width - above * 2) / 2;
            let rest = Rect::new(page.x, page.y + above + 1, page.width, page.height - above - 1);
            (Some(Rect::new(x, page.y, above * 2, above)), rest)
        } else {
            (None, page)
        };
        let rows = match rest.height {
            _ if !sound => 0,
            0..=8 => 0,
            9..=14 => 1,
            15..=29 => 4,
            _ => 6,
        };
        let names = 3.min(rest.height);
        let words = Rect::new(rest.x, rest.y, rest.width, names);
        let air = u16::from(rest.height >= 12);
        let from = names + air;
        let end = rest.height.saturating_sub(if rows > 0 { rows + 1 } else { 0 });
        let pane = Rect::new(rest.x, rest.y + from, rest.width, end.saturating_sub(from));
        let sound = Rect::new(rest.x, rest.bottom().saturating_sub(rows), rest.width, rows);
        FullLayout {
            cover,
            words,
            lyrics: (lyrics && pane.height > 0).then_some(pane),
            sound: (rows > 0).then_some(sound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_player_fits_every_size() {
        for width in 30..=300 {
            for height in 8..=100 {
                let frame = Frame::new(width, height);
                let page = frame.page();
                for (lyrics, sound) in [(true, true), (true, false), (false, true)] {
                    let full = frame.full(lyrics, sound);
                    let parts: Vec<Rect> = [full.cover, Some(full.words), full.lyrics, full.sound]
                        .into_iter()
                        .flatten()
                        .collect();
                    for (i, a) in parts.iter().enumerate() {
                        assert_eq!(a.intersection(page), *a, "{width}×{height}: {full:?}");
                        for b in &parts[i + 1..] {
                            assert!(a.intersection(*b).is_empty(), "{width}×{height}: {full:?}");
                        }
                    }
                    if let Some(cover) = full.cover {
                        assert_eq!(cover.width, cover.height * 2);
                    }
                    assert!(full.words.width >= 20 || page.width < 30, "{width}×{height}: {full:?}");
                }
            }
        }
    }
}
