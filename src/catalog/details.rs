//! What tracks and albums have several of: people with their roles, moods, works, labels and the like. Written with the rows
//! that they belong to (`apply`), read for a whole list at once (`rows`).

use std::collections::HashMap;

use super::sql;
use super::{CatalogError, bulk, rows::Cells};
use crate::music::{Album, ArtistRef, Credit, DiscTitle, Movement, Track, Work};

/// The role of a track's own artists.
const ARTIST: &str = "artist";
/// The role of its album's artists.
const ALBUM_ARTIST: &str = "albumartist";

/// Somebody in a role: track, role, position, who, detail.
type Link<'a> = (&'a str, &'a str, i64, &'a ArtistRef, Option<&'a str>);
/// Something: item, kind, position, value.
type Fact<'a> = (&'a str, &'static str, i64, String);

/// Writes people and facts of tracks; `changed` are those that had some before.
pub(super) async fn put_tracks(
    conn: &mut sql::Connection,
    tracks: &[(&Track, i64)],
    changed: &[&str],
) -> Result<(), CatalogError> {
    bulk::for_ids(conn, ("DELETE FROM track_artists WHERE track_id IN", ""), changed).await?;
    bulk::for_ids(conn, ("DELETE FROM track_facts WHERE track_id IN", ""), changed).await?;
    let links: Vec<Link<'_>> = tracks.iter().flat_map(|(track, _)| links_of(track)).collect();
    bulk::insert(
        conn,
        ("INSERT INTO track_artists (track_id, role, position, artist_id, name, detail)", 6, ""),
        &links,
        |q, (track, role, position, artist, detail)| {
            q.bind((*track).to_owned())
                .bind((*role).to_owned())
                .bind(*position)
                .bind(artist.id.as_str().to_owned())
                .bind(artist.name.clone())
                .bind(detail.map(str::to_owned))
        },
    )
    .await?;
    let facts: Vec<Fact<'_>> = tracks.iter().flat_map(|(track, _)| facts_of(track)).collect();
    put_facts(conn, "INSERT INTO track_facts (track_id, kind, position, value)", &facts).await
}

/// Writes facts of albums; `changed` are those that had some before.
pub(super) async fn put_albums(
    conn: &mut sql::Connection,
    albums: &[(&Album, i64)],
    changed: &[&str],
) -> Result<(), CatalogError> {
    bulk::for_ids(conn, ("DELETE FROM album_facts WHERE album_id IN", ""), changed).await?;
    let facts: Vec<Fact<'_>> = albums
        .iter()
        .flat_map(|(album, _)| {
            let (id, d) = (album.id.as_str(), &album.details);
            let mut facts = Vec::new();
            facts.extend(numbered(id, "label", &d.labels));
            facts.extend(numbered(id, "type", &d.release_types));
            facts.extend(numbered(id, "mood", &d.moods));
            let mut discs: Vec<&DiscTitle> = d.disc_titles.iter().collect();
            discs.sort_by_key(|disc| disc.disc);
            discs.dedup_by_key(|disc| disc.disc);
            facts
                .extend(discs.into_iter().map(|disc| (id, "disc", i64::from(disc.disc), disc.title.clone())));
            facts.extend(d.group_musicbrainz_id.iter().map(|group| (id, "mb-group", 0, group.clone())));
            facts
        })
        .collect();
    put_facts(conn, "INSERT INTO album_facts (album_id, kind, position, value)", &facts).await
}

async fn put_facts(
    conn: &mut sql::Connection,
    head: &'static str,
    facts: &[Fact<'_>],
) -> Result<(), CatalogError> {
    bulk::insert(conn, (head, 4, ""), facts, |q, (item, kind, position, value)| {
        q.bind((*item).to_owned()).bind(*kind).bind(*position).bind(value.clone())
    })
    .await?;
    Ok(())
}

/// Everybody that a track names, whatever they did.
pub(super) fn people(track: &Track) -> impl Iterator<Item = &ArtistRef> {
    let d = &track.details;
    track.artists.iter().chain(&d.album_artists).chain(d.credits.iter().map(|c| &c.artist))
}

fn links_of(track: &Track) -> Vec<Link<'_>> {
    let id = track.id.as_str();
    let mut links: Vec<Link<'_>> = Vec::with_capacity(track.artists.len() + 1 + track.details.credits.len());
    for (artists, role) in [(&track.artists, ARTIST), (&track.details.album_artists, ALBUM_ARTIST)] {
        let named = artists.iter().filter(|a| !a.id.as_str().is_empty());
        links.extend(named.zip(0..).map(|(artist, at)| (id, role, at, artist, None)));
    }
    let mut counts: HashMap<&str, i64> = HashMap::new();
    for credit in &track.details.credits {
        let role = credit.role.as_str();
        if credit.artist.id.as_str().is_empty() || role.is_empty() || role == ARTIST || role == ALBUM_ARTIST {
            continue;
        }
        let at = counts.entry(role).or_insert(0);
        links.push((id, role, *at, &credit.artist, credit.detail.as_deref()));
        *at += 1;
    }
    links
}

