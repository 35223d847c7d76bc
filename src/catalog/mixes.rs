//! Playlists that were made for a listener, kept so that they are there at once, without a network, and the same all day.
//!
//! `mixing` makes them and hands them to [`Listener::keep_mixes`], which replaces what was there in one transaction: a
//! reader sees all of the old ones or all of the new ones.

use std::collections::{HashMap, HashSet};

use super::sql::{self, again};
use super::{Catalog, CatalogError, Listener, apply::sql_int, bulk, rows::Cells};
use crate::music::{ArtistId, CoverId, Item, Mix, Pick, Track, TrackId};

/// What mixes were made of; when it differs from how things stand, they are old.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MixesMade {
    /// Unix time in ms.
    pub at: i64,
    /// The listener's day since 1970.
    pub day: i64,
    /// The part of the day: `morning`, …
    pub part: String,
    /// How much there was to make them of.
    pub of: ListeningSize,
}

/// How much there is to make mixes of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListeningSize {
    /// The listener's plays.
    pub plays: u64,
    /// Tracks of the library.
    pub tracks: u64,
    /// Tracks whose sound was analysed.
    pub sounds: u64,
}

/// A mix as it is kept; picks whose tracks are gone are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMix {
    /// The mix.
    pub mix: Mix,
    /// Sum of its tracks in milliseconds.
    pub duration_ms: u64,
    /// The picture of its first track that has one.
    pub cover: Option<CoverId>,
}

impl Listener {
    /// All mixes in the order of their showing; none that has nothing left in it.
    pub async fn mixes(&self) -> Result<Vec<KeptMix>, CatalogError> {
        let account = self.account.as_str();
        let mut conn = self.catalog.reader().acquire().await?;
        let sql = "SELECT id, name, about, why FROM mixes WHERE account_id = $1 ORDER BY place, id";
        let mut mixes = Vec::new();
        for row in sql::query(sql).bind(account).fetch_all(&mut *conn).await? {
            let mut c = Cells::of(&row);
            let mix = Mix { id: c.get()?, name: c.get()?, about: c.get()?, why: c.get()?, picks: Vec::new() };
            mixes.push(KeptMix { mix, duration_ms: 0, cover: None });
        }
        let places: HashMap<String, usize> =
            mixes.iter().enumerate().map(|(at, kept)| (kept.mix.id.clone(), at)).collect();
        let sql = "SELECT m.mix_id, m.track_id, m.why, t.duration_ms, t.cover_id FROM mix_tracks m \
                   JOIN tracks t ON t.id = m.track_id WHERE m.account_id = $1 ORDER BY m.mix_id, m.place";
        for row in sql::query(sql).bind(account).fetch_all(&mut *conn).await? {
            let mut c = Cells::of(&row);
            let id: String = c.get()?;
            let Some(kept) = places.get(&id).and_then(|at| mixes.get_mut(*at)) else { continue };
            kept.mix.picks.push(Pick { track: c.get::<String>()?.into(), why: c.get()? });
            kept.duration_ms += c.number()?.unwrap_or(0);
            let cover: Option<String> = c.get()?;
            kept.cover = kept.cover.take().or(cover.map(CoverId::from));
        }
        mixes.retain(|kept| !kept.mix.picks.is_empty());
        Ok(mixes)
    }

    /// One mix with its tracks, in the order of its picks.
    pub async fn mix(&self, id: &str) -> Result<Option<(KeptMix, Vec<Track>)>, CatalogError> {
        let Some(kept) = self.mixes().await?.into_iter().find(|kept| kept.mix.id == id) else {
            return Ok(None);
        };
        let ids: Vec<TrackId> = kept.mix.picks.iter().map(|pick| pick.track.clone()).collect();
        let tracks = self.tracks(&ids).await?;
        Ok(Some((kept, tracks)))
    }

    /// Tracks that this listener will probably want to hear, the likeliest first: the first pick of every mix, then the
    /// second of each, and so on.
    pub async fn likely_tracks(&self) -> Result<Vec<TrackId>, CatalogError> {
        let sql = "SELECT k.track_id FROM mix_tracks k JOIN mixes m ON m.account_id = k.account_id AND m.id = k.mix_id \
                   WHERE k.account_id = $1 ORDER BY k.place, m.place, m.id";
        let ids: Vec<String> =
            sql::query_scalar(sql).bind(self.account.as_str()).fetch_all(self.catalog.reader()).await?;
        let mut seen = HashSet::with_capacity(ids.len());
        Ok(ids.into_iter().map(TrackId::from).filter(|id| seen.insert(id.clone())).collect())
    }

