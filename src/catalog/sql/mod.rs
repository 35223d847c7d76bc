//! One way to ask either database, in the shape of sqlx's own calls: `query(text).bind(value).fetch_all(pool)`.
//!
//! sqlx types a statement by its database, and its `Any` driver knows neither `BOOLEAN` nor prepared statements well. So there
//! is an enum over the two typed drivers here, and everything else of the catalog is written once:
//!
//! ```text
//!  query(text) ── bind ──▶ [Arg] ── execute(on) ──▶ typed arguments of SQLite or PostgreSQL ──▶ Row ── try_get ──▶ value
//! ```
//!
//! The texts are those that both understand: `$1` placeholders, BIGINT, TEXT, BOOLEAN and DOUBLE PRECISION. What cannot be said
//! in one text asks [`Pool::engine`] or [`Connection::engine`]; outside of `open` and `reach` there are few such places.

mod arg;
mod builder;
mod pool;
mod query;
#[cfg(feature = "cloud")]
mod replica;
mod retry;
mod row;
mod schema;

pub(super) use arg::{Arg, Bind, without_nul};
pub(super) use builder::Builder;
pub(super) use pool::{Connection, Engine, Pool, Transaction};
pub(super) use query::{Executor, Query, query, query_as, query_scalar};
#[cfg(feature = "cloud")]
pub(super) use replica::Replica;
#[cfg(feature = "cloud")]
pub(super) use retry::is_behind;
pub(super) use retry::{Tries, again, is_away, is_outdated};
pub(super) use row::{FromRow, FromSql, Row, Value};
pub(super) use schema::{Column, Kind, columns_of, tables};
pub(super) use sqlx::{AssertSqlSafe, Error};
