//! Wire types of devices: the extension `segueDevices`, by which players of one account drive each other.
//!
//! A device calls `reportDevice` when something about it changes: `id` (its own, which stays the same), `name`, `kind` (`speaker`, `player`),
//! `state` (`playing`, `paused`, `buffering`, `stopped`), `position` (ms), `volume` (0–100), `muted`, `private`, `shuffle`, `repeat` (`off`, `all`,
//! `one`), `name` of what it plays from as `context`, `trouble` (a sentence), `done` (the number of the last command that it carried
//! out); and, when its queue changed, `queue=true` with `entryId` and `entryUid` for each entry in the order in which they are heard,
//! `current` (an index) and `upNext` (how many after that one were queued by hand). The answer has the number of the newest command.
//! It takes its commands by `getDeviceCommands` with `id`, `after` (a number: those up to it are done with) and `wait` (ms); the answer comes
//! when there are any, or when the time is over. Commands that nobody took for half a minute are void.
//!
//! Others ask `getDevices`, and for one of them `getDevice` with `id`; with `after` (a revision) and `wait` (ms) the answer comes when it has
//! another revision or is no longer online, and it has the queue if that changed since. `sendToDevice` with `id` and `action` and what
//! [`ACTIONS`] says asks for something, and answers the number of the command. `forgetDevice` takes a device away.

use super::lenient::wire;

/// What can be asked of a device, and the parameters that each of it must have.
pub const ACTIONS: &[(&str, &[&str])] = &[
    // These tracks from `index` on, `shuffle`d by chance if wanted, under a `name`.
    ("play", &["trackId"]),
    // This queue with everything: `index`, `position`, `upNext`, `name`, `shuffle`, `repeat`, `play`.
    ("takeOver", &["trackId"]),
    // These tracks in the place of all others but the one that plays, which goes on.
    ("set", &[]),
    // These tracks after what plays, under a `name`, in the place of the rest.
    ("follow", &["trackId"]),
    ("add", &["trackId"]),
    ("addNext", &["trackId"]),
    // At the end of everything.
    ("extend", &["trackId"]),
    // To an entry, and into it by `position`.
    ("jump", &["uid"]),
    ("remove", &["uid"]),
    ("move", &["uid", "by"]),
    ("clearUpNext", &[]),
    ("clear", &[]),
    ("toggle", &[]),
    ("pause", &[]),
    ("resume", &[]),
    ("stop", &[]),
    ("next", &[]),
    ("previous", &[]),
    ("seek", &["position"]),
    ("seekBy", &["by"]),
    ("volume", &["volume"]),
    ("volumeBy", &["by"]),
    ("mute", &[]),
    ("shuffle", &["shuffle"]),
    ("repeat", &["repeat"]),
];

wire! {
    /// The body of `getDevices`.
    pub struct Devices {
        /// Devices of the account, by name.
        list device: Device,
    }

    /// A player that others of its account may drive; also the body of `getDevice` and `reportDevice`.
    pub struct Device {
        /// Its own id, the same after every start.
        req id: String,
        /// What people call it.
        req name: String,
        /// What it is: `speaker`, `player`.
        req kind: String,
        /// Whether it listens at this moment.
        req online: bool,
        /// When it was heard of last, ISO 8601.
        req seen: String,
        /// Counts what it told.
        req revision: i64,
        /// Number of the newest command.
        req last_command: i64,
        /// How it is.
        object status: DeviceStatus,
        /// Its queue; left out where it is known already.
        object queue: DeviceQueue,
    }

    /// How a device is.
    pub struct DeviceStatus {
        /// `playing`, `paused`, `buffering` or `stopped`.
        req state: String,
        /// ms into the track, when it told.
        req position: u64,
        /// ms since it told.
        req age: u64,
        /// 0–100.
        req volume: u8,
        /// Whether the volume is held at nothing.
        req muted: bool,
        /// Whether it is in a private session, of which nothing is told.
        req private: bool,
        /// Whether the rest of its queue is shuffled.
        req shuffle: bool,
        /// `off`, `all` or `one`.
        req repeat: String,
        /// Number of the last command that it carried out.
        req done: i64,
        /// Id of the song that plays or would play.
        opt track_id: String,
        /// Name of what it plays from.
        opt context: String,
        /// What it cannot do, as a sentence.
        opt trouble: String,
    }

    /// The queue of a device, in the order in which it is heard.
    pub struct DeviceQueue {
        /// Index of what plays or would play; absent when nothing does.
        opt current: u64,
        /// How many after that were queued by hand.
        req up_next: u64,
        /// Entries.
        list entry: DeviceEntry,
    }

    /// A place in a device's queue.
    pub struct DeviceEntry {
        /// The place's own number.
        req uid: u64,
        /// Id of the song.
        req id: String,
    }

    /// The body of `getDeviceCommands`.
    pub struct DeviceCommands {
        /// In the order in which they were sent.
        list command: DeviceCommand,
    }

    /// Something that a device is asked for; also the body of `sendToDevice`, which has the number alone.
    pub struct DeviceCommand {
        /// Its number; they rise.
        req sequence: i64,
        /// One of [`ACTIONS`].
        req action: String,
        /// Songs.
        list track_id: String,
        /// Places in the queue.
        list uid: u64,
        /// Of the song to begin with.
        opt index: u64,
        /// ms into it.
        opt position: u64,
        /// How many after it were queued by hand.
        opt up_next: u64,
        /// What the songs are together.
        opt name: String,
        /// By how much: rows, ms, hundredths.
        opt by: i64,
        /// 0–100.
        opt volume: u8,
        /// Whether in an order by chance.
        opt shuffle: bool,
        /// `off`, `all` or `one`.
        opt repeat: String,
        /// Whether to begin at once.
        opt play: bool,
    }
}

