//! The running player's side: a socket in the listener's runtime folder that only they can open.
//!
//! ```text
//! segue ctl ─▶ socket ─▶ Door (a task for each caller) ─▶ player, library, session
//! ```
//!
//! One player has the door of a listener; a second one finds it taken and goes on without.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use interprocess::local_socket::ListenerOptions;
use interprocess::local_socket::tokio::prelude::*;
use interprocess::local_socket::tokio::{Listener as Socket, Stream};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::protocol::{Answer, Ask, DeviceRow, Handed, How, Row, Rows, Snapshot, send};
use super::socket;
use crate::catalog::Listener;
use crate::cli::cast::Stage;
use crate::cli::headless::named;
use crate::client::Session;
use crate::music::{Item, Track, TrackId};
use crate::player::{Command, Transport};
use crate::tui::{action, transport};

/// Longest line that is read, bytes.
const LINE: u64 = 64 << 10;
/// Callers at a time.
const CALLERS: usize = 32;
/// Shortest pause between two lines to somebody who follows.
const FOLLOW_EVERY: Duration = Duration::from_millis(100);
/// How long a door that another player is just leaving is waited for.
const TAKEN: Duration = Duration::from_secs(3);
/// Tracks that a search finds at the most.
const FOUND: u64 = 100;

/// What callers reach.
#[derive(Clone)]
pub(in crate::cli) struct Inside {
    /// What plays.
    pub(in crate::cli) player: Stage,
    /// The library.
    pub(in crate::cli) listener: Listener,
    /// The connection.
    pub(in crate::cli) session: Arc<Session>,
    /// Whose music it is: only a player of the same account at the same server can go on with it.
    pub(in crate::cli) profile: String,
}

/// An open door; closed by [`Door::close`].
pub(in crate::cli) struct Door {
    task: JoinHandle<()>,
    shut: CancellationToken,
    leave: CancellationToken,
    /// Whether another player may take over.
    may: Arc<AtomicBool>,
}

impl Door {
    /// Opens the door at `path`; none where that cannot be done, which the log explains.
    pub(in crate::cli) async fn open(path: PathBuf, inside: Inside) -> Option<Self> {
        let began = tokio::time::Instant::now();
        let socket = loop {
            match listen(&path).await {
                Ok(socket) => break socket,
                Err(e) if e.kind() == io::ErrorKind::AddrInUse && began.elapsed() < TAKEN => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(e) => {
                    tracing::warn!("segue ctl cannot reach this player: {}: {e}", path.display());
                    return None;
                }
            }
        };
        let (shut, leave) = (CancellationToken::new(), CancellationToken::new());
        let may = Arc::new(AtomicBool::new(false));
        let end = End { leave: leave.clone(), may: Arc::clone(&may) };
        let task = tokio::spawn(attend(socket, inside, shut.clone(), end));
        Some(Self { task, shut, leave, may })
    }

    /// Done when a caller wants the player to end.
    pub(in crate::cli) fn leave(&self) -> CancellationToken {
        self.leave.clone()
    }

    /// From now on another player may take over; one with a screen of its own does not let itself be ended so.
    pub(in crate::cli) fn may_be_taken_over(&self) {
        self.may.store(true, Ordering::Relaxed);
    }

    /// Closes the door and lets go of everything inside.
    pub(in crate::cli) async fn close(self) {
        self.shut.cancel();
        let _ = self.task.await;
    }
}

/// How a caller can end the player.
#[derive(Clone)]
struct End {
    leave: CancellationToken,
    may: Arc<AtomicBool>,
}

async fn listen(path: &Path) -> io::Result<Socket> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let options = ListenerOptions::new().name(socket::name(path)?);
    #[cfg(unix)]
    let options = {
        use interprocess::os::unix::local_socket::ListenerOptionsExt;
        // What a killed player left behind is taken away; a living one answers.
        if path.exists() && Stream::connect(socket::name(path)?).await.is_err() {
            std::fs::remove_file(path)?;
        }
        options.mode(0o600)
    };
    options.create_tokio()
}

