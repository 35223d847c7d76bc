//! Copies the server's catalogue, stars, ratings and playlists into the local catalog.
//!
//! A pass reads everything in pages, writes each page as it comes (screens can read it at once), and only at its end
//! removes what the server no longer has. Afterwards the server's scan status says whether another pass is due;
//! stars and playlists are looked at each time, because other players change them without a scan.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::link::{Link, now_ms};
use super::status::SyncState;
use crate::catalog::{Batch, Catalog, CatalogError};
use crate::music::{
    Album, AlbumId, Artist, Item, Marks, Playlist, PlaylistId, Purpose, Track, TrackId, Window,
};
use crate::subsonic::response::{Found, ScanStatus};
use crate::subsonic::{ClientError, convert};

/// Rows in a page of search.
const PAGE: u64 = 1000;
/// Rows in a page of albums, the most that servers give.
const ALBUM_PAGE: u64 = 500;
/// Albums asked for at the same time where they come one by one.
const AT_ONCE: usize = 4;
/// Where a server has no times of scans: how long one pass is believed, in ms.
const BELIEVED_MS: i64 = 30 * 60 * 1000;
/// Under which name the last complete pass is kept.
const CURSOR: &str = "sync.cursor";

/// Why a pass broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum SyncError {
    #[error(transparent)]
    Server(#[from] ClientError),
    #[error("the library on this machine cannot be written: {0}")]
    Catalog(#[from] CatalogError),
}

/// What the last complete pass saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    server: String,
    last_scan: Option<String>,
    count: Option<u64>,
    at: i64,
}

/// Keeps one catalog like one server.
pub(super) struct Sync {
    pub(super) link: Arc<Link>,
    pub(super) catalog: Catalog,
    pub(super) account: crate::music::AccountId,
    /// See [`super::outbox::Outbox::delivered`].
    pub(super) delivered: Arc<Mutex<u64>>,
    /// Playlists as they were when their entries were last read.
    pub(super) lists: Option<Vec<Playlist>>,
}

/// What a look at the server found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    /// Whether the server is scanning, so that news are near.
    pub(super) scanning: bool,
}

/// One page, in the words of the house.
#[derive(Default)]
struct Page {
    batch: Batch,
    /// Rows that the server gave of each kind, usable or not: where the next page begins.
    rows: [u64; 3],
    /// How many deliveries there were before it was asked for.
    before: u64,
}

impl Sync {
    /// Looks for news and takes them over. `thorough` does a whole pass in any case.
    pub(super) async fn look(&mut self, thorough: bool) -> Result<Looked, SyncError> {
        let scan = self.scan_status().await?;
        let now = Cursor {
            server: self.link.client.host().to_owned(),
            last_scan: scan.as_ref().and_then(|s| s.last_scan.clone()),
            count: scan.as_ref().and_then(|s| s.count),
            at: now_ms(),
        };
        let scanning = scan.as_ref().is_some_and(|s| s.scanning);
        let done = self.cursor().await?;
        if thorough || !same(done.as_ref(), &now) {
            self.pass(&now, scanning).await?;
        } else {
            self.stars().await?;
        }
        self.playlists().await?;
        self.decisions().await?;
        if scanning {
            // More is to come: this is not the end of it.
            let done = self.catalog.stats().await?.tracks;
            self.link.change(|status| {
                status.sync = SyncState::Running { done, total: now.count.unwrap_or(0).max(done) }
            });
        } else {
            self.link.change(|status| status.sync = SyncState::Idle { at: Some(now.at) });
        }
        Ok(Looked { scanning })
    }

