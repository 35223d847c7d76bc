//! What the feeders write: batches of artists, albums and tracks, and the clearing away afterwards.
//!
//! A row carries a fingerprint of what was applied last. A batch first reads the fingerprints of its ids, and then
//! writes only rows that are new or differ, with their links and search rows, so that a sync over an unchanged
//! library costs reads.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use super::sql::{self, again};
use super::{
    Catalog, CatalogError, bulk, details,
    rows::Cells,
    search::{self, Kind},
};
use crate::music::{Album, AlbumId, Artist, ArtistRef, Explicit, Track, TrackId, fold};

/// Rows to write together. Their [`Marks`](crate::music::Marks) are ignored: those belong to a listener.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Artists, upserted first.
    pub artists: Vec<Artist>,
    /// Albums, upserted next. Artists they name that nobody described are added by name.
    pub albums: Vec<Album>,
    /// Tracks, upserted last. Artists and albums they name that nobody described are added likewise.
    pub tracks: Vec<Track>,
}

/// How many rows a batch really changed; all zero when the catalog knew everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Artists written.
    pub artists: u64,
    /// Albums written.
    pub albums: u64,
    /// Tracks written.
    pub tracks: u64,
}

impl Applied {
    /// Whether anything changed.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

impl std::ops::AddAssign for Applied {
    fn add_assign(&mut self, other: Self) {
        self.artists += other.artists;
        self.albums += other.albums;
        self.tracks += other.tracks;
    }
}

/// The size of a catalog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Number of tracks.
    pub tracks: u64,
    /// Number of albums.
    pub albums: u64,
    /// Number of artists, featured ones too.
    pub artists: u64,
    /// Length of all tracks in milliseconds.
    pub duration_ms: u64,
}

impl Catalog {
    /// Upserts a batch in one transaction and says how much of it was news. A few hundred to a few thousand tracks
    /// at a time are best: other writers wait for the whole batch.
    pub async fn apply(&self, batch: &Batch) -> Result<Applied, CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let applied = apply(&mut tx, batch).await?;
            tx.commit().await?;
            Ok(applied)
        })
    }

    /// Removes tracks. Their stars, plays and places in playlists stay and come back with them; albums and artists
    /// that are left empty go with the next [`prune`](Self::prune).
    pub async fn remove_tracks(&self, ids: &[TrackId]) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            remove_tracks(&mut tx, ids).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Drops albums and artists that have no tracks, and brings counts and sums up to date.
    pub async fn prune(&self) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let empty: Vec<String> = sql::query_scalar(
                "SELECT id FROM albums WHERE NOT EXISTS (SELECT 1 FROM tracks t WHERE t.album_id = albums.id)",
            )
            .fetch_all(&mut *tx)
            .await?;
            let empty: Vec<&str> = empty.iter().map(String::as_str).collect();
            search::changed(&mut tx, Kind::Album, &empty).await?;
            bulk::for_ids(&mut tx, ("DELETE FROM albums WHERE id IN", ""), &empty).await?;
            let idle: Vec<String> = sql::query_scalar(
                "SELECT id FROM artists WHERE NOT EXISTS (SELECT 1 FROM track_artists l WHERE l.artist_id = artists.id) \
                 AND NOT EXISTS (SELECT 1 FROM album_artists l WHERE l.artist_id = artists.id)",
            )
            .fetch_all(&mut *tx)
            .await?;
            let idle: Vec<&str> = idle.iter().map(String::as_str).collect();
            search::changed(&mut tx, Kind::Artist, &idle).await?;
            bulk::for_ids(&mut tx, ("DELETE FROM artists WHERE id IN", ""), &idle).await?;
            for sql in [
                "UPDATE albums SET track_count = (SELECT COUNT(*) FROM tracks t WHERE t.album_id = albums.id) \
                 WHERE track_count <> (SELECT COUNT(*) FROM tracks t WHERE t.album_id = albums.id)",
                "UPDATE albums SET duration_ms = \
                 (SELECT CAST(COALESCE(SUM(t.duration_ms), 0) AS BIGINT) FROM tracks t WHERE t.album_id = albums.id) \
                 WHERE duration_ms <> \
                 (SELECT CAST(COALESCE(SUM(t.duration_ms), 0) AS BIGINT) FROM tracks t WHERE t.album_id = albums.id)",
                "UPDATE artists SET album_count = (SELECT COUNT(DISTINCT l.album_id) FROM album_artists l \
                 WHERE l.artist_id = artists.id AND l.role = 'artist') WHERE album_count <> (SELECT COUNT(DISTINCT \
                 l.album_id) FROM album_artists l WHERE l.artist_id = artists.id AND l.role = 'artist')",
            ] {
                sql::query(sql).execute(&mut *tx).await?;
            }
            details::count_roles(&mut tx).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Every track's id, in no useful order: for finding out what is gone.
    pub async fn track_ids(&self) -> Result<Vec<TrackId>, CatalogError> {
        let ids: Vec<String> = sql::query_scalar("SELECT id FROM tracks").fetch_all(self.reader()).await?;
        Ok(ids.into_iter().map(TrackId::from).collect())
    }
}

