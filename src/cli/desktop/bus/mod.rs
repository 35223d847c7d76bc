//! The desktop of Linux: the session bus (D-Bus). One connection for the media keys, the messages and the inhibitor.
//!
//! ```text
//! connect ─▶ interfaces at /org/mpris/MediaPlayer2 ─▶ name ─▶ what changes is told ─▶ lost ─▶ a pause ─▶ connect
//! ```
//!
//! Nothing of it reaches a screen: a machine without a session bus has one line in its log.

mod awake;
mod face;
mod messages;
mod mpris;

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use zbus::{Connection, MessageStream};

use super::shown::Shown;
use super::{Seam, Wanted};

/// The first pause before a bus is looked for again; pauses double from there.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Times that a bus is looked for by the clock. After that it is looked for when something changes.
const TRIES: u32 = 6;
/// Longest wait for a bus that does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Stays on the session bus as long as there is one, and comes back when it does. Never ends.
pub(super) async fn run(seam: Seam, wanted: Wanted) {
    let mut messages = messages::Messages::default();
    let mut pause = FIRST_PAUSE;
    let mut tries = 0;
    loop {
        let before = seam.shown.borrow().clone();
        let connected = tokio::time::timeout(PATIENCE, mpris::connect(&seam, wanted)).await;
        let why = match connected {
            Ok(Ok(connection)) => {
                tracing::info!("on the session bus");
                let began = Instant::now();
                seam.attended.send_replace(true);
                let why = attend(&connection, &seam, wanted, before, &mut messages).await;
                seam.attended.send_replace(false);
                tries = 0;
                // A bus that ends every connection at once is not asked every second.
                if began.elapsed() > LONGEST_PAUSE {
                    pause = FIRST_PAUSE;
                }
                why
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it does not answer".to_owned(),
        };
        if tries == 0 {
            tracing::info!("no session bus, so no media keys for now: {why}");
        } else {
            tracing::debug!("no session bus: {why}");
        }
        tries += 1;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        if tries >= TRIES {
            // Whoever has no bus costs nothing while nothing happens.
            let mut shown = seam.shown.clone();
            shown.mark_unchanged();
            if shown.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

/// Tells the bus until the connection ends; says why it did.
async fn attend(
    connection: &Connection,
    seam: &Seam,
    wanted: Wanted,
    before: Shown,
    messages: &mut messages::Messages,
) -> String {
    tokio::select! {
        why = gone(connection) => why,
        Err(error) = mpris::tell(connection, seam.shown.clone(), before), if wanted.keys => error.to_string(),
        () = messages.send(connection, seam.shown.clone()), if wanted.messages => "nothing plays any more".to_owned(),
        () = awake::keep(connection, seam.shown.clone()), if wanted.awake => "nothing plays any more".to_owned(),
    }
}

/// Waits for the end of the connection.
async fn gone(connection: &Connection) -> String {
    let mut stream = MessageStream::from(connection);
    loop {
        match stream.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return error.to_string(),
            None => return "the connection ended".to_owned(),
        }
    }
}
