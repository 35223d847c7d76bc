//! What two players say to each other: a queue, a state, a command, each in the player's words and in the wire's.

use std::collections::HashMap;
use std::sync::Arc;

use crate::music::{Track, TrackId};
use crate::player::{Command, Entry, QueueView, Repeat, SavedQueue, Status, Transport};
use crate::subsonic::devices::{DeviceCommand, DeviceEntry, DeviceQueue, DeviceStatus};

/// Entries that are told of what was heard, and in all.
const BEFORE: usize = 100;
const MOST: usize = 1000;

/// Tracks by id.
pub(super) type Known = HashMap<String, Arc<Track>>;

/// These tracks by id.
pub(super) fn known(tracks: Vec<Track>) -> Known {
    tracks.into_iter().map(|track| (track.id.as_str().to_owned(), Arc::new(track))).collect()
}

const fn repeat_word(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::Off => "off",
        Repeat::All => "all",
        Repeat::One => "one",
    }
}

fn repeat_of(word: &str) -> Repeat {
    match word {
        "all" => Repeat::All,
        "one" => Repeat::One,
        _ => Repeat::Off,
    }
}

/// A queue in the order in which it is heard, as much of it as is told.
pub(super) fn queue_of(view: &QueueView) -> DeviceQueue {
    let told = |entry: &Entry| DeviceEntry { uid: entry.uid, id: entry.track.id.as_str().to_owned() };
    let past = view.history.iter().skip(view.history.len().saturating_sub(BEFORE));
    let mut entry: Vec<DeviceEntry> = past.map(told).collect();
    let current = view.now.as_ref().map(|_| entry.len() as u64);
    entry.extend(view.now.iter().map(told));
    let room = MOST - entry.len();
    let up_next = if current.is_some() { view.up_next.len().min(room) as u64 } else { 0 };
    entry.extend(view.up_next.iter().chain(&view.context).take(room).map(told));
    DeviceQueue { current, up_next, entry }
}

/// How a player is, for others; of a private session they are told nothing but that.
pub(super) fn status_of(status: &Status, done: i64, trouble: Option<String>) -> DeviceStatus {
    let queue = &status.queue;
    let shown = queue.now.as_ref().filter(|_| !status.private);
    DeviceStatus {
        state: status.transport.word().to_owned(),
        position: status.position_ms,
        age: 0,
        volume: status.volume,
        muted: status.muted,
        private: status.private,
        shuffle: queue.shuffle,
        repeat: repeat_word(queue.repeat).to_owned(),
        done,
        track_id: shown.map(|entry| entry.track.id.as_str().to_owned()),
        context: shown.map(|_| queue.context_name.clone()).filter(|name| !name.is_empty()),
        // That nobody hears it is told once it plays: it does not keep it from playing.
        trouble: status.output_notice.clone().filter(|_| status.transport == Transport::Playing).or(trouble),
    }
}

/// The queue of another player as a screen shows it; tracks that are not known here are left out.
pub(super) fn view_of(queue: &DeviceQueue, status: &DeviceStatus, known: &Known) -> QueueView {
    let current = queue.current.and_then(|at| usize::try_from(at).ok());
    let up_next = usize::try_from(queue.up_next).unwrap_or(0);
    let mut view = QueueView {
        context_name: status.context.clone().unwrap_or_default(),
        repeat: repeat_of(&status.repeat),
        shuffle: status.shuffle,
        ..QueueView::default()
    };
    for (at, told) in queue.entry.iter().enumerate() {
        let Some(track) = known.get(&told.id) else { continue };
        let entry = Entry::elsewhere(told.uid, Arc::clone(track));
        match current {
            Some(current) if at == current => view.now = Some(entry),
            Some(current) if at > current + up_next => view.context.push(entry),
            Some(current) if at > current => view.up_next.push(entry),
            _ => view.history.push(entry),
        }
    }
    view
}

/// How another player is as far as it tells, its queue being this one, so many ms after it told.
pub(super) fn shown_of(status: &DeviceStatus, view: &Arc<QueueView>, since_ms: u64, name: &str) -> Status {
    let transport = Transport::of(&status.state);
    let duration_ms = view.now.as_ref().map_or(0, |now| now.track.duration_ms);
    let moved = if transport == Transport::Playing { status.age.saturating_add(since_ms) } else { 0 };
    let position = status.position.saturating_add(moved);
    Status {
        queue: Arc::clone(view),
        transport,
        position_ms: if duration_ms > 0 { position.min(duration_ms) } else { position },
        duration_ms,
        volume: status.volume,
        muted: status.muted,
        private: status.private,
        elsewhere: Some(name.to_owned()),
        ..Status::default()
    }
}