fn numbered<'a>(id: &'a str, kind: &'static str, values: &'a [String]) -> impl Iterator<Item = Fact<'a>> {
    values.iter().zip(0..).map(move |(value, at)| (id, kind, at, value.clone()))
}

fn facts_of(track: &Track) -> Vec<Fact<'_>> {
    let (id, d) = (track.id.as_str(), &track.details);
    let mut facts = Vec::new();
    facts.extend(numbered(id, "mood", &d.moods));
    facts.extend(numbered(id, "grouping", &d.groupings));
    facts.extend(numbered(id, "isrc", &d.isrcs));
    for (work, at) in d.works.iter().zip(0..) {
        facts.push((id, "work", at, work.name.clone()));
        facts.extend(work.musicbrainz_id.iter().map(|mbid| (id, "mb-work", at, mbid.clone())));
    }
    for (movement, at) in d.movements.iter().zip(0..) {
        facts.push((id, "movement", at, movement.name.clone()));
        facts.extend(movement.number.map(|n| (id, "movement-number", at, n.to_string())));
        facts.extend(movement.count.map(|n| (id, "movement-count", at, n.to_string())));
    }
    facts.extend(d.disc_title.iter().map(|title| (id, "disc", 0, title.clone())));
    facts
}

/// People (1), genres (2) and facts (3) of tracks: owner, which of them, key (role or kind), position, and three texts.
const OF_TRACKS: &[&str] = &[
    "SELECT track_id, 1, role, position, detail, artist_id, name FROM track_artists WHERE track_id IN",
    "UNION ALL SELECT track_id, 2, '', position, genre, NULL, NULL FROM track_genres WHERE track_id IN",
    "UNION ALL SELECT track_id, 3, kind, position, value, NULL, NULL FROM track_facts WHERE track_id IN",
    "ORDER BY 1, 2, 3, 4",
];

/// The same of albums.
const OF_ALBUMS: &[&str] = &[
    "SELECT album_id, 1, role, position, NULL, artist_id, name FROM album_artists WHERE role = 'artist' AND album_id IN",
    "UNION ALL SELECT album_id, 2, '', position, genre, NULL, NULL FROM album_genres WHERE album_id IN",
    "UNION ALL SELECT album_id, 3, kind, position, value, NULL, NULL FROM album_facts WHERE album_id IN",
    "ORDER BY 1, 2, 3, 4",
];

/// What an item has several of.
enum Linked {
    Person { role: String, detail: Option<String>, artist: ArtistRef },
    Genre(String),
    Fact { kind: String, position: i64, value: String },
}

