//! The log: a file for the player, whose screen must stay clean, and standard error for everything else.
//! `SEGUE_LOG` chooses what is written, in the syntax of `tracing_subscriber::EnvFilter`.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use super::args::LogFormat;

/// Size in bytes from which a log is put aside at the start.
const ROTATE_AT: u64 = 4 << 20;

/// What a server and the player's file say by themselves.
const EVENTS: &str = "warn,segue=info";
/// What a command that ends by itself says.
const TROUBLE: &str = "error,segue=warn";

fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_env("SEGUE_LOG").unwrap_or_else(|_| EnvFilter::new(default))
}

fn to_stderr(default: &str) {
    let ansi = io::stderr().is_terminal();
    let log =
        tracing_subscriber::fmt().with_env_filter(filter(default)).with_ansi(ansi).with_writer(io::stderr);
    // A second start in one process (tests) keeps the first log.
    let _ = log.try_init();
}

/// Logs what happens to standard error.
pub(super) fn events_to_stderr(format: LogFormat) {
    match format {
        LogFormat::Text => to_stderr(EVENTS),
        LogFormat::Json => {
            let log = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false);
            let log = log.with_span_list(false).with_env_filter(filter(EVENTS)).with_writer(io::stderr);
            let _ = log.try_init();
        }
    }
}

/// Logs what goes wrong to standard error.
pub(super) fn trouble_to_stderr() {
    to_stderr(TROUBLE);
}

/// Logs to a file, which is put aside as `segue.log.old` when it has grown.
pub(super) fn to_file(path: &Path) -> io::Result<()> {
    let file = open(path)?;
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter(EVENTS))
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init();
    Ok(())
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    if std::fs::metadata(path).is_ok_and(|m| m.len() > ROTATE_AT) {
        std::fs::rename(path, path.with_extension("log.old"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// Standard error, put aside into the log while the screen is drawn: sound libraries write to it as they please.
/// Dropping this puts it back.
pub(super) struct Aside {
    #[cfg(unix)]
    kept: Option<std::os::fd::OwnedFd>,
}

impl Aside {
    /// Puts standard error aside. Where that fails it stays as it is.
    #[cfg(unix)]
    pub(super) fn stderr(log_file: &Path) -> Self {
        let kept = open(log_file).ok().and_then(|file| {
            let kept = rustix::io::dup(rustix::stdio::stderr()).ok()?;
            rustix::stdio::dup2_stderr(file).ok()?;
            Some(kept)
        });
        Self { kept }
    }

    /// Elsewhere it is left alone.
    #[cfg(not(unix))]
    pub(super) fn stderr(_log_file: &Path) -> Self {
        Self {}
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(kept) = self.kept.take() {
            // What remains to be said then goes to the log.
            let _ = rustix::stdio::dup2_stderr(kept);
        }
    }
}