    async fn cursor(&self) -> Result<Option<Cursor>, CatalogError> {
        Ok(self.catalog.setting(CURSOR).await?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// `None` where the server does not know such a thing.
    async fn scan_status(&self) -> Result<Option<ScanStatus>, ClientError> {
        match self.link.ask(self.link.client.scan_status()).await {
            Ok(status) => Ok(Some(status)),
            Err(error) if error.is_network() || !self.link.is_up() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// One pass over the whole catalogue.
    async fn pass(&self, now: &Cursor, scanning: bool) -> Result<(), SyncError> {
        let total = now.count.unwrap_or(0);
        self.link.change(|status| status.sync = SyncState::Running { done: 0, total });
        let mut seen = HashSet::new();
        let mut found = false;
        for query in ["", "\"\""] {
            if self.by_search(query, total, &mut seen).await? {
                found = true;
                break;
            }
        }
        if !found {
            self.by_albums(total, &mut seen).await?;
        }
        // What moved while it was read may have been missed, and must not count as deleted.
        let after = self.scan_status().await?;
        let moved = after
            .as_ref()
            .is_some_and(|s| s.scanning || s.last_scan != now.last_scan || s.count != now.count);
        if scanning || moved {
            return Ok(());
        }
        let gone: Vec<TrackId> =
            self.catalog.track_ids().await?.into_iter().filter(|id| !seen.contains(id)).collect();
        if !gone.is_empty() {
            self.catalog.remove_tracks(&gone).await?;
        }
        self.catalog.prune().await?;
        if !gone.is_empty() {
            self.link.news();
        }
        let text = serde_json::to_string(now).unwrap_or_default();
        self.catalog.set_setting(CURSOR, &text).await?;
        Ok(())
    }

    /// Pages through search with a query that finds everything. False when it finds nothing.
    async fn by_search(
        &self,
        query: &str,
        total: u64,
        seen: &mut HashSet<TrackId>,
    ) -> Result<bool, SyncError> {
        let mut offsets = [0_u64; 3];
        let mut open = [true; 3];
        let (mut artists, mut albums) = (HashSet::new(), HashSet::new());
        let mut page = self.search_page(query, offsets, open).await?;
        if page.rows == [0; 3] {
            return Ok(false);
        }
        loop {
            let fresh = [
                page.batch.artists.iter().filter(|a| artists.insert(a.id.clone())).count(),
                page.batch.albums.iter().filter(|a| albums.insert(a.id.clone())).count(),
                page.batch.tracks.iter().filter(|t| seen.insert(t.id.clone())).count(),
            ];
            for (kind, rows) in page.rows.iter().enumerate() {
                offsets[kind] += rows;
                // Some servers give shorter pages than asked for, so only a page without news is the end; and it is
                // one, because others take no notice of offsets and would send their first page for ever.
                open[kind] &= fresh[kind] > 0;
            }
            let done = seen.len() as u64;
            self.link.change(|status| status.sync = SyncState::Running { done, total: total.max(done) });
            if open == [false; 3] {
                self.take(&page).await?;
                return Ok(!seen.is_empty());
            }
            // The next page is asked for while this one is written.
            let (next, taken) = tokio::join!(self.search_page(query, offsets, open), self.take(&page));
            taken?;
            page = next?;
        }
    }

    async fn search_page(
        &self,
        query: &str,
        offsets: [u64; 3],
        open: [bool; 3],
    ) -> Result<Page, ClientError> {
        let before = *self.delivered.lock().await;
        let window = |kind: usize| {
            let on = open.get(kind).copied().unwrap_or(false);
            Window::new(offsets.get(kind).copied().unwrap_or(0), if on { PAGE } else { 0 })
        };
        let found =
            self.link.ask_much(self.link.client.search3(query, window(0), window(1), window(2))).await?;
        let Found { artist, album, song } = found;
        // A kind that is through may come all the same.
        let rows =
            |kind: usize, n: usize| if open.get(kind).copied().unwrap_or(false) { n as u64 } else { 0 };
        Ok(Page {
            rows: [rows(0, artist.len()), rows(1, album.len()), rows(2, song.len())],
            batch: Batch {
                artists: artist.iter().filter_map(convert::artist).collect(),
                albums: album.iter().filter_map(convert::album).collect(),
                tracks: song.iter().filter_map(convert::track).collect(),
            },
            before,
        })
    }

    /// Reads albums one by one, for servers whose search does not find everything.
    async fn by_albums(&self, total: u64, seen: &mut HashSet<TrackId>) -> Result<(), SyncError> {
        let client = &self.link.client;
        let mut known: HashSet<AlbumId> = HashSet::new();
        let mut offset = 0;
        loop {
            let window = Window::new(offset, ALBUM_PAGE);
            let list = self.link.ask_much(client.album_list2("alphabeticalByName", window)).await?;
            offset += list.len() as u64;
            let ids: Vec<AlbumId> =
                list.into_iter().map(|a| AlbumId::from(a.id)).filter(|id| known.insert(id.clone())).collect();
            if ids.is_empty() {
                break;
            }
            let mut albums = futures_util::stream::iter(ids)
                .map(|id| async move {
                    let before = *self.delivered.lock().await;
                    (before, self.link.ask_much(client.album(&id)).await)
                })
                .buffer_unordered(AT_ONCE)
                .ready_chunks(32);
            while let Some(group) = albums.next().await {
                let mut page = Page { before: u64::MAX, ..Page::default() };
                for (before, album) in group {
                    let album = album?;
                    page.before = page.before.min(before);
                    page.batch.tracks.extend(album.song.iter().flatten().filter_map(convert::track));
                    page.batch.albums.extend(convert::album(&album));
                }
                seen.extend(page.batch.tracks.iter().map(|t| t.id.clone()));
                let done = seen.len() as u64;
                self.link.change(|status| status.sync = SyncState::Running { done, total: total.max(done) });
                self.take(&page).await?;
            }
        }
        let before = *self.delivered.lock().await;
        let artists = self.link.ask_much(client.artists()).await?;
        let artists = artists.index.iter().flat_map(|i| &i.artist).filter_map(convert::artist).collect();
        self.take(&Page { batch: Batch { artists, ..Batch::default() }, before, ..Page::default() }).await?;
        Ok(())
    }

    /// Writes a page, and what the listener did to what is on it.
    async fn take(&self, page: &Page) -> Result<(), CatalogError> {
        let applied = self.catalog.apply(&page.batch).await?;
        let Batch { artists, albums, tracks } = &page.batch;
        let marks: Vec<(Item, Marks)> = artists
            .iter()
            .map(|a| (Item::Artist(a.id.clone()), a.marks))
            .chain(albums.iter().map(|a| (Item::Album(a.id.clone()), a.marks)))
            .chain(tracks.iter().map(|t| (Item::Track(t.id.clone()), t.marks)))
            .collect();
        let adopted = self.adopt(&marks, page.before).await?;
        if applied.any() || adopted {
            self.link.news();
        }
        Ok(())
    }

    /// Takes over marks, unless something was delivered since they were asked for: then they may be older than
    /// what the listener did, and the next look brings better ones.
    async fn adopt(&self, marks: &[(Item, Marks)], before: u64) -> Result<bool, CatalogError> {
        let delivered = self.delivered.lock().await;
        if *delivered != before {
            return Ok(false);
        }
        Ok(self.catalog.listener(&self.account).adopt_marks(marks).await? > 0)
    }

    /// Takes over what other players starred and unstarred.
    async fn stars(&self) -> Result<(), SyncError> {
        let before = *self.delivered.lock().await;
        let found = match self.link.ask_much(self.link.client.starred2()).await {
            Ok(found) => found,
            Err(error) if error.is_network() => return Err(error.into()),
            Err(_) => return Ok(()),
        };
        let artists: Vec<Artist> = found.artist.iter().filter_map(convert::artist).collect();
        let albums: Vec<Album> = found.album.iter().filter_map(convert::album).collect();
        let tracks: Vec<Track> = found.song.iter().filter_map(convert::track).collect();
        let mut marks: Vec<(Item, Marks)> = Vec::new();
        marks.extend(artists.into_iter().map(|a| (Item::Artist(a.id), a.marks)));
        marks.extend(albums.into_iter().map(|a| (Item::Album(a.id), a.marks)));
        marks.extend(tracks.into_iter().map(|t| (Item::Track(t.id), t.marks)));
        let theirs: HashSet<Item> = marks.iter().map(|(item, _)| item.clone()).collect();
        let ours = self.catalog.listener(&self.account).starred().await?;
        let ours = (ours.artists.into_iter().map(|a| (Item::Artist(a.id), a.marks)))
            .chain(ours.albums.into_iter().map(|a| (Item::Album(a.id), a.marks)))
            .chain(ours.tracks.into_iter().map(|t| (Item::Track(t.id), t.marks)));
        let unstarred = ours.filter(|(item, _)| !theirs.contains(item));
        marks.extend(unstarred.map(|(item, marks)| (item, Marks { starred_at: None, ..marks })));
        if self.adopt(&marks, before).await? {
            self.link.news();
        }
        Ok(())
    }

    /// Takes over what the listener decided about their data elsewhere.
    async fn decisions(&self) -> Result<(), SyncError> {
        if !self.link.extends("seguePrivacy").await {
            return Ok(());
        }
        let before = *self.delivered.lock().await;
        let Ok(privacy) = self.link.ask(self.link.client.privacy()).await else { return Ok(()) };
        let delivered = self.delivered.lock().await;
        if *delivered != before {
            return Ok(());
        }
        let listener = self.catalog.listener(&self.account);
        for decision in privacy.purpose.iter().filter(|decision| decision.decided.is_some()) {
            let Some(purpose) = Purpose::of(&decision.name) else { continue };
            let version = decision.version.unwrap_or(Purpose::TEXT_VERSION);
            listener.decided_elsewhere(purpose, decision.on, version).await?;
        }
        Ok(())
    }

    /// Takes over playlists; reads their entries only when the list of them changed.
    async fn playlists(&mut self) -> Result<(), SyncError> {
        let before = *self.delivered.lock().await;
        let client = &self.link.client;
        let wire = match self.link.ask_much(client.playlists()).await {
            Ok(lists) => lists,
            Err(error) if error.is_network() => return Err(error.into()),
            Err(_) => return Ok(()),
        };
        let lists: Vec<Playlist> = wire.iter().filter_map(convert::playlist).collect();
        if self.lists.as_ref() == Some(&lists) {
            return Ok(());
        }
        let mut full = Vec::with_capacity(lists.len());
        for list in &lists {
            let id: &PlaylistId = &list.id;
            match self.link.ask_much(client.playlist(id)).await {
                Ok(wire) => {
                    let tracks =
                        wire.entry.iter().flatten().filter_map(convert::track).map(|t| t.id).collect();
                    full.push((convert::playlist(&wire).unwrap_or_else(|| list.clone()), tracks));
                }
                // Deleted a moment ago.
                Err(ClientError::Api { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let delivered = self.delivered.lock().await;
        if *delivered != before {
            return Ok(());
        }
        let changed = self.catalog.listener(&self.account).adopt_playlists(&full).await?;
        drop(delivered);
        self.lists = Some(lists);
        if changed > 0 {
            self.link.news();
        }
        Ok(())
    }
}

/// Whether nothing can have changed since the last complete pass.
fn same(done: Option<&Cursor>, now: &Cursor) -> bool {
    let Some(done) = done else { return false };
    let told = now.last_scan.is_some() || (0..BELIEVED_MS).contains(&(now.at - done.at));
    told && done.server == now.server && done.last_scan == now.last_scan && done.count == now.count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_due_when_the_server_scanned_or_does_not_say() {
        let done = Cursor { server: "a".into(), last_scan: Some("x".into()), count: Some(3), at: 0 };
        let later = |change: fn(&mut Cursor)| {
            let mut now = Cursor { at: BELIEVED_MS * 2, ..done.clone() };
            change(&mut now);
            same(Some(&done), &now)
        };
        assert!(later(|_| {}));
        assert!(!later(|c| c.count = Some(4)));
        assert!(!later(|c| c.last_scan = Some("y".into())));
        assert!(!later(|c| c.server = "b".into()));
        assert!(!same(None, &done));
        let silent = Cursor { last_scan: None, ..done };
        assert!(same(Some(&silent), &Cursor { at: 1000, ..silent.clone() }));
        assert!(!same(Some(&silent), &Cursor { at: BELIEVED_MS, ..silent.clone() }));
        assert!(!same(Some(&silent), &Cursor { at: -5, ..silent.clone() }), "the clock went back");
    }
}
