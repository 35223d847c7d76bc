//! Rows selected together, to be acted on as one.
//!
//! A stretch of rows runs from an anchor to the cursor; closing it keeps its rows, and another may be opened. Rows
//! are known by their places and by what stands there: where the list changes under them, they are let go.

use std::collections::BTreeMap;

use super::listing::Row;
use super::{App, ArtistRow, Column, Hit, Screen, entries, entry};

/// What tells a row from others.
pub(crate) type RowKey = String;

/// The list that rows were selected in.
pub(crate) type ListKey = (Screen, Column, String);

/// Where a cursor is: list, row and length, size of the terminal.
type Here = (ListKey, Option<(usize, usize)>, (u16, u16));

/// A long title of the selected row that goes by.
#[derive(Debug, Default)]
pub(crate) struct Slide {
    /// Where the cursor is.
    pub(crate) here: Option<Here>,
    /// Cells that it went by.
    pub(crate) offset: usize,
    /// Tells the last row from earlier ones.
    pub(crate) stamp: u64,
}

/// Selected rows of one list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Picks {
    list: Option<ListKey>,
    anchor: Option<(usize, RowKey)>,
    fixed: BTreeMap<usize, RowKey>,
}

impl Picks {
    /// Whether rows are being selected, or are.
    pub(crate) fn active(&self) -> bool {
        self.list.is_some()
    }

    /// Whether a stretch is open: the cursor takes rows along.
    pub(crate) fn open(&self) -> bool {
        self.anchor.is_some()
    }

    /// Lets all rows go; `false` when there were none.
    pub(crate) fn clear(&mut self) -> bool {
        let was = self.active();
        *self = Self::default();
        was
    }

    /// Whether this row of the present list is selected while the cursor is on `cursor`.
    pub(crate) fn has(&self, row: usize, cursor: usize) -> bool {
        let within = self
            .anchor
            .as_ref()
            .is_some_and(|(anchor, _)| (*anchor.min(&cursor)..=*anchor.max(&cursor)).contains(&row));
        within || self.fixed.contains_key(&row)
    }
}

impl App {
    /// The list under the cursor, where its rows can be selected.
    pub(crate) fn list_key(&self) -> Option<ListKey> {
        let column = if self.screen == Screen::Library { self.library.column } else { Column::default() };
        let subject = match self.screen {
            Screen::Library => match self.library.column {
                Column::Artists => self.library.artists.filter().unwrap_or_default().to_owned(),
                Column::Genres => self.library.genres.filter().unwrap_or_default().to_owned(),
                Column::Years => self.library.years.filter().unwrap_or_default().to_owned(),
                Column::Albums => format!(
                    "{:?} {}",
                    self.library.last_root,
                    self.library.albums.filter().unwrap_or_default()
                ),
                Column::Tracks => {
                    format!(
                        "{:?} {}",
                        self.library.last_album,
                        self.library.tracks.filter().unwrap_or_default()
                    )
                }
            },
            Screen::Album => {
                format!("{:?} {}", self.album.id, self.album.tracks.filter().unwrap_or_default())
            }
            Screen::Artist => {
                format!("{:?} {}", self.artist.id, self.artist.filter.as_deref().unwrap_or_default())
            }
            Screen::Search => self.search.answered.clone(),
            Screen::Queue => String::new(),
            Screen::Mix => format!("{:?} {}", self.mix.id, self.mix.tracks.filter().unwrap_or_default()),
            Screen::Playlists => self.playlists.list.filter().unwrap_or_default().to_owned(),
            Screen::Playlist => {
                format!("{:?} {}", self.playlist.id, self.playlist.tracks.filter().unwrap_or_default())
            }
            Screen::Home
            | Screen::Downloads
            | Screen::Player
            | Screen::Statistics
            | Screen::Settings
            | Screen::Log
            | Screen::Details
            | Screen::Doctor
            | Screen::Year
            | Screen::Insights
            | Screen::Privacy => return None,
        };
        Some((self.screen, column, subject))
    }

    /// The cursor of the present list and how many rows that has.
    pub(crate) fn list_cursor(&self) -> Option<(usize, usize)> {
        let (scroll, len) = match self.screen {
            Screen::Library => match self.library.column {
                Column::Artists => (self.library.artists.scroll, self.library.artists.len()),
                Column::Genres => (self.library.genres.scroll, self.library.genres.len()),
                Column::Years => (self.library.years.scroll, self.library.years.len()),
                Column::Albums => (self.library.albums.scroll, self.library.albums.len()),
                Column::Tracks => (self.library.tracks.scroll, self.library.tracks.len()),
            },
            Screen::Album => (self.album.tracks.scroll, self.album.tracks.len()),
            Screen::Artist => (self.artist.scroll, self.artist.len()),
            Screen::Search => (self.search.scroll, self.search.len()),
            Screen::Queue => (self.queue.scroll, self.queue.len()),
            Screen::Mix => (self.mix.tracks.scroll, self.mix.tracks.len()),
            Screen::Playlists => (self.playlists.list.scroll, self.playlists.list.len()),
            Screen::Playlist => (self.playlist.tracks.scroll, self.playlist.tracks.len()),
            Screen::Home
            | Screen::Downloads
            | Screen::Player
            | Screen::Statistics
            | Screen::Settings
            | Screen::Log
            | Screen::Details
            | Screen::Doctor
            | Screen::Year
            | Screen::Insights
            | Screen::Privacy => return None,
        };
        Some((scroll.cursor, len))
    }

