//! What is said over the socket: one JSON object a line, each way. `docs/control.md` has it for other programs.

use std::io;

use interprocess::local_socket::tokio::Stream;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use crate::client::Connection;
use crate::music::Track;
use crate::player::{AdNow, Entry, QueueView, SavedQueue, Sleep, Status, Supply};
use crate::tui::effects::Place;

/// Writes one line, of either side.
pub(super) async fn send(mut stream: &Stream, said: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

/// Rows of the queue that are told at the most.
const ROWS: usize = 200;

/// A question or a wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub(super) enum Ask {
    /// A command as it stands after `:` on the screens; those that need no screen are carried out.
    Do {
        /// The command.
        line: String,
    },
    /// How it is.
    Status,
    /// How it is, now and after every change, until the caller hangs up.
    Follow,
    /// The queue.
    Queue,
    /// This machine and the account's other players.
    Devices,
    /// What the library has for some words.
    Search {
        /// The words.
        words: String,
    },
    /// Play what the words find, or put it into the queue.
    Play {
        /// The words.
        words: String,
        /// How.
        #[serde(default)]
        how: How,
    },
    /// Stop here and tell everything that another player needs to go on at the same place.
    HandOver {
        /// The account and server that the other player plays from.
        profile: String,
    },
}

/// What is done with what was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum How {
    /// Played now.
    #[default]
    Now,
    /// Put at the end of what is up next.
    Add,
    /// Put right after what plays.
    Next,
}

/// An answer; what was not asked for is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    /// Whether it was done.
    pub(super) ok: bool,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) said: String,
    /// How it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<Snapshot>,
    /// The queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) queue: Option<Rows>,
    /// What was found, best first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tracks: Option<Vec<Row>>,
    /// The players that the music can go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) devices: Option<Vec<DeviceRow>>,
    /// What another player needs to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) handed: Option<Handed>,
}

impl Answer {
    pub(super) fn done(said: impl Into<String>) -> Self {
        Self { ok: true, said: said.into(), ..Self::default() }
    }

    pub(super) fn refused(said: impl Into<String>) -> Self {
        Self { ok: false, said: said.into(), ..Self::default() }
    }
}

/// A place in the music, for the player that goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Handed {
    /// The queue.
    pub(in crate::cli) queue: SavedQueue,
    /// ms into the track.
    pub(in crate::cli) position_ms: u64,
    /// Whether sound came out.
    pub(in crate::cli) playing: bool,
    /// 0–100.
    pub(in crate::cli) volume: u8,
    /// Whether it is a private session.
    #[serde(default)]
    pub(in crate::cli) private: bool,
    /// Id of the device that plays in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) elsewhere: Option<String>,
}

/// A player that the music can go to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceRow {
    /// Its id; `here` for this machine.
    pub(super) id: String,
    pub(super) name: String,
    /// Whether what is driven here sounds there.
    pub(super) chosen: bool,
    pub(super) online: bool,
    /// What it does, in few words.
    pub(super) about: String,
}

impl DeviceRow {
    pub(super) fn of(place: &Place) -> Self {
        Self {
            id: place.id.clone(),
            name: place.name.clone(),
            chosen: place.chosen,
            online: place.online,
            about: place.about.clone(),
        }
    }
}

/// A track in few words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) artist: String,
    pub(super) album: String,
    pub(super) duration_ms: u64,
}

impl Row {
    pub(super) fn of(track: &Track) -> Self {
        Self {
            id: track.id.as_str().to_owned(),
            title: track.title.clone(),
            artist: track.artist.clone(),
            album: track.album.clone(),
            duration_ms: track.duration_ms,
        }
    }

    fn list(entries: &[Entry]) -> Vec<Self> {
        entries.iter().take(ROWS).map(|entry| Self::of(&entry.track)).collect()
    }
}

/// The queue in the order in which it will be heard; the first 200 rows of each part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rows {
    pub(super) now: Option<Row>,
    pub(super) up_next: Vec<Row>,
    pub(super) context: Vec<Row>,
    pub(super) context_name: String,
}

