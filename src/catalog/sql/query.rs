//! A statement with its values, and what is done with it.

use std::marker::PhantomData;

#[cfg(feature = "cloud")]
use futures_util::stream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};
use sqlx::{SqlSafeStr, SqlStr};

#[cfg(feature = "cloud")]
use super::Tries;
use super::arg::{self, Arg, Bind};
#[cfg(feature = "cloud")]
use super::replica::{AtReplica, Replica};
use super::row::{FromRow, FromSql, Row};
use super::{Connection, Error, Pool};

/// Where a statement is run.
#[derive(Debug)]
pub(in crate::catalog) enum On<'c> {
    Pool(&'c Pool),
    Sqlite(&'c mut SqliteConnection),
    #[cfg(feature = "cloud")]
    Postgres(&'c mut sqlx::postgres::PgConnection),
    #[cfg(feature = "cloud")]
    Replica(&'c mut AtReplica),
}

/// What a statement can be run on: a pool, a connection of it, or a driver's own connection.
pub(in crate::catalog) trait Executor<'c>: Send {
    /// The place.
    fn on(self) -> On<'c>;
}

impl<'c> Executor<'c> for &'c Pool {
    fn on(self) -> On<'c> {
        On::Pool(self)
    }
}

impl<'c> Executor<'c> for &'c mut Connection {
    fn on(self) -> On<'c> {
        match self {
            Connection::Sqlite(held) => On::Sqlite(held.raw()),
            #[cfg(feature = "cloud")]
            Connection::Postgres(held) => On::Postgres(held.raw()),
            #[cfg(feature = "cloud")]
            Connection::Replica(held) => On::Replica(held),
        }
    }
}

impl<'c> Executor<'c> for &'c mut SqliteConnection {
    fn on(self) -> On<'c> {
        On::Sqlite(self)
    }
}

#[cfg(feature = "cloud")]
impl<'c> Executor<'c> for &'c mut sqlx::postgres::PgConnection {
    fn on(self) -> On<'c> {
        On::Postgres(self)
    }
}

/// What a statement did.
#[derive(Debug, Clone, Copy)]
pub(in crate::catalog) struct Done(u64);

impl Done {
    /// How many rows it wrote or removed.
    pub(in crate::catalog) const fn rows_affected(self) -> u64 {
        self.0
    }
}

/// A statement and its values.
#[derive(Debug, Clone)]
#[must_use = "a statement does nothing before it is run"]
pub(in crate::catalog) struct Query {
    text: SqlStr,
    args: Vec<Arg>,
    persistent: bool,
}

/// A statement, which each connection prepares once and keeps.
pub(in crate::catalog) fn query(text: impl SqlSafeStr) -> Query {
    Query { text: text.into_sql_str(), args: Vec::new(), persistent: true }
}

/// A statement whose rows are values of one type.
pub(in crate::catalog) fn query_as<T: FromRow>(text: impl SqlSafeStr) -> QueryAs<T> {
    QueryAs { query: query(text), of: PhantomData }
}

/// A statement whose rows have one column that matters.
pub(in crate::catalog) fn query_scalar<T: for<'r> FromSql<'r>>(text: impl SqlSafeStr) -> QueryScalar<T> {
    QueryScalar { query: query(text), of: PhantomData }
}

impl Query {
    /// Gives the next value.
    pub(in crate::catalog) fn bind(mut self, value: impl Bind) -> Self {
        self.args.push(value.arg());
        self
    }

    /// Makes room for so many values.
    pub(in crate::catalog) fn reserve(&mut self, values: usize) {
        self.args.reserve_exact(values);
    }

