//! Floor 3: the front door. Reads the command line and the configuration, puts the rooms together and runs one
//! command. Errors arrive here as one sentence each, are printed, and become an exit code.

mod account;
mod ads;
mod args;
mod cache;
mod cast;
pub mod config;
mod credentials;
mod ctl;
mod demo;
mod described;
mod desktop;
mod doctor;
mod headless;
mod import;
mod insights;
mod keyring;
mod listen;
mod log;
mod login;
mod look;
pub mod manual;
mod migrate;
mod mixer;
mod paths;
mod plans;
mod plays;
mod recorder;
mod remembered;
mod report;
mod rig;
mod screens;
mod scrobble;
mod serve;
mod tell;
mod train;
mod users;
mod year;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command, Listen};
use config::Settings;
use paths::Paths;

use crate::audio::DECODE_THREAD;

/// Why a command could not be carried out: one sentence with what to do.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The sentence.
    #[error("{0}")]
    Wrong(String),
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] crate::server::ServerError),
    /// The catalog could not do it.
    #[error(transparent)]
    Catalog(#[from] crate::catalog::CatalogError),
    /// The store could not do it.
    #[error(transparent)]
    Cache(#[from] crate::cache::CacheError),
    /// The other end could not do it.
    #[error(transparent)]
    Client(#[from] crate::subsonic::ClientError),
    /// The screen could not be drawn.
    #[error(transparent)]
    Screen(#[from] crate::tui::TuiError),
    /// The scan could not be done.
    #[error(transparent)]
    Scan(#[from] crate::server::scan::ScanError),
    /// The terminal or a pipe went away.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Runs what the command line asks for.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            // Nothing can be done about a closed terminal here.
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    quiet_fences();
    match start(cli) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("segue: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Parsers of foreign files run behind fences that catch a panic and report the file; the panic itself is for the log.
fn quiet_fences() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let decoding = std::thread::current().name() == Some(DECODE_THREAD);
        if decoding || crate::server::scan::in_fence() {
            tracing::info!("a parser gave up: {info}");
        } else {
            before(info);
        }
    }));
}

fn start(cli: Cli) -> Result<ExitCode, CliError> {
    if matches!(cli.command, Some(Command::Play { detached: true, .. })) {
        headless::detach();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 4)))
        .enable_all()
        .build()?;
    let result = runtime.block_on(dispatch(cli));
    // Nothing that still waits (a read of standard input, a dead server) may hold the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    result
}

async fn dispatch(cli: Cli) -> Result<ExitCode, CliError> {
    let Cli { command, listen } = cli;
    match command {
        Some(Command::Serve(options)) => serve::serve(listen.music, options).await,
        Some(Command::Scan { data, hear }) => serve::scan(listen.music, &data, hear).await,
        Some(Command::Backup { data, to, keep }) => serve::back_up(&data, &to, keep).await,
        Some(Command::Restore { data, from }) => serve::restore(&from, &data).await,
        Some(Command::Train(wanted)) => train::train(wanted).await,
        Some(Command::Plays(wanted)) => plays::run(wanted).await,
        Some(Command::Insights(wanted)) => insights::run(wanted).await,
        Some(Command::Year { year, html, svg }) => {
            let settings = settings_aloud(&listen)?;
            year::run(&settings, &paths()?, year::Wanted { year, html, svg }).await
        }
        Some(Command::Import(wanted)) => import::run(&listen, wanted).await,
        Some(Command::Account { action }) => account::run(action).await,
        Some(Command::Users { data, database, action }) => {
            users::run(&plans::named(data, database)?, action).await
        }
        Some(Command::Migrate(wanted)) => migrate::run(wanted).await,
        Some(Command::Plans(wanted)) => plans::run(wanted).await,
        Some(Command::Ads(wanted)) => ads::run(wanted).await,
        Some(Command::Login { file, forget }) => {
            login::login(&settings(&listen)?.0, &paths()?, login::Way { file, forget })
        }
        Some(Command::Play { words, resume, detached, device }) => {
            let settings = settings_aloud(&listen)?;
            let what = if let Some(name) = device {
                headless::What::Device(name)
            } else if resume {
                headless::What::Resume { detached }
            } else {
                headless::What::Words(words.join(" "))
            };
            headless::play(&settings, &listen.music, &paths()?, &what).await
        }
        Some(Command::Ctl { words, json, format }) => {
            ctl::run(&paths()?, &words, &ctl::Print { json, format }).await
        }
        Some(Command::Devices) => {
            for name in crate::audio::Output::devices() {
                println!("{name}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Search { words, json }) => {
            let settings = settings_aloud(&listen)?;
            listen::search(&settings, &listen.music, &paths()?, &words.join(" "), json).await
        }
        Some(Command::Doctor { json }) => doctor::run(&listen, json).await,
        Some(Command::BugReport { file }) => report::run(&listen, file.as_deref()).await,
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Cli::command(), "segue", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Man) => {
            clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Scrobble { action }) => {
            let settings = settings_aloud(&listen)?;
            scrobble::run(&settings, &paths()?, action).await
        }
        Some(Command::Pin(what)) => {
            let settings = settings_aloud(&listen)?;
            cache::pin(&settings, &listen.music, &paths()?, what).await
        }
        Some(Command::Sync) => {
            let settings = settings_aloud(&listen)?;
            cache::sync(&settings, &listen.music, &paths()?).await
        }
        Some(Command::Cache { action }) => {
            let settings = settings_aloud(&listen)?;
            cache::look_after(&settings, &paths()?, &action)
        }
        None => {
            let (settings, mistakes) = settings(&listen)?;
            listen::open(&settings, &listen.music, &paths()?, mistakes, listen.written()).await
        }
    }
}

fn report(mistakes: &[String]) {
    for mistake in mistakes {
        eprintln!("segue: {mistake}");
    }
}

/// For commands without a screen: mistakes go to standard error at once.
fn settings_aloud(listen: &Listen) -> Result<Settings, CliError> {
    let (settings, mistakes) = settings(listen)?;
    log::trouble_to_stderr();
    report(&mistakes);
    Ok(settings)
}

fn paths() -> Result<Paths, CliError> {
    Paths::of_this_user().ok_or_else(|| {
        CliError::Wrong("there is no home folder: set HOME to a folder that can be written to".into())
    })
}

/// Defaults, file, environment and command line, in this order; with one sentence for each mistake.
fn settings(listen: &Listen) -> Result<(Settings, Vec<String>), CliError> {
    let (mut settings, mistakes) = Settings::load(&paths()?.config_file(), |key| std::env::var_os(key));
    if let Some(name) = &listen.profile {
        settings = settings.with_profile(name).map_err(CliError::Wrong)?;
    }
    settings.server = listen.server.clone().or(settings.server);
    settings.user = listen.user.clone().or(settings.user);
    settings.output = listen.output.clone().unwrap_or(settings.output);
    settings.ascii |= listen.ascii;
    settings.reduced_motion |= listen.reduced_motion;
    settings.plain |= listen.plain;
    settings.private |= listen.private;
    Ok((settings, mistakes))
}
