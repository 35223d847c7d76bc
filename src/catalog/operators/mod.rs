//! What an operator may know of the listening on a server: sums over groups, never a person.
//!
//! Three rules hold for everything here that is about people. Only who agreed to it ([`Purpose::Analytics`]) is counted. A row
//! rests on at least so many listeners as the smallest group has ([`Ask::minimum`], never below [`SMALLEST`]); others are
//! left out, as if nothing had been. Counts are given in whole steps of that size, so that two reports that differ by one
//! person rarely differ at all. What the machine did (bytes, answers, storage) is summed over everybody and needs no group.
//! Days are those of UTC.
//!
//! A report is a list of tables, which are shown, written as CSV and Parquet and sent over the wire alike. A further table
//! is one more function that gives a [`Table`], in the list of [`Catalog::report`].

mod ads;
mod listening;
mod misses;
mod serving;

use serde::{Deserialize, Serialize};

pub use misses::Miss;
pub use serving::{Prices, Served};

use super::{Catalog, CatalogError};
use crate::catalog::sql;
use crate::music::Purpose;
use crate::music::calendar::DAY_MS;

/// The smallest group that is ever shown.
pub const SMALLEST: u64 = 5;

/// The setting with the smallest group of this server.
const MINIMUM: &str = "insights.minimum";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Words, or a date as `2026-11-24`.
    Text,
    /// A whole number.
    Whole,
    /// Any number.
    Real,
}

impl Kind {
    /// Its word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Whole => "whole",
            Self::Real => "real",
        }
    }

    /// What such a word means; text for any other.
    pub fn of(word: &str) -> Self {
        match word {
            "whole" => Self::Whole,
            "real" => Self::Real,
            _ => Self::Text,
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name in files.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it holds.
    pub kind: Kind,
}

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// None, or none that may be shown.
    Nothing,
    /// A whole number.
    Whole(i64),
    /// Any number.
    Real(f64),
    /// Words.
    Text(String),
}

impl Value {
    /// As text; empty for nothing.
    pub fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Whole(n) => n.to_string(),
            Self::Real(n) => format!("{n:.2}"),
            Self::Text(text) => text.clone(),
        }
    }

    /// As a number; 0 for what is none.
    pub fn number(&self) -> f64 {
        match self {
            Self::Whole(n) => *n as f64,
            Self::Real(n) => *n,
            Self::Nothing | Self::Text(_) => 0.0,
        }
    }

    /// What a text means in a column of this kind.
    pub fn read(text: &str, kind: Kind) -> Self {
        match kind {
            _ if text.is_empty() => Self::Nothing,
            Kind::Text => Self::Text(text.to_owned()),
            Kind::Whole => text.parse().map_or(Self::Nothing, Self::Whole),
            Kind::Real => text.parse().map_or(Self::Nothing, Self::Real),
        }
    }
}

/// One table of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name in files.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// One sentence on what is counted.
    pub about: String,
    /// Whether its rows follow each other in time.
    pub in_time: bool,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with a value for every column.
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// A table without rows. Columns are name, title and kind.
    fn new(name: &str, title: &str, about: &str, columns: &[(&str, &str, Kind)]) -> Self {
        let column = |(name, title, kind): &(&str, &str, Kind)| Column {
            name: (*name).to_owned(),
            title: (*title).to_owned(),
            kind: *kind,
        };
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            about: about.to_owned(),
            in_time: columns.first().is_some_and(|(name, ..)| matches!(*name, "day" | "week" | "month")),
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
        }
    }
}

/// What is asked of a server's listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The first day, since 1970.
    pub since: i64,
    /// The day after the last one.
    pub until: i64,
    /// The smallest group; what the server keeps where there is none.
    pub minimum: Option<u64>,
}

/// What the server tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The first day, since 1970.
    pub since: i64,
    /// The day after the last one.
    pub until: i64,
    /// The smallest group.
    pub minimum: u64,
    /// Why there is little to see, if there is.
    pub note: Option<String>,
    /// The tables.
    pub tables: Vec<Table>,
}

