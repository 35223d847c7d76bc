//! Albums counted by genre and by year: what the library is browsed by beside artists.

use super::sql;
use super::{AlbumList, CatalogError, Listener, apply::sql_int, rows::Cells};
use crate::music::{Album, Window, fold};

impl Listener {
    /// A window over the genres of albums by name, each with the number of its albums, and how many genres there are.
    pub async fn genre_albums(&self, window: Window) -> Result<(Vec<(String, u64)>, u64), CatalogError> {
        let rows = sql::query(
            "SELECT genre, COUNT(*) FROM album_genres GROUP BY genre ORDER BY LOWER(genre), genre \
             LIMIT $1 OFFSET $2",
        )
        .bind(sql_int(window.limit))
        .bind(sql_int(window.offset))
        .fetch_all(&self.stale())
        .await?;
        let genres = rows.iter().map(|row| {
            let mut c = Cells::of(row);
            Ok((c.get()?, c.number()?.unwrap_or(0)))
        });
        let genres = genres.collect::<Result<Vec<_>, sql::Error>>()?;
        let total: i64 = sql::query_scalar("SELECT COUNT(DISTINCT genre) FROM album_genres")
            .fetch_one(&self.stale())
            .await?;
        Ok((genres, u64::try_from(total).unwrap_or(0)))
    }

    /// A window over the albums of a genre or of years, and how many there are.
    pub async fn albums_in(
        &self,
        list: &AlbumList,
        window: Window,
    ) -> Result<(Vec<Album>, u64), CatalogError> {
        let albums = self.albums(list, window).await?;
        let pool = &self.stale();
        let total: i64 = match list {
            AlbumList::ByGenre(genre) => {
                let sql = "SELECT COUNT(DISTINCT album_id) FROM album_genres WHERE genre = $1";
                sql::query_scalar(sql).bind(genre).fetch_one(pool).await?
            }
            AlbumList::ByYear { from, to } => {
                let sql = "SELECT COUNT(*) FROM albums WHERE year BETWEEN $1 AND $2";
                let query = sql::query_scalar(sql).bind(*from.min(to)).bind(*from.max(to));
                query.fetch_one(pool).await?
            }
            _ => sql::query_scalar("SELECT COUNT(*) FROM albums").fetch_one(pool).await?,
        };
        Ok((albums, u64::try_from(total).unwrap_or(0)))
    }

    /// Genres whose names have all these words, at most so many.
    pub async fn genres_like(&self, words: &str, limit: u64) -> Result<Vec<(String, u64)>, CatalogError> {
        const STEP: u64 = 500;
        let words = fold(words);
        let fits = |name: &str| {
            let name = fold(name);
            words.split(' ').all(|word| name.contains(word))
        };
        let (mut found, mut offset) = (Vec::new(), 0);
        loop {
            let (genres, total) = self.genre_albums(Window::new(offset, STEP)).await?;
            found.extend(genres.into_iter().filter(|(name, _)| fits(name)));
            offset += STEP;
            if offset >= total || found.len() as u64 >= limit {
                found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                return Ok(found);
            }
        }
    }

    /// How many genres come before these letters.
    pub async fn place_of_genre(&self, letters: &str) -> Result<u64, CatalogError> {
        let sql = "SELECT COUNT(DISTINCT genre) FROM album_genres WHERE LOWER(genre) < $1";
        let before: i64 =
            sql::query_scalar(sql).bind(letters.trim().to_lowercase()).fetch_one(&self.stale()).await?;
        Ok(u64::try_from(before).unwrap_or(0))
    }

    /// Years of albums with the number of these, the last year first. Albums without a year are left out.
    pub async fn album_years(&self) -> Result<Vec<(i32, u64)>, CatalogError> {
        let rows = sql::query(
            "SELECT year, COUNT(*) FROM albums WHERE year IS NOT NULL GROUP BY year ORDER BY year DESC",
        )
        .fetch_all(&self.stale())
        .await?;
        let years = rows.iter().map(|row| {
            let mut c = Cells::of(row);
            Ok((c.get()?, c.number()?.unwrap_or(0)))
        });
        Ok(years.collect::<Result<Vec<_>, sql::Error>>()?)
    }
}
