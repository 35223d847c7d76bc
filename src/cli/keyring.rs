//! The system's keyring: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows. Many machines that
//! people reach by ssh have none; that is an answer, not an error.
//!
//! A locked keyring asks the listener in a window of its own, so every request runs in a thread that is waited for
//! only so long.

use std::sync::mpsc;
use std::time::Duration;

use keyring::{Entry, Error};

/// The name under which entries stand in the keyring.
const SERVICE: &str = "segue";
/// How long a locked keyring may wait for its owner.
const PATIENCE: Duration = Duration::from_mins(1);

/// The secret that stands under a name; none when there is none, or no keyring.
pub(super) fn get(name: &str) -> Option<String> {
    match run(name, |entry| entry.get_password()) {
        Ok(secret) => Some(secret),
        Err(why) => {
            tracing::debug!("nothing from the keyring: {why}");
            None
        }
    }
}

/// Whether there is a keyring; the error says why not.
pub(super) fn available() -> Result<(), String> {
    run("segue doctor", |entry| match entry.get_password() {
        Ok(_) | Err(Error::NoEntry) => Ok(()),
        Err(e) => Err(e),
    })
}

/// Keeps a secret. The error says why there is no keyring to keep it in.
pub(super) fn set(name: &str, secret: &str) -> Result<(), String> {
    let secret = secret.to_owned();
    run(name, move |entry| entry.set_password(&secret))
}

/// Takes a secret away; `false` when there was none.
pub(super) fn forget(name: &str) -> bool {
    run(name, |entry| entry.delete_credential()).is_ok()
}

fn run<T: Send + 'static>(
    name: &str,
    ask: impl FnOnce(Entry) -> Result<T, Error> + Send + 'static,
) -> Result<T, String> {
    let name = name.to_owned();
    let (send, answer) = mpsc::channel();
    let work = move || {
        let said = Entry::new(SERVICE, &name).and_then(ask);
        // Nobody waits any more when it took too long.
        let _ = send.send(said.map_err(|error| sentence(&error)));
    };
    std::thread::Builder::new().name("segue-keyring".to_owned()).spawn(work).map_err(|e| e.to_string())?;
    answer.recv_timeout(PATIENCE).unwrap_or_else(|_| Err("it did not answer".to_owned()))
}

/// What went wrong, without the secret.
fn sentence(error: &Error) -> String {
    match error {
        Error::NoDefaultStore => match Entry::store_status() {
            Err(Error::NoStorageAccess(cause) | Error::PlatformFailure(cause)) => cause.to_string(),
            Err(other) => other.to_string(),
            Ok(()) => "there is none".to_owned(),
        },
        Error::NoEntry => "it has no such entry".to_owned(),
        Error::NoStorageAccess(cause) | Error::PlatformFailure(cause) => cause.to_string(),
        Error::BadEncoding(_) => "its entry is not text".to_owned(),
        other => other.to_string(),
    }
}