/// Upserts a batch within a transaction.
pub(super) async fn apply(conn: &mut sql::Connection, batch: &Batch) -> Result<Applied, CatalogError> {
    Ok(Applied {
        artists: artists(conn, batch).await?,
        albums: albums(conn, batch).await?,
        tracks: tracks(conn, batch).await?,
    })
}

/// Removes tracks within a transaction.
pub(super) async fn remove_tracks(conn: &mut sql::Connection, ids: &[TrackId]) -> Result<(), CatalogError> {
    let ids: Vec<&str> = ids.iter().map(TrackId::as_str).collect();
    search::changed(conn, Kind::Track, &ids).await?;
    bulk::for_ids(conn, ("DELETE FROM tracks WHERE id IN", ""), &ids).await?;
    Ok(())
}

/// Fingerprints of those ids that are there.
async fn known(
    conn: &mut sql::Connection,
    head: &'static str,
    ids: &[&str],
) -> Result<HashMap<String, i64>, CatalogError> {
    let mut known = HashMap::with_capacity(ids.len());
    for group in bulk::groups(ids) {
        for row in bulk::with_ids((head, 1, ""), &[], &group).fetch_all(&mut *conn).await? {
            let mut c = Cells::of(&row);
            known.insert(c.get()?, c.get()?);
        }
    }
    Ok(known)
}

/// The rows that are new or differ, each with its fingerprint; of several with one id, the last.
fn news<'a, T>(
    rows: &'a [T],
    known: &HashMap<String, i64>,
    id: impl Fn(&T) -> &str,
    print: impl Fn(&T) -> i64,
) -> Vec<(&'a T, i64)> {
    let mut seen = HashSet::with_capacity(rows.len());
    let mut news: Vec<(&T, i64)> = rows
        .iter()
        .rev()
        .filter(|row| seen.insert(id(row).to_owned()))
        .map(|row| (row, print(row)))
        .filter(|(row, print)| known.get(id(row)) != Some(print))
        .collect();
    news.reverse();
    news
}

/// A hash over everything that was written, never 0: rows added by name alone have that.
fn fingerprint(hash: impl FnOnce(&mut DefaultHasher)) -> i64 {
    let mut hasher = DefaultHasher::new();
    hash(&mut hasher);
    (hasher.finish() | 1).cast_signed()
}

