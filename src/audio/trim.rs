//! Which of the decoded frames are music. Encoders put a start-up delay before the music and padding behind it;
//! played as they are, both would be a gap at every joint.
//!
//! | container | who trims |
//! |---|---|
//! | MP3 with a LAME header, Ogg Vorbis | symphonia |
//! | Ogg Opus | the end by symphonia, the pre-skip here (the decoder adapter trims one packet at most) |
//! | FLAC, WAV, AIFF | nothing to trim |
//! | MP4 (AAC, ALAC) | here: `iTunSMPB`, else the edit list |
//! | MP3 without a LAME header, ADTS AAC | nobody: the file does not say what is padding |

use super::mp4::Hints;

/// The frames `skip..end` of what comes out of the decoder are music.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Window {
    /// Frames before the music.
    pub(super) skip: u64,
    /// First frame behind the music; `None`: up to the end.
    pub(super) end: Option<u64>,
}

/// The window for an MP4 file whose decoder yields `total` frames (where known) at `rate` frames per second.
pub(super) fn mp4(hints: &Hints, rate: u32, total: Option<u64>) -> Window {
    if let Some(smpb) = hints.smpb
        && total.is_none_or(|total| smpb.priming + smpb.length <= total)
    {
        return Window { skip: smpb.priming, end: Some(smpb.priming + smpb.length) };
    }
    let Some(edit) = hints.edit else { return Window::default() };
    let skip = rescale(edit.start, hints.track_scale, rate);
    if total.is_some_and(|total| skip >= total) {
        return Window::default();
    }
    let end = (edit.length > 0 && hints.movie_scale > 0).then(|| {
        let length = rescale(edit.length, hints.movie_scale, rate);
        // The movie's clock is often as coarse as a millisecond: when the sample table ends within one tick of
        // the edit, the table is exact and the edit is its rounded shadow.
        let tick = u64::from(rate / hints.movie_scale) + 1;
        match total {
            Some(total) if (total - skip).abs_diff(length) <= tick => total,
            Some(total) => (skip + length).min(total),
            None => skip + length,
        }
    });
    Window { skip, end: end.or(total) }
}

fn rescale(ticks: u64, from: u32, to: u32) -> u64 {
    if from == 0 || from == to {
        return ticks;
    }
    let scaled = (u128::from(ticks) * u128::from(to) + u128::from(from) / 2) / u128::from(from);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::mp4::{Edit, Smpb};
    use super::*;

    const EDIT: Edit = Edit { length: 20_280, start: 1024 };

    #[test]
    fn a_coarse_edit_list_leaves_the_end_to_the_sample_table() {
        let hints = Hints { movie_scale: 1000, track_scale: 44_100, edit: Some(EDIT), smpb: None };
        // 894 345 frames are 20.2799… s: the edit says 20.280 s, the table 1024 + 894 345 frames.
        assert_eq!(mp4(&hints, 44_100, Some(895_369)), Window { skip: 1024, end: Some(895_369) });
        // A table padded to whole packets ends later than the edit.
        assert_eq!(mp4(&hints, 44_100, Some(896_000)), Window { skip: 1024, end: Some(1024 + 894_348) });
    }

    #[test]
    fn what_itunes_says_is_exact() {
        let smpb = Some(Smpb { priming: 2112, length: 100_000 });
        let hints = Hints { movie_scale: 600, track_scale: 44_100, edit: Some(EDIT), smpb };
        assert_eq!(mp4(&hints, 44_100, Some(102_400)), Window { skip: 2112, end: Some(102_112) });
        // A file that was cut after it was tagged: the edit list is what is left.
        assert_eq!(mp4(&hints, 44_100, Some(50_000)).skip, 1024);
    }

    #[test]
    fn nonsense_trims_nothing() {
        let hints =
            Hints { movie_scale: 0, track_scale: 0, edit: Some(Edit { length: 5, start: 99 }), smpb: None };
        assert_eq!(mp4(&hints, 44_100, Some(10)), Window::default());
        assert_eq!(mp4(&Hints::default(), 44_100, Some(10)), Window::default());
    }
}
