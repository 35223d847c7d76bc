//! What a server tells its administrators.

use super::link::Link;
use crate::catalog::{Column, Kind, Report, Table, Value};
use crate::music::calendar::{iso_date, parse_date};
use crate::subsonic::insights::{InsightsTable, OperatorInsights};
use crate::subsonic::{ClientError, ErrorCode};

/// The report of these days, the second one left out. The error is a sentence: the server is away, is no Segue, or does not
/// tell this account.
pub(super) async fn report(link: &Link, (since, until): (i64, i64)) -> Result<Report, String> {
    if !link.is_up() {
        return Err("The server cannot be asked at this moment; its insights are not kept here.".to_owned());
    }
    if !link.extends("segueInsights").await {
        return Err("This server has no insights to tell: Segue's own servers have.".to_owned());
    }
    let answer = link.ask(link.client.insights(&iso_date(since), &iso_date(until - 1))).await;
    match answer {
        Ok(told) => Ok(read(told, since, until)),
        Err(ClientError::Api { code: ErrorCode::NotAuthorized, .. }) => {
            Err("Insights are for administrators of the server, and this account is none.".to_owned())
        }
        Err(error) => Err(format!("The server did not tell: {error}.")),
    }
}

fn read(told: OperatorInsights, since: i64, until: i64) -> Report {
    Report {
        since: parse_date(&told.since).unwrap_or(since),
        until: parse_date(&told.until).map_or(until, |day| day + 1),
        minimum: told.minimum,
        note: told.note,
        tables: told.table.into_iter().map(table).collect(),
    }
}

fn table(told: InsightsTable) -> Table {
    let columns: Vec<Column> = told
        .column
        .into_iter()
        .map(|column| Column { kind: Kind::of(&column.kind), name: column.name, title: column.title })
        .collect();
    let rows = told.row.into_iter().map(|row| {
        let mut cells: Vec<Value> = row
            .cell
            .iter()
            .zip(&columns)
            .map(|(cell, column)| Value::read(cell.value.as_deref().unwrap_or_default(), column.kind))
            .collect();
        cells.resize(columns.len(), Value::Nothing);
        cells
    });
    let rows = rows.collect();
    Table { name: told.name, title: told.title, about: told.about, in_time: told.in_time, columns, rows }
}
