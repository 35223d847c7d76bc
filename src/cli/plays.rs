//! `segue plays`: plays on their way to engines beyond this machine.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::args::Data;
use super::train::open;
use super::{CliError, log};
use crate::music::counted;
use crate::server;
use crate::server::lake::Place;

/// Plays of a server.
#[derive(Debug, Args)]
pub(super) struct Plays {
    /// What to do
    #[command(subcommand)]
    action: Action,
}

/// What can be done with plays.
#[derive(Debug, Subcommand)]
enum Action {
    /// Write what is new into a store as Parquet, a folder for each day, and take out of it who opted out or was erased
    Export {
        /// Where the server's data is.
        #[command(flatten)]
        data: Data,
        /// A folder, or a store: `az://CONTAINER/PREFIX`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`
        #[arg(long = "plays-store", value_name = "PLACE", env = "SEGUE_PLAYS_STORE")]
        place: PathBuf,
        /// Days that plays are kept there; 0 for good
        #[arg(long = "keep-plays", value_name = "DAYS", env = "SEGUE_KEEP_PLAYS", default_value_t = 0)]
        keep: u32,
    },
    /// Say where plays were exported to, how many, and when
    Status {
        /// Where the server's data is.
        #[command(flatten)]
        data: Data,
    },
}

/// Where plays of a server go, and where factors come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plays at volume")]
pub(super) struct Lakes {
    /// Folder or store to which plays are exported as Parquet: a folder, `az://…`, `s3://…`, `gs://…`
    #[arg(long, value_name = "PLACE", env = "SEGUE_PLAYS_STORE")]
    plays_store: Option<PathBuf>,
    /// Minutes between two exports
    #[arg(long, value_name = "MINUTES", env = "SEGUE_EXPORT_EVERY", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=10_080))]
    export_every: u64,
    /// Folder or store with factors that Spark trained; new ones are blended in when they appear
    #[arg(long, value_name = "PLACE", env = "SEGUE_FACTORS")]
    factors: Option<PathBuf>,
}

impl Lakes {
    /// The same as the server has it.
    pub(super) fn read(self) -> server::Lakes {
        let every = std::time::Duration::from_mins(self.export_every);
        server::Lakes { plays: self.plays_store, factors: self.factors, every }
    }
}

/// Does what is asked.
pub(super) async fn run(wanted: Plays) -> Result<ExitCode, CliError> {
    log::trouble_to_stderr();
    match wanted.action {
        Action::Export { data, place, keep } => {
            let catalog = open(&data).await?;
            let place = Place::open(&place).map_err(CliError::Wrong)?;
            let now = jiff::Timestamp::now().as_millisecond();
            let done = place.export(&catalog, now, keep).await?;
            println!(
                "{} in {} exported to {}",
                counted(done.plays, "play"),
                counted(done.files, "file"),
                place.name()
            );
            if done.rewritten > 0 {
                println!("{} written anew without those who left", counted(done.rewritten, "file"));
            }
            if done.expired > 0 {
                println!("{} removed, since their days are over", counted(done.expired, "file"));
            }
        }
        Action::Status { data } => {
            let all = open(&data).await?.exported().await?;
            if all.is_empty() {
                println!("No plays were exported yet.");
            }
            for to in all {
                let at = jiff::Timestamp::from_millisecond(to.at).unwrap_or_default();
                println!("{}  {}, last at {}", to.store, counted(to.plays, "play"), at.strftime("%F %T UTC"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
