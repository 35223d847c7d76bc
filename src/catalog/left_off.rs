//! Where listeners left off: one queue for each, and bookmarks in tracks.

use std::collections::HashMap;

use super::apply::sql_int;
use super::reach::Table;
use super::sql::{self, again};
use super::{CatalogError, Change, Listener, rows};
use crate::music::{Bookmark, PlayQueue, Track, TrackId};

impl Listener {
    /// Keeps the queue that the listener's next player begins with, and sends it where there is an outbox. Of two, the
    /// later one stays, in whatever order they arrive. One without tracks takes away what was kept.
    pub async fn save_play_queue(&self, queue: &PlayQueue) -> Result<(), CatalogError> {
        if queue.current >= queue.tracks.len().max(1) {
            return Err(CatalogError::Invalid("the current track is not in the queue".to_owned()));
        }
        again!({
            let mut tx = self.write().await?;
            let later: i64 = sql::query_scalar(
                "SELECT COUNT(*) FROM play_queues WHERE account_id = $1 AND changed_at > $2",
            )
            .bind(self.account.as_str())
            .bind(queue.changed_at)
            .fetch_one(&mut *tx)
            .await?;
            if later > 0 {
                return Ok(());
            }
            if queue.tracks.is_empty() {
                sql::query("DELETE FROM play_queues WHERE account_id = $1")
                    .bind(self.account.as_str())
                    .execute(&mut *tx)
                    .await?;
            } else {
                sql::query(
                    "INSERT INTO play_queues (account_id, track_ids, current_index, position_ms, changed_at, changed_by) \
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account_id) DO UPDATE SET track_ids = excluded.track_ids, \
                     current_index = excluded.current_index, position_ms = excluded.position_ms, \
                     changed_at = excluded.changed_at, changed_by = excluded.changed_by",
                )
                .bind(self.account.as_str())
                .bind(serde_json::to_string(&queue.tracks)?)
                .bind(sql_int(queue.current as u64))
                .bind(sql_int(queue.position_ms))
                .bind(queue.changed_at)
                .bind(&queue.changed_by)
                .execute(&mut *tx)
                .await?;
            }
            self.queue(&mut tx, &Change::SaveQueue(queue.clone())).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// The queue that was kept, with its tracks. Tracks that are gone are left out; when the current one is gone, the
    /// one after it is current and its position is 0.
    pub async fn play_queue(&self) -> Result<Option<(PlayQueue, Vec<Track>)>, CatalogError> {
        let mut conn = self.catalog.reader().acquire().await?;
        let found = sql::query(
            "SELECT track_ids, current_index, position_ms, changed_at, changed_by FROM play_queues WHERE account_id = $1",
        )
        .bind(self.account.as_str())
        .fetch_optional(&mut *conn)
        .await?;
        let Some(row) = found else { return Ok(None) };
        let ids: Vec<TrackId> = serde_json::from_str(row.try_get::<&str, _>(0)?)?;
        let wanted = usize::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0);
        let asked: Vec<&str> = ids.iter().map(TrackId::as_str).collect();
        let tracks = rows::tracks_by_id(&mut conn, self.account.as_str(), &asked).await?;
        let known: HashMap<TrackId, Track> = tracks.into_iter().map(|t| (t.id.clone(), t)).collect();
        let tracks: Vec<Track> = ids.iter().filter_map(|id| known.get(id).cloned()).collect();
        if tracks.is_empty() {
            return Ok(None);
        }
        let before = ids.iter().take(wanted).filter(|id| known.contains_key(*id)).count();
        let there = ids.get(wanted).is_some_and(|id| known.contains_key(id));
        let position = u64::try_from(row.try_get::<i64, _>(2)?).unwrap_or(0);
        let queue = PlayQueue {
            tracks: tracks.iter().map(|t| t.id.clone()).collect(),
            current: before.min(tracks.len() - 1),
            position_ms: if there { position } else { 0 },
            changed_at: row.try_get(3)?,
            changed_by: row.try_get(4)?,
        };
        Ok(Some((queue, tracks)))
    }

    /// All bookmarks, the one that was moved last first; those in tracks that are gone are left out.
    pub async fn bookmarks(&self) -> Result<Vec<Bookmark>, CatalogError> {
        let mut conn = self.catalog.reader().acquire().await?;
        let found = sql::query(
            "SELECT track_id, position_ms, comment, created_at, changed_at FROM bookmarks WHERE account_id = $1 \
             ORDER BY changed_at DESC, track_id",
        )
        .bind(self.account.as_str())
        .fetch_all(&mut *conn)
        .await?;
        let ids = found.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
        let asked: Vec<&str> = ids.iter().map(String::as_str).collect();
        let tracks = rows::tracks_by_id(&mut conn, self.account.as_str(), &asked).await?;
        let mut known: HashMap<String, Track> =
            tracks.into_iter().map(|t| (t.id.as_str().to_owned(), t)).collect();
        found
            .iter()
            .zip(&ids)
            .filter_map(|(row, id)| Some((row, known.remove(id)?)))
            .map(|(row, track)| {
                Ok(Bookmark {
                    track,
                    position_ms: u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0),
                    comment: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    changed_at: row.try_get(4)?,
                })
            })
            .collect()
    }

    /// Makes a bookmark, or moves the one in that track. `at` is Unix time in ms.
    pub async fn set_bookmark(
        &self,
        track: &TrackId,
        position_ms: u64,
        comment: Option<&str>,
        at: i64,
    ) -> Result<(), CatalogError> {
        self.catalog.must_reach(Table::Tracks, [track.as_str()]).await?;
        again!({
            let mut tx = self.write().await?;
            let known: i64 = sql::query_scalar("SELECT COUNT(*) FROM tracks WHERE id = $1")
                .bind(track.as_str())
                .fetch_one(&mut *tx)
                .await?;
            if known == 0 {
                return Err(CatalogError::not_found("song", track.as_str()));
            }
            sql::query(
                "INSERT INTO bookmarks (account_id, track_id, position_ms, comment, created_at, changed_at) \
                 VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (account_id, track_id) DO UPDATE SET \
                 position_ms = excluded.position_ms, comment = excluded.comment, changed_at = excluded.changed_at",
            )
            .bind(self.account.as_str())
            .bind(track.as_str())
            .bind(sql_int(position_ms))
            .bind(comment)
            .bind(at)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Takes a bookmark away; `false` when there was none.
    pub async fn delete_bookmark(&self, track: &TrackId) -> Result<bool, CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let gone = sql::query("DELETE FROM bookmarks WHERE account_id = $1 AND track_id = $2")
                .bind(self.account.as_str())
                .bind(track.as_str())
                .execute(&mut *tx)
                .await?
                .rows_affected();
            tx.commit().await?;
            Ok(gone > 0)
        })
    }
}
