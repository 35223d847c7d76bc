//! What a desktop shows of the player: made of the player's status, and told only when somebody would see a difference. The
//! place in the track goes on by itself and is told only when it leaps.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use super::Behind;
use crate::music::Track;
use crate::player::{AdNow, Entry, QueueView, Repeat, Status, Transport};

/// A place that differs from the expected one by more than this was sought, ms.
const LEAP_MS: u64 = 500;
/// Entries of the queue that a desktop is told of.
const LISTED: usize = 100;
/// Below this are the numbers of ads, which no entry of the queue has.
const AD: u64 = u64::MAX;
/// Side of a cover in pixels; one of the sizes that screens ask for, too.
const COVER: u32 = 512;
/// Longest wait for a cover before a track is shown without.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether sound comes out, as desktops have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum State {
    /// It does, or would if bytes did.
    Playing,
    /// It goes on from its place.
    Paused,
    /// Nothing is loaded, and what would play begins at its beginning.
    #[default]
    Stopped,
}

/// What plays.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Song {
    /// Its place in the queue, unique within a queue's life.
    pub(super) uid: u64,
    /// The track, with the listener's marks as they were when it began.
    pub(super) track: Arc<Track>,
    /// The file of its cover, once that is here.
    pub(super) cover: Option<PathBuf>,
    /// Nothing more will be found out about it.
    pub(super) whole: bool,
}

/// Where in the track it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// ms into the track at `at`.
    pub(super) ms: u64,
    at: Instant,
    moving: bool,
    /// Hundredths of the speed.
    speed: u16,
    /// Length of the track, ms; 0 when unknown.
    end_ms: u64,
}

impl Place {
    /// ms into the track now.
    pub(super) fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    fn at(&self, at: Instant) -> u64 {
        let gone = if self.moving { at.saturating_duration_since(self.at) } else { Duration::ZERO };
        let gone =
            u64::try_from(gone.as_millis()).unwrap_or(u64::MAX).saturating_mul(self.speed.into()) / 100;
        let ms = self.ms.saturating_add(gone);
        if self.end_ms > 0 { ms.min(self.end_ms) } else { ms }
    }
}

/// The player as a desktop sees it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Whether sound comes out.
    pub(super) state: State,
    /// What plays or would play.
    pub(super) song: Option<Arc<Song>>,
    /// Where in it.
    pub(super) place: Place,
    /// How often the place leapt.
    pub(super) leaps: u64,
    /// 0–100; 0 when muted.
    pub(super) volume: u8,
    /// Whether what follows is shuffled.
    pub(super) shuffle: bool,
    /// What happens at the end.
    pub(super) repeat: Repeat,
    /// Hundredths of the speed.
    pub(super) speed: u16,
    /// Whether something follows.
    pub(super) next: bool,
    /// Whether it can be gone back.
    pub(super) previous: bool,
    /// What is to come, by uid: what plays first, at most a hundred.
    pub(super) list: Arc<[u64]>,
    queue: Arc<QueueView>,
}

impl Shown {
    /// How a player of this status is shown.
    pub(super) fn of(status: &Status) -> Self {
        let queue = &status.queue;
        let song = queue.now.as_ref().map(|entry| {
            let (uid, track) = match &status.ad {
                None => (entry.uid, Arc::clone(&entry.track)),
                Some(ad) => (AD - u64::from(ad.number), Arc::new(as_track(ad, &entry.track))),
            };
            Arc::new(Song { uid, track, cover: None, whole: status.ad.is_some() })
        });
        let (ms, end_ms) = match &status.ad {
            None => (status.position_ms, status.duration_ms),
            Some(ad) => (ad.position_ms, ad.duration_ms),
        };
        // The player has no such state: what was stopped waits at a place, and nothing of it is loaded.
        let loaded = !(status.quality.is_empty() && status.buffered.is_empty());
        let state = match status.transport {
            Transport::Playing | Transport::Buffering => State::Playing,
            Transport::Paused if loaded || status.position_ms > 0 => State::Paused,
            Transport::Paused | Transport::Stopped => State::Stopped,
        };
        let speed = if status.sound.bit_perfect { 100 } else { status.sound.speed };
        Self {
            state,
            song,
            place: Place { ms, at: Instant::now(), moving: state == State::Playing, speed, end_ms },
            leaps: 0,
            volume: if status.muted { 0 } else { status.volume },
            shuffle: queue.shuffle,
            repeat: queue.repeat,
            speed,
            next: !queue.up_next.is_empty() || !queue.context.is_empty() || queue.repeat != Repeat::Off,
            previous: queue.now.is_some() || !queue.history.is_empty(),
            list: coming(queue).take(LISTED).map(|entry| entry.uid).collect(),
            queue: Arc::clone(queue),
        }
    }

    /// An entry of the list.
    pub(super) fn entry(&self, uid: u64) -> Option<&Entry> {
        coming(&self.queue).take(LISTED).find(|entry| entry.uid == uid)
    }

    fn uid(&self) -> Option<u64> {
        self.song.as_ref().map(|song| song.uid)
    }

