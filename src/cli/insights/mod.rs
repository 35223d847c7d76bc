//! `segue insights`: what an operator may know of the listening on a server, printed, as JSON, CSV or Parquet.

#[cfg(feature = "cloud")]
mod parquet;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::{Map, json};

use super::args::Insights;
use super::{CliError, log, train};
use crate::catalog::{Ask, Kind, Report, Table, Value};
use crate::music::calendar::{DAY_MS, iso_date, parse_date};
use crate::music::printable;

/// Days of a report where nobody says: four weeks.
const DAYS: i64 = 28;
/// Rows of a table that are printed.
const PRINTED: usize = 20;

/// Makes the report of a server whose data is here, whether it runs or not.
pub(super) async fn run(wanted: Insights) -> Result<ExitCode, CliError> {
    log::trouble_to_stderr();
    let today = Timestamp::now().as_millisecond().div_euclid(DAY_MS);
    let day = |text: &Option<String>, otherwise| match text {
        None => Ok(otherwise),
        Some(text) => parse_date(text)
            .ok_or_else(|| CliError::Wrong(format!("“{text}” is no date: write it as {}", iso_date(today)))),
    };
    let until = day(&wanted.until, today)? + 1;
    let since = day(&wanted.since, until - DAYS)?;
    if since >= until {
        return Err(CliError::Wrong("--since comes after --until".into()));
    }
    let catalog = train::open(&wanted.data).await?;
    if let Some(minimum) = wanted.minimum {
        catalog.set_smallest_group(minimum).await?;
    }
    catalog.set_prices(wanted.price_per_gb, wanted.storage_price_per_gb).await?;
    let report = catalog.report(Ask { since, until, minimum: None }, today).await?;
    if let Some(folder) = &wanted.csv {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        for table in &report.tables {
            let file = folder.join(format!("{}.csv", table.name));
            write_csv(&file, table).map_err(|error| unwritable(&file, &error))?;
            println!("{}", file.display());
        }
    }
    if let Some(folder) = &wanted.parquet {
        as_parquet(folder, &report)?;
    }
    if wanted.json {
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &as_json(&report)).map_err(io::Error::from)?;
        writeln!(out)?;
    } else if wanted.csv.is_none() && wanted.parquet.is_none() {
        print!("{}", as_text(&report));
    }
    Ok(ExitCode::SUCCESS)
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> CliError {
    CliError::Wrong(format!("{} cannot be written: {error}", path.display()))
}

#[cfg(feature = "cloud")]
fn as_parquet(folder: &Path, report: &Report) -> Result<(), CliError> {
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    for table in &report.tables {
        let file = folder.join(format!("{}.parquet", table.name));
        parquet::write(&file, table).map_err(|error| unwritable(&file, &error))?;
        println!("{}", file.display());
    }
    Ok(())
}

#[cfg(not(feature = "cloud"))]
fn as_parquet(_folder: &Path, _report: &Report) -> Result<(), CliError> {
    Err(CliError::Wrong(
        "this build cannot write Parquet: build it with `--features cloud`, or use --csv".into(),
    ))
}

/// One table as CSV (RFC 4180): a row of names, then its rows. What a spreadsheet would take for a formula gets an apostrophe
/// before it, since titles come from files of strangers.
fn write_csv(file: &Path, table: &Table) -> Result<(), csv::Error> {
    let mut out = csv::Writer::from_path(file)?;
    out.write_record(table.columns.iter().map(|column| column.name.as_str()))?;
    for row in &table.rows {
        let cell = |value: &Value| match value {
            Value::Text(text) => {
                let text = printable(text);
                if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
            }
            Value::Real(n) => n.to_string(),
            other => other.text(),
        };
        out.write_record(row.iter().map(cell))?;
    }
    out.flush()?;
    Ok(())
}

fn as_json(report: &Report) -> serde_json::Value {
    let table = |table: &Table| {
        let row = |row: &Vec<Value>| -> Map<String, serde_json::Value> {
            table.columns.iter().zip(row).map(|(column, value)| (column.name.clone(), json!(value))).collect()
        };
        json!({
            "name": table.name,
            "title": table.title,
            "about": table.about,
            "rows": table.rows.iter().map(row).collect::<Vec<_>>(),
        })
    };
    json!({
        "since": iso_date(report.since),
        "until": iso_date(report.until - 1),
        "minimum": report.minimum,
        "note": report.note,
        "tables": report.tables.iter().map(table).collect::<Vec<_>>(),
    })
}

fn as_text(report: &Report) -> String {
    let mut out = format!(
        "{} to {}; nothing about listening rests on fewer than {} listeners\n",
        iso_date(report.since),
        iso_date(report.until - 1),
        report.minimum
    );
    if let Some(note) = &report.note {
        let _ = writeln!(out, "{note}");
    }
    for table in report.tables.iter().filter(|table| !table.rows.is_empty()) {
        let _ = write!(out, "\n{}: {}\n", table.title, table.about);
        let texts = |at: usize| {
            let cells = table.rows.iter().take(PRINTED).filter_map(move |row| row.get(at));
            cells.map(|cell| printable(&cell.text()).chars().count())
        };
        let widths: Vec<usize> = table
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| texts(at).max().unwrap_or(0).max(column.title.chars().count()).min(40))
            .collect();
        let mut line = |cells: Vec<String>| {
            let mut text = String::from(" ");
            for ((cell, width), column) in cells.iter().zip(&widths).zip(&table.columns) {
                let cell: String = cell.chars().take(*width).collect();
                let padded = if column.kind == Kind::Text {
                    format!(" {cell:<width$}")
                } else {
                    format!(" {cell:>width$}")
                };
                text.push_str(&padded);
            }
            out.push_str(text.trim_end());
            out.push('\n');
        };
        line(table.columns.iter().map(|column| column.title.clone()).collect());
        for row in table.rows.iter().take(PRINTED) {
            line(row.iter().map(|cell| printable(&cell.text())).collect());
        }
        if table.rows.len() > PRINTED {
            let _ = writeln!(out, "  and {} more: --csv and --json have all", table.rows.len() - PRINTED);
        }
    }
    out
}
