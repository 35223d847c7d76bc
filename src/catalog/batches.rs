//! Plays of many listeners in one transaction: what a server writes when many tell it of plays at once.
//!
//! A play's key is who heard which track from when on, so one that is told of twice, in one batch or in two, by one process or
//! by two, is kept and counted once. Each transaction that keeps plays has a number ([`next`]), which `exports` reads by.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::plays::word;
use super::sql::{self, again};
use super::{Catalog, CatalogError, apply::sql_int, bulk, locks, rows::Cells, search};
use crate::music::{AccountId, Play, PlayContext, Purpose};

/// A play of an account of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPlay {
    /// Whose.
    pub account: AccountId,
    /// The play.
    pub play: Play,
    /// Where and how it came about.
    pub context: PlayContext,
    /// Whether the player said when it began. Where it did not, a play of the same track that is kept and is younger than half of
    /// the track, or four minutes, is taken for this one: nobody can have heard enough of it again.
    pub timed: bool,
}

/// What is known of a track.
struct Known {
    duration_ms: u64,
    album: Option<String>,
}

impl Known {
    /// The least time between two plays of it that count, ms.
    fn least(&self) -> i64 {
        sql_int((self.duration_ms / 2).min(Play::LONG_ENOUGH_MS))
    }
}

/// A play's key: account, track, beginning.
type Key<'a> = (&'a str, &'a str, i64);

impl Catalog {
    /// Keeps plays, all of them or, with an error, none; says of each whether it was news. Not kept, and no error, are those that
    /// are kept already, of tracks and accounts that are gone, and of listeners who want no history.
    pub async fn record_plays(&self, plays: &[NewPlay]) -> Result<Vec<bool>, CatalogError> {
        if plays.is_empty() {
            return Ok(Vec::new());
        }
        let accounts = distinct(plays.iter().map(|new| new.account.as_str()));
        let tracks = distinct(plays.iter().map(|new| new.play.track.as_str()));
        again!({
            let mut tx = self.writer().begin().await?;
            locks::take_accounts(&mut tx, &accounts).await?;
            let welcome = who_keep_history(&mut tx, &accounts).await?;
            let known = known(&mut tx, &tracks).await?;
            let candidates = {
                let wanted = |new: &&NewPlay| {
                    welcome.contains(new.account.as_str()) && known.contains_key(new.play.track.as_str())
                };
                let wanted: Vec<&NewPlay> = plays.iter().filter(wanted).collect();
                without_repeats(&mut tx, &wanted, &known).await?
            };
            if candidates.is_empty() {
                return Ok(vec![false; plays.len()]);
            }
            let batch = next(&mut tx).await?;
            let kept = insert(&mut tx, &candidates, batch).await?;
            if kept.is_empty() {
                return Ok(vec![false; plays.len()]);
            }
            let news = |new: &&&NewPlay| kept.contains(&key_of(new));
            let counted: Vec<&NewPlay> = candidates.iter().filter(news).copied().collect();
            count(&mut tx, &counted, &known).await?;
            tx.commit().await?;
            let mut left: HashSet<Key<'_>> = kept;
            Ok(plays.iter().map(|new| left.remove(&key_of(new))).collect())
        })
    }
}

/// The number of this transaction among those that keep plays. Whoever comes next waits until this one has ended, so that none
/// is seen before a smaller one.
pub(super) async fn next(conn: &mut sql::Connection) -> Result<i64, sql::Error> {
    sql::query_scalar(
        "INSERT INTO play_batches (id, newest) VALUES (1, 1) \
         ON CONFLICT (id) DO UPDATE SET newest = play_batches.newest + 1 RETURNING newest",
    )
    .fetch_one(conn)
    .await
}

fn key_of(new: &NewPlay) -> Key<'_> {
    (new.account.as_str(), new.play.track.as_str(), new.play.started_at)
}

fn distinct<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    ids.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// The accounts among these that are still there and whose history may be kept.
async fn who_keep_history(
    conn: &mut sql::Connection,
    accounts: &[&str],
) -> Result<HashSet<String>, sql::Error> {
    let mut welcome = HashSet::with_capacity(accounts.len());
    let decided = "SELECT account_id, given FROM consents WHERE purpose = $1 AND account_id IN";
    for group in bulk::groups(accounts) {
        let there = bulk::with_ids(("SELECT id FROM accounts WHERE id IN", 1, ""), &[], &group);
        for row in there.fetch_all(&mut *conn).await? {
            welcome.insert(row.try_get::<String, _>(0)?);
        }
        let shape = (decided, 2, "ORDER BY account_id, sequence");
        let decided = bulk::with_ids(shape, &[Purpose::History.word()], &group);
        let mut last = HashMap::new();
        for row in decided.fetch_all(&mut *conn).await? {
            last.insert(row.try_get::<String, _>(0)?, row.try_get::<bool, _>(1)?);
        }
        welcome.retain(|account| last.get(account).copied().unwrap_or(true));
    }
    Ok(welcome)
}

async fn known(conn: &mut sql::Connection, tracks: &[&str]) -> Result<HashMap<String, Known>, sql::Error> {
    let mut known = HashMap::with_capacity(tracks.len());
    for group in bulk::groups(tracks) {
        let head = "SELECT id, duration_ms, album_id FROM tracks WHERE id IN";
        for row in bulk::with_ids((head, 1, ""), &[], &group).fetch_all(&mut *conn).await? {
            let mut c = Cells::of(&row);
            let id: String = c.get()?;
            known.insert(id, Known { duration_ms: c.number()?.unwrap_or(0), album: c.get()? });
        }
    }
    Ok(known)
}

