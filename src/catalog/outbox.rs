//! What the listener changed and the server does not know yet; and the small settings beside it.
//!
//! Rows are written by the edits themselves (`marks`, `plays`, `playlists`) in their own transaction, read by the
//! client in order, and removed one by one when the server has taken them. A sequence number is never given twice, so that
//! a late "done" cannot remove a newer change.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::sql::{self, again};
use super::{Catalog, CatalogError, Listener, PlaylistEdit, apply::sql_int};
use crate::music::{AdHeard, Item, Play, PlayQueue, PlaylistId, Purpose, TrackId};

/// One change to send to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// An item was starred.
    Star {
        /// What.
        item: Item,
        /// When, Unix time in ms.
        at: i64,
    },
    /// A star was taken away.
    Unstar {
        /// From what.
        item: Item,
    },
    /// An item was rated.
    Rate {
        /// What.
        item: Item,
        /// 1–5, 0 to take the rating away.
        rating: u8,
    },
    /// A track was heard, long enough to count.
    Scrobble(Play),
    /// A playlist was made. Its id is local until [`Catalog::rename_playlist_id`].
    CreatePlaylist {
        /// Local id.
        id: PlaylistId,
        /// Name.
        name: String,
        /// First entries.
        tracks: Vec<TrackId>,
    },
    /// All entries of a playlist were replaced.
    ReplacePlaylist {
        /// Which.
        id: PlaylistId,
        /// New name, if changed.
        name: Option<String>,
        /// All entries.
        tracks: Vec<TrackId>,
        /// The entries before; not known to changes that an earlier release wrote down.
        #[serde(default)]
        was: Option<Vec<TrackId>>,
    },
    /// A playlist was edited. Indexes count all of its entries on the server, before the change.
    EditPlaylist {
        /// Which.
        id: PlaylistId,
        /// How.
        edit: PlaylistEdit,
    },
    /// A playlist was deleted.
    DeletePlaylist {
        /// Which.
        id: PlaylistId,
    },
    /// The queue and the place in it changed.
    SaveQueue(PlayQueue),
    /// An ad was heard.
    Ad(AdHeard),
    /// The listener allowed or forbade that anything is made of what they do, as earlier releases wrote it down.
    Profiling {
        /// Whether it is allowed.
        on: bool,
    },
    /// The listener allowed or forbade a use of their data.
    Decided {
        /// Which.
        purpose: Purpose,
        /// Whether it is allowed.
        given: bool,
        /// The version of the text that they were shown.
        version: u32,
    },
}

impl Change {
    /// What it is about, as the table's `subject` has it.
    pub(super) fn subject(&self) -> String {
        match self {
            Self::Star { item, .. } | Self::Unstar { item } | Self::Rate { item, .. } => item_subject(item),
            Self::Scrobble(play) => item_subject(&Item::Track(play.track.clone())),
            Self::CreatePlaylist { id, .. }
            | Self::ReplacePlaylist { id, .. }
            | Self::EditPlaylist { id, .. }
            | Self::DeletePlaylist { id } => playlist_subject(id),
            Self::SaveQueue(_) => "queue".to_owned(),
            Self::Ad(heard) => format!("ad:{}", heard.ticket),
            Self::Profiling { .. } => "profiling".to_owned(),
            Self::Decided { purpose, .. } => format!("purpose:{}", purpose.word()),
        }
    }

    /// Its kind, and whether a later one of that kind and subject makes it pointless.
    fn verb(&self) -> (&'static str, bool) {
        match self {
            Self::Star { .. } | Self::Unstar { .. } => ("star", true),
            Self::Rate { .. } => ("rate", true),
            Self::Scrobble(_) => ("scrobble", false),
            Self::CreatePlaylist { .. }
            | Self::ReplacePlaylist { .. }
            | Self::EditPlaylist { .. }
            | Self::DeletePlaylist { .. } => ("playlist", false),
            Self::SaveQueue(_) => ("queue", true),
            Self::Ad(_) => ("ad", true),
            Self::Profiling { .. } => ("profiling", true),
            Self::Decided { .. } => ("decided", true),
        }
    }

    fn rename_playlist(&mut self, from: &PlaylistId, to: &PlaylistId) {
        match self {
            Self::CreatePlaylist { id, .. }
            | Self::ReplacePlaylist { id, .. }
            | Self::EditPlaylist { id, .. }
            | Self::DeletePlaylist { id }
                if id == from =>
            {
                *id = to.clone();
            }
            _ => {}
        }
    }
}

pub(super) fn item_subject(item: &Item) -> String {
    format!("{}:{}", item.kind(), item.id())
}

pub(super) fn playlist_subject(id: &PlaylistId) -> String {
    format!("playlist:{id}")
}

/// Where the id is kept that a server gave to a playlist made here.
pub(super) fn renamed(local: &PlaylistId) -> String {
    format!("playlist.now.{local}")
}

