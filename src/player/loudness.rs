//! ReplayGain: how much louder or quieter a track is played, so that the listener need not reach for the volume.
//!
//! Pure. A gain is in decibels to the reference loudness; a peak is the highest sample, 1.0 = full scale. Nothing is
//! ever amplified above full scale: where a peak is known it limits the gain, where none is known nothing is
//! amplified at all.

use serde::{Deserialize, Serialize};

use crate::music::ReplayGain;

/// Which gain counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GainMode {
    /// None: every track as it was made.
    Off,
    /// Each track at the reference loudness.
    Track,
    /// Each album at the reference loudness; its quiet tracks stay quiet.
    Album,
    /// As `Album` where the track before or after is of the same album, else as `Track`.
    #[default]
    Auto,
}

impl GainMode {
    /// How it is written in the configuration and after `:replaygain`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Track => "track",
            Self::Album => "album",
            Self::Auto => "auto",
        }
    }
}

/// How loudness is corrected.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Loudness {
    /// Which gain counts.
    pub mode: GainMode,
    /// Added to every gain, dB; tracks without a gain have it, too.
    pub preamp_db: f32,
}

impl Loudness {
    /// dB for a track with this loudness data. `among_album`: a neighbour in the queue is of its album. `joined`: the
    /// gain of the track of the same album that is heard right before it, which it keeps as far as its peak allows,
    /// so that a joint inside an album is no step.
    pub(super) fn gain_db(self, data: &ReplayGain, among_album: bool, joined: Option<f32>) -> f32 {
        let by_album = match self.mode {
            GainMode::Off => return 0.0,
            GainMode::Track => false,
            GainMode::Album => true,
            GainMode::Auto => among_album || joined.is_some(),
        };
        let (wanted, peak) = match (joined.filter(|_| by_album), data.album_gain.filter(|_| by_album)) {
            (Some(db), _) => (db, higher(data.album_peak, data.track_peak)),
            // A track's peak says nothing about the rest of the album, which is to have the same gain.
            (None, Some(db)) => (
                db + self.preamp_db,
                higher(data.album_peak, data.track_peak)
                    .map(|p| if data.album_peak.is_none() { p.max(1.0) } else { p }),
            ),
            (None, None) => (
                data.track_gain.or(data.album_gain).unwrap_or(0.0) + self.preamp_db,
                data.track_peak.or(data.album_peak),
            ),
        };
        let headroom = match peak {
            Some(peak) if peak.is_finite() && peak > 0.0 => -20.0 * peak.log10(),
            _ => 0.0,
        };
        if wanted.is_finite() { wanted.min(headroom) } else { 0.0 }
    }
}

/// An album's peak should not be below that of a track on it; where tags say so, the safe one counts.
fn higher(a: Option<f32>, b: Option<f32>) -> Option<f32> {
    a.into_iter().chain(b).reduce(f32::max)
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATA: ReplayGain = ReplayGain {
        track_gain: Some(-3.0),
        album_gain: Some(-8.0),
        track_peak: Some(0.5),
        album_peak: Some(0.9),
    };

    fn with(mode: GainMode) -> Loudness {
        Loudness { mode, preamp_db: 0.0 }
    }

    #[test]
    fn each_mode_takes_its_gain() {
        assert_eq!(with(GainMode::Off).gain_db(&DATA, true, None), 0.0);
        assert_eq!(with(GainMode::Track).gain_db(&DATA, true, None), -3.0);
        assert_eq!(with(GainMode::Album).gain_db(&DATA, false, None), -8.0);
        assert_eq!(with(GainMode::Auto).gain_db(&DATA, false, None), -3.0);
        assert_eq!(with(GainMode::Auto).gain_db(&DATA, true, None), -8.0);
    }

    #[test]
    fn one_gain_stands_in_for_the_other_and_none_changes_nothing() {
        let only_track = ReplayGain { track_gain: Some(-4.0), ..ReplayGain::default() };
        assert_eq!(with(GainMode::Album).gain_db(&only_track, true, None), -4.0);
        let only_album = ReplayGain { album_gain: Some(-5.0), ..ReplayGain::default() };
        assert_eq!(with(GainMode::Track).gain_db(&only_album, true, None), -5.0);
        assert_eq!(with(GainMode::Auto).gain_db(&ReplayGain::default(), true, None), 0.0);
    }

    #[test]
    fn without_a_peak_nothing_is_amplified() {
        let quiet = ReplayGain { track_gain: Some(6.0), ..ReplayGain::default() };
        assert_eq!(with(GainMode::Track).gain_db(&quiet, false, None), 0.0);
        let loud = Loudness { mode: GainMode::Track, preamp_db: 12.0 };
        assert_eq!(loud.gain_db(&ReplayGain::default(), false, None), 0.0);
        let cut = Loudness { mode: GainMode::Track, preamp_db: -6.0 };
        assert_eq!(cut.gain_db(&ReplayGain::default(), false, None), -6.0);
    }

    #[test]
    fn a_joint_inside_an_album_keeps_the_gain() {
        let other = ReplayGain { album_gain: Some(-7.0), ..DATA };
        assert_eq!(with(GainMode::Auto).gain_db(&other, true, Some(-8.0)), -8.0);
        assert_eq!(with(GainMode::Track).gain_db(&other, true, Some(-8.0)), -3.0);
    }

    proptest! {
        #[test]
        fn no_known_peak_comes_above_full_scale(
            gain in -40f32..40.0, preamp in -20f32..20.0, peak in 0.001f32..4.0, mode in 0usize..3, joined in proptest::option::of(-20f32..20.0),
        ) {
            let mode = [GainMode::Track, GainMode::Album, GainMode::Auto][mode];
            for data in [
                ReplayGain { track_gain: Some(gain), track_peak: Some(peak), ..ReplayGain::default() },
                ReplayGain { album_gain: Some(gain), album_peak: Some(peak), ..ReplayGain::default() },
            ] {
                let db = Loudness { mode, preamp_db: preamp }.gain_db(&data, true, joined);
                prop_assert!(peak * 10f32.powf(db / 20.0) <= 1.0001, "{db} dB at a peak of {peak}");
            }
        }
    }
}
