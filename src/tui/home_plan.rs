//! Where things stand on the opening screen.
//!
//! A plan places every part in coordinates of the whole page, which may be taller than the screen and is then
//! scrolled. The view draws the plan; the cursor moves through it by geometry: down is the nearest thing below,
//! right the nearest to the right. From 74 columns on, mixes are tiles, and so are new albums where there is room, and lists
//! stand side by side; below, everything is one list.

use ratatui::layout::Rect;

use super::state::{Home, Spot};

/// A list of tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// New albums, where they are no tiles.
    Added,
    /// Heard lately.
    Played,
    /// Heard often.
    Most,
    /// Loved.
    Loved,
}

/// What is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Good evening.
    Greeting,
    /// What the welcome card says first.
    Welcome,
    /// Title of the mixes.
    Mixes,
    /// A mix that can be selected, as a tile.
    MixTile(usize),
    /// Why the selected mix is as it is.
    MixWhy,
    /// When there will be mixes.
    MixHint,
    /// Title of the new albums.
    NewAlbums,
    /// Title of a list.
    Title(List),
    /// What to do so that a list fills.
    Hint(List),
    /// Something that can be selected, as a row.
    Row(Spot),
    /// An album that can be selected, as a tile.
    Tile(usize),
    /// The place of a tile that is on its way.
    Ghost,
    /// The cover beside the doors.
    DoorCover,
    /// Music on this machine.
    Device,
    /// Why there is nothing.
    Error,
}

/// Everything with its place.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) parts: Vec<(What, Rect)>,
    pub(crate) height: u16,
}

/// Where the cursor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toward {
    /// Next row.
    Down,
    /// Previous row.
    Up,
    /// Previous column.
    Left,
    /// Next column.
    Right,
}

/// Lines of a tile under its picture.
pub(crate) const TILE_WORDS: u16 = 2;

impl Plan {
    /// Places everything on a page of this size.
    pub(crate) fn new(home: &Home, width: u16, height: u16) -> Self {
        let mut plan = Self::default();
        let wide = width >= 74;
        let mut y = 0;
        if height >= 14 {
            plan.put(What::Greeting, 0, y, width, 1);
            y += 2;
        }
        if home.error.is_some() && home.data.is_none() {
            plan.put(What::Error, 0, y, width, 1);
            plan.height = y + 1;
            return plan;
        }
        let doors = home.doors();
        if home.continues() {
            plan.put(What::Row(Spot::Continue), 0, y, width, 1);
            y += 2;
        }
        if doors.is_empty() && home.empty() {
            plan.put(What::Welcome, 0, y, width, 1);
            return plan;
        }
        let mut tiles = true;
        if doors.is_empty() {
            if home.data.is_some() {
                y = plan.mixes(home, width, height, y, wide);
                // Beside mixes there is room for the covers of albums on a tall screen only.
                tiles = home.mixes().is_empty() || height >= 38;
            }
            y = match (wide, tiles) {
                (true, true) => plan.tiles(home, width, height, y),
                (true, false) => y,
                (false, _) => plan.album_rows(home, width, y),
            };
        } else {
            y = plan.welcome(home, width, wide, y);
        }
        plan.lists(home, width, height, y, wide, !tiles);
        plan
    }

    fn put(&mut self, what: What, x: u16, y: u16, width: u16, height: u16) {
        self.parts.push((what, Rect::new(x, y, width, height)));
        self.height = self.height.max(y + height);
    }

    fn welcome(&mut self, home: &Home, width: u16, wide: bool, mut y: u16) -> u16 {
        self.put(What::Welcome, 0, y, width, 1);
        y += 2;
        let doors = home.doors();
        let rows = doors.len() as u16 * 3 - 1;
        let cover = if wide && !home.added().is_empty() { rows * 2 } else { 0 };
        let x = if cover > 0 { cover + 5 } else { 0 };
        if cover > 0 {
            self.put(What::DoorCover, 0, y, cover, rows);
        }
        for (i, door) in doors.iter().enumerate() {
            self.put(What::Row(Spot::Door(*door)), x, y + i as u16 * 3, width.saturating_sub(x), 2);
        }
        y + rows + 1
    }

