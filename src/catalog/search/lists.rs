//! Playlists among the results. There are few, so their index is made anew whenever the catalog has changed.

use std::sync::{Arc, PoisonError};

use super::{Hit, Query, view};
use crate::catalog::sql;
use crate::catalog::{
    CatalogError, Listener, Stamp,
    index::{Builder, Entry, Shelf},
};
use crate::music::{Playlist, PlaylistId, Window};

/// Playlists that one account may read, by their words.
#[derive(Debug)]
pub(super) struct Lists {
    stamp: Option<Stamp>,
    shelf: Shelf,
}

/// Playlists that answer a query, best first.
pub(super) async fn find(
    me: &Listener,
    query: &Query,
    window: Window,
) -> Result<Vec<(Hit, Playlist)>, CatalogError> {
    if !query.is_plain() {
        return Ok(Vec::new());
    }
    let whole = |n| usize::try_from(n).unwrap_or(usize::MAX);
    let hits = lists(me).await?.shelf.find(query, whole(window.offset), whole(window.limit));
    let mut found = Vec::with_capacity(hits.len());
    for hit in hits {
        if let Some(playlist) = me.playlist_alone(&PlaylistId::from(hit.id.as_str())).await? {
            found.push((hit, playlist));
        }
    }
    Ok(found)
}

async fn lists(me: &Listener) -> Result<Arc<Lists>, CatalogError> {
    let stamp = me.catalog.stamp();
    let known = || me.catalog.search.lists.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(lists) = known().get(&me.account)
        && stamp.is_some()
        && lists.stamp == stamp
    {
        return Ok(Arc::clone(lists));
    }
    let rows: Vec<(String, String, String)> =
        sql::query_as("SELECT id, name, comment FROM playlists WHERE account_id = $1 OR public ORDER BY id")
            .bind(me.account.as_str())
            .fetch_all(me.catalog.reader())
            .await?;
    let mut builder = Builder::default();
    for (id, name, comment) in &rows {
        builder.add(&Entry { id, title: name, artist: comment, ..Entry::default() });
    }
    let lists = Arc::new(Lists { stamp, shelf: Shelf::new(builder.finish()) });
    let mut known = known();
    if known.len() >= view::ACCOUNTS && !known.contains_key(&me.account) {
        known.clear();
    }
    known.insert(me.account.clone(), Arc::clone(&lists));
    Ok(lists)
}
