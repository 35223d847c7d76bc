//! From rows to the words of `music`. A list is one statement for the items with their marks, and one for all that they
//! have several of (people, genres, facts); never a statement for each item.

use std::collections::HashMap;

use super::sql;
use super::{bulk, bulk::Statement, details};
use crate::music::{Album, AlbumDetails, Artist, Explicit, Marks, ReplayGain, Track, TrackDetails};

/// `SELECT` of whole tracks `t` with the marks `m` of account `$1`; the rest of the statement follows.
macro_rules! select_tracks {
    ($tail:literal) => {
        concat!(
            "SELECT t.id, t.title, t.album_id, t.album, t.artist, t.album_artist, t.disc, t.number, t.year, ",
            "t.duration_ms, t.size, t.suffix, t.content_type, t.bit_rate, t.sample_rate, t.bit_depth, t.channels, ",
            "COALESCE(t.track_gain, t.heard_track_gain), COALESCE(t.album_gain, t.heard_album_gain), ",
            "COALESCE(t.track_peak, t.heard_track_peak), COALESCE(t.album_peak, t.heard_album_peak), t.cover_id, t.musicbrainz_id, t.added_at, ",
            "t.sort_title, t.bpm, t.explicit, t.original_date, t.comment, ",
            "m.starred_at, m.rating, m.play_count, m.played_at FROM tracks t ",
            "LEFT JOIN marks m ON m.account_id = $1 AND m.kind = 'track' AND m.item_id = t.id ",
            $tail
        )
    };
}

/// The same for albums `t`.
macro_rules! select_albums {
    ($tail:literal) => {
        concat!(
            "SELECT t.id, t.title, t.artist, t.year, t.track_count, t.duration_ms, t.cover_id, t.compilation, ",
            "t.musicbrainz_id, t.added_at, t.sort_title, t.version, t.explicit, t.original_date, t.release_date, ",
            "m.starred_at, m.rating, m.play_count, m.played_at FROM albums t ",
            "LEFT JOIN marks m ON m.account_id = $1 AND m.kind = 'album' AND m.item_id = t.id ",
            $tail
        )
    };
}

/// The same for artists `t`.
macro_rules! select_artists {
    ($tail:literal) => {
        concat!(
            "SELECT t.id, t.name, t.sort_name, t.album_count, t.cover_id, t.musicbrainz_id, t.roles, ",
            "m.starred_at, m.rating, m.play_count, m.played_at FROM artists t ",
            "LEFT JOIN marks m ON m.account_id = $1 AND m.kind = 'artist' AND m.item_id = t.id ",
            $tail
        )
    };
}

pub(super) use {select_albums, select_artists, select_tracks};

/// Reads a row's cells from left to right.
pub(super) struct Cells<'r> {
    row: &'r sql::Row,
    next: usize,
}

