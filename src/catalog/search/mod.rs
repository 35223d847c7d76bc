//! Search as you type, for the server's `search3` and the player alike.
//!
//! The index ([`super::index`]) is in memory; the catalog's tables stay what is true. Whoever writes to them notes in
//! `search_log`, in the same transaction, what changed ([`log`]). Before a query is answered the index catches up with that log
//! ([`view`]), which a glance at SQLite's shared memory tells to be needless most of the time. So an index is never ahead
//! of the catalog and never behind it, whichever process wrote, and after a crash it is as right as before.

mod feed;
mod log;
mod view;

pub(super) use log::{changed, marked};
pub(super) use view::Index;

use super::{
    Catalog, CatalogError, Listener,
    apply::sql_int,
    index::{Hit, Query},
    now_ms, rows,
};
use crate::music::{Album, Artist, Track, Window};

/// Longest query looked at, in characters.
const QUERY_CHARS: usize = 300;

/// What a search or a list of favourites found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hits {
    /// Artists, best first.
    pub artists: Vec<Artist>,
    /// Albums, best first.
    pub albums: Vec<Album>,
    /// Tracks, best first.
    pub tracks: Vec<Track>,
}

/// Which slice of each kind of result is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchWindows {
    /// Slice of the artists.
    pub artists: Window,
    /// Slice of the albums.
    pub albums: Window,
    /// Slice of the tracks.
    pub tracks: Window,
}

impl SearchWindows {
    /// The first `limit` of each kind.
    pub const fn first(limit: u64) -> Self {
        let first = Window::first(limit);
        Self { artists: first, albums: first, tracks: first }
    }
}

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Artist,
    Album,
    Track,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Artist, Self::Album, Self::Track];

    /// The kind as it stands in SQL.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Artist => "artist",
            Self::Album => "album",
            Self::Track => "track",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl Catalog {
    /// Loads the search index, or builds it where there is none, so that the first search need not wait for it.
    pub async fn warm_search(&self) -> Result<(), CatalogError> {
        view::view(self).await.map(drop)
    }
}

impl Listener {
    /// Finds artists, albums and tracks; [`Query`] has the language. An empty query (also `""` in quotes, as other
    /// clients send it) means everything in a stable order, for paging; one of signs alone finds nothing.
    pub async fn search(&self, query: &str, windows: SearchWindows) -> Result<Hits, CatalogError> {
        let account = self.account.as_str();
        let query: String = query.trim().chars().take(QUERY_CHARS).collect();
        let windows = [windows.artists, windows.albums, windows.tracks];
        let mut found: [Vec<String>; 3] = Default::default();
        if query.is_empty() || query == "\"\"" {
            let mut conn = self.catalog.reader().acquire().await?;
            for ((kind, window), found) in Kind::ALL.into_iter().zip(windows).zip(&mut found) {
                if window.limit > 0 {
                    *found = everything(&mut conn, kind, window).await?;
                }
            }
        } else {
            let query = Query::parse(&query, now_ms());
            if query.is_empty() {
                return Ok(Hits::default());
            }
            let view = view::view(&self.catalog).await?;
            let owned = view::owned(&self.catalog, &self.account, &view).await?;
            for ((kind, window), found) in Kind::ALL.into_iter().zip(windows).zip(&mut found) {
                let hits = view.find(kind, &query, window, &owned);
                *found = hits.into_iter().map(|hit| hit.id).collect();
            }
        }
        let ids: Vec<Vec<&str>> = found.iter().map(|ids| ids.iter().map(String::as_str).collect()).collect();
        let [artists, albums, tracks] = ids.as_slice() else { return Ok(Hits::default()) };
        let mut conn = self.catalog.reader().acquire().await?;
        Ok(Hits {
            artists: rows::artists_by_id(&mut conn, account, artists).await?,
            albums: rows::albums_by_id(&mut conn, account, albums).await?,
            tracks: rows::tracks_by_id(&mut conn, account, tracks).await?,
        })
    }
}

async fn everything(
    conn: &mut sqlx::SqliteConnection,
    kind: Kind,
    window: Window,
) -> Result<Vec<String>, CatalogError> {
    let page = match kind {
        Kind::Artist => "SELECT id FROM artists ORDER BY id LIMIT $1 OFFSET $2",
        Kind::Album => "SELECT id FROM albums ORDER BY id LIMIT $1 OFFSET $2",
        Kind::Track => "SELECT id FROM tracks ORDER BY id LIMIT $1 OFFSET $2",
    };
    let (limit, offset) = (sql_int(window.limit), sql_int(window.offset));
    Ok(sqlx::query_scalar(page).bind(limit).bind(offset).fetch_all(conn).await?)
}
