//! Floor 1: what is known about the music and the listening.
//!
//! Two feeders fill one shape: on a server the scanner (`server::scan`), on a player the sync (`client::sync`). Both
//! hand [`Batch`]es to [`Catalog::apply`], which writes artists, albums and tracks with their links and search rows in
//! one transaction; rows that did not change are not written. Everything that one listener sees and does goes through a
//! [`Listener`]: browsing and lists read the same tables with that listener's [`Marks`](crate::music::Marks) beside
//! each item; stars, ratings, plays and playlist edits are written with their [`Change`] for the outbox in the same
//! transaction where the player asked for it (`with_outbox`).
//!
//! Below is SQLite through sqlx, one connection that writes and a few that read (`open`), or a PostgreSQL server that many processes
//! share (`postgres`), with replicas for reading where there are some (`replicas`). Both are asked through `sql` in one text; the search index is disposable and is built again from the
//! tables.

mod accounts;
mod ad_counts;
mod ads;
mod albums;
mod apply;
mod batches;
mod browse;
mod bulk;
mod consents;
mod database;
mod details;
mod devices;
mod error;
mod exports;
mod files;
mod genres;
mod imported;
pub mod index;
mod insights;
mod leases;
mod left_off;
mod listening;
mod locks;
mod lyrics;
mod marks;
mod migrations;
mod mixes;
mod mover;
mod open;
mod operators;
mod outbox;
mod personal;
mod pins;
mod plans;
mod playlists;
mod plays;
mod portable;
#[cfg(feature = "cloud")]
mod postgres;
mod presence;
mod reach;
#[cfg(feature = "cloud")]
mod replicas;
mod retention;
mod rows;
mod ruler;
mod scrobbles;
mod search;
mod shares;
mod slices;
mod smart;
mod sonic;
mod sql;
mod stamp;
mod stats;

pub use accounts::{Account, ClientProfile, Credential, CredentialKind, Roles, SealedPassword};
pub use ad_counts::{AdCount, CampaignCounts};
pub use ads::{AdAsk, AdCandidate, AdTicket, Campaign, HeardAd, IssuedAd, StoredAd};
pub use albums::AlbumList;
pub use apply::{Applied, Batch, Stats};
pub use batches::NewPlay;
pub use browse::{RandomFilter, TrackOrder};
pub use consents::Consent;
pub use database::{Address, Database};
pub use devices::{DeviceFull, DeviceRow, DeviceTold};
pub use error::CatalogError;
pub use exports::{ExportRange, ExportedPlay, ExportedTo};
pub use files::{FileKind, FileRow, FileStep, path_from_text, path_to_text};
pub use imported::ImportedPlaylist;
pub use insights::{Insights, MoodPart, Peak, Top, Year};
pub use leases::{Lease, LeaseStanding, Taken};
pub use mixes::{KeptMix, ListeningSize, MixesMade};
pub use mover::{MoveStep, MovedTable};
pub use open::Alone;
pub use operators::{Ask, Column, Kind, Miss, Prices, Report, SMALLEST, Served, Table, Value};
pub use outbox::Change;
pub use personal::{ERASED, Ending, NAMED_OTHERWISE, PERSONAL, Personal, Scoured};
pub use pins::{Pin, Pinned};
pub use plans::{GivenPlan, OfferedPlan, Standing};
pub use playlists::PlaylistEdit;
pub use presence::Playing;
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

use locks::Scope;

use crate::music::AccountId;

/// A cheap handle on one catalog; every clone sees the same data.
#[derive(Debug, Clone)]
pub struct Catalog {
    reader: sql::Pool,
    /// Connections that see everything: the same, unless this is a part.
    all: sql::Pool,
    /// Whether this is a part.
    narrowed: bool,
    parts: reach::SharedParts,
    writer: sql::Pool,
    /// Copies of the database that answer what may be a moment old.
    #[cfg(feature = "cloud")]
    replicas: std::sync::Arc<replicas::Replicas>,
    stamps: stamp::Stamps,
    looks: std::sync::Arc<stamp::Looks>,
    search: std::sync::Arc<search::Index>,
    smart: std::sync::Arc<smart::Kept>,
    rulers: std::sync::Arc<ruler::Rulers>,
    counted: std::sync::Arc<stats::Counted>,
    /// Days on which accounts heard something, by how far their clocks are ahead of UTC.
    heard_days: std::sync::Arc<insights::HeardDays>,
    /// The lease that its transactions are written under; they fail when it is lost.
    fence: Option<std::sync::Arc<Lease>>,
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
        if self.engine().is_shared() { stamp::seen() } else { self.stamps.now() }
    }

    /// Whether what is put together for the request that is worked on is good until the catalog changes; not where some of it was
    /// read from a replica, or came before what the request itself wrote.
    pub fn may_be_kept(&self) -> bool {
        !stamp::is_void()
    }

    /// Connections for reading. Never hold one while waiting for the writer.
    fn reader(&self) -> &sql::Pool {
        &self.reader
    }

    /// Connections for reading what may be a moment old, as lists of music are, but not older than what this account wrote last:
    /// those to a replica, where there is one that will do. A part of a library is read from the database itself, since a
    /// replica takes no views.
    #[cfg_attr(not(feature = "cloud"), expect(clippy::unused_self, unused_variables, reason = "no replicas"))]
    fn replica_for(&self, account: Option<&str>) -> Option<sql::Pool> {
        #[cfg(feature = "cloud")]
        if !self.narrowed {
            let replica = self.replicas.for_reading(account);
            if replica.is_some() {
                stamp::read_what_may_be_old();
            }
            return replica;
        }
        None
    }

    /// The same of what belongs to no account.
    fn stale(&self) -> sql::Pool {
        self.replica_for(None).unwrap_or_else(|| self.reader.clone())
    }

    /// Connections for writing; of a file there is one.
    fn writer(&self) -> &sql::Pool {
        &self.writer
    }

    /// A transaction that no other writer of the library runs beside.
    async fn write(&self) -> Result<sql::Transaction, CatalogError> {
        self.write_in(Scope::Library).await
    }

    async fn write_in(&self, scope: Scope<'_>) -> Result<sql::Transaction, CatalogError> {
        let mut tx = self.writer.begin().await?;
        locks::take(&mut tx, scope).await?;
        if let Some(lease) = &self.fence {
            Box::pin(leases::hold(&mut tx, lease)).await?;
        }
        #[cfg(feature = "cloud")]
        if let Scope::Account(account) = scope {
            let (replicas, account) = (std::sync::Arc::clone(&self.replicas), account.to_owned());
            return Ok(tx.then(move || replicas.has_written(&account)));
        }
        Ok(tx)
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

    /// Connections for reading what may be a moment old, but has everything that this account did.
    fn stale(&self) -> sql::Pool {
        let replica = self.catalog.replica_for(Some(self.account.as_str()));
        replica.unwrap_or_else(|| self.catalog.reader.clone())
    }

    /// A transaction that no other writer of this account's rows runs beside.
    async fn write(&self) -> Result<sql::Transaction, CatalogError> {
        self.catalog.write_in(Scope::Account(self.account.as_str())).await
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
