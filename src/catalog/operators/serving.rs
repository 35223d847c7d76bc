//! Tables of what the machine did and what it holds: sums over everybody, which need no group.

use super::{Kind, Table, Value, percent};
use crate::catalog::apply::sql_int;
use crate::catalog::rows::Cells;
use crate::catalog::sql;
use crate::catalog::{Catalog, CatalogError};
use crate::music::calendar::iso_date;

/// Settings with what a gigabyte costs.
const SENT: &str = "insights.price.sent";
const STORED: &str = "insights.price.stored";

/// What a gigabyte (10^9 bytes) costs, in whatever currency the operator pays.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prices {
    /// To send it.
    pub sent: f64,
    /// To store it for a month.
    pub stored: f64,
}

/// What a server did since it last wrote that down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served {
    /// Bytes of songs that left.
    pub bytes: u64,
    /// Answers that could have been kept.
    pub answers: u64,
    /// Those that were.
    pub answers_kept: u64,
    /// Conversions that were asked for.
    pub transcodes: u64,
    /// Those whose result was there.
    pub transcodes_kept: u64,
}

impl Catalog {
    /// What a gigabyte costs; 0 where nobody said.
    pub async fn prices(&self) -> Result<Prices, CatalogError> {
        let read = async |name| -> Result<f64, CatalogError> {
            Ok(self.setting(name).await?.and_then(|price| price.parse().ok()).unwrap_or(0.0))
        };
        Ok(Prices { sent: read(SENT).await?, stored: read(STORED).await? })
    }

    /// Sets what a gigabyte costs, as far as it is said.
    pub async fn set_prices(&self, sent: Option<f64>, stored: Option<f64>) -> Result<(), CatalogError> {
        for (name, price) in [(SENT, sent), (STORED, stored)] {
            let Some(price) = price else { continue };
            if !(0.0..=1e6).contains(&price) {
                return Err(CatalogError::Invalid("a price is a number from 0 to 1000000".to_owned()));
            }
            self.set_setting(name, &price.to_string()).await?;
        }
        Ok(())
    }

    /// Adds to what the server did on a day (since 1970, UTC).
    pub async fn add_served(&self, day: i64, served: Served) -> Result<(), CatalogError> {
        sql::query(
            "INSERT INTO served_days (day, bytes, answers, answers_kept, transcodes, transcodes_kept) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (day) DO UPDATE SET bytes = served_days.bytes + excluded.bytes, \
             answers = served_days.answers + excluded.answers, \
             answers_kept = served_days.answers_kept + excluded.answers_kept, \
             transcodes = served_days.transcodes + excluded.transcodes, \
             transcodes_kept = served_days.transcodes_kept + excluded.transcodes_kept",
        )
        .bind(day)
        .bind(sql_int(served.bytes))
        .bind(sql_int(served.answers))
        .bind(sql_int(served.answers_kept))
        .bind(sql_int(served.transcodes))
        .bind(sql_int(served.transcodes_kept))
        .execute(self.writer())
        .await?;
        Ok(())
    }
}

/// A sum of money, to the cent and a hundredth of it.
fn cost(bytes: u64, price: f64) -> Value {
    if price > 0.0 { Value::Real((bytes as f64 / 1e9 * price * 1e4).round() / 1e4) } else { Value::Nothing }
}

/// By day: what left, and how much of it had been made before.
pub(super) async fn days(
    conn: &mut sql::Connection,
    scope: super::Scope,
    prices: Prices,
) -> Result<Table, CatalogError> {
    let about = "What the server sent, and how often an answer or a conversion had been kept from before. It says nothing \
                 of single listeners.";
    let columns = [
        ("day", "Day", Kind::Text),
        ("bytes", "Bytes", Kind::Whole),
        ("cost", "Cost", Kind::Real),
        ("answers", "Answers", Kind::Whole),
        ("answers_kept_percent", "Kept %", Kind::Whole),
        ("transcodes", "Conversions", Kind::Whole),
        ("transcodes_kept_percent", "Kept %", Kind::Whole),
    ];
    let mut table = Table::new("served", "Served", about, &columns);
    let rows = sql::query(
        "SELECT day, bytes, answers, answers_kept, transcodes, transcodes_kept FROM served_days \
         WHERE day >= $1 AND day < $2 ORDER BY day",
    )
    .bind(scope.since)
    .bind(scope.until)
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        let mut c = Cells::of(row);
        let day: i64 = c.get()?;
        let mut number = || -> Result<u64, sql::Error> { Ok(c.number()?.unwrap_or(0)) };
        let (bytes, answers, kept) = (number()?, number()?, number()?);
        let (transcodes, transcodes_kept) = (number()?, number()?);
        table.rows.push(vec![
            Value::Text(iso_date(day)),
            Value::Whole(sql_int(bytes)),
            cost(bytes, prices.sent),
            Value::Whole(sql_int(answers)),
            percent(kept, answers),
            Value::Whole(sql_int(transcodes)),
            percent(transcodes_kept, transcodes),
        ]);
    }
    Ok(table)
}

/// What the library takes.
pub(super) async fn storage(conn: &mut sql::Connection, prices: Prices) -> Result<Table, CatalogError> {
    let about = "Files of the library by their format, now, and what a month of storing them costs.";
    let columns = [
        ("format", "Format", Kind::Text),
        ("bytes", "Bytes", Kind::Whole),
        ("tracks", "Tracks", Kind::Whole),
        ("cost", "Cost a month", Kind::Real),
    ];
    let mut table = Table::new("storage", "Storage", about, &columns);
    let rows = sql::query(
        "SELECT suffix, CAST(SUM(size) AS BIGINT), COUNT(*) FROM tracks GROUP BY suffix ORDER BY 2 DESC, 1",
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        let mut c = Cells::of(row);
        let format: String = c.get()?;
        let (bytes, tracks): (u64, u64) = (c.number()?.unwrap_or(0), c.number()?.unwrap_or(0));
        table.rows.push(vec![
            Value::Text(format),
            Value::Whole(sql_int(bytes)),
            Value::Whole(sql_int(tracks)),
            cost(bytes, prices.stored),
        ]);
    }
    Ok(table)
}
