//! Search as you type, for the server's `search3` and the player alike.
//!
//! The index ([`super::index`]) is in memory; the catalog's tables stay what is true. Whoever writes to them notes in
//! `search_log`, in the same transaction, what changed ([`log`]). Before a query is answered the index catches up with that log
//! ([`view`]), which a glance at SQLite's shared memory tells to be needless most of the time. So an index is never ahead
//! of the catalog and never behind it, whichever process wrote, and after a crash it is as right as before.

mod feed;
mod lists;
mod log;
mod view;

pub(super) use log::{changed, marked};
pub(super) use view::{Index, rebuild};

use std::sync::Arc;

use super::{
    Catalog, CatalogError, Listener,
    apply::sql_int,
    index::{Hit, Query, read_as},
    now_ms,
    reach::Table,
    rows,
};
use crate::catalog::sql;
use crate::music::{AccountId, Album, Artist, Playlist, Track, Window};

/// Longest query looked at, in characters.
const QUERY_CHARS: usize = 300;

/// What a search or a list of favourites found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hits {
    /// Artists, best first.
    pub artists: Vec<Artist>,
    /// Albums, best first.
    pub albums: Vec<Album>,
    /// Tracks, best first.
    pub tracks: Vec<Track>,
    /// Playlists, best first.
    pub playlists: Vec<Playlist>,
    /// The kinds, the one whose first row agrees best with the query first.
    pub order: [HitKind; 4],
    /// By kind, how many of its rows belong before the next kind's: those that agree better than all of that, or as well where
    /// none does better.
    pub leads: [usize; 4],
    /// Words that were read otherwise than they were typed, as the first row has them: `bjrok`, `björk`.
    pub read: Vec<(String, String)>,
}

impl Default for Hits {
    fn default() -> Self {
        Self {
            artists: Vec::new(),
            albums: Vec::new(),
            tracks: Vec::new(),
            playlists: Vec::new(),
            order: HitKind::ALL,
            leads: [usize::MAX; 4],
            read: Vec::new(),
        }
    }
}

/// A kind of result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HitKind {
    /// Who made the music.
    Artist,
    /// Albums.
    Album,
    /// Tracks.
    Track,
    /// Playlists.
    Playlist,
}

impl HitKind {
    /// In the order in which they stand where nothing tells them apart.
    pub const ALL: [Self; 4] = [Self::Artist, Self::Album, Self::Track, Self::Playlist];
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
    /// Slice of the playlists.
    pub playlists: Window,
}