    /// What was made for the listener, or when that will be.
    fn mixes(&mut self, home: &Home, width: u16, height: u16, mut y: u16, wide: bool) -> u16 {
        const GAP: u16 = 3;
        let count = home.mixes().len();
        self.put(What::Mixes, 0, y, width, 1);
        y += 1;
        if count == 0 {
            self.put(What::MixHint, 0, y, width, 1);
            return y + 2;
        }
        if !wide {
            for i in 0..count.min(6) {
                self.put(What::Row(Spot::Mix(i)), 0, y + i as u16, width, 1);
            }
            return y + count.min(6) as u16 + 1;
        }
        let rows = match height {
            38.. => 7,
            26.. => 6,
            18.. => 5,
            16.. => 4,
            _ => 3,
        };
        let cell = rows * 2;
        let fit = usize::from((width + GAP) / (cell + GAP));
        let first = home.first_mix.min(count.saturating_sub(fit));
        for i in 0..fit.min(count) {
            let x = i as u16 * (cell + GAP);
            self.put(What::MixTile(first + i), x, y, cell, rows + TILE_WORDS);
        }
        y += rows + TILE_WORDS;
        if height >= 18 {
            self.put(What::MixWhy, 0, y + 1, width, 1);
            y += 2;
        }
        y + 1
    }

    fn tiles(&mut self, home: &Home, width: u16, height: u16, mut y: u16) -> u16 {
        const GAP: u16 = 3;
        self.put(What::NewAlbums, 0, y, width, 1);
        y += 1;
        let rows = match height {
            38.. => 9,
            26.. => 7,
            22.. => 6,
            18.. => 5,
            _ => 4,
        };
        let cell = rows * 2;
        let fit = usize::from((width + GAP) / (cell + GAP));
        for i in 0..fit {
            let x = i as u16 * (cell + GAP);
            match (&home.data, home.added().len()) {
                (None, _) => self.put(What::Ghost, x, y, cell, rows + TILE_WORDS),
                (_, len) if i < len => self.put(What::Tile(i), x, y, cell, rows + TILE_WORDS),
                _ => {}
            }
        }
        y + rows + TILE_WORDS + 1
    }

    fn album_rows(&mut self, home: &Home, width: u16, mut y: u16) -> u16 {
        if home.added().is_empty() {
            return y;
        }
        self.put(What::NewAlbums, 0, y, width, 1);
        for i in 0..home.added().len().min(5) {
            y += 1;
            self.put(What::Row(Spot::Added(i)), 0, y, width, 1);
        }
        y + 2
    }

    fn lists(&mut self, home: &Home, width: u16, height: u16, mut y: u16, wide: bool, added: bool) {
        const GAP: u16 = 5;
        let lens = [
            (List::Added, if added && wide { home.added().len() } else { 0 }),
            (List::Played, home.played().len()),
            (List::Loved, home.loved().len()),
            (List::Most, home.most().len()),
        ];
        // An empty list still says how it fills, but two of them are enough.
        let lists: Vec<(List, usize)> = lens
            .into_iter()
            .filter(|(list, len)| *len > 0 || matches!(list, List::Played | List::Loved))
            .collect();
        let columns: u16 = match (wide, width) {
            (false, _) => 1,
            (true, 130..) if lists.len() == 3 => 3,
            (true, _) => 2,
        };
        let column = (width + GAP) / columns - GAP.min(width);
        let column = if columns == 1 { width } else { column };
        let bands = lists.len().div_ceil(usize::from(columns)) as u16;
        let rows =
            if wide { (height.saturating_sub(y + 2) / bands).saturating_sub(2).clamp(4, 12) } else { 4 };
        for band in lists.chunks(usize::from(columns)) {
            let mut tallest = 0;
            for (i, (list, len)) in band.iter().enumerate() {
                let x = i as u16 * (column + GAP);
                self.put(What::Title(*list), x, y, column, 1);
                let shown = (*len).min(usize::from(rows));
                if *len == 0 {
                    self.put(What::Hint(*list), x, y + 1, column, 1);
                }
                for at in 0..shown {
                    let spot = match list {
                        List::Added => Spot::Added(at),
                        List::Played => Spot::Played(at),
                        List::Most => Spot::Most(at),
                        List::Loved => Spot::Loved(at),
                    };
                    self.put(What::Row(spot), x, y + 1 + at as u16, column, 1);
                }
                tallest = tallest.max(shown.max(1) as u16);
            }
            y += tallest + 2;
        }
        self.put(What::Device, 0, y, width, 1);
    }

