//! Playlists that come from files beside the music, and the listener's right to make them their own.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::sql::{self, again};
use super::{Account, Catalog, CatalogError, now_ms, playlists};
use crate::music::{Playlist, PlaylistId, TrackId};

/// A playlist as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedPlaylist {
    /// The id that follows from the file's place.
    pub id: PlaylistId,
    /// Its name.
    pub name: String,
    /// Its tracks, those alone that are here.
    pub tracks: Vec<TrackId>,
    /// Whether the file changed since it was imported last.
    pub changed: bool,
    /// What [`Catalog::import_playlist`] gave the last time.
    pub before: Option<String>,
}

impl Catalog {
    /// Whose server it is: the administrator who came first. `None` before the first account is made.
    pub async fn owner(&self) -> Result<Option<Account>, CatalogError> {
        let admins = self.accounts().await?.into_iter().filter(|account| account.admin);
        Ok(admins.min_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id))))
    }

    /// Takes over a playlist from a file, and says what to remember of it and whether anything was written. Where the file is as
    /// before, a playlist that its owner edited or deleted meanwhile is left as it is.
    pub async fn import_playlist(
        &self,
        owner: &Account,
        list: &ImportedPlaylist,
    ) -> Result<(String, bool), CatalogError> {
        let account = owner.id.as_str();
        let new = digest(list.tracks.iter().map(TrackId::as_str));
        again!({
            let mut tx = self.write().await?;
            let there = exists(&mut tx, account, &list.id).await?;
            let entries = playlists::entries(&mut tx, account, &list.id).await?;
            let now = digest(entries.iter().map(String::as_str));
            let edited = list.before.as_ref().is_some_and(|before| !there || *before != now);
            if !list.changed && (edited || (there && now == new)) {
                return Ok((list.before.clone().unwrap_or_else(|| new.clone()), false));
            }
            let created = if there { playlists::created_at(&mut tx, account, &list.id).await? } else { None };
            let row = Playlist {
                id: list.id.clone(),
                name: if list.name.trim().is_empty() {
                    "Untitled".to_owned()
                } else {
                    list.name.trim().to_owned()
                },
                comment: String::new(),
                owner: owner.name.clone(),
                public: false,
                track_count: 0,
                duration_ms: 0,
                created_at: created.unwrap_or_else(now_ms),
                changed_at: now_ms(),
                smart: false,
            };
            playlists::adopt(&mut tx, account, &row).await?;
            playlists::put_entries(&mut tx, account, &list.id, list.tracks.iter().map(TrackId::as_str))
                .await?;
            tx.commit().await?;
            Ok((new.clone(), true))
        })
    }

    /// Deletes a playlist whose file is gone, unless its owner edited it since.
    pub async fn forget_playlist(
        &self,
        owner: &Account,
        id: &PlaylistId,
        before: Option<&str>,
    ) -> Result<(), CatalogError> {
        let account = owner.id.as_str();
        again!({
            let mut tx = self.write().await?;
            let entries = playlists::entries(&mut tx, account, id).await?;
            if before == Some(digest(entries.iter().map(String::as_str)).as_str()) {
                playlists::delete(&mut tx, account, id).await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }
}

async fn exists(conn: &mut sql::Connection, account: &str, id: &PlaylistId) -> Result<bool, sql::Error> {
    let count: i64 = sql::query_scalar("SELECT COUNT(*) FROM playlists WHERE account_id = $1 AND id = $2")
        .bind(account)
        .bind(id.as_str())
        .fetch_one(conn)
        .await?;
    Ok(count > 0)
}

/// What tells one list of tracks from another.
fn digest<'a>(tracks: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = DefaultHasher::new();
    tracks.for_each(|id| id.hash(&mut hasher));
    format!("{:016x}", hasher.finish())
}
