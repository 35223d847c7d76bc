//! `segue login`: asks for the password of an account once and keeps it where the listener wants it.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use super::config::Settings;
use super::credentials::{Kept, entry_name};
use super::paths::Paths;
use super::{CliError, keyring};
use crate::tui;

/// Where to, or whether to forget.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// Into the file, whatever the keyring says.
    pub(super) file: bool,
    /// Forget what was kept.
    pub(super) forget: bool,
}

/// Asks for the password of an account and keeps it in the keyring; in a file only where there is no keyring and the
/// listener says yes.
pub(super) fn login(settings: &Settings, paths: &Paths, way: Way) -> Result<ExitCode, CliError> {
    let (Some(server), Some(user)) = (&settings.server, &settings.user) else {
        return Err(CliError::Wrong("say for which account: segue login --server URL --user NAME".into()));
    };
    let kept = Kept::new(paths);
    if way.forget {
        let known = forget(&kept, (server, user))?;
        println!("{}", if known { "Forgotten." } else { "Nothing was kept for that account." });
        return Ok(ExitCode::SUCCESS);
    }
    let password = ask_password(&format!("Password of {user} at {server}: "))?;
    if password.is_empty() {
        return Err(CliError::Wrong("no password was given; nothing is kept".into()));
    }
    keep(&kept, (server, user), &password, way.file)
}

/// Keeps a secret of `user` at `server` in the keyring; in a file only where there is no keyring and the listener says yes,
/// or where `file` says so.
pub(super) fn keep(
    kept: &Kept,
    (server, user): (&str, &str),
    secret: &str,
    file: bool,
) -> Result<ExitCode, CliError> {
    if !file {
        match keyring::set(&entry_name(server, user), secret) {
            Ok(()) => {
                // One that was kept in the file before would win over it.
                kept.forget(server, user)?;
                println!("Kept in the keyring of this system.");
                return Ok(ExitCode::SUCCESS);
            }
            Err(why) => {
                let file = kept.path().display();
                eprintln!("No keyring can be used here: {why}.");
                if !io::stdin().is_terminal() {
                    return Err(CliError::Wrong(format!(
                        "nothing is kept; with --file it is kept in {file}, which only you can read"
                    )));
                }
                if !agrees(&format!("Keep it in {file}, which only you can read? [y/N] "))? {
                    println!("Nothing is kept.");
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
    }
    let path = kept.keep(server, user, secret)?;
    println!("Kept in {}, which only you can read.", path.display());
    Ok(ExitCode::SUCCESS)
}

/// Takes a secret away from the keyring and the file; `false` when there was none.
pub(super) fn forget(kept: &Kept, (server, user): (&str, &str)) -> Result<bool, CliError> {
    let in_keyring = keyring::forget(&entry_name(server, user));
    Ok(kept.forget(server, user)? || in_keyring)
}

fn agrees(question: &str) -> io::Result<bool> {
    eprint!("{question}");
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Reads a line without showing it when a person types it.
pub(super) fn ask_password(prompt: &str) -> Result<String, CliError> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let mut text = String::new();
        stdin.read_line(&mut text)?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    eprint!("{prompt}");
    io::stderr().flush()?;
    let password = tui::read_hidden_line()?;
    eprintln!();
    Ok(password)
}
