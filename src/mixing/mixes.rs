//! When mixes are old, and how they are made anew.
//!
//! A day's mixes stay as they are, but for the one that fits the hour. They are made again within a day only when there is
//! much more to make them of: the first plays, a library that has just come, sounds that were analysed.

use std::sync::Arc;

use jiff::ZonedDateTime;

use super::{CrowdModel, MANY, aside};
use crate::catalog::{CatalogError, KeptMix, Listener, ListeningSize, MixesMade};
use crate::music::{Mix, Pick};
use crate::taste::mixes::{self, Moment};
use crate::taste::sonic::VERSION;

/// With fewer plays than this each new one counts at once.
pub const FEW_PLAYS: u64 = 30;
/// Analysed sounds from which on there are mixes of moods.
const SOUNDS: u64 = 20;
/// Mixes in the order of showing; those that are not named follow.
const FIRST: [&str; 9] = [
    "daily-1",
    "daily-2",
    "discover",
    "on-repeat",
    "morning",
    "afternoon",
    "evening",
    "late-night",
    "rediscover",
];

/// How much of the mixes is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Nothing,
    /// The one that fits the part of the day.
    Part,
    All,
}

fn due(made: Option<&MixesMade>, of: ListeningSize, moment: Moment) -> Due {
    let Some(made) = made else { return Due::All };
    let few = made.of.plays < FEW_PLAYS && made.of.plays != of.plays;
    let grown = made.of.tracks.abs_diff(of.tracks) > made.of.tracks / 20;
    let heard = of.sounds >= SOUNDS && of.sounds >= made.of.sounds.saturating_mul(2);
    if made.day != moment.day || few || grown || heard {
        Due::All
    } else if made.part == mixes::part(moment.hour) {
        Due::Nothing
    } else {
        Due::Part
    }
}

/// Makes the mixes of a listener anew where they are old, as of `at`, the listener's time; says whether they changed. Without
/// the listener's consent to profiling there is [what is popular](popular) alone. `crowd` is what was learned from everybody, where there is
/// somebody else.
pub async fn refresh(
    listener: &Listener,
    at: &ZonedDateTime,
    crowd: Option<Arc<CrowdModel>>,
) -> Result<bool, CatalogError> {
    let made = listener.mixes_made().await?;
    let moment = moment(at);
    if !listener.profiled().await? {
        return show_popular(listener, made, moment).await;
    }
    let of = listener.listening_size(VERSION).await?;
    let due = due(made.as_ref(), of, moment);
    if due == Due::Nothing {
        return Ok(false);
    }
    let kept = if due == Due::Part { listener.mixes().await? } else { Vec::new() };
    let all = listener.listening_around(VERSION, &[], MANY).await?;
    let seed = seed(listener.account().as_str());
    let fresh = aside(move || {
        let scores = crowd.as_ref().map(|crowd| crowd.scores(&all, moment.now));
        let crowd = crowd.as_ref().zip(scores.as_deref());
        let crowd = crowd.map(|(crowd, scores)| mixes::Crowd { scores, listeners: crowd.listeners() });
        mixes::make(&all, moment, seed, crowd)
    });
    let fresh = fresh.await;
    let mixes = if due == Due::Part { with_part(kept, fresh) } else { ordered(fresh) };
    let part = mixes::part(moment.hour).to_owned();
    // The day's mixes were made of what there was then.
    let of = made.filter(|_| due == Due::Part).map_or(of, |made| made.of);
    listener.keep_mixes(&mixes, &MixesMade { at: moment.now, day: moment.day, part, of }).await?;
    // Who opted out meanwhile has none; the next look shows them what is popular.
    if !listener.profiled().await? {
        listener.forget_mixes().await?;
    }
    Ok(true)
}

/// Tracks of the popularity list.
const POPULAR: u64 = 50;

/// What everybody is shown who is not profiled: what is played most by those who may be learned from. It follows from the
/// library alone, so that two such listeners have the same list.
pub async fn popular(listener: &Listener) -> Result<Mix, CatalogError> {
    let tracks = listener.catalog().popular_tracks(POPULAR).await?;
    let pick = |track| Pick { track, why: "One of the tracks that are played most here.".to_owned() };
    Ok(Mix {
        id: "popular".to_owned(),
        name: "Popular here".to_owned(),
        about: "what is played most".to_owned(),
        why: "Nothing is made of what you hear, so this is the same for everybody.".to_owned(),
        picks: tracks.into_iter().map(pick).collect(),
    })
}

/// Keeps the popularity list in the place of mixes, once a day.
async fn show_popular(
    listener: &Listener,
    made: Option<MixesMade>,
    moment: Moment,
) -> Result<bool, CatalogError> {
    if made.is_some_and(|made| made.day == moment.day) {
        return Ok(false);
    }
    let popular = popular(listener).await?;
    let mixes = if popular.picks.is_empty() { Vec::new() } else { vec![popular] };
    let part = mixes::part(moment.hour).to_owned();
    let of = ListeningSize::default();
    listener.keep_mixes(&mixes, &MixesMade { at: moment.now, day: moment.day, part, of }).await?;
    Ok(true)
}

fn moment(at: &ZonedDateTime) -> Moment {
    let now = at.timestamp().as_millisecond();
    let ahead = i64::from(at.offset().seconds()) * 1000;
    Moment {
        now,
        hour: u8::try_from(at.hour()).unwrap_or(0),
        day: now.saturating_add(ahead).div_euclid(86_400_000),
    }
}

/// A number that hangs on a text alone (FNV-1a).
pub(super) fn seed(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// The day's mixes with the one for this part of the day in the place of that for another part.
fn with_part(kept: Vec<KeptMix>, fresh: Vec<Mix>) -> Vec<Mix> {
    let of_part = |mix: &Mix| mixes::PARTS.contains(&mix.id.as_str());
    let mut all: Vec<Mix> = kept.into_iter().map(|kept| kept.mix).filter(|mix| !of_part(mix)).collect();
    all.extend(fresh.into_iter().find(of_part));
    ordered(all)
}

fn ordered(mut mixes: Vec<Mix>) -> Vec<Mix> {
    mixes.sort_by_key(|mix| FIRST.iter().position(|id| *id == mix.id).unwrap_or(FIRST.len()));
    mixes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(day: i64, hour: u8, plays: u64, tracks: u64) -> MixesMade {
        let of = ListeningSize { plays, tracks, sounds: 0 };
        MixesMade { at: 0, day, part: mixes::part(hour).to_owned(), of }
    }

    #[test]
    fn a_day_stays_as_it_is_until_there_is_much_more() {
        let moment = Moment { now: 0, hour: 20, day: 7 };
        let of = |plays, tracks, sounds| ListeningSize { plays, tracks, sounds };
        assert_eq!(due(None, of(0, 0, 0), moment), Due::All);
        assert_eq!(due(Some(&made(6, 20, 500, 100)), of(500, 100, 0), moment), Due::All);
        let today = made(7, 20, 500, 100);
        assert_eq!(due(Some(&today), of(520, 103, 10), moment), Due::Nothing);
        assert_eq!(due(Some(&today), of(520, 120, 10), moment), Due::All);
        assert_eq!(due(Some(&today), of(520, 100, 30), moment), Due::All);
        assert_eq!(due(Some(&made(7, 12, 500, 100)), of(520, 103, 0), moment), Due::Part);
        assert_eq!(due(Some(&made(7, 20, 3, 100)), of(4, 100, 0), moment), Due::All);
    }
}
