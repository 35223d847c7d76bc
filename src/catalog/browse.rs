//! Browsing: artists, albums, tracks and genres as one listener sees them. Lists are windows with a stable order. A replica may
//! answer; what is asked for by its id and not there yet is looked for in the database itself.

use super::sql;
use super::{
    CatalogError, Listener,
    apply::sql_int,
    rows::{self, Cells, select_albums, select_artists, select_tracks},
    ruler::{Sorted, Start},
};
use crate::music::{Album, AlbumId, Artist, ArtistId, Genre, Track, TrackId, Window};

/// An order for all tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackOrder {
    /// By title.
    Title,
    /// Last added first.
    Added,
    /// Last played first; only tracks that this listener played.
    Played,
    /// Most played first; only tracks that this listener played.
    PlayCount,
}

/// What random tracks are drawn from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RandomFilter {
    /// Number of tracks wanted.
    pub size: u64,
    /// Only this genre.
    pub genre: Option<String>,
    /// Only from this year on.
    pub from_year: Option<i32>,
    /// Only up to this year.
    pub to_year: Option<i32>,
}

impl Listener {
    /// Artists that have albums of their own, by sort name.
    pub async fn artists(&self, window: Window) -> Result<Vec<Artist>, CatalogError> {
        let start = self.catalog.start_of(Sorted::Artists, window);
        let mut conn = self.stale().acquire().await?;
        // Not EXISTS: SQLite makes a join of it, and then counts an artist once for each album when it skips rows.
        let statement = sql::query(select_artists!(
            "WHERE t.id IN (SELECT a.id FROM artists a WHERE (SELECT 1 FROM album_artists l \
             WHERE l.artist_id = a.id AND l.role = 'artist' LIMIT 1) = 1 AND (a.sort_fold, a.id) >= ($4, $5) \
             ORDER BY a.sort_fold, a.id LIMIT $2 OFFSET $3) ORDER BY t.sort_fold, t.id"
        ))
        .bind(self.account.as_str())
        .bind(sql_int(window.limit))
        .bind(start.skip)
        .bind(start.text)
        .bind(start.id);
        Ok(rows::artists(&mut conn, statement).await?)
    }

    /// One artist.
    pub async fn artist(&self, id: &ArtistId) -> Result<Option<Artist>, CatalogError> {
        let (account, id, from) = (self.account.as_str(), [id.as_str()], self.stale());
        let mut found = rows::artists_by_id(&mut *from.acquire().await?, account, &id).await?;
        if found.is_empty() && from.is_a_copy() {
            found = rows::artists_by_id(&mut *self.catalog.reader().acquire().await?, account, &id).await?;
        }
        Ok(found.pop())
    }

    /// Artists in the order asked; unknown ones are left out.
    pub async fn artists_by_id(&self, ids: &[ArtistId]) -> Result<Vec<Artist>, CatalogError> {
        let mut conn = self.stale().acquire().await?;
        let ids: Vec<&str> = ids.iter().map(ArtistId::as_str).collect();
        Ok(rows::artists_by_id(&mut conn, self.account.as_str(), &ids).await?)
    }

    /// An artist's albums by year and title. For an artist who is only a guest, the albums with tracks by them.
    pub async fn albums_of(&self, id: &ArtistId) -> Result<Vec<Album>, CatalogError> {
        let mut conn = self.stale().acquire().await?;
        for sql in [
            select_albums!(
                "WHERE t.id IN (SELECT l.album_id FROM album_artists l WHERE l.artist_id = $2 \
                 AND l.role = 'artist') ORDER BY t.year IS NULL, t.year, t.title_fold, t.id"
            ),
            select_albums!(
                "WHERE t.id IN (SELECT k.album_id FROM track_artists l JOIN tracks k ON k.id = l.track_id \
                 WHERE l.artist_id = $2) ORDER BY t.year IS NULL, t.year, t.title_fold, t.id"
            ),
        ] {
            let statement = sql::query(sql).bind(self.account.as_str()).bind(id.as_str());
            let albums = rows::albums(&mut conn, statement).await?;
            if !albums.is_empty() {
                return Ok(albums);
            }
        }
        Ok(Vec::new())
    }

