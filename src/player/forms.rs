//! What is played in place of a file that cannot be decoded here, such as HE-AAC or WavPack: a form that the server makes
//! of it. Which forms are asked for, in which order, and what is known to be of no use.

use std::collections::HashMap;

use crate::music::{Quality, TrackId};

/// What nearly every server can make: Opus keeps its joints exact, MP3 is made even by the oldest.
const ANYWHERE: [Quality; 2] = [Quality::Opus(192), Quality::Mp3(320)];

/// The forms to ask for one after the other: what suits the track, what the listener chose (which a small file is not
/// made into), then what is made anywhere, in as many kbit/s as the plan gives (`limit`, 0 for any).
pub(super) fn in_order(chosen: Quality, suits: Quality, limit: u32) -> impl Iterator<Item = Quality> {
    let made = Some(chosen).filter(|form| *form != suits && *form != Quality::Original);
    let anywhere = ANYWHERE.into_iter().map(move |form| form.at_most(limit));
    std::iter::once(suits).chain(made).chain(anywhere.filter(move |form| *form != chosen))
}

/// Forms of tracks that cannot be decoded, or not be had.
#[derive(Default)]
pub(super) struct Refused(HashMap<TrackId, Refusal>);

struct Refusal {
    /// What was wrong with the first one, which is what the listener has to know.
    why: String,
    forms: Vec<Quality>,
}

impl Refused {
    /// Whether this form is of no use.
    pub(super) fn has(&self, track: &TrackId, form: Quality) -> bool {
        self.0.get(track).is_some_and(|refusal| refusal.forms.contains(&form))
    }

    /// Whether any form of a track is of no use.
    pub(super) fn any(&self, track: &TrackId) -> bool {
        self.0.contains_key(track)
    }

    /// Notes one.
    pub(super) fn add(&mut self, track: &TrackId, form: Quality, why: String) {
        let refusal = self.0.entry(track.clone()).or_insert_with(|| Refusal { why, forms: Vec::new() });
        refusal.forms.push(form);
    }

    /// Forgets all that is known of a track; gives what was wrong first.
    pub(super) fn forget(&mut self, track: &TrackId) -> Option<String> {
        self.0.remove(track).map(|refusal| refusal.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_is_asked_for_twice() {
        let order = |chosen, suits| in_order(chosen, suits, 0).collect::<Vec<_>>();
        let [opus, mp3] = ANYWHERE;
        assert_eq!(order(Quality::Original, Quality::Original), [Quality::Original, opus, mp3]);
        assert_eq!(order(Quality::Opus(96), Quality::Opus(96)), [Quality::Opus(96), opus, mp3]);
        assert_eq!(
            order(Quality::Opus(96), Quality::Original),
            [Quality::Original, Quality::Opus(96), opus, mp3],
            "a small file is asked for as it is"
        );
        assert_eq!(order(mp3, Quality::Original), [Quality::Original, mp3, opus]);
        let free: Vec<_> = in_order(Quality::Opus(96), Quality::Opus(96), 96).collect();
        assert_eq!(free, [Quality::Opus(96), Quality::Mp3(96)], "no more than the plan gives");
    }
}