impl<'r> Cells<'r> {
    pub(super) fn of(row: &'r sql::Row) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn get<T: sql::FromSql<'r>>(&mut self) -> Result<T, sql::Error> {
        let at = self.next;
        self.next += 1;
        self.row.try_get(at)
    }

    /// An integer in the type wanted; `None` for NULL and for what does not fit.
    pub(super) fn number<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, sql::Error> {
        Ok(self.get::<Option<i64>>()?.and_then(|n| T::try_from(n).ok()))
    }

    pub(super) fn real(&mut self) -> Result<Option<f32>, sql::Error> {
        Ok(self.get::<Option<f64>>()?.map(|n| n as f32))
    }

    fn explicit(&mut self) -> Result<Option<Explicit>, sql::Error> {
        Ok(self.get::<Option<&str>>()?.and_then(Explicit::of))
    }

    fn id<T: From<String>>(&mut self) -> Result<Option<T>, sql::Error> {
        Ok(self.get::<Option<String>>()?.map(T::from))
    }

    pub(super) fn marks(&mut self) -> Result<Marks, sql::Error> {
        Ok(Marks {
            starred_at: self.get()?,
            rating: self.number()?.unwrap_or(0),
            play_count: self.number()?.unwrap_or(0),
            played_at: self.get()?,
        })
    }
}

fn track(row: &sql::Row) -> Result<Track, sql::Error> {
    let mut c = Cells::of(row);
    Ok(Track {
        id: c.get::<String>()?.into(),
        title: c.get()?,
        album_id: c.id()?,
        album: c.get()?,
        artist: c.get()?,
        artists: Vec::new(),
        album_artist: c.get()?,
        disc: c.number()?,
        number: c.number()?,
        year: c.number()?,
        genres: Vec::new(),
        duration_ms: c.number()?.unwrap_or(0),
        size: c.number()?.unwrap_or(0),
        suffix: c.get()?,
        content_type: c.get()?,
        bit_rate: c.number()?,
        sample_rate: c.number()?,
        bit_depth: c.number()?,
        channels: c.number()?,
        replay_gain: ReplayGain {
            track_gain: c.real()?,
            album_gain: c.real()?,
            track_peak: c.real()?,
            album_peak: c.real()?,
        },
        cover: c.id()?,
        musicbrainz_id: c.get()?,
        added_at: c.get()?,
        details: TrackDetails {
            sort_title: c.get()?,
            bpm: c.number()?,
            explicit: c.explicit()?,
            original_date: c.get()?,
            comment: c.get()?,
            ..TrackDetails::default()
        },
        marks: c.marks()?,
    })
}

fn album(row: &sql::Row) -> Result<Album, sql::Error> {
    let mut c = Cells::of(row);
    Ok(Album {
        id: c.get::<String>()?.into(),
        title: c.get()?,
        artist: c.get()?,
        artists: Vec::new(),
        year: c.number()?,
        genres: Vec::new(),
        track_count: c.number()?.unwrap_or(0),
        duration_ms: c.number()?.unwrap_or(0),
        cover: c.id()?,
        compilation: c.get()?,
        musicbrainz_id: c.get()?,
        added_at: c.get()?,
        details: AlbumDetails {
            sort_title: c.get()?,
            version: c.get()?,
            explicit: c.explicit()?,
            original_date: c.get()?,
            release_date: c.get()?,
            ..AlbumDetails::default()
        },
        marks: c.marks()?,
    })
}

/// A count by the name of its column; 0 for what does not fit.
pub(super) fn number<T: TryFrom<i64> + Default>(row: &sql::Row, column: &str) -> Result<T, sql::Error> {
    Ok(T::try_from(row.try_get(column)?).unwrap_or_default())
}

fn artist(row: &sql::Row) -> Result<Artist, sql::Error> {
    let mut c = Cells::of(row);
    Ok(Artist {
        id: c.get::<String>()?.into(),
        name: c.get()?,
        sort_name: c.get()?,
        album_count: c.number()?.unwrap_or(0),
        cover: c.id()?,
        musicbrainz_id: c.get()?,
        roles: c.get::<String>()?.split_whitespace().map(str::to_owned).collect(),
        marks: c.marks()?,
    })
}

/// Runs a [`select_tracks`] statement and fills in artists, genres and details.
pub(super) async fn tracks(
    conn: &mut sql::Connection,
    statement: Statement,
) -> Result<Vec<Track>, sql::Error> {
    let rows = statement.fetch_all(&mut *conn).await?;
    let mut tracks = rows.iter().map(track).collect::<Result<Vec<_>, _>>()?;
    details::fill_tracks(conn, &mut tracks).await?;
    Ok(tracks)
}

/// Runs a [`select_albums`] statement and fills in artists, genres and details.
pub(super) async fn albums(
    conn: &mut sql::Connection,
    statement: Statement,
) -> Result<Vec<Album>, sql::Error> {
    let rows = statement.fetch_all(&mut *conn).await?;
    let mut albums = rows.iter().map(album).collect::<Result<Vec<_>, _>>()?;
    details::fill_albums(conn, &mut albums).await?;
    Ok(albums)
}

/// Runs a [`select_artists`] statement.
pub(super) async fn artists(
    conn: &mut sql::Connection,
    statement: Statement,
) -> Result<Vec<Artist>, sql::Error> {
    statement.fetch_all(&mut *conn).await?.iter().map(artist).collect()
}

/// Tracks in the order of `ids`, unknown ones left out.
pub(super) async fn tracks_by_id(
    conn: &mut sql::Connection,
    account: &str,
    ids: &[&str],
) -> Result<Vec<Track>, sql::Error> {
    let mut found = HashMap::with_capacity(ids.len());
    for group in bulk::groups(ids) {
        let statement = bulk::with_ids((select_tracks!("WHERE t.id IN"), 2, ""), &[account], &group);
        found.extend(tracks(conn, statement).await?.into_iter().map(|t| (t.id.as_str().to_owned(), t)));
    }
    Ok(ids.iter().filter_map(|id| found.get(*id).cloned()).collect())
}

/// Albums in the order of `ids`, unknown ones left out.
pub(super) async fn albums_by_id(
    conn: &mut sql::Connection,
    account: &str,
    ids: &[&str],
) -> Result<Vec<Album>, sql::Error> {
    let mut found = HashMap::with_capacity(ids.len());
    for group in bulk::groups(ids) {
        let statement = bulk::with_ids((select_albums!("WHERE t.id IN"), 2, ""), &[account], &group);
        found.extend(albums(conn, statement).await?.into_iter().map(|a| (a.id.as_str().to_owned(), a)));
    }
    Ok(ids.iter().filter_map(|id| found.get(*id).cloned()).collect())
}

/// Artists in the order of `ids`, unknown ones left out.
pub(super) async fn artists_by_id(
    conn: &mut sql::Connection,
    account: &str,
    ids: &[&str],
) -> Result<Vec<Artist>, sql::Error> {
    let mut found = HashMap::with_capacity(ids.len());
    for group in bulk::groups(ids) {
        let statement = bulk::with_ids((select_artists!("WHERE t.id IN"), 2, ""), &[account], &group);
        found.extend(artists(conn, statement).await?.into_iter().map(|a| (a.id.as_str().to_owned(), a)));
    }
    Ok(ids.iter().filter_map(|id| found.get(*id).cloned()).collect())
}