    /// Whether connections keep it prepared; not worth it for a text that does not come again.
    pub(in crate::catalog) fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    fn for_sqlite(self) -> sqlx::query::Query<'static, Sqlite, SqliteArguments> {
        sqlx::__query_with_result(self.text, arg::for_sqlite(self.args)).persistent(self.persistent)
    }

    #[cfg(feature = "cloud")]
    fn for_postgres(self) -> sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments> {
        sqlx::__query_with_result(self.text, arg::for_postgres(self.args)).persistent(self.persistent)
    }

    /// Runs it for what it does.
    pub(in crate::catalog) async fn execute<'c>(self, on: impl Executor<'c>) -> Result<Done, Error> {
        match on.on() {
            On::Pool(Pool::Sqlite(pool)) => Ok(Done(self.for_sqlite().execute(pool).await?.rows_affected())),
            On::Sqlite(conn) => Ok(Done(self.for_sqlite().execute(conn).await?.rows_affected())),
            #[cfg(feature = "cloud")]
            On::Pool(Pool::Postgres(pool)) => {
                crate::catalog::stamp::wrote();
                let mut tries = Tries::of_one_write();
                loop {
                    let done = async {
                        let conn = &mut *pool.acquire().await?;
                        renewed(self.clone().for_postgres().execute(&mut *conn).await, conn).await
                    };
                    match done.await {
                        Err(error) if tries.again(&error).await => {}
                        done => return Ok(Done(done?.rows_affected())),
                    }
                }
            }
            #[cfg(feature = "cloud")]
            On::Postgres(conn) => {
                crate::catalog::stamp::wrote();
                let done = self.for_postgres().execute(&mut *conn).await;
                Ok(Done(renewed(done, conn).await?.rows_affected()))
            }
            // Nothing is written there.
            #[cfg(feature = "cloud")]
            On::Pool(Pool::Replica(of)) => {
                Ok(Done(Box::pin(self.for_postgres().execute(&of.primary)).await?.rows_affected()))
            }
            #[cfg(feature = "cloud")]
            On::Replica(conn) => {
                Ok(Done(Box::pin(self.for_postgres().execute(conn.raw())).await?.rows_affected()))
            }
        }
    }

    /// Its rows, one at a time.
    pub(in crate::catalog) fn fetch<'c>(self, on: impl Executor<'c>) -> BoxStream<'c, Result<Row, Error>> {
        match on.on() {
            On::Pool(Pool::Sqlite(pool)) => self.for_sqlite().fetch(pool).map_ok(Row::Sqlite).boxed(),
            On::Sqlite(conn) => self.for_sqlite().fetch(conn).map_ok(Row::Sqlite).boxed(),
            #[cfg(feature = "cloud")]
            On::Pool(Pool::Postgres(pool)) => self.for_postgres().fetch(pool).map_ok(Row::Postgres).boxed(),
            #[cfg(feature = "cloud")]
            On::Postgres(conn) => self.for_postgres().fetch(conn).map_ok(Row::Postgres).boxed(),
            // Who is in the middle of a list cannot go on elsewhere; before its first row one can.
            #[cfg(feature = "cloud")]
            On::Pool(Pool::Replica(of)) => {
                let begun = async move {
                    let mut rows = self.clone().for_postgres().fetch(&of.pool).boxed();
                    match rows.next().await {
                        Some(Err(error)) if of.fails(&error) => {
                            self.for_postgres().fetch(&of.primary).boxed()
                        }
                        first => stream::iter(first).chain(rows).boxed(),
                    }
                };
                stream::once(begun).flatten().map_ok(Row::Postgres).boxed()
            }
            #[cfg(feature = "cloud")]
            On::Replica(conn) => self.for_postgres().fetch(conn.raw()).map_ok(Row::Postgres).boxed(),
        }
    }

    /// Its rows.
    pub(in crate::catalog) async fn fetch_all<'c>(self, on: impl Executor<'c>) -> Result<Vec<Row>, Error> {
        match on.on() {
            On::Pool(Pool::Sqlite(pool)) => {
                self.for_sqlite().fetch(pool).map_ok(Row::Sqlite).try_collect().await
            }
            On::Sqlite(conn) => self.for_sqlite().fetch(conn).map_ok(Row::Sqlite).try_collect().await,
            #[cfg(feature = "cloud")]
            On::Pool(Pool::Postgres(pool)) => {
                let mut tries = Tries::of_one_read();
                loop {
                    let done = async {
                        let conn = &mut *pool.acquire().await?;
                        let rows = self.clone().for_postgres().fetch(&mut *conn).map_ok(Row::Postgres);
                        renewed(rows.try_collect().await, conn).await
                    };
                    match done.await {
                        Err(error) if tries.again(&error).await => {}
                        done => return done,
                    }
                }
            }
            #[cfg(feature = "cloud")]
            On::Postgres(conn) => {
                let rows = self.for_postgres().fetch(&mut *conn).map_ok(Row::Postgres);
                renewed(rows.try_collect().await, conn).await
            }
            // Boxed, as all that is about replicas: it is seldom, and would make every statement larger.
            #[cfg(feature = "cloud")]
            On::Pool(Pool::Replica(of)) => Box::pin(self.all_of_replica(of)).await,
            #[cfg(feature = "cloud")]
            On::Replica(conn) => Box::pin(self.all_at_replica(conn)).await,
        }
    }

    /// Its first row, if it has one.
    pub(in crate::catalog) async fn fetch_optional<'c>(
        self,
        on: impl Executor<'c>,
    ) -> Result<Option<Row>, Error> {
        match on.on() {
            On::Pool(Pool::Sqlite(pool)) => {
                Ok(self.for_sqlite().fetch_optional(pool).await?.map(Row::Sqlite))
            }
            On::Sqlite(conn) => Ok(self.for_sqlite().fetch_optional(conn).await?.map(Row::Sqlite)),
            #[cfg(feature = "cloud")]
            On::Pool(Pool::Postgres(pool)) => {
                let mut tries = Tries::of_one_read();
                loop {
                    let done = async {
                        let conn = &mut *pool.acquire().await?;
                        renewed(self.clone().for_postgres().fetch_optional(&mut *conn).await, conn).await
                    };
                    match done.await {
                        Err(error) if tries.again(&error).await => {}
                        done => return Ok(done?.map(Row::Postgres)),
                    }
                }
            }
            #[cfg(feature = "cloud")]
            On::Postgres(conn) => {
                let row = self.for_postgres().fetch_optional(&mut *conn).await;
                Ok(renewed(row, conn).await?.map(Row::Postgres))
            }
            #[cfg(feature = "cloud")]
            On::Pool(Pool::Replica(of)) => Box::pin(self.optional_of_replica(of)).await,
            #[cfg(feature = "cloud")]
            On::Replica(conn) => Box::pin(self.optional_at_replica(conn)).await,
        }
    }

    /// Its first row, which there must be.
    pub(in crate::catalog) async fn fetch_one<'c>(self, on: impl Executor<'c>) -> Result<Row, Error> {
        self.fetch_optional(on).await?.ok_or(Error::RowNotFound)
    }
}

