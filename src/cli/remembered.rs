//! How the sound is treated and where it goes, from one start to the next: what the configuration says, and where it
//! says nothing, what the listener asked for last.

use serde::{Deserialize, Serialize};

use super::config::Settings;
use crate::catalog::Catalog;
use crate::player::Sound;

/// The sound at the start, and what was written down before.
#[derive(Clone)]
pub(super) struct Remembered {
    start: Sound,
    kept: Kept,
}

/// [`Sound`] as it is written into the catalog; only what a listener asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    #[serde(skip_serializing_if = "Option::is_none")]
    crossfade_s: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    equalizer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bit_perfect: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
}

impl Remembered {
    /// Key of the catalog's settings.
    pub(super) const KEY: &str = "player.sound";

    /// What to start with.
    pub(super) async fn read(settings: &Settings, catalog: &Catalog) -> Self {
        let kept = catalog.setting(Self::KEY).await.ok().flatten();
        Self::from_text(settings, kept.as_deref())
    }

    fn from_text(settings: &Settings, kept: Option<&str>) -> Self {
        let kept: Kept = kept.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let said = Sound {
            crossfade_s: settings.crossfade,
            speed: (settings.speed * 100.0).round() as u16,
            equalizer: settings.equalizer.parse().unwrap_or_default(),
            bit_perfect: settings.bit_perfect,
            output: settings.output.clone(),
        };
        let plain = Sound::default();
        let start = Sound {
            crossfade_s: last(said.crossfade_s, &plain.crossfade_s, kept.crossfade_s),
            speed: last(said.speed, &plain.speed, kept.speed),
            equalizer: last(
                said.equalizer,
                &plain.equalizer,
                kept.equalizer.as_deref().and_then(|text| text.parse().ok()),
            ),
            bit_perfect: last(said.bit_perfect, &plain.bit_perfect, kept.bit_perfect),
            output: last(said.output, &plain.output, kept.output.clone()),
        };
        Self { start: start.within_bounds(), kept }
    }

    /// The sound at the start.
    pub(super) fn sound(&self) -> Sound {
        self.start.clone()
    }

    /// What is to be written down, the sound being this now: what the listener changed, and what was there before.
    pub(super) fn written(&self, now: &Sound) -> String {
        let (start, kept) = (&self.start, self.kept.clone());
        let changed = Kept {
            crossfade_s: (now.crossfade_s != start.crossfade_s)
                .then_some(now.crossfade_s)
                .or(kept.crossfade_s),
            speed: (now.speed != start.speed).then_some(now.speed).or(kept.speed),
            equalizer: (now.equalizer != start.equalizer)
                .then(|| now.equalizer.to_string())
                .or(kept.equalizer),
            bit_perfect: (now.bit_perfect != start.bit_perfect)
                .then_some(now.bit_perfect)
                .or(kept.bit_perfect),
            output: (now.output != start.output).then(|| now.output.clone()).or(kept.output),
        };
        serde_json::to_string(&changed).unwrap_or_default()
    }
}

/// What is said counts, unless that is nothing.
fn last<T: PartialEq>(said: T, plain: &T, kept: Option<T>) -> T {
    if said == *plain { kept.unwrap_or(said) } else { said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_comes_back_and_what_is_configured_wins() {
        let settings = Settings::default();
        let first = Remembered::from_text(&settings, None);
        assert_eq!(first.sound(), Sound::default());
        let asked = Sound { output: "USB".into(), equalizer: "rock".parse().unwrap(), ..first.sound() };
        let text = first.written(&asked);
        let second = Remembered::from_text(&settings, Some(&text));
        assert_eq!(second.sound(), asked);
        // Nothing asked for in this session: what was there stays.
        assert_eq!(second.written(&asked), text);
        let configured = Settings { output: "silent".into(), crossfade: 5, ..settings };
        let third = Remembered::from_text(&configured, Some(&text));
        assert_eq!(third.sound(), Sound { output: "silent".into(), crossfade_s: 5, ..asked });
        assert_eq!(third.written(&third.sound()), text, "what is configured is not remembered");
    }

    #[test]
    fn rubbish_is_as_nothing() {
        for text in ["", "[]", "{\"speed\": \"fast\"}", "{\"equalizer\": \"loud\"}"] {
            let read = Remembered::from_text(&Settings::default(), Some(text));
            assert_eq!(read.sound(), Sound::default(), "{text}");
        }
        let wild =
            Remembered::from_text(&Settings::default(), Some("{\"speed\": 9000, \"crossfade_s\": 200}"));
        assert_eq!((wild.sound().speed, wild.sound().crossfade_s), (200, 12));
    }
}
