//! Stars and ratings: set by the listener, or adopted from the server.

use std::collections::HashMap;

use super::sql::{self, again};
use super::{
    CatalogError, Change, Listener, bulk,
    outbox::item_subject,
    reach::Table,
    rows::{self, Cells, select_albums, select_artists, select_tracks},
    search::{self, Hits, Kind},
};
use crate::music::{Item, Marks};

impl Listener {
    /// Stars an item at a time (Unix ms), or takes its star away. Unknown items are an error.
    pub async fn set_star(&self, item: &Item, at: Option<i64>) -> Result<(), CatalogError> {
        self.catalog.must_reach(table_of(item), [item.id()]).await?;
        again!({
            let mut tx = self.write().await?;
            must_exist(&mut tx, item).await?;
            sql::query(
                "INSERT INTO marks (account_id, kind, item_id, starred_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (account_id, kind, item_id) DO UPDATE SET starred_at = excluded.starred_at",
            )
            .bind(self.account.as_str())
            .bind(item.kind())
            .bind(item.id())
            .bind(at)
            .execute(&mut *tx)
            .await?;
            self.note_mark(&mut tx, item).await?;
            let item = item.clone();
            let change = match at {
                Some(at) => Change::Star { item, at },
                None => Change::Unstar { item },
            };
            self.queue(&mut tx, &change).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Rates an item 1–5, or takes its rating away with 0. Unknown items and other ratings are an error.
    pub async fn set_rating(&self, item: &Item, rating: u8) -> Result<(), CatalogError> {
        if rating > 5 {
            return Err(CatalogError::Invalid(format!("a rating is 0 to 5, not {rating}")));
        }
        self.catalog.must_reach(table_of(item), [item.id()]).await?;
        again!({
            let mut tx = self.write().await?;
            must_exist(&mut tx, item).await?;
            sql::query(
                "INSERT INTO marks (account_id, kind, item_id, rating) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (account_id, kind, item_id) DO UPDATE SET rating = excluded.rating",
            )
            .bind(self.account.as_str())
            .bind(item.kind())
            .bind(item.id())
            .bind(i64::from(rating))
            .execute(&mut *tx)
            .await?;
            self.note_mark(&mut tx, item).await?;
            self.queue(&mut tx, &Change::Rate { item: item.clone(), rating }).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Everything starred, last starred first.
    pub async fn starred(&self) -> Result<Hits, CatalogError> {
        let mut conn = self.catalog.reader().acquire().await?;
        let account = self.account.as_str();
        let artists = select_artists!("WHERE m.starred_at IS NOT NULL ORDER BY m.starred_at DESC, t.id");
        let albums = select_albums!("WHERE m.starred_at IS NOT NULL ORDER BY m.starred_at DESC, t.id");
        let tracks = select_tracks!("WHERE m.starred_at IS NOT NULL ORDER BY m.starred_at DESC, t.id");
        Ok(Hits {
            artists: rows::artists(&mut conn, sql::query(artists).bind(account)).await?,
            albums: rows::albums(&mut conn, sql::query(albums).bind(account)).await?,
            tracks: rows::tracks(&mut conn, sql::query(tracks).bind(account)).await?,
            ..Hits::default()
        })
    }

    /// Takes over what the server says about items, and says how many were news. Stars and ratings are the server's;
    /// plays are the greater of both, since some servers do not count them. Items with a change in the outbox are left alone.
    pub async fn adopt_marks(&self, marks: &[(Item, Marks)]) -> Result<u64, CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let waiting = self.waiting(&mut tx).await?;
            let mut known: HashMap<(&'static str, String), Marks> = HashMap::new();
            for kind in ["track", "album", "artist"] {
                let ids: Vec<&str> =
                    marks.iter().filter(|(item, _)| item.kind() == kind).map(|(item, _)| item.id()).collect();
                for group in bulk::groups(&ids) {
                    let head = "SELECT item_id, starred_at, rating, play_count, played_at FROM marks \
                                WHERE account_id = $1 AND kind = $2 AND item_id IN";
                    let statement = bulk::with_ids((head, 3, ""), &[self.account.as_str(), kind], &group);
                    for row in statement.fetch_all(&mut *tx).await? {
                        let mut c = Cells::of(&row);
                        known.insert((kind, c.get()?), c.marks()?);
                    }
                }
            }
            let mut news: HashMap<(&'static str, &str), Marks> = HashMap::new();
            for (item, theirs) in marks {
                if !waiting.is_empty() && waiting.contains(&item_subject(item)) {
                    continue;
                }
                let ours = known.get(&(item.kind(), item.id().to_owned())).copied().unwrap_or_default();
                let merged = Marks {
                    starred_at: theirs.starred_at,
                    rating: theirs.rating.min(5),
                    play_count: theirs.play_count.max(ours.play_count),
                    played_at: theirs.played_at.max(ours.played_at),
                };
                if merged == ours {
                    news.remove(&(item.kind(), item.id()));
                } else {
                    news.insert((item.kind(), item.id()), merged);
                }
            }
            let rows: Vec<_> = news.into_iter().collect();
            bulk::insert(
                &mut tx,
                (
                    "INSERT INTO marks (account_id, kind, item_id, starred_at, rating, play_count, played_at)",
                    7,
                    "ON CONFLICT (account_id, kind, item_id) DO UPDATE SET starred_at = excluded.starred_at, \
                     rating = excluded.rating, play_count = excluded.play_count, played_at = excluded.played_at",
                ),
                &rows,
                |q, ((kind, id), marks)| {
                    q.bind(self.account.as_str().to_owned())
                        .bind(*kind)
                        .bind((*id).to_owned())
                        .bind(marks.starred_at)
                        .bind(i64::from(marks.rating))
                        .bind(i64::from(marks.play_count))
                        .bind(marks.played_at)
                },
            )
            .await?;
            for kind in Kind::ALL {
                let of_kind = rows.iter().filter(|((k, _), _)| *k == kind.word());
                let ids: Vec<&str> = of_kind.map(|((_, id), _)| *id).collect();
                search::marked(&mut tx, self.account.as_str(), kind, &ids).await?;
            }
            tx.commit().await?;
            Ok(rows.len() as u64)
        })
    }
}

impl Listener {
    /// Lets the search know that this listener's marks of an item changed.
    async fn note_mark(&self, conn: &mut sql::Connection, item: &Item) -> Result<(), sql::Error> {
        let kind = match item {
            Item::Track(_) => Kind::Track,
            Item::Album(_) => Kind::Album,
            Item::Artist(_) => Kind::Artist,
        };
        search::marked(conn, self.account.as_str(), kind, &[item.id()]).await
    }
}

/// Says that an item is missing, in the words of its kind.
fn table_of(item: &Item) -> Table {
    match item {
        Item::Track(_) => Table::Tracks,
        Item::Album(_) => Table::Albums,
        Item::Artist(_) => Table::Artists,
    }
}

async fn must_exist(conn: &mut sql::Connection, item: &Item) -> Result<(), CatalogError> {
    let sql = match item {
        Item::Track(_) => "SELECT 1 FROM tracks WHERE id = $1",
        Item::Album(_) => "SELECT 1 FROM albums WHERE id = $1",
        Item::Artist(_) => "SELECT 1 FROM artists WHERE id = $1",
    };
    let found: Option<i64> = sql::query_scalar(sql).bind(item.id()).fetch_optional(conn).await?;
    found.map(drop).ok_or_else(|| CatalogError::not_found(item.kind(), item.id()))
}