impl Listener {
    /// Has the server told how an ad was heard.
    pub async fn ad_heard(&self, heard: &AdHeard) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            self.queue(&mut tx, &Change::Ad(heard.clone())).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Writes an outbox row, if this view has an outbox.
    pub(super) async fn queue(
        &self,
        conn: &mut sql::Connection,
        change: &Change,
    ) -> Result<(), CatalogError> {
        if !self.outbox {
            return Ok(());
        }
        let (verb, last_wins) = change.verb();
        let subject = change.subject();
        if last_wins {
            sql::query("DELETE FROM outbox WHERE account_id = $1 AND subject = $2 AND verb = $3")
                .bind(self.account.as_str())
                .bind(&subject)
                .bind(verb)
                .execute(&mut *conn)
                .await?;
        }
        let last = setting(conn, "outbox.sequence").await?.and_then(|n| n.parse::<i64>().ok()).unwrap_or(0);
        put_setting(conn, "outbox.sequence", &(last + 1).to_string()).await?;
        sql::query(
            "INSERT INTO outbox (sequence, account_id, verb, subject, body) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(last + 1)
        .bind(self.account.as_str())
        .bind(verb)
        .bind(subject)
        .bind(serde_json::to_string(change)?)
        .execute(conn)
        .await?;
        Ok(())
    }

    /// Subjects that have a change waiting.
    pub(super) async fn waiting(&self, conn: &mut sql::Connection) -> Result<HashSet<String>, CatalogError> {
        let subjects: Vec<String> =
            sql::query_scalar("SELECT DISTINCT subject FROM outbox WHERE account_id = $1")
                .bind(self.account.as_str())
                .fetch_all(conn)
                .await?;
        Ok(subjects.into_iter().collect())
    }
}

impl Catalog {
    /// The oldest changes that wait, with their sequence numbers, in the order in which they were made.
    pub async fn outbox(&self, limit: u64) -> Result<Vec<(i64, Change)>, CatalogError> {
        let rows = sql::query("SELECT sequence, body FROM outbox ORDER BY sequence LIMIT $1")
            .bind(sql_int(limit))
            .fetch_all(self.reader())
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, serde_json::from_str(row.try_get::<&str, _>(1)?)?)))
            .collect()
    }

    /// Removes a change that the server has taken, or will never take.
    pub async fn outbox_done(&self, sequence: i64) -> Result<(), CatalogError> {
        sql::query("DELETE FROM outbox WHERE sequence = $1").bind(sequence).execute(self.writer()).await?;
        Ok(())
    }

    /// Gives a playlist that was made here the id that the server chose for it, also in changes that still wait.
    pub async fn rename_playlist_id(
        &self,
        local: &PlaylistId,
        server: &PlaylistId,
    ) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            // A new parent row first, so that the entries can move to it.
            for sql in [
                "INSERT INTO playlists (account_id, id, name, comment, owner, public, created_at, changed_at) \
                 SELECT account_id, $2, name, comment, owner, public, created_at, changed_at FROM playlists \
                 WHERE id = $1 ON CONFLICT DO NOTHING",
                "DELETE FROM playlist_tracks WHERE playlist_id = $2 AND account_id IN \
                 (SELECT account_id FROM playlists WHERE id = $1)",
                "UPDATE playlist_tracks SET playlist_id = $2 WHERE playlist_id = $1",
            ] {
                sql::query(sql).bind(local.as_str()).bind(server.as_str()).execute(&mut *tx).await?;
            }
            sql::query("DELETE FROM playlists WHERE id = $1").bind(local.as_str()).execute(&mut *tx).await?;
            Self::rename_pin(&mut tx, local, server).await?;
            put_setting(&mut tx, &renamed(local), server.as_str()).await?;
            let waiting = sql::query("SELECT sequence, body FROM outbox WHERE subject = $1")
                .bind(playlist_subject(local))
                .fetch_all(&mut *tx)
                .await?;
            for row in waiting {
                let mut change: Change = serde_json::from_str(row.try_get::<&str, _>(1)?)?;
                change.rename_playlist(local, server);
                sql::query("UPDATE outbox SET subject = $2, body = $3 WHERE sequence = $1")
                    .bind(row.try_get::<i64, _>(0)?)
                    .bind(change.subject())
                    .bind(serde_json::to_string(&change)?)
                    .execute(&mut *tx)
                    .await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// A small value kept under a name, such as the cursor of the sync.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, CatalogError> {
        let mut conn = self.reader().acquire().await?;
        setting(&mut conn, name).await
    }

    /// A counter that every process may [count up](Self::count_up).
    pub async fn count_of(&self, name: &str) -> Result<i64, CatalogError> {
        Ok(self.setting(name).await?.and_then(|value| value.parse().ok()).unwrap_or(0))
    }

    /// Counts one up.
    pub async fn count_up(&self, name: &str) -> Result<(), CatalogError> {
        let sql = "INSERT INTO settings (name, value) VALUES ($1, '1') ON CONFLICT (name) DO UPDATE SET \
                   value = CAST(CAST(settings.value AS BIGINT) + 1 AS TEXT)";
        sql::query(sql).bind(name).execute(self.writer()).await?;
        Ok(())
    }

    /// Keeps a small value under a name.
    pub async fn set_setting(&self, name: &str, value: &str) -> Result<(), CatalogError> {
        let mut conn = self.writer().acquire().await?;
        put_setting(&mut conn, name, value).await
    }
}

pub(super) async fn setting(conn: &mut sql::Connection, name: &str) -> Result<Option<String>, CatalogError> {
    Ok(sql::query_scalar("SELECT value FROM settings WHERE name = $1")
        .bind(name)
        .fetch_optional(conn)
        .await?)
}

/// Writes a setting within a transaction.
pub(super) async fn put_setting(
    conn: &mut sql::Connection,
    name: &str,
    value: &str,
) -> Result<(), CatalogError> {
    sql::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(conn)
    .await?;
    Ok(())
}
