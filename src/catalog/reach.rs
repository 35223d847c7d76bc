//! The part of a library that lies in some of its music folders, for accounts that may reach no more and for clients that ask
//! for one folder.
//!
//! A catalog that is [`within`](Catalog::within) folders reads through connections of its own. On those the names of the
//! tables of music mean views that hold only what these folders have: a name without schema finds the connection's own
//! schema first. So every statement of this room, also one that is written tomorrow, sees that part alone, and nobody can
//! forget a condition. Counts and sums are those of the part. What is written goes to the one library; who may not reach an
//! item cannot write about it either ([`Catalog::must_reach`]).
//!
//! A track belongs to the folders whose path its file is below: where one music folder lies in another one, to both.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::files::path_to_text;
use super::sql::{self, Engine, again};
use super::{Account, Catalog, CatalogError, Listener, bulk};

/// Parts whose connections are kept.
const PARTS: usize = 32;
/// Connections of one part, which close when nobody has used them for a while.
const READERS: u32 = 2;
const IDLE: Duration = Duration::from_mins(1);

/// A folder with music.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MusicFolder {
    /// Its number, which is never another folder's.
    pub id: i64,
    /// Where it is, as [`path_to_text`] writes it.
    pub path: String,
}

/// Connections by the folders that they see.
#[derive(Debug)]
pub(super) struct Parts {
    whole: Whole,
    pools: Mutex<HashMap<BTreeSet<i64>, sql::Pool>>,
}

/// What there are parts of.
#[derive(Debug)]
enum Whole {
    /// The database that these options open. A catalog in memory has one connection, which sees everything; its parts are
    /// empty databases, where every statement fails.
    File(Box<Option<SqliteConnectOptions>>),
    #[cfg(feature = "cloud")]
    Server(Box<super::postgres::Settings>),
}

impl Parts {
    /// Of the database that these options open; without any there is nothing to see.
    pub(super) fn of_file(options: Option<SqliteConnectOptions>) -> Self {
        Self { whole: Whole::File(Box::new(options)), pools: Mutex::default() }
    }

    /// Of a server's database.
    #[cfg(feature = "cloud")]
    pub(super) fn of_server(settings: super::postgres::Settings) -> Self {
        Self { whole: Whole::Server(Box::new(settings)), pools: Mutex::default() }
    }

    fn pool(&self, folders: &BTreeSet<i64>) -> sql::Pool {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(folders) {
            return pool.clone();
        }
        if pools.len() >= PARTS {
            pools.clear();
        }
        let wanted: Vec<i64> = folders.iter().copied().collect();
        let pool = match &self.whole {
            Whole::File(options) => {
                let options =
                    options.as_ref().clone().unwrap_or_else(|| SqliteConnectOptions::new().in_memory(true));
                let pool = SqlitePoolOptions::new()
                    .max_connections(READERS)
                    .idle_timeout(IDLE)
                    .test_before_acquire(false)
                    .acquire_timeout(Duration::from_mins(1))
                    .after_connect(move |conn, _| {
                        let wanted = wanted.clone();
                        Box::pin(async move { narrow(conn, Engine::Sqlite, &wanted).await })
                    })
                    .connect_lazy_with(options);
                sql::Pool::Sqlite(pool)
            }
            #[cfg(feature = "cloud")]
            Whole::Server(settings) => {
                let (options, pool) = settings.part();
                let pool = pool.after_connect(move |conn, _| {
                    let wanted = wanted.clone();
                    Box::pin(async move { narrow(conn, Engine::Postgres, &wanted).await })
                });
                sql::Pool::Postgres(pool.connect_lazy_with(options))
            }
        };
        pools.insert(folders.clone(), pool.clone());
        pool
    }
}

/// Tables that say what music there is: every connection of a part sees its own part of them. Each comes behind those that its
/// condition asks.
pub const MUSIC: [&str; 12] = [
    "files",
    "tracks",
    "slices",
    "albums",
    "track_artists",
    "album_artists",
    "artists",
    "track_genres",
    "album_genres",
    "lyrics",
    "track_facts",
    "album_facts",
];

