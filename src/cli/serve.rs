//! The server's commands: `serve` and `scan`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::args::{Data, Serve, Where};
use super::{CliError, log};
use crate::analysis::Analyst;
use crate::catalog::{Catalog, Database};
use crate::server::backup;
use crate::server::scan::{ScanMode, Scanner, SplitRules};
use crate::server::storage::{Storage, is_store};
use crate::server::{
    Asked, Config, Jobs, Jukebox, Net, SCAN, Server, TlsFiles, Turn, World, catalog_file, from_storage,
};
use crate::taste::sonic::VERSION;

/// How often a long analysis says how far it is.
const TOLD: Duration = Duration::from_secs(5);

/// Runs the server until it is told to end (interrupt or terminate).
pub(super) async fn serve(music: Vec<PathBuf>, options: Serve) -> Result<ExitCode, CliError> {
    log::events_to_stderr(options.log_format);
    let music = folders(music)?;
    let tls = options.tls_cert.zip(options.tls_key).map(|(certificate, key)| TlsFiles { certificate, key });
    let scheme = if tls.is_some() { "https" } else { "http" };
    if tls.is_none() && options.trusted_proxy.is_empty() && !options.listen.ip().is_loopback() {
        eprintln!(
            "Passwords and music go over the network unencrypted: give --tls-cert and --tls-key, or put a proxy with https \
             before it (--trusted-proxy)."
        );
    }
    let grace = Duration::from_secs(options.grace);
    let drain = Duration::from_secs(options.drain);
    let net =
        Net { tls, trusted_proxies: options.trusted_proxy, grace, drain, most_streams: options.max_streams };
    let keep = options.keep.days();
    let stores = options.stores.read().map_err(CliError::Wrong)?;
    let jukebox = options.jukebox.as_deref().map(Jukebox::read).transpose()?;
    // An empty variable names none.
    let named = options.database_replica.iter().filter(|replica| !replica.is_empty());
    let replicas = named.map(Where::place).collect::<Result<_, _>>()?;
    let database = options.data.place()?.with_replicas(replicas).map_err(CliError::Wrong)?;
    let config = Config {
        music,
        database,
        data: options.data.data,
        listen: options.listen,
        watch: true,
        net,
        keep,
        stores,
    };
    if options.check {
        config.check()?;
        println!("The configuration is in order.");
        return Ok(ExitCode::SUCCESS);
    }
    let server = Server::start_in(config, World { jukebox, ..World::default() }).await?;
    if let Some(first) = server.first_account() {
        match &first.made_up_password {
            Some(password) => {
                println!(
                    "Account `{}` was made with the password {password}\nIt is not shown again.",
                    first.name
                );
            }
            None => println!("Account `{}` was made with the password from the environment.", first.name),
        }
    }
    println!("Segue serves on {scheme}://{}", server.addr());
    told_to_end().await;
    println!("Ending; running streams have {} s.", options.drain + options.grace);
    tokio::select! {
        () = server.shutdown() => {}
        () = told_to_end() => println!("Ending at once."),
    }
    Ok(ExitCode::SUCCESS)
}

fn folders(music: Vec<PathBuf>) -> Result<Vec<PathBuf>, CliError> {
    if music.is_empty() {
        return Err(CliError::Wrong("say where the music is: --music DIR".into()));
    }
    if let Some(missing) = music.iter().find(|d| !is_store(d) && !d.is_dir()) {
        return Err(CliError::Wrong(format!("{} is not a folder", missing.display())));
    }
    Ok(music)
}

