//! The words of songs.

use super::{Answer, Call, Refusal, Said};
use crate::music::fold;
use crate::subsonic::Body;
use crate::subsonic::lyrics::to_wire;
use crate::subsonic::playing::{Lyrics, LyricsList};

/// All that is known of a song's lyrics; words with times only for who asks for an enhanced answer.
pub(super) async fn by_song(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?;
    let enhanced = call.params.flag("enhanced")?.unwrap_or(false);
    let track = call.listener.track(&id.into()).await?.ok_or_else(|| Refusal::not_found("song"))?;
    let lyrics = call.shared.catalog.lyrics(&track.id).await?;
    let structured_lyrics = lyrics
        .iter()
        .map(|one| {
            let mut wire = to_wire(one, enhanced);
            wire.display_artist.get_or_insert_with(|| track.artist.clone());
            wire.display_title.get_or_insert_with(|| track.title.clone());
            wire
        })
        .collect();
    Ok(Body::LyricsList(LyricsList { structured_lyrics }).into())
}

/// The words of a song that is named; empty where there are none.
pub(super) async fn by_name(call: &Call<'_>) -> Said {
    let artist = call.params.get("artist").map(fold).unwrap_or_default();
    let title = call.params.get("title").unwrap_or_default();
    for track in call.listener.tracks_with_lyrics(title).await? {
        let credited = track.artists.iter().any(|a| fold(&a.name) == artist);
        if !artist.is_empty() && fold(&track.artist) != artist && !credited {
            continue;
        }
        if let Some(lyrics) = call.shared.catalog.lyrics(&track.id).await?.first() {
            let body = Lyrics { artist: Some(track.artist), title: Some(track.title), value: lyrics.plain() };
            return Ok(Answer::from(Body::Lyrics(body)));
        }
    }
    Ok(Body::Lyrics(Lyrics::default()).into())
}
