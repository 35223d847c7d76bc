//! Where the password of an account comes from. In this order: `SEGUE_API_KEY`, `SEGUE_PASSWORD`, the output of
//! `password_command`, the file that `segue login` wrote, the system's keyring. It is never in the configuration and never in a log.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::config::Settings;
use super::paths::Paths;
use super::{CliError, keyring};
use crate::subsonic::Credentials;

/// Passwords that the listener asked to keep, in a file that only they can read: `"user@server" = "password"`.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
}

impl Kept {
    /// The file in the configuration folder.
    pub(super) fn new(paths: &Paths) -> Self {
        Self { path: paths.config.join("credentials.toml") }
    }

    fn read(&self) -> BTreeMap<String, String> {
        fs::read_to_string(&self.path).ok().and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// All passwords that were kept, by account and server.
    pub(super) fn all(&self) -> BTreeMap<String, String> {
        self.read()
    }

    /// The password of an account, if it was kept.
    pub(super) fn password(&self, server: &str, user: &str) -> Option<String> {
        self.read().remove(&entry_name(server, user))
    }

    /// Keeps the password of an account.
    pub(super) fn keep(&self, server: &str, user: &str, password: &str) -> Result<&Path, CliError> {
        let mut all = self.read();
        all.insert(entry_name(server, user), password.to_owned());
        self.write(&all)?;
        Ok(&self.path)
    }

    /// Takes the password of an account away; `false` when none was kept.
    pub(super) fn forget(&self, server: &str, user: &str) -> Result<bool, CliError> {
        let mut all = self.read();
        let known = all.remove(&entry_name(server, user)).is_some();
        if known {
            self.write(&all)?;
        }
        Ok(known)
    }

    fn write(&self, all: &BTreeMap<String, String>) -> Result<(), CliError> {
        let text = toml::to_string(all).map_err(|e| CliError::Wrong(e.to_string()))?;
        write_private(&self.path, &text)
            .map_err(|e| CliError::Wrong(format!("cannot write {}: {e}", self.path.display())))
    }
}

/// Under which name the password of an account is kept.
pub(super) fn entry_name(server: &str, user: &str) -> String {
    format!("{user}@{}", server.trim_end_matches('/'))
}

/// Writes a file that only its owner can read, all of it or nothing.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(new, path)
}

/// How to sign in to `server`.
pub(super) fn find(settings: &Settings, paths: &Paths, server: &str) -> Result<Credentials, CliError> {
    if let Some(key) = variable("SEGUE_API_KEY") {
        return Ok(Credentials::ApiKey(key));
    }
    let Some(user) = settings.user.clone() else {
        return Err(CliError::Wrong(format!(
            "an account name is needed for {server}: give --user NAME, or an API key in SEGUE_API_KEY"
        )));
    };
    let password = match (variable("SEGUE_PASSWORD"), &settings.password_command) {
        (Some(password), _) => Some(password),
        (None, Some(command)) => Some(ask_command(command)?),
        (None, None) => {
            Kept::new(paths).password(server, &user).or_else(|| keyring::get(&entry_name(server, &user)))
        }
    };
    match password {
        Some(password) => Ok(Credentials::Password { user, password }),
        None => Err(CliError::Wrong(format!(
            "the password of {user} is needed: run `segue login --server {server} --user {user}` once, \
             or set password_command in the configuration"
        ))),
    }
}

/// What an environment variable holds, if anything.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

fn ask_command(command: &str) -> Result<String, CliError> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let output = std::process::Command::new(shell).arg(flag).arg(command).output();
    let failed = |why: String| CliError::Wrong(format!("password_command failed: {why}"));
    let output = output.map_err(|e| failed(e.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("it ended with {}", output.status)));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| failed("it printed something that is not text".into()))?;
    let password = text.lines().next().unwrap_or_default().to_owned();
    if password.is_empty() { Err(failed("it printed nothing".into())) } else { Ok(password) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_in_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept { path: dir.path().join("a/credentials.toml") };
        assert_eq!(kept.password("http://x/", "ann"), None);
        kept.keep("http://x/", "ann", "se\"cret = #1").unwrap();
        kept.keep("http://x", "bob", "other").unwrap();
        assert_eq!(kept.password("http://x", "ann").as_deref(), Some("se\"cret = #1"));
        assert!(kept.forget("http://x", "bob").unwrap() && !kept.forget("http://x", "bob").unwrap());
        assert_eq!((kept.password("http://x", "bob"), kept.read().len()), (None, 1));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&kept.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_command_gives_its_first_line() {
        assert_eq!(ask_command("printf 'one\\ntwo\\n'").unwrap(), "one");
        assert!(ask_command("true").is_err());
        assert!(ask_command("exit 3").unwrap_err().to_string().contains('3'));
    }
}