async fn attend(socket: Socket, inside: Inside, shut: CancellationToken, end: End) {
    let places = Arc::new(Semaphore::new(CALLERS));
    let mut calls = tokio::task::JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = shut.cancelled() => break,
            Some(_) = calls.join_next() => continue,
            stream = socket.accept() => stream,
        };
        match (stream, Arc::clone(&places).try_acquire_owned()) {
            (Ok(stream), Ok(place)) => {
                let (inside, end) = (inside.clone(), end.clone());
                calls.spawn(async move {
                    let _place = place;
                    if let Err(e) = call(&stream, &inside, &end).await {
                        tracing::debug!("a caller hung up: {e}");
                    }
                });
            }
            (Ok(_), Err(_)) => tracing::warn!("too many callers at once; one was turned away"),
            (Err(e), _) => {
                tracing::warn!("a call was lost: {e}");
                tokio::time::sleep(FOLLOW_EVERY).await;
            }
        }
    }
    drop(socket);
    // A caller that waits for its last answer gets it.
    let rest = async { while calls.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(FOLLOW_EVERY, rest).await;
}

async fn call(stream: &Stream, inside: &Inside, end: &End) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if (&mut reader).take(LINE).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = match serde_json::from_str(&line) {
            Ok(Ask::Follow) => return follow(stream, inside).await,
            Ok(ask) => answer(ask, inside, end).await,
            Err(e) => Answer::refused(format!("this is no question: {e}")),
        };
        send(stream, &answer).await?;
    }
}

/// How it is, and how it is after every change.
async fn follow(stream: &Stream, inside: &Inside) -> io::Result<()> {
    let (mut player, mut session) = (inside.player.status(), inside.session.status());
    let mut last: Option<Snapshot> = None;
    loop {
        let now = snapshot(inside).await;
        if last.as_ref().is_none_or(|last| now.differs(last)) {
            send(stream, &Answer { status: Some(now.clone()), ..Answer::done("") }).await?;
            last = Some(now);
        }
        tokio::time::sleep(FOLLOW_EVERY).await;
        let changed = tokio::select! {
            changed = player.changed() => changed,
            changed = session.changed() => changed,
        };
        if changed.is_err() {
            return Ok(());
        }
    }
}

async fn snapshot(inside: &Inside) -> Snapshot {
    let status = inside.player.status().borrow().clone();
    let connection = inside.session.status().borrow().connection.clone();
    let mut snapshot = Snapshot::of(&status, &connection);
    // What was loved since the track was queued.
    if let Some(id) = snapshot.track.as_ref().map(|row| TrackId::from(row.id.as_str()))
        && let Ok(tracks) = inside.listener.tracks(&[id]).await
        && let Some(track) = tracks.first()
    {
        snapshot.loved = track.marks.starred_at.is_some();
        snapshot.rating = track.marks.rating;
    }
    snapshot
}

async fn answer(ask: Ask, inside: &Inside, end: &End) -> Answer {
    match ask {
        Ask::Do { line } => carry_out(&line, inside, end).await,
        Ask::Status | Ask::Follow => Answer { status: Some(snapshot(inside).await), ..Answer::done("") },
        Ask::Devices => match inside.player.places().await {
            Ok(places) => {
                Answer { devices: Some(places.iter().map(DeviceRow::of).collect()), ..Answer::done("") }
            }
            Err(why) => Answer::refused(why),
        },
        Ask::Queue => {
            let rows = Rows::of(&inside.player.status().borrow().queue);
            Answer { queue: Some(rows), ..Answer::done("") }
        }
        Ask::Search { words } => match found(&words, inside).await {
            Ok(tracks) => Answer { tracks: Some(tracks.iter().map(Row::of).collect()), ..Answer::done("") },
            Err(why) => Answer::refused(why),
        },
        Ask::Play { words, how } => match found(&words, inside).await {
            Ok(tracks) if tracks.is_empty() => {
                Answer::refused(format!("nothing in the library matches “{words}”"))
            }
            Ok(tracks) => play(tracks, words, how, inside),
            Err(why) => Answer::refused(why),
        },
        Ask::HandOver { profile } if profile != inside.profile => {
            Answer::refused("it plays from another server")
        }
        Ask::HandOver { .. } if !end.may.load(Ordering::Relaxed) => Answer::refused("it has a screen"),
        Ask::HandOver { .. } => hand_over(inside, end).await,
    }
}

async fn found(words: &str, inside: &Inside) -> Result<Vec<Track>, String> {
    named(&inside.listener, words, FOUND).await.map_err(|e| e.to_string())
}