    /// Is `fresh` from now on, and keeps what was found out about the song. Whether anybody would see a difference.
    fn update(&mut self, mut fresh: Self) -> bool {
        let same_song = self.uid() == fresh.uid();
        let expected = if same_song { self.place.at(fresh.place.at) } else { 0 };
        let leapt = fresh.song.is_some() && fresh.place.ms.abs_diff(expected) > LEAP_MS;
        if same_song {
            fresh.song.clone_from(&self.song);
        }
        fresh.leaps = self.leaps + u64::from(leapt);
        let looks = |s: &Self| (s.state, s.uid(), s.volume, s.shuffle, s.repeat, s.speed, s.next, s.previous);
        let changed = leapt || looks(self) != looks(&fresh) || self.list != fresh.list;
        *self = fresh;
        changed
    }
}

/// An ad in the words of a desktop, which knows tracks only.
fn as_track(ad: &AdNow, next: &Track) -> Track {
    Track::bare(next.id.clone(), format!("Ad: {}", ad.title), ad.by.clone(), ad.duration_ms)
}

/// What plays and what comes after it.
fn coming(queue: &QueueView) -> impl Iterator<Item = &Entry> {
    queue.now.iter().chain(&queue.up_next).chain(&queue.context)
}

/// Follows the player until it is gone. While somebody looks, it is also found out what the status does not say of a song.
pub(super) async fn follow(behind: &Behind, tell: watch::Sender<Shown>, mut attended: watch::Receiver<bool>) {
    let mut status = behind.player.status();
    let mut dressing = FuturesUnordered::new();
    let mut begun = None;
    loop {
        let fresh = Shown::of(&status.borrow_and_update());
        tell.send_if_modified(|shown| shown.update(fresh));
        let song = tell.borrow().song.clone();
        let uid = song.as_ref().map(|song| song.uid);
        if *attended.borrow_and_update() && uid != begun {
            dressing.clear();
            begun = uid;
            dressing.extend(song.map(|song| dress(behind, song)));
        }
        tokio::select! {
            changed = status.changed() => if changed.is_err() { return },
            Some(song) = dressing.next() => {
                tell.send_if_modified(|shown| {
                    let still = shown.uid() == Some(song.uid);
                    if still {
                        shown.song = Some(Arc::new(song));
                    }
                    still
                });
            }
            changed = attended.changed() => if changed.is_err() { return },
        }
    }
}

/// Finds out what the queue does not know: marks of today, and where the cover is.
async fn dress(behind: &Behind, song: Arc<Song>) -> Song {
    let track = match behind.listener.track(&song.track.id).await {
        Ok(Some(track)) => Arc::new(track),
        _ => Arc::clone(&song.track),
    };
    let cover = match &track.cover {
        Some(id) => {
            tokio::time::timeout(PATIENCE, behind.session.cover_file(id, Some(COVER))).await.ok().flatten()
        }
        None => None,
    };
    Song { uid: song.uid, track, cover, whole: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::Sound;

    fn status(transport: Transport, position_ms: u64) -> Status {
        Status { transport, position_ms, volume: 80, quality: "FLAC 44.1/16".to_owned(), ..Status::default() }
    }

    #[test]
    fn a_place_goes_on_by_itself() {
        let begun = Instant::now();
        let place = Place { ms: 1_000, at: begun, moving: true, speed: 150, end_ms: 3_000 };
        assert_eq!(place.at(begun + Duration::from_secs(1)), 2_500);
        assert_eq!(place.at(begun + Duration::from_secs(9)), 3_000, "no further than the end");
        let still = Place { moving: false, ..place };
        assert_eq!(still.at(begun + Duration::from_secs(9)), 1_000);
    }

    #[test]
    fn only_what_can_be_seen_is_told() {
        let mut shown = Shown::of(&status(Transport::Playing, 1_000));
        assert!(!shown.update(Shown::of(&status(Transport::Playing, 1_100))), "it only went on");
        assert!(!shown.update(Shown::of(&status(Transport::Buffering, 1_200))), "it is meant to play");
        assert!(shown.update(Shown::of(&status(Transport::Paused, 1_200))));
        assert!(!shown.update(Shown::of(&status(Transport::Paused, 1_200))));
        let muted = Status { muted: true, ..status(Transport::Paused, 1_200) };
        assert!(shown.update(Shown::of(&muted)));
        assert_eq!(shown.volume, 0);
    }

    #[test]
    fn what_was_stopped_is_not_paused() {
        let unloaded =
            |position_ms| Status { quality: String::new(), ..status(Transport::Paused, position_ms) };
        assert_eq!(Shown::of(&unloaded(0)).state, State::Stopped);
        assert_eq!(Shown::of(&unloaded(9_000)).state, State::Paused, "left off in the middle");
        assert_eq!(Shown::of(&status(Transport::Paused, 0)).state, State::Paused);
    }

    #[test]
    fn exact_sound_has_one_speed() {
        let sound = |bit_perfect| Sound { speed: 125, bit_perfect, ..Sound::default() };
        let at = |sound| Shown::of(&Status { sound, ..Status::default() }).speed;
        assert_eq!((at(sound(false)), at(sound(true))), (125, 100));
    }
}