/// What a row `x` of a table must fulfil to be in the part, and columns that are worked out anew.
fn part_of(table: &str) -> (&'static str, &'static [(&'static str, &'static str)]) {
    const OF_TRACK: &str = "EXISTS (SELECT 1 FROM temp.tracks t WHERE t.id = x.track_id)";
    const OF_ALBUM: &str = "EXISTS (SELECT 1 FROM temp.albums a WHERE a.id = x.album_id)";
    match table {
        "files" => ("EXISTS (SELECT 1 FROM temp.reach r WHERE x.path >= r.first AND x.path < r.after)", &[]),
        "tracks" => (
            "(EXISTS (SELECT 1 FROM main.files f, temp.reach r \
             WHERE f.track_id = x.id AND f.path >= r.first AND f.path < r.after) \
             OR EXISTS (SELECT 1 FROM main.slices s JOIN main.files f ON f.track_id = s.whole_id JOIN temp.reach r \
             ON f.path >= r.first AND f.path < r.after WHERE s.track_id = x.id))",
            &[],
        ),
        "albums" => (
            "EXISTS (SELECT 1 FROM temp.tracks t WHERE t.album_id = x.id)",
            &[
                ("track_count", "(SELECT COUNT(*) FROM temp.tracks t WHERE t.album_id = x.id)"),
                (
                    "duration_ms",
                    "(SELECT CAST(COALESCE(SUM(t.duration_ms), 0) AS BIGINT) FROM temp.tracks t WHERE t.album_id = x.id)",
                ),
            ],
        ),
        "artists" => (
            "(EXISTS (SELECT 1 FROM temp.track_artists l WHERE l.artist_id = x.id) \
             OR EXISTS (SELECT 1 FROM temp.album_artists l WHERE l.artist_id = x.id))",
            &[(
                "album_count",
                "(SELECT COUNT(DISTINCT l.album_id) FROM temp.album_artists l \
                 WHERE l.artist_id = x.id AND l.role = 'artist')",
            )],
        ),
        "album_artists" | "album_facts" => (OF_ALBUM, &[]),
        // An album that lies in several folders has here only the genres of the tracks that are here.
        "album_genres" => (
            "EXISTS (SELECT 1 FROM temp.tracks t JOIN main.track_genres g ON g.track_id = t.id \
             WHERE t.album_id = x.album_id AND g.genre = x.genre)",
            &[],
        ),
        _ => (OF_TRACK, &[]),
    }
}

/// Lets a new connection see nothing but what lies in these folders.
async fn narrow<C>(conn: &mut C, engine: Engine, folders: &[i64]) -> Result<(), sql::Error>
where
    for<'c> &'c mut C: sql::Executor<'c>,
{
    let schema: String =
        sql::query_scalar(engine.either("SELECT 'main'", "SELECT CAST(current_schema() AS TEXT)"))
            .fetch_one(&mut *conn)
            .await?;
    let own = engine.either("temp", "pg_temp");
    sql::query(engine.either(
        "CREATE TEMP TABLE reach (first TEXT NOT NULL, after TEXT NOT NULL)",
        "CREATE TEMP TABLE reach (first TEXT COLLATE \"C\" NOT NULL, after TEXT COLLATE \"C\" NOT NULL)",
    ))
    .execute(&mut *conn)
    .await?;
    for folder in folders {
        let path: Option<String> = sql::query_scalar("SELECT path FROM music_folders WHERE id = $1")
            .bind(folder)
            .fetch_optional(&mut *conn)
            .await?;
        let Some((first, after)) = path.as_deref().and_then(below) else { continue };
        sql::query("INSERT INTO reach (first, after) VALUES ($1, $2)")
            .bind(first)
            .bind(after)
            .execute(&mut *conn)
            .await?;
    }
    for table in MUSIC {
        let (condition, anew) = part_of(table);
        let columns: Vec<String> = sql::columns_of(&mut *conn, engine, table)
            .await?
            .into_iter()
            .map(|column| match anew.iter().find(|(name, _)| *name == column.name) {
                Some((name, how)) => format!("{how} AS {name}"),
                None => format!("x.{}", column.name),
            })
            .collect();
        // Nothing but names of this file and of the schema.
        let view = format!(
            "CREATE TEMP VIEW {table} AS SELECT {} FROM main.{table} x WHERE {condition}",
            columns.join(", ")
        );
        let view = view.replace("temp.", &format!("{own}.")).replace("main.", &format!("\"{schema}\"."));
        sql::query(sql::AssertSqlSafe(view)).persistent(false).execute(&mut *conn).await?;
    }
    Ok(())
}

/// The texts of paths below a folder: from the first on, and all before the second.
fn below(folder: &str) -> Option<(String, String)> {
    let separator = path_to_text(Path::new(std::path::MAIN_SEPARATOR_STR));
    let first = format!("{}{separator}", folder.strip_suffix(&separator).unwrap_or(folder));
    let mut after = first.clone();
    let last = after.pop()?;
    after.push(char::from_u32(u32::from(last) + 1)?);
    Some((first, after))
}

