//! Floor 2: the headless heart. Commands come in, a [`Status`] and [`Event`]s go out; in between it drives
//! `cache`, which has the bytes, and `audio`, which makes sound of them. The queue decides what plays; it is pure
//! data. Knows no screen and no server.

mod actor;
mod breaks;
mod forms;
mod listening;
mod loudness;
mod media;
mod queue;
mod shuffle;
mod sleep;
mod sound;
mod status;

pub use actor::{Parts, Player};
pub use breaks::Counted;
pub use loudness::{GainMode, Loudness};
pub use media::on_this_machine;
pub use queue::{EditMark, Edited, Entry, Queue, QueueView, Repeat, SavedQueue, Undone};
pub use sleep::Sleep;
pub use sound::{Sound, SoundChange, Speed};
pub use status::{AdNow, Command, Event, Status, Supply, Transport};
