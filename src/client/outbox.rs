//! Sends what the listener changed: in order, each until the server took it or finally refused it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::conflict;
use super::link::{Link, is_login};
use crate::cache::Backoff;
use crate::catalog::{Catalog, CatalogError, Change, PlaylistEdit};
use crate::music::{Item, PlayQueue, PlaylistId, Purpose, TrackId, printable};
use crate::subsonic::convert::from_iso;
use crate::subsonic::types::Playlist;
use crate::subsonic::{Client, ClientError, ErrorCode, PlaylistChange};

/// Attempts after which a change that the server refuses without a clear reason is dropped.
const TRIES: u32 = 5;

/// How long another process that delivers from the same catalog is left to it.
const BUSY: Duration = Duration::from_millis(500);

/// Delivers the outbox of one catalog.
pub(super) struct Outbox {
    pub(super) link: Arc<Link>,
    pub(super) catalog: Catalog,
    /// Counts deliveries. Held while a row is struck out, so that the sync never takes an answer from before the
    /// delivery for what the server says after it.
    pub(super) delivered: Arc<Mutex<u64>>,
    pub(super) backoff: Backoff,
}

/// How far a delivery came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// Nothing waits any more.
    Empty,
    /// The server cannot take more now; again after the pause, or when it is back.
    Later(Duration),
}

enum Fate {
    Taken,
    Refused(ClientError),
    Later(ClientError),
}