/// Each play once; those without a time of their own only where they cannot be one that is kept.
async fn without_repeats<'a>(
    conn: &mut sql::Connection,
    plays: &[&'a NewPlay],
    known: &HashMap<String, Known>,
) -> Result<Vec<&'a NewPlay>, sql::Error> {
    let mut latest = HashMap::new();
    for new in plays.iter().filter(|new| !new.timed) {
        let (account, track, _) = key_of(new);
        let sql = "SELECT MAX(started_at) FROM plays WHERE account_id = $1 AND track_id = $2";
        let last: Option<i64> =
            sql::query(sql).bind(account).bind(track).fetch_one(&mut *conn).await?.try_get(0)?;
        latest.insert((account, track), last.unwrap_or(i64::MIN));
    }
    let mut seen = HashSet::with_capacity(plays.len());
    let mut once = Vec::with_capacity(plays.len());
    for new in plays {
        let (account, track, at) = key_of(new);
        if let Some(latest) = latest.get_mut(&(account, track)) {
            let least = known.get(track).map_or(0, Known::least);
            if !new.timed && at.saturating_sub(*latest) < least {
                continue;
            }
            *latest = at.max(*latest);
        }
        if seen.insert((account, track, at)) {
            once.push(*new);
        }
    }
    Ok(once)
}

/// Writes the rows that are not there, and says which those were.
async fn insert<'a>(
    conn: &mut sql::Connection,
    plays: &[&'a NewPlay],
    batch: i64,
) -> Result<HashSet<Key<'a>>, CatalogError> {
    let mut rows = Vec::with_capacity(plays.len());
    for new in plays {
        rows.push((*new, word(new.play.start)?, word(new.play.end)?));
    }
    let head = "INSERT INTO plays (account_id, track_id, started_at, heard_ms, start_reason, end_reason, offset_minutes, \
                device, source, batch)";
    let tail = "ON CONFLICT DO NOTHING RETURNING account_id, track_id, started_at";
    let returned = bulk::insert_returning(conn, (head, 10, tail), &rows, |q, (new, start, end)| {
        q.bind(new.account.as_str())
            .bind(new.play.track.as_str())
            .bind(new.play.started_at)
            .bind(sql_int(new.play.heard_ms))
            .bind(start)
            .bind(end)
            .bind(i64::from(new.context.offset_minutes))
            .bind(&new.context.device)
            .bind(&new.context.source)
            .bind(batch)
    })
    .await?;
    let mut news = HashSet::with_capacity(returned.len());
    for row in &returned {
        news.insert((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?, row.try_get::<i64, _>(2)?));
    }
    let is_news = |(account, track, at): Key<'_>| news.contains(&(account.to_owned(), track.to_owned(), at));
    Ok(plays.iter().map(|new| key_of(new)).filter(|key| is_news(*key)).collect())
}

/// Counts those that count for their track, its album and its artists.
async fn count(
    conn: &mut sql::Connection,
    plays: &[&NewPlay],
    known: &HashMap<String, Known>,
) -> Result<(), sql::Error> {
    let counts = |new: &&&NewPlay| {
        let track = known.get(new.play.track.as_str());
        track.is_some_and(|track| Play::counts(new.play.heard_ms, track.duration_ms))
    };
    let counted: Vec<&&NewPlay> = plays.iter().filter(counts).collect();
    let tracks = distinct(counted.iter().map(|new| new.play.track.as_str()));
    let mut artists: HashMap<String, Vec<String>> = HashMap::new();
    let head = "SELECT DISTINCT track_id, artist_id FROM track_artists WHERE role = 'artist' AND track_id IN";
    for group in bulk::groups(&tracks) {
        for row in bulk::with_ids((head, 1, ""), &[], &group).fetch_all(&mut *conn).await? {
            artists.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
        }
    }
    // How many, and when the last of them began, by account, kind and item.
    let mut sums: BTreeMap<(&str, &'static str, &str), (i64, i64)> = BTreeMap::new();
    for new in &counted {
        let (account, track, at) = key_of(new);
        let album = known.get(track).and_then(|track| track.album.as_deref());
        let items = std::iter::once((search::Kind::Track, track))
            .chain(album.map(|id| (search::Kind::Album, id)))
            .chain(artists.get(track).into_iter().flatten().map(|id| (search::Kind::Artist, id.as_str())));
        for (kind, item) in items {
            let sum = sums.entry((account, kind.word(), item)).or_insert((0, i64::MIN));
            *sum = (sum.0 + 1, sum.1.max(at));
        }
    }
    let rows: Vec<_> = sums.into_iter().collect();
    let head = "INSERT INTO marks (account_id, kind, item_id, play_count, played_at)";
    let tail = "ON CONFLICT (account_id, kind, item_id) DO UPDATE SET \
                play_count = marks.play_count + excluded.play_count, \
                played_at = CASE WHEN marks.played_at > excluded.played_at THEN marks.played_at \
                ELSE excluded.played_at END";
    bulk::insert(conn, (head, 5, tail), &rows, |q, ((account, kind, item), (plays, last))| {
        q.bind(*account).bind(*kind).bind(*item).bind(*plays).bind(*last)
    })
    .await?;
    let notes: Vec<(&str, &str, &str)> = rows.iter().map(|(key, _)| *key).collect();
    search::marked_all(conn, &notes).await
}
