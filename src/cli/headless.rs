//! Playing without a screen: `segue play WORDS`, and the player that goes on when its screen was left.
//!
//! ```text
//! Q on the screens ─▶ go_on: starts `segue play --resume --detached` ─▶ it loads the queue, then takes over at the socket
//! segue            ─▶ takes over at the same socket, and the player without a screen ends
//! ```
//!
//! The one that takes over has everything ready before it asks, so that the pause is only that of a seek.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use super::cast::Speaker;
use super::config::Settings;
use super::listen::{SETTLE, line, said};
use super::paths::Paths;
use super::rig::{Begin, Library, Rig};
use super::serve::told_to_end;
use super::{CliError, log};
use crate::catalog::{AlbumList, CatalogError, Listener, SearchWindows};
use crate::music::{Track, Window, printable};
use crate::player::{Command, Transport};

/// Longest wait for the player that is to go on.
const START: Duration = Duration::from_secs(20);

/// Tracks that words find at the most.
const MOST: u64 = 200;

/// What is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// What these words find, until its end.
    Words(String),
    /// What others of the account ask for, as a device of this name.
    Device(String),
    /// The queue where it was left; stays for `segue ctl` when it is at its end.
    Resume {
        /// Without a terminal: what happens goes to the log.
        detached: bool,
    },
}