impl Catalog {
    /// The catalog as it is within these music folders; numbers that are no folder's mean nothing.
    #[must_use]
    pub fn within(&self, folders: &BTreeSet<i64>) -> Self {
        Self { reader: self.parts.pool(folders), narrowed: true, ..self.clone() }
    }

    /// The catalog as this account may see it, within one folder where that is asked for.
    pub fn listener_of(&self, account: &Account, folder: Option<i64>) -> Listener {
        let reached = match (&account.folders, folder) {
            (None, None) => return self.listener(&account.id),
            (Some(folders), None) => folders.clone(),
            (None, Some(folder)) => BTreeSet::from([folder]),
            (Some(folders), Some(folder)) => folders.iter().copied().filter(|id| *id == folder).collect(),
        };
        self.within(&reached).listener(&account.id)
    }

    /// The whole catalog behind one that is [`within`](Self::within) some folders.
    pub(super) fn whole(&self) -> Self {
        Self { reader: self.all.clone(), narrowed: false, ..self.clone() }
    }

    /// Whether this is a part only.
    pub(super) const fn is_narrowed(&self) -> bool {
        self.narrowed
    }

    /// Which of these items, all of one table, are here.
    pub(super) async fn here(&self, table: Table, ids: &[&str]) -> Result<HashSet<String>, CatalogError> {
        let head = match table {
            Table::Tracks => "SELECT id FROM tracks WHERE id IN",
            Table::Albums => "SELECT id FROM albums WHERE id IN",
            Table::Artists => "SELECT id FROM artists WHERE id IN",
        };
        let mut here = HashSet::with_capacity(ids.len());
        let mut conn = self.reader().acquire().await?;
        for group in bulk::groups(ids) {
            for row in bulk::with_ids((head, 1, ""), &[], &group).fetch_all(&mut *conn).await? {
                here.insert(row.try_get(0)?);
            }
        }
        Ok(here)
    }

    /// Refuses what is not in the part that this catalog sees, as if it were nowhere. What is nowhere at all is for the
    /// writer to refuse.
    pub(super) async fn must_reach<'a>(
        &self,
        table: Table,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), CatalogError> {
        if !self.narrowed {
            return Ok(());
        }
        let ids: Vec<&str> = ids.into_iter().collect();
        let here = self.here(table, &ids).await?;
        match ids.iter().find(|id| !here.contains(**id)) {
            Some(missing) => Err(CatalogError::not_found(table.word(), *missing)),
            None => Ok(()),
        }
    }

    /// Gives every folder a number, the same as ever, in the order given.
    pub async fn number_folders(
        &self,
        folders: &[impl AsRef<Path>],
    ) -> Result<Vec<MusicFolder>, CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let mut numbered = Vec::with_capacity(folders.len());
            for folder in folders {
                let path = path_to_text(folder.as_ref());
                sql::query(
                    "INSERT INTO music_folders (id, path) \
                     VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM music_folders), $1) ON CONFLICT DO NOTHING",
                )
                .bind(&path)
                .execute(&mut *tx)
                .await?;
                let id = sql::query_scalar("SELECT id FROM music_folders WHERE path = $1")
                    .bind(&path)
                    .fetch_one(&mut *tx)
                    .await?;
                numbered.push(MusicFolder { id, path });
            }
            tx.commit().await?;
            Ok(numbered)
        })
    }

    /// Every music folder that there ever was, by number.
    pub async fn music_folders(&self) -> Result<Vec<MusicFolder>, CatalogError> {
        let sql = "SELECT id, path FROM music_folders ORDER BY id";
        let rows: Vec<(i64, String)> = sql::query_as(sql).fetch_all(&self.all).await?;
        Ok(rows.into_iter().map(|(id, path)| MusicFolder { id, path }).collect())
    }
}

/// Where items are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Tracks,
    Albums,
    Artists,
}

impl Table {
    const fn word(self) -> &'static str {
        match self {
            Self::Tracks => "track",
            Self::Albums => "album",
            Self::Artists => "artist",
        }
    }
}

/// Shares its parts among all clones of a catalog.
pub(super) type SharedParts = Arc<Parts>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_a_folder() {
        let (first, after) = below("/srv/music").unwrap();
        let within = |path: &str| path >= first.as_str() && path < after.as_str();
        assert!(within("/srv/music/a.flac") && within("/srv/music/ä/b") && within("/srv/music//"));
        for other in ["/srv/music", "/srv/music2/a.flac", "/srv/musi/c", "/srv/music-old/a", "/srv"] {
            assert!(!within(other), "{other}");
        }
        assert_eq!(below("/").unwrap().0, "/");
    }
}
