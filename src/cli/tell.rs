//! What the server is told while music plays: what is heard now, and the queue for the listener's next player.
//!
//! ```text
//! player's status ─▶ changes of track, state or place ─▶ session.report ─▶ reportPlayback (or now playing)
//!                └─▶ changes of track, pauses ─▶ catalog + outbox ─▶ savePlayQueue…
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::catalog::Listener;
use crate::client::Session;
use crate::music::{PlayQueue, TrackId};
use crate::player::{Player, Status, Transport};
use crate::subsonic::PlaybackReport;

/// What a queue is left by.
const PROGRAM: &str = "segue";
/// Entries that are kept of what was heard, and of what is to come.
const BEFORE: usize = 100;
const AHEAD: usize = 900;
/// A place that differs from the expected one by more than this was sought.
const JUMP: Duration = Duration::from_secs(3);

/// Tells until the player is gone.
pub(super) async fn tell(player: Player, listener: Listener, session: Arc<Session>) {
    let mut status = player.status();
    drop(player); // this task must not keep it alive
    let mut last: Option<Told> = None;
    while status.changed().await.is_ok() {
        if status.borrow_and_update().private {
            // What plays when the session is over is told as if it began.
            last = None;
            continue;
        }
        let now = Told::of(&status.borrow());
        let Some(change) = now.since(last.as_ref()) else { continue };
        if let Some(report) = now.report(last.as_ref(), change) {
            session.report(&report).await;
        }
        if change != Change::Sought && now.track.is_some() {
            let queue = queue_of(&status.borrow());
            leave(&listener, &session, queue).await;
        }
        last = Some(now);
    }
}

/// Leaves the queue for the listener's next player.
pub(super) async fn leave(listener: &Listener, session: &Session, queue: Option<PlayQueue>) {
    let Some(queue) = queue else { return };
    match listener.save_play_queue(&queue).await {
        Ok(()) => session.outbox_changed(),
        Err(error) => tracing::warn!("the place in the queue was not kept: {error}"),
    }
}

/// The queue as another player would go on with it; none when nothing is in it.
pub(super) fn queue_of(status: &Status) -> Option<PlayQueue> {
    let queue = &status.queue;
    let now = queue.now.as_ref()?;
    let past = queue.history.iter().skip(queue.history.len().saturating_sub(BEFORE));
    let mut tracks: Vec<TrackId> = past.map(|entry| entry.track.id.clone()).collect();
    let current = tracks.len();
    tracks.push(now.track.id.clone());
    tracks.extend(queue.up_next.iter().chain(&queue.context).take(AHEAD).map(|entry| entry.track.id.clone()));
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(PlayQueue {
        tracks,
        current,
        position_ms: status.position_ms,
        changed_at: i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        changed_by: PROGRAM.to_owned(),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Track,
    State,
    Sought,
}

/// What was told last.
struct Told {
    track: Option<(u64, TrackId)>,
    playing: bool,
    stopped: bool,
    position_ms: u64,
    at: Instant,
}

impl Told {
    fn of(status: &Status) -> Self {
        Self {
            // Behind an ad it waits and is not heard.
            track: (status.queue.now.as_ref().filter(|_| status.ad.is_none()))
                .map(|entry| (entry.uid, entry.track.id.clone())),
            playing: matches!(status.transport, Transport::Playing | Transport::Buffering),
            stopped: status.transport == Transport::Stopped,
            position_ms: status.position_ms,
            at: Instant::now(),
        }
    }

    fn since(&self, last: Option<&Self>) -> Option<Change> {
        let Some(last) = last else {
            return (self.track.is_some() && !self.stopped).then_some(Change::Track);
        };
        if self.track != last.track {
            return Some(Change::Track);
        }
        if (self.playing, self.stopped) != (last.playing, last.stopped) {
            return Some(Change::State);
        }
        let moved = if self.playing { self.at - last.at } else { Duration::ZERO };
        let expected = Duration::from_millis(last.position_ms) + moved;
        let off = Duration::from_millis(self.position_ms).abs_diff(expected);
        (off > JUMP).then_some(Change::Sought)
    }

    fn report(&self, last: Option<&Self>, change: Change) -> Option<PlaybackReport> {
        let (state, from) = match (change, &self.track) {
            (_, None) => ("stopped", last?),
            (_, Some(_)) if self.stopped => ("stopped", self),
            (Change::Track, Some(_)) if self.playing => ("starting", self),
            (_, Some(_)) => (if self.playing { "playing" } else { "paused" }, self),
        };
        let (_, track) = from.track.clone()?;
        Some(PlaybackReport { track, position_ms: from.position_ms, state, rate: 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(uid: u64, playing: bool, position_ms: u64) -> Told {
        let track = Some((uid, TrackId::from("t")));
        Told { track, playing, stopped: false, position_ms, at: Instant::now() }
    }

    #[test]
    fn only_changes_are_told() {
        let first = told(1, true, 0);
        assert_eq!(first.since(None), Some(Change::Track));
        assert_eq!(first.report(None, Change::Track).unwrap().state, "starting");
        assert_eq!(told(1, true, 200).since(Some(&first)), None);
        let sought = told(1, true, 60_000);
        assert_eq!(sought.since(Some(&first)), Some(Change::Sought));
        assert_eq!(sought.report(Some(&first), Change::Sought).unwrap().state, "playing");
        let paused = told(1, false, 60_000);
        assert_eq!(paused.since(Some(&sought)), Some(Change::State));
        assert_eq!(paused.report(Some(&sought), Change::State).unwrap().state, "paused");
        assert_eq!(told(1, false, 60_000).since(Some(&paused)), None);
        assert_eq!(told(2, true, 0).since(Some(&paused)), Some(Change::Track));
        let nothing = Told { track: None, stopped: true, playing: false, position_ms: 0, at: Instant::now() };
        let report = nothing.report(Some(&paused), Change::Track).unwrap();
        assert_eq!((report.state, report.position_ms), ("stopped", 60_000));
    }
}