/// Who agreed to be counted: `$1` is the purpose's word, `$2` the version of its text.
macro_rules! people {
    () => {
        "people AS (SELECT a.id AS id FROM accounts a JOIN consents c ON c.account_id = a.id AND c.purpose = $1 \
         WHERE c.given = TRUE AND c.version >= $2 AND NOT EXISTS (SELECT 1 FROM consents d WHERE d.account_id = c.account_id \
         AND d.purpose = c.purpose AND d.sequence > c.sequence))"
    };
}

use people;

/// What every statement about people is asked with.
#[derive(Debug, Clone, Copy)]
struct Scope {
    since: i64,
    until: i64,
    k: u64,
}

impl Scope {
    /// A statement with `$1` to `$5` bound: who is counted (see [`people`]), from and to in Unix ms, the smallest group.
    fn ask(self, sql: &'static str) -> super::bulk::Statement {
        self.ask_between(sql, self.since, self.until)
    }

    /// The same for other days.
    fn ask_between(self, sql: &'static str, since: i64, until: i64) -> super::bulk::Statement {
        sql::query(sql)
            .bind(Purpose::Analytics.word())
            .bind(i64::from(Purpose::TEXT_VERSION))
            .bind(since * DAY_MS)
            .bind(until * DAY_MS)
            .bind(self.k.cast_signed())
    }

    /// A count in whole steps; nothing for less than one.
    fn step(self, count: u64) -> Value {
        match count - count % self.k {
            0 => Value::Nothing,
            count => Value::Whole(count.cast_signed()),
        }
    }
}

/// How much of something, in whole percent.
fn percent(part: u64, all: u64) -> Value {
    match all {
        0 => Value::Nothing,
        all => Value::Whole(((part * 100 + all / 2) / all).cast_signed()),
    }
}

impl Catalog {
    /// The smallest group that this server shows.
    pub async fn smallest_group(&self) -> Result<u64, CatalogError> {
        let kept = self.setting(MINIMUM).await?.and_then(|kept| kept.parse().ok());
        Ok(kept.unwrap_or(SMALLEST).max(SMALLEST))
    }

    /// Sets the smallest group; a number below [`SMALLEST`] is refused.
    pub async fn set_smallest_group(&self, minimum: u64) -> Result<(), CatalogError> {
        if minimum < SMALLEST {
            return Err(CatalogError::Invalid(format!(
                "the smallest group cannot be smaller than {SMALLEST} listeners"
            )));
        }
        self.set_setting(MINIMUM, &minimum.to_string()).await
    }

    /// Everything that an operator may know of these days; `today` is the day since 1970, by which what is over is counted.
    pub async fn report(&self, ask: Ask, today: i64) -> Result<Report, CatalogError> {
        if ask.since >= ask.until {
            return Err(CatalogError::Invalid("the first day comes after the last one".to_owned()));
        }
        self.settle_misses(today).await?;
        let k = ask.minimum.unwrap_or(0).max(self.smallest_group().await?);
        let scope = Scope { since: ask.since, until: ask.until, k };
        let prices = self.prices().await?;
        let ads = ads::table(self, scope, today).await?;
        let mut conn = self.whole().stale().acquire().await?;
        let people = listening::people(&mut conn, scope).await?;
        let note = (people < k).then(|| {
            format!(
                "Fewer than {k} listeners of this server agreed to be counted, so there is nothing to tell of what is \
                 listened to: a smaller group could be recognised. Each listener decides, under “{}”.",
                Purpose::Analytics.title()
            )
        });
        let mut tables = listening::tables(&mut conn, scope).await?;
        tables.push(ads);
        drop(conn);
        // These were written down a moment ago.
        let mut conn = self.all.acquire().await?;
        tables.push(misses::table(&mut conn, scope).await?);
        tables.push(serving::days(&mut conn, scope, prices).await?);
        tables.push(serving::storage(&mut conn, prices).await?);
        Ok(Report { since: ask.since, until: ask.until, minimum: k, note, tables })
    }
}
