//! What the actor shows of itself: one [`Status`], made anew after everything that happens.

use std::sync::Arc;
use std::time::Instant;

use super::Actor;
use crate::audio::{self, Snapshot};
use crate::music::{Quality, Track};
use crate::player::status::{Status, Supply, Transport};

impl Actor {
    pub(super) fn publish(&mut self) {
        self.listen_on();
        let snapshot = self.engine.snapshot();
        let mut status = Status {
            queue: Arc::clone(&self.view),
            volume: self.volume,
            muted: self.muted,
            gain_mode: self.loudness.mode,
            sound: self.sound.clone(),
            treatment: self.sound.words(snapshot.format.as_ref().map(|f| f.sample_rate), &snapshot.output),
            sleep: self.sleep.left(Instant::now()),
            private: self.private,
            output_notice: snapshot.output.silent_because.clone(),
            underruns: snapshot.underruns,
            ad: self.ad_now(),
            counted: self.breaks.counted().clone(),
            position_ms: self.place(),
            duration_ms: self.queue.now().map_or(0, |e| e.track.duration_ms),
            ..Status::default()
        };
        if let Some(loaded) = &self.loaded {
            status.transport = match snapshot.state {
                _ if self.paused => Transport::Paused,
                audio::State::Playing if snapshot.token == Some(loaded.token) => Transport::Playing,
                // It will play as soon as the engine has it.
                _ => Transport::Buffering,
            };
            let supply = loaded.supplies.look(loaded.track.duration_ms);
            status.buffered = supply.parts;
            status.supply = supply.supply;
            status.quality = quality(&loaded.track, loaded.supplies.quality, &snapshot);
        } else if let Some(now) = self.queue.now() {
            status.transport = Transport::Paused;
            let whole = self.stock.is_whole(&now.track);
            status.supply = if whole { Supply::Cached } else { Supply::Streaming };
        }
        let dry = snapshot.underruns.saturating_sub(self.status.borrow().underruns);
        if dry > 0 {
            tracing::warn!(times = dry, in_all = snapshot.underruns, "the sound device ran dry");
        }
        self.status.send_if_modified(|old| {
            let changed = *old != status;
            if changed {
                *old = status;
            }
            changed
        });
    }
}

/// The format in few words: `FLAC 44.1/16` for what is lossless, `Opus 112k` for what is not.
fn quality(track: &Track, form: Quality, snapshot: &Snapshot) -> String {
    let Some(format) = &snapshot.format else { return String::new() };
    let codec = &format.codec;
    match (format.bit_depth, form.kbps().or(track.bit_rate)) {
        (Some(bits), _) => {
            let khz = f64::from(format.sample_rate) / 1000.0;
            format!("{codec} {khz}/{bits}")
        }
        (None, Some(rate)) => format!("{codec} {rate}k"),
        (None, None) => codec.clone(),
    }
}
