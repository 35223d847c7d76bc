//! Many rows in one statement: each statement crosses a channel to SQLite's thread, so a row at a time would spend more
//! time crossing than writing. Texts are built for a few fixed sizes, so that SQLite prepares each of them once.

use std::fmt::Write as _;

use super::sql;

/// A statement with its values so far.
pub(super) type Statement = sql::Query;

/// Most values in one statement; SQLite's own limit is 32,766.
const VALUES: usize = 2_000;

/// Ids in one `IN (…)`.
const IDS: usize = 128;

/// Runs `head VALUES (…),(…) tail` over all rows, a few dozen at a time. `bind` binds `columns` values of one row.
/// `head` and `tail` are constants of this room, never a listener's text.
pub(super) async fn insert<'r, T>(
    conn: &mut sql::Connection,
    shape: (&'static str, usize, &'static str),
    rows: &'r [T],
    bind: impl Fn(Statement, &'r T) -> Statement,
) -> Result<(), sql::Error> {
    for chunk in rows.chunks(full(shape.1)) {
        filled(conn.engine().is_shared(), shape, chunk, &bind).execute(&mut *conn).await?;
    }
    Ok(())
}

/// The same with a `tail` that returns something of each row: what came back of all.
pub(super) async fn insert_returning<'r, T>(
    conn: &mut sql::Connection,
    shape: (&'static str, usize, &'static str),
    rows: &'r [T],
    bind: impl Fn(Statement, &'r T) -> Statement,
) -> Result<Vec<sql::Row>, sql::Error> {
    let mut returned = Vec::new();
    for chunk in rows.chunks(full(shape.1)) {
        returned.extend(filled(conn.engine().is_shared(), shape, chunk, &bind).fetch_all(&mut *conn).await?);
    }
    Ok(returned)
}

/// Rows of so many columns in one statement.
fn full(columns: usize) -> usize {
    (VALUES / columns.max(1)).max(1)
}

/// The statement for some rows with their values.
fn filled<'r, T>(
    numbered: bool,
    (head, columns, tail): (&'static str, usize, &'static str),
    chunk: &'r [T],
    bind: &impl Fn(Statement, &'r T) -> Statement,
) -> Statement {
    let mut sql = String::with_capacity(head.len() + tail.len() + chunk.len() * (columns * 2 + 2));
    sql.push_str(head);
    sql.push_str(" VALUES ");
    for row in 0..chunk.len() {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            // SQLite looks each `$1` up among all names before it, which is quadratic here; PostgreSQL has no others.
            if numbered {
                let n = row * columns + column + 1;
                let _ = write!(sql, "{}${n}", if column == 0 { "" } else { "," });
            } else {
                sql.push_str(if column == 0 { "?" } else { ",?" });
            }
        }
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(tail);
    let mut statement = sql::query(sql::AssertSqlSafe(sql)).persistent(chunk.len() == full(columns));
    statement.reserve(chunk.len() * columns);
    chunk.iter().fold(statement, bind)
}

/// Cuts ids into groups for `IN (…)`, each padded to one of three sizes by repeating its last id.
pub(super) fn groups<'a>(ids: &'a [&'a str]) -> impl Iterator<Item = Vec<&'a str>> {
    ids.chunks(IDS).map(|chunk| {
        let size = match chunk.len() {
            1 => 1,
            2..=16 => 16,
            _ => IDS,
        };
        let mut group = chunk.to_vec();
        if let Some(last) = chunk.last() {
            group.resize(size, last);
        }
        group
    })
}

/// `head ($n,$n+1,…) tail` with the ids bound, for a group from [`groups`]; `before` binds the values `$1` to
/// `$(first - 1)`.
pub(super) fn with_ids(
    (head, first, tail): (&'static str, usize, &'static str),
    before: &[&str],
    ids: &[&str],
) -> Statement {
    let mut sql = String::with_capacity(head.len() + tail.len() + ids.len() * 5 + 4);
    sql.push_str(head);
    sql.push_str(" (");
    for at in 0..ids.len() {
        let _ = write!(sql, "{}${}", if at == 0 { "" } else { "," }, first + at);
    }
    sql.push_str(") ");
    sql.push_str(tail);
    before.iter().chain(ids).fold(sql::query(sql::AssertSqlSafe(sql)), |s, value| s.bind(*value))
}

/// `parts[0] (ids) parts[1] (ids) … parts[n]` with the ids of a group from [`groups`] bound once.
pub(super) fn with_same_ids(parts: &[&'static str], ids: &[&str]) -> Statement {
    let mut list = String::with_capacity(ids.len() * 5 + 4);
    for at in 1..=ids.len() {
        let _ = write!(list, "{}${at}", if at == 1 { "" } else { "," });
    }
    let sql = parts.join(&format!(" ({list}) "));
    ids.iter().fold(sql::query(sql::AssertSqlSafe(sql)), |s, value| s.bind(*value))
}

/// Runs `head (ids) tail` for all ids, a group at a time.
pub(super) async fn for_ids(
    conn: &mut sql::Connection,
    (head, tail): (&'static str, &'static str),
    ids: &[&str],
) -> Result<(), sql::Error> {
    for group in groups(ids) {
        with_ids((head, 1, tail), &[], &group).execute(&mut *conn).await?;
    }
    Ok(())
}
