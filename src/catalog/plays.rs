//! Listening history: every time that a track was heard, and the counts that follow from it.

use std::collections::HashMap;

use serde::{Serialize, de::DeserializeOwned};

use super::sql::{self, again};
use super::{
    CatalogError, Change, Listener, Scrobble,
    apply::sql_int,
    batches, consents,
    rows::{self, Cells},
    search::{self, Kind},
};
use crate::music::{EndReason, Play, PlayContext, Purpose, StartReason, Track, TrackId, Window};

impl Listener {
    /// Keeps a play; `false` when the same track, begun at the same time, is already kept, and where the listener wants no
    /// history ([`Purpose::History`]): then nothing of it is kept, counted or told. A play that counts
    /// ([`Play::counts`]) also counts for the track, its album and its artists, and goes to the outbox.
    pub async fn record_play(&self, play: &Play) -> Result<bool, CatalogError> {
        self.record_play_in(play, &PlayContext::default()).await
    }

    /// [`record_play`](Self::record_play) with where and how it came about.
    pub async fn record_play_in(&self, play: &Play, context: &PlayContext) -> Result<bool, CatalogError> {
        self.record_play_for(play, context, &[]).await
    }

    /// [`record_play_in`](Self::record_play_in), and what scrobbling services are to be told of it: both are kept or
    /// neither, and a play that is already kept is not told of again.
    pub async fn record_play_for(
        &self,
        play: &Play,
        context: &PlayContext,
        scrobbles: &[Scrobble],
    ) -> Result<bool, CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let track = sql::query("SELECT duration_ms, album_id FROM tracks WHERE id = $1")
                .bind(play.track.as_str())
                .fetch_optional(&mut *tx)
                .await?
                .ok_or_else(|| CatalogError::not_found("track", play.track.as_str()))?;
            if !consents::allows(&mut tx, self.account.as_str(), Purpose::History).await? {
                return Ok(false);
            }
            let mut c = Cells::of(&track);
            let duration_ms: u64 = c.number()?.unwrap_or(0);
            let album: Option<String> = c.get()?;
            let batch = batches::next(&mut tx).await?;
            let kept = sql::query(
                "INSERT INTO plays (account_id, track_id, started_at, heard_ms, start_reason, end_reason, offset_minutes, \
                 device, source, batch) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
            )
            .bind(self.account.as_str())
            .bind(play.track.as_str())
            .bind(play.started_at)
            .bind(sql_int(play.heard_ms))
            .bind(word(play.start)?)
            .bind(word(play.end)?)
            .bind(i64::from(context.offset_minutes))
            .bind(&context.device)
            .bind(&context.source)
            .bind(batch)
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if kept == 0 {
                return Ok(false);
            }
            if Play::counts(play.heard_ms, duration_ms) {
                let artists: Vec<String> = sql::query_scalar(
                    "SELECT DISTINCT artist_id FROM track_artists WHERE track_id = $1 AND role = 'artist'",
                )
                .bind(play.track.as_str())
                .fetch_all(&mut *tx)
                .await?;
                let items = [(Kind::Track, play.track.as_str().to_owned())]
                    .into_iter()
                    .chain(album.map(|id| (Kind::Album, id)))
                    .chain(artists.into_iter().map(|id| (Kind::Artist, id)));
                for (kind, id) in items {
                    sql::query(
                        "INSERT INTO marks (account_id, kind, item_id, play_count, played_at) VALUES ($1, $2, $3, 1, $4) \
                         ON CONFLICT (account_id, kind, item_id) DO UPDATE SET play_count = marks.play_count + 1, \
                         played_at = CASE WHEN marks.played_at > excluded.played_at THEN marks.played_at \
                         ELSE excluded.played_at END",
                    )
                    .bind(self.account.as_str())
                    .bind(kind.word())
                    .bind(&id)
                    .bind(play.started_at)
                    .execute(&mut *tx)
                    .await?;
                    search::marked(&mut tx, self.account.as_str(), kind, &[&id]).await?;
                }
                self.queue(&mut tx, &Change::Scrobble(play.clone())).await?;
            }
            self.queue_scrobbles(&mut tx, scrobbles).await?;
            tx.commit().await?;
            Ok(true)
        })
    }

    /// What was heard last, newest first; plays of tracks that are gone are left out.
    pub async fn recent_plays(&self, window: Window) -> Result<Vec<(Play, Track)>, CatalogError> {
        let mut conn = self.catalog.reader().acquire().await?;
        let found = sql::query(
            "SELECT p.track_id, p.started_at, p.heard_ms, p.start_reason, p.end_reason FROM plays p \
             WHERE p.account_id = $1 AND EXISTS (SELECT 1 FROM tracks t WHERE t.id = p.track_id) \
             ORDER BY p.started_at DESC, p.track_id LIMIT $2 OFFSET $3",
        )
        .bind(self.account.as_str())
        .bind(sql_int(window.limit))
        .bind(sql_int(window.offset))
        .fetch_all(&mut *conn)
        .await?;
        let plays = found
            .iter()
            .map(|row| {
                Ok(Play {
                    track: row.try_get::<String, _>(0)?.into(),
                    started_at: row.try_get(1)?,
                    heard_ms: u64::try_from(row.try_get::<i64, _>(2)?).unwrap_or(0),
                    start: from_word(row.try_get(3)?, StartReason::Unknown),
                    end: from_word(row.try_get(4)?, EndReason::Unknown),
                })
            })
            .collect::<Result<Vec<_>, sql::Error>>()?;
        let ids: Vec<&str> = plays.iter().map(|p| p.track.as_str()).collect();
        let tracks = rows::tracks_by_id(&mut conn, self.account.as_str(), &ids).await?;
        let tracks: HashMap<TrackId, Track> = tracks.into_iter().map(|t| (t.id.clone(), t)).collect();
        Ok(plays
            .into_iter()
            .filter_map(|play| {
                let track = tracks.get(&play.track).cloned()?;
                Some((play, track))
            })
            .collect())
    }
}

/// A reason as the one word that serde gives it.
pub(super) fn word(reason: impl Serialize) -> Result<String, CatalogError> {
    Ok(serde_json::to_value(reason)?.as_str().unwrap_or_default().to_owned())
}

pub(super) fn from_word<T: DeserializeOwned>(word: String, otherwise: T) -> T {
    serde_json::from_value(serde_json::Value::String(word)).unwrap_or(otherwise)
}
