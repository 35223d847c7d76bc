//! The full player: the words of what plays, where they are, and what sounds right now.
//!
//! Words follow the position that is heard (`heard_ms`), moved by the listener's offset. While the listener looks
//! elsewhere in them (`by_hand`), they stay; a moment later, or with Esc, they snap back.

use crate::music::{LyricLine, Lyrics, TrackId};

/// What is known of the words.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Words {
    /// They were asked for.
    #[default]
    Waiting,
    /// There are none.
    None,
    /// Here they are.
    Here(Box<Lyrics>),
}

/// Under this name it is kept what the full player shows.
pub const KEPT_PLAYER: &str = "tui.player";

/// The full player.
#[derive(Debug)]
pub(crate) struct FullPlayer {
    /// Whether words are shown.
    pub(crate) lyrics: bool,
    /// Whether the spectrum is shown.
    pub(crate) spectrum: bool,
    /// The track that `words` and `offset_ms` belong to.
    pub(crate) of: Option<TrackId>,
    pub(crate) words: Words,
    pub(crate) awaiting: Option<u64>,
    /// Whether the server is being asked, after what is kept here was shown.
    pub(crate) asking_server: bool,
    /// The words come sooner by this many ms, or later where it is negative.
    pub(crate) offset_ms: i64,
    /// The line that the listener looks at.
    pub(crate) by_hand: Option<usize>,
    /// Tells the last look from earlier ones.
    pub(crate) stamp: u64,
    /// What is heard, ms into the track; finer than the player's status tells.
    pub(crate) heard_ms: u64,
    pub(crate) sound: Sounding,
}

impl Default for FullPlayer {
    fn default() -> Self {
        Self {
            lyrics: true,
            spectrum: true,
            of: None,
            words: Words::Waiting,
            awaiting: None,
            asking_server: false,
            offset_ms: 0,
            by_hand: None,
            stamp: 0,
            heard_ms: 0,
            sound: Sounding::default(),
        }
    }
}

impl FullPlayer {
    /// A full player that shows what was kept; everything, where nothing was.
    pub(crate) fn showing(kept: &str) -> Self {
        let off = |what: &str| kept.split(' ').any(|word| word == what);
        Self { lyrics: !off("no-lyrics"), spectrum: !off("no-spectrum"), ..Self::default() }
    }

    /// What it shows, as it is kept.
    pub(crate) fn shows(&self) -> String {
        let lyrics = if self.lyrics { "lyrics" } else { "no-lyrics" };
        let spectrum = if self.spectrum { "spectrum" } else { "no-spectrum" };
        format!("{lyrics} {spectrum}")
    }

    /// How long words stay where the listener put them, in ms.
    pub(crate) const SNAP_MS: u64 = 5_000;
    /// One step of the offset, in ms.
    pub(crate) const STEP_MS: i64 = 100;
    /// The largest offset, in ms.
    pub(crate) const MAX_OFFSET_MS: i64 = 60_000;

    /// The words, if there are any.
    pub(crate) fn here(&self) -> Option<&Lyrics> {
        match &self.words {
            Words::Here(lyrics) => Some(lyrics),
            _ => None,
        }
    }

    /// Where the words are, ms; before the beginning it is nothing.
    pub(crate) fn place_ms(&self) -> u64 {
        self.heard_ms.saturating_add_signed(self.offset_ms)
    }

    /// The line that is sung now; none before the first one, and where lines have no times.
    pub(crate) fn line(&self) -> Option<usize> {
        let lyrics = self.here().filter(|lyrics| lyrics.synced)?;
        let place = self.place_ms();
        let begun = |line: &LyricLine| line.start_ms.is_none_or(|start| start <= place);
        lyrics.lines.partition_point(begun).checked_sub(1)
    }

    /// The line that stands in the middle, and whether the listener put it there.
    pub(crate) fn anchor(&self) -> (usize, bool) {
        match self.by_hand {
            Some(line) => (line, true),
            None => (self.line().unwrap_or(0), false),
        }
    }

    /// Looks so many lines further; `false` where there are no words.
    pub(crate) fn scroll(&mut self, by: isize, height: usize) -> bool {
        let Some(lyrics) = self.here() else { return false };
        // Words without times stand from the top, and their end is seen when it is at the bottom.
        let last = lyrics.lines.len().saturating_sub(if lyrics.synced { 1 } else { height.max(1) });
        let from = self.anchor().0.min(last);
        self.by_hand = Some(from.saturating_add_signed(by).min(last));
        self.stamp += 1;
        true
    }

    /// The next moment at which other words are sung, ms into the track.
    pub(crate) fn next_moment(&self) -> Option<u64> {
        let lyrics = self.here().filter(|lyrics| lyrics.synced)?;
        let place = self.place_ms();
        let at = self.line();
        let words =
            at.and_then(|at| lyrics.lines.get(at)).map(|line| line.words.as_slice()).unwrap_or_default();
        let word = words.iter().map(|word| word.start_ms).find(|start| *start > place);
        let line = lyrics.lines.get(at.map_or(0, |at| at + 1)).and_then(|line| line.start_ms);
        let next = word.into_iter().chain(line).min()?;
        Some(next.saturating_add_signed(self.offset_ms.saturating_neg()))
    }
}