fn play(tracks: Vec<Track>, words: String, how: How, inside: &Inside) -> Answer {
    let first = tracks.first().map(|track| track.title.clone()).unwrap_or_default();
    let said = match (how, tracks.len()) {
        (How::Now, 1) => format!("Plays {first}."),
        (How::Now, n) => format!("Plays {first} and {} more.", n - 1),
        (_, 1) => format!("Added {first}."),
        (_, n) => format!("Added {first} and {} more.", n - 1),
    };
    inside.player.send(match how {
        How::Now => Command::PlayContext { tracks, start: 0, name: words, shuffled: false },
        How::Add => Command::Enqueue(tracks),
        How::Next => Command::EnqueueNext(tracks),
    });
    Answer::done(said)
}

/// Commands of the one language that need no screen; those that only make sense here come first.
async fn carry_out(line: &str, inside: &Inside, end: &End) -> Answer {
    match line.trim() {
        "play" | "resume" => {
            inside.player.send(Command::Resume);
            return Answer::done("");
        }
        "pause" => {
            inside.player.send(Command::Pause);
            return Answer::done("");
        }
        _ => {}
    }
    let wish = match action::parse(&relative(line)) {
        Ok((_, wish)) => wish,
        Err(e) => return Answer::refused(e.to_string()),
    };
    let status = inside.player.status().borrow().clone();
    match wish {
        action::Action::Quit => {
            end.leave.cancel();
            Answer::done("")
        }
        action::Action::LovePlaying | action::Action::Love => love(inside).await,
        action::Action::Device(name) => match inside.player.play_on(&name).await {
            Ok(said) => Answer::done(said),
            Err(why) => Answer::refused(why),
        },
        action::Action::Sync => {
            inside.session.sync_now();
            Answer::done("")
        }
        wish => match transport::of_player(&wish, 1, &status) {
            Some(Ok(asked)) => {
                for command in asked.commands {
                    inside.player.send(command);
                }
                Answer::done(asked.said)
            }
            Some(Err(why)) => Answer::refused(why),
            None if wish == action::Action::Toggle => Answer::refused("the queue is empty"),
            None => Answer::refused(format!("“{}” means something on the screens only", line.trim())),
        },
    }
}

/// `seek +10` and `volume -5`, as hands type them, for the table's `seek-by` and `volume-by`.
fn relative(line: &str) -> String {
    match line.trim().split_once(char::is_whitespace) {
        Some((name @ ("seek" | "volume"), by)) if by.trim_start().starts_with(['+', '-']) => {
            format!("{name}-by {}", by.trim().trim_start_matches('+'))
        }
        _ => line.to_owned(),
    }
}

async fn love(inside: &Inside) -> Answer {
    let now = inside.player.status().borrow().queue.now.as_ref().map(|entry| entry.track.clone());
    let Some(track) = now else { return Answer::refused("nothing plays") };
    let loved = match inside.listener.tracks(std::slice::from_ref(&track.id)).await {
        Ok(tracks) => tracks.first().is_some_and(|track| track.marks.starred_at.is_some()),
        Err(e) => return Answer::refused(e.to_string()),
    };
    let at = (!loved).then(|| jiff::Timestamp::now().as_millisecond());
    match inside.listener.set_star(&Item::Track(track.id.clone()), at).await {
        Ok(()) => {
            inside.session.outbox_changed();
            let said = if loved { "No longer loves" } else { "Loves" };
            Answer::done(format!("{said} {}.", track.title))
        }
        Err(e) => Answer::refused(e.to_string()),
    }
}

/// Ends the sound here at once and tells where it was.
async fn hand_over(inside: &Inside, end: &End) -> Answer {
    let (playing, volume, private) = {
        let status = inside.player.here().status();
        let status = status.borrow();
        let playing = matches!(status.transport, Transport::Playing | Transport::Buffering);
        (playing, status.volume, status.private)
    };
    inside.player.here().send(Command::Pause);
    let elsewhere = inside.player.elsewhere().await;
    let Some((queue, position_ms)) = inside.player.saved().await else {
        return Answer::refused("the player is ending");
    };
    end.leave.cancel();
    Answer {
        handed: Some(Handed { queue, position_ms, playing, volume, private, elsewhere }),
        ..Answer::done("")
    }
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn signs_make_a_step_of_it() {
        assert_eq!(relative("seek +10"), "seek-by 10");
        assert_eq!(relative("volume -5"), "volume-by -5");
        assert_eq!(relative("seek 1:23"), "seek 1:23");
        assert_eq!(relative("next"), "next");
    }
}
