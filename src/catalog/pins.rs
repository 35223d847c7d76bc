//! What the listener wants to have on this machine. A pin names a source (an album, a playlist, everything starred), not
//! tracks: which tracks it means is asked each time, so that a pinned playlist that grows is downloaded further.

use super::sql::{self, again};
use super::{Catalog, CatalogError, Listener, now_ms};
use crate::music::{AlbumId, ArtistId, Item, PlaylistId, TrackId};

/// Something that can be pinned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pin {
    /// A track.
    Track(TrackId),
    /// All tracks of an album.
    Album(AlbumId),
    /// All tracks of an artist: their albums, and where they appear.
    Artist(ArtistId),
    /// All tracks of a playlist.
    Playlist(PlaylistId),
    /// All tracks of a mix, as it is each day.
    Mix(String),
    /// Every starred track, and all tracks of starred albums and artists.
    Starred,
}

impl Pin {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Track(_) => "track",
            Self::Album(_) => "album",
            Self::Artist(_) => "artist",
            Self::Playlist(_) => "playlist",
            Self::Mix(_) => "mix",
            Self::Starred => "starred",
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Track(id) => id.as_str(),
            Self::Album(id) => id.as_str(),
            Self::Artist(id) => id.as_str(),
            Self::Playlist(id) => id.as_str(),
            Self::Mix(id) => id,
            Self::Starred => "",
        }
    }

    fn read(kind: &str, id: &str) -> Option<Self> {
        Some(match kind {
            "track" => Self::Track(id.into()),
            "album" => Self::Album(id.into()),
            "artist" => Self::Artist(id.into()),
            "playlist" => Self::Playlist(id.into()),
            "mix" => Self::Mix(id.to_owned()),
            "starred" => Self::Starred,
            // Of a later release.
            _ => return None,
        })
    }
}

impl From<Item> for Pin {
    fn from(item: Item) -> Self {
        match item {
            Item::Track(id) => Self::Track(id),
            Item::Album(id) => Self::Album(id),
            Item::Artist(id) => Self::Artist(id),
        }
    }
}

/// A pin as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// What.
    pub pin: Pin,
    /// Title or name; empty when it is not in the library at the moment.
    pub name: String,
    /// Since when, Unix time in ms.
    pub at: i64,
}

/// The ids of all tracks that are pinned: `$1` is the account.
const WANTED: &str = "\
    WITH p AS (SELECT kind, item_id FROM pins WHERE account_id = $1), \
    s AS (SELECT m.kind, m.item_id FROM marks m WHERE m.account_id = $1 AND m.starred_at IS NOT NULL \
          AND EXISTS (SELECT 1 FROM p WHERE p.kind = 'starred')), \
    w AS (SELECT kind, item_id FROM p UNION SELECT kind, item_id FROM s) \
    SELECT t.id FROM tracks t WHERE t.id IN (\
        SELECT item_id FROM w WHERE kind = 'track' \
        UNION SELECT k.id FROM tracks k JOIN w ON w.kind = 'album' AND k.album_id = w.item_id \
        UNION SELECT a.track_id FROM track_artists a JOIN w ON w.kind = 'artist' AND a.artist_id = w.item_id \
              AND a.role = 'artist' \
        UNION SELECT k.id FROM album_artists a JOIN w ON w.kind = 'artist' AND a.artist_id = w.item_id \
              JOIN tracks k ON k.album_id = a.album_id \
        UNION SELECT l.track_id FROM playlist_tracks l JOIN w ON w.kind = 'playlist' AND l.playlist_id = w.item_id \
              WHERE l.account_id = $1 \
        UNION SELECT l.track_id FROM mix_tracks l JOIN w ON w.kind = 'mix' AND l.mix_id = w.item_id \
              WHERE l.account_id = $1) \
    ORDER BY t.album_id NULLS FIRST, t.disc NULLS FIRST, t.number NULLS FIRST, t.id";

