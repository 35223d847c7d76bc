//! The desktop around the player: media keys and panels that show what plays, a message when a track begins, and a machine
//! that stays awake meanwhile.
//!
//! ```text
//! player's status ─▶ Shown (told only when it changed) ─▶ the system's side: on Linux the session bus
//!          player ◀─ Wish ◀──────────────────────────────────┘
//! ```
//!
//! The system's side has a [`Seam`] and nothing else. It may be absent, slow or lost in the middle: the player does not
//! notice. Another system needs one more function like `bus::run`.

#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "no other system has its side yet"))]

#[cfg(target_os = "linux")]
mod bus;
mod shown;
mod wishes;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::cast::Stage;
use super::config::Settings;
use crate::catalog::Listener;
use crate::client::Session;

use shown::Shown;
use wishes::Wish;

/// Wishes that wait for the player; whoever has more waits, too.
const WISHES: usize = 32;

/// What a desktop reaches through the seam, and what stays behind it.
#[derive(Clone)]
pub(super) struct Behind {
    /// What plays.
    pub(super) player: Stage,
    /// The library.
    pub(super) listener: Listener,
    /// The connection, for covers.
    pub(super) session: Arc<Session>,
    /// Ends the player.
    pub(super) leave: CancellationToken,
}

/// What the listener wants of the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the configuration")]
struct Wanted {
    /// Media keys, and what plays in the panels.
    keys: bool,
    /// A message for each track that begins.
    messages: bool,
    /// The machine stays awake while music plays.
    awake: bool,
    /// This player is the one that `segue ctl` drives; others stand beside it under names of their own.
    first: bool,
}

/// All that the system's side has to do with.
struct Seam {
    /// What is to be shown. Wakes only for what somebody would see.
    shown: watch::Receiver<Shown>,
    /// Where wishes go.
    wishes: mpsc::Sender<Wish>,
    /// Whether anybody looks: covers are not fetched for nobody.
    attended: watch::Sender<bool>,
}

/// Begins what the settings want; none where they want nothing, or the system has no such thing. The task ends with
/// the player, and its handle on the player is gone when it is aborted.
pub(super) fn start(settings: &Settings, first: bool, behind: Behind) -> Option<JoinHandle<()>> {
    let wanted = Wanted {
        keys: settings.media_keys,
        messages: settings.notifications,
        awake: settings.keep_awake,
        first,
    };
    if !cfg!(target_os = "linux") || !(wanted.keys || wanted.messages || wanted.awake) {
        return None;
    }
    Some(tokio::spawn(async move {
        let (tell, shown) = watch::channel(Shown::of(&behind.player.status().borrow()));
        let (wishes, asked) = mpsc::channel(WISHES);
        let (attended, looked_at) = watch::channel(false);
        let seam = Seam { shown, wishes, attended };
        tokio::select! {
            () = shown::follow(&behind, tell, looked_at) => {}
            () = wishes::obey(&behind, asked) => {}
            () = system(seam, wanted) => {}
        }
    }))
}

#[cfg(target_os = "linux")]
async fn system(seam: Seam, wanted: Wanted) {
    bus::run(seam, wanted).await;
}

#[cfg(not(target_os = "linux"))]
async fn system(_: Seam, _: Wanted) {
    std::future::pending().await
}