/// Plays without a screen, printing a line for each track.
pub(super) async fn play(
    settings: &Settings,
    music: &[PathBuf],
    paths: &Paths,
    what: &What,
) -> Result<ExitCode, CliError> {
    let begin = match what {
        What::Resume { detached } => {
            if *detached {
                log::to_file(&paths.log_file())?;
            }
            Begin::InItsPlace
        }
        What::Device(_) if settings.server.is_none() => {
            return Err(CliError::Wrong(
                "a device belongs to an account of a server: say which by --server URL".into(),
            ));
        }
        What::Device(_) => Begin::AsDevice,
        What::Words(_) => Begin::Anew,
    };
    let (rig, sentences) = Rig::assemble(settings, music, paths, begin).await?;
    match what {
        What::Words(words) => {
            said(rig.library.settled(SETTLE).await);
            let tracks = choose(&rig.library, words).await?;
            if tracks.is_empty() {
                rig.close().await;
                return Err(CliError::Wrong(format!("nothing in the library matches “{words}”")));
            }
            let name = words.to_owned();
            rig.player.send(Command::PlayContext { tracks, start: 0, name, shuffled: false });
        }
        What::Resume { detached: true } => {
            if let Some(door) = &rig.door {
                door.may_be_taken_over();
            }
        }
        What::Resume { detached: false } => rig.player.send(Command::Resume),
        What::Device(_) => {}
    }
    if let What::Device(name) = what {
        return as_device(rig, sentences, name).await;
    }
    until_the_end(&rig, sentences, what, None).await;
    rig.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Waits for what others want played, until it is told to end.
async fn as_device(rig: Rig, sentences: super::rig::Said, name: &str) -> Result<ExitCode, CliError> {
    said(rig.library.settled(SETTLE).await);
    let library = &rig.library;
    let speaker =
        Speaker::named(name, &library.catalog, &library.listener, &library.session, &rig.player).await?;
    println!("“{}” waits for what to play; any player of this account can choose it.", printable(name));
    let what = What::Device(name.to_owned());
    let refused = tokio::select! {
        sentence = speaker.clone().serve() => Some(sentence),
        () = until_the_end(&rig, sentences, &what, Some(&speaker)) => None,
    };
    speaker.leave().await;
    drop(speaker); // its handle on the player must be gone
    rig.close().await;
    match refused {
        Some(sentence) if !sentence.is_empty() => Err(CliError::Wrong(sentence)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn until_the_end(rig: &Rig, mut sentences: super::rig::Said, what: &What, speaker: Option<&Speaker>) {
    let leave = rig.leave.clone();
    let mut status = rig.player.status();
    let mut shown = None;
    let mut ad = None;
    let mut begun = false;
    let end = told_to_end();
    tokio::pin!(end);
    loop {
        tokio::select! {
            changed = status.changed() => if changed.is_err() { break },
            Some(sentence) = sentences.recv() => {
                eprintln!("segue: {sentence}");
                if let Some(speaker) = speaker {
                    speaker.trouble(sentence);
                }
            }
            () = leave.cancelled() => break,
            () = &mut end => break,
        }
        let now = status.borrow_and_update().clone();
        if now.ad.as_ref().map(|ad| &ad.title) != ad.as_ref() {
            ad = now.ad.as_ref().map(|ad| ad.title.clone());
            if let Some(ad) = &now.ad {
                println!("ad: {} · {}", printable(&ad.title), printable(&ad.by));
            }
        }
        if now.ad.is_none()
            && let Some(entry) = &now.queue.now
            && now.transport == Transport::Playing
            && shown != Some(entry.uid)
        {
            if let (None, Some(notice)) = (shown, &now.output_notice) {
                eprintln!("segue: {notice}");
            }
            shown = Some(entry.uid);
            println!("{}", line(&entry.track));
        }
        begun |= now.queue.now.is_some();
        if begun && now.queue.now.is_none() && matches!(what, What::Words(_)) {
            break;
        }
    }
}

/// The tracks that `segue play` means: what the words find, or the newest album.
async fn choose(library: &Library, words: &str) -> Result<Vec<Track>, CliError> {
    let listener = &library.listener;
    if !words.trim().is_empty() {
        return Ok(named(listener, words, MOST).await?);
    }
    match listener.albums(&AlbumList::Newest, Window::first(1)).await?.first() {
        Some(album) => Ok(listener.tracks_of(&album.id).await?),
        None => Ok(Vec::new()),
    }
}

/// The tracks that words find, `most` at the most; those of the best album where they name no track.
pub(super) async fn named(listener: &Listener, words: &str, most: u64) -> Result<Vec<Track>, CatalogError> {
    let windows =
        SearchWindows { albums: Window::first(1), tracks: Window::first(most), ..SearchWindows::first(0) };
    let hits = listener.search(words, windows).await?;
    match hits.albums.first() {
        Some(album) if hits.tracks.is_empty() => listener.tracks_of(&album.id).await,
        _ => Ok(hits.tracks),
    }
}

/// Leaves the terminal's session, so that closing it does not end the music. Before the first thread.
pub(super) fn detach() {
    #[cfg(unix)]
    if let Err(e) = rustix::process::setsid() {
        eprintln!("segue: it stays with this terminal: {e}");
    }
}

/// Lets another process without a screen go on where this one is, and ends. `again` are the options of this one.
pub(super) async fn go_on(rig: Rig, again: &[OsString]) -> Result<ExitCode, CliError> {
    let Some(door) = &rig.door else {
        rig.close().await;
        return Err(CliError::Wrong(
            "another Segue has the socket that a player without a screen needs, so this one has ended".into(),
        ));
    };
    door.may_be_taken_over();
    let taken = door.leave();
    let mut child = std::process::Command::new(std::env::current_exe()?)
        .args(again)
        .args(["play", "--resume", "--detached"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let ended = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
        }
    };
    let over = tokio::select! {
        () = taken.cancelled() => true,
        () = ended => false,
        () = tokio::time::sleep(START) => false,
    };
    rig.close().await;
    if over {
        println!(
            "Segue plays on. `segue` opens its screens again, `segue ctl` drives it, `segue ctl quit` ends it."
        );
        return Ok(ExitCode::SUCCESS);
    }
    // Nothing was handed over, so it must not begin by itself later.
    let _ = child.kill();
    let _ = child.wait();
    Err(CliError::Wrong(
        "the player without a screen did not start, so this one has ended; the log says why".into(),
    ))
}
