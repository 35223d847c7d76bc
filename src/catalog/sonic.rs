//! What tracks sound like: one row for each track that was heard by `taste::sonic`.
//!
//! Who analyses asks for [`Catalog::unheard`], hears those files, and hands each in with [`Catalog::put_heard`] (a file
//! that cannot be heard too, so that it is not tried again until it is another one). A row belongs to one version of the
//! formulas and one size of the file; a row that is behind in either counts as unheard. When
//! all of an album was heard ([`Catalog::unmeasured_albums`]), [`Catalog::put_measured_gains`] writes its loudness to where
//! it fills in what the tags lack.
//!
//! Who makes playlists reads: [`Catalog::sonic`] for a few tracks by id, in full; [`Catalog::sonic_vectors`] for the
//! vectors of the whole library as one matrix to search (`taste::sonic::Neighbours`); [`Catalog::all_sonic`] for
//! the scores of the whole library, without vectors. The same on a server and on a player.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use futures_util::TryStreamExt as _;

use super::apply::sql_int;
use super::rows::Cells;
use super::sql::{self, again};
use super::{Catalog, CatalogError, Slice, bulk, path_from_text, slices};
use crate::music::{AlbumId, ReplayGain, Sonic, TrackId};

/// A track that is to be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheard {
    /// Its id.
    pub track: TrackId,
    /// The album that it is on.
    pub album: Option<AlbumId>,
    /// Bytes of its file.
    pub size: u64,
    /// The file's extension without a dot.
    pub suffix: String,
    /// Where a scan found it; `None` on a player.
    pub path: Option<PathBuf>,
    /// The part of that file that it is, where it is not all of it.
    pub slice: Option<Slice>,
}

/// What came of hearing a track.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The track.
    pub track: TrackId,
    /// Bytes of the file, as [`Unheard`] had them.
    pub size: u64,
    /// The formulas that were used; also when it failed.
    pub version: u32,
    /// Its gating blocks counted by loudness, in the notation of `taste::sonic`; empty when it failed.
    pub blocks: String,
    /// The figures, or in one sentence why there are none.
    pub sound: Result<Sonic, String>,
}

/// How far the analysis of the library is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SonicProgress {
    /// Tracks in the catalog.
    pub tracks: u64,
    /// Those with figures of the version asked for.
    pub heard: u64,
    /// Those that could not be heard.
    pub failed: u64,
}

/// The vectors of the whole library as one row-major matrix.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SonicVectors {
    /// Rows, in the order of the matrix (by id).
    pub tracks: Vec<TrackId>,
    /// Length of a row.
    pub width: usize,
    /// `tracks.len() * width` values.
    pub values: Vec<f32>,
}

impl Catalog {
    /// The next tracks without figures of this version of the formulas, behind `after` in the order of ids, at most `limit`.
    pub async fn unheard(
        &self,
        version: u32,
        after: Option<&TrackId>,
        limit: u32,
    ) -> Result<Vec<Unheard>, CatalogError> {
        let sql = "SELECT t.id, t.album_id, t.size, t.suffix, \
                   (SELECT MIN(f.path) FROM files f WHERE f.track_id = COALESCE(s.whole_id, t.id)), \
                   s.number, s.first_frame, s.end_frame, s.rate, s.channels, s.bits \
                   FROM tracks t LEFT JOIN slices s ON s.track_id = t.id WHERE NOT EXISTS (SELECT 1 FROM sonic h \
                   WHERE h.track_id = t.id AND h.version = $1 AND h.size = t.size) AND t.id > $2 ORDER BY t.id LIMIT $3";
        let rows = sql::query(sql)
            .bind(version)
            .bind(after.map_or("", TrackId::as_str))
            .bind(limit)
            .fetch_all(self.reader())
            .await?;
        Ok(rows.iter().map(unheard).collect::<Result<_, _>>()?)
    }