async fn artists(conn: &mut sql::Connection, batch: &Batch) -> Result<u64, CatalogError> {
    let refs = batch
        .albums
        .iter()
        .flat_map(|a| &a.artists)
        .chain(batch.tracks.iter().flat_map(details::people))
        .filter(|r| !r.id.as_str().is_empty());
    let mut named: HashMap<&str, &ArtistRef> = HashMap::new();
    for artist in refs {
        named.entry(artist.id.as_str()).or_insert(artist);
    }
    for artist in &batch.artists {
        named.remove(artist.id.as_str());
    }
    let ids: Vec<&str> = batch.artists.iter().map(|a| a.id.as_str()).chain(named.keys().copied()).collect();
    let known = known(conn, "SELECT id, fingerprint FROM artists WHERE id IN", &ids).await?;
    let described = news(
        &batch.artists,
        &known,
        |a| a.id.as_str(),
        |a| {
            fingerprint(|h| {
                (&a.name, &a.sort_name, a.album_count, &a.cover, &a.musicbrainz_id).hash(h);
            })
        },
    );
    bulk::insert(
        conn,
        (
            "INSERT INTO artists (id, name, name_fold, sort_name, sort_fold, album_count, cover_id, \
             musicbrainz_id, fingerprint)",
            9,
            "ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_fold = excluded.name_fold, \
             sort_name = excluded.sort_name, sort_fold = excluded.sort_fold, album_count = excluded.album_count, \
             cover_id = excluded.cover_id, musicbrainz_id = excluded.musicbrainz_id, \
             fingerprint = excluded.fingerprint",
        ),
        &described,
        |q, (a, print)| {
            q.bind(a.id.as_str().to_owned())
                .bind(a.name.clone())
                .bind(fold(&a.name))
                .bind(a.sort_name.clone())
                .bind(fold(if a.sort_name.is_empty() { &a.name } else { &a.sort_name }))
                .bind(i64::from(a.album_count))
                .bind(a.cover.as_ref().map(|c| c.as_str().to_owned()))
                .bind(a.musicbrainz_id.clone())
                .bind(*print)
        },
    )
    .await?;
    let mut named: Vec<&ArtistRef> =
        named.into_values().filter(|r| !known.contains_key(r.id.as_str())).collect();
    named.sort_by(|a, b| a.id.cmp(&b.id));
    bulk::insert(
        conn,
        ("INSERT INTO artists (id, name, name_fold, sort_name, sort_fold)", 5, "ON CONFLICT (id) DO NOTHING"),
        &named,
        |q, a| {
            let folded = fold(&a.name);
            q.bind(a.id.as_str().to_owned())
                .bind(a.name.clone())
                .bind(folded.clone())
                .bind(a.name.clone())
                .bind(folded)
        },
    )
    .await?;
    let written: Vec<&str> =
        described.iter().map(|(a, _)| a.id.as_str()).chain(named.iter().map(|a| a.id.as_str())).collect();
    search::changed(conn, Kind::Artist, &written).await?;
    Ok(written.len() as u64)
}

