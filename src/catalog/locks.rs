//! Who waits for whom when many write to one database.

use super::sql;

/// The first of the two numbers of PostgreSQL's advisory locks.
const LIBRARY: i32 = 0x5e67_0001;
const ACCOUNT: i32 = 0x5e67_0002;
const LOG: i32 = 0x5e67_0003;

/// What a transaction is about; two of the same thing take turns.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Everything.
    Library,
    /// The rows of one account.
    Account(&'a str),
    /// The order of the search log.
    Log,
}

/// Waits until nobody else writes to the same; it ends with the transaction. SQLite has one lock for everything, which its
/// transactions have from their beginning.
pub(super) async fn take(conn: &mut sql::Connection, scope: Scope<'_>) -> Result<(), sql::Error> {
    if !conn.engine().is_shared() {
        return Ok(());
    }
    let (class, name) = match scope {
        Scope::Library => (LIBRARY, ""),
        Scope::Account(account) => (ACCOUNT, account),
        Scope::Log => (LOG, ""),
    };
    let sql = "SELECT pg_advisory_xact_lock(CAST($1 AS INTEGER), hashtext($2))";
    sql::query(sql).bind(class).bind(name).execute(conn).await.map(drop)
}

/// The same for several accounts at once, in an order that is the same for everybody, so that no two wait for each other.
pub(super) async fn take_accounts(conn: &mut sql::Connection, accounts: &[&str]) -> Result<(), sql::Error> {
    if !conn.engine().is_shared() {
        return Ok(());
    }
    let sql = "SELECT pg_advisory_xact_lock(CAST($1 AS INTEGER), k.name) FROM (SELECT DISTINCT hashtext(n) AS name \
               FROM unnest(string_to_array($2, chr(10))) AS n ORDER BY 1) AS k";
    sql::query(sql).bind(ACCOUNT).bind(accounts.join("\n")).execute(conn).await.map(drop)
}
