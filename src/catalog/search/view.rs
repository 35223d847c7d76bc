//! The index as it is now: loaded from its file, or built; then brought up to date from the log; built again in the
//! background when much has changed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::{Hit, Kind, Query, feed, log};
use crate::catalog::sql;
use crate::catalog::{
    Catalog, CatalogError, Stamp,
    index::{Entry, Mark, Owned, Segment, Shelf, file},
    outbox::put_setting,
};
use crate::music::{AccountId, Window};

/// The setting that says of which index file the log is the continuation, and from where: `NAME SEQUENCE`.
const SETTING: &str = "search.index";

/// Accounts whose marks are kept in memory.
pub(super) const ACCOUNTS: usize = 64;

/// Items of a catalog that is indexed so quickly that a search waits for it.
const SMALL: usize = 30_000;

/// The index of one catalog.
#[derive(Debug, Default)]
pub(in crate::catalog) struct Index {
    file: Option<PathBuf>,
    /// Whether other machines have indexes of the same catalog. Then this one lives in memory alone, and leaves the log to them.
    shared: bool,
    now: Mutex<Option<Arc<View>>>,
    turn: tokio::sync::Mutex<()>,
    building: AtomicBool,
    accounts: Mutex<HashMap<AccountId, Arc<Marked>>>,
    pub(super) lists: Mutex<HashMap<AccountId, Arc<super::lists::Lists>>>,
}

impl Index {
    /// Of the database in a file, beside which the index is kept, or of one that others use as well.
    pub(in crate::catalog) fn beside(database: Option<&Path>, shared: bool) -> Self {
        let file = database.map(|database| {
            let mut name = database.as_os_str().to_owned();
            name.push(".search");
            PathBuf::from(name)
        });
        Self { file, shared, ..Self::default() }
    }

    /// Forgets what is kept in memory of an account.
    pub(in crate::catalog) fn forget(&self, account: &AccountId) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }

    fn now(&self) -> Option<Arc<View>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, view: View) -> Arc<View> {
        let view = Arc::new(view);
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = Some(view.clone());
        view
    }
}

/// A note about a listener's marks.
#[derive(Debug, Clone)]
struct Marking {
    sequence: i64,
    account: String,
    kind: Kind,
    id: String,
}

/// The index at one place of the log.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Which file it began as.
    name: String,
    sequence: i64,
    /// The catalog when the log was last read.
    stamp: Option<Stamp>,
    shelves: [Shelf; 3],
    /// What the small segments are made of.
    recent: [BTreeMap<String, feed::Text>; 3],
    markings: Vec<Marking>,
}

impl View {
    fn of(name: String, sequence: i64, segments: [Segment; 3]) -> Self {
        let shelves = segments.map(Shelf::new);
        Self { name, sequence, stamp: None, shelves, recent: Default::default(), markings: Vec::new() }
    }

    pub(super) fn shelf(&self, kind: Kind) -> &Shelf {
        let [artists, albums, tracks] = &self.shelves;
        match kind {
            Kind::Artist => artists,
            Kind::Album => albums,
            Kind::Track => tracks,
        }
    }

    /// Results of a kind for a listener.
    pub(super) fn find(&self, kind: Kind, query: &Query, window: Window, owned: &Marked) -> Vec<Hit> {
        let whole = |n| usize::try_from(n).unwrap_or(usize::MAX);
        let (offset, limit) = (whole(window.offset), whole(window.limit));
        if limit == 0 {
            return Vec::new();
        }
        self.shelf(kind).find_for(query, offset, limit, owned.of(kind))
    }

    fn len(&self) -> usize {
        self.shelves.iter().map(Shelf::len).sum()
    }

    /// Whether so much has changed that it should be built again.
    fn is_worn(&self) -> bool {
        let changed: usize = self.shelves.iter().map(|s| s.changed().len()).sum();
        changed > (self.len() / 2).clamp(2_000, 20_000) || self.markings.len() > 20_000
    }
}

