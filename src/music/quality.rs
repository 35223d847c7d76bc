//! In which form music is fetched: as it is, or smaller.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Track;

/// What is asked of a server for a track. Each is kept by itself: a file and its smaller form are different bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Quality {
    /// The file as it is.
    #[default]
    Original,
    /// At most so many kbit/s, in a form of the server's choice.
    AtMost(u32),
    /// Opus of so many kbit/s.
    Opus(u32),
    /// MP3 of so many kbit/s.
    Mp3(u32),
    /// AAC of so many kbit/s.
    Aac(u32),
}

/// The name of the original file's form.
const RAW: &str = "raw";

impl Quality {
    /// What is best asked for: a file that is small enough already comes as it is.
    #[must_use]
    pub fn of(self, track: &Track) -> Self {
        self.of_file(track.bit_rate, track.size, track.duration_ms)
    }

    fn of_file(self, bit_rate: Option<u32>, size: u64, duration_ms: u64) -> Self {
        let counted =
            size.saturating_mul(8).checked_div(duration_ms).and_then(|rate| u32::try_from(rate).ok());
        let rate = bit_rate.or(counted).filter(|rate| *rate > 0);
        match (self.kbps(), rate) {
            (Some(limit), Some(rate)) if rate <= limit => Self::Original,
            _ => self,
        }
    }

    /// The same with no more than `limit` kbit/s; 0 for any number. The original becomes Opus, which is the best of what is
    /// small.
    #[must_use]
    pub fn at_most(self, limit: u32) -> Self {
        match self {
            _ if limit == 0 => self,
            Self::Original => Self::Opus(limit),
            Self::AtMost(kbps) => Self::AtMost(kbps.min(limit)),
            Self::Opus(kbps) => Self::Opus(kbps.min(limit)),
            Self::Mp3(kbps) => Self::Mp3(kbps.min(limit)),
            Self::Aac(kbps) => Self::Aac(kbps.min(limit)),
        }
    }

    /// The bit rate in kbit/s, where it is not that of the file.
    pub const fn kbps(self) -> Option<u32> {
        match self {
            Self::Original => None,
            Self::AtMost(kbps) | Self::Opus(kbps) | Self::Mp3(kbps) | Self::Aac(kbps) => Some(kbps),
        }
    }

    /// The name of the format, where one is asked for.
    pub const fn format(self) -> Option<&'static str> {
        match self {
            Self::Original => Some(RAW),
            Self::AtMost(_) => None,
            Self::Opus(_) => Some("opus"),
            Self::Mp3(_) => Some("mp3"),
            Self::Aac(_) => Some("aac"),
        }
    }

    /// A short name for keys: `raw`, `max-128`, `opus-128`.
    pub fn variant(self) -> String {
        match self.kbps() {
            Some(kbps) => format!("{}-{kbps}", self.format().unwrap_or("max")),
            None => RAW.to_owned(),
        }
    }

    /// What a name of [`Quality::variant`] means.
    pub fn of_variant(name: &str) -> Option<Self> {
        match name {
            RAW => Some(Self::Original),
            _ => name.strip_prefix("max-").unwrap_or(name).parse().ok().filter(|q| *q != Self::Original),
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Original => f.write_str("original"),
            Self::AtMost(kbps) => write!(f, "{kbps}"),
            _ => f.write_str(&self.variant()),
        }
    }
}

impl FromStr for Quality {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        if text == "original" {
            return Ok(Self::Original);
        }
        let made = match text.split_once('-') {
            None => text.parse().ok().map(Self::AtMost),
            Some((format, kbps)) => kbps.parse().ok().and_then(|kbps| match format {
                "opus" => Some(Self::Opus(kbps)),
                "mp3" => Some(Self::Mp3(kbps)),
                "aac" => Some(Self::Aac(kbps)),
                _ => None,
            }),
        };
        made.filter(|quality| quality.kbps().is_some_and(|kbps| (16..=2000).contains(&kbps))).ok_or_else(|| {
            "write \"original\", a format with its kbit/s (\"opus-128\", \"mp3-192\", \"aac-160\"), or kbit/s alone \
             (\"320\")"
                .to_owned()
        })
    }
}

impl TryFrom<String> for Quality {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Quality> for String {
    fn from(quality: Quality) -> Self {
        quality.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for text in ["original", "320", "opus-128", "mp3-192", "aac-160"] {
            let quality: Quality = text.parse().unwrap();
            assert_eq!(quality.to_string(), text);
            assert_eq!(Quality::of_variant(&quality.variant()), Some(quality));
        }
        for text in ["", "raw", "opus", "opus-", "flac-900", "opus-5", "99999999999", "opus-128-9", "-1"] {
            assert!(text.parse::<Quality>().is_err(), "{text}");
        }
        assert_eq!(Quality::of_variant("original"), None);
        assert_eq!(Quality::of_variant("moon"), None);
    }

    #[test]
    fn what_is_small_already_comes_as_it_is() {
        let of = |quality: Quality, rate| quality.of_file(rate, 30_000_000, 240_000);
        assert_eq!(of(Quality::Opus(128), None), Quality::Opus(128));
        assert_eq!(of(Quality::Opus(128), Some(128)), Quality::Original);
        assert_eq!(of(Quality::AtMost(96), Some(128)), Quality::AtMost(96));
        assert_eq!(of(Quality::AtMost(2000), None), Quality::Original, "1000 kbit/s by size");
        assert_eq!(Quality::Mp3(320).of_file(None, 0, 0), Quality::Mp3(320), "nobody knows");
    }
}