    /// Writes down what was heard, in one transaction. Tracks that are gone meanwhile are passed over.
    pub async fn put_heard(&self, heard: &[Heard]) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            for row in heard {
                let (error, sound) = match &row.sound {
                    Ok(sound) => (None, Some(sound)),
                    Err(why) => (Some(why.as_str()), None),
                };
                sql::query(
                    "INSERT INTO sonic (track_id, version, size, error, loudness, peak, blocks, body, vector, energy, \
                     brightness, calm, danceability) \
                     SELECT t.id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 FROM tracks t WHERE t.id = $1 \
                     ON CONFLICT (track_id) DO UPDATE SET version = excluded.version, size = excluded.size, \
                     error = excluded.error, loudness = excluded.loudness, peak = excluded.peak, \
                     blocks = excluded.blocks, body = excluded.body, vector = excluded.vector, energy = excluded.energy, \
                     brightness = excluded.brightness, calm = excluded.calm, danceability = excluded.danceability",
                )
                .bind(row.track.as_str())
                .bind(row.version)
                .bind(sql_int(row.size))
                .bind(error)
                .bind(sound.and_then(|s| s.loudness))
                .bind(sound.map(|s| s.peak))
                .bind(&row.blocks)
                .bind(sound.map(serde_json::to_string).transpose()?.unwrap_or_default())
                .bind(sound.map(|s| to_hex(&s.vector)).unwrap_or_default())
                .bind(sound.map(|s| f64::from(s.energy.value)))
                .bind(sound.map(|s| f64::from(s.brightness.value)))
                .bind(sound.map(|s| f64::from(s.calm.value)))
                .bind(sound.map(|s| f64::from(s.danceability.value)))
                .execute(&mut *tx)
                .await?;
            }
            // Another file has another loudness.
            let ids: Vec<&str> = heard.iter().map(|row| row.track.as_str()).collect();
            let head = "UPDATE tracks SET heard_track_gain = NULL, heard_album_gain = NULL, heard_track_peak = NULL, \
                        heard_album_peak = NULL WHERE id IN";
            bulk::for_ids(&mut tx, (head, ""), &ids).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// How far the analysis is.
    pub async fn sonic_progress(&self, version: u32) -> Result<SonicProgress, CatalogError> {
        let row = sql::query(
            "SELECT (SELECT COUNT(*) FROM tracks), \
             (SELECT COUNT(*) FROM sonic s JOIN tracks t ON t.id = s.track_id WHERE s.version = $1 AND s.size = t.size \
             AND s.error IS NULL), \
             (SELECT COUNT(*) FROM sonic s JOIN tracks t ON t.id = s.track_id WHERE s.version = $1 AND s.size = t.size \
             AND s.error IS NOT NULL)",
        )
        .bind(version)
        .fetch_one(self.reader())
        .await?;
        let mut c = Cells::of(&row);
        Ok(SonicProgress {
            tracks: c.number()?.unwrap_or(0),
            heard: c.number()?.unwrap_or(0),
            failed: c.number()?.unwrap_or(0),
        })
    }

    /// The figures of these tracks, as far as there are any, of whatever version.
    pub async fn sonic(&self, ids: &[TrackId]) -> Result<HashMap<TrackId, Sonic>, CatalogError> {
        let ids: Vec<&str> = ids.iter().map(TrackId::as_str).collect();
        let mut found = HashMap::with_capacity(ids.len());
        let mut conn = self.stale().acquire().await?;
        for group in bulk::groups(&ids) {
            let head = "SELECT track_id, body, vector FROM sonic WHERE error IS NULL AND track_id IN";
            for row in bulk::with_ids((head, 1, ""), &[], &group).fetch_all(&mut *conn).await? {
                let mut c = Cells::of(&row);
                let id = TrackId::from(c.get::<String>()?);
                let mut sound: Sonic = serde_json::from_str(c.get::<&str>()?)?;
                sound.vector = from_hex(c.get::<&str>()?);
                found.insert(id, sound);
            }
        }
        Ok(found)
    }