/// The index as the catalog is now.
pub(super) async fn view(catalog: &Catalog) -> Result<Arc<View>, CatalogError> {
    let index = &catalog.search;
    let stamp = catalog.stamp();
    let is_current = |view: &Arc<View>| stamp.is_some() && view.stamp == stamp;
    if let Some(view) = index.now().filter(is_current) {
        return Ok(view);
    }
    let _turn = index.turn.lock().await;
    if let Some(view) = index.now().filter(is_current) {
        return Ok(view);
    }
    let begun: Option<(String, i64)> = match index.now() {
        Some(view) if index.shared => Some((view.name.clone(), view.sequence)),
        None if index.shared => None,
        _ => catalog.setting(SETTING).await?.and_then(|setting| {
            let (name, sequence) = setting.split_once(' ')?;
            Some((name.to_owned(), sequence.parse().ok()?))
        }),
    };
    let known = match (index.now(), begun) {
        // Another process may have built it again, and shortened the log.
        (Some(view), Some((name, _))) if view.name == name => Some(View::clone(&view)),
        (_, Some((name, sequence))) => load(index, name, sequence).await,
        (_, None) => None,
    };
    let view = match known {
        Some(view) => catch_up(catalog, view).await?,
        None => None,
    };
    let view = match view {
        Some(view) if !view.is_worn() || index.building.load(Ordering::Acquire) => view,
        Some(view) if view.len() > SMALL => {
            build_beside(catalog);
            view
        }
        _ => Box::pin(build(catalog)).await?,
    };
    Ok(index.set(View { stamp, ..view }))
}

async fn load(index: &Index, name: String, sequence: i64) -> Option<View> {
    let path = index.file.clone()?;
    let loaded = tokio::task::spawn_blocking(move || {
        let segments = file::read(BufReader::with_capacity(1 << 20, File::open(&path)?), &name, 3)?;
        let segments = <[Segment; 3]>::try_from(segments).map_err(|_| std::io::ErrorKind::InvalidData)?;
        Ok::<_, std::io::Error>(View::of(name, sequence, segments))
    });
    match loaded.await.ok()? {
        Ok(view) => Some(view),
        Err(error) => {
            tracing::info!(%error, "the search index is built anew");
            None
        }
    }
}

/// The view with what the log has beyond it; none when it must be built again.
async fn catch_up(catalog: &Catalog, mut view: View) -> Result<Option<View>, CatalogError> {
    let mut conn = catalog.reader().snapshot().await?;
    let notes: Vec<(i64, String, String, String)> = sql::query_as(
        "SELECT sequence, kind, item_id, account_id FROM search_log WHERE sequence > $1 ORDER BY sequence",
    )
    .bind(view.sequence)
    .fetch_all(&mut *conn)
    .await?;
    let mut changed: HashMap<Kind, HashSet<String>> = HashMap::new();
    // Where others shorten the log, the beginning may be gone.
    if notes.first().is_some_and(|note| catalog.search.shared && note.0 > view.sequence + 1) {
        return Ok(None);
    }
    for (sequence, kind, id, account) in notes {
        view.sequence = sequence;
        match Kind::of(&kind) {
            None => return Ok(None),
            Some(kind) if account.is_empty() => {
                changed.entry(kind).or_default().insert(id);
            }
            Some(kind) => view.markings.push(Marking { sequence, account, kind, id }),
        }
    }
    let work = changed.values().map(HashSet::len).sum::<usize>();
    if work > SMALL.max(log::MOST as usize / 2) {
        return Ok(None);
    }
    for ((kind, shelf), recent) in Kind::ALL.into_iter().zip(&mut view.shelves).zip(&mut view.recent) {
        let Some(ids) = changed.remove(&kind) else { continue };
        let asked: Vec<&str> = ids.iter().map(String::as_str).collect();
        let texts = feed::items(&mut conn, kind, &asked).await?;
        for id in &ids {
            recent.remove(id);
        }
        recent.extend(texts.into_iter().map(|text| (text.id().to_owned(), text)));
        let entries: Vec<Entry> = recent.values().map(|text| text.entry(0)).collect();
        *shelf = shelf.with(shelf.changed().union(&ids).cloned().collect(), &entries);
    }
    Ok(Some(view))
}

/// Everything that can be found, and how far the log was then.
async fn everything(from: &sql::Pool) -> Result<(i64, [Segment; 3]), CatalogError> {
    let mut conn = from.snapshot().await?;
    let sequence: i64 =
        sql::query_scalar("SELECT COALESCE(MAX(sequence), 0) FROM search_log").fetch_one(&mut *conn).await?;
    let artists = feed::everything(&mut conn, Kind::Artist).await?;
    let albums = feed::everything(&mut conn, Kind::Album).await?;
    Ok((sequence, [artists, albums, feed::everything(&mut conn, Kind::Track).await?]))
}

