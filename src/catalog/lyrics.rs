//! Lyrics of tracks: on a server what the scanner read, on a player what the server was asked for, to have it offline.

use std::collections::HashSet;

use super::sql::{self, again};
use super::{
    Catalog, CatalogError, Listener, bulk,
    rows::{self, select_tracks},
    search::{self, Kind},
};
use crate::music::{Lyrics, Track, TrackId, fold};

impl Catalog {
    /// The lyrics of a track, the best first; none where there are none.
    pub async fn lyrics(&self, id: &TrackId) -> Result<Vec<Lyrics>, CatalogError> {
        let bodies: Vec<String> =
            sql::query_scalar("SELECT body FROM lyrics WHERE track_id = $1 ORDER BY position")
                .bind(id.as_str())
                .fetch_all(&self.stale())
                .await?;
        Ok(bodies.iter().filter_map(|body| serde_json::from_str(body).ok()).collect())
    }

    /// Puts lyrics in place of those of a track, if there is such a track.
    pub async fn set_lyrics(&self, id: &TrackId, lyrics: Vec<Lyrics>) -> Result<(), CatalogError> {
        let lyrics = [(id.clone(), lyrics)];
        again!({
            let mut tx = self.write().await?;
            let there: i64 = sql::query_scalar("SELECT COUNT(*) FROM tracks WHERE id = $1")
                .bind(id.as_str())
                .fetch_one(&mut *tx)
                .await?;
            if there > 0 {
                put(&mut tx, &lyrics).await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }
}

impl Listener {
    /// Tracks of a title, however it is written, that have lyrics; at most a hundred.
    pub async fn tracks_with_lyrics(&self, title: &str) -> Result<Vec<Track>, CatalogError> {
        let mut conn = self.stale().acquire().await?;
        let statement = sql::query(select_tracks!(
            "WHERE t.title_fold = $2 AND EXISTS (SELECT 1 FROM lyrics l WHERE l.track_id = t.id) \
             ORDER BY t.id LIMIT 100"
        ))
        .bind(self.account.as_str())
        .bind(fold(title));
        Ok(rows::tracks(&mut conn, statement).await?)
    }
}

/// Replaces the lyrics of some tracks within a transaction.
pub(super) async fn put(
    conn: &mut sql::Connection,
    lyrics: &[(TrackId, Vec<Lyrics>)],
) -> Result<(), CatalogError> {
    let ids: Vec<&str> = lyrics.iter().map(|(id, _)| id.as_str()).collect();
    let mut changed: HashSet<String> =
        lyrics.iter().filter(|(_, all)| !all.is_empty()).map(|(id, _)| id.as_str().to_owned()).collect();
    for group in bulk::groups(&ids) {
        let had =
            bulk::with_ids(("SELECT DISTINCT track_id FROM lyrics WHERE track_id IN", 1, ""), &[], &group);
        for row in had.fetch_all(&mut *conn).await? {
            changed.insert(row.try_get(0)?);
        }
    }
    let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
    search::changed(conn, Kind::Track, &changed).await?;
    bulk::for_ids(conn, ("DELETE FROM lyrics WHERE track_id IN", ""), &ids).await?;
    let rows: Vec<(&str, i64, String)> = lyrics
        .iter()
        .flat_map(|(id, all)| all.iter().zip(0..).map(move |(one, at)| (id.as_str(), at, one)))
        .filter_map(|(id, at, one)| Some((id, at, serde_json::to_string(one).ok()?)))
        .collect();
    bulk::insert(
        conn,
        ("INSERT INTO lyrics (track_id, position, body)", 3, ""),
        &rows,
        |q, (id, at, body)| q.bind((*id).to_owned()).bind(*at).bind(body.clone()),
    )
    .await?;
    Ok(())
}