/// Done when the process is told to end: interrupt or terminate.
#[cfg(unix)]
pub(super) async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Done when the process is told to end.
#[cfg(not(unix))]
pub(super) async fn told_to_end() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Copies a server's data.
pub(super) async fn back_up(data: &Data, to: &Path, days: u32) -> Result<ExitCode, CliError> {
    log::trouble_to_stderr();
    backup::make(&data.place()?, &data.data, to, days).await?;
    println!(
        "Copied and checked: {}. It holds passwords' hashes and the key: keep it as safe as the server.",
        to.display()
    );
    if days > 0 {
        println!("The server removes it after {days} days; `--keep-days 0` keeps it for good.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Brings a backup back.
pub(super) async fn restore(from: &Path, data: &Data) -> Result<ExitCode, CliError> {
    log::trouble_to_stderr();
    if let Database::Server(address) = data.place()? {
        let said = format!(
            "{address} cannot be replaced in one step: make an empty database, and fill it with \
             `segue migrate --from {} --to postgres://…`",
            catalog_file(from).display()
        );
        return Err(CliError::Wrong(said));
    }
    let data = &data.data;
    let aside = backup::restore(from, data).await?;
    println!("{} has the data of the backup.", data.display());
    if let Some(aside) = aside {
        println!("What was there before is in {}.", aside.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Scans the library once and reports; with `hear`, analyses the sound of what is new then.
pub(super) async fn scan(music: Vec<PathBuf>, data: &Data, hear: bool) -> Result<ExitCode, CliError> {
    log::trouble_to_stderr();
    let music = folders(music)?;
    let catalog = Catalog::open_at(&data.place()?).await?;
    let storage = Storage::open(&music).map_err(CliError::Wrong)?;
    let scanner = Scanner::new(catalog.clone(), music)
        .with_storage(&storage)
        .with_rules(&SplitRules::of_data(&data.data));
    let turn = in_turn(&catalog).await?;
    let report = turn.run(scanner.scan_into(turn.catalog(), ScanMode::Changes)).await;
    let report = report.ok_or_else(|| CliError::Wrong("another process scans by now".into()))??;
    turn.end(true).await;
    println!(
        "{} files seen: {} new, {} changed, {} moved, {} gone; {:.1} s",
        report.seen,
        report.added,
        report.changed,
        report.moved,
        report.removed,
        report.took.as_secs_f64()
    );
    for (root, why) in &report.refused {
        println!("left alone: {}: {why}", root.display());
    }
    for (path, note) in &report.notes {
        println!("{}: {note}", path.display());
    }
    for (path, why) in &report.failed {
        println!("not taken in: {}: {why}", path.display());
    }
    for (path, why) in &report.remarks {
        println!("understood in part: {}: {why}", path.display());
    }
    let sound = catalog.sonic_progress(VERSION).await?;
    let waiting = sound.tracks.saturating_sub(sound.heard + sound.failed);
    if hear {
        listen(&catalog, &storage, waiting).await?;
    } else if waiting > 0 {
        println!(
            "{waiting} tracks wait to be heard: `segue serve` does that in the background, `--hear` now"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until no server scans, and says so where one does: two who find the same new file would both take it in.
async fn in_turn(catalog: &Catalog) -> Result<Turn, CliError> {
    let jobs = Jobs::of_a_command(catalog);
    if let Asked::Ours(turn) = jobs.take(SCAN, i64::MAX).await? {
        return Ok(turn);
    }
    println!("A server scans at the moment; this waits for its end.");
    jobs.wait(SCAN, i64::MAX).await.ok_or_else(|| CliError::Wrong("there is nothing to scan".into()))
}

/// Hears what is unheard on all cores, telling how far it is, until the end or an interrupt.
async fn listen(catalog: &Catalog, storage: &Storage, waiting: u64) -> Result<(), CliError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let analyst = Analyst::new(catalog.clone(), from_storage(storage), threads);
    let stop = CancellationToken::new();
    let began = Instant::now();
    let mut run = std::pin::pin!(analyst.run(&stop));
    let mut told = tokio::time::interval_at((began + TOLD).into(), TOLD);
    let report = loop {
        tokio::select! {
            report = &mut run => break report?,
            () = told_to_end(), if !stop.is_cancelled() => stop.cancel(),
            _ = told.tick() => {
                let status = analyst.status();
                let done = status.heard + status.failed;
                let rate = done as f64 / began.elapsed().as_secs_f64();
                println!("{done} of {waiting} tracks heard, {rate:.1} a second");
            }
        }
    };
    println!(
        "{} tracks heard, {} could not be heard, {} were not there; {:.1} s{}",
        report.heard,
        report.failed,
        report.absent,
        began.elapsed().as_secs_f64(),
        if report.stopped { "; interrupted, the next time goes on here" } else { "" }
    );
    Ok(())
}
