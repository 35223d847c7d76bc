//! What is near to something: radio, similar tracks, paths; and why a track is where it is.

use super::{MANY, aside, mixes::seed, places};
use crate::catalog::{CatalogError, Listener};
use crate::music::{Pick, TrackId};
use crate::taste::signals::Liking;
use crate::taste::sonic::VERSION;
use crate::taste::{radio as near, reasons};

/// Seeds of a radio that are looked at; of more, these are spread over all of them.
const SEEDS: usize = 20;

/// What a radio grows from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Seeds {
    /// What the queue calls it; also tells one radio from another.
    pub name: String,
    /// The tracks that it grows from.
    pub tracks: Vec<TrackId>,
}

impl Seeds {
    /// Key of the catalog's settings under which the last radio is kept, as JSON.
    pub const SETTING: &str = "player.radio";

    /// A radio of this name from these tracks, of which as many are kept as are looked at.
    pub fn new(name: String, tracks: &[TrackId]) -> Self {
        let step = tracks.len().div_ceil(SEEDS).max(1);
        Self { name, tracks: tracks.iter().step_by(step).cloned().collect() }
    }
}

/// The next `count` tracks of a radio, each with its reason. What is in `heard` does not come again: give the tracks of the
/// last hours and those that wait already. `now` is Unix time in ms.
pub async fn radio(
    listener: &Listener,
    seeds: &Seeds,
    heard: &[TrackId],
    count: usize,
    now: i64,
) -> Result<Vec<Pick>, CatalogError> {
    let all = listener.listening_around(VERSION, &[&seeds.tracks[..], heard].concat(), MANY).await?;
    let (from, heard) = (places(&all, &seeds.tracks), places(&all, heard));
    let chance = seed(&seeds.name) ^ now.unsigned_abs();
    Ok(aside(move || {
        let liking = Liking::of(&all, now);
        let mut found = near::radio(&all, &liking, &from, &heard, count, chance);
        if found.len() < count {
            // A small library was heard through: the oldest come again.
            let recent = &heard[..heard.len().min(all.tunes.len() / 2)];
            found = near::radio(&all, &liking, &from, recent, count, chance);
        }
        let pick =
            |(at, why): (u32, String)| Some(Pick { track: all.tunes.get(at as usize)?.id.clone()?, why });
        found.into_iter().filter_map(pick).collect()
    })
    .await)
}

/// A track and how near it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// The track.
    pub track: TrackId,
    /// 0 to 1.
    pub nearness: f32,
}

/// Tracks near to all of `seeds`, the nearest first, without the seeds, and without what the listener wants less of.
pub async fn similar(
    listener: &Listener,
    seeds: &[TrackId],
    count: usize,
    now: i64,
) -> Result<Vec<Near>, CatalogError> {
    let all = listener.listening_around(VERSION, seeds, MANY).await?;
    let from = places(&all, &Seeds::new(String::new(), seeds).tracks);
    let out = places(&all, seeds);
    Ok(aside(move || {
        let liking = Liking::of(&all, now);
        let found = near::around(&all, &liking, &from, &out).into_iter();
        let near = |(at, nearness): (u32, f32)| {
            let track = all.tunes.get(at as usize)?.id.clone()?;
            Some(Near { track, nearness: nearness.clamp(0.0, 1.0) })
        };
        found.take(count).filter_map(near).collect()
    })
    .await)
}

/// Tracks on a path between two songs when nobody says how many, both included.
pub const PATH: usize = 12;

/// A way of at most `count` tracks from one to another, both included; empty when either is not in the library.
pub async fn path(
    listener: &Listener,
    from: &TrackId,
    to: &TrackId,
    count: usize,
) -> Result<Vec<TrackId>, CatalogError> {
    let all = listener.listening_around(VERSION, &[from.clone(), to.clone()], MANY).await?;
    let (from, to) = (places(&all, [from]), places(&all, [to]));
    let (Some(from), Some(to)) = (from.first().copied(), to.first().copied()) else { return Ok(Vec::new()) };
    Ok(aside(move || {
        let way = near::path(&all, from, to, count);
        way.into_iter().filter_map(|at| all.tunes.get(at as usize)?.id.clone()).collect()
    })
    .await)
}

/// Why a track is where it is, each line a sentence from evidence: first the mix `context` that picked it, or the radio, then
/// what the listener did. `now` is Unix time in ms.
pub async fn why(
    listener: &Listener,
    track: &TrackId,
    context: &str,
    radio: Option<&Seeds>,
    now: i64,
) -> Result<Vec<String>, CatalogError> {
    let mut lines = Vec::new();
    if let Some((mix, why)) = listener.picked_because(track, context).await? {
        lines.push(format!("{mix}: {why}."));
    }
    let near_to = radio.filter(|radio| radio.name == context).map_or(&[][..], |radio| &radio.tracks);
    let wanted: Vec<TrackId> = near_to.iter().chain([track]).cloned().collect();
    let all = listener.listening_known(VERSION, &wanted).await?;
    let (seeds, of) = (places(&all, near_to), places(&all, [track]));
    if let (Some(of), false) = (of.first(), seeds.is_empty())
        && !seeds.contains(of)
    {
        lines.push(format!("{context}: {}.", near::why(&all, &seeds, *of)));
    }
    if let Some(of) = of.first().copied() {
        let about = aside(move || reasons::about(&all, &Liking::of(&all, now), of, now));
        lines.extend(about.await);
    }
    Ok(lines)
}