async fn albums(conn: &mut sql::Connection, batch: &Batch) -> Result<u64, CatalogError> {
    let mut named: HashMap<&str, &Track> = HashMap::new();
    for track in &batch.tracks {
        if let Some(id) = track.album_id.as_ref().filter(|id| !id.as_str().is_empty()) {
            named.entry(id.as_str()).or_insert(track);
        }
    }
    for album in &batch.albums {
        named.remove(album.id.as_str());
    }
    let ids: Vec<&str> = batch.albums.iter().map(|a| a.id.as_str()).chain(named.keys().copied()).collect();
    let known = known(conn, "SELECT id, fingerprint FROM albums WHERE id IN", &ids).await?;
    let described = news(
        &batch.albums,
        &known,
        |a| a.id.as_str(),
        |a| {
            fingerprint(|h| {
                (&a.title, &a.artist, &a.artists, a.year, &a.genres, a.track_count, a.duration_ms).hash(h);
                (&a.cover, a.compilation, &a.musicbrainz_id, a.added_at, &a.details).hash(h);
            })
        },
    );
    write_albums(conn, &described).await?;
    let changed: Vec<&str> = described
        .iter()
        .filter(|(a, _)| known.contains_key(a.id.as_str()))
        .map(|(a, _)| a.id.as_str())
        .collect();
    bulk::for_ids(conn, ("DELETE FROM album_artists WHERE role = 'artist' AND album_id IN", ""), &changed)
        .await?;
    bulk::for_ids(conn, ("DELETE FROM album_genres WHERE album_id IN", ""), &changed).await?;
    link_artists(
        conn,
        "INSERT INTO album_artists (album_id, role, position, artist_id, name)",
        described.iter().map(|(a, _)| (a.id.as_str(), a.artists.as_slice())),
    )
    .await?;
    link_genres(
        conn,
        "INSERT INTO album_genres (album_id, position, genre)",
        described.iter().map(|(a, _)| (a.id.as_str(), a.genres.as_slice())),
    )
    .await?;
    details::put_albums(conn, &described, &changed).await?;
    let mut named: Vec<(&str, &Track)> =
        named.into_iter().filter(|(id, _)| !known.contains_key(*id)).collect();
    named.sort_by_key(|(id, _)| *id);
    bulk::insert(
        conn,
        (
            "INSERT INTO albums (id, title, title_fold, artist, artist_fold, year, cover_id, added_at)",
            8,
            "ON CONFLICT (id) DO NOTHING",
        ),
        &named,
        |q, (id, t)| {
            q.bind((*id).to_owned())
                .bind(t.album.clone())
                .bind(fold(&t.album))
                .bind(t.album_artist.clone())
                .bind(fold(&t.album_artist))
                .bind(t.year)
                .bind(t.cover.as_ref().map(|c| c.as_str().to_owned()))
                .bind(t.added_at)
        },
    )
    .await?;
    let written: Vec<&str> =
        described.iter().map(|(a, _)| a.id.as_str()).chain(named.iter().map(|(id, _)| *id)).collect();
    search::changed(conn, Kind::Album, &written).await?;
    Ok(written.len() as u64)
}

async fn write_albums(conn: &mut sql::Connection, described: &[(&Album, i64)]) -> Result<(), CatalogError> {
    bulk::insert(
        conn,
        (
            "INSERT INTO albums (id, title, title_fold, artist, artist_fold, year, track_count, duration_ms, \
             cover_id, compilation, musicbrainz_id, added_at, fingerprint, sort_title, version, explicit, \
             original_date, release_date)",
            18,
            "ON CONFLICT (id) DO UPDATE SET title = excluded.title, title_fold = excluded.title_fold, \
             artist = excluded.artist, artist_fold = excluded.artist_fold, year = excluded.year, \
             track_count = excluded.track_count, duration_ms = excluded.duration_ms, \
             cover_id = excluded.cover_id, compilation = excluded.compilation, \
             musicbrainz_id = excluded.musicbrainz_id, added_at = excluded.added_at, \
             fingerprint = excluded.fingerprint, sort_title = excluded.sort_title, version = excluded.version, \
             explicit = excluded.explicit, original_date = excluded.original_date, \
             release_date = excluded.release_date",
        ),
        described,
        |q, (a, print)| {
            q.bind(a.id.as_str().to_owned())
                .bind(a.title.clone())
                .bind(fold(&a.title))
                .bind(a.artist.clone())
                .bind(fold(&a.artist))
                .bind(a.year)
                .bind(i64::from(a.track_count))
                .bind(sql_int(a.duration_ms))
                .bind(a.cover.as_ref().map(|c| c.as_str().to_owned()))
                .bind(a.compilation)
                .bind(a.musicbrainz_id.clone())
                .bind(a.added_at)
                .bind(*print)
                .bind(a.details.sort_title.clone())
                .bind(a.details.version.clone())
                .bind(a.details.explicit.map(Explicit::word))
                .bind(a.details.original_date.clone())
                .bind(a.details.release_date.clone())
        },
    )
    .await?;
    Ok(())
}

