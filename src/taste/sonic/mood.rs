//! Moods as bands of the listener's own library: "calm" is the calmest part of what is there, not what lies above some
//! number. Tags and the listener correct what the sound says.

use crate::music::Sonic;

/// A mood that a list can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mood {
    /// Quiet, slow, even.
    Calm,
    /// Steady and unobtrusive.
    Focus,
    /// Loud, fast, dense.
    Energy,
    /// Lively, bright and rather major.
    Happy,
    /// Subdued, dark and rather minor.
    Melancholy,
    /// The calmest and darkest, without strokes.
    Sleep,
    /// A strong beat at a pace to move to.
    Workout,
}

impl Mood {
    /// All of them.
    pub const ALL: [Mood; 7] =
        [Mood::Calm, Mood::Focus, Mood::Energy, Mood::Happy, Mood::Melancholy, Mood::Sleep, Mood::Workout];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Focus => "focus",
            Self::Energy => "energy",
            Self::Happy => "happy",
            Self::Melancholy => "melancholy",
            Self::Sleep => "sleep",
            Self::Workout => "workout",
        }
    }

    /// The share of the library that has this mood, the highest fits.
    pub fn share(self) -> f32 {
        match self {
            Self::Sleep => 0.1,
            Self::Workout | Self::Happy | Self::Melancholy => 0.2,
            Self::Calm | Self::Focus | Self::Energy => 0.25,
        }
    }

    /// How well a sound fits, 0 to 1; only its order within a library means something.
    pub fn fit(self, sound: &Sonic) -> f32 {
        let major = if sound.key.minor { -1.0 } else { 1.0 } * sound.key_confidence;
        let (energy, bright) = (sound.energy.value, sound.brightness.value);
        let fit = match self {
            Self::Calm => sound.calm.value,
            Self::Focus => sound.focus.value,
            Self::Energy => energy,
            Self::Happy => {
                0.35 * energy + 0.25 * bright + 0.2 * sound.danceability.value + 0.1 * (1.0 + major)
            }
            Self::Melancholy => 0.35 * sound.calm.value + 0.35 * (1.0 - bright) + 0.15 * (1.0 - major),
            Self::Sleep => 0.6 * sound.calm.value + 0.25 * (1.0 - bright) + 0.15 * (1.0 - energy),
            Self::Workout => 0.5 * energy + 0.5 * sound.danceability.value,
        };
        fit.clamp(0.0, 1.0)
    }

    /// Words of tags and genres that name this mood, folded.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Calm => {
                &["calm", "ambient", "chill", "chillout", "relaxing", "acoustic", "quiet", "peaceful"]
            }
            Self::Focus => &["focus", "minimal", "minimalism", "study", "instrumental", "concentration"],
            Self::Energy => &["energetic", "punk", "metal", "hardcore", "drum and bass", "rave", "hard rock"],
            Self::Happy => &["happy", "fun", "feel good", "cheerful", "upbeat", "party", "summer"],
            Self::Melancholy => &["melancholy", "melancholic", "sad", "slowcore", "sadcore", "mournful"],
            Self::Sleep => &["sleep", "lullaby", "drone", "dark ambient", "new age", "meditation"],
            Self::Workout => &["workout", "gym", "running", "techno", "dance", "edm", "house", "trance"],
        }
    }

    /// What tags and genres (folded) say: 1 where one names this mood, −1 where one names the opposite, 0 without a word.
    pub fn told_by<'a>(self, tags: impl IntoIterator<Item = &'a str>) -> f32 {
        let opposite = match self {
            Self::Calm | Self::Sleep => Some(Self::Energy),
            Self::Energy | Self::Workout => Some(Self::Sleep),
            Self::Happy => Some(Self::Melancholy),
            Self::Melancholy => Some(Self::Happy),
            Self::Focus => None,
        };
        let named = |mood: Self, tag: &str| mood.words().contains(&tag);
        tags.into_iter().fold(0.0, |told, tag| {
            if named(self, tag) {
                1.0
            } else if told < 1.0 && opposite.is_some_and(|mood| named(mood, tag)) {
                -1.0
            } else {
                told
            }
        })
    }
}

/// One track to be judged.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Candidate {
    /// How well its sound fits, from [`Mood::fit`].
    pub fit: f32,
    /// What its tags say, from [`Mood::told_by`].
    pub told: f32,
    /// What the listener said of it in this mood: `Some(false)` for "not this one", `Some(true)` for "this one".
    pub verdict: Option<bool>,
}

/// How far a tag moves a track through the library's order: a third of the whole.
const TAG: f32 = 0.33;

/// The numbers of those candidates that make the mood's band, best first. A candidate's place is its percentile in the
/// library by sound, moved by its tags; the listener's word stands above both.
pub fn band(candidates: &[Candidate], share: f32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..candidates.len() as u32).collect();
    let at = |n: u32| candidates.get(n as usize).copied().unwrap_or_default();
    order.sort_by(|a, b| at(*a).fit.total_cmp(&at(*b).fit).then(b.cmp(a)));
    let count = order.len().max(1) as f32;
    let placed = order.iter().enumerate().map(|(rank, n)| {
        let place = (rank as f32 + 1.0) / count + TAG * at(*n).told;
        (*n, if at(*n).verdict == Some(true) { place + 2.0 } else { place })
    });
    let mut placed: Vec<(u32, f32)> = placed.filter(|(n, _)| at(*n).verdict != Some(false)).collect();
    placed.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let wanted = candidates.iter().filter(|c| c.verdict == Some(true)).count();
    let size = ((candidates.len() as f32 * share.clamp(0.0, 1.0)).ceil() as usize).max(wanted);
    placed.into_iter().take(size).map(|(n, _)| n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library() -> Vec<Candidate> {
        (0..20).map(|n| Candidate { fit: n as f32 / 100.0, ..Candidate::default() }).collect()
    }

    #[test]
    fn a_band_is_a_share_of_what_is_there_whatever_the_numbers() {
        assert_eq!(band(&library(), 0.25), [19, 18, 17, 16, 15]);
        assert_eq!(band(&[], 0.25), Vec::<u32>::new());
        assert_eq!(band(&library()[..1], 0.1), [0]);
    }

    #[test]
    fn tags_move_and_the_listener_decides() {
        let mut tracks = library();
        tracks[12].told = 1.0; // place 0.65 + 0.33: in
        tracks[19].told = -1.0; // place 1.0 - 0.33: out
        tracks[2].verdict = Some(true);
        tracks[18].verdict = Some(false);
        assert_eq!(band(&tracks, 0.25), [2, 12, 17, 16, 15]);
    }

    #[test]
    fn every_mood_has_words_that_no_other_claims() {
        for mood in Mood::ALL {
            for word in mood.words() {
                assert_eq!(crate::music::fold(word), *word, "a folded tag is compared");
                assert!((mood.told_by([*word]) - 1.0).abs() < 1e-6);
                assert_eq!(Mood::ALL.iter().filter(|m| m.words().contains(word)).count(), 1, "{word}");
            }
        }
        assert!(Mood::Calm.told_by(["punk"]) < 0.0 && Mood::Focus.told_by(["polka"]).abs() < 1e-6);
    }
}
