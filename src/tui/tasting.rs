//! Effects that ask taste: radio, a way from one track to another, less of something, reasons.

use super::effects::{Answer, Msg, Source};
use super::outside::{Outside, collect, sentence};
use crate::catalog::CatalogError;
use crate::mixing::{self, Seeds};
use crate::music::{ArtistId, Item, Track, TrackId};
use crate::player::Command;

/// Tracks that a radio begins with; the player fetches more when few are left.
const BEGIN: usize = 25;
/// What was heard within this time does not come again in a radio, ms.
pub const RADIO_MEMORY_MS: i64 = 6 * 3_600_000;

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The radio that played last, if it was one.
pub async fn last_radio(outside: &dyn Outside) -> Option<Seeds> {
    let kept = outside.catalog().setting(Seeds::SETTING).await.ok().flatten()?;
    serde_json::from_str(&kept).ok()
}

/// Begins a radio. With `goes_on` its seed plays already, and only what follows changes.
pub(super) async fn radio(outside: &dyn Outside, source: &Source, goes_on: bool) -> Option<Msg> {
    match try_radio(outside, source, goes_on).await {
        Ok(true) => None,
        Ok(false) => Some(Msg::Tasted(Err(format!(
            "There is nothing near “{}” in this library.",
            super::text::clean(source.name())
        )))),
        Err(error) => Some(Msg::Tasted(Err(sentence(&error)))),
    }
}

async fn try_radio(outside: &dyn Outside, source: &Source, goes_on: bool) -> Result<bool, CatalogError> {
    let library = outside.library();
    let from = collect(outside, source).await?;
    let ids: Vec<TrackId> = from.iter().map(|track| track.id.clone()).collect();
    let seeds = Seeds::new(format!("Radio: {}", source.name()), &ids);
    let now = now_ms();
    let heard = library.heard_since(now - RADIO_MEMORY_MS).await?;
    let picks = mixing::radio(library, &seeds, &heard, BEGIN, now).await?;
    let near: Vec<TrackId> = picks.into_iter().map(|pick| pick.track).collect();
    let near = library.tracks(&near).await?;
    if near.is_empty() {
        return Ok(false);
    }
    let kept = serde_json::to_string(&seeds)?;
    outside.catalog().set_setting(Seeds::SETTING, &kept).await?;
    let name = seeds.name;
    outside.command(if goes_on {
        Command::Follow { tracks: near, name }
    } else {
        let first = rand::random_range(0..from.len().max(1));
        let mut tracks: Vec<Track> = from.into_iter().skip(first).take(1).collect();
        tracks.extend(near);
        Command::PlayContext { tracks, start: 0, name, shuffled: false }
    });
    Ok(true)
}

/// Puts a way from one track to another right after what plays.
pub(super) async fn path(outside: &dyn Outside, from: &TrackId, to: &TrackId, title: &str) -> Option<Msg> {
    let library = outside.library();
    let title = super::text::clean(title);
    let found = async {
        let way = mixing::path(library, from, to, mixing::PATH).await?;
        library.tracks(way.get(1..).unwrap_or_default()).await
    };
    Some(Msg::Tasted(match found.await {
        Ok(way) if way.is_empty() => Err(format!("There is no way from here to “{title}”.")),
        Ok(way) => {
            let said = format!(
                "“{title}” is {} away: they play next.",
                super::text::count(way.len() as u64, "step")
            );
            outside.command(Command::EnqueueNext(way));
            Ok(said)
        }
        Err(error) => Err(sentence(&error)),
    }))
}

/// Less of something from now on, or no longer less.
pub(super) async fn less(outside: &dyn Outside, item: Item, name: String, artist: bool) -> Option<Msg> {
    let library = outside.library();
    let done = async {
        let other = if artist { artist_of(outside, &item).await? } else { None };
        let (item, name) = other.map_or((item, name), |(id, name)| (Item::Artist(id), name));
        let less = !library.wants_less(&item).await?;
        library.set_less(&item, less).await?;
        outside.taste_changed();
        Ok::<_, CatalogError>(Msg::Less { item, name, less })
    };
    Some(done.await.unwrap_or_else(|error| Msg::Tasted(Err(sentence(&error)))))
}

async fn artist_of(outside: &dyn Outside, item: &Item) -> Result<Option<(ArtistId, String)>, CatalogError> {
    let Item::Track(id) = item else { return Ok(None) };
    let track = outside.library().track(id).await?;
    let first = track.and_then(|track| track.artists.into_iter().next());
    Ok(first.map(|artist| (artist.id, artist.name)))
}

/// Opts in or out of profiling.
pub(super) async fn profiling(outside: &dyn Outside, on: bool) -> Option<Msg> {
    let done = outside.library().set_profiled(on).await;
    outside.taste_changed();
    outside.outbox_changed();
    Some(Msg::Tasted(match done {
        Ok(()) if on => Ok("Mixes are made of what you hear, on this machine.".to_owned()),
        Ok(()) => Ok("From now on nothing is made of what you hear, and the mixes are gone.".to_owned()),
        Err(error) => Err(sentence(&error)),
    }))
}

/// Why a track is where it is.
pub(super) async fn why(
    outside: &dyn Outside,
    track: &TrackId,
    context: &str,
) -> Result<Answer, CatalogError> {
    let radio = last_radio(outside).await;
    let lines = mixing::why(outside.library(), track, context, radio.as_ref(), now_ms()).await?;
    Ok(Answer::Why(lines))
}
