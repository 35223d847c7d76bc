//! Sends what the listener changed: in order, each until the server took it or finally refused it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::link::{Link, is_login};
use crate::cache::Backoff;
use crate::catalog::{Catalog, CatalogError, Change, PlaylistEdit};
use crate::music::{Item, PlaylistId};
use crate::subsonic::{Client, ClientError, ErrorCode, PlaylistChange};

/// Attempts after which a change that the server refuses without a clear reason is dropped.
const TRIES: u32 = 5;

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

impl Outbox {
    /// Sends until nothing waits or the server cannot take more.
    pub(super) async fn deliver(&mut self) -> Result<Delivery, CatalogError> {
        loop {
            let Some((sequence, change)) = self.catalog.outbox(1).await?.into_iter().next() else {
                return Ok(Delivery::Empty);
            };
            match self.send(&change).await? {
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

    async fn send(&self, change: &Change) -> Result<Fate, CatalogError> {
        let client = &self.link.client;
        let sent = match change {
            Change::CreatePlaylist { id, name, tracks } => {
                let known = self.known_playlists(name).await;
                match self.link.ask(client.create_playlist(name, tracks)).await {
                    Ok(made) => {
                        let made = match made {
                            Some(list) => Some(PlaylistId::from(list.id)),
                            None => self.find_new(name, &known.unwrap_or_default()).await,
                        };
                        if let Some(made) = made {
                            self.catalog.rename_playlist_id(id, &made).await?;
                        }
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
            other => self.link.ask(send_simple(client, other)).await,
        };
        let error = match sent {
            Ok(()) => return Ok(Fate::Taken),
            Err(error) => error,
        };
        Ok(match &error {
            ClientError::Api { code, .. } if is_login(*code) => Fate::Later(error),
            ClientError::Api { code: ErrorCode::NotFound | ErrorCode::NotAuthorized, .. } => {
                Fate::Refused(error)
            }
            ClientError::Api { .. } | ClientError::Http { status: 400 | 404 | 405 | 413 | 414 | 422, .. }
                if self.backoff.attempts() + 1 >= TRIES =>
            {
                Fate::Refused(error)
            }
            _ => Fate::Later(error),
        })
    }

    /// Ids of playlists with this name, for servers that do not say which one they made.
    async fn known_playlists(&self, name: &str) -> Option<Vec<String>> {
        let lists = self.link.client.playlists().await.ok()?;
        Some(lists.into_iter().filter(|l| l.name == name).map(|l| l.id).collect())
    }

    async fn find_new(&self, name: &str, known: &[String]) -> Option<PlaylistId> {
        let now = self.known_playlists(name).await?;
        now.into_iter().find(|id| !known.contains(id)).map(PlaylistId::from)
    }
}

async fn send_simple(client: &Client, change: &Change) -> Result<(), ClientError> {
    match change {
        Change::Star { item, .. } => client.star(std::slice::from_ref(item)).await,
        Change::Unstar { item } => client.unstar(std::slice::from_ref(item)).await,
        Change::Rate { item, rating } => client.set_rating(item, *rating).await,
        Change::Scrobble(play) => client.scrobble(&[(play.track.clone(), play.started_at)], true).await,
        Change::CreatePlaylist { name, tracks, .. } => client.create_playlist(name, tracks).await.map(drop),
        Change::ReplacePlaylist { id, name, tracks } => {
            client.replace_playlist(id, name.as_deref(), tracks).await.map(drop)
        }
        Change::EditPlaylist { id, edit } => {
            let PlaylistEdit { name, comment, public, add, remove } = edit.clone();
            client.update_playlist(id, &PlaylistChange { name, comment, public, add, remove }).await
        }
        Change::DeletePlaylist { id } => match client.delete_playlist(id).await {
            // It is gone, which is what was wanted.
            Err(ClientError::Api { code: ErrorCode::NotFound, .. }) => Ok(()),
            other => other,
        },
    }
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
    }
}