impl SearchWindows {
    /// The first `limit` of each kind.
    pub const fn first(limit: u64) -> Self {
        let first = Window::first(limit);
        Self { artists: first, albums: first, tracks: first, playlists: first }
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
    /// Finds artists, albums, tracks and playlists; [`Query`] has the language. An empty query (also `""` in quotes, as other
    /// clients send it) means everything in a stable order, for paging; one of signs alone finds nothing.
    pub async fn search(&self, query: &str, windows: SearchWindows) -> Result<Hits, CatalogError> {
        self.search_so(query, windows, false).await
    }

    /// The same for a server that has much to do: only what is typed counts, and what the listener likes is not asked for.
    pub async fn search_plainly(&self, query: &str, windows: SearchWindows) -> Result<Hits, CatalogError> {
        self.search_so(query, windows, true).await
    }

    async fn search_so(
        &self,
        query: &str,
        windows: SearchWindows,
        plainly: bool,
    ) -> Result<Hits, CatalogError> {
        let account = self.account.as_str();
        let query: String = query.trim().chars().take(QUERY_CHARS).collect();
        let lists = windows.playlists;
        let windows = [windows.artists, windows.albums, windows.tracks];
        let mut found: [Vec<String>; 3] = Default::default();
        let mut ranked: [Vec<Hit>; 4] = Default::default();
        let mut playlists = Vec::new();
        let mut parsed = None;
        if query.is_empty() || query == "\"\"" {
            let mut conn = self.stale().acquire().await?;
            for ((kind, window), found) in Kind::ALL.into_iter().zip(windows).zip(&mut found) {
                if window.limit > 0 {
                    *found = everything(&mut conn, kind, window).await?;
                }
            }
        } else {
            let query = Query::parse(&query, now_ms());
            let query = if plainly { query.as_typed() } else { query };
            if query.is_empty() {
                return Ok(Hits::default());
            }
            // There is one index, of everything; who sees a part is shown what of the hits lies in it.
            let whole = self.catalog.whole();
            let view = view::view(&whole).await?;
            let owned =
                if plainly { Arc::default() } else { view::owned(&whole, &self.account, &view).await? };
            let kinds = Kind::ALL.into_iter().zip(windows).zip(&mut found).zip(&mut ranked);
            for (((kind, window), found), ranked) in kinds {
                let mut hits = view.find(kind, &query, window, &owned);
                if self.catalog.is_narrowed() {
                    let ids = |window| {
                        view.find(kind, &query, window, &owned).into_iter().map(|hit| hit.id).collect()
                    };
                    *found = self.within_reach(kind, window, ids).await?;
                    hits.retain(|hit| found.contains(&hit.id));
                } else {
                    *found = hits.iter().map(|hit| hit.id.clone()).collect();
                }
                *ranked = hits;
            }
            if lists.limit > 0 {
                let hits = lists::find(self, &query, lists).await?;
                (ranked[3], playlists) = hits.into_iter().unzip();
            }
            parsed = Some(query);
        }
        let ids: Vec<Vec<&str>> = found.iter().map(|ids| ids.iter().map(String::as_str).collect()).collect();
        let [artists, albums, tracks] = ids.as_slice() else { return Ok(Hits::default()) };
        let reader = self.stale();
        let (artists, albums, tracks) = tokio::try_join!(
            async { rows::artists_by_id(&mut *reader.acquire().await?, account, artists).await },
            async { rows::albums_by_id(&mut *reader.acquire().await?, account, albums).await },
            async { rows::tracks_by_id(&mut *reader.acquire().await?, account, tracks).await },
        )?;
        let mut hits = Hits { artists, albums, tracks, playlists, ..Hits::default() };
        let rank = |kind: &HitKind| ranked[*kind as usize].first().map_or(u64::MAX, |hit| hit.class);
        hits.order.sort_by_key(rank);
        for pair in hits.order.windows(2) {
            let [kind, next] = [&pair[0], &pair[1]];
            let (hits_of, next) = (&ranked[*kind as usize], rank(next));
            let better = hits_of.partition_point(|hit| hit.class < next);
            let lead = if better > 0 { better } else { hits_of.partition_point(|hit| hit.class <= next) };
            hits.leads[*kind as usize] = lead;
        }
        let first = ranked[hits.order[0] as usize].first();
        if let (Some(query), true) = (parsed, first.is_some_and(Hit::has_errors)) {
            hits.read = read_as(&query, &hits.first_texts());
        }
        Ok(hits)
    }
}

impl Listener {
    /// A window over those hits that this view holds: so many are asked for as it takes.
    async fn within_reach(
        &self,
        kind: Kind,
        window: Window,
        hits: impl Fn(Window) -> Vec<String>,
    ) -> Result<Vec<String>, CatalogError> {
        let table = match kind {
            Kind::Artist => Table::Artists,
            Kind::Album => Table::Albums,
            Kind::Track => Table::Tracks,
        };
        let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let (offset, limit) = (whole(window.offset), whole(window.limit));
        let wanted = offset.saturating_add(limit);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut most = window.offset.saturating_add(window.limit).saturating_mul(2).saturating_add(50);
        loop {
            let found = hits(Window::new(0, most));
            let ids: Vec<&str> = found.iter().map(String::as_str).collect();
            let here = self.catalog.here(table, &ids).await?;
            let reached = found.iter().filter(|id| here.contains(*id)).count();
            if reached >= wanted || (found.len() as u64) < most {
                let all = found.into_iter().filter(|id| here.contains(id));
                return Ok(all.skip(offset).take(limit).collect());
            }
            most = most.saturating_mul(4);
        }
    }
}

impl Hits {
    /// What stands in the very first row.
    fn first_texts(&self) -> Vec<&str> {
        match self.order[0] {
            HitKind::Artist => self.artists.first().map(|a| vec![a.name.as_str(), &a.sort_name]),
            HitKind::Album => self.albums.first().map(|a| {
                [a.title.as_str(), &a.artist]
                    .into_iter()
                    .chain(a.artists.iter().map(|r| r.name.as_str()))
                    .collect()
            }),
            HitKind::Track => self.tracks.first().map(|t| {
                let texts = [t.title.as_str(), &t.artist, &t.album_artist, &t.album];
                texts.into_iter().chain(t.artists.iter().map(|r| r.name.as_str())).collect()
            }),
            HitKind::Playlist => self.playlists.first().map(|p| vec![p.name.as_str(), &p.comment]),
        }
        .unwrap_or_default()
    }
}

/// Tracks that answer a query, best first, for one account.
pub(super) async fn tracks(
    catalog: &Catalog,
    account: &AccountId,
    query: &Query,
    window: Window,
) -> Result<Vec<Hit>, CatalogError> {
    let whole = catalog.whole();
    let view = view::view(&whole).await?;
    let owned = view::owned(&whole, account, &view).await?;
    Ok(view.find(Kind::Track, query, window, &owned))
}

async fn everything(
    conn: &mut sql::Connection,
    kind: Kind,
    window: Window,
) -> Result<Vec<String>, CatalogError> {
    let page = match kind {
        Kind::Artist => "SELECT id FROM artists ORDER BY id LIMIT $1 OFFSET $2",
        Kind::Album => "SELECT id FROM albums ORDER BY id LIMIT $1 OFFSET $2",
        Kind::Track => "SELECT id FROM tracks ORDER BY id LIMIT $1 OFFSET $2",
    };
    let (limit, offset) = (sql_int(window.limit), sql_int(window.offset));
    Ok(sql::query_scalar(page).bind(limit).bind(offset).fetch_all(conn).await?)
}
