//! Search as you type: every word of the query is the beginning of a word.
//!
//! The index is one SQLite FTS5 table for each kind of item over folded text, beside a table of keys that gives each item
//! a row number. Row numbers follow popularity: each step of it ([`step`]) has a range of numbers of its own, and an item
//! moves to another when plays carry it there ([`played`]). Results keep that order, which needs no scoring and
//! therefore stays fast however many rows match. Before them stand items whose title is the
//! query, then those whose title begins with it. Ideographs and kana are indexed one by one, so that each of them finds.
//! All of it can be thrown away: [`ensure`] builds it again from the catalog's tables.

use std::collections::{HashMap, HashSet};

use sqlx::{Row, SqliteConnection};

use super::{Catalog, CatalogError, Listener, apply::sql_int, bulk, rows};
use crate::music::{Album, Artist, Track, Window, fold};

/// Changes whenever the index must be built anew.
const VERSION: &str = "2";

/// Longest query looked at, in characters, and most words of it.
const QUERY_CHARS: usize = 200;
const QUERY_WORDS: usize = 12;

/// What a search or a list of favourites found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hits {
    /// Artists, best first.
    pub artists: Vec<Artist>,
    /// Albums, best first.
    pub albums: Vec<Album>,
    /// Tracks, best first.
    pub tracks: Vec<Track>,
}

/// Which slice of each kind of result is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchWindows {
    /// Slice of the artists.
    pub artists: Window,
    /// Slice of the albums.
    pub albums: Window,
    /// Slice of the tracks.
    pub tracks: Window,
}

impl SearchWindows {
    /// The first `limit` of each kind.
    pub const fn first(limit: u64) -> Self {
        let first = Window::first(limit);
        Self { artists: first, albums: first, tracks: first }
    }
}

impl Listener {
    /// Finds artists, albums and tracks. An empty query (also `""` in quotes, as other clients send it) means
    /// everything in a stable order, for paging.
    pub async fn search(&self, query: &str, windows: SearchWindows) -> Result<Hits, CatalogError> {
        let mut conn = self.catalog.reader().acquire().await?;
        let account = self.account.as_str();
        let query: String = query.trim().chars().take(QUERY_CHARS).collect();
        let all = query.is_empty() || query == "\"\"";
        let mut found = Vec::with_capacity(3);
        for (kind, window) in
            [(Kind::Artist, windows.artists), (Kind::Album, windows.albums), (Kind::Track, windows.tracks)]
        {
            found.push(if window.limit == 0 {
                Vec::new()
            } else if all {
                everything(&mut conn, kind, window).await?
            } else {
                matches(&mut conn, kind, &query, window).await?
            });
        }
        let ids: Vec<Vec<&str>> = found.iter().map(|ids| ids.iter().map(String::as_str).collect()).collect();
        let [artists, albums, tracks] = ids.as_slice() else { return Ok(Hits::default()) };
        Ok(Hits {
            artists: rows::artists_by_id(&mut conn, account, artists).await?,
            albums: rows::albums_by_id(&mut conn, account, albums).await?,
            tracks: rows::tracks_by_id(&mut conn, account, tracks).await?,
        })
    }
}

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Artist,
    Album,
    Track,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Artist, Self::Album, Self::Track];

    /// The kind as it stands in SQL.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Artist => "artist",
            Self::Album => "album",
            Self::Track => "track",
        }
    }

    fn sql(self) -> &'static Sql {
        match self {
            Self::Artist => &ARTISTS,
            Self::Album => &ALBUMS,
            Self::Track => &TRACKS,
        }
    }
}