    /// An artist's own albums, and those of others with tracks by them, both by year and title.
    pub async fn records_of(&self, id: &ArtistId) -> Result<(Vec<Album>, Vec<Album>), CatalogError> {
        let mut conn = self.stale().acquire().await?;
        let mut both = [Vec::new(), Vec::new()];
        for (albums, sql) in both.iter_mut().zip([
            select_albums!(
                "WHERE t.id IN (SELECT l.album_id FROM album_artists l WHERE l.artist_id = $2 \
                 AND l.role = 'artist') ORDER BY t.year IS NULL, t.year, t.title_fold, t.id"
            ),
            select_albums!(
                "WHERE t.id IN (SELECT k.album_id FROM track_artists l JOIN tracks k ON k.id = l.track_id \
                 WHERE l.artist_id = $2 AND l.role <> 'albumartist') \
                 AND t.id NOT IN (SELECT l.album_id FROM album_artists l WHERE l.artist_id = $2 \
                 AND l.role = 'artist') ORDER BY t.year IS NULL, t.year, t.title_fold, t.id"
            ),
        ]) {
            let statement = sql::query(sql).bind(self.account.as_str()).bind(id.as_str());
            *albums = rows::albums(&mut conn, statement).await?;
        }
        let [own, guest] = both;
        Ok((own, guest))
    }

    /// One album.
    pub async fn album(&self, id: &AlbumId) -> Result<Option<Album>, CatalogError> {
        let (account, id, from) = (self.account.as_str(), [id.as_str()], self.stale());
        let mut found = rows::albums_by_id(&mut *from.acquire().await?, account, &id).await?;
        if found.is_empty() && from.is_a_copy() {
            found = rows::albums_by_id(&mut *self.catalog.reader().acquire().await?, account, &id).await?;
        }
        Ok(found.pop())
    }

    /// An album's tracks by disc, number and title.
    pub async fn tracks_of(&self, id: &AlbumId) -> Result<Vec<Track>, CatalogError> {
        let mut conn = self.stale().acquire().await?;
        let statement = sql::query(select_tracks!(
            "WHERE t.album_id = $2 ORDER BY COALESCE(t.disc, 1), t.number IS NULL, t.number, t.title_fold, t.id"
        ))
        .bind(self.account.as_str())
        .bind(id.as_str());
        Ok(rows::tracks(&mut conn, statement).await?)
    }

    /// Every genre by name.
    pub async fn genres(&self) -> Result<Vec<Genre>, CatalogError> {
        let rows = sql::query(
            "SELECT t.genre, t.n, COALESCE(a.n, 0) FROM \
             (SELECT genre, COUNT(DISTINCT track_id) AS n FROM track_genres GROUP BY genre) t LEFT JOIN \
             (SELECT genre, COUNT(DISTINCT album_id) AS n FROM album_genres GROUP BY genre) a \
             ON a.genre = t.genre ORDER BY LOWER(t.genre), t.genre",
        )
        .fetch_all(&self.stale())
        .await?;
        rows.iter()
            .map(|row| {
                let mut c = Cells::of(row);
                Ok(Genre {
                    name: c.get()?,
                    track_count: c.number()?.unwrap_or(0),
                    album_count: c.number()?.unwrap_or(0),
                })
            })
            .collect()
    }

    /// Tracks of a genre, written as tagged, by title.
    pub async fn tracks_in_genre(&self, genre: &str, window: Window) -> Result<Vec<Track>, CatalogError> {
        let mut conn = self.stale().acquire().await?;
        let statement = sql::query(select_tracks!(
            "WHERE t.id IN (SELECT k.id FROM tracks k WHERE k.id IN (SELECT l.track_id FROM track_genres l \
             WHERE l.genre = $4) ORDER BY k.title_fold, k.id LIMIT $2 OFFSET $3) ORDER BY t.title_fold, t.id"
        ))
        .bind(self.account.as_str())
        .bind(sql_int(window.limit))
        .bind(sql_int(window.offset))
        .bind(genre);
        Ok(rows::tracks(&mut conn, statement).await?)
    }