/// A queue as it is handed over to go on elsewhere at this place.
pub(super) fn take_over(view: &QueueView, position_ms: u64, play: bool) -> DeviceCommand {
    let queue = queue_of(view);
    DeviceCommand {
        track_id: queue.entry.into_iter().map(|entry| entry.id).collect(),
        index: queue.current,
        position: Some(position_ms),
        up_next: Some(queue.up_next),
        name: Some(view.context_name.clone()).filter(|name| !name.is_empty()),
        shuffle: Some(view.shuffle),
        repeat: Some(repeat_word(view.repeat).to_owned()),
        play: Some(play),
        ..DeviceCommand::plain("takeOver")
    }
}

/// A queue that is to go on here.
pub(super) fn saved_of(view: &QueueView) -> SavedQueue {
    let queue = queue_of(view);
    let ids: Vec<String> = queue.entry.into_iter().map(|entry| entry.id).collect();
    let index = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok());
    SavedQueue::laid_out(
        &ids,
        index(queue.current).unwrap_or(0),
        index(Some(queue.up_next)).unwrap_or(0),
        view,
    )
}

/// A queue that another player hands over, with its position in ms.
pub(super) fn handed_over(command: &DeviceCommand) -> (SavedQueue, u64) {
    let index = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let view = QueueView {
        context_name: command.name.clone().unwrap_or_default(),
        repeat: command.repeat.as_deref().map(repeat_of).unwrap_or_default(),
        shuffle: command.shuffle.unwrap_or(false),
        ..QueueView::default()
    };
    let saved = SavedQueue::laid_out(&command.track_id, index(command.index), index(command.up_next), &view);
    (saved, command.position.unwrap_or(0))
}

/// What a player's command is for a player elsewhere; none for what concerns this machine alone.
pub(super) fn asked(command: &Command) -> Option<DeviceCommand> {
    let plain = DeviceCommand::plain;
    let ids = |tracks: &[Track]| {
        tracks.iter().take(MOST).map(|track| track.id.as_str().to_owned()).collect::<Vec<_>>()
    };
    let named = |name: &String| Some(name.clone()).filter(|name| !name.is_empty());
    Some(match command {
        Command::PlayContext { tracks, start, name, shuffled } => {
            // Of a longer list, the part that is heard first.
            let from = if tracks.len() > MOST { (*start).min(tracks.len() - 1) } else { 0 };
            DeviceCommand {
                track_id: ids(tracks.get(from..).unwrap_or_default()),
                index: Some((start - from) as u64),
                name: named(name),
                shuffle: Some(*shuffled),
                ..plain("play")
            }
        }
        Command::Follow { tracks, name } => {
            DeviceCommand { track_id: ids(tracks), name: named(name), ..plain("follow") }
        }
        Command::Extend { tracks, .. } => DeviceCommand { track_id: ids(tracks), ..plain("extend") },
        Command::Enqueue(tracks) => DeviceCommand { track_id: ids(tracks), ..plain("add") },
        Command::EnqueueNext(tracks) => DeviceCommand { track_id: ids(tracks), ..plain("addNext") },
        Command::Jump(uid) => DeviceCommand { uid: vec![*uid], ..plain("jump") },
        Command::Remove(uids) => DeviceCommand { uid: uids.clone(), ..plain("remove") },
        Command::Move { uids, by } => {
            DeviceCommand { uid: uids.clone(), by: Some(i64::try_from(*by).unwrap_or(0)), ..plain("move") }
        }
        Command::ClearUpNext => plain("clearUpNext"),
        Command::Toggle => plain("toggle"),
        Command::Pause => plain("pause"),
        Command::Resume => plain("resume"),
        Command::Stop => plain("stop"),
        Command::Next => plain("next"),
        Command::Previous => plain("previous"),
        Command::SeekTo(ms) => DeviceCommand { position: Some(*ms), ..plain("seek") },
        Command::SeekBy(ms) => DeviceCommand { by: Some(*ms), ..plain("seekBy") },
        Command::SetVolume(volume) => DeviceCommand { volume: Some(*volume), ..plain("volume") },
        Command::VolumeBy(by) => DeviceCommand { by: Some(i64::from(*by)), ..plain("volumeBy") },
        Command::ToggleMute => plain("mute"),
        Command::SetShuffle(on) => DeviceCommand { shuffle: Some(*on), ..plain("shuffle") },
        Command::SetRepeat(repeat) => {
            DeviceCommand { repeat: Some(repeat_word(*repeat).to_owned()), ..plain("repeat") }
        }
        _ => return None,
    })
}

