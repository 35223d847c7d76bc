//! Tracks that are a part of a file: which frames of which file they are.

use std::collections::HashMap;
use std::path::PathBuf;

use super::sql;
use super::{Catalog, CatalogError, apply::sql_int, bulk, files::path_from_text, rows::Cells};
use crate::music::TrackId;

/// A part of a file's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The track's number in the sheet that divides the file.
    pub number: u32,
    /// The first frame, counted from the beginning of the file's music.
    pub first: u64,
    /// The frame behind the last.
    pub end: u64,
    /// Frames per second.
    pub rate: u32,
    /// Samples in a frame.
    pub channels: u32,
    /// Bits of a sample when the part is sent: 16 or 24.
    pub bits: u32,
}

/// A track that is a part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceRow {
    /// The track.
    pub track: TrackId,
    /// What the file's row has for a track.
    pub whole: TrackId,
    /// Which part of it.
    pub slice: Slice,
}

/// Where a track's sound is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The part of it that is the track; `None` where it is all of it.
    pub slice: Option<Slice>,
}

/// Reads the columns of a slice from its number on, which are NULL where a join found none.
pub(super) fn slice(c: &mut Cells<'_>) -> Result<Option<Slice>, sql::Error> {
    let (number, first, end) = (c.number()?, c.number()?, c.number()?);
    let (rate, channels, bits) = (c.number()?, c.number()?, c.number()?);
    Ok((|| {
        let (first, end) = (first?, end?);
        Some(Slice { number: number?, first, end, rate: rate?, channels: channels?, bits: bits? })
    })())
}

impl Catalog {
    /// Where the sound of a track is; `None` on a player, whose tracks are elsewhere.
    pub async fn source_of(&self, id: &TrackId) -> Result<Option<Place>, CatalogError> {
        let place = sql::query(
            "SELECT f.path, s.number, s.first_frame, s.end_frame, s.rate, s.channels, s.bits \
             FROM files f LEFT JOIN slices s ON s.track_id = $1 AND s.whole_id = f.track_id \
             WHERE f.track_id = COALESCE((SELECT o.whole_id FROM slices o WHERE o.track_id = $1), $1) LIMIT 1",
        )
        .bind(id.as_str());
        let from = self.stale();
        let mut row = place.clone().fetch_optional(&from).await?;
        if row.is_none() && from.is_a_copy() {
            row = place.fetch_optional(self.reader()).await?;
        }
        let read = |row: &sql::Row| {
            let mut c = Cells::of(row);
            Ok::<_, sql::Error>(Place { path: path_from_text(c.get()?), slice: slice(&mut c)? })
        };
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// The tracks that these files are divided into, by what the files' rows have for a track, in the order of their numbers.
    pub async fn slices_of(
        &self,
        wholes: &[TrackId],
    ) -> Result<HashMap<TrackId, Vec<TrackId>>, CatalogError> {
        let mut found: HashMap<TrackId, Vec<TrackId>> = HashMap::new();
        let mut wholes: Vec<&str> = wholes.iter().map(TrackId::as_str).collect();
        wholes.sort_unstable();
        wholes.dedup();
        let mut conn = self.reader().acquire().await?;
        for group in bulk::groups(&wholes) {
            let sql = (
                "SELECT whole_id, track_id FROM slices WHERE whole_id IN",
                1,
                "ORDER BY whole_id, number, track_id",
            );
            for row in bulk::with_ids(sql, &[], &group).fetch_all(&mut *conn).await? {
                let mut c = Cells::of(&row);
                let whole = TrackId::from(c.get::<String>()?);
                found.entry(whole).or_default().push(c.get::<String>()?.into());
            }
        }
        Ok(found)
    }
}

/// Writes down parts of files within a transaction; their tracks must be there. What another part sounded like is forgotten.
pub(super) async fn put(conn: &mut sql::Connection, rows: &[SliceRow]) -> Result<(), CatalogError> {
    for row in rows {
        sql::query(
            "DELETE FROM sonic WHERE track_id = $1 AND EXISTS (SELECT 1 FROM slices s \
             WHERE s.track_id = $1 AND (s.first_frame <> $2 OR s.end_frame <> $3))",
        )
        .bind(row.track.as_str())
        .bind(sql_int(row.slice.first))
        .bind(sql_int(row.slice.end))
        .execute(&mut *conn)
        .await?;
    }
    bulk::insert(
        conn,
        (
            "INSERT INTO slices (track_id, whole_id, number, first_frame, end_frame, rate, channels, bits)",
            8,
            "ON CONFLICT (track_id) DO UPDATE SET whole_id = excluded.whole_id, number = excluded.number, \
             first_frame = excluded.first_frame, end_frame = excluded.end_frame, rate = excluded.rate, \
             channels = excluded.channels, bits = excluded.bits",
        ),
        rows,
        |q, row| {
            let slice = &row.slice;
            q.bind(row.track.as_str().to_owned())
                .bind(row.whole.as_str().to_owned())
                .bind(slice.number)
                .bind(sql_int(slice.first))
                .bind(sql_int(slice.end))
                .bind(slice.rate)
                .bind(slice.channels)
                .bind(slice.bits)
        },
    )
    .await?;
    Ok(())
}