    /// What can be selected, with its place.
    pub(crate) fn spots(&self) -> impl Iterator<Item = (Spot, Rect)> {
        self.parts.iter().filter_map(|(what, rect)| match what {
            What::Row(spot) => Some((*spot, *rect)),
            What::Tile(i) => Some((Spot::Added(*i), *rect)),
            What::MixTile(i) => Some((Spot::Mix(*i), *rect)),
            _ => None,
        })
    }

    /// The place of a spot, if it is on the page.
    pub(crate) fn rect(&self, spot: Spot) -> Option<Rect> {
        self.spots().find(|(s, _)| *s == spot).map(|(_, rect)| rect)
    }

    /// The nearest spot that way; none at the edge.
    pub(crate) fn neighbour(&self, from: Spot, toward: Toward) -> Option<Spot> {
        let here = self.rect(from)?;
        let overlap = |a: u16, a_len: u16, b: u16, b_len: u16| a < b + b_len && b < a + a_len;
        let candidates = self.spots().filter_map(|(spot, there)| {
            let (ahead, beside, aside) = match toward {
                Toward::Down => (
                    i32::from(there.y) - i32::from(here.bottom()),
                    overlap(here.x, here.width, there.x, there.width),
                    here.x.abs_diff(there.x),
                ),
                Toward::Up => (
                    i32::from(here.y) - i32::from(there.bottom()),
                    overlap(here.x, here.width, there.x, there.width),
                    here.x.abs_diff(there.x),
                ),
                Toward::Right => (
                    i32::from(there.x) - i32::from(here.right()),
                    overlap(here.y, here.height, there.y, there.height),
                    here.y.abs_diff(there.y),
                ),
                Toward::Left => (
                    i32::from(here.x) - i32::from(there.right()),
                    overlap(here.y, here.height, there.y, there.height),
                    here.y.abs_diff(there.y),
                ),
            };
            let sideways = matches!(toward, Toward::Left | Toward::Right);
            (ahead >= 0 && (beside || !sideways)).then_some((!beside, ahead, aside, spot))
        });
        candidates.min_by_key(|(apart, ahead, aside, _)| (*apart, *ahead, *aside)).map(|(.., spot)| spot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing;

    #[test]
    fn nothing_stands_on_something_else() {
        let home = testing::home();
        for width in 20..220 {
            for height in [8, 12, 18, 24, 40, 90] {
                let plan = Plan::new(&home, width, height);
                for (i, (what, rect)) in plan.parts.iter().enumerate() {
                    assert!(rect.right() <= width, "{what:?} at {width}×{height}");
                    for (other, place) in plan.parts.iter().skip(i + 1) {
                        assert!(!rect.intersects(*place), "{what:?} on {other:?} at {width}×{height}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_spot_is_reached_by_going_down_and_right() {
        let home = testing::home();
        let plan = Plan::new(&home, 100, 26);
        let first = plan.spots().next().unwrap().0;
        let mut seen = vec![first];
        let mut at = 0;
        while let Some(spot) = seen.get(at).copied() {
            at += 1;
            for toward in [Toward::Down, Toward::Right, Toward::Up, Toward::Left] {
                if let Some(next) = plan.neighbour(spot, toward)
                    && !seen.contains(&next)
                {
                    seen.push(next);
                }
            }
        }
        assert_eq!(seen.len(), plan.spots().count());
    }
}
