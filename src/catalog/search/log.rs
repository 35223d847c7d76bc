//! Notes of what changed, written in the transaction that changes it.

use super::Kind;
use crate::catalog::sql;
use crate::catalog::{
    bulk,
    locks::{self, Scope},
};

/// Rows of the log; more, and a single one says that everything changed.
pub(super) const MOST: i64 = 100_000;

/// Notes that items were written or removed.
pub(in crate::catalog) async fn changed(
    conn: &mut sql::Connection,
    kind: Kind,
    ids: &[&str],
) -> Result<(), sql::Error> {
    note(conn, kind, ids, "").await
}

/// Notes that an account's marks of items changed.
pub(in crate::catalog) async fn marked(
    conn: &mut sql::Connection,
    account: &str,
    kind: Kind,
    ids: &[&str],
) -> Result<(), sql::Error> {
    note(conn, kind, ids, account).await
}

async fn note(conn: &mut sql::Connection, kind: Kind, ids: &[&str], account: &str) -> Result<(), sql::Error> {
    let notes: Vec<(&str, &str, &str)> = ids.iter().map(|id| (account, kind.word(), *id)).collect();
    marked_all(conn, &notes).await
}

/// Notes that marks of items changed: whose, the word of the item's kind, and its id.
pub(in crate::catalog) async fn marked_all(
    conn: &mut sql::Connection,
    notes: &[(&str, &str, &str)],
) -> Result<(), sql::Error> {
    if notes.is_empty() {
        return Ok(());
    }
    // Whoever reads the log takes it that no smaller number comes after a greater one.
    locks::take(conn, Scope::Log).await?;
    let (first, last): (i64, i64) =
        sql::query_as("SELECT COALESCE(MIN(sequence), 0), COALESCE(MAX(sequence), 0) FROM search_log")
            .fetch_one(&mut *conn)
            .await?;
    let head = "INSERT INTO search_log (sequence, kind, item_id, account_id)";
    if last - first > MOST && conn.engine().is_shared() {
        // Each process has an index of its own; one that has not come as far as this builds it again.
        sql::query("DELETE FROM search_log WHERE sequence < $1")
            .bind(last - MOST / 2)
            .execute(&mut *conn)
            .await?;
    } else if last - first > MOST {
        let rows = [(last + 1, "all", "", "")];
        return bulk::insert(conn, (head, 4, ""), &rows, |q, (n, kind, id, account)| {
            q.bind(*n).bind(*kind).bind(*id).bind(*account)
        })
        .await;
    }
    let rows: Vec<(i64, &(&str, &str, &str))> = (last + 1..).zip(notes).collect();
    bulk::insert(conn, (head, 4, ""), &rows, |q, (n, (account, kind, id))| {
        q.bind(*n).bind((*kind).to_owned()).bind((*id).to_owned()).bind((*account).to_owned())
    })
    .await
}
