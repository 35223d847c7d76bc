//! What to make of a file for who asks: a pure decision.

use crate::music::Track;

/// What the result is coded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Opus,
    Mp3,
    Aac,
    Flac,
}

impl Codec {
    /// By the name that clients use.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "opus" | "ogg" | "oga" => Some(Self::Opus),
            "mp3" => Some(Self::Mp3),
            "aac" | "m4a" | "mp4" => Some(Self::Aac),
            "flac" => Some(Self::Flac),
            _ => None,
        }
    }

    /// Whether a file of this kind is already coded so.
    fn is(self, suffix: &str) -> bool {
        // An .ogg may hold anything; an .m4a may hold ALAC, which is far above any bit rate that is asked for.
        !matches!(suffix, "ogg" | "oga") && Self::named(suffix) == Some(self)
    }

    /// The name in file names and cache keys.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Mp3 => "mp3",
            Self::Aac => "aac",
            Self::Flac => "flac",
        }
    }

    /// MIME type of the result.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Opus => "audio/ogg",
            Self::Mp3 => "audio/mpeg",
            Self::Aac => "audio/aac",
            Self::Flac => "audio/flac",
        }
    }

    /// What it comes in, by the names of the extension `transcoding`.
    pub(super) const fn container(self) -> &'static str {
        match self {
            Self::Opus => "ogg",
            Self::Mp3 => "mp3",
            Self::Aac => "aac",
            Self::Flac => "flac",
        }
    }

    /// A recipe for this codec that takes at most `limit` kbit/s (0 for no limit) of a source of so many; none where
    /// the codec cannot keep to that.
    pub(super) fn at_most(self, limit: u32, source: Option<u32>) -> Option<Recipe> {
        let (least, most) = self.bounds();
        if self == Self::Flac {
            // Lossless is as large as it is: about the source where that was lossless too.
            let fits = limit == 0 || source.is_some_and(|rate| rate <= limit);
            return fits.then_some(Recipe { codec: self, kbps: 0, offset_ms: 0 });
        }
        if limit > 0 && limit < least {
            return None;
        }
        let wanted = if limit == 0 { self.usual() } else { limit };
        let kbps = source.map_or(wanted, |rate| wanted.min(rate)).clamp(least, most);
        Some(Recipe { codec: self, kbps, offset_ms: 0 })
    }

    /// What is good enough where nobody says how much may be spent, kbit/s; 0 where it is not for us to say.
    const fn usual(self) -> u32 {
        match self {
            Self::Opus => 128,
            Self::Mp3 | Self::Aac => 192,
            Self::Flac => 0,
        }
    }

    const fn bounds(self) -> (u32, u32) {
        match self {
            Self::Opus => (16, 510),
            Self::Mp3 | Self::Aac => (32, 320),
            Self::Flac => (0, 0),
        }
    }
}

/// What a client asks for, by the parameters of `stream`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Asked<'a> {
    /// `format`.
    pub(crate) format: Option<&'a str>,
    /// `maxBitRate`, kbit/s; 0 for no limit.
    pub(crate) max_bit_rate: u32,
    /// `timeOffset`, ms.
    pub(crate) offset_ms: u64,
}

impl<'a> Asked<'a> {
    /// With this format and bit rate where nothing in particular is asked for.
    pub(crate) fn or(self, profile: Option<(&'a str, u32)>) -> Self {
        let nothing = self.format.is_none_or(str::is_empty) && self.max_bit_rate == 0;
        match profile {
            Some((format, max_bit_rate)) if nothing => Self { format: Some(format), max_bit_rate, ..self },
            _ => self,
        }
    }

    /// With no more than an account is sent, kbit/s; 0 for any. What is larger than that is sent neither as it is nor without
    /// loss.
    pub(crate) fn within(self, most: u32, track: Source<'_>) -> Self {
        if most == 0 {
            return self;
        }
        let max_bit_rate = if self.max_bit_rate == 0 { most } else { self.max_bit_rate.min(most) };
        let small = track.is_within(most);
        let lossy = |format: &&str| Codec::named(format).is_some_and(|codec| codec != Codec::Flac);
        Self { max_bit_rate, format: self.format.filter(|format| small || lossy(format)), ..self }
    }
}

/// What counts about a track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    suffix: &'a str,
    duration_ms: u64,
    /// kbit/s, worked out where no tag says it.
    bit_rate: Option<u32>,
}

