//! Playlists: the list of all, the page of one, and the changes that wait to be written down.
//!
//! A change shows at once: `update` makes it in the page, and asks for it to be written. Changes are written one after
//! the other, because each counts rows as the one before left them; then the page is read again.

use std::collections::VecDeque;

use super::listing::{Listing, Row};
use crate::music::{Playlist, PlaylistId, Track};
use crate::tui::effects::{PlaylistWish, Source};

/// A row of a playlist: the same track may stand in several.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlaylistRow {
    /// Counted from 0.
    pub(crate) place: usize,
    key: String,
    pub(crate) track: Track,
}

impl Row for PlaylistRow {
    fn key(&self) -> &str {
        &self.key
    }
    fn words(&self) -> String {
        self.track.words()
    }
}

impl Row for Playlist {
    fn key(&self) -> &str {
        self.id.as_str()
    }
    fn words(&self) -> String {
        format!("{} {}", self.name, self.comment)
    }
}

/// Tracks as rows.
pub(crate) fn numbered(tracks: impl IntoIterator<Item = Track>) -> Vec<PlaylistRow> {
    let rows = tracks.into_iter().enumerate();
    rows.map(|(place, track)| PlaylistRow { place, key: format!("{place} {}", track.id), track }).collect()
}

/// All playlists.
#[derive(Debug, Default)]
pub(crate) struct PlaylistsPage {
    pub(crate) list: Listing<Playlist>,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    pub(crate) fresh: Option<u64>,
    /// What is to be added to the one that will be chosen.
    pub(crate) adding: Option<Source>,
    /// Changes to be written down, the one under way first.
    pub(crate) waiting: VecDeque<PlaylistWish>,
}

/// The page of one playlist.
#[derive(Debug, Default)]
pub(crate) struct PlaylistPage {
    pub(crate) id: Option<PlaylistId>,
    pub(crate) playlist: Option<Playlist>,
    pub(crate) tracks: Listing<PlaylistRow>,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    pub(crate) fresh: Option<u64>,
}

impl PlaylistPage {
    /// Changes the rows in place, before the change is written down.
    pub(crate) fn change(&mut self, change: impl FnOnce(Vec<Track>) -> Vec<Track>) {
        let tracks = self.tracks.rows().map(|row| row.track.clone()).collect();
        let cursor = self.tracks.scroll;
        self.tracks.replace(numbered(change(tracks)));
        self.tracks.scroll = cursor;
    }
}

/// Moves the things in these places as one block by so many places, as far as there is room.
pub(crate) fn moved<T>(list: Vec<T>, rows: &[usize], by: isize) -> Vec<T> {
    let Some(first) = rows.iter().min().copied() else { return list };
    let mut block = Vec::new();
    let mut rest = Vec::new();
    for (place, thing) in list.into_iter().enumerate() {
        if rows.contains(&place) { block.push(thing) } else { rest.push(thing) }
    }
    let to = first.saturating_add_signed(by).min(rest.len());
    rest.splice(to..to, block);
    rest
}

#[cfg(test)]
mod tests {
    use super::moved;

    #[test]
    fn blocks_move_as_far_as_there_is_room() {
        let go =
            |rows: &[usize], by| moved(vec!['a', 'b', 'c', 'd', 'e'], rows, by).iter().collect::<String>();
        assert_eq!(go(&[1], 1), "acbde");
        assert_eq!(go(&[1, 2], 1), "adbce");
        assert_eq!(go(&[0, 1], -1), "abcde");
        assert_eq!(go(&[3, 4], 5), "abcde");
        assert_eq!(go(&[1, 3], 1), "acbde");
        assert_eq!(go(&[], 3), "abcde");
    }
}
