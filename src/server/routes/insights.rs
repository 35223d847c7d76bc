//! What an administrator may know of the listening (extension `segueInsights`).

use jiff::Timestamp;

use super::super::tally;
use super::{Call, Refusal, Said};
use crate::catalog::{Ask, Table};
use crate::music::calendar::{DAY_MS, iso_date, parse_date};
use crate::subsonic::insights::{InsightsCell, InsightsColumn, InsightsRow, InsightsTable, OperatorInsights};
use crate::subsonic::{Body, ErrorCode};

/// Days of a report where nobody says: four weeks.
const DAYS: i64 = 28;

/// The tables of a period, `since` and `until` its first and last day; for administrators alone.
pub(super) async fn report(call: &Call<'_>) -> Said {
    call.administers()?;
    let today = Timestamp::now().as_millisecond().div_euclid(DAY_MS);
    let until = day(call, "until")?.unwrap_or(today) + 1;
    let since = day(call, "since")?.unwrap_or(until - DAYS);
    if since >= until {
        let why = "the parameter “since” is a day before “until”, or the same";
        return Err(Refusal::new(ErrorCode::Generic, why));
    }
    // A larger group than the server's own may be asked for, a smaller one not.
    let minimum = call.params.parsed("minimum")?;
    tally::write(call.shared).await;
    let report = call.shared.catalog.report(Ask { since, until, minimum }, today).await?;
    Ok(Body::OperatorInsights(OperatorInsights {
        since: iso_date(report.since),
        until: iso_date(report.until - 1),
        minimum: report.minimum,
        note: report.note,
        table: report.tables.into_iter().map(table).collect(),
    })
    .into())
}

fn day(call: &Call<'_>, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = call.params.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let wrong =
        || Refusal::new(ErrorCode::Generic, format!("the parameter “{name}” is a date such as 2026-11-24"));
    parse_date(text).map(Some).ok_or_else(wrong)
}

fn table(table: Table) -> InsightsTable {
    let column = |column: crate::catalog::Column| InsightsColumn {
        name: column.name,
        title: column.title,
        kind: column.kind.word().to_owned(),
    };
    let cell = |value: &crate::catalog::Value| InsightsCell {
        value: Some(value.text()).filter(|text| !text.is_empty()),
    };
    InsightsTable {
        name: table.name,
        title: table.title,
        about: table.about,
        in_time: table.in_time,
        column: table.columns.into_iter().map(column).collect(),
        row: table.rows.iter().map(|row| InsightsRow { cell: row.iter().map(cell).collect() }).collect(),
    }
}