impl Listener {
    /// Pins something. Unknown ids are an error; what is pinned already stays so.
    pub async fn pin(&self, pin: &Pin) -> Result<(), CatalogError> {
        let table = match pin {
            Pin::Track(_) => "SELECT COUNT(*) FROM tracks WHERE id = $1",
            Pin::Album(_) => "SELECT COUNT(*) FROM albums WHERE id = $1",
            Pin::Artist(_) => "SELECT COUNT(*) FROM artists WHERE id = $1",
            Pin::Playlist(_) => "SELECT COUNT(*) FROM playlists WHERE id = $1",
            Pin::Mix(_) => "SELECT COUNT(*) FROM mixes WHERE id = $1",
            Pin::Starred => "SELECT 1",
        };
        again!({
            let mut tx = self.write().await?;
            let mut known = sql::query_scalar::<i64>(table);
            if *pin != Pin::Starred {
                known = known.bind(pin.id());
            }
            if known.fetch_one(&mut *tx).await? == 0 {
                return Err(CatalogError::not_found(pin.kind(), pin.id()));
            }
            sql::query(
                "INSERT INTO pins (account_id, kind, item_id, pinned_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            )
            .bind(self.account.as_str())
            .bind(pin.kind())
            .bind(pin.id())
            .bind(now_ms())
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Takes a pin away; says whether there was one.
    pub async fn unpin(&self, pin: &Pin) -> Result<bool, CatalogError> {
        let done = sql::query("DELETE FROM pins WHERE account_id = $1 AND kind = $2 AND item_id = $3")
            .bind(self.account.as_str())
            .bind(pin.kind())
            .bind(pin.id())
            .execute(self.catalog.writer())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Every pin, the oldest first.
    pub async fn pins(&self) -> Result<Vec<Pinned>, CatalogError> {
        let rows = sql::query(
            "SELECT p.kind, p.item_id, p.pinned_at, COALESCE(CASE p.kind \
                 WHEN 'track' THEN (SELECT title FROM tracks WHERE id = p.item_id) \
                 WHEN 'album' THEN (SELECT title FROM albums WHERE id = p.item_id) \
                 WHEN 'artist' THEN (SELECT name FROM artists WHERE id = p.item_id) \
                 WHEN 'playlist' THEN (SELECT MIN(name) FROM playlists WHERE id = p.item_id) \
                 WHEN 'mix' THEN (SELECT MIN(name) FROM mixes WHERE account_id = p.account_id AND id = p.item_id) \
                 WHEN 'starred' THEN 'everything starred' END, '') \
             FROM pins p WHERE p.account_id = $1 ORDER BY p.pinned_at, p.kind, p.item_id",
        )
        .bind(self.account.as_str())
        .fetch_all(self.catalog.reader())
        .await?;
        let mut pins = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(pin) = Pin::read(row.try_get(0)?, row.try_get(1)?) {
                pins.push(Pinned { pin, name: row.try_get(3)?, at: row.try_get(2)? });
            }
        }
        Ok(pins)
    }

    /// The ids of all tracks that pins mean at this moment, album by album.
    pub async fn pinned_tracks(&self) -> Result<Vec<TrackId>, CatalogError> {
        let ids: Vec<String> =
            sql::query_scalar(WANTED).bind(self.account.as_str()).fetch_all(self.catalog.reader()).await?;
        Ok(ids.into_iter().map(TrackId::from).collect())
    }
}

impl Catalog {
    /// Lets pins of a playlist follow it to the id that the server gave it.
    pub(super) async fn rename_pin(
        conn: &mut sql::Connection,
        local: &PlaylistId,
        server: &PlaylistId,
    ) -> Result<(), CatalogError> {
        sql::query(
            "INSERT INTO pins (account_id, kind, item_id, pinned_at) SELECT account_id, kind, $2, pinned_at FROM pins \
             WHERE kind = 'playlist' AND item_id = $1 ON CONFLICT DO NOTHING",
        )
        .bind(local.as_str())
        .bind(server.as_str())
        .execute(&mut *conn)
        .await?;
        sql::query("DELETE FROM pins WHERE kind = 'playlist' AND item_id = $1")
            .bind(local.as_str())
            .execute(conn)
            .await?;
        Ok(())
    }
}