/// The statements of one kind.
struct Sql {
    create: [&'static str; 2],
    drop: [&'static str; 2],
    page: &'static str,
    exact: &'static str,
    find: &'static str,
    rows_of: &'static str,
    last_row: &'static str,
    add_keys: &'static str,
    drop_keys: &'static str,
    add: &'static str,
    remove: &'static str,
    last_below: &'static str,
    ranked: &'static str,
    text: &'static str,
    text_of: &'static str,
}

macro_rules! sql {
    ($table:literal, $title:literal, $kind:literal, $text:literal) => {
        Sql {
            create: [
                concat!(
                    "CREATE VIRTUAL TABLE search_",
                    $table,
                    " USING fts5(title, more, content='', contentless_delete=1, prefix='1 2 3', ",
                    "tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* Co M* S* P*'\")"
                ),
                concat!("CREATE TABLE search_", $table, "_keys (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)"),
            ],
            drop: [
                concat!("DROP TABLE IF EXISTS search_", $table),
                concat!("DROP TABLE IF EXISTS search_", $table, "_keys"),
            ],
            page: concat!("SELECT id FROM ", $table, " ORDER BY id LIMIT $1 OFFSET $2"),
            exact: concat!(
                "SELECT t.id FROM ",
                $table,
                " t JOIN search_",
                $table,
                "_keys k ON k.id = t.id WHERE t.",
                $title,
                " = $1 ORDER BY k.row LIMIT $2"
            ),
            find: concat!(
                "SELECT k.id FROM (SELECT rowid AS row FROM search_",
                $table,
                " WHERE search_",
                $table,
                " MATCH $1 ORDER BY rowid LIMIT $2) f JOIN search_",
                $table,
                "_keys k ON k.row = f.row ORDER BY f.row"
            ),
            rows_of: concat!("SELECT id, row FROM search_", $table, "_keys WHERE id IN"),
            last_row: concat!("SELECT COALESCE(MAX(row), 0) FROM search_", $table, "_keys"),
            add_keys: concat!("INSERT INTO search_", $table, "_keys (row, id)"),
            drop_keys: concat!("DELETE FROM search_", $table, "_keys WHERE id IN"),
            add: concat!("INSERT INTO search_", $table, " (rowid, title, more)"),
            remove: concat!(
                "DELETE FROM search_",
                $table,
                " WHERE rowid IN (SELECT row FROM search_",
                $table,
                "_keys WHERE id IN"
            ),
            last_below: concat!("SELECT COALESCE(MAX(row), 0) FROM search_", $table, "_keys WHERE row < $1"),
            ranked: concat!(
                "SELECT t.id, COALESCE(m.plays, 0) FROM ",
                $table,
                " t LEFT JOIN (SELECT item_id, SUM(play_count) AS plays FROM marks WHERE kind = '",
                $kind,
                "' AND play_count > 0 GROUP BY item_id) m ON m.item_id = t.id ORDER BY COALESCE(m.plays, 0) DESC, t.id"
            ),
            text_of: concat!("SELECT t.id, ", $text, " FROM ", $table, " t WHERE t.id IN"),
            text: concat!(
                "SELECT k.row, t.id, ",
                $text,
                " FROM search_",
                $table,
                "_keys k JOIN ",
                $table,
                " t ON t.id = k.id WHERE k.row > $1 ORDER BY k.row LIMIT $2"
            ),
        }
    };
}

const ARTISTS: Sql = sql!("artists", "name_fold", "artist", "t.name, t.sort_name");
const ALBUMS: Sql = sql!(
    "albums",
    "title_fold",
    "album",
    "t.title, t.artist || ' ' || COALESCE((SELECT GROUP_CONCAT(l.name, ' ') FROM album_artists l \
     WHERE l.album_id = t.id), '')"
);
const TRACKS: Sql = sql!(
    "tracks",
    "title_fold",
    "track",
    "t.title, t.artist || ' ' || t.album_artist || ' ' || t.album || ' ' || \
     COALESCE((SELECT GROUP_CONCAT(l.name, ' ') FROM track_artists l WHERE l.track_id = t.id), '')"
);

/// An item with the text that finds it, folded.
pub(super) struct Entry {
    id: String,
    title: String,
    more: String,
}

impl Entry {
    pub(super) fn artist(id: &str, name: &str, sort_name: &str) -> Self {
        Self::new(id, name, sort_name)
    }

    pub(super) fn album<'a>(
        id: &str,
        title: &str,
        artist: &'a str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self::new(id, title, &joined([artist].into_iter().chain(names)))
    }

    pub(super) fn track<'a>(
        id: &str,
        title: &str,
        artist: &'a str,
        names: impl IntoIterator<Item = &'a str>,
        album: &'a str,
    ) -> Self {
        Self::new(id, title, &joined([artist, album].into_iter().chain(names)))
    }