async fn tracks(conn: &mut sql::Connection, batch: &Batch) -> Result<u64, CatalogError> {
    let ids: Vec<&str> = batch.tracks.iter().map(|t| t.id.as_str()).collect();
    let known = known(conn, "SELECT id, fingerprint FROM tracks WHERE id IN", &ids).await?;
    let news = news(
        &batch.tracks,
        &known,
        |t| t.id.as_str(),
        |t| {
            fingerprint(|h| {
                (&t.title, &t.album_id, &t.album, &t.artist, &t.artists, &t.album_artist).hash(h);
                (t.disc, t.number, t.year, &t.genres, t.duration_ms, t.size, &t.suffix, &t.content_type)
                    .hash(h);
                (t.bit_rate, t.sample_rate, t.bit_depth, t.channels).hash(h);
                let gain = &t.replay_gain;
                [gain.track_gain, gain.album_gain, gain.track_peak, gain.album_peak]
                    .map(|g| g.map(f32::to_bits))
                    .hash(h);
                (&t.cover, &t.musicbrainz_id, t.added_at, &t.details).hash(h);
            })
        },
    );
    write_tracks(conn, &news).await?;
    let changed: Vec<&str> =
        news.iter().filter(|(t, _)| known.contains_key(t.id.as_str())).map(|(t, _)| t.id.as_str()).collect();
    bulk::for_ids(conn, ("DELETE FROM track_genres WHERE track_id IN", ""), &changed).await?;
    details::put_tracks(conn, &news, &changed).await?;
    link_genres(
        conn,
        "INSERT INTO track_genres (track_id, position, genre)",
        news.iter().map(|(t, _)| (t.id.as_str(), t.genres.as_slice())),
    )
    .await?;
    grow_albums(conn, &news).await?;
    let written: Vec<&str> = news.iter().map(|(t, _)| t.id.as_str()).collect();
    search::changed(conn, Kind::Track, &written).await?;
    Ok(news.len() as u64)
}

async fn write_tracks(conn: &mut sql::Connection, news: &[(&Track, i64)]) -> Result<(), CatalogError> {
    bulk::insert(
        conn,
        (
            "INSERT INTO tracks (id, title, title_fold, album_id, album, artist, album_artist, disc, number, year, \
             duration_ms, size, suffix, content_type, bit_rate, sample_rate, bit_depth, channels, track_gain, \
             album_gain, track_peak, album_peak, cover_id, musicbrainz_id, added_at, fingerprint, sort_title, bpm, \
             explicit, original_date, comment)",
            31,
            "ON CONFLICT (id) DO UPDATE SET title = excluded.title, title_fold = excluded.title_fold, \
             album_id = excluded.album_id, album = excluded.album, artist = excluded.artist, \
             album_artist = excluded.album_artist, disc = excluded.disc, number = excluded.number, \
             year = excluded.year, duration_ms = excluded.duration_ms, size = excluded.size, \
             suffix = excluded.suffix, content_type = excluded.content_type, bit_rate = excluded.bit_rate, \
             sample_rate = excluded.sample_rate, bit_depth = excluded.bit_depth, channels = excluded.channels, \
             track_gain = excluded.track_gain, album_gain = excluded.album_gain, \
             track_peak = excluded.track_peak, album_peak = excluded.album_peak, cover_id = excluded.cover_id, \
             musicbrainz_id = excluded.musicbrainz_id, added_at = excluded.added_at, \
             fingerprint = excluded.fingerprint, sort_title = excluded.sort_title, bpm = excluded.bpm, \
             explicit = excluded.explicit, original_date = excluded.original_date, comment = excluded.comment",
        ),
        news,
        |q, (t, print)| {
            let album = t.album_id.as_ref().map(AlbumId::as_str).filter(|id| !id.is_empty());
            q.bind(t.id.as_str().to_owned())
                .bind(t.title.clone())
                .bind(fold(&t.title))
                .bind(album.map(str::to_owned))
                .bind(t.album.clone())
                .bind(t.artist.clone())
                .bind(t.album_artist.clone())
                .bind(t.disc)
                .bind(t.number)
                .bind(t.year)
                .bind(sql_int(t.duration_ms))
                .bind(sql_int(t.size))
                .bind(t.suffix.clone())
                .bind(t.content_type.clone())
                .bind(t.bit_rate)
                .bind(t.sample_rate)
                .bind(t.bit_depth)
                .bind(t.channels)
                .bind(t.replay_gain.track_gain)
                .bind(t.replay_gain.album_gain)
                .bind(t.replay_gain.track_peak)
                .bind(t.replay_gain.album_peak)
                .bind(t.cover.as_ref().map(|c| c.as_str().to_owned()))
                .bind(t.musicbrainz_id.clone())
                .bind(t.added_at)
                .bind(*print)
                .bind(t.details.sort_title.clone())
                .bind(t.details.bpm)
                .bind(t.details.explicit.map(Explicit::word))
                .bind(t.details.original_date.clone())
                .bind(t.details.comment.clone())
        },
    )
    .await?;
    Ok(())
}