/// What a command from elsewhere is for this player, where it is one that needs nothing but the tracks that it names.
pub(super) fn obeyed(command: &DeviceCommand, tracks: Vec<Track>, now: &Status) -> Vec<Command> {
    let name = || command.name.clone().unwrap_or_default();
    let by = command.by.unwrap_or(0);
    let one = match command.action.as_str() {
        "play" => {
            let wanted = command.index.and_then(|at| command.track_id.get(usize::try_from(at).ok()?));
            let start = tracks.iter().position(|track| Some(track.id.as_str()) == wanted.map(String::as_str));
            let shuffled = command.shuffle.unwrap_or(false);
            Command::PlayContext { start: start.unwrap_or(0), tracks, name: name(), shuffled }
        }
        "follow" => Command::Follow { tracks, name: name() },
        "extend" => Command::Extend { tracks, name: now.queue.context_name.clone() },
        "add" => Command::Enqueue(tracks),
        "addNext" => Command::EnqueueNext(tracks),
        "jump" => {
            let jump = command.uid.first().map(|uid| Command::Jump(*uid));
            let seek = command.position.filter(|ms| *ms > 0).map(Command::SeekTo);
            return jump.into_iter().chain(seek).collect();
        }
        "remove" => Command::Remove(command.uid.clone()),
        "move" => Command::Move { uids: command.uid.clone(), by: isize::try_from(by).unwrap_or(0) },
        "clearUpNext" => Command::ClearUpNext,
        "toggle" => Command::Toggle,
        "pause" => Command::Pause,
        "resume" => Command::Resume,
        "stop" => Command::Stop,
        "next" => Command::Next,
        "previous" => Command::Previous,
        "seek" => Command::SeekTo(command.position.unwrap_or(0)),
        "seekBy" => Command::SeekBy(by),
        "volume" => Command::SetVolume(command.volume.unwrap_or(now.volume)),
        "volumeBy" => Command::VolumeBy(i8::try_from(by.clamp(-100, 100)).unwrap_or(0)),
        "mute" => Command::ToggleMute,
        "shuffle" => Command::SetShuffle(command.shuffle.unwrap_or(false)),
        "repeat" => Command::SetRepeat(repeat_of(command.repeat.as_deref().unwrap_or_default())),
        _ => return Vec::new(),
    };
    vec![one]
}

/// Whether a command from elsewhere names tracks that must be known before it can be done.
pub(super) fn needs_tracks(command: &DeviceCommand) -> bool {
    !command.track_id.is_empty()
}

