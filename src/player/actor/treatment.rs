//! How loud and how treated what sounds is.

use super::{Actor, treat};
use crate::music::{Ad, ReplayGain, Track};
use crate::player::{GainMode, Loudness, SoundChange};

impl Actor {
    /// dB for the queue's current track.
    pub(super) fn gain_now(&self, track: &Track) -> f32 {
        self.loudness().gain_db(&track.replay_gain, self.queue.now_is_among_album(), None)
    }

    /// dB for what follows, which may be an ad.
    pub(super) fn gain_next(&self, track: &Track, ad: Option<&Ad>) -> f32 {
        if let Some(ad) = ad {
            return self.gain_ad(ad);
        }
        let joined = self.loaded.as_ref().filter(|_| self.joins(track)).map(|l| l.gain_db);
        let among = match self.ad() {
            Some(_) => self.queue.now_is_among_album(),
            None => self.queue.following_is_among_album(),
        };
        self.loudness().gain_db(&track.replay_gain, among, joined)
    }

    /// dB for an ad: as loud as music is brought to; where that is left as it is, as loud as the track before.
    pub(super) fn gain_ad(&self, ad: &Ad) -> f32 {
        let measured = ReplayGain {
            track_gain: Some(ad.gain_db as f32),
            track_peak: Some(ad.peak as f32),
            ..ReplayGain::default()
        };
        let loudness = match self.loudness() {
            Loudness { mode: GainMode::Off, .. } => {
                Loudness { mode: GainMode::Track, preamp_db: -self.music_gain.unwrap_or(0.0) }
            }
            corrected => corrected,
        };
        loudness.gain_db(&measured, false, None)
    }

    /// The correction that counts: none where no sample may be touched.
    pub(super) fn loudness(&self) -> Loudness {
        if self.sound.bit_perfect { Loudness { mode: GainMode::Off, preamp_db: 0.0 } } else { self.loudness }
    }

    pub(super) fn change_sound(&mut self, change: &SoundChange) {
        let before = std::mem::take(&mut self.sound);
        self.sound = before.with(change);
        treat(&self.engine, &self.sound);
        if self.sound.output != before.output {
            self.engine.set_output(self.sound.engine_output());
        }
        if self.sound.bit_perfect != before.bit_perfect {
            self.correct_loudness();
        }
    }

    /// Brings what the engine has to the present kind of gain.
    pub(super) fn correct_loudness(&mut self) {
        let now = self.loaded.as_ref().map(|loaded| match &loaded.ad {
            Some(ad) => self.gain_ad(ad),
            None => self.gain_now(&loaded.track),
        });
        if let (Some(loaded), Some(gain_db)) = (&mut self.loaded, now) {
            loaded.gain_db = gain_db;
            self.engine.set_gain(loaded.token, gain_db);
        }
        // A track that joins the one before has what that one has now.
        let next = self.follower.as_ref().map(|next| self.gain_next(&next.track, next.ad.as_ref()));
        if let (Some(follower), Some(gain_db)) = (&mut self.follower, next) {
            follower.gain_db = gain_db;
            self.engine.set_gain(follower.token, gain_db);
        }
    }
}
