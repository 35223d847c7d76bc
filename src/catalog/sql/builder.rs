//! A statement that is put together from parts.

use sqlx::AssertSqlSafe;

use super::query::QueryAs;
use super::{Arg, Bind, FromRow, query_as};

/// Text and values side by side. What is [`push`](Self::push)ed must come from this program, never from anybody else.
#[derive(Debug)]
pub(in crate::catalog) struct Builder {
    text: String,
    args: Vec<Arg>,
}

impl Builder {
    /// A statement that begins so.
    pub(in crate::catalog) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), args: Vec::new() }
    }

    /// Goes on with a text.
    pub(in crate::catalog) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Goes on with a value.
    pub(in crate::catalog) fn push_bind(&mut self, value: impl Bind) -> &mut Self {
        use std::fmt::Write as _;
        self.args.push(value.arg());
        let _ = write!(self.text, "${}", self.args.len());
        self
    }

    /// The whole.
    pub(in crate::catalog) fn build_query_as<T: FromRow>(self) -> QueryAs<T> {
        self.args.into_iter().fold(query_as(AssertSqlSafe(self.text)).persistent(false), QueryAs::bind)
    }
}
