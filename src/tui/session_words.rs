//! The words of `client` that the screens speak, until that room is there.

/// What a screen shows of the session.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionStatus {
    /// Host name.
    pub server: String,
    /// State.
    pub connection: Connection,
    /// Sync.
    pub sync: SyncState,
    /// Bumped when rows changed.
    pub catalog_generation: u64,
    /// One sentence.
    pub problem: Option<String>,
}

/// Sync.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum SyncState {
    /// Not yet.
    #[default]
    Never,
    /// Done.
    Idle {
        /// When.
        at: i64,
    },
    /// On.
    Running {
        /// So many.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// Why.
    Failed(String),
}

/// Connection.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Connection {
    /// First.
    #[default]
    Connecting,
    /// Good.
    Online,
    /// Slow.
    Slow,
    /// Gone.
    Offline {
        /// Since.
        since: i64,
        /// Why.
        why: String,
    },
}
