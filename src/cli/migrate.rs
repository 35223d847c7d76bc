//! `segue migrate`: a server's catalog into another database.

use std::process::ExitCode;
use std::time::Instant;

use super::CliError;
use super::args::Migrate;
use crate::catalog::{Catalog, MoveStep};

/// Rows between two lines of a table that is under way.
const TOLD: u64 = 100_000;

/// Moves or compares, telling how far it is. Interrupted at any moment, it goes on where it was when it is begun again.
pub(super) async fn run(wanted: Migrate) -> Result<ExitCode, CliError> {
    let (from, to) = (wanted.from.place()?, wanted.to.place()?);
    if from == to {
        return Err(CliError::Wrong("--from and --to name the same database".into()));
    }
    let began = Instant::now();
    let source = Catalog::open_to_read(&from).await?;
    let target =
        if wanted.verify { Catalog::open_to_read(&to).await? } else { Catalog::open_at(&to).await? };
    println!("from {from}\nto   {to}");
    let mut told = |step: MoveStep| match step {
        MoveStep::Copied(table) if table.rows > 0 && table.rows.is_multiple_of(TOLD) => {
            println!("{}: {} rows", table.table, table.rows);
        }
        MoveStep::Copied(_) => {}
        MoveStep::Compared(table) => {
            println!("{}: {} rows are the same on both sides, {}", table.table, table.rows, table.digest);
        }
    };
    let work = async {
        if wanted.verify {
            source.compare_with(&target, &mut told).await
        } else {
            source.move_to(&target, &mut told).await
        }
    };
    let tables = tokio::select! {
        tables = work => tables?,
        () = super::serve::told_to_end() => {
            println!("Interrupted: the same command goes on from here.");
            return Ok(ExitCode::FAILURE);
        }
    };
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    println!(
        "{} {rows} rows in {} tables; {:.1} s",
        if wanted.verify { "Compared" } else { "Moved and compared" },
        tables.len(),
        began.elapsed().as_secs_f64()
    );
    if !wanted.verify {
        println!(
            "Start the server with `--database` and the same `--data`: the key of app passwords and the audio of ads stay there."
        );
    }
    Ok(ExitCode::SUCCESS)
}
