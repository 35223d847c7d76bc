//! What a session tells the screens.

use std::sync::Arc;

use crate::music::Plan;

/// How the connection to the server is, by what requests really do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Connection {
    /// Nothing was answered yet.
    #[default]
    Connecting,
    /// Answers come.
    Online,
    /// Answers come late, or the server asks to be left alone.
    Slow,
    /// No answers.
    Offline {
        /// Since when, Unix time in ms.
        since: i64,
        /// Why, as a sentence.
        why: String,
    },
}

impl Connection {
    /// Whether requests are worth sending.
    pub const fn is_up(&self) -> bool {
        matches!(self, Self::Online | Self::Slow)
    }
}

/// How the copy of the server's catalogue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncState {
    /// Nothing to do at the moment.
    Idle {
        /// When the server was last seen to have no more news, Unix time in ms; `None`: never yet.
        at: Option<i64>,
    },
    /// Copying.
    Running {
        /// Tracks seen so far.
        done: u64,
        /// Tracks that the server has; 0 where it does not say.
        total: u64,
    },
    /// It broke off and will be tried again; why, as a sentence.
    Failed(String),
}

impl Default for SyncState {
    fn default() -> Self {
        Self::Idle { at: None }
    }
}

/// All that a screen shows of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionStatus {
    /// Host and port of the server.
    pub server: String,
    /// How the connection is.
    pub connection: Connection,
    /// How the catalogue's copy is.
    pub sync: SyncState,
    /// Grows whenever rows of the catalog changed: screens read again.
    pub catalog_generation: u64,
    /// What the listener's plan allows.
    pub plan: Arc<Plan>,
    /// What the listener should know, as a sentence: a refused login, a refused change.
    pub problem: Option<String>,
}