impl Rows {
    pub(super) fn of(queue: &QueueView) -> Self {
        Self {
            now: queue.now.as_ref().map(|entry| Row::of(&entry.track)),
            up_next: Row::list(&queue.up_next),
            context: Row::list(&queue.context),
            context_name: queue.context_name.clone(),
        }
    }
}

/// An ad.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ad {
    pub(super) title: String,
    pub(super) by: String,
    /// ms into it.
    pub(super) position_ms: u64,
    pub(super) duration_ms: u64,
}

impl Ad {
    fn of(ad: &AdNow) -> Self {
        Self {
            title: ad.title.clone(),
            by: ad.by.clone(),
            position_ms: ad.position_ms,
            duration_ms: ad.duration_ms,
        }
    }
}

/// How a player is, in plain words and numbers.
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Snapshot {
    /// `playing`, `paused`, `buffering` or `stopped`.
    pub(super) state: String,
    /// What plays or would play.
    pub(super) track: Option<Row>,
    /// What comes after it.
    pub(super) next: Option<Row>,
    /// ms into the track.
    pub(super) position_ms: u64,
    /// 0–100.
    pub(super) volume: u8,
    pub(super) muted: bool,
    pub(super) shuffle: bool,
    /// `off`, `all` or `one`.
    pub(super) repeat: String,
    pub(super) loved: bool,
    /// 0–5.
    pub(super) rating: u8,
    /// Such as `FLAC 44.1/16`.
    pub(super) format: String,
    /// `cached`, `streaming` or `offline`.
    pub(super) source: String,
    /// `online`, `slow`, `offline` or `connecting`.
    pub(super) connection: String,
    /// Seconds until it falls asleep; 0 at the end of the track.
    pub(super) sleep_s: Option<u64>,
    /// Whether this is a private session.
    #[serde(default)]
    pub(super) private: bool,
    /// Name of the device that plays in the place of this machine.
    #[serde(default)]
    pub(super) device: Option<String>,
    /// The ad that is heard before the track, if one is.
    #[serde(default)]
    pub(super) ad: Option<Ad>,
    /// Why nothing is heard, if so.
    pub(super) trouble: Option<String>,
}

impl Snapshot {
    pub(super) fn of(status: &Status, connection: &Connection) -> Self {
        let queue = &status.queue;
        let now = queue.now.as_ref().map(|entry| &entry.track);
        let next = queue.up_next.first().or(queue.context.first());
        Self {
            state: status.transport.word().to_owned(),
            track: now.map(|track| Row::of(track)),
            next: next.map(|entry| Row::of(&entry.track)),
            position_ms: status.position_ms,
            volume: status.volume,
            muted: status.muted,
            shuffle: queue.shuffle,
            repeat: match queue.repeat {
                crate::player::Repeat::Off => "off",
                crate::player::Repeat::All => "all",
                crate::player::Repeat::One => "one",
            }
            .to_owned(),
            loved: now.is_some_and(|track| track.marks.starred_at.is_some()),
            rating: now.map_or(0, |track| track.marks.rating),
            format: status.quality.clone(),
            source: match status.supply {
                Supply::Cached => "cached",
                Supply::Streaming => "streaming",
                Supply::Offline => "offline",
            }
            .to_owned(),
            connection: match connection {
                Connection::Connecting => "connecting",
                Connection::Online => "online",
                Connection::Slow => "slow",
                Connection::Offline { .. } => "offline",
            }
            .to_owned(),
            sleep_s: status.sleep.map(|sleep| match sleep {
                Sleep::After { seconds } => seconds,
                Sleep::TrackEnd => 0,
            }),
            private: status.private,
            device: status.elsewhere.clone(),
            ad: status.ad.as_ref().map(Ad::of),
            trouble: status.output_notice.clone(),
        }
    }

    /// Whether anybody who watches a status line would see a difference.
    pub(super) fn differs(&self, other: &Self) -> bool {
        let still = |s: &Self| Self { position_ms: s.position_ms / 1000, ..s.clone() };
        still(self) != still(other)
    }
}