impl<'a> From<&'a Track> for Source<'a> {
    fn from(track: &'a Track) -> Self {
        Self::new(&track.suffix, track.bit_rate, track.size, track.duration_ms)
    }
}

impl<'a> Source<'a> {
    /// Whether it is known to have no more than so many kbit/s; 0 for any.
    pub(crate) fn is_within(&self, most: u32) -> bool {
        most == 0 || self.bit_rate.is_some_and(|rate| rate <= most)
    }

    /// kbit/s, where they are known.
    pub(super) const fn bit_rate(&self) -> Option<u32> {
        self.bit_rate
    }

    /// What counts about a file of such a suffix, with a bit rate (kbit/s), a size in bytes and a length in ms.
    pub(crate) fn new(suffix: &'a str, tagged: Option<u32>, size: u64, duration_ms: u64) -> Self {
        let mean = || u32::try_from(size.checked_mul(8)?.checked_div(duration_ms)?).ok();
        let bit_rate = tagged.filter(|rate| *rate > 0).or_else(mean).filter(|rate| *rate > 0);
        Self { suffix, duration_ms, bit_rate }
    }
}

/// How to make a file into another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) codec: Codec,
    /// kbit/s; 0 for lossless.
    pub(crate) kbps: u32,
    /// Where to begin, ms.
    pub(crate) offset_ms: u64,
}

/// What to do; `None` means the file as it is. A limit on the bit rate alone means MP3, because clients that
/// name no format are old, and every one of them plays that.
pub(crate) fn choose(asked: Asked<'_>, track: Source<'_>) -> Option<Recipe> {
    let named = asked.format.filter(|format| !format.is_empty());
    let codec = match named {
        Some("raw") => return None,
        Some(name) => Codec::named(name)?,
        None if asked.max_bit_rate == 0 => return None,
        None => Codec::Mp3,
    };
    let source = track.bit_rate;
    let small_enough = asked.max_bit_rate == 0 || source.is_some_and(|rate| rate <= asked.max_bit_rate);
    if small_enough && (named.is_none() || codec.is(track.suffix)) {
        return None;
    }
    let wanted = match (codec, asked.max_bit_rate) {
        (Codec::Flac, _) => 0,
        (codec, 0) => codec.usual(),
        (_, limit) => limit,
    };
    // More than the source has cannot be heard.
    let wanted = source.filter(|_| codec != Codec::Flac).map_or(wanted, |rate| wanted.min(rate));
    let (least, most) = codec.bounds();
    Some(Recipe { codec, kbps: wanted.clamp(least, most), offset_ms: asked.offset_ms })
}

impl Recipe {
    /// The recipe as one word, without its offset.
    pub(crate) fn ticket(&self) -> String {
        format!("{}-{}", self.codec.word(), self.kbps)
    }

    /// The recipe that [`ticket`](Self::ticket) wrote; nothing else is read.
    pub(crate) fn of_ticket(ticket: &str, offset_ms: u64) -> Option<Self> {
        let (codec, kbps) = ticket.split_once('-')?;
        let codec = Codec::named(codec).filter(|named| named.word() == codec)?;
        let kbps: u32 = kbps.parse().ok()?;
        let (least, most) = codec.bounds();
        (least..=most).contains(&kbps).then_some(Self { codec, kbps, offset_ms })
    }

    /// Whether it keeps to a limit, kbit/s; 0 for none.
    pub(crate) const fn is_within(&self, most: u32) -> bool {
        most == 0 || (self.kbps > 0 && self.kbps <= most)
    }

    /// About how many bytes come out of a track, with some room: for clients that must know before.
    pub(crate) fn estimate(&self, track: Source<'_>) -> u64 {
        let left = track.duration_ms.saturating_sub(self.offset_ms);
        let kbps = if self.kbps == 0 { u64::from(track.bit_rate.unwrap_or(1000)) } else { self.kbps.into() };
        let bytes = kbps.saturating_mul(left) / 8;
        bytes.saturating_add(bytes / 32).saturating_add(16 * 1024)
    }

