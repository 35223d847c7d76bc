//! What data about a person may be used for, and what the person is told of it.

use serde::{Deserialize, Serialize};

/// A use of personal data that a person decides on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// To keep what was heard.
    History,
    /// To make mixes and recommendations of what was heard, also for others.
    Personalisation,
    /// To choose ads by what was heard.
    PersonalAds,
    /// To count it in the operator's statistics.
    Analytics,
}

impl Purpose {
    /// All of them, in the order of their showing.
    pub const ALL: [Self; 4] = [Self::History, Self::Personalisation, Self::PersonalAds, Self::Analytics];
    /// The version of the texts below. It goes up when one of them comes to mean something else.
    pub const TEXT_VERSION: u32 = 1;

    /// The word of SQL, of the wire and of the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Personalisation => "personalisation",
            Self::PersonalAds => "personalAds",
            Self::Analytics => "analytics",
        }
    }

    /// What such a word means, in any case; `None` for any other.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.word().eq_ignore_ascii_case(word))
    }

    /// Whether it is allowed as long as the person has said nothing.
    pub const fn by_default(self) -> bool {
        matches!(self, Self::History | Self::Personalisation)
    }

    /// A few words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::History => "Keep what you hear",
            Self::Personalisation => "Mixes and recommendations",
            Self::PersonalAds => "Ads chosen for you",
            Self::Analytics => "Operator's statistics",
        }
    }

    /// What the person decides on.
    pub const fn text(self) -> &'static str {
        match self {
            Self::History => {
                "Every play is kept with its time, how long it was heard, and what it was played from, for your own lists and \
                 statistics. Off: nothing new is kept; what is there stays until you erase it."
            }
            Self::Personalisation => {
                "Mixes, radio and reasons are made of your plays, stars and ratings, and others' mixes learn from them too. Off: \
                 you are shown what is popular on this server."
            }
            Self::PersonalAds => {
                "Where a plan has ads, they may be chosen by the genres that you hear. Off: ads are chosen without looking at \
                 you. Nothing is passed on to who advertises."
            }
            Self::Analytics => {
                "Your plays are counted in the figures that the operator sees. Off: they are left out. Nobody is named there."
            }
        }
    }

    /// On what ground it rests (GDPR article 6).
    pub const fn basis(self) -> &'static str {
        match self {
            Self::History => "contract",
            Self::Personalisation => "legitimate interest",
            Self::PersonalAds | Self::Analytics => "consent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Purpose;

    #[test]
    fn what_needs_consent_is_off_and_words_lead_back() {
        for purpose in Purpose::ALL {
            assert_eq!(purpose.by_default(), purpose.basis() != "consent");
            assert_eq!(Purpose::of(&purpose.word().to_uppercase()), Some(purpose));
            let json = serde_json::to_value(purpose).unwrap();
            assert_eq!(json, purpose.word(), "the wire has the same word as the database");
        }
        assert_eq!(Purpose::of("everything"), None);
    }
}