impl DeviceCommand {
    /// A command of this name that takes nothing.
    pub fn plain(action: &str) -> Self {
        Self { action: action.to_owned(), ..Self::default() }
    }

    /// The parameters by which it is asked for.
    pub(crate) fn params(&self) -> Vec<(&'static str, String)> {
        let mut params = vec![("action", self.action.clone())];
        params.extend(self.track_id.iter().map(|id| ("trackId", id.clone())));
        params.extend(self.uid.iter().map(|uid| ("uid", uid.to_string())));
        let numbers = [
            ("index", self.index.map(|n| n.to_string())),
            ("position", self.position.map(|n| n.to_string())),
            ("upNext", self.up_next.map(|n| n.to_string())),
            ("by", self.by.map(|n| n.to_string())),
            ("volume", self.volume.map(|n| n.to_string())),
            ("shuffle", self.shuffle.map(|on| on.to_string())),
            ("play", self.play.map(|on| on.to_string())),
            ("name", self.name.clone()),
            ("repeat", self.repeat.clone()),
        ];
        params.extend(numbers.into_iter().filter_map(|(name, value)| Some((name, value?))));
        params
    }
}

/// What a device tells of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeviceReport {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// How it is; `age` means nothing here.
    pub status: DeviceStatus,
    /// Its queue, if that changed since it was told last.
    pub queue: Option<DeviceQueue>,
}

impl DeviceReport {
    /// The parameters by which it is told.
    pub(crate) fn params(&self) -> Vec<(&'static str, String)> {
        let status = &self.status;
        let mut params = vec![
            ("id", self.id.clone()),
            ("name", self.name.clone()),
            ("kind", self.kind.clone()),
            ("state", status.state.clone()),
            ("position", status.position.to_string()),
            ("volume", status.volume.to_string()),
            ("muted", status.muted.to_string()),
            ("private", status.private.to_string()),
            ("shuffle", status.shuffle.to_string()),
            ("repeat", status.repeat.clone()),
            ("done", status.done.to_string()),
        ];
        params.extend(status.track_id.iter().map(|id| ("trackId", id.clone())));
        params.extend(status.context.iter().map(|name| ("context", name.clone())));
        params.extend(status.trouble.iter().map(|why| ("trouble", why.clone())));
        if let Some(queue) = &self.queue {
            params.push(("queue", true.to_string()));
            params.extend(queue.current.map(|at| ("current", at.to_string())));
            params.push(("upNext", queue.up_next.to_string()));
            for entry in &queue.entry {
                params.push(("entryId", entry.id.clone()));
                params.push(("entryUid", entry.uid.to_string()));
            }
        }
        params
    }
}

wire! {
    /// The body of `jukeboxControl` for every action but `get`.
    pub struct JukeboxStatus {
        /// Index of the song that plays or would play, −1 for none.
        req current_index: i64,
        /// Whether it plays.
        req playing: bool,
        /// How loud, 0–1.
        req gain: f64,
        /// Seconds into the song.
        opt position: u64,
    }

    /// The body of `jukeboxControl` for `get`.
    pub struct JukeboxPlaylist {
        /// Index of the song that plays or would play, −1 for none.
        req current_index: i64,
        /// Whether it plays.
        req playing: bool,
        /// How loud, 0–1.
        req gain: f64,
        /// Seconds into the song.
        opt position: u64,
        /// Songs.
        list entry: super::types::Child,
    }
}
