//! The server's commands: `serve` and `scan`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::args::Serve;
use super::{CliError, log};
use crate::catalog::Catalog;
use crate::server::backup;
use crate::server::scan::{ScanMode, Scanner};
use crate::server::{Config, Net, Server, TlsFiles, catalog_file};

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
    let net = Net { tls, trusted_proxies: options.trusted_proxy, grace };
    let config = Config { music, data: options.data.data, listen: options.listen, watch: true, net };
    if options.check {
        config.check()?;
        println!("The configuration is in order.");
        return Ok(ExitCode::SUCCESS);
    }
    let server = Server::start(config).await?;
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
    ended().await;
    println!("Ending; running streams have {} s.", options.grace);
    tokio::select! {
        () = server.shutdown() => {}
        () = ended() => println!("Ending at once."),
    }
    Ok(ExitCode::SUCCESS)
}

fn folders(music: Vec<PathBuf>) -> Result<Vec<PathBuf>, CliError> {
    if music.is_empty() {
        return Err(CliError::Wrong("say where the music is: --music DIR".into()));
    }
    if let Some(missing) = music.iter().find(|d| !d.is_dir()) {
        return Err(CliError::Wrong(format!("{} is not a folder", missing.display())));
    }
    Ok(music)
}

#[cfg(unix)]
async fn ended() {
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

#[cfg(not(unix))]
async fn ended() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Copies a server's data.
pub(super) async fn back_up(data: &Path, to: &Path) -> Result<ExitCode, CliError> {
    log::trouble_to_stderr();
    backup::make(data, to).await?;
    println!(
        "Copied and checked: {}. It holds passwords' hashes and the key: keep it as safe as the server.",
        to.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Brings a backup back.
pub(super) async fn restore(from: &Path, data: &Path) -> Result<ExitCode, CliError> {
    log::trouble_to_stderr();
    let aside = backup::restore(from, data).await?;
    println!("{} has the data of the backup.", data.display());
    if let Some(aside) = aside {
        println!("What was there before is in {}.", aside.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Scans the library once and reports.
pub(super) async fn scan(music: Vec<PathBuf>, data: &Path) -> Result<ExitCode, CliError> {
    log::trouble_to_stderr();
    let music = folders(music)?;
    let catalog = Catalog::open(&catalog_file(data)).await?;
    let report = Scanner::new(catalog, music).scan(ScanMode::Changes).await?;
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
    for (path, why) in &report.failed {
        println!("not taken in: {}: {why}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}
