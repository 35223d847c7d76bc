//! Rows, and values out of them.

use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

use super::Error;

/// One row of an answer.
#[derive(Debug)]
pub(in crate::catalog) enum Row {
    /// Of a file.
    Sqlite(SqliteRow),
    /// Of a server.
    #[cfg(feature = "cloud")]
    Postgres(sqlx::postgres::PgRow),
}

/// A value of whatever type its column has.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::catalog) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    Text(String),
}

/// How a column is named: by its place or by its name.
pub(in crate::catalog) trait Index {
    /// The place.
    fn place(self, row: &Row) -> Result<usize, Error>;
}

impl Index for usize {
    fn place(self, _: &Row) -> Result<usize, Error> {
        Ok(self)
    }
}

impl Index for &str {
    fn place(self, row: &Row) -> Result<usize, Error> {
        match row {
            Row::Sqlite(row) => Ok(row.try_column(self)?.ordinal()),
            #[cfg(feature = "cloud")]
            Row::Postgres(row) => Ok(row.try_column(self)?.ordinal()),
        }
    }
}

/// What can be read from a column.
pub(in crate::catalog) trait FromSql<'r>: Sized {
    fn of_sqlite(row: &'r SqliteRow, at: usize) -> Result<Self, Error>;
    #[cfg(feature = "cloud")]
    fn of_postgres(row: &'r sqlx::postgres::PgRow, at: usize) -> Result<Self, Error>;
}

/// What can be read from a whole row.
pub(in crate::catalog) trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, Error>;
}

impl Row {
    /// A value by the place or the name of its column.
    pub(in crate::catalog) fn try_get<'r, T: FromSql<'r>, I: Index>(&'r self, of: I) -> Result<T, Error> {
        let at = of.place(self)?;
        match self {
            Self::Sqlite(row) => T::of_sqlite(row, at),
            #[cfg(feature = "cloud")]
            Self::Postgres(row) => T::of_postgres(row, at),
        }
    }

    /// The names of its columns.
    pub(in crate::catalog) fn names(&self) -> Vec<&str> {
        match self {
            Self::Sqlite(row) => row.columns().iter().map(sqlx::Column::name).collect(),
            #[cfg(feature = "cloud")]
            Self::Postgres(row) => row.columns().iter().map(sqlx::Column::name).collect(),
        }
    }

    /// A value by what it is.
    pub(in crate::catalog) fn value(&self, at: usize) -> Result<Value, Error> {
        match self {
            Self::Sqlite(row) => {
                let raw = row.try_get_raw(at)?;
                if raw.is_null() {
                    return Ok(Value::Null);
                }
                // A file has no truths of its own, only columns that were said to hold some.
                if row.columns().get(at).is_some_and(|column| column.type_info().name() == "BOOLEAN") {
                    return self.try_get(at).map(Value::Bool);
                }
                match raw.type_info().name() {
                    "INTEGER" => self.try_get(at).map(Value::Int),
                    "REAL" => self.try_get(at).map(Value::Real),
                    _ => self.try_get(at).map(Value::Text),
                }
            }
            #[cfg(feature = "cloud")]
            Self::Postgres(row) => {
                let raw = row.try_get_raw(at)?;
                if raw.is_null() {
                    return Ok(Value::Null);
                }
                match raw.type_info().name() {
                    "BOOL" => self.try_get(at).map(Value::Bool),
                    "INT8" | "INT4" | "INT2" => self.try_get(at).map(Value::Int),
                    "FLOAT8" | "FLOAT4" => self.try_get(at).map(Value::Real),
                    _ => self.try_get(at).map(Value::Text),
                }
            }
        }
    }
}

#[cfg(feature = "cloud")]
fn wrong(at: usize, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::ColumnDecode { index: at.to_string(), source: source.into() }
}

#[cfg(feature = "cloud")]
fn there<T>(at: usize, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| wrong(at, "there is no value"))
}

/// A whole number, however wide its column is: a literal is narrower than a BIGINT.
#[cfg(feature = "cloud")]
fn whole(row: &sqlx::postgres::PgRow, at: usize) -> Result<Option<i64>, Error> {
    let raw = row.try_get_raw(at)?;
    match raw.type_info().name() {
        _ if raw.is_null() => Ok(None),
        "INT4" => Ok(row.try_get::<Option<i32>, _>(at)?.map(i64::from)),
        "INT2" => Ok(row.try_get::<Option<i16>, _>(at)?.map(i64::from)),
        _ => row.try_get(at),
    }
}

macro_rules! whole {
    ($($of:ty),+) => {
        $(impl<'r> FromSql<'r> for $of {
            fn of_sqlite(row: &'r SqliteRow, at: usize) -> Result<Self, Error> {
                row.try_get(at)
            }

            #[cfg(feature = "cloud")]
            fn of_postgres(row: &'r sqlx::postgres::PgRow, at: usize) -> Result<Self, Error> {
                Self::try_from(there(at, whole(row, at)?)?).map_err(|error| wrong(at, error))
            }
        }

        impl<'r> FromSql<'r> for Option<$of> {
            fn of_sqlite(row: &'r SqliteRow, at: usize) -> Result<Self, Error> {
                row.try_get(at)
            }

            #[cfg(feature = "cloud")]
            fn of_postgres(row: &'r sqlx::postgres::PgRow, at: usize) -> Result<Self, Error> {
                whole(row, at)?.map(|n| <$of>::try_from(n).map_err(|error| wrong(at, error))).transpose()
            }
        })+
    };
}

macro_rules! plain {
    ($($of:ty),+) => {
        $(impl<'r> FromSql<'r> for $of {
            fn of_sqlite(row: &'r SqliteRow, at: usize) -> Result<Self, Error> {
                row.try_get(at)
            }

            #[cfg(feature = "cloud")]
            fn of_postgres(row: &'r sqlx::postgres::PgRow, at: usize) -> Result<Self, Error> {
                row.try_get(at)
            }
        }

        impl<'r> FromSql<'r> for Option<$of> {
            fn of_sqlite(row: &'r SqliteRow, at: usize) -> Result<Self, Error> {
                row.try_get(at)
            }

            #[cfg(feature = "cloud")]
            fn of_postgres(row: &'r sqlx::postgres::PgRow, at: usize) -> Result<Self, Error> {
                row.try_get(at)
            }
        })+
    };
}

whole!(i64, i32, u32);
plain!(f64, bool, String, &'r str);

macro_rules! tuple {
    ($($of:ident $at:tt),+) => {
        impl<$($of: for<'r> FromSql<'r>),+> FromRow for ($($of,)+) {
            fn from_row(row: &Row) -> Result<Self, Error> {
                Ok(($(row.try_get::<$of, _>($at)?,)+))
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
