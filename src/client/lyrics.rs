//! Lyrics for the screens: from the server while it can be reached, and kept in the catalog for when it cannot.

use super::link::Link;
use crate::catalog::{Catalog, CatalogError};
use crate::music::{Lyrics, Track};
use crate::subsonic::{ClientError, ErrorCode, lyrics::from_wire};

/// The lyrics of a track, the best first; none where there are none. What is known locally answers when the server does not.
pub(super) async fn lyrics(
    link: &Link,
    catalog: &Catalog,
    track: &Track,
) -> Result<Vec<Lyrics>, CatalogError> {
    if link.is_up() {
        match fetch(link, track).await {
            Ok(found) => {
                catalog.set_lyrics(&track.id, found.clone()).await?;
                return Ok(found);
            }
            Err(error) => tracing::debug!(%error, "the server did not give lyrics"),
        }
    }
    catalog.lyrics(&track.id).await
}

async fn fetch(link: &Link, track: &Track) -> Result<Vec<Lyrics>, ClientError> {
    if link.extends("songLyrics").await {
        return match link.ask(link.client.lyrics_by_song_id(&track.id)).await {
            Ok(found) => Ok(found.iter().filter_map(from_wire).collect()),
            Err(error) if error.code() == Some(ErrorCode::NotFound) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
    }
    let text = match link.ask(link.client.plain_lyrics(&track.artist, &track.title)).await {
        Err(error) if error.code() == Some(ErrorCode::NotFound) => String::new(),
        other => other?,
    };
    Ok(Lyrics::parse(&text, "").into_iter().collect())
}
