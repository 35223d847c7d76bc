//! What a listener has done to the sound: pure data, how it is written, and the few words that a screen shows of it.

use std::fmt;

use crate::audio::{self, Equalizer, OutputInfo};

/// How the sound is treated and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// Seconds for which the end of a track and the beginning of the next sound together, 0–12; never inside an album.
    pub crossfade_s: u8,
    /// Hundredths of the speed, 50–200.
    pub speed: u16,
    /// Bands raised and lowered.
    pub equalizer: Equalizer,
    /// Nothing may touch a sample, and the device is to run at the file's rate.
    pub bit_perfect: bool,
    /// `default`, `silent`, or the name of a device.
    pub output: String,
}

impl Default for Sound {
    fn default() -> Self {
        Sound {
            crossfade_s: 0,
            speed: 100,
            equalizer: Equalizer::default(),
            bit_perfect: false,
            output: "default".to_owned(),
        }
    }
}

/// A wish of the listener about the sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoundChange {
    /// Seconds, 0–12.
    Crossfade(u8),
    /// Hundredths, 50–200.
    Speed(u16),
    /// Bands.
    Equalizer(Equalizer),
    /// Bit-perfect or not.
    BitPerfect(bool),
    /// Another device by name, `default`, or `silent`.
    Output(String),
}

impl Sound {
    /// Brings what is out of bounds within.
    #[must_use]
    pub fn within_bounds(mut self) -> Self {
        self.crossfade_s = self.crossfade_s.min(12);
        self.speed = self.speed.clamp(50, 200);
        self
    }

    /// This with a change.
    #[must_use]
    pub fn with(&self, change: &SoundChange) -> Self {
        let mut sound = self.clone();
        match change {
            SoundChange::Crossfade(seconds) => sound.crossfade_s = *seconds,
            SoundChange::Speed(hundredths) => sound.speed = *hundredths,
            SoundChange::Equalizer(equalizer) => sound.equalizer = *equalizer,
            SoundChange::BitPerfect(on) => sound.bit_perfect = *on,
            SoundChange::Output(name) => sound.output.clone_from(name),
        }
        sound.within_bounds()
    }

    /// The engine's name for where the sound goes.
    pub fn engine_output(&self) -> audio::Output {
        match self.output.as_str() {
            "default" => audio::Output::Default,
            "silent" => audio::Output::Silent,
            name => audio::Output::Device(name.to_owned()),
        }
    }

    /// What differs from sound as it was made, in few words: `bit-perfect`, or `1.25× eq rock fade 4s`; empty when
    /// nothing does. `file_rate` is that of what is heard: bit-perfect is said only where the device has it.
    pub(super) fn words(&self, file_rate: Option<u32>, output: &OutputInfo) -> String {
        if self.bit_perfect {
            return match file_rate {
                Some(rate) if output.sample_rate == rate => "bit-perfect".to_owned(),
                Some(_) if output.sample_rate > 0 => {
                    format!("resampled to {}k", f64::from(output.sample_rate) / 1000.0)
                }
                _ => "bit-perfect".to_owned(),
            };
        }
        let mut words = Vec::new();
        if self.speed != 100 {
            words.push(Speed(self.speed).to_string());
        }
        if !self.equalizer.is_flat() {
            words.push(format!("eq {}", self.equalizer.preset().unwrap_or("own")));
        }
        if self.crossfade_s > 0 {
            words.push(format!("fade {}s", self.crossfade_s));
        }
        words.join(" ")
    }
}

/// Hundredths of a speed as a listener writes it: `1.25×`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed(pub u16);

impl Speed {
    /// Reads `1.25`, `1.25x`, `125%`; `None` for what is none or out of 0.5–2.
    pub fn read(text: &str) -> Option<Speed> {
        let text = text.trim();
        let factor = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
            None => text.trim_end_matches(['x', '×']).trim().parse::<f64>().ok()?,
        };
        (0.5..=2.0).contains(&factor).then(|| Speed((factor * 100.0).round() as u16))
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×", f64::from(self.0) / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_say_what_differs() {
        let at = |rate| OutputInfo { sample_rate: rate, ..OutputInfo::default() };
        assert_eq!(Sound::default().words(Some(44_100), &at(48_000)), "");
        let much =
            Sound { crossfade_s: 4, speed: 125, equalizer: "rock".parse().unwrap(), ..Sound::default() };
        assert_eq!(much.words(Some(44_100), &at(48_000)), "1.25× eq rock fade 4s");
        let exact = Sound { bit_perfect: true, ..much };
        assert_eq!(exact.words(Some(44_100), &at(44_100)), "bit-perfect");
        assert_eq!(exact.words(Some(44_100), &at(48_000)), "resampled to 48k");
        assert_eq!(exact.words(None, &at(48_000)), "bit-perfect");
    }

    #[test]
    fn speeds_are_read_as_people_write_them() {
        for (text, want) in
            [("1.25", 125), ("1.5x", 150), ("0.5", 50), ("80 %", 80), ("2×", 200), (" 1 ", 100)]
        {
            assert_eq!(Speed::read(text), Some(Speed(want)), "{text:?}");
        }
        for bad in ["", "fast", "0.4", "2.1", "nan", "-1", "inf"] {
            assert_eq!(Speed::read(bad), None, "{bad:?}");
        }
    }
}
