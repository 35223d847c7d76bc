//! Wire types of what plays and where listeners left off: now playing, play queues, bookmarks, lyrics.

use serde::{Deserialize, Serialize};

use super::lenient::wire;
use super::types::Child;

wire! {
    /// The body of `getPlayQueue`.
    pub struct PlayQueue {
        /// Id of the song that played.
        opt current: String,
        /// How far it was, ms.
        opt position: u64,
        /// Whose queue.
        req username: String,
        /// When it was left, ISO 8601.
        req changed: String,
        /// The program that left it.
        req changed_by: String,
        /// Songs in order.
        list entry: Child,
    }

    /// The body of `getPlayQueueByIndex` (extension `indexBasedQueue`).
    pub struct PlayQueueByIndex {
        /// Index of the song that played.
        opt current_index: u64,
        /// How far it was, ms.
        opt position: u64,
        /// Whose queue.
        req username: String,
        /// When it was left, ISO 8601.
        req changed: String,
        /// The program that left it.
        req changed_by: String,
        /// Songs in order.
        list entry: Child,
    }

    /// The body of `getBookmarks`.
    pub struct Bookmarks {
        /// Bookmarks.
        list bookmark: Bookmark,
    }

    /// A place in a song.
    pub struct Bookmark {
        /// The place, ms.
        req position: u64,
        /// Whose it is.
        req username: String,
        /// What the listener wrote.
        opt comment: String,
        /// When it was made, ISO 8601.
        req created: String,
        /// When it was moved, ISO 8601.
        req changed: String,
        /// The song.
        object entry: Child,
    }

    /// Who hears a song now, and how far they are (extension `playbackReport`).
    pub struct Hearing {
        /// Account name.
        req username: String,
        /// Minutes since the player was heard of.
        req minutes_ago: u64,
        /// A number of the player.
        req player_id: u64,
        /// The player's name.
        opt player_name: String,
        /// `starting`, `playing`, `paused` or `stopped`.
        opt state: String,
        /// Place in the song, ms, worked out for this moment.
        opt position_ms: u64,
        /// Speed, 1 for as it is.
        opt playback_rate: f64,
    }

    /// The body of `getNowPlaying`.
    pub struct NowPlaying {
        /// Who hears what.
        list entry: NowPlayingEntry,
    }

    /// The body of `getLyrics`: words without times.
    pub struct Lyrics {
        /// Artist.
        opt artist: String,
        /// Title.
        opt title: String,
        /// The words.
        req value: String,
    }

    /// The body of `getLyricsBySongId` (extension `songLyrics`).
    pub struct LyricsList {
        /// One for each language and kind.
        list structured_lyrics: StructuredLyrics,
    }

    /// Lyrics line by line.
    pub struct StructuredLyrics {
        /// Artist as the lyrics name it.
        opt display_artist: String,
        /// Title as the lyrics name it.
        opt display_title: String,
        /// ISO 639, `und` or `xxx` when it is not known.
        req lang: String,
        /// ms to add to nothing: positive means that lines come sooner.
        opt offset: f64,
        /// Whether lines have times.
        req synced: bool,
        /// Lines in order.
        list line: Line,
        /// `main`, `translation` or `pronunciation`; only in enhanced answers.
        opt kind: String,
        /// Words with times; only in enhanced answers.
        maybe cue_line: CueLine,
    }

    /// One line.
    pub struct Line {
        /// When it begins, ms from the start of the song.
        opt start: f64,
        /// The words.
        req value: String,
    }

    /// The words of one line with their times.
    pub struct CueLine {
        /// Which line, from 0.
        req index: u64,
        /// When it begins, ms.
        opt start: u64,
        /// When it ends, ms.
        opt end: u64,
        /// The whole text, into which the bytes of the cues count.
        req value: String,
        /// Words in order.
        list cue: Cue,
    }

    /// One word or syllable.
    pub struct Cue {
        /// When it begins, ms.
        req start: u64,
        /// When it ends, ms.
        opt end: u64,
        /// First byte in the line's text (UTF-8).
        req byte_start: u64,
        /// Last byte, inclusive.
        req byte_end: u64,
        /// The word.
        req value: String,
    }
}

/// A song with who hears it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NowPlayingEntry {
    /// The song.
    #[serde(flatten)]
    pub song: Child,
    /// Who hears it.
    #[serde(flatten)]
    pub by: Hearing,
}
