//! All rows from one database into another: how a home server moves up, and how a server's database is copied into a file.
//!
//! Tables go one after the other, parents before children, their rows in the order of the primary key, a page in one transaction
//! with a note of how far it is. So a move that was broken off goes on where it was. At the end every row of both sides is
//! read again and compared. The source is only read.

use sha2::{Digest as _, Sha256};

use super::apply::sql_int;
use super::migrations::{self, State};
use super::sql::{self, Arg, Column, Kind, Value};
use super::{Catalog, CatalogError};

/// Tables that others refer to come first, in this order.
const PARENTS: [&str; 7] = ["artists", "albums", "tracks", "accounts", "plans", "campaigns", "playlists"];
/// Rows that are read at once, and written in one transaction.
const PAGE: usize = 1_000;
/// Values in one statement; SQLite's own limit is 32,766.
const VALUES: usize = 8_000;
/// Where the target notes how far it is.
const NOTES: &str = "_segue_move";

/// How far a move is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTable {
    /// The table.
    pub table: String,
    /// Its rows so far.
    pub rows: u64,
    /// Of all of them, in the order of their key; empty while it is not known.
    pub digest: String,
}

/// What is told while a move goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveStep {
    /// So many rows of a table are there.
    Copied(MovedTable),
    /// All rows of a table are the same on both sides.
    Compared(MovedTable),
}

type Told<'a> = &'a mut (dyn FnMut(MoveStep) + Send);

impl Catalog {
    /// Copies everything into another catalog, which must be new or hold the beginning of this same move; then compares both.
    /// What is written to this one meanwhile is not in it. A move that goes on after it was broken off finds such changes
    /// when it compares, and that is an error.
    pub async fn move_to(&self, target: &Self, told: Told<'_>) -> Result<Vec<MovedTable>, CatalogError> {
        must_be_current(self).await?;
        must_be_current(target).await?;
        let tables = tables(self).await?;
        let mut source = self.reader().snapshot().await?;
        copy(&mut source, target, &tables, told).await?;
        let mut there = target.reader().snapshot().await?;
        let all = compare(&mut source, &mut there, &tables, told).await?;
        drop(there);
        drop_notes(target).await?;
        Ok(all)
    }

    /// Compares every row with those of another catalog; an error names the first that differs.
    pub async fn compare_with(&self, other: &Self, told: Told<'_>) -> Result<Vec<MovedTable>, CatalogError> {
        must_be_current(self).await?;
        must_be_current(other).await?;
        let tables = tables(self).await?;
        let (mut ours, mut theirs) = (self.reader().snapshot().await?, other.reader().snapshot().await?);
        compare(&mut ours, &mut theirs, &tables, told).await
    }
}

/// A table of this schema.
struct Table {
    name: String,
    columns: Vec<Column>,
}

impl Table {
    /// Its key in order.
    fn key(&self) -> Vec<&Column> {
        let mut key: Vec<&Column> = self.columns.iter().filter(|column| column.key > 0).collect();
        key.sort_by_key(|column| column.key);
        key
    }

    /// The rows behind a key, or the first ones.
    fn page(&self, after: Option<&[Arg]>) -> sql::Query {
        let names =
            |columns: &[&Column]| columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        let all = names(&self.columns.iter().collect::<Vec<_>>());
        let key = names(&self.key());
        let places = |n: usize| (1..=n).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
        let behind =
            after.map_or_else(String::new, |args| format!("WHERE ({key}) > ({})", places(args.len())));
        let text = format!("SELECT {all} FROM {} {behind} ORDER BY {key} LIMIT {PAGE}", self.name);
        let query = sql::query(sql::AssertSqlSafe(text));
        after.unwrap_or_default().iter().fold(query, sql::Query::bind)
    }

    fn row(&self, row: &sql::Row) -> Result<Vec<Arg>, CatalogError> {
        self.columns.iter().enumerate().map(|(at, column)| self.arg(row.value(at)?, column)).collect()
    }

    /// A value as its column has it; a file lets values of other kinds into a column.
    fn arg(&self, value: Value, column: &Column) -> Result<Arg, CatalogError> {
        Ok(match (column.kind, value) {
            (Kind::Text, Value::Null) => Arg::Text(None),
            (Kind::Text, Value::Text(text)) => Arg::Text(Some(sql::without_nul(&text))),
            (Kind::Text, Value::Int(n)) => Arg::Text(Some(n.to_string())),
            (Kind::Int, Value::Null) => Arg::Int(None),
            (Kind::Int, Value::Int(n)) => Arg::Int(Some(n)),
            (Kind::Int, Value::Bool(is)) => Arg::Int(Some(i64::from(is))),
            (Kind::Real, Value::Null) => Arg::Real(None),
            // Zero has no sign in a file.
            (Kind::Real, Value::Real(n)) => Arg::Real(Some(n + 0.0)),
            (Kind::Real, Value::Int(n)) => Arg::Real(Some(n as f64)),
            (Kind::Bool, Value::Null) => Arg::Bool(None),
            (Kind::Bool, Value::Bool(is)) => Arg::Bool(Some(is)),
            (Kind::Bool, Value::Int(n)) => Arg::Bool(Some(n != 0)),
            (kind, value) => {
                let said = format!("{}.{} should be {kind:?} and holds {value:?}", self.name, column.name);
                return Err(CatalogError::Invalid(said));
            }
        })
    }

