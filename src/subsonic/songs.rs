//! The songs of an answer, wherever in it they are.

use super::response::Body;
use super::types::Child;

impl Body {
    /// Whether this is an answer that may hold songs.
    pub fn has_songs(&self) -> bool {
        matches!(
            self,
            Self::Song(_)
                | Self::Album(_)
                | Self::Directory(_)
                | Self::RandomSongs(_)
                | Self::SongsByGenre(_)
                | Self::SimilarSongs(_)
                | Self::SimilarSongs2(_)
                | Self::TopSongs(_)
                | Self::Starred(_)
                | Self::Starred2(_)
                | Self::SearchResult(_)
                | Self::SearchResult2(_)
                | Self::SearchResult3(_)
                | Self::Playlist(_)
                | Self::NowPlaying(_)
                | Self::PlayQueue(_)
                | Self::PlayQueueByIndex(_)
                | Self::Bookmarks(_)
                | Self::Shares(_)
                | Self::SonicMatch(_)
                | Self::JukeboxPlaylist(_)
        )
    }

    /// Does something to each song; folders and albums are none.
    pub fn each_song(&mut self, change: &mut dyn FnMut(&mut Child)) {
        match self {
            Self::Song(song) => change(song),
            Self::Album(album) => album.song.iter_mut().flatten().for_each(change),
            Self::Directory(folder) => folder.child.iter_mut().filter(|child| !child.is_dir).for_each(change),
            Self::RandomSongs(songs)
            | Self::SongsByGenre(songs)
            | Self::SimilarSongs(songs)
            | Self::SimilarSongs2(songs)
            | Self::TopSongs(songs) => songs.song.iter_mut().for_each(change),
            Self::Starred(found) | Self::SearchResult2(found) => found.song.iter_mut().for_each(change),
            Self::Starred2(found) | Self::SearchResult3(found) => found.song.iter_mut().for_each(change),
            Self::SearchResult(found) => found.r#match.iter_mut().for_each(change),
            Self::Playlist(list) => list.entry.iter_mut().flatten().for_each(change),
            Self::NowPlaying(now) => now.entry.iter_mut().for_each(|entry| change(&mut entry.song)),
            Self::PlayQueue(queue) => queue.entry.iter_mut().for_each(change),
            Self::PlayQueueByIndex(queue) => queue.entry.iter_mut().for_each(change),
            Self::JukeboxPlaylist(list) => list.entry.iter_mut().for_each(change),
            Self::Bookmarks(all) => {
                for mark in &mut all.bookmark {
                    mark.entry.iter_mut().for_each(&mut *change);
                }
            }
            Self::Shares(all) => {
                for share in &mut all.share {
                    share.entry.iter_mut().for_each(&mut *change);
                }
            }
            Self::SonicMatch(all) => {
                for found in all {
                    found.entry.iter_mut().for_each(&mut *change);
                }
            }
            _ => {}
        }
    }
}
