//! What goes into the player and what comes out of it.

use std::sync::Arc;

use super::{Counted, GainMode, QueueView, Repeat, Sleep, Sound, SoundChange};
use crate::music::{Ad, AdHeard, Plan, Play, PlayContext, Track};

/// What a listener can ask of the player.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Play these tracks from `start` on, under a name; `shuffled` orders what follows `start` by chance.
    PlayContext {
        /// The album, mix or list.
        tracks: Vec<Track>,
        /// Index of the track to begin with.
        start: usize,
        /// What the queue calls it.
        name: String,
        /// Whether the rest is shuffled.
        shuffled: bool,
    },
    /// Let these tracks follow what plays, under a name, in the place of the rest of the context.
    Follow {
        /// What follows.
        tracks: Vec<Track>,
        /// What the queue calls it.
        name: String,
    },
    /// Add to the end of the context, if it still is the one of this name.
    Extend {
        /// What comes at its end.
        tracks: Vec<Track>,
        /// The name.
        name: String,
    },
    /// Put these tracks before and after what plays, which goes on, in the place of everything else.
    Surround {
        /// What was heard before it.
        before: Vec<Track>,
        /// What follows.
        after: Vec<Track>,
        /// What the queue calls it.
        name: String,
    },
    /// Add to the end of what was queued by hand.
    Enqueue(Vec<Track>),
    /// Add before everything else that is to come.
    EnqueueNext(Vec<Track>),
    /// Go to an entry of the queue, by uid.
    Jump(u64),
    /// Take entries out of the queue, by uid.
    Remove(Vec<u64>),
    /// Move entries by rows, negative towards now.
    Move {
        /// The entries, by uid.
        uids: Vec<u64>,
        /// Rows.
        by: isize,
    },
    /// Forget what was queued by hand.
    ClearUpNext,
    /// Take the last edit of the queue back.
    Undo,
    /// Do again what was taken back.
    Redo,
    /// Play if paused, pause if playing.
    Toggle,
    /// Pause.
    Pause,
    /// Play.
    Resume,
    /// Go on.
    Next,
    /// Begin the track anew, or go back when it has only begun (less than 3 s).
    Previous,
    /// Go to a position, ms.
    SeekTo(u64),
    /// Go forward or back, ms.
    SeekBy(i64),
    /// Volume, 0–100.
    SetVolume(u8),
    /// Volume up or down, in points of 100.
    VolumeBy(i8),
    /// Mute, or make sound again.
    ToggleMute,
    /// Shuffle the rest of the context, or put it back into its own order.
    SetShuffle(bool),
    /// What happens at the end.
    SetRepeat(Repeat),
    /// Which ReplayGain counts, for what plays now, too.
    SetGain(GainMode),
    /// Treat the sound otherwise, or send it elsewhere.
    Sound(SoundChange),
    /// Fall asleep after some time or with this track; none: stay awake.
    Sleep(Option<Sleep>),
    /// Begin or end a private session: nobody is to be told what is heard in it.
    Private(bool),
    /// What the listener's plan allows, and tickets for its ads.
    Plan {
        /// The plan.
        plan: Arc<Plan>,
        /// Tickets that are left, in their order.
        ads: Vec<Ad>,
    },
    /// What was counted for the plan before this start.
    Count(Counted),
    /// Stop and let go of the track.
    Stop,
}

/// Whether sound comes out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// Nothing is loaded.
    #[default]
    Stopped,
    /// Sound comes out.
    Playing,
    /// The listener paused it.
    Paused,
    /// Sound would come out if bytes did.
    Buffering,
}

impl Transport {
    /// The word for it, as programs read it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Playing => "playing",
            Self::Paused => "paused",
            Self::Buffering => "buffering",
        }
    }

    /// What [`word`](Self::word) says; what is none of them is stopped.
    pub fn of(word: &str) -> Self {
        let all = [Self::Playing, Self::Paused, Self::Buffering];
        all.into_iter().find(|transport| transport.word() == word).unwrap_or_default()
    }
}

/// Where the bytes of the current track come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Supply {
    /// All of them are on this machine.
    Cached,
    /// They come from the server as they are needed.
    #[default]
    Streaming,
    /// Some are missing and the server cannot be reached.
    Offline,
}

/// An ad that sounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdNow {
    /// Its name.
    pub title: String,
    /// Whose it is.
    pub by: String,
    /// Place in it, ms.
    pub position_ms: u64,
    /// Length, ms.
    pub duration_ms: u64,
    /// From where on it may be skipped, ms; `None` for never.
    pub skippable_after_ms: Option<u64>,
    /// Which of the break it is, from 1.
    pub number: u32,
    /// How many the break has at the most.
    pub of: u32,
}

/// Everything that a screen shows of the player.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// The queue; the same `Arc` as long as nothing in it changed.
    pub queue: Arc<QueueView>,
    /// Whether sound comes out.
    pub transport: Transport,
    /// The ad that sounds; the queue's current track waits for its end.
    pub ad: Option<AdNow>,
    /// What is counted for the plan.
    pub counted: Counted,
    /// What is heard at this moment, ms into the current track.
    pub position_ms: u64,
    /// Length of the current track, ms; 0 when nothing is loaded.
    pub duration_ms: u64,
    /// Parts of the track that are on this machine, as fractions from–to.
    pub buffered: Vec<(f32, f32)>,
    /// 0–100.
    pub volume: u8,
    /// Whether the volume is held at nothing.
    pub muted: bool,
    /// Which ReplayGain counts.
    pub gain_mode: GainMode,
    /// How the sound is treated.
    pub sound: Sound,
    /// What is done to the sound, in few words (`bit-perfect`, `1.25× eq rock`); empty when nothing is.
    pub treatment: String,
    /// What is left of the sleep timer.
    pub sleep: Option<Sleep>,
    /// Whether this is a private session.
    pub private: bool,
    /// Name of the player that plays in the place of this one, whose state all of this is then.
    pub elsewhere: Option<String>,
    /// The format in few words (`FLAC 44.1/16`), empty when nothing is loaded.
    pub quality: String,
    /// Where the bytes come from.
    pub supply: Supply,
    /// Why nothing is heard though it plays ("No sound device …"), if so.
    pub output_notice: Option<String>,
    /// Times that the device wanted samples and there were none, since the start.
    pub underruns: u64,
}

/// What happened, for whoever keeps history and tells the server.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The first sample of this track was heard.
    Began(Arc<Track>),
    /// A track is over, one way or another; `play` says how much of it was heard.
    Ended {
        /// The track.
        track: Arc<Track>,
        /// How it was heard.
        play: Play,
        /// Where it came from, and where and when it sounded.
        context: PlayContext,
        /// Whether any of it was heard in a private session.
        private: bool,
    },
    /// An ad is over, one way or another.
    Ad(AdHeard),
    /// Something that the listener asked for is not done, in a sentence.
    Refused(String),
    /// A track cannot be played; the queue went on.
    Failed {
        /// The track.
        track: Arc<Track>,
        /// One sentence.
        reason: String,
    },
}
