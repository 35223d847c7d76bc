//! Floor 1: what is known about the music and the listening.
//!
//! Two feeders fill one shape: on a server the scanner (`server::scan`), on a player the sync (`client::sync`). Both
//! hand [`Batch`]es to [`Catalog::apply`], which writes artists, albums and tracks with their links and search rows in
//! one transaction; rows that did not change are not written. Everything that one listener sees and does goes through a
//! [`Listener`]: browsing and lists read the same tables with that listener's [`Marks`](crate::music::Marks) beside
//! each item; stars, ratings, plays and playlist edits are written with their [`Change`] for the outbox in the same
//! transaction where the player asked for it (`with_outbox`).
//!
//! Below is SQLite through sqlx: one connection writes, a few read (`open`). The SQL keeps to what PostgreSQL
//! also understands, except in `open` and `search`; the search index is disposable and is built again from the tables.

mod accounts;
mod ad_counts;
mod ads;
mod albums;
mod apply;
mod browse;
mod bulk;
mod consents;
mod details;
mod devices;
mod error;
mod files;
mod genres;
mod imported;
pub mod index;
mod insights;
mod left_off;
mod listening;
mod lyrics;
mod marks;
mod mixes;
mod open;
mod operators;
mod outbox;
mod personal;
mod pins;
mod plans;
mod playlists;
mod plays;
mod portable;
mod reach;
mod retention;
mod rows;
mod ruler;
mod scrobbles;
mod search;
mod shares;
mod slices;
mod smart;
mod sonic;
mod stamp;
mod stats;

use sqlx::SqlitePool;

pub use accounts::{Account, ClientProfile, Credential, CredentialKind, Roles, SealedPassword};
pub use ad_counts::{AdCount, CampaignCounts};
pub use ads::{AdAsk, AdCandidate, AdTicket, Campaign, HeardAd, IssuedAd, StoredAd};
pub use albums::AlbumList;
pub use apply::{Applied, Batch, Stats};
pub use browse::{RandomFilter, TrackOrder};
pub use consents::Consent;
pub use devices::{DeviceFull, DeviceRow, DeviceTold};
pub use error::CatalogError;
pub use files::{FileKind, FileRow, FileStep, path_from_text, path_to_text};
pub use imported::ImportedPlaylist;
pub use insights::{Insights, MoodPart, Peak, Top, Year};
pub use mixes::{KeptMix, ListeningSize, MixesMade};
pub use open::Alone;
pub use operators::{Ask, Column, Kind, Miss, Prices, Report, SMALLEST, Served, Table, Value};
pub use outbox::Change;
pub use personal::{ERASED, Ending, NAMED_OTHERWISE, PERSONAL, Personal};
pub use pins::{Pin, Pinned};
pub use plans::{GivenPlan, OfferedPlan, Standing};
pub use playlists::PlaylistEdit;
pub use reach::{MUSIC, MusicFolder};
pub use retention::{BackupRow, Limits};
pub use ruler::Sorted;
pub use scrobbles::{Scrobble, ScrobbleCount, ScrobbleState};
pub use search::{HitKind, Hits, SearchWindows};
pub use shares::{Deed, Expiry, RadioStation, Share};
pub use slices::{Place, Slice, SliceRow};
pub use smart::{Choice, Condition, Field, NamedRules, Relation, Rules, Sort, Test};
pub use sonic::{Heard, SonicProgress, SonicVectors, Unheard};
pub use stamp::{Stamp, Warm};

use crate::music::AccountId;

/// A cheap handle on one catalog; every clone sees the same data.
#[derive(Debug, Clone)]
pub struct Catalog {
    reader: SqlitePool,
    /// Connections that see everything: the same, unless this is a part.
    all: SqlitePool,
    /// Whether this is a part.
    narrowed: bool,
    parts: reach::SharedParts,
    writer: SqlitePool,
    stamps: stamp::Stamps,
    search: std::sync::Arc<search::Index>,
    smart: std::sync::Arc<smart::Kept>,
    rulers: std::sync::Arc<ruler::Rulers>,
    counted: std::sync::Arc<stats::Counted>,
    /// Days on which accounts heard something, by how far their clocks are ahead of UTC.
    heard_days: std::sync::Arc<insights::HeardDays>,
    /// Where it is kept; nowhere in memory.
    file: Option<std::sync::Arc<std::path::Path>>,
}

impl Catalog {
    /// The catalog as one account sees and changes it. Any account id makes a view; it need not be known before. A server
    /// asks [`listener_of`](Self::listener_of) instead, which knows what the account may reach.
    pub fn listener(&self, account: &AccountId) -> Listener {
        Listener { catalog: self.clone(), account: account.clone(), outbox: false }
    }

    /// The state of the whole catalog at this moment; none where that cannot be seen cheaply.
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamps.now()
    }

    /// Connections for reading. Never hold one while waiting for the writer.
    pub(super) fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    /// The one connection for writing.
    pub(super) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// A transaction that holds the write lock from its beginning, so that it never fails half-way for want of it.
    pub(super) async fn write(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, CatalogError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Everything that one account sees and changes.
#[derive(Debug, Clone)]
pub struct Listener {
    catalog: Catalog,
    account: AccountId,
    outbox: bool,
}

impl Listener {
    /// The account whose view this is.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The catalog as this view sees it: all of it, or the part that the account may reach.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The same view, whose edits also write an outbox row in the same transaction: the player's side.
    #[must_use]
    pub fn with_outbox(self) -> Self {
        Self { outbox: true, ..self }
    }
}

/// Unix time in ms.
fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