/// What a statement gave. Where it failed because another process changed the schema, the connection forgets what it has prepared, and
/// so will the others when they are used next, so that the next try prepares it anew.
#[cfg(feature = "cloud")]
async fn renewed<T>(done: Result<T, Error>, conn: &mut sqlx::postgres::PgConnection) -> Result<T, Error> {
    use sqlx::Connection as _;
    if let Err(error) = &done
        && super::is_outdated(error)
    {
        super::retry::outdated_now();
        conn.clear_cached_statements().await?;
    }
    done
}

/// What a replica does not answer, the database itself is asked.
#[cfg(feature = "cloud")]
impl Query {
    async fn all_of_replica(self, of: &Replica) -> Result<Vec<Row>, Error> {
        let rows = self.clone().for_postgres().fetch(&of.pool).map_ok(Row::Postgres);
        match rows.try_collect().await {
            Err(error) if of.fails(&error) => {
                self.for_postgres().fetch(&of.primary).map_ok(Row::Postgres).try_collect().await
            }
            done => done,
        }
    }

    async fn all_at_replica(self, conn: &mut AtReplica) -> Result<Vec<Row>, Error> {
        loop {
            let rows = self.clone().for_postgres().fetch(conn.raw()).map_ok(Row::Postgres);
            let done: Result<Vec<Row>, Error> = rows.try_collect().await;
            match done {
                Err(error) if conn.leaves(&error).await? => {}
                done => return done,
            }
        }
    }