    /// The figures of the whole library without their vectors, by id.
    pub async fn all_sonic(&self, version: u32) -> Result<Vec<(TrackId, Sonic)>, CatalogError> {
        let sql = "SELECT track_id, body FROM sonic WHERE version = $1 AND error IS NULL ORDER BY track_id";
        let pool = self.stale();
        let mut rows = sql::query(sql).bind(version).fetch(&pool);
        let mut all = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let mut c = Cells::of(&row);
            all.push((TrackId::from(c.get::<String>()?), serde_json::from_str(c.get::<&str>()?)?));
        }
        Ok(all)
    }

    /// The vectors of the whole library: 4 bytes a value, and the ids.
    pub async fn sonic_vectors(&self, version: u32) -> Result<SonicVectors, CatalogError> {
        let sql = "SELECT track_id, vector FROM sonic WHERE version = $1 AND error IS NULL ORDER BY track_id";
        let pool = self.stale();
        let mut rows = sql::query(sql).bind(version).fetch(&pool);
        let mut all = SonicVectors::default();
        while let Some(row) = rows.try_next().await? {
            let mut c = Cells::of(&row);
            let id = TrackId::from(c.get::<String>()?);
            let vector = from_hex(c.get::<&str>()?);
            if all.tracks.is_empty() {
                all.width = vector.len();
            }
            if vector.len() == all.width && all.width > 0 {
                all.tracks.push(id);
                all.values.extend(vector);
            }
        }
        Ok(all)
    }

    /// Albums all of whose tracks were heard (or cannot be) and whose loudness is not written down yet, at most `limit`.
    pub async fn unmeasured_albums(&self, version: u32, limit: u32) -> Result<Vec<AlbumId>, CatalogError> {
        let ids: Vec<String> = sql::query_scalar(
            "SELECT DISTINCT t.album_id FROM tracks t JOIN sonic s ON s.track_id = t.id AND s.error IS NULL \
             WHERE t.heard_track_peak IS NULL AND t.album_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tracks o \
             WHERE o.album_id = t.album_id AND NOT EXISTS (SELECT 1 FROM sonic h WHERE h.track_id = o.id \
             AND h.version = $1 AND h.size = o.size)) LIMIT $2",
        )
        .bind(version)
        .bind(limit)
        .fetch_all(self.reader())
        .await?;
        Ok(ids.into_iter().map(AlbumId::from).collect())
    }

    /// The gating blocks and peaks of those tracks of an album that could be heard.
    pub async fn album_blocks(&self, album: &AlbumId) -> Result<Vec<(TrackId, String, f32)>, CatalogError> {
        let rows = sql::query(
            "SELECT t.id, s.blocks, s.peak FROM tracks t JOIN sonic s ON s.track_id = t.id \
             WHERE t.album_id = $1 AND s.error IS NULL ORDER BY t.id",
        )
        .bind(album.as_str())
        .fetch_all(self.reader())
        .await?;
        let read = |row: &sql::Row| {
            let mut c = Cells::of(row);
            Ok((c.get::<String>()?.into(), c.get()?, c.real()?.unwrap_or(0.0)))
        };
        Ok(rows.iter().map(read).collect::<Result<_, sql::Error>>()?)
    }

    /// Writes measured loudness, which counts where the tags say nothing.
    pub async fn put_measured_gains(&self, gains: &[(TrackId, ReplayGain)]) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            for (track, gain) in gains {
                sql::query(
                    "UPDATE tracks SET heard_track_gain = $2, heard_album_gain = $3, heard_track_peak = $4, \
                     heard_album_peak = $5 WHERE id = $1",
                )
                .bind(track.as_str())
                .bind(gain.track_gain)
                .bind(gain.album_gain)
                .bind(gain.track_peak)
                .bind(gain.album_peak)
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }
}

fn unheard(row: &sql::Row) -> Result<Unheard, sql::Error> {
    let mut c = Cells::of(row);
    Ok(Unheard {
        track: c.get::<String>()?.into(),
        album: c.get::<Option<String>>()?.map(AlbumId::from),
        size: c.number()?.unwrap_or(0),
        suffix: c.get()?,
        path: c.get::<Option<&str>>()?.map(path_from_text),
        slice: slices::slice(&mut c)?,
    })
}

fn to_hex(values: &[f32]) -> String {
    values.iter().fold(String::with_capacity(values.len() * 8), |mut text, value| {
        let _ = write!(text, "{:08x}", value.to_bits());
        text
    })
}

/// Values written by [`to_hex`]; what is not such a value, or no number, reads as 0.
fn from_hex(text: &str) -> Vec<f32> {
    let digits = text.as_bytes().chunks_exact(8);
    digits
        .map(|digits| {
            let bits = std::str::from_utf8(digits).ok().and_then(|d| u32::from_str_radix(d, 16).ok());
            bits.map(f32::from_bits).filter(|value| value.is_finite()).unwrap_or(0.0)
        })
        .collect()
}