    fn key_of(&self, row: &[Arg]) -> Vec<Arg> {
        let at = |column: &&Column| self.columns.iter().position(|c| c.name == column.name);
        self.key().iter().filter_map(at).filter_map(|at| row.get(at).cloned()).collect()
    }
}

/// Every table, parents first.
async fn tables(catalog: &Catalog) -> Result<Vec<Table>, CatalogError> {
    let (pool, engine) = (catalog.reader(), catalog.engine());
    let mut names = sql::tables(pool, engine).await?;
    let rank = |name: &String| PARENTS.iter().position(|parent| parent == name).unwrap_or(PARENTS.len());
    names.sort_by_key(|name| (rank(name), name.clone()));
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        all.push(Table { columns: sql::columns_of(pool, engine, &name).await?, name });
    }
    Ok(all)
}

async fn must_be_current(catalog: &Catalog) -> Result<(), CatalogError> {
    if migrations::state(catalog.reader()).await? == State::Current {
        return Ok(());
    }
    let said = "the database is not of this release: start this Segue with it once, then move it";
    Err(CatalogError::Invalid(said.to_owned()))
}

async fn count(on: &sql::Pool, table: &str) -> Result<u64, sql::Error> {
    let sql = sql::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    let count: i64 = sql::query_scalar(sql).fetch_one(on).await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Copies every row that is not there yet.
async fn copy(
    source: &mut sql::Connection,
    to: &Catalog,
    tables: &[Table],
    told: Told<'_>,
) -> Result<(), CatalogError> {
    begin(to, tables).await?;
    for table in tables {
        let note: (i64, String, bool) =
            sql::query_as("SELECT moved, last_key, done FROM _segue_move WHERE name = $1")
                .bind(&table.name)
                .fetch_one(to.writer())
                .await?;
        let (mut moved, last, done) = note;
        let mut after = if last.is_empty() { None } else { Some(key_from(&last)?) };
        let mut done = done;
        while !done {
            let rows = table.page(after.as_deref()).fetch_all(&mut *source).await?;
            let rows: Vec<Vec<Arg>> = rows.iter().map(|row| table.row(row)).collect::<Result<_, _>>()?;
            done = rows.len() < PAGE;
            moved += sql_int(rows.len() as u64);
            after = rows.last().map(|row| table.key_of(row)).or(after);
            let mut tx = to.write().await?;
            insert(&mut tx, table, &rows).await?;
            sql::query("UPDATE _segue_move SET moved = $2, last_key = $3, done = $4 WHERE name = $1")
                .bind(&table.name)
                .bind(moved)
                .bind(after.as_deref().map_or_else(|| Ok(String::new()), key_to)?)
                .bind(done)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            told(MoveStep::Copied(MovedTable {
                table: table.name.clone(),
                rows: u64::try_from(moved).unwrap_or(0),
                digest: String::new(),
            }));
        }
    }
    Ok(())
}

/// Sees that the target is new, or has the beginning of a move.
async fn begin(to: &Catalog, tables: &[Table]) -> Result<(), CatalogError> {
    sql::query(
        "CREATE TABLE IF NOT EXISTS _segue_move (name TEXT NOT NULL PRIMARY KEY, moved BIGINT NOT NULL, \
         last_key TEXT NOT NULL, done BOOLEAN NOT NULL)",
    )
    .execute(to.writer())
    .await?;
    if count(to.writer(), NOTES).await? > 0 {
        return Ok(());
    }
    for table in tables {
        // A new database has plans already.
        if table.name != "plans" && count(to.writer(), &table.name).await? > 0 {
            drop_notes(to).await?;
            return Err(CatalogError::Invalid(format!(
                "the target holds other data already (in “{}”): name a new, empty database",
                table.name
            )));
        }
    }
    let mut tx = to.write().await?;
    sql::query("DELETE FROM plans").execute(&mut *tx).await?;
    for table in tables {
        sql::query("INSERT INTO _segue_move (name, moved, last_key, done) VALUES ($1, 0, '', FALSE)")
            .bind(&table.name)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn drop_notes(to: &Catalog) -> Result<(), CatalogError> {
    sql::query("DROP TABLE IF EXISTS _segue_move").execute(to.writer()).await?;
    Ok(())
}

async fn insert(conn: &mut sql::Connection, table: &Table, rows: &[Vec<Arg>]) -> Result<(), sql::Error> {
    let width = table.columns.len().max(1);
    let full = (VALUES / width).clamp(1, PAGE);
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    for chunk in rows.chunks(full) {
        let places: Vec<String> = (0..chunk.len())
            .map(|row| {
                let of_row: Vec<String> = (1..=width).map(|at| format!("${}", row * width + at)).collect();
                format!("({})", of_row.join(","))
            })
            .collect();
        let text = format!("INSERT INTO {} ({}) VALUES {}", table.name, names.join(", "), places.join(","));
        let mut query = sql::query(sql::AssertSqlSafe(text)).persistent(chunk.len() == full);
        query.reserve(chunk.len() * width);
        let query = chunk.iter().flatten().fold(query, sql::Query::bind);
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Reads both sides in the order of their keys.
async fn compare(
    one: &mut sql::Connection,
    other: &mut sql::Connection,
    tables: &[Table],
    told: Told<'_>,
) -> Result<Vec<MovedTable>, CatalogError> {
    let mut all = Vec::with_capacity(tables.len());
    for table in tables {
        let mut hash = Sha256::new();
        let (mut rows, mut after) = (0, None);
        loop {
            let ours = page(one, table, after.as_deref()).await?;
            let theirs = page(other, table, after.as_deref()).await?;
            for (at, row) in ours.iter().enumerate() {
                if theirs.get(at).map(|theirs| print(theirs)) != Some(print(row)) {
                    return Err(differs(table, &table.key_of(row)));
                }
                hash.update(print(row));
            }
            if let Some(more) = theirs.get(ours.len()) {
                return Err(differs(table, &table.key_of(more)));
            }
            rows += ours.len() as u64;
            let Some(last) = ours.last().filter(|_| ours.len() == PAGE) else { break };
            after = Some(table.key_of(last));
        }
        let compared = MovedTable { table: table.name.clone(), rows, digest: hex(&hash.finalize()) };
        told(MoveStep::Compared(compared.clone()));
        all.push(compared);
    }
    Ok(all)
}

async fn page(
    conn: &mut sql::Connection,
    table: &Table,
    after: Option<&[Arg]>,
) -> Result<Vec<Vec<Arg>>, CatalogError> {
    table.page(after).fetch_all(&mut *conn).await?.iter().map(|row| table.row(row)).collect()
}

fn differs(table: &Table, key: &[Arg]) -> CatalogError {
    let key = key_to(key).unwrap_or_default();
    CatalogError::Invalid(format!(
        "the two databases differ in “{}”, at the row {key}: one of them was written to meanwhile, or the move is not done",
        table.name
    ))
}

/// What a row is, in so many bytes.
fn print(row: &[Arg]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for arg in row {
        match arg {
            Arg::Int(Some(n)) => hash.update([&[1], n.to_be_bytes().as_slice()].concat()),
            Arg::Real(Some(n)) => hash.update([&[2], n.to_bits().to_be_bytes().as_slice()].concat()),
            Arg::Bool(Some(is)) => hash.update([3, u8::from(*is)]),
            Arg::Text(Some(text)) => {
                hash.update([&[4], (text.len() as u64).to_be_bytes().as_slice()].concat());
                hash.update(text);
            }
            _ => hash.update([0]),
        }
    }
    hash.finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A key as it is noted: texts and whole numbers, which all keys are made of.
fn key_to(key: &[Arg]) -> Result<String, CatalogError> {
    let parts: Vec<serde_json::Value> = key
        .iter()
        .map(|arg| match arg {
            Arg::Int(n) => serde_json::json!(n),
            Arg::Text(text) => serde_json::json!(text),
            Arg::Bool(is) => serde_json::json!(is),
            Arg::Real(n) => serde_json::json!(n),
            Arg::TooLarge(n) => serde_json::json!(n),
        })
        .collect();
    Ok(serde_json::to_string(&parts)?)
}

fn key_from(text: &str) -> Result<Vec<Arg>, CatalogError> {
    let parts: Vec<serde_json::Value> = serde_json::from_str(text)?;
    Ok(parts
        .into_iter()
        .map(|part| match part {
            serde_json::Value::Number(n) => Arg::Int(n.as_i64()),
            serde_json::Value::Bool(is) => Arg::Bool(Some(is)),
            serde_json::Value::String(text) => Arg::Text(Some(text)),
            _ => Arg::Text(None),
        })
        .collect())
}
