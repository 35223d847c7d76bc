//! `segue doctor`: what works on this machine, and what to do about what does not.
//!
//! ```text
//! configuration ─▶ folders ─▶ clock ─▶ terminal ─▶ sound ─▶ keyring ─▶ server ─▶ scrobbling ─▶ store        each: Findings ─▶ lines or JSON
//! ```
//!
//! Every check looks and changes nothing, but for a file that it writes into a folder and takes away again.

mod machine;
mod scrobble;
mod server;

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

use super::CliError;
use super::args::Listen;
use super::config::Settings;
use super::paths::Paths;
use crate::music::printable;
use crate::tui::effects as screens;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Note,
    /// Something will not work.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// What it belongs to, such as `sound`.
    area: &'static str,
    level: Level,
    /// How it is, as a sentence.
    what: String,
    /// What to do about it, as a sentence; empty where nothing is to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    advice: String,
}

impl Finding {
    fn shown(self) -> screens::Finding {
        let health = match self.level {
            Level::Good => screens::Health::Good,
            Level::Note => screens::Health::Note,
            Level::Wrong => screens::Health::Wrong,
        };
        screens::Finding { health, area: self.area.to_owned(), what: self.what, advice: self.advice }
    }

    fn good(area: &'static str, what: impl Into<String>) -> Self {
        Self { area, level: Level::Good, what: what.into(), advice: String::new() }
    }

    fn note(area: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { area, level: Level::Note, what: what.into(), advice: advice.into() }
    }

    fn wrong(area: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { area, level: Level::Wrong, what: what.into(), advice: advice.into() }
    }
}

/// Looks at everything; fails when something is wrong.
pub(super) async fn run(listen: &Listen, json: bool) -> Result<ExitCode, CliError> {
    let findings = look(listen).await;
    let mut out = io::stdout().lock();
    let printed = if json { print_json(&mut out, &findings) } else { print_text(&mut out, &findings) };
    match printed {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => return Err(e.into()),
        _ => {}
    }
    let ill = findings.iter().any(|finding| finding.level == Level::Wrong);
    Ok(if ill { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Everything as it is printed, for a report.
pub(super) async fn told(listen: &Listen) -> String {
    let mut out = Vec::new();
    // A vector takes everything.
    let _ = print_text(&mut out, &look(listen).await);
    String::from_utf8_lossy(&out).into_owned()
}

async fn look(listen: &Listen) -> Vec<Finding> {
    let mut findings = vec![Finding::good("segue", format!("Segue {}.", env!("CARGO_PKG_VERSION")))];
    if let Some(paths) = Paths::of_this_user() {
        match super::settings(listen) {
            Ok((settings, mistakes)) => {
                findings.extend(machine::configuration(&paths, &mistakes));
                findings.extend(machine::folders(&paths));
                findings.extend(machine::clock());
                findings.extend(machine::terminal(&settings));
                let output = settings.output.clone();
                findings.extend(
                    tokio::task::spawn_blocking(move || machine::sound(&output)).await.unwrap_or_default(),
                );
                findings.extend(tokio::task::spawn_blocking(machine::keyring).await.unwrap_or_default());
                findings.extend(server::check(&settings, &paths).await);
                findings.extend(scrobble::check(&settings, &paths).await);
                findings.extend(machine::store(&settings, &paths));
            }
            Err(e) => findings.push(Finding::wrong(
                "configuration",
                format!("{e}."),
                "Name a profile that the configuration has.",
            )),
        }
    } else {
        findings.push(Finding::wrong(
            "folders",
            "There is no home folder.",
            "Set HOME to a folder that can be written to.",
        ));
    }
    findings
}

/// What the screens show: everything that can be looked at while the music plays. The sound device is the player's, and the
/// store is open: of those it tells itself.
pub(super) async fn beside_the_music(settings: &Settings, paths: &Paths) -> Vec<screens::Finding> {
    let mistakes = super::look::read(settings, paths).mistakes;
    let mut findings = machine::configuration(paths, &mistakes);
    findings.extend(machine::folders(paths));
    findings.extend(machine::clock());
    findings.extend(machine::terminal(settings));
    findings.extend(tokio::task::spawn_blocking(machine::keyring).await.unwrap_or_default());
    findings.extend(server::check(settings, paths).await);
    findings.extend(scrobble::check(settings, paths).await);
    findings.into_iter().map(Finding::shown).collect()
}

fn print_json(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, findings)?;
    writeln!(out)
}

fn print_text(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        let sign = match finding.level {
            Level::Good => "ok   ",
            Level::Note => "note ",
            Level::Wrong => "WRONG",
        };
        writeln!(out, "{sign} {:<14} {}", finding.area, printable(&finding.what))?;
        if !finding.advice.is_empty() {
            writeln!(out, "{:21}{}", "", printable(&finding.advice))?;
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    match (count(Level::Wrong), count(Level::Note)) {
        (0, 0) => writeln!(out, "All is well."),
        (0, notes) => writeln!(out, "It works; {notes} could be better."),
        (wrong, _) => writeln!(out, "{wrong} will not work."),
    }
}