    async fn optional_of_replica(self, of: &Replica) -> Result<Option<Row>, Error> {
        match self.clone().for_postgres().fetch_optional(&of.pool).await {
            Err(error) if of.fails(&error) => {
                Ok(self.for_postgres().fetch_optional(&of.primary).await?.map(Row::Postgres))
            }
            done => Ok(done?.map(Row::Postgres)),
        }
    }

    async fn optional_at_replica(self, conn: &mut AtReplica) -> Result<Option<Row>, Error> {
        loop {
            match self.clone().for_postgres().fetch_optional(conn.raw()).await {
                Err(error) if conn.leaves(&error).await? => {}
                done => return Ok(done?.map(Row::Postgres)),
            }
        }
    }
}

/// A statement whose rows are read as `T`.
#[derive(Debug)]
#[must_use = "a statement does nothing before it is run"]
pub(in crate::catalog) struct QueryAs<T> {
    query: Query,
    of: PhantomData<fn() -> T>,
}

impl<T: FromRow> QueryAs<T> {
    /// See [`Query::bind`].
    pub(in crate::catalog) fn bind(self, value: impl Bind) -> Self {
        Self { query: self.query.bind(value), ..self }
    }

    /// See [`Query::persistent`].
    pub(in crate::catalog) fn persistent(self, persistent: bool) -> Self {
        Self { query: self.query.persistent(persistent), ..self }
    }

    /// Its rows.
    pub(in crate::catalog) async fn fetch_all<'c>(self, on: impl Executor<'c>) -> Result<Vec<T>, Error> {
        self.query.fetch_all(on).await?.iter().map(T::from_row).collect()
    }

    /// Its first row, if it has one.
    pub(in crate::catalog) async fn fetch_optional<'c>(
        self,
        on: impl Executor<'c>,
    ) -> Result<Option<T>, Error> {
        self.query.fetch_optional(on).await?.as_ref().map(T::from_row).transpose()
    }

    /// Its first row, which there must be.
    pub(in crate::catalog) async fn fetch_one<'c>(self, on: impl Executor<'c>) -> Result<T, Error> {
        T::from_row(&self.query.fetch_one(on).await?)
    }
}

/// A statement whose rows are read by their first column.
#[derive(Debug)]
#[must_use = "a statement does nothing before it is run"]
pub(in crate::catalog) struct QueryScalar<T> {
    query: Query,
    of: PhantomData<fn() -> T>,
}

impl<T: for<'r> FromSql<'r>> QueryScalar<T> {
    /// See [`Query::bind`].
    pub(in crate::catalog) fn bind(self, value: impl Bind) -> Self {
        Self { query: self.query.bind(value), ..self }
    }

    /// The first columns of its rows.
    pub(in crate::catalog) async fn fetch_all<'c>(self, on: impl Executor<'c>) -> Result<Vec<T>, Error> {
        self.query.fetch_all(on).await?.iter().map(|row| row.try_get(0)).collect()
    }

    /// The first column of its first row, if it has one.
    pub(in crate::catalog) async fn fetch_optional<'c>(
        self,
        on: impl Executor<'c>,
    ) -> Result<Option<T>, Error> {
        self.query.fetch_optional(on).await?.as_ref().map(|row| row.try_get(0)).transpose()
    }

    /// The first column of its first row, which there must be.
    pub(in crate::catalog) async fn fetch_one<'c>(self, on: impl Executor<'c>) -> Result<T, Error> {
        self.query.fetch_one(on).await?.try_get(0)
    }
}