/// What sounds, as it is drawn: bars that rise at once and fall slowly, and two levels.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sounding {
    /// Bars, lowest first, 0..=`Sounding::FULL`.
    pub(crate) bars: Vec<u8>,
    /// Left and right, in the same steps: the mean, and the peak.
    pub(crate) levels: [(u8, u8); 2],
}

impl Sounding {
    /// Steps of a bar: eighths of the cells of the highest one that is drawn, 4.
    pub(crate) const FULL: u8 = 64;
    /// Steps that a bar falls with each picture.
    const FALL: u8 = 4;
    /// What is below this is not drawn, dB.
    const FLOOR_DB: f32 = -66.0;

    fn step(db: f32, floor: f32) -> u8 {
        ((1.0 - db / floor).clamp(0.0, 1.0) * f32::from(Self::FULL)).round() as u8
    }

    /// Takes a look at the sound; `true` when it draws otherwise than before.
    pub(crate) fn take(&mut self, bands: &[f32], rms_db: [f32; 2], peak_db: [f32; 2]) -> bool {
        let before = self.clone();
        self.bars.resize(bands.len(), 0);
        for (bar, db) in self.bars.iter_mut().zip(bands) {
            *bar = Self::step(*db, Self::FLOOR_DB).max(bar.saturating_sub(Self::FALL));
        }
        for (level, (rms, peak)) in self.levels.iter_mut().zip(rms_db.into_iter().zip(peak_db)) {
            level.0 = Self::step(rms, -48.0).max(level.0.saturating_sub(Self::FALL));
            level.1 = Self::step(peak, -48.0).max(level.1.saturating_sub(1));
        }
        *self != before
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sung(text: &str) -> FullPlayer {
        let words = Words::Here(Box::new(Lyrics::parse(text, "").unwrap()));
        FullPlayer { words, ..FullPlayer::default() }
    }

    #[test]
    fn words_follow_what_is_heard_and_the_offset_moves_them() {
        let mut full = sung("[00:01.00]one\n[00:02.00]<00:02.00>two <00:02.50>three\n[00:04.00]four");
        assert_eq!((full.line(), full.next_moment()), (None, Some(1_000)));
        full.heard_ms = 1_000;
        assert_eq!((full.line(), full.next_moment()), (Some(0), Some(2_000)));
        full.heard_ms = 2_100;
        assert_eq!((full.line(), full.next_moment()), (Some(1), Some(2_500)));
        full.heard_ms = 2_600;
        assert_eq!((full.line(), full.next_moment()), (Some(1), Some(4_000)));
        full.offset_ms = 1_500;
        assert_eq!((full.line(), full.next_moment()), (Some(2), None));
        full.offset_ms = -2_000;
        assert_eq!((full.line(), full.next_moment()), (None, Some(3_000)));
    }

    #[test]
    fn plain_words_have_no_moments_and_scroll_to_their_end() {
        let mut full = sung("one\ntwo\nthree\nfour");
        assert_eq!((full.line(), full.next_moment()), (None, None));
        assert!(full.scroll(99, 3));
        assert_eq!(full.anchor(), (1, true));
        assert!(!FullPlayer::default().scroll(1, 3));
    }

    #[test]
    fn bars_rise_at_once_and_fall_slowly() {
        let mut sound = Sounding::default();
        assert!(sound.take(&[0.0, -66.0, -33.0], [-3.0; 2], [0.0; 2]));
        assert_eq!(sound.bars, [64, 0, 32]);
        assert!(sound.take(&[-120.0; 3], [-120.0; 2], [-120.0; 2]));
        assert_eq!(sound.bars, [60, 0, 28]);
        for _ in 0..80 {
            sound.take(&[-120.0; 3], [-120.0; 2], [-120.0; 2]);
        }
        assert!(!sound.take(&[-120.0; 3], [-120.0; 2], [-120.0; 2]), "silence draws nothing new");
    }

    proptest! {
        /// From moment to moment: the next one is always later, and something else is sung there.
        #[test]
        fn moments_come_one_after_the_other(
            starts in proptest::collection::vec((0u64..60_000, 0u64..3_000), 1..12), offset in -5_000i64..5_000,
        ) {
            let lines = starts.iter().map(|(at, gap)| {
                let (a, b) = (at, at + gap);
                let stamp = |ms: u64| format!("{:02}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000);
                format!("[{}]<{}>la <{}>lu\n", stamp(*a), stamp(*a), stamp(b))
            });
            let mut full = sung(&lines.collect::<String>());
            full.offset_ms = offset;
            let mut steps = 0;
            while let Some(next) = full.next_moment() {
                // A moment before the beginning is reached by its end.
                prop_assert!(next > full.heard_ms || full.place_ms() == 0);
                full.heard_ms = next.max(full.heard_ms + 1);
                steps += 1;
                prop_assert!(steps < 100);
            }
        }
    }
}
