//! What scrobbling services are told of plays, and how far that is.
//!
//! ```text
//! record_play_for ─▶ waiting ─▶ sending ─▶ done
//!                       ▲          │ the service does not have it
//!                       └──────────┘
//! ```
//!
//! A row is marked as being sent before the request leaves, so that after a crash, or an answer that never came, it is known
//! which rows must be looked for at the service before they are sent again.

use super::sql::{self, again};
use super::{CatalogError, Listener, apply::sql_int, rows::Cells};
use crate::music::{Listen, ScrobbleService, Track, TrackId};

/// One play for one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrobble {
    /// Who is told.
    pub service: ScrobbleService,
    /// The track.
    pub track: TrackId,
    /// When it began, Unix time in ms.
    pub started_at: i64,
    /// What is told.
    pub listen: Listen,
}

impl Scrobble {
    /// When it began, Unix time in whole seconds, as services count.
    pub const fn started_s(&self) -> i64 {
        self.started_at.div_euclid(1000)
    }
}

/// How far a scrobble is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScrobbleState {
    /// Nobody was told.
    Waiting,
    /// A request with it left, and no answer says what became of it.
    Sending,
    /// It was told, or will never be.
    Done,
}

impl ScrobbleState {
    const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Done => "done",
        }
    }
}

/// How many scrobbles there are for a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScrobbleCount {
    /// To be sent, or sent without an answer.
    pub waiting: u64,
    /// Over.
    pub done: u64,
}

impl Listener {
    /// What a service is told of a track, with the `MusicBrainz` ids of its release and artists; `None` for what is not
    /// scrobbled at all.
    pub async fn listen_of(&self, track: &Track) -> Result<Option<Listen>, CatalogError> {
        let Some(mut listen) = Listen::of(track) else { return Ok(None) };
        if let Some(album) = &track.album_id {
            let found: Option<Option<String>> =
                sql::query_scalar("SELECT musicbrainz_id FROM albums WHERE id = $1")
                    .bind(album.as_str())
                    .fetch_optional(self.catalog.reader())
                    .await?;
            listen.release = found.flatten();
        }
        for artist in &track.artists {
            let found: Option<Option<String>> =
                sql::query_scalar("SELECT musicbrainz_id FROM artists WHERE id = $1")
                    .bind(artist.id.as_str())
                    .fetch_optional(self.catalog.reader())
                    .await?;
            listen.artists.extend(found.flatten());
        }
        if listen.artists.len() != track.artists.len() {
            listen.artists.clear();
        }
        Ok(Some(listen))
    }

    /// Writes rows that wait; those that are known already stay as they are.
    pub(super) async fn queue_scrobbles(
        &self,
        conn: &mut sql::Connection,
        scrobbles: &[Scrobble],
    ) -> Result<(), CatalogError> {
        for scrobble in scrobbles {
            sql::query(
                "INSERT INTO scrobbles (account_id, service, track_id, started_at, state, listen) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            )
            .bind(self.account.as_str())
            .bind(scrobble.service.word())
            .bind(scrobble.track.as_str())
            .bind(scrobble.started_at)
            .bind(ScrobbleState::Waiting.word())
            .bind(serde_json::to_string(&scrobble.listen)?)
            .execute(&mut *conn)
            .await?;
        }
        Ok(())
    }

    /// The oldest scrobbles for a service in one state, which is not `Done`, in the order in which they were heard.
    pub async fn scrobbles(
        &self,
        service: ScrobbleService,
        state: ScrobbleState,
        limit: u64,
    ) -> Result<Vec<Scrobble>, CatalogError> {
        let rows = sql::query(
            "SELECT track_id, started_at, listen FROM scrobbles WHERE account_id = $1 AND service = $2 AND state = $3 \
             ORDER BY started_at, track_id LIMIT $4",
        )
        .bind(self.account.as_str())
        .bind(service.word())
        .bind(state.word())
        .bind(sql_int(limit))
        .fetch_all(self.catalog.reader())
        .await?;
        rows.iter().map(|row| scrobble(service, row)).collect()
    }

    /// Says of scrobbles how far they are, of all of them or of none.
    pub async fn mark_scrobbles(
        &self,
        scrobbles: &[Scrobble],
        state: ScrobbleState,
    ) -> Result<(), CatalogError> {
        if scrobbles.is_empty() {
            return Ok(());
        }
        again!({
            let mut tx = self.write().await?;
            for scrobble in scrobbles {
                sql::query(
                    "UPDATE scrobbles SET state = $5, listen = CASE WHEN $5 = 'done' THEN '' ELSE listen END \
                     WHERE account_id = $1 AND service = $2 AND track_id = $3 AND started_at = $4",
                )
                .bind(self.account.as_str())
                .bind(scrobble.service.word())
                .bind(scrobble.track.as_str())
                .bind(scrobble.started_at)
                .bind(state.word())
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// How many scrobbles there are for a service.
    pub async fn scrobble_count(&self, service: ScrobbleService) -> Result<ScrobbleCount, CatalogError> {
        let row = sql::query(
            "SELECT COUNT(CASE WHEN state <> 'done' THEN 1 END), COUNT(CASE WHEN state = 'done' THEN 1 END) \
             FROM scrobbles WHERE account_id = $1 AND service = $2",
        )
        .bind(self.account.as_str())
        .bind(service.word())
        .fetch_one(self.catalog.reader())
        .await?;
        let mut c = Cells::of(&row);
        Ok(ScrobbleCount { waiting: c.number()?.unwrap_or(0), done: c.number()?.unwrap_or(0) })
    }
}

fn scrobble(service: ScrobbleService, row: &sql::Row) -> Result<Scrobble, CatalogError> {
    Ok(Scrobble {
        service,
        track: row.try_get::<String, _>(0)?.into(),
        started_at: row.try_get(1)?,
        listen: serde_json::from_str(row.try_get(2)?)?,
    })
}