    /// Why a track was picked: by the mix that is called so, or else by any.
    pub async fn picked_because(
        &self,
        track: &TrackId,
        mix_name: &str,
    ) -> Result<Option<(String, String)>, CatalogError> {
        let sql = "SELECT m.name, k.why FROM mix_tracks k JOIN mixes m ON m.account_id = k.account_id \
                   AND m.id = k.mix_id WHERE k.account_id = $1 AND k.track_id = $2 \
                   ORDER BY CASE WHEN m.name = $3 THEN 0 ELSE 1 END, m.place LIMIT 1";
        let row = sql::query(sql)
            .bind(self.account.as_str())
            .bind(track.as_str())
            .bind(mix_name)
            .fetch_optional(self.catalog.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut c = Cells::of(&row);
        Ok(Some((c.get()?, c.get()?)))
    }

    /// Puts these mixes in the place of all that were there, at once. What the listener asked less of since they were begun
    /// is left out.
    pub async fn keep_mixes(&self, mixes: &[Mix], made: &MixesMade) -> Result<(), CatalogError> {
        let account = self.account.as_str();
        again!({
            let mut tx = self.write().await?;
            forget(&mut tx, account).await?;
            let heads: Vec<(i64, &Mix)> = (0..).zip(mixes).collect();
            let head = ("INSERT INTO mixes (account_id, id, place, name, about, why)", 6, "");
            bulk::insert(&mut tx, head, &heads, |q, (place, mix)| {
                let q = q.bind(self.account.as_str().to_owned()).bind(mix.id.clone()).bind(*place);
                q.bind(mix.name.clone()).bind(mix.about.clone()).bind(mix.why.clone())
            })
            .await?;
            let picks: Vec<(&str, i64, &Pick)> = mixes
                .iter()
                .flat_map(|mix| (0..).zip(&mix.picks).map(|(place, pick)| (mix.id.as_str(), place, pick)))
                .collect();
            let head = ("INSERT INTO mix_tracks (account_id, mix_id, place, track_id, why)", 5, "");
            bulk::insert(&mut tx, head, &picks, |q, (mix, place, pick)| {
                let q = q.bind(self.account.as_str().to_owned()).bind((*mix).to_owned()).bind(*place);
                q.bind(pick.track.as_str().to_owned()).bind(pick.why.clone())
            })
            .await?;
            for kind in ["track", "artist"] {
                leave_out(&mut tx, account, kind, None).await?;
            }
            let sql = "INSERT INTO mixes_made (account_id, made_at, day, part, plays, tracks, sounds) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7)";
            sql::query(sql)
                .bind(account)
                .bind(made.at)
                .bind(made.day)
                .bind(&made.part)
                .bind(sql_int(made.of.plays))
                .bind(sql_int(made.of.tracks))
                .bind(sql_int(made.of.sounds))
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Lets the mixes count as old, so that they are made again at the next look; until then they stay.
    pub async fn let_mixes_age(&self) -> Result<(), CatalogError> {
        sql::query("DELETE FROM mixes_made WHERE account_id = $1")
            .bind(self.account.as_str())
            .execute(self.catalog.writer())
            .await?;
        Ok(())
    }

    /// Forgets all mixes.
    pub async fn forget_mixes(&self) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            forget(&mut tx, self.account.as_str()).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// What the kept mixes were made of; none where there are none.
    pub async fn mixes_made(&self) -> Result<Option<MixesMade>, CatalogError> {
        let sql = "SELECT made_at, day, part, plays, tracks, sounds FROM mixes_made WHERE account_id = $1";
        let row = sql::query(sql).bind(self.account.as_str()).fetch_optional(self.catalog.reader()).await?;
        let Some(row) = row else { return Ok(None) };
        let mut c = Cells::of(&row);
        let (at, day, part) = (c.get()?, c.get()?, c.get()?);
        let mut count = || Ok::<u64, sql::Error>(c.number()?.unwrap_or(0));
        let of = ListeningSize { plays: count()?, tracks: count()?, sounds: count()? };
        Ok(Some(MixesMade { at, day, part, of }))
    }

    /// How much there is to make mixes of at this moment. `sonic_version` says which figures of sound count.
    pub async fn listening_size(&self, sonic_version: u32) -> Result<ListeningSize, CatalogError> {
        let sql = "SELECT (SELECT COUNT(*) FROM plays WHERE account_id = $1), (SELECT COUNT(*) FROM tracks), \
                   (SELECT COUNT(*) FROM sonic WHERE version = $2 AND error IS NULL)";
        let row = sql::query(sql)
            .bind(self.account.as_str())
            .bind(i64::from(sonic_version))
            .fetch_one(self.catalog.reader())
            .await?;
        let mut c = Cells::of(&row);
        let mut count = || Ok::<u64, sql::Error>(c.number()?.unwrap_or(0));
        Ok(ListeningSize { plays: count()?, tracks: count()?, sounds: count()? })
    }

    /// Tracks that were heard since a moment (Unix time in ms), the newest first.
    pub async fn heard_since(&self, since: i64) -> Result<Vec<TrackId>, CatalogError> {
        let sql =
            "SELECT track_id FROM plays WHERE account_id = $1 AND started_at >= $2 ORDER BY started_at DESC";
        let ids: Vec<String> = sql::query_scalar(sql)
            .bind(self.account.as_str())
            .bind(since)
            .fetch_all(self.catalog.reader())
            .await?;
        Ok(ids.into_iter().map(TrackId::from).collect())
    }

    /// Whether the listener wants less of this very track or artist.
    pub async fn wants_less(&self, item: &Item) -> Result<bool, CatalogError> {
        let sql = "SELECT COUNT(*) FROM less WHERE account_id = $1 AND kind = $2 AND item_id = $3";
        let found: i64 = sql::query_scalar(sql)
            .bind(self.account.as_str())
            .bind(item.kind())
            .bind(item.id())
            .fetch_one(self.catalog.reader())
            .await?;
        Ok(found > 0)
    }
}

impl Catalog {
    /// Tracks that are played most by everybody who may be learned from, and then the newest: the same for whoever asks and may
    /// reach the same.
    pub async fn popular_tracks(&self, count: u64) -> Result<Vec<TrackId>, CatalogError> {
        let sql = "SELECT t.id FROM tracks t LEFT JOIN marks m ON m.kind = 'track' AND m.item_id = t.id \
                   AND m.play_count > 0 AND NOT EXISTS (SELECT 1 FROM unlearned u WHERE u.account_id = m.account_id) \
                   GROUP BY t.id, t.added_at \
                   ORDER BY CAST(COALESCE(SUM(m.play_count), 0) AS BIGINT) DESC, t.added_at DESC, t.id LIMIT $1";
        let ids: Vec<String> = sql::query_scalar(sql).bind(sql_int(count)).fetch_all(&self.stale()).await?;
        Ok(ids.into_iter().map(TrackId::from).collect())
    }

    /// Tracks of an artist, those first that were played most by everybody who may be learned from.
    pub async fn top_tracks(&self, artist: &ArtistId, count: u64) -> Result<Vec<TrackId>, CatalogError> {
        let sql = "SELECT t.id FROM tracks t JOIN track_artists a ON a.track_id = t.id AND a.role = 'artist' \
                   LEFT JOIN marks m ON m.kind = 'track' AND m.item_id = t.id \
                   AND NOT EXISTS (SELECT 1 FROM unlearned u WHERE u.account_id = m.account_id) \
                   WHERE a.artist_id = $1 GROUP BY t.id \
                   ORDER BY CAST(COALESCE(SUM(m.play_count), 0) AS BIGINT) DESC, COUNT(m.starred_at) DESC, t.id LIMIT $2";
        let ids: Vec<String> = sql::query_scalar(sql)
            .bind(artist.as_str())
            .bind(sql_int(count))
            .fetch_all(&self.stale())
            .await?;
        Ok(ids.into_iter().map(TrackId::from).collect())
    }
}

pub(super) async fn forget(conn: &mut sql::Connection, account: &str) -> Result<(), sql::Error> {
    for sql in [
        "DELETE FROM mix_tracks WHERE account_id = $1",
        "DELETE FROM mixes WHERE account_id = $1",
        "DELETE FROM mixes_made WHERE account_id = $1",
    ] {
        sql::query(sql).bind(account).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Takes what is not wanted out of the mixes; `item` alone, or everything of that kind.
pub(super) async fn leave_out(
    conn: &mut sql::Connection,
    account: &str,
    kind: &str,
    item: Option<&str>,
) -> Result<(), sql::Error> {
    let sql = if kind == "track" {
        "DELETE FROM mix_tracks WHERE account_id = $1 AND track_id IN (SELECT item_id FROM less \
         WHERE account_id = $1 AND kind = 'track' AND ($2 = '' OR item_id = $2))"
    } else {
        "DELETE FROM mix_tracks WHERE account_id = $1 AND track_id IN (SELECT a.track_id FROM track_artists a \
         JOIN less l ON l.item_id = a.artist_id WHERE l.account_id = $1 AND l.kind = 'artist' \
         AND a.role = 'artist' AND a.position = 0 AND ($2 = '' OR l.item_id = $2))"
    };
    sql::query(sql).bind(account).bind(item.unwrap_or_default()).execute(conn).await?;
    Ok(())
}
