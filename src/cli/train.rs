//! `segue train`: what a server learns from everybody.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::CliError;
use super::args::Data;
use crate::catalog::{Catalog, Database};
use crate::mixing::{self, Beyond, Lesson};
use crate::server::lake::Place;
use crate::server::refresh_all;

/// What is learned from.
#[derive(Debug, Args)]
pub(super) struct Train {
    /// Where the server's data is.
    #[command(flatten)]
    data: Data,
    /// Learn from plays that were exported to a folder or a store, in the place of the catalog's
    #[arg(long, value_name = "PLACE")]
    plays: Option<PathBuf>,
    /// Blend with factors that Spark trained, from a folder or a store with a manifest.json
    #[arg(long, value_name = "PLACE", env = "SEGUE_FACTORS")]
    factors: Option<PathBuf>,
}

/// Opens the catalog of a server's data, which must be there.
pub(super) async fn open(data: &Data) -> Result<Catalog, CliError> {
    let place = data.place()?;
    if let Database::File(file) = &place
        && !file.is_file()
    {
        let folder = file.parent().unwrap_or(file);
        let no_data = format!("there is no server's data in {}: `segue serve` makes it", folder.display());
        return Err(CliError::Wrong(no_data));
    }
    Ok(Catalog::open_at(&place).await?)
}

/// Learns from everybody's plays, prints what was tried, and makes the mixes of all accounts. Interrupted at any moment, it
/// leaves whole mixes behind: the old ones or the new ones of each account.
pub(super) async fn train(wanted: Train) -> Result<ExitCode, CliError> {
    let catalog = open(&wanted.data).await?;
    let place =
        |path: &Option<PathBuf>| path.as_deref().map(Place::open).transpose().map_err(CliError::Wrong);
    let (plays, factors) = (place(&wanted.plays)?, place(&wanted.factors)?);
    let began = Instant::now();
    let begun = |lesson: Lesson| {
        println!(
            "{} listeners, {} tracks, {} pairs of them; takes at most {:.0} MB",
            lesson.listeners,
            lesson.tracks,
            lesson.pairs,
            lesson.bytes() as f64 / 1e6
        );
    };
    let work = async {
        let plays = match plays {
            Some(place) => Some(place.plays(&catalog.withheld().await?).await?),
            None => None,
        };
        let factors =
            match factors {
                Some(place) => Some(place.factors(None).await?.ok_or_else(|| {
                    CliError::Wrong(format!("there is no manifest.json in {}", place.name()))
                })?),
                None => None,
            };
        if let Some(factors) = &factors {
            let (many, rank) = (factors.tracks.len(), factors.rank);
            println!("factors of {} for {many} tracks, {rank} numbers each", factors.made);
        }
        let beyond = Beyond { plays, factors: factors.as_ref() };
        let trained = mixing::train_beyond(&catalog, beyond, 0, begun).await?;
        if let Some(crowd) = &trained.model {
            print!("{}", crowd.model().table());
        } else {
            println!("Nobody has played anything yet: the mixes are of the library alone.");
        }
        println!("trained in {:.1} s", began.elapsed().as_secs_f64());
        let told = |done: usize, all: usize| {
            if done == all || done.is_multiple_of(100) {
                println!("mixes of {done} of {all} accounts are up to date");
            }
        };
        for account in catalog.accounts().await? {
            catalog.listener(&account.id).let_mixes_age().await?;
        }
        Ok::<_, CliError>(refresh_all(&catalog, trained.model.map(Arc::new), told).await?)
    };
    tokio::select! {
        done = work => {
            println!("{} accounts have new mixes", done?);
            Ok(ExitCode::SUCCESS)
        }
        _ = tokio::signal::ctrl_c() => {
            println!("Interrupted; what was made is kept.");
            Ok(ExitCode::FAILURE)
        }
    }
}
