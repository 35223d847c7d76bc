//! Values that a statement is given.

use std::borrow::Cow;

use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;

/// A value for a statement. Empty ones keep their type, which PostgreSQL wants to know.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::catalog) enum Arg {
    /// BIGINT.
    Int(Option<i64>),
    /// DOUBLE PRECISION.
    Real(Option<f64>),
    /// BOOLEAN.
    Bool(Option<bool>),
    /// TEXT.
    Text(Option<String>),
    /// A number that no BIGINT holds: the statement fails.
    TooLarge(u64),
}

/// What can be bound to a statement.
pub(in crate::catalog) trait Bind: Sized {
    /// The value.
    fn arg(self) -> Arg;
    /// The type without a value.
    fn null() -> Arg;
}

macro_rules! bind {
    ($kind:ident: $($of:ty = $how:expr),+ $(,)?) => {
        $(impl Bind for $of {
            fn arg(self) -> Arg {
                let how: fn(Self) -> _ = $how;
                Arg::$kind(Some(how(self)))
            }

            fn null() -> Arg {
                Arg::$kind(None)
            }
        })+
    };
}

bind!(Int: i64 = |n| n, i32 = i64::from, u32 = i64::from, u16 = i64::from, u8 = i64::from);
bind!(Real: f64 = |n| n, f32 = f64::from);
bind!(Bool: bool = |is| is);
bind!(Text: String = |text| text, &str = str::to_owned, Cow<'_, str> = Cow::into_owned);

impl Bind for u64 {
    fn arg(self) -> Arg {
        i64::try_from(self).map_or(Arg::TooLarge(self), |n| Arg::Int(Some(n)))
    }

    fn null() -> Arg {
        Arg::Int(None)
    }
}

impl<T: Bind> Bind for Option<T> {
    fn arg(self) -> Arg {
        self.map_or_else(T::null, T::arg)
    }

    fn null() -> Arg {
        T::null()
    }
}

impl<T: Bind + Clone> Bind for &T {
    fn arg(self) -> Arg {
        self.clone().arg()
    }

    fn null() -> Arg {
        T::null()
    }
}

impl Bind for Arg {
    fn arg(self) -> Arg {
        self
    }

    fn null() -> Arg {
        Self::Text(None)
    }
}

fn too_large(n: u64) -> BoxDynError {
    format!("{n} is too large for a BIGINT").into()
}

/// As SQLite takes them.
pub(super) fn for_sqlite(args: Vec<Arg>) -> Result<SqliteArguments, BoxDynError> {
    use sqlx::Arguments as _;
    let mut all = SqliteArguments::default();
    all.reserve(args.len(), 0);
    for arg in args {
        match arg {
            Arg::Int(n) => all.add(n)?,
            Arg::Real(n) => all.add(n)?,
            Arg::Bool(is) => all.add(is)?,
            Arg::Text(text) => all.add(text)?,
            Arg::TooLarge(n) => return Err(too_large(n)),
        }
    }
    Ok(all)
}

/// A text as PostgreSQL's TEXT can hold it, which knows no NUL. It is not left out: a name with one is another name.
pub(in crate::catalog) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// As PostgreSQL takes them.
#[cfg(feature = "cloud")]
pub(super) fn for_postgres(args: Vec<Arg>) -> Result<sqlx::postgres::PgArguments, BoxDynError> {
    use sqlx::Arguments as _;
    let mut all = sqlx::postgres::PgArguments::default();
    all.reserve(args.len(), args.len() * 16);
    for arg in args {
        match arg {
            Arg::Int(n) => all.add(n)?,
            Arg::Real(n) => all.add(n)?,
            Arg::Bool(is) => all.add(is)?,
            Arg::Text(Some(text)) if text.contains('\0') => all.add(without_nul(&text))?,
            Arg::Text(text) => all.add(text)?,
            Arg::TooLarge(n) => return Err(too_large(n)),
        }
    }
    Ok(all)
}
