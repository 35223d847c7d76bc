//! What can go wrong with the catalog.

use std::path::PathBuf;

/// Why the catalog could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// An id that is not here, or not this listener's to change.
    #[error("there is no {what} with the id “{id}”")]
    NotFound {
        /// `track`, `album`, `artist` or `playlist`.
        what: &'static str,
        /// The id asked for.
        id: String,
    },
    /// A value that makes no sense, such as a rating of 7.
    #[error("{0}")]
    Invalid(String),
    /// The file was written by a later release.
    #[error(
        "{place} was written by a newer Segue (schema {found}); update Segue, or start with another data folder"
    )]
    Newer {
        /// The database.
        place: String,
        /// Schema version found in it.
        found: i64,
    },
    /// The file is there but cannot be opened or brought up to date.
    #[error("cannot open the catalog {}: {source}", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What SQLite or the file system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server with the database cannot be reached.
    #[error("cannot reach the database {place}: {source}; see that it runs and lets this machine in")]
    Unreachable {
        /// Where it should be, without what opens it.
        place: String,
        /// What the network or the server said.
        source: sqlx::Error,
    },
    /// Another process does by now what this one was doing.
    #[error("another process has taken over “{0}”; this one stops doing it")]
    LostLease(String),
    /// The database refused.
    #[error("the catalog's database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A row holds JSON that this release cannot read.
    #[error("the catalog holds a change that cannot be read: {0}")]
    Json(#[from] serde_json::Error),
}

impl CatalogError {
    pub(super) fn not_found(what: &'static str, id: impl Into<String>) -> Self {
        Self::NotFound { what, id: id.into() }
    }

    /// Whether the database cannot be reached at the moment, which says nothing about what was asked.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Database(error) => super::sql::is_away(error),
            _ => false,
        }
    }

    /// Whether the same statements work when they are prepared anew, which the connection is ready for: another process changed the
    /// schema.
    pub fn is_outdated(&self) -> bool {
        matches!(self, Self::Database(error) if super::sql::is_outdated(error))
    }
}
