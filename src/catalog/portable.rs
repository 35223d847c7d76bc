//! A person's rows as they are given out: a page at a time, so that no number of them fills the memory.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::personal::Personal;
use super::sql;
use super::{Catalog, CatalogError, apply::sql_int, bulk, rows::Cells};
use crate::music::AccountId;

/// Rows of a page.
const PAGE: i64 = 1_000;
/// Columns that hold JSON as text.
const JSON: [&str; 5] = ["item_ids", "track_ids", "rules", "listen", "body"];

/// Where the next page of plays begins: behind this moment and track.
pub(super) type AfterPlay = (i64, String);

impl Catalog {
    /// A page of plays from `after` on as `ListenBrainz` has a listen, the oldest first, and where the next one begins;
    /// `None` behind the last one.
    pub async fn listens_page(
        &self,
        account: &AccountId,
        after: Option<AfterPlay>,
    ) -> Result<(Vec<Value>, Option<AfterPlay>), CatalogError> {
        let (at, track) = after.unwrap_or((i64::MIN, String::new()));
        let rows = sql::query(
            "SELECT p.track_id, p.started_at, p.heard_ms, p.start_reason, p.end_reason, p.offset_minutes, p.device, p.source, \
             t.title, t.artist, t.album, t.duration_ms, t.musicbrainz_id, t.number FROM plays p \
             LEFT JOIN tracks t ON t.id = p.track_id WHERE p.account_id = $1 AND (p.started_at, p.track_id) > ($2, $3) \
             ORDER BY p.started_at, p.track_id LIMIT $4",
        )
        .bind(account.as_str())
        .bind(at)
        .bind(track)
        .bind(PAGE)
        .fetch_all(&self.all)
        .await?;
        let mut next = None;
        let mut listens = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, listen) = listen(row)?;
            next = Some((row.try_get(1)?, id));
            listens.push(listen);
        }
        Ok((listens, next.filter(|_| is_full(rows.len()))))
    }

    /// A page of one table's rows about a person, without its secrets; shorter than the others at the end. Where a row names a
    /// track, the track's names stand beside its id.
    pub async fn personal_page(
        &self,
        personal: &Personal,
        account: &AccountId,
        page: i64,
    ) -> Result<(Vec<Map<String, Value>>, bool), CatalogError> {
        let Personal { table, column, order, .. } = personal;
        let sql = format!("SELECT * FROM {table} WHERE {column} = $1 ORDER BY {order} LIMIT $2 OFFSET $3");
        let rows = sql::query(sql::AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(PAGE)
            .bind(page * PAGE)
            .fetch_all(&self.all)
            .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(object(row, personal.hidden)?);
        }
        self.name_tracks(&mut all).await?;
        Ok((all, is_full(rows.len())))
    }

    /// Stars and ratings with the names of what they are about: a page of the table `marks`.
    pub async fn favourites_page(
        &self,
        account: &AccountId,
        page: i64,
    ) -> Result<(Vec<Map<String, Value>>, bool), CatalogError> {
        let rows = sql::query(
            "SELECT m.kind, m.item_id, m.starred_at, m.rating, m.play_count, m.played_at, \
             COALESCE(t.title, b.title, a.name) AS name, COALESCE(t.artist, b.artist) AS artist, t.album AS album \
             FROM marks m LEFT JOIN tracks t ON m.kind = 'track' AND t.id = m.item_id \
             LEFT JOIN albums b ON m.kind = 'album' AND b.id = m.item_id \
             LEFT JOIN artists a ON m.kind = 'artist' AND a.id = m.item_id \
             WHERE m.account_id = $1 ORDER BY m.kind, m.item_id LIMIT $2 OFFSET $3",
        )
        .bind(account.as_str())
        .bind(PAGE)
        .bind(page * PAGE)
        .fetch_all(&self.all)
        .await?;
        let all: Result<Vec<_>, sql::Error> = rows.iter().map(|row| object(row, &[])).collect();
        Ok((all?, is_full(rows.len())))
    }

    async fn name_tracks(&self, all: &mut [Map<String, Value>]) -> Result<(), CatalogError> {
        let ids: Vec<String> =
            all.iter().filter_map(|row| row.get("track_id")?.as_str().map(str::to_owned)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut names: HashMap<String, [String; 3]> = HashMap::new();
        let mut conn = self.all.acquire().await?;
        for group in bulk::groups(&ids) {
            let found = bulk::with_ids(
                ("SELECT id, title, artist, album FROM tracks WHERE id IN", 1, ""),
                &[],
                &group,
            );
            for row in found.fetch_all(&mut *conn).await? {
                let mut c = Cells::of(&row);
                names.insert(c.get()?, [c.get()?, c.get()?, c.get()?]);
            }
        }
        for row in all {
            let known = row.get("track_id").and_then(Value::as_str).and_then(|id| names.get(id));
            let Some([title, artist, album]) = known.cloned() else { continue };
            row.insert("title".to_owned(), title.into());
            row.insert("artist".to_owned(), artist.into());
            row.insert("album".to_owned(), album.into());
        }
        Ok(())
    }
}

fn listen(row: &sql::Row) -> Result<(String, Value), sql::Error> {
    let mut c = Cells::of(row);
    let track: String = c.get()?;
    let (at, heard): (i64, i64) = (c.get()?, c.get()?);
    let (start, end): (String, String) = (c.get()?, c.get()?);
    let minutes: i64 = c.get()?;
    let (device, source): (String, String) = (c.get()?, c.get()?);
    let (title, artist, album): (Option<String>, Option<String>, Option<String>) =
        (c.get()?, c.get()?, c.get()?);
    let (duration, recording, number): (Option<i64>, Option<String>, Option<i64>) =
        (c.get()?, c.get()?, c.get()?);
    let mut info = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() && value != "" {
            info.insert(name.to_owned(), value);
        }
    };
    put("duration_ms", json!(duration));
    put("duration_played", json!(heard / 1000));
    put("recording_mbid", json!(recording));
    put("tracknumber", json!(number));
    put("media_player", json!("Segue"));
    put("music_service_name", json!("Segue"));
    put("origin_track_id", json!(track));
    put("device", json!(device));
    put("played_from", json!(source));
    put("started_at_ms", json!(at));
    put("played_ms", json!(heard));
    put("offset_minutes", json!(minutes));
    put("start_reason", json!(start));
    put("end_reason", json!(end));
    let listen = json!({
        "listened_at": at.div_euclid(1000),
        "track_metadata": {
            "artist_name": artist.unwrap_or_default(),
            "track_name": title.unwrap_or_default(),
            "release_name": album.unwrap_or_default(),
            "additional_info": info,
        },
    });
    Ok((track, listen))
}

/// Whether there may be another page.
fn is_full(rows: usize) -> bool {
    sql_int(rows as u64) == PAGE
}

/// A row as an object by the names of its columns.
fn object(row: &sql::Row, hidden: &[&str]) -> Result<Map<String, Value>, sql::Error> {
    let mut all = Map::new();
    for (at, name) in row.names().into_iter().enumerate() {
        if hidden.contains(&name) {
            continue;
        }
        let value = match row.value(at)? {
            sql::Value::Null => Value::Null,
            sql::Value::Bool(is) => is.into(),
            sql::Value::Int(n) => n.into(),
            sql::Value::Real(n) => n.into(),
            sql::Value::Text(text) if JSON.contains(&name) => {
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            }
            sql::Value::Text(text) => text.into(),
        };
        all.insert(name.to_owned(), value);
    }
    Ok(all)
}
