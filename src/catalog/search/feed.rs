//! From the catalog's tables to the index's entries.

use std::collections::HashMap;

use futures_util::TryStreamExt as _;

use super::Kind;
use crate::catalog::sql;
use crate::catalog::{
    bulk,
    index::{Builder, Entry, Mark, Segment},
    rows::Cells,
};
use crate::music::Lyrics;

/// What the index knows of an item that has changed lately.
#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    id: String,
    title: String,
    artist: String,
    album: String,
    year: Option<i32>,
    added_at: i64,
    genres: String,
    weight: i64,
    lyrics: String,
}

macro_rules! select {
    ($kind:expr, $tail:literal) => {
        match $kind {
            Kind::Artist => concat!(
                "SELECT t.id, t.name, CASE WHEN t.sort_name = t.name THEN '' ELSE t.sort_name END, '', NULL, 0, NULL, ",
                "t.album_count, NULL FROM artists t ",
                $tail
            ),
            Kind::Album => concat!(
                "SELECT t.id, t.title, t.artist || ' ' || COALESCE((SELECT STRING_AGG(l.name, ' ') ",
                "FROM album_artists l WHERE l.album_id = t.id), ''), '', t.year, t.added_at, ",
                "(SELECT STRING_AGG(g.genre, '\n') FROM album_genres g WHERE g.album_id = t.id), ",
                "0, NULL FROM albums t ",
                $tail
            ),
            Kind::Track => concat!(
                "SELECT t.id, t.title, t.artist || ' ' || t.album_artist || ' ' || ",
                "COALESCE((SELECT STRING_AGG(l.name, ' ') FROM track_artists l WHERE l.track_id = t.id ",
                "AND l.role IN ('artist', 'composer', 'conductor', 'lyricist', 'performer', 'remixer')), ''), ",
                "t.album, t.year, t.added_at, ",
                "(SELECT STRING_AGG(g.genre, '\n') FROM track_genres g WHERE g.track_id = t.id), ",
                "0, (SELECT STRING_AGG(l.body, '\n') FROM lyrics l WHERE l.track_id = t.id) FROM tracks t ",
                $tail
            ),
        }
    };
}

impl Text {
    fn read(row: &sql::Row) -> Result<Self, sql::Error> {
        let mut c = Cells::of(row);
        Ok(Self {
            id: c.get()?,
            title: c.get()?,
            artist: c.get()?,
            album: c.get()?,
            year: c.number()?,
            added_at: c.get()?,
            genres: c.get::<Option<String>>()?.unwrap_or_default(),
            weight: c.get()?,
            lyrics: c.get::<Option<String>>()?.map(|bodies| sung(&bodies)).unwrap_or_default(),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn entry(&self, plays: i64) -> Entry<'_> {
        Entry {
            id: &self.id,
            title: &self.title,
            artist: &self.artist,
            album: &self.album,
            year: self.year,
            added_at: self.added_at,
            genres: &self.genres,
            lyrics: &self.lyrics,
            step: step(plays, self.weight),
        }
    }
}

/// The lines of lyrics, each of which stands as JSON in a line.
fn sung(bodies: &str) -> String {
    let lyrics = bodies.lines().filter_map(|body| serde_json::from_str::<Lyrics>(body).ok());
    let lines: Vec<String> = lyrics.flat_map(|lyrics| lyrics.lines).map(|line| line.text).collect();
    lines.join("\n")
}

/// The step of popularity: plays of everybody by their logarithm; where nobody plays, artists with more albums come first.
fn step(plays: i64, weight: i64) -> u8 {
    let log = |n: i64| (n.max(0) as f64 + 1.0).log2();
    (log(plays) * 8.0 + log(weight)).min(255.0) as u8
}

/// Builds a kind's segment from everything. The connection should be in a transaction.
pub(super) async fn everything(conn: &mut sql::Connection, kind: Kind) -> Result<Segment, sql::Error> {
    let plays: HashMap<String, i64> = sql::query_as(
        "SELECT item_id, CAST(SUM(play_count) AS BIGINT) FROM marks WHERE kind = $1 AND play_count > 0 GROUP BY item_id",
    )
    .bind(kind.word())
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .collect();
    let mut builder = Builder::default();
    let mut rows = sql::query(select!(kind, "")).fetch(&mut *conn);
    while let Some(row) = rows.try_next().await? {
        let text = Text::read(&row)?;
        builder.add(&text.entry(plays.get(&text.id).copied().unwrap_or(0)));
    }
    drop(rows);
    Ok(builder.finish())
}

/// Those of these items that are there.
pub(super) async fn items(
    conn: &mut sql::Connection,
    kind: Kind,
    ids: &[&str],
) -> Result<Vec<Text>, sql::Error> {
    let mut texts = Vec::with_capacity(ids.len());
    for group in bulk::groups(ids) {
        let rows = bulk::with_ids((select!(kind, "WHERE t.id IN"), 1, ""), &[], &group);
        for row in rows.fetch_all(&mut *conn).await? {
            texts.push(Text::read(&row)?);
        }
    }
    Ok(texts)
}

const MARKS: &str = "SELECT item_id, starred_at, rating, play_count, played_at FROM marks WHERE account_id = $1 AND \
                     kind = $2";

fn mark(row: &sql::Row) -> Result<(String, Mark), sql::Error> {
    let mut c = Cells::of(row);
    let id = c.get()?;
    let marks = c.marks()?;
    let mark = Mark {
        plays: marks.play_count,
        rating: marks.rating,
        starred: marks.starred_at.is_some(),
        starred_at: marks.starred_at.unwrap_or(0),
        played_at: marks.played_at.unwrap_or(0),
    };
    Ok((id, mark))
}

/// All of an account's marks of a kind.
pub(super) async fn marks(
    conn: &mut sql::Connection,
    account: &str,
    kind: Kind,
) -> Result<HashMap<String, Mark>, sql::Error> {
    let rows = sql::query(MARKS).bind(account).bind(kind.word()).fetch_all(conn).await?;
    rows.iter().map(mark).collect()
}

/// An account's marks of some items.
pub(super) async fn marks_of(
    conn: &mut sql::Connection,
    account: &str,
    kind: Kind,
    ids: &[&str],
) -> Result<HashMap<String, Mark>, sql::Error> {
    let head = "SELECT item_id, starred_at, rating, play_count, played_at FROM marks WHERE account_id = $1 AND \
                kind = $2 AND item_id IN";
    let mut marks = HashMap::new();
    for group in bulk::groups(ids) {
        let rows = bulk::with_ids((head, 3, ""), &[account, kind.word()], &group);
        for row in rows.fetch_all(&mut *conn).await? {
            let (id, mark) = mark(&row)?;
            marks.insert(id, mark);
        }
    }
    Ok(marks)
}
