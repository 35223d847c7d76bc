//! What tables and columns a database has, in the same words for both.

use super::{Engine, Error, Executor, query_as, query_scalar};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) enum Kind {
    Text,
    Int,
    Real,
    Bool,
}

impl Kind {
    fn of(word: &str) -> Self {
        match word.to_ascii_uppercase().as_str() {
            "BIGINT" => Self::Int,
            "DOUBLE PRECISION" => Self::Real,
            "BOOLEAN" => Self::Bool,
            _ => Self::Text,
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::catalog) struct Column {
    pub(in crate::catalog) name: String,
    pub(in crate::catalog) kind: Kind,
    /// Its place in the primary key, from 1; 0 where it is none of it.
    pub(in crate::catalog) key: i64,
}

/// The catalog's own tables by name, without what migrations keep for themselves.
pub(in crate::catalog) async fn tables<'c>(
    on: impl Executor<'c>,
    engine: Engine,
) -> Result<Vec<String>, Error> {
    let sql = engine.either(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name",
        "SELECT CAST(c.relname AS TEXT) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE '\\_%' ESCAPE '\\' \
         ORDER BY c.relname COLLATE \"C\"",
    );
    query_scalar(sql).fetch_all(on).await
}

/// The columns of a table in order.
pub(in crate::catalog) async fn columns_of<'c>(
    on: impl Executor<'c>,
    engine: Engine,
    table: &str,
) -> Result<Vec<Column>, Error> {
    let sql = engine.either(
        "SELECT name, type, pk FROM pragma_table_info($1, 'main') ORDER BY cid",
        "SELECT CAST(a.attname AS TEXT), format_type(a.atttypid, NULL), \
         CAST(COALESCE((SELECT array_position(CAST(i.indkey AS SMALLINT[]), a.attnum) + 1 FROM pg_index i \
         WHERE i.indrelid = c.oid AND i.indisprimary), 0) AS BIGINT) \
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relname = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
    );
    let rows: Vec<(String, String, i64)> = query_as(sql).bind(table).fetch_all(on).await?;
    Ok(rows.into_iter().map(|(name, kind, key)| Column { name, kind: Kind::of(&kind), key }).collect())
}
