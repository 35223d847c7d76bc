//! Playlists: ordered entries of one owner, some of them public.
//!
//! Entries may name tracks that the catalog does not have at the moment. Those are not shown and keep their place, so an
//! index that a caller gives counts what it saw, and is translated to a place among all entries here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sql::{self, again};
use super::{
    CatalogError, Change, Listener, bulk, now_ms,
    outbox::{playlist_subject, renamed, setting},
    reach::Table,
    rows::{self, Cells},
    smart::{self, Made},
};
use crate::music::{Playlist, PlaylistId, Track, TrackId};

/// Changes to one playlist, done together: first the removals, then the additions at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlaylistEdit {
    /// New name.
    pub name: Option<String>,
    /// New comment.
    pub comment: Option<String>,
    /// Whether others may read it from now on.
    pub public: Option<bool>,
    /// Tracks to append.
    pub add: Vec<TrackId>,
    /// Entries to remove, counted from 0 before the change; ones beyond the end mean nothing.
    pub remove: Vec<usize>,
    /// The tracks of the entries to remove, in the same order. The catalog fills it in, so that they are found again on a
    /// server where the list changed meanwhile.
    pub gone: Vec<TrackId>,
}

/// Playlists `p` with counts and sums of the entries that are here.
macro_rules! select_playlists {
    ($tail:literal) => {
        concat!(
            "SELECT p.account_id, p.id, p.name, p.comment, p.owner, p.public, p.created_at, p.changed_at, p.smart, ",
            "(SELECT COUNT(*) FROM playlist_tracks e JOIN tracks t ON t.id = e.track_id ",
            "WHERE e.account_id = p.account_id AND e.playlist_id = p.id), ",
            "(SELECT CAST(COALESCE(SUM(t.duration_ms), 0) AS BIGINT) FROM playlist_tracks e ",
            "JOIN tracks t ON t.id = e.track_id WHERE e.account_id = p.account_id AND e.playlist_id = p.id) ",
            "FROM playlists p ",
            $tail
        )
    };
}

/// A playlist and the account that owns its row.
fn playlist(row: &sql::Row) -> Result<(String, Playlist), sql::Error> {
    let mut c = Cells::of(row);
    Ok((
        c.get()?,
        Playlist {
            id: c.get::<String>()?.into(),
            name: c.get()?,
            comment: c.get()?,
            owner: c.get()?,
            public: c.get()?,
            created_at: c.get()?,
            changed_at: c.get()?,
            smart: c.get()?,
            track_count: c.number()?.unwrap_or(0),
            duration_ms: c.number()?.unwrap_or(0),
        },
    ))
}

impl Listener {
    /// Own and public playlists by name, smart ones among them.
    pub async fn playlists(&self) -> Result<Vec<Playlist>, CatalogError> {
        let rows = sql::query(select_playlists!(
            "WHERE p.account_id = $1 OR p.public ORDER BY LOWER(p.name), p.created_at, p.id"
        ))
        .bind(self.account.as_str())
        .fetch_all(self.catalog.reader())
        .await?;
        let mut lists = Vec::with_capacity(rows.len());
        for row in &rows {
            lists.push(self.counted(playlist(row)?).await?.1);
        }
        Ok(lists)
    }

    /// A playlist with the count and length of its tracks, where rules say which they are.
    async fn counted(
        &self,
        (account, mut list): (String, Playlist),
    ) -> Result<(Option<Arc<Made>>, Playlist), CatalogError> {
        if !list.smart {
            return Ok((None, list));
        }
        let made = smart::made(&self.catalog, &account, list.id.as_str()).await?;
        if let Some(made) = &made {
            list.track_count = u32::try_from(made.tracks.len()).unwrap_or(u32::MAX);
            list.duration_ms = made.duration_ms;
            list.changed_at = list.changed_at.max(made.changed_at);
        }
        Ok((made, list))
    }

