//! The album lists of the home screen and of `getAlbumList2`.

use super::sql;
use super::{
    CatalogError, Listener,
    apply::sql_int,
    rows::{self, select_albums},
    ruler::{Sorted, Start},
};
use crate::music::{Album, Window};

/// Which albums, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlbumList {
    /// A random draw; each call draws anew, so only its first window makes sense.
    Random,
    /// Last added first.
    Newest,
    /// Rated ones, best first.
    Highest,
    /// Played ones, most plays first.
    Frequent,
    /// Played ones, last played first.
    Recent,
    /// By title.
    ByName,
    /// By artist, then title.
    ByArtist,
    /// Starred ones, last starred first.
    Starred,
    /// Between two years, both included; later years first where `from` is greater than `to`.
    ByYear {
        /// First year of the list.
        from: i32,
        /// Last year of the list.
        to: i32,
    },
    /// Of one genre as tagged, by title.
    ByGenre(String),
}

impl Listener {
    /// A window over one of the album lists.
    pub async fn albums(&self, list: &AlbumList, window: Window) -> Result<Vec<Album>, CatalogError> {
        let mut conn = self.stale().acquire().await?;
        let account = self.account.as_str();
        if *list == AlbumList::Random {
            let ids: Vec<String> = sql::query_scalar("SELECT id FROM albums ORDER BY RANDOM() LIMIT $1")
                .bind(sql_int(window.limit))
                .fetch_all(&mut *conn)
                .await?;
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            return Ok(rows::albums_by_id(&mut conn, account, &ids).await?);
        }
        let sql = match list {
            AlbumList::Random | AlbumList::ByName => select_albums!(
                "WHERE t.id IN (SELECT id FROM albums WHERE (title_fold, id) >= ($4, $5) \
                 ORDER BY title_fold, id LIMIT $2 OFFSET $3) ORDER BY t.title_fold, t.id"
            ),
            AlbumList::Newest => select_albums!(
                "WHERE t.id IN (SELECT id FROM albums ORDER BY added_at DESC, id DESC LIMIT $2 OFFSET $3) \
                 ORDER BY t.added_at DESC, t.id DESC"
            ),
            AlbumList::ByArtist => select_albums!(
                "WHERE t.id IN (SELECT id FROM albums ORDER BY artist_fold, title_fold, id LIMIT $2 OFFSET $3) \
                 ORDER BY t.artist_fold, t.title_fold, t.id"
            ),
            AlbumList::Highest => select_albums!(
                "WHERE m.rating > 0 ORDER BY m.rating DESC, t.title_fold, t.id LIMIT $2 OFFSET $3"
            ),
            AlbumList::Frequent => select_albums!(
                "WHERE m.play_count > 0 ORDER BY m.play_count DESC, m.played_at DESC NULLS LAST, t.id LIMIT $2 OFFSET $3"
            ),
            AlbumList::Recent => select_albums!(
                "WHERE m.played_at IS NOT NULL ORDER BY m.played_at DESC, t.id LIMIT $2 OFFSET $3"
            ),
            AlbumList::Starred => select_albums!(
                "WHERE m.starred_at IS NOT NULL ORDER BY m.starred_at DESC, t.id LIMIT $2 OFFSET $3"
            ),
            AlbumList::ByYear { from, to } if from <= to => select_albums!(
                "WHERE t.year BETWEEN $4 AND $5 ORDER BY t.year, t.title_fold, t.id LIMIT $2 OFFSET $3"
            ),
            AlbumList::ByYear { .. } => select_albums!(
                "WHERE t.year BETWEEN $5 AND $4 ORDER BY t.year DESC, t.title_fold, t.id LIMIT $2 OFFSET $3"
            ),
            AlbumList::ByGenre(_) => select_albums!(
                "WHERE t.id IN (SELECT l.album_id FROM album_genres l WHERE l.genre = $4) \
                 ORDER BY t.title_fold, t.id LIMIT $2 OFFSET $3"
            ),
        };
        let start = match list {
            AlbumList::ByName => self.catalog.start_of(Sorted::Albums, window),
            _ => Start { skip: sql_int(window.offset), ..Start::default() },
        };
        let statement = sql::query(sql).bind(account).bind(sql_int(window.limit)).bind(start.skip);
        let statement = match list {
            AlbumList::ByName => statement.bind(start.text).bind(start.id),
            AlbumList::ByYear { from, to } => statement.bind(*from).bind(*to),
            AlbumList::ByGenre(genre) => statement.bind(genre.clone()),
            _ => statement,
        };
        Ok(rows::albums(&mut conn, statement).await?)
    }
}