/// The ids of a queue's tracks, each once.
pub(super) fn ids_of(queue: &DeviceQueue) -> Vec<TrackId> {
    let mut ids: Vec<TrackId> = queue.entry.iter().map(|entry| entry.id.as_str().into()).collect();
    ids.sort();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::Queue;

    fn track(n: usize) -> Track {
        Track::bare(format!("t{n}").into(), format!("Track {n}"), "Artist".to_owned(), 60_000)
    }

    fn queue() -> QueueView {
        let mut queue = Queue::new();
        queue.play_context((0..5).map(|n| Arc::new(track(n))).collect(), 2, "Album".into(), None);
        queue.push_last([Arc::new(track(9))]);
        queue.set_repeat(Repeat::All);
        queue.view()
    }

    #[test]
    fn silence_is_no_reason_not_to_begin() {
        let told = |transport| {
            let output_notice = Some("sound is switched off".to_owned());
            status_of(&Status { transport, output_notice, ..Status::default() }, 1, None).trouble
        };
        assert_eq!(told(Transport::Buffering), None);
        assert_eq!(told(Transport::Playing).as_deref(), Some("sound is switched off"));
    }

    #[test]
    fn a_queue_is_the_same_at_the_other_end() {
        let view = queue();
        let told = queue_of(&view);
        assert_eq!((told.current, told.up_next, told.entry.len()), (Some(2), 1, 6));
        let status = Status { queue: Arc::new(view.clone()), ..Status::default() };
        let known = known((0..10).map(track).collect());
        let seen = view_of(&told, &status_of(&status, 0, None), &known);
        let uids =
            |entries: &[Entry]| entries.iter().map(|e| (e.uid, e.track.id.clone())).collect::<Vec<_>>();
        assert_eq!(uids(&seen.history), uids(&view.history));
        assert_eq!(uids(&seen.up_next), uids(&view.up_next));
        assert_eq!(uids(&seen.context), uids(&view.context));
        assert_eq!(seen.now.as_ref().map(|e| e.uid), view.now.as_ref().map(|e| e.uid));
        assert_eq!((seen.context_name.as_str(), seen.repeat), ("Album", Repeat::All));
        let (saved, at) = handed_over(&take_over(&view, 1234, true));
        assert_eq!(at, 1234);
        assert_eq!(saved, saved_of(&view));
    }

    #[test]
    fn a_long_queue_is_told_around_what_plays() {
        let mut queue = Queue::new();
        queue.play_context((0..3000).map(|n| Arc::new(track(n))).collect(), 1500, "All".into(), None);
        let told = queue_of(&queue.view());
        assert_eq!((told.entry.len(), told.current), (MOST, Some(BEFORE as u64)));
        assert_eq!(told.entry[BEFORE].id, "t1500");
        let tracks: Vec<Track> = (0..3000).map(track).collect();
        let play = Command::PlayContext { tracks, start: 1500, name: "All".into(), shuffled: false };
        let asked = asked(&play).unwrap();
        assert_eq!((asked.track_id.len(), asked.index), (MOST, Some(0)));
        assert_eq!(asked.track_id[0], "t1500");
    }

    #[test]
    fn a_private_session_tells_nothing_of_what_plays() {
        let status = Status { queue: Arc::new(queue()), private: true, ..Status::default() };
        let told = status_of(&status, 3, None);
        assert_eq!((told.track_id, told.context, told.private, told.done), (None, None, true, 3));
    }

    #[test]
    fn commands_mean_the_same_at_the_other_end() {
        let now = Status { queue: Arc::new(queue()), ..Status::default() };
        let commands = [
            Command::PlayContext {
                tracks: vec![track(1), track(2)],
                start: 1,
                name: "x".into(),
                shuffled: true,
            },
            Command::Follow { tracks: vec![track(1)], name: "x".into() },
            Command::Extend { tracks: vec![track(1)], name: "Album".into() },
            Command::Enqueue(vec![track(1)]),
            Command::EnqueueNext(vec![track(1)]),
            Command::Jump(4),
            Command::Remove(vec![1, 2]),
            Command::Move { uids: vec![1], by: -2 },
            Command::ClearUpNext,
            Command::Toggle,
            Command::Pause,
            Command::Resume,
            Command::Stop,
            Command::Next,
            Command::Previous,
            Command::SeekTo(5),
            Command::SeekBy(-5000),
            Command::SetVolume(7),
            Command::VolumeBy(-100),
            Command::ToggleMute,
            Command::SetShuffle(true),
            Command::SetRepeat(Repeat::One),
        ];
        for command in commands {
            let told = asked(&command).unwrap();
            let known = known((0..3).map(track).collect());
            let tracks = told.track_id.iter().filter_map(|id| known.get(id)).map(|t| (**t).clone()).collect();
            assert_eq!(obeyed(&told, tracks, &now), [command], "{told:?}");
            let params = crate::subsonic::devices::ACTIONS.iter().find(|(name, _)| *name == told.action);
            assert!(params.is_some(), "{} is no action of the wire", told.action);
        }
        assert_eq!(asked(&Command::Private(true)), None);
        assert!(obeyed(&DeviceCommand::plain("explode"), Vec::new(), &now).is_empty());
    }

    #[test]
    fn a_place_moves_on_while_it_plays_and_not_past_the_end() {
        let view = Arc::new(queue());
        let told = |state: &str| DeviceStatus {
            state: state.to_owned(),
            position: 50_000,
            age: 2_000,
            ..DeviceStatus::default()
        };
        assert_eq!(shown_of(&told("playing"), &view, 1_000, "hall").position_ms, 53_000);
        assert_eq!(shown_of(&told("playing"), &view, 99_000, "hall").position_ms, 60_000);
        let paused = shown_of(&told("paused"), &view, 99_000, "hall");
        assert_eq!((paused.position_ms, paused.elsewhere.as_deref()), (50_000, Some("hall")));
    }
}