    /// A playlist with its tracks; `None` also when it is someone else's and private.
    pub async fn playlist(&self, id: &PlaylistId) -> Result<Option<(Playlist, Vec<Track>)>, CatalogError> {
        let row = sql::query(select_playlists!("WHERE p.id = $2 AND (p.account_id = $1 OR p.public)"))
            .bind(self.account.as_str())
            .bind(id.as_str())
            .fetch_optional(self.catalog.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (account, playlist) = playlist(&row)?;
        let (made, playlist) = self.counted((account.clone(), playlist)).await?;
        let mut conn = self.catalog.reader().acquire().await?;
        let written = match &made {
            Some(_) => Vec::new(),
            None => entries(&mut conn, &account, id).await?,
        };
        let ids: Vec<&str> =
            made.as_ref().map_or(&written, |made| &made.tracks).iter().map(String::as_str).collect();
        let tracks = rows::tracks_by_id(&mut conn, self.account.as_str(), &ids).await?;
        Ok(Some((playlist, tracks)))
    }

    /// A playlist with the ids of all its entries, those of tracks that are not here too. A local id that the server
    /// has meanwhile replaced by its own still finds it.
    pub async fn playlist_entries(
        &self,
        id: &PlaylistId,
    ) -> Result<Option<(Playlist, Vec<TrackId>)>, CatalogError> {
        let mut conn = self.catalog.reader().acquire().await?;
        let mut id = id.clone();
        for _ in 0..2 {
            let row = sql::query(select_playlists!("WHERE p.id = $2 AND (p.account_id = $1 OR p.public)"))
                .bind(self.account.as_str())
                .bind(id.as_str())
                .fetch_optional(&mut *conn)
                .await?;
            if let Some(row) = row {
                let (account, playlist) = playlist(&row)?;
                let entries = entries(&mut conn, &account, &id).await?;
                return Ok(Some((playlist, entries.into_iter().map(TrackId::from).collect())));
            }
            match setting(&mut conn, &renamed(&id)).await? {
                Some(now) => id = now.into(),
                None => break,
            }
        }
        Ok(None)
    }

    /// A playlist without its tracks.
    pub(super) async fn playlist_alone(&self, id: &PlaylistId) -> Result<Option<Playlist>, CatalogError> {
        let row = sql::query(select_playlists!("WHERE p.id = $2 AND (p.account_id = $1 OR p.public)"))
            .bind(self.account.as_str())
            .bind(id.as_str())
            .fetch_optional(self.catalog.reader())
            .await?;
        match row {
            Some(row) => Ok(Some(self.counted(playlist(&row)?).await?.1)),
            None => Ok(None),
        }
    }

    /// Makes a playlist and gives its id: a local one (`local-…`) where this view has an outbox.
    pub async fn create_playlist(&self, name: &str, tracks: &[TrackId]) -> Result<PlaylistId, CatalogError> {
        let name = named(name)?;
        let unique = Uuid::now_v7().simple();
        let id = PlaylistId::from(if self.outbox { format!("local-{unique}") } else { unique.to_string() });
        self.catalog.must_reach(Table::Tracks, tracks.iter().map(TrackId::as_str)).await?;
        again!({
            let mut tx = self.write().await?;
            must_exist(&mut tx, tracks).await?;
            let now = now_ms();
            sql::query(
                "INSERT INTO playlists (account_id, id, name, comment, owner, public, created_at, changed_at) \
                 VALUES ($1, $2, $3, '', $1, FALSE, $4, $4)",
            )
            .bind(self.account.as_str())
            .bind(id.as_str())
            .bind(name)
            .bind(now)
            .execute(&mut *tx)
            .await?;
            put_entries(&mut tx, self.account.as_str(), &id, tracks.iter().map(TrackId::as_str)).await?;
            let change =
                Change::CreatePlaylist { id: id.clone(), name: name.to_owned(), tracks: tracks.to_vec() };
            self.queue(&mut tx, &change).await?;
            tx.commit().await?;
            Ok(id.clone())
        })
    }

    /// Replaces all entries, and the name where one is given. Only the owner may.
    pub async fn replace_playlist(
        &self,
        id: &PlaylistId,
        name: Option<&str>,
        tracks: &[TrackId],
    ) -> Result<(), CatalogError> {
        let name = name.map(named).transpose()?;
        self.catalog.must_reach(Table::Tracks, tracks.iter().map(TrackId::as_str)).await?;
        again!({
            let mut tx = self.write().await?;
            must_be_written(&mut tx, self.account.as_str(), id).await?;
            let edit = PlaylistEdit { name: name.map(str::to_owned), ..PlaylistEdit::default() };
            self.touch(&mut tx, id, &edit).await?;
            let was = entries(&mut tx, self.account.as_str(), id).await?;
            // What stands there already may be away at the moment; it keeps its place.
            let held: HashSet<&str> = was.iter().map(String::as_str).collect();
            let new: Vec<TrackId> = tracks.iter().filter(|id| !held.contains(id.as_str())).cloned().collect();
            must_exist(&mut tx, &new).await?;
            let was = Some(was.into_iter().map(TrackId::from).collect());
            put_entries(&mut tx, self.account.as_str(), id, tracks.iter().map(TrackId::as_str)).await?;
            let change =
                Change::ReplacePlaylist { id: id.clone(), name: edit.name, tracks: tracks.to_vec(), was };
            self.queue(&mut tx, &change).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Changes a playlist. Only the owner may.
    pub async fn edit_playlist(&self, id: &PlaylistId, edit: &PlaylistEdit) -> Result<(), CatalogError> {
        let name = edit.name.as_deref().map(named).transpose()?.map(str::to_owned);
        self.catalog.must_reach(Table::Tracks, edit.add.iter().map(TrackId::as_str)).await?;
        again!({
            let mut tx = self.write().await?;
            must_exist(&mut tx, &edit.add).await?;
            let mut edit = PlaylistEdit { name: name.clone(), ..edit.clone() };
            self.touch(&mut tx, id, &edit).await?;
            if !edit.add.is_empty() || !edit.remove.is_empty() {
                must_be_written(&mut tx, self.account.as_str(), id).await?;
                let old = entries(&mut tx, self.account.as_str(), id).await?;
                edit.remove = places(&mut tx, &old, &edit.remove).await?;
                edit.gone = edit
                    .remove
                    .iter()
                    .filter_map(|at| old.get(*at))
                    .map(|id| TrackId::from(id.as_str()))
                    .collect();
                let gone: HashSet<usize> = edit.remove.iter().copied().collect();
                let kept =
                    old.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, id)| id.as_str());
                let new = kept.chain(edit.add.iter().map(TrackId::as_str));
                put_entries(&mut tx, self.account.as_str(), id, new).await?;
            }
            if !is_ours_alone(&mut tx, self.account.as_str(), id).await? {
                self.queue(&mut tx, &Change::EditPlaylist { id: id.clone(), edit }).await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// Deletes a playlist. Only the owner may.
    pub async fn delete_playlist(&self, id: &PlaylistId) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let ours_alone = is_ours_alone(&mut tx, self.account.as_str(), id).await?;
            if delete(&mut tx, self.account.as_str(), id).await? == 0 {
                return Err(CatalogError::not_found("playlist", id.as_str()));
            }
            if !ours_alone {
                self.queue(&mut tx, &Change::DeletePlaylist { id: id.clone() }).await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// Takes over the server's playlists and says how many differed: those not named are dropped, but playlists with a
    /// change in the outbox are left alone.
    pub async fn adopt_playlists(&self, lists: &[(Playlist, Vec<TrackId>)]) -> Result<u64, CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let waiting = self.waiting(&mut tx).await?;
            let account = self.account.as_str();
            let rows = sql::query(select_playlists!("WHERE p.account_id = $1"))
                .bind(account)
                .fetch_all(&mut *tx)
                .await?;
            let mut ours: HashMap<PlaylistId, Playlist> = HashMap::new();
            for row in &rows {
                let (_, list) = playlist(row)?;
                ours.insert(list.id.clone(), list);
            }
            let mut changed = 0;
            for (list, tracks) in lists {
                let known = ours.remove(&list.id);
                if waiting.contains(&playlist_subject(&list.id)) {
                    continue;
                }
                if let Some(known) = known {
                    // Counts are ours to compute; everything else must agree.
                    let counted = Playlist {
                        track_count: known.track_count,
                        duration_ms: known.duration_ms,
                        ..list.clone()
                    };
                    let same = entries(&mut tx, account, &list.id).await?;
                    if known == counted
                        && same.iter().map(String::as_str).eq(tracks.iter().map(TrackId::as_str))
                    {
                        continue;
                    }
                }
                changed += 1;
                adopt(&mut tx, account, list).await?;
                put_entries(&mut tx, account, &list.id, tracks.iter().map(TrackId::as_str)).await?;
            }
            for id in ours.keys().filter(|id| !waiting.contains(&playlist_subject(id))) {
                if is_ours_alone(&mut tx, account, id).await? {
                    continue;
                }
                changed += 1;
                delete(&mut tx, account, id).await?;
            }
            tx.commit().await?;
            Ok(changed)
        })
    }

    /// Writes name, comment, publicity and time of change; an error when there is no such playlist of this account.
    async fn touch(
        &self,
        conn: &mut sql::Connection,
        id: &PlaylistId,
        edit: &PlaylistEdit,
    ) -> Result<(), CatalogError> {
        let found = sql::query(
            "UPDATE playlists SET name = COALESCE($3, name), comment = COALESCE($4, comment), \
             public = COALESCE($5, public), changed_at = $6 WHERE account_id = $1 AND id = $2",
        )
        .bind(self.account.as_str())
        .bind(id.as_str())
        .bind(edit.name.as_deref())
        .bind(edit.comment.as_deref())
        .bind(edit.public)
        .bind(now_ms())
        .execute(conn)
        .await?
        .rows_affected();
        if found == 0 {
            return Err(CatalogError::not_found("playlist", id.as_str()));
        }
        Ok(())
    }
}

pub(super) async fn adopt(
    conn: &mut sql::Connection,
    account: &str,
    list: &Playlist,
) -> Result<(), sql::Error> {
    sql::query(
        "INSERT INTO playlists (account_id, id, name, comment, owner, public, created_at, changed_at, smart) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (account_id, id) DO UPDATE SET \
         name = excluded.name, comment = excluded.comment, owner = excluded.owner, public = excluded.public, \
         created_at = excluded.created_at, changed_at = excluded.changed_at, smart = excluded.smart",
    )
    .bind(account)
    .bind(list.id.as_str())
    .bind(&list.name)
    .bind(&list.comment)
    .bind(&list.owner)
    .bind(list.public)
    .bind(list.created_at)
    .bind(list.changed_at)
    .bind(list.smart)
    .execute(conn)
    .await?;
    Ok(())
}

/// When a playlist was made.
pub(super) async fn created_at(
    conn: &mut sql::Connection,
    account: &str,
    id: &PlaylistId,
) -> Result<Option<i64>, sql::Error> {
    sql::query_scalar("SELECT created_at FROM playlists WHERE account_id = $1 AND id = $2")
        .bind(account)
        .bind(id.as_str())
        .fetch_optional(conn)
        .await
}

/// Removes a playlist of an account; gives how many there were.
pub(super) async fn delete(
    conn: &mut sql::Connection,
    account: &str,
    id: &PlaylistId,
) -> Result<u64, sql::Error> {
    let sql = "DELETE FROM playlists WHERE account_id = $1 AND id = $2";
    Ok(sql::query(sql).bind(account).bind(id.as_str()).execute(conn).await?.rows_affected())
}

/// Whether rules here say what is in a playlist, so that the server knows nothing of it.
async fn is_ours_alone(
    conn: &mut sql::Connection,
    account: &str,
    id: &PlaylistId,
) -> Result<bool, sql::Error> {
    let rules: i64 =
        sql::query_scalar("SELECT COUNT(*) FROM smart_playlists WHERE account_id = $1 AND id = $2")
            .bind(account)
            .bind(id.as_str())
            .fetch_one(conn)
            .await?;
    Ok(rules > 0)
}

/// The tracks of a smart playlist cannot be changed by hand.
async fn must_be_written(
    conn: &mut sql::Connection,
    account: &str,
    id: &PlaylistId,
) -> Result<(), CatalogError> {
    let smart: Option<bool> =
        sql::query_scalar("SELECT smart FROM playlists WHERE account_id = $1 AND id = $2")
            .bind(account)
            .bind(id.as_str())
            .fetch_optional(conn)
            .await?;
    if smart == Some(true) {
        let said = "a smart playlist follows its rules; its tracks cannot be changed by hand";
        return Err(CatalogError::Invalid(said.to_owned()));
    }
    Ok(())
}

/// A name that is fit to keep.
pub(super) fn named(name: &str) -> Result<&str, CatalogError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(CatalogError::Invalid("a playlist needs a name".to_owned()));
    }
    Ok(name)
}

/// All entries in order, those of tracks that are not here too.
pub(super) async fn entries(
    conn: &mut sql::Connection,
    account: &str,
    id: &PlaylistId,
) -> Result<Vec<String>, sql::Error> {
    sql::query_scalar(
        "SELECT track_id FROM playlist_tracks WHERE account_id = $1 AND playlist_id = $2 ORDER BY position",
    )
    .bind(account)
    .bind(id.as_str())
    .fetch_all(conn)
    .await
}

pub(super) async fn put_entries<'a>(
    conn: &mut sql::Connection,
    account: &str,
    id: &PlaylistId,
    tracks: impl Iterator<Item = &'a str>,
) -> Result<(), sql::Error> {
    sql::query("DELETE FROM playlist_tracks WHERE account_id = $1 AND playlist_id = $2")
        .bind(account)
        .bind(id.as_str())
        .execute(&mut *conn)
        .await?;
    let rows: Vec<(i64, &str)> = (0..).zip(tracks).collect();
    bulk::insert(
        conn,
        ("INSERT INTO playlist_tracks (account_id, playlist_id, position, track_id)", 4, ""),
        &rows,
        |q, (position, track)| {
            q.bind(account.to_owned()).bind(id.as_str().to_owned()).bind(*position).bind((*track).to_owned())
        },
    )
    .await
}

/// Places among all entries of the entries with these indexes among the visible ones; sorted, each once.
async fn places(
    conn: &mut sql::Connection,
    entries: &[String],
    indexes: &[usize],
) -> Result<Vec<usize>, sql::Error> {
    let here = known_tracks(conn, &entries.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let visible: Vec<usize> =
        entries.iter().enumerate().filter(|(_, id)| here.contains(*id)).map(|(at, _)| at).collect();
    let places: std::collections::BTreeSet<usize> =
        indexes.iter().filter_map(|index| visible.get(*index).copied()).collect();
    Ok(places.into_iter().collect())
}

async fn known_tracks(conn: &mut sql::Connection, ids: &[&str]) -> Result<HashSet<String>, sql::Error> {
    let mut known = HashSet::with_capacity(ids.len());
    for group in bulk::groups(ids) {
        let statement = bulk::with_ids(("SELECT id FROM tracks WHERE id IN", 1, ""), &[], &group);
        for row in statement.fetch_all(&mut *conn).await? {
            known.insert(row.try_get(0)?);
        }
    }
    Ok(known)
}

/// Says which track is missing, if one is.
async fn must_exist(conn: &mut sql::Connection, tracks: &[TrackId]) -> Result<(), CatalogError> {
    let known = known_tracks(conn, &tracks.iter().map(TrackId::as_str).collect::<Vec<_>>()).await?;
    match tracks.iter().find(|id| !known.contains(id.as_str())) {
        Some(missing) => Err(CatalogError::not_found("track", missing.as_str())),
        None => Ok(()),
    }
}
