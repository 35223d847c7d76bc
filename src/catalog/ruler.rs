//! Where rows stand in the long sorted lists, without counting from the beginning each time.
//!
//! A list is read in windows. Deep in a million rows `OFFSET` walks over everything before the window, so beside each list stands
//! a ruler: every [`STEP`]th key. It is read once in the background when somebody first goes far, is good for as
//! long as the catalog does not change, and turns a place into a key to begin at, and a key into a place.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::sql;
use super::{Catalog, CatalogError, Listener, Stamp, apply::sql_int};
use crate::music::{AlbumId, ArtistId, TrackId, Window, fold};

/// Rows between two marks.
const STEP: u64 = 512;
/// Places up to here are reached quickly anyway.
const NEAR: u64 = 4 * STEP;

/// A list in the order of one folded text, then of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sorted {
    /// Artists that have albums of their own, by sort name.
    Artists,
    /// Albums by title.
    Albums,
    /// Tracks by title.
    Tracks,
}

/// The statements of one list.
struct Statements {
    /// Every so many rows their key.
    marks: &'static str,
    /// Rows from a key on, before a text.
    between: &'static str,
    /// Rows before a key.
    before: &'static str,
    /// The text by which a row is sorted.
    text: &'static str,
}

macro_rules! statements {
    ($from:literal, $text:literal) => {
        Statements {
            marks: concat!(
                "SELECT k, id FROM (SELECT ",
                $text,
                " AS k, id, ROW_NUMBER() OVER (ORDER BY ",
                $text,
                ", id) AS n FROM ",
                $from,
                ") x WHERE (n - 1) % $1 = 0 ORDER BY n"
            ),
            between: concat!(
                "SELECT COUNT(*) FROM ",
                $from,
                " AND (",
                $text,
                ", id) >= ($1, $2) AND (",
                $text,
                ", id) < ($3, $4)"
            ),
            before: concat!("SELECT COUNT(*) FROM ", $from, " AND (", $text, ", id) < ($1, $2)"),
            text: concat!("SELECT ", $text, " FROM ", $from, " AND id = $1"),
        }
    };
}

impl Sorted {
    const fn statements(self) -> Statements {
        match self {
            Self::Artists => statements!(
                "artists a WHERE (SELECT 1 FROM album_artists l WHERE l.artist_id = a.id AND l.role = 'artist' LIMIT 1) = 1",
                "sort_fold"
            ),
            Self::Albums => statements!("albums WHERE 1 = 1", "title_fold"),
            Self::Tracks => statements!("tracks WHERE 1 = 1", "title_fold"),
        }
    }
}

/// Every so manieth key of a list.
#[derive(Debug)]
struct Ruler {
    stamp: Option<Stamp>,
    marks: Vec<(String, String)>,
}

/// The rulers of one catalog.
#[derive(Debug, Default)]
pub(super) struct Rulers {
    known: Mutex<HashMap<Sorted, Arc<Ruler>>>,
    reading: AtomicBool,
}

/// Where to begin to read: after so many rows from a key on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) text: String,
    pub(super) id: String,
    pub(super) skip: i64,
}

impl Catalog {
    fn ruler(&self, list: Sorted) -> Option<Arc<Ruler>> {
        // A ruler is of the whole; who sees a part counts.
        if self.is_narrowed() {
            return None;
        }
        let stamp = self.stamp();
        let known = self.rulers.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&list).filter(|ruler| stamp.is_some() && ruler.stamp == stamp).cloned()
    }

    /// Where to begin to read a window of a list.
    pub(super) fn start_of(&self, list: Sorted, window: Window) -> Start {
        let plain = Start { skip: sql_int(window.offset), ..Start::default() };
        if window.offset < NEAR {
            return plain;
        }
        let Some(ruler) = self.ruler(list) else {
            self.read_ruler(list);
            return plain;
        };
        let at = usize::try_from(window.offset / STEP).unwrap_or(usize::MAX);
        match ruler.marks.get(at).or(ruler.marks.last()) {
            Some((text, id)) => {
                let before = (at.min(ruler.marks.len() - 1) as u64) * STEP;
                Start { text: text.clone(), id: id.clone(), skip: sql_int(window.offset - before) }
            }
            None => plain,
        }
    }

    /// Reads a ruler in the background, one at a time; none where nobody could tell how long it is good.
    fn read_ruler(&self, list: Sorted) {
        let stamp = self.stamp();
        if stamp.is_none() || self.is_narrowed() || self.rulers.reading.swap(true, Ordering::AcqRel) {
            return;
        }
        let catalog = self.clone();
        tokio::spawn(async move {
            let read =
                sql::query_as(list.statements().marks).bind(sql_int(STEP)).fetch_all(catalog.reader()).await;
            match read {
                Ok(marks) => {
                    let ruler = Arc::new(Ruler { stamp, marks });
                    let mut known = catalog.rulers.known.lock().unwrap_or_else(PoisonError::into_inner);
                    known.insert(list, ruler);
                }
                Err(error) => tracing::warn!(%error, "a long list could not be measured"),
            }
            catalog.rulers.reading.store(false, Ordering::Release);
        });
    }

    /// How many rows stand before a key.
    async fn place(&self, list: Sorted, text: &str, id: &str) -> Result<u64, CatalogError> {
        let statements = list.statements();
        let Some(ruler) = self.ruler(list) else {
            self.read_ruler(list);
            let before: i64 =
                sql::query_scalar(statements.before).bind(text).bind(id).fetch_one(self.reader()).await?;
            return Ok(u64::try_from(before).unwrap_or(0));
        };
        let after = ruler.marks.partition_point(|(t, i)| (t.as_str(), i.as_str()) < (text, id));
        let Some(at) = after.checked_sub(1) else { return Ok(0) };
        let Some((from, from_id)) = ruler.marks.get(at) else { return Ok(0) };
        let between: i64 = sql::query_scalar(statements.between)
            .bind(from)
            .bind(from_id)
            .bind(text)
            .bind(id)
            .fetch_one(self.reader())
            .await?;
        Ok(at as u64 * STEP + u64::try_from(between).unwrap_or(0))
    }

    async fn place_of(&self, list: Sorted, id: &str) -> Result<Option<u64>, CatalogError> {
        let text: Option<String> =
            sql::query_scalar(list.statements().text).bind(id).fetch_optional(self.reader()).await?;
        match text {
            Some(text) => Ok(Some(self.place(list, &text, id).await?)),
            None => Ok(None),
        }
    }
}

impl Listener {
    /// Where letters lead in a sorted list: how many rows stand before the first that begins so, or that comes after them.
    pub async fn place_of_letters(&self, list: Sorted, letters: &str) -> Result<u64, CatalogError> {
        self.catalog.place(list, &fold(letters), "").await
    }

    /// Where an artist stands in the list of all, counted from 0.
    pub async fn place_of_artist(&self, id: &ArtistId) -> Result<Option<u64>, CatalogError> {
        self.catalog.place_of(Sorted::Artists, id.as_str()).await
    }

    /// Where an album stands among all by title, counted from 0.
    pub async fn place_of_album(&self, id: &AlbumId) -> Result<Option<u64>, CatalogError> {
        self.catalog.place_of(Sorted::Albums, id.as_str()).await
    }

    /// Where a track stands among all by title, counted from 0.
    pub async fn place_of_track(&self, id: &TrackId) -> Result<Option<u64>, CatalogError> {
        self.catalog.place_of(Sorted::Tracks, id.as_str()).await
    }
}