/// Builds the index from everything, and keeps it in its file.
async fn build(catalog: &Catalog) -> Result<View, CatalogError> {
    let from = catalog.stale();
    let (sequence, segments) = match Box::pin(everything(&from)).await {
        // What a replica lacks the log brings; one that breaks off is not asked again.
        Err(error) if from.is_a_copy() => {
            tracing::debug!(%error, "the search index is read from the database itself");
            Box::pin(everything(catalog.reader())).await?
        }
        read => read?,
    };
    let name = Uuid::now_v7().simple().to_string();
    let view = View::of(name, sequence, segments);
    if let Some(file) = catalog.search.file.clone() {
        let name = view.name.clone();
        let bases: Vec<Arc<Segment>> = view.shelves.iter().map(|s| s.base().clone()).collect();
        let saved = tokio::task::spawn_blocking(move || save(&file, &name, &bases)).await;
        if let Ok(Err(error)) = saved {
            tracing::warn!(%error, "the search index could not be kept; it will be built again at the next start");
        }
    }
    if catalog.search.shared {
        return Ok(view);
    }
    let mut tx = catalog.write().await?;
    put_setting(&mut tx, SETTING, &format!("{} {sequence}", view.name)).await?;
    sql::query("DELETE FROM search_log WHERE sequence < $1").bind(sequence).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(view)
}

/// Builds the index again in any case, and shortens the log.
pub(in crate::catalog) async fn rebuild(catalog: &Catalog) -> Result<(), CatalogError> {
    let whole = catalog.whole();
    let _turn = whole.search.turn.lock().await;
    let view = Box::pin(build(&whole)).await?;
    whole.search.set(view);
    Ok(())
}

/// Writes a new file and puts it in the old one's place.
fn save(file: &Path, name: &str, segments: &[Arc<Segment>]) -> std::io::Result<()> {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let out = File::create(&part)?;
    let segments: Vec<&Segment> = segments.iter().map(AsRef::as_ref).collect();
    file::write(BufWriter::with_capacity(1 << 20, &out), name, &segments)?;
    out.sync_all()?;
    std::fs::rename(part, file)
}

/// Builds it again while searches go on with what there is.
fn build_beside(catalog: &Catalog) {
    if catalog.search.building.swap(true, Ordering::AcqRel) {
        return;
    }
    let catalog = catalog.clone();
    tokio::spawn(async move {
        let built = build(&catalog).await;
        match built {
            Ok(view) => drop(catalog.search.set(view)),
            Err(error) => tracing::warn!(%error, "the search index could not be built again"),
        }
        catalog.search.building.store(false, Ordering::Release);
    });
}

/// One account's marks, and where the marked items are in a view.
#[derive(Debug, Default)]
pub(super) struct Marked {
    name: String,
    sequence: i64,
    marks: [HashMap<String, Mark>; 3],
    owned: [Owned; 3],
}

impl Marked {
    fn of(&self, kind: Kind) -> &Owned {
        let [artists, albums, tracks] = &self.owned;
        match kind {
            Kind::Artist => artists,
            Kind::Album => albums,
            Kind::Track => tracks,
        }
    }
}

/// An account's marks as of a view.
pub(super) async fn owned(
    catalog: &Catalog,
    account: &AccountId,
    view: &View,
) -> Result<Arc<Marked>, CatalogError> {
    let accounts = || catalog.search.accounts.lock().unwrap_or_else(PoisonError::into_inner);
    let known = accounts().get(account).cloned();
    if let Some(known) = &known
        && known.name == view.name
        && known.sequence == view.sequence
    {
        return Ok(known.clone());
    }
    let known = known.filter(|known| known.name == view.name && known.sequence < view.sequence);
    let mut marked = Marked { name: view.name.clone(), sequence: view.sequence, ..Marked::default() };
    let mut unchanged = [false; 3];
    let mut conn = catalog.reader().acquire().await?;
    for (at, kind) in Kind::ALL.into_iter().enumerate() {
        let Some(known) = &known else {
            marked.marks[at] = feed::marks(&mut conn, account.as_str(), kind).await?;
            continue;
        };
        let since = view.markings.iter().rev().take_while(|m| m.sequence > known.sequence);
        let ids: HashSet<&str> = since
            .filter(|m| m.kind == kind && m.account == account.as_str())
            .map(|m| m.id.as_str())
            .collect();
        marked.marks[at].clone_from(&known.marks[at]);
        let ids: Vec<&str> = ids.into_iter().collect();
        for id in &ids {
            marked.marks[at].remove(*id);
        }
        let news = feed::marks_of(&mut conn, account.as_str(), kind, &ids).await?;
        marked.marks[at].extend(news);
        unchanged[at] = ids.is_empty();
    }
    for (at, unchanged) in unchanged.into_iter().enumerate() {
        let known = known.as_ref().map(|known| &known.owned[at]).filter(|_| unchanged);
        let marks = marked.marks[at].iter().map(|(id, mark)| (id.as_str(), *mark));
        marked.owned[at] = view.shelves[at].own(marks, known);
    }
    let marked = Arc::new(marked);
    let mut accounts = accounts();
    if accounts.len() >= ACCOUNTS && !accounts.contains_key(account) {
        accounts.clear();
    }
    accounts.insert(account.clone(), marked.clone());
    Ok(marked)
}