    /// What stands in this row of the present list; `None` where that is not in memory.
    fn row_key(&self, row: usize) -> Option<RowKey> {
        let key = |row: &dyn Row| row.key().to_owned();
        match self.screen {
            Screen::Library => match self.library.column {
                Column::Artists => self.library.artists.get(row).map(|row| key(row)),
                Column::Genres => self.library.genres.get(row).map(|row| key(row)),
                Column::Years => self.library.years.get(row).map(|row| key(row)),
                Column::Albums => self.library.albums.get(row).map(|row| key(row)),
                Column::Tracks => self.library.tracks.get(row).map(|row| key(row)),
            },
            Screen::Album => self.album.tracks.get(row).map(|row| key(row)),
            Screen::Artist => self.artist.get(row).map(ArtistRow::key),
            Screen::Search => self.search.get(row).map(|hit| match hit {
                Hit::Artist(artist) => key(artist),
                Hit::Album(album) => key(album),
                Hit::Track(track) => key(track),
                Hit::Playlist(list) => key(list),
            }),
            Screen::Queue => entry(&self.player.queue, row).map(|entry| entry.uid.to_string()),
            Screen::Mix => self.mix.tracks.get(row).map(|row| key(row)),
            Screen::Playlists => self.playlists.list.get(row).map(|row| key(row)),
            Screen::Playlist => self.playlist.tracks.get(row).map(|row| key(row)),
            Screen::Home
            | Screen::Downloads
            | Screen::Player
            | Screen::Statistics
            | Screen::Settings
            | Screen::Log
            | Screen::Details
            | Screen::Doctor
            | Screen::Year
            | Screen::Insights
            | Screen::Privacy => None,
        }
    }

    /// Selected rows are rows of this list, and are still what they were.
    pub(super) fn check_picks(&self) -> Result<(), String> {
        let Some(list) = &self.picks.list else { return Ok(()) };
        if self.list_key().as_ref() != Some(list) {
            return Err(format!("rows of {list:?} are selected elsewhere"));
        }
        let len = self.list_cursor().map_or(0, |(_, len)| len);
        for (row, key) in
            self.picks.fixed.iter().chain(self.picks.anchor.as_ref().map(|(row, key)| (row, key)))
        {
            if *row >= len {
                return Err(format!("row {row} of {len} is selected"));
            }
            if self.row_key(*row).is_some_and(|now| now != *key) {
                return Err(format!("row {row} is not {key} any more"));
            }
        }
        Ok(())
    }

    /// Opens a stretch at the cursor, or closes the one that is open; `false` where no rows can be selected.
    pub(crate) fn pick(&mut self) -> bool {
        let (Some(list), Some((cursor, len))) = (self.list_key(), self.list_cursor()) else { return false };
        if len == 0 {
            return false;
        }
        if self.picks.list.as_ref() != Some(&list) {
            self.picks = Picks { list: Some(list), ..Picks::default() };
        }
        match self.picks.anchor.take() {
            Some((anchor, _)) => {
                for row in anchor.min(cursor)..=anchor.max(cursor) {
                    if let Some(key) = self.row_key(row) {
                        self.picks.fixed.insert(row, key);
                    }
                }
            }
            None => self.picks.anchor = self.row_key(cursor).map(|key| (cursor, key)),
        }
        true
    }

    /// Places of the selected rows in the present list, from the top; none when no rows are selected.
    pub(crate) fn picked(&self) -> Vec<usize> {
        if self.picks.list.is_none() || self.picks.list != self.list_key() {
            return Vec::new();
        }
        let Some((cursor, len)) = self.list_cursor() else { return Vec::new() };
        let stretch =
            self.picks.anchor.as_ref().map(|(anchor, _)| *anchor.min(&cursor)..*anchor.max(&cursor) + 1);
        let mut rows: Vec<usize> = self
            .picks
            .fixed
            .keys()
            .copied()
            .chain(stretch.into_iter().flatten())
            .filter(|row| *row < len)
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// Whether a row of the list with the focus is selected.
    pub(crate) fn is_picked(&self, row: usize) -> bool {
        self.picks.active() && self.list_cursor().is_some_and(|(cursor, _)| self.picks.has(row, cursor))
    }

    /// Lets go of rows that are not there any more, or not in this list. In the queue, rows are followed.
    pub(crate) fn settle_picks(&mut self) {
        if !self.picks.active() {
            return;
        }
        if self.picks.list != self.list_key() {
            self.picks.clear();
            return;
        }
        let mut picks = std::mem::take(&mut self.picks);
        if self.screen == Screen::Queue {
            let queue = &self.player.queue;
            let at: std::collections::HashMap<RowKey, usize> =
                entries(queue).enumerate().map(|(row, entry)| (entry.uid.to_string(), row)).collect();
            let follow = |key: RowKey| at.get(&key).map(|row| (*row, key));
            picks.anchor = picks.anchor.and_then(|(_, key)| follow(key));
            picks.fixed = picks.fixed.into_values().filter_map(follow).collect();
        } else {
            let len = self.list_cursor().map_or(0, |(_, len)| len);
            let stays =
                |row: usize, key: &RowKey| row < len && self.row_key(row).is_none_or(|now| now == *key);
            picks.anchor = picks.anchor.filter(|(row, key)| stays(*row, key));
            picks.fixed.retain(|row, key| stays(*row, key));
        }
        if picks.anchor.is_none() && picks.fixed.is_empty() {
            picks = Picks::default();
        }
        self.picks = picks;
    }

    /// The selected rows were moved together and stand here now; the cursor stays among them.
    pub(crate) fn take_picks_to(&mut self, first: usize, rows: usize) {
        let keys = (first..first + rows).filter_map(|row| Some((row, self.row_key(row)?)));
        self.picks.fixed = keys.collect();
        self.picks.anchor = None;
        let scroll = match self.screen {
            Screen::Playlist => &mut self.playlist.tracks.scroll,
            _ => return,
        };
        scroll.cursor = scroll.cursor.clamp(first, first + rows.saturating_sub(1));
    }
}