    /// One track.
    pub async fn track(&self, id: &TrackId) -> Result<Option<Track>, CatalogError> {
        let (account, id, from) = (self.account.as_str(), [id.as_str()], self.stale());
        let mut found = rows::tracks_by_id(&mut *from.acquire().await?, account, &id).await?;
        if found.is_empty() && from.is_a_copy() {
            found = rows::tracks_by_id(&mut *self.catalog.reader().acquire().await?, account, &id).await?;
        }
        Ok(found.pop())
    }

    /// Tracks in the order asked; unknown ones are left out.
    pub async fn tracks(&self, ids: &[TrackId]) -> Result<Vec<Track>, CatalogError> {
        let mut conn = self.stale().acquire().await?;
        let ids: Vec<&str> = ids.iter().map(TrackId::as_str).collect();
        Ok(rows::tracks_by_id(&mut conn, self.account.as_str(), &ids).await?)
    }

    /// How many tracks there are.
    pub async fn track_count(&self) -> Result<u64, CatalogError> {
        let count: i64 = sql::query_scalar("SELECT COUNT(*) FROM tracks").fetch_one(&self.stale()).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// A window over all tracks in some order.
    pub async fn tracks_by(&self, order: TrackOrder, window: Window) -> Result<Vec<Track>, CatalogError> {
        let sql = match order {
            TrackOrder::Title => select_tracks!(
                "WHERE t.id IN (SELECT id FROM tracks WHERE (title_fold, id) >= ($4, $5) \
                 ORDER BY title_fold, id LIMIT $2 OFFSET $3) ORDER BY t.title_fold, t.id"
            ),
            TrackOrder::Added => select_tracks!(
                "WHERE t.id IN (SELECT id FROM tracks ORDER BY added_at DESC, id DESC LIMIT $2 OFFSET $3) \
                 ORDER BY t.added_at DESC, t.id DESC"
            ),
            TrackOrder::Played => select_tracks!(
                "WHERE t.id IN (SELECT p.item_id FROM marks p WHERE p.account_id = $1 AND p.kind = 'track' \
                 AND p.played_at IS NOT NULL AND EXISTS (SELECT 1 FROM tracks k WHERE k.id = p.item_id) \
                 ORDER BY p.played_at DESC, p.item_id LIMIT $2 OFFSET $3) ORDER BY m.played_at DESC, t.id"
            ),
            TrackOrder::PlayCount => select_tracks!(
                "WHERE t.id IN (SELECT p.item_id FROM marks p WHERE p.account_id = $1 AND p.kind = 'track' \
                 AND p.play_count > 0 AND EXISTS (SELECT 1 FROM tracks k WHERE k.id = p.item_id) \
                 ORDER BY p.play_count DESC, p.played_at DESC NULLS LAST, p.item_id LIMIT $2 OFFSET $3) \
                 ORDER BY m.play_count DESC, m.played_at DESC NULLS LAST, t.id"
            ),
        };
        let start = match order {
            TrackOrder::Title => self.catalog.start_of(Sorted::Tracks, window),
            _ => Start { skip: sql_int(window.offset), ..Start::default() },
        };
        let mut conn = self.stale().acquire().await?;
        let statement =
            sql::query(sql).bind(self.account.as_str()).bind(sql_int(window.limit)).bind(start.skip);
        let statement = match order {
            TrackOrder::Title => statement.bind(start.text).bind(start.id),
            _ => statement,
        };
        Ok(rows::tracks(&mut conn, statement).await?)
    }

    /// Different tracks drawn at random.
    pub async fn random_tracks(&self, filter: &RandomFilter) -> Result<Vec<Track>, CatalogError> {
        let mut conn = self.stale().acquire().await?;
        let ids: Vec<String> = sql::query_scalar(
            "SELECT t.id FROM tracks t WHERE ($2 IS NULL OR t.id IN \
             (SELECT l.track_id FROM track_genres l WHERE l.genre = $2)) \
             AND ($3 IS NULL OR t.year >= $3) AND ($4 IS NULL OR t.year <= $4) ORDER BY RANDOM() LIMIT $1",
        )
        .bind(sql_int(filter.size))
        .bind(filter.genre.as_deref())
        .bind(filter.from_year)
        .bind(filter.to_year)
        .fetch_all(&mut *conn)
        .await?;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        Ok(rows::tracks_by_id(&mut conn, self.account.as_str(), &ids).await?)
    }
}
