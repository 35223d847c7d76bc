//! Keeps the machine awake while music plays: asks the desktop's screen saver, and where there is none the login manager
//! (`org.freedesktop.ScreenSaver`, `org.freedesktop.login1`). What is held ends with the connection, however the player ends.

use std::time::Duration;

use tokio::sync::watch;
use zbus::Connection;
use zbus::connection::Builder;
use zbus::zvariant::OwnedFd;

use super::super::shown::{Shown, State};

const SAVER: &str = "org.freedesktop.ScreenSaver";
const SAVER_PATH: &str = "/org/freedesktop/ScreenSaver";
const LOGIN: &str = "org.freedesktop.login1";
const LOGIN_PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What keeps the machine awake.
enum Hold {
    /// By number, to be given back.
    Saver(u32),
    /// As long as this is open.
    Login(OwnedFd),
}

/// Keeps awake while it plays, until the player is gone.
pub(super) async fn keep(connection: &Connection, mut shown: watch::Receiver<Shown>) {
    let mut held: Option<Hold> = None;
    let mut refused = false;
    let mut was_playing = false;
    loop {
        let playing = shown.borrow_and_update().state == State::Playing;
        if playing && !was_playing {
            match hold(connection).await {
                Ok(hold) => held = Some(hold),
                Err(why) if !refused => {
                    tracing::info!("the machine may fall asleep while it plays: {why}");
                    refused = true;
                }
                Err(_) => {}
            }
        } else if let Some(hold) = held.take_if(|_| !playing) {
            let_go(connection, hold).await;
        }
        was_playing = playing;
        if shown.changed().await.is_err() {
            return;
        }
    }
}

async fn hold(connection: &Connection) -> Result<Hold, String> {
    let why = match timely(saver(connection)).await {
        Ok(cookie) => return Ok(Hold::Saver(cookie)),
        Err(why) => why,
    };
    match timely(login()).await {
        Ok(lock) => Ok(Hold::Login(lock)),
        Err(other) => Err(format!("{why}; {other}")),
    }
}

async fn saver(connection: &Connection) -> zbus::Result<u32> {
    let message = ("Segue", "Plays music");
    let reply = connection.call_method(Some(SAVER), SAVER_PATH, Some(SAVER), "Inhibit", &message).await?;
    reply.body().deserialize()
}

async fn login() -> zbus::Result<OwnedFd> {
    let connection = Builder::system()?.build().await?;
    let message = ("idle", "Segue", "Plays music", "block");
    let reply = connection.call_method(Some(LOGIN), LOGIN_PATH, Some(MANAGER), "Inhibit", &message).await?;
    reply.body().deserialize()
}

async fn let_go(connection: &Connection, hold: Hold) {
    match hold {
        Hold::Saver(cookie) => {
            let call = connection.call_method(Some(SAVER), SAVER_PATH, Some(SAVER), "UnInhibit", &cookie);
            if let Err(why) = timely(call).await {
                tracing::debug!("the screen saver did not take its leave back: {why}");
            }
        }
        Hold::Login(lock) => drop(lock),
    }
}

async fn timely<T>(call: impl Future<Output = zbus::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}
