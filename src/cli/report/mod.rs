//! `segue bug-report`: one text file with what somebody needs who is to find out why something does not work, and with nothing
//! that says who the listener is or where their music comes from.
//!
//! ```text
//! version, system, doctor, configuration, last lines of the log ─▶ redact, line by line ─▶ file or standard output
//! ```

mod redact;

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ExitCode;

use super::args::Listen;
use super::config::{KEYS, Settings};
use super::paths::Paths;
use super::{CliError, described, doctor};
use redact::Redactor;

/// Lines of the log that are taken, the last ones.
const LINES: usize = 300;
/// Bytes at the end of the log in which they are looked for.
const TAIL: u64 = 256 << 10;
/// Keys whose value says who somebody is or where they go; only whether they are set is told.
const PRIVATE: &[&str] = &["server", "user", "password_command", "music", "profiles", "output"];
/// Variables that tell about the terminal and the session, and about nobody.
const TELLING: &[&str] = &[
    "TERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "COLORTERM",
    "NO_COLOR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_TYPE",
    "SEGUE_LOG",
];
/// Variables of which it is told only whether they are set.
const SET: &[&str] =
    &["TMUX", "STY", "ZELLIJ", "SSH_CONNECTION", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"];

/// Writes the report to a new file, or to standard output.
pub(super) async fn run(listen: &Listen, to: Option<&Path>) -> Result<ExitCode, CliError> {
    let report = made(listen).await;
    let Some(path) = to else {
        return match io::stdout().lock().write_all(report.as_bytes()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e.into()),
            _ => Ok(ExitCode::SUCCESS),
        };
    };
    let written = new_file(path).and_then(|mut file| file.write_all(report.as_bytes()));
    written.map_err(|e| CliError::Wrong(format!("cannot write {}: {e}", path.display())))?;
    println!("Written to {}. Read it before you send it to anybody.", path.display());
    Ok(ExitCode::SUCCESS)
}

fn new_file(path: &Path) -> io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

async fn made(listen: &Listen) -> String {
    let paths = Paths::of_this_user();
    let read = super::settings(listen).map(|(settings, _)| settings);
    let settings = read.unwrap_or_default();
    let redactor = Redactor::of_this_machine(&settings, paths.as_ref());
    let mut parts = vec![("segue", about_segue()), ("system", about_system())];
    parts.push(("doctor", doctor::told(listen).await));
    if let Some(paths) = &paths {
        parts.push(("configuration", configuration(&settings, paths)));
        parts.push(("log", log(&paths.log_file())));
    }
    let mut report = String::new();
    for (name, text) in parts {
        report.push_str("== ");
        report.push_str(name);
        report.push('\n');
        for line in text.lines() {
            report.push_str(redactor.line(line).trim_end());
            report.push('\n');
        }
        report.push('\n');
    }
    report
}

fn about_segue() -> String {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!("{} ({build})", env!("CARGO_PKG_VERSION"))
}

fn about_system() -> String {
    let mut lines = vec![format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)];
    // Which distribution and kernel it is, not which machine.
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    lines.extend(release.lines().find(|line| line.starts_with("PRETTY_NAME=")).map(str::to_owned));
    lines.extend(
        std::fs::read_to_string("/proc/sys/kernel/osrelease")
            .ok()
            .map(|kernel| format!("kernel {}", kernel.trim())),
    );
    for name in TELLING {
        if let Ok(value) = std::env::var(name) {
            lines.push(format!("{name}={value}"));
        }
    }
    for name in SET {
        lines.push(format!("{name} is {}", if std::env::var_os(name).is_some() { "set" } else { "not set" }));
    }
    lines.join("\n")
}

fn configuration(settings: &Settings, paths: &Paths) -> String {
    let plain = Settings::default();
    let lines = described::settings(settings, paths).into_iter().zip(KEYS).map(|(setting, key)| {
        let as_it_comes = settings.value(key.name) == plain.value(key.name);
        let value = match (PRIVATE.contains(&key.name), as_it_comes) {
            (true, true) => "as it comes".to_owned(),
            (true, false) => "set (left out)".to_owned(),
            (false, _) => setting.value,
        };
        format!("{}: {value} ({})", key.name, setting.from)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The end of the log.
fn log(path: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = std::fs::File::open(path)?;
        let from = file.metadata()?.len().saturating_sub(TAIL);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // The first line may be the rest of one, and a secret that is cut in two is not known any more.
        Ok(if from > 0 {
            text.split_once('\n').map_or_else(String::new, |(_, rest)| rest.to_owned())
        } else {
            text
        })
    };
    match read() {
        Ok(text) => {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(LINES)..].join("\n")
        }
        Err(e) => format!("there is none: {e}"),
    }
}