    fn new(id: &str, title: &str, more: &str) -> Self {
        Self { id: id.to_owned(), title: indexed(title), more: distinct(&indexed(more)) }
    }
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join(" ")
}

/// Each word once: artist, artists and album artist mostly say the same.
fn distinct(text: &str) -> String {
    let mut seen = HashSet::new();
    text.split(' ').filter(|word| seen.insert(*word)).collect::<Vec<_>>().join(" ")
}

/// The words of a text, folded. A text that has neither letter nor digit ("!!!") is a word as it stands.
fn words(text: &str) -> String {
    let folded = fold(text);
    if !folded.is_empty() {
        return folded;
    }
    text.split_whitespace().flat_map(str::chars).filter(|c| !c.is_control()).collect()
}

/// The words with each ideograph and kana as one of its own.
fn indexed(text: &str) -> String {
    spaced(&words(text))
}

fn spaced(folded: &str) -> String {
    let mut out = String::with_capacity(folded.len() + 8);
    for c in folded.chars() {
        if is_cjk(c) {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            out.push(c);
            out.push(' ');
        } else if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Scripts written without spaces between words, a character at a time: kana, bopomofo and ideographs.
fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{312f}' | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The query in FTS5's language: titles that begin with all of it, and items that have all its words.
fn expressions(query: &str) -> Option<(String, String)> {
    let quoted = |phrase: &str| format!("\"{}\"*", phrase.replace('"', "\"\""));
    let words = words(query);
    let phrases: Vec<String> =
        words.split(' ').filter(|w| !w.is_empty()).take(QUERY_WORDS).map(spaced).collect();
    if phrases.is_empty() {
        return None;
    }
    let begins = format!("title : ^{}", quoted(&phrases.join(" ")));
    let contains = phrases.iter().map(|p| quoted(p)).collect::<Vec<_>>().join(" AND ");
    Some((begins, contains))
}

async fn everything(
    conn: &mut SqliteConnection,
    kind: Kind,
    window: Window,
) -> Result<Vec<String>, CatalogError> {
    Ok(sqlx::query_scalar(kind.sql().page)
        .bind(sql_int(window.limit))
        .bind(sql_int(window.offset))
        .fetch_all(conn)
        .await?)
}

/// Ids of what matches: title is the query, title begins with it, all words are somewhere.
async fn matches(
    conn: &mut SqliteConnection,
    kind: Kind,
    query: &str,
    window: Window,
) -> Result<Vec<String>, CatalogError> {
    let Some((begins, contains)) = expressions(query) else { return Ok(Vec::new()) };
    let sql = kind.sql();
    let wanted = window.offset.saturating_add(window.limit);
    let mut found: Vec<String> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let folded = fold(query);
    for (statement, value) in [(sql.exact, &folded), (sql.find, &begins), (sql.find, &contains)] {
        if found.len() as u64 >= wanted {
            break;
        }
        if value.is_empty() {
            continue;
        }
        // What an earlier step found is found again: ask for so many more.
        let limit = sql_int(wanted.saturating_add(found.len() as u64));
        let ids: Vec<String> =
            sqlx::query_scalar(statement).bind(value.clone()).bind(limit).fetch_all(&mut *conn).await?;
        found.extend(ids.into_iter().filter(|id| seen.insert(id.clone())));
    }
    Ok(found
        .into_iter()
        .skip(usize::try_from(window.offset).unwrap_or(usize::MAX))
        .take(usize::try_from(window.limit).unwrap_or(usize::MAX))
        .collect())
}

/// Puts items into the index, or what changed of them.
pub(super) async fn index(
    conn: &mut SqliteConnection,
    kind: Kind,
    entries: &[Entry],
) -> Result<(), sqlx::Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let sql = kind.sql();
    let ids: Vec<&str> = entries.iter().map(|e| e.id.as_str()).collect();
    let known = rows_of(conn, sql, &ids).await?;
    let old: Vec<&str> = known.keys().map(String::as_str).collect();
    bulk::for_ids(conn, (sql.remove, ")"), &old).await?;
    let last: i64 = sqlx::query_scalar(sql.last_row).fetch_one(&mut *conn).await?;
    // Nobody has played what is new: it belongs to the last step.
    let mut last = last.max(first_row(0));
    let mut keys: Vec<(i64, &str)> = Vec::new();
    let rows: Vec<(i64, &Entry)> = entries
        .iter()
        .map(|entry| {
            let row = known.get(entry.id.as_str()).copied().unwrap_or_else(|| {
                last += 1;
                keys.push((last, entry.id.as_str()));
                last
            });
            (row, entry)
        })
        .collect();
    bulk::insert(conn, (sql.add_keys, 2, ""), &keys, |q, (row, id)| q.bind(*row).bind((*id).to_owned()))
        .await?;
    add(conn, sql, &rows).await
}

/// Takes items out of the index.
pub(super) async fn forget(conn: &mut SqliteConnection, kind: Kind, ids: &[&str]) -> Result<(), sqlx::Error> {
    let sql = kind.sql();
    bulk::for_ids(conn, (sql.remove, ")"), ids).await?;
    bulk::for_ids(conn, (sql.drop_keys, ""), ids).await
}

/// Builds the index where it is missing or of an older make.
pub(super) async fn ensure(catalog: &Catalog) -> Result<(), CatalogError> {
    if catalog.setting("search.version").await?.as_deref() == Some(VERSION) {
        return Ok(());
    }
    let mut tx = catalog.write().await?;
    for kind in Kind::ALL {
        let sql = kind.sql();
        for statement in sql.drop.iter().chain(&sql.create) {
            sqlx::query(*statement).execute(&mut *tx).await?;
        }
        fill(&mut tx, kind).await?;
    }
    super::outbox::put_setting(&mut tx, "search.version", VERSION).await?;
    tx.commit().await?;
    Ok(())
}

/// The step of popularity that a number of plays makes: fine at the beginning, coarse later, so that most plays move nothing.
fn step(plays: i64) -> i64 {
    const TOP: i64 = 63;
    (((plays.max(0) as f64) + 1.0).log2() * 4.0).floor().min(TOP as f64) as i64
}

/// The row number before the first of a step; higher steps come first.
fn first_row(step: i64) -> i64 {
    (64 - step) << 40
}

/// Moves items to the step that their plays, over all accounts, have reached.
pub(super) async fn played(conn: &mut SqliteConnection, kind: Kind, ids: &[&str]) -> Result<(), sqlx::Error> {
    let sql = kind.sql();
    let known = rows_of(conn, sql, ids).await?;
    let mut plays: HashMap<String, i64> = HashMap::with_capacity(ids.len());
    for group in bulk::groups(ids) {
        let head =
            "SELECT item_id, CAST(SUM(play_count) AS BIGINT) FROM marks WHERE kind = $1 AND item_id IN";
        let statement = bulk::with_ids((head, 2, "GROUP BY item_id"), &[kind.word()], &group);
        for row in statement.fetch_all(&mut *conn).await? {
            plays.insert(row.try_get(0)?, row.try_get(1)?);
        }
    }
    let mut next: HashMap<i64, i64> = HashMap::new();
    let mut moved: Vec<(i64, &str)> = Vec::new();
    // Items that move to the same step keep their order.
    let mut known: Vec<(&String, &i64)> = known.iter().collect();
    known.sort_by_key(|(_, row)| **row);
    for (id, old) in known {
        let reached = step(plays.get(id).copied().unwrap_or(0));
        if *old > first_row(reached) && *old < first_row(reached - 1) {
            continue;
        }
        let mut last = match next.get(&reached) {
            Some(last) => *last,
            None => {
                sqlx::query_scalar(sql.last_below).bind(first_row(reached - 1)).fetch_one(&mut *conn).await?
            }
        };
        last = last.max(first_row(reached)) + 1;
        next.insert(reached, last);
        moved.push((last, id));
    }
    let ids: Vec<&str> = moved.iter().map(|(_, id)| *id).collect();
    let mut entries: HashMap<String, Entry> = HashMap::with_capacity(ids.len());
    for group in bulk::groups(&ids) {
        for text in bulk::with_ids((sql.text_of, 1, ""), &[], &group).fetch_all(&mut *conn).await? {
            let entry = Entry::new(text.try_get(0)?, text.try_get(1)?, text.try_get(2)?);
            entries.insert(entry.id.clone(), entry);
        }
    }
    bulk::for_ids(conn, (sql.remove, ")"), &ids).await?;
    bulk::for_ids(conn, (sql.drop_keys, ""), &ids).await?;
    bulk::insert(conn, (sql.add_keys, 2, ""), &moved, |q, (row, id)| q.bind(*row).bind((*id).to_owned()))
        .await?;
    let rows: Vec<(i64, &Entry)> =
        moved.iter().filter_map(|(row, id)| Some((*row, entries.get(*id)?))).collect();
    add(conn, sql, &rows).await
}

async fn fill(conn: &mut SqliteConnection, kind: Kind) -> Result<(), sqlx::Error> {
    const CHUNK: i64 = 2_000;
    let sql = kind.sql();
    let mut keys: Vec<(i64, String)> = Vec::new();
    let (mut current, mut last) = (i64::MAX, 0);
    for row in sqlx::query(sql.ranked).fetch_all(&mut *conn).await? {
        let reached = step(row.try_get(1)?);
        if reached != current {
            (current, last) = (reached, first_row(reached));
        }
        last += 1;
        keys.push((last, row.try_get(0)?));
    }
    bulk::insert(conn, (sql.add_keys, 2, ""), &keys, |q, (row, id)| q.bind(*row).bind(id.clone())).await?;
    drop(keys);
    let mut after = 0_i64;
    loop {
        let texts = sqlx::query(sql.text).bind(after).bind(CHUNK).fetch_all(&mut *conn).await?;
        let mut entries = Vec::with_capacity(texts.len());
        for text in &texts {
            let (title, more): (&str, &str) = (text.try_get(2)?, text.try_get(3)?);
            after = text.try_get(0)?;
            entries.push((after, Entry::new(text.try_get(1)?, title, more)));
        }
        let rows: Vec<(i64, &Entry)> = entries.iter().map(|(row, entry)| (*row, entry)).collect();
        add(conn, sql, &rows).await?;
        if texts.is_empty() {
            return Ok(());
        }
    }
}

async fn add(conn: &mut SqliteConnection, sql: &Sql, rows: &[(i64, &Entry)]) -> Result<(), sqlx::Error> {
    bulk::insert(conn, (sql.add, 3, ""), rows, |q, (row, entry)| {
        q.bind(*row).bind(entry.title.clone()).bind(entry.more.clone())
    })
    .await
}

async fn rows_of(
    conn: &mut SqliteConnection,
    sql: &Sql,
    ids: &[&str],
) -> Result<HashMap<String, i64>, sqlx::Error> {
    let mut rows = HashMap::new();
    for group in bulk::groups(ids) {
        for row in bulk::with_ids((sql.rows_of, 1, ""), &[], &group).fetch_all(&mut *conn).await? {
            rows.insert(row.try_get(0)?, row.try_get(1)?);
        }
    }
    Ok(rows)
}