/// All that items have several of, by item.
async fn linked(
    conn: &mut sql::Connection,
    parts: &[&'static str],
    ids: &[&str],
) -> Result<HashMap<String, Vec<Linked>>, sql::Error> {
    let mut all: HashMap<String, Vec<Linked>> = HashMap::with_capacity(ids.len());
    for group in bulk::groups(ids) {
        for row in bulk::with_same_ids(parts, &group).fetch_all(&mut *conn).await? {
            let mut c = Cells::of(&row);
            let owner: String = c.get()?;
            let (which, key, position): (i64, String, i64) = (c.get()?, c.get()?, c.get()?);
            let text: Option<String> = c.get()?;
            let link = match which {
                1 => Linked::Person {
                    role: key,
                    detail: text,
                    artist: ArtistRef { id: c.get::<String>()?.into(), name: c.get()? },
                },
                2 => Linked::Genre(text.unwrap_or_default()),
                _ => Linked::Fact { kind: key, position, value: text.unwrap_or_default() },
            };
            all.entry(owner).or_default().push(link);
        }
    }
    Ok(all)
}

/// Fills in the people, genres and facts of a list of tracks.
pub(super) async fn fill_tracks(conn: &mut sql::Connection, tracks: &mut [Track]) -> Result<(), sql::Error> {
    let ids: Vec<&str> = tracks.iter().map(|t| t.id.as_str()).collect();
    let mut links = linked(conn, OF_TRACKS, &ids).await?;
    for track in tracks {
        for link in links.remove(track.id.as_str()).unwrap_or_default() {
            match link {
                Linked::Person { role, artist, .. } if role == ARTIST => track.artists.push(artist),
                Linked::Person { role, artist, .. } if role == ALBUM_ARTIST => {
                    track.details.album_artists.push(artist);
                }
                Linked::Person { role, detail, artist } => {
                    track.details.credits.push(Credit { role, detail, artist });
                }
                Linked::Genre(genre) => track.genres.push(genre),
                Linked::Fact { kind, position, value } => take_fact(track, &kind, position, value),
            }
        }
    }
    Ok(())
}

/// The kinds come in the order of the alphabet: ids of works before works, counts and numbers after movements.
fn take_fact(track: &mut Track, kind: &str, position: i64, value: String) {
    let at = usize::try_from(position).unwrap_or(usize::MAX);
    let d = &mut track.details;
    match kind {
        "mood" => d.moods.push(value),
        "grouping" => d.groupings.push(value),
        "isrc" => d.isrcs.push(value),
        "disc" => d.disc_title = Some(value),
        "movement" => d.movements.push(Movement { name: value, number: None, count: None }),
        "movement-number" => {
            if let Some(movement) = d.movements.get_mut(at) {
                movement.number = value.parse().ok();
            }
        }
        "movement-count" => {
            if let Some(movement) = d.movements.get_mut(at) {
                movement.count = value.parse().ok();
            }
        }
        "mb-work" => {
            d.works.resize(
                d.works.len().max(at.min(1_000) + 1),
                Work { name: String::new(), musicbrainz_id: None },
            );
            if let Some(work) = d.works.get_mut(at) {
                work.musicbrainz_id = Some(value);
            }
        }
        "work" => match d.works.get_mut(at) {
            Some(work) => work.name = value,
            None => d.works.push(Work { name: value, musicbrainz_id: None }),
        },
        _ => {}
    }
}

/// Fills in the artists, genres and facts of a list of albums.
pub(super) async fn fill_albums(conn: &mut sql::Connection, albums: &mut [Album]) -> Result<(), sql::Error> {
    let ids: Vec<&str> = albums.iter().map(|a| a.id.as_str()).collect();
    let mut links = linked(conn, OF_ALBUMS, &ids).await?;
    for album in albums {
        let d = &mut album.details;
        for link in links.remove(album.id.as_str()).unwrap_or_default() {
            match link {
                Linked::Person { artist, .. } => album.artists.push(artist),
                Linked::Genre(genre) => album.genres.push(genre),
                Linked::Fact { kind, position, value } => match kind.as_str() {
                    "label" => d.labels.push(value),
                    "type" => d.release_types.push(value),
                    "mood" => d.moods.push(value),
                    "disc" => {
                        let disc = u32::try_from(position).unwrap_or(1);
                        d.disc_titles.push(DiscTitle { disc, title: value });
                    }
                    "mb-group" => d.group_musicbrainz_id = Some(value),
                    _ => {}
                },
            }
        }
    }
    Ok(())
}

/// Works out again what every artist is in the library; `apply::prune` calls it.
pub(super) async fn count_roles(conn: &mut sql::Connection) -> Result<(), CatalogError> {
    let rows = sql::query(
        "WITH r (role) AS (VALUES ('arranger'), ('artist'), ('composer'), ('conductor'), ('director'), ('djmixer'), \
         ('engineer'), ('lyricist'), ('mixer'), ('performer'), ('producer'), ('remixer'), ('writer')) \
         SELECT id, was, now FROM (SELECT a.id AS id, a.roles AS was, \
         (CASE WHEN EXISTS (SELECT 1 FROM album_artists l WHERE l.artist_id = a.id AND l.role = 'artist') \
         THEN 'albumartist ' ELSE '' END) || COALESCE((SELECT STRING_AGG(r.role, ' ' ORDER BY r.role) FROM r WHERE EXISTS \
         (SELECT 1 FROM track_artists l WHERE l.artist_id = a.id AND l.role = r.role)), '') AS now \
         FROM artists a) w WHERE was <> now",
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        let mut c = Cells::of(row);
        let (id, _, now): (String, String, String) = (c.get()?, c.get()?, c.get()?);
        sql::query("UPDATE artists SET roles = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}