    /// The codec's part of a command line for ffmpeg.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let rate = format!("{}k", self.kbps);
        let words: &[&str] = match self.codec {
            Codec::Opus => &["-c:a", "libopus", "-vbr", "on", "-b:a", &rate, "-f", "ogg"],
            Codec::Mp3 => &["-c:a", "libmp3lame", "-b:a", &rate, "-f", "mp3"],
            Codec::Aac => &["-c:a", "aac", "-b:a", &rate, "-f", "adts"],
            Codec::Flac => &["-c:a", "flac", "-compression_level", "5", "-f", "flac"],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(suffix: &str, bit_rate: Option<u32>) -> Source<'_> {
        Source::new(suffix, bit_rate, 2_000_000, 100_000)
    }

    fn ask(format: Option<&str>, max_bit_rate: u32) -> Asked<'_> {
        Asked { format, max_bit_rate, offset_ms: 0 }
    }

    #[test]
    fn the_file_itself_where_it_will_do() {
        let flac = track("flac", Some(900));
        for asked in
            [ask(None, 0), ask(Some("raw"), 64), ask(Some("flac"), 0), ask(None, 900), ask(Some("zip"), 0)]
        {
            assert_eq!(choose(asked, flac), None, "{asked:?}");
        }
        assert_eq!(choose(ask(Some("mp3"), 320), track("mp3", Some(192))), None);
    }

    #[test]
    fn otherwise_what_was_asked_within_reason() {
        let made = |asked, track| choose(asked, track).map(|recipe| (recipe.codec, recipe.kbps));
        let flac = track("flac", Some(900));
        assert_eq!(made(ask(None, 128), flac), Some((Codec::Mp3, 128)));
        assert_eq!(made(ask(Some("opus"), 0), flac), Some((Codec::Opus, 128)));
        assert_eq!(made(ask(Some("aac"), 96), flac), Some((Codec::Aac, 96)));
        assert_eq!(made(ask(Some("flac"), 0), track("wav", Some(1411))), Some((Codec::Flac, 0)));
        assert_eq!(made(ask(Some("opus"), 1), flac), Some((Codec::Opus, 16)));
        assert_eq!(made(ask(Some("mp3"), 999), track("ogg", Some(96))), Some((Codec::Mp3, 96)));
        // No tag says the rate: 2 MB in 100 s are 160 kbit/s.
        assert_eq!(made(ask(Some("opus"), 320), track("wma", None)), Some((Codec::Opus, 160)));
    }

    #[test]
    fn estimates_leave_room() {
        let flac = track("flac", Some(900));
        let recipe = Recipe { codec: Codec::Mp3, kbps: 128, offset_ms: 50_000 };
        assert!((800_000..900_000).contains(&recipe.estimate(flac)), "{}", recipe.estimate(flac));
    }

    #[test]
    fn profiles_speak_where_nothing_is_asked_for() {
        let profile = Some(("opus", 96));
        let asked = |format, max_bit_rate| Asked { format, max_bit_rate, offset_ms: 0 };
        for nothing in [asked(None, 0), asked(Some(""), 0)] {
            assert_eq!(nothing.or(profile), asked(Some("opus"), 96));
            assert_eq!(nothing.or(None), nothing);
        }
        for something in [asked(Some("raw"), 0), asked(Some("mp3"), 0), asked(None, 128)] {
            assert_eq!(something.or(profile), something);
        }
    }

    #[test]
    fn nothing_goes_beyond_what_an_account_is_sent() {
        let flac = Source::new("flac", Some(900), 0, 60_000);
        let small = Source::new("mp3", Some(128), 0, 60_000);
        let unknown = Source::new("wav", None, 0, 0);
        for format in [None, Some("raw"), Some("flac"), Some("mp3"), Some("opus"), Some("whatever")] {
            for max_bit_rate in [0, 96, 192, 999] {
                let asked = Asked { format, max_bit_rate, offset_ms: 0 };
                assert_eq!(asked.within(0, flac), asked);
                for source in [flac, unknown] {
                    let recipe = choose(asked.within(192, source), source).unwrap();
                    assert!(recipe.is_within(192), "{asked:?}: {recipe:?}");
                }
                if let Some(recipe) = choose(asked.within(192, small), small) {
                    assert!(recipe.kbps <= 192, "{asked:?}: {recipe:?}");
                }
            }
        }
        let raw = Asked { format: Some("raw"), ..Asked::default() };
        assert_eq!(choose(raw.within(192, small), small), None, "small enough as it is");
        assert!(!Recipe { codec: Codec::Flac, kbps: 0, offset_ms: 0 }.is_within(192));
    }
}