/// Raises the sums of albums whose tracks arrive before anybody counted them; `prune` makes them exact.
async fn grow_albums(conn: &mut sql::Connection, news: &[(&Track, i64)]) -> Result<(), CatalogError> {
    let albums: HashSet<&str> =
        news.iter().filter_map(|(t, _)| t.album_id.as_ref()).map(AlbumId::as_str).collect();
    let albums: Vec<&str> = albums.into_iter().collect();
    for head in [
        "UPDATE albums SET track_count = (SELECT COUNT(*) FROM tracks t WHERE t.album_id = albums.id) \
         WHERE track_count < (SELECT COUNT(*) FROM tracks t WHERE t.album_id = albums.id) AND id IN",
        "UPDATE albums SET duration_ms = \
         (SELECT CAST(COALESCE(SUM(t.duration_ms), 0) AS BIGINT) FROM tracks t WHERE t.album_id = albums.id) \
         WHERE duration_ms < \
         (SELECT CAST(COALESCE(SUM(t.duration_ms), 0) AS BIGINT) FROM tracks t WHERE t.album_id = albums.id) AND id IN",
    ] {
        bulk::for_ids(conn, (head, ""), &albums).await?;
    }
    Ok(())
}

async fn link_artists<'a>(
    conn: &mut sql::Connection,
    head: &'static str,
    links: impl Iterator<Item = (&'a str, &'a [ArtistRef])>,
) -> Result<(), CatalogError> {
    let rows: Vec<(&str, i64, &ArtistRef)> = links
        .flat_map(|(owner, artists)| {
            let named = artists.iter().filter(|a| !a.id.as_str().is_empty());
            named.zip(0..).map(move |(artist, position)| (owner, position, artist))
        })
        .collect();
    bulk::insert(conn, (head, 5, ""), &rows, |q, (owner, position, artist)| {
        q.bind((*owner).to_owned())
            .bind("artist")
            .bind(*position)
            .bind(artist.id.as_str().to_owned())
            .bind(artist.name.clone())
    })
    .await?;
    Ok(())
}

async fn link_genres<'a>(
    conn: &mut sql::Connection,
    head: &'static str,
    links: impl Iterator<Item = (&'a str, &'a [String])>,
) -> Result<(), CatalogError> {
    let rows: Vec<(&str, i64, &String)> = links
        .flat_map(|(owner, genres)| genres.iter().zip(0..).map(move |(genre, at)| (owner, at, genre)))
        .collect();
    bulk::insert(conn, (head, 3, ""), &rows, |q, (owner, position, genre)| {
        q.bind((*owner).to_owned()).bind(*position).bind((*genre).clone())
    })
    .await?;
    Ok(())
}

/// An unsigned number as SQL has it.
pub(super) fn sql_int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