/// What the server had before a change that must not be made twice. Kept with the catalog while the change is
/// under way, so that an answer that was lost, or a program that was killed, is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Before {
    /// Ids of the playlists that have the new one's name.
    Lists(Vec<String>),
    /// Nothing: the server's time of the last play tells.
    Play,
    /// Entries and time of change of the playlist to edit, and the places there of what is to go.
    List {
        entries: u32,
        changed: String,
        #[serde(default)]
        remove: Option<Vec<usize>>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct UnderWay {
    sequence: i64,
    before: Before,
}

/// Under which name the change under way is kept.
const UNDER_WAY: &str = "outbox.under_way";

impl Outbox {
    /// Sends until nothing waits or the server cannot take more.
    pub(super) async fn deliver(&mut self) -> Result<Delivery, CatalogError> {
        if self.catalog.outbox(1).await?.is_empty() {
            return Ok(Delivery::Empty);
        }
        // Two that deliver from one outbox would send everything twice.
        let _alone = match self.catalog.alone("outbox").await {
            Ok(Some(alone)) => Some(alone),
            Ok(None) => return Ok(Delivery::Later(BUSY)),
            Err(error) => {
                tracing::debug!(error = %error, "there are no locks here");
                None
            }
        };
        loop {
            let Some((sequence, change)) = self.catalog.outbox(1).await?.into_iter().next() else {
                return Ok(Delivery::Empty);
            };
            let fate = match self.send(sequence, &change).await? {
                Ok(()) => Fate::Taken,
                Err(error) => self.fate(error),
            };
            match fate {
                Fate::Taken => {}
                Fate::Refused(error) => {
                    tracing::warn!(sequence, error = %error, "the server refused a change");
                    let what = describe(&change);
                    self.link.change(|status| {
                        status.problem = Some(format!("the server refused {what}: {error}"));
                    });
                }
                Fate::Later(error) => {
                    let wish = match error {
                        ClientError::Http { retry_after, .. } => retry_after,
                        _ => None,
                    };
                    return Ok(Delivery::Later(self.backoff.next(wish)));
                }
            }
            let mut delivered = self.delivered.lock().await;
            *delivered += 1;
            self.catalog.outbox_done(sequence).await?;
            self.backoff.reset();
        }
    }

    fn fate(&self, error: ClientError) -> Fate {
        match &error {
            ClientError::Api { code, .. } if is_login(*code) => Fate::Later(error),
            ClientError::Api { code: ErrorCode::NotFound | ErrorCode::NotAuthorized, .. } => {
                Fate::Refused(error)
            }
            // A server that stumbles over one change must not hold up those behind it for ever.
            ClientError::Api { .. }
            | ClientError::Http { status: 400 | 404 | 405 | 413 | 414 | 422 | 500 | 501, .. }
                if self.backoff.attempts() + 1 >= TRIES =>
            {
                Fate::Refused(error)
            }
            _ => Fate::Later(error),
        }
    }

    async fn send(&self, sequence: i64, change: &Change) -> Result<Result<(), ClientError>, CatalogError> {
        let known =
            self.catalog.setting(UNDER_WAY).await?.and_then(|t| serde_json::from_str::<UnderWay>(&t).ok());
        let before = if let Some(known) = known.filter(|known| known.sequence == sequence) {
            match self.already_done(change, &known.before).await? {
                Ok(true) => return Ok(Ok(())),
                Ok(false) => Some(known.before),
                Err(error) => return Ok(Err(error)),
            }
        } else {
            match self.look_before(change).await {
                Ok(before) => before,
                Err(error) => return Ok(Err(error)),
            }
        };
        if let Some(before) = before.clone() {
            let text = serde_json::to_string(&UnderWay { sequence, before }).unwrap_or_default();
            self.catalog.set_setting(UNDER_WAY, &text).await?;
        }
        let client = &self.link.client;
        if let Change::SaveQueue(queue) = change {
            return Ok(self.leave_queue(queue).await);
        }
        match change {
            Change::Profiling { on } => {
                return Ok(self.decided(Purpose::Personalisation, *on, Purpose::TEXT_VERSION).await);
            }
            Change::Decided { purpose, given, version } => {
                return Ok(self.decided(*purpose, *given, *version).await);
            }
            _ => {}
        }
        if let Change::ReplacePlaylist { id, name, tracks, was: Some(was) } = change {
            return Ok(self.replace(id, name.as_deref(), tracks, was).await);
        }
        if let (Change::EditPlaylist { id, edit }, Some(Before::List { remove: Some(remove), .. })) =
            (change, &before)
        {
            let edit = PlaylistEdit { remove: remove.clone(), ..edit.clone() };
            return Ok(self.link.ask(client.update_playlist(id, &wire(&edit))).await);
        }
        let Change::CreatePlaylist { id, name, tracks } = change else {
            return Ok(self.link.ask(send_simple(client, change)).await);
        };
        let made = match self.link.ask(client.create_playlist(name, tracks)).await {
            Ok(made) => made,
            Err(error) => return Ok(Err(error)),
        };
        let made = match (made, &before) {
            (Some(list), _) => Some(PlaylistId::from(list.id)),
            // A server that does not say what it made.
            (None, Some(Before::Lists(known))) => match self.new_list(name, known).await {
                Ok(found) => found,
                Err(error) => return Ok(Err(error)),
            },
            (None, _) => None,
        };
        if let Some(made) = made {
            self.catalog.rename_playlist_id(id, &made).await?;
        }
        Ok(Ok(()))
    }

    /// What to compare with later, for changes that would do harm when made twice.
    async fn look_before(&self, change: &Change) -> Result<Option<Before>, ClientError> {
        match change {
            Change::Scrobble(_) => Ok(Some(Before::Play)),
            Change::CreatePlaylist { name, .. } => Ok(Some(Before::Lists(self.lists_named(name).await?))),
            Change::EditPlaylist { id, edit } if !edit.add.is_empty() || !edit.remove.is_empty() => {
                let list = self.link.ask(self.link.client.playlist(id)).await?;
                let there = entries_of(&list);
                let (remove, moved) = conflict::relocate(&edit.remove, &edit.gone, &there);
                if moved {
                    self.tell(format!(
                        "the playlist “{}” was changed elsewhere too: what you took out was looked for there",
                        printable(&list.name)
                    ));
                }
                let entries = if list.entry.is_some() { there.len() as u32 } else { list.song_count };
                Ok(Some(Before::List { entries, changed: list.changed, remove: Some(remove) }))
            }
            _ => Ok(None),
        }
    }

    /// Whether an earlier attempt of this change reached the server although no answer came.
    async fn already_done(
        &self,
        change: &Change,
        before: &Before,
    ) -> Result<Result<bool, ClientError>, CatalogError> {
        match (change, before) {
            (Change::CreatePlaylist { id, name, .. }, Before::Lists(known)) => {
                let made = match self.new_list(name, known).await {
                    Ok(made) => made,
                    Err(error) => return Ok(Err(error)),
                };
                if let Some(made) = &made {
                    self.catalog.rename_playlist_id(id, made).await?;
                }
                Ok(Ok(made.is_some()))
            }
            (Change::Scrobble(play), Before::Play) => {
                let song = match self.link.ask(self.link.client.song(&play.track)).await {
                    Ok(song) => song,
                    Err(error) => return Ok(Err(error)),
                };
                // Servers keep whole seconds. A play of another player since then counts for this one: rather one
                // too few than one too many.
                let heard = song.played.and_then(|at| at.parse::<jiff::Timestamp>().ok());
                Ok(Ok(heard.is_some_and(|at| at.as_second() >= play.started_at.div_euclid(1000))))
            }
            (Change::EditPlaylist { id, edit }, Before::List { entries, changed, remove }) => {
                let list = match self.link.ask(self.link.client.playlist(id)).await {
                    Ok(list) => list,
                    Err(error) => return Ok(Err(error)),
                };
                let removed = remove
                    .as_ref()
                    .unwrap_or(&edit.remove)
                    .iter()
                    .filter(|at| **at < *entries as usize)
                    .count();
                let expected = (*entries as usize).saturating_sub(removed) + edit.add.len();
                let moved = list.song_count != *entries || list.changed != *changed;
                Ok(Ok(moved && list.song_count as usize == expected))
            }
            _ => Ok(Ok(false)),
        }
    }

    /// Of two queues the one that was left later stays: one that waited here while another player went on is not sent.
    async fn leave_queue(&self, queue: &PlayQueue) -> Result<(), ClientError> {
        let by_index = self.link.extends("indexBasedQueue").await;
        let there = self.link.ask(self.link.client.play_queue(by_index)).await?;
        let newer = there.and_then(|there| from_iso(&there.changed)).is_some_and(|at| at > queue.changed_at);
        if newer {
            self.tell("another player left its queue later than this one: that queue stays".to_owned());
            return Ok(());
        }
        self.link.ask(self.link.client.save_play_queue(queue, by_index)).await
    }

    /// Tells a server that has such a switch; another one has nothing to be told.
    async fn decided(&self, purpose: Purpose, on: bool, version: u32) -> Result<(), ClientError> {
        // Asked itself: who cannot be reached now must be told later.
        let versions = match self.link.ask(self.link.client.extensions()).await {
            Ok(listed) => {
                let privacy = listed.into_iter().find(|extension| extension.name == "seguePrivacy");
                privacy.map(|extension| extension.versions).unwrap_or_default()
            }
            // Servers that are not OpenSubsonic do not know the question.
            Err(
                ClientError::Api { code: ErrorCode::Generic, .. }
                | ClientError::Http { status: 404 | 501, .. },
            ) => return Ok(()),
            Err(error) => return Err(error),
        };
        let client = &self.link.client;
        if versions.contains(&2) {
            self.link.ask(client.set_purpose(purpose, on, version)).await
        } else if versions.contains(&1) && purpose == Purpose::Personalisation {
            self.link.ask(client.set_profiling(on)).await
        } else {
            Ok(())
        }
    }

    /// Puts a list into the listener's order, whatever others did to it meanwhile.
    async fn replace(
        &self,
        id: &PlaylistId,
        name: Option<&str>,
        tracks: &[TrackId],
        was: &[TrackId],
    ) -> Result<(), ClientError> {
        let list = self.link.ask(self.link.client.playlist(id)).await?;
        let (merged, changed) = conflict::merge(tracks, was, &entries_of(&list));
        if changed {
            self.tell(format!(
                "the playlist “{}” was changed elsewhere too: your order stands, and what was added there is at its end",
                printable(&list.name)
            ));
        }
        self.link.ask(self.link.client.replace_playlist(id, name, &merged)).await.map(drop)
    }

    /// Shows how a conflict was resolved.
    fn tell(&self, how: String) {
        tracing::info!("{how}");
        self.link.change(|status| status.problem = Some(how));
    }

    async fn lists_named(&self, name: &str) -> Result<Vec<String>, ClientError> {
        let lists = self.link.ask(self.link.client.playlists()).await?;
        Ok(lists.into_iter().filter(|l| l.name == name).map(|l| l.id).collect())
    }

    async fn new_list(&self, name: &str, known: &[String]) -> Result<Option<PlaylistId>, ClientError> {
        let now = self.lists_named(name).await?;
        Ok(now.into_iter().find(|id| !known.contains(id)).map(PlaylistId::from))
    }
}

async fn send_simple(client: &Client, change: &Change) -> Result<(), ClientError> {
    match change {
        Change::Star { item, .. } => client.star(std::slice::from_ref(item)).await,
        Change::Unstar { item } => client.unstar(std::slice::from_ref(item)).await,
        Change::Rate { item, rating } => client.set_rating(item, *rating).await,
        Change::Scrobble(play) => client.scrobble(&[(play.track.clone(), play.started_at)], true).await,
        Change::SaveQueue(queue) => client.save_play_queue(queue, false).await,
        Change::Profiling { on } => client.set_profiling(*on).await,
        Change::Ad(heard) => match client.report_ads(std::slice::from_ref(heard)).await {
            // It expired, or the server counts it already: the listener can do nothing about either.
            Err(ClientError::Api { code: ErrorCode::NotFound, .. }) => Ok(()),
            other => other,
        },
        Change::Decided { purpose, given, version } => client.set_purpose(*purpose, *given, *version).await,
        Change::CreatePlaylist { name, tracks, .. } => client.create_playlist(name, tracks).await.map(drop),
        Change::ReplacePlaylist { id, name, tracks, .. } => {
            client.replace_playlist(id, name.as_deref(), tracks).await.map(drop)
        }
        Change::EditPlaylist { id, edit } => client.update_playlist(id, &wire(edit)).await,
        Change::DeletePlaylist { id } => match client.delete_playlist(id).await {
            // It is gone, which is what was wanted.
            Err(ClientError::Api { code: ErrorCode::NotFound, .. }) => Ok(()),
            other => other,
        },
    }
}

fn wire(edit: &PlaylistEdit) -> PlaylistChange {
    let PlaylistEdit { name, comment, public, add, remove, gone: _ } = edit.clone();
    PlaylistChange { name, comment, public, add, remove }
}

fn entries_of(list: &Playlist) -> Vec<TrackId> {
    list.entry.iter().flatten().map(|song| song.id.clone().into()).collect()
}

fn describe(change: &Change) -> &'static str {
    match change {
        Change::Star { item, .. } | Change::Unstar { item } | Change::Rate { item, .. } => match item {
            Item::Track(_) => "the mark of a track",
            Item::Album(_) => "the mark of an album",
            Item::Artist(_) => "the mark of an artist",
        },
        Change::Scrobble(_) => "a play",
        Change::CreatePlaylist { .. } => "a new playlist",
        Change::ReplacePlaylist { .. } | Change::EditPlaylist { .. } => "an edit of a playlist",
        Change::DeletePlaylist { .. } => "the removal of a playlist",
        Change::SaveQueue(_) => "the place in the queue",
        Change::Ad(_) => "the report of an ad",
        Change::Profiling { .. } => "whether anything is made of what you hear",
        Change::Decided { .. } => "what you allow to be done with your data",
    }
}
